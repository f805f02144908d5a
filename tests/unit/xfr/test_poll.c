/* tests/unit/xfr/test_poll.c - one SOA question against a primary with moods. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "dns/wire.h"
#include "tests/unit/xfr/support/server.h"
#include "tests/unit/xfr/support/signer.h"
#include "xfr/poll.h"

TestSuite(xfr_poll, .timeout = 20);

static const xfr_deadlines_t patient = {
	.udp_try = 2, .udp_tries = 3, .connect = 2, .idle = 2, .total = 5
};
static const xfr_deadlines_t quick = {
	.udp_try = 0.3, .udp_tries = 3, .connect = 0.3, .idle = 0.3, .total = 5
};

enum { QUESTION_END = DNS_HEADER_LEN + 9 + 4 }; /* example. SOA IN */

/* What the primary heard and how it is to answer. */
typedef struct mood {
	unsigned skip;    /* datagrams to stay silent for */
	unsigned foreign; /* datagrams with a wrong id or question before the right one */
	unsigned flags;   /* of the answer, QR aside */
	bool hates_opt;   /* FORMERR when there is one */
	bool tcp_silent, tcp_closes, tcp_single;
	unsigned tcp_drip; /* microseconds from octet to octet; 0: all at once */
	unsigned tcp_flags;
	_Atomic unsigned datagrams, connections, with_opt;
	uint16_t ids[8], ports[8];
} mood_t;

/* The answer with that serial to a question; its length. */
static size_t answer(const uint8_t *query, unsigned flags, uint32_t serial, uint8_t out[512])
{
	bufw_t w = bufw_over(out, 512);

	bufw_bytes(&w, query, 2);
	bufw_u16(&w, DNS_QR | flags);
	bufw_u16(&w, 1);
	bufw_u16(&w, (flags & (DNS_TC | DNS_RCODE_MASK)) ? 0 : 1);
	bufw_u32(&w, 0);
	bufw_bytes(&w, query + DNS_HEADER_LEN, QUESTION_END - DNS_HEADER_LEN);
	if (flags & (DNS_TC | DNS_RCODE_MASK))
		return w.pos;
	bufw_bytes(&w, "\300\14\0\6\0\1\0\0\16\20\0\30\300\14\300\14", 16);
	bufw_u32(&w, serial);
	for (uint32_t i = 1; i <= 4; i++)
		bufw_u32(&w, i * 100);
	return w.pos;
}

static bool has_opt(const uint8_t *query)
{
	return get_u16(query + 10) == 1;
}

static void answer_udp(void *arg, const server_query_t *q)
{
	mood_t *m = arg;
	uint8_t out[512];
	size_t len;

	m->datagrams++;
	m->with_opt += has_opt(q->msg);
	if (q->nth < ARRAY_LEN(m->ids)) {
		m->ids[q->nth] = get_u16(q->msg);
		m->ports[q->nth] = q->from.sin_port;
	}
	if (q->nth < m->skip)
		return;
	if (m->hates_opt && has_opt(q->msg)) {
		memcpy(out, q->msg, 2);
		memcpy(out + 2, "\200\1\0\0\0\0\0\0\0\0", 10);
		server_reply(q, out, DNS_HEADER_LEN);
		return;
	}
	for (unsigned i = 0; i < m->foreign; i++) {
		len = answer(q->msg, DNS_AA, 666, out);
		out[i % 2 == 0 ? 1 : QUESTION_END - 3] ^= 1; /* the id, or the type asked for */
		server_reply(q, out, len);
		if (i % 16 == 15)
			usleep(1000); /* so that the socket buffer does not decide the test */
	}
	len = answer(q->msg, m->flags, 7, out);
	server_reply(q, out, len);
}

static void answer_tcp(void *arg, int fd, unsigned nth)
{
	mood_t *m = arg;
	uint8_t query[65535], out[512];

	(void)nth;
	m->connections++;
	while (server_read(fd, query) > 0) {
		if (m->tcp_closes)
			return;
		if (m->tcp_silent) {
			server_await_close(fd);
			return;
		}
		if (m->hates_opt && has_opt(query)) {
			server_write(fd, out, answer(query, DNS_RCODE_FORMERR, 0, out));
			continue;
		}
		size_t len = answer(query, m->tcp_flags, 8, out);
		uint8_t prefix[2] = { 0, (uint8_t)len };

		if (!m->tcp_drip) {
			server_write(fd, out, len);
			if (m->tcp_single)
				return;
			continue;
		}
		server_write_raw(fd, prefix, 2);
		for (size_t i = 0; i < len && server_write_raw(fd, out + i, 1); i++)
			usleep(m->tcp_drip);
	}
}

