/* tests/unit/xfr/test_axfr.c - the verdict on streams of messages, without sockets.
 *
 * The shorthand is told in support/stream.h. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

#include "common/buf.h"
#include "dns/wire.h"
#include "tests/unit/xfr/support/stream.h"
#include "xfr/axfr.h"
#include "zone/build.h"
#include "zone/version.h"

TestSuite(xfr_axfr, .timeout = 20);

static const siphash_key_t key = { 1, 2 };
static const zone_limits_t roomy = {
	.max_records = 100000, .max_bytes = 100000000, .max_rrset = 10000, .max_rrsets = 100
};

typedef struct rig {
	zone_limits_t limits;
	xfr_stream_t *stream;
	zone_build_t *build;
	xfr_axfr_t *axfr;
	char why[XFR_WHY_TEXT_MAX];
} rig_t;

static rig_t *rig_new(const zone_limits_t *limits)
{
	dns_name_t apex = stream_apex();
	rig_t *r = calloc(1, sizeof *r);

	r->limits = *limits;
	r->stream = xfr_stream_new(&apex, DNS_TYPE_AXFR, STREAM_ID);
	r->build = zone_build_new(&key, &apex, limits);
	cr_assert(r->stream != NULL && r->build != NULL);
	r->axfr = xfr_axfr_new(r->stream, r->build, &r->limits);
	cr_assert(r->axfr != NULL);
	return r;
}

static void rig_free(rig_t *r)
{
	xfr_axfr_free(r->axfr);
	zone_build_free(r->build);
	xfr_stream_free(r->stream);
	free(r);
}

static char *why(rig_t *r)
{
	return (char *)xfr_why_text(&r->stream->why, r->why);
}

/* --- streams that are sound ------------------------------------------------------------------- */

static const struct {
	const char *why, *stream;
	uint64_t records; /* of the sealed zone */
	uint64_t outside, duplicates;
} sound[] = {
	{ "all in one message", "S5 ns a b c S5", 5, 0, 0 },
	{ "a record per message", "S5 | ns | a | b | c | S5", 5, 0, 0 },
	{ "two by two", "S5 ns | a b | c S5", 5, 0, 0 },
	{ "the SOA alone in front", "S5 | ns a b c S5", 5, 0, 0 },
	{ "the SOA alone at the end", "S5 ns a b c | S5", 5, 0, 0 },
	{ "no question but in the first", "S5 ns | - a b | - c S5", 5, 0, 0 },
	{ "question in some", "S5 ns | - a | b | - c | S5", 5, 0, 0 },
	{ "an empty message between", "S5 ns | - | a b c S5", 5, 0, 0 },
	{ "serial 0", "S0 ns a S0", 3, 0, 0 },
	{ "serial 2^32-1", "S4294967295 ns a S4294967295", 3, 0, 0 },
	{ "closing SOA in other case", "S5 ns a S5up", 3, 0, 0 },
	{ "opening SOA in other case", "S5up ns a S5", 3, 0, 0 },
	{ "duplicates", "S5 ns a a | a S5", 3, 0, 2 },
	{ "records out of the zone", "S5 ns out a out S5", 3, 2, 0 },
	{ "names compressed in RDATA", "S5 ns mx a S5", 4, 0, 0 },
	{ "the same in a type of RFC 3597 4", "S5 ns srv a S5", 4, 0, 0 },
	{ "RDATA of 60,000 octets", "S5 ns | big | S5", 3, 0, 0 },
	{ "a SOA and nothing else", "S5 S5", 1, 0, 0 },
	{ "records in authority", "N S5 ns | N a S5", 3, 0, 0 },
	{ "OPT in each message", "E:0 S5 ns | E:0 a S5", 3, 0, 0 },
	{ "an OPT that the header does not count", "S5 ns | O a S5", 3, 0, 0 },
};

Test(xfr_axfr, takes_every_grouping_of_a_sound_zone)
{
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		rig_t *r = rig_new(&roomy);
		zone_version_t *v = NULL;

		cr_expect(eq(int, stream_feed(r->axfr, sound[i].stream), XFR_DONE), "%s: %s",
		          sound[i].why, why(r));
		cr_expect(eq(str, why(r), (char *)""), "%s", sound[i].why);
		cr_assert(eq(int, zone_build_seal(r->build, &v), ST_OK), "%s", sound[i].why);
		cr_expect(eq(u64, zone_version_records(v), sound[i].records), "%s", sound[i].why);
		cr_expect(eq(u64, zone_build_stats(r->build)->outside, sound[i].outside), "%s",
		          sound[i].why);
		cr_expect(eq(u64, zone_build_stats(r->build)->duplicates, sound[i].duplicates),
		          "%s", sound[i].why);
		zone_version_free(v);
		rig_free(r);
	}
}

