/* tests/unit/dns/test_rdata.c - RDATA of every type: what is sound comes through as it is, what
 * is not is refused, and nothing is read behind it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ldns/ldns.h>
#include <stdlib.h>

#include "dns/rdata.h"
#include "dns/rr.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

TestSuite(dns_rdata, .timeout = 20);

/* One of each type that ldns reads from presentation form, and a few shapes more. */
static const char *const sound[] = {
	"a. A 192.0.2.1",
	"a. NS b.c.",
	"a. MD b.",
	"a. MF b.",
	"a. CNAME b.",
	"a. SOA b. c. 1 2 3 4 5",
	"a. MB b.",
	"a. MG b.",
	"a. MR b.",
	"a. WKS 192.0.2.1 TCP 25 53",
	"a. PTR b.",
	"a. HINFO cpu os",
	"a. HINFO \"\" \"\"",
	"a. MINFO b. c.",
	"a. MX 10 b.",
	"a. TXT x",
	"a. TXT x y z",
	"a. RP b. c.",
	"a. AFSDB 1 b.",
	"a. X25 311061700956",
	"a. ISDN 150862028003217",
	"a. ISDN 150862028003217 004",
	"a. RT 1 b.",
	"a. NSAP 0x47000580005a0000000001e133ffffff00016100",
	"a. PX 10 b. c.",
	"a. GPOS -32.6882 116.8652 10.0",
	"a. AAAA 2001:db8::1",
	"a. LOC 42 21 54 N 71 06 18 W -24m 30m",
	"a. SRV 1 2 3 b.",
	"a. NAPTR 1 2 s \"a+b\" \"\" b.",
	"a. NAPTR 100 10 u E2U+sip !^.*$!sip:x@y! .",
	"a. KX 1 b.",
	"a. CERT 1 2 3 AAAA",
	"a. DNAME b.c.",
	"a. APL 1:192.0.2.0/24 !1:192.0.2.64/28 2:2001:db8::/32",
	"a. APL",
	"a. DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000",
	"a. SSHFP 1 1 0000000000000000000000000000000000000000",
	"a. IPSECKEY 10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtu",
	"a. IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtu",
	"a. IPSECKEY 10 2 2 2001:db8::1 AQNRU3mG7TVTO2BkR47usntb102uFJtu",
	"a. IPSECKEY 10 3 2 b.c. AQNRU3mG7TVTO2BkR47usntb102uFJtu",
	"a. RRSIG A 8 2 300 20300101000000 20200101000000 1 b. AAAA",
	"a. NSEC b. A RRSIG NSEC TYPE1234",
	"a. NSEC b. A",
	"a. DNSKEY 256 3 8 AAAA",
	"a. DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
	"a. NSEC3 1 1 12 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
	"a. NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr",
	"a. NSEC3PARAM 1 0 12 aabb",
	"a. TLSA 3 1 1 00ff",
	"a. SMIMEA 3 1 1 00ff",
	"a. HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdx b. c.",
	"a. TALINK b. c.",
	"a. CDS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000",
	"a. CDNSKEY 256 3 8 AAAA",
	"a. OPENPGPKEY AAAA",
	"a. CSYNC 66 3 A NS AAAA",
	"a. ZONEMD 1 1 1 "
	"000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000",
	"a. SVCB 0 b.",
	"a. SVCB 1 . alpn=h2,h3 port=443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1",
	"a. HTTPS 1 b. mandatory=alpn alpn=h2 no-default-alpn",
	"a. SPF x",
	"a. NID 10 0014:4fff:ff20:ee64",
	"a. L32 10 10.1.2.0",
	"a. L64 10 2001:0DB8:1140:1000",
	"a. LP 10 b.",
	"a. EUI48 00-00-5e-00-53-2a",
	"a. EUI64 00-00-5e-ef-10-00-00-2a",
	"a. URI 1 2 \"ftp://x\"",
	"a. CAA 0 issue \"x\"",
	"a. DLV 1 8 2 0000000000000000000000000000000000000000000000000000000000000000",
	"a. TYPE65280 \\# 4 0a000001",
	"a. TYPE65281 \\# 0",
};

