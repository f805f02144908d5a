/* tests/unit/dns/test_tsig.c - both ends of TSIG, against others' vectors and against each other. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/tsig.h"
#include "dns/tsig_query.h"
#include "dns/wire.h"
#include "tsig_vectors.h"

TestSuite(dns_tsig, .timeout = 20);

enum { ROOM = 2048 };

static const char *const algs[] = { "hmac-md5",    "hmac-sha1",   "hmac-sha224",
	                            "hmac-sha256", "hmac-sha384", "hmac-sha512" };
static const wall_t now = { 1700000000 };

typedef struct message {
	size_t len;
	uint8_t octets[ROOM];
} message_t;

static dns_name_t name_of(const char *text)
{
	dns_name_t name;

	cr_assert(eq(int, dns_name_from_text(text, &name), ST_OK));
	dns_name_fold(&name);
	return name;
}

static dns_tsig_key_t make_key(const char *name, const char *alg, const char *secret)
{
	dns_name_t n = name_of(name);
	dns_tsig_key_t key;

	cr_assert(eq(int, dns_tsig_key_make(&key, &n, alg, (const uint8_t *)secret, strlen(secret)),
	             ST_OK));
	return key;
}

/* "key-hmac-sha256" and its like, for each algorithm. */
static void make_keys(dns_tsig_keys_t *keys, const char *secret)
{
	char name[32];

	cr_assert(eq(int, dns_tsig_keys_make(keys, ARRAY_LEN(algs)), ST_OK));
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		snprintf(name, sizeof name, "Key-%s", algs[i]);
		keys->list[i] = make_key(name, algs[i], secret);
	}
	dns_tsig_keys_sort(keys);
}

