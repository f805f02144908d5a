/* tests/unit/answer/test_signed.c - queries with a TSIG, and who may send NOTIFY by a key. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "dns/tsig.h"
#include "dns/tsig_rr.h"
#include "dns/wire.h"
#include "support/zones.h"

TestSuite(answer_signed, .timeout = 20);

static const answer_time_t now = { { 1700000000 }, { 1000 * NS_PER_S } };
static const char *const algs[] = { "hmac-md5",    "hmac-sha1",   "hmac-sha224",
	                            "hmac-sha256", "hmac-sha384", "hmac-sha512" };
enum { KEYS = ARRAY_LEN(algs), MSG_MAX = 65535 };

#define L63     "a23456789012345678901234567890123456789012345678901234567890123."
#define LONGEST L63 L63 L63 "a234567890123456789012345678901234567890123456789012345678901"

typedef struct fixture {
	epoch_t *epoch;
	zone_set_t *set;
	dns_tsig_keys_t keys;
	answer_conf_t conf;
	answer_t *answer;
	answer_counters_t counters;
	addr_rule_t rules[2];
	addr_acl_t acl;
	addr_t peer;
	answer_req_t req;
	size_t len;
	uint8_t msg[2048], out[MSG_MAX];
} fixture_t;

static dns_tsig_key_t make_key(const char *name, const char *alg, const char *secret)
{
	dns_name_t n = zones_name(name);
	dns_tsig_key_t key;

	cr_assert(dns_tsig_key_make(&key, &n, alg, (const uint8_t *)secret, strlen(secret)) ==
	          ST_OK);
	return key;
}

static void serve(fixture_t *f, const char *apex, const char *lines)
{
	dns_name_t name = zones_name(apex);
	zone_slot_t *slot;

	cr_assert(zone_set_add(f->set, &name, &f->acl, NULL, &slot) == ST_OK);
	cr_assert(zone_set_commit(f->set) == ST_OK);
	cr_assert(zone_set_publish(f->set, slot, zones_version(zone_set_key(f->set), apex, lines),
	                           NULL) == ST_OK);
	zone_set_expires(slot, mono_add_s(now.mono, 4000));
}

/* Key k3 is that of a primary in 192.0.2.0/24, another one in 198.51.100.0/24 has none. */
static fixture_t *setup(void)
{
	static const siphash_key_t secret = { 1, 2 };
	static const uint8_t nsid[ANSWER_NSID_MAX] = { 7 };
	fixture_t *f = calloc(1, sizeof *f);
	char lines[4096] = "@ SOA ns hm 7 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n"
			   "www A 192.0.2.1\nalias CNAME www\nsub NS ns.sub\nns.sub A 192.0.2.2\n";

	/* Of some 1,200 octets without a TSIG. */
	for (size_t i = 0, len; i < 16; i++) {
		len = strlen(lines);
		snprintf(lines + len, sizeof lines - len, "big TXT \"%060zu\"\n", i);
	}
	cr_assert(dns_tsig_keys_make(&f->keys, KEYS) == ST_OK);
	for (size_t i = 0; i < KEYS; i++) {
		char name[] = { 'k', (char)('0' + i), '\0' };

		f->keys.list[i] = make_key(name, algs[i], "secret");
		f->keys.list[i].number = (uint16_t)(i + 1);
	}
	dns_tsig_keys_sort(&f->keys);
	cr_assert(addr_prefix_parse("192.0.2.0/24", &f->rules[0].from) == ST_OK);
	cr_assert(addr_prefix_parse("198.51.100.0/24", &f->rules[1].from) == ST_OK);
	f->rules[0].key = f->keys.list[3].number;
	f->acl = (addr_acl_t){ f->rules, 2 };
	cr_assert(addr_parse("192.0.2.9", 4711, &f->peer) == ST_OK);
	f->epoch = epoch_new(0);
	f->set = zone_set_new(f->epoch);
	serve(f, "example.", lines);
	serve(f, ".", "@ SOA ns hm 3 3600 600 86400 60\n@ NS ns\n");
	f->conf = (answer_conf_t){
		.version = "secd",
		.udp_payload = 1232,
		.keepalive = 100,
		.nsid = nsid,
		.nsid_len = sizeof nsid,
		.cookies = { &secret, 1 },
		.keys = &f->keys,
	};
	f->answer = answer_new(f->set, &f->conf, &f->counters);
	return f;
}

