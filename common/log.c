/* common/log.c - one line, one write: no buffering, so a crash loses nothing. */
#include "common/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static log_target_t log_target = LOG_TARGET_STDERR;
static _Atomic int log_level = LOG_LEVEL_INFO;

static const struct {
	const char *word;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },      [LOG_LEVEL_WARN] = { "warn", LOG_WARNING },
	[LOG_LEVEL_NOTICE] = { "notice", LOG_NOTICE }, [LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

void log_open(log_target_t target, log_level_t level)
{
	log_target = target;
	log_set_level(level);
	if (target == LOG_TARGET_SYSLOG)
		openlog("secd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void log_set_level(log_level_t level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

void log_close(void)
{
	if (log_target == LOG_TARGET_SYSLOG)
		closelog();
}

status_t log_level_parse(const char *text, log_level_t *out)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcmp(text, levels[i].word) == 0) {
			*out = (log_level_t)i;
			return ST_OK;
		}
	}
	return ST_NOENT;
}

bool log_wanted(log_level_t level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

static void replace_controls(char *line)
{
	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static void write_stderr(log_level_t level, const char *line)
{
	char out[1400];
	struct timespec ts;
	struct tm tm;
	char when[32];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
	int n = snprintf(out, sizeof out, "%s.%03ldZ %s %s\n", when, ts.tv_nsec / 1000000,
	                 levels[level].word, line);
	if (n <= 0)
		return;
	size_t len = (size_t)n < sizeof out ? (size_t)n : sizeof out - 1;
	if (len == sizeof out - 1)
		out[len - 1] = '\n';
	/* A log that can't be written has nowhere to complain. */
	if (write(STDERR_FILENO, out, len) < 0)
		return;
}

void log_write(log_level_t level, const char *fmt, ...)
{
	char line[1280];
	va_list args;

	if (!log_wanted(level))
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	replace_controls(line);

	if (log_target == LOG_TARGET_SYSLOG)
		syslog(levels[level].priority, "%s", line);
	else
		write_stderr(level, line);
}
