/* zone/arena.c - a bump pointer over reserved address space, and free lists behind it.
 *
 * Blocks of up to 64 units have a list for each size. Larger ones share four lists for each
 * doubling: they are rounded up to such a size when taken, so any block of a list fits. A free
 * block holds the reference of the next one. */
#include "zone/arena.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/grow.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum {
	EXACT = 64,     /* units up to which each size has its list */
	STEPS = 4,      /* lists for each doubling beyond */
	DOUBLINGS = 26, /* up to 2^32 units */
	LISTS = EXACT + 1 + STEPS * DOUBLINGS,
};

static const size_t COMMIT_STEP = (size_t)2 << 20; /* a huge page */
static const size_t SMALL = (size_t)4 << 20;       /* up to here malloc serves better */
static const size_t MOST = (size_t)UINT32_MAX * ZONE_UNIT;
static const size_t LESS = 4; /* of what was refused: tried next */

/* Blocks under way from a freed version to the writer. */
typedef struct parcel {
	struct parcel *next;
	zone_blocks_t blocks;
} parcel_t;

struct zone_arena {
	uint8_t *base;
	size_t reserved, committed, used; /* octets */
	_Atomic size_t live;              /* the writer's; anyone may read it */
	uint32_t change;
	bool small; /* base is malloc's */
	_Atomic unsigned holders, pins;
	_Atomic(parcel_t *) parcels;
	zone_ref_t free[LISTS];
};

static bool reserve_range(zone_arena_t *a, size_t reserve)
{
	if (a->small) {
		a->base = malloc(reserve);
		a->committed = reserve;
		return a->base != NULL;
	}
	a->base =
		mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->base == MAP_FAILED)
		return false;
	/* A lookup goes to random places: with small pages it would wait for the page tables as
	 * well. Being refused only costs that. */
	(void)madvise(a->base, reserve, MADV_HUGEPAGE);
	return true;
}

zone_arena_t *zone_arena_new(size_t reserve)
{
	zone_arena_t *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->small = reserve <= SMALL;
	if (!a->small)
		reserve = (reserve + COMMIT_STEP - 1) / COMMIT_STEP * COMMIT_STEP;
	if (!reserve_range(a, reserve)) {
		free(a);
		return NULL;
	}
	a->reserved = reserve;
	a->used = ZONE_UNIT; /* reference 0 is nobody's */
	atomic_init(&a->live, 0);
	atomic_init(&a->holders, 1);
	atomic_init(&a->pins, 0);
	atomic_init(&a->parcels, NULL);
	return a;
}

zone_arena_t *zone_arena_for(uint64_t estimate)
{
	size_t least = estimate < MOST ? (size_t)estimate : MOST;
	zone_arena_t *a = NULL;

	if (least <= SMALL)
		return zone_arena_new(least);
	for (size_t most = MOST; !a && most > least; most /= LESS)
		a = zone_arena_new(most);
	return a ? a : zone_arena_new(least);
}

bool zone_arena_again(zone_arena_t *a, uint64_t estimate)
{
	if (!a->small || a->reserved < estimate || atomic_load(&a->holders) != 1)
		return false;
	ASAN_UNPOISON_MEMORY_REGION(a->base, a->committed);
	a->used = ZONE_UNIT;
	a->change = 0;
	atomic_store_explicit(&a->live, 0, memory_order_relaxed);
	memset(a->free, 0, sizeof a->free);
	return true;
}

void zone_arena_trim(zone_arena_t *a, uint64_t reserve)
{
	if (a->small || reserve >= a->reserved)
		return;
	reserve = (reserve + COMMIT_STEP - 1) / COMMIT_STEP * COMMIT_STEP;
	if (reserve < a->committed)
		reserve = a->committed;
	if (reserve >= a->reserved)
		return;
	munmap(a->base + reserve, a->reserved - reserve);
	a->reserved = reserve;
}

static bool commit_more(zone_arena_t *a, size_t upto)
{
	if (a->small)
		return false;
	size_t to = (upto + COMMIT_STEP - 1) / COMMIT_STEP * COMMIT_STEP;
	if (to > a->reserved ||
	    mprotect(a->base + a->committed, to - a->committed, PROT_READ | PROT_WRITE) != 0)
		return false;
	a->committed = to;
	return true;
}

static inline bool commit(zone_arena_t *a, size_t upto)
{
	return upto <= a->committed || commit_more(a, upto);
}

/* Into a place where it fits; the lists of what is free name blocks by reference, and hold. */
bool zone_arena_widen(zone_arena_t *a, size_t octets)
{
	zone_arena_t *wide;
	size_t reserve = a->reserved;

	if (!a->small || octets > MOST - a->reserved)
		return false;
	while (reserve < a->used + octets * 2) /* a large block is rounded up */
		reserve *= 2;
	if (!(wide = zone_arena_for(reserve)))
		return false;
	if (!commit(wide, a->used)) {
		zone_arena_drop(wide);
		return false;
	}
	ASAN_UNPOISON_MEMORY_REGION(a->base, a->committed);
	memcpy(wide->base + ZONE_UNIT, a->base + ZONE_UNIT, a->used - ZONE_UNIT);
	free(a->base);
	a->base = wide->base;
	a->reserved = wide->reserved;
	a->committed = wide->committed;
	a->small = wide->small;
	free(wide);
	return true;
}

void zone_arena_hold(zone_arena_t *a)
{
	atomic_fetch_add_explicit(&a->holders, 1, memory_order_relaxed);
}

