/* refresh/restore.c - what the state knows of a zone beside its records, as of now: put back at a start,
 * and set right when the time of day is known. */
#include <string.h>

#include "common/log.h"
#include "refresh/keeping.h"
#include "refresh/zone.h"

enum {
	SETTLE_S = 5, /* until the wall clock is looked at again */
	/* In z->unsure: of a boot that is not in the list. Only a check can make it sure. */
	UNSURE_ALONE = STATE_BOOTS_MAX + 1,
};
_Static_assert(UNSURE_ALONE <= 15, "z->unsure has four bits");

static uint32_t seconds_of(mono_t t)
{
	const int64_t s = t.ns / NS_PER_S;

	return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

unsigned keep_primary_named(const zone_t *z, const char *name)
{
	const conf_group_t *g = z->group->conf;

	for (unsigned i = 0; i < g->primary_count; i++) {
		if (strcmp(g->primaries[i]->name, name) == 0)
			return i;
	}
	return ROUND_NO_SOURCE;
}

/* Times of another boot, or of this one, as those of now. */
typedef struct shift {
	state_boot_t boot;
	int64_t gap;
	mono_t now;
} shift_t;

static mono_t shifted(const shift_t *s, mono_t then)
{
	return state_times_now(&s->boot, s->gap, then, s->now);
}

static void restore_peer(zone_t *z, const state_peer_t *from, const shift_t *s)
{
	const unsigned i = keep_primary_named(z, from->name.text);
	round_peer_t *p = i != ROUND_NO_SOURCE ? &z->peers[i] : NULL;

	if (!p)
		return;
	p->serial = from->serial;
	p->refused = from->refused;
	p->shown = from->shown;
	p->has_refused = from->has_refused;
	p->delta_failures = from->delta_failures;
	p->address = from->address;
	p->seen = seconds_of(shifted(s, from->seen));
	p->failed_at = seconds_of(shifted(s, from->failed_at));
	p->no_delta_until = seconds_of(shifted(s, from->no_delta_until));
	p->plain_until = seconds_of(shifted(s, from->plain_until));
	p->why = (xfr_why_t){
		.code = (uint16_t)xfr_why_named(from->why.text),
		.type = from->why_type,
		.a = from->why_a,
		.b = from->why_b,
	};
}

/* Of a boot that is known, or else of this zone's moment alone: whether it can be told how long ago. */
static bool shift_of(const keep_t *k, const keep_times_t *t, const state_clocks_t *c, shift_t *out)
{
	const state_times_t *times = state_times(k->state);
	const unsigned boot = state_times_boot(times, c->at.boot);

	*out = (shift_t){ .now = t->now.mono };
	if (boot == 0) {
		out->boot = state_boot_at(&c->at);
		return state_boot_gap(&out->boot, &t->now, &out->gap);
	}
	out->boot = times->boots[boot - 1];
	out->gap = t->gap[boot];
	return t->sure[boot];
}

void keep_restore(keep_t *k, const keep_times_t *t, zone_t *z, const state_clocks_t *c,
                  const zone_version_t *v, uint32_t overdue_ms)
{
	const unsigned boot = state_times_boot(state_times(k->state), c->at.boot);
	shift_t s;
	const bool sure = shift_of(k, t, c, &s);

	if (!sure) /* what has passed since the start has passed in any case, though it comes back late */
		s.now = k->woke;
	const refresh_kept_t kept = {
		.expired = c->expired,
		.failures = c->failures,
		.checked = shifted(&s, c->checked),
		.expires = shifted(&s, c->expires),
		.outrun = shifted(&s, c->outrun),
	};

	refresh_clock_restored(&z->clock, zone_version_soa(v), &kept, &z->group->conf->policy,
	                       clock_mono(), refresh_spread(z), overdue_ms);
	z->source = (uint16_t)keep_primary_named(z, c->source.text);
	z->accepted = c->accepted;
	z->pinned = c->pinned;
	z->unexpiring = c->pinned && c->unexpiring;
	z->pinned_at = c->pinned_at;
	z->loaded_at = seconds_of(shifted(&s, c->loaded_at));
	zone_note_transfer(z, c->octets, c->ms);
	z->how = told_named(c->how.text) & 7;
	for (size_t i = 0; i < c->peer_count; i++)
		restore_peer(z, &c->peers[i], &s);
	if (!sure) {
		z->unsure = (boot != 0 ? boot : UNSURE_ALONE) & 15;
		k->unsure++;
	}
}

void keep_times_now(const keep_t *k, keep_times_t *out)
{
	const state_times_t *times = state_times(k->state);

	*out = (keep_times_t){ .now = keep_now(k) };
	for (unsigned i = 1; i <= times->count; i++)
		out->sure[i] = state_boot_gap(&times->boots[i - 1], &out->now, &out->gap[i]);
}

void keep_times_look(keep_t *k, keep_times_t *out)
{
	keep_times_now(k, out);
	k->woke = out->now.mono;
}

/* --- times that could not be told --------------------------------------------------------------- */

static void tell_unsure(const keep_t *k)
{
	if (k->unsure == 0)
		return;
	log_warn("state clock-unsure zones=%zu why=\"%s\" "
	         "served=\"as if no time had passed since secd ran last\"",
	         k->unsure,
	         clock_is_synced() ? "the wall clock was not known to be right when secd ran last, "
	                             "or it went back"
	                           : "the kernel does not take the wall clock for right (yet)");
}

static void is_sure(keep_t *k, zone_t *z)
{
	k->unsure -= z->unsure != 0;
	z->unsure = 0;
}

void keep_sure(keep_t *k, zone_t *z)
{
	if (!k)
		return;
	is_sure(k, z);
	if (z->doubtful) {
		z->doubtful = false;
		if (--k->doubtful == 0 && k->loaded)
			state_healed(k->state);
	}
}

/* A time of before the start; 0: never. */
static void age(const keep_t *k, uint32_t *s, int64_t gap)
{
	const mono_t then = { (int64_t)*s * NS_PER_S };

	if (*s != 0 && mono_before(then, k->woke))
		*s = seconds_of((mono_t){ then.ns - gap });
}

static void settle_zone(keep_t *k, zone_t *z, int64_t gap)
{
	is_sure(k, z);
	z->clock.expires.ns -= gap;
	age(k, &z->clock.checked, gap);
	age(k, &z->loaded_at, gap);
	for (size_t i = 0; i < z->group->conf->primary_count; i++) {
		age(k, &z->peers[i].seen, gap);
		age(k, &z->peers[i].failed_at, gap);
	}
	zone_set_expires(z->slot, z->clock.expires);
	keep_touch(k, z);
	refresh_set_timer(z);
}

/* Is the wall clock right by now? Then it is known how long the machine was down. */
static void on_settle(struct ev_loop *loop, ev_timer *w, int revents)
{
	keep_t *k = w->data;
	const state_times_t *times = state_times(k->state);
	const state_instant_t now = keep_now(k);
	size_t settled = 0;

	(void)revents;
	for (unsigned boot = 1; boot <= times->count; boot++) {
		int64_t gap;

		if (!state_boot_gap(&times->boots[boot - 1], &now, &gap))
			continue;
		/* Since the start time has counted. */
		gap -= now.mono.ns - k->woke.ns;
		for (size_t i = 0; i < k->r->zone_count; i++) {
			if (k->r->zones[i]->unsure == boot) {
				settle_zone(k, k->r->zones[i], gap > 0 ? gap : 0);
				settled++;
			}
		}
	}
	if (settled > 0)
		log_notice("state clock-settled zones=%zu", settled);
	if (k->unsure == 0)
		ev_timer_stop(loop, w);
}

void keep_settle(keep_t *k)
{
	tell_unsure(k);
	if (k->unsure == 0)
		return;
	ev_timer_set(&k->settle, SETTLE_S, SETTLE_S);
	ev_timer_start(k->loop, &k->settle);
}

void keep_settle_init(keep_t *k)
{
	ev_init(&k->settle, on_settle);
	k->settle.data = k;
}
