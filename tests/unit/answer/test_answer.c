/* tests/unit/answer/test_answer.c - questions and their answers, whole messages in and out.
 *
 * Answers are told in one line each: "RCODE flags | answer | authority | additional", records as
 * "owner TYPE rdata" in presentation form, the OPT left out. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ldns/ldns.h>
#include <stdlib.h>

#include "answer/answer.h"
#include "dns/wire.h"
#include "support/zones.h"

TestSuite(answer, .timeout = 20, .init = NULL);

/* RFC 1034 6.1's zones in small, with what the other RFCs add. */
static const char example[] =
	"@ SOA ns hm 7 3600 600 86400 60\n"
	"@ NS ns\n@ NS ns.other.org.\nns A 192.0.2.53\n"
	"www A 192.0.2.1\nwww AAAA 2001:db8::1\n"
	"alias CNAME www\nalias2 CNAME alias\nout CNAME www.other.org.\nbad CNAME nx\n"
	"loop1 CNAME loop2\nloop2 CNAME loop1\nself CNAME self\ntodel CNAME x.sub\n"
	"tochild CNAME www.child\n"
	"mx MX 10 www\nmx MX 20 mail.other.org.\n"
	"*.w A 192.0.2.2\n*.w MX 5 *.w\nx.y.w A 192.0.2.3\n*.c CNAME www\n*.ws CNAME a.ws\n"
	"d DNAME target\nin.target A 192.0.2.4\nself2.target CNAME a.d\n"
	"back DNAME @\nback.back2 TXT x\nback2 DNAME back2\n"
	"long DNAME a23456789012345678901234567890123456789012345678901234567890.b\n"
	"sub NS ns.sub\nsub NS ns.sib\nsub DS 1 8 2 "
	"0000000000000000000000000000000000000000000000000000000000000000\n"
	"ns.sub A 192.0.2.5\nns.sub AAAA 2001:db8::5\nhidden.sub TXT \"occluded\"\n"
	"sib NS ns.sib\nns.sib A 192.0.2.6\n"
	"child NS ns.child\nns.child A 192.0.2.7\n"
	"nons TXT \"only text\"\n";
static const char child[] = "@ SOA ns hm 9 3600 600 86400 300\n@ 30 NS ns\nns A 192.0.2.7\n"
			    "www A 192.0.2.8\n";

static const answer_conf_t conf = { .version = "secd", .identity = "", .udp_payload = 1232 };
static const answer_time_t now = { { 1559731985 }, { 1000 * NS_PER_S } };

typedef struct fixture {
	epoch_t *epoch;
	zone_set_t *set;
	answer_t *answer;
	answer_counters_t counters;
	addr_rule_t allowed;
	addr_acl_t acl;
	addr_t peer;
	zone_slot_t *empty, *expired;
} fixture_t;

static zone_slot_t *serve(fixture_t *f, const char *apex, const char *lines)
{
	dns_name_t name = zones_name(apex);
	zone_slot_t *slot;

	cr_assert(zone_set_add(f->set, &name, &f->acl, NULL, &slot) == ST_OK);
	cr_assert(zone_set_commit(f->set) == ST_OK);
	if (lines) {
		zone_version_t *v = zones_version(zone_set_key(f->set), apex, lines);

		cr_assert(zone_set_publish(f->set, slot, v, NULL) == ST_OK);
	}
	return slot;
}

/* A zone two labels down, so that a name server can share its parent's name with it. */
static const char deep[] = "@ SOA ns hm 1 1 1 1 1\n@ NS ns\nns A 192.0.2.10\n"
			   "cut NS ns.other.test.\ncut NS ns\ncut NS @\ncut NS test.\n"
			   "cut NS NS.CUT\nns.cut A 192.0.2.11\n";

static void setup(fixture_t *f)
{
	memset(f, 0, sizeof *f);
	cr_assert(addr_prefix_parse("192.0.2.0/24", &f->allowed.from) == ST_OK);
	cr_assert(addr_parse("192.0.2.9", 4711, &f->peer) == ST_OK);
	f->acl = (addr_acl_t){ &f->allowed, 1 };
	f->epoch = epoch_new(0);
	f->set = zone_set_new(f->epoch);
	serve(f, "example.", example);
	serve(f, "child.example.", child);
	serve(f, "deep.test.", deep);
	f->empty = serve(f, "empty.example.", NULL);
	f->expired = serve(f, "old.example.", child);
	zone_set_expire(f->expired, true);
	f->answer = answer_new(f->set, &conf, &f->counters);
}

static void teardown(fixture_t *f)
{
	answer_free(f->answer);
	zone_set_free(f->set);
	epoch_free(f->epoch);
}

