/* tests/unit/dns/test_query.c - what the options of a query's OPT ask for, and broken ones.
 *
 * An OPT's RDATA is written in hex, "|" between options is for the eye. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/query.h"
#include "dns/wire.h"

TestSuite(dns_query, .timeout = 5);

#define CLIENT  "0102030405060708"
#define SERVER  "010000005cf79f111f8130c3eee29480"
#define ALL     (DNS_WANTS_NSID | DNS_WANTS_EXPIRE | DNS_WANTS_COOKIE | DNS_WANTS_ZONEVERSION)
#define NOTHING 0, 0

static const struct {
	const char *why, *rdata;
	dns_query_kind_t kind;
	unsigned wants, cookie_len;
} options[] = {
	{ "none", "", DNS_QUERY_ASK, NOTHING },
	{ "NSID", "00030000", DNS_QUERY_ASK, DNS_WANTS_NSID, 0 },
	{ "NSID with a payload, which is not ours to judge", "00030002 abcd", DNS_QUERY_ASK,
	  DNS_WANTS_NSID, 0 },
	{ "EXPIRE", "00090000", DNS_QUERY_ASK, DNS_WANTS_EXPIRE, 0 },
	{ "a client's cookie", "000a0008" CLIENT, DNS_QUERY_ASK, DNS_WANTS_COOKIE, 8 },
	{ "a client's and a server's", "000a0018" CLIENT SERVER, DNS_QUERY_ASK, DNS_WANTS_COOKIE,
	  24 },
	{ "the shortest server's cookie", "000a0010" CLIENT CLIENT, DNS_QUERY_ASK, DNS_WANTS_COOKIE,
	  16 },
	{ "the longest one", "000a0028" CLIENT SERVER SERVER, DNS_QUERY_ASK, DNS_WANTS_COOKIE, 40 },
	{ "no cookie in it", "000a0000", DNS_QUERY_FORMERR, NOTHING },
	{ "seven octets of a client's", "000a0007 01020304050607", DNS_QUERY_FORMERR, NOTHING },
	{ "nine octets", "000a0009" CLIENT "09", DNS_QUERY_FORMERR, NOTHING },
	{ "fifteen octets", "000a000f" CLIENT "01020304050607", DNS_QUERY_FORMERR, NOTHING },
	{ "forty-one octets", "000a0029" CLIENT SERVER SERVER "00", DNS_QUERY_FORMERR, NOTHING },
	{ "two cookies: the first counts", "000a0018" CLIENT SERVER "|000a0008" CLIENT,
	  DNS_QUERY_ASK, DNS_WANTS_COOKIE, 24 },
	{ "two cookies: the second is not looked at", "000a0008" CLIENT "|000a0001 00",
	  DNS_QUERY_ASK, DNS_WANTS_COOKIE, 8 },
	{ "ZONEVERSION", "00130000", DNS_QUERY_ASK, DNS_WANTS_ZONEVERSION, 0 },
	{ "ZONEVERSION with a version", "00130006 0200 00000007", DNS_QUERY_FORMERR, NOTHING },
	{ "keepalive over UDP is nothing", "000b0000", DNS_QUERY_ASK, NOTHING },
	{ "keepalive with a time over UDP is nothing either", "000b0002 0064", DNS_QUERY_ASK,
	  NOTHING },
	{ "unknown ones, padding and client subnet among them",
	  "000c0004 00000000|00080007 00011800 c00002|fde90000|ffff0001 00", DNS_QUERY_ASK,
	  NOTHING },
	{ "an extended error in a query is nothing", "000f0002 0014", DNS_QUERY_ASK, NOTHING },
	{ "all at once, twice", "00030000|00090000|000a0008" CLIENT "|00130000|00030000|00130000",
	  DNS_QUERY_ASK, ALL, 8 },
	{ "half a code", "00", DNS_QUERY_FORMERR, NOTHING },
	{ "a code alone", "0003", DNS_QUERY_FORMERR, NOTHING },
	{ "half a length", "000300", DNS_QUERY_FORMERR, NOTHING },
	{ "a length past the end", "00030001", DNS_QUERY_FORMERR, NOTHING },
	{ "an unknown one past the end", "ffffffff 00", DNS_QUERY_FORMERR, NOTHING },
	{ "a good one, then one past the end", "00030000|000a0010" CLIENT, DNS_QUERY_FORMERR,
	  NOTHING },
	{ "a good one, then half a code", "000a0008" CLIENT "|00", DNS_QUERY_FORMERR, NOTHING },
};

static size_t unhex(const char *text, uint8_t *out)
{
	size_t digits = 0;
	char pair[3] = { 0 };

	for (; *text; text++) {
		if (*text == ' ' || *text == '|')
			continue;
		pair[digits++ % 2] = *text;
		if (digits % 2 == 0)
			out[digits / 2 - 1] = (uint8_t)strtoul(pair, NULL, 16);
	}
	cr_assert(eq(sz, digits % 2, 0));
	return digits / 2;
}

/* A query for the root's SOA, or for nothing. */
static size_t query(uint8_t *msg, unsigned flags, unsigned questions, unsigned version,
                    const char *rdata)
{
	bufw_t w = bufw_over(msg, 512);
	uint8_t octets[256];
	size_t len = unhex(rdata, octets);

	bufw_u32(&w, 0x12340000 | flags);
	bufw_u16(&w, questions);
	bufw_u32(&w, 0);
	bufw_u16(&w, 1);
	for (unsigned i = 0; i < questions; i++)
		bufw_bytes(&w, "\0\0\6\0\1", 5);
	bufw_u8(&w, 0);
	bufw_u16(&w, DNS_TYPE_OPT);
	bufw_u16(&w, 1400);
	bufw_u32(&w, version << 16 | DNS_OPT_DO);
	bufw_u16(&w, (unsigned)len);
	bufw_bytes(&w, octets, len);
	return w.pos;
}

