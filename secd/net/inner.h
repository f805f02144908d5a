/* net/inner.h - what the pieces of net/ that know all workers share. For net/ alone.
 *
 *     net.c      open, start, stop, sum up
 *     change.c   other settings, while they answer
 *     adopt.c    sockets that were passed to us */
#pragma once

#include "net/adopt.h"
#include "net/clients.h"
#include "net/net.h"
#include "net/worker.h"

/* Where we listen. */
typedef struct net_listener {
	addr_t asked, addr; /* as the settings have it; with the port that we have */
	int udp, tcp;       /* of the first worker: the group of its sockets is told by them */
} net_listener_t;

struct net {
	net_conf_t
		conf; /* of the start: its answer is borrowed by the workers until the first change */
	const net_conf_t *now; /* in force */
	worker_env_t env;
	epoch_t *epoch;
	net_listener_t *listeners;
	size_t listener_count;
	adopt_t adopted;
	worker_t *workers[NET_WORKERS_MAX];
	unsigned count;
	worker_t *leaving[NET_WORKERS_MAX]; /* until the last of them has left, nobody comes */
	unsigned leaving_count;
	bool used[NET_READERS]; /* slots of the epoch */
	net_totals_t past;      /* of workers that are gone */
	mailbox_t back;
	bool back_open, closing;
	unsigned asked; /* the last ticket of net_ask() */

	/* A change under way. */
	unsigned awaited;
	void (*done)(void *arg);
	void *done_arg;
};

/* A worker without sockets, which does not run yet. NULL: why. */
worker_t *net_new_worker(net_t *net, const net_conf_t *conf, char why[256]);
/* It does not run any more. */
void net_free_worker(net_t *net, worker_t *w);
/* A mailbox_cb: changes and workers come back. */
void net_came_back(void *net, mail_t *mail);

/* Bind addr for one worker; the port of 0 is chosen, and in addr then. ST_SYSTEM, errno. */
status_t net_bind(addr_t *addr, worker_pair_t *out);
