/* ctl/skew_judge.h - how far a server lags, and whether that is bad: the rules and words of check_secd(8),
 * which does the same from any other host. Pure. For ctl/skew_client alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The exit status of a plugin for Nagios. */
typedef enum skew_grade { SKEW_OK, SKEW_WARNING, SKEW_CRITICAL, SKEW_UNKNOWN } skew_grade_t;
const char *skew_grade_text(skew_grade_t grade); /* "OK" ... */

/* Of two the graver: critical, warning, unknown, ok. */
skew_grade_t skew_worst(skew_grade_t a, skew_grade_t b);

/* From which lag on something is told: so many serials (3), or so long (90s, 15m, 2h, 1d). */
typedef struct skew_limit {
	bool given;
	bool is_time; /* most is seconds */
	uint64_t most;
} skew_limit_t;

/* False: text is no such thing. */
bool skew_limit_read(const char *text, skew_limit_t *out);

/* The serial that no other is newer than (RFC 1982), as far as they have an order; count is at least 1. */
uint32_t skew_newest(const uint32_t *serials, size_t count);

typedef struct skew_verdict {
	skew_grade_t grade;
	uint32_t lag; /* serials */
	char why[96]; /* "" when it has what is wanted */
} skew_verdict_t;

/* Of one that has got where want is the newest.
 *   seconds   since when it may lag: since want could be had. */
skew_verdict_t skew_judge(uint32_t got, uint32_t want, uint64_t seconds, const skew_limit_t *warn,
                          const skew_limit_t *critical);
