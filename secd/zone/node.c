/* zone/node.c - RRsets as the wire that will be sent, in one growing buffer. */
#include "zone/node.h"

#include <stdlib.h>

#include "dns/rr.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

enum { RR_HEAD = 2 + DNS_RR_FIXED, SCRATCH = 65535, BIG = 1 << 18 };

/* A name in RDATA, as it was before it was compressed. */
typedef struct written {
	dns_name_t name; /* folded */
	unsigned real;   /* labels that were written out; a pointer stands for the others */
	size_t at;       /* in the RRset's wire */
} written_t;

/* The first names of an RRset: most others end like one of them. */
enum { WRITTEN_MAX = 16 };

/* Rounds of SHA-1 for the hashes of names: a second's worth for anybody, and as many for each record
 * as two names with 150 iterations take, which is more than anyone should have (RFC 9276 3.1). */
enum { ROUNDS_FREE = 10000000, ROUNDS_PER_RECORD = 2 * 151 };

struct zone_encoder {
	zone_log_t *log;
	const dns_nsec3_params_t *params; /* NULL: names are not hashed */
	uint64_t rounds, rounds_most;     /* of SHA-1: so far, and at most */
	dns_name_t owner; /* of the node at hand; len 0 until a name is compared with it */
	uint8_t *image;
	size_t used, room;
	uint16_t *fix; /* pointers of the RRset at hand */
	size_t fix_room;
	written_t *written; /* names in its RDATA that others may end like */
	uint8_t *scratch;   /* two times SCRATCH */
};

void zone_encoder_again(zone_encoder_t *e, zone_log_t *log, const dns_nsec3_params_t *params,
                        uint64_t records)
{
	e->log = log;
	e->params = params;
	e->rounds = 0;
	e->rounds_most = ROUNDS_FREE + records * ROUNDS_PER_RECORD;
}

zone_encoder_t *zone_encoder_new(zone_log_t *log, const dns_nsec3_params_t *params,
                                 uint64_t records)
{
	zone_encoder_t *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	e->scratch = malloc(2 * SCRATCH); /* touched where RDATA with names is compared */
	e->written = malloc(WRITTEN_MAX * sizeof *e->written);
	if (!e->scratch || !e->written) {
		zone_encoder_free(e);
		return NULL;
	}
	zone_encoder_again(e, log, params, records);
	return e;
}

bool zone_encoder_is_big(const zone_encoder_t *e)
{
	return e->room > BIG;
}

void zone_encoder_free(zone_encoder_t *e)
{
	if (!e)
		return;
	free(e->image);
	free(e->fix);
	free(e->scratch);
	free(e->written);
	free(e);
}

static status_t grow_image(zone_encoder_t *e, size_t n)
{
	size_t room = e->room ? e->room : 1024;

	while (n > room - e->used)
		room *= 2;
	uint8_t *grown = realloc(e->image, room);
	if (!grown)
		return ST_NOMEM;
	e->image = grown;
	e->room = room;
	return ST_OK;
}

/* n more octets behind what is used. */
static inline status_t reserve(zone_encoder_t *e, size_t n)
{
	return n <= e->room - e->used ? ST_OK : grow_image(e, n);
}

static zone_node_t *image_node(const zone_encoder_t *e)
{
	return (void *)e->image;
}

static bool is_asterisk(const uint8_t *label)
{
	return label[0] == 1 && label[1] == '*';
}

static unsigned own_flags(unsigned rel_labels, const uint8_t *rel)
{
	if (rel_labels == 0)
		return ZONE_NODE_APEX | ZONE_NODE_EMPTY;
	return ZONE_NODE_EMPTY | (is_asterisk(rel) ? ZONE_NODE_WILD : 0u);
}

/* A limit that no single name is to blame for. */
static status_t exceeded(zone_encoder_t *e, zone_limit_t limit, uint64_t count, uint64_t most)
{
	e->log->excess = (zone_excess_t){ .limit = limit, .count = count, .most = most };
	return ST_LIMIT;
}

