/* tests/unit/zone/test_delta.c - a version made by deltas is what a fresh build would be; the one
 * before stays as it was; what is given up leaves nothing behind. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/siphash.h"
#include "dns/wire.h"
#include "support/zones.h"
#include "zone/chain.h"
#include "zone/delta.h"
#include "zone/index.h"
#include "zone/layout.h"

TestSuite(zone_delta, .timeout = 300);

/* --- the model: records as numbers -------------------------------------------------------------- */

/* Record i of the universe: owner, type and data follow from i. A bit says whether it's there. */
enum { OWNERS = 300, PER_OWNER = 6, UNIVERSE = OWNERS * PER_OWNER, PADS = 20 };

static bool present[UNIVERSE];
static uint32_t serial;

/* Owners of one to four labels over a small alphabet, asterisks among them. */
static dns_name_t owner_of(unsigned n)
{
	static const char *const labels[] = { "a", "b", "*", "c", "ab", "\\000", "zz" };
	char text[100] = "";
	unsigned depth = 1 + n % 4;

	n /= 4;
	for (unsigned i = 0; i < depth; i++) {
		strcat(strcat(text, labels[n % ARRAY_LEN(labels)]), ".");
		n /= ARRAY_LEN(labels);
	}
	if (n > 0)
		sprintf(text + strlen(text), "n%u.", n);
	return zones_name(strcat(text, "z."));
}

static void fill(dns_rr_t *rr, const dns_name_t *owner, uint16_t type, const void *rdata,
                 size_t len)
{
	rr->owner = *owner;
	rr->type = type;
	rr->class = DNS_CLASS_IN;
	rr->ttl = 300;
	rr->rdlen = (uint16_t)len;
	memcpy(rr->rdata, rdata, len);
}

static void nsec3_owner(unsigned n, dns_name_t *out)
{
	char text[64];

	sprintf(text, "%032u.z.", n);
	*out = zones_name(text);
}

/* Five bits of the hash for each digit of that owner. */
static void nsec3_hash(unsigned n, uint8_t out[DNS_NSEC3_HASH_LEN])
{
	char text[64];

	sprintf(text, "%032u", n);
	for (unsigned group = 0; group < 4; group++) {
		uint64_t bits = 0;

		for (unsigned i = 0; i < 8; i++)
			bits = bits << 5 | (uint64_t)(text[8 * group + i] - '0');
		for (unsigned i = 0; i < 5; i++)
			out[5 * group + i] = (uint8_t)(bits >> (32 - 8 * i));
	}
}

/* The apex, hashed with so many iterations. */
static void apex_nsec3_owner(uint16_t iterations, dns_name_t *out)
{
	const dns_nsec3_params_t params = { .iterations = iterations, .salt = (uint8_t *)"" };
	uint8_t hash[DNS_NSEC3_HASH_LEN], wire[64];

	dns_nsec3_hash(&params, (const uint8_t *)"\1z", 3, hash);
	dns_nsec3_label(hash, wire);
	memcpy(wire + 33, "\1z", 3);
	dns_name_from_wire(wire, out);
}

/* What denies: the apex's NSEC and two NSEC3PARAM, NSEC3 of both chains, NSEC at names. */
static void denial_record(unsigned i, const dns_name_t *owner, dns_rr_t *rr)
{
	dns_name_t apex = zones_name("z."), hash;
	uint8_t nsec3[] = { 1, (uint8_t)(i & 8 ? 1 : 0), 0, i & 4 ? 2 : 0, 0, 1, 'x' };

	if (i == 5) {
		fill(rr, &apex, DNS_TYPE_NSEC, "\1a\1z\0\0\1\x40", 8);
	} else if (i == 11) {
		fill(rr, &apex, DNS_TYPE_NSEC3PARAM, "\1\0\0\0", 5);
	} else if (i == 17) {
		fill(rr, &apex, DNS_TYPE_NSEC3PARAM, "\1\0\0\2", 5);
	} else if (i == 23 || i == 29) {
		nsec3[3] = i == 29 ? 2 : 0;
		apex_nsec3_owner(nsec3[3], &hash);
		fill(rr, &hash, DNS_TYPE_NSEC3, nsec3, sizeof nsec3);
	} else if (i / PER_OWNER % 3 == 0) {
		fill(rr, owner, DNS_TYPE_NSEC, "\1a\1z\0\0\1\x40", 8);
	} else {
		nsec3_owner(i, &hash);
		fill(rr, &hash, DNS_TYPE_NSEC3, nsec3, sizeof nsec3);
	}
}

