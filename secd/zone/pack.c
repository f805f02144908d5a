/* zone/pack.c - nodes in canonical order, and the log of a difference, as octets to be kept. */
#include "zone/pack.h"

#include <stdlib.h>

#include "dns/wire.h"
#include "zone/layout.h"
#include "zone/log.h"

enum {
	RR_HEAD = 2 + DNS_RR_FIXED,
	CHUNK = 256 << 10,
	CHUNK_HEAD = 1,
	FIRST_HEAD = CHUNK_HEAD + 2 * sizeof(uint64_t),
	OWNER_HEAD = 1 + 2,
	RRSET_HEAD = 2 + 2 + 2 + 4,
};

struct zone_pack {
	const zone_version_t *v;
	zone_walk_t *walk;
	const zone_node_t *node; /* the next to be packed; NULL: the walk has ended */
	bool denial, first;
	uint8_t *octets;
	size_t used, room;
};

/* The next node with records. */
static void step(zone_pack_t *p)
{
	do
		p->node = zone_walk_next(p->walk);
	while (p->node && p->node->rrsets == 0);
}

static status_t begin_walk(zone_pack_t *p, bool denial)
{
	zone_walk_t *walk = zone_walk_new(p->v, denial);

	if (!walk)
		return ST_NOMEM;
	zone_walk_free(p->walk);
	p->walk = walk;
	p->denial = denial;
	step(p);
	return ST_OK;
}

zone_pack_t *zone_pack_new(const zone_version_t *v)
{
	zone_pack_t *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->v = v;
	p->first = true;
	if (begin_walk(p, false) == ST_OK)
		return p;
	zone_pack_free(p);
	return NULL;
}

void zone_pack_free(zone_pack_t *p)
{
	if (!p)
		return;
	zone_walk_free(p->walk);
	free(p->octets);
	free(p);
}

/* Octets that the node takes at the most: a pointer may stand for a whole name. */
static size_t bound(const zone_node_t *node)
{
	const zone_rrset_head_t *h = zone_rrset_first(node);
	size_t n = OWNER_HEAD + (size_t)node->rel_len;

	for (unsigned i = 0; i < node->rrsets; i++, h = zone_rrset_next(h))
		n += RRSET_HEAD + (size_t)h->wire_len + h->sig_len +
		     (size_t)h->fixes * DNS_NAME_MAX;
	return n;
}

static status_t make_room(zone_pack_t *p, size_t n)
{
	size_t room = p->room > 0 ? p->room : 4096;

	while (room < p->used + n)
		room *= 2;
	if (room == p->room)
		return ST_OK;
	uint8_t *grown = realloc(p->octets, room);
	if (!grown)
		return ST_NOMEM;
	p->octets = grown;
	p->room = room;
	return ST_OK;
}

/* A record without its head: its length stands right before its RDATA already. */
static uint8_t *put_stored(uint8_t *out, const uint8_t *record)
{
	size_t len = 2u + get_u16(record + RR_HEAD - 2);

	memcpy(out, record + RR_HEAD - 2, len);
	return out + len;
}

/* Records of which some have pointers, put together. */
static uint8_t *put_expanded(const zone_pack_t *p, uint8_t *out, const zone_rrset_head_t *h)
{
	zone_rrset_t set;

	zone_rrset_view(p->v, p->node, h, &set);
	for (const uint8_t *record = set.wire, *end = set.wire + set.wire_len; record < end;
	     record += RR_HEAD + get_u16(record + RR_HEAD - 2)) {
		size_t len = zone_wire_rdata(p->v, p->node, &set, record, out + 2);

		put_u16(out, (unsigned)len);
		out += 2 + len;
	}
	return out;
}

static uint8_t *put_rrset(const zone_pack_t *p, uint8_t *out, const zone_rrset_head_t *h)
{
	const uint8_t *record = (const uint8_t *)(h + 1), *end = record + h->wire_len + h->sig_len;

	put_u16(out, h->type);
	put_u16(out + 2, h->count);
	put_u16(out + 4, h->sig_count);
	put_u32(out + 6, get_u32(record + 6));
	out += RRSET_HEAD;
	if (h->fixes > 0) {
		out = put_expanded(p, out, h);
		record += h->wire_len;
	}
	for (; record < end; record += RR_HEAD + get_u16(record + RR_HEAD - 2))
		out = put_stored(out, record);
	return out;
}

