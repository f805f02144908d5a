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

enum {
	ONE_PIECE_MAX = 1 << 20,
	KEPT = 1 << 12, /* names and owners of NSEC3 up to which a writer keeps its memory */
};

/* An ancestor of the owner at hand, itself included. */
typedef struct level {
	zone_ref_t ref;
	uint64_t hash;
} level_t;

struct zone_writer {
	zone_change_t *c;
	const siphash_key_t *key;
	zone_log_t *log;
	zone_doubts_t *doubts;
	uint64_t records;  /* that will come */
	zone_encoder_t *e; /* NULL: the next apex brings one */
	dns_nsec3_params_t params;
	uint8_t salt[UINT8_MAX];
	zone_expiry_t expiry;
	zone_named_t *named; /* in canonical order */
	size_t names, name_room;
	zone_ref_t *denial;
	size_t denials, denial_room;
	level_t level[DNS_LABELS_MAX + 1];
	zone_owner_t last; /* the name before */
	zone_root_t root;
	unsigned soas;
};

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

/* A list whose room is used up, with twice as much; NULL: no memory, and it is as it was. */
static void *longer(void *list, size_t *room, size_t size)
{
	void *grown = huge_grow(list, *room * size, *room * 2 * size);

	if (grown)
		*room *= 2;
	return grown;
}

