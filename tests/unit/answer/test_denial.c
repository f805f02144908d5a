/* tests/unit/answer/test_denial.c - the example responses that RFC 4035 appendix B and RFC 5155
 * appendix B print, record by record, and what they leave open.
 *
 * A message is told by ldns, a line for each record: section, owner, type, RDATA; of an RRSIG the
 * type covered and the number of labels. Lines are compared as sets. The NS RRset that the RFCs
 * show in the authority section of positive answers is optional (RFC 1034 4.3.2), and left out. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ldns/ldns.h>
#include <stdlib.h>

#include "answer/answer.h"
#include "dns/wire.h"
#include "support/zones.h"

TestSuite(denial, .timeout = 20);

#define SIG(type, labels)                                                                          \
	" RRSIG " type " 5 " labels " 3600 20380101000000 20200101000000 1 example. AAAA\n"

/* The zone of both appendices, without the names that they have different. */
#define COMMON                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         \
	"@ 3600 IN SOA ns1 bugs.x.w 1 3600 300 3600000 3600\n@ 3600" SIG(                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              \
		"SOA",                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 \
		"1") "@ 3600 IN "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
		     "NS ns1\n@ "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
		     "3600 IN NS "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
		     "ns2\n@ "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         \
		     "3600" SIG("NS", "1") "@ 3600 IN MX 1 xx\n@ 3600" SIG(                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            \
			     "MX",                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
			     "1") "@ 3600 IN DNSKEY 257 3 5 AAAA\n@ 3600" SIG("DNSKEY", "1") "a "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "360"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "0 "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "IN "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "NS "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "ns1"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     ".a"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "\na"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     " 36"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "00 "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "IN "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "NS "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "ns2"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     ".a"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "\n"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "a "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "360"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "0 "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "IN "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "DS "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "584"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "70 "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "5 "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "1 "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "307"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "9F1"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "593"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "EBA"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "D6D"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "C12"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "1E2"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "02A"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "8B7"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "66A"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "6A4"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "837"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "206"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "C\n"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "a "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      \
											     "360"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     \
											     "0" SIG("DS",                                                                                                                                                                                                                                                                                                                                                                                                                                                                             \
	                                                                                             "2") "ns1.a 3600 IN A 192.0.2.5\nns2.a 3600 IN A 192.0.2.6\n"                                                                                                                                                                                                                                                                                                                                                                                                                     \
													  "ai 3600 IN A 192.0.2.9\nai 3600" SIG("A", "2") "ai 3600 IN HINFO \"KLH-10\" \"ITS\"\nai 3600" SIG("HINFO", "2") "ai 3600 IN AAAA 2001:db8::f00:baa9\nai 3600" SIG("AAAA", "2") "ns1 3600 IN A 192.0.2.1\nns1 3600" SIG("A", "2") "ns2 3600 IN A 192.0.2.2\nns2 3600" SIG("A", "2") "*.w 3600 IN MX 1 ai\n*.w 3600" SIG("MX", "2") "x.w 3600 IN MX 1 xx\nx.w 3600" SIG("MX", "3") "x.y.w 3600 IN MX 1 xx\nx.y.w 3600" SIG("MX", "4") "xx 3600 IN A 192.0.2.10\nxx 3600" SIG( \
														  "A",                                                                                                                                                                                                                                                                                                                                                                                                                                                                 \
														  "2") "xx 3600 IN HINFO \"KLH-10\" \"TOPS-20\"\nxx 3600" SIG("HINFO",                                                                                                                                                                                                                                                                                                                                                                                                 \
	                                                                                                                                                                      "2") "xx 3600 IN AAAA 2001:db8::f00:baaa\nxx 3600" SIG("AAAA",                                                                                                                                                                                                                                                                                                                                           \
	                                                                                                                                                                                                                             "2")

#define NSEC(owner, next, types, labels)                                                           \
	owner " 3600 IN NSEC " next " " types "\n" owner " 3600" SIG("NSEC", labels)

