/* xfr/first.h - would this primary transfer this zone to us? AXFR is asked for, and its first message
 * (RFC 5936 2.2) tells: the rcode, the TSIG, the opening SOA, whether its records can be read. Nothing
 * behind it is waited for.
 *
 *     start --> AXFR over the link --> first message --> done(result), exactly once, unless stopped
 *                                  |   FORMERR to a question with OPT: the same without, once
 *                                  |   the primary closed behind another answer: again
 *
 * Where the zone goes on behind that message the link is spoiled (xfr/link.h), and the caller closes it,
 * or a whole zone would come for nobody; where the message holds all of it (whole), the link takes more
 * questions. Main thread. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "dns/name.h"
#include "dns/soa.h"
#include "dns/tsig.h"
#include "xfr/link.h"
#include "xfr/why.h"

typedef struct xfr_first_spec {
	xfr_link_t *link;          /* to the primary; borrowed until done */
	const dns_name_t *apex;    /* copied */
	double most;               /* seconds until the message has to be there */
	bool plain;                /* without OPT: this primary would not hear of it */
	const dns_tsig_key_t *key; /* that question and answer are signed with; borrowed; or NULL */
} xfr_first_spec_t;

typedef struct xfr_first_result {
	xfr_why_t why;               /* XFR_WHY_NONE: it transfers the zone */
	char detail[XFR_DETAIL_MAX]; /* the record at fault, or "" */
	dns_soa_t soa;               /* the opening one, unless it failed */
	unsigned rcode;              /* of a message whose TSIG does not count */
	bool has_skew;               /* it was signed, and by its TSIG ... */
	int32_t skew;                /* ... the primary's clock is so many seconds ahead of ours */
	bool whole;                  /* the zone ends in this message */
	bool plain;                  /* it answered without OPT alone */
	bool again;                  /* nothing has failed: ask over another link */
} xfr_first_result_t;

typedef struct xfr_first xfr_first_t;
typedef void (*xfr_first_cb)(void *arg, const xfr_first_result_t *result);

/* done is called from the loop, never from within this call; the question frees itself after it. NULL:
 * no memory, or a link that takes no more. */
xfr_first_t *xfr_first_start(const xfr_first_spec_t *spec, xfr_first_cb done, void *arg);

/* Give up; done is not called. */
void xfr_first_stop(xfr_first_t *f);
