/* tests/bench/primary_zones.c - the pack by zone, and what a query asks of it. */
#include <stdio.h>
#include <stdlib.h>

#include "dns/name.h"
#include "dns/wire.h"
#include "tests/bench/primary.h"

static size_t hash(const uint8_t *name, size_t len)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a: the names are our own */

	for (size_t i = 0; i < len; i++)
		h = (h ^ name[i]) * 1099511628211u;
	return (size_t)(h ^ h >> 32);
}

static bool same_apex(const pack_entry_t *e, const uint8_t *name, size_t len)
{
	return e->apex_len == len && memcmp(e->apex, name, len) == 0;
}

/* Where the zone stands in the table, or would. */
static size_t place(const primary_t *p, const uint8_t *name, size_t len)
{
	size_t i = hash(name, len) & p->mask;

	while (p->table[i] != 0 && !same_apex(&p->entries[p->table[i] - 1], name, len))
		i = (i + 1) & p->mask;
	return i;
}

static bool read_entries(primary_t *p, const pack_t *pack)
{
	buf_t in = buf_over(pack->base, pack->len);
	size_t room = 0;
	pack_entry_t e;

	while (pack_next(&in, &e)) {
		if (p->count == room) {
			room = room * 2 + 16;
			pack_entry_t *more = reallocarray(p->entries, room, sizeof *more);
			if (!more)
				return false;
			p->entries = more;
		}
		p->entries[p->count++] = e;
	}
	return buf_ok(&in) && p->count > 0 && p->count < UINT32_MAX;
}

bool primary_load(primary_t *p, const char *path)
{
	pack_t pack;
	size_t slots = 16;

	if (!pack_open(path, &pack))
		return false;
	if (!read_entries(p, &pack)) {
		fprintf(stderr, "primary: %s is no pack\n", path);
		return false;
	}
	while (slots < p->count * 2)
		slots *= 2;
	p->mask = slots - 1;
	p->table = calloc(slots, sizeof *p->table);
	p->released = calloc(p->count, sizeof *p->released);
	if (!p->table || !p->released)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		size_t at = place(p, p->entries[i].apex, p->entries[i].apex_len);

		if (p->table[at] == 0)
			p->table[at] = (uint32_t)i + 1;
	}
	return true;
}

/* The SOA in the authority section of an IXFR query (RFC 1995 3): its serial. */
static bool read_serial(buf_t *in, uint32_t *serial)
{
	dns_name_t name;

	if (dns_name_read(in, &name) != ST_OK || buf_u16(in) != DNS_TYPE_SOA)
		return false;
	buf_take(in, 8); /* class, TTL, RDLENGTH */
	if (dns_name_read(in, &name) != ST_OK || dns_name_read(in, &name) != ST_OK)
		return false;
	*serial = buf_u32(in);
	return buf_ok(in);
}

bool primary_read(const primary_t *p, const uint8_t *msg, size_t len, primary_query_t *out)
{
	buf_t in = buf_over(msg, len);
	uint16_t counts[4];
	dns_name_t name;

	*out = (primary_query_t){ .id = buf_u16(&in), .flags = buf_u16(&in) };
	for (int i = 0; i < 4; i++)
		counts[i] = buf_u16(&in);
	if (!buf_ok(&in) || counts[0] != 1 || dns_name_read_plain(&in, &name) != ST_OK)
		return false;
	out->type = buf_u16(&in);
	buf_u16(&in);
	out->question_end = in.pos;
	if (!buf_ok(&in) || (out->flags & (DNS_QR | DNS_OPCODE_MASK)))
		return false;
	dns_name_fold(&name);
	uint32_t first = p->table[place(p, name.wire, name.len)];
	if (first == 0)
		return false;
	out->versions = &p->entries[first - 1];
	const pack_entry_t *end = p->entries + p->count;
	uint32_t limit = p->released[first - 1] ? UINT32_MAX : atomic_load(&p->limit);
	for (const pack_entry_t *e = out->versions;
	     e < end && same_apex(e, name.wire, name.len) && e->serial <= limit; e++)
		out->count++;
	return out->type != DNS_TYPE_IXFR || (counts[2] == 1 && read_serial(&in, &out->serial));
}

bool primary_release(primary_t *p, const char *apex)
{
	dns_name_t name;

	if (dns_name_from_text(apex, &name) != ST_OK)
		return false;
	dns_name_fold(&name);
	uint32_t first = p->table[place(p, name.wire, name.len)];
	if (first != 0)
		p->released[first - 1] = true;
	return first != 0;
}

const pack_entry_t *primary_current(const primary_t *p, const primary_query_t *q, char kind)
{
	uint32_t newest = 0;

	(void)p;
	for (size_t i = 0; i < q->count; i++)
		if (q->versions[i].serial > newest)
			newest = q->versions[i].serial;
	for (size_t i = q->count; i-- > 0;) {
		const pack_entry_t *e = &q->versions[i];

		if (e->kind == kind && e->serial == newest && (kind == 'A' || e->from == q->serial))
			return e;
	}
	return NULL;
}

size_t primary_soa(const primary_query_t *q, const pack_entry_t *e, const uint8_t *msg,
                   uint8_t *room)
{
	bufw_t out = bufw_over(room, PRIMARY_SMALL_MAX);

	bufw_u16(&out, q->id);
	bufw_u16(&out, DNS_QR | DNS_AA | (q->flags & DNS_RD));
	bufw_u16(&out, 1);
	bufw_u16(&out, 1);
	bufw_u32(&out, 0);
	bufw_bytes(&out, msg + DNS_HEADER_LEN, q->question_end - DNS_HEADER_LEN);
	bufw_bytes(&out, e->soa, e->soa_len);
	return bufw_ok(&out) ? out.pos : 0;
}
