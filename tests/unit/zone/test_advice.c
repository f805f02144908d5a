/* tests/unit/zone/test_advice.c - each piece of advice, and that it is not given where it is not due. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/zones.h"
#include "zone/advice.h"

TestSuite(zone_advice, .timeout = 10);

#define SOA  "@ SOA ns hm 7 3600 600 1209600 60\n"
#define NS2  "@ 86400 NS a\n@ 86400 NS b\n"
#define HERE "a A 192.0.2.1\nb A 198.51.100.1\n"
#define GOOD SOA NS2 HERE

static const struct {
	const char *why, *lines, *want; /* names of advice, in order */
} rows[] = {
	{ "nothing to say", GOOD, "" },
	{ "no NS", SOA, "no-ns" },
	{ "one NS", SOA "@ 86400 NS a\na A 192.0.2.1\n", "one-ns" },
	{ "an alias", SOA NS2 "a CNAME c\nb A 198.51.100.1\nc A 192.0.2.1\n", "ns-alias" },
	{ "an alias by DNAME", SOA "@ 86400 NS a.d\n@ 86400 NS b\nd DNAME e\nb A 198.51.100.1\n",
	  "ns-alias" },
	{ "no such name", SOA NS2 "b A 198.51.100.1\n", "ns-address" },
	{ "a name of another type", SOA NS2 "a TXT x\nb A 198.51.100.1\n", "ns-address" },
	{ "an address from a wildcard", SOA NS2 "* A 192.0.2.1\nb A 198.51.100.1\n", "" },
	{ "servers that can't be seen", SOA "@ 86400 NS a.other.\n@ 86400 NS b.other.\n", "" },
	{ "a server below a delegation, with glue",
	  SOA "@ 86400 NS a.s\n@ 86400 NS b\ns NS a.s\na.s A 192.0.2.1\nb A 198.51.100.1\n", "" },
	{ "one /24", SOA NS2 "a A 192.0.2.1\nb A 192.0.2.254\n", "one-network" },
	{ "one /48", SOA NS2 "a AAAA 2001:db8:1::1\nb AAAA 2001:db8:1:ffff::1\n", "one-network" },
	{ "one /24, but two /48",
	  SOA NS2 "a A 192.0.2.1\nb A 192.0.2.2\na AAAA 2001:db8:1::1\nb AAAA 2001:db8:2::1\n",
	  "" },
	{ "one /24, as far as can be seen",
	  SOA NS2 "@ 86400 NS c.other.\na A 192.0.2.1\nb A 192.0.2.254\n", "" },
	{ "a TTL of an hour", SOA "@ 3600 NS a\n@ 3600 NS b\n" HERE, "ns-ttl" },
	{ "a TTL that is short by a second", SOA "@ 86399 NS a\n@ 86399 NS b\n" HERE, "ns-ttl" },
	{ "EXPIRE of six days", "@ SOA ns hm 7 3600 600 518400 60\n" NS2 HERE, "expire-week" },
	{ "EXPIRE before REFRESH and RETRY", "@ SOA ns hm 7 1209600 600 1209600 60\n" NS2 HERE,
	  "expire-retry" },
	{ "REFRESH and RETRY that overflow 32 bits",
	  "@ SOA ns hm 7 4294967295 4294967295 1209600 60\n" NS2 HERE, "expire-retry" },
	{ "a signature of long ago",
	  GOOD "@ RRSIG SOA 8 1 60 20200101000000 20190101000000 1 example. AAAA\n", "signatures" },
	{ "a signature that lasts",
	  GOOD "@ RRSIG SOA 8 1 60 20300101000000 20190101000000 1 example. AAAA\n", "" },
	{ "missing glue", GOOD "s NS ns.s\n", "missing-glue" },
	{ "needless glue", GOOD "s NS ns.other.\nns.s A 192.0.2.7\n", "needless-glue" },
	{ "needless glue at the cut itself", GOOD "s NS ns.other.\ns A 192.0.2.7\n",
	  "needless-glue" },
	{ "glue of another delegation's server",
	  GOOD "s NS ns.other.\nns.s A 192.0.2.7\nt NS ns.s\n", "" },
	{ "glue of the apex's server",
	  SOA "@ 86400 NS ns.s\n@ 86400 NS b\nb A 198.51.100.1\ns NS x.other.\nns.s A 192.0.2.7\n",
	  "" },
	{ "data below a delegation that are no address", GOOD "s NS ns.other.\nx.s TXT x\n", "" },
	{ "much at once", "@ SOA ns hm 7 3600 600 600 60\n@ NS a\n",
	  "one-ns ns-address ns-ttl expire-week expire-retry" },
};

