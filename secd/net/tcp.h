/* net/tcp.h - connections: who is let in, who has to go. RFC 7766. For net/ only.
 *
 * All connections of a worker stand in one list, the one that has gone longest without a whole
 * query (or without taking any of its answers) first. One timer looks at its head; when the
 * limit on all connections is reached, the head is also where room is found for new ones. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "net/clients.h"
#include "net/worker.h"

typedef struct tcp tcp_t;

/* For that many listening sockets; clients is shared by all workers, idle is in seconds. NULL:
 * no memory. */
tcp_t *tcp_new(worker_t *w, size_t sockets, clients_t *clients, double idle);

/* Accept on fd, which is owned from here on. Before the worker starts. */
void tcp_listen(tcp_t *tcp, int fd);

/* Closes all sockets and connections. NULL is fine. */
void tcp_free(tcp_t *tcp);
