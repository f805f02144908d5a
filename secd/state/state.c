/* state/state.c - life, and the main thread's end of the queue. */
#include "state/state.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "state/inner.h"

state_t *state_new(const state_conf_t *conf)
{
	state_t *s = calloc(1, sizeof *s);

	if (!s || state_index_open(&s->index) != ST_OK || !(s->sealer = state_sealer_new())) {
		if (s)
			state_index_close(&s->index);
		free(s);
		conf->disk->calls->free(conf->disk);
		return NULL;
	}
	s->conf = *conf;
	if (s->conf.segment == 0)
		s->conf.segment = STATE_SEGMENT;
	s->index.past_share = conf->past_share;
	s->disk = conf->disk;
	s->log.fd = -1;
	state_queue_open(&s->saves);
	state_queue_open(&s->files);
	return s;
}

static void stop_queue(state_queue_t *q)
{
	if (!q->running)
		return;
	state_queue_stop(q);
	pthread_join(q->thread, NULL);
	q->running = false;
}

void state_stop(state_t *s)
{
	if (!s)
		return;
	stop_queue(&s->files); /* what it has goes on to the writer */
	stop_queue(&s->saves);
}

void state_free(state_t *s)
{
	if (!s)
		return;
	state_stop(s);
	state_compact_free(s->compact);
	for (size_t i = 0; i < s->index.file_count; i++)
		s->disk->calls->close(s->disk, s->index.files[i].fd);
	state_index_close(&s->index);
	state_queue_close(&s->saves);
	state_queue_close(&s->files);
	state_sealer_free(s->sealer);
	free(s->pending);
	free(s->left);
	s->disk->calls->free(s->disk);
	free(s);
}

state_zone_t *state_zone_add(state_t *s, const uint8_t *apex)
{
	return state_index_zone(&s->index, apex, true, false);
}

const uint8_t *state_left(const state_t *s, size_t *len)
{
	*len = s->left_len;
	return s->left;
}

status_t state_zone_leave(state_t *s, state_zone_t *z)
{
	return state_index_leave(&s->index, z);
}

state_zone_t *state_zone_find(state_t *s, const uint8_t *apex)
{
	return state_index_zone(&s->index, apex, false, false);
}

void state_zones_each(state_t *s, void (*each)(void *arg, state_zone_t *z), void *arg)
{
	state_index_each(&s->index, each, arg);
}

bool state_zone_is_left(const state_zone_t *z)
{
	return z->orphan;
}

const uint8_t *state_zone_apex(const state_zone_t *z)
{
	return z->apex;
}

static status_t start_thread(state_t *s, state_queue_t *q, void *(*run)(void *), const char *name)
{
	sigset_t all, before;

	sigfillset(&all); /* signals belong to the main thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	q->running = pthread_create(&q->thread, NULL, run, s) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (q->running)
		pthread_setname_np(q->thread, name);
	return q->running ? ST_OK : ST_SYSTEM;
}

status_t state_start(state_t *s)
{
	status_t st = start_thread(s, &s->saves, state_writer_run, "secd-state");

	return st == ST_OK ? start_thread(s, &s->files, state_files_run, "secd-sync") : st;
}

const state_times_t *state_times(const state_t *s)
{
	return &s->times;
}

void state_settled(state_t *s)
{
	atomic_store(&s->settled, true);
	state_queue_wake(&s->saves);
}

void state_healed(state_t *s)
{
	atomic_store(&s->healed, true);
	state_queue_wake(&s->saves);
}

uint32_t state_zone_queued(const state_zone_t *z)
{
	return z->queued;
}

static void note_beside(const state_save_t *save)
{
	assert(save->zone->beside < UINT16_MAX); /* a few, as long as a disk is waited for */
	save->zone->beside = (uint16_t)(save->zone->beside + save->beside);
}

void state_save(state_t *s, state_save_t *save)
{
	state_zone_t *z = save->zone;
	const state_draft_t *d = save->draft;

	if (save->what == STATE_SAVE_LEFT) {
		save->stamp = ++s->last_left;
		state_queue_push(&s->saves, save);
		return;
	}
	if (save->what == STATE_SAVE_DROP) {
		z->queued = 0;
		state_queue_push(&s->saves, save);
		return;
	}
	save->stamp = ++z->last_stamp;
	save->from = d && d->delta ? z->queued : 0;
	if (!d) {
		save->version = z->queued;
	} else if (save->version == 0) {
		save->version = ++z->last;
		z->queued = save->version;
	}
	/* What comes behind a big version goes the same way, so that it does not overtake it. */
	save->beside = (d && d->fd >= 0) || z->beside > 0;
	note_beside(save);
	state_queue_push(save->beside ? &s->files : &s->saves, save);
}

void state_ask(state_t *s, state_save_t *save)
{
	/* The newest version may be a big one that is on its way. */
	save->beside = save->list->newest && save->zone->beside > 0;
	note_beside(save);
	state_queue_push(save->beside ? &s->files : &s->saves, save);
}

state_save_t *state_save_of(mail_t *mail)
{
	state_save_t *save = (state_save_t *)(void *)mail;

	if (save->zone)
		save->zone->beside = (uint16_t)(save->zone->beside - save->beside);
	save->beside = false;
	return save;
}

void state_stats(const state_t *s, state_stats_t *out)
{
	*out = (state_stats_t){
		.octets = atomic_load(&s->octets),
		.live = atomic_load(&s->live),
		.files = atomic_load(&s->file_count),
	};
}
