/* dns/text.c - field by field: names are ours to write, all else is ldns's. */
#include "dns/text.h"

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/name.h"
#include "dns/wire.h"

struct dns_text {
	ldns_buffer *out;
	uint8_t *wire; /* a record with the root for its owner */
};

enum { HEAD = 1 + DNS_RR_FIXED };

dns_text_t *dns_text_new(void)
{
	dns_text_t *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->out = ldns_buffer_new(4096);
	t->wire = malloc(HEAD + 65535);
	if (!t->out || !t->wire) {
		dns_text_free(t);
		return NULL;
	}
	return t;
}

void dns_text_free(dns_text_t *t)
{
	if (!t)
		return;
	if (t->out)
		ldns_buffer_free(t->out);
	free(t->wire);
	free(t);
}

/* Is it of a type that fills zones, of which ldns's words are known to read back? */
static bool is_common(uint16_t type, const char *words)
{
	static const uint16_t common[] = {
		LDNS_RR_TYPE_A,    LDNS_RR_TYPE_NS,    LDNS_RR_TYPE_CNAME,  LDNS_RR_TYPE_SOA,
		LDNS_RR_TYPE_PTR,  LDNS_RR_TYPE_MX,    LDNS_RR_TYPE_TXT,    LDNS_RR_TYPE_AAAA,
		LDNS_RR_TYPE_SRV,  LDNS_RR_TYPE_DNAME, LDNS_RR_TYPE_DS,     LDNS_RR_TYPE_RRSIG,
		LDNS_RR_TYPE_NSEC, LDNS_RR_TYPE_NSEC3, LDNS_RR_TYPE_DNSKEY,
	};

	for (size_t i = 0; i < ARRAY_LEN(common); i++) {
		if (common[i] == type) /* a hash that is no SHA-1 may be padded */
			return type != LDNS_RR_TYPE_NSEC3 || !strchr(words, '=');
	}
	return false;
}

/* The types whose words depend on the machine (services of WKS), or that readers disagree on. */
static bool is_better_generic(uint16_t type)
{
	return type == LDNS_RR_TYPE_NULL || type == LDNS_RR_TYPE_WKS || type == LDNS_RR_TYPE_APL ||
	       type == LDNS_RR_TYPE_IPSECKEY || type == LDNS_RR_TYPE_HIP;
}

static char *octet_text(uint8_t c, char *p)
{
	bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

	if (plain || (c != '\0' && strchr("-_*/", c))) {
		*p++ = (char)c;
		return p;
	}
	*p++ = '\\';
	if (c != '\0' && strchr(".\\\";()@$", c)) {
		*p++ = (char)c;
		return p;
	}
	*p++ = (char)('0' + c / 100);
	*p++ = (char)('0' + c / 10 % 10);
	*p++ = (char)('0' + c % 10);
	return p;
}

const char *dns_text_name(const uint8_t *wire, char out[DNS_NAME_TEXT_MAX])
{
	char *p = out;

	if (*wire == 0)
		*p++ = '.';
	for (; *wire != 0; wire += *wire + 1) {
		for (unsigned i = 1; i <= *wire; i++)
			p = octet_text(wire[i], p);
		*p++ = '.';
	}
	*p = '\0';
	return out;
}

/* ldns leaves more octets of a name as they are than readers take, a quote among them. */
static status_t name_field(ldns_buffer *out, const ldns_rdf *rdf)
{
	char text[DNS_NAME_TEXT_MAX];
	size_t len;

	dns_text_name(ldns_rdf_data(rdf), text);
	len = strlen(text);
	if (!ldns_buffer_reserve(out, len))
		return ST_NOMEM;
	ldns_buffer_write(out, text, len);
	return ST_OK;
}

static status_t put(ldns_buffer *out, char c)
{
	if (!ldns_buffer_reserve(out, 1))
		return ST_NOMEM;
	ldns_buffer_write_u8(out, (uint8_t)c);
	return ST_OK;
}

/* ST_REFUSED: ldns has no words for it. */
static status_t field(ldns_buffer *out, const ldns_rdf *rdf)
{
	size_t before = ldns_buffer_position(out);

	if (ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME)
		return name_field(out, rdf);
	/* A digest or a bitmap of no octets: nothing that a reader would notice. */
	if (ldns_rdf_size(rdf) == 0 || ldns_rdf2buffer_str(out, rdf) != LDNS_STATUS_OK)
		return ST_REFUSED;
	while (ldns_buffer_position(out) > before && ldns_buffer_current(out)[-1] == ' ')
		ldns_buffer_skip(out, -1); /* some end with a blank */
	return ldns_buffer_position(out) > before ? ST_OK : ST_REFUSED;
}

