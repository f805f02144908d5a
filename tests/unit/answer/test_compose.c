/* tests/unit/answer/test_compose.c - stored RRsets, wherever in a message they end up, read as what
 * was stored. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "answer/compose.h"
#include "common/buf.h"
#include "dns/rr.h"
#include "dns/wire.h"
#include "support/zones.h"

TestSuite(compose, .timeout = 20);

static const char zone[] =
	"@ SOA ns.host.net. hostmaster.host.net. 1 2 3 4 5\n"
	"@ NS ns\n@ NS a.deep.ns\n@ NS ns1.host.net.\n@ NS NS2.Host.Net.\n@ NS b.ns2.host.net.\n"
	"@ NS net.\n@ NS .\n@ RRSIG NS 8 1 300 20380101000000 20200101000000 1 example. AAAA\n"
	"cut NS ns.cut\ncut NS a.ns.cut\ncut NS ns.other\ncut NS x.other\n"
	"mail MX 1 a.mx.net.\nmail MX 2 b.mx.net.\nmail MX 3 mail\nmail MX 4 x.mail\n"
	"mi MINFO r.example.net. e.example.net.\n"
	"many A 192.0.2.1\nmany A 192.0.2.2\nmany A 192.0.2.3\n"
	"many RRSIG A 8 2 300 20380101000000 20200101000000 1 example. AAAA\n"
	"*.w MX 1 *.w\n*.w MX 2 w\n*.w MX 3 a.*.w\n*.w MX 4 b.a.*.w\n";

/* A question in front, whose name is the owner or something below it; then the RRset at pos, and
 * every record read back. */
static void back_and_forth(const zone_version_t *v, const char *owner, const char *qname,
                           uint16_t type, size_t pos)
{
	uint8_t *out = calloc(1, 65535), *want = malloc(65535);
	dns_name_t q = zones_name(qname), name = zones_name(owner);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_hashes_t h;
	zone_rrset_t set;

	zone_hash_name(zone_version_key(v), &name, &h);
	const zone_node_t *node = zone_version_exact(v, &name, h.h[0]);
	cr_assert(node && zone_node_rrset(v, node, type, &set));
	memcpy(out + DNS_HEADER_LEN, q.wire, q.len);
	compose_t c = { .out = out, .pos = pos, .limit = 65535, .with_sigs = true };
	bool wild = owner[0] == '*';
	compose_place_t place = { DNS_HEADER_LEN, q.len, true };
	if (!wild)
		place = compose_suffix(&c, place, (size_t)(q.len - name.len));
	cr_assert(eq(int, compose_rrset(&c, COMPOSE_ANSWER, &set, place), ST_OK));
	cr_assert(eq(int, c.count[COMPOSE_ANSWER], set.count + set.sig_count));
	buf_t b = buf_over(out, c.pos);
	b.pos = pos;
	for (unsigned i = 0; i < set.count; i++) {
		cr_assert(eq(int, dns_rr_read(&b, rr), ST_OK), "%s %u at %zu", owner, i, pos);
		size_t len = zone_rrset_rdata(v, node, &set, i, want);
		cr_expect(eq(int, rr->type, type));
		cr_expect(dns_name_equal(&rr->owner, wild ? &q : &name), "%s at %zu", owner, pos);
		dns_rdata_canonical(type, rr->rdata, rr->rdlen);
		dns_rdata_canonical(type, want, len);
		cr_expect(rr->rdlen == len && memcmp(rr->rdata, want, len) == 0, "%s %u at %zu",
		          owner, i, pos);
	}
	for (unsigned i = 0; i < set.sig_count; i++) {
		cr_assert(eq(int, dns_rr_read(&b, rr), ST_OK));
		cr_expect(eq(int, rr->type, DNS_TYPE_RRSIG));
		cr_expect(dns_name_equal(&rr->owner, &name));
	}
	cr_expect(eq(sz, buf_left(&b), 0));
	free(rr);
	free(out);
	free(want);
}

Test(compose, puts_an_rrset_anywhere_in_a_message)
{
	zone_version_t *v = zones_version(&zones_key, "example.", zone);

	for (size_t pos = 300; pos < 60000; pos += 1229) {
		back_and_forth(v, "example.", "example.", DNS_TYPE_NS, pos);
		back_and_forth(v, "example.", "www.example.", DNS_TYPE_NS, pos);
		back_and_forth(v, "example.", "www.example.", DNS_TYPE_SOA, pos);
		back_and_forth(v, "cut.example.", "cut.example.", DNS_TYPE_NS, pos);
		back_and_forth(v, "cut.example.", "a.b.cut.example.", DNS_TYPE_NS, pos);
		back_and_forth(v, "mail.example.", "mail.example.", DNS_TYPE_MX, pos);
		back_and_forth(v, "mi.example.", "x.mi.example.", 14, pos);
		back_and_forth(v, "*.w.example.", "a.longer.name.w.example.", DNS_TYPE_MX, pos);
		back_and_forth(v, "*.w.example.", "*.w.example.", DNS_TYPE_MX, pos);
	}
	zone_version_free(v);
}