static void teardown(fixture_t *f)
{
	answer_free(f->answer);
	zone_set_free(f->set);
	epoch_free(f->epoch);
	dns_tsig_keys_free(&f->keys);
	free(f);
}

/* A question; with an OPT of that payload and these options, unless it is 0. */
static void make(fixture_t *f, unsigned flags, const char *name, unsigned type, unsigned payload,
                 const char *options, size_t options_len)
{
	bufw_t w = bufw_over(f->msg, sizeof f->msg);
	dns_name_t n = zones_name(name);

	bufw_u32(&w, 0x12340000 | flags);
	bufw_u16(&w, 1);
	bufw_u32(&w, 0);
	bufw_u16(&w, payload > 0);
	bufw_bytes(&w, n.wire, n.len);
	bufw_u16(&w, type);
	bufw_u16(&w, DNS_CLASS_IN);
	if (payload > 0) {
		bufw_u8(&w, 0);
		bufw_u16(&w, DNS_TYPE_OPT);
		bufw_u16(&w, payload);
		bufw_u32(&w, 0);
		bufw_u16(&w, (unsigned)options_len);
		bufw_bytes(&w, options, options_len);
	}
	f->len = w.pos;
}

static unsigned ask(fixture_t *f, answer_via_t via)
{
	f->req = (answer_req_t){ .in = f->msg,
		                 .in_len = f->len,
		                 .out = f->out,
		                 .out_room = via == ANSWER_UDP ? 1232 : MSG_MAX,
		                 .via = via,
		                 .peer = &f->peer };
	answer_batch(f->answer, &now, &f->req, 1);
	cr_assert(ge(sz, f->req.out_len, DNS_HEADER_LEN));
	return get_u16(f->out + 2) & DNS_RCODE_MASK;
}

/* Sign the message, ask, and verify the answer: its RCODE, and what the verifier says. */
static unsigned ask_signed(fixture_t *f, const dns_tsig_key_t *key, int64_t skew, answer_via_t via,
                           dns_tsig_stream_t *s, dns_tsig_bare_t *bare)
{
	const wall_t theirs = { now.wall.s + skew };
	dns_tsig_mac_t mac;

	cr_assert(dns_tsig_sign(key, theirs, f->msg, &f->len, sizeof f->msg, &mac) == ST_OK);
	dns_tsig_stream_start(s, key, &mac, true);
	unsigned rcode = ask(f, via);
	dns_tsig_stream_feed(s, f->out, f->req.out_len, theirs, bare);
	return rcode;
}

static bool truncated(const fixture_t *f)
{
	return (get_u16(f->out + 2) & DNS_TC) != 0;
}

Test(answer_signed, is_the_unsigned_answer_and_a_tsig)
{
	static const struct {
		const char *name;
		unsigned type, payload, rcode;
	} cases[] = {
		{ "www.example.", DNS_TYPE_A, 0, DNS_RCODE_NOERROR },
		{ "alias.example.", DNS_TYPE_A, 1232, DNS_RCODE_NOERROR },
		{ "nx.example.", DNS_TYPE_A, 1232, DNS_RCODE_NXDOMAIN },
		{ "x.sub.example.", DNS_TYPE_A, 512, DNS_RCODE_NOERROR },
		{ "example.", DNS_TYPE_AXFR, 1232, DNS_RCODE_REFUSED },
	};
	static uint8_t plain[MSG_MAX];
	fixture_t *f = setup();

	for (size_t i = 0; i < ARRAY_LEN(cases) * KEYS; i++) {
		const dns_tsig_key_t *key = &f->keys.list[i % KEYS];
		size_t n = i / KEYS, plain_len;
		dns_tsig_stream_t s;
		dns_tsig_bare_t bare;

		make(f, 0, cases[n].name, cases[n].type, cases[n].payload, "", 0);
		cr_assert(eq(u32, ask(f, ANSWER_TCP), cases[n].rcode), "%s", cases[n].name);
		memcpy(plain, f->out, plain_len = f->req.out_len);
		cr_expect(eq(u32, f->req.signed_by, 0));
		cr_expect(eq(u32, ask_signed(f, key, 0, ANSWER_TCP, &s, &bare), cases[n].rcode));
		cr_expect(eq(u32, f->req.signed_by, key->number));
		cr_expect(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK), "%s %s", cases[n].name,
		          algs[i % KEYS]);
		put_u16(f->out + DNS_ARCOUNT_AT, bare.arcount);
		cr_expect(eq(sz, bare.len, plain_len), "%s", cases[n].name);
		cr_expect(memcmp(f->out, plain, plain_len) == 0, "%s", cases[n].name);
	}
	teardown(f);
}

