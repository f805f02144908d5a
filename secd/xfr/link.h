/* xfr/link.h - one stream to a primary that carries many questions at once (RFC 7766 6.2.1.1, RFC
 * 5936 4.1.1): SOA polls and transfers, answered in any order, told apart by their ids.
 *
 *     xfr_ask_open(id 7) --+                      +--> messages with id 7 --> its calls
 *     xfr_ask_open(id 9) --+--> one connection ---+--> messages with id 9 --> its calls
 *                                                 +--> of nobody: in the turn of the oldest ask,
 *                                                      which ends; without asks it is dropped, and
 *                                                      the link ends when that goes on
 *
 * An ask ends when whoever asked has all that was wanted (xfr_ask_close), when nothing came for it
 * for the idle deadline, when it has taken longer than it may in all, or with the link. When none has
 * been completed for XFR_LINK_STUCK seconds, those that wait behind the oldest end, too: many primaries
 * answer one after the other. One that is given up while its answer may still come spoils the link: it
 * takes no further questions, and ends with the last one. All of these deadlines count the time in which
 * the primary could be heard: from the connection on, and without our pauses.
 *
 * Main thread; callbacks come from the loop, never from within the calls below. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "xfr/conn.h"
#include "xfr/peer.h"

typedef struct xfr_link xfr_link_t;
typedef struct xfr_ask xfr_ask_t;

enum { XFR_LINK_ASKS_MAX = 256 };

#define XFR_LINK_STUCK 2. /* seconds */

/* The link has ended, after each of its asks was told; the callee closes it, maybe from within. */
typedef void (*xfr_link_cb)(void *arg, xfr_link_t *link);

/* Begin to connect. linger: seconds that a link without questions is kept open. NULL: out of
 * memory; what else fails is told by the ends. */
xfr_link_t *xfr_link_open(struct ev_loop *loop, const xfr_peer_t *peer,
                          const xfr_deadlines_t *deadlines, double linger, xfr_link_cb on_end,
                          void *arg);

/* Close and free. Asks that are still open hear nothing more, but must be closed. NULL is fine. */
void xfr_link_close(xfr_link_t *link);

/* Will it take a question? Not when it has ended, is spoiled, has as many as it can hold, or makes
 * no progress with those that it has. */
bool xfr_link_usable(const xfr_link_t *link);
bool xfr_link_fresh(const xfr_link_t *link);    /* no question was ever asked on it */
unsigned xfr_link_asks(const xfr_link_t *link); /* that are open */
/* Octets that the ask in progress which has the most of them has got: a long transfer holds up
 * what is asked behind it. */
uint64_t xfr_link_burden(const xfr_link_t *link);

/* Others wait for a connection: from now on its asks may be idle for so long at most. */
void xfr_link_press(xfr_link_t *link, double idle);

/* An id that no ask of the link has. Whoever signs a message needs it first. */
uint16_t xfr_link_id(const xfr_link_t *link);

/* How an ask ended that was not closed. */
typedef struct xfr_ask_end {
	xfr_conn_end_t how; /* XFR_CONN_IDLE: nothing came for it, or not all in time */
	int sys_errno;
	bool stray;        /* a message came that belongs to nobody, in its turn */
	bool untouched;    /* no message came for it */
	bool established;  /* there was a connection */
	bool first;        /* of those that are told of this end */
	bool fresh;        /* the link carried nothing before it */
	unsigned answered; /* asks that the link had completed, or begun to */
	unsigned others;   /* that ended with it, or stand before it */
} xfr_ask_end_t;

/* Is it unknown whose fault it was? The peer closed behind another question, or while others waited with
 * this one; it reset the connection, which it also does when questions of ours lay
 * unread, and what it had sent is lost by that; or something before this one holds it up. Then
 * nothing is known of the question: it is to be asked again, on a connection of its own. */
bool xfr_ask_end_is_unclear(const xfr_ask_end_t *end);

typedef struct xfr_ask_calls {
	/* A message with the ask's id, borrowed for the call. The callee may close or pause the
	 * ask from within. */
	void (*on_message)(void *arg, const uint8_t *msg, size_t len);
	/* No more messages in this turn of the loop; may be NULL. */
	void (*on_gulp)(void *arg);
	/* At most once, nothing after it; close the ask then or later. */
	void (*on_end)(void *arg, const xfr_ask_end_t *end);
} xfr_ask_calls_t;

/* Ask: msg is copied, and begins with id, which xfr_link_id() gave.
 *   most    seconds that it may take in all; 0: no limit but the idle deadline.
 *   calls   is borrowed for the ask's life.
 * NULL: out of memory, or the link has ended, is spoiled or full. */
xfr_ask_t *xfr_ask_open(xfr_link_t *link, uint16_t id, const uint8_t *msg, size_t len, double most,
                        const xfr_ask_calls_t *calls, void *arg);

/* Send a further message with the ask's id: the same question in other words. */
status_t xfr_ask_again(xfr_ask_t *ask, const uint8_t *msg, size_t len);

/* Stop and resume reading, for the whole link. */
void xfr_ask_pause(xfr_ask_t *ask, bool paused);

/* How far an ask has come: octets of its own messages, those of an unfinished one counted, and the
 * seconds in which they could be heard. Zeros once the link has ended. */
typedef struct xfr_pace {
	uint64_t octets;
	double seconds;
} xfr_pace_t;

xfr_pace_t xfr_ask_pace(const xfr_ask_t *ask);

/* Free the ask. complete: its answer is all in, and its id may be used again. NULL is fine. */
void xfr_ask_close(xfr_ask_t *ask, bool complete);
