/* xfr/fetch.c - the loop's side of a transfer: the question, its messages, deadlines, the end. */
#include "xfr/fetch.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/clock.h"
#include "dns/request.h"
#include "dns/wire.h"

enum {
	PREFIX = 2,     /* the length before each message */
	PAYLOAD = 1232, /* says nothing on a stream, but OPT has to have one */
};

struct xfr_fetch {
	xfr_env_t *env;
	xfr_fetch_spec_t spec;
	dns_name_t apex; /* folded */
	xfr_fetch_cb done;
	void *arg;
	xfr_ask_t *ask; /* NULL: no more messages will come */
	xfr_digest_t *digest;
	ev_timer total;    /* for all of it */
	ev_timer rate;     /* at the end of each window */
	ev_timer single;   /* while a newer SOA stands alone */
	xfr_pace_t window; /* how far it had come when the window began */
	mono_t began;
	uint64_t bytes, messages;
	bool unclear;      /* the ask ended, and it is unknown whose fault that was */
	xfr_ask_end_t how; /* ... and how */
};

/* --- the end ---------------------------------------------------------------------------------- */

/* complete: the answer is all in, and the connection is good for other questions. */
static void hang_up(xfr_fetch_t *f, bool complete)
{
	struct ev_loop *loop = f->env->loop;

	xfr_ask_close(f->ask, complete);
	f->ask = NULL;
	ev_timer_stop(loop, &f->total);
	ev_timer_stop(loop, &f->rate);
	ev_timer_stop(loop, &f->single);
}

static void release(xfr_fetch_t *f)
{
	hang_up(f, false);
	xfr_digest_drop(f->digest);
	free(f);
}

/* Was that all that the primary had to say? */
static bool is_complete(const xfr_result_t *result)
{
	const xfr_why_kind_t kind = xfr_why_kind(&result->why);

	return result->outcome != XFR_FAILED || kind == XFR_WHY_OF_ANSWER ||
	       kind == XFR_WHY_OF_GATE;
}

/* FORMERR to a question with OPT: an old primary. */
static bool wants_plain(const xfr_fetch_t *f, const xfr_result_t *result)
{
	return !f->spec.plain && f->messages == 1 && result->why.code == XFR_WHY_RCODE &&
	       result->why.a == DNS_RCODE_FORMERR;
}

static void tell(xfr_fetch_t *f, xfr_result_t *result)
{
	hang_up(f, is_complete(result));
	result->end = f->how;
	result->again = f->unclear && xfr_why_kind(&result->why) == XFR_WHY_OF_WAY;
	if (wants_plain(f, result))
		result->again = f->spec.plain = true;
	result->plain = f->spec.plain;
	result->bytes = f->bytes;
	result->messages = f->messages;
	result->seconds = mono_diff(f->began, clock_mono());
	f->done(f->arg, result);
	release(f);
}

static void tell_failed(xfr_fetch_t *f, xfr_why_t why)
{
	tell(f, &(xfr_result_t){ .outcome = XFR_FAILED, .why = why });
}

/* No more messages will come. What there is is judged first; if it was already, the story is over. */
static void end(xfr_fetch_t *f, xfr_why_t why)
{
	hang_up(f, false);
	if (!xfr_digest_end(f->digest, &why))
		tell_failed(f, why);
}

/* --- what the connection says ----------------------------------------------------------------- */

static void on_message(void *arg, const uint8_t *msg, size_t len)
{
	xfr_fetch_t *f = arg;
	bool full;

	f->messages++;
	f->bytes += PREFIX + len;
	ev_timer_stop(f->env->loop, &f->single);
	if (xfr_digest_take(f->digest, msg, len, &full) != ST_OK)
		end(f, xfr_why(XFR_WHY_NO_MEMORY, 0, 0));
	else if (full)
		xfr_ask_pause(f->ask, true);
}

static void on_gulp(void *arg)
{
	xfr_fetch_t *f = arg;

	if (xfr_digest_push(f->digest))
		xfr_ask_pause(f->ask, true);
}

