/* zone/check.c - one pass over the names, looking for what the RFCs frown upon. */
#include "zone/check.h"

#include "common/huge.h"
#include "dns/wire.h"
#include "zone/chain.h"
#include "zone/doubts.h"
#include "zone/layout.h"

static void note(zone_faults_t *out, zone_fault_t fault, const zone_node_t *node)
{
	if (out->count[fault]++ == 0)
		out->first[fault] = node;
}

static void check_apex(const zone_version_t *v, zone_faults_t *out)
{
	const zone_node_t *apex = zone_version_apex(v);
	zone_rrset_t ns;

	if (!zone_node_rrset(v, apex, DNS_TYPE_NS, &ns))
		note(out, ZONE_FAULT_NO_NS, apex);
	else if (ns.count < 2)
		note(out, ZONE_FAULT_SINGLE_NS, apex);
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
			note(out, ZONE_FAULT_MANY_CNAMES, node);
		if (set.type != DNS_TYPE_CNAME && set.type != DNS_TYPE_NSEC && set.count > 0) {
			note(out, ZONE_FAULT_CNAME_BESIDE, node);
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
			note(out, ZONE_FAULT_MISSING_GLUE, node);
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
			note(out, ZONE_FAULT_BELOW_DNAME, node);
	}
	zone_walk_free(walk);
	return ST_OK;
}

enum { ITERATIONS_FEW = 150 };

static void check_iterations(const zone_version_t *v, zone_faults_t *out)
{
	const zone_node_t *apex = zone_version_apex(v);
	zone_rrset_t set;

	if (!zone_node_rrset(v, apex, DNS_TYPE_NSEC3PARAM, &set))
		return;
	const uint8_t *p = set.wire;
	for (unsigned i = 0; i < set.count; i++, p += 2 + DNS_RR_FIXED + get_u16(p + 10)) {
		dns_nsec3_params_t params;

		if (!dns_nsec3_read(p + 2 + DNS_RR_FIXED, get_u16(p + 10), &params))
			continue;
		out->costly = out->costly || dns_nsec3_costly(&params);
		if (params.iterations > out->iterations)
			out->iterations = params.iterations;
	}
	if (out->iterations > ITERATIONS_FEW)
		note(out, ZONE_FAULT_ITERATIONS, apex);
}

static status_t check_chain(const zone_version_t *v, zone_faults_t *out)
{
	check_iterations(v, out);
	return zone_chain_gaps(v, &out->count[ZONE_FAULT_CHAIN_GAPS],
	                       &out->first[ZONE_FAULT_CHAIN_GAPS]);
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

void zone_doubts_again(zone_doubts_t *d)
{
	enum { FEW = 1024 };

	if (d->room > FEW)
		zone_doubts_free(d);
	d->count = 0;
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

/* --- what a difference has changed --------------------------------------------------------------- */

/* Names of the log, one after the other, as they are now. They come in canonical order, so those below
 * one delegation follow each other. */
typedef struct changed {
	const zone_version_t *v, *base;
	uint64_t apex_hash;
	const zone_node_t *cut[DNS_LABELS_MAX + 1]; /* at each depth, the last that was looked at */
	zone_faults_t *out;
} changed_t;

/* One of them. */
typedef struct changed_name {
	const zone_rec_t *rec;
	uint64_t hash;
	const zone_node_t *node; /* NULL: it is gone */
	/* What decides of names below it, as in zone_version_lookup(): a delegation or a DNAME. */
	bool hidden, below_dname;
} changed_name_t;

/* A delegation at or above the name: its glue may have come or gone. */
static void check_cut(changed_t *c, const zone_node_t *node)
{
	if (c->cut[node->rel_labels] == node)
		return;
	c->cut[node->rel_labels] = node;
	check_glue(c->v, node, c->out);
}

/* What an ancestor is to the name. */
static void pass(changed_t *c, changed_name_t *name, const zone_node_t *node)
{
	if (node->flags & ZONE_NODE_CUT)
		check_cut(c, node);
	name->below_dname |= !name->hidden &&
	                     (node->flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) == ZONE_NODE_DNAME;
	name->hidden |= node->flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME);
}

/* From the apex down to the name, or to where nothing is any more. */
static void descend(changed_t *c, changed_name_t *name)
{
	const uint8_t *rel = name->rec->bytes;
	unsigned at[DNS_LABELS_MAX + 1], labels = name->rec->rel_labels, pos = 0;

	for (unsigned i = 0; i < labels; i++, pos += rel[pos] + 1u)
		at[i] = pos;
	name->node = zone_version_apex(c->v);
	name->hash = c->apex_hash;
	for (unsigned i = labels; i-- > 0 && name->node;) {
		pass(c, name, name->node);
		name->hash = zone_hash_child(&c->v->key, name->hash, rel + at[i]);
		name->node = zone_version_inside(c->v, rel + at[i], name->rec->rel_len - at[i],
		                                 name->hash);
	}
}

/* A DNAME that has come above names is told by its own: those below may be many. */
static bool has_brought_dname(const changed_t *c, const changed_name_t *name)
{
	const zone_node_t *was;

	if ((name->node->flags & (ZONE_NODE_DNAME | ZONE_NODE_CUT)) != ZONE_NODE_DNAME ||
	    zone_node_children(name->node) == 0 || name->hidden)
		return false;
	was = zone_version_inside(c->base, name->rec->bytes, name->rec->rel_len, name->hash);
	return !was || !(was->flags & ZONE_NODE_DNAME);
}

static void check_changed_name(changed_t *c, const zone_rec_t *rec)
{
	changed_name_t name = { .rec = rec };

	descend(c, &name);
	if (!name.node || name.node->flags & ZONE_NODE_EMPTY)
		return;
	check_cname(c->v, name.node, c->out);
	if (name.node->flags & ZONE_NODE_CUT)
		check_cut(c, name.node);
	if (name.below_dname || has_brought_dname(c, &name))
		note(c->out, ZONE_FAULT_BELOW_DNAME, name.node);
}

status_t zone_check_changed(const zone_version_t *v, const zone_version_t *base,
                            const zone_log_t *log, zone_faults_t *out)
{
	const zone_list_t *l = &log->names;
	changed_t c = { .v = v, .base = base, .out = out };
	zone_hashes_t hashes;
	dns_name_t apex;

	memset(out, 0, sizeof *out);
	dns_name_from_wire(v->apex, &apex);
	zone_hash_name(&v->key, &apex, &hashes);
	c.apex_hash = hashes.h[0];
	check_apex(v, out);
	for (size_t i = 0; i < l->count; i = zone_list_run(l, i))
		check_changed_name(&c, l->entry[i].rec);
	check_iterations(v, out);
	return zone_chain_gaps_near(v, base, log, &out->count[ZONE_FAULT_CHAIN_GAPS],
	                            &out->first[ZONE_FAULT_CHAIN_GAPS]);
}
