/* tests/tools/norm.c - answers as comparable text. */
#include "tests/tools/norm.h"

#include "common/buf.h"

#include <ldns/ldns.h>

#include <stdlib.h>
#include <string.h>

typedef struct record {
	uint8_t owner[NORM_NAME_MAX]; /* folded */
	uint16_t type, class;
	uint32_t ttl;
	uint16_t rdlen;
	uint8_t rdata[65535 + 4 * NORM_NAME_MAX]; /* names decompressed, folded where they fold */
} record_t;

/* --- text ------------------------------------------------------------------------------- */

/* Grows, is cleared by len = 0, and is used again for each record: streams cost too much here. */
typedef struct text {
	char *at;
	size_t len, room;
} text_t;

static char *text_room(text_t *t, size_t n)
{
	if (t->len + n > t->room) {
		t->room = (t->room + n) * 2;
		t->at = realloc(t->at, t->room);
		if (!t->at)
			abort(); /* a test tool without memory has nothing to say */
	}
	t->len += n;
	return t->at + t->len - n;
}

static void text_char(text_t *t, char c)
{
	*text_room(t, 1) = c;
}

static void text_str(text_t *t, const char *s)
{
	size_t n = strlen(s);

	memcpy(text_room(t, n), s, n);
}

static void text_number(text_t *t, unsigned n)
{
	char digits[10];
	size_t k = 0;

	do
		digits[k++] = (char)('0' + n % 10);
	while (n /= 10);
	while (k)
		text_char(t, digits[--k]);
}

static void text_hex(text_t *t, const uint8_t *p, size_t n)
{
	char *to = text_room(t, 2 * n);

	for (size_t i = 0; i < n; i++) {
		*to++ = "0123456789abcdef"[p[i] >> 4];
		*to++ = "0123456789abcdef"[p[i] & 15];
	}
}

/* --- names ------------------------------------------------------------------------------ */

static size_t name_len(const uint8_t *name)
{
	size_t n = 0;

	while (name[n])
		n += name[n] + 1u;
	return n + 1;
}

void norm_name_fold(uint8_t *name)
{
	/* Length octets are at most 63, below the letters. */
	for (size_t n = name_len(name); n--;)
		if (name[n] >= 'A' && name[n] <= 'Z')
			name[n] = (uint8_t)(name[n] + 32);
}

/* The name at the cursor, decompressed; false when it is broken. */
static bool name_read(buf_t *msg, uint8_t out[NORM_NAME_MAX])
{
	buf_t at = *msg;
	size_t len = 0, limit = msg->pos;
	bool jumped = false;

	for (;;) {
		uint8_t c = buf_u8(&at);
		const uint8_t *label;

		if (!buf_ok(&at))
			return false;
		if (c >= 0xc0) {
			size_t to = (size_t)(c & 0x3f) << 8 | buf_u8(&at);

			if (!buf_ok(&at) || to >= limit)
				return false;
			if (!jumped)
				msg->pos = at.pos;
			jumped = true;
			limit = at.pos = to;
			continue;
		}
		if (c > 63 || len + c + 1u > NORM_NAME_MAX)
			return false;
		out[len++] = c;
		if (c == 0)
			break;
		label = buf_take(&at, c);
		if (!label || len + c + 1u > NORM_NAME_MAX)
			return false;
		memcpy(out + len, label, c);
		len += c;
	}
	if (!jumped)
		msg->pos = at.pos;
	return true;
}

static bool name_within(const uint8_t *name, const uint8_t *above)
{
	size_t n = name_len(name), a = name_len(above);

	for (; n > a; n = name_len(name))
		name += *name + 1;
	return n == a && memcmp(name, above, n) == 0;
}

size_t norm_name_from_text(const char *text, uint8_t out[NORM_NAME_MAX])
{
	size_t len = 0;

	if (strcmp(text, ".") == 0)
		text = "";
	while (*text) {
		size_t start = len++;

		for (; *text && *text != '.'; text++) {
			unsigned c = (uint8_t)*text;

			if (c == '\\' && text[1] >= '0' && text[1] <= '9') {
				if (sscanf(text + 1, "%3u", &c) != 1 || c > 255 || strlen(text) < 4)
					return 0;
				text += 3;
			} else if (c == '\\' && text[1]) {
				c = (uint8_t) * ++text;
			}
			if (len >= NORM_NAME_MAX)
				return 0;
			out[len++] = (uint8_t)c;
		}
		if (len - start < 2 || len - start > 64 || len >= NORM_NAME_MAX)
			return 0;
		out[start] = (uint8_t)(len - start - 1);
		if (*text == '.')
			text++;
	}
	out[len++] = 0;
	return len;
}

