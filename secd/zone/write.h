/* zone/write.h - making versions: whole ones in bulk, copies, and the last step of both. For zone/
 * alone. */
#pragma once

#include "common/siphash.h"
#include "common/slab.h"
#include "zone/change.h"
#include "zone/doubts.h"
#include "zone/log.h"
#include "zone/node.h"

/* A name of the zone, by what stands left of the apex. */
typedef struct zone_owner {
	const uint8_t *rel;
	uint8_t len, labels;
} zone_owner_t;

/* Writes owners, as they are put one after the other, into the arena of a change; one zone after the other. */
typedef struct zone_writer zone_writer_t;

zone_writer_t *zone_writer_new(void); /* NULL: no memory */

/* A zone, into the arena of c, which is empty, and is c's alone until zone_writer_end().
 *   log       has the apex, the limits and what is counted; its records are not looked at
 *   records   that will come: what the hashing of names may cost grows with them
 *   names     room for so many to begin with, and for so many owners of NSEC3
 *   doubts    what zone_check() should look at is added here
 * All are borrowed. ST_NOMEM. */
status_t zone_writer_begin(zone_writer_t *w, zone_change_t *c, const siphash_key_t *key,
                           zone_log_t *log, zone_doubts_t *doubts, uint64_t records, size_t names,
                           size_t denials);

/* Until the next one begins: memory that only a big zone needs goes back. */
void zone_writer_rest(zone_writer_t *w);
void zone_writer_free(zone_writer_t *w); /* NULL is fine */

/* The node of an owner with count records (their order is changed), and of the empty non-terminals
 * that it needs above it. In canonical order, the apex first.
 *   next      the name behind it; NULL: none. Its octets are not needed any more when this returns,
 *             those of owner must stay until the next name was put.
 * Returns     ST_OK; ST_NOENT: the first one isn't the apex; ST_LIMIT; ST_MALFORMED: SOA RDATA;
 *             ST_NOMEM. */
status_t zone_writer_name(zone_writer_t *w, const zone_owner_t *owner, const zone_rec_t **recs,
                          size_t count, const zone_owner_t *next);

/* That of an owner of NSEC3, in order, after the last name. */
status_t zone_writer_denial(zone_writer_t *w, const zone_owner_t *owner, const zone_rec_t **recs,
                            size_t count);

/* Lay trees and index over the nodes, and tell where it all begins.
 * Returns   ST_OK; ST_NOENT, ST_EXIST: not exactly one SOA; ST_NOMEM. */
status_t zone_writer_end(zone_writer_t *w, zone_root_t *out);

/* Write every record of the log, whose lists are sorted, into the arena of c, which is empty, and
 * tell where it begins. The log's memory goes back as its records are written. Statuses are those
 * of the writer. */
status_t zone_write_log(zone_change_t *c, const siphash_key_t *key, zone_log_t *log,
                        zone_doubts_t *doubts, zone_root_t *out);

/* How many octets an arena needs for so many records of so many octets of wire form, with room for
 * the changes to come: an estimate for zone_arena_for(). */
uint64_t zone_write_estimate(uint64_t records, uint64_t octets);

/* Copy everything that a root leads to into the arena of c, without holes. With e, the names get
 * the hashes that it makes, or none. ST_NOMEM; ST_LIMIT from e. */
status_t zone_write_copy(zone_change_t *c, const siphash_key_t *key, const dns_name_t *apex,
                         const uint8_t *base, const zone_root_t *root, zone_encoder_t *e,
                         zone_root_t *out);

/* The hash of a name of the zone, given by what stands left of the apex. */
uint64_t zone_write_hash(const siphash_key_t *key, const dns_name_t *apex, const uint8_t *rel,
                         size_t rel_len);

/* A version that begins at root, in arena, which it holds; or, if it is small, in one piece: then
 * the arena, which must have no holes, is left alone (compact says that it has none). What is not in the arena is
 * the slab's, or, if that is NULL, malloc's. NULL: no memory. */
zone_version_t *zone_write_version(slab_t *slab, const siphash_key_t *key, const dns_name_t *apex,
                                   zone_arena_t *arena, const zone_root_t *root, bool compact);
