/* zone/index.c - pages of 64 references, buckets of tags.
 *
 * The figures behind it, for a million names at random on one core: a flat table of eight-octet
 * slots took 16.8 octets a name and one cold line; this takes 7, and its pages (270 KB) stay in
 * the second-level cache, so that it is one cold line (two for a bucket that lies across) as
 * well, and a change costs the copies of two or three pages of 264 octets. */
#include "zone/index.h"

#include <stdlib.h>

#include "common/huge.h"
#include "zone/tree.h"

enum {
	PAGE_BITS = 6,
	AIM = 16,          /* names a bucket when built, at most */
	CROWDED = 48,      /* names in a bucket from which on it is a tree */
	FEW = 4,           /* names a bucket below which the table is too large, and */
	MANY = 32,         /* above which it is too small */
	ROUND = 4,         /* a bucket's room is a multiple of it */
	TREE = UINT16_MAX, /* in count: the bucket is a tree, its root follows */
};

typedef struct page {
	uint32_t change;
	zone_ref_t ref[]; /* 2 to the bits of its level */
} page_t;

typedef struct bucket {
	uint32_t change;
	uint16_t count, room;
	uint16_t tag[]; /* room of them; behind them, room references. Of a tree: its root */
} bucket_t;

enum { BUCKET_HEAD = sizeof(bucket_t), TREE_SIZE = sizeof(bucket_t) + sizeof(zone_ref_t) };

static size_t page_size(unsigned bits)
{
	return sizeof(page_t) + (sizeof(zone_ref_t) << bits);
}

static size_t bucket_size(unsigned room)
{
	return BUCKET_HEAD + room * (sizeof(uint16_t) + sizeof(zone_ref_t));
}

static size_t bucket_octets(const bucket_t *b)
{
	return b->count == TREE ? (size_t)TREE_SIZE : bucket_size(b->room);
}

static page_t *page_at(const uint8_t *base, zone_ref_t ref)
{
	return (page_t *)(uintptr_t)(base + (size_t)ref * ZONE_UNIT);
}

static bucket_t *bucket_at(const uint8_t *base, zone_ref_t ref)
{
	return (bucket_t *)(uintptr_t)(base + (size_t)ref * ZONE_UNIT);
}

static zone_ref_t *bucket_refs(const bucket_t *b)
{
	return (zone_ref_t *)(uintptr_t)(b->tag + b->room);
}

/* The root of the tree that the bucket is. */
static zone_ref_t *bucket_root(const bucket_t *b)
{
	return (zone_ref_t *)(uintptr_t)b->tag;
}

static const zone_node_t *node_at(const uint8_t *base, zone_ref_t ref)
{
	return (const void *)(base + (size_t)ref * ZONE_UNIT);
}

static uint16_t tag_of(uint64_t hash)
{
	return (uint16_t)zone_named_top(hash);
}

/* The bits of the next level down, when left bits are still to be used. */
static unsigned level_bits(unsigned left)
{
	return left % PAGE_BITS ? left % PAGE_BITS : PAGE_BITS;
}

/* Where the bucket's reference stands: in its page, or x->root. */
static const zone_ref_t *bucket_place(const uint8_t *base, const zone_index_t *x, uint64_t hash)
{
	const zone_ref_t *ref = &x->root;

	for (unsigned left = x->bits; left > 0;) {
		unsigned n = level_bits(left);

		ref = &page_at(base, *ref)->ref[hash >> (64 - n)];
		hash <<= n;
		left -= n;
	}
	return ref;
}

static zone_ref_t bucket_of(const uint8_t *base, const zone_index_t *x, uint64_t hash)
{
	return *bucket_place(base, x, hash);
}

static const zone_node_t *find_in_tree(const uint8_t *base, zone_ref_t root, const uint8_t *rel,
                                       size_t rel_len)
{
	unsigned labels = 0;
	zone_key_t key;

	for (size_t i = 0; i < rel_len; i += rel[i] + 1u)
		labels++;
	zone_key_of(rel, labels, &key);
	zone_ref_t ref = zone_tree_floor(base, root, &key);
	const zone_node_t *node = ref != 0 ? node_at(base, ref) : NULL;
	return node && node->rel_len == rel_len && memcmp(node->name, rel, rel_len) == 0 ? node
	                                                                                 : NULL;
}

/* The first entry at or behind from that has the tag, of a bucket that is no tree; its count: none
 * has. Four at a time, since room is a multiple of it. */