static void name_print(text_t *to, const uint8_t *name)
{
	if (!*name)
		text_char(to, '.');
	for (; *name; name += *name + 1) {
		for (unsigned i = 1; i <= *name; i++) {
			uint8_t c = name[i];

			if (c <= ' ' || c >= 127) {
				text_char(to, '\\');
				text_char(to, (char)('0' + c / 100));
				text_char(to, (char)('0' + c / 10 % 10));
				c = (uint8_t)('0' + c % 10);
			} else if (strchr(".\\\"();@$", c)) {
				text_char(to, '\\');
			}
			text_char(to, (char)c);
		}
		text_char(to, '.');
	}
}

/* --- RDATA -------------------------------------------------------------------------------- */

/* RFC 4034 6.2, without NSEC and HINFO (RFC 6840 5.1; HINFO holds no name), with DNAME. */
static bool type_folds(unsigned type)
{
	static const uint16_t folds[] = { 2,  3,  4,  5,  6,  7,  8,  9,  12, 14, 15, 17,
		                          18, 21, 24, 26, 30, 33, 35, 36, 38, 39, 46 };

	for (size_t i = 0; i < sizeof folds / sizeof *folds; i++)
		if (folds[i] == type)
			return true;
	return false;
}

/* Octets of a field of fixed size, 0 when it has none, 1 + the next octet for a string. */
static size_t field_size(ldns_rdf_type f, const buf_t *b)
{
	switch ((int)f) {
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_ALG:
		return 1;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_TYPE:
	case LDNS_RDF_TYPE_CLASS:
	case LDNS_RDF_TYPE_CERT_ALG:
		return 2;
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_A:
	case LDNS_RDF_TYPE_PERIOD:
	case LDNS_RDF_TYPE_TIME:
		return 4;
	case LDNS_RDF_TYPE_AAAA:
		return 16;
	case LDNS_RDF_TYPE_STR:
		return buf_left(b) ? 1u + b->base[b->pos] : 1;
	default:
		return 0;
	}
}

/* Copy n octets of RDATA; false when they aren't there. */
static bool rdata_copy(buf_t *b, size_t n, record_t *rr)
{
	const uint8_t *p = buf_take(b, n);

	if (!p)
		return false;
	memcpy(rr->rdata + rr->rdlen, p, n);
	rr->rdlen = (uint16_t)(rr->rdlen + n);
	return true;
}

/* RDATA up to the end of b (whose base is the message's, so that pointers make sense). */
static bool rdata_read(buf_t *b, record_t *rr)
{
	const ldns_rr_descriptor *d = ldns_rr_descript(rr->type);
	size_t fields = ldns_rr_descriptor_maximum(d);

	rr->rdlen = 0;
	for (size_t i = 0; i < fields && buf_left(b); i++) {
		ldns_rdf_type f = ldns_rr_descriptor_field_type(d, i);
		size_t n = field_size(f, b);

		if (f == LDNS_RDF_TYPE_DNAME) {
			uint8_t *name = rr->rdata + rr->rdlen;

			if (!name_read(b, name) || rr->rdlen > 65535 - NORM_NAME_MAX)
				return false;
			if (type_folds(rr->type))
				norm_name_fold(name);
			rr->rdlen = (uint16_t)(rr->rdlen + name_len(name));
		} else if (n == 0) {
			break; /* of any length: the rest goes as it is */
		} else if (!rdata_copy(b, n, rr)) {
			return false;
		}
	}
	return rdata_copy(b, buf_left(b), rr);
}

static bool record_read(buf_t *msg, record_t *rr)
{
	buf_t rdata;
	uint16_t len;

	if (!name_read(msg, rr->owner))
		return false;
	norm_name_fold(rr->owner);
	rr->type = buf_u16(msg);
	rr->class = buf_u16(msg);
	rr->ttl = buf_u32(msg);
	len = buf_u16(msg);
	if (!buf_ok(msg) || len > buf_left(msg))
		return false;
	rdata = *msg;
	rdata.len = rdata.pos + len;
	msg->pos += len;
	return rdata_read(&rdata, rr);
}

