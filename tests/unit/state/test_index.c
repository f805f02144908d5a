/* tests/unit/state/test_index.c - which records make a zone, and how much of each file is needed. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/index.h"
#include "tests/unit/state/dice.h"

TestSuite(state_index, .timeout = 30);

static const uint8_t apex[] = "\1a";

/* --- which records make a zone ------------------------------------------------------------------- */

/* Records in a word each: "w3" a whole version, "p3" one that an operator chose, "o3" one in a file of its own, "d3-5" a difference from 3
 * to 5, "c3" clocks of 3. They are taken in this order, with stamps that count up; "@7" behind one gives
 * it another. */
typedef struct row {
	const char *why, *records;
	uint32_t whole, version;
	size_t steps;
	uint32_t clocks; /* the stamp of those in a record of their own; 0: there are none */
} row_t;

static const row_t rows[] = {
	{ "nothing", "", 0, 0, 0, 0 },
	{ "a whole version", "w1", 1, 1, 0, 0 },
	{ "two", "w1 w2", 2, 2, 0, 0 },
	{ "the older one later", "w2 w1", 2, 2, 0, 0 },
	{ "a chain", "w1 d1-2 d2-3 d3-4", 1, 4, 3, 0 },
	{ "in any order", "d3-4 d1-2 w1 d2-3", 1, 4, 3, 0 },
	{ "with a gap", "w1 d1-2 d3-4", 1, 2, 1, 0 },
	{ "without its beginning", "w1 d2-3 d3-4", 1, 1, 0, 0 },
	{ "without a whole version", "d1-2 d2-3 c3", 0, 0, 0, 0 },
	{ "that goes on over a whole one", "w1 d1-2 d2-3 w3 d3-4", 3, 4, 1, 0 },
	{ "whose whole one comes late", "w1 d1-2 d2-3 d3-4 w2", 2, 4, 2, 0 },
	{ "that was copied", "w1 d1-2 d2-3 d1-2@2 d2-3@3 w1@1", 1, 3, 2, 0 },
	{ "from the newest of two ends", "w1 d1-2 d2-3 d1-4", 1, 4, 1, 0 },
	{ "backwards", "w3 d3-2 d5-4", 3, 3, 0, 0 },
	{ "to itself", "w1 d2-2", 1, 1, 0, 0 },
	{ "in a file of its own", "w1 o2 d2-3", 2, 3, 1, 0 },
	{ "clocks", "w1 c1", 1, 1, 0, 2 },
	{ "the newest clocks", "w1 c1 c1", 1, 1, 0, 3 },
	{ "clocks that were copied", "w1 c1 c1 c1@2", 1, 1, 0, 3 },
	{ "clocks of the version before", "w1 c1 d1-2", 1, 2, 1, 0 },
	{ "clocks of the newest", "w1 d1-2 c2", 1, 2, 1, 3 },
	{ "clocks of one that is lost", "w1 d1-2 c3", 1, 2, 1, 0 },
	{ "clocks beside a version that hangs loose", "w1 c1 d2-3", 1, 1, 0, 2 },
	{ "clocks before their version was saved whole again", "w1 d1-2 c2 w2", 2, 2, 0, 0 },
	{ "clocks beside an older version, whole again", "w1 d1-2 c2 w1", 1, 2, 1, 3 },
	{ "... whose record stands before them", "w1 w1@9 d1-2@5 c2@6", 1, 2, 1, 6 },
};

enum { FILE_NUMBER = 5, SIZE = 8 };

static state_record_t parse(const char *word, uint32_t stamp)
{
	char *rest;
	const uint32_t n = (uint32_t)strtoul(word + 1, &rest, 10);
	state_record_t r = { .version = n, .stamp = stamp, .len = 10 };

	if (*rest == '-') {
		r.from = n;
		r.version = (uint32_t)strtoul(rest + 1, &rest, 10);
	}
	if (*rest == '@')
		r.stamp = (uint32_t)strtoul(rest + 1, NULL, 10);
	r.kind = *word == 'w' || *word == 'p' ? STATE_WHOLE
	         : *word == 'o'               ? STATE_OWN
	         : *word == 'd'               ? STATE_DELTA
	                                      : STATE_CLOCKS;
	return r;
}

