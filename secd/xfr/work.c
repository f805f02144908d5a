/* xfr/work.c - the right machine for the question, and what is made of its verdict. */
#include "xfr/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "xfr/axfr.h"
#include "xfr/keep.h"
#include "xfr/refusal.h"
#include "zone/advice.h"
#include "zone/delta.h"

struct xfr_work {
	const xfr_work_spec_t *spec;
	xfr_stream_t *stream;
	dns_tsig_stream_t tsig;
	xfr_verdict_t verdict;
	/* AXFR */
	zone_build_t *build;
	xfr_axfr_t *axfr;
	/* IXFR, which has its own build or delta */
	xfr_ixfr_t *ixfr;
};

static bool make_machine(xfr_work_t *w)
{
	const xfr_work_spec_t *spec = w->spec;

	w->stream =
		xfr_stream_new(&spec->apex, spec->base ? DNS_TYPE_IXFR : DNS_TYPE_AXFR, spec->id);
	if (!w->stream)
		return false;
	if (spec->base) {
		w->ixfr = xfr_ixfr_new(w->stream, spec->base, &spec->limits);
		return w->ixfr;
	}
	w->build = zone_build_new(spec->key, &spec->apex, &spec->limits);
	w->axfr = w->build ? xfr_axfr_new(w->stream, w->build, &spec->limits) : NULL;
	return w->axfr;
}

xfr_work_t *xfr_work_new(const xfr_work_spec_t *spec)
{
	xfr_work_t *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->spec = spec;
	w->tsig = spec->tsig;
	if (spec->has_tsig)
		dns_tsig_stream_rekey(&w->tsig, &spec->tsig_key);
	if (make_machine(w))
		return w;
	xfr_work_free(w);
	return NULL;
}

void xfr_work_free(xfr_work_t *w)
{
	if (!w)
		return;
	xfr_ixfr_free(w->ixfr);
	xfr_axfr_free(w->axfr);
	zone_build_free(w->build);
	xfr_stream_free(w->stream);
	free(w);
}

static xfr_verdict_t fail_tsig(xfr_work_t *w, dns_tsig_outcome_t outcome)
{
	const xfr_why_t why = xfr_why_tsig(outcome, w->tsig.detail);

	(void)xfr_stream_fail(w->stream, XFR_WHY_TSIG, why.a, why.b);
	return w->verdict = XFR_BAD;
}

static xfr_verdict_t feed_machine(xfr_work_t *w, const uint8_t *msg, size_t len)
{
	w->verdict = w->ixfr ? xfr_ixfr_feed(w->ixfr, msg, len) : xfr_axfr_feed(w->axfr, msg, len);
	return w->verdict;
}

/* Each message is verified before it is read; that the last one was signed shows at the end, and
 * until then nothing of it is served (RFC 8945 5.3.1). */
static xfr_verdict_t feed_signed(xfr_work_t *w, const uint8_t *msg, size_t len, wall_t came)
{
	dns_tsig_bare_t bare;
	dns_tsig_outcome_t outcome = dns_tsig_stream_feed(&w->tsig, msg, len, came, &bare);

	if (outcome != DNS_TSIG_OK && outcome != DNS_TSIG_UNSIGNED)
		return fail_tsig(w, outcome);
	w->stream->tsig = outcome == DNS_TSIG_OK;
	if (feed_machine(w, msg, bare.len) != XFR_DONE)
		return w->verdict;
	outcome = dns_tsig_stream_finish(&w->tsig);
	return outcome == DNS_TSIG_OK ? XFR_DONE : fail_tsig(w, outcome);
}

xfr_verdict_t xfr_work_feed(xfr_work_t *w, const uint8_t *msg, size_t len, wall_t came)
{
	return w->spec->has_tsig ? feed_signed(w, msg, len, came) : feed_machine(w, msg, len);
}

bool xfr_work_undetermined(const xfr_work_t *w)
{
	return w->ixfr && w->verdict == XFR_MORE && xfr_ixfr_shape(w->ixfr) == XFR_IXFR_SINGLE;
}

void xfr_work_end(const xfr_work_t *w, xfr_why_t *ended)
{
	if (w->ixfr)
		xfr_ixfr_end(w->ixfr, ended);
}

/* The build that the records of a whole zone are in, or NULL. */
static zone_build_t *build_of(const xfr_work_t *w)
{
	return w->ixfr ? xfr_ixfr_build(w->ixfr) : w->build;
}

static zone_delta_t *delta_of(const xfr_work_t *w)
{
	return w->ixfr ? xfr_ixfr_delta(w->ixfr) : NULL;
}

size_t xfr_work_memory(const xfr_work_t *w)
{
	const zone_build_t *build = build_of(w);
	const zone_delta_t *delta = delta_of(w);

	return build ? zone_build_memory(build) : delta ? zone_delta_memory(delta) : 0;
}

/* --- from records to a version ---------------------------------------------------------------- */

/* A limit that only shows when all records are there. */
static void fail_limit(xfr_work_t *w, const zone_excess_t *x)
{
	const xfr_why_t why = xfr_excess(x);
	xfr_stream_t *s = w->stream;

	if (x->limit == ZONE_LIMIT_RRSET) {
		(void)xfr_stream_fail_at(s, XFR_WHY_MAX_RRSET, x->owner, x->type, 0);
		s->why.a = why.a;
	} else if (x->limit == ZONE_LIMIT_RRSETS) {
		(void)xfr_stream_fail_name(s, XFR_WHY_MAX_RRSETS, why.a, 0, x->owner);
	} else {
		(void)xfr_stream_fail(s, why.code, why.a, why.b);
	}
}

