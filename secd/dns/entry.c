/* dns/entry.c - octet by octet, with a line number. */
#include "dns/entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"

void dns_entry_open(dns_entry_t *e, FILE *in, size_t most)
{
	*e = (dns_entry_t){ .in = in, .most = most, .next_line = 1 };
}

void dns_entry_close(dns_entry_t *e)
{
	free(e->words);
	free(e->text);
}

static status_t fault(dns_entry_t *e, unsigned line, const char *why)
{
	e->line = line;
	e->why = why;
	e->failed = true;
	return ST_MALFORMED;
}

static status_t put(dns_entry_t *e, int c)
{
	char *grown;

	if (e->len >= e->most)
		return fault(e, e->line, "the record is too long");
	grown = grow(e->text, e->len, &e->room, 1);
	if (!grown)
		return ST_NOMEM;
	e->text = grown;
	e->text[e->len++] = (char)c;
	return ST_OK;
}

static status_t begin_word(dns_entry_t *e, bool quoted)
{
	dns_word_t *grown = grow(e->words, e->count, &e->word_room, sizeof *grown);

	if (!grown)
		return ST_NOMEM;
	e->words = grown;
	if (e->count == 0)
		e->line = e->next_line;
	e->words[e->count++] = (dns_word_t){ .at = e->len, .quoted = quoted };
	return ST_OK;
}

/* What stands behind a backslash belongs to the word, whatever it is. */
static status_t put_escaped(dns_entry_t *e)
{
	const int c = getc_unlocked(e->in);
	status_t st = put(e, '\\');

	if (c == EOF || c == '\n' || c == '\r')
		return fault(e, e->next_line, "a backslash at the end of the line");
	return st == ST_OK ? put(e, c) : st;
}

/* From a quote up to the one that closes it; what lies between belongs to the word. */
static status_t put_quoted(dns_entry_t *e)
{
	status_t st = put(e, '"');

	while (st == ST_OK) {
		const int c = getc_unlocked(e->in);

		if (c == EOF || c == '\n')
			return fault(e, e->next_line, "a quote that is not closed on its line");
		if (c == '\0')
			return fault(e, e->next_line, "an octet of zero: this is no text");
		st = c == '\\' ? put_escaped(e) : put(e, c);
		if (c == '"')
			break;
	}
	return st;
}

static bool ends_word(int c)
{
	return c == EOF || (c != '\0' && strchr(" \t\r\n();", c));
}

/* The word that c begins. A quote within it (key="a b") holds blanks together as well. */
static status_t read_word(dns_entry_t *e, int c)
{
	const bool quoted = c == '"';
	status_t st = begin_word(e, quoted);

	while (st == ST_OK) {
		if (c == '\0')
			return fault(e, e->next_line, "an octet of zero: this is no text");
		st = c == '"' ? put_quoted(e) : c == '\\' ? put_escaped(e) : put(e, c);
		if (st != ST_OK || quoted)
			break;
		c = getc_unlocked(e->in);
		if (ends_word(c)) {
			if (c != EOF)
				ungetc(c, e->in);
			break;
		}
	}
	if (st != ST_OK)
		return st;
	dns_word_t *w = &e->words[e->count - 1];
	w->len = e->len - w->at;
	return put(e, '\0');
}

static void pass_comment(dns_entry_t *e)
{
	int c;

	while ((c = getc_unlocked(e->in)) != EOF && c != '\n')
		continue;
	if (c == '\n')
		ungetc(c, e->in);
}

static status_t parenthesis(dns_entry_t *e, int c)
{
	if (c == ')' && e->depth == 0)
		return fault(e, e->next_line, "a closing parenthesis without an opening one");
	if (c == '(' && e->depth++ == 0)
		e->opened = e->next_line;
	else if (c == ')')
		e->depth--;
	return ST_OK;
}

/* ST_NOENT: the file is over, and so is the entry. */
static status_t end_of_file(dns_entry_t *e)
{
	if (ferror(e->in))
		return ST_SYSTEM;
	if (e->depth > 0)
		return fault(e, e->opened, "a parenthesis that is not closed");
	return ST_NOENT;
}

/* One line, or more within parentheses: words of it. */
static status_t read_entry(dns_entry_t *e)
{
	status_t st = ST_OK;
	bool first = true;

	while (st == ST_OK) {
		const int c = getc_unlocked(e->in);

		if (c == EOF)
			return end_of_file(e);
		if (first)
			e->indented = c == ' ' || c == '\t';
		first = false;
		if (c == '\n') {
			e->next_line++;
			if (e->depth == 0)
				break;
		} else if (c == ';') {
			pass_comment(e);
		} else if (c == '(' || c == ')') {
			st = parenthesis(e, c);
		} else if (c != ' ' && c != '\t' && c != '\r') {
			st = read_word(e, c);
		}
	}
	return st;
}

status_t dns_entry_next(dns_entry_t *e)
{
	status_t st = ST_OK;

	if (e->failed)
		return ST_MALFORMED;
	e->count = e->len = 0;
	while (st == ST_OK && e->count == 0) {
		errno = 0;
		st = read_entry(e);
	}
	/* The last line may have no end. */
	return st == ST_NOENT && e->count > 0 ? ST_OK : st;
}
