/* common/epoch.h - grace periods: when may what readers could still see be freed?
 *
 *     writer                                   reader (a worker)
 *     swap the pointer                         epoch_online
 *     epoch_retire(old)                        look ... quiescent ... look ... quiescent
 *     epoch_reclaim() now and then             epoch_offline, block in the kernel, epoch_online
 *
 * Quiescent-state based, on C11 atomics alone. liburcu's barriers are inline assembly that
 * ThreadSanitizer cannot see, so its reports on our swap would prove nothing; these can be
 * checked. A reader is one cache line that only it writes; a quiescent state is one load and
 * one store, no barrier on x86 beyond the store's own.
 *
 * A reader that never reaches a quiescent state holds memory back, never anyone's progress. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

typedef struct epoch epoch_t;

typedef struct epoch_reader {
	_Alignas(64) _Atomic uint64_t seen; /* 0: offline, holds nothing */
	_Atomic uint64_t *now;
} epoch_reader_t;

/* What waits for its grace period: embedded in the retired object. */
typedef struct epoch_node {
	struct epoch_node *next;
	uint64_t born;
	void (*release)(struct epoch_node *node);
} epoch_node_t;

/* An epoch with room for this many readers. NULL: no memory. Main thread. */
epoch_t *epoch_new(size_t readers);
void epoch_free(epoch_t *e); /* all readers are gone; releases all that is retired */

/* Reader slot i (0..readers-1), offline. The slot lives as long as the epoch. */
epoch_reader_t *epoch_reader(epoch_t *e, size_t i);

/* Reader side: its own thread only. Between online and offline it may follow shared
 * pointers; what it found is valid until its next quiescent or offline. */
static inline void epoch_online(epoch_reader_t *r)
{
	/* Sequentially consistent, so that the store is seen before any pointer is read. */
	atomic_store(&r->seen, atomic_load(r->now));
}

static inline void epoch_quiescent(epoch_reader_t *r)
{
	uint64_t now = atomic_load_explicit(r->now, memory_order_acquire);

	/* Nothing retired since last time: nobody waits for us, so leave the line alone. */
	if (now != atomic_load_explicit(&r->seen, memory_order_relaxed))
		atomic_store(&r->seen, now);
}

static inline void epoch_offline(epoch_reader_t *r)
{
	atomic_store_explicit(&r->seen, 0, memory_order_release);
}

/* Writer side: one thread. The object can no longer be reached by new readers;
 * node->release(node) is called by a later epoch_reclaim() once no reader can hold it. */
void epoch_retire(epoch_t *e, epoch_node_t *node, void (*release)(epoch_node_t *node));

/* Release what has outlived its readers; never waits. Returns how many still wait. */
size_t epoch_reclaim(epoch_t *e);

/* The same; but first(arg) is called when it is settled what can be released, and before it is: what readers
 * have sent of it until they let go is there by then. */
size_t epoch_reclaim_after(epoch_t *e, void (*first)(void *arg), void *arg);
