/* ctl/report_text.c - a report for people: labels in a column, lists as tables. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/report_nodes.h"

enum {
	INDENT = 2,
	GAP = 2, /* blanks between columns */
	COLUMNS_MAX = 24,
	WIDE = 64, /* wider cells stand over: or one long word would make all rows as long */
};

static const char *const colours[] = {
	[REPORT_PLAIN] = "",
	[REPORT_GOOD] = "\033[32m",
	[REPORT_WARN] = "\033[33m",
	[REPORT_BAD] = "\033[31m",
};
static const char bold[] = "\033[1m", off[] = "\033[0m";

typedef struct page {
	const report_t *r;
	bool colour;
	FILE *to;
} page_t;

static void blanks(const page_t *p, size_t n)
{
	fprintf(p->to, "%*s", (int)n, "");
}

/* Three digits that tell something, or all of a large one. */
static const char *rate_text(uint64_t thousandths, char room[REPORT_SHORT_MAX])
{
	const double rate = (double)thousandths / 1000;

	snprintf(room, REPORT_SHORT_MAX, "%.*f",
	         thousandths == 0 || rate >= 99.95 ? 0
	         : rate >= 9.995                   ? 1
	                                           : 2,
	         rate);
	return room;
}

/* What stands for a scalar; room is used where it isn't a word of the report. */
static const char *cell_text(const report_t *r, const node_t *n, char room[REPORT_SHORT_MAX])
{
	switch (n->kind) {
	case NODE_WORD:
		return r->words[n->word] != '\0' ? r->words + n->word : "-";
	case NODE_NUMBER:
		snprintf(room, REPORT_SHORT_MAX, "%" PRIu64, n->n);
		return room;
	case NODE_SIGNED:
		snprintf(room, REPORT_SHORT_MAX, "%" PRId64, (int64_t)n->n);
		return room;
	case NODE_SIZE:
		return report_size_text(n->n, room);
	case NODE_MS:
		return report_duration_text(n->n, room);
	case NODE_RATE:
		return rate_text(n->n, room);
	case NODE_TIME:
		return report_age_text(r->now, n->at, room);
	case NODE_FLAG:
		return n->n ? "yes" : "no";
	case NODE_NONE:
	case NODE_OBJECT:
	case NODE_ROW:
	case NODE_LIST:
	case NODE_ITEM:
	case NODE_CLOSE:
		break;
	}
	return "-";
}

static size_t cell_width(const report_t *r, const node_t *n)
{
	char room[REPORT_SHORT_MAX];

	return strlen(cell_text(r, n, room));
}

static void write_cell(const page_t *p, const node_t *n)
{
	char room[REPORT_SHORT_MAX];
	bool toned = p->colour && n->tone != REPORT_PLAIN;

	if (toned)
		fputs(colours[n->tone], p->to);
	for (const char *c = cell_text(p->r, n, room); *c != '\0'; c++)
		putc((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c, p->to);
	if (toned)
		fputs(off, p->to);
}

/* A key as a label. */
static void write_label(const page_t *p, const char *key, bool is_title)
{
	if (is_title && p->colour)
		fputs(bold, p->to);
	for (; *key != '\0'; key++)
		putc(*key == '_' ? ' ' : *key, p->to);
	if (is_title && p->colour)
		fputs(off, p->to);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* The widest of each column up to WIDE, the title among them; returns how many columns. */
static size_t measure(const report_t *r, size_t list, size_t width[COLUMNS_MAX])
{
	size_t end = report_behind(r, list) - 1, columns = 0, at = 0;

	for (size_t i = list + 1; i < end; i++) {
		const node_t *n = &r->nodes[i];

		if (n->kind == NODE_ITEM) {
			at = 0;
		} else if (node_is_scalar(n) && at < COLUMNS_MAX) {
			size_t cell = cell_width(r, n), title = strlen(n->key);

			if (at == columns)
				width[columns++] = title;
			cell = cell < WIDE ? cell : WIDE;
			if (cell > width[at])
				width[at] = cell;
			at++;
		}
	}
	return columns;
}

static void write_row(const page_t *p, size_t item, size_t indent, const size_t width[COLUMNS_MAX],
                      size_t columns, bool titles)
{
	blanks(p, indent);
	for (size_t at = 0; at < columns && node_is_scalar(&p->r->nodes[item + 1 + at]); at++) {
		const node_t *n = &p->r->nodes[item + 1 + at];
		size_t used = titles ? strlen(n->key) : cell_width(p->r, n);

		if (titles)
			write_label(p, n->key, true);
		else
			write_cell(p, n);
		if (at + 1 < columns)
			blanks(p, GAP + (used < width[at] ? width[at] - used : 0));
	}
	putc('\n', p->to);
}

/* An object of which all values stand in one line. */
static void write_wide(const page_t *p, size_t object, size_t indent)
{
	size_t width[COLUMNS_MAX] = { 0 };
	size_t columns = measure(p->r, object, width);

	write_row(p, object, indent, width, columns, true);
	write_row(p, object, indent, width, columns, false);
}

static void write_table(const page_t *p, size_t list, size_t indent)
{
	size_t end = report_behind(p->r, list) - 1, width[COLUMNS_MAX] = { 0 };
	size_t columns = measure(p->r, list, width);

	write_row(p, list + 1, indent, width, columns, true);
	for (size_t i = list + 1; i < end; i = report_behind(p->r, i))
		write_row(p, i, indent, width, columns, false);
}

/* --- objects ---------------------------------------------------------------------------------- */

/* Where the values of the object's own fields begin: behind its longest label. */
static size_t label_width(const report_t *r, size_t begin, size_t end)
{
	size_t width = 0;

	for (size_t i = begin; i < end; i = report_behind(r, i)) {
		const node_t *n = &r->nodes[i];

		if (node_is_scalar(n) && strlen(n->key) > width)
			width = strlen(n->key);
	}
	return width;
}

static void write_object(const page_t *p, size_t begin, size_t end, size_t indent)
{
	size_t width = label_width(p->r, begin, end);

	for (size_t i = begin; i < end; i = report_behind(p->r, i)) {
		const node_t *n = &p->r->nodes[i];
		size_t behind = report_behind(p->r, i);

		blanks(p, indent);
		write_label(p, n->key, !node_is_scalar(n));
		if (node_is_scalar(n)) {
			blanks(p, width - strlen(n->key) + GAP);
			write_cell(p, n);
		}
		if (!node_is_scalar(n) && behind == i + 2)
			fputs(": none", p->to);
		putc('\n', p->to);
		if (n->kind == NODE_OBJECT)
			write_object(p, i + 1, behind - 1, indent + INDENT);
		else if (n->kind == NODE_ROW)
			write_wide(p, i, indent + INDENT);
		else if (n->kind == NODE_LIST && behind > i + 2)
			write_table(p, i, indent + INDENT);
	}
}

void report_write_text(const report_t *r, bool colour, FILE *to)
{
	const page_t p = { r, colour, to };

	write_object(&p, 0, r->count, 0);
}
