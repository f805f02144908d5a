/* zone/check.c - one pass over the names, looking for what the RFCs frown upon. */
#include "zone/check.h"

#include <stdio.h>

#include "common/huge.h"
#include "dns/wire.h"
#include "zone/chain.h"
#include "zone/doubts.h"
#include "zone/layout.h"

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
	for (bool more = zone_node_first(v, node, &set); more;
	     more = zone_node_next(v, node, &set)) {
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

/* A name server at or below the cut: the whole of its owner is the end of its name. */
static bool is_in_domain(const zone_rrset_t *ns, const uint8_t *record)
{
	return ns->fixes > 0 && zone_rrset_name_end(ns, record + 2 + DNS_RR_FIXED) == ns->owner_len;
}

/* A delegation to name servers below it needs an address for each (RFC 9471 2). */
static void check_glue(const zone_version_t *v, const zone_node_t *node, zone_faults_t *out)
{
	uint8_t rdata[65535];
	zone_rrset_t ns;

	if (!(zone_node_flags(node) & ZONE_NODE_CUT) || !zone_node_rrset(v, node, DNS_TYPE_NS, &ns))
		return;
	const uint8_t *p = ns.wire;
	for (unsigned i = 0; i < ns.count; i++, p += 2 + DNS_RR_FIXED + get_u16(p + 10)) {
		zone_hashes_t hashes;
		dns_name_t host;

		if (!is_in_domain(&ns, p))
			continue;
		zone_wire_rdata(v, node, &ns, p, rdata);
		dns_name_from_wire(rdata, &host);
		dns_name_fold(&host);
		zone_hash_name(zone_version_key(v), &host, &hashes);
		const zone_node_t *glue = zone_version_exact(v, &host, hashes.h[0]);
		if (!glue || !has_address(v, glue)) {
			note(v, node, &out->missing_glue, out);
			return;
		}
	}
}

static bool is_below_dname(const zone_version_t *v, const zone_node_t *node)
{
	zone_hashes_t hashes;
	zone_lookup_t found;
	dns_name_t name;

	zone_node_name(v, node, &name);
	zone_hash_name(zone_version_key(v), &name, &hashes);
	zone_version_lookup(v, &name, &hashes, true, &found);
	return found.found == ZONE_DNAME;
}

static status_t check_below_dname(const zone_version_t *v, zone_faults_t *out)
{
	zone_walk_t *walk = zone_walk_any(v);
	const zone_node_t *node;

	if (!walk)
		return ST_NOMEM;
	while ((node = zone_walk_next(walk))) {
		if (!(zone_node_flags(node) & ZONE_NODE_EMPTY) && is_below_dname(v, node))
			note(v, node, &out->below_dname, out);
	}
	zone_walk_free(walk);
	return ST_OK;
}

enum { ITERATIONS_FEW = 150 };

static void check_iterations(const zone_version_t *v, zone_faults_t *out)
{
	const zone_node_t *apex = zone_version_apex(v);
	zone_rrset_t set;
	unsigned most = 0;

	if (!zone_node_rrset(v, apex, DNS_TYPE_NSEC3PARAM, &set))
		return;
	const uint8_t *p = set.wire;
	for (unsigned i = 0; i < set.count; i++, p += 2 + DNS_RR_FIXED + get_u16(p + 10)) {
		dns_nsec3_params_t params;

		if (!dns_nsec3_read(p + 2 + DNS_RR_FIXED, get_u16(p + 10), &params))
			continue;
		out->costly = out->costly || dns_nsec3_costly(&params);
		if (params.iterations > most)
			most = params.iterations;
	}
	if (most <= ITERATIONS_FEW)
		return;
	note(v, apex, &out->iterations, out);
	out->iterations = most;
}

static status_t check_chain(const zone_version_t *v, zone_faults_t *out)
{
	const zone_node_t *first;
	uint32_t gaps;
	status_t st = zone_chain_gaps(v, &gaps, &first);

	check_iterations(v, out);
	if (st != ST_OK || gaps == 0)
		return st;
	note(v, first, &out->chain_gaps, out);
	out->chain_gaps = gaps;
	return ST_OK;
}

void zone_check_apex(const zone_version_t *v, zone_faults_t *out)
{
	memset(out, 0, sizeof *out);
	check_apex(v, out);
	check_iterations(v, out);
}

bool zone_faults_refuse(const zone_faults_t *f)
{
	return f->costly;
}

/* One name; whether it has a DNAME is returned, as that asks for another look at all. */
static bool look_at(const zone_version_t *v, const zone_node_t *node, zone_faults_t *out)
{
	check_cname(v, node, out);
	check_glue(v, node, out);
	return zone_node_flags(node) & ZONE_NODE_DNAME;
}

status_t zone_check(const zone_version_t *v, zone_faults_t *out)
{
	zone_walk_t *walk = zone_walk_any(v);
	const zone_node_t *node;
	bool dnames = false;

	memset(out, 0, sizeof *out);
	if (!walk)
		return ST_NOMEM;
	check_apex(v, out);
	while ((node = zone_walk_next(walk)))
		dnames |= look_at(v, node, out);
	zone_walk_free(walk);
	status_t st = check_chain(v, out);
	return st == ST_OK && dnames ? check_below_dname(v, out) : st;
}

/* --- the few names that are worth it ------------------------------------------------------------ */

bool zone_doubtful(unsigned flags, bool inside)
{
	return flags & (ZONE_NODE_CNAME | ZONE_NODE_DNAME) || (flags & ZONE_NODE_CUT && inside);
}

status_t zone_doubts_add(zone_doubts_t *d, zone_ref_t ref)
{
	if (d->count == d->room) {
		size_t room = d->room ? d->room * 2 : 16;
		zone_ref_t *grown = huge_grow(d->ref, d->room * sizeof ref, room * sizeof ref);

		if (!grown)
			return ST_NOMEM;
		d->ref = grown;
		d->room = room;
	}
	d->ref[d->count++] = ref;
	return ST_OK;
}

void zone_doubts_free(zone_doubts_t *d)
{
	huge_give(d->ref, d->room * sizeof *d->ref);
	*d = (zone_doubts_t){ 0 };
}

status_t zone_doubts_check(const zone_doubts_t *d, const zone_version_t *v, zone_faults_t *out)
{
	bool dnames = false;

	memset(out, 0, sizeof *out);
	check_apex(v, out);
	for (size_t i = 0; i < d->count; i++)
		dnames |= look_at(v, zone_node_at(v, d->ref[i]), out);
	status_t st = check_chain(v, out);
	return st == ST_OK && dnames ? check_below_dname(v, out) : st;
}