static xfr_why_t why_of(const xfr_ask_end_t *e)
{
	switch (e->how) {
	case XFR_CONN_CLOSED:
		return xfr_why(e->untouched ? XFR_WHY_CLOSED : XFR_WHY_CLOSED_EARLY, 0, 0);
	case XFR_CONN_CUT:
		return xfr_why(XFR_WHY_CLOSED_INSIDE, 0, 0);
	case XFR_CONN_ERROR:
		return xfr_why(XFR_WHY_ERRNO, (uint32_t)e->sys_errno, 0);
	case XFR_CONN_NO_CONNECT:
		return xfr_why(XFR_WHY_NO_CONNECTION, 0, 0);
	case XFR_CONN_IDLE:
		return xfr_why(XFR_WHY_SILENT, 0, 0);
	case XFR_CONN_NOMEM:
		break;
	}
	return xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
}

static void on_ask_end(void *arg, const xfr_ask_end_t *e)
{
	xfr_fetch_t *f = arg;

	f->how = *e;
	f->unclear = xfr_ask_end_is_unclear(e);
	end(f, why_of(e)); /* what had come may be all of it */
}

static const xfr_ask_calls_t ask_calls = {
	.on_message = on_message,
	.on_gulp = on_gulp,
	.on_end = on_ask_end,
};

/* --- deadlines -------------------------------------------------------------------------------- */

static void on_total(struct ev_loop *loop, ev_timer *w, int revents)
{
	xfr_fetch_t *f = w->data;

	(void)loop;
	(void)revents;
	end(f, xfr_why(XFR_WHY_TOO_LATE, (uint32_t)(f->spec.deadlines.total * 1000), 0));
}

/* A window counts when octets had come before it. It goes on while we make the primary wait, and the
 * rate is that of the time in which it could send. */
static void on_rate(struct ev_loop *loop, ev_timer *w, int revents)
{
	xfr_fetch_t *f = w->data;
	const xfr_deadlines_t *d = &f->spec.deadlines;
	const xfr_pace_t before = f->window, now = xfr_ask_pace(f->ask);
	const double seconds = now.seconds - before.seconds;

	(void)loop;
	(void)revents;
	if (seconds < d->rate_window / 2)
		return;
	f->window = now;
	const double rate = (double)(now.octets - before.octets) / seconds;
	if (before.octets > 0 && rate < d->min_rate)
		end(f, xfr_why(XFR_WHY_TOO_SLOW, (uint32_t)rate, d->min_rate));
}

static void on_alone(struct ev_loop *loop, ev_timer *w, int revents)
{
	xfr_fetch_t *f = w->data;

	(void)loop;
	(void)revents;
	end(f, xfr_why(XFR_WHY_SILENT, 0, 0));
}

static void init_timers(xfr_fetch_t *f)
{
	const xfr_deadlines_t *d = &f->spec.deadlines;

	ev_timer_init(&f->total, on_total, d->total, 0.);
	ev_timer_init(&f->rate, on_rate, d->rate_window, d->rate_window);
	ev_timer_init(&f->single, on_alone, XFR_SINGLE_SECONDS, 0.);
	f->total.data = f->rate.data = f->single.data = f;
}

/* --- the question ----------------------------------------------------------------------------- */

/* RDATA of the SOA that we hold; room for any: what is stored came in through dns/rr.h. */
static size_t held_soa(const zone_version_t *base, uint8_t out[65535])
{
	const zone_node_t *apex = zone_version_apex(base);
	zone_rrset_t soa;

	return zone_node_rrset(base, apex, DNS_TYPE_SOA, &soa)
	               ? zone_rrset_rdata(base, apex, &soa, 0, out)
	               : 0;
}

