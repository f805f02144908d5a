/* dns/name.h - domain names in wire form, with the place of each label.
 *
 * A dns_name_t is a whole uncompressed name and the offset of each of its labels, so that
 * every ancestor is a suffix that costs nothing to name. It is big (some 390 bytes): it lives
 * in requests, cursors and on stacks; what is stored is the bare wire form ("const uint8_t *",
 * its length found by dns_wire_len()).
 *
 * "Folded" means ASCII upper case turned to lower (RFC 4343): bytes above 127 and zero bytes
 * are as they are. Comparisons below take folded names, and compare octets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/status.h"

enum {
	DNS_NAME_MAX = 255, /* octets, the root's zero included (RFC 1035 3.1) */
	DNS_LABEL_MAX = 63,
	DNS_LABELS_MAX = 127,     /* labels of a name, the root not counted */
	DNS_NAME_TEXT_MAX = 1024, /* presentation form with every octet as \DDD, and its NUL */
};

typedef struct dns_name {
	uint8_t len;                     /* octets in wire, 1..255 */
	uint8_t labels;                  /* the root not counted: 0..127 */
	uint8_t off[DNS_LABELS_MAX + 1]; /* of label i from the left; off[labels] is the root's */
	uint8_t wire[DNS_NAME_MAX + 1];  /* one more: so words cover it */
} dns_name_t;

extern const uint8_t dns_fold_table[256];

static inline uint8_t dns_fold(uint8_t c)
{
	return dns_fold_table[c];
}

/* Read the name at the cursor. Compression pointers lead backwards only, each further than
 * the one before (RFC 1035 4.1.4), so reading ends.
 *   msg     over the whole message, so that pointers make sense; moves past the name.
 * Returns   ST_OK; ST_SHORT; ST_MALFORMED (label type, pointer, length). On failure *out is
 *           undefined and the cursor is bad. */
status_t dns_name_read(buf_t *msg, dns_name_t *out);

/* The same where compression is not allowed: RFC 3597 4 types, a query's own question. */
status_t dns_name_read_plain(buf_t *msg, dns_name_t *out);

/* From wire bytes known to be a sound uncompressed name (what is stored). */
void dns_name_from_wire(const uint8_t *wire, dns_name_t *out);

/* From presentation form (RFC 1035 5.1, \DDD and \X escapes), taken as absolute with or
 * without the final dot; "." is the root. ST_MALFORMED: empty label, bad escape; ST_LIMIT: a
 * label over 63 or a name over 255 octets. */
status_t dns_name_from_text(const char *text, dns_name_t *out);

/* Presentation form with the final dot; returns out. Only printable ASCII comes out. */
const char *dns_name_text(const uint8_t *wire, char out[DNS_NAME_TEXT_MAX]);

void dns_name_fold(dns_name_t *name);

/* Octets of a sound uncompressed wire name. */
size_t dns_wire_len(const uint8_t *wire);

/* Octets of the uncompressed name at p, of which n can be read; 0: it is none, or not sound. */
size_t dns_wire_plain(const uint8_t *p, size_t n);

/* The uncompressed name at the cursor, where it stands; NULL: there is no sound one, and the cursor stays. */
static inline const uint8_t *dns_wire_take(buf_t *b)
{
	const size_t n = b->bad ? 0 : dns_wire_plain(b->base + b->pos, buf_left(b));

	return n > 0 ? buf_take(b, n) : NULL;
}

/* Equal octet by octet: both folded, or both meant to be exact. */
static inline bool dns_name_equal(const dns_name_t *a, const dns_name_t *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

/* Equal without regard to case; wire forms. */
bool dns_wire_equal_fold(const uint8_t *a, const uint8_t *b);

/* Is name at or below apex? Both folded. */
bool dns_name_within(const dns_name_t *name, const dns_name_t *apex);

/* Canonical order (RFC 4034 6.1) of folded names: <0, 0, >0. */
int dns_name_cmp(const dns_name_t *a, const dns_name_t *b);