static size_t question(uint8_t *msg, const char *name, uint16_t type, uint16_t class)
{
	bufw_t w = bufw_over(msg, 512);
	dns_name_t n;

	cr_assert(dns_name_from_text(name, &n) == ST_OK, "%s", name);
	bufw_u16(&w, 0x1234);
	bufw_u16(&w, 0);
	bufw_u16(&w, 1);
	bufw_bytes(&w, "\0\0\0\0\0\0", 6);
	bufw_bytes(&w, n.wire, n.len);
	bufw_u16(&w, type);
	bufw_u16(&w, class);
	return w.pos;
}

static size_t add_opt(uint8_t *msg, size_t len, unsigned payload, uint32_t ttl)
{
	bufw_t w = bufw_over(msg + len, 11);

	bufw_u8(&w, 0);
	bufw_u16(&w, DNS_TYPE_OPT);
	bufw_u16(&w, payload);
	bufw_u32(&w, ttl);
	bufw_u16(&w, 0);
	put_u16(msg + 10, get_u16(msg + 10) + 1);
	return len + 11;
}

static size_t ask(fixture_t *f, const uint8_t *msg, size_t len, answer_via_t via, uint8_t *out)
{
	answer_req_t *req = calloc(1, sizeof *req);
	size_t out_len;

	req->in = msg;
	req->in_len = len;
	req->out = out;
	req->out_room = 65535;
	req->via = via;
	req->peer = &f->peer;
	answer_batch(f->answer, &now, req, 1);
	out_len = req->out_len;
	free(req);
	return out_len;
}

static void append_list(char *text, size_t room, const ldns_rr_list *list)
{
	strncat(text, " |", room - strlen(text) - 1);
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		char *owner = ldns_rdf2str(ldns_rr_owner(rr)),
		     *type = ldns_rr_type2str(ldns_rr_get_type(rr));
		char line[600];
		int n = snprintf(line, sizeof line, " %s %s", owner, type);

		for (size_t j = 0; j < ldns_rr_rd_count(rr); j++) {
			char *rdata = ldns_rdf2str(ldns_rr_rdf(rr, j));

			n += snprintf(line + n, sizeof line - (size_t)n, " %s", rdata);
			free(rdata);
		}
		strncat(text, line, room - strlen(text) - 1);
		strncat(text, ";", room - strlen(text) - 1);
		free(owner);
		free(type);
	}
}

/* An independent reader (ldns) tells what the message says. */
static void tell(const uint8_t *msg, size_t len, char *text, size_t room)
{
	ldns_pkt *pkt = NULL;
	char *rcode;

	cr_assert(eq(int, ldns_wire2pkt(&pkt, msg, len), LDNS_STATUS_OK));
	rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(pkt));
	snprintf(text, room, "%s%s%s", rcode, ldns_pkt_aa(pkt) ? " aa" : "",
	         ldns_pkt_tc(pkt) ? " tc" : "");
	free(rcode);
	append_list(text, room, ldns_pkt_answer(pkt));
	append_list(text, room, ldns_pkt_authority(pkt));
	append_list(text, room, ldns_pkt_additional(pkt));
	ldns_pkt_free(pkt);
}

#define NEG  " example. SOA ns.example. hm.example. 7 3600 600 86400 60;"
#define SUBS " sub.example. NS ns.sib.example.; sub.example. NS ns.sub.example.;"
#define GLUE " ns.sub.example. A 192.0.2.5; ns.sub.example. AAAA 2001:db8::5;"

