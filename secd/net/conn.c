/* net/conn.c - framing, batches, and what the kernel would not take. */
#include "net/conn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/buf.h"

enum {
	LENGTH = 2, /* the octets before each message (RFC 1035 4.2.2) */
	MESSAGE_MAX = 65535,
	/* A slot of desk.out: a cache line with the length at its end, then the answer. An odd
	 * number of lines, so that the slots' beginnings don't share a cache set. */
	SLOT_HEAD = 64,
	SLOT = SLOT_HEAD + MESSAGE_MAX + 1,
	IN_STEP = 512,
};
_Static_assert(SLOT % 128 == 64, "slots lie an odd number of lines apart");

/* --- bytes of a connection -------------------------------------------------------------------- */

static size_t left(const conn_bytes_t *b)
{
	return b->len - b->pos;
}

static void drop(conn_bytes_t *b)
{
	free(b->base);
	*b = (conn_bytes_t){ 0 };
}

/* Room for more octets behind what is left, which moves to the front. */
static status_t make_room(conn_bytes_t *b, size_t more, size_t step)
{
	size_t rest = left(b);

	if (b->pos > 0)
		memmove(b->base, b->base + b->pos, rest);
	b->pos = 0;
	b->len = rest;
	if (b->room - rest >= more)
		return ST_OK;

	size_t room = (rest + more + step - 1) / step * step;
	uint8_t *base = realloc(b->base, room);
	if (!base)
		return ST_NOMEM;
	b->base = base;
	b->room = room;
	return ST_OK;
}

static status_t append(conn_bytes_t *b, const uint8_t *bytes, size_t n, size_t step)
{
	if (n == 0)
		return ST_OK;
	if (make_room(b, n, step) != ST_OK)
		return ST_NOMEM;
	memcpy(b->base + b->len, bytes, n);
	b->len += n;
	return ST_OK;
}

/* --- queries in a row of bytes ---------------------------------------------------------------- */

/* Octets of the whole message at the start of bytes, its length included; 0: not there yet. */
static size_t whole(const uint8_t *bytes, size_t len)
{
	size_t size = len >= LENGTH ? LENGTH + (size_t)get_u16(bytes) : 0;

	return size > 0 && size <= len ? size : 0;
}

static bool starts_empty(const uint8_t *bytes, size_t len)
{
	return len >= LENGTH && get_u16(bytes) == 0;
}

/* Up to a batch of whole messages, ending before one of no octets; how many. */
static size_t collect(conn_desk_t *desk, const conn_t *c, const uint8_t *bytes, size_t len)
{
	size_t n = 0, at = 0, size;

	while (n < CONN_BATCH && (size = whole(bytes + at, len - at)) > LENGTH) {
		answer_req_t *req = &desk->req[n++];

		req->in = bytes + at + LENGTH;
		req->in_len = size - LENGTH;
		req->peer = &c->peer;
		req->out_len = 0;
		req->notify = NULL;
		at += size;
	}
	return n;
}

/* --- answers out ------------------------------------------------------------------------------ */

/* Where the framed answer begins, and how long it is with its length; 0 when there is none. */
static uint8_t *framed(const answer_req_t *req, size_t *len)
{
	*len = req->out_len > 0 ? LENGTH + req->out_len : 0;
	return req->out - LENGTH;
}

/* All answers in one write, each with its length before it (RFC 7766 8). *took: of how many
 * octets the kernel relieved us. */
static conn_verdict_t write_batch(const conn_t *c, conn_desk_t *desk, size_t n, size_t *took)
{
	struct iovec iov[CONN_BATCH];
	struct msghdr msg = { .msg_iov = iov };

	*took = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len;
		uint8_t *frame = framed(&desk->req[i], &len);

		if (len == 0)
			continue;
		assert(desk->req[i].out_len <= MESSAGE_MAX);
		put_u16(frame, (unsigned)desk->req[i].out_len);
		iov[msg.msg_iovlen++] = (struct iovec){ frame, len };
	}
	if (msg.msg_iovlen == 0)
		return CONN_ACTIVE;

	ssize_t sent;
	do
		sent = sendmsg(c->io.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? CONN_ACTIVE : CONN_OVER;
	*took = (size_t)sent;
	return CONN_ACTIVE;
}

/* Keep what was not taken, and see to each query that is done with. *done: how many are. Fewer
 * than n when too much waits already; the rest is answered anew once that has gone, so what a
 * connection keeps is bounded whatever its answers are. ST_NOMEM. */
static status_t settle(conn_t *c, conn_desk_t *desk, size_t n, size_t took, size_t *done)
{
	size_t i = 0;

	while (i < n && left(&c->out) <= CONN_WAITING) {
		const answer_req_t *req = &desk->req[i++];
		size_t len;
		const uint8_t *frame = framed(req, &len);
		size_t gone = took < len ? took : len;

		took -= gone;
		if (append(&c->out, frame + gone, len - gone, IN_STEP) != ST_OK)
			return ST_NOMEM;
		if ((req->notify || req->notify_refused) &&
		    post_notify(&desk->w->post, req) != ST_OK)
			return ST_NOMEM;
	}
	*done = i;
	return ST_OK;
}

