/* refresh/left.c - zones that were taken out of the settings: what is kept of them stays for a while, and one that
 * comes back goes on where it was, with its clocks. */
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"
#include "refresh/keeping.h"
#include "refresh/pin.h"
#include "refresh/zone.h"
#include "state/gone.h"
#include "xfr/keep.h"

#define SAVE_SECONDS  0.4   /* what comes together is saved together */
#define RETRY_SECONDS 5.    /* after the disk has refused */
#define SWEEP_SECONDS 3600. /* between looks for those whose time is over */
#define BACK_SECONDS  5.    /* a disk that hangs keeps no zone from being transferred */
enum {
	/* Since when, of one that is forgotten: what there is of it stands in the log until that is cleaned up,
	 * and the next start is to know. On the disk; and in memory, when that is done. */
	FORGOTTEN = 1,
	FORGOTTEN_NOW = 0,
	/* By a clock that may be wrong: its time begins when it is right. */
	UNDATED = 2,
};

/* A zone that is back, until it is served again. */
struct keep_back {
	keep_back_t *next, **before; /* of k->backs_under_way, while somebody waits for it */
	keep_t *keep;
	zone_t *zone; /* NULL: nobody does */
	ev_timer timer;
	state_list_t list;

	/* The builder's. */
	pool_job_t job;
	mail_t mail;
	xfr_keep_spec_t spec;
	dns_name_t apex;
	xfr_kept_t kept;
};

/* --- the list ---------------------------------------------------------------------------------- */

static uint32_t now_s(void)
{
	return clock_is_synced() ? (uint32_t)(clock_wall_ms() / 1000) : UNDATED;
}

static void sweep_in(keep_t *k, double seconds)
{
	ev_timer_stop(k->loop, &k->sweep);
	ev_timer_set(&k->sweep, seconds, 0.);
	ev_timer_start(k->loop, &k->sweep);
}

static void changed(keep_t *k)
{
	k->left_changed = true;
	sweep_in(k, SAVE_SECONDS);
}

static bool add(keep_t *k, state_zone_t *zone, uint32_t since)
{
	keep_left_t *grown = grow(k->left, k->left_count, &k->left_room, sizeof *grown);

	if (!grown)
		return false; /* the next start finds it, and then its time begins */
	k->left = grown;
	k->left[k->left_count++] = (keep_left_t){ zone, since };
	return true;
}

static void take_out(keep_t *k, const state_zone_t *zone)
{
	for (size_t i = 0; i < k->left_count; i++) {
		if (k->left[i].zone != zone)
			continue;
		k->left[i] = k->left[--k->left_count];
		changed(k);
		return;
	}
}

static void save_list(keep_t *k)
{
	size_t len = 0;
	state_save_t *save;

	for (size_t i = 0; i < k->left_count; i++)
		len += dns_wire_len(state_zone_apex(k->left[i].zone)) + 4;
	save = calloc(1, sizeof *save + len);
	if (!save)
		return;
	save->what = STATE_SAVE_LEFT;
	for (size_t i = 0; i < k->left_count; i++)
		save->clocks_len += (uint32_t)state_gone_put(
			save->clocks + save->clocks_len, state_zone_apex(k->left[i].zone),
			k->left[i].since != FORGOTTEN_NOW ? k->left[i].since : FORGOTTEN);
	k->left_changed = !keep_submit(k, KEEP_LEFT, save);
}

void keep_left_saved(keep_t *k, bool ok)
{
	if (ok)
		return;
	k->left_changed = true;
	if (k->r)
		sweep_in(k, RETRY_SECONDS);
}

/* --- their time is over ------------------------------------------------------------------------ */

static bool drop(keep_t *k, state_zone_t *zone)
{
	char name[DNS_NAME_TEXT_MAX];
	state_save_t *save = calloc(1, sizeof *save);

	if (!save)
		return false;
	save->what = STATE_SAVE_DROP;
	save->zone = zone;
	if (!keep_submit(k, KEEP_DROP, save))
		return false;
	log_info("state forgets zone=%s why=\"it was taken out of the settings long ago\"",
	         dns_name_text(state_zone_apex(zone), name));
	return true;
}

/* By a clock that is known to be right: what goes does not come back. */
static bool is_over(const keep_t *k, const keep_left_t *l, uint32_t now)
{
	if (l->since == FORGOTTEN_NOW || l->since == FORGOTTEN)
		return l->since == FORGOTTEN;
	return k->patience == 0 || (now != UNDATED && l->since != UNDATED && now > l->since &&
	                            now - l->since >= k->patience);
}

