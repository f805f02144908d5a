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
#include <stdio.h>
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

static void finish_net(xfr_poll_t *p, int sys_errno)
{
	finish(p, &(xfr_poll_result_t){ .outcome = XFR_POLL_NET, .sys_errno = sys_errno });
}

static void finish_as(xfr_poll_t *p, xfr_poll_outcome_t outcome)
{
	finish(p, &(xfr_poll_result_t){ .outcome = outcome });
}

static void start_timer(xfr_poll_t *p, double seconds)
{
	ev_timer_stop(p->loop, &p->timer);
	ev_timer_set(&p->timer, seconds, 0.);
	ev_timer_start(p->loop, &p->timer);
}

/* The question with a fresh id. */
static status_t make_request(xfr_poll_t *p, uint8_t out[DNS_REQUEST_MAX], size_t *len)
{
	p->id = random_u16();
	return dns_request(p->apex.wire, DNS_TYPE_SOA, p->id, p->plain ? 0 : PAYLOAD, out, len);
}

/* --- UDP -------------------------------------------------------------------------------------- */

/* Send the question on the try's own socket; the errno of what failed. */
static int send_udp(xfr_poll_t *p)
{
	uint8_t request[DNS_REQUEST_MAX];
	size_t len;

	if (make_request(p, request, &len) != ST_OK)
		return ENOMEM;
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
		p->result = (xfr_poll_result_t){ .outcome = XFR_POLL_NET, .sys_errno = err };
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
	size_t len;

	if (make_request(p, request, &len) == ST_OK &&
	    xfr_conn_send(p->conn, request, len) == ST_OK)
		return true;
	finish_net(p, ENOMEM);
	return false;
}

static void begin_tcp(xfr_poll_t *p)
{
	close_udp(p);
	p->conn = xfr_conn_open(p->loop, &p->peer, &p->deadlines, &tcp_calls, p);
	if (!p->conn) {
		finish_net(p, ENOMEM);
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
		finish_net(p, 0);
		return;
	case XFR_CONN_ERROR:
		finish_net(p, sys_errno);
		return;
	case XFR_CONN_NO_CONNECT:
	case XFR_CONN_IDLE:
		finish_as(p, XFR_POLL_TIMEOUT);
		return;
	case XFR_CONN_NOMEM:
		finish_net(p, ENOMEM);
		return;
	}
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Somebody guesses, or an answer came late: wait on, but not for ever. False: p may be gone. */
static bool ignore_foreign(xfr_poll_t *p)
{
	if (p->conn) { /* nobody guesses on a stream: the primary itself talks nonsense */
		finish_as(p, XFR_POLL_BROKEN);
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
		finish(p, &(xfr_poll_result_t){ .outcome = XFR_POLL_RCODE, .rcode = rcode });
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
		finish(p, &(xfr_poll_result_t){ .outcome = XFR_POLL_SOA, .soa = answer.soa });
		return false;
	case XFR_SOA_FOREIGN:
		return ignore_foreign(p);
	case XFR_SOA_RCODE:
		take_rcode(p, answer.rcode);
		return false;
	case XFR_SOA_TRUNCATED:
		if (p->conn)
			finish_as(p, XFR_POLL_BROKEN);
		else
			begin_tcp(p);
		return false;
	case XFR_SOA_LAME:
		finish_as(p, XFR_POLL_LAME);
		return false;
	case XFR_SOA_NONE:
		finish_as(p, XFR_POLL_NO_SOA);
		return false;
	case XFR_SOA_BROKEN:
		finish_as(p, XFR_POLL_BROKEN);
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
				finish_net(p, errno);
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
		finish_as(p, XFR_POLL_TIMEOUT);
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

const char *xfr_poll_why(const xfr_poll_result_t *result, char out[128])
{
	const char *words = "";
	char rcode[DNS_RCODE_TEXT_MAX];

	switch (result->outcome) {
	case XFR_POLL_SOA:
		snprintf(out, 128, "serial %u", result->soa.serial);
		return out;
	case XFR_POLL_RCODE:
		snprintf(out, 128, "answered %s", dns_rcode_text(result->rcode, rcode));
		return out;
	case XFR_POLL_TIMEOUT:
		words = "no answer";
		break;
	case XFR_POLL_NET:
		words = result->sys_errno ? strerrordesc_np(result->sys_errno)
		                          : "closed the connection without an answer";
		break;
	case XFR_POLL_LAME:
		words = "answered without authority (AA clear)";
		break;
	case XFR_POLL_NO_SOA:
		words = "answered without the SOA of the zone";
		break;
	case XFR_POLL_BROKEN:
		words = "unreadable answer";
		break;
	}
	snprintf(out, 128, "%s", words ? words : "unknown network error");
	return out;
}
