/* xfr/stream.h - the frame of each message of a transfer: what AXFR and IXFR have in common.
 *
 *     xfr_stream_open(msg) -> xfr_stream_next() ... until ST_NOENT -> xfr_stream_close()
 *
 * Header, question and sections of a message are checked (RFC 5936 2.2, RFC 1995 4), its answers
 * read one by one, the rest stepped over. What the records mean is for xfr/axfr.h and xfr/ixfr.h.
 * AA, RA, Z, AD and CD are ignored (RFC 5936 2.2.1); authority and additional sections must be
 * framed soundly, and of them only OPT counts.
 *
 * The first failure is kept in the stream, whoever found it; after it nothing more may be read. One
 * thread; no sockets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/status.h"
#include "dns/name.h"
#include "dns/rr.h"
#include "xfr/why.h"

/* What a machine makes of a message. */
typedef enum xfr_verdict {
	XFR_MORE, /* sound so far */
	XFR_DONE, /* it is complete, and nothing stands behind it */
	XFR_BAD,  /* it is worthless: the stream knows why */
} xfr_verdict_t;

typedef struct xfr_stream {
	dns_name_t apex; /* folded */
	uint16_t type;   /* of the question: AXFR or IXFR */
	uint16_t id;
	uint64_t messages, records; /* so far; records of the answer sections */
	bool has_expire;            /* an OPT had EXPIRE (RFC 7314); the last one counts */
	uint32_t expire;            /* seconds */
	xfr_why_t why;
	char detail[XFR_DETAIL_MAX]; /* the record at fault, or "" */
	dns_rr_t rr;                 /* the record at hand; big, so a stream lives on the heap */

	bool tsig; /* set before a message: its header counts a TSIG behind it, which was verified */

	/* The message at hand; of the stream alone. */
	buf_t msg;
	unsigned answers, others; /* records left in it */
	bool bare;                /* it has no answers */
	unsigned empty;           /* such messages in a row */
} xfr_stream_t;

/* For the answer to the question apex/type asked with id. NULL: out of memory. */
xfr_stream_t *xfr_stream_new(const dns_name_t *apex, uint16_t type, uint16_t id);
void xfr_stream_free(xfr_stream_t *s); /* NULL is fine */

/* Begin with the next message, which is borrowed until it is closed: its header and question.
 * ST_MALFORMED: s->why. */
status_t xfr_stream_open(xfr_stream_t *s, const uint8_t *msg, size_t len);

/* The next answer into s->rr. ST_OK; ST_NOENT: there are no more; ST_MALFORMED: s->why. */
status_t xfr_stream_next(xfr_stream_t *s);

/* Behind the last answer: the other sections, and nothing after them. ST_OK; ST_MALFORMED. */
status_t xfr_stream_close(xfr_stream_t *s);

/* Note a failure; detail is emptied. Returns ST_MALFORMED, whatever the code: for the caller to
 * pass on. */
status_t xfr_stream_fail(xfr_stream_t *s, xfr_why_code_t code, uint32_t a, uint32_t b);

/* The same, of the record at hand, which it names. */
status_t xfr_stream_fail_record(xfr_stream_t *s, xfr_why_code_t code);

/* The same, of a record that stood before: covered is the type that an RRSIG covers, or 0. */
status_t xfr_stream_fail_at(xfr_stream_t *s, xfr_why_code_t code, const uint8_t *owner,
                            uint16_t type, uint16_t covered);

/* The same, of a name. */
status_t xfr_stream_fail_name(xfr_stream_t *s, xfr_why_code_t code, uint32_t a, uint32_t b,
                              const uint8_t *name);

/* Is the record at hand the zone's SOA? Class and owner count: a SOA elsewhere is an error. */
bool xfr_stream_at_soa(const xfr_stream_t *s);
