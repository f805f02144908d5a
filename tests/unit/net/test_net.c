/* tests/unit/net/test_net.c - start, stop, ports, NOTIFY's way to the main loop, the epoch. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "net/post.h"
#include "net/sock.h"
#include "tests/unit/net/lab.h"

TestSuite(net, .timeout = 60);

static lab_t lab;

/* --- start and stop --------------------------------------------------------------------------- */

Test(net, starts_and_stops_twice)
{
	net_conf_t conf = lab_conf();

	for (unsigned round = 0; round < 2; round++) {
		lab_open(&lab, &conf, "127.0.0.1 ::1");
		int udp = lab_udp(&lab, "127.0.0.1"), tcp = lab_tcp(&lab, "127.0.0.1", NULL);

		cr_expect(ne(u16, net_port(lab.net, 0), 0));
		cr_expect(ne(u16, net_port(lab.net, 1), 0));
		ask_udp(udp, round, ECHO_PLAIN, 0);
		ask_tcp(tcp, round, ECHO_PLAIN, 0);
		cr_expect(answered_udp(udp, round));
		cr_expect(answered_tcp(tcp, round));
		lab_close(&lab);
		cr_expect(closed(tcp));
		close(udp);
		close(tcp);
	}
}

Test(net, frees_what_was_never_started)
{
	net_conf_t conf = lab_conf();
	addr_t addr;
	char why[256];
	mailbox_t box = { .loop = ev_default_loop(EVFLAG_AUTO) };
	net_t *net = NULL;
	epoch_t *epoch = epoch_new(NET_READERS);

	cr_assert(eq(int, addr_parse("127.0.0.1", 0, &addr), ST_OK));
	conf.listen = &addr;
	conf.listens = 1;
	cr_assert(eq(int, net_open(&conf, NULL, epoch, &box, &net, why), ST_OK), "%s", why);
	net_free(net);
	net_free(NULL);
	epoch_free(epoch);
}

/* One that runs turns soon after it is asked; one that does not run, never does. */
Test(net, tells_whether_its_workers_turn)
{
	net_conf_t conf = lab_conf();
	addr_t addr;
	char why[256];
	mailbox_t box = { .loop = ev_default_loop(EVFLAG_AUTO) };
	net_t *net = NULL;

	conf.workers = 3;
	epoch_t *epoch = epoch_new(NET_READERS);
	cr_assert(eq(int, addr_parse("127.0.0.1", 0, &addr), ST_OK));
	conf.listen = &addr;
	conf.listens = 1;
	cr_assert(eq(int, net_open(&conf, NULL, epoch, &box, &net, why), ST_OK), "%s", why);
	cr_expect(net_answered(net, 0), "they were never asked");
	const unsigned first = net_ask(net), second = net_ask(net);
	cr_expect(not(net_answered(net, first)), "nobody runs");
	cr_expect(not(net_answered(net, second)), "nobody runs");
	cr_assert(eq(int, net_start(net), ST_OK));
	for (int turns = 0; turns < 20; turns++) {
		const unsigned last = net_ask(net);

		while (!net_answered(net, last))
			poll(NULL, 0, 1);
		cr_expect(net_answered(net, first) && net_answered(net, second),
		          "the later includes them");
	}
	net_free(net);
	epoch_free(epoch);
}

Test(net, stops_promptly_while_queries_pour_in)
{
	net_conf_t conf = lab_conf();

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");

	for (unsigned i = 0; i < 5000; i++)
		ask_udp(fd, i, ECHO_PLAIN, 0);
	mono_t begin = clock_mono();
	lab_close(&lab);
	cr_expect(lt(dbl, mono_diff(begin, clock_mono()), 1.0));
	close(fd);
}

/* --- a socket that leaves its group ----------------------------------------------------------- */

enum { COMERS = 64 };

/* One datagram from each of many ports: the kernel's choice goes by the port. */
static void send_many(const addr_t *to)
{
	for (unsigned i = 0; i < COMERS; i++) {
		int fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		cr_assert(ge(int, fd, 0));
		cr_assert(eq(long, sendto(fd, "?", 1, 0, &to->sa, addr_len(to)), 1));
		close(fd);
	}
}

