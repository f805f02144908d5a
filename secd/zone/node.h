/* zone/node.h - from the records of one owner to the octets of its node, and back. For zone/
 * alone. */
#pragma once

#include "dns/name.h"
#include "zone/layout.h"
#include "zone/log.h"

typedef struct zone_encoder zone_encoder_t;

/* Names, limits, what is counted and the limit that was passed are those of log.
 *   params    names are hashed so, and their hashes go into the nodes; NULL: the zone has no chain
 *             of NSEC3. Borrowed, as log is.
 *   records   that are worked through: what hashing may cost grows with them. A name costs as
 *             many hashes as it has labels, so without a bound a megabyte of long names would
 *             keep a builder busy for an hour.
 * NULL: no memory. One thread. */
zone_encoder_t *zone_encoder_new(zone_log_t *log, const dns_nsec3_params_t *params,
                                 uint64_t records);
/* ... with the memory of one that there is. */
void zone_encoder_again(zone_encoder_t *e, zone_log_t *log, const dns_nsec3_params_t *params,
                        uint64_t records);
/* Has it had an owner so large that its memory should not be kept? */
bool zone_encoder_is_big(const zone_encoder_t *e);
void zone_encoder_free(zone_encoder_t *e); /* NULL is fine */

/* A node as it would lie in an arena. */
typedef struct zone_image {
	const zone_node_t *node; /* in the encoder, until the next one is made */
	size_t len;
	uint32_t records;
	unsigned soas; /* SOA records among them; soa is the last one's */
	uint32_t sigs; /* RRSIGs among the records */
	bool inside;   /* a name in RDATA may be at or below the owner */
	dns_soa_t soa;
} zone_image_t;

/* Make the node of an owner.
 *   recs       count records, whose order is changed; doubles among them are dropped and
 *              counted. May be none: an empty non-terminal.
 *   flags      what the records don't tell: ZONE_NODE_PARENT (with children, which may be
 *              changed in place later), ZONE_NODE_WILD_CHILD, ZONE_NODE_HASHED for a name of the zone,
 *              which is hashed if the zone has a chain of NSEC3.
 * Returns      ST_OK; ST_LIMIT: the excess is in the log; ST_NOMEM; ST_MALFORMED: SOA RDATA. */
status_t zone_encode(zone_encoder_t *e, const uint8_t *rel, size_t rel_len, unsigned rel_labels,
                     const zone_rec_t **recs, size_t count, unsigned flags, uint32_t children,
                     zone_image_t *out);

/* The same RRsets as node's with other flags and another number of children. Hashes are made
 * anew. ST_LIMIT, ST_NOMEM. */
status_t zone_encode_like(zone_encoder_t *e, const zone_node_t *node, unsigned flags,
                          uint32_t children, zone_image_t *out);

/* Compare two records of one owner by type and canonical RDATA (RFC 4034 6.3): <0, 0, >0. */
int zone_rec_cmp(zone_encoder_t *e, const zone_rec_t *a, const zone_rec_t *b);

/* The node's records, copied into log's memory: *recs is malloc'd for the caller to free, with
 * room for extra more. ST_NOMEM. */
status_t zone_decode(const zone_version_t *v, const zone_node_t *node, zone_log_t *log,
                     size_t extra, const zone_rec_t ***recs, size_t *count);
