/* xfr/conn.c - a nonblocking stream: connect, write what is queued, cut what comes into messages.
 *
 * Bytes are read in gulps and messages delivered in place. While whole messages lie in the
 * buffer nothing is read, so the end of the stream is only ever seen behind the last of them. */
#include "xfr/conn.h"

#include "common/buf.h"
#include "dns/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PREFIX = 2,              /* the length before each message */
	IN_ROOM = 256 * 1024,    /* one gulp; a whole message of any length fits */
	OUT_MAX = 1024 * 1024,   /* what may wait to be sent */
	MESSAGES_PER_TURN = 512, /* then the loop's other work has its turn */
};

_Static_assert(IN_ROOM >= PREFIX + DNS_MSG_MAX, "a message must fit, or reading stalls");

typedef enum conn_state { CONN_CONNECTING, CONN_OPEN, CONN_ENDED } conn_state_t;

struct xfr_conn {
	struct ev_loop *loop;
	const xfr_conn_calls_t *calls;
	void *arg;
	double idle;
	conn_state_t state;
	int fd;
	int start_errno; /* why the connect could not even begin; 0: it could */
	bool established;
	bool paused;
	bool in_call; /* a callback is on the stack: closing must leave the memory to it */
	bool closed;
	ev_io readable, writable;
	ev_timer deadline; /* connect, later idle */
	ev_timer again;    /* fires at once: work left over for the loop's next turn */
	bool runs;         /* the connection's clock, since when, and what it showed then */
	mono_t since, shown;
	mono_t active; /* by that clock: when the last bytes came */
	uint8_t *in;   /* IN_ROOM octets, since the first read */
	size_t in_at, in_end;
	uint8_t *out;
	size_t out_at, out_end, out_room;
};

static void stop_watching(xfr_conn_t *c)
{
	ev_io_stop(c->loop, &c->readable);
	ev_io_stop(c->loop, &c->writable);
	ev_timer_stop(c->loop, &c->deadline);
	ev_timer_stop(c->loop, &c->again);
}

static void release(xfr_conn_t *c)
{
	free(c->in);
	free(c->out);
	free(c);
}

/* Behind every callback: did the callee close? Then c is gone. */
static bool survived(xfr_conn_t *c)
{
	c->in_call = false;
	if (!c->closed)
		return true;
	release(c);
	return false;
}

/* The one way down; c may be gone afterwards. */
static void end(xfr_conn_t *c, xfr_conn_end_t how, int sys_errno)
{
	stop_watching(c);
	c->state = CONN_ENDED;
	c->in_call = true;
	c->calls->on_end(c->arg, how, sys_errno);
	(void)survived(c);
}

static void start_timer(xfr_conn_t *c, ev_timer *timer, double seconds)
{
	ev_timer_stop(c->loop, timer);
	ev_timer_set(timer, seconds, 0.);
	ev_timer_start(c->loop, timer);
}

/* --- the clock -------------------------------------------------------------------------------- */

mono_t xfr_conn_now(const xfr_conn_t *c)
{
	return c->runs ? (mono_t){ c->shown.ns + clock_mono().ns - c->since.ns } : c->shown;
}

static void run_clock(xfr_conn_t *c, bool runs)
{
	c->shown = xfr_conn_now(c);
	c->since = clock_mono();
	c->runs = runs;
}

/* What is left of the idle deadline. */
static double idle_left(const xfr_conn_t *c)
{
	return c->idle - mono_diff(c->active, xfr_conn_now(c));
}

/* --- messages in ------------------------------------------------------------------------------ */

/* The next message in the buffer, if it is whole. */
static bool whole_message(const xfr_conn_t *c, size_t *len)
{
	if (c->in_end - c->in_at < PREFIX)
		return false;
	*len = get_u16(c->in + c->in_at);
	return c->in_end - c->in_at - PREFIX >= *len;
}

