/* zone/write.h - owners in canonical order in, the blocks of a version out. For zone/ alone. */
#pragma once

#include "common/siphash.h"
#include "zone/build.h"
#include "zone/version.h"

/* A record as the build logged it. */
typedef struct zone_rec {
	uint32_t ttl;
	uint16_t type; /* of an RRSIG: the type that it covers */
	uint16_t rdlen;
	bool is_sig;
	uint8_t rel_len, rel_labels; /* the owner left of the apex */
	uint8_t bytes[];             /* rel_len octets of owner, rdlen of RDATA */
} zone_rec_t;

typedef struct zone_entry {
	uint64_t prefix; /* of the owner's sort key */
	const zone_rec_t *rec;
} zone_entry_t;

typedef struct zone_write zone_write_t;

zone_write_t *zone_write_new(const siphash_key_t *key, const dns_name_t *apex,
                             const zone_limits_t *limits, zone_build_stats_t *stats);

/* All records of one owner; owners come in canonical order, those of NSEC3 (denial) last.
 * ST_NOENT: the first owner is not the apex; ST_LIMIT; ST_NOMEM. */
status_t zone_write_owner(zone_write_t *w, const zone_entry_t *entry, size_t count, bool denial);

/* ST_OK and *out; ST_NOENT, ST_EXIST: not exactly one SOA; ST_NOMEM. */
status_t zone_write_finish(zone_write_t *w, zone_version_t **out);

void zone_write_free(zone_write_t *w); /* NULL is fine */
