/* zone/delta.c - changes in reverse canonical order, so that each node is written once.
 *
 * Going backwards, every name below a name comes before it. What happens below (a child more or
 * less, a wildcard come or gone) is gathered at each ancestor of the name at hand, and worked off
 * when the last name below it has passed: with the ancestor's own changes, if it has any. */
#include "zone/delta.h"

#include <stdlib.h>

#include "dns/wire.h"
#include "zone/chain.h"
#include "zone/doubts.h"
#include "zone/expiry.h"
#include "zone/index.h"
#include "zone/log.h"
#include "zone/tree.h"
#include "zone/write.h"

struct zone_delta {
	const zone_version_t *base;
	dns_name_t apex;
	zone_log_t log;
	const zone_rec_t *culprit;
	bool hashed; /* base has a chain of NSEC3, with these parameters */
	dns_nsec3_params_t params;
};

/* What has happened right below a name. */
typedef struct below {
	int64_t children;
	int wild; /* +1: *.name has come; -1: it has gone */
} below_t;

/* A delta on its way into an arena. */
typedef struct work {
	zone_delta_t *d;
	zone_change_t c;
	zone_root_t root;
	zone_encoder_t *e;
	zone_expiry_t expiry;
	below_t below[DNS_LABELS_MAX + 1]; /* at each depth of the path */
	const zone_rec_t *path; /* the name at hand, whose ancestors wait; NULL at first */
} work_t;

zone_delta_t *zone_delta_new(const zone_version_t *base, const zone_limits_t *limits)
{
	zone_delta_t *d = malloc(sizeof *d);

	if (!d)
		return NULL;
	d->base = base;
	d->culprit = NULL;
	d->hashed = zone_chain_params(zone_version_apex(base), &d->params);
	dns_name_from_wire(base->apex, &d->apex);
	zone_log_init(&d->log, &d->apex, limits);
	return d;
}

void zone_delta_free(zone_delta_t *d)
{
	if (!d)
		return;
	zone_log_free(&d->log);
	free(d);
}

status_t zone_delta_check(const zone_delta_t *d, const zone_version_t *v, zone_faults_t *out)
{
	return zone_check_changed(v, d->base, &d->log, out);
}

const zone_excess_t *zone_delta_excess(const zone_delta_t *d)
{
	return &d->log.excess;
}

status_t zone_delta_remove(zone_delta_t *d, const dns_rr_t *rr)
{
	return zone_log_add(&d->log, rr, true);
}

status_t zone_delta_add(zone_delta_t *d, const dns_rr_t *rr)
{
	return zone_log_add(&d->log, rr, false);
}

const zone_build_stats_t *zone_delta_stats(const zone_delta_t *d)
{
	return &d->log.stats;
}

size_t zone_delta_memory(const zone_delta_t *d)
{
	return d->log.memory;
}

const zone_log_t *zone_delta_log(const zone_delta_t *d)
{
	return &d->log;
}

void zone_delta_culprit(const zone_delta_t *d, zone_culprit_t *out)
{
	const zone_rec_t *r = d->culprit;
	uint8_t wire[DNS_NAME_MAX];

	memcpy(wire, r->bytes, r->rel_len);
	memcpy(wire + r->rel_len, d->apex.wire, d->apex.len);
	dns_name_from_wire(wire, &out->owner);
	out->type = r->is_sig ? DNS_TYPE_RRSIG : r->type;
	out->covered = r->is_sig ? r->type : 0;
	out->remove = r->remove;
}

/* --- records of one owner ----------------------------------------------------------------------- */

/* By record; changes of one record in the order in which they came. */
static int op_order(const void *a, const void *b, void *encoder)
{
	const zone_rec_t *x = ((const zone_entry_t *)a)->rec, *y = ((const zone_entry_t *)b)->rec;
	int cmp = zone_rec_cmp(encoder, x, y);

	return cmp != 0 ? cmp : (x->number > y->number) - (x->number < y->number);
}

/* Changes of the record that run begins with; *rec is it, as far as it is there. Returns how many
 * they are. */
static size_t apply_record(work_t *w, const zone_entry_t *run, size_t n, const zone_rec_t **rec)
{
	const zone_rec_t **culprit = &w->d->culprit;
	size_t i = 0;

	do {
		const zone_rec_t *op = run[i].rec;

		/* The first one that came is to blame, of whichever record. */
		if ((*rec != NULL) != op->remove && (!*culprit || op->number < (*culprit)->number))
			*culprit = op;
		*rec = op->remove ? NULL : op;
	} while (++i < n && zone_rec_cmp(w->e, run[i].rec, run[0].rec) == 0);
	return i;
}

