/* refresh/wake.c - a start: the state is looked through, every zone is loaded, timers go on.
 *
 * The look through and the loading happen on threads of their own, one per core, that are gone
 * afterwards; the main thread only publishes. A zone can be asked for as soon as it is in. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "refresh/keeping.h"
#include "refresh/pin.h"
#include "refresh/zone.h"
#include "xfr/keep.h"

enum {
	PROGRESS_S = 5,     /* between lines while it loads */
	OVERDUE_PER_MS = 1, /* zones that were due while nobody ran, polled in a ms */
	OVERDUE_MOST_MS = 300 * 1000,
	UNDER_WAY_MOST = 64, /* batches */
	BATCH_MS = 2,        /* a zone waits for others of its batch */
	HANGS_S = 5,         /* a read takes as long: nobody waits for the disk any more */
};

/* A zone that was loaded, or not. */
typedef struct woken {
	zone_t *zone;
	zone_version_t *version; /* NULL: why */
	xfr_why_t why;
	uint32_t clocks_at, clocks_len; /* in the batch */
} woken_t;

/* Some of them: one mail for each would wake the main thread a hundred thousand times. */
enum { BATCH = 64 };
typedef struct batch {
	mail_t mail;
	size_t count;
	woken_t zones[BATCH];
	uint8_t *clocks;
	size_t clocks_len, clocks_room;
} batch_t;

typedef struct loader {
	pool_job_t job;
	wake_t *wake;
	batch_t *batch; /* that is being filled */
	mono_t began;   /* its first zone */
	xfr_keep_room_t *room;
} loader_t;

/* A zone that is to be loaded. Its rank lies beside it: where it is on the disk would be looked for again in each
 * comparison, all over the memory. */
typedef struct waiting {
	uint64_t rank; /* RANK_BIG, or more: it takes long */
	zone_t *zone;
} waiting_t;

static const uint64_t RANK_BIG = UINT64_MAX / 2;

struct wake {
	keep_t *keep;
	pool_t *pool;
	mailbox_t mail;
	pool_job_t job; /* the look through */
	mail_t scanned;
	state_scan_t scan;
	keep_look_t look;
	status_t status;
	int error;
	char why[256];

	waiting_t *zones; /* to be loaded, those that take long last */
	size_t count;
	_Atomic size_t next;
	_Atomic bool stop;
	_Atomic size_t under_way; /* batches */
	size_t left;              /* zones to be published yet */
	state_peer_t *peers;      /* room for those of any zone */
	size_t most_peers;
	loader_t *loaders;
	mono_t began, told;
	uint64_t records;
	size_t lost, outrun; /* zones */
	uint32_t overdue_ms;
	ev_timer patience;
	uint64_t reads; /* that had come back when it was looked last */

	keep_times_t times;
};

/* --- loaders' side ----------------------------------------------------------------------------- */

/* Into the batch: the main thread would free each alone, in an arena that is this thread's. */
static bool move_clocks(batch_t *b, woken_t *n, const xfr_kept_t *kept)
{
	const size_t need = b->clocks_len + kept->clocks_len;

	if (need > b->clocks_room) {
		const size_t room = need > 2 * b->clocks_room ? need : 2 * b->clocks_room;
		uint8_t *grown = realloc(b->clocks, room);

		if (!grown)
			return false;
		b->clocks = grown;
		b->clocks_room = room;
	}
	memcpy(b->clocks + b->clocks_len, kept->clocks, kept->clocks_len);
	n->clocks_at = (uint32_t)b->clocks_len;
	n->clocks_len = (uint32_t)kept->clocks_len;
	b->clocks_len = need;
	return true;
}