static uint8_t *wire_of(const char *text, size_t *len)
{
	uint8_t *wire = NULL;
	ldns_rr *rr = NULL;

	cr_assert(eq(int, ldns_rr_new_frm_str(&rr, text, 300, NULL, NULL), LDNS_STATUS_OK), "%s",
	          text);
	cr_assert(eq(int, ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, len), LDNS_STATUS_OK), "%s",
	          text);
	ldns_rr_free(rr);
	return wire;
}

Test(dns_rdata, takes_every_type_as_it_is)
{
	dns_rr_t *rr = malloc(sizeof *rr);

	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		size_t len, head = 3 + 10;
		uint8_t *wire = wire_of(sound[i], &len);
		buf_t b = buf_over(wire, len);

		cr_expect(eq(int, dns_rr_read(&b, rr), ST_OK), "%s", sound[i]);
		cr_expect(eq(sz, buf_left(&b), 0), "%s", sound[i]);
		cr_expect(eq(sz, rr->rdlen, len - head), "%s", sound[i]);
		cr_expect(memcmp(rr->rdata, wire + head, rr->rdlen) == 0, "%s", sound[i]);
		cr_expect(dns_rdata_sound(rr->type, wire + head, len - head), "%s", sound[i]);
		free(wire);
	}
	free(rr);
}

/* Every prefix of sound RDATA either is sound itself or is refused; memory is exactly as long as
 * what may be read, so that a sanitizer sees any step beyond. */
Test(dns_rdata, never_reads_behind_rdata_that_is_cut)
{
	dns_rr_t *rr = malloc(sizeof *rr);
	unsigned refused = 0;

	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		size_t len, head = 3 + 10;
		uint8_t *wire = wire_of(sound[i], &len);

		for (size_t cut = 0; cut < len - head; cut++) {
			uint8_t *part = malloc(head + cut);

			memcpy(part, wire, head + cut);
			put_u16(part + 11, (unsigned)cut);
			buf_t b = buf_over(part, head + cut);
			status_t st = dns_rr_read(&b, rr);
			cr_expect(st == ST_OK || st == ST_MALFORMED, "%s cut at %zu: %s", sound[i],
			          cut, status_text(st));
			cr_expect(eq(int, dns_rdata_sound(get_u16(part + 3), part + head, cut),
			             st == ST_OK),
			          "%s cut at %zu", sound[i], cut);
			refused += st != ST_OK;
			free(part);
		}
		free(wire);
	}
	cr_expect(gt(int, refused, 300));
	free(rr);
}

