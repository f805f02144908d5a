/* refresh/refresh.c - when: timers, NOTIFY, operators, and who of those that are due begins. */
#include "refresh/refresh.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/siphash.h"
#include "refresh/pin.h"
#include "refresh/plan.h"
#include "refresh/report.h"
#include "refresh/zone.h"

enum {
	SWEEP_EVERY = 4,        /* so often the sweep goes before NOTIFY */
	NOTIFY_SETTLE_MS = 200, /* NOTIFYs of one zone begin rounds no closer together */
	HINT_RETRY_MS = 1000,   /* a primary that promised more than it shows is asked once more */
};

/* How often retired versions are looked at while some wait for their readers. */
#define RECLAIM_SECONDS 0.02

static zone_t *of_timer(refresh_timer_t *t)
{
	return (zone_t *)(void *)((char *)t - offsetof(zone_t, timer));
}

static zone_t *of_link(refresh_link_t *l)
{
	return (zone_t *)(void *)((char *)l - offsetof(zone_t, link));
}

static group_t *group_of_link(refresh_link_t *l)
{
	return (group_t *)(void *)((char *)l - offsetof(group_t, link));
}

unsigned refresh_spread(zone_t *z)
{
	return (unsigned)(siphash13_chain(zone_set_key(z->group->r->set), z->rounds++,
	                                  z->conf->apex, dns_wire_len(z->conf->apex)) %
	                  1000);
}

/* --- the zone's timer ---------------------------------------------------------------------- */

void refresh_set_timer(zone_t *z)
{
	mono_t at = { INT64_MAX };

	if (z->clock.loaded && !z->clock.expired)
		at = z->clock.expires;
	at = mono_min(at, publish_next_warning(z));
	if (z->stage == STAGE_IDLE)
		at = mono_min(at, z->clock.due);
	if (z->follow && z->follow->until.ns != 0)
		at = mono_min(at, z->follow->until);
	if (z->follow && z->follow->saving)
		at = mono_min(at, publish_deadline(z->follow->saving));
	if (at.ns == INT64_MAX)
		refresh_heap_remove(&z->group->r->timers, &z->timer);
	else
		refresh_heap_set(&z->group->r->timers, &z->timer, at);
}

static void arm(refresh_t *r, mono_t next)
{
	refresh_timer_t *first = refresh_heap_first(&r->timers);

	ev_timer_stop(r->loop, &r->wake);
	if (first && (next.ns == 0 || mono_before(first->at, next)))
		next = first->at;
	if (next.ns == 0)
		return;
	double in = mono_diff(clock_mono(), next);
	ev_timer_set(&r->wake, in > 0 ? in : 0, 0);
	ev_timer_start(r->loop, &r->wake);
}

/* --- lanes --------------------------------------------------------------------------------- */

void refresh_enqueue(zone_t *z)
{
	group_t *g = z->group;

	z->stage = STAGE_QUEUED;
	refresh_lane_push(z->urgent ? &g->urgent : &g->due, &z->link);
	if (!g->link.next)
		refresh_lane_push(&z->group->r->busy, &g->link);
	refresh_set_timer(z);
}

static zone_t *next_due(group_t *g)
{
	bool sweep_first = g->turn++ % SWEEP_EVERY == SWEEP_EVERY - 1;
	refresh_link_t *link = refresh_lane_pop(sweep_first ? &g->due : &g->urgent);

	if (!link)
		link = refresh_lane_pop(sweep_first ? &g->urgent : &g->due);
	return link ? of_link(link) : NULL;
}

/* Those that wait for a primary wait here: a round costs memory, a place in a lane does not. */
static bool crowded(const group_t *g)
{
	for (size_t i = 0; i < g->conf->primary_count; i++) {
		for (size_t j = 0; j < g->conf->primaries[i]->address_count; j++) {
			if (way_crowded(g->ways[i][j]))
				return true;
		}
	}
	return false;
}

static void begin(zone_t *z)
{
	if (follow_begin(z) != ST_OK) {
		z->stage = STAGE_IDLE;
		refresh_clock_failed(&z->clock, clock_mono(), refresh_spread(z));
		refresh_set_timer(z);
		return;
	}
	z->stage = STAGE_ROUND;
	z->notified = z->urgent ? (uint32_t)(clock_mono().ns / NS_PER_MS) : z->notified;
	follow_step(z->follow);
}

static bool has_due(const group_t *g)
{
	return refresh_lane_last(&g->due) || refresh_lane_last(&g->urgent);
}

/* One zone of each group that is here now and has room: how many have begun. A group that got
 * something goes behind those that did not. */
