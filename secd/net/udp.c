/* net/udp.c - the hot path: no lock, no allocation, two system calls per batch. */
#include "net/udp.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sock.h"

enum {
	BATCH = 64,
	/* Full batches in a row from one socket before TCP and the other sockets have a turn. */
	BATCHES_PER_TURN = 16,
	QUERY_MAX = 4096,
	ANSWER_MAX = 4096, /* the most that udp-payload may be */
	/* How often we wait, and how long, for a full send buffer before answers are dropped. */
	SEND_WAITS = 3,
	SEND_WAIT_MS = 1,
	LINE = 64,
};

/* IP_PKTINFO or IPV6_PKTINFO: came with the query, goes with the answer. */
typedef union control {
	struct cmsghdr head;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
} control_t;

typedef struct udp_sock {
	ev_io io;
	udp_t *udp;
	addr_t local;
	socklen_t name_len;
	net_family_t family;
	size_t control_len; /* 0 when bound to one address: the kernel knows it then */
	bool lent;          /* somebody else may hold it as well */
	struct mmsghdr in[BATCH];
} udp_sock_t;

struct udp {
	worker_t *w;
	udp_sock_t **socks;
	size_t count;
	uint8_t *buffers;
	/* Slot i of each belongs to datagram i of the batch, but out[] is what is sent. */
	addr_t from[BATCH];
	control_t control[BATCH];
	struct iovec in_iov[BATCH], out_iov[BATCH];
	struct mmsghdr out[BATCH];
	answer_req_t req[BATCH];
};

/* The distance between buffers of size octets: an odd number of cache lines. The first line of
 * each is what is used; were they a power of two apart, all would fight for one cache set. */
static size_t stride(size_t size)
{
	return ((size + LINE - 1) / LINE | 1) * LINE;
}

/* Answer to the address that was asked, from that address (RFC 2181 4.1). Which interface that
 * goes out by is the routing table's business, but for link-local addresses. */
static bool answer_from_asked(control_t *control, size_t len)
{
	struct cmsghdr *head = &control->head;

	if (len < sizeof *head)
		return false;
	if (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;

		memcpy(&info, CMSG_DATA(head), sizeof info);
		info.ipi_ifindex = 0;
		/* Of one that came before its socket was told to say so, the kernel knows the header alone. */
		if (info.ipi_spec_dst.s_addr == 0)
			info.ipi_spec_dst = info.ipi_addr;
		memcpy(CMSG_DATA(head), &info, sizeof info);
		return true;
	}
	if (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;

		memcpy(&info, CMSG_DATA(head), sizeof info);
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(head), &info, sizeof info);
		return true;
	}
	return false;
}

/* Datagram i becomes request i. One that deserves no answer becomes an empty message, which
 * answer/ drops and counts: longer than any query, from port 0, or to an unknown address. Our
 * sockets are IPv6-only, so no peer address is a mapped one. */
static void take(udp_t *udp, udp_sock_t *s, int i)
{
	struct msghdr *head = &s->in[i].msg_hdr;
	size_t len = s->in[i].msg_len;

	if (head->msg_flags & MSG_TRUNC || udp->from[i].in.sin_port == 0)
		len = 0;
	if (s->control_len && !answer_from_asked(&udp->control[i], head->msg_controllen))
		len = 0;
	udp->req[i].in_len = len;
	udp->req[i].out_len = 0;
	udp->req[i].notify = udp->req[i].notify_refused = NULL;
	head->msg_namelen = sizeof(addr_t); /* the kernel wrote over both */
	head->msg_controllen = s->control_len;
}

/* The send buffer is full: give it a moment, a few times per batch. */
static bool wait_for_room(int fd, unsigned *waits)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (*waits >= SEND_WAITS)
		return false;
	++*waits;
	poll(&p, 1, SEND_WAIT_MS);
	return true;
}

/* Send out[0..n). An answer that can't leave (no route, a firewall's EPERM) is its client's
 * loss alone. */
static void send_all(udp_t *udp, int fd, unsigned n)
{
	unsigned at = 0, waits = 0;

	while (at < n) {
		int sent = sendmmsg(fd, udp->out + at, n - at, MSG_DONTWAIT);

		if (sent > 0) {
			at += (unsigned)sent;
		} else if (sent < 0 && errno == EINTR) {
			continue;
		} else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (wait_for_room(fd, &waits))
				continue;
			worker_count(&udp->w->counters.unsent, n - at);
			return;
		} else {
			worker_count(&udp->w->counters.unsent, 1);
			at++;
		}
	}
}

