/* tests/unit/dns/test_tsig_query.c - queries that others sign, what is wrong with them, and whether the
 * other end understands that. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/wire.h"
#include "tsig_ends.h"

TestSuite(dns_tsig_query, .timeout = 20);

Test(dns_tsig_query, misses_no_changed_octet_of_a_request)
{
	dns_tsig_keys_t keys;

	ends_keys(&keys, "secret");
	for (size_t a = 0; a < ENDS_ALGS; a++) {
		dns_tsig_query_t q;
		dns_tsig_mac_t mac;
		ends_message_t m = ends_request(&keys.list[a], ends_now, &mac);

		cr_assert(eq(int, ends_check(&keys, &m, ends_now, &q), DNS_TSIG_QUERY_OK));
		cr_expect(q.key == &keys.list[a]);
		for (size_t i = 0; i < m.len * ARRAY_LEN(ends_flips); i++) {
			size_t at = i / ARRAY_LEN(ends_flips);
			uint8_t flip = ends_flips[i % ARRAY_LEN(ends_flips)];

			m.octets[at] ^= flip;
			if (ends_counts(&m, at, flip))
				cr_expect(ne(int, ends_check(&keys, &m, ends_now, &q),
				             DNS_TSIG_QUERY_OK),
				          "%s, octet %zu", ends_algs[a], at);
			m.octets[at] ^= flip;
		}
		m.octets[0] ^= 0xff;
		cr_expect(eq(int, ends_check(&keys, &m, ends_now, &q), DNS_TSIG_QUERY_OK),
		          "another id");
		for (m.len--; m.len > 0; m.len--)
			cr_expect(eq(int, ends_check(&keys, &m, ends_now, &q),
			             DNS_TSIG_QUERY_FORMERR));
	}
	dns_tsig_keys_free(&keys);
}

/* An answer, whatever it says. */
static ends_message_t respond(const dns_tsig_query_t *q, wall_t at)
{
	ends_message_t m = ends_plain(0x1234, DNS_QR | DNS_RCODE_NOTAUTH, true);
	size_t before = m.len;

	dns_tsig_query_sign(q, at, m.octets, &m.len);
	cr_expect(eq(sz, m.len - before, dns_tsig_query_room(q)));
	return m;
}

Test(dns_tsig_query, tells_the_other_end_what_is_wrong)
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
		{ "a clock of long ago", "key-hmac-sha1", "hmac-sha1", "secret", -1700000000,
		  DNS_TSIG_QUERY_BADTIME, DNS_TSIG_PEER_BADTIME, 1700000000 },
		{ "no such key", "key", "hmac-sha256", "secret", 0, DNS_TSIG_QUERY_BADKEY,
		  DNS_TSIG_PEER_BADKEY, 0 },
		{ "not by this algorithm", "key-hmac-sha256", "hmac-sha512", "secret", 0,
		  DNS_TSIG_QUERY_BADKEY, DNS_TSIG_PEER_BADKEY, 0 },
		{ "another secret", "key-hmac-sha256", "hmac-sha256", "secrets", 0,
		  DNS_TSIG_QUERY_BADSIG, DNS_TSIG_PEER_BADSIG, 0 },
	};
	dns_tsig_keys_t keys;

	ends_keys(&keys, "secret");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		dns_tsig_key_t key = ends_key(cases[i].name, cases[i].alg, cases[i].secret);
		const wall_t theirs = { ends_now.s + cases[i].skew };
		dns_tsig_stream_t s;
		dns_tsig_mac_t mac;
		dns_tsig_query_t q;
		dns_tsig_bare_t bare;
		ends_message_t request = ends_request(&key, theirs, &mac);

		cr_expect(eq(int, ends_check(&keys, &request, ends_now, &q), cases[i].verdict),
		          "%s", cases[i].why);
		ends_message_t m = respond(&q, ends_now);
		dns_tsig_stream_start(&s, &key, &mac, false);
		cr_expect(eq(int, ends_feed(&s, &m, theirs, &bare), cases[i].outcome), "%s",
		          cases[i].why);
		cr_expect(eq(i64, s.detail, cases[i].detail), "%s", cases[i].why);
	}
	dns_tsig_keys_free(&keys);
}