/* Are all fields of these kinds, so that text says all? */
static bool is_plain(const ldns_rr_descriptor *d)
{
	size_t fields = ldns_rr_descriptor_minimum(d);

	for (size_t i = 0; i < fields; i++) {
		switch ((int)ldns_rr_descriptor_field_type(d, i)) {
		case LDNS_RDF_TYPE_DNAME:
		case LDNS_RDF_TYPE_INT8:
		case LDNS_RDF_TYPE_INT16:
		case LDNS_RDF_TYPE_INT32:
		case LDNS_RDF_TYPE_PERIOD:
		case LDNS_RDF_TYPE_A:
			continue;
		default:
			return false;
		}
	}
	return fields == ldns_rr_descriptor_maximum(d) && fields > 0;
}

static void plain_print(text_t *to, const record_t *rr, const ldns_rr_descriptor *d)
{
	const uint8_t *p = rr->rdata;

	for (size_t i = 0; i < ldns_rr_descriptor_maximum(d); i++) {
		ldns_rdf_type f = ldns_rr_descriptor_field_type(d, i);

		text_char(to, ' ');
		if (f == LDNS_RDF_TYPE_DNAME) {
			name_print(to, p);
			p += name_len(p);
		} else if (f == LDNS_RDF_TYPE_A) {
			for (int k = 0; k < 4; k++) {
				if (k)
					text_char(to, '.');
				text_number(to, *p++);
			}
		} else if (f == LDNS_RDF_TYPE_INT8) {
			text_number(to, *p++);
		} else if (f == LDNS_RDF_TYPE_INT16) {
			text_number(to, get_u16(p));
			p += 2;
		} else {
			text_number(to, get_u32(p));
			p += 4;
		}
	}
}

/* Octets that the fields of a plain type must add up to, or its text would be a lie. */
static bool plain_fits(const record_t *rr, const ldns_rr_descriptor *d)
{
	buf_t b = buf_over(rr->rdata, rr->rdlen);

	for (size_t i = 0; i < ldns_rr_descriptor_maximum(d); i++) {
		ldns_rdf_type f = ldns_rr_descriptor_field_type(d, i);
		uint8_t name[NORM_NAME_MAX];

		if (f == LDNS_RDF_TYPE_DNAME ? !name_read(&b, name)
		                             : !buf_take(&b, field_size(f, &b)))
			return false;
	}
	return buf_left(&b) == 0;
}

/* The name of a type; it stays. */
static const char *type_text(unsigned type)
{
	static char *known[65536];

	if (!known[type])
		known[type] = ldns_rr_type2str((ldns_rr_type)type);
	return known[type];
}

static void record_print(text_t *to, const record_t *rr)
{
	const ldns_rr_descriptor *d = ldns_rr_descript(rr->type);

	name_print(to, rr->owner);
	text_char(to, ' ');
	text_number(to, rr->ttl);
	text_str(to, " CLASS");
	text_number(to, rr->class);
	text_char(to, ' ');
	text_str(to, type_text(rr->type));
	if (is_plain(d) && plain_fits(rr, d)) {
		plain_print(to, rr, d);
		return;
	}
	text_str(to, " \\# ");
	text_number(to, rr->rdlen);
	if (rr->rdlen)
		text_char(to, ' ');
	text_hex(to, rr->rdata, rr->rdlen);
}

/* --- lines -------------------------------------------------------------------------------- */

static void lines_add(lines_t *l, const record_t *rr)
{
	static text_t text;

	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 8;
		l->line = realloc(l->line, l->room * sizeof *l->line);
	}
	text.len = 0;
	record_print(&text, rr);
	text_char(&text, 0);
	if (!l->line || !(l->line[l->count++] = strdup(text.at)))
		abort();
}

static int line_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool lines_same(const lines_t *a, const lines_t *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->line[i], b->line[i]) != 0)
			return false;
	return true;
}

static void lines_print(FILE *to, const lines_t *l)
{
	fputc('[', to);
	for (size_t i = 0; i < l->count; i++) {
		fputs(i ? ",\"" : "\"", to);
		for (const char *c = l->line[i]; *c;) {
			size_t plain = strcspn(c, "\"\\");

			fwrite(c, 1, plain, to);
			c += plain;
			if (*c) {
				fputc('\\', to);
				fputc(*c++, to);
			}
		}
		fputc('"', to);
	}
	fputc(']', to);
}

/* --- messages ----------------------------------------------------------------------------- */