/* Removals and additions of one owner, whose order is changed, merged into its records: recs, which
 * are in order, with room for n more. However many come at one owner, that costs no more than to
 * sort them. */
static status_t apply_run(work_t *w, const zone_rec_t **recs, size_t *count, zone_entry_t *run,
                          size_t n)
{
	const zone_rec_t **from = recs + n, **end = from + *count, **to = recs;

	qsort_r(run, n, sizeof *run, op_order, w->e);
	memmove(from, recs, *count * sizeof *recs);
	for (size_t i = 0; i < n;) {
		const zone_rec_t *rec = NULL;
		int cmp = -1;

		while (from < end && (cmp = zone_rec_cmp(w->e, *from, run[i].rec)) < 0)
			*to++ = *from++;
		if (cmp == 0)
			rec = *from++;
		i += apply_record(w, run + i, n - i, &rec);
		if (rec)
			*to++ = rec;
	}
	memmove(to, from, (size_t)(end - from) * sizeof *recs);
	*count = (size_t)(to - recs) + (size_t)(end - from);
	return w->d->culprit ? ST_STALE : ST_OK;
}

/* --- nodes -------------------------------------------------------------------------------------- */

static const zone_node_t *node_at(const work_t *w, zone_ref_t ref)
{
	return zone_change_at(&w->c, ref);
}

static zone_ref_t ref_of(const work_t *w, const zone_node_t *node)
{
	return node ? (zone_ref_t)(((const uint8_t *)node - w->c.base) / ZONE_UNIT) : 0;
}

/* The image as a new block; 0: no memory. */
static zone_ref_t place(work_t *w, const zone_image_t *image)
{
	zone_ref_t ref = zone_change_take(&w->c, image->len);

	if (ref != 0)
		memcpy(zone_change_at(&w->c, ref), image->node, image->len);
	return ref;
}

static bool owns_nsec(const work_t *w, zone_ref_t ref)
{
	return ref != 0 && zone_node_find(node_at(w, ref), DNS_TYPE_NSEC);
}

/* now in place of was, in the index and, while it is kept, in the tree of owners of NSEC. */
static status_t exchange(work_t *w, const uint8_t *rel, size_t rel_len, unsigned labels,
                         zone_ref_t was, zone_ref_t now)
{
	uint64_t hash = zone_write_hash(&w->d->base->key, &w->d->apex, rel, rel_len);
	status_t st = zone_index_set(&w->c, &w->root.index, hash, was, now);
	bool owned = owns_nsec(w, was), owns = owns_nsec(w, now);
	zone_key_t key;

	if (st == ST_OK && w->root.names != 0 && (owned || owns)) {
		zone_key_of(rel, labels, &key);
		st = zone_tree_set(&w->c, &w->root.names, &key, owns ? now : 0);
	}
	if (st == ST_OK && was != 0)
		st = zone_change_replace(&w->c, was, zone_node_size(node_at(w, was)), false);
	if (labels == 0)
		w->root.apex = now;
	return st;
}

/* The node's image with the changes of the run. */
static status_t encode_changed(work_t *w, const zone_node_t *node, zone_entry_t *run, size_t n,
                               unsigned flags, uint32_t children, zone_image_t *image)
{
	const zone_rec_t *owner = run[0].rec;
	const zone_rec_t **recs;
	size_t count;
	status_t st = zone_decode(w->d->base, node, &w->d->log, n, &recs, &count);

	if (st == ST_OK)
		st = apply_run(w, recs, &count, run, n);
	if (st == ST_OK)
		st = zone_encode(w->e, owner->bytes, owner->rel_len, owner->rel_labels, recs, count,
		                 flags, children, image);
	free(recs);
	return st;
}

/* An image in place of a node, or of none: what the root says of all. */
static status_t account(work_t *w, const zone_node_t *was, const zone_image_t *now)
{
	w->root.records += (uint64_t)now->records - (was ? zone_node_records(was) : 0);
	if (now->soas > 0)
		w->root.soa = now->soa;
	if (was)
		zone_expiry_remove(&w->expiry, was);
	return now->sigs > 0 ? zone_expiry_add(&w->expiry, now->node) : ST_OK;
}

