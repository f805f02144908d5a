/* zone/chain.c - NSEC3PARAM, and searches for what it names. */
#include "zone/chain.h"

#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "zone/index.h"

enum {
	RR_HEAD = 2 + DNS_RR_FIXED,
	FOREIGN_MAX = 64, /* owners of other chains in a row */
	RECORDS_MAX = 4,  /* of an owner: hashes of several chains all but never meet */
};

/* A chain is named by NSEC3PARAM with flags 0 alone (RFC 5155 4.1.2); one that nobody may use
 * (10.3) would cost each query too much. */
static bool counts(const uint8_t *rdata, size_t rdlen, dns_nsec3_params_t *out)
{
	return dns_nsec3_read(rdata, rdlen, out) && rdata[1] == 0 && !dns_nsec3_costly(out);
}

static const zone_node_t *node_at(const uint8_t *base, zone_ref_t ref)
{
	return (const void *)(base + (size_t)ref * ZONE_UNIT);
}

bool zone_chain_params(const zone_node_t *apex, dns_nsec3_params_t *out)
{
	const zone_rrset_head_t *set = zone_node_find(apex, DNS_TYPE_NSEC3PARAM);
	const uint8_t *p = set ? (const uint8_t *)(set + 1) : NULL;

	for (unsigned i = 0; set && i < set->count; i++, p += RR_HEAD + get_u16(p + 10)) {
		if (counts(p + RR_HEAD, get_u16(p + 10), out))
			return true;
	}
	return false;
}

bool zone_chain_params_of(const zone_rec_t **recs, size_t count, dns_nsec3_params_t *out)
{
	const zone_rec_t *first = NULL;

	for (size_t i = 0; i < count; i++) {
		const zone_rec_t *rec = recs[i];
		dns_nsec3_params_t params;

		if (rec->type != DNS_TYPE_NSEC3PARAM || rec->is_sig ||
		    !counts(zone_rec_rdata(rec), rec->rdlen, &params))
			continue;
		size_t least = first && first->rdlen < rec->rdlen ? first->rdlen : rec->rdlen;
		int cmp = first ? memcmp(zone_rec_rdata(rec), zone_rec_rdata(first), least) : -1;
		if (cmp < 0 || (cmp == 0 && rec->rdlen < first->rdlen)) {
			first = rec;
			*out = params;
		}
	}
	return first;
}

/* The node's NSEC3 of the chain, a whole record; NULL: it has none. Most have but one. */
static const uint8_t *in_chain(const zone_node_t *node, const dns_nsec3_params_t *params)
{
	const zone_rrset_head_t *set = zone_node_find(node, DNS_TYPE_NSEC3);
	const uint8_t *p = set ? (const uint8_t *)(set + 1) : NULL;

	for (unsigned i = 0; set && i < set->count && i < RECORDS_MAX;
	     i++, p += RR_HEAD + get_u16(p + 10)) {
		dns_nsec3_params_t own;

		if (dns_nsec3_read(p + RR_HEAD, get_u16(p + 10), &own) &&
		    dns_nsec3_same(&own, params))
			return p;
	}
	return NULL;
}

void zone_chain_key(const uint8_t *label, zone_key_t *out)
{
	/* No digit of base32hex needs an escape. */
	memcpy(out->octets, label + 1, DNS_NSEC3_LABEL_LEN);
	out->octets[DNS_NSEC3_LABEL_LEN] = 0;
	out->len = DNS_NSEC3_LABEL_LEN + 1;
}

const zone_node_t *zone_chain_found(const uint8_t *base, const zone_root_t *root,
                                    const dns_nsec3_params_t *params, const uint8_t *label,
                                    zone_ref_t at, bool *matches)
{
	zone_key_t key;

	*matches = false;
	for (unsigned i = 0; i < FOREIGN_MAX && root->denial != 0; i++) {
		const zone_node_t *node =
			node_at(base, at != 0 ? at : zone_tree_last(base, root->denial));

		if (in_chain(node, params)) {
			*matches = memcmp(node->name, label, 1 + DNS_NSEC3_LABEL_LEN) == 0;
			return node;
		}
		/* Without its last octet a key comes right before itself, and behind all others
		 * that do. */
		zone_key_of(node->name, node->rel_labels, &key);
		key.len--;
		at = zone_tree_floor(base, root->denial, &key);
	}
	return NULL;
}