static void record(unsigned i, dns_rr_t *rr)
{
	dns_name_t owner = owner_of(i / PER_OWNER);
	uint8_t octet = (uint8_t)i;

	switch (i % PER_OWNER) {
	case 0:
	case 1:
		fill(rr, &owner, DNS_TYPE_A, (uint8_t[]){ 192, 0, 2, octet }, 4);
		break;
	case 2:
		fill(rr, &owner, i % 5 == 0 ? DNS_TYPE_NS : DNS_TYPE_MX,
		     i % 5 == 0 ? "\2ns\1a\1z" : "\0\1\1z", i % 5 == 0 ? 8 : 5);
		break;
	case 3:
		fill(rr, &owner, DNS_TYPE_TXT, (uint8_t[]){ 1, octet }, 2);
		break;
	case 4:
		fill(rr, &owner, i % 7 == 0 ? DNS_TYPE_DNAME : DNS_TYPE_RRSIG,
		     i % 7 == 0 ? "\1t" : "\0\1\10\1\0\0\1\x2c\0\0\0\0\0\0\0\0\0\1\1z\0sig",
		     i % 7 == 0 ? 3 : 24);
		break;
	default:
		denial_record(i, &owner, rr);
	}
}

static void soa(uint32_t number, dns_rr_t *rr)
{
	dns_name_t apex = zones_name("z.");
	uint8_t rdata[22] = { 0 };

	put_u32(rdata + 2, number);
	fill(rr, &apex, DNS_TYPE_SOA, rdata, sizeof rdata);
}

/* 60,000 octets each: enough of them take a zone out of the one piece of a small one. */
static void pad(unsigned i, dns_rr_t *rr)
{
	static uint8_t rdata[60000];
	dns_name_t owner = zones_name("pad.z.");

	memset(rdata, 0, sizeof rdata);
	rdata[0] = (uint8_t)i;
	fill(rr, &owner, 65280, rdata, sizeof rdata);
}

