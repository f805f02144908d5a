/* tests/unit/ctl/test_skew_judge.c - lags on the circle of serials, and limits in serials and in time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/status.h"
#include "ctl/skew_judge.h"

TestSuite(skew_judge, .timeout = 10);

static const struct {
	const char *warn, *critical; /* NULL: none */
	uint32_t got, want;
	uint64_t seconds;
	skew_grade_t grade;
	uint32_t lag;
	const char *why;
} rows[] = {
	{ "1", NULL, 7, 7, 0, SKEW_OK, 0, "" },
	{ "1", NULL, 7, 9, 5, SKEW_WARNING, 2, "has 7, 2 behind 9, for 5 s at most" },
	{ "3", NULL, 7, 9, 5, SKEW_OK, 2, "has 7, 2 behind 9, for 5 s at most" },
	{ "1", "2", 7, 9, 5, SKEW_CRITICAL, 2, "has 7, 2 behind 9, for 5 s at most" },
	{ "1", "3", 7, 9, 5, SKEW_WARNING, 2, "has 7, 2 behind 9, for 5 s at most" },
	{ "5m", "1h", 7, 9, 299, SKEW_OK, 2, "has 7, 2 behind 9, for 299 s at most" },
	{ "5m", "1h", 7, 9, 300, SKEW_WARNING, 2, "has 7, 2 behind 9, for 300 s at most" },
	{ "5m", "1h", 7, 9, 3600, SKEW_CRITICAL, 2, "has 7, 2 behind 9, for 3600 s at most" },
	{ "1", "1", 9, 7, 0, SKEW_WARNING, 0, "has 9, which is ahead of 7" },
	{ "1", NULL, UINT32_MAX, 1, 0, SKEW_WARNING, 2,
	  "has 4294967295, 2 behind 1, for 0 s at most" },
	{ NULL, NULL, 1, 2147483649, 0, SKEW_CRITICAL, 0,
	  "has 1, 2^31 from 2147483649: neither older nor newer" },
	{ NULL, NULL, 1, 2147483648, 0, SKEW_OK, 2147483647,
	  "has 1, 2147483647 behind 2147483648, for 0 s at most" },
};

Test(skew_judge, measures_the_lag)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		skew_limit_t warn = { 0 }, critical = { 0 };

		if (rows[i].warn)
			cr_assert(skew_limit_read(rows[i].warn, &warn));
		if (rows[i].critical)
			cr_assert(skew_limit_read(rows[i].critical, &critical));
		const skew_verdict_t v =
			skew_judge(rows[i].got, rows[i].want, rows[i].seconds, &warn, &critical);
		cr_expect(eq(int, v.grade, rows[i].grade), "%zu", i);
		cr_expect(eq(u32, v.lag, rows[i].lag), "%zu", i);
		cr_expect(strcmp(v.why, rows[i].why) == 0, "%s", v.why);
	}
}

Test(skew_judge, reads_limits)
{
	static const struct {
		const char *text;
		bool good, is_time;
		uint64_t most;
	} texts[] = {
		{ "0", true, false, 0 },
		{ "3", true, false, 3 },
		{ "90s", true, true, 90 },
		{ "15m", true, true, 900 },
		{ "2h", true, true, 7200 },
		{ "1d", true, true, 86400 },
		{ "4294967296", true, false, 4294967296 },
		{ "", false, false, 0 },
		{ "m", false, false, 0 },
		{ "-1", false, false, 0 },
		{ "1w", false, false, 0 },
		{ "1mm", false, false, 0 },
		{ "12345678901", false, false, 0 },
		{ " 1", false, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		skew_limit_t l = { 0 };

		cr_expect(eq(int, skew_limit_read(texts[i].text, &l), texts[i].good), "%s",
		          texts[i].text);
		cr_expect(eq(int, l.is_time, texts[i].is_time), "%s", texts[i].text);
		cr_expect(eq(u64, l.most, texts[i].most), "%s", texts[i].text);
	}
}

Test(skew_judge, the_newest_has_no_newer_one)
{
	cr_expect(eq(u32, skew_newest((uint32_t[]){ 7 }, 1), 7));
	cr_expect(eq(u32, skew_newest((uint32_t[]){ 7, 9, 8 }, 3), 9));
	cr_expect(eq(u32, skew_newest((uint32_t[]){ UINT32_MAX, 2, 1 }, 3), 2));
	cr_expect(eq(u32, skew_newest((uint32_t[]){ 1, 2147483649 }, 2), 1), "no order: the first");
}

Test(skew_judge, critical_is_worse_than_unknown)
{
	cr_expect(eq(int, skew_worst(SKEW_OK, SKEW_UNKNOWN), SKEW_UNKNOWN));
	cr_expect(eq(int, skew_worst(SKEW_UNKNOWN, SKEW_WARNING), SKEW_WARNING));
	cr_expect(eq(int, skew_worst(SKEW_CRITICAL, SKEW_WARNING), SKEW_CRITICAL));
}