/* From memory of exactly its length, so that ASan sees a read behind it. */
static void read_exactly(const uint8_t *msg, size_t len, bool stream, dns_query_t *q,
                         uint8_t **kept)
{
	*kept = malloc(len);
	memcpy(*kept, msg, len);
	dns_query_read(*kept, len, stream, q);
}

Test(dns_query, takes_from_the_options_what_we_know)
{
	uint8_t msg[512], *kept;
	dns_query_t q;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		size_t len = query(msg, 0, 1, 0, options[i].rdata);

		read_exactly(msg, len, false, &q, &kept);
		cr_expect(eq(int, q.kind, options[i].kind), "%s", options[i].why);
		cr_expect(eq(int, q.wants, options[i].wants), "%s", options[i].why);
		cr_expect(q.has_opt && q.dnssec_ok && q.payload == 1400, "%s: the OPT counts",
		          options[i].why);
		if (q.wants & DNS_WANTS_COOKIE) {
			cr_expect(eq(int, q.cookie_len, options[i].cookie_len), "%s",
			          options[i].why);
			cr_expect(memcmp(kept + q.cookie_at, "\1\2\3\4\5\6\7\10", 8) == 0, "%s",
			          options[i].why);
		}
		free(kept);
	}
}

static const struct {
	const char *why, *rdata;
	bool stream;
	dns_query_kind_t kind;
	unsigned wants;
} keepalives[] = {
	{ "over TCP", "000b0000", true, DNS_QUERY_ASK, DNS_WANTS_KEEPALIVE },
	{ "over TCP with a time in it", "000b0002 0064", true, DNS_QUERY_FORMERR, 0 },
	{ "over TCP with an octet in it", "000b0001 00", true, DNS_QUERY_FORMERR, 0 },
	{ "over UDP", "000b0000", false, DNS_QUERY_ASK, 0 },
};

Test(dns_query, knows_keepalive_on_streams_alone)
{
	uint8_t msg[512], *kept;
	dns_query_t q;

	for (size_t i = 0; i < ARRAY_LEN(keepalives); i++) {
		size_t len = query(msg, 0, 1, 0, keepalives[i].rdata);

		read_exactly(msg, len, keepalives[i].stream, &q, &kept);
		cr_expect(eq(int, q.kind, keepalives[i].kind), "%s", keepalives[i].why);
		cr_expect(eq(int, q.wants, keepalives[i].wants), "%s", keepalives[i].why);
		free(kept);
	}
}

/* A query for the root's SOA with so many records in each section but the first: A, or OPT, or TSIG
 * (t), all without data. */
