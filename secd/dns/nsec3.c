/* dns/nsec3.c - SHA-1 over and over.
 *
 * OpenSSL's old names are used: its new ones look the algorithm up, lock and allocate for each
 * digest, and a query may do none of that. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "dns/nsec3.h"

#include <openssl/sha.h>
#include <string.h>

#include "common/buf.h"

bool dns_nsec3_read(const uint8_t *rdata, size_t rdlen, dns_nsec3_params_t *out)
{
	enum { HEAD = 5 }; /* algorithm, flags, iterations, length of the salt */

	if (rdlen < HEAD || rdata[0] != DNS_NSEC3_SHA1 || rdlen - HEAD < rdata[4])
		return false;
	*out = (dns_nsec3_params_t){
		.iterations = get_u16(rdata + 2),
		.salt_len = rdata[4],
		.salt = rdata + HEAD,
	};
	return true;
}

unsigned dns_nsec3_cost(const dns_nsec3_params_t *p)
{
	enum { BLOCK = 64, PADDING = 9 }; /* of SHA-1 */
	unsigned blocks = 1 + (DNS_NSEC3_HASH_LEN + p->salt_len + PADDING - 1u) / BLOCK;

	return (p->iterations + 1u) * blocks;
}

bool dns_nsec3_costly(const dns_nsec3_params_t *p)
{
	return dns_nsec3_cost(p) > DNS_NSEC3_ITERATIONS_MAX + 1;
}

bool dns_nsec3_same(const dns_nsec3_params_t *a, const dns_nsec3_params_t *b)
{
	return a->iterations == b->iterations && a->salt_len == b->salt_len &&
	       memcmp(a->salt, b->salt, a->salt_len) == 0;
}

void dns_nsec3_hash(const dns_nsec3_params_t *params, const uint8_t *name, size_t len,
                    uint8_t out[DNS_NSEC3_HASH_LEN])
{
	for (unsigned i = 0; i <= params->iterations; i++) {
		SHA_CTX sha;

		SHA1_Init(&sha);
		SHA1_Update(&sha, name, len);
		SHA1_Update(&sha, params->salt, params->salt_len);
		SHA1_Final(out, &sha);
		name = out;
		len = DNS_NSEC3_HASH_LEN;
	}
}

void dns_nsec3_label(const uint8_t hash[DNS_NSEC3_HASH_LEN], uint8_t out[1 + DNS_NSEC3_LABEL_LEN])
{
	const uint64_t each = UINT64_C(0x0101010101010101);

	*out++ = DNS_NSEC3_LABEL_LEN;
	for (unsigned group = 0; group < DNS_NSEC3_HASH_LEN / 5; group++, hash += 5, out += 8) {
		uint64_t x = (uint64_t)hash[0] << 32 | get_u32(hash + 1);

		/* 40 bits: by halves, then quarters, then eighths into an octet each. */
		x = (x & UINT64_C(0xfffff00000)) << 12 | (x & UINT64_C(0x00000fffff));
		x = (x & UINT64_C(0x000ffc00000ffc00)) << 6 | (x & UINT64_C(0x000003ff000003ff));
		x = (x & UINT64_C(0x03e003e003e003e0)) << 3 | (x & UINT64_C(0x001f001f001f001f));
		/* A digit, or from ten on a letter: which of them, bit 4 of x + 6 says, as 16 and
		 * more do by their own. */
		uint64_t letter = ((x + 6 * each) | x) >> 4 & each;
		put_u64(out, x + '0' * each + letter * ('a' - 10 - '0'));
	}
}
