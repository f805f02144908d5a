/* xfr/poll.c - one SOA question: over UDP as often as allowed, over TCP when it must be. */
#include "xfr/poll.h"

#include "common/random.h"
#include "dns/request.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "xfr/conn.h"
#include "xfr/soa_answer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PAYLOAD = 1232,  /* passes every path without fragments */
	UDP_ROOM = 4096, /* what is longer was not asked for, and is read cut */
	DATAGRAMS_PER_TURN = 16,
	FOREIGN_MAX = 100,
};

struct xfr_poll {
	struct ev_loop *loop;
	xfr_peer_t peer;
	xfr_deadlines_t deadlines;
	dns_name_t apex; /* folded */
	xfr_poll_cb done;
	void *arg;

	int fd; /* of the UDP try, or -1 */
	ev_io readable;
	ev_timer timer; /* ends the try; over TCP all of it; when over, it only tells */
	xfr_conn_t *conn;
	uint16_t id;
	bool plain; /* without OPT */
	unsigned tries, foreign;
	bool over;
	xfr_poll_result_t result;
};

static void close_udp(xfr_poll_t *p)
{
	ev_io_stop(p->loop, &p->readable);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static void release(xfr_poll_t *p)
{
	close_udp(p);
	xfr_conn_close(p->conn);
	ev_timer_stop(p->loop, &p->timer);
	free(p);
}

/* Tell, from the loop. p is gone afterwards. */
static void finish(xfr_poll_t *p, const xfr_poll_result_t *result)
{
	const xfr_poll_result_t told = *result;
	const xfr_poll_cb done = p->done;
	void *arg = p->arg;

	release(p);
	done(arg, &told);
}

static void finish_why(xfr_poll_t *p, xfr_why_code_t code, uint32_t a)
{
	finish(p, &(xfr_poll_result_t){ .why = xfr_why(code, a, 0) });
}

static void start_timer(xfr_poll_t *p, double seconds)
{
	ev_timer_stop(p->loop, &p->timer);
	ev_timer_set(&p->timer, seconds, 0.);
	ev_timer_start(p->loop, &p->timer);
}

/* The question with a fresh id. */
static size_t make_request(xfr_poll_t *p, uint8_t out[DNS_REQUEST_MAX])
{
	p->id = random_u16();
	return dns_request(&(dns_request_t){ .apex = p->apex.wire,
	                                     .type = DNS_TYPE_SOA,
	                                     .id = p->id,
	                                     .payload = p->plain ? 0 : PAYLOAD },
	                   out);
}

/* --- UDP -------------------------------------------------------------------------------------- */

/* Send the question on the try's own socket; the errno of what failed. */
static int send_udp(xfr_poll_t *p)
{
	uint8_t request[DNS_REQUEST_MAX];
	size_t len = make_request(p, request);

	if (p->peer.has_source && bind(p->fd, &p->peer.source.sa, addr_len(&p->peer.source)) < 0)
		return errno;
	/* Connected: the kernel drops what others send, and tells of ICMP errors. */
	if (connect(p->fd, &p->peer.addr.sa, addr_len(&p->peer.addr)) < 0)
		return errno;
	if (send(p->fd, request, len, 0) < 0 && errno != EAGAIN)
		return errno; /* a full queue is like a lost datagram: the next try will do */
	return 0;
}

static int open_udp(xfr_poll_t *p)
{
	close_udp(p);
	p->fd = socket(p->peer.addr.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return p->fd < 0 ? errno : 0;
}

/* A try: socket and id of its own. What fails is told from the loop. */
static void begin_try(xfr_poll_t *p)
{
	int err = p->fd < 0 ? open_udp(p) : 0;

	if (!err)
		err = send_udp(p);
	if (err) {
		p->over = true;
		p->result = (xfr_poll_result_t){ .why = xfr_why(XFR_WHY_ERRNO, (uint32_t)err, 0) };
		start_timer(p, 0.);
		return;
	}
	ev_io_set(&p->readable, p->fd, EV_READ);
	ev_io_start(p->loop, &p->readable);
	start_timer(p, p->deadlines.udp_try);
}

/* --- TCP -------------------------------------------------------------------------------------- */

static void on_tcp_message(void *arg, const uint8_t *msg, size_t len);
static void on_tcp_end(void *arg, xfr_conn_end_t how, int sys_errno);

static const xfr_conn_calls_t tcp_calls = {
	.on_message = on_tcp_message,
	.on_end = on_tcp_end,
};

static bool send_tcp(xfr_poll_t *p)
{
	uint8_t request[DNS_REQUEST_MAX];
	size_t len = make_request(p, request);

	if (xfr_conn_send(p->conn, request, len) == ST_OK)
		return true;
	finish_why(p, XFR_WHY_NO_MEMORY, 0);
	return false;
}

static void begin_tcp(xfr_poll_t *p)
{
	close_udp(p);
	p->conn = xfr_conn_open(p->loop, &p->peer, &p->deadlines, &tcp_calls, p);
	if (!p->conn) {
		finish_why(p, XFR_WHY_NO_MEMORY, 0);
		return;
	}
	/* The idle deadline alone would let an answer drip in for days. */
	if (send_tcp(p))
		start_timer(p, p->deadlines.connect + p->deadlines.idle);
}

static void on_tcp_end(void *arg, xfr_conn_end_t how, int sys_errno)
{
	xfr_poll_t *p = arg;

	switch (how) {
	case XFR_CONN_CLOSED:
	case XFR_CONN_CUT:
		finish_why(p, XFR_WHY_CLOSED, 0);
		return;
	case XFR_CONN_ERROR:
		finish_why(p, XFR_WHY_ERRNO, (uint32_t)sys_errno);
		return;
	case XFR_CONN_NO_CONNECT:
	case XFR_CONN_IDLE:
		finish_why(p, XFR_WHY_NO_ANSWER, 0);
		return;
	case XFR_CONN_NOMEM:
		finish_why(p, XFR_WHY_NO_MEMORY, 0);
		return;
	}
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Somebody guesses, or an answer came late: wait on, but not for ever. False: p may be gone. */
static bool ignore_foreign(xfr_poll_t *p)
{
	if (p->conn) { /* nobody guesses on a stream: the primary itself talks nonsense */
		finish_why(p, XFR_WHY_UNREADABLE, 0);
		return false;
	}
	if (++p->foreign < FOREIGN_MAX)
		return true;
	begin_tcp(p);
	return false;
}

static void take_rcode(xfr_poll_t *p, unsigned rcode)
{
	if (rcode != DNS_RCODE_FORMERR || p->plain) {
		finish_why(p, XFR_WHY_RCODE, rcode);
		return;
	}
	p->plain = true; /* an old primary: once more without OPT, the try is not counted */
	if (p->conn) {
		(void)send_tcp(p);
		return;
	}
	close_udp(p);
	begin_try(p);
}

/* What msg says decides what comes next; false: this try hears no more, p may be gone. */
static bool take_message(xfr_poll_t *p, const uint8_t *msg, size_t len)
{
	xfr_soa_answer_t answer;

	switch (xfr_soa_answer_read(msg, len, p->id, &p->apex, &answer)) {
	case XFR_SOA_HERE:
		finish(p, &(xfr_poll_result_t){ .soa = answer.soa });
		return false;
	case XFR_SOA_FOREIGN:
		return ignore_foreign(p);
	case XFR_SOA_RCODE:
		take_rcode(p, answer.rcode);
		return false;
	case XFR_SOA_TRUNCATED:
		if (p->conn)
			finish_why(p, XFR_WHY_UNREADABLE, 0);
		else
			begin_tcp(p);
		return false;
	case XFR_SOA_LAME:
		finish_why(p, XFR_WHY_LAME, 0);
		return false;
	case XFR_SOA_NONE:
		finish_why(p, XFR_WHY_NO_SOA, 0);
		return false;
	case XFR_SOA_BROKEN:
		finish_why(p, XFR_WHY_UNREADABLE, 0);
		return false;
	}
	return false;
}

static void on_tcp_message(void *arg, const uint8_t *msg, size_t len)
{
	(void)take_message(arg, msg, len);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	xfr_poll_t *p = w->data;
	uint8_t datagram[UDP_ROOM];

	(void)loop;
	(void)revents;
	for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
		ssize_t n = recv(p->fd, datagram, sizeof datagram, 0);

		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				finish_why(p, XFR_WHY_ERRNO, (uint32_t)errno);
			return;
		}
		if (!take_message(p, datagram, (size_t)n))
			return;
	}
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	xfr_poll_t *p = w->data;

	(void)loop;
	(void)revents;
	if (p->over) {
		finish(p, &p->result);
		return;
	}
	if (p->conn || ++p->tries >= p->deadlines.udp_tries) {
		finish_why(p, XFR_WHY_NO_ANSWER, 0);
		return;
	}
	close_udp(p);
	begin_try(p);
}

xfr_poll_t *xfr_poll_start(struct ev_loop *loop, const xfr_peer_t *peer,
                           const xfr_deadlines_t *deadlines, const dns_name_t *apex,
                           xfr_poll_cb done, void *arg)
{
	xfr_poll_t *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->loop = loop;
	p->peer = *peer;
	p->deadlines = *deadlines;
	p->apex = *apex;
	dns_name_fold(&p->apex);
	p->done = done;
	p->arg = arg;
	p->fd = -1;
	ev_io_init(&p->readable, on_readable, -1, EV_READ);
	ev_timer_init(&p->timer, on_timer, 0., 0.);
	p->readable.data = p->timer.data = p;
	ev_set_priority(&p->readable, 1); /* a loop that was held up looks for the answer first */
	if (open_udp(p) != 0) {
		release(p);
		return NULL;
	}
	ev_now_update(loop); /* the caller may have been busy: a deadline begins now */
	begin_try(p);
	return p;
}

void xfr_poll_stop(xfr_poll_t *poll)
{
	release(poll);
}