/* Hand out what is whole, up to a turn's worth. False: c is gone. */
static bool deliver(xfr_conn_t *c)
{
	unsigned delivered = 0;
	size_t len;

	c->in_call = true;
	while (!c->closed && !c->paused && delivered < MESSAGES_PER_TURN &&
	       whole_message(c, &len)) {
		const uint8_t *msg = c->in + c->in_at + PREFIX;

		c->in_at += PREFIX + len;
		delivered++;
		c->calls->on_message(c->arg, msg, len);
	}
	if (!c->closed && delivered > 0 && c->calls->on_gulp)
		c->calls->on_gulp(c->arg);
	return survived(c);
}

/* Choose what to wait for: more bytes, or the next turn for messages that are here already. */
static void await_more(xfr_conn_t *c)
{
	size_t len;

	ev_io_stop(c->loop, &c->readable);
	if (c->paused)
		return;
	if (whole_message(c, &len)) {
		start_timer(c, &c->again, 0.);
		return;
	}
	ev_io_start(c->loop, &c->readable);
}

/* Make the unfinished message begin at the front, so that the rest of it has room. */
static void make_room(xfr_conn_t *c)
{
	if (c->in_at == 0)
		return;
	memmove(c->in, c->in + c->in_at, c->in_end - c->in_at);
	c->in_end -= c->in_at;
	c->in_at = 0;
}

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	xfr_conn_t *c = w->data;

	(void)loop;
	(void)revents;
	if (!c->in && !(c->in = malloc(IN_ROOM))) {
		end(c, XFR_CONN_NOMEM, 0);
		return;
	}
	make_room(c);
	ssize_t n = recv(c->fd, c->in + c->in_end, IN_ROOM - c->in_end, 0);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			end(c, XFR_CONN_ERROR, errno);
		return;
	}
	if (n == 0) {
		end(c, c->in_end > 0 ? XFR_CONN_CUT : XFR_CONN_CLOSED, 0);
		return;
	}
	c->in_end += (size_t)n;
	c->active = xfr_conn_now(c);
	if (deliver(c))
		await_more(c);
}

static void on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	xfr_conn_t *c = w->data;

	(void)loop;
	(void)revents;
	if (c->start_errno) {
		end(c, XFR_CONN_ERROR, c->start_errno);
		return;
	}
	if (deliver(c))
		await_more(c);
}

/* --- connecting, messages out ----------------------------------------------------------------- */

/* Send what is queued; false: the connection ended. */
static bool flush(xfr_conn_t *c)
{
	while (c->out_at < c->out_end) {
		ssize_t n = send(c->fd, c->out + c->out_at, c->out_end - c->out_at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			end(c, XFR_CONN_ERROR, errno);
			return false;
		}
		c->out_at += (size_t)n;
	}
	c->out_at = c->out_end = 0;
	ev_io_stop(c->loop, &c->writable);
	return true;
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	xfr_conn_t *c = w->data;

	(void)revents;
	if (c->state == CONN_CONNECTING) {
		int err = 0;
		socklen_t len = sizeof err;

		if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
			err = errno;
		if (err) {
			end(c, XFR_CONN_ERROR, err);
			return;
		}
		c->state = CONN_OPEN;
		c->established = true;
		ev_timer_stop(loop, &c->deadline);
		if (!c->paused) {
			run_clock(c, true);
			start_timer(c, &c->deadline, c->idle);
		}
		await_more(c);
	}
	(void)flush(c);
}

/* Reads do not touch the idle timer; when it fires it looks how long it really was. */
static void on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	xfr_conn_t *c = w->data;
	const double left = idle_left(c);

	(void)loop;
	(void)revents;
	if (c->state == CONN_CONNECTING) {
		end(c, XFR_CONN_NO_CONNECT, 0);
		return;
	}
	if (left > 0.)
		start_timer(c, &c->deadline, left);
	else
		end(c, XFR_CONN_IDLE, 0);
}

