/* tests/unit/dns/test_zonefile.c - zone files: what each entry says, and what is wrong with it, on which
 * line. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"
#include "dns/rrtype.h"
#include "dns/text.h"
#include "dns/zonefile.h"

TestSuite(dns_zonefile, .timeout = 20);

static dns_rr_t rr;

/* All records as "line owner ttl type rdata", then what ended it, if that was a fault. */
static char *all_of(const char *text, size_t len, const char *origin)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r"), *out;
	dns_text_t *words = dns_text_new();
	dns_zonefile_t *z;
	dns_name_t name;
	char *got = NULL;
	size_t got_len;
	status_t st;

	cr_assert(in && words && (out = open_memstream(&got, &got_len)) != NULL);
	if (origin)
		cr_assert(eq(int, dns_name_from_text(origin, &name), ST_OK));
	z = dns_zonefile_new(in, origin ? &name : NULL);
	while ((st = dns_zonefile_next(z, &rr)) == ST_OK) {
		char owner[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];

		cr_expect(eq(uint, rr.class, 1));
		fprintf(out, "%u %s %u %s %s\n", dns_zonefile_line(z),
		        dns_text_name(rr.owner.wire, owner), rr.ttl, dns_type_text(rr.type, type),
		        dns_text_rdata(words, rr.type, rr.rdata, rr.rdlen));
	}
	if (st == ST_MALFORMED)
		fprintf(out, "%u: %s\n", dns_zonefile_line(z), dns_zonefile_why(z));
	else
		cr_expect(eq(int, st, ST_NOENT));
	cr_expect(eq(int, dns_zonefile_next(z, &rr), st), "and so it stays");
	dns_zonefile_free(z);
	dns_text_free(words);
	fclose(in);
	fclose(out);
	return got;
}

typedef struct example {
	const char *what, *text, *want;
} example_t;

static void expect_all(const example_t *examples, size_t count, const char *origin)
{
	for (size_t i = 0; i < count; i++) {
		char *got = all_of(examples[i].text, strlen(examples[i].text), origin);

		cr_expect(eq(str, got, (char *)(uintptr_t)examples[i].want), "%s",
		          examples[i].what);
		free(got);
	}
}

