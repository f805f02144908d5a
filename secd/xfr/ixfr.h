/* xfr/ixfr.h - the verdict on the records that answer IXFR (RFC 1995 4). No sockets.
 *
 *     SOA(new)                                      one alone: we are current, or what comes next
 *                                                   says; if nothing does, the primary wants AXFR
 *     SOA(new)  record ...  SOA(new)                the whole zone, as AXFR has it
 *     SOA(new)  SOA(ours) removed ... SOA(x) added ...
 *               SOA(x)    removed ... SOA(y) added ...
 *               ...                                 differences, each from where the one before
 *     SOA(new)                                      led, the last one to SOA(new)
 *
 * in any grouping into messages. A whole zone goes into a build, differences into one delta over
 * the version that is held; their SOAs are removed and added like other records. Serials are
 * compared on the circle (RFC 1982). Stricter than others are: a difference that leads back, starts
 * where the one before did not end, removes what is missing or adds what is present is a failure,
 * since a guess would be served; the caller then takes the whole zone.
 *
 * Differences may not outgrow the zone: when their records (as wire, uncompressed) are more octets
 * than the version held takes in memory and XFR_IXFR_FLOOR beside that, AXFR is cheaper, and an endless
 * stream ends. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/siphash.h"
#include "dns/soa.h"
#include "xfr/stream.h"
#include "zone/build.h"
#include "zone/delta.h"

enum { XFR_IXFR_FLOOR = 256 * 1024 };

typedef enum xfr_ixfr_shape {
	XFR_IXFR_NOTHING, /* no record yet */
	XFR_IXFR_SINGLE,  /* the SOA alone: XFR_MORE: newer than ours; XFR_DONE: not newer */
	XFR_IXFR_WHOLE,   /* a whole zone: xfr_ixfr_build() */
	XFR_IXFR_DELTA,   /* differences: xfr_ixfr_delta() */
} xfr_ixfr_shape_t;

typedef struct xfr_ixfr xfr_ixfr_t;

/* The machine for one answer over base, which is borrowed like stream and limits. NULL: out of memory. */
xfr_ixfr_t *xfr_ixfr_new(xfr_stream_t *stream, const zone_version_t *base,
                         const zone_limits_t *limits);
void xfr_ixfr_free(xfr_ixfr_t *x); /* with build and delta; NULL is fine */

/* Feed the next message. After XFR_DONE or XFR_BAD no more may be fed; the stream knows why. */
xfr_verdict_t xfr_ixfr_feed(xfr_ixfr_t *x, const uint8_t *msg, size_t len);

/* The stream has ended at XFR_MORE, as ended tells: what came of it is a failure. A single newer SOA
 * says more than the end that followed it. */
void xfr_ixfr_end(const xfr_ixfr_t *x, xfr_why_t *ended);

xfr_ixfr_shape_t xfr_ixfr_shape(const xfr_ixfr_t *x);

/* The first SOA: what the primary has; valid from XFR_IXFR_SINGLE on. */
const dns_soa_t *xfr_ixfr_soa(const xfr_ixfr_t *x);

/* To be sealed after XFR_DONE; they stay the machine's. NULL unless it is that shape. */
zone_build_t *xfr_ixfr_build(xfr_ixfr_t *x);
zone_delta_t *xfr_ixfr_delta(xfr_ixfr_t *x);

/* Differences so far, and records in them, SOAs not counted. */
typedef struct xfr_ixfr_counts {
	uint32_t diffs, removed, added;
} xfr_ixfr_counts_t;
const xfr_ixfr_counts_t *xfr_ixfr_counts(const xfr_ixfr_t *x);