/* When the version of a record came: one each ten minutes. */
enum { STEP_S = 600 };

/* An operator chose what is taken. */
static bool pinned;

/* The file that is not needed any more. */
static uint32_t take(state_index_t *x, state_zone_t *z, const state_record_t *r,
                     state_place_t place, uint32_t own)
{
	const state_found_t f = {
		.record = *r,
		.place = place,
		.own = own,
		.octets = 800,
		.arrived = r->version * STEP_S,
		.pinned = pinned,
	};

	cr_expect(eq(int, state_index_take(x, z, &f), ST_OK));
	return state_index_unneeded(x);
}

static state_zone_t *take_all(state_index_t *x, const char *records)
{
	state_zone_t *z = state_index_zone(x, apex, true, false);
	char text[300], *rest = text;
	uint32_t n = 0;

	snprintf(text, sizeof text, "%s", records);
	for (char *word; (word = strsep(&rest, " ")) && *word;) {
		const state_record_t r = parse(word, ++n);
		const state_place_t place = { FILE_NUMBER, n * SIZE, SIZE };

		pinned = *word == 'p';
		take(x, z, &r, place, r.kind == STATE_OWN ? 9 : 0);
	}
	pinned = false;
	return z;
}

static uint64_t needed(const state_zone_t *z)
{
	const size_t past = z->past ? z->past->count : 0;

	return ((z->whole.file != 0) + (z->clocks.file != 0) + z->step_count + past) *
	       (uint64_t)SIZE * STATE_ALIGN;
}

Test(state_index, keeps_what_hangs_together)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const row_t *row = &rows[i];
		state_index_t x;

		cr_assert(eq(int, state_index_open(&x), ST_OK));
		state_index_add_file(&x, FILE_NUMBER, -1, 1000);
		state_zone_t *z = take_all(&x, row->records);
		state_index_settle(&x, z);
		cr_expect(eq(u32, z->whole.file ? z->whole_version : 0, row->whole), "%s",
		          row->why);
		cr_expect(eq(u32, z->version, row->version), "%s", row->why);
		cr_expect(eq(sz, z->step_count, row->steps), "%s", row->why);
		cr_expect(eq(u32, z->clocks.file ? z->stamp : 0, row->clocks), "%s", row->why);
		for (size_t j = 1; j < z->step_count; j++)
			cr_expect(eq(u32, z->steps[j].from, z->steps[j - 1].version), "%s",
			          row->why);
		cr_expect(eq(u64, state_index_file(&x, FILE_NUMBER)->live, needed(z)), "%s",
		          row->why);
		state_index_close(&x);
	}
}

Test(state_index, tells_which_file_is_not_needed_any_more)
{
	state_index_t x;

	cr_assert(eq(int, state_index_open(&x), ST_OK));
	state_zone_t *z = state_index_zone(&x, apex, true, false);
	state_record_t r = { .kind = STATE_OWN, .version = 2, .stamp = 1 };
	cr_expect(eq(u32, take(&x, z, &r, (state_place_t){ 1, 8, 8 }, 7), 0));
	cr_expect(eq(u32, take(&x, z, &r, (state_place_t){ 2, 8, 8 }, 7), 0), "a copy");
	r.version = 1;
	cr_expect(eq(u32, take(&x, z, &r, (state_place_t){ 1, 16, 8 }, 6), 6), "an older one");
	r.version = 3;
	cr_expect(eq(u32, take(&x, z, &r, (state_place_t){ 1, 24, 8 }, 8), 7));
	r.version = 4;
	r.kind = STATE_WHOLE;
	cr_expect(eq(u32, take(&x, z, &r, (state_place_t){ 1, 32, 8 }, 0), 8));
	cr_expect(eq(u32, z->own, 0));
	state_index_close(&x);
}

