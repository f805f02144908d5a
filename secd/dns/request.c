/* dns/request.c - header, question, what IXFR has to say of us, OPT. */
#include "dns/request.h"

#include <assert.h>

#include "common/buf.h"
#include "dns/name.h"
#include "dns/wire.h"

static void put_header(bufw_t *w, const dns_request_t *r)
{
	bufw_u16(w, r->id);
	bufw_u16(w, DNS_OP_QUERY << DNS_OPCODE_SHIFT);
	bufw_u16(w, 1);
	bufw_u16(w, 0);
	bufw_u16(w, r->soa ? 1 : 0);
	bufw_u16(w, r->payload ? 1 : 0);
}

static void put_question(bufw_t *w, const dns_request_t *r)
{
	bufw_bytes(w, r->apex, dns_wire_len(r->apex));
	bufw_u16(w, r->type);
	bufw_u16(w, DNS_CLASS_IN);
}

static void put_soa(bufw_t *w, const dns_request_t *r)
{
	bufw_u16(w, 0xc000 | DNS_HEADER_LEN); /* the question's name */
	bufw_u16(w, DNS_TYPE_SOA);
	bufw_u16(w, DNS_CLASS_IN);
	bufw_u32(w, 0);
	bufw_u16(w, (unsigned)r->soa_len);
	bufw_bytes(w, r->soa, r->soa_len);
}

static void put_opt(bufw_t *w, const dns_request_t *r)
{
	bufw_u8(w, 0);
	bufw_u16(w, DNS_TYPE_OPT);
	bufw_u16(w, r->payload);
	bufw_u32(w, r->dnssec ? DNS_OPT_DO : 0);
	bufw_u16(w, r->expire ? 4 : 0);
	if (r->expire) {
		bufw_u16(w, DNS_OPTION_EXPIRE);
		bufw_u16(w, 0);
	}
}

size_t dns_request(const dns_request_t *r, uint8_t out[DNS_REQUEST_MAX])
{
	bufw_t w = bufw_over(out, DNS_REQUEST_MAX);

	put_header(&w, r);
	put_question(&w, r);
	if (r->soa)
		put_soa(&w, r);
	if (r->payload)
		put_opt(&w, r);
	assert(bufw_ok(&w));
	return w.pos;
}

size_t dns_request_signed(const dns_request_t *r, const dns_tsig_key_t *key, wall_t now,
                          uint8_t out[DNS_REQUEST_SIGNED_MAX], dns_tsig_mac_t *mac)
{
	size_t len = dns_request(r, out);
	status_t st = dns_tsig_sign(key, now, out, &len, DNS_REQUEST_SIGNED_MAX, mac);

	/* The longest key name and MAC take some 240 octets; unsigned it must never go. */
	assert(st == ST_OK);
	return st == ST_OK ? len : 0;
}