void zone_arena_drop(zone_arena_t *a)
{
	if (!a || atomic_fetch_sub_explicit(&a->holders, 1, memory_order_acq_rel) != 1)
		return;
	for (parcel_t *p = atomic_load(&a->parcels), *next; p; p = next) {
		next = p->next;
		zone_blocks_free(&p->blocks);
		free(p);
	}
	ASAN_UNPOISON_MEMORY_REGION(a->base, a->committed);
	if (a->small)
		free(a->base);
	else
		munmap(a->base, a->reserved);
	free(a);
}

void zone_arena_pin(zone_arena_t *a)
{
	zone_arena_hold(a);
	atomic_fetch_add_explicit(&a->pins, 1, memory_order_relaxed);
}

void zone_arena_unpin(zone_arena_t *a)
{
	/* All that was read was read before: whoever sees the pin gone may write there. */
	atomic_fetch_sub_explicit(&a->pins, 1, memory_order_release);
	zone_arena_drop(a);
}

uint8_t *zone_arena_base(const zone_arena_t *a)
{
	return a->base;
}

/* The list whose blocks all have at least this many units (up), or for which a block of that
 * size is large enough (down); *size is what its blocks have at least. */
static unsigned list_of(size_t units, bool up, size_t *size)
{
	unsigned shift = 0;

	if (units <= EXACT) {
		*size = units;
		return (unsigned)units;
	}
	/* Sizes are (4..7) << shift, from 64 = 4 << 4 on. */
	while (units >> shift >= 2 * STEPS)
		shift++;
	size_t step = units >> shift;
	if (up && step << shift != units && ++step == 2 * STEPS) {
		step = STEPS;
		shift++;
	}
	*size = step << shift;
	return EXACT + (shift - 4) * STEPS + (unsigned)(step - STEPS);
}

static zone_ref_t pop(zone_arena_t *a, unsigned list, size_t size)
{
	zone_ref_t ref = a->free[list];

	if (ref != 0) {
		uint8_t *p = a->base + (size_t)ref * ZONE_UNIT;

		ASAN_UNPOISON_MEMORY_REGION(p, size * ZONE_UNIT);
		a->free[list] = *(zone_ref_t *)(void *)p;
	}
	return ref;
}

/* One writer: it need not be one step. */
static void add_live(zone_arena_t *a, size_t octets)
{
	size_t live = atomic_load_explicit(&a->live, memory_order_relaxed);

	atomic_store_explicit(&a->live, live + octets, memory_order_relaxed);
}

zone_ref_t zone_arena_take(zone_arena_t *a, size_t octets)
{
	size_t size;
	unsigned list = list_of(zone_units(octets), true, &size);
	zone_ref_t ref = pop(a, list, size);

	if (ref == 0) {
		if (a->used / ZONE_UNIT + size > UINT32_MAX ||
		    !commit(a, a->used + size * ZONE_UNIT))
			return 0;
		ref = (zone_ref_t)(a->used / ZONE_UNIT);
		a->used += size * ZONE_UNIT;
	}
	add_live(a, size * ZONE_UNIT);
	return ref;
}

void zone_arena_give(zone_arena_t *a, zone_ref_t ref, size_t octets)
{
	size_t size;
	unsigned list = list_of(zone_units(octets), true, &size);
	uint8_t *p = a->base + (size_t)ref * ZONE_UNIT;

	*(zone_ref_t *)(void *)p = a->free[list];
	ASAN_POISON_MEMORY_REGION(p, size * ZONE_UNIT);
	a->free[list] = ref;
	add_live(a, -(size * ZONE_UNIT));
}

static void put_back(zone_arena_t *a, parcel_t *first, parcel_t *last)
{
	last->next = atomic_load_explicit(&a->parcels, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&a->parcels, &last->next, first,
	                                              memory_order_release, memory_order_relaxed))
		;
}

void zone_arena_return(zone_arena_t *a, zone_blocks_t *list)
{
	parcel_t *p = list->count > 0 ? malloc(sizeof *p) : NULL;

	if (!p) { /* nothing, or no memory: then these blocks are lost until the arena goes */
		zone_blocks_free(list);
		return;
	}
	p->blocks = *list;
	*list = (zone_blocks_t){ 0 };
	put_back(a, p, p);
}

static parcel_t *last_of(parcel_t *p)
{
	while (p->next)
		p = p->next;
	return p;
}

void zone_arena_collect(zone_arena_t *a)
{
	parcel_t *p = atomic_exchange_explicit(&a->parcels, NULL, memory_order_acquire);

	/* In this order: who pinned the arena before one of these was returned is seen here, and who
	 * pins it later holds a version that has none of them. */
	if (p && atomic_load_explicit(&a->pins, memory_order_acquire) > 0) {
		put_back(a, p, last_of(p));
		return;
	}
	while (p) {
		parcel_t *next = p->next;

		for (size_t i = 0; i < p->blocks.count; i++)
			zone_arena_give(a, p->blocks.block[i].ref,
			                (size_t)p->blocks.block[i].units * ZONE_UNIT);
		zone_blocks_free(&p->blocks);
		free(p);
		p = next;
	}
}

size_t zone_arena_used(const zone_arena_t *a)
{
	return a->used;
}

size_t zone_arena_live(const zone_arena_t *a)
{
	return atomic_load_explicit(&a->live, memory_order_relaxed);
}

uint32_t zone_arena_next_change(zone_arena_t *a)
{
	return ++a->change;
}

status_t zone_blocks_add(zone_blocks_t *list, zone_ref_t ref, size_t octets)
{
	zone_block_t *grown = grow(list->block, list->count, &list->room, sizeof *grown);

	if (!grown)
		return ST_NOMEM;
	list->block = grown;
	list->block[list->count++] = (zone_block_t){ ref, (uint32_t)zone_units(octets) };
	return ST_OK;
}

void zone_blocks_free(zone_blocks_t *list)
{
	free(list->block);
	*list = (zone_blocks_t){ 0 };
}
