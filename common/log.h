/* common/log.h - log lines: `event key=value ...`, one per decision, to syslog or stderr.
 *
 * The event is one or two words ("xfr installed"); values that may hold blanks stand in
 * double quotes. Text from the wire goes through presentation form (dns_name_text) first, so a
 * line never holds a control character: log_write() replaces any that slipped through.
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
typedef enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG } log_target_t;

void log_open(log_target_t target, log_level_t level);
void log_set_level(log_level_t level);
void log_close(void);

/* "error", "warn", "notice", "info", "debug": ST_OK and *out, or ST_NOENT. */
status_t log_level_parse(const char *text, log_level_t *out);

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
