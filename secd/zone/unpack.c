/* zone/unpack.c - owners off hostile octets, one after the other, straight to the writer.
 *
 * Whether a name has others below it is known when the next one has come, so one owner waits, with
 * its records, in a buffer that is used over and over. */
#include "zone/unpack.h"

#include <stdlib.h>

#include "dns/rr.h"
#include "dns/wire.h"
#include "zone/pack.h"
#include "zone/write.h"

enum {
	NAMES_FIRST = 1 << 20, /* room for at the most, before there are any */
	BYTES_FIRST = 1024,
	RECS_FIRST = 16,
	BYTES_KEPT = 1 << 16,
	RECS_KEPT = 1 << 10,
	ARENA_FIRST = 1 << 16, /* octets: that many small zones find room in it */
};

/* An owner by what stands left of the apex. */
typedef struct named {
	zone_owner_t owner;
	uint8_t rel[DNS_NAME_MAX + 1];
} named_t;

struct zone_unpack {
	siphash_key_t key;
	slab_t *slab;
	zone_log_t log;       /* the apex, the limits, what is counted: no records */
	zone_doubts_t doubts; /* of the sealed version */
	zone_arena_t *arena;  /* of this zone, or of one before */
	zone_change_t change;
	zone_writer_t *writer;
	bool begun;
	uint64_t records; /* that there should be */
	status_t failed;
	bool denial; /* it is at the owners of NSEC3 */
	bool behind; /* another owner of this list has come: name[at] */
	bool waits;  /* that one, with recs */
	unsigned at;
	named_t name[2];
	const zone_rec_t **recs; /* of the owner at hand, in bytes */
	size_t count, recs_room;
	uint8_t *bytes;
	size_t used, room;
};

zone_unpack_t *zone_unpack_new(const siphash_key_t *key, const dns_name_t *apex,
                               const zone_limits_t *limits)
{
	zone_unpack_t *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	u->key = *key;
	u->name[0].owner.rel = u->name[0].rel;
	u->name[1].owner.rel = u->name[1].rel;
	u->writer = zone_writer_new();
	if (u->writer) {
		zone_unpack_next(u, apex, limits);
		return u;
	}
	zone_unpack_free(u);
	return NULL;
}

void zone_unpack_in(zone_unpack_t *u, slab_t *slab)
{
	u->slab = slab;
}

void zone_unpack_next(zone_unpack_t *u, const dns_name_t *apex, const zone_limits_t *limits)
{
	zone_log_init(&u->log, apex, limits);
	zone_doubts_again(&u->doubts);
	u->failed = ST_OK;
	u->begun = u->denial = u->behind = u->waits = false;
}

/* An arena of at least that size: the one of the zone before, if that is in one piece by now. */
static bool have_arena(zone_unpack_t *u, uint64_t estimate)
{
	if (u->arena && zone_arena_again(u->arena, estimate))
		return true;
	zone_arena_drop(u->arena);
	u->arena = zone_arena_for(estimate > ARENA_FIRST ? estimate : ARENA_FIRST);
	return u->arena;
}

void zone_unpack_free(zone_unpack_t *u)
{
	if (!u)
		return;
	zone_writer_free(u->writer);
	zone_arena_drop(u->arena);
	zone_log_free(&u->log);
	zone_doubts_free(&u->doubts);
	free(u->recs);
	free(u->bytes);
	free(u);
}

const zone_excess_t *zone_unpack_excess(const zone_unpack_t *u)
{
	return &u->log.excess;
}

const zone_build_stats_t *zone_unpack_stats(const zone_unpack_t *u)
{
	return &u->log.stats;
}

status_t zone_unpack_check(const zone_unpack_t *u, const zone_version_t *v, zone_faults_t *out)
{
	return zone_doubts_check(&u->doubts, v, out);
}

/* --- an owner's records ------------------------------------------------------------------------- */

/* Twice the room for records, which move. */
static status_t grow_bytes(zone_unpack_t *u, size_t n)
{
	size_t room = u->room ? u->room * 2 : BYTES_FIRST;

	while (room < u->used + n)
		room *= 2;
	uint8_t *grown = malloc(room);
	if (!grown)
		return ST_NOMEM;
	if (u->used > 0)
		memcpy(grown, u->bytes, u->used);
	for (size_t i = 0; i < u->count; i++)
		u->recs[i] = (void *)(grown + ((const uint8_t *)u->recs[i] - u->bytes));
	free(u->bytes);
	u->bytes = grown;
	u->room = room;
	return ST_OK;
}

