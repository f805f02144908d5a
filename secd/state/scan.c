/* state/scan.c - every record of every file, once, in the order in which they were written. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/grow.h"
#include "dns/name.h"
#include "state/inner.h"

/* What can't be read now may be read at the next start. Its numbers must not be given again. */
enum { SKIPPED = 1 << 16 };

typedef struct found {
	uint32_t number;
	state_file_kind_t kind;
	bool named; /* a record says that a zone lies in it */
	int fd;     /* of a log, until the index has it; -1: it is not open */
	uint64_t size;
} found_t;

typedef struct scan {
	state_t *s;
	state_scan_t *out;
	char *why;
	found_t *files;
	size_t count, room;
	uint32_t last_number; /* of a file that is there, or was */
	status_t status;
} scan_t;

static void on_name(void *arg, const char *name)
{
	scan_t *c = arg;
	found_t f = { .fd = -1 }, *grown;

	if (c->status != ST_OK || !state_file_parse(name, &f.kind, &f.number))
		return;
	grown = grow(c->files, c->count, &c->room, sizeof *grown);
	if (!grown) {
		c->status = ST_NOMEM;
		return;
	}
	c->files = grown;
	c->files[c->count++] = f;
}

static int by_number(const void *a, const void *b)
{
	const found_t *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind); /* one of them is none of ours */
}

static status_t system_failure(scan_t *c, int err, const char *name)
{
	snprintf(c->why, 256, "%s%s%s", name, *name ? ": " : "", strerror(err));
	errno = err;
	return ST_SYSTEM;
}

/* Open a file and look at its head: a descriptor in *fd. A damaged head costs nothing but itself. */
static status_t open_file(scan_t *c, const found_t *f, int *fd, uint64_t *size)
{
	state_disk_t *d = c->s->disk;
	char name[STATE_NAME_MAX];
	uint8_t octets[STATE_FILE_HEAD];
	state_file_head_t head;
	int64_t len;

	state_file_name(f->kind, f->number, name);
	*fd = d->calls->open(d, name);
	len = *fd < 0 ? *fd : d->calls->size(d, *fd);
	if (len >= 0 && state_disk_read(d, *fd, octets, sizeof octets, 0) == sizeof octets &&
	    state_file_head_get(octets, &head) == ST_REFUSED) {
		snprintf(c->why, 256,
		         "%s is of format %u, and this secd knows %u: it was written by a newer "
		         "one, "
		         "which is to be started again, or another state-dir",
		         name, head.format, STATE_FORMAT);
		d->calls->close(d, *fd);
		*fd = -1;
		return ST_REFUSED;
	}
	if (len < 0) {
		if (*fd >= 0)
			d->calls->close(d, *fd);
		*fd = -1;
		return system_failure(c, (int)-len, name);
	}
	*size = (uint64_t)len;
	return ST_OK;
}

/* All heads first: where one is refused, nothing was touched. Logs stay open: what is being looked at by
 * somebody else than its owner may be removed meanwhile, and can be read to its end all the same. */
static status_t look_at_heads(scan_t *c)
{
	status_t st = ST_OK;

	for (size_t i = 0; i < c->count && st != ST_REFUSED; i++) {
		found_t *f = &c->files[i];

		st = open_file(c, f, &f->fd, &f->size);
		if (st == ST_OK && f->kind != STATE_FILE_LOG) {
			c->s->disk->calls->close(c->s->disk, f->fd);
			f->fd = -1;
		}
	}
	return st == ST_REFUSED ? st : ST_OK;
}

static void free_files(scan_t *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->files[i].fd >= 0)
			c->s->disk->calls->close(c->s->disk, c->files[i].fd);
	}
	free(c->files);
}

/* --- records ----------------------------------------------------------------------------------- */

/* The file of a zone with this number, or NULL. */
static found_t *own_file(scan_t *c, uint64_t number)
{
	const found_t key = { .number = (uint32_t)number, .kind = STATE_FILE_ZONE };

	if (number > STATE_NUMBER_MAX || c->count == 0)
		return NULL;
	return bsearch(&key, c->files, c->count, sizeof *c->files, by_number);
}

static void unname(scan_t *c, uint64_t number)
{
	found_t *f = own_file(c, number);

	if (f)
		f->named = false;
}

static bool is_whole(scan_t *c, const found_t *f, uint64_t len)
{
	uint64_t size = 0;
	int fd;

	if (open_file(c, f, &fd, &size) != ST_OK)
		return false;
	c->s->disk->calls->close(c->s->disk, fd);
	return size >= len;
}

