/* answer/compose.h - writing one answer: sections, pointers, the one place that truncates.
 *
 * Every owner that an answer names stands in it already, as the question, as the end of the
 * question, or as a name in an RDATA before; so an owner is always a place in the message. Only
 * those of NSEC and NSEC3 don't, and their ends do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "dns/name.h"
#include "zone/version.h"

/* Where a name stands in the message. */
typedef struct compose_place {
	uint32_t pos;
	uint8_t len; /* octets of the whole name, uncompressed */
	bool flat;   /* no pointer inside: its suffixes lie at pos + offset */
} compose_place_t;

typedef enum compose_section {
	COMPOSE_ANSWER,
	COMPOSE_AUTHORITY,
	COMPOSE_ADDITIONAL
} compose_section_t;

typedef struct compose {
	uint8_t *out;
	size_t pos;
	size_t limit; /* of the message, room for OPT already taken off */
	uint16_t count[3];
	unsigned turn;  /* RRsets of the answer section begin with another record: 0 for none */
	bool with_sigs; /* DO: RRSIGs go with their RRset */
	bool truncated;
} compose_t;

/* The place of the suffix of a name that begins skip octets into it. */
compose_place_t compose_suffix(const compose_t *c, compose_place_t name, size_t skip);

/* Append an RRset whose owner stands at place.
 * Returns   ST_OK, or ST_LIMIT: it did not fit, and nothing was written. */
status_t compose_rrset(compose_t *c, compose_section_t section, const zone_rrset_t *set,
                       compose_place_t owner);

/* The same for an owner that does not stand in the message: it is written once, own_len octets of
 * it and a pointer to rest, where the others stand. For RRsets without pointers in RDATA. */
status_t compose_rrset_below(compose_t *c, compose_section_t section, const zone_rrset_t *set,
                             const uint8_t *own, size_t own_len, compose_place_t rest);

/* The RRSIGs of an RRset alone (QTYPE=RRSIG). */
status_t compose_sigs(compose_t *c, compose_section_t section, const zone_rrset_t *set,
                      compose_place_t owner);

/* Append one record with the given RDATA, copied as it is. */
status_t compose_record(compose_t *c, compose_section_t section, compose_place_t owner,
                        uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata,
                        size_t rdlen);

/* Lower the TTLs of the records in out[from..pos) to at most ttl (RFC 2308 5). The records
 * begin with pointers, as compose_rrset() writes them. */
void compose_cap_ttl(compose_t *c, size_t from, uint32_t ttl);