static zone_version_t *fresh(bool large)
{
	dns_name_t apex = zones_name("z.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_version_t *v = NULL;

	soa(serial, rr);
	cr_assert(zone_build_add(b, rr) == ST_OK);
	for (unsigned i = 0; i < UNIVERSE; i++) {
		if (!present[i])
			continue;
		record(i, rr);
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	for (unsigned i = 0; large && i < PADS; i++) {
		pad(i, rr);
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	cr_assert(zone_build_seal(b, &v) == ST_OK);
	cr_assert(eq(int, v->arena != NULL, large));
	zone_build_free(b);
	free(rr);
	return v;
}

/* --- two versions compared ---------------------------------------------------------------------- */

static uint64_t digest(const zone_version_t *v)
{
	return siphash13_chain(&zones_key, zones_digest(v) + v->root.records, &v->root.soa,
	                       sizeof v->root.soa);
}

/* The last in the walk that counts and does not come after label; else the last that counts. */
static const zone_node_t *plain_nsec3(const zone_version_t *v, const uint8_t *label)
{
	zone_walk_t *walk = zone_walk_new(v, true);
	const zone_node_t *node, *before = NULL, *last = NULL;
	dns_nsec3_params_t params, own;

	cr_assert(zone_chain_params(zone_version_apex(v), &params));
	while ((node = zone_walk_next(walk))) {
		const zone_rrset_head_t *set = zone_node_find(node, DNS_TYPE_NSEC3);

		if (!set || !dns_nsec3_read((const uint8_t *)(set + 1) + 12, 7, &own) ||
		    !dns_nsec3_same(&own, &params))
			continue;
		last = node;
		if (memcmp(node->name, label, 33) <= 0)
			before = node;
	}
	zone_walk_free(walk);
	return before ? before : last;
}

static void compare_denial(const zone_version_t *got, const zone_version_t *want, unsigned seed)
{
	uint8_t hash[DNS_NSEC3_HASH_LEN], label[33];
	dns_name_t name = owner_of((unsigned)rand() % (2 * OWNERS));
	bool matches, other;

	switch (zone_version_denial(want)) {
	case ZONE_DENIAL_NONE:
		break;
	case ZONE_DENIAL_NSEC:
		cr_assert(zones_same_node(zone_version_nsec(got, &name),
		                          zone_version_nsec(want, &name)),
		          "seed %u", seed);
		break;
	case ZONE_DENIAL_NSEC3:
		nsec3_hash((unsigned)rand() % UNIVERSE, hash);
		dns_nsec3_label(hash, label);
		const zone_node_t *a = zone_version_nsec3(got, hash, &matches);
		cr_assert(zones_same_node(a, zone_version_nsec3(want, hash, &other)), "seed %u",
		          seed);
		cr_assert(zones_same_node(a, plain_nsec3(want, label)), "seed %u", seed);
		cr_assert(eq(int, matches, other), "seed %u", seed);
		cr_assert(eq(int, matches, memcmp(a->name, label, 33) == 0), "seed %u", seed);
		cr_assert(zones_same_node(zone_version_nsec3_apex(got),
		                          zone_version_nsec3_apex(want)));
		cr_assert(zones_same_node(zone_version_nsec3_wild(got),
		                          zone_version_nsec3_wild(want)));
		break;
	}
}

static unsigned denials_seen[3];

static void compare(const zone_version_t *got, const zone_version_t *want, unsigned seed)
{
	dns_name_t name;

	cr_assert(eq(u64, got->root.records, want->root.records), "seed %u", seed);
	cr_assert(eq(u32, got->root.index.names, want->root.index.names), "seed %u", seed);
	cr_assert(eq(u32, got->root.denials, want->root.denials), "seed %u", seed);
	cr_assert(eq(int, zone_version_denial(got), zone_version_denial(want)), "seed %u", seed);
	denials_seen[zone_version_denial(got)]++;
	cr_assert(eq(u64, digest(got), digest(want)), "seed %u", seed);
	for (unsigned i = 0; i < 200; i++) {
		zone_lookup_t a, b;
		zone_hashes_t h;

		name = owner_of((unsigned)rand() % (2 * OWNERS));
		zone_hash_name(&zones_key, &name, &h);
		zone_version_lookup(got, &name, &h, i % 2, &a);
		zone_version_lookup(want, &name, &h, i % 2, &b);
		cr_assert(a.found == b.found && a.encloser_label == b.encloser_label &&
		                  zones_same_node(a.node, b.node),
		          "seed %u", seed);
		compare_denial(got, want, seed);
	}
}

/* Log a delta of changes random flips and a new SOA; the model has it at once. */
static zone_delta_t *random_delta(const zone_version_t *base, unsigned changes, dns_rr_t *rr)
{
	zone_delta_t *d = zone_delta_new(base, &zones_limits);

	soa(serial, rr);
	cr_assert(zone_delta_remove(d, rr) == ST_OK);
	soa(++serial, rr);
	cr_assert(zone_delta_add(d, rr) == ST_OK);
	for (unsigned i = 0; i < changes; i++) {
		unsigned n = (unsigned)rand() % UNIVERSE;

		record(n, rr);
		if (present[n])
			rr->ttl = (uint32_t)rand(); /* no matter where it removes */
		status_t st = present[n] ? zone_delta_remove(d, rr) : zone_delta_add(d, rr);
		cr_assert(eq(int, st, ST_OK));
		present[n] = !present[n];
	}
	return d;
}

static void run_random(unsigned seed, bool large, unsigned rounds)
{
	dns_rr_t *rr = malloc(sizeof *rr);

	srand(seed);
	serial = seed;
	for (unsigned i = 0; i < UNIVERSE; i++)
		present[i] = rand() % 3 == 0;
	zone_version_t *v = fresh(large);
	for (unsigned round = 0; round < rounds; round++) {
		uint64_t before = digest(v);
		zone_delta_t *d = random_delta(v, (unsigned)rand() % 60, rr);
		zone_version_t *next = NULL, *want;

		cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK), "seed %u", seed);
		zone_delta_free(d);
		want = fresh(large);
		compare(next, want, seed);
		zone_version_free(want);
		cr_assert(eq(u64, digest(v), before), "seed %u: the version before", seed);
		zone_version_succeed(v, next);
		cr_assert(eq(u64, digest(v), before), "seed %u: the version before", seed);
		zone_version_free(v);
		v = next;
	}
	zone_version_free(v);
	free(rr);
}

Test(zone_delta, of_a_small_zone_gives_what_a_fresh_build_gives)
{
	for (unsigned seed = 1; seed <= 40; seed++)
		run_random(seed, false, 12);
}

Test(zone_delta, of_a_large_zone_gives_what_a_fresh_build_gives)
{
	for (unsigned seed = 1; seed <= 20; seed++)
		run_random(seed, true, 25);
	for (size_t i = 0; i < ARRAY_LEN(denials_seen); i++)
		cr_expect(gt(uint, denials_seen[i], 10), "denial %zu", i);
}

/* --- what is refused ---------------------------------------------------------------------------- */

static const struct {
	const char *why;
	int remove[5], add[3]; /* records; -1: no more, -2: the SOA we hold, -3: another SOA */
	status_t want;
	int culprit; /* ST_STALE: the record */
} refused[] = {
	{ "removes what isn't there", { 6, -2, -1 }, { -3, -1 }, ST_STALE, 6 },
	{ "removes twice", { 0, 0, -1 }, { -1 }, ST_STALE, 0 },
	{ "adds what is there", { -1 }, { 0, -1 }, ST_STALE, 0 },
	{ "removes two that aren't there", { 3, 2, -1 }, { -1 }, ST_STALE, 3 },
	{ "removes them around one that is", { 3, 0, 2, -1 }, { -1 }, ST_STALE, 3 },
	{ "removes one twice that isn't there", { 2, 3, 2, 0, -1 }, { -1 }, ST_STALE, 2 },
	{ "takes the SOA away", { -2, -1 }, { -1 }, ST_NOENT, 0 },
	{ "brings a second SOA", { -1 }, { -3, -1 }, ST_EXIST, 0 },
	{ "removes an NSEC3 that isn't there", { 35, -1 }, { -1 }, ST_STALE, 35 },
};

static void log_refused(zone_delta_t *d, const int *list, bool remove, dns_rr_t *rr)
{
	for (; *list != -1; list++) {
		if (*list < 0)
			soa(serial + (*list == -3), rr);
		else
			record((unsigned)*list, rr);
		status_t st = remove ? zone_delta_remove(d, rr) : zone_delta_add(d, rr);
		cr_assert(eq(int, st, ST_OK));
	}
}

static void expect_culprit(const zone_delta_t *d, unsigned number, bool remove, dns_rr_t *rr)
{
	zone_culprit_t c;

	record(number, rr);
	zone_delta_culprit(d, &c);
	cr_expect(dns_name_equal(&c.owner, &rr->owner), "record %u", number);
	cr_expect(eq(u16, c.type, rr->type), "record %u", number);
	cr_expect(eq(u16, c.covered, rr->type == DNS_TYPE_RRSIG ? get_u16(rr->rdata) : 0));
	cr_expect(eq(int, c.remove, remove), "record %u", number);
}

Test(zone_delta, that_does_not_fit_changes_nothing)
{
	dns_rr_t *rr = malloc(sizeof *rr);

	serial = 7;
	memset(present, 0, sizeof present);
	present[0] = present[1] = present[30] = true;
	for (int large = 0; large < 2; large++) {
		zone_version_t *v = fresh(large);
		uint64_t before = digest(v);
		size_t bytes = zone_version_bytes(v);

		for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
			zone_delta_t *d = zone_delta_new(v, &zones_limits);
			zone_version_t *next = NULL;

			log_refused(d, refused[i].remove, true, rr);
			log_refused(d, refused[i].add, false, rr);
			cr_expect(eq(int, zone_delta_seal(d, &next), refused[i].want), "%s",
			          refused[i].why);
			cr_expect(next == NULL, "%s", refused[i].why);
			if (refused[i].want == ST_STALE)
				expect_culprit(d, (unsigned)refused[i].culprit,
				               refused[i].remove[0] != -1, rr);
			zone_delta_free(d);
			cr_expect(eq(u64, digest(v), before), "%s", refused[i].why);
			cr_expect(eq(sz, zone_version_bytes(v), bytes), "%s", refused[i].why);
		}
		zone_version_free(v);
	}
	free(rr);
}

