/* tests/unit/xfr/test_soa_answer.c - answers to "example. SOA IN" of id 0x4242, octet by octet. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dns/wire.h"
#include "xfr/soa_answer.h"

TestSuite(xfr_soa_answer, .timeout = 10);

#define QUESTION "\7example\0\0\6\0\1"
#define FIXED    "\0\6\0\1\0\0\16\20"
#define NUMBERS  "\0\0\0\11\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"
/* RDATA of 2 + 7 + 20 octets: MNAME points at the question, RNAME is host + a pointer. */
#define SOA      "\300\14" FIXED "\0\35\300\14\4host\300\14" NUMBERS
#define SOA_FULL "\7EXAMPLE\0" FIXED "\0\51\2ns\2ex\0\4host\7example\0" NUMBERS
#define NS       "\300\14\0\2\0\1\0\0\16\20\0\5\2ns\300\14"
#define OPT      "\0\0\51\4\320\0\0\0\0\0\0"
#define OPT_BAD  "\0\0\51\4\320\1\0\0\0\0\0"

#define MSG(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
	const char *why;
	const uint8_t *msg;
	size_t len;
	xfr_soa_finding_t want;
	unsigned rcode;
} answers[] = {
	{ "a plain answer", MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION SOA), XFR_SOA_HERE, 0 },
	{ "with NS and OPT", MSG("BB\204\0\0\1\0\1\0\1\0\1" QUESTION SOA NS OPT), XFR_SOA_HERE, 0 },
	{ "names not compressed, other case", MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION SOA_FULL),
	  XFR_SOA_HERE, 0 },
	{ "question in other case", MSG("BB\204\0\0\1\0\1\0\0\0\0\7ExAmPlE\0\0\6\0\1" SOA),
	  XFR_SOA_HERE, 0 },
	{ "another record before the SOA", MSG("BB\204\0\0\1\0\2\0\0\0\0" QUESTION NS SOA),
	  XFR_SOA_HERE, 0 },
	{ "RD, RA, AD, CD are ignored", MSG("BB\205\360\0\1\0\1\0\0\0\0" QUESTION SOA),
	  XFR_SOA_HERE, 0 },

	{ "nothing", MSG(""), XFR_SOA_FOREIGN, 0 },
	{ "half a header", MSG("BB\204\0\0\1"), XFR_SOA_FOREIGN, 0 },
	{ "another id", MSG("BC\204\0\0\1\0\1\0\0\0\0" QUESTION SOA), XFR_SOA_FOREIGN, 0 },
	{ "a query", MSG("BB\4\0\0\1\0\1\0\0\0\0" QUESTION SOA), XFR_SOA_FOREIGN, 0 },
	{ "another opcode", MSG("BB\244\0\0\1\0\1\0\0\0\0" QUESTION SOA), XFR_SOA_FOREIGN, 0 },
	{ "no question", MSG("BB\204\0\0\0\0\1\0\0\0\0" SOA_FULL), XFR_SOA_FOREIGN, 0 },
	{ "two questions", MSG("BB\204\0\0\2\0\0\0\0\0\0" QUESTION QUESTION), XFR_SOA_FOREIGN, 0 },
	{ "another name asked", MSG("BB\204\0\0\1\0\0\0\0\0\0\7exampla\0\0\6\0\1"), XFR_SOA_FOREIGN,
	  0 },
	{ "another type asked", MSG("BB\204\0\0\1\0\0\0\0\0\0\7example\0\0\2\0\1"), XFR_SOA_FOREIGN,
	  0 },
	{ "another class asked", MSG("BB\204\0\0\1\0\0\0\0\0\0\7example\0\0\6\0\3"),
	  XFR_SOA_FOREIGN, 0 },
	{ "question cut", MSG("BB\204\0\0\1\0\0\0\0\0\0\7example\0\0\6"), XFR_SOA_FOREIGN, 0 },
	{ "question points at itself", MSG("BB\204\0\0\1\0\0\0\0\0\0\300\14\0\6\0\1"),
	  XFR_SOA_FOREIGN, 0 },

	{ "REFUSED", MSG("BB\200\5\0\1\0\0\0\0\0\0" QUESTION), XFR_SOA_RCODE, 5 },
	{ "FORMERR, header alone", MSG("BB\200\1\0\0\0\0\0\0\0\0"), XFR_SOA_RCODE, 1 },
	{ "SERVFAIL with a SOA", MSG("BB\204\2\0\1\0\1\0\0\0\0" QUESTION SOA), XFR_SOA_RCODE, 2 },
	{ "REFUSED to another question", MSG("BB\200\5\0\1\0\0\0\0\0\0\7exampla\0\0\6\0\1"),
	  XFR_SOA_FOREIGN, 0 },
	{ "BADVERS", MSG("BB\200\0\0\1\0\0\0\0\0\1" QUESTION OPT_BAD), XFR_SOA_RCODE, 16 },
	{ "TC, and a record torn off", MSG("BB\206\0\0\1\0\1\0\0\0\0" QUESTION "\300\14\0"),
	  XFR_SOA_TRUNCATED, 0 },
	{ "TC without AA", MSG("BB\202\0\0\1\0\0\0\0\0\0" QUESTION), XFR_SOA_TRUNCATED, 0 },
	{ "AA clear", MSG("BB\200\0\0\1\0\1\0\0\0\0" QUESTION SOA), XFR_SOA_LAME, 0 },
	{ "nothing in it", MSG("BB\204\0\0\1\0\0\0\0\0\0" QUESTION), XFR_SOA_NONE, 0 },
	{ "SOA in authority", MSG("BB\204\0\0\1\0\0\0\1\0\0" QUESTION SOA), XFR_SOA_NONE, 0 },
	{ "SOA of another zone",
	  MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION "\0" FIXED "\0\35\300\14\4host\300\14" NUMBERS),
	  XFR_SOA_NONE, 0 },
	{ "SOA of class CH",
	  MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION
	      "\300\14\0\6\0\3\0\0\16\20\0\35\300\14\4host\300\14" NUMBERS),
	  XFR_SOA_NONE, 0 },

	{ "RDATA longer than its fields",
	  MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION "\300\14" FIXED
	      "\0\36\300\14\4host\300\14" NUMBERS "\0"),
	  XFR_SOA_BROKEN, 0 },
	{ "RDATA shorter than its fields",
	  MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION "\300\14" FIXED
	      "\0\34\300\14\4host\300\14" NUMBERS),
	  XFR_SOA_BROKEN, 0 },
	{ "RNAME points forward",
	  MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION "\300\14" FIXED "\0\30\300\14\300\60" NUMBERS),
	  XFR_SOA_BROKEN, 0 },
	{ "RDLENGTH past the end",
	  MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION "\300\14" FIXED "\0\35\0"), XFR_SOA_BROKEN, 0 },
	{ "fewer records than counted", MSG("BB\204\0\0\1\0\2\0\0\0\0" QUESTION SOA),
	  XFR_SOA_BROKEN, 0 },
	{ "junk behind the last", MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION SOA "\0"), XFR_SOA_BROKEN,
	  0 },
};

