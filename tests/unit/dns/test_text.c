/* tests/unit/dns/test_text.c - RDATA in presentation form reads back as the octets that it was. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"
#include "dns/rdata.h"
#include "dns/text.h"

TestSuite(dns_text, .timeout = 20);

typedef struct octets {
	uint16_t type;
	size_t len;
	uint8_t octets[65535];
} octets_t;

/* ldns's reading of "TYPE WORDS"; false: it can't. */
static bool read_words(const char *type, const char *words, octets_t *out)
{
	char *line = NULL;
	uint8_t *wire = NULL;
	ldns_rr *rr = NULL;
	size_t len = 0;

	cr_assert(asprintf(&line, ". 0 IN %s %s", type, words) > 0);
	bool good = ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK;
	free(line);
	if (!good)
		return false;
	cr_assert(eq(int, ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &len), LDNS_STATUS_OK));
	out->type = ldns_rr_get_type(rr);
	out->len = len - 11;
	memcpy(out->octets, wire + 11, out->len);
	free(wire);
	ldns_rr_free(rr);
	return true;
}

/* The form of RFC 3597 5, which ldns does not read for RDATA of a known type that is not sound. */
static bool read_hex(const char *text, octets_t *out)
{
	char *at;

	out->len = strtoul(text + 3, &at, 10);
	for (size_t i = 0; i < out->len; i++) {
		unsigned octet;

		if (sscanf(at + (i == 0), "%2x", &octet) != 1)
			return false;
		out->octets[i] = (uint8_t)octet;
		at += 2 + (i == 0);
	}
	return *at == '\0';
}

static const struct {
	const char *type, *words; /* what goes in */
	const char *want;         /* what comes out; NULL: the same */
} records[] = {
	{ "A", "192.0.2.1", NULL },
	{ "AAAA", "2001:db8::1", NULL },
	{ "NS", "ns1.example.", NULL },
	{ "CNAME", ".", NULL },
	{ "MX", "10 mail.example.", NULL },
	{ "SOA", "ns1.example. host\\.master.example. 7 3600 600 86400 300", NULL },
	{ "TXT", "\"one\" \"two words\"", NULL },
	{ "TXT", "\"a \\\"quote\\\" and a \\\\\"", NULL },
	{ "TXT", "\"\"", NULL },
	{ "TXT", "\"\\000\\255\\010\"", NULL },
	{ "SRV", "1 2 5060 sip.example.", NULL },
	{ "PTR", "\\000\\255\\.\\;\\\"\\@\\$\\(.example.", NULL },
	{ "DNAME", "a\\032b.example.", NULL },
	{ "NS", "#%&'+=.x-_*/9.", "\\035\\037\\038\\039\\043\\061.x-_*/9." },
	{ "CAA", "0 issue \"ca.example.net\"", NULL },
	{ "DS", "12345 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
	  NULL },
	{ "NSEC", "b.example. A NS RRSIG NSEC TYPE65280", NULL },
	{ "NSEC3PARAM", "1 0 5 -", NULL },
	{ "NSEC3", "1 1 0 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG", NULL },
	{ "NAPTR", "100 50 \"s\" \"z3950+I2L+I2C\" \"\" _z3950._tcp.example.", NULL },
	{ "SSHFP", "4 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", NULL },
	{ "WKS", "192.0.2.1 tcp 25", "\\# 9 c00002010600000040" },
	{ "TYPE65280", "\\# 4 deadbeef", NULL },
	{ "TYPE65280", "\\# 0", NULL },
	{ "TYPE10", "\\# 3 010203", NULL },
	{ "TYPE42", "\\# 8 00010803c0000200", "\\# 8 00010803c0000200" },
};

Test(dns_text, writes_what_zone_files_have)
{
	dns_text_t *t = dns_text_new();
	static octets_t in;

	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		const char *want = records[i].want ? records[i].want : records[i].words, *got;

		cr_assert(read_words(records[i].type, records[i].words, &in), "%s",
		          records[i].words);
		got = dns_text_rdata(t, in.type, in.octets, in.len);
		cr_assert(got != NULL);
		cr_expect(strcmp(got, want) == 0, "%s: %s, not %s", records[i].type, got, want);
	}
	dns_text_free(t);
}

