/* zone/write.h - making versions: whole ones in bulk, copies, and the last step of both. For zone/
 * alone. */
#pragma once

#include "common/siphash.h"
#include "zone/change.h"
#include "zone/doubts.h"
#include "zone/log.h"
#include "zone/node.h"

/* Write every record of the log, whose lists are sorted, into the arena of c, which is empty, and
 * tell where it begins. With spend, the log's memory goes back as its records are written. What zone_check()
 * should look at is added to doubts.
 * Returns   ST_OK; ST_NOENT, ST_EXIST: not exactly one SOA; ST_LIMIT; ST_MALFORMED; ST_NOMEM. */
status_t zone_write_log(zone_change_t *c, const siphash_key_t *key, zone_log_t *log, bool spend,
                        zone_doubts_t *doubts, zone_root_t *out);

/* Copy everything that a root leads to into the arena of c, without holes. With e, the names get
 * the hashes that it makes, or none. ST_NOMEM; ST_LIMIT from e. */
status_t zone_write_copy(zone_change_t *c, const siphash_key_t *key, const dns_name_t *apex,
                         const uint8_t *base, const zone_root_t *root, zone_encoder_t *e,
                         zone_root_t *out);

/* The hash of a name of the zone, given by what stands left of the apex. */
uint64_t zone_write_hash(const siphash_key_t *key, const dns_name_t *apex, const uint8_t *rel,
                         size_t rel_len);

/* A version that begins at root, in arena, which it holds; or, if it is small, in one piece: then
 * the arena, which must have no holes, is left alone (compact says that it has none). NULL: no
 * memory. */
zone_version_t *zone_write_version(const siphash_key_t *key, const dns_name_t *apex,
                                   zone_arena_t *arena, const zone_root_t *root, bool compact);