const zone_node_t *zone_chain_find(const uint8_t *base, const zone_root_t *root,
                                   const dns_nsec3_params_t *params,
                                   const uint8_t hash[DNS_NSEC3_HASH_LEN], bool *matches)
{
	uint8_t label[1 + DNS_NSEC3_LABEL_LEN];
	zone_key_t key;

	dns_nsec3_label(hash, label);
	zone_chain_key(label, &key);
	return zone_chain_found(base, root, params, label,
	                        zone_tree_floor(base, root->denial, &key), matches);
}

static zone_ref_t ref_of(const uint8_t *base, const zone_node_t *node)
{
	return node ? (zone_ref_t)(((const uint8_t *)node - base) / ZONE_UNIT) : 0;
}

void zone_chain_settle(const uint8_t *base, const dns_name_t *apex, zone_root_t *root)
{
	const zone_node_t *node = node_at(base, root->apex);
	const uint8_t *own = (const uint8_t *)node + zone_hashes_at(node);
	uint8_t wild[DNS_NSEC3_HASH_LEN], name[2 + DNS_NAME_MAX] = { 1, '*' };
	dns_nsec3_params_t params;
	bool matches;

	root->param_at = 0;
	root->apex_nsec3 = root->wild_nsec3 = 0;
	if (!zone_chain_params(node, &params))
		return;
	root->param_at = (uint32_t)(params.salt - 5 - (const uint8_t *)node);
	memcpy(name + 2, apex->wire, apex->len);
	dns_nsec3_hash(&params, name, 2u + apex->len, wild);
	const zone_node_t *found = zone_chain_find(base, root, &params, own, &matches);
	root->apex_nsec3 = matches ? ref_of(base, found) : 0;
	root->wild_nsec3 = ref_of(base, zone_chain_find(base, root, &params, wild, &matches));
}

/* --- gaps -------------------------------------------------------------------------------------- */

static bool nsec3_leads_to(const zone_node_t *node, const dns_nsec3_params_t *params,
                           const zone_node_t *next)
{
	const uint8_t *record = in_chain(node, params);
	size_t at = 5u + params->salt_len; /* of the length of the next hash */
	uint8_t label[1 + DNS_NSEC3_LABEL_LEN];

	if (get_u16(record + 10) < at + 1 + DNS_NSEC3_HASH_LEN ||
	    record[RR_HEAD + at] != DNS_NSEC3_HASH_LEN)
		return false;
	dns_nsec3_label(record + RR_HEAD + at + 1, label);
	return memcmp(next->name, label, sizeof label) == 0;
}

static bool nsec_leads_to(const zone_version_t *v, const zone_node_t *node, const zone_node_t *next)
{
	const zone_rrset_head_t *set = zone_node_find(node, DNS_TYPE_NSEC);
	const uint8_t *name = (const uint8_t *)(set + 1) + RR_HEAD; /* never compressed */
	uint8_t wire[DNS_NAME_MAX];

	memcpy(wire, next->name, next->rel_len);
	memcpy(wire + next->rel_len, v->apex, v->apex_len);
	return dns_wire_equal_fold(name, wire);
}

/* Owners of other chains out of the way. */
static size_t keep_chain(const zone_version_t *v, const dns_nsec3_params_t *params,
                         zone_ref_t *refs, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (in_chain(node_at(v->base, refs[i]), params))
			refs[kept++] = refs[i];
	}
	return kept;
}

status_t zone_chain_gaps(const zone_version_t *v, uint32_t *gaps, const zone_node_t **first)
{
	const zone_root_t *root = &v->root;
	dns_nsec3_params_t params;
	bool hashed = zone_chain_params(node_at(v->base, root->apex), &params);
	size_t room = hashed ? root->denials : root->names != 0 ? root->index.names : 0;

	*gaps = hashed && root->apex_nsec3 == 0;
	*first = *gaps > 0 ? node_at(v->base, root->apex) : NULL;
	if (room == 0)
		return ST_OK;
	zone_ref_t *refs = malloc(room * sizeof *refs);
	if (!refs)
		return ST_NOMEM;
	size_t count = zone_tree_all(v->base, hashed ? root->denial : root->names, refs);
	if (hashed)
		count = keep_chain(v, &params, refs, count);
	for (size_t i = 0; i < count; i++) {
		const zone_node_t *node = node_at(v->base, refs[i]);
		const zone_node_t *next = node_at(v->base, refs[(i + 1) % count]);

		if (hashed ? nsec3_leads_to(node, &params, next) : nsec_leads_to(v, node, next))
			continue;
		++*gaps;
		*first = *first ? *first : node;
	}
	free(refs);
	return ST_OK;
}

/* --- gaps that a difference may have made ------------------------------------------------------- */