/* The node behind what is there; there is room. */
static void put_owner(zone_pack_t *p)
{
	const zone_node_t *node = p->node;
	const zone_rrset_head_t *h = zone_rrset_first(node);
	uint8_t *out = p->octets + p->used;

	*out++ = node->rel_len;
	copy_few(out, node->name, node->rel_len);
	out += node->rel_len;
	put_u16(out, node->rrsets);
	out += 2;
	for (unsigned i = 0; i < node->rrsets; i++, h = zone_rrset_next(h))
		out = put_rrset(p, out, h);
	p->used = (size_t)(out - p->octets);
}

static status_t put_head(zone_pack_t *p)
{
	p->used = 0;
	if (make_room(p, FIRST_HEAD) != ST_OK)
		return ST_NOMEM;
	p->octets[0] = p->denial ? ZONE_PACK_DENIAL : p->first ? ZONE_PACK_BEGIN : ZONE_PACK_NAMES;
	put_u64(p->octets + 1, p->v->root.records);
	put_u64(p->octets + 9, p->v->root.octets);
	p->used = p->octets[0] == ZONE_PACK_BEGIN ? (size_t)FIRST_HEAD : (size_t)CHUNK_HEAD;
	return ST_OK;
}

status_t zone_pack_next(zone_pack_t *p, const uint8_t **octets, size_t *len)
{
	size_t head, n;

	if (!p->node && !p->denial && begin_walk(p, true) != ST_OK)
		return ST_NOMEM;
	if (!p->node)
		return ST_NOENT;
	if (put_head(p) != ST_OK)
		return ST_NOMEM;
	head = p->used;
	for (; p->node; step(p)) {
		n = bound(p->node);
		if (p->used > head && p->used + n > CHUNK)
			break;
		if (make_room(p, n) != ST_OK)
			return ST_NOMEM;
		put_owner(p);
	}
	p->first = false;
	*octets = p->octets;
	*len = p->used;
	return ST_OK;
}

/* --- differences -------------------------------------------------------------------------------- */

enum { OP_HEAD = 1 + 1 + 2 + 4 + 2 };

static size_t list_octets(const zone_entry_t *entry, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += OP_HEAD + (size_t)entry[i].rec->rel_len + entry[i].rec->rdlen;
	return n;
}

static uint8_t *put_list(uint8_t *out, const zone_entry_t *entry, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const zone_rec_t *rec = entry[i].rec;

		*out++ = rec->remove ? ZONE_PACK_REMOVE : 0;
		*out++ = rec->rel_len;
		memcpy(out, rec->bytes, rec->rel_len);
		out += rec->rel_len;
		put_u16(out, rec->is_sig ? DNS_TYPE_RRSIG : rec->type);
		put_u32(out + 2, rec->ttl);
		put_u16(out + 6, rec->rdlen);
		memcpy(out + 8, zone_rec_rdata(rec), rec->rdlen);
		out += 8 + rec->rdlen;
	}
	return out;
}

status_t zone_pack_delta(const zone_delta_t *d, uint8_t **octets, size_t *len)
{
	const zone_log_t *log = zone_delta_log(d);
	/* What came late is apart until it is sorted. It came behind all of the same owner that is
	 * not. */
	const zone_entries_t part[] = {
		{ log->names.entry, log->names.count, 0 },
		log->names.late,
		{ log->denial.entry, log->denial.count, 0 },
		log->denial.late,
	};
	uint8_t *out;

	*len = 0;
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		*len += list_octets(part[i].entry, part[i].count);
	*octets = out = malloc(*len > 0 ? *len : 1);
	if (!out)
		return ST_NOMEM;
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		out = put_list(out, part[i].entry, part[i].count);
	return ST_OK;
}
