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
	refresh_clock_loaded(&c, &soa, &open_policy, NULL, t0, 0);
	return c;
}

static const refresh_check_t good = { 0 }, outrun = { .outrun = true };

static refresh_check_t until(uint32_t seconds)
{
	return (refresh_check_t){ .has_expire = true, .expire = seconds };
}

/* The round ends as soon as the check is made. */
static bool current(refresh_clock_t *c, const refresh_check_t *check, const conf_policy_t *policy,
                    mono_t now, unsigned spread)
{
	refresh_check_t made = *check;

	made.at = now;
	return refresh_clock_current(c, &made, policy, now, spread);
}

Test(refresh_clock, a_zone_never_loaded_is_due_at_once)
{
	refresh_clock_t c;

	refresh_clock_init(&c, t0);
	cr_expect(eq(i64, c.due.ns, t0.ns));
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
	  { .min_refresh = 1,
	    .max_refresh = 9999,
	    .min_retry = 1,
	    .max_retry = 9999,
	    .min_expire = 0,
	    .max_expire = 999999 },
	  3600,
	  600,
	  86400 },
	{ "zeros don't spin",
	  { 1, 0, 0, 0, 0 },
	  { .min_refresh = 1,
	    .max_refresh = 9999,
	    .min_retry = 1,
	    .max_retry = 9999,
	    .min_expire = 0,
	    .max_expire = 999999 },
	  1,
	  1,
	  2 },
	{ "EXPIRE is at least REFRESH and RETRY",
	  { 1, 100, 50, 120, 0 },
	  { .min_refresh = 1,
	    .max_refresh = 9999,
	    .min_retry = 1,
	    .max_retry = 9999,
	    .min_expire = 0,
	    .max_expire = 999999 },
	  100,
	  50,
	  150 },
	{ "the group's floors",
	  { 1, 1, 1, 1, 0 },
	  { .min_refresh = 60,
	    .max_refresh = 9999,
	    .min_retry = 30,
	    .max_retry = 9999,
	    .min_expire = 1000,
	    .max_expire = 999999 },
	  60,
	  30,
	  1000 },
	{ "the group's ceilings",
	  { 1, 5000, 5000, 900000, 0 },
	  { .min_refresh = 1,
	    .max_refresh = 100,
	    .min_retry = 1,
	    .max_retry = 50,
	    .min_expire = 0,
	    .max_expire = 1000 },
	  100,
	  50,
	  1000 },
	{ "the largest numbers",
	  { 1, 0xffffffff, 0xffffffff, 0xffffffff, 0 },
	  { .min_refresh = 1,
	    .max_refresh = 0xffffffff,
	    .min_retry = 1,
	    .max_retry = 0xffffffff,
	    .min_expire = 0,
	    .max_expire = 0xffffffff },
	  0xffffffff,
	  0xffffffff,
	  0xffffffff },
};

Test(refresh_clock, keeps_timers_within_sense_and_limits)
{
	for (size_t i = 0; i < ARRAY_LEN(clamps); i++) {
		refresh_clock_t c;

		refresh_clock_init(&c, t0);
		refresh_clock_loaded(&c, &clamps[i].soa, &clamps[i].policy, NULL, t0, 0);
		cr_expect(eq(u32, c.refresh, clamps[i].refresh), "%s", clamps[i].why);
		cr_expect(eq(u32, c.retry, clamps[i].retry), "%s", clamps[i].why);
		cr_expect(eq(u32, c.expire, clamps[i].expire), "%s", clamps[i].why);
		/* EXPIRE has room for REFRESH and RETRY, but where a number can't hold that. */
		bool room = (uint64_t)c.refresh + c.retry <= UINT32_MAX;
		uint32_t due = room ? c.refresh : c.expire / 2;
		cr_expect(eq(i64, c.due.ns, at(due).ns), "%s", clamps[i].why);
		cr_expect(eq(i64, c.expires.ns, at(clamps[i].expire).ns), "%s", clamps[i].why);
	}
}

