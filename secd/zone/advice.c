/* zone/advice.c - the apex and its name servers; then delegations and the addresses below them. */
#include "zone/advice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "dns/wire.h"
#include "zone/check.h"

enum {
	DAY = 86400,
	WEEK = 7 * DAY,
	NET4 = 24, /* bits of an address that one router, or one cut cable, stands for */
	NET6 = 48,
};

_Static_assert(ZONE_ADVICE_OF_APEX <= 8, "zone_advice_of() has a bit for each");

/* --- the list ---------------------------------------------------------------------------------- */

static zone_advice_item_t *add(zone_advice_list_t *l, zone_advice_t kind)
{
	zone_advice_item_t *last = l->count > 0 ? &l->item[l->count - 1] : NULL;

	if (last && last->kind == kind) {
		last->count++;
		return last;
	}
	zone_advice_item_t *item = &l->item[l->count++];
	*item = (zone_advice_item_t){ .kind = kind, .count = 1 };
	return item;
}

static void add_seconds(zone_advice_list_t *l, zone_advice_t kind, int64_t value)
{
	add(l, kind)->value = value;
}

static void add_name(zone_advice_list_t *l, zone_advice_t kind, const uint8_t *name)
{
	zone_advice_item_t *item = add(l, kind);

	if (item->has_name)
		return;
	memcpy(item->name, name, dns_wire_len(name));
	item->has_name = true;
}

/* --- name servers ------------------------------------------------------------------------------ */

/* RDATA of record i of NS: a name, folded. */
static void read_target(const zone_version_t *v, const zone_node_t *node, const zone_rrset_t *ns,
                        unsigned i, dns_name_t *out)
{
	uint8_t rdata[65535];

	(void)zone_rrset_rdata(v, node, ns, i, rdata);
	dns_name_from_wire(rdata, out);
	dns_name_fold(out);
}

static void add_addresses(const zone_version_t *v, const zone_node_t *node, uint16_t type,
                          zone_ns_t *ns)
{
	const bool v4 = type == DNS_TYPE_A;
	const size_t len = v4 ? 4 : 16;
	uint8_t rdata[65535];
	zone_rrset_t set;

	if (!zone_node_rrset(v, node, type, &set))
		return;
	for (unsigned i = 0; i < set.count && ns->addresses < ZONE_NS_ADDRESSES; i++) {
		addr_prefix_t *a = &ns->address[ns->addresses];

		if (zone_rrset_rdata(v, node, &set, i, rdata) != len)
			continue;
		*a = (addr_prefix_t){ .family = v4 ? AF_INET : AF_INET6, .bits = v4 ? 32 : 128 };
		memcpy(a->bytes, rdata, len);
		ns->addresses++;
	}
}

void zone_ns_look(const zone_version_t *v, zone_ns_t *ns)
{
	dns_name_t name, apex;
	zone_hashes_t hashes;
	zone_lookup_t found;
	zone_rrset_t cname;

	dns_name_from_wire(ns->name, &name);
	dns_name_from_wire(zone_version_apex_name(v), &apex);
	if (!dns_name_within(&name, &apex))
		return;
	zone_hash_name(zone_version_key(v), &name, &hashes);
	zone_version_lookup(v, &name, &hashes, false, &found);
	const bool below = found.found == ZONE_CUT;
	const zone_node_t *node = below ? zone_version_exact(v, &name, hashes.h[0])
	                          : found.found == ZONE_FOUND || found.found == ZONE_WILDCARD
	                                  ? found.node
	                                  : NULL;
	if (node) {
		ns->alias = !below && zone_node_rrset(v, node, DNS_TYPE_CNAME, &cname);
		add_addresses(v, node, DNS_TYPE_A, ns);
		add_addresses(v, node, DNS_TYPE_AAAA, ns);
	}
	ns->alias = ns->alias || found.found == ZONE_DNAME;
	/* Below a delegation others know; their glue does for us. */
	ns->seen = !below || ns->addresses > 0;
}

size_t zone_ns_list(const zone_version_t *v, zone_ns_t out[ZONE_NS_MOST])
{
	const zone_node_t *apex = zone_version_apex(v);
	zone_rrset_t ns;
	size_t count = 0;

	if (!zone_node_rrset(v, apex, DNS_TYPE_NS, &ns))
		return 0;
	for (; count < ns.count && count < ZONE_NS_MOST; count++) {
		dns_name_t name;

		out[count] = (zone_ns_t){ 0 };
		read_target(v, apex, &ns, (unsigned)count, &name);
		memcpy(out[count].name, name.wire, name.len);
		zone_ns_look(v, &out[count]);
	}
	return count;
}

/* --- the apex ---------------------------------------------------------------------------------- */

