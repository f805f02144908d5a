/* xfr/poll.h - ask one primary for the SOA of one zone.
 *
 *     start --+-- no link: UDP (own socket: random port and id) --> answer
 *             |      |  no answer: the same query again, udp_tries in all
 *             |      |  TC, or somebody guesses: XFR_POLL_STREAM
 *             +-- link: one question among others on it ---------> answer
 *                    |  the primary closed behind the answer to another: XFR_POLL_AGAIN
 *                    v
 *                  done(result), exactly once, unless stopped before
 *
 * An answer counts when id, question, class and opcode match, QR is set, it came from the
 * address that was asked, and the answer section holds the apex's SOA; anything else from the
 * wire is dropped (another id or question: somebody guesses) or is a failure (rcode, no SOA, AA
 * clear: a lame server's serial is worth nothing). What an answer says is read by
 * xfr/soa_answer.h.
 *
 * With a key, an answer counts if its TSIG does (RFC 8945). One by UDP that has none, or a wrong one, may
 * be anybody's: the question moves to a stream, where it would be the primary's.
 *
 * Each try by UDP has a socket and an id of its own. FORMERR to a query with OPT is asked again
 * without, once (RFC 6891 7). Main thread. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "dns/name.h"
#include "dns/tsig.h"
#include "xfr/link.h"
#include "xfr/peer.h"
#include "xfr/soa_answer.h"
#include "xfr/why.h"

/* All is copied but the link, which is borrowed until the poll is done. */
typedef struct xfr_poll_spec {
	const xfr_peer_t *peer;
	const xfr_deadlines_t *deadlines;
	const dns_name_t *apex;
	xfr_link_t *link;          /* to the peer; NULL: by UDP */
	bool plain;                /* the primary is known not to know EDNS: no OPT */
	bool dnssec;               /* ask for the signatures, too */
	const dns_tsig_key_t *key; /* that question and answer are signed with; copied; or NULL */
} xfr_poll_spec_t;

typedef enum xfr_poll_next {
	XFR_POLL_DONE,
	XFR_POLL_STREAM, /* ask over a link: UDP can't bring the answer, as why says */
	XFR_POLL_AGAIN,  /* ask over another link: nothing is wrong with the way (end) */
} xfr_poll_next_t;

typedef struct xfr_poll_result {
	xfr_why_t why;           /* XFR_WHY_NONE: answer is the primary's */
	xfr_soa_answer_t answer; /* soa, and what came with it; rcode also where TSIG is at fault */
	bool has_skew;           /* it was signed, and by its TSIG ... */
	int32_t skew;            /* ... the primary's clock is so many seconds ahead of ours */
	bool plain;              /* it answered without OPT alone */
	xfr_poll_next_t next;
	xfr_ask_end_t end; /* XFR_POLL_AGAIN */
} xfr_poll_result_t;

typedef struct xfr_poll xfr_poll_t;
typedef void (*xfr_poll_cb)(void *arg, const xfr_poll_result_t *result);

/* Start asking. done is called from the loop, never from within this call; the poll frees itself
 * after it. NULL: no memory, no socket (errno), or a link that takes no more. */
xfr_poll_t *xfr_poll_start(struct ev_loop *loop, const xfr_poll_spec_t *spec, xfr_poll_cb done,
                           void *arg);

/* Give up; done is not called. */
void xfr_poll_stop(xfr_poll_t *poll);