/* A message of one question and one record, or of the record alone. */
static message_t plain(unsigned id, unsigned flags, bool question)
{
	static const uint8_t ask[] = "\1e\0\0\6\0\1";
	static const uint8_t record[] = "\1e\0\0\2\0\1\0\0\1\54\0\4\1n\300\14";
	message_t m = { 0 };
	bufw_t w = bufw_over(m.octets, ROOM);

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

static message_t request_of(const dns_tsig_key_t *key, wall_t at, dns_tsig_mac_t *mac)
{
	message_t m = plain(0x1234, 0, true);

	cr_assert(eq(int, dns_tsig_sign(key, at, m.octets, &m.len, ROOM, mac), ST_OK));
	return m;
}

/* From memory of exactly its length, so that ASan sees a read behind it. */
static dns_tsig_verdict_t check(const dns_tsig_keys_t *keys, const message_t *m, wall_t at,
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

static dns_tsig_outcome_t feed(dns_tsig_stream_t *s, const message_t *m, wall_t at,
                               dns_tsig_bare_t *bare)
{
	uint8_t *kept = malloc(m->len ? m->len : 1);

	memcpy(kept, m->octets, m->len);
	dns_tsig_outcome_t o = dns_tsig_stream_feed(s, kept, m->len, at, bare);
	free(kept);
	return o;
}

static message_t unhex(const char *text)
{
	message_t m = { .len = strlen(text) / 2 };

	cr_assert(le(sz, m.len, (size_t)ROOM));
	for (size_t i = 0; i < m.len; i++)
		cr_assert(eq(int, sscanf(text + 2 * i, "%2hhx", &m.octets[i]), 1));
	return m;
}

/* --- vectors ---------------------------------------------------------------------------------- */

Test(dns_tsig, agrees_with_dig_kdig_named_knotd_and_dnspython)
{
	dns_tsig_keys_t keys;

	make_keys(&keys, TSIG_VECTORS_SECRET);
	for (size_t i = 0; i < ARRAY_LEN(tsig_vectors); i++) {
		const wall_t at = { tsig_vectors[i].at };
		message_t request = unhex(tsig_vectors[i].request);
		dns_tsig_stream_t s, strict;
		dns_tsig_query_t q;
		dns_tsig_mac_t mac;
		bool all_signed = true;

		cr_expect(eq(int, check(&keys, &request, at, &q), DNS_TSIG_QUERY_OK), "%s",
		          tsig_vectors[i].why);
		mac.len = (uint8_t)q.rr.mac_len;
		memcpy(mac.octets, q.rr.mac, mac.len);
		dns_tsig_stream_start(&s, q.key, &mac, false);
		dns_tsig_stream_start(&strict, q.key, &mac, true);
		for (size_t n = 0; tsig_vectors[i].answer[n]; n++) {
			message_t m = unhex(tsig_vectors[i].answer[n]);
			dns_tsig_bare_t bare;
			dns_tsig_outcome_t o = feed(&s, &m, at, &bare);
			unsigned additional = get_u16(m.octets + DNS_ARCOUNT_AT);
			bool has = additional > 0;

			all_signed = all_signed && has;
			cr_expect(eq(int, o, has ? DNS_TSIG_OK : DNS_TSIG_UNSIGNED), "%s, %zu",
			          tsig_vectors[i].why, n);
			cr_expect(has ? bare.len < m.len : bare.len == m.len);
			cr_expect(eq(int, bare.arcount, additional - has));
			feed(&strict, &m, at, &bare);
		}
		cr_expect(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK), "%s",
		          tsig_vectors[i].why);
		cr_expect(eq(int, dns_tsig_stream_finish(&strict),
		             all_signed ? DNS_TSIG_OK : DNS_TSIG_TOO_MANY_UNSIGNED),
		          "%s", tsig_vectors[i].why);
	}
	dns_tsig_keys_free(&keys);
}

/* dnspython writes MD5's name in capitals. */
static bool same_but_for_case(const message_t *a, const message_t *b)
{
	bool same = a->len == b->len;

	for (size_t i = 0; same && i < a->len; i++)
		same = dns_fold(a->octets[i]) == dns_fold(b->octets[i]);
	return same;
}

/* Others' requests, made again by us at their time: the same octets. */
Test(dns_tsig, signs_as_others_do)
{
	dns_tsig_keys_t keys;

	make_keys(&keys, TSIG_VECTORS_SECRET);
	for (size_t i = 0; i < ARRAY_LEN(tsig_vectors); i++) {
		message_t theirs = unhex(tsig_vectors[i].request), ours = theirs;
		dns_tsig_query_t q;
		dns_tsig_mac_t mac;

		cr_assert(eq(int, check(&keys, &theirs, (wall_t){ tsig_vectors[i].at }, &q),
		             DNS_TSIG_QUERY_OK));
		cr_assert(eq(int, dns_tsig_rr_find(ours.octets, theirs.len, &ours.len), ST_OK));
		put_u16(ours.octets + DNS_ARCOUNT_AT, get_u16(ours.octets + DNS_ARCOUNT_AT) - 1u);
		cr_assert(eq(int,
		             dns_tsig_sign(q.key, (wall_t){ (int64_t)q.rr.time }, ours.octets,
		                           &ours.len, ROOM, &mac),
		             ST_OK));
		cr_expect(same_but_for_case(&ours, &theirs), "%s", tsig_vectors[i].why);
	}
	dns_tsig_keys_free(&keys);
}

/* --- a stream of our own making --------------------------------------------------------------- */

/* A server that signs when it is told to. */
typedef struct server {
	const dns_tsig_key_t *key;
	dns_hmac_t hmac;
	bool first;
	uint8_t sent; /* messages, no two of which are alike */
} server_t;

static server_t server_for(const dns_tsig_key_t *key, const dns_tsig_mac_t *request)
{
	server_t s = { .key = key, .first = true };

	dns_hmac_start(&s.hmac, &key->hmac);
	dns_tsig_rr_digest_mac(&s.hmac, request->octets, request->len);
	return s;
}

static message_t answer(server_t *s, bool sign, wall_t at)
{
	message_t m = plain(0x1234, DNS_QR | DNS_AA, s->first);
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
	cr_assert(eq(int, dns_tsig_rr_put(&rr, m.octets, &m.len, ROOM), ST_OK));
	return m;
}

static const struct {
	const char *why, *shape; /* a letter per message: S signed, digits: so many unsigned */
	bool strict;
	dns_tsig_outcome_t want;
} shapes[] = {
	{ "one answer", "S", false, DNS_TSIG_OK },
	{ "all signed", "SSSS", true, DNS_TSIG_OK },
	{ "nothing came", "", false, DNS_TSIG_LAST_UNSIGNED },
	{ "one that is not signed", "1", false, DNS_TSIG_FIRST_UNSIGNED },
	{ "the first one is not signed", "1S", false, DNS_TSIG_FIRST_UNSIGNED },
	{ "the last one is not signed", "SS1", false, DNS_TSIG_LAST_UNSIGNED },
	{ "99 in between, twice", "S99S99S", false, DNS_TSIG_OK },
	{ "100 in between", "S100S", false, DNS_TSIG_TOO_MANY_UNSIGNED },
	{ "100 in between, later on", "S99S100S", false, DNS_TSIG_TOO_MANY_UNSIGNED },
	{ "one in between where all must be signed", "SS1S", true, DNS_TSIG_TOO_MANY_UNSIGNED },
};

Test(dns_tsig, wants_the_first_and_the_last_signed_and_99_in_between_at_most)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		for (size_t a = 0; a < ARRAY_LEN(algs); a++) {
			dns_tsig_key_t key = make_key("k.", algs[a], "secret");
			dns_tsig_mac_t mac;
			dns_tsig_stream_t s;
			dns_tsig_bare_t bare;

			request_of(&key, now, &mac);
			server_t server = server_for(&key, &mac);
			dns_tsig_stream_start(&s, &key, &mac, shapes[i].strict);
			for (const char *p = shapes[i].shape; *p;) {
				bool sign = *p == 'S';
				long n = sign ? (p++, 1) : strtol(p, (char **)&p, 10);

				for (; n > 0; n--) {
					message_t m = answer(&server, sign, now);

					feed(&s, &m, now, &bare);
				}
			}
			cr_expect(eq(int, dns_tsig_stream_finish(&s), shapes[i].want), "%s, %s",
			          shapes[i].why, algs[a]);
		}
	}
}