static unsigned received(int fd)
{
	char octet;
	unsigned n = 0;

	while (recv(fd, &octet, 1, MSG_DONTWAIT) == 1)
		n++;
	return n;
}

static void expect_hidden(const char *host)
{
	addr_t addr;
	int stays = -1, leaves = -1;

	cr_assert(eq(int, addr_parse(host, 0, &addr), ST_OK));
	cr_assert(eq(int, sock_probe(&addr), ST_OK));
	cr_assert(eq(int, sock_udp(&addr, &stays), ST_OK));
	cr_assert(eq(int, sock_udp(&addr, &leaves), ST_OK));
	send_many(&addr);
	sock_hide(leaves);
	unsigned first = received(leaves);
	cr_expect(gt(uint, first, 0), "%s: it was one of two", host);
	cr_expect(lt(uint, first, COMERS));
	cr_expect(eq(uint, received(stays), COMERS - first));
	send_many(&addr);
	cr_expect(eq(uint, received(leaves), 0), "%s: found", host);
	cr_expect(eq(uint, received(stays), COMERS));
	close(leaves);
	close(stays);
}

Test(net, a_hidden_socket_gets_nothing_new_and_keeps_what_it_has)
{
	expect_hidden("127.0.0.1");
	expect_hidden("::1");
}

/* --- reasons ---------------------------------------------------------------------------------- */

static status_t open_at(uint16_t port, char why[256])
{
	net_conf_t conf = lab_conf();
	mailbox_t box = { .loop = ev_default_loop(EVFLAG_AUTO) };
	addr_t addr;
	net_t *net = NULL;
	epoch_t *epoch = epoch_new(NET_READERS);

	cr_assert(eq(int, addr_parse("127.0.0.1", port, &addr), ST_OK));
	conf.listen = &addr;
	conf.listens = 1;
	status_t st = net_open(&conf, NULL, epoch, &box, &net, why);
	net_free(net);
	epoch_free(epoch);
	return st;
}

static void expect_in_use(uint16_t port)
{
	char why[256], start[64];

	cr_expect(eq(int, open_at(port, why), ST_SYSTEM));
	snprintf(start, sizeof start, "listen 127.0.0.1@%u: address already in use (", port);
	cr_expect(eq(int, strncmp(why, start, strlen(start)), 0), "%s", why);
}

Test(net, a_second_server_on_the_port_is_told_so_though_the_kernel_would_share_it)
{
	net_conf_t conf = lab_conf();

	lab_open(&lab, &conf, "127.0.0.1");
	expect_in_use(net_port(lab.net, 0));
	lab_close(&lab);
}

Test(net, a_port_that_is_taken_for_tcp_alone_is_told_too)
{
	addr_t addr;
	socklen_t len = sizeof addr;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(eq(int, addr_parse("127.0.0.1", 0, &addr), ST_OK));
	cr_assert(eq(int, bind(fd, &addr.sa, addr_len(&addr)), 0));
	cr_assert(eq(int, listen(fd, 1), 0));
	getsockname(fd, &addr.sa, &len);
	expect_in_use(addr_port(&addr));
	close(fd);
}

Test(net, an_any_address_may_stand_beside_one_that_it_contains)
{
	net_conf_t conf = lab_conf();
	char why[256];

	lab_open(&lab, &conf, "127.0.0.1");
	uint16_t port = net_port(lab.net, 0);
	lab_close(&lab);

	addr_t addr[2];
	mailbox_t box = { .loop = ev_default_loop(EVFLAG_AUTO) };
	net_t *net = NULL;
	epoch_t *epoch = epoch_new(NET_READERS);
	addr_parse("0.0.0.0", port, &addr[0]);
	addr_parse("127.0.0.1", port, &addr[1]);
	conf.listen = addr;
	conf.listens = 2;
	cr_expect(eq(int, net_open(&conf, NULL, epoch, &box, &net, why), ST_OK), "%s", why);
	net_free(net);
	epoch_free(epoch);
}

static const struct {
	int err;
	const char *want;
} reasons[] = {
	{ EACCES, "listen ::1@53: permission denied (needs root or CAP_NET_BIND_SERVICE)" },
	{ EADDRINUSE, "listen ::1@53: address already in use "
	              "(another server runs there; 'ss -lnptu' names it)" },
	{ EADDRNOTAVAIL, "listen ::1@53: cannot assign requested address "
	                 "(no interface has it, or not yet)" },
	{ EINVAL, "listen ::1@53: invalid argument" },
};

