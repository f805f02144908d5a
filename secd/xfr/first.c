/* xfr/first.c - AXFR as far as its first message. */
#include "xfr/first.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "dns/request.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "xfr/axfr.h"
#include "xfr/stream.h"

enum { PAYLOAD = 1232 }; /* says nothing on a stream, but OPT has to have one */

struct xfr_first {
	dns_name_t apex; /* folded */
	const dns_tsig_key_t *key;
	dns_tsig_stream_t tsig;
	xfr_stream_t *stream;
	xfr_ask_t *ask;
	uint16_t id;
	bool plain;
	xfr_first_cb done;
	void *arg;
	xfr_first_result_t result;
};

/* complete: the link may be asked other things. */
static void release(xfr_first_t *f, bool complete)
{
	xfr_ask_close(f->ask, complete);
	xfr_stream_free(f->stream);
	free(f);
}

static void tell(xfr_first_t *f, bool complete)
{
	const xfr_first_cb done = f->done;
	xfr_first_result_t result = f->result;
	void *arg = f->arg;

	result.plain = f->plain;
	release(f, complete);
	done(arg, &result);
}

static void fail(xfr_first_t *f, xfr_why_t why, bool complete)
{
	f->result.why = why;
	tell(f, complete);
}

static size_t make_question(xfr_first_t *f, uint8_t out[DNS_REQUEST_SIGNED_MAX])
{
	const dns_request_t r = {
		.apex = f->apex.wire,
		.type = DNS_TYPE_AXFR,
		.id = f->id,
		.payload = f->plain ? 0 : PAYLOAD,
	};
	dns_tsig_mac_t mac;

	if (!f->key)
		return dns_request(&r, out);
	const size_t len = dns_request_signed(&r, f->key, clock_wall_coarse(), out, &mac);
	dns_tsig_stream_start(&f->tsig, f->key, &mac, true);
	return len;
}

/* --- the message ------------------------------------------------------------------------------- */

/* The records behind the opening SOA; *whole: the last of them is the closing one. */
static status_t read_rest(xfr_stream_t *s, bool *whole)
{
	status_t st;

	*whole = false;
	while ((st = xfr_stream_next(s)) == ST_OK) {
		if (*whole)
			return xfr_stream_fail(s, XFR_WHY_AFTER_CLOSING, 0, 0);
		*whole = xfr_stream_at_soa(s);
	}
	return st == ST_NOENT ? xfr_stream_close(s) : st;
}

static status_t read_records(xfr_stream_t *s, xfr_first_result_t *out)
{
	xfr_soa_t soa;
	status_t st = xfr_stream_next(s);

	if (st == ST_NOENT)
		return xfr_stream_fail(s, XFR_WHY_EMPTY, 0, 0);
	if (st != ST_OK)
		return st;
	if (!xfr_stream_at_soa(s))
		return xfr_stream_fail_record(s, XFR_WHY_NO_OPENING);
	st = xfr_soa_take(s, &soa);
	if (st != ST_OK)
		return st;
	out->soa = soa.fields;
	return read_rest(s, &out->whole);
}

/* Its TSIG; false: f is gone. */
static bool take_tsig(xfr_first_t *f, const uint8_t *msg, size_t *len)
{
	dns_tsig_bare_t bare;
	const dns_tsig_outcome_t outcome =
		dns_tsig_stream_feed(&f->tsig, msg, *len, clock_wall_coarse(), &bare);

	if (outcome != DNS_TSIG_OK) {
		f->result.rcode = *len >= DNS_HEADER_LEN ? get_u16(msg + 2) & DNS_RCODE_MASK : 0;
		fail(f, xfr_why_tsig(outcome, f->tsig.detail), false);
		return false;
	}
	f->result.has_skew = true;
	f->result.skew = (int32_t)f->tsig.detail; /* within the fudge */
	f->stream->tsig = true;
	*len = bare.len;
	return true;
}

static bool wants_plain(const xfr_first_t *f)
{
	const xfr_why_t *why = &f->stream->why;

	return !f->plain && why->code == XFR_WHY_RCODE && why->a == DNS_RCODE_FORMERR;
}

/* An old primary, that does not know EDNS (RFC 6891 7). */
static void ask_plain(xfr_first_t *f)
{
	uint8_t request[DNS_REQUEST_SIGNED_MAX];
	xfr_stream_t *fresh = xfr_stream_new(&f->apex, DNS_TYPE_AXFR, f->id);

	f->plain = true;
	if (fresh) {
		xfr_stream_free(f->stream);
		f->stream = fresh;
	}
	if (!fresh || xfr_ask_again(f->ask, request, make_question(f, request)) != ST_OK)
		fail(f, xfr_why(XFR_WHY_NO_MEMORY, 0, 0), false);
}

static void on_message(void *arg, const uint8_t *msg, size_t len)
{
	xfr_first_t *f = arg;
	status_t st;

	if (f->key && !take_tsig(f, msg, &len))
		return;
	st = xfr_stream_open(f->stream, msg, len);
	if (st == ST_OK)
		st = read_records(f->stream, &f->result);
	if (st != ST_OK && wants_plain(f)) {
		ask_plain(f);
		return;
	}
	if (st == ST_OK) {
		tell(f, f->result.whole);
		return;
	}
	f->result.whole = false;
	memcpy(f->result.detail, f->stream->detail, sizeof f->result.detail);
	fail(f, f->stream->why, xfr_why_kind(&f->stream->why) == XFR_WHY_OF_ANSWER);
}

static xfr_why_t why_of(const xfr_ask_end_t *end)
{
	switch (end->how) {
	case XFR_CONN_CLOSED:
		return xfr_why(XFR_WHY_CLOSED, 0, 0);
	case XFR_CONN_CUT:
		return xfr_why(XFR_WHY_CLOSED_INSIDE, 0, 0);
	case XFR_CONN_ERROR:
		return xfr_why(XFR_WHY_ERRNO, (uint32_t)end->sys_errno, 0);
	case XFR_CONN_NO_CONNECT:
		return xfr_why(XFR_WHY_NO_CONNECTION, 0, 0);
	case XFR_CONN_IDLE:
		return xfr_why(XFR_WHY_NO_ANSWER, 0, 0);
	case XFR_CONN_NOMEM:
		break;
	}
	return xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
}

static void on_end(void *arg, const xfr_ask_end_t *end)
{
	xfr_first_t *f = arg;

	f->result.again = xfr_ask_end_is_unclear(end);
	fail(f, why_of(end), false);
}

static const xfr_ask_calls_t ask_calls = {
	.on_message = on_message,
	.on_end = on_end,
};

/* --- the outside ------------------------------------------------------------------------------- */

xfr_first_t *xfr_first_start(const xfr_first_spec_t *spec, xfr_first_cb done, void *arg)
{
	uint8_t request[DNS_REQUEST_SIGNED_MAX];
	xfr_first_t *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->apex = *spec->apex;
	dns_name_fold(&f->apex);
	f->key = spec->key;
	f->plain = spec->plain;
	f->done = done;
	f->arg = arg;
	f->id = xfr_link_id(spec->link);
	f->stream = xfr_stream_new(&f->apex, DNS_TYPE_AXFR, f->id);
	const size_t len = make_question(f, request);
	if (f->stream)
		f->ask = xfr_ask_open(spec->link, f->id, request, len, spec->most, &ask_calls, f);
	if (f->ask)
		return f;
	release(f, false);
	return NULL;
}

void xfr_first_stop(xfr_first_t *f)
{
	release(f, false);
}
