/* state/index.c - what of each zone's records is the newest, what is still needed, and the sums of the files. */
#include "state/index.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"

enum { STEPS_MOST = UINT16_MAX, PAST_LEAST = 64 << 10 };

/* --- files ------------------------------------------------------------------------------------- */

state_file_t *state_index_add_file(state_index_t *x, uint32_t number, int fd, uint64_t size)
{
	state_file_t *grown = grow(x->files, x->file_count, &x->file_room, sizeof *grown);

	if (!grown)
		return NULL;
	x->files = grown;
	x->files[x->file_count] = (state_file_t){ .number = number, .fd = fd, .size = size };
	return &x->files[x->file_count++];
}

static state_file_t *find_file(state_file_t *files, size_t count, uint32_t number)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (files[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < count && files[low].number == number ? &files[low] : NULL;
}

state_file_t *state_index_file(const state_index_t *x, uint32_t number)
{
	return find_file(x->files, x->file_count, number);
}

int state_index_fd(const state_index_t *x, uint32_t number)
{
	const state_file_t *f = find_file(x->scanned, x->scanned_count, number);

	return f ? f->fd : -1;
}

status_t state_index_scanned(state_index_t *x)
{
	x->scanned = malloc((x->file_count + 1) * sizeof *x->scanned);
	if (!x->scanned)
		return ST_NOMEM;
	if (x->file_count > 0)
		memcpy(x->scanned, x->files, x->file_count * sizeof *x->files);
	x->scanned_count = x->file_count;
	return ST_OK;
}

void state_index_forget_file(state_index_t *x, uint32_t number)
{
	state_file_t *f = state_index_file(x, number);
	size_t i = f ? (size_t)(f - x->files) : x->file_count;

	if (!f)
		return;
	memmove(f, f + 1, (x->file_count - i - 1) * sizeof *f);
	x->file_count--;
}

/* --- records ----------------------------------------------------------------------------------- */

static void count(state_index_t *x, state_place_t place, bool live)
{
	state_file_t *f = place.file ? state_index_file(x, place.file) : NULL;
	const uint64_t octets = (uint64_t)place.size * STATE_ALIGN;

	if (f && live)
		f->live += octets;
	else if (f)
		f->live -= octets;
}

/* --- old versions ------------------------------------------------------------------------------ */

uint32_t state_index_unneeded(state_index_t *x)
{
	return x->unneeded_count > 0 ? x->unneeded[--x->unneeded_count] : 0;
}

/* A record is not needed any more. A file that can't be remembered here goes at the next start. */
static void let_go(state_index_t *x, const state_zone_t *z, const state_old_t *old)
{
	uint32_t *grown;

	count(x, old->place, false);
	if (old->own == 0 || old->own == z->own || state_past_has_own(z->past, old->own))
		return;
	grown = grow(x->unneeded, x->unneeded_count, &x->unneeded_room, sizeof *grown);
	if (!grown)
		return;
	x->unneeded = grown;
	x->unneeded[x->unneeded_count++] = old->own;
}

/* Superseded, but an old version may need it. */
static void supersede(state_index_t *x, state_zone_t *z, const state_old_t *old)
{
	state_old_t other = *old;

	if (old->place.file == 0)
		return;
	if (x->past_share > 0)
		(void)state_past_put(&z->past, old, &other);
	if (other.place.file != 0)
		let_go(x, z, &other);
}

/* The versions that there are anyway, the newest first: room for step_count + 1. */
static size_t list_present(const state_zone_t *z, state_present_t *out)
{
	size_t n = 0;

	for (size_t i = z->step_count; i-- > 0;)
		out[n++] = (state_present_t){ z->steps[i].version, z->steps[i].arrived };
	out[n++] = (state_present_t){ z->whole_version, z->whole_arrived };
	return n;
}

/* A share of the zone, as large as it was lately: one that has lost most of its records must not cost those
 * that have them. But room for some small ones at least. */
static uint64_t past_most(const state_index_t *x, const state_zone_t *z)
{
	const uint32_t largest = state_past_largest(z->past);
	const uint64_t size = largest > z->octets ? largest : z->octets;
	const uint64_t share = size * x->past_share / 100;

	return share > PAST_LEAST / STATE_ALIGN ? share : PAST_LEAST / STATE_ALIGN;
}

static void prune(state_index_t *x, state_zone_t *z)
{
	const bool all = z->pinned && z->step_count == 0;
	const uint64_t most = past_most(x, z) * (all ? 2 : 1);
	state_present_t *present;
	size_t gone;

	if (!z->past)
		return;
	present = malloc((z->step_count + 1u) * sizeof *present);
	if (!present)
		return; /* when the next version comes */
	gone = state_past_prune(z->past, present, list_present(z, present), most, all);
	free(present);
	for (size_t i = 0; i < gone; i++)
		let_go(x, z, &z->past->old[z->past->count + i]);
	if (z->past->count == 0) {
		free(z->past);
		z->past = NULL;
	}
}

/* --- what is newest ---------------------------------------------------------------------------- */

static state_old_t old_of_step(const state_step_t *s)
{
	return (state_old_t){ .place = s->place,
		              .version = s->version,
		              .from = s->from,
		              .stamp = s->stamp,
		              .arrived = s->arrived };
}

static state_old_t old_of_whole(const state_zone_t *z)
{
	return (state_old_t){ .place = z->whole,
		              .version = z->whole_version,
		              .own = z->own,
		              .octets = z->octets,
		              .stamp = z->whole_stamp,
		              .arrived = z->whole_arrived,
		              .copy = z->copy };
}

static void free_steps(state_zone_t *z)
{
	z->step_count = 0;
	free(z->steps);
	z->steps = NULL;
}

/* Differences up to the whole version are not needed for what is newest. */
static void drop_steps(state_index_t *x, state_zone_t *z)
{
	size_t keep = 0;

	for (size_t i = 0; i < z->step_count; i++) {
		const state_step_t step = z->steps[i];
		const state_old_t old = old_of_step(&step);

		if (step.version > z->whole_version)
			z->steps[keep++] = step;
		else if (step.version < z->whole_version)
			supersede(x, z, &old);
		else
			let_go(x, z, &old);
	}
	z->step_count = (uint16_t)keep;
	if (keep == 0)
		free_steps(z);
}

/* The same version is there already, and came when it says. */
static uint32_t arrived(const state_zone_t *z, const state_found_t *f)
{
	const size_t n = z->step_count;

	if (z->whole.file && f->record.version == z->whole_version)
		return z->whole_arrived;
	if (n > 0 && z->steps[n - 1].version == f->record.version)
		return z->steps[n - 1].arrived;
	return f->arrived;
}

static void take_whole(state_index_t *x, state_zone_t *z, const state_found_t *f)
{
	const state_record_t *r = &f->record;
	const state_old_t before = old_of_whole(z);
	const state_old_t taken = { .place = f->place,
		                    .version = r->version,
		                    .own = f->own,
		                    .octets = (uint32_t)(f->octets / STATE_ALIGN),
		                    .stamp = r->stamp,
		                    .arrived = arrived(z, f),
		                    .copy = f->copy };

	count(x, f->place, true);
	if (z->whole.file && r->version < z->whole_version) { /* it comes late */
		supersede(x, z, &taken);
		return;
	}
	/* A copy that was under way when the version was saved again. */
	if (z->whole.file && r->version == z->whole_version && r->stamp < z->whole_stamp) {
		let_go(x, z, &taken);
		return;
	}
	z->whole = taken.place;
	z->own = taken.own;
	z->octets = taken.octets;
	z->whole_version = taken.version;
	z->whole_stamp = taken.stamp;
	z->whole_arrived = taken.arrived;
	z->pinned = f->pinned;
	z->copy = f->copy;
	if (before.place.file != 0 && before.version == taken.version)
		let_go(x, z, &before);
	else
		supersede(x, z, &before);
	drop_steps(x, z);
}

/* There is always room for the next power of two: no zone has to keep how much there is. NULL: no memory. */
static state_step_t *room_for_step(state_zone_t *z)
{
	const size_t count = z->step_count;
	state_step_t *grown;

	if (z->steps && (count & (count - 1)) != 0)
		return z->steps;
	grown = reallocarray(z->steps, count ? 2 * count : 1, sizeof *grown);
	if (grown)
		z->steps = grown;
	return grown;
}

/* One that an old version may need. */
static void take_old_step(state_index_t *x, state_zone_t *z, const state_step_t *s)
{
	const state_old_t old = old_of_step(s);

	if (s->from == 0 || s->from >= s->version || s->version == z->whole_version)
		return;
	count(x, s->place, true);
	supersede(x, z, &old);
}

/* A copy of one that is known takes its place. */
static status_t take_step(state_index_t *x, state_zone_t *z, const state_found_t *f)
{
	const state_record_t *r = &f->record;
	state_step_t taken = { r->version, r->from, r->stamp, f->arrived, f->place };
	size_t i = z->step_count;
	state_step_t *grown;

	if (z->whole.file && r->version <= z->whole_version) {
		take_old_step(x, z, &taken);
		return ST_OK;
	}
	while (i > 0 && z->steps[i - 1].version > r->version)
		i--;
	if (i > 0 && z->steps[i - 1].version == r->version) {
		count(x, z->steps[i - 1].place, false);
		z->steps[i - 1] = taken;
		count(x, f->place, true);
		return ST_OK;
	}
	if (z->step_count == STEPS_MOST)
		return ST_LIMIT;
	grown = room_for_step(z);
	if (!grown)
		return ST_NOMEM;
	memmove(grown + i + 1, grown + i, (z->step_count - i) * sizeof *grown);
	grown[i] = taken;
	z->step_count++;
	count(x, f->place, true);
	return ST_OK;
}

/* A copy has the stamp of what it copies. */
static void take_clocks(state_index_t *x, state_zone_t *z, const state_record_t *r,
                        state_place_t place)
{
	if (r->stamp < z->stamp)
		return;
	count(x, z->clocks, false);
	z->clocks = place;
	count(x, place, true);
	z->stamp = r->stamp;
	z->clocks_version = r->version;
}

static void forget_clocks(state_index_t *x, state_zone_t *z)
{
	count(x, z->clocks, false);
	z->clocks = (state_place_t){ 0 };
}

/* Clocks of another version, or older than those in the record of this one, are of no use. */
static void settle_clocks(state_index_t *x, state_zone_t *z)
{
	const uint32_t stamp = z->step_count > 0 ? z->steps[z->step_count - 1].stamp
	                                         : z->whole_stamp;

	if (z->clocks.file != 0 && (z->clocks_version != z->version || z->stamp < stamp))
		forget_clocks(x, z);
}

status_t state_index_take(state_index_t *x, state_zone_t *z, const state_found_t *f)
{
	const state_record_t *r = &f->record;
	status_t st = ST_OK;

	switch (r->kind) {
	case STATE_WHOLE:
	case STATE_OWN:
		take_whole(x, z, f);
		break;
	case STATE_DELTA:
		st = take_step(x, z, f);
		break;
	case STATE_CLOCKS:
		take_clocks(x, z, r, f->place);
		return ST_OK;
	case STATE_PART:
	case STATE_GONE:
		return ST_OK;
	}
	if (st == ST_OK && r->version > z->version)
		z->version = r->version;
	if (x->settled) {
		settle_clocks(x, z);
		prune(x, z);
	}
	return st;
}

static bool same(state_place_t a, state_place_t b)
{
	return a.file == b.file && a.at == b.at;
}

bool state_index_needs(const state_zone_t *z, const state_record_t *r, state_place_t place)
{
	switch (r->kind) {
	case STATE_WHOLE:
	case STATE_OWN:
		return same(z->whole, place) || state_past_at(z->past, place, true);
	case STATE_CLOCKS:
		return same(z->clocks, place);
	case STATE_DELTA:
		for (size_t i = 0; i < z->step_count; i++) {
			if (same(z->steps[i].place, place))
				return true;
		}
		return state_past_at(z->past, place, false) != NULL;
	case STATE_PART:
	case STATE_GONE:
		break;
	}
	return false;
}

void state_index_moved(state_index_t *x, state_zone_t *z, const state_record_t *r,
                       state_place_t from, state_place_t to)
{
	state_place_t *place = r->kind == STATE_CLOCKS ? &z->clocks : &z->whole;
	state_old_t *old;

	if (!state_index_needs(z, r, from))
		return;
	if (r->kind != STATE_CLOCKS && (old = state_past_at(z->past, from, r->kind != STATE_DELTA)))
		place = &old->place;
	for (size_t i = 0; r->kind == STATE_DELTA && i < z->step_count; i++) {
		if (same(z->steps[i].place, from))
			place = &z->steps[i].place;
	}
	count(x, *place, false);
	*place = to;
	count(x, to, true);
}

/* --- zones that nobody follows ------------------------------------------------------------------ */

void state_index_take_left(state_index_t *x, const state_record_t *r, state_place_t place)
{
	if (r->stamp < x->left_stamp)
		return;
	count(x, x->left, false);
	x->left = place;
	x->left_stamp = r->stamp;
	count(x, place, true);
}

void state_index_left_moved(state_index_t *x, state_place_t from, state_place_t to)
{
	if (!same(x->left, from))
		return;
	count(x, x->left, false);
	x->left = to;
	count(x, to, true);
}

static bool is_followed(state_index_t *x, const state_zone_t *z)
{
	pthread_mutex_lock(&x->mutex);
	const bool followed = !z->orphan;
	pthread_mutex_unlock(&x->mutex);
	return followed;
}

bool state_index_drop(state_index_t *x, state_zone_t *z)
{
	if (is_followed(x, z))
		return false;
	state_past_t *past = z->past;
	const state_old_t whole = old_of_whole(z);

	z->past = NULL;
	z->own = 0;
	for (uint32_t i = 0; past && i < past->count; i++)
		let_go(x, z, &past->old[i]);
	free(past);
	if (whole.place.file != 0)
		let_go(x, z, &whole);
	for (size_t i = 0; i < z->step_count; i++)
		count(x, z->steps[i].place, false);
	free_steps(z);
	forget_clocks(x, z);
	z->whole = (state_place_t){ 0 };
	z->octets = z->whole_version = z->version = z->written = 0;
	return true;
}

/* The step that leads to this version, or NULL. */
static state_step_t *step_to(const state_zone_t *z, uint32_t version)
{
	size_t low = 0, high = z->step_count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (z->steps[mid].version < version)
			low = mid + 1;
		else
			high = mid;
	}
	return low < z->step_count && z->steps[low].version == version ? &z->steps[low] : NULL;
}

