/* zone/set.c - the zones by the hash of their apex: a persistent table; versions by one exchange.
 *
 *     set -> view -> index -> slot -> version
 *
 * A view is one state of the table (zone/index.h), which shares its pages with the state before. Slots
 * lie in the same arena, as the nodes that the index refers to, and never move: so a lookup of
 * one zone among a million is a page or two that stay in the cache, a bucket, and the slot. */
#include "zone/set.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/huge.h"
#include "common/random.h"
#include "zone/change.h"
#include "zone/index.h"
#include "zone/layout.h"

struct zone_slot {
	_Atomic int64_t expires; /* mono_t; 0: not told yet */
	_Atomic(const addr_acl_t *) notify;
	void *user;
	uint64_t hash;
	/* What queries read lies beside the name. The version is read with the default (sequentially
	 * consistent) order: the epoch relies on it. */
	_Atomic(zone_version_t *) current;
	_Atomic bool expired;
	_Atomic bool notified;
	_Alignas(ZONE_UNIT) zone_node_t
		node; /* its name is the apex, left of the root, whose octet follows it */
};

_Static_assert(offsetof(zone_slot_t, node) % ZONE_UNIT == 0, "the index refers to the node");

/* What readers see. */
typedef struct view {
	epoch_node_t retired;
	zone_arena_t *arena;
	const uint8_t *base;
	zone_index_t index;
	uint64_t depths[2];     /* bit n: some apex has n labels */
	zone_blocks_t replaced; /* by the view behind this one; they go with it */
} view_t;

struct zone_set {
	epoch_t *epoch;
	siphash_key_t key;
	_Atomic(view_t *) view;

	/* The writer's: what the next view will be. */
	zone_arena_t *arena;
	zone_change_t change;
	zone_index_t index;
	bool open; /* the change has begun, when it was like this: */
	zone_index_t index_before;
	uint32_t at_depth[DNS_LABELS_MAX + 1]; /* zones whose apex has so many labels */
	uint32_t at_depth_before[DNS_LABELS_MAX + 1];
	zone_slot_t **removed; /* until the commit */
	size_t removed_count;
};

/* Zones a bucket of the table from which on it is resized: with so few, a bucket is a line or two. */
enum { BUCKET_MANY = 16 };

/* Address space for some ten million zones. */
static const size_t RESERVE = (size_t)4 << 30;

/* --- the table ---------------------------------------------------------------------------------- */

static size_t slot_size(const zone_slot_t *slot)
{
	return sizeof *slot + slot->node.rel_len + 1u;
}

static zone_ref_t slot_ref(const zone_set_t *set, const zone_slot_t *slot)
{
	return (zone_ref_t)(((const uint8_t *)slot - set->change.base) / ZONE_UNIT);
}

static zone_ref_t node_ref(const zone_set_t *set, const zone_slot_t *slot)
{
	return slot_ref(set, slot) + (zone_ref_t)(offsetof(zone_slot_t, node) / ZONE_UNIT);
}

static zone_slot_t *slot_of(const zone_node_t *node)
{
	return node ? (zone_slot_t *)((uintptr_t)node - offsetof(zone_slot_t, node)) : NULL;
}

static void begin(zone_set_t *set)
{
	if (set->open)
		return;
	zone_change_begin(&set->change, set->arena, false);
	set->index_before = set->index;
	memcpy(set->at_depth_before, set->at_depth, sizeof set->at_depth);
	set->open = true;
}

static bool unfit(const zone_index_t *x)
{
	return x->names >> x->bits > BUCKET_MANY || zone_index_unfit(x);
}

static status_t build(zone_change_t *c, zone_named_t *named, size_t count, zone_index_t *out)
{
	status_t st = zone_index_build(c, named, count, out);

	out->ahead = offsetof(zone_slot_t, node) - offsetof(zone_slot_t, current);
	return st;
}