/* A socket on its way to peer in c->fd, or the errno. */
static int begin_connect(xfr_conn_t *c, const xfr_peer_t *peer)
{
	const int on = 1;

	c->fd = socket(peer->addr.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return errno;
	/* Both are but wishes: a small query at once, and a local port per destination. */
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (peer->has_source) {
		(void)setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
		if (bind(c->fd, &peer->source.sa, addr_len(&peer->source)) < 0)
			return errno;
	}
	if (connect(c->fd, &peer->addr.sa, addr_len(&peer->addr)) < 0 && errno != EINPROGRESS)
		return errno;
	return 0;
}

xfr_conn_t *xfr_conn_open(struct ev_loop *loop, const xfr_peer_t *peer,
                          const xfr_deadlines_t *deadlines, const xfr_conn_calls_t *calls,
                          void *arg)
{
	xfr_conn_t *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->loop = loop;
	c->calls = calls;
	c->arg = arg;
	c->idle = deadlines->idle;
	c->state = CONN_CONNECTING;
	c->start_errno = begin_connect(c, peer);
	ev_now_update(loop); /* the caller may have been busy: a deadline begins now */
	ev_io_init(&c->readable, on_readable, c->fd, EV_READ);
	ev_io_init(&c->writable, on_writable, c->fd, EV_WRITE);
	ev_timer_init(&c->deadline, on_deadline, deadlines->connect, 0.);
	ev_timer_init(&c->again, on_again, 0., 0.);
	c->readable.data = c->writable.data = c->deadline.data = c->again.data = c;
	/* A loop that was held up finds bytes and the deadline due at once: bytes come first. */
	ev_set_priority(&c->readable, 1);
	ev_set_priority(&c->writable, 1);
	if (c->start_errno) {
		ev_timer_start(loop, &c->again);
		return c;
	}
	ev_io_start(loop, &c->writable);
	ev_timer_start(loop, &c->deadline);
	return c;
}

/* Room for n more octets behind out_end. */
static status_t grow_out(xfr_conn_t *c, size_t n)
{
	size_t want = c->out_end + n;
	uint8_t *bigger;

	if (want <= c->out_room)
		return ST_OK;
	if (want > OUT_MAX)
		return ST_LIMIT;
	bigger = realloc(c->out, want);
	if (!bigger)
		return ST_NOMEM;
	c->out = bigger;
	c->out_room = want;
	return ST_OK;
}

status_t xfr_conn_send(xfr_conn_t *c, const uint8_t *msg, size_t len)
{
	if (len > DNS_MSG_MAX)
		return ST_LIMIT;
	status_t st = grow_out(c, PREFIX + len);
	if (st != ST_OK)
		return st;
	put_u16(c->out + c->out_end, (unsigned)len);
	memcpy(c->out + c->out_end + PREFIX, msg, len);
	c->out_end += PREFIX + len;
	if (c->state == CONN_OPEN)
		ev_io_start(c->loop, &c->writable);
	return ST_OK;
}

void xfr_conn_pause(xfr_conn_t *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	if (c->state != CONN_OPEN)
		return;
	run_clock(c, !paused);
	if (paused) {
		ev_io_stop(c->loop, &c->readable);
		ev_timer_stop(c->loop, &c->again);
		ev_timer_stop(c->loop, &c->deadline);
		return;
	}
	/* Messages may lie in the buffer already: deliver them from the loop, not from here. */
	start_timer(c, &c->deadline, idle_left(c));
	start_timer(c, &c->again, 0.);
}

const uint8_t *xfr_conn_begun(const xfr_conn_t *c, size_t *len)
{
	const size_t left = c->in_end - c->in_at;

	if (left <= PREFIX)
		return NULL;
	const size_t whole = get_u16(c->in + c->in_at);
	*len = left - PREFIX < whole ? left - PREFIX : whole;
	return c->in + c->in_at + PREFIX;
}

bool xfr_conn_established(const xfr_conn_t *c)
{
	return c->established;
}

mono_t xfr_conn_growing(const xfr_conn_t *c)
{
	return c->in_end > c->in_at ? c->active : (mono_t){ 0 };
}

void xfr_conn_close(xfr_conn_t *c)
{
	if (!c)
		return;
	stop_watching(c);
	if (c->fd >= 0)
		close(c->fd);
	if (c->in_call)
		c->closed = true;
	else
		release(c);
}
