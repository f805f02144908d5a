/* refresh/keep.c - saves: versions, clocks, and anew what a full disk would not take. */
#include "refresh/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"
#include "refresh/keeping.h"
#include "refresh/pin.h"
#include "refresh/terms.h"
#include "refresh/zone.h"
#include "xfr/keep.h"
#include "zone/hold.h"

#define FLUSH_SECONDS 0.4 /* until what was learnt is written: durable within a second */

enum {
	RETRY_FIRST_S = 1, /* after a failed write, doubled each time ... */
	RETRY_MOST_S = 32,
	ANEW_MOST = 4,    /* zones being packed at once */
	LOOK_MOST = 1024, /* zones looked at for one of them, each time */
};

/* --- clocks ------------------------------------------------------------------------------------ */

state_instant_t keep_now(const keep_t *k)
{
	return (state_instant_t){
		.boot = k->boot,
		.mono = clock_mono(),
		.wall_ms = clock_wall_ms(),
		.synced = clock_is_synced(),
	};
}

static mono_t of_seconds(uint32_t s)
{
	return (mono_t){ (int64_t)s * NS_PER_S };
}

static state_text_t text_of(const char *text)
{
	state_text_t t = { 0 };
	const size_t len = strlen(text);

	t.len = (uint8_t)(len < STATE_TEXT_MAX ? len : STATE_TEXT_MAX);
	memcpy(t.text, text, t.len);
	return t;
}

static state_peer_t peer_of(const zone_t *z, size_t i)
{
	const round_peer_t *p = &z->peers[i];

	return (state_peer_t){
		.name = text_of(z->group->conf->primaries[i]->name),
		.serial = p->serial,
		.refused = p->refused,
		.shown = p->shown,
		.has_refused = p->has_refused,
		.delta_failures = p->delta_failures,
		.address = p->address,
		.seen = of_seconds(p->seen),
		.failed_at = of_seconds(p->failed_at),
		.no_delta_until = of_seconds(p->no_delta_until),
		.plain_until = of_seconds(p->plain_until),
		.why = text_of(xfr_why_name(p->why.code)),
		.why_type = p->why.type,
		.why_a = p->why.a,
		.why_b = p->why.b,
	};
}

/* A save with the zone's clocks in it; NULL: no memory. */
static state_save_t *new_save(const keep_t *k, zone_t *z, const keep_facts_t *facts)
{
	const refresh_clock_t *c = facts->clock;
	const size_t count = z->group->conf->primary_count;
	state_peer_t *peers = calloc(count, sizeof *peers);
	state_clocks_t clocks = {
		.at = keep_now(k),
		.serial = c->serial,
		.expired = c->expired,
		.accepted = facts->accepted,
		.pinned = facts->pinned,
		.unexpiring = facts->unexpiring,
		.copy = facts->copy,
		.pinned_at = facts->pinned_at,
		.failures = c->failures,
		.checked = of_seconds(c->checked),
		.expires = c->expires,
		.outrun = c->outrun,
		.loaded_at = of_seconds(facts->loaded_at),
		.octets = facts->octets,
		.ms = facts->ms,
		.how = text_of(facts->how),
		.peer_count = (uint16_t)count,
		.peers = peers,
	};

	if (!peers)
		return NULL;
	if (facts->source != ROUND_NO_SOURCE)
		clocks.source = text_of(z->group->conf->primaries[facts->source]->name);
	for (size_t i = 0; i < count; i++)
		peers[i] = peer_of(z, i);
	state_save_t *save = calloc(1, sizeof *save + state_clocks_room(&clocks));
	if (save) {
		save->zone = z->kept;
		save->serial = c->serial;
		save->clocks_len = (uint32_t)state_clocks_put(&clocks, save->clocks);
	}
	free(peers);
	return save;
}

static keep_facts_t facts_of(const zone_t *z)
{
	return (keep_facts_t){
		.clock = &z->clock,
		.source = z->source,
		.accepted = z->accepted,
		.pinned = z->pinned,
		.unexpiring = z->unexpiring,
		.pinned_at = z->pinned_at,
		.how = told_how((xfr_outcome_t)z->how),
		.octets = z->octets,
		.ms = z->ms,
		.loaded_at = z->loaded_at,
	};
}

/* --- versions ---------------------------------------------------------------------------------- */