static const example_t records[] = {
	{ "absolute and relative names", "a. 1 A 192.0.2.1\nb 1 A 192.0.2.2\n@ 1 NS b\n",
	  "1 a. 1 A 192.0.2.1\n2 b.example. 1 A 192.0.2.2\n3 example. 1 NS b.example.\n" },
	{ "an owner is folded, a name in the RDATA is not", "Ab 1 NS Cd\n",
	  "1 ab.example. 1 NS Cd.example.\n" },
	{ "$ORIGIN, itself relative; of the root",
	  "$ORIGIN sub\na 1 A 192.0.2.1\n@ 1 NS @\n"
	  "$origin .\na 1 CNAME b\n",
	  "2 a.sub.example. 1 A 192.0.2.1\n3 sub.example. 1 NS sub.example.\n5 a. 1 CNAME b.\n" },
	{ "TTL and class in any order, or none",
	  "$TTL 1h\na IN 5 A 192.0.2.1\na 5 IN A 192.0.2.1\n"
	  "a in A 192.0.2.1\na A 192.0.2.1\na 7 A 192.0.2.1\n"
	  "a A 192.0.2.1\na CLASS1 A 192.0.2.1\n",
	  "2 a.example. 5 A 192.0.2.1\n3 a.example. 5 A 192.0.2.1\n4 a.example. 3600 A 192.0.2.1\n"
	  "5 a.example. 3600 A 192.0.2.1\n6 a.example. 7 A 192.0.2.1\n"
	  "7 a.example. 3600 A 192.0.2.1\n8 a.example. 3600 A 192.0.2.1\n" },
	{ "without $TTL the last one counts",
	  "a 9 A 192.0.2.1\nb A 192.0.2.1\n$TTL 5\nb A 192.0.2.1\n",
	  "1 a.example. 9 A 192.0.2.1\n2 b.example. 9 A 192.0.2.1\n4 b.example. 5 A 192.0.2.1\n" },
	{ "TTLs of parts",
	  "a 1h30M A 192.0.2.1\na 1w2d3h4m5s A 192.0.2.1\na 0 A 192.0.2.1\n"
	  "a 2147483647 A 192.0.2.1\n",
	  "1 a.example. 5400 A 192.0.2.1\n2 a.example. 788645 A 192.0.2.1\n"
	  "3 a.example. 0 A 192.0.2.1\n4 a.example. 2147483647 A 192.0.2.1\n" },
	{ "owners that look like something else",
	  "in 1 A 192.0.2.1\n5 1 A 192.0.2.2\na 1 A 192.0.2.3\n"
	  "\\$TTL 1 A 192.0.2.4\n",
	  "1 in.example. 1 A 192.0.2.1\n2 5.example. 1 A 192.0.2.2\n3 a.example. 1 A 192.0.2.3\n"
	  "4 \\$ttl.example. 1 A 192.0.2.4\n" },
	{ "the owner of the line before", "a 1 A 192.0.2.1\n  2 A 192.0.2.2\n\tAAAA ::1\n",
	  "1 a.example. 1 A 192.0.2.1\n2 a.example. 2 A 192.0.2.2\n3 a.example. 2 AAAA ::1\n" },
	{ "comments and empty lines", "; first\n\n   \n  ; x\na 1 A 192.0.2.1;behind\n;last",
	  "5 a.example. 1 A 192.0.2.1\n" },
	{ "parentheses",
	  "a 1 SOA b c ( 1 ; serial\n 2\n\n3) ( 4 5 )\nd 1 MX (10 e)\n( f\n1 A\n192.0.2.1 )\n"
	  "g 1 TXT (\"(\" \\( \")\")\n",
	  "1 a.example. 1 SOA b.example. c.example. 1 2 3 4 5\n5 d.example. 1 MX 10 e.example.\n"
	  "6 f.example. 1 A 192.0.2.1\n9 g.example. 1 TXT \"(\" \"(\" \")\"\n" },
	{ "CRLF", "$TTL 1\r\na A 192.0.2.1\r\nb A (\r\n192.0.2.2 )\r\nc TXT \"x\"\r\n",
	  "2 a.example. 1 A 192.0.2.1\n3 b.example. 1 A 192.0.2.2\n5 c.example. 1 TXT \"x\"\n" },
	{ "no end of the last line", "a 1 A 192.0.2.1\nb 1 A 192.0.2.2",
	  "1 a.example. 1 A 192.0.2.1\n2 b.example. 1 A 192.0.2.2\n" },
	{ "nothing at all", "", "" },
	{ "escapes of names",
	  "a\\.b 1 A 192.0.2.1\n\\065\\000 1 A 192.0.2.1\n\\@ 1 CNAME c\\\\.\n"
	  "e\\. 1 A 192.0.2.1\ne\\\\. 1 A 192.0.2.1\n",
	  "1 a\\.b.example. 1 A 192.0.2.1\n2 a\\000.example. 1 A 192.0.2.1\n"
	  "3 \\@.example. 1 CNAME c\\\\.\n4 e\\..example. 1 A 192.0.2.1\n5 e\\\\. 1 A "
	  "192.0.2.1\n" },
	{ "strings", "a 1 TXT \"a b\" c \"\" \"q\\\"q\" \"\\000\\255\\010;\" e\\ f \"x\"\"y\"\n",
	  "1 a.example. 1 TXT \"a b\" \"c\" \"\" \"q\\\"q\" \"\\000\\255\\010;\" \"e f\" \"x\" "
	  "\"y\"\n" },
	{ "a quote within a word", "a 1 HTTPS 1 . alpn=\"h2,h3\" port=443\n",
	  "1 a.example. 1 HTTPS 1 . alpn=h2,h3 port=443\n" },
	{ "types by number, of octets",
	  "a 1 TYPE65280 \\# 4 dead BEEF\na 1 TYPE1 \\# 4 c0000201\n"
	  "a 1 A \\# 4 c000 0201\na 1 type65280 \\# 0\n"
	  "a 1 TYPE1 192.0.2.9\n",
	  "1 a.example. 1 TYPE65280 \\# 4 deadbeef\n2 a.example. 1 A 192.0.2.1\n"
	  "3 a.example. 1 A 192.0.2.1\n4 a.example. 1 TYPE65280 \\# 0\n"
	  "5 a.example. 1 A 192.0.2.9\n" },
};

Test(dns_zonefile, reads_each_entry)
{
	expect_all(records, ARRAY_LEN(records), "example.");
}

#define A "a 1 A 192.0.2.1\n"

