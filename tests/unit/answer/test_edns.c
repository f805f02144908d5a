/* tests/unit/answer/test_edns.c - the options of an answer's OPT, each asked for and not.
 *
 * Options are written in hex; "" is an OPT without any. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>

#include "answer/answer.h"
#include "dns/wire.h"
#include "support/zones.h"

TestSuite(answer_edns, .timeout = 20);

static const char example[] = "@ SOA ns hm 4294967295 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n"
			      "alias CNAME www.other.\nsub NS ns.sub\nns.sub A 192.0.2.5\n"
			      "d DNAME target\n";
static const char other[] = "@ SOA ns hm 9 3600 600 86400 60\n@ NS ns\nwww A 192.0.2.8\n";

/* RFC 9018 A.1's secret, client and time. */
static const siphash_key_t secrets[] = { { 0x3fa4b2a6e573e9e5, 0xcfbf379e84dce748 }, { 1, 2 } };
static const answer_time_t now = { { 1559731985 }, { 1000 * NS_PER_S } };
static const answer_conf_t conf = {
	.version = "secd",
	.udp_payload = 1232,
	.keepalive = 100,
	.nsid = (const uint8_t *)"ns7\0\xff",
	.nsid_len = 5,
	.cookies = { secrets, 2 },
};
static const answer_conf_t bare = { .version = "secd", .udp_payload = 1232, .keepalive = 100 };

typedef struct fixture {
	epoch_t *epoch;
	zone_set_t *set;
	answer_t *answer, *bare;
	answer_counters_t counters;
	addr_t peer;
	uint8_t msg[1024], out[65535];
	size_t len, out_len;
} fixture_t;

static zone_slot_t *serve(fixture_t *f, const char *apex, const char *lines)
{
	static const addr_acl_t nobody = { NULL, 0 };
	dns_name_t name = zones_name(apex);
	zone_slot_t *slot;

	cr_assert(zone_set_add(f->set, &name, &nobody, NULL, &slot) == ST_OK);
	cr_assert(zone_set_commit(f->set) == ST_OK);
	if (lines)
		cr_assert(zone_set_publish(f->set, slot,
		                           zones_version(zone_set_key(f->set), apex, lines),
		                           NULL) == ST_OK);
	return slot;
}

static fixture_t *setup(void)
{
	fixture_t *f = calloc(1, sizeof *f);
	zone_slot_t *old;

	cr_assert(addr_parse("198.51.100.100", 4711, &f->peer) == ST_OK);
	f->epoch = epoch_new(0);
	f->set = zone_set_new(f->epoch);
	/* 4,000 seconds and a bit are left. */
	zone_set_expires(serve(f, "example.", example), mono_add_ms(now.mono, 4000999));
	serve(f, "other.", other);
	zone_set_expires(serve(f, "almost.", other), mono_add_ms(now.mono, 1));
	zone_set_expires(serve(f, "late.", other), mono_add_s(now.mono, -5));
	zone_set_expires(serve(f, "long.", other), mono_add_s(now.mono, INT64_C(1) << 33));
	serve(f, ".", "@ SOA ns hm 3 3600 600 86400 60\n@ NS ns\n");
	serve(f, "empty.", NULL);
	old = serve(f, "old.", other);
	zone_set_expires(old, mono_add_s(now.mono, -5));
	zone_set_expire(old, true);
	f->answer = answer_new(f->set, &conf, &f->counters);
	f->bare = answer_new(f->set, &bare, &f->counters);
	return f;
}

static void teardown(fixture_t *f)
{
	answer_free(f->answer);
	answer_free(f->bare);
	zone_set_free(f->set);
	epoch_free(f->epoch);
	free(f);
}

static size_t unhex(const char *text, uint8_t *out)
{
	size_t len = 0;

	for (; *text; text += 2)
		cr_assert(eq(int, sscanf(text, "%2hhx", &out[len++]), 1));
	return len;
}

