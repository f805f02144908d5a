/* state/past.c - a sorted list of records, and which of them still count. */
#include "state/past.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR = 3600, DAY = 24 * HOUR, ROOM_FIRST = 4 };

/* --- the list ---------------------------------------------------------------------------------- */

static bool is_whole(const state_old_t *o)
{
	return o->from == 0;
}

/* Whether a comes behind b, or is the same: -1, 1, 0. */
static int compare(const state_old_t *a, const state_old_t *b)
{
	if (a->version != b->version)
		return a->version < b->version ? -1 : 1;
	return (int)is_whole(a) - (int)is_whole(b);
}

static state_past_t *make_room(state_past_t *p)
{
	const uint32_t count = p ? p->count : 0;
	const uint32_t room = p ? 2 * p->room : ROOM_FIRST;
	state_past_t *grown;

	if (p && count < p->room)
		return p;
	grown = realloc(p, sizeof *grown + room * sizeof grown->old[0]);
	if (grown)
		*grown = (state_past_t){ count, room };
	return grown;
}

status_t state_past_put(state_past_t **past, const state_old_t *old, state_old_t *displaced)
{
	state_past_t *p = make_room(*past);
	uint32_t i;

	if (!p)
		return ST_NOMEM;
	*past = p;
	*displaced = (state_old_t){ 0 };
	for (i = p->count; i > 0 && compare(&p->old[i - 1], old) > 0; i--)
		;
	if (i > 0 && compare(&p->old[i - 1], old) == 0) {
		state_old_t *there = &p->old[i - 1];

		*displaced = old->stamp < there->stamp ? *old : *there;
		if (old->stamp >= there->stamp)
			*there = *old;
		return ST_OK;
	}
	memmove(&p->old[i + 1], &p->old[i], (p->count - i) * sizeof p->old[0]);
	p->old[i] = *old;
	p->count++;
	return ST_OK;
}

uint32_t state_past_largest(const state_past_t *p)
{
	uint32_t most = 0;

	for (uint32_t i = 0; p && i < p->count; i++) {
		if (is_whole(&p->old[i]) && p->old[i].octets > most)
			most = p->old[i].octets;
	}
	return most;
}

bool state_past_has_own(const state_past_t *p, uint32_t own)
{
	for (uint32_t i = 0; p && i < p->count; i++) {
		if (is_whole(&p->old[i]) && p->old[i].own == own)
			return true;
	}
	return false;
}

state_old_t *state_past_at(state_past_t *p, state_place_t place, bool whole)
{
	for (uint32_t i = 0; p && i < p->count; i++) {
		const state_place_t there = p->old[i].place;

		if (there.file == place.file && there.at == place.at &&
		    is_whole(&p->old[i]) == whole)
			return &p->old[i];
	}
	return NULL;
}

bool state_past_follows(const state_old_t *o, uint32_t before)
{
	return is_whole(o) || (before != 0 && o->from == before && o->from < o->version);
}

bool state_past_way(const state_past_t *p, uint32_t version, size_t *first, size_t *last)
{
	uint32_t before = 0;
	bool found = false;

	for (uint32_t i = 0; p && i < p->count && p->old[i].version <= version; i++) {
		const state_old_t *o = &p->old[i];

		if (!state_past_follows(o, before))
			continue;
		if (is_whole(o))
			*first = i;
		before = o->version;
		*last = i;
		found = before == version;
	}
	return found;
}

/* --- which versions ---------------------------------------------------------------------------- */

void state_past_choose(const uint32_t *arrived, size_t count, bool *keep)
{
	size_t young = 0, middle = 0, hour = 0, day = 0;
	uint32_t age = 0;

	for (size_t i = 1; i < count; i++) {
		const uint32_t apart = arrived[0] > arrived[i] ? arrived[0] - arrived[i] : 0;

		keep[i] = false;
		age = apart > age ? apart : age; /* a clock that went back makes nothing younger */
		if (age < HOUR)
			young = i;
		else if (age < DAY)
			middle = i;
		if (hour == 0 && age >= HOUR)
			hour = i;
		if (day == 0 && age >= DAY)
			day = i;
	}
	keep[young] = keep[middle] = keep[hour] = keep[day] = true;
	keep[0] = true;
	if (count > 1)
		keep[1] = true;
}

/* --- what they need ---------------------------------------------------------------------------- */

/* A version that is there, or can be had of an entry of the past. */
typedef struct candidate {
	uint32_t version, arrived;
	uint32_t entry; /* from 1 on; 0: it is present */
	bool chosen, copy;
} candidate_t;

typedef struct pruning {
	state_past_t *past;
	candidate_t *all; /* the newest first */
	size_t count;
	bool *needed; /* by entry */
} pruning_t;