static void load(loader_t *l, zone_t *z)
{
	xfr_keep_spec_t spec = keep_spec(z);
	woken_t *n = &l->batch->zones[l->batch->count++];
	xfr_kept_t kept;

	spec.state = l->wake->keep->state;
	spec.zone = z->kept;
	spec.room = l->room;
	xfr_keep_load(&spec, &kept);
	*n = (woken_t){ .zone = z, .version = kept.version, .why = kept.why };
	if (n->version && !move_clocks(l->batch, n, &kept)) {
		zone_version_free(n->version);
		n->version = NULL;
		n->why = xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
	}
	free(kept.clocks);
}

/* Zones that were loaded and not published yet take memory twice: not too many of them. */
static void wait_for_main(const wake_t *w)
{
	while (atomic_load(&w->under_way) >= UNDER_WAY_MOST && !atomic_load(&w->stop))
		usleep(200);
}

/* NULL: it is to stop. Where there is no memory for some octets, there will be some. */
static batch_t *new_batch(wake_t *w)
{
	batch_t *b = NULL;

	wait_for_main(w);
	while (!atomic_load(&w->stop) && !(b = calloc(1, sizeof *b)))
		usleep(1000);
	if (b)
		atomic_fetch_add(&w->under_way, 1);
	return b;
}

static void hand_over(loader_t *l)
{
	if (l->batch)
		mailbox_send(&l->wake->mail, &l->batch->mail);
	l->batch = NULL;
}

static void run_loader(pool_job_t *job)
{
	loader_t *l = (loader_t *)(void *)job;
	wake_t *w = l->wake;
	size_t i;

	while (!atomic_load(&w->stop) &&
	       !(l->room = xfr_keep_room_new(w->keep->r->env->builders.slab)))
		usleep(1000);
	while (!atomic_load(&w->stop) && (i = atomic_fetch_add(&w->next, 1)) < w->count) {
		if (w->zones[i].rank >= RANK_BIG)
			hand_over(l); /* who is in would wait for it */
		if (!l->batch) {
			l->batch = new_batch(w);
			l->began = clock_mono();
		}
		if (!l->batch)
			break;
		load(l, w->zones[i].zone);
		if (l->batch->count == BATCH ||
		    clock_mono().ns - l->began.ns > BATCH_MS * NS_PER_MS)
			hand_over(l);
	}
	hand_over(l);
	xfr_keep_room_free(l->room);
}

static void run_scan(pool_job_t *job)
{
	wake_t *w = (wake_t *)(void *)((char *)job - offsetof(wake_t, job));

	w->status = state_scan(w->keep->state, &w->scan, w->why);
	w->error = errno;
	if (w->status == ST_OK)
		keep_look(w->keep, &w->look);
	mailbox_send(&w->mail, &w->scanned);
}

/* --- one zone that came ------------------------------------------------------------------------ */

/* Was something newer lost? Where octets are, nobody knows of which zone they were: it may be any. */
static bool is_doubtful(const wake_t *w, const zone_t *z, const state_clocks_t *c)
{
	return w->scan.damaged_places > 0 || w->scan.torn > 0 || state_zone_is_behind(z->kept) ||
	       c->serial != z->clock.serial;
}

static void ask_soon(const wake_t *w, zone_t *z)
{
	const int64_t ms = (int64_t)w->overdue_ms * refresh_spread(z) / 1000;

	z->clock.due = mono_min(z->clock.due, mono_add_ms(w->times.now.mono, ms));
}

/* False: its clocks can't be read. */
static bool serve(wake_t *w, const batch_t *b, const woken_t *n)
{
	zone_version_t *v = n->version;
	zone_t *z = n->zone;
	state_clocks_t clocks;

	if (state_clocks_get(b->clocks + n->clocks_at, n->clocks_len, &clocks, w->peers,
	                     w->most_peers) != ST_OK)
		return false;
	if (z->clock.loaded) { /* what its primary had gives way to what it is held at */
		z->edition++;
		keep_saved(w->keep, z);
	}
	keep_restore(w->keep, &w->times, z, &clocks, v, w->overdue_ms);
	pin_outlive(z, clock_mono());
	(void)refresh_clock_tick(&z->clock, clock_mono());
	zone_set_expires(z->slot, z->clock.expires);
	zone_set_restore(z->group->r->set, z->slot, v, z->clock.expired);
	w->records += zone_version_records(v);
	if (is_doubtful(w, z, &clocks)) {
		ask_soon(w, z);
		z->doubtful = true;
		w->keep->doubtful++;
	}
	if (z->clock.expired)
		told_expired(z);
	if (z->pinned)
		told_pinned(z, z->clock.serial, "it was before the restart");
	refresh_retired(z->group->r);
	return true;
}