static unsigned next_tagged(const bucket_t *b, uint16_t tag, unsigned from)
{
	const uint64_t each = 0x0001000100010001, low = 0x7fff * each;

	for (unsigned i = from / ROUND * ROUND; i < b->count; i += ROUND) {
		uint64_t four;

		memcpy(&four, b->tag + i, sizeof four);
		four ^= tag * each;
		/* The top bit of each that is. */
		uint64_t equal = ~(((four & low) + low) | four | low);
		if (i < from)
			equal &= UINT64_MAX << 16 * (from - i);
		if (equal) {
			i += (unsigned)__builtin_ctzll(equal) / 16;
			return i < b->count ? i : b->count;
		}
	}
	return b->count;
}

const zone_node_t *zone_index_find(const uint8_t *base, const zone_index_t *x, uint64_t hash,
                                   const uint8_t *rel, size_t rel_len)
{
	const bucket_t *b = bucket_at(base, bucket_of(base, x, hash));
	uint16_t tag = tag_of(hash);

	if (b->count == TREE)
		return find_in_tree(base, *bucket_root(b), rel, rel_len);
	const zone_ref_t *refs = bucket_refs(b);
	for (unsigned i = 0; (i = next_tagged(b, tag, i)) < b->count; i++) {
		const zone_node_t *node = node_at(base, refs[i]);

		if (node->rel_len == rel_len && memcmp(node->name, rel, rel_len) == 0)
			return node;
	}
	return NULL;
}

/* The first node that may be the one; NULL: there is none, or a tree. */
static const zone_node_t *node_ahead(const uint8_t *base, const bucket_t *b, uint64_t hash)
{
	unsigned i;

	if (b->count == TREE || (i = next_tagged(b, tag_of(hash), 0)) == b->count)
		return NULL;
	return node_at(base, bucket_refs(b)[i]);
}

/* 128 octets, which may lie across three lines. */
static void prefetch_128(const uint8_t *p)
{
	__builtin_prefetch(p);
	__builtin_prefetch(p + 64);
	__builtin_prefetch(p + 127);
}

void zone_index_prefetch(const uint8_t *base, const zone_index_t *x, uint64_t hash, unsigned step,
                         const void **at)
{
	switch (step) {
	case 0:
		*at = bucket_place(base, x, hash);
		__builtin_prefetch(*at);
		return;
	case 1: /* sixteen names are a hundred octets */
		*at = bucket_at(base, *(const zone_ref_t *)*at);
		prefetch_128(*at);
		return;
	case 2:
		*at = node_ahead(base, *at, hash);
		return;
	default: /* apart from the search (zone/version.h) */
		if (*at)
			prefetch_128((const uint8_t *)*at - x->ahead);
	}
}

/* --- building ----------------------------------------------------------------------------------- */

static zone_ref_t new_bucket(zone_change_t *c, unsigned count)
{
	unsigned room = (count + ROUND - 1) / ROUND * ROUND;
	zone_ref_t ref = zone_change_take(c, bucket_size(room ? room : ROUND));

	if (ref != 0) {
		bucket_t *b = bucket_at(c->base, ref);

		*b = (bucket_t){ .change = c->number, .room = (uint16_t)(room ? room : ROUND) };
	}
	return ref;
}

typedef struct sorting {
	const uint8_t *base;
} sorting_t;

static int by_name(const void *a, const void *b, void *arg)
{
	const sorting_t *s = arg;
	const zone_node_t *x = node_at(s->base, *(const zone_ref_t *)a);
	const zone_node_t *y = node_at(s->base, *(const zone_ref_t *)b);

	return zone_rel_cmp(x->name, x->rel_labels, y->name, y->rel_labels);
}

static zone_ref_t new_tree_bucket(zone_change_t *c, zone_ref_t *refs, size_t count)
{
	sorting_t s = { c->base };
	zone_ref_t ref = zone_change_take(c, TREE_SIZE), root;

	qsort_r(refs, count, sizeof *refs, by_name, &s);
	if (ref == 0 || zone_tree_build(c, refs, count, &root) != ST_OK)
		return 0;
	bucket_t *b = bucket_at(c->base, ref);
	*b = (bucket_t){ .change = c->number, .count = TREE };
	*bucket_root(b) = root;
	return ref;
}