/* Entries that lead somewhere are candidates, behind those that are present; of two for the same version
 * the whole one. */
static void gather(pruning_t *g, const state_present_t *present, size_t count)
{
	const state_past_t *p = g->past;
	const uint32_t oldest = present[count - 1].version;
	uint32_t before = 0;
	size_t from;

	for (size_t i = 0; i < count; i++)
		g->all[g->count++] = (candidate_t){ .version = present[i].version,
			                            .arrived = present[i].arrived };
	from = g->count;
	for (uint32_t i = 0; i < p->count && p->old[i].version < oldest; i++) {
		const state_old_t *o = &p->old[i];

		if (!state_past_follows(o, before))
			continue;
		if (g->count > from && g->all[g->count - 1].version == o->version)
			g->count--;
		g->all[g->count++] = (candidate_t){ .version = o->version,
			                            .arrived = o->arrived,
			                            .entry = i + 1,
			                            .copy = o->copy };
		before = o->version;
	}
	for (size_t i = from, j = g->count; i + 1 < j; i++) { /* they came oldest first */
		const candidate_t c = g->all[i];

		g->all[i] = g->all[--j];
		g->all[j] = c;
	}
}

static status_t choose(pruning_t *g, bool all)
{
	uint32_t *arrived = malloc(g->count * sizeof *arrived);
	bool *keep = calloc(g->count, sizeof *keep);
	const bool ok = arrived && keep;

	for (size_t i = 0; ok && i < g->count; i++)
		arrived[i] = g->all[i].arrived;
	if (ok)
		state_past_choose(arrived, g->count, keep);
	for (size_t i = 0; ok && i < g->count; i++)
		g->all[i].chosen = all || keep[i];
	free(arrived);
	free(keep);
	return ok ? ST_OK : ST_NOMEM;
}

/* The entries that a chosen version takes, back to its whole one. */
static void mark_one(const pruning_t *g, uint32_t version)
{
	const state_past_t *p = g->past;
	size_t first, last;
	uint32_t before = 0;

	if (!state_past_way(p, version, &first, &last))
		return;
	for (size_t i = first; i <= last; i++) {
		if (!state_past_follows(&p->old[i], before))
			continue;
		g->needed[i] = true;
		before = p->old[i].version;
	}
}

/* All of them; returns the units that they take. */
static uint64_t mark(const pruning_t *g)
{
	const state_past_t *p = g->past;
	uint64_t units = 0;

	memset(g->needed, 0, p->count * sizeof *g->needed);
	for (size_t c = 0; c < g->count; c++) {
		if (g->all[c].entry != 0 && g->all[c].chosen)
			mark_one(g, g->all[c].version);
	}
	for (uint32_t i = 0; i < p->count; i++) {
		if (g->needed[i])
			units += (uint64_t)p->old[i].place.size +
			         (p->old[i].own != 0 ? p->old[i].octets : 0);
	}
	return units;
}

/* The oldest that is chosen, of copies or of all; but what was served before is not given up. 0: there is
 * none. */
static size_t oldest(const pruning_t *g, bool copies)
{
	for (size_t i = g->count; i-- > 2;) {
		const candidate_t *c = &g->all[i];

		if (c->entry != 0 && c->chosen && (c->copy || !copies))
			return i;
	}
	return 0;
}

/* False: there is no more to be given up. */
static bool give_up_one(pruning_t *g)
{
	size_t i = oldest(g, true);

	if (i == 0)
		i = oldest(g, false);
	if (i == 0)
		return false;
	g->all[i].chosen = false;
	return true;
}

/* What is needed to the front, what is not to the end. */
static void part(const pruning_t *g, state_old_t *unneeded)
{
	state_past_t *p = g->past;
	uint32_t kept = 0, gone = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		if (g->needed[i])
			p->old[kept++] = p->old[i];
		else
			unneeded[gone++] = p->old[i];
	}
	if (gone > 0)
		memcpy(&p->old[kept], unneeded, gone * sizeof *unneeded);
	p->count = kept;
}

size_t state_past_prune(state_past_t *p, const state_present_t *present, size_t count,
                        uint64_t most, bool all)
{
	const uint32_t before = p->count;
	pruning_t g = { .past = p };
	state_old_t *unneeded = malloc(before * sizeof *unneeded + 1);

	g.all = malloc((count + before) * sizeof *g.all);
	g.needed = malloc(before * sizeof *g.needed + 1);
	if (unneeded && g.all && g.needed) {
		gather(&g, present, count);
		if (choose(&g, all) == ST_OK) {
			while (mark(&g) > most && give_up_one(&g))
				;
			part(&g, unneeded);
		}
	}
	free(unneeded);
	free(g.all);
	free(g.needed);
	return before - p->count;
}
