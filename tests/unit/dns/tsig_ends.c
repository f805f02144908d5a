/* tests/unit/dns/tsig_ends.c - see tsig_ends.h. */
#include "tsig_ends.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/wire.h"

const char *const ends_algs[ENDS_ALGS] = { "hmac-md5",    "hmac-sha1",   "hmac-sha224",
	                                   "hmac-sha256", "hmac-sha384", "hmac-sha512" };
const wall_t ends_now = { 1700000000 };

dns_name_t ends_name(const char *text)
{
	dns_name_t name;

	cr_assert(eq(int, dns_name_from_text(text, &name), ST_OK));
	dns_name_fold(&name);
	return name;
}

dns_tsig_key_t ends_key(const char *name, const char *alg, const char *secret)
{
	dns_name_t n = ends_name(name);
	dns_tsig_key_t key;

	cr_assert(eq(int, dns_tsig_key_make(&key, &n, alg, (const uint8_t *)secret, strlen(secret)),
	             ST_OK));
	return key;
}

/* "key-hmac-sha256" and its like, for each algorithm. */
void ends_keys(dns_tsig_keys_t *keys, const char *secret)
{
	char name[32];

	cr_assert(eq(int, dns_tsig_keys_make(keys, ENDS_ALGS), ST_OK));
	for (size_t i = 0; i < ENDS_ALGS; i++) {
		snprintf(name, sizeof name, "Key-%s", ends_algs[i]);
		keys->list[i] = ends_key(name, ends_algs[i], secret);
	}
	dns_tsig_keys_sort(keys);
}

/* A message of one question and one record, or of the record alone. */
ends_message_t ends_plain(unsigned id, unsigned flags, bool question)
{
	static const uint8_t ask[] = "\1e\0\0\6\0\1";
	static const uint8_t record[] = "\1e\0\0\2\0\1\0\0\1\54\0\4\1n\300\14";
	ends_message_t m = { 0 };
	bufw_t w = bufw_over(m.octets, ENDS_ROOM);

	bufw_u16(&w, id);
	bufw_u16(&w, flags);
	bufw_u16(&w, question);
	bufw_u16(&w, flags != 0);
	bufw_u32(&w, 0);
	if (question)
		bufw_bytes(&w, ask, sizeof ask - 1);
	if (flags)
		bufw_bytes(&w, record, sizeof record - 1);
	m.len = w.pos;
	return m;
}

ends_message_t ends_request(const dns_tsig_key_t *key, wall_t at, dns_tsig_mac_t *mac)
{
	ends_message_t m = ends_plain(0x1234, 0, true);

	cr_assert(eq(int, dns_tsig_sign(key, at, m.octets, &m.len, ENDS_ROOM, mac), ST_OK));
	return m;
}

dns_tsig_verdict_t ends_check(const dns_tsig_keys_t *keys, const ends_message_t *m, wall_t at,
                              dns_tsig_query_t *q)
{
	uint8_t *kept = malloc(m->len ? m->len : 1);
	dns_tsig_verdict_t v = DNS_TSIG_QUERY_FORMERR;
	size_t where = 0;

	memcpy(kept, m->octets, m->len);
	if (dns_tsig_rr_find(kept, m->len, &where) == ST_OK && where > 0)
		v = dns_tsig_query_check(keys, kept, m->len, where, at, q);
	if (v != DNS_TSIG_QUERY_FORMERR) /* it outlives the copy here */
		q->rr.mac = m->octets + (q->rr.mac - kept);
	free(kept);
	return v;
}

dns_tsig_outcome_t ends_feed(dns_tsig_stream_t *s, const ends_message_t *m, wall_t at,
                             dns_tsig_bare_t *bare)
{
	uint8_t *kept = malloc(m->len ? m->len : 1);

	memcpy(kept, m->octets, m->len);
	dns_tsig_outcome_t o = dns_tsig_stream_feed(s, kept, m->len, at, bare);
	free(kept);
	return o;
}

ends_message_t ends_unhex(const char *text)
{
	ends_message_t m = { .len = strlen(text) / 2 };

	cr_assert(le(sz, m.len, (size_t)ENDS_ROOM));
	for (size_t i = 0; i < m.len; i++)
		cr_assert(eq(int, sscanf(text + 2 * i, "%2hhx", &m.octets[i]), 1));
	return m;
}