/* Would dns_rr_read() let it in as it is? */
static bool is_sound(uint16_t type, const uint8_t *rdata, size_t len)
{
	static uint8_t out[65535];
	buf_t b = buf_over(rdata, len);
	size_t out_len;

	return dns_rdata_read(&b, type, len, out, &out_len) == ST_OK && out_len == len &&
	       memcmp(out, rdata, len) == 0;
}

/* Types with and without words; what is not sound comes out as one line all the same. */
Test(dns_text, reads_back_whatever_the_octets_are)
{
	dns_text_t *t = dns_text_new();
	static octets_t back;
	uint64_t x = 88172645463325252u;
	unsigned words = 0;

	for (unsigned n = 0; n < 200000; n++) {
		uint8_t rdata[40];
		uint16_t type;
		const char *got;
		char name[16];

		for (size_t i = 0; i < sizeof rdata; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			rdata[i] = (uint8_t)(n % 3 == 0 ? x >> 24 & 3 : x >> 24);
		}
		type = (uint16_t)(1 + x % 270);
		/* Meta types are in no zone. */
		if ((type >= 128 && type < 256) || type == LDNS_RR_TYPE_OPT)
			continue;
		size_t len = (size_t)(x >> 40) % sizeof rdata;
		got = dns_text_rdata(t, type, rdata, len);
		cr_assert(got != NULL);
		cr_assert(strpbrk(got, "\n\r\t") == NULL);
		if (!is_sound(type, rdata, len))
			continue;
		words += got[0] != '\\' || got[1] != '#';
		snprintf(name, sizeof name, "TYPE%u", type);
		cr_assert(strncmp(got, "\\# ", 3) == 0 ? read_hex(got, &back)
		                                       : read_words(name, got, &back),
		          "type %u: %s", type, got);
		cr_assert(back.len == len && memcmp(back.octets, rdata, len) == 0, "type %u: %s",
		          type, got);
	}
	cr_expect(gt(uint, words, 1000), "most have words: %u", words);
	dns_text_free(t);
}

Test(dns_text, loses_no_octets_behind_the_fields_of_a_known_type)
{
	static const struct {
		uint16_t type;
		const char *octets;
		size_t len;
		const char *want;
	} longer[] = {
		{ LDNS_RR_TYPE_A, "\300\0\2\1\7", 5, "\\# 5 C000020107" },
		{ LDNS_RR_TYPE_MX, "\0\1\0\7", 4, "\\# 4 00010007" },
		{ LDNS_RR_TYPE_NS, "\1n\0\0", 4, "\\# 4 016E0000" },
		{ LDNS_RR_TYPE_DS, "\0\1\10\2", 4, "\\# 4 00010802" },
	};
	dns_text_t *t = dns_text_new();

	for (size_t i = 0; i < ARRAY_LEN(longer); i++) {
		const char *got = dns_text_rdata(t, longer[i].type,
		                                 (const uint8_t *)longer[i].octets, longer[i].len);

		cr_assert(got != NULL);
		cr_expect(strcasecmp(got, longer[i].want) == 0, "%s, not %s", got, longer[i].want);
	}
	dns_text_free(t);
}

Test(dns_text, has_room_for_the_longest_of_all)
{
	dns_text_t *t = dns_text_new();
	static uint8_t rdata[65535];
	const char *got;

	memset(rdata, 0xff, sizeof rdata);
	got = dns_text_rdata(t, 65280, rdata, sizeof rdata);
	cr_assert(eq(sz, strlen(got), strlen("\\# 65535 ") + 2 * sizeof rdata));
	for (size_t i = 0; i + 256 <= sizeof rdata; i += 256)
		rdata[i] = 255;
	rdata[65280] = 254;
	got = dns_text_rdata(t, LDNS_RR_TYPE_TXT, rdata, sizeof rdata);
	cr_assert(got != NULL && *got == '"');
	cr_expect(eq(sz, strlen(got), (size_t)255 * 1022 + 255 + 254 * 4 + 2));
	dns_text_free(t);
}
