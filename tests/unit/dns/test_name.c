/* tests/unit/dns/test_name.c - names in and out of wire and presentation form. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dns/name.h"

TestSuite(dns_name, .timeout = 10);

static dns_name_t name(const char *text)
{
	dns_name_t n;

	cr_assert(eq(int, dns_name_from_text(text, &n), ST_OK), "%s", text);
	return n;
}

static const struct {
	const char *why, *in;
	status_t want;
	const char *out;
} texts[] = {
	{ "the root", ".", ST_OK, "." },
	{ "with the final dot", "www.example.", ST_OK, "www.example." },
	{ "without the final dot", "www.example", ST_OK, "www.example." },
	{ "case is kept", "WwW.Example", ST_OK, "WwW.Example." },
	{ "decimal escapes", "a\\000b\\255.x", ST_OK, "a\\000b\\255.x." },
	{ "an escaped dot is part of its label", "a\\.b.x", ST_OK, "a\\.b.x." },
	{ "a blank comes out escaped", "a b.x", ST_OK, "a\\032b.x." },
	{ "nothing at all", "", ST_MALFORMED, NULL },
	{ "an empty label", "a..b", ST_MALFORMED, NULL },
	{ "a leading dot", ".a", ST_MALFORMED, NULL },
	{ "an escape over 255", "a\\256", ST_MALFORMED, NULL },
	{ "an escape of two digits", "a\\25", ST_MALFORMED, NULL },
	{ "a lone backslash at the end", "a\\", ST_MALFORMED, NULL },
};

Test(dns_name, reads_and_prints_presentation_form)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char out[DNS_NAME_TEXT_MAX];
		dns_name_t n;

		cr_expect(eq(int, dns_name_from_text(texts[i].in, &n), texts[i].want), "%s",
		          texts[i].why);
		if (texts[i].want == ST_OK)
			cr_expect(eq(str, (char *)dns_name_text(n.wire, out), (char *)texts[i].out),
			          "%s", texts[i].why);
	}
}

/* A name of labels of 63 octets, then one of rest octets. */
static void long_text(char *out, int rest)
{
	for (int label = 0; label < 3; label++) {
		memset(out, 'x', 63);
		out[63] = '.';
		out += 64;
	}
	memset(out, 'y', (size_t)rest);
	out[rest] = '\0';
}

Test(dns_name, takes_255_octets_and_not_one_more)
{
	char text[300];
	dns_name_t n;

	long_text(text, 61); /* 3 x 64 + 62 + 1 */
	cr_expect(eq(int, dns_name_from_text(text, &n), ST_OK));
	cr_expect(eq(int, n.len, 255));
	long_text(text, 62);
	cr_expect(eq(int, dns_name_from_text(text, &n), ST_LIMIT));
	long_text(text, 61);
	text[63] = 'x'; /* a label of 127 */
	cr_expect(eq(int, dns_name_from_text(text, &n), ST_LIMIT));
}

Test(dns_name, takes_127_labels_and_prints_every_octet_escaped)
{
	uint8_t wire[DNS_NAME_MAX];
	char text[DNS_NAME_TEXT_MAX];
	dns_name_t n, again;

	for (int i = 0; i < 127; i++) {
		wire[2 * i] = 1;
		wire[2 * i + 1] = 0xff;
	}
	wire[254] = 0;
	buf_t b = buf_over(wire, sizeof wire);
	cr_assert(eq(int, dns_name_read(&b, &n), ST_OK));
	cr_expect(eq(int, n.labels, 127));
	dns_name_text(n.wire, text);
	cr_assert(eq(int, dns_name_from_text(text, &again), ST_OK));
	cr_expect(dns_name_equal(&n, &again));
}

static const struct {
	const char *why;
	uint8_t bytes[24];
	size_t len, at;
	status_t want;
	const char *text;
	size_t after;
} wires[] = {
	{ "a plain name", { 1, 'a', 1, 'b', 0, 9 }, 6, 0, ST_OK, "a.b.", 5 },
	{ "a pointer back", { 1, 'b', 0, 1, 'a', 0xc0, 0, 7 }, 8, 3, ST_OK, "a.b.", 7 },
	{ "two pointers, each further back",
	  { 1, 'c', 0, 1, 'b', 0xc0, 0, 1, 'a', 0xc0, 3 },
	  11,
	  7,
	  ST_OK,
	  "a.b.c.",
	  11 },
	{ "a pointer to itself", { 0xc0, 0 }, 2, 0, ST_MALFORMED, NULL, 0 },
	{ "a pointer into its own labels", { 1, 'a', 0xc0, 0 }, 4, 0, ST_MALFORMED, NULL, 0 },
	{ "a pointer forward", { 0xc0, 2, 0 }, 3, 0, ST_MALFORMED, NULL, 0 },
	{ "two pointers in a circle", { 0xc0, 2, 0xc0, 0 }, 4, 2, ST_MALFORMED, NULL, 0 },
	{ "a pointer past the end", { 0, 0xc0, 9 }, 3, 1, ST_MALFORMED, NULL, 0 },
	{ "half a pointer", { 0, 0xc0 }, 2, 1, ST_SHORT, NULL, 0 },
	{ "label type 01", { 0x41, 0, 0 }, 3, 0, ST_MALFORMED, NULL, 0 },
	{ "label type 10", { 0x80, 0, 0 }, 3, 0, ST_MALFORMED, NULL, 0 },
	{ "a label past the end", { 3, 'a', 'b' }, 3, 0, ST_SHORT, NULL, 0 },
	{ "no root", { 1, 'a' }, 2, 0, ST_SHORT, NULL, 0 },
	{ "nothing", { 0 }, 0, 0, ST_SHORT, NULL, 0 },
};

