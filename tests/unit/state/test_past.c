/* tests/unit/state/test_past.c - which old versions are kept, by their age and by their size. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "state/past.h"
#include "tests/unit/state/dice.h"

TestSuite(state_past, .timeout = 30);

enum { MINUTE = 60, HOUR = 3600, DAY = 24 * HOUR, MOST = 12 };

/* --- by age -------------------------------------------------------------------------------------- */

/* Ages in minutes, of all but the newest, which has 0; and which are kept, as 1 and 0. */
typedef struct row {
	const char *why;
	size_t count;
	int minutes[MOST];
	const char *keep;
} row_t;

static const row_t rows[] = {
	{ "nothing is older", 0, { 0 }, "" },
	{ "the one before, whatever its age", 1, { 100000 }, "1" },
	{ "of the last hour the oldest", 4, { 1, 2, 3, 59 }, "1001" },
	{ "an hour old is enough", 4, { 1, 2, 60, 61 }, "1111" },
	{ "of the last day the youngest and the oldest", 5, { 1, 61, 62, 63, 1439 }, "11001" },
	{ "a day old is enough", 5, { 1, 2, 1440, 1441, 9000 }, "11100" },
	{ "all five", 9, { 1, 20, 50, 70, 300, 1400, 1500, 1600, 9000 }, "101101100" },
	{ "all of one age", 4, { 0, 0, 0, 0 }, "1001" },
	{ "a clock that went back makes nothing younger", 4, { 1, 70, 2, 3 }, "1101" },
	{ "nor has what came later", 3, { -50, -40, 70 }, "111" },
};

Test(state_past, chooses_by_age)
{
	const uint32_t now = 2000000000;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const row_t *row = &rows[i];
		uint32_t arrived[1 + MOST] = { now };
		bool keep[1 + MOST];

		memset(keep, 0x5a, sizeof keep);
		for (size_t j = 0; j < row->count; j++)
			arrived[1 + j] = (uint32_t)((int64_t)now - row->minutes[j] * MINUTE);
		memset(keep, 0, sizeof keep);
		state_past_choose(arrived, row->count + 1, keep);
		cr_expect(keep[0], "%s", row->why);
		for (size_t j = 0; j < row->count; j++)
			cr_expect(eq(int, keep[1 + j], row->keep[j] == '1'), "%s, the %zu.",
			          row->why, j);
	}
}

/* A version each minute, for four days: there is always one that was served an hour ago, or soon after
 * that, and one of a day ago, and never more than five. */
Test(state_past, always_has_one_of_each_age)
{
	enum { VERSIONS = 4 * DAY / MINUTE };
	uint32_t kept[MOST + 1], count = 0;

	for (uint32_t v = 0; v < VERSIONS; v++) {
		bool keep[MOST + 1] = { false }, hour = false, day = false;
		uint32_t to = 0;

		memmove(kept + 1, kept, count * sizeof *kept);
		kept[0] = v * MINUTE;
		count++;
		state_past_choose(kept, count, keep);
		for (uint32_t i = 0; i < count; i++) {
			const uint32_t age = kept[0] - kept[i];

			if (!keep[i])
				continue;
			hour = hour || (age >= HOUR && age <= 2 * HOUR);
			day = day || (age >= DAY && age <= 2 * DAY);
			kept[to++] = kept[i];
		}
		count = to;
		cr_expect(count <= 6, "%u", v);
		cr_expect(hour || v * MINUTE < HOUR, "%u", v);
		cr_expect(day || v * MINUTE < DAY, "%u", v);
	}
}

/* --- by size ------------------------------------------------------------------------------------- */

static state_past_t *four_whole(void)
{
	state_past_t *p = NULL;
	state_old_t displaced;

	for (uint32_t v = 1; v <= 4; v++) {
		const state_old_t old = {
			.place = { 1, v, 10 },
			.version = v,
			.own = v % 2,
			.octets = 90,
			.arrived = v * DAY,
		};
		cr_assert(eq(int, state_past_put(&p, &old, &displaced), ST_OK));
	}
	return p;
}

