/* ctl/skew_judge.c - serials on a circle, limits in serials or in time. */
#include "ctl/skew_judge.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/soa.h"

const char *skew_grade_text(skew_grade_t grade)
{
	static const char *const texts[] = {
		[SKEW_OK] = "OK",
		[SKEW_WARNING] = "WARNING",
		[SKEW_CRITICAL] = "CRITICAL",
		[SKEW_UNKNOWN] = "UNKNOWN",
	};

	return texts[grade];
}

skew_grade_t skew_worst(skew_grade_t a, skew_grade_t b)
{
	static const unsigned gravity[] = {
		[SKEW_OK] = 0, [SKEW_UNKNOWN] = 1, [SKEW_WARNING] = 2, [SKEW_CRITICAL] = 3
	};

	return gravity[a] >= gravity[b] ? a : b;
}

/* Seconds of a unit; 0: there is no such. */
static uint64_t unit_of(char c)
{
	switch (c) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 0;
	}
}

bool skew_limit_read(const char *text, skew_limit_t *out)
{
	enum { DIGITS_MAX = 10 };
	const size_t digits = strspn(text, "0123456789");
	const uint64_t unit = unit_of(text[digits]);

	if (digits == 0 || digits > DIGITS_MAX || (text[digits] != '\0' && unit == 0) ||
	    (unit > 0 && text[digits + 1] != '\0'))
		return false;
	*out = (skew_limit_t){ .given = true, .is_time = unit > 0 };
	out->most = strtoull(text, NULL, 10) * (unit > 0 ? unit : 1);
	return true;
}

uint32_t skew_newest(const uint32_t *serials, size_t count)
{
	uint32_t best = serials[0];

	for (size_t i = 1; i < count; i++) {
		if (dns_serial_compare(serials[i], best) == DNS_SERIAL_NEWER)
			best = serials[i];
	}
	return best;
}

static bool is_over(const skew_limit_t *limit, uint32_t lag, uint64_t seconds)
{
	return limit->given && (limit->is_time ? seconds : lag) >= limit->most;
}

skew_verdict_t skew_judge(uint32_t got, uint32_t want, uint64_t seconds, const skew_limit_t *warn,
                          const skew_limit_t *critical)
{
	skew_verdict_t v = { .grade = SKEW_OK };

	switch (dns_serial_compare(want, got)) {
	case DNS_SERIAL_EQUAL:
		return v;
	case DNS_SERIAL_UNDEFINED:
		v.grade = SKEW_CRITICAL;
		snprintf(v.why, sizeof v.why, "has %u, 2^31 from %u: neither older nor newer", got,
		         want);
		return v;
	case DNS_SERIAL_OLDER:
		v.grade = SKEW_WARNING;
		snprintf(v.why, sizeof v.why, "has %u, which is ahead of %u", got, want);
		return v;
	case DNS_SERIAL_NEWER:
		break;
	}
	v.lag = want - got;
	snprintf(v.why, sizeof v.why, "has %u, %u behind %u, for %" PRIu64 " s at most", got, v.lag,
	         want, seconds);
	if (is_over(critical, v.lag, seconds))
		v.grade = SKEW_CRITICAL;
	else if (is_over(warn, v.lag, seconds))
		v.grade = SKEW_WARNING;
	return v;
}
