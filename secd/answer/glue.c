/* answer/glue.c - the hosts named in records just written, looked up for their addresses. */
#include "answer/glue.h"

#include "common/buf.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "zone/hash.h"

enum {
	RR_HEAD = 2 + DNS_RR_FIXED,
	/* A host named by several records gets its addresses once; beyond this many hosts the
	 * answer has long run full. */
	HOSTS_MAX = 64,
	SERVERS_MAX = 32, /* of a referral that are looked up at a time */
};

typedef struct hosts {
	const zone_node_t *done[HOSTS_MAX];
	unsigned count;
} hosts_t;

/* Octets of RDATA before the host's name. */
static size_t host_offset(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_MX:
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		return 2;
	case DNS_TYPE_SRV:
		return 6;
	default:
		return 0;
	}
}

bool glue_wanted(uint16_t type)
{
	return type == DNS_TYPE_NS || type == DNS_TYPE_MX || type == DNS_TYPE_SRV ||
	       type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS;
}

static bool seen(hosts_t *hosts, const zone_node_t *node)
{
	for (unsigned i = 0; i < hosts->count; i++) {
		if (hosts->done[i] == node)
			return true;
	}
	if (hosts->count == HOSTS_MAX)
		return true;
	hosts->done[hosts->count++] = node;
	return false;
}

/* A and AAAA of a host whose name stands at place. ST_LIMIT: not all of it fitted. */
static status_t put_addresses(compose_t *c, const zone_version_t *v, const zone_node_t *node,
                              compose_place_t place)
{
	static const uint16_t types[] = { DNS_TYPE_A, DNS_TYPE_AAAA };
	status_t st = ST_OK;
	zone_rrset_t set;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (zone_node_rrset(v, node, types[i], &set) &&
		    compose_rrset(c, COMPOSE_ADDITIONAL, &set, place) != ST_OK)
			st = ST_LIMIT;
	}
	return st;
}

/* Where the host stands that a record of the message names. A service whose target is "." is at
 * the owner itself (RFC 9460 2.5.2), unless it is an alias: then there is none (2.5.1). */
static size_t host_at(const compose_t *c, uint16_t type, size_t record)
{
	size_t at = record + RR_HEAD + host_offset(type);
	bool service = (type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS) &&
	               get_u16(c->out + record + RR_HEAD) > 0;

	return service && c->out[at] == 0 ? record : at;
}

/* The host that a record of the message names, looked up for its addresses. */
static void put_target(compose_t *c, const siphash_key_t *key, const zone_version_t *v,
                       uint16_t type, size_t record, hosts_t *hosts)
{
	buf_t msg = buf_over(c->out, c->pos);
	compose_place_t place = { .pos = (uint32_t)host_at(c, type, record) };
	zone_hashes_t hashes;
	dns_name_t host;

	msg.pos = place.pos;
	if (dns_name_read(&msg, &host) != ST_OK)
		return;
	dns_name_fold(&host);
	place.len = host.len;
	zone_hash_name(key, &host, &hashes);
	const zone_node_t *node = zone_version_exact(v, &host, hashes.h[0]);
	if (node && !seen(hosts, node))
		(void)put_addresses(c, v, node, place);
}

void glue_targets(compose_t *c, const siphash_key_t *key, const zone_version_t *v, uint16_t type,
                  size_t from, size_t to)
{
	hosts_t hosts;

	hosts.count = 0;
	for (size_t at = from; at < to; at += RR_HEAD + get_u16(c->out + at + 10)) {
		if (get_u16(c->out + at + 2) == type) /* not an RRSIG */
			put_target(c, key, v, type, at, &hosts);
	}
}

/* --- referrals ---------------------------------------------------------------------------------- */

/* A name server of the delegation that may be in the zone. */
typedef struct server {
	const uint8_t *rdata; /* as stored */
	size_t pos;           /* of the name in the message */
	unsigned suffix;      /* label of the referred name at which its end begins */
	uint64_t hash;
	const void *ahead; /* of the search for its node */
	bool below;        /* at or below the cut: its addresses are needed */
} server_t;

typedef struct servers {
	server_t list[SERVERS_MAX];
	unsigned count;
} servers_t;

/* The label of name whose suffix has len octets. */
static unsigned label_of(const dns_name_t *name, size_t len)
{
	unsigned label = 0;

	while (name->off[label] != name->len - len)
		label++;
	return label;
}

/* The hash of labels left of what is known to hash to h. */
static uint64_t hash_own(const siphash_key_t *key, const uint8_t *own, size_t len, uint64_t h)
{
	uint8_t at[DNS_LABELS_MAX];
	unsigned labels = 0;

	for (size_t i = 0; i < len; i += own[i] + 1u)
		at[labels++] = (uint8_t)i;
	while (labels-- > 0)
		h = zone_hash_child(key, h, own + at[labels]);
	return h;
}

/* What shares less with the cut than the apex is outside and needs no look. */
static void note_server(servers_t *s, const siphash_key_t *key, const glue_cut_t *cut,
                        const uint8_t *record, size_t pos, size_t apex_len)
{
	const uint8_t *rdata = record + RR_HEAD;
	size_t own_len, shared = zone_rrset_name_end(cut->ns, rdata);
	server_t *one = &s->list[s->count];
	uint8_t own[DNS_NAME_MAX];

	if (shared < apex_len)
		return;
	(void)zone_rrset_name(cut->ns, rdata, own, &own_len);
	one->rdata = rdata;
	one->pos = pos;
	one->below = shared == cut->ns->owner_len;
	one->suffix = label_of(cut->name, shared);
	one->hash = hash_own(key, own, own_len, cut->hashes->h[one->suffix]);
	s->count++;
}

