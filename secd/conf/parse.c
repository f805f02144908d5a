/* conf/parse.c - the one door to inih, and what it must not see.
 *
 * inih 55, as Debian builds it, cuts a line at 199 characters (the rest comes as another line)
 * and a section at 49, both silently; its handler learns no line number; it takes ':' for '=',
 * and an indented line for more of the key before. So it gets its lines from a reader of ours,
 * which counts them, tells what inih would cut or mistake, and hands on only what is sound:
 *
 *     file -> conf_source_line() -> read_line() -> inih -> take_pair() -> settings, zones
 *                                      \- faults, sections opened
 *
 * An indented line with '=' is a key like any other; one without goes on with the list of the
 * key before it, and is a fault where that takes no list. */
#include "conf/build.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

enum {
	TITLE_MAX = 48, /* inih keeps 49, and does not say whether that was all */
	KEY_MAX = 256,
};

/* What may stand behind the line before. */
typedef enum last {
	LAST_NOTHING, /* no key: a section was opened */
	LAST_OPTION,  /* an option that a line may go on with */
	LAST_SINGLE,  /* a key that takes one line */
	LAST_REFUSED, /* a key with a fault, and whatever goes on with it is part of that */
} last_t;

typedef struct reader {
	conf_build_t *b;
	conf_source_t *src;
	conf_where_t where;    /* of the line that inih has */
	conf_object_t *object; /* of the section that is open; NULL before the first */
	bool warned;           /* that everybody can read its secrets */
	bool skipping;         /* its title had a fault: its keys are passed over */
	char title[TITLE_MAX + 2];
	char key[KEY_MAX];           /* of the line that inih has */
	bool pending;                /* inih has a line that must bring a pair */
	bool goes_on;                /* it goes on with the option before */
	const conf_option_t *option; /* while last is LAST_OPTION */
	last_t last;
} reader_t;

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_name(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
		      (*text >= '0' && *text <= '9') || strchr("._-", *text)))
			return false;
	}
	return true;
}

static bool takes_name(conf_section_t section)
{
	return section == CONF_KEY || section == CONF_PRIMARY || section == CONF_GROUP;
}

/* "primary  hidden" into its words, name "" when there is none; text is cut up. */
static conf_section_t split_title(char *text, const char **word, const char **name)
{
	while (is_blank(*text))
		text++;
	*word = text;
	text += strcspn(text, " \t");
	if (*text)
		*text++ = '\0';
	while (is_blank(*text))
		text++;
	*name = text;
	for (char *end = text + strlen(text); end > text && is_blank(end[-1]);)
		*--end = '\0';
	for (int i = 0; i < CONF_SECTIONS; i++) {
		if (strcmp(*word, conf_section_text((conf_section_t)i)) == 0)
			return (conf_section_t)i;
	}
	return CONF_SECTIONS;
}

static void open_title(reader_t *r, char *text)
{
	const char *word, *name;
	conf_section_t section = split_title(text, &word, &name);

	if (section == CONF_SECTIONS)
		conf_fault(
			r->b, &r->where,
			"unknown section [%s]; the sections are server, log, primary NAME, group "
			"NAME, key NAME, zones and include",
			word);
	else if (takes_name(section) && !is_name(name))
		conf_fault(r->b, &r->where,
		           "section [%s] has no name, or one of other characters; write [%s NAME] "
		           "with "
		           "a name of letters, digits, '.', '-' and '_'",
		           word, word);
	else if (!takes_name(section) && *name)
		conf_fault(r->b, &r->where, "section [%s] takes no name; write [%s]", word, word);
	else
		r->object = conf_object_open(r->b, section, name, &r->where);
}

