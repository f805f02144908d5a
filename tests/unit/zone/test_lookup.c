/* tests/unit/zone/test_lookup.c - lookups against RFC 4592's example, and against a plain list
 * of names over many random zones. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "support/zones.h"

TestSuite(zone_lookup, .timeout = 120);

/* RFC 4592 2.2.1, and below it what the RFCs on DNAME and delegations add. */
static const char rfc4592[] = "@ 3600 SOA ns hm 1 2 3 4 5\n"
			      "@ NS ns.example.com.\n"
			      "@ NS ns.example.net.\n"
			      "* TXT \"this is a wildcard\"\n"
			      "* MX 10 host1.example.\n"
			      "sub.* TXT \"this is not a wildcard\"\n"
			      "host1 A 192.0.2.1\n"
			      "_ssh._tcp.host1 SRV 0 0 22 host1\n"
			      "_ssh._tcp.host2 SRV 0 0 22 host1\n"
			      "subdel NS ns.example.com.\n"
			      "subdel NS ns.example.net.\n"
			      "below.subdel A 192.0.2.1\n"
			      "dn DNAME host1\n"
			      "below.dn A 192.0.2.1\n";

static const struct {
	const char *name;
	zone_found_t found;
	const char *node;
	int label;
} rows[] = {
	{ "example.", ZONE_FOUND, "example.", 0 },
	{ "host1.example.", ZONE_FOUND, "host1.example.", 0 },
	{ "host3.example.", ZONE_WILDCARD, "*.example.", 1 },
	{ "foo.bar.example.", ZONE_WILDCARD, "*.example.", 2 },
	{ "*.example.", ZONE_FOUND, "*.example.", 0 },
	{ "sub.*.example.", ZONE_FOUND, "sub.*.example.", 0 },
	{ "x.*.example.", ZONE_NONE, "*.example.", 1 },
	{ "_telnet._tcp.host1.example.", ZONE_NONE, "_tcp.host1.example.", 1 },
	{ "_tcp.host1.example.", ZONE_FOUND, "_tcp.host1.example.", 0 },
	{ "host2.example.", ZONE_FOUND, "host2.example.", 0 },
	{ "subdel.example.", ZONE_CUT, "subdel.example.", 0 },
	{ "host.subdel.example.", ZONE_CUT, "subdel.example.", 1 },
	{ "below.subdel.example.", ZONE_CUT, "subdel.example.", 1 },
	{ "ghost.*.example.", ZONE_NONE, "*.example.", 1 },
	{ "dn.example.", ZONE_FOUND, "dn.example.", 0 },
	{ "x.dn.example.", ZONE_DNAME, "dn.example.", 1 },
	{ "a.below.dn.example.", ZONE_DNAME, "dn.example.", 2 },
};

static const char *node_text(const zone_version_t *v, const zone_node_t *node,
                             char out[DNS_NAME_TEXT_MAX])
{
	dns_name_t n;

	zone_node_name(v, node, &n);
	return dns_name_text(n.wire, out);
}

Test(zone_lookup, finds_what_rfc_4592_says)
{
	zone_version_t *v = zones_version(&zones_key, "example.", rfc4592);
	char text[DNS_NAME_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		zone_lookup_t l = zones_lookup(v, rows[i].name, false);

		cr_expect(eq(int, l.found, rows[i].found), "%s", rows[i].name);
		cr_expect(eq(str, (char *)node_text(v, l.node, text), (char *)rows[i].node), "%s",
		          rows[i].name);
		cr_expect(eq(int, l.encloser_label, rows[i].label), "%s", rows[i].name);
	}
	cr_expect(eq(int, zones_lookup(v, "subdel.example.", true).found, ZONE_FOUND),
	          "DS is the parent's");
	cr_expect(eq(int, zones_lookup(v, "x.subdel.example.", true).found, ZONE_CUT));
	zone_version_free(v);
}

/* --- the model: names in a plain array ------------------------------------------------------ */

