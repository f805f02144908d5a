/* tests/unit/state/dice.h - numbers by chance, the same ones for each seed (splitmix64). */
#pragma once

#include <stdint.h>

typedef struct dice {
	uint64_t state;
} dice_t;

static inline uint64_t dice_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t dice_next(dice_t *d)
{
	d->state += UINT64_C(0x9e3779b97f4a7c15);
	return dice_mix(d->state);
}

/* Less than n; 0 of 0. */
static inline uint32_t dice_below(dice_t *d, uint32_t n)
{
	return n ? (uint32_t)(dice_next(d) % n) : 0;
}
