/* tests/unit/xfr/test_link.c - many questions on one stream, against a peer that answers as it likes.
 *
 * A question is its id and a letter; a good answer repeats both. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/status.h"
#include "tests/unit/support/wall.h"
#include "tests/unit/xfr/support/server.h"
#include "xfr/link.h"

TestSuite(xfr_link, .timeout = 20);

enum { ASKS_MAX = 8, LEN = 3 };

static const xfr_deadlines_t patient = { .connect = 5, .idle = 5, .total = 10 };
static const xfr_deadlines_t hasty = { .connect = 5, .idle = 0.2, .total = 10 };

typedef struct play play_t;

/* One ask and what became of it. */
typedef struct part {
	play_t *play;
	xfr_ask_t *ask;
	char letter;
	unsigned messages, gulps;
	unsigned wants; /* messages until it closes as complete; 0: never */
	bool leaves;    /* closes as incomplete with the first */
	bool kills;     /* closes the link with the first */
	bool ended;
	xfr_ask_end_t end;
} part_t;

struct play {
	struct ev_loop *loop;
	xfr_link_t *link;
	part_t parts[ASKS_MAX];
	unsigned over; /* asks that are closed or ended */
	unsigned want; /* of them */
	bool enough, link_ended;
};

static void count_over(play_t *p)
{
	p->enough = ++p->over == p->want;
}

static void on_message(void *arg, const uint8_t *msg, size_t len)
{
	part_t *part = arg;

	part->messages++;
	if (len == LEN)
		cr_expect(eq(u8, msg[2], (uint8_t)part->letter), "of another ask");
	if (part->kills) {
		xfr_link_close(part->play->link);
		part->play->link = NULL;
	}
	if (!part->leaves && !part->kills && part->messages != part->wants)
		return;
	xfr_ask_close(part->ask, !part->leaves);
	part->ask = NULL;
	count_over(part->play);
}

static void on_gulp(void *arg)
{
	((part_t *)arg)->gulps++;
}

static void on_end(void *arg, const xfr_ask_end_t *end)
{
	part_t *part = arg;

	cr_assert(not(part->ended), "once");
	part->ended = true;
	part->end = *end;
	xfr_ask_close(part->ask, false);
	part->ask = NULL;
	count_over(part->play);
}

static const xfr_ask_calls_t calls = { on_message, on_gulp, on_end };

static void on_link_end(void *arg, xfr_link_t *link)
{
	play_t *p = arg;

	cr_assert(link == p->link);
	cr_assert(not(p->link_ended), "once");
	xfr_link_close(link);
	p->link = NULL;
	p->link_ended = true;
}

static void begin(play_t *p, const server_t *server, const xfr_deadlines_t *deadlines,
                  double linger, unsigned want)
{
	const xfr_peer_t peer = server_peer(server);

	p->loop = ev_loop_new(0);
	p->want = want;
	p->link = xfr_link_open(p->loop, &peer, deadlines, linger, on_link_end, p);
	cr_assert(p->link != NULL);
}

static void ask(play_t *p, unsigned n, unsigned wants)
{
	part_t *part = &p->parts[n];
	uint8_t msg[LEN];

	part->play = p;
	part->letter = (char)('a' + n);
	part->wants = wants;
	uint16_t id = xfr_link_id(p->link);
	put_u16(msg, id);
	msg[2] = (uint8_t)part->letter;
	part->ask = xfr_ask_open(p->link, id, msg, LEN, 0, &calls, part);
	cr_assert(part->ask != NULL);
}

static void finish(play_t *p, server_t *server)
{
	for (unsigned i = 0; i < ASKS_MAX; i++)
		xfr_ask_close(p->parts[i].ask, false);
	xfr_link_close(p->link);
	server_stop(server);
	ev_loop_destroy(p->loop);
}

/* --- peers --------------------------------------------------------------------------------- */

/* Reads as many questions as told, answers the last one first. */
static void tcp_backwards(void *arg, int fd, unsigned nth)
{
	unsigned count = *(unsigned *)arg;
	uint8_t msg[ASKS_MAX][65535];

	(void)nth;
	for (unsigned i = 0; i < count; i++)
		cr_assert(eq(sz, server_read(fd, msg[i]), LEN));
	while (count-- > 0)
		server_write(fd, msg[count], LEN);
	server_await_close(fd);
}

