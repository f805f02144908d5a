/* refresh/publish.c - from a transfer's result to what is served, and from a round to the timers. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/wire.h"
#include "refresh/pin.h"
#include "refresh/zone.h"
#include "xfr/soa_answer.h"
#include "zone/advice.h"

static const conf_policy_t *policy(const zone_t *z)
{
	return &z->group->conf->policy;
}

uint64_t publish_mark(const zone_t *z)
{
	const zone_version_t *v = zone_slot_version(z->slot);
	zone_rrset_t soa;
	uint64_t mark = 0;

	if (!v || !zone_node_rrset(v, zone_version_apex(v), DNS_TYPE_SOA, &soa))
		return 0;
	buf_t at = buf_over(soa.wire + soa.wire_len, soa.sig_len);
	while (buf_left(&at) > 0) {
		(void)buf_take(&at, 2 + DNS_RR_FIXED - 2); /* owner, type, class, TTL */
		size_t len = buf_u16(&at);
		const uint8_t *rdata = buf_take(&at, len);

		if (rdata && len >= XFR_RRSIG_FIXED)
			mark += xfr_soa_mark(rdata);
	}
	return mark;
}

/* --- transfers ----------------------------------------------------------------------------- */

/* The SOA that came may be other than the one that was shown. */
static xfr_why_code_t takes(const seat_t *s, uint32_t serial)
{
	const zone_t *z = s->follow->zone;
	const round_t *r = s->follow->round;

	if (!z->clock.loaded || z->clock.expired || r->why == ROUND_ACCEPT)
		return XFR_WHY_NONE;
	switch (dns_serial_compare(serial, z->clock.serial)) {
	case DNS_SERIAL_NEWER:
		return XFR_WHY_NONE;
	case DNS_SERIAL_EQUAL:
		return r->why == ROUND_RETRANSFER || r->seats[s->index].verdict == ROUND_RESIGNED
		               ? XFR_WHY_NONE
		               : XFR_WHY_SERIAL_SAME;
	case DNS_SERIAL_OLDER:
		return XFR_WHY_SERIAL_OLDER;
	case DNS_SERIAL_UNDEFINED:
		break;
	}
	return XFR_WHY_SERIAL_UNDEFINED;
}

/* What speaks against serving a version that is sound in itself. */
static xfr_why_t objection(const seat_t *s, const xfr_result_t *res)
{
	xfr_why_code_t code = takes(s, res->soa.serial);

	if (code != XFR_WHY_NONE)
		return xfr_why(code, res->soa.serial, s->follow->zone->clock.serial);
	if (res->has_expire && res->expire <= 1) /* RFC 7314 4 */
		return xfr_why(XFR_WHY_EXPIRED, res->expire, 0);
	return (xfr_why_t){ 0 };
}

/* What came of the seat's transfer, for the sums. One that never began is none. */
static void count(const seat_t *s, const xfr_result_t *res, refresh_kind_t kind, refresh_end_t end)
{
	refresh_counts_t *c = &s->follow->zone->group->r->counts;

	if (res->why.code == XFR_WHY_DOWN)
		return;
	c->transfers[kind][end]++;
	c->octets[kind] += res->bytes;
}

static refresh_kind_t kind_asked(const seat_t *s)
{
	return s->delta ? REFRESH_KIND_IXFR : REFRESH_KIND_AXFR;
}

static refresh_kind_t kind_of(const xfr_result_t *res)
{
	switch (res->outcome) {
	case XFR_WHOLE:
		return REFRESH_KIND_WHOLE;
	case XFR_DIFFERENCE:
	case XFR_CURRENT:
		return REFRESH_KIND_IXFR;
	case XFR_AXFR:
	case XFR_FAILED:
		break;
	}
	return REFRESH_KIND_AXFR;
}

