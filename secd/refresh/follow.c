/* refresh/follow.c - a round: what round.h says is done, and what comes of it is told to round.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "refresh/terms.h"
#include "refresh/zone.h"

enum {
	AGAIN_MAX = 4,   /* ends of connections that leave a question unclear */
	PLAIN_S = 86400, /* without EDNS */
};

const conf_primary_t *seat_primary(const seat_t *s)
{
	return s->follow->zone->group->conf->primaries[s->index];
}

const dns_tsig_key_t *seat_key(const seat_t *s)
{
	const conf_key_t *key = seat_primary(s)->key;

	return key ? &s->follow->zone->group->r->keys->list[key->index] : NULL;
}

/* The address that the seat is at; one that is at its end has been at all of them, the last one last. */
static unsigned address_of(const seat_t *s)
{
	const round_seat_t *seat = &s->follow->round->seats[s->index];
	size_t count = seat_primary(s)->address_count;
	size_t tried = seat->tried < count ? seat->tried : count - 1;

	return (unsigned)((seat->from + tried) % count);
}

way_t *seat_way(const seat_t *s)
{
	return s->follow->zone->group->ways[s->index][address_of(s)];
}

static unsigned addresses(const seat_t *s)
{
	return (unsigned)seat_primary(s)->address_count;
}

static seat_found_t found_by(uint32_t sys_errno)
{
	switch (sys_errno) {
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ETIMEDOUT:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return SEAT_FOUND_NOBODY;
	case ECONNRESET:
	case EPIPE:
		return SEAT_FOUND_SOMEBODY;
	default:
		return SEAT_FOUND_NOTHING; /* no descriptor, no buffer, a rule of our own firewall */
	}
}

seat_found_t seat_found(const xfr_why_t *why)
{
	switch (why->code) {
	case XFR_WHY_NO_CONNECTION:
	case XFR_WHY_NO_ANSWER:
	case XFR_WHY_DOWN:
		return SEAT_FOUND_NOBODY;
	case XFR_WHY_ERRNO:
		return found_by(why->a);
	default:
		return SEAT_FOUND_SOMEBODY;
	}
}

static void wait_for(seat_t *s, way_kind_t kind)
{
	s->turn.stream = kind == WAY_TRANSFER || s->stream ||
	                 way_wants_stream(seat_way(s), clock_mono());
	way_wait(seat_way(s), &s->turn, kind, s->follow->zone->urgent);
}

/* The turn is over; whether the way is there is told to all who share it. */
static void turn_done(seat_t *s, const xfr_why_t *why)
{
	way_t *way = s->turn.way;
	const mono_t now = clock_mono(), since = way_breaker(way)->since;
	const seat_found_t found = seat_found(why);
	const bool good = found == SEAT_FOUND_SOMEBODY;

	if (found == SEAT_FOUND_NOTHING) {
		way_leave(&s->turn);
		return;
	}
	switch (way_done(&s->turn, good, now)) {
	case BREAKER_STAYS:
		break;
	case BREAKER_OPENS:
		way_set_probe(way, s->follow->zone);
		told_down(s, why);
		break;
	case BREAKER_CLOSES:
		told_up(s, since, now);
		ways_up(s->follow->zone->group->r, way);
		break;
	}
	if (!good) /* if the way should turn out to be down, it need not wait for RETRY */
		s->follow->zone->held_up = true;
}

/* --- questions ----------------------------------------------------------------------------- */

void seat_remember(seat_t *s, const xfr_why_t *why)
{
	round_peer_t *p = &s->follow->zone->peers[s->index];
	unsigned address = address_of(s);

	p->why = *why;
	p->address = (uint8_t)(address < UINT8_MAX ? address : UINT8_MAX);
	if (why->code != XFR_WHY_NONE)
		p->failed_at = (uint32_t)(clock_mono().ns / NS_PER_S);
}