/* Tell the parent that a name has come or gone. */
static void tell_parent(work_t *w, const uint8_t *rel, unsigned labels, int change)
{
	below_t *b = &w->below[labels - 1];

	b->children += change;
	if (rel[0] == 1 && rel[1] == '*')
		b->wild += change;
}

/* Work off a name: what has happened below it, and the run of its own changes, if any.
 * Going through this exactly once, it needs no second copy of its node. */
static status_t settle(work_t *w, const uint8_t *rel, size_t rel_len, unsigned labels,
                       zone_entry_t *run, size_t n)
{
	uint64_t hash = zone_write_hash(&w->d->base->key, &w->d->apex, rel, rel_len);
	const zone_node_t *node = zone_index_find(w->c.base, &w->root.index, hash, rel, rel_len);
	below_t below = w->below[labels];
	int64_t children = (node ? zone_node_children(node) : 0) + below.children;
	unsigned flags = node ? node->flags & ZONE_NODE_WILD_CHILD : 0;
	zone_ref_t was = ref_of(w, node), now = 0;
	zone_image_t image = { 0 };
	status_t st;

	w->below[labels] = (below_t){ 0 };
	if (n == 0 && below.children == 0 && below.wild == 0)
		return ST_OK;
	if (below.wild != 0)
		flags = below.wild > 0 ? ZONE_NODE_WILD_CHILD : 0;
	if (children > 0)
		flags |= ZONE_NODE_PARENT;
	flags |= ZONE_NODE_HASHED;
	if (n > 0)
		st = encode_changed(w, node, run, n, flags, (uint32_t)children, &image);
	else if (node)
		st = zone_encode_like(w->e, node, flags, (uint32_t)children, &image);
	else
		st = zone_encode(w->e, rel, rel_len, labels, NULL, 0, flags, (uint32_t)children,
		                 &image);
	if (st != ST_OK)
		return st;
	if (labels == 0 && n > 0 && image.soas != 1)
		return image.soas == 0 ? ST_NOENT : ST_EXIST;
	if (n > 0 && account(w, node, &image) != ST_OK)
		return ST_NOMEM;
	if (image.node->rrsets > 0 || children > 0 || labels == 0) {
		now = place(w, &image);
		if (now == 0)
			return ST_NOMEM;
	}
	if (was == 0 && now == 0)
		return ST_OK; /* came and went within the delta */
	if (labels > 0 && (was != 0) != (now != 0))
		tell_parent(w, rel, labels, now != 0 ? 1 : -1);
	return exchange(w, rel, rel_len, labels, was, now);
}

/* Ancestors of the path that lie deeper than depth have all passed: work them off. */
static status_t settle_above(work_t *w, unsigned depth)
{
	const zone_rec_t *path = w->path;
	unsigned at[DNS_LABELS_MAX + 1], pos = 0;
	status_t st = ST_OK;

	for (unsigned i = 0; i <= path->rel_labels; i++) {
		at[i] = pos;
		pos += i < path->rel_labels ? path->bytes[pos] + 1u : 0;
	}
	for (unsigned d = path->rel_labels; d-- > depth && st == ST_OK;) {
		unsigned off = at[path->rel_labels - d];

		st = settle(w, path->bytes + off, path->rel_len - off, d, NULL, 0);
	}
	return st;
}

static status_t apply_names(work_t *w)
{
	const zone_list_t *l = &w->d->log.names;
	status_t st = ST_OK;

	for (size_t end = l->count, first; end > 0 && st == ST_OK; end = first) {
		const zone_rec_t *rec = l->entry[end - 1].rec;

		first = zone_list_run_back(l, end);
		if (w->path) {
			unsigned shared = zone_rel_shared(rec->bytes, rec->rel_labels,
			                                  w->path->bytes, w->path->rel_labels);

			st = settle_above(w, shared + 1);
		}
		w->path = rec;
		if (st == ST_OK)
			st = settle(w, rec->bytes, rec->rel_len, rec->rel_labels, l->entry + first,
			            end - first);
	}
	if (st == ST_OK && w->path && w->path->rel_labels > 0)
		st = settle_above(w, 0);
	return st;
}

/* --- NSEC3 -------------------------------------------------------------------------------------- */

