/* dns/name.c - reading, folding, comparing and printing names. */
#include "dns/name.h"

#include <stdio.h>

#define ROW(n)  n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7
#define ROWS(n) ROW(n), ROW(n + 8), ROW(n + 16), ROW(n + 24)

const uint8_t dns_fold_table[256] = {
	ROWS(0), ROWS(32), 64,  'a', 'b',      'c',       'd',       'e',       'f',       'g',
	'h',     'i',      'j', 'k', 'l',      'm',       'n',       'o',       'p',       'q',
	'r',     's',      't', 'u', 'v',      'w',       'x',       'y',       'z',       91,
	92,      93,       94,  95,  ROWS(96), ROWS(128), ROWS(160), ROWS(192), ROWS(224),
};

/* One label of n octets at p onto the end of out, or the closing root with n = 0. */
static inline status_t append_label(dns_name_t *out, size_t *len, const uint8_t *p, size_t n)
{
	if (*len + n + 1 > DNS_NAME_MAX)
		return ST_MALFORMED;
	out->off[out->labels] = (uint8_t)*len;
	out->wire[*len] = (uint8_t)n;
	if (n > 0) {
		copy_few(out->wire + *len + 1, p, n);
		out->labels++;
	}
	*len += n + 1;
	return ST_OK;
}

/* Labels from pos on. *after is where the name ends in the stream: behind its first pointer, or
 * behind its root. A pointer must lead before the start of the run of labels it ends, so each
 * jump goes further back and reading ends; and no name needs more jumps than it has labels, so a
 * long chain of pointers to pointers is not followed for every record that ends in it. */
static status_t read_labels(const buf_t *msg, bool plain, dns_name_t *out, size_t *after)
{
	size_t pos = msg->pos, run = msg->pos, len = 0;
	unsigned jumps = 0;

	out->labels = 0;
	for (;;) {
		if (pos >= msg->len)
			return ST_SHORT;
		size_t c = msg->base[pos];

		if (c >= 0xc0) {
			if (plain)
				return ST_MALFORMED;
			if (pos + 2 > msg->len)
				return ST_SHORT;
			size_t to = get_u16(msg->base + pos) & 0x3fff;

			if (to >= run || jumps > DNS_LABELS_MAX)
				return ST_MALFORMED;
			if (jumps++ == 0)
				*after = pos + 2;
			pos = run = to;
			continue;
		}
		if (c > DNS_LABEL_MAX)
			return ST_MALFORMED;
		if (c > msg->len - pos - 1)
			return ST_SHORT;
		status_t st = append_label(out, &len, msg->base + pos + 1, c);

		if (st != ST_OK)
			return st;
		pos += c + 1;
		if (c == 0)
			break;
	}
	if (jumps == 0)
		*after = pos;
	out->len = (uint8_t)len;
	return ST_OK;
}

static status_t read_name(buf_t *msg, bool plain, dns_name_t *out)
{
	size_t after = 0;
	status_t st = msg->bad ? ST_SHORT : read_labels(msg, plain, out, &after);

	if (st == ST_OK)
		msg->pos = after;
	else
		msg->bad = true;
	return st;
}

status_t dns_name_read(buf_t *msg, dns_name_t *out)
{
	return read_name(msg, false, out);
}

status_t dns_name_read_plain(buf_t *msg, dns_name_t *out)
{
	return read_name(msg, true, out);
}

