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
		return 2;
	case DNS_TYPE_SRV:
		return 6;
	default:
		return 0;
	}
}

bool glue_wanted(uint16_t type)
{
	return type == DNS_TYPE_NS || type == DNS_TYPE_MX || type == DNS_TYPE_SRV;
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

/* Which hosts a pass over the records takes. */
typedef enum take { TAKE_ALL, TAKE_BELOW_CUT, TAKE_OTHERS } take_t;

static status_t put_hosts(compose_t *c, const siphash_key_t *key, const zone_version_t *v,
                          uint16_t type, size_t from, size_t to, take_t take, const dns_name_t *cut,
                          hosts_t *hosts)
{
	status_t st = ST_OK;

	for (size_t at = from; at < to; at += RR_HEAD + get_u16(c->out + at + 10)) {
		buf_t msg = buf_over(c->out, to);
		zone_hashes_t hashes;
		dns_name_t host;

		if (get_u16(c->out + at + 2) != type)
			continue; /* an RRSIG */
		msg.pos = at + RR_HEAD + host_offset(type);
		compose_place_t place = { .pos = (uint32_t)msg.pos };
		if (dns_name_read(&msg, &host) != ST_OK)
			continue;
		dns_name_fold(&host);
		place.len = host.len;
		if (take != TAKE_ALL && dns_name_within(&host, cut) != (take == TAKE_BELOW_CUT))
			continue;
		zone_hash_name(key, &host, &hashes);
		const zone_node_t *node = zone_version_exact(v, &host, hashes.h[0]);
		if (node && !seen(hosts, node) && put_addresses(c, v, node, place) != ST_OK)
			st = ST_LIMIT;
	}
	return st;
}

void glue_targets(compose_t *c, const siphash_key_t *key, const zone_version_t *v, uint16_t type,
                  size_t from, size_t to)
{
	hosts_t hosts;

	hosts.count = 0;
	(void)put_hosts(c, key, v, type, from, to, TAKE_ALL, NULL, &hosts);
}

void glue_referral(compose_t *c, const siphash_key_t *key, const zone_version_t *v,
                   compose_place_t cut, size_t from, size_t to)
{
	buf_t msg = buf_over(c->out, c->pos);
	bool sigs = c->with_sigs;
	dns_name_t owner;
	hosts_t hosts;

	msg.pos = cut.pos;
	if (dns_name_read(&msg, &owner) != ST_OK)
		return;
	dns_name_fold(&owner);
	hosts.count = 0;
	c->with_sigs = false; /* glue is never signed (RFC 4035 2.2) */
	if (put_hosts(c, key, v, DNS_TYPE_NS, from, to, TAKE_BELOW_CUT, &owner, &hosts) != ST_OK)
		c->truncated = true;
	else
		(void)put_hosts(c, key, v, DNS_TYPE_NS, from, to, TAKE_OTHERS, &owner, &hosts);
	c->with_sigs = sigs;
}