static bool is_zone(const norm_zones_t *zones, const uint8_t *name)
{
	for (size_t i = 0; i < zones->count; i++)
		if (name_len(zones->name[i]) == name_len(name) &&
		    memcmp(zones->name[i], name, name_len(name)) == 0)
			return true;
	return false;
}

/* The servers of a referral, to know its required glue by. */
typedef struct cut {
	uint8_t owner[NORM_NAME_MAX];
	uint8_t (*target)[NORM_NAME_MAX];
	size_t count;
} cut_t;

static void cut_add(cut_t *cut, const record_t *ns)
{
	cut->target = realloc(cut->target, (cut->count + 1) * sizeof *cut->target);
	if (!cut->target)
		abort();
	memcpy(cut->owner, ns->owner, NORM_NAME_MAX);
	memcpy(cut->target[cut->count++], ns->rdata, name_len(ns->rdata));
}

static bool cut_requires(const cut_t *cut, const record_t *rr)
{
	if ((rr->type != LDNS_RR_TYPE_A && rr->type != LDNS_RR_TYPE_AAAA) || cut->count == 0 ||
	    !name_within(rr->owner, cut->owner))
		return false;
	for (size_t i = 0; i < cut->count; i++)
		if (name_len(cut->target[i]) == name_len(rr->owner) &&
		    memcmp(cut->target[i], rr->owner, name_len(rr->owner)) == 0)
			return true;
	return false;
}

enum { DNAMES_MAX = 16 };

/* What the question was, as far as it matters to what an answer holds. */
typedef struct asked {
	bool dnssec;
	unsigned type;
	const norm_zones_t *zones;
	uint8_t dname[DNAMES_MAX][NORM_NAME_MAX]; /* owners of the DNAMEs that were met */
	unsigned dnames;
} asked_t;

/* Is it what was asked for? With QTYPE RRSIG all signatures are, but those of a DNAME on the way. */
static bool is_wanted(const asked_t *asked, const record_t *sig)
{
	bool of_dname = sig->rdlen > 1 && get_u16(sig->rdata) == LDNS_RR_TYPE_DNAME;

	for (unsigned i = 0; i < asked->dnames && of_dname; i++)
		if (memcmp(sig->owner, asked->dname[i], name_len(asked->dname[i])) == 0)
			return false;
	return asked->type == LDNS_RR_TYPE_RRSIG;
}

static bool is_proof(const asked_t *asked, int section, const record_t *rr)
{
	unsigned type = rr->type;

	if (!asked->dnssec || section == NORM_ADDITIONAL)
		return false;
	if (type == LDNS_RR_TYPE_RRSIG)
		return section == NORM_AUTHORITY || !is_wanted(asked, rr);
	return section == NORM_AUTHORITY &&
	       (type == LDNS_RR_TYPE_NSEC || type == LDNS_RR_TYPE_NSEC3 || type == LDNS_RR_TYPE_DS);
}

static void take(norm_t *out, int section, const record_t *rr, asked_t *asked, cut_t *cut)
{
	bool signs = rr->type == LDNS_RR_TYPE_RRSIG && rr->rdlen >= 18;
	unsigned type = signs ? get_u16(rr->rdata) : rr->type;

	if (section == NORM_AUTHORITY && type == LDNS_RR_TYPE_NS) {
		if (out->list[NORM_ANSWER].count > 0 && is_zone(asked->zones, rr->owner))
			return;
		if (!signs)
			cut_add(cut, rr);
	}
	if (rr->type == LDNS_RR_TYPE_DNAME && asked->dnames < DNAMES_MAX)
		memcpy(asked->dname[asked->dnames++], rr->owner, NORM_NAME_MAX);
	if (section == NORM_ADDITIONAL && rr->type == LDNS_RR_TYPE_OPT) {
		out->opt = rr->ttl >> 15 & 1;
		return;
	}
	lines_add(&out->list[is_proof(asked, section, rr) ? NORM_PROOF : section], rr);
	if (section == NORM_ADDITIONAL && cut_requires(cut, rr))
		lines_add(&out->list[NORM_GLUE], rr);
}

static const char *sections_read(buf_t *msg, const uint16_t counts[3], asked_t *asked, norm_t *out)
{
	static record_t record;
	record_t *rr = &record;
	cut_t cut = { 0 };
	const char *error = NULL;

	for (int s = 0; s < 3; s++) {
		for (unsigned i = 0; i < counts[s] && !error; i++) {
			if (!record_read(msg, rr))
				error = "malformed record";
			else
				take(out, s, rr, asked, &cut);
		}
	}
	if (!error && buf_left(msg))
		error = "octets after the last record";
	free(cut.target);
	return error;
}