static status_t grow_recs(zone_unpack_t *u)
{
	const size_t room = u->recs_room ? 2 * u->recs_room : RECS_FIRST;
	const zone_rec_t **grown = reallocarray(u->recs, room, sizeof *grown);

	if (!grown)
		return ST_NOMEM;
	u->recs = grown;
	u->recs_room = room;
	return ST_OK;
}

/* An RRset as its head has it; the signatures come after the records. */
typedef struct rrset {
	uint16_t type;
	unsigned count, sigs;
	uint32_t ttl;
} rrset_t;

/* One more for the encoder, which is told of the owner apart. */
static status_t keep_record(zone_unpack_t *u, const rrset_t *set, bool is_sig, const uint8_t *rdata,
                            uint16_t rdlen)
{
	size_t n = zone_align(sizeof(zone_rec_t) + rdlen, 8);

	if (n > u->room - u->used && grow_bytes(u, n) != ST_OK)
		return ST_NOMEM;
	if (u->count == u->recs_room && grow_recs(u) != ST_OK)
		return ST_NOMEM;
	zone_rec_t *rec = (void *)(u->bytes + u->used);
	*rec = (zone_rec_t){ .ttl = set->ttl, .type = set->type, .rdlen = rdlen, .is_sig = is_sig };
	memcpy(rec->bytes, rdata, rdlen);
	u->used += n;
	u->recs[u->count++] = rec;
	return ST_OK;
}

/* Or is it what a zone can't hold, or not here? */
static bool may_hold(const zone_unpack_t *u, const zone_owner_t *o, uint16_t type, bool is_sig,
                     const uint8_t *rdata, size_t rdlen)
{
	uint16_t own = is_sig ? DNS_TYPE_RRSIG : type;

	if (!dns_rdata_sound(own, rdata, rdlen))
		return false;
	if (is_sig ? get_u16(rdata) != type : type == DNS_TYPE_RRSIG)
		return false;
	return zone_log_may_hold(own, o->rel, o->labels, rdata) &&
	       zone_log_is_denial(type, is_sig, o->rel, o->labels) == u->denial;
}

static status_t read_record(zone_unpack_t *u, buf_t *in, const zone_owner_t *o, const rrset_t *set,
                            bool is_sig)
{
	size_t octets = (size_t)o->len + u->log.apex.len + DNS_RR_FIXED;
	uint16_t rdlen = buf_u16(in);
	const uint8_t *rdata = buf_take(in, rdlen);
	status_t st;

	if (!rdata)
		return ST_SHORT;
	if (!may_hold(u, o, set->type, is_sig, rdata, rdlen))
		return ST_MALFORMED;
	st = zone_log_admit(&u->log, octets + rdlen);
	if (st != ST_OK)
		return st;
	u->log.stats.added++;
	u->log.stats.octets += octets + rdlen;
	return keep_record(u, set, is_sig, rdata, rdlen);
}

/* The one behind an RRset of type above; -1: the first. */
static status_t read_rrset(zone_unpack_t *u, buf_t *in, const zone_owner_t *o, long above,
                           rrset_t *set)
{
	const uint8_t *head = buf_take(in, 2 + 2 + 2 + 4);
	status_t st = ST_OK;

	if (!head)
		return ST_SHORT;
	*set = (rrset_t){ get_u16(head), get_u16(head + 2), get_u16(head + 4), get_u32(head + 6) };
	if (set->type <= above || set->count + set->sigs == 0 || set->ttl > DNS_TTL_MAX)
		return ST_MALFORMED;
	for (unsigned i = 0; i < set->count + set->sigs && st == ST_OK; i++)
		st = read_record(u, in, o, set, i >= set->count);
	return st;
}

static status_t read_rrsets(zone_unpack_t *u, buf_t *in, const zone_owner_t *o)
{
	unsigned rrsets = buf_u16(in);
	status_t st = ST_OK;
	long above = -1;

	if (!buf_ok(in))
		return ST_SHORT;
	if (rrsets == 0)
		return ST_MALFORMED;
	u->used = u->count = 0;
	for (unsigned i = 0; i < rrsets && st == ST_OK; i++) {
		rrset_t set;

		st = read_rrset(u, in, o, above, &set);
		above = set.type;
	}
	return st;
}

/* --- owners ------------------------------------------------------------------------------------- */

/* Is there a capital letter among eight octets? Each is looked at without its top bit, and carries
 * into it what is behind 'A', or behind 'Z'. */
static bool has_upper(const uint8_t *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t w;

	memcpy(&w, p, sizeof w);
	uint64_t low = w & ~tops;
	return (low + ones * (0x80 - 'A')) & ~(low + ones * (0x7f - 'Z')) & ~w & tops;
}