static status_t settle_denial(work_t *w, zone_entry_t *run, size_t n)
{
	const zone_rec_t *owner = run[0].rec;
	const zone_node_t *node = NULL;
	zone_image_t image;
	zone_ref_t now = 0;
	zone_key_t key;

	zone_key_of(owner->bytes, owner->rel_labels, &key);
	zone_ref_t was = zone_tree_floor(w->c.base, w->root.denial, &key);
	if (was != 0 && zone_rel_cmp(node_at(w, was)->name, node_at(w, was)->rel_labels,
	                             owner->bytes, owner->rel_labels) == 0)
		node = node_at(w, was);
	status_t st = encode_changed(w, node, run, n, 0, 0, &image);
	if (st != ST_OK)
		return st;
	if (account(w, node, &image) != ST_OK)
		return ST_NOMEM;
	if (image.node->rrsets > 0 && (now = place(w, &image)) == 0)
		return ST_NOMEM;
	w->root.denials += (now != 0) - (uint32_t)(node != NULL);
	if (now != 0 || node)
		st = zone_tree_set(&w->c, &w->root.denial, &key, now);
	if (st == ST_OK && node)
		st = zone_change_replace(&w->c, was, zone_node_size(node), false);
	return st;
}

static status_t apply_denial(work_t *w)
{
	const zone_list_t *l = &w->d->log.denial;
	status_t st = ST_OK;

	for (size_t i = 0, end; i < l->count && st == ST_OK; i = end) {
		end = zone_list_run(l, i);
		st = settle_denial(w, l->entry + i, end - i);
	}
	return st;
}

/* --- signatures --------------------------------------------------------------------------------- */

static status_t count_sigs(work_t *w, const zone_ref_t *refs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (zone_expiry_add(&w->expiry, node_at(w, refs[i])) != ST_OK)
			return ST_NOMEM;
	}
	return ST_OK;
}

/* When they run out, counted from the first to the last. */
static status_t recount(work_t *w)
{
	size_t most = w->root.index.names > w->root.denials ? w->root.index.names : w->root.denials;
	zone_ref_t *refs = malloc(most * sizeof *refs);
	status_t st;

	if (!refs)
		return ST_NOMEM;
	zone_expiry_restart(&w->expiry);
	st = count_sigs(w, refs, zone_index_all(w->c.base, &w->root.index, refs));
	if (st == ST_OK)
		st = count_sigs(w, refs, zone_tree_all(w->c.base, w->root.denial, refs));
	free(refs);
	return st;
}

static status_t keep_expiry(work_t *w)
{
	status_t st = zone_expiry_lost(&w->expiry) ? recount(w) : ST_OK;

	return st == ST_OK ? zone_expiry_store(&w->expiry, &w->c, &w->root.expiry) : st;
}

/* --- sealing ------------------------------------------------------------------------------------ */

static status_t hold_to(work_t *w, zone_limit_t limit, uint64_t count, uint64_t most)
{
	if (count <= most)
		return ST_OK;
	w->d->log.excess = (zone_excess_t){ .limit = limit, .count = count, .most = most };
	return ST_LIMIT;
}

/* A zone may not pass, by one delta after the other, what it could not pass in one piece. */
static status_t hold_limits(work_t *w)
{
	const zone_limits_t *most = &w->d->log.limits;
	status_t st = hold_to(w, ZONE_LIMIT_RECORDS, w->root.records, most->max_records);

	return st == ST_OK ? hold_to(w, ZONE_LIMIT_BYTES, w->root.octets, most->max_bytes) : st;
}

/* Apply the delta to root, whose blocks are in arena. On ST_OK the change is still open. */
static status_t apply(zone_delta_t *d, zone_arena_t *arena, const zone_root_t *root, work_t *w)
{
	status_t st = ST_NOMEM;

	memset(w, 0, sizeof *w);
	w->d = d;
	w->root = *root;
	w->root.octets += d->log.stats.octets; /* which all of it has, or it doesn't fit */
	zone_change_begin(&w->c, arena, false);
	w->e = zone_encoder_new(&d->log, d->hashed ? &d->params : NULL, d->log.stats.added);
	if (w->e)
		st = zone_expiry_load(&w->expiry, w->c.base, root->expiry);
	if (st == ST_OK)
		st = apply_names(w);
	if (st == ST_OK)
		st = apply_denial(w);
	if (st == ST_OK)
		st = zone_chain_keep_order(&w->c, &w->root);
	if (st == ST_OK)
		st = keep_expiry(w);
	if (st == ST_OK)
		st = hold_limits(w);
	zone_encoder_free(w->e);
	zone_expiry_free(&w->expiry);
	if (st != ST_OK)
		zone_change_abort(&w->c);
	return st;
}

