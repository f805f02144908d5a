/* tests/unit/net/test_tcp.c - framing, limits, and clients that don't behave. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/status.h"
#include "tests/unit/net/lab.h"
#include "tests/unit/support/wall.h"

TestSuite(net_tcp, .timeout = 120);

static lab_t lab;

/* n queries in a row with their lengths; ids from 0. */
static size_t queries(uint8_t *out, unsigned n, echo_op_t op, unsigned arg)
{
	for (unsigned i = 0; i < n; i++) {
		put_u16(out + i * (2 + ECHO_QUERY), ECHO_QUERY);
		echo_query(out + i * (2 + ECHO_QUERY) + 2, i, op, arg);
	}
	return (size_t)n * (2 + ECHO_QUERY);
}

/* An ECHO_BIG answer as it must be. */
static bool answered_big(int fd, unsigned id, size_t size)
{
	static uint8_t a[65535];

	if (answer_tcp(fd, a) != size || get_u16(a) != id)
		return false;
	for (size_t i = ECHO_HEADER; i < size; i++) {
		if (a[i] != echo_byte(id, i))
			return false;
	}
	return true;
}

/* --- framing ---------------------------------------------------------------------------------- */

static const char *const places[][2] = {
	{ "127.0.0.1", "127.0.0.1" },
	{ "::1", "::1" },
	{ "0.0.0.0", "127.0.0.2" },
	{ "::", "::1" },
};

Test(net_tcp, answers_on_both_families_and_keeps_the_connection)
{
	net_conf_t conf = lab_conf();

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		lab_open(&lab, &conf, places[i][0]);
		int fd = lab_tcp(&lab, places[i][1], NULL);

		for (unsigned q = 0; q < 3; q++) {
			ask_tcp(fd, q, ECHO_PLAIN, 0);
			cr_expect(answered_tcp(fd, q), "%s", places[i][0]);
		}
		ask_tcp(fd, 9, ECHO_BIG, 65535);
		cr_expect(answered_big(fd, 9, 65535), "%s", places[i][0]);
		close(fd);
		lab_close(&lab);
	}
}

Test(net_tcp, takes_queries_one_octet_at_a_time)
{
	net_conf_t conf = lab_conf();
	uint8_t q[3 * (2 + ECHO_QUERY)];
	size_t len = queries(q, 3, ECHO_PLAIN, 0);
	int on = 1;

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_tcp(&lab, "127.0.0.1", NULL);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

	for (size_t i = 0; i < len; i++) {
		send_bytes(fd, q + i, 1);
		/* Let each octet be an event of its own: they may not be read together. */
		if ((i + 1) % (2 + ECHO_QUERY) == 0)
			cr_expect(answered_tcp(fd, (unsigned)(i / (2 + ECHO_QUERY))));
		else
			cr_expect(quiet(fd, 2));
	}
	close(fd);
	lab_close(&lab);
}

/* Cut a row of queries of several sizes at every boundary. */
Test(net_tcp, takes_queries_cut_anywhere)
{
	net_conf_t conf = lab_conf();
	uint8_t q[4 * (2 + ECHO_QUERY)];
	size_t len = queries(q, 4, ECHO_PLAIN, 0);
	int on = 1;

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_tcp(&lab, "127.0.0.1", NULL);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

	for (size_t cut = 1; cut < len; cut++) {
		send_bytes(fd, q, cut);
		unsigned before = (unsigned)(cut / (2 + ECHO_QUERY));
		for (unsigned i = 0; i < before; i++)
			cr_assert(answered_tcp(fd, i), "cut at %zu", cut);
		send_bytes(fd, q + cut, len - cut);
		for (unsigned i = before; i < 4; i++)
			cr_assert(answered_tcp(fd, i), "cut at %zu", cut);
	}
	close(fd);
	lab_close(&lab);
}

static const size_t lengths[] = { 18, 509, 510, 511, 4093, 4094, 4095, 8000, 65534, 65535 };

