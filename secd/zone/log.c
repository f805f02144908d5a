/* zone/log.c - chunks of records, two lists of where they are.
 *
 * Most primaries send canonical order, and then nothing is sorted at all. A big zone's records lie
 * in huge pages, each of which goes back to the system when the last of its records has been
 * written to its place: so a build needs memory for the zone about once, not twice. */
#include "zone/log.h"

#include <stdlib.h>

#include "common/huge.h"
#include "dns/wire.h"
#include "zone/layout.h"

enum { CHUNK_FIRST = 1024, LIST_FIRST = 8 };

struct zone_chunk {
	struct zone_chunk *next, *before;
	size_t used, room;
	size_t records; /* in it, that are still needed */
	_Alignas(8) uint8_t bytes[];
};

/* What a chunk that is a huge page has room for. */
static const size_t BLOCK_ROOM = HUGE_PAGE - sizeof(zone_chunk_t);

void zone_log_init(zone_log_t *l, const dns_name_t *apex, const zone_limits_t *limits)
{
	memset(l, 0, sizeof *l);
	l->apex = *apex;
	l->limits = *limits;
	l->next_room = CHUNK_FIRST;
}

static void free_entries(zone_entry_t *entry, size_t room)
{
	huge_give(entry, room * sizeof *entry);
}

static void free_chunk(zone_log_t *l, zone_chunk_t *c)
{
	if (c->before)
		c->before->next = c->next;
	else
		l->chunks = c->next;
	if (c->next)
		c->next->before = c->before;
	huge_give(c, sizeof *c + c->room);
}

static void free_list(zone_list_t *l)
{
	free_entries(l->entry, l->room);
	free_entries(l->late.entry, l->late.room);
	*l = (zone_list_t){ 0 };
}

void zone_log_free(zone_log_t *l)
{
	while (l->chunks)
		free_chunk(l, l->chunks);
	free_list(&l->names);
	free_list(&l->denial);
}

/* Chunks double up to a huge page, which they then are. */
static zone_chunk_t *new_chunk(zone_log_t *l, size_t n)
{
	size_t room = n > l->next_room ? n : l->next_room;
	zone_chunk_t *c = huge_take(sizeof *c + room);

	if (!c)
		return NULL;
	*c = (zone_chunk_t){ .next = l->chunks, .room = room };
	if (c->next)
		c->next->before = c;
	l->chunks = c;
	l->memory += sizeof *c + room;
	l->next_room = l->next_room * 4 < HUGE_PAGE ? l->next_room * 2 : BLOCK_ROOM;
	return c;
}

void *zone_log_take(zone_log_t *l, size_t n)
{
	n = zone_align(n, 8);
	if ((!l->chunks || n > l->chunks->room - l->chunks->used) && !new_chunk(l, n))
		return NULL;
	void *p = l->chunks->bytes + l->chunks->used;
	l->chunks->used += n;
	return p;
}

/* sort_prefix() for most owners: what the rightmost label has is all of it, and holds no octets that
 * are written as two. Eight octets at once; 0 (which no label begins a key with): not so. */
static uint64_t short_prefix(const dns_name_t *owner, unsigned rel_labels)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	size_t at = owner->off[rel_labels - 1], n = owner->wire[at];
	uint64_t w;

	if ((n < 8 && rel_labels > 1) || at + 1 + sizeof w > sizeof owner->wire)
		return 0;
	memcpy(&w, owner->wire + at + 1, sizeof w);
	uint64_t mask = n < 8 ? ((uint64_t)1 << 8 * n) - 1 : UINT64_MAX;
	uint64_t two = (w & ~ones) | ~mask; /* an octet of 0 or 1 is 0 here */
	if ((two - ones) & ~two & tops)
		return 0;
	return __builtin_bswap64(w & mask);
}

/* The first eight octets of a key whose memcmp order is canonical order: labels from the right,
 * each closed by a zero; the octets 0 and 1 are written 1,1 and 1,2 to stay above it. */