Test(state_index, takes_no_more_differences_than_it_can_count)
{
	enum { MOST_STEPS = UINT16_MAX };
	state_index_t x;
	state_record_t r = { .kind = STATE_WHOLE, .version = 1, .stamp = 1 };

	cr_assert(eq(int, state_index_open(&x), ST_OK));
	state_zone_t *z = state_index_zone(&x, apex, true, false);
	take(&x, z, &r, (state_place_t){ 1, 8, 8 }, 0);
	r.kind = STATE_DELTA;
	for (uint32_t i = 0; i < MOST_STEPS; i++) {
		r.from = r.version++;
		take(&x, z, &r, (state_place_t){ 1, 16 + i, 1 }, 0);
	}
	const state_place_t place = { 2, 8, 8 };
	take(&x, z, &r, place, 0); /* a copy takes no room */
	cr_expect(eq(u32, z->steps[MOST_STEPS - 1].place.file, 2));
	r.from = r.version++;
	const state_found_t more = { .record = r, .place = place, .octets = 100 };
	cr_expect(eq(int, state_index_take(&x, z, &more), ST_LIMIT));
	cr_expect(eq(u32, z->version, r.from), "it is as it was");
	cr_expect(eq(u32, z->step_count, MOST_STEPS));
	r.kind = STATE_WHOLE;
	take(&x, z, &r, place, 0);
	cr_expect(eq(u32, z->step_count, 0));
	state_index_close(&x);
}

/* --- old versions -------------------------------------------------------------------------------- */

/* The same words; and what of them is kept of the past, and how many of all are needed. */
typedef struct old_row {
	const char *why, *records, *past;
	unsigned share;
	bool found; /* by a scan: a writer would have left some out before others came */
} old_row_t;

static const old_row_t old_rows[] = {
	{ "no share", "w1 w2", "", 0, false },
	{ "the one before", "w1 w2", "w1", 100, false },
	{ "the one before, that comes late", "w2 w1", "w1", 100, false },
	{ "the one before, and the oldest of the hour", "w1 w2 w3 w4 w5", "w1 w4", 100, false },
	{ "... and what was served an hour ago", "w1 w2 w3 w4 w5 w6 w7 w8 w9", "w1 w3 w4 w8", 100,
	  true },
	{ "... in the course of time", "w1 w2 w3 w4 w5 w6 w7 w8 w9 w9@99", "w1 w5 w8", 100, false },
	{ "differences lead there", "w1 d1-2 w3", "w1 d1-2", 100, false },
	{ "... in any order", "d1-2 w3 w1", "w1 d1-2", 100, true },
	{ "... also over several", "w1 d1-2 d2-3 d3-4 w5", "w1 d1-2 d2-3 d3-4", 100, false },
	{ "... or there is a shorter way", "w1 d1-2 d2-3 w3 d3-4 w5 w6", "w1 w5", 100, false },
	{ "what is there takes no more", "w1 d1-2 d2-3 d3-4", "", 100, false },
	{ "... and counts", "w1 w2 d2-3 d3-4 d4-5", "w1", 100, false },
	{ "what was saved whole again", "w1 d1-2 d2-3 w3", "w1 d1-2", 100, false },
	{ "what hangs loose", "w1 d2-3 w4", "w1", 100, false },
	{ "... behind what does not", "w1 d1-2 d3-4 w5", "w1 d1-2", 100, false },
	{ "backwards", "w2 d2-1 d3-3 w4", "w2", 100, false },
	{ "copies", "w1 w2 w3 w1@1 w2@2", "w1@1 w2@2", 100, false },
	{ "files of their own", "o1 w2", "o1", 100, false },
	{ "while an operator chooses, all", "w1 d1-2 d2-3 d3-4 p5", "w1 d1-2 d2-3 d3-4", 100,
	  false },
	{ "... also those that were chosen", "w1 d1-2 d2-3 p4 p5", "w1 d1-2 d2-3 p4", 100, false },
	{ "... and then by their age again", "w1 d1-2 d2-3 p4 p5 w6", "w1 p5", 100, false },
	{ "... also when differences follow", "w1 d1-2 d2-3 p4 d4-5 d5-6", "w1", 100, false },
};

static bool is_in(const char *words, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += len) {
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	}
	return false;
}

static void expect_past(const state_zone_t *z, const old_row_t *row)
{
	char text[300], *rest = text;
	uint32_t n = 0;
	size_t kept = 0;

	snprintf(text, sizeof text, "%s", row->records);
	for (char *word; (word = strsep(&rest, " ")) && *word;) {
		const state_record_t r = parse(word, ++n);
		const state_place_t place = { FILE_NUMBER, n * SIZE, SIZE };
		const bool want = is_in(row->past, word);

		kept += want;
		cr_expect(
			eq(int, state_past_at(z->past, place, r.kind != STATE_DELTA) != NULL, want),
			"%s: %s", row->why, word);
	}
	cr_expect(eq(sz, z->past ? z->past->count : 0, kept), "%s", row->why);
}