Test(refresh_clock, an_equal_serial_restarts_refresh_and_expire)
{
	refresh_clock_t c = loaded(1, 100, 10, 1000);

	refresh_clock_failed(&c, at(100), 0);
	cr_expect(current(&c, &good, &open_policy, at(110), 0));
	cr_expect(eq(i64, c.due.ns, at(210).ns));
	cr_expect(eq(i64, c.expires.ns, at(1110).ns));
	cr_expect(eq(uint, c.failures, 0));
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
	cr_expect(current(&c, &good, &open_policy, at(1011), 0));
	cr_expect(not(c.expired));
	cr_expect(refresh_clock_tick(&c, at(2011)), "and expires again");
}

Test(refresh_clock, spreads_downwards_by_a_tenth_at_most)
{
	const dns_soa_t soa = { 1, 1000, 100, 10000, 60 };

	for (unsigned spread = 0; spread < 1000; spread++) {
		refresh_clock_t c;

		refresh_clock_init(&c, t0);
		refresh_clock_loaded(&c, &soa, &open_policy, NULL, t0, spread);
		cr_assert(c.due.ns <= at(1000).ns && c.due.ns >= at(900).ns, "%u", spread);
		cr_assert(eq(i64, c.expires.ns, at(10000).ns), "EXPIRE is exact");
		refresh_clock_failed(&c, t0, spread);
		cr_assert(c.due.ns <= at(100).ns && c.due.ns >= at(90).ns, "%u", spread);
	}
}

/* --- RFC 7314 4 ---------------------------------------------------------------------------- */

Test(refresh_clock, a_copy_does_not_outlive_that_of_its_primary)
{
	const dns_soa_t soa = { 1, 100, 10, 1000, 60 };
	const uint32_t less = 400, more = 4000;
	refresh_clock_t c;

	refresh_clock_init(&c, t0);
	refresh_clock_loaded(&c, &soa, &open_policy, &less, t0, 0);
	cr_expect(eq(i64, c.expires.ns, at(400).ns));
	refresh_clock_loaded(&c, &soa, &open_policy, &more, t0, 0);
	cr_expect(eq(i64, c.expires.ns, at(1000).ns), "never above the SOA's");
}

Test(refresh_clock, a_copy_that_has_little_left_is_checked_before_it_is_over)
{
	static const struct {
		uint32_t left, min_retry;
		int due;
	} rows[] = { { 100000, 1, 3600 }, { 4200, 1, 3600 }, { 4000, 1, 3400 }, { 1000, 1, 500 },
		     { 4, 1, 2 },         { 4, 60, 60 },     { 0, 1, 1 } };
	const dns_soa_t soa = { 1, 3600, 600, 86400, 60 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		conf_policy_t policy = open_policy;
		refresh_clock_t c;

		policy.min_retry = rows[i].min_retry;
		refresh_clock_init(&c, t0);
		refresh_clock_loaded(&c, &soa, &policy, &rows[i].left, t0, 0);
		cr_expect(eq(i64, c.due.ns, at(rows[i].due).ns), "%u left", rows[i].left);
		c.expires = t0;
		const refresh_check_t check = until(rows[i].left);
		cr_expect(current(&c, &check, &policy, t0, 0));
		cr_expect(eq(i64, c.due.ns, at(rows[i].due).ns), "%u left", rows[i].left);
	}
}

Test(refresh_clock, knows_when_it_was_checked_last)
{
	const dns_soa_t soa = { 1, 100, 10, 1000, 60 };
	const uint32_t left = 5;
	refresh_clock_t c;

	refresh_clock_init(&c, t0);
	refresh_clock_loaded(&c, &soa, &open_policy, &left, t0, 0);
	cr_expect(eq(u32, c.checked, 1000), "whatever is left");
	refresh_clock_failed(&c, at(1), 0);
	cr_expect(eq(u32, c.checked, 1000));
	cr_expect(current(&c, &outrun, &open_policy, at(2), 0));
	cr_expect(eq(u32, c.checked, 1002));
	cr_expect(not(current(&c, &outrun, &open_policy, at(3), 0)));
	cr_expect(eq(u32, c.checked, 1002), "it is no good check that is behind for long");
}