Test(net, gives_a_reason_and_what_to_do)
{
	addr_t addr;

	cr_assert(eq(int, addr_parse("::1", 53, &addr), ST_OK));
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		char why[256];

		sock_why(&addr, reasons[i].err, why);
		cr_expect(eq(str, why, (char *)reasons[i].want));
	}
}

/* --- NOTIFY ----------------------------------------------------------------------------------- */

static void notify(int fd, unsigned slot, unsigned has_hint, uint32_t hint)
{
	uint8_t q[ECHO_QUERY];

	echo_query(q, slot, ECHO_NOTIFY, slot);
	q[13] = (uint8_t)has_hint;
	q[14] = (uint8_t)(hint >> 24);
	q[15] = (uint8_t)(hint >> 16);
	q[16] = (uint8_t)(hint >> 8);
	q[17] = (uint8_t)hint;
	send_bytes(fd, q, sizeof q);
	cr_assert(answered_udp(fd, slot));
}

Test(net, a_notify_reaches_the_main_loop_with_its_sender_and_hint)
{
	net_conf_t conf = lab_conf();
	addr_t me;
	socklen_t len = sizeof me;

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1"), tcp = lab_tcp(&lab, "127.0.0.1", NULL);
	getsockname(fd, &me.sa, &len);

	notify(fd, 7, true, 2026112201);
	EVENTUALLY(&lab, lab.mails == 1);
	cr_expect(eq(ptr, (void *)lab.mail[0].slot, (void *)echo_slot(7)));
	cr_expect(addr_same(&lab.mail[0].from, &me));
	cr_expect(lab.mail[0].has_hint);
	cr_expect(eq(u32, lab.mail[0].hint, 2026112201));

	ask_tcp(tcp, 8, ECHO_NOTIFY, 8);
	cr_expect(answered_tcp(tcp, 8));
	EVENTUALLY(&lab, lab.mails == 2);
	cr_expect(eq(ptr, (void *)lab.mail[1].slot, (void *)echo_slot(8)));
	cr_expect(not(lab.mail[1].has_hint));
	lab_close(&lab);
	close(fd);
	close(tcp);
}

Test(net, notifies_for_one_zone_are_one_message_until_it_is_read)
{
	net_conf_t conf = lab_conf();

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1"), other = lab_udp(&lab, "127.0.0.1");

	lab.hold = true;
	notify(fd, 1, true, 5);
	EVENTUALLY(&lab, lab.mails == 1);
	for (unsigned i = 0; i < 100; i++)
		notify(i % 2 ? fd : other, 1, true, i);
	notify(fd, 2, true, 5);
	EVENTUALLY(&lab, lab.mails == 2);
	cr_expect(eq(u32, lab.mail[0].hint, 5));
	cr_expect(eq(ptr, (void *)lab.mail[1].slot, (void *)echo_slot(2)));

	while (lab.helds > 0)
		net_notify_done(lab.held[--lab.helds]);
	notify(fd, 1, true, 5);
	EVENTUALLY(&lab, lab.mails == 3);
	lab_close(&lab);
	close(fd);
	close(other);
}

Test(net, a_burst_for_many_zones_loses_none)
{
	net_conf_t conf = lab_conf();
	bool told[256] = { false };

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");

	lab.hold = true; /* as if the main loop had no time for any of them */
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 256; i++)
			notify(fd, i, true, i);
	}
	EVENTUALLY(&lab, lab.mails == 256);
	for (size_t i = 0; i < lab.mails; i++)
		told[lab.mail[i].hint] = true;
	for (size_t i = 0; i < 256; i++)
		cr_expect(told[i], "%zu", i);
	lab_close(&lab);
	close(fd);
}

