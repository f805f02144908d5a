/* zone/expiry.h - how many signatures run out when: so that the first of them is known of each
 * version, and a difference keeps that up without a look at the whole zone. For zone/ alone;
 * zone_version_expiry() of zone/version.h reads it.
 *
 * A table of units of 1,024 s in which signatures run out, with their number, in the order of RFC 1982
 * around the first one that was seen. It lies in a block of the arena: 8 octets, and 8 for each unit;
 * none in a zone that isn't signed. Most zones have a few units, since they are signed in one go. A
 * table that has grown to 2,048 (24 days of signatures that run out at all times) is cut: the last
 * unit stands for all behind it. When a difference has used up all before that one, and only then,
 * the zone is counted anew. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "zone/change.h"
#include "zone/layout.h"

enum { ZONE_EXPIRY_SHIFT = 10, ZONE_EXPIRY_UNITS_MAX = 2048 };

typedef struct zone_expiry_unit {
	uint32_t at;    /* units behind the origin */
	uint32_t count; /* signatures */
} zone_expiry_unit_t;

/* As it lies in an arena. */
typedef struct zone_expiry_table {
	uint32_t origin; /* a unit, 68 years before the first signature that was seen */
	uint16_t count;  /* of units, at least one */
	uint16_t cut;    /* 1: the last one stands for all behind it as well */
	zone_expiry_unit_t unit[];
} zone_expiry_table_t;

/* One that is being made or changed. Begins as zeros, or by zone_expiry_load(). */
typedef struct zone_expiry {
	zone_expiry_unit_t *unit;
	size_t count, room,
		last; /* last: the unit of the signature before, likely the next one's */
	uint32_t origin;
	bool cut, changed, lost; /* lost: it doesn't know its first unit any more */
} zone_expiry_t;

/* What the version whose blocks are at base has in ref, which may be 0. ST_NOMEM. */
status_t zone_expiry_load(zone_expiry_t *e, const uint8_t *base, zone_ref_t ref);
void zone_expiry_free(zone_expiry_t *e); /* leaves zeros */

/* The signatures of a node have come, or gone. ST_NOMEM. */
status_t zone_expiry_add(zone_expiry_t *e, const zone_node_t *node);
void zone_expiry_remove(zone_expiry_t *e, const zone_node_t *node);

/* Must all nodes be counted anew? Then begin with an empty table: zone_expiry_restart(). */
bool zone_expiry_lost(const zone_expiry_t *e);
void zone_expiry_restart(zone_expiry_t *e);

/* Put the table into a block of c in place of *ref, unless nothing has changed. ST_NOMEM. */
status_t zone_expiry_store(zone_expiry_t *e, zone_change_t *c, zone_ref_t *ref);