Test(dns_tsig, stays_failed)
{
	dns_tsig_key_t key = make_key("k.", "hmac-sha256", "secret");
	dns_tsig_mac_t mac;
	dns_tsig_stream_t s, copy;
	dns_tsig_bare_t bare;

	request_of(&key, now, &mac);
	server_t server = server_for(&key, &mac);
	message_t one = answer(&server, true, now), two = answer(&server, true, now);

	dns_tsig_stream_start(&s, &key, &mac, false);
	copy = s;
	cr_expect(eq(int, feed(&s, &two, now, &bare), DNS_TSIG_WRONG_MAC));
	cr_expect(eq(int, feed(&s, &one, now, &bare), DNS_TSIG_WRONG_MAC));
	cr_expect(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_WRONG_MAC));
	/* Of UDP answers, one that anybody sent spoils nothing for the next. */
	cr_expect(eq(int, feed(&copy, &one, now, &bare), DNS_TSIG_OK));
	cr_expect(eq(int, feed(&copy, &one, now, &bare), DNS_TSIG_WRONG_MAC), "a replay");
}

Test(dns_tsig, wants_each_time_near_ours_but_not_growing)
{
	static const struct {
		int64_t first, second; /* of the messages, beside our time */
		dns_tsig_outcome_t want;
		int64_t detail;
	} cases[] = {
		{ 0, 0, DNS_TSIG_OK, 0 },
		{ 300, 300, DNS_TSIG_OK, 300 },
		{ -300, -300, DNS_TSIG_OK, -300 },
		{ 100, -100, DNS_TSIG_OK, -100 },
		{ 301, 0, DNS_TSIG_WRONG_TIME, 301 },
		{ -301, 0, DNS_TSIG_WRONG_TIME, -301 },
		{ 0, 4000, DNS_TSIG_WRONG_TIME, 4000 },
		{ 0, -4000, DNS_TSIG_WRONG_TIME, -4000 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		dns_tsig_key_t key = make_key("k.", "hmac-sha512", "secret");
		dns_tsig_mac_t mac;
		dns_tsig_stream_t s;
		dns_tsig_bare_t bare;

		request_of(&key, now, &mac);
		server_t server = server_for(&key, &mac);
		message_t m[2];
		m[0] = answer(&server, true, (wall_t){ now.s + cases[i].first });
		m[1] = answer(&server, true, (wall_t){ now.s + cases[i].second });
		dns_tsig_stream_start(&s, &key, &mac, true);
		feed(&s, &m[0], now, &bare);
		feed(&s, &m[1], now, &bare);
		cr_expect(eq(int, dns_tsig_stream_finish(&s), cases[i].want), "case %zu", i);
		cr_expect(eq(i64, s.detail, cases[i].detail), "case %zu", i);
	}
}

/* --- tampering -------------------------------------------------------------------------------- */

/* The id of a message is not covered: it may change on the way, which is what the original one is
 * for (RFC 8945 5.2). And the case of names is not (RFC 8945 4.3.3). */
static bool counts(const message_t *m, size_t i, uint8_t flip)
{
	return i >= 2 && !(flip == 0x20 && m->octets[i] >= 'A');
}

static const uint8_t flips[] = { 0x01, 0x20, 0x80, 0xff };

Test(dns_tsig, misses_no_changed_octet_of_a_request)
{
	dns_tsig_keys_t keys;

	make_keys(&keys, "secret");
	for (size_t a = 0; a < ARRAY_LEN(algs); a++) {
		dns_tsig_query_t q;
		dns_tsig_mac_t mac;
		message_t m = request_of(&keys.list[a], now, &mac);

		cr_assert(eq(int, check(&keys, &m, now, &q), DNS_TSIG_QUERY_OK));
		cr_expect(q.key == &keys.list[a]);
		for (size_t i = 0; i < m.len * ARRAY_LEN(flips); i++) {
			size_t at = i / ARRAY_LEN(flips);
			uint8_t flip = flips[i % ARRAY_LEN(flips)];

			m.octets[at] ^= flip;
			if (counts(&m, at, flip))
				cr_expect(ne(int, check(&keys, &m, now, &q), DNS_TSIG_QUERY_OK),
				          "%s, octet %zu", algs[a], at);
			m.octets[at] ^= flip;
		}
		m.octets[0] ^= 0xff;
		cr_expect(eq(int, check(&keys, &m, now, &q), DNS_TSIG_QUERY_OK), "another id");
		for (m.len--; m.len > 0; m.len--)
			cr_expect(eq(int, check(&keys, &m, now, &q), DNS_TSIG_QUERY_FORMERR));
	}
	dns_tsig_keys_free(&keys);
}

/* Any message of three that is changed in any octet, or not whole, or followed by another octet;
 * the one in the middle is not signed itself. */
Test(dns_tsig, misses_no_changed_octet_of_an_answer)
{
	dns_tsig_key_t key = make_key("k.", "hmac-sha256", "secret");
	dns_tsig_mac_t mac;
	dns_tsig_stream_t start, s;
	dns_tsig_bare_t bare;

	request_of(&key, now, &mac);
	server_t server = server_for(&key, &mac);
	message_t m[3];
	for (size_t n = 0; n < 3; n++)
		m[n] = answer(&server, n != 1, now);
	dns_tsig_stream_start(&start, &key, &mac, false);
	for (size_t n = 0; n < 3; n++) {
		for (size_t i = 0; i < m[n].len * ARRAY_LEN(flips); i++) {
			size_t at = i / ARRAY_LEN(flips);
			uint8_t flip = flips[i % ARRAY_LEN(flips)];

			/* The one in the middle is covered as it is. */
			if (n != 1 && !counts(&m[n], at, flip))
				continue;
			m[n].octets[at] ^= flip;
			s = start;
			for (size_t k = 0; k < 3; k++)
				feed(&s, &m[k], now, &bare);
			cr_expect(ne(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK),
			          "message %zu, octet %zu", n, at);
			m[n].octets[at] ^= flip;
		}
		for (size_t whole = m[n].len, len = 0; len <= whole + 1; len++) {
			m[n].len = len;
			s = start;
			for (size_t k = 0; k < 3; k++)
				feed(&s, &m[k], now, &bare);
			cr_expect(eq(int, dns_tsig_stream_finish(&s) == DNS_TSIG_OK, len == whole),
			          "message %zu, %zu octets", n, len);
			m[n].len = whole;
		}
	}
}

/* Any way of leaving one out, doubling it or turning two round. */
Test(dns_tsig, misses_no_message_that_is_not_in_its_place)
{
	static const char *const orders[] = {
		"013", "012", "0023", "1023", "0213", "01123", "123"
	};
	dns_tsig_key_t key = make_key("k.", "hmac-sha1", "secret");
	dns_tsig_mac_t mac;
	dns_tsig_stream_t start, s;
	dns_tsig_bare_t bare;

	request_of(&key, now, &mac);
	server_t server = server_for(&key, &mac);
	message_t m[4];
	for (size_t n = 0; n < 4; n++)
		m[n] = answer(&server, n == 0 || n == 3, now);
	dns_tsig_stream_start(&start, &key, &mac, false);
	s = start;
	for (size_t n = 0; n < 4; n++)
		feed(&s, &m[n], now, &bare);
	cr_assert(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK));
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		s = start;
		for (const char *p = orders[i]; *p; p++)
			feed(&s, &m[*p - '0'], now, &bare);
		cr_expect(ne(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK), "%s", orders[i]);
	}
}

