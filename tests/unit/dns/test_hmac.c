/* tests/unit/dns/test_hmac.c - RFC 2202 and RFC 4231, and states that are copied. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "common/status.h"
#include "dns/hmac.h"

TestSuite(dns_hmac, .timeout = 5);

/* Test cases 1, 2 and 6 of RFC 4231 2, the last one's key longer than any block, also with the
 * digests of RFC 2202, whose own keys differ: those values are Python's. */
static const struct {
	uint8_t fill; /* key octets, unless the key is "Jefe" */
	size_t key_len;
	const char *data, *mac[DNS_HMAC_ALGS];
} cases[] = {
	{ 0x0b,
	  20,
	  "Hi There",
	  { "5ccec34ea9656392457fa1ac27f08fbc", "b617318655057264e28bc0b6fb378c8ef146be00",
	    "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
	    "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152"
	    "e8b2fa9cb6",
	    "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b27"
	    "4eaea3f4e4be9d914eeb61f1702e696c203a126854" } },
	{ 0,
	  4,
	  "what do ya want for nothing?",
	  { "750c783e6ab0b503eaa86e310a5db738", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
	    "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239"
	    "ecfab21649",
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f"
	    "65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" } },
	{ 0xaa,
	  131,
	  "Test Using Larger Than Block-Size Key - Hash Key First",
	  { "bfecaf4efff90a3a668f3922fec3762d", "90d0dace1c1bdc957339307803160335bde6df2b",
	    "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e",
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
	    "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248d"
	    "f163f44952",
	    "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2"
	    "215d6a1e5295e64f73f63f0aec8b915a985d786598" } },
};

static const char *hex(const uint8_t *octets, size_t len, char out[2 * DNS_HMAC_MAX + 1])
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", octets[i]);
	return out;
}

Test(dns_hmac, makes_the_macs_of_the_rfcs)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (int alg = 0; alg < DNS_HMAC_ALGS; alg++) {
			uint8_t secret[131], mac[DNS_HMAC_MAX];
			char text[2 * DNS_HMAC_MAX + 1];
			size_t len = strlen(cases[i].data);
			dns_hmac_key_t key;
			dns_hmac_t h;

			memset(secret, cases[i].fill, sizeof secret);
			if (cases[i].fill == 0)
				memcpy(secret, "Jefe", 4);
			dns_hmac_key_make(&key, (dns_hmac_alg_t)alg, secret, cases[i].key_len);
			dns_hmac_start(&h, &key);
			dns_hmac_add(&h, cases[i].data, len);
			dns_hmac_finish(&h, mac);
			hex(mac, dns_hmac_len((dns_hmac_alg_t)alg), text);
			cr_expect(eq(str, text, (char *)cases[i].mac[alg]), "case %zu alg %d", i,
			          alg);

			/* The same key once more, in two parts, each half on a copy. */
			dns_hmac_start(&h, &key);
			dns_hmac_add(&h, cases[i].data, 3);
			dns_hmac_t copy = h;
			dns_hmac_add(&h, "something else", 14);
			dns_hmac_finish(&h, mac);
			dns_hmac_add(&copy, cases[i].data + 3, len - 3);
			dns_hmac_finish(&copy, mac);
			hex(mac, dns_hmac_len((dns_hmac_alg_t)alg), text);
			cr_expect(eq(str, text, (char *)cases[i].mac[alg]), "case %zu alg %d", i,
			          alg);
		}
	}
}

Test(dns_hmac, compares_every_octet_and_wipes_all)
{
	uint8_t a[DNS_HMAC_MAX], b[DNS_HMAC_MAX];

	memset(a, 7, sizeof a);
	memset(b, 7, sizeof b);
	cr_expect(dns_hmac_equal(a, b, sizeof a));
	for (size_t i = 0; i < sizeof a; i++) {
		b[i] ^= 0x80;
		cr_expect(not(dns_hmac_equal(a, b, sizeof a)), "octet %zu", i);
		cr_expect(dns_hmac_equal(a, b, i), "octets before %zu", i);
		b[i] ^= 0x80;
	}
	dns_hmac_wipe(a, sizeof a);
	for (size_t i = 0; i < sizeof a; i++)
		cr_expect(eq(int, a[i], 0));
}
