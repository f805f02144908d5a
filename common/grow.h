/* common/grow.h - an array that doubles when it is full. Any thread, one at a time for each array. */
#pragma once

#include <stdlib.h>

/* The array with room for one more than count; *room elements of this size are allocated, at first 0.
 * NULL: no memory, and the array is as it was. */
static inline void *grow(void *array, size_t count, size_t *room, size_t size)
{
	const size_t more = *room ? 2 * *room : 16;
	void *grown;

	if (count < *room)
		return array;
	grown = reallocarray(array, more, size);
	if (grown)
		*room = more;
	return grown;
}
