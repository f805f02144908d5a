/* tests/unit/net/lab.c - see lab.h. */
#include "tests/unit/net/lab.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"

net_conf_t lab_conf(void)
{
	return (net_conf_t){
		.workers = 2,
		.tcp_clients = 100,
		.tcp_per_client = 100,
		.tcp_idle = 10.0,
		.answer = { .udp_payload = 1232 },
	};
}

static void receive(void *arg, mail_t *mail)
{
	lab_t *lab = arg;
	net_notify_t *n = (net_notify_t *)mail;

	cr_assert(lab->mails < LAB_MAILS);
	lab->mail[lab->mails++] =
		(lab_mail_t){ n->slot, n->from, n->has_hint, n->hint, n->refused };
	if (lab->hold)
		lab->held[lab->helds++] = n;
	else
		net_notify_done(n);
}

void lab_open(lab_t *lab, const net_conf_t *conf, const char *listen)
{
	char text[256], why[256], *rest = text;
	addr_t addr[8];
	net_conf_t mine = *conf;

	memset(lab, 0, sizeof *lab);
	snprintf(text, sizeof text, "%s", listen);
	mine.listen = addr;
	for (char *word; (word = strsep(&rest, " "));)
		cr_assert(eq(int, addr_parse(word, 0, &addr[mine.listens++]), ST_OK));
	lab->epoch = epoch_new(NET_READERS);
	lab->loop = ev_loop_new(EVFLAG_AUTO);
	mailbox_open(&lab->box, lab->loop, receive, lab);
	cr_assert(eq(int, net_open(&mine, NULL, lab->epoch, &lab->box, &lab->net, why), ST_OK),
	          "%s", why);
	cr_assert(eq(int, net_start(lab->net), ST_OK));
}

void lab_close(lab_t *lab)
{
	net_free(lab->net);
	mailbox_close(&lab->box);
	while (lab->helds > 0)
		net_notify_done(lab->held[--lab->helds]);
	ev_loop_destroy(lab->loop);
	epoch_free(lab->epoch);
}

void lab_turn(lab_t *lab)
{
	ev_run(lab->loop, EVRUN_NOWAIT);
	poll(NULL, 0, 1);
}

net_totals_t lab_totals(const lab_t *lab)
{
	net_totals_t t;

	net_totals(lab->net, &t);
	return t;
}

static int client(uint16_t port, int type, const char *host, const char *from)
{
	struct timeval patience = { .tv_sec = DEADLINE_S };
	addr_t to, me;

	cr_assert(eq(int, addr_parse(host, port, &to), ST_OK));
	int fd = socket(to.sa.sa_family, type, 0);
	cr_assert(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (from) {
		cr_assert(eq(int, addr_parse(from, 0, &me), ST_OK));
		cr_assert(eq(int, bind(fd, &me.sa, addr_len(&me)), 0));
	}
	cr_assert(eq(int, connect(fd, &to.sa, addr_len(&to)), 0), "%s", strerror(errno));
	return fd;
}

int lab_udp(const lab_t *lab, const char *host)
{
	return client(net_port(lab->net, 0), SOCK_DGRAM, host, NULL);
}

int lab_udp_to(const char *host, uint16_t port)
{
	return client(port, SOCK_DGRAM, host, NULL);
}

int lab_tcp(const lab_t *lab, const char *host, const char *from)
{
	return client(net_port(lab->net, 0), SOCK_STREAM, host, from);
}

void send_bytes(int fd, const void *bytes, size_t n)
{
	cr_assert(eq(sz, send(fd, bytes, n, MSG_NOSIGNAL), n), "%s", strerror(errno));
}

void receive_bytes(int fd, void *bytes, size_t n)
{
	cr_assert(eq(sz, recv(fd, bytes, n, MSG_WAITALL), n), "%s", strerror(errno));
}

void ask_udp(int fd, unsigned id, echo_op_t op, unsigned arg)
{
	uint8_t q[ECHO_QUERY];

	echo_query(q, id, op, arg);
	send_bytes(fd, q, sizeof q);
}

void ask_tcp(int fd, unsigned id, echo_op_t op, unsigned arg)
{
	uint8_t q[2 + ECHO_QUERY];

	put_u16(q, ECHO_QUERY);
	echo_query(q + 2, id, op, arg);
	send_bytes(fd, q, sizeof q);
}

size_t answer_udp(int fd, uint8_t *out, size_t room)
{
	ssize_t n = recv(fd, out, room, 0);

	cr_assert(n >= 0, "%s", strerror(errno));
	return (size_t)n;
}

size_t answer_tcp(int fd, uint8_t out[65535])
{
	uint8_t len[2];

	receive_bytes(fd, len, sizeof len);
	receive_bytes(fd, out, get_u16(len));
	return get_u16(len);
}

bool answered_udp(int fd, unsigned id)
{
	uint8_t a[4096];
	size_t n = answer_udp(fd, a, sizeof a);

	return n >= ECHO_HEADER && get_u16(a) == id && a[2] & 0x80;
}

bool answered_tcp(int fd, unsigned id)
{
	uint8_t a[65535];
	size_t n = answer_tcp(fd, a);

	return n >= ECHO_HEADER && get_u16(a) == id && a[2] & 0x80;
}

bool closed(int fd)
{
	uint8_t byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

bool quiet(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 0;
}