static const struct {
	const char *why, *answer, *authority, *additional;
	dns_query_kind_t kind;
	size_t tsig_at;
} signeds[] = {
	{ "none", "", "", "o", DNS_QUERY_ASK, 0 },
	{ "alone", "", "", "t", DNS_QUERY_ASK, 17 },
	{ "behind the OPT", "", "", "ot", DNS_QUERY_ASK, 28 },
	{ "behind others", "a", "aa", "aot", DNS_QUERY_ASK, 72 },
	{ "before the OPT", "", "", "to", DNS_QUERY_FORMERR, 0 },
	{ "before another", "", "", "ta", DNS_QUERY_FORMERR, 0 },
	{ "twice", "", "", "tt", DNS_QUERY_FORMERR, 0 },
	{ "among answers", "t", "", "", DNS_QUERY_FORMERR, 0 },
	{ "among authorities", "", "t", "", DNS_QUERY_FORMERR, 0 },
	{ "at both ends", "t", "", "t", DNS_QUERY_FORMERR, 0 },
};

Test(dns_query, notes_a_tsig_that_is_the_last_record)
{
	for (size_t i = 0; i < ARRAY_LEN(signeds); i++) {
		const char *sections[] = { signeds[i].answer, signeds[i].authority,
			                   signeds[i].additional };
		uint8_t msg[512], *kept;
		bufw_t w = bufw_over(msg, sizeof msg);
		dns_query_t q;

		bufw_u32(&w, 0x12340000);
		bufw_u16(&w, 1);
		for (size_t s = 0; s < ARRAY_LEN(sections); s++)
			bufw_u16(&w, (unsigned)strlen(sections[s]));
		bufw_bytes(&w, "\0\0\6\0\1", 5);
		for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
			for (const char *p = sections[s]; *p; p++) {
				bufw_u8(&w, 0);
				bufw_u16(&w, *p == 't'   ? DNS_TYPE_TSIG
				             : *p == 'o' ? DNS_TYPE_OPT
				                         : DNS_TYPE_A);
				bufw_u16(&w, *p == 't' ? DNS_CLASS_ANY : 1232);
				bufw_u32(&w, 0);
				bufw_u16(&w, 0);
			}
		}
		read_exactly(msg, w.pos, false, &q, &kept);
		cr_expect(eq(int, q.kind, signeds[i].kind), "%s", signeds[i].why);
		cr_expect(eq(sz, q.tsig_at, signeds[i].tsig_at), "%s", signeds[i].why);
		free(kept);
	}
}

static const struct {
	const char *why;
	unsigned flags, questions, version;
	const char *rdata;
	dns_query_kind_t kind;
	unsigned wants;
} odd[] = {
	{ "a cookie and no question", 0, 0, 0, "000a0008" CLIENT, DNS_QUERY_COOKIE,
	  DNS_WANTS_COOKIE },
	{ "other options beside it", 0, 0, 0, "00030000|000a0018" CLIENT SERVER, DNS_QUERY_COOKIE,
	  DNS_WANTS_COOKIE | DNS_WANTS_NSID },
	{ "neither question nor cookie", 0, 0, 0, "00030000", DNS_QUERY_FORMERR, 0 },
	{ "a broken cookie and no question", 0, 0, 0, "000a0009" CLIENT "00", DNS_QUERY_FORMERR,
	  0 },
	{ "a NOTIFY of nothing with a cookie", 0x2000, 0, 0, "000a0008" CLIENT, DNS_QUERY_FORMERR,
	  0 },
	{ "a NOTIFY with a cookie", 0x2000, 1, 0, "000a0008" CLIENT, DNS_QUERY_NOTIFY,
	  DNS_WANTS_COOKIE },
	{ "two questions and a cookie", 0, 2, 0, "000a0008" CLIENT, DNS_QUERY_FORMERR, 0 },
	{ "options of EDNS 1 may be anything", 0, 1, 1, "000a0001 00", DNS_QUERY_BADVERS, 0 },
	{ "options of EDNS 1 need not even be framed", 0, 1, 1, "00", DNS_QUERY_BADVERS, 0 },
	{ "EDNS 1 without a question", 0, 0, 1, "000a0008" CLIENT, DNS_QUERY_BADVERS, 0 },
};

Test(dns_query, takes_a_cookie_for_a_question)
{
	uint8_t msg[512], *kept;
	dns_query_t q;

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		size_t len =
			query(msg, odd[i].flags, odd[i].questions, odd[i].version, odd[i].rdata);

		read_exactly(msg, len, false, &q, &kept);
		cr_expect(eq(int, q.kind, odd[i].kind), "%s", odd[i].why);
		cr_expect(eq(int, q.wants, odd[i].wants), "%s", odd[i].why);
		free(kept);
	}
}
