/* tests/unit/refresh/test_counts.c - how long changes took, by bounds. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "refresh/counts.h"

TestSuite(refresh_counts, .timeout = 5);

Test(refresh_counts, puts_each_delay_below_the_next_bound)
{
	static const struct {
		uint32_t ms;
		unsigned bucket;
	} cases[] = {
		{ 0, 0 },
		{ 1, 0 },
		{ 2, 1 },
		{ 3, 2 },
		{ 1000, 9 },
		{ 1001, 10 },
		{ 60000, 14 },
		{ 60001, REFRESH_DELAYS },
		{ UINT32_MAX, REFRESH_DELAYS },
	};
	uint64_t sum = 0;
	refresh_delays_t d = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const uint64_t before = d.within[cases[i].bucket];

		refresh_delays_note(&d, cases[i].ms);
		sum += cases[i].ms;
		cr_expect(eq(u64, d.within[cases[i].bucket], before + 1), "%u ms", cases[i].ms);
		cr_expect(eq(u64, d.count, i + 1));
		cr_expect(eq(u64, d.sum_ms, sum));
	}
}

Test(refresh_counts, tells_the_bound_that_a_share_was_below)
{
	refresh_delays_t d = { 0 };

	cr_expect(eq(u32, refresh_delays_bound(&d, 50), 0));
	for (unsigned i = 0; i < 90; i++)
		refresh_delays_note(&d, 4);
	for (unsigned i = 0; i < 9; i++)
		refresh_delays_note(&d, 700);
	refresh_delays_note(&d, 70000);
	cr_expect(eq(u32, refresh_delays_bound(&d, 50), 5));
	cr_expect(eq(u32, refresh_delays_bound(&d, 90), 5));
	cr_expect(eq(u32, refresh_delays_bound(&d, 91), 1000));
	cr_expect(eq(u32, refresh_delays_bound(&d, 99), 1000));
	cr_expect(eq(u32, refresh_delays_bound(&d, 100), UINT32_MAX));
}

Test(refresh_counts, has_a_word_for_everything)
{
	for (unsigned i = 0; i < REFRESH_POLLS; i++)
		cr_expect(ne(chr, refresh_poll_text(i)[0], '?'));
	for (unsigned i = 0; i < REFRESH_KINDS; i++)
		cr_expect(ne(chr, refresh_kind_text(i)[0], '?'));
	for (unsigned i = 0; i < REFRESH_ENDS; i++)
		cr_expect(ne(chr, refresh_end_text(i)[0], '?'));
}
