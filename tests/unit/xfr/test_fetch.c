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
#include "tests/unit/xfr/support/server.h"
#include "tests/unit/xfr/support/stream.h"
#include "xfr/fetch.h"

TestSuite(xfr_fetch, .timeout = 180);

static const xfr_deadlines_t patient = { .connect = 5, .idle = 5, .total = 30 };
static const zone_limits_t roomy = { .max_records = 10000000,
	                             .max_bytes = 4000000000,
	                             .max_rrset = 100 };

/* --- the primary ------------------------------------------------------------------------------ */

typedef enum then { THEN_WAIT, THEN_CLOSE, THEN_RESET } then_t;

typedef struct primary {
	const char *words; /* what it sends, in shorthand */
	size_t cut;        /* send so many octets only; 0: all */
	then_t then;
	bool dribble;                         /* octet by octet */
	unsigned huge;                        /* instead of words: so many messages of 60 KB */
	bool huge_open;                       /* leave the closing SOA out */
	uint16_t type, questions, additional; /* of the query that it got */
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

	while ((len = stream_message(&words, id, msg)) > 0)
		append(&wire, msg, len);
	if (p->cut)
		wire.len = p->cut;
	step = p->dribble ? 1 : wire.len;
	for (size_t at = 0; at < wire.len && server_write_raw(fd, wire.bytes + at, step);
	     at += step)
		;
	free(wire.bytes);
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
		p->additional = get_u16(msg + 10);
		p->type = get_u16(msg + 12 + 9);
		if (p->huge)
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

typedef struct rig {
	struct ev_loop *loop;
	pool_t *pool;
	xfr_env_t env;
	server_t *server;
	xfr_peer_t peer;
} rig_t;

typedef struct told {
	bool done;
	xfr_fetch_result_t result;
} told_t;

static void rig_open(rig_t *r, primary_t *primary, size_t builders)
{
	const siphash_key_t key = { 3, 4 };

	r->loop = ev_loop_new(0);
	r->pool = pool_new("builder", builders);
	cr_assert(r->pool != NULL);
	xfr_env_open(&r->env, r->loop, r->pool, &key);
	r->server = server_start(&(server_script_t){ .tcp = serve, .arg = primary });
	r->peer = server_peer(r->server);
}

static void rig_close(rig_t *r)
{
	pool_free(r->pool);
	xfr_env_close(&r->env);
	server_stop(r->server);
	ev_loop_destroy(r->loop);
}

static void on_done(void *arg, xfr_fetch_result_t *result)
{
	told_t *t = arg;

	cr_assert(not(t->done), "done comes once");
	t->done = true;
	t->result = *result;
}

static xfr_fetch_t *start(rig_t *r, const xfr_deadlines_t *d, const zone_limits_t *limits,
                          told_t *t)
{
	dns_name_t apex;

	cr_assert(eq(int, dns_name_from_text("Example.", &apex), ST_OK));
	xfr_fetch_t *f = xfr_fetch_start(&r->env, &r->peer, d, &apex, limits, on_done, t);
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

	cr_assert(eq(int, t.result.status, ST_OK), "%s", t.result.why);
	cr_assert(t.result.version != NULL);
	cr_expect(eq(str, t.result.why, (char *)""));
	cr_expect(eq(u32, t.result.soa.serial, 5));
	cr_expect(eq(u64, zone_version_records(t.result.version), 4));
	cr_expect(eq(u64, t.result.stats.outside, 1));
	cr_expect(eq(u64, t.result.stats.duplicates, 1));
	cr_expect(eq(u32, t.result.faults.single_ns, 1));
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

	cr_assert(eq(int, t.result.status, ST_OK), "%s", t.result.why);
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

		cr_assert(eq(int, t.result.status, ST_OK), "%s", t.result.why);
		zone_version_free(t.result.version);
	}
}

/* --- transfers that fail ---------------------------------------------------------------------- */

