/* tests/unit/zone/test_pack.c - a version that was packed and read back is the same; whatever else
 * is read back is refused, or sound. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/wire.h"
#include "support/zones.h"
#include "zone/layout.h"
#include "zone/pack.h"
#include "zone/unpack.h"

TestSuite(zone_pack, .timeout = 120);

#define SOA "@ SOA ns hm 7 3600 600 86400 60\n"
#define SIG " 8 2 300 20300101000000 20200101000000 1 example. AAAA\n"

/* --- chunks ------------------------------------------------------------------------------------- */

enum { CHUNKS_MAX = 64 };

typedef struct chunks {
	size_t count, len[CHUNKS_MAX];
	uint8_t *octets[CHUNKS_MAX];
} chunks_t;

static chunks_t pack(const zone_version_t *v)
{
	zone_pack_t *p = zone_pack_new(v);
	chunks_t c = { 0 };
	const uint8_t *octets;
	size_t len;
	status_t st;

	cr_assert(p != NULL);
	while ((st = zone_pack_next(p, &octets, &len)) == ST_OK) {
		cr_assert(c.count < CHUNKS_MAX);
		c.octets[c.count] = malloc(len);
		memcpy(c.octets[c.count], octets, len);
		c.len[c.count++] = len;
	}
	cr_assert(eq(int, st, ST_NOENT));
	cr_assert(eq(int, zone_pack_next(p, &octets, &len), ST_NOENT), "it stays at its end");
	zone_pack_free(p);
	return c;
}

static void drop(chunks_t *c)
{
	while (c->count > 0)
		free(c->octets[--c->count]);
}

static bool same_chunks(const chunks_t *a, const chunks_t *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = a->len[i] == b->len[i] && memcmp(a->octets[i], b->octets[i], a->len[i]) == 0;
	return same;
}

/* Each from an allocation of its own size, so that ASan sees a read behind its end. */
static status_t feed(zone_unpack_t *u, const chunks_t *c)
{
	status_t st = ST_OK;

	for (size_t i = 0; i < c->count && st == ST_OK; i++)
		st = zone_unpack_feed(u, c->octets[i], c->len[i]);
	return st;
}

static status_t unpack_within(const char *origin, const chunks_t *c, const zone_limits_t *limits,
                              zone_excess_t *excess, zone_version_t **out)
{
	dns_name_t apex = zones_name(origin);
	zone_unpack_t *u = zone_unpack_new(&zones_key, &apex, limits);
	status_t st = feed(u, c);

	*out = NULL;
	if (st == ST_OK)
		st = zone_unpack_seal(u, out);
	if (st != ST_OK) {
		zone_version_t *none;

		cr_expect(eq(int, zone_unpack_seal(u, &none), st), "it stays as it is");
		cr_expect(eq(ptr, none, NULL));
	}
	*excess = *zone_unpack_excess(u);
	zone_unpack_free(u);
	return st;
}

static status_t unpack(const char *origin, const chunks_t *c, zone_version_t **out)
{
	zone_excess_t excess;

	return unpack_within(origin, c, &zones_limits, &excess, out);
}

/* --- two versions compared ---------------------------------------------------------------------- */

/* A digest of everything that a walk sees: names, flags, children, hashes, wire. */
static uint64_t digest(const zone_version_t *v)
{
	uint64_t hash = 0;

	for (int denial = 0; denial < 2; denial++) {
		zone_walk_t *walk = zone_walk_new(v, denial);
		const zone_node_t *node;

		while ((node = zone_walk_next(walk))) {
			size_t from = zone_children_at(node);

			hash = siphash13_chain(&zones_key, hash, node,
			                       sizeof *node + node->rel_len);
			hash = siphash13_chain(&zones_key, hash, (const uint8_t *)node + from,
			                       zone_node_size(node) - from);
		}
		zone_walk_free(walk);
	}
	return hash;
}

static bool same_node(const zone_node_t *a, const zone_node_t *b)
{
	return a == b ||
	       (a && b && a->rel_len == b->rel_len && memcmp(a->name, b->name, a->rel_len) == 0);
}

/* A look at name, and at a name below it, in both. */
static void compare_lookup(const zone_version_t *got, const zone_version_t *want,
                           const dns_name_t *name)
{
	zone_hashes_t h;
	zone_lookup_t a, b;

	zone_hash_name(&zones_key, name, &h);
	zone_version_lookup(got, name, &h, false, &a);
	zone_version_lookup(want, name, &h, false, &b);
	cr_assert(a.found == b.found && a.encloser_label == b.encloser_label);
	cr_assert(same_node(a.node, b.node));
	if (zone_version_denial(want) == ZONE_DENIAL_NSEC)
		cr_assert(same_node(zone_version_nsec(got, name), zone_version_nsec(want, name)));
	if (zone_version_denial(want) == ZONE_DENIAL_NSEC3) {
		uint8_t hash[DNS_NSEC3_HASH_LEN];
		bool x, y;

		zone_version_hash(want, name->wire, name->len, hash);
		cr_assert(same_node(zone_version_nsec3(got, hash, &x),
		                    zone_version_nsec3(want, hash, &y)));
		cr_assert(eq(int, x, y));
	}
}

