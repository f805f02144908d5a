/* tests/unit/zone/test_log.c - whatever order its records come in, the zone is the same, and the
 * memory of the log goes back on the way. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/wire.h"
#include "support/zones.h"
#include "zone/layout.h"
#include "zone/log.h"

TestSuite(zone_log, .timeout = 120);

enum { OWNERS = 12000, EACH = 3, FILL = 300 }; /* some 10 MB of log: several huge pages */

static size_t record_count(void)
{
	return 1 + OWNERS * EACH;
}

static unsigned scatter(unsigned i)
{
	return i * 2654435761u >> 7;
}

/* Record i of the zone in canonical order: the SOA, then for each owner two TXT (one of them has a
 * double) or, for every fourth, NSEC3 of some other chain. */
static void make(size_t i, dns_rr_t *rr)
{
	static const dns_name_t apex = { .len = 3, .labels = 1, .off = { 0, 2 }, .wire = "\1z" };
	unsigned n = (unsigned)(i - 1) / EACH, part = (unsigned)(i - 1) % EACH;
	char text[64];

	*rr = (dns_rr_t){ .owner = apex, .class = DNS_CLASS_IN, .ttl = 60 };
	if (i == 0) {
		rr->type = DNS_TYPE_SOA;
		rr->rdlen = 22;
		rr->rdata[5] = 7;
		return;
	}
	snprintf(text, sizeof text, "%08u.z", n);
	rr->owner = zones_name(text);
	rr->type = n % 4 ? DNS_TYPE_TXT : DNS_TYPE_NSEC3;
	rr->rdlen = FILL;
	rr->rdata[0] = 2; /* of an NSEC3: no SHA-1, so a label of any length */
	rr->rdata[1] = (uint8_t)(part / 2);
}

/* Where the record at place i of an order comes from. */
typedef size_t (*order_t)(size_t i, size_t count);

static size_t as_it_is(size_t i, size_t count)
{
	(void)count;
	return i;
}

static size_t backwards(size_t i, size_t count)
{
	return count - 1 - i;
}

static size_t soa_last(size_t i, size_t count)
{
	return (i + 1) % count;
}

static size_t halves(size_t i, size_t count)
{
	return (i + count / 2) % count;
}

/* A step that has no divisor in common with the count. */
static size_t scattered(size_t i, size_t count)
{
	return (size_t)scatter(1) % count * i % count;
}

/* One in a hundred changes places with the one a little before it. */
static size_t stragglers(size_t i, size_t count)
{
	if (i % 100 == 57)
		return i - 20;
	return i % 100 == 37 && i + 20 < count ? i + 20 : i;
}

static const struct {
	const char *why;
	order_t from;
} orders[] = {
	{ "canonical", as_it_is }, { "reverse", backwards },       { "the SOA last", soa_last },
	{ "two halves", halves },  { "all scattered", scattered }, { "stragglers", stragglers },
};

static zone_version_t *build(order_t from)
{
	dns_name_t apex = zones_name("z.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_version_t *v = NULL;

	for (size_t i = 0; i < record_count(); i++) {
		make(from(i, record_count()), rr);
		cr_assert(eq(int, zone_build_add(b, rr), ST_OK));
	}
	cr_assert(eq(int, zone_build_seal(b, &v), ST_OK));
	cr_expect(eq(u64, zone_build_stats(b)->duplicates, OWNERS));
	zone_build_free(b);
	free(rr);
	return v;
}

static bool same_node(const zone_node_t *a, const zone_node_t *b)
{
	if (!a || !b)
		return a == b;
	return zone_node_size(a) == zone_node_size(b) && memcmp(a, b, zone_node_size(a)) == 0;
}

/* Every node of a list is the same octets in both. */
static void expect_same(const zone_version_t *a, const zone_version_t *b, bool denial,
                        const char *why)
{
	zone_walk_t *x = zone_walk_new(a, denial), *y = zone_walk_new(b, denial);
	const zone_node_t *n, *m;

	do {
		n = zone_walk_next(x);
		m = zone_walk_next(y);
		bool same = same_node(n, m);

		cr_assert(same, "%s", why);
	} while (n);
	zone_walk_free(x);
	zone_walk_free(y);
}

Test(zone_log, gives_the_same_zone_for_every_order)
{
	zone_version_t *want = build(as_it_is);

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		zone_version_t *v = build(orders[i].from);

		cr_expect(eq(u64, zone_version_records(v), zone_version_records(want)));
		expect_same(want, v, false, orders[i].why);
		expect_same(want, v, true, orders[i].why);
		zone_version_free(v);
	}
	zone_version_free(want);
}

