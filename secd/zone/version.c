/* zone/version.c - reading nodes and RRsets, walking in order, freeing. */
#include "zone/layout.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "dns/wire.h"

_Static_assert(sizeof(zone_rrset_head_t) == 16, "an RRset's head has no holes");
_Static_assert(sizeof(zone_root_t) == 80, "nor does a root: there is one for each small zone");
_Static_assert(offsetof(struct zone_version, retired) == 0, "a retired node is its version");

/* Where each label of a relative name begins. */
static void rel_offsets(const uint8_t *rel, unsigned labels, uint8_t off[DNS_LABELS_MAX])
{
	unsigned pos = 0;

	for (unsigned i = 0; i < labels; i++) {
		off[i] = (uint8_t)pos;
		pos += rel[pos] + 1u;
	}
}

unsigned zone_rel_shared(const uint8_t *a, unsigned a_labels, const uint8_t *b, unsigned b_labels)
{
	uint8_t a_off[DNS_LABELS_MAX], b_off[DNS_LABELS_MAX];
	unsigned shared = 0;

	rel_offsets(a, a_labels, a_off);
	rel_offsets(b, b_labels, b_off);
	while (shared < a_labels && shared < b_labels) {
		const uint8_t *x = a + a_off[a_labels - 1 - shared];
		const uint8_t *y = b + b_off[b_labels - 1 - shared];

		if (*x != *y || memcmp(x + 1, y + 1, *x) != 0)
			break;
		shared++;
	}
	return shared;
}

/* Eight octets; 0: they are the same. */
static int word_cmp(const uint8_t *a, const uint8_t *b)
{
	const uint64_t x = get_u64(a), y = get_u64(b);

	return (x > y) - (x < y);
}

/* Labels are short, and a call of memcmp() costs more than they do. The last word may begin before the one before ends. */
static int label_cmp(const uint8_t *a, const uint8_t *b)
{
	const size_t least = *a < *b ? *a : *b;
	int cmp = 0;

	if (least < 8) {
		for (size_t i = 1; i <= least && cmp == 0; i++)
			cmp = (int)a[i] - (int)b[i];
	} else {
		for (size_t i = 1; i + 8 <= least && cmp == 0; i += 8)
			cmp = word_cmp(a + i, b + i);
		if (cmp == 0)
			cmp = word_cmp(a + least - 7, b + least - 7);
	}
	return cmp != 0 ? cmp : (int)*a - (int)*b;
}

static __attribute__((noinline)) int labels_cmp(const uint8_t *a, unsigned a_labels,
                                                const uint8_t *b, unsigned b_labels)
{
	uint8_t a_off[DNS_LABELS_MAX], b_off[DNS_LABELS_MAX];
	unsigned common = a_labels < b_labels ? a_labels : b_labels;

	rel_offsets(a, a_labels, a_off);
	rel_offsets(b, b_labels, b_off);
	for (unsigned i = 1; i <= common; i++) {
		int cmp = label_cmp(a + a_off[a_labels - i], b + b_off[b_labels - i]);

		if (cmp != 0)
			return cmp;
	}
	return (int)a_labels - (int)b_labels;
}

/* Most names of a large zone have one label left of its apex. */
int zone_rel_cmp(const uint8_t *a, unsigned a_labels, const uint8_t *b, unsigned b_labels)
{
	return a_labels == 1 && b_labels == 1 ? label_cmp(a, b)
	                                      : labels_cmp(a, a_labels, b, b_labels);
}

const zone_node_t *zone_version_apex(const zone_version_t *v)
{
	return zone_node_at(v, v->root.apex);
}

const uint8_t *zone_version_apex_name(const zone_version_t *v)
{
	return v->apex;
}

uint8_t zone_version_apex_labels(const zone_version_t *v)
{
	return v->apex_labels;
}

const siphash_key_t *zone_version_key(const zone_version_t *v)
{
	return &v->key;
}

const dns_soa_t *zone_version_soa(const zone_version_t *v)
{
	return &v->root.soa;
}

uint64_t zone_version_records(const zone_version_t *v)
{
	return v->root.records;
}

size_t zone_version_bytes(const zone_version_t *v)
{
	return v->arena ? sizeof *v + v->apex_len + zone_arena_live(v->arena) : v->bytes;
}

unsigned zone_node_flags(const zone_node_t *node)
{
	return node->flags & (ZONE_NODE_PARENT - 1);
}

