/* dns/query.c - one message of a client, read front to back. */
#include "dns/query.h"

#include "common/buf.h"
#include "dns/cookie.h"
#include "dns/rr.h"
#include "dns/soa.h"
#include "dns/wire.h"

static status_t read_question(buf_t *msg, dns_query_t *q)
{
	if (dns_name_read_plain(msg, &q->qname) != ST_OK)
		return ST_MALFORMED;
	q->qtype = buf_u16(msg);
	q->qclass = buf_u16(msg);
	if (!buf_ok(msg))
		return ST_MALFORMED;
	dns_name_fold(&q->qname);
	q->has_question = true;
	q->question_end = (uint16_t)msg->pos;
	return ST_OK;
}

/* The serial of a SOA in a NOTIFY's answer section, names possibly compressed. */
static void read_hint(buf_t msg, const dns_rr_head_t *head, dns_query_t *q)
{
	dns_name_t name;

	msg.pos = head->rdata_at;
	msg.len = head->rdata_at + head->rdlen;
	if (dns_name_read(&msg, &name) != ST_OK || dns_name_read(&msg, &name) != ST_OK)
		return;
	q->hint_serial = buf_u32(&msg);
	q->has_hint = buf_ok(&msg) && buf_left(&msg) == 16;
}

/* Answer and authority sections: stepped over, but for the first SOA of a NOTIFY's answer. */
static status_t step_over(buf_t *msg, unsigned count, bool hint, dns_query_t *q)
{
	dns_rr_head_t head;
	dns_name_t owner;

	for (; count > 0; count--) {
		if (dns_rr_skip(msg, &owner, &head) != ST_OK || head.type == DNS_TYPE_TSIG)
			return ST_MALFORMED;
		if (hint && !q->has_hint && head.type == DNS_TYPE_SOA) {
			dns_name_fold(&owner);
			if (dns_name_equal(&owner, &q->qname))
				read_hint(*msg, &head, q);
		}
	}
	return ST_OK;
}

/* The first COOKIE counts, others are as if they weren't there (RFC 7873 5.2). */
static status_t take_cookie(size_t at, size_t len, dns_query_t *q)
{
	if (q->wants & DNS_WANTS_COOKIE)
		return ST_OK;
	if (!dns_cookie_len_ok(len))
		return ST_MALFORMED;
	q->wants |= DNS_WANTS_COOKIE;
	q->cookie_at = (uint16_t)at;
	q->cookie_len = (uint8_t)len;
	return ST_OK;
}

/* What NSID and EXPIRE may carry in a query is not looked at (RFC 5001 2.2). */
static status_t take_option(unsigned code, size_t at, size_t len, bool stream, dns_query_t *q)
{
	switch (code) {
	case DNS_OPTION_NSID:
		q->wants |= DNS_WANTS_NSID;
		return ST_OK;
	case DNS_OPTION_EXPIRE:
		q->wants |= DNS_WANTS_EXPIRE;
		return ST_OK;
	case DNS_OPTION_COOKIE:
		return take_cookie(at, len, q);
	case DNS_OPTION_KEEPALIVE:
		if (!stream)
			return ST_OK; /* RFC 7828 3.3.1 */
		q->wants |= DNS_WANTS_KEEPALIVE;
		return len == 0 ? ST_OK : ST_MALFORMED;
	case DNS_OPTION_ZONEVERSION:
		q->wants |= DNS_WANTS_ZONEVERSION;
		return len == 0 ? ST_OK : ST_MALFORMED; /* RFC 9660 3 */
	default:
		return ST_OK;
	}
}

/* Options are {code, length, data}, one behind the other (RFC 6891 6.1.2). */
static status_t read_options(buf_t msg, const dns_rr_head_t *head, bool stream, dns_query_t *q)
{
	msg.pos = head->rdata_at;
	msg.len = head->rdata_at + head->rdlen;
	while (buf_left(&msg) > 0) {
		unsigned code = buf_u16(&msg);
		size_t len = buf_u16(&msg), at = msg.pos;

		if (!buf_take(&msg, len) || take_option(code, at, len, stream, q) != ST_OK)
			return ST_MALFORMED;
	}
	return ST_OK;
}

