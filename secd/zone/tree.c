/* zone/tree.c - pages of up to 61 entries, copied on the way down to a change.
 *
 *     page   change, count, level, what all keys begin with
 *            tail[room]   the eight octets of each key that follow, as a number
 *            ref[room]    a node (level 0), or the page below
 *            low[room]    above level 0: the first node of the page below, which stands for its key
 *
 * An entry's key is its node's (level 0) or its low node's. Pages split in halves when full; one
 * that has run empty goes, others are left as thin as they are: what a change takes out, changes
 * mostly put back. */
#include "zone/tree.h"

#include <stdlib.h>

#include "common/buf.h"

enum { ROOM = 61, COMMON_MAX = 20, DEPTH_MAX = 12, LINE = 64 };

typedef struct page {
	uint32_t change;
	uint16_t count;
	uint8_t level;
	uint8_t common_len;
	uint8_t common[COMMON_MAX];
	uint32_t unused;
	uint64_t tail[ROOM];
	zone_ref_t ref[ROOM];
	zone_ref_t low[]; /* ROOM of them above level 0 */
} page_t;

_Static_assert(offsetof(page_t, tail) % 8 == 0, "tails are numbers");

static size_t page_size(unsigned level)
{
	return sizeof(page_t) + (level > 0 ? ROOM * sizeof(zone_ref_t) : 0);
}

static page_t *page_at(const uint8_t *base, zone_ref_t ref)
{
	return (page_t *)(uintptr_t)(base + (size_t)ref * ZONE_UNIT);
}

static const zone_node_t *node_at(const uint8_t *base, zone_ref_t ref)
{
	return (const void *)(base + (size_t)ref * ZONE_UNIT);
}

void zone_key_of(const uint8_t *rel, unsigned rel_labels, zone_key_t *out)
{
	uint8_t off[DNS_LABELS_MAX + 1];
	uint8_t *p = out->octets;
	unsigned pos = 0;

	for (unsigned i = 0; i < rel_labels; i++) {
		off[i] = (uint8_t)pos;
		pos += rel[pos] + 1u;
	}
	for (unsigned i = rel_labels; i-- > 0;) {
		const uint8_t *label = rel + off[i];

		for (unsigned j = 1; j <= *label; j++) {
			if (label[j] <= 1) {
				*p++ = 1;
				*p++ = (uint8_t)(label[j] + 1);
			} else {
				*p++ = label[j];
			}
		}
		*p++ = 0;
	}
	out->len = (size_t)(p - out->octets);
}

static void key_of_node(const uint8_t *base, zone_ref_t ref, zone_key_t *out)
{
	const zone_node_t *node = node_at(base, ref);

	zone_key_of(node->name, node->rel_labels, out);
}

static int key_cmp(const zone_key_t *a, const zone_key_t *b)
{
	int cmp = memcmp(a->octets, b->octets, a->len < b->len ? a->len : b->len);

	return cmp ? cmp : (a->len > b->len) - (a->len < b->len);
}

/* Eight octets of the key from at on, zeros behind its end: no key has a zero where a longer one
 * with the same beginning goes on, so this keeps the order. */
static uint64_t tail_of(const zone_key_t *key, size_t at)
{
	uint64_t tail = 0;

	if (at + 8 <= key->len)
		return (uint64_t)get_u32(key->octets + at) << 32 | get_u32(key->octets + at + 4);
	for (size_t i = at; i < at + 8; i++)
		tail = tail << 8 | (i < key->len ? key->octets[i] : 0);
	return tail;
}

/* The node whose key is entry i's. */
static zone_ref_t key_ref(const page_t *p, unsigned i)
{
	return p->level > 0 ? p->low[i] : p->ref[i];
}

/* Where key stands to what all keys of the page begin with: <0 before all, >0 behind all. */
static int beside(const page_t *p, const zone_key_t *key)
{
	size_t n = key->len < p->common_len ? key->len : p->common_len;
	int cmp = memcmp(key->octets, p->common, n);

	return cmp ? cmp : n < p->common_len ? -1 : 0;
}

/* The first entry whose tail is not less: no branch depends on one, since none could be foretold. */
static unsigned first_at_least(const page_t *p, uint64_t tail)
{
	const uint64_t *from = p->tail;
	unsigned n = p->count;

	while (n > 1) {
		unsigned half = n / 2;

		from += half & -(unsigned)(from[half - 1] < tail); /* a mask, lest it becomes one */
		n -= half;
	}
	return (unsigned)(from - p->tail) + (n == 1 && *from < tail);
}

