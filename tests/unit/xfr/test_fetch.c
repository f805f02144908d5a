/* tests/unit/xfr/test_fetch.c - whole transfers: a scripted primary, the loop, two builders. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "common/buf.h"
#include "dns/wire.h"
#include "tests/unit/support/wall.h"
#include "tests/unit/xfr/support/server.h"
#include "tests/unit/xfr/support/signer.h"
#include "tests/unit/xfr/support/stream.h"
#include "xfr/fetch.h"

TestSuite(xfr_fetch, .timeout = 180);

static const xfr_deadlines_t patient = { .connect = 5, .idle = 5, .total = 30 };
static const zone_limits_t roomy = {
	.max_records = 10000000, .max_bytes = 4000000000, .max_rrset = 100, .max_rrsets = 100
};

/* --- the primary ------------------------------------------------------------------------------ */

typedef enum then { THEN_WAIT, THEN_CLOSE, THEN_RESET } then_t;

typedef struct primary {
	const char *words; /* what it sends, in shorthand */
	size_t cut;        /* send so many octets only; 0: all */
	then_t then;
	bool dribble;           /* octet by octet */
	unsigned huge;          /* instead of words: so many messages of 60 KB */
	bool huge_open;         /* leave the closing SOA out */
	const _Atomic bool *go; /* half way, wait for it */
	bool hates_opt;         /* FORMERR to a query with OPT */
	/* Of the last query that it got. */
	uint16_t type, questions, authority, additional;
	unsigned queries;
} primary_t;

typedef struct wire {
	uint8_t *bytes;
	size_t len;
} wire_t;

static void append(wire_t *w, const uint8_t *msg, size_t len)
{
	w->bytes = realloc(w->bytes, w->len + 2 + len);
	put_u16(w->bytes + w->len, (unsigned)len);
	memcpy(w->bytes + w->len + 2, msg, len);
	w->len += 2 + len;
}

/* Hosts n.. of the zone as TXT records of some 200 octets. */
static size_t huge_message(uint16_t id, unsigned number, uint8_t *msg)
{
	const char *words = "x";
	bufw_t w = bufw_over(msg, 65535);
	unsigned count = 0;

	w.pos = stream_message(&words, id, msg) - 18; /* the record again, without its "x" */
	while (w.pos < 60000) {
		char label[16];
		int n = snprintf(label, sizeof label, "h%u-%u", number, count++);

		bufw_u8(&w, (unsigned)n);
		bufw_bytes(&w, label, (size_t)n);
		bufw_bytes(&w, "\300\14\0\20\0\1\0\0\16\20\0\310\307", 13);
		memset(bufw_take(&w, 199), 'x', 199);
	}
	put_u16(msg + 6, count);
	return w.pos;
}

static void serve_huge(const primary_t *p, int fd, uint16_t id, uint8_t *msg)
{
	const char *first = "S5 ns", *last = "S5";

	if (!server_write(fd, msg, stream_message(&first, id, msg)))
		return;
	for (unsigned i = 0; i < p->huge; i++) {
		while (p->go && i == p->huge / 2 && !atomic_load(p->go))
			usleep(1000);
		if (!server_write(fd, msg, huge_message(id, i, msg)))
			return;
	}
	if (!p->huge_open)
		server_write(fd, msg, stream_message(&last, id, msg));
}

static void serve_words(const primary_t *p, int fd, uint16_t id, uint8_t *msg)
{
	const char *words = p->words;
	wire_t wire = { 0 };
	size_t len, step;

	while ((len = stream_message_of(&words, id, p->type, msg)) > 0)
		append(&wire, msg, len);
	if (p->cut)
		wire.len = p->cut;
	step = p->dribble ? 1 : wire.len;
	for (size_t at = 0; at < wire.len && server_write_raw(fd, wire.bytes + at, step);
	     at += step)
		;
	free(wire.bytes);
}

/* As a server of before 1999 does: the header alone. */
static void refuse_opt(int fd, uint8_t *msg)
{
	put_u16(msg + 2, DNS_QR | DNS_RCODE_FORMERR);
	memset(msg + 4, 0, 8);
	server_write(fd, msg, DNS_HEADER_LEN);
}

static void serve(void *arg, int fd, unsigned nth)
{
	primary_t *p = arg;
	uint8_t *msg = malloc(65535);
	size_t len = server_read(fd, msg);

	(void)nth;
	if (len > 21) {
		const uint16_t id = get_u16(msg);

		p->questions = get_u16(msg + 4);
		p->authority = get_u16(msg + 8);
		p->additional = get_u16(msg + 10);
		p->type = get_u16(msg + 12 + 9);
		p->queries++;
		if (p->hates_opt && p->additional > 0)
			refuse_opt(fd, msg);
		else if (p->huge)
			serve_huge(p, fd, id, msg);
		else if (p->words)
			serve_words(p, fd, id, msg);
	}
	if (p->then == THEN_WAIT)
		server_await_close(fd);
	if (p->then == THEN_RESET)
		server_reset(fd);
	free(msg);
}

/* --- the daemon's side ------------------------------------------------------------------------ */

enum { LINKS_MAX = 64 };

typedef struct rig {
	struct ev_loop *loop;
	pool_t *pool;
	xfr_env_t env;
	server_t *server;
	xfr_peer_t peer;
	const zone_version_t *base; /* NULL: AXFR */
	zone_gates_t gates;
	uint64_t held;
	xfr_link_t *links[LINKS_MAX];
} rig_t;