/* Has the delta brought another chain of NSEC3, or taken it away? Then the hash in every node is
 * another one, or none. */
static bool chain_changed(const work_t *w)
{
	dns_nsec3_params_t params;
	bool hashed = zone_chain_params(node_at(w, w->root.apex), &params);

	return hashed != w->d->hashed || (hashed && !dns_nsec3_same(&params, &w->d->params));
}

/* A copy without holes, in an arena of its own (or in one piece); with the hashes that its
 * NSEC3PARAM wants, if they are other ones. */
static status_t compacted(const work_t *w, size_t live, zone_version_t **out)
{
	const zone_delta_t *d = w->d;
	size_t hashes = (size_t)w->root.index.names * 2 * DNS_NSEC3_HASH_LEN;
	size_t reserve = (live + hashes) * 4 + (1 << 16);
	zone_arena_t *arena = zone_arena_new(reserve);
	zone_encoder_t *e = NULL;
	dns_nsec3_params_t params;
	zone_change_t c;
	zone_root_t fresh;
	status_t st = ST_OK;

	if (!arena)
		return ST_NOMEM;
	if (chain_changed(w)) {
		bool hashed = zone_chain_params(node_at(w, w->root.apex), &params);

		e = zone_encoder_new(&w->d->log, hashed ? &params : NULL, w->root.records);
		st = e ? ST_OK : ST_NOMEM;
	}
	zone_change_begin(&c, arena, true);
	if (st == ST_OK)
		st = zone_write_copy(&c, &d->base->key, &d->apex, w->c.base, &w->root, e, &fresh);
	zone_encoder_free(e);
	if (st == ST_OK) {
		*out = zone_write_version(d->base->slab, &d->base->key, &d->apex, arena, &fresh,
		                          true);
		st = *out ? ST_OK : ST_NOMEM;
	}
	zone_arena_trim(arena, reserve); /* it may have had to move */
	zone_arena_drop(arena);
	return st;
}

/* Apply to the arena of base, and share it. ST_NOMEM also when the arena is full. */
static status_t seal_shared(zone_delta_t *d, zone_version_t **out)
{
	zone_arena_t *arena = d->base->arena;
	work_t w;
	status_t st = apply(d, arena, &d->base->root, &w);

	if (st != ST_OK)
		return st;
	bool anew = zone_index_unfit(&w.root.index) || chain_changed(&w);
	zone_version_t *v = anew ? NULL
	                         : zone_write_version(d->base->slab, &d->base->key, &d->apex, arena,
	                                              &w.root, false);
	if (v && zone_change_commit(&w.c, &v->debts->taken, &v->debts->replaced) == ST_OK) {
		*out = v;
		return ST_OK;
	}
	zone_version_free(v);
	/* A new table, or new hashes, and while at it everything in its place. */
	st = anew ? compacted(&w, zone_arena_live(arena), out) : ST_NOMEM;
	zone_change_abort(&w.c);
	return st;
}

/* Apply to a copy of base, which shares nothing. */
static status_t seal_copied(zone_delta_t *d, zone_version_t **out)
{
	const zone_version_t *base = d->base;
	size_t size = base->arena ? zone_arena_live(base->arena) : base->bytes;
	size_t grown = d->log.wire_bytes + d->log.stats.added * 4096;
	zone_arena_t *arena = zone_arena_new(size * 4 + grown + (1 << 16));
	zone_change_t c;
	zone_root_t root;
	work_t w;
	status_t st;

	if (!arena)
		return ST_NOMEM;
	zone_change_begin(&c, arena, true);
	st = zone_write_copy(&c, &base->key, &d->apex, base->base, &base->root, NULL, &root);
	if (st == ST_OK)
		st = apply(d, arena, &root, &w);
	if (st == ST_OK) {
		st = compacted(&w, zone_arena_live(arena), out);
		zone_change_abort(&w.c); /* the copy has what it needs */
	}
	zone_arena_drop(arena);
	return st;
}

status_t zone_delta_seal(zone_delta_t *d, zone_version_t **out)
{
	status_t st = ST_NOMEM;

	*out = NULL;
	d->culprit = NULL;
	if (zone_list_sort(&d->log.names) != ST_OK || zone_list_sort(&d->log.denial) != ST_OK)
		return ST_NOMEM;
	if (d->base->arena)
		st = seal_shared(d, out);
	if (st == ST_NOMEM) /* a small zone, or an arena that is full */
		st = seal_copied(d, out);
	return st;
}
