/* tests/unit/refresh/test_breaker.c - when a dead address is left alone, and tried again. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "refresh/breaker.h"

TestSuite(refresh_breaker, .timeout = 5);

static const mono_t t0 = { 1000 * NS_PER_S };

static breaker_t opened(void)
{
	breaker_t b = { 0 };

	for (int i = 1; i < BREAKER_FAILURES; i++) {
		cr_assert(breaker_allows(&b, t0));
		cr_assert(eq(int, breaker_bad(&b, t0), BREAKER_STAYS));
	}
	cr_assert(breaker_allows(&b, t0));
	cr_assert(eq(int, breaker_bad(&b, t0), BREAKER_OPENS));
	return b;
}

Test(refresh_breaker, opens_after_failures_in_a_row)
{
	breaker_t b = { 0 };

	for (int i = 0; i < 100; i++) {
		(void)breaker_bad(&b, t0);
		cr_assert(eq(int, breaker_good(&b), BREAKER_STAYS), "one good one between");
	}
	b = opened();
	cr_expect(eq(i64, b.since.ns, t0.ns));
	cr_expect(not(breaker_allows(&b, t0)));
}

Test(refresh_breaker, tries_once_and_ever_more_seldom)
{
	static const int pauses[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
	breaker_t b = opened();
	mono_t now = t0;

	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		cr_expect(not(breaker_allows(&b, mono_add_ms(now, pauses[i] * 1000 - 1))));
		now = mono_add_s(now, pauses[i]);
		cr_expect(breaker_allows(&b, now), "pause %zu", i);
		cr_expect(not(breaker_allows(&b, mono_add_s(now, 1000))), "one at a time");
		cr_expect(eq(int, breaker_bad(&b, now), BREAKER_STAYS));
	}
}

Test(refresh_breaker, closes_with_the_first_answer)
{
	breaker_t b = opened();
	mono_t later = mono_add_s(t0, 1);

	cr_assert(breaker_allows(&b, later));
	cr_expect(eq(int, breaker_good(&b), BREAKER_CLOSES));
	cr_expect(breaker_allows(&b, later));
	cr_expect(breaker_allows(&b, later), "any number of them");
	cr_expect(eq(int, breaker_bad(&b, later), BREAKER_STAYS), "and it counts from the start");
}

Test(refresh_breaker, is_not_held_open_by_those_that_were_under_way)
{
	breaker_t b = opened();

	cr_expect(eq(int, breaker_bad(&b, mono_add_ms(t0, 900)), BREAKER_STAYS));
	cr_expect(breaker_allows(&b, mono_add_s(t0, 1)), "the pause is as it was");
}

Test(refresh_breaker, may_be_tried_again_when_a_try_was_given_up)
{
	breaker_t b = opened();

	cr_assert(breaker_allows(&b, mono_add_s(t0, 1)));
	breaker_unsaid(&b);
	cr_expect(breaker_allows(&b, mono_add_s(t0, 1)));
}

Test(refresh_breaker, sends_somebody_once_in_a_pause)
{
	breaker_t b = opened();
	mono_t due = mono_add_s(t0, 1);

	cr_expect(eq(i64, breaker_send_at(&b).ns, due.ns));
	breaker_sent(&b, due);
	cr_expect(eq(i64, breaker_send_at(&b).ns, mono_add_s(due, 1).ns),
	          "he may not have got there");
	cr_assert(breaker_allows(&b, due));
	(void)breaker_bad(&b, due);
	cr_expect(eq(i64, breaker_send_at(&b).ns, mono_add_s(due, 2).ns), "as the try was bad");
	(void)breaker_good(&b);
	for (int i = 0; i < BREAKER_FAILURES; i++)
		(void)breaker_bad(&b, due);
	cr_expect(eq(i64, breaker_send_at(&b).ns, mono_add_s(due, 1).ns), "and all over again");
}