Test(zone_log, gives_memory_back_as_it_is_spent)
{
	dns_name_t apex = zones_name("z.");
	dns_rr_t *rr = malloc(sizeof *rr);
	unsigned in_blocks = 0;
	zone_log_t log;

	zone_log_init(&log, &apex, &zones_limits);
	for (size_t i = 0; i < record_count(); i++) {
		make(i, rr);
		cr_assert(eq(int, zone_log_add(&log, rr, false), ST_OK));
	}
	cr_assert(eq(int, zone_list_sort(&log.names), ST_OK));
	for (size_t i = 0; i < log.names.count; i++)
		in_blocks += log.names.entry[i].rec->in_block;
	cr_expect(gt(u32, in_blocks, 20000), "most of a big zone");
	zone_log_spend(&log, &log.names, 0, log.names.count);
	zone_log_spend(&log, &log.denial, 0, log.denial.count);
	/* What is left: the small chunks it began with. Under ASan a touch of the others would show. */
	cr_expect(log.chunks != NULL);
	zone_log_free(&log);
	free(rr);
}

/* A name below z.: one to three labels of 1 to 12 octets, of which many are 0, 1 and 2. */
static void random_owner(dns_name_t *out, uint32_t *seed)
{
	uint8_t wire[DNS_NAME_MAX];
	size_t len = 0;

	for (unsigned labels = 1 + *seed % 3; labels > 0; labels--) {
		unsigned n = 1 + (*seed = scatter(*seed) ^ labels) % 12;

		wire[len++] = (uint8_t)n;
		for (unsigned i = 0; i < n; i++) {
			*seed = *seed * 1664525u + 1013904223u;
			wire[len++] =
				(uint8_t)(*seed >> 30 ? *seed >> 28 : 'a' + (*seed >> 20) % 3);
		}
	}
	memcpy(wire + len, "\1z", 3);
	dns_name_from_wire(wire, out);
	dns_name_fold(out);
}

Test(zone_log, sorts_canonically_whatever_octets_names_have)
{
	dns_name_t apex = zones_name("z.");
	dns_rr_t *rr = malloc(sizeof *rr);
	uint32_t seed = 1;
	zone_log_t log;

	zone_log_init(&log, &apex, &zones_limits);
	*rr = (dns_rr_t){ .type = DNS_TYPE_A, .class = DNS_CLASS_IN, .rdlen = 4 };
	for (unsigned i = 0; i < 50000; i++) {
		random_owner(&rr->owner, &seed);
		cr_assert(eq(int, zone_log_add(&log, rr, false), ST_OK));
	}
	cr_assert(eq(int, zone_list_sort(&log.names), ST_OK));
	cr_assert(eq(sz, log.names.count, 50000));
	for (size_t i = 1; i < log.names.count; i++) {
		const zone_rec_t *a = log.names.entry[i - 1].rec, *b = log.names.entry[i].rec;
		int cmp = zone_rel_cmp(a->bytes, a->rel_labels, b->bytes, b->rel_labels);

		cr_assert(le(int, cmp, 0), "%zu", i);
		cr_assert(cmp < 0 || a->number < b->number, "as they came");
	}
	zone_log_free(&log);
	free(rr);
}