/* A table of another size. */
static status_t resize(zone_set_t *set)
{
	size_t count = set->index.names;
	zone_named_t *named = huge_take((count + 1) * sizeof *named);
	zone_ref_t *refs = malloc((count + 1) * sizeof *refs);
	status_t st = named && refs ? ST_OK : ST_NOMEM;
	zone_index_t next;

	if (st == ST_OK) {
		zone_index_all(set->change.base, &set->index, refs);
		for (size_t i = 0; i < count; i++) {
			const zone_node_t *node = zone_change_at(&set->change, refs[i]);

			named[i] = (zone_named_t){ zone_named_top(slot_of(node)->hash), refs[i] };
		}
		st = build(&set->change, named, count, &next);
	}
	if (st == ST_OK) {
		st = zone_index_retire(&set->change, &set->index);
		set->index = next;
	}
	huge_give(named, (count + 1) * sizeof *named);
	free(refs);
	return st;
}

static view_t *new_view(const zone_set_t *set)
{
	view_t *view = calloc(1, sizeof *view);

	if (!view)
		return NULL;
	view->arena = set->arena;
	view->base = zone_arena_base(set->arena);
	view->index = set->index;
	for (unsigned i = 0; i <= DNS_LABELS_MAX; i++) {
		if (set->at_depth[i] > 0)
			view->depths[i / 64] |= UINT64_C(1) << (i % 64);
	}
	zone_arena_hold(set->arena);
	return view;
}

static void release_view(epoch_node_t *node)
{
	view_t *view = (view_t *)(void *)node;

	zone_arena_return(view->arena, &view->replaced);
	zone_arena_drop(view->arena);
	free(view);
}

static void release_version(epoch_node_t *node)
{
	zone_version_free((zone_version_t *)(void *)node);
}

zone_set_t *zone_set_new(epoch_t *epoch)
{
	zone_set_t *set = calloc(1, sizeof *set);
	view_t *view = NULL;

	if (!set)
		return NULL;
	set->epoch = epoch;
	random_bytes(&set->key, sizeof set->key);
	set->arena = zone_arena_new(RESERVE);
	if (set->arena) {
		zone_blocks_t taken = { 0 }, replaced = { 0 };
		zone_named_t none = { 0 };

		begin(set);
		if (build(&set->change, &none, 0, &set->index) == ST_OK &&
		    zone_change_commit(&set->change, &taken, &replaced) == ST_OK) {
			set->open = false;
			view = new_view(set);
		}
		zone_blocks_free(&taken);
		zone_blocks_free(&replaced);
	}
	atomic_init(&set->view, view);
	if (view)
		return set;
	zone_set_free(set);
	return NULL;
}

void zone_set_free(zone_set_t *set)
{
	if (!set)
		return;
	size_t count = set->index.names;
	zone_ref_t *refs = malloc((count + 1) * sizeof *refs);
	view_t *view = atomic_load(&set->view);

	for (size_t i = 0; i < set->removed_count; i++)
		zone_version_free(atomic_load(&set->removed[i]->current));
	free(set->removed);
	if (refs && view)
		zone_index_all(set->change.base, &set->index, refs);
	for (size_t i = 0; refs && view && i < count; i++) {
		const zone_node_t *node = zone_change_at(&set->change, refs[i]);

		zone_version_free(atomic_load(&slot_of(node)->current));
	}
	free(refs);
	if (set->open)
		zone_change_abort(&set->change);
	if (view)
		release_view(&view->retired);
	zone_arena_drop(set->arena);
	free(set);
}

status_t zone_set_add(zone_set_t *set, const dns_name_t *apex, const addr_acl_t *notify, void *user,
                      zone_slot_t **out)
{
	zone_hashes_t hashes;
	status_t st = ST_OK;

	begin(set);
	zone_hash_name(&set->key, apex, &hashes);
	if (zone_index_find(set->change.base, &set->index, hashes.h[0], apex->wire, apex->len - 1u))
		return ST_EXIST;
	zone_ref_t ref = zone_change_take(&set->change, sizeof(zone_slot_t) + apex->len);
	if (ref == 0)
		return ST_NOMEM;
	zone_slot_t *slot = zone_change_at(&set->change, ref);
	memset(slot, 0, sizeof *slot);
	atomic_init(&slot->notify, notify);
	slot->user = user;
	slot->hash = hashes.h[0];
	slot->node.rel_len = (uint8_t)(apex->len - 1);
	slot->node.rel_labels = apex->labels;
	memcpy(slot->node.name, apex->wire, apex->len);
	if (unfit(&set->index))
		st = resize(set);
	if (st == ST_OK)
		st = zone_index_set(&set->change, &set->index, slot->hash, 0, node_ref(set, slot));
	if (st != ST_OK)
		return st;
	set->at_depth[apex->labels]++;
	*out = slot;
	return ST_OK;
}

