/* tests/unit/zone/test_build.c - what goes into a version, and what is refused on the way. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/wire.h"
#include "support/zones.h"

TestSuite(zone_build, .timeout = 30);

#define SOA "@ SOA ns hm 7 3600 600 86400 60\n"

static zone_build_t *build(const zone_limits_t *limits)
{
	dns_name_t apex = zones_name("example.");

	return zone_build_new(&zones_key, &apex, limits);
}

static const struct {
	const char *why, *lines;
	status_t feed, seal;
} zones[] = {
	{ "a SOA alone is a zone", SOA, ST_OK, ST_OK },
	{ "nothing is none", "", ST_OK, ST_NOENT },
	{ "records without a SOA", "@ NS ns\nns A 192.0.2.1\n", ST_OK, ST_NOENT },
	{ "records below, none at the apex", "ns A 192.0.2.1\n", ST_OK, ST_NOENT },
	{ "the same SOA twice", SOA "@ SOA NS HM 7 3600 600 86400 60\n", ST_OK, ST_OK },
	{ "two SOAs", SOA "@ SOA ns hm 8 3600 600 86400 60\n", ST_OK, ST_EXIST },
	{ "a SOA below the apex", SOA "a SOA ns hm 8 3600 600 86400 60\n", ST_MALFORMED, ST_OK },
	{ "a class other than IN", SOA "a CH TXT \"x\"\n", ST_MALFORMED, ST_OK },
	{ "a name out of the zone is dropped", SOA "a.example.net. A 192.0.2.1\n", ST_OK, ST_OK },
	{ "a name that only ends like the zone", SOA "xexample. A 192.0.2.1\n", ST_OK, ST_OK },
	{ "NSEC3 at a base32hex label",
	  SOA
	  "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr\n",
	  ST_OK, ST_OK },
	{ "NSEC3 at another label",
	  SOA
	  "0z9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr\n",
	  ST_MALFORMED, ST_OK },
	{ "NSEC3 two labels down",
	  SOA "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.a NSEC3 1 1 12 aabb "
	      "2t7b4g4vsa5smi47k61mv5bv1a22bojr\n",
	  ST_MALFORMED, ST_OK },
};

Test(zone_build, takes_a_zone_or_says_what_is_wrong)
{
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		zone_build_t *b = build(&zones_limits);
		zone_version_t *v = NULL;

		cr_expect(eq(int, zones_feed(b, "example.", zones[i].lines), zones[i].feed), "%s",
		          zones[i].why);
		cr_expect(eq(int, zone_build_seal(b, &v), zones[i].seal), "%s", zones[i].why);
		cr_expect(eq(int, v != NULL, zones[i].seal == ST_OK), "%s", zones[i].why);
		zone_version_free(v);
		zone_build_free(b);
	}
}

Test(zone_build, counts_what_it_drops)
{
	zone_build_t *b = build(&zones_limits);
	zone_version_t *v = NULL;

	cr_assert(eq(int,
	             zones_feed(b, "example.",
	                        SOA "a A 192.0.2.1\na A 192.0.2.1\na 60 A 192.0.2.2\n"
	                            "m MX 10 Mail\nM MX 10 mAIL\n"
	                            "x.org. A 192.0.2.1\n"),
	             ST_OK));
	cr_assert(eq(int, zone_build_seal(b, &v), ST_OK));
	cr_expect(eq(u64, zone_build_stats(b)->outside, 1));
	cr_expect(eq(u64, zone_build_stats(b)->duplicates, 2));
	cr_expect(eq(u64, zone_build_stats(b)->ttl_mixed, 1));
	cr_expect(eq(u64, zone_version_records(v), 4));
	zone_version_free(v);
	zone_build_free(b);
}

Test(zone_build, keeps_to_its_limits)
{
	static const struct {
		const char *why;
		zone_limits_t limits;
		status_t feed, seal;
		zone_limit_t limit;
	} rows[] = {
		{ "four records fit", { 4, 10000, 2, 2 }, ST_OK, ST_OK, ZONE_LIMIT_NONE },
		{ "the fourth is too many",
		  { 3, 10000, 2, 2 },
		  ST_LIMIT,
		  ST_OK,
		  ZONE_LIMIT_RECORDS },
		{ "too many octets", { 100, 80, 2, 2 }, ST_LIMIT, ST_OK, ZONE_LIMIT_BYTES },
		{ "two of one RRset are too many",
		  { 100, 10000, 1, 2 },
		  ST_OK,
		  ST_LIMIT,
		  ZONE_LIMIT_RRSET },
		{ "two RRsets of a name are too many",
		  { 100, 10000, 2, 1 },
		  ST_OK,
		  ST_LIMIT,
		  ZONE_LIMIT_RRSETS },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		zone_build_t *b = build(&rows[i].limits);
		const zone_excess_t *x = zone_build_excess(b);
		zone_version_t *v = NULL;

		cr_expect(
			eq(int,
		           zones_feed(b, "example.", SOA "a A 192.0.2.1\na A 192.0.2.2\na TXT x\n"),
		           rows[i].feed),
			"%s", rows[i].why);
		cr_expect(eq(int, zone_build_seal(b, &v), rows[i].seal), "%s", rows[i].why);
		cr_expect(eq(int, x->limit, rows[i].limit), "%s", rows[i].why);
		if (x->limit == ZONE_LIMIT_RRSET || x->limit == ZONE_LIMIT_RRSETS) {
			cr_expect(dns_wire_equal_fold(x->owner, (uint8_t *)"\1a\7example"), "%s",
			          rows[i].why);
			cr_expect(eq(u64, x->most, 1));
			cr_expect(eq(u64, x->count, 2));
		}
		zone_version_free(v);
		zone_build_free(b);
	}
}

/* The RDATA of record i of an RRset in presentation form would need ldns; here the octets do. */
Test(zone_build, gives_back_the_rdata_that_it_was_given)
{
	static const char *const lines[] = {
		"@ NS ns",           "@ NS ns.other.",           "m MX 10 a.m",
		"*.w CNAME *.w",     "m MX 20 x.m.example.net.", "s SRV 1 2 3 s",
		"t TXT \"a\" \"b\"", "d DNAME d.example.",       "p PTR p.p.p.p",
	};
	dns_rr_t *rr = malloc(sizeof *rr);
	uint8_t *got = malloc(65535);
	char all[1000] = SOA;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		strcat(strcat(all, lines[i]), "\n");
	zone_version_t *v = zones_version(&zones_key, "example.", all);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		bool found = false;
		zone_rrset_t set;

		zones_record("example.", lines[i], rr);
		zone_hashes_t h;
		zone_hash_name(&zones_key, &rr->owner, &h);
		const zone_node_t *node = zone_version_exact(v, &rr->owner, h.h[0]);
		cr_assert(node && zone_node_rrset(v, node, rr->type, &set), "%s", lines[i]);
		for (unsigned n = 0; n < set.count; n++) {
			size_t len = zone_rrset_rdata(v, node, &set, n, got);

			found |= len == rr->rdlen && memcmp(got, rr->rdata, len) == 0;
		}
		cr_expect(found, "%s", lines[i]);
	}
	zone_version_free(v);
	free(got);
	free(rr);
}

