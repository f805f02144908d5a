/* xfr/stream.c - header, question, answers, the rest: each length is checked where it is read. */
#include "xfr/stream.h"

#include "dns/rrtype.h"
#include "dns/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message without a record is odd but sound; a primary that sends nothing else would go on for
 * ever (NSD does when it meets a record that it can't send), and no limit of records stops it. */
enum { EMPTY_MAX = 16 };

/* The header of a message. */
typedef struct frame {
	uint16_t id, flags, questions, answers, authority, additional;
} frame_t;

xfr_stream_t *xfr_stream_new(const dns_name_t *apex, uint16_t type, uint16_t id)
{
	xfr_stream_t *s = malloc(sizeof *s);

	if (!s)
		return NULL;
	memset(s, 0, offsetof(xfr_stream_t, rr));
	s->apex = *apex;
	dns_name_fold(&s->apex);
	s->type = type;
	s->id = id;
	s->tsig = false; /* who does not sign never says so */
	s->empty = 0;
	return s;
}

void xfr_stream_free(xfr_stream_t *s)
{
	free(s);
}

/* --- failures --------------------------------------------------------------------------------- */

status_t xfr_stream_fail(xfr_stream_t *s, xfr_why_code_t code, uint32_t a, uint32_t b)
{
	s->why = xfr_why(code, a, b);
	s->detail[0] = '\0';
	return ST_MALFORMED;
}

status_t xfr_stream_fail_at(xfr_stream_t *s, xfr_why_code_t code, const uint8_t *owner,
                            uint16_t type, uint16_t covered)
{
	char name[DNS_NAME_TEXT_MAX], text[DNS_TYPE_TEXT_MAX], signs[DNS_TYPE_TEXT_MAX];

	(void)xfr_stream_fail(s, code, 0, 0);
	s->why.type = type;
	/* A long owner is cut, the type is not. */
	snprintf(s->detail, sizeof s->detail, "%.120s %s%s%s", dns_name_text(owner, name),
	         dns_type_text(type, text), covered ? " " : "",
	         covered ? dns_type_text(covered, signs) : "");
	return ST_MALFORMED;
}

status_t xfr_stream_fail_name(xfr_stream_t *s, xfr_why_code_t code, uint32_t a, uint32_t b,
                              const uint8_t *name)
{
	char text[DNS_NAME_TEXT_MAX];

	(void)xfr_stream_fail(s, code, a, b);
	snprintf(s->detail, sizeof s->detail, "%.140s", dns_name_text(name, text));
	return ST_MALFORMED;
}

status_t xfr_stream_fail_record(xfr_stream_t *s, xfr_why_code_t code)
{
	const bool signature = s->rr.type == DNS_TYPE_RRSIG && s->rr.rdlen >= 2;

	return xfr_stream_fail_at(s, code, s->rr.owner.wire, s->rr.type,
	                          signature ? get_u16(s->rr.rdata) : 0);
}

/* --- header and question ---------------------------------------------------------------------- */

/* RFC 5936 2.2.1, what it says of each field of the header. */
static status_t check_header(xfr_stream_t *s, const frame_t *f)
{
	const unsigned rcode = f->flags & DNS_RCODE_MASK;
	const unsigned opcode = (f->flags & DNS_OPCODE_MASK) >> DNS_OPCODE_SHIFT;

	if (!(f->flags & DNS_QR))
		return xfr_stream_fail(s, XFR_WHY_QR, 0, 0);
	if (f->id != s->id)
		return xfr_stream_fail(s, XFR_WHY_ID, f->id, s->id);
	if (opcode != DNS_OP_QUERY)
		return xfr_stream_fail(s, XFR_WHY_OPCODE, opcode, 0);
	if (rcode != DNS_RCODE_NOERROR)
		return xfr_stream_fail(s, XFR_WHY_RCODE, rcode, 0);
	if (f->flags & DNS_TC)
		return xfr_stream_fail(s, XFR_WHY_TC, 0, 0);
	if (f->questions > 1 || (s->messages == 1 && f->questions == 0))
		return xfr_stream_fail(s, XFR_WHY_QUESTIONS, f->questions, 0);
	s->empty = f->answers == 0 ? s->empty + 1 : 0;
	if (s->empty > EMPTY_MAX)
		return xfr_stream_fail(s, XFR_WHY_NO_RECORDS, s->empty, 0);
	return ST_OK;
}

static status_t read_header(xfr_stream_t *s, frame_t *f)
{
	buf_t *msg = &s->msg;

	f->id = buf_u16(msg);
	f->flags = buf_u16(msg);
	f->questions = buf_u16(msg);
	f->answers = buf_u16(msg);
	f->authority = buf_u16(msg);
	f->additional = buf_u16(msg);
	if (!buf_ok(msg))
		return xfr_stream_fail(s, XFR_WHY_SHORT_MESSAGE, (uint32_t)msg->len, 0);
	return check_header(s, f);
}

static status_t read_question(xfr_stream_t *s)
{
	dns_name_t *name = &s->rr.owner; /* not in use yet */

	if (dns_name_read(&s->msg, name) != ST_OK)
		return xfr_stream_fail(s, XFR_WHY_QUESTION, 0, 0);
	dns_name_fold(name);
	unsigned type = buf_u16(&s->msg), class = buf_u16(&s->msg);
	if (!buf_ok(&s->msg))
		return xfr_stream_fail(s, XFR_WHY_QUESTION, 0, 0);
	if (type != s->type || class != DNS_CLASS_IN || !dns_name_equal(name, &s->apex))
		return xfr_stream_fail(s, XFR_WHY_OTHER_QUESTION, 0, 0);
	return ST_OK;
}

status_t xfr_stream_open(xfr_stream_t *s, const uint8_t *msg, size_t len)
{
	frame_t f;

	s->messages++;
	s->msg = buf_over(msg, len);
	if (read_header(s, &f) != ST_OK)
		return ST_MALFORMED;
	s->answers = f.answers;
	s->others = (unsigned)f.authority + f.additional - (s->tsig && f.additional > 0);
	s->bare = f.answers == 0;
	return f.questions == 1 ? read_question(s) : ST_OK;
}

/* --- records ---------------------------------------------------------------------------------- */

/* One that can't be read is named as far as its frame allows. */
status_t xfr_stream_next(xfr_stream_t *s)
{
	buf_t again = s->msg;
	dns_rr_head_t head;

	if (s->answers == 0)
		return ST_NOENT;
	s->answers--;
	s->records++;
	if (dns_rr_read(&s->msg, &s->rr) == ST_OK)
		return ST_OK;
	if (dns_rr_skip(&again, &s->rr.owner, &head) == ST_OK)
		return xfr_stream_fail_at(s, XFR_WHY_MALFORMED, s->rr.owner.wire, head.type, 0);
	return xfr_stream_fail(s, XFR_WHY_RECORD, (uint32_t)s->records, (uint32_t)s->messages);
}

bool xfr_stream_at_soa(const xfr_stream_t *s)
{
	return s->rr.type == DNS_TYPE_SOA && s->rr.class == DNS_CLASS_IN &&
	       dns_name_equal(&s->rr.owner, &s->apex);
}

/* The options of OPT, of which EXPIRE counts when it has a value (RFC 7314 2). */
static status_t read_options(xfr_stream_t *s, const dns_rr_head_t *head)
{
	buf_t at = buf_over(s->msg.base, head->rdata_at + head->rdlen);

	at.pos = head->rdata_at;
	while (buf_ok(&at) && buf_left(&at) > 0) {
		unsigned code = buf_u16(&at), len = buf_u16(&at);
		const uint8_t *value = buf_take(&at, len);

		if (value && code == DNS_OPTION_EXPIRE && len == 4) {
			s->has_expire = true;
			s->expire = get_u32(value);
		}
	}
	return buf_ok(&at) ? ST_OK : xfr_stream_fail(s, XFR_WHY_BEHIND, 0, 0);
}

/* OPT (RFC 6891 6.1.3): the upper bits of the rcode, and options. */
static status_t read_opt(xfr_stream_t *s, const dns_rr_head_t *head)
{
	if (head->ttl >> 24 != 0)
		return xfr_stream_fail(s, XFR_WHY_RCODE, head->ttl >> 24 << 4, 0);
	return read_options(s, head);
}

/* Is there an OPT, and nothing else, behind the last record that the header counts? NSD leaves one
 * there when it answers while it loads its zones anew; it harms nobody. */
static bool is_uncounted_opt(const xfr_stream_t *s)
{
	buf_t at = s->msg;
	dns_rr_head_t head;
	dns_name_t owner;

	return dns_rr_skip(&at, &owner, &head) == ST_OK && owner.len == 1 &&
	       head.type == DNS_TYPE_OPT && buf_left(&at) == 0;
}

status_t xfr_stream_close(xfr_stream_t *s)
{
	dns_rr_head_t head;

	for (; s->others > 0; s->others--) {
		if (dns_rr_skip(&s->msg, &s->rr.owner, &head) != ST_OK)
			return xfr_stream_fail(s, XFR_WHY_BEHIND, 0, 0);
		if (head.type == DNS_TYPE_OPT && read_opt(s, &head) != ST_OK)
			return ST_MALFORMED;
	}
	if (buf_left(&s->msg) != 0 && !is_uncounted_opt(s))
		return xfr_stream_fail(s, XFR_WHY_OCTETS_BEHIND, (uint32_t)buf_left(&s->msg), 0);
	if (s->messages == 1 && s->bare)
		return xfr_stream_fail(s, XFR_WHY_EMPTY, 0, 0);
	return ST_OK;
}