static const struct {
	const char *why, *name, *alg, *secret;
	int64_t skew;
	dns_tsig_outcome_t want;
	int64_t detail;
} errors[] = {
	{ "no such key", "k9", "hmac-sha256", "secret", 0, DNS_TSIG_PEER_BADKEY, 0 },
	{ "another algorithm", "k3", "hmac-sha512", "secret", 0, DNS_TSIG_PEER_BADKEY, 0 },
	{ "another secret", "k3", "hmac-sha256", "Secret", 0, DNS_TSIG_PEER_BADSIG, 0 },
	{ "a clock ahead", "k3", "hmac-sha256", "secret", 1000, DNS_TSIG_PEER_BADTIME, -1000 },
	{ "a clock behind", "k3", "hmac-sha256", "secret", -301, DNS_TSIG_PEER_BADTIME, 301 },
};

Test(answer_signed, says_what_is_wrong_with_a_signature_and_nothing_else)
{
	fixture_t *f = setup();

	for (size_t i = 0; i < ARRAY_LEN(errors) * 2; i++) {
		size_t n = i / 2;
		dns_tsig_key_t key = make_key(errors[n].name, errors[n].alg, errors[n].secret);
		dns_tsig_stream_t s;
		dns_tsig_bare_t bare;

		make(f, 0, "www.example.", DNS_TYPE_A, i % 2 ? 1232 : 0, "", 0);
		cr_expect(eq(u32, ask_signed(f, &key, errors[n].skew, ANSWER_UDP, &s, &bare),
		             DNS_RCODE_NOTAUTH),
		          "%s", errors[n].why);
		cr_expect(eq(int, dns_tsig_stream_finish(&s), errors[n].want), "%s", errors[n].why);
		cr_expect(eq(i64, s.detail, errors[n].detail), "%s", errors[n].why);
		cr_expect(eq(u32, f->req.signed_by, 0));
		cr_expect(eq(u32, get_u32(f->out + 6), 0), "no records");
		cr_expect(eq(u32, get_u16(f->out + DNS_ARCOUNT_AT), 1 + i % 2));
	}
	teardown(f);
}

Test(answer_signed, knows_no_key_where_none_is_configured)
{
	fixture_t *f = setup();
	dns_tsig_stream_t s;
	dns_tsig_bare_t bare;

	f->conf.keys = NULL;
	make(f, 0, "www.example.", DNS_TYPE_A, 0, "", 0);
	cr_expect(eq(u32, ask_signed(f, &f->keys.list[0], 0, ANSWER_UDP, &s, &bare),
	             DNS_RCODE_NOTAUTH));
	cr_expect(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_PEER_BADKEY));
	teardown(f);
}