/* No length of a label looks like a letter: a name is folded if none of its octets is a capital. */
static bool is_folded(const uint8_t *rel, size_t len)
{
	size_t at = 0;

	if (len < 8) {
		uint8_t word[8] = { 0 };

		copy_few(word, rel, len);
		return !has_upper(word);
	}
	while (at + 8 < len && !has_upper(rel + at))
		at += 8;
	return at + 8 >= len && !has_upper(rel + len - 8);
}

/* What stands left of an apex of so many octets: labels that are folded. *labels: how many. */
static bool is_name(const uint8_t *rel, size_t len, size_t apex_len, unsigned *labels)
{
	size_t at = 0;

	if (len + apex_len > DNS_NAME_MAX)
		return false;
	for (*labels = 0; at < len; at += rel[at] + 1u, ++*labels) {
		if (rel[at] == 0 || rel[at] > DNS_LABEL_MAX)
			return false;
	}
	return at == len && is_folded(rel, len);
}

static status_t read_name(const zone_unpack_t *u, buf_t *in, zone_owner_t *out)
{
	size_t len = buf_u8(in);
	const uint8_t *rel = buf_take(in, len);
	unsigned labels;

	if (!rel)
		return ST_SHORT;
	if (!is_name(rel, len, u->log.apex.len, &labels))
		return ST_MALFORMED;
	*out = (zone_owner_t){ rel, (uint8_t)len, (uint8_t)labels };
	return ST_OK;
}

/* Has the encoder found a record twice? Then the octets are not what was packed. */
static status_t distinct(const zone_unpack_t *u, status_t st)
{
	return st == ST_OK && u->log.stats.duplicates > 0 ? ST_MALFORMED : st;
}

/* The name that waits, if there is one; next is behind it. */
static status_t put_waiting(zone_unpack_t *u, const zone_owner_t *next)
{
	if (!u->waits)
		return ST_OK;
	u->waits = false;
	return distinct(
		u, zone_writer_name(u->writer, &u->name[u->at].owner, u->recs, u->count, next));
}

/* Keep the name beside the one before, which the writer still needs. */
static const zone_owner_t *keep_name(zone_unpack_t *u, const zone_owner_t *o)
{
	named_t *name = &u->name[u->at = 1 - u->at];

	copy_few(name->rel, o->rel, o->len);
	name->owner.len = o->len;
	name->owner.labels = o->labels;
	u->behind = true;
	return &name->owner;
}

static status_t read_owner(zone_unpack_t *u, buf_t *in)
{
	const zone_owner_t *before = &u->name[u->at].owner, *o;
	zone_owner_t next;
	status_t st = read_name(u, in, &next);

	if (st != ST_OK)
		return st;
	if (u->behind && zone_rel_cmp(before->rel, before->labels, next.rel, next.labels) >= 0)
		return ST_MALFORMED;
	st = put_waiting(u, &next);
	o = keep_name(u, &next);
	if (st == ST_OK)
		st = read_rrsets(u, in, o);
	if (st == ST_OK && u->denial)
		return distinct(u, zone_writer_denial(u->writer, o, u->recs, u->count));
	u->waits = st == ST_OK;
	return st;
}

/* --- chunks ------------------------------------------------------------------------------------- */

static uint64_t read_u64(buf_t *in)
{
	uint64_t high = buf_u32(in);

	return high << 32 | buf_u32(in);
}

/* The first chunk says how many records there are. It is believed as to how much the hashing of
 * names may cost, and memory is had as it is used; in the end it must have been true. */
static status_t begin(zone_unpack_t *u, buf_t *in)
{
	uint64_t records = read_u64(in), octets = read_u64(in);
	size_t names = records < NAMES_FIRST ? (size_t)records : NAMES_FIRST;

	if (!buf_ok(in))
		return ST_SHORT;
	if (u->begun)
		return ST_MALFORMED;
	u->begun = true;
	u->records = records;
	if (records > u->log.limits.max_records)
		records = u->log.limits.max_records;
	if (!have_arena(u, zone_write_estimate(records, octets)))
		return ST_NOMEM;
	zone_change_begin(&u->change, u->arena, true);
	return zone_writer_begin(u->writer, &u->change, &u->key, &u->log, &u->doubts, records,
	                         names, 0);
}

static status_t begin_denial(zone_unpack_t *u)
{
	status_t st;

	if (u->denial)
		return ST_OK;
	st = u->waits ? put_waiting(u, NULL) : ST_NOENT;
	u->denial = true;
	u->behind = false;
	return st;
}

