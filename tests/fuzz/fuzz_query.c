/* tests/fuzz/fuzz_query.c - any bytes at all as a query: header, question, OPT, answer.
 *
 * The first octet chooses the transport; the rest is the message. Whatever comes, the answer is
 * at most what the transport takes, and readable by an independent parser. */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "dns/rr.h"
#include "dns/wire.h"
#include "zone/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const siphash_key_t secrets[] = { { 1, 2 }, { 3, 4 } };
static const answer_conf_t conf = { .version = "secd",
	                            .identity = "fuzz",
	                            .udp_payload = 1232,
	                            .keepalive = 100,
	                            .nsid = (const uint8_t *)"fuzz",
	                            .nsid_len = 4,
	                            .cookies = { secrets, 2 } };
static const answer_time_t now = { { 1559731985 }, { 1000 * NS_PER_S } };

enum { ZONES = 3, LINE_LEN = 200 };

typedef struct world {
	zone_set_t *set;
	zone_version_t *version[ZONES]; /* what leads to them lies where LSan doesn't look */
	answer_t *answer;
	answer_counters_t counters;
	answer_conf_t conf;
	dns_tsig_keys_t keys;
	answer_req_t req;
	addr_rule_t any;
	addr_acl_t acl;
	addr_t peer;
	uint8_t out[65535];
} world_t;

/* Rules of every kind in one small zone. */
static const char *const lines[] = {
	"e. SOA a.e. b.e. 1 2 3 4 5",
	"e. NS a.e.",
	"e. NS n.d.e.",
	"a.e. A 192.0.2.1",
	"a.e. AAAA 2001:db8::1",
	"c.e. CNAME a.e.",
	"l.e. CNAME l.e.",
	"*.e. MX 1 *.e.",
	"x.y.e. TXT \"some text\"",
	"n.e. DNAME t.e.",
	"*.t.e. CNAME c.n.e.",
	"d.e. NS n.d.e.",
	"d.e. NS a.e.",
	"d.e. DS 1 8 1 0000000000000000000000000000000000000000",
	"n.d.e. A 192.0.2.2",
	"a.e. RRSIG A 8 2 300 20300101000000 20200101000000 1 e. AAAA",
};

/* The same kinds in a zone with NSEC. */
static const char *const nsec_lines[] = {
	"f. SOA a.f. b.f. 1 2 3 4 5",
	"f. NS a.f.",
	"f. NSEC a.f. NS SOA RRSIG NSEC",
	"f. RRSIG SOA 8 1 300 20300101000000 20200101000000 1 f. AAAA",
	"f. RRSIG NSEC 8 1 300 20300101000000 20200101000000 1 f. AAAA",
	"a.f. A 192.0.2.1",
	"a.f. NSEC *.c.f. A NSEC",
	"*.c.f. CNAME x.c.f.",
	"*.c.f. NSEC d.f. CNAME NSEC",
	"d.f. NS n.d.f.",
	"n.d.f. A 192.0.2.2",
	"d.f. NSEC n.f. NS NSEC",
	"n.f. DNAME a.f.",
	"n.f. NSEC x.y.f. DNAME NSEC",
	"x.y.f. TXT \"text\"",
	"x.y.f. NSEC f. TXT NSEC",
};

/* And with NSEC3 and opt-out: names of which the first have one. */
static const char *const nsec3_lines[] = {
	"g. SOA a.g. b.g. 1 2 3 4 5",
	"g. NS a.g.",
	"g. NSEC3PARAM 1 0 1 AB",
	"a.g. A 192.0.2.1",
	"*.c.g. CNAME x.c.g.",
	"x.y.g. TXT \"text\"",
	"d.g. NS n.d.g.",
	"n.d.g. A 192.0.2.2",
	"e.u.g. NS n.d.g.",
	"n.g. DNAME a.g.",
	"g. RRSIG SOA 8 1 300 20300101000000 20200101000000 1 g. AAAA",
};
static const char *const hashed[] = { "g", "a.g", "c.g", "*.c.g", "y.g", "x.y.g", "n.g" };

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void add_line(zone_build_t *b, dns_rr_t *rr, const char *line)
{
	uint8_t *wire = NULL;
	size_t len = 0;
	ldns_rr *text = NULL;

	if (ldns_rr_new_frm_str(&text, line, 300, NULL, NULL) != LDNS_STATUS_OK ||
	    ldns_rr2wire(&wire, text, LDNS_SECTION_ANSWER, &len) != LDNS_STATUS_OK)
		abort();
	buf_t msg = buf_over(wire, len);
	if (dns_rr_read(&msg, rr) != ST_OK || zone_build_add(b, rr) != ST_OK)
		abort();
	free(wire);
	ldns_rr_free(text);
}

