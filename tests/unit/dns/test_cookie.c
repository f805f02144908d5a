/* tests/unit/dns/test_cookie.c - RFC 9018 appendix A, and the ends of each rule. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "common/buf.h"
#include "dns/cookie.h"

TestSuite(dns_cookie, .timeout = 5);

#define FIRST "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define OLD   "dd3bdf9344b678b185a6f5cb60fca715"
#define NEW   "445536bcd2513298075a5d379663c962"

static size_t unhex(const char *text, uint8_t *out)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++)
		cr_assert(eq(int, sscanf(text + 2 * i, "%2hhx", &out[i]), 1));
	return len;
}

static dns_cookie_peer_t peer_of(const char *text, addr_t *a)
{
	cr_assert(eq(int, addr_parse(text, 53, a), ST_OK));
	if (a->sa.sa_family == AF_INET)
		return (dns_cookie_peer_t){ (const uint8_t *)&a->in.sin_addr, 4 };
	return (dns_cookie_peer_t){ (const uint8_t *)&a->in6.sin6_addr, 16 };
}

typedef struct ring {
	siphash_key_t keys[2];
	dns_cookie_secrets_t secrets;
} ring_t;

static void make_ring(ring_t *r, const char *first, const char *second)
{
	uint8_t octets[16];

	unhex(first, octets);
	memcpy(&r->keys[0], octets, 16);
	if (second) {
		unhex(second, octets);
		memcpy(&r->keys[1], octets, 16);
	}
	r->secrets = (dns_cookie_secrets_t){ r->keys, second ? 2 : 1 };
}

/* now is the time of the answer in the RFC; A.3 answers a cookie of nearly two hours ago, which
 * is out of date for us, so it is also judged at the time of its making. */
static const struct {
	const char *why, *first, *second, *peer, *query;
	uint32_t now;
	dns_cookie_verdict_t verdict;
	const char *answer;
} vectors[] = {
	{ "A.1 learning a new server cookie", FIRST, NULL, "198.51.100.100", "2464c4abcf10c957",
	  1559731985, DNS_COOKIE_CLIENT, "2464c4abcf10c957010000005cf79f111f8130c3eee29480" },
	{ "A.2 the same client learning a renewed one", FIRST, NULL, "198.51.100.100",
	  "2464c4abcf10c957010000005cf79f111f8130c3eee29480", 1559734385, DNS_COOKIE_RENEW,
	  "2464c4abcf10c957010000005cf7a871d4a564a1442aca77" },
	{ "A.3 what is reserved is set, and hashed", FIRST, NULL, "203.0.113.203",
	  "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559727985, DNS_COOKIE_GOOD, NULL },
	{ "A.3 another client learning a renewed one", FIRST, NULL, "203.0.113.203",
	  "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559734700, DNS_COOKIE_BAD,
	  "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e" },
	{ "A.4 IPv6 with a rolled over secret", NEW, OLD, "2001:db8:220:1:59de:d0f4:8769:82b8",
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, DNS_COOKIE_RENEW,
	  "22681ab97d52c298010000005cf7c609a6bb79d16625507a" },
	{ "the new secret stands behind the old one", OLD, NEW,
	  "2001:db8:220:1:59de:d0f4:8769:82b8", "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
	  1559741961, DNS_COOKIE_GOOD, NULL },
	{ "a secret that is gone", NEW, NULL, "2001:db8:220:1:59de:d0f4:8769:82b8",
	  "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, DNS_COOKIE_BAD, NULL },
	{ "another client's cookie", FIRST, NULL, "198.51.100.101",
	  "2464c4abcf10c957010000005cf79f111f8130c3eee29480", 1559731985, DNS_COOKIE_BAD, NULL },
	{ "a server's cookie of another length", FIRST, NULL, "198.51.100.100",
	  "2464c4abcf10c957010000005cf79f111f8130c3eee2948000", 1559731985, DNS_COOKIE_BAD, NULL },
	{ "a server's cookie of another version", FIRST, NULL, "198.51.100.100",
	  "2464c4abcf10c957020000005cf79f111f8130c3eee29480", 1559731985, DNS_COOKIE_BAD, NULL },
	{ "eight octets of a server's cookie", FIRST, NULL, "198.51.100.100",
	  "2464c4abcf10c957010000005cf79f11", 1559731985, DNS_COOKIE_BAD, NULL },
};

Test(dns_cookie, does_as_rfc_9018_appendix_a)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		uint8_t query[DNS_COOKIE_MAX], want[DNS_COOKIE_LEN], got[DNS_COOKIE_LEN];
		size_t len = unhex(vectors[i].query, query);
		addr_t a;
		dns_cookie_peer_t peer = peer_of(vectors[i].peer, &a);
		ring_t r;

		make_ring(&r, vectors[i].first, vectors[i].second);
		cr_expect(eq(int, dns_cookie_check(&r.secrets, query, len, peer, vectors[i].now),
		             vectors[i].verdict),
		          "%s", vectors[i].why);
		if (!vectors[i].answer)
			continue;
		unhex(vectors[i].answer, want);
		dns_cookie_make(&r.secrets, query, peer, vectors[i].now, got);
		cr_expect(memcmp(got, want, sizeof got) == 0, "%s", vectors[i].why);
	}
}

