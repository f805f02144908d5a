/* refresh/pin.c - the way of a pin: asked for, found, loaded, saved, served. */
#include "refresh/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "refresh/keeping.h"
#include "refresh/report.h"
#include "refresh/zone.h"
#include "xfr/keep.h"
#include "zone/advice.h"

/* A version that is being saved is waited for, and the disk, but not for ever. */
#define BUSY_SECONDS 0.02
enum { DISK_PATIENCE_S = 5, LOAD_PATIENCE_S = 60, WHY_MAX = 256 };

struct pin {
	pin_t *next, **before; /* of r->pins */
	zone_t *zone;          /* NULL: nobody waits for it, what comes back is freed */
	refresh_pin_order_t order;
	bool lists;   /* which there are, and nothing more */
	bool awaited; /* the state's writer or a builder has it */
	refresh_pin_cb done;
	void *arg;
	state_list_t list;
	ev_timer timer;

	/* The builder's. */
	pool_job_t job;
	mail_t mail;
	keep_t *keep;
	state_t *state; /* NULL: it takes nothing now */
	xfr_keep_spec_t spec;
	dns_name_t apex; /* ... the zone's, which may be gone before it is read */
	xfr_kept_t kept;
	state_draft_t *draft;

	keep_note_t *note; /* it is being saved, or that it is pinned */
	bool held;         /* ... the latter */
	uint16_t edition;  /* of the zone, when it was seen what is wanted */
	refresh_clock_t clock;
	keep_facts_t facts;
};

/* --- the beginning and the end ------------------------------------------------------------------- */

static void free_pin(pin_t *p)
{
	state_draft_free(p->draft);
	zone_version_free(p->kept.version);
	free(p->kept.clocks);
	state_route_free(p->list.route);
	free(p->list.all);
	free(p);
}

/* It is told, and leaves the list. */
static void tell(pin_t *p, const refresh_pin_result_t *result)
{
	zone_t *z = p->zone;

	ev_timer_stop(z->group->r->loop, &p->timer);
	*p->before = p->next;
	if (p->next)
		p->next->before = p->before;
	if (!p->lists)
		z->pinning = false;
	p->zone = NULL;
	p->done(p->arg, result);
}

static void fail(pin_t *p, const char *why)
{
	tell(p, &(refresh_pin_result_t){ .why = why });
}

static void fail_and_free(pin_t *p, const char *why)
{
	fail(p, why);
	free_pin(p);
}

static void succeed(pin_t *p, uint32_t was, bool saved)
{
	const refresh_pin_result_t result = { .serial = p->zone->clock.serial,
		                              .was = was,
		                              .saved = saved };

	tell(p, &result);
	free_pin(p);
}

void pin_stop(refresh_t *r)
{
	pin_t *p;

	while ((p = r->pins)) {
		if (p->note)
			keep_forget(p->note);
		fail(p, "secd ends: the next start shows whether it is pinned");
		if (!p->awaited)
			free_pin(p);
	}
}

static void serve(pin_t *p, bool saved);

void pin_end(zone_t *z, bool stays, const char *why)
{
	pin_t *next;

	for (pin_t *p = z->group->r->pins; p; p = next) {
		next = p->next;
		if (p->zone != z)
			continue;
		if (p->note) {
			keep_forget(p->note);
			p->note = NULL;
			if (stays && !p->held) {
				serve(p, false);
				continue;
			}
		}
		fail(p, why);
		if (!p->awaited)
			free_pin(p);
	}
}

/* Which versions there are, and a way to the wanted one. */
static void ask(pin_t *p)
{
	free(p->list.all);
	state_route_free(p->list.route);
	p->list = (state_list_t){ .by_version = p->order.by_version,
		                  .by_serial = p->order.by_serial,
		                  .wanted = p->order.wanted };
	p->awaited = keep_ask(p->keep, p->zone, &p->list, p);
	if (!p->awaited) {
		fail_and_free(p, p->keep ? "the state can't be had now: see secdctl status"
		                         : "nothing is kept: the settings have no state-dir");
		return;
	}
	ev_timer_set(&p->timer, DISK_PATIENCE_S, 0.);
	ev_timer_start(p->keep->loop, &p->timer);
}

