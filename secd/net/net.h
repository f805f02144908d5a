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
#include "common/passed.h"
#include "common/status.h"
#include "zone/set.h"

typedef struct net net_t;

enum {
	NET_WORKERS_MAX = 256,
	NET_READERS = 320, /* slots of the epoch that it uses: workers, and those that leave */
};

typedef struct net_conf {
	const addr_t *listen; /* addresses and ports; an any-address works too */
	size_t listens;
	const passed_t *
		passed; /* sockets for these that are there, of which net_open() takes what it can use; NULL: none */
	unsigned workers;        /* at least 1, up to NET_WORKERS_MAX */
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

/* Bind every address for every worker, so that a fault shows before anything starts; what was passed is used as it is.
 *   why     room for the reason with the address in it, for a start-up message.
 * Returns   ST_OK with *out; ST_SYSTEM, ST_REFUSED, ST_NOMEM with why filled. Main thread; conf is copied, but what
 *           its answer points to is borrowed until net_change() is done. epoch has NET_READERS readers. */
status_t net_open(const net_conf_t *conf, const zone_set_t *zones, epoch_t *epoch,
                  mailbox_t *notify, net_t **out, char why[256]);

/* Start the threads. ST_SYSTEM: none runs. */
status_t net_start(net_t *net);

/* Ask every worker to turn its loop; returns a ticket. Has every worker since? Any number may ask, and of each
 * ticket it is told, in any order, until 2^31 others were given; ticket 0 is answered. Main thread. */
unsigned net_ask(net_t *net);
bool net_answered(const net_t *net, unsigned ticket);

/* --- other settings, while they answer ------------------------------------------------------------ */

/* New addresses are bound, old ones closed, workers come and go, and no query is lost by it but those to an address
 * that is not ours any more: what is on its way to a worker that leaves is answered by it, and the kernel sends it
 * nothing new; its connections have a minute. Main thread. */
typedef struct net_change net_change_t;

/* What can fail. NULL: why; nothing has changed. next is borrowed until the change after it is done. */
net_change_t *net_prepare(net_t *net, const net_conf_t *next, char why[256]);
/* Not after all. NULL is fine. */
void net_drop(net_change_t *c);
/* In force. done(arg) is called when no worker knows anything of the settings before any more, or of what was
 * taken out of the set before this call; not after net_free(). One at a time.
 *   why   a part could not be had (fewer workers); else empty. */
void net_change(net_change_t *c, void (*done)(void *arg), void *arg, char why[256]);

/* The port that listen address i got (for port 0, the one that the kernel chose). */
uint16_t net_port(const net_t *net, size_t i);

/* How many there are, without those that leave. */
unsigned net_workers(const net_t *net);
/* Listen address i, with its port; NULL: there are no more. Main thread. */
const addr_t *net_listens_at(const net_t *net, size_t i);

/* Stop answering, close everything, join. Within a fraction of a second. Close the mailbox after
 * this: NOTIFYs may still be in it. NULL is fine. */
void net_free(net_t *net);

typedef enum net_transport { NET_UDP, NET_TCP, NET_TRANSPORTS } net_transport_t;
typedef enum net_family { NET_IPV4, NET_IPV6, NET_FAMILIES } net_family_t;

/* Sums over all workers; any thread, values of a moment ago. */
typedef struct net_totals {
	uint64_t queries; /* messages that came: the sum of the next */
	uint64_t received[NET_TRANSPORTS][NET_FAMILIES];
	uint64_t dropped; /* of these, without an answer */
	uint64_t unsent;  /* answers by UDP that the kernel would not take */
	uint64_t truncated;
	uint64_t notifies, notifies_refused; /* by who may send NOTIFY, and by who may not */
	uint64_t rcode[ANSWER_RCODES];
	uint64_t type[ANSWER_TYPES];
	uint64_t tcp_accepted, tcp_refused, tcp_open;
} net_totals_t;
void net_totals(const net_t *net, net_totals_t *out);
