/* refresh/round.c - the choice among primaries, step by step. */
#include "refresh/round.h"

#include <string.h>

#include "common/status.h"

enum {
	DELTA_BLOCK_S = 60,       /* after the first failure; doubled by each further one */
	DELTA_BLOCK_SHIFTS = 10,  /* so often at most */
	DELTA_UNKNOWN_S = 86400,  /* the primary does not know IXFR */
	DELTA_FAILURES_MAX = 255, /* as far as they are counted */
};

static uint32_t seconds(mono_t now)
{
	return (uint32_t)(now.ns / NS_PER_S);
}

size_t round_size(unsigned primaries)
{
	return sizeof(round_t) + primaries * sizeof(round_seat_t);
}

void round_begin(round_t *r, round_why_t why, const round_zone_t *zone, round_peer_t *peers,
                 unsigned count, unsigned first, unsigned address)
{
	memset(r, 0, round_size(count));
	r->why = why;
	r->zone = *zone;
	r->count = count;
	r->first = first < count ? first : ROUND_NO_SOURCE;
	r->peers = peers;
	if (r->first != ROUND_NO_SOURCE)
		r->seats[first].from = (uint16_t)address;
}

/* --- what a serial means ------------------------------------------------------------------- */

static bool forced(const round_t *r)
{
	return r->why == ROUND_RETRANSFER || r->why == ROUND_ACCEPT;
}

static round_verdict_t judge(const round_t *r, const round_peer_t *p, uint32_t serial,
                             bool resigned)
{
	const bool refused = p->has_refused && p->refused == serial && !forced(r);
	const dns_serial_order_t order = r->zone.loaded ? dns_serial_compare(serial, r->zone.serial)
	                                                : DNS_SERIAL_NEWER;

	/* Another copy of the serial that we hold may have been refused: it is ours all the same. */
	if (refused && order != DNS_SERIAL_EQUAL)
		return ROUND_REFUSED;
	switch (order) {
	case DNS_SERIAL_EQUAL:
		return resigned && !refused ? ROUND_RESIGNED : ROUND_SAME;
	case DNS_SERIAL_NEWER:
		return ROUND_NEWER;
	case DNS_SERIAL_OLDER:
		return ROUND_OLDER;
	case DNS_SERIAL_UNDEFINED:
		break;
	}
	return ROUND_UNDEFINED;
}

/* How much a seat's zone is wanted: 0: not at all. */
static uint32_t worth(const round_t *r, unsigned primary)
{
	const round_seat_t *s = &r->seats[primary];

	if (s->state != SEAT_SHOWN || r->zone.pinned)
		return 0;
	switch (s->verdict) {
	case ROUND_NEWER:
		return r->zone.loaded ? r->peers[primary].serial - r->zone.serial + 1 : 2;
	case ROUND_RESIGNED:
		return 2;
	case ROUND_SAME:
		return r->why == ROUND_RETRANSFER;
	case ROUND_OLDER:
	case ROUND_UNDEFINED:
		return r->zone.expired || r->why == ROUND_ACCEPT;
	case ROUND_REFUSED:
		break;
	}
	return 0;
}

/* The primary to fetch from, or ROUND_NO_SOURCE. What is merely better than an expired zone is not
 * better than one that was just confirmed. */
static unsigned best(const round_t *r)
{
	unsigned chosen = ROUND_NO_SOURCE;
	uint32_t most = r->confirmed && !forced(r) ? 1 : 0;

	for (unsigned i = 0; i < r->count; i++) {
		if (worth(r, i) > most) {
			most = worth(r, i);
			chosen = i;
		}
	}
	return chosen;
}

/* --- what to do ---------------------------------------------------------------------------- */

static bool any(const round_t *r, round_seat_state_t state)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (r->seats[i].state == state)
			return true;
	}
	return false;
}

static unsigned next_todo(const round_t *r)
{
	if (r->first != ROUND_NO_SOURCE && r->seats[r->first].state == SEAT_TODO)
		return r->first;
	for (unsigned i = 0; i < r->count; i++) {
		if (r->seats[i].state == SEAT_TODO)
			return i;
	}
	return ROUND_NO_SOURCE;
}

