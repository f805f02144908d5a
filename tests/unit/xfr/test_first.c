/* tests/unit/xfr/test_first.c - AXFR as far as its first message, of a scripted primary. Shorthand: that of
 * support/stream.h. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/buf.h"
#include "dns/wire.h"
#include "tests/unit/xfr/support/server.h"
#include "tests/unit/xfr/support/signer.h"
#include "tests/unit/xfr/support/stream.h"
#include "xfr/first.h"

TestSuite(xfr_first, .timeout = 30);

static const xfr_deadlines_t deadlines = { .connect = 5, .idle = 5 };

/* What it does with a query. */
typedef struct mood {
	const char *words; /* the messages it sends; NULL: none */
	unsigned rcode;    /* instead of words */
	bool hates_opt, closes;
	bool sign;
	int skew; /* of its clock */
	dns_tsig_key_t key;
	unsigned queries, connections;
} mood_t;

static size_t rcode_message(const uint8_t *query, unsigned rcode, uint8_t *out)
{
	memset(out, 0, DNS_HEADER_LEN);
	put_u16(out, get_u16(query));
	put_u16(out + 2, DNS_QR | rcode);
	return DNS_HEADER_LEN;
}

static void answer(mood_t *m, int fd, const uint8_t *query, size_t query_len)
{
	static uint8_t msg[STREAM_ROOM + 512];
	const char *words = m->words;
	const bool has_opt = get_u16(query + DNS_ARCOUNT_AT) > m->sign;
	signer_t signer;
	size_t len;

	if (m->sign)
		signer_start(&signer, &m->key, query, query_len);
	if (m->rcode || (m->hates_opt && has_opt)) {
		len = rcode_message(query, m->rcode ? m->rcode : DNS_RCODE_FORMERR, msg);
		server_write(fd, msg, len);
		return;
	}
	while (words && (len = stream_message(&words, (uint16_t)get_u16(query), msg)) > 0) {
		if (m->sign)
			len = signer_next(&signer, msg, len, true,
			                  (wall_t){ clock_wall_coarse().s + m->skew });
		server_write(fd, msg, len);
	}
}

static void serve(void *arg, int fd, unsigned nth)
{
	uint8_t query[65535];
	mood_t *m = arg;
	size_t len;

	(void)nth;
	m->connections++;
	while ((len = server_read(fd, query)) > 0) {
		m->queries++;
		if (m->closes)
			return;
		answer(m, fd, query, len);
	}
}

typedef struct told {
	xfr_first_result_t result;
	bool done, link_ended;
} told_t;

static void on_done(void *arg, const xfr_first_result_t *result)
{
	told_t *t = arg;

	cr_assert(not(t->done), "once");
	t->result = *result;
	t->done = true;
}

static void on_link_end(void *arg, xfr_link_t *link)
{
	told_t *t = arg;

	(void)link;
	t->link_ended = true;
}

/* times: one after the other on one link, as long as that takes them. */
static told_t ask(mood_t *m, const dns_tsig_key_t *key, double most, unsigned times)
{
	server_t *server = server_start(&(server_script_t){ .tcp = serve, .arg = m });
	const xfr_peer_t peer = server_peer(server);
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	const dns_name_t apex = stream_apex();
	told_t t = { 0 };
	xfr_link_t *link = xfr_link_open(loop, &peer, &deadlines, 5., on_link_end, &t);

	for (unsigned i = 0; i < times; i++) {
		const xfr_first_spec_t spec = {
			.link = link, .apex = &apex, .most = most, .key = key
		};

		t.done = false;
		cr_assert(xfr_link_usable(link));
		cr_assert(xfr_first_start(&spec, on_done, &t) != NULL);
		cr_assert(run_until(loop, &t.done, 10));
	}
	if (t.result.why.code == XFR_WHY_NONE)
		cr_expect(eq(int, xfr_link_usable(link), t.result.whole));
	xfr_link_close(link);
	ev_loop_destroy(loop);
	server_stop(server);
	return t;
}

static const struct {
	const char *words;
	xfr_why_code_t why;
	bool whole;
} messages[] = {
	{ "S5 ns a S5", XFR_WHY_NONE, true },
	{ "S5 ns a", XFR_WHY_NONE, false },
	{ "S5 | ns a | S5", XFR_WHY_NONE, false },
	{ "S5 ns | cut", XFR_WHY_NONE, false }, /* which nobody waits for */
	{ "ns S5", XFR_WHY_NO_OPENING, false },
	{ "S5 ns S5 a", XFR_WHY_AFTER_CLOSING, false },
	{ "S5 short", XFR_WHY_MALFORMED, false },
	{ "S5 cut", XFR_WHY_RECORD, false },
	{ "S5 a J", XFR_WHY_OCTETS_BEHIND, false },
	{ "Q:other S5 a", XFR_WHY_OTHER_QUESTION, false },
	{ "- S5 a", XFR_WHY_QUESTIONS, false },
	{ "E:16 S5 a", XFR_WHY_RCODE, false },
};

