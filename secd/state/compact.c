/* state/compact.c - a file of which little is needed is copied, record by record, and removed.
 *
 * It is done by the writer between saves, a slice at a time, with pauses three times as long as the
 * slices: saves wait for one slice at most, and the disk is free most of the time. What was copied
 * counts when it is synced; until then, and whatever comes between, the old file stays. So does one in
 * which something is needed that can't be read: a later start may have more luck. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/grow.h"
#include "dns/name.h"
#include "state/inner.h"

enum {
	SLICE = 256 * 1024, /* octets looked through at a time */
	PAUSES = 3,         /* for each slice */
	PAUSE_LEAST_MS = 1,
	RETRY_MS = 10 * 1000, /* after the disk has refused */
	FILES_MOST = 16,      /* beside those that are full */
};

/* So much may be unneeded, beside as much as is needed. */
static const uint64_t SLACK = 16 << 20;

typedef struct move {
	state_zone_t *zone; /* NULL: of none */
	state_record_t record;
	state_place_t from, to;
} move_t;

struct state_compact {
	uint32_t number; /* of the file */
	unsigned losses; /* of the log, when it began */
	state_walk_t walk;
	move_t *moves;
	size_t count, room;
};

void state_compact_free(state_compact_t *c)
{
	if (!c)
		return;
	state_walk_end(&c->walk);
	free(c->moves);
	free(c);
}

/* --- which file -------------------------------------------------------------------------------- */

static bool better(const state_file_t *a, const state_file_t *b)
{
	return !b || (double)a->live * (double)b->size < (double)b->live * (double)a->size;
}

/* Until all is made good that may be lost, whatever was there at the start may tell the next one of it: by octets
 * that are no record, or by one that goes on from what is gone. */
static bool may_go(const state_t *s, const state_file_t *f)
{
	return f->number != s->log.number && !(f->stuck && f->live > 0) &&
	       (atomic_load(&s->healed) || state_index_fd(&s->index, f->number) < 0);
}

/* One that would be told as damaged at each start; the one of which the least share is needed; or, where there
 * are too many, the one of which the least is: two such go into one, while the smallest may be full, and its copy would
 * be the next smallest. What can't go does not count: others would be copied in vain. */
static const state_file_t *choose(const state_t *s)
{
	const state_file_t *emptiest = NULL, *least = NULL;
	uint64_t size = 0, live = 0;
	size_t count = 0;

	for (size_t i = 0; i < s->index.file_count; i++) {
		const state_file_t *f = &s->index.files[i];

		if (!may_go(s, f))
			continue;
		if (f->damaged)
			return f;
		size += f->size;
		live += f->live;
		count++;
		if (better(f, emptiest))
			emptiest = f;
		if (!least || f->live < least->live)
			least = f;
	}
	if (emptiest && (emptiest->live == 0 || size > 2 * live + SLACK))
		return emptiest;
	return count > FILES_MOST + 2 * (live / s->conf.segment) ? least : NULL;
}

/* --- copying ----------------------------------------------------------------------------------- */

static status_t remember(state_compact_t *c, const move_t *move)
{
	move_t *grown = grow(c->moves, c->count, &c->room, sizeof *grown);

	if (!grown)
		return ST_NOMEM;
	c->moves = grown;
	c->moves[c->count++] = *move;
	return ST_OK;
}

/* ... of which zone, unless it is of none. */
static bool is_needed(state_t *s, move_t *move, const uint8_t *apex)
{
	const state_place_t left = s->index.left;

	if (move->record.kind == STATE_GONE)
		return left.file == move->from.file && left.at == move->from.at;
	move->zone = state_index_zone(&s->index, apex, false, false);
	return move->zone && state_index_needs(move->zone, &move->record, move->from);
}

