/* common/sink.h - datagrams to a local socket that nobody waits for: what it does not take at once is
 * dropped, and counted.
 *
 * Opened and closed while one thread runs; sink_send() and sink_dropped() are for any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/status.h"

typedef struct sink {
	int fd; /* -1: closed */
	struct sockaddr_un to;
	_Atomic unsigned dropped;
} sink_t;

/* Send to the socket of this path from now on, whoever listens there at the moment: it may come, go and come
 * back. The path is copied.
 * Returns   ST_OK; ST_LIMIT: too long for a socket's; ST_SYSTEM with errno: no socket could be made. On an error
 *           s is closed. */
status_t sink_open(sink_t *s, const char *path);

/* Does somebody listen there who takes datagrams? ST_OK; ST_NOENT: nobody; ST_MALFORMED: somebody who wants a
 * stream; ST_LIMIT, ST_SYSTEM as above. */
status_t sink_probe(const char *path);

/* One datagram, now. False: dropped. Never waits. */
bool sink_send(sink_t *s, const char *octets, size_t len);

/* How many were dropped since this was asked last; and count n more. */
unsigned sink_dropped(sink_t *s);
void sink_drop(sink_t *s, unsigned n);

/* Closed already is fine. */
void sink_close(sink_t *s);