/* named[0..count) belong to one bucket. */
static zone_ref_t fill_bucket(zone_change_t *c, const zone_named_t *named, size_t count)
{
	zone_ref_t ref;

	if (count > CROWDED) {
		zone_ref_t *refs = malloc(count * sizeof *refs);

		for (size_t i = 0; refs && i < count; i++)
			refs[i] = named[i].ref;
		ref = refs ? new_tree_bucket(c, refs, count) : 0;
		free(refs);
		return ref;
	}
	ref = new_bucket(c, (unsigned)count);
	if (ref == 0)
		return 0;
	bucket_t *b = bucket_at(c->base, ref);
	b->count = (uint16_t)count;
	for (size_t i = 0; i < count; i++) {
		b->tag[i] = (uint16_t)named[i].top;
		bucket_refs(b)[i] = named[i].ref;
	}
	return ref;
}

enum {
	DIGIT = 8,
	AHEAD = 8,
	SPREAD =
		1
		<< 17, /* names from which on another array pays: they lie in no cache, but in huge pages */
};

/* The n bits of the hash behind the first done ones. */
static size_t digit(uint32_t top, unsigned done, unsigned n)
{
	return (top << done) >> (32 - n);
}

/* Move each to where its part grows, until one comes that belongs where it is. at[i], end[i]: of
 * what is still to be seen to of part i. */
static void distribute(zone_named_t *named, size_t *at, const size_t *end, unsigned done,
                       unsigned n)
{
	for (size_t i = 0; i < (size_t)1 << n; i++) {
		while (at[i] < end[i]) {
			zone_named_t moving = named[at[i]];
			size_t to;

			while ((to = digit(moving.top, done, n)) != i) {
				zone_named_t there = named[at[to]];

				named[at[to]++] = moving;
				__builtin_prefetch(&named[at[to] + AHEAD], 1);
				moving = there;
			}
			named[at[i]++] = moving;
		}
	}
}

/* Where each part of the first n bits behind done begins, and where it ends. */
static void measure(const zone_named_t *named, size_t count, unsigned done, unsigned n, size_t *at,
                    size_t *end)
{
	size_t sum = 0;

	memset(end, 0, sizeof *end << n);
	for (size_t i = 0; i < count; i++)
		end[digit(named[i].top, done, n)]++;
	for (size_t i = 0; i < (size_t)1 << n; i++) {
		at[i] = sum;
		sum += end[i];
		end[i] = sum;
	}
}

/* Sort by the bits behind the first done ones, in place. In steps of so few bits that where each part grows stays in
 * the cache. */
static void by_bucket(zone_named_t *named, size_t count, unsigned done, unsigned bits)
{
	unsigned n = bits < DIGIT ? bits : DIGIT;
	size_t at[1 << DIGIT], end[1 << DIGIT];

	if (bits == 0 || count < 2)
		return;
	measure(named, count, done, n, at, end);
	distribute(named, at, end, done, n);
	for (size_t i = 0, from = 0; i < (size_t)1 << n; from = end[i++])
		by_bucket(named + from, end[i] - from, done + n, bits - n);
}

/* The first step of many names, which lie in no cache, to another array: half the time, since no name waits for
 * where the one before has been. What is read goes back, so that the build never needs more memory for it. */
static void by_bucket_to(zone_named_t *named, size_t count, unsigned bits, zone_named_t *out)
{
	size_t at[1 << DIGIT], end[1 << DIGIT];

	measure(named, count, 0, DIGIT, at, end);
	for (size_t i = 0; i < count; i++)
		out[at[digit(named[i].top, 0, DIGIT)]++] = named[i];
	huge_give_front(named, count * sizeof *named, 0, count * sizeof *named);
	for (size_t i = 0, from = 0; i < (size_t)1 << DIGIT; from = end[i++])
		by_bucket(out + from, end[i] - from, DIGIT, bits - DIGIT);
}

/* Pages over refs[0..1 << bits), from the lowest level up; *root is the one that is left. */
static status_t build_pages(zone_change_t *c, zone_ref_t *refs, unsigned bits, zone_ref_t *root)
{
	while (bits > 0) {
		unsigned n = bits > PAGE_BITS ? PAGE_BITS : bits;

		for (size_t i = 0; i < (size_t)1 << (bits - n); i++) {
			zone_ref_t ref = zone_change_take(c, page_size(n));

			if (ref == 0)
				return ST_NOMEM;
			page_t *p = page_at(c->base, ref);
			p->change = c->number;
			memcpy(p->ref, refs + (i << n), sizeof *refs << n);
			refs[i] = ref;
		}
		bits -= n;
	}
	*root = refs[0];
	return ST_OK;
}

