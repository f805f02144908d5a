/* tests/unit/xfr/support/server.h - a primary that does as the test tells it, in a thread.
 *
 * It listens on one port of 127.0.0.1, chosen by the kernel, for UDP and TCP. Each datagram and
 * each connection goes to the test's function, in the server's thread. */
#pragma once

#include <ev.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xfr/peer.h"

typedef struct server server_t;

typedef struct server_query {
	const uint8_t *msg;
	size_t len;
	unsigned nth; /* datagrams before it */
	int fd;
	struct sockaddr_in from;
} server_query_t;

typedef struct server_script {
	void (*udp)(void *arg, const server_query_t *query); /* NULL: silence */
	void (*tcp)(void *arg, int fd, unsigned nth);        /* closed after it; NULL: silence */
	void *arg;
} server_script_t;

server_t *server_start(const server_script_t *script);
void server_stop(server_t *server);
xfr_peer_t server_peer(const server_t *server);

/* For scripts. */
void server_reply(const server_query_t *query, const void *msg, size_t len);
/* Read one framed message; its length, or 0 when the peer is gone. */
size_t server_read(int fd, uint8_t out[65535]);
/* Frame and write; false: the peer is gone. */
bool server_write(int fd, const uint8_t *msg, size_t len);
bool server_write_raw(int fd, const void *bytes, size_t len);
/* Wait until the peer closes, or some seconds. */
void server_await_close(int fd);
/* Let the close be a reset. */
void server_reset(int fd);

/* A port of 127.0.0.1 where nobody listens. */
xfr_peer_t server_nobody(void);

/* A port of 127.0.0.1 that lets nobody in and says nothing, for the rest of the test. */
xfr_peer_t server_deaf(void);

/* Run the loop until *flag, or for that many seconds at most. Returns *flag. */
bool run_until(struct ev_loop *loop, const bool *flag, double seconds);
