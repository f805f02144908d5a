/* xfr/ixfr.c - which of its three shapes an answer to IXFR has, and whether it is sound. */
#include "xfr/ixfr.h"

#include "dns/wire.h"
#include "xfr/axfr.h"

#include <stdbool.h>
#include <stdlib.h>

/* Where the next record will stand. */
typedef enum place {
	AT_FIRST,    /* it is SOA(new) */
	AT_SECOND,   /* it tells the shape */
	IN_ZONE,     /* of a whole zone: xfr/axfr.h knows */
	IN_REMOVALS, /* behind SOA(from) */
	IN_ADDITIONS,
	AT_END, /* there may be none */
} place_t;

struct xfr_ixfr {
	xfr_stream_t *stream;
	const zone_version_t *base;
	const zone_limits_t *limits;
	place_t place;
	xfr_soa_t announced;   /* SOA(new) */
	xfr_soa_t from, to;    /* of the difference at hand */
	uint64_t octets, most; /* of differences */
	xfr_ixfr_counts_t counts;
	zone_build_t *build; /* with SOA(new) in it, until it is known that differences come */
	xfr_axfr_t *axfr;    /* into it */
	zone_delta_t *delta;
};

xfr_ixfr_t *xfr_ixfr_new(xfr_stream_t *stream, const zone_version_t *base,
                         const zone_limits_t *limits)
{
	xfr_ixfr_t *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	x->stream = stream;
	x->base = base;
	x->limits = limits;
	x->most = zone_version_bytes(base) + XFR_IXFR_FLOOR;
	return x;
}

void xfr_ixfr_free(xfr_ixfr_t *x)
{
	if (!x)
		return;
	xfr_axfr_free(x->axfr);
	zone_build_free(x->build);
	zone_delta_free(x->delta);
	free(x);
}

zone_build_t *xfr_ixfr_build(xfr_ixfr_t *x)
{
	return xfr_ixfr_shape(x) == XFR_IXFR_WHOLE ? x->build : NULL;
}

zone_delta_t *xfr_ixfr_delta(xfr_ixfr_t *x)
{
	return x->delta;
}

const dns_soa_t *xfr_ixfr_soa(const xfr_ixfr_t *x)
{
	return &x->announced.fields;
}

const xfr_ixfr_counts_t *xfr_ixfr_counts(const xfr_ixfr_t *x)
{
	return &x->counts;
}

xfr_ixfr_shape_t xfr_ixfr_shape(const xfr_ixfr_t *x)
{
	switch (x->place) {
	case AT_FIRST:
		return XFR_IXFR_NOTHING;
	case AT_SECOND:
		return XFR_IXFR_SINGLE;
	case IN_ZONE:
	case IN_REMOVALS:
	case IN_ADDITIONS:
	case AT_END:
		break;
	}
	return x->axfr ? XFR_IXFR_WHOLE : XFR_IXFR_DELTA;
}

static uint32_t held(const xfr_ixfr_t *x)
{
	return zone_version_soa(x->base)->serial;
}

static bool is_newer(const xfr_ixfr_t *x)
{
	return dns_serial_compare(x->announced.fields.serial, held(x)) == DNS_SERIAL_NEWER;
}

void xfr_ixfr_end(const xfr_ixfr_t *x, xfr_why_t *ended)
{
	if (x->place == AT_SECOND)
		*ended = xfr_why(XFR_WHY_SINGLE_SOA, x->announced.fields.serial, held(x));
}

static status_t no_memory(xfr_ixfr_t *x)
{
	return xfr_stream_fail(x->stream, XFR_WHY_NO_MEMORY, 0, 0);
}

/* --- differences ------------------------------------------------------------------------------ */

static status_t log_record(xfr_ixfr_t *x, bool remove)
{
	dns_rr_t *rr = &x->stream->rr;
	status_t st;

	x->octets += (uint64_t)rr->owner.len + DNS_RR_FIXED + rr->rdlen;
	if (x->octets > x->most)
		return xfr_stream_fail(x->stream, XFR_WHY_OUTGROWS, xfr_why_size(x->most), 0);
	st = remove ? zone_delta_remove(x->delta, rr) : zone_delta_add(x->delta, rr);
	return xfr_kept(x->stream, st, zone_delta_stats(x->delta), x->limits);
}

/* SOA(from), which is at hand and was read into x->from. */
static status_t begin_removals(xfr_ixfr_t *x)
{
	x->counts.diffs++;
	x->place = IN_REMOVALS;
	return log_record(x, true);
}

/* SOA(to) behind the removals. Only forwards: anything else would come by here again and again. */
static status_t begin_additions(xfr_ixfr_t *x)
{
	const uint32_t from = x->from.fields.serial;

	if (xfr_soa_take(x->stream, &x->to) != ST_OK)
		return ST_MALFORMED;
	if (dns_serial_compare(x->to.fields.serial, from) != DNS_SERIAL_NEWER)
		return xfr_stream_fail(x->stream, XFR_WHY_BACKWARDS, from, x->to.fields.serial);
	x->place = IN_ADDITIONS;
	return log_record(x, false);
}

