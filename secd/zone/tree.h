/* zone/tree.h - names in canonical order: a persistent B+tree of references to nodes.
 *
 * Kept only where order is needed: over the names of a zone with NSEC, over the owners of NSEC3,
 * over names whose hashes are equal. The search stays in the tree: a page holds what the sort keys
 * of its entries have in common, once, and the eight octets that follow for each; a node is only
 * looked at where these are equal.
 *
 * A sort key is a name's labels from the right, each closed by a zero octet, with the octets 0 and
 * 1 written as 1,1 and 1,2: memcmp order is canonical order (RFC 4034 6.1).
 *
 * For zone/ alone. Searches: any thread. Changes: the arena's one writer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "zone/change.h"

/* Long enough for the key of any name: each octet escaped, each label closed. */
enum { ZONE_KEY_MAX = 2 * DNS_NAME_MAX };

typedef struct zone_key {
	size_t len;
	uint8_t octets[ZONE_KEY_MAX];
} zone_key_t;

void zone_key_of(const uint8_t *rel, unsigned rel_labels, zone_key_t *out);

/* The tree of count nodes that are in order already; *root is 0 for none. */
status_t zone_tree_build(zone_change_t *c, const zone_ref_t *refs, size_t count, zone_ref_t *root);

/* The last node at or before key; 0 when all come after it. */
zone_ref_t zone_tree_floor(const uint8_t *base, zone_ref_t root, const zone_key_t *key);
/* The same a page at a time: from the page at, first the root, to the page below it, and from a
 * leaf (true) to the node. 0: all come after key. */
bool zone_tree_step(const uint8_t *base, zone_ref_t *at, const zone_key_t *key);
/* Ask for the memory that a step from this page reads first. */
void zone_tree_prefetch(const uint8_t *base, zone_ref_t page);
zone_ref_t zone_tree_last(const uint8_t *base, zone_ref_t root); /* 0: the tree is empty */

/* Put ref at key, in place of the node that has this key if there is one; or, with ref 0, take
 * the node of this key out. ST_NOENT: nothing to take out; ST_NOMEM: the arena is full. */
status_t zone_tree_set(zone_change_t *c, zone_ref_t *root, const zone_key_t *key, zone_ref_t ref);

/* Every reference in order; returns how many. */
size_t zone_tree_all(const uint8_t *base, zone_ref_t root, zone_ref_t *out);

/* Give back the tree's own pages (not the nodes). */
status_t zone_tree_retire(zone_change_t *c, zone_ref_t root);
