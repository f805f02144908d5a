/* state/read.c - one zone: its whole version, from the log or its own file, and what came since. */
#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "dns/name.h"
#include "state/inner.h"

bool state_zone_has(const state_zone_t *z)
{
	return z->whole.file != 0;
}

bool state_zone_is_behind(const state_zone_t *z)
{
	return z->queued < z->last;
}

uint64_t state_zone_place(const state_zone_t *z)
{
	return (uint64_t)z->whole.file << 32 | z->whole.at;
}

uint64_t state_zone_octets(const state_zone_t *z)
{
	return (uint64_t)z->octets * STATE_ALIGN;
}

uint64_t state_reads(const state_t *s, bool *waiting)
{
	const uint64_t ended = atomic_load(&s->disk->ended);

	*waiting = atomic_load(&s->disk->begun) > ended;
	return ended;
}

/* A record in the window. */
typedef struct loaded {
	state_record_t head;
	buf_t clocks, content;
} loaded_t;

/* Where records are read from: files of the scan, or those of a route. */
typedef struct source {
	state_disk_t *disk;
	const state_index_t *index;
	const state_route_t *route; /* NULL: of the index */
	const uint8_t *apex;
	state_window_t *window;
} source_t;

static int fd_of(const source_t *from, uint32_t number)
{
	return from->route ? state_route_fd(from->route, STATE_FILE_LOG, number)
	                   : state_index_fd(from->index, number);
}

/* The record at place, which is of this kind and this zone. */
static status_t read_record(const source_t *from, state_place_t place, state_kind_t kind,
                            loaded_t *out)
{
	const int fd = fd_of(from, place.file);
	const size_t apex_len = dns_wire_len(from->apex);
	const uint8_t *octets;
	status_t st;

	if (fd < 0)
		return ST_NOENT;
	st = state_window_record(from->window, from->disk, fd, place.file,
	                         (uint64_t)place.at * STATE_ALIGN,
	                         (uint64_t)place.size * STATE_ALIGN, &out->head, &octets);
	if (st != ST_OK)
		return st;
	buf_t all = buf_over(octets + STATE_RECORD_HEAD, out->head.len);
	const uint8_t *apex = buf_take(&all, apex_len);
	if (out->head.kind != kind || !apex || memcmp(apex, from->apex, apex_len) != 0)
		return ST_MALFORMED;
	const size_t len = kind == STATE_CLOCKS ? buf_left(&all) : buf_u32(&all);
	const uint8_t *clocks = buf_take(&all, len);
	if (!clocks)
		return ST_MALFORMED;
	out->clocks = buf_over(clocks, len);
	out->content = buf_over(clocks + len, buf_left(&all));
	return ST_OK;
}

/* Chunks, each behind its length. */
static status_t give_chunks(buf_t *content, const state_reader_t *reader)
{
	status_t st = ST_OK;

	while (st == ST_OK && buf_left(content) > 0) {
		const size_t len = buf_u32(content);
		const uint8_t *chunk = buf_take(content, len);

		st = chunk ? reader->chunk(reader->arg, chunk, len) : ST_MALFORMED;
	}
	return st;
}

/* All parts of a file, of which nothing may be missing. */
static status_t give_parts(state_walk_t *w, uint32_t parts, const state_reader_t *reader)
{
	status_t st = ST_OK;

	for (uint32_t i = 0; i < parts && st == ST_OK; i++) {
		state_record_t r;
		const uint8_t *body;
		uint64_t at;

		st = state_walk_next(w, &r, &at, &body);
		if (st == ST_NOENT ||
		    (st == ST_OK && (w->places > 0 || r.kind != STATE_PART || r.from != i)))
			st = ST_MALFORMED;
		if (st == ST_OK)
			st = reader->chunk(reader->arg, body, r.len);
	}
	return st;
}

/* The file of a whole version: a descriptor, which is to be closed if it is not a route's. */
static int open_own(const source_t *from, uint32_t number)
{
	char name[STATE_NAME_MAX];

	if (from->route)
		return state_route_fd(from->route, STATE_FILE_ZONE, number);
	state_file_name(STATE_FILE_ZONE, number, name);
	return from->disk->calls->open(from->disk, name);
}

