/* xfr/axfr.c - each record's place between the two SOAs; the build keeps the content. */
#include "xfr/axfr.h"

#include "dns/wire.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct xfr_axfr {
	xfr_stream_t *stream;
	zone_build_t *build;
	const zone_limits_t *limits;
	bool opened, closed;
	xfr_soa_t soa; /* the opening one */
};

xfr_axfr_t *xfr_axfr_new(xfr_stream_t *stream, zone_build_t *build, const zone_limits_t *limits)
{
	xfr_axfr_t *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->stream = stream;
	a->build = build;
	a->limits = limits;
	return a;
}

void xfr_axfr_free(xfr_axfr_t *a)
{
	free(a);
}

status_t xfr_soa_take(xfr_stream_t *s, xfr_soa_t *out)
{
	const dns_rr_t *rr = &s->rr;

	if (rr->rdlen > sizeof out->rdata ||
	    dns_soa_read(rr->rdata, rr->rdlen, &out->fields) != ST_OK)
		return xfr_stream_fail_record(s, XFR_WHY_MALFORMED);
	memcpy(out->rdata, rr->rdata, rr->rdlen);
	out->len = rr->rdlen;
	dns_rdata_canonical(DNS_TYPE_SOA, out->rdata, out->len);
	return ST_OK;
}

bool xfr_soa_same(const xfr_soa_t *a, const xfr_soa_t *b)
{
	return a->len == b->len && memcmp(a->rdata, b->rdata, a->len) == 0;
}

/* Which limit it was: what counts records is the simpler one to tell. */
static status_t fail_limit(xfr_stream_t *s, const zone_build_stats_t *stats,
                           const zone_limits_t *limits)
{
	const uint64_t most = limits->max_records < UINT32_MAX ? limits->max_records : UINT32_MAX;

	if (stats->added + stats->outside >= most)
		return xfr_stream_fail(s, XFR_WHY_MAX_RECORDS, (uint32_t)most, 0);
	return xfr_stream_fail(s, XFR_WHY_MAX_SIZE, xfr_why_size(limits->max_bytes), 0);
}

status_t xfr_kept(xfr_stream_t *s, status_t st, const zone_build_stats_t *stats,
                  const zone_limits_t *limits)
{
	switch (st) {
	case ST_OK:
	case ST_OUTSIDE: /* dropped, counted by the store, told once per transfer */
		return ST_OK;
	case ST_LIMIT:
		return fail_limit(s, stats, limits);
	case ST_NOMEM:
		return xfr_stream_fail(s, XFR_WHY_NO_MEMORY, 0, 0);
	case ST_NOENT:
	case ST_EXIST:
	case ST_STALE:
	case ST_MALFORMED:
	case ST_SHORT:
	case ST_REFUSED:
	case ST_TIMEOUT:
	case ST_SYSTEM:
	case ST_COUNT:
		break;
	}
	return xfr_stream_fail_record(s, XFR_WHY_UNFIT);
}

static status_t keep(xfr_axfr_t *a)
{
	status_t st = zone_build_add(a->build, &a->stream->rr);

	return st == ST_OK ? ST_OK : xfr_kept(a->stream, st, zone_build_stats(a->build), a->limits);
}

static status_t open_with(xfr_axfr_t *a)
{
	if (!xfr_stream_at_soa(a->stream))
		return xfr_stream_fail_record(a->stream, XFR_WHY_NO_OPENING);
	a->opened = true;
	return xfr_soa_take(a->stream, &a->soa);
}

/* RFC 5936 2.2: the last record is the opening SOA again; case aside, also in RDATA. */
static status_t close_with(xfr_axfr_t *a)
{
	xfr_soa_t soa;

	if (xfr_soa_take(a->stream, &soa) != ST_OK)
		return ST_MALFORMED;
	if (soa.fields.serial != a->soa.fields.serial)
		return xfr_stream_fail(a->stream, XFR_WHY_CLOSING_SERIAL, soa.fields.serial,
		                       a->soa.fields.serial);
	if (!xfr_soa_same(&soa, &a->soa))
		return xfr_stream_fail(a->stream, XFR_WHY_CLOSING_DIFFERS, 0, 0);
	a->closed = true;
	return ST_OK;
}

static status_t take(xfr_axfr_t *a)
{
	if (a->closed)
		return xfr_stream_fail(a->stream, XFR_WHY_AFTER_CLOSING, 0, 0);
	if (a->opened && xfr_stream_at_soa(a->stream))
		return close_with(a);
	if (!a->opened && open_with(a) != ST_OK)
		return ST_MALFORMED;
	return keep(a);
}

xfr_verdict_t xfr_axfr_take(xfr_axfr_t *a)
{
	if (take(a) != ST_OK)
		return XFR_BAD;
	return a->closed ? XFR_DONE : XFR_MORE;
}

xfr_verdict_t xfr_axfr_feed(xfr_axfr_t *a, const uint8_t *msg, size_t len)
{
	status_t st = xfr_stream_open(a->stream, msg, len);

	while (st == ST_OK && (st = xfr_stream_next(a->stream)) == ST_OK)
		st = take(a);
	if (st != ST_NOENT || xfr_stream_close(a->stream) != ST_OK)
		return XFR_BAD;
	return a->closed ? XFR_DONE : XFR_MORE;
}
