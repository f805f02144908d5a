/* tests/bench/primary_io.c - the primary's sockets. */
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/addr.h"
#include "dns/wire.h"
#include "tests/bench/primary.h"

enum { FRAME_MAX = 2 + DNS_MSG_MAX, WRITE_AT = 256 << 10 };

typedef struct conn {
	primary_t *primary;
	int fd;
	size_t len; /* of what waits in out */
	uint8_t in[FRAME_MAX];
	uint8_t out[WRITE_AT + FRAME_MAX];
} conn_t;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void *primary_udp(void *primary)
{
	primary_t *p = primary;
	uint8_t in[4096], out[PRIMARY_SMALL_MAX];

	for (;;) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof from;
		ssize_t n = recvfrom(p->udp, in, sizeof in, 0, (struct sockaddr *)&from, &from_len);
		primary_query_t q;

		if (n < 0 && errno != EINTR && errno != ECONNREFUSED)
			return NULL;
		if (n >= DNS_HEADER_LEN && (get_u16(in + 2) & DNS_QR)) {
			atomic_store(&p->answered,
			             get_u16(in)); /* of a NOTIFY: we ask nothing else */
			continue;
		}
		if (n < DNS_HEADER_LEN || !primary_read(p, in, (size_t)n, &q))
			continue;
		const pack_entry_t *e = primary_current(p, &q, 'A');
		/* An IXFR that may not fit is answered with the SOA alone (RFC 1995 2). */
		if (!e || (q.type != DNS_TYPE_SOA && q.type != DNS_TYPE_IXFR))
			continue;
		atomic_fetch_add(&p->soas, 1);
		size_t len = primary_soa(&q, e, in, out);
		sendto(p->udp, out, len, 0, (struct sockaddr *)&from, from_len);
	}
}

static bool read_all(int fd, uint8_t *to, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, to, len);

		if (n <= 0 && !(n < 0 && errno == EINTR))
			return false;
		to += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

static bool flush_out(conn_t *c)
{
	for (size_t done = 0; done < c->len;) {
		ssize_t n = write(c->fd, c->out + done, c->len - done);

		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	c->len = 0;
	return true;
}

/* Send an entry's messages with the id and the question's type of this query. */
static bool send_entry(conn_t *c, const primary_query_t *q, const pack_entry_t *e)
{
	const uint8_t *msg;
	size_t pos = 0, len;

	while ((msg = pack_message(e, &pos, &len))) {
		uint8_t *out = c->out + c->len;

		memcpy(out, msg - 2, len + 2);
		put_u16(out + 2, q->id);
		if (len >= (size_t)DNS_HEADER_LEN + e->apex_len + 4)
			put_u16(out + 2 + DNS_HEADER_LEN + e->apex_len, q->type);
		c->len += len + 2;
		if (c->len >= WRITE_AT && !flush_out(c))
			return false;
	}
	return flush_out(c);
}

static bool send_soa(conn_t *c, const primary_query_t *q, const pack_entry_t *e)
{
	size_t len = primary_soa(q, e, c->in, c->out + 2);

	put_u16(c->out, (unsigned)len);
	c->len = len + 2;
	return flush_out(c);
}

static bool serve_transfer(conn_t *c, const primary_query_t *q, const pack_entry_t *whole)
{
	primary_t *p = c->primary;
	const pack_entry_t *e = whole;
	uint64_t none = 0;

	if (q->type == DNS_TYPE_IXFR && q->serial == whole->serial)
		return send_soa(c, q, whole);
	if (q->type == DNS_TYPE_IXFR) {
		const pack_entry_t *delta = primary_current(p, q, 'I');

		e = delta ? delta : whole;
	}
	atomic_compare_exchange_strong(&p->first_ns, &none, now_ns());
	atomic_fetch_add(e->kind == 'I' ? &p->ixfrs : &p->axfrs, 1);
	bool ok = send_entry(c, q, e);
	atomic_store(&p->last_ns, now_ns());
	return ok;
}

static bool serve_one(conn_t *c)
{
	primary_query_t q;

	if (!read_all(c->fd, c->in, 2))
		return false;
	size_t len = get_u16(c->in);
	if (!read_all(c->fd, c->in, len) || !primary_read(c->primary, c->in, len, &q))
		return false;
	const pack_entry_t *e = primary_current(c->primary, &q, 'A');
	if (!e)
		return false;
	if (q.type == DNS_TYPE_AXFR || q.type == DNS_TYPE_IXFR)
		return serve_transfer(c, &q, e);
	atomic_fetch_add(&c->primary->soas, 1);
	return q.type == DNS_TYPE_SOA && send_soa(c, &q, e);
}

static void *serve(void *conn)
{
	conn_t *c = conn;

	while (serve_one(c))
		;
	close(c->fd);
	free(c);
	return NULL;
}

static void start(primary_t *p, int fd)
{
	const int on = 1;
	conn_t *c = malloc(sizeof *c);
	pthread_attr_t attr;
	pthread_t thread;

	if (!c) {
		close(fd);
		return;
	}
	c->primary = p;
	c->fd = fd;
	c->len = 0;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 64 << 10);
	if (pthread_create(&thread, &attr, serve, c) != 0) {
		close(fd);
		free(c);
	}
	pthread_attr_destroy(&attr);
}

void *primary_tcp(void *primary)
{
	primary_t *p = primary;

	for (;;) {
		int fd = accept4(p->tcp, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			start(p, fd);
		else if (errno != EINTR && errno != ECONNABORTED && errno != EMFILE)
			return NULL;
	}
}
