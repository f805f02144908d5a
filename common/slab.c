/* common/slab.c - blocks of spans, spans of things.
 *
 * A block begins where a huge page does, so that of each thing its block is known. Its first octets are
 * the heads of all spans, at the cost of the first one. A thing that is free holds the way to the next one. */
#include "common/slab.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/huge.h"

enum {
	SPAN = 64 * 1024,
	SPANS = (int)(HUGE_PAGE / SPAN),
	HEAD = 4096, /* of a block, in its first span */
	FINE = 16,   /* steps of sizes up to */
	FINE_MOST = 1024,
	COARSE = 128, /* and beyond */
	CLASSES = FINE_MOST / FINE + (SLAB_MOST - FINE_MOST) / COARSE,
};

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define BY_MALLOC
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined BY_MALLOC
static const bool by_malloc = true;
#else
static const bool by_malloc = false;
#endif

typedef struct thing {
	struct thing *next;
} thing_t;

/* In a list from which it can go by itself. */
typedef struct link {
	struct link *next, **at;
} link_t;

typedef struct span {
	link_t link; /* among those of its class with room for one more */
	thing_t *free;
	uint32_t used, cut; /* things that are taken; that were ever cut off */
	uint32_t most, size;
	unsigned class;
} span_t;

typedef struct block {
	link_t link;    /* among those with a span to spare */
	link_t all;     /* among all */
	uint32_t spare; /* a bit for each span */
	span_t span[SPANS];
} block_t;

_Static_assert(sizeof(block_t) <= HEAD && HEAD % FINE == 0, "things begin behind it");
_Static_assert(SPANS == 32, "spare has a bit for each");

struct slab {
	pthread_mutex_t mutex;
	link_t *room[CLASSES]; /* spans */
	link_t *all, *spare;   /* blocks; spare: with a span to spare */
	size_t blocks;
};

static const uint32_t ALL_SPARE = UINT32_MAX;

/* --- sizes --------------------------------------------------------------------------------------- */

static unsigned class_of(size_t size)
{
	if (size <= FINE_MOST)
		return size == 0 ? 0 : (unsigned)((size - 1) / FINE);
	return (unsigned)(FINE_MOST / FINE + (size - FINE_MOST - 1) / COARSE);
}

static uint32_t size_of(unsigned class)
{
	const unsigned fine = FINE_MOST / FINE;

	return class < fine ? (class + 1) * FINE : FINE_MOST + (class - fine + 1) * COARSE;
}

/* --- lists --------------------------------------------------------------------------------------- */

static void put_in(link_t **list, link_t *l)
{
	l->next = *list;
	l->at = list;
	if (l->next)
		l->next->at = &l->next;
	*list = l;
}

static void take_out(link_t *l)
{
	*l->at = l->next;
	if (l->next)
		l->next->at = l->at;
}

/* --- blocks -------------------------------------------------------------------------------------- */

static block_t *block_of(const void *p)
{
	return (void *)((uintptr_t)p & ~(uintptr_t)(HUGE_PAGE - 1));
}

static block_t *new_block(slab_t *s)
{
	block_t *b = huge_take(HUGE_PAGE);

	if (!b)
		return NULL;
	/* Who has a few zones shall not pay for what thousands need. */
	if (s->blocks++ == 0)
		(void)madvise(b, HUGE_PAGE, MADV_NOHUGEPAGE);
	b->spare = ALL_SPARE;
	put_in(&s->all, &b->all);
	put_in(&s->spare, &b->link);
	return b;
}

/* One of the first ones that are needed goes on being there: it would be taken again at once. */
static void drop_block(slab_t *s, block_t *b)
{
	if (s->spare == &b->link && !b->link.next)
		return;
	take_out(&b->link);
	take_out(&b->all);
	s->blocks--;
	huge_give(b, HUGE_PAGE);
}

/* --- spans --------------------------------------------------------------------------------------- */

static span_t *new_span(slab_t *s, unsigned class)
{
	block_t *b = s->spare ? (block_t *)(void *)s->spare : new_block(s);

	if (!b)
		return NULL;
	const unsigned i = (unsigned)__builtin_ctz(b->spare);
	span_t *p = &b->span[i];
	*p = (span_t){ .size = size_of(class), .class = class };
	p->most = (SPAN - (i == 0 ? HEAD : 0)) / p->size;
	b->spare &= b->spare - 1;
	if (b->spare == 0)
		take_out(&b->link);
	put_in(&s->room[class], &p->link);
	return p;
}

static void drop_span(slab_t *s, block_t *b, span_t *p)
{
	take_out(&p->link);
	if (b->spare == 0)
		put_in(&s->spare, &b->link);
	b->spare |= UINT32_C(1) << (p - b->span);
	if (b->spare == ALL_SPARE)
		drop_block(s, b);
}

static uint8_t *start_of(span_t *p)
{
	block_t *b = block_of(p);

	return (uint8_t *)b + (p == b->span ? HEAD : (size_t)(p - b->span) * SPAN);
}

static void *take_from(span_t *p)
{
	thing_t *thing = p->free;

	if (thing)
		p->free = thing->next;
	else
		thing = (void *)(start_of(p) + (size_t)p->cut++ * p->size);
	if (++p->used == p->most)
		take_out(&p->link);
	return thing;
}

static void give_to(slab_t *s, thing_t *thing)
{
	block_t *b = block_of(thing);
	span_t *p = &b->span[((uintptr_t)thing - (uintptr_t)b) / SPAN];

	thing->next = p->free;
	p->free = thing;
	if (p->used-- == p->most)
		put_in(&s->room[p->class], &p->link);
	if (p->used == 0)
		drop_span(s, b, p);
}

/* --- life ---------------------------------------------------------------------------------------- */

slab_t *slab_new(void)
{
	slab_t *s = calloc(1, sizeof *s);

	if (s)
		pthread_mutex_init(&s->mutex, NULL);
	return s;
}

void slab_free(slab_t *s)
{
	if (!s)
		return;
	for (link_t *l = s->all, *next; l; l = next) {
		next = l->next;
		huge_give(block_of(l), HUGE_PAGE);
	}
	pthread_mutex_destroy(&s->mutex);
	free(s);
}

static bool is_mallocs(const slab_t *s, size_t size)
{
	return by_malloc || !s || size > SLAB_MOST;
}

void *slab_take(slab_t *s, size_t size)
{
	const unsigned class = class_of(size);

	if (is_mallocs(s, size))
		return malloc(size);
	pthread_mutex_lock(&s->mutex);
	span_t *p = s->room[class] ? (span_t *)(void *)s->room[class] : new_span(s, class);
	void *thing = p ? take_from(p) : NULL;
	pthread_mutex_unlock(&s->mutex);
	return thing;
}

void slab_give(slab_t *s, void *p, size_t size)
{
	if (!p || is_mallocs(s, size)) {
		free(p);
		return;
	}
	pthread_mutex_lock(&s->mutex);
	give_to(s, p);
	pthread_mutex_unlock(&s->mutex);
}

size_t slab_held(slab_t *s)
{
	pthread_mutex_lock(&s->mutex);
	const size_t held = s->blocks * HUGE_PAGE;
	pthread_mutex_unlock(&s->mutex);
	return held;
}
