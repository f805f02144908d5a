/* ctl/report.c - fields in a row, and the words for times and sizes. */
#include "ctl/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/grow.h"
#include "ctl/report_nodes.h"

report_t *report_new(mono_t now, int64_t wall_ms)
{
	report_t *r = calloc(1, sizeof *r);

	if (r) {
		r->now = now;
		r->wall_ms = wall_ms;
	}
	return r;
}

void report_free(report_t *r)
{
	if (!r)
		return;
	free(r->nodes);
	free(r->words);
	free(r);
}

static void add(report_t *r, node_t node)
{
	node_t *grown = grow(r->nodes, r->count, &r->room, sizeof *grown);

	if (!grown) {
		r->bad = true;
		return;
	}
	r->nodes = grown;
	r->nodes[r->count++] = node;
}

void report_toned(report_t *r, const char *key, const char *word, report_tone_t tone)
{
	size_t len = word ? strlen(word) + 1 : 0;

	if (!word) {
		report_none(r, key);
		return;
	}
	if (len > r->words_room - r->words_len) {
		size_t room = 2 * r->words_room + len + 256;
		char *grown = realloc(r->words, room);

		if (!grown) {
			r->bad = true;
			return;
		}
		r->words = grown;
		r->words_room = room;
	}
	memcpy(r->words + r->words_len, word, len);
	add(r, (node_t){ .kind = NODE_WORD, .tone = tone, .key = key, .word = r->words_len });
	r->words_len += len;
}

void report_word(report_t *r, const char *key, const char *word)
{
	report_toned(r, key, word, REPORT_PLAIN);
}

void report_number(report_t *r, const char *key, uint64_t n)
{
	add(r, (node_t){ .kind = NODE_NUMBER, .key = key, .n = n });
}

void report_signed(report_t *r, const char *key, int64_t n)
{
	add(r, (node_t){ .kind = NODE_SIGNED, .key = key, .n = (uint64_t)n });
}

void report_size(report_t *r, const char *key, uint64_t octets)
{
	add(r, (node_t){ .kind = NODE_SIZE, .key = key, .n = octets });
}

void report_seconds(report_t *r, const char *key, uint64_t s)
{
	report_ms(r, key, 1000 * s);
}

void report_ms(report_t *r, const char *key, uint64_t ms)
{
	add(r, (node_t){ .kind = NODE_MS, .key = key, .n = ms });
}

void report_rate(report_t *r, const char *key, double per_second)
{
	add(r, (node_t){ .kind = NODE_RATE, .key = key, .n = (uint64_t)(per_second * 1000 + 0.5) });
}

void report_time(report_t *r, const char *key, mono_t at)
{
	add(r, (node_t){ .kind = NODE_TIME, .key = key, .at = at });
}

void report_wall(report_t *r, const char *key, int64_t seconds)
{
	report_time(r, key, mono_add_ms(r->now, seconds * 1000 - r->wall_ms));
}

void report_flag(report_t *r, const char *key, bool on)
{
	add(r, (node_t){ .kind = NODE_FLAG, .key = key, .n = on });
}

void report_none(report_t *r, const char *key)
{
	add(r, (node_t){ .kind = NODE_NONE, .key = key });
}

void report_open(report_t *r, const char *key)
{
	add(r, (node_t){ .kind = NODE_OBJECT, .key = key });
}

void report_row(report_t *r, const char *key)
{
	add(r, (node_t){ .kind = NODE_ROW, .key = key });
}

void report_list(report_t *r, const char *key)
{
	add(r, (node_t){ .kind = NODE_LIST, .key = key });
}

void report_item(report_t *r)
{
	add(r, (node_t){ .kind = NODE_ITEM });
}

void report_close(report_t *r)
{
	add(r, (node_t){ .kind = NODE_CLOSE });
}

size_t report_behind(const report_t *r, size_t i)
{
	unsigned depth = 0;

	do {
		const node_t *n = &r->nodes[i++];

		if (n->kind == NODE_CLOSE)
			depth--;
		else if (!node_is_scalar(n))
			depth++;
	} while (depth > 0 && i < r->count);
	return i;
}

status_t report_render(const report_t *r, report_form_t form, char **out, size_t *len)
{
	FILE *to;

	*out = NULL;
	if (r->bad || !(to = open_memstream(out, len)))
		return ST_NOMEM;
	switch (form) {
	case REPORT_TEXT:
	case REPORT_COLOUR:
		report_write_text(r, form == REPORT_COLOUR, to);
		break;
	case REPORT_JSON:
		report_write_json(r, to);
		break;
	}
	bool bad = ferror(to);
	if (fclose(to) == 0 && !bad)
		return ST_OK;
	free(*out);
	*out = NULL;
	return ST_NOMEM;
}

report_form_t report_form_for(bool json)
{
	const char *off = getenv("NO_COLOR"), *term = getenv("TERM");

	if (json)
		return REPORT_JSON;
	if ((off && *off != '\0') || !isatty(STDOUT_FILENO) || (term && strcmp(term, "dumb") == 0))
		return REPORT_TEXT;
	return REPORT_COLOUR;
}

/* --- words for numbers ------------------------------------------------------------------------ */

/* Two of a unit are told in it, less in the smaller one: never "1 d" for 47 hours. */
static void unit_text(uint64_t s, const char *before, const char *behind,
                      char out[REPORT_SHORT_MAX])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(units) && s < 2 * units[i].seconds)
		i++;
	snprintf(out, REPORT_SHORT_MAX, "%s%" PRIu64 " %s%s", before, s / units[i].seconds,
	         units[i].name, behind);
}

const char *report_age_text(mono_t now, mono_t at, char out[REPORT_SHORT_MAX])
{
	double in = mono_diff(now, at);

	if (in >= 1)
		unit_text((uint64_t)in, "in ", "", out);
	else if (in <= -1)
		unit_text((uint64_t)-in, "", " ago", out);
	else
		snprintf(out, REPORT_SHORT_MAX, "now");
	return out;
}

const char *report_duration_text(uint64_t ms, char out[REPORT_SHORT_MAX])
{
	if (ms % 1000 != 0 && ms < 120000)
		snprintf(out, REPORT_SHORT_MAX, "%" PRIu64 ".%03u s", ms / 1000,
		         (unsigned)(ms % 1000));
	else
		unit_text(ms / 1000, "", "", out);
	return out;
}

const char *report_size_text(uint64_t octets, char out[REPORT_SHORT_MAX])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double size = (double)octets / 1024;
	size_t i = 0;

	if (octets < 1024) {
		snprintf(out, REPORT_SHORT_MAX, "%" PRIu64, octets);
		return out;
	}
	for (; size >= 1024 && i + 1 < ARRAY_LEN(units); i++)
		size /= 1024;
	snprintf(out, REPORT_SHORT_MAX, "%.1f %s", size, units[i]);
	return out;
}
