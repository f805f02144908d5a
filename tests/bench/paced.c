/* tests/bench/paced.c - a fixed rate of queries: what is lost, how long does the rest take?
 *
 * A query's clock starts right before its system call and stops when the kernel has the answer
 * (SO_TIMESTAMPNS), so that this process being late is no fault of the server's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/buf.h"
#include "tests/bench/load.h"

enum {
	IDS = 65536,
	TICK_NS = 200 * 1000,
	LOST_NS = 1500 * 1000 * 1000, /* later than this an answer counts as lost */
	HEAD = 12,
	STEPS = 64,           /* of the histogram, per doubling */
	BUCKETS = 40 * STEPS, /* up to 2^40 ns */
};

typedef struct paced {
	const load_conf_t *conf;
	load_result_t *out;
	size_t next;
	uint64_t sent_at[IDS]; /* CLOCK_REALTIME, ns; 0: none in flight under this id */
	uint64_t histogram[BUCKETS];
	uint16_t id;
} paced_t;

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* 64 buckets per doubling: within 1.6 percent. */
static size_t bucket_of(uint64_t ns)
{
	if (ns < STEPS)
		return ns;
	unsigned top = 63u - (unsigned)__builtin_clzll(ns);
	size_t b = (size_t)(top - 5) * STEPS + (ns >> (top - 6)) - STEPS;
	return b < BUCKETS ? b : BUCKETS - 1;
}

static uint64_t bucket_start(size_t b)
{
	if (b < STEPS)
		return b;
	return (uint64_t)(STEPS + b % STEPS) << (b / STEPS - 1);
}

static uint64_t percentile(const paced_t *p, double share)
{
	uint64_t want = (uint64_t)(share * (double)p->out->answered), seen = 0;

	for (size_t b = 0; b < BUCKETS; b++) {
		seen += p->histogram[b];
		if (seen > want)
			return bucket_start(b);
	}
	return p->out->max_ns;
}

static bool send_one(paced_t *p)
{
	const queries_t *q = &p->conf->queries;
	uint8_t *msg = q->at[p->next];
	uint16_t id = p->id++;

	put_u16(msg, id);
	p->next = (p->next + 1) % q->count;
	if (p->sent_at[id] != 0)
		p->out->lost++; /* a whole round of ids ago, and never answered */
	p->sent_at[id] = wall_ns();
	p->out->sent++;
	if (send(p->conf->fd, msg, queries_len(msg), MSG_DONTWAIT) >= 0)
		return true;
	return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED;
}

/* When the kernel got the datagram; now, if it does not say. */
static uint64_t arrival(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		struct timespec t;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof t);
		return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
	return wall_ns();
}

static void account(paced_t *p, const uint8_t *head, uint64_t at)
{
	load_result_t *out = p->out;
	uint16_t id = get_u16(head);
	uint64_t sent = p->sent_at[id];
	uint64_t took = at > sent ? at - sent : 1;

	if (sent == 0)
		return; /* twice, or after it was given up */
	p->sent_at[id] = 0;
	if (took > LOST_NS) {
		out->lost++;
		return;
	}
	out->answered++;
	out->rcode[head[3] & 15]++;
	out->truncated += head[2] >> 1 & 1;
	out->max_ns = took > out->max_ns ? took : out->max_ns;
	p->histogram[bucket_of(took)]++;
}

static void take_all(paced_t *p)
{
	_Alignas(struct cmsghdr) uint8_t control[64];
	uint8_t head[HEAD];

	for (;;) {
		struct iovec iov = { head, sizeof head };
		struct msghdr h = { .msg_iov = &iov,
			            .msg_iovlen = 1,
			            .msg_control = control,
			            .msg_controllen = sizeof control };
		ssize_t n = recvmsg(p->conf->fd, &h, MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno != ECONNREFUSED)
			return;
		if (n < HEAD)
			continue;
		p->out->bytes += (size_t)n;
		account(p, head, arrival(&h));
	}
}

static void sleep_until(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static bool run(paced_t *p)
{
	uint64_t began = load_now_ns(), now = began;
	uint64_t end = began + (uint64_t)(p->conf->seconds * 1e9);

	while (now < end) {
		uint64_t due = (uint64_t)((double)(now - began) / 1e9 * p->conf->rate);

		/* Held up ourselves, we skip: a burst of what we owe would be no fixed rate. */
		while (p->out->sent < due && p->out->sent + 256 > due)
			if (!send_one(p))
				return false;
		if (p->out->sent < due) {
			began += (uint64_t)((double)(due - p->out->sent) / p->conf->rate * 1e9);
			end = began + (uint64_t)(p->conf->seconds * 1e9);
		}
		take_all(p);
		sleep_until(now + TICK_NS);
		now = load_now_ns();
	}
	p->out->seconds = (double)(now - began) / 1e9;
	return true;
}

bool load_paced(const load_conf_t *conf, load_result_t *out)
{
	paced_t *p = calloc(1, sizeof *p);
	uint64_t cpu = load_cpu_ns(conf);
	const int on = 1;
	bool ok = false;

	if (!p)
		return false;
	setsockopt(conf->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	p->conf = conf;
	p->out = out;
	p->next = conf->first % conf->queries.count;
	if (!run(p))
		goto out;
	for (uint64_t end = load_now_ns() + LOST_NS;
	     out->answered + out->lost < out->sent && load_now_ns() < end;) {
		take_all(p);
		sleep_until(load_now_ns() + TICK_NS);
	}
	out->cpu_ns = load_cpu_ns(conf) - cpu;
	out->lost = out->sent - out->answered;
	out->p50_ns = percentile(p, 0.5);
	out->p99_ns = percentile(p, 0.99);
	out->p999_ns = percentile(p, 0.999);
	ok = out->answered > 0;
out:
	free(p);
	return ok;
}