static const char rfc4035[] = COMMON
	"b 3600 IN NS ns1.b\nb 3600 IN NS ns2.b\n"
	"ns1.b 3600 IN A 192.0.2.7\nns2.b 3600 IN A 192.0.2.8\n" NSEC(
		"@", "a", "NS SOA MX RRSIG NSEC DNSKEY",
		"1") NSEC("a", "ai", "NS DS RRSIG NSEC", "2") NSEC("ai", "b",
                                                                   "A HINFO AAAA RRSIG NSEC", "2")
		NSEC("b", "ns1", "NS RRSIG NSEC", "2") NSEC("ns1", "ns2", "A RRSIG NSEC", "2") NSEC(
			"ns2", "*.w", "A RRSIG NSEC", "2") NSEC("*.w", "x.w", "MX RRSIG NSEC", "2")
			NSEC("x.w", "x.y.w", "MX RRSIG NSEC", "3")
				NSEC("x.y.w", "xx", "MX RRSIG NSEC", "4")
					NSEC("xx", "@", "A HINFO AAAA RRSIG NSEC", "2");

#define H_APEX "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
#define H_2T7B "2t7b4g4vsa5smi47k61mv5bv1a22bojr" /* ns1 */
#define H_XYW  "2vptu5timamqttgl4luu9kg21e0aor3s"
#define H_A    "35mthgpgcu1qg68fab165klnsnk3dpvl"
#define H_XW   "b4um86eghhds6nea196smvmlo4ors995"
#define H_AI   "gjeqe526plbf1g8mklp59enfd789njgi"
#define H_YW   "ji6neoaepv8b5o6k4ev33abha8ht9fgc"
#define H_W    "k8udemvp1j2f7eg6jebps17vp3n8i58h"
#define H_2T   "kohar7mbb8dc2ce8a9qvl8hon4k53uhi" /* 2t7b4g4vsa5smi47k61mv5bv1a22bojr.example */
#define H_NS2  "q04jkcevqvmu85r014c7dkba38o0ji5r"
#define H_WILD "r53bq7cc2uvmubfu5ocmm6pers9tk9en" /* *.w */
#define H_XX   "t644ebqk9bibcna874givr6joj62mlhv"

#define NSEC3(owner, next, types)                                                                  \
	owner " 3600 IN NSEC3 1 1 12 aabbccdd " next " " types "\n" owner " 3600" SIG("NSEC3", "2")

static const char rfc5155[] = COMMON "@ 3600 IN NSEC3PARAM 1 0 12 aabbccdd\n@ 3600" SIG(
	"NSEC3PARAM",
	"1") "c 3600 IN NS ns1.c\nc 3600 IN NS ns2.c\n"
	     "ns1.c 3600 IN A 192.0.2.7\nns2.c 3600 IN A 192.0.2.8\n" H_2T7B
	     " 3600 IN A 192.0.2.127\n" H_2T7B
	     " 3600" SIG("A", "2") NSEC3(H_APEX, H_2T7B, "MX DNSKEY NS SOA NSEC3PARAM RRSIG")
		     NSEC3(H_2T7B, H_XYW, "A RRSIG") NSEC3(H_XYW, H_A, "MX RRSIG")
			     NSEC3(H_A, H_XW, "NS DS RRSIG") NSEC3(H_XW, H_AI, "MX RRSIG")
				     NSEC3(H_AI, H_YW, "HINFO A AAAA RRSIG") NSEC3(H_YW, H_W, "")
					     NSEC3(H_W, H_2T, "") NSEC3(H_2T, H_NS2, "A RRSIG")
						     NSEC3(H_NS2, H_WILD, "A RRSIG")
							     NSEC3(H_WILD, H_XX, "MX RRSIG")
								     NSEC3(H_XX, H_APEX,
                                                                           "HINFO A AAAA RRSIG");

/* --- messages as lines -------------------------------------------------------------------------- */

enum { LINES_MAX = 64, LINE_LEN = 200 };

typedef struct lines {
	char line[LINES_MAX][LINE_LEN];
	size_t count;
} lines_t;

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void add_rr(lines_t *out, const char *section, const ldns_rr *rr)
{
	char *text = ldns_rr2str(rr), *save = NULL, *line = out->line[out->count++];
	unsigned field = 0;
	int n = snprintf(line, LINE_LEN, "%s", section);
	bool sig = ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG;

	/* owner TTL class type rdata...; of RRSIG: covered, algorithm, labels */
	for (char *f = strtok_r(text, " \t\n", &save); f;
	     f = strtok_r(NULL, " \t\n", &save), field++) {
		if (field != 1 && field != 2 && !(sig && (field == 5 || field > 6)))
			n += snprintf(line + n, LINE_LEN - (size_t)n, " %s", f);
	}
	free(text);
}

