/* tests/unit/zone/test_pack.c - a version that was packed and read back is the same, and so is one
 * that a difference has made. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/nsec3.h"
#include "dns/wire.h"
#include "support/packs.h"
#include "zone/layout.h"

TestSuite(zone_pack, .timeout = 120);

#define SOA "@ SOA ns hm 7 3600 600 86400 60\n"

/* The hash of example., with two iterations and salt. */
static void apex_label(uint8_t out[1 + DNS_NSEC3_LABEL_LEN])
{
	const dns_nsec3_params_t params = { 2, 3, (const uint8_t *)"xyz" };
	uint8_t hash[DNS_NSEC3_HASH_LEN];

	dns_nsec3_hash(&params, (const uint8_t *)"\7example", 9, hash);
	dns_nsec3_label(hash, out);
}

Test(zone_pack, comes_back_as_it_was)
{
	for (size_t i = 0; i < PACKS_ZONES; i++) {
		zone_version_t *v = zones_version(&zones_key, "example.", packs_zones[i].lines);
		zone_version_t *got = packs_round_trip("example.", v, packs_zones[i].why);

		cr_expect(eq(ptr, got->arena, NULL), "a small zone is one piece");
		zone_version_free(got);
		zone_version_free(v);
	}
}

Test(zone_pack, a_chain_of_nsec3_comes_back_with_its_hashes)
{
	uint8_t label[1 + DNS_NSEC3_LABEL_LEN];
	char lines[1000];

	apex_label(label);
	snprintf(lines, sizeof lines,
	         SOA
	         "@ NSEC3PARAM 1 0 2 78797A\n%.32s NSEC3 1 1 2 78797A %.32s SOA\na.b A 192.0.2.1\n"
	         "b TXT \"what takes the place of the apex's records, and of the salt among them: "
	         "some hundred octets of text, none of which is as it should be\"\n",
	         label + 1, label + 1);
	zone_version_t *v = zones_version(&zones_key, "example.", lines);
	cr_assert(eq(int, zone_version_denial(v), ZONE_DENIAL_NSEC3));
	zone_version_free(packs_round_trip("example.", v, "NSEC3 from the apex on"));
	zone_version_free(v);
}

/* The same in the root, whose names have nothing behind them, and under a long apex. */
Test(zone_pack, comes_back_under_any_apex)
{
	char apex[260];

	zone_version_t *v = zones_version(
		&zones_key, ".", "@ SOA a b 1 1 1 1 1\ncom NS ns.com\nns.com A 192.0.2.1\n");
	zone_version_free(packs_round_trip(".", v, "the root"));
	zone_version_free(v);
	v = zones_version(&zones_key, "a.b.example.",
	                  "@ SOA a b 1 1 1 1 1\n@ NS ns.b.example.\nc MX 1 X.example.\n"
	                  "c MX 2 y.X.example.\n");
	zone_version_free(packs_round_trip("a.b.example.", v, "names that end like half an apex"));
	zone_version_free(v);
	memset(apex, 'a', sizeof apex);
	for (int i = 0; i < 4; i++)
		apex[i * 63 + 62] = '.';
	apex[4 * 63 - 5] = '\0'; /* 248 octets */
	v = zones_version(&zones_key, apex, "@ SOA a b 1 1 1 1 1\nabc A 192.0.2.1\n*.b NS b\n");
	zone_version_free(packs_round_trip(apex, v, "a long apex"));
	zone_version_free(v);
}

/* --- large ones --------------------------------------------------------------------------------- */

static void rr_of(dns_rr_t *rr, const char *owner, uint16_t type, const void *rdata, size_t len)
{
	rr->owner = zones_name(owner);
	rr->type = type;
	rr->class = DNS_CLASS_IN;
	rr->ttl = 300;
	rr->rdlen = (uint16_t)len;
	memcpy(rr->rdata, rdata, len);
}

enum { HOSTS = 30000, NSS = 2000 };

