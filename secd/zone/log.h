/* zone/log.h - records as they come, and beside each the beginning of its owner's sort key.
 *
 * What a build and a delta gather before they are worked through in canonical order. For zone/
 * alone; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "dns/nsec3.h"
#include "dns/rr.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/build.h"

/* A record, and what is to be done with it. */
typedef struct zone_rec {
	uint32_t ttl;
	uint32_t number; /* in the order in which they came */
	uint16_t type;   /* of an RRSIG: the type that it covers */
	uint16_t rdlen;
	bool is_sig : 1;
	bool remove : 1;             /* of a delta: take it out */
	bool in_block : 1;           /* its chunk is a huge page, begins where one does */
	uint8_t rel_len, rel_labels; /* the owner left of the apex */
	uint8_t bytes[];             /* rel_len octets of owner, rdlen of RDATA */
} zone_rec_t;

/* Its wire form in a zone of that apex, names in full: what max-size counts. */
static inline uint64_t zone_rec_octets(const zone_rec_t *r, const dns_name_t *apex)
{
	return (uint64_t)r->rel_len + apex->len + DNS_RR_FIXED + r->rdlen;
}

static inline const uint8_t *zone_rec_rdata(const zone_rec_t *r)
{
	return r->bytes + r->rel_len;
}

typedef struct zone_entry {
	uint64_t prefix; /* of the owner's sort key */
	const zone_rec_t *rec;
} zone_entry_t;

typedef struct zone_entries {
	zone_entry_t *entry;
	size_t count, room;
} zone_entries_t;

/* Owners of one space: the zone's names, or those of NSEC3. In canonical order as far as they came
 * so; what came behind a greater owner waits apart until zone_list_sort(). */
typedef struct zone_list {
	zone_entry_t *entry;
	size_t count, room;
	zone_entries_t late;
} zone_list_t;

typedef struct zone_chunk zone_chunk_t;

typedef struct zone_log {
	dns_name_t apex;
	zone_limits_t limits;
	zone_chunk_t *chunks;
	size_t next_room; /* of the next chunk: small zones stay small */
	zone_list_t names, denial;
	uint64_t wire_bytes;
	size_t memory; /* of chunks and lists, while they grow */
	zone_build_stats_t stats;
	zone_excess_t excess; /* the limit that was passed */
} zone_log_t;

void zone_log_init(zone_log_t *l, const dns_name_t *apex, const zone_limits_t *limits);
void zone_log_free(zone_log_t *l);

/* Can it be the hash of a name (RFC 5155 3): one label below the apex, base32hex? */
bool zone_log_is_hash(const uint8_t *rel, unsigned rel_labels);

/* May a zone hold a record of this type at the owner that is given by what stands left of the apex?
 * No meta types, SOA at the apex alone, NSEC3 where a hash may be; with SHA-1 that has exactly 32
 * characters. rdata is sound. */
static inline bool zone_log_may_hold(uint16_t type, const uint8_t *rel, unsigned rel_labels,
                                     const uint8_t *rdata)
{
	if (type == DNS_TYPE_NSEC3)
		return zone_log_is_hash(rel, rel_labels) &&
		       (rdata[0] != DNS_NSEC3_SHA1 || rel[0] == DNS_NSEC3_LABEL_LEN);
	return type == DNS_TYPE_SOA ? rel_labels == 0 : !dns_type_is_meta(type);
}

/* Does it belong to the owners of NSEC3 rather than to the names? type: of an RRSIG, what it
 * covers; one that covers NSEC3 at another name is a stray, and stays there. */
static inline bool zone_log_is_denial(uint16_t type, bool is_sig, const uint8_t *rel,
                                      unsigned rel_labels)
{
	return type == DNS_TYPE_NSEC3 && (!is_sig || zone_log_is_hash(rel, rel_labels));
}

/* A limit of the whole zone is passed: ST_LIMIT. */
status_t zone_log_exceeded(zone_log_t *l, zone_limit_t limit, uint64_t most);

/* One record more, of so many octets, is to be counted: ST_LIMIT if that is too many. */
static inline status_t zone_log_admit(zone_log_t *l, size_t octets)
{
	const zone_limits_t *most = &l->limits;

	l->wire_bytes += octets;
	if (l->stats.added + l->stats.outside >= most->max_records || l->stats.added == UINT32_MAX)
		return zone_log_exceeded(l, ZONE_LIMIT_RECORDS, most->max_records);
	if (l->wire_bytes > most->max_bytes)
		return zone_log_exceeded(l, ZONE_LIMIT_BYTES, most->max_bytes);
	return ST_OK;
}

/* Take a copy of rr; the statuses are those of zone_build_add(). */
status_t zone_log_add(zone_log_t *l, const dns_rr_t *rr, bool remove);

/* Room for n octets that live as long as the log; NULL: no memory. */
void *zone_log_take(zone_log_t *l, size_t n);

/* Canonical order; those of one owner in the order in which they came. Costs what is out of order.
 * ST_NOMEM: nothing is lost. */
status_t zone_list_sort(zone_list_t *l);

/* Entries first..end of l, which is sorted, and their records are not needed any more: all before
 * them were said to be so, too. What memory that frees goes back now. Not for records of the apex,
 * which stay. */
void zone_log_spend(zone_log_t *log, zone_list_t *l, size_t first, size_t end);

/* The end of the run of one owner that begins at first; the beginning of the one that ends
 * before end. */
size_t zone_list_run(const zone_list_t *l, size_t first);
size_t zone_list_run_back(const zone_list_t *l, size_t end);
