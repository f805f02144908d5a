/* conf/zonelist.c - plain lists of zones: name, blanks, primaries or a group.
 *
 * For names that an ini file can't hold, and for the thousands. A backslash keeps the octet
 * behind it in the name, so that "\ " and "\;" do not end it. */
#include "conf/build.h"

#include <string.h>

enum { LINE_MAX_LEN = 2048 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Up to the first blank that no backslash stands before. */
static char *end_of_name(char *p)
{
	for (; *p && !is_blank(*p); p++) {
		if (*p == '\\' && p[1])
			p++;
	}
	return p;
}

/* A comment begins where an item would. */
static void cut_comment(char *p)
{
	for (bool starts = true; *p; p++) {
		if (starts && (*p == ';' || *p == '#')) {
			*p = '\0';
			return;
		}
		starts = is_blank(*p);
	}
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static void take_line(conf_build_t *b, const char *text, size_t len, const conf_where_t *where)
{
	char line[LINE_MAX_LEN + 1], *end, *rest;

	if (len > LINE_MAX_LEN) {
		conf_fault(b, where, "the line has %zu characters; write at most %d", len,
		           LINE_MAX_LEN);
		return;
	}
	if (has_control(text, len)) {
		conf_fault(b, where,
		           "the line has a control character or a NUL; write plain text, "
		           "octets of a name as \\DDD");
		return;
	}
	memcpy(line, text, len);
	line[len] = '\0';
	end = end_of_name(line);
	rest = *end ? end + 1 : end;
	*end = '\0';
	cut_comment(rest);
	while (is_blank(*rest))
		rest++;
	if (*rest == '=')
		conf_fault(b, where,
		           "a zone list takes no '='; write the name, a blank, then "
		           "primaries or a group");
	else
		conf_zone_add(b, line, rest, where);
}

void conf_zonelist(conf_build_t *b, conf_source_t *src)
{
	conf_where_t where = { .file = src->path, .order = src->order };
	const char *text;
	size_t len;

	while (b->status == ST_OK && conf_source_line(src, &text, &len)) {
		where.line = src->line;
		while (len > 0 && is_blank(*text))
			text++, len--;
		if (len > 0 && *text != ';' && *text != '#')
			take_line(b, text, len, &where);
	}
}
