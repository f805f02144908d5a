/* zone/unpack.h - from the octets of zone/pack.h back to a version, or to a difference.
 *
 *     zone_unpack_new -> zone_unpack_feed(each chunk) -> zone_unpack_seal -> zone_unpack_check
 *                                                                         -> zone_set_publish
 *
 * The octets may have come off a disk, and are hostile: whatever they are, the outcome is a status,
 * or a version that zone_build would have made of records that it takes. It is the same as what
 * zone_build makes of the same records, under the same limits, and in three quarters of the time:
 * owners come in order and whole, so each is encoded as it comes, and nothing is logged or sorted.
 *
 * One belongs to one thread, and touches no version that is served. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/siphash.h"
#include "common/status.h"
#include "dns/name.h"
#include "zone/build.h"
#include "zone/delta.h"

typedef struct zone_unpack zone_unpack_t;

/* apex is folded, and copied. NULL: no memory. */
zone_unpack_t *zone_unpack_new(const siphash_key_t *key, const dns_name_t *apex,
                               const zone_limits_t *limits);

/* The contract of zone_build_in(); for all zones from now on. */
void zone_unpack_in(zone_unpack_t *u, slab_t *slab);

/* As if it was new, for another zone, wherever it was with the one before: to get its memory is half of
 * the work for a small zone. */
void zone_unpack_next(zone_unpack_t *u, const dns_name_t *apex, const zone_limits_t *limits);

/* Take the next chunk, which is not needed afterwards.
 * Returns   ST_OK; ST_SHORT: it ends within an owner; ST_MALFORMED: it breaks the format, or holds
 *           what no zone can hold, or what doesn't follow the chunk before; ST_NOENT: the apex is
 *           not the first owner; ST_LIMIT: zone_unpack_excess(); ST_NOMEM. After any but ST_OK, that
 *           is what all calls return. */
status_t zone_unpack_feed(zone_unpack_t *u, const uint8_t *chunk, size_t len);

/* That was all of them. It is spent until zone_unpack_next().
 * Returns   ST_OK with *out, which is the caller's; ST_NOENT: no SOA; ST_EXIST: several;
 *           ST_MALFORMED: more or fewer records than the first chunk said; ST_LIMIT; ST_NOMEM. *out
 *           is NULL unless ST_OK. */
status_t zone_unpack_seal(zone_unpack_t *u, zone_version_t **out);

/* What zone_check() says of the version that was just sealed; costs what there is to be found. */
status_t zone_unpack_check(const zone_unpack_t *u, const zone_version_t *v, zone_faults_t *out);

/* After ST_LIMIT: which limit, and where. */
const zone_excess_t *zone_unpack_excess(const zone_unpack_t *u);

/* Nothing is dropped on the way: added and octets are those of the version. */
const zone_build_stats_t *zone_unpack_stats(const zone_unpack_t *u);

void zone_unpack_free(zone_unpack_t *u); /* NULL is fine */

/* Log all operations of a difference into d.
 * Returns   ST_OK; ST_SHORT, ST_MALFORMED; ST_LIMIT: zone_delta_excess(); ST_NOMEM. d is to be
 *           freed unless ST_OK. */
status_t zone_unpack_delta(zone_delta_t *d, const uint8_t *octets, size_t len);
