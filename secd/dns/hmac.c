/* dns/hmac.c - two digests per MAC, each begun at load.
 *
 * OpenSSL's old names are used: its new ones look the algorithm up, lock and allocate for each
 * context, and a query may do none of that; and their contexts can't be copied as plain memory. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "dns/hmac.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
	BLOCK_MAX = SHA512_CBLOCK,
	INNER_PAD = 0x36, /* RFC 2104 2 */
	OUTER_PAD = 0x5c,
};

size_t dns_hmac_len(dns_hmac_alg_t alg)
{
	switch (alg) {
	case DNS_HMAC_MD5:
		return MD5_DIGEST_LENGTH;
	case DNS_HMAC_SHA1:
		return SHA_DIGEST_LENGTH;
	case DNS_HMAC_SHA224:
		return SHA224_DIGEST_LENGTH;
	case DNS_HMAC_SHA256:
		return SHA256_DIGEST_LENGTH;
	case DNS_HMAC_SHA384:
		return SHA384_DIGEST_LENGTH;
	case DNS_HMAC_SHA512:
		return SHA512_DIGEST_LENGTH;
	}
	__builtin_unreachable();
}

static size_t block_len(dns_hmac_alg_t alg)
{
	return alg >= DNS_HMAC_SHA384 ? SHA512_CBLOCK : SHA_CBLOCK;
}

static void digest_start(dns_hmac_state_t *d, dns_hmac_alg_t alg)
{
	switch (alg) {
	case DNS_HMAC_MD5:
		MD5_Init(&d->md5);
		break;
	case DNS_HMAC_SHA1:
		SHA1_Init(&d->sha1);
		break;
	case DNS_HMAC_SHA224:
		SHA224_Init(&d->sha256);
		break;
	case DNS_HMAC_SHA256:
		SHA256_Init(&d->sha256);
		break;
	case DNS_HMAC_SHA384:
		SHA384_Init(&d->sha512);
		break;
	case DNS_HMAC_SHA512:
		SHA512_Init(&d->sha512);
		break;
	}
}

static void digest_add(dns_hmac_state_t *d, dns_hmac_alg_t alg, const void *octets, size_t len)
{
	switch (alg) {
	case DNS_HMAC_MD5:
		MD5_Update(&d->md5, octets, len);
		break;
	case DNS_HMAC_SHA1:
		SHA1_Update(&d->sha1, octets, len);
		break;
	case DNS_HMAC_SHA224:
	case DNS_HMAC_SHA256:
		SHA256_Update(&d->sha256, octets, len);
		break;
	case DNS_HMAC_SHA384:
	case DNS_HMAC_SHA512:
		SHA512_Update(&d->sha512, octets, len);
		break;
	}
}

static void digest_finish(dns_hmac_state_t *d, dns_hmac_alg_t alg, uint8_t *out)
{
	switch (alg) {
	case DNS_HMAC_MD5:
		MD5_Final(out, &d->md5);
		break;
	case DNS_HMAC_SHA1:
		SHA1_Final(out, &d->sha1);
		break;
	case DNS_HMAC_SHA224:
		SHA224_Final(out, &d->sha256);
		break;
	case DNS_HMAC_SHA256:
		SHA256_Final(out, &d->sha256);
		break;
	case DNS_HMAC_SHA384:
		SHA384_Final(out, &d->sha512);
		break;
	case DNS_HMAC_SHA512:
		SHA512_Final(out, &d->sha512);
		break;
	}
}

/* The digest of the padded key, as which each message begins. */
static void pad(dns_hmac_state_t *d, dns_hmac_alg_t alg, const uint8_t *block, uint8_t with)
{
	uint8_t padded[BLOCK_MAX];
	size_t len = block_len(alg);

	for (size_t i = 0; i < len; i++)
		padded[i] = block[i] ^ with;
	digest_start(d, alg);
	digest_add(d, alg, padded, len);
	dns_hmac_wipe(padded, sizeof padded);
}

void dns_hmac_key_make(dns_hmac_key_t *key, dns_hmac_alg_t alg, const uint8_t *secret, size_t len)
{
	uint8_t block[BLOCK_MAX] = { 0 };

	memset(key, 0, sizeof *key);
	key->alg = alg;
	if (len > block_len(alg)) {
		digest_start(&key->inner, alg);
		digest_add(&key->inner, alg, secret, len);
		digest_finish(&key->inner, alg, block);
	} else if (len > 0) {
		memcpy(block, secret, len);
	}
	pad(&key->inner, alg, block, INNER_PAD);
	pad(&key->outer, alg, block, OUTER_PAD);
	dns_hmac_wipe(block, sizeof block);
}

void dns_hmac_start(dns_hmac_t *h, const dns_hmac_key_t *key)
{
	h->key = key;
	h->inner = key->inner;
}

void dns_hmac_add(dns_hmac_t *h, const void *octets, size_t len)
{
	digest_add(&h->inner, h->key->alg, octets, len);
}

void dns_hmac_finish(dns_hmac_t *h, uint8_t out[DNS_HMAC_MAX])
{
	dns_hmac_alg_t alg = h->key->alg;
	dns_hmac_state_t outer = h->key->outer;
	uint8_t inner[DNS_HMAC_MAX];

	digest_finish(&h->inner, alg, inner);
	digest_add(&outer, alg, inner, dns_hmac_len(alg));
	digest_finish(&outer, alg, out);
}

bool dns_hmac_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void dns_hmac_wipe(void *octets, size_t len)
{
	OPENSSL_cleanse(octets, len);
}