ends_server_t ends_server(const dns_tsig_key_t *key, const dns_tsig_mac_t *request)
{
	ends_server_t s = { .key = key, .first = true };

	dns_hmac_start(&s.hmac, &key->hmac);
	dns_tsig_rr_digest_mac(&s.hmac, request->octets, request->len);
	return s;
}

ends_message_t ends_answer(ends_server_t *s, bool sign, wall_t at)
{
	ends_message_t m = ends_plain(0x1234, DNS_QR | DNS_AA, s->first);
	uint8_t mac[DNS_HMAC_MAX];
	dns_tsig_rr_t rr = {
		.owner = s->key->name,
		.time = (uint64_t)at.s,
		.fudge = 300,
		.original_id = 0x1234,
		.mac = mac,
		.mac_len = (uint16_t)dns_hmac_len(s->key->hmac.alg),
	};

	m.octets[m.len - 7] = s->sent++; /* of the record's TTL */
	dns_name_from_wire(dns_tsig_alg_wire(s->key->hmac.alg), &rr.alg);
	dns_tsig_rr_digest_message(&s->hmac, m.octets, m.len, 0, 0x1234);
	if (!sign)
		return m;
	if (s->first)
		dns_tsig_rr_digest_all(&s->hmac, &rr);
	else
		dns_tsig_rr_digest_timers(&s->hmac, &rr);
	s->first = false;
	dns_hmac_finish(&s->hmac, mac);
	dns_hmac_start(&s->hmac, &s->key->hmac);
	dns_tsig_rr_digest_mac(&s->hmac, mac, rr.mac_len);
	cr_assert(eq(int, dns_tsig_rr_put(&rr, m.octets, &m.len, ENDS_ROOM), ST_OK));
	return m;
}

static void remake(ends_message_t *m, size_t at, const dns_tsig_rr_t *rr)
{
	m->len = at;
	put_u16(m->octets + DNS_ARCOUNT_AT, 0);
	cr_assert(eq(int, dns_tsig_rr_put(rr, m->octets, &m->len, ENDS_ROOM), ST_OK));
}

void ends_spoil(ends_message_t *m, ends_spoil_t how)
{
	static const uint8_t opt[] = { 0, 0, DNS_TYPE_OPT, 4, 0xd0, 0, 0, 0, 0, 0, 0 };
	ends_message_t was = *m;
	uint8_t mac[DNS_HMAC_MAX + 1] = { 0 };
	dns_tsig_rr_t rr;
	size_t at;

	cr_assert(eq(int, dns_tsig_rr_find(was.octets, was.len, &at), ST_OK));
	cr_assert(eq(int, dns_tsig_rr_read(was.octets, was.len, at, &rr), ST_OK));
	uint8_t *fixed = m->octets + at + rr.owner.len;
	switch (how) {
	case ENDS_CLASS:
		put_u16(fixed + 2, DNS_CLASS_IN);
		break;
	case ENDS_TTL:
		put_u32(fixed + 4, 1);
		break;
	case ENDS_TWICE:
		memcpy(m->octets + m->len, m->octets + at, m->len - at);
		m->len += m->len - at;
		put_u16(m->octets + DNS_ARCOUNT_AT, 2);
		break;
	case ENDS_NOT_LAST:
		memcpy(m->octets + m->len, opt, sizeof opt);
		m->len += sizeof opt;
		put_u16(m->octets + DNS_ARCOUNT_AT, 2);
		break;
	case ENDS_ANSWER:
		put_u16(m->octets + 6, get_u16(m->octets + 6) + 1u);
		put_u16(m->octets + DNS_ARCOUNT_AT, 0);
		break;
	case ENDS_RDLENGTH:
		put_u16(fixed + 8, get_u16(fixed + 8) + 1u);
		m->octets[m->len++] = 0;
		break;
	case ENDS_MAC_CUT:
		rr.mac_len = 16;
		remake(m, at, &rr);
		break;
	case ENDS_MAC_LONG:
		memcpy(mac, rr.mac, rr.mac_len);
		rr.mac = mac;
		rr.mac_len++;
		remake(m, at, &rr);
		break;
	case ENDS_NO_MAC:
		rr.mac_len = 0;
		remake(m, at, &rr);
		break;
	}
}
/* The id of a message is not covered: it may change on the way, which is what the original one is
 * for (RFC 8945 5.2). And the case of names is not (RFC 8945 4.3.3). */
bool ends_counts(const ends_message_t *m, size_t i, uint8_t flip)
{
	return i >= 2 && !(flip == 0x20 && m->octets[i] >= 'A');
}