typedef struct told {
	bool done;
	xfr_poll_result_t result;
	unsigned by_udp; /* why it moved to a link */
	char why[XFR_WHY_TEXT_MAX];
} told_t;

static void on_done(void *arg, const xfr_poll_result_t *result)
{
	told_t *t = arg;

	cr_assert(not(t->done), "done comes once");
	t->done = true;
	t->result = *result;
	xfr_why_text(&result->why, t->why);
}

static dns_name_t apex(void)
{
	dns_name_t n;

	cr_assert(eq(int, dns_name_from_text("Example.", &n), ST_OK));
	return n;
}

static void on_link_end(void *arg, xfr_link_t *link)
{
	*(xfr_link_t **)arg = NULL;
	xfr_link_close(link);
}

static told_t ask_once(struct ev_loop *loop, const xfr_peer_t *peer, const xfr_deadlines_t *d,
                       const dns_tsig_key_t *key, xfr_link_t *link)
{
	dns_name_t name = apex();
	const xfr_poll_spec_t spec = { peer, d, &name, .link = link, .key = key };
	told_t told = { 0 };

	cr_assert(xfr_poll_start(loop, &spec, on_done, &told) != NULL);
	cr_assert(not(told.done), "never from within the call");
	cr_assert(run_until(loop, &told.done, 10));
	return told;
}

/* Ask peer and wait for what is told; over a link if that is needed. */
static told_t ask_with(const xfr_peer_t *peer, const xfr_deadlines_t *d, const dns_tsig_key_t *key)
{
	struct ev_loop *loop = ev_loop_new(0);
	told_t told = ask_once(loop, peer, d, key, NULL);

	if (told.result.next == XFR_POLL_STREAM) {
		const unsigned by_udp = told.result.why.code;
		xfr_link_t *link = xfr_link_open(loop, peer, d, 1, on_link_end, &link);

		told = ask_once(loop, peer, d, key, link);
		cr_expect(told.result.next == XFR_POLL_DONE);
		told.by_udp = by_udp;
		xfr_link_close(link);
	}
	ev_loop_destroy(loop);
	return told;
}

static told_t ask(const xfr_peer_t *peer, const xfr_deadlines_t *d)
{
	return ask_with(peer, d, NULL);
}

static told_t ask_mood(mood_t *mood, const xfr_deadlines_t *d)
{
	server_t *server = server_start(
		&(server_script_t){ .udp = answer_udp, .tcp = answer_tcp, .arg = mood });
	xfr_peer_t peer = server_peer(server);
	told_t told = ask(&peer, d);

	server_stop(server);
	return told;
}

Test(xfr_poll, tells_the_soa_of_the_primary)
{
	mood_t mood = { .flags = DNS_AA };
	told_t told = ask_mood(&mood, &patient);

	cr_expect(eq(int, told.result.why.code, XFR_WHY_NONE));
	cr_expect(eq(u32, told.result.answer.soa.serial, 7));
	cr_expect(eq(u32, told.result.answer.soa.expire, 300));
	cr_expect(eq(str, told.why, (char *)""));
	cr_expect(not(told.result.plain));
	cr_expect(eq(uint, mood.datagrams, 1));
	cr_expect(eq(uint, mood.with_opt, 1));
}

Test(xfr_poll, asks_again_from_another_port_with_another_id)
{
	mood_t mood = { .flags = DNS_AA, .skip = 2 };
	told_t told = ask_mood(&mood, &quick);

	cr_expect(eq(int, told.result.why.code, XFR_WHY_NONE));
	cr_expect(eq(uint, mood.datagrams, 3));
	cr_expect(mood.ids[0] != mood.ids[1] || mood.ids[1] != mood.ids[2]);
	cr_expect(mood.ports[0] != mood.ports[1] || mood.ports[1] != mood.ports[2]);
}

