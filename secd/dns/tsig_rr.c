/* dns/tsig_rr.c - octets of the TSIG record, and the digests over them. */
#include "dns/tsig_rr.h"

#include "common/buf.h"
#include "dns/rr.h"
#include "dns/wire.h"

enum {
	COUNTS_AT = 4, /* of the four sections, in the header; DNS_ARCOUNT_AT is the last */
	RDATA_FIXED = DNS_TSIG_TIME_LEN + 2 + 2 + 2 + 2 +
	              2, /* beside the names, MAC and other data */
};

/* Past a name, wherever its pointer leads: who reads the record will follow it. A message of a
 * transfer has hundreds of names, and they are read once more. */
static bool skip_name(buf_t *msg)
{
	for (;;) {
		unsigned len = buf_u8(msg);

		if (len >= 0xc0)
			return buf_take(msg, 1) != NULL;
		if (len > DNS_LABEL_MAX || !buf_take(msg, len))
			return false;
		if (len == 0)
			return buf_ok(msg);
	}
}

/* Past count records, of which only the very last may be a TSIG: in the additional section. */
static status_t walk(buf_t *msg, unsigned count, bool additional, size_t *at)
{
	for (; count > 0; count--) {
		size_t start = msg->pos;
		const uint8_t *fixed = skip_name(msg) ? buf_take(msg, DNS_RR_FIXED) : NULL;

		if (!fixed || !buf_take(msg, get_u16(fixed + 8)))
			return ST_MALFORMED;
		if (get_u16(fixed) != DNS_TYPE_TSIG)
			continue;
		if (!additional || count > 1)
			return ST_MALFORMED;
		*at = start;
	}
	return ST_OK;
}

status_t dns_tsig_rr_find(const uint8_t *msg, size_t len, size_t *at)
{
	buf_t b = buf_over(msg, len);
	const uint8_t *counts;

	*at = 0;
	if (!buf_take(&b, DNS_HEADER_LEN))
		return ST_MALFORMED;
	counts = msg + COUNTS_AT;
	for (unsigned questions = get_u16(counts); questions > 0; questions--) {
		if (!skip_name(&b) || !buf_take(&b, 4))
			return ST_MALFORMED;
	}
	for (unsigned section = 1; section <= 3; section++) {
		if (walk(&b, get_u16(counts + 2 * (size_t)section), section == 3, at) != ST_OK)
			return ST_MALFORMED;
	}
	return buf_left(&b) == 0 ? ST_OK : ST_MALFORMED;
}

uint64_t dns_tsig_rr_time(const uint8_t p[DNS_TSIG_TIME_LEN])
{
	return (uint64_t)get_u16(p) << 32 | get_u32(p + 2);
}

void dns_tsig_rr_put_time(uint8_t p[DNS_TSIG_TIME_LEN], uint64_t time)
{
	put_u16(p, (unsigned)(time >> 32 & 0xffff));
	put_u32(p + 2, (uint32_t)time);
}

status_t dns_tsig_rr_read(const uint8_t *msg, size_t len, size_t at, dns_tsig_rr_t *out)
{
	buf_t b = buf_over(msg, len);
	const uint8_t *time;
	dns_rr_head_t head;

	b.pos = at;
	if (dns_rr_skip(&b, &out->owner, &head) != ST_OK || buf_left(&b) != 0 ||
	    head.class != DNS_CLASS_ANY || head.ttl != 0)
		return ST_MALFORMED;
	b.pos = head.rdata_at;
	if (dns_name_read_plain(&b, &out->alg) != ST_OK)
		return ST_MALFORMED;
	time = buf_take(&b, DNS_TSIG_TIME_LEN);
	out->fudge = buf_u16(&b);
	out->mac_len = buf_u16(&b);
	out->mac = buf_take(&b, out->mac_len);
	out->original_id = buf_u16(&b);
	out->error = buf_u16(&b);
	out->other_len = buf_u16(&b);
	out->other = buf_take(&b, out->other_len);
	if (!buf_ok(&b) || buf_left(&b) != 0)
		return ST_MALFORMED;
	out->time = dns_tsig_rr_time(time);
	dns_name_fold(&out->owner);
	dns_name_fold(&out->alg);
	return ST_OK;
}