Test(zone_delta, that_is_never_published_leaves_nothing_behind)
{
	dns_rr_t *rr = malloc(sizeof *rr);

	srand(1);
	serial = 1;
	for (unsigned i = 0; i < UNIVERSE; i++)
		present[i] = rand() % 2;
	zone_version_t *v = fresh(true);
	uint64_t before = digest(v);
	size_t bytes = zone_version_bytes(v);
	for (int round = 0; round < 50; round++) {
		bool was[UNIVERSE];
		uint32_t number = serial;
		zone_version_t *next = NULL;

		memcpy(was, present, sizeof was);
		zone_delta_t *d = random_delta(v, 100, rr);
		cr_assert(zone_delta_seal(d, &next) == ST_OK);
		zone_delta_free(d);
		zone_version_free(next);
		memcpy(present, was, sizeof was);
		serial = number;
	}
	zone_arena_collect(v->arena);
	cr_expect(eq(sz, zone_version_bytes(v), bytes));
	cr_expect(eq(u64, digest(v), before));
	zone_version_free(v);
	free(rr);
}

/* --- limits -------------------------------------------------------------------------------------- */

/* What the records of serial and present have in wire form, and one more if it isn't NULL. */
static uint64_t octets_of(const dns_rr_t *more, dns_rr_t *rr)
{
	uint64_t octets = more ? more->owner.len + (uint64_t)DNS_RR_FIXED + more->rdlen : 0;

	soa(serial, rr);
	octets += rr->owner.len + (uint64_t)DNS_RR_FIXED + rr->rdlen;
	for (unsigned i = 0; i < UNIVERSE; i++) {
		record(i, rr);
		if (present[i])
			octets += rr->owner.len + (uint64_t)DNS_RR_FIXED + rr->rdlen;
	}
	return octets;
}