static const struct {
	const char *why;
	primary_t primary;
	status_t status;
	const char *words;
} failures[] = {
	{ "closed without an answer",
	  { .then = THEN_CLOSE },
	  ST_SHORT,
	  "connection closed without an answer" },
	{ "closed before the end",
	  { .words = "S5 ns | a", .then = THEN_CLOSE },
	  ST_SHORT,
	  "connection closed before the closing SOA" },
	{ "closed inside a message",
	  { .words = "S5 ns a S5", .cut = 40, .then = THEN_CLOSE },
	  ST_SHORT,
	  "connection closed inside a message" },
	{ "reset",
	  { .words = "S5 ns | a", .then = THEN_RESET },
	  ST_SYSTEM,
	  "Connection reset by peer" },
	{ "silence", { .then = THEN_WAIT }, ST_TIMEOUT, "primary fell silent" },
	{ "silence half way", { .words = "S5 ns | a" }, ST_TIMEOUT, "primary fell silent" },
	{ "another closing SOA",
	  { .words = "S8 ns | a S7" },
	  ST_MALFORMED,
	  "closing SOA has serial 7, opening one 8" },
	{ "a malformed record",
	  { .words = "S5 ns | short S5" },
	  ST_MALFORMED,
	  "malformed: A record at short.example." },
	{ "bad, then closed",
	  { .words = "S5 ns | short S5", .then = THEN_CLOSE },
	  ST_MALFORMED,
	  "malformed: A record at short.example." },
};

Test(xfr_fetch, says_why_it_failed)
{
	const xfr_deadlines_t quick = { .connect = 5, .idle = 0.3, .total = 30 };

	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		primary_t primary = failures[i].primary;
		const bool silent = failures[i].status == ST_TIMEOUT;
		told_t t = fetch(&primary, silent ? &quick : &patient, &roomy);

		cr_expect(eq(int, t.result.status, failures[i].status), "%s", failures[i].why);
		cr_expect(eq(str, t.result.why, (char *)failures[i].words), "%s", failures[i].why);
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

		cr_expect(eq(int, t.result.status, ST_SHORT), "%zu octets", cut);
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
	cr_expect(eq(int, t.result.status, ST_SYSTEM));
	cr_expect(eq(str, t.result.why, (char *)"Connection refused"));
	rig_close(&r);
}

Test(xfr_fetch, gives_up_at_the_total_deadline)
{
	const xfr_deadlines_t short_total = { .connect = 5, .idle = 5, .total = 0.3 };
	primary_t primary = { .words = "S5 ns | a" };
	told_t t = fetch(&primary, &short_total, &roomy);

	cr_expect(eq(int, t.result.status, ST_TIMEOUT));
	cr_expect(eq(str, t.result.why, (char *)"transfer not complete after 0.3 s"));
	cr_expect(ge(dbl, t.result.seconds, 0.25));
}

Test(xfr_fetch, refuses_a_zone_over_its_limits)
{
	const zone_limits_t few = { .max_records = 3, .max_bytes = 1000000, .max_rrset = 100 };
	const zone_limits_t thin = { .max_records = 100, .max_bytes = 1000000, .max_rrset = 0 };
	primary_t primary = { .words = "S5 ns a b c S5" };
	told_t t = fetch(&primary, &patient, &few);

	cr_expect(eq(int, t.result.status, ST_LIMIT));
	cr_expect(eq(str, t.result.why, (char *)"over max-records or max-bytes at record 4"));
	t = fetch(&primary, &patient, &thin);
	cr_expect(eq(int, t.result.status, ST_LIMIT));
	cr_expect(eq(str, t.result.why, (char *)"an RRset is over max-rrset"));
}

/* --- what is big ------------------------------------------------------------------------------ */

enum { HUGE_MESSAGES = 900 }; /* some 54 MB */

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
	cr_assert(eq(int, t.result.status, ST_OK), "%s", t.result.why);
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
	cr_expect(eq(int, t.result.status, ST_OK), "%s", t.result.why);
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
		cr_expect(eq(int, t[i].result.status, ST_OK), "%s", t[i].result.why);
		zone_version_free(t[i].result.version);
	}
	rig_close(&r);
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