Test(compose, compresses_names_against_each_other)
{
	zone_version_t *v = zones_version(&zones_key, "example.", zone);
	zone_rrset_t set;

	cr_assert(zone_node_rrset(v, zone_version_apex(v), DNS_TYPE_NS, &set));
	/* Seven records of 12 octets, and their names in canonical order of RDATA:
	 * . | net. | ns + 2 | ns1.host.net. | ns2 + 2 | a.deep + 2 | b + 2 */
	cr_expect(eq(u32, set.wire_len,
	             7 * 12 + 1 + 5 + (3 + 2) + (4 + 5 + 2) + (4 + 2) + (2 + 5 + 2) + (2 + 2)));
	cr_assert(zone_node_rrset(v, zone_version_apex(v), DNS_TYPE_SOA, &set));
	cr_expect(eq(u32, set.wire_len, 12 + 13 + (1 + 10 + 2) + 20), "hostmaster + 2");
	zone_version_free(v);
}

Test(compose, writes_nothing_that_does_not_fit)
{
	zone_version_t *v = zones_version(&zones_key, "example.", zone);
	uint8_t *out = calloc(1, 65535);
	zone_rrset_t set;

	memcpy(out + DNS_HEADER_LEN, "\7example", 9);
	cr_assert(zone_node_rrset(v, zone_version_apex(v), DNS_TYPE_NS, &set));
	for (size_t pos = 300; pos < 60000; pos += 29700) { /* as it is stored, and unfolded */
		compose_t c = { .out = out, .pos = pos, .limit = 65535, .with_sigs = true };
		const compose_place_t place = { DNS_HEADER_LEN, 9, true };

		cr_assert(compose_rrset(&c, COMPOSE_ANSWER, &set, place) == ST_OK);
		size_t len = c.pos - pos;
		for (size_t room = 0; room <= len; room++) {
			c = (compose_t){
				.out = out, .pos = pos, .limit = pos + room, .with_sigs = true
			};
			status_t st = compose_rrset(&c, COMPOSE_ANSWER, &set, place);

			cr_expect(eq(int, st, room < len ? ST_LIMIT : ST_OK), "%zu of %zu", room,
			          len);
			cr_expect(eq(sz, c.pos, room < len ? pos : pos + len));
			cr_expect(eq(int, c.count[COMPOSE_ANSWER] > 0, room == len));
		}
	}
	free(out);
	zone_version_free(v);
}

Test(compose, turns_rrsets_of_the_answer)
{
	zone_version_t *v = zones_version(&zones_key, "example.", zone);
	dns_name_t name = zones_name("many.example.");
	const compose_place_t place = { DNS_HEADER_LEN, name.len, true };
	uint8_t *out = calloc(1, 65535);
	zone_hashes_t h;
	zone_rrset_t set, ns;

	memcpy(out + DNS_HEADER_LEN, name.wire, name.len);
	zone_hash_name(zone_version_key(v), &name, &h);
	const zone_node_t *node = zone_version_exact(v, &name, h.h[0]);
	cr_assert(zone_node_rrset(v, node, DNS_TYPE_A, &set));
	cr_assert(zone_node_rrset(v, zone_version_apex(v), DNS_TYPE_NS, &ns));
	for (unsigned turn = 0; turn < 7; turn++) {
		compose_t c = {
			.out = out, .pos = 300, .limit = 65535, .with_sigs = true, .turn = turn
		};

		cr_assert(compose_rrset(&c, COMPOSE_ANSWER, &set, place) == ST_OK);
		for (unsigned i = 0; i < 3; i++)
			cr_expect(eq(int, out[300 + 16 * i + 15], 1 + (turn + i) % 3), "%u", turn);
		cr_expect(eq(int, get_u16(out + 300 + 48 + 2), DNS_TYPE_RRSIG));
		c.pos = 300;
		cr_assert(compose_rrset(&c, COMPOSE_ADDITIONAL, &set, place) == ST_OK);
		cr_expect(eq(int, out[300 + 15], 1), "elsewhere the order stays");
		c.pos = 300;
		cr_assert(compose_rrset(&c, COMPOSE_ANSWER, &ns, place) == ST_OK);
		cr_expect(memcmp(out + 302, ns.wire + 2, 11) == 0, "names stay in order");
	}
	free(out);
	zone_version_free(v);
}