Test(xfr_poll, gives_up_after_the_tries_it_has)
{
	mood_t mood = { .skip = 99 };
	ev_tstamp before = ev_time();
	told_t told = ask_mood(&mood, &quick);

	cr_expect(eq(int, told.result.why.code, XFR_WHY_NO_ANSWER));
	cr_expect(eq(uint, mood.datagrams, 3));
	cr_expect(ge(dbl, ev_time() - before, 0.85));
	cr_expect(eq(str, told.why, (char *)"no answer"));
}

Test(xfr_poll, hears_of_a_closed_port_at_once)
{
	xfr_peer_t peer = server_nobody();
	ev_tstamp before = ev_time();
	told_t told = ask(&peer, &patient);

	cr_expect(eq(int, told.result.why.code, XFR_WHY_ERRNO));
	cr_expect(eq(u32, told.result.why.a, ECONNREFUSED));
	cr_expect(eq(str, told.why, (char *)"Connection refused"));
	cr_expect(lt(dbl, ev_time() - before, 1.5), "no try is waited for");
}

Test(xfr_poll, tells_of_a_source_that_is_not_ours_from_the_loop)
{
	xfr_peer_t peer = server_nobody();

	peer.has_source = true;
	cr_assert(eq(int, addr_parse("192.0.2.77", 0, &peer.source), ST_OK));
	told_t told = ask(&peer, &patient);
	cr_expect(eq(int, told.result.why.code, XFR_WHY_ERRNO));
	cr_expect(eq(u32, told.result.why.a, EADDRNOTAVAIL));
}

Test(xfr_poll, waits_on_when_id_or_question_are_wrong)
{
	mood_t mood = { .flags = DNS_AA, .foreign = 40 };
	told_t told = ask_mood(&mood, &patient);

	cr_expect(eq(int, told.result.why.code, XFR_WHY_NONE));
	cr_expect(eq(u32, told.result.answer.soa.serial, 7));
	cr_expect(eq(uint, mood.datagrams, 1));
	cr_expect(eq(uint, mood.connections, 0));
}

Test(xfr_poll, moves_to_tcp_when_somebody_guesses)
{
	mood_t mood = { .flags = DNS_AA, .tcp_flags = DNS_AA, .foreign = 130 };
	told_t told = ask_mood(&mood, &patient);

	cr_expect(eq(int, told.result.why.code, XFR_WHY_NONE));
	cr_expect(eq(u32, told.result.answer.soa.serial, 8));
	cr_expect(eq(uint, told.by_udp, XFR_WHY_UNREADABLE));
	cr_expect(eq(uint, mood.connections, 1));
}

Test(xfr_poll, asks_an_old_primary_again_without_opt)
{
	mood_t mood = { .flags = DNS_AA, .hates_opt = true };
	told_t told = ask_mood(&mood, &patient);

	cr_expect(eq(int, told.result.why.code, XFR_WHY_NONE));
	cr_expect(eq(uint, mood.datagrams, 2));
	cr_expect(eq(uint, mood.with_opt, 1));
}

Test(xfr_poll, takes_formerr_without_opt_for_an_answer)
{
	mood_t mood = { .flags = DNS_RCODE_FORMERR };
	told_t told = ask_mood(&mood, &patient);

	cr_expect(eq(int, told.result.why.code, XFR_WHY_RCODE));
	cr_expect(eq(u32, told.result.why.a, DNS_RCODE_FORMERR));
	cr_expect(eq(uint, mood.datagrams, 2));
}

static const struct {
	const char *why;
	unsigned flags;
	xfr_why_code_t want;
	const char *words;
} failures[] = {
	{ "a refusal", DNS_RCODE_REFUSED, XFR_WHY_RCODE, "answered REFUSED" },
	{ "a lame primary", 0, XFR_WHY_LAME, "answered without authority (AA clear)" },
};

Test(xfr_poll, fails_at_once_when_the_primary_says_no)
{
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		mood_t mood = { .flags = failures[i].flags };
		told_t told = ask_mood(&mood, &patient);

		cr_expect(eq(int, told.result.why.code, failures[i].want), "%s", failures[i].why);
		cr_expect(eq(str, told.why, (char *)failures[i].words), "%s", failures[i].why);
		cr_expect(eq(uint, mood.datagrams, 1), "%s", failures[i].why);
	}
}

