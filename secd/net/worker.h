/* net/worker.h - one thread that answers: its loop, its sockets, its reader slot. For net/ only.
 *
 *     prepare: offline --- block in epoll --- check: online --- net/udp, net/tcp --- prepare ...
 *
 * A worker is a reader of the epoch only while it works, so a quiet one holds no memory back.
 * All fields belong to the worker's thread from worker_start() on; the counters may be read by
 * anyone. */
#pragma once

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "answer/answer.h"
#include "common/addr.h"
#include "common/epoch.h"
#include "common/mailbox.h"
#include "common/status.h"
#include "net/clients.h"
#include "net/net.h"
#include "net/post.h"

struct udp;
struct tcp;

typedef struct worker_counters {
	/* Messages, whatever came of them: counted by the batch. */
	_Atomic uint64_t received[NET_TRANSPORTS][NET_FAMILIES];
	_Atomic uint64_t unsent; /* UDP answers that the kernel would not take */
	_Atomic uint64_t tcp_accepted, tcp_refused, tcp_open;
} worker_counters_t;

/* A bound socket of each kind. */
typedef struct worker_pair {
	int udp, tcp;
	bool lent; /* the UDP one: whoever passed it may still hold it, and pass it again */
	addr_t local;
} worker_pair_t;

/* What is to be different, on its way to a worker and back. */
typedef struct worker_change {
	mail_t mail; /* first: what the mailbox of the worker, and then that of the net, hands out */
	struct worker *worker;
	const answer_conf_t *answer; /* borrowed until the next change has come back */
	double tcp_idle;
	worker_pair_t *pairs; /* malloc'd; the sockets are the worker's when it comes back */
	size_t pair_count;
	addr_t *drops; /* malloc'd: local addresses */
	size_t drop_count;
	bool leave; /* take nothing new, finish what is there, and end: worker_ended() tells when */
} worker_change_t;

typedef struct worker {
	/* Written by the worker alone, read by net_totals(): lines of their own. */
	_Alignas(64) answer_counters_t answered;
	worker_counters_t counters;

	_Alignas(64) struct ev_loop *loop;
	answer_time_t now; /* of the last batch */
	ev_prepare before;
	ev_check after;
	ev_async stop, beat;
	_Atomic unsigned asked, turned; /* tickets: the last one given, the last one seen */
	epoch_reader_t *reader;
	answer_t *answer;
	post_t post;
	struct udp *udp;
	struct tcp *tcp;
	mailbox_t changes; /* from the main thread */
	mailbox_t *back;   /* borrowed: where they go when they are done, and, at the end, this: */
	mail_t ended;
	ev_timer leaving;
	unsigned left; /* steps of leaving that are done */
	unsigned slot; /* of the epoch: net/'s own */
	pthread_t thread;
	bool running;
} worker_t;

/* The counters' one writer: no lock prefix. */
static inline void worker_count(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, now + n, memory_order_relaxed);
}

/* The time of a batch, for its answers. Read from memory, but for one clock once a second. */
const answer_time_t *worker_now(worker_t *w);

/* What all workers share, borrowed for their lives. */
typedef struct worker_env {
	const zone_set_t *zones;
	mailbox_t *notify, *back;
	clients_t *clients;
} worker_env_t;

/* Make what a worker needs but its sockets; w is zeroed memory of the caller. answer is borrowed until a change
 * with another one has come back. ST_NOMEM, ST_SYSTEM (no loop); worker_close() is due in any case. */
status_t worker_open(worker_t *w, const worker_env_t *env, const answer_conf_t *answer,
                     double tcp_idle, epoch_reader_t *reader);

/* A socket of each kind, both or none. ST_SYSTEM with errno. */
status_t worker_bind(const addr_t *addr, worker_pair_t *out);

/* They are the worker's from here on, in any case. Before it starts. ST_NOMEM. */
status_t worker_listen(worker_t *w, const worker_pair_t *pair);

/* Let it change: comes back to env.back, done. Main thread. */
void worker_change(worker_t *w, worker_change_t *change);

/* Start the thread, with all signals blocked. ST_SYSTEM. */
status_t worker_start(worker_t *w);

/* Of a mail of env.back that is no change: the worker that has left, whose thread ends. */
worker_t *worker_ended(mail_t *mail);

/* Have its loop turn; has it, since this ticket was given? Main thread. */
void worker_ask(worker_t *w, unsigned ticket);
bool worker_answered(const worker_t *w, unsigned ticket);

/* Ask the thread to end, and wait until it has; both do nothing when none runs. */
void worker_stop(worker_t *w);
void worker_join(worker_t *w);

/* No thread runs: close everything. */
void worker_close(worker_t *w);