/* The message: a question unless name is NULL, and an OPT unless options is. */
static void make(fixture_t *f, unsigned flags, const char *name, uint16_t type, uint16_t class,
                 unsigned payload, const char *options)
{
	bufw_t w = bufw_over(f->msg, sizeof f->msg);
	uint8_t octets[512];
	dns_name_t n;

	bufw_u32(&w, 0x12340000 | flags);
	bufw_u16(&w, name != NULL);
	bufw_u32(&w, 0);
	bufw_u16(&w, options != NULL);
	if (name) {
		cr_assert(dns_name_from_text(name, &n) == ST_OK, "%s", name);
		bufw_bytes(&w, n.wire, n.len);
		bufw_u16(&w, type);
		bufw_u16(&w, class);
	}
	if (options) {
		size_t len = unhex(options, octets);

		bufw_u8(&w, 0);
		bufw_u16(&w, DNS_TYPE_OPT);
		bufw_u16(&w, payload);
		bufw_u32(&w, 0);
		bufw_u16(&w, (unsigned)len);
		bufw_bytes(&w, octets, len);
	}
	cr_assert(bufw_ok(&w));
	f->len = w.pos;
}

static void ask(fixture_t *f, answer_t *a, answer_via_t via, size_t room)
{
	answer_req_t *req = calloc(1, sizeof *req);

	*req = (answer_req_t){ .in = f->msg,
		               .in_len = f->len,
		               .out = f->out,
		               .out_room = room,
		               .via = via,
		               .peer = &f->peer };
	answer_batch(a, &now, req, 1);
	f->out_len = req->out_len;
	free(req);
}

/* RCODE with its upper bits, and the OPT's RDATA in hex; "none" without an OPT. */
static unsigned told(const fixture_t *f, char *hex)
{
	ldns_pkt *pkt = NULL;

	cr_assert(eq(int, ldns_wire2pkt(&pkt, f->out, f->out_len), LDNS_STATUS_OK));
	unsigned rcode = ldns_pkt_get_rcode(pkt) | (unsigned)ldns_pkt_edns_extended_rcode(pkt) << 4;
	ldns_rdf *data = ldns_pkt_edns_data(pkt);
	strcpy(hex, ldns_pkt_edns(pkt) ? "" : "none");
	for (size_t i = 0; data && i < ldns_rdf_size(data); i++)
		sprintf(hex + 2 * i, "%02x", ldns_rdf_data(data)[i]);
	ldns_pkt_free(pkt);
	return rcode;
}

#define CLIENT "2464c4abcf10c957"
#define MADE   CLIENT "010000005cf79f111f8130c3eee29480" /* now */
#define COOKIE "000a0018" MADE
#define NSID                                                                                       \
	"00030005"                                                                                 \
	"6e733700ff"
#define VERSION1                                                                                   \
	"00130006"                                                                                 \
	"0100ffffffff" /* example.: one label, serial 2^32-1 */
#define EXPIRE                                                                                     \
	"00090004"                                                                                 \
	"00000fa0"