static status_t read_own(const source_t *from, buf_t *content, const state_reader_t *reader)
{
	const uint64_t number = buf_u64(content), len = buf_u64(content);
	const uint32_t parts = buf_u32(content);
	state_walk_t w;
	status_t st;
	int fd;

	if (!buf_ok(content) || number > UINT32_MAX)
		return ST_MALFORMED;
	fd = open_own(from, (uint32_t)number);
	if (fd < 0) {
		errno = -fd;
		return ST_SYSTEM;
	}
	state_walk_begin(&w, from->disk, fd, (uint32_t)number, len);
	st = give_parts(&w, parts, reader);
	state_walk_end(&w);
	if (!from->route)
		from->disk->calls->close(from->disk, fd);
	return st;
}

static status_t give_clocks(const loaded_t *l, const state_reader_t *reader)
{
	return reader->clocks(reader->arg, l->clocks.base, l->clocks.len);
}

/* With the clocks in its record, if there are no others. */
static status_t read_whole(const source_t *from, state_place_t place, uint32_t own,
                           const state_reader_t *reader, bool given)
{
	loaded_t l;
	status_t st = read_record(from, place, own != 0 ? STATE_OWN : STATE_WHOLE, &l);

	if (st == ST_OK && !given)
		st = give_clocks(&l, reader);
	if (st != ST_OK)
		return st;
	return own != 0 ? read_own(from, &l.content, reader) : give_chunks(&l.content, reader);
}

static status_t read_delta(const source_t *from, state_place_t place, const state_reader_t *reader)
{
	loaded_t l;
	status_t st = read_record(from, place, STATE_DELTA, &l);

	return st == ST_OK ? reader->delta(reader->arg, l.content.base, buf_left(&l.content)) : st;
}

/* Clocks that were saved since the version was; or, where these are of one that was lost, those that the
 * last difference was saved with. *given: neither is there, if not so: then they are with the whole
 * version. */
static status_t read_clocks(const source_t *from, const state_zone_t *z,
                            const state_reader_t *reader, bool *given)
{
	loaded_t l;
	status_t st = ST_NOENT;

	*given = true;
	if (z->clocks.file != 0)
		st = read_record(from, z->clocks, STATE_CLOCKS, &l);
	if (st == ST_OK && l.head.version == z->version)
		return give_clocks(&l, reader);
	*given = z->step_count > 0;
	if (!*given)
		return ST_OK;
	st = read_record(from, z->steps[z->step_count - 1].place, STATE_DELTA, &l);
	return st == ST_OK ? give_clocks(&l, reader) : st;
}

status_t state_read(const state_t *s, const state_zone_t *z, const state_reader_t *reader)
{
	const source_t from = { s->disk, &s->index, NULL, z->apex, reader->window };
	bool given;
	status_t st = read_clocks(&from, z, reader, &given);

	if (st == ST_OK)
		st = read_whole(&from, z->whole, z->own, reader, given);
	for (size_t i = 0; i < z->step_count && st == ST_OK; i++)
		st = read_delta(&from, z->steps[i].place, reader);
	return st;
}

/* The same, on a route. */
static status_t read_route_clocks(const source_t *from, const state_reader_t *reader, bool *given)
{
	const state_route_t *r = from->route;
	const state_hop_t *last = &r->hops[r->count - 1];
	const bool apart = r->clocks.file != 0;
	status_t st = ST_OK;
	loaded_t l;

	*given = apart || !last->whole;
	if (*given)
		st = read_record(from, apart ? r->clocks : last->place,
		                 apart ? STATE_CLOCKS : STATE_DELTA, &l);
	return st == ST_OK && *given ? give_clocks(&l, reader) : st;
}

status_t state_route_read(const state_route_t *r, const state_reader_t *reader)
{
	const source_t from = { r->disk, NULL, r, r->apex, reader->window };
	bool given;
	status_t st = read_route_clocks(&from, reader, &given);

	if (st == ST_OK)
		st = read_whole(&from, r->hops[0].place, r->hops[0].own, reader, given);
	for (size_t i = 1; i < r->count && st == ST_OK; i++)
		st = read_delta(&from, r->hops[i].place, reader);
	return st;
}
