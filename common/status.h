/* common/status.h - the one error idiom: a function that can fail returns a status_t.
 *
 * Finders return a pointer or NULL, functions that cannot fail return void. Nothing
 * returns true for a failure. status_text() gives words that fit into a log line's why="". */
#pragma once

#include <stdint.h>

typedef enum status {
	ST_OK = 0,
	ST_NOMEM,     /* no memory, or an arena is full */
	ST_NOENT,     /* what was named does not exist */
	ST_EXIST,     /* what was to be made is there already */
	ST_STALE,     /* built over something that is no longer current */
	ST_MALFORMED, /* bytes that break their format */
	ST_SHORT,     /* bytes end early */
	ST_LIMIT,     /* a configured or built-in limit was reached */
	ST_OUTSIDE,   /* a record whose owner is not in the zone */
	ST_REFUSED,   /* a gate or a peer said no */
	ST_TIMEOUT,   /* a deadline passed */
	ST_SYSTEM,    /* a system call failed: errno says which way */
	ST_COUNT,
} status_t;

/* A few words for st; never NULL, static storage. Any thread. */
const char *status_text(status_t st);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
