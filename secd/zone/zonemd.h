/* zone/zonemd.h - does a zone match the digest that came with it (RFC 8976)?
 *
 * Scheme SIMPLE with SHA-384 and SHA-512. ldns can do it, from an ldns_rr for each record: ten times
 * the memory of the zone, and seconds. This walks the version as it lies. */
#pragma once

#include "common/status.h"
#include "zone/version.h"

/* From good to bad; of several records, the best one counts when it is valid, the worst otherwise. */
typedef enum zone_zonemd {
	ZONE_ZONEMD_VALID,
	ZONE_ZONEMD_ABSENT,  /* the apex has no ZONEMD */
	ZONE_ZONEMD_UNKNOWN, /* each is of a scheme or an algorithm that is not known here */
	ZONE_ZONEMD_TWICE,   /* its scheme and algorithm stand twice: neither counts (RFC 8976 4) */
	ZONE_ZONEMD_SERIAL,  /* it is that of another serial */
	ZONE_ZONEMD_DIFFERS, /* the digest is another one */
} zone_zonemd_t;

/* Look at the ZONEMD of the apex, and at every record if one is of a known kind: a million take
 * some half a second, and a reference for each name. A version has one TTL for each RRset, which its
 * RRSIGs share (RFC 2181 5.2, RFC 4034 3): from a primary that sends several, no digest matches.
 * ST_OK; ST_NOMEM. */
status_t zone_zonemd_verify(const zone_version_t *v, zone_zonemd_t *out);

/* In a few words: "the digest differs". */
const char *zone_zonemd_text(zone_zonemd_t verdict);