/* One of the node at hand. */
static status_t exceeded_here(zone_encoder_t *e, zone_limit_t limit, uint16_t type, uint64_t count,
                              uint64_t most)
{
	const zone_node_t *node = image_node(e);
	zone_excess_t *x = &e->log->excess;

	exceeded(e, limit, count, most);
	x->type = type;
	memcpy(x->owner, node->name, node->rel_len);
	memcpy(x->owner + node->rel_len, e->log->apex.wire, e->log->apex.len);
	return ST_LIMIT;
}

/* The hash of the node's name, and of a parent's *.name. */
static void put_hashes(zone_encoder_t *e, const uint8_t *rel, size_t rel_len, unsigned flags)
{
	const dns_name_t *apex = &e->log->apex;
	uint8_t name[2 + DNS_NAME_MAX] = { 1, '*' };
	size_t len = rel_len + apex->len;

	if (rel_len > 0)
		memcpy(name + 2, rel, rel_len);
	memcpy(name + 2 + rel_len, apex->wire, apex->len);
	e->rounds += zone_hashes_len(flags) / DNS_NSEC3_HASH_LEN * dns_nsec3_cost(e->params);
	dns_nsec3_hash(e->params, name + 2, len, e->image + e->used);
	if (flags & ZONE_NODE_PARENT)
		dns_nsec3_hash(e->params, name, len + 2, e->image + e->used + DNS_NSEC3_HASH_LEN);
	e->used += zone_hashes_len(flags);
}

/* Head, name, children and hashes; RRsets follow. */
static status_t begin(zone_encoder_t *e, const uint8_t *rel, size_t rel_len, unsigned rel_labels,
                      unsigned flags, uint32_t children)
{
	e->used = 0;
	if (!e->params)
		flags &= ~(unsigned)ZONE_NODE_HASHED;
	if (reserve(e, sizeof(zone_node_t) + rel_len + 2 * sizeof children +
	                       zone_hashes_len(flags)) != ST_OK)
		return ST_NOMEM;
	zone_node_t *node = image_node(e);
	*node = (zone_node_t){
		.flags = (uint16_t)(flags | own_flags(rel_labels, rel)),
		.rel_len = (uint8_t)rel_len,
		.rel_labels = (uint8_t)rel_labels,
	};
	copy_few(node->name, rel, rel_len);
	e->used = sizeof *node + rel_len;
	memset(e->image + e->used, 0, 4);
	e->used = zone_align(e->used, 4);
	if (flags & ZONE_NODE_PARENT) {
		memcpy(e->image + e->used, &children, sizeof children);
		e->used += sizeof children;
	}
	if (!(flags & ZONE_NODE_HASHED))
		return ST_OK;
	put_hashes(e, rel, rel_len, flags);
	return e->rounds > e->rounds_most
	               ? exceeded(e, ZONE_LIMIT_HASHES, e->rounds, e->rounds_most)
	               : ST_OK;
}

/* Is this RDATA a name and nothing else, compressed and folded? Those that are common. */
static bool is_name(uint16_t type)
{
	return type == DNS_TYPE_NS || type == DNS_TYPE_PTR || type == DNS_TYPE_CNAME;
}

/* Such RDATA: no octet that gives a label's length is changed by folding,
 * so the octets can be compared as they stand. */
static int name_cmp(const zone_rec_t *a, const zone_rec_t *b)
{
	const uint8_t *x = zone_rec_rdata(a), *y = zone_rec_rdata(b);
	unsigned least = a->rdlen < b->rdlen ? a->rdlen : b->rdlen;

	for (unsigned i = 0; i < least; i++) {
		int cmp = (int)dns_fold(x[i]) - (int)dns_fold(y[i]);

		if (cmp != 0)
			return cmp;
	}
	return (int)a->rdlen - (int)b->rdlen;
}