static void add_section(lines_t *out, const char *section, const ldns_rr_list *list)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		add_rr(out, section, ldns_rr_list_rr(list, i));
}

static void read_message(const uint8_t *msg, size_t len, lines_t *out)
{
	ldns_pkt *pkt = NULL;
	char *rcode;

	cr_assert(eq(int, ldns_wire2pkt(&pkt, msg, len), LDNS_STATUS_OK));
	rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(pkt));
	out->count = 0;
	snprintf(out->line[out->count++], LINE_LEN, "%s%s%s", rcode, ldns_pkt_aa(pkt) ? " aa" : "",
	         ldns_pkt_tc(pkt) ? " tc" : "");
	free(rcode);
	add_section(out, "an", ldns_pkt_answer(pkt));
	add_section(out, "au", ldns_pkt_authority(pkt));
	add_section(out, "ad", ldns_pkt_additional(pkt));
	ldns_pkt_free(pkt);
	qsort(out->line, out->count, LINE_LEN, by_text);
}

static void read_wanted(const char *text, lines_t *out)
{
	char *copy = strdup(text), *save = NULL;

	out->count = 0;
	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		snprintf(out->line[out->count++], LINE_LEN, "%s", l);
	free(copy);
	qsort(out->line, out->count, LINE_LEN, by_text);
}

static void compare(const char *why, const lines_t *got, const lines_t *want)
{
	for (size_t i = 0; i < want->count || i < got->count; i++) {
		const char *g = i < got->count ? got->line[i] : "(nothing more)";
		const char *w = i < want->count ? want->line[i] : "(nothing more)";

		cr_expect(strcmp(g, w) == 0, "%s:\n  got  %s\n  want %s", why, g, w);
		if (strcmp(g, w) != 0)
			return;
	}
}

/* --- asking ------------------------------------------------------------------------------------- */

typedef struct fixture {
	epoch_t *epoch;
	zone_set_t *set;
	answer_t *answer;
	answer_counters_t counters;
	addr_t peer;
} fixture_t;

static void serve(fixture_t *f, const char *apex, const char *lines)
{
	static const addr_acl_t nobody = { NULL, 0 };
	dns_name_t name = zones_name(apex);
	zone_slot_t *slot;

	cr_assert(zone_set_add(f->set, &name, &nobody, NULL, &slot) == ST_OK);
	cr_assert(zone_set_commit(f->set) == ST_OK);
	cr_assert(zone_set_publish(f->set, slot, zones_version(zone_set_key(f->set), apex, lines),
	                           NULL) == ST_OK);
}

static void setup(fixture_t *f)
{
	static const answer_conf_t conf = { .udp_payload = 4096 };

	memset(f, 0, sizeof *f);
	cr_assert(addr_parse("192.0.2.9", 4711, &f->peer) == ST_OK);
	f->epoch = epoch_new(0);
	f->set = zone_set_new(f->epoch);
	f->answer = answer_new(f->set, &conf, &f->counters);
}

static void teardown(fixture_t *f)
{
	answer_free(f->answer);
	zone_set_free(f->set);
	epoch_free(f->epoch);
}

static size_t ask(fixture_t *f, const char *name, uint16_t type, unsigned payload, uint8_t *out)
{
	static const answer_time_t now = { { 1700000000 }, { NS_PER_S } };
	answer_req_t *req = calloc(1, sizeof *req);
	uint8_t msg[512];
	bufw_t w = bufw_over(msg, sizeof msg);
	dns_name_t n;

	cr_assert(dns_name_from_text(name, &n) == ST_OK, "%s", name);
	bufw_bytes(&w, "\x12\x34\0\0\0\1\0\0\0\0\0\1", 12);
	bufw_bytes(&w, n.wire, n.len);
	bufw_u16(&w, type);
	bufw_u16(&w, 1);
	bufw_u8(&w, 0);
	bufw_u16(&w, DNS_TYPE_OPT);
	bufw_u16(&w, payload);
	bufw_u32(&w, DNS_OPT_DO);
	bufw_u16(&w, 0);
	*req = (answer_req_t){
		.in = msg, .in_len = w.pos, .out = out, .out_room = 65535, .peer = &f->peer
	};
	answer_batch(f->answer, &now, req, 1);
	size_t len = req->out_len;
	free(req);
	return len;
}

