/* common/passed.c - three variables of the environment. */
#include "common/passed.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Digits alone, as both numbers are written; -1: it is none, or above most. */
static long number(const char *text, long most)
{
	long n = 0;

	if (*text == '\0')
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || n > most / 10)
			return -1;
		n = 10 * n + (*text - '0');
	}
	return n <= most ? n : -1;
}

/* How many are said to be there. */
static long understand(const char *pid, const char *fds, char why[PASSED_WHY_MAX])
{
	const long process = number(pid, INT32_MAX), count = number(fds, PASSED_MAX);

	if (process < 0) {
		snprintf(why, PASSED_WHY_MAX, "LISTEN_PID is '%.40s', which is no process", pid);
		return 0;
	}
	if (process != getpid())
		return 0;
	if (count < 0)
		snprintf(why, PASSED_WHY_MAX,
		         "LISTEN_FDS is '%.40s', which is no number of sockets from 0 to %d", fds,
		         PASSED_MAX);
	return count < 0 ? 0 : count;
}

/* Now, as later one that was not there may be another one of ours. */
static void take(passed_t *out, long count)
{
	out->fds = calloc((size_t)count + 1, sizeof *out->fds);
	if (!out->fds) {
		snprintf(out->why, sizeof out->why, "out of memory");
		return;
	}
	for (long i = 0; i < count; i++) {
		const int fd = PASSED_FIRST + (int)i;

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
			out->fds[out->count++] = fd;
	}
	if (out->count < (size_t)count)
		snprintf(out->why, sizeof out->why,
		         "LISTEN_FDS is %ld, but so many of these descriptors are not open: %zu",
		         count, (size_t)count - out->count);
}

void passed_open(passed_t *out)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS"),
		   *names = getenv("LISTEN_FDNAMES");
	long count = 0;

	*out = (passed_t){ 0 };
	if (pid && fds)
		count = understand(pid, fds, out->why);
	if (count > 0)
		take(out, count);
	if (out->count > 0 && names)
		out->names = strdup(names); /* they are for the log alone */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

const char *passed_name(const passed_t *p, int fd, char out[PASSED_NAME_MAX])
{
	const char *at = p->names ? p->names : "";

	for (int i = PASSED_FIRST; i < fd && *at; i++) {
		at += strcspn(at, ":");
		at += *at == ':';
	}
	snprintf(out, PASSED_NAME_MAX, "%.*s", (int)strcspn(at, ":"), at);
	return out;
}

void passed_close(passed_t *p)
{
	free(p->fds);
	free(p->names);
	*p = (passed_t){ 0 };
}