static void compare_lookups(const zone_version_t *got, const zone_version_t *want)
{
	zone_walk_t *walk = zone_walk_new(want, false);
	const zone_node_t *node;

	while ((node = zone_walk_next(walk))) {
		uint8_t wire[2 + DNS_NAME_MAX] = "\1q";
		dns_name_t name;

		zone_node_name(want, node, &name);
		compare_lookup(got, want, &name);
		memcpy(wire + 2, name.wire, name.len);
		dns_name_from_wire(wire, &name);
		compare_lookup(got, want, &name);
	}
	zone_walk_free(walk);
}

static void compare(const zone_version_t *got, const zone_version_t *want, const char *why)
{
	wall_t now = { 1800000000 }, a = { 0 }, b = { 0 };

	cr_assert(eq(u64, zone_version_records(got), zone_version_records(want)), "%s", why);
	cr_assert(eq(u64, got->root.octets, want->root.octets), "%s", why);
	cr_assert(eq(u32, got->root.index.names, want->root.index.names), "%s", why);
	cr_assert(eq(u32, got->root.denials, want->root.denials), "%s", why);
	cr_assert(eq(int, zone_version_denial(got), zone_version_denial(want)), "%s", why);
	cr_assert(eq(u64, digest(got), digest(want)), "%s", why);
	cr_assert(eq(int, memcmp(zone_version_soa(got), zone_version_soa(want), sizeof(dns_soa_t)),
	             0),
	          "%s", why);
	cr_assert(eq(int, zone_version_expiry(got, now, &a), zone_version_expiry(want, now, &b)),
	          "%s", why);
	cr_assert(a.s == b.s, "%s", why);
	cr_assert(same_node(zone_version_nsec3_apex(got), zone_version_nsec3_apex(want)));
	cr_assert(same_node(zone_version_nsec3_wild(got), zone_version_nsec3_wild(want)));
	compare_lookups(got, want);
}

/* There and back; the version that comes back. */
static zone_version_t *round_trip(const char *origin, const zone_version_t *v, const char *why)
{
	chunks_t c = pack(v), again;
	zone_version_t *got;

	cr_assert(eq(int, unpack(origin, &c, &got), ST_OK), "%s", why);
	compare(got, v, why);
	again = pack(got);
	cr_assert(same_chunks(&c, &again), "%s", why);
	drop(&c);
	drop(&again);
	return got;
}

#define H1 "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
#define H2 "2t7b4g4vsa5smi47k61mv5bv1a22bojr"
/* The hash of example., no salt, no iterations. */
#define H0 "6jtd3gcqkpqp1r3t5v9qv8jn4m3q5g7l"

static const struct {
	const char *why, *lines;
} zones[] = {
	{ "a SOA alone", SOA },
	{ "names of all kinds",
	  SOA "@ NS ns\n@ NS Ns.Other.\nns A 192.0.2.1\nns AAAA 2001:db8::1\nm MX 10 A.m\n"
	      "m MX 20 x.M.example.net.\n*.w CNAME *.W\ns SRV 1 2 3 S\nt TXT \"a\" \"b\"\n"
	      "d DNAME d.example.\np PTR P.p.p.P\nx TYPE65280 \\# 0\ny TYPE65280 \\# 3 aabbcc\n" },
	{ "empty non-terminals and asterisks",
	  SOA "a.b.c.d A 192.0.2.1\n*.e.f A 192.0.2.2\nz.b.c.d A 192.0.2.3\n\\000.b A 192.0.2.4\n"
	      "\\001\\000.b A 192.0.2.4\nb-.c A 192.0.2.1\na.*.w TXT x\n" },
	{ "delegations with glue",
	  SOA "a NS ns.a\na NS ns.b\nns.a A 192.0.2.1\nns.b A 192.0.2.2\nb NS ns.b\nb DS 1 8 2 "
	      "AABB\n" },
	{ "NSEC", SOA "@ NSEC a A NS SOA NSEC\n@ RRSIG NSEC" SIG "@ RRSIG SOA" SIG "a A 192.0.2.1\n"
	              "a RRSIG A" SIG "a NSEC b.c A NSEC\na RRSIG NSEC" SIG "b.c NSEC @ NSEC\n"
	              "x.b.c A 192.0.2.1\n" },
	{ "NSEC3 with opt-out, and another chain",
	  SOA "@ NSEC3PARAM 1 0 2 AA\n@ NSEC3PARAM 1 0 0 -\n" H1 " NSEC3 1 1 0 - " H2 " A\n" H1
	      " RRSIG NSEC3" SIG H2 " NSEC3 1 1 2 AA " H1 " A\n" H2 " NSEC3 1 1 0 - " H1 " A\n"
	      "a.b.c A 192.0.2.1\n" },
	{ "signatures of what is not there",
	  SOA "a RRSIG TXT" SIG "a RRSIG A" SIG "@ RRSIG NSEC3" SIG H1 " RRSIG NSEC3" SIG
	      "b RRSIG RRSIG" SIG "b RRSIG TYPE255" SIG },
};

Test(zone_pack, comes_back_as_it_was)
{
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		zone_version_t *v = zones_version(&zones_key, "example.", zones[i].lines);
		zone_version_t *got = round_trip("example.", v, zones[i].why);

		cr_expect(eq(ptr, got->arena, NULL), "a small zone is one piece");
		zone_version_free(got);
		zone_version_free(v);
	}
}
