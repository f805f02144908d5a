/* dns/zonefile.c - from the words of an entry to a record. */
#include "dns/zonefile.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dns/entry.h"
#include "dns/rrtype.h"
#include "dns/strict.h"
#include "dns/wire.h"

struct dns_zonefile {
	dns_entry_t entry;
	dns_name_t origin, owner;
	bool has_origin, has_owner;
	bool has_default, has_last; /* TTLs: of $TTL, and of the record before */
	uint32_t default_ttl, last_ttl;
	bool failed;
	char why[DNS_ZONEFILE_WHY_MAX];
	char *line; /* for ldns */
	size_t line_room;
};

/* An origin that no zone has, where there is none: what is relative then ends in it. */
static const uint8_t nowhere[] = "\x0f\001\002\003no-$ORIGIN-\xff";

dns_zonefile_t *dns_zonefile_new(FILE *in, const dns_name_t *origin)
{
	dns_zonefile_t *z = calloc(1, sizeof *z);

	if (!z)
		return NULL;
	dns_entry_open(&z->entry, in, DNS_ZONEFILE_ENTRY_MAX);
	if (origin) {
		z->origin = *origin;
		z->has_origin = true;
	} else {
		dns_name_from_wire(nowhere, &z->origin);
	}
	return z;
}

void dns_zonefile_free(dns_zonefile_t *z)
{
	if (!z)
		return;
	dns_entry_close(&z->entry);
	free(z->line);
	free(z);
}

unsigned dns_zonefile_line(const dns_zonefile_t *z)
{
	return z->entry.line;
}

const char *dns_zonefile_why(const dns_zonefile_t *z)
{
	return z->why;
}