static void advise_servers(const zone_advice_order_t *o, zone_advice_list_t *out)
{
	if (o->ns_count == 0)
		(void)add(out, ZONE_ADVICE_NO_NS);
	if (o->ns_count == 1)
		add_name(out, ZONE_ADVICE_ONE_NS, o->ns[0].name);
	for (size_t i = 0; i < o->ns_count; i++) {
		if (o->ns[i].seen && o->ns[i].alias)
			add_name(out, ZONE_ADVICE_NS_ALIAS, o->ns[i].name);
	}
	for (size_t i = 0; i < o->ns_count; i++) {
		if (o->ns[i].seen && !o->ns[i].alias && o->ns[i].addresses == 0)
			add_name(out, ZONE_ADVICE_NS_ADDRESS, o->ns[i].name);
	}
}

static bool is_own(const zone_advice_order_t *o, const addr_prefix_t *a)
{
	for (size_t i = 0; i < o->own_count; i++) {
		const addr_prefix_t *own = &o->own[i];

		if (own->family == a->family && memcmp(own->bytes, a->bytes, sizeof a->bytes) == 0)
			return true;
	}
	return false;
}

/* Of the addresses that can be seen none is ours. */
static void advise_listing(const zone_advice_order_t *o, zone_advice_list_t *out)
{
	bool seen = false;

	for (size_t i = 0; i < o->ns_count; i++) {
		for (unsigned j = 0; j < o->ns[i].addresses; j++) {
			seen = true;
			if (is_own(o, &o->ns[i].address[j]))
				return;
		}
	}
	if (seen && o->own_count > 0)
		(void)add(out, ZONE_ADVICE_NOT_LISTED);
}

static bool same_network(const addr_prefix_t *a, const addr_prefix_t *b)
{
	return memcmp(a->bytes, b->bytes, a->family == AF_INET ? NET4 / 8 : NET6 / 8) == 0;
}

/* Every server can be seen, and each family has but one network. */
static void advise_network(const zone_advice_order_t *o, zone_advice_list_t *out)
{
	const addr_prefix_t *first4 = NULL, *first6 = NULL;

	for (size_t i = 0; i < o->ns_count; i++) {
		if (o->ns[i].addresses == 0)
			return;
		for (unsigned j = 0; j < o->ns[i].addresses; j++) {
			const addr_prefix_t *a = &o->ns[i].address[j];
			const addr_prefix_t **first = a->family == AF_INET ? &first4 : &first6;

			if (*first && !same_network(*first, a))
				return;
			*first = a;
		}
	}
	if (o->ns_count > 1)
		(void)add(out, ZONE_ADVICE_ONE_NETWORK);
}

static void advise_times(const zone_advice_order_t *o, zone_advice_list_t *out)
{
	const dns_soa_t *soa = zone_version_soa(o->v);
	const int64_t round = (int64_t)soa->refresh + soa->retry;
	const zone_node_t *apex = zone_version_apex(o->v);
	zone_rrset_t ns;

	if (zone_node_rrset(o->v, apex, DNS_TYPE_NS, &ns)) {
		const uint32_t ttl = get_u32(ns.wire + 2 + 4); /* behind owner, type, class */

		if (ttl < DAY)
			add_seconds(out, ZONE_ADVICE_NS_TTL, ttl);
	}
	if (soa->expire < WEEK)
		add_seconds(out, ZONE_ADVICE_EXPIRE_WEEK, soa->expire);
	if (soa->expire < round)
		add_seconds(out, ZONE_ADVICE_EXPIRE_RETRY, soa->expire);
}

static void advise_signatures(const zone_advice_order_t *o, zone_advice_list_t *out)
{
	wall_t first;

	if (o->warn_signatures > 0 && zone_version_expiry(o->v, o->now, &first) &&
	    first.s - o->now.s < o->warn_signatures)
		add_seconds(out, ZONE_ADVICE_SIGNATURES, first.s - o->now.s);
}

static bool same_name(const uint8_t *a, const uint8_t *b)
{
	const size_t len = dns_wire_len(a);

	return len == dns_wire_len(b) && memcmp(a, b, len) == 0;
}

static bool parent_has(const zone_advice_order_t *o, const uint8_t *name)
{
	for (size_t i = 0; i < o->parent->count; i++) {
		if (same_name(o->parent->name[i], name))
			return true;
	}
	return false;
}

static bool zone_has(const zone_advice_order_t *o, const uint8_t *name)
{
	for (size_t i = 0; i < o->ns_count; i++) {
		if (same_name(o->ns[i].name, name))
			return true;
	}
	return false;
}

