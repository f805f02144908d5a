/* tests/unit/net/test_udp.c - datagrams: all answered, from the address that was asked. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "tests/unit/net/lab.h"

TestSuite(net_udp, .timeout = 60);

static lab_t lab;

/* --- a kernel that won't ---------------------------------------------------------------------- */

/* errno for the next calls of sendmmsg(): those of the C library are not reached. */
static _Atomic int refuse_with, refuse_times;
static _Atomic unsigned at_most; /* messages that one call takes; 0: all */

int sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
	int left = atomic_load(&refuse_times);

	if (left > 0) {
		atomic_store(&refuse_times, left - 1);
		errno = atomic_load(&refuse_with);
		return -1;
	}
	unsigned most = atomic_load(&at_most);
	return (int)syscall(SYS_sendmmsg, fd, msgs, most && n > most ? most : n, flags);
}

static void refuse(int err, int times)
{
	atomic_store(&refuse_with, err);
	atomic_store(&refuse_times, times);
}

/* --- tests ------------------------------------------------------------------------------------ */

static const struct {
	const char *why, *listen, *ask;
} places[] = {
	{ "IPv4", "127.0.0.1", "127.0.0.1" },
	{ "IPv6", "::1", "::1" },
	{ "any IPv4 address", "0.0.0.0", "127.0.0.1" },
	{ "another address of this host", "0.0.0.0", "127.0.0.2" },
	{ "any IPv6 address", "::", "::1" },
	{ "any of both families", ":: 0.0.0.0", "::1" },
};

/* The client's socket is connected: an answer from another address would not reach it. */
Test(net_udp, answers_from_the_address_that_was_asked)
{
	net_conf_t conf = lab_conf();

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		lab_open(&lab, &conf, places[i].listen);
		int fd = lab_udp(&lab, places[i].ask);
		uint8_t a[4096];

		ask_udp(fd, 0x1234, ECHO_PLAIN, 0);
		cr_expect(eq(sz, answer_udp(fd, a, sizeof a), ECHO_QUERY), "%s", places[i].why);
		cr_expect(eq(u16, get_u16(a), 0x1234), "%s", places[i].why);
		ask_udp(fd, 0x1235, ECHO_BIG, 1232);
		cr_expect(eq(sz, answer_udp(fd, a, sizeof a), 1232), "%s", places[i].why);
		for (size_t at = ECHO_HEADER; at < 1232; at++)
			cr_assert(eq(u8, a[at], echo_byte(0x1235, at)));
		close(fd);
		lab_close(&lab);
	}
}

Test(net_udp, an_ipv4_client_is_no_mapped_one_on_a_host_with_both)
{
	net_conf_t conf = lab_conf();

	lab_open(&lab, &conf, "0.0.0.0 ::");
	int fd = lab_udp(&lab, "127.0.0.1");

	ask_udp(fd, 1, ECHO_NOTIFY, 1);
	cr_expect(answered_udp(fd, 1));
	EVENTUALLY(&lab, lab.mails == 1);
	cr_expect(eq(int, lab.mail[0].from.sa.sa_family, AF_INET));
	close(fd);
	lab_close(&lab);
}

enum { CLIENTS = 8, IN_FLIGHT = 200, ROUNDS = 20 };

/* Each client has hundreds under way; each query is answered once, whichever worker has it. */
Test(net_udp, hundreds_in_flight_are_all_answered_once)
{
	net_conf_t conf = lab_conf();
	int fd[CLIENTS];

	lab_open(&lab, &conf, "0.0.0.0");
	for (int c = 0; c < CLIENTS; c++)
		fd[c] = lab_udp(&lab, "127.0.0.1");
	for (int round = 0; round < ROUNDS; round++) {
		for (unsigned q = 0; q < IN_FLIGHT; q++) {
			for (int c = 0; c < CLIENTS; c++)
				ask_udp(fd[c], q, q % 3 ? ECHO_PLAIN : ECHO_SILENT, 0);
		}
		for (int c = 0; c < CLIENTS; c++) {
			for (unsigned q = 0; q < IN_FLIGHT; q++) {
				if (q % 3)
					cr_assert(answered_udp(fd[c], q), "client %d query %u", c,
					          q);
			}
		}
	}
	for (int c = 0; c < CLIENTS; c++) {
		cr_expect(quiet(fd[c], 0), "client %d", c);
		close(fd[c]);
	}
	net_totals_t t = lab_totals(&lab);
	cr_expect(eq(u64, t.queries, CLIENTS * IN_FLIGHT * ROUNDS));
	cr_expect(eq(u64, t.rcode[0] + t.dropped, CLIENTS * IN_FLIGHT * ROUNDS));
	lab_close(&lab);
}

