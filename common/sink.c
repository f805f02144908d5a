/* common/sink.c - one socket that is not connected, so that a listener may be replaced. */
#include "common/sink.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static status_t address_of(const char *path, struct sockaddr_un *out)
{
	const size_t len = strlen(path);

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len == 0 || len >= sizeof out->sun_path)
		return ST_LIMIT;
	memcpy(out->sun_path, path, len);
	return ST_OK;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

status_t sink_open(sink_t *s, const char *path)
{
	*s = (sink_t){ .fd = -1 };
	const status_t st = address_of(path, &s->to);

	if (st != ST_OK)
		return st;
	s->fd = new_socket();
	return s->fd >= 0 ? ST_OK : ST_SYSTEM;
}

status_t sink_probe(const char *path)
{
	struct sockaddr_un to;
	status_t st = address_of(path, &to);
	int fd = st == ST_OK ? new_socket() : -1;

	if (st != ST_OK)
		return st;
	if (fd < 0)
		return ST_SYSTEM;
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
		st = errno == EPROTOTYPE ? ST_MALFORMED : ST_NOENT;
	close(fd);
	return st;
}

bool sink_send(sink_t *s, const char *octets, size_t len)
{
	ssize_t n;

	do {
		n = sendto(s->fd, octets, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		           (const struct sockaddr *)&s->to, sizeof s->to);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		sink_drop(s, 1);
	return n >= 0;
}

unsigned sink_dropped(sink_t *s)
{
	if (atomic_load_explicit(&s->dropped, memory_order_relaxed) == 0)
		return 0;
	return atomic_exchange_explicit(&s->dropped, 0, memory_order_relaxed);
}

void sink_drop(sink_t *s, unsigned n)
{
	atomic_fetch_add_explicit(&s->dropped, n, memory_order_relaxed);
}

void sink_close(sink_t *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
