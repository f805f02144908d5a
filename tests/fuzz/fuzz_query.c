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

typedef struct world {
	zone_set_t *set;
	zone_version_t *version; /* what leads to it lies where LSan doesn't look */
	answer_t *answer;
	answer_counters_t counters;
	answer_req_t req;
	addr_prefix_t any;
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

static world_t *make_world(void)
{
	const zone_limits_t limits = { 1000, 100000, 100 };
	world_t *w = calloc(1, sizeof *w);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_slot_t *slot;
	dns_name_t apex;
	zone_version_t *v;

	w->set = zone_set_new(epoch_new(0));
	dns_name_from_text("e", &apex);
	addr_prefix_parse("0.0.0.0/0", &w->any);
	addr_parse("127.0.0.1", 53, &w->peer);
	w->acl = (addr_acl_t){ &w->any, 1 };
	zone_build_t *b = zone_build_new(zone_set_key(w->set), &apex, &limits);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		add_line(b, rr, lines[i]);
	if (zone_build_seal(b, &v) != ST_OK ||
	    zone_set_add(w->set, &apex, &w->acl, NULL, &slot) != ST_OK ||
	    zone_set_commit(w->set) != ST_OK || zone_set_publish(w->set, slot, v, NULL) != ST_OK)
		abort();
	zone_set_expires(slot, mono_add_s(now.mono, 4000));
	w->version = v;
	zone_build_free(b);
	free(rr);
	w->answer = answer_new(w->set, &conf, &w->counters);
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