static net_family_t family(const conn_t *c)
{
	return c->peer.sa.sa_family == AF_INET6 ? NET_IPV6 : NET_IPV4;
}

/* Answer what is whole in bytes until there is no more or answers wait. *used: the octets that
 * are done with. */
static conn_verdict_t answer_whole(conn_t *c, conn_desk_t *desk, const uint8_t *bytes, size_t len,
                                   size_t *used)
{
	conn_verdict_t verdict = CONN_RESTS;
	size_t n;

	*used = 0;
	while (left(&c->out) == 0 && (n = collect(desk, c, bytes + *used, len - *used)) > 0) {
		size_t took, done;

		answer_batch(desk->w->answer, worker_now(desk->w), desk->req, n);
		verdict = write_batch(c, desk, n, &took);
		if (verdict == CONN_OVER || settle(c, desk, n, took, &done) != ST_OK)
			return CONN_OVER;
		worker_count(&desk->w->counters.received[NET_TCP][family(c)], done);
		const answer_req_t *last = &desk->req[done - 1];
		*used = (size_t)(last->in + last->in_len - bytes);
	}
	if (left(&c->out) == 0 && starts_empty(bytes + *used, len - *used))
		return CONN_OVER;
	return verdict;
}

/* --- events ----------------------------------------------------------------------------------- */

/* Answer from what the connection keeps. */
static conn_verdict_t answer_kept(conn_t *c, conn_desk_t *desk)
{
	size_t used;
	conn_verdict_t verdict = answer_whole(c, desk, c->in.base + c->in.pos, left(&c->in), &used);

	c->in.pos += used;
	if (left(&c->in) == 0)
		drop(&c->in);
	return verdict;
}

/* Behind the start of a query. Room grows with what has come, not with what a length claims. */
static ssize_t read_behind(conn_t *c)
{
	size_t grow = left(&c->in) < CONN_READ ? IN_STEP : CONN_READ;

	if (c->in.pos > 0 || c->in.len == c->in.room) {
		if (make_room(&c->in, grow, IN_STEP) != ST_OK) {
			errno = ENOMEM;
			return -1;
		}
	}
	size_t room = c->in.room - c->in.len;
	ssize_t n = recv(c->io.fd, c->in.base + c->in.len, room < CONN_READ ? room : CONN_READ,
	                 MSG_DONTWAIT);

	if (n > 0)
		c->in.len += (size_t)n;
	return n;
}

static conn_verdict_t on_readable(conn_t *c, conn_desk_t *desk)
{
	bool kept = left(&c->in) > 0;
	ssize_t n = kept ? read_behind(c) : recv(c->io.fd, desk->in, CONN_READ, MSG_DONTWAIT);

	/* At the end of the stream all that was asked is answered: we read only when no answer
	 * waits. So a client may shut down its side right behind its last query. */
	if (n == 0)
		return CONN_OVER;
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? CONN_RESTS
		                                                                 : CONN_OVER;
	if (kept)
		return answer_kept(c, desk);

	size_t used;
	conn_verdict_t verdict = answer_whole(c, desk, desk->in, (size_t)n, &used);
	if (verdict != CONN_OVER &&
	    append(&c->in, desk->in + used, (size_t)n - used, IN_STEP) != ST_OK)
		return CONN_OVER;
	return verdict;
}

static conn_verdict_t on_writable(conn_t *c, conn_desk_t *desk)
{
	ssize_t n = send(c->io.fd, c->out.base + c->out.pos, left(&c->out),
	                 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? CONN_RESTS
		                                                                 : CONN_OVER;
	c->out.pos += (size_t)n;
	if (left(&c->out) > 0)
		return CONN_ACTIVE;
	drop(&c->out);
	if (left(&c->in) > 0 && answer_kept(c, desk) == CONN_OVER)
		return CONN_OVER;
	return CONN_ACTIVE;
}

conn_verdict_t conn_event(conn_t *c, conn_desk_t *desk)
{
	return left(&c->out) > 0 ? on_writable(c, desk) : on_readable(c, desk);
}

int conn_wants(const conn_t *c)
{
	return left(&c->out) > 0 ? EV_WRITE : EV_READ;
}

bool conn_idle(const conn_t *c)
{
	return left(&c->in) == 0 && left(&c->out) == 0;
}

void conn_clear(conn_t *c)
{
	drop(&c->in);
	drop(&c->out);
}

/* --- the desk --------------------------------------------------------------------------------- */

status_t conn_desk_open(conn_desk_t *desk, worker_t *w)
{
	desk->w = w;
	/* A megabyte, of which pages are touched only as far as answers reach. */
	desk->out = aligned_alloc(SLOT_HEAD, (size_t)CONN_BATCH * SLOT);
	if (!desk->out)
		return ST_NOMEM;
	for (size_t i = 0; i < CONN_BATCH; i++) {
		desk->req[i] = (answer_req_t){ .out = desk->out + i * SLOT + SLOT_HEAD,
			                       .out_room = MESSAGE_MAX,
			                       .via = ANSWER_TCP };
	}
	return ST_OK;
}

void conn_desk_close(conn_desk_t *desk)
{
	free(desk->out);
	desk->out = NULL;
}
