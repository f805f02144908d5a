/* ctl/skew_udp.c - a socket for each question, one poll() for all. */
#include "ctl/skew_udp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/random.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "xfr/soa_answer.h"

enum { QUERY_MAX = DNS_HEADER_LEN + DNS_NAME_MAX + 4, PREFIX = 2 };

typedef struct question {
	skew_ask_t *ask;
	const dns_name_t *apex;
	uint16_t id;
	unsigned tries;
	bool over, truncated;
	mono_t began, until; /* until: of this try */
} question_t;

/* A query of opcode QUERY, RD clear. */
static size_t make_query(const question_t *q, uint8_t out[QUERY_MAX])
{
	bufw_t w = bufw_over(out, QUERY_MAX);

	bufw_u16(&w, q->id);
	bufw_u16(&w, 0);
	bufw_u16(&w, 1);
	for (int i = 0; i < 3; i++)
		bufw_u16(&w, 0);
	bufw_bytes(&w, q->apex->wire, q->apex->len);
	bufw_u16(&w, DNS_TYPE_SOA);
	bufw_u16(&w, DNS_CLASS_IN);
	return w.pos;
}

static void end(question_t *q, const char *why)
{
	q->over = true;
	q->ask->ms = (uint32_t)(mono_diff(q->began, clock_mono()) * 1000);
	snprintf(q->ask->why, sizeof q->ask->why, "%s", why);
}

static void end_errno(question_t *q, int err)
{
	char why[sizeof q->ask->why];

	snprintf(why, sizeof why, "can't be reached: %s", strerror(err));
	end(q, why);
}

/* What a message says; one that is not the answer is passed over. */
static void take(question_t *q, const uint8_t *msg, size_t len)
{
	char rcode[DNS_RCODE_TEXT_MAX], why[sizeof q->ask->why];
	xfr_soa_answer_t answer;

	switch (xfr_soa_answer_read(msg, len, false, q->id, q->apex, &answer)) {
	case XFR_SOA_HERE:
		q->ask->answered = true;
		q->ask->serial = answer.soa.serial;
		end(q, "");
		break;
	case XFR_SOA_FOREIGN:
		break;
	case XFR_SOA_RCODE:
		snprintf(why, sizeof why, "answers %s", dns_rcode_text(answer.rcode, rcode));
		end(q, why);
		break;
	case XFR_SOA_TRUNCATED:
		q->truncated = true;
		end(q, "answers truncated");
		break;
	case XFR_SOA_LAME:
		end(q, "answers without authority");
		break;
	case XFR_SOA_NONE:
		end(q, "has no SOA for it");
		break;
	case XFR_SOA_BROKEN:
		end(q, "sent a broken message");
		break;
	}
}

/* --- UDP --------------------------------------------------------------------------------------- */