/* The question, signed if there is a key: the work learns what the answer's TSIG begins with. */
static size_t make_question(const xfr_fetch_t *f, xfr_work_spec_t *work,
                            uint8_t out[DNS_REQUEST_SIGNED_MAX])
{
	const zone_version_t *base = work->base;
	uint8_t soa[65535];
	const dns_request_t r = {
		.apex = f->apex.wire,
		.type = base ? DNS_TYPE_IXFR : DNS_TYPE_AXFR,
		.id = work->id,
		.payload = f->spec.plain ? 0 : PAYLOAD,
		.expire = true,
		.soa = base ? soa : NULL,
		.soa_len = base ? held_soa(base, soa) : 0,
	};
	dns_tsig_mac_t mac;

	work->has_tsig = f->spec.key != NULL;
	if (!work->has_tsig)
		return dns_request(&r, out);
	work->tsig_key = *f->spec.key;
	size_t len = dns_request_signed(&r, &work->tsig_key, clock_wall_coarse(), out, &mac);
	dns_tsig_stream_start(&work->tsig, &work->tsig_key, &mac, f->spec.strict);
	return len;
}

static const xfr_digest_calls_t digest_calls;

static status_t ask(xfr_fetch_t *f)
{
	xfr_work_spec_t work = {
		.apex = f->apex,
		.id = xfr_link_id(f->spec.link),
		.limits = f->spec.limits,
		.gates = f->spec.gates,
		.held = f->spec.held,
		.state = f->spec.state,
		.base = f->spec.base && zone_version_claim(f->spec.base) ? f->spec.base : NULL,
	};

	uint8_t request[DNS_REQUEST_SIGNED_MAX];
	size_t len = make_question(f, &work, request);

	f->spec.key = NULL; /* the work has its copy */
	f->digest = xfr_digest_new(&f->env->builders, &work, &digest_calls, f);
	dns_tsig_key_wipe(&work.tsig_key);
	if (!f->digest) {
		if (work.base)
			zone_version_unclaim(work.base);
		return ST_NOMEM;
	}
	f->ask = xfr_ask_open(f->spec.link, work.id, request, len, 0, &ask_calls, f);
	if (!f->ask)
		return ST_NOMEM;
	if (f->spec.deadlines.min_rate > 0)
		ev_timer_again(f->env->loop, &f->rate);
	return ST_OK;
}

/* --- what the builder says -------------------------------------------------------------------- */

static void on_verdict(void *arg, xfr_result_t *result)
{
	tell(arg, result);
}

static void on_room(void *arg)
{
	xfr_fetch_t *f = arg;

	if (f->ask)
		xfr_ask_pause(f->ask, false);
}

static void on_single(void *arg)
{
	xfr_fetch_t *f = arg;

	if (f->ask && f->messages == 1)
		ev_timer_start(f->env->loop, &f->single);
}

static const xfr_digest_calls_t digest_calls = {
	.on_verdict = on_verdict,
	.on_room = on_room,
	.on_single = on_single,
};

/* --- the outside ------------------------------------------------------------------------------ */

void xfr_env_open(xfr_env_t *env, struct ev_loop *loop, pool_t *builders, const siphash_key_t *key,
                  slab_t *slab, uint64_t memory_most)
{
	env->loop = loop;
	xfr_builders_open(&env->builders, loop, builders, key, slab, memory_most);
}

void xfr_env_set_memory(xfr_env_t *env, uint64_t memory_most)
{
	env->builders.memory_most = memory_most;
}

void xfr_env_close(xfr_env_t *env)
{
	xfr_builders_close(&env->builders);
}

xfr_fetch_t *xfr_fetch_start(xfr_env_t *env, const xfr_fetch_spec_t *spec, xfr_fetch_cb done,
                             void *arg)
{
	xfr_fetch_t *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->env = env;
	f->spec = *spec;
	f->spec.apex = NULL; /* the caller's */
	f->apex = *spec->apex;
	dns_name_fold(&f->apex);
	f->done = done;
	f->arg = arg;
	f->began = clock_mono();
	init_timers(f);
	ev_now_update(env->loop); /* the caller may have been busy: a deadline begins now */
	if (ask(f) != ST_OK) {
		release(f);
		return NULL;
	}
	ev_timer_start(env->loop, &f->total);
	return f;
}

void xfr_fetch_stop(xfr_fetch_t *f)
{
	release(f);
}

uint64_t xfr_fetch_octets(const xfr_fetch_t *f)
{
	return f->bytes;
}
