/* refresh/survey.c - zone by zone; of too many, the worst. */
#include "refresh/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "refresh/zone.h"

enum {
	SLICE_MS = 1,
	SLICE_ZONES = 64, /* between two looks at the clock */
	RESTARTS = 3,     /* since the zones have changed; then it is done in one go */
	NAMES_ROOM = 64 * 1024 - 64,
};

/* Names one behind the other: a hundred thousand of them are freed in no time. */
struct refresh_names {
	struct refresh_names *next;
	size_t used;
	uint8_t octets[NAMES_ROOM];
};

struct refresh_survey {
	const refresh_t *r;
	unsigned generation; /* of the zones, when it began */
	size_t count, at, most, room;
	unsigned restarts;
	bool whole; /* no slices any more */
	bool bad;   /* there was no memory */
	mono_t now; /* of this step */
	wall_t wall;
	refresh_findings_t *found;
};

/* --- one zone --------------------------------------------------------------------------------- */

static double lag_of(const refresh_survey_t *s, const zone_t *z, refresh_state_t state)
{
	const double lag = mono_diff(list_behind_since(z), s->now);

	return state == REFRESH_STATE_FRESH || lag < 0 ? 0 : lag;
}

static void look_at_version(const refresh_survey_t *s, const zone_t *z, refresh_row_t *row)
{
	const zone_version_t *v = zone_slot_version(z->slot);
	wall_t ends;

	if (!v || !z->clock.loaded)
		return;
	row->serial = z->clock.serial;
	row->expire = z->clock.expire;
	row->checked = mono_diff(list_since(z), s->now);
	row->expires = mono_diff(s->now, z->clock.expires);
	row->records = zone_version_records(v);
	row->memory = zone_version_bytes(v);
	row->has_signatures = zone_version_expiry(v, s->wall, &ends);
	if (row->has_signatures)
		row->signatures = (double)(ends.s - s->wall.s);
}

/* The serial that is not taken. */
static bool refused_of(const zone_t *z, uint32_t *out)
{
	for (size_t i = 0; i < z->group->conf->primary_count; i++) {
		const round_peer_t *p = &z->peers[i];

		if (!report_is_refused(z, p))
			continue;
		*out = p->has_refused ? p->refused : p->serial;
		return true;
	}
	return false;
}

static bool is_ending(const zone_t *z, const refresh_row_t *row)
{
	const uint32_t warn = z->group->conf->policy.gates.warn_signatures;

	return row->has_signatures && row->signatures < warn;
}

/* All but its name. */
static refresh_row_t row_of(const refresh_survey_t *s, const zone_t *z)
{
	refresh_row_t row = { .state = report_state(z), .pinned = z->pinned };

	look_at_version(s, z, &row);
	row.lag = lag_of(s, z, row.state);
	row.has_newest = list_newest(z, &row.newest);
	row.has_refused = refused_of(z, &row.refused);
	row.badness = 2 * list_badness(z) + is_ending(z, &row);
	return row;
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool is_worse(const refresh_row_t *a, const refresh_row_t *b)
{
	return a->badness != b->badness ? a->badness > b->badness : a->lag > b->lag;
}

/* The rows are a heap then, the least bad one first. */
static void sink(refresh_row_t *rows, size_t count)
{
	for (size_t i = 0, least; (least = 2 * i + 1) < count; i = least) {
		if (least + 1 < count && is_worse(&rows[least], &rows[least + 1]))
			least++;
		if (!is_worse(&rows[i], &rows[least]))
			return;
		const refresh_row_t moved = rows[i];
		rows[i] = rows[least];
		rows[least] = moved;
	}
}

static void rise(refresh_row_t *rows, size_t i)
{
	for (size_t up; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!is_worse(&rows[up], &rows[i]))
			return;
		const refresh_row_t moved = rows[i];
		rows[i] = rows[up];
		rows[up] = moved;
	}
}

static bool name_row(refresh_findings_t *f, refresh_row_t *row, const uint8_t *apex)
{
	const size_t len = dns_wire_len(apex);
	struct refresh_names *names = f->names;

	if (!names || NAMES_ROOM - names->used < len) {
		names = malloc(sizeof *names);
		if (!names)
			return false;
		names->next = f->names;
		names->used = 0;
		f->names = names;
	}
	row->apex = memcpy(names->octets + names->used, apex, len);
	names->used += len;
	return true;
}

static void add_row(refresh_survey_t *s, const zone_t *z, refresh_row_t *row)
{
	refresh_findings_t *f = s->found;
	const bool all = s->count <= s->most;

	if (!all && row->badness == 0)
		return;
	if (f->row_count == s->most) {
		f->unlisted++;
		if (s->most == 0 || !is_worse(row, &f->rows[0]))
			return;
		s->bad = !name_row(f, row, z->conf->apex);
		if (s->bad)
			return;
		f->rows[0] = *row;
		sink(f->rows, f->row_count);
		return;
	}
	refresh_row_t *rows = grow(f->rows, f->row_count, &s->room, sizeof *rows);
	s->bad = !rows || !name_row(f, row, z->conf->apex);
	f->rows = rows ? rows : f->rows;
	if (s->bad)
		return;
	f->rows[f->row_count++] = *row;
	if (!all)
		rise(f->rows, f->row_count - 1);
}