static status_t read_head(zone_unpack_t *u, buf_t *in)
{
	unsigned kind = buf_u8(in);

	if (!buf_ok(in))
		return ST_SHORT;
	if (kind == ZONE_PACK_BEGIN)
		return begin(u, in);
	if (kind > ZONE_PACK_DENIAL || !u->begun)
		return ST_MALFORMED;
	if (kind == ZONE_PACK_DENIAL)
		return begin_denial(u);
	return u->denial ? ST_MALFORMED : ST_OK;
}

/* Room for the records of an owner that has very many is not kept. */
static void shrink(zone_unpack_t *u)
{
	if (u->room > BYTES_KEPT) {
		free(u->bytes);
		u->bytes = NULL;
		u->room = 0;
	}
	if (u->recs_room > RECS_KEPT) {
		free(u->recs);
		u->recs = NULL;
		u->recs_room = 0;
	}
}

/* What is written is the version's, or nobody's: of a small zone the memory is kept for the next one. */
static void end_writing(zone_unpack_t *u)
{
	u->begun = false;
	zone_writer_rest(u->writer);
	shrink(u);
	if (u->arena && !zone_arena_again(u->arena, 0)) {
		zone_arena_drop(u->arena);
		u->arena = NULL;
	}
}

status_t zone_unpack_feed(zone_unpack_t *u, const uint8_t *chunk, size_t len)
{
	buf_t in = buf_over(chunk, len);

	if (u->failed == ST_OK)
		u->failed = read_head(u, &in);
	while (u->failed == ST_OK && buf_left(&in) > 0)
		u->failed = read_owner(u, &in);
	if (u->failed != ST_OK)
		end_writing(u);
	return u->failed;
}

static status_t seal(zone_unpack_t *u, zone_version_t **out)
{
	zone_root_t root;
	status_t st = u->begun ? put_waiting(u, NULL) : ST_NOENT;

	if (st == ST_OK && u->log.stats.added != u->records)
		st = ST_MALFORMED;
	if (st == ST_OK)
		st = zone_writer_end(u->writer, &root);
	if (st != ST_OK)
		return st;
	*out = zone_write_version(u->slab, &u->key, &u->log.apex, u->arena, &root, true);
	return *out ? ST_OK : ST_NOMEM;
}

status_t zone_unpack_seal(zone_unpack_t *u, zone_version_t **out)
{
	const zone_build_stats_t *stats = &u->log.stats;

	*out = NULL;
	if (u->failed != ST_OK)
		return u->failed;
	const status_t st = seal(u, out);
	if (u->begun)
		zone_arena_trim(u->arena, zone_write_estimate(stats->added, stats->octets));
	end_writing(u);
	u->failed = st == ST_OK ? ST_NOENT : st; /* there is nothing in it any more */
	return st;
}

/* --- differences -------------------------------------------------------------------------------- */

/* An operation's record; rr->owner's end is the apex's. */
static status_t read_operation(buf_t *in, const dns_name_t *apex, dns_rr_t *rr, bool *remove)
{
	unsigned flags = buf_u8(in), labels;
	size_t len = buf_u8(in);
	const uint8_t *rel = buf_take(in, len), *rdata;
	uint8_t wire[DNS_NAME_MAX + 1];

	rr->class = DNS_CLASS_IN;
	rr->type = buf_u16(in);
	rr->ttl = buf_u32(in);
	rr->rdlen = buf_u16(in);
	rdata = buf_take(in, rr->rdlen);
	if (!rdata)
		return ST_SHORT;
	if (flags > ZONE_PACK_REMOVE || !is_name(rel, len, apex->len, &labels) ||
	    rr->ttl > DNS_TTL_MAX || !dns_rdata_sound(rr->type, rdata, rr->rdlen))
		return ST_MALFORMED;
	*remove = flags & ZONE_PACK_REMOVE;
	memcpy(rr->rdata, rdata, rr->rdlen);
	memcpy(wire, rel, len);
	memcpy(wire + len, apex->wire, apex->len);
	dns_name_from_wire(wire, &rr->owner);
	return ST_OK;
}

status_t zone_unpack_delta(zone_delta_t *d, const uint8_t *octets, size_t len)
{
	const dns_name_t *apex = &zone_delta_log(d)->apex;
	buf_t in = buf_over(octets, len);
	dns_rr_t *rr = malloc(sizeof *rr);
	status_t st = rr ? ST_OK : ST_NOMEM;

	while (st == ST_OK && buf_left(&in) > 0) {
		bool remove;

		st = read_operation(&in, apex, rr, &remove);
		if (st == ST_OK)
			st = remove ? zone_delta_remove(d, rr) : zone_delta_add(d, rr);
	}
	free(rr);
	return st;
}