static const struct {
	const char *why, *name;
	uint16_t type;
	const char *want;
} rows[] = {
	{ "an address", "www.example.", 1, "NOERROR aa | www.example. A 192.0.2.1; | |" },
	{ "letter case is the question's", "wWw.ExAmPle.", 1,
	  "NOERROR aa | wWw.ExAmPle. A 192.0.2.1; | |" },
	{ "no data", "www.example.", 16, "NOERROR aa | |" NEG " |" },
	{ "no such name", "nx.example.", 1, "NXDOMAIN aa | |" NEG " |" },
	{ "an empty non-terminal has no data", "y.w.example.", 1, "NOERROR aa | |" NEG " |" },
	{ "the apex's name servers come with their addresses", "example.", 2,
	  "NOERROR aa | example. NS ns.other.org.; example. NS ns.example.; | |"
	  " ns.example. A 192.0.2.53;" },
	{ "mail exchangers with what we know of them", "mx.example.", 15,
	  "NOERROR aa | mx.example. MX 10 www.example.; mx.example. MX 20 mail.other.org.; | |"
	  " www.example. A 192.0.2.1; www.example. AAAA 2001:db8::1;" },
	{ "a chain", "alias2.example.", 28,
	  "NOERROR aa | alias2.example. CNAME alias.example.; alias.example. CNAME www.example.;"
	  " www.example. AAAA 2001:db8::1; | |" },
	{ "a chain to nowhere has the rcode of its end", "bad.example.", 1,
	  "NXDOMAIN aa | bad.example. CNAME nx.example.; |" NEG " |" },
	{ "a chain that leaves our zones", "out.example.", 1,
	  "NOERROR aa | out.example. CNAME www.other.org.; | |" },
	{ "a chain into another of our zones", "tochild.example.", 1,
	  "NOERROR aa | tochild.example. CNAME www.child.example.;"
	  " www.child.example. A 192.0.2.8; | |" },
	{ "a chain into a delegation is authoritative up to it", "todel.example.", 1,
	  "NOERROR aa | todel.example. CNAME x.sub.example.; |" SUBS " |" GLUE
	  " ns.sib.example. A 192.0.2.6;" },
	{ "a loop ends where it closes", "loop1.example.", 1,
	  "NOERROR aa | loop1.example. CNAME loop2.example.;"
	  " loop2.example. CNAME loop1.example.; | |" },
	{ "a CNAME to itself", "self.example.", 1,
	  "NOERROR aa | self.example. CNAME self.example.; | |" },
	{ "a CNAME asked for", "alias.example.", 5,
	  "NOERROR aa | alias.example. CNAME www.example.; | |" },
	{ "ANY gets one RRset", "www.example.", 255, "NOERROR aa | www.example. A 192.0.2.1; | |" },
	{ "a wildcard", "a.b.w.example.", 1, "NOERROR aa | a.b.w.example. A 192.0.2.2; | |" },
	{ "a wildcard whose RDATA names itself", "q.w.example.", 15,
	  "NOERROR aa | q.w.example. MX 5 *.w.example.; | |"
	  " *.w.example. A 192.0.2.2;" },
	{ "a wildcard has no data of that type", "a.w.example.", 16, "NOERROR aa | |" NEG " |" },
	{ "a wildcard asked for by its own name", "*.w.example.", 1,
	  "NOERROR aa | *.w.example. A 192.0.2.2; | |" },
	{ "an empty non-terminal blocks the wildcard above it", "z.y.w.example.", 1,
	  "NXDOMAIN aa | |" NEG " |" },
	{ "a wildcard CNAME", "q.c.example.", 1,
	  "NOERROR aa | q.c.example. CNAME www.example.; www.example. A 192.0.2.1; | |" },
	{ "a wildcard CNAME that leads to itself", "q.ws.example.", 1,
	  "NOERROR aa | q.ws.example. CNAME a.ws.example.; a.ws.example. CNAME a.ws.example.; | "
	  "|" },
	{ "a DNAME redirects what is below", "in.d.example.", 1,
	  "NOERROR aa | d.example. DNAME target.example.; in.d.example. CNAME in.target.example.;"
	  " in.target.example. A 192.0.2.4; | |" },
	{ "a DNAME's owner is a plain name", "d.example.", 39,
	  "NOERROR aa | d.example. DNAME target.example.; | |" },
	{ "a DNAME's owner is not redirected", "d.example.", 1, "NOERROR aa | |" NEG " |" },
	{ "a synthesized CNAME asked for", "in.d.example.", 5,
	  "NOERROR aa | d.example. DNAME target.example.;"
	  " in.d.example. CNAME in.target.example.; | |" },
	{ "a DNAME applied twice stands once", "self2.d.example.", 1,
	  "NXDOMAIN aa | d.example. DNAME target.example.;"
	  " self2.d.example. CNAME self2.target.example.; self2.target.example. CNAME a.d.example.;"
	  " a.d.example. CNAME a.target.example.; |" NEG " |" },
	{ "a DNAME that leads to its own owner stands once, asked for or not", "back.back.example.",
	  39,
	  "NOERROR aa | back.example. DNAME example.; back.back.example. CNAME back.example.; | "
	  "|" },
	{ "... or of ANY", "back.back.example.", 255,
	  "NOERROR aa | back.example. DNAME example.; back.back.example. CNAME back.example.; | "
	  "|" },
	{ "a referral with glue, needed first", "a.b.sub.example.", 1,
	  "NOERROR | |" SUBS " |" GLUE " ns.sib.example. A 192.0.2.6;" },
	{ "the cut's own name is a referral", "sub.example.", 2,
	  "NOERROR | |" SUBS " |" GLUE " ns.sib.example. A 192.0.2.6;" },
	{ "glue is not an answer", "ns.sub.example.", 1,
	  "NOERROR | |" SUBS " |" GLUE " ns.sib.example. A 192.0.2.6;" },
	{ "occluded data is not there", "hidden.sub.example.", 16,
	  "NOERROR | |" SUBS " |" GLUE " ns.sib.example. A 192.0.2.6;" },
	{ "glue by names that end like the zone, or not quite", "x.cut.deep.test.", 1,
	  "NOERROR | | cut.deep.test. NS NS.cut.deep.test.; cut.deep.test. NS ns.deep.test.;"
	  " cut.deep.test. NS ns.other.test.; cut.deep.test. NS deep.test.;"
	  " cut.deep.test. NS test.; | NS.cut.deep.test. A 192.0.2.11; ns.deep.test. A "
	  "192.0.2.10;" },
	{ "DS at the cut is the parent's", "sub.example.", 43,
	  "NOERROR aa | sub.example. DS 1 8 2"
	  " 0000000000000000000000000000000000000000000000000000000000000000; | |" },
	{ "no DS at the cut is the parent's too", "child.example.", 43, "NOERROR aa | |" NEG " |" },
	{ "DS of an apex whose parent is elsewhere", "example.", 43, "NOERROR aa | |" NEG " |" },
	{ "the child answers for itself", "child.example.", 2,
	  "NOERROR aa | child.example. NS ns.child.example.; | | ns.child.example. A 192.0.2.7;" },
	{ "the negative TTL is MINIMUM, or the SOA's if lower", "nx.child.example.", 1,
	  "NXDOMAIN aa | | child.example. SOA ns.child.example. hm.child.example. 9 3600 600 86400"
	  " 300; |" },
	{ "not ours", "other.org.", 1, "REFUSED | | |" },
	{ "the root is not ours", ".", 2, "REFUSED | | |" },
	{ "no data yet", "www.empty.example.", 1, "SERVFAIL | | |" },
	{ "expired, and the parent is no way out", "www.old.example.", 1, "SERVFAIL | | |" },
	{ "a transfer over UDP", "example.", 252, "FORMERR | | |" },
	{ "an IXFR of ours", "example.", 251, "REFUSED | | |" },
	{ "an IXFR of a name in ours", "www.example.", 251, "NOTAUTH | | |" },
	{ "MAILB", "example.", 253, "NOTIMPL | | |" },
	{ "OPT as a type", "example.", 41, "FORMERR | | |" },
	{ "a type that nobody knows", "www.example.", 65280, "NOERROR aa | |" NEG " |" },
};

