/* common/huge.h - memory for big arrays that live for a moment.
 *
 * From 4 MiB on it comes straight from the system in huge pages where there are any: a build of a
 * million records touches some hundred MB once, and on a virtual machine the page faults of small
 * pages cost more than the work. Below, it is malloc's. What is freed goes back to the system at
 * once. Any thread. */
#pragma once

#include <stddef.h>

/* size octets, not zeroed; NULL: no memory. */
void *huge_take(size_t size);

/* size as it was taken; NULL is fine. */
void huge_give(void *p, size_t size);

/* A larger block with the content of the old one, which is given back. NULL: no memory, and p is
 * as it was. */
void *huge_grow(void *p, size_t size, size_t larger);