static const struct {
	const char *why, *name;
	uint16_t type, class;
	bool tcp, bare;
	const char *options, *want;
	unsigned rcode;
} rows[] = {
	{ "no OPT, no options", "example.", 6, 1, false, false, NULL, "none", 0 },
	{ "nothing asked for", "example.", 6, 1, false, false, "", "", 0 },
	{ "what we don't know", "example.", 6, 1, false, false, "fde90001ff000c000400000000", "",
	  0 },
	{ "NSID", "example.", 6, 1, false, false, "00030000", NSID, 0 },
	{ "NSID of NXDOMAIN", "nx.example.", 1, 1, false, false, "00030000", NSID, 3 },
	{ "NSID not set", "example.", 6, 1, false, true, "00030000", "", 0 },
	{ "NSID of what is refused", "www.empty.", 1, 1, false, false, "00030000",
	  NSID "000f001a000e"
	       "7a6f6e65206e6f74207472616e7366657272656420796574",
	  2 },
	{ "NSID in class CHAOS", "version.bind.", 16, 3, false, false, "00030000", NSID, 0 },

	{ "EXPIRE, in whole seconds", "example.", 6, 1, false, false, "00090000", EXPIRE, 0 },
	{ "EXPIRE over TCP", "example.", 6, 1, true, false, "00090000", EXPIRE, 0 },
	{ "EXPIRE of another type", "example.", 2, 1, false, false, "00090000", "", 0 },
	{ "EXPIRE of a name below the apex", "ns.example.", 6, 1, false, false, "00090000", "", 0 },
	{ "EXPIRE of a referral", "sub.example.", 6, 1, false, false, "00090000", "", 0 },
	{ "EXPIRE in class ANY, which has no AA", "example.", 6, 255, false, false, "00090000", "",
	  0 },
	{ "EXPIRE that nobody has told us", "other.", 6, 1, false, false, "00090000", "", 0 },
	{ "EXPIRE within a second is not yet 0", "almost.", 6, 1, false, false, "00090000",
	  "0009000400000001", 0 },
	{ "EXPIRE passed, but the main thread has not said so yet", "late.", 6, 1, false, false,
	  "00090000", "0009000400000001", 0 },
	{ "EXPIRE beyond 32 bits", "long.", 6, 1, false, false, "00090000", "00090004ffffffff", 0 },
	{ "EXPIRE of an expired zone is 0", "old.", 6, 1, false, false, "00090000",
	  "0009000400000000"
	  "000f000e0018"
	  "7a6f6e652065787069726564",
	  2 },
	{ "EXPIRE of a zone that never came", "empty.", 6, 1, false, false, "00090000",
	  "000f001a000e"
	  "7a6f6e65206e6f74207472616e7366657272656420796574",
	  2 },

	{ "a client's cookie alone", "example.", 6, 1, false, false, "000a0008" CLIENT, COOKIE, 0 },
	{ "a good cookie goes back", "example.", 6, 1, false, false,
	  "000a0018" CLIENT "010000005cf79f111f8130c3eee29480", COOKIE, 0 },
	{ "a wrong one is answered with a fresh one", "example.", 6, 1, false, false,
	  "000a0018" CLIENT "010000005cf79f111f8130c3eee29481", COOKIE, 0 },
	{ "one of another make, too", "example.", 6, 1, false, false,
	  "000a0010" CLIENT "0000000000000000", COOKIE, 0 },
	{ "a cookie for NXDOMAIN", "nx.example.", 1, 1, true, false, "000a0008" CLIENT, COOKIE, 3 },
	{ "cookies are off", "example.", 6, 1, false, true, "000a0008" CLIENT, "", 0 },
	{ "a cookie cut short", "example.", 6, 1, false, false, "000a000701020304050607", "", 1 },

	{ "keepalive over TCP", "example.", 6, 1, true, false, "000b0000", "000b00020064", 0 },
	{ "keepalive over UDP", "example.", 6, 1, false, false, "000b0000", "", 0 },
	{ "keepalive with a time over TCP", "example.", 6, 1, true, false, "000b00020064", "", 1 },
	{ "keepalive with a time over UDP", "example.", 6, 1, false, false, "000b00020064", "", 0 },

	{ "ZONEVERSION", "example.", 6, 1, false, false, "00130000", VERSION1, 0 },
	{ "ZONEVERSION of NXDOMAIN", "nx.example.", 1, 1, false, false, "00130000", VERSION1, 3 },
	{ "ZONEVERSION of a referral", "a.sub.example.", 1, 1, false, false, "00130000", VERSION1,
	  0 },
	{ "ZONEVERSION is of the question's zone, not of the chain's end", "alias.example.", 1, 1,
	  false, false, "00130000", VERSION1, 0 },
	{ "ZONEVERSION of the root has no label", "nx.", 1, 1, false, false, "00130000",
	  "00130006"
	  "000000000003",
	  3 },
	{ "ZONEVERSION of an expired zone", "www.old.", 1, 1, false, false, "00130000",
	  "000f000e0018"
	  "7a6f6e652065787069726564",
	  2 },
	{ "ZONEVERSION in class CHAOS", "version.bind.", 16, 3, false, false, "00130000", "", 0 },
	{ "ZONEVERSION of a transfer", "example.", 252, 1, true, false, "00130000",
	  "000f00160012"
	  "7472616e73666572206e6f7420616c6c6f776564",
	  5 },
	{ "ZONEVERSION with a version in it", "example.", 6, 1, false, false,
	  "001300060100000000"
	  "07",
	  "", 1 },

	{ "all at once, in our order", "example.", 6, 1, true, false,
	  "00130000000b0000000a0008" CLIENT "0009000000030000",
	  NSID EXPIRE COOKIE "000b00020064" VERSION1, 0 },
	{ "a transfer over TCP is prohibited", "example.", 252, 1, true, false, "",
	  "000f00160012"
	  "7472616e73666572206e6f7420616c6c6f776564",
	  5 },
	{ "an IXFR is prohibited", "example.", 251, 1, false, false, "",
	  "000f00160012"
	  "7472616e73666572206e6f7420616c6c6f776564",
	  5 },
	{ "no reason without an OPT", "example.", 251, 1, false, false, NULL, "none", 5 },
	{ "a CHAOS name that is refused has no reason of ours", "id.server.", 16, 3, false, false,
	  "", "", 5 },
	{ "no question but a cookie", NULL, 0, 0, false, false, "000a0008" CLIENT, COOKIE, 0 },
	{ "no question but a good cookie", NULL, 0, 0, false, false, COOKIE, COOKIE, 0 },
	{ "no question but a wrong cookie", NULL, 0, 0, true, false,
	  "000a0018" CLIENT "010000005cf79f111f8130c3eee29481", COOKIE, 23 },
	{ "no question but a cookie, and these are off", NULL, 0, 0, false, true, "000a0008" CLIENT,
	  "", 1 },
	{ "no question and no cookie", NULL, 0, 0, false, false, "00030000", "", 1 },
};

