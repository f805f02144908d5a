/* tests/unit/net/test_adopt.c - sockets that somebody else has bound: which are ours, who gets them, and what is told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/adopt.h"
#include "net/sock.h"
#include "tests/unit/net/lab.h"

TestSuite(net_adopt, .timeout = 60);

enum { TRIES = 50 };

/* -1: somebody else has the port. */
static int bound(int type, const addr_t *at, bool shared)
{
	const int on = 1, family = at->sa.sa_family, fd = socket(family, type, 0);

	cr_assert(fd >= 0);
	if (type == SOCK_STREAM)
		cr_assert(eq(int, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0));
	if (shared)
		cr_assert(eq(int, setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0));
	if (family == AF_INET6)
		cr_assert(eq(int, setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0));
	if (bind(fd, &at->sa, addr_len(at)) == 0)
		return fd;
	cr_assert(eq(int, errno, EADDRINUSE));
	close(fd);
	return -1;
}

static addr_t address(const char *text)
{
	addr_t a;

	cr_assert(eq(int, addr_parse(text, 0, &a), ST_OK));
	return a;
}

static bool try_to_bind(const addr_t *at, unsigned udp, unsigned tcp, bool shared, passed_t *out)
{
	const size_t before = out->count;

	for (unsigned i = 0; i < udp + tcp; i++) {
		const int fd = bound(i < udp ? SOCK_DGRAM : SOCK_STREAM, at, shared);

		if (fd < 0) {
			while (out->count > before)
				close(out->fds[--out->count]);
			return false;
		}
		out->fds[out->count++] = fd;
	}
	return true;
}

/* So many of each kind at a port that is free for both. */
static addr_t bind_some(const char *host, unsigned udp, unsigned tcp, bool shared, passed_t *out)
{
	addr_t at;
	int tries = 0;

	do {
		cr_assert(tries++ < TRIES);
		at = address(host);
		cr_assert(eq(int, sock_probe(&at), ST_OK));
	} while (!try_to_bind(&at, udp, tcp, shared, out));
	return at;
}

static int fds[16];

