/* tests/unit/xfr/test_ixfr.c - the record streams of RFC 1995 4, without sockets.
 *
 * The shorthand is told in support/stream.h. What is held is "S3 ns a b" unless a row says
 * otherwise. Each stream comes in every grouping into messages: the verdict may not depend on it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "tests/unit/xfr/support/stream.h"
#include "xfr/work.h"

TestSuite(xfr_ixfr, .timeout = 60);

static const siphash_key_t key = { 1, 2 };
static const zone_limits_t roomy = {
	.max_records = 100000, .max_bytes = 100000000, .max_rrset = 10000, .max_rrsets = 100
};

static const char held[] = "S3 ns a b";

/* --- zones ------------------------------------------------------------------------------------ */

static xfr_verdict_t feed_work(void *work, const uint8_t *msg, size_t len)
{
	return xfr_work_feed(work, msg, len, (wall_t){ 0 });
}

/* The zone of these words, as AXFR brings it; the SOA is the first of them. */
static zone_version_t *zone(const char *words)
{
	const xfr_work_spec_t spec = {
		.key = &key, .apex = stream_apex(), .id = STREAM_ID, .limits = roomy
	};
	xfr_work_t *work = xfr_work_new(&spec);
	xfr_result_t result = { 0 };
	char stream[256];

	snprintf(stream, sizeof stream, "%s %.*s", words, (int)strcspn(words, " "), words);
	cr_assert(eq(int, stream_feed_to(work, feed_work, DNS_TYPE_AXFR, stream), XFR_DONE));
	xfr_work_finish(work, (wall_t){ 0 }, &result);
	xfr_work_free(work);
	cr_assert(result.version != NULL);
	return result.version;
}

static bool same_node(const zone_version_t *a, const zone_node_t *x, const zone_version_t *b,
                      const zone_node_t *y)
{
	dns_name_t name_x, name_y;
	zone_rrset_t s, t;

	zone_node_name(a, x, &name_x);
	zone_node_name(b, y, &name_y);
	if (!dns_name_equal(&name_x, &name_y) || zone_node_rrsets(x) != zone_node_rrsets(y))
		return false;
	bool more = zone_node_first(a, x, &s);
	(void)zone_node_first(b, y, &t);
	for (; more; more = zone_node_next(a, x, &s), (void)zone_node_next(b, y, &t)) {
		if (s.type != t.type || s.wire_len != t.wire_len ||
		    memcmp(s.wire, t.wire, s.wire_len) != 0)
			return false;
	}
	return true;
}

static bool same_zone(const zone_version_t *a, const zone_version_t *b)
{
	zone_walk_t *x = zone_walk_new(a, false), *y = zone_walk_new(b, false);
	const zone_node_t *m, *n;
	bool same = true;

	do {
		m = zone_walk_next(x);
		n = zone_walk_next(y);
		same = (m != NULL) == (n != NULL) && (!m || same_node(a, m, b, n));
	} while (same && m);
	zone_walk_free(x);
	zone_walk_free(y);
	return same && zone_version_records(a) == zone_version_records(b);
}

/* --- a transfer ------------------------------------------------------------------------------- */

typedef struct transfer {
	xfr_verdict_t verdict;
	bool undetermined;
	xfr_result_t result;
	char why[XFR_WHY_TEXT_MAX];
} transfer_t;

/* Feed the words over base; if the verdict is more, the connection closes behind them. */
static void transfer_past(const zone_version_t *base, const zone_limits_t *limits,
                          const zone_gates_t *gates, const char *words, transfer_t *t)
{
	const xfr_work_spec_t spec = {
		.key = &key,
		.apex = stream_apex(),
		.id = STREAM_ID,
		.limits = *limits,
		.gates = *gates,
		.held = zone_version_records(base),
		.base = base,
	};
	xfr_work_t *work = xfr_work_new(&spec);

	memset(t, 0, sizeof *t);
	t->verdict = stream_feed_to(work, feed_work, DNS_TYPE_IXFR, words);
	t->undetermined = xfr_work_undetermined(work);
	if (t->verdict == XFR_MORE) {
		t->result.why = xfr_why(XFR_WHY_CLOSED_EARLY, 0, 0);
		xfr_work_end(work, &t->result.why);
	} else {
		xfr_work_finish(work, (wall_t){ 0 }, &t->result);
	}
	xfr_work_free(work);
	xfr_why_text(&t->result.why, t->why);
}