/* A section's line. true: inih may have it, as "[title]" in out. */
static bool take_title(reader_t *r, const char *line, size_t len, char *out)
{
	const char *end = memchr(line, ']', len), *rest;
	size_t title = end ? (size_t)(end - line) - 1 : 0;
	char text[TITLE_MAX + 1];

	r->object = NULL;
	r->skipping = true;
	r->last = LAST_NOTHING;
	for (size_t i = 2; end && i <= title; i++) {
		if (line[i] == ';' && is_blank(line[i - 1]))
			end = NULL; /* a comment begins before the bracket */
	}
	if (!end) {
		conf_fault(r->b, &r->where, "the section has no ']'; write [section]");
		return false;
	}
	if (title > TITLE_MAX) {
		conf_fault(r->b, &r->where,
		           "the section's title has %zu characters; write at most %d", title,
		           TITLE_MAX);
		return false;
	}
	for (rest = end + 1; rest < line + len && is_blank(*rest);)
		rest++;
	if (rest < line + len && *rest != ';' && *rest != '#')
		conf_fault(r->b, &r->where,
		           "something stands behind the section's ']'; write keys "
		           "into the lines below it");
	memcpy(text, line + 1, title);
	text[title] = '\0';
	snprintf(out, TITLE_MAX + 3, "[%s]", text);
	memcpy(r->title, text, title + 1);
	open_title(r, text);
	r->skipping = r->object == NULL;
	return !r->skipping;
}

/* The length without a comment behind a blank, and without the blanks. */
static size_t without_comment(const char *line, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (line[i] == ';' && is_blank(line[i - 1])) {
			len = i;
			break;
		}
	}
	while (len > 0 && is_blank(line[len - 1]))
		len--;
	return len;
}

static bool refuse(reader_t *r, const char *text)
{
	conf_fault(r->b, &r->where, "%s", text);
	r->last = LAST_REFUSED;
	return false;
}

/* An indented line without '=', and without its comment, which inih would not look for. */
static bool take_more(reader_t *r, const char *line, size_t len, char *out)
{
	switch (r->last) {
	case LAST_NOTHING:
		return refuse(r, "the line has no '='; write key = value");
	case LAST_SINGLE:
		return refuse(r,
		              "the line goes on with a key that takes one line; write key = value, "
		              "or all of it on one line");
	case LAST_REFUSED:
		return false;
	case LAST_OPTION:
		break;
	}
	out[0] = ' ';
	memcpy(out + 1, line, len);
	out[len + 1] = '\0';
	r->goes_on = true;
	r->pending = true;
	return true;
}

/* A key's line. true: inih may have it, in out. */
static bool take_key(reader_t *r, const char *line, size_t len, bool indented, char *out)
{
	size_t bare = without_comment(line, len);
	const char *equals = memchr(line, '=', bare), *colon = memchr(line, ':', bare);
	size_t end = equals ? (size_t)(equals - line) : 0;

	if (indented && !equals)
		return take_more(r, line, bare, out);
	if (!equals)
		return refuse(r, "the line has no '='; write key = value");
	if (colon && colon < equals)
		return refuse(r, "a ':' stands before the '='; write key = value, and the ':' of a "
		                 "zone's name as \\058");
	while (end > 0 && is_blank(line[end - 1]))
		end--;
	if (end == 0)
		return refuse(r, "nothing stands before the '='; write key = value");
	if (end >= sizeof r->key)
		return refuse(r, "the key is too long; write one that secd.ini(5) knows");
	memcpy(r->key, line, end);
	r->key[end] = '\0';
	memcpy(out, line, len);
	out[len] = '\0';
	r->goes_on = false;
	r->pending = true;
	return true;
}

/* true: the line can't be handed on, and it was told why. */
static bool is_unsound(reader_t *r, const char *line, size_t len, size_t most)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			conf_fault(r->b, &r->where,
			           "the line has a control character or a NUL (0x%02x, character "
			           "%zu); "
			           "write plain text",
			           c, i + 1);
			return true;
		}
	}
	if (len <= most)
		return false;
	conf_fault(r->b, &r->where,
	           "the line has %zu characters; write at most %zu: repeat the key, shorten the "
	           "comment, or use a zone-list",
	           len, most);
	return true;
}