status_t zone_set_remove(zone_set_t *set, zone_slot_t *slot)
{
	zone_slot_t **grown;

	begin(set);
	grown = reallocarray(set->removed, set->removed_count + 1, sizeof *grown);
	if (!grown)
		return ST_NOMEM;
	set->removed = grown;
	status_t st = zone_index_set(&set->change, &set->index, slot->hash, node_ref(set, slot), 0);
	if (st != ST_OK)
		return st;
	/* It is out; what follows may only cost memory when there is none: a block that is never
	 * used again, a table that is too large. */
	(void)zone_change_replace(&set->change, slot_ref(set, slot), slot_size(slot), false);
	if (unfit(&set->index))
		(void)resize(set);
	set->at_depth[slot->node.rel_labels]--;
	set->removed[set->removed_count++] = slot;
	return ST_OK;
}

status_t zone_set_commit(zone_set_t *set)
{
	view_t *next = set->open ? new_view(set) : NULL;
	zone_blocks_t taken, replaced;

	if (!set->open)
		return ST_OK;
	if (!next || zone_change_commit(&set->change, &taken, &replaced) != ST_OK) {
		if (next)
			release_view(&next->retired);
		return ST_NOMEM;
	}
	set->open = false;
	zone_blocks_free(&taken);
	view_t *before = atomic_exchange(&set->view, next);
	before->replaced = replaced;
	epoch_retire(set->epoch, &before->retired, release_view);
	for (size_t i = 0; i < set->removed_count; i++) {
		zone_version_t *v = atomic_load(&set->removed[i]->current);

		set->removed[i]->user = NULL;
		if (v)
			epoch_retire(set->epoch, &v->retired, release_version);
	}
	free(set->removed);
	set->removed = NULL;
	set->removed_count = 0;
	return ST_OK;
}

void zone_set_undo(zone_set_t *set)
{
	if (!set->open)
		return;
	zone_change_abort(&set->change);
	set->index = set->index_before;
	memcpy(set->at_depth, set->at_depth_before, sizeof set->at_depth);
	free(set->removed);
	set->removed = NULL;
	set->removed_count = 0;
	set->open = false;
}

const siphash_key_t *zone_set_key(const zone_set_t *set)
{
	return &set->key;
}

size_t zone_set_count(const zone_set_t *set)
{
	return set->index.names;
}

/* --- lookups ------------------------------------------------------------------------------------ */

static const view_t *view_of(const zone_set_t *set)
{
	return atomic_load_explicit(&((zone_set_t *)(uintptr_t)set)->view, memory_order_seq_cst);
}

static bool has_depth(const view_t *view, unsigned depth)
{
	return view->depths[depth / 64] >> (depth % 64) & 1;
}

void zone_set_prefetch(const zone_set_t *set, const dns_name_t *qname, const zone_hashes_t *hashes,
                       unsigned step, zone_set_ahead_t *ahead)
{
	const view_t *view = step == 0 ? view_of(set) : ahead->view;

	if (step == 0) {
		ahead->view = view;
		ahead->count = 0;
		/* A few zones are always at hand. */
		for (unsigned label = 0; view->index.bits > 0 && label <= qname->labels &&
		                         ahead->count < ARRAY_LEN(ahead->at);
		     label++) {
			if (has_depth(view, qname->labels - label))
				ahead->hash[ahead->count++] = hashes->h[label];
		}
	}
	for (unsigned i = 0; i < ahead->count; i++)
		zone_index_prefetch(view->base, &view->index, ahead->hash[i], step, &ahead->at[i]);
}

/* name: len octets with the root's. */
static zone_slot_t *exact(const view_t *view, uint64_t hash, const uint8_t *name, size_t len)
{
	return slot_of(zone_index_find(view->base, &view->index, hash, name, len - 1));
}