/* A look along the chain from one changed owner to the next. */
typedef struct near {
	const zone_version_t *v;
	const dns_nsec3_params_t *params;  /* NULL: a chain of NSEC */
	const zone_node_t *looked, *began; /* at last, and at first, which the end comes round to */
	uint32_t gaps;
	const zone_node_t *first;
} near_t;

static zone_ref_t tree_of(const near_t *n)
{
	return n->params ? n->v->root.denial : n->v->root.names;
}

static bool belongs(const near_t *n, const zone_node_t *node)
{
	return !n->params || in_chain(node, n->params);
}

/* The owner in the chain with this key, and the one before it, around the end; NULL: none, or none
 * near. key is spent. */
static const zone_node_t *owner_at(const near_t *n, const zone_key_t *key, const uint8_t *rel,
                                   size_t rel_len)
{
	zone_ref_t at = tree_of(n) != 0 ? zone_tree_floor(n->v->base, tree_of(n), key) : 0;
	const zone_node_t *node = at != 0 ? node_at(n->v->base, at) : NULL;

	return node && node->rel_len == rel_len && memcmp(node->name, rel, rel_len) == 0 &&
	                       belongs(n, node)
	               ? node
	               : NULL;
}

static const zone_node_t *owner_before(const near_t *n, zone_key_t *key)
{
	for (unsigned i = 0; i < FOREIGN_MAX && tree_of(n) != 0; i++) {
		zone_ref_t at = 0;

		if (key->len > 0) { /* without its last octet it comes right before itself */
			key->len--;
			at = zone_tree_floor(n->v->base, tree_of(n), key);
		}
		if (at == 0)
			at = zone_tree_last(n->v->base, tree_of(n));
		const zone_node_t *node = at != 0 ? node_at(n->v->base, at) : NULL;
		if (!node || belongs(n, node))
			return node;
		zone_key_of(node->name, node->rel_labels, key);
	}
	return NULL;
}

/* Where the node's link leads: what stands left of the apex. False: out of the zone, or nowhere. */
static bool target_of(const near_t *n, const zone_node_t *node, dns_name_t *out, size_t *rel_len)
{
	const zone_version_t *v = n->v;
	uint8_t wire[1 + DNS_NSEC3_LABEL_LEN + DNS_NAME_MAX];
	dns_name_t apex;

	if (n->params) {
		const uint8_t *record = in_chain(node, n->params);
		size_t at = 5u + n->params->salt_len;

		if (get_u16(record + 10) < at + 1 + DNS_NSEC3_HASH_LEN ||
		    record[RR_HEAD + at] != DNS_NSEC3_HASH_LEN)
			return false;
		dns_nsec3_label(record + RR_HEAD + at + 1, wire);
		memcpy(wire + 1 + DNS_NSEC3_LABEL_LEN, v->apex, v->apex_len);
		dns_name_from_wire(wire, out);
	} else {
		const zone_rrset_head_t *set = zone_node_find(node, DNS_TYPE_NSEC);

		dns_name_from_wire((const uint8_t *)(set + 1) + RR_HEAD, out);
		dns_name_fold(out);
	}
	dns_name_from_wire(v->apex, &apex);
	*rel_len = (size_t)out->len - v->apex_len;
	return dns_name_within(out, &apex);
}

/* The link is sound if what it leads to is in the chain, and nothing is between the two. */
static void look_at_link(near_t *n, const zone_node_t *node)
{
	dns_name_t target;
	zone_key_t key;
	size_t rel_len;

	if (!node || node == n->looked || node == n->began)
		return;
	n->looked = node;
	n->began = n->began ? n->began : node;
	if (target_of(n, node, &target, &rel_len)) {
		zone_key_of(target.wire, target.labels - (unsigned)n->v->apex_labels, &key);
		if (owner_at(n, &key, target.wire, rel_len) && owner_before(n, &key) == node)
			return;
	}
	n->gaps++;
	n->first = n->first ? n->first : node;
}

static void look_around(near_t *n, const zone_rec_t *rec)
{
	zone_key_t key;

	zone_key_of(rec->bytes, rec->rel_labels, &key);
	const zone_node_t *node = owner_at(n, &key, rec->bytes, rec->rel_len);
	look_at_link(n, owner_before(n, &key));
	look_at_link(n, node);
}

static bool same_chain(const zone_version_t *v, const zone_version_t *base)
{
	dns_nsec3_params_t now, before;
	bool hashed = zone_chain_params(node_at(v->base, v->root.apex), &now);

	if (zone_chain_params(node_at(base->base, base->root.apex), &before) != hashed)
		return false;
	return hashed ? dns_nsec3_same(&now, &before)
	              : (v->root.names != 0) == (base->root.names != 0);
}

