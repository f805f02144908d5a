/* dns/tsig.c - keys by name, our signature under a request, and the chain of MACs in its answer. */
#include "dns/tsig.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/tsig_rr.h"
#include "dns/wire.h"

/* --- keys ------------------------------------------------------------------------------------- */

/* RFC 8945 6: MD5 alone has its name from before there was a registry. */
static const struct {
	const char *text, *wire; /* the latter with the root's octet, which ends the string */
} algs[DNS_HMAC_ALGS] = {
	[DNS_HMAC_MD5] = { "hmac-md5", "\010hmac-md5\007sig-alg\003reg\003int" },
	[DNS_HMAC_SHA1] = { "hmac-sha1", "\011hmac-sha1" },
	[DNS_HMAC_SHA224] = { "hmac-sha224", "\013hmac-sha224" },
	[DNS_HMAC_SHA256] = { "hmac-sha256", "\013hmac-sha256" },
	[DNS_HMAC_SHA384] = { "hmac-sha384", "\013hmac-sha384" },
	[DNS_HMAC_SHA512] = { "hmac-sha512", "\013hmac-sha512" },
};

bool dns_tsig_key_is_of(const dns_tsig_key_t *key, const dns_name_t *alg)
{
	const uint8_t *own = dns_tsig_alg_wire(key->hmac.alg);

	return alg->len == dns_wire_len(own) && memcmp(alg->wire, own, alg->len) == 0;
}

const uint8_t *dns_tsig_alg_wire(dns_hmac_alg_t alg)
{
	return (const uint8_t *)algs[alg].wire;
}

status_t dns_tsig_key_make(dns_tsig_key_t *key, const dns_name_t *name, const char *alg,
                           const uint8_t *secret, size_t secret_len)
{
	if (name->len > DNS_TSIG_KEY_NAME_MAX)
		return ST_LIMIT;
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		if (strcmp(alg, algs[i].text) != 0)
			continue;
		key->name = *name;
		key->number = 0;
		dns_hmac_key_make(&key->hmac, (dns_hmac_alg_t)i, secret, secret_len);
		return ST_OK;
	}
	return ST_NOENT;
}

void dns_tsig_key_wipe(dns_tsig_key_t *key)
{
	dns_hmac_wipe(key, sizeof *key);
}

status_t dns_tsig_keys_make(dns_tsig_keys_t *keys, size_t count)
{
	assert(count <= UINT16_MAX);
	*keys = (dns_tsig_keys_t){ .count = count };
	if (count == 0)
		return ST_OK;
	keys->list = calloc(count, sizeof *keys->list);
	keys->by_name = calloc(count, sizeof *keys->by_name);
	return keys->list && keys->by_name ? ST_OK : ST_NOMEM;
}

/* Any order does that is one. */
static int cmp_names(const dns_name_t *a, const dns_name_t *b)
{
	return a->len != b->len ? a->len - b->len : memcmp(a->wire, b->wire, a->len);
}

static int cmp_keys(const void *a, const void *b)
{
	const dns_tsig_key_t *const *x = a, *const *y = b;

	return cmp_names(&(*x)->name, &(*y)->name);
}

void dns_tsig_keys_sort(dns_tsig_keys_t *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		keys->by_name[i] = &keys->list[i];
	if (keys->count > 0)
		qsort(keys->by_name, keys->count, sizeof *keys->by_name, cmp_keys);
}

void dns_tsig_keys_free(dns_tsig_keys_t *keys)
{
	if (keys->list)
		dns_hmac_wipe(keys->list, keys->count * sizeof *keys->list);
	free(keys->list);
	free(keys->by_name);
	*keys = (dns_tsig_keys_t){ 0 };
}

