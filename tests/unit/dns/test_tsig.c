/* tests/unit/dns/test_tsig.c - keys, requests that we sign, answers that we verify: against others'
 * vectors, and against a server of the tests' own. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/wire.h"
#include "tsig_ends.h"
#include "tsig_vectors.h"

TestSuite(dns_tsig, .timeout = 20);

/* --- vectors ---------------------------------------------------------------------------------- */

Test(dns_tsig, agrees_with_dig_kdig_named_knotd_and_dnspython)
{
	dns_tsig_keys_t keys;

	ends_keys(&keys, TSIG_VECTORS_SECRET);
	for (size_t i = 0; i < ARRAY_LEN(tsig_vectors); i++) {
		const wall_t at = { tsig_vectors[i].at };
		ends_message_t request = ends_unhex(tsig_vectors[i].request);
		dns_tsig_stream_t s, strict;
		dns_tsig_query_t q;
		dns_tsig_mac_t mac;
		bool all_signed = true;

		cr_expect(eq(int, ends_check(&keys, &request, at, &q), DNS_TSIG_QUERY_OK), "%s",
		          tsig_vectors[i].why);
		mac.len = (uint8_t)q.rr.mac_len;
		memcpy(mac.octets, q.rr.mac, mac.len);
		dns_tsig_stream_start(&s, q.key, &mac, false);
		dns_tsig_stream_start(&strict, q.key, &mac, true);
		for (size_t n = 0; tsig_vectors[i].answer[n]; n++) {
			ends_message_t m = ends_unhex(tsig_vectors[i].answer[n]);
			dns_tsig_bare_t bare;
			dns_tsig_outcome_t o = ends_feed(&s, &m, at, &bare);
			unsigned additional = get_u16(m.octets + DNS_ARCOUNT_AT);
			bool has = additional > 0;

			all_signed = all_signed && has;
			cr_expect(eq(int, o, has ? DNS_TSIG_OK : DNS_TSIG_UNSIGNED), "%s, %zu",
			          tsig_vectors[i].why, n);
			cr_expect(has ? bare.len < m.len : bare.len == m.len);
			cr_expect(eq(int, bare.arcount, additional - has));
			ends_feed(&strict, &m, at, &bare);
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
static bool same_but_for_case(const ends_message_t *a, const ends_message_t *b)
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

	ends_keys(&keys, TSIG_VECTORS_SECRET);
	for (size_t i = 0; i < ARRAY_LEN(tsig_vectors); i++) {
		ends_message_t theirs = ends_unhex(tsig_vectors[i].request), ours = theirs;
		dns_tsig_query_t q;
		dns_tsig_mac_t mac;

		cr_assert(eq(int, ends_check(&keys, &theirs, (wall_t){ tsig_vectors[i].at }, &q),
		             DNS_TSIG_QUERY_OK));
		cr_assert(eq(int, dns_tsig_rr_find(ours.octets, theirs.len, &ours.len), ST_OK));
		put_u16(ours.octets + DNS_ARCOUNT_AT, get_u16(ours.octets + DNS_ARCOUNT_AT) - 1u);
		cr_assert(eq(int,
		             dns_tsig_sign(q.key, (wall_t){ (int64_t)q.rr.time }, ours.octets,
		                           &ours.len, ENDS_ROOM, &mac),
		             ST_OK));
		cr_expect(same_but_for_case(&ours, &theirs), "%s", tsig_vectors[i].why);
	}
	dns_tsig_keys_free(&keys);
}
/* --- a stream of our own making --------------------------------------------------------------- */
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
		for (size_t a = 0; a < ENDS_ALGS; a++) {
			dns_tsig_key_t key = ends_key("k.", ends_algs[a], "secret");
			dns_tsig_mac_t mac;
			dns_tsig_stream_t s;
			dns_tsig_bare_t bare;

			ends_request(&key, ends_now, &mac);
			ends_server_t server = ends_server(&key, &mac);
			dns_tsig_stream_start(&s, &key, &mac, shapes[i].strict);
			for (const char *p = shapes[i].shape; *p;) {
				bool sign = *p == 'S';
				long n = sign ? (p++, 1) : strtol(p, (char **)&p, 10);

				for (; n > 0; n--) {
					ends_message_t m = ends_answer(&server, sign, ends_now);

					ends_feed(&s, &m, ends_now, &bare);
				}
			}
			cr_expect(eq(int, dns_tsig_stream_finish(&s), shapes[i].want), "%s, %s",
			          shapes[i].why, ends_algs[a]);
		}
	}
}

