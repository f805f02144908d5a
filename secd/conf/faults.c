/* conf/faults.c - the list of what is wrong, and how it is told. */
#include "conf/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1024 };

/* What stands in a file may be anything: nothing of it may move the reader's cursor. */
static void replace_controls(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

static status_t append(conf_faults_t *faults, const conf_where_t *where, bool is_warning,
                       const char *text)
{
	conf_fault_t *list = conf_list_grow(faults->list, faults->count, sizeof *list);
	conf_fault_t fault = { .line = where->line,
		               .order = where->order,
		               .is_warning = is_warning };

	if (!list)
		return ST_NOMEM;
	faults->list = list;
	fault.file = strdup(where->file);
	fault.text = strdup(text);
	if (!fault.file || !fault.text) {
		free(fault.file);
		free(fault.text);
		return ST_NOMEM;
	}
	replace_controls(fault.text);
	list[faults->count++] = fault;
	return ST_OK;
}

/* The last of the warnings gives way. There is one. */
static void drop_warning(conf_faults_t *faults)
{
	conf_fault_t *f = faults->list + faults->count;

	do
		f--;
	while (!f->is_warning);
	free(f->file);
	free(f->text);
	*f = faults->list[--faults->count];
}

__attribute__((format(printf, 4, 0))) static void
tell(conf_build_t *b, const conf_where_t *where, bool is_warning, const char *fmt, va_list args)
{
	char text[TEXT_MAX];

	b->faults->errors += !is_warning;
	if (b->faults->count >= CONF_FAULTS_MAX) {
		b->faults->more++;
		if (is_warning || b->faults->errors > CONF_FAULTS_MAX)
			return;
		drop_warning(b->faults); /* not all of the list are errors yet */
	}
	vsnprintf(text, sizeof text, fmt, args);
	if (append(b->faults, where, is_warning, text) != ST_OK)
		b->status = ST_NOMEM;
}

void conf_fault(conf_build_t *b, const conf_where_t *where, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(b, where, false, fmt, args);
	va_end(args);
}

void conf_warning(conf_build_t *b, const conf_where_t *where, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tell(b, where, true, fmt, args);
	va_end(args);
}

const char *conf_place(const conf_where_t *where, char out[CONF_PLACE_MAX])
{
	snprintf(out, CONF_PLACE_MAX, "%s:%u", where->file, where->line);
	return out;
}

/* By file, then line; faults of one line as they came, which their texts tell apart. */
static int compare(const void *left, const void *right)
{
	const conf_fault_t *a = left, *b = right;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return strcmp(a->text, b->text);
}

void conf_faults_finish(conf_faults_t *faults, const char *main)
{
	conf_where_t where = { .file = main };
	char text[80];

	if (faults->count > 1)
		qsort(faults->list, faults->count, sizeof *faults->list, compare);
	if (faults->more == 0)
		return;
	snprintf(text, sizeof text, "and %zu more; mend the first ones and check again",
	         faults->more);
	/* Without memory for it, more still says so. */
	(void)append(faults, &where, false, text);
}

const char *conf_fault_text(const conf_fault_t *fault, char *out, size_t room)
{
	const char *mark = fault->is_warning ? "warning: " : "";

	if (fault->line > 0)
		snprintf(out, room, "%s:%u: %s%s", fault->file, fault->line, mark, fault->text);
	else
		snprintf(out, room, "%s: %s%s", fault->file, mark, fault->text);
	return out;
}

void conf_faults_print(const conf_faults_t *faults, FILE *to)
{
	for (size_t i = 0; i < faults->count; i++) {
		char line[TEXT_MAX + 4200];

		fprintf(to, "%s\n", conf_fault_text(&faults->list[i], line, sizeof line));
	}
}

void conf_faults_free(conf_faults_t *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		free(faults->list[i].file);
		free(faults->list[i].text);
	}
	free(faults->list);
	*faults = (conf_faults_t){ 0 };
}