/* --- what is no TSIG of ours ------------------------------------------------------------------ */

/* The record at the end of a signed message, and places in it. */
typedef enum spoil {
	SPOIL_CLASS,
	SPOIL_TTL,
	SPOIL_TWICE,
	SPOIL_NOT_LAST,
	SPOIL_ANSWER,
	SPOIL_RDLENGTH,
	SPOIL_MAC_CUT,
	SPOIL_MAC_LONG,
	SPOIL_NO_MAC,
} spoil_t;

static void remake(message_t *m, size_t at, const dns_tsig_rr_t *rr)
{
	m->len = at;
	put_u16(m->octets + DNS_ARCOUNT_AT, 0);
	cr_assert(eq(int, dns_tsig_rr_put(rr, m->octets, &m->len, ROOM), ST_OK));
}

static void spoil(message_t *m, spoil_t how)
{
	static const uint8_t opt[] = { 0, 0, DNS_TYPE_OPT, 4, 0xd0, 0, 0, 0, 0, 0, 0 };
	message_t was = *m;
	uint8_t mac[DNS_HMAC_MAX + 1] = { 0 };
	dns_tsig_rr_t rr;
	size_t at;

	cr_assert(eq(int, dns_tsig_rr_find(was.octets, was.len, &at), ST_OK));
	cr_assert(eq(int, dns_tsig_rr_read(was.octets, was.len, at, &rr), ST_OK));
	uint8_t *fixed = m->octets + at + rr.owner.len;
	switch (how) {
	case SPOIL_CLASS:
		put_u16(fixed + 2, DNS_CLASS_IN);
		break;
	case SPOIL_TTL:
		put_u32(fixed + 4, 1);
		break;
	case SPOIL_TWICE:
		memcpy(m->octets + m->len, m->octets + at, m->len - at);
		m->len += m->len - at;
		put_u16(m->octets + DNS_ARCOUNT_AT, 2);
		break;
	case SPOIL_NOT_LAST:
		memcpy(m->octets + m->len, opt, sizeof opt);
		m->len += sizeof opt;
		put_u16(m->octets + DNS_ARCOUNT_AT, 2);
		break;
	case SPOIL_ANSWER:
		put_u16(m->octets + 6, get_u16(m->octets + 6) + 1u);
		put_u16(m->octets + DNS_ARCOUNT_AT, 0);
		break;
	case SPOIL_RDLENGTH:
		put_u16(fixed + 8, get_u16(fixed + 8) + 1u);
		m->octets[m->len++] = 0;
		break;
	case SPOIL_MAC_CUT:
		rr.mac_len = 16;
		remake(m, at, &rr);
		break;
	case SPOIL_MAC_LONG:
		memcpy(mac, rr.mac, rr.mac_len);
		rr.mac = mac;
		rr.mac_len++;
		remake(m, at, &rr);
		break;
	case SPOIL_NO_MAC:
		rr.mac_len = 0;
		remake(m, at, &rr);
		break;
	}
}

