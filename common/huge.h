/* common/huge.h - memory for big arrays: those that live for a moment, and blocks of small things (common/slab.h).
 *
 * From 1 MiB on it comes straight from the system in huge pages where there are any, aligned to
 * them: a build of a million records touches some hundred MB once, and on a virtual machine the
 * page faults of small pages cost more than the work. Below, it is malloc's. What is freed goes
 * back to the system at once, and is what the system hands out next: memory that was in use a
 * moment ago is far cheaper there than memory that the host has to find. Any thread. */
#pragma once

#include <stddef.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* size octets, not zeroed; NULL: no memory. */
void *huge_take(size_t size);

/* size as it was taken; NULL is fine. */
void huge_give(void *p, size_t size);

/* A larger block with the content of the old one, which is given back. NULL: no memory, and p is
 * as it was. */
void *huge_grow(void *p, size_t size, size_t larger);

/* The first done octets of a block of this size are not needed any more: what is whole pages of
 * them, beyond those that were given before, goes back. The block itself is still to be given.
 * before: what done was the last time, 0 at first. */
void huge_give_front(void *p, size_t size, size_t before, size_t done);