static void transfer(const zone_version_t *base, const zone_limits_t *limits, const char *words,
                     transfer_t *t)
{
	transfer_past(base, limits, &(zone_gates_t){ .max_iterations = 2500 }, words, t);
}

enum { SEED = 19950808, GROUPINGS = 12 };

/* Grouping 0: as written; 1: a record per message; the others: drawn. */
static void group(const char *words, unsigned grouping, unsigned *seed, char out[512])
{
	size_t n = 0;

	for (; *words && n < 500; words++) {
		if (*words == ' ' && grouping > 0 && (grouping == 1 || rand_r(seed) % 2))
			n += (size_t)snprintf(out + n, 4, " | ");
		else
			out[n++] = *words;
	}
	out[n] = '\0';
}

/* --- streams that are sound ------------------------------------------------------------------- */

static const struct {
	const char *why, *stream;
	xfr_outcome_t outcome;
	const char *made; /* the zone that comes of it */
	xfr_ixfr_counts_t counts;
	const char *base; /* NULL: held */
} sound[] = {
	{ "one difference", "S5 S3 a S5 c S5", XFR_DIFFERENCE, "S5 ns b c", { 1, 1, 1 }, NULL },
	{ "two of them",
	  "S5 S3 a S4 c S4 b S5 d S5",
	  XFR_DIFFERENCE,
	  "S5 ns c d",
	  { 2, 2, 2 },
	  NULL },
	{ "nothing removed", "S5 S3 S5 c S5", XFR_DIFFERENCE, "S5 ns a b c", { 1, 0, 1 }, NULL },
	{ "nothing added", "S5 S3 a S5 S5", XFR_DIFFERENCE, "S5 ns b", { 1, 1, 0 }, NULL },
	{ "the serial alone", "S5 S3 S5 S5", XFR_DIFFERENCE, "S5 ns a b", { 1, 0, 0 }, NULL },
	{ "gone and back",
	  "S5 S3 a S4 S4 S5 a S5",
	  XFR_DIFFERENCE,
	  "S5 ns a b",
	  { 2, 1, 1 },
	  NULL },
	{ "come and gone",
	  "S5 S3 S4 c S4 c S5 S5",
	  XFR_DIFFERENCE,
	  "S5 ns a b",
	  { 2, 1, 1 },
	  NULL },
	{ "removed and added in one",
	  "S5 S3 a S5 a S5",
	  XFR_DIFFERENCE,
	  "S5 ns a b",
	  { 1, 1, 1 },
	  NULL },
	{ "condensed", "S900 S3 a S900 c S900", XFR_DIFFERENCE, "S900 ns b c", { 1, 1, 1 }, NULL },
	{ "three, one of them empty",
	  "S6 S3 a S4 S4 S5 S5 b S6 c d S6",
	  XFR_DIFFERENCE,
	  "S6 ns c d",
	  { 3, 2, 2 },
	  NULL },
	{ "over the edge",
	  "S2 S4294967295 a S1 c S1 b S2 d S2",
	  XFR_DIFFERENCE,
	  "S2 ns c d",
	  { 2, 2, 2 },
	  "S4294967295 ns a b" },
	{ "to serial 0",
	  "S0 S4294967295 a S0 c S0",
	  XFR_DIFFERENCE,
	  "S0 ns b c",
	  { 1, 1, 1 },
	  "S4294967295 ns a b" },
	{ "as far as serials reach",
	  "S2147483650 S3 a S2147483650 S2147483650",
	  XFR_DIFFERENCE,
	  "S2147483650 ns b",
	  { 1, 1, 0 },
	  NULL },
	{ "SOAs in other case",
	  "S5up S3up a S5 c S5",
	  XFR_DIFFERENCE,
	  "S5 ns b c",
	  { 1, 1, 1 },
	  NULL },
	{ "records out of the zone",
	  "S5 S3 out a S5 out c S5",
	  XFR_DIFFERENCE,
	  "S5 ns b c",
	  { 1, 2, 2 },
	  NULL },
	{ "the name servers go", "S5 S3 ns S5 S5", XFR_DIFFERENCE, "S5 a b", { 1, 1, 0 }, NULL },
	{ "all goes", "S5 S3 ns a b S5 S5", XFR_DIFFERENCE, "S5", { 1, 3, 0 }, NULL },
	{ "the whole zone", "S5 ns c S5", XFR_WHOLE, "S5 ns c", { 0, 0, 0 }, NULL },
	{ "the whole zone, twice a record",
	  "S5 ns c c S5",
	  XFR_WHOLE,
	  "S5 ns c",
	  { 0, 0, 0 },
	  NULL },
	{ "a zone of nothing but its SOA", "S5 S5", XFR_WHOLE, "S5", { 0, 0, 0 }, NULL },
	{ "a zone, its SOA in other case", "S5up c S5", XFR_WHOLE, "S5up c", { 0, 0, 0 }, NULL },
};