static const example_t faults[] = {
	{ "no type", A "b 1\n", "1 a.example. 1 A 192.0.2.1\n2: there is no type\n" },
	{ "a wrong type", "a 1 AX 1\n", "1: AX is no type\n" },
	{ "wrong types by number", "a 1 TYPE65536 \\# 0\n", "1: TYPE65536 is no type\n" },
	{ "", "a 1 TYPE1x \\# 0\n", "1: TYPE1x is no type\n" },
	{ "other classes", "a 1 CH TXT x\n", "1: class CH: only IN can be served\n" },
	{ "", "a CLASS254 A 192.0.2.1\n", "1: class CLASS254: only IN can be served\n" },
	{ "no TTL", "a A 192.0.2.1\n", "1: there is no TTL: write one, or $TTL before it\n" },
	{ "too high a TTL", "a 2147483648 A 192.0.2.1\n",
	  "1: TTL 2147483648 is over 2147483647\n" },
	{ "", "a 99999999999999999999w A 192.0.2.1\n",
	  "1: TTL 99999999999999999999w is over 2147483647\n" },
	{ "a wrong $TTL", "$TTL x\n", "1: x is no TTL\n" },
	{ "", "$TTL\n", "1: $TTL takes one word\n" },
	{ "", "$TTL 1 2\n", "1: $TTL takes one word\n" },
	{ "", "$TTL 1hh\n", "1: 1hh is no TTL\n" },
	{ "a wrong $ORIGIN", "\n$ORIGIN a..b\n", "2: a..b is no name\n" },
	{ "$INCLUDE", A "$INCLUDE other\n",
	  "1 a.example. 1 A 192.0.2.1\n2: $INCLUDE is not followed: make one file of them\n" },
	{ "$GENERATE", "$GENERATE 1-3 a$ A 192.0.2.$\n", "1: $GENERATE is not known here\n" },
	{ "no owner before", " 1 A 192.0.2.1\n",
	  "1: a record without an owner, and none before it\n" },
	{ "a quoted owner", "\"a\" 1 A 192.0.2.1\n", "1: \"a\" is no name\n" },
	{ "a wrong name", "a\\999 1 A 192.0.2.1\n", "1: a\\999 is no name\n" },
	{ "parentheses", "\n\na 1 A (\n\n192.0.2.1\n", "3: a parenthesis that is not closed\n" },
	{ "", "\na 1 A 192.0.2.1 )\n", "2: a closing parenthesis without an opening one\n" },
	{ "a quote", "\na 1 TXT \"x\nb 1 A 192.0.2.1\n",
	  "2: a quote that is not closed on its line\n" },
	{ "", "a 1 TXT \"x", "1: a quote that is not closed on its line\n" },
	{ "", "a 1 TXT (\n\"x\ny\" )", "2: a quote that is not closed on its line\n" },
	{ "a backslash", "a 1 TXT x\\\n", "1: a backslash at the end of the line\n" },
	{ "", "a 1 TXT x\\", "1: a backslash at the end of the line\n" },
	{ "\\DDD of a string", "a 1 TXT \\256\n", "1: \\DDD is not a number up to 255\n" },
	{ "", "a 1 TXT \"\\12\"\n", "1: \\DDD is not a number up to 255\n" },
	{ "no RDATA", "a 1 TXT\n", "1: this is no TXT record\n" },
	{ "\\# that is wrong", "a 1 A \\# 5 c000020100\n", "1: this is no A record\n" },
	{ "", "a 1 A \\# 4 c00002\n", "1: \\# says 4 octets, and there are 3\n" },
	{ "", "a 1 A \\# 4 c00002010\n", "1: c00002010 is more than \\# says\n" },
	{ "", "a 1 A \\# 4 c000020x\n", "1: c000020x is no hexadecimal number\n" },
	{ "", "a 1 A \\#\n", "1: \\# without the number of octets behind it\n" },
	{ "", "a 1 A \\# -1\n", "1: \\# without the number of octets behind it\n" },
	{ "", "a 1 A \\# 65536 00\n", "1: \\# without the number of octets behind it\n" },
	{ "a compressed name", "a 1 NS \\# 2 c000\n", "1: this is no NS record\n" },
	{ "a type without words", "a 1 TYPE65280 x\n",
	  "1: TYPE65280 has no words: it is written as \\# LENGTH HEX\n" },
};

