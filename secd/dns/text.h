/* dns/text.h - RDATA in presentation form, by ldns: for dumps.
 *
 * What comes out reads back, in any zone file reader, as the octets that went in. Types that ldns
 * can't put into words, and RDATA whose words it would itself read as something else, come out in
 * the form of RFC 3597 5: \# LENGTH HEX. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"

typedef struct dns_text dns_text_t;

/* A writer, with room that it keeps from record to record; belongs to one thread at a time. NULL:
 * no memory. */
dns_text_t *dns_text_new(void);
void dns_text_free(dns_text_t *t); /* NULL is fine */

/* A name for a zone file, absolute; returns out. Stricter than dns_name_text(): octets that some reader
 * of zone files takes for something else come out as \DDD, which all of them know. */
const char *dns_text_name(const uint8_t *wire, char out[DNS_NAME_TEXT_MAX]);

/* The RDATA of a record: sound and uncompressed, as dns_rr_read() leaves it. Returns the text, one
 * line without its end and without a parenthesis, printable ASCII; valid until the next call; or
 * NULL: no memory. */
const char *dns_text_rdata(dns_text_t *t, uint16_t type, const uint8_t *rdata, size_t rdlen);