static round_fetched_t failed(seat_t *s, const xfr_result_t *res)
{
	const xfr_why_kind_t kind = xfr_why_kind(&res->why);
	bool unknown = res->why.code == XFR_WHY_RCODE &&
	               (res->why.a == DNS_RCODE_NOTIMP || res->why.a == DNS_RCODE_FORMERR);

	if (s->delta &&
	    seat_found(&res->why) == SEAT_FOUND_SOMEBODY) { /* whatever it was, all of it may do */
		count(s, res, REFRESH_KIND_IXFR, REFRESH_END_FALLBACK);
		told_fallback(s, res);
		round_forgo_delta(&s->follow->zone->peers[s->index], unknown, clock_mono());
		return ROUND_GOT_NO_DELTA;
	}
	seat_remember(s, &res->why);
	count(s, res, kind_asked(s),
	      kind == XFR_WHY_OF_GATE ? REFRESH_END_REFUSED : REFRESH_END_FAILED);
	told_fetch_failed(s, res);
	if (kind == XFR_WHY_OF_GATE)
		return ROUND_GOT_REFUSED;
	return kind == XFR_WHY_OF_WAY ? ROUND_GOT_NO_WAY : ROUND_GOT_FAILURE;
}

/* IXFR says that there is nothing newer. */
static round_fetched_t current(seat_t *s, xfr_result_t *res)
{
	if (res->has_expire && res->expire <= 1) {
		res->why = xfr_why(XFR_WHY_EXPIRED, res->expire, 0);
		seat_remember(s, &res->why);
		count(s, res, REFRESH_KIND_IXFR, REFRESH_END_FAILED);
		told_fetch_failed(s, res);
		return ROUND_GOT_FAILURE;
	}
	seat_remember(s, &(xfr_why_t){ 0 });
	count(s, res, REFRESH_KIND_IXFR, REFRESH_END_CURRENT);
	if (res->soa.serial == s->follow->zone->clock.serial)
		seat_vouch(s, res->has_expire, res->expire);
	return ROUND_GOT_NOTHING;
}

/* A version from its verdict until it is served: on its way to the disk, or straight on. */
struct publish_saving {
	seat_t *seat;
	xfr_result_t result;
	refresh_clock_t clock; /* the zone's, once it is served: EXPIRE begins when it had come */
	bool accepted;
	mono_t deadline; /* nobody waits longer for a disk */
	keep_note_t *note;
};

enum { DISK_PATIENCE_S = 5 };

static void free_result(xfr_result_t *res)
{
	zone_version_free(res->version);
	state_draft_free(res->draft);
	if (res->base)
		zone_version_unclaim(res->base);
	res->version = NULL;
	res->draft = NULL;
	res->base = NULL;
}

static void take_over(const publish_saving_t *p, zone_t *z)
{
	const xfr_result_t *res = &p->result;

	z->clock = p->clock;
	z->source = p->seat->index;
	z->accepted = p->accepted;
	z->loaded_at = p->clock.checked;
	zone_note_transfer(z, res->bytes, (uint32_t)(res->seconds * 1000));
	z->how = res->outcome & 7;
	z->edition++;
	keep_sure(z->group->r->keep, z);
}

/* What a NOTIFY told of is served. */
static void note_delay(follow_t *f)
{
	if (f->notified == 0)
		return;
	refresh_delays_note(&f->zone->group->r->counts.served,
	                    (uint32_t)(clock_mono().ns / NS_PER_MS) - f->notified);
	f->notified = 0;
}

static void serve(publish_saving_t *p)
{
	seat_t *s = p->seat;
	zone_t *z = s->follow->zone;
	xfr_result_t *res = &p->result;
	const bool was_expired = z->clock.expired;
	const zone_version_t *held = zone_slot_version(z->slot);
	const uint8_t advice = held ? zone_advice_of(held) : 0; /* which was told, if ever */

	zone_set_expires(z->slot, p->clock.expires); /* who sees the version sees its time */
	/* Cannot be stale: nobody but this round publishes the zone. */
	if (zone_set_publish(z->group->r->set, z->slot, res->version, res->base) != ST_OK) {
		free_result(res);
		return;
	}
	take_over(p, z);
	count(s, res, kind_of(res), REFRESH_END_INSTALLED);
	note_delay(s->follow);
	told_installed(s, res);
	told_faults(z, res);
	told_advice(z, advice, res->advice);
	if (was_expired)
		told_fresh(z, "a new version came");
	res->version = NULL; /* the set's */
	free_result(res);
	refresh_retired(z->group->r);
}

