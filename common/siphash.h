/* common/siphash.h - SipHash-1-3, the keyed hash for names and addresses that strangers choose, and
 * SipHash-2-4, the one that RFC 9018 makes cookies with.
 *
 * J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF". One compression and
 * three finalization rounds are what hash tables need; the key is random per process. Two and
 * four are for what leaves the process. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct siphash_key {
	uint64_t k0, k1;
} siphash_key_t;

/* Any thread, no state. */
uint64_t siphash13(const siphash_key_t *key, const void *data, size_t len);

/* The same with a 64-bit word in front of the data: the chain that gives a child's hash from
 * its parent's. Equal to hashing the eight little-endian bytes of head followed by data. */
uint64_t siphash13_chain(const siphash_key_t *key, uint64_t head, const void *data, size_t len);

uint64_t siphash24(const siphash_key_t *key, const void *data, size_t len);
