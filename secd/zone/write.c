/* zone/write.c - nodes and RRsets as they will be served, in one growing arena. */
#include "zone/write.h"

#include <stdlib.h>

#include "dns/rr.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/layout.h"

enum { ONE_PIECE_MAX = 1 << 20 };

/* An ancestor of the owner at hand, itself included. */
typedef struct level {
	uint32_t ref;
	uint64_t hash;
} level_t;

struct zone_write {
	siphash_key_t key;
	const dns_name_t *apex;
	const zone_limits_t *limits;
	zone_build_stats_t *stats;

	uint8_t *arena;
	size_t used, room;
	uint32_t *order; /* names, then denial */
	uint64_t *hash;  /* of each name */
	size_t nodes, node_room, names;

	level_t level[DNS_LABELS_MAX + 1];
	uint8_t last[DNS_NAME_MAX]; /* the owner before, left of the apex */
	unsigned last_labels;

	const zone_rec_t **group; /* records of the owner at hand */
	size_t group_room;
	dns_name_t owner;
	uint64_t records;
	unsigned soas;
	dns_soa_t soa;
	uint8_t scratch[2][65535];
};

zone_write_t *zone_write_new(const siphash_key_t *key, const dns_name_t *apex,
                             const zone_limits_t *limits, zone_build_stats_t *stats)
{
	zone_write_t *w = malloc(sizeof *w);

	if (!w)
		return NULL;
	memset(w, 0, offsetof(zone_write_t, scratch));
	w->key = *key;
	w->apex = apex;
	w->limits = limits;
	w->stats = stats;
	w->used = ZONE_UNIT; /* reference 0 is nobody's */
	return w;
}

void zone_write_free(zone_write_t *w)
{
	if (!w)
		return;
	free(w->arena);
	free(w->order);
	free(w->hash);
	free(w->group);
	free(w);
}

/* n more octets at w->used; what is written there counts once used moves. */
static status_t reserve(zone_write_t *w, size_t n)
{
	size_t room = w->room;

	if (n <= w->room - w->used && w->arena)
		return ST_OK;
	while (n > room - w->used || room == 0)
		room = room ? room + room / 2 + n : 1024;
	if (room / ZONE_UNIT > UINT32_MAX)
		return ST_LIMIT;
	uint8_t *grown = realloc(w->arena, room);
	if (!grown)
		return ST_NOMEM;
	w->arena = grown;
	w->room = room;
	return ST_OK;
}

static zone_node_t *node_at(zone_write_t *w, uint32_t ref)
{
	return (void *)(w->arena + (size_t)ref * ZONE_UNIT);
}

/* Remember a new node in its order. */
static status_t enlist(zone_write_t *w, uint32_t ref, uint64_t hash)
{
	if (w->nodes == w->node_room) {
		size_t room = w->node_room ? w->node_room * 2 : 8;
		uint32_t *order = reallocarray(w->order, room, sizeof *order);

		if (order)
			w->order = order;
		uint64_t *hashes = order ? reallocarray(w->hash, room, sizeof *hashes) : NULL;
		if (!hashes)
			return ST_NOMEM;
		w->hash = hashes;
		w->node_room = room;
	}
	w->order[w->nodes] = ref;
	w->hash[w->nodes++] = hash;
	return ST_OK;
}

static bool is_asterisk(const uint8_t *label)
{
	return label[0] == 1 && label[1] == '*';
}

/* Begin the node of a name left of the apex, still without RRsets. */
static status_t begin_node(zone_write_t *w, const uint8_t *rel, unsigned rel_len, unsigned labels,
                           bool denial)
{
	uint64_t hash = 0;
	status_t st = reserve(w, sizeof(zone_node_t) + rel_len + 2 * ZONE_UNIT);

	if (st != ST_OK)
		return st;
	w->used = zone_align(w->used, ZONE_UNIT);
	zone_node_t *node = (void *)(w->arena + w->used);
	uint32_t ref = (uint32_t)(w->used / ZONE_UNIT);
	*node = (zone_node_t){ .rel_len = (uint8_t)rel_len, .rel_labels = (uint8_t)labels };
	memcpy(node->name, rel, rel_len);
	w->used += sizeof *node + rel_len;
	while (w->used % 4)
		w->arena[w->used++] = 0;

	if (labels == 0) {
		zone_hashes_t all;

		zone_hash_name(&w->key, w->apex, &all);
		hash = all.h[0];
		node->flags = ZONE_NODE_APEX | ZONE_NODE_EMPTY;
	} else if (!denial) {
		hash = zone_hash_child(&w->key, w->level[labels - 1].hash, rel);
		node->flags = ZONE_NODE_EMPTY;
		if (is_asterisk(rel)) {
			node->flags |= ZONE_NODE_WILD;
			node_at(w, w->level[labels - 1].ref)->flags |= ZONE_NODE_WILD_CHILD;
		}
	}
	if (!denial)
		w->level[labels] = (level_t){ ref, hash };
	return enlist(w, ref, hash);
}

