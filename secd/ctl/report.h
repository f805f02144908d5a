/* ctl/report.h - an answer to the operator: each field is named once, and written for people or for
 * scripts.
 *
 *     report_number(r, "serial", 7)       text:  serial           7
 *     report_time(r, "checked", at)              checked          3 min ago
 *                                         JSON:  {"serial":7,"checked":1763812345.123}
 *
 * JSON begins with "now", the moment of the report, beside which its times make sense.
 *
 * A report is filled field by field, in order, and rendered once. Text has a column of labels (a key
 * with its underscores as blanks), an indented block for an object, a table for a list. JSON is one
 * line: keys as they are, times as seconds since 1970, durations in seconds, sizes in octets, null
 * for what there is not. Want of memory sticks, and is told by report_render().
 *
 * Strings may hold anything: JSON escapes what it must, and has U+FFFD for octets that are no UTF-8;
 * text shows control characters as question marks. Keys live for ever. A report belongs to one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/status.h"

typedef enum report_form {
	REPORT_TEXT,
	REPORT_COLOUR, /* text, with the colours of tones (ECMA-48) */
	REPORT_JSON,
} report_form_t;

/* For standard output: JSON if it is wanted; colour on a terminal, unless NO_COLOR or TERM=dumb. */
report_form_t report_form_for(bool json);

typedef enum report_tone { REPORT_PLAIN, REPORT_GOOD, REPORT_WARN, REPORT_BAD } report_tone_t;

typedef struct report report_t;

/* An empty one, at this moment; wall_ms: the same in milliseconds since 1970. NULL: no memory. */
report_t *report_new(mono_t now, int64_t wall_ms);
void report_free(report_t *r); /* NULL is fine */

/* Fields of the object that is open. */
void report_word(report_t *r, const char *key, const char *word); /* NULL: none */
void report_toned(report_t *r, const char *key, const char *word, report_tone_t tone);
void report_number(report_t *r, const char *key, uint64_t n);
void report_signed(report_t *r, const char *key, int64_t n);
void report_size(report_t *r, const char *key, uint64_t octets);
void report_seconds(report_t *r, const char *key, uint64_t s);
void report_ms(report_t *r, const char *key, uint64_t ms);
void report_rate(report_t *r, const char *key, double per_second);
void report_time(report_t *r, const char *key, mono_t at); /* past or to come */
void report_wall(report_t *r, const char *key, int64_t seconds); /* the same, since 1970: exactly */
void report_flag(report_t *r, const char *key, bool on);
void report_none(report_t *r, const char *key);

/* An object within the open one, up to its report_close(). */
void report_open(report_t *r, const char *key);
/* ... of numbers that are short enough to stand in one line below their names. */
void report_row(report_t *r, const char *key);
/* A list of objects, which begin with report_item(); each and the list end with report_close(). The
 * items have the same keys in the same order. */
void report_list(report_t *r, const char *key);
void report_item(report_t *r);
void report_close(report_t *r);

/* All of it, every object closed. On ST_OK *out is the caller's to free(), *len octets, with a line
 * end at the end and a NUL behind it. ST_NOMEM. */
status_t report_render(const report_t *r, report_form_t form, char **out, size_t *len);

/* "3 min ago", "in 2 d", "now": at as seen from now. "3 min", "0.120 s": a duration. "1.5 MiB".
 * Return out. */
enum { REPORT_SHORT_MAX = 32 };
const char *report_age_text(mono_t now, mono_t at, char out[REPORT_SHORT_MAX]);
const char *report_duration_text(uint64_t ms, char out[REPORT_SHORT_MAX]);
const char *report_size_text(uint64_t octets, char out[REPORT_SHORT_MAX]);

/* The JSON string of a C string, quotes and all, into out: at most 6 * strlen + 3 octets. Returns
 * its length; a NUL is behind it. */
size_t report_json_string(const char *text, char *out);
