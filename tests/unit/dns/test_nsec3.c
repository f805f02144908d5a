/* tests/unit/dns/test_nsec3.c - the hashes that RFC 5155 appendix A prints. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dns/name.h"
#include "dns/nsec3.h"

TestSuite(dns_nsec3, .timeout = 10);

static const struct {
	const char *name, *label;
} printed[] = {
	{ "example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" },
	{ "a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl" },
	{ "ai.example", "gjeqe526plbf1g8mklp59enfd789njgi" },
	{ "ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr" },
	{ "ns2.example", "q04jkcevqvmu85r014c7dkba38o0ji5r" },
	{ "w.example", "k8udemvp1j2f7eg6jebps17vp3n8i58h" },
	{ "*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en" },
	{ "x.w.example", "b4um86eghhds6nea196smvmlo4ors995" },
	{ "y.w.example", "ji6neoaepv8b5o6k4ev33abha8ht9fgc" },
	{ "x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s" },
	{ "xx.example", "t644ebqk9bibcna874givr6joj62mlhv" },
	{ "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi" },
};

Test(dns_nsec3, hashes_as_the_rfc_prints_it)
{
	static const uint8_t rdata[] = { 1, 0, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd };
	dns_nsec3_params_t params;

	cr_assert(dns_nsec3_read(rdata, sizeof rdata, &params));
	cr_expect(eq(int, params.iterations, 12));
	cr_expect(eq(int, params.salt_len, 4));
	for (size_t i = 0; i < ARRAY_LEN(printed); i++) {
		uint8_t hash[DNS_NSEC3_HASH_LEN], label[33];
		dns_name_t name;

		cr_assert(eq(int, dns_name_from_text(printed[i].name, &name), ST_OK));
		dns_nsec3_hash(&params, name.wire, name.len, hash);
		dns_nsec3_label(hash, label);
		cr_expect(eq(int, label[0], 32));
		cr_expect(memcmp(label + 1, printed[i].label, 32) == 0, "%s", printed[i].name);
	}
}

static const struct {
	const char *why;
	uint8_t rdata[8];
	size_t len;
	bool sound;
} params[] = {
	{ "no salt", { 1, 0, 0, 0, 0 }, 5, true },
	{ "two octets of salt", { 1, 0, 0, 1, 2, 7, 8 }, 7, true },
	{ "more behind it, as in NSEC3", { 1, 1, 0, 1, 1, 7, 8 }, 7, true },
	{ "another algorithm", { 2, 0, 0, 0, 0 }, 5, false },
	{ "ends in its head", { 1, 0, 0, 0 }, 4, false },
	{ "ends in its salt", { 1, 0, 0, 0, 3, 1, 2 }, 7, false },
	{ "nothing", { 0 }, 0, false },
};

Test(dns_nsec3, reads_parameters_that_are_whole)
{
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		dns_nsec3_params_t out;

		cr_expect(eq(int, dns_nsec3_read(params[i].rdata, params[i].len, &out),
		             params[i].sound),
		          "%s", params[i].why);
	}
}

Test(dns_nsec3, knows_what_costs_too_much)
{
	static const struct {
		uint16_t iterations;
		uint8_t salt_len;
		bool costly;
	} rows[] = {
		{ 0, 0, false },     { 0, 255, false },   { 2500, 0, false },
		{ 2501, 0, true },   { 2500, 35, false }, { 2500, 36, true },
		{ 499, 255, false }, { 500, 255, true },  { 65535, 255, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const dns_nsec3_params_t p = { rows[i].iterations, rows[i].salt_len, NULL };

		cr_expect(eq(int, dns_nsec3_costly(&p), rows[i].costly), "%u %u",
		          rows[i].iterations, rows[i].salt_len);
	}
}

Test(dns_nsec3, tells_chains_apart)
{
	const dns_nsec3_params_t a = { 1, 2, (const uint8_t *)"ab" };
	const dns_nsec3_params_t same = { 1, 2, (const uint8_t *)"abc" };
	const dns_nsec3_params_t more = { 2, 2, (const uint8_t *)"ab" };
	const dns_nsec3_params_t salt = { 1, 2, (const uint8_t *)"ac" };
	const dns_nsec3_params_t longer = { 1, 3, (const uint8_t *)"abc" };

	cr_expect(dns_nsec3_same(&a, &same));
	cr_expect(not(dns_nsec3_same(&a, &more)));
	cr_expect(not(dns_nsec3_same(&a, &salt)));
	cr_expect(not(dns_nsec3_same(&a, &longer)));
}
