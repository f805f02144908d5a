/* zone/delta.h - a new version from the one before and a few records: what IXFR brings.
 *
 *     zone_delta_new(base) -> zone_delta_remove, zone_delta_add ... -> zone_delta_seal
 *                                                     -> zone_set_publish(next, base)
 *
 * A delta of k records on a zone of n costs O(k log n): the new version shares with base all that
 * it does not change. base stays as it is for whoever reads it; what it alone holds is freed with
 * it, and used again.
 *
 * A delta belongs to one thread. Until the version that it made is published or freed, no other
 * delta may be made over the same base: they would share one arena. */
#pragma once

#include "common/status.h"
#include "dns/rr.h"
#include "zone/build.h"
#include "zone/version.h"

typedef struct zone_delta zone_delta_t;

/* base is borrowed until the delta is freed, and must be what is served. NULL: no memory. */
zone_delta_t *zone_delta_new(const zone_version_t *base, const zone_limits_t *limits);
void zone_delta_free(zone_delta_t *d); /* NULL is fine */

/* Log a removal or an addition; of one record, in the order in which they are to happen (several
 * diffs of one IXFR follow each other). The statuses are those of zone_build_add(). */
status_t zone_delta_remove(zone_delta_t *d, const dns_rr_t *rr);
status_t zone_delta_add(zone_delta_t *d, const dns_rr_t *rr);

/* Apply all of it. A removal matches name, type, class and RDATA, not the TTL.
 * Returns   ST_OK with *out, which is the caller's; ST_STALE: removes what isn't there, or adds
 *           what is: zone_delta_culprit(); ST_NOENT, ST_EXIST: not one SOA in the end; ST_LIMIT;
 *           ST_MALFORMED; ST_NOMEM. Unless ST_OK, *out is NULL and nothing has changed. */
status_t zone_delta_seal(zone_delta_t *d, zone_version_t **out);

/* What was dropped on the way; added counts removals, too. */
const zone_build_stats_t *zone_delta_stats(const zone_delta_t *d);

/* Memory that the records take until they are applied. */
size_t zone_delta_memory(const zone_delta_t *d);

/* All that was logged. For zone/ alone. */
const struct zone_log *zone_delta_log(const zone_delta_t *d);

/* After ST_STALE: the record that was removed though it isn't there, or added though it is. */
typedef struct zone_culprit {
	dns_name_t owner;
	uint16_t type;
	uint16_t covered; /* of an RRSIG: the type that it covers */
	bool remove;
} zone_culprit_t;
void zone_delta_culprit(const zone_delta_t *d, zone_culprit_t *out);

/* What zone_check() would say of v, which was just sealed, as far as the difference reaches: the apex,
 * the names that it changed, the delegations at or above these, the links of the chain at and
 * before them. Costs what the difference costs. If base had none of a fault, this is all of it,
 * but for what lies below a DNAME:
 *   - a DNAME that came above names that are there counts once, by its own name;
 *   - names that a delegation hid from a DNAME above them, and that has gone, are not seen.
 * Faults that base had are told again only where the difference touches them. ST_NOMEM. */
status_t zone_delta_check(const zone_delta_t *d, const zone_version_t *v, zone_faults_t *out);

/* After ST_LIMIT: which limit, and where. */
const zone_excess_t *zone_delta_excess(const zone_delta_t *d);
