/* common/random.c - getrandom, whole or not at all. */
#include "common/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void random_bytes(void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno != EINTR)
			abort(); /* predictable ids and hash keys are worse than no daemon */
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}