status_t zone_chain_gaps_near(const zone_version_t *v, const zone_version_t *base,
                              const zone_log_t *log, uint32_t *gaps, const zone_node_t **first)
{
	const zone_node_t *apex = node_at(v->base, v->root.apex);
	dns_nsec3_params_t params;
	bool hashed = zone_chain_params(apex, &params);
	const zone_list_t *l = hashed ? &log->denial : &log->names;
	near_t n = { .v = v, .params = hashed ? &params : NULL };

	if (!same_chain(v, base))
		return zone_chain_gaps(v, gaps, first);
	for (size_t i = 0; i < l->count; i = zone_list_run(l, i))
		look_around(&n, l->entry[i].rec);
	if (hashed && v->root.apex_nsec3 == 0) {
		n.gaps++;
		n.first = apex;
	}
	*gaps = n.gaps;
	*first = n.first;
	return ST_OK;
}

/* --- order ------------------------------------------------------------------------------------- */

static int name_cmp(const uint8_t *base, zone_ref_t a, zone_ref_t b)
{
	const zone_node_t *x = node_at(base, a), *y = node_at(base, b);

	return zone_rel_cmp(x->name, x->rel_labels, y->name, y->rel_labels);
}

static int by_name(const void *a, const void *b, void *arg)
{
	return name_cmp(arg, *(const zone_ref_t *)a, *(const zone_ref_t *)b);
}

static void sort_by_name(const uint8_t *base, zone_ref_t *refs, size_t count)
{
	qsort_r(refs, count, sizeof *refs, by_name, (void *)(uintptr_t)base);
}

/* By number. They are distinct, so each is a bit among as many as an arena has units, which is
 * little beside the arena. False: no memory. */
static bool sort_by_place(zone_ref_t *refs, size_t count)
{
	zone_ref_t last = 0;
	size_t at = 0;

	for (size_t i = 0; i < count; i++)
		last = refs[i] > last ? refs[i] : last;
	size_t words = last / 64 + (size_t)1;
	uint64_t *map = calloc(words, sizeof *map);
	if (!map)
		return false;
	for (size_t i = 0; i < count; i++)
		map[refs[i] / 64] |= UINT64_C(1) << refs[i] % 64;
	for (size_t i = 0; i < words; i++) {
		for (uint64_t w = map[i]; w != 0; w &= w - 1)
			refs[at++] = (zone_ref_t)(i * 64) + (unsigned)__builtin_ctzll(w);
	}
	free(map);
	return true;
}

/* A version is written in canonical order, so in the order of places all names of a fresh one are in
 * order, and most of one that deltas have changed: what isn't is put between. */
void zone_chain_sort(const uint8_t *base, zone_ref_t *refs, size_t count)
{
	zone_ref_t *late = malloc((count + 1) * sizeof *late);
	size_t kept = 0, lates = 0;

	if (!late || !sort_by_place(refs, count)) {
		sort_by_name(base, refs, count);
		free(late);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		zone_ref_t ref = refs[i];

		if (kept == 0 || name_cmp(base, refs[kept - 1], ref) < 0) {
			refs[kept++] = ref;
		} else { /* either may be the one that is out of order */
			late[lates++] = refs[--kept];
			late[lates++] = ref;
		}
	}
	sort_by_name(base, late, lates);
	while (lates > 0) {
		if (kept > 0 && name_cmp(base, refs[kept - 1], late[lates - 1]) > 0) {
			refs[kept + lates - 1] = refs[kept - 1];
			kept--;
		} else {
			refs[kept + lates - 1] = late[lates - 1];
			lates--;
		}
	}
	free(late);
}

status_t zone_chain_keep_order(zone_change_t *c, zone_root_t *root)
{
	bool wanted = zone_node_find(zone_change_at(c, root->apex), DNS_TYPE_NSEC);
	size_t owners = 0;
	status_t st;

	if (wanted == (root->names != 0))
		return ST_OK;
	if (!wanted) {
		st = zone_tree_retire(c, root->names);
		root->names = 0;
		return st;
	}
	zone_ref_t *refs = malloc((size_t)root->index.names * sizeof *refs);
	if (!refs)
		return ST_NOMEM;
	size_t n = zone_index_all(c->base, &root->index, refs);
	for (size_t i = 0; i < n; i++) {
		if (zone_node_find(zone_change_at(c, refs[i]), DNS_TYPE_NSEC))
			refs[owners++] = refs[i];
	}
	zone_chain_sort(c->base, refs, owners);
	st = zone_tree_build(c, refs, owners, &root->names);
	free(refs);
	return st;
}