const dns_tsig_key_t *dns_tsig_keys_find(const dns_tsig_keys_t *keys, const dns_name_t *name)
{
	size_t low = 0, high = keys->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int cmp = cmp_names(name, &keys->by_name[middle]->name);

		if (cmp == 0)
			return keys->by_name[middle];
		if (cmp < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* --- a request of ours ------------------------------------------------------------------------ */

status_t dns_tsig_sign(const dns_tsig_key_t *key, wall_t now, uint8_t *msg, size_t *len,
                       size_t room, dns_tsig_mac_t *mac)
{
	dns_tsig_rr_t rr = {
		.owner = key->name,
		.time = (uint64_t)now.s,
		.fudge = DNS_TSIG_FUDGE,
		.original_id = get_u16(msg),
		.mac = mac->octets,
		.mac_len = (uint16_t)dns_hmac_len(key->hmac.alg),
	};
	dns_hmac_t h;

	dns_name_from_wire(dns_tsig_alg_wire(key->hmac.alg), &rr.alg);
	dns_hmac_start(&h, &key->hmac);
	dns_tsig_rr_digest_message(&h, msg, *len, get_u16(msg + DNS_ARCOUNT_AT), rr.original_id);
	dns_tsig_rr_digest_all(&h, &rr);
	dns_hmac_finish(&h, mac->octets);
	mac->len = (uint8_t)rr.mac_len;
	return dns_tsig_rr_put(&rr, msg, len, room);
}

/* --- its answer ------------------------------------------------------------------------------- */

/* RFC 8945 5.3.1: each MAC is part of the next one. */
static void chain(dns_tsig_stream_t *s, const uint8_t *mac, size_t len)
{
	dns_hmac_start(&s->hmac, &s->key->hmac);
	dns_tsig_rr_digest_mac(&s->hmac, mac, len);
	s->unsigned_run = 0;
}

void dns_tsig_stream_start(dns_tsig_stream_t *s, const dns_tsig_key_t *key,
                           const dns_tsig_mac_t *request, bool strict)
{
	s->key = key;
	s->last = DNS_TSIG_OK;
	s->detail = 0;
	s->begun = false;
	s->strict = strict;
	chain(s, request->octets, request->len);
}

void dns_tsig_stream_rekey(dns_tsig_stream_t *s, const dns_tsig_key_t *key)
{
	s->key = key;
	s->hmac.key = &key->hmac;
}

static dns_tsig_outcome_t take_unsigned(dns_tsig_stream_t *s, const uint8_t *msg, size_t len)
{
	if (!s->begun)
		return DNS_TSIG_FIRST_UNSIGNED;
	if (s->strict || s->unsigned_run == DNS_TSIG_UNSIGNED_MAX)
		return DNS_TSIG_TOO_MANY_UNSIGNED;
	s->unsigned_run++;
	dns_hmac_add(&s->hmac, msg, len);
	return DNS_TSIG_UNSIGNED;
}

/* Whose the record says it is, and whether it can be verified at all. */
static dns_tsig_outcome_t check_claim(const dns_tsig_stream_t *s, const dns_tsig_rr_t *rr)
{
	if (rr->mac_len == 0 && rr->error == DNS_TSIG_BADKEY)
		return DNS_TSIG_PEER_BADKEY;
	if (rr->mac_len == 0 && rr->error == DNS_TSIG_BADSIG)
		return DNS_TSIG_PEER_BADSIG;
	if (!dns_name_equal(&rr->owner, &s->key->name))
		return DNS_TSIG_OTHER_KEY;
	if (!dns_tsig_key_is_of(s->key, &rr->alg))
		return DNS_TSIG_OTHER_ALG;
	if (rr->mac_len < dns_hmac_len(s->key->hmac.alg))
		return DNS_TSIG_TRUNCATED;
	return rr->mac_len == dns_hmac_len(s->key->hmac.alg) ? DNS_TSIG_OK : DNS_TSIG_MALFORMED;
}

/* What a record of ours says, now that we know it is the key holder's (RFC 8945 5.4). */
static dns_tsig_outcome_t check_said(dns_tsig_stream_t *s, const dns_tsig_rr_t *rr, wall_t now)
{
	s->detail = rr->error;
	switch (rr->error) {
	case 0:
		break;
	case DNS_TSIG_BADTIME:
		s->detail = 0;
		if (rr->other_len == DNS_TSIG_TIME_LEN)
			s->detail = (int64_t)dns_tsig_rr_time(rr->other) - now.s;
		return DNS_TSIG_PEER_BADTIME;
	case DNS_TSIG_BADTRUNC:
		return DNS_TSIG_PEER_BADTRUNC;
	default:
		return DNS_TSIG_PEER_ERROR;
	}
	s->detail = (int64_t)rr->time - now.s;
	return llabs(s->detail) <= rr->fudge ? DNS_TSIG_OK : DNS_TSIG_WRONG_TIME;
}

static dns_tsig_outcome_t take_signed(dns_tsig_stream_t *s, const uint8_t *msg, size_t len,
                                      wall_t now, dns_tsig_bare_t *bare)
{
	uint8_t mac[DNS_HMAC_MAX];
	dns_tsig_outcome_t o;
	dns_tsig_rr_t rr;

	if (dns_tsig_rr_read(msg, len, bare->len, &rr) != ST_OK)
		return DNS_TSIG_MALFORMED;
	bare->arcount--;
	o = check_claim(s, &rr);
	if (o != DNS_TSIG_OK)
		return o;
	dns_tsig_rr_digest_message(&s->hmac, msg, bare->len, bare->arcount, rr.original_id);
	if (s->begun)
		dns_tsig_rr_digest_timers(&s->hmac, &rr);
	else
		dns_tsig_rr_digest_all(&s->hmac, &rr);
	dns_hmac_finish(&s->hmac, mac);
	if (!dns_hmac_equal(mac, rr.mac, rr.mac_len))
		return DNS_TSIG_WRONG_MAC;
	chain(s, mac, rr.mac_len);
	return check_said(s, &rr, now);
}

dns_tsig_outcome_t dns_tsig_stream_feed(dns_tsig_stream_t *s, const uint8_t *msg, size_t len,
                                        wall_t now, dns_tsig_bare_t *bare)
{
	size_t at = 0;

	*bare = (dns_tsig_bare_t){ .len = len };
	if (s->last != DNS_TSIG_OK && s->last != DNS_TSIG_UNSIGNED)
		return s->last;
	if (dns_tsig_rr_find(msg, len, &at) != ST_OK) {
		s->last = DNS_TSIG_MALFORMED;
		return s->last;
	}
	bare->arcount = get_u16(msg + DNS_ARCOUNT_AT);
	if (at == 0) {
		s->last = take_unsigned(s, msg, len);
	} else {
		bare->len = at;
		s->last = take_signed(s, msg, len, now, bare);
	}
	s->begun = true;
	return s->last;
}

dns_tsig_outcome_t dns_tsig_stream_finish(const dns_tsig_stream_t *s)
{
	if (!s->begun || s->last == DNS_TSIG_UNSIGNED)
		return DNS_TSIG_LAST_UNSIGNED;
	return s->last;
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *const texts[] = {
	[DNS_TSIG_OK] = "verified",
	[DNS_TSIG_UNSIGNED] = "not signed itself",
	[DNS_TSIG_FIRST_UNSIGNED] = "the first message is not signed",
	[DNS_TSIG_TOO_MANY_UNSIGNED] = "too many messages in a row are not signed",
	[DNS_TSIG_LAST_UNSIGNED] = "the last message is not signed",
	[DNS_TSIG_MALFORMED] = "TSIG malformed, or not the last record",
	[DNS_TSIG_OTHER_KEY] = "signed by a key of another name",
	[DNS_TSIG_OTHER_ALG] = "signed by another algorithm",
	[DNS_TSIG_TRUNCATED] = "its MAC is cut short",
	[DNS_TSIG_WRONG_MAC] = "its MAC is wrong: changed on the way, or another secret",
	[DNS_TSIG_WRONG_TIME] = "signed at another time",
	[DNS_TSIG_PEER_BADKEY] =
		"BADKEY: the primary does not know our key, or not by this algorithm",
	[DNS_TSIG_PEER_BADSIG] = "BADSIG: the primary finds our MAC wrong; do the secrets differ?",
	[DNS_TSIG_PEER_BADTIME] = "BADTIME",
	[DNS_TSIG_PEER_BADTRUNC] = "BADTRUNC: the primary finds our MAC too short",
	[DNS_TSIG_PEER_ERROR] = "the primary reports a TSIG error",
};

const char *dns_tsig_text(dns_tsig_outcome_t outcome, int64_t detail, char out[DNS_TSIG_TEXT_MAX])
{
	const char *text = texts[outcome];

	if (outcome == DNS_TSIG_WRONG_TIME || outcome == DNS_TSIG_PEER_BADTIME)
		snprintf(out, DNS_TSIG_TEXT_MAX, "%s: the primary's clock is %" PRId64 " s %s ours",
		         text, detail < 0 ? -detail : detail, detail < 0 ? "behind" : "ahead of");
	else if (outcome == DNS_TSIG_PEER_ERROR)
		snprintf(out, DNS_TSIG_TEXT_MAX, "%s, number %" PRId64, text, detail);
	else
		snprintf(out, DNS_TSIG_TEXT_MAX, "%s", text);
	return out;
}