Test(net_tcp, takes_queries_of_any_length)
{
	net_conf_t conf = lab_conf();
	static uint8_t q[2 + 65535], a[65535];

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_tcp(&lab, "127.0.0.1", NULL);

	for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
		memset(q, (int)(0x40 + i), sizeof q);
		put_u16(q, (unsigned)lengths[i]);
		echo_query(q + 2, i, ECHO_PLAIN, 0);
		send_bytes(fd, q, 2 + lengths[i]);
		ask_tcp(fd, 1000 + i, ECHO_PLAIN, 0);
		cr_expect(eq(sz, answer_tcp(fd, a), lengths[i]));
		q[2 + 2] |= 0x80;
		cr_expect(eq(int, memcmp(a, q + 2, lengths[i]), 0), "length %zu", lengths[i]);
		cr_expect(answered_tcp(fd, 1000 + i));
	}
	close(fd);
	lab_close(&lab);
}

Test(net_tcp, answers_a_hundred_queries_of_one_write_in_batches)
{
	net_conf_t conf = lab_conf();
	uint8_t q[100 * (2 + ECHO_QUERY)];
	size_t len = queries(q, 100, ECHO_PLAIN, 0);

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_tcp(&lab, "127.0.0.1", NULL);

	send_bytes(fd, q, len);
	for (unsigned i = 0; i < 100; i++)
		cr_assert(answered_tcp(fd, i));
	cr_expect(eq(sz, echo_largest_batch(), 16));
	close(fd);
	lab_close(&lab);
}

static uint32_t data_segments(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	cr_assert(eq(int, getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0));
	return info.tcpi_data_segs_in;
}

Test(net_tcp, an_answer_leaves_in_one_segment_with_its_length)
{
	net_conf_t conf = lab_conf();

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_tcp(&lab, "127.0.0.1", NULL);

	for (unsigned i = 0; i < 5; i++) {
		ask_tcp(fd, i, ECHO_BIG, 500);
		cr_expect(answered_big(fd, i, 500));
		cr_expect(eq(u32, data_segments(fd), i + 1));
	}
	close(fd);
	lab_close(&lab);
}

Test(net_tcp, queries_that_deserve_no_answer_get_none_and_the_others_theirs)
{
	net_conf_t conf = lab_conf();
	uint8_t q[20 * (2 + ECHO_QUERY)];
	size_t len = queries(q, 20, ECHO_SILENT, 0);

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_tcp(&lab, "127.0.0.1", NULL);

	echo_query(q + 7 * (2 + ECHO_QUERY) + 2, 7, ECHO_PLAIN, 0);
	send_bytes(fd, q, len);
	cr_expect(answered_tcp(fd, 7));
	ask_tcp(fd, 21, ECHO_PLAIN, 0);
	cr_expect(answered_tcp(fd, 21));
	close(fd);
	lab_close(&lab);
}

Test(net_tcp, a_client_that_shuts_down_its_side_still_gets_all_answers)
{
	net_conf_t conf = lab_conf();
	enum { N = 300, SIZE = 9000 };
	static uint8_t q[N * (2 + ECHO_QUERY)];
	size_t len = queries(q, N, ECHO_BIG, SIZE);

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_tcp(&lab, "127.0.0.1", NULL);

	send_bytes(fd, q, len);
	shutdown(fd, SHUT_WR);
	for (unsigned i = 0; i < N; i++)
		cr_assert(answered_big(fd, i, SIZE), "query %u", i);
	cr_expect(closed(fd));
	close(fd);
	lab_close(&lab);
}

Test(net_tcp, a_message_of_no_octets_ends_the_connection_behind_what_came_before)
{
	net_conf_t conf = lab_conf();
	uint8_t q[2 * (2 + ECHO_QUERY) + 2];
	size_t len = queries(q, 2, ECHO_PLAIN, 0);

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_tcp(&lab, "127.0.0.1", NULL), other = lab_tcp(&lab, "127.0.0.1", NULL);

	put_u16(q + len, 0);
	send_bytes(fd, q, len + 2);
	cr_expect(answered_tcp(fd, 0));
	cr_expect(answered_tcp(fd, 1));
	cr_expect(closed(fd));
	send_bytes(other, "\0", 1);
	send_bytes(other, "\0", 1);
	cr_expect(closed(other));
	close(fd);
	close(other);
	lab_close(&lab);
}