static const struct {
	const char *why;
	spoil_t how;
	dns_tsig_outcome_t answer;
	dns_tsig_verdict_t query;
} spoiled[] = {
	{ "class IN", SPOIL_CLASS, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "a TTL", SPOIL_TTL, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "two of them", SPOIL_TWICE, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "OPT behind it", SPOIL_NOT_LAST, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "in the answer section", SPOIL_ANSWER, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "an octet more than it says", SPOIL_RDLENGTH, DNS_TSIG_MALFORMED,
	  DNS_TSIG_QUERY_FORMERR },
	{ "half of the MAC", SPOIL_MAC_CUT, DNS_TSIG_TRUNCATED, DNS_TSIG_QUERY_BADTRUNC },
	{ "a MAC that is too long", SPOIL_MAC_LONG, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "an empty MAC", SPOIL_NO_MAC, DNS_TSIG_TRUNCATED, DNS_TSIG_QUERY_FORMERR },
};

Test(dns_tsig, refuses_records_that_are_not_as_they_must_be)
{
	dns_tsig_keys_t keys;
	const dns_tsig_key_t *key;
	dns_tsig_mac_t mac;
	dns_tsig_stream_t s;
	dns_tsig_bare_t bare;
	dns_tsig_query_t q;

	make_keys(&keys, "secret");
	key = &keys.list[3];
	for (size_t i = 0; i < ARRAY_LEN(spoiled); i++) {
		message_t request = request_of(key, now, &mac);
		server_t server = server_for(key, &mac);
		message_t m = answer(&server, true, now);

		spoil(&request, spoiled[i].how);
		cr_expect(eq(int, check(&keys, &request, now, &q), spoiled[i].query), "%s",
		          spoiled[i].why);
		spoil(&m, spoiled[i].how);
		dns_tsig_stream_start(&s, key, &mac, false);
		cr_expect(eq(int, feed(&s, &m, now, &bare), spoiled[i].answer), "%s",
		          spoiled[i].why);
	}
	dns_tsig_keys_free(&keys);
}