typedef struct row {
	const char *why, *name;
	uint16_t type;
	const char *want;
} row_t;

static void try_rows(fixture_t *f, const row_t *rows, size_t count)
{
	uint8_t *out = malloc(65535);
	lines_t *got = malloc(sizeof *got), *want = malloc(sizeof *want);

	for (size_t i = 0; i < count; i++) {
		read_message(out, ask(f, rows[i].name, rows[i].type, 4096, out), got);
		read_wanted(rows[i].want, want);
		compare(rows[i].why, got, want);
	}
	free(out);
	free(got);
	free(want);
}

#define SOA                                                                                        \
	"au example. SOA ns1.example. bugs.x.w.example. 1 3600 300 3600000 3600\n"                 \
	"au example. RRSIG SOA 1\n"
#define AU_NSEC(owner, next, types, labels)                                                        \
	"au " owner " NSEC " next " " types "\nau " owner " RRSIG NSEC " labels "\n"

static const row_t rows_nsec[] = {
	{ "RFC 4035 B.1: answer", "x.w.example.", DNS_TYPE_MX,
	  "NOERROR aa\nan x.w.example. MX 1 xx.example.\nan x.w.example. RRSIG MX 3\n"
	  "ad xx.example. A 192.0.2.10\nad xx.example. RRSIG A 2\n"
	  "ad xx.example. AAAA 2001:db8::f00:baaa\nad xx.example. RRSIG AAAA 2\n" },
	{ "RFC 4035 B.2: name error", "ml.example.", DNS_TYPE_A,
	  "NXDOMAIN aa\n" SOA AU_NSEC("b.example.", "ns1.example.", "NS RRSIG NSEC", "2")
	          AU_NSEC("example.", "a.example.", "NS SOA MX RRSIG NSEC DNSKEY", "1") },
	{ "RFC 4035 B.3: no data", "ns1.example.", DNS_TYPE_MX,
	  "NOERROR aa\n" SOA AU_NSEC("ns1.example.", "ns2.example.", "A RRSIG NSEC", "2") },
	{ "RFC 4035 B.4: referral to a signed zone", "mc.a.example.", DNS_TYPE_MX,
	  "NOERROR\nau a.example. NS ns1.a.example.\nau a.example. NS ns2.a.example.\n"
	  "au a.example. DS 58470 5 1 3079f1593ebad6dc121e202a8b766a6a4837206c\n"
	  "au a.example. RRSIG DS 2\n"
	  "ad ns1.a.example. A 192.0.2.5\nad ns2.a.example. A 192.0.2.6\n" },
	{ "RFC 4035 B.5: referral to an unsigned zone", "mc.b.example.", DNS_TYPE_MX,
	  "NOERROR\nau b.example. NS ns1.b.example.\nau b.example. NS ns2.b.example.\n" AU_NSEC(
		  "b.example.", "ns1.example.", "NS RRSIG NSEC",
		  "2") "ad ns1.b.example. A 192.0.2.7\nad ns2.b.example. A 192.0.2.8\n" },
	{ "RFC 4035 B.6: wildcard expansion", "a.z.w.example.", DNS_TYPE_MX,
	  "NOERROR aa\nan a.z.w.example. MX 1 ai.example.\nan a.z.w.example. RRSIG MX 2\n" AU_NSEC(
		  "x.y.w.example.", "xx.example.", "MX RRSIG NSEC",
		  "4") "ad ai.example. A 192.0.2.9\nad ai.example. RRSIG A 2\n"
	               "ad ai.example. AAAA 2001:db8::f00:baa9\nad ai.example. RRSIG AAAA 2\n" },
	{ "RFC 4035 B.7: wildcard no data", "a.z.w.example.", DNS_TYPE_AAAA,
	  "NOERROR aa\n" SOA AU_NSEC("x.y.w.example.", "xx.example.", "MX RRSIG NSEC", "4")
	          AU_NSEC("*.w.example.", "x.w.example.", "MX RRSIG NSEC", "2") },
	{ "RFC 4035 B.8: DS child zone no data", "example.", DNS_TYPE_DS,
	  "NOERROR aa\n" SOA AU_NSEC("example.", "a.example.", "NS SOA MX RRSIG NSEC DNSKEY",
	                             "1") },
	{ "an empty non-terminal is covered, not matched", "y.w.example.", DNS_TYPE_A,
	  "NOERROR aa\n" SOA AU_NSEC("x.w.example.", "x.y.w.example.", "MX RRSIG NSEC", "3") },
	{ "one NSEC covers name and wildcard: it is sent once", "nz.example.", DNS_TYPE_A,
	  "NXDOMAIN aa\n" SOA AU_NSEC("ns2.example.", "*.w.example.", "A RRSIG NSEC", "2")
	          AU_NSEC("example.", "a.example.", "NS SOA MX RRSIG NSEC DNSKEY", "1") },
	{ "below a leaf: one NSEC for both", "q.xx.example.", DNS_TYPE_A,
	  "NXDOMAIN aa\n" SOA AU_NSEC("xx.example.", "example.", "A HINFO AAAA RRSIG NSEC", "2") },
	{ "no DS at an unsigned cut", "b.example.", DNS_TYPE_DS,
	  "NOERROR aa\n" SOA AU_NSEC("b.example.", "ns1.example.", "NS RRSIG NSEC", "2") },
	{ "DS at a signed cut", "a.example.", DNS_TYPE_DS,
	  "NOERROR aa\nan a.example. DS 58470 5 1 3079f1593ebad6dc121e202a8b766a6a4837206c\n"
	  "an a.example. RRSIG DS 2\n" },
	{ "a wildcard by its own name needs no proof", "*.w.example.", DNS_TYPE_MX,
	  "NOERROR aa\nan *.w.example. MX 1 ai.example.\nan *.w.example. RRSIG MX 2\n"
	  "ad ai.example. A 192.0.2.9\nad ai.example. RRSIG A 2\n"
	  "ad ai.example. AAAA 2001:db8::f00:baa9\nad ai.example. RRSIG AAAA 2\n" },
	{ "NSEC itself", "ai.example.", DNS_TYPE_NSEC,
	  "NOERROR aa\nan ai.example. NSEC b.example. A HINFO AAAA RRSIG NSEC\n"
	  "an ai.example. RRSIG NSEC 2\n" },
};

