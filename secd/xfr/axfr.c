/* xfr/axfr.c - each message's frame, each record's place; the build keeps the content. */
#include "xfr/axfr.h"

#include "common/buf.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two names and five numbers (RFC 1035 3.3.13). */
#define SOA_RDATA_MAX (2 * DNS_NAME_MAX + 20)

struct xfr_axfr {
	dns_name_t apex; /* folded */
	uint16_t id;
	zone_build_t *build;
	uint64_t messages, records;
	unsigned empty; /* messages in a row without a record */
	bool opened, closed;
	dns_soa_t soa;
	uint8_t opening[SOA_RDATA_MAX]; /* the opening SOA's RDATA, canonical */
	size_t opening_len;
	status_t status;
	char why[256];
	dns_rr_t rr; /* the record at hand: too big for a stack */
};

/* A message without a record is odd but sound; a primary that sends nothing else would go on for
 * ever (NSD does when it meets a record that it can't send), and no limit of records stops it. */
enum { EMPTY_MAX = 16 };

/* The header of a message as it is worked through. */
typedef struct frame {
	uint16_t id, flags, questions, answers, authority, additional;
} frame_t;

static status_t fail(xfr_axfr_t *a, status_t st, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static status_t fail(xfr_axfr_t *a, status_t st, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(a->why, sizeof a->why, fmt, args);
	va_end(args);
	a->status = st;
	return st;
}

static status_t fail_rcode(xfr_axfr_t *a, unsigned rcode)
{
	char text[DNS_RCODE_TEXT_MAX];

	return fail(a, ST_REFUSED, "answered %s", dns_rcode_text(rcode, text));
}

/* "what TYPE record at owner": the type first, since a long owner is cut to fit. */
static status_t fail_record(xfr_axfr_t *a, status_t st, const char *what, const uint8_t *owner,
                            uint16_t type)
{
	char type_text[DNS_TYPE_TEXT_MAX], owner_text[DNS_NAME_TEXT_MAX];

	return fail(a, st, "%s: %s record at %.150s", what, dns_type_text(type, type_text),
	            dns_name_text(owner, owner_text));
}

xfr_axfr_t *xfr_axfr_new(const dns_name_t *apex, uint16_t id, zone_build_t *build)
{
	xfr_axfr_t *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->apex = *apex;
	dns_name_fold(&a->apex);
	a->id = id;
	a->build = build;
	return a;
}

void xfr_axfr_free(xfr_axfr_t *a)
{
	free(a);
}

const char *xfr_axfr_why(const xfr_axfr_t *a)
{
	return a->why;
}

status_t xfr_axfr_status(const xfr_axfr_t *a)
{
	return a->status;
}

const dns_soa_t *xfr_axfr_soa(const xfr_axfr_t *a)
{
	return &a->soa;
}

/* --- header and question ---------------------------------------------------------------------- */

/* RFC 5936 2.2.1, what it says of each field of the header. */
static status_t check_header(xfr_axfr_t *a, const frame_t *f)
{
	const unsigned rcode = f->flags & DNS_RCODE_MASK;

	if (!(f->flags & DNS_QR))
		return fail(a, ST_MALFORMED, "message is a query (QR clear)");
	if (f->id != a->id)
		return fail(a, ST_MALFORMED, "message has id %u, the query %u", f->id, a->id);
	if (f->flags & DNS_OPCODE_MASK)
		return fail(a, ST_MALFORMED, "message has opcode %u",
		            (f->flags & DNS_OPCODE_MASK) >> DNS_OPCODE_SHIFT);
	if (rcode != DNS_RCODE_NOERROR)
		return fail_rcode(a, rcode);
	if (f->flags & DNS_TC)
		return fail(a, ST_MALFORMED, "message is truncated (TC set)");
	if (f->questions > 1 || (a->messages == 1 && f->questions == 0))
		return fail(a, ST_MALFORMED, "message has %u questions", f->questions);
	if (a->messages == 1 && f->answers == 0)
		return fail(a, ST_MALFORMED, "empty answer");
	a->empty = f->answers == 0 ? a->empty + 1 : 0;
	if (a->empty > EMPTY_MAX)
		return fail(a, ST_MALFORMED, "%u messages in a row without a record", a->empty);
	return ST_OK;
}

static status_t read_header(xfr_axfr_t *a, buf_t *msg, frame_t *f)
{
	f->id = buf_u16(msg);
	f->flags = buf_u16(msg);
	f->questions = buf_u16(msg);
	f->answers = buf_u16(msg);
	f->authority = buf_u16(msg);
	f->additional = buf_u16(msg);
	if (!buf_ok(msg))
		return fail(a, ST_MALFORMED, "message of %zu octets is shorter than a header",
		            msg->len);
	return check_header(a, f);
}

static status_t read_question(xfr_axfr_t *a, buf_t *msg)
{
	dns_name_t *name = &a->rr.owner; /* not in use yet */

	if (dns_name_read(msg, name) != ST_OK)
		return fail(a, ST_MALFORMED, "unreadable question");
	dns_name_fold(name);
	unsigned type = buf_u16(msg), class = buf_u16(msg);
	if (!buf_ok(msg))
		return fail(a, ST_MALFORMED, "unreadable question");
	if (type != DNS_TYPE_AXFR || class != DNS_CLASS_IN || !dns_name_equal(name, &a->apex))
		return fail(a, ST_MALFORMED, "message answers another question");
	return ST_OK;
}

/* --- records ---------------------------------------------------------------------------------- */

/* Read the record at the cursor into a->rr. One that can't be read is named as far as its frame
 * allows. */
static status_t read_record(xfr_axfr_t *a, buf_t *msg)
{
	buf_t again = *msg;
	dns_rr_head_t head;
	status_t st = dns_rr_read(msg, &a->rr);

	if (st == ST_OK)
		return ST_OK;
	if (dns_rr_skip(&again, &a->rr.owner, &head) == ST_OK)
		return fail_record(a, ST_MALFORMED, "malformed", a->rr.owner.wire, head.type);
	return fail(a, ST_MALFORMED, "unreadable record %llu in message %llu",
	            (unsigned long long)a->records + 1, (unsigned long long)a->messages);
}

/* Does a->rr open or close the transfer? Class and owner count: a SOA elsewhere is an error. */
static bool is_apex_soa(const xfr_axfr_t *a)
{
	return a->rr.type == DNS_TYPE_SOA && a->rr.class == DNS_CLASS_IN &&
	       dns_name_equal(&a->rr.owner, &a->apex);
}

static status_t open_with(xfr_axfr_t *a)
{
	if (!is_apex_soa(a))
		return fail_record(a, ST_MALFORMED, "begins with something other than the SOA",
		                   a->rr.owner.wire, a->rr.type);
	if (a->rr.rdlen > sizeof a->opening ||
	    dns_soa_read(a->rr.rdata, a->rr.rdlen, &a->soa) != ST_OK)
		return fail_record(a, ST_MALFORMED, "malformed", a->rr.owner.wire, a->rr.type);
	memcpy(a->opening, a->rr.rdata, a->rr.rdlen);
	a->opening_len = a->rr.rdlen;
	dns_rdata_canonical(DNS_TYPE_SOA, a->opening, a->opening_len);
	a->opened = true;
	return ST_OK;
}

/* RFC 5936 2.2: the last record is the opening SOA again; case aside, also in RDATA. */
static status_t close_with(xfr_axfr_t *a)
{
	dns_soa_t soa;

	if (dns_soa_read(a->rr.rdata, a->rr.rdlen, &soa) != ST_OK)
		return fail_record(a, ST_MALFORMED, "malformed", a->rr.owner.wire, a->rr.type);
	if (soa.serial != a->soa.serial)
		return fail(a, ST_MALFORMED, "closing SOA has serial %u, opening one %u",
		            soa.serial, a->soa.serial);
	dns_rdata_canonical(DNS_TYPE_SOA, a->rr.rdata, a->rr.rdlen);
	if (a->rr.rdlen != a->opening_len || memcmp(a->rr.rdata, a->opening, a->opening_len) != 0)
		return fail(a, ST_MALFORMED, "closing SOA differs from the opening one");
	a->closed = true;
	return ST_OK;
}

static status_t keep(xfr_axfr_t *a)
{
	status_t st = zone_build_add(a->build, &a->rr);

	switch (st) {
	case ST_OK:
	case ST_OUTSIDE: /* dropped, counted by the build, told once per transfer */
		return ST_OK;
	case ST_LIMIT:
		return fail(a, st, "over max-records or max-bytes at record %llu",
		            (unsigned long long)a->records);
	case ST_NOMEM:
		return fail(a, st, "%s at record %llu", status_text(st),
		            (unsigned long long)a->records);
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
	return fail_record(a, ST_MALFORMED, "no zone can hold it", a->rr.owner.wire, a->rr.type);
}

static status_t take_record(xfr_axfr_t *a)
{
	status_t st = ST_OK;

	a->records++;
	if (a->closed)
		return fail(a, ST_MALFORMED, "records after the closing SOA");
	if (a->opened && is_apex_soa(a))
		return close_with(a);
	if (!a->opened)
		st = open_with(a);
	return st == ST_OK ? keep(a) : st;
}

static status_t take_answers(xfr_axfr_t *a, buf_t *msg, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		status_t st = read_record(a, msg);

		if (st == ST_OK)
			st = take_record(a);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

/* Authority and additional: nothing in them counts but the upper bits of an rcode in OPT. */
static status_t step_over(xfr_axfr_t *a, buf_t *msg, unsigned count)
{
	dns_rr_head_t head;

	for (unsigned i = 0; i < count; i++) {
		if (dns_rr_skip(msg, &a->rr.owner, &head) != ST_OK)
			return fail(a, ST_MALFORMED, "unreadable record behind the answers");
		if (head.type == DNS_TYPE_OPT && head.ttl >> 24 != 0)
			return fail_rcode(a, head.ttl >> 24 << 4);
	}
	return ST_OK;
}

xfr_verdict_t xfr_axfr_feed(xfr_axfr_t *a, const uint8_t *msg, size_t len)
{
	buf_t at = buf_over(msg, len);
	frame_t f;

	a->messages++;
	if (read_header(a, &at, &f) != ST_OK)
		return XFR_BAD;
	if (f.questions == 1 && read_question(a, &at) != ST_OK)
		return XFR_BAD;
	if (take_answers(a, &at, f.answers) != ST_OK)
		return XFR_BAD;
	if (step_over(a, &at, (unsigned)f.authority + f.additional) != ST_OK)
		return XFR_BAD;
	if (buf_left(&at) != 0) {
		(void)fail(a, ST_MALFORMED, "%zu octets behind the last record", buf_left(&at));
		return XFR_BAD;
	}
	return a->closed ? XFR_DONE : XFR_MORE;
}