static keep_note_t *new_note(keep_t *k, zone_t *z, keep_kind_t kind, void *arg)
{
	keep_note_t *note = calloc(1, sizeof *note);

	if (!note)
		return NULL;
	*note = (keep_note_t){ .kind = kind, .zone = z, .edition = z ? z->edition : 0, .arg = arg };
	note->next = k->notes;
	if (note->next)
		note->next->before = &note->next;
	note->before = &k->notes;
	k->notes = note;
	return note;
}

static keep_note_t *submit(keep_t *k, zone_t *z, keep_kind_t kind, state_save_t *save, void *arg)
{
	keep_note_t *note = new_note(k, z, kind, arg);

	if (!note) {
		state_draft_free(save->draft);
		free(save);
		return NULL;
	}
	save->arg = note;
	state_save(k->state, save);
	return note;
}

static void free_note(keep_note_t *note)
{
	*note->before = note->next;
	if (note->next)
		note->next->before = note->before;
	free(note);
}

static keep_note_t *save_version(keep_t *k, zone_t *z, keep_kind_t kind, state_draft_t *draft,
                                 uint32_t serial, const keep_facts_t *facts, void *arg)
{
	const bool baseless = draft && state_draft_is_delta(draft) && z->unsaved;
	const bool takes = keep_state(k) && z->kept && draft && !baseless;
	state_save_t *save = takes ? new_save(k, z, facts) : NULL;

	if (!save) {
		state_draft_free(draft);
		return NULL;
	}
	save->draft = draft;
	save->serial = serial;
	return submit(k, z, kind, save, arg);
}

keep_note_t *keep_version(keep_t *k, zone_t *z, state_draft_t *draft, uint32_t serial,
                          const keep_facts_t *facts, void *arg)
{
	return save_version(k, z, KEEP_VERSION, draft, serial, facts, arg);
}

keep_note_t *keep_pinned(keep_t *k, zone_t *z, state_draft_t *draft, uint32_t serial,
                         const keep_facts_t *facts, void *arg)
{
	return save_version(k, z, KEEP_PINNED, draft, serial, facts, arg);
}

bool keep_ask(keep_t *k, zone_t *z, state_list_t *list, void *arg)
{
	state_save_t *save = keep_state(k) && z->kept ? calloc(1, sizeof *save) : NULL;
	keep_note_t *note = save ? new_note(k, z, list->newest ? KEEP_BACK : KEEP_ASK, arg) : NULL;

	if (!note) {
		free(save);
		return false;
	}
	save->zone = z->kept;
	save->list = list;
	save->arg = note;
	state_ask(k->state, save);
	return true;
}

bool keep_submit(keep_t *k, keep_kind_t kind, state_save_t *save)
{
	return submit(k, NULL, kind, save, NULL) != NULL;
}

void keep_early(keep_note_t *note)
{
	note->arg = NULL;
}

void keep_forget(keep_note_t *note)
{
	note->zone = NULL;
}

bool keep_is_relaxed(const keep_t *k)
{
	return k->relaxed;
}

state_t *keep_state(const keep_t *k)
{
	return k && k->writes && !k->slow && !k->hangs ? k->state : NULL;
}

bool keep_is_saving(const zone_t *z)
{
	return (z->follow && z->follow->saving) || z->stage == STAGE_LOADING;
}

xfr_keep_spec_t keep_spec(const zone_t *z)
{
	const conf_policy_t *p = &z->group->conf->policy;

	return (xfr_keep_spec_t){
		.key = zone_set_key(z->group->r->set),
		.apex = zone_slot_apex(z->slot),
		.limits = { p->max_records, p->max_size, p->max_rrset, p->max_rrsets },
		.gates = terms_gates(&p->gates),
		.accepted = terms_accepted(&p->gates),
		.now = clock_wall_coarse(),
	};
}

/* --- anew -------------------------------------------------------------------------------------- */

/* A zone that is packed once more: held here, packed by a builder, saved from here. */
struct keep_anew {
	pool_job_t job;
	mail_t mail;
	keep_t *keep;
	keep_anew_t *next, **before; /* of k->packing */
	zone_t *zone;                /* NULL: it is gone */
	zone_hold_t *hold;
	uint16_t edition;
	uint32_t version; /* of the state; 0: it has none of it */
	state_draft_t *draft;
};

