/* dns/rr.h - one resource record read off the wire, checked and decompressed.
 *
 * The layout of each type's RDATA comes from ldns's descriptors; the bytes are read by our
 * bounded cursor. Names in RDATA are decompressed for the types of RFC 1035 and those that
 * RFC 3597 section 4 lists, and refused if compressed elsewhere. Types unknown to the table
 * are opaque. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/status.h"
#include "dns/name.h"

typedef struct dns_rr {
	dns_name_t owner; /* folded */
	uint16_t type;
	uint16_t class;
	uint32_t ttl; /* a set top bit reads as 0 (RFC 2181 8) */
	uint16_t rdlen;
	uint8_t rdata[65535]; /* uncompressed, letter case as sent */
} dns_rr_t;

/* Read the record at the cursor, RDATA validated field by field.
 *   msg     over the whole message; moves past the record.
 * Returns   ST_OK; ST_SHORT (the message ends early); ST_MALFORMED (owner, RDLENGTH, a field
 *           of a known type); ST_LIMIT (decompressed RDATA over 65,535 octets). */
status_t dns_rr_read(buf_t *msg, dns_rr_t *rr);

/* Move past one record without looking into its RDATA: type, class, TTL and where RDATA
 * stands. For messages of which only the frame matters. */
typedef struct dns_rr_head {
	uint16_t type, class;
	uint32_t ttl;
	uint16_t rdlen;
	size_t rdata_at; /* offset in the message */
} dns_rr_head_t;
status_t dns_rr_skip(buf_t *msg, dns_name_t *owner, dns_rr_head_t *head);

/* Names in RDATA: the walk that folding, compression and decompression share. Calls
 * visit(arg, offset of the name in rdata, its length) for each in turn. rdata is uncompressed
 * and sound (it came from dns_rr_read). */
typedef void (*dns_rdata_name_cb)(void *arg, size_t off, size_t len);
void dns_rdata_names(uint16_t type, const uint8_t *rdata, size_t rdlen, dns_rdata_name_cb visit,
                     void *arg);

/* Is this sound RDATA of the type, with no name in it compressed? What dns_rr_read() has made of a
 * record is; anything else may come off a disk. */
bool dns_rdata_sound(uint16_t type, const uint8_t *rdata, size_t rdlen);

/* Canonical RDATA (RFC 4034 6.2): names folded for the types listed there. In place. */
void dns_rdata_canonical(uint16_t type, uint8_t *rdata, size_t rdlen);