Test(answer, gives_each_question_its_answer)
{
	uint8_t msg[512], out[65535];
	char text[4000];
	fixture_t f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = question(msg, rows[i].name, rows[i].type, 1);
		size_t n = ask(&f, msg, len, ANSWER_UDP, out);

		cr_assert(n >= len, "%s", rows[i].why);
		tell(out, n, text, sizeof text);
		cr_expect(eq(str, text, (char *)rows[i].want), "%s", rows[i].why);
		cr_expect(eq(int, get_u16(out), 0x1234), "%s: id", rows[i].why);
		cr_expect(memcmp(out + 12, msg + 12, len - 12) == 0, "%s: question", rows[i].why);
	}
	teardown(&f);
}

Test(answer, says_yxdomain_when_a_dname_makes_a_name_too_long)
{
	uint8_t msg[512], out[65535];
	char name[300], text[4000];
	fixture_t f;

	setup(&f);
	/* 3 labels of 63 and the end of the zone fit into 255; with the target's 63 they don't. */
	memset(name, 'q', 191);
	name[63] = name[127] = '.';
	strcpy(name + 191, ".long.example.");
	size_t n = ask(&f, msg, question(msg, name, 1, 1), ANSWER_UDP, out);
	tell(out, n, text, sizeof text);
	cr_expect(strncmp(text, "YXDOMAIN aa | long.example. DNAME ", 34) == 0, "%s", text);
	teardown(&f);
}

static unsigned flags_of(const uint8_t *msg)
{
	return get_u16(msg + 2);
}

Test(answer, copies_rd_and_cd_and_never_sets_ra_or_ad)
{
	uint8_t msg[512], out[65535];
	fixture_t f;

	setup(&f);
	size_t len = question(msg, "www.example.", 1, 1);
	put_u16(msg + 2, DNS_RD | DNS_CD | DNS_AD | DNS_RA | DNS_Z | DNS_TC | DNS_AA);
	ask(&f, msg, len, ANSWER_UDP, out);
	cr_expect(eq(int, flags_of(out), DNS_QR | DNS_AA | DNS_RD | DNS_CD));
	teardown(&f);
}

