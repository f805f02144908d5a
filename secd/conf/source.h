/* conf/source.h - one text file in memory, line by line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/status.h"

enum { CONF_FILE_MAX = 512 * 1024 * 1024 };

typedef struct conf_source {
	const char *path; /* for faults; borrowed */
	unsigned order;   /* of this file among those read */
	const char *text; /* not terminated; may hold any octet */
	size_t len, pos;
	unsigned line; /* of the line that was handed out last, from 1 */
	char *owned;   /* text, when it is ours to free */
	bool is_regular;
	bool others_read; /* everybody may read the file */
	dev_t dev;        /* tells files apart, whatever their names */
	ino_t ino;
} conf_source_t;

/* Read the whole file. ST_OK: for conf_source_close(). ST_SYSTEM: errno says why; ST_LIMIT: over
 * CONF_FILE_MAX; ST_NOMEM. */
status_t conf_source_open(conf_source_t *src, const char *path);

/* Over text in memory, borrowed. */
void conf_source_over(conf_source_t *src, const char *path, const char *text, size_t len);

/* The next line without its LF or CR LF; a byte order mark in front of the first is left out.
 * false: that was all. The line is valid until the source is closed. */
bool conf_source_line(conf_source_t *src, const char **line, size_t *len);

/* Wipes text of ours: it may hold secrets. */
void conf_source_close(conf_source_t *src);
