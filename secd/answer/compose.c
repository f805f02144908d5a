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

/* What a stored pointer in RDATA means in this message, where the RRset's wire begins at base. A
 * wildcard's owner is shorter than the name it is copied under, so suffixes are counted from their
 * end. */
static unsigned turned(const compose_t *c, unsigned pointer, const zone_rrset_t *set,
                       compose_place_t owner, size_t base)
{
	unsigned to = pointer & DNS_PTR_MAX;

	if (to >= ZONE_WIRE_AT)
		return 0xc000u | (unsigned)(base + to - ZONE_WIRE_AT);
	size_t end = set->owner_len - (size_t)(to - DNS_HEADER_LEN);
	return 0xc000u | compose_suffix(c, owner, owner.len - end).pos;
}

static void turn_pointers(const compose_t *c, uint8_t *wire, const zone_rrset_t *set,
                          compose_place_t owner)
{
	for (unsigned i = 0; i < set->fixes; i++) {
		uint16_t at;

		memcpy(&at, set->fix + 2 * i, sizeof at);
		put_u16(wire + at, turned(c, get_u16(wire + at), set, owner, c->pos));
	}
}

static void turn_owners(uint8_t *p, const uint8_t *end, unsigned pos)
{
	while (p < end) {
		put_u16(p, 0xc000u | pos);
		p += RR_HEAD + get_u16(p + 10);
	}
}

/* The end of a name from the stored pointer p on: labels, then a pointer to the owner or the root. */
static void put_spelled_tail(const compose_t *c, bufw_t *w, const zone_rrset_t *set,
                             compose_place_t owner, const uint8_t *p)
{
	while (*p != 0) {
		if (*p < 0xc0) {
			bufw_bytes(w, p, *p + 1u);
			p += *p + 1u;
			continue;
		}
		unsigned pointer = get_u16(p);

		if ((pointer & DNS_PTR_MAX) < ZONE_WIRE_AT) {
			bufw_u16(w, turned(c, pointer, set, owner, 0));
			return;
		}
		p = set->wire + ((pointer & DNS_PTR_MAX) - ZONE_WIRE_AT);
	}
	bufw_u8(w, 0);
}

/* An RRset so far into the message that pointers into its own RDATA can't be made: what they
 * stand for is written out. Returns the octets, or 0: it does not fit. */
static size_t put_unfolded(compose_t *c, const zone_rrset_t *set, compose_place_t owner)
{
	const uint8_t *from = set->wire, *end = set->wire + set->wire_len;
	bufw_t w = bufw_over(c->out + c->pos, c->limit - c->pos);
	unsigned fix = 0;

	for (const uint8_t *p = from; p < end; p += RR_HEAD + get_u16(p + 10)) {
		const uint8_t *next = p + RR_HEAD + get_u16(p + 10), *done = p + RR_HEAD;
		size_t head = w.pos;
		uint16_t at;

		bufw_u16(&w, 0xc000u | owner.pos);
		bufw_bytes(&w, p + 2, DNS_RR_FIXED);
		for (; fix < set->fixes; fix++, done = from + at + 2) {
			memcpy(&at, set->fix + 2 * fix, sizeof at);
			if (from + at >= next)
				break;
			bufw_bytes(&w, done, (size_t)(from + at - done));
			put_spelled_tail(c, &w, set, owner, from + at);
		}
		bufw_bytes(&w, done, (size_t)(next - done));
		if (!bufw_ok(&w))
			return 0;
		put_u16(w.base + head + 10, (unsigned)(w.pos - head - RR_HEAD));
	}
	return w.pos;
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

/* Where the record is that comes first when an RRset is turned. One whose names point to each other
 * keeps its order: pointers lead backwards only. And so does DNAME, whose first record redirects. */
static size_t first_record(const compose_t *c, compose_section_t section, const zone_rrset_t *set)
{
	size_t at = 0;

	if (c->turn == 0 || section != COMPOSE_ANSWER || set->count < 2 || set->fixes > 0 ||
	    set->type == DNS_TYPE_DNAME)
		return 0;
	for (unsigned i = c->turn % set->count; i > 0; i--)
		at += RR_HEAD + get_u16(set->wire + at + 10);
	return at;
}

/* wire as it is stored, its pointers turned. */
static void put_turned(compose_t *c, compose_section_t section, const zone_rrset_t *set,
                       const uint8_t *wire, size_t len, compose_place_t owner)
{
	size_t first = wire == set->wire ? first_record(c, section, set) : 0;
	uint8_t *p = c->out + c->pos;

	if (first > 0) {
		memcpy(p, wire + first, set->wire_len - first);
		memcpy(p + set->wire_len - first, wire, first);
		memcpy(p + set->wire_len, wire + set->wire_len, len - set->wire_len);
	} else {
		memcpy(p, wire, len);
	}
	if (owner.pos != DNS_HEADER_LEN)
		turn_owners(p, p + len, owner.pos);
	if (wire == set->wire)
		turn_pointers(c, p, set, owner);
	c->pos += len;
}

/* The whole RRset, written out, and sig_len octets of signatures behind it. */
static status_t put_written_out(compose_t *c, const zone_rrset_t *set, size_t sig_len,
                                compose_place_t owner)
{
	size_t records = put_unfolded(c, set, owner);
	uint8_t *sigs = c->out + c->pos + records;

	if (records == 0 || sig_len > c->limit - c->pos - records)
		return ST_LIMIT;
	memcpy(sigs, set->wire + set->wire_len, sig_len);
	turn_owners(sigs, sigs + sig_len, owner.pos);
	c->pos += records + sig_len;
	return ST_OK;
}

/* len octets of wire, n records: the RRset, with its signatures or without, or these alone. */
static status_t put(compose_t *c, compose_section_t section, const zone_rrset_t *set,
                    const uint8_t *wire, size_t len, unsigned n, compose_place_t owner)
{
	bool far = c->pos > DNS_PTR_MAX - ZONE_WIRE_AT; /* for a pointer into the RRset */
	status_t st = ST_OK;

	if (len > c->limit - c->pos)
		return ST_LIMIT;
	/* Too far for a pointer to the owner or to its end. Addresses can do without; elsewhere
	 * records begin with pointers, and this answer is one for a test of limits. */
	if (owner.pos + (size_t)owner.len > DNS_PTR_MAX)
		st = section == COMPOSE_ADDITIONAL && set->fixes == 0
		             ? put_spelled(c, wire, n, owner)
		             : ST_LIMIT;
	else if (far && set->fixes > 0 && wire == set->wire)
		st = put_written_out(c, set, len - set->wire_len, owner);
	else
		put_turned(c, section, set, wire, len, owner);
	if (st == ST_OK)
		c->count[section] = (uint16_t)(c->count[section] + n);
	return st;
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
