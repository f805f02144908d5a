/* net/tcp.h - connections: who is let in, who has to go. RFC 7766. For net/ only.
 *
 * All connections of a worker stand in one list, the one that has gone longest without a whole
 * query (or without taking any of its answers) first. One timer looks at its head; when the
 * limit on all connections is reached, the head is also where room is found for new ones. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "net/clients.h"
#include "net/worker.h"

typedef struct tcp tcp_t;

/* clients is shared by all workers, idle is in seconds. NULL: no memory. */
tcp_t *tcp_new(worker_t *w, clients_t *clients, double idle);

/* Accept on fd, bound to local; fd is owned from here on, also if there is no memory. Before the worker starts, or
 * its thread. */
status_t tcp_listen(tcp_t *tcp, int fd, const addr_t *local);

/* Let in who stands at the sockets of local (NULL: at all), and close them; connections stay. The worker's
 * thread, as for what follows. */
void tcp_drop(tcp_t *tcp, const addr_t *local);

void tcp_set_idle(tcp_t *tcp, double idle);

/* Are there connections? Then empty(w) is called when the last one has gone. */
bool tcp_drain(tcp_t *tcp, void (*empty)(worker_t *w));

/* Closes all sockets and connections. NULL is fine. */
void tcp_free(tcp_t *tcp);
