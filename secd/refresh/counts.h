/* refresh/counts.h - what following the zones has come to since the start, in sums for operators.
 *
 * Nothing depends on them. Main thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What a SOA query to a primary has come to. One that is not asked, since its address answers nobody,
 * is none. */
typedef enum refresh_poll {
	REFRESH_POLL_CURRENT, /* it has what is held */
	REFRESH_POLL_NEWER,   /* ... more, or other signatures */
	REFRESH_POLL_REFUSED, /* ... what is not taken: older, 2^31 apart, refused before */
	REFRESH_POLL_FAILED,  /* no answer of use */
	REFRESH_POLLS,
} refresh_poll_t;

/* What a transfer was, or, if nothing came of it, what was asked for. */
typedef enum refresh_kind {
	REFRESH_KIND_AXFR,
	REFRESH_KIND_IXFR,
	REFRESH_KIND_WHOLE, /* the whole zone in answer to IXFR */
	REFRESH_KINDS,
} refresh_kind_t;

typedef enum refresh_end {
	REFRESH_END_INSTALLED,
	REFRESH_END_CURRENT,  /* IXFR: there is nothing newer */
	REFRESH_END_FALLBACK, /* IXFR came to nothing, AXFR follows */
	REFRESH_END_REFUSED,  /* by a gate */
	REFRESH_END_FAILED,
	REFRESH_ENDS,
} refresh_end_t;

/* How long it took from the first NOTIFY of a change until the change was served. */
enum { REFRESH_DELAYS = 15 };
typedef struct refresh_delays {
	uint64_t within
		[REFRESH_DELAYS +
	         1]; /* each in one: up to a bound and above the one before; the last: longer */
	uint64_t count, sum_ms;
} refresh_delays_t;

typedef struct refresh_counts {
	uint64_t polls[REFRESH_POLLS];
	uint64_t transfers[REFRESH_KINDS][REFRESH_ENDS];
	uint64_t octets[REFRESH_KINDS]; /* that transfers brought, whatever came of them */
	uint64_t expired;               /* zones, each time that one did */
	refresh_delays_t served;
} refresh_counts_t;

/* The bounds, ascending: 1 to 60,000 ms. */
extern const uint32_t refresh_delay_ms[REFRESH_DELAYS];

void refresh_delays_note(refresh_delays_t *d, uint32_t ms);

/* The bound below which this share (0..100) of them was; 0: there is none. UINT32_MAX: it was longer
 * than the last bound. */
uint32_t refresh_delays_bound(const refresh_delays_t *d, unsigned percent);

/* Words for all of these: "current" ..., "axfr" ..., "installed" ... */
const char *refresh_poll_text(refresh_poll_t poll);
const char *refresh_kind_text(refresh_kind_t kind);
const char *refresh_end_text(refresh_end_t end);