static void drop_overdue(keep_t *k)
{
	const uint32_t now = now_s();

	for (size_t i = 0; i < k->left_count; i++) {
		keep_left_t *l = &k->left[i];

		if (is_over(k, l, now) && drop(k, l->zone)) {
			k->left_changed |= l->since != FORGOTTEN;
			l->since = FORGOTTEN_NOW;
		} else if (l->since == UNDATED && now != UNDATED) {
			l->since = now;
			k->left_changed = true;
		}
	}
}

static void on_sweep(struct ev_loop *loop, ev_timer *w, int revents)
{
	keep_t *k = w->data;

	(void)loop;
	(void)revents;
	if (!keep_state(k)) {
		sweep_in(k, RETRY_SECONDS);
		return;
	}
	drop_overdue(k);
	if (k->left_changed)
		save_list(k);
	sweep_in(k, k->left_changed ? RETRY_SECONDS : SWEEP_SECONDS);
}

/* --- they go ----------------------------------------------------------------------------------- */

status_t keep_leaves(keep_t *k, zone_t *z)
{
	return k->state && z->kept ? state_zone_leave(k->state, z->kept) : ST_OK;
}

void keep_stays(keep_t *k, zone_t *z)
{
	if (k->state && z->kept)
		(void)state_zone_add(k->state, zone_slot_apex(z->slot)); /* there it is */
}

void keep_gone(keep_t *k, zone_t *z, bool saving)
{
	const bool known = !z->unsaved && z->unsure == 0 && !saving;

	if (!k)
		return;
	keep_sure(k, z);
	keep_saved(k, z);
	if (!k->state || !z->kept || (!z->clock.loaded && state_zone_queued(z->kept) == 0))
		return; /* there is nothing of it */
	if (known && z->clock.loaded && keep_state(k))
		keep_save_clocks(k, z);
	if (add(k, z->kept, now_s()))
		changed(k);
}

void keep_set_patience(keep_t *k, unsigned seconds)
{
	k->patience = seconds;
	if (k->left_count > 0)
		sweep_in(k, SAVE_SECONDS);
}

/* --- they come back ---------------------------------------------------------------------------- */

static void forget_zone(keep_back_t *b)
{
	ev_timer_stop(b->keep->loop, &b->timer);
	*b->before = b->next;
	if (b->next)
		b->next->before = b->before;
	b->zone->back = false;
	b->zone = NULL;
}

static void free_back(keep_back_t *b)
{
	state_route_free(b->list.route);
	free(b->list.all);
	zone_version_free(b->kept.version);
	free(b->kept.clocks);
	free(b);
}

/* It is transferred like one that was never here. */
static void give_up(keep_back_t *b)
{
	zone_t *z = b->zone;

	if (!z)
		return;
	forget_zone(b);
	if (z->stage == STAGE_LOADING)
		refresh_woken(z);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	give_up(w->data); /* freed when what it waits for comes */
}

static void restore(keep_back_t *b, zone_t *z, const state_clocks_t *clocks)
{
	keep_t *k = b->keep;
	keep_times_t times;

	keep_times_now(k, &times);
	keep_restore(k, &times, z, clocks, b->kept.version, 0);
	pin_outlive(z, clock_mono());
	(void)refresh_clock_tick(&z->clock, clock_mono());
	zone_set_expires(z->slot, z->clock.expires);
	zone_set_restore(z->group->r->set, z->slot, b->kept.version, z->clock.expired);
	b->kept.version = NULL; /* the set's */
	told_back(z);
	if (z->clock.expired)
		told_expired(z);
	if (z->pinned)
		told_pinned(z, z->clock.serial, "it was before it was taken out of the settings");
	/* One that was queued after it never came there, or all of it is about to go: nothing can go on from that. */
	if (b->list.found.version != state_zone_queued(z->kept))
		keep_unsaved(k, z);
	keep_settle(k);
}

static void serve(keep_back_t *b)
{
	zone_t *z = b->zone;
	const size_t most = z->group->conf->primary_count;
	state_peer_t *peers = calloc(most + 1, sizeof *peers);
	state_clocks_t clocks;

	if (peers && z->stage == STAGE_LOADING && !z->clock.loaded &&
	    state_clocks_get(b->kept.clocks, b->kept.clocks_len, &clocks, peers, most) == ST_OK)
		restore(b, z, &clocks);
	free(peers);
}

static keep_back_t *of_job(pool_job_t *job)
{
	return (keep_back_t *)(void *)((char *)job - offsetof(keep_back_t, job));
}

static void load(pool_job_t *job)
{
	keep_back_t *b = of_job(job);

	xfr_keep_load(&b->spec, &b->kept);
	mailbox_send(&b->keep->backs, &b->mail);
}

