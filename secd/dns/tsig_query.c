/* dns/tsig_query.c - key, MAC, time, length: in the order that RFC 8945 5.2 asks for. */
#include "dns/tsig_query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/wire.h"

enum { MAC_MIN = 10 };

static const dns_tsig_key_t *find_key(const dns_tsig_keys_t *keys, const dns_tsig_rr_t *rr)
{
	const dns_tsig_key_t *key = keys ? dns_tsig_keys_find(keys, &rr->owner) : NULL;

	return key && dns_tsig_key_is_of(key, &rr->alg) ? key : NULL;
}

/* RFC 8945 5.2.2.1: may a MAC of full octets be cut down to len? */
static bool can_be(size_t len, size_t full)
{
	return len <= full && len >= MAC_MIN && len >= full / 2;
}

static dns_tsig_verdict_t judge(const dns_tsig_keys_t *keys, const uint8_t *msg, size_t at,
                                wall_t now, dns_tsig_query_t *q)
{
	const dns_tsig_rr_t *rr = &q->rr;
	const dns_tsig_key_t *key = find_key(keys, rr);
	uint8_t mac[DNS_HMAC_MAX];
	dns_hmac_t h;

	if (!key)
		return DNS_TSIG_QUERY_BADKEY;
	if (!can_be(rr->mac_len, dns_hmac_len(key->hmac.alg)))
		return DNS_TSIG_QUERY_FORMERR;
	dns_hmac_start(&h, &key->hmac);
	dns_tsig_rr_digest_message(&h, msg, at, get_u16(msg + DNS_ARCOUNT_AT) - 1u,
	                           rr->original_id);
	dns_tsig_rr_digest_all(&h, rr);
	dns_hmac_finish(&h, mac);
	if (!dns_hmac_equal(mac, rr->mac, rr->mac_len))
		return DNS_TSIG_QUERY_BADSIG;
	q->key = key;
	if (llabs((int64_t)rr->time - now.s) > rr->fudge)
		return DNS_TSIG_QUERY_BADTIME;
	return rr->mac_len < dns_hmac_len(key->hmac.alg) ? DNS_TSIG_QUERY_BADTRUNC
	                                                 : DNS_TSIG_QUERY_OK;
}

dns_tsig_verdict_t dns_tsig_query_check(const dns_tsig_keys_t *keys, const uint8_t *msg, size_t len,
                                        size_t at, wall_t now, dns_tsig_query_t *out)
{
	out->key = NULL;
	out->verdict = DNS_TSIG_QUERY_FORMERR;
	if (dns_tsig_rr_read(msg, len, at, &out->rr) == ST_OK)
		out->verdict = judge(keys, msg, at, now, out);
	return out->verdict;
}

static uint16_t error_of(dns_tsig_verdict_t verdict)
{
	switch (verdict) {
	case DNS_TSIG_QUERY_OK:
	case DNS_TSIG_QUERY_FORMERR:
		break;
	case DNS_TSIG_QUERY_BADKEY:
		return DNS_TSIG_BADKEY;
	case DNS_TSIG_QUERY_BADSIG:
		return DNS_TSIG_BADSIG;
	case DNS_TSIG_QUERY_BADTIME:
		return DNS_TSIG_BADTIME;
	case DNS_TSIG_QUERY_BADTRUNC:
		return DNS_TSIG_BADTRUNC;
	}
	return 0;
}

/* The answer's record, but for its MAC: names as the query has them, the server's time; where that
 * is what differs, the client's, and ours as data, so that the client can verify it. */
static void describe(const dns_tsig_query_t *q, wall_t now, uint8_t time[DNS_TSIG_TIME_LEN],
                     dns_tsig_rr_t *out)
{
	bool other_time = q->verdict == DNS_TSIG_QUERY_BADTIME;

	dns_tsig_rr_put_time(time, (uint64_t)now.s);
	*out = (dns_tsig_rr_t){
		.owner = q->rr.owner,
		.alg = q->rr.alg,
		.time = other_time ? q->rr.time : (uint64_t)now.s,
		.fudge = DNS_TSIG_FUDGE,
		.error = error_of(q->verdict),
		.mac_len = q->key ? (uint16_t)dns_hmac_len(q->key->hmac.alg) : 0,
		.other = time,
		.other_len = other_time ? DNS_TSIG_TIME_LEN : 0,
	};
}

size_t dns_tsig_query_room(const dns_tsig_query_t *q)
{
	uint8_t time[DNS_TSIG_TIME_LEN];
	dns_tsig_rr_t rr;

	if (q->verdict == DNS_TSIG_QUERY_FORMERR)
		return 0;
	describe(q, (wall_t){ 0 }, time, &rr);
	return dns_tsig_rr_len(&rr);
}

/* RFC 8945 5.3.2: without a key, or with a MAC that is not ours, the answer has an empty one. */
void dns_tsig_query_sign(const dns_tsig_query_t *q, wall_t now, uint8_t *msg, size_t *len)
{
	uint8_t time[DNS_TSIG_TIME_LEN], mac[DNS_HMAC_MAX];
	dns_tsig_rr_t rr;
	dns_hmac_t h;

	describe(q, now, time, &rr);
	rr.original_id = get_u16(msg);
	rr.mac = mac;
	if (q->key) {
		dns_hmac_start(&h, &q->key->hmac);
		dns_tsig_rr_digest_mac(&h, q->rr.mac, q->rr.mac_len);
		dns_tsig_rr_digest_message(&h, msg, *len, get_u16(msg + DNS_ARCOUNT_AT),
		                           rr.original_id);
		dns_tsig_rr_digest_all(&h, &rr);
		dns_hmac_finish(&h, mac);
	}
	status_t st = dns_tsig_rr_put(&rr, msg, len, *len + dns_tsig_rr_len(&rr));
	assert(st == ST_OK);
	(void)st;
}
