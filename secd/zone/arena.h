/* zone/arena.h - blocks named by 32-bit references, in one range that grows and never moves.
 *
 * A reference counts units of 8 octets from the base, so it takes half the room of a pointer and
 * reaches 32 GiB. Address space is reserved once and memory committed as it is needed; what is
 * given back waits in lists by size and is used again.
 *
 * One writer at a time takes and gives; any number of readers follow references to blocks that
 * were finished before they could find them. Versions that share an arena hold it; the last one
 * frees it. For zone/ alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

enum { ZONE_UNIT = 8 };

typedef uint32_t zone_ref_t; /* 0: none */

/* A block that a change took or replaced. */
typedef struct zone_block {
	zone_ref_t ref;
	uint32_t units;
} zone_block_t;

/* A growing list of them. */
typedef struct zone_blocks {
	zone_block_t *block;
	size_t count, room;
} zone_blocks_t;

typedef struct zone_arena zone_arena_t;

/* An arena that may grow to reserve octets (at most 32 GiB), held once. NULL: no address space. */
zone_arena_t *zone_arena_new(size_t reserve);

/* The same for content of which an estimate says that it needs so much with room to spare: a small
 * one takes that; a larger one gets all the address space that there is, and is trimmed when its
 * content is known. NULL: no memory, or no address space. */
zone_arena_t *zone_arena_for(uint64_t estimate);

/* Make it as if it was new, for content of that estimate. False: it is no small one, too small for that, or somebody
 * else holds it, too; it is as it was. */
bool zone_arena_again(zone_arena_t *a, uint64_t estimate);

/* Let go of address space beyond reserve octets, as far as nothing is there yet. The writer. */
void zone_arena_trim(zone_arena_t *a, uint64_t reserve);

/* A small arena that was full gets room for so many octets more, and moves: as long as its writer
 * alone knows where it is. False: it is no small one, or there is no memory; it is as it was. */
bool zone_arena_widen(zone_arena_t *a, size_t octets);

void zone_arena_hold(zone_arena_t *a); /* any thread */
void zone_arena_drop(zone_arena_t *a); /* any thread; NULL is fine */

/* Hold it, and all that is in it now: what is returned until zone_arena_unpin() stays as it is, since
 * who pinned it may still read it. The thread that frees versions, or before it can free one. */
void zone_arena_pin(zone_arena_t *a);
void zone_arena_unpin(zone_arena_t *a); /* any thread; may free it */

/* Where reference 0 would be; constant for the arena's life, but for zone_arena_widen(). */
uint8_t *zone_arena_base(const zone_arena_t *a);

/* A block of this many octets, 8-aligned, its content undefined; 0 when the arena is full. */
zone_ref_t zone_arena_take(zone_arena_t *a, size_t octets);

/* Give a block back that no reader can reach. octets as it was taken. */
void zone_arena_give(zone_arena_t *a, zone_ref_t ref, size_t octets);

/* Hand over blocks that a version held alone, from any thread: the writer finds them when it
 * calls zone_arena_collect() before its next change; while the arena is pinned it finds none. Takes
 * what list points to, and leaves an empty list. */
void zone_arena_return(zone_arena_t *a, zone_blocks_t *list);
void zone_arena_collect(zone_arena_t *a);

/* Octets committed (the most ever used): the writer; and of these, in blocks now: any thread. */
size_t zone_arena_used(const zone_arena_t *a);
size_t zone_arena_live(const zone_arena_t *a);

/* A number for each change of the arena's content, by which its writer knows its own blocks. */
uint32_t zone_arena_next_change(zone_arena_t *a);

status_t zone_blocks_add(zone_blocks_t *list, zone_ref_t ref, size_t octets);
void zone_blocks_free(zone_blocks_t *list);

static inline size_t zone_units(size_t octets)
{
	return (octets + ZONE_UNIT - 1) / ZONE_UNIT;
}