Test(zone_build, compresses_against_the_owner_and_lists_each_pointer)
{
	zone_version_t *v = zones_version(&zones_key, "example.", SOA "m MX 10 a.m\n");
	zone_lookup_t l = zones_lookup(v, "m.example.", false);
	zone_rrset_t set;
	uint16_t fix;

	cr_assert(zone_node_rrset(v, l.node, DNS_TYPE_MX, &set));
	cr_expect(eq(u32, set.wire_len, 2 + 10 + 2 + 2 + 2)); /* preference, "a", pointer */
	cr_assert(eq(int, set.fixes, 1));
	memcpy(&fix, set.fix, 2);
	cr_expect(eq(int, get_u16(set.wire + fix), 0xc000 + 12));
	cr_expect(eq(int, set.owner_len, 11));
	zone_version_free(v);
}

Test(zone_build, keeps_signatures_behind_what_they_cover_with_its_ttl)
{
	zone_version_t *v = zones_version(
		&zones_key, "example.",
		SOA "a 60 A 192.0.2.1\n"
		    "a 3600 RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AAAA\n"
		    "a RRSIG TXT 8 2 60 20300101000000 20200101000000 1 example. AAAA\n");
	zone_lookup_t l = zones_lookup(v, "a.example.", false);
	zone_rrset_t set;

	cr_assert(zone_node_rrset(v, l.node, DNS_TYPE_A, &set));
	cr_expect(eq(int, set.sig_count, 1));
	cr_expect(eq(u32, get_u32(set.wire + set.wire_len + 6), 60), "RFC 4034 3");
	cr_expect(not(zone_node_rrset(v, l.node, DNS_TYPE_TXT, &set)));
	cr_expect(not(zone_node_rrset(v, l.node, DNS_TYPE_RRSIG, &set)));
	cr_expect(eq(int, zone_node_rrsets(l.node), 2));
	cr_expect(zone_node_first(v, l.node, &set));
	cr_expect(eq(int, set.type, DNS_TYPE_A));
	cr_expect(zone_node_next(v, l.node, &set));
	cr_expect(eq(int, set.type, DNS_TYPE_TXT));
	cr_expect(eq(int, set.count, 0));
	cr_expect(eq(int, set.sig_count, 1));
	cr_expect(not(zone_node_next(v, l.node, &set)));
	zone_version_free(v);
}

