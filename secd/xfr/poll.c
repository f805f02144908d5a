/* xfr/poll.c - one SOA question: over UDP as often as allowed, or as one of many on a link. */
#include "xfr/poll.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/random.h"
#include "dns/request.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PAYLOAD = 1232,  /* passes every path without fragments */
	UDP_ROOM = 4096, /* what is longer was not asked for, and is read cut */
	DATAGRAMS_PER_TURN = 16,
	FOREIGN_MAX = 100, /* datagrams that don't belong to the question */
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
	ev_timer timer; /* ends the try by UDP; when over, it only tells */
	xfr_ask_t *ask; /* over a link */
	uint16_t id;
	bool plain, dnssec;
	const dns_tsig_key_t *key; /* NULL: nothing is signed */
	dns_tsig_key_t own_key;    /* ... it: one may be gone from the settings meanwhile */
	dns_tsig_stream_t signed_; /* as it is before the answer */
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

/* answered: of a link the id may be used again. */
static void release(xfr_poll_t *p, bool answered)
{
	close_udp(p);
	xfr_ask_close(p->ask, answered);
	ev_timer_stop(p->loop, &p->timer);
	if (p->key)
		dns_tsig_key_wipe(&p->own_key);
	free(p);
}

/* Tell, from the loop. p is gone afterwards. */
static void tell(xfr_poll_t *p, const xfr_poll_result_t *result, bool answered)
{
	const xfr_poll_cb done = p->done;
	xfr_poll_result_t told = *result; /* which may lie in p */
	void *arg = p->arg;

	told.plain = p->plain;
	release(p, answered);
	done(arg, &told);
}

/* No answer came, or none that can be used. */
static void fail(xfr_poll_t *p, xfr_why_code_t code, uint32_t a)
{
	tell(p, &(xfr_poll_result_t){ .why = xfr_why(code, a, 0) }, false);
}

/* One came, and it says no. */
static void take_no(xfr_poll_t *p, xfr_why_code_t code, uint32_t a)
{
	tell(p, &(xfr_poll_result_t){ .why = xfr_why(code, a, 0) }, true);
}

static void move_to_stream(xfr_poll_t *p, xfr_why_code_t code)
{
	tell(p, &(xfr_poll_result_t){ .why = xfr_why(code, 0, 0), .next = XFR_POLL_STREAM }, false);
}

static void start_timer(xfr_poll_t *p, double seconds)
{
	ev_timer_stop(p->loop, &p->timer);
	ev_timer_set(&p->timer, seconds, 0.);
	ev_timer_start(p->loop, &p->timer);
}

/* The question, signed if there is a key. */
static size_t make_request(xfr_poll_t *p, uint8_t out[DNS_REQUEST_SIGNED_MAX])
{
	const dns_request_t request = {
		.apex = p->apex.wire,
		.type = DNS_TYPE_SOA,
		.id = p->id,
		.payload = p->plain ? 0 : PAYLOAD,
		.dnssec = p->dnssec,
		.expire = true,
	};
	dns_tsig_mac_t mac;

	if (!p->key)
		return dns_request(&request, out);
	size_t len = dns_request_signed(&request, p->key, clock_wall_coarse(), out, &mac);
	dns_tsig_stream_start(&p->signed_, p->key, &mac, true);
	return len;
}

/* --- UDP -------------------------------------------------------------------------------------- */