static passed_t nothing(void)
{
	return (passed_t){ .fds = fds };
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int get(int fd, int level, int which)
{
	socklen_t len = sizeof(int);
	int value = -1;

	cr_assert(eq(int, getsockopt(fd, level, which, &value, &len), 0));
	return value;
}

static void close_pair(const worker_pair_t *p)
{
	close(p->udp);
	close(p->tcp);
}

Test(net_adopt, gives_each_worker_the_next_one_set_up)
{
	passed_t passed = nothing();
	const addr_t at = bind_some("127.0.0.1", 2, 1, true, &passed);
	worker_pair_t first, second;
	adopt_t a = { 0 };
	char why[256];

	cr_assert(eq(int, adopt_open(&a, &passed, &at, 1, 2, why), ST_OK), "%s", why);
	cr_expect(adopt_has(&a, &at) && adopt_meets(&a, &at));
	cr_assert(eq(int, adopt_bind(&a, &at, &first), ST_OK));
	cr_assert(eq(int, adopt_bind(&a, &at, &second), ST_OK));
	cr_expect(first.udp == fds[0] && second.udp == fds[1] && first.tcp == fds[2]);
	cr_expect(second.tcp >= 0 && second.tcp != fds[2], "the missing one is bound beside");
	cr_expect(ne(int, fcntl(first.udp, F_GETFL) & O_NONBLOCK, 0));
	cr_expect(ne(int, fcntl(first.tcp, F_GETFL) & O_NONBLOCK, 0));
	cr_expect(eq(int, get(first.tcp, SOL_SOCKET, SO_ACCEPTCONN), 1));
	cr_expect(eq(int, get(first.tcp, IPPROTO_TCP, TCP_NODELAY), 1));
	cr_expect(eq(int, get(first.udp, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT));
	adopt_close(&a);
	cr_expect(is_open(first.udp), "it is the worker's");
	close_pair(&first);
	close_pair(&second);
}

Test(net_adopt, keeps_a_buffer_that_is_larger_than_ours_may_be)
{
	passed_t passed = nothing();
	const addr_t at = bind_some("127.0.0.1", 1, 0, true, &passed);
	const int large = 16 << 20;
	adopt_t a = { 0 };
	char why[256];

	if (setsockopt(fds[0], SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large) != 0) {
		cr_skip_test("a larger one takes CAP_NET_ADMIN");
		return;
	}
	cr_assert(eq(int, adopt_open(&a, &passed, &at, 1, 1, why), ST_OK), "%s", why);
	cr_expect(eq(int, get(fds[0], SOL_SOCKET, SO_RCVBUF), 2 * large));
	adopt_close(&a);
}

/* Another port, another address, another kind of socket, a file. */
Test(net_adopt, closes_what_is_none_of_ours)
{
	passed_t passed = nothing();
	const addr_t at = bind_some("127.0.0.1", 1, 1, true, &passed);
	adopt_t a = { 0 };
	char why[256];

	bind_some("127.0.0.1", 1, 1, true, &passed);
	bind_some("::1", 1, 1, true, &passed);
	fds[passed.count++] = socket(AF_UNIX, SOCK_DGRAM, 0);
	fds[passed.count++] = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	fds[passed.count++] = open("/dev/null", O_RDONLY);
	if (fds[passed.count - 2] < 0) { /* not every kernel has it */
		fds[passed.count - 2] = fds[passed.count - 1];
		passed.count--;
	}
	cr_assert(eq(int, adopt_open(&a, &passed, &at, 1, 1, why), ST_OK), "%s", why);
	cr_expect(eq(sz, a.count, 2));
	for (size_t i = 0; i < passed.count; i++)
		cr_expect(eq(int, is_open(fds[i]), i < 2), "%zu", i);
	adopt_close(&a);
	cr_expect(not(is_open(fds[0]) || is_open(fds[1])), "no worker had them");
}

Test(net_adopt, refuses_more_than_workers_could_read)
{
	passed_t passed = nothing();
	const addr_t at = bind_some("127.0.0.1", 3, 1, true, &passed);
	char why[256] = "", want[256], text[ADDR_TEXT_MAX];
	adopt_t a = { 0 };

	cr_assert(eq(int, adopt_open(&a, &passed, &at, 1, 2, why), ST_REFUSED));
	snprintf(want, sizeof want,
	         "listen %s: 3 UDP sockets were passed for 2 workers, and queries come to each of "
	         "them: write workers = 3, or pass fewer",
	         addr_text(&at, text));
	cr_expect(eq(str, why, want));
	adopt_close(&a);
}

Test(net_adopt, refuses_one_of_all_addresses_that_takes_ipv4_as_well)
{
	const int off = 0, fd = socket(AF_INET6, SOCK_DGRAM, 0);
	passed_t passed = { .fds = fds, .count = 1 };
	addr_t at = address("::");
	socklen_t len = sizeof at;
	adopt_t a = { 0 };
	char why[256] = "";

	if (fd < 0) {
		cr_skip_test("no IPv6 here");
		return;
	}
	fds[0] = fd;
	cr_assert(eq(int, setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0));
	cr_assert(eq(int, bind(fd, &at.sa, addr_len(&at)), 0));
	cr_assert(eq(int, getsockname(fd, &at.sa, &len), 0));
	cr_assert(eq(int, adopt_open(&a, &passed, &at, 1, 1, why), ST_REFUSED));
	cr_expect(strstr(why, "takes IPv4 as well: write BindIPv6Only=ipv6-only") != NULL, "%s",
	          why);
	adopt_close(&a);
}

/* Bound without SO_REUSEPORT, none can stand beside it: as when another user has bound it. */
Test(net_adopt, says_what_to_do_when_none_can_be_bound_beside)
{
	passed_t passed = nothing();
	const addr_t at = bind_some("127.0.0.1", 1, 1, false, &passed);
	char why[256], want[256], text[ADDR_TEXT_MAX];
	worker_pair_t first, second;
	adopt_t a = { 0 };

	cr_assert(eq(int, adopt_open(&a, &passed, &at, 1, 2, why), ST_OK), "%s", why);
	cr_assert(eq(int, adopt_bind(&a, &at, &first), ST_OK));
	cr_assert(eq(int, adopt_bind(&a, &at, &second), ST_SYSTEM));
	cr_assert(eq(int, errno, EADDRINUSE));
	cr_expect(second.udp < 0 && second.tcp < 0);
	adopt_why(&a, &at, 2, EADDRINUSE, why);
	snprintf(
		want, sizeof want,
		"listen %s: 1 UDP and 1 TCP sockets were passed for 2 workers, and no more can be "
		"bound beside them: pass one of each for each worker, with ReusePort=yes; or write "
		"workers = 1",
		addr_text(&at, text));
	cr_expect(eq(str, why, want));
	adopt_close(&a);
	close_pair(&first);
}

Test(net_adopt, wants_a_worker_for_each_as_long_as_it_is_listened_to)
{
	passed_t passed = nothing();
	const addr_t at[] = { bind_some("127.0.0.1", 3, 2, true, &passed),
		              bind_some("127.0.0.1", 2, 2, true, &passed), address("::1@53") };
	const addr_t *because = NULL;
	adopt_t a = { 0 };
	char why[256];

	cr_assert(eq(int, adopt_open(&a, &passed, at, 3, 3, why), ST_OK), "%s", why);
	cr_expect(eq(u32, adopt_least(&a, at, 3, &because), 3));
	cr_expect(addr_same(because, &at[0]));
	cr_expect(eq(u32, adopt_least(&a, &at[1], 2, &because), 2));
	cr_expect(eq(u32, adopt_least(&a, &at[2], 1, &because), 0));
	adopt_keep(&a, &at[1], 2);
	cr_expect(eq(u32, adopt_least(&a, at, 3, &because), 2), "what is gone does not count");
	cr_expect(not(adopt_has(&a, &at[0])));
	adopt_why(&a, &at[0], 3, EADDRINUSE, why);
	cr_expect(strstr(why, "lost it: restart secd") != NULL, "%s", why);
	adopt_why(&a, &at[2], 3, EADDRINUSE, why);
	cr_expect(strstr(why, "another server runs there") != NULL, "%s", why);
	addr_t all = address("0.0.0.0");
	all.in.sin_port = at[1].in.sin_port;
	adopt_why(&a, &all, 3, EADDRINUSE, why);
	cr_expect(strstr(why, "pass some for it as well") != NULL, "%s", why);
	adopt_close(&a);
}

/* All of it: queries on sockets that were bound before, by as many workers, beside an any-address of the same port. */
Test(net_adopt, answers_where_it_has_bound_nothing)
{
	static lab_t lab;
	passed_t passed = nothing();
	const addr_t at = bind_some("127.0.0.1", 2, 2, true, &passed);
	char listen[128], text[ADDR_TEXT_MAX];
	net_conf_t conf = lab_conf();

	conf.passed = &passed;
	snprintf(listen, sizeof listen, "%s 0.0.0.0@%u", addr_text(&at, text), addr_port(&at));
	lab_open(&lab, &conf, listen);
	for (unsigned i = 0; i < 40; i++) {
		const char *host = i % 2 ? "127.0.0.1" : "127.0.0.9";
		int udp = lab_udp(&lab, host), tcp = lab_tcp(&lab, host, NULL);

		ask_udp(udp, i, ECHO_PLAIN, 0);
		ask_tcp(tcp, i, ECHO_PLAIN, 0);
		cr_expect(answered_udp(udp, i));
		cr_expect(answered_tcp(tcp, i));
		close(udp);
		close(tcp);
	}
	lab_close(&lab);
	for (size_t i = 0; i < passed.count; i++)
		cr_expect(not(is_open(fds[i])));
}

static void is_done(void *arg)
{
	*(bool *)arg = true;
}

static void listen_elsewhere(lab_t *lab, net_conf_t *next, const addr_t *elsewhere)
{
	bool done = false;
	char why[256];

	next->listen = elsewhere;
	next->listens = 1;
	net_change_t *c = net_prepare(lab->net, next, why);

	cr_assert(c != NULL, "%s", why);
	net_change(c, is_done, &done, why);
	EVENTUALLY(lab, done);
}

/* Whoever passed them may hold them, and pass them again: to them all must be as it was. */
Test(net_adopt, leaves_what_was_passed_as_it_was)
{
	static lab_t lab;
	passed_t passed = nothing();
	const addr_t at = bind_some("127.0.0.1", 2, 2, true, &passed);
	const addr_t elsewhere = address("127.0.0.2");
	char listen[ADDR_TEXT_MAX], got[1];
	net_conf_t conf = lab_conf(), next = conf;
	int held[2];

	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		held[i] = dup(fds[i]);
	conf.passed = &passed;
	lab_open(&lab, &conf, addr_text(&at, listen));
	listen_elsewhere(&lab, &next, &elsewhere);
	cr_assert(not(is_open(fds[0]) || is_open(fds[1])));
	const int asks = lab_udp_to("127.0.0.1", addr_port(&at));

	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		cr_expect(eq(int, get(held[i], SOL_SOCKET, SO_BINDTOIFINDEX), 0));
	ask_udp(asks, 1, ECHO_PLAIN, 0);
	cr_expect(recv(held[0], got, 1, MSG_DONTWAIT) > 0 ||
	          recv(held[1], got, 1, MSG_DONTWAIT) > 0);
	close(asks);
	close(held[0]);
	close(held[1]);
	lab_close(&lab);
}

/* It would be bound beside what its holder has, and miss what comes there. */
Test(net_adopt, takes_back_nothing_that_it_has_given_up)
{
	static lab_t lab;
	passed_t passed = nothing();
	const addr_t at = bind_some("127.0.0.1", 2, 2, true, &passed);
	addr_t both[] = { at, address("0.0.0.0") };
	net_conf_t conf = lab_conf(), one = conf, two = conf;
	char listen[2 * ADDR_TEXT_MAX], text[ADDR_TEXT_MAX], why[256] = "";
	const int held = dup(fds[0]);

	snprintf(listen, sizeof listen, "%s 0.0.0.0@%u", addr_text(&at, text), addr_port(&at));
	both[1].in.sin_port = at.in.sin_port;
	conf.passed = &passed;
	lab_open(&lab, &conf, listen);
	listen_elsewhere(&lab, &one, &both[1]);
	two.listen = both;
	two.listens = ARRAY_LEN(both);
	cr_expect(net_prepare(lab.net, &two, why) == NULL);
	cr_expect(strstr(why, "lost it: restart secd") != NULL, "%s", why);
	close(held);
	lab_close(&lab);
}

/* Its socket could not be told to say where it was sent. */
Test(net_adopt, answers_what_came_before_from_where_it_was_asked)
{
	static lab_t lab;
	passed_t passed = nothing();
	const addr_t at = bind_some("0.0.0.0", 2, 2, true, &passed);
	net_conf_t conf = lab_conf();
	char listen[ADDR_TEXT_MAX];
	const int asks = lab_udp_to("127.0.0.9", addr_port(&at)); /* hears nobody else */

	ask_udp(asks, 1, ECHO_PLAIN, 0);
	conf.passed = &passed;
	lab_open(&lab, &conf, addr_text(&at, listen));
	cr_expect(answered_udp(asks, 1));
	close(asks);
	lab_close(&lab);
}

/* A process that was killed while workers left has told the kernel to choose among those that stay. */
Test(net_adopt, undoes_a_choice_that_was_left_behind)
{
	struct sock_filter first[] = { { BPF_RET | BPF_K, 0, 0, 0 } };
	const struct sock_fprog prog = { ARRAY_LEN(first), first };
	passed_t passed = nothing();
	const addr_t at = bind_some("127.0.0.1", 2, 0, true, &passed);
	int asks[32], got[2] = { 0 };
	adopt_t a = { 0 };
	char why[256], octet[1];

	cr_assert(eq(int,
	             setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof prog),
	             0));
	cr_assert(eq(int, adopt_open(&a, &passed, &at, 1, 2, why), ST_OK), "%s", why);
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		asks[i] = lab_udp_to("127.0.0.1", addr_port(&at));
		ask_udp(asks[i], i, ECHO_PLAIN, 0);
		close(asks[i]);
	}
	for (int i = 0; i < 2; i++) {
		while (recv(fds[i], octet, 1, MSG_DONTWAIT) > 0)
			got[i]++;
	}
	cr_expect(eq(int, got[0] + got[1], (int)ARRAY_LEN(asks)));
	cr_expect(got[0] > 0 && got[1] > 0, "%d and %d", got[0], got[1]);
	adopt_close(&a);
}