/* Mark, by their place's file, those that lead on from what is whole; returns how many. Each begins
 * before it ends, so one pass does. */
static size_t unhook_loose(state_index_t *x, state_zone_t *z)
{
	size_t hooked = 0;

	for (size_t i = 0; i < z->step_count; i++) {
		state_step_t *step = &z->steps[i];
		const state_step_t *before = step_to(z, step->from);

		if (step->from < step->version &&
		    (step->from == z->whole_version || (before && before->place.file != 0))) {
			hooked++;
			continue;
		}
		count(x, step->place, false);
		step->place.file = 0;
	}
	return hooked;
}

/* Of those that are hooked, the way to the newest version; others are forgotten. */
static void keep_way(state_index_t *x, state_zone_t *z)
{
	size_t to = z->step_count;
	uint32_t version = 0;

	for (size_t i = z->step_count; i-- > 0;) {
		state_step_t step = z->steps[i];

		if (step.place.file == 0)
			continue;
		if (version == 0 || step.version == version) {
			version = step.from;
			z->steps[--to] = step;
		} else {
			count(x, step.place, false);
		}
	}
	z->step_count -= (uint16_t)to;
	memmove(z->steps, z->steps + to, z->step_count * sizeof *z->steps);
	z->version = z->steps[z->step_count - 1].version;
}

void state_index_settle(state_index_t *x, state_zone_t *z)
{
	if (!z->whole.file) { /* and clocks of nothing are of no use either */
		for (size_t i = 0; i < z->step_count; i++)
			count(x, z->steps[i].place, false);
		free_steps(z);
		forget_clocks(x, z);
		z->version = 0;
		return;
	}
	z->version = z->whole_version;
	if (unhook_loose(x, z) > 0) {
		keep_way(x, z);
	} else {
		free_steps(z);
	}
	settle_clocks(x, z);
	prune(x, z);
}
