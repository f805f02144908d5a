/* common/slab.h - memory for very many small things, in huge pages.
 *
 * What malloc has for a hundred thousand zones lies in pages of 4 KiB, each of which the system hands out by a
 * fault of its own: at a start, on a virtual machine, these take longer than the work. Here blocks of 2 MiB come at
 * once, and are cut up into spans of 64 KiB, each for things of one size, whose steps are 16 octets up to
 * 1 KiB and 128 beyond. There are no heads; a span that is empty serves for another size, a block that is
 * empty goes back to the system. Things of over SLAB_MOST octets are malloc's.
 *
 * Any thread takes and gives: under a mutex, for a few instructions or, where a block comes or goes, a system call. One
 * thing that stays keeps its span, and a span its block. Under ASan all is malloc's, so that it sees what is used after
 * it was given. */
#pragma once

#include <stddef.h>

enum { SLAB_MOST = 8192 };

typedef struct slab slab_t;

slab_t *slab_new(void); /* NULL: no memory */

/* With all that was taken from it and not given, but what is malloc's. NULL is fine. */
void slab_free(slab_t *s);

/* size octets, 16-aligned, not zeroed. s NULL: malloc's. NULL: no memory. */
void *slab_take(slab_t *s, size_t size);

/* p and its size as it was taken from s; NULL is fine. */
void slab_give(slab_t *s, void *p, size_t size);

/* What is held of the system, in octets. */
size_t slab_held(slab_t *s);