/* Of more than can be looked at it can't be said what is missing. */
static void advise_parent(const zone_advice_order_t *o, zone_advice_list_t *out)
{
	const zone_parent_t *p = o->parent;

	if (!p)
		return;
	if (p->count == 0) {
		(void)add(out, ZONE_ADVICE_UNDELEGATED);
		return;
	}
	for (size_t i = 0; i < p->count && o->ns_count < ZONE_NS_MOST; i++) {
		if (!zone_has(o, p->name[i]))
			add_name(out, ZONE_ADVICE_PARENT_ONLY, p->name[i]);
	}
	for (size_t i = 0; i < o->ns_count && p->count < ZONE_NS_MOST; i++) {
		if (!parent_has(o, o->ns[i].name))
			add_name(out, ZONE_ADVICE_PARENT_LACKS, o->ns[i].name);
	}
}

void zone_advice_apex(const zone_advice_order_t *order, zone_advice_list_t *out)
{
	advise_servers(order, out);
	advise_listing(order, out);
	advise_network(order, out);
	advise_times(order, out);
	advise_signatures(order, out);
	advise_parent(order, out);
}

uint8_t zone_advice_of(const zone_version_t *v)
{
	zone_ns_t ns[ZONE_NS_MOST];
	zone_advice_list_t list = { .count = 0 };
	const zone_advice_order_t order = { .v = v, .ns = ns, .ns_count = zone_ns_list(v, ns) };
	unsigned bits = 0;

	zone_advice_apex(&order, &list);
	for (size_t i = 0; i < list.count; i++) {
		if (list.item[i].kind < ZONE_ADVICE_OF_APEX)
			bits |= 1u << list.item[i].kind;
	}
	return (uint8_t)bits;
}

/* --- glue -------------------------------------------------------------------------------------- */

/* Hashes of the names that NS records of the zone have. */
typedef struct targets {
	uint64_t *hash;
	size_t count, room;
	bool cuts; /* there is a delegation */
} targets_t;

static status_t add_targets(const zone_version_t *v, const zone_node_t *node, targets_t *t)
{
	zone_rrset_t ns;

	if (!zone_node_rrset(v, node, DNS_TYPE_NS, &ns))
		return ST_OK;
	for (unsigned i = 0; i < ns.count; i++) {
		uint64_t *grown = grow(t->hash, t->count, &t->room, sizeof *grown);
		zone_hashes_t hashes;
		dns_name_t name;

		if (!grown)
			return ST_NOMEM;
		t->hash = grown;
		read_target(v, node, &ns, i, &name);
		zone_hash_name(zone_version_key(v), &name, &hashes);
		t->hash[t->count++] = hashes.h[0];
	}
	return ST_OK;
}

