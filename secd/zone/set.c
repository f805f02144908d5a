/* zone/set.c - slots found by hash, versions swapped by one exchange. */
#include "zone/set.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/random.h"
#include "zone/layout.h"

struct zone_slot {
	/* Read with the default (sequentially consistent) order: the epoch relies on it. */
	_Atomic(zone_version_t *) current;
	_Atomic bool expired;
	_Atomic bool notified;
	uint8_t apex_len;
	const addr_acl_t *notify;
	void *user;
	uint64_t hash;
	uint8_t apex[];
};

/* A slot's place in the table: the upper half of its hash beside it, so that a look at the table
 * tells which slot is worth a look. */
typedef struct entry {
	zone_slot_t *slot; /* NULL: free */
	uint32_t tag;
} entry_t;

struct zone_set {
	epoch_t *epoch;
	siphash_key_t key;
	size_t count;
	uint32_t mask;      /* of the table */
	entry_t *table;     /* open addressing by hash */
	uint64_t depths[2]; /* bit n: some apex has n labels */
};

enum { FIRST_TABLE = 16 };

zone_set_t *zone_set_new(epoch_t *epoch)
{
	zone_set_t *set = calloc(1, sizeof *set);

	if (!set)
		return NULL;
	set->epoch = epoch;
	set->mask = FIRST_TABLE - 1;
	set->table = calloc(FIRST_TABLE, sizeof *set->table);
	random_bytes(&set->key, sizeof set->key);
	if (set->table)
		return set;
	free(set);
	return NULL;
}

void zone_set_free(zone_set_t *set)
{
	if (!set)
		return;
	for (uint32_t i = 0; i <= set->mask; i++) {
		if (set->table[i].slot)
			zone_version_free(atomic_load(&set->table[i].slot->current));
		free(set->table[i].slot);
	}
	free(set->table);
	free(set);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

static void insert(entry_t *table, uint32_t mask, zone_slot_t *slot)
{
	uint32_t i = (uint32_t)slot->hash & mask;

	while (table[i].slot)
		i = (i + 1) & mask;
	table[i] = (entry_t){ slot, tag_of(slot->hash) };
}

/* Twice the table when it is three quarters full. */
static status_t make_room(zone_set_t *set)
{
	uint32_t mask = set->mask * 2 + 1;

	if ((set->count + 1) * 4 <= ((size_t)set->mask + 1) * 3)
		return ST_OK;
	entry_t *table = calloc((size_t)mask + 1, sizeof *table);
	if (!table)
		return ST_NOMEM;
	for (uint32_t i = 0; i <= set->mask; i++) {
		if (set->table[i].slot)
			insert(table, mask, set->table[i].slot);
	}
	free(set->table);
	set->table = table;
	set->mask = mask;
	return ST_OK;
}

status_t zone_set_add(zone_set_t *set, const dns_name_t *apex, const addr_acl_t *notify, void *user,
                      zone_slot_t **out)
{
	zone_hashes_t hashes;

	zone_hash_name(&set->key, apex, &hashes);
	if (zone_set_exact(set, apex, hashes.h[0]))
		return ST_EXIST;
	zone_slot_t *slot = malloc(sizeof *slot + apex->len);
	if (!slot || make_room(set) != ST_OK) {
		free(slot);
		return ST_NOMEM;
	}
	atomic_init(&slot->current, NULL);
	atomic_init(&slot->expired, false);
	atomic_init(&slot->notified, false);
	slot->apex_len = apex->len;
	slot->notify = notify;
	slot->user = user;
	slot->hash = hashes.h[0];
	memcpy(slot->apex, apex->wire, apex->len);
	insert(set->table, set->mask, slot);
	set->depths[apex->labels / 64] |= UINT64_C(1) << (apex->labels % 64);
	set->count++;
	*out = slot;
	return ST_OK;
}

const siphash_key_t *zone_set_key(const zone_set_t *set)
{
	return &set->key;
}

size_t zone_set_count(const zone_set_t *set)
{
	return set->count;
}

/* The next entry from i on with this tag, or the free one that ends the search. */
static const entry_t *next_tagged(const zone_set_t *set, uint64_t hash, uint32_t *i)
{
	while (set->table[*i].slot && set->table[*i].tag != tag_of(hash))
		*i = (*i + 1) & set->mask;
	return &set->table[*i];
}

static zone_slot_t *probe(const zone_set_t *set, uint64_t hash, const uint8_t *name, size_t len)
{
	for (uint32_t i = (uint32_t)hash & set->mask;; i = (i + 1) & set->mask) {
		zone_slot_t *slot = next_tagged(set, hash, &i)->slot;

		if (!slot || (slot->hash == hash && slot->apex_len == len &&
		              memcmp(slot->apex, name, len) == 0))
			return slot;
	}
}

static bool has_depth(const zone_set_t *set, unsigned depth)
{
	return set->depths[depth / 64] >> (depth % 64) & 1;
}

void zone_set_prefetch(const zone_set_t *set, const dns_name_t *qname, const zone_hashes_t *hashes,
                       unsigned step)
{
	for (unsigned label = 0; label <= qname->labels; label++) {
		uint32_t i = (uint32_t)hashes->h[label] & set->mask;

		if (!has_depth(set, qname->labels - label))
			continue;
		if (step == 0)
			__builtin_prefetch(&set->table[i]);
		else
			__builtin_prefetch(next_tagged(set, hashes->h[label], &i)->slot);
	}
}

zone_slot_t *zone_set_exact(const zone_set_t *set, const dns_name_t *apex, uint64_t hash)
{
	return probe(set, hash, apex->wire, apex->len);
}

const zone_slot_t *zone_set_find(const zone_set_t *set, const dns_name_t *qname,
                                 const zone_hashes_t *hashes, bool for_ds)
{
	const zone_slot_t *own = NULL; /* QTYPE=DS met the apex itself: a parent is better */

	for (unsigned label = 0; label <= qname->labels; label++) {
		unsigned depth = qname->labels - label, at = qname->off[label];

		if (!has_depth(set, depth))
			continue;
		const zone_slot_t *slot =
			probe(set, hashes->h[label], qname->wire + at, qname->len - at);
		if (slot && !(for_ds && label == 0))
			return slot;
		if (slot)
			own = slot;
	}
	return own;
}

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
	return slot->notify;
}

const uint8_t *zone_slot_apex(const zone_slot_t *slot)
{
	return slot->apex;
}

void *zone_slot_user(const zone_slot_t *slot)
{
	return slot->user;
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

static void release(epoch_node_t *node)
{
	zone_version_free((zone_version_t *)(void *)node);
}

status_t zone_set_publish(zone_set_t *set, zone_slot_t *slot, zone_version_t *next,
                          const zone_version_t *before)
{
	/* What shares blocks with a version may only follow that version. */
	if ((before && atomic_load(&slot->current) != before) || (!before && next->taken.count > 0))
		return ST_STALE;
	if (before)
		zone_version_succeed(atomic_load(&slot->current), next);
	zone_version_t *old = atomic_exchange(&slot->current, next);
	zone_set_expire(slot, false);
	if (old)
		epoch_retire(set->epoch, &old->retired, release);
	return ST_OK;
}

void zone_set_expire(zone_slot_t *slot, bool expired)
{
	atomic_store_explicit(&slot->expired, expired, memory_order_relaxed);
}