/* --- limits ----------------------------------------------------------------------------------- */

/* A connection on which a query was answered, so that it is in. */
static int settled(const char *from)
{
	int fd = lab_tcp(&lab, "127.0.0.1", from);

	ask_tcp(fd, 1, ECHO_PLAIN, 0);
	cr_assert(answered_tcp(fd, 1));
	return fd;
}

Test(net_tcp, when_all_places_are_taken_the_longest_idle_makes_room)
{
	net_conf_t conf = lab_conf();

	conf.workers = 1;
	conf.tcp_clients = 3;
	lab_open(&lab, &conf, "127.0.0.1");
	int a = settled(NULL), b = settled(NULL), c = settled(NULL);

	ask_tcp(a, 2, ECHO_PLAIN, 0); /* now b is the one that has rested longest */
	cr_assert(answered_tcp(a, 2));
	int d = settled(NULL);
	cr_expect(closed(b));
	send_bytes(c, "\0", 1); /* has begun a query: a goes, though it was active later */
	EVENTUALLY(&lab, lab_totals(&lab).tcp_open == 3);
	cr_expect(quiet(c, 50));
	int e = settled(NULL);
	cr_expect(closed(a));
	cr_expect(quiet(c, 0));
	cr_expect(quiet(d, 0));
	cr_expect(eq(u64, lab_totals(&lab).tcp_refused, 0));
	cr_expect(eq(u64, lab_totals(&lab).tcp_open, 3));
	close(a);
	close(b);
	close(c);
	close(d);
	close(e);
	lab_close(&lab);
}

Test(net_tcp, with_queries_in_progress_everywhere_a_newcomer_waits_for_one_that_drips)
{
	net_conf_t conf = lab_conf();

	conf.workers = 1;
	conf.tcp_clients = 2;
	lab_open(&lab, &conf, "127.0.0.1");
	int a = settled(NULL), b = settled(NULL);

	send_bytes(a, "\0", 1);
	send_bytes(b, "\0", 1);
	cr_expect(quiet(a, 100));
	int c = lab_tcp(&lab, "127.0.0.1", NULL);
	cr_expect(closed(c));
	cr_expect(quiet(a, 0));
	cr_expect(eq(u64, lab_totals(&lab).tcp_refused, 1));

	cr_expect(quiet(b, 1100)); /* past our patience with a half query */
	int d = settled(NULL);
	cr_expect(closed(a));
	close(a);
	close(b);
	close(c);
	close(d);
	lab_close(&lab);
}

Test(net_tcp, a_client_over_its_share_is_refused_and_others_are_not)
{
	net_conf_t conf = lab_conf();

	conf.tcp_per_client = 2;
	lab_open(&lab, &conf, "127.0.0.1");
	int a = settled(NULL), b = settled(NULL), c = lab_tcp(&lab, "127.0.0.1", NULL);

	cr_expect(closed(c));
	cr_expect(eq(u64, lab_totals(&lab).tcp_refused, 1));
	int other = settled("127.0.0.2");
	cr_expect(quiet(a, 0));
	close(a);
	EVENTUALLY(&lab, lab_totals(&lab).tcp_open == 2);
	int d = settled(NULL);
	close(b);
	close(c);
	close(d);
	close(other);
	lab_close(&lab);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

Test(net_tcp, without_descriptors_it_waits_instead_of_spinning_and_then_goes_on)
{
	net_conf_t conf = lab_conf();
	struct rlimit limit;

	addr_t to;

	lab_open(&lab, &conf, "127.0.0.1");
	int late = socket(AF_INET, SOCK_STREAM, 0);
	addr_parse("127.0.0.1", net_port(lab.net, 0), &to);
	cr_assert(eq(int, getrlimit(RLIMIT_NOFILE, &limit), 0));
	struct rlimit none = { 3, limit.rlim_max };
	cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &none), 0));
	cr_assert(eq(int, connect(late, &to.sa, addr_len(&to)), 0));
	ask_tcp(late, 3, ECHO_PLAIN, 0);

	double before = cpu_seconds();
	cr_expect(quiet(late, 500), "can't have been accepted");
	cr_expect(lt(dbl, cpu_seconds() - before, 0.05));
	cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &limit), 0));
	cr_expect(answered_tcp(late, 3));
	close(late);
	lab_close(&lab);
}

