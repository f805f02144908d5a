/* xfr/axfr.h - the verdict on a stream of AXFR messages (RFC 5936 2.2, 3). No sockets.
 *
 *     SOA(apex)  record record record ...  SOA(apex)  end
 *     `--------------- any grouping into messages --------'
 *
 * Message by message, header, question and rcode are checked; record by record, everything
 * goes into a build. What ends a transfer badly leaves a reason in words. AA, RA, Z, AD and CD
 * are ignored (RFC 5936 2.2.1); authority and additional sections are stepped over, but must be
 * framed soundly. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "dns/name.h"
#include "dns/rr.h"
#include "dns/soa.h"
#include "zone/build.h"

typedef enum xfr_verdict {
	XFR_MORE, /* sound so far */
	XFR_DONE, /* the closing SOA is in, and nothing behind it */
	XFR_BAD,  /* the transfer is worthless: xfr_axfr_why() */
} xfr_verdict_t;

typedef struct xfr_axfr xfr_axfr_t;

/* The machine for one transfer into build, which is borrowed. NULL: out of memory. */
xfr_axfr_t *xfr_axfr_new(const dns_name_t *apex, uint16_t id, zone_build_t *build);
void xfr_axfr_free(xfr_axfr_t *a); /* NULL is fine */

/* Feed the next message. After XFR_DONE or XFR_BAD no more may be fed. */
xfr_verdict_t xfr_axfr_feed(xfr_axfr_t *a, const uint8_t *msg, size_t len);

/* Why it is bad, e.g. "closing SOA has serial 7, opening one 8"; "" while it is not. The text
 * belongs to a. */
const char *xfr_axfr_why(const xfr_axfr_t *a);

/* What kind of failure that is: ST_OK while it is not bad; ST_REFUSED: the primary's rcode;
 * ST_LIMIT, ST_NOMEM: from the build; ST_MALFORMED: everything else. */
status_t xfr_axfr_status(const xfr_axfr_t *a);

/* The opening SOA; valid once the first message was XFR_MORE or XFR_DONE. */
const dns_soa_t *xfr_axfr_soa(const xfr_axfr_t *a);