static void reply(udp_t *udp, const udp_sock_t *s, int n)
{
	unsigned outs = 0;

	for (int i = 0; i < n; i++) {
		const answer_req_t *req = &udp->req[i];
		struct msghdr *head = &udp->out[outs].msg_hdr;

		if ((req->notify || req->notify_refused) &&
		    post_notify(&udp->w->post, req) != ST_OK)
			continue;
		if (req->out_len == 0)
			continue;
		assert(req->out_len <= req->out_room);
		udp->out_iov[outs] = (struct iovec){ req->out, req->out_len };
		head->msg_name = &udp->from[i];
		head->msg_namelen = s->name_len;
		head->msg_control = s->control_len ? &udp->control[i] : NULL;
		head->msg_controllen = s->control_len;
		outs++;
	}
	send_all(udp, s->io.fd, outs);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
	udp_sock_t *s = io->data;
	udp_t *udp = s->udp;

	(void)loop;
	(void)revents;
	for (int batch = 0; batch < BATCHES_PER_TURN; batch++) {
		int n = recvmmsg(io->fd, s->in, BATCH, MSG_DONTWAIT, NULL);

		if (n <= 0)
			return; /* nothing left, or it will be told again */
		for (int i = 0; i < n; i++)
			take(udp, s, i);
		worker_count(&udp->w->counters.received[NET_UDP][s->family], (uint64_t)n);
		answer_batch(udp->w->answer, worker_now(udp->w), udp->req, (size_t)n);
		reply(udp, s, n);
		if (n < BATCH)
			return;
		epoch_quiescent(udp->w->reader); /* nothing found in the zones is held now */
	}
}

udp_t *udp_new(worker_t *w)
{
	size_t in_step = stride(QUERY_MAX), out_step = stride(ANSWER_MAX);
	udp_t *udp = calloc(1, sizeof *udp);

	if (!udp)
		return NULL;
	udp->w = w;
	udp->buffers = aligned_alloc(LINE, BATCH * (in_step + out_step));
	if (!udp->buffers) {
		udp_free(udp);
		return NULL;
	}
	for (size_t i = 0; i < BATCH; i++) {
		uint8_t *in = udp->buffers + i * in_step;
		uint8_t *out = udp->buffers + BATCH * in_step + i * out_step;

		udp->in_iov[i] = (struct iovec){ in, QUERY_MAX };
		udp->out[i].msg_hdr =
			(struct msghdr){ .msg_iov = &udp->out_iov[i], .msg_iovlen = 1 };
		udp->req[i] = (answer_req_t){ .in = in,
			                      .out = out,
			                      .out_room = ANSWER_MAX,
			                      .via = ANSWER_UDP,
			                      .peer = &udp->from[i] };
	}
	return udp;
}

static size_t control_len(const addr_t *local)
{
	if (!addr_is_any(local))
		return 0;
	return local->sa.sa_family == AF_INET ? CMSG_SPACE(sizeof(struct in_pktinfo))
	                                      : CMSG_SPACE(sizeof(struct in6_pktinfo));
}

status_t udp_listen(udp_t *udp, int fd, const addr_t *local, bool lent)
{
	udp_sock_t **grown = reallocarray(udp->socks, udp->count + 1, sizeof(udp_sock_t *));
	udp_sock_t *s = calloc(1, sizeof *s);

	if (grown)
		udp->socks = grown;
	if (!grown || !s) {
		free(s);
		close(fd);
		return ST_NOMEM;
	}
	udp->socks[udp->count++] = s;
	s->udp = udp;
	s->local = *local;
	s->lent = lent;
	s->name_len = addr_len(local);
	s->family = local->sa.sa_family == AF_INET6 ? NET_IPV6 : NET_IPV4;
	s->control_len = control_len(local);
	for (size_t i = 0; i < BATCH; i++) {
		s->in[i].msg_hdr = (struct msghdr){
			.msg_name = &udp->from[i],
			.msg_namelen = sizeof udp->from[i],
			.msg_iov = &udp->in_iov[i],
			.msg_iovlen = 1,
			.msg_control = s->control_len ? &udp->control[i] : NULL,
			.msg_controllen = s->control_len,
		};
	}
	ev_io_init(&s->io, on_readable, fd, EV_READ);
	s->io.data = s;
	ev_io_start(udp->w->loop, &s->io);
	return ST_OK;
}

static void close_sock(udp_sock_t *s)
{
	ev_io_stop(s->udp->w->loop, &s->io);
	close(s->io.fd);
	free(s);
}

void udp_drop(udp_t *udp, const addr_t *local)
{
	size_t kept = 0;

	for (size_t i = 0; i < udp->count; i++) {
		udp_sock_t *s = udp->socks[i];

		if (local && !addr_same(&s->local, local)) {
			udp->socks[kept++] = s;
			continue;
		}
		on_readable(udp->w->loop, &s->io, EV_READ); /* what has come is answered */
		if (!s->lent)
			sock_hide(s->io.fd);
		close_sock(s);
	}
	udp->count = kept;
}

void udp_free(udp_t *udp)
{
	if (!udp)
		return;
	for (size_t i = 0; i < udp->count; i++)
		close_sock(udp->socks[i]);
	free(udp->socks);
	free(udp->buffers);
	free(udp);
}
