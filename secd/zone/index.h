/* zone/index.h - names by hash: a persistent table that a version can share with the one before.
 *
 *     root page --(8 bits)--> page --(8 bits)--> bucket: tags, references
 *
 * A table is sized when it is built, at 8 to 16 names a bucket, and rebuilt when it has outgrown
 * that: so a lookup is a page or two that stay in the cache, one bucket, and the node. A change
 * copies the path to the bucket that it touches; what it has copied already it changes in place.
 * A tag is 16 bits of the hash, so a name that isn't there rarely costs a look at a node. Beyond a
 * million names some of them say what the bucket says already; of a hundred million, seven bits are
 * left.
 *
 * Names whose hashes pile up in one bucket (only a broken hash could do that) move to a tree in
 * order of names there, so that each still costs O(log n).
 *
 * For zone/ alone. Lookups: any thread. Changes: the arena's one writer. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "zone/change.h"

/* Names for a table: nodes, and as much of their hashes as a table needs. A build has one for each
 * name. */
typedef struct zone_named {
	uint32_t top; /* zone_named_top() of the hash */
	zone_ref_t ref;
} zone_named_t;

static inline uint32_t zone_named_top(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/* Make the table of count names, from huge_take(), whose content is lost. ST_NOMEM: the arena is full. */
status_t zone_index_build(zone_change_t *c, zone_named_t *named, size_t count, zone_index_t *out);

/* The node with this relative name, or NULL. */
const zone_node_t *zone_index_find(const uint8_t *base, const zone_index_t *x, uint64_t hash,
                                   const uint8_t *rel, size_t rel_len);

/* Four looks ahead of zone_index_find(), each a hint that needs the one before: the page, the
 * bucket, which node, the node itself. *at is where the one before has come: at last the node, or
 * another with its tag, or NULL. */
void zone_index_prefetch(const uint8_t *base, const zone_index_t *x, uint64_t hash, unsigned step,
                         const void **at);

/* Put ref under hash in place of was, or anew when was is 0; or take was out when ref is 0. The
 * node of ref is written already, that of was still readable.
 * Returns   ST_OK; ST_NOMEM: the arena is full, *x is as it was or has part of the path copied. */
status_t zone_index_set(zone_change_t *c, zone_index_t *x, uint64_t hash, zone_ref_t was,
                        zone_ref_t ref);

/* Give back the table's own pages (not the nodes). ST_NOMEM. */
status_t zone_index_retire(zone_change_t *c, const zone_index_t *x);

/* Has it outgrown its size, up or down? Then build anew. */
bool zone_index_unfit(const zone_index_t *x);

/* Every reference, in no order: out has room for x->names. Returns how many. */
size_t zone_index_all(const uint8_t *base, const zone_index_t *x, zone_ref_t *out);
