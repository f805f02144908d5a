/* common/huge.c - mmap with a word about huge pages, or malloc. */
#include "common/huge.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const size_t FROM = (size_t)4 << 20;
static const size_t PAGE = (size_t)2 << 20;

static size_t mapped(size_t size)
{
	return (size + PAGE - 1) / PAGE * PAGE;
}

void *huge_take(size_t size)
{
	if (size < FROM)
		return malloc(size ? size : 1);
	void *p = mmap(NULL, mapped(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	               0);
	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, mapped(size), MADV_HUGEPAGE); /* refused: small pages do as well */
	return p;
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
	grown = huge_take(larger);
	if (grown && p) {
		memcpy(grown, p, size);
		huge_give(p, size);
	}
	return grown;
}
