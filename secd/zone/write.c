/* zone/write.c - owners in canonical order in, nodes, index and trees out.
 *
 * A stack of ancestors goes along: parents come before children, so empty non-terminals, hashes,
 * wildcard marks and numbers of children follow from the name before and the name behind. */
#include "zone/write.h"

#include <stdlib.h>

#include "common/huge.h"
#include "dns/wire.h"
#include "zone/chain.h"
#include "zone/expiry.h"
#include "zone/index.h"
#include "zone/tree.h"

enum { ONE_PIECE_MAX = 1 << 20 };

/* An ancestor of the owner at hand, itself included. */
typedef struct level {
	zone_ref_t ref;
	uint64_t hash;
} level_t;

typedef struct writer {
	zone_change_t *c;
	const siphash_key_t *key;
	zone_encoder_t *e;
	zone_log_t *log;
	bool spend; /* the log, as it is written */
	zone_doubts_t *doubts;
	zone_expiry_t expiry;
	zone_named_t *named; /* in canonical order */
	size_t names, name_room;
	zone_ref_t *denial;
	size_t denials;
	level_t level[DNS_LABELS_MAX + 1];
	const zone_rec_t *last; /* of the owner before */
	const zone_rec_t **group;
	size_t group_room;
	zone_root_t root;
	unsigned soas;
} writer_t;

static zone_node_t *node_at(const zone_change_t *c, zone_ref_t ref)
{
	return zone_change_at(c, ref);
}

/* The image as a block of the arena. */
static zone_ref_t place(zone_change_t *c, const zone_image_t *image)
{
	zone_ref_t ref = zone_change_take(c, image->len);

	if (ref != 0)
		memcpy(zone_change_at(c, ref), image->node, image->len);
	return ref;
}