const uint8_t *zone_node_rel(const zone_node_t *node, unsigned *labels)
{
	*labels = node->rel_labels;
	return node->name;
}

unsigned zone_node_rrsets(const zone_node_t *node)
{
	return node->rrsets;
}

void zone_rrset_view(const zone_version_t *v, const zone_node_t *node, const zone_rrset_head_t *h,
                     zone_rrset_t *out)
{
	const uint8_t *wire = (const uint8_t *)(h + 1);
	size_t fix_at = zone_align(sizeof *h + h->wire_len + h->sig_len, 2);

	*out = (zone_rrset_t){
		.type = h->type,
		.count = h->count,
		.sig_count = h->sig_count,
		.fixes = h->fixes,
		.wire_len = h->wire_len,
		.sig_len = h->sig_len,
		.wire = wire,
		.fix = (const uint8_t *)h + fix_at,
		.owner_len = (uint16_t)(node->rel_len + v->apex_len),
	};
}

bool zone_node_first(const zone_version_t *v, const zone_node_t *node, zone_rrset_t *out)
{
	if (node->rrsets == 0)
		return false;
	zone_rrset_view(v, node, zone_rrset_first(node), out);
	out->left = (uint16_t)(node->rrsets - 1);
	return true;
}

bool zone_node_next(const zone_version_t *v, const zone_node_t *node, zone_rrset_t *set)
{
	const zone_rrset_head_t *h = (const zone_rrset_head_t *)(const void *)set->wire - 1;
	unsigned left = set->left;

	if (left == 0)
		return false;
	zone_rrset_view(v, node, zone_rrset_next(h), set);
	set->left = (uint16_t)(left - 1);
	return true;
}

bool zone_node_rrset(const zone_version_t *v, const zone_node_t *node, uint16_t type,
                     zone_rrset_t *out)
{
	const zone_rrset_head_t *h = zone_rrset_first(node);

	for (unsigned i = 0; i < node->rrsets; i++, h = zone_rrset_next(h)) {
		if (h->type == type && h->count > 0) {
			zone_rrset_view(v, node, h, out);
			return true;
		}
		if (h->type > type)
			break;
	}
	return false;
}

/* The node's name, whole, in wire form; returns its length. */
static size_t whole_name(const zone_version_t *v, const zone_node_t *node, uint8_t *wire)
{
	copy_few(wire, node->name, node->rel_len);
	copy_few(wire + node->rel_len, v->apex, v->apex_len);
	return (size_t)node->rel_len + v->apex_len;
}

void zone_node_name(const zone_version_t *v, const zone_node_t *node, dns_name_t *out)
{
	uint8_t wire[DNS_NAME_MAX];

	whole_name(v, node, wire);
	dns_name_from_wire(wire, out);
}

/* What stands at off and behind in the node's name, whole. */
static uint8_t *put_owner_end(const zone_version_t *v, const zone_node_t *node, size_t off,
                              uint8_t *out)
{
	if (off < node->rel_len) {
		copy_few(out, node->name + off, node->rel_len - off);
		out += node->rel_len - off;
		off = node->rel_len;
	}
	off -= node->rel_len;
	copy_few(out, v->apex + off, v->apex_len - off);
	return out + (v->apex_len - off);
}

/* Labels from name on to its root, by whatever pointers lead there; returns the end of out. */
static uint8_t *put_name(const zone_version_t *v, const zone_node_t *node, const zone_rrset_t *set,
                         const uint8_t *name, uint8_t *out)
{
	while (*name != 0) {
		unsigned to = get_u16(name) & DNS_PTR_MAX;

		if (*name < 0xc0) {
			copy_few(out, name, *name + 1u);
			out += *name + 1u;
			name += *name + 1u;
		} else if (to < ZONE_WIRE_AT) {
			return put_owner_end(v, node, to - DNS_HEADER_LEN, out);
		} else {
			name = set->wire + (to - ZONE_WIRE_AT);
		}
	}
	*out++ = 0;
	return out;
}

/* Where pointer i of the set stands, and the first one at or behind an octet of its wire. */
static size_t fix_at(const zone_rrset_t *set, unsigned i)
{
	uint16_t at;

	memcpy(&at, set->fix + i * sizeof at, sizeof at);
	return at;
}