static uint64_t sort_prefix(const dns_name_t *owner, unsigned rel_labels)
{
	uint64_t key = rel_labels > 0 ? short_prefix(owner, rel_labels) : 0;
	int shift = 56;

	if (key != 0)
		return key;
	for (unsigned i = rel_labels; i-- > 0 && shift >= 0;) {
		const uint8_t *label = owner->wire + owner->off[i];

		for (unsigned j = 1; j <= *label && shift >= 0; j++) {
			unsigned c = label[j];

			if (c <= 1) {
				key |= UINT64_C(1) << shift;
				shift -= 8;
				c++;
			}
			if (shift >= 0)
				key |= (uint64_t)c << shift;
			shift -= 8;
		}
		shift -= 8;
	}
	return key;
}

static int owner_cmp(const zone_entry_t *a, const zone_entry_t *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return zone_rel_cmp(a->rec->bytes, a->rec->rel_labels, b->rec->bytes, b->rec->rel_labels);
}

static bool same_owner(const zone_entry_t *a, const zone_entry_t *b)
{
	return a->prefix == b->prefix && a->rec->rel_len == b->rec->rel_len &&
	       memcmp(a->rec->bytes, b->rec->bytes, a->rec->rel_len) == 0;
}

/* Room for this many. */
static status_t list_room(zone_entry_t **entry, size_t *room, size_t count)
{
	size_t more = *room ? *room : LIST_FIRST;
	zone_entry_t *grown;

	if (count <= *room)
		return ST_OK;
	while (more < count)
		more *= 2;
	grown = huge_grow(*entry, *room * sizeof *grown, more * sizeof *grown);
	if (!grown)
		return ST_NOMEM;
	*entry = grown;
	*room = more;
	return ST_OK;
}

static bool in_order(const zone_entry_t *a, const zone_entry_t *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix;
	return same_owner(a, b) || owner_cmp(a, b) < 0;
}

static status_t list_append(zone_list_t *l, zone_entry_t entry)
{
	if (l->count > 0 && !in_order(&l->entry[l->count - 1], &entry)) {
		if (list_room(&l->late.entry, &l->late.room, l->late.count + 1) != ST_OK)
			return ST_NOMEM;
		l->late.entry[l->late.count++] = entry;
		return ST_OK;
	}
	if (list_room(&l->entry, &l->room, l->count + 1) != ST_OK)
		return ST_NOMEM;
	l->entry[l->count++] = entry;
	return ST_OK;
}

bool zone_log_is_hash(const uint8_t *rel, unsigned rel_labels)
{
	if (rel_labels != 1)
		return false;
	for (unsigned i = 1; i <= *rel; i++) {
		if (!((rel[i] >= '0' && rel[i] <= '9') || (rel[i] >= 'a' && rel[i] <= 'v')))
			return false;
	}
	return true;
}

static status_t copy_record(zone_log_t *l, const dns_rr_t *rr, bool remove)
{
	unsigned rel_len = (unsigned)(rr->owner.len - l->apex.len);
	zone_rec_t *rec = zone_log_take(l, sizeof *rec + rel_len + rr->rdlen);

	if (!rec)
		return ST_NOMEM;
	l->chunks->records++;
	*rec = (zone_rec_t){
		.ttl = rr->ttl,
		.number = (uint32_t)l->stats.added,
		.type = rr->type == DNS_TYPE_RRSIG ? get_u16(rr->rdata) : rr->type,
		.rdlen = rr->rdlen,
		.is_sig = rr->type == DNS_TYPE_RRSIG,
		.remove = remove,
		.in_block = l->chunks->room == BLOCK_ROOM,
		.rel_len = (uint8_t)rel_len,
		.rel_labels = (uint8_t)(rr->owner.labels - l->apex.labels),
	};
	copy_few(rec->bytes, rr->owner.wire, rel_len);
	memcpy(rec->bytes + rel_len, rr->rdata, rr->rdlen);
	l->stats.added++;
	l->stats.octets += (remove ? -1ull : 1ull) * zone_rec_octets(rec, &l->apex);
	zone_entry_t entry = { sort_prefix(&rr->owner, rec->rel_labels), rec };
	bool denial = zone_log_is_denial(rec->type, rec->is_sig, rec->bytes, rec->rel_labels);
	l->memory += sizeof entry;
	return list_append(denial ? &l->denial : &l->names, entry);
}

