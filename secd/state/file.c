/* state/file.c - names, heads, and a window that moves over a file. */
#include "state/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/huge.h"

enum { WINDOW = HUGE_PAGE, WINDOW_LEAST = 4096 };

static const char *const prefix[] = { [STATE_FILE_LOG] = "log-", [STATE_FILE_ZONE] = "zone-" };

const char *state_file_name(state_file_kind_t kind, uint32_t number, char out[STATE_NAME_MAX])
{
	snprintf(out, STATE_NAME_MAX, "%s%08x", prefix[kind], number);
	return out;
}

bool state_file_parse(const char *name, state_file_kind_t *kind, uint32_t *number)
{
	char again[STATE_NAME_MAX];

	for (*kind = STATE_FILE_LOG; *kind <= STATE_FILE_ZONE; ++*kind) {
		const size_t len = strlen(prefix[*kind]);

		if (strncmp(name, prefix[*kind], len) != 0)
			continue;
		*number = (uint32_t)strtoul(name + len, NULL, 16);
		return *number != 0 && *number <= STATE_NUMBER_MAX &&
		       strcmp(state_file_name(*kind, *number, again), name) == 0;
	}
	return false;
}

int state_file_create(state_disk_t *d, state_file_kind_t kind, uint32_t number)
{
	const state_file_head_t head = { .format = STATE_FORMAT, .kind = kind, .number = number };
	char name[STATE_NAME_MAX];
	uint8_t octets[STATE_FILE_HEAD];
	struct iovec all = { octets, sizeof octets };
	int fd;

	if (number > STATE_NUMBER_MAX) /* it would not be found again */
		return -EOVERFLOW;
	fd = d->calls->create(d, state_file_name(kind, number, name));
	if (fd < 0)
		return fd;
	state_file_head_put(octets, &head);
	int err = d->calls->write(d, fd, &all, 1, 0);
	if (err == 0)
		return fd;
	d->calls->close(d, fd);
	(void)d->calls->unlink(d, name);
	return err;
}

void state_file_unlink(state_disk_t *d, state_file_kind_t kind, uint32_t number)
{
	char name[STATE_NAME_MAX];

	(void)d->calls->unlink(d, state_file_name(kind, number, name));
}

/* --- walking ----------------------------------------------------------------------------------- */

void state_walk_begin(state_walk_t *w, state_disk_t *d, int fd, uint32_t number, uint64_t size)
{
	*w = (state_walk_t){
		.disk = d, .fd = fd, .number = number, .size = size, .at = STATE_FILE_HEAD
	};
}

void state_walk_end(state_walk_t *w)
{
	huge_give(w->buf, w->room);
}

/* For as much of the file as pays to be read at once; most are small. What is there is not needed any more. */
static status_t window_room(state_walk_t *w, size_t need)
{
	const uint64_t left = w->size - w->at;
	size_t room = left < WINDOW ? (size_t)left : (size_t)WINDOW;

	room = room < need ? need : room;
	room = room < WINDOW_LEAST ? WINDOW_LEAST : room;
	if (w->room >= room)
		return ST_OK;
	huge_give(w->buf, w->room);
	w->buf = huge_take(room);
	w->room = w->buf ? room : 0;
	w->have = 0;
	return w->buf ? ST_OK : ST_NOMEM;
}

/* Have len octets from w->at on, which the file has: *out. */
static status_t look(state_walk_t *w, size_t len, const uint8_t **out)
{
	ssize_t n;

	if (w->at < w->base || w->at + len > w->base + w->have) {
		if (window_room(w, len) != ST_OK)
			return ST_NOMEM;
		n = state_disk_read(w->disk, w->fd, w->buf, w->room, w->at);
		if (n < 0) {
			errno = (int)-n;
			return ST_SYSTEM;
		}
		w->base = w->at;
		w->have = (size_t)n;
		if (w->have < len)
			return ST_SHORT; /* it shrank: nobody's doing of ours */
	}
	*out = w->buf + (w->at - w->base);
	return ST_OK;
}

/* len octets at w->at are nothing that can be used. */
static void pass_over(state_walk_t *w, uint64_t len)
{
	if (!w->open && w->places++ == 0)
		w->first = w->at;
	if (!w->open)
		w->run = w->at;
	w->open = true;
	w->damaged += len;
	w->at += len;
}

/* ST_OK: a head is at w->at, with its body in the file; ST_MALFORMED: there is none; ST_LIMIT: the file
 * ends before its body does, so it was the last one. */