Test(dns_tsig, stays_failed)
{
	dns_tsig_key_t key = ends_key("k.", "hmac-sha256", "secret");
	dns_tsig_mac_t mac;
	dns_tsig_stream_t s, copy;
	dns_tsig_bare_t bare;

	ends_request(&key, ends_now, &mac);
	ends_server_t server = ends_server(&key, &mac);
	ends_message_t one = ends_answer(&server, true, ends_now),
		       two = ends_answer(&server, true, ends_now);

	dns_tsig_stream_start(&s, &key, &mac, false);
	copy = s;
	cr_expect(eq(int, ends_feed(&s, &two, ends_now, &bare), DNS_TSIG_WRONG_MAC));
	cr_expect(eq(int, ends_feed(&s, &one, ends_now, &bare), DNS_TSIG_WRONG_MAC));
	cr_expect(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_WRONG_MAC));
	/* Of UDP answers, one that anybody sent spoils nothing for the next. */
	cr_expect(eq(int, ends_feed(&copy, &one, ends_now, &bare), DNS_TSIG_OK));
	cr_expect(eq(int, ends_feed(&copy, &one, ends_now, &bare), DNS_TSIG_WRONG_MAC), "a replay");
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
		dns_tsig_key_t key = ends_key("k.", "hmac-sha512", "secret");
		dns_tsig_mac_t mac;
		dns_tsig_stream_t s;
		dns_tsig_bare_t bare;

		ends_request(&key, ends_now, &mac);
		ends_server_t server = ends_server(&key, &mac);
		ends_message_t m[2];
		m[0] = ends_answer(&server, true, (wall_t){ ends_now.s + cases[i].first });
		m[1] = ends_answer(&server, true, (wall_t){ ends_now.s + cases[i].second });
		dns_tsig_stream_start(&s, &key, &mac, true);
		ends_feed(&s, &m[0], ends_now, &bare);
		ends_feed(&s, &m[1], ends_now, &bare);
		cr_expect(eq(int, dns_tsig_stream_finish(&s), cases[i].want), "case %zu", i);
		cr_expect(eq(i64, s.detail, cases[i].detail), "case %zu", i);
	}
}
/* --- tampering -------------------------------------------------------------------------------- */

/* Any message of three that is changed in any octet, or not whole, or followed by another octet;
 * the one in the middle is not signed itself. */
Test(dns_tsig, misses_no_changed_octet_of_an_answer)
{
	dns_tsig_key_t key = ends_key("k.", "hmac-sha256", "secret");
	dns_tsig_mac_t mac;
	dns_tsig_stream_t start, s;
	dns_tsig_bare_t bare;

	ends_request(&key, ends_now, &mac);
	ends_server_t server = ends_server(&key, &mac);
	ends_message_t m[3];
	for (size_t n = 0; n < 3; n++)
		m[n] = ends_answer(&server, n != 1, ends_now);
	dns_tsig_stream_start(&start, &key, &mac, false);
	for (size_t n = 0; n < 3; n++) {
		for (size_t i = 0; i < m[n].len * ARRAY_LEN(ends_flips); i++) {
			size_t at = i / ARRAY_LEN(ends_flips);
			uint8_t flip = ends_flips[i % ARRAY_LEN(ends_flips)];

			/* The one in the middle is covered as it is. */
			if (n != 1 && !ends_counts(&m[n], at, flip))
				continue;
			m[n].octets[at] ^= flip;
			s = start;
			for (size_t k = 0; k < 3; k++)
				ends_feed(&s, &m[k], ends_now, &bare);
			cr_expect(ne(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK),
			          "message %zu, octet %zu", n, at);
			m[n].octets[at] ^= flip;
		}
		for (size_t whole = m[n].len, len = 0; len <= whole + 1; len++) {
			m[n].len = len;
			s = start;
			for (size_t k = 0; k < 3; k++)
				ends_feed(&s, &m[k], ends_now, &bare);
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
	dns_tsig_key_t key = ends_key("k.", "hmac-sha1", "secret");
	dns_tsig_mac_t mac;
	dns_tsig_stream_t start, s;
	dns_tsig_bare_t bare;

	ends_request(&key, ends_now, &mac);
	ends_server_t server = ends_server(&key, &mac);
	ends_message_t m[4];
	for (size_t n = 0; n < 4; n++)
		m[n] = ends_answer(&server, n == 0 || n == 3, ends_now);
	dns_tsig_stream_start(&start, &key, &mac, false);
	s = start;
	for (size_t n = 0; n < 4; n++)
		ends_feed(&s, &m[n], ends_now, &bare);
	cr_assert(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK));
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		s = start;
		for (const char *p = orders[i]; *p; p++)
			ends_feed(&s, &m[*p - '0'], ends_now, &bare);
		cr_expect(ne(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK), "%s", orders[i]);
	}
}
/* --- what is no TSIG of ours ------------------------------------------------------------------ */

