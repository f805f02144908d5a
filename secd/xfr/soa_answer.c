/* xfr/soa_answer.c - header, question, then the sections one after the other. */
#include "xfr/soa_answer.h"

#include "dns/rr.h"
#include "dns/wire.h"

#include <stdbool.h>
#include <string.h>

typedef struct header {
	uint16_t id, flags, counts[4]; /* question, answer, authority, additional */
} header_t;

static header_t read_header(buf_t *msg)
{
	header_t h = { .id = buf_u16(msg), .flags = buf_u16(msg) };

	for (size_t i = 0; i < 4; i++)
		h.counts[i] = buf_u16(msg);
	return h;
}

/* Is the question at the cursor ours? RFC 1035 4.1.2, case aside (RFC 4343). */
static bool same_question(buf_t *msg, const dns_name_t *apex)
{
	dns_name_t name;

	if (dns_name_read(msg, &name) != ST_OK)
		return false;
	dns_name_fold(&name);
	unsigned type = buf_u16(msg), class = buf_u16(msg);

	return buf_ok(msg) && type == DNS_TYPE_SOA && class == DNS_CLASS_IN &&
	       dns_name_equal(&name, apex);
}

static status_t read_soa(buf_t record, dns_soa_t *out)
{
	dns_rr_t rr;

	if (dns_rr_read(&record, &rr) != ST_OK)
		return ST_MALFORMED;
	return dns_soa_read(rr.rdata, rr.rdlen, out);
}

typedef struct sections {
	bool has_soa;
	dns_soa_t soa;
	unsigned rcode_high; /* OPT's upper bits of the rcode, in place (RFC 6891 6.1.3) */
	bool has_expire;
	uint32_t expire;
	uint64_t mark;
} sections_t;

uint64_t xfr_soa_mark(const uint8_t *rdata)
{
	/* Expiration, inception and key tag (RFC 4034 3.1): no signing leaves all three as they were.
	 * Any odd number spreads them, so that a sum does not add up by chance. */
	const uint64_t times = (uint64_t)get_u32(rdata + 8) << 32 | get_u32(rdata + 12);

	return (times + get_u16(rdata + 16) + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* OPT (RFC 6891 6.1.2): EXPIRE alone is for us. */
static status_t read_opt(const buf_t *msg, const dns_rr_head_t *head, sections_t *out)
{
	buf_t at = buf_over(msg->base, head->rdata_at + head->rdlen);

	at.pos = head->rdata_at;
	out->rcode_high = (head->ttl >> 24) << 4;
	while (buf_left(&at) > 0) {
		unsigned code = buf_u16(&at);
		size_t len = buf_u16(&at);
		const uint8_t *value = buf_take(&at, len);

		if (!value)
			return ST_MALFORMED;
		if (code == DNS_OPTION_EXPIRE && len == 4) {
			out->has_expire = true;
			out->expire = get_u32(value);
		}
	}
	return ST_OK;
}

/* In the answer section, at the apex; record: the cursor in front of it. */
static status_t read_answer(const buf_t *record, const dns_rr_head_t *head, sections_t *out)
{
	const uint8_t *rdata = record->base + head->rdata_at;

	if (head->type == DNS_TYPE_RRSIG && head->rdlen >= XFR_RRSIG_FIXED &&
	    get_u16(rdata) == DNS_TYPE_SOA)
		out->mark += xfr_soa_mark(rdata);
	if (head->type != DNS_TYPE_SOA || out->has_soa)
		return ST_OK;
	out->has_soa = true;
	return read_soa(*record, &out->soa);
}

static status_t read_record(buf_t *msg, size_t section, const dns_name_t *apex, sections_t *out)
{
	const buf_t record = *msg;
	dns_name_t owner;
	dns_rr_head_t head;
	status_t st = dns_rr_skip(msg, &owner, &head);

	if (st != ST_OK)
		return st;
	dns_name_fold(&owner);
	if (section == 3 && head.type == DNS_TYPE_OPT)
		return read_opt(msg, &head, out);
	if (section != 1 || head.class != DNS_CLASS_IN || !dns_name_equal(&owner, apex))
		return ST_OK;
	return read_answer(&record, &head, out);
}

static status_t read_sections(buf_t *msg, const header_t *h, const dns_name_t *apex,
                              sections_t *out)
{
	for (size_t section = 1; section < 4; section++) {
		for (unsigned i = 0; i < h->counts[section]; i++) {
			status_t st = read_record(msg, section, apex, out);

			if (st != ST_OK)
				return st;
		}
	}
	return buf_left(msg) == 0 ? ST_OK : ST_MALFORMED;
}

static xfr_soa_finding_t found_rcode(xfr_soa_answer_t *out, unsigned rcode)
{
	out->rcode = rcode;
	return XFR_SOA_RCODE;
}

xfr_soa_finding_t xfr_soa_answer_read(const uint8_t *msg, size_t len, bool tsig, uint16_t id,
                                      const dns_name_t *apex, xfr_soa_answer_t *out)
{
	buf_t at = buf_over(msg, len);
	header_t h = read_header(&at);
	const unsigned rcode = h.flags & DNS_RCODE_MASK;
	sections_t found = { 0 };

	memset(out, 0, sizeof *out);
	if (tsig && h.counts[3] > 0)
		h.counts[3]--;
	if (!buf_ok(&at) || h.id != id || !(h.flags & DNS_QR) || (h.flags & DNS_OPCODE_MASK))
		return XFR_SOA_FOREIGN;
	if (h.counts[0] == 0 && rcode != DNS_RCODE_NOERROR)
		return found_rcode(out, rcode);
	if (h.counts[0] != 1 || !same_question(&at, apex))
		return XFR_SOA_FOREIGN;
	if (rcode != DNS_RCODE_NOERROR)
		return found_rcode(out, rcode);
	/* Before AA and the frame: a rate limiter's TC has no AA, and what was cut may be torn. */
	if (h.flags & DNS_TC)
		return XFR_SOA_TRUNCATED;
	if (read_sections(&at, &h, apex, &found) != ST_OK)
		return XFR_SOA_BROKEN;
	if (found.rcode_high != 0)
		return found_rcode(out, found.rcode_high);
	if (!(h.flags & DNS_AA))
		return XFR_SOA_LAME;
	out->soa = found.soa;
	out->has_expire = found.has_expire;
	out->expire = found.expire;
	out->mark = found.mark;
	return found.has_soa ? XFR_SOA_HERE : XFR_SOA_NONE;
}