static const struct {
	const char *why, *stream;
} unfinished[] = {
	{ "the SOA alone", "S5" },
	{ "no closing SOA", "S5 ns a b" },
	{ "cut between messages", "S5 ns | a | b" },
};

Test(xfr_axfr, wants_more_until_the_closing_soa)
{
	for (size_t i = 0; i < ARRAY_LEN(unfinished); i++) {
		rig_t *r = rig_new(&roomy);

		cr_expect(eq(int, stream_feed(r->axfr, unfinished[i].stream), XFR_MORE), "%s: %s",
		          unfinished[i].why, why(r));
		rig_free(r);
	}
}

/* --- streams that are not --------------------------------------------------------------------- */

static const struct {
	const char *why, *stream, *words, *detail;
} unsound[] = {
	{ "no answer in the first message", "N", "empty answer", "" },
	{ "first record is no SOA", "ns S5 a S5",
	  "begins with something other than the SOA: NS record", "example. NS" },
	{ "first SOA is not the zone's", "s5 ns a s5",
	  "begins with something other than the SOA: SOA record", "sub.example. SOA" },
	{ "another closing serial", "S8 ns a S7", "closing SOA has serial 7, opening one 8", "" },
	{ "another closing RNAME", "S5 ns a S5odd", "closing SOA differs from the opening one",
	  "" },
	{ "records after the end", "S5 ns a S5 b", "records after the closing SOA", "" },
	{ "a third SOA", "S5 ns a S5 S5", "records after the closing SOA", "" },
	{ "a zone within a zone", "S5 ns S5 S6 ns S6", "records after the closing SOA", "" },
	{ "SOA below the apex", "S5 ns s5 a S5", "no zone can hold it: SOA record",
	  "sub.example. SOA" },
	{ "class CH", "S5 ns ch S5", "no zone can hold it: A record", "ch.example. A" },
	{ "OPT among the answers", "S5 opt S5", "no zone can hold it: OPT record",
	  "opt.example. OPT" },
	{ "type ANY", "S5 any S5", "no zone can hold it: TYPE255 record", "any.example. TYPE255" },
	{ "type TSIG", "S5 tsig S5", "malformed: TSIG record", "tsig.example. TSIG" },
	{ "type AXFR", "S5 axfr S5", "no zone can hold it: TYPE252 record",
	  "axfr.example. TYPE252" },
	{ "NSEC3 at no hash", "S5 n3 S5", "no zone can hold it: NSEC3 record",
	  "nothash.example. NSEC3" },
	{ "RDATA too short", "S5 ns short S5", "malformed: A record", "short.example. A" },
	{ "pointer in a DNAME target", "S5 dname S5", "malformed: DNAME record",
	  "to.example. DNAME" },
	{ "owner points forward", "S5 ns | fwd S5", "unreadable record 3 in message 2", "" },
	{ "RDLENGTH past the end", "S5 ns cut", "unreadable record 3 in message 1", "" },
	{ "fewer records than counted", "A+1 S5 ns", "unreadable record 3 in message 1", "" },
	{ "junk behind the records", "S5 ns | J a S5", "1 octets behind the last record", "" },
	{ "junk behind such an OPT", "S5 ns | O J a S5", "12 octets behind the last record", "" },
	{ "no question in the first", "- S5 ns a S5", "message has 0 questions", "" },
	{ "two questions", "Q:two S5 ns a S5", "message has 2 questions", "" },
	{ "two questions later", "S5 ns | Q:two a S5", "message has 2 questions", "" },
	{ "question of another type", "Q:soa S5 ns a S5", "message answers another question", "" },
	{ "question of another class", "Q:ch S5 ns a S5", "message answers another question", "" },
	{ "question for another zone", "Q:other S5 ns a S5", "message answers another question",
	  "" },
	{ "another question later", "S5 ns | Q:other a S5", "message answers another question",
	  "" },
	{ "extended rcode", "S5 ns | E:16 a S5", "answered BADVERS", "" },
};

Test(xfr_axfr, says_why_a_stream_is_bad)
{
	for (size_t i = 0; i < ARRAY_LEN(unsound); i++) {
		rig_t *r = rig_new(&roomy);

		cr_expect(eq(int, stream_feed(r->axfr, unsound[i].stream), XFR_BAD), "%s",
		          unsound[i].why);
		cr_expect(eq(str, why(r), (char *)unsound[i].words), "%s", unsound[i].why);
		cr_expect(eq(str, r->stream->detail, (char *)unsound[i].detail), "%s",
		          unsound[i].why);
		rig_free(r);
	}
}

