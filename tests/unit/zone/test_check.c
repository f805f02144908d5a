/* tests/unit/zone/test_check.c - faults are counted, and by those who look at every name and by
 * those who look only where something was noted alike. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "support/zones.h"
#include "zone/check.h"

TestSuite(zone_check, .timeout = 10);

#define SOA "@ SOA ns hm 7 3600 600 86400 60\n"
#define NS2 "@ NS a.other.\n@ NS b.other.\n"

static const struct {
	const char *why, *lines;
	zone_faults_t want;
} zones[] = {
	{ "nothing", SOA NS2, { 0 } },
	{ "no NS", SOA, { .no_ns = 1, .first = "example." } },
	{ "one NS", SOA "@ NS a.other.\n", { .single_ns = 1, .first = "example." } },
	{ "CNAME beside A",
	  SOA NS2 "c CNAME d\nc A 192.0.2.1\n",
	  { .cname_beside = 1, .first = "c.example." } },
	{ "CNAME beside NSEC and its signature",
	  SOA NS2 "c CNAME d\nc NSEC d.example. CNAME NSEC\n"
	          "c RRSIG CNAME 8 2 60 20300101000000 20200101000000 1 example. AAAA\n",
	  { 0 } },
	{ "two CNAMEs",
	  SOA NS2 "c CNAME d\nc CNAME e\n",
	  { .many_cnames = 1, .first = "c.example." } },
	{ "two below a DNAME, one of them an empty non-terminal's child",
	  SOA NS2 "d DNAME e.\na.d A 192.0.2.1\nb.c.d A 192.0.2.1\n",
	  { .below_dname = 2, .first = "" } },
	{ "glue that is there", SOA NS2 "s NS ns.s\nns.s AAAA 2001:db8::1\n", { 0 } },
	{ "glue that is missing",
	  SOA NS2 "s NS ns.s\n",
	  { .missing_glue = 1, .first = "s.example." } },
	{ "the second server's glue is missing",
	  SOA NS2 "s NS a.s\ns NS b.s\na.s A 192.0.2.1\n",
	  { .missing_glue = 1, .first = "s.example." } },
	{ "a server that is the cut itself",
	  SOA NS2 "s NS s\n",
	  { .missing_glue = 1, .first = "s.example." } },
	{ "a server beside the cut", SOA NS2 "s NS ns.t\n", { 0 } },
	{ "a name that has no address",
	  SOA NS2 "s NS ns.s\nns.s TXT x\n",
	  { .missing_glue = 1, .first = "s.example." } },
	{ "servers that end alike",
	  SOA NS2 "s NS a.b.s\ns NS b.s\nb.s A 192.0.2.1\n",
	  { .missing_glue = 1, .first = "s.example." } },
	{ "a chain of NSEC",
	  SOA NS2 "@ NSEC a NS SOA NSEC\na NSEC example. A NSEC\na A 192.0.2.1\n",
	  { 0 } },
	{ "one that misses a name",
	  SOA NS2 "@ NSEC a NS SOA NSEC\na NSEC b A NSEC\na A 192.0.2.1\nc NSEC example. A\n",
	  { .chain_gaps = 1, .first = "a.example." } },
	{ "150 iterations",
	  SOA NS2 "@ NSEC3PARAM 1 0 150 -\n",
	  { .chain_gaps = 1, .first = "example." } },
	{ "and one more",
	  SOA NS2 "@ NSEC3PARAM 1 0 151 -\n",
	  { .chain_gaps = 1, .iterations = 151, .first = "example." } },
	{ "a wildcard that is a cut", SOA NS2 "*.s NS ns.*.s\n", { 0 } },
};

static void expect_counts(const zone_faults_t *got, const zone_faults_t *want, const char *why)
{
	cr_expect(eq(u32, got->no_ns, want->no_ns), "%s", why);
	cr_expect(eq(u32, got->single_ns, want->single_ns), "%s", why);
	cr_expect(eq(u32, got->cname_beside, want->cname_beside), "%s", why);
	cr_expect(eq(u32, got->many_cnames, want->many_cnames), "%s", why);
	cr_expect(eq(u32, got->below_dname, want->below_dname), "%s", why);
	cr_expect(eq(u32, got->chain_gaps, want->chain_gaps), "%s", why);
	cr_expect(eq(u32, got->iterations, want->iterations), "%s", why);
	cr_expect(eq(u32, got->missing_glue, want->missing_glue), "%s", why);
	if (want->below_dname == 0)
		cr_expect(eq(str, (char *)got->first, (char *)want->first), "%s", why);
}

Test(zone_check, counts_each_fault_and_names_the_first)
{
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		dns_name_t apex = zones_name("example.");
		zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
		zone_version_t *v = NULL;
		zone_faults_t all, noted;

		cr_assert(eq(int, zones_feed(b, "example.", zones[i].lines), ST_OK));
		cr_assert(eq(int, zone_build_seal(b, &v), ST_OK));
		cr_assert(eq(int, zone_check(v, &all), ST_OK));
		cr_assert(eq(int, zone_build_check(b, v, &noted), ST_OK));
		expect_counts(&all, &zones[i].want, zones[i].why);
		expect_counts(&noted, &zones[i].want, zones[i].why);
		zone_version_free(v);
		zone_build_free(b);
	}
}
