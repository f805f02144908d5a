/* ctl/print.c - walk, print, hand on. */
#include "ctl/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rrtype.h"
#include "dns/text.h"
#include "dns/wire.h"

enum { CHUNK = 64 * 1024 }; /* octets of text that are handed on at once */

typedef struct print {
	const ctl_print_order_t *order;
	const zone_version_t *v;
	bool json;
	dns_text_t *text;
	status_t status; /* sticks: what follows does nothing */
	ctl_printed_t done;
	size_t len, room;
	char *out;
	uint8_t rdata[65535];
} print_t;

/* --- octets ------------------------------------------------------------------------------------ */

static void flush(print_t *p)
{
	if (p->len == 0 || p->status != ST_OK)
		return;
	p->status = p->order->sink.put(p->order->sink.arg, p->out, p->len);
	p->done.octets += p->len;
	p->len = 0;
}

static char *room_for(print_t *p, size_t len)
{
	if (p->len >= CHUNK)
		flush(p);
	if (p->status != ST_OK)
		return NULL;
	if (p->len + len > p->room) {
		size_t room = p->len + len + CHUNK;
		char *grown = realloc(p->out, room);

		if (!grown) {
			p->status = ST_NOMEM;
			return NULL;
		}
		p->out = grown;
		p->room = room;
	}
	return p->out + p->len;
}

static void print(print_t *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void print(print_t *p, const char *fmt, ...)
{
	enum { LINE_MAX_HERE = 2 * DNS_NAME_TEXT_MAX };
	char *at = room_for(p, LINE_MAX_HERE);
	va_list args;

	if (!at)
		return;
	va_start(args, fmt);
	p->len += (size_t)vsnprintf(at, LINE_MAX_HERE, fmt, args);
	va_end(args);
}

/* text as it is, or as a JSON string. */
static void put_text(print_t *p, const char *text)
{
	size_t len = strlen(text);
	char *at = room_for(p, p->json ? 6 * len + 3 : len);

	if (!at)
		return;
	if (p->json)
		len = report_json_string(text, at);
	else
		memcpy(at, text, len);
	p->len += len;
}

/* --- the zone ---------------------------------------------------------------------------------- */

static void put_record(print_t *p, const char *owner, uint16_t type, uint32_t ttl, size_t rdlen)
{
	char name[DNS_TYPE_TEXT_MAX];
	const char *text = dns_text_rdata(p->text, type, p->rdata, rdlen);

	if (!text) {
		p->status = ST_NOMEM;
		return;
	}
	if (p->json) {
		print(p, "%s\n{\"owner\":", p->done.records > 0 ? "," : "");
		put_text(p, owner);
		print(p, ",\"ttl\":%u,\"type\":\"%s\",\"data\":", ttl, dns_type_text(type, name));
		put_text(p, text);
		print(p, "}");
	} else {
		put_text(p, owner);
		print(p, "\t%u\tIN\t%s\t", ttl, dns_type_text(type, name));
		put_text(p, text);
		print(p, "\n");
	}
	p->done.records++;
}

static void put_rrset(print_t *p, const zone_node_t *node, const char *owner,
                      const zone_rrset_t *set)
{
	const uint8_t *at = set->wire;

	for (unsigned i = 0; i < (unsigned)set->count + set->sig_count && p->status == ST_OK; i++) {
		uint16_t type;
		uint32_t ttl;
		size_t len = zone_rrset_take(p->v, node, set, &at, &type, &ttl, p->rdata);

		put_record(p, owner, type, ttl, len);
	}
}

static void put_node(print_t *p, const zone_node_t *node)
{
	char owner[DNS_NAME_TEXT_MAX];
	dns_name_t name;
	zone_rrset_t set;
	bool is_apex = zone_node_flags(node) & ZONE_NODE_APEX;

	if (!zone_node_first(p->v, node, &set))
		return;
	zone_node_name(p->v, node, &name);
	dns_text_name(name.wire, owner);
	if (is_apex) {
		zone_rrset_t soa = set;

		for (bool more = true; more; more = zone_node_next(p->v, node, &soa)) {
			if (soa.type == DNS_TYPE_SOA)
				put_rrset(p, node, owner, &soa);
		}
	}
	for (bool more = true; more; more = zone_node_next(p->v, node, &set)) {
		if (!is_apex || set.type != DNS_TYPE_SOA)
			put_rrset(p, node, owner, &set);
	}
}

/* Does the owner of NSEC3 come before the name? Neither is the other's. */
static bool comes_before(const print_t *p, const zone_node_t *owner, const zone_node_t *node)
{
	dns_name_t a, b;

	zone_node_name(p->v, owner, &a);
	zone_node_name(p->v, node, &b);
	return dns_name_cmp(&a, &b) < 0;
}

/* The names, and between them the owners of NSEC3, which are kept apart. */
static void put_zone(print_t *p)
{
	zone_walk_t *names = zone_walk_new(p->v, false), *denial = zone_walk_new(p->v, true);
	const zone_node_t *node, *owner = NULL;

	if (names && denial)
		owner = zone_walk_next(denial);
	else
		p->status = ST_NOMEM;
	while (p->status == ST_OK && (node = zone_walk_next(names))) {
		for (; owner && comes_before(p, owner, node); owner = zone_walk_next(denial))
			put_node(p, owner);
		put_node(p, node);
	}
	for (; p->status == ST_OK && owner; owner = zone_walk_next(denial))
		put_node(p, owner);
	zone_walk_free(names);
	zone_walk_free(denial);
}

static void put_head(print_t *p)
{
	uint32_t serial = zone_version_soa(p->v)->serial;
	unsigned long long records = zone_version_records(p->v);
	char name[DNS_NAME_TEXT_MAX];

	dns_name_text(zone_version_apex_name(p->v), name);
	if (p->json) {
		print(p, "{\"now\":%lld.%03d,\"zone\":", (long long)(p->order->wall_ms / 1000),
		      (int)(p->order->wall_ms % 1000));
		put_text(p, name);
		print(p, ",\"serial\":%u,\"count\":%llu,\"records\":[", serial, records);
	} else {
		print(p, "; %s serial %u, %llu records, as held by %s\n", name, serial, records,
		      p->order->holder);
	}
}

status_t ctl_print(const ctl_print_order_t *order, ctl_printed_t *out)
{
	print_t *p = calloc(1, sizeof *p);
	status_t st;

	*out = (ctl_printed_t){ 0 };
	if (!p)
		return ST_NOMEM;
	p->order = order;
	p->v = order->version;
	p->json = order->form == REPORT_JSON;
	p->text = dns_text_new();
	if (!p->text)
		p->status = ST_NOMEM;
	put_head(p);
	put_zone(p);
	if (p->json)
		print(p, "\n]}\n");
	flush(p);
	*out = p->done;
	st = p->status;
	dns_text_free(p->text);
	free(p->out);
	free(p);
	return st;
}