/* --- headers ---------------------------------------------------------------------------------- */

/* The header's second word, in message 1 and in message 2. */
static const struct {
	const char *why;
	unsigned flags;
	const char *words; /* NULL: sound */
} headers[] = {
	{ "AA clear", 0x8000, NULL },
	{ "RD, RA, Z, AD, CD set", 0x85f0, NULL },
	{ "QR clear", 0x0400, "message is a query (QR clear)" },
	{ "opcode NOTIFY", 0xa400, "message has opcode 4" },
	{ "TC set", 0x8600, "message is truncated (TC set)" },
	{ "FORMERR", 0x8401, "answered FORMERR" },
	{ "SERVFAIL", 0x8402, "answered SERVFAIL" },
	{ "REFUSED", 0x8405, "answered REFUSED" },
	{ "NOTAUTH", 0x8409, "answered NOTAUTH" },
};

/* Feed "S5 ns" and "a S5", with the header of message number `at` given these octets. */
static xfr_verdict_t feed_patched(rig_t *r, size_t at, uint16_t id, unsigned flags)
{
	const char *words = "S5 ns | a S5";
	uint8_t msg[STREAM_ROOM];
	xfr_verdict_t verdict = XFR_MORE;
	size_t len;

	for (size_t n = 1; verdict == XFR_MORE && (len = stream_message(&words, STREAM_ID, msg));
	     n++) {
		if (n == at) {
			put_u16(msg, id);
			put_u16(msg + 2, flags);
		}
		verdict = xfr_axfr_feed(r->axfr, msg, len);
	}
	return verdict;
}

Test(xfr_axfr, checks_the_header_of_every_message)
{
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		for (size_t at = 1; at <= 2; at++) {
			rig_t *r = rig_new(&roomy);
			xfr_verdict_t got = feed_patched(r, at, STREAM_ID, headers[i].flags);

			cr_expect(eq(int, got, headers[i].words ? XFR_BAD : XFR_DONE), "%s in %zu",
			          headers[i].why, at);
			cr_expect(
				eq(str, why(r), (char *)(headers[i].words ? headers[i].words : "")),
				"%s in %zu", headers[i].why, at);
			rig_free(r);
		}
	}
}

Test(xfr_axfr, tells_a_refusal_from_nonsense)
{
	rig_t *r = rig_new(&roomy);

	cr_expect(eq(int, feed_patched(r, 1, STREAM_ID, 0x8405), XFR_BAD));
	cr_expect(eq(int, xfr_why_kind(&r->stream->why), XFR_WHY_OF_ANSWER));
	rig_free(r);
	r = rig_new(&roomy);
	cr_expect(eq(int, feed_patched(r, 1, STREAM_ID, 0x8600), XFR_BAD));
	cr_expect(eq(int, xfr_why_kind(&r->stream->why), XFR_WHY_OF_DATA));
	rig_free(r);
}

Test(xfr_axfr, wants_the_id_of_the_query_in_every_message)
{
	for (size_t at = 1; at <= 2; at++) {
		rig_t *r = rig_new(&roomy);

		cr_expect(eq(int, feed_patched(r, at, 77, 0x8400), XFR_BAD));
		cr_expect(eq(str, why(r), (char *)"message has id 77, the query 16962"));
		rig_free(r);
	}
}

Test(xfr_axfr, takes_no_message_that_is_cut_anywhere)
{
	const char *words = "E:0 N S5 ns mx a S5";
	uint8_t msg[STREAM_ROOM];
	size_t whole = stream_message(&words, STREAM_ID, msg);

	for (size_t len = 0; len < whole; len++) {
		rig_t *r = rig_new(&roomy);
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, msg, len);
		cr_expect(eq(int, xfr_axfr_feed(r->axfr, exact, len), XFR_BAD), "%zu octets", len);
		free(exact);
		rig_free(r);
	}
}

/* --- limits ----------------------------------------------------------------------------------- */

Test(xfr_axfr, stops_at_the_limit_of_records)
{
	const zone_limits_t narrow = {
		.max_records = 4, .max_bytes = 1000000, .max_rrset = 100, .max_rrsets = 100
	};
	rig_t *r = rig_new(&narrow);

	cr_expect(eq(int, stream_feed(r->axfr, "S5 ns a b S5"), XFR_DONE));
	rig_free(r);
	r = rig_new(&narrow);
	cr_expect(eq(int, stream_feed(r->axfr, "S5 ns a | b c d S5"), XFR_BAD));
	cr_expect(eq(int, xfr_why_kind(&r->stream->why), XFR_WHY_OF_LIMIT));
	cr_expect(eq(str, why(r), (char *)"over max-records = 4"));
	rig_free(r);
}

