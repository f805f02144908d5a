/* net/adopt.h - listening sockets that were passed to us (common/passed.h), in the place of those that we would bind. For
 * net/ only.
 *
 *     passed: 3 4 5 6 --- adopt_open() ---> of a listen address: kept, one of each kind for each worker
 *                             |
 *                             +-----------> of none, or nothing that we could use: told, closed
 *
 * Whoever passed a socket may hold it open as well, so the kernel sends queries to it whether we read them or not: each that
 * belongs to a listen address has a worker, for as long as that address is listened to. Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/addr.h"
#include "common/passed.h"
#include "common/status.h"
#include "net/worker.h"

typedef struct adopted {
	int fd;   /* -1: it has a worker, or is gone */
	int type; /* SOCK_DGRAM or SOCK_STREAM */
	addr_t addr;
	bool gone; /* the settings have lost its address, and we have closed it */
} adopted_t;

/* Starts with zeros. */
typedef struct adopt {
	adopted_t *list; /* as they were passed */
	size_t count;
} adopt_t;

/* Look over what was passed (NULL: nothing), and set up what is ours: not blocking, with the options of net/sock.h that
 * can be set on a bound socket. What is not ours is closed, with a line in the log.
 * ST_OK; ST_REFUSED: why, when one can't be used as it is, or there are more than workers; ST_NOMEM. adopt_close()
 * is due in any case. */
status_t adopt_open(adopt_t *a, const passed_t *passed, const addr_t *listen, size_t listens,
                    unsigned workers, char why[256]);

/* Was one for addr passed, of whatever kind, and is not gone? */
bool adopt_has(const adopt_t *a, const addr_t *addr);
/* Was one, and the settings have lost that since? Whoever passed it may still hold it, and then what is bound beside it
 * misses what comes there. */
bool adopt_lost(const adopt_t *a, const addr_t *addr);
/* Is one bound to a UDP address that a probe of addr (sock_probe()) would meet? */
bool adopt_meets(const adopt_t *a, const addr_t *addr);

/* Sockets for one worker: of each kind the next one that was passed, or one that is bound beside. ST_SYSTEM with errno. */
status_t adopt_bind(adopt_t *a, const addr_t *addr, worker_pair_t *out);

/* Why no socket for addr could be bound: sock_why(), or what that has to do with those that were passed. */
void adopt_why(const adopt_t *a, const addr_t *addr, unsigned workers, int err, char why[256]);

/* As many workers there must be at least, with these addresses; *addr: because of that one. */
unsigned adopt_least(const adopt_t *a, const addr_t *listen, size_t listens, const addr_t **addr);

/* Workers have closed what belongs to none of these addresses. */
void adopt_keep(adopt_t *a, const addr_t *listen, size_t listens);

/* Close what no worker has. */
void adopt_close(adopt_t *a);