/* The worker is stopped by a lab that opens but starts late: all wait in its socket. */
Test(net_udp, what_waits_is_taken_as_batches)
{
	net_conf_t conf = lab_conf();
	mailbox_t box = { .loop = ev_default_loop(EVFLAG_AUTO) };
	char why[256];
	addr_t addr;
	epoch_t *epoch = epoch_new(NET_READERS);

	cr_assert(eq(int, addr_parse("127.0.0.1", 0, &addr), ST_OK));
	conf.workers = 1;
	conf.listen = &addr;
	conf.listens = 1;
	memset(&lab, 0, sizeof lab);
	cr_assert(eq(int, net_open(&conf, NULL, epoch, &box, &lab.net, why), ST_OK), "%s", why);
	int fd = lab_udp(&lab, "127.0.0.1");

	for (unsigned q = 0; q < 150; q++)
		ask_udp(fd, q, ECHO_PLAIN, 0);
	cr_assert(eq(int, net_start(lab.net), ST_OK));
	for (unsigned q = 0; q < 150; q++)
		cr_assert(answered_udp(fd, q));
	cr_expect(eq(sz, echo_largest_batch(), 64));
	net_free(lab.net);
	epoch_free(epoch);
	close(fd);
}

static const struct {
	const char *why;
	size_t len;
	bool answered;
} sizes[] = {
	{ "no octets at all", 0, false },         { "one octet", 1, false },
	{ "the largest query", 4096, true },      { "one octet too long", 4097, false },
	{ "the largest datagram", 65507, false },
};

Test(net_udp, what_is_too_long_for_a_query_is_dropped_and_the_next_one_answered)
{
	net_conf_t conf = lab_conf();
	static uint8_t q[65507];
	uint64_t drops = 0;

	conf.answer.udp_payload = 4096;
	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		echo_query(q, 7, ECHO_PLAIN, 0);
		send_bytes(fd, q, sizes[i].len);
		if (sizes[i].answered)
			cr_expect(answered_udp(fd, 7), "%s", sizes[i].why);
		drops += !sizes[i].answered;
		ask_udp(fd, 8, ECHO_PLAIN, 0);
		cr_expect(answered_udp(fd, 8), "%s", sizes[i].why);
	}
	cr_expect(eq(u64, lab_totals(&lab).dropped, drops));
	lab_close(&lab);
	close(fd);
}

static const struct {
	const char *why;
	int err, times;
	bool answered;
} refusals[] = {
	{ "an interrupted call is made again", EINTR, 3, true },
	{ "a full buffer is given a moment", EAGAIN, 3, true },
	{ "but not for long", EAGAIN, 4, false },
	{ "a firewall's no costs that answer", EPERM, 1, false },
	{ "no route costs that answer", ENETUNREACH, 1, false },
};

Test(net_udp, an_answer_that_cannot_leave_is_counted_and_the_next_one_leaves)
{
	net_conf_t conf = lab_conf();
	uint64_t drops = 0;

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");

	for (unsigned i = 0; i < ARRAY_LEN(refusals); i++) {
		refuse(refusals[i].err, refusals[i].times);
		ask_udp(fd, 2 * i, ECHO_PLAIN, 0);
		if (refusals[i].answered)
			cr_expect(answered_udp(fd, 2 * i), "%s", refusals[i].why);
		drops += !refusals[i].answered;
		EVENTUALLY(&lab, atomic_load(&refuse_times) == 0);
		EVENTUALLY(&lab, lab_totals(&lab).unsent == drops);
		ask_udp(fd, 2 * i + 1, ECHO_PLAIN, 0);
		cr_expect(answered_udp(fd, 2 * i + 1), "%s", refusals[i].why);
	}
	lab_close(&lab);
	close(fd);
}

Test(net_udp, one_answer_that_cannot_leave_does_not_take_its_batch_along)
{
	net_conf_t conf = lab_conf();
	unsigned lost = 0;

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");

	refuse(EPERM, 1);
	for (unsigned q = 0; q < 100; q++)
		ask_udp(fd, q, ECHO_PLAIN, 0);
	/* Only the first one of whichever batch was first is lost. */
	for (unsigned q = 1; q < 100; q++)
		lost += !answered_udp(fd, q);
	cr_expect(eq(uint, lost, 0));
	cr_expect(eq(u64, lab_totals(&lab).unsent, 1));
	lab_close(&lab);
	close(fd);
}

Test(net_udp, answers_that_are_taken_a_few_at_a_time_all_leave)
{
	net_conf_t conf = lab_conf();

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");

	atomic_store(&at_most, 3);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned q = 0; q < 100; q++)
			ask_udp(fd, q, ECHO_PLAIN, 0);
		for (unsigned q = 0; q < 100; q++)
			cr_assert(answered_udp(fd, q));
	}
	cr_expect(quiet(fd, 0));
	lab_close(&lab);
	close(fd);
}
