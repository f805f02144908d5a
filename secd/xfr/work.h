/* xfr/work.h - one transfer from its messages to a version: what a builder does of it.
 *
 *     AXFR        messages -> xfr/axfr.h -> build -> seal -> look over
 *     IXFR        messages -> xfr/ixfr.h -> build or delta -> seal -> look over
 *
 * No sockets, no loop, no queue; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/siphash.h"
#include "dns/name.h"
#include "dns/soa.h"
#include "dns/tsig.h"
#include "state/state.h"
#include "xfr/ixfr.h"
#include "xfr/link.h"
#include "xfr/stream.h"
#include "xfr/why.h"
#include "zone/build.h"
#include "zone/gates.h"
#include "zone/version.h"

typedef enum xfr_outcome {
	XFR_FAILED,     /* why and detail say what for */
	XFR_AXFR,       /* version: the whole zone, which AXFR was asked for */
	XFR_WHOLE,      /* version: the whole zone in answer to IXFR */
	XFR_DIFFERENCE, /* version: made over base, and to be published over it */
	XFR_CURRENT,    /* IXFR: soa is not newer than ours; the caller judges what it is */
} xfr_outcome_t;

typedef struct xfr_result {
	xfr_outcome_t outcome;
	zone_version_t *version; /* sealed and looked over; NULL unless the outcome has one */
	state_draft_t *draft; /* ... as the state will keep it; NULL: it is not to, or no memory */
	/* XFR_DIFFERENCE: what version was made over, claimed: zone_version_unclaim() it when that was
	 * published or freed. */
	const zone_version_t *base;
	xfr_why_t why; /* XFR_FAILED */
	char detail[XFR_DETAIL_MAX];
	dns_soa_t soa; /* the primary's, unless XFR_FAILED */
	zone_build_stats_t stats;
	zone_verdict_t verdict;   /* once a version was sealed */
	uint8_t advice;           /* of a version: zone_advice_of() */
	xfr_ixfr_counts_t counts; /* of differences */
	bool has_expire; /* an answer said how long the primary's own copy lasts (RFC 7314) */
	uint32_t expire; /* seconds */

	/* Of the connection; xfr/fetch.h sets them. */
	bool plain;        /* the primary would not hear of OPT */
	bool again;        /* nothing has failed: ask again over another connection */
	xfr_ask_end_t end; /* how this one ended, if it has */
	uint64_t bytes, messages;
	double seconds; /* from start to verdict */
} xfr_result_t;

typedef struct xfr_work_spec {
	const siphash_key_t *key; /* of the zone set */
	slab_t *slab;             /* for the version: zone_build_in() */
	dns_name_t apex;          /* folded */
	uint16_t id;              /* of the question */
	zone_limits_t limits;
	zone_gates_t gates;
	uint64_t held;              /* records: as zone_gates_judge() wants it */
	const zone_version_t *base; /* NULL: AXFR was asked for; else IXFR over it; borrowed */
	state_t *state;             /* NULL: versions are not to be saved; borrowed */
	bool has_tsig;
	/* has_tsig: the answer must be signed so; from the request's MAC. The key is here, too: it may be gone
	 * from the settings before the answer has come. */
	dns_tsig_key_t tsig_key;
	dns_tsig_stream_t tsig;
} xfr_work_spec_t;

typedef struct xfr_work xfr_work_t;

/* spec is borrowed; its tsig goes by its tsig_key. NULL: out of memory. */
xfr_work_t *xfr_work_new(const xfr_work_spec_t *spec);
void xfr_work_free(xfr_work_t *w); /* NULL is fine */

/* Feed the next message, which came when came says: TSIG wants to know. After XFR_DONE or XFR_BAD no more may be fed. */
xfr_verdict_t xfr_work_feed(xfr_work_t *w, const uint8_t *msg, size_t len, wall_t came);

/* Nothing but a newer SOA has come of IXFR: what comes next tells what it means, if it comes soon. */
bool xfr_work_undetermined(const xfr_work_t *w);

/* Memory that is held by what was fed. */
size_t xfr_work_memory(const xfr_work_t *w);

/* After XFR_DONE or XFR_BAD: seal, look over as of now, fill the result in, whose version and draft are
 * the caller's. Its base is not set. */
void xfr_work_finish(xfr_work_t *w, wall_t now, xfr_result_t *out);

/* After XFR_MORE, when no more will come: why that is a failure; ended has the end's own reason. */
void xfr_work_end(const xfr_work_t *w, xfr_why_t *ended);
