/* zone/excess.h - which limit a zone is over, and where. xfr/why.h has the words. */
#pragma once

#include <stdint.h>

#include "dns/name.h"

typedef enum zone_limit {
	ZONE_LIMIT_NONE,
	ZONE_LIMIT_RECORDS, /* of the zone; of what was sent, when it is told while it comes */
	ZONE_LIMIT_BYTES,   /* of their wire form */
	ZONE_LIMIT_RRSET,   /* records of one RRset, or octets of it (4 GiB) */
	ZONE_LIMIT_RRSETS,  /* RRsets of one name */
	ZONE_LIMIT_HASHES,  /* what it costs to hash the names (RFC 5155 5) */
} zone_limit_t;

typedef struct zone_excess {
	zone_limit_t limit;
	uint16_t type;                   /* of the RRset */
	uint64_t count;                  /* what there is, as far as it was counted */
	uint64_t most;                   /* what there may be */
	uint8_t owner[DNS_NAME_MAX + 1]; /* of the RRset or RRsets; wire, folded */
} zone_excess_t;
