/* answer/compose.c - stored wire into the message, its pointers turned to where names stand. */
#include "answer/compose.h"

#include "common/buf.h"
#include "dns/wire.h"

enum { RR_HEAD = 2 + DNS_RR_FIXED };

compose_place_t compose_suffix(const compose_t *c, compose_place_t name, size_t skip)
{
	size_t pos = name.pos, left = skip;

	if (name.flat) {
		pos += skip;
	} else {
		/* Our own writing: labels and pointers are sound. */
		for (;;) {
			if (c->out[pos] >= 0xc0) {
				pos = get_u16(c->out + pos) & DNS_PTR_MAX;
				continue;
			}
			if (left == 0)
				break;
			left -= c->out[pos] + 1u;
			pos += c->out[pos] + 1u;
		}
	}
	return (compose_place_t){ (uint32_t)pos, (uint8_t)(name.len - skip), name.flat };
}

/* Turn the pointers of RDATA, which mean the stored owner at offset 12, to where that owner's
 * suffixes stand in this message. A wildcard's owner is shorter than the name it is copied
 * under, so suffixes are counted from their end. */
static void turn_pointers(const compose_t *c, uint8_t *wire, const zone_rrset_t *set,
                          compose_place_t owner)
{
	for (unsigned i = 0; i < set->fixes; i++) {
		uint16_t at;

		memcpy(&at, set->fix + 2 * i, sizeof at);
		unsigned off = (get_u16(wire + at) & DNS_PTR_MAX) - DNS_HEADER_LEN;
		compose_place_t p =
			compose_suffix(c, owner, (size_t)(owner.len - (set->owner_len - off)));

		put_u16(wire + at, 0xc000u | p.pos);
	}
}

static void turn_owners(uint8_t *p, const uint8_t *end, unsigned pos)
{
	while (p < end) {
		put_u16(p, 0xc000u | pos);
		p += RR_HEAD + get_u16(p + 10);
	}
}

/* n records of stored wire whose owner is too far into the message for a pointer: the name is
 * written out each time. Such records hold no pointers of their own (addresses). */
static status_t put_spelled(compose_t *c, const uint8_t *wire, unsigned n, compose_place_t owner)
{
	buf_t msg = buf_over(c->out, c->pos);
	dns_name_t name;
	size_t start = c->pos;

	msg.pos = owner.pos;
	if (dns_name_read(&msg, &name) != ST_OK)
		return ST_LIMIT;
	for (; n > 0; n--) {
		size_t rest = DNS_RR_FIXED + get_u16(wire + 10);

		if (name.len + rest > c->limit - c->pos) {
			c->pos = start;
			return ST_LIMIT;
		}
		memcpy(c->out + c->pos, name.wire, name.len);
		memcpy(c->out + c->pos + name.len, wire + 2, rest);
		c->pos += name.len + rest;
		wire += 2 + rest;
	}
	return ST_OK;
}

static status_t put(compose_t *c, compose_section_t section, const zone_rrset_t *set,
                    const uint8_t *wire, size_t len, unsigned n, compose_place_t owner)
{
	if (len > c->limit - c->pos)
		return ST_LIMIT;
	/* Too far for a pointer to the owner or to its end. Addresses can do without; elsewhere
	 * records begin with pointers, and this answer is one for a test of limits. */
	if (owner.pos + (size_t)owner.len > DNS_PTR_MAX) {
		if (section != COMPOSE_ADDITIONAL || set->fixes > 0 ||
		    put_spelled(c, wire, n, owner) != ST_OK)
			return ST_LIMIT;
		c->count[section] = (uint16_t)(c->count[section] + n);
		return ST_OK;
	}
	uint8_t *p = c->out + c->pos;

	memcpy(p, wire, len);
	if (owner.pos != DNS_HEADER_LEN || owner.len != set->owner_len) {
		if (owner.pos != DNS_HEADER_LEN)
			turn_owners(p, p + len, owner.pos);
		if (wire == set->wire)
			turn_pointers(c, p, set, owner);
	}
	c->pos += len;
	c->count[section] = (uint16_t)(c->count[section] + n);
	return ST_OK;
}

status_t compose_rrset(compose_t *c, compose_section_t section, const zone_rrset_t *set,
                       compose_place_t owner)
{
	bool sigs = c->with_sigs && set->sig_count > 0;

	return put(c, section, set, set->wire, (size_t)set->wire_len + (sigs ? set->sig_len : 0),
	           set->count + (sigs ? set->sig_count : 0u), owner);
}

status_t compose_rrset_below(compose_t *c, compose_section_t section, const zone_rrset_t *set,
                             const uint8_t *own, size_t own_len, compose_place_t rest)
{
	unsigned sigs = c->with_sigs ? set->sig_count : 0u;
	size_t len = (size_t)set->wire_len + (sigs > 0 ? set->sig_len : 0);
	uint8_t *p = c->out + c->pos;

	if (own_len == 0)
		return compose_rrset(c, section, set, rest);
	if (own_len + len > c->limit - c->pos || c->pos > DNS_PTR_MAX || rest.pos > DNS_PTR_MAX)
		return ST_LIMIT;
	memcpy(p, own, own_len);
	put_u16(p + own_len, 0xc000u | rest.pos);
	memcpy(p + own_len + 2, set->wire + 2, len - 2);
	turn_owners(p + own_len + RR_HEAD + get_u16(set->wire + 10), p + own_len + len,
	            (unsigned)c->pos);
	c->pos += own_len + len;
	c->count[section] = (uint16_t)(c->count[section] + set->count + sigs);
	return ST_OK;
}

status_t compose_sigs(compose_t *c, compose_section_t section, const zone_rrset_t *set,
                      compose_place_t owner)
{
	return put(c, section, set, set->wire + set->wire_len, set->sig_len, set->sig_count, owner);
}

status_t compose_record(compose_t *c, compose_section_t section, compose_place_t owner,
                        uint16_t type, uint16_t class, uint32_t ttl, const uint8_t *rdata,
                        size_t rdlen)
{
	uint8_t *p = c->out + c->pos;

	if (RR_HEAD + rdlen > c->limit - c->pos || owner.pos > DNS_PTR_MAX)
		return ST_LIMIT;
	put_u16(p, 0xc000u | owner.pos);
	put_u16(p + 2, type);
	put_u16(p + 4, class);
	put_u32(p + 6, ttl);
	put_u16(p + 10, (unsigned)rdlen);
	memcpy(p + RR_HEAD, rdata, rdlen);
	c->pos += RR_HEAD + rdlen;
	c->count[section]++;
	return ST_OK;
}

void compose_cap_ttl(compose_t *c, size_t from, uint32_t ttl)
{
	for (uint8_t *p = c->out + from; p < c->out + c->pos; p += RR_HEAD + get_u16(p + 10)) {
		if (get_u32(p + 6) > ttl)
			put_u32(p + 6, ttl);
	}
}