Test(xfr_link, takes_answers_in_any_order)
{
	unsigned count = 5;
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_backwards, .arg = &count });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, count);
	for (unsigned i = 0; i < count; i++)
		ask(&p, i, 1);
	cr_expect(eq(u32, xfr_link_asks(p.link), count));
	cr_expect(run_until(p.loop, &p.enough, 5));
	for (unsigned i = 0; i < count; i++) {
		cr_expect(eq(u32, p.parts[i].messages, 1));
		cr_expect(not(p.parts[i].ended));
	}
	cr_expect(xfr_link_usable(p.link));
	finish(&p, s);
}

/* Interleaves what two questions want: three messages each. */
static void tcp_interleaved(void *arg, int fd, unsigned nth)
{
	uint8_t a[65535], b[65535];

	(void)arg;
	(void)nth;
	server_read(fd, a);
	server_read(fd, b);
	for (int i = 0; i < 3; i++) {
		server_write(fd, a, LEN);
		server_write(fd, b, LEN);
	}
	server_await_close(fd);
}

Test(xfr_link, keeps_two_streams_apart)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_interleaved });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 2);
	ask(&p, 0, 3);
	ask(&p, 1, 3);
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(eq(u32, p.parts[0].messages, 3));
	cr_expect(eq(u32, p.parts[1].messages, 3));
	finish(&p, s);
}

/* One answer for each connection, then it closes, as old servers do. */
static void tcp_single(void *arg, int fd, unsigned nth)
{
	uint8_t msg[65535];

	(void)arg;
	(void)nth;
	server_read(fd, msg);
	server_write(fd, msg, LEN);
}

Test(xfr_link, tells_who_went_unanswered_behind_an_answer)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_single });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 2);
	ask(&p, 0, 1);
	ask(&p, 1, 1);
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(eq(u32, p.parts[0].messages, 1));
	cr_assert(p.parts[1].ended);
	cr_expect(p.parts[1].end.untouched);
	cr_expect(eq(u32, p.parts[1].end.answered, 1));
	cr_expect(p.parts[1].end.how == XFR_CONN_CLOSED || p.parts[1].end.how == XFR_CONN_ERROR,
	          "unread questions turn the close into a reset");
	cr_expect(run_until(p.loop, &p.link_ended, 5));
	finish(&p, s);
}

/* Answers all but the first question. */
static void tcp_deaf_to_the_first(void *arg, int fd, unsigned nth)
{
	uint8_t msg[65535];
	bool first = true;
	size_t len;

	(void)arg;
	(void)nth;
	for (; (len = server_read(fd, msg)) > 0; first = false) {
		if (!first)
			server_write(fd, msg, len);
	}
}

Test(xfr_link, ends_one_that_hears_nothing_and_takes_no_more)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_deaf_to_the_first });
	play_t p = { 0 };

	begin(&p, s, &hasty, 5, 2);
	ask(&p, 0, 1);
	ask(&p, 1, 1);
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_assert(p.parts[0].ended);
	cr_expect(eq(int, p.parts[0].end.how, XFR_CONN_IDLE));
	cr_expect(eq(u32, p.parts[1].messages, 1));
	cr_expect(not(p.link && xfr_link_usable(p.link)), "its answer may still come");
	cr_expect(run_until(p.loop, &p.link_ended, 5));
	finish(&p, s);
}

Test(xfr_link, lets_a_link_linger_and_then_go)
{
	unsigned count = 1;
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_backwards, .arg = &count });
	play_t p = { 0 };

	begin(&p, s, &hasty, 0.1, 1);
	ask(&p, 0, 1);
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(xfr_link_usable(p.link));
	cr_expect(run_until(p.loop, &p.link_ended, 5));
	finish(&p, s);
}

Test(xfr_link, is_spoiled_by_one_that_leaves)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_interleaved });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 2);
	ask(&p, 0, 3);
	ask(&p, 1, 3);
	p.parts[0].leaves = true;
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(eq(u32, p.parts[0].messages, 1));
	cr_expect(eq(u32, p.parts[1].messages, 3), "its neighbour hears all");
	cr_expect(run_until(p.loop, &p.link_ended, 5));
	finish(&p, s);
}

Test(xfr_link, can_be_closed_by_a_callback)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_interleaved });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 1);
	ask(&p, 0, 3);
	ask(&p, 1, 3);
	p.parts[0].kills = true;
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(not(p.parts[1].ended), "who closes the link knows");
	finish(&p, s);
}

/* Answers nobody, in the turn of the first. */
static void tcp_mad(void *arg, int fd, unsigned nth)
{
	uint8_t first[65535], second[65535];

	(void)arg;
	(void)nth;
	server_read(fd, first);
	first[0] ^= 0x55;
	first[1] ^= 0x55;
	server_read(fd, second);
	server_write(fd, first, LEN);
	server_write(fd, second, LEN);
	server_await_close(fd);
}