static bool may_delta(const round_t *r, unsigned primary, mono_t now)
{
	return r->zone.loaded && !forced(r) && r->zone.source == primary &&
	       r->seats[primary].verdict == ROUND_NEWER && !r->seats[primary].delta_failed &&
	       seconds(now) >= r->peers[primary].no_delta_until;
}

static round_step_t ask(round_t *r, unsigned primary, mono_t now)
{
	r->seats[primary].state = SEAT_ASKED;
	if (primary == r->first && r->ahead.ns == 0)
		r->ahead = mono_add_ms(now, ROUND_GATHER_MS);
	return (round_step_t){ .what = ROUND_ASK, .primary = primary };
}

static round_step_t fetch(round_t *r, unsigned primary, mono_t now)
{
	const round_step_t step = {
		.what = ROUND_FETCH,
		.primary = primary,
		.delta = may_delta(r, primary, now),
	};

	r->seats[primary].state = SEAT_FETCH;
	return step;
}

/* Nothing is held: whoever gives it first is good enough, and a question would only cost time,
 * unless it is about what was refused already. */
static round_step_t next_of_empty(round_t *r, mono_t now)
{
	unsigned from = best(r);

	if (from == ROUND_NO_SOURCE && (from = next_todo(r)) == ROUND_NO_SOURCE)
		return (round_step_t){ .what = any(r, SEAT_ASKED) ? ROUND_WAIT : ROUND_END };
	if (r->seats[from].state == SEAT_SHOWN || !r->peers[from].has_refused || forced(r))
		return fetch(r, from, now);
	return ask(r, from, now);
}

/* The sender of a NOTIFY is asked alone (RFC 1996 3.11) and, if it has what it says, nobody else; the
 * others are asked, too, when it does not answer soon. */
static bool only_first(const round_t *r, mono_t now)
{
	if (r->first == ROUND_NO_SOURCE)
		return false;
	const round_seat_t *s = &r->seats[r->first];

	return (s->state == SEAT_ASKED && mono_before(now, r->ahead)) ||
	       (s->state == SEAT_SHOWN && s->verdict == ROUND_NEWER);
}

/* Until when to wait for what is asked, though nothing comes. */
static mono_t patience(const round_t *r, bool chosen, bool alone)
{
	return alone ? r->ahead : chosen ? r->gather : (mono_t){ 0 };
}

round_step_t round_next(round_t *r, mono_t now)
{
	if (r->updated)
		return (round_step_t){ .what = ROUND_END };
	if (any(r, SEAT_FETCH))
		return (round_step_t){ .what = ROUND_WAIT };
	if (!r->zone.loaded)
		return next_of_empty(r, now);

	bool alone = only_first(r, now);
	unsigned todo = alone ? ROUND_NO_SOURCE : next_todo(r);
	if (todo != ROUND_NO_SOURCE)
		return ask(r, todo, now);
	unsigned from = best(r);
	bool awaited = any(r, SEAT_ASKED);
	bool gathered = r->gather.ns != 0 && !mono_before(now, r->gather);
	if (from != ROUND_NO_SOURCE && (!awaited || from == r->first || gathered))
		return fetch(r, from, now);
	if (!awaited)
		return (round_step_t){ .what = ROUND_END };
	return (round_step_t){
		.what = ROUND_WAIT,
		.until = patience(r, from != ROUND_NO_SOURCE,
		                  alone && next_todo(r) != ROUND_NO_SOURCE),
	};
}

/* --- what came of it ----------------------------------------------------------------------- */

static void remember(round_peer_t *p, uint32_t serial, mono_t now)
{
	if (p->has_refused && p->refused != serial)
		p->has_refused = false; /* it has moved on */
	p->serial = serial;
	p->shown = true;
	p->seen = seconds(now);
}

round_verdict_t round_shown(round_t *r, unsigned primary, uint32_t serial, bool resigned,
                            mono_t now)
{
	round_seat_t *s = &r->seats[primary];

	remember(&r->peers[primary], serial, now);
	s->state = SEAT_SHOWN;
	s->verdict = judge(r, &r->peers[primary], serial, resigned);
	r->confirmed = r->confirmed || s->verdict == ROUND_SAME || s->verdict == ROUND_RESIGNED ||
	               r->zone.pinned;
	if (r->gather.ns == 0 && worth(r, primary) > (forced(r) ? 0 : 1))
		r->gather = mono_add_ms(now, ROUND_GATHER_MS);
	return s->verdict;
}

