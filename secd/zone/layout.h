/* zone/layout.h - how a version lies in memory. For zone/ alone.
 *
 *     blocks   node node node ...     each 8-aligned, named by a 32-bit reference: offset / 8
 *     table    open addressing, linear probing: tag (hash's upper half) << 32 | reference
 *     order    references of all names in canonical order
 *     denial   references of the owners of NSEC3, in canonical order
 *
 *     node     head, name left of the apex, RRset, RRset, ...
 *     RRset    head, records' wire, RRSIGs' wire, offsets of the pointers in RDATA
 *
 * References ascend in both orders, since blocks are written in that order; zone_version_next()
 * relies on it. Reference 0 is never a node's. */
#pragma once

#include <stdint.h>

#include "common/epoch.h"
#include "common/siphash.h"
#include "dns/name.h"
#include "dns/soa.h"
#include "zone/version.h"

enum { ZONE_UNIT = 8 };

struct zone_version {
	epoch_node_t retired;
	siphash_key_t key;
	uint8_t *blocks;
	uint64_t *table;
	uint32_t *order;
	uint32_t *denial;
	uint32_t mask; /* of the table: its size - 1 */
	uint32_t names, denials;
	dns_soa_t soa;
	uint64_t records;
	size_t bytes; /* all that is allocated */
	uint8_t apex_len, apex_labels;
	bool one_piece; /* all arrays lie behind this struct, in one allocation */
	uint8_t apex[]; /* apex_len octets */
};

struct zone_node {
	uint16_t flags;
	uint16_t rrsets;
	uint8_t rel_len; /* octets of the name left of the apex */
	uint8_t rel_labels;
	uint8_t name[]; /* rel_len octets; then, 4-aligned, the RRsets */
};

typedef struct zone_rrset_head {
	uint16_t type, count, sig_count, fixes;
	uint32_t wire_len, sig_len;
} zone_rrset_head_t;

static inline size_t zone_align(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static inline const zone_node_t *zone_node_at(const zone_version_t *v, uint32_t ref)
{
	return (const zone_node_t *)(const void *)(v->blocks + (size_t)ref * ZONE_UNIT);
}

static inline size_t zone_rrsets_at(const zone_node_t *node)
{
	return zone_align(sizeof *node + node->rel_len, 4);
}

/* Octets of one RRset with its head, 4-aligned. */
static inline size_t zone_rrset_size(const zone_rrset_head_t *h)
{
	size_t fix_at = zone_align(sizeof *h + h->wire_len + h->sig_len, 2);

	return zone_align(fix_at + 2u * h->fixes, 4);
}

/* Canonical order of two names given by what stands left of the apex: <0, 0, >0. */
int zone_rel_cmp(const uint8_t *a, unsigned a_labels, const uint8_t *b, unsigned b_labels);