static void poll_failed(seat_t *s, const xfr_why_t *why)
{
	follow_t *f = s->follow;
	bool of_the_way = xfr_why_kind(why) == XFR_WHY_OF_WAY;

	seat_remember(s, why);
	if (why->code != XFR_WHY_DOWN) /* else nobody was asked */
		f->zone->group->r->counts.polls[REFRESH_POLL_FAILED]++;
	told_poll_failed(s, why);
	s->stream = s->deaf = false;
	round_unreached(f->round, s->index, of_the_way, addresses(s));
	follow_step(f);
}

/* Where UDP is dropped on the way, TCP may do. Not when the whole address is down. */
static bool try_stream(seat_t *s, const xfr_poll_result_t *res)
{
	if (res->why.code != XFR_WHY_NO_ANSWER || s->stream || way_breaker(seat_way(s))->open)
		return false;
	s->stream = s->deaf = true;
	return true;
}

/* A primary that did not know EDNS is asked without for a day; it may be another program by then. */
static bool is_plain(const seat_t *s)
{
	return s->follow->zone->peers[s->index].plain_until >
	       (uint32_t)(clock_mono().ns / NS_PER_S);
}

static void set_plain(const seat_t *s, bool plain)
{
	if (plain != is_plain(s))
		s->follow->zone->peers[s->index].plain_until =
			plain ? (uint32_t)(clock_mono().ns / NS_PER_S) + PLAIN_S : 0;
}

/* The connection ended, maybe for another question: once more, alone? */
static bool bear(seat_t *s, const xfr_ask_end_t *end)
{
	way_ended(s->turn.way, end, clock_mono());
	s->turn.alone = true;
	return ++s->again <= AGAIN_MAX;
}

/* The same question once more; false: it was asked often enough. */
static bool ask_again(seat_t *s, const xfr_poll_result_t *res)
{
	switch (res->next) {
	case XFR_POLL_DONE:
		return false;
	case XFR_POLL_STREAM:
		if (s->stream)
			return false;
		s->stream = true;
		return true;
	case XFR_POLL_AGAIN:
		return bear(s, &res->end);
	}
	return false;
}

void seat_vouch(seat_t *s, bool has_expire, uint32_t expire)
{
	const uint32_t most = s->follow->zone->clock.expire;
	refresh_check_t *check = &s->follow->check;
	const refresh_check_t said = {
		.at = clock_mono(),
		.has_expire = true,
		.expire = has_expire && expire < most ? expire : most,
	};

	if (!check->has_expire ||
	    !mono_before(mono_add_s(said.at, said.expire), mono_add_s(check->at, check->expire)))
		*check = said;
}

static refresh_poll_t poll_of(round_verdict_t verdict)
{
	switch (verdict) {
	case ROUND_SAME:
		return REFRESH_POLL_CURRENT;
	case ROUND_NEWER:
	case ROUND_RESIGNED:
		return REFRESH_POLL_NEWER;
	case ROUND_OLDER:
	case ROUND_UNDEFINED:
	case ROUND_REFUSED:
		break;
	}
	return REFRESH_POLL_REFUSED;
}

static void take_soa(seat_t *s, const xfr_soa_answer_t *answer)
{
	follow_t *f = s->follow;
	zone_t *z = f->zone;
	bool resigned = z->group->conf->policy.signature_check && z->source == s->index &&
	                answer->mark != 0 && answer->mark != publish_mark(z);
	round_verdict_t verdict =
		round_shown(f->round, s->index, answer->soa.serial, resigned, clock_mono());

	seat_remember(s, &(xfr_why_t){ 0 });
	z->group->r->counts.polls[poll_of(verdict)]++;
	told_poll(s, verdict, answer->soa.serial);
	if (verdict == ROUND_SAME || verdict == ROUND_RESIGNED || f->round->zone.pinned)
		seat_vouch(s, answer->has_expire, answer->expire);
	if ((verdict == ROUND_SAME || f->round->zone.pinned) && z->clock.expired)
		publish_revived(f);
	follow_step(f);
}