Test(answer_edns, answers_each_option_as_its_rfc_says)
{
	fixture_t *f = setup();
	char hex[1000];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make(f, 0, rows[i].name, rows[i].type, rows[i].class, 1232, rows[i].options);
		ask(f, rows[i].bare ? f->bare : f->answer, rows[i].tcp ? ANSWER_TCP : ANSWER_UDP,
		    sizeof f->out);
		cr_expect(eq(u32, told(f, hex), rows[i].rcode), "%s", rows[i].why);
		cr_expect(eq(str, hex, (char *)rows[i].want), "%s", rows[i].why);
	}
	teardown(f);
}

Test(answer_edns, says_why_a_zone_is_not_ours)
{
	fixture_t *f = setup();
	zone_set_t *none = zone_set_new(f->epoch);
	answer_t *a = answer_new(none, &conf, &f->counters);
	char hex[1000];

	make(f, 0, "example.", 1, 1, 1232, "");
	ask(f, a, ANSWER_UDP, sizeof f->out);
	cr_expect(eq(u32, told(f, hex), DNS_RCODE_REFUSED));
	cr_expect(eq(str, hex,
	             (char *)"000f00130014"
	                     "6e6f2073756368207a6f6e652068657265"));
	answer_free(a);
	zone_set_free(none);
	teardown(f);
}

Test(answer_edns, gives_a_notify_its_cookie_and_a_refused_one_its_reason)
{
	fixture_t *f = setup();
	char hex[1000];

	make(f, 0x2400, "example.", 6, 1, 1232, "000a0008" CLIENT "0009000000130000");
	ask(f, f->answer, ANSWER_UDP, sizeof f->out);
	cr_expect(eq(u32, told(f, hex), DNS_RCODE_REFUSED));
	cr_expect(eq(str, hex,
	             (char *)COOKIE "000f00140012"
	                            "6e6f74696679206e6f7420616c6c6f776564"));
	teardown(f);
}

