/* zone/log.c - chunks of records, two lists of where they are.
 *
 * Most primaries send canonical order, and then nothing is sorted at all. */
#include "zone/log.h"

#include <stdlib.h>

#include "common/huge.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/layout.h"

enum { CHUNK_FIRST = 1024, CHUNK_MOST = 8 << 20, LIST_FIRST = 8 };

struct zone_chunk {
	struct zone_chunk *next;
	size_t used, room;
	_Alignas(8) uint8_t bytes[];
};

void zone_log_init(zone_log_t *l, const dns_name_t *apex, const zone_limits_t *limits)
{
	memset(l, 0, sizeof *l);
	l->apex = *apex;
	l->limits = *limits;
	l->next_room = CHUNK_FIRST;
	l->names.sorted = l->denial.sorted = true;
}

void zone_log_free(zone_log_t *l)
{
	while (l->chunks) {
		zone_chunk_t *c = l->chunks;

		l->chunks = c->next;
		huge_give(c, sizeof *c + c->room);
	}
	huge_give(l->names.entry, l->names.room * sizeof(zone_entry_t));
	huge_give(l->denial.entry, l->denial.room * sizeof(zone_entry_t));
	l->names.entry = l->denial.entry = NULL;
	l->names.count = l->denial.count = l->names.room = l->denial.room = 0;
}

void *zone_log_take(zone_log_t *l, size_t n)
{
	n = zone_align(n, 8);
	if (!l->chunks || n > l->chunks->room - l->chunks->used) {
		size_t room = n > l->next_room ? n : l->next_room;
		zone_chunk_t *c = huge_take(sizeof *c + room);

		if (!c)
			return NULL;
		c->next = l->chunks;
		c->used = 0;
		c->room = room;
		l->chunks = c;
		if (l->next_room < CHUNK_MOST)
			l->next_room *= 2;
	}
	void *p = l->chunks->bytes + l->chunks->used;
	l->chunks->used += n;
	return p;
}

/* The first eight octets of a key whose memcmp order is canonical order: labels from the right,
 * each closed by a zero; the octets 0 and 1 are written 1,1 and 1,2 to stay above it. */
static uint64_t sort_prefix(const dns_name_t *owner, unsigned rel_labels)
{
	uint64_t key = 0;
	int shift = 56;

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

static bool same_owner(const zone_rec_t *a, const zone_rec_t *b)
{
	return a->rel_len == b->rel_len && memcmp(a->bytes, b->bytes, a->rel_len) == 0;
}

static status_t list_append(zone_list_t *l, zone_entry_t entry)
{
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : LIST_FIRST;
		zone_entry_t *grown =
			huge_grow(l->entry, l->room * sizeof *grown, room * sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		l->entry = grown;
		l->room = room;
	}
	if (l->sorted && l->count > 0 && !same_owner(l->entry[l->count - 1].rec, entry.rec) &&
	    owner_cmp(&l->entry[l->count - 1], &entry) > 0)
		l->sorted = false;
	l->entry[l->count++] = entry;
	return ST_OK;
}

/* RFC 5155 3: one label below the apex, base32hex. */
static bool is_hash(const zone_log_t *l, const dns_rr_t *rr)
{
	const uint8_t *label = rr->owner.wire;

	if (rr->owner.labels != l->apex.labels + 1)
		return false;
	for (unsigned i = 1; i <= *label; i++) {
		if (!((label[i] >= '0' && label[i] <= '9') || (label[i] >= 'a' && label[i] <= 'v')))
			return false;
	}
	return true;
}

static bool may_hold(const zone_log_t *l, const dns_rr_t *rr)
{
	if (rr->class != DNS_CLASS_IN || dns_type_is_meta(rr->type))
		return false;
	if (rr->type == DNS_TYPE_SOA)
		return rr->owner.len == l->apex.len;
	/* With SHA-1 a hash has exactly 32 characters. */
	return rr->type != DNS_TYPE_NSEC3 ||
	       (is_hash(l, rr) && (rr->rdata[0] != 1 || rr->owner.wire[0] == 32));
}

static status_t copy_record(zone_log_t *l, const dns_rr_t *rr, bool remove)
{
	unsigned rel_len = (unsigned)(rr->owner.len - l->apex.len);
	zone_rec_t *rec = zone_log_take(l, sizeof *rec + rel_len + rr->rdlen);

	if (!rec)
		return ST_NOMEM;
	*rec = (zone_rec_t){
		.ttl = rr->ttl,
		.number = (uint32_t)l->stats.added,
		.type = rr->type == DNS_TYPE_RRSIG ? get_u16(rr->rdata) : rr->type,
		.rdlen = rr->rdlen,
		.is_sig = rr->type == DNS_TYPE_RRSIG,
		.remove = remove,
		.rel_len = (uint8_t)rel_len,
		.rel_labels = (uint8_t)(rr->owner.labels - l->apex.labels),
	};
	memcpy(rec->bytes, rr->owner.wire, rel_len);
	memcpy(rec->bytes + rel_len, rr->rdata, rr->rdlen);
	l->stats.added++;
	zone_entry_t entry = { sort_prefix(&rr->owner, rec->rel_labels), rec };
	/* An RRSIG that covers NSEC3 at another name is a stray, and stays there. */
	bool denial = rec->type == DNS_TYPE_NSEC3 && is_hash(l, rr);
	return list_append(denial ? &l->denial : &l->names, entry);
}

status_t zone_log_add(zone_log_t *l, const dns_rr_t *rr, bool remove)
{
	l->wire_bytes += (uint64_t)rr->owner.len + DNS_RR_FIXED + rr->rdlen;
	if (l->stats.added + l->stats.outside >= l->limits.max_records ||
	    l->wire_bytes > l->limits.max_bytes || l->stats.added == UINT32_MAX)
		return ST_LIMIT;
	if (!dns_name_within(&rr->owner, &l->apex)) {
		l->stats.outside++;
		return ST_OUTSIDE;
	}
	return may_hold(l, rr) ? copy_record(l, rr, remove) : ST_MALFORMED;
}

static int entry_order(const void *a, const void *b)
{
	const zone_entry_t *x = a, *y = b;
	int cmp = owner_cmp(x, y);

	return cmp ? cmp : (x->rec->number > y->rec->number) - (x->rec->number < y->rec->number);
}

void zone_list_sort(zone_list_t *l)
{
	if (!l->sorted)
		qsort(l->entry, l->count, sizeof *l->entry, entry_order);
	l->sorted = true;
}

size_t zone_list_run(const zone_list_t *l, size_t first)
{
	size_t end = first + 1;

	while (end < l->count && same_owner(l->entry[first].rec, l->entry[end].rec))
		end++;
	return end;
}

size_t zone_list_run_back(const zone_list_t *l, size_t end)
{
	size_t first = end - 1;

	while (first > 0 && same_owner(l->entry[first - 1].rec, l->entry[end - 1].rec))
		first--;
	return first;
}
