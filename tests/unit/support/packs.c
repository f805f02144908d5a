/* tests/unit/support/packs.c - chunks, and versions compared by all that can be asked of them. */
#include "support/packs.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "zone/layout.h"

#define SOA "@ SOA ns hm 7 3600 600 86400 60\n"
#define SIG " 8 2 300 20300101000000 20200101000000 1 example. AAAA\n"

/* --- zones and differences ---------------------------------------------------------------------- */

#define H1 "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
#define H2 "2t7b4g4vsa5smi47k61mv5bv1a22bojr"

const packs_zone_t packs_zones[PACKS_ZONES] = {
	{ "a SOA alone", SOA },
	{ "names of all kinds",
	  SOA "@ NS ns\n@ NS Ns.Other.\nns A 192.0.2.1\nns AAAA 2001:db8::1\nm MX 10 A.m\n"
	      "m MX 20 x.M.example.net.\n*.w CNAME *.W\ns SRV 1 2 3 S\nt TXT \"a\" \"b\"\n"
	      "d DNAME d.example.\np PTR P.p.p.P\nx TYPE65280 \\# 0\ny TYPE65280 \\# 3 aabbcc\n"
	      "i MINFO A.i b.A.i\nr RP M.Example. t\n" },
	{ "empty non-terminals and asterisks",
	  SOA "a.b.c.d A 192.0.2.1\n*.e.f A 192.0.2.2\nz.b.c.d A 192.0.2.3\n\\000.b A 192.0.2.4\n"
	      "\\001\\000.b A 192.0.2.4\nb-.c A 192.0.2.1\na.*.w TXT x\n" },
	{ "delegations with glue, and some without",
	  SOA "@ NS b\na NS ns.a\na NS ns.b\nns.a A 192.0.2.1\nns.b A 192.0.2.2\nb NS ns.b\n"
	      "b DS 1 8 2 AABB\nc NS ns.c\nc NS NS.C\nd CNAME e\nd TXT x\n" },
	{ "NSEC", SOA "@ NSEC a A NS SOA NSEC\n@ RRSIG NSEC" SIG "@ RRSIG SOA" SIG "a A 192.0.2.1\n"
	              "a RRSIG A" SIG "a NSEC b.c A NSEC\na RRSIG NSEC" SIG "b.c NSEC @ NSEC\n"
	              "x.b.c A 192.0.2.1\nd DNAME a\nx.d A 192.0.2.1\n" },
	{ "NSEC3 with opt-out, and another chain",
	  SOA "@ NSEC3PARAM 1 0 2 AA\n@ NSEC3PARAM 1 0 0 -\n" H1 " NSEC3 1 1 0 - " H2 " A\n" H1
	      " RRSIG NSEC3" SIG H2 " NSEC3 1 1 2 AA " H1 " A\n" H2 " NSEC3 1 1 0 - " H1 " A\n"
	      "a.b.c A 192.0.2.1\nz NS ns.z\n" },
	{ "signatures of what is not there",
	  SOA "a RRSIG TXT" SIG "a RRSIG A" SIG "@ RRSIG NSEC3" SIG H1 " RRSIG NSEC3" SIG
	      "b RRSIG RRSIG" SIG "b RRSIG TYPE255" SIG },
};

#define NEW_SOA "-" SOA "+@ SOA ns hm 8 3600 600 86400 60\n"

const packs_change_t packs_changes[PACKS_CHANGES] = {
	{ "a new serial", SOA, NEW_SOA },
	{ "a record goes and comes back, another comes and goes, one comes with another TTL",
	  SOA "b A 192.0.2.1\n",
	  "-b A 192.0.2.1\n+a A 192.0.2.9\n" NEW_SOA "+b A 192.0.2.1\n-a A 192.0.2.9\n"
	  "-b A 192.0.2.1\n+b 60 A 192.0.2.1\n" },
	{ "what came late stays in order", SOA "b A 192.0.2.1\n",
	  NEW_SOA "+" H2 " NSEC3 1 1 0 - " H1 " A\n+" H1 " NSEC3 1 1 0 - " H2 " A\n"
	          "+z A 192.0.2.1\n-b A 192.0.2.1\n+y A 192.0.2.1\n+b A 192.0.2.1\n+x TXT x\n"
	          "-b A 192.0.2.1\n+c.b A 192.0.2.1\n" },
	{ "a chain of NSEC3 comes, case is kept, signatures change",
	  SOA "a RRSIG A" SIG "a A 192.0.2.1\n",
	  NEW_SOA "-a RRSIG A" SIG "+@ NSEC3PARAM 1 0 0 -\n+" H1 " NSEC3 1 1 0 - " H2 " A\n+" H1
	          " RRSIG NSEC3" SIG "+m MX 10 Mail.M\n+*.w.e TXT x\n" },
};

/* --- chunks ------------------------------------------------------------------------------------- */