Test(dns_tsig, takes_no_other_key_and_no_other_algorithm)
{
	dns_tsig_key_t key = make_key("k.", "hmac-sha256", "secret"),
		       other = make_key("l.", "hmac-sha256", "secret"),
		       alg = make_key("k.", "hmac-sha512", "secret"),
		       secret = make_key("k.", "hmac-sha256", "Secret");
	const struct {
		const dns_tsig_key_t *key;
		dns_tsig_outcome_t want;
	} cases[] = {
		{ &other, DNS_TSIG_OTHER_KEY },
		{ &alg, DNS_TSIG_OTHER_ALG },
		{ &secret, DNS_TSIG_WRONG_MAC },
		{ &key, DNS_TSIG_OK },
	};
	dns_tsig_mac_t mac;
	dns_tsig_stream_t s;
	dns_tsig_bare_t bare;

	request_of(&key, now, &mac);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		server_t server = server_for(cases[i].key, &mac);
		message_t m = answer(&server, true, now);

		dns_tsig_stream_start(&s, &key, &mac, false);
		cr_expect(eq(int, feed(&s, &m, now, &bare), cases[i].want), "case %zu", i);
	}
	cr_expect(eq(int, dns_tsig_key_make(&key, &key.name, "hmac-sha3", NULL, 0), ST_NOENT));
	dns_name_t longer =
		name_of("a23456789012345678901234567890123456789012345678901234567890123."
	                "a234567890123456789012345678901234567890123456789012345");
	cr_expect(eq(int, longer.len, DNS_TSIG_KEY_NAME_MAX + 1));
	cr_expect(eq(int, dns_tsig_key_make(&key, &longer, "hmac-sha256", NULL, 0), ST_LIMIT));
}