/* --- at last ------------------------------------------------------------------------------------- */

/* It does not expire: so much time again. */
static void revive(refresh_clock_t *c)
{
	if (!c->expired)
		return;
	c->expired = false;
	c->expires = mono_add_s(clock_mono(), c->expire);
}

static void mark(const pin_t *p)
{
	zone_t *z = p->zone;

	z->pinned = true;
	z->unexpiring = p->order.unexpiring;
	z->pinned_at = (uint32_t)(clock_wall_ms() / 1000);
}

static void wait_for_disk(pin_t *p, keep_note_t *note)
{
	p->note = note;
	ev_timer_set(&p->timer, DISK_PATIENCE_S, 0.);
	ev_timer_start(p->keep->loop, &p->timer);
}

/* What is served stays. It is, from here on; whether it will be after a restart, the disk says. */
static void hold(pin_t *p)
{
	zone_t *z = p->zone;
	const bool in_round = z->stage == STAGE_ROUND;
	keep_note_t *note;

	if (in_round)
		refresh_lift(z); /* a transfer may be under way */
	mark(p);
	if (z->unexpiring) {
		revive(&z->clock);
		zone_set_expires(z->slot, z->clock.expires);
		zone_set_expire(z->slot, z->clock.expired);
	}
	if (in_round)
		refresh_woken(z);
	told_pinned(z, z->clock.serial, "an operator said so");
	p->held = true;
	note = p->keep ? keep_mark(p->keep, z, p) : NULL;
	if (note) {
		wait_for_disk(p, note);
		return;
	}
	keep_touch(p->keep, z);
	succeed(p, z->clock.serial, false);
}

static void serve(pin_t *p, bool saved)
{
	zone_t *z = p->zone;
	refresh_t *r = z->group->r;
	const uint32_t was = z->clock.serial;
	const zone_version_t *held = zone_slot_version(z->slot);
	const uint8_t advice = held ? zone_advice_of(held) : 0;

	told_advice(z, advice, zone_advice_of(p->kept.version));
	z->clock = p->clock;
	z->source = (uint16_t)p->facts.source;
	z->accepted = p->facts.accepted;
	z->loaded_at = p->facts.loaded_at;
	zone_note_transfer(z, p->facts.octets, p->facts.ms);
	z->how = told_named(p->facts.how) & 7;
	z->edition++;
	zone_set_expires(z->slot, z->clock.expires);
	zone_set_restore(r->set, z->slot, p->kept.version, z->clock.expired);
	p->kept.version = NULL; /* the set's */
	mark(p);
	if (saved)
		keep_saved(r->keep, z);
	else
		keep_unsaved(r->keep, z);
	refresh_retired(r);
	told_pinned(z, was, "an operator said so");
	refresh_woken(z);
	keep_touch(r->keep, z); /* what was learnt while it was being saved */
	succeed(p, was, saved);
}

void pin_saved(void *pin, bool ok)
{
	pin_t *p = pin;

	p->note = NULL;
	if (!p->held) {
		serve(p, ok);
		return;
	}
	if (!ok)
		keep_touch(p->keep, p->zone);
	succeed(p, p->zone->clock.serial, ok);
}

/* --- it is in memory ----------------------------------------------------------------------------- */

static void set_facts(pin_t *p)
{
	zone_t *z = p->zone;
	state_clocks_t clocks;

	if (state_clocks_get(p->kept.clocks, p->kept.clocks_len, &clocks, NULL, 0) != ST_OK)
		clocks = (state_clocks_t){ 0 };
	p->clock = z->clock;
	refresh_clock_replaced(&p->clock, zone_version_soa(p->kept.version),
	                       &z->group->conf->policy, clock_mono(), refresh_spread(z));
	if (p->order.unexpiring)
		revive(&p->clock);
	p->facts = (keep_facts_t){
		.clock = &p->clock,
		.source = keep_primary_named(z, clocks.source.text),
		.accepted = clocks.accepted,
		.pinned = true,
		.unexpiring = p->order.unexpiring,
		.copy = true,
		.pinned_at = (uint32_t)(clock_wall_ms() / 1000),
		.how = told_how(told_named(clocks.how.text)),
		.octets = clocks.octets,
		.ms = clocks.ms,
		.loaded_at = (uint32_t)(clock_mono().ns / NS_PER_S),
	};
}

