/* tests/unit/refresh/test_clock.c - the policy of timers and serials, with made-up clocks. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "refresh/clock.h"

TestSuite(refresh_clock, .timeout = 5);

static const conf_policy_t open_policy = {
	.min_refresh = 1,
	.max_refresh = UINT32_MAX,
	.min_retry = 1,
	.max_retry = UINT32_MAX,
	.min_expire = 0,
	.max_expire = UINT32_MAX,
};
static const mono_t t0 = { 1000 * NS_PER_S };

static mono_t at(int64_t seconds)
{
	return mono_add_s(t0, seconds);
}

static refresh_clock_t loaded(uint32_t serial, uint32_t refresh, uint32_t retry, uint32_t expire)
{
	const dns_soa_t soa = { serial, refresh, retry, expire, 60 };
	refresh_clock_t c;

	refresh_clock_init(&c, t0);
	refresh_clock_loaded(&c, &soa, &open_policy, t0, 0);
	return c;
}

static const struct {
	const char *why;
	uint32_t held, offered;
	refresh_verdict_t fresh, expired;
} serials[] = {
	{ "equal", 5, 5, REFRESH_CURRENT, REFRESH_CURRENT },
	{ "one ahead", 5, 6, REFRESH_FETCH, REFRESH_FETCH },
	{ "one behind", 5, 4, REFRESH_OLDER, REFRESH_FETCH },
	{ "ahead over the wrap", 0xffffffff, 0, REFRESH_FETCH, REFRESH_FETCH },
	{ "behind over the wrap", 0, 0xffffffff, REFRESH_OLDER, REFRESH_FETCH },
	{ "as far ahead as counts", 1, 0x80000000, REFRESH_FETCH, REFRESH_FETCH },
	{ "2^31 apart has no order", 1, 0x80000001, REFRESH_UNDEFINED, REFRESH_FETCH },
	{ "just behind that", 1, 0x80000002, REFRESH_OLDER, REFRESH_FETCH },
	{ "from serial 0", 0, 1, REFRESH_FETCH, REFRESH_FETCH },
};

Test(refresh_clock, compares_serials_in_a_circle)
{
	for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
		refresh_clock_t c = loaded(serials[i].held, 10, 5, 100);

		cr_expect(eq(int, refresh_clock_judge(&c, serials[i].offered), serials[i].fresh),
		          "%s", serials[i].why);
		c.expired = true;
		cr_expect(eq(int, refresh_clock_judge(&c, serials[i].offered), serials[i].expired),
		          "%s, expired", serials[i].why);
	}
}

Test(refresh_clock, takes_any_serial_for_a_zone_never_loaded)
{
	refresh_clock_t c;

	refresh_clock_init(&c, t0);
	cr_expect(eq(int, refresh_clock_judge(&c, 0), REFRESH_FETCH), "equal to the default");
	cr_expect(eq(int, refresh_clock_judge(&c, 0x80000000), REFRESH_FETCH));
	cr_expect(eq(i64, c.due.ns, t0.ns), "due at once");
	cr_expect(not(refresh_clock_tick(&c, at(1000000))), "what was never loaded can't expire");
}

static const struct {
	const char *why;
	dns_soa_t soa;
	conf_policy_t policy;
	uint32_t refresh, retry, expire;
} clamps[] = {
	{ "as the SOA says",
	  { 1, 3600, 600, 86400, 60 },
	  { 1, 9999, 1, 9999, 0, 999999, 0, 0, 0 },
	  3600,
	  600,
	  86400 },
	{ "zeros don't spin",
	  { 1, 0, 0, 0, 0 },
	  { 1, 9999, 1, 9999, 0, 999999, 0, 0, 0 },
	  1,
	  1,
	  2 },
	{ "EXPIRE is at least REFRESH and RETRY",
	  { 1, 100, 50, 120, 0 },
	  { 1, 9999, 1, 9999, 0, 999999, 0, 0, 0 },
	  100,
	  50,
	  150 },
	{ "the group's floors",
	  { 1, 1, 1, 1, 0 },
	  { 60, 9999, 30, 9999, 1000, 999999, 0, 0, 0 },
	  60,
	  30,
	  1000 },
	{ "the group's ceilings",
	  { 1, 5000, 5000, 900000, 0 },
	  { 1, 100, 1, 50, 0, 1000, 0, 0, 0 },
	  100,
	  50,
	  1000 },
	{ "the largest numbers",
	  { 1, 0xffffffff, 0xffffffff, 0xffffffff, 0 },
	  { 1, 0xffffffff, 1, 0xffffffff, 0, 0xffffffff, 0, 0, 0 },
	  0xffffffff,
	  0xffffffff,
	  0xffffffff },
};

Test(refresh_clock, keeps_timers_within_sense_and_limits)
{
	for (size_t i = 0; i < ARRAY_LEN(clamps); i++) {
		refresh_clock_t c;

		refresh_clock_init(&c, t0);
		refresh_clock_loaded(&c, &clamps[i].soa, &clamps[i].policy, t0, 0);
		cr_expect(eq(u32, c.refresh, clamps[i].refresh), "%s", clamps[i].why);
		cr_expect(eq(u32, c.retry, clamps[i].retry), "%s", clamps[i].why);
		cr_expect(eq(u32, c.expire, clamps[i].expire), "%s", clamps[i].why);
		cr_expect(eq(i64, c.due.ns, at(clamps[i].refresh).ns), "%s", clamps[i].why);
		cr_expect(eq(i64, c.expires.ns, at(clamps[i].expire).ns), "%s", clamps[i].why);
	}
}

Test(refresh_clock, an_equal_serial_restarts_refresh_and_expire)
{
	refresh_clock_t c = loaded(1, 100, 10, 1000);

	refresh_clock_failed(&c, at(100), 0);
	refresh_clock_current(&c, at(110), 0);
	cr_expect(eq(i64, c.due.ns, at(210).ns));
	cr_expect(eq(i64, c.expires.ns, at(1110).ns));
	cr_expect(eq(u32, c.failures, 0));
}

Test(refresh_clock, a_failure_means_retry_and_leaves_expire_alone)
{
	refresh_clock_t c = loaded(1, 100, 10, 1000);

	for (int i = 0; i < 20; i++) {
		refresh_clock_failed(&c, at(100 + 10 * i), 0);
		cr_expect(eq(i64, c.due.ns, at(110 + 10 * i).ns));
	}
	cr_expect(eq(i64, c.expires.ns, at(1000).ns));
}

Test(refresh_clock, a_zone_never_loaded_is_tried_less_and_less_often)
{
	static const int waits[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 256 };
	refresh_clock_t c;

	refresh_clock_init(&c, t0);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		refresh_clock_failed(&c, t0, 0);
		cr_expect(eq(i64, c.due.ns, at(waits[i]).ns), "%zu", i);
	}
	refresh_clock_notified(&c, at(5));
	cr_expect(eq(i64, c.due.ns, at(5).ns), "NOTIFY: at once");
	refresh_clock_failed(&c, at(5), 0);
	cr_expect(eq(i64, c.due.ns, at(6).ns), "and the waits begin anew");
}

Test(refresh_clock, expires_once_and_lives_again_with_a_good_check)
{
	refresh_clock_t c = loaded(1, 100, 10, 1000);

	cr_expect(not(refresh_clock_tick(&c, mono_add_ms(at(1000), -1))));
	cr_expect(refresh_clock_tick(&c, at(1000)));
	cr_expect(not(refresh_clock_tick(&c, at(1001))), "told once");
	cr_expect(c.expired);
	refresh_clock_failed(&c, at(1001), 0);
	cr_expect(eq(i64, c.due.ns, at(1011).ns), "it goes on asking");
	refresh_clock_current(&c, at(1011), 0);
	cr_expect(not(c.expired));
	cr_expect(refresh_clock_tick(&c, at(2011)), "and expires again");
}

Test(refresh_clock, spreads_downwards_by_a_tenth_at_most)
{
	const dns_soa_t soa = { 1, 1000, 100, 10000, 60 };

	for (unsigned spread = 0; spread < 1000; spread++) {
		refresh_clock_t c;

		refresh_clock_init(&c, t0);
		refresh_clock_loaded(&c, &soa, &open_policy, t0, spread);
		cr_assert(c.due.ns <= at(1000).ns && c.due.ns >= at(900).ns, "%u", spread);
		cr_assert(eq(i64, c.expires.ns, at(10000).ns), "EXPIRE is exact");
		refresh_clock_failed(&c, t0, spread);
		cr_assert(c.due.ns <= at(100).ns && c.due.ns >= at(90).ns, "%u", spread);
	}
}