static status_t in_words(dns_text_t *t, const ldns_rr *rr)
{
	ldns_buffer_clear(t->out);
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		status_t st = i > 0 ? put(t->out, ' ') : ST_OK;

		if (st == ST_OK)
			st = field(t->out, ldns_rr_rdf(rr, i));
		if (st != ST_OK)
			return st;
	}
	return put(t->out, '\0');
}

/* RFC 3597 5. */
static status_t in_hex(dns_text_t *t, const uint8_t *rdata, size_t rdlen)
{
	static const char digits[] = "0123456789abcdef";
	ldns_buffer *out = t->out;

	ldns_buffer_clear(out);
	if (!ldns_buffer_reserve(out, 2 * rdlen + 32))
		return ST_NOMEM;
	(void)ldns_buffer_printf(out, "\\# %zu%s", rdlen, rdlen > 0 ? " " : "");
	for (size_t i = 0; i < rdlen; i++) {
		ldns_buffer_write_u8(out, (uint8_t)digits[rdata[i] >> 4]);
		ldns_buffer_write_u8(out, (uint8_t)digits[rdata[i] & 15]);
	}
	return put(out, '\0');
}

/* Does ldns read its own words as these octets? */
static bool reads_back(const dns_text_t *t, const ldns_rr *rr, const uint8_t *rdata, size_t rdlen)
{
	const char *words = (const char *)ldns_buffer_begin(t->out);
	char *type = ldns_rr_type2str(ldns_rr_get_type(rr)), *line = NULL;
	ldns_rr *again = NULL;
	uint8_t *wire = NULL;
	size_t len = 0;
	bool same = false;

	if (type && asprintf(&line, ". 0 IN %s %s", type, words) >= 0 &&
	    ldns_rr_new_frm_str(&again, line, 0, NULL, NULL) == LDNS_STATUS_OK &&
	    ldns_rr2wire(&wire, again, LDNS_SECTION_ANSWER, &len) == LDNS_STATUS_OK)
		same = len == HEAD + rdlen && memcmp(wire + HEAD, rdata, rdlen) == 0;
	LDNS_FREE(wire);
	ldns_rr_free(again);
	free(line);
	free(type);
	return same;
}

static bool is_printable(const ldns_buffer *b)
{
	const uint8_t *p = ldns_buffer_begin(b);

	while (*p >= 0x20 && *p < 0x7f)
		p++;
	return *p == '\0';
}

static bool is_trusted(const dns_text_t *t, const ldns_rr *rr, const uint8_t *rdata, size_t rdlen)
{
	const char *words = (const char *)ldns_buffer_begin(t->out);

	return is_printable(t->out) && (is_common((uint16_t)ldns_rr_get_type(rr), words) ||
	                                reads_back(t, rr, rdata, rdlen));
}

/* Every field is there, and every octet in one of them: ldns passes over what is too much, and an
 * empty field at the end. */
static bool is_whole(const ldns_rr *rr, size_t rdlen)
{
	const ldns_rr_descriptor *d = ldns_rr_descript((uint16_t)ldns_rr_get_type(rr));
	size_t len = 0;

	if (!d || ldns_rr_rd_count(rr) == 0 || ldns_rr_rd_count(rr) < ldns_rr_descriptor_minimum(d))
		return false;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
		len += ldns_rdf_size(ldns_rr_rdf(rr, i));
	return len == rdlen;
}

static ldns_rr *record_of(dns_text_t *t, uint16_t type, const uint8_t *rdata, size_t rdlen)
{
	bufw_t w = bufw_over(t->wire, HEAD + 65535);
	ldns_rr *rr = NULL;
	size_t at = 0;

	bufw_u8(&w, 0);
	bufw_u16(&w, type);
	bufw_u16(&w, DNS_CLASS_IN);
	bufw_u32(&w, 0);
	bufw_u16(&w, (unsigned)rdlen);
	bufw_bytes(&w, rdata, rdlen);
	if (!bufw_ok(&w) ||
	    ldns_wire2rr(&rr, t->wire, w.pos, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		return NULL;
	return rr;
}

const char *dns_text_rdata(dns_text_t *t, uint16_t type, const uint8_t *rdata, size_t rdlen)
{
	ldns_rr *rr = is_better_generic(type) ? NULL : record_of(t, type, rdata, rdlen);
	status_t st = ST_REFUSED;

	/* Of a type that it doesn't know, ldns makes one field of octets. */
	if (rr && is_whole(rr, rdlen) &&
	    ldns_rdf_get_type(ldns_rr_rdf(rr, 0)) != LDNS_RDF_TYPE_UNKNOWN)
		st = in_words(t, rr);
	if (st == ST_OK && !is_trusted(t, rr, rdata, rdlen))
		st = ST_REFUSED;
	if (st == ST_REFUSED)
		st = in_hex(t, rdata, rdlen);
	ldns_rr_free(rr);
	return st == ST_OK ? (const char *)ldns_buffer_begin(t->out) : NULL;
}
