/* xfr/axfr.h - the verdict on the records of a whole zone (RFC 5936 2.2, 3). No sockets.
 *
 *     SOA(apex)  record record record ...  SOA(apex)  end
 *     `--------------- any grouping into messages --------'
 *
 * The frame of each message is the stream's affair (xfr/stream.h); record by record, everything
 * goes into a build. A whole zone also comes in answer to IXFR (RFC 1995 4): xfr/ixfr.h hands its
 * records on one by one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dns/soa.h"
#include "xfr/stream.h"
#include "zone/build.h"

/* RDATA of the longest SOA: two names and five numbers (RFC 1035 3.3.13). */
#define XFR_SOA_MAX (2 * DNS_NAME_MAX + 20)

/* A SOA as it is compared: its RDATA with folded names (RFC 4034 6.2). */
typedef struct xfr_soa {
	dns_soa_t fields;
	uint8_t rdata[XFR_SOA_MAX];
	size_t len;
} xfr_soa_t;

/* The record at hand, which is the apex's SOA. ST_OK; ST_MALFORMED: the stream's why. */
status_t xfr_soa_take(xfr_stream_t *s, xfr_soa_t *out);
bool xfr_soa_same(const xfr_soa_t *a, const xfr_soa_t *b);

typedef struct xfr_axfr xfr_axfr_t;

/* The machine for one transfer from stream into build, which was made with limits: all three are
 * borrowed. NULL: out of memory. */
xfr_axfr_t *xfr_axfr_new(xfr_stream_t *stream, zone_build_t *build, const zone_limits_t *limits);
void xfr_axfr_free(xfr_axfr_t *a); /* NULL is fine */

/* Feed the next message. After XFR_DONE or XFR_BAD no more may be fed; the stream knows why. */
xfr_verdict_t xfr_axfr_feed(xfr_axfr_t *a, const uint8_t *msg, size_t len);

/* Take the record at hand in the stream. XFR_DONE: it was the closing SOA. */
xfr_verdict_t xfr_axfr_take(xfr_axfr_t *a);

/* What the store says to a record of the stream: ST_OK, also for one that is out of the zone (which
 * the store counts); ST_MALFORMED: the stream's why. For xfr/ixfr.h, too. */
status_t xfr_kept(xfr_stream_t *s, status_t st, const zone_build_stats_t *stats,
                  const zone_limits_t *limits);