/* The number of entries whose key is at most key (at_most), or less than it. */
static unsigned rank(const uint8_t *base, const page_t *p, const zone_key_t *key, bool at_most)
{
	int side = beside(p, key);

	if (side != 0)
		return side < 0 ? 0 : p->count;
	uint64_t tail = tail_of(key, p->common_len);
	unsigned low = first_at_least(p, tail), high = low;
	while (high < p->count && p->tail[high] == tail)
		high++;
	while (low < high) { /* the nodes know more than the page */
		unsigned mid = (low + high) / 2;
		zone_key_t other;

		key_of_node(base, key_ref(p, mid), &other);
		int cmp = key_cmp(&other, key);
		if (cmp < 0 || (cmp == 0 && at_most))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

zone_ref_t zone_tree_last(const uint8_t *base, zone_ref_t root)
{
	while (root != 0) {
		const page_t *p = page_at(base, root);

		root = p->ref[p->count - 1];
		if (p->level == 0)
			break;
	}
	return root;
}

bool zone_tree_step(const uint8_t *base, zone_ref_t *at, const zone_key_t *key)
{
	const page_t *p = page_at(base, *at);
	unsigned n = rank(base, p, key, true);

	/* Only at the very left: a page's low key is at most key above. */
	*at = n > 0 ? p->ref[n - 1] : 0;
	return n == 0 || p->level == 0;
}

void zone_tree_prefetch(const uint8_t *base, zone_ref_t page)
{
	const page_t *p = page_at(base, page);

	/* Whatever a search may look at: line by line it would wait for each in turn. */
	for (size_t i = 0; i < sizeof *p; i += LINE)
		__builtin_prefetch((const uint8_t *)p + i);
	__builtin_prefetch((const uint8_t *)p + sizeof *p - 1);
}

zone_ref_t zone_tree_floor(const uint8_t *base, zone_ref_t root, const zone_key_t *key)
{
	while (root != 0 && !zone_tree_step(base, &root, key))
		;
	return root;
}

/* --- changes ------------------------------------------------------------------------------------ */

/* What the first and the last key have in common, all between them have. */
static void rekey(const uint8_t *base, page_t *p)
{
	zone_key_t first, last, key;
	size_t n = 0;

	if (p->count == 0)
		return;
	key_of_node(base, key_ref(p, 0), &first);
	key_of_node(base, key_ref(p, p->count - 1u), &last);
	while (n < COMMON_MAX && n < first.len && n < last.len && first.octets[n] == last.octets[n])
		n++;
	p->common_len = (uint8_t)n;
	memcpy(p->common, first.octets, n);
	for (unsigned i = 0; i < p->count; i++) {
		key_of_node(base, key_ref(p, i), &key);
		p->tail[i] = tail_of(&key, n);
	}
}

static page_t *new_page(zone_change_t *c, unsigned level, zone_ref_t *ref)
{
	*ref = zone_change_take(c, page_size(level));
	if (*ref == 0)
		return NULL;
	page_t *p = page_at(c->base, *ref);
	memset(p, 0, page_size(level));
	p->change = c->number;
	p->level = (uint8_t)level;
	return p;
}

/* The page as this change may write it: itself, or a copy in its place. NULL: no memory. */
static page_t *own_page(zone_change_t *c, zone_ref_t *ref)
{
	page_t *p = page_at(c->base, *ref);
	size_t size = page_size(p->level);
	zone_ref_t fresh;

	if (p->change == c->number)
		return p;
	page_t *copy = new_page(c, p->level, &fresh);
	if (!copy || zone_change_replace(c, *ref, size, false) != ST_OK)
		return NULL;
	memcpy(copy, p, size);
	copy->change = c->number;
	*ref = fresh;
	return copy;
}

static void move_entries(page_t *to, unsigned at, const page_t *from, unsigned first, unsigned n)
{
	memmove(to->tail + at, from->tail + first, n * sizeof to->tail[0]);
	memmove(to->ref + at, from->ref + first, n * sizeof to->ref[0]);
	if (to->level > 0)
		memmove(to->low + at, from->low + first, n * sizeof to->low[0]);
}

/* Entry i of the page now has this key. */
static void set_entry(const uint8_t *base, page_t *p, unsigned i, const zone_key_t *key,
                      zone_ref_t ref, zone_ref_t low)
{
	p->ref[i] = ref;
	if (p->level > 0)
		p->low[i] = low;
	if (p->count == 1 || beside(p, key) != 0)
		rekey(base, p);
	else
		p->tail[i] = tail_of(key, p->common_len);
}

static void insert_entry(const uint8_t *base, page_t *p, unsigned i, const zone_key_t *key,
                         zone_ref_t ref, zone_ref_t low)
{
	move_entries(p, i + 1, p, i, p->count - i);
	p->count++;
	set_entry(base, p, i, key, ref, low);
}

/* The upper half of a full page becomes a page of its own. */
static status_t split(zone_change_t *c, page_t *p, zone_ref_t *right_ref)
{
	page_t *right = new_page(c, p->level, right_ref);
	unsigned keep = p->count / 2;

	if (!right)
		return ST_NOMEM;
	right->count = (uint16_t)(p->count - keep);
	move_entries(right, 0, p, keep, right->count);
	p->count = (uint16_t)keep;
	rekey(c->base, right);
	rekey(c->base, p);
	return ST_OK;
}

/* The way down: pages, all owned, and the entry taken in each. */
typedef struct path {
	page_t *page[DEPTH_MAX];
	unsigned entry[DEPTH_MAX];
	unsigned depth; /* of the leaf */
} path_t;

static status_t descend(zone_change_t *c, zone_ref_t *root, const zone_key_t *key, path_t *path)
{
	zone_ref_t *ref = root;

	for (path->depth = 0; path->depth < DEPTH_MAX; path->depth++) {
		page_t *p = own_page(c, ref);

		if (!p)
			return ST_NOMEM;
		path->page[path->depth] = p;
		if (p->level == 0)
			return ST_OK;
		unsigned n = rank(c->base, p, key, true);
		n = n > 0 ? n - 1 : 0;
		path->entry[path->depth] = n;
		ref = &p->ref[n];
	}
	return ST_LIMIT;
}

/* The first key of a page has changed: tell the pages above. */
static void lower(zone_change_t *c, path_t *path, unsigned depth, const zone_key_t *key,
                  zone_ref_t low)
{
	while (depth-- > 0) {
		unsigned i = path->entry[depth];

		set_entry(c->base, path->page[depth], i, key, path->page[depth]->ref[i], low);
		if (i > 0)
			break;
	}
}

static status_t grow_root(zone_change_t *c, zone_ref_t *root, zone_ref_t right)
{
	const page_t *left_page = page_at(c->base, *root), *right_page = page_at(c->base, right);
	zone_ref_t ref, left = *root;
	page_t *p = new_page(c, left_page->level + 1u, &ref);

	if (!p)
		return ST_NOMEM;
	p->count = 2;
	p->ref[0] = left;
	p->ref[1] = right;
	p->low[0] = key_ref(left_page, 0);
	p->low[1] = key_ref(right_page, 0);
	rekey(c->base, p);
	*root = ref;
	return ST_OK;
}

/* Split full pages from the leaf up. */
static status_t split_up(zone_change_t *c, zone_ref_t *root, path_t *path)
{
	for (unsigned d = path->depth + 1; d-- > 0;) {
		zone_ref_t right;
		zone_key_t key;

		if (path->page[d]->count < ROOM)
			return ST_OK;
		status_t st = split(c, path->page[d], &right);
		if (st != ST_OK)
			return st;
		if (d == 0)
			return grow_root(c, root, right);
		zone_ref_t low = key_ref(page_at(c->base, right), 0);
		key_of_node(c->base, low, &key);
		insert_entry(c->base, path->page[d - 1], path->entry[d - 1] + 1, &key, right, low);
	}
	return ST_OK;
}

/* Entry i goes; a page that runs empty goes with it. */
static status_t remove_entry(zone_change_t *c, zone_ref_t *root, path_t *path, unsigned i)
{
	for (unsigned d = path->depth;; d--) {
		page_t *p = path->page[d];

		move_entries(p, i, p, i + 1, p->count - i - 1u);
		p->count--;
		if (p->count > 0) {
			if (i == 0) {
				zone_key_t key;

				key_of_node(c->base, key_ref(p, 0), &key);
				lower(c, path, d, &key, key_ref(p, 0));
			}
			return ST_OK;
		}
		zone_ref_t gone = d > 0 ? path->page[d - 1]->ref[path->entry[d - 1]] : *root;
		status_t st = zone_change_replace(c, gone, page_size(p->level), true);
		if (st != ST_OK || d == 0) {
			*root = d == 0 ? 0 : *root;
			return st;
		}
		i = path->entry[d - 1];
	}
}

/* A root with one page below it is one level too many. */
static status_t shrink_root(zone_change_t *c, zone_ref_t *root)
{
	while (*root != 0) {
		page_t *p = page_at(c->base, *root);
		zone_ref_t below = p->ref[0];

		if (p->level == 0 || p->count > 1)
			break;
		status_t st =
			zone_change_replace(c, *root, page_size(p->level), p->change == c->number);
		if (st != ST_OK)
			return st;
		*root = below;
	}
	return ST_OK;
}

status_t zone_tree_set(zone_change_t *c, zone_ref_t *root, const zone_key_t *key, zone_ref_t ref)
{
	path_t path;
	status_t st;

	if (*root == 0)
		return ref != 0 ? zone_tree_build(c, &ref, 1, root) : ST_NOENT;
	st = descend(c, root, key, &path);
	if (st != ST_OK)
		return st;
	page_t *leaf = path.page[path.depth];
	unsigned i = rank(c->base, leaf, key, false);
	bool there = rank(c->base, leaf, key, true) > i;
	if (ref == 0) {
		if (!there)
			return ST_NOENT;
		st = remove_entry(c, root, &path, i);
		return st == ST_OK ? shrink_root(c, root) : st;
	}
	if (there)
		leaf->ref[i] = ref;
	else
		insert_entry(c->base, leaf, i, key, ref, 0);
	if (i == 0) /* a new first key, or a new node that stands for it */
		lower(c, &path, path.depth, key, ref);
	return split_up(c, root, &path);
}

/* One level of pages over count entries; lows is what stands for each entry's key. */
static status_t build_level(zone_change_t *c, zone_ref_t *refs, zone_ref_t *lows, size_t *count,
                            unsigned level)
{
	/* Not quite full, so that the first insertion doesn't split every page. */
	const size_t fill = ROOM * 7 / 8;
	size_t pages = 0;

	for (size_t i = 0; i < *count; i += fill, pages++) {
		size_t n = *count - i < fill ? *count - i : fill;
		zone_ref_t ref;
		page_t *p = new_page(c, level, &ref);

		if (!p)
			return ST_NOMEM;
		p->count = (uint16_t)n;
		memcpy(p->ref, refs + i, n * sizeof *refs);
		if (level > 0)
			memcpy(p->low, lows + i, n * sizeof *lows);
		rekey(c->base, p);
		refs[pages] = ref;
		lows[pages] = key_ref(p, 0);
	}
	*count = pages;
	return ST_OK;
}

status_t zone_tree_build(zone_change_t *c, const zone_ref_t *refs, size_t count, zone_ref_t *root)
{
	status_t st = ST_OK;

	*root = 0;
	if (count == 0)
		return ST_OK;
	zone_ref_t *work = malloc(2 * count * sizeof *work);
	if (!work)
		return ST_NOMEM;
	memcpy(work, refs, count * sizeof *refs);
	size_t left = count;
	for (unsigned level = 0; st == ST_OK && (level == 0 || left > 1); level++)
		st = build_level(c, work, work + count, &left, level);
	if (st == ST_OK)
		*root = work[0];
	free(work);
	return st;
}

size_t zone_tree_all(const uint8_t *base, zone_ref_t root, zone_ref_t *out)
{
	const page_t *p = root != 0 ? page_at(base, root) : NULL;
	size_t n = 0;

	for (unsigned i = 0; p && i < p->count; i++) {
		if (p->level > 0)
			n += zone_tree_all(base, p->ref[i], out + n);
		else
			out[n++] = p->ref[i];
	}
	return n;
}

status_t zone_tree_retire(zone_change_t *c, zone_ref_t root)
{
	page_t *p = root != 0 ? page_at(c->base, root) : NULL;
	status_t st = ST_OK;

	if (!p)
		return ST_OK;
	for (unsigned i = 0; p->level > 0 && i < p->count && st == ST_OK; i++)
		st = zone_tree_retire(c, p->ref[i]);
	return st == ST_OK
	               ? zone_change_replace(c, root, page_size(p->level), p->change == c->number)
	               : st;
}
