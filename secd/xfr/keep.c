/* xfr/keep.c - zone/pack.h to state/, state/ to zone/unpack.h, and the gates on that side, too. */
#include "xfr/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xfr/refusal.h"
#include "zone/pack.h"
#include "zone/unpack.h"

/* A difference above this, with half as much of it, is no saving. */
enum { DELTA_MOST = STATE_OWN_ABOVE };

state_draft_t *xfr_keep_whole(state_t *state, const zone_version_t *v)
{
	state_draft_t *d = state_draft_new(state);
	zone_pack_t *p = d ? zone_pack_new(v) : NULL;
	const uint8_t *chunk;
	size_t len;
	status_t st = p ? ST_OK : ST_NOMEM;

	while (st == ST_OK && (st = zone_pack_next(p, &chunk, &len)) == ST_OK)
		state_draft_add(d, chunk, len);
	zone_pack_free(p);
	if (st == ST_NOENT)
		return d;
	state_draft_free(d);
	return NULL;
}

state_draft_t *xfr_keep_delta(state_t *state, const zone_delta_t *delta, const zone_version_t *v)
{
	state_draft_t *d;
	uint8_t *octets;
	size_t len;

	if (zone_pack_delta(delta, &octets, &len) != ST_OK)
		return NULL;
	if (len > DELTA_MOST) {
		free(octets);
		return xfr_keep_whole(state, v);
	}
	d = state_draft_new(state);
	if (d)
		state_draft_delta(d, octets, len);
	else
		free(octets);
	return d;
}

/* --- back -------------------------------------------------------------------------------------- */

struct xfr_keep_room {
	slab_t *slab;
	state_window_t *window;
	zone_unpack_t *unpack; /* NULL before the first zone */
};

xfr_keep_room_t *xfr_keep_room_new(slab_t *slab)
{
	xfr_keep_room_t *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->slab = slab;
	r->window = state_window_new();
	if (r->window)
		return r;
	free(r);
	return NULL;
}

void xfr_keep_room_free(xfr_keep_room_t *r)
{
	if (!r)
		return;
	state_window_free(r->window);
	zone_unpack_free(r->unpack);
	free(r);
}

static zone_unpack_t *unpack_for(xfr_keep_room_t *r, const xfr_keep_spec_t *spec)
{
	dns_name_t apex;

	dns_name_from_wire(spec->apex, &apex);
	if (r->unpack) {
		zone_unpack_next(r->unpack, &apex, &spec->limits);
		return r->unpack;
	}
	r->unpack = zone_unpack_new(spec->key, &apex, &spec->limits);
	if (r->unpack)
		zone_unpack_in(r->unpack, r->slab);
	return r->unpack;
}

/* A zone on its way: the whole version first, then all differences in one. */
typedef struct load {
	const xfr_keep_spec_t *spec;
	zone_unpack_t *unpack;
	zone_version_t *whole;
	zone_faults_t faults;
	zone_delta_t *delta;
	const zone_excess_t *excess; /* after ST_LIMIT */
	uint8_t *clocks;
	size_t clocks_len;
} load_t;

static status_t on_clocks(void *arg, const uint8_t *octets, size_t len)
{
	load_t *l = arg;

	l->clocks = malloc(len + 1);
	if (!l->clocks)
		return ST_NOMEM;
	memcpy(l->clocks, octets, len);
	l->clocks_len = len;
	return ST_OK;
}

static status_t on_chunk(void *arg, const uint8_t *octets, size_t len)
{
	load_t *l = arg;
	status_t st = zone_unpack_feed(l->unpack, octets, len);

	if (st == ST_LIMIT)
		l->excess = zone_unpack_excess(l->unpack);
	return st;
}

static status_t seal_whole(load_t *l)
{
	status_t st = zone_unpack_seal(l->unpack, &l->whole);

	if (st == ST_OK)
		st = zone_unpack_check(l->unpack, l->whole, &l->faults);
	else if (st == ST_LIMIT)
		l->excess = zone_unpack_excess(l->unpack);
	return st;
}