Test(net_tcp, without_descriptors_an_idle_connection_makes_room)
{
	net_conf_t conf = lab_conf();
	struct rlimit limit;

	conf.workers = 1;
	lab_open(&lab, &conf, "127.0.0.1");
	int idle = settled(NULL), late = socket(AF_INET, SOCK_STREAM, 0);
	addr_t to;

	/* All numbers up to the highest in use are taken by now. */
	cr_assert(eq(int, getrlimit(RLIMIT_NOFILE, &limit), 0));
	int spare = dup(late);
	struct rlimit full = { (rlim_t)spare, limit.rlim_max };
	close(spare);
	cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &full), 0));
	addr_parse("127.0.0.1", net_port(lab.net, 0), &to);
	cr_assert(eq(int, connect(late, &to.sa, addr_len(&to)), 0));
	ask_tcp(late, 3, ECHO_PLAIN, 0);
	cr_expect(answered_tcp(late, 3));
	cr_expect(closed(idle));
	cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &limit), 0));
	close(idle);
	close(late);
	lab_close(&lab);
}

/* --- time ------------------------------------------------------------------------------------- */

Test(net_tcp, an_idle_connection_is_closed_and_an_active_one_is_not)
{
	net_conf_t conf = lab_conf();

	conf.tcp_idle = 0.5;
	lab_open(&lab, &conf, "127.0.0.1");
	int idle = lab_tcp(&lab, "127.0.0.1", NULL), active = lab_tcp(&lab, "127.0.0.1", NULL);
	mono_t begin = clock_mono();
	unsigned id = 0;

	while (quiet(idle, 50)) {
		cr_assert(lt(dbl, mono_diff(begin, clock_mono()), 10.0));
		ask_tcp(active, ++id, ECHO_PLAIN, 0);
		cr_assert(answered_tcp(active, id));
	}
	cr_expect(closed(idle));
	cr_expect(ge(dbl, mono_diff(begin, clock_mono()), 0.45));
	for (int i = 0; i < 20; i++) {
		cr_assert(quiet(active, 50));
		ask_tcp(active, ++id, ECHO_PLAIN, 0);
		cr_assert(answered_tcp(active, id));
	}
	EVENTUALLY(&lab, lab_totals(&lab).tcp_open == 0); /* the active one, once it rests */
	close(idle);
	close(active);
	lab_close(&lab);
}

Test(net_tcp, steps_of_the_wall_clock_do_not_move_the_idle_time)
{
	static const int64_t steps[] = { 3600, -3600 };
	net_conf_t conf = lab_conf();

	conf.tcp_idle = 2;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		lab_open(&lab, &conf, "127.0.0.1");
		int first = lab_tcp(&lab, "127.0.0.1", NULL);
		EVENTUALLY(&lab, lab_totals(&lab).tcp_open == 1);
		sleep(1);
		int idle = lab_tcp(&lab, "127.0.0.1", NULL);
		EVENTUALLY(&lab, lab_totals(&lab).tcp_open == 2);
		wall_ahead = steps[i];
		/* The first one's end looks at all of them. */
		EVENTUALLY(&lab, lab_totals(&lab).tcp_open < 2);
		cr_expect(quiet(idle, 50));
		EVENTUALLY(&lab, lab_totals(&lab).tcp_open == 0);
		wall_ahead = 0;
		close(first);
		close(idle);
		lab_close(&lab);
	}
}

Test(net_tcp, dripping_octets_do_not_keep_a_connection)
{
	net_conf_t conf = lab_conf();
	uint8_t q[2 + ECHO_QUERY];
	size_t at = 0;

	conf.tcp_idle = 0.5;
	queries(q, 1, ECHO_PLAIN, 0);
	put_u16(q, 60000);
	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_tcp(&lab, "127.0.0.1", NULL);
	mono_t begin = clock_mono();

	while (quiet(fd, 40)) {
		cr_assert(lt(dbl, mono_diff(begin, clock_mono()), 10.0));
		if (at < sizeof q)
			send_bytes(fd, q + at++, 1);
	}
	cr_expect(closed(fd));
	cr_expect(lt(sz, at, sizeof q), "closed before the drip ran dry");
	close(fd);
	lab_close(&lab);
}