static const struct {
	const char *why;
	uint32_t ttl;
	unsigned rcode, ext;
} versions[] = {
	{ "EDNS 0", 0, 0, 0 },
	{ "EDNS 0 with DO and unknown flags", 0xffff, 0, 0 },
	{ "EDNS 1 is BADVERS", 0x10000, 0, 1 },
};

Test(answer, speaks_edns_when_spoken_to_in_it)
{
	uint8_t msg[512], out[65535];
	fixture_t f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		size_t len = question(msg, "www.example.", 1, 1);

		len = add_opt(msg, len, 4096, versions[i].ttl);
		size_t n = ask(&f, msg, len, ANSWER_UDP, out);
		const uint8_t *opt = out + n - 11;
		cr_expect(eq(int, get_u16(opt + 1), DNS_TYPE_OPT), "%s", versions[i].why);
		cr_expect(eq(int, get_u16(opt + 3), 1232), "%s", versions[i].why);
		cr_expect(eq(int, opt[5], versions[i].ext), "%s", versions[i].why);
		cr_expect(eq(int, opt[6], 0), "%s: our version", versions[i].why);
		cr_expect(eq(int, get_u16(opt + 7), versions[i].ttl & 0x8000), "%s",
		          versions[i].why);
		cr_expect(eq(int, flags_of(out) & 15, versions[i].rcode), "%s", versions[i].why);
		cr_expect(eq(int, get_u16(out + 6), versions[i].ext ? 0 : 1), "%s",
		          versions[i].why);
	}
	teardown(&f);
}

/* What a broken message gets: a header with this rcode and the given sections, or silence. */
typedef enum form { SILENCE, HEADER, ECHO } form_t;

static const struct {
	const char *why;
	form_t form;
	unsigned rcode;
	size_t len;
	uint8_t msg[60];
} broken[] = {
	{ "nothing", SILENCE, 0, 0, { 0 } },
	{ "half a header", SILENCE, 0, 11, { 1, 2 } },
	{ "an answer", SILENCE, 0, 12, { 1, 2, 0x80 } },
	{ "no question", HEADER, 1, 12, { 1, 2 } },
	{ "two questions", HEADER, 1, 22, { 1, 2, 0, 0, 0, 2, [13] = 0, 1, 0, 1, 0, 0, 1, 0, 1 } },
	{ "a question cut short", HEADER, 1, 15, { 1, 2, 0, 0, 0, 1, [12] = 0, 0, 1 } },
	{ "a compressed question",
	  HEADER,
	  1,
	  18,
	  { 1, 2, 0, 0, 0, 1, [12] = 0xc0, 0, 0, 1, 0, 1 } },
	{ "opcode 2", HEADER, 4, 17, { 1, 2, 0x10, 0, 0, 1, [12] = 0, 0, 1, 0, 1 } },
	{ "UPDATE", HEADER, 4, 17, { 1, 2, 0x28, 0, 0, 1, [12] = 0, 0, 6, 0, 1 } },
	{ "octets behind the end", HEADER, 1, 18, { 1, 2, 0, 0, 0, 1, [12] = 0, 0, 1, 0, 1, 9 } },
	{ "a record that isn't there",
	  HEADER,
	  1,
	  17,
	  { 1, 2, 0, 0, 0, 1, 0, 1, [12] = 0, 0, 1, 0, 1 } },
	{ "two OPTs", HEADER, 1, 39, { 1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0,  2, 0, 0, 1, 0, 1, 0, 0, 41,
	                               2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 0 } },
	{ "an OPT that is not at the root", HEADER, 1, 30, { 1, 2,  0, 0, 0, 1, 0, 0, 0,   0,
	                                                     0, 1,  0, 0, 1, 0, 1, 1, 'a', 0,
	                                                     0, 41, 2, 0, 0, 0, 0, 0, 0,   0 } },
	{ "an option that runs over", HEADER, 1, 32, { 1, 2, 0, 0, 0, 1, 0, 0, 0,  0, 0,
	                                               1, 0, 0, 1, 0, 1, 0, 0, 41, 2, 0,
	                                               0, 0, 0, 0, 0, 4, 0, 3, 0,  1 } },
	{ "class NONE", ECHO, 5, 17, { 1, 2, 0, 0, 0, 1, [12] = 0, 0, 1, 0, 254 } },
	{ "NOTIFY of another type", HEADER, 1, 17, { 1, 2, 0x20, 0, 0, 1, [12] = 0, 0, 1, 0, 1 } },
	{ "NOTIFY of a zone that is not ours",
	  ECHO,
	  9,
	  17,
	  { 1, 2, 0x20, 0, 0, 1, [12] = 0, 0, 6, 0, 1 } },
};