static void look(refresh_survey_t *s, const zone_t *z)
{
	refresh_findings_t *f = s->found;
	refresh_row_t row = row_of(s, z);

	report_count(z, &f->totals);
	f->records += row.records;
	f->memory += row.memory;
	f->signed_zones += row.has_signatures;
	if (row.lag > f->lag)
		f->lag = row.lag;
	if (row.has_signatures && row.signatures < f->signatures)
		f->signatures = row.signatures;
	if (z->clock.loaded && !z->clock.expired && row.expires < f->expires)
		f->expires = row.expires;
	add_row(s, z, &row);
}

/* --- primaries -------------------------------------------------------------------------------- */

static bool look_at_place(const refresh_survey_t *s, const conf_primary_t *p, const way_t *w,
                          refresh_place_t *out)
{
	const breaker_t *b = way_breaker(w);

	*out = (refresh_place_t){
		.primary = strdup(p->name),
		.addr = way_peer(w)->addr,
		.down = b->open,
		.since = b->open ? mono_diff(b->since, s->now) : 0,
		.load = way_load(w),
		.max_queries = p->max_queries,
		.max_transfers = p->max_transfers,
		.max_connections = p->max_connections,
	};
	return out->primary != NULL;
}

static bool look_at_places(const refresh_survey_t *s)
{
	const conf_t *c = s->r->conf;
	refresh_findings_t *f = s->found;
	size_t count = 0;

	for (size_t i = 0; i < c->primary_count; i++)
		count += c->primaries[i]->address_count;
	f->places = calloc(count + 1, sizeof *f->places);
	if (!f->places)
		return false;
	for (size_t i = 0; i < c->primary_count; i++) {
		for (size_t j = 0; j < c->primaries[i]->address_count; j++) {
			if (!look_at_place(s, c->primaries[i], s->r->ways[i][j],
			                   &f->places[f->place_count]))
				return false;
			f->place_count++;
		}
	}
	return true;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void drop_rows(refresh_findings_t *f)
{
	struct refresh_names *names;

	while ((names = f->names)) {
		f->names = names->next;
		free(names);
	}
	free(f->rows);
}

/* From the first zone on. */
static void begin(refresh_survey_t *s)
{
	drop_rows(s->found);
	*s->found = (refresh_findings_t){
		.totals = { .zones = s->r->zone_count },
		.expires = (double)INFINITY,
		.signatures = (double)INFINITY,
	};
	s->generation = s->r->generation;
	s->count = s->r->zone_count;
	s->at = s->room = 0;
}

refresh_survey_t *refresh_survey_new(const refresh_t *r, size_t most)
{
	refresh_survey_t *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->r = r;
	s->most = most;
	s->found = calloc(1, sizeof *s->found);
	if (!s->found) {
		free(s);
		return NULL;
	}
	begin(s);
	return s;
}

void refresh_survey_free(refresh_survey_t *s)
{
	if (!s)
		return;
	refresh_findings_free(s->found);
	free(s);
}

/* A zone that moved to another place must not be met twice. */
static void look_for_change(refresh_survey_t *s)
{
	if (s->generation == s->r->generation)
		return;
	s->whole = ++s->restarts > RESTARTS;
	begin(s);
}

bool refresh_survey_step(refresh_survey_t *s)
{
	const mono_t until = mono_add_ms(clock_mono(), SLICE_MS);

	look_for_change(s);
	s->now = clock_mono();
	s->wall = (wall_t){ clock_wall_ms() / 1000 };
	while (s->at < s->count && !s->bad) {
		look(s, s->r->zones[s->at]);
		if (++s->at % SLICE_ZONES == 0 && !s->whole && !mono_before(clock_mono(), until))
			return false;
	}
	if (s->bad)
		return true;
	s->found->totals.loaded = s->found->totals.fresh + s->found->totals.behind +
	                          s->found->totals.expired;
	s->found->counts = s->r->counts;
	s->found->max_polls = s->r->limits.max_queries;
	s->found->max_transfers = s->r->limits.max_transfers;
	s->bad = !look_at_places(s);
	return true;
}

refresh_findings_t *refresh_survey_take(refresh_survey_t *s)
{
	refresh_findings_t *f = s->bad ? NULL : s->found;

	if (f)
		s->found = NULL;
	refresh_survey_free(s);
	return f;
}

void refresh_findings_free(refresh_findings_t *f)
{
	if (!f)
		return;
	drop_rows(f);
	for (size_t i = 0; i < f->place_count; i++)
		free(f->places[i].primary);
	free(f->places);
	free(f);
}
