/* tests/unit/xfr/test_conn.c - the stream against a peer that writes as it likes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <unistd.h>

#include "tests/unit/xfr/support/server.h"
#include "xfr/conn.h"

TestSuite(xfr_conn, .timeout = 20);

static const xfr_deadlines_t patient = { .connect = 5, .idle = 5, .total = 10 };

/* What the callbacks saw. */
typedef struct seen {
	struct ev_loop *loop;
	xfr_conn_t *conn;
	size_t messages, octets, gulps, turns;
	size_t last_len;
	size_t close_at; /* close from within this message */
	size_t pause_at;
	bool ended, enough;
	size_t want; /* messages for enough */
	xfr_conn_end_t how;
	int sys_errno;
} seen_t;

static void on_message(void *arg, const uint8_t *msg, size_t len)
{
	seen_t *s = arg;

	for (size_t i = 0; i < len; i++)
		cr_assert(eq(u8, msg[i], (uint8_t)len), "message %zu", s->messages);
	s->messages++;
	s->octets += len;
	s->last_len = len;
	s->enough = s->messages == s->want;
	if (s->messages == s->close_at) {
		xfr_conn_close(s->conn);
		s->conn = NULL;
		s->enough = true;
	} else if (s->messages == s->pause_at) {
		xfr_conn_pause(s->conn, true);
		s->enough = true;
	}
}

static void on_gulp(void *arg)
{
	((seen_t *)arg)->gulps++;
}

static void on_end(void *arg, xfr_conn_end_t how, int sys_errno)
{
	seen_t *s = arg;

	cr_assert(not(s->ended), "on_end comes once");
	s->ended = true;
	s->how = how;
	s->sys_errno = sys_errno;
}

static const xfr_conn_calls_t calls = { on_message, on_gulp, on_end };

static void open_to(seen_t *s, const xfr_peer_t *peer, const xfr_deadlines_t *deadlines)
{
	s->loop = ev_loop_new(0);
	s->conn = xfr_conn_open(s->loop, peer, deadlines, &calls, s);
	cr_assert(s->conn != NULL);
}

static void close_all(seen_t *s)
{
	xfr_conn_close(s->conn);
	ev_loop_destroy(s->loop);
}

/* --- scripts ---------------------------------------------------------------------------------- */

static void put(uint8_t *msg, size_t len)
{
	memset(msg, (int)(len & 0xff), len);
}

static void write_lengths(void *arg, int fd, unsigned nth)
{
	static const size_t lengths[] = { 1, 0, 12, 65535, 300 };
	uint8_t *msg = malloc(65535);

	(void)arg;
	(void)nth;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		put(msg, lengths[i]);
		server_write(fd, msg, lengths[i]);
	}
	free(msg);
}

Test(xfr_conn, delivers_messages_of_any_length_then_says_that_the_peer_closed)
{
	seen_t s = { 0 };
	server_t *server = server_start(&(server_script_t){ .tcp = write_lengths });
	xfr_peer_t peer = server_peer(server);

	open_to(&s, &peer, &patient);
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(int, s.how, XFR_CONN_CLOSED));
	cr_expect(eq(sz, s.messages, 5));
	cr_expect(eq(sz, s.octets, 65848));
	cr_expect(s.gulps > 0 && s.gulps <= 5);
	close_all(&s);
	server_stop(server);
}

static void write_one_by_one(void *arg, int fd, unsigned nth)
{
	uint8_t wire[2 + 40 + 2 + 3] = { 0, 40 };

	(void)arg;
	(void)nth;
	put(wire + 2, 40);
	wire[43] = 3;
	put(wire + 44, 3);
	for (size_t i = 0; i < sizeof wire; i++) {
		server_write_raw(fd, wire + i, 1);
		usleep(500);
	}
}

Test(xfr_conn, puts_a_message_together_that_comes_octet_by_octet)
{
	seen_t s = { 0 };
	server_t *server = server_start(&(server_script_t){ .tcp = write_one_by_one });
	xfr_peer_t peer = server_peer(server);

	open_to(&s, &peer, &patient);
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(int, s.how, XFR_CONN_CLOSED));
	cr_expect(eq(sz, s.messages, 2));
	cr_expect(eq(sz, s.octets, 43));
	close_all(&s);
	server_stop(server);
}