/* --- both ends -------------------------------------------------------------------------------- */

/* An answer, whatever it says. */
static message_t respond(const dns_tsig_query_t *q, wall_t at)
{
	message_t m = plain(0x1234, DNS_QR | DNS_RCODE_NOTAUTH, true);
	size_t before = m.len;

	dns_tsig_query_sign(q, at, m.octets, &m.len);
	cr_expect(eq(sz, m.len - before, dns_tsig_query_room(q)));
	return m;
}

Test(dns_tsig, tells_the_other_end_what_is_wrong)
{
	static const struct {
		const char *why, *name, *alg, *secret;
		int64_t skew; /* of the client's clock */
		dns_tsig_verdict_t verdict;
		dns_tsig_outcome_t outcome;
		int64_t detail;
	} cases[] = {
		{ "all well", "key-hmac-sha224", "hmac-sha224", "secret", 0, DNS_TSIG_QUERY_OK,
		  DNS_TSIG_OK, 0 },
		{ "clocks that differ by little", "key-hmac-md5", "hmac-md5", "secret", 300,
		  DNS_TSIG_QUERY_OK, DNS_TSIG_OK, -300 },
		{ "a clock too far ahead", "key-hmac-sha384", "hmac-sha384", "secret", 301,
		  DNS_TSIG_QUERY_BADTIME, DNS_TSIG_PEER_BADTIME, -301 },
		{ "a clock of long ago", "key-hmac-sha1", "hmac-sha1", "secret", -now.s,
		  DNS_TSIG_QUERY_BADTIME, DNS_TSIG_PEER_BADTIME, now.s },
		{ "no such key", "key", "hmac-sha256", "secret", 0, DNS_TSIG_QUERY_BADKEY,
		  DNS_TSIG_PEER_BADKEY, 0 },
		{ "not by this algorithm", "key-hmac-sha256", "hmac-sha512", "secret", 0,
		  DNS_TSIG_QUERY_BADKEY, DNS_TSIG_PEER_BADKEY, 0 },
		{ "another secret", "key-hmac-sha256", "hmac-sha256", "secrets", 0,
		  DNS_TSIG_QUERY_BADSIG, DNS_TSIG_PEER_BADSIG, 0 },
	};
	dns_tsig_keys_t keys;

	make_keys(&keys, "secret");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		dns_tsig_key_t key = make_key(cases[i].name, cases[i].alg, cases[i].secret);
		const wall_t theirs = { now.s + cases[i].skew };
		dns_tsig_stream_t s;
		dns_tsig_mac_t mac;
		dns_tsig_query_t q;
		dns_tsig_bare_t bare;
		message_t request = request_of(&key, theirs, &mac);

		cr_expect(eq(int, check(&keys, &request, now, &q), cases[i].verdict), "%s",
		          cases[i].why);
		message_t m = respond(&q, now);
		dns_tsig_stream_start(&s, &key, &mac, false);
		cr_expect(eq(int, feed(&s, &m, theirs, &bare), cases[i].outcome), "%s",
		          cases[i].why);
		cr_expect(eq(i64, s.detail, cases[i].detail), "%s", cases[i].why);
	}
	dns_tsig_keys_free(&keys);
}