static void lose(wake_t *w, const woken_t *n)
{
	char name[DNS_NAME_TEXT_MAX], text[XFR_WHY_TEXT_MAX];

	w->lost++;
	dns_name_text(n->zone->conf->apex, name);
	log_warn("state lost zone=%s next=\"it is transferred anew\" why=\"%s\"", name,
	         xfr_why_text(&n->why, text));
}

static void tell_progress(wake_t *w, mono_t now)
{
	if (mono_diff(w->told, now) < PROGRESS_S)
		return;
	w->told = now;
	log_info("state loading zones=%zu of=%zu records=%llu", w->count - w->left, w->count,
	         (unsigned long long)w->records);
}

/* Nobody waits for the state any more. */
static void let_go(keep_t *k)
{
	for (size_t i = 0; i < k->r->zone_count; i++) {
		if (k->r->zones[i]->stage == STAGE_LOADING)
			refresh_woken(k->r->zones[i]);
	}
}

/* --- a disk that hangs -------------------------------------------------------------------------- */

/* Primaries have what it keeps to itself. What comes of them is saved when the disk is back: until then there are who
 * read the state. */
static void hang(keep_t *k)
{
	char why[sizeof k->why];

	k->hangs = true;
	snprintf(why, sizeof why, "a read takes longer than %d s", HANGS_S);
	keep_failing(
		k, why,
		"what is loaded, and from memory what the primaries have; it is saved when the "
		"disk is back");
	let_go(k);
}

static void on_patience(struct ev_loop *loop, ev_timer *timer, int revents)
{
	wake_t *w = timer->data;
	bool waiting;
	const uint64_t reads = state_reads(w->keep->state, &waiting);

	(void)loop;
	(void)revents;
	if (waiting && reads == w->reads && !w->keep->hangs)
		hang(w->keep);
	w->reads = reads;
}

static void end_patience(wake_t *w)
{
	keep_t *k = w->keep;

	ev_timer_stop(k->loop, &w->patience);
	if (k->hangs) {
		k->hangs = false;
		keep_works(k);
	}
}

/* Its primary was asked meanwhile. True: and has said what is newest, unless an operator held it at something else. */
static bool is_outrun(wake_t *w, const batch_t *b, const woken_t *n)
{
	const bool held = n->version &&
	                  state_clocks_pinned(b->clocks + n->clocks_at, n->clocks_len);

	if (n->zone->clock.loaded && !held) {
		w->outrun++;
		return true;
	}
	if (n->zone->stage != STAGE_LOADING)
		refresh_lift(n->zone);
	return false;
}

/* All zones are in, or were given up. */
static void finish(wake_t *w)
{
	keep_t *k = w->keep;

	end_patience(w);
	log_notice("state loaded zones=%zu records=%llu lost=%zu seconds=%.3f dir=%s",
	           w->count - w->lost - w->outrun, (unsigned long long)w->records, w->lost,
	           mono_diff(w->began, clock_mono()), k->dir);
	keep_settle(k);
	keep_look_take(k, &w->look);
	ev_timer_start(k->loop, &k->bury);
	k->loaded = true;
	state_settled(k->state);
	if (k->doubtful == 0)
		state_healed(k->state);
	if (k->unsaved > 0)
		keep_retry_in(k, 0);
}

/* --- the loop's side --------------------------------------------------------------------------- */

