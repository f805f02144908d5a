/* tests/unit/common/test_log.c - which socket lines go to, and what if it takes none. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

static char dir[] = "/tmp/secd-log-XXXXXX", journal[64], syslogd[64];

static void make_dir(void)
{
	cr_assert(mkdtemp(dir) != NULL);
	snprintf(journal, sizeof journal, "%s/journal", dir);
	snprintf(syslogd, sizeof syslogd, "%s/log", dir);
	log_set_sockets(journal, syslogd);
}

static void remove_dir(void)
{
	log_close();
	unlink(journal);
	unlink(syslogd);
	rmdir(dir);
}

TestSuite(log, .timeout = 20, .init = make_dir, .fini = remove_dir);

static int listen_on(const char *path, int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	strcpy(at.sun_path, path);
	unlink(path);
	cr_assert(eq(int, bind(fd, (struct sockaddr *)&at, sizeof at), 0));
	if (type == SOCK_STREAM)
		cr_assert(eq(int, listen(fd, 1), 0));
	return fd;
}

/* The next datagram as a text; "" when there is none. */
static const char *next(int fd, char out[4000])
{
	ssize_t n = recv(fd, out, 3999, 0);

	out[n < 0 ? 0 : n] = '\0';
	return out;
}

/* What is written to standard error while it is redirected. */
static int errors_to;
static void grab_errors(void)
{
	char path[64];

	snprintf(path, sizeof path, "%s/errors", dir);
	fflush(stderr);
	errors_to = dup(STDERR_FILENO);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	unlink(path);
	dup2(fd, STDERR_FILENO);
	close(fd);
}
static void read_errors(char out[4000])
{
	ssize_t n = pread(STDERR_FILENO, out, 3999, 0);

	out[n < 0 ? 0 : n] = '\0';
	dup2(errors_to, STDERR_FILENO);
	close(errors_to);
}

Test(log, goes_to_the_journal_with_its_fields)
{
	static const log_target_t targets[] = { LOG_TARGET_JOURNAL, LOG_TARGET_SYSLOG };
	char got[4000], pid[40];

	snprintf(pid, sizeof pid, "\nSYSLOG_PID=%d\n", (int)getpid());
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		int fd = listen_on(journal, SOCK_DGRAM), other = listen_on(syslogd, SOCK_DGRAM);

		log_set_facility(i == 0 ? LOG_DAEMON : LOG_LOCAL3);
		log_open(targets[i], LOG_LEVEL_INFO);
		log_warn("zone unrefreshed zone=%s why=\"%s\"", "a.test.", "no\nanswer");
		log_debug("not wanted");
		next(fd, got);
		cr_expect(strncmp(got, "PRIORITY=4\n", 11) == 0, "%s", got);
		cr_expect(strstr(got, pid) != NULL);
		cr_expect(strstr(got, i == 0 ? "\nSYSLOG_FACILITY=3\n"
		                             : "\nSYSLOG_FACILITY=19\n") != NULL);
		cr_expect(strstr(got,
		                 "\nMESSAGE=zone unrefreshed zone=a.test. why=\"no?answer\"\n") !=
		          NULL);
		cr_expect(strstr(got, "\nSECD_EVENT=zone unrefreshed\nSECD_ZONE=a.test.\n"
		                      "SECD_WHY=no?answer\n") != NULL);
		cr_expect(next(fd, got)[0] == '\0' && next(other, got)[0] == '\0');
		log_close();
		close(fd);
		close(other);
	}
}

Test(log, goes_to_syslog_where_there_is_no_journal)
{
	int fd = listen_on(syslogd, SOCK_DGRAM), pid, end = 0;
	char got[4000], month[4], name[10];
	unsigned priority, day, h, m, s;

	log_set_facility(LOG_LOCAL0);
	log_open(LOG_TARGET_SYSLOG, LOG_LEVEL_DEBUG);
	log_error("secd failed why=\"x\"");
	next(fd, got);
	cr_assert(eq(int,
	             sscanf(got, "<%u>%3s %u %u:%u:%u %9[a-z][%d]: %n", &priority, month, &day, &h,
	                    &m, &s, name, &pid, &end),
	             8),
	          "%s", got);
	cr_expect(eq(uint, priority, LOG_LOCAL0 | LOG_ERR));
	cr_expect(strcmp(name, "secd") == 0 && pid == (int)getpid());
	cr_expect(strcmp(got + end, "secd failed why=\"x\"") == 0, "%s", got);
	cr_expect(got[strlen("<131>Nov ")] == ' ' || day > 9, "a day of one digit has a blank: %s",
	          got);
	close(fd);
}