/* What happens over TCP once UDP was truncated. */
static const struct {
	const char *why;
	mood_t mood;
	xfr_why_code_t want;
	const char *words;
} streams[] = {
	{ "an answer", { .tcp_flags = DNS_AA }, XFR_WHY_NONE, "" },
	{ "octet by octet", { .tcp_flags = DNS_AA, .tcp_drip = 200 }, XFR_WHY_NONE, "" },
	{ "no OPT please", { .tcp_flags = DNS_AA, .hates_opt = true }, XFR_WHY_NONE, "" },
	{ "truncated again",
	  { .tcp_flags = DNS_AA | DNS_TC },
	  XFR_WHY_TC,
	  "message is truncated (TC set)" },
	{ "a refusal", { .tcp_flags = DNS_RCODE_NOTAUTH }, XFR_WHY_RCODE, "answered NOTAUTH" },
	{ "a query back", { .tcp_flags = 0x800 }, XFR_WHY_UNREADABLE, "unreadable answer" },
	{ "closed",
	  { .tcp_closes = true },
	  XFR_WHY_CLOSED,
	  "closed the connection without an answer" },
	{ "silence", { .tcp_silent = true }, XFR_WHY_NO_ANSWER, "no answer" },
};

Test(xfr_poll, asks_over_tcp_when_the_answer_was_truncated)
{
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		mood_t mood = { .flags = DNS_AA | DNS_TC,
			        .hates_opt = streams[i].mood.hates_opt,
			        .tcp_silent = streams[i].mood.tcp_silent,
			        .tcp_drip = streams[i].mood.tcp_drip,
			        .tcp_closes = streams[i].mood.tcp_closes,
			        .tcp_flags = streams[i].mood.tcp_flags };
		told_t told = ask_mood(&mood, mood.tcp_silent ? &quick : &patient);

		cr_expect(eq(int, told.result.why.code, streams[i].want), "%s", streams[i].why);
		cr_expect(eq(str, told.why, (char *)streams[i].words), "%s", streams[i].why);
		cr_expect(eq(uint, told.by_udp, XFR_WHY_TC), "%s", streams[i].why);
		cr_expect(eq(uint, mood.connections, 1), "%s", streams[i].why);
	}
}

Test(xfr_poll, says_nothing_once_stopped)
{
	const bool never = false;

	/* Stopped while UDP waits, and while a link does. */
	for (unsigned stream = 0; stream <= 1; stream++) {
		mood_t mood = { .skip = 99, .tcp_silent = true };
		server_t *server = server_start(
			&(server_script_t){ .udp = answer_udp, .tcp = answer_tcp, .arg = &mood });
		xfr_peer_t peer = server_peer(server);
		struct ev_loop *loop = ev_loop_new(0);
		dns_name_t name = apex();
		told_t told = { 0 };
		xfr_link_t *link =
			stream ? xfr_link_open(loop, &peer, &patient, 1, on_link_end, &link) : NULL;
		const xfr_poll_spec_t spec = { &peer, &patient, &name, .link = link };
		xfr_poll_t *poll = xfr_poll_start(loop, &spec, on_done, &told);

		run_until(loop, &never, 0.1);
		xfr_poll_stop(poll);
		run_until(loop, &never, 0.3);
		cr_expect(not(told.done));
		cr_expect(eq(uint, mood.connections, stream));
		cr_expect(link == NULL, "whose answer may still come is of no use any more");
		ev_loop_destroy(loop);
		server_stop(server);
	}
}

/* --- many on one link ------------------------------------------------------------------------- */

static void ask_two(mood_t *mood, told_t told[2])
{
	server_t *server = server_start(
		&(server_script_t){ .udp = answer_udp, .tcp = answer_tcp, .arg = mood });
	xfr_peer_t peer = server_peer(server);
	struct ev_loop *loop = ev_loop_new(0);
	dns_name_t name = apex();
	xfr_link_t *link = xfr_link_open(loop, &peer, &patient, 1, on_link_end, &link);
	const xfr_poll_spec_t spec = { &peer, &patient, &name, .link = link };

	for (int i = 0; i < 2; i++)
		cr_assert(xfr_poll_start(loop, &spec, on_done, &told[i]) != NULL);
	for (int i = 0; i < 2; i++)
		cr_assert(run_until(loop, &told[i].done, 10));
	xfr_link_close(link);
	ev_loop_destroy(loop);
	server_stop(server);
}