typedef struct told {
	bool done, usable; /* link, when it was done */
	xfr_result_t result;
	char why[XFR_WHY_TEXT_MAX];
	/* To ask again as a caller does. */
	rig_t *rig;
	const xfr_deadlines_t *deadlines;
	const zone_limits_t *limits;
	xfr_link_t *link; /* to ask on; NULL: one of its own */
	const dns_tsig_key_t *key;
	bool plain, strict;
} told_t;

static const siphash_key_t key = { 3, 4 };
static const uint64_t plenty = UINT64_C(1) << 40;

static void rig_open_with(rig_t *r, primary_t *primary, size_t builders, uint64_t memory)
{
	*r = (rig_t){
		.loop = ev_loop_new(0),
		.gates = { .single_ns = ZONE_CHOICE_WARN, .max_iterations = 2500 },
	};
	r->pool = pool_new("builder", builders);
	cr_assert(r->pool != NULL);
	xfr_env_open(&r->env, r->loop, r->pool, &key, NULL, memory);
	r->server = server_start(&(server_script_t){ .tcp = serve, .arg = primary });
	r->peer = server_peer(r->server);
}

static void rig_open(rig_t *r, primary_t *primary, size_t builders)
{
	rig_open_with(r, primary, builders, plenty);
}

static void rig_close(rig_t *r)
{
	for (int i = 0; i < LINKS_MAX; i++)
		xfr_link_close(r->links[i]);
	pool_free(r->pool);
	xfr_env_close(&r->env);
	server_stop(r->server);
	ev_loop_destroy(r->loop);
}

static void on_link_end(void *arg, xfr_link_t *link)
{
	rig_t *r = arg;

	for (int i = 0; i < LINKS_MAX; i++) {
		if (r->links[i] == link)
			r->links[i] = NULL;
	}
	xfr_link_close(link);
}

/* A connection for each question. */
static xfr_link_t *new_link(rig_t *r, const xfr_deadlines_t *d)
{
	for (int i = 0; i < LINKS_MAX; i++) {
		if (!r->links[i])
			return r->links[i] =
			               xfr_link_open(r->loop, &r->peer, d, 0.02, on_link_end, r);
	}
	cr_fatal("too many links");
}

static void on_done(void *arg, xfr_result_t *result);

static xfr_fetch_t *begin(told_t *t)
{
	dns_name_t apex;

	cr_assert(eq(int, dns_name_from_text("Example.", &apex), ST_OK));
	const xfr_fetch_spec_t spec = {
		.link = t->link ? t->link : new_link(t->rig, t->deadlines),
		.deadlines = *t->deadlines,
		.apex = &apex,
		.limits = *t->limits,
		.gates = t->rig->gates,
		.held = t->rig->held,
		.base = t->rig->base,
		.plain = t->plain,
		.key = t->key,
		.strict = t->strict,
	};
	return xfr_fetch_start(&t->rig->env, &spec, on_done, t);
}

static void on_done(void *arg, xfr_result_t *result)
{
	told_t *t = arg;

	cr_assert(not(t->done), "done comes once");
	if (result->again && result->plain && !t->plain) {
		t->plain = true;
		cr_assert(begin(t) != NULL);
		return;
	}
	t->done = true;
	t->usable = t->link && xfr_link_usable(t->link);
	t->result = *result;
	xfr_why_text(&result->why, t->why);
}

static xfr_fetch_t *start(rig_t *r, const xfr_deadlines_t *d, const zone_limits_t *limits,
                          told_t *t)
{
	t->rig = r;
	t->deadlines = d;
	t->limits = limits;
	xfr_fetch_t *f = begin(t);
	cr_assert(f != NULL);
	cr_assert(not(t->done), "never from within the call");
	return f;
}

static told_t fetch(primary_t *primary, const xfr_deadlines_t *d, const zone_limits_t *limits)
{
	rig_t r;
	told_t t = { 0 };

	rig_open(&r, primary, 2);
	start(&r, d, limits, &t);
	cr_assert(run_until(r.loop, &t.done, 90)); /* under TSan, on a busy machine */
	rig_close(&r);
	return t;
}

/* --- sound transfers -------------------------------------------------------------------------- */

