/* zone/change.h - one writer's change of an arena: what it took, what it replaced.
 *
 * Pages of the index and the trees carry the number of the change that made them, so a change
 * knows its own and alters them in place; all others it copies first. When the change becomes a
 * version, what it replaced is retired with the version before; when it is given up, what it took
 * goes back. For zone/ alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "zone/arena.h"
#include "zone/layout.h"

typedef struct zone_change {
	zone_arena_t *arena;
	uint8_t *base;
	uint32_t number;
	bool bulk; /* a first build: nothing is shared, nothing needs remembering */
	zone_blocks_t taken, replaced;
	zone_blocks_t spare; /* taken and replaced again: they belong to both lists in the end */
} zone_change_t;

/* Begin: bulk for a build into an arena of its own, which may move as it takes blocks: pointers
 * into it don't hold beyond that. */
void zone_change_begin(zone_change_t *c, zone_arena_t *arena, bool bulk);

/* A new block, whose reference is remembered. 0: the arena is full, or there is no memory. */
zone_ref_t zone_change_take(zone_change_t *c, size_t octets);

/* A block that the next version no longer needs. own: this change took it itself, as the number
 * in it says (nodes have none; they are written once in a change, never twice). */
status_t zone_change_replace(zone_change_t *c, zone_ref_t ref, size_t octets, bool own);

/* Give up: everything taken goes back. */
void zone_change_abort(zone_change_t *c);

/* Done: what is to go back to the arena if the change is never published (*taken), and what is to
 * go back once it is and no reader can see it any more (*replaced), are the caller's. ST_NOMEM: not
 * done, and to be aborted. */
status_t zone_change_commit(zone_change_t *c, zone_blocks_t *taken, zone_blocks_t *replaced);

static inline void *zone_change_at(const zone_change_t *c, zone_ref_t ref)
{
	return c->base + (size_t)ref * ZONE_UNIT;
}
