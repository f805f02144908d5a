/* xfr/fetch.h - pull one zone from one primary by AXFR and turn it into a version.
 *
 *     main loop                                 builder thread
 *     connect, ask, read frames  --- chunks --> verdict machine -> build -> seal -> gates
 *     done(result)               <-- mailbox -- the verdict
 *
 * The main loop only copies bytes; everything that grows with the zone happens in the pool, its
 * freeing too. At most a MB or so of frames waits between the two: then the connection is paused.
 * What came before the connection ended or a deadline passed is judged first: a zone whose
 * closing SOA is among it is whole. */
#pragma once

#include <ev.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/mailbox.h"
#include "common/pool.h"
#include "common/siphash.h"
#include "common/status.h"
#include "dns/name.h"
#include "dns/soa.h"
#include "xfr/peer.h"
#include "zone/build.h"
#include "zone/check.h"
#include "zone/version.h"

/* What all fetches of a daemon share. Set up by main.c with xfr_env_open(). */
typedef struct xfr_env {
	struct ev_loop *loop;
	pool_t *builders;
	siphash_key_t key;  /* of the zone set */
	mailbox_t verdicts; /* builders -> main loop; owned by xfr/ */
} xfr_env_t;

void xfr_env_open(xfr_env_t *env, struct ev_loop *loop, pool_t *builders, const siphash_key_t *key);
/* After every fetch was stopped or done, and then the builders were joined (pool_free). */
void xfr_env_close(xfr_env_t *env);

typedef struct xfr_fetch_result {
	status_t status;         /* ST_OK: version is set and is the callee's to keep or free */
	zone_version_t *version; /* sealed and looked over; NULL unless ST_OK */
	/* Otherwise ST_SYSTEM or ST_SHORT: the connection failed or ended early; ST_TIMEOUT;
	 * ST_REFUSED: the primary's rcode; ST_LIMIT, ST_NOMEM, ST_MALFORMED: what it sent. */
	char why[256]; /* the reason in words unless ST_OK */
	dns_soa_t soa; /* of the version */
	zone_build_stats_t stats;
	zone_faults_t faults;
	uint64_t bytes, messages;
	double seconds; /* from start to verdict */
} xfr_fetch_result_t;

typedef struct xfr_fetch xfr_fetch_t;
typedef void (*xfr_fetch_cb)(void *arg, xfr_fetch_result_t *result);

/* Start a transfer. peer, deadlines, apex and limits are copied. done is called from the loop,
 * exactly once unless stopped before, never from within this call; the fetch frees itself after
 * it. NULL: out of memory (done is not called). */
xfr_fetch_t *xfr_fetch_start(xfr_env_t *env, const xfr_peer_t *peer,
                             const xfr_deadlines_t *deadlines, const dns_name_t *apex,
                             const zone_limits_t *limits, xfr_fetch_cb done, void *arg);

/* Give up; done is not called. What a builder still holds is freed when it lets go. The loop's
 * thread; f is gone for the caller. */
void xfr_fetch_stop(xfr_fetch_t *f);