static status_t build_within(const zone_limits_t *limits, const dns_rr_t *more, dns_rr_t *rr)
{
	dns_name_t apex = zones_name("z.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, limits);
	zone_version_t *v = NULL;
	status_t st;

	soa(serial, rr);
	st = zone_build_add(b, rr);
	for (unsigned i = 0; i < UNIVERSE && st == ST_OK; i++) {
		record(i, rr);
		if (present[i])
			st = zone_build_add(b, rr);
	}
	if (st == ST_OK)
		st = zone_build_add(b, more);
	if (st == ST_OK)
		st = zone_build_seal(b, &v);
	zone_version_free(v);
	zone_build_free(b);
	return st;
}

/* Another SOA and one more record. On ST_OK *v is the next version. */
static status_t grow_within(zone_version_t **v, const zone_limits_t *limits, const dns_rr_t *more,
                            dns_rr_t *rr)
{
	zone_delta_t *d = zone_delta_new(*v, limits);
	zone_version_t *next;

	cr_assert(zone_delta_add(d, more) == ST_OK);
	soa(serial, rr);
	cr_assert(zone_delta_remove(d, rr) == ST_OK);
	soa(++serial, rr);
	cr_assert(zone_delta_add(d, rr) == ST_OK);
	status_t st = zone_delta_seal(d, &next);
	if (st == ST_OK) {
		zone_version_succeed(*v, next);
		zone_version_free(*v);
		*v = next;
	} else {
		serial--;
		cr_expect(eq(int, zone_delta_excess(d)->limit, ZONE_LIMIT_BYTES));
		cr_expect(eq(u64, zone_delta_excess(d)->most, limits->max_bytes));
	}
	zone_delta_free(d);
	return st;
}

/* Whichever way it came: what was removed, came twice or lies compressed counts alike. */
Test(zone_delta, refuses_a_zone_of_the_size_at_which_a_build_does)
{
	dns_rr_t *rr = malloc(sizeof *rr), *more = malloc(sizeof *more);
	dns_name_t owner = zones_name("more.z.");

	srand(5);
	serial = 1;
	for (unsigned i = 0; i < UNIVERSE; i++)
		present[i] = rand() % 2;
	fill(more, &owner, DNS_TYPE_NS, "\2ns\1a\1z", 8);
	for (int large = 0; large < 2; large++) {
		zone_version_t *v = fresh(large), *next;
		zone_limits_t limits = zones_limits;

		for (unsigned round = 0; round < 20; round++) {
			zone_delta_t *d = random_delta(v, 60, rr);

			cr_assert(zone_delta_seal(d, &next) == ST_OK);
			zone_delta_free(d);
			zone_version_succeed(v, next);
			zone_version_free(v);
			v = next;
		}
		uint64_t octets = octets_of(more, rr);
		limits.max_bytes = octets - 1;
		cr_expect(eq(int, build_within(&limits, more, rr), ST_LIMIT));
		limits.max_bytes = octets;
		cr_expect(eq(int, build_within(&limits, more, rr), ST_OK));
		pad(0, rr);
		limits.max_bytes +=
			large ? PADS * (rr->owner.len + (uint64_t)DNS_RR_FIXED + rr->rdlen) : 0;
		limits.max_bytes--;
		cr_expect(eq(int, grow_within(&v, &limits, more, rr), ST_LIMIT));
		limits.max_bytes++;
		cr_expect(eq(int, grow_within(&v, &limits, more, rr), ST_OK));
		zone_version_free(v);
	}
	free(more);
	free(rr);
}

/* A record that came twice is one, for the deltas that follow. */
Test(zone_delta, counts_no_octets_of_what_a_build_dropped)
{
	static const char *const twice = "@ SOA a b 1 1 1 1 1\nwww A 192.0.2.1\nwww A 192.0.2.1\n";
	static const char *const once = "@ SOA a b 1 1 1 1 1\nwww A 192.0.2.1\n";
	zone_version_t *a = zones_version(&zones_key, "z.", twice);
	zone_version_t *b = zones_version(&zones_key, "z.", once);

	cr_expect(eq(u64, a->root.octets, b->root.octets));
	cr_expect(lt(sz, zone_version_bytes(b), 1000), "and a small zone stays small");
	zone_version_free(a);
	zone_version_free(b);
}

/* Names that come and go within one delta, and several diffs of one IXFR. */
Test(zone_delta, applies_one_records_changes_in_their_order)
{
	dns_rr_t *rr = malloc(sizeof *rr);

	serial = 7;
	memset(present, 0, sizeof present);
	present[0] = true;
	for (int large = 0; large < 2; large++) {
		zone_version_t *v = fresh(large), *next = NULL;
		zone_delta_t *d = zone_delta_new(v, &zones_limits);

		record(0, rr);
		cr_assert(zone_delta_remove(d, rr) == ST_OK);
		cr_assert(zone_delta_add(d, rr) == ST_OK);
		cr_assert(zone_delta_remove(d, rr) == ST_OK);
		cr_assert(zone_delta_add(d, rr) == ST_OK);
		record(100, rr);
		cr_assert(zone_delta_add(d, rr) == ST_OK);
		cr_assert(zone_delta_remove(d, rr) == ST_OK);
		cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK));
		cr_expect(eq(u64, digest(next), digest(v)));
		zone_delta_free(d);
		zone_version_succeed(v, next);
		zone_version_free(v);
		zone_version_free(next);
	}
	free(rr);
}

