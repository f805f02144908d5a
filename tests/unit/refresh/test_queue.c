/* tests/unit/refresh/test_queue.c - the heap against a plain search, the lanes in order. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "refresh/queue.h"

TestSuite(refresh_queue, .timeout = 10);

enum { N = 300 };

static int64_t earliest(const refresh_timer_t *t)
{
	int64_t min = INT64_MAX;

	for (int i = 0; i < N; i++) {
		if (t[i].place && t[i].at.ns < min)
			min = t[i].at.ns;
	}
	return min;
}

Test(refresh_queue, the_heap_gives_the_earliest_whatever_moves)
{
	static refresh_timer_t t[N];
	refresh_heap_t h = { 0 };

	srand(1);
	cr_assert(eq(int, refresh_heap_reserve(&h, N), ST_OK));
	for (int i = 0; i < 30000; i++) {
		refresh_timer_t *one = &t[rand() % N];

		if (rand() % 3 == 0)
			refresh_heap_remove(&h, one);
		else
			refresh_heap_set(&h, one, (mono_t){ rand() % 1000 });
		refresh_timer_t *first = refresh_heap_first(&h);
		cr_assert(eq(i64, first ? first->at.ns : INT64_MAX, earliest(t)), "step %d", i);
	}
	while (refresh_heap_first(&h))
		refresh_heap_remove(&h, refresh_heap_first(&h));
	refresh_heap_remove(&h, &t[0]);
	cr_expect(eq(sz, h.count, 0));
	refresh_heap_free(&h);
}

Test(refresh_queue, lanes_are_first_in_first_out_with_removal)
{
	refresh_link_t l[4] = { 0 };
	refresh_lane_t lane;

	refresh_lane_init(&lane);
	cr_expect(refresh_lane_pop(&lane) == NULL);
	for (int i = 0; i < 4; i++)
		refresh_lane_push(&lane, &l[i]);
	refresh_lane_remove(&l[1]);
	refresh_lane_remove(&l[1]);
	cr_expect(refresh_lane_pop(&lane) == &l[0]);
	refresh_lane_push(&lane, &l[0]);
	cr_expect(refresh_lane_pop(&lane) == &l[2]);
	cr_expect(refresh_lane_pop(&lane) == &l[3]);
	cr_expect(refresh_lane_pop(&lane) == &l[0]);
	cr_expect(refresh_lane_pop(&lane) == NULL);
}
