/* zone/layout.h - how a version lies in memory. For zone/ alone.
 *
 *     version -> index -> buckets -> nodes      every name, by hash (zone/index.h)
 *             -> names tree -> nodes            owners of NSEC in order, while the apex is one
 *             -> denial tree -> nodes           owners of NSEC3, which are no names of the zone
 *
 *     node     head, name left of the apex, children (if any), hashes (in a zone with NSEC3),
 *              RRset, RRset, ...
 *     RRset    head, records' wire, RRSIGs' wire, offsets of the pointers in RDATA
 *
 * Everything but the version lies in blocks of an arena, named by 32-bit references from its base;
 * several versions share an arena, and most of its blocks. The blocks of a small zone lie right
 * behind its version, in one allocation, without an arena.
 *
 * A node says what follows from its own name and RRsets, and how many names are right below it;
 * nothing that it would inherit from above. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "common/epoch.h"
#include "common/siphash.h"
#include "common/slab.h"
#include "dns/name.h"
#include "dns/nsec3.h"
#include "dns/soa.h"
#include "zone/arena.h"
#include "zone/version.h"

/* Flags of a node that are zone/'s own. */
enum {
	ZONE_NODE_PARENT = 256, /* it has names below, and their number in it */
	/* The hash of its name (RFC 5155 5) is in it; of a parent, that of *.name as well. */
	ZONE_NODE_HASHED = 512,
};

typedef struct zone_index {
	zone_ref_t root;
	uint32_t names;
	uint8_t bits;  /* of the hash, from the top, that choose the bucket */
	uint8_t ahead; /* octets before a node that are read with it: of a slot of zone/set.c */
} zone_index_t;

/* Where a version begins. */
typedef struct zone_root {
	uint64_t octets; /* of the records' wire form: what max-size is held against */
	zone_index_t index;
	zone_ref_t apex;
	zone_ref_t names, denial; /* trees; 0: not kept, empty */
	uint32_t denials;         /* owners of NSEC3 */
	uint32_t param_at;        /* RDATA of the NSEC3PARAM that counts, in octets from the apex's
	                           * node; 0: none */
	/* In its chain: what matches the apex, what covers or matches *.apex. 0: nothing does. */
	zone_ref_t apex_nsec3, wild_nsec3;
	uint64_t records;
	dns_soa_t soa;
	zone_ref_t expiry; /* zone/expiry.h; 0: no signatures */
} zone_root_t;

/* Who still needs a version beside its readers. */
enum { ZONE_CLAIMED = 1, ZONE_FREED = 2 };

/* Until a version is published: what goes back if it never is, and what it replaced in the version it
 * was made over. Afterwards: what the next one replaced, which goes with this one. */
typedef struct zone_debts {
	zone_blocks_t taken, replaced;
} zone_debts_t;

struct zone_version {
	epoch_node_t retired;
	siphash_key_t key;
	const uint8_t *base;
	zone_arena_t *arena; /* NULL: the blocks lie behind this struct */
	zone_root_t root;
	zone_debts_t *debts;    /* NULL: it is in one piece, or never published */
	slab_t *slab;           /* it lies there; NULL: malloc's */
	uint32_t bytes;         /* of a version in one piece; else 0 */
	_Atomic uint8_t claims; /* ZONE_CLAIMED: as a base; ZONE_FREED: and goes with the claim */
	uint8_t apex_len, apex_labels;
	uint8_t apex[]; /* apex_len octets */
};
/* Each query reads it, of another zone each time. */
_Static_assert(sizeof(struct zone_version) <= 160, "three lines of the cache");

struct zone_node {
	uint16_t flags;
	uint16_t rrsets;
	uint8_t rel_len; /* octets of the name left of the apex */
	uint8_t rel_labels;
	uint8_t name[]; /* rel_len octets; then, 4-aligned, children, hashes, and the RRsets */
};

typedef struct zone_rrset_head {
	uint16_t type, count, sig_count, fixes;
	uint32_t wire_len, sig_len;
} zone_rrset_head_t;