static status_t fault(dns_zonefile_t *z, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static status_t fault(dns_zonefile_t *z, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(z->why, sizeof z->why, fmt, args);
	va_end(args);
	for (char *p = z->why; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	z->failed = true;
	return ST_MALFORMED;
}

/* --- names ------------------------------------------------------------------------------------- */

static bool is_absolute(const char *text, size_t len)
{
	size_t escapes = 0;

	if (len == 0 || text[len - 1] != '.')
		return false;
	while (escapes < len - 1 && text[len - 2 - escapes] == '\\')
		escapes++;
	return escapes % 2 == 0;
}

static status_t no_origin(dns_zonefile_t *z, const char *text)
{
	return fault(z, "%.100s is relative, and there is no $ORIGIN: say which zone it is", text);
}

/* A word as a name, relative to the origin if it has no final dot. */
static status_t read_name(dns_zonefile_t *z, size_t i, dns_name_t *out)
{
	const char *text = dns_entry_word(&z->entry, i);
	const size_t len = z->entry.words[i].len;
	const bool is_origin = strcmp(text, "@") == 0;
	uint8_t wire[2 * DNS_NAME_MAX];
	size_t own = 0;

	if (z->entry.words[i].quoted)
		return fault(z, "%.100s is no name", text);
	if (!is_origin && dns_name_from_text(text, out) != ST_OK)
		return fault(z, "%.100s is no name", text);
	if (is_origin || !is_absolute(text, len)) {
		if (!z->has_origin)
			return no_origin(z, text);
		if (!is_origin) {
			own = out->len - 1u;
			memcpy(wire, out->wire, own);
		}
		if (own + z->origin.len > DNS_NAME_MAX)
			return fault(z, "%.100s is too long with its origin", text);
		memcpy(wire + own, z->origin.wire, z->origin.len);
		dns_name_from_wire(wire, out);
	}
	dns_name_fold(out);
	return ST_OK;
}

/* --- TTL, class, type -------------------------------------------------------------------------- */

/* Digits, or parts like 1h30m. False: it is none, or over 2^31-1 (RFC 2181 8), which *big says. */
static bool read_ttl(const char *text, uint32_t *ttl, bool *big)
{
	static const char units[] = "smhdw";
	static const uint32_t seconds[] = { 1, 60, 3600, 86400, 604800 };
	uint64_t sum = 0;

	*big = false;
	do {
		uint64_t n = 0;
		const char *digits = text, *unit;

		for (; *text >= '0' && *text <= '9'; text++)
			n = n > DNS_TTL_MAX ? n : n * 10 + (unsigned)(*text - '0');
		if (text == digits)
			return false;
		unit = *text != '\0' ? strchr(units, *text | 0x20) : NULL;
		if (unit) {
			n *= seconds[unit - units];
			text++;
		} else if (*text != '\0') {
			return false;
		}
		sum += n;
		*big = *big || sum > DNS_TTL_MAX;
	} while (*text != '\0');
	*ttl = (uint32_t)sum;
	return !*big;
}

/* False: it is none. */
static bool read_class(const char *text, unsigned *class)
{
	static const struct {
		const char *name;
		unsigned class;
	} classes[] = { { "IN", 1 }, { "CS", 2 }, { "CH", 3 }, { "HS", 4 } };
	char *end;

	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (strcasecmp(text, classes[i].name) == 0) {
			*class = classes[i].class;
			return true;
		}
	}
	if (strncasecmp(text, "CLASS", 5) != 0 || text[5] < '0' || text[5] > '9')
		return false;
	*class = (unsigned)strtoul(text + 5, &end, 10);
	return *end == '\0';
}

/* What may stand in front of the type, in any order: *i moves on. */
static status_t read_ttl_and_class(dns_zonefile_t *z, size_t *i, bool *has_ttl, uint32_t *ttl)
{
	const dns_entry_t *e = &z->entry;
	bool has_class = false, big;
	unsigned class;

	*has_ttl = false;
	for (; *i < e->count && !e->words[*i].quoted; ++*i) {
		const char *text = dns_entry_word(e, *i);

		if (!*has_ttl && read_ttl(text, ttl, &big)) {
			*has_ttl = true;
		} else if (!*has_ttl && big) {
			return fault(z, "TTL %.100s is over %u", text, DNS_TTL_MAX);
		} else if (!has_class && read_class(text, &class)) {
			has_class = true;
			if (class != DNS_CLASS_IN)
				return fault(z, "class %.100s: only IN can be served", text);
		} else {
			break;
		}
	}
	return ST_OK;
}

/* ldns takes whatever stands behind TYPE for a number. */
static status_t read_type(dns_zonefile_t *z, size_t i, uint16_t *type)
{
	const char *text = i < z->entry.count ? dns_entry_word(&z->entry, i) : "";
	unsigned long number = 0;
	char *end;

	if (*text == '\0')
		return fault(z, "there is no type");
	if (strncasecmp(text, "TYPE", 4) == 0 && text[4] >= '0' && text[4] <= '9') {
		number = strtoul(text + 4, &end, 10);
		number = *end == '\0' && number <= UINT16_MAX ? number : 0;
	} else if (!z->entry.words[i].quoted) {
		number = ldns_get_rr_type_by_name(text);
	}
	*type = (uint16_t)number;
	return *type != 0 ? ST_OK : fault(z, "%.100s is no type", text);
}

/* --- RDATA ------------------------------------------------------------------------------------- */

static int digit(char c)
{
	return c >= '0' && c <= '9'                     ? c - '0'
	       : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
	                                                : -1;
}

/* \# LENGTH HEX..., RFC 3597 5; i: the length. */
static status_t read_generic(dns_zonefile_t *z, size_t i, dns_rr_t *rr)
{
	const dns_entry_t *e = &z->entry;
	const char *text = i < e->count ? dns_entry_word(e, i) : "";
	size_t digits = 0;
	char *end;
	const unsigned long len = strtoul(text, &end, 10);

	if (digit(*text) < 0 || *end != '\0' || len > sizeof rr->rdata)
		return fault(z, "\\# without the number of octets behind it");
	for (i++; i < e->count; i++) {
		for (const char *p = dns_entry_word(e, i); *p != '\0'; p++, digits++) {
			const int d = digit(*p);

			if (d < 0 || digits / 2 >= len)
				return fault(z,
				             d < 0 ? "%.100s is no hexadecimal number"
				                   : "%.100s is more than \\# says",
				             dns_entry_word(e, i));
			if (digits % 2 == 0)
				rr->rdata[digits / 2] = (uint8_t)(d << 4);
			else
				rr->rdata[digits / 2] |= (uint8_t)d;
		}
	}
	rr->rdlen = (uint16_t)len;
	return digits == 2 * len
	               ? ST_OK
	               : fault(z, "\\# says %lu octets, and there are %zu", len, digits / 2);
}

/* One octet behind a backslash: \DDD, or the character itself. -1: neither. */
static int escaped(const char **p)
{
	const char *at = *p;

	if (*at < '0' || *at > '9') {
		++*p;
		return (uint8_t)*at;
	}
	for (unsigned i = 1; i < 3; i++) {
		if (at[i] < '0' || at[i] > '9')
			return -1;
	}
	*p += 3;
	const int octet = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
	return octet < 256 ? octet : -1;
}

/* A word as a character-string (RFC 1035 5.1) to out, which has room for 256 octets. */
static status_t read_string(dns_zonefile_t *z, size_t i, uint8_t *out)
{
	const dns_word_t *w = &z->entry.words[i];
	const char *p = dns_entry_word(&z->entry, i), *end = p + w->len;
	size_t len = 0;

	if (w->quoted) {
		p++;
		end--;
	}
	while (p < end) {
		const char c = *p++;
		const int octet = c == '\\' ? escaped(&p) : (uint8_t)c;

		if (octet < 0)
			return fault(z, "\\DDD is not a number up to 255");
		if (len == 255)
			return fault(z, "a string of more than 255 octets");
		out[1 + len++] = (uint8_t)octet;
	}
	out[0] = (uint8_t)len;
	return ST_OK;
}

/* Is it a type of strings alone? Those may be longer in text than ldns reads. */
static bool has_strings(const ldns_rr_descriptor *d)
{
	for (size_t i = 0; i < d->_maximum; i++) {
		if (d->_wireformat[i] != LDNS_RDF_TYPE_STR)
			return false;
	}
	return d->_variable == LDNS_RDF_TYPE_STR;
}

static status_t read_strings(dns_zonefile_t *z, size_t i, dns_rr_t *rr)
{
	size_t len = 0;

	for (; i < z->entry.count; i++) {
		uint8_t string[256];
		status_t st = read_string(z, i, string);

		if (st != ST_OK)
			return st;
		if (len + 1u + string[0] > sizeof rr->rdata)
			return fault(z, "RDATA of more than 65535 octets");
		memcpy(rr->rdata + len, string, 1u + string[0]);
		len += 1u + string[0];
	}
	rr->rdlen = (uint16_t)len;
	return ST_OK;
}

/* "." TTL class, type and RDATA as ldns reads them. */
static status_t line_for_ldns(dns_zonefile_t *z, size_t i, uint16_t type)
{
	const dns_entry_t *e = &z->entry;
	const size_t need = e->len + 64;
	char name[DNS_TYPE_TEXT_MAX];

	if (need > z->line_room) {
		char *grown = realloc(z->line, need);

		if (!grown)
			return ST_NOMEM;
		z->line = grown;
		z->line_room = need;
	}
	char *p = z->line + sprintf(z->line, ". 0 IN %s", dns_type_text(type, name));
	for (; i < e->count; i++) {
		*p++ = ' ';
		memcpy(p, dns_entry_word(e, i), e->words[i].len);
		p += e->words[i].len;
	}
	*p = '\0';
	return ST_OK;
}

typedef struct ends {
	const dns_rr_t *rr;
	bool nowhere;
} ends_t;

static void look_at_end(void *arg, size_t off, size_t len)
{
	ends_t *e = arg;

	if (len >= sizeof nowhere &&
	    memcmp(e->rr->rdata + off + len - sizeof nowhere, nowhere, sizeof nowhere) == 0)
		e->nowhere = true;
}

/* What ldns has made of it. */
static status_t take_rdata(dns_zonefile_t *z, const ldns_rr *read, dns_rr_t *rr)
{
	enum { HEAD = 1 + DNS_RR_FIXED };
	uint8_t *wire = NULL;
	size_t len = 0;
	status_t st = ST_OK;

	if (ldns_rr2wire(&wire, read, LDNS_SECTION_ANSWER, &len) != LDNS_STATUS_OK || len < HEAD)
		st = fault(z, "RDATA of more than 65535 octets");
	if (st == ST_OK) {
		rr->rdlen = (uint16_t)(len - HEAD);
		memcpy(rr->rdata, wire + HEAD, rr->rdlen);
	}
	LDNS_FREE(wire);
	return st;
}

static status_t read_by_ldns(dns_zonefile_t *z, size_t i, dns_rr_t *rr)
{
	ldns_rdf *origin = NULL;
	ldns_rr *read = NULL;
	char name[DNS_TYPE_TEXT_MAX];
	size_t bad;
	const char *should = dns_strict_fault(&z->entry, i, rr->type, &bad);
	status_t st = should ? fault(z, "%.100s is not %s", dns_entry_word(&z->entry, bad), should)
	                     : line_for_ldns(z, i, rr->type);

	if (st != ST_OK)
		return st;
	origin = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, z->origin.len, z->origin.wire);
	if (!origin)
		return ST_NOMEM;
	const ldns_status said = ldns_rr_new_frm_str(&read, z->line, 0, origin, NULL);
	if (said == LDNS_STATUS_MEM_ERR)
		st = ST_NOMEM;
	else if (said != LDNS_STATUS_OK)
		st = fault(z, "%s record: %s", dns_type_text(rr->type, name),
		           ldns_get_errorstr_by_id(said));
	else
		st = take_rdata(z, read, rr);
	ldns_rr_free(read);
	ldns_rdf_deep_free(origin);
	return st;
}

