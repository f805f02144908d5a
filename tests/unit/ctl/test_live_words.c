/* tests/unit/ctl/test_live_words.c - each way to fail has words that say what to do. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "ctl/live_words.h"
#include "dns/wire.h"

TestSuite(live_words, .timeout = 10);

static const conf_key_t key = { .name = "k", .algorithm = "hmac-sha256" };

static const struct {
	live_question_t q;
	xfr_why_t why;
	unsigned rcode;
	bool has_zone;
	const char *words, *code;
} rows[] = {
	{ LIVE_UDP, { 0 }, 0, true, "serial 7", NULL },
	{ LIVE_TCP, { .code = XFR_WHY_NO_ANSWER }, 0, false, "no answer", "NO_ANSWER" },
	{ LIVE_TCP,
	  { .code = XFR_WHY_NO_CONNECTION },
	  0,
	  false,
	  "no answer: no connection in time",
	  "NO_CONNECTION" },
	{ LIVE_UDP,
	  { .code = XFR_WHY_ERRNO, .a = ECONNREFUSED },
	  0,
	  false,
	  "connection refused",
	  "ECONNREFUSED" },
	{ LIVE_UDP,
	  { .code = XFR_WHY_ERRNO, .a = EHOSTUNREACH },
	  0,
	  false,
	  "no route to host",
	  "EHOSTUNREACH" },
	{ LIVE_UDP,
	  { .code = XFR_WHY_ERRNO, .a = 9999 },
	  0,
	  false,
	  "unknown network error",
	  "ERRNO" },
	{ LIVE_TRANSFER,
	  { .code = XFR_WHY_RCODE, .a = DNS_RCODE_REFUSED },
	  0,
	  true,
	  "REFUSED: its ACL does not let this address transfer with key \"k\"",
	  "REFUSED" },
	{ LIVE_TRANSFER,
	  { .code = XFR_WHY_RCODE, .a = DNS_RCODE_NOTAUTH },
	  0,
	  true,
	  "NOTAUTH: its ACL does not let this address transfer with key \"k\"",
	  "NOTAUTH" },
	{ LIVE_TCP,
	  { .code = XFR_WHY_RCODE, .a = DNS_RCODE_NOTAUTH },
	  0,
	  false,
	  "NOTAUTH: lame, it has no such zone",
	  "NOTAUTH" },
	{ LIVE_TCP, { .code = XFR_WHY_RCODE, .a = 24 }, 0, false, "answers RCODE24", "RCODE24" },
	{ LIVE_TCP,
	  { .code = XFR_WHY_LAME },
	  0,
	  false,
	  "lame: not authoritative (AA clear)",
	  "LAME" },
	{ LIVE_UDP,
	  { .code = XFR_WHY_TSIG, .a = DNS_TSIG_PEER_BADTIME, .b = 412 },
	  0,
	  false,
	  "BADTIME: its clock is 412 s ahead",
	  "BADTIME" },
	{ LIVE_TCP,
	  { .code = XFR_WHY_TSIG, .a = DNS_TSIG_WRONG_TIME, .b = (uint32_t)-500 },
	  0,
	  false,
	  "BADTIME: its clock is 500 s behind",
	  "BADTIME" },
	{ LIVE_TCP,
	  { .code = XFR_WHY_TSIG, .a = DNS_TSIG_FIRST_UNSIGNED },
	  DNS_RCODE_REFUSED,
	  false,
	  "REFUSED, not signed: it does not answer this address, or not with key \"k\"",
	  "UNSIGNED" },
	{ LIVE_TCP,
	  { .code = XFR_WHY_TSIG, .a = DNS_TSIG_PEER_BADTRUNC },
	  0,
	  false,
	  "TSIG: BADTRUNC: the primary finds our MAC too short",
	  "BADTRUNC" },
	{ LIVE_TCP,
	  { .code = XFR_WHY_EXPIRED },
	  0,
	  true,
	  "its own copy has expired, or does within 0 s",
	  "EXPIRED" },
};

Test(live_words, say_what_to_do)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const live_finding_t f = { .why = rows[i].why,
			                   .serial = 7,
			                   .rcode = (uint8_t)rows[i].rcode };
		char words[LIVE_WORDS_MAX], room[LIVE_CODE_MAX];
		const char *code = live_code(&f, rows[i].q, room);

		live_words(&f, rows[i].q, &key, rows[i].has_zone, words);
		cr_expect(eq(str, words, (char *)rows[i].words));
		cr_expect(eq(int, code == NULL, rows[i].code == NULL));
		if (code && rows[i].code)
			cr_expect(eq(str, room, (char *)rows[i].code));
		cr_expect(eq(int, live_is_good(&f, rows[i].q), rows[i].code == NULL));
	}
}

Test(live_words, tell_the_record_at_fault)
{
	char detail[] = "a.example. A", words[LIVE_WORDS_MAX];
	const live_finding_t f = { .why = xfr_why(XFR_WHY_NO_OPENING, 0, 0), .detail = detail };

	live_words(&f, LIVE_TRANSFER, NULL, true, words);
	cr_expect(strstr(words, ": a.example. A") != NULL);
}

Test(live_words, an_answer_cut_short_is_good_by_udp_alone)
{
	const live_finding_t f = { .why = xfr_why(XFR_WHY_TC, 0, 0), .more_by_tcp = true };
	char words[LIVE_WORDS_MAX];

	cr_expect(live_is_good(&f, LIVE_UDP));
	cr_expect(not(live_is_good(&f, LIVE_TCP)));
	cr_expect(eq(str, (char *)live_words(&f, LIVE_UDP, NULL, true, words),
	             (char *)"truncated: asks for TCP"));
}