static status_t copy(state_t *s, const state_record_t *r, state_place_t from, const uint8_t *body)
{
	const struct iovec all = { (void *)(uintptr_t)body, r->len };
	move_t move = { .record = *r, .from = from };
	buf_t at = buf_over(body, r->len);
	const uint8_t *apex = dns_wire_take(&at);

	if (!apex || !is_needed(s, &move, apex))
		return ST_OK;
	if (state_log_append(s, &move.record, &all, 1, &move.to) < 0)
		return ST_SYSTEM;
	return remember(s->compact, &move);
}

/* ST_OK: there is more; ST_NOENT: that was all. */
static status_t copy_slice(state_t *s)
{
	state_walk_t *w = &s->compact->walk;
	const uint64_t until = w->at + SLICE;
	status_t st = ST_OK;

	while (st == ST_OK && w->at < until) {
		state_record_t r;
		const uint8_t *body;
		uint64_t at;

		st = state_walk_next(w, &r, &at, &body);
		if (st == ST_SYSTEM) /* others need not wait until it can be read */
			state_index_file(&s->index, w->number)->stuck = true;
		if (st != ST_OK)
			break;
		const state_place_t from = { w->number, (uint32_t)(at / STATE_ALIGN),
			                     (uint32_t)(state_record_size(r.len) / STATE_ALIGN) };
		st = copy(s, &r, from, body);
	}
	return st;
}

/* --- the end of a file ------------------------------------------------------------------------- */

static void forget(state_t *s, uint32_t number)
{
	state_file_t *f = state_index_file(&s->index, number);

	s->disk->calls->close(s->disk, f->fd);
	state_index_forget_file(&s->index, number);
	state_file_unlink(s->disk, STATE_FILE_LOG, number);
}

/* All is copied. What can't be read of it any more, but is needed, keeps it. */
static status_t finish(state_t *s)
{
	state_compact_t *c = s->compact;

	if (state_log_sync(s) < 0 || s->losses != c->losses) /* copies were lost with it */
		return ST_SYSTEM;
	for (size_t i = 0; i < c->count; i++) {
		const move_t *m = &c->moves[i];

		if (m->zone)
			state_index_moved(&s->index, m->zone, &m->record, m->from, m->to);
		else
			state_index_left_moved(&s->index, m->from, m->to);
	}
	state_file_t *f = state_index_file(&s->index, c->number);
	f->stuck = f->live > 0;
	if (!f->stuck)
		forget(s, c->number);
	return ST_OK;
}

static status_t begin(state_t *s, const state_file_t *f)
{
	state_compact_t *c = calloc(1, sizeof *c);

	if (!c)
		return ST_NOMEM;
	c->number = f->number;
	c->losses = s->losses;
	state_walk_begin(&c->walk, s->disk, f->fd, f->number, f->size);
	s->compact = c;
	return ST_OK;
}

static int give_up(state_t *s)
{
	state_compact_free(s->compact);
	s->compact = NULL;
	return RETRY_MS;
}

int state_compact_step(state_t *s)
{
	const mono_t began = clock_mono();
	const state_file_t *f = NULL;
	status_t st;

	if (!atomic_load(&s->settled))
		return -1;
	if (!s->compact) {
		f = choose(s);
		if (!f)
			return -1;
		if (f->live == 0) {
			forget(s, f->number);
			return PAUSE_LEAST_MS;
		}
		if (begin(s, f) != ST_OK)
			return RETRY_MS;
	}
	if (s->losses != s->compact->losses) /* a save's sync has failed, and copies were in it */
		return give_up(s);
	st = copy_slice(s);
	if (st == ST_NOENT) {
		if (finish(s) != ST_OK)
			return give_up(s);
		state_compact_free(s->compact);
		s->compact = NULL;
	} else if (st != ST_OK) {
		const state_file_t *left = state_index_file(&s->index, s->compact->number);
		const int retry = give_up(s);

		return left->stuck ? PAUSE_LEAST_MS : retry;
	}
	return PAUSE_LEAST_MS + (int)(PAUSES * (clock_mono().ns - began.ns) / NS_PER_MS);
}