Test(xfr_first, judges_the_first_message_alone)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		mood_t m = { .words = messages[i].words };
		const told_t t = ask(&m, NULL, 5, 1);

		cr_expect(eq(int, t.result.why.code, messages[i].why), "%s", m.words);
		cr_expect(eq(int, t.result.whole, messages[i].whole), "%s", m.words);
		if (messages[i].why == XFR_WHY_NONE)
			cr_expect(eq(u32, t.result.soa.serial, 5), "%s", m.words);
		cr_expect(not(t.result.again));
	}
}

Test(xfr_first, small_zones_share_a_connection)
{
	mood_t m = { .words = "S5 ns a S5" };

	ask(&m, NULL, 5, 20);
	cr_expect(eq(uint, m.queries, 20));
	cr_expect(eq(uint, m.connections, 1));
}

Test(xfr_first, tells_a_refusal_a_close_and_silence)
{
	mood_t refuses = { .rcode = DNS_RCODE_REFUSED }, closes = { .closes = true },
	       silent = { 0 };
	told_t t = ask(&refuses, NULL, 5, 1);

	cr_expect(eq(int, t.result.why.code, XFR_WHY_RCODE));
	cr_expect(eq(u32, t.result.why.a, DNS_RCODE_REFUSED));
	t = ask(&closes, NULL, 5, 1);
	cr_expect(eq(int, t.result.why.code, XFR_WHY_CLOSED));
	cr_expect(not(t.result.again));
	t = ask(&silent, NULL, .3, 1);
	cr_expect(eq(int, t.result.why.code, XFR_WHY_NO_ANSWER));
}

Test(xfr_first, asks_an_old_primary_again_without_opt)
{
	mood_t m = { .words = "S5 ns S5", .hates_opt = true };
	const told_t t = ask(&m, NULL, 5, 1);

	cr_expect(eq(int, t.result.why.code, XFR_WHY_NONE));
	cr_expect(t.result.plain);
	cr_expect(eq(uint, m.queries, 2));
}

Test(xfr_first, tells_the_clock_of_who_signs)
{
	mood_t m = { .words = "S5 ns S5", .sign = true, .key = signer_key("secret"), .skew = -200 };
	told_t t = ask(&m, &m.key, 5, 1);

	cr_expect(eq(int, t.result.why.code, XFR_WHY_NONE));
	cr_expect(t.result.has_skew);
	cr_expect(le(int, abs(t.result.skew + 200), 1));
	m.skew = 412;
	t = ask(&m, &m.key, 5, 1);
	cr_expect(eq(int, t.result.why.code, XFR_WHY_TSIG));
	cr_expect(eq(u32, t.result.why.a, DNS_TSIG_WRONG_TIME));
	cr_expect(le(int, abs((int32_t)t.result.why.b - 412), 1));
	cr_expect(not(t.result.has_skew));
}

Test(xfr_first, tells_the_rcode_of_what_is_not_signed)
{
	mood_t m = { .rcode = DNS_RCODE_REFUSED };
	const dns_tsig_key_t key = signer_key("secret");
	const told_t t = ask(&m, &key, 5, 1);

	cr_expect(eq(int, t.result.why.code, XFR_WHY_TSIG));
	cr_expect(eq(u32, t.result.why.a, DNS_TSIG_FIRST_UNSIGNED));
	cr_expect(eq(uint, t.result.rcode, DNS_RCODE_REFUSED));
}

Test(xfr_first, says_nothing_once_stopped)
{
	mood_t m = { .words = "S5 ns S5" };
	server_t *server = server_start(&(server_script_t){ .tcp = serve, .arg = &m });
	const xfr_peer_t peer = server_peer(server);
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	const dns_name_t apex = stream_apex();
	told_t t = { 0 };
	xfr_link_t *link = xfr_link_open(loop, &peer, &deadlines, 5., on_link_end, &t);
	const xfr_first_spec_t spec = { .link = link, .apex = &apex, .most = 5 };

	xfr_first_stop(xfr_first_start(&spec, on_done, &t));
	run_until(loop, &t.link_ended, 5); /* it is spoiled, and nobody waits for more */
	cr_expect(t.link_ended);
	cr_expect(not(t.done));
	xfr_link_close(link);
	ev_loop_destroy(loop);
	server_stop(server);
}
