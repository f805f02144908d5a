/* net/udp.h - datagrams in, datagrams out, a batch at a time. For net/ only.
 *
 * recvmmsg of what is there, up to 64, one answer_batch(), one sendmmsg: two system calls for a
 * batch, and a single query waits for no other. All buffers are the worker's and made once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "net/worker.h"

typedef struct udp udp_t;

/* NULL: no memory. */
udp_t *udp_new(worker_t *w);

/* Answer on fd, bound to local; fd is owned from here on, also if there is no memory. lent: somebody else may hold
 * the socket as well, so nothing is done to it before it is closed. Before the worker starts, or its thread. */
status_t udp_listen(udp_t *udp, int fd, const addr_t *local, bool lent);

/* Answer what has come on the sockets of local (NULL: on all), and close them. The worker's thread. */
void udp_drop(udp_t *udp, const addr_t *local);

/* Closes the sockets. NULL is fine. */
void udp_free(udp_t *udp);