static inline size_t zone_align(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

/* Octets of the struct with its apex; the blocks of a version in one piece follow. */
static inline size_t zone_version_head(size_t apex_len)
{
	return zone_align(sizeof(zone_version_t) + apex_len, ZONE_UNIT);
}

static inline const zone_node_t *zone_node_at(const zone_version_t *v, zone_ref_t ref)
{
	return (const zone_node_t *)(const void *)(v->base + (size_t)ref * ZONE_UNIT);
}

static inline size_t zone_children_at(const zone_node_t *node)
{
	return zone_align(sizeof *node + node->rel_len, 4);
}

static inline size_t zone_hashes_at(const zone_node_t *node)
{
	return zone_children_at(node) + (node->flags & ZONE_NODE_PARENT ? sizeof(uint32_t) : 0);
}

/* Octets of the hashes of a node with these flags. */
static inline size_t zone_hashes_len(unsigned flags)
{
	if (!(flags & ZONE_NODE_HASHED))
		return 0;
	return flags & ZONE_NODE_PARENT ? 2 * DNS_NSEC3_HASH_LEN : DNS_NSEC3_HASH_LEN;
}

static inline size_t zone_rrsets_at(const zone_node_t *node)
{
	return zone_hashes_at(node) + zone_hashes_len(node->flags);
}

/* Names right below the node. */
static inline uint32_t zone_node_children(const zone_node_t *node)
{
	const void *at = (const uint8_t *)node + zone_children_at(node);

	return node->flags & ZONE_NODE_PARENT ? *(const uint32_t *)at : 0;
}

/* Octets of one RRset with its head, 4-aligned. */
static inline size_t zone_rrset_size(const zone_rrset_head_t *h)
{
	size_t fix_at = zone_align(sizeof *h + h->wire_len + h->sig_len, 2);

	return zone_align(fix_at + 2u * h->fixes, 4);
}

static inline const zone_rrset_head_t *zone_rrset_first(const zone_node_t *node)
{
	return (const void *)((const uint8_t *)node + zone_rrsets_at(node));
}

static inline const zone_rrset_head_t *zone_rrset_next(const zone_rrset_head_t *h)
{
	return (const void *)((const uint8_t *)h + zone_rrset_size(h));
}

/* Records of this type at the node, not counting signatures; NULL: there are none. */
static inline const zone_rrset_head_t *zone_node_find(const zone_node_t *node, uint16_t type)
{
	const zone_rrset_head_t *h = zone_rrset_first(node);

	for (unsigned i = 0; i < node->rrsets && h->type <= type; i++, h = zone_rrset_next(h)) {
		if (h->type == type && h->count > 0)
			return h;
	}
	return NULL;
}

/* Records at the node, signatures counted. */
static inline size_t zone_node_records(const zone_node_t *node)
{
	const zone_rrset_head_t *h = zone_rrset_first(node);
	size_t n = 0;

	for (unsigned i = 0; i < node->rrsets; i++, h = zone_rrset_next(h))
		n += (size_t)h->count + h->sig_count;
	return n;
}

/* Octets of the whole node. */
static inline size_t zone_node_size(const zone_node_t *node)
{
	const zone_rrset_head_t *h = zone_rrset_first(node);

	for (unsigned i = 0; i < node->rrsets; i++)
		h = zone_rrset_next(h);
	return (size_t)((const uint8_t *)h - (const uint8_t *)node);
}

/* The RRset as others see it, but for what follows it. */
void zone_rrset_view(const zone_version_t *v, const zone_node_t *node, const zone_rrset_head_t *h,
                     zone_rrset_t *out);

/* RDATA of one stored record of set, decompressed; returns its length. */
size_t zone_wire_rdata(const zone_version_t *v, const zone_node_t *node, const zone_rrset_t *set,
                       const uint8_t *record, uint8_t out[65535]);

/* Canonical order of two names given by what stands left of the apex: <0, 0, >0. */
int zone_rel_cmp(const uint8_t *a, unsigned a_labels, const uint8_t *b, unsigned b_labels);

/* How many labels, counted from the right, two such names share. */
unsigned zone_rel_shared(const uint8_t *a, unsigned a_labels, const uint8_t *b, unsigned b_labels);
