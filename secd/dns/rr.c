/* dns/rr.c - the frame of a record: owner, type, class, TTL, RDLENGTH. */
#include "dns/rr.h"

#include "dns/rdata.h"
#include "dns/wire.h"

status_t dns_rr_skip(buf_t *msg, dns_name_t *owner, dns_rr_head_t *head)
{
	status_t st = dns_name_read(msg, owner);

	if (st != ST_OK)
		return st;
	head->type = buf_u16(msg);
	head->class = buf_u16(msg);
	head->ttl = buf_u32(msg);
	head->rdlen = buf_u16(msg);
	head->rdata_at = msg->pos;
	return buf_take(msg, head->rdlen) ? ST_OK : ST_SHORT;
}

status_t dns_rr_read(buf_t *msg, dns_rr_t *rr)
{
	status_t st = dns_name_read(msg, &rr->owner);
	size_t rdlen = 0;

	if (st != ST_OK)
		return st;
	dns_name_fold(&rr->owner);
	const uint8_t *fixed = buf_take(msg, DNS_RR_FIXED);
	if (!fixed)
		return ST_SHORT;
	rr->type = get_u16(fixed);
	rr->class = get_u16(fixed + 2);
	rr->ttl = get_u32(fixed + 4);
	if (rr->ttl > DNS_TTL_MAX)
		rr->ttl = 0;
	st = dns_rdata_read(msg, rr->type, get_u16(fixed + 8), rr->rdata, &rdlen);
	rr->rdlen = (uint16_t)rdlen;
	return st;
}