/* --- many at one name --------------------------------------------------------------------------- */

static void many_at_one_name(zone_delta_t *d, unsigned n, bool remove, dns_rr_t *rr)
{
	dns_name_t owner = zones_name("many.z.");

	for (unsigned i = n; i > 0; i--) { /* each to go before all others */
		uint8_t address[4];

		put_u32(address, i);
		fill(rr, &owner, DNS_TYPE_A, address, sizeof address);
		status_t st = remove ? zone_delta_remove(d, rr) : zone_delta_add(d, rr);
		cr_assert(eq(int, st, ST_OK));
	}
}

/* In the square of their number, that would be half a minute of a builder, however fast it is. */
Test(zone_delta, of_many_at_one_name_is_refused_or_applied_soon)
{
	enum { MANY = 400000 };
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_limits_t limits = zones_limits;
	zone_version_t *v = fresh(true), *next;
	clock_t began = clock(); /* of this process, whoever else is busy */

	limits.max_rrset = 10000;
	zone_delta_t *d = zone_delta_new(v, &limits);
	many_at_one_name(d, MANY, false, rr);
	cr_expect(eq(int, zone_delta_seal(d, &next), ST_LIMIT));
	cr_expect(eq(int, zone_delta_excess(d)->limit, ZONE_LIMIT_RRSET));
	cr_expect(eq(u64, zone_delta_excess(d)->count, MANY));
	zone_delta_free(d);
	d = zone_delta_new(v, &limits);
	many_at_one_name(d, MANY, false, rr);
	many_at_one_name(d, MANY, true, rr);
	soa(serial, rr);
	cr_assert(zone_delta_remove(d, rr) == ST_OK);
	cr_assert(zone_delta_add(d, rr) == ST_OK);
	cr_expect(eq(int, zone_delta_seal(d, &next), ST_OK));
	cr_expect(eq(u64, digest(next), digest(v)));
	cr_expect(lt(dbl, (double)(clock() - began) / CLOCKS_PER_SEC, 8));
	zone_delta_free(d);
	zone_version_free(next);
	zone_version_free(v);
	free(rr);
}

/* --- memory ------------------------------------------------------------------------------------- */

