/* dns/digest.h - SHA-384 and SHA-512 over what comes piece by piece, and the numbers of ZONEMD. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { DNS_DIGEST_MAX = 64 }; /* octets */

/* RFC 8976 5.2 and 5.3. */
enum { DNS_ZONEMD_SIMPLE = 1 };
enum { DNS_ZONEMD_SHA384 = 1, DNS_ZONEMD_SHA512 = 2 };

/* Octets of a digest by this algorithm of ZONEMD; 0: it is not known here. */
size_t dns_digest_len(uint8_t algorithm);

typedef struct dns_digest dns_digest_t;

/* NULL: no memory. Of a known algorithm. Belongs to one thread. */
dns_digest_t *dns_digest_new(uint8_t algorithm);
void dns_digest_free(dns_digest_t *d); /* NULL is fine */

void dns_digest_add(dns_digest_t *d, const void *octets, size_t len);

/* The digest of all that was added; nothing more may be added. Returns its length; 0: the library has
 * failed, now or before. */
size_t dns_digest_end(dns_digest_t *d, uint8_t out[DNS_DIGEST_MAX]);