/* RDATA by type, in hexadecimal. */
static const struct {
	const char *why;
	uint16_t type;
	const char *hex;
	status_t want;
} raw[] = {
	{ "A of three octets", 1, "c00002", ST_MALFORMED },
	{ "A of five octets", 1, "c000020101", ST_MALFORMED },
	{ "a string past the end", 16, "0561", ST_MALFORMED },
	{ "no string at all", 16, "", ST_MALFORMED },
	{ "NS with octets behind the name", 2, "016100ff", ST_MALFORMED },
	{ "NS without its root", 2, "0161", ST_MALFORMED },
	{ "a bitmap with windows out of order", 47,
	  "0001014000"
	  "0140",
	  ST_MALFORMED },
	{ "a bitmap with an empty window", 47, "000000", ST_MALFORMED },
	{ "a bitmap window of 33 octets", 47,
	  "000021"
	  "010101010101010101010101010101010101010101010101010101010101010101",
	  ST_MALFORMED },
	{ "a bitmap that ends in zero", 47, "0000024000", ST_MALFORMED },
	{ "the same window twice", 47, "00000140000140", ST_MALFORMED },
	{ "NSEC3 with a salt past the end", 50, "0100000010aa", ST_MALFORMED },
	{ "NSEC3 with an empty next owner", 50, "010000000000", ST_MALFORMED },
	{ "SVCB keys out of order", 64,
	  "000100"
	  "0003000201bb"
	  "00010003026832",
	  ST_MALFORMED },
	{ "SVCB key twice", 64,
	  "000100"
	  "0003000201bb"
	  "0003000201bb",
	  ST_MALFORMED },
	{ "SVCB value past the end", 64,
	  "000100"
	  "00030005"
	  "01bb",
	  ST_MALFORMED },
	{ "SVCB port of one octet", 64,
	  "000100"
	  "0003000101",
	  ST_MALFORMED },
	{ "SVCB empty alpn", 64,
	  "000100"
	  "00010000",
	  ST_MALFORMED },
	{ "SVCB alpn id past the end", 64,
	  "000100"
	  "00010002"
	  "0568",
	  ST_MALFORMED },
	{ "SVCB ipv4hint of five octets", 64,
	  "000100"
	  "00040005"
	  "c000020101",
	  ST_MALFORMED },
	{ "SVCB mandatory naming itself", 64,
	  "000100"
	  "00000002"
	  "0000",
	  ST_MALFORMED },
	{ "SVCB unknown key", 64,
	  "000100"
	  "ff000001"
	  "00",
	  ST_OK },
	{ "CAA with an empty tag", 257, "000078", ST_MALFORMED },
	{ "CAA with a tag past the end", 257, "000578", ST_MALFORMED },
	{ "CAA with a blank in its tag", 257, "0002612078", ST_MALFORMED },
	{ "APL address past the end", 42, "00011804c00002", ST_MALFORMED },
	{ "APL of five octets for IPv4", 42, "00011805c000020101", ST_MALFORMED },
	{ "APL prefix over the family's", 42, "00012103c00002", ST_MALFORMED },
	{ "LOC of version 0 cut", 29, "00121314", ST_MALFORMED },
	{ "LOC with a size that is no digit", 29,
	  "00a2131480000000"
	  "8000000080000000",
	  ST_MALFORMED },
	{ "IPSECKEY with a gateway type that nobody knows", 45, "0a0402aabb", ST_MALFORMED },
	{ "HIP with a key past the end", 55, "02020009aabb", ST_MALFORMED },
	{ "SOA cut in its numbers", 6, "00000000000100000002", ST_MALFORMED },
	{ "SINK is whatever it is", 40, "0102030405", ST_OK },
	{ "NSAP-PTR is a name", 23, "016100", ST_OK },
	{ "NXT is a name and a bitmap of its own kind", 30, "01610060", ST_OK },
	{ "an unknown type is opaque", 65280, "c00cffff", ST_OK },
};

Test(dns_rdata, refuses_what_is_malformed)
{
	dns_rr_t *rr = malloc(sizeof *rr);

	for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
		uint8_t msg[200] = { 0 };
		size_t n = 0;

		put_u16(msg + 1, raw[i].type);
		put_u16(msg + 3, 1);
		/* A name before the bitmap of an NSEC: the root. */
		if (raw[i].type == 47)
			msg[11 + n++] = 0;
		for (const char *h = raw[i].hex; *h; h += 2) {
			char two[3] = { h[0], h[1], 0 };

			msg[11 + n++] = (uint8_t)strtoul(two, NULL, 16);
		}
		put_u16(msg + 9, (unsigned)n);
		buf_t b = buf_over(msg, 11 + n);
		cr_expect(eq(int, dns_rr_read(&b, rr), raw[i].want), "%s", raw[i].why);
		cr_expect(eq(int, dns_rdata_sound(raw[i].type, msg + 11, n), raw[i].want == ST_OK),
		          "%s", raw[i].why);
	}
	free(rr);
}