/* A TSIG that is not the last record, or is of the wrong class: only the header goes back. */
Test(answer_signed, takes_a_misplaced_tsig_for_a_format_error)
{
	static const uint8_t opt[] = { 0, 0, DNS_TYPE_OPT, 4, 0xd0, 0, 0, 0, 0, 0, 0 };
	fixture_t *f = setup();
	dns_tsig_mac_t mac;

	make(f, 0, "www.example.", DNS_TYPE_A, 0, "", 0);
	size_t at = f->len;
	cr_assert(dns_tsig_sign(&f->keys.list[0], now.wall, f->msg, &f->len, sizeof f->msg, &mac) ==
	          ST_OK);
	memcpy(f->msg + f->len, opt, sizeof opt);
	f->len += sizeof opt;
	put_u16(f->msg + DNS_ARCOUNT_AT, 2);
	cr_expect(eq(u32, ask(f, ANSWER_UDP), DNS_RCODE_FORMERR));

	f->len -= sizeof opt;
	put_u16(f->msg + DNS_ARCOUNT_AT, 1);
	cr_expect(eq(u32, ask(f, ANSWER_UDP), DNS_RCODE_NOERROR));
	put_u16(f->msg + DNS_ARCOUNT_AT, 0); /* in the authority section */
	put_u16(f->msg + 8, 1);
	cr_expect(eq(u32, ask(f, ANSWER_UDP), DNS_RCODE_FORMERR));
	put_u16(f->msg + DNS_ARCOUNT_AT, 1);
	put_u16(f->msg + 8, 0);
	put_u16(f->msg + at + 6, DNS_CLASS_IN); /* behind a name of four octets and the type */
	cr_expect(eq(u32, ask(f, ANSWER_UDP), DNS_RCODE_FORMERR));
	cr_expect(eq(sz, f->req.out_len, (size_t)DNS_HEADER_LEN));
	teardown(f);
}

/* RFC 8945 5.3: what would fit without its TSIG, but not with it, is the question alone. */
Test(answer_signed, is_the_question_and_tc_where_the_tsig_takes_the_room)
{
	fixture_t *f = setup();
	dns_tsig_stream_t s;
	dns_tsig_bare_t bare;

	make(f, 0, "big.example.", DNS_TYPE_TXT, 1232, "", 0);
	ask(f, ANSWER_UDP);
	cr_assert(not(truncated(f)));
	cr_assert(gt(sz, f->req.out_len, 1100), "%zu", f->req.out_len);
	for (size_t i = 0; i < KEYS; i++) {
		make(f, 0, "big.example.", DNS_TYPE_TXT, 1232, "", 0);
		size_t question = f->len;
		ask_signed(f, &f->keys.list[i], 0, ANSWER_UDP, &s, &bare);
		cr_expect(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK));
		cr_expect(truncated(f), "%s", algs[i]);
		cr_expect(eq(sz, bare.len, question), "the question and the OPT");
		cr_expect(eq(u32, get_u16(f->out + 6), 0));
		make(f, 0, "big.example.", DNS_TYPE_TXT, 1232, "", 0);
		ask_signed(f, &f->keys.list[i], 0, ANSWER_TCP, &s, &bare);
		cr_expect(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK));
		cr_expect(not(truncated(f)));
		cr_expect(eq(u32, get_u16(f->out + 6), 16));
	}
	teardown(f);
}

/* NSID, a cookie, EXPIRE and ZONEVERSION beside the longest name, the longest key and MAC, in 512
 * octets: the options go. */
Test(answer_signed, has_room_in_the_smallest_message_whatever_the_names)
{
	static const char options[] = "\0\3\0\0\0\12\0\10abcdefgh\0\11\0\0\0\23\0\0";
	fixture_t *f = setup();
	dns_tsig_key_t longest = make_key(L63
	                                  "a23456789012345678901234567890123456789012345678901234",
	                                  "hmac-sha512", "secret");
	dns_tsig_stream_t s;
	dns_tsig_bare_t bare;

	cr_assert(eq(int, longest.name.len, DNS_TSIG_KEY_NAME_MAX));
	f->keys.list[5] = longest;
	f->keys.list[5].number = 6;
	dns_tsig_keys_sort(&f->keys);
	make(f, 0, LONGEST, DNS_TYPE_A, 512, options, sizeof options - 1);
	cr_assert(eq(u32, ask_signed(f, &f->keys.list[5], 0, ANSWER_UDP, &s, &bare),
	             DNS_RCODE_NOERROR));
	cr_expect(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK));
	cr_expect(le(sz, f->req.out_len, 512));
	cr_expect(truncated(f), "there is no room for the SOA");
	teardown(f);
}