static zone_version_t *flat_zone(unsigned names, dns_rr_t *rr)
{
	dns_name_t apex = zones_name("z.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	zone_version_t *v = NULL;

	soa(serial, rr);
	cr_assert(zone_build_add(b, rr) == ST_OK);
	for (unsigned i = 0; i < names; i++) {
		char text[40];

		sprintf(text, "host%07u.z.", i);
		dns_name_t owner = zones_name(text);
		fill(rr, &owner, DNS_TYPE_A, (uint8_t[]){ 10, 0, 0, 1 }, 4);
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	cr_assert(zone_build_seal(b, &v) == ST_OK);
	zone_build_free(b);
	return v;
}

Test(zone_delta, ten_thousand_deltas_take_no_more_memory_than_a_fresh_load)
{
	enum { NAMES = 30000 };
	dns_rr_t *rr = malloc(sizeof *rr);
	uint8_t *value = calloc(NAMES, 1);

	srand(3);
	serial = 1;
	zone_version_t *v = flat_zone(NAMES, rr);
	size_t bytes = zone_version_bytes(v), used = zone_arena_used(v->arena);
	memset(value, 1, NAMES);
	for (unsigned round = 0; round < 10000; round++) {
		zone_delta_t *d = zone_delta_new(v, &zones_limits);
		zone_version_t *next = NULL;

		soa(serial, rr);
		cr_assert(zone_delta_remove(d, rr) == ST_OK);
		soa(++serial, rr);
		cr_assert(zone_delta_add(d, rr) == ST_OK);
		for (unsigned i = 0; i < 5; i++) { /* another address; now and then none */
			unsigned n = (unsigned)rand() % NAMES;
			char text[40];

			sprintf(text, "host%07u.z.", n);
			dns_name_t owner = zones_name(text);
			fill(rr, &owner, DNS_TYPE_A, (uint8_t[]){ 10, 0, 0, value[n] }, 4);
			if (value[n] != 0)
				cr_assert(zone_delta_remove(d, rr) == ST_OK);
			value[n] = (uint8_t)(rand() % 5);
			rr->rdata[3] = value[n];
			if (value[n] != 0)
				cr_assert(zone_delta_add(d, rr) == ST_OK);
		}
		status_t st = zone_delta_seal(d, &next);
		cr_assert(eq(int, st, ST_OK), "round %u", round);
		zone_delta_free(d);
		zone_version_succeed(v, next);
		zone_version_free(v);
		v = next;
	}
	zone_arena_collect(v->arena);
	cr_expect(lt(sz, zone_version_bytes(v), bytes * 12 / 10));
	cr_expect(lt(sz, zone_arena_used(v->arena), used * 12 / 10), "%zu of %zu",
	          zone_arena_used(v->arena), used);
	zone_version_free(v);
	free(value);
	free(rr);
}

/* The next version, in which names first..end have address now instead of was; 0: they aren't there. */
static zone_version_t *with_hosts(zone_version_t *v, unsigned first, unsigned end, unsigned was,
                                  unsigned now, dns_rr_t *rr)
{
	zone_delta_t *d = zone_delta_new(v, &zones_limits);
	zone_version_t *next = NULL;

	soa(serial, rr);
	cr_assert(zone_delta_remove(d, rr) == ST_OK);
	soa(++serial, rr);
	cr_assert(zone_delta_add(d, rr) == ST_OK);
	for (unsigned i = first; i < end; i++) {
		char text[40];

		sprintf(text, "host%07u.z.", i);
		dns_name_t owner = zones_name(text);
		fill(rr, &owner, DNS_TYPE_A, (uint8_t[]){ 10, 0, 0, (uint8_t)was }, 4);
		if (was != 0)
			cr_assert(zone_delta_remove(d, rr) == ST_OK);
		rr->rdata[3] = (uint8_t)now;
		if (now != 0)
			cr_assert(zone_delta_add(d, rr) == ST_OK);
	}
	cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK));
	zone_delta_free(d);
	zone_version_succeed(v, next);
	zone_version_free(v);
	return next;
}

/* A bucket that grows twice in one delta is copied twice: the first copy goes back as well. */
Test(zone_delta, of_many_names_gives_back_what_it_copied_on_the_way)
{
	enum { NAMES = 30000 };
	dns_rr_t *rr = malloc(sizeof *rr);

	serial = 1;
	zone_version_t *v = flat_zone(NAMES, rr);
	zone_arena_t *arena = v->arena;
	size_t bytes = zone_version_bytes(v);
	for (unsigned round = 1; round < 20; round++) {
		v = with_hosts(v, NAMES, NAMES * 3 / 2, 0, round, rr);
		v = with_hosts(v, NAMES, NAMES * 3 / 2, round, 0, rr);
	}
	zone_arena_collect(v->arena);
	cr_assert(v->arena == arena);
	cr_expect(lt(sz, zone_version_bytes(v), bytes * 11 / 10), "%zu, %zu at first",
	          zone_version_bytes(v), bytes);
	zone_version_free(v);
	free(rr);
}

Test(zone_delta, of_a_zone_that_grows_tenfold_has_an_index_that_grows_with_it)
{
	enum { NAMES = 30000 };
	dns_rr_t *rr = malloc(sizeof *rr);

	serial = 1;
	zone_version_t *v = flat_zone(NAMES, rr);
	for (unsigned i = 1; i < 10; i++)
		v = with_hosts(v, i * NAMES, (i + 1) * NAMES, 0, 1, rr);
	zone_version_t *want = flat_zone(10 * NAMES, rr);
	cr_expect(not(zone_index_unfit(&v->root.index)));
	cr_expect(ge(int, v->root.index.bits + 1, want->root.index.bits), "up to a doubling");
	zone_version_free(want);
	zone_version_free(v);
	free(rr);
}