/* How many labels, from the right, an owner shares with the one before. */
static unsigned shared_labels(const zone_write_t *w, const uint8_t *rel, unsigned labels)
{
	uint8_t a[DNS_LABELS_MAX], b[DNS_LABELS_MAX];
	unsigned pos = 0, shared = 0;

	for (unsigned i = 0; i < labels; i++, pos += rel[pos] + 1u)
		a[i] = (uint8_t)pos;
	pos = 0;
	for (unsigned i = 0; i < w->last_labels; i++, pos += w->last[pos] + 1u)
		b[i] = (uint8_t)pos;
	while (shared < labels && shared < w->last_labels) {
		const uint8_t *x = rel + a[labels - 1 - shared];
		const uint8_t *y = w->last + b[w->last_labels - 1 - shared];

		if (memcmp(x, y, *x + 1u) != 0)
			break;
		shared++;
	}
	return shared;
}

/* The empty non-terminals between what is there and this owner, then the owner itself. */
static status_t begin_owner(zone_write_t *w, const zone_rec_t *rec, bool denial)
{
	const uint8_t *rel = rec->bytes;
	unsigned at[DNS_LABELS_MAX + 1], pos = 0, labels = rec->rel_labels;
	status_t st = ST_OK;

	if (!denial) {
		for (unsigned i = 0; i < labels; i++, pos += rel[pos] + 1u)
			at[i] = pos;
		for (unsigned depth = shared_labels(w, rel, labels) + 1;
		     depth < labels && st == ST_OK; depth++) {
			unsigned off = at[labels - depth];

			st = begin_node(w, rel + off, rec->rel_len - off, depth, false);
		}
		memcpy(w->last, rel, rec->rel_len);
		w->last_labels = labels;
		w->names = w->nodes + 1;
	}
	if (st == ST_OK)
		st = begin_node(w, rel, rec->rel_len, labels, denial);
	uint8_t wire[DNS_NAME_MAX];
	memcpy(wire, rel, rec->rel_len);
	memcpy(wire + rec->rel_len, w->apex->wire, w->apex->len);
	dns_name_from_wire(wire, &w->owner);
	return st;
}

static const uint8_t *rec_rdata(const zone_rec_t *r)
{
	return r->bytes + r->rel_len;
}

/* Records of one RRset: by canonical RDATA (RFC 4034 6.3). */
static int rdata_cmp(zone_write_t *w, const zone_rec_t *a, const zone_rec_t *b)
{
	const uint8_t *x = rec_rdata(a), *y = rec_rdata(b);
	uint16_t type = a->is_sig ? DNS_TYPE_RRSIG : a->type;

	if (dns_type_folds(type)) {
		memcpy(w->scratch[0], x, a->rdlen);
		memcpy(w->scratch[1], y, b->rdlen);
		dns_rdata_canonical(type, w->scratch[0], a->rdlen);
		dns_rdata_canonical(type, w->scratch[1], b->rdlen);
		x = w->scratch[0];
		y = w->scratch[1];
	}
	int cmp = memcmp(x, y, a->rdlen < b->rdlen ? a->rdlen : b->rdlen);
	return cmp ? cmp : (int)a->rdlen - (int)b->rdlen;
}

static int rec_order(const void *a, const void *b, void *arg)
{
	const zone_rec_t *x = *(const zone_rec_t *const *)a, *y = *(const zone_rec_t *const *)b;

	if (x->type != y->type)
		return (int)x->type - (int)y->type;
	if (x->is_sig != y->is_sig)
		return (int)x->is_sig - (int)y->is_sig;
	return rdata_cmp(arg, x, y);
}