Test(xfr_link, takes_what_answers_nobody_for_the_answer_to_the_first)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_mad });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 2);
	ask(&p, 0, 1);
	ask(&p, 1, 1);
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_assert(p.parts[0].ended);
	cr_expect(xfr_ask_end_is_unclear(&p.parts[0].end), "to be asked again, alone");
	cr_expect(eq(u32, p.parts[1].messages, 1));
	cr_expect(not(p.link && xfr_link_usable(p.link)));
	finish(&p, s);
}

Test(xfr_link, gives_a_wrong_id_to_who_is_alone)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_mad });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 1);
	ask(&p, 0, 1);
	/* The peer reads two questions before it talks. */
	cr_assert(eq(int, xfr_ask_again(p.parts[0].ask, (const uint8_t *)"\0\0a", LEN), ST_OK));
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(eq(u32, p.parts[0].messages, 1), "to judge for itself");
	finish(&p, s);
}

/* Answers the first at once, and the second when it is asked. */
static void tcp_echo(void *arg, int fd, unsigned nth)
{
	uint8_t msg[65535];
	size_t len;

	(void)arg;
	(void)nth;
	while ((len = server_read(fd, msg)) > 0)
		server_write(fd, msg, len);
}

Test(xfr_link, waits_for_nobody_while_it_is_paused)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_echo });
	play_t p = { 0 };
	bool never = false;

	begin(&p, s, &hasty, 5, 2);
	ask(&p, 0, 1);
	ask(&p, 1, 1);
	xfr_ask_pause(p.parts[0].ask, true);
	cr_expect(not(run_until(p.loop, &never, XFR_LINK_STUCK + 0.5)), "longer than any deadline");
	cr_expect(eq(u32, p.over, 0));
	xfr_ask_pause(p.parts[0].ask, false);
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(not(p.parts[0].ended || p.parts[1].ended));
	finish(&p, s);
}

Test(xfr_link, tells_that_nobody_listens)
{
	const xfr_peer_t peer = server_nobody();
	play_t p = { .loop = ev_loop_new(0), .want = 1 };

	p.link = xfr_link_open(p.loop, &peer, &patient, 5, on_link_end, &p);
	ask(&p, 0, 1);
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(eq(int, p.parts[0].end.how, XFR_CONN_ERROR));
	cr_expect(eq(u32, p.parts[0].end.answered, 0));
	cr_expect(run_until(p.loop, &p.link_ended, 5));
	ev_loop_destroy(p.loop);
}

Test(xfr_link, never_gives_an_id_twice)
{
	server_t *s = server_start(&(server_script_t){ 0 });
	xfr_ask_t *asks[XFR_LINK_ASKS_MAX];
	uint16_t ids[XFR_LINK_ASKS_MAX];
	play_t p = { 0 };
	part_t part = { .play = &p };

	begin(&p, s, &patient, 5, 1);
	for (unsigned i = 0; i < XFR_LINK_ASKS_MAX; i++) {
		uint8_t msg[LEN] = { 0 };

		cr_assert(xfr_link_usable(p.link));
		ids[i] = xfr_link_id(p.link);
		put_u16(msg, ids[i]);
		asks[i] = xfr_ask_open(p.link, ids[i], msg, LEN, 0, &calls, &part);
		cr_assert(asks[i] != NULL);
		for (unsigned j = 0; j < i; j++)
			cr_assert(ne(u16, ids[i], ids[j]));
	}
	cr_expect(not(xfr_link_usable(p.link)), "full");
	for (unsigned i = 0; i < XFR_LINK_ASKS_MAX; i++)
		xfr_ask_close(asks[i], true);
	cr_expect(xfr_link_usable(p.link));
	finish(&p, s);
}