/* Records of one RRset, or its RRSIGs: by canonical RDATA (RFC 4034 6.3). */
static int rdata_cmp(zone_encoder_t *e, const zone_rec_t *a, const zone_rec_t *b)
{
	const uint8_t *x = zone_rec_rdata(a), *y = zone_rec_rdata(b);
	uint16_t type = a->is_sig ? DNS_TYPE_RRSIG : a->type;

	if (is_name(type))
		return name_cmp(a, b);
	if (dns_type_folds(type)) {
		uint8_t *left = e->scratch, *right = e->scratch + SCRATCH;

		memcpy(left, x, a->rdlen);
		memcpy(right, y, b->rdlen);
		dns_rdata_canonical(type, left, a->rdlen);
		dns_rdata_canonical(type, right, b->rdlen);
		x = left;
		y = right;
	}
	int cmp = memcmp(x, y, a->rdlen < b->rdlen ? a->rdlen : b->rdlen);
	return cmp ? cmp : (int)a->rdlen - (int)b->rdlen;
}

int zone_rec_cmp(zone_encoder_t *e, const zone_rec_t *a, const zone_rec_t *b)
{
	if (a->type != b->type)
		return (int)a->type - (int)b->type;
	if (a->is_sig != b->is_sig)
		return (int)a->is_sig - (int)b->is_sig;
	return rdata_cmp(e, a, b);
}

static int rec_order(const void *a, const void *b, void *arg)
{
	return zone_rec_cmp(arg, *(const zone_rec_t *const *)a, *(const zone_rec_t *const *)b);
}

/* Those that are equal stay in the order in which they came. Most owners have a few records, or, as
 * a delta has them, many in order already. */