static const wall_t now = { 1764000000 }; /* November 2025 */

static void advise(const char *lines, const char *own, zone_advice_list_t *out, uint8_t *bits)
{
	zone_version_t *v = zones_version(&zones_key, "example.", lines);
	zone_ns_t ns[ZONE_NS_MOST];
	addr_prefix_t mine = { 0 };
	const zone_advice_order_t order = {
		.v = v,
		.ns = ns,
		.ns_count = zone_ns_list(v, ns),
		.own = &mine,
		.own_count = own && addr_prefix_parse(own, &mine) == ST_OK,
		.now = now,
		.warn_signatures = 3 * 86400,
	};

	*out = (zone_advice_list_t){ .count = 0 };
	zone_advice_apex(&order, out);
	cr_assert(eq(int, zone_advice_glue(v, out), ST_OK));
	if (bits)
		*bits = zone_advice_of(v);
	zone_version_free(v);
}

static void names_of(const zone_advice_list_t *l, char out[512])
{
	out[0] = '\0';
	for (size_t i = 0; i < l->count; i++) {
		strcat(out, i > 0 ? " " : "");
		strcat(out, zone_advice_name(l->item[i].kind));
	}
}

Test(zone_advice, is_given_where_it_is_due)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		zone_advice_list_t list;
		char got[512];

		advise(rows[i].lines, NULL, &list, NULL);
		names_of(&list, got);
		cr_expect(strcmp(got, rows[i].want) == 0, "%s: got \"%s\", not \"%s\"", rows[i].why,
		          got, rows[i].want);
	}
}

Test(zone_advice, tells_whether_this_server_is_listed)
{
	zone_advice_list_t list;
	char got[512];

	advise(GOOD, "198.51.100.1", &list, NULL);
	cr_expect(eq(sz, list.count, 0));
	advise(GOOD, "198.51.100.2", &list, NULL);
	names_of(&list, got);
	cr_expect(eq(str, got, (char *)"not-listed"));
	/* Of whom nothing can be seen nothing is said. */
	advise(SOA "@ 86400 NS a.other.\n@ 86400 NS b.other.\n", "198.51.100.2", &list, NULL);
	cr_expect(eq(sz, list.count, 0));
}

Test(zone_advice, other_zones_say_what_they_know_of_a_server)
{
	zone_version_t *v = zones_version(&zones_key, "example.",
	                                  SOA "@ 86400 NS A.Other.\n@ 86400 NS b.other.\n");
	zone_version_t *other =
		zones_version(&zones_key, "other.",
	                      SOA "@ NS x.\na CNAME c\nc A 192.0.2.1\nb AAAA 2001:db8::1\n");
	zone_ns_t ns[ZONE_NS_MOST];
	zone_advice_list_t list = { .count = 0 };
	char text[ZONE_ADVICE_TEXT_MAX];

	cr_assert(eq(sz, zone_ns_list(v, ns), 2));
	for (unsigned i = 0; i < 2; i++) {
		cr_expect(not(ns[i].seen));
		zone_ns_look(other, &ns[i]);
		cr_expect(ns[i].seen);
	}
	zone_advice_apex(&(zone_advice_order_t){ .v = v, .ns = ns, .ns_count = 2 }, &list);
	cr_assert(eq(sz, list.count, 1));
	cr_expect(eq(int, list.item[0].kind, ZONE_ADVICE_NS_ALIAS));
	cr_expect(eq(str, (char *)zone_advice_text(&list.item[0], text),
	             (char *)"a.other.: an alias (CNAME) can't be a name server"));
	cr_expect(eq(uint, ns[1].addresses, 1));
	zone_version_free(v);
	zone_version_free(other);
}

Test(zone_advice, for_the_log_is_what_no_fault_tells)
{
	zone_advice_list_t list;
	uint8_t bits;

	advise(GOOD, NULL, &list, &bits);
	cr_expect(eq(uint, bits, 0));
	advise("@ SOA ns hm 7 3600 600 600 60\n@ NS a\na A 192.0.2.1\ns NS ns.s\n", NULL, &list,
	       &bits);
	cr_expect(eq(uint, bits,
	             1u << ZONE_ADVICE_NS_TTL | 1u << ZONE_ADVICE_EXPIRE_WEEK |
	                     1u << ZONE_ADVICE_EXPIRE_RETRY));
}