static void on_loaded(void *arg, mail_t *mail)
{
	keep_back_t *b = (keep_back_t *)(void *)((char *)mail - offsetof(keep_back_t, mail));

	(void)arg;
	if (b->zone && b->kept.version)
		serve(b);
	give_up(b);
	free_back(b);
}

void keep_back_listed(keep_t *k, void *back, status_t status)
{
	keep_back_t *b = back;

	if (!b->zone || status != ST_OK || !b->list.route) {
		give_up(b);
		free_back(b);
		return;
	}
	b->spec = keep_spec(b->zone);
	dns_name_from_wire(b->spec.apex, &b->apex);
	b->spec.apex = b->apex.wire;
	b->spec.route = b->list.route;
	b->job.run = load;
	pool_push(k->builders, &b->job);
}

/* The state's writer knows what there is of it. */
static bool look_for(keep_t *k, zone_t *z)
{
	keep_back_t *b = calloc(1, sizeof *b);

	if (!b)
		return false;
	b->keep = k;
	b->list.newest = true;
	if (!keep_ask(k, z, &b->list, b)) {
		free(b);
		return false;
	}
	b->zone = z;
	z->back = true;
	b->next = k->backs_under_way;
	if (b->next)
		b->next->before = &b->next;
	b->before = &k->backs_under_way;
	k->backs_under_way = b;
	ev_timer_init(&b->timer, on_timer, BACK_SECONDS, 0.);
	b->timer.data = b;
	ev_timer_start(k->loop, &b->timer);
	return true;
}

bool keep_takes_back(keep_t *k, zone_t *z)
{
	const uint8_t *apex = zone_slot_apex(z->slot);

	if (!k->state)
		return false;     /* when the directory can be had, it is added like all */
	if (keep_is_loading(k)) { /* it was adopted: the loaders take it with the others */
		z->kept = state_zone_add(k->state, apex);
		z->stage = z->kept ? STAGE_LOADING : z->stage;
		return z->kept;
	}
	const bool known = state_zone_find(k->state, apex) != NULL;
	z->kept = state_zone_add(k->state, apex);
	if (!z->kept || !known)
		return false;
	take_out(k, z->kept);
	if (!look_for(k, z))
		return false;
	z->stage = STAGE_LOADING;
	return true;
}

void keep_left_rebind(keep_t *k)
{
	keep_back_t *next;

	for (keep_back_t *b = k->backs_under_way; b; b = next) {
		zone_t *z = zone_slot_user(b->zone->slot);

		next = b->next;
		if (z)
			b->zone = z;
		else
			forget_zone(b);
	}
}

/* --- at a start: by the thread that looks through the state ------------------------------------ */

static void add_known(keep_look_t *l, state_zone_t *zone, uint32_t since)
{
	keep_left_t *grown = grow(l->left, l->left_count, &l->left_room, sizeof *grown);

	if (!grown)
		return;
	l->left = grown;
	l->left[l->left_count++] = (keep_left_t){ zone, since };
}

static int by_zone(const void *a, const void *b)
{
	const keep_left_t *x = a, *y = b;

	return ((uintptr_t)x->zone > (uintptr_t)y->zone) -
	       ((uintptr_t)x->zone < (uintptr_t)y->zone);
}

/* Those of which the state says since when. */
static void read_list(const keep_t *k, keep_look_t *l)
{
	size_t len;
	const uint8_t *octets = state_left(k->state, &len);
	buf_t list = buf_over(octets, len);
	dns_name_t apex;
	uint32_t since;

	while (state_gone_next(&list, &apex, &since)) {
		state_zone_t *zone = state_zone_find(k->state, apex.wire);

		if (zone && state_zone_is_left(zone) && state_zone_has(zone))
			add_known(l, zone, since);
		else
			l->outdated = true; /* the next time that it goes is another one */
	}
	if (l->left_count > 0)
		qsort(l->left, l->left_count, sizeof *l->left, by_zone);
}

static void look_at(void *arg, state_zone_t *zone)
{
	const keep_left_t key = { .zone = zone };
	keep_look_t *l = arg;
	keep_stray_t *grown;

	if (!state_zone_has(zone) ||
	    (l->left_count > 0 && bsearch(&key, l->left, l->left_count, sizeof key, by_zone)))
		return;
	l->followed++;
	if (!state_zone_is_left(zone))
		return;
	grown = grow(l->strays, l->stray_count, &l->stray_room, sizeof *grown);
	if (!grown)
		return;
	l->strays = grown;
	l->strays[l->stray_count++] = (keep_stray_t){ .apex = state_zone_apex(zone) };
}