static const struct {
	const char *why;
	xfr_ask_end_t end;
	bool unclear;
} ends[] = {
	{ "a stray", { .how = XFR_CONN_IDLE, .stray = true, .fresh = true }, true },
	{ "closed behind another", { .how = XFR_CONN_CLOSED, .untouched = true }, true },
	{ "closed on several",
	  { .how = XFR_CONN_CLOSED, .untouched = true, .fresh = true, .others = 1 },
	  true },
	{ "closed on one", { .how = XFR_CONN_CLOSED, .untouched = true, .fresh = true }, false },
	{ "closed inside an answer", { .how = XFR_CONN_CLOSED, .others = 1 }, false },
	{ "cut behind another", { .how = XFR_CONN_CUT, .untouched = true }, true },
	{ "silent to all but the first", { .how = XFR_CONN_IDLE, .untouched = true }, true },
	{ "held up",
	  { .how = XFR_CONN_IDLE, .untouched = true, .fresh = true, .others = 1 },
	  true },
	{ "silent", { .how = XFR_CONN_IDLE, .untouched = true, .fresh = true }, false },
	{ "reset, alone", { .how = XFR_CONN_ERROR, .established = true }, false },
	{ "reset with questions unread",
	  { .how = XFR_CONN_ERROR, .established = true, .others = 1 },
	  true },
	{ "reset behind another",
	  { .how = XFR_CONN_ERROR, .established = true, .untouched = true },
	  true },
	{ "reset at once",
	  { .how = XFR_CONN_ERROR, .established = true, .untouched = true, .fresh = true },
	  false },
	{ "refused", { .how = XFR_CONN_ERROR, .untouched = true, .others = 9 }, false },
	{ "no connection", { .how = XFR_CONN_NO_CONNECT, .untouched = true, .others = 9 }, false },
	{ "no memory", { .how = XFR_CONN_NOMEM, .established = true, .untouched = true }, false },
};

Test(xfr_link, knows_what_is_unclear)
{
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		cr_expect(xfr_ask_end_is_unclear(&ends[i].end) == ends[i].unclear, "%s",
		          ends[i].why);
}

/* Says nothing. */
static void tcp_stuck(void *arg, int fd, unsigned nth)
{
	(void)arg;
	(void)nth;
	server_await_close(fd);
}

Test(xfr_link, lets_those_go_that_wait_behind_a_silent_one)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_stuck });
	play_t p = { 0 };

	begin(&p, s, &(xfr_deadlines_t){ .connect = 5, .idle = 30 }, 0.4, 2);
	for (unsigned i = 0; i < 3; i++)
		ask(&p, i, 1);
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(not(p.parts[0].ended), "the oldest may be what takes so long");
	for (unsigned i = 1; i < 3; i++) {
		cr_assert(p.parts[i].ended);
		cr_expect(xfr_ask_end_is_unclear(&p.parts[i].end));
	}
	cr_expect(not(xfr_link_usable(p.link)));
	finish(&p, s);
}

static const bool never = false;

Test(xfr_link, is_not_moved_by_steps_of_the_wall_clock)
{
	static const int64_t steps[] = { 3600, -3600 };

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		server_t *s = server_start(&(server_script_t){ .tcp = tcp_stuck });
		play_t p = { 0 };

		begin(&p, s, &(xfr_deadlines_t){ .connect = 5, .idle = 1.5 }, 1, 1);
		ask(&p, 0, 1);
		cr_expect(not(run_until(p.loop, &never, 0.2)));
		wall_ahead = steps[i];
		cr_expect(not(run_until(p.loop, &p.enough, 0.9)), "it has time until 1.5 s");
		cr_expect(run_until(p.loop, &p.enough, 2), "and no longer");
		cr_expect(eq(int, p.parts[0].end.how, XFR_CONN_IDLE));
		finish(&p, s);
		wall_ahead = 0;
	}
}

Test(xfr_link, blames_no_silence_before_there_is_a_connection)
{
	const xfr_peer_t peer = server_deaf();
	play_t p = { .loop = ev_loop_new(0), .want = 2 };

	p.link = xfr_link_open(p.loop, &peer, &(xfr_deadlines_t){ .connect = 2.5, .idle = 30 }, 0.4,
	                       on_link_end, &p);
	ask(&p, 0, 1);
	ask(&p, 1, 1);
	xfr_link_press(p.link, 0.5);
	cr_expect(run_until(p.loop, &p.enough, 5));
	for (int i = 0; i < 2; i++) {
		cr_expect(eq(int, p.parts[i].end.how, XFR_CONN_NO_CONNECT));
		cr_expect(not(p.parts[i].end.established));
	}
	cr_expect(run_until(p.loop, &p.link_ended, 5));
	ev_loop_destroy(p.loop);
}

Test(xfr_link, takes_the_question_of_who_saw_it_usable_a_while_ago)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_stuck });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 1);
	ask(&p, 0, 1);
	cr_expect(not(run_until(p.loop, &never, 0.1)));
	cr_assert(xfr_link_usable(p.link));
	usleep(1000000); /* the main thread was busy between the two */
	ask(&p, 1, 1);
	cr_expect(not(xfr_link_usable(p.link)), "but it looks stuck by now");
	finish(&p, s);
}

