/* xfr/digest.h - messages from the loop to a builder, and the builder's verdict back.
 *
 *     loop                                       builder
 *     xfr_digest_take, xfr_digest_push  -- chunks -->  xfr/work.h
 *     on_verdict, on_room, on_single    <-- mail  ---
 *
 * The loop only copies octets; everything that grows with the zone happens in the pool, its freeing
 * too. A few MB of messages wait between the two, then the loop is told to stop reading. What came
 * before the end is judged first.
 *
 * For xfr/fetch.c alone. All calls are the loop's, and so are the callbacks, which come from the
 * mailbox and never from within a call. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mailbox.h"
#include "common/pool.h"
#include "common/siphash.h"
#include "common/status.h"
#include "xfr/work.h"

/* What all digests of a daemon share. */
typedef struct xfr_builders {
	pool_t *pool;
	siphash_key_t key; /* of the zone set */
	slab_t *slab;      /* for what there is of each zone */
	mailbox_t mail;    /* builders -> loop */
	/* Octets that the records of all transfers under way may take, and take. One that grows
	 * beyond is refused, unless it is the largest or small. */
	_Atomic uint64_t memory_most;
	pthread_mutex_t mutex; /* of what follows */
	uint64_t memory;
	struct xfr_digest *largest; /* NULL: none since that was done */
} xfr_builders_t;

void xfr_builders_open(xfr_builders_t *b, struct ev_loop *loop, pool_t *pool,
                       const siphash_key_t *key, slab_t *slab, uint64_t memory_most);
/* After every digest was let go and the builders were joined. */
void xfr_builders_close(xfr_builders_t *b);

typedef struct xfr_digest_calls {
	/* Once; version, draft and base are the callee's: see xfr/work.h. */
	void (*on_verdict)(void *arg, xfr_result_t *result);
	void (*on_room)(void *arg);   /* after a push that said stop: read on */
	void (*on_single)(void *arg); /* xfr_work_undetermined(), at most once */
} xfr_digest_calls_t;

typedef struct xfr_digest xfr_digest_t;

/* A digest of the answer to the question with spec's id. calls is borrowed, spec copied. spec->base,
 * if any, was claimed (zone_version_claim) by the caller; the claim is the digest's from here on, and
 * given up when no builder can look at it any more. NULL: out of memory, and the claim is the
 * caller's still. */
xfr_digest_t *xfr_digest_new(xfr_builders_t *b, const xfr_work_spec_t *spec,
                             const xfr_digest_calls_t *calls, void *arg);

/* Take a message, which is copied. *full: stop reading until on_room. ST_NOMEM. */
status_t xfr_digest_take(xfr_digest_t *d, const uint8_t *msg, size_t len, bool *full);

/* Hand what was taken to a builder, now. True: stop reading until on_room. */
bool xfr_digest_push(xfr_digest_t *d);

/* No more messages will come, as why tells. True: the verdict will come nevertheless. False: there was
 * nothing left to judge, and it failed for what why now says; on_verdict doesn't come. */
bool xfr_digest_end(xfr_digest_t *d, xfr_why_t *why);

/* Let go: no callback follows, and a builder frees what there is. NULL is fine. */
void xfr_digest_drop(xfr_digest_t *d);
