/* common/huge.c - mmap with a word about huge pages, or malloc. */
#include "common/huge.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const size_t FROM = HUGE_PAGE / 2;

static size_t mapped(size_t size)
{
	return (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

/* A range of whole huge pages: one more is asked for, and what lies across goes back. */
static void *map_aligned(size_t size)
{
	size_t len = mapped(size);
	uint8_t *p = mmap(NULL, len + HUGE_PAGE, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	size_t front = -(uintptr_t)p % HUGE_PAGE;
	if (front > 0)
		munmap(p, front);
	munmap(p + front + len, HUGE_PAGE - front);
	(void)madvise(p + front, len, MADV_HUGEPAGE); /* refused: small pages do as well */
	return p + front;
}

void *huge_take(size_t size)
{
	return size < FROM ? malloc(size ? size : 1) : map_aligned(size);
}

void huge_give(void *p, size_t size)
{
	if (size < FROM)
		free(p);
	else if (p)
		munmap(p, mapped(size));
}

void *huge_grow(void *p, size_t size, size_t larger)
{
	void *grown;

	if (larger < FROM)
		return realloc(p, larger);
	grown = map_aligned(larger);
	if (!grown || !p)
		return grown;
	if (size < FROM) {
		memcpy(grown, p, size);
		free(p);
		return grown;
	}
	/* The pages themselves move: nothing is copied, and nothing needed twice. */
	if (mremap(p, mapped(size), mapped(size), MREMAP_MAYMOVE | MREMAP_FIXED, grown) == grown)
		return grown;
	munmap(grown, mapped(larger));
	return NULL;
}

void huge_give_front(void *p, size_t size, size_t before, size_t done)
{
	size_t from = before / HUGE_PAGE * HUGE_PAGE, to = done / HUGE_PAGE * HUGE_PAGE;

	if (size >= FROM && to > from)
		(void)madvise((uint8_t *)p + from, to - from, MADV_DONTNEED);
}
