/* tests/unit/zone/test_chain.c - which chain counts, and where it is broken. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/zones.h"
#include "zone/chain.h"

TestSuite(zone_chain, .timeout = 20);

#define SOA "@ SOA a b 1 2 3 4 5\na A 192.0.2.1\nb A 192.0.2.2\n"

/* The chain of NSEC3 over the apex, a and b, with so many iterations, as lines; without the link of
 * skip (0, 1, 2 in the order of hashes; 3: with all). */
static void add_nsec3(char *lines, unsigned iterations, unsigned skip)
{
	static const char *const names[] = { "z.", "a.z.", "b.z." };
	const dns_nsec3_params_t params = { .iterations = (uint16_t)iterations,
		                            .salt = (const uint8_t *)"" };
	char label[3][33];

	for (unsigned i = 0; i < 3; i++) {
		dns_name_t n = zones_name(names[i]);
		uint8_t hash[DNS_NSEC3_HASH_LEN], out[33];

		dns_nsec3_hash(&params, n.wire, n.len, hash);
		dns_nsec3_label(hash, out);
		memcpy(label[i], out + 1, 32);
		label[i][32] = '\0';
	}
	qsort(label, 3, sizeof label[0], (int (*)(const void *, const void *))strcmp);
	for (unsigned i = 0; i < 3; i++) {
		if (i != skip)
			sprintf(lines + strlen(lines), "%s NSEC3 1 0 %u - %s A\n", label[i],
			        iterations, label[(i + 1) % 3]);
	}
}

static const struct {
	const char *why, *lines;
	int first, second; /* iterations of the chains that are in the zone; -1: not there */
	unsigned skip;     /* link of the first that is missing; 3: none */
	zone_denial_t denial;
	uint32_t gaps;
} rows[] = {
	{ "an unsigned zone", "", -1, -1, 3, ZONE_DENIAL_NONE, 0 },
	{ "NSEC", "@ NSEC a A\na NSEC b A\nb NSEC @ A\n", -1, -1, 3, ZONE_DENIAL_NSEC, 0 },
	{ "letter case is no gap", "@ NSEC A A\na NSEC B A\nb NSEC @ A\n", -1, -1, 3,
	  ZONE_DENIAL_NSEC, 0 },
	{ "one that leads past a name", "@ NSEC b A\na NSEC b A\nb NSEC @ A\n", -1, -1, 3,
	  ZONE_DENIAL_NSEC, 1 },
	{ "one that is missing", "@ NSEC a A\nb NSEC @ A\n", -1, -1, 3, ZONE_DENIAL_NSEC, 1 },
	{ "one that leads nowhere", "@ NSEC a A\na NSEC b A\nb NSEC c A\n", -1, -1, 3,
	  ZONE_DENIAL_NSEC, 1 },
	{ "NSEC below an apex without", "a NSEC b A\nb NSEC @ A\n", -1, -1, 3, ZONE_DENIAL_NONE,
	  0 },
	{ "NSEC3", "@ NSEC3PARAM 1 0 2 -\n", 2, -1, 3, ZONE_DENIAL_NSEC3, 0 },
	{ "another chain beside it", "@ NSEC3PARAM 1 0 2 -\n", 2, 5, 3, ZONE_DENIAL_NSEC3, 0 },
	{ "the other chain counts", "@ NSEC3PARAM 1 0 5 -\n", 2, 5, 1, ZONE_DENIAL_NSEC3, 0 },
	{ "two that count: the first", "@ NSEC3PARAM 1 0 5 -\n@ NSEC3PARAM 1 0 2 -\n", 2, 5, 3,
	  ZONE_DENIAL_NSEC3, 0 },
	{ "NSEC beside NSEC3", "@ NSEC3PARAM 1 0 2 -\n@ NSEC a A\n", 2, -1, 3, ZONE_DENIAL_NSEC3,
	  0 },
	{ "NSEC3 without NSEC3PARAM", "", 2, -1, 3, ZONE_DENIAL_NONE, 0 },
	{ "NSEC3PARAM without NSEC3", "@ NSEC3PARAM 1 0 2 -\n", -1, -1, 3, ZONE_DENIAL_NONE, 1 },
	{ "... and NSEC", "@ NSEC3PARAM 1 0 2 -\n@ NSEC @ A\n", -1, -1, 3, ZONE_DENIAL_NSEC, 1 },
	{ "NSEC3PARAM with a flag", "@ NSEC3PARAM 1 1 2 -\n", 2, -1, 3, ZONE_DENIAL_NONE, 0 },
	{ "NSEC3PARAM of another algorithm", "@ NSEC3PARAM 2 0 2 -\n", 2, -1, 3, ZONE_DENIAL_NONE,
	  0 },
	{ "more iterations than any key allows", "@ NSEC3PARAM 1 0 2501 -\n", 2501, -1, 3,
	  ZONE_DENIAL_NONE, 0 },
};

Test(zone_chain, tells_what_counts_and_what_is_missing)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const zone_node_t *first;
		char lines[4000];
		uint32_t gaps;

		snprintf(lines, sizeof lines, "%s%s", SOA, rows[i].lines);
		if (rows[i].first >= 0)
			add_nsec3(lines, (unsigned)rows[i].first, rows[i].skip);
		if (rows[i].second >= 0)
			add_nsec3(lines, (unsigned)rows[i].second, 3);
		zone_version_t *v = zones_version(&zones_key, "z.", lines);
		cr_assert(eq(int, zone_chain_gaps(v, &gaps, &first), ST_OK));
		cr_expect(eq(u32, gaps, rows[i].gaps), "%s", rows[i].why);
		cr_expect(eq(int, first != NULL, gaps > 0), "%s", rows[i].why);
		cr_expect(eq(int, zone_version_denial(v), rows[i].denial), "%s", rows[i].why);
		zone_version_free(v);
	}
}

Test(zone_chain, sees_each_missing_link_of_nsec3)
{
	for (unsigned skip = 0; skip < 3; skip++) {
		char lines[4000] = SOA "@ NSEC3PARAM 1 0 0 -\n";
		const zone_node_t *first;
		uint32_t gaps;

		add_nsec3(lines, 0, skip);
		zone_version_t *v = zones_version(&zones_key, "z.", lines);
		cr_assert(eq(int, zone_chain_gaps(v, &gaps, &first), ST_OK));
		/* Without the apex's it has no beginning, which is told as well. */
		cr_expect(eq(u32, gaps, zone_version_denial(v) == ZONE_DENIAL_NONE ? 2 : 1), "%u",
		          skip);
		zone_version_free(v);
	}
}