Test(xfr_fetch, turns_a_transfer_into_a_version)
{
	primary_t primary = { .words = "S5 ns a | b out | a S5" };
	told_t t = fetch(&primary, &patient, &roomy);

	cr_assert(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	cr_assert(t.result.version != NULL);
	cr_expect(eq(str, t.why, (char *)""));
	cr_expect(eq(u32, t.result.soa.serial, 5));
	cr_expect(eq(u64, zone_version_records(t.result.version), 4));
	cr_expect(eq(u64, t.result.stats.outside, 1));
	cr_expect(eq(u64, t.result.stats.duplicates, 1));
	cr_expect(eq(u32, t.result.verdict.count[ZONE_FAULT_SINGLE_NS], 1));
	cr_expect(eq(u64, t.result.messages, 3));
	cr_expect(gt(u64, t.result.bytes, 100));
	cr_expect(t.result.seconds > 0 && t.result.seconds < 5);
	cr_expect(eq(int, primary.type, DNS_TYPE_AXFR));
	cr_expect(eq(int, primary.questions, 1));
	zone_version_free(t.result.version);
}

Test(xfr_fetch, takes_a_transfer_that_comes_octet_by_octet)
{
	primary_t primary = { .words = "S5 ns | a | b | c S5", .dribble = true };
	told_t t = fetch(&primary, &patient, &roomy);

	cr_assert(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	cr_expect(eq(u64, zone_version_records(t.result.version), 5));
	zone_version_free(t.result.version);
}

Test(xfr_fetch, counts_a_zone_whole_when_the_primary_closes_behind_it)
{
	/* The verdict races with the end of the connection: it must win, each time. */
	for (int i = 0; i < 50; i++) {
		primary_t primary = { .words = "S5 ns | a | b | c S5",
			              .then = i % 2 ? THEN_CLOSE : THEN_WAIT };
		told_t t = fetch(&primary, &patient, &roomy);

		cr_assert(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
		zone_version_free(t.result.version);
	}
}

/* --- transfers that fail ---------------------------------------------------------------------- */

static const struct {
	const char *why;
	primary_t primary;
	xfr_why_kind_t kind;
	const char *words, *detail;
} failures[] = {
	{ "closed without an answer",
	  { .then = THEN_CLOSE },
	  XFR_WHY_OF_WAY,
	  "closed the connection without an answer",
	  "" },
	{ "closed before the end",
	  { .words = "S5 ns | a", .then = THEN_CLOSE },
	  XFR_WHY_OF_WAY,
	  "closed the connection before the closing SOA",
	  "" },
	{ "closed inside a message",
	  { .words = "S5 ns a S5", .cut = 40, .then = THEN_CLOSE },
	  XFR_WHY_OF_WAY,
	  "closed the connection inside a message",
	  "" },
	{ "reset",
	  { .words = "S5 ns | a", .then = THEN_RESET },
	  XFR_WHY_OF_WAY,
	  "Connection reset by peer",
	  "" },
	{ "silence", { .then = THEN_WAIT }, XFR_WHY_OF_WAY, "primary fell silent", "" },
	{ "silence half way", { .words = "S5 ns | a" }, XFR_WHY_OF_WAY, "primary fell silent", "" },
	{ "another closing SOA",
	  { .words = "S8 ns | a S7" },
	  XFR_WHY_OF_DATA,
	  "closing SOA has serial 7, opening one 8",
	  "" },
	{ "a malformed record",
	  { .words = "S5 ns | short S5" },
	  XFR_WHY_OF_DATA,
	  "malformed: A record",
	  "short.example. A" },
	{ "bad, then closed",
	  { .words = "S5 ns | short S5", .then = THEN_CLOSE },
	  XFR_WHY_OF_DATA,
	  "malformed: A record",
	  "short.example. A" },
};

Test(xfr_fetch, says_why_it_failed)
{
	const xfr_deadlines_t quick = { .connect = 5, .idle = 0.3, .total = 30 };

	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		primary_t primary = failures[i].primary;
		const bool silent = strcmp(failures[i].words, "primary fell silent") == 0;
		told_t t = fetch(&primary, silent ? &quick : &patient, &roomy);

		cr_expect(eq(int, t.result.outcome, XFR_FAILED), "%s", failures[i].why);
		cr_expect(eq(int, xfr_why_kind(&t.result.why), failures[i].kind), "%s",
		          failures[i].why);
		cr_expect(eq(str, t.why, (char *)failures[i].words), "%s", failures[i].why);
		cr_expect(eq(str, t.result.detail, (char *)failures[i].detail), "%s",
		          failures[i].why);
		cr_expect(t.result.version == NULL, "%s", failures[i].why);
	}
}

Test(xfr_fetch, takes_nothing_that_is_cut_at_any_octet)
{
	const char *words = "S5 ns | a | b S5";
	uint8_t msg[STREAM_ROOM];
	size_t whole = 0, len;

	for (const char *at = words; (len = stream_message(&at, 1, msg)) > 0;)
		whole += 2 + len;
	for (size_t cut = 1; cut < whole; cut++) {
		primary_t primary = { .words = words, .cut = cut, .then = THEN_CLOSE };
		told_t t = fetch(&primary, &patient, &roomy);

		cr_expect(eq(int, t.result.outcome, XFR_FAILED), "%zu octets", cut);
		cr_expect(t.result.version == NULL, "%zu octets", cut);
	}
}

Test(xfr_fetch, hears_of_a_closed_port_at_once)
{
	primary_t primary = { 0 };
	rig_t r;
	told_t t = { 0 };

	rig_open(&r, &primary, 1);
	r.peer = server_nobody();
	start(&r, &patient, &roomy, &t);
	cr_assert(run_until(r.loop, &t.done, 5));
	cr_expect(eq(int, t.result.outcome, XFR_FAILED));
	cr_expect(eq(str, t.why, (char *)"Connection refused"));
	rig_close(&r);
}

Test(xfr_fetch, gives_up_at_the_total_deadline)
{
	const xfr_deadlines_t short_total = { .connect = 5, .idle = 5, .total = 0.3 };
	primary_t primary = { .words = "S5 ns | a" };
	told_t t = fetch(&primary, &short_total, &roomy);

	cr_expect(eq(int, t.result.outcome, XFR_FAILED));
	cr_expect(eq(str, t.why, (char *)"transfer not complete after 0.3 s"));
	cr_expect(ge(dbl, t.result.seconds, 0.25));
}

Test(xfr_fetch, refuses_a_zone_over_its_limits)
{
	const zone_limits_t few = {
		.max_records = 3, .max_bytes = 1000000, .max_rrset = 100, .max_rrsets = 100
	};
	const zone_limits_t thin = {
		.max_records = 100, .max_bytes = 1000000, .max_rrset = 0, .max_rrsets = 100
	};
	primary_t primary = { .words = "S5 ns a b c S5" };
	told_t t = fetch(&primary, &patient, &few);

	cr_expect(eq(int, t.result.outcome, XFR_FAILED));
	cr_expect(eq(str, t.why, (char *)"over max-records = 3"));
	t = fetch(&primary, &patient, &thin);
	cr_expect(eq(int, t.result.outcome, XFR_FAILED));
	cr_expect(eq(str, t.why, (char *)"an RRset is over max-rrset = 0"));
}

Test(xfr_fetch, keeps_a_version_to_itself_that_a_gate_refuses)
{
	primary_t primary = { .words = "S5 ns a b c S5" };

	for (int enough = 0; enough < 2; enough++) {
		rig_t r;
		told_t t = { 0 };

		rig_open(&r, &primary, 2);
		r.gates.max_shrink = 50;
		r.held = enough ? 10 : 100;
		start(&r, &patient, &roomy, &t);
		cr_assert(run_until(r.loop, &t.done, 90));
		cr_expect(eq(int, t.result.outcome, enough ? XFR_AXFR : XFR_FAILED), "%s", t.why);
		cr_expect(eq(int, t.result.version != NULL, enough));
		cr_expect(eq(
			str, t.why,
			enough ? (char *)""
			       : (char *)"shrank from 100 records to 5, which is over max-shrink"));
		zone_version_free(t.result.version);
		rig_close(&r);
	}
}

Test(xfr_fetch, leaves_its_link_to_others_only_behind_a_whole_answer)
{
	for (int sound = 0; sound < 2; sound++) {
		primary_t primary = { .words = sound ? "S5 ns a S5" : "S5 ns | short S5" };
		rig_t r;
		told_t t = { 0 };

		rig_open(&r, &primary, 1);
		t.link = new_link(&r, &patient);
		start(&r, &patient, &roomy, &t);
		cr_assert(run_until(r.loop, &t.done, 30));
		cr_expect(eq(int, t.result.outcome, sound ? XFR_AXFR : XFR_FAILED), "%s", t.why);
		cr_expect(eq(int, t.usable, sound), "more of a bad one may come");
		zone_version_free(t.result.version);
		rig_close(&r);
	}
}

/* --- EDNS ------------------------------------------------------------------------------------- */

Test(xfr_fetch, asks_for_expire_and_hears_of_it)
{
	primary_t primary = { .words = "X:4321 S5 ns a S5" };
	told_t t = fetch(&primary, &patient, &roomy);

	cr_assert(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	cr_expect(t.result.has_expire);
	cr_expect(eq(u32, t.result.expire, 4321));
	cr_expect(not(t.result.plain));
	cr_expect(eq(int, primary.additional, 1));
	zone_version_free(t.result.version);
}

Test(xfr_fetch, asks_once_more_without_opt)
{
	primary_t primary = { .words = "S5 ns a S5", .hates_opt = true };
	told_t t = fetch(&primary, &patient, &roomy);

	cr_assert(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	cr_expect(t.result.plain);
	cr_expect(eq(uint, primary.queries, 2));
	cr_expect(eq(int, primary.additional, 0));
	zone_version_free(t.result.version);
}

/* --- IXFR ------------------------------------------------------------------------------------- */

/* A version that came by AXFR in these words. */
static zone_version_t *version_of(const char *words)
{
	primary_t primary = { .words = words };
	told_t t = fetch(&primary, &patient, &roomy);

	cr_assert(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	return t.result.version;
}

/* What comes of IXFR over base; the server is gone when it returns. */
static told_t fetch_over(primary_t *primary, const zone_version_t *base)
{
	rig_t r;
	told_t t = { 0 };

	rig_open(&r, primary, 2);
	r.base = base;
	start(&r, &patient, &roomy, &t);
	cr_assert(run_until(r.loop, &t.done, 30));
	rig_close(&r);
	return t;
}

static const struct {
	const char *why, *words;
	xfr_outcome_t outcome;
	const char *said;
	uint64_t records; /* of the version that is made; 0: none */
	then_t then;
} answers[] = {
	{ "differences", "S5 S3 a | S5 c d | S5", XFR_DIFFERENCE, "", 5, THEN_WAIT },
	{ "differences, then closed", "S5 S3 a S5 c d S5", XFR_DIFFERENCE, "", 5, THEN_CLOSE },
	{ "the whole zone", "S5 | ns a | S5", XFR_WHOLE, "", 3, THEN_WAIT },
	{ "we are current", "X:7 S3", XFR_CURRENT, "", 0, THEN_WAIT },
	{ "it is older", "S2", XFR_CURRENT, "", 0, THEN_CLOSE },
	{ "a newer SOA, then closed", "S5", XFR_FAILED,
	  "a single SOA with serial 5, newer than 3, and nothing behind", 0, THEN_CLOSE },
	{ "a newer SOA, then reset", "S5", XFR_FAILED,
	  "a single SOA with serial 5, newer than 3, and nothing behind", 0, THEN_RESET },
	{ "a newer SOA, then silence", "S5", XFR_FAILED,
	  "a single SOA with serial 5, newer than 3, and nothing behind", 0, THEN_WAIT },
	{ "cut", "S5 S3 a S5 c", XFR_FAILED, "closed the connection before the closing SOA", 0,
	  THEN_CLOSE },
	{ "no answer", NULL, XFR_FAILED, "closed the connection without an answer", 0, THEN_CLOSE },
	{ "removes what is not there", "S5 S3 z S5 S5", XFR_FAILED,
	  "removes what is not there: A record", 0, THEN_WAIT },
};

/* What the callee does with a version that it has no use for. */
static void free_result(xfr_result_t *r)
{
	zone_version_free(r->version);
	if (r->base)
		zone_version_unclaim(r->base);
}

Test(xfr_fetch, takes_ixfr_in_each_of_its_shapes)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		primary_t primary = { .words = answers[i].words, .then = answers[i].then };
		zone_version_t *base = version_of("S3 ns a b S3");
		told_t t = fetch_over(&primary, base);

		cr_expect(eq(int, t.result.outcome, answers[i].outcome), "%s: %s", answers[i].why,
		          t.why);
		cr_expect(eq(str, t.why, (char *)answers[i].said), "%s", answers[i].why);
		cr_expect(eq(u64, t.result.version ? zone_version_records(t.result.version) : 0,
		             answers[i].records),
		          "%s", answers[i].why);
		cr_expect(eq(int, primary.type, DNS_TYPE_IXFR), "%s", answers[i].why);
		cr_expect(eq(int, primary.authority, 1), "%s: our SOA", answers[i].why);
		cr_expect(lt(dbl, t.result.seconds, 4), "%s", answers[i].why);
		cr_expect(eq(ptr, (void *)(uintptr_t)t.result.base,
		             t.result.outcome == XFR_DIFFERENCE ? base : NULL));
		free_result(&t.result);
		/* Nobody holds it any more. */
		cr_expect(zone_version_claim(base), "%s", answers[i].why);
		zone_version_unclaim(base);
		zone_version_free(base);
	}
}

Test(xfr_fetch, asks_ixfr_again_without_opt)
{
	primary_t primary = { .words = "S5 S3 a S5 S5", .hates_opt = true };
	zone_version_t *base = version_of("S3 ns a b S3");
	told_t t = fetch_over(&primary, base);

	cr_expect(eq(int, t.result.outcome, XFR_DIFFERENCE), "%s", t.why);
	cr_expect(t.result.plain);
	cr_expect(eq(uint, primary.queries, 2));
	free_result(&t.result);
	zone_version_free(base);
}

Test(xfr_fetch, waits_longer_for_what_comes_behind_the_soa_in_time)
{
	primary_t primary = { .words = "S5 | - | S3 a | S5 c | S5", .dribble = true };
	zone_version_t *base = version_of("S3 ns a b S3");
	told_t t = fetch_over(&primary, base);

	cr_expect(eq(int, t.result.outcome, XFR_DIFFERENCE), "%s", t.why);
	free_result(&t.result);
	zone_version_free(base);
}

/* Hold the only builder until *arg is set. */
typedef struct blocker {
	pool_job_t job;
	_Atomic bool go;
} blocker_t;

static void block(pool_job_t *job)
{
	blocker_t *b = (blocker_t *)job;

	while (!atomic_load(&b->go))
		usleep(1000);
}

/* --- TSIG ------------------------------------------------------------------------------------- */

typedef struct signing {
	dns_tsig_key_t key;
	unsigned messages; /* between the first and the last, unsigned */
	bool last;         /* is signed, too */
} signing_t;

static void serve_signed(void *arg, int fd, unsigned nth)
{
	signing_t *p = arg;
	uint8_t msg[65535];
	const size_t asked = server_read(fd, msg);
	const uint16_t id = get_u16(msg);
	const wall_t now = clock_wall_coarse();
	signer_t signer;

	(void)nth;
	signer_start(&signer, &p->key, msg, asked);
	for (unsigned i = 0; i <= p->messages + 1; i++) {
		const bool first = i == 0, last = i == p->messages + 1;
		const char *words = first ? "S5 ns" : last ? "S5" : "a";
		size_t len = stream_message(&words, id, msg);

		len = signer_next(&signer, msg, len, first || (last && p->last), now);
		server_write(fd, msg, len);
	}
	server_await_close(fd);
}

static told_t fetch_signed(signing_t *signing, bool strict, bool held_up)
{
	server_t *primary = server_start(&(server_script_t){ .tcp = serve_signed, .arg = signing });
	blocker_t blocker = { .job.run = block };
	const bool never = false;
	primary_t unused = { 0 };
	rig_t r;
	told_t t = { .key = &signing->key, .strict = strict };

	rig_open(&r, &unused, 1);
	r.peer = server_peer(primary);
	if (held_up)
		pool_push(r.pool, &blocker.job);
	start(&r, &patient, &roomy, &t);
	if (held_up) {
		run_until(r.loop, &never, 0.5);
		wall_ahead = 1000; /* beyond any fudge */
		atomic_store(&blocker.go, true);
	}
	cr_assert(run_until(r.loop, &t.done, 30));
	wall_ahead = 0;
	zone_version_free(t.result.version);
	rig_close(&r);
	server_stop(primary);
	return t;
}

Test(xfr_fetch, takes_99_unsigned_messages_in_a_row_unless_it_is_strict)
{
	signing_t signing = { .key = signer_key("secret"), .messages = 99, .last = true };
	told_t t = fetch_signed(&signing, false, false);

	cr_expect(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	t = fetch_signed(&signing, true, false);
	cr_expect(eq(int, t.result.why.code, XFR_WHY_TSIG), "%s", t.why);
	cr_expect(eq(u32, t.result.why.a, DNS_TSIG_TOO_MANY_UNSIGNED));
	signing.messages = 0;
	t = fetch_signed(&signing, true, false);
	cr_expect(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
}

Test(xfr_fetch, takes_nothing_whose_last_message_is_unsigned)
{
	signing_t signing = { .key = signer_key("secret"), .messages = 5 };
	told_t t = fetch_signed(&signing, false, false);

	cr_expect(eq(int, t.result.why.code, XFR_WHY_TSIG), "%s", t.why);
	cr_expect(eq(u32, t.result.why.a, DNS_TSIG_LAST_UNSIGNED));
}

Test(xfr_fetch, judges_the_time_of_a_signature_by_when_it_came)
{
	signing_t signing = { .key = signer_key("secret"), .messages = 2, .last = true };
	told_t t = fetch_signed(&signing, false, true);

	cr_expect(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
}

/* --- what is big ------------------------------------------------------------------------------ */

enum { HUGE_MESSAGES = 900 }; /* some 54 MB */

Test(xfr_fetch, lets_a_primary_wait_while_the_builder_is_busy)
{
	primary_t primary = { .huge = HUGE_MESSAGES };
	const bool never = false;
	blocker_t blocker = { .job.run = block };
	rig_t r;
	told_t t = { 0 };

	rig_open(&r, &primary, 1);
	pool_push(r.pool, &blocker.job);
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	start(&r, &patient, &roomy, &t);
	run_until(r.loop, &never, 1);
	size_t held = mallinfo2().uordblks + mallinfo2().hblkhd - before;

	cr_expect(not(t.done));
	cr_expect(lt(sz, held, 8u << 20), "4 MiB of queue, a buffer, a little overhead");
	atomic_store(&blocker.go, true);
	cr_assert(run_until(r.loop, &t.done, 90)); /* under TSan, on a busy machine */
	cr_assert(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	cr_expect(eq(u64, t.result.messages, HUGE_MESSAGES + 2));
	cr_expect(gt(u64, t.result.bytes, 50000000));
	cr_expect(eq(u64, zone_version_records(t.result.version), t.result.stats.added));
	cr_expect(gt(u64, t.result.stats.added, 240000));
	zone_version_free(t.result.version);
	rig_close(&r);
}

Test(xfr_fetch, judges_what_is_queued_before_it_believes_the_end)
{
	primary_t primary = { .words = "S5 ns | a | b S5", .then = THEN_CLOSE };
	const bool never = false;
	blocker_t blocker = { .job.run = block };
	rig_t r;
	told_t t = { 0 };

	rig_open(&r, &primary, 1);
	pool_push(r.pool, &blocker.job);
	start(&r, &patient, &roomy, &t);
	run_until(r.loop, &never, 0.3); /* all is here, and the connection is gone */
	cr_expect(not(t.done));
	atomic_store(&blocker.go, true);
	cr_assert(run_until(r.loop, &t.done, 5));
	cr_expect(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	zone_version_free(t.result.version);
	rig_close(&r);
}

Test(xfr_fetch, keeps_zones_apart_that_come_at_once)
{
	enum { ZONES = 8 };
	primary_t primary = { .words = "S5 ns | a | b S5" };
	rig_t r;
	told_t t[ZONES] = { 0 };

	rig_open(&r, &primary, 3);
	for (size_t i = 0; i < ZONES; i++)
		start(&r, &patient, &roomy, &t[i]);
	for (size_t i = 0; i < ZONES; i++) {
		cr_assert(run_until(r.loop, &t[i].done, 10));
		cr_expect(eq(int, t[i].result.outcome, XFR_AXFR), "%s", t[i].why);
		zone_version_free(t[i].result.version);
	}
	rig_close(&r);
}

/* --- memory and pace -------------------------------------------------------------------------- */

Test(xfr_fetch, refuses_the_second_when_memory_is_short)
{
	primary_t primary = { .huge = 100, .huge_open = true };
	rig_t r;
	told_t first = { 0 }, second = { 0 };
	const bool never = false;

	/* The server takes one at a time: two of them. */
	primary_t other = { .huge = 100 };
	server_t *more = server_start(&(server_script_t){ .tcp = serve, .arg = &other });
	rig_open_with(&r, &primary, 2, 4u << 20);
	xfr_fetch_t *f = start(&r, &patient, &roomy, &first);
	run_until(r.loop, &never, 0.5);
	cr_expect(not(first.done), "alone it may take what it needs");
	r.peer = server_peer(more);
	start(&r, &patient, &roomy, &second);
	cr_assert(run_until(r.loop, &second.done, 30));
	cr_expect(eq(int, second.result.outcome, XFR_FAILED));
	cr_expect(eq(str, second.why, (char *)"transfers under way are over transfer-memory = 4M"));
	xfr_fetch_stop(f);
	run_until(r.loop, &never, 0.1);
	second = (told_t){ 0 };
	start(&r, &patient, &roomy, &second);
	cr_assert(run_until(r.loop, &second.done, 30));
	cr_expect(eq(int, second.result.outcome, XFR_AXFR), "what was held is free again: %s",
	          second.why);
	zone_version_free(second.result.version);
	server_stop(more);
	rig_close(&r);
}

/* The sum of all, when no builder has changed it for a while. */
static uint64_t settled_memory(rig_t *r)
{
	const bool never = false;
	uint64_t now = 0;

	for (int same = 0; same < 5;) {
		const uint64_t before = now;

		run_until(r->loop, &never, 0.2);
		pthread_mutex_lock(&r->env.builders.mutex);
		now = r->env.builders.memory;
		pthread_mutex_unlock(&r->env.builders.mutex);
		same = now > 0 && now == before ? same + 1 : 0;
	}
	return now;
}

Test(xfr_fetch, lets_the_largest_finish_beside_a_newcomer)
{
	_Atomic bool go = false;
	primary_t big = { .huge = 200, .go = &go }, small = { .huge = 30, .huge_open = true };
	server_t *other = server_start(&(server_script_t){ .tcp = serve, .arg = &small });
	rig_t r;
	told_t first = { 0 }, second = { 0 };

	rig_open(&r, &big, 2);
	start(&r, &patient, &roomy, &first);
	const uint64_t half = settled_memory(&r);
	r.peer = server_peer(other);
	xfr_fetch_t *f = start(&r, &patient, &roomy, &second);
	const uint64_t both = settled_memory(&r);
	cr_assert(gt(u64, both - half, 1 << 20), "more than what is always allowed");
	r.env.builders.memory_most = both;
	atomic_store(&go, true);
	cr_assert(run_until(r.loop, &first.done, 30));
	cr_expect(eq(int, first.result.outcome, XFR_AXFR), "%s", first.why);
	cr_expect(not(second.done), "it has not grown: %s", second.why);
	cr_expect(eq(u64, settled_memory(&r), both - half), "what is done takes nothing");
	zone_version_free(first.result.version);
	xfr_fetch_stop(f);
	server_stop(other);
	rig_close(&r);
}

Test(xfr_fetch, gives_a_small_one_its_memory_whatever_others_take)
{
	primary_t big = { .huge = 100, .huge_open = true }, small = { .huge = 5 };
	server_t *other = server_start(&(server_script_t){ .tcp = serve, .arg = &small });
	rig_t r;
	told_t first = { 0 }, second = { 0 };

	rig_open_with(&r, &big, 2, 1u << 20);
	xfr_fetch_t *f = start(&r, &patient, &roomy, &first);
	(void)settled_memory(&r);
	r.peer = server_peer(other);
	start(&r, &patient, &roomy, &second);
	cr_assert(run_until(r.loop, &second.done, 30));
	cr_expect(eq(int, second.result.outcome, XFR_AXFR), "%s", second.why);
	cr_expect(not(first.done), "%s", first.why);
	zone_version_free(second.result.version);
	xfr_fetch_stop(f);
	server_stop(other);
	rig_close(&r);
}

Test(xfr_fetch, gives_up_a_primary_that_is_too_slow)
{
	const xfr_deadlines_t paced = {
		.connect = 5, .idle = 5, .total = 30, .min_rate = 100000000, .rate_window = 0.01
	};
	primary_t primary = { .words = "S5 ns | big | S5", .dribble = true };
	told_t t = fetch(&primary, &paced, &roomy);

	cr_expect(eq(int, t.result.outcome, XFR_FAILED));
	cr_expect(eq(int, t.result.why.code, XFR_WHY_TOO_SLOW), "%s", t.why);
	cr_expect(eq(u32, t.result.why.b, 100000000));
}

Test(xfr_fetch, does_not_blame_a_primary_for_our_own_pauses)
{
	const xfr_deadlines_t paced = {
		.connect = 5, .idle = 30, .total = 60, .min_rate = 1, .rate_window = 0.5
	};
	primary_t primary = { .huge = HUGE_MESSAGES };
	const bool never = false;
	blocker_t blocker = { .job.run = block };
	rig_t r;
	told_t t = { 0 };

	rig_open(&r, &primary, 1);
	pool_push(r.pool, &blocker.job);
	start(&r, &paced, &roomy, &t);
	run_until(r.loop, &never, 1);
	cr_expect(not(t.done), "%s", t.why);
	atomic_store(&blocker.go, true);
	cr_assert(run_until(r.loop, &t.done, 90));
	cr_expect(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	zone_version_free(t.result.version);
	rig_close(&r);
}

/* Gives the first question back, and answers the second one late. */
static void serve_late(void *arg, int fd, unsigned nth)
{
	const char *words = "S5 ns a S5";
	uint8_t msg[65535];
	size_t len = server_read(fd, msg);

	(void)nth;
	server_write(fd, msg, len);
	server_read(fd, msg);
	usleep(*(unsigned *)arg * 1000);
	const uint16_t id = get_u16(msg);
	while ((len = stream_message(&words, id, msg)) > 0)
		server_write(fd, msg, len);
	server_await_close(fd);
}

static void hear_other(void *arg, const uint8_t *msg, size_t len)
{
	(void)msg;
	(void)len;
	*(bool *)arg = true;
}

static void end_other(void *arg, const xfr_ask_end_t *end)
{
	(void)arg;
	(void)end;
}

static const xfr_ask_calls_t other_calls = { .on_message = hear_other, .on_end = end_other };

/* Another question, on a link that it shares. */
static xfr_ask_t *ask_beside(xfr_link_t *link, bool *heard)
{
	uint8_t msg[DNS_HEADER_LEN] = { 0 };
	const uint16_t id = xfr_link_id(link);

	put_u16(msg, id);
	xfr_ask_t *ask = xfr_ask_open(link, id, msg, sizeof msg, 0, &other_calls, heard);
	cr_assert(ask != NULL);
	return ask;
}

/* The primary is late with its first octet, or a neighbour stops reading: neither is its pace. */
Test(xfr_fetch, measures_the_pace_of_its_own_answer)
{
	const xfr_deadlines_t paced = {
		.connect = 5, .idle = 10, .total = 60, .min_rate = 100, .rate_window = 0.3
	};

	for (int pause = 0; pause < 2; pause++) {
		unsigned late_ms = pause ? 0 : 1000;
		bool heard = false;
		server_t *late =
			server_start(&(server_script_t){ .tcp = serve_late, .arg = &late_ms });
		primary_t unused = { 0 };
		rig_t r;
		told_t t = { 0 };

		rig_open(&r, &unused, 1);
		r.peer = server_peer(late);
		t.link = new_link(&r, &patient);
		xfr_ask_t *other = ask_beside(t.link, &heard);
		cr_assert(run_until(r.loop, &heard, 5));
		start(&r, &paced, &roomy, &t);
		xfr_ask_pause(other, pause);
		if (pause)
			cr_expect(not(run_until(r.loop, &t.done, 1.2)), "%s", t.why);
		xfr_ask_pause(other, false);
		cr_assert(run_until(r.loop, &t.done, 30));
		cr_expect(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
		zone_version_free(t.result.version);
		xfr_ask_close(other, true);
		rig_close(&r);
		server_stop(late);
	}
}

enum { SHARING = 3 };

/* Some 60 octets every 10 ms, to each of those that share the connection in turn. */
static void serve_trickle(void *arg, int fd, unsigned nth)
{
	const char *words[SHARING];
	uint16_t ids[SHARING];
	uint8_t msg[65535];
	bool open = true;

	(void)arg;
	(void)nth;
	for (int i = 0; i < SHARING; i++) {
		server_read(fd, msg);
		ids[i] = get_u16(msg);
		words[i] = "S5 ns";
	}
	for (unsigned n = 0; open && n < 2000; n++) {
		const int i = (int)(n % SHARING);

		open = server_write(fd, msg, stream_message(&words[i], ids[i], msg));
		words[i] = "a";
		usleep(10000);
	}
}

Test(xfr_fetch, gives_up_those_that_share_a_trickle)
{
	/* Together they have 6000 octets a second at most; 2000 each. */
	const xfr_deadlines_t paced = {
		.connect = 5, .idle = 10, .total = 60, .min_rate = 3000, .rate_window = 0.4
	};
	server_t *trickle = server_start(&(server_script_t){ .tcp = serve_trickle });
	primary_t unused = { 0 };
	rig_t r;
	told_t t[SHARING] = { 0 };

	rig_open(&r, &unused, 1);
	r.peer = server_peer(trickle);
	xfr_link_t *link = new_link(&r, &patient);
	for (int i = 0; i < SHARING; i++) {
		t[i].link = link;
		start(&r, &paced, &roomy, &t[i]);
	}
	for (int i = 0; i < SHARING; i++) {
		cr_assert(run_until(r.loop, &t[i].done, 8));
		cr_expect(eq(int, t[i].result.why.code, XFR_WHY_TOO_SLOW), "%s", t[i].why);
	}
	rig_close(&r);
	server_stop(trickle);
}

/* --- stopping --------------------------------------------------------------------------------- */

Test(xfr_fetch, may_be_stopped_at_any_moment)
{
	unsigned seed = 20240229; /* fixed, so that a failure comes again */
	unsigned stopped = 0;

	for (int round = 0; round < 120; round++) {
		primary_t primary = { .huge = 40, .huge_open = round % 4 == 0 };
		const bool never = false;
		rig_t r;
		told_t t = { 0 };

		rig_open(&r, &primary, 1 + (size_t)round % 2);
		xfr_fetch_t *f = start(&r, &patient, &roomy, &t);
		double delay = (rand_r(&seed) % 1000) * 0.00004; /* up to 40 ms */

		if (delay > 0.001)
			run_until(r.loop, &never, delay);
		if (!t.done) {
			xfr_fetch_stop(f);
			stopped++;
			if (round % 3 == 0)
				run_until(r.loop, &never, 0.005);
		} else {
			zone_version_free(t.result.version);
		}
		rig_close(&r);
		cr_expect(t.done == (t.result.messages > 0), "seed 20240229, round %d", round);
	}
	cr_expect(gt(uint, stopped, 20));
}

/* The base is retired as soon as the fetch is stopped: a builder may be in the midst of it. */
Test(xfr_fetch, may_lose_its_base_once_it_is_stopped)
{
	unsigned seed = 19960801;

	for (int round = 0; round < 100; round++) {
		primary_t primary = { .words = "S6 S3 a S6 | c d e f | g h i j | S6",
			              .dribble = round % 2 };
		zone_version_t *base = version_of("S3 ns a b S3");
		const bool never = false;
		rig_t r;
		told_t t = { 0 };

		rig_open(&r, &primary, 1 + (size_t)round % 2);
		r.base = base;
		xfr_fetch_t *f = start(&r, &patient, &roomy, &t);
		run_until(r.loop, &never, (rand_r(&seed) % 1000) * 0.000005);
		if (!t.done)
			xfr_fetch_stop(f);
		else
			zone_version_free(t.result.version);
		zone_version_free(base);
		rig_close(&r);
	}
}

Test(xfr_fetch, takes_the_whole_zone_while_its_base_is_held)
{
	primary_t primary = { .words = "S5 ns c S5" };
	zone_version_t *base = version_of("S3 ns a b S3");
	cr_assert(zone_version_claim(base));
	told_t t = fetch_over(&primary, base);

	cr_expect(eq(int, t.result.outcome, XFR_AXFR), "%s", t.why);
	cr_expect(eq(int, primary.type, DNS_TYPE_AXFR));
	zone_version_free(t.result.version);
	zone_version_unclaim(base);
	zone_version_free(base);
}

Test(xfr_fetch, may_be_stopped_while_its_verdict_is_under_way)
{
	primary_t primary = { .words = "S5 ns a S5" };
	const bool never = false;
	blocker_t blocker = { .job.run = block };
	rig_t r;
	told_t t = { 0 };

	rig_open(&r, &primary, 1);
	pool_push(r.pool, &blocker.job);
	xfr_fetch_t *f = start(&r, &patient, &roomy, &t);
	run_until(r.loop, &never, 0.2);
	atomic_store(&blocker.go, true);
	usleep(200000); /* the builder seals and mails; this loop does not turn */
	xfr_fetch_stop(f);
	run_until(r.loop, &never, 0.1);
	cr_expect(not(t.done));
	rig_close(&r);
}
