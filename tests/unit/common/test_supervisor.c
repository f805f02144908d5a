/* tests/unit/common/test_supervisor.c - what the environment may say, and what arrives. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/status.h"
#include "common/supervisor.h"

TestSuite(supervisor, .timeout = 10);

/* A socket with an abstract name, which is in NOTIFY_SOCKET. */
static int listen_here(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char name[64];
	const int len = snprintf(name, sizeof name, "@secd-test-%d", (int)getpid());
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path + 1, name + 1, (size_t)len - 1);
	cr_assert(eq(int,
	             bind(fd, (struct sockaddr *)&at,
	                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
	             0));
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

Test(supervisor, is_told_and_the_environment_is_cleaned)
{
	int fd = listen_here();
	char got[1000];
	supervisor_t s;

	supervisor_open(&s);
	cr_assert(s.fd >= 0);
	cr_expect(eq(i64, s.watchdog_ms, 0));
	cr_expect(getenv("NOTIFY_SOCKET") == NULL);
	supervisor_tell(&s, "STATUS=%d zones", 7);
	ssize_t n = recv(fd, got, sizeof got, 0);
	cr_assert(eq(long, n, (long)strlen("STATUS=7 zones")));
	cr_expect(memcmp(got, "STATUS=7 zones", (size_t)n) == 0);
	supervisor_tell(&s, "%0999d", 1); /* is cut */
	n = recv(fd, got, sizeof got, 0);
	cr_expect(n > 0 && n <= 500);
	close(fd);
	supervisor_tell(&s, "nobody hears it");
	supervisor_close(&s);
	supervisor_close(&s);
	supervisor_tell(&s, "nor this");
}

Test(supervisor, wants_the_watchdog_of_this_process_alone)
{
	char mine[20];
	snprintf(mine, sizeof mine, "%d", (int)getpid());
	const struct {
		const char *usec, *pid;
		int64_t ms;
	} rows[] = {
		{ "30000000", NULL, 30000 },
		{ "30000000", mine, 30000 },
		{ "30000000", "1", 0 },
		{ NULL, mine, 0 },
		{ "", NULL, 0 },
		{ "abc", NULL, 0 },
		{ "5000x", NULL, 0 },
		{ "999", NULL, 0 },
		{ "0", NULL, 0 },
		{ "99999999999999999999", NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int fd = listen_here();
		supervisor_t s;

		if (rows[i].usec)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid)
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		supervisor_open(&s);
		cr_expect(eq(i64, s.watchdog_ms, rows[i].ms), "%zu", i);
		cr_expect(getenv("WATCHDOG_USEC") == NULL && getenv("WATCHDOG_PID") == NULL);
		supervisor_close(&s);
		close(fd);
	}
}

Test(supervisor, that_is_not_there_is_none)
{
	static const char *const names[] = { "", "@", "/", "relative", "/no/such/socket", NULL };
	char longest[200];
	supervisor_t s;

	for (size_t i = 0; names[i]; i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		supervisor_open(&s);
		cr_expect(eq(int, s.fd, -1), "%s", names[i]);
	}
	memset(longest, 'x', sizeof longest - 1);
	longest[0] = '/';
	longest[sizeof longest - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	supervisor_open(&s);
	cr_expect(eq(int, s.fd, -1));
	supervisor_open(&s);
	cr_expect(eq(int, s.fd, -1), "not set");
}