/* The round goes on. */
static void finish(seat_t *s, round_fetched_t got, uint32_t serial)
{
	follow_t *f = s->follow;

	round_fetched(f->round, s->index, got, serial, (unsigned)seat_primary(s)->address_count,
	              clock_mono());
	if (got == ROUND_GOT_NOTHING)
		told_poll(s, f->round->seats[s->index].verdict, serial);
	follow_step(f);
}

static void serve_and_finish(publish_saving_t *p, bool saved)
{
	seat_t *s = p->seat;
	zone_t *z = s->follow->zone;
	const uint32_t serial = p->result.soa.serial;

	s->follow->saving = NULL;
	serve(p);
	free(p);
	if (z->group->r->keep && saved)
		keep_saved(z->group->r->keep, z);
	else if (z->group->r->keep)
		keep_unsaved(z->group->r->keep, z);
	finish(s, ROUND_GOT, serial);
}

void publish_saved(publish_saving_t *p, zone_t *z, bool saved, uint16_t edition)
{
	if (p)
		serve_and_finish(p, saved);
	else if (!saved && z->edition == (uint16_t)(edition + 1))
		keep_unsaved(z->group->r->keep, z); /* relaxed: it is served already */
}

mono_t publish_deadline(const publish_saving_t *p)
{
	return p->deadline;
}

void publish_overdue(publish_saving_t *p)
{
	keep_t *keep = p->seat->follow->zone->group->r->keep;

	keep_forget(p->note);
	keep_slow(keep, DISK_PATIENCE_S);
	serve_and_finish(p, false);
}

void publish_early(publish_saving_t *p)
{
	keep_early(p->note);
	serve_and_finish(p, true);
}

void publish_give_up(publish_saving_t *p)
{
	if (!p)
		return;
	keep_forget(p->note);
	free_result(&p->result);
	free(p);
}

/* On the disk first, if it takes it, with what is known of its primary; then it is served. */
static void install(seat_t *s, xfr_result_t *res)
{
	zone_t *z = s->follow->zone;
	keep_t *keep = z->group->r->keep;
	publish_saving_t *p = malloc(sizeof *p);

	if (!p) { /* as if it had not come */
		free_result(res);
		res->why = xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
		finish(s, failed(s, res), 0);
		return;
	}
	*p = (publish_saving_t){
		.seat = s,
		.result = *res,
		.clock = z->clock,
		.accepted = s->follow->round->why == ROUND_ACCEPT,
		.deadline = mono_add_s(clock_mono(), DISK_PATIENCE_S),
	};
	refresh_clock_loaded(&p->clock, &res->soa, policy(z), res->has_expire ? &res->expire : NULL,
	                     clock_mono(), refresh_spread(z));
	seat_remember(s, &(xfr_why_t){ 0 });
	round_gave(&z->peers[s->index], res->soa.serial, res->outcome == XFR_DIFFERENCE,
	           clock_mono());
	const keep_facts_t facts = {
		.clock = &p->clock,
		.source = s->index,
		.accepted = p->accepted,
		.how = told_how(res->outcome),
		.octets = res->bytes,
		.ms = (uint32_t)(res->seconds * 1000),
		.loaded_at = p->clock.checked,
	};
	const bool waits = keep && !keep_is_relaxed(keep);
	if (keep)
		p->note = keep_version(keep, z, p->result.draft, res->soa.serial, &facts,
		                       waits ? p : NULL);
	p->result.draft = NULL; /* the keep's */
	if (p->note && waits) {
		s->follow->saving = p;
		refresh_set_timer(z);
	} else {
		serve_and_finish(p, p->note != NULL);
	}
}

static bool is_version(const xfr_result_t *res)
{
	switch (res->outcome) {
	case XFR_FAILED:
	case XFR_CURRENT:
		return false;
	case XFR_AXFR:
	case XFR_WHOLE:
	case XFR_DIFFERENCE:
		break;
	}
	return true;
}

void publish_fetched(seat_t *s, xfr_result_t *res)
{
	if (!is_version(res)) {
		const round_fetched_t got = res->outcome == XFR_CURRENT ? current(s, res)
		                                                        : failed(s, res);

		finish(s, got, res->soa.serial);
		return;
	}
	res->why = objection(s, res);
	if (res->why.code == XFR_WHY_NONE) {
		install(s, res);
		return;
	}
	free_result(res);
	finish(s, failed(s, res), res->soa.serial);
}

