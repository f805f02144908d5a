/* dns/rrtype.h - what a type number means: its text, and rules that depend on it alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DNS_TYPE_TEXT_MAX 16
/* "MX", "TYPE65280" (RFC 3597 5); returns out. */
const char *dns_type_text(uint16_t type, char out[DNS_TYPE_TEXT_MAX]);

/* QTYPEs and meta types, which no zone can hold (RFC 6895 3.1): 0, OPT, 128..255. */
bool dns_type_is_meta(uint16_t type);

/* May names in its RDATA be compressed in what we send? The types of RFC 1035 only
 * (RFC 3597 4). */
bool dns_type_may_compress(uint16_t type);

/* Are names in its RDATA folded for comparison (RFC 4034 6.2, RFC 6840 5.1)? */
bool dns_type_folds(uint16_t type);

/* "NOERROR", "REFUSED", ... or "RCODE23"; returns out. */
#define DNS_RCODE_TEXT_MAX 16
const char *dns_rcode_text(unsigned rcode, char out[DNS_RCODE_TEXT_MAX]);