/* Small ones as they lie on the disk, then big ones by size: most are served soonest so. */
enum { BIG = 1 << 20 };
static uint64_t rank(const zone_t *z)
{
	const uint64_t octets = state_zone_octets(z->kept);

	return octets < BIG ? state_zone_place(z->kept) : RANK_BIG + octets;
}

static int by_rank(const void *a, const void *b)
{
	const uint64_t x = ((const waiting_t *)a)->rank, y = ((const waiting_t *)b)->rank;

	return (x > y) - (x < y);
}

static void tell_scan(const wake_t *w)
{
	const state_scan_t *s = &w->scan;

	log_info("state found zones=%llu files=%u octets=%llu records=%llu orphans=%llu "
	         "seconds=%.3f dir=%s",
	         (unsigned long long)s->zones, s->files, (unsigned long long)s->octets,
	         (unsigned long long)s->records, (unsigned long long)s->orphans,
	         mono_diff(w->began, clock_mono()), w->keep->dir);
	if (s->damaged_places > 0)
		log_error("state damaged places=%u octets=%llu first=\"%s\" dir=%s "
		          "next=\"what is lost is transferred anew\"",
		          s->damaged_places, (unsigned long long)s->damaged, s->first_damage,
		          w->keep->dir);
	if (s->torn > 0)
		log_notice("state cut octets=%llu why=\"the last write was not finished\" dir=%s",
		           (unsigned long long)s->torn, w->keep->dir);
}

/* False: no memory. */
static bool gather(wake_t *w)
{
	refresh_t *r = w->keep->r;

	w->zones = calloc(r->zone_count + 1, sizeof *w->zones);
	if (!w->zones)
		return false;
	for (size_t i = 0; i < r->zone_count; i++) {
		zone_t *z = r->zones[i];

		if (z->group->conf->primary_count > w->most_peers)
			w->most_peers = z->group->conf->primary_count;
		if ((!z->clock.loaded || w->keep->hangs) && z->kept && state_zone_has(z->kept)) {
			/* Where the directory came late, the zone may be asked for already: what is
			 * on the disk comes first, and what was asked for is asked again. Where it
			 * hung, it may have come, and be held at something else there. */
			if (!z->clock.loaded)
				refresh_lift(z);
			w->zones[w->count++] = (waiting_t){ rank(z), z };
		} else if (z->stage == STAGE_LOADING) {
			refresh_woken(z);
		}
	}
	qsort(w->zones, w->count, sizeof *w->zones, by_rank);
	w->left = w->count;
	const uint64_t ms = w->count / OVERDUE_PER_MS;
	w->overdue_ms = ms < OVERDUE_MOST_MS ? (uint32_t)ms : OVERDUE_MOST_MS;
	return true;
}

static void start_loaders(wake_t *w, size_t threads)
{
	for (size_t i = 0; i < threads; i++) {
		w->loaders[i] = (loader_t){ .job = { .run = run_loader }, .wake = w };
		pool_push(w->pool, &w->loaders[i].job);
	}
}

static size_t cores(void)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (size_t)n : 1;
}

static void give_up(wake_t *w)
{
	keep_t *k = w->keep;

	ev_timer_stop(k->loop, &w->patience);
	k->hangs = false;
	keep_failing(k, w->status == ST_NOMEM ? "out of memory" : w->why,
	             "from memory, and nothing is saved");
	let_go(k);
	ev_timer_start(k->loop, &k->bury);
}

static void on_scanned(wake_t *w)
{
	keep_t *k = w->keep;

	if (w->status == ST_OK && state_start(k->state) != ST_OK) {
		snprintf(w->why, sizeof w->why, "no thread could be started");
		w->status = ST_SYSTEM;
	}
	if (w->status != ST_OK) {
		give_up(w);
		return;
	}
	k->writes = true;
	tell_scan(w);
	keep_times_look(k, &w->times);
	keep_look_adopt(k, &w->look);
	if (!gather(w)) {
		w->status = ST_NOMEM;
		give_up(w);
		return;
	}
	w->peers = calloc(w->most_peers + 1, sizeof *w->peers);
	if (!w->peers)
		w->most_peers = 0; /* then nothing is remembered of them */
	if (w->count == 0)
		finish(w);
	else
		start_loaders(w, cores());
}