Test(net, refused_notifies_trickle_through)
{
	net_conf_t conf = lab_conf();

	conf.workers = 1;
	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");

	for (unsigned i = 0; i < 200; i++)
		notify(fd, 1, ECHO_REFUSED, i);
	notify(fd, 2, true, 7777);
	EVENTUALLY(&lab, lab.mails > 0 && lab.mail[lab.mails - 1].hint == 7777);
	/* The burst, what was refilled meanwhile, and the one that was accepted. */
	cr_expect(ge(sz, lab.mails, POST_REFUSED_BURST + 1));
	cr_expect(lt(sz, lab.mails, 100));
	cr_expect(lab.mail[0].refused);
	cr_expect(not(lab.mail[lab.mails - 1].refused));
	lab_close(&lab);
	close(fd);
}

Test(net, a_notify_still_in_the_mailbox_outlives_the_workers)
{
	net_conf_t conf = lab_conf();

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");

	for (unsigned i = 0; i < 10; i++)
		notify(fd, i, false, 0);
	net_free(lab.net);
	lab.net = NULL;
	cr_expect(eq(sz, lab.mails, 0));
	lab_close(&lab); /* closes the mailbox, which delivers */
	cr_expect(eq(sz, lab.mails, 10));
	close(fd);
}

/* --- the epoch -------------------------------------------------------------------------------- */

static size_t released;

static void release(epoch_node_t *node)
{
	(void)node;
	released++;
}

Test(net, workers_that_wait_hold_no_memory_back_nor_do_busy_ones_for_long)
{
	net_conf_t conf = lab_conf();
	epoch_node_t node[200];

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");

	for (unsigned i = 0; i < 20; i++) { /* a port each: both workers have been awake */
		int other = lab_udp(&lab, "127.0.0.1");

		ask_udp(other, i, ECHO_PLAIN, 0);
		cr_assert(answered_udp(other, i));
		close(other);
	}
	epoch_retire(lab.epoch, &node[0], release);
	EVENTUALLY(&lab, epoch_reclaim(lab.epoch) == 0);
	for (unsigned i = 1; i < ARRAY_LEN(node); i++) {
		for (unsigned q = 0; q < 20; q++)
			ask_udp(fd, q, ECHO_PLAIN, 0);
		epoch_retire(lab.epoch, &node[i], release);
		epoch_reclaim(lab.epoch);
		for (unsigned q = 0; q < 20; q++)
			cr_assert(answered_udp(fd, q));
	}
	EVENTUALLY(&lab, epoch_reclaim(lab.epoch) == 0);
	cr_expect(eq(sz, released, ARRAY_LEN(node)));
	lab_close(&lab);
	close(fd);
}

/* --- totals ----------------------------------------------------------------------------------- */

Test(net, totals_sum_over_workers_and_transports)
{
	net_conf_t conf = lab_conf();

	lab_open(&lab, &conf, "127.0.0.1");
	int tcp = lab_tcp(&lab, "127.0.0.1", NULL);

	for (unsigned i = 0; i < 20; i++) {
		int fd = lab_udp(&lab, "127.0.0.1"); /* a port each: both workers get some */

		ask_udp(fd, i, ECHO_SILENT, 0);
		ask_udp(fd, i, ECHO_PLAIN, 0);
		cr_expect(answered_udp(fd, i));
		close(fd);
	}
	ask_tcp(tcp, 1, ECHO_PLAIN, 0);
	cr_expect(answered_tcp(tcp, 1));
	/* Counted when the answers have left. */
	EVENTUALLY(&lab, lab_totals(&lab).queries == 41);
	net_totals_t t = lab_totals(&lab);
	cr_expect(eq(u64, t.received[NET_UDP][NET_IPV4], 40));
	cr_expect(eq(u64, t.received[NET_TCP][NET_IPV4], 1));
	cr_expect(eq(u64, t.received[NET_UDP][NET_IPV6] + t.received[NET_TCP][NET_IPV6], 0));
	cr_expect(eq(u64, t.type[ANSWER_TYPE_A], 21));
	cr_expect(eq(u64, t.rcode[0], 21));
	cr_expect(eq(u64, t.dropped, 20));
	cr_expect(eq(u64, t.tcp_accepted, 1));
	cr_expect(eq(u64, t.tcp_open, 1));
	cr_expect(eq(u64, t.tcp_refused, 0));
	close(tcp);
	EVENTUALLY(&lab, lab_totals(&lab).tcp_open == 0);
	lab_close(&lab);
}

/* --- other settings ---------------------------------------------------------------------------- */

