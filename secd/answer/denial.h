/* answer/denial.h - what proves that something is not there: NSEC (RFC 4035 3.1.3), NSEC3 (RFC 5155
 * 7.2). For answer/ alone.
 *
 * A chain of aliases may owe a proof for each of its links, and they stand behind the whole
 * answer section: so they are gathered on the way, each record once, and written at the end.
 *
 *                          NSEC                           NSEC3
 *     no such name         covers it; covers *.encloser   encloser; next closer; *.encloser
 *     no such type         of the name (or covers it,     of the name; without one, encloser
 *                          when it is empty)              and next closer (opt-out)
 *     from a wildcard      covers the name                next closer
 *     ... but not of type  covers the name; *.encloser    encloser; next closer; *.encloser
 *     referral without DS  of the cut                     as for a missing type
 *
 * Which chain counts is zone/'s to say. What a chain lacks is left out: nothing is made up. */
#pragma once

#include "answer/compose.h"
#include "zone/hash.h"
#include "zone/version.h"

/* A search for the NSEC3 that an answer will want, as far as can be told from the lookup of its
 * name: made for a whole batch of queries at a time (answer/answer.c). */
typedef struct denial_seek {
	bool wanted;
	uint8_t label; /* of the name, at which what was hashed begins */
	zone_seek_t seek;
} denial_seek_t;

void denial_seek_plan(denial_seek_t *s, const zone_version_t *v, const dns_name_t *name,
                      uint16_t qtype, const zone_lookup_t *l);

/* A name on its way through a zone. */
typedef struct denial_name {
	const zone_version_t *version;
	const dns_name_t *name; /* folded */
	const zone_hashes_t *hashes;
	compose_place_t place;     /* in the message */
	const denial_seek_t *seek; /* what was searched for ahead; NULL: nothing */
} denial_name_t;

/* One proof: the owner of an NSEC or NSEC3 record. */
typedef struct denial_proof {
	const zone_version_t *version;
	const zone_node_t *node;
	uint16_t type;
	uint8_t own_len; /* octets of its name left of what stands at rest */
	compose_place_t rest;
} denial_proof_t;

/* One for each link of the longest chain, and what ends it. */
enum { DENIAL_MAX = 24 };

typedef struct denial {
	unsigned count;
	denial_proof_t owed[DENIAL_MAX];
} denial_t;

/* l is what the lookup of the name said. Each may add proofs to d. */
void denial_no_name(denial_t *d, const compose_t *c, const denial_name_t *n,
                    const zone_lookup_t *l); /* ZONE_NONE */
void denial_no_type(denial_t *d, const compose_t *c, const denial_name_t *n,
                    const zone_lookup_t *l); /* ZONE_FOUND, ZONE_WILDCARD */
void denial_wildcard(denial_t *d, const compose_t *c, const denial_name_t *n,
                     const zone_lookup_t *l); /* ZONE_WILDCARD with the type */
void denial_no_ds(denial_t *d, const compose_t *c, const denial_name_t *n,
                  const zone_lookup_t *l); /* ZONE_CUT */

/* Write all that is owed into the authority section. ST_LIMIT: it did not all fit. */
status_t denial_write(const denial_t *d, compose_t *c);