Test(answer, gives_broken_messages_no_more_than_an_error)
{
	uint8_t out[65535];
	fixture_t f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		/* Exactly as long as the message, so that ASan sees a read behind it. */
		uint8_t *msg = malloc(broken[i].len ? broken[i].len : 1);

		memcpy(msg, broken[i].msg, broken[i].len);
		size_t n = ask(&f, msg, broken[i].len, ANSWER_UDP, out);
		free(msg);
		if (broken[i].form == SILENCE) {
			cr_expect(eq(sz, n, 0), "%s", broken[i].why);
			continue;
		}
		cr_assert(n >= 12, "%s", broken[i].why);
		cr_expect(eq(int, get_u16(out), 0x102), "%s", broken[i].why);
		cr_expect(eq(int, flags_of(out) & 15, broken[i].rcode), "%s", broken[i].why);
		cr_expect(eq(int, flags_of(out) & DNS_QR, DNS_QR), "%s", broken[i].why);
		cr_expect(eq(int, get_u16(out + 4), broken[i].form == ECHO), "%s", broken[i].why);
		cr_expect(eq(int, get_u16(out + 6) + get_u16(out + 8), 0), "%s", broken[i].why);
	}
	teardown(&f);
}

Test(answer, ignores_records_in_sections_where_a_query_has_none)
{
	uint8_t msg[512], out[65535];
	fixture_t f;

	setup(&f);
	size_t len = question(msg, "www.example.", 1, 1);
	memcpy(msg + len, "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd", 16);
	put_u16(msg + 6, 1);
	size_t n = ask(&f, msg, len + 16, ANSWER_UDP, out);
	cr_expect(eq(int, flags_of(out) & 15, 0));
	cr_expect(eq(int, get_u16(out + 6), 1));
	cr_expect(eq(sz, n, len + 16));
	teardown(&f);
}

Test(answer, answers_chaos_as_configured)
{
	static const struct {
		const char *name, *want;
		uint16_t type;
	} asked[] = {
		{ "version.bind.", "NOERROR aa | version.bind. TXT \"secd\"; | |", 16 },
		{ "VERSION.server.", "NOERROR aa | VERSION.server. TXT \"secd\"; | |", 255 },
		{ "version.bind.", "NOERROR aa | | |", 1 },
		{ "id.server.", "REFUSED | | |", 16 },
		{ "authors.bind.", "REFUSED | | |", 16 },
	};
	uint8_t msg[512], out[65535];
	char text[1000];
	fixture_t f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		size_t len = question(msg, asked[i].name, asked[i].type, DNS_CLASS_CH);

		tell(out, ask(&f, msg, len, ANSWER_UDP, out), text, sizeof text);
		cr_expect(eq(str, text, (char *)asked[i].want), "%s", asked[i].name);
	}
	teardown(&f);
}

/* A zone of one big RRset and a delegation with more glue than fits. */
static void big_zone(fixture_t *f)
{
	char lines[20000] = "@ SOA a b 1 2 3 4 5\n@ NS a\nbig.x NS a\n", line[100];

	for (int i = 0; i < 60; i++) {
		snprintf(line, sizeof line, "t TXT \"number %d with some text to it\"\n", i);
		strcat(lines, line);
		snprintf(line, sizeof line, "del NS ns%d.del\nns%d.del A 192.0.2.%d\n", i % 13,
		         i % 13, i);
		strcat(lines, line);
		snprintf(line, sizeof line, "sib NS ns%d.del\n", i % 13);
		strcat(lines, line);
	}
	serve(f, "big.", lines);
}

static const struct {
	const char *why, *name;
	uint16_t type;
	unsigned payload; /* 0: no OPT */
	bool tcp, tc, glue;
} sizes[] = {
	{ "512 octets without EDNS", "t.big.", 16, 0, false, true, false },
	{ "no more than the payload", "t.big.", 16, 1000, false, true, false },
	{ "no more than we allow ourselves", "t.big.", 16, 4096, false, true, false },
	{ "a payload below 512 means 512", "t.big.", 16, 10, false, true, false },
	{ "all of it over TCP", "t.big.", 16, 0, true, false, false },
	{ "needed glue that doesn't fit is TC (RFC 9471)", "x.del.big.", 1, 512, false, true,
	  false },
	{ "needed glue over TCP", "x.del.big.", 1, 0, true, false, true },
	{ "sibling glue is left out in silence", "x.sib.big.", 1, 512, false, false, true },
};