void round_unreached(round_t *r, unsigned primary, bool of_the_way, unsigned addresses)
{
	round_seat_t *s = &r->seats[primary];

	s->state = of_the_way && ++s->tried < addresses ? SEAT_TODO : SEAT_FAILED;
}

/* The way on from a transfer that found no way: a zone that is asked for again at its next
 * address, or fetched from there if it was shown. */
static void other_way(const round_t *r, round_seat_t *s, unsigned addresses)
{
	if (++s->tried >= addresses)
		s->state = SEAT_FAILED;
	else
		s->state = r->zone.loaded ? SEAT_SHOWN : SEAT_TODO;
}

void round_fetched(round_t *r, unsigned primary, round_fetched_t got, uint32_t serial,
                   unsigned addresses, mono_t now)
{
	round_seat_t *s = &r->seats[primary];
	round_peer_t *p = &r->peers[primary];

	switch (got) {
	case ROUND_GOT:
		remember(p, serial, now);
		p->has_refused = false;
		s->state = SEAT_FAILED; /* no more of it */
		r->updated = true;
		return;
	case ROUND_GOT_NOTHING:
		(void)round_shown(r, primary, serial, false, now);
		if (s->verdict == ROUND_NEWER) /* it contradicts itself */
			s->state = SEAT_FAILED;
		return;
	case ROUND_GOT_NO_DELTA:
		s->state = SEAT_SHOWN;
		s->delta_failed = true;
		return;
	case ROUND_GOT_NO_WAY:
		other_way(r, s, addresses);
		return;
	case ROUND_GOT_REFUSED:
		remember(p, serial, now);
		p->refused = serial;
		p->has_refused = true;
		s->state = SEAT_FAILED;
		return;
	case ROUND_GOT_FAILURE:
		s->state = SEAT_FAILED;
		return;
	}
}

void round_forgo_delta(round_peer_t *p, bool unknown, mono_t now)
{
	unsigned shift = p->delta_failures < DELTA_BLOCK_SHIFTS ? p->delta_failures
	                                                        : DELTA_BLOCK_SHIFTS;
	uint32_t block = unknown ? DELTA_UNKNOWN_S : (uint32_t)DELTA_BLOCK_S << shift;

	p->no_delta_until = seconds(now) + block;
	if (p->delta_failures < DELTA_FAILURES_MAX)
		p->delta_failures++;
}

void round_gave(round_peer_t *p, uint32_t serial, bool delta, mono_t now)
{
	remember(p, serial, now);
	p->has_refused = false;
	if (delta)
		p->delta_failures = 0;
}

/* --- how it ended -------------------------------------------------------------------------- */

bool round_outrun(const round_peer_t *peers, unsigned count, uint32_t serial)
{
	for (unsigned i = 0; i < count; i++) {
		if (peers[i].shown &&
		    dns_serial_compare(peers[i].serial, serial) == DNS_SERIAL_NEWER)
			return true;
	}
	return false;
}

round_end_t round_end(const round_t *r)
{
	if (r->updated)
		return ROUND_ENDS_UPDATED;
	if (!r->confirmed)
		return ROUND_ENDS_FAILED;
	if (r->zone.pinned)
		return ROUND_ENDS_SAME;
	return round_outrun(r->peers, r->count, r->zone.serial) ? ROUND_ENDS_BEHIND
	                                                        : ROUND_ENDS_SAME;
}

const char *round_verdict_text(round_verdict_t v)
{
	static const char *const text[] = {
		[ROUND_SAME] = "current",        [ROUND_NEWER] = "newer",
		[ROUND_RESIGNED] = "resigned",   [ROUND_OLDER] = "older",
		[ROUND_UNDEFINED] = "undefined", [ROUND_REFUSED] = "refused",
	};

	return (size_t)v < ARRAY_LEN(text) ? text[v] : "?";
}
