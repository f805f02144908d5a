/* zone/zonemd.c - all records in canonical order and form (RFC 4034 6), through a hash.
 *
 * Names and owners of NSEC3 lie apart and are merged; signatures lie behind what they cover, and
 * come as records of type RRSIG, between the types below and above that number. */
#include "zone/zonemd.h"

#include <stdlib.h>

#include "dns/digest.h"
#include "dns/rr.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/layout.h"

enum {
	RR_HEAD = 2 + DNS_RR_FIXED,
	RDATA_HEAD = 6, /* of ZONEMD: serial, scheme, algorithm */
	BUFFER = 1 << 15,
	RECORD_MAX = DNS_NAME_MAX + DNS_RR_FIXED + 65535,
};

/* Records on their way into a hash. */
typedef struct sink {
	const zone_version_t *v;
	dns_digest_t *digest;
	const zone_node_t *node; /* whose records come now */
	uint8_t owner[DNS_NAME_MAX + 1];
	size_t owner_len;
	size_t used;
	uint8_t buffer[BUFFER + RECORD_MAX];
} sink_t;

/* Types of which zones are full: RDATA that ends with one name, behind so many octets. -1: others. */
static int octets_before_name(uint16_t type)
{
	if (type == DNS_TYPE_NS || type == DNS_TYPE_CNAME || type == DNS_TYPE_PTR)
		return 0;
	return type == DNS_TYPE_MX ? 2 : -1;
}

/* Such RDATA, its name folded and put together from what is stored. */
static size_t put_name(sink_t *s, const zone_rrset_t *set, const uint8_t *rdata, size_t before,
                       uint8_t *out)
{
	size_t own;

	memcpy(out, rdata, before);
	size_t end = zone_rrset_name(set, rdata + before, out + before, &own);
	memcpy(out + before + own, s->owner + s->owner_len - end, end);
	return before + own + end;
}

/* Canonical RDATA of a stored record into out. */
static size_t put_rdata(sink_t *s, const zone_rrset_t *set, const uint8_t *record, uint8_t *out)
{
	uint16_t type = get_u16(record + 2);
	int before = octets_before_name(type);
	size_t len = get_u16(record + 10);

	if (before >= 0)
		return put_name(s, set, record + RR_HEAD, (size_t)before, out);
	if (dns_type_may_compress(type))
		len = zone_wire_rdata(s->v, s->node, set, record, out);
	else
		memcpy(out, record + RR_HEAD, len);
	if (dns_type_folds(type))
		dns_rdata_canonical(type, out, len);
	return len;
}

static void flush(sink_t *s)
{
	dns_digest_add(s->digest, s->buffer, s->used);
	s->used = 0;
}

static void put_record(sink_t *s, const zone_rrset_t *set, const uint8_t *record)
{
	uint8_t *p = s->buffer + s->used;

	memcpy(p, s->owner, s->owner_len);
	p += s->owner_len;
	memcpy(p, record + 2, 8); /* type, class, TTL */
	size_t len = put_rdata(s, set, record, p + DNS_RR_FIXED);
	put_u16(p + 8, (unsigned)len);
	s->used += s->owner_len + DNS_RR_FIXED + len;
	if (s->used >= BUFFER)
		flush(s);
}

static const uint8_t *next_record(const uint8_t *record)
{
	return record + RR_HEAD + get_u16(record + 10);
}

static void put_set(sink_t *s, const zone_rrset_t *set, bool sigs)
{
	const uint8_t *record = set->wire + (sigs ? set->wire_len : 0);
	unsigned count = sigs ? set->sig_count : set->count;

	for (; count > 0; count--, record = next_record(record))
		put_record(s, set, record);
}

/* Records, or signatures, of the node's RRsets of types low..high. NULL is fine. */
static void put_sets(sink_t *s, const zone_node_t *node, unsigned low, unsigned high, bool sigs)
{
	zone_rrset_t set;

	s->node = node;
	for (bool more = node && zone_node_first(s->v, node, &set); more;
	     more = zone_node_next(s->v, node, &set)) {
		bool of_digest = set.type == DNS_TYPE_ZONEMD && node->flags & ZONE_NODE_APEX;

		if (set.type >= low && set.type <= high && !of_digest)
			put_set(s, &set, sigs);
	}
}

/* All records of one owner: of the name's own node, and of that which holds its NSEC3; either may be
 * NULL. RRSIGs begin with the type that they cover, so they come in the order of these. */
static void put_owner(sink_t *s, const zone_node_t *name, const zone_node_t *denial)
{
	const zone_node_t *node = name ? name : denial;
	enum { TYPES = 65535 };

	memcpy(s->owner, node->name, node->rel_len);
	memcpy(s->owner + node->rel_len, s->v->apex, s->v->apex_len);
	s->owner_len = (size_t)node->rel_len + s->v->apex_len;
	put_sets(s, name, 0, DNS_TYPE_RRSIG - 1, false);
	put_sets(s, name, 0, DNS_TYPE_NSEC3 - 1, true);
	put_sets(s, denial, 0, TYPES, true);
	put_sets(s, name, DNS_TYPE_NSEC3, TYPES, true);
	put_sets(s, name, DNS_TYPE_RRSIG + 1, DNS_TYPE_NSEC3 - 1, false);
	put_sets(s, denial, 0, TYPES, false);
	put_sets(s, name, DNS_TYPE_NSEC3, TYPES, false);
}

