/* tests/unit/common/test_addr.c - addresses and prefixes from text, and who matches whom. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/addr.h"

TestSuite(addr, .timeout = 5);

static const struct {
	const char *in;
	status_t want;
	const char *out;
} texts[] = {
	{ "192.0.2.1", ST_OK, "192.0.2.1@53" },
	{ "192.0.2.1@5300", ST_OK, "192.0.2.1@5300" },
	{ "2001:db8::1@53", ST_OK, "2001:db8::1@53" },
	{ "::", ST_OK, "::@53" },
	{ "::ffff:192.0.2.1@1", ST_OK, "192.0.2.1@1" },
	{ "", ST_MALFORMED, "" },
	{ "@53", ST_MALFORMED, "" },
	{ "192.0.2", ST_MALFORMED, "" },
	{ "192.0.2.1@", ST_MALFORMED, "" },
	{ "192.0.2.1@0", ST_MALFORMED, "" },
	{ "192.0.2.1@65536", ST_MALFORMED, "" },
	{ "192.0.2.1@53x", ST_MALFORMED, "" },
	{ "192.0.2.1@ 53", ST_MALFORMED, "" },
	{ "192.0.2.1@-1", ST_MALFORMED, "" },
	{ "fe80::1%nosuchinterface", ST_MALFORMED, "" },
	{ "host.example", ST_MALFORMED, "" },
};

Test(addr, reads_and_prints_addresses)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char out[ADDR_TEXT_MAX];
		addr_t a;

		cr_expect(eq(int, addr_parse(texts[i].in, 53, &a), texts[i].want), "%s",
		          texts[i].in);
		if (texts[i].want == ST_OK)
			cr_expect(eq(str, (char *)addr_text(&a, out), (char *)texts[i].out));
	}
}

static const struct {
	const char *prefix;
	status_t want;
	const char *in, *out; /* addresses that match and that don't */
} prefixes[] = {
	{ "192.0.2.0/28", ST_OK, "192.0.2.15", "192.0.2.16" },
	{ "192.0.2.7", ST_OK, "192.0.2.7", "192.0.2.6" },
	{ "0.0.0.0/0", ST_OK, "203.0.113.1", "::1" },
	{ "192.0.2.128/25", ST_OK, "192.0.2.255", "192.0.2.127" },
	{ "2001:db8::/33", ST_OK, "2001:db8:7fff::1", "2001:db8:8000::1" },
	{ "::/0", ST_OK, "2001:db8::1", "192.0.2.1" },
	{ "192.0.2.1/28", ST_MALFORMED, NULL, NULL },
	{ "192.0.2.0/33", ST_MALFORMED, NULL, NULL },
	{ "2001:db8::/129", ST_MALFORMED, NULL, NULL },
	{ "192.0.2.0/", ST_MALFORMED, NULL, NULL },
	{ "192.0.2.0/a", ST_MALFORMED, NULL, NULL },
};

Test(addr, matches_prefixes)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		addr_prefix_t p;
		addr_t in, out;

		cr_expect(eq(int, addr_prefix_parse(prefixes[i].prefix, &p), prefixes[i].want),
		          "%s", prefixes[i].prefix);
		if (prefixes[i].want != ST_OK)
			continue;
		cr_assert(addr_parse(prefixes[i].in, 1, &in) == ST_OK);
		cr_assert(addr_parse(prefixes[i].out, 1, &out) == ST_OK);
		const addr_rule_t rule = { .from = p };
		addr_acl_t acl = { &rule, 1 };
		cr_expect(addr_acl_match(&acl, &in, 0), "%s", prefixes[i].prefix);
		cr_expect(addr_acl_match(&acl, &in, 7), "%s", prefixes[i].prefix);
		cr_expect(addr_acl_knows(&acl, &in), "%s", prefixes[i].prefix);
		cr_expect(not(addr_acl_match(&acl, &out, 0)), "%s", prefixes[i].prefix);
		cr_expect(not(addr_acl_knows(&acl, &out)), "%s", prefixes[i].prefix);
	}
}

/* One network that needs no key, one that needs key 1, and key 2 for another. */
Test(addr, asks_for_the_key_of_a_rule_wherever_its_holder_is)
{
	static const struct {
		const char *from;
		unsigned key;
		bool may, knows;
	} cases[] = {
		{ "192.0.2.1", 0, true, true },     { "192.0.2.1", 3, true, true },
		{ "198.51.100.1", 0, false, true }, { "198.51.100.1", 1, true, true },
		{ "198.51.100.1", 2, true, true },  { "198.51.100.1", 3, false, true },
		{ "2001:db8::1", 0, false, true },  { "2001:db8::1", 2, true, true },
		{ "203.0.113.1", 0, false, false }, { "203.0.113.1", 1, true, false },
		{ "203.0.113.1", 2, true, false },  { "203.0.113.1", 3, false, false },
	};
	addr_rule_t rules[3] = { { .key = 0 }, { .key = 1 }, { .key = 2 } };
	const addr_acl_t acl = { rules, ARRAY_LEN(rules) };
	addr_t a;

	cr_assert(addr_prefix_parse("192.0.2.0/24", &rules[0].from) == ST_OK);
	cr_assert(addr_prefix_parse("198.51.100.0/24", &rules[1].from) == ST_OK);
	cr_assert(addr_prefix_parse("2001:db8::/32", &rules[2].from) == ST_OK);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cr_assert(addr_parse(cases[i].from, 1, &a) == ST_OK);
		cr_expect(eq(int, addr_acl_match(&acl, &a, cases[i].key), cases[i].may),
		          "%s, key %u", cases[i].from, cases[i].key);
		cr_expect(eq(int, addr_acl_knows(&acl, &a), cases[i].knows), "%s", cases[i].from);
	}
}

Test(addr, takes_a_mapped_address_for_what_it_is)
{
	struct sockaddr_storage ss;
	struct sockaddr_in6 *in6 = (void *)&ss;
	addr_t plain, got;

	memset(&ss, 0, sizeof ss);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(99);
	memcpy(in6->sin6_addr.s6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	cr_assert(addr_parse("192.0.2.1@99", 1, &plain) == ST_OK);
	got = addr_from_sockaddr(&ss);
	cr_expect(addr_same(&plain, &got));
	cr_expect(eq(int, addr_len(&got), sizeof(struct sockaddr_in)));
}
