/* xfr/poll.h - ask one primary for the SOA of one zone.
 *
 *     start -> UDP query (own socket: random port and id) -> answer
 *                 |  no answer: the same query again, udp_tries in all
 *                 |  TC: the same question over TCP
 *                 v
 *               done(result), exactly once, unless stopped before
 *
 * An answer counts when id, question, class and opcode match, QR is set, it came from the
 * address that was asked, and the answer section holds the apex's SOA; anything else from the
 * wire is dropped (another id or question: somebody guesses) or is a failure (rcode, no SOA, AA
 * clear: a lame server's serial is worth nothing). What an answer says is read by
 * xfr/soa_answer.h.
 *
 * Each try has a socket and an id of its own. A hundred datagrams that don't belong to the
 * question move it to TCP, where guessing is of no use. FORMERR to a query with OPT is asked
 * again without, once (RFC 6891 7). */
#pragma once

#include <ev.h>
#include <stdint.h>

#include "common/status.h"
#include "dns/name.h"
#include "dns/soa.h"
#include "xfr/peer.h"
#include "xfr/why.h"

typedef struct xfr_poll_result {
	xfr_why_t why; /* XFR_WHY_NONE: soa is the primary's */
	dns_soa_t soa;
} xfr_poll_result_t;

typedef struct xfr_poll xfr_poll_t;
typedef void (*xfr_poll_cb)(void *arg, const xfr_poll_result_t *result);

/* Start asking. peer, apex are copied. done is called from the loop, never from within this
 * call; the poll frees itself after it. NULL: no memory or no socket (done is not called). */
xfr_poll_t *xfr_poll_start(struct ev_loop *loop, const xfr_peer_t *peer,
                           const xfr_deadlines_t *deadlines, const dns_name_t *apex,
                           xfr_poll_cb done, void *arg);

/* Give up; done is not called. */
void xfr_poll_stop(xfr_poll_t *poll);
