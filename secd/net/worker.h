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
#include "common/status.h"
#include "net/clients.h"
#include "net/net.h"
#include "net/post.h"

struct udp;
struct tcp;

typedef struct worker_counters {
	_Atomic uint64_t unsent; /* UDP answers that the kernel would not take */
	_Atomic uint64_t tcp_accepted, tcp_refused, tcp_open;
} worker_counters_t;

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

/* Make what a worker needs but its sockets; w is zeroed memory of the caller. The arguments are
 * those of net_open(); conf is borrowed for its life. ST_NOMEM, ST_SYSTEM (no loop); worker_close() is due in any case. */
status_t worker_open(worker_t *w, const net_conf_t *conf, const zone_set_t *zones,
                     epoch_reader_t *reader, mailbox_t *notify, clients_t *clients);

/* A socket of each kind for one listening address, both or none. ST_SYSTEM with errno. */
status_t worker_listen(worker_t *w, const addr_t *addr);

/* Start the thread, with all signals blocked. ST_SYSTEM. */
status_t worker_start(worker_t *w);

/* Have its loop turn; has it, since this ticket was given? Main thread. */
void worker_ask(worker_t *w, unsigned ticket);
bool worker_answered(const worker_t *w, unsigned ticket);

/* Ask the thread to end, and wait until it has; both do nothing when none runs. */
void worker_stop(worker_t *w);
void worker_join(worker_t *w);

/* No thread runs: close everything. */
void worker_close(worker_t *w);