Test(zone_advice, says_how_much_and_which)
{
	zone_advice_list_t list;
	char text[ZONE_ADVICE_TEXT_MAX];

	advise(GOOD "s NS x.other.\na.s A 192.0.2.1\nb.s A 192.0.2.1\nc.s A 192.0.2.1\n", NULL,
	       &list, NULL);
	cr_assert(eq(sz, list.count, 1));
	cr_expect(eq(str, (char *)zone_advice_text(&list.item[0], text),
	             (char *)"a.s.example. and 2 more: an address below a delegation, of no name "
	                     "server"));
	advise(GOOD "@ RRSIG SOA 8 1 60 20200101000000 20190101000000 1 example. AAAA\n", NULL,
	       &list, NULL);
	cr_expect(strncmp(zone_advice_text(&list.item[0], text), "a signature ran out ", 20) == 0);
	advise(SOA "@ 3600 NS a\n@ 3600 NS b\n" HERE, NULL, &list, NULL);
	cr_expect(eq(str, (char *)zone_advice_text(&list.item[0], text),
	             (char *)"the TTL of its NS is 3600 s: let it be a day or longer"));
}

static zone_parent_t parent_of(const char *names)
{
	zone_parent_t p = { .count = 0 };
	char text[256], *rest = text;
	dns_name_t name;

	snprintf(text, sizeof text, "%s", names);
	for (char *word; (word = strsep(&rest, " "));) {
		if (*word == '\0')
			continue;
		cr_assert(eq(int, dns_name_from_text(word, &name), ST_OK));
		memcpy(p.name[p.count++], name.wire, name.len);
	}
	return p;
}

Test(zone_advice, both_sides_of_the_cut_have_the_same_servers)
{
	static const struct {
		const char *parent, *want, *words;
	} cases[] = {
		{ "b.example. a.example.", "", NULL },
		{ "", "undelegated", "its parent has no NS for it: resolvers can't find it" },
		{ "a.example. b.example. c.other.", "parent-only",
		  "c.other.: an NS at the parent, but not in the zone" },
		{ "b.example.", "parent-lacks",
		  "a.example.: an NS in the zone, but not at the parent" },
		{ "c.other. d.other.", "parent-only parent-lacks",
		  "c.other. and 1 more: an NS at the parent, but not in the zone" },
		{ "a.example. b.exampl.", "parent-only parent-lacks", NULL },
	};
	zone_version_t *v = zones_version(&zones_key, "example.", GOOD);
	zone_ns_t ns[ZONE_NS_MOST];
	const size_t count = zone_ns_list(v, ns);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const zone_parent_t parent = parent_of(cases[i].parent);
		zone_advice_list_t list = { .count = 0 };
		char got[512], text[ZONE_ADVICE_TEXT_MAX];

		zone_advice_apex(
			&(zone_advice_order_t){
				.v = v, .ns = ns, .ns_count = count, .parent = &parent },
			&list);
		names_of(&list, got);
		cr_expect(strcmp(got, cases[i].want) == 0, "%s: %s", cases[i].parent, got);
		if (cases[i].words)
			cr_expect(eq(str, (char *)zone_advice_text(&list.item[0], text),
			             (char *)cases[i].words));
	}
	zone_version_free(v);
}

/* What is beyond the most that is looked at may well be the same. */
Test(zone_advice, of_too_many_servers_none_is_missed)
{
	zone_version_t *v = zones_version(&zones_key, "example.", GOOD);
	zone_ns_t ns[ZONE_NS_MOST];
	static zone_parent_t parent;
	zone_advice_list_t list = { .count = 0 };
	char name[32];
	dns_name_t n;

	for (; parent.count < ZONE_NS_MOST; parent.count++) {
		snprintf(name, sizeof name, "n%zu.other.", parent.count);
		cr_assert(eq(int, dns_name_from_text(name, &n), ST_OK));
		memcpy(parent.name[parent.count], n.wire, n.len);
	}
	zone_advice_apex(
		&(zone_advice_order_t){
			.v = v, .ns = ns, .ns_count = zone_ns_list(v, ns), .parent = &parent },
		&list);
	cr_assert(eq(sz, list.count, 1));
	cr_expect(eq(int, list.item[0].kind, ZONE_ADVICE_PARENT_ONLY));
	cr_expect(eq(uint, list.item[0].count, ZONE_NS_MOST));
	/* The other way round. */
	for (size_t i = 0; i < ZONE_NS_MOST; i++)
		ns[i] = ns[0];
	parent.count = 1;
	list.count = 0;
	zone_advice_apex(
		&(zone_advice_order_t){
			.v = v, .ns = ns, .ns_count = ZONE_NS_MOST, .parent = &parent },
		&list);
	cr_assert(eq(sz, list.count, 2));
	cr_expect(eq(int, list.item[0].kind, ZONE_ADVICE_ONE_NETWORK));
	cr_expect(eq(int, list.item[1].kind, ZONE_ADVICE_PARENT_LACKS));
	zone_version_free(v);
}
