/* zone/build.c - records are logged as they come, sorted once, and written out in order. */
#include "zone/build.h"

#include <stdlib.h>

#include "zone/doubts.h"
#include "zone/log.h"
#include "zone/write.h"

struct zone_build {
	siphash_key_t key;
	zone_log_t log;
	zone_doubts_t doubts; /* of the sealed version */
};

/* Address space costs nothing; what is beyond the estimate is for names that need many empty
 * non-terminals, and for the changes to come. */
enum { RESERVE_FIRST = 4096, RESERVE_TIMES = 4, RECORD_EXTRA = 64, RESERVE_STEP = 4 };

static const uint64_t RESERVE_MOST = (uint64_t)UINT32_MAX * ZONE_UNIT;
static const uint64_t SMALL = 4 << 20;

zone_build_t *zone_build_new(const siphash_key_t *key, const dns_name_t *apex,
                             const zone_limits_t *limits)
{
	zone_build_t *b = malloc(sizeof *b);

	if (!b)
		return NULL;
	b->key = *key;
	b->doubts = (zone_doubts_t){ 0 };
	zone_log_init(&b->log, apex, limits);
	return b;
}

void zone_build_free(zone_build_t *b)
{
	if (!b)
		return;
	zone_log_free(&b->log);
	zone_doubts_free(&b->doubts);
	free(b);
}

const zone_build_stats_t *zone_build_stats(const zone_build_t *b)
{
	return &b->log.stats;
}

size_t zone_build_memory(const zone_build_t *b)
{
	return b->log.memory;
}

const zone_excess_t *zone_build_excess(const zone_build_t *b)
{
	return &b->log.excess;
}

status_t zone_build_add(zone_build_t *b, const dns_rr_t *rr)
{
	return zone_log_add(&b->log, rr, false);
}

/* Write the log into arena, which becomes the version's. */
static status_t seal_into(zone_build_t *b, zone_arena_t *arena, bool spend, zone_version_t **out)
{
	zone_change_t change;
	zone_root_t root;
	status_t st;

	zone_change_begin(&change, arena, true);
	st = zone_write_log(&change, &b->key, &b->log, spend, &b->doubts, &root);
	if (st == ST_OK) {
		*out = zone_write_version(&b->key, &b->log.apex, arena, &root, true);
		st = *out ? ST_OK : ST_NOMEM;
	}
	return st;
}

/* The log stays until the zone is written: when an estimate was too low, a larger one is tried. */
static status_t seal_small(zone_build_t *b, uint64_t reserve, zone_version_t **out)
{
	zone_build_stats_t before = b->log.stats;
	status_t st = ST_NOMEM;

	for (; st == ST_NOMEM && reserve < RESERVE_MOST; reserve *= RESERVE_STEP) {
		zone_arena_t *arena = zone_arena_new((size_t)reserve);

		if (!arena)
			return ST_NOMEM;
		b->log.stats = before; /* what was counted is counted again */
		b->doubts.count = 0;
		st = seal_into(b, arena, false, out);
		zone_arena_drop(arena); /* the version holds it, if it is in it */
	}
	return st;
}

/* The log is spent as the zone is written, so there is one try, with all the address space there
 * can be; what the zone will not grow into goes back. */
static status_t seal_big(zone_build_t *b, uint64_t reserve, zone_version_t **out)
{
	uint64_t most = RESERVE_MOST;
	zone_arena_t *arena = zone_arena_new((size_t)most);
	status_t st;

	while (!arena && (most /= RESERVE_STEP) > reserve)
		arena = zone_arena_new((size_t)most);
	if (!arena && !(arena = zone_arena_new((size_t)reserve)))
		return ST_NOMEM;
	st = seal_into(b, arena, true, out);
	zone_arena_trim(arena, (size_t)reserve);
	zone_arena_drop(arena);
	return st;
}

status_t zone_build_seal(zone_build_t *b, zone_version_t **out)
{
	uint64_t estimate = b->log.wire_bytes + b->log.stats.added * RECORD_EXTRA;
	uint64_t reserve = RESERVE_FIRST + estimate * RESERVE_TIMES;
	status_t st = zone_list_sort(&b->log.names);

	*out = NULL;
	if (st == ST_OK)
		st = zone_list_sort(&b->log.denial);
	if (st == ST_OK && reserve <= SMALL)
		st = seal_small(b, reserve, out);
	else if (st == ST_OK)
		st = seal_big(b, reserve < RESERVE_MOST ? reserve : RESERVE_MOST, out);
	zone_log_free(&b->log);
	return st;
}

status_t zone_build_check(const zone_build_t *b, const zone_version_t *v, zone_faults_t *out)
{
	return zone_doubts_check(&b->doubts, v, out);
}