static void on_polled(void *arg, const xfr_poll_result_t *res)
{
	seat_t *s = arg;
	const xfr_why_t *why = &res->why;
	bool of_the_way = xfr_why_kind(why) == XFR_WHY_OF_WAY;

	s->poll = NULL;
	set_plain(s, res->plain);
	if (ask_again(s, res)) {
		way_leave(&s->turn);
		wait_for(s, WAY_QUERY);
		return;
	}
	turn_done(s, why);
	if (try_stream(s, res)) {
		wait_for(s, WAY_QUERY);
		return;
	}
	if (s->deaf && !of_the_way)
		way_udp_is_dead(seat_way(s), clock_mono());
	if (why->code != XFR_WHY_NONE) {
		poll_failed(s, why);
	} else if (res->answer.has_expire && res->answer.expire <= 1) {
		const xfr_why_t expired = xfr_why(XFR_WHY_EXPIRED, res->answer.expire, 0);

		poll_failed(s, &expired); /* it has nothing to vouch for (RFC 7314 4) */
	} else {
		take_soa(s, &res->answer);
	}
}

static void begin_poll(seat_t *s)
{
	zone_t *z = s->follow->zone;
	way_t *way = s->turn.way;
	dns_name_t apex;
	const xfr_poll_spec_t spec = {
		.peer = way_peer(way),
		.deadlines = way_deadlines(way),
		.apex = &apex,
		.link = way_link(&s->turn),
		.plain = is_plain(s),
		.dnssec = z->group->conf->policy.signature_check,
		.key = seat_key(s),
	};

	dns_name_from_wire(z->conf->apex, &apex);
	errno = 0;
	s->poll = xfr_poll_start(z->group->r->loop, &spec, on_polled, s);
	if (s->poll)
		return;
	/* No socket of this family, or none at all: another way may do. */
	const xfr_why_t why = errno ? xfr_why(XFR_WHY_ERRNO, (uint32_t)errno, 0)
	                            : xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
	way_leave(&s->turn);
	poll_failed(s, &why);
}

/* --- transfers ----------------------------------------------------------------------------- */

static void on_fetched(void *arg, xfr_result_t *result)
{
	seat_t *s = arg;
	const bool was_plain = is_plain(s);

	s->fetch = NULL;
	set_plain(s, result->plain);
	if (result->again && (was_plain != result->plain || bear(s, &result->end))) {
		way_leave(&s->turn);
		wait_for(s, WAY_TRANSFER);
		return;
	}
	turn_done(s, &result->why);
	publish_fetched(s, result);
}

/* Records that a new version is measured against: none, where what is held has expired. */
static uint64_t held_by(const zone_t *z)
{
	const zone_version_t *held = zone_slot_version(z->slot);

	return held && !z->clock.expired ? zone_version_records(held) : 0;
}

static void begin_fetch(seat_t *s)
{
	zone_t *z = s->follow->zone;
	way_t *way = s->turn.way;
	const conf_policy_t *p = &z->group->conf->policy;
	dns_name_t apex;
	const xfr_fetch_spec_t spec = {
		.deadlines = *way_deadlines(way),
		.link = way_link(&s->turn),
		.apex = &apex,
		.limits = { p->max_records, p->max_size, p->max_rrset, p->max_rrsets },
		.gates = s->follow->round->why == ROUND_ACCEPT ? terms_accepted(&p->gates)
		                                               : terms_gates(&p->gates),
		.held = held_by(z),
		.base = s->delta ? zone_slot_version(z->slot) : NULL,
		.plain = is_plain(s),
		.key = seat_key(s),
		.strict = seat_primary(s)->tsig_strict,
		.state = keep_state(z->group->r->keep),
	};
	xfr_result_t failed = { .why = xfr_why(XFR_WHY_NO_MEMORY, 0, 0) };

	dns_name_from_wire(z->conf->apex, &apex);
	if (spec.link)
		s->fetch = xfr_fetch_start(z->group->r->env, &spec, on_fetched, s);
	if (s->fetch) {
		s->begun = clock_mono();
		told_begun(s);
		return;
	}
	way_leave(&s->turn);
	publish_fetched(s, &failed);
}