static int node_cmp(const zone_node_t *a, const zone_node_t *b)
{
	if (!a || !b)
		return a ? -1 : 1; /* what is there comes first */
	return zone_rel_cmp(a->name, a->rel_labels, b->name, b->rel_labels);
}

static void put_all(sink_t *s, zone_walk_t *names, zone_walk_t *denials)
{
	const zone_node_t *name = zone_walk_next(names), *denial = zone_walk_next(denials);

	while (name || denial) {
		int cmp = node_cmp(name, denial);

		put_owner(s, cmp <= 0 ? name : NULL, cmp >= 0 ? denial : NULL);
		name = cmp <= 0 ? zone_walk_next(names) : name;
		denial = cmp >= 0 ? zone_walk_next(denials) : denial;
	}
	flush(s);
}

/* The digest of the whole version. ST_NOMEM. */
static status_t digest_of(const zone_version_t *v, uint8_t algorithm, uint8_t out[DNS_DIGEST_MAX])
{
	sink_t *s = malloc(sizeof *s);
	zone_walk_t *names = zone_walk_new(v, false), *denials = zone_walk_new(v, true);
	dns_digest_t *digest = dns_digest_new(algorithm);
	status_t st = ST_NOMEM;

	if (s && names && denials && digest) {
		s->v = v;
		s->digest = digest;
		s->used = 0;
		put_all(s, names, denials);
		if (dns_digest_end(digest, out) == dns_digest_len(algorithm))
			st = ST_OK;
	}
	dns_digest_free(digest);
	zone_walk_free(denials);
	zone_walk_free(names);
	free(s);
	return st;
}

/* --- the records of the apex ------------------------------------------------------------------- */

/* Does another record of the set have the scheme and algorithm of this one? */
static bool stands_twice(const zone_rrset_t *set, const uint8_t *record)
{
	const uint8_t *p = set->wire;

	for (unsigned i = 0; i < set->count; i++, p = next_record(p)) {
		if (p != record && get_u16(p + 10) >= RDATA_HEAD &&
		    memcmp(p + RR_HEAD + 4, record + RR_HEAD + 4, 2) == 0)
			return true;
	}
	return false;
}

/* One record, as RFC 8976 4 wants it looked at. */
static status_t verify_one(const zone_version_t *v, const zone_rrset_t *set, const uint8_t *record,
                           zone_zonemd_t *out)
{
	const uint8_t *rdata = record + RR_HEAD;
	size_t len = get_u16(record + 10);
	uint8_t digest[DNS_DIGEST_MAX];

	*out = ZONE_ZONEMD_UNKNOWN;
	if (len < RDATA_HEAD || rdata[4] != DNS_ZONEMD_SIMPLE || dns_digest_len(rdata[5]) == 0)
		return ST_OK;
	*out = ZONE_ZONEMD_SERIAL;
	if (get_u32(rdata) != zone_version_soa(v)->serial)
		return ST_OK;
	*out = ZONE_ZONEMD_TWICE;
	if (stands_twice(set, record))
		return ST_OK;
	*out = ZONE_ZONEMD_DIFFERS;
	if (len != RDATA_HEAD + dns_digest_len(rdata[5]))
		return ST_OK;
	status_t st = digest_of(v, rdata[5], digest);
	if (st == ST_OK && memcmp(digest, rdata + RDATA_HEAD, len - RDATA_HEAD) == 0)
		*out = ZONE_ZONEMD_VALID;
	return st;
}

status_t zone_zonemd_verify(const zone_version_t *v, zone_zonemd_t *out)
{
	zone_rrset_t set;

	*out = ZONE_ZONEMD_ABSENT;
	if (!zone_node_rrset(v, zone_version_apex(v), DNS_TYPE_ZONEMD, &set))
		return ST_OK;
	const uint8_t *p = set.wire;
	for (unsigned i = 0; i < set.count; i++, p = next_record(p)) {
		zone_zonemd_t one;
		status_t st = verify_one(v, &set, p, &one);

		if (st != ST_OK)
			return st;
		*out = one == ZONE_ZONEMD_VALID || one > *out ? one : *out;
		if (one == ZONE_ZONEMD_VALID)
			break;
	}
	return ST_OK;
}

const char *zone_zonemd_text(zone_zonemd_t verdict)
{
	switch (verdict) {
	case ZONE_ZONEMD_VALID:
		return "the digest is right";
	case ZONE_ZONEMD_ABSENT:
		return "there is no ZONEMD";
	case ZONE_ZONEMD_UNKNOWN:
		return "no ZONEMD is of a scheme and an algorithm that are known";
	case ZONE_ZONEMD_TWICE:
		return "two ZONEMD are of one scheme and algorithm";
	case ZONE_ZONEMD_SERIAL:
		return "the ZONEMD is that of another serial";
	case ZONE_ZONEMD_DIFFERS:
		return "the digest differs";
	}
	return "?";
}