void dns_tsig_rr_digest_mac(dns_hmac_t *h, const uint8_t *mac, size_t len)
{
	uint8_t octets[2];

	put_u16(octets, (unsigned)len);
	dns_hmac_add(h, octets, sizeof octets);
	dns_hmac_add(h, mac, len);
}

void dns_tsig_rr_digest_message(dns_hmac_t *h, const uint8_t *msg, size_t len, unsigned arcount,
                                unsigned id)
{
	uint8_t header[DNS_HEADER_LEN];

	memcpy(header, msg, sizeof header);
	put_u16(header, id);
	put_u16(header + DNS_ARCOUNT_AT, arcount);
	dns_hmac_add(h, header, sizeof header);
	dns_hmac_add(h, msg + sizeof header, len - sizeof header);
}

void dns_tsig_rr_digest_timers(dns_hmac_t *h, const dns_tsig_rr_t *rr)
{
	uint8_t octets[DNS_TSIG_TIME_LEN + 2];

	dns_tsig_rr_put_time(octets, rr->time);
	put_u16(octets + DNS_TSIG_TIME_LEN, rr->fudge);
	dns_hmac_add(h, octets, sizeof octets);
}

void dns_tsig_rr_digest_all(dns_hmac_t *h, const dns_tsig_rr_t *rr)
{
	static const uint8_t class_and_ttl[6] = { 0, DNS_CLASS_ANY };
	uint8_t octets[4];

	dns_hmac_add(h, rr->owner.wire, rr->owner.len);
	dns_hmac_add(h, class_and_ttl, sizeof class_and_ttl);
	dns_hmac_add(h, rr->alg.wire, rr->alg.len);
	dns_tsig_rr_digest_timers(h, rr);
	put_u16(octets, rr->error);
	put_u16(octets + 2, rr->other_len);
	dns_hmac_add(h, octets, sizeof octets);
	dns_hmac_add(h, rr->other, rr->other_len);
}

size_t dns_tsig_rr_len(const dns_tsig_rr_t *rr)
{
	return (size_t)rr->owner.len + DNS_RR_FIXED + rr->alg.len + RDATA_FIXED + rr->mac_len +
	       rr->other_len;
}

status_t dns_tsig_rr_put(const dns_tsig_rr_t *rr, uint8_t *msg, size_t *len, size_t room)
{
	bufw_t w = bufw_over(msg + *len, room - *len);
	uint8_t *time;

	if (room < *len || dns_tsig_rr_len(rr) > room - *len)
		return ST_LIMIT;
	bufw_bytes(&w, rr->owner.wire, rr->owner.len);
	bufw_u16(&w, DNS_TYPE_TSIG);
	bufw_u16(&w, DNS_CLASS_ANY);
	bufw_u32(&w, 0);
	bufw_u16(&w, (unsigned)(rr->alg.len + RDATA_FIXED + rr->mac_len + rr->other_len));
	bufw_bytes(&w, rr->alg.wire, rr->alg.len);
	time = bufw_take(&w, DNS_TSIG_TIME_LEN);
	dns_tsig_rr_put_time(time, rr->time);
	bufw_u16(&w, rr->fudge);
	bufw_u16(&w, rr->mac_len);
	bufw_bytes(&w, rr->mac, rr->mac_len);
	bufw_u16(&w, rr->original_id);
	bufw_u16(&w, rr->error);
	bufw_u16(&w, rr->other_len);
	bufw_bytes(&w, rr->other, rr->other_len);
	*len += w.pos;
	put_u16(msg + DNS_ARCOUNT_AT, get_u16(msg + DNS_ARCOUNT_AT) + 1u);
	return ST_OK;
}