/* Names in one record's RDATA: at most two in the types that we compress. */
typedef struct spans {
	unsigned n;
	size_t off[2], len[2];
} spans_t;

static void note_span(void *arg, size_t off, size_t len)
{
	spans_t *s = arg;

	if (s->n == ARRAY_LEN(s->off))
		return;
	s->off[s->n] = off;
	s->len[s->n++] = len;
}

/* How many of the owner's labels a target ends with. The whole of a wildcard's owner doesn't
 * count: what it is copied under is another name. */
static unsigned owner_suffix(const dns_name_t *owner, dns_name_t *target)
{
	unsigned n = 0, most = owner->labels;

	dns_name_fold(target);
	if (is_asterisk(owner->wire))
		most--;
	while (n < most && n < target->labels) {
		const uint8_t *x = owner->wire + owner->off[owner->labels - 1 - n];
		const uint8_t *y = target->wire + target->off[target->labels - 1 - n];

		if (memcmp(x, y, *x + 1u) != 0)
			break;
		n++;
	}
	return n;
}

/* Where RDATA is being written, and which pointers it holds so far. */
typedef struct rrset_out {
	uint8_t *start, *p; /* of the RRset's wire; next octet */
	uint16_t *fix;
	unsigned fixes;
} rrset_out_t;

static void put_bytes(rrset_out_t *o, const uint8_t *src, size_t n)
{
	memcpy(o->p, src, n);
	o->p += n;
}

/* A name, its end replaced by a pointer into the owner if they end alike. Pointers beyond what
 * a message can hold are not made: nothing will be sent from there. */
static void put_name(rrset_out_t *o, const dns_name_t *owner, const uint8_t *wire, size_t len)
{
	dns_name_t target;

	dns_name_from_wire(wire, &target);
	unsigned n = owner_suffix(owner, &target);
	size_t keep = n ? target.off[target.labels - n] : len;
	size_t at = (size_t)(o->p - o->start) + keep;

	if (n == 0 || at > UINT16_MAX) {
		put_bytes(o, wire, len);
		return;
	}
	put_bytes(o, wire, keep);
	put_u16(o->p, 0xc000u + DNS_HEADER_LEN + owner->off[owner->labels - n]);
	o->p += 2;
	o->fix[o->fixes++] = (uint16_t)at;
}

static void put_record(rrset_out_t *o, const dns_name_t *owner, const zone_rec_t *r, uint32_t ttl)
{
	const uint8_t *rdata = rec_rdata(r);
	uint16_t type = r->is_sig ? DNS_TYPE_RRSIG : r->type;
	spans_t s = { 0 };
	size_t done = 0;

	put_u16(o->p, 0xc000u + DNS_HEADER_LEN);
	put_u16(o->p + 2, type);
	put_u16(o->p + 4, DNS_CLASS_IN);
	put_u32(o->p + 6, ttl);
	uint8_t *rdlen_at = o->p + 10;
	o->p += 2 + DNS_RR_FIXED;
	if (dns_type_may_compress(type))
		dns_rdata_names(type, rdata, r->rdlen, note_span, &s);
	for (unsigned i = 0; i < s.n; i++) {
		put_bytes(o, rdata + done, s.off[i] - done);
		put_name(o, owner, rdata + s.off[i], s.len[i]);
		done = s.off[i] + s.len[i];
	}
	put_bytes(o, rdata + done, r->rdlen - done);
	put_u16(rdlen_at, (unsigned)(o->p - rdlen_at - 2));
}

/* Drop what stands twice; count is what stays. */
static size_t unique(zone_write_t *w, const zone_rec_t **rec, size_t count)
{
	size_t kept = count > 0;

	for (size_t i = 1; i < count; i++) {
		if (rdata_cmp(w, rec[kept - 1], rec[i]) == 0)
			w->stats->duplicates++;
		else
			rec[kept++] = rec[i];
	}
	return kept;
}

/* RFC 2181 5.2: one TTL for the RRset; the lowest where they differ. */
static uint32_t common_ttl(zone_write_t *w, const zone_rec_t **rec, size_t count, size_t sigs)
{
	size_t n = count ? count : sigs;
	uint32_t low = rec[0]->ttl, high = rec[0]->ttl;

	for (size_t i = 1; i < n; i++) {
		low = rec[i]->ttl < low ? rec[i]->ttl : low;
		high = rec[i]->ttl > high ? rec[i]->ttl : high;
	}
	if (low != high)
		w->stats->ttl_mixed++;
	return low;
}

