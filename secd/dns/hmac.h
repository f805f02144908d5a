/* dns/hmac.h - HMAC (RFC 2104) over the digests that TSIG knows.
 *
 *     dns_hmac_key_t    made once per key: the states behind the two padded keys
 *     dns_hmac_t        one message under way: a copy of the inner state, which grows
 *
 * A key is read-only once it is made: any number of threads start from it. Nothing here
 * allocates, locks or fails. */
#pragma once

#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum dns_hmac_alg {
	DNS_HMAC_MD5,
	DNS_HMAC_SHA1,
	DNS_HMAC_SHA224,
	DNS_HMAC_SHA256,
	DNS_HMAC_SHA384,
	DNS_HMAC_SHA512,
} dns_hmac_alg_t;

enum {
	DNS_HMAC_ALGS = DNS_HMAC_SHA512 + 1,
	DNS_HMAC_MAX = SHA512_DIGEST_LENGTH, /* octets of the longest MAC */
};

/* The state of a digest; which member, the algorithm says. */
typedef union dns_hmac_state {
	MD5_CTX md5;
	SHA_CTX sha1;
	SHA256_CTX sha256; /* of SHA-224 too */
	SHA512_CTX sha512; /* of SHA-384 too */
} dns_hmac_state_t;

typedef struct dns_hmac_key {
	dns_hmac_alg_t alg;
	dns_hmac_state_t inner, outer;
} dns_hmac_key_t;

/* May be copied at any point of the message: both go on from there. */
typedef struct dns_hmac {
	const dns_hmac_key_t *key; /* borrowed */
	dns_hmac_state_t inner;
} dns_hmac_t;

/* Octets of a MAC: 16 to DNS_HMAC_MAX. */
size_t dns_hmac_len(dns_hmac_alg_t alg);

/* secret is not kept, but key is as good as it: it ends with dns_hmac_wipe(). */
void dns_hmac_key_make(dns_hmac_key_t *key, dns_hmac_alg_t alg, const uint8_t *secret, size_t len);

void dns_hmac_start(dns_hmac_t *h, const dns_hmac_key_t *key);
void dns_hmac_add(dns_hmac_t *h, const void *octets, size_t len);

/* Write dns_hmac_len() octets. h is spent: start it anew. */
void dns_hmac_finish(dns_hmac_t *h, uint8_t out[DNS_HMAC_MAX]);

/* Equal? In a time that says nothing about where they differ. */
bool dns_hmac_equal(const uint8_t *a, const uint8_t *b, size_t len);

/* Overwrite secrets, also where a compiler sees that nobody reads them again. */
void dns_hmac_wipe(void *octets, size_t len);