static void take(wake_t *w, const batch_t *b, woken_t *n)
{
	const bool wanted = w->keep->r && !atomic_load(&w->stop) && !is_outrun(w, b, n);

	if (wanted && n->version && !serve(w, b, n)) {
		zone_version_free(n->version);
		n->version = NULL;
		n->why = xfr_why(XFR_WHY_STATE_DAMAGED, 0, 0);
	}
	if (wanted && !n->version)
		lose(w, n);
	if (wanted)
		refresh_woken(n->zone);
	else
		zone_version_free(n->version);
}

static void on_mail(void *arg, mail_t *mail)
{
	wake_t *w = arg;
	batch_t *b = (batch_t *)(void *)mail;

	if (mail == &w->scanned) {
		if (w->keep->r && !atomic_load(&w->stop))
			on_scanned(w);
		return;
	}
	for (size_t i = 0; i < b->count; i++)
		take(w, b, &b->zones[i]);
	w->left -= b->count;
	free(b->clocks);
	free(b);
	atomic_fetch_sub(&w->under_way, 1);
	if (!w->keep->r || atomic_load(&w->stop))
		return;
	tell_progress(w, clock_mono());
	if (w->left == 0)
		finish(w);
}

/* --- life -------------------------------------------------------------------------------------- */

static bool begin(keep_t *k)
{
	wake_t *w = calloc(1, sizeof *w);

	if (!w)
		return false;
	w->keep = k;
	w->began = w->told = clock_mono();
	w->loaders = calloc(cores(), sizeof *w->loaders);
	w->pool = w->loaders ? pool_new("secd-load", cores()) : NULL;
	if (!w->pool) {
		free(w->loaders);
		free(w);
		return false;
	}
	mailbox_open(&w->mail, k->loop, on_mail, w);
	ev_timer_init(&w->patience, on_patience, HANGS_S, HANGS_S);
	w->patience.data = w;
	ev_timer_start(k->loop, &w->patience);
	w->job.run = run_scan;
	k->wake = w;
	pool_push(w->pool, &w->job);
	return true;
}

void keep_wake_stop(keep_t *k)
{
	wake_t *w = k->wake;

	if (!w)
		return;
	k->wake = NULL;
	ev_timer_stop(k->loop, &k->bury);
	ev_timer_stop(k->loop, &w->patience);
	atomic_store(&w->stop, true);
	pool_free(w->pool);
	mailbox_close(&w->mail);
	free(w->zones);
	free(w->loaders);
	free(w->peers);
	keep_look_free(&w->look);
	free(w);
}

static status_t add_zones(keep_t *k)
{
	for (size_t i = 0; i < k->r->zone_count; i++) {
		zone_t *z = k->r->zones[i];

		z->kept = state_zone_add(k->state, zone_slot_apex(z->slot));
		if (!z->kept)
			return ST_NOMEM;
	}
	return ST_OK;
}

/* Zones that nobody has transferred meanwhile wait for the state. */
void keep_wake_up(keep_t *k)
{
	refresh_t *r = k->r;

	if (!k->state || add_zones(k) != ST_OK || !begin(k)) {
		for (size_t i = 0; i < r->zone_count; i++)
			refresh_woken(r->zones[i]);
		return;
	}
	for (size_t i = 0; i < r->zone_count; i++) {
		zone_t *z = r->zones[i];

		if (z->stage == STAGE_IDLE && !z->clock.loaded)
			z->stage = STAGE_LOADING;
	}
}

static void on_bury(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	keep_wake_stop(w->data);
}

void keep_wake_init(keep_t *k)
{
	ev_timer_init(&k->bury, on_bury, 0., 0.);
	k->bury.data = k;
	keep_settle_init(k);
}
