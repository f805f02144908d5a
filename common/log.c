/* common/log.c - one line, one write: no buffering, so a crash loses nothing. */
#include "common/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/journal.h"
#include "common/sink.h"

enum { LINE_ROOM = 1280 };

/* Where lines go. */
typedef enum way {
	WAY_STDERR,
	WAY_JOURNAL,
	WAY_SYSLOG, /* datagrams, as they are meant to come */
	WAY_STREAM, /* of a syslog that wants a stream: the C library speaks it, and waits */
} way_t;

static way_t log_way = WAY_STDERR;
static sink_t log_sink = { .fd = -1 };
static int log_facility = LOG_DAEMON;
static const char *journal_path = "/run/systemd/journal/socket", *syslog_path = "/dev/log";
static _Atomic int log_level = LOG_LEVEL_INFO;

static const struct {
	const char *word;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },      [LOG_LEVEL_WARN] = { "warn", LOG_WARNING },
	[LOG_LEVEL_NOTICE] = { "notice", LOG_NOTICE }, [LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

static const struct {
	const char *word;
	int number;
} facilities[] = {
	{ "daemon", LOG_DAEMON }, { "user", LOG_USER },     { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
};

/* --- where to --------------------------------------------------------------------------------- */

static way_t open_syslog(void)
{
	if (sink_probe(syslog_path) == ST_MALFORMED) {
		openlog("secd", LOG_PID | LOG_NDELAY, log_facility);
		return WAY_STREAM;
	}
	/* Also if nobody listens yet: he may come. */
	return sink_open(&log_sink, syslog_path) == ST_OK ? WAY_SYSLOG : WAY_STDERR;
}

static way_t open_way(log_target_t target)
{
	if (target == LOG_TARGET_STDERR)
		return WAY_STDERR;
	if (sink_probe(journal_path) == ST_OK && sink_open(&log_sink, journal_path) == ST_OK)
		return WAY_JOURNAL;
	return target == LOG_TARGET_SYSLOG ? open_syslog() : WAY_STDERR;
}

void log_open(log_target_t target, log_level_t level)
{
	log_set_level(level);
	log_way = open_way(target);
	if (log_way == WAY_STDERR && target != LOG_TARGET_STDERR)
		log_warn("log redirected to=stderr why=\"%s can't be reached\"",
		         target == LOG_TARGET_JOURNAL ? journal_path : syslog_path);
}

void log_set_level(log_level_t level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

void log_set_facility(int facility)
{
	log_facility = facility;
}

void log_set_sockets(const char *journal, const char *syslog)
{
	journal_path = journal;
	syslog_path = syslog;
}

void log_close(void)
{
	if (log_way == WAY_STREAM)
		closelog();
	sink_close(&log_sink);
	log_way = WAY_STDERR;
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

status_t log_facility_parse(const char *text, int *out)
{
	for (size_t i = 0; i < ARRAY_LEN(facilities); i++) {
		if (strcmp(text, facilities[i].word) == 0) {
			*out = facilities[i].number;
			return ST_OK;
		}
	}
	return ST_NOENT;
}

bool log_wanted(log_level_t level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void replace_controls(char *line)
{
	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static void write_stderr(log_level_t level, const char *line)
{
	char out[LINE_ROOM + 120];
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

/* As syslog(3) writes it to /dev/log: <priority>Mmm dd hh:mm:ss, in local time. */
static bool send_syslog(log_level_t level, const char *line)
{
	char out[LINE_ROOM + 120], when[32];
	const time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(when, sizeof when, "%b %e %H:%M:%S", &tm);
	const int n = snprintf(out, sizeof out, "<%d>%s secd[%d]: %s",
	                       log_facility | levels[level].priority, when, (int)getpid(), line);

	return n > 0 &&
	       sink_send(&log_sink, out, (size_t)n < sizeof out ? (size_t)n : sizeof out - 1);
}

static bool send_journal(log_level_t level, const char *line)
{
	char out[JOURNAL_MAX];
	const size_t len = journal_entry(line, levels[level].priority, log_facility, (int)getpid(),
	                                 out, sizeof out);

	return sink_send(&log_sink, out, len);
}

static bool send_line(log_level_t level, const char *line)
{
	return log_way == WAY_JOURNAL ? send_journal(level, line) : send_syslog(level, line);
}

__attribute__((format(printf, 2, 3))) static bool send_format(log_level_t level, const char *fmt,
                                                              ...)
{
	char line[LINE_ROOM];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	return send_line(level, line);
}

/* What was dropped is told behind the first line that is taken again, whatever the level. */
static void deliver(log_level_t level, const char *line)
{
	unsigned dropped;

	if (!send_line(level, line))
		return;
	dropped = sink_dropped(&log_sink);
	if (dropped > 0 && !send_format(LOG_LEVEL_WARN, "log dropped lines=%u", dropped))
		sink_drop(&log_sink, dropped - 1); /* that line has counted itself */
}

void log_write(log_level_t level, const char *fmt, ...)
{
	char line[LINE_ROOM];
	va_list args;

	if (!log_wanted(level))
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	replace_controls(line);

	switch (log_way) {
	case WAY_STDERR:
		write_stderr(level, line);
		break;
	case WAY_JOURNAL:
	case WAY_SYSLOG:
		deliver(level, line);
		break;
	case WAY_STREAM:
		syslog(levels[level].priority, "%s", line);
		break;
	}
}