/* The chain over the hashed names. */
static void add_chain(zone_build_t *b, dns_rr_t *rr)
{
	const dns_nsec3_params_t params = { 1, 1, (const uint8_t *)"\xab" };
	char label[ARRAY_LEN(hashed)][DNS_NSEC3_LABEL_LEN + 1];

	for (size_t i = 0; i < ARRAY_LEN(hashed); i++) {
		uint8_t hash[DNS_NSEC3_HASH_LEN], wire[1 + DNS_NSEC3_LABEL_LEN];
		dns_name_t name;

		dns_name_from_text(hashed[i], &name);
		dns_nsec3_hash(&params, name.wire, name.len, hash);
		dns_nsec3_label(hash, wire);
		memcpy(label[i], wire + 1, DNS_NSEC3_LABEL_LEN);
		label[i][DNS_NSEC3_LABEL_LEN] = '\0';
	}
	qsort(label, ARRAY_LEN(hashed), sizeof label[0], by_text);
	for (size_t i = 0; i < ARRAY_LEN(hashed); i++) {
		char line[LINE_LEN];

		snprintf(line, sizeof line, "%s.g. NSEC3 1 1 1 AB %s A RRSIG", label[i],
		         label[(i + 1) % ARRAY_LEN(hashed)]);
		add_line(b, rr, line);
		snprintf(line, sizeof line,
		         "%s.g. RRSIG NSEC3 8 2 300 20300101000000 20200101000000 1 g. AAAA",
		         label[i]);
		add_line(b, rr, line);
	}
}

static zone_version_t *add_zone(world_t *w, const char *name, const char *const *line, size_t count)
{
	const zone_limits_t limits = { 1000, 100000, 100, 100 };
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_slot_t *slot;
	dns_name_t apex;
	zone_version_t *v;

	dns_name_from_text(name, &apex);
	zone_build_t *b = zone_build_new(zone_set_key(w->set), &apex, &limits);
	for (size_t i = 0; i < count; i++)
		add_line(b, rr, line[i]);
	if (line == nsec3_lines)
		add_chain(b, rr);
	if (zone_build_seal(b, &v) != ST_OK ||
	    zone_set_add(w->set, &apex, &w->acl, NULL, &slot) != ST_OK ||
	    zone_set_commit(w->set) != ST_OK || zone_set_publish(w->set, slot, v, NULL) != ST_OK)
		abort();
	zone_set_expires(slot, mono_add_s(now.mono, 4000));
	zone_build_free(b);
	free(rr);
	return v;
}

/* The seeds' key, of the time that the answers are made at. */
static void add_key(world_t *w)
{
	dns_name_t name;

	dns_name_from_text("k", &name);
	if (dns_tsig_keys_make(&w->keys, 1) != ST_OK ||
	    dns_tsig_key_make(&w->keys.list[0], &name, "hmac-sha256", (const uint8_t *)"secret",
	                      6) != ST_OK)
		abort();
	dns_tsig_keys_sort(&w->keys);
	w->conf = conf;
	w->conf.keys = &w->keys;
}

static world_t *make_world(void)
{
	world_t *w = calloc(1, sizeof *w);

	w->set = zone_set_new(epoch_new(0));
	addr_prefix_parse("0.0.0.0/0", &w->any.from);
	addr_parse("127.0.0.1", 53, &w->peer);
	w->acl = (addr_acl_t){ &w->any, 1 };
	w->version[0] = add_zone(w, "e", lines, ARRAY_LEN(lines));
	w->version[1] = add_zone(w, "f", nsec_lines, ARRAY_LEN(nsec_lines));
	w->version[2] = add_zone(w, "g", nsec3_lines, ARRAY_LEN(nsec3_lines));
	if (zone_version_denial(w->version[1]) != ZONE_DENIAL_NSEC ||
	    zone_version_denial(w->version[2]) != ZONE_DENIAL_NSEC3)
		abort();
	add_key(w);
	w->answer = answer_new(w->set, &w->conf, &w->counters);
	return w;
}

static void check(const world_t *w, const uint8_t *in, size_t in_len)
{
	const answer_req_t *r = &w->req;
	ldns_pkt *pkt = NULL;

	if (r->out_len == 0)
		return;
	if (r->out_len < DNS_HEADER_LEN || r->out_len > (r->via == ANSWER_UDP ? 1232 : 65535))
		abort();
	if (memcmp(w->out, in, 2) != 0 || !(w->out[2] & 0x80) || in_len < DNS_HEADER_LEN)
		abort();
	if (ldns_wire2pkt(&pkt, w->out, r->out_len) != LDNS_STATUS_OK)
		abort();
	ldns_pkt_free(pkt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static world_t *w; /* made once: the fuzzer has one thread */

	if (!w)
		w = make_world();
	if (size < 1)
		return 0;
	/* A copy of exactly its length, so that a read behind it shows. */
	uint8_t *in = malloc(size);
	memcpy(in, data + 1, size - 1);
	w->req = (answer_req_t){ .in = in,
		                 .in_len = size - 1,
		                 .out = w->out,
		                 .out_room = sizeof w->out,
		                 .peer = &w->peer,
		                 .via = data[0] & 1 ? ANSWER_TCP : ANSWER_UDP };
	answer_batch(w->answer, &now, &w->req, 1);
	check(w, in, size - 1);
	free(in);
	return 0;
}