/* Closes after *arg octets of a message of ten. */
static void write_part(void *arg, int fd, unsigned nth)
{
	uint8_t wire[12] = { 0, 10 };

	(void)nth;
	put(wire + 2, 10);
	server_write_raw(fd, wire, *(size_t *)arg);
}

Test(xfr_conn, tells_a_close_inside_a_message_from_one_between_two)
{
	for (size_t n = 0; n <= 12; n++) {
		seen_t s = { 0 };
		server_t *server = server_start(&(server_script_t){ .tcp = write_part, .arg = &n });
		xfr_peer_t peer = server_peer(server);

		open_to(&s, &peer, &patient);
		cr_assert(run_until(s.loop, &s.ended, 5));
		cr_expect(eq(int, s.how, n % 12 == 0 ? XFR_CONN_CLOSED : XFR_CONN_CUT), "%zu", n);
		cr_expect(eq(sz, s.messages, n / 12), "%zu", n);
		close_all(&s);
		server_stop(server);
	}
}

static void reset_at_once(void *arg, int fd, unsigned nth)
{
	(void)arg;
	(void)nth;
	server_write_raw(fd, "\0\12", 2);
	server_reset(fd);
}

Test(xfr_conn, reports_a_reset_with_its_errno)
{
	seen_t s = { 0 };
	server_t *server = server_start(&(server_script_t){ .tcp = reset_at_once });
	xfr_peer_t peer = server_peer(server);

	open_to(&s, &peer, &patient);
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(int, s.how, XFR_CONN_ERROR));
	cr_expect(eq(int, s.sys_errno, ECONNRESET));
	close_all(&s);
	server_stop(server);
}

Test(xfr_conn, reports_a_refused_connect_from_the_loop)
{
	seen_t s = { 0 };
	xfr_peer_t peer = server_nobody();

	open_to(&s, &peer, &patient);
	cr_expect(not(s.ended), "never from within the call");
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(int, s.how, XFR_CONN_ERROR));
	cr_expect(eq(int, s.sys_errno, ECONNREFUSED));
	close_all(&s);
}

Test(xfr_conn, reports_a_source_that_is_not_ours_from_the_loop)
{
	seen_t s = { 0 };
	xfr_peer_t peer = server_nobody();

	peer.has_source = true;
	cr_assert(eq(int, addr_parse("192.0.2.77", 0, &peer.source), ST_OK));
	open_to(&s, &peer, &patient);
	cr_expect(not(s.ended));
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(int, s.how, XFR_CONN_ERROR));
	cr_expect(eq(int, s.sys_errno, EADDRNOTAVAIL));
	close_all(&s);
}

/* Notes where the connection came from. */
static void note_source(void *arg, int fd, unsigned nth)
{
	struct sockaddr_in from;
	socklen_t len = sizeof from;

	(void)nth;
	if (getpeername(fd, (struct sockaddr *)&from, &len) == 0)
		*(in_addr_t *)arg = ntohl(from.sin_addr.s_addr);
}

Test(xfr_conn, comes_from_the_source_address_that_was_asked_for)
{
	seen_t s = { 0 };
	in_addr_t from = 0;
	server_t *server = server_start(&(server_script_t){ .tcp = note_source, .arg = &from });
	xfr_peer_t peer = server_peer(server);

	peer.has_source = true;
	cr_assert(eq(int, addr_parse("127.0.0.9", 0, &peer.source), ST_OK));
	open_to(&s, &peer, &patient);
	cr_assert(run_until(s.loop, &s.ended, 5));
	server_stop(server);
	cr_expect(eq(u32, from, 0x7f000009));
	close_all(&s);
}

Test(xfr_conn, gives_up_on_a_peer_that_says_nothing)
{
	const xfr_deadlines_t short_idle = { .connect = 5, .idle = 0.2, .total = 10 };
	seen_t s = { 0 };
	server_t *server = server_start(&(server_script_t){ 0 });
	xfr_peer_t peer = server_peer(server);

	open_to(&s, &peer, &short_idle);
	ev_tstamp before = ev_time();
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(int, s.how, XFR_CONN_IDLE));
	cr_expect(ge(dbl, ev_time() - before, 0.15));
	close_all(&s);
	server_stop(server);
}