/* A syslog that is started later, or again, is found. */
Test(log, finds_a_syslog_that_comes_later)
{
	char got[4000];

	log_open(LOG_TARGET_SYSLOG, LOG_LEVEL_INFO);
	log_info("one");
	log_info("two");
	int fd = listen_on(syslogd, SOCK_DGRAM);
	log_info("three");
	cr_expect(strstr(next(fd, got), "]: three") != NULL, "%s", got);
	cr_expect(strstr(next(fd, got), "]: log dropped lines=2") != NULL, "%s", got);
	cr_expect(next(fd, got)[0] == '\0');
	close(fd);
	log_info("four");
	fd = listen_on(syslogd, SOCK_DGRAM);
	log_info("five");
	cr_expect(strstr(next(fd, got), "]: five") != NULL, "%s", got);
	cr_expect(strstr(next(fd, got), "]: log dropped lines=1") != NULL, "%s", got);
	close(fd);
}

/* Nobody reads: within the blink of an eye all is dropped, and counted. */
Test(log, waits_for_nobody_and_tells_what_was_dropped)
{
	int fd = listen_on(journal, SOCK_DGRAM);
	struct timespec before, after;
	unsigned taken = 0, last = 0, n;
	char got[4000], want[60];
	const unsigned sent = 20000;

	log_open(LOG_TARGET_JOURNAL, LOG_LEVEL_INFO);
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (unsigned i = 1; i <= sent; i++)
		log_info("line n=%u", i);
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_expect(lt(long, (long)(after.tv_sec - before.tv_sec), 5));
	while (next(fd, got)[0] != '\0') {
		cr_assert(sscanf(strstr(got, "\nSECD_N="), "\nSECD_N=%u", &n) == 1);
		cr_expect(eq(uint, n, last + 1), "in order, none between");
		last = n;
		taken++;
	}
	cr_assert(taken > 0 && taken < sent);
	log_info("again");
	cr_expect(strstr(next(fd, got), "MESSAGE=again\n") != NULL, "%s", got);
	snprintf(want, sizeof want, "\nMESSAGE=log dropped lines=%u\n", sent - taken);
	cr_expect(strstr(next(fd, got), want) && strncmp(got, "PRIORITY=4\n", 11) == 0, "%s not %s",
	          got, want);
	log_info("and on");
	cr_expect(strstr(next(fd, got), "MESSAGE=and on\n") != NULL, "%s", got);
	cr_expect(next(fd, got)[0] == '\0', "told once");
	close(fd);
}

/* Where even the line that tells is not taken, its count is not lost. */
Test(log, tells_the_whole_count_when_there_is_room_for_it)
{
	int fd = listen_on(journal, SOCK_DGRAM);
	unsigned taken = 0;
	char got[4000], want[60];

	log_open(LOG_TARGET_JOURNAL, LOG_LEVEL_INFO);
	for (unsigned i = 0; i < 20000; i++)
		log_info("line n=%u", i);
	next(fd, got); /* room for one, which the next line takes */
	log_info("one more");
	while (next(fd, got)[0] != '\0')
		taken++;
	taken++;
	log_info("again");
	next(fd, got);
	next(fd, got);
	snprintf(want, sizeof want, "\nMESSAGE=log dropped lines=%u\n", 20001 - taken);
	cr_expect(strstr(got, want) != NULL, "%s not %s", got, want);
	close(fd);
}

Test(log, goes_to_standard_error_where_there_is_no_journal)
{
	char got[4000];

	grab_errors();
	log_open(LOG_TARGET_JOURNAL, LOG_LEVEL_INFO);
	log_info("here");
	read_errors(got);
	cr_expect(strstr(got, " warn log redirected to=stderr why=\"") && strstr(got, journal),
	          "%s", got);
	cr_expect(strstr(got, " info here\n") != NULL, "%s", got);
}

/* The C library speaks to those. */
Test(log, leaves_a_syslog_that_wants_a_stream_to_the_library)
{
	int fd = listen_on(syslogd, SOCK_STREAM);
	char got[4000];

	grab_errors();
	log_open(LOG_TARGET_SYSLOG, LOG_LEVEL_INFO);
	log_info("somewhere");
	read_errors(got);
	cr_expect(got[0] == '\0', "%s", got);
	close(fd);
}

Test(log, knows_its_facilities)
{
	int n = -1;

	cr_expect(log_facility_parse("daemon", &n) == ST_OK && n == LOG_DAEMON);
	cr_expect(log_facility_parse("local7", &n) == ST_OK && n == LOG_LOCAL7);
	cr_expect(log_facility_parse("local8", &n) == ST_NOENT && n == LOG_LOCAL7);
	cr_expect(log_facility_parse("", &n) == ST_NOENT);
	cr_expect(log_facility_parse("kern", &n) == ST_NOENT);
}
