/* zone/build.c - records are logged as they come, sorted once, and written out in order.
 *
 * Adding copies a record into a log and notes eight bytes of its owner's sort key beside a
 * pointer; most primaries send canonical order, and then nothing is sorted at all. Sealing walks
 * the owners in canonical order with a stack of ancestors: parents come before children, so
 * empty non-terminals, hashes and the wildcard marks follow from the name before. */
#include "zone/build.h"

#include <stdlib.h>

#include "dns/rr.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/layout.h"
#include "zone/write.h"

enum { LOG_CHUNK = 1 << 20, LIST_FIRST = 8 };

typedef struct chunk {
	struct chunk *next;
	size_t used, room;
	_Alignas(8) uint8_t bytes[];
} chunk_t;

/* Owners of one space: the zone's names, or those of NSEC3. */
typedef struct list {
	zone_entry_t *entry;
	size_t count, room;
	bool sorted;
} list_t;

struct zone_build {
	siphash_key_t key;
	zone_limits_t limits;
	dns_name_t apex;
	chunk_t *log;
	size_t log_room; /* of the next chunk: small zones stay small */
	list_t names, denial;
	uint64_t wire_bytes;
	zone_build_stats_t stats;
};

zone_build_t *zone_build_new(const siphash_key_t *key, const dns_name_t *apex,
                             const zone_limits_t *limits)
{
	zone_build_t *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->key = *key;
	b->limits = *limits;
	b->apex = *apex;
	b->log_room = 1024;
	b->names.sorted = b->denial.sorted = true;
	return b;
}

static void drop_log(zone_build_t *b)
{
	while (b->log) {
		chunk_t *c = b->log;

		b->log = c->next;
		free(c);
	}
	free(b->names.entry);
	free(b->denial.entry);
	b->names.entry = b->denial.entry = NULL;
}

void zone_build_free(zone_build_t *b)
{
	if (!b)
		return;
	drop_log(b);
	free(b);
}

const zone_build_stats_t *zone_build_stats(const zone_build_t *b)
{
	return &b->stats;
}

static void *log_take(zone_build_t *b, size_t n)
{
	n = zone_align(n, 8);
	if (!b->log || n > b->log->room - b->log->used) {
		size_t room = n > b->log_room ? n : b->log_room;
		chunk_t *c = malloc(sizeof *c + room);

		if (!c)
			return NULL;
		c->next = b->log;
		c->used = 0;
		c->room = room;
		b->log = c;
		if (b->log_room < LOG_CHUNK)
			b->log_room *= 2;
	}
	void *p = b->log->bytes + b->log->used;
	b->log->used += n;
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

static int entry_cmp(const zone_entry_t *a, const zone_entry_t *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return zone_rel_cmp(a->rec->bytes, a->rec->rel_labels, b->rec->bytes, b->rec->rel_labels);
}

static status_t list_append(list_t *l, zone_entry_t entry)
{
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : LIST_FIRST;
		zone_entry_t *grown = reallocarray(l->entry, room, sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		l->entry = grown;
		l->room = room;
	}
	if (l->sorted && l->count > 0 && entry_cmp(&l->entry[l->count - 1], &entry) > 0)
		l->sorted = false;
	l->entry[l->count++] = entry;
	return ST_OK;
}

/* RFC 5155 3: one label below the apex, base32hex; with SHA-1 exactly 32 characters. */
static bool nsec3_owner_sound(const zone_build_t *b, const dns_rr_t *rr)
{
	const uint8_t *label = rr->owner.wire;

	if (rr->owner.labels != b->apex.labels + 1 || (rr->rdata[0] == 1 && *label != 32))
		return false;
	for (unsigned i = 1; i <= *label; i++) {
		if (!((label[i] >= '0' && label[i] <= '9') || (label[i] >= 'a' && label[i] <= 'v')))
			return false;
	}
	return true;
}

static bool may_hold(const zone_build_t *b, const dns_rr_t *rr)
{
	if (rr->class != DNS_CLASS_IN || dns_type_is_meta(rr->type))
		return false;
	if (rr->type == DNS_TYPE_SOA)
		return rr->owner.len == b->apex.len;
	return rr->type != DNS_TYPE_NSEC3 || nsec3_owner_sound(b, rr);
}

static uint16_t covered(const dns_rr_t *rr)
{
	return rr->type == DNS_TYPE_RRSIG ? get_u16(rr->rdata) : rr->type;
}

static status_t log_record(zone_build_t *b, const dns_rr_t *rr)
{
	unsigned rel_len = (unsigned)(rr->owner.len - b->apex.len);
	zone_rec_t *rec = log_take(b, sizeof *rec + rel_len + rr->rdlen);

	if (!rec)
		return ST_NOMEM;
	*rec = (zone_rec_t){
		.ttl = rr->ttl,
		.type = covered(rr),
		.rdlen = rr->rdlen,
		.is_sig = rr->type == DNS_TYPE_RRSIG,
		.rel_len = (uint8_t)rel_len,
		.rel_labels = (uint8_t)(rr->owner.labels - b->apex.labels),
	};
	memcpy(rec->bytes, rr->owner.wire, rel_len);
	memcpy(rec->bytes + rel_len, rr->rdata, rr->rdlen);
	b->stats.added++;
	zone_entry_t entry = { sort_prefix(&rr->owner, rec->rel_labels), rec };
	return list_append(rec->type == DNS_TYPE_NSEC3 ? &b->denial : &b->names, entry);
}

status_t zone_build_add(zone_build_t *b, const dns_rr_t *rr)
{
	b->wire_bytes += (uint64_t)rr->owner.len + DNS_RR_FIXED + rr->rdlen;
	if (b->stats.added + b->stats.outside >= b->limits.max_records ||
	    b->wire_bytes > b->limits.max_bytes)
		return ST_LIMIT;
	if (!dns_name_within(&rr->owner, &b->apex)) {
		b->stats.outside++;
		return ST_OUTSIDE;
	}
	return may_hold(b, rr) ? log_record(b, rr) : ST_MALFORMED;
}

static int entry_order(const void *a, const void *b)
{
	return entry_cmp(a, b);
}

static bool same_owner(const zone_rec_t *a, const zone_rec_t *b)
{
	return a->rel_len == b->rel_len && memcmp(a->bytes, b->bytes, a->rel_len) == 0;
}

/* Hand each run of equal owners to the writer. */
static status_t write_list(list_t *l, zone_write_t *w, bool denial)
{
	status_t st = ST_OK;

	if (!l->sorted)
		qsort(l->entry, l->count, sizeof *l->entry, entry_order);
	for (size_t i = 0, j; i < l->count && st == ST_OK; i = j) {
		for (j = i + 1; j < l->count && same_owner(l->entry[i].rec, l->entry[j].rec); j++)
			;
		st = zone_write_owner(w, l->entry + i, j - i, denial);
	}
	return st;
}

status_t zone_build_seal(zone_build_t *b, zone_version_t **out)
{
	zone_write_t *w = zone_write_new(&b->key, &b->apex, &b->limits, &b->stats);
	status_t st = w ? ST_OK : ST_NOMEM;

	*out = NULL;
	if (st == ST_OK)
		st = write_list(&b->names, w, false);
	if (st == ST_OK)
		st = write_list(&b->denial, w, true);
	drop_log(b); /* before the last copies are made: less memory at the peak */
	if (st == ST_OK)
		st = zone_write_finish(w, out);
	zone_write_free(w);
	return st;
}