Test(xfr_axfr, stops_an_endless_stream_of_what_it_drops)
{
	const zone_limits_t narrow = {
		.max_records = 50, .max_bytes = 1000000, .max_rrset = 100, .max_rrsets = 100
	};
	rig_t *r = rig_new(&narrow);
	xfr_verdict_t got = stream_feed(r->axfr, "S5 ns");

	for (int i = 0; i < 1000 && got == XFR_MORE; i++)
		got = stream_feed(r->axfr, i % 2 ? "out out" : "a a");
	cr_expect(eq(int, got, XFR_BAD));
	cr_expect(eq(int, xfr_why_kind(&r->stream->why), XFR_WHY_OF_LIMIT));
	rig_free(r);
}

Test(xfr_axfr, stops_an_endless_stream_of_messages_without_records)
{
	rig_t *r = rig_new(&roomy);
	xfr_verdict_t got = stream_feed(r->axfr, "S5 ns");

	for (int i = 0; i < 16; i++)
		got = stream_feed(r->axfr, "-");
	cr_expect(eq(int, got, XFR_MORE));
	cr_expect(eq(int, stream_feed(r->axfr, "a"), XFR_MORE), "a record begins the count anew");
	for (int i = 0; i < 1000 && got == XFR_MORE; i++)
		got = stream_feed(r->axfr, "-");
	cr_expect(eq(int, got, XFR_BAD));
	cr_expect(eq(str, why(r), (char *)"17 messages in a row without a record"));
	rig_free(r);
}

Test(xfr_axfr, stops_at_the_limit_of_octets)
{
	const zone_limits_t narrow = {
		.max_records = 1000, .max_bytes = 100000, .max_rrset = 100, .max_rrsets = 100
	};
	rig_t *r = rig_new(&narrow);

	cr_expect(eq(int, stream_feed(r->axfr, "S5 ns | big | big | S5"), XFR_BAD));
	cr_expect(eq(int, xfr_why_kind(&r->stream->why), XFR_WHY_OF_LIMIT));
	rig_free(r);
}

Test(xfr_axfr, does_not_mind_the_case_of_the_apex)
{
	dns_name_t folded = stream_apex(), written;
	zone_build_t *build = zone_build_new(&key, &folded, &roomy);
	xfr_stream_t *stream;
	xfr_axfr_t *axfr;

	cr_assert(eq(int, dns_name_from_text("EXAMPLE.", &written), ST_OK));
	stream = xfr_stream_new(&written, DNS_TYPE_AXFR, STREAM_ID);
	axfr = xfr_axfr_new(stream, build, &roomy);
	cr_expect(eq(int, stream_feed(axfr, "S5 ns a S5"), XFR_DONE));
	xfr_axfr_free(axfr);
	xfr_stream_free(stream);
	zone_build_free(build);
}

/* --- EXPIRE ----------------------------------------------------------------------------------- */

static const struct {
	const char *why, *stream;
	xfr_verdict_t want;
	bool has;
	uint32_t expire;
} expires[] = {
	{ "in the first message", "X:600 S5 ns | a S5", XFR_DONE, true, 600 },
	{ "in the last", "S5 ns | X:0 a S5", XFR_DONE, true, 0 },
	{ "the last one counts", "X:600 S5 ns | X:500 a S5", XFR_DONE, true, 500 },
	{ "without a value", "X: S5 ns | X: a S5", XFR_DONE, false, 0 },
	{ "OPT without it", "E:0 S5 ns | a S5", XFR_DONE, false, 0 },
	{ "cut", "X:cut S5 ns | a S5", XFR_BAD, false, 0 },
};

Test(xfr_axfr, reads_expire_out_of_opt)
{
	for (size_t i = 0; i < ARRAY_LEN(expires); i++) {
		rig_t *r = rig_new(&roomy);

		cr_expect(eq(int, stream_feed(r->axfr, expires[i].stream), expires[i].want), "%s",
		          expires[i].why);
		cr_expect(eq(int, r->stream->has_expire, expires[i].has), "%s", expires[i].why);
		cr_expect(eq(u32, r->stream->expire, expires[i].expire), "%s", expires[i].why);
		rig_free(r);
	}
}
