/* common/journal.c - fields one behind the other, each whole or not at all. */
#include "common/journal.h"

#include <ctype.h>
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum { NAME_MAX_LEN = 64 }; /* of a field: the journal drops those with longer ones */

typedef struct entry {
	char *out;
	size_t room, len;
} entry_t;

static bool put(entry_t *e, const void *octets, size_t n)
{
	if (n > e->room - e->len)
		return false;
	memcpy(e->out + e->len, octets, n);
	e->len += n;
	return true;
}

/* NAME=value, or, where the value has a line break, NAME, its length in 64 bits, and the value. */
static bool put_whole(entry_t *e, const char *name, const char *value, size_t len)
{
	const uint64_t size = htole64(len);

	if (!put(e, name, strlen(name)))
		return false;
	if (memchr(value, '\n', len)) {
		if (!put(e, "\n", 1) || !put(e, &size, sizeof size))
			return false;
	} else if (!put(e, "=", 1)) {
		return false;
	}
	return put(e, value, len) && put(e, "\n", 1);
}

static void put_field(entry_t *e, const char *name, const char *value, size_t len)
{
	const size_t before = e->len;

	if (!put_whole(e, name, value, len))
		e->len = before;
}

static void put_number(entry_t *e, const char *name, int n)
{
	char digits[16];
	const int len = snprintf(digits, sizeof digits, "%d", n);

	put_field(e, name, digits, (size_t)len);
}

/* --- the pairs of a line ---------------------------------------------------------------------- */

static bool is_key_octet(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Is there key=... ? Its length, else 0. */
static size_t key_at(const char *p)
{
	size_t n = 0;

	while (is_key_octet(p[n]))
		n++;
	return isalpha((unsigned char)p[0]) && p[n] == '=' ? n : 0;
}

/* The value at p; returns what is behind it. A line that was cut may end within quotes. */
static const char *value_at(const char *p, const char **value, size_t *len)
{
	const char *end = p;

	if (*p != '"') {
		*value = p;
		*len = strcspn(p, " ");
		return p + *len;
	}
	for (end = ++p; *end && *end != '"'; end++) {
		if (*end == '\\' && end[1])
			end++;
	}
	*value = p;
	*len = (size_t)(end - p);
	return *end ? end + 1 : end;
}

static void put_pair(entry_t *e, const char *key, size_t n, const char *value, size_t len)
{
	char name[NAME_MAX_LEN + 1] = "SECD_";
	size_t used = strlen(name);

	if (used + n > NAME_MAX_LEN)
		return;
	for (size_t i = 0; i < n; i++)
		name[used++] = key[i] == '-' ? '_' : (char)toupper((unsigned char)key[i]);
	name[used] = '\0';
	put_field(e, name, value, len);
}

/* The event is all words before the first pair. */
static const char *put_event(entry_t *e, const char *text)
{
	const char *p = text, *end = text;

	while (*p && key_at(p) == 0) {
		end = p + strcspn(p, " ");
		p = end + strspn(end, " ");
	}
	put_field(e, "SECD_EVENT", text, (size_t)(end - text));
	return p;
}

size_t journal_entry(const char *text, int priority, int facility, int pid, char *out, size_t room)
{
	entry_t e = { .out = out, .room = room };

	put_number(&e, "PRIORITY", priority);
	put_number(&e, "SYSLOG_FACILITY", facility >> 3); /* as it is in the protocol's number */
	put_field(&e, "SYSLOG_IDENTIFIER", "secd", strlen("secd"));
	put_number(&e, "SYSLOG_PID", pid);
	put_field(&e, "MESSAGE", text, strlen(text));
	const char *p = put_event(&e, text);
	while (*p) {
		const size_t n = key_at(p);
		const char *value, *key = p;
		size_t len;

		if (n > 0) {
			p = value_at(p + n + 1, &value, &len);
			put_pair(&e, key, n, value, len);
		} else {
			p += strcspn(p, " ");
		}
		/* Behind a closing quote, too, the next pair begins behind a blank. */
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	return e.len;
}