Test(answer, truncates_in_whole_rrsets)
{
	uint8_t msg[512], out[65535];
	fixture_t f;

	setup(&f);
	big_zone(&f);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t len = question(msg, sizes[i].name, sizes[i].type, 1);
		size_t room = sizes[i].tcp             ? 65535
		              : sizes[i].payload < 512 ? 512
		                                       : sizes[i].payload;

		if (sizes[i].payload)
			len = add_opt(msg, len, sizes[i].payload, 0);
		size_t n = ask(&f, msg, len, sizes[i].tcp ? ANSWER_TCP : ANSWER_UDP, out);
		cr_expect(le(sz, n, room < 1232 || sizes[i].tcp ? room : 1232), "%s", sizes[i].why);
		cr_expect(eq(int, !!(flags_of(out) & DNS_TC), sizes[i].tc), "%s", sizes[i].why);
		unsigned answers = get_u16(out + 6);
		cr_expect(eq(int, answers, sizes[i].type == 16 && sizes[i].tcp ? 60 : 0), "%s: %u",
		          sizes[i].why, answers);
		if (sizes[i].glue)
			cr_expect(gt(int, get_u16(out + 10), sizes[i].payload ? 1 : 0), "%s",
			          sizes[i].why);
		ldns_pkt *pkt = NULL;
		cr_expect(eq(int, ldns_wire2pkt(&pkt, out, n), LDNS_STATUS_OK), "%s", sizes[i].why);
		ldns_pkt_free(pkt);
	}
	teardown(&f);
}

Test(answer, points_at_most_16383_octets_into_a_message)
{
	/* A referral of 600 name servers: their addresses come after the reach of a pointer. */
	static char lines[200000];
	uint8_t msg[512], *out = malloc(65535);
	ldns_pkt *pkt = NULL;
	char line[120];
	fixture_t f;

	setup(&f);
	strcpy(lines, "@ SOA a b 1 2 3 4 5\n@ NS a\n");
	for (int i = 0; i < 600; i++) {
		snprintf(line, sizeof line,
		         "d NS a-rather-long-name-%d.d\na-rather-long-name-%d.d A "
		         "10.0.%d.%d\n",
		         i, i, i / 250, i % 250);
		strcat(lines, line);
	}
	serve(&f, "far.", lines);
	size_t n = ask(&f, msg, question(msg, "d.far.", 1, 1), ANSWER_TCP, out);
	cr_assert(eq(int, ldns_wire2pkt(&pkt, out, n), LDNS_STATUS_OK));
	cr_expect(not(ldns_pkt_tc(pkt)));
	cr_expect(eq(sz, ldns_rr_list_rr_count(ldns_pkt_authority(pkt)), 600));
	cr_expect(eq(sz, ldns_rr_list_rr_count(ldns_pkt_additional(pkt)), 600),
	          "RFC 9471: all of it");
	ldns_pkt_free(pkt);
	teardown(&f);
	free(out);
}

Test(answer, takes_notify_from_those_who_may_send_it)
{
	uint8_t msg[512], out[65535];
	answer_req_t *req = calloc(1, sizeof *req);
	addr_t stranger;
	fixture_t f;

	setup(&f);
	cr_assert(addr_parse("198.51.100.1", 53, &stranger) == ST_OK);
	size_t len = question(msg, "Example.", 6, 1);
	put_u16(msg + 2, 0x2400); /* NOTIFY, AA */
	memcpy(msg + len, "\xc0\x0c\0\6\0\1\0\0\0\0\0\x1a\xc0\x0c\xc0\x0c\0\0\0\x2a", 20);
	memset(msg + len + 20, 0, 16);
	put_u16(msg + len + 10, 4 + 20);
	put_u16(msg + 6, 1);
	*req = (answer_req_t){
		.in = msg, .in_len = len + 36, .out = out, .out_room = 65535, .peer = &f.peer
	};
	answer_batch(f.answer, &now, req, 1);
	cr_expect(eq(int, flags_of(out), DNS_QR | 0x2000 | DNS_AA));
	cr_expect(req->notify != NULL);
	cr_expect(req->query.has_hint);
	cr_expect(eq(u32, req->query.hint_serial, 42));
	cr_expect(eq(sz, req->out_len, len), "the question and nothing else");

	req->peer = &stranger;
	answer_batch(f.answer, &now, req, 1);
	cr_expect(eq(int, flags_of(out) & 15, DNS_RCODE_REFUSED));
	cr_expect(req->notify == NULL);
	free(req);
	teardown(&f);
}

static uint64_t answered(const fixture_t *f)
{
	uint64_t n = 0;

	for (size_t i = 0; i < ANSWER_RCODES; i++)
		n += atomic_load(&f->counters.rcode[i]);
	return n;
}