packs_chunks_t packs_of(const zone_version_t *v)
{
	zone_pack_t *p = zone_pack_new(v);
	packs_chunks_t c = { 0 };
	const uint8_t *octets;
	size_t len;
	status_t st;

	cr_assert(p != NULL);
	while ((st = zone_pack_next(p, &octets, &len)) == ST_OK) {
		cr_assert(c.count < PACKS_MAX);
		c.octets[c.count] = malloc(len);
		memcpy(c.octets[c.count], octets, len);
		c.len[c.count++] = len;
	}
	cr_assert(eq(int, st, ST_NOENT));
	cr_assert(eq(int, zone_pack_next(p, &octets, &len), ST_NOENT), "it stays at its end");
	zone_pack_free(p);
	return c;
}

void packs_drop(packs_chunks_t *c)
{
	while (c->count > 0)
		free(c->octets[--c->count]);
}

bool packs_same(const packs_chunks_t *a, const packs_chunks_t *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = a->len[i] == b->len[i] && memcmp(a->octets[i], b->octets[i], a->len[i]) == 0;
	return same;
}

status_t packs_feed(zone_unpack_t *u, const packs_chunks_t *c)
{
	status_t st = ST_OK;

	for (size_t i = 0; i < c->count && st == ST_OK; i++)
		st = zone_unpack_feed(u, c->octets[i], c->len[i]);
	return st;
}

static status_t feed_and_seal(zone_unpack_t *u, const packs_chunks_t *c, zone_version_t **out)
{
	status_t st = packs_feed(u, c);

	*out = NULL;
	if (st == ST_OK)
		st = zone_unpack_seal(u, out);
	if (st != ST_OK) {
		zone_version_t *none;

		cr_expect(eq(int, zone_unpack_seal(u, &none), st), "it stays as it is");
		cr_expect(eq(ptr, none, NULL));
	}
	return st;
}

/* Of all that a reader keeps something of: names to be looked at, signatures' ends, hashes, children. */
static const packs_chunks_t *busy(void)
{
	static packs_chunks_t chunks;
	zone_version_t *v;

	if (chunks.count > 0)
		return &chunks;
	v = zones_version(&zones_key, "busy.test.",
	                  "@ SOA ns.busy.test. host.busy.test. 1 2 3 4 5\n"
	                  "@ RRSIG SOA 8 2 300 20300101000000 20200101000000 1 busy.test. AAAA\n"
	                  "@ NS ns\n@ NS ns.sub\n"
	                  "@ NSEC3PARAM 1 0 2 aabb\n"
	                  "alias CNAME www.a.b.c\nalias TXT \"beside\"\n"
	                  "cut NS ns.cut\nns.cut A 192.0.2.1\n"
	                  "d DNAME elsewhere.test.\nbelow.d A 192.0.2.1\n"
	                  "www.a.b.c A 192.0.2.1\n*.a.b.c MX 10 mail\n"
	                  "2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 0 2 aabb "
	                  "3t7b4g4vsa5smi47k61mv5bv1a22bojr A\n");
	chunks = packs_of(v);
	zone_version_free(v);
	return &chunks;
}

/* Another zone, whole, cut short, or beyond its limits: whatever is left of it counts no more. */
static void feed_another(zone_unpack_t *u, unsigned way)
{
	enum { HEAD = 1 + 8 + 8 }; /* of the first chunk, up to its first owner */
	const dns_name_t apex = zones_name("busy.test.");
	zone_limits_t limits = zones_limits;
	const packs_chunks_t *c = busy();
	zone_version_t *v = NULL;
	zone_faults_t faults;

	limits.max_records = way == 2 ? 3 : limits.max_records;
	zone_unpack_next(u, &apex, &limits);
	if (way == 0) {
		cr_assert(eq(int, feed_and_seal(u, c, &v), ST_OK));
		cr_assert(eq(int, zone_unpack_check(u, v, &faults), ST_OK));
		zone_version_free(v);
		cr_assert(ne(int, zone_unpack_feed(u, c->octets[0], HEAD), ST_OK), "it is spent");
		cr_assert(ne(int, zone_unpack_seal(u, &v), ST_OK));
	} else if (way == 1) {
		(void)zone_unpack_feed(u, c->octets[0], c->len[0] - 1);
	} else {
		cr_assert(eq(int, packs_feed(u, c), ST_LIMIT));
	}
	zone_version_free(v);
}

static void expect_alike(zone_unpack_t *u, const zone_version_t *first, const zone_faults_t *faults,
                         const zone_version_t *second)
{
	zone_faults_t again;

	cr_expect(eq(sz, zone_version_bytes(first), zone_version_bytes(second)));
	cr_expect(eq(u64, zones_digest(first), zones_digest(second)));
	cr_expect(eq(u64, zone_version_records(first), zone_version_records(second)));
	cr_assert(eq(int, zone_unpack_check(u, second, &again), ST_OK));
	for (zone_fault_t i = 0; i < ZONE_FAULT_KINDS; i++)
		cr_expect(eq(u32, again.count[i], faults->count[i]), "fault %d", (int)i);
	cr_expect(eq(uint, again.iterations, faults->iterations));
	cr_expect(eq(int, again.costly, faults->costly));
}