zone_slot_t *zone_set_exact(const zone_set_t *set, const dns_name_t *apex, uint64_t hash)
{
	return exact(view_of(set), hash, apex->wire, apex->len);
}

const zone_slot_t *zone_set_find(const zone_set_t *set, const dns_name_t *qname,
                                 const zone_hashes_t *hashes, bool for_ds)
{
	const zone_slot_t *own = NULL; /* QTYPE=DS met the apex itself: a parent is better */
	const view_t *view = view_of(set);

	for (unsigned label = 0; label <= qname->labels; label++) {
		unsigned depth = qname->labels - label, at = qname->off[label];

		if (!has_depth(view, depth))
			continue;
		const zone_slot_t *slot =
			exact(view, hashes->h[label], qname->wire + at, qname->len - at);
		if (slot && !(for_ds && label == 0))
			return slot;
		if (slot)
			own = slot;
	}
	return own;
}

/* --- slots -------------------------------------------------------------------------------------- */

zone_state_t zone_slot_read(const zone_slot_t *slot, const zone_version_t **v)
{
	/* The pointer is not const inside: _Atomic loads need the plain type. */
	zone_version_t *now = atomic_load(&slot->current);

	*v = NULL;
	if (!now)
		return ZONE_STATE_EMPTY;
	if (atomic_load_explicit(&slot->expired, memory_order_relaxed))
		return ZONE_STATE_EXPIRED;
	*v = now;
	return ZONE_STATE_SERVED;
}

const zone_version_t *zone_slot_version(const zone_slot_t *slot)
{
	return atomic_load(&slot->current);
}

const addr_acl_t *zone_slot_notify(const zone_slot_t *slot)
{
	return atomic_load_explicit(&((zone_slot_t *)(uintptr_t)slot)->notify,
	                            memory_order_acquire);
}

void zone_slot_set_notify(zone_slot_t *slot, const addr_acl_t *notify)
{
	atomic_store_explicit(&slot->notify, notify, memory_order_release);
}

const uint8_t *zone_slot_apex(const zone_slot_t *slot)
{
	return slot->node.name;
}

void *zone_slot_user(const zone_slot_t *slot)
{
	return slot->user;
}

void zone_slot_set_user(zone_slot_t *slot, void *user)
{
	slot->user = user;
}

/* Readers hold slots as const, which is about the zone: the mark is the sender's. */
static _Atomic bool *notified(const zone_slot_t *slot)
{
	return (_Atomic bool *)(uintptr_t)&slot->notified;
}

bool zone_slot_mark_notified(const zone_slot_t *slot)
{
	return !atomic_exchange_explicit(notified(slot), true, memory_order_acq_rel);
}

void zone_slot_clear_notified(const zone_slot_t *slot)
{
	atomic_store_explicit(notified(slot), false, memory_order_release);
}

status_t zone_set_publish(zone_set_t *set, zone_slot_t *slot, zone_version_t *next,
                          const zone_version_t *before)
{
	/* What shares blocks with a version may only follow that version. */
	if ((before && atomic_load(&slot->current) != before) ||
	    (!before && next->debts && next->debts->taken.count > 0))
		return ST_STALE;
	if (before)
		zone_version_succeed(atomic_load(&slot->current), next);
	zone_version_t *old = atomic_exchange(&slot->current, next);
	zone_set_expire(slot, false);
	if (old)
		epoch_retire(set->epoch, &old->retired, release_version);
	return ST_OK;
}

void zone_set_restore(zone_set_t *set, zone_slot_t *slot, zone_version_t *next, bool expired)
{
	zone_set_expire(slot, expired); /* first: who sees the version sees this */
	zone_version_t *old = atomic_exchange(&slot->current, next);

	if (old)
		epoch_retire(set->epoch, &old->retired, release_version);
}

void zone_set_expire(zone_slot_t *slot, bool expired)
{
	atomic_store_explicit(&slot->expired, expired, memory_order_relaxed);
}

void zone_set_expires(zone_slot_t *slot, mono_t at)
{
	atomic_store_explicit(&slot->expires, at.ns, memory_order_relaxed);
}

mono_t zone_slot_expires(const zone_slot_t *slot)
{
	return (mono_t){ atomic_load_explicit(&slot->expires, memory_order_relaxed) };
}