Test(xfr_ixfr, takes_every_grouping_of_what_is_sound)
{
	unsigned seed = SEED;

	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		zone_version_t *base = zone(sound[i].base ? sound[i].base : held);
		zone_version_t *want = zone(sound[i].made);

		for (unsigned g = 0; g < GROUPINGS; g++) {
			char stream[512];
			transfer_t t;

			group(sound[i].stream, g, &seed, stream);
			transfer(base, &roomy, stream, &t);
			cr_assert(eq(int, t.result.outcome, sound[i].outcome), "%s: %s: %s",
			          sound[i].why, stream, t.why);
			cr_expect(same_zone(t.result.version, want), "%s: %s", sound[i].why,
			          stream);
			cr_expect(eq(u32, t.result.soa.serial, zone_version_soa(want)->serial));
			cr_expect(memcmp(&t.result.counts, &sound[i].counts,
			                 sizeof t.result.counts) == 0,
			          "%s: %u, -%u +%u", sound[i].why, t.result.counts.diffs,
			          t.result.counts.removed, t.result.counts.added);
			cr_expect(eq(str, t.why, (char *)""), "%s", sound[i].why);
			zone_version_free(t.result.version);
		}
		zone_version_free(base);
		zone_version_free(want);
	}
}

/* --- streams that are not --------------------------------------------------------------------- */

static const struct {
	const char *why, *stream, *words, *detail;
} unsound[] = {
	{ "from a serial before ours", "S5 S2 a S5 c S5",
	  "differences start from serial 2, we hold 3", "" },
	{ "from a serial after ours", "S5 S4 a S5 c S5",
	  "differences start from serial 4, we hold 3", "" },
	{ "a gap", "S7 S3 a S5 c S6 S7 S7",
	  "a difference starts from serial 6, the one before led to 5", "" },
	{ "an overlap", "S7 S3 a S5 c S4 S7 S7",
	  "a difference starts from serial 4, the one before led to 5", "" },
	{ "they end too early", "S7 S3 a S5 c S7", "differences end with serial 5, announced was 7",
	  "" },
	{ "they end too late", "S5 S3 a S7 c S5", "differences end with serial 7, announced was 5",
	  "" },
	{ "backwards", "S5 S3 a S2 c S2 S5 S5", "a difference leads from serial 3 back to 2", "" },
	{ "to where it was", "S5 S3 a S3 c S3 S5 S5", "a difference leads from serial 3 back to 3",
	  "" },
	{ "half way round", "S5 S3 a S2147483651 S2147483651 S5 S5",
	  "a difference leads from serial 3 back to 2147483651", "" },
	{ "another SOA at the end", "S5 S3 a S5 c S5odd",
	  "closing SOA differs from the opening one", "" },
	{ "another SOA in front", "S5odd S3 a S5 c S5", "closing SOA differs from the opening one",
	  "" },
	{ "another SOA added", "S5 S3 a S5odd c S5",
	  "the SOA that the last difference adds is not the closing one", "" },
	{ "removes what is not there", "S5 S3 z S5 c S5", "removes what is not there: A record",
	  "z.example. A" },
	{ "removes it twice", "S5 S3 a a S5 c S5", "removes what is not there: A record",
	  "a.example. A" },
	{ "removes what the one before removed", "S6 S3 a S5 c S5 a S6 S6",
	  "removes what is not there: A record", "a.example. A" },
	{ "removes another type", "S5 S3 mx S5 c S5", "removes what is not there: MX record",
	  "example. MX" },
	{ "removes another SOA", "S5 S3odd a S5 c S5", "removes what is not there: SOA record",
	  "example. SOA" },
	{ "adds what is there", "S5 S3 S5 a S5", "adds what is there already: A record",
	  "a.example. A" },
	{ "adds it twice", "S5 S3 S5 c c S5", "adds what is there already: A record",
	  "c.example. A" },
	{ "begins without a SOA", "ns S5 S3 a S5 S5",
	  "begins with something other than the SOA: NS record", "example. NS" },
	{ "a SOA below the apex", "S5 S3 S5 s5 S5", "no zone can hold it: SOA record",
	  "sub.example. SOA" },
	{ "removes class CH", "S5 S3 ch S5 S5", "no zone can hold it: A record", "ch.example. A" },
	{ "adds OPT", "S5 S3 S5 opt S5", "no zone can hold it: OPT record", "opt.example. OPT" },
	{ "RDATA too short", "S5 S3 a S5 short S5", "malformed: A record", "short.example. A" },
	{ "a whole zone, ended otherwise", "S5 ns c S6", "closing SOA has serial 6, opening one 5",
	  "" },
	{ "nothing behind SOA(ours)", "S5 S3", "closed the connection before the closing SOA", "" },
	{ "cut in the removals", "S5 S3 a", "closed the connection before the closing SOA", "" },
	{ "cut behind them", "S5 S3 a S5", "closed the connection before the closing SOA", "" },
	{ "cut in the additions", "S5 S3 a S5 c", "closed the connection before the closing SOA",
	  "" },
	{ "cut between two", "S6 S3 a S5 c S5", "closed the connection before the closing SOA",
	  "" },
	{ "a whole zone cut", "S5 ns c", "closed the connection before the closing SOA", "" },
	{ "a newer SOA alone", "S5", "a single SOA with serial 5, newer than 3, and nothing behind",
	  "" },
};

