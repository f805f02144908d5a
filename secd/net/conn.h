/* net/conn.h - one TCP connection: bytes in, whole queries, answers out. For net/tcp only.
 *
 *            EV_READ                                        EV_WRITE
 *     read a bit --> answer all whole queries in it --> the kernel took all? --no--> wait
 *         ^                                                 | yes                     |
 *         +-------------------------------------------------+ <----- all taken -------+
 *
 * While answers wait nothing more is read, so a client that doesn't read costs what one write
 * left over and no worker's time. What a connection keeps between events: nothing when it is
 * idle, the start of an unfinished query, or answers that wait. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/answer.h"
#include "common/addr.h"
#include "common/status.h"
#include "net/worker.h"

enum {
	CONN_BATCH = 16,  /* queries answered, and written, at once */
	CONN_READ = 4096, /* octets read per event: what one connection may do in one turn */
	CONN_WAITING = 128 * 1024, /* no answer is added to more octets than these */
};

/* What all connections of a worker share: used within one event, empty between them. */
typedef struct conn_desk {
	worker_t *w;
	uint8_t in[CONN_READ];
	uint8_t *out; /* of each request: room for its length and an answer */
	answer_req_t req[CONN_BATCH];
} conn_desk_t;

/* ST_NOMEM. */
status_t conn_desk_open(conn_desk_t *desk, worker_t *w);
void conn_desk_close(conn_desk_t *desk);

/* Bytes that belong to a connection. Freed when they are used up. */
typedef struct conn_bytes {
	uint8_t *base;
	size_t pos, len, room; /* base[pos..len) is what is left */
} conn_bytes_t;

typedef struct conn {
	ev_io io; /* data is tcp's */
	struct conn *older, *newer;
	mono_t active; /* when it last completed a query, or took some of its answers */
	addr_t peer;
	conn_bytes_t in;  /* begins with an unfinished query, or one that waits for out */
	conn_bytes_t out; /* waits to be written */
} conn_t;

typedef enum conn_verdict {
	CONN_RESTS,  /* go on; nothing that counts as activity happened */
	CONN_ACTIVE, /* go on; a query was completed or answers were taken */
	CONN_OVER,   /* close it: the client is done, gone, or broke the framing */
} conn_verdict_t;

/* Its socket is readable or writable, whichever conn_wants() asked for. */
conn_verdict_t conn_event(conn_t *c, conn_desk_t *desk);

/* EV_READ or EV_WRITE. */
int conn_wants(const conn_t *c);

/* Neither a query nor an answer is half done. */
bool conn_idle(const conn_t *c);

/* Frees what it keeps; neither c nor the socket. */
void conn_clear(conn_t *c);