static status_t look_at_head(state_walk_t *w, state_record_t *r)
{
	const uint8_t *head;
	status_t st = look(w, STATE_RECORD_HEAD, &head);

	if (st == ST_OK)
		st = state_record_get(head, w->number, r);
	if (st == ST_OK && state_record_size(r->len) > w->size - w->at)
		st = ST_LIMIT;
	return st;
}

status_t state_walk_next(state_walk_t *w, state_record_t *r, uint64_t *at, const uint8_t **body)
{
	status_t st = ST_OK;

	while (w->at + STATE_RECORD_HEAD <= w->size) {
		const uint8_t *all;

		st = look_at_head(w, r);
		if (st == ST_MALFORMED) {
			pass_over(w, STATE_ALIGN);
			continue;
		}
		if (st == ST_LIMIT) /* what is left of the body is a stranger's, and no record */
			break;
		const size_t size = (size_t)state_record_size(r->len);
		if (st == ST_OK)
			st = look(w, size, &all);
		if (st != ST_OK)
			return st == ST_SHORT ? ST_NOENT : st;
		if (!state_record_sound(all, w->number, all + STATE_RECORD_HEAD, r->len)) {
			pass_over(w, size);
			continue;
		}
		w->open = false;
		*at = w->at;
		*body = all + STATE_RECORD_HEAD;
		w->at += size;
		return ST_OK;
	}
	if (w->at < w->size)
		pass_over(w, w->size - w->at);
	return ST_NOENT;
}

state_window_t *state_window_new(void)
{
	state_window_t *w = calloc(1, sizeof *w);

	for (size_t i = 0; w && i < STATE_PANES; i++)
		w->panes[i].fd = -1;
	return w;
}

void state_window_free(state_window_t *w)
{
	for (size_t i = 0; w && i < STATE_PANES; i++)
		free(w->panes[i].buf);
	free(w);
}

/* Has the pane these octets, or are they what comes next in it? */
static bool has(const state_pane_t *p, int fd, uint64_t at, size_t size)
{
	return p->fd == fd && at >= p->at && at + size <= p->at + p->have;
}

static bool comes_next(const state_pane_t *p, int fd, uint64_t at)
{
	return p->fd == fd && at >= p->at && at <= p->at + p->have + p->next;
}

/* The one that has them, or is to have them. */
static state_pane_t *choose_pane(state_window_t *w, int fd, uint64_t at, size_t size)
{
	state_pane_t *oldest = &w->panes[0], *next = NULL;

	for (size_t i = 0; i < STATE_PANES; i++) {
		state_pane_t *p = &w->panes[i];

		if (has(p, fd, at, size))
			return p;
		if (comes_next(p, fd, at))
			next = p;
		if (p->used < oldest->used)
			oldest = p;
	}
	if (next)
		return next;
	oldest->next = 0;
	return oldest;
}

/* Have size octets of the file from at on, and what lies behind them. */
static status_t fill_pane(state_pane_t *p, state_disk_t *d, int fd, uint64_t at, size_t size)
{
	const size_t more = 4 * p->next < STATE_PANE_MOST ? 4 * p->next : STATE_PANE_MOST;
	const size_t wanted = more > STATE_PANE_LEAST ? more : STATE_PANE_LEAST;
	const size_t room = size < wanted ? wanted : size;
	ssize_t n;

	p->fd = -1;
	p->next = wanted;
	if (p->room < room) {
		free(p->buf);
		p->buf = malloc(room);
		p->room = p->buf ? room : 0;
	}
	if (!p->buf)
		return ST_NOMEM;
	n = state_disk_read(d, fd, p->buf, room, at);
	if (n < 0) {
		errno = (int)-n;
		return ST_SYSTEM;
	}
	p->fd = fd;
	p->at = at;
	p->have = (size_t)n;
	return p->have < size ? ST_MALFORMED : ST_OK;
}

status_t state_window_record(state_window_t *w, state_disk_t *d, int fd, uint32_t number,
                             uint64_t at, uint64_t size, state_record_t *r, const uint8_t **out)
{
	state_pane_t *p = choose_pane(w, fd, at, (size_t)size);
	status_t st = size < STATE_RECORD_HEAD ? ST_MALFORMED : ST_OK;

	p->used = ++w->uses;
	if (st == ST_OK && !has(p, fd, at, (size_t)size))
		st = fill_pane(p, d, fd, at, (size_t)size);
	if (st != ST_OK)
		return st;
	*out = p->buf + (at - p->at);
	st = state_record_get(*out, number, r);
	if (st == ST_OK && (state_record_size(r->len) != size ||
	                    !state_record_sound(*out, number, *out + STATE_RECORD_HEAD, r->len)))
		st = ST_MALFORMED;
	return st;
}