static unsigned begin_some(refresh_t *r)
{
	refresh_link_t *link, *last = refresh_lane_last(&r->busy);
	refresh_lane_t served;
	unsigned begun = 0;

	refresh_lane_init(&served);
	while (last && (link = refresh_lane_pop(&r->busy))) {
		group_t *g = group_of_link(link);
		zone_t *z = crowded(g) ? NULL : next_due(g);

		if (has_due(g))
			refresh_lane_push(z ? &served : &r->busy, link);
		if (z)
			begin(z);
		begun += z != NULL;
		last = link == last ? NULL : last;
	}
	while ((link = refresh_lane_pop(&served)))
		refresh_lane_push(&r->busy, link);
	return begun;
}

static unsigned begin_rounds(refresh_t *r)
{
	unsigned begun = 0, more;

	while ((more = begin_some(r)) > 0)
		begun += more;
	return begun;
}

/* --- the loop's side ----------------------------------------------------------------------- */

/* Before the loop blocks: start what the budget allows, and set the alarm. */
static void on_pump(struct ev_loop *loop, ev_prepare *w, int revents)
{
	refresh_t *r = w->data;
	const mono_t now = clock_mono();
	unsigned begun = begin_rounds(r);
	mono_t next = ways_pump(r, now);

	(void)loop;
	(void)revents;
	/* Where a way is down, rounds end as soon as they begin: there is more to begin. */
	arm(r, begun > 0 ? now : next);
}

static void wake_zone(zone_t *z, mono_t now)
{
	publish_tick(z, now);
	if (z->follow && z->follow->saving &&
	    !mono_before(now, publish_deadline(z->follow->saving))) {
		publish_overdue(z->follow->saving);
		return;
	}
	if (z->follow && z->follow->until.ns != 0 && !mono_before(now, z->follow->until)) {
		z->follow->until = (mono_t){ 0 };
		follow_step(z->follow);
		return;
	}
	if (z->stage == STAGE_IDLE && !mono_before(now, z->clock.due)) {
		told_due(z);
		refresh_enqueue(z);
		return;
	}
	refresh_set_timer(z);
}

static void on_wake(struct ev_loop *loop, ev_timer *w, int revents)
{
	refresh_t *r = w->data;
	mono_t now = clock_mono();
	refresh_timer_t *first;

	(void)loop;
	(void)revents;
	while ((first = refresh_heap_first(&r->timers)) && !mono_before(now, first->at))
		wake_zone(of_timer(first), now);
}

static void on_reclaim(struct ev_loop *loop, ev_timer *w, int revents)
{
	refresh_t *r = w->data;

	(void)revents;
	if (epoch_reclaim_after(r->epoch, r->receive, r->receive_arg) == 0)
		ev_timer_stop(loop, w);
}

void refresh_retired(refresh_t *r)
{
	if (!ev_is_active(&r->reclaim))
		ev_timer_again(r->loop, &r->reclaim);
}

/* --- NOTIFY and the ends of rounds --------------------------------------------------------- */

/* The primary and the way to it that a NOTIFY came from, to be asked first. */
static void prefer(zone_t *z, const addr_t *from)
{
	const conf_group_t *g = z->group->conf;

	for (size_t i = 0; i < g->primary_count; i++) {
		for (size_t j = 0; j < g->primaries[i]->address_count; j++) {
			if (addr_same_host(&g->primaries[i]->addresses[j], from)) {
				z->first_primary = (uint16_t)i;
				z->first_address = (uint16_t)j;
				return;
			}
		}
	}
}

/* A round that is asked for: at once, or when the last one that NOTIFY began has settled. */
static void hasten(zone_t *z, round_why_t why, uint32_t after_ms)
{
	const mono_t now = clock_mono();
	const uint32_t passed = (uint32_t)(now.ns / NS_PER_MS) - z->notified;

	if (why == ROUND_NOTIFY && z->notified != 0 && passed < NOTIFY_SETTLE_MS &&
	    after_ms < NOTIFY_SETTLE_MS - passed)
		after_ms = NOTIFY_SETTLE_MS - passed;
	if (z->why < why)
		z->why = why & 15;
	z->urgent = true;
	refresh_clock_notified(&z->clock, mono_add_ms(now, after_ms));
	if (after_ms == 0)
		refresh_enqueue(z);
	else
		refresh_set_timer(z);
}

/* NOTIFY promised a serial that no primary has shown: it may be behind another of its own. */
static bool is_promised_more(zone_t *z)
{
	if (!z->has_hint)
		return false;
	/* One that was shown and can't be had waits for RETRY. */
	bool more =
		z->clock.loaded && !z->hint_tried &&
		!round_outrun(z->peers, (unsigned)z->group->conf->primary_count, z->clock.serial) &&
		dns_serial_compare(z->hint, z->clock.serial) == DNS_SERIAL_NEWER;

	z->hint_tried = more;
	z->has_hint = more;
	return more;
}

