/* dns/query.c - one message of a client, read front to back. */
#include "dns/query.h"

#include "common/buf.h"
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
		if (dns_rr_skip(msg, &owner, &head) != ST_OK)
			return ST_MALFORMED;
		if (hint && !q->has_hint && head.type == DNS_TYPE_SOA) {
			dns_name_fold(&owner);
			if (dns_name_equal(&owner, &q->qname))
				read_hint(*msg, &head, q);
		}
	}
	return ST_OK;
}

/* Options are {code, length, data}: framing alone matters here (RFC 6891 6.1.2). */
static bool options_framed(const uint8_t *p, size_t len)
{
	buf_t b = buf_over(p, len);

	while (buf_ok(&b) && buf_left(&b) > 0) {
		buf_u16(&b);
		buf_take(&b, buf_u16(&b));
	}
	return buf_ok(&b);
}

static status_t read_opt(const buf_t *msg, const dns_name_t *owner, const dns_rr_head_t *head,
                         dns_query_t *q)
{
	if (q->has_opt || owner->len != 1)
		return ST_MALFORMED; /* RFC 6891 6.1.1: one, at the root */
	if (!options_framed(msg->base + head->rdata_at, head->rdlen))
		return ST_MALFORMED;
	q->has_opt = true;
	q->dnssec_ok = head->ttl & DNS_OPT_DO;
	q->payload = head->class < DNS_UDP_MIN ? DNS_UDP_MIN : head->class;
	if ((head->ttl >> 16 & 0xff) != 0)
		q->kind = DNS_QUERY_BADVERS;
	return ST_OK;
}

static status_t read_additional(buf_t *msg, unsigned count, dns_query_t *q)
{
	dns_rr_head_t head;
	dns_name_t owner;

	for (; count > 0; count--) {
		if (dns_rr_skip(msg, &owner, &head) != ST_OK)
			return ST_MALFORMED;
		if (head.type == DNS_TYPE_OPT && read_opt(msg, &owner, &head, q) != ST_OK)
			return ST_MALFORMED;
	}
	return buf_left(msg) == 0 ? ST_OK : ST_MALFORMED;
}

/* The question and what follows; q->kind is what a sound message is. */
static status_t read_sections(buf_t *msg, dns_query_t *q)
{
	const uint8_t *counts = msg->base + 4;
	bool notify = q->kind == DNS_QUERY_NOTIFY;

	if (get_u16(counts) != 1 || read_question(msg, q) != ST_OK)
		return ST_MALFORMED;
	if (step_over(msg, get_u16(counts + 2), notify, q) != ST_OK ||
	    step_over(msg, get_u16(counts + 4), false, q) != ST_OK ||
	    read_additional(msg, get_u16(counts + 6), q) != ST_OK)
		return ST_MALFORMED;
	/* RFC 1996 3.7: SOA is the only QTYPE that a NOTIFY is defined for. */
	return notify && q->qtype != DNS_TYPE_SOA ? ST_MALFORMED : ST_OK;
}

void dns_query_read(const uint8_t *msg, size_t len, dns_query_t *q)
{
	buf_t b = buf_over(msg, len);

	q->kind = DNS_QUERY_DROP;
	q->has_question = q->has_opt = q->dnssec_ok = q->has_hint = false;
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
	if (read_sections(&b, q) != ST_OK)
		q->kind = DNS_QUERY_FORMERR;
}