/* --- steps --------------------------------------------------------------------------------- */

/* The way is down, as all know who share it. */
static void turned_away(seat_t *s)
{
	const xfr_why_t why = xfr_why(XFR_WHY_DOWN, 0, 0);
	follow_t *f = s->follow;

	f->zone->held_up = true;
	way_set_probe(seat_way(s), f->zone);
	if (s->turn.kind == WAY_QUERY) {
		poll_failed(s, &why);
		return;
	}
	publish_fetched(s, &(xfr_result_t){ .why = why });
}

static void take_turn(way_turn_t *turn, way_verdict_t verdict)
{
	seat_t *s = (seat_t *)(void *)((char *)turn - offsetof(seat_t, turn));

	if (verdict == WAY_DOWN)
		turned_away(s);
	else if (turn->kind == WAY_QUERY)
		begin_poll(s);
	else
		begin_fetch(s);
}

/* What NOTIFY told of has not come: another round may bring it. But one that came meanwhile tells of
 * something else, unless this round has failed. */
static void hand_back(const follow_t *f)
{
	zone_t *z = f->zone;

	if (f->notified != 0 && (z->timer.extra == 0 || z->clock.failures > 0))
		z->timer.extra = f->notified;
}

static void end(follow_t *f)
{
	zone_t *z = f->zone;

	publish_round_end(f);
	hand_back(f);
	follow_stop(f);
	refresh_rested(z);
}

void follow_step(follow_t *f)
{
	for (;;) {
		round_step_t step = round_next(f->round, clock_mono());
		seat_t *s = &f->seats[step.primary];

		switch (step.what) {
		case ROUND_ASK:
			wait_for(s, WAY_QUERY);
			break;
		case ROUND_FETCH:
			s->delta = step.delta;
			s->again = 0;
			s->turn.alone = false;
			wait_for(s, WAY_TRANSFER);
			break;
		case ROUND_WAIT:
			f->until = step.until;
			refresh_set_timer(f->zone);
			return;
		case ROUND_END:
			end(f);
			return;
		}
	}
}

status_t follow_begin(zone_t *z)
{
	const unsigned count = (unsigned)z->group->conf->primary_count;
	const size_t seats = sizeof(follow_t) + count * sizeof(seat_t);
	const round_zone_t zone = {
		.loaded = z->clock.loaded,
		.expired = z->clock.expired,
		.pinned = z->pinned,
		.serial = z->clock.serial,
		.source = z->source,
	};
	follow_t *f = calloc(1, seats + round_size(count));

	if (!f)
		return ST_NOMEM;
	f->zone = z;
	f->round = (round_t *)(void *)((char *)f + seats);
	for (unsigned i = 0; i < count; i++) {
		f->seats[i].follow = f;
		f->seats[i].index = (uint16_t)i;
		f->seats[i].turn.take = take_turn;
	}
	round_begin(f->round, z->why, &zone, z->peers, count, z->first_primary, z->first_address);
	f->notified = z->timer.extra;
	z->timer.extra = 0;
	z->held_up = false;
	z->follow = f;
	return ST_OK;
}

void follow_stop(follow_t *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < f->round->count; i++) {
		seat_t *s = &f->seats[i];

		if (s->poll)
			xfr_poll_stop(s->poll);
		if (s->fetch)
			xfr_fetch_stop(s->fetch);
		way_leave(&s->turn);
	}
	publish_give_up(f->saving);
	f->zone->follow = NULL;
	free(f);
}