static status_t enlist(zone_writer_t *w, zone_ref_t ref, uint64_t hash)
{
	if (w->names == w->name_room) {
		zone_named_t *grown = longer(w->named, &w->name_room, sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		w->named = grown;
	}
	w->named[w->names++] = (zone_named_t){ zone_named_top(hash), ref };
	return ST_OK;
}

static status_t enlist_denial(zone_writer_t *w, zone_ref_t ref)
{
	if (w->denials == w->denial_room) {
		zone_ref_t *grown = longer(w->denial, &w->denial_room, sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		w->denial = grown;
	}
	w->denial[w->denials++] = ref;
	return ST_OK;
}

/* One name more right below the parent, whose node has room for the number. */
static void count_child(zone_writer_t *w, unsigned labels, const uint8_t *rel)
{
	zone_node_t *parent = node_at(w->c, w->level[labels - 1].ref);

	++*(uint32_t *)(void *)((uint8_t *)parent + zone_children_at(parent));
	if (rel[0] == 1 && rel[1] == '*')
		parent->flags |= ZONE_NODE_WILD_CHILD;
}

/* Count what the node that was just placed holds. */
static status_t account(zone_writer_t *w, const zone_image_t *image)
{
	w->root.records += image->records;
	return image->sigs > 0 ? zone_expiry_add(&w->expiry, image->node) : ST_OK;
}

/* The node of a name: of an empty non-terminal when there are no records. */
static status_t put_name(zone_writer_t *w, const zone_owner_t *o, const zone_rec_t **recs,
                         size_t count, bool parent)
{
	zone_image_t image;
	status_t st = zone_encode(w->e, o->rel, o->len, o->labels, recs, count,
	                          ZONE_NODE_HASHED | (parent ? ZONE_NODE_PARENT : 0u), 0, &image);
	zone_ref_t ref = st == ST_OK ? place(w->c, &image) : 0;
	uint64_t hash;

	if (ref == 0)
		return st == ST_OK ? ST_NOMEM : st;
	if (o->labels == 0) {
		hash = zone_write_hash(w->key, &w->log->apex, NULL, 0);
		w->root.apex = ref;
	} else {
		hash = zone_hash_child(w->key, w->level[o->labels - 1].hash, o->rel);
		count_child(w, o->labels, o->rel);
	}
	w->level[o->labels] = (level_t){ ref, hash };
	w->soas += image.soas;
	if (image.soas > 0)
		w->root.soa = image.soa;
	if (zone_doubtful(image.node->flags, image.inside) &&
	    zone_doubts_add(w->doubts, ref) != ST_OK)
		return ST_NOMEM;
	return account(w, &image) == ST_OK ? enlist(w, ref, hash) : ST_NOMEM;
}

/* The empty non-terminals between what is there and this owner. */
static status_t put_missing(zone_writer_t *w, const zone_owner_t *o)
{
	unsigned at[DNS_LABELS_MAX + 1], pos = 0, labels = o->labels;
	status_t st = ST_OK;

	for (unsigned i = 0; i < labels; i++, pos += o->rel[pos] + 1u)
		at[i] = pos;
	unsigned depth = 1 + zone_rel_shared(o->rel, labels, w->last.rel, w->last.labels);
	for (; depth < labels && st == ST_OK; depth++) {
		unsigned off = at[labels - depth];
		zone_owner_t missing = { o->rel + off, (uint8_t)(o->len - off), (uint8_t)depth };

		st = put_name(w, &missing, NULL, 0, true);
	}
	return st;
}

static bool is_below(const zone_owner_t *next, const zone_owner_t *o)
{
	return next && next->labels > o->labels &&
	       zone_rel_shared(next->rel, next->labels, o->rel, o->labels) == o->labels;
}

/* How names are hashed is known from the apex's records. */
static status_t begin(zone_writer_t *w, const zone_owner_t *apex, const zone_rec_t **recs,
                      size_t count)
{
	dns_nsec3_params_t *p = &w->params;
	bool hashed;

	if (apex->labels != 0)
		return ST_NOENT; /* nothing at the apex, so no SOA either */
	hashed = zone_chain_params_of(recs, count, p);
	if (hashed) { /* the record need not stay */
		memcpy(w->salt, p->salt, p->salt_len);
		p->salt = w->salt;
	}
	if (w->e)
		zone_encoder_again(w->e, w->log, hashed ? p : NULL, w->records);
	else
		w->e = zone_encoder_new(w->log, hashed ? p : NULL, w->records);
	return w->e ? ST_OK : ST_NOMEM;
}

status_t zone_writer_name(zone_writer_t *w, const zone_owner_t *owner, const zone_rec_t **recs,
                          size_t count, const zone_owner_t *next)
{
	status_t st = ST_OK;

	if (w->names == 0)
		st = begin(w, owner, recs, count);
	else if (owner->labels > 1)
		st = put_missing(w, owner);
	if (st == ST_OK)
		st = put_name(w, owner, recs, count, is_below(next, owner));
	w->last = *owner;
	return st;
}

status_t zone_writer_denial(zone_writer_t *w, const zone_owner_t *owner, const zone_rec_t **recs,
                            size_t count)
{
	zone_image_t image;
	status_t st =
		zone_encode(w->e, owner->rel, owner->len, owner->labels, recs, count, 0, 0, &image);
	zone_ref_t ref = st == ST_OK ? place(w->c, &image) : 0;

	if (ref == 0)
		return st == ST_OK ? ST_NOMEM : st;
	return account(w, &image) == ST_OK ? enlist_denial(w, ref) : ST_NOMEM;
}

/* The tree of owners of NSEC, if the apex is one: they are in order still. */
static status_t build_names_tree(zone_writer_t *w)
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
static status_t build_over(zone_writer_t *w)
{
	status_t st = build_names_tree(w);

	if (st == ST_OK)
		st = zone_tree_build(w->c, w->denial, w->denials, &w->root.denial);
	w->root.denials = (uint32_t)w->denials;
	if (st == ST_OK)
		st = zone_expiry_store(&w->expiry, w->c, &w->root.expiry);
	return st == ST_OK ? zone_index_build(w->c, w->named, w->names, &w->root.index) : st;
}

static void give_lists(zone_writer_t *w)
{
	huge_give(w->named, w->name_room * sizeof *w->named);
	huge_give(w->denial, w->denial_room * sizeof *w->denial);
	w->named = NULL;
	w->denial = NULL;
	w->name_room = w->denial_room = 0;
}

static void release(zone_writer_t *w)
{
	zone_encoder_free(w->e);
	w->e = NULL;
	zone_expiry_free(&w->expiry);
	give_lists(w);
}

/* Room for these lists, which is touched as it is used. */
static status_t make_lists(zone_writer_t *w, size_t names, size_t denials)
{
	w->name_room = names > 0 ? names : 1;
	w->denial_room = denials > 0 ? denials : 1;
	w->named = huge_take(w->name_room * sizeof *w->named);
	w->denial = huge_take(w->denial_room * sizeof *w->denial);
	return w->named && w->denial ? ST_OK : ST_NOMEM;
}

zone_writer_t *zone_writer_new(void)
{
	return calloc(1, sizeof(zone_writer_t));
}

/* Those that are there, if they are long enough. */
static status_t room_for(zone_writer_t *w, size_t names, size_t denials)
{
	if (w->named && w->denial && names <= w->name_room && denials <= w->denial_room)
		return ST_OK;
	give_lists(w);
	return make_lists(w, names, denials);
}

status_t zone_writer_begin(zone_writer_t *w, zone_change_t *c, const siphash_key_t *key,
                           zone_log_t *log, zone_doubts_t *doubts, uint64_t records, size_t names,
                           size_t denials)
{
	w->c = c;
	w->key = key;
	w->log = log;
	w->doubts = doubts;
	w->records = records;
	w->names = w->denials = 0;
	w->last = (zone_owner_t){ 0 };
	w->root = (zone_root_t){ 0 };
	w->soas = 0;
	zone_expiry_free(&w->expiry);
	return room_for(w, names, denials);
}

void zone_writer_rest(zone_writer_t *w)
{
	if (w->name_room > KEPT || w->denial_room > KEPT || (w->e && zone_encoder_is_big(w->e)))
		release(w);
}

void zone_writer_free(zone_writer_t *w)
{
	if (!w)
		return;
	release(w);
	free(w);
}

status_t zone_writer_end(zone_writer_t *w, zone_root_t *out)
{
	status_t st;

	if (w->soas != 1)
		return w->soas == 0 ? ST_NOENT : ST_EXIST;
	st = build_over(w);
	w->root.octets = w->log->stats.octets;
	*out = w->root;
	return st;
}

/* --- from a log --------------------------------------------------------------------------------- */

/* Records of one owner, as the encoder wants them. */
typedef struct group {
	const zone_rec_t **rec;
	size_t room;
} group_t;

static status_t gather(group_t *g, const zone_entry_t *entry, size_t count)
{
	if (count > g->room) {
		const zone_rec_t **grown = reallocarray(g->rec, count, sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		g->rec = grown;
		g->room = count;
	}
	for (size_t i = 0; i < count; i++)
		g->rec[i] = entry[i].rec;
	return ST_OK;
}

static zone_owner_t owner_of(const zone_entry_t *entry)
{
	const zone_rec_t *rec = entry->rec;

	return (zone_owner_t){ rec->bytes, rec->rel_len, rec->rel_labels };
}

static status_t put_list(zone_writer_t *w, zone_list_t *l, group_t *g, bool denial)
{
	status_t st = ST_OK;

	for (size_t i = 0, end, spent = 0; i < l->count && st == ST_OK; i = end) {
		zone_owner_t owner = owner_of(l->entry + i), next = { 0 };

		end = zone_list_run(l, i);
		if (end < l->count)
			next = owner_of(l->entry + end);
		st = gather(g, l->entry + i, end - i);
		if (st == ST_OK && denial)
			st = zone_writer_denial(w, &owner, g->rec, end - i);
		else if (st == ST_OK)
			st = zone_writer_name(w, &owner, g->rec, end - i,
			                      end < l->count ? &next : NULL);
		zone_log_spend(w->log, l, spent, i); /* all but the owner, which w knows still */
		spent = i;
	}
	return st;
}

status_t zone_write_log(zone_change_t *c, const siphash_key_t *key, zone_log_t *log,
                        zone_doubts_t *doubts, zone_root_t *out)
{
	zone_writer_t *w = zone_writer_new();
	group_t group = { 0 };
	status_t st = ST_NOMEM;

	if (w)
		st = zone_writer_begin(w, c, key, log, doubts, log->stats.added, log->names.count,
		                       log->denial.count);
	if (st == ST_OK)
		st = log->names.count > 0 ? put_list(w, &log->names, &group, false) : ST_NOENT;
	if (st == ST_OK)
		st = put_list(w, &log->denial, &group, true);
	if (st == ST_OK)
		st = zone_writer_end(w, out);
	zone_writer_free(w);
	free(group.rec);
	return st;
}

/* Address space costs nothing; what is beyond the estimate is for names that need many empty
 * non-terminals, and for the changes to come. */
uint64_t zone_write_estimate(uint64_t records, uint64_t octets)
{
	enum { FIRST = 4096, TIMES = 4, RECORD_EXTRA = 64 };
	const uint64_t most = UINT64_MAX / (2 * TIMES * RECORD_EXTRA);

	if (records > most || octets > most) /* none can be so large */
		return UINT64_MAX;
	return FIRST + (octets + records * RECORD_EXTRA) * TIMES;
}

uint64_t zone_write_hash(const siphash_key_t *key, const dns_name_t *apex, const uint8_t *rel,
                         size_t rel_len)
{
	uint8_t wire[DNS_NAME_MAX];
	zone_hashes_t hashes;
	dns_name_t name;

	copy_few(wire, rel, rel_len);
	copy_few(wire + rel_len, apex->wire, apex->len);
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

static status_t copy_denial(zone_writer_t *w, const uint8_t *base, const zone_root_t *root)
{
	size_t n = zone_tree_all(base, root->denial, w->denial); /* for which there is room */

	for (; w->denials < n; w->denials++) {
		w->denial[w->denials] = copy_node(w->c, base, w->denial[w->denials]);
		if (w->denial[w->denials] == 0)
			return ST_NOMEM;
	}
	return ST_OK;
}

/* The node with other hashes. */
static status_t rehash_node(zone_writer_t *w, const uint8_t *base, zone_ref_t ref, zone_ref_t *out)
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

static status_t copy_names(zone_writer_t *w, const dns_name_t *apex, const uint8_t *base,
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
	zone_writer_t w = { .c = c, .key = key, .root = *root, .e = e };
	status_t st = make_lists(&w, root->index.names, root->denials);

	if (st == ST_OK)
		st = refs ? copy_names(&w, apex, base, root, refs) : ST_NOMEM;
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

zone_version_t *zone_write_version(slab_t *slab, const siphash_key_t *key, const dns_name_t *apex,
                                   zone_arena_t *arena, const zone_root_t *root, bool compact)
{
	size_t head = zone_version_head(apex->len);
	size_t used = zone_arena_used(arena);
	bool one_piece = compact && used <= ONE_PIECE_MAX;
	size_t size = head + (one_piece ? used : 0);
	zone_version_t *v = slab_take(slab, size);
	zone_debts_t *debts = one_piece ? NULL : calloc(1, sizeof *debts);

	if (!v || (!one_piece && !debts)) {
		slab_give(slab, v, size);
		free(debts);
		return NULL;
	}
	*v = (zone_version_t){
		.key = *key,
		.root = *root,
		.debts = debts,
		.slab = slab,
		.apex_len = apex->len,
		.apex_labels = apex->labels,
		.bytes = one_piece ? (uint32_t)size : 0,
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