static void sort_records(zone_encoder_t *e, const zone_rec_t **recs, size_t count)
{
	enum { FEW = 12 };
	size_t sorted = 1;

	while (sorted < count && zone_rec_cmp(e, recs[sorted - 1], recs[sorted]) <= 0)
		sorted++;
	if (count > FEW) {
		if (sorted < count)
			qsort_r(recs, count, sizeof *recs, rec_order, e);
		return;
	}
	for (size_t i = sorted; i < count; i++) {
		const zone_rec_t *rec = recs[i];
		size_t at = i;

		for (; at > 0 && zone_rec_cmp(e, recs[at - 1], rec) > 0; at--)
			recs[at] = recs[at - 1];
		recs[at] = rec;
	}
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

/* How many labels two folded names end alike. */
static unsigned shared_labels(const dns_name_t *a, const dns_name_t *b)
{
	unsigned n = 0;

	while (n < a->labels && n < b->labels) {
		const uint8_t *x = a->wire + a->off[a->labels - 1 - n];
		const uint8_t *y = b->wire + b->off[b->labels - 1 - n];

		if (*x != *y || memcmp(x + 1, y + 1, *x) != 0)
			break;
		n++;
	}
	return n;
}

/* Where RDATA is being written, and which pointers and names it holds so far. */
typedef struct rrset_out {
	uint8_t *start, *p; /* of the RRset's wire; next octet */
	uint16_t *fix;
	unsigned fixes;
	written_t *written;
	unsigned names;
	bool inside; /* a name ends like the whole of its owner */
} rrset_out_t;

static void put_bytes(rrset_out_t *o, const void *src, size_t n)
{
	if (n > 0)
		memcpy(o->p, src, n);
	o->p += n;
}

/* The end of a name that stands somewhere already. */
typedef struct tail {
	unsigned labels; /* of it; 0: there is none */
	unsigned to;     /* what a pointer to it says */
} tail_t;

/* In the owner, or else, if that gives more, in a name before. The whole of a wildcard's owner
 * doesn't count: what it is copied under is another name. */
static tail_t find_tail(rrset_out_t *o, const dns_name_t *owner, const dns_name_t *target)
{
	unsigned most = owner->labels - (unsigned)is_asterisk(owner->wire);
	unsigned n = shared_labels(owner, target);
	tail_t best = { .labels = n < most ? n : most };

	o->inside |= n == owner->labels;
	best.to = DNS_HEADER_LEN + owner->off[owner->labels - best.labels];
	for (unsigned i = 0; i < o->names; i++) {
		const written_t *w = &o->written[i];

		n = shared_labels(&w->name, target);
		if (n > best.labels && w->name.labels - n < w->real)
			best = (tail_t){ n, (unsigned)(ZONE_WIRE_AT + w->at +
				                       w->name.off[w->name.labels - n]) };
	}
	return best;
}

/* A name, its end replaced by a pointer if that stands somewhere already. Pointers beyond what
 * a message can hold are not made: nothing will be sent from there. */
static void put_name(rrset_out_t *o, const dns_name_t *owner, const uint8_t *wire, size_t len)
{
	written_t *w = &o->written[o->names];
	size_t at = (size_t)(o->p - o->start);
	written_t spare;

	if (o->names == WRITTEN_MAX)
		w = &spare;
	dns_name_from_wire(wire, &w->name);
	dns_name_fold(&w->name);
	tail_t tail = find_tail(o, owner, &w->name);
	size_t keep = tail.labels ? w->name.off[w->name.labels - tail.labels] : len;
	if (at + keep > UINT16_MAX)
		tail.labels = 0;
	if (tail.labels == 0) {
		put_bytes(o, wire, len);
	} else {
		put_bytes(o, wire, keep);
		put_u16(o->p, 0xc000u + tail.to);
		o->p += 2;
		o->fix[o->fixes++] = (uint16_t)(at + keep);
	}
	w->real = w->name.labels - tail.labels;
	w->at = at;
	if (o->names < WRITTEN_MAX && w->real > 0 && at + len < ZONE_WIRE_AT)
		o->names++;
}

/* The name of the node at hand, which most records can do without. */
static const dns_name_t *owner_of(zone_encoder_t *e)
{
	const zone_node_t *node = image_node(e);
	uint8_t wire[DNS_NAME_MAX];

	if (e->owner.len == 0) {
		copy_few(wire, node->name, node->rel_len);
		copy_few(wire + node->rel_len, e->log->apex.wire, e->log->apex.len);
		dns_name_from_wire(wire, &e->owner);
	}
	return &e->owner;
}

/* May names in RDATA of this type be compressed? */
static bool has_names(uint16_t type)
{
	return is_name(type) || dns_type_may_compress(type);
}

/* Such RDATA. */
static void put_names(rrset_out_t *o, zone_encoder_t *e, const zone_rec_t *r)
{
	const uint8_t *rdata = zone_rec_rdata(r);
	spans_t s = { .n = 0 };
	size_t done = 0;

	if (is_name(r->type))
		note_span(&s, 0, r->rdlen);
	else
		dns_rdata_names(r->type, rdata, r->rdlen, note_span, &s);
	for (unsigned i = 0; i < s.n; i++) {
		put_bytes(o, rdata + done, s.off[i] - done);
		put_name(o, owner_of(e), rdata + s.off[i], s.len[i]);
		done = s.off[i] + s.len[i];
	}
	put_bytes(o, rdata + done, r->rdlen - done);
}

/* All before the RDATA but its length. */
static inline void put_head(uint8_t *p, uint16_t type, uint32_t ttl)
{
	put_u16(p, 0xc000u + DNS_HEADER_LEN);
	put_u16(p + 2, type);
	put_u16(p + 4, DNS_CLASS_IN);
	put_u32(p + 6, ttl);
}

static void put_record(rrset_out_t *o, zone_encoder_t *e, const zone_rec_t *r, uint32_t ttl)
{
	const uint16_t type = r->is_sig ? DNS_TYPE_RRSIG : r->type;

	put_head(o->p, type, ttl);
	uint8_t *rdlen_at = o->p + 10;
	o->p += RR_HEAD;
	if (has_names(type))
		put_names(o, e, r);
	else
		put_bytes(o, zone_rec_rdata(r), r->rdlen);
	put_u16(rdlen_at, (unsigned)(o->p - rdlen_at - 2));
}

/* Drop what stands twice; count is what stays. */
static inline size_t unique(zone_encoder_t *e, const zone_rec_t **rec, size_t count)
{
	size_t kept = count > 0;

	for (size_t i = 1; i < count; i++) {
		if (rdata_cmp(e, rec[kept - 1], rec[i]) != 0) {
			rec[kept++] = rec[i];
			continue;
		}
		e->log->stats.duplicates++;
		e->log->stats.octets -= zone_rec_octets(rec[i], &e->log->apex);
	}
	return kept;
}

/* RFC 2181 5.2: one TTL for the RRset; the lowest where they differ. */
static uint32_t common_ttl(zone_encoder_t *e, const zone_rec_t **rec, size_t count)
{
	uint32_t low = rec[0]->ttl, high = rec[0]->ttl;

	for (size_t i = 1; i < count; i++) {
		low = rec[i]->ttl < low ? rec[i]->ttl : low;
		high = rec[i]->ttl > high ? rec[i]->ttl : high;
	}
	if (low != high)
		e->log->stats.ttl_mixed++;
	return low;
}

/* Room for the RRset's wire and its pointers, at the most. */
static status_t make_room(zone_encoder_t *e, const zone_rec_t **rec, size_t count, size_t sigs)
{
	uint32_t records_most = e->log->limits.max_rrset;
	size_t most = sizeof(zone_rrset_head_t) + 8;

	records_most = records_most < UINT16_MAX ? records_most : UINT16_MAX;
	if (count > records_most)
		return exceeded_here(e, ZONE_LIMIT_RRSET, rec[0]->type, count, records_most);
	if (sigs > UINT16_MAX)
		return exceeded_here(e, ZONE_LIMIT_RRSET, DNS_TYPE_RRSIG, sigs, UINT16_MAX);
	for (size_t i = 0; i < count + sigs; i++)
		most += RR_HEAD + rec[i]->rdlen + 2 * sizeof(uint16_t);
	if (most > UINT32_MAX)
		return exceeded_here(e, ZONE_LIMIT_RRSET, rec[0]->type, count, records_most);
	if (2 * count > e->fix_room) {
		uint16_t *grown = reallocarray(e->fix, 2 * count, sizeof *grown);

		if (!grown)
			return ST_NOMEM;
		e->fix = grown;
		e->fix_room = 2 * count;
	}
	return reserve(e, most);
}

static status_t note_soa(const zone_rec_t *r, size_t count, zone_image_t *out)
{
	out->soas += (unsigned)count;
	return dns_soa_read(zone_rec_rdata(r), r->rdlen, &out->soa);
}

/* One RRset: rec[0..count) its records, rec[count..count+sigs) the RRSIGs that cover it. */
static status_t put_rrset(zone_encoder_t *e, const zone_rec_t **rec, size_t count, size_t sigs,
                          zone_image_t *out)
{
	size_t sig_kept = unique(e, rec + count, sigs), kept = unique(e, rec, count);

	if (kept < count)
		memmove(rec + kept, rec + count, sig_kept * sizeof *rec);
	status_t st = make_room(e, rec, kept, sig_kept);
	if (st != ST_OK)
		return st;
	zone_rrset_head_t *h = (void *)(e->image + e->used);
	uint32_t ttl = common_ttl(e, rec, kept ? kept : sig_kept);
	rrset_out_t o = { .start = (uint8_t *)(h + 1),
		          .p = (uint8_t *)(h + 1),
		          .fix = e->fix,
		          .written = e->written };
	for (size_t i = 0; i < kept; i++)
		put_record(&o, e, rec[i], ttl);
	h->wire_len = (uint32_t)(o.p - o.start);
	for (size_t i = 0; i < sig_kept; i++)
		put_record(&o, e, rec[kept + i], ttl);
	h->sig_len = (uint32_t)(o.p - o.start) - h->wire_len;
	h->type = rec[0]->type;
	h->count = (uint16_t)kept;
	h->sig_count = (uint16_t)sig_kept;
	h->fixes = (uint16_t)o.fixes;
	if ((o.p - (uint8_t *)h) % 2)
		*o.p++ = 0;
	put_bytes(&o, e->fix, o.fixes * sizeof *e->fix);
	if ((o.p - (uint8_t *)h) % 4) {
		memset(o.p, 0, 2);
		o.p += 2;
	}
	e->used = (size_t)(o.p - e->image);
	out->records += (uint32_t)(kept + sig_kept);
	out->sigs += (uint32_t)sig_kept;
	out->inside |= o.inside;
	return h->type == DNS_TYPE_SOA && kept > 0 ? note_soa(rec[0], kept, out) : ST_OK;
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

/* Most owners have one record without names in its RDATA: nothing is to be sorted, joined or compressed. */
static bool is_plain(const zone_encoder_t *e, const zone_rec_t **recs, size_t count)
{
	return count == 1 && !recs[0]->is_sig && !has_names(recs[0]->type) &&
	       e->log->limits.max_rrset > 0 && e->log->limits.max_rrsets > 0;
}

static status_t put_plain(zone_encoder_t *e, const zone_rec_t *r, zone_image_t *out)
{
	const uint32_t len = RR_HEAD + r->rdlen;

	if (reserve(e, sizeof(zone_rrset_head_t) + len + 4) != ST_OK)
		return ST_NOMEM;
	zone_rrset_head_t *h = (void *)(e->image + e->used);
	uint8_t *p = (uint8_t *)(h + 1);
	*h = (zone_rrset_head_t){ .wire_len = len, .type = r->type, .count = 1 };
	put_head(p, r->type, r->ttl);
	put_u16(p + RR_HEAD - 2, r->rdlen);
	copy_few(p + RR_HEAD, zone_rec_rdata(r), r->rdlen);
	memset(p + len, 0, 4);
	e->used += sizeof *h + zone_align(len, 4);
	out->records = 1;
	note_type(image_node(e), r->type, 1);
	return ST_OK;
}

/* The sorted records of the owner, RRset by RRset. */
static status_t put_rrsets(zone_encoder_t *e, const zone_rec_t **recs, size_t n, zone_image_t *out)
{
	uint32_t most = e->log->limits.max_rrsets;
	status_t st = ST_OK;

	most = most < UINT16_MAX ? most : UINT16_MAX;
	for (size_t i = 0; i < n && st == ST_OK;) {
		const zone_rec_t **rec = recs + i;
		uint16_t type = rec[0]->type;
		size_t count = 0, sigs = 0;

		while (i + count < n && rec[count]->type == type && !rec[count]->is_sig)
			count++;
		while (i + count + sigs < n && rec[count + sigs]->type == type)
			sigs++;
		i += count + sigs;
		if (image_node(e)->rrsets == most)
			return exceeded_here(e, ZONE_LIMIT_RRSETS, type, most + 1ull, most);
		st = put_rrset(e, rec, count, sigs, out);
		if (st == ST_OK)
			note_type(image_node(e), type, count);
	}
	return st;
}

status_t zone_encode(zone_encoder_t *e, const uint8_t *rel, size_t rel_len, unsigned rel_labels,
                     const zone_rec_t **recs, size_t count, unsigned flags, uint32_t children,
                     zone_image_t *out)
{
	status_t st = begin(e, rel, rel_len, rel_labels, flags, children);

	*out = (zone_image_t){ 0 };
	if (st == ST_OK && is_plain(e, recs, count)) {
		st = put_plain(e, recs[0], out);
	} else if (st == ST_OK && count > 0) {
		e->owner.len = 0;
		sort_records(e, recs, count);
		st = put_rrsets(e, recs, count, out);
	}
	out->node = image_node(e);
	out->len = e->used;
	return st;
}

status_t zone_encode_like(zone_encoder_t *e, const zone_node_t *node, unsigned flags,
                          uint32_t children, zone_image_t *out)
{
	size_t from = zone_rrsets_at(node), len = zone_node_size(node) - from;
	status_t st = begin(e, node->name, node->rel_len, node->rel_labels, flags, children);
	const unsigned kept = ZONE_NODE_EMPTY | ZONE_NODE_CUT | ZONE_NODE_DNAME | ZONE_NODE_CNAME;

	*out = (zone_image_t){ 0 };
	if (st == ST_OK)
		st = reserve(e, len);
	if (st != ST_OK)
		return st;
	zone_node_t *copy = image_node(e);
	copy->rrsets = node->rrsets;
	copy->flags = (uint16_t)((copy->flags & ~kept) | (node->flags & kept));
	memcpy(e->image + e->used, (const uint8_t *)node + from, len);
	out->node = copy;
	out->len = e->used + len;
	return ST_OK;
}