/* Send the question on the try's own socket, with an id of its own; the errno of what failed. */
static int send_udp(xfr_poll_t *p)
{
	uint8_t request[DNS_REQUEST_SIGNED_MAX];
	size_t len;

	p->id = random_u16();
	len = make_request(p, request);
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

/* --- a link ----------------------------------------------------------------------------------- */

static void on_ask_message(void *arg, const uint8_t *msg, size_t len);

static void on_ask_end(void *arg, const xfr_ask_end_t *end)
{
	xfr_poll_t *p = arg;

	if (xfr_ask_end_is_unclear(end)) {
		tell(p,
		     &(xfr_poll_result_t){ .why = xfr_why(XFR_WHY_CLOSED, 0, 0),
		                           .next = XFR_POLL_AGAIN,
		                           .end = *end },
		     false);
		return;
	}
	switch (end->how) {
	case XFR_CONN_CLOSED:
	case XFR_CONN_CUT:
		fail(p, XFR_WHY_CLOSED, 0);
		return;
	case XFR_CONN_ERROR:
		fail(p, XFR_WHY_ERRNO, (uint32_t)end->sys_errno);
		return;
	case XFR_CONN_NO_CONNECT:
	case XFR_CONN_IDLE:
		fail(p, XFR_WHY_NO_ANSWER, 0);
		return;
	case XFR_CONN_NOMEM:
		fail(p, XFR_WHY_NO_MEMORY, 0);
		return;
	}
}

static const xfr_ask_calls_t ask_calls = {
	.on_message = on_ask_message,
	.on_end = on_ask_end,
};

static bool ask_link(xfr_poll_t *p, xfr_link_t *link)
{
	/* The idle deadline alone would let an answer drip in for days. */
	const double most = p->deadlines.udp_try * p->deadlines.udp_tries;
	uint8_t request[DNS_REQUEST_SIGNED_MAX];

	p->id = xfr_link_id(link);
	const size_t len = make_request(p, request);
	p->ask = xfr_ask_open(link, p->id, request, len, most, &ask_calls, p);
	return p->ask;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Somebody guesses, or an answer came late: wait on, but not for ever. False: p is gone. */
static bool ignore_foreign(xfr_poll_t *p)
{
	if (p->ask) { /* nobody guesses on a stream: the primary itself talks nonsense */
		fail(p, XFR_WHY_UNREADABLE, 0);
		return false;
	}
	if (++p->foreign < FOREIGN_MAX)
		return true;
	move_to_stream(p, XFR_WHY_UNREADABLE);
	return false;
}

static void take_rcode(xfr_poll_t *p, unsigned rcode)
{
	uint8_t request[DNS_REQUEST_SIGNED_MAX];

	if (rcode != DNS_RCODE_FORMERR || p->plain) {
		take_no(p, XFR_WHY_RCODE, rcode);
		return;
	}
	p->plain = true; /* an old primary: once more without OPT, the try is not counted */
	if (!p->ask) {
		close_udp(p);
		begin_try(p);
	} else if (xfr_ask_again(p->ask, request, make_request(p, request)) != ST_OK) {
		fail(p, XFR_WHY_NO_MEMORY, 0);
	}
}

/* Its TSIG does not count. */
static bool take_unsigned(xfr_poll_t *p, dns_tsig_outcome_t outcome, int64_t detail, unsigned rcode)
{
	const xfr_poll_result_t result = {
		.why = xfr_why_tsig(outcome, detail),
		.answer.rcode = rcode,
		.next = p->ask ? XFR_POLL_DONE : XFR_POLL_STREAM,
	};

	tell(p, &result, p->ask != NULL);
	return false;
}

/* Is msg an answer to the question at all? Before its TSIG is looked at: what is not ours needs none. */
static bool is_ours(const xfr_poll_t *p, const uint8_t *msg, size_t len)
{
	return len >= DNS_HEADER_LEN && get_u16(msg) == p->id && (get_u16(msg + 2) & DNS_QR);
}

/* What msg says decides what comes next; false: this try hears no more, p may be gone. */
static bool take_message(xfr_poll_t *p, const uint8_t *msg, size_t len)
{
	dns_tsig_stream_t tsig = p->signed_; /* by UDP anybody may answer: each gets a fresh one */
	xfr_poll_result_t result = { 0 };

	if (p->key && is_ours(p, msg, len)) {
		dns_tsig_bare_t bare;
		dns_tsig_outcome_t outcome =
			dns_tsig_stream_feed(&tsig, msg, len, clock_wall_coarse(), &bare);

		if (outcome != DNS_TSIG_OK)
			return take_unsigned(p, outcome, tsig.detail,
			                     get_u16(msg + 2) & DNS_RCODE_MASK);
		len = bare.len;
		result.has_skew = true;
		result.skew = (int32_t)tsig.detail; /* within the fudge */
	}

	switch (xfr_soa_answer_read(msg, len, p->key != NULL, p->id, &p->apex, &result.answer)) {
	case XFR_SOA_HERE:
		tell(p, &result, true);
		return false;
	case XFR_SOA_FOREIGN:
		return ignore_foreign(p);
	case XFR_SOA_RCODE:
		take_rcode(p, result.answer.rcode);
		return false;
	case XFR_SOA_TRUNCATED:
		if (p->ask)
			take_no(p, XFR_WHY_TC, 0);
		else
			move_to_stream(p, XFR_WHY_TC);
		return false;
	case XFR_SOA_LAME:
		take_no(p, XFR_WHY_LAME, 0);
		return false;
	case XFR_SOA_NONE:
		take_no(p, XFR_WHY_NO_SOA, 0);
		return false;
	case XFR_SOA_BROKEN:
		take_no(p, XFR_WHY_UNREADABLE, 0);
		return false;
	}
	return false;
}

static void on_ask_message(void *arg, const uint8_t *msg, size_t len)
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
				fail(p, XFR_WHY_ERRNO, (uint32_t)errno);
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
		tell(p, &p->result, false);
		return;
	}
	if (++p->tries >= p->deadlines.udp_tries) {
		fail(p, XFR_WHY_NO_ANSWER, 0);
		return;
	}
	close_udp(p);
	begin_try(p);
}

xfr_poll_t *xfr_poll_start(struct ev_loop *loop, const xfr_poll_spec_t *spec, xfr_poll_cb done,
                           void *arg)
{
	xfr_poll_t *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->loop = loop;
	p->peer = *spec->peer;
	p->deadlines = *spec->deadlines;
	p->apex = *spec->apex;
	dns_name_fold(&p->apex);
	p->plain = spec->plain;
	p->dnssec = spec->dnssec;
	if (spec->key) {
		p->own_key = *spec->key;
		p->key = &p->own_key;
	}
	p->done = done;
	p->arg = arg;
	p->fd = -1;
	ev_io_init(&p->readable, on_readable, -1, EV_READ);
	ev_timer_init(&p->timer, on_timer, 0., 0.);
	p->readable.data = p->timer.data = p;
	ev_set_priority(&p->readable, 1); /* a loop that was held up looks for the answer first */
	ev_now_update(loop);              /* the caller may have been busy: a deadline begins now */
	if (spec->link ? !ask_link(p, spec->link) : open_udp(p) != 0) {
		release(p, false);
		return NULL;
	}
	if (!spec->link)
		begin_try(p);
	return p;
}

void xfr_poll_stop(xfr_poll_t *poll)
{
	release(poll, false);
}