/* Another try, from another port with another id. The socket, or -1: it is over. */
static int try_udp(question_t *q)
{
	const addr_t *to = &q->ask->to;
	uint8_t query[QUERY_MAX];
	const int fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	q->id = random_u16();
	q->tries++;
	q->until = mono_add_ms(clock_mono(), SKEW_TRY_MS);
	if (fd >= 0 && connect(fd, &to->sa, addr_len(to)) == 0 &&
	    send(fd, query, make_query(q, query), 0) >= 0)
		return fd;
	end_errno(q, errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

static void read_udp(question_t *q, int fd)
{
	uint8_t msg[4096];

	while (!q->over) {
		const ssize_t n = recv(fd, msg, sizeof msg, 0);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			end_errno(q, errno);
		if (n < 0)
			return;
		take(q, msg, (size_t)n);
	}
}

/* One that is over, or late. */
static void move_on(question_t *q, struct pollfd *p, mono_t now)
{
	if (p->fd < 0 || (!q->over && mono_before(now, q->until)))
		return;
	close(p->fd);
	p->fd = -1;
	if (q->over)
		return;
	if (q->tries < SKEW_TRIES)
		p->fd = try_udp(q);
	else
		end(q, "does not answer");
}

static int wait_ms(const question_t *q, size_t count, mono_t now)
{
	mono_t first = mono_add_ms(now, SKEW_TRY_MS);

	for (size_t i = 0; i < count; i++) {
		if (!q[i].over)
			first = mono_min(first, q[i].until);
	}
	const double s = mono_diff(now, first);
	return s > 0 ? (int)(s * 1000) + 1 : 0;
}

static void ask_udp(question_t *q, struct pollfd *p, size_t count)
{
	size_t open = count;

	for (size_t i = 0; i < count; i++)
		p[i] = (struct pollfd){ .fd = try_udp(&q[i]), .events = POLLIN };
	while (open > 0) {
		(void)poll(p, count, wait_ms(q, count, clock_mono()));
		open = 0;
		for (size_t i = 0; i < count; i++) {
			if (p[i].fd >= 0 && p[i].revents)
				read_udp(&q[i], p[i].fd);
			move_on(&q[i], &p[i], clock_mono());
			open += p[i].fd >= 0;
		}
	}
}

/* --- TCP --------------------------------------------------------------------------------------- */

/* Up to len octets before the try is over; how many. */
static size_t read_tcp(const question_t *q, int fd, uint8_t *out, size_t len)
{
	size_t got = 0;

	while (got < len && mono_before(clock_mono(), q->until)) {
		const ssize_t n = recv(fd, out + got, len - got, 0);

		if (n <= 0 && !(n < 0 && errno == EINTR))
			break;
		if (n > 0)
			got += (size_t)n;
	}
	return got;
}

static void exchange_tcp(question_t *q, int fd)
{
	static uint8_t msg[PREFIX + DNS_MSG_MAX];
	uint8_t query[PREFIX + QUERY_MAX];
	const size_t len = make_query(q, query + PREFIX);

	put_u16(query, (unsigned)len);
	if (send(fd, query, PREFIX + len, MSG_NOSIGNAL) < 0) {
		end_errno(q, errno);
		return;
	}
	if (read_tcp(q, fd, msg, PREFIX) == PREFIX) {
		const size_t whole = get_u16(msg);

		if (read_tcp(q, fd, msg + PREFIX, whole) == whole)
			take(q, msg + PREFIX, whole);
	}
	if (!q->over)
		end(q, "does not answer by TCP");
}

static void ask_tcp(question_t *q)
{
	const struct timeval patience = { .tv_sec = SKEW_TRY_MS / 1000,
		                          .tv_usec = SKEW_TRY_MS % 1000 * 1000 };
	const addr_t *to = &q->ask->to;
	const int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	q->over = q->truncated = false;
	q->id = random_u16();
	q->until = mono_add_ms(clock_mono(), SKEW_TRY_MS);
	if (fd < 0) {
		end_errno(q, errno);
		return;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, &to->sa, addr_len(to)) < 0)
		end_errno(q, errno == EINPROGRESS ? ETIMEDOUT : errno);
	else
		exchange_tcp(q, fd);
	close(fd);
}

void skew_udp_ask(const dns_name_t *apex, skew_ask_t *asks, size_t count)
{
	question_t *q = calloc(count + 1, sizeof *q);
	struct pollfd *p = calloc(count + 1, sizeof *p);

	for (size_t i = 0; i < count; i++)
		snprintf(asks[i].why, sizeof asks[i].why, "was not asked: out of memory");
	if (q && p) {
		for (size_t i = 0; i < count; i++)
			q[i] = (question_t){ .ask = &asks[i], .apex = apex, .began = clock_mono() };
		ask_udp(q, p, count);
		for (size_t i = 0; i < count; i++) {
			if (q[i].truncated)
				ask_tcp(&q[i]);
		}
	}
	free(q);
	free(p);
}
