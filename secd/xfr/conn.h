/* xfr/conn.h - one stream to a primary that carries DNS messages (RFC 1035 4.2.2).
 *
 * All that polls and transfers know of a stream: messages out, messages in, one end. It never
 * blocks. TLS will stand behind this same door. Callbacks come from the loop, never from within
 * the calls below; on_end comes at most once and nothing after it. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/status.h"
#include "xfr/peer.h"

typedef struct xfr_conn xfr_conn_t;

typedef enum xfr_conn_end {
	XFR_CONN_CLOSED,     /* the peer closed between two messages */
	XFR_CONN_CUT,        /* the peer closed inside a message */
	XFR_CONN_ERROR,      /* socket, bind, connect, read or write failed: sys_errno */
	XFR_CONN_NO_CONNECT, /* connect deadline passed */
	XFR_CONN_IDLE,       /* idle deadline passed */
	XFR_CONN_NOMEM,
} xfr_conn_end_t;

typedef struct xfr_conn_calls {
	/* A whole message, maybe of length 0; bytes are borrowed for the call. The callee may
	 * close the connection from within: nothing follows then; or pause it: no message does. */
	void (*on_message)(void *arg, const uint8_t *msg, size_t len);
	/* No more messages in this turn of the loop: time to pass on what was gathered. Comes
	 * after the last of some messages; may be NULL. */
	void (*on_gulp)(void *arg);
	void (*on_end)(void *arg, xfr_conn_end_t end, int sys_errno);
} xfr_conn_calls_t;

/* Begin to connect. calls is borrowed for the connection's life. NULL: out of memory; an
 * immediate failure of the connect is told by on_end from the loop. */
xfr_conn_t *xfr_conn_open(struct ev_loop *loop, const xfr_peer_t *peer,
                          const xfr_deadlines_t *deadlines, const xfr_conn_calls_t *calls,
                          void *arg);

/* Queue a message of len <= 65535 octets; it is copied and sent when connected. ST_LIMIT: longer,
 * or too much is queued already; ST_NOMEM. */
status_t xfr_conn_send(xfr_conn_t *c, const uint8_t *msg, size_t len);

/* Stop and resume reading: a receiver that is full pushes back through TCP's window. */
void xfr_conn_pause(xfr_conn_t *c, bool paused);

/* What has come of the message that is next to be delivered; its octets, or NULL. */
const uint8_t *xfr_conn_begun(const xfr_conn_t *c, size_t *len);

/* Has it been established? */
bool xfr_conn_established(const xfr_conn_t *c);

/* The time in which the peer could be heard: this clock stands until the connection does, and while
 * it is paused. Deadlines that the peer has to meet are counted by it, the idle one among them. */
mono_t xfr_conn_now(const xfr_conn_t *c);

/* When octets came last, if they are of a message that is not whole yet; else 0. By xfr_conn_now(). */
mono_t xfr_conn_growing(const xfr_conn_t *c);

/* Close and free; no callback follows. NULL is fine. */
void xfr_conn_close(xfr_conn_t *c);
