/* common/buf.h - the only code that does offset arithmetic on wire bytes.
 *
 * Two cursors, both with a sticky failure: reading past the end (or writing past the
 * room) sets bad and yields zeros (or writes nothing); check buf_ok()/bufw_ok() once
 * after a group of calls, before any of the values is trusted. Neither cursor owns
 * its bytes. Any thread; a cursor belongs to one caller at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Unaligned big-endian access to bytes that the caller has already bounded. */
static inline uint16_t get_u16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap16(v);
}

static inline uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap32(v);
}

static inline uint64_t get_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v);
}

static inline void put_u16(uint8_t *p, unsigned v)
{
	uint16_t be = __builtin_bswap16((uint16_t)v);

	memcpy(p, &be, sizeof be);
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
	uint32_t be = __builtin_bswap32(v);

	memcpy(p, &be, sizeof be);
}

static inline void put_u64(uint8_t *p, uint64_t v)
{
	uint64_t be = __builtin_bswap64(v);

	memcpy(p, &be, sizeof be);
}

/* Octets of a name or a label: few, and a call costs more than they do, as does an instruction for
 * long strings, which compilers make of a memcpy() that they know to be short. Two words that may
 * overlap hold what is from one to two words long. */
static inline void copy_few(uint8_t *to, const uint8_t *from, size_t n)
{
	for (; n > 16; n -= 16, to += 16, from += 16)
		memcpy(to, from, 16);
	if (n >= 8) {
		memcpy(to, from, 8);
		memcpy(to + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		memcpy(to, from, 4);
		memcpy(to + n - 4, from + n - 4, 4);
	} else if (n > 0) {
		to[0] = from[0];
		to[n / 2] = from[n / 2];
		to[n - 1] = from[n - 1];
	}
}

/* The reader. base..base+len may be read, pos is the next byte. */
typedef struct buf {
	const uint8_t *base;
	size_t len;
	size_t pos;
	bool bad;
} buf_t;

static inline buf_t buf_over(const uint8_t *base, size_t len)
{
	return (buf_t){ .base = base, .len = len };
}

static inline bool buf_ok(const buf_t *b)
{
	return !b->bad;
}

static inline size_t buf_left(const buf_t *b)
{
	return b->len - b->pos;
}

/* n bytes at the cursor, which moves past them; NULL (and bad) when fewer are left. */
static inline const uint8_t *buf_take(buf_t *b, size_t n)
{
	const uint8_t *p = b->base + b->pos;

	if (b->bad || n > b->len - b->pos) {
		b->bad = true;
		return NULL;
	}
	b->pos += n;
	return p;
}

static inline uint8_t buf_u8(buf_t *b)
{
	const uint8_t *p = buf_take(b, 1);

	return p ? *p : 0;
}

static inline uint16_t buf_u16(buf_t *b)
{
	const uint8_t *p = buf_take(b, 2);

	return p ? get_u16(p) : 0;
}

static inline uint32_t buf_u32(buf_t *b)
{
	const uint8_t *p = buf_take(b, 4);

	return p ? get_u32(p) : 0;
}

static inline uint64_t buf_u64(buf_t *b)
{
	const uint8_t *p = buf_take(b, 8);

	return p ? get_u64(p) : 0;
}

/* The writer. Room is base..base+room, pos is the next byte to write. */
typedef struct bufw {
	uint8_t *base;
	size_t room;
	size_t pos;
	bool bad;
} bufw_t;

static inline bufw_t bufw_over(uint8_t *base, size_t room)
{
	return (bufw_t){ .base = base, .room = room };
}

static inline bool bufw_ok(const bufw_t *b)
{
	return !b->bad;
}

/* Room for n bytes, which the caller fills; NULL (and bad) when it is not there. */
static inline uint8_t *bufw_take(bufw_t *b, size_t n)
{
	uint8_t *p = b->base + b->pos;

	if (b->bad || n > b->room - b->pos) {
		b->bad = true;
		return NULL;
	}
	b->pos += n;
	return p;
}

static inline void bufw_u8(bufw_t *b, unsigned v)
{
	uint8_t *p = bufw_take(b, 1);

	if (p)
		*p = (uint8_t)v;
}

static inline void bufw_u16(bufw_t *b, unsigned v)
{
	uint8_t *p = bufw_take(b, 2);

	if (p)
		put_u16(p, v);
}

static inline void bufw_u32(bufw_t *b, uint32_t v)
{
	uint8_t *p = bufw_take(b, 4);

	if (p)
		put_u32(p, v);
}

static inline void bufw_u64(bufw_t *b, uint64_t v)
{
	uint8_t *p = bufw_take(b, 8);

	if (p)
		put_u64(p, v);
}

static inline void bufw_bytes(bufw_t *b, const void *src, size_t n)
{
	uint8_t *p = bufw_take(b, n);

	if (p && n)
		memcpy(p, src, n);
}