Test(dns_name, reads_wire_form_and_refuses_what_is_broken)
{
	for (size_t i = 0; i < ARRAY_LEN(wires); i++) {
		buf_t b = buf_over(wires[i].bytes, wires[i].len);
		char text[DNS_NAME_TEXT_MAX];
		dns_name_t n;

		b.pos = wires[i].at;
		cr_expect(eq(int, dns_name_read(&b, &n), wires[i].want), "%s", wires[i].why);
		cr_expect(eq(int, buf_ok(&b), wires[i].want == ST_OK), "%s", wires[i].why);
		if (wires[i].want != ST_OK)
			continue;
		cr_expect(eq(str, (char *)dns_name_text(n.wire, text), (char *)wires[i].text), "%s",
		          wires[i].why);
		cr_expect(eq(sz, b.pos, wires[i].after), "%s", wires[i].why);
	}
}

Test(dns_name, refuses_a_pointer_where_none_may_stand)
{
	static const uint8_t bytes[] = { 1, 'b', 0, 1, 'a', 0xc0, 0 };
	buf_t b = buf_over(bytes, sizeof bytes);
	dns_name_t n;

	b.pos = 3;
	cr_expect(eq(int, dns_name_read_plain(&b, &n), ST_MALFORMED));
}

Test(dns_name, refuses_a_name_that_grows_over_255_octets_by_pointers)
{
	uint8_t bytes[300];
	dns_name_t n;

	/* 250 octets of labels, then 6 more that end in a pointer to their start: 256 in all. */
	for (int i = 0; i < 250; i += 2) {
		bytes[i] = 1;
		bytes[i + 1] = 'a';
	}
	bytes[250] = 0;
	memcpy(bytes + 251, "\4abcd\xc0\0", 7);
	buf_t b = buf_over(bytes, 258);
	b.pos = 251;
	cr_expect(eq(int, dns_name_read(&b, &n), ST_MALFORMED));
	b = buf_over(bytes, 258);
	bytes[251] = 3;
	memcpy(bytes + 252, "abc\xc0\0", 5);
	b.pos = 251;
	cr_expect(eq(int, dns_name_read(&b, &n), ST_OK));
	cr_expect(eq(int, n.len, 255));
}

Test(dns_name, follows_no_long_chain_of_pointers)
{
	uint8_t bytes[2 + 2 * 200] = { 0, 0 };

	for (unsigned i = 1; i <= 200; i++) { /* each points to the one before */
		bytes[2 * i] = (uint8_t)(0xc0 | (2 * i - 2) >> 8);
		bytes[2 * i + 1] = (uint8_t)(2 * i - 2);
	}
	for (unsigned i = 1; i <= 200; i++) {
		buf_t b = buf_over(bytes, sizeof bytes);
		dns_name_t n;

		b.pos = 2 * i;
		cr_expect(eq(int, dns_name_read(&b, &n), i <= 128 ? ST_OK : ST_MALFORMED), "%u", i);
	}
}

Test(dns_name, orders_names_as_rfc_4034_6_1_does)
{
	/* The list of the RFC, in its order. */
	static const char *const sorted[] = {
		"example",         "a.example",      "yljkjljk.a.example",
		"Z.a.example",     "zABC.a.EXAMPLE", "z.example",
		"\\001.z.example", "*.z.example",    "\\200.z.example",
	};

	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t j = 0; j < ARRAY_LEN(sorted); j++) {
			dns_name_t a = name(sorted[i]), b = name(sorted[j]);

			dns_name_fold(&a);
			dns_name_fold(&b);
			int cmp = dns_name_cmp(&a, &b);
			cr_expect(eq(int, (cmp > 0) - (cmp < 0), (i > j) - (i < j)), "%s %s",
			          sorted[i], sorted[j]);
		}
	}
}

Test(dns_name, knows_what_lies_within_an_apex)
{
	dns_name_t apex = name("example.com"), root = name(".");
	dns_name_t below = name("a.b.example.com"), beside = name("xexample.com");
	dns_name_t above = name("com");

	cr_expect(dns_name_within(&apex, &apex));
	cr_expect(dns_name_within(&below, &apex));
	cr_expect(dns_name_within(&above, &root));
	cr_expect(not(dns_name_within(&beside, &apex)));
	cr_expect(not(dns_name_within(&above, &apex)));
}

Test(dns_name, folds_ascii_letters_alone)
{
	dns_name_t n = name("A\\000Z\\192\\219.[x]"), want = name("a\\000z\\192\\219.[x]");

	dns_name_fold(&n);
	cr_expect(dns_name_equal(&n, &want));
	cr_expect(dns_wire_equal_fold(name("ExAmPlE").wire, name("eXaMpLe").wire));
	cr_expect(not(dns_wire_equal_fold(name("exbmple").wire, name("example").wire)));
}

/* Labels of every length, so that each way of copying one is taken; each octet, so that each is
 * folded as it should be. */
Test(dns_name, reads_and_folds_labels_of_every_length)
{
	for (unsigned n = 1; n <= 63; n++) {
		for (unsigned first = 0; first < 256; first += n) {
			uint8_t wire[70] = { (uint8_t)n };
			dns_name_t name;

			for (unsigned i = 0; i < n; i++)
				wire[1 + i] = (uint8_t)(first + i);
			buf_t b = buf_over(wire, n + 2);
			cr_assert(dns_name_read(&b, &name) == ST_OK);
			cr_assert(name.len == n + 2 && name.labels == 1 && b.pos == n + 2);
			cr_assert(memcmp(name.wire, wire, n + 2) == 0);
			dns_name_fold(&name);
			for (unsigned i = 0; i < n + 2; i++)
				cr_assert(name.wire[i] == dns_fold(wire[i]), "octet %u", wire[i]);
		}
	}
}