Test(zone_build, keeps_nsec3_owners_out_of_the_names)
{
	zone_version_t *v = zones_version(
		&zones_key, "example.",
		SOA "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabb "
		    "2t7b4g4vsa5smi47k61mv5bv1a22bojr\n"
		    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom RRSIG NSEC3 8 2 60 20300101000000 "
		    "20200101000000 1 example. AAAA\n");
	zone_walk_t *walk = zone_walk_new(v, true);
	const zone_node_t *node = zone_walk_next(walk);
	zone_rrset_t set;

	cr_expect(eq(int, zones_lookup(v, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", false).found,
	             ZONE_NONE),
	          "RFC 5155 7.2.8");
	cr_assert(node && zone_node_rrset(v, node, DNS_TYPE_NSEC3, &set));
	cr_expect(eq(int, set.sig_count, 1));
	cr_expect(zone_walk_next(walk) == NULL);
	zone_walk_free(walk);
	zone_version_free(v);
}

Test(zone_build, keeps_a_stray_signature_of_nsec3_at_its_name)
{
	zone_walk_t *walk;
	zone_version_t *v =
		zones_version(&zones_key, "example.",
	                      SOA "@ RRSIG NSEC3 8 1 60 20300101000000 20200101000000 1 example. "
	                          "AAAA\n");

	walk = zone_walk_new(v, true);
	cr_expect(zone_walk_next(walk) == NULL, "no owner of NSEC3");
	zone_walk_free(walk);
	cr_expect(eq(int, zone_node_rrsets(zone_version_apex(v)), 2));
	zone_version_free(v);
}

Test(zone_build, holds_a_small_zone_in_a_thousand_octets)
{
	zone_version_t *v =
		zones_version(&zones_key, "customer.example.",
	                      "@ SOA ns1.host.example. hm.host.example. 1 2 3 4 5\n"
	                      "@ NS ns1.host.example.\n@ NS ns2.host.example.\n"
	                      "@ A 192.0.2.1\n@ MX 10 mail.host.example.\nwww CNAME @\n");

	cr_expect(le(sz, zone_version_bytes(v), 800), "%zu", zone_version_bytes(v));
	zone_version_free(v);
}

/* A record whose owner has so many labels below the apex, and shares none with another number's. */
static void deep_record(unsigned labels, unsigned number, dns_rr_t *rr)
{
	char text[600] = "";

	for (unsigned i = 1; i < labels; i++)
		strcat(text, "a.");
	sprintf(text + strlen(text), "n%u.example.", number);
	rr->owner = zones_name(text);
}

static status_t build_hashed(unsigned iterations, unsigned labels, unsigned names)
{
	zone_build_t *b = build(&zones_limits);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_version_t *v = NULL;
	char lines[200];

	sprintf(lines, SOA "@ NSEC3PARAM 1 0 %u -\n", iterations);
	cr_assert(eq(int, zones_feed(b, "example.", lines), ST_OK));
	zones_record("example.", "x A 192.0.2.1", rr);
	for (unsigned i = 0; i < names; i++) {
		deep_record(labels, i, rr);
		cr_assert(eq(int, zone_build_add(b, rr), ST_OK));
	}
	status_t st = zone_build_seal(b, &v);
	cr_expect(eq(int, zone_build_excess(b)->limit,
	             st == ST_OK ? ZONE_LIMIT_NONE : ZONE_LIMIT_HASHES));
	zone_version_free(v);
	zone_build_free(b);
	free(rr);
	return st;
}

/* Ten million rounds and 302 a record: what any zone of 150 iterations needs for its own names. */
Test(zone_build, gives_up_where_names_cost_too_much_to_hash)
{
	cr_expect(eq(int, build_hashed(150, 1, 40000), ST_OK));
	cr_expect(eq(int, build_hashed(2500, 1, 4000), ST_OK));
	cr_expect(eq(int, build_hashed(2500, 1, 6000), ST_LIMIT));
	cr_expect(eq(int, build_hashed(2500, 100, 15), ST_OK));
	cr_expect(eq(int, build_hashed(2500, 100, 25), ST_LIMIT), "empty non-terminals");
}

static void number_record(unsigned i, dns_rr_t *rr)
{
	char text[40];

	sprintf(text, "n%u.example.", i);
	rr->owner = zones_name(text);
	rr->type = DNS_TYPE_A;
}

/* So many that their table is sorted by way of another array. */
Test(zone_build, finds_each_of_very_many_names)
{
	enum { NAMES = 150000 };
	zone_build_t *b = build(&zones_limits);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_version_t *v = NULL;
	unsigned found = 0, strangers = 0;

	cr_assert(eq(int, zones_feed(b, "example.", SOA), ST_OK));
	zones_record("example.", "x A 192.0.2.1", rr);
	for (unsigned i = 0; i < NAMES; i++) {
		number_record(i, rr);
		cr_assert(eq(int, zone_build_add(b, rr), ST_OK));
	}
	cr_assert(eq(int, zone_build_seal(b, &v), ST_OK));
	for (unsigned i = 0; i < 2 * NAMES; i++) {
		zone_hashes_t hashes;

		number_record(i, rr);
		zone_hash_name(&zones_key, &rr->owner, &hashes);
		*(i < NAMES ? &found : &strangers) +=
			zone_version_exact(v, &rr->owner, hashes.h[0]) != NULL;
	}
	cr_expect(eq(uint, found, NAMES));
	cr_expect(eq(uint, strangers, 0));
	zone_version_free(v);
	zone_build_free(b);
	free(rr);
}