typedef struct model {
	dns_name_t name;
	bool cut, dname, data, nsec;
} model_t;

enum { MODEL_MAX = 400 };

static model_t model[MODEL_MAX];
static size_t model_count;

static model_t *model_find(const dns_name_t *name)
{
	for (size_t i = 0; i < model_count; i++) {
		if (dns_name_equal(&model[i].name, name))
			return &model[i];
	}
	return NULL;
}

static model_t *model_add(const dns_name_t *name)
{
	model_t *m = model_find(name);

	if (!m) {
		m = &model[model_count++];
		*m = (model_t){ .name = *name };
	}
	return m;
}

static dns_name_t ancestor(const dns_name_t *name, unsigned up)
{
	dns_name_t out;

	dns_name_from_wire(name->wire + name->off[up], &out);
	return out;
}

/* RFC 1034 4.3.2 and RFC 4592, label by label, without a thought for speed. */
static zone_found_t model_lookup(const dns_name_t *q, bool at_parent, dns_name_t *node)
{
	unsigned last = q->labels - 1; /* the apex is "z." */
	dns_name_t encloser = ancestor(q, last);

	for (int up = (int)last; up >= 0; up--) {
		dns_name_t n = ancestor(q, (unsigned)up);
		model_t *m = model_find(&n);

		if (!m)
			break;
		encloser = *node = n;
		if (m->cut && !(up == 0 && at_parent))
			return ZONE_CUT;
		if (up == 0)
			return ZONE_FOUND;
		if (m->dname)
			return ZONE_DNAME;
	}
	dns_name_t wild;
	memcpy(wild.wire, "\1*", 2);
	if (encloser.len + 2 <= DNS_NAME_MAX) {
		uint8_t wire[DNS_NAME_MAX] = { 1, '*' };

		memcpy(wire + 2, encloser.wire, encloser.len);
		dns_name_from_wire(wire, &wild);
		if (model_find(&wild)) {
			*node = wild;
			return ZONE_WILDCARD;
		}
	}
	*node = encloser;
	return ZONE_NONE;
}

static int by_name(const void *a, const void *b)
{
	return dns_name_cmp(&((const model_t *)a)->name, &((const model_t *)b)->name);
}

/* Few labels, so that names meet: odd octets, asterisks, prefixes of each other. */
static dns_name_t random_name(unsigned depth)
{
	static const char *const labels[] = { "\1a",   "\1b",  "\2ab",        "\1*",
		                              "\1\0",  "\1\1", "\2\0\0",      "\1\xff",
		                              "\3a*b", "\1~",  "\10abcdefgh", "\11abcdefghi" };
	static const uint8_t lens[] = { 2, 2, 3, 2, 2, 2, 3, 2, 4, 2, 9, 10 };
	uint8_t wire[DNS_NAME_MAX];
	dns_name_t out;
	size_t len = 0;

	for (unsigned i = 0; i < depth; i++) {
		size_t pick = (size_t)rand() % ARRAY_LEN(labels);

		memcpy(wire + len, labels[pick], lens[pick]);
		len += lens[pick];
	}
	memcpy(wire + len, "\1z", 3);
	dns_name_from_wire(wire, &out);
	return out;
}

static void add_record(zone_build_t *b, dns_rr_t *rr, const dns_name_t *owner, uint16_t type,
                       const uint8_t *rdata, size_t len)
{
	rr->owner = *owner;
	rr->type = type;
	rr->class = 1;
	rr->ttl = 300;
	rr->rdlen = (uint16_t)len;
	memcpy(rr->rdata, rdata, len);
	cr_assert(zone_build_add(b, rr) == ST_OK);
}