static keep_anew_t *anew_of_job(pool_job_t *job)
{
	return (keep_anew_t *)(void *)((char *)job - offsetof(keep_anew_t, job));
}

static void pack(pool_job_t *job)
{
	keep_anew_t *a = anew_of_job(job);

	a->draft = xfr_keep_whole(a->keep->state, zone_hold_version(a->hold));
	zone_hold_free(a->hold);
	a->hold = NULL;
	mailbox_send(&a->keep->packed, &a->mail);
}

static void save_anew(keep_t *k, zone_t *z)
{
	const zone_version_t *v = zone_slot_version(z->slot);
	/* With a version on its way, that one is saved; if it should have to be anew, that is seen then. And
	 * where nobody knows how old it is, the clocks on the disk are better than any that we have. */
	const bool busy = z->anew || z->unsure != 0 || keep_is_saving(z) || !z->kept;
	keep_anew_t *a = v && !busy ? calloc(1, sizeof *a) : NULL;

	if (!a)
		return;
	a->keep = k;
	a->zone = z;
	a->edition = z->edition;
	/* What is served is what was queued last: with durability relaxed, it need not have come back. */
	a->version = z->unsaved ? 0 : state_zone_queued(z->kept);
	a->job.run = pack;
	a->hold = zone_hold_new(v);
	if (!a->hold) {
		free(a);
		return;
	}
	a->next = k->packing;
	if (a->next)
		a->next->before = &a->next;
	a->before = &k->packing;
	k->packing = a;
	z->anew = true;
	k->anew++;
	pool_push(k->builders, &a->job);
}

/* It may have been overtaken: then it is out of date, or saved. */
static void on_packed(void *arg, mail_t *mail)
{
	keep_t *k = arg;
	keep_anew_t *a = (keep_anew_t *)(void *)((char *)mail - offsetof(keep_anew_t, mail));
	zone_t *z = k->r ? a->zone : NULL;
	state_save_t *save = NULL;

	*a->before = a->next;
	if (a->next)
		a->next->before = a->before;
	k->anew--;
	if (z) {
		const keep_facts_t facts = facts_of(z);

		z->anew = false;
		if (a->draft && z->edition == a->edition && z->unsaved == (a->version == 0) &&
		    !keep_is_saving(z))
			save = new_save(k, z, &facts);
	}
	if (save) {
		save->draft = a->draft;
		save->version = a->version;
		(void)submit(k, z, KEEP_ANEW, save, NULL);
	} else {
		state_draft_free(a->draft);
	}
	free(a);
}

void keep_unsaved(keep_t *k, zone_t *z)
{
	if (z->unsaved)
		return;
	z->unsaved = true;
	k->unsaved++;
	if (!ev_is_active(&k->retry))
		keep_retry_in(k, k->backoff);
}

void keep_saved(keep_t *k, zone_t *z)
{
	k->unsaved -= z->unsaved;
	z->unsaved = false;
}

void keep_retry_in(keep_t *k, unsigned seconds)
{
	ev_timer_stop(k->loop, &k->retry);
	ev_timer_set(&k->retry, seconds, 0.);
	ev_timer_start(k->loop, &k->retry);
}

/* Some of those that are not saved, as far as look zones tell: while the disk fails, one is enough to see
 * whether it does. */
static void save_some(keep_t *k, size_t look)
{
	const size_t count = k->r && keep_state(k) ? k->r->zone_count : 0;
	const size_t most = k->failing ? 1 : ANEW_MOST;

	for (size_t i = 0; i < look && i < count && k->unsaved > 0 && k->anew < most; i++) {
		zone_t *z = k->r->zones[k->next_unsaved++ % count];

		if (z->unsaved)
			save_anew(k, z);
	}
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	keep_t *k = w->data;

	(void)loop;
	(void)revents;
	if (!k->state) {
		keep_reopen(k);
		return;
	}
	save_some(k, SIZE_MAX);
	if (k->unsaved > 0)
		keep_retry_in(k, k->backoff);
}

/* --- what comes back --------------------------------------------------------------------------- */

static const char saved_later[] = "from memory, and saved when the disk takes it";

void keep_slow(keep_t *k, unsigned seconds)
{
	char why[sizeof k->why];

	k->slow = true;
	snprintf(why, sizeof why, "a write takes longer than %u s", seconds);
	keep_failing(k, why, saved_later);
}

