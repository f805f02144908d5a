/* tests/unit/dns/test_digest.c - the examples of FIPS 180-4, whole and piece by piece. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "common/status.h"
#include "dns/digest.h"

TestSuite(dns_digest, .timeout = 5);

static const struct {
	uint8_t algorithm;
	const char *text, *want;
} rows[] = {
	{ DNS_ZONEMD_SHA384, "abc",
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7" },
	{ DNS_ZONEMD_SHA512, "abc",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

static void expect_digest(size_t row, size_t piece)
{
	dns_digest_t *d = dns_digest_new(rows[row].algorithm);
	size_t len = strlen(rows[row].text);
	uint8_t out[DNS_DIGEST_MAX];
	char text[2 * DNS_DIGEST_MAX + 1] = "";

	cr_assert(d != NULL);
	for (size_t at = 0; at < len; at += piece)
		dns_digest_add(d, rows[row].text + at, len - at < piece ? len - at : piece);
	len = dns_digest_end(d, out);
	cr_expect(eq(sz, len, dns_digest_len(rows[row].algorithm)));
	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", out[i]);
	cr_expect(eq(str, text, (char *)rows[row].want));
	dns_digest_free(d);
}

Test(dns_digest, of_known_texts_is_known)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		expect_digest(i, 100);
		expect_digest(i, 1);
	}
	cr_expect(eq(sz, dns_digest_len(0), 0));
	cr_expect(eq(sz, dns_digest_len(3), 0));
}
