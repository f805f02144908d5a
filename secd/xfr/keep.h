/* xfr/keep.h - a version as the state keeps it (state/state.h), and back.
 *
 *     transfer  -> version -> xfr_keep_whole, xfr_keep_delta -> a draft -> state_save
 *     a start   -> state_read -> xfr_keep_load: the same reader of records, the same gates -> version
 *
 * Any thread; what fails is a code, as for a transfer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/siphash.h"
#include "state/state.h"
#include "xfr/why.h"
#include "zone/build.h"
#include "zone/delta.h"
#include "zone/gates.h"
#include "zone/version.h"

/* All of v, which nobody frees meanwhile. NULL: no memory. */
state_draft_t *xfr_keep_whole(state_t *state, const zone_version_t *v);

/* The difference d, which has made v; all of v where that is less. NULL: no memory. */
state_draft_t *xfr_keep_delta(state_t *state, const zone_delta_t *d, const zone_version_t *v);

/* What a thread needs to load zones one after the other: memory that is not had anew for each. All are of one
 * zone set, and of one thread. Versions get theirs from slab, as zone_build_in() has it. NULL: no memory. */
typedef struct xfr_keep_room xfr_keep_room_t;
xfr_keep_room_t *xfr_keep_room_new(slab_t *slab);
void xfr_keep_room_free(xfr_keep_room_t *r); /* NULL is fine */

typedef struct xfr_keep_spec {
	const state_t *state; /* what is newest of this zone there; or */
	const state_zone_t *zone;
	const state_route_t *route; /* ... not NULL: what this leads to */
	xfr_keep_room_t *room;      /* of a thread that loads many; NULL: one is made */
	const siphash_key_t *key;   /* of the zone set */
	const uint8_t *apex;        /* wire, folded */
	zone_limits_t limits;
	zone_gates_t gates;    /* of a version that an operator has accepted or pinned: */
	zone_gates_t accepted; /* these */
	wall_t now;
} xfr_keep_spec_t;

typedef struct xfr_kept {
	zone_version_t *version; /* the caller's; NULL: why */
	xfr_why_t why;
	uint8_t *clocks; /* of a version: state/clocks.h; the caller's, to be freed */
	size_t clocks_len;
} xfr_kept_t;

/* Make a version of what the state has of the zone, and look it over. */
void xfr_keep_load(const xfr_keep_spec_t *spec, xfr_kept_t *out);