Test(dns_rdata, decompresses_where_rfc_3597_allows_it_and_nowhere_else)
{
	static const uint16_t yes[] = { 2, 5, 12, 15, 17, 18, 21, 33, 6 };
	static const uint16_t no[] = { 39, 36, 107, 47, 64 };
	dns_rr_t *rr = malloc(sizeof *rr);
	unsigned tried = 0;

	for (size_t i = 0; i < ARRAY_LEN(yes) + ARRAY_LEN(no); i++) {
		bool allowed = i < ARRAY_LEN(yes);
		uint16_t type = allowed ? yes[i] : no[i - ARRAY_LEN(yes)];
		uint8_t msg[64] = { 1, 'a', 0, 0xc0, 0 };
		size_t skip = type == 33 ? 6
		              : type == 15 || type == 18 || type == 21 || type == 36 ||
		                              type == 107 || type == 64
		                      ? 2
		                      : 0;
		size_t n = skip;

		put_u16(msg + 5, type);
		put_u16(msg + 7, 1);
		put_u16(msg + 15 + n, 0xc000);
		n += 2;
		if (type == 17 || type == 6) {
			put_u16(msg + 15 + n, 0xc000);
			n += 2;
		}
		n += type == 6 ? 20 : 0;
		put_u16(msg + 13, (unsigned)n);
		buf_t b = buf_over(msg, 15 + n);
		b.pos = 3;
		cr_expect(eq(int, dns_rr_read(&b, rr), allowed ? ST_OK : ST_MALFORMED), "TYPE%u",
		          type);
		if (allowed)
			cr_expect(memcmp(rr->rdata + skip, "\1a", 3) == 0, "TYPE%u", type);
		cr_expect(not(dns_rdata_sound(type, msg + 15, n)), "TYPE%u", type);
		tried++;
	}
	cr_expect(eq(int, tried, 14));
	free(rr);
}

Test(dns_rdata, refuses_rdata_that_grows_over_its_length)
{
	/* HIP is never compressed; SOA is, but is short: only the frame can be too long. */
	dns_rr_t *rr = malloc(sizeof *rr);
	uint8_t msg[] = { 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4 };
	buf_t b = buf_over(msg, sizeof msg);

	cr_expect(eq(int, dns_rr_read(&b, rr), ST_SHORT));
	cr_expect(not(buf_ok(&b)));
	free(rr);
}