/* An octet every 0.1 s for 0.5 s, then silence. */
static void drip(void *arg, int fd, unsigned nth)
{
	(void)arg;
	(void)nth;
	server_write_raw(fd, "\377\377", 2);
	for (int i = 0; i < 5; i++) {
		usleep(100000);
		server_write_raw(fd, "\377", 1);
	}
	server_await_close(fd);
}

Test(xfr_conn, counts_silence_from_the_last_octet)
{
	const xfr_deadlines_t short_idle = { .connect = 5, .idle = 0.3, .total = 10 };
	seen_t s = { 0 };
	server_t *server = server_start(&(server_script_t){ .tcp = drip });
	xfr_peer_t peer = server_peer(server);

	open_to(&s, &peer, &short_idle);
	ev_tstamp before = ev_time();
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(int, s.how, XFR_CONN_IDLE));
	cr_expect(ge(dbl, ev_time() - before, 0.7), "0.5 s of dripping and 0.3 s of silence");
	close_all(&s);
	server_stop(server);
}

/* A message at once, another 0.1 s later. */
static void write_twice(void *arg, int fd, unsigned nth)
{
	(void)arg;
	(void)nth;
	server_write_raw(fd, "\0\1\1", 3);
	usleep(100000);
	server_write_raw(fd, "\0\1\1", 3);
	server_await_close(fd);
}

Test(xfr_conn, does_not_blame_the_peer_for_a_loop_that_was_held_up)
{
	const xfr_deadlines_t short_idle = { .connect = 5, .idle = 0.4, .total = 10 };
	seen_t s = { .want = 1 };
	server_t *server = server_start(&(server_script_t){ .tcp = write_twice });
	xfr_peer_t peer = server_peer(server);

	open_to(&s, &peer, &short_idle);
	cr_assert(run_until(s.loop, &s.enough, 5));
	usleep(600000); /* the second message waits in the socket, the deadline has passed */
	s.enough = false;
	s.want = 2;
	ev_run(s.loop, EVRUN_ONCE);
	cr_expect(s.enough);
	cr_expect(not(s.ended));
	close_all(&s);
	server_stop(server);
}

Test(xfr_conn, gives_up_on_a_connect_that_is_not_answered)
{
	const xfr_deadlines_t short_connect = { .connect = 0.2, .idle = 5, .total = 10 };
	seen_t s = { 0 };
	const xfr_peer_t peer = server_deaf();

	open_to(&s, &peer, &short_connect);
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(int, s.how, XFR_CONN_NO_CONNECT));
	close_all(&s);
}

static void echo(void *arg, int fd, unsigned nth)
{
	uint8_t *msg = malloc(65535);
	size_t len;

	(void)arg;
	(void)nth;
	while ((len = server_read(fd, msg)) > 0)
		server_write(fd, msg, len);
	free(msg);
}

Test(xfr_conn, sends_what_is_queued_before_and_after_the_connect)
{
	seen_t s = { .want = 3 };
	server_t *server = server_start(&(server_script_t){ .tcp = echo });
	xfr_peer_t peer = server_peer(server);
	uint8_t *msg = malloc(65535);

	open_to(&s, &peer, &patient);
	put(msg, 20);
	cr_expect(eq(int, xfr_conn_send(s.conn, msg, 20), ST_OK));
	put(msg, 65535);
	cr_expect(eq(int, xfr_conn_send(s.conn, msg, 65535), ST_OK));
	cr_expect(eq(int, xfr_conn_send(s.conn, msg, 65536), ST_LIMIT));
	s.want = 2;
	cr_assert(run_until(s.loop, &s.enough, 5));
	put(msg, 30);
	cr_expect(eq(int, xfr_conn_send(s.conn, msg, 30), ST_OK));
	s.enough = false;
	s.want = 3;
	cr_assert(run_until(s.loop, &s.enough, 5));
	cr_expect(eq(sz, s.octets, 20 + 65535 + 30));
	close_all(&s);
	free(msg);
	server_stop(server);
}

Test(xfr_conn, queues_so_much_and_no_more)
{
	seen_t s = { 0 };
	xfr_peer_t peer = server_nobody();
	uint8_t *msg = calloc(1, 65535);
	int taken = 0;

	open_to(&s, &peer, &patient);
	while (xfr_conn_send(s.conn, msg, 65535) == ST_OK)
		taken++;
	cr_expect(eq(int, taken, 15));
	close_all(&s);
	free(msg);
}