/* Each of the past takes 10 units or 100; the newest two are kept by age. */
Test(state_past, gives_up_the_oldest_first)
{
	static const struct {
		uint64_t most;
		const char *left;
	} sizes[] = { { 1000, "34" }, { 110, "34" }, { 109, "4" },
		      { 10, "4" },    { 9, "4" },    { 0, "4" } };
	const state_present_t newest = { 5, 4 * DAY + HOUR };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		state_past_t *p = four_whole();
		const size_t gone = state_past_prune(p, &newest, 1, sizes[i].most, false);

		cr_assert(eq(sz, p->count, strlen(sizes[i].left)), "%zu", i);
		cr_expect(eq(sz, gone, 4 - p->count));
		for (uint32_t j = 0; j < p->count; j++)
			cr_expect(eq(u32, p->old[j].version, (uint32_t)(sizes[i].left[j] - '0')));
		for (size_t j = 0; j < gone; j++) /* what it took is told */
			cr_expect(p->old[p->count + j].version <= 4 - p->count);
		free(p);
	}
}

/* While an operator chooses, all of them are; copies that he made go first, and then the oldest, but never what
 * was served before. */
Test(state_past, gives_up_copies_before_others)
{
	static const char *const left[] = { "1234", "134", "14", "4", "4" };
	const state_present_t newest = { 5, 4 * DAY + HOUR };

	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		state_past_t *p = four_whole();

		for (uint32_t j = 0; j < p->count; j++) {
			p->old[j].own = 0;
			p->old[j].copy = j > 0;
		}
		(void)state_past_prune(p, &newest, 1, 10 * (4 - i), true);
		cr_assert(eq(sz, p->count, strlen(left[i])), "%zu", i);
		for (uint32_t j = 0; j < p->count; j++)
			cr_expect(eq(u32, p->old[j].version, (uint32_t)(left[i][j] - '0')));
		free(p);
	}
}

/* --- ways ---------------------------------------------------------------------------------------- */

/* Whatever there is: a way goes from a whole version over differences that hang together, and after
 * leaving out what is not needed, each chosen version has one still. */
Test(state_past, ways_hang_together)
{
	for (unsigned seed = 0; seed < 2000; seed++) {
		dice_t dice = { seed };
		state_past_t *p = NULL;
		state_old_t displaced;
		size_t first, last;
		bool had[16] = { false };

		for (unsigned n = 0; n < 14; n++) {
			const uint32_t v = 1 + dice_below(&dice, 12);
			const state_old_t old = {
				.place = { 1, n, 1 },
				.version = v,
				.stamp = n,
				.arrived = v * HOUR,
				.from = dice_below(&dice, 3) ? v - dice_below(&dice, 2) : 0,
			};
			cr_assert(eq(int, state_past_put(&p, &old, &displaced), ST_OK));
		}
		for (uint32_t v = 1; v <= 12; v++) {
			had[v] = state_past_way(p, v, &first, &last);
			if (!had[v])
				continue;
			cr_expect(eq(u32, p->old[first].from, 0), "seed %u", seed);
			cr_expect(eq(u32, p->old[last].version, v), "seed %u", seed);
		}
		const state_present_t newest = { 13, 13 * HOUR };
		(void)state_past_prune(p, &newest, 1, 1000, false);
		bool newest_left = false;
		for (uint32_t v = 12; v >= 1; v--) {
			if (!had[v])
				continue;
			if (!newest_left)
				cr_expect(state_past_way(p, v, &first, &last),
				          "seed %u: the one before is kept", seed);
			newest_left = true;
		}
		for (uint32_t i = 0; i < p->count; i++) /* nothing is left that leads nowhere */
			cr_expect(state_past_way(p, p->old[i].version, &first, &last), "seed %u",
			          seed);
		free(p);
	}
}