Test(xfr_poll, shares_a_link_with_others)
{
	mood_t mood = { .tcp_flags = DNS_AA };
	told_t told[2] = { 0 };

	ask_two(&mood, told);
	for (int i = 0; i < 2; i++)
		cr_expect(eq(u32, told[i].result.answer.soa.serial, 8));
	cr_expect(eq(uint, mood.connections, 1));
}

Test(xfr_poll, tells_when_the_link_ended_behind_the_answer_to_another)
{
	mood_t mood = { .tcp_flags = DNS_AA, .tcp_single = true };
	told_t told[2] = { 0 };

	ask_two(&mood, told);
	cr_expect(eq(u32, told[0].result.answer.soa.serial, 8));
	cr_expect(eq(int, told[0].result.next, XFR_POLL_DONE));
	cr_expect(eq(int, told[1].result.next, XFR_POLL_AGAIN));
	cr_expect(told[1].result.end.untouched);
	cr_expect(eq(uint, told[1].result.end.answered, 1));
}

Test(xfr_poll, waits_no_longer_for_an_answer_that_drips_in)
{
	const xfr_deadlines_t d = {
		.connect = 2, .udp_try = 0.1, .udp_tries = 3, .idle = 5, .total = 5
	};
	mood_t mood = { .flags = DNS_AA | DNS_TC, .tcp_flags = DNS_AA, .tcp_drip = 30000 };
	ev_tstamp before = ev_time();
	told_t told = ask_mood(&mood, &d);

	cr_expect(eq(int, told.result.why.code, XFR_WHY_NO_ANSWER), "%s", told.why);
	cr_expect(lt(dbl, ev_time() - before, 1.5), "it would be there after 1.8 s");
}

static void hear_nothing(void *arg, const uint8_t *msg, size_t len)
{
	(void)arg;
	(void)msg;
	(void)len;
}

static void end_nothing(void *arg, const xfr_ask_end_t *end)
{
	(void)arg;
	(void)end;
}

static const xfr_ask_calls_t no_calls = { .on_message = hear_nothing, .on_end = end_nothing };

/* Another question on the link, which the primary will answer. */
static xfr_ask_t *ask_beside(xfr_link_t *link)
{
	uint8_t msg[QUESTION_END] = { 0 };
	const uint16_t id = xfr_link_id(link);

	put_u16(msg, id);
	xfr_ask_t *other = xfr_ask_open(link, id, msg, sizeof msg, 0, &no_calls, NULL);
	cr_assert(other != NULL);
	return other;
}

Test(xfr_poll, is_not_ended_by_a_pause_of_another_question)
{
	const xfr_deadlines_t d = {
		.connect = 2, .udp_try = 0.1, .udp_tries = 3, .idle = 5, .total = 5
	};
	mood_t mood = { .tcp_flags = DNS_AA };
	server_t *server = server_start(&(server_script_t){ .tcp = answer_tcp, .arg = &mood });
	xfr_peer_t peer = server_peer(server);
	struct ev_loop *loop = ev_loop_new(0);
	dns_name_t name = apex();
	xfr_link_t *link = xfr_link_open(loop, &peer, &d, 1, on_link_end, &link);
	xfr_ask_t *other = ask_beside(link);
	const xfr_poll_spec_t spec = { &peer, &d, &name, .link = link };
	told_t told = { 0 };

	cr_assert(xfr_poll_start(loop, &spec, on_done, &told) != NULL);
	xfr_ask_pause(other, true);
	cr_expect(not(run_until(loop, &told.done, 3)), "%s", told.why);
	xfr_ask_pause(other, false);
	cr_assert(run_until(loop, &told.done, 5));
	cr_expect(eq(u32, told.result.answer.soa.serial, 8), "%s", told.why);
	xfr_ask_close(other, true);
	xfr_link_close(link);
	ev_loop_destroy(loop);
	server_stop(server);
}

/* --- TSIG ------------------------------------------------------------------------------------- */

typedef enum seal { SEAL_NONE, SEAL_TRUE, SEAL_FORGED } seal_t;

