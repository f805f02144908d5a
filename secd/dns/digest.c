/* dns/digest.c - OpenSSL's digests. */
#include "dns/digest.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>

struct dns_digest {
	EVP_MD_CTX *ctx;
	bool failed;
};

size_t dns_digest_len(uint8_t algorithm)
{
	switch (algorithm) {
	case DNS_ZONEMD_SHA384:
		return 48;
	case DNS_ZONEMD_SHA512:
		return 64;
	default:
		return 0;
	}
}

dns_digest_t *dns_digest_new(uint8_t algorithm)
{
	dns_digest_t *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx ||
	    !EVP_DigestInit_ex(d->ctx, algorithm == DNS_ZONEMD_SHA384 ? EVP_sha384() : EVP_sha512(),
	                       NULL)) {
		dns_digest_free(d);
		return NULL;
	}
	return d;
}

void dns_digest_free(dns_digest_t *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void dns_digest_add(dns_digest_t *d, const void *octets, size_t len)
{
	if (!EVP_DigestUpdate(d->ctx, octets, len))
		d->failed = true;
}

size_t dns_digest_end(dns_digest_t *d, uint8_t out[DNS_DIGEST_MAX])
{
	unsigned len = 0;

	return EVP_DigestFinal_ex(d->ctx, out, &len) && !d->failed ? len : 0;
}