Test(xfr_ixfr, says_why_a_stream_is_bad_in_every_grouping)
{
	zone_version_t *base = zone(held), *same = zone(held);
	unsigned seed = SEED;

	for (size_t i = 0; i < ARRAY_LEN(unsound); i++) {
		for (unsigned g = 0; g < GROUPINGS; g++) {
			char stream[512];
			transfer_t t;

			group(unsound[i].stream, g, &seed, stream);
			transfer(base, &roomy, stream, &t);
			cr_expect(eq(int, t.result.outcome, XFR_FAILED), "%s: %s", unsound[i].why,
			          stream);
			cr_expect(eq(str, t.why, (char *)unsound[i].words), "%s: %s",
			          unsound[i].why, stream);
			cr_expect(eq(str, t.result.detail, (char *)unsound[i].detail), "%s: %s",
			          unsound[i].why, stream);
			cr_expect(t.result.version == NULL, "%s", unsound[i].why);
			cr_expect(same_zone(base, same), "%s: what is held is as it was",
			          unsound[i].why);
		}
	}
	zone_version_free(base);
	zone_version_free(same);
}

/* --- where the grouping does count ------------------------------------------------------------ */

static const struct {
	const char *why, *stream;
	xfr_verdict_t verdict;
	xfr_outcome_t outcome;
	uint32_t serial;
	const char *words;
} grouped[] = {
	{ "we are current", "S3", XFR_DONE, XFR_CURRENT, 3, "" },
	{ "it is older", "S2", XFR_DONE, XFR_CURRENT, 2, "" },
	{ "it is half way round", "S2147483651", XFR_DONE, XFR_CURRENT, 2147483651, "" },
	{ "current, with more sections", "N E:0 S3", XFR_DONE, XFR_CURRENT, 3, "" },
	{ "the whole zone that we have", "S3 ns a b S3", XFR_DONE, XFR_WHOLE, 3, "" },
	{ "an older one", "S2 ns a S2", XFR_DONE, XFR_WHOLE, 2, "" },
	{ "our SOA, twice", "S3 S3", XFR_DONE, XFR_WHOLE, 3, "" },
	{ "records behind the end", "S5 S3 a S5 c S5 d", XFR_BAD, XFR_FAILED, 0,
	  "records after the closing SOA" },
	{ "a SOA behind the end", "S5 S3 a S5 c S5 S5", XFR_BAD, XFR_FAILED, 0,
	  "records after the closing SOA" },
	{ "records behind a whole zone", "S5 ns S5 a", XFR_BAD, XFR_FAILED, 0,
	  "records after the closing SOA" },
	{ "an empty answer", "-", XFR_BAD, XFR_FAILED, 0, "message has 0 questions" },
	{ "an empty answer with question", "N", XFR_BAD, XFR_FAILED, 0, "empty answer" },
	{ "another question", "Q:soa S5 S3 a S5 c S5", XFR_BAD, XFR_FAILED, 0,
	  "message answers another question" },
	{ "an empty message between", "S5 S3 a | - | S5 c S5", XFR_DONE, XFR_DIFFERENCE, 5, "" },
	{ "the SOA, then an empty message", "S5 | - | S3 a S5 c S5", XFR_DONE, XFR_DIFFERENCE, 5,
	  "" },
	{ "octets behind it", "J S5 S3 a S5 c S5", XFR_BAD, XFR_FAILED, 0,
	  "1 octets behind the last record" },
	{ "extended rcode", "S5 S3 | E:16 a S5 c S5", XFR_BAD, XFR_FAILED, 0, "answered BADVERS" },
};