/* A key that we don't know may have names that fill the message alone. */
Test(answer_signed, repeats_no_names_that_do_not_fit)
{
	fixture_t *f = setup();
	dns_tsig_rr_t rr = { .time = (uint64_t)now.wall.s, .fudge = 300 };
	dns_name_t longest = zones_name(LONGEST);

	for (int i = 0; i < 3; i++) {
		rr.owner = i > 0 ? longest : zones_name("k9.");
		rr.alg = i > 1 ? longest : zones_name("hmac-sha256.");
		make(f, 0, LONGEST, DNS_TYPE_A, 512, "", 0);
		cr_assert(dns_tsig_rr_put(&rr, f->msg, &f->len, sizeof f->msg) == ST_OK);
		cr_expect(eq(u32, ask(f, ANSWER_UDP), DNS_RCODE_NOTAUTH));
		cr_expect(le(sz, f->req.out_len, 512));
		cr_expect(eq(u32, get_u16(f->out + 4), i == 0), "names %d: the question", i);
		cr_expect(eq(u32, get_u16(f->out + DNS_ARCOUNT_AT), 1 + (i < 2)),
		          "names %d: OPT and TSIG", i);
	}
	teardown(f);
}

static const struct {
	const char *why, *from, *name, *secret; /* of the key, NULL: not signed */
	unsigned rcode;
	const char *refused; /* part of the reason; NULL: accepted */
} notifies[] = {
	{ "unsigned from a primary that has no key", "198.51.100.1", NULL, NULL, 0, NULL },
	{ "unsigned from a primary that has one", "192.0.2.9", NULL, NULL, DNS_RCODE_REFUSED,
	  "not signed with the key" },
	{ "unsigned from a stranger", "203.0.113.1", NULL, NULL, DNS_RCODE_REFUSED, "neither" },
	{ "signed", "192.0.2.9", "k3", "secret", 0, NULL },
	{ "signed, from elsewhere", "203.0.113.1", "k3", "secret", 0, NULL },
	{ "signed where no key is needed", "198.51.100.1", "k3", "secret", 0, NULL },
	{ "signed by another key of ours", "192.0.2.9", "k0", "secret", DNS_RCODE_REFUSED,
	  "not signed with the key" },
	{ "signed by another key where none is needed", "198.51.100.1", "k0", "secret", 0, NULL },
	{ "signed by another key by a stranger", "203.0.113.1", "k0", "secret", DNS_RCODE_REFUSED,
	  "neither" },
	{ "another secret", "192.0.2.9", "k3", "Secret", DNS_RCODE_NOTAUTH, "MAC is wrong" },
	{ "another secret where none is needed", "198.51.100.1", "k3", "Secret", DNS_RCODE_NOTAUTH,
	  "MAC is wrong" },
	{ "a key that we don't know", "192.0.2.9", "k9", "secret", DNS_RCODE_NOTAUTH,
	  "not configured" },
};

Test(answer_signed, lets_a_primary_with_a_key_notify_by_that_key_alone)
{
	fixture_t *f = setup();

	for (size_t i = 0; i < ARRAY_LEN(notifies); i++) {
		dns_tsig_stream_t s;
		dns_tsig_bare_t bare;
		unsigned rcode;

		cr_assert(addr_parse(notifies[i].from, 53, &f->peer) == ST_OK);
		make(f, DNS_OP_NOTIFY << DNS_OPCODE_SHIFT, "example.", DNS_TYPE_SOA, 0, "", 0);
		if (notifies[i].name) {
			bool first = strcmp(notifies[i].name, "k0") == 0;
			dns_tsig_key_t key =
				make_key(notifies[i].name, algs[first ? 0 : 3], notifies[i].secret);

			rcode = ask_signed(f, &key, 0, ANSWER_UDP, &s, &bare);
			if (rcode != DNS_RCODE_NOTAUTH)
				cr_expect(eq(int, dns_tsig_stream_finish(&s), DNS_TSIG_OK), "%s",
				          notifies[i].why);
		} else {
			rcode = ask(f, ANSWER_UDP);
		}
		cr_expect(eq(u32, rcode, notifies[i].rcode), "%s", notifies[i].why);
		cr_expect(eq(int, f->req.notify != NULL, !notifies[i].refused), "%s",
		          notifies[i].why);
		cr_expect(eq(int, f->req.notify_refused != NULL, notifies[i].refused != NULL), "%s",
		          notifies[i].why);
		if (notifies[i].refused && f->req.notify_refused)
			cr_expect(strstr(f->req.notify_why, notifies[i].refused) != NULL, "%s: %s",
			          notifies[i].why, f->req.notify_why);
	}
	teardown(f);
}