/* One RRset: rec[0..count) its records, rec[count..count+sigs) the RRSIGs that cover it. */
static status_t put_rrset(zone_write_t *w, const zone_rec_t **rec, size_t count, size_t sigs)
{
	size_t most = sizeof(zone_rrset_head_t) + 8, sig_kept = unique(w, rec + count, sigs);
	size_t kept = unique(w, rec, count);

	for (size_t i = 0; i < kept; i++)
		most += 2 + DNS_RR_FIXED + rec[i]->rdlen + 2 * sizeof(uint16_t);
	for (size_t i = 0; i < sig_kept; i++)
		most += 2 + DNS_RR_FIXED + rec[count + i]->rdlen;
	if (kept > w->limits->max_rrset || kept > UINT16_MAX || sig_kept > UINT16_MAX ||
	    most > UINT32_MAX)
		return ST_LIMIT;
	uint16_t *fix = malloc((kept ? kept : 1) * 2 * sizeof *fix);
	status_t st = fix ? reserve(w, most) : ST_NOMEM;
	if (st != ST_OK)
		goto out;

	zone_rrset_head_t *h = (void *)(w->arena + w->used);
	uint32_t ttl = common_ttl(w, rec, kept, sig_kept);
	rrset_out_t o = { .start = (uint8_t *)(h + 1), .p = (uint8_t *)(h + 1), .fix = fix };
	for (size_t i = 0; i < kept; i++)
		put_record(&o, &w->owner, rec[i], ttl);
	h->wire_len = (uint32_t)(o.p - o.start);
	for (size_t i = 0; i < sig_kept; i++)
		put_record(&o, &w->owner, rec[count + i], ttl);
	h->sig_len = (uint32_t)(o.p - o.start) - h->wire_len;
	h->type = rec[0]->type;
	h->count = (uint16_t)kept;
	h->sig_count = (uint16_t)sig_kept;
	h->fixes = (uint16_t)o.fixes;
	if ((o.p - (uint8_t *)h) % 2)
		*o.p++ = 0;
	put_bytes(&o, (const uint8_t *)fix, o.fixes * sizeof *fix);
	if ((o.p - (uint8_t *)h) % 4) {
		memset(o.p, 0, 2);
		o.p += 2;
	}
	w->used = (size_t)(o.p - w->arena);
	w->records += kept + sig_kept;
	if (rec[0]->type == DNS_TYPE_SOA && kept > 0) {
		w->soas += (unsigned)kept;
		st = dns_soa_read(rec_rdata(rec[0]), rec[0]->rdlen, &w->soa);
	}
out:
	free(fix);
	return st;
}

static void note_type(zone_node_t *node, uint16_t type, size_t count)
{
	node->flags &= (uint16_t)~ZONE_NODE_EMPTY;
	node->rrsets++;
	if (count == 0)
		return;
	if (type == DNS_TYPE_NS && !(node->flags & ZONE_NODE_APEX))
		node->flags |= ZONE_NODE_CUT;
	if (type == DNS_TYPE_DNAME)
		node->flags |= ZONE_NODE_DNAME;
	if (type == DNS_TYPE_CNAME)
		node->flags |= ZONE_NODE_CNAME;
}

/* The sorted records of the owner, RRset by RRset. */
static status_t put_rrsets(zone_write_t *w, size_t n)
{
	uint32_t ref = w->order[w->nodes - 1];
	status_t st = ST_OK;

	for (size_t i = 0; i < n && st == ST_OK;) {
		const zone_rec_t **rec = w->group + i;
		size_t count = 0, sigs = 0;

		while (i + count < n && rec[count]->type == rec[0]->type && !rec[count]->is_sig)
			count++;
		while (i + count + sigs < n && rec[count + sigs]->type == rec[0]->type)
			sigs++;
		i += count + sigs;
		st = put_rrset(w, rec, count, sigs);
		if (st == ST_OK)
			note_type(node_at(w, ref), w->group[i - 1]->type, count);
	}
	return st;
}

