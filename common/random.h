/* common/random.h - unpredictable bytes: query ids, hash keys, jitter.
 *
 * Straight from the kernel (getrandom); a process that can't get any must not go on. Any
 * thread, but a system call: never per query answered. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len);

static inline uint16_t random_u16(void)
{
	uint16_t v;

	random_bytes(&v, sizeof v);
	return v;
}