static const struct {
	int age;
	dns_cookie_verdict_t verdict;
} ages[] = {
	{ -301, DNS_COOKIE_BAD },  { -300, DNS_COOKIE_GOOD },     { 0, DNS_COOKIE_GOOD },
	{ 1800, DNS_COOKIE_GOOD }, { 1801, DNS_COOKIE_RENEW },    { 3600, DNS_COOKIE_RENEW },
	{ 3601, DNS_COOKIE_BAD },  { INT32_MAX, DNS_COOKIE_BAD }, { INT32_MIN, DNS_COOKIE_BAD },
};

Test(dns_cookie, counts_by_its_age_also_when_the_clock_wraps)
{
	static const uint32_t starts[] = { 1559731985, 0, 100, UINT32_MAX, UINT32_MAX - 100 };
	addr_t a;
	dns_cookie_peer_t peer = peer_of("192.0.2.1", &a);
	ring_t r;

	make_ring(&r, FIRST, NULL);
	for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
		uint8_t cookie[DNS_COOKIE_LEN];

		dns_cookie_make(&r.secrets, (const uint8_t *)"12345678", peer, starts[s], cookie);
		for (size_t i = 0; i < ARRAY_LEN(ages); i++)
			cr_expect(eq(int,
			             dns_cookie_check(&r.secrets, cookie, sizeof cookie, peer,
			                              starts[s] + (uint32_t)ages[i].age),
			             ages[i].verdict),
			          "made at %u, %d later", starts[s], ages[i].age);
	}
}

Test(dns_cookie, no_bit_of_it_may_differ)
{
	uint8_t cookie[DNS_COOKIE_LEN];
	addr_t a;
	dns_cookie_peer_t peer = peer_of("2001:db8::1", &a);
	ring_t r;

	make_ring(&r, FIRST, OLD);
	dns_cookie_make(&r.secrets, (const uint8_t *)"12345678", peer, 1000, cookie);
	for (unsigned bit = 0; bit < 8 * sizeof cookie; bit++) {
		cookie[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		cr_expect(eq(int, dns_cookie_check(&r.secrets, cookie, sizeof cookie, peer, 1000),
		             DNS_COOKIE_BAD),
		          "bit %u", bit);
		cookie[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}

Test(dns_cookie, has_eight_octets_or_sixteen_to_forty)
{
	for (size_t len = 0; len <= 64; len++)
		cr_expect(eq(int, dns_cookie_len_ok(len), len == 8 || (len >= 16 && len <= 40)),
		          "%zu", len);
}