static status_t read_rdata(dns_zonefile_t *z, size_t i, dns_rr_t *rr)
{
	const dns_entry_t *e = &z->entry;
	const ldns_rr_descriptor *d = ldns_rr_descript(rr->type);
	char name[DNS_TYPE_TEXT_MAX];
	ends_t ends = { rr, false };
	status_t st;

	if (i < e->count && strcmp(dns_entry_word(e, i), "\\#") == 0)
		st = read_generic(z, i + 1, rr);
	else if (!d || d->_type != rr->type)
		st = fault(z, "%s has no words: it is written as \\# LENGTH HEX",
		           dns_type_text(rr->type, name));
	else if (has_strings(d))
		st = read_strings(z, i, rr);
	else
		st = read_by_ldns(z, i, rr);
	if (st != ST_OK)
		return st;
	if (!dns_rdata_sound(rr->type, rr->rdata, rr->rdlen))
		return fault(z, "this is no %s record", dns_type_text(rr->type, name));
	if (!z->has_origin)
		dns_rdata_names(rr->type, rr->rdata, rr->rdlen, look_at_end, &ends);
	return ends.nowhere ? no_origin(z, "a name in it") : ST_OK;
}

/* --- entries ----------------------------------------------------------------------------------- */

static status_t directive(dns_zonefile_t *z)
{
	const dns_entry_t *e = &z->entry;
	const char *word = dns_entry_word(e, 0);
	dns_name_t name;
	bool big;

	if (strcasecmp(word, "$INCLUDE") == 0)
		return fault(z, "$INCLUDE is not followed: make one file of them");
	if (strcasecmp(word, "$ORIGIN") != 0 && strcasecmp(word, "$TTL") != 0)
		return fault(z, "%.100s is not known here", word);
	if (e->count != 2)
		return fault(z, "%.100s takes one word", word);
	if (strcasecmp(word, "$TTL") == 0) {
		if (!read_ttl(dns_entry_word(e, 1), &z->default_ttl, &big))
			return fault(z, "%.100s is no TTL", dns_entry_word(e, 1));
		z->has_default = true;
		return ST_OK;
	}
	if (read_name(z, 1, &name) != ST_OK)
		return ST_MALFORMED;
	z->origin = name;
	z->has_origin = true;
	return ST_OK;
}