/* How the answers are signed: two by UDP, of which the first has another serial, and one by TCP. */
typedef struct seals {
	seal_t first, second, stream; /* SEAL_NONE of the first: it is not sent */
	bool unsigned_first;          /* ... but unsigned */
	dns_tsig_key_t key, other;
	_Atomic unsigned connections;
} seals_t;

static size_t sealed(const seals_t *s, seal_t how, const uint8_t *query, size_t query_len,
                     uint32_t serial, uint8_t out[512])
{
	size_t len = answer(query, DNS_AA, serial, out);
	signer_t signer;

	signer_start(&signer, how == SEAL_FORGED ? &s->other : &s->key, query, query_len);
	return how == SEAL_NONE ? len : signer_next(&signer, out, len, true, clock_wall_coarse());
}

static void sealed_udp(void *arg, const server_query_t *q)
{
	seals_t *s = arg;
	uint8_t out[512];

	if (s->first != SEAL_NONE || s->unsigned_first)
		server_reply(q, out, sealed(s, s->first, q->msg, q->len, 6, out));
	server_reply(q, out, sealed(s, s->second, q->msg, q->len, 7, out));
}

static void sealed_tcp(void *arg, int fd, unsigned nth)
{
	seals_t *s = arg;
	uint8_t query[65535], out[512];
	size_t len;

	(void)nth;
	s->connections++;
	while ((len = server_read(fd, query)) > 0)
		server_write(fd, out, sealed(s, s->stream, query, len, 8, out));
}

static told_t ask_sealed(seals_t *s)
{
	server_t *server =
		server_start(&(server_script_t){ .udp = sealed_udp, .tcp = sealed_tcp, .arg = s });
	xfr_peer_t peer = server_peer(server);

	s->key = signer_key("secret");
	s->other = signer_key("guessed");
	told_t told = ask_with(&peer, &patient, &s->key);
	server_stop(server);
	return told;
}

static const struct {
	const char *why;
	seals_t seals;
	xfr_why_code_t want;
	uint32_t serial; /* 0: no answer counts */
	unsigned connections;
} sealings[] = {
	{ "signed", { .second = SEAL_TRUE }, XFR_WHY_NONE, 7, 0 },
	{ "unsigned by UDP", { .stream = SEAL_TRUE }, XFR_WHY_NONE, 8, 1 },
	{ "forged by UDP", { .second = SEAL_FORGED, .stream = SEAL_TRUE }, XFR_WHY_NONE, 8, 1 },
	{ "a forged one in front of the true one",
	  { .first = SEAL_FORGED, .second = SEAL_TRUE, .stream = SEAL_TRUE },
	  XFR_WHY_NONE,
	  8,
	  1 },
	{ "an unsigned one in front of the true one",
	  { .unsigned_first = true, .second = SEAL_TRUE, .stream = SEAL_TRUE },
	  XFR_WHY_NONE,
	  8,
	  1 },
	{ "unsigned by both", { .stream = SEAL_NONE }, XFR_WHY_TSIG, 0, 1 },
	{ "forged by both", { .second = SEAL_FORGED, .stream = SEAL_FORGED }, XFR_WHY_TSIG, 0, 1 },
};

Test(xfr_poll, takes_only_what_is_signed_with_its_key)
{
	for (size_t i = 0; i < ARRAY_LEN(sealings); i++) {
		seals_t seals = { .first = sealings[i].seals.first,
			          .second = sealings[i].seals.second,
			          .stream = sealings[i].seals.stream,
			          .unsigned_first = sealings[i].seals.unsigned_first };
		told_t told = ask_sealed(&seals);

		cr_expect(eq(int, told.result.why.code, sealings[i].want), "%s: %s",
		          sealings[i].why, told.why);
		cr_expect(eq(u32, told.result.answer.soa.serial, sealings[i].serial), "%s",
		          sealings[i].why);
		cr_expect(eq(uint, seals.connections, sealings[i].connections), "%s",
		          sealings[i].why);
		cr_expect(eq(uint, told.by_udp, sealings[i].connections ? XFR_WHY_TSIG : 0), "%s",
		          sealings[i].why);
		cr_expect(eq(int, told.result.has_skew, sealings[i].serial != 0), "%s",
		          sealings[i].why);
		cr_expect(le(int, abs(told.result.skew), 1), "%s", sealings[i].why);
	}
}