/* The same by a reader that was fed another zone meanwhile; the version lies in a slab. */
static void read_again(zone_unpack_t *u, const char *origin, const packs_chunks_t *c,
                       const zone_limits_t *limits, unsigned way, status_t st, zone_version_t **out)
{
	static slab_t *slab;
	const dns_name_t apex = zones_name(origin);
	const uint64_t octets = zone_unpack_stats(u)->octets;
	zone_version_t *first = *out;
	zone_faults_t faults;

	if (first)
		cr_assert(eq(int, zone_unpack_check(u, first, &faults), ST_OK));
	slab = slab ? slab : slab_new();
	zone_unpack_in(u, slab);
	feed_another(u, way);
	zone_unpack_next(u, &apex, limits);
	cr_expect(eq(int, feed_and_seal(u, c, out), st), "it depends on what was before");
	cr_expect(eq(u64, zone_unpack_stats(u)->octets, octets));
	if (first && *out)
		expect_alike(u, first, &faults, *out);
	zone_version_free(first);
}

/* By one that is new, and, some of them, by one that was used. */
status_t packs_read_within(const char *origin, const packs_chunks_t *c, const zone_limits_t *limits,
                           zone_excess_t *excess, zone_version_t **out)
{
	enum { FIRST = 200, EVERY = 10, WAYS = 3 };
	static unsigned calls, turn;
	const dns_name_t apex = zones_name(origin);
	zone_unpack_t *u = zone_unpack_new(&zones_key, &apex, limits);
	status_t st = feed_and_seal(u, c, out);

	if (calls++ < FIRST || calls % EVERY == 0)
		read_again(u, origin, c, limits, turn++ % WAYS, st, out);
	*excess = *zone_unpack_excess(u);
	zone_unpack_free(u);
	return st;
}

status_t packs_read(const char *origin, const packs_chunks_t *c, zone_version_t **out)
{
	zone_excess_t excess;

	return packs_read_within(origin, c, &zones_limits, &excess, out);
}

/* --- two versions compared ---------------------------------------------------------------------- */

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
	cr_assert(zones_same_node(a.node, b.node));
	if (zone_version_denial(want) == ZONE_DENIAL_NSEC)
		cr_assert(zones_same_node(zone_version_nsec(got, name),
		                          zone_version_nsec(want, name)));
	if (zone_version_denial(want) == ZONE_DENIAL_NSEC3) {
		uint8_t hash[DNS_NSEC3_HASH_LEN];
		bool x, y;

		zone_version_hash(want, name->wire, name->len, hash);
		cr_assert(zones_same_node(zone_version_nsec3(got, hash, &x),
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
		if (name.len + 2u > DNS_NAME_MAX)
			continue;
		memcpy(wire + 2, name.wire, name.len);
		dns_name_from_wire(wire, &name);
		compare_lookup(got, want, &name);
	}
	zone_walk_free(walk);
}

void packs_compare(const zone_version_t *got, const zone_version_t *want, const char *why)
{
	wall_t now = { 1800000000 }, a = { 0 }, b = { 0 };

	cr_assert(eq(u64, zone_version_records(got), zone_version_records(want)), "%s", why);
	cr_assert(eq(u64, got->root.octets, want->root.octets), "%s", why);
	cr_assert(eq(u32, got->root.index.names, want->root.index.names), "%s", why);
	cr_assert(eq(u32, got->root.denials, want->root.denials), "%s", why);
	cr_assert(eq(int, zone_version_denial(got), zone_version_denial(want)), "%s", why);
	cr_assert(eq(u64, zones_digest(got), zones_digest(want)), "%s", why);
	cr_assert(eq(int, memcmp(zone_version_soa(got), zone_version_soa(want), sizeof(dns_soa_t)),
	             0),
	          "%s", why);
	cr_assert(eq(int, zone_version_expiry(got, now, &a), zone_version_expiry(want, now, &b)),
	          "%s", why);
	cr_assert(a.s == b.s, "%s", why);
	cr_assert(zones_same_node(zone_version_nsec3_apex(got), zone_version_nsec3_apex(want)));
	cr_assert(zones_same_node(zone_version_nsec3_wild(got), zone_version_nsec3_wild(want)));
	compare_lookups(got, want);
}

zone_version_t *packs_round_trip(const char *origin, const zone_version_t *v, const char *why)
{
	packs_chunks_t c = packs_of(v), again;
	zone_version_t *got;

	cr_assert(eq(int, packs_read(origin, &c, &got), ST_OK), "%s", why);
	packs_compare(got, v, why);
	again = packs_of(got);
	cr_assert(packs_same(&c, &again), "%s", why);
	packs_drop(&c);
	packs_drop(&again);
	return got;
}

/* --- differences -------------------------------------------------------------------------------- */

zone_delta_t *packs_delta(const zone_version_t *base, const char *lines)
{
	zone_delta_t *d = zone_delta_new(base, &zones_limits);
	dns_rr_t *rr = malloc(sizeof *rr);
	char *copy = strdup(lines), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		zones_record("example.", line + 1, rr);
		cr_assert(eq(int, *line == '-' ? zone_delta_remove(d, rr) : zone_delta_add(d, rr),
		             ST_OK));
	}
	free(copy);
	free(rr);
	return d;
}