/* --- clients that don't read ------------------------------------------------------------------ */

enum { SLOW_WRITES = 20000 };

/* Ask for big answers until nothing more goes out; how many queries went out whole. */
static unsigned ask_without_reading(int fd, unsigned size)
{
	uint8_t q[2 + ECHO_QUERY];
	unsigned sent = 0;
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	put_u16(q, ECHO_QUERY);
	for (; sent < SLOW_WRITES; sent++) {
		size_t at = 0;

		echo_query(q + 2, sent, ECHO_BIG, size);
		while (at < sizeof q) {
			ssize_t n = send(fd, q + at, sizeof q - at, MSG_DONTWAIT | MSG_NOSIGNAL);

			if (n > 0) {
				at += (size_t)n;
			} else if (errno != EAGAIN || poll(&p, 1, 300) == 0) {
				return sent; /* it waits for us, or has had enough of us */
			}
		}
	}
	return sent;
}

static int slow_client(void)
{
	int fd = lab_tcp(&lab, "127.0.0.1", NULL), small = 16384;

	/* Not its receive buffer: a window below loopback's segment size would make the kernel
	 * send a little every 200 ms once we do read. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	return fd;
}

static size_t heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void slow_reader(unsigned size)
{
	net_conf_t conf = lab_conf();

	conf.workers = 1;
	lab_open(&lab, &conf, "127.0.0.1");
	int slow = slow_client(), other = settled(NULL);
	size_t before = heap();
	unsigned sent = ask_without_reading(slow, size);

	cr_expect(lt(uint, sent, SLOW_WRITES), "it has to wait in the end");
	cr_expect(ge(uint, sent, 10));
	/* 128 KiB of answers, the one more that passed that, and a few KiB of queries. */
	size_t grown = heap() - before;
	cr_expect(lt(sz, grown, 256 * 1024), "%zu octets for %u queries", grown, sent);
	for (unsigned i = 0; i < 100; i++) {
		ask_tcp(other, i, ECHO_PLAIN, 0);
		cr_assert(answered_tcp(other, i), "others are served meanwhile");
	}
	for (unsigned i = 0; i < sent; i++)
		cr_assert(answered_big(slow, i, size), "query %u", i);
	close(slow);
	close(other);
	lab_close(&lab);
}

Test(net_tcp, a_slow_reader_costs_little_and_gets_all_its_answers)
{
	slow_reader(2000);
}

Test(net_tcp, a_slow_reader_of_the_largest_answers_costs_no_more)
{
	slow_reader(65535);
}

Test(net_tcp, a_reader_that_takes_nothing_is_closed)
{
	net_conf_t conf = lab_conf();

	conf.tcp_idle = 0.5;
	lab_open(&lab, &conf, "127.0.0.1");
	int slow = slow_client();

	ask_without_reading(slow, 9000);
	EVENTUALLY(&lab, lab_totals(&lab).tcp_open == 0);
	close(slow);
	lab_close(&lab);
}

Test(net_tcp, a_client_that_resets_in_the_middle_harms_nobody)
{
	net_conf_t conf = lab_conf();
	struct linger at_once = { 1, 0 };

	lab_open(&lab, &conf, "127.0.0.1");
	int other = settled(NULL);

	for (unsigned i = 0; i < 50; i++) {
		int fd = slow_client();

		for (unsigned q = 0; q < 100; q++) {
			uint8_t bytes[2 + ECHO_QUERY];

			queries(bytes, 1, ECHO_BIG, 9000);
			if (send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
				break;
		}
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		close(fd);
	}
	EVENTUALLY(&lab, lab_totals(&lab).tcp_open == 1);
	ask_tcp(other, 5, ECHO_PLAIN, 0);
	cr_expect(answered_tcp(other, 5));
	close(other);
	lab_close(&lab);
}
