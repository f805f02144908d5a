/* zone/expiry.c - a short sorted table of when signatures run out. */
#include "zone/expiry.h"

#include <stdlib.h>

#include "dns/wire.h"

enum {
	RR_HEAD = 2 + DNS_RR_FIXED,
	EXPIRATION_AT = 8, /* in the RDATA of an RRSIG (RFC 4034 3.1) */
	ROOM_FIRST = 8,
};

/* Units are a ring of 22 bits, as seconds are one of 32. */
static const uint32_t RING = (UINT32_C(1) << (32 - ZONE_EXPIRY_SHIFT)) - 1;

static size_t table_size(size_t units)
{
	return sizeof(zone_expiry_table_t) + units * sizeof(zone_expiry_unit_t);
}

status_t zone_expiry_load(zone_expiry_t *e, const uint8_t *base, zone_ref_t ref)
{
	const zone_expiry_table_t *table = (const void *)(base + (size_t)ref * ZONE_UNIT);

	*e = (zone_expiry_t){ 0 };
	if (ref == 0)
		return ST_OK;
	e->unit = malloc((table->count + 1u) * sizeof *e->unit);
	if (!e->unit)
		return ST_NOMEM;
	e->room = table->count + 1u;
	e->count = table->count;
	e->origin = table->origin;
	e->cut = table->cut;
	memcpy(e->unit, table->unit, table->count * sizeof *e->unit);
	return ST_OK;
}

void zone_expiry_free(zone_expiry_t *e)
{
	free(e->unit);
	*e = (zone_expiry_t){ 0 };
}

/* The first unit at or behind at. */
static size_t place_of(const zone_expiry_t *e, uint32_t at)
{
	size_t low = 0, high = e->count;

	if (e->last < e->count && e->unit[e->last].at == at)
		return e->last;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (e->unit[mid].at < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The last unit counts for those behind it. */
static bool is_behind(const zone_expiry_t *e, uint32_t at)
{
	return e->cut && at >= e->unit[e->count - 1].at;
}

static status_t insert(zone_expiry_t *e, size_t place, uint32_t at)
{
	if (e->count == e->room) {
		size_t room = e->room ? e->room * 2 : ROOM_FIRST;
		zone_expiry_unit_t *grown = reallocarray(e->unit, room, sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		e->unit = grown;
		e->room = room;
	}
	memmove(e->unit + place + 1, e->unit + place, (e->count - place) * sizeof *e->unit);
	e->unit[place] = (zone_expiry_unit_t){ at, 1 };
	e->count++;
	return ST_OK;
}

static status_t add_one(zone_expiry_t *e, uint32_t expiration)
{
	uint32_t unit = expiration >> ZONE_EXPIRY_SHIFT;

	if (e->count == 0)
		e->origin = (unit - RING / 2) & RING;
	uint32_t at = (unit - e->origin) & RING;
	if (e->count == ZONE_EXPIRY_UNITS_MAX && !is_behind(e, at)) {
		size_t place = place_of(e, at);

		if (place == e->count || e->unit[place].at != at) { /* room, at the far end */
			e->unit[e->count - 2].count += e->unit[e->count - 1].count;
			e->count--;
			e->cut = true;
		}
	}
	size_t place = is_behind(e, at) ? e->count - 1 : place_of(e, at);
	e->changed = true;
	e->last = place;
	if (place == e->count || (e->unit[place].at != at && !is_behind(e, at)))
		return insert(e, place, at);
	e->unit[place].count++;
	return ST_OK;
}

static void remove_one(zone_expiry_t *e, uint32_t expiration)
{
	uint32_t at = ((expiration >> ZONE_EXPIRY_SHIFT) - e->origin) & RING;
	bool behind = e->count > 0 && is_behind(e, at);
	size_t place = behind ? e->count - 1 : place_of(e, at);

	e->changed = true;
	if (place == e->count || (e->unit[place].at != at && !behind)) {
		e->lost = true; /* cannot be: what goes was counted when it came */
		return;
	}
	if (--e->unit[place].count > 0)
		return;
	e->cut = e->cut && !behind;
	memmove(e->unit + place, e->unit + place + 1, (--e->count - place) * sizeof *e->unit);
}

/* Expirations of an RRset's signatures: step from one record to the next. */
static const uint8_t *sigs_of(const zone_rrset_head_t *h)
{
	return (const uint8_t *)(h + 1) + h->wire_len;
}

static const uint8_t *next_sig(const uint8_t *sig)
{
	return sig + RR_HEAD + get_u16(sig + 10);
}

static bool has_expiration(const uint8_t *sig)
{
	return get_u16(sig + 10) >= EXPIRATION_AT + sizeof(uint32_t);
}

status_t zone_expiry_add(zone_expiry_t *e, const zone_node_t *node)
{
	const zone_rrset_head_t *h = zone_rrset_first(node);

	for (unsigned i = 0; i < node->rrsets; i++, h = zone_rrset_next(h)) {
		const uint8_t *sig = sigs_of(h);

		for (unsigned j = 0; j < h->sig_count; j++, sig = next_sig(sig)) {
			if (has_expiration(sig) &&
			    add_one(e, get_u32(sig + RR_HEAD + EXPIRATION_AT)) != ST_OK)
				return ST_NOMEM;
		}
	}
	return ST_OK;
}

void zone_expiry_remove(zone_expiry_t *e, const zone_node_t *node)
{
	const zone_rrset_head_t *h = zone_rrset_first(node);

	for (unsigned i = 0; i < node->rrsets; i++, h = zone_rrset_next(h)) {
		const uint8_t *sig = sigs_of(h);

		for (unsigned j = 0; j < h->sig_count; j++, sig = next_sig(sig)) {
			if (has_expiration(sig))
				remove_one(e, get_u32(sig + RR_HEAD + EXPIRATION_AT));
		}
	}
}

bool zone_expiry_lost(const zone_expiry_t *e)
{
	return e->lost || (e->count == 1 && e->cut);
}

void zone_expiry_restart(zone_expiry_t *e)
{
	e->count = 0;
	e->cut = e->lost = false;
	e->changed = true;
}

status_t zone_expiry_store(zone_expiry_t *e, zone_change_t *c, zone_ref_t *ref)
{
	zone_ref_t was = *ref;
	status_t st = ST_OK;

	if (!e->changed)
		return ST_OK;
	*ref = 0;
	if (e->count > 0) {
		*ref = zone_change_take(c, table_size(e->count));
		if (*ref == 0)
			return ST_NOMEM;
		zone_expiry_table_t *table = zone_change_at(c, *ref);
		*table = (zone_expiry_table_t){
			.origin = e->origin,
			.count = (uint16_t)e->count,
			.cut = e->cut,
		};
		memcpy(table->unit, e->unit, e->count * sizeof *e->unit);
	}
	if (was != 0) {
		const zone_expiry_table_t *old = zone_change_at(c, was);

		st = zone_change_replace(c, was, table_size(old->count), false);
	}
	e->changed = false;
	return st;
}

bool zone_version_expiry(const zone_version_t *v, wall_t now, wall_t *out)
{
	const zone_expiry_table_t *table =
		(const void *)(v->base + (size_t)v->root.expiry * ZONE_UNIT);

	if (v->root.expiry == 0)
		return false;
	uint32_t at = (table->unit[0].at + table->origin) << ZONE_EXPIRY_SHIFT;
	out->s = now.s + (int32_t)(at - (uint32_t)now.s);
	return true;
}