static void is_done(void *arg)
{
	(*(unsigned *)arg)++;
}

typedef struct asked {
	int fd[8];
	unsigned count[8];
} asked_t;

/* Questions of many clients while the main loop turns: each is answered. */
static void ask_all(asked_t *a)
{
	for (int i = 0; i < 8; i++)
		ask_udp(a->fd[i], ++a->count[i] & 0xffff, ECHO_PLAIN, 0);
	lab_turn(&lab);
	for (int i = 0; i < 8; i++)
		cr_assert(answered_udp(a->fd[i], a->count[i] & 0xffff), "lost after %u",
		          a->count[i]);
}

/* To so many workers on so many addresses, when there is room for them. */
static void change_to(net_conf_t *next, const addr_t *listen, size_t listens, unsigned workers,
                      asked_t *a)
{
	net_change_t *c;
	char why[256];
	unsigned done = 0;

	next->listen = listen;
	next->listens = listens;
	next->workers = workers;
	while (!(c = net_prepare(lab.net, next, why))) {
		cr_assert(strstr(why, "leaving") != NULL, "%s", why);
		ask_all(a);
	}
	net_change(c, is_done, &done, why);
	cr_expect(eq(chr, why[0], '\0'), "%s", why);
	while (done == 0)
		ask_all(a);
	cr_expect(eq(u32, net_workers(lab.net), workers));
}

/* Workers and addresses come and go, and nothing that was asked goes unanswered. */
Test(net, changes_while_it_is_asked)
{
	static const unsigned workers[] = { 4, 1, 1, 3, 2, 5 };
	net_conf_t conf = lab_conf(), next[ARRAY_LEN(workers)];
	asked_t a = { 0 };
	addr_t listen[2];

	conf.workers = 2;
	lab_open(&lab, &conf, "127.0.0.1");
	for (int i = 0; i < 8; i++)
		a.fd[i] = lab_udp(&lab, "127.0.0.1");
	cr_assert(eq(int, addr_parse("127.0.0.1", 0, &listen[0]), ST_OK)); /* as it was asked for */
	cr_assert(eq(int, addr_parse("127.0.0.2", 0, &listen[1]), ST_OK));
	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		next[i] = conf;
		change_to(&next[i], listen, 1 + i % 2, workers[i], &a);
		const int tcp = lab_tcp(&lab, "127.0.0.1", NULL);

		ask_tcp(tcp, 9, ECHO_PLAIN, 0);
		cr_expect(answered_tcp(tcp, 9));
		close(tcp);
		if (i % 2 == 1) {
			const int fd = lab_udp_to("127.0.0.2", net_port(lab.net, 1));

			ask_udp(fd, 7, ECHO_PLAIN, 0);
			cr_expect(answered_udp(fd, 7));
			close(fd);
		}
		const mono_t until = mono_add_ms(clock_mono(), 200);
		while (mono_before(clock_mono(), until))
			ask_all(&a);
	}
	unsigned sum = 0;
	for (int i = 0; i < 8; i++) {
		sum += a.count[i];
		close(a.fd[i]);
	}
	cr_expect(ge(u64, lab_totals(&lab).queries, sum), "those of workers that left count, too");
	lab_close(&lab);
}

/* What can't be had changes nothing. */
Test(net, does_not_change_to_what_can_not_be_had)
{
	net_conf_t conf = lab_conf(), next = conf;
	addr_t listen[2];
	char why[256];

	lab_open(&lab, &conf, "127.0.0.1");
	int fd = lab_udp(&lab, "127.0.0.1");
	cr_assert(eq(int, addr_parse("127.0.0.1", 0, &listen[0]), ST_OK));
	cr_assert(eq(int, addr_parse("192.0.2.1", 5353, &listen[1]), ST_OK));
	next.listen = listen;
	next.listens = 2;
	cr_expect(net_prepare(lab.net, &next, why) == NULL);
	cr_expect(strstr(why, "192.0.2.1@5353") != NULL, "%s", why);
	next.listens = 1;
	net_drop(net_prepare(lab.net, &next, why));
	ask_udp(fd, 1, ECHO_PLAIN, 0);
	cr_expect(answered_udp(fd, 1));
	close(fd);
	lab_close(&lab);
}