/* One line of the file. true: inih gets what is in out, which has room for most and a NUL. */
static bool take_line(reader_t *r, const char *line, size_t len, size_t most, char *out)
{
	const char *start = line;

	while (len > 0 && is_blank(line[len - 1]))
		len--;
	while (len > 0 && is_blank(*line))
		line++, len--;
	if (len == 0 || *line == ';' || *line == '#')
		return false;
	/* The blank in front of a line that goes on counts. */
	if (is_unsound(r, line, len, most - (line > start))) {
		if (*line == '[') {
			r->object = NULL;
			r->skipping = true;
		}
		r->last = LAST_REFUSED;
		return false;
	}
	if (*line == '[')
		return take_title(r, line, len, out);
	if (r->skipping)
		return false;
	if (!r->object)
		return refuse(r, "the line stands before any section; write [section] above it");
	return take_key(r, line, len, line > start, out);
}

/* inih must bring a pair for each key's line, or it has read the line otherwise than we. */
static void check_taken(reader_t *r)
{
	if (r->pending)
		refuse(r, "the line can't be read; write key = value");
	r->pending = false;
}

/* What inih calls for fgets(). */
static char *read_line(char *str, int num, void *stream)
{
	reader_t *r = stream;
	const char *line;
	size_t len;

	check_taken(r);
	while (r->b->status == ST_OK && conf_source_line(r->src, &line, &len)) {
		r->where.line = r->src->line;
		if (take_line(r, line, len, (size_t)num - 1, str))
			return str;
	}
	return NULL;
}

static void tell_unknown(reader_t *r, const char *key)
{
	conf_section_t section = r->object->section;
	char known[400];

	conf_options_text(section, known, sizeof known);
	if (section == CONF_KEY) /* a slip could have put the secret there: it is not repeated */
		conf_fault(r->b, &r->where, "unknown key in [key]; it takes %s", known);
	else
		conf_fault(r->b, &r->where, "unknown key '%.80s' in [%s]; it takes %s", key,
		           conf_section_text(section), known);
}

/* A secret in a file for all to read; once for each. */
static void warn_open(reader_t *r, const conf_option_t *option)
{
	if (r->warned || !r->src->others_read ||
	    (option->type != CONF_SECRET && option->type != CONF_COOKIE_SECRETS))
		return;
	r->warned = true;
	conf_warning(r->b, &r->where,
	             "a secret stands in a file that can be read by everybody; take that away with "
	             "chmod o-r");
}

static void take_option(reader_t *r, const char *key, const char *value)
{
	conf_object_t *object = r->object;
	const conf_option_t *option = conf_option_find(object->section, key);
	char place[CONF_PLACE_MAX];
	conf_where_t *seen;
	size_t count;

	r->last = LAST_REFUSED;
	if (!option) {
		tell_unknown(r, key);
		return;
	}
	r->last = conf_type_adds_up(option->type) ? LAST_OPTION : LAST_SINGLE;
	r->option = option;
	seen = &object->seen[option - conf_options_of(object->section, &count)];
	if (seen->line != 0 && r->last == LAST_SINGLE) {
		conf_fault(r->b, &r->where, "%s stands here and at %s; remove one", key,
		           conf_place(seen, place));
		return;
	}
	if (seen->line == 0)
		*seen = r->where;
	warn_open(r, option);
	conf_value_set(r->b, object, option, value, &r->where);
}

/* inih's handler. Always 1: faults are in our list. */
static int take_pair(void *user, const char *section, const char *name, const char *value)
{
	reader_t *r = user;

	r->pending = false;
	if (strcmp(section, r->title) != 0 || (!r->goes_on && strcmp(name, r->key) != 0)) {
		refuse(r, "the section or the key was cut; write shorter ones");
	} else if (r->goes_on) {
		conf_value_set(r->b, r->object, r->option, value, &r->where);
	} else if (r->object->section == CONF_ZONES) {
		r->last = LAST_SINGLE;
		conf_zone_add(r->b, name, value, &r->where);
	} else {
		take_option(r, name, value);
	}
	return 1;
}

void conf_parse(conf_build_t *b, conf_source_t *src)
{
	reader_t r = { .b = b, .src = src, .where = { .file = src->path, .order = src->order } };

	if (ini_parse_stream(read_line, &r, take_pair, &r) < 0)
		b->status = ST_NOMEM;
	check_taken(&r);
}