static void flush_in(keep_t *k, double seconds)
{
	ev_timer_stop(k->loop, &k->flush);
	ev_timer_set(&k->flush, seconds, 0.);
	ev_timer_start(k->loop, &k->flush);
}

void keep_works(keep_t *k)
{
	k->backoff = RETRY_FIRST_S;
	if (!k->failing || k->hangs || k->slow)
		return;
	k->failing = false;
	if (ev_is_active(&k->flush))
		flush_in(k, FLUSH_SECONDS);
	log_notice("state works-again dir=%s unsaved=%zu", k->dir, k->unsaved);
}

/* What waited together fails together: it is one failure that makes the next try wait for longer. */
static void fail(keep_t *k, const state_save_t *save)
{
	const mono_t now = clock_mono();

	if (!k->failing) {
		k->backed_off = now;
	} else if (mono_diff(k->backed_off, now) >= k->backoff) {
		k->backed_off = now;
		k->backoff = k->backoff * 2 < RETRY_MOST_S ? k->backoff * 2 : RETRY_MOST_S;
	}
	keep_failing(k, strerror(save->error), saved_later);
}

static void came_back(keep_t *k, keep_note_t *note, const state_save_t *save)
{
	const bool ok = save->status == ST_OK;
	zone_t *z = note->zone;

	switch (note->kind) {
	case KEEP_VERSION:
		publish_saved(note->arg, z, ok, note->edition);
		break;
	case KEEP_ANEW:
		if (ok && z->edition == note->edition)
			keep_saved(k, z);
		break;
	case KEEP_PINNED:
		pin_saved(note->arg, ok);
		break;
	case KEEP_CLOCKS:
		if (!ok)
			keep_touch(k, z);
		break;
	case KEEP_ASK:
	case KEEP_BACK:
	case KEEP_LEFT:
	case KEEP_DROP:
		break;
	}
	if (ok && save->is_long && !z->unsaved)
		save_anew(k, z);
}

static void on_done(void *arg, mail_t *mail)
{
	keep_t *k = arg;
	state_save_t *save = state_save_of(mail);
	keep_note_t *note = save->arg;

	if (note->kind == KEEP_ASK || note->kind == KEEP_BACK || note->kind == KEEP_DROP) {
		if (note->kind == KEEP_ASK)
			pin_listed(note->arg, save->status, save->error);
		else if (note->kind == KEEP_BACK)
			keep_back_listed(k, note->arg, save->status);
		free_note(note);
		free(save);
		return;
	}
	k->slow = false;
	if (save->status == ST_OK)
		keep_works(k);
	else if (save->error != ESTALE)
		fail(k, save);
	if (note->kind == KEEP_LEFT)
		keep_left_saved(k, save->status == ST_OK);
	if (k->r && note->zone)
		came_back(k, note, save);
	free_note(note);
	free(save);
	if (k->unsaved > 0 && !k->failing)
		save_some(k, LOOK_MOST);
}

/* --- clocks, in time --------------------------------------------------------------------------- */

void keep_touch(keep_t *k, zone_t *z)
{
	zone_t **grown;

	if (!k || z->dirty || !z->clock.loaded)
		return;
	grown = grow(k->dirty, k->dirty_count, &k->dirty_room, sizeof(zone_t *));
	if (!grown)
		return; /* the next check tries again */
	k->dirty = grown;
	z->dirty = true;
	k->dirty[k->dirty_count++] = z;
	if (!ev_is_active(&k->flush))
		flush_in(k, k->failing ? k->backoff : FLUSH_SECONDS);
}

/* Clocks of what is on the disk, as long as what is served is that. A version that is being saved
 * brings its own; of one whose times are unsure, those on the disk are better. */
static bool is_plain(const zone_t *z)
{
	return !z->unsaved && z->unsure == 0 && z->kept && !keep_is_saving(z);
}

void keep_save_clocks(keep_t *k, zone_t *z)
{
	const keep_facts_t facts = facts_of(z);
	state_save_t *save = new_save(k, z, &facts);

	z->dirty = false;
	if (save)
		(void)submit(k, z, KEEP_CLOCKS, save, NULL);
}