/* Nothing follows by itself but what time brings. A NOTIFY that has led to nothing is forgotten, unless
 * what it told of may still come. */
static void settle(zone_t *z)
{
	if (z->pinned || (z->clock.failures == 0 && z->clock.outrun.ns == 0))
		z->timer.extra = 0;
	refresh_set_timer(z);
}

void refresh_rested(zone_t *z)
{
	const bool again = z->again, command = z->again_why > ROUND_NOTIFY;
	const round_why_t why = z->again_why;

	z->stage = STAGE_IDLE;
	z->urgent = z->again = false;
	z->why = z->again_why = ROUND_TIMER;
	if (!again)
		z->first_primary = ROUND_NO_SOURCE;
	if (again)
		hasten(z, command ? why : ROUND_NOTIFY, 0);
	else if (is_promised_more(z))
		hasten(z, ROUND_NOTIFY, HINT_RETRY_MS);
	else
		settle(z);
}

void refresh_lift(zone_t *z)
{
	if (z->stage == STAGE_QUEUED)
		refresh_lane_remove(&z->link);
	follow_stop(z->follow);
	if (z->why != ROUND_TIMER) {
		z->again = true;
		z->again_why = z->why > z->again_why ? z->why : z->again_why;
	}
	z->why = ROUND_TIMER;
	z->urgent = false;
	z->stage = STAGE_LOADING;
	refresh_set_timer(z);
}

void refresh_woken(zone_t *z)
{
	if (z->stage == STAGE_LOADING)
		z->stage = STAGE_IDLE;
	if (z->stage != STAGE_IDLE)
		return;
	if (z->again)
		refresh_rested(z);
	else if (!z->clock.loaded)
		refresh_enqueue(z);
	else
		refresh_set_timer(z);
}

static void ask_for(zone_t *z, round_why_t why)
{
	switch (z->stage) {
	case STAGE_QUEUED:
		if (z->why < why)
			z->why = why & 15;
		if (z->urgent)
			return; /* it keeps its place: a busy zone must not wait for ever */
		refresh_lane_remove(&z->link);
		z->stage = STAGE_IDLE;
		hasten(z, why, 0);
		return;
	case STAGE_IDLE:
		hasten(z, why, 0);
		return;
	case STAGE_LOADING:
	case STAGE_ROUND:
		z->again = true;
		if (z->again_why < why)
			z->again_why = why & 15;
		return;
	}
}

void refresh_notify(refresh_t *r, const zone_slot_t *slot, const addr_t *from, const uint32_t *hint)
{
	zone_t *z = zone_slot_user(slot);

	(void)r;
	if (!z) /* it was taken out of the settings */
		return;
	told_notify(z, from, hint);
	prefer(z, from);
	if (z->timer.extra == 0)
		z->timer.extra = (uint32_t)(clock_mono().ns / NS_PER_MS) | 1;
	if (hint) {
		z->hint_tried = z->hint_tried && z->has_hint && z->hint == *hint;
		z->hint = *hint;
		z->has_hint = true;
	}
	ask_for(z, ROUND_NOTIFY);
}

void refresh_notify_refused(refresh_t *r, const zone_slot_t *slot, const addr_t *from,
                            const char *why)
{
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];

	if (!strangers_tell(&r->strangers, from, clock_mono()))
		return;
	refresh_events_note(r->events, &(refresh_event_t){ .code = REFRESH_EVENT_NOTIFY_REFUSED,
	                                                   .at = clock_mono(),
	                                                   .apex = zone_slot_apex(slot),
	                                                   .addr = *from,
	                                                   .has_addr = true,
	                                                   .text = why });
	log_warn("notify refused zone=%s from=%s why=\"%s\"",
	         dns_name_text(zone_slot_apex(slot), name), addr_text(from, addr), why);
}

status_t refresh_command(refresh_t *r, const dns_name_t *apex, refresh_verb_t verb)
{
	static const struct {
		const char *text;
		round_why_t why;
	} verbs[] = {
		[REFRESH_NOW] = { "refresh", ROUND_COMMAND },
		[REFRESH_RETRANSFER] = { "retransfer", ROUND_RETRANSFER },
		[REFRESH_ACCEPT] = { "accept", ROUND_ACCEPT },
	};
	zone_t *z = report_find(r, apex);

	if (!z)
		return ST_NOENT;
	if (z->pinned && verb != REFRESH_NOW)
		return ST_REFUSED;
	if (verb == REFRESH_ACCEPT && !report_has_refused(z))
		return ST_STALE;
	told_command(z, verbs[verb].text);
	ask_for(z, verbs[verb].why);
	return ST_OK;
}

