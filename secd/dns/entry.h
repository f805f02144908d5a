/* dns/entry.h - the entries of a zone file (RFC 1035 5.1), each as its words. For dns/zonefile.c.
 *
 * An entry is a line, or the lines from an opening parenthesis to the closing one. Words stand as the file
 * has them, with their escapes and quotes; comments, parentheses and blanks are gone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/status.h"

typedef struct dns_word {
	size_t at, len; /* in text, where a NUL stands behind it */
	bool quoted;    /* it begins with a quote, and ends with the next one */
} dns_word_t;

typedef struct dns_entry {
	FILE *in;
	unsigned line; /* of the first word, from 1; or of the fault */
	bool indented; /* it begins with a blank: the owner is that of the entry before */
	dns_word_t *words;
	size_t count;
	char *text;
	const char *why; /* after ST_MALFORMED */

	/* entry.c's own. */
	size_t len, room, word_room, most;
	unsigned next_line, opened; /* opened: the line of the first parenthesis */
	unsigned depth;
	bool failed;
} dns_entry_t;

/* most: octets of text that an entry may have. */
void dns_entry_open(dns_entry_t *e, FILE *in, size_t most);
void dns_entry_close(dns_entry_t *e);

/* The next entry with a word in it, in place of the one before.
 * Returns   ST_OK; ST_NOENT: the file is over; ST_MALFORMED: e->why; ST_SYSTEM: errno; ST_NOMEM. After
 *           a fault there is no next one. */
status_t dns_entry_next(dns_entry_t *e);

static inline const char *dns_entry_word(const dns_entry_t *e, size_t i)
{
	return e->text + e->words[i].at;
}