static status_t on_delta(void *arg, const uint8_t *octets, size_t len)
{
	load_t *l = arg;
	status_t st = l->whole ? ST_OK : seal_whole(l);

	if (st == ST_OK && !l->delta)
		l->delta = zone_delta_new(l->whole, &l->spec->limits);
	if (st == ST_OK)
		st = l->delta ? zone_unpack_delta(l->delta, octets, len) : ST_NOMEM;
	if (st == ST_LIMIT)
		l->excess = zone_delta_excess(l->delta);
	return st;
}

/* With differences, the version is another one, and all of it is looked at. */
static status_t seal(load_t *l, zone_version_t **out)
{
	status_t st = l->whole ? ST_OK : seal_whole(l);

	if (st == ST_OK && l->delta) {
		st = zone_delta_seal(l->delta, out);
		if (st == ST_LIMIT)
			l->excess = zone_delta_excess(l->delta);
		if (st != ST_OK)
			return st;
		zone_version_succeed(l->whole, *out);
		return zone_check(*out, &l->faults);
	}
	if (st == ST_OK) {
		*out = l->whole;
		l->whole = NULL;
	}
	return st;
}

static xfr_why_t why_not(const load_t *l, status_t st, int error)
{
	switch (st) {
	case ST_SYSTEM:
		return xfr_why(XFR_WHY_ERRNO, (uint32_t)error, 0);
	case ST_NOMEM:
		return xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
	case ST_LIMIT:
		return xfr_excess(l->excess);
	case ST_OK:
	case ST_NOENT:
	case ST_EXIST:
	case ST_STALE:
	case ST_MALFORMED:
	case ST_SHORT:
	case ST_OUTSIDE:
	case ST_REFUSED:
	case ST_TIMEOUT:
	case ST_COUNT:
		break;
	}
	return xfr_why(XFR_WHY_STATE_DAMAGED, 0, 0);
}

static status_t judge(const load_t *l, const zone_version_t *v, zone_verdict_t *out)
{
	const xfr_keep_spec_t *spec = l->spec;
	const bool accepted = state_clocks_accepted(l->clocks, l->clocks_len) ||
	                      state_clocks_pinned(l->clocks, l->clocks_len);

	return zone_gates_judge(accepted ? &spec->accepted : &spec->gates, v, &l->faults, 0,
	                        spec->now, out);
}

static void give(load_t *l, zone_version_t *v, xfr_kept_t *out)
{
	out->version = v;
	out->clocks = l->clocks;
	out->clocks_len = l->clocks_len;
	l->clocks = NULL;
}

static status_t read_all(load_t *l, state_window_t *window, int *error)
{
	const xfr_keep_spec_t *spec = l->spec;
	const state_reader_t reader = { .arg = l,
		                        .window = window,
		                        .clocks = on_clocks,
		                        .chunk = on_chunk,
		                        .delta = on_delta };
	status_t st;

	errno = 0;
	st = spec->route ? state_route_read(spec->route, &reader)
	                 : state_read(spec->state, spec->zone, &reader);
	*error = errno;
	return st;
}

static void load_in(xfr_keep_room_t *room, const xfr_keep_spec_t *spec, xfr_kept_t *out)
{
	load_t l = { .spec = spec };
	zone_verdict_t verdict;
	zone_version_t *v = NULL;
	status_t st = ST_NOMEM;
	int error = 0;

	l.unpack = unpack_for(room, spec);
	if (l.unpack)
		st = read_all(&l, room->window, &error);
	if (st == ST_OK)
		st = seal(&l, &v);
	if (st == ST_OK)
		st = judge(&l, v, &verdict);
	if (st != ST_OK)
		out->why = why_not(&l, st, error);
	else if (verdict.refused != ZONE_GATE_NONE)
		out->why = xfr_refusal(&verdict, 0);
	else
		give(&l, v, out);
	if (!out->version)
		zone_version_free(v);
	free(l.clocks);
	zone_delta_free(l.delta);
	zone_version_free(l.whole);
}

void xfr_keep_load(const xfr_keep_spec_t *spec, xfr_kept_t *out)
{
	xfr_keep_room_t *own = spec->room ? NULL : xfr_keep_room_new(NULL);

	*out = (xfr_kept_t){ 0 };
	if (own || spec->room)
		load_in(own ? own : spec->room, spec, out);
	else
		out->why = xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
	xfr_keep_room_free(own);
}
