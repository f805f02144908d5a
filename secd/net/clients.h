/* net/clients.h - who holds how many TCP connections, over all workers.
 *
 * Fixed memory, no locks: each IPv4 address or IPv6 /64 is a keyed hash, and its count stands in
 * two tables under different bits of it. A client is over its limit only when both counts say
 * so, so it is cheated by strangers only if two of them meet it, one in each table; the key is
 * random per process, so nobody can arrange that. Two connections of one client that come to
 * two workers in the same instant may both take its last place. */
#pragma once

#include "common/addr.h"

typedef struct clients clients_t;

typedef enum clients_verdict {
	CLIENTS_ADMITTED,
	CLIENTS_FULL,   /* as many connections as we allow in all */
	CLIENTS_GREEDY, /* this client has its share */
} clients_verdict_t;

/* total and each may not be passed; 0 admits nobody. NULL: no memory. */
clients_t *clients_new(unsigned total, unsigned each);
void clients_free(clients_t *c); /* NULL is fine */

/* Other limits: who is over them stays, and nobody else is admitted until he has gone. Any thread. */
void clients_set_limits(clients_t *c, unsigned total, unsigned each);

/* Count a connection of peer, unless a limit is reached; a client's own limit is asked first,
 * so that one who has its share never costs others anything. Any thread. */
clients_verdict_t clients_enter(clients_t *c, const addr_t *peer);

/* Once for each CLIENTS_ADMITTED, with the same address. Any thread. */
void clients_leave(clients_t *c, const addr_t *peer);