void norm_message(const uint8_t *msg, size_t len, const uint8_t *question, size_t question_len,
                  bool dnssec, const norm_zones_t *zones, norm_t *out)
{
	static asked_t asked;
	buf_t b = buf_over(msg, len);
	uint16_t flags, counts[4];
	const uint8_t *echo;

	memset(out, 0, sizeof *out);
	asked.dnssec = dnssec;
	asked.type = get_u16(question + question_len - 4);
	asked.zones = zones;
	asked.dnames = 0;
	buf_u16(&b);
	flags = buf_u16(&b);
	for (int i = 0; i < 4; i++)
		counts[i] = buf_u16(&b);
	echo = buf_take(&b, question_len);
	out->rcode = flags & 15;
	out->aa = flags & 0x0400;
	out->tc = flags & 0x0200;
	out->bits = flags & 0x01f0;
	out->opt = -1;
	out->size = len;
	/* The question comes back octet by octet, its case too (RFC 1034 3.1, 4343 4.1). */
	if (!echo || counts[0] != 1 || memcmp(echo, question, question_len) != 0)
		out->error = "another question, or none";
	else
		out->error = sections_read(&b, counts + 1, &asked, out);
	for (int i = 0; i < NORM_LISTS; i++)
		if (out->list[i].count)
			qsort(out->list[i].line, out->list[i].count, sizeof(char *), line_cmp);
}

void norm_free(norm_t *n)
{
	for (int i = 0; i < NORM_LISTS; i++) {
		for (size_t k = 0; k < n->list[i].count; k++)
			free(n->list[i].line[k]);
		free(n->list[i].line);
	}
	memset(n, 0, sizeof *n);
}

bool norm_same(const norm_t *a, const norm_t *b)
{
	if (a->error || b->error || a->rcode != b->rcode || a->aa != b->aa || a->tc != b->tc ||
	    a->bits != b->bits || a->opt != b->opt)
		return false;
	if (a->tc)
		return true;
	return lines_same(&a->list[NORM_ANSWER], &b->list[NORM_ANSWER]) &&
	       lines_same(&a->list[NORM_AUTHORITY], &b->list[NORM_AUTHORITY]) &&
	       lines_same(&a->list[NORM_GLUE], &b->list[NORM_GLUE]) &&
	       lines_same(&a->list[NORM_PROOF], &b->list[NORM_PROOF]);
}

void norm_print(FILE *to, const norm_t *n)
{
	static const char *const names[NORM_LISTS] = { "answer", "authority", "additional", "glue",
		                                       "proof" };
	ldns_lookup_table *rcode = ldns_lookup_by_id(ldns_rcodes, (int)n->rcode);

	if (n->error) {
		fprintf(to, "{\"error\":\"%s\"}", n->error);
		return;
	}
	fprintf(to,
	        "{\"rcode\":\"%s\",\"aa\":%d,\"tc\":%d,\"bits\":%u,\"opt\":%d,\"size\":%zu,\"cut\":"
	        "%d",
	        rcode ? rcode->name : "?", n->aa, n->tc, n->bits, n->opt, n->size, n->cut);
	for (int i = 0; i < NORM_LISTS; i++) {
		fprintf(to, ",\"%s\":", names[i]);
		lines_print(to, &n->list[i]);
	}
	fputc('}', to);
}

int norm_dump(FILE *to, const uint8_t *msg, size_t len, unsigned *rcode)
{
	buf_t b = buf_over(msg, len);
	uint8_t name[NORM_NAME_MAX];
	uint16_t questions, answers, any;
	static record_t record;
	static text_t text;
	record_t *rr = &record;
	int soas = 0;

	buf_u16(&b);
	*rcode = buf_u16(&b) & 15u;
	questions = buf_u16(&b);
	any = answers = buf_u16(&b);
	buf_u32(&b);
	while (questions-- && soas >= 0)
		soas = name_read(&b, name) && buf_take(&b, 4) ? 0 : -1;
	while (soas >= 0 && answers--) {
		if (!record_read(&b, rr)) {
			soas = -1;
			break;
		}
		soas += rr->type == LDNS_RR_TYPE_SOA;
		text.len = 0;
		record_print(&text, rr);
		text_char(&text, '\n');
		fwrite(text.at, 1, text.len, to);
	}
	return buf_ok(&b) && any ? soas : -1;
}