Test(xfr_ixfr, looks_at_messages_too)
{
	zone_version_t *base = zone(held);

	for (size_t i = 0; i < ARRAY_LEN(grouped); i++) {
		transfer_t t;

		transfer(base, &roomy, grouped[i].stream, &t);
		cr_expect(eq(int, t.verdict, grouped[i].verdict), "%s", grouped[i].why);
		cr_expect(eq(int, t.result.outcome, grouped[i].outcome), "%s", grouped[i].why);
		cr_expect(eq(u32, t.result.soa.serial, grouped[i].serial), "%s", grouped[i].why);
		cr_expect(eq(str, t.why, (char *)grouped[i].words), "%s", grouped[i].why);
		const bool made = grouped[i].outcome == XFR_WHOLE ||
		                  grouped[i].outcome == XFR_DIFFERENCE;
		cr_expect(eq(int, t.result.version != NULL, made), "%s", grouped[i].why);
		zone_version_free(t.result.version);
	}
	zone_version_free(base);
}

Test(xfr_ixfr, does_not_know_what_a_newer_soa_alone_will_be)
{
	static const struct {
		const char *stream;
		bool undetermined;
	} rows[] = { { "S5", true },
		     { "S5 | -", true },
		     { "S3", false },
		     { "S5 | S3", false },
		     { "S5 ns", false } };
	zone_version_t *base = zone(held);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		transfer_t t;

		transfer(base, &roomy, rows[i].stream, &t);
		cr_expect(eq(int, t.undetermined, rows[i].undetermined), "%s", rows[i].stream);
	}
	zone_version_free(base);
}

Test(xfr_ixfr, tells_expire_of_a_primary_that_has_nothing_new)
{
	zone_version_t *base = zone(held);
	transfer_t t;

	transfer(base, &roomy, "X:1234 S3", &t);
	cr_expect(eq(int, t.result.outcome, XFR_CURRENT));
	cr_expect(t.result.has_expire);
	cr_expect(eq(u32, t.result.expire, 1234));
	zone_version_free(base);
}

/* --- limits ----------------------------------------------------------------------------------- */

Test(xfr_ixfr, counts_what_was_dropped)
{
	zone_version_t *base = zone(held);
	transfer_t t;

	transfer(base, &roomy, "S5 S3 out a S5 out out c S5", &t);
	cr_expect(eq(u64, t.result.stats.outside, 3));
	zone_version_free(t.result.version);
	zone_version_free(base);
}

Test(xfr_ixfr, holds_the_zone_to_its_limits)
{
	const zone_limits_t six = {
		.max_records = 6, .max_bytes = 1000000, .max_rrset = 100, .max_rrsets = 100
	};
	const zone_limits_t thin = {
		.max_records = 100, .max_bytes = 1000000, .max_rrset = 0, .max_rrsets = 100
	};
	const zone_limits_t small = {
		.max_records = 100, .max_bytes = 1000, .max_rrset = 10, .max_rrsets = 100
	};
	zone_version_t *base = zone(held);
	transfer_t t;

	transfer(base, &six, "S5 S3 S5 c d S5", &t);
	cr_expect(eq(int, t.result.outcome, XFR_DIFFERENCE), "%s", t.why);
	zone_version_free(t.result.version);
	transfer(base, &six, "S5 S3 S5 c d e S5", &t);
	cr_expect(eq(str, t.why, (char *)"over max-records = 6"), "the zone becomes too long");
	transfer(base, &six, "S5 S3 a b S5 c d e S5", &t);
	cr_expect(eq(str, t.why, (char *)"over max-records = 6"), "the differences are too long");
	transfer(base, &thin, "S5 S3 S5 c S5", &t);
	cr_expect(eq(str, t.why, (char *)"an RRset is over max-rrset = 0"));
	transfer(base, &small, "S5 S3 S5 big S5", &t);
	cr_expect(eq(str, t.why, (char *)"over max-size = 1K"));
	zone_version_free(base);
}

