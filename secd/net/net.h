/* net/net.h - who asks: listening sockets and the workers that answer on them.
 *
 * One worker per core, each a thread with its own libev loop, its own SO_REUSEPORT UDP and TCP
 * socket for each listening address, and its own reader slot of the epoch. A worker never
 * locks, waits for another thread, logs or allocates per UDP query. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/answer.h"
#include "common/addr.h"
#include "common/epoch.h"
#include "common/mailbox.h"
#include "common/status.h"
#include "zone/set.h"

typedef struct net net_t;

typedef struct net_conf {
	const addr_t *listen; /* addresses and ports; an any-address works too */
	size_t listens;
	unsigned workers;        /* at least 1 */
	unsigned tcp_clients;    /* TCP connections open at once, over all workers */
	unsigned tcp_per_client; /* of these, from one IPv4 address or one IPv6 /64 */
	double tcp_idle;         /* seconds without a whole query until a connection is closed */
	answer_conf_t answer;
} net_conf_t;

/* A NOTIFY on its way to the main loop, through the mailbox given to net_open(). One that passed
 * its zone's access list is never lost: at most one per zone is under way, and further ones are
 * part of it (zone_slot_mark_notified). Of those refused, for the log, a worker passes on 16 at
 * once and then ten a second. */
typedef struct net_notify {
	mail_t mail; /* first: the mailbox hands out this pointer */
	const zone_slot_t *slot;
	addr_t from;
	bool has_hint;
	uint32_t hint; /* the serial it mentions: a hint, never trusted (RFC 1996 3.8) */
	bool refused;
	const char *why; /* of a refused one, in words that live for ever */
} net_notify_t;

/* Read what n says, then call this, then act: a NOTIFY that comes after it is news again. Frees n;
 * also after net_free(). Main thread. */
void net_notify_done(net_notify_t *n);

/* Bind every address for every worker, so that a fault shows before anything starts.
 *   why     room for the reason with the address in it, for a start-up message.
 * Returns   ST_OK with *out; ST_SYSTEM, ST_NOMEM with why filled. Main thread; all pointers of
 *           conf are copied but the texts of conf->answer, which are borrowed. */
status_t net_open(const net_conf_t *conf, const zone_set_t *zones, epoch_t *epoch,
                  mailbox_t *notify, net_t **out, char why[256]);

/* Start the threads. Reader slot i of the epoch belongs to worker i. ST_SYSTEM: none runs. */
status_t net_start(net_t *net);

/* Has every worker's loop turned since this was called last? Main thread. */
bool net_beat(net_t *net);

/* The port that listen address i got (for port 0, the one that the kernel chose). */
uint16_t net_port(const net_t *net, size_t i);

/* Listen address i, with its port; NULL: there are no more. Main thread. */
const addr_t *net_listens_at(const net_t *net, size_t i);

/* Stop answering, close everything, join. Within a fraction of a second. Close the mailbox after
 * this: NOTIFYs may still be in it. NULL is fine. */
void net_free(net_t *net);

/* Sums over all workers; any thread, values of a moment ago. */
typedef struct net_totals {
	uint64_t queries, dropped, truncated, notifies;
	uint64_t rcode[16];
	uint64_t tcp_accepted, tcp_refused, tcp_open;
} net_totals_t;
void net_totals(const net_t *net, net_totals_t *out);
