/* zone/order.c - names in canonical order: the predecessor, and walks. */
#include <stdlib.h>

#include "dns/wire.h"
#include "zone/chain.h"
#include "zone/index.h"
#include "zone/layout.h"
#include "zone/tree.h"

zone_denial_t zone_version_denial(const zone_version_t *v)
{
	if (v->root.apex_nsec3 != 0)
		return ZONE_DENIAL_NSEC3;
	return v->root.names != 0 ? ZONE_DENIAL_NSEC : ZONE_DENIAL_NONE;
}

const zone_node_t *zone_version_nsec(const zone_version_t *v, const dns_name_t *name)
{
	zone_key_t key;

	zone_key_of(name->wire, (unsigned)(name->labels - v->apex_labels), &key);
	return zone_node_at(v, zone_tree_floor(v->base, v->root.names, &key));
}

/* Of a zone whose denials are NSEC3. */
static dns_nsec3_params_t params_of(const zone_version_t *v)
{
	const uint8_t *apex = v->base + (size_t)v->root.apex * ZONE_UNIT;
	dns_nsec3_params_t params;

	(void)dns_nsec3_read(apex + v->root.param_at, SIZE_MAX, &params); /* it was read before */
	return params;
}

const zone_node_t *zone_version_nsec3(const zone_version_t *v,
                                      const uint8_t hash[DNS_NSEC3_HASH_LEN], bool *matches)
{
	dns_nsec3_params_t params = params_of(v);

	return zone_chain_find(v->base, &v->root, &params, hash, matches);
}

void zone_seek_begin(const zone_version_t *v, zone_seek_t *seek)
{
	seek->at = v->root.denial;
	seek->ended = false;
	dns_nsec3_label(seek->hash, seek->label);
	zone_tree_prefetch(v->base, seek->at);
}

void zone_seek_step(const zone_version_t *v, zone_seek_t *seek)
{
	zone_key_t key;

	zone_chain_key(seek->label, &key);
	seek->ended = zone_tree_step(v->base, &seek->at, &key);
	if (!seek->ended)
		zone_tree_prefetch(v->base, seek->at);
}

void zone_seek_prefetch(const zone_version_t *v, const zone_seek_t *seek)
{
	const uint8_t *node = v->base + (size_t)seek->at * ZONE_UNIT;

	if (seek->at == 0)
		return;
	for (unsigned i = 0; i < 256; i += 64)
		__builtin_prefetch(node + i);
}

const zone_node_t *zone_seek_end(const zone_version_t *v, const zone_seek_t *seek, bool *matches)
{
	dns_nsec3_params_t params = params_of(v);

	return zone_chain_found(v->base, &v->root, &params, seek->label, seek->at, matches);
}

static const zone_node_t *node_or_null(const zone_version_t *v, zone_ref_t ref)
{
	return ref != 0 ? zone_node_at(v, ref) : NULL;
}

const zone_node_t *zone_version_nsec3_apex(const zone_version_t *v)
{
	return node_or_null(v, v->root.apex_nsec3);
}

const zone_node_t *zone_version_nsec3_wild(const zone_version_t *v)
{
	return node_or_null(v, v->root.wild_nsec3);
}

void zone_version_hash(const zone_version_t *v, const uint8_t *name, size_t len,
                       uint8_t out[DNS_NSEC3_HASH_LEN])
{
	dns_nsec3_params_t params = params_of(v);

	dns_nsec3_hash(&params, name, len, out);
}

const uint8_t *zone_node_hash(const zone_node_t *node)
{
	return (const uint8_t *)node + zone_hashes_at(node);
}

const uint8_t *zone_node_hash_wild(const zone_node_t *node)
{
	if (!(node->flags & ZONE_NODE_PARENT))
		return NULL;
	return zone_node_hash(node) + DNS_NSEC3_HASH_LEN;
}

struct zone_walk {
	const zone_version_t *v;
	size_t count, next;
	zone_ref_t ref[];
};

static zone_walk_t *walk_over(const zone_version_t *v, size_t room)
{
	zone_walk_t *w = malloc(sizeof *w + room * sizeof w->ref[0]);

	if (w)
		*w = (zone_walk_t){ .v = v };
	return w;
}

zone_walk_t *zone_walk_any(const zone_version_t *v)
{
	zone_walk_t *w = walk_over(v, v->root.index.names);

	if (w)
		w->count = zone_index_all(v->base, &v->root.index, w->ref);
	return w;
}

zone_walk_t *zone_walk_new(const zone_version_t *v, bool denial)
{
	zone_walk_t *w;

	if (denial) {
		w = walk_over(v, v->root.denials);
		if (w)
			w->count = zone_tree_all(v->base, v->root.denial, w->ref);
		return w;
	}
	w = zone_walk_any(v);
	if (w)
		zone_chain_sort(v->base, w->ref, w->count);
	return w;
}

const zone_node_t *zone_walk_next(zone_walk_t *w)
{
	enum { AHEAD = 8 };

	if (w->next + AHEAD < w->count)
		__builtin_prefetch(zone_node_at(w->v, w->ref[w->next + AHEAD]));
	return w->next < w->count ? zone_node_at(w->v, w->ref[w->next++]) : NULL;
}

void zone_walk_free(zone_walk_t *w)
{
	free(w);
}