/* The type of each question, and the whole RCODE of its answer. */
Test(answer, counts_types_and_rcodes)
{
	static const struct {
		uint16_t type;
		answer_type_t counted;
	} cases[] = {
		{ DNS_TYPE_A, ANSWER_TYPE_A },     { DNS_TYPE_AAAA, ANSWER_TYPE_AAAA },
		{ DNS_TYPE_ANY, ANSWER_TYPE_ANY }, { DNS_TYPE_CAA, ANSWER_TYPE_CAA },
		{ 3, ANSWER_TYPE_OTHER },          { 258, ANSWER_TYPE_OTHER },
		{ 65535, ANSWER_TYPE_OTHER },      { 0, ANSWER_TYPE_OTHER },
	};
	uint8_t msg[512], out[65535];
	fixture_t f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_Atomic uint64_t *n = &f.counters.type[cases[i].counted];
		const uint64_t before = atomic_load(n);
		const size_t len = question(msg, "example.", cases[i].type, 1);

		ask(&f, msg, len, ANSWER_UDP, out);
		cr_expect(eq(u64, atomic_load(n), before + 1), "type %u", cases[i].type);
	}
	cr_expect(eq(u64, answered(&f), ARRAY_LEN(cases)));
	/* EDNS of a version to come: no NOERROR. */
	size_t len = question(msg, "example.", DNS_TYPE_A, 1);
	memcpy(msg + len, "\0\0\51\4\320\0\1\0\0\0\0", 11);
	msg[11] = 1;
	ask(&f, msg, len + 11, ANSWER_UDP, out);
	cr_expect(eq(u64, atomic_load(&f.counters.rcode[DNS_RCODE_BADVERS]), 1));
	cr_expect(eq(u64, atomic_load(&f.counters.type[ANSWER_TYPE_A]), 1), "nothing was asked");
	/* What is no query at all. */
	ask(&f, msg, 3, ANSWER_UDP, out);
	cr_expect(eq(u64, atomic_load(&f.counters.dropped), 1));
	for (unsigned type = 0; type < ANSWER_TYPES; type++)
		cr_expect(answer_type_text(type) != NULL);
	teardown(&f);
}

Test(answer, answers_a_batch_as_it_answers_one_by_one)
{
	enum { N = 40 };
	static uint8_t msgs[N][512], outs[N][4096];
	answer_req_t *reqs = calloc(N, sizeof *reqs);
	uint8_t alone[65535];
	fixture_t f;

	setup(&f);
	for (size_t i = 0; i < N; i++) {
		size_t row = i % ARRAY_LEN(rows);

		reqs[i].in = msgs[i];
		reqs[i].in_len = question(msgs[i], rows[row].name, rows[row].type, 1);
		reqs[i].out = outs[i];
		reqs[i].out_room = sizeof outs[i];
		reqs[i].peer = &f.peer;
	}
	answer_batch(f.answer, &now, reqs, N);
	for (size_t i = 0; i < N; i++) {
		size_t n = ask(&f, msgs[i], reqs[i].in_len, ANSWER_UDP, alone);

		cr_expect(eq(sz, n, reqs[i].out_len), "%zu", i);
		cr_expect(memcmp(alone, outs[i], n) == 0, "%zu", i);
	}
	cr_expect(eq(u64, answered(&f), 2 * N));
	free(reqs);
	teardown(&f);
}

Test(answer, adds_signatures_for_those_who_ask_for_them)
{
	uint8_t msg[512], out[65535];
	char text[2000];
	fixture_t f;

	setup(&f);
	serve(&f, "signed.",
	      "@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n"
	      "a RRSIG A 8 2 300 20300101000000 20200101000000 1 signed. AAAA\n"
	      "a RRSIG NSEC 8 2 300 20300101000000 20200101000000 1 signed. AAAA\n");
	size_t len = question(msg, "a.signed.", 1, 1);
	tell(out, ask(&f, msg, add_opt(msg, len, 1232, 0), ANSWER_UDP, out), text, sizeof text);
	cr_expect(strstr(text, "RRSIG") == NULL, "%s", text);
	len = question(msg, "a.signed.", 1, 1);
	tell(out, ask(&f, msg, add_opt(msg, len, 1232, DNS_OPT_DO), ANSWER_UDP, out), text,
	     sizeof text);
	cr_expect(strstr(text, "a.signed. A 192.0.2.1; a.signed. RRSIG A 8 2 300") != NULL, "%s",
	          text);
	len = question(msg, "a.signed.", DNS_TYPE_RRSIG, 1);
	tell(out, ask(&f, msg, len, ANSWER_UDP, out), text, sizeof text);
	cr_expect(strstr(text, "RRSIG A") && strstr(text, "RRSIG NSEC"), "%s", text);
	teardown(&f);
}