static const struct {
	zone_gates_t gates;
	const char *words, *said, *detail;
} refusals[] = {
	{ { .no_ns = ZONE_CHOICE_REFUSE },
	  "S5 S3 ns S5 c S5",
	  "no NS at the apex, and no-ns = refuse",
	  "example." },
	{ { .single_ns = ZONE_CHOICE_REFUSE },
	  "S5 S3 S5 c S5",
	  "one NS at the apex, and single-ns = refuse",
	  "example." },
	{ { .max_shrink = 10 },
	  "S5 S3 a b S5 S5",
	  "shrank from 4 records to 2, which is over max-shrink",
	  "" },
	{ { .zonemd = ZONE_DIGEST_REQUIRED },
	  "S5 S3 S5 c S5",
	  "no ZONEMD, and zonemd = required",
	  "" },
	{ { .zonemd = ZONE_DIGEST_IF_PRESENT },
	  "S5 S3 S5 zonemd S5",
	  "ZONEMD: the digest differs, and zonemd is not off",
	  "" },
	{ { .zonemd = ZONE_DIGEST_IF_PRESENT },
	  "S5 S3 S5 zonemd aged S5",
	  "ZONEMD: the digest differs, as it does for RRsets of several TTLs: 1; zonemd is not off",
	  "" },
	{ { .zonemd = ZONE_DIGEST_IF_PRESENT }, "S5 S3 S5 aged S5", "", "" },
	{ { .max_shrink = 50 }, "S5 S3 a b S5 S5", "", "" },
};

Test(xfr_ixfr, hands_out_no_difference_that_a_gate_refuses)
{
	zone_version_t *base = zone("S3 ns a b");

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		transfer_t t;

		transfer_past(base, &roomy, &refusals[i].gates, refusals[i].words, &t);
		cr_expect(eq(str, t.why, (char *)refusals[i].said));
		cr_expect(eq(str, t.result.detail, (char *)refusals[i].detail));
		cr_expect(eq(int, t.result.version == NULL, refusals[i].said[0] != '\0'));
		zone_version_free(t.result.version);
	}
	zone_version_free(base);
}

Test(xfr_ixfr, gives_up_what_is_larger_than_the_zone)
{
	zone_version_t *base = zone(held);
	transfer_t t;

	transfer(base, &roomy, "S5 S3 a S5 | big | S5", &t);
	cr_expect(eq(int, t.result.outcome, XFR_DIFFERENCE), "%s", t.why);
	zone_version_free(t.result.version);
	transfer(base, &roomy, "S5 S3 a S5 | big | big | big | big | big | S5", &t);
	cr_expect(eq(int, t.result.outcome, XFR_FAILED));
	cr_expect(eq(int, t.result.why.code, XFR_WHY_OUTGROWS));
	cr_expect(eq(int, xfr_why_kind(&t.result.why), XFR_WHY_OF_DELTA));
	zone_version_free(base);
}

Test(xfr_ixfr, stops_an_endless_stream_of_differences)
{
	zone_version_t *base = zone(held);
	const xfr_work_spec_t spec = {
		.key = &key, .apex = stream_apex(), .id = STREAM_ID, .limits = roomy, .base = base
	};
	xfr_work_t *work = xfr_work_new(&spec);
	xfr_verdict_t got = stream_feed_to(work, feed_work, DNS_TYPE_IXFR, "S2000000000 S3 a S4 a");
	unsigned serial = 4;
	xfr_result_t result = { 0 };

	for (; got == XFR_MORE && serial < 100000; serial++) {
		char words[64];

		snprintf(words, sizeof words, "S%u a S%u a", serial, serial + 1);
		got = stream_feed_to(work, feed_work, DNS_TYPE_IXFR, words);
	}
	cr_assert(eq(int, got, XFR_BAD));
	xfr_work_finish(work, (wall_t){ 0 }, &result);
	cr_expect(eq(int, result.why.code, XFR_WHY_OUTGROWS));
	cr_expect(lt(uint, serial, 4000));
	xfr_work_free(work);
	zone_version_free(base);
}