/* Its clocks are all that is wanted of it. */
static status_t no_chunk(void *arg, const uint8_t *octets, size_t len)
{
	(void)arg;
	(void)octets;
	(void)len;
	return ST_STALE;
}

static status_t take_names(void *arg, const uint8_t *octets, size_t len)
{
	state_peer_t peers[64];
	keep_stray_t *stray = arg;
	state_clocks_t clocks;
	size_t room = 1;

	if (state_clocks_get(octets, len, &clocks, peers, ARRAY_LEN(peers)) != ST_OK)
		return ST_MALFORMED;
	for (size_t i = 0; i < clocks.peer_count; i++)
		room += peers[i].name.len + 1u;
	stray->names = malloc(room);
	for (size_t i = 0, at = 0; stray->names && i < clocks.peer_count; i++) {
		memcpy(stray->names + at, peers[i].name.text, peers[i].name.len + 1u);
		at += peers[i].name.len + 1u;
		stray->count++;
	}
	return ST_STALE;
}

static void read_names(const keep_t *k, keep_look_t *l)
{
	state_window_t *window = state_window_new();

	for (size_t i = 0; window && i < l->stray_count; i++) {
		const state_reader_t reader = { .arg = &l->strays[i],
			                        .window = window,
			                        .clocks = take_names,
			                        .chunk = no_chunk,
			                        .delta = no_chunk };

		(void)state_read(k->state, state_zone_find(k->state, l->strays[i].apex), &reader);
	}
	state_window_free(window);
}

void keep_look(keep_t *k, keep_look_t *out)
{
	*out = (keep_look_t){ 0 };
	read_list(k, out);
	state_zones_each(k->state, look_at, out);
	out->too_many = k->adopt &&
	                refresh_is_too_much(out->stray_count, out->followed, k->share_most);
	if (out->too_many)
		read_names(k, out);
}

void keep_look_free(keep_look_t *l)
{
	for (size_t i = 0; i < l->stray_count; i++)
		free(l->strays[i].names);
	free(l->strays);
	free(l->left);
	*l = (keep_look_t){ 0 };
}

/* --- ... and what comes of it ------------------------------------------------------------------ */

void keep_look_adopt(keep_t *k, keep_look_t *l)
{
	if (!l->too_many)
		return;
	log_error("settings would-drop zones=%zu of=%zu max-removed=%u served=\"as before\" "
	          "next=\"mend them, or let them go: secdctl reload --force\"",
	          l->stray_count, l->followed, k->share_most);
	if (k->adopt(k->adopt_arg, l->strays, l->stray_count) != ST_OK)
		log_error("settings would-drop why=\"%s\"", status_text(ST_NOMEM));
	for (size_t i = 0; i < l->stray_count; i++)
		free(l->strays[i].names);
	l->stray_count = 0; /* their names in the state are not what they were */
}

void keep_look_take(keep_t *k, keep_look_t *l)
{
	const uint32_t now = now_s();
	size_t more = 0;

	free(k->left);
	k->left = l->left;
	k->left_count = l->left_count;
	k->left_room = l->left_room;
	k->left_changed = l->outdated;
	l->left = NULL;
	for (size_t i = 0; i < l->stray_count; i++) {
		state_zone_t *zone = state_zone_find(k->state, l->strays[i].apex);

		if (zone && state_zone_is_left(zone))
			more += add(k, zone, now);
	}
	if (more > 0)
		log_notice("state left zones=%zu keep-removed=%u "
		           "why=\"the settings have them no more\"",
		           more, k->patience);
	k->left_changed |= more > 0;
	if (k->left_count > 0 || k->left_changed)
		sweep_in(k, SAVE_SECONDS);
}

/* --- life -------------------------------------------------------------------------------------- */

size_t keep_left_count(const keep_t *k)
{
	size_t count = 0;

	for (size_t i = 0; i < k->left_count; i++)
		count += k->left[i].since != FORGOTTEN && k->left[i].since != FORGOTTEN_NOW;
	return count;
}

void keep_left_init(keep_t *k)
{
	ev_init(&k->sweep, on_sweep);
	k->sweep.data = k;
	mailbox_open(&k->backs, k->loop, on_loaded, k);
}

void keep_left_detach(keep_t *k)
{
	ev_timer_stop(k->loop, &k->sweep);
	while (k->backs_under_way)
		forget_zone(k->backs_under_way);
	if (k->left_changed && keep_state(k))
		save_list(k);
}

void keep_left_free(keep_t *k)
{
	mailbox_close(&k->backs);
}