Test(refresh_clock, expire_begins_when_it_was_confirmed_not_when_the_round_is_over)
{
	refresh_clock_t c = loaded(1, 100, 10, 1000);
	const refresh_check_t check = { .at = at(990) }, late = { .at = at(1985) };

	cr_expect(refresh_clock_current(&c, &check, &open_policy, at(995), 0));
	cr_expect(eq(i64, c.expires.ns, at(1990).ns));
	cr_expect(eq(u32, c.checked, 1990));
	cr_expect(eq(i64, c.due.ns, at(1095).ns), "the next round begins after this one");
	cr_expect(refresh_clock_tick(&c, at(1990)));
	cr_expect(refresh_clock_current(&c, &late, &open_policy, at(2990), 0));
	cr_expect(c.expired, "what was said 1005 s ago revives nothing");
}

Test(refresh_clock, the_later_of_both_expiries_counts)
{
	static const struct {
		uint32_t left;
		int expires;
	} rows[] = { { 300, 1000 }, { 800, 1000 }, { 950, 1050 }, { 5000, 1100 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		refresh_clock_t c = loaded(1, 100, 10, 1000);
		const refresh_check_t check = until(rows[i].left);

		cr_expect(current(&c, &check, &open_policy, at(100), 0));
		cr_expect(eq(i64, c.expires.ns, at(rows[i].expires).ns), "%u", rows[i].left);
	}
}

Test(refresh_clock, a_chain_of_secondaries_does_not_keep_itself_alive)
{
	refresh_clock_t c = loaded(1, 100, 10, 1000);

	/* The one before us heard nothing either: each time it has less left. */
	for (int t = 100; t < 1000; t += 100) {
		const refresh_check_t check = until((uint32_t)(1000 - t));

		cr_expect(current(&c, &check, &open_policy, at(t), 0));
		cr_expect(eq(i64, c.expires.ns, at(1000).ns));
	}
	cr_expect(refresh_clock_tick(&c, at(1000)));
}

/* --- somebody has more --------------------------------------------------------------------- */

Test(refresh_clock, what_is_behind_renews_expire_once)
{
	refresh_clock_t c = loaded(1, 100, 10, 1000);

	cr_expect(current(&c, &outrun, &open_policy, at(100), 0), "the first time");
	cr_expect(eq(i64, c.expires.ns, at(1100).ns));
	for (int t = 200; t < 1100; t += 100) {
		cr_expect(not(current(&c, &outrun, &open_policy, at(t), 0)));
		cr_expect(eq(i64, c.due.ns, at(t + 100).ns), "REFRESH is renewed");
		cr_expect(eq(i64, c.expires.ns, at(1100).ns), "EXPIRE is not");
	}
	cr_expect(refresh_clock_tick(&c, at(1100)));
	cr_expect(not(current(&c, &outrun, &open_policy, at(1200), 0)));
	cr_expect(c.expired, "nor does the zone live again by it");
	cr_expect(current(&c, &good, &open_policy, at(1300), 0));
	cr_expect(not(c.expired), "but when nobody has more");
	cr_expect(current(&c, &outrun, &open_policy, at(1400), 0),
	          "and then it counts from the start");
	cr_expect(eq(i64, c.expires.ns, at(2400).ns));
}

Test(refresh_clock, what_is_behind_renews_expire_for_the_grace_that_is_set)
{
	conf_policy_t patient = open_policy;
	refresh_clock_t c = loaded(1, 100, 10, 1000);

	patient.stale_grace = 500;
	cr_expect(current(&c, &outrun, &patient, at(100), 0));
	cr_expect(current(&c, &outrun, &patient, at(599), 0));
	cr_expect(not(current(&c, &outrun, &patient, at(600), 0)));
	cr_expect(eq(i64, c.expires.ns, at(1599).ns));
}

Test(refresh_clock, hurries_where_there_is_more_to_be_had)
{
	refresh_clock_t c = loaded(1, 100, 10, 1000);

	refresh_clock_hurry(&c, at(50), 0);
	cr_expect(eq(i64, c.due.ns, at(60).ns));
	refresh_clock_hurry(&c, at(55), 0);
	cr_expect(eq(i64, c.due.ns, at(60).ns), "never later");
}

Test(refresh_clock, what_was_missed_is_tried_again_soon)
{
	static const int waits[] = { 1, 2, 4, 8, 16, 32, 64, 100, 100 };
	refresh_clock_t c = loaded(1, 1000, 100, 10000);
	conf_policy_t slow = open_policy;

	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		refresh_clock_missed(&c, &open_policy, t0, 0);
		cr_expect(eq(i64, c.due.ns, at(waits[i]).ns), "%zu", i);
	}
	slow.min_retry = 50;
	c = loaded(1, 1000, 100, 10000);
	refresh_clock_missed(&c, &slow, t0, 0);
	cr_expect(eq(i64, c.due.ns, at(50).ns), "within the group's limits");
	refresh_clock_init(&c, t0);
	refresh_clock_missed(&c, &slow, t0, 0);
	cr_expect(eq(i64, c.due.ns, at(1).ns), "nothing is held at all");
}

