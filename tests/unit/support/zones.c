/* tests/unit/support/zones.c - presentation form through ldns into our own reader. */
#include "support/zones.h"

#include <criterion/criterion.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "zone/layout.h"

const siphash_key_t zones_key = { 1, 2 };
const zone_limits_t zones_limits = { UINT64_MAX, UINT64_MAX, 65535, 65535 };

dns_name_t zones_name(const char *text)
{
	dns_name_t n;

	cr_assert(dns_name_from_text(text, &n) == ST_OK, "%s", text);
	dns_name_fold(&n);
	return n;
}

void zones_record(const char *origin, const char *text, dns_rr_t *out)
{
	ldns_rdf *at = ldns_dname_new_frm_str(origin);
	uint8_t *wire = NULL;
	size_t len = 0;
	ldns_rr *rr = NULL;

	cr_assert(at && ldns_rr_new_frm_str(&rr, text, 300, at, NULL) == LDNS_STATUS_OK, "%s",
	          text);
	cr_assert(ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &len) == LDNS_STATUS_OK);
	buf_t b = buf_over(wire, len);
	cr_assert(dns_rr_read(&b, out) == ST_OK, "%s", text);
	free(wire);
	ldns_rr_free(rr);
	ldns_rdf_deep_free(at);
}

status_t zones_feed(zone_build_t *b, const char *origin, const char *lines)
{
	dns_rr_t *rr = malloc(sizeof *rr);
	char *copy = strdup(lines), *save = NULL;
	status_t st = ST_OK;

	for (char *line = strtok_r(copy, "\n", &save); line && (st == ST_OK || st == ST_OUTSIDE);
	     line = strtok_r(NULL, "\n", &save)) {
		zones_record(origin, line, rr);
		st = zone_build_add(b, rr);
	}
	free(copy);
	free(rr);
	return st == ST_OUTSIDE ? ST_OK : st;
}

zone_version_t *zones_version(const siphash_key_t *key, const char *origin, const char *lines)
{
	dns_name_t apex = zones_name(origin);
	zone_build_t *b = zone_build_new(key, &apex, &zones_limits);
	zone_version_t *v = NULL;

	cr_assert(b && zones_feed(b, origin, lines) == ST_OK);
	cr_assert(zone_build_seal(b, &v) == ST_OK);
	zone_build_free(b);
	return v;
}

zone_lookup_t zones_lookup(const zone_version_t *v, const char *text, bool at_parent)
{
	dns_name_t name = zones_name(text);
	zone_hashes_t hashes;
	zone_lookup_t out;

	zone_hash_name(zone_version_key(v), &name, &hashes);
	zone_version_lookup(v, &name, &hashes, at_parent, &out);
	return out;
}

uint64_t zones_digest(const zone_version_t *v)
{
	uint64_t hash = 0;

	for (int denial = 0; denial < 2; denial++) {
		zone_walk_t *walk = zone_walk_new(v, denial);
		const zone_node_t *node;

		while ((node = zone_walk_next(walk))) {
			size_t from = zone_children_at(node);

			hash = siphash13_chain(&zones_key, hash, node,
			                       sizeof *node + node->rel_len);
			hash = siphash13_chain(&zones_key, hash, (const uint8_t *)node + from,
			                       zone_node_size(node) - from);
		}
		zone_walk_free(walk);
	}
	return hash;
}

bool zones_same_node(const zone_node_t *a, const zone_node_t *b)
{
	return a == b ||
	       (a && b && a->rel_len == b->rel_len && memcmp(a->name, b->name, a->rel_len) == 0);
}