/* Names at several depths, an RRset of 2,000 NS whose names end like others, owners of NSEC3. */
static zone_version_t *large(void)
{
	dns_name_t apex = zones_name("example.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_version_t *v = NULL;
	char owner[80], ns[300];

	rr_of(rr, "example.", DNS_TYPE_SOA, "\0\0\0\0\0\7\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 22);
	cr_assert(zone_build_add(b, rr) == ST_OK);
	for (unsigned i = 0; i < HOSTS; i++) {
		snprintf(owner, sizeof owner, i % 7 ? "h%u.d%u.example." : "h%u.a.b.c.d%u.example.",
		         i, i % 1000);
		if (i % 10 == 3)
			snprintf(owner, sizeof owner, "%032u.example.", i);
		if (i % 10 == 3)
			rr_of(rr, owner, DNS_TYPE_NSEC3, "\1\0\0\0\0\1x", 7);
		else
			rr_of(rr, owner, DNS_TYPE_A, "\300\0\2\1", 4);
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	for (unsigned i = 0; i < NSS; i++) {
		snprintf(ns, sizeof ns,
		         "N%u.ffffffffffffffffffffffffffffffffffffffffffffffff."
		         "gggggggggggggggggggggggggggggggggggggggggggg.%s",
		         i,
		         i % 3   ? "example."
		         : i % 2 ? "d1.example."
		                 : "Net.");
		dns_name_t target;
		cr_assert(dns_name_from_text(ns, &target) == ST_OK);
		rr_of(rr, "many.example.", DNS_TYPE_NS, target.wire, target.len);
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	cr_assert(eq(int, zone_build_seal(b, &v), ST_OK));
	zone_build_free(b);
	free(rr);
	return v;
}

Test(zone_pack, a_large_zone_comes_back_in_an_arena)
{
	zone_version_t *v = large();
	packs_chunks_t c = packs_of(v);

	cr_assert(ne(ptr, v->arena, NULL));
	for (size_t i = 0; i < c.count; i++)
		cr_expect(c.len[i] <= 256 << 10, "chunk %zu has %zu octets", i, c.len[i]);
	cr_assert(gt(sz, c.count, 4));
	cr_expect(eq(int, c.octets[0][0], ZONE_PACK_BEGIN));
	cr_expect(eq(int, c.octets[1][0], ZONE_PACK_NAMES));
	cr_expect(eq(int, c.octets[c.count - 1][0], ZONE_PACK_DENIAL));
	zone_version_t *got = packs_round_trip("example.", v, "large");
	cr_assert(ne(ptr, got->arena, NULL));
	cr_expect(eq(sz, zone_version_bytes(got), zone_version_bytes(v)));
	zone_version_free(got);
	packs_drop(&c);
	zone_version_free(v);
}

/* One owner is never split, however large it is. */
Test(zone_pack, an_owner_that_is_more_than_a_chunk_is_one)
{
	dns_name_t apex = zones_name("example.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_version_t *v = NULL;

	cr_assert(eq(int, zones_feed(b, "example.", SOA "a A 192.0.2.1\nz A 192.0.2.1\n"), ST_OK));
	memset(rr->rdata, 7, 60000);
	for (int i = 0; i < 10; i++) {
		rr_of(rr, "m.example.", 65280, rr->rdata, 60000);
		rr->rdata[0] = (uint8_t)i;
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	cr_assert(eq(int, zone_build_seal(b, &v), ST_OK));
	packs_chunks_t c = packs_of(v);
	cr_expect(eq(sz, c.count, 3));
	cr_expect(gt(sz, c.len[1], 600000));
	packs_drop(&c);
	zone_version_free(packs_round_trip("example.", v, "ten records of 60,000 octets"));
	zone_version_free(v);
	zone_build_free(b);
	free(rr);
}

/* The arena of a small zone is made for what the first chunk says; it grows when that was too
 * little, as it does for a build whose names need many more above them. */
Test(zone_pack, a_zone_that_is_larger_than_it_says_finds_its_room)
{
	zone_version_t *v = large(), *got;
	packs_chunks_t c = packs_of(v);

	memset(c.octets[0] + 9, 0, 8);
	cr_assert(eq(int, packs_read("example.", &c, &got), ST_OK));
	packs_compare(got, v, "no octets");
	zone_version_free(got);
	memset(c.octets[0] + 9, 0xff, 8);
	cr_assert(eq(int, packs_read("example.", &c, &got), ST_OK));
	packs_compare(got, v, "more octets than there can be");
	zone_version_free(got);
	packs_drop(&c);
	zone_version_free(v);
}

Test(zone_pack, names_of_a_hundred_labels_come_back)
{
	char *lines = malloc(200000), *p = lines;

	p += sprintf(p, SOA);
	for (int i = 0; i < 300; i++) {
		p += sprintf(p, "x%d", i);
		for (int j = 0; j < 100; j++)
			p += sprintf(p, ".%c", 'a' + j % 26);
		p += sprintf(p, ".y%d A 192.0.2.1\n", i);
	}
	zone_version_t *v = zones_version(&zones_key, "example.", lines);
	cr_expect(gt(u32, v->root.index.names, 10000));
	zone_version_free(packs_round_trip("example.", v, "deep"));
	zone_version_free(v);
	free(lines);
}

/* --- differences -------------------------------------------------------------------------------- */

/* base packed, and the difference packed: read back, they are the version that it made. */
static void check_delta(const zone_version_t *base, const char *changes, bool sealed_first,
                        const char *why)
{
	zone_delta_t *d = packs_delta(base, changes), *again;
	zone_version_t *next, *base_got, *next_got;
	packs_chunks_t c = packs_of(base), want, got;
	uint8_t *octets;
	size_t len;

	if (!sealed_first)
		cr_assert(eq(int, zone_pack_delta(d, &octets, &len), ST_OK), "%s", why);
	cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK), "%s", why);
	if (sealed_first)
		cr_assert(eq(int, zone_pack_delta(d, &octets, &len), ST_OK), "%s", why);
	cr_assert(eq(int, packs_read("example.", &c, &base_got), ST_OK), "%s", why);
	again = zone_delta_new(base_got, &zones_limits);
	cr_assert(eq(int, zone_unpack_delta(again, octets, len), ST_OK), "%s", why);
	cr_assert(eq(int, zone_delta_seal(again, &next_got), ST_OK), "%s", why);
	cr_expect(eq(u64, zone_delta_stats(again)->added, zone_delta_stats(d)->added));
	packs_compare(next_got, next, why);
	zone_version_free(packs_round_trip("example.", next, why));
	want = packs_of(next);
	got = packs_of(next_got);
	cr_expect(packs_same(&want, &got), "%s", why);
	for (size_t cut = 1; cut < len; cut++) {
		zone_delta_t *half = zone_delta_new(base, &zones_limits);
		uint8_t *part = memcpy(malloc(cut), octets, cut);
		status_t st = zone_unpack_delta(half, part, cut);

		cr_expect(st == ST_SHORT || st == ST_OK, "%s: %zu octets", why, cut);
		free(part);
		zone_delta_free(half);
	}
	packs_drop(&c);
	packs_drop(&want);
	packs_drop(&got);
	free(octets);
	zone_delta_free(d);
	zone_delta_free(again);
	zone_version_free(next);
	zone_version_free(next_got);
	zone_version_free(base_got);
}

Test(zone_pack, a_difference_makes_the_same_of_what_was_read_back)
{
	for (size_t i = 0; i < PACKS_CHANGES; i++) {
		zone_version_t *base = zones_version(&zones_key, "example.", packs_changes[i].base);

		check_delta(base, packs_changes[i].changes, true, packs_changes[i].why);
		check_delta(base, packs_changes[i].changes, false, packs_changes[i].why);
		zone_version_free(base);
	}
}

/* What deltas have changed lies behind what was there: its order is made, not found. */
Test(zone_pack, a_version_that_deltas_have_made_comes_back)
{
	zone_version_t *v = large(), *next;
	char changes[8000], *p = changes;

	p += sprintf(p, "-@ SOA . . 7 1 1 1 1\n+@ SOA . . 8 1 1 1 1\n");
	for (unsigned i = 0; i < 100; i++)
		p += sprintf(p, "+b.h%u.d%u TXT x\n+a%u A 192.0.2.1\n", i * 7 + 1,
		             (i * 7 + 1) % 1000, i);
	zone_delta_t *d = packs_delta(v, changes);
	cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK));
	zone_version_free(packs_round_trip("example.", next, "after a delta"));
	zone_delta_free(d);
	zone_version_free(next);
	zone_version_free(v);
}