status_t zone_write_owner(zone_write_t *w, const zone_entry_t *entry, size_t count, bool denial)
{
	if (w->nodes == 0 && entry[0].rec->rel_labels != 0)
		return ST_NOENT; /* nothing at the apex, so no SOA either */
	if (count > w->group_room) {
		const zone_rec_t **grown = reallocarray(w->group, count, sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		w->group = grown;
		w->group_room = count;
	}
	for (size_t i = 0; i < count; i++)
		w->group[i] = entry[i].rec;
	if (count > 1)
		qsort_r(w->group, count, sizeof *w->group, rec_order, w);
	status_t st = begin_owner(w, entry[0].rec, denial);
	return st == ST_OK ? put_rrsets(w, count) : st;
}

static void fill_table(zone_version_t *v, const uint64_t *hash, size_t names)
{
	for (size_t n = 0; n < names; n++) {
		uint32_t i = (uint32_t)hash[n] & v->mask;

		while (v->table[i])
			i = (i + 1) & v->mask;
		v->table[i] = (hash[n] >> 32 << 32) | v->order[n];
	}
}

/* A table that is at most three quarters full. */
static uint32_t table_mask(size_t names)
{
	uint32_t size = 2;

	while ((uint64_t)size * 3 < (uint64_t)names * 4 + 1)
		size *= 2;
	return size - 1;
}

/* Everything behind the struct in one allocation: for the many zones that are small. */
static zone_version_t *in_one_piece(const zone_write_t *w, size_t head, uint32_t mask)
{
	size_t table = ((size_t)mask + 1) * sizeof(uint64_t), order = w->nodes * sizeof(uint32_t);
	size_t all = head + table + zone_align(order, ZONE_UNIT) + w->used;
	zone_version_t *v = malloc(all);

	if (!v)
		return NULL;
	v->one_piece = true;
	v->bytes = all;
	v->table = (void *)((uint8_t *)v + head);
	memset(v->table, 0, table);
	v->order = (void *)((uint8_t *)v->table + table);
	memcpy(v->order, w->order, order);
	v->blocks = (uint8_t *)v->order + zone_align(order, ZONE_UNIT);
	memcpy(v->blocks, w->arena, w->used);
	v->denial = v->order + w->names;
	return v;
}

/* The writer's own arrays, cut to size and handed over. */
static zone_version_t *in_pieces(zone_write_t *w, size_t head, uint32_t mask)
{
	size_t denials = w->nodes - w->names;
	zone_version_t *v = malloc(head);
	uint64_t *table = calloc((size_t)mask + 1, sizeof *table);
	uint32_t *denial = malloc((denials ? denials : 1) * sizeof *denial);

	if (!v || !table || !denial) {
		free(v);
		free(table);
		free(denial);
		return NULL;
	}
	memcpy(denial, w->order + w->names, denials * sizeof *denial);
	uint8_t *arena = realloc(w->arena, w->used);
	uint32_t *order = realloc(w->order, w->names * sizeof *order);
	v->one_piece = false;
	v->table = table;
	v->denial = denial;
	v->blocks = arena ? arena : w->arena; /* shrinking may fail: then it stays as it is */
	v->order = order ? order : w->order;
	v->bytes = head + ((size_t)mask + 1) * sizeof *table + w->nodes * sizeof *order + w->used;
	w->arena = NULL; /* the version's now */
	w->order = NULL;
	return v;
}

status_t zone_write_finish(zone_write_t *w, zone_version_t **out)
{
	uint32_t mask = table_mask(w->names);
	size_t head = zone_align(sizeof **out + w->apex->len, ZONE_UNIT);
	zone_version_t *v;

	if (w->soas != 1)
		return w->soas == 0 ? ST_NOENT : ST_EXIST;
	if (w->names > UINT32_MAX / 2)
		return ST_LIMIT;
	v = w->used <= ONE_PIECE_MAX ? in_one_piece(w, head, mask) : in_pieces(w, head, mask);
	if (!v)
		return ST_NOMEM;
	v->key = w->key;
	v->mask = mask;
	fill_table(v, w->hash, w->names);
	v->names = (uint32_t)w->names;
	v->denials = (uint32_t)(w->nodes - w->names);
	v->soa = w->soa;
	v->records = w->records;
	v->apex_len = w->apex->len;
	v->apex_labels = w->apex->labels;
	memcpy(v->apex, w->apex->wire, w->apex->len);
	*out = v;
	return ST_OK;
}
