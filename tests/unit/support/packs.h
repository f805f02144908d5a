/* tests/unit/support/packs.h - zones packed and read back, for the tests of both. */
#pragma once

#include "support/zones.h"
#include "zone/delta.h"
#include "zone/pack.h"
#include "zone/unpack.h"

/* Zones of all kinds, by their lines below example. */
typedef struct packs_zone {
	const char *why, *lines;
} packs_zone_t;
enum { PACKS_ZONES = 7 };
extern const packs_zone_t packs_zones[PACKS_ZONES];

/* Differences: what is taken out begins with a minus, what is put in with a plus. */
typedef struct packs_change {
	const char *why, *base, *changes;
} packs_change_t;
enum { PACKS_CHANGES = 4 };
extern const packs_change_t packs_changes[PACKS_CHANGES];

enum { PACKS_MAX = 64 };

typedef struct packs_chunks {
	size_t count, len[PACKS_MAX];
	uint8_t *octets
		[PACKS_MAX]; /* each an allocation of its own size, so that ASan sees its end */
} packs_chunks_t;

packs_chunks_t packs_of(const zone_version_t *v); /* asserts */
void packs_drop(packs_chunks_t *c);
bool packs_same(const packs_chunks_t *a, const packs_chunks_t *b);

status_t packs_feed(zone_unpack_t *u, const packs_chunks_t *c);

/* All of it; *out is NULL unless ST_OK. */
status_t packs_read(const char *origin, const packs_chunks_t *c, zone_version_t **out);
status_t packs_read_within(const char *origin, const packs_chunks_t *c, const zone_limits_t *limits,
                           zone_excess_t *excess, zone_version_t **out);

/* Two versions are the same to whoever looks into them: asserts. */
void packs_compare(const zone_version_t *got, const zone_version_t *want, const char *why);

/* There and back, compared, and there again; the version that comes back. */
zone_version_t *packs_round_trip(const char *origin, const zone_version_t *v, const char *why);

/* The changes logged over base; asserts. */
zone_delta_t *packs_delta(const zone_version_t *base, const char *changes);
