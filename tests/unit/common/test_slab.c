/* tests/unit/common/test_slab.c - what is taken is nobody else's, and what is given serves again. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "common/slab.h"

enum { MIB = 1 << 20, BLOCK = 2 * MIB };

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

typedef struct thing {
	uint8_t *p;
	size_t size;
	uint8_t mark;
} thing_t;

static void take(slab_t *s, thing_t *t, size_t size, uint8_t mark)
{
	*t = (thing_t){ .p = slab_take(s, size), .size = size, .mark = mark };
	cr_assert(t->p != NULL);
	cr_assert(eq(u64, (uintptr_t)t->p % 16, 0), "%zu octets", size);
	memset(t->p, mark, size);
}

static void give(slab_t *s, thing_t *t)
{
	for (size_t i = 0; i < t->size; i++)
		cr_assert(eq(u8, t->p[i], t->mark), "octet %zu of %zu", i, t->size);
	slab_give(s, t->p, t->size);
	t->p = NULL;
}

/* Sizes of all classes, their borders, and beyond. */
static size_t some_size(uint32_t *seed)
{
	const unsigned kind = next_random(seed) % 8;
	const size_t near = 16 * (next_random(seed) % (SLAB_MOST / 16 + 20));

	if (kind == 0)
		return near + next_random(seed) % 3;
	return next_random(seed) % (kind < 6 ? 700 : SLAB_MOST + 100);
}

static void take_and_give(slab_t *s, thing_t *things, size_t count, unsigned steps, uint32_t seed)
{
	for (unsigned n = 0; n < steps; n++) {
		thing_t *t = &things[next_random(&seed) % count];

		if (t->p)
			give(s, t);
		else
			take(s, t, some_size(&seed), (uint8_t)next_random(&seed));
	}
	for (size_t i = 0; i < count; i++) {
		if (things[i].p)
			give(s, &things[i]);
	}
}

Test(slab, what_is_taken_is_nobody_elses)
{
	static thing_t things[4000];
	slab_t *s = slab_new();

	for (uint32_t seed = 1; seed <= 20; seed++)
		take_and_give(s, things, seed % 2 ? 2000 : 50, 10000, seed);
	cr_expect(le(sz, slab_held(s), BLOCK), "it goes back");
	slab_free(s);
}

static void fill(slab_t *s, thing_t *things, size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++)
		take(s, &things[i], size, (uint8_t)i);
}

/* Of each size, as many as 5 MiB need: little more is had, and all but a block goes back, whatever the order. */
Test(slab, many_of_one_size_take_what_they_need)
{
	static const size_t sizes[] = { 1, 16, 17, 160, 200, 528, 1024, 1025, 4096, 8192 };
	static thing_t things[5 * MIB / 16];
	slab_t *s = slab_new();

	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		const size_t size = sizes[k], rounded = (size + 15) / 16 * 16;
		const size_t count = 5 * MIB / (rounded > 1024 ? size : rounded);

		fill(s, things, count, size);
		cr_expect(le(sz, slab_held(s), 9 * MIB), "%zu octets", size);
		for (size_t i = 0; i < count; i += 2)
			give(s, &things[i]);
		for (size_t i = 1; i < count; i += 2)
			give(s, &things[i]);
		cr_expect(le(sz, slab_held(s), BLOCK), "%zu octets", size);
	}
	slab_free(s);
}

Test(slab, what_one_size_has_given_serves_another)
{
	static thing_t things[40000], others[40000];
	slab_t *s = slab_new();

	fill(s, things, 40000, 400);
	const size_t held = slab_held(s);
	for (size_t i = 0; i < 40000; i++) {
		if (i % 4000 != 0)
			give(s, &things[i]);
	}
	fill(s, others, 10000, 1000);
	cr_expect(le(sz, slab_held(s), held));
	for (size_t i = 0; i < 40000; i += 4000)
		give(s, &things[i]);
	for (size_t i = 0; i < 10000; i++)
		give(s, &others[i]);
	slab_free(s);
}

Test(slab, without_one_it_is_mallocs)
{
	thing_t t;

	take(NULL, &t, 100, 7);
	give(NULL, &t);
	slab_give(NULL, NULL, 100);
	slab_free(NULL);
}

/* What one thread takes, another gives. */
enum { THREADS = 4, EACH = 10000 };
typedef struct worker {
	pthread_t thread;
	slab_t *slab;
	uint32_t seed;
	thing_t *mine, *others;
} worker_t;

static void *work(void *arg)
{
	worker_t *w = arg;

	for (size_t i = 0; i < EACH; i++) {
		give(w->slab, &w->others[i]);
		take(w->slab, &w->mine[i], some_size(&w->seed) % 600, (uint8_t)w->seed);
	}
	return NULL;
}

Test(slab, threads_give_what_others_took)
{
	static thing_t things[2][THREADS][EACH];
	worker_t w[THREADS];
	slab_t *s = slab_new();
	uint32_t seed = 1;

	for (unsigned i = 0; i < THREADS; i++) {
		for (size_t k = 0; k < EACH; k++)
			take(s, &things[0][i][k], some_size(&seed) % 600, (uint8_t)k);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (worker_t){
			.slab = s, .seed = i + 1, .mine = things[1][i], .others = things[0][i]
		};
		cr_assert(eq(int, pthread_create(&w[i].thread, NULL, work, &w[i]), 0));
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		for (size_t k = 0; k < EACH; k++)
			give(s, &things[1][i][k]);
	}
	cr_expect(le(sz, slab_held(s), BLOCK));
	slab_free(s);
}

/* Nobody gives at the end what a daemon has taken. */
Test(slab, goes_with_all_that_was_taken)
{
	enum { PAGE = 4096 };
	static thing_t things[100000];
	slab_t *s = slab_new();

	fill(s, things, 100000, 100);
	void *page = (void *)((uintptr_t)things[0].p & ~(uintptr_t)(PAGE - 1));
	cr_assert(eq(int, msync(page, PAGE, MS_ASYNC), 0));
#ifdef __SANITIZE_ADDRESS__
	for (size_t i = 0; i < 100000; i++) /* there it is malloc's */
		give(s, &things[i]);
#endif
	slab_free(s);
#ifndef __SANITIZE_ADDRESS__
	errno = 0;
	cr_expect(eq(int, msync(page, PAGE, MS_ASYNC), -1));
	cr_expect(eq(int, errno, ENOMEM), "it is still there");
#endif
}