keep_note_t *keep_mark(keep_t *k, zone_t *z, void *arg)
{
	const keep_facts_t facts = facts_of(z);
	state_save_t *save = keep_state(k) && is_plain(z) ? new_save(k, z, &facts) : NULL;

	return save ? submit(k, z, KEEP_PINNED, save, arg) : NULL;
}

static void on_flush(struct ev_loop *loop, ev_timer *w, int revents)
{
	keep_t *k = w->data;
	zone_t **dirty = k->dirty;
	const size_t count = k->dirty_count;

	(void)loop;
	(void)revents;
	k->dirty = NULL;
	k->dirty_count = k->dirty_room = 0;
	for (size_t i = 0; i < count; i++) {
		zone_t *z = dirty[i];

		if (keep_state(k) && is_plain(z)) {
			keep_save_clocks(k, z);
		} else if (k->slow || k->hangs || keep_is_saving(z)) {
			z->dirty = false;
			keep_touch(k, z);
		} else {
			z->dirty = false;
		}
	}
	free(dirty);
}

/* --- zones that come and go -------------------------------------------------------------------- */

/* A zone that was taken out has a slot of nobody. */
static zone_t *found(const zone_t *z)
{
	return z ? zone_slot_user(z->slot) : NULL;
}

void keep_rebind(keep_t *k)
{
	size_t kept = 0;

	if (!k)
		return;
	for (keep_note_t *n = k->notes; n; n = n->next)
		n->zone = found(n->zone);
	for (keep_anew_t *a = k->packing; a; a = a->next)
		a->zone = found(a->zone);
	for (size_t i = 0; i < k->dirty_count; i++) {
		zone_t *z = found(k->dirty[i]);

		if (z)
			k->dirty[kept++] = z;
	}
	k->dirty_count = kept;
	keep_left_rebind(k);
}

bool keep_is_loading(const keep_t *k)
{
	return k->wake != NULL;
}

/* --- life -------------------------------------------------------------------------------------- */

keep_t *keep_new(struct ev_loop *loop, const keep_conf_t *conf, pool_t *builders)
{
	keep_t *k = calloc(1, sizeof *k);

	if (!k)
		return NULL;
	k->dir = strdup(conf->dir);
	if (!k->dir) {
		free(k);
		return NULL;
	}
	k->loop = loop;
	k->relaxed = conf->relaxed;
	k->old_versions = conf->old_versions;
	k->share_most = conf->share_most;
	k->adopt = conf->adopt;
	k->adopt_arg = conf->arg;
	k->builders = builders;
	k->boot = clock_boot();
	k->backoff = RETRY_FIRST_S;
	ev_init(&k->flush, on_flush);
	ev_init(&k->retry, on_retry);
	k->flush.data = k->retry.data = k;
	keep_wake_init(k);
	keep_left_init(k);
	k->patience = conf->keep_removed;
	mailbox_open(&k->done, loop, on_done, k);
	mailbox_open(&k->packed, loop, on_packed, k);
	mailbox_open(&k->pins, loop, pin_on_loaded, k);
	return k;
}

void keep_detach(keep_t *k)
{
	if (!k)
		return;
	ev_timer_stop(k->loop, &k->flush);
	if (k->dirty_count > 0) /* what was learnt in the last moment */
		on_flush(k->loop, &k->flush, 0);
	ev_timer_stop(k->loop, &k->flush);
	ev_timer_stop(k->loop, &k->retry);
	ev_timer_stop(k->loop, &k->settle);
	keep_wake_stop(k);
	keep_left_detach(k);
	k->r = NULL;
}

void keep_free(keep_t *k)
{
	if (!k)
		return;
	mailbox_close(&k->packed);
	mailbox_close(&k->pins);
	keep_left_free(k);
	state_stop(k->state);
	mailbox_close(&k->done); /* its mails are of zones of the state */
	state_free(k->state);
	free(k->dirty);
	free(k->left);
	free(k->dir);
	free(k);
}

void keep_report(const keep_t *k, keep_report_t *out)
{
	*out = (keep_report_t){
		.dir = k->dir,
		.open = k->state != NULL,
		.loading = k->wake != NULL,
		.hangs = k->hangs,
		.unsaved = k->unsaved,
		.left = keep_left_count(k),
		.why = k->failing ? k->why : NULL,
	};
	if (k->state)
		state_stats(k->state, &out->stats);
}
