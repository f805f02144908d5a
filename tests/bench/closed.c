/* tests/bench/closed.c - a fixed number of queries in flight. See load.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/bench/load.h"

enum {
	HEAD = 12, /* all that is looked at of an answer: the kernel copies no more */
	GIVE_UP_NS = 300 * 1000 * 1000, /* without an answer: what is in flight is lost */
	GIVE_UP_TIMES = 10,             /* in a row: the server is gone */
	PAUSE = 400, /* turns of doing nothing after an empty look; looks contend for the socket */
};

typedef struct closed {
	const load_conf_t *conf;
	load_result_t *out;
	size_t next; /* query */
	uint64_t in_flight;
	uint64_t last_ns; /* when something came */
	unsigned silent;  /* times in a row that all in flight was given up */
	struct mmsghdr out_msg[LOAD_BATCH], in_msg[LOAD_BATCH];
	struct iovec out_iov[LOAD_BATCH], in_iov[LOAD_BATCH];
	uint8_t head[LOAD_BATCH][HEAD];
} closed_t;

static void set_up(closed_t *c, const load_conf_t *conf, load_result_t *out)
{
	memset(c, 0, sizeof *c);
	c->conf = conf;
	c->out = out;
	c->next = conf->first % conf->queries.count;
	for (size_t i = 0; i < LOAD_BATCH; i++) {
		c->out_msg[i].msg_hdr =
			(struct msghdr){ .msg_iov = &c->out_iov[i], .msg_iovlen = 1 };
		c->in_iov[i] = (struct iovec){ c->head[i], HEAD };
		c->in_msg[i].msg_hdr = (struct msghdr){ .msg_iov = &c->in_iov[i], .msg_iovlen = 1 };
	}
}

/* Send n queries, as many as the socket takes. */
static bool send_batch(closed_t *c, unsigned n)
{
	const queries_t *q = &c->conf->queries;

	for (unsigned i = 0; i < n; i++) {
		uint8_t *msg = q->at[(c->next + i) % q->count];

		c->out_iov[i] = (struct iovec){ msg, queries_len(msg) };
	}
	int sent = sendmmsg(c->conf->fd, c->out_msg, n, MSG_DONTWAIT);
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED;
	c->next = (c->next + (unsigned)sent) % q->count;
	c->in_flight += (unsigned)sent;
	c->out->sent += (unsigned)sent;
	return true;
}

/* Take what has come: how many, 0 for none. */
static unsigned take_batch(closed_t *c)
{
	load_result_t *out = c->out;
	int n = recvmmsg(c->conf->fd, c->in_msg, LOAD_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);

	for (int i = 0; i < n; i++) {
		out->bytes += c->in_msg[i].msg_len; /* with MSG_TRUNC: its real length */
		out->rcode[c->head[i][3] & 15]++;
		out->truncated += c->head[i][2] >> 1 & 1;
	}
	if (n <= 0)
		return 0;
	out->answered += (unsigned)n;
	/* What was given up as lost may still come. */
	c->in_flight -= c->in_flight < (unsigned)n ? c->in_flight : (unsigned)n;
	return (unsigned)n;
}

/* Nothing has come for a while? Then what is in flight is lost. False: the server is gone. */
static bool watch(closed_t *c)
{
	uint64_t now = load_now_ns();

	if (c->last_ns == 0)
		c->last_ns = now;
	if (now - c->last_ns < GIVE_UP_NS)
		return true;
	c->out->lost += c->in_flight;
	c->in_flight = 0;
	c->last_ns = now;
	return ++c->silent < GIVE_UP_TIMES;
}

static void pause_a_little(void)
{
	for (volatile int i = 0; i < PAUSE; i++)
		;
}

static bool run(closed_t *c, uint64_t answers)
{
	uint64_t until = c->out->answered + answers;

	while (c->out->answered < until) {
		/* Whole batches only: what goes in by ones comes out by ones. */
		while (c->in_flight + LOAD_BATCH <= c->conf->window) {
			uint64_t before = c->out->sent;

			if (!send_batch(c, LOAD_BATCH))
				return false;
			if (c->out->sent == before)
				break;
		}
		if (take_batch(c) > 0) {
			c->last_ns = 0;
			c->silent = 0;
			continue;
		}
		if (!watch(c))
			return false;
		pause_a_little();
	}
	return true;
}

bool load_closed(const load_conf_t *conf, load_result_t *out)
{
	closed_t c;

	set_up(&c, conf, out);
	if (conf->warm_up > 0 && !run(&c, conf->warm_up))
		return false;
	memset(out, 0, sizeof *out);
	uint64_t cpu = load_cpu_ns(conf), began = load_now_ns();
	if (!run(&c, conf->count))
		return false;
	out->seconds = (double)(load_now_ns() - began) / 1e9;
	out->cpu_ns = load_cpu_ns(conf) - cpu;
	return true;
}
