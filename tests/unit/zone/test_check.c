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
	uint32_t want[ZONE_FAULT_KINDS];
	const char *first; /* of the first kind; NULL: any */
} zones[] = {
	{ "nothing", SOA NS2, { 0 }, "" },
	{ "no NS", SOA, { [ZONE_FAULT_NO_NS] = 1 }, "example." },
	{ "one NS", SOA "@ NS a.other.\n", { [ZONE_FAULT_SINGLE_NS] = 1 }, "example." },
	{ "CNAME beside A",
	  SOA NS2 "c CNAME d\nc A 192.0.2.1\n",
	  { [ZONE_FAULT_CNAME_BESIDE] = 1 },
	  "c.example." },
	{ "CNAME beside NSEC and its signature",
	  SOA NS2 "c CNAME d\nc NSEC d.example. CNAME NSEC\n"
	          "c RRSIG CNAME 8 2 60 20300101000000 20200101000000 1 example. AAAA\n",
	  { 0 },
	  "" },
	{ "two CNAMEs",
	  SOA NS2 "c CNAME d\nc CNAME e\n",
	  { [ZONE_FAULT_MANY_CNAMES] = 1 },
	  "c.example." },
	{ "two below a DNAME, one of them an empty non-terminal's child",
	  SOA NS2 "d DNAME e.\na.d A 192.0.2.1\nb.c.d A 192.0.2.1\n",
	  { [ZONE_FAULT_BELOW_DNAME] = 2 },
	  NULL },
	{ "glue that is there", SOA NS2 "s NS ns.s\nns.s AAAA 2001:db8::1\n", { 0 }, "" },
	{ "glue that is missing",
	  SOA NS2 "s NS ns.s\n",
	  { [ZONE_FAULT_MISSING_GLUE] = 1 },
	  "s.example." },
	{ "the second server's glue is missing",
	  SOA NS2 "s NS a.s\ns NS b.s\na.s A 192.0.2.1\n",
	  { [ZONE_FAULT_MISSING_GLUE] = 1 },
	  "s.example." },
	{ "a server that is the cut itself",
	  SOA NS2 "s NS s\n",
	  { [ZONE_FAULT_MISSING_GLUE] = 1 },
	  "s.example." },
	{ "a server beside the cut", SOA NS2 "s NS ns.t\n", { 0 }, "" },
	{ "a name that has no address",
	  SOA NS2 "s NS ns.s\nns.s TXT x\n",
	  { [ZONE_FAULT_MISSING_GLUE] = 1 },
	  "s.example." },
	{ "servers that end alike",
	  SOA NS2 "s NS a.b.s\ns NS b.s\nb.s A 192.0.2.1\n",
	  { [ZONE_FAULT_MISSING_GLUE] = 1 },
	  "s.example." },
	{ "a chain of NSEC",
	  SOA NS2 "@ NSEC a NS SOA NSEC\na NSEC example. A NSEC\na A 192.0.2.1\n",
	  { 0 },
	  "" },
	{ "one that misses a name",
	  SOA NS2 "@ NSEC a NS SOA NSEC\na NSEC b A NSEC\na A 192.0.2.1\nc NSEC example. A\n",
	  { [ZONE_FAULT_CHAIN_GAPS] = 1 },
	  "a.example." },
	{ "150 iterations",
	  SOA NS2 "@ NSEC3PARAM 1 0 150 -\n",
	  { [ZONE_FAULT_CHAIN_GAPS] = 1 },
	  "example." },
	{ "and one more",
	  SOA NS2 "@ NSEC3PARAM 1 0 151 -\n",
	  { [ZONE_FAULT_CHAIN_GAPS] = 1, [ZONE_FAULT_ITERATIONS] = 1 },
	  "example." },
	{ "a wildcard that is a cut", SOA NS2 "*.s NS ns.*.s\n", { 0 }, "" },
};

/* The name of the first kind that there is. */
static void first_text(const zone_version_t *v, const zone_faults_t *f, char *out)
{
	dns_name_t name;

	out[0] = '\0';
	for (unsigned i = 0; i < ZONE_FAULT_KINDS && !out[0]; i++) {
		cr_expect(eq(int, f->first[i] != NULL, f->count[i] > 0), "kind %u", i);
		if (!f->first[i])
			continue;
		zone_node_name(v, f->first[i], &name);
		dns_name_text(name.wire, out);
	}
}

static void expect_counts(const zone_version_t *v, const zone_faults_t *got, size_t row)
{
	char first[DNS_NAME_TEXT_MAX];

	for (unsigned i = 0; i < ZONE_FAULT_KINDS; i++)
		cr_expect(eq(u32, got->count[i], zones[row].want[i]), "%s: kind %u", zones[row].why,
		          i);
	first_text(v, got, first);
	if (zones[row].first)
		cr_expect(eq(str, first, (char *)zones[row].first), "%s", zones[row].why);
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
		expect_counts(v, &all, i);
		expect_counts(v, &noted, i);
		zone_version_free(v);
		zone_build_free(b);
	}
}
