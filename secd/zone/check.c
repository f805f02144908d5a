/* zone/check.c - one pass over the names, looking for what the RFCs frown upon. */
#include "zone/check.h"

#include <stdio.h>

#include "dns/wire.h"

static void note(const zone_version_t *v, const zone_node_t *node, uint32_t *counter,
                 zone_faults_t *out)
{
	(*counter)++;
	if (out->first[0] == '\0') {
		char text[DNS_NAME_TEXT_MAX];
		dns_name_t name;

		zone_node_name(v, node, &name);
		snprintf(out->first, sizeof out->first, "%s", dns_name_text(name.wire, text));
	}
}

static void check_apex(const zone_version_t *v, zone_faults_t *out)
{
	const zone_node_t *apex = zone_version_apex(v);
	zone_rrset_t ns;

	if (!zone_node_rrset(v, apex, DNS_TYPE_NS, &ns))
		note(v, apex, &out->no_ns, out);
	else if (ns.count < 2)
		note(v, apex, &out->single_ns, out);
}

/* CNAME with other data: RRSIG, NSEC and KEY may stand beside it (RFC 4035 2.5). */
static void check_cname(const zone_version_t *v, const zone_node_t *node, zone_faults_t *out)
{
	zone_rrset_t set;

	if (!(zone_node_flags(node) & ZONE_NODE_CNAME))
		return;
	for (unsigned i = 0; i < zone_node_rrsets(node); i++) {
		zone_node_rrset_at(v, node, i, &set);
		if (set.type == DNS_TYPE_CNAME && set.count > 1)
			note(v, node, &out->many_cnames, out);
		if (set.type != DNS_TYPE_CNAME && set.type != DNS_TYPE_NSEC && set.count > 0) {
			note(v, node, &out->cname_beside, out);
			return;
		}
	}
}

static bool has_address(const zone_version_t *v, const zone_node_t *node)
{
	zone_rrset_t set;

	return zone_node_rrset(v, node, DNS_TYPE_A, &set) ||
	       zone_node_rrset(v, node, DNS_TYPE_AAAA, &set);
}

/* A delegation whose every name server lies below it needs an address for each (RFC 9471). */
static void check_glue(const zone_version_t *v, const zone_node_t *node, const siphash_key_t *key,
                       zone_faults_t *out)
{
	uint8_t rdata[65535];
	zone_rrset_t ns;
	dns_name_t cut;

	if (!(zone_node_flags(node) & ZONE_NODE_CUT) || !zone_node_rrset(v, node, DNS_TYPE_NS, &ns))
		return;
	zone_node_name(v, node, &cut);
	for (unsigned i = 0; i < ns.count; i++) {
		zone_hashes_t hashes;
		dns_name_t host;

		zone_rrset_rdata(v, node, &ns, i, rdata);
		dns_name_from_wire(rdata, &host);
		dns_name_fold(&host);
		if (!dns_name_within(&host, &cut))
			continue;
		zone_hash_name(key, &host, &hashes);
		const zone_node_t *glue = zone_version_exact(v, &host, hashes.h[0]);
		if (!glue || !has_address(v, glue)) {
			note(v, node, &out->missing_glue, out);
			return;
		}
	}
}

/* Names below a DNAME follow it at once in canonical order. */
static bool is_below(const zone_version_t *v, const zone_node_t *node, const dns_name_t *above)
{
	dns_name_t name;

	zone_node_name(v, node, &name);
	return dns_name_within(&name, above);
}

void zone_check(const zone_version_t *v, zone_faults_t *out)
{
	const siphash_key_t *key = zone_version_key(v);
	const zone_node_t *node = NULL;
	dns_name_t dname;
	bool in_dname = false;

	memset(out, 0, sizeof *out);
	check_apex(v, out);
	while ((node = zone_version_next(v, node, false))) {
		unsigned flags = zone_node_flags(node);

		in_dname = in_dname && is_below(v, node, &dname);
		if (in_dname && !(flags & ZONE_NODE_EMPTY))
			note(v, node, &out->below_dname, out);
		if (!in_dname && (flags & ZONE_NODE_DNAME)) {
			zone_node_name(v, node, &dname);
			in_dname = true;
		}
		check_cname(v, node, out);
		check_glue(v, node, key, out);
	}
}