status_t zone_log_exceeded(zone_log_t *l, zone_limit_t limit, uint64_t most)
{
	l->excess = (zone_excess_t){ .limit = limit, .most = most };
	return ST_LIMIT;
}

status_t zone_log_add(zone_log_t *l, const dns_rr_t *rr, bool remove)
{
	status_t st = zone_log_admit(l, (size_t)rr->owner.len + DNS_RR_FIXED + rr->rdlen);

	if (st != ST_OK)
		return st;
	if (!dns_name_within(&rr->owner, &l->apex)) {
		l->stats.outside++;
		return ST_OUTSIDE;
	}
	if (rr->class != DNS_CLASS_IN ||
	    !zone_log_may_hold(rr->type, rr->owner.wire,
	                       (unsigned)(rr->owner.labels - l->apex.labels), rr->rdata))
		return ST_MALFORMED;
	return copy_record(l, rr, remove);
}

static int entry_order(const void *a, const void *b)
{
	const zone_entry_t *x = a, *y = b;
	int cmp = owner_cmp(x, y);

	return cmp ? cmp : (x->rec->number > y->rec->number) - (x->rec->number < y->rec->number);
}

/* The late ones into their places, from the end on. */
static void merge(zone_entry_t *entry, size_t count, const zone_entry_t *late, size_t late_count)
{
	size_t to = count + late_count;

	while (late_count > 0) {
		if (count > 0 && entry_order(&entry[count - 1], &late[late_count - 1]) > 0)
			entry[--to] = entry[--count];
		else
			entry[--to] = late[--late_count];
	}
}

status_t zone_list_sort(zone_list_t *l)
{
	zone_entries_t *late = &l->late;

	if (late->count == 0)
		return ST_OK;
	if (late->count > l->count) { /* the fewer go between the many */
		zone_entries_t many = *late;

		*late = (zone_entries_t){ l->entry, l->count, l->room };
		l->entry = many.entry;
		l->count = many.count;
		l->room = many.room;
		qsort(l->entry, l->count, sizeof *l->entry, entry_order);
	} else {
		qsort(late->entry, late->count, sizeof *late->entry, entry_order);
	}
	if (list_room(&l->entry, &l->room, l->count + late->count) != ST_OK)
		return ST_NOMEM;
	merge(l->entry, l->count, late->entry, late->count);
	l->count += late->count;
	free_entries(late->entry, late->room);
	*late = (zone_entries_t){ 0 };
	return ST_OK;
}

void zone_log_spend(zone_log_t *log, zone_list_t *l, size_t first, size_t end)
{
	const size_t size = sizeof *l->entry;

	for (size_t i = first; i < end; i++) {
		const zone_rec_t *rec = l->entry[i].rec;
		uintptr_t chunk = (uintptr_t)rec & ~(uintptr_t)(HUGE_PAGE - 1);

		if (rec->in_block && rec->rel_len > 0 && --((zone_chunk_t *)chunk)->records == 0)
			free_chunk(log, (zone_chunk_t *)chunk);
	}
	huge_give_front(l->entry, l->room * size, first * size, end * size);
}

size_t zone_list_run(const zone_list_t *l, size_t first)
{
	size_t end = first + 1;

	while (end < l->count && same_owner(&l->entry[first], &l->entry[end]))
		end++;
	return end;
}

size_t zone_list_run_back(const zone_list_t *l, size_t end)
{
	size_t first = end - 1;

	while (first > 0 && same_owner(&l->entry[first - 1], &l->entry[end - 1]))
		first--;
	return first;
}