/* What a build or a delta says to being sealed, but for ST_OK and ST_STALE. */
static void fail_seal(xfr_work_t *w, status_t st, const zone_excess_t *excess)
{
	xfr_stream_t *s = w->stream;

	switch (st) {
	case ST_NOENT:
	case ST_EXIST:
		(void)xfr_stream_fail(s, XFR_WHY_SOAS, 0, 0);
		return;
	case ST_LIMIT:
		fail_limit(w, excess);
		return;
	case ST_MALFORMED:
		(void)xfr_stream_fail_at(s, XFR_WHY_MALFORMED, s->apex.wire, DNS_TYPE_SOA, 0);
		return;
	case ST_OK:
	case ST_NOMEM:
	case ST_STALE:
	case ST_SHORT:
	case ST_OUTSIDE:
	case ST_REFUSED:
	case ST_TIMEOUT:
	case ST_SYSTEM:
	case ST_COUNT:
		break;
	}
	(void)xfr_stream_fail(s, XFR_WHY_NO_MEMORY, 0, 0);
}

static void fail_stale(xfr_work_t *w, const zone_delta_t *delta)
{
	zone_culprit_t c;

	zone_delta_culprit(delta, &c);
	(void)xfr_stream_fail_at(w->stream,
	                         c.remove ? XFR_WHY_REMOVES_MISSING : XFR_WHY_ADDS_PRESENT,
	                         c.owner.wire, c.type, c.covered);
}

static zone_version_t *seal_delta(xfr_work_t *w, zone_delta_t *delta)
{
	zone_version_t *v;
	status_t st = zone_delta_seal(delta, &v);

	if (st == ST_STALE)
		fail_stale(w, delta);
	else if (st != ST_OK)
		fail_seal(w, st, zone_delta_excess(delta));
	return v;
}

static zone_version_t *seal_build(xfr_work_t *w, zone_build_t *build)
{
	zone_version_t *v;

	zone_build_in(build, w->spec->slab);
	const status_t st = zone_build_seal(build, &v);

	if (st != ST_OK)
		fail_seal(w, st, zone_build_excess(build));
	return v;
}

/* --- gates ------------------------------------------------------------------------------------- */

/* Whatever may not be served is told here, and nowhere else. A difference costs what it changes. */
static status_t look_over(xfr_work_t *w, const zone_version_t *v, wall_t now, xfr_result_t *res)
{
	const zone_build_t *build = build_of(w);
	zone_verdict_t *out = &res->verdict;
	xfr_stream_t *s = w->stream;
	zone_faults_t faults;
	status_t st = build ? zone_build_check(build, v, &faults)
	                    : zone_delta_check(delta_of(w), v, &faults);

	if (st == ST_OK)
		st = zone_gates_judge(&w->spec->gates, v, &faults, w->spec->held, now, out);
	if (st != ST_OK)
		return xfr_stream_fail(s, XFR_WHY_NO_MEMORY, 0, 0);
	if (out->refused == ZONE_GATE_NONE)
		return ST_OK;
	const xfr_why_t why = xfr_refusal(out, res->stats.ttl_mixed);
	(void)xfr_stream_fail(s, why.code, why.a, why.b);
	if (zone_gate_has_name(out->refused))
		snprintf(s->detail, sizeof s->detail, "%.140s", out->first);
	return ST_REFUSED;
}

static void make_version(xfr_work_t *w, wall_t now, xfr_result_t *out)
{
	zone_delta_t *delta = delta_of(w);
	zone_version_t *v = delta ? seal_delta(w, delta) : seal_build(w, build_of(w));

	out->stats = delta ? *zone_delta_stats(delta) : *zone_build_stats(build_of(w));
	if (!v)
		return;
	out->soa = *zone_version_soa(v); /* of one that is refused, too: that is what to remember */
	if (look_over(w, v, now, out) != ST_OK) {
		zone_version_free(v);
		return;
	}
	if (w->spec->state)
		out->draft = delta ? xfr_keep_delta(w->spec->state, delta, v)
		                   : xfr_keep_whole(w->spec->state, v);
	out->advice = zone_advice_of(v);
	out->version = v;
	out->outcome = delta ? XFR_DIFFERENCE : w->ixfr ? XFR_WHOLE : XFR_AXFR;
}

void xfr_work_finish(xfr_work_t *w, wall_t now, xfr_result_t *out)
{
	const xfr_stream_t *s = w->stream;

	if (w->ixfr)
		out->counts = *xfr_ixfr_counts(w->ixfr);
	if (w->verdict == XFR_DONE && w->ixfr && xfr_ixfr_shape(w->ixfr) == XFR_IXFR_SINGLE) {
		out->outcome = XFR_CURRENT;
		out->soa = *xfr_ixfr_soa(w->ixfr);
	} else if (w->verdict == XFR_DONE) {
		make_version(w, now, out);
	} else if (build_of(w)) {
		out->stats = *zone_build_stats(build_of(w));
	}
	out->why = s->why;
	memcpy(out->detail, s->detail, sizeof out->detail);
	out->has_expire = s->has_expire;
	out->expire = s->expire;
}