Test(dns_zonefile, says_what_is_wrong_and_where)
{
	expect_all(faults, ARRAY_LEN(faults), "example.");
}

/* Numbers that their field has not, and what else ldns would take for something that it does not say. */
static const example_t silent[] = {
	{ "numbers", "a 1 MX 65535 b\na 1 MX 65536 b\n",
	  "1 a.example. 1 MX 65535 b.example.\n2: 65536 is not a number up to 65535\n" },
	{ "", "a 1 MX -1 b\n", "1: -1 is not a number up to 65535\n" },
	{ "", "a 1 SOA b c 4294967296 1 1 1 1\n",
	  "1: 4294967296 is not a number up to 4294967295\n" },
	{ "", "a 1 SOA b c 1 99999999999 1 1 1\n", "1: 99999999999 is not a time in seconds\n" },
	{ "", "a 1 SOA b c 1 1h30m 1W 0 4294967295\n",
	  "1 a.example. 1 SOA b.example. c.example. 1 5400 604800 0 4294967295\n" },
	{ "", "a 1 SOA b c 1 7102w 1 1 1\n", "1: 7102w is not a time in seconds\n" },
	{ "", "a 1 DS 1 300 2 aabb\n", "1: 300 is not a number up to 255\n" },
	{ "", "a 1 NSEC3PARAM 1 256 0 -\n", "1: 256 is not a number up to 255\n" },
	{ "", "a 1 SRV 1 2 65536 b\n", "1: 65536 is not a number up to 65535\n" },
	{ "", "a 1 RRSIG A 13 2 1 4294967296 1 1 b. AAAA\n", "1: 4294967296 is not a time\n" },
	{ "types", "a 1 NSEC b A BLAH\n", "1: BLAH is not a type\n" },
	{ "", "a 1 NSEC b A TYPE65280 TYPE65536\n", "1: TYPE65536 is not a type\n" },
	{ "", "a 1 RRSIG BLAH 13 2 1 2 1 1 b. AAAA\n", "1: BLAH is not a type\n" },
	{ "", "a 1 NSEC3 1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A TYPE0\n",
	  "1: TYPE0 is not a type\n" },
	{ "half an octet", "a 1 DS 1 13 2 aa bb\na 1 DS 1 13 2 aa b\n",
	  "1 a.example. 1 DS 1 13 2 aabb\n2: aa is not two digits for each octet\n" },
	{ "a string for a name", "a 1 CNAME \"b\"\n", "1: \"b\" is not a name\n" },
	{ "names of numbers", "a 1 DS 1 ECDSAP256SHA256 2 aabb\na 1 CERT PKIX 0 0 AQID\n",
	  "1 a.example. 1 DS 1 13 2 aabb\n2 a.example. 1 CERT PKIX 0 0 AQID\n" },
};

Test(dns_zonefile, takes_nothing_for_something_else)
{
	expect_all(silent, ARRAY_LEN(silent), "example.");
}

/* What ldns says of the rest is its own. */
Test(dns_zonefile, says_the_line_of_what_ldns_refuses)
{
	static const char *const wrong[] = {
		"x 1 A 192.0.2.1 5",  "x 1 A 192.0.2",        "x 1 A",         "x 1 AAAA 1::2::3",
		"x 1 MX 10",          "x 1 MX a b",           "x 1 SOA a b 1", "x 1 NS a..b",
		"x 1 DS 1 13 2 zz",   "x 1 RRSIG A 13 2 1 x", "x 1 LOC",       "x 1 DNSKEY 1 2 3 %",
		"x 1 CAA 0 is-sue x",
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char text[128];

		snprintf(text, sizeof text, "\n\n%s\n", wrong[i]);
		char *got = all_of(text, strlen(text), "example.");
		cr_expect(eq(int, strncmp(got, "3: ", 3), 0), "%s: %s", wrong[i], got);
		cr_expect(strlen(got) > 10);
		free(got);
	}
}