/* --- rounds -------------------------------------------------------------------------------- */

static void confirmed(follow_t *f, bool behind, mono_t now)
{
	zone_t *z = f->zone;
	const bool was_expired = z->clock.expired;

	f->check.outrun = behind;
	if (refresh_clock_current(&z->clock, &f->check, policy(z), now, refresh_spread(z)))
		told_current(z);
	else
		told_stale(z);
	if (behind)
		refresh_clock_hurry(&z->clock, now, refresh_spread(z));
	keep_sure(z->group->r->keep, z);
	keep_touch(z->group->r->keep, z);
	zone_set_expires(z->slot, z->clock.expires);
	if (was_expired && !z->clock.expired) {
		zone_set_expire(z->slot, false);
		told_fresh(z, "a primary confirmed it");
	}
}

void publish_revived(follow_t *f)
{
	const zone_t *z = f->zone;
	const bool behind = !f->round->zone.pinned &&
	                    round_outrun(f->round->peers, f->round->count, z->clock.serial);

	confirmed(f, behind, clock_mono());
}

void publish_round_end(follow_t *f)
{
	zone_t *z = f->zone;
	const mono_t now = clock_mono();

	switch (round_end(f->round)) {
	case ROUND_ENDS_UPDATED:
		if (!f->round->zone.loaded && f->round->count > 1)
			z->clock.due = now; /* it came from the first; others may have more */
		else if (round_outrun(f->round->peers, f->round->count, z->clock.serial))
			refresh_clock_hurry(&z->clock, now, refresh_spread(z));
		return;
	case ROUND_ENDS_SAME:
	case ROUND_ENDS_BEHIND:
		confirmed(f, round_end(f->round) == ROUND_ENDS_BEHIND, now);
		return;
	case ROUND_ENDS_FAILED:
		if (round_outrun(f->round->peers, f->round->count, z->clock.serial))
			refresh_clock_missed(&z->clock, policy(z), now, refresh_spread(z));
		else
			refresh_clock_failed(&z->clock, now, refresh_spread(z));
		keep_touch(z->group->r->keep, z);
		told_unrefreshed(z);
		return;
	}
}

/* --- EXPIRE -------------------------------------------------------------------------------- */

static const uint8_t warn_at[] = { 50, 75, 90 }; /* percent of EXPIRE */

/* Is nothing to be hoped for at that time? A zone whose rounds succeed is asked in time, whatever share of
 * EXPIRE its REFRESH is. */
static bool is_in_danger(const zone_t *z, mono_t at)
{
	return z->clock.loaded && !z->clock.expired && !z->unexpiring &&
	       (z->clock.failures > 0 || mono_before(z->clock.due, at));
}

static void warn(zone_t *z, mono_t now)
{
	const unsigned used = refresh_clock_used(&z->clock, now);
	unsigned percent = 0;

	for (; z->warned < ARRAY_LEN(warn_at) && used >= warn_at[z->warned]; z->warned++) {
		if (is_in_danger(z, refresh_clock_used_at(&z->clock, warn_at[z->warned])))
			percent = warn_at[z->warned];
	}
	if (percent > 0)
		told_expiring(z, percent);
}

mono_t publish_next_warning(zone_t *z)
{
	const unsigned used = refresh_clock_used(&z->clock, clock_mono());

	while (z->warned > 0 && used < warn_at[z->warned - 1])
		z->warned--; /* EXPIRE has begun anew */
	if (z->warned == ARRAY_LEN(warn_at))
		return (mono_t){ INT64_MAX };
	const mono_t at = refresh_clock_used_at(&z->clock, warn_at[z->warned]);
	return is_in_danger(z, at) ? at : (mono_t){ INT64_MAX };
}

void publish_tick(zone_t *z, mono_t now)
{
	/* A round that waits for one primary must not let the word of another go unheard. */
	if (z->follow && z->follow->check.has_expire && !z->clock.expired &&
	    !mono_before(now, z->clock.expires))
		publish_revived(z->follow);
	pin_outlive(z, now);
	warn(z, now);
	if (!refresh_clock_tick(&z->clock, now))
		return;
	zone_set_expire(z->slot, true);
	keep_touch(z->group->r->keep, z);
	z->group->r->counts.expired++;
	told_expired(z);
}
