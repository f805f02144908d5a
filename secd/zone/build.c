/* zone/build.c - records are logged as they come, sorted once, and written out in order. */
#include "zone/build.h"

#include <stdlib.h>

#include "zone/arena.h"
#include "zone/doubts.h"
#include "zone/log.h"
#include "zone/write.h"

struct zone_build {
	siphash_key_t key;
	slab_t *slab;
	zone_log_t log;
	zone_doubts_t doubts; /* of the sealed version */
};

zone_build_t *zone_build_new(const siphash_key_t *key, const dns_name_t *apex,
                             const zone_limits_t *limits)
{
	zone_build_t *b = malloc(sizeof *b);

	if (!b)
		return NULL;
	b->key = *key;
	b->slab = NULL;
	b->doubts = (zone_doubts_t){ 0 };
	zone_log_init(&b->log, apex, limits);
	return b;
}

void zone_build_in(zone_build_t *b, slab_t *slab)
{
	b->slab = slab;
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

/* Write the log, which is spent on the way, into arena, which becomes the version's. */
static status_t seal_into(zone_build_t *b, zone_arena_t *arena, zone_version_t **out)
{
	zone_change_t change;
	zone_root_t root;
	status_t st;

	zone_change_begin(&change, arena, true);
	st = zone_write_log(&change, &b->key, &b->log, &b->doubts, &root);
	if (st == ST_OK) {
		*out = zone_write_version(b->slab, &b->key, &b->log.apex, arena, &root, true);
		st = *out ? ST_OK : ST_NOMEM;
	}
	return st;
}

status_t zone_build_seal(zone_build_t *b, zone_version_t **out)
{
	uint64_t reserve = zone_write_estimate(b->log.stats.added, b->log.wire_bytes);
	zone_arena_t *arena = NULL;
	status_t st = zone_list_sort(&b->log.names);

	*out = NULL;
	if (st == ST_OK)
		st = zone_list_sort(&b->log.denial);
	if (st == ST_OK && !(arena = zone_arena_for(reserve)))
		st = ST_NOMEM;
	if (st == ST_OK) {
		st = seal_into(b, arena, out);
		zone_arena_trim(arena, reserve);
	}
	zone_arena_drop(arena); /* the version holds it, if it is in it */
	zone_log_free(&b->log);
	return st;
}

status_t zone_build_check(const zone_build_t *b, const zone_version_t *v, zone_faults_t *out)
{
	return zone_doubts_check(&b->doubts, v, out);
}