/* --- after a restart ----------------------------------------------------------------------- */

static refresh_clock_t restored(const refresh_kept_t *kept, unsigned spread)
{
	const dns_soa_t soa = { 7, 100, 10, 1000, 60 };
	refresh_clock_t c;

	refresh_clock_init(&c, t0);
	refresh_clock_restored(&c, &soa, kept, &open_policy, t0, spread, 5000);
	return c;
}

static const struct {
	const char *why;
	int checked, expires; /* s from now on */
	uint16_t failures;
	bool expired;
	unsigned spread;
	int due_ms, till;
	bool gone; /* EXPIRE has passed */
} kept_rows[] = {
	{ "as if nothing had been", -40, 960, 0, false, 0, 60000, 960, false },
	{ "earlier by the spread", -40, 960, 0, false, 500, 55000, 960, false },
	{ "due while nobody ran", -140, 860, 0, false, 0, 0, 860, false },
	{ "... one of many", -140, 860, 0, false, 500, 2500, 860, false },
	{ "failed last", -40, 500, 3, false, 400, 2000, 500, false },
	{ "expired meanwhile", -1040, -40, 0, false, 0, 0, -40, true },
	{ "had expired before", -5000, -4000, 9, true, 200, 1000, -4000, false },
	{ "expired, though times were told otherwise", -10, 990, 0, true, 0, 0, 990, false },
	{ "never longer than EXPIRE from now", -10, 99999, 0, false, 0, 90000, 1000, false },
	{ "checked in what is to come, as clocks may say", 5000, 900, 0, false, 0, 100000, 900,
	  false },
};