static const struct {
	const char *why;
	ends_spoil_t how;
	dns_tsig_outcome_t answer;
	dns_tsig_verdict_t query;
} spoiled[] = {
	{ "class IN", ENDS_CLASS, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "a TTL", ENDS_TTL, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "two of them", ENDS_TWICE, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "OPT behind it", ENDS_NOT_LAST, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "in the answer section", ENDS_ANSWER, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "an octet more than it says", ENDS_RDLENGTH, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "half of the MAC", ENDS_MAC_CUT, DNS_TSIG_TRUNCATED, DNS_TSIG_QUERY_BADTRUNC },
	{ "a MAC that is too long", ENDS_MAC_LONG, DNS_TSIG_MALFORMED, DNS_TSIG_QUERY_FORMERR },
	{ "an empty MAC", ENDS_NO_MAC, DNS_TSIG_TRUNCATED, DNS_TSIG_QUERY_FORMERR },
};

Test(dns_tsig, refuses_records_that_are_not_as_they_must_be)
{
	dns_tsig_keys_t keys;
	const dns_tsig_key_t *key;
	dns_tsig_mac_t mac;
	dns_tsig_stream_t s;
	dns_tsig_bare_t bare;
	dns_tsig_query_t q;

	ends_keys(&keys, "secret");
	key = &keys.list[3];
	for (size_t i = 0; i < ARRAY_LEN(spoiled); i++) {
		ends_message_t request = ends_request(key, ends_now, &mac);
		ends_server_t server = ends_server(key, &mac);
		ends_message_t m = ends_answer(&server, true, ends_now);

		ends_spoil(&request, spoiled[i].how);
		cr_expect(eq(int, ends_check(&keys, &request, ends_now, &q), spoiled[i].query),
		          "%s", spoiled[i].why);
		ends_spoil(&m, spoiled[i].how);
		dns_tsig_stream_start(&s, key, &mac, false);
		cr_expect(eq(int, ends_feed(&s, &m, ends_now, &bare), spoiled[i].answer), "%s",
		          spoiled[i].why);
	}
	dns_tsig_keys_free(&keys);
}

Test(dns_tsig, takes_no_other_key_and_no_other_algorithm)
{
	dns_tsig_key_t key = ends_key("k.", "hmac-sha256", "secret"),
		       other = ends_key("l.", "hmac-sha256", "secret"),
		       alg = ends_key("k.", "hmac-sha512", "secret"),
		       secret = ends_key("k.", "hmac-sha256", "Secret");
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

	ends_request(&key, ends_now, &mac);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ends_server_t server = ends_server(cases[i].key, &mac);
		ends_message_t m = ends_answer(&server, true, ends_now);

		dns_tsig_stream_start(&s, &key, &mac, false);
		cr_expect(eq(int, ends_feed(&s, &m, ends_now, &bare), cases[i].want), "case %zu",
		          i);
	}
	cr_expect(eq(int, dns_tsig_key_make(&key, &key.name, "hmac-sha3", NULL, 0), ST_NOENT));
	dns_name_t longer =
		ends_name("a23456789012345678901234567890123456789012345678901234567890123."
	                  "a234567890123456789012345678901234567890123456789012345");
	cr_expect(eq(int, longer.len, DNS_TSIG_KEY_NAME_MAX + 1));
	cr_expect(eq(int, dns_tsig_key_make(&key, &longer, "hmac-sha256", NULL, 0), ST_LIMIT));
}
/* --- the rest --------------------------------------------------------------------------------- */

Test(dns_tsig, finds_each_key_of_many_by_its_name)
{
	enum { COUNT = 300 };
	dns_tsig_keys_t keys;
	dns_name_t name;
	char text[32];

	cr_assert(eq(int, dns_tsig_keys_make(&keys, COUNT), ST_OK));
	for (int i = 0; i < COUNT; i++) {
		snprintf(text, sizeof text, "k%d.%s", i * 7919 % COUNT, i % 2 ? "" : "example.");
		keys.list[i] = ends_key(text, "hmac-sha256", text);
	}
	dns_tsig_keys_sort(&keys);
	for (int i = 0; i < COUNT; i++) {
		cr_expect(dns_tsig_keys_find(&keys, &keys.list[i].name) == &keys.list[i]);
		cr_expect(eq(int, keys.list[i].number, 0), "its maker gives it one");
	}
	name = ends_name("k.");
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
	dns_tsig_key_t key = ends_key("k.", "hmac-sha256", "secret");
	ends_message_t m = ends_plain(1, 0, true);
	dns_tsig_mac_t mac;
	size_t len = m.len;

	ends_message_t whole = ends_request(&key, ends_now, &mac);
	cr_expect(eq(int, dns_tsig_sign(&key, ends_now, m.octets, &m.len, whole.len - 1, &mac),
	             ST_LIMIT));
	cr_expect(eq(sz, m.len, len));
	cr_expect(eq(int, get_u16(m.octets + DNS_ARCOUNT_AT), 0));
	cr_expect(eq(int, dns_tsig_sign(&key, ends_now, m.octets, &m.len, whole.len, &mac), ST_OK));
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