/* Where differences are too many, the chain ends: what is before is still whole. */
static status_t index_record(scan_t *c, state_zone_t *z, const state_found_t *found)
{
	const status_t st = state_index_take(&c->s->index, z, found);

	for (uint32_t own; (own = state_index_unneeded(&c->s->index)) != 0;)
		unname(c, own);
	return st == ST_NOMEM ? st : ST_OK;
}

static status_t take_own(scan_t *c, state_zone_t *z, state_found_t *found, buf_t *content)
{
	const uint64_t number = buf_u64(content), len = buf_u64(content);
	found_t *f = buf_ok(content) ? own_file(c, number) : NULL;

	/* If its file is gone, no other may have its name. */
	if (buf_ok(content) && number <= STATE_NUMBER_MAX && number > c->last_number)
		c->last_number = (uint32_t)number;
	if (!f)
		return ST_OK;
	f->named = true; /* if it can't be read now, it stays */
	found->own = f->number;
	found->octets = len;
	return is_whole(c, f, len) ? index_record(c, z, found) : ST_OK;
}

/* Past the clocks, of which it matters when they were written, and when their version came. False: there
 * are none. */
static bool take_clocks(scan_t *c, const state_record_t *r, buf_t *content, state_found_t *found)
{
	const size_t len = r->kind == STATE_CLOCKS ? buf_left(content) : buf_u32(content);
	const uint8_t *clocks = buf_take(content, len);
	state_instant_t at;

	if (!clocks)
		return false;
	if (state_clocks_instant(clocks, len, &at) == ST_OK)
		state_times_note(&c->s->times, &at);
	found->arrived = state_clocks_arrived(clocks, len);
	found->pinned = state_clocks_pinned(clocks, len);
	found->copy = state_clocks_copy(clocks, len);
	return true;
}

/* Could a secd of this format have written it? */
static bool is_ours(const state_record_t *r)
{
	return r->kind >= STATE_WHOLE && (r->kind <= STATE_OWN || r->kind == STATE_GONE) &&
	       r->version <= STATE_NUMBER_MAX && r->stamp <= STATE_NUMBER_MAX;
}

/* The newest list counts. */
static status_t take_left(scan_t *c, const state_record_t *r, state_place_t place, buf_t *content)
{
	const size_t len = buf_left(content);
	uint8_t *copy = malloc(len + 1);

	if (!copy)
		return ST_NOMEM;
	c->out->records++;
	if (r->stamp < c->s->index.left_stamp) {
		free(copy);
		return ST_OK;
	}
	if (len > 0)
		memcpy(copy, buf_take(content, len), len);
	free(c->s->left);
	c->s->left = copy;
	c->s->left_len = len;
	state_index_take_left(&c->s->index, r, place);
	return ST_OK;
}

static status_t take(scan_t *c, const state_record_t *r, state_place_t place, const uint8_t *body)
{
	state_found_t found = { .record = *r, .place = place };
	buf_t content = buf_over(body, r->len);
	const uint8_t *apex = is_ours(r) ? dns_wire_take(&content) : NULL;
	state_zone_t *z;

	if (!apex)
		return ST_OK; /* it is sound all the same */
	if (r->kind == STATE_GONE)
		return take_left(c, r, place, &content);
	z = state_index_zone(&c->s->index, apex, true, true);
	if (!z)
		return ST_NOMEM;
	c->out->records++;
	z->last = r->version > z->last ? r->version : z->last;
	z->last_stamp = r->stamp > z->last_stamp ? r->stamp : z->last_stamp;
	if (!take_clocks(c, r, &content, &found))
		return ST_OK;
	if (r->kind == STATE_OWN)
		return take_own(c, z, &found, &content);
	found.octets = buf_left(&content);
	return index_record(c, z, &found);
}

static void count_damage(scan_t *c, const state_walk_t *w, const char *name)
{
	state_scan_t *out = c->out;
	const uint64_t torn = w->open ? w->at - w->run : 0;
	const unsigned places = w->places - (w->open ? 1 : 0);

	out->torn += torn;
	out->damaged += w->damaged - torn;
	if (places > 0 && out->damaged_places == 0)
		snprintf(out->first_damage, sizeof out->first_damage, "%s at %llu", name,
		         (unsigned long long)w->first);
	out->damaged_places += places;
}