/* Where a pass over the records of a referral stands. */
typedef struct pass {
	const uint8_t *record; /* as it is stored */
	size_t at;             /* where it is in the message, where it may be longer */
	unsigned left, next_fix;
} pass_t;

/* The next servers that may be in the zone, as many as the list takes. A name in it ends like the cut
 * and so is stored with a pointer; but in the root zone, which every name is in. */
static void find_servers(servers_t *s, pass_t *p, const siphash_key_t *key, const glue_cut_t *cut,
                         size_t apex_len)
{
	const zone_rrset_t *ns = cut->ns;

	s->count = 0;
	for (; p->left > 0 && s->count < SERVERS_MAX; p->left--) {
		size_t end = (size_t)(p->record - ns->wire) + RR_HEAD + get_u16(p->record + 10);
		uint16_t fix = 0;

		if (p->next_fix < ns->fixes)
			memcpy(&fix, ns->fix + 2 * p->next_fix, sizeof fix);
		bool pointer = p->next_fix < ns->fixes && fix + 2u == end;
		p->next_fix += pointer;
		if (pointer || apex_len == 1)
			note_server(s, key, cut, p->record, p->at + RR_HEAD, apex_len);
		p->record = ns->wire + end;
		p->at += RR_HEAD + get_u16(cut->out + p->at + 10);
	}
}

/* Its node; and the octets of its whole name. */
static const zone_node_t *server_node(const zone_version_t *v, const glue_cut_t *cut,
                                      const server_t *one, size_t apex_len, uint8_t *len)
{
	const dns_name_t *name = cut->name;
	size_t from = name->off[one->suffix], shared = name->len - from, own;
	uint8_t rel[2 * DNS_NAME_MAX];

	(void)zone_rrset_name(cut->ns, one->rdata, rel, &own);
	memcpy(rel + own, name->wire + from, shared - apex_len);
	*len = (uint8_t)(own + shared);
	return zone_version_inside(v, rel, own + shared - apex_len, one->hash);
}

static status_t put_servers(compose_t *c, const zone_version_t *v, const glue_cut_t *cut,
                            const servers_t *s, bool below, size_t apex_len)
{
	status_t st = ST_OK;

	for (unsigned i = 0; i < s->count; i++) {
		const server_t *one = &s->list[i];

		if (one->below != below)
			continue;
		compose_place_t place = { .pos = (uint32_t)one->pos };
		const zone_node_t *node = server_node(v, cut, one, apex_len, &place.len);
		if (node && put_addresses(c, v, node, place) != ST_OK)
			st = ST_LIMIT;
	}
	return st;
}

/* The next servers, and the memory that their nodes are found in. */
static void take_servers(servers_t *s, pass_t *p, const siphash_key_t *key, const zone_version_t *v,
                         const glue_cut_t *cut, size_t apex_len)
{
	find_servers(s, p, key, cut, apex_len);
	for (unsigned step = 0; step < ZONE_PREFETCH_STEPS; step++) {
		for (unsigned i = 0; i < s->count; i++)
			zone_version_prefetch(v, s->list[i].hash, step, &s->list[i].ahead);
	}
}

/* All that are not among the first, below the cut or not: there are few such cuts. */
static status_t put_others(compose_t *c, const siphash_key_t *key, const zone_version_t *v,
                           const glue_cut_t *cut, pass_t p, bool below, size_t apex_len)
{
	status_t st = ST_OK;
	servers_t more;

	while (p.left > 0 && st == ST_OK) {
		take_servers(&more, &p, key, v, cut, apex_len);
		st = put_servers(c, v, cut, &more, below, apex_len);
	}
	return st;
}

/* May a name in the RRset end like the cut, and so be in the zone? Most delegations are to servers
 * elsewhere. */
static bool any_inside(const zone_rrset_t *ns)
{
	for (unsigned i = 0; i < ns->fixes; i++) {
		uint16_t at;

		memcpy(&at, ns->fix + 2 * i, sizeof at);
		if ((get_u16(ns->wire + at) & DNS_PTR_MAX) < ZONE_WIRE_AT)
			return true;
	}
	return false;
}

/* First the servers below the cut, then the others: no two records of an RRset name the same. */
static void put_glue(compose_t *c, const siphash_key_t *key, const zone_version_t *v,
                     const glue_cut_t *cut)
{
	size_t apex_len = dns_wire_len(zone_version_apex_name(v));
	pass_t p = { .record = cut->ns->wire, .at = cut->at, .left = cut->ns->count };
	servers_t first;

	if (apex_len > 1 && !any_inside(cut->ns))
		return;
	take_servers(&first, &p, key, v, cut, apex_len);
	if (put_servers(c, v, cut, &first, true, apex_len) != ST_OK ||
	    put_others(c, key, v, cut, p, true, apex_len) != ST_OK) {
		c->truncated = true;
		return;
	}
	if (put_servers(c, v, cut, &first, false, apex_len) == ST_OK)
		(void)put_others(c, key, v, cut, p, false, apex_len);
}

void glue_referral(compose_t *c, const siphash_key_t *key, const zone_version_t *v,
                   const glue_cut_t *cut)
{
	bool sigs = c->with_sigs;

	c->with_sigs = false; /* glue is never signed (RFC 4035 2.2) */
	put_glue(c, key, v, cut);
	c->with_sigs = sigs;
}