/* RFC 2308 4: $TTL, and only then RFC 1035 5.1: the last one that was stated. */
static status_t settle_ttl(dns_zonefile_t *z, bool has_ttl, dns_rr_t *rr)
{
	if (has_ttl) {
		z->last_ttl = rr->ttl;
		z->has_last = true;
	} else if (z->has_default) {
		rr->ttl = z->default_ttl;
	} else if (z->has_last) {
		rr->ttl = z->last_ttl;
	} else {
		return fault(z, "there is no TTL: write one, or $TTL before it");
	}
	return ST_OK;
}

static status_t record(dns_zonefile_t *z, dns_rr_t *rr)
{
	bool has_ttl;
	size_t i = 0;
	status_t st = ST_OK;

	if (!z->entry.indented) {
		st = read_name(z, i++, &z->owner);
		z->has_owner = st == ST_OK;
	} else if (!z->has_owner) {
		st = fault(z, "a record without an owner, and none before it");
	}
	if (st == ST_OK)
		st = read_ttl_and_class(z, &i, &has_ttl, &rr->ttl);
	if (st == ST_OK)
		st = read_type(z, i++, &rr->type);
	if (st == ST_OK)
		st = settle_ttl(z, has_ttl, rr);
	if (st != ST_OK)
		return st;
	rr->owner = z->owner;
	rr->class = DNS_CLASS_IN;
	return read_rdata(z, i, rr);
}

status_t dns_zonefile_next(dns_zonefile_t *z, dns_rr_t *rr)
{
	dns_entry_t *e = &z->entry;
	status_t st = z->failed ? ST_MALFORMED : ST_OK;

	while (st == ST_OK) {
		st = dns_entry_next(e);
		if (st == ST_MALFORMED)
			return fault(z, "%s", e->why);
		if (st != ST_OK)
			break;
		if (e->indented || *dns_entry_word(e, 0) != '$')
			return record(z, rr);
		st = directive(z);
	}
	return st;
}
