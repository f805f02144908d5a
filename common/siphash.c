/* common/siphash.c - SipHash-1-3 and SipHash-2-4. */
#include "common/siphash.h"

#include <string.h>

static inline uint64_t rotl(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}

typedef struct sip {
	uint64_t v0, v1, v2, v3;
} sip_t;

static inline void sip_round(sip_t *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline sip_t sip_start(const siphash_key_t *key)
{
	return (sip_t){
		.v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->k1 ^ UINT64_C(0x7465646279746573),
	};
}

/* How many rounds a word takes, and the end. Constants by inlining: no loop of rounds is left. */
typedef struct sip_kind {
	unsigned word, end;
} sip_kind_t;

static const sip_kind_t sip13 = { 1, 3 }, sip24 = { 2, 4 };

#define INLINE static inline __attribute__((always_inline))

INLINE void sip_word(sip_t *s, uint64_t m, sip_kind_t kind)
{
	s->v3 ^= m;
#pragma GCC unroll 4
	for (unsigned i = 0; i < kind.word; i++)
		sip_round(s);
	s->v0 ^= m;
}

/* Fewer than eight octets as a word, without a loop over them: what is loaded twice is the same. */
INLINE uint64_t sip_rest(const uint8_t *p, size_t n)
{
	uint32_t first, last;

	if (n >= 4) {
		memcpy(&first, p, 4);
		memcpy(&last, p + n - 4, 4);
		return first | (uint64_t)last << 8 * (n - 4);
	}
	if (n == 0)
		return 0;
	return p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) | (uint64_t)p[n - 1] << 8 * (n - 1);
}

/* The data and the closing word; before is what was fed already, in bytes. */
INLINE uint64_t sip_finish(sip_t *s, const uint8_t *p, size_t len, size_t before, sip_kind_t kind)
{
	uint64_t last = (uint64_t)(len + before) << 56, m;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&m, p, 8);
		sip_word(s, m, kind);
	}
	sip_word(s, last | sip_rest(p, len), kind);
	s->v2 ^= 0xff;
#pragma GCC unroll 4
	for (unsigned i = 0; i < kind.end; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash13(const siphash_key_t *key, const void *data, size_t len)
{
	sip_t s = sip_start(key);

	return sip_finish(&s, data, len, 0, sip13);
}

uint64_t siphash13_chain(const siphash_key_t *key, uint64_t head, const void *data, size_t len)
{
	sip_t s = sip_start(key);

	sip_word(&s, head, sip13);
	return sip_finish(&s, data, len, 8, sip13);
}

uint64_t siphash24(const siphash_key_t *key, const void *data, size_t len)
{
	sip_t s = sip_start(key);

	return sip_finish(&s, data, len, 0, sip24);
}