static dns_name_t apex(void)
{
	dns_name_t n;

	cr_assert(eq(int, dns_name_from_text("example.", &n), ST_OK));
	return n;
}

/* A copy of the exact size lets ASan see a read behind the end. */
static xfr_soa_finding_t finding(const uint8_t *msg, size_t len, xfr_soa_answer_t *out)
{
	dns_name_t name = apex();
	uint8_t *exact = malloc(len ? len : 1);

	memcpy(exact, msg, len);
	xfr_soa_finding_t found = xfr_soa_answer_read(exact, len, false, 0x4242, &name, out);
	free(exact);
	return found;
}

Test(xfr_soa_answer, finds_what_each_answer_says)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		xfr_soa_answer_t out;

		cr_expect(eq(int, finding(answers[i].msg, answers[i].len, &out), answers[i].want),
		          "%s", answers[i].why);
		cr_expect(eq(uint, out.rcode, answers[i].rcode), "%s", answers[i].why);
		if (answers[i].want != XFR_SOA_HERE)
			continue;
		cr_expect(eq(u32, out.soa.serial, 9), "%s", answers[i].why);
		cr_expect(eq(u32, out.soa.refresh, 2), "%s", answers[i].why);
		cr_expect(eq(u32, out.soa.minimum, 5), "%s", answers[i].why);
	}
}

