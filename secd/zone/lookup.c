/* zone/lookup.c - what a name is to a zone: exact match by hash, closest encloser from above.
 *
 * The walk goes down from the apex, one probe a label, and stops at the first name that is not
 * there: every ancestor of an existing name exists (the build makes empty non-terminals), so
 * nothing below can. A name that doesn't exist thus costs a probe or two, and the topmost cut
 * or DNAME is met before anything that it hides. */
#include "zone/index.h"
#include "zone/layout.h"

/* The node that has this relative name, by its hash. */
static const zone_node_t *probe(const zone_version_t *v, uint64_t hash, const uint8_t *rel,
                                size_t rel_len)
{
	return zone_index_find(v->base, &v->root.index, hash, rel, rel_len);
}

void zone_version_prefetch(const zone_version_t *v, uint64_t hash, unsigned step, const void **at)
{
	zone_index_prefetch(v->base, &v->root.index, hash, step, at);
}

bool zone_version_ahead_leads_on(const void *at)
{
	const zone_node_t *node = at;

	return node && !(node->flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME));
}

void zone_version_prefetch_self(const zone_version_t *v)
{
	const uint8_t *p = (const uint8_t *)v;

	/* The head, and the first blocks of a small zone, the apex's. */
	__builtin_prefetch(p);
	__builtin_prefetch(p + 64);
	__builtin_prefetch(p + 128);
	__builtin_prefetch(p + 192);
}

const zone_node_t *zone_version_exact(const zone_version_t *v, const dns_name_t *name,
                                      uint64_t hash)
{
	if (name->labels < v->apex_labels)
		return NULL;
	size_t rel_len = name->off[name->labels - v->apex_labels];

	if (name->len - rel_len != v->apex_len ||
	    memcmp(name->wire + rel_len, v->apex, v->apex_len) != 0)
		return NULL;
	return probe(v, hash, name->wire, rel_len);
}

const zone_node_t *zone_version_inside(const zone_version_t *v, const uint8_t *rel, size_t rel_len,
                                       uint64_t hash)
{
	return probe(v, hash, rel, rel_len);
}

/* The *.encloser that a missing name is synthesised from, if there is one (RFC 4592 3.3.1). */
static const zone_node_t *source_of_synthesis(const zone_version_t *v, const zone_node_t *encloser,
                                              uint64_t encloser_hash)
{
	static const uint8_t asterisk[2] = { 1, '*' };
	uint8_t rel[DNS_NAME_MAX + 2];

	if (!(encloser->flags & ZONE_NODE_WILD_CHILD))
		return NULL;
	memcpy(rel, asterisk, sizeof asterisk);
	memcpy(rel + 2, encloser->name, encloser->rel_len);
	return probe(v, zone_hash_child(&v->key, encloser_hash, asterisk), rel,
	             encloser->rel_len + 2u);
}

static void settle(zone_lookup_t *out, zone_found_t found, const zone_node_t *node, unsigned label)
{
	out->found = found;
	out->node = node;
	out->encloser_label = (uint8_t)label;
}

void zone_version_lookup(const zone_version_t *v, const dns_name_t *qname,
                         const zone_hashes_t *hashes, bool at_parent, zone_lookup_t *out)
{
	unsigned label = (unsigned)(qname->labels - v->apex_labels);
	size_t apex_at = qname->off[label];
	const zone_node_t *node = zone_node_at(v, v->root.apex);

	for (;;) {
		if ((node->flags & ZONE_NODE_CUT) && !(at_parent && label == 0))
			return settle(out, ZONE_CUT, node, label);
		if (label == 0)
			return settle(out, ZONE_FOUND, node, 0);
		if (node->flags & ZONE_NODE_DNAME)
			return settle(out, ZONE_DNAME, node, label);

		unsigned at = qname->off[label - 1];
		const zone_node_t *child =
			probe(v, hashes->h[label - 1], qname->wire + at, apex_at - at);
		if (!child)
			break;
		node = child;
		label--;
	}
	const zone_node_t *wild = source_of_synthesis(v, node, hashes->h[label]);
	settle(out, wild ? ZONE_WILDCARD : ZONE_NONE, wild ? wild : node, label);
}