/* As many names below one that is empty, and, with hashed, an NSEC3 for one in fifty. */
static zone_version_t *deep_zone(unsigned names, bool hashed, dns_rr_t *rr)
{
	dns_name_t apex = zones_name("z.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	zone_version_t *v = NULL;
	char text[40];

	soa(1, rr);
	cr_assert(zone_build_add(b, rr) == ST_OK);
	if (hashed) {
		fill(rr, &apex, DNS_TYPE_NSEC3PARAM, "\1\0\0\0", 5);
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	for (unsigned i = 0; i < names; i++) {
		dns_name_t owner;

		sprintf(text, "host%07u.sub.z.", i);
		owner = zones_name(text);
		fill(rr, &owner, DNS_TYPE_A, (uint8_t[]){ 10, 0, 0, 1 }, 4);
		cr_assert(zone_build_add(b, rr) == ST_OK);
		if (!hashed || i % 50 > 0)
			continue;
		nsec3_owner(i, &owner);
		fill(rr, &owner, DNS_TYPE_NSEC3, "\1\1\0\0\0\1x", 7);
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	cr_assert(zone_build_seal(b, &v) == ST_OK);
	zone_build_free(b);
	return v;
}

/* Blocks that are written when one record comes, with its SOA. */
static size_t blocks_for(const zone_version_t *v, const dns_rr_t *one, dns_rr_t *rr)
{
	zone_delta_t *d = zone_delta_new(v, &zones_limits);
	zone_version_t *next = NULL;

	cr_assert(zone_delta_add(d, one) == ST_OK);
	soa(1, rr);
	cr_assert(zone_delta_remove(d, rr) == ST_OK);
	soa(2, rr);
	cr_assert(zone_delta_add(d, rr) == ST_OK);
	cr_assert(zone_delta_seal(d, &next) == ST_OK);
	size_t blocks = next->debts->taken.count;
	zone_delta_free(d);
	zone_version_free(next);
	return blocks;
}

/* What a name inherits, and what an NSEC3 covers, is written nowhere: or these were deltas of a
 * million. */
Test(zone_delta, writes_nothing_below_a_cut_and_nothing_that_is_covered)
{
	enum { NAMES = 1000000 };
	dns_rr_t *rr = malloc(sizeof *rr), *one = malloc(sizeof *one);
	zone_version_t *v = deep_zone(NAMES, false, rr);
	dns_name_t owner = zones_name("sub.z.");

	fill(one, &owner, DNS_TYPE_NS, "\2ns\1a", 6);
	/* sub's node and the apex's, and on the way to each: a bucket and two or three pages. */
	cr_expect(le(sz, blocks_for(v, one, rr), 12));
	zone_version_free(v);

	v = deep_zone(NAMES, true, rr);
	nsec3_owner(777, &owner);
	fill(one, &owner, DNS_TYPE_NSEC3, "\1\1\0\0\0\1y", 7);
	/* Its node, the pages of its tree, and the apex's as above. */
	cr_expect(le(sz, blocks_for(v, one, rr), 12));
	zone_version_free(v);
	free(one);
	free(rr);
}

Test(zone_delta, costs_what_it_changes)
{
	enum { NAMES = 100000 };
	dns_rr_t *rr = malloc(sizeof *rr);

	serial = 1;
	zone_version_t *v = flat_zone(NAMES, rr), *next = NULL;
	zone_delta_t *d = zone_delta_new(v, &zones_limits);
	dns_name_t above = zones_name("host0000001.z.");

	/* One NS above names would be a cut: here it is over a leaf of the largest zone. */
	fill(rr, &above, DNS_TYPE_NS, "\2ns\1z", 6);
	cr_assert(zone_delta_add(d, rr) == ST_OK);
	soa(1, rr);
	cr_assert(zone_delta_remove(d, rr) == ST_OK);
	soa(2, rr);
	cr_assert(zone_delta_add(d, rr) == ST_OK);
	cr_assert(zone_delta_seal(d, &next) == ST_OK);
	cr_expect(le(sz, next->debts->taken.count, 12), "%zu blocks", next->debts->taken.count);
	zone_delta_free(d);
	zone_version_succeed(v, next);
	zone_version_free(v);
	zone_version_free(next);
	free(rr);
}

/* --- a base that goes while somebody builds over it ---------------------------------------------- */

Test(zone_delta, keeps_a_claimed_base_until_it_is_let_go)
{
	for (int large = 0; large < 2; large++) {
		dns_rr_t *rr = malloc(sizeof *rr);
		zone_version_t *next = NULL;

		serial = 7;
		memset(present, 0, sizeof present);
		present[0] = true;
		zone_version_t *v = fresh(large);
		cr_assert(zone_version_claim(v));
		cr_expect(not(zone_version_claim(v)), "one at a time");
		zone_version_unclaim(v);
		cr_assert(zone_version_claim(v));

		zone_version_free(v); /* ASan would tell if it went now */
		cr_expect(not(zone_version_claim(v)));
		zone_delta_t *d = zone_delta_new(v, &zones_limits);
		soa(7, rr);
		zone_delta_remove(d, rr);
		soa(8, rr);
		zone_delta_add(d, rr);
		cr_expect(eq(int, zone_delta_seal(d, &next), ST_OK));
		zone_delta_free(d);
		cr_expect(eq(u32, zone_version_soa(next)->serial, 8));
		zone_version_free(next);
		zone_version_unclaim(v); /* it goes with its claim: LSan would tell if not */
		free(rr);
	}
}