/* RFC 8945 5.2.2.1: no shorter than ten octets, or half of what it could be. */
Test(dns_tsig_query, judges_a_mac_by_its_length)
{
	dns_tsig_keys_t keys;

	ends_keys(&keys, "secret");
	for (size_t a = 0; a < ENDS_ALGS; a++) {
		size_t full = dns_hmac_len(keys.list[a].hmac.alg), least = full / 2;
		dns_tsig_query_t q;
		dns_tsig_mac_t mac;
		dns_tsig_rr_t rr;
		size_t at;

		least = least < 10 ? 10 : least;
		for (size_t len = 0; len <= full + 1; len++) {
			ends_message_t m = ends_request(&keys.list[a], ends_now, &mac), was = m;
			uint8_t longer[DNS_HMAC_MAX + 1] = { 0 };

			cr_assert(dns_tsig_rr_find(was.octets, was.len, &at) == ST_OK);
			cr_assert(dns_tsig_rr_read(was.octets, was.len, at, &rr) == ST_OK);
			memcpy(longer, rr.mac, full);
			rr.mac = longer;
			rr.mac_len = (uint16_t)len;
			m.len = at;
			put_u16(m.octets + DNS_ARCOUNT_AT, 0);
			cr_assert(dns_tsig_rr_put(&rr, m.octets, &m.len, ENDS_ROOM) == ST_OK);
			cr_expect(eq(int, ends_check(&keys, &m, ends_now, &q),
			             len == full                 ? DNS_TSIG_QUERY_OK
			             : len < least || len > full ? DNS_TSIG_QUERY_FORMERR
			                                         : DNS_TSIG_QUERY_BADTRUNC),
			          "%s, %zu octets", ends_algs[a], len);
		}
	}
	dns_tsig_keys_free(&keys);
}

/* RFC 8945 5.2.3: signed as of the client's time, or the client could not verify it; ours is what the
 * other data say. */
Test(dns_tsig_query, answers_a_wrong_time_as_of_that_time)
{
	const wall_t theirs = { ends_now.s - 5000 };
	dns_tsig_keys_t keys;
	dns_tsig_query_t q;
	dns_tsig_mac_t mac;
	dns_tsig_rr_t rr;
	size_t at;

	ends_keys(&keys, "secret");
	ends_message_t request = ends_request(&keys.list[3], theirs, &mac);
	cr_assert(eq(int, ends_check(&keys, &request, ends_now, &q), DNS_TSIG_QUERY_BADTIME));
	ends_message_t m = respond(&q, ends_now);
	cr_assert(dns_tsig_rr_find(m.octets, m.len, &at) == ST_OK);
	cr_assert(dns_tsig_rr_read(m.octets, m.len, at, &rr) == ST_OK);
	cr_expect(eq(u64, rr.time, (uint64_t)theirs.s));
	cr_expect(eq(int, rr.other_len, DNS_TSIG_TIME_LEN));
	cr_expect(eq(u64, dns_tsig_rr_time(rr.other), (uint64_t)ends_now.s));
	cr_expect(eq(int, rr.error, DNS_TSIG_BADTIME));
	dns_tsig_keys_free(&keys);
}

/* RFC 8945 5.2.4: told with a signature, made over the MAC as it came. */
Test(dns_tsig_query, tells_of_a_mac_that_is_cut_short_signed)
{
	dns_tsig_keys_t keys;
	dns_tsig_query_t q;
	dns_tsig_stream_t s;
	dns_tsig_bare_t bare;
	dns_tsig_mac_t mac;

	ends_keys(&keys, "secret");
	ends_message_t request = ends_request(&keys.list[3], ends_now, &mac);
	ends_spoil(&request, ENDS_MAC_CUT);
	mac.len = 16;
	cr_assert(eq(int, ends_check(&keys, &request, ends_now, &q), DNS_TSIG_QUERY_BADTRUNC));
	ends_message_t m = respond(&q, ends_now);
	dns_tsig_stream_start(&s, &keys.list[3], &mac, false);
	cr_expect(eq(int, ends_feed(&s, &m, ends_now, &bare), DNS_TSIG_PEER_BADTRUNC));
	dns_tsig_keys_free(&keys);
}