static zone_version_t *random_zone(dns_rr_t *rr, const siphash_key_t *key)
{
	static const uint8_t soa[22] = { 0, 0, 0, 0, 0, 1 };
	dns_name_t apex = random_name(0);
	zone_build_t *b = zone_build_new(key, &apex, &zones_limits);
	unsigned names = 1 + (unsigned)rand() % 40;
	zone_version_t *v = NULL;

	model_count = 0;
	model_add(&apex)->data = true;
	add_record(b, rr, &apex, 6, soa, sizeof soa);
	bool nsec = rand() % 2;
	if (nsec)
		add_record(b, rr, &apex, 47, (const uint8_t *)"\1a\0\0\1@", 6);
	for (unsigned i = 0; i < names; i++) {
		dns_name_t n = random_name(1 + (unsigned)rand() % 4);
		model_t *m = model_add(&n);

		m->data = true;
		if (nsec && rand() % 4) {
			m->nsec = true;
			add_record(b, rr, &n, 47, (const uint8_t *)"\1a\0\0\1@", 6);
		}
		switch (rand() % 8) {
		case 0:
			m->cut = true;
			add_record(b, rr, &n, 2, (const uint8_t *)"\1a", 3);
			break;
		case 1:
			m->dname = true;
			add_record(b, rr, &n, 39, (const uint8_t *)"\1a", 3);
			break;
		default:
			add_record(b, rr, &n, 1, (const uint8_t *)"abcd", 4);
		}
		for (unsigned up = 1; up < n.labels; up++) {
			dns_name_t a = ancestor(&n, up);

			model_add(&a);
		}
	}
	cr_assert(zone_build_seal(b, &v) == ST_OK);
	zone_build_free(b);
	qsort(model, model_count, sizeof model[0], by_name);
	return v;
}

static void check_order(const zone_version_t *v, unsigned seed)
{
	zone_walk_t *walk = zone_walk_new(v, false);
	const zone_node_t *node;

	for (size_t i = 0; i < model_count; i++) {
		dns_name_t n;

		node = zone_walk_next(walk);
		cr_assert(node != NULL, "seed %u", seed);
		zone_node_name(v, node, &n);
		cr_assert(dns_name_equal(&n, &model[i].name), "seed %u", seed);
		cr_assert(eq(int, !!(zone_node_flags(node) & ZONE_NODE_EMPTY), !model[i].data),
		          "seed %u", seed);
	}
	cr_assert(zone_walk_next(walk) == NULL, "seed %u", seed);
	zone_walk_free(walk);
}

static void check_name(const zone_version_t *v, const dns_name_t *q, unsigned seed)
{
	bool at_parent = rand() % 2;
	dns_name_t want, got;
	zone_hashes_t hashes;
	zone_lookup_t l;
	size_t before = 0;

	zone_hash_name(zone_version_key(v), q, &hashes);
	zone_version_lookup(v, q, &hashes, at_parent, &l);
	zone_found_t found = model_lookup(q, at_parent, &want);
	zone_node_name(v, l.node, &got);
	cr_assert(eq(int, l.found, found), "seed %u", seed);
	cr_assert(dns_name_equal(&got, &want), "seed %u", seed);

	for (size_t i = 0; i < model_count && dns_name_cmp(&model[i].name, q) <= 0; i++)
		before = model[i].nsec ? i : before;
	if (zone_version_denial(v) == ZONE_DENIAL_NSEC) {
		zone_node_name(v, zone_version_nsec(v, q), &got);
		cr_assert(dns_name_equal(&got, &model[before].name), "seed %u: predecessor", seed);
	}
	cr_assert(eq(int, zone_version_exact(v, q, hashes.h[0]) != NULL, model_find(q) != NULL),
	          "seed %u", seed);
}

Test(zone_lookup, agrees_with_a_plain_list_of_names)
{
	dns_rr_t *rr = malloc(sizeof *rr);

	for (unsigned seed = 1; seed <= 1500; seed++) {
		siphash_key_t key = { seed, ~(uint64_t)seed };

		srand(seed);
		zone_version_t *v = random_zone(rr, &key);
		check_order(v, seed);
		for (int i = 0; i < 60; i++) {
			dns_name_t q = random_name((unsigned)rand() % 6);

			check_name(v, &q, seed);
		}
		zone_version_free(v);
	}
	free(rr);
}