Test(xfr_soa_answer, takes_no_answer_that_is_cut_anywhere)
{
	for (size_t len = 0; len < answers[1].len; len++) {
		xfr_soa_answer_t out;
		xfr_soa_finding_t got = finding(answers[1].msg, len, &out);

		cr_expect(got == XFR_SOA_FOREIGN || got == XFR_SOA_BROKEN, "%zu octets", len);
	}
}

/* --- what comes with the SOA ------------------------------------------------------------------ */

#define RRSIG(covers, expiration)                                                                  \
	"\300\14\0\56\0\1\0\0\16\20\0\24" covers "\10\1\0\0\16\20" expiration "\1\2\3\4\0\5\0S"

static xfr_soa_answer_t answer_of(const uint8_t *msg, size_t len)
{
	xfr_soa_answer_t answer;
	dns_name_t apex;

	cr_assert(eq(int, dns_name_from_text("example.", &apex), ST_OK));
	cr_assert(eq(int, xfr_soa_answer_read(msg, len, false, 0x4242, &apex, &answer),
	             XFR_SOA_HERE));
	return answer;
}

Test(xfr_soa_answer, tells_how_long_the_primary_s_copy_lasts)
{
	xfr_soa_answer_t a = answer_of(MSG("BB\204\0\0\1\0\1\0\0\0\1" QUESTION SOA
	                                   "\0\0\51\4\320\0\0\0\0\0\15\0\3\0\1x\0\11\0\4\0\1\0\2"));

	cr_expect(a.has_expire);
	cr_expect(eq(u32, a.expire, 0x10002));
	a = answer_of(
		MSG("BB\204\0\0\1\0\1\0\0\0\1" QUESTION SOA "\0\0\51\4\320\0\0\0\0\0\4\0\11\0\0"));
	cr_expect(not(a.has_expire), "an empty one is a question");
	a = answer_of(MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION SOA));
	cr_expect(not(a.has_expire));
}

Test(xfr_soa_answer, knows_one_signing_from_another)
{
	const uint64_t none = answer_of(MSG("BB\204\0\0\1\0\1\0\0\0\0" QUESTION SOA)).mark;
	const uint64_t a =
		answer_of(MSG("BB\204\0\0\1\0\2\0\0\0\0" QUESTION SOA RRSIG("\0\6", "aaaa"))).mark;
	const uint64_t b =
		answer_of(MSG("BB\204\0\0\1\0\2\0\0\0\0" QUESTION SOA RRSIG("\0\6", "aaab"))).mark;
	const uint64_t ab = answer_of(MSG("BB\204\0\0\1\0\3\0\0\0\0" QUESTION SOA RRSIG(
					      "\0\6", "aaaa") RRSIG("\0\6", "aaab")))
	                            .mark;
	const uint64_t ba = answer_of(MSG("BB\204\0\0\1\0\3\0\0\0\0" QUESTION RRSIG("\0\6", "aaab")
	                                          SOA RRSIG("\0\6", "aaaa")))
	                            .mark;
	const uint64_t other =
		answer_of(MSG("BB\204\0\0\1\0\2\0\0\0\0" QUESTION SOA RRSIG("\0\2", "aaaa"))).mark;

	cr_expect(eq(u64, none, 0));
	cr_expect(ne(u64, a, 0));
	cr_expect(ne(u64, a, b));
	cr_expect(eq(u64, ab, ba), "in any order");
	cr_expect(ne(u64, ab, a));
	cr_expect(eq(u64, other, 0), "those of other RRsets don't count");
}