static unsigned first_fix(const zone_rrset_t *set, size_t from)
{
	unsigned low = 0, high = set->fixes;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (fix_at(set, mid) < from)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t zone_wire_rdata(const zone_version_t *v, const zone_node_t *node, const zone_rrset_t *set,
                       const uint8_t *record, uint8_t out[65535])
{
	size_t from = (size_t)(record - set->wire) + 2 + DNS_RR_FIXED;
	size_t end = from + get_u16(record + 10);
	uint8_t *to = out;

	for (unsigned i = set->fixes > 0 ? first_fix(set, from) : 0; i < set->fixes; i++) {
		size_t at = fix_at(set, i);

		if (at >= end)
			break;
		memcpy(to, set->wire + from, at - from);
		to = put_name(v, node, set, set->wire + at, to + (at - from));
		from = at + 2;
	}
	memcpy(to, set->wire + from, end - from);
	return (size_t)(to - out) + (end - from);
}

size_t zone_rrset_rdata(const zone_version_t *v, const zone_node_t *node, const zone_rrset_t *set,
                        unsigned i, uint8_t out[65535])
{
	const uint8_t *p = set->wire;

	for (; i > 0; i--)
		p += 2 + DNS_RR_FIXED + get_u16(p + 10);
	return zone_wire_rdata(v, node, set, p, out);
}

size_t zone_rrset_take(const zone_version_t *v, const zone_node_t *node, const zone_rrset_t *set,
                       const uint8_t **at, uint16_t *type, uint32_t *ttl, uint8_t out[65535])
{
	const uint8_t *p = *at;

	*type = get_u16(p + 2);
	*ttl = get_u32(p + 6);
	*at = p + 2 + DNS_RR_FIXED + get_u16(p + 10);
	return zone_wire_rdata(v, node, set, p, out);
}

size_t zone_rrset_name_end(const zone_rrset_t *set, const uint8_t *name)
{
	while (*name != 0) {
		unsigned to = get_u16(name) & DNS_PTR_MAX;

		if (*name < 0xc0)
			name += *name + 1u;
		else if (to < ZONE_WIRE_AT)
			return set->owner_len + (size_t)DNS_HEADER_LEN - to;
		else
			name = set->wire + (to - ZONE_WIRE_AT);
	}
	return 1;
}

size_t zone_rrset_name(const zone_rrset_t *set, const uint8_t *name, uint8_t own[DNS_NAME_MAX],
                       size_t *own_len)
{
	*own_len = 0;
	while (*name != 0) {
		if (*name < 0xc0) {
			for (unsigned left = *name + 1u; left > 0; left--)
				own[(*own_len)++] = dns_fold(*name++);
			continue;
		}
		unsigned to = get_u16(name) & DNS_PTR_MAX;

		if (to < ZONE_WIRE_AT)
			return set->owner_len + (size_t)DNS_HEADER_LEN - to;
		name = set->wire + (to - ZONE_WIRE_AT);
	}
	return 1;
}

void zone_version_succeed(zone_version_t *before, zone_version_t *next)
{
	if (!next->debts)
		return;
	zone_blocks_free(&next->debts->taken);
	if (next->arena == before->arena) {
		before->debts->replaced = next->debts->replaced;
		next->debts->replaced = (zone_blocks_t){ 0 };
	}
	zone_blocks_free(&next->debts->replaced);
}

/* Claims are kept beside the content, which is all that const is about. */
static _Atomic uint8_t *claims(const zone_version_t *v)
{
	return (_Atomic uint8_t *)(uintptr_t)&v->claims;
}

bool zone_version_claim(const zone_version_t *v)
{
	uint8_t none = 0;

	return atomic_compare_exchange_strong(claims(v), &none, ZONE_CLAIMED);
}

static void release(zone_version_t *v)
{
	if (v->debts) {
		/* Never published: what it took goes back, and what it replaced is still in use. */
		if (v->debts->taken.count > 0)
			zone_blocks_free(&v->debts->replaced);
		zone_arena_return(v->arena, &v->debts->taken);
		zone_arena_return(v->arena, &v->debts->replaced);
		zone_arena_drop(v->arena);
		free(v->debts);
	}
	slab_give(v->slab, v, v->bytes ? v->bytes : zone_version_head(v->apex_len));
}

void zone_version_unclaim(const zone_version_t *v)
{
	if (atomic_fetch_and(claims(v), (uint8_t)~ZONE_CLAIMED) & ZONE_FREED)
		release((zone_version_t *)(uintptr_t)v);
}

void zone_version_free(zone_version_t *v)
{
	if (v && !(atomic_fetch_or(&v->claims, ZONE_FREED) & ZONE_CLAIMED))
		release(v);
}