static const example_t rootless[] = {
	{ "all absolute", "a. 1 A 192.0.2.1\na. 1 NS b.\n", "1 a. 1 A 192.0.2.1\n2 a. 1 NS b.\n" },
	{ "with a $ORIGIN", "$ORIGIN e.\na 1 NS b\n", "2 a.e. 1 NS b.e.\n" },
	{ "@", "@ 1 A 192.0.2.1\n",
	  "1: @ is relative, and there is no $ORIGIN: say which zone it is\n" },
	{ "an owner", "a 1 A 192.0.2.1\n",
	  "1: a is relative, and there is no $ORIGIN: say which zone it is\n" },
	{ "in the RDATA", "a. 1 MX 10 b\n",
	  "1: a name in it is relative, and there is no $ORIGIN: say which zone it is\n" },
	{ "", "a. 1 SOA b. @ 1 2 3 4 5\n",
	  "1: a name in it is relative, and there is no $ORIGIN: say which zone it is\n" },
	{ "a relative $ORIGIN", "$ORIGIN a\n",
	  "1: a is relative, and there is no $ORIGIN: say which zone it is\n" },
};

Test(dns_zonefile, has_no_origin_but_one_that_is_given)
{
	expect_all(rootless, ARRAY_LEN(rootless), NULL);
}

Test(dns_zonefile, is_for_text)
{
	static const char zero[] = "a 1 A 192.0.2.1\nb\0c 1 A 192.0.2.1\n";
	static const char odd[] = "a\x1b[2J 1 A x\n";

	char *got = all_of(zero, sizeof zero - 1, "example.");
	cr_expect(eq(str, got,
	             (char *)"1 a.example. 1 A 192.0.2.1\n"
	                     "2: an octet of zero: this is no text\n"));
	free(got);
	got = all_of(odd, sizeof odd - 1, "example.");
	cr_expect(strchr(got, 0x1b) == NULL, "nothing that a terminal would act on");
	free(got);
}

Test(dns_zonefile, names_may_be_too_long_with_their_origin)
{
	char origin[256] = "", text[192], *at = origin;

	for (unsigned i = 0; i < 3; i++)
		at += sprintf(at, "%063u.", i);
	snprintf(text, sizeof text, "%061u 1 A 192.0.2.1\n%062u 1 A 192.0.2.1\n", 0, 0);
	char *got = all_of(text, strlen(text), origin);
	cr_expect(strncmp(got, "1 0000", 6) == 0);
	cr_expect(strstr(got, "\n2: 000000") && strstr(got, "is too long with its origin\n"), "%s",
	          got);
	free(got);
}

/* Texts are longer than RDATA, four times at most. */
Test(dns_zonefile, takes_the_longest_records)
{
	enum { STRINGS = 255, ROOM = 2 << 20 };
	char *text = malloc(ROOM), *at = text;

	at += sprintf(at, "a 1 TXT");
	for (unsigned i = 0; i < STRINGS; i++) {
		at += sprintf(at, " \"");
		for (unsigned j = 0; j < 255; j++)
			at += sprintf(at, "\\200");
		at += sprintf(at, "\"");
	}
	at += sprintf(at, "\nb 1 TYPE65280 \\# 65535 ");
	for (unsigned i = 0; i < 65535; i++)
		at += sprintf(at, "%s0f", i % 20 == 0 ? " " : "");
	FILE *in = fmemopen(text, (size_t)(at - text), "r");
	dns_name_t root;
	dns_name_from_text(".", &root);
	dns_zonefile_t *z = dns_zonefile_new(in, &root);
	cr_assert(eq(int, dns_zonefile_next(z, &rr), ST_OK), "%s", dns_zonefile_why(z));
	cr_expect(eq(uint, rr.rdlen, STRINGS * 256));
	cr_expect(eq(uint, rr.rdata[256], 255));
	cr_expect(eq(uint, rr.rdata[257], 200));
	cr_assert(eq(int, dns_zonefile_next(z, &rr), ST_OK), "%s", dns_zonefile_why(z));
	cr_expect(eq(uint, rr.rdlen, 65535));
	cr_expect(eq(uint, rr.rdata[65534], 15));
	cr_expect(eq(int, dns_zonefile_next(z, &rr), ST_NOENT));
	dns_zonefile_free(z);
	fclose(in);

	/* Beyond, nothing is kept. */
	memset(text, 'x', ROOM);
	char *got = all_of(text, ROOM, "example.");
	cr_expect(eq(str, got, (char *)"1: the record is too long\n"));
	free(got);
	free(text);
}

Test(dns_zonefile, strings_have_an_end)
{
	char text[400];

	snprintf(text, sizeof text, "a 1 TXT %0256d\n", 0);
	char *got = all_of(text, strlen(text), "example.");
	cr_expect(eq(str, got, (char *)"1: a string of more than 255 octets\n"));
	free(got);
}