static status_t read_opt(const buf_t *msg, const dns_name_t *owner, const dns_rr_head_t *head,
                         bool stream, dns_query_t *q)
{
	if (q->has_opt || owner->len != 1)
		return ST_MALFORMED; /* RFC 6891 6.1.1: one, at the root */
	q->has_opt = true;
	q->dnssec_ok = head->ttl & DNS_OPT_DO;
	q->payload = head->class < DNS_UDP_MIN ? DNS_UDP_MIN : head->class;
	if ((head->ttl >> 16 & 0xff) != 0) {
		q->kind = DNS_QUERY_BADVERS;
		return ST_OK;
	}
	return read_options(*msg, head, stream, q);
}

static status_t read_additional(buf_t *msg, unsigned count, bool stream, dns_query_t *q)
{
	dns_rr_head_t head;
	dns_name_t owner;

	for (; count > 0; count--) {
		size_t at = msg->pos;

		if (dns_rr_skip(msg, &owner, &head) != ST_OK)
			return ST_MALFORMED;
		if (head.type == DNS_TYPE_OPT) {
			if (read_opt(msg, &owner, &head, stream, q) != ST_OK)
				return ST_MALFORMED;
		} else if (head.type == DNS_TYPE_TSIG) {
			if (count > 1)
				return ST_MALFORMED; /* RFC 8945 5.1: one, at the end */
			q->tsig_at = (uint16_t)at;
		}
	}
	return buf_left(msg) == 0 ? ST_OK : ST_MALFORMED;
}

/* What has no question may still ask for a cookie, or learn our EDNS version. */
static status_t without_question(dns_query_t *q)
{
	if (q->kind == DNS_QUERY_ASK && q->wants & DNS_WANTS_COOKIE)
		q->kind = DNS_QUERY_COOKIE;
	return q->kind == DNS_QUERY_COOKIE || q->kind == DNS_QUERY_BADVERS ? ST_OK : ST_MALFORMED;
}

/* The question and what follows; q->kind is what a sound message is. */
static status_t read_sections(buf_t *msg, bool stream, dns_query_t *q)
{
	const uint8_t *counts = msg->base + 4;
	unsigned questions = get_u16(counts);
	bool notify = q->kind == DNS_QUERY_NOTIFY;

	if (questions > 1 || (questions == 1 && read_question(msg, q) != ST_OK))
		return ST_MALFORMED;
	if (step_over(msg, get_u16(counts + 2), notify && questions > 0, q) != ST_OK ||
	    step_over(msg, get_u16(counts + 4), false, q) != ST_OK ||
	    read_additional(msg, get_u16(counts + 6), stream, q) != ST_OK)
		return ST_MALFORMED;
	if (questions == 0)
		return without_question(q);
	/* RFC 1996 3.7: SOA is the only QTYPE that a NOTIFY is defined for. */
	return notify && q->qtype != DNS_TYPE_SOA ? ST_MALFORMED : ST_OK;
}

void dns_query_read(const uint8_t *msg, size_t len, bool stream, dns_query_t *q)
{
	buf_t b = buf_over(msg, len);

	q->kind = DNS_QUERY_DROP;
	q->has_question = q->has_opt = q->dnssec_ok = q->has_hint = false;
	q->wants = 0;
	q->tsig_at = 0;
	q->payload = DNS_UDP_MIN;
	q->question_end = DNS_HEADER_LEN;
	q->hint_serial = 0;
	if (!buf_take(&b, DNS_HEADER_LEN))
		return;
	q->id = get_u16(msg);
	q->flags = get_u16(msg + 2);
	if (q->flags & DNS_QR)
		return; /* never answer an answer: two servers could keep each other busy */

	switch ((q->flags & DNS_OPCODE_MASK) >> DNS_OPCODE_SHIFT) {
	case DNS_OP_QUERY:
		q->kind = DNS_QUERY_ASK;
		break;
	case DNS_OP_NOTIFY:
		q->kind = DNS_QUERY_NOTIFY;
		break;
	default:
		q->kind = DNS_QUERY_NOTIMP;
		return;
	}
	if (read_sections(&b, stream, q) != ST_OK) {
		q->kind = DNS_QUERY_FORMERR;
		q->wants = 0;
		q->tsig_at = 0;
	}
}