Test(denial, by_nsec_is_what_rfc_4035_prints)
{
	fixture_t f;

	setup(&f);
	serve(&f, "example.", rfc4035);
	try_rows(&f, rows_nsec, ARRAY_LEN(rows_nsec));
	teardown(&f);
}

#define AU_NSEC3(owner, next, types)                                                               \
	"au " owner ".example. NSEC3 1 1 12 aabbccdd " next types "\n"                             \
	"au " owner ".example. RRSIG NSEC3 2\n"
#define AU_APEX AU_NSEC3(H_APEX, H_2T7B, " NS SOA MX RRSIG DNSKEY NSEC3PARAM")
#define AU_XW   AU_NSEC3(H_XW, H_AI, " MX RRSIG")
#define AU_A    AU_NSEC3(H_A, H_XW, " NS DS RRSIG")
#define AU_NS2  AU_NSEC3(H_NS2, H_WILD, " A RRSIG")

static const row_t rows_nsec3[] = {
	{ "RFC 5155 B.1: name error", "a.c.x.w.example.", DNS_TYPE_A,
	  "NXDOMAIN aa\n" SOA AU_APEX AU_XW AU_A },
	{ "RFC 5155 B.2: no data", "ns1.example.", DNS_TYPE_MX,
	  "NOERROR aa\n" SOA AU_NSEC3(H_2T7B, H_XYW, " A RRSIG") },
	{ "RFC 5155 B.2.1: no data, empty non-terminal", "y.w.example.", DNS_TYPE_A,
	  "NOERROR aa\n" SOA AU_NSEC3(H_YW, H_W, "") },
	{ "RFC 5155 B.3: referral to an opt-out unsigned zone", "mc.c.example.", DNS_TYPE_MX,
	  "NOERROR\nau c.example. NS ns1.c.example.\nau c.example. NS ns2.c.example.\n" AU_APEX AU_A
	  "ad ns1.c.example. A 192.0.2.7\nad ns2.c.example. A 192.0.2.8\n" },
	{ "RFC 5155 B.4: wildcard expansion", "a.z.w.example.", DNS_TYPE_MX,
	  "NOERROR aa\nan a.z.w.example. MX 1 ai.example.\nan a.z.w.example. RRSIG MX 2\n" AU_NS2
	  "ad ai.example. A 192.0.2.9\nad ai.example. RRSIG A 2\n"
	  "ad ai.example. AAAA 2001:db8::f00:baa9\nad ai.example. RRSIG AAAA 2\n" },
	{ "RFC 5155 B.5: wildcard no data", "a.z.w.example.", DNS_TYPE_AAAA,
	  "NOERROR aa\n" SOA AU_NSEC3(H_W, H_2T, "") AU_NS2 AU_NSEC3(H_WILD, H_XX, " MX RRSIG") },
	{ "RFC 5155 B.6: DS child zone no data", "example.", DNS_TYPE_DS,
	  "NOERROR aa\n" SOA AU_APEX },
	{ "7.2.8: the owner of an NSEC3 that is a name too", H_2T7B ".example.", DNS_TYPE_A,
	  "NOERROR aa\nan " H_2T7B ".example. A 192.0.2.127\nan " H_2T7B ".example. RRSIG A 2\n" },
	{ "7.2.8: the owner of an NSEC3 that is no name (31dp...; *.example: jhsv...)",
	  H_W ".example.", DNS_TYPE_NSEC3,
	  "NXDOMAIN aa\n" SOA AU_APEX AU_NSEC3(H_XYW, H_A, " MX RRSIG")
	          AU_NSEC3(H_AI, H_YW, " A HINFO AAAA RRSIG") },
	{ "7.2.4: no DS at an unsigned cut", "c.example.", DNS_TYPE_DS,
	  "NOERROR aa\n" SOA AU_APEX AU_A },
};