static int by_hash(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* A name at or below a delegation, with an address that nobody will ever be sent. */
static void look_at_glue(const zone_version_t *v, const zone_node_t *node, const targets_t *t,
                         zone_advice_list_t *out)
{
	zone_hashes_t hashes;
	zone_lookup_t found;
	zone_rrset_t set;
	dns_name_t name;

	if (!zone_node_rrset(v, node, DNS_TYPE_A, &set) &&
	    !zone_node_rrset(v, node, DNS_TYPE_AAAA, &set))
		return;
	zone_node_name(v, node, &name);
	dns_name_fold(&name);
	zone_hash_name(zone_version_key(v), &name, &hashes);
	zone_version_lookup(v, &name, &hashes, false, &found);
	if (found.found == ZONE_CUT &&
	    !bsearch(&hashes.h[0], t->hash, t->count, sizeof *t->hash, by_hash))
		add_name(out, ZONE_ADVICE_NEEDLESS_GLUE, name.wire);
}

static status_t collect_targets(const zone_version_t *v, targets_t *t)
{
	zone_walk_t *walk = zone_walk_any(v);
	const zone_node_t *node;
	status_t st = walk ? ST_OK : ST_NOMEM;

	while (st == ST_OK && (node = zone_walk_next(walk))) {
		const unsigned flags = zone_node_flags(node);

		if (flags & (ZONE_NODE_CUT | ZONE_NODE_APEX))
			st = add_targets(v, node, t);
		t->cuts = t->cuts || flags & ZONE_NODE_CUT;
	}
	zone_walk_free(walk);
	if (st == ST_OK && t->count > 0)
		qsort(t->hash, t->count, sizeof *t->hash, by_hash);
	return st;
}

static status_t advise_needless(const zone_version_t *v, zone_advice_list_t *out)
{
	targets_t t = { 0 };
	status_t st = collect_targets(v, &t);
	zone_walk_t *walk = st == ST_OK && t.cuts ? zone_walk_new(v, false) : NULL;
	const zone_node_t *node;

	if (st == ST_OK && t.cuts && !walk)
		st = ST_NOMEM;
	while (walk && (node = zone_walk_next(walk)))
		look_at_glue(v, node, &t, out);
	zone_walk_free(walk);
	free(t.hash);
	return st;
}

status_t zone_advice_glue(const zone_version_t *v, zone_advice_list_t *out)
{
	zone_faults_t faults;
	const status_t st = zone_check(v, &faults);

	if (st == ST_OK && faults.count[ZONE_FAULT_MISSING_GLUE] > 0) {
		zone_advice_item_t *item = add(out, ZONE_ADVICE_MISSING_GLUE);
		dns_name_t name;

		zone_node_name(v, faults.first[ZONE_FAULT_MISSING_GLUE], &name);
		memcpy(item->name, name.wire, name.len);
		item->has_name = true;
		item->count = faults.count[ZONE_FAULT_MISSING_GLUE];
	}
	return st == ST_OK ? advise_needless(v, out) : st;
}

/* --- words ------------------------------------------------------------------------------------- */

/* A sentence is before, then names or seconds, then behind. */
static const struct {
	const char *name, *rfc, *before, *behind;
} rows[ZONE_ADVICE_KINDS] = {
	[ZONE_ADVICE_NO_NS] = { "no-ns", "RFC 1034 4.2.1", "", "its apex has no NS" },
	[ZONE_ADVICE_ONE_NS] = { "one-ns", "RFC 2182 5", "",
	                         " is its only name server: let there be two" },
	[ZONE_ADVICE_NS_ALIAS] = { "ns-alias", "RFC 2181 10.3", "",
	                           ": an alias (CNAME) can't be a name server" },
	[ZONE_ADVICE_NS_ADDRESS] = { "ns-address", "RFC 2181 10.3", "",
	                             ": a name server without an address" },
	[ZONE_ADVICE_NOT_LISTED] = { "not-listed", "RFC 1996 2.1", "",
	                             "no NS of it has an address of this server: resolvers won't "
	                             "ask here" },
	[ZONE_ADVICE_ONE_NETWORK] = { "one-network", "RFC 2182 3.1", "",
	                              "all its name servers are in one network (/24, /48)" },
	[ZONE_ADVICE_NS_TTL] = { "ns-ttl", "RFC 1912 2.2", "the TTL of its NS is ",
	                         " s: let it be a day or longer" },
	[ZONE_ADVICE_EXPIRE_WEEK] = { "expire-week", "RFC 1912 2.2", "EXPIRE is ",
	                              " s: let it be a week or longer" },
	[ZONE_ADVICE_EXPIRE_RETRY] = { "expire-retry", "RFC 1912 2.2", "EXPIRE is ",
	                               " s: less than REFRESH and RETRY together" },
	[ZONE_ADVICE_SIGNATURES] = { "signatures", "RFC 6781 4.4.2", "a signature runs out in ",
	                             " s" },
	[ZONE_ADVICE_MISSING_GLUE] = { "missing-glue", "RFC 9471 2", "",
	                               ": a delegation to servers below it without addresses" },
	[ZONE_ADVICE_NEEDLESS_GLUE] = { "needless-glue", "RFC 1912 2.3", "",
	                                ": an address below a delegation, of no name server" },
	[ZONE_ADVICE_UNDELEGATED] = { "undelegated", "RFC 1034 4.2.2", "",
	                              "its parent has no NS for it: resolvers can't find it" },
	[ZONE_ADVICE_PARENT_ONLY] = { "parent-only", "RFC 1034 4.2.2", "",
	                              ": an NS at the parent, but not in the zone" },
	[ZONE_ADVICE_PARENT_LACKS] = { "parent-lacks", "RFC 1034 4.2.2", "",
	                               ": an NS in the zone, but not at the parent" },
};

const char *zone_advice_name(zone_advice_t kind)
{
	return rows[kind].name;
}

const char *zone_advice_rfc(zone_advice_t kind)
{
	return rows[kind].rfc;
}

enum { SUBJECT_MAX = DNS_NAME_TEXT_MAX + 32 };

/* The first name, and how many more; or seconds; or nothing. */
static const char *subject_of(const zone_advice_item_t *item, char out[SUBJECT_MAX])
{
	size_t len;

	out[0] = '\0';
	if (!item->has_name && *rows[item->kind].before != '\0')
		snprintf(out, SUBJECT_MAX, "%" PRId64, item->value);
	if (!item->has_name)
		return out;
	dns_name_text(item->name, out);
	len = strlen(out);
	if (item->count > 1)
		snprintf(out + len, SUBJECT_MAX - len, " and %u more", item->count - 1);
	return out;
}

const char *zone_advice_text(const zone_advice_item_t *item, char out[ZONE_ADVICE_TEXT_MAX])
{
	char subject[SUBJECT_MAX];

	if (item->kind == ZONE_ADVICE_SIGNATURES && item->value < 0)
		snprintf(out, ZONE_ADVICE_TEXT_MAX, "a signature ran out %" PRId64 " s ago",
		         -item->value);
	else
		snprintf(out, ZONE_ADVICE_TEXT_MAX, "%s%s%s", rows[item->kind].before,
		         subject_of(item, subject), rows[item->kind].behind);
	return out;
}
