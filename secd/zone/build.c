/* zone/build.c - records are logged as they come, sorted once, and written out in order. */
#include "zone/build.h"

#include <stdlib.h>

#include "zone/log.h"
#include "zone/write.h"

struct zone_build {
	siphash_key_t key;
	zone_log_t log;
};

/* Address space costs nothing; what is beyond the estimate is for names that need many empty
 * non-terminals, and for the changes to come. */
enum { RESERVE_FIRST = 4096, RESERVE_TIMES = 4, RECORD_EXTRA = 64, RESERVE_STEP = 16 };

static const uint64_t RESERVE_MOST = (uint64_t)UINT32_MAX * ZONE_UNIT;

zone_build_t *zone_build_new(const siphash_key_t *key, const dns_name_t *apex,
                             const zone_limits_t *limits)
{
	zone_build_t *b = malloc(sizeof *b);

	if (!b)
		return NULL;
	b->key = *key;
	zone_log_init(&b->log, apex, limits);
	return b;
}

void zone_build_free(zone_build_t *b)
{
	if (!b)
		return;
	zone_log_free(&b->log);
	free(b);
}

const zone_build_stats_t *zone_build_stats(const zone_build_t *b)
{
	return &b->log.stats;
}

status_t zone_build_add(zone_build_t *b, const dns_rr_t *rr)
{
	return zone_log_add(&b->log, rr, false);
}

/* One try, with this much address space. */
static status_t seal_within(zone_build_t *b, uint64_t reserve, zone_version_t **out)
{
	zone_arena_t *arena = zone_arena_new((size_t)reserve);
	zone_build_stats_t before = b->log.stats;
	zone_change_t change;
	zone_root_t root;
	status_t st;

	if (!arena)
		return ST_NOMEM;
	zone_change_begin(&change, arena, true);
	st = zone_write_log(&change, &b->key, &b->log, &root);
	if (st == ST_OK) {
		*out = zone_write_version(&b->key, &b->log.apex, arena, &root, true);
		st = *out ? ST_OK : ST_NOMEM;
	}
	zone_arena_drop(arena); /* the version holds it, if it is in it */
	if (st == ST_NOMEM)
		b->log.stats = before; /* what was counted will be counted again */
	return st;
}

status_t zone_build_seal(zone_build_t *b, zone_version_t **out)
{
	uint64_t estimate = b->log.wire_bytes + b->log.stats.added * RECORD_EXTRA;
	uint64_t reserve = RESERVE_FIRST + estimate * RESERVE_TIMES;
	status_t st = ST_NOMEM;

	*out = NULL;
	zone_list_sort(&b->log.names);
	zone_list_sort(&b->log.denial);
	for (; st == ST_NOMEM && reserve < RESERVE_MOST; reserve *= RESERVE_STEP)
		st = seal_within(b, reserve, out);
	if (st == ST_NOMEM)
		st = seal_within(b, RESERVE_MOST, out);
	zone_log_free(&b->log);
	return st;
}