static status_t enlist(writer_t *w, zone_ref_t ref, uint64_t hash)
{
	if (w->names == w->name_room) {
		size_t room = w->name_room * 2;
		zone_named_t *grown =
			huge_grow(w->named, w->name_room * sizeof *grown, room * sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		w->named = grown;
		w->name_room = room;
	}
	w->named[w->names++] = (zone_named_t){ hash, ref };
	return ST_OK;
}

/* One name more right below the parent, whose node has room for the number. */
static void count_child(writer_t *w, unsigned labels, const uint8_t *rel)
{
	zone_node_t *parent = node_at(w->c, w->level[labels - 1].ref);

	++*(uint32_t *)(void *)((uint8_t *)parent + zone_children_at(parent));
	if (rel[0] == 1 && rel[1] == '*')
		parent->flags |= ZONE_NODE_WILD_CHILD;
}

/* The node of a name: of an empty non-terminal when there are no records. */
static status_t put_name(writer_t *w, const uint8_t *rel, size_t rel_len, unsigned labels,
                         size_t records, bool parent)
{
	zone_image_t image;
	status_t st = zone_encode(w->e, rel, rel_len, labels, w->group, records,
	                          ZONE_NODE_HASHED | (parent ? ZONE_NODE_PARENT : 0u), 0, &image);
	zone_ref_t ref = st == ST_OK ? place(w->c, &image) : 0;
	uint64_t hash;

	if (ref == 0)
		return st == ST_OK ? ST_NOMEM : st;
	if (labels == 0) {
		hash = zone_write_hash(w->key, &w->log->apex, NULL, 0);
		w->root.apex = ref;
	} else {
		hash = zone_hash_child(w->key, w->level[labels - 1].hash, rel);
		count_child(w, labels, rel);
	}
	w->level[labels] = (level_t){ ref, hash };
	if (image.sigs > 0 && zone_expiry_add(&w->expiry, image.node) != ST_OK)
		return ST_NOMEM;
	w->root.records += image.records;
	w->soas += image.soas;
	if (image.soas > 0)
		w->root.soa = image.soa;
	if (zone_doubtful(image.node->flags, image.inside) &&
	    zone_doubts_add(w->doubts, ref) != ST_OK)
		return ST_NOMEM;
	return enlist(w, ref, hash);
}

/* The empty non-terminals between what is there and this owner. */
static status_t put_missing(writer_t *w, const zone_rec_t *rec)
{
	unsigned at[DNS_LABELS_MAX + 1], pos = 0, labels = rec->rel_labels, depth = 1;
	const uint8_t *rel = rec->bytes;
	status_t st = ST_OK;

	if (labels < 2)
		return ST_OK;
	for (unsigned i = 0; i < labels; i++, pos += rel[pos] + 1u)
		at[i] = pos;
	if (w->last)
		depth += zone_rel_shared(rel, labels, w->last->bytes, w->last->rel_labels);
	for (; depth < labels && st == ST_OK; depth++) {
		unsigned off = at[labels - depth];

		st = put_name(w, rel + off, rec->rel_len - off, depth, 0, true);
	}
	return st;
}

static bool is_below(const zone_rec_t *next, const zone_rec_t *rec)
{
	return next && next->rel_labels > rec->rel_labels &&
	       zone_rel_shared(next->bytes, next->rel_labels, rec->bytes, rec->rel_labels) ==
	               rec->rel_labels;
}

static status_t put_denial(writer_t *w, const zone_rec_t *rec, size_t records)
{
	zone_image_t image;
	status_t st = zone_encode(w->e, rec->bytes, rec->rel_len, rec->rel_labels, w->group,
	                          records, 0, 0, &image);
	zone_ref_t ref = st == ST_OK ? place(w->c, &image) : 0;

	if (ref == 0)
		return st == ST_OK ? ST_NOMEM : st;
	if (image.sigs > 0 && zone_expiry_add(&w->expiry, image.node) != ST_OK)
		return ST_NOMEM;
	w->denial[w->denials++] = ref;
	w->root.records += image.records;
	return ST_OK;
}

static status_t gather(writer_t *w, const zone_entry_t *entry, size_t count)
{
	if (count > w->group_room) {
		const zone_rec_t **grown = reallocarray(w->group, count, sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		w->group = grown;
		w->group_room = count;
	}
	for (size_t i = 0; i < count; i++)
		w->group[i] = entry[i].rec;
	return ST_OK;
}

/* The node of entries first..end, which are one owner's, and of the names it needs above it. */
static status_t put_owner(writer_t *w, const zone_list_t *l, size_t first, size_t end)
{
	const zone_rec_t *rec = l->entry[first].rec;
	const zone_rec_t *next = end < l->count ? l->entry[end].rec : NULL;
	status_t st = put_missing(w, rec);

	if (st == ST_OK)
		st = put_name(w, rec->bytes, rec->rel_len, rec->rel_labels, end - first,
		              is_below(next, rec));
	w->last = rec;
	return st;
}

static status_t put_list(writer_t *w, zone_list_t *l, bool denial)
{
	status_t st = ST_OK;

	for (size_t i = 0, end, spent = 0; i < l->count && st == ST_OK; i = end) {
		end = zone_list_run(l, i);
		st = gather(w, l->entry + i, end - i);
		if (st == ST_OK && denial)
			st = put_denial(w, l->entry[i].rec, end - i);
		else if (st == ST_OK)
			st = put_owner(w, l, i, end);
		if (w->spend) { /* all but what w->last is one of */
			zone_log_spend(w->log, l, spent, i);
			spent = i;
		}
	}
	w->last = NULL;
	return st;
}

/* The tree of owners of NSEC, if the apex is one: they are in order still. */
static status_t build_names_tree(writer_t *w)
{
	zone_ref_t *refs;
	size_t owners = 0;
	status_t st;

	if (!zone_node_find(node_at(w->c, w->root.apex), DNS_TYPE_NSEC))
		return ST_OK;
	refs = malloc(w->names * sizeof *refs);
	if (!refs)
		return ST_NOMEM;
	for (size_t i = 0; i < w->names; i++) {
		if (zone_node_find(node_at(w->c, w->named[i].ref), DNS_TYPE_NSEC))
			refs[owners++] = w->named[i].ref;
	}
	st = zone_tree_build(w->c, refs, owners, &w->root.names);
	free(refs);
	return st;
}

/* Over the nodes that are written: the trees, when signatures run out, the index. */
static status_t build_over(writer_t *w)
{
	status_t st = build_names_tree(w);

	if (st == ST_OK)
		st = zone_tree_build(w->c, w->denial, w->denials, &w->root.denial);
	w->root.denials = (uint32_t)w->denials;
	if (st == ST_OK)
		st = zone_expiry_store(&w->expiry, w->c, &w->root.expiry);
	return st == ST_OK ? zone_index_build(w->c, w->named, w->names, &w->root.index) : st;
}

static void release(writer_t *w)
{
	zone_encoder_free(w->e);
	zone_expiry_free(&w->expiry);
	huge_give(w->named, w->name_room * sizeof *w->named);
	free(w->denial);
	free(w->group);
}

status_t zone_write_log(zone_change_t *c, const siphash_key_t *key, zone_log_t *log, bool spend,
                        zone_doubts_t *doubts, zone_root_t *out)
{
	size_t denials = log->denial.count;
	writer_t w = { .c = c, .key = key, .log = log, .spend = spend, .doubts = doubts };
	dns_nsec3_params_t params;
	status_t st = ST_NOMEM;

	if (log->names.count == 0 || log->names.entry[0].rec->rel_labels != 0)
		return ST_NOENT; /* nothing at the apex, so no SOA either */
	w.e = zone_encoder_new(log, zone_chain_params_logged(log, &params) ? &params : NULL,
	                       log->stats.added);
	w.denial = malloc((denials ? denials : 1) * sizeof *w.denial);
	w.named = huge_take(log->names.count * sizeof *w.named); /* room is touched as it is used */
	w.name_room = w.named ? log->names.count : 0;
	if (w.e && w.denial && w.named)
		st = put_list(&w, &log->names, false);
	if (st == ST_OK)
		st = put_list(&w, &log->denial, true);
	if (st == ST_OK && w.soas != 1)
		st = w.soas == 0 ? ST_NOENT : ST_EXIST;
	if (st == ST_OK)
		st = build_over(&w);
	release(&w);
	w.root.octets = log->stats.octets;
	*out = w.root;
	return st;
}

uint64_t zone_write_hash(const siphash_key_t *key, const dns_name_t *apex, const uint8_t *rel,
                         size_t rel_len)
{
	uint8_t wire[DNS_NAME_MAX];
	zone_hashes_t hashes;
	dns_name_t name;

	if (rel_len > 0)
		memcpy(wire, rel, rel_len);
	memcpy(wire + rel_len, apex->wire, apex->len);
	dns_name_from_wire(wire, &name);
	zone_hash_name(key, &name, &hashes);
	return hashes.h[0];
}

/* --- copies ------------------------------------------------------------------------------------- */

static zone_ref_t copy_node(zone_change_t *c, const uint8_t *base, zone_ref_t ref)
{
	const zone_node_t *node = (const void *)(base + (size_t)ref * ZONE_UNIT);
	const zone_image_t image = { .node = node, .len = zone_node_size(node) };

	return place(c, &image);
}

static status_t copy_denial(writer_t *w, const uint8_t *base, const zone_root_t *root)
{
	size_t n = zone_tree_all(base, root->denial, w->denial);

	for (; w->denials < n; w->denials++) {
		w->denial[w->denials] = copy_node(w->c, base, w->denial[w->denials]);
		if (w->denial[w->denials] == 0)
			return ST_NOMEM;
	}
	return ST_OK;
}

/* The node with other hashes. */
static status_t rehash_node(writer_t *w, const uint8_t *base, zone_ref_t ref, zone_ref_t *out)
{
	const zone_node_t *node = (const void *)(base + (size_t)ref * ZONE_UNIT);
	unsigned flags = node->flags & (ZONE_NODE_PARENT | ZONE_NODE_WILD_CHILD);
	zone_image_t image;
	status_t st = zone_encode_like(w->e, node, flags | ZONE_NODE_HASHED,
	                               zone_node_children(node), &image);

	if (st != ST_OK)
		return st;
	*out = place(w->c, &image);
	return *out != 0 ? ST_OK : ST_NOMEM;
}

/* All names: owners of NSEC first and in order, if that is kept. */
static size_t list_names(const uint8_t *base, const zone_root_t *root, zone_ref_t *refs)
{
	size_t all = zone_index_all(base, &root->index, refs), others = 0;

	if (root->names == 0)
		return all;
	for (size_t i = 0; i < all; i++) {
		const zone_node_t *node = (const void *)(base + (size_t)refs[i] * ZONE_UNIT);

		if (!zone_node_find(node, DNS_TYPE_NSEC))
			refs[others++] = refs[i];
	}
	size_t owners = all - others;
	memmove(refs + owners, refs, others * sizeof *refs);
	return zone_tree_all(base, root->names, refs) + others;
}

static status_t copy_names(writer_t *w, const dns_name_t *apex, const uint8_t *base,
                           const zone_root_t *root, zone_ref_t *refs)
{
	size_t n = list_names(base, root, refs);
	status_t st = ST_OK;

	for (size_t i = 0; i < n && st == ST_OK; i++) {
		zone_ref_t ref = 0;

		if (w->e)
			st = rehash_node(w, base, refs[i], &ref);
		else if ((ref = copy_node(w->c, base, refs[i])) == 0)
			st = ST_NOMEM;
		if (st != ST_OK)
			return st;
		const zone_node_t *node = node_at(w->c, ref);
		if (node->rel_len == 0)
			w->root.apex = ref;
		st = enlist(w, ref, zone_write_hash(w->key, apex, node->name, node->rel_len));
	}
	return st;
}

status_t zone_write_copy(zone_change_t *c, const siphash_key_t *key, const dns_name_t *apex,
                         const uint8_t *base, const zone_root_t *root, zone_encoder_t *e,
                         zone_root_t *out)
{
	zone_ref_t *refs = malloc((size_t)root->index.names * sizeof *refs);
	writer_t w = { .c = c, .key = key, .root = *root, .e = e };
	status_t st = ST_NOMEM;

	w.denial = malloc((root->denials ? root->denials : 1) * sizeof *w.denial);
	w.name_room = root->index.names;
	w.named = huge_take(w.name_room * sizeof *w.named);
	if (refs && w.denial && w.named)
		st = copy_names(&w, apex, base, root, refs);
	if (st == ST_OK)
		st = copy_denial(&w, base, root);
	w.root.names = w.root.expiry = 0;
	if (st == ST_OK)
		st = zone_expiry_load(&w.expiry, base, root->expiry);
	w.expiry.changed = root->expiry != 0; /* it is to be written there */
	if (st == ST_OK)
		st = build_over(&w);
	w.e = NULL; /* it is the caller's */
	release(&w);
	free(refs);
	*out = w.root;
	return st;
}

/* --- versions ----------------------------------------------------------------------------------- */

zone_version_t *zone_write_version(const siphash_key_t *key, const dns_name_t *apex,
                                   zone_arena_t *arena, const zone_root_t *root, bool compact)
{
	size_t head = zone_align(sizeof(zone_version_t) + apex->len, ZONE_UNIT);
	size_t used = zone_arena_used(arena);
	bool one_piece = compact && used <= ONE_PIECE_MAX;
	zone_version_t *v = malloc(head + (one_piece ? used : 0));

	if (!v)
		return NULL;
	*v = (zone_version_t){
		.key = *key,
		.root = *root,
		.apex_len = apex->len,
		.apex_labels = apex->labels,
		.bytes = one_piece ? (uint32_t)(head + used) : 0,
	};
	memcpy(v->apex, apex->wire, apex->len);
	if (one_piece) {
		v->base = (uint8_t *)v + head;
		/* Behind the first unit, which is nobody's. */
		memcpy((uint8_t *)v + head + ZONE_UNIT, zone_arena_base(arena) + ZONE_UNIT,
		       used - ZONE_UNIT);
	} else {
		v->base = zone_arena_base(arena);
		v->arena = arena;
		zone_arena_hold(arena);
	}
	zone_chain_settle(v->base, apex, &v->root);
	return v;
}