Test(dns_rdata, canonical_form_folds_names_of_the_old_types_alone)
{
	static const struct {
		uint16_t type;
		const char *in, *out;
		size_t len;
	} rows[] = {
		{ 15, "AB\1C\0", "AB\1c\0", 5 },
		{ 2, "\1C\0", "\1c\0", 3 },
		{ 47,
		  "\1C\0"
		  "\0\1@",
		  "\1C\0"
		  "\0\1@",
		  6 },
		{ 16, "\1C", "\1C", 2 },
		{ 65280, "\1C\0", "\1C\0", 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t rdata[16];

		memcpy(rdata, rows[i].in, rows[i].len);
		dns_rdata_canonical(rows[i].type, rdata, rows[i].len);
		cr_expect(memcmp(rdata, rows[i].out, rows[i].len) == 0, "%zu", i);
	}
}

Test(dns_rdata, types_and_rcodes_have_their_words)
{
	char text[DNS_TYPE_TEXT_MAX], rcode[DNS_RCODE_TEXT_MAX];

	cr_expect(strcmp(dns_type_text(28, text), "AAAA") == 0);
	cr_expect(strcmp(dns_type_text(65280, text), "TYPE65280") == 0);
	cr_expect(strcmp(dns_type_text(0, text), "TYPE0") == 0);
	cr_expect(strcmp(dns_rcode_text(9, rcode), "NOTAUTH") == 0);
	cr_expect(strcmp(dns_rcode_text(23, rcode), "BADCOOKIE") == 0);
	cr_expect(strcmp(dns_rcode_text(3841, rcode), "RCODE3841") == 0);
	for (unsigned t = 0; t < 65536; t++)
		cr_assert(eq(int, dns_type_is_meta((uint16_t)t),
		             t == 0 || t == 41 || (t >= 128 && t < 256)));
}

/* --- short cuts --------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Both readers over the RDATA of rdlen octets that stands at 40 in msg: the same verdict, the same
 * place behind it, the same octets. */
static void expect_both_alike(uint16_t type, const uint8_t *msg, size_t len, size_t rdlen)
{
	static uint8_t out[2][65535];
	size_t out_len[2] = { 0, 0 };
	buf_t a = buf_over(msg, len), b = a;

	a.pos = b.pos = 40;
	status_t x = dns_rdata_read(&a, type, rdlen, out[0], &out_len[0]);
	status_t y = dns_rdata_read_by_fields(&b, type, rdlen, out[1], &out_len[1]);
	cr_assert(eq(int, x, y), "type %u, %zu octets", type, rdlen);
	cr_assert(eq(int, a.bad, b.bad));
	if (x != ST_OK)
		return;
	cr_assert(eq(sz, a.pos, b.pos));
	cr_assert(eq(sz, out_len[0], out_len[1]));
	cr_assert(eq(int, memcmp(out[0], out[1], out_len[0]), 0), "type %u", type);
}

/* Sound RDATA of each type that has a short cut, then octets of it altered, cut off and added. */
Test(dns_rdata, short_cuts_say_what_the_reader_of_fields_says)
{
	static const char *const lines[] = {
		"a. A 192.0.2.1",
		"a. AAAA 2001:db8::1",
		"a. NS b.c.",
		"a. NS .",
		"a. CNAME b-longer-label-than-eight.another-one-that-is-longer-than-16.c.",
		"a. PTR b.",
		"a. MX 10 mail.b.",
		"a. MX 0 .",
		"a. SRV 1 2 3 b-longer-label-than-eight.c.",
		"a. SOA ns.b. mailbox.b. 1 7200 600 1209600 300",
		"a. SOA . . 1 7200 600 1209600 300",
		"a. TXT \"one\" \"\" \"three words here\"",
		"a. DNSKEY 257 3 8 AwEAAag=",
		"a. NSEC b.a. A NS RRSIG",
		"a. NSEC b.a. A TYPE1234",
		"a. DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000",
		"a. RRSIG A 8 2 300 20300101000000 20200101000000 1 b.example. AAAA",
		"a. NSEC3 1 1 12 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
		"a. NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr",
		"a. NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A NS RRSIG TYPE1234",
	};
	static const uint8_t likely[] = { 0, 1, 2, 3, 5, 32, 33, 63, 64, 0xc0, 0xff, 'x' };
	uint32_t seed = 1;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		uint8_t msg[512] = { 0 }, sound_rdata[256];
		ldns_rr *rr = NULL;
		uint8_t *wire = NULL;
		size_t len = 0;

		cr_assert(ldns_rr_new_frm_str(&rr, lines[i], 0, NULL, NULL) == LDNS_STATUS_OK);
		cr_assert(ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &len) == LDNS_STATUS_OK);
		uint16_t type = (uint16_t)ldns_rr_get_type(rr);
		size_t rdlen = len - 3 - DNS_RR_FIXED;
		memcpy(sound_rdata, wire + 3 + DNS_RR_FIXED, rdlen);
		for (unsigned n = 0; n < 20000; n++) {
			memcpy(msg + 40, sound_rdata, rdlen);
			for (unsigned k = next_random(&seed) % 4; k > 0; k--)
				msg[40 + next_random(&seed) % (rdlen + 8)] =
					likely[next_random(&seed) % ARRAY_LEN(likely)];
			size_t said = n % 3 ? rdlen : next_random(&seed) % (rdlen + 9);
			size_t there = n % 7 ? 40 + said : 40 + next_random(&seed) % (said + 1);

			expect_both_alike(type, msg, there, said);
		}
		free(wire);
		ldns_rr_free(rr);
	}
}

/* Names of the longest length, and one octet beyond. */
Test(dns_rdata, short_cuts_know_how_long_a_name_may_be)
{
	static const struct {
		uint16_t type;
		size_t head;
	} types[] = {
		{ DNS_TYPE_NS, 0 }, { DNS_TYPE_MX, 2 }, { DNS_TYPE_SRV, 6 }, { DNS_TYPE_RRSIG, 18 }
	};
	uint8_t msg[512];

	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		const size_t head = types[t].head;

		for (size_t last = 58; last <= 63; last++) {
			size_t at = 40 + head;

			memset(msg, 1, sizeof msg);
			for (unsigned i = 0; i < 3; i++, at += 64)
				msg[at] = 63;
			msg[at] = (uint8_t)last;
			msg[at + last + 1] = 0;
			expect_both_alike(types[t].type, msg, sizeof msg, at + last + 2 - 40);
		}
	}
}
