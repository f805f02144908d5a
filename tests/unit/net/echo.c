/* tests/unit/net/echo.c - see echo.h. */
#include "tests/unit/net/echo.h"

#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "common/buf.h"

static _Atomic size_t largest;
static _Atomic bool slots[256]; /* a slot here is nothing but its mark */

struct answer {
	const answer_conf_t *conf;
	answer_counters_t *counters;
};

void echo_query(uint8_t out[ECHO_QUERY], unsigned id, echo_op_t op, unsigned arg)
{
	memset(out, 0, ECHO_QUERY);
	put_u16(out, id);
	out[2] = (uint8_t)(op << 3);
	if (op == ECHO_BIG)
		put_u16(out + 12, arg);
	if (op == ECHO_NOTIFY)
		out[12] = (uint8_t)arg;
}

const zone_slot_t *echo_slot(unsigned i)
{
	return (const zone_slot_t *)(const void *)&slots[i % sizeof slots];
}

static _Atomic bool *mark_of(const zone_slot_t *slot)
{
	return (_Atomic bool *)(uintptr_t)slot;
}

bool zone_slot_mark_notified(const zone_slot_t *slot)
{
	return !atomic_exchange(mark_of(slot), true);
}

void zone_slot_clear_notified(const zone_slot_t *slot)
{
	atomic_store(mark_of(slot), false);
}

size_t echo_largest_batch(void)
{
	return atomic_load(&largest);
}

answer_t *answer_new(const zone_set_t *zones, const answer_conf_t *conf,
                     answer_counters_t *counters)
{
	answer_t *a = malloc(sizeof *a);

	(void)zones;
	if (a)
		*a = (answer_t){ conf, counters };
	return a;
}

void answer_set_conf(answer_t *a, const answer_conf_t *conf)
{
	(void)a;
	(void)conf;
}

void answer_free(answer_t *a)
{
	free(a);
}

static void require(bool held)
{
	if (!held)
		abort();
}

/* No more than a second and a tick behind the clocks themselves. */
static void check_time(const answer_time_t *now)
{
	int64_t wall = clock_wall_coarse().s - now->wall.s;
	double mono = mono_diff(now->mono, clock_mono());

	require(wall >= 0 && wall <= 1 && mono >= 0 && mono <= 1.5);
}

static void check_contract(const answer_t *a, const answer_req_t *req)
{
	size_t udp = a->conf->udp_payload > 512 ? a->conf->udp_payload : 512;

	require(req->out_room >= (req->via == ANSWER_TCP ? 65535 : udp));
	require(req->peer->sa.sa_family == AF_INET || req->peer->sa.sa_family == AF_INET6);
	require(!addr_is_any(req->peer) && addr_port(req->peer) != 0);
	require(req->in != req->out);
}

static void fill(answer_req_t *req)
{
	unsigned id = get_u16(req->in);

	for (size_t i = ECHO_HEADER; i < req->out_len; i++)
		req->out[i] = echo_byte(id, i);
}

static void answer_one(answer_t *a, answer_req_t *req)
{
	req->out_len = 0;
	req->notify = req->notify_refused = NULL;
	if (req->in_len < ECHO_QUERY || (req->in[2] >> 3) == ECHO_SILENT) {
		atomic_fetch_add(&a->counters->dropped, 1);
		return;
	}
	atomic_fetch_add(&a->counters->type[ANSWER_TYPE_A], 1);
	atomic_fetch_add(&a->counters->rcode[0], 1);
	req->out_len = req->in_len < req->out_room ? req->in_len : req->out_room;
	if (req->in[2] >> 3 == ECHO_BIG) {
		req->out_len = get_u16(req->in + 12);
		require(req->out_len >= ECHO_HEADER && req->out_len <= req->out_room);
		fill(req);
		memcpy(req->out, req->in, ECHO_HEADER);
	} else {
		memcpy(req->out, req->in, req->out_len);
	}
	req->out[2] |= 0x80;
	if (req->in[2] >> 3 == ECHO_NOTIFY) {
		if (req->in[13] == ECHO_REFUSED)
			req->notify_refused = echo_slot(req->in[12]);
		else
			req->notify = echo_slot(req->in[12]);
		req->query.has_hint = req->in[13] != 0;
		req->query.hint_serial = get_u32(req->in + 14);
	}
}

void answer_batch(answer_t *a, const answer_time_t *now, answer_req_t *reqs, size_t n)
{
	require(n > 0 && n <= 64);
	check_time(now);
	if (n > atomic_load(&largest))
		atomic_store(&largest, n);
	for (size_t i = 0; i < n; i++) {
		if (reqs[i].in_len > 0)
			check_contract(a, &reqs[i]);
		answer_one(a, &reqs[i]);
	}
}
