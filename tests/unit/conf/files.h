/* tests/unit/conf/files.h - configurations of a few small files in a directory of their own. */
#pragma once

#include <stddef.h>

#include "conf/conf.h"

typedef struct file {
	const char *name; /* "zones.d/a.ini": its directory is made */
	const char *text;
	size_t len; /* 0: text is terminated */
} file_t;

/* A fresh directory, which becomes the current one, so that faults name files as tests do. */
void files_enter(void);
void files_write(const char *name, const char *text, size_t len);
/* Back to where the test began; the directory is gone. */
void files_leave(void);

/* Read what path names in the current directory.
 *   out   what conf_read() gave, to be freed; NULL to have it freed at once.
 * Returns  the faults as secd -t prints them, each with its line end, for free(). Asserts that
 *          they go with the status. */
char *files_faults(const char *path, conf_t **out);

/* One row of a table: a few files, of which the first is secd.ini, and the faults they have. */
typedef struct row {
	const char *why;
	file_t files[4];
	const char *want;
} row_t;

void files_expect(const row_t *rows, size_t count);

/* For rows: a secd.ini alone, and a primary p in two lines. */
/* clang-format off */
#define INI(text) { { "secd.ini", text, 0 } }
#define P "[primary p]\naddress=192.0.2.1\n"
/* clang-format on */