/* Nothing else is under way for the zone from here on. How old it is when nobody knows, is not put on
 * the disk. */
static void save(pin_t *p)
{
	zone_t *z = p->zone;
	keep_t *keep = p->keep;
	state_draft_t *draft = p->draft;
	keep_note_t *note = NULL;
	const bool waits = !keep_is_relaxed(keep);

	refresh_lift(z);
	set_facts(p);
	p->draft = NULL;
	if (z->unsure == 0)
		note = waits ? keep_pinned(keep, z, draft, p->clock.serial, &p->facts, p)
		             : keep_version(keep, z, draft, p->clock.serial, &p->facts, NULL);
	else
		state_draft_free(draft);
	if (!note || !waits) {
		serve(p, note != NULL);
		return;
	}
	wait_for_disk(p, note);
}

/* It was found to be what is served, but that was before another version came. */
static bool is_overtaken(const pin_t *p)
{
	return (p->order.by_version || p->order.by_serial) && p->edition != p->zone->edition;
}

/* When the zone is at rest. */
static void go_on(pin_t *p)
{
	if (keep_is_saving(p->zone)) {
		ev_timer_set(&p->timer, BUSY_SECONDS, 0.);
		ev_timer_start(p->zone->group->r->loop, &p->timer);
	} else if (p->kept.version) {
		save(p);
	} else if (is_overtaken(p)) {
		ask(p);
	} else {
		hold(p);
	}
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	pin_t *p = w->data;

	(void)loop;
	(void)revents;
	if (p->awaited) {
		fail(p, "the disk does not answer: see secdctl status"); /* freed when it does */
		return;
	}
	if (!p->note) {
		go_on(p);
		return;
	}
	keep_forget(p->note);
	p->note = NULL;
	keep_slow(p->keep, DISK_PATIENCE_S);
	if (p->held)
		succeed(p, p->zone->clock.serial, false);
	else
		serve(p, false);
}

static pin_t *of_job(pool_job_t *job)
{
	return (pin_t *)(void *)((char *)job - offsetof(pin_t, job));
}

static void load(pool_job_t *job)
{
	pin_t *p = of_job(job);

	xfr_keep_load(&p->spec, &p->kept);
	if (p->kept.version && p->state)
		p->draft = xfr_keep_whole(p->state, p->kept.version);
	mailbox_send(&p->keep->pins, &p->mail);
}

void pin_on_loaded(void *keep, mail_t *mail)
{
	pin_t *p = (pin_t *)(void *)((char *)mail - offsetof(pin_t, mail));
	char text[XFR_WHY_TEXT_MAX], why[WHY_MAX];

	(void)keep;
	p->awaited = false;
	if (!p->zone) {
		free_pin(p);
		return;
	}
	ev_timer_stop(p->keep->loop, &p->timer);
	if (p->kept.version) {
		go_on(p);
		return;
	}
	snprintf(why, sizeof why, "it can't be served: %.200s", xfr_why_text(&p->kept.why, text));
	fail_and_free(p, why);
}

/* --- it is on the disk --------------------------------------------------------------------------- */

static void begin_load(pin_t *p)
{
	p->spec = keep_spec(p->zone);
	dns_name_from_wire(p->spec.apex, &p->apex);
	p->spec.apex = p->apex.wire;
	p->spec.route = p->list.route;
	p->spec.gates = p->spec.accepted;
	p->state = keep_state(p->keep);
	p->job.run = load;
	p->awaited = true;
	ev_timer_set(&p->timer, LOAD_PATIENCE_S, 0.);
	ev_timer_start(p->keep->loop, &p->timer);
	pool_push(p->keep->builders, &p->job);
}