Test(state_index, keeps_old_versions)
{
	for (size_t i = 0; i < 2 * ARRAY_LEN(old_rows); i++) {
		const old_row_t *row = &old_rows[i / 2];
		state_index_t x;

		cr_assert(eq(int, state_index_open(&x), ST_OK));
		state_index_add_file(&x, FILE_NUMBER, -1, 1000);
		x.past_share = row->share;
		x.settled = !row->found && (i % 2 || strstr(row->why, "course"));
		state_zone_t *z = take_all(&x, row->records);
		state_index_settle(&x, z);
		expect_past(z, row);
		cr_expect(eq(u64, state_index_file(&x, FILE_NUMBER)->live, needed(z)), "%s",
		          row->why);
		state_index_close(&x);
	}
}

/* A share of 100 % of what the zone was: with the smallest of all there is room for the largest. */
Test(state_index, a_small_version_does_not_cost_the_large_ones)
{
	enum { LARGE = 1 << 20 };
	state_index_t x;
	state_record_t r = { .kind = STATE_WHOLE };

	cr_assert(eq(int, state_index_open(&x), ST_OK));
	x.past_share = 200;
	x.settled = true;
	state_zone_t *z = state_index_zone(&x, apex, true, false);
	for (r.version = 1; r.version <= 6; r.version++) {
		const uint32_t octets = r.version < 3 ? LARGE : 400;
		const state_found_t f = {
			.record = r,
			.place = { 1, r.version * LARGE, octets / STATE_ALIGN },
			.octets = octets,
			.arrived = r.version * STEP_S,
		};
		r.stamp = r.version;
		cr_expect(eq(int, state_index_take(&x, z, &f), ST_OK));
		if (r.version == 3)
			cr_expect(eq(u32, z->past->count, 2));
	}
	cr_expect(eq(u32, z->past->old[0].version, 1), "the oldest of the hour");
	state_index_close(&x);
}

Test(state_index, keeps_the_files_of_old_versions)
{
	state_index_t x;
	state_record_t r = { .kind = STATE_OWN };

	cr_assert(eq(int, state_index_open(&x), ST_OK));
	x.past_share = 100;
	x.settled = true;
	state_zone_t *z = state_index_zone(&x, apex, true, false);
	for (r.version = 1; r.version <= 3; r.version++) {
		r.stamp = r.version;
		cr_expect(
			eq(u32,
		           take(&x, z, &r, (state_place_t){ 1, r.version * 8, 8 }, 10 + r.version),
		           0));
	}
	r.version = r.stamp = 4;
	cr_expect(eq(u32, take(&x, z, &r, (state_place_t){ 1, 32, 8 }, 14), 12), "in between");
	cr_expect(state_past_has_own(z->past, 11) && state_past_has_own(z->past, 13));
	cr_expect(eq(u32, take(&x, z, &r, (state_place_t){ 1, 40, 8 }, 15), 14), "whole again");
	state_index_close(&x);
}

/* --- by chance ----------------------------------------------------------------------------------- */

enum { FILES = 6, MOST = 200 };

typedef struct written {
	state_record_t record;
	state_place_t place;
} written_t;

/* What is needed of each file is what state_index_needs() says of each record. */
static void recount(const state_index_t *x, const state_zone_t *z, const written_t *all,
                    size_t count, unsigned seed)
{
	for (uint32_t f = 1; f <= FILES; f++) {
		uint64_t live = 0;

		for (size_t i = 0; i < count; i++) {
			if (all[i].place.file == f &&
			    state_index_needs(z, &all[i].record, all[i].place))
				live += (uint64_t)all[i].place.size * STATE_ALIGN;
		}
		cr_expect(eq(u64, state_index_file(x, f)->live, live), "seed %u, file %u", seed, f);
	}
}

