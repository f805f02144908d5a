/* zone/version.c - reading nodes and RRsets, walking in order, freeing. */
#include "zone/layout.h"

#include <stdlib.h>

#include "dns/rdata.h"
#include "dns/wire.h"

_Static_assert(sizeof(zone_rrset_head_t) == 16, "an RRset's head has no holes");
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

int zone_rel_cmp(const uint8_t *a, unsigned a_labels, const uint8_t *b, unsigned b_labels)
{
	uint8_t a_off[DNS_LABELS_MAX], b_off[DNS_LABELS_MAX];
	unsigned common = a_labels < b_labels ? a_labels : b_labels;

	rel_offsets(a, a_labels, a_off);
	rel_offsets(b, b_labels, b_off);
	for (unsigned i = 1; i <= common; i++) {
		const uint8_t *la = a + a_off[a_labels - i], *lb = b + b_off[b_labels - i];
		int cmp = memcmp(la + 1, lb + 1, *la < *lb ? *la : *lb);

		if (cmp == 0)
			cmp = (int)*la - (int)*lb;
		if (cmp != 0)
			return cmp;
	}
	return (int)a_labels - (int)b_labels;
}

const zone_node_t *zone_version_predecessor(const zone_version_t *v, const dns_name_t *name)
{
	unsigned labels = (unsigned)(name->labels - v->apex_labels);
	uint32_t low = 0, high = v->names; /* order[low] <= name < order[high] */

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;
		const zone_node_t *node = zone_node_at(v, v->order[mid]);

		if (zone_rel_cmp(node->name, node->rel_labels, name->wire, labels) <= 0)
			low = mid;
		else
			high = mid;
	}
	return zone_node_at(v, v->order[low]);
}

const zone_node_t *zone_version_next(const zone_version_t *v, const zone_node_t *node, bool denial)
{
	const uint32_t *list = denial ? v->denial : v->order;
	uint32_t count = denial ? v->denials : v->names, low = 0, high = count;

	if (node) { /* the first reference above the node's own */
		uint32_t ref = (uint32_t)(((const uint8_t *)node - v->blocks) / ZONE_UNIT);

		while (low < high) {
			uint32_t mid = low + (high - low) / 2;

			if (list[mid] <= ref)
				low = mid + 1;
			else
				high = mid;
		}
	}
	return low < count ? zone_node_at(v, list[low]) : NULL;
}

const zone_node_t *zone_version_apex(const zone_version_t *v)
{
	return zone_node_at(v, v->order[0]);
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
	return &v->soa;
}

uint64_t zone_version_records(const zone_version_t *v)
{
	return v->records;
}

size_t zone_version_bytes(const zone_version_t *v)
{
	return v->bytes;
}

unsigned zone_node_flags(const zone_node_t *node)
{
	return node->flags;
}

unsigned zone_node_rrsets(const zone_node_t *node)
{
	return node->rrsets;
}

static const zone_rrset_head_t *first_head(const zone_node_t *node)
{
	return (const void *)((const uint8_t *)node + zone_rrsets_at(node));
}

static const zone_rrset_head_t *next_head(const zone_rrset_head_t *h)
{
	return (const void *)((const uint8_t *)h + zone_rrset_size(h));
}

static void view(const zone_version_t *v, const zone_node_t *node, const zone_rrset_head_t *h,
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

void zone_node_rrset_at(const zone_version_t *v, const zone_node_t *node, unsigned i,
                        zone_rrset_t *out)
{
	const zone_rrset_head_t *h = first_head(node);

	while (i-- > 0)
		h = next_head(h);
	view(v, node, h, out);
}

bool zone_node_rrset(const zone_version_t *v, const zone_node_t *node, uint16_t type,
                     zone_rrset_t *out)
{
	const zone_rrset_head_t *h = first_head(node);

	for (unsigned i = 0; i < node->rrsets; i++, h = next_head(h)) {
		if (h->type == type && h->count > 0) {
			view(v, node, h, out);
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
	memcpy(wire, node->name, node->rel_len);
	memcpy(wire + node->rel_len, v->apex, v->apex_len);
	return (size_t)node->rel_len + v->apex_len;
}

void zone_node_name(const zone_version_t *v, const zone_node_t *node, dns_name_t *out)
{
	uint8_t wire[DNS_NAME_MAX];

	whole_name(v, node, wire);
	dns_name_from_wire(wire, out);
}

size_t zone_rrset_rdata(const zone_version_t *v, const zone_node_t *node, const zone_rrset_t *set,
                        unsigned i, uint8_t out[65535])
{
	uint8_t msg[DNS_HEADER_LEN + DNS_NAME_MAX + 65535];
	const uint8_t *p = set->wire;
	size_t len = DNS_HEADER_LEN, out_len = 0;

	for (; i > 0; i--)
		p += 2 + DNS_RR_FIXED + get_u16(p + 10);
	/* The pointers mean the owner at offset 12: put it there, and read the RDATA as if it had
	 * come off the wire. */
	memset(msg, 0, DNS_HEADER_LEN);
	len += whole_name(v, node, msg + len);
	uint16_t type = get_u16(p + 2), rdlen = get_u16(p + 10);
	memcpy(msg + len, p + 2 + DNS_RR_FIXED, rdlen);
	buf_t b = buf_over(msg, len + rdlen);
	b.pos = len;
	/* Cannot fail: these bytes were made from what the same function accepted. */
	(void)dns_rdata_read(&b, type, rdlen, out, &out_len);
	return out_len;
}

void zone_version_free(zone_version_t *v)
{
	if (!v)
		return;
	if (!v->one_piece) {
		free(v->blocks);
		free(v->table);
		free(v->order);
		free(v->denial);
	}
	free(v);
}