/* --- start and stop ------------------------------------------------------------------------ */

/* An empty include or a broken generator is the commonest way to lose zones. */
bool refresh_is_too_much(size_t gone, size_t of, unsigned share_most)
{
	const size_t share = of * share_most / 100;

	return gone > (share > REFRESH_REMOVED_LEAST ? share : REFRESH_REMOVED_LEAST);
}

static bool is_too_much(const refresh_t *r, refresh_reload_t *order)
{
	if (!refresh_is_too_much(order->removed, r->zone_count, order->share_most))
		return false;
	snprintf(order->why, sizeof order->why,
	         "%zu of %zu zones would be gone, more than max-removed allows: if they are to be, "
	         "force it",
	         order->removed, r->zone_count);
	return true;
}

/* order: NULL at the start. */
static status_t take_settings(refresh_t *r, const conf_t *next, refresh_reload_t *order)
{
	plan_t plan;
	status_t st = plan_make(&plan, r, next);

	if (st != ST_OK)
		return st;
	if (order) {
		order->zones = next->zone_count;
		order->added = plan.added;
		order->moved = plan.moved;
		order->removed = plan.gone_count;
	}
	if (order && !order->force && is_too_much(r, order)) {
		plan_drop(&plan);
		return ST_REFUSED;
	}
	st = plan_commit(&plan);
	if (st != ST_OK)
		return st;
	if (order && r->keep)
		keep_set_patience(r->keep, order->keep_removed);
	plan_apply(&plan);
	return ST_OK;
}

refresh_t *refresh_new(struct ev_loop *loop, const conf_t *conf, zone_set_t *set, epoch_t *epoch,
                       xfr_env_t *env, const dns_tsig_keys_t *keys, keep_t *keep)
{
	refresh_t *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->loop = loop;
	r->set = set;
	r->epoch = epoch;
	r->env = env;
	r->keys = keys;
	r->keep = keep;
	r->began = clock_mono();
	r->events = refresh_events_new(REFRESH_EVENTS_OCTETS);
	refresh_lane_init(&r->busy);
	ev_init(&r->wake, on_wake);
	ev_timer_init(&r->reclaim, on_reclaim, 0, RECLAIM_SECONDS);
	ev_prepare_init(&r->pump, on_pump);
	r->wake.data = r->reclaim.data = r->pump.data = r;
	if (r->events && take_settings(r, conf, NULL) == ST_OK)
		return r;
	refresh_free(r);
	return NULL;
}

bool refresh_is_loading(const refresh_t *r)
{
	return r->keep && keep_is_loading(r->keep);
}

status_t refresh_reload(refresh_t *r, const conf_t *next, const dns_tsig_keys_t *keys,
                        refresh_reload_t *order)
{
	status_t st;

	assert(!refresh_is_loading(r));
	order->why[0] = '\0';
	st = take_settings(r, next, order);
	if (st == ST_OK)
		r->keys = keys;
	return st;
}

status_t refresh_extend(refresh_t *r)
{
	const status_t st = take_settings(r, r->conf, NULL);

	for (size_t i = 0; st != ST_OK && i < r->zone_count; i++)
		r->zones[i]->conf = &r->conf->zones[i];
	return st;
}

void refresh_on_reclaim(refresh_t *r, void (*receive)(void *arg), void *arg)
{
	r->receive = receive;
	r->receive_arg = arg;
}

void refresh_start(refresh_t *r)
{
	r->started = true;
	if (r->keep)
		keep_start(r->keep, r);
	for (size_t i = 0; i < r->zone_count && !r->keep; i++)
		refresh_enqueue(r->zones[i]);
	ev_prepare_start(r->loop, &r->pump);
}

void refresh_free(refresh_t *r)
{
	if (!r)
		return;
	pin_stop(r);
	for (size_t i = 0; i < r->zone_count; i++)
		follow_stop(r->zones[i]->follow);
	keep_detach(r->keep);
	for (size_t i = 0; i < r->zone_count; i++)
		plan_free_zone(r, r->zones[i]);
	ev_prepare_stop(r->loop, &r->pump);
	ev_timer_stop(r->loop, &r->wake);
	ev_timer_stop(r->loop, &r->reclaim);
	if (r->conf)
		plan_free_ways(r->ways, r->conf);
	for (size_t i = 0; i < r->group_count; i++) {
		free(r->groups[i]->ways);
		free(r->groups[i]);
	}
	free(r->groups);
	refresh_heap_free(&r->timers);
	refresh_events_free(r->events);
	free(r->zones);
	free(r);
}