Test(state_index, sums_are_those_of_a_recount)
{
	for (unsigned seed = 0; seed < 300; seed++) {
		dice_t dice = { seed };
		state_index_t x;
		written_t all[MOST];
		size_t count = 0;

		cr_assert(eq(int, state_index_open(&x), ST_OK));
		for (uint32_t f = 1; f <= FILES; f++)
			state_index_add_file(&x, f, -1, 1000000);
		state_zone_t *z = state_index_zone(&x, apex, true, true);
		x.settled = seed % 2;
		x.past_share = seed % 3 * 100;
		while (count < MOST) {
			const uint32_t at = (uint32_t)count * 8, roll = dice_below(&dice, 8);
			written_t *w = &all[count++];

			w->place = (state_place_t){ 1 + dice_below(&dice, FILES), at,
				                    1 + dice_below(&dice, 8) };
			w->record = (state_record_t){
				.kind = (state_kind_t)(1 + dice_below(&dice, 4)),
				.version = 1 + dice_below(&dice, 20),
				.from = dice_below(&dice, 20),
				.stamp = (uint32_t)count,
			};
			if (roll == 0 && count > 1) { /* a copy, if it is needed */
				const written_t *from =
					&all[dice_below(&dice, (uint32_t)count - 1)];

				w->record = from->record;
				w->place.size = from->place.size;
				state_index_moved(&x, z, &from->record, from->place, w->place);
			} else {
				take(&x, z, &w->record, w->place, 0);
			}
			if (count % 50 == 0)
				recount(&x, z, all, count, seed);
		}
		state_index_settle(&x, z);
		recount(&x, z, all, count, seed);
		state_index_close(&x);
	}
}

/* --- zones and files ----------------------------------------------------------------------------- */

static void count_zone(void *arg, state_zone_t *z)
{
	(void)z;
	++*(unsigned *)arg;
}

Test(state_index, finds_each_of_many_zones)
{
	enum { ZONES = 1000 };
	static uint8_t apexes[ZONES][6];
	state_zone_t *zones[ZONES];
	state_index_t x;
	unsigned count = 0;

	cr_assert(eq(int, state_index_open(&x), ST_OK));
	for (unsigned i = 0; i < ZONES; i++) {
		apexes[i][0] = 4;
		for (unsigned j = 0, n = i; j < 4; j++, n /= 10)
			apexes[i][1 + j] = (uint8_t)('0' + n % 10);
		cr_expect(eq(ptr, state_index_zone(&x, apexes[i], false, false), NULL));
		zones[i] = state_index_zone(&x, apexes[i], true, i % 2);
	}
	for (unsigned i = 0; i < ZONES; i++) {
		cr_expect(eq(ptr, state_index_zone(&x, apexes[i], false, false), zones[i]));
		cr_expect(eq(int, zones[i]->orphan, i % 2));
		cr_expect(eq(ptr, state_index_zone(&x, apexes[i], true, false), zones[i]));
		cr_expect(not(zones[i]->orphan), "adopted");
		cr_expect(zones[i]->apex == apexes[i]);
	}
	state_index_each(&x, count_zone, &count);
	cr_expect(eq(u32, count, ZONES));
	cr_expect(state_index_zone(&x, (const uint8_t *)"", true, true) != NULL, "the root");
	cr_expect(state_index_zone(&x, (const uint8_t *)"", false, true) != NULL);
	state_index_close(&x);
}

Test(state_index, finds_files_by_number)
{
	state_index_t x;

	cr_assert(eq(int, state_index_open(&x), ST_OK));
	for (uint32_t n = 1; n < 100; n++)
		cr_expect(state_index_add_file(&x, 3 * n, (int)n, n) != NULL);
	for (uint32_t n = 1; n < 100; n += 2)
		state_index_forget_file(&x, 3 * n);
	state_index_forget_file(&x, 1);
	cr_assert(eq(int, state_index_scanned(&x), ST_OK));
	cr_expect(state_index_add_file(&x, 400, 400, 0) != NULL);
	cr_expect(eq(int, state_index_fd(&x, 400), -1), "it came after the scan");
	for (uint32_t n = 1; n < 300; n++) {
		const bool there = n % 3 == 0 && n / 3 % 2 == 0 && n < 298;
		const state_file_t *f = state_index_file(&x, n);

		cr_expect(eq(int, f != NULL, there), "%u", n);
		cr_expect(eq(int, state_index_fd(&x, n), there ? (int)n / 3 : -1));
	}
	state_index_close(&x);
}
