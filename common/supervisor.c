/* common/supervisor.c - a datagram socket to a path, or to an abstract name. */
#include "common/supervisor.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TEXT_MAX = 500 };

static int connect_to(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const size_t len = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof to.sun_path)
		return -1;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&to,
	            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Every so many ms, if that is meant for us. */
static int64_t watchdog(const char *usec, const char *pid)
{
	char *end;
	unsigned long long n;

	if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	n = strtoull(usec, &end, 10);
	return *end == '\0' && n / 1000 <= INT32_MAX ? (int64_t)(n / 1000) : 0;
}

void supervisor_open(supervisor_t *s)
{
	const char *path = getenv("NOTIFY_SOCKET");

	*s = (supervisor_t){ .fd = path ? connect_to(path) : -1 };
	if (s->fd >= 0)
		s->watchdog_ms = watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void supervisor_tell(const supervisor_t *s, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;
	int n;

	if (s->fd < 0)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (n > 0)
		(void)send(s->fd, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1,
		           MSG_NOSIGNAL);
}

void supervisor_close(supervisor_t *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
