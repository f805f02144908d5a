/* net/udp.h - datagrams in, datagrams out, a batch at a time. For net/ only.
 *
 * recvmmsg of what is there, up to 64, one answer_batch(), one sendmmsg: two system calls for a
 * batch, and a single query waits for no other. All buffers are the worker's and made once. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "net/worker.h"

typedef struct udp udp_t;

/* For that many sockets, with answers of up to payload octets (512 at least). NULL: no memory. */
udp_t *udp_new(worker_t *w, size_t sockets, uint16_t payload);

/* Answer on fd, bound to local; fd is owned from here on. Before the worker starts. */
void udp_listen(udp_t *udp, int fd, const addr_t *local);

/* Closes the sockets. NULL is fine. */
void udp_free(udp_t *udp);
