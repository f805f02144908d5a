/* common/addr.c - parsing, comparing and printing of addresses. */
#include "common/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* text up to an optional "%scope" as an address of either family, port 0. */
static status_t parse_host(const char *text, addr_t *out)
{
	char host[64];
	const char *scope = strchr(text, '%');
	size_t n = scope ? (size_t)(scope - text) : strlen(text);

	memset(out, 0, sizeof *out);
	if (n == 0 || n >= sizeof host)
		return ST_MALFORMED;
	memcpy(host, text, n);
	host[n] = '\0';
	if (!scope && inet_pton(AF_INET, host, &out->in.sin_addr) == 1) {
		out->in.sin_family = AF_INET;
		return ST_OK;
	}
	if (inet_pton(AF_INET6, host, &out->in6.sin6_addr) != 1)
		return ST_MALFORMED;
	out->in6.sin6_family = AF_INET6;
	if (scope) {
		out->in6.sin6_scope_id = if_nametoindex(scope + 1);
		if (out->in6.sin6_scope_id == 0)
			return ST_MALFORMED;
	}
	addr_unmap(out);
	return ST_OK;
}

/* A decimal number of at most max, nothing behind it. */
static status_t parse_number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9' || strlen(text) > 5)
		return ST_MALFORMED;
	*out = strtoul(text, &end, 10);
	return *end == '\0' && *out <= max ? ST_OK : ST_MALFORMED;
}

status_t addr_parse_port(const char *text, uint16_t *out)
{
	unsigned long port;

	if (parse_number(text, 65535, &port) != ST_OK || port == 0)
		return ST_MALFORMED;
	*out = (uint16_t)port;
	return ST_OK;
}

status_t addr_parse(const char *text, uint16_t default_port, addr_t *out)
{
	char host[96];
	const char *at = strchr(text, '@');
	size_t n = at ? (size_t)(at - text) : strlen(text);
	uint16_t port = default_port;

	if (n >= sizeof host)
		return ST_MALFORMED;
	memcpy(host, text, n);
	host[n] = '\0';
	if (at && addr_parse_port(at + 1, &port) != ST_OK)
		return ST_MALFORMED;
	status_t st = parse_host(host, out);
	if (st == ST_OK)
		out->in.sin_port = htons(port); /* sin6_port lies at the same place */
	return st;
}

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
               "both families keep the port at one place");

static const uint8_t *addr_bytes(const addr_t *a, size_t *len)
{
	if (a->sa.sa_family == AF_INET) {
		*len = 4;
		return (const uint8_t *)&a->in.sin_addr;
	}
	*len = 16;
	return a->in6.sin6_addr.s6_addr;
}

addr_prefix_t addr_prefix_of(const addr_t *a)
{
	addr_prefix_t p = { .family = (uint8_t)a->sa.sa_family };
	size_t len;
	const uint8_t *bytes = addr_bytes(a, &len);

	memcpy(p.bytes, bytes, len);
	p.bits = (uint8_t)(len * 8);
	return p;
}

static bool zero_beyond(const addr_prefix_t *p)
{
	size_t len = p->family == AF_INET ? 4 : 16;

	for (size_t bit = p->bits; bit < len * 8; bit++) {
		if (p->bytes[bit / 8] & (0x80u >> (bit % 8)))
			return false;
	}
	return true;
}

status_t addr_prefix_parse(const char *text, addr_prefix_t *out)
{
	char host[64];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	addr_t a;

	if (n >= sizeof host)
		return ST_MALFORMED;
	memcpy(host, text, n);
	host[n] = '\0';
	if (parse_host(host, &a) != ST_OK)
		return ST_MALFORMED;
	*out = addr_prefix_of(&a);
	if (slash) {
		unsigned long bits;

		if (parse_number(slash + 1, out->bits, &bits) != ST_OK)
			return ST_MALFORMED;
		out->bits = (uint8_t)bits;
	}
	return zero_beyond(out) ? ST_OK : ST_MALFORMED;
}

socklen_t addr_len(const addr_t *a)
{
	return a->sa.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
}

uint16_t addr_port(const addr_t *a)
{
	return ntohs(a->in.sin_port);
}

bool addr_is_any(const addr_t *a)
{
	static const uint8_t zeros[16];
	size_t len;
	const uint8_t *bytes = addr_bytes(a, &len);

	return memcmp(bytes, zeros, len) == 0;
}

void addr_unmap(addr_t *a)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (a->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return;
	in.sin_port = a->in6.sin6_port;
	memcpy(&in.sin_addr, a->in6.sin6_addr.s6_addr + 12, 4);
	memset(a, 0, sizeof *a);
	a->in = in;
}

addr_t addr_from_sockaddr(const struct sockaddr_storage *ss)
{
	addr_t a;

	memset(&a, 0, sizeof a);
	if (ss->ss_family == AF_INET)
		memcpy(&a.in, ss, sizeof a.in);
	else
		memcpy(&a.in6, ss, sizeof a.in6);
	addr_unmap(&a);
	return a;
}

bool addr_same_host(const addr_t *a, const addr_t *b)
{
	size_t la, lb;
	const uint8_t *pa = addr_bytes(a, &la), *pb = addr_bytes(b, &lb);

	if (a->sa.sa_family != b->sa.sa_family || memcmp(pa, pb, la) != 0)
		return false;
	return a->sa.sa_family == AF_INET || a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool addr_same(const addr_t *a, const addr_t *b)
{
	return a->in.sin_port == b->in.sin_port && addr_same_host(a, b);
}

bool addr_prefix_match(const addr_prefix_t *p, const addr_t *a)
{
	size_t len;
	const uint8_t *bytes = addr_bytes(a, &len);
	size_t whole = p->bits / 8, rest = p->bits % 8;

	if (p->family != a->sa.sa_family || memcmp(p->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 || ((p->bytes[whole] ^ bytes[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

bool addr_acl_match(const addr_acl_t *acl, const addr_t *a, unsigned key)
{
	for (size_t i = 0; i < acl->count; i++) {
		const addr_rule_t *rule = &acl->list[i];

		if (rule->key != 0 ? rule->key == key : addr_prefix_match(&rule->from, a))
			return true;
	}
	return false;
}

bool addr_acl_knows(const addr_acl_t *acl, const addr_t *a)
{
	for (size_t i = 0; i < acl->count; i++) {
		if (addr_prefix_match(&acl->list[i].from, a))
			return true;
	}
	return false;
}

const char *addr_text(const addr_t *a, char out[ADDR_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN];
	const void *bytes = a->sa.sa_family == AF_INET ? (const void *)&a->in.sin_addr
	                                               : (const void *)&a->in6.sin6_addr;

	if (!inet_ntop(a->sa.sa_family, bytes, host, sizeof host))
		snprintf(host, sizeof host, "?");
	snprintf(out, ADDR_TEXT_MAX, "%s@%u", host, addr_port(a));
	return out;
}
