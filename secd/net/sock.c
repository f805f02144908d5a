/* net/sock.c - the options of each kind of socket, and why we set them. */
#include "net/sock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* The default holds some 270 queries: less than what arrives while a worker is off its
	 * core for a few milliseconds. */
	UDP_BUFFER = 4 * 1024 * 1024,
	/* What one TCP client can make the kernel hold for it; without a fixed size it grows to
	 * megabytes for one that never reads. The kernel doubles the number for its own use. */
	TCP_SEND_BUFFER = 128 * 1024,
	TCP_RECEIVE_BUFFER = 32 * 1024,
	TCP_BACKLOG = 512,
	TCP_FAST_OPENS = 256,
};

static status_t set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) == 0 ? ST_OK : ST_SYSTEM;
}

/* Close fd without losing the errno of what went wrong before. */
static status_t fail(int fd)
{
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return ST_SYSTEM;
}

static int open_socket(const addr_t *addr, int type)
{
	int fd = socket(addr->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* Mapped addresses would give every IPv4 client a second form. */
	if (fd >= 0 && addr->sa.sa_family == AF_INET6 &&
	    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != ST_OK) {
		fail(fd);
		return -1;
	}
	return fd;
}

status_t sock_probe(addr_t *addr)
{
	socklen_t len = sizeof *addr;
	int fd = open_socket(addr, SOCK_DGRAM);

	if (fd < 0 || bind(fd, &addr->sa, addr_len(addr)) != 0 ||
	    getsockname(fd, &addr->sa, &len) != 0)
		return fail(fd);
	close(fd);
	return ST_OK;
}

/* The size we want when we are allowed to, else the largest that anybody may have. */
static void raise_buffer(int fd, int force, int plain)
{
	if (set(fd, SOL_SOCKET, force, UDP_BUFFER) != ST_OK)
		set(fd, SOL_SOCKET, plain, UDP_BUFFER);
}

/* Whoever bound it may have been allowed more than we are. */
static void raise_bound(int fd, int force, int which)
{
	socklen_t len = sizeof(int);
	int now = 0;

	/* The kernel tells twice of what was asked for. */
	if (getsockopt(fd, SOL_SOCKET, which, &now, &len) == 0 && now < 2 * UDP_BUFFER)
		set(fd, SOL_SOCKET, force, UDP_BUFFER);
}

/* OMIT sends at the interface's MTU whatever ICMP says: a forged "fragmentation needed" can't
 * make us fragment, which is the first half of a fragment injection (RFC 9715). */
static status_t set_udp(int fd, const addr_t *addr)
{
	bool v4 = addr->sa.sa_family == AF_INET;

	if (v4 && set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) != ST_OK)
		return ST_SYSTEM;
	if (!v4 && set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT) != ST_OK)
		return ST_SYSTEM;
	if (!addr_is_any(addr))
		return ST_OK;
	return v4 ? set(fd, IPPROTO_IP, IP_PKTINFO, 1) : set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

status_t sock_udp(const addr_t *addr, int *out)
{
	int fd = open_socket(addr, SOCK_DGRAM);

	if (fd < 0 || set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != ST_OK || set_udp(fd, addr) != ST_OK)
		return fail(fd);
	raise_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	raise_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (bind(fd, &addr->sa, addr_len(addr)) != 0)
		return fail(fd);
	*out = fd;
	return ST_OK;
}

static status_t set_tcp(int fd)
{
	if (set(fd, SOL_SOCKET, SO_SNDBUF, TCP_SEND_BUFFER) != ST_OK ||
	    set(fd, SOL_SOCKET, SO_RCVBUF, TCP_RECEIVE_BUFFER) != ST_OK ||
	    set(fd, IPPROTO_TCP, TCP_NODELAY, 1) != ST_OK)
		return ST_SYSTEM;
	set(fd, IPPROTO_TCP, TCP_FASTOPEN, TCP_FAST_OPENS); /* RFC 7413; nice to have */
	return ST_OK;
}

status_t sock_tcp(const addr_t *addr, int *out)
{
	int fd = open_socket(addr, SOCK_STREAM);

	if (fd < 0 || set(fd, SOL_SOCKET, SO_REUSEADDR, 1) != ST_OK ||
	    set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != ST_OK || set_tcp(fd) != ST_OK)
		return fail(fd);
	if (bind(fd, &addr->sa, addr_len(addr)) != 0 || listen(fd, TCP_BACKLOG) != 0)
		return fail(fd);
	*out = fd;
	return ST_OK;
}

static status_t adopt(int fd, const addr_t *addr)
{
	const int flags = fcntl(fd, F_GETFL), none = 0;
	socklen_t len = sizeof(int);
	int only = 1;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return ST_SYSTEM;
	/* Who had it before us and was killed while workers left it has let the kernel choose among the others (net/change.c). */
	(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none, sizeof none);
	if (addr->sa.sa_family != AF_INET6 || !addr_is_any(addr))
		return ST_OK;
	if (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len) != 0)
		return ST_SYSTEM;
	return only ? ST_OK : ST_REFUSED;
}

status_t sock_adopt_udp(int fd, const addr_t *addr)
{
	const status_t st = adopt(fd, addr);

	if (st != ST_OK)
		return st;
	raise_bound(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	raise_bound(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	return set_udp(fd, addr);
}

/* It may listen already: then this sets its queue. */
status_t sock_adopt_tcp(int fd, const addr_t *addr)
{
	status_t st = adopt(fd, addr);

	if (st == ST_OK)
		st = set_tcp(fd);
	if (st == ST_OK && listen(fd, TCP_BACKLOG) != 0)
		st = ST_SYSTEM;
	return st;
}

void sock_hide(int fd)
{
	/* An interface that no host has: no packet comes by it. The kernel doesn't ask whether it is there. */
	(void)set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, INT_MAX);
}

static const char *advice(int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return " (needs root or CAP_NET_BIND_SERVICE)";
	case EADDRINUSE:
		return " (another server runs there; 'ss -lnptu' names it)";
	case EADDRNOTAVAIL:
		return " (no interface has it, or not yet)";
	case EMFILE:
	case ENFILE:
		return " (raise LimitNOFILE or ulimit -n)";
	case EAFNOSUPPORT:
		return " (the kernel has this family switched off)";
	default:
		return "";
	}
}

void sock_why(const addr_t *addr, int err, char why[256])
{
	char text[ADDR_TEXT_MAX], reason[96];

	snprintf(reason, sizeof reason, "%s", strerrordesc_np(err) ? strerrordesc_np(err) : "?");
	reason[0] = (char)tolower((unsigned char)reason[0]);
	snprintf(why, 256, "listen %s: %s%s", addr_text(addr, text), reason, advice(err));
}
