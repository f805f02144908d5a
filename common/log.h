/* common/log.h - log lines: `event key=value ...`, one per decision, to stderr, syslog or the journal.
 *
 * The event is one or two words ("xfr installed"); values that may hold blanks stand in
 * double quotes. Text from the wire goes through presentation form (dns_name_text) first, so a
 * line never holds a control character: log_write() replaces any that slipped through.
 *
 * Nobody waits for syslog or the journal: a line that they do not take at once is dropped, and when they take
 * one again, "log dropped" tells how many were. Standard error is waited for.
 *
 * One state per process, set by log_open() before threads start; log_set_level() at any time.
 * Logging is for any thread but never per query. */
#pragma once

#include <stdbool.h>

#include "common/status.h"

typedef enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
} log_level_t;

typedef enum log_target {
	LOG_TARGET_STDERR,
	LOG_TARGET_SYSLOG,  /* by the journal, with fields, where there is one */
	LOG_TARGET_JOURNAL, /* or on standard error, if there is none at the start, which is told */
} log_target_t;

void log_open(log_target_t target, log_level_t level);
void log_set_level(log_level_t level);
void log_close(void);

/* Before log_open(): what syslog sorts by, LOG_DAEMON if this is not called; and other sockets than
 * /run/systemd/journal/socket and /dev/log (for tests), borrowed. */
void log_set_facility(int facility);
void log_set_sockets(const char *journal, const char *syslog);

/* "error", "warn", "notice", "info", "debug": ST_OK and *out, or ST_NOENT. */
status_t log_level_parse(const char *text, log_level_t *out);

/* "daemon", "user", "local0" to "local7", as syslog(3) has them: ST_OK and *out, or ST_NOENT. */
status_t log_facility_parse(const char *text, int *out);

/* Will a line of this level be written? Lets a caller skip costly arguments. */
bool log_wanted(log_level_t level);

void log_write(log_level_t level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)  log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)   log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)   log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_wanted(LOG_LEVEL_DEBUG))                                                   \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                   \
	} while (0)
