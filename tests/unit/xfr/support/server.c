/* tests/unit/xfr/support/server.c - one thread, two sockets, one wake-up pipe. */
#include "tests/unit/xfr/support/server.h"

#include "common/buf.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

struct server {
	server_script_t script;
	int udp, tcp;
	int stop[2];
	uint16_t port;
	pthread_t thread;
};

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		                     .sin_port = port,
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof sin;

	if (getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
		abort();
	return sin.sin_port;
}

/* Both sockets on one port; another process may have its UDP side: try again. */
static void open_sockets(server_t *s)
{
	for (int i = 0; i < 100; i++) {
		struct sockaddr_in sin = loopback(0);

		s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (bind(s->tcp, (struct sockaddr *)&sin, sizeof sin) < 0 || listen(s->tcp, 64) < 0)
			abort();
		s->port = sin.sin_port = bound_port(s->tcp);
		if (bind(s->udp, (struct sockaddr *)&sin, sizeof sin) == 0)
			return;
		close(s->tcp);
		close(s->udp);
	}
	abort();
}

static void take_datagram(server_t *s, unsigned nth)
{
	uint8_t msg[4096];
	server_query_t q = { .msg = msg, .nth = nth, .fd = s->udp };
	socklen_t len = sizeof q.from;
	ssize_t n = recvfrom(s->udp, msg, sizeof msg, 0, (struct sockaddr *)&q.from, &len);

	if (n < 0 || !s->script.udp)
		return;
	q.len = (size_t)n;
	s->script.udp(s->script.arg, &q);
}

static void take_connection(server_t *s, unsigned nth)
{
	int fd = accept4(s->tcp, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (s->script.tcp)
		s->script.tcp(s->script.arg, fd, nth);
	else
		server_await_close(fd);
	close(fd);
}

static void *serve(void *arg)
{
	server_t *s = arg;
	unsigned datagrams = 0, connections = 0;
	struct pollfd p[] = { { .fd = s->stop[0], .events = POLLIN },
		              { .fd = s->udp, .events = POLLIN },
		              { .fd = s->tcp, .events = POLLIN } };

	while (poll(p, 3, -1) >= 0 && !p[0].revents) {
		if (p[1].revents)
			take_datagram(s, datagrams++);
		if (p[2].revents)
			take_connection(s, connections++);
	}
	return NULL;
}

server_t *server_start(const server_script_t *script)
{
	server_t *s = calloc(1, sizeof *s);

	s->script = *script;
	open_sockets(s);
	if (pipe(s->stop) < 0 || pthread_create(&s->thread, NULL, serve, s) != 0)
		abort();
	return s;
}

void server_stop(server_t *s)
{
	if (write(s->stop[1], "", 1) != 1)
		abort();
	pthread_join(s->thread, NULL);
	close(s->stop[0]);
	close(s->stop[1]);
	close(s->udp);
	close(s->tcp);
	free(s);
}

xfr_peer_t server_peer(const server_t *s)
{
	return (xfr_peer_t){ .addr.in = loopback(s->port) };
}

xfr_peer_t server_nobody(void)
{
	struct sockaddr_in sin = loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&sin, sizeof sin) < 0)
		abort();
	sin.sin_port = bound_port(fd);
	close(fd);
	return (xfr_peer_t){ .addr.in = sin };
}

/* A full backlog drops what knocks. */
xfr_peer_t server_deaf(void)
{
	struct sockaddr_in sin = loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&sin, sizeof sin) < 0 || listen(fd, 0) < 0)
		abort();
	sin.sin_port = bound_port(fd);
	for (int i = 0; i < 8; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fd, (struct sockaddr *)&sin, sizeof sin);
	}
	return (xfr_peer_t){ .addr.in = sin };
}

void server_reply(const server_query_t *q, const void *msg, size_t len)
{
	(void)sendto(q->fd, msg, len, 0, (const struct sockaddr *)&q->from, sizeof q->from);
}

/* Exactly len octets; false when the peer goes first or says nothing for long. */
static bool read_all(int fd, uint8_t *out, size_t len)
{
	while (len > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, PATIENCE_MS) == 1 ? read(fd, out, len) : 0;

		if (n <= 0)
			return false;
		out += n;
		len -= (size_t)n;
	}
	return true;
}

size_t server_read(int fd, uint8_t out[65535])
{
	uint8_t prefix[2];

	if (!read_all(fd, prefix, 2) || !read_all(fd, out, get_u16(prefix)))
		return 0;
	return get_u16(prefix);
}

bool server_write_raw(int fd, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool server_write(int fd, const uint8_t *msg, size_t len)
{
	uint8_t prefix[2];

	put_u16(prefix, (unsigned)len);
	return server_write_raw(fd, prefix, 2) && server_write_raw(fd, msg, len);
}

void server_await_close(int fd)
{
	uint8_t sink[512];
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, PATIENCE_MS) == 1 && read(fd, sink, sizeof sink) > 0)
		;
}

void server_reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	*(bool *)w->data = true;
	ev_break(loop, EVBREAK_ONE);
}

bool run_until(struct ev_loop *loop, const bool *flag, double seconds)
{
	bool late = false;
	ev_timer limit;

	ev_now_update(loop);
	ev_timer_init(&limit, on_limit, seconds, 0.);
	limit.data = &late;
	ev_timer_start(loop, &limit);
	while (!*flag && !late)
		ev_run(loop, EVRUN_ONCE);
	ev_timer_stop(loop, &limit);
	return *flag;
}
