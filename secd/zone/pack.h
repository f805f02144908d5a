/* zone/pack.h - a whole zone, and a difference, as octets to be kept: what the state on disk
 * stores. zone/unpack.h reads them.
 *
 *     zone_pack_new(v) -> zone_pack_next ... -> zone_pack_free
 *     zone_delta_seal(d) -> zone_pack_delta(d)
 *
 * All numbers are big-endian; nothing depends on the machine, or on how a version lies in memory.
 *
 *     chunk     u8 kind     0: names, and the first chunk of a zone; 1: more names;
 *                           2: owners of NSEC3
 *               u64 records, u64 octets      in kind 0 alone: of the whole zone; octets as max-size
 *                                            counts them, which is a hint
 *               owner, owner, ...            until the chunk ends
 *     owner     u8 rel_len, rel_len octets   what stands left of the apex: folded labels, no root;
 *                                            0 octets for the apex
 *               u16 RRsets, then these, ascending by type
 *     RRset     u16 type, u16 count, u16 sig_count, u32 ttl
 *               count x (u16 rdlen, RDATA)         in canonical order (RFC 4034 6.3)
 *               sig_count x (u16 rdlen, RDATA)     of the RRSIGs that cover it; also in that order
 *
 *     difference    operation, operation, ...
 *     operation     u8 flags (1: remove), u8 rel_len, rel_len octets,
 *                   u16 type, u32 ttl, u16 rdlen, RDATA
 *
 * RDATA is uncompressed, its case as it came. The apex is the first owner, and the SOA is among its
 * RRsets. Owners are in canonical order (RFC 4034 6.1): first the names, but for empty
 * non-terminals, then the owners of NSEC3. A chunk holds whole owners of one of both, and so many
 * that it has some 256 KiB; it is larger only when one owner is. An RRset may have signatures
 * alone. Of one record the operations of a difference stand in the order in which they are to
 * happen. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "zone/delta.h"
#include "zone/version.h"

enum { ZONE_PACK_BEGIN, ZONE_PACK_NAMES, ZONE_PACK_DENIAL }; /* kinds of chunks */
enum { ZONE_PACK_REMOVE = 1 };                               /* flags of operations */

typedef struct zone_pack zone_pack_t;

/* Begin to pack v, which the caller keeps alive until zone_pack_free(), and which others may read
 * meanwhile. NULL: no memory. One thread. */
zone_pack_t *zone_pack_new(const zone_version_t *v);

/* The next chunk, which is good until the next call.
 * Returns   ST_OK; ST_NOENT: that was all; ST_NOMEM: give up. */
status_t zone_pack_next(zone_pack_t *p, const uint8_t **octets, size_t *len);

void zone_pack_free(zone_pack_t *p); /* NULL is fine */

/* All operations of d, before or after zone_delta_seal(): *octets is malloc'd for the caller to
 * free. ST_NOMEM. */
status_t zone_pack_delta(const zone_delta_t *d, uint8_t **octets, size_t *len);