Test(denial, by_nsec3_is_what_rfc_5155_prints)
{
	fixture_t f;

	setup(&f);
	serve(&f, "example.", rfc5155);
	try_rows(&f, rows_nsec3, ARRAY_LEN(rows_nsec3));
	teardown(&f);
}

/* A chain whose signatures fill the message to where pointers into an RRset no longer reach, and a
 * delegation at its end whose servers are compressed against each other. */
Test(denial, glue_has_its_owner_however_far_into_the_message)
{
	enum { LINKS = 15, SIGNATURE = 800 };
	char *lines = calloc(1, 60000), signature[SIGNATURE + 1];
	uint8_t *out = malloc(65535);
	lines_t *got = malloc(sizeof *got);
	unsigned glue = 0;
	fixture_t f;

	memset(signature, 'A', SIGNATURE);
	signature[SIGNATURE] = '\0';
	strcpy(lines, "@ SOA a b 1 2 3 4 5\ncut NS ns1.deep.cut\ncut NS ns2.deep.cut\n"
	              "cut NS ns3.deep.cut\nns1.deep.cut A 192.0.2.1\nns2.deep.cut A 192.0.2.2\n"
	              "ns3.deep.cut A 192.0.2.3\nc15 CNAME x.cut\n");
	for (unsigned i = 0; i < LINKS; i++) {
		sprintf(lines + strlen(lines), "c%u CNAME c%u\n", i, i + 1);
		sprintf(lines + strlen(lines),
		        "c%u RRSIG CNAME 8 2 300 20380101000000 20200101000000 1 far. %s\n", i,
		        signature);
	}
	setup(&f);
	serve(&f, "far.", lines);
	answer_req_t *req = calloc(1, sizeof *req);
	uint8_t msg[512];
	bufw_t w = bufw_over(msg, sizeof msg);
	bufw_bytes(&w, "\x12\x34\0\0\0\1\0\0\0\0\0\1\2c0\3far\0\0\1\0\1", 12 + 8 + 4);
	bufw_bytes(&w, "\0\0\51\x10\0\0\0\x80\0\0\0", 11);
	*req = (answer_req_t){ .in = msg,
		               .in_len = w.pos,
		               .out = out,
		               .out_room = 65535,
		               .via = ANSWER_TCP,
		               .peer = &f.peer };
	answer_batch(f.answer, &(answer_time_t){ 0 }, req, 1);
	cr_assert(gt(sz, req->out_len, 9000), "%zu octets", req->out_len);
	read_message(out, req->out_len, got);
	for (size_t i = 0; i < got->count; i++)
		glue += strncmp(got->line[i], "ad ns", 5) == 0 &&
		        strstr(got->line[i], ".deep.cut.far. A 192.0.2.") != NULL;
	cr_expect(eq(uint, glue, 3));
	free(req);
	free(out);
	free(got);
	free(lines);
	teardown(&f);
}