static void fail_to_find(pin_t *p, status_t status, int error)
{
	char why[WHY_MAX];

	if (status == ST_NOENT)
		snprintf(why, sizeof why,
		         "no older version with this %s is kept; secdctl versions lists what is",
		         p->order.by_serial ? "serial" : "number");
	else
		snprintf(why, sizeof why, "the state can't be read: %s",
		         status == ST_NOMEM ? status_text(ST_NOMEM) : strerror(error));
	fail_and_free(p, why);
}

/* Is what was found the version that is served? */
static bool is_served(const pin_t *p)
{
	const zone_t *z = p->zone;

	return p->list.found.version == state_zone_queued(z->kept) && !z->unsaved &&
	       !keep_is_saving(z);
}

void pin_listed(void *pin, status_t status, int error)
{
	pin_t *p = pin;

	p->awaited = false;
	if (p->zone)
		ev_timer_stop(p->zone->group->r->loop, &p->timer);
	if (!p->zone) {
		free_pin(p);
	} else if (status != ST_OK) {
		fail_to_find(p, status, error);
	} else if (p->lists) {
		tell(p, &(refresh_pin_result_t){ .all = p->list.all,
		                                 .count = p->list.count,
		                                 .serial = p->zone->clock.serial,
		                                 .saved = !p->zone->unsaved });
		free_pin(p);
	} else if (is_served(p)) {
		p->edition = p->zone->edition;
		go_on(p);
	} else {
		begin_load(p);
	}
}

/* --- orders -------------------------------------------------------------------------------------- */

/* Why the zone can't be pinned, or its versions listed; NULL: it can. */
static const char *objection(const zone_t *z, bool lists)
{
	if (!z)
		return "this server has no such zone";
	if (z->pinning && !lists)
		return "it is being pinned already";
	if (!z->clock.loaded)
		return "nothing is held of it yet";
	return NULL;
}

static pin_t *new_pin(refresh_t *r, zone_t *z, refresh_pin_cb done, void *arg)
{
	pin_t *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->zone = z;
	p->keep = r->keep;
	p->done = done;
	p->arg = arg;
	ev_init(&p->timer, on_timer);
	p->timer.data = p;
	p->next = r->pins;
	if (p->next)
		p->next->before = &p->next;
	p->before = &r->pins;
	r->pins = p;
	return p;
}

void refresh_versions(refresh_t *r, const dns_name_t *apex, refresh_pin_cb done, void *arg)
{
	zone_t *z = report_find(r, apex);
	const char *why = objection(z, true);
	pin_t *p = why ? NULL : new_pin(r, z, done, arg);

	if (!p) {
		done(arg, &(refresh_pin_result_t){ .why = why ? why : status_text(ST_NOMEM) });
		return;
	}
	p->lists = true;
	ask(p);
}

void refresh_pin(refresh_t *r, const dns_name_t *apex, const refresh_pin_order_t *order,
                 refresh_pin_cb done, void *arg)
{
	zone_t *z = report_find(r, apex);
	const char *why = objection(z, false);
	pin_t *p = why ? NULL : new_pin(r, z, done, arg);

	if (!p) {
		done(arg, &(refresh_pin_result_t){ .why = why ? why : status_text(ST_NOMEM) });
		return;
	}
	p->order = *order;
	z->pinning = true;
	p->edition = z->edition;
	if (order->by_version || (order->by_serial && order->wanted != z->clock.serial))
		ask(p);
	else
		go_on(p);
}

status_t refresh_unpin(refresh_t *r, const dns_name_t *apex)
{
	zone_t *z = report_find(r, apex);

	if (!z)
		return ST_NOENT;
	if (z->pinning)
		return ST_EXIST;
	if (!z->pinned)
		return ST_STALE;
	z->pinned = z->unexpiring = false;
	keep_touch(r->keep, z);
	told_unpinned(z);
	return refresh_command(r, apex, REFRESH_NOW);
}

void pin_outlive(zone_t *z, mono_t now)
{
	refresh_clock_t *c = &z->clock;

	if (!z->unexpiring || !c->loaded || c->expired || mono_before(now, c->expires))
		return;
	told_outlived(z);
	c->expires = mono_add_s(now, c->expire);
	zone_set_expires(z->slot, c->expires);
	keep_touch(z->group->r->keep, z);
}