/* Answers once, and then goes on talking. */
static void tcp_talks_on(void *arg, int fd, unsigned nth)
{
	uint8_t msg[65535];

	(void)arg;
	(void)nth;
	server_read(fd, msg);
	server_write(fd, msg, LEN);
	usleep(100000);
	for (int i = 0; i < 20; i++)
		server_write(fd, msg, LEN);
	server_await_close(fd);
}

Test(xfr_link, leaves_a_peer_that_talks_on_unasked)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_talks_on });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 1);
	ask(&p, 0, 1);
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(run_until(p.loop, &p.link_ended, 2), "long before it has lingered");
	finish(&p, s);
}

/* Reads both questions; the answer to the first drips in, the second's comes with its last octet. */
static void tcp_drips(void *arg, int fd, unsigned nth)
{
	enum { WHOLE = 2 + LEN };
	uint8_t both[2 * WHOLE] = { 0, LEN, [WHOLE + 1] = LEN }, msg[65535];

	(void)nth;
	for (int i = 0; i < 2; i++) {
		server_read(fd, msg);
		memcpy(both + i * WHOLE + 2, msg, LEN);
	}
	for (int i = 0; i < WHOLE - 1; i++) {
		server_write_raw(fd, both + i, 1);
		usleep(*(unsigned *)arg);
	}
	server_write_raw(fd, both + WHOLE - 1, WHOLE + 1);
	server_await_close(fd);
}

static void expect_both_in_spite_of_drips(unsigned gap_us, const xfr_deadlines_t *deadlines)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_drips, .arg = &gap_us });
	play_t p = { 0 };

	begin(&p, s, deadlines, 0.4, 2);
	ask(&p, 0, 1);
	ask(&p, 1, 1);
	cr_expect(run_until(p.loop, &p.enough, 8));
	for (int i = 0; i < 2; i++)
		cr_expect(eq(u32, p.parts[i].messages, 1), "while a message grows none is left");
	finish(&p, s);
}

Test(xfr_link, takes_nobody_for_idle_while_a_message_grows)
{
	expect_both_in_spite_of_drips(200000, &(xfr_deadlines_t){ .connect = 5, .idle = 0.6 });
}

Test(xfr_link, takes_nobody_for_stuck_while_a_message_grows)
{
	expect_both_in_spite_of_drips(600000, &patient);
}

/* Answers in turn, each after a while. */
static void tcp_ponders(void *arg, int fd, unsigned nth)
{
	uint8_t msg[65535];

	(void)arg;
	(void)nth;
	while (server_read(fd, msg) > 0) {
		usleep(1200000);
		server_write(fd, msg, LEN);
	}
}

Test(xfr_link, is_not_stuck_while_one_after_the_other_is_completed)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_ponders });
	play_t p = { 0 };

	begin(&p, s, &patient, 0.4, 3);
	for (unsigned i = 0; i < 3; i++)
		ask(&p, i, 1);
	cr_expect(run_until(p.loop, &p.enough, 8));
	for (int i = 0; i < 3; i++)
		cr_expect(eq(u32, p.parts[i].messages, 1));
	finish(&p, s);
}

Test(xfr_link, reads_on_when_the_one_that_paused_it_is_closed)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_echo });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 1);
	ask(&p, 0, 1);
	ask(&p, 1, 1);
	xfr_ask_pause(p.parts[0].ask, true);
	cr_expect(not(run_until(p.loop, &never, 0.2)));
	xfr_ask_close(p.parts[0].ask, false);
	p.parts[0].ask = NULL;
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(eq(u32, p.parts[1].messages, 1));
	finish(&p, s);
}

Test(xfr_link, gives_its_asks_less_time_when_others_wait)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_stuck });
	play_t p = { 0 };

	begin(&p, s, &(xfr_deadlines_t){ .connect = 5, .idle = 30 }, 0.4, 1);
	ask(&p, 0, 1);
	xfr_link_press(p.link, 0.3);
	cr_expect(run_until(p.loop, &p.enough, 3));
	cr_expect(eq(int, p.parts[0].end.how, XFR_CONN_IDLE));
	finish(&p, s);
}

Test(xfr_link, knows_how_much_the_largest_has_brought)
{
	server_t *s = server_start(&(server_script_t){ .tcp = tcp_interleaved });
	play_t p = { 0 };

	begin(&p, s, &patient, 5, 1);
	ask(&p, 0, 0);
	ask(&p, 1, 3);
	cr_expect(eq(u64, xfr_link_burden(p.link), 0));
	cr_expect(run_until(p.loop, &p.enough, 5));
	cr_expect(eq(u64, xfr_link_burden(p.link), 3 * LEN), "of those in progress");
	finish(&p, s);
}
