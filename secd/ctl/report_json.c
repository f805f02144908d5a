/* ctl/report_json.c - a report for scripts (RFC 8259): one line. */
#include <inttypes.h>
#include <string.h>

#include "ctl/report_nodes.h"

static const char digits[] = "0123456789abcdef";

/* Octets of the UTF-8 sequence (RFC 3629) at p, 0 when there is none. NUL ends the text. */
static size_t utf8_len(const uint8_t *p)
{
	size_t len = p[0] < 0x80                   ? 1
	             : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
	             : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
	             : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
	                                           : 0;

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong, a surrogate, beyond U+10FFFF. */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static char *escape(uint8_t c, char *out)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = strchr(from, c);

	*out++ = '\\';
	if (at) {
		*out++ = to[at - from];
		return out;
	}
	memcpy(out, "u00", 3);
	out[3] = digits[c >> 4];
	out[4] = digits[c & 15];
	return out + 5;
}

size_t report_json_string(const char *text, char *out)
{
	const uint8_t *p = (const uint8_t *)text;
	char *const begin = out;

	*out++ = '"';
	while (*p != '\0') {
		size_t len = utf8_len(p);

		if (len == 0) {
			memcpy(out, "\xef\xbf\xbd", 3); /* U+FFFD */
			out += 3;
			p++;
		} else if (*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\') {
			out = escape(*p++, out);
		} else {
			memcpy(out, p, len);
			out += len;
			p += len;
		}
	}
	*out++ = '"';
	*out = '\0';
	return (size_t)(out - begin);
}

static void write_string(const char *text, FILE *to)
{
	char out[6 * 64 + 3];

	/* In pieces that end between characters, without the quotes of each. */
	putc('"', to);
	while (*text != '\0') {
		char piece[64 + 1];
		size_t n = 0;

		while (text[n] != '\0' && n < 60)
			n++;
		while (n < 64 && ((uint8_t)text[n] & 0xc0) == 0x80)
			n++;
		memcpy(piece, text, n);
		piece[n] = '\0';
		size_t len = report_json_string(piece, out);
		fwrite(out + 1, 1, len - 2, to);
		text += n;
	}
	putc('"', to);
}

static void write_seconds(int64_t ms, FILE *to)
{
	uint64_t n = ms < 0 ? (uint64_t)-ms : (uint64_t)ms;

	fprintf(to, "%s%" PRIu64 ".%03u", ms < 0 ? "-" : "", n / 1000, (unsigned)(n % 1000));
}

static void write_value(const report_t *r, const node_t *n, FILE *to)
{
	switch (n->kind) {
	case NODE_WORD:
		write_string(r->words + n->word, to);
		break;
	case NODE_NUMBER:
	case NODE_SIZE:
		fprintf(to, "%" PRIu64, n->n);
		break;
	case NODE_SIGNED:
		fprintf(to, "%" PRId64, (int64_t)n->n);
		break;
	case NODE_MS:
	case NODE_RATE:
		write_seconds((int64_t)n->n, to);
		break;
	case NODE_TIME:
		write_seconds(r->wall_ms + (n->at.ns - r->now.ns) / NS_PER_MS, to);
		break;
	case NODE_FLAG:
		fputs(n->n ? "true" : "false", to);
		break;
	case NODE_NONE:
		fputs("null", to);
		break;
	case NODE_OBJECT:
	case NODE_ROW:
	case NODE_ITEM:
		putc('{', to);
		break;
	case NODE_LIST:
		putc('[', to);
		break;
	case NODE_CLOSE:
		break;
	}
}

void report_write_json(const report_t *r, FILE *to)
{
	enum { DEPTH_MAX = 16 };
	char closes[DEPTH_MAX] = "}";
	size_t depth = 0;
	bool first = false;

	fputs("{\"now\":", to);
	write_seconds(r->wall_ms, to);
	for (size_t i = 0; i < r->count; i++) {
		const node_t *n = &r->nodes[i];

		if (n->kind == NODE_CLOSE) {
			putc(closes[depth--], to);
			first = false;
			continue;
		}
		if (!first)
			putc(',', to);
		if (n->key)
			fprintf(to, "\"%s\":", n->key);
		write_value(r, n, to);
		first = !node_is_scalar(n);
		if (first)
			closes[++depth] = n->kind == NODE_LIST ? ']' : '}';
	}
	fputs("}\n", to);
}