/* RFC 8945 5.2.4: told with a signature, made over the MAC as it came. */
Test(dns_tsig, tells_of_a_mac_that_is_cut_short_signed)
{
	dns_tsig_keys_t keys;
	dns_tsig_query_t q;
	dns_tsig_stream_t s;
	dns_tsig_bare_t bare;
	dns_tsig_mac_t mac;

	make_keys(&keys, "secret");
	message_t request = request_of(&keys.list[3], now, &mac);
	spoil(&request, SPOIL_MAC_CUT);
	mac.len = 16;
	cr_assert(eq(int, check(&keys, &request, now, &q), DNS_TSIG_QUERY_BADTRUNC));
	message_t m = respond(&q, now);
	dns_tsig_stream_start(&s, &keys.list[3], &mac, false);
	cr_expect(eq(int, feed(&s, &m, now, &bare), DNS_TSIG_PEER_BADTRUNC));
	dns_tsig_keys_free(&keys);
}

Test(dns_tsig, finds_each_key_of_many_by_its_name)
{
	enum { COUNT = 300 };
	dns_tsig_keys_t keys;
	dns_name_t name;
	char text[32];

	cr_assert(eq(int, dns_tsig_keys_make(&keys, COUNT), ST_OK));
	for (int i = 0; i < COUNT; i++) {
		snprintf(text, sizeof text, "k%d.%s", i * 7919 % COUNT, i % 2 ? "" : "example.");
		keys.list[i] = make_key(text, "hmac-sha256", text);
	}
	dns_tsig_keys_sort(&keys);
	for (int i = 0; i < COUNT; i++) {
		cr_expect(dns_tsig_keys_find(&keys, &keys.list[i].name) == &keys.list[i]);
		cr_expect(eq(int, keys.list[i].number, i + 1));
	}
	name = name_of("k.");
	cr_expect(dns_tsig_keys_find(&keys, &name) == NULL);
	dns_tsig_keys_free(&keys);
	cr_expect(dns_tsig_keys_find(&keys, &name) == NULL);
	cr_assert(eq(int, dns_tsig_keys_make(&keys, 0), ST_OK));
	dns_tsig_keys_sort(&keys);
	cr_expect(dns_tsig_keys_find(&keys, &name) == NULL);
	dns_tsig_keys_free(&keys);
}

Test(dns_tsig, writes_nothing_where_there_is_no_room)
{
	dns_tsig_key_t key = make_key("k.", "hmac-sha256", "secret");
	message_t m = plain(1, 0, true);
	dns_tsig_mac_t mac;
	size_t len = m.len;

	message_t whole = request_of(&key, now, &mac);
	cr_expect(
		eq(int, dns_tsig_sign(&key, now, m.octets, &m.len, whole.len - 1, &mac), ST_LIMIT));
	cr_expect(eq(sz, m.len, len));
	cr_expect(eq(int, get_u16(m.octets + DNS_ARCOUNT_AT), 0));
	cr_expect(eq(int, dns_tsig_sign(&key, now, m.octets, &m.len, whole.len, &mac), ST_OK));
}

Test(dns_tsig, says_in_words_what_happened)
{
	char text[DNS_TSIG_TEXT_MAX];

	for (int o = 0; o <= DNS_TSIG_PEER_ERROR; o++) {
		dns_tsig_text((dns_tsig_outcome_t)o, 0, text);
		cr_expect(gt(sz, strlen(text), 7), "%d", o);
		cr_expect(strchr(text, '"') == NULL);
	}
	cr_expect(strcmp(dns_tsig_text(DNS_TSIG_WRONG_TIME, -1234, text),
	                 "signed at another time: the primary's clock is 1234 s behind ours") == 0);
	cr_expect(strcmp(dns_tsig_text(DNS_TSIG_PEER_BADTIME, 301, text),
	                 "BADTIME: the primary's clock is 301 s ahead of ours") == 0);
	cr_expect(strcmp(dns_tsig_text(DNS_TSIG_PEER_ERROR, 21, text),
	                 "the primary reports a TSIG error, number 21") == 0);
}