/* named: by bucket. */
static status_t build_buckets(zone_change_t *c, const zone_named_t *named, size_t count,
                              unsigned bits, zone_ref_t *refs)
{
	for (size_t i = 0, from = 0, to = 0; i < (size_t)1 << bits; i++, from = to) {
		while (to < count && (bits == 0 || digit(named[to].top, 0, bits) == i))
			to++;
		refs[i] = fill_bucket(c, named + from, to - from);
		if (refs[i] == 0)
			return ST_NOMEM;
	}
	return ST_OK;
}

status_t zone_index_build(zone_change_t *c, zone_named_t *named, size_t count, zone_index_t *out)
{
	unsigned bits = 0;
	status_t st;

	while (count >> bits > AIM)
		bits++;
	zone_ref_t *refs = malloc(sizeof *refs << bits);
	zone_named_t *other = count >= SPREAD ? huge_take(count * sizeof *other) : NULL;

	if (other)
		by_bucket_to(named, count, bits, other);
	else
		by_bucket(named, count, 0, bits);
	st = refs ? build_buckets(c, other ? other : named, count, bits, refs) : ST_NOMEM;
	*out = (zone_index_t){ .names = (uint32_t)count, .bits = (uint8_t)bits };
	if (st == ST_OK)
		st = build_pages(c, refs, bits, &out->root);
	huge_give(other, count * sizeof *other);
	free(refs);
	return st;
}

/* --- changes ------------------------------------------------------------------------------------ */

/* The place of the bucket's reference, every page above it owned. NULL: no memory. */
static zone_ref_t *own_path(zone_change_t *c, zone_index_t *x, uint64_t hash)
{
	zone_ref_t *ref = &x->root;

	for (unsigned left = x->bits; left > 0;) {
		unsigned n = level_bits(left);
		page_t *p = page_at(c->base, *ref);

		if (p->change != c->number) {
			zone_ref_t fresh = zone_change_take(c, page_size(n));

			if (fresh == 0 ||
			    zone_change_replace(c, *ref, page_size(n), false) != ST_OK)
				return NULL;
			memcpy(page_at(c->base, fresh), p, page_size(n));
			*ref = fresh;
			p = page_at(c->base, fresh);
			p->change = c->number;
		}
		ref = &p->ref[hash >> (64 - n)];
		hash <<= n;
		left -= n;
	}
	return ref;
}

/* The bucket with room for one more, owned; another block in its place if need be. */
static bucket_t *own_bucket(zone_change_t *c, zone_ref_t *ref, unsigned count)
{
	bucket_t *b = bucket_at(c->base, *ref);
	bool own = b->change == c->number;

	if (own && count <= b->room)
		return b;
	zone_ref_t fresh = new_bucket(c, count);
	if (fresh == 0 || zone_change_replace(c, *ref, bucket_octets(b), own) != ST_OK)
		return NULL;
	bucket_t *copy = bucket_at(c->base, fresh);
	unsigned n = b->count < copy->room ? b->count : copy->room;
	memcpy(copy->tag, b->tag, n * sizeof b->tag[0]);
	memcpy(bucket_refs(copy), bucket_refs(b), n * sizeof(zone_ref_t));
	copy->count = (uint16_t)n;
	*ref = fresh;
	return copy;
}

static status_t set_in_tree(zone_change_t *c, zone_ref_t *ref, zone_ref_t was, zone_ref_t now)
{
	bucket_t *b = bucket_at(c->base, *ref);
	const zone_node_t *node = node_at(c->base, now != 0 ? now : was);
	zone_key_t key;

	if (b->change != c->number) {
		zone_ref_t fresh = zone_change_take(c, TREE_SIZE);

		if (fresh == 0 || zone_change_replace(c, *ref, TREE_SIZE, false) != ST_OK)
			return ST_NOMEM;
		memcpy(bucket_at(c->base, fresh), b, TREE_SIZE);
		b = bucket_at(c->base, fresh);
		b->change = c->number;
		*ref = fresh;
	}
	zone_key_of(node->name, node->rel_labels, &key);
	return zone_tree_set(c, bucket_root(b), &key, now);
}

