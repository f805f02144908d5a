/* xfr/fetch.h - pull one zone from one primary, by AXFR or IXFR, and turn it into a version.
 *
 *     main loop                                 builder thread
 *     ask, read messages ---------- chunks --> verdict machine -> build or delta -> seal -> gates
 *     done(result)                <-- mail --- the verdict
 *
 * What came before the connection ended or a deadline passed is judged first: a zone whose closing
 * SOA is among it is whole.
 *
 * IXFR may be answered by differences, by the whole zone, or by "you have it" (RFC 1995 4). If a newer
 * SOA stands alone in the first message, XFR_SINGLE_SECONDS are given to what makes sense of it: some
 * primaries mean by it that they want AXFR, and say no more. What to do about a failure is the
 * caller's; two of them are none, and the same is to be asked again over another connection: the
 * primary closed behind the answer to another question, or it answers FORMERR to a query with OPT,
 * and is to be asked without (RFC 6891 7). */
#pragma once

#include <ev.h>

#include "common/pool.h"
#include "common/siphash.h"
#include "dns/name.h"
#include "xfr/digest.h"
#include "xfr/link.h"
#include "xfr/peer.h"
#include "xfr/work.h"

#define XFR_SINGLE_SECONDS 2.

/* What all fetches of a daemon share. */
typedef struct xfr_env {
	struct ev_loop *loop;
	xfr_builders_t builders;
} xfr_env_t;

/*   key           of the zone set.
 *   slab          for what there is of each zone: versions (zone_build_in()), and in refresh/.
 *   memory_most   octets that the records of all transfers under way may take until they are
 *                 sealed. The one that grows beyond fails, unless it is the largest of them or
 *                 below 1 MiB: so one always comes to its end, and a newcomer never costs what is
 *                 nearly there. */
void xfr_env_open(xfr_env_t *env, struct ev_loop *loop, pool_t *builders, const siphash_key_t *key,
                  slab_t *slab, uint64_t memory_most);
/* Another limit, from the next judgement on. */
void xfr_env_set_memory(xfr_env_t *env, uint64_t memory_most);
/* After every fetch was stopped or done, and then the builders were joined (pool_free). */
void xfr_env_close(xfr_env_t *env);

typedef struct xfr_fetch_spec {
	xfr_link_t *link;          /* to the primary; borrowed until done */
	xfr_deadlines_t deadlines; /* total, min_rate and its window */
	const dns_name_t *apex;
	zone_limits_t limits;
	zone_gates_t gates;
	uint64_t held; /* records of what is served: as zone_gates_judge() wants it */
	/* The version that is held: IXFR is asked for over it. To be alive until done or stopped; if
	 * it is freed after xfr_fetch_stop(), it goes when no builder looks at it any more. NULL:
	 * AXFR; so it is while a stopped fetch over the same version has not let go yet. */
	const zone_version_t *base;
	state_t *state;            /* versions are drafted for it; borrowed; NULL: they are not */
	bool plain;                /* without OPT: this primary would not hear of it */
	const dns_tsig_key_t *key; /* that question and answer are signed with; copied; or NULL */
	bool strict; /* each message of the answer must be signed, not every hundredth */
} xfr_fetch_spec_t;

typedef struct xfr_fetch xfr_fetch_t;

/* Version, draft and base are the callee's: see xfr/work.h. */
typedef void (*xfr_fetch_cb)(void *arg, xfr_result_t *result);

/* Start a transfer. spec is copied. done is called from the loop, exactly once unless stopped
 * before, never from within this call; the fetch frees itself after it. NULL: out of memory (done
 * is not called). One at a time for a zone. */
xfr_fetch_t *xfr_fetch_start(xfr_env_t *env, const xfr_fetch_spec_t *spec, xfr_fetch_cb done,
                             void *arg);

/* Octets that have come so far. */
uint64_t xfr_fetch_octets(const xfr_fetch_t *f);

/* Give up, at any moment but within done; done is not called. What a builder still holds is freed
 * when it lets go. The loop's thread; f is gone for the caller. */
void xfr_fetch_stop(xfr_fetch_t *f);