Test(refresh_clock, tells_how_much_of_expire_has_passed)
{
	static const struct {
		int left_ms; /* of 1000 s */
		unsigned used;
	} rows[] = {
		{ 1000000, 0 }, { 2000000, 0 }, { 999999, 0 },  { 990001, 0 },
		{ 990000, 1 },  { 500001, 49 }, { 500000, 50 }, { 250000, 75 },
		{ 100000, 90 }, { 1, 99 },      { 0, 100 },     { -5000, 100 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		refresh_clock_t c = { .loaded = true, .expire = 1000 };

		c.expires = mono_add_ms(t0, rows[i].left_ms);
		cr_expect(eq(u32, refresh_clock_used(&c, t0), rows[i].used), "%d ms left",
		          rows[i].left_ms);
		for (unsigned percent = 1; percent <= 100; percent++) {
			const mono_t at = refresh_clock_used_at(&c, percent);

			cr_expect(refresh_clock_used(&c, at) >= percent, "%u", percent);
			cr_expect(refresh_clock_used(&c, mono_add_ms(at, -1)) < percent, "%u",
			          percent);
		}
	}
	cr_expect(eq(u32, refresh_clock_used(&(refresh_clock_t){ .expire = 9 }, t0), 0));
	cr_expect(eq(u32, refresh_clock_used(&(refresh_clock_t){ .loaded = true }, t0), 0));
}

/* Another version takes the place of what is held: its timers, and the time that was left. */
Test(refresh_clock, what_replaces_it_goes_on_where_it_was)
{
	static const struct {
		const char *why;
		int checked, left;
		uint32_t expire;
		int due_s, till;
	} rows[] = {
		{ "as it was", -40, 960, 1000, 60, 960 },
		{ "with less EXPIRE of its own", -40, 960, 500, 60, 500 },
		{ "with more it does not live longer", -40, 960, 5000, 60, 960 },
		{ "when it was due", -140, 860, 1000, 0, 860 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const dns_soa_t soa = {
			.serial = 3, .refresh = 100, .retry = 10, .expire = rows[i].expire
		};
		refresh_clock_t c = {
			.loaded = true,
			.serial = 9,
			.refresh = 7,
			.checked = (uint32_t)(mono_add_s(t0, rows[i].checked).ns / NS_PER_S),
			.expires = mono_add_s(t0, rows[i].left),
			.outrun = t0,
		};

		refresh_clock_replaced(&c, &soa, &open_policy, t0, 0);
		cr_expect(eq(u32, c.serial, 3), "%s", rows[i].why);
		cr_expect(eq(u32, c.refresh, 100), "%s", rows[i].why);
		cr_expect(eq(i64, c.due.ns, mono_add_s(t0, rows[i].due_s).ns), "%s", rows[i].why);
		cr_expect(eq(i64, c.expires.ns, mono_add_s(t0, rows[i].till).ns), "%s",
		          rows[i].why);
		cr_expect(eq(i64, c.outrun.ns, 0), "%s", rows[i].why);
		cr_expect(not(c.expired), "%s", rows[i].why);
	}
}

Test(refresh_clock, after_a_restart_it_goes_on_where_it_was)
{
	for (size_t i = 0; i < ARRAY_LEN(kept_rows); i++) {
		const refresh_kept_t kept = {
			.expired = kept_rows[i].expired,
			.failures = kept_rows[i].failures,
			.checked = at(kept_rows[i].checked),
			.expires = at(kept_rows[i].expires),
		};
		refresh_clock_t c = restored(&kept, kept_rows[i].spread);
		const char *why = kept_rows[i].why;

		cr_expect(c.loaded, "%s", why);
		cr_expect(eq(u32, c.serial, 7), "%s", why);
		cr_expect(eq(i64, c.due.ns, t0.ns + kept_rows[i].due_ms * NS_PER_MS), "%s", why);
		cr_expect(eq(i64, c.expires.ns, at(kept_rows[i].till).ns), "%s", why);
		cr_expect(eq(int, c.failures, kept_rows[i].failures), "%s", why);
		cr_expect(eq(int, refresh_clock_tick(&c, t0), kept_rows[i].gone), "%s", why);
		cr_expect(eq(int, c.expired, kept_rows[i].expired || kept_rows[i].gone), "%s", why);
	}
}

Test(refresh_clock, what_had_expired_lives_again_by_a_check_alone)
{
	const refresh_kept_t kept = { .expired = true, .checked = at(-50), .expires = at(500) };
	refresh_clock_t c = restored(&kept, 0);

	cr_expect(not(refresh_clock_tick(&c, at(600))), "once is enough");
	cr_expect(current(&c, &good, &open_policy, at(700), 0));
	cr_expect(not(c.expired));
}

Test(refresh_clock, a_newer_serial_known_before_is_known_after)
{
	const refresh_kept_t kept = { .checked = at(-50), .expires = at(500), .outrun = at(-60) };
	refresh_clock_t c = restored(&kept, 0);

	cr_expect(not(current(&c, &outrun, &open_policy, at(1), 0)), "EXPIRE was renewed then");
	cr_expect(eq(i64, c.expires.ns, at(500).ns));
}