/* A bucket that has grown crowded becomes a tree. */
static status_t plant(zone_change_t *c, zone_ref_t *ref)
{
	bucket_t *b = bucket_at(c->base, *ref);
	zone_ref_t refs[CROWDED + 1];

	memcpy(refs, bucket_refs(b), b->count * sizeof refs[0]);
	zone_ref_t fresh = new_tree_bucket(c, refs, b->count);
	if (fresh == 0)
		return ST_NOMEM;
	status_t st = zone_change_replace(c, *ref, bucket_octets(b), b->change == c->number);
	*ref = fresh;
	return st;
}

static status_t add(zone_change_t *c, zone_ref_t *ref, uint64_t hash, zone_ref_t now)
{
	unsigned count = bucket_at(c->base, *ref)->count + 1u;
	bucket_t *b = own_bucket(c, ref, count);

	if (!b)
		return ST_NOMEM;
	b->tag[count - 1] = tag_of(hash);
	bucket_refs(b)[count - 1] = now;
	b->count = (uint16_t)count;
	return count > CROWDED ? plant(c, ref) : ST_OK;
}

/* now in the place of was; or the last one there, when now is 0. */
static status_t swap(zone_change_t *c, zone_ref_t *ref, zone_ref_t was, zone_ref_t now)
{
	bucket_t *b = own_bucket(c, ref, bucket_at(c->base, *ref)->count);
	unsigned i = 0;

	if (!b)
		return ST_NOMEM;
	zone_ref_t *refs = bucket_refs(b);
	while (i < b->count && refs[i] != was)
		i++;
	if (i == b->count)
		return ST_NOENT;
	if (now != 0) {
		refs[i] = now;
		return ST_OK;
	}
	b->count--;
	b->tag[i] = b->tag[b->count];
	refs[i] = refs[b->count];
	return ST_OK;
}

status_t zone_index_set(zone_change_t *c, zone_index_t *x, uint64_t hash, zone_ref_t was,
                        zone_ref_t ref)
{
	zone_ref_t *at = own_path(c, x, hash);
	status_t st;

	if (!at)
		return ST_NOMEM;
	if (bucket_at(c->base, *at)->count == TREE)
		st = set_in_tree(c, at, was, ref);
	else if (was == 0)
		st = add(c, at, hash, ref);
	else
		st = swap(c, at, was, ref);
	if (st == ST_OK)
		x->names += (was == 0) - (uint32_t)(ref == 0);
	return st;
}

bool zone_index_unfit(const zone_index_t *x)
{
	return x->names >> x->bits > MANY || (x->bits > 0 && x->names >> x->bits < FEW);
}

/* --- all of it ---------------------------------------------------------------------------------- */

static size_t all_below(const uint8_t *base, zone_ref_t ref, unsigned left, zone_ref_t *out)
{
	size_t n = 0;

	if (left > 0) {
		unsigned bits = level_bits(left);

		for (size_t i = 0; i < (size_t)1 << bits; i++)
			n += all_below(base, page_at(base, ref)->ref[i], left - bits, out + n);
		return n;
	}
	const bucket_t *b = bucket_at(base, ref);
	if (b->count == TREE)
		return zone_tree_all(base, *bucket_root(b), out);
	memcpy(out, bucket_refs(b), b->count * sizeof *out);
	return b->count;
}

size_t zone_index_all(const uint8_t *base, const zone_index_t *x, zone_ref_t *out)
{
	return all_below(base, x->root, x->bits, out);
}

static status_t retire_below(zone_change_t *c, zone_ref_t ref, unsigned left)
{
	status_t st = ST_OK;

	if (left > 0) {
		const page_t *p = page_at(c->base, ref);
		unsigned bits = level_bits(left);

		for (size_t i = 0; i < (size_t)1 << bits && st == ST_OK; i++)
			st = retire_below(c, p->ref[i], left - bits);
		return st == ST_OK ? zone_change_replace(c, ref, page_size(bits),
		                                         p->change == c->number)
		                   : st;
	}
	const bucket_t *b = bucket_at(c->base, ref);
	if (b->count == TREE)
		st = zone_tree_retire(c, *bucket_root(b));
	return st == ST_OK ? zone_change_replace(c, ref, bucket_octets(b), b->change == c->number)
	                   : st;
}

status_t zone_index_retire(zone_change_t *c, const zone_index_t *x)
{
	return retire_below(c, x->root, x->bits);
}
