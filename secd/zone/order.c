/* zone/order.c - names in canonical order: the predecessor, and walks. */
#include <stdlib.h>

#include "zone/index.h"
#include "zone/layout.h"
#include "zone/tree.h"

bool zone_version_ordered(const zone_version_t *v)
{
	return v->root.names != 0;
}

static void key_of_name(const zone_version_t *v, const dns_name_t *name, zone_key_t *out)
{
	zone_key_of(name->wire, (unsigned)(name->labels - v->apex_labels), out);
}

const zone_node_t *zone_version_predecessor(const zone_version_t *v, const dns_name_t *name)
{
	zone_key_t key;

	key_of_name(v, name, &key);
	return zone_node_at(v, zone_tree_floor(v->base, v->root.names, &key));
}

const zone_node_t *zone_version_nsec3(const zone_version_t *v, const dns_name_t *hash)
{
	zone_key_t key;

	if (v->root.denial == 0)
		return NULL;
	key_of_name(v, hash, &key);
	zone_ref_t ref = zone_tree_floor(v->base, v->root.denial, &key);
	return zone_node_at(v, ref != 0 ? ref : zone_tree_last(v->base, v->root.denial));
}

struct zone_walk {
	const zone_version_t *v;
	size_t count, next;
	zone_ref_t ref[];
};

static int by_name(const void *a, const void *b, void *arg)
{
	const zone_node_t *x = zone_node_at(arg, *(const zone_ref_t *)a);
	const zone_node_t *y = zone_node_at(arg, *(const zone_ref_t *)b);

	return zone_rel_cmp(x->name, x->rel_labels, y->name, y->rel_labels);
}

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

	if (!denial && v->root.names == 0) {
		w = zone_walk_any(v);
		if (w)
			qsort_r(w->ref, w->count, sizeof w->ref[0], by_name, (void *)(uintptr_t)v);
		return w;
	}
	zone_ref_t tree = denial ? v->root.denial : v->root.names;
	w = walk_over(v, denial ? v->root.denials : v->root.index.names);
	if (w)
		w->count = zone_tree_all(v->base, tree, w->ref);
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