static status_t scan_log(scan_t *c, found_t *f)
{
	char name[STATE_NAME_MAX];
	state_walk_t w;
	state_record_t r;
	const uint8_t *body;
	uint64_t at;
	status_t st = f->fd >= 0 ? ST_OK : open_file(c, f, &f->fd, &f->size);
	const uint64_t size = f->size;
	const int fd = f->fd;

	if (st != ST_OK)
		return st;
	if (!state_index_add_file(&c->s->index, f->number, fd, size))
		return ST_NOMEM;
	f->fd = -1; /* the index has it now */
	state_walk_begin(&w, c->s->disk, fd, f->number, size);
	while ((st = state_walk_next(&w, &r, &at, &body)) == ST_OK) {
		const state_place_t place = { f->number, (uint32_t)(at / STATE_ALIGN),
			                      (uint32_t)(state_record_size(r.len) / STATE_ALIGN) };

		st = take(c, &r, place, body);
		if (st != ST_OK)
			break;
	}
	count_damage(c, &w, state_file_name(f->kind, f->number, name));
	state_index_file(&c->s->index, f->number)->damaged = w.places > 0;
	if (st == ST_SYSTEM) { /* a place that can't be read is like one that is damaged */
		snprintf(c->out->first_damage, sizeof c->out->first_damage, "%s: %s", name,
		         strerror(errno));
		c->out->damaged += size - w.at;
		c->out->damaged_places++;
		st = ST_OK;
	}
	state_walk_end(&w);
	c->out->files++;
	c->out->octets += size;
	return st == ST_NOENT ? ST_OK : st;
}

/* --- the end ----------------------------------------------------------------------------------- */

static void settle(void *arg, state_zone_t *z)
{
	scan_t *c = arg;

	state_index_settle(&c->s->index, z);
	for (uint32_t own; (own = state_index_unneeded(&c->s->index)) != 0;)
		unname(c, own);
	z->queued = z->written = z->version;
	z->last += c->s->index.skipped;
	z->last_stamp += c->s->index.skipped;
	if (z->whole.file) {
		c->out->zones++;
		c->out->orphans += z->orphan;
	}
}

/* Files of zones that no record names: from drafts that never came to be. Where something could not
 * be read, that may have named them. */
static void remove_unnamed(scan_t *c)
{
	for (size_t i = 0; i < c->count && c->out->damaged_places == 0; i++) {
		const found_t *f = &c->files[i];

		if (f->kind == STATE_FILE_ZONE && !f->named)
			state_file_unlink(c->s->disk, f->kind, f->number);
	}
}

/* All files, by number. */
static status_t list_files(scan_t *c)
{
	const int err = c->s->disk->calls->list(c->s->disk, on_name, c);

	c->why[0] = '\0';
	if (err < 0)
		return system_failure(c, -err, "");
	if (c->count > 0)
		qsort(c->files, c->count, sizeof *c->files, by_number);
	return c->status;
}

status_t state_check(state_t *s, char why[256])
{
	scan_t c = { .s = s, .why = why };
	status_t st = list_files(&c);

	if (st == ST_OK)
		st = look_at_heads(&c);
	free_files(&c);
	return st == ST_REFUSED ? st : ST_OK;
}

static status_t scan_all(scan_t *c)
{
	status_t st = look_at_heads(c);

	for (size_t i = 0; i < c->count && st == ST_OK; i++) {
		if (c->files[i].kind != STATE_FILE_LOG)
			continue;
		st = scan_log(c, &c->files[i]);
		if (st == ST_SYSTEM) { /* it can't be opened: its zones are missing, others not */
			c->out->gone += errno == ENOENT;
			c->out->damaged_places++;
			snprintf(c->out->first_damage, sizeof c->out->first_damage, "%.60s",
			         c->why);
			st = ST_OK;
		}
	}
	return st;
}

status_t state_scan(state_t *s, state_scan_t *out, char why[256])
{
	scan_t c = { .s = s, .out = out, .why = why };
	status_t st = list_files(&c);

	*out = (state_scan_t){ 0 };
	if (st == ST_OK && c.count > 0)
		c.last_number = c.files[c.count - 1].number;
	if (st == ST_OK)
		st = scan_all(&c);
	if (out->damaged_places > 0)
		s->index.skipped = SKIPPED;
	atomic_store(&s->last_number, c.last_number + s->index.skipped);
	if (st == ST_OK) {
		state_index_each(&s->index, settle, &c);
		s->index.settled = true;
		s->last_left = s->index.left_stamp + s->index.skipped;
		remove_unnamed(&c);
		st = state_index_scanned(&s->index);
	}
	free_files(&c);
	return st;
}
