/* zone/build.h - the way into the store: records in, a sealed version out.
 *
 *     zone_build_new -> zone_build_add ... -> zone_build_seal -> zone_build_check -> zone_set_publish
 *
 * A build belongs to one thread; it touches no version that is served. What was packed as octets
 * comes in by zone/unpack.h, which has the same limits and statuses. */
#pragma once

#include <stdint.h>

#include "common/siphash.h"
#include "common/slab.h"
#include "common/status.h"
#include "dns/name.h"
#include "dns/rr.h"
#include "zone/check.h"
#include "zone/excess.h"
#include "zone/version.h"

typedef struct zone_build zone_build_t;

typedef struct zone_limits {
	uint64_t max_records; /* of a zone, duplicates and what is out of the zone counted */
	uint64_t max_bytes;   /* of their wire form, names in full */
	uint32_t max_rrset;   /* records of one RRset */
	uint32_t max_rrsets;  /* RRsets of one name, those of signatures alone counted */
} zone_limits_t;

/* What was dropped on the way, for one log line per transfer. */
typedef struct zone_build_stats {
	uint64_t added;
	uint64_t outside;    /* not at or below the apex */
	uint64_t duplicates; /* same owner, type and RDATA */
	uint64_t ttl_mixed;  /* RRsets whose records came with several TTLs: the lowest counts */
	uint64_t octets; /* wire form of what was kept; of a delta, added less removed: mod 2^64 */
} zone_build_stats_t;

/* An empty build. NULL: out of memory. apex is folded, and copied. */
zone_build_t *zone_build_new(const siphash_key_t *key, const dns_name_t *apex,
                             const zone_limits_t *limits);

/* Take the version's memory from slab, which outlives it, as it outlives those that are made of that by differences.
 * Without: malloc's. Before the seal. */
void zone_build_in(zone_build_t *b, slab_t *slab);

/* Take a record, in any order; it is copied.
 * Returns    ST_OK; ST_OUTSIDE: dropped and counted, go on; ST_LIMIT, ST_NOMEM: give up;
 *            ST_MALFORMED: class not IN, a meta type, a SOA that is not at the apex, an NSEC3
 *            whose owner is no base32hex label right below the apex.
 * The closing SOA of a transfer is not added: a second SOA that differs is ST_EXIST at seal. */
status_t zone_build_add(zone_build_t *b, const dns_rr_t *rr);

/* Sort, drop duplicates, make the empty non-terminals, freeze. The build is spent.
 * Returns    ST_OK with *out, which is the caller's; ST_NOENT: no SOA; ST_EXIST: two that
 *            differ; ST_LIMIT: an RRset, a name or the hashing of names over its limit;
 *            ST_NOMEM. *out is NULL unless ST_OK. */
status_t zone_build_seal(zone_build_t *b, zone_version_t **out);

/* What zone_check() says of the version that was just sealed; costs what there is to be found. */
status_t zone_build_check(const zone_build_t *b, const zone_version_t *v, zone_faults_t *out);

/* Memory that the records take until they are sealed. */
size_t zone_build_memory(const zone_build_t *b);

/* After ST_LIMIT: which limit, and where. */
const zone_excess_t *zone_build_excess(const zone_build_t *b);

const zone_build_stats_t *zone_build_stats(const zone_build_t *b);
void zone_build_free(zone_build_t *b); /* NULL is fine */