/* The SOA behind the last additions is SOA(new) again, and both are what these made of the SOA. */
static status_t end_differences(xfr_ixfr_t *x, const xfr_soa_t *closing)
{
	if (!xfr_soa_same(closing, &x->announced))
		return xfr_stream_fail(x->stream, XFR_WHY_CLOSING_DIFFERS, 0, 0);
	if (!xfr_soa_same(&x->to, closing))
		return xfr_stream_fail(x->stream, XFR_WHY_OTHER_END, 0, 0);
	x->place = AT_END;
	return ST_OK;
}

/* The SOA behind additions begins the next difference, or ends them all. */
static status_t end_additions(xfr_ixfr_t *x)
{
	const uint32_t end = x->announced.fields.serial, to = x->to.fields.serial;
	xfr_soa_t soa;

	if (xfr_soa_take(x->stream, &soa) != ST_OK)
		return ST_MALFORMED;
	if (soa.fields.serial == end && to == end)
		return end_differences(x, &soa);
	if (soa.fields.serial == end)
		return xfr_stream_fail(x->stream, XFR_WHY_WRONG_END, to, end);
	if (soa.fields.serial != to)
		return xfr_stream_fail(x->stream, XFR_WHY_GAP, soa.fields.serial, to);
	x->from = soa;
	return begin_removals(x);
}

/* --- the first two records -------------------------------------------------------------------- */

/* Taken as if a whole zone followed: a build of one record costs next to nothing. */
static status_t take_first(xfr_ixfr_t *x)
{
	xfr_stream_t *s = x->stream;

	x->build = zone_build_new(zone_version_key(x->base), &s->apex, x->limits);
	x->axfr = x->build ? xfr_axfr_new(s, x->build, x->limits) : NULL;
	if (!x->axfr)
		return no_memory(x);
	if (xfr_axfr_take(x->axfr) == XFR_BAD)
		return ST_MALFORMED;
	x->place = AT_SECOND;
	return xfr_soa_take(s, &x->announced);
}

static status_t take_in_zone(xfr_ixfr_t *x)
{
	switch (xfr_axfr_take(x->axfr)) {
	case XFR_MORE:
		return ST_OK;
	case XFR_DONE:
		x->place = AT_END;
		return ST_OK;
	case XFR_BAD:
		break;
	}
	return ST_MALFORMED;
}

/* SOA(ours), which is at hand and was read into x->from. */
static status_t begin_differences(xfr_ixfr_t *x)
{
	if (x->from.fields.serial != held(x))
		return xfr_stream_fail(x->stream, XFR_WHY_FOREIGN_START, x->from.fields.serial,
		                       held(x));
	xfr_axfr_free(x->axfr);
	zone_build_free(x->build);
	x->axfr = NULL;
	x->build = NULL;
	x->delta = zone_delta_new(x->base, x->limits);
	return x->delta ? begin_removals(x) : no_memory(x);
}

/* A SOA that is not newer than ours is never followed by differences: then it is a zone. */
static status_t take_second(xfr_ixfr_t *x)
{
	const bool soa = xfr_stream_at_soa(x->stream);

	if (soa && xfr_soa_take(x->stream, &x->from) != ST_OK)
		return ST_MALFORMED;
	if (soa && is_newer(x) && x->from.fields.serial != x->announced.fields.serial)
		return begin_differences(x);
	x->place = IN_ZONE;
	return take_in_zone(x);
}

/* --- records and messages --------------------------------------------------------------------- */

static status_t take_removal(xfr_ixfr_t *x)
{
	if (xfr_stream_at_soa(x->stream))
		return begin_additions(x);
	x->counts.removed++;
	return log_record(x, true);
}

static status_t take_addition(xfr_ixfr_t *x)
{
	if (xfr_stream_at_soa(x->stream))
		return end_additions(x);
	x->counts.added++;
	return log_record(x, false);
}

static status_t take(xfr_ixfr_t *x)
{
	switch (x->place) {
	case AT_FIRST:
		return take_first(x);
	case AT_SECOND:
		return take_second(x);
	case IN_ZONE:
		return take_in_zone(x);
	case IN_REMOVALS:
		return take_removal(x);
	case IN_ADDITIONS:
		return take_addition(x);
	case AT_END:
		break;
	}
	return xfr_stream_fail(x->stream, XFR_WHY_AFTER_CLOSING, 0, 0);
}

xfr_verdict_t xfr_ixfr_feed(xfr_ixfr_t *x, const uint8_t *msg, size_t len)
{
	status_t st = xfr_stream_open(x->stream, msg, len);

	while (st == ST_OK && (st = xfr_stream_next(x->stream)) == ST_OK)
		st = take(x);
	if (st != ST_NOENT || xfr_stream_close(x->stream) != ST_OK)
		return XFR_BAD;
	if (x->place == AT_END || (x->place == AT_SECOND && !is_newer(x)))
		return XFR_DONE;
	return XFR_MORE;
}