void dns_name_from_wire(const uint8_t *wire, dns_name_t *out)
{
	size_t pos = 0;

	out->labels = 0;
	while (wire[pos] != 0) {
		out->off[out->labels++] = (uint8_t)pos;
		pos += (size_t)wire[pos] + 1;
	}
	out->off[out->labels] = (uint8_t)pos;
	out->len = (uint8_t)(pos + 1);
	memcpy(out->wire, wire, pos + 1);
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One character or escape at *text, which moves past it. */
static status_t text_octet(const char **text, uint8_t *out)
{
	const char *p = *text;

	if (*p != '\\') {
		*out = (uint8_t)*p;
		*text = p + 1;
		return ST_OK;
	}
	if (is_digit(p[1]) && is_digit(p[2]) && is_digit(p[3])) {
		int v = (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');

		if (v > 255)
			return ST_MALFORMED;
		*out = (uint8_t)v;
		*text = p + 4;
		return ST_OK;
	}
	if (p[1] == '\0' || is_digit(p[1]))
		return ST_MALFORMED;
	*out = (uint8_t)p[1];
	*text = p + 2;
	return ST_OK;
}

/* One label up to its dot or the end of the text. */
static status_t text_label(const char **text, uint8_t label[DNS_LABEL_MAX], size_t *n)
{
	*n = 0;
	while (**text && **text != '.') {
		uint8_t octet;
		status_t st = text_octet(text, &octet);

		if (st != ST_OK)
			return st;
		if (*n == DNS_LABEL_MAX)
			return ST_LIMIT;
		label[(*n)++] = octet;
	}
	if (*n == 0)
		return ST_MALFORMED;
	if (**text == '.')
		(*text)++;
	return ST_OK;
}

status_t dns_name_from_text(const char *text, dns_name_t *out)
{
	uint8_t label[DNS_LABEL_MAX];
	size_t len = 0, n;

	out->labels = 0;
	if (text[0] == '\0')
		return ST_MALFORMED;
	if (text[0] == '.' && text[1] == '\0')
		text++;
	while (*text) {
		status_t st = text_label(&text, label, &n);

		if (st != ST_OK)
			return st;
		if (append_label(out, &len, label, n) != ST_OK)
			return ST_LIMIT;
	}
	if (append_label(out, &len, NULL, 0) != ST_OK)
		return ST_LIMIT;
	out->len = (uint8_t)len;
	return ST_OK;
}

static char *octet_text(uint8_t c, char *p)
{
	if (c == '.' || c == '\\' || c == '"' || c == ';' || c == '(' || c == ')' || c == '@' ||
	    c == '$') {
		*p++ = '\\';
		*p++ = (char)c;
	} else if (c > 0x20 && c < 0x7f) {
		*p++ = (char)c;
	} else {
		*p++ = '\\';
		*p++ = (char)('0' + c / 100);
		*p++ = (char)('0' + c / 10 % 10);
		*p++ = (char)('0' + c % 10);
	}
	return p;
}

const char *dns_name_text(const uint8_t *wire, char out[DNS_NAME_TEXT_MAX])
{
	char *p = out;

	if (*wire == 0)
		*p++ = '.';
	while (*wire != 0) {
		for (unsigned i = 1; i <= *wire; i++)
			p = octet_text(wire[i], p);
		*p++ = '.';
		wire += *wire + 1;
	}
	*p = '\0';
	return out;
}

/* Eight octets at once: the top bit of each tells whether it is in A to Z, and is moved to where it
 * makes the difference to a small letter. */
static inline uint64_t fold_word(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t low = w & ~tops;
	uint64_t from_a = low + ones * (0x80 - 'A'), past_z = low + ones * (0x7f - 'Z');

	return w + ((from_a & ~past_z & ~w & tops) >> 2);
}

void dns_name_fold(dns_name_t *name)
{
	/* Label lengths are at most 63, below 'A': folding every octet leaves them alone. What lies
	 * behind the name is nobody's. */
	for (unsigned i = 0; i < name->len; i += 8) {
		uint64_t w;

		memcpy(&w, name->wire + i, sizeof w);
		w = fold_word(w);
		memcpy(name->wire + i, &w, sizeof w);
	}
}

size_t dns_wire_len(const uint8_t *wire)
{
	size_t pos = 0;

	while (wire[pos] != 0)
		pos += (size_t)wire[pos] + 1;
	return pos + 1;
}

size_t dns_wire_plain(const uint8_t *p, size_t n)
{
	const size_t most = n < DNS_NAME_MAX ? n : DNS_NAME_MAX;
	size_t at = 0;

	for (; at < most && p[at] != 0; at += (size_t)p[at] + 1) {
		if (p[at] > DNS_LABEL_MAX)
			return 0;
	}
	return at < most ? at + 1 : 0;
}

bool dns_wire_equal_fold(const uint8_t *a, const uint8_t *b)
{
	size_t len = dns_wire_len(a);

	if (len != dns_wire_len(b))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (dns_fold(a[i]) != dns_fold(b[i]))
			return false;
	}
	return true;
}

bool dns_name_within(const dns_name_t *name, const dns_name_t *apex)
{
	if (name->labels < apex->labels)
		return false;
	unsigned at = name->off[name->labels - apex->labels];

	return name->len - at == apex->len && memcmp(name->wire + at, apex->wire, apex->len) == 0;
}

int dns_name_cmp(const dns_name_t *a, const dns_name_t *b)
{
	unsigned common = a->labels < b->labels ? a->labels : b->labels;

	for (unsigned i = 1; i <= common; i++) {
		const uint8_t *la = a->wire + a->off[a->labels - i];
		const uint8_t *lb = b->wire + b->off[b->labels - i];
		unsigned n = *la < *lb ? *la : *lb;
		int cmp = memcmp(la + 1, lb + 1, n);

		if (cmp != 0)
			return cmp;
		if (*la != *lb)
			return (int)*la - (int)*lb;
	}
	return (int)a->labels - (int)b->labels;
}