/* Ours is renewed after half an hour, and at once when its secret is not the first. */
Test(answer_edns, renews_cookies_and_takes_those_of_every_secret)
{
	static const answer_conf_t before = { .udp_payload = 1232, .cookies = { &secrets[1], 1 } };
	fixture_t *f = setup();
	answer_t *a = answer_new(f->set, &before, &f->counters);
	char hex[1000], query[100];

	make(f, 0, NULL, 0, 0, 1232, "000a0008" CLIENT);
	ask(f, a, ANSWER_UDP, sizeof f->out);
	told(f, query);
	cr_expect(ne(str, query, (char *)COOKIE), "made with the other secret");

	make(f, 0, NULL, 0, 0, 1232, query);
	ask(f, f->answer, ANSWER_UDP, sizeof f->out);
	cr_expect(eq(u32, told(f, hex), 0), "verified with the second secret");
	cr_expect(eq(str, hex, (char *)COOKIE), "and replaced by one of the first");
	answer_free(a);
	teardown(f);
}

/* However much the options take, what is sent keeps to the size, and TC is told by what fits. */
Test(answer_edns, never_passes_the_size_whatever_is_asked_for)
{
	static uint8_t nsid[ANSWER_NSID_MAX];
	const answer_conf_t wide = { .udp_payload = 4096,
		                     .nsid = nsid,
		                     .nsid_len = sizeof nsid,
		                     .cookies = { secrets, 2 } };
	fixture_t *f = setup();
	answer_t *a = answer_new(f->set, &wide, &f->counters);
	char lines[24000] = "@ SOA ns hm 1 3600 600 86400 60\n@ NS ns\n", hex[1000], text[255];
	char name[300];
	unsigned cut = 0, whole = 0;

	memset(text, 'x', sizeof text);
	for (int i = 0; i < 40; i++)
		sprintf(lines + strlen(lines), "t%d TXT \"%.*s\" \"%.*s\"\n", i, i * 6, text, i * 6,
		        text);
	serve(f, "big.", lines);
	for (int i = 0; i < 40; i++) {
		sprintf(name, "t%d.big.", i);
		make(f, 0, name, 16, 1, 512, "00130000000a0008" CLIENT "0009000000030000");
		ask(f, a, ANSWER_UDP, 4096);
		cr_expect(le(sz, f->out_len, 512), "%s", name);
		cr_expect(eq(u32, told(f, hex), 0), "%s", name);
		bool tc = get_u16(f->out + 2) & DNS_TC;
		cr_expect(eq(int, get_u16(f->out + 6), tc ? 0 : 1), "%s", name);
		*(tc ? &cut : &whole) += 1;
	}
	cr_expect(cut > 0 && whole > 0, "%u cut, %u whole", cut, whole);

	/* The longest name there is leaves room for all of them, and for the reason's code. */
	memset(name, 'a', sizeof name);
	name[63] = name[127] = name[191] = '.';
	strcpy(name + 247, ".empty."); /* 255 octets in wire form */
	make(f, 0, name, 6, 1, 512, "00130000000a0008" CLIENT "0009000000030000");
	ask(f, a, ANSWER_UDP, 4096);
	cr_expect(le(sz, f->out_len, 512));
	cr_expect(eq(u32, told(f, hex), DNS_RCODE_SERVFAIL));
	cr_expect(strstr(hex, "000f001a000e") != NULL, "%s", hex);
	answer_free(a);
	teardown(f);
}

/* The text goes first, then the whole of it: what must stand there stays. */
Test(answer_edns, gives_up_the_reason_before_anything_else)
{
	fixture_t *f = setup();
	char hex[1000];

	make(f, 0, "www.empty.", 1, 1, 1232, "");
	for (size_t room = f->len; room <= f->len + 60; room++) {
		size_t text = strlen("zone not transferred yet");
		const char *want = room < f->len + 6          ? ""
		                   : room < f->len + 6 + text ? "000f0002000e"
		                                              : "000f001a000e";

		ask(f, f->answer, ANSWER_UDP, room);
		cr_expect(eq(u32, told(f, hex), DNS_RCODE_SERVFAIL));
		hex[12] = '\0';
		cr_expect(eq(str, hex, (char *)want), "%zu octets more", room - f->len);
	}
	teardown(f);
}