enum { MANY = 5000 };

/* Many messages of one octet in one go. */
static void write_many(void *arg, int fd, unsigned nth)
{
	uint8_t wire[3 * MANY];

	(void)arg;
	(void)nth;
	for (size_t i = 0; i < MANY; i++)
		memcpy(wire + 3 * i, "\0\1\1", 3);
	server_write_raw(fd, wire, sizeof wire);
	server_await_close(fd);
}

static void count_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
	seen_t *s = w->data;

	(void)loop;
	(void)revents;
	if (s->messages > 0 && s->messages < MANY)
		s->turns++;
}

Test(xfr_conn, lets_the_loop_breathe_between_many_messages)
{
	seen_t s = { .want = MANY };
	server_t *server = server_start(&(server_script_t){ .tcp = write_many });
	xfr_peer_t peer = server_peer(server);
	ev_prepare turn;

	open_to(&s, &peer, &patient);
	ev_prepare_init(&turn, count_turn);
	turn.data = &s;
	ev_prepare_start(s.loop, &turn);
	cr_assert(run_until(s.loop, &s.enough, 5));
	cr_expect(ge(sz, s.turns, MANY / 512 - 1));
	cr_expect(ge(sz, s.gulps, MANY / 512));
	ev_prepare_stop(s.loop, &turn);
	close_all(&s);
	server_stop(server);
}

Test(xfr_conn, may_be_closed_from_within_a_message)
{
	for (size_t at = 1; at <= 600; at += 149) {
		seen_t s = { .close_at = at };
		server_t *server = server_start(&(server_script_t){ .tcp = write_many });
		xfr_peer_t peer = server_peer(server);

		open_to(&s, &peer, &patient);
		cr_assert(run_until(s.loop, &s.enough, 5));
		ev_run(s.loop, EVRUN_NOWAIT);
		cr_expect(eq(sz, s.messages, at), "nothing follows");
		cr_expect(not(s.ended));
		ev_loop_destroy(s.loop);
		server_stop(server);
	}
}

static void on_end_close(void *arg, xfr_conn_end_t how, int sys_errno)
{
	seen_t *s = arg;

	on_end(arg, how, sys_errno);
	xfr_conn_close(s->conn);
	s->conn = NULL;
}

Test(xfr_conn, may_be_closed_from_within_its_end)
{
	static const xfr_conn_calls_t closing = { .on_message = on_message,
		                                  .on_end = on_end_close };
	seen_t s = { .loop = ev_loop_new(0) };
	server_t *server = server_start(&(server_script_t){ .tcp = write_lengths });
	xfr_peer_t peer = server_peer(server);

	s.conn = xfr_conn_open(s.loop, &peer, &patient, &closing, &s);
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(sz, s.messages, 5));
	cr_expect(s.conn == NULL);
	close_all(&s);
	server_stop(server);
}

Test(xfr_conn, delivers_nothing_while_paused_and_all_the_rest_after)
{
	/* A pause outlasts the idle deadline, which does not run meanwhile. */
	const xfr_deadlines_t short_idle = { .connect = 5, .idle = 0.3, .total = 10 };
	const bool never = false;
	seen_t s = { .pause_at = 100 };
	server_t *server = server_start(&(server_script_t){ .tcp = write_many });
	xfr_peer_t peer = server_peer(server);

	open_to(&s, &peer, &short_idle);
	cr_assert(run_until(s.loop, &s.enough, 5));
	run_until(s.loop, &never, 0.5);
	cr_expect(eq(sz, s.messages, 100));
	cr_expect(not(s.ended));

	s.enough = false;
	s.want = MANY;
	xfr_conn_pause(s.conn, false);
	cr_expect(eq(sz, s.messages, 100), "never from within the call");
	cr_assert(run_until(s.loop, &s.enough, 5));
	cr_expect(eq(sz, s.messages, MANY));
	cr_assert(run_until(s.loop, &s.ended, 5));
	cr_expect(eq(int, s.how, XFR_CONN_IDLE));
	close_all(&s);
	server_stop(server);
}
