/* net/adopt.c - which of the sockets that were passed are ours, and who gets them. */
#include "net/adopt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "net/sock.h"

static const char *kind_text(int type)
{
	return type == SOCK_DGRAM ? "UDP" : "TCP";
}

/* --- what was passed -------------------------------------------------------------------------- */

static int option(int fd, int which)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, which, &value, &len) == 0 ? value : -1;
}

/* NULL, and what it is; else why it is nothing for us. A mapped address stays as it is: no listen address is one. */
static const char *inspect(int fd, adopted_t *out)
{
	socklen_t len = sizeof out->addr;
	const int family = option(fd, SO_DOMAIN), type = option(fd, SO_TYPE),
		  protocol = option(fd, SO_PROTOCOL);

	*out = (adopted_t){ .fd = fd, .type = type };
	if (family < 0)
		return "it is no socket";
	if ((family != AF_INET && family != AF_INET6) ||
	    !((type == SOCK_DGRAM && protocol == IPPROTO_UDP) ||
	      (type == SOCK_STREAM && protocol == IPPROTO_TCP)))
		return "it is no socket of UDP or TCP";
	if (getsockname(fd, &out->addr.sa, &len) != 0)
		return "its address can't be had";
	return NULL;
}

static bool is_listened(const addr_t *listen, size_t listens, const addr_t *addr)
{
	for (size_t i = 0; i < listens; i++) {
		if (addr_same(&listen[i], addr))
			return true;
	}
	return false;
}

static void leave(const passed_t *passed, const adopted_t *s, const char *why)
{
	char name[PASSED_NAME_MAX], text[ADDR_TEXT_MAX] = "-";

	if (s->addr.sa.sa_family != 0)
		addr_text(&s->addr, text);
	log_warn("socket unused fd=%d name=\"%s\" addr=%s why=\"%s\"", s->fd,
	         passed_name(passed, s->fd, name), text, why);
	close(s->fd);
}

static unsigned count_of(const adopt_t *a, const addr_t *addr, int type)
{
	unsigned n = 0;

	for (size_t i = 0; i < a->count; i++)
		n += !a->list[i].gone && a->list[i].type == type &&
		     addr_same(&a->list[i].addr, addr);
	return n;
}

/* A socket that the kernel sends queries to, and nobody reads, loses them. */
static status_t check_count(const adopt_t *a, const adopted_t *s, unsigned workers, char why[256])
{
	const unsigned n = count_of(a, &s->addr, s->type);
	char text[ADDR_TEXT_MAX];

	if (n <= workers)
		return ST_OK;
	snprintf(why, 256,
	         "listen %s: %u %s sockets were passed for %u workers, and queries come to each of "
	         "them: "
	         "write workers = %u, or pass fewer",
	         addr_text(&s->addr, text), n, kind_text(s->type), workers, n);
	return ST_REFUSED;
}

static status_t set_up(const adopted_t *s, char why[256])
{
	const status_t st = s->type == SOCK_DGRAM ? sock_adopt_udp(s->fd, &s->addr)
	                                          : sock_adopt_tcp(s->fd, &s->addr);
	char text[ADDR_TEXT_MAX];

	if (st == ST_OK)
		return ST_OK;
	addr_text(&s->addr, text);
	if (st == ST_REFUSED)
		snprintf(why, 256,
		         "listen %s: the %s socket that was passed takes IPv4 as well: write "
		         "BindIPv6Only=ipv6-only for it",
		         text, kind_text(s->type));
	else
		snprintf(why, 256, "listen %s: the %s socket that was passed can't be set up: %s",
		         text, kind_text(s->type), strerror(errno));
	return ST_REFUSED;
}

static void tell(const adopt_t *a, const addr_t *listen, size_t listens)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < listens; i++) {
		if (adopt_has(a, &listen[i]))
			log_info("sockets passed addr=%s udp=%u tcp=%u",
			         addr_text(&listen[i], text), count_of(a, &listen[i], SOCK_DGRAM),
			         count_of(a, &listen[i], SOCK_STREAM));
	}
}

status_t adopt_open(adopt_t *a, const passed_t *passed, const addr_t *listen, size_t listens,
                    unsigned workers, char why[256])
{
	status_t st = ST_OK;

	if (passed && passed->why[0] != '\0')
		log_warn("sockets garbled why=\"%s\"", passed->why);
	if (!passed || passed->count == 0)
		return ST_OK;
	a->list = calloc(passed->count, sizeof *a->list);
	if (!a->list) {
		snprintf(why, 256, "%s", status_text(ST_NOMEM));
		return ST_NOMEM;
	}
	for (size_t i = 0; i < passed->count; i++) {
		adopted_t *s = &a->list[a->count];
		const char *not_ours = inspect(passed->fds[i], s);

		if (!not_ours && !is_listened(listen, listens, &s->addr))
			not_ours = "no listen in the settings names its address";
		if (not_ours)
			leave(passed, s, not_ours);
		else
			a->count++;
	}
	for (size_t i = 0; i < a->count && st == ST_OK; i++) {
		st = check_count(a, &a->list[i], workers, why);
		if (st == ST_OK)
			st = set_up(&a->list[i], why);
	}
	if (st == ST_OK)
		tell(a, listen, listens);
	return st;
}

/* --- who gets them ---------------------------------------------------------------------------- */

bool adopt_has(const adopt_t *a, const addr_t *addr)
{
	return count_of(a, addr, SOCK_DGRAM) > 0 || count_of(a, addr, SOCK_STREAM) > 0;
}

bool adopt_lost(const adopt_t *a, const addr_t *addr)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->list[i].gone && addr_same(&a->list[i].addr, addr))
			return true;
	}
	return false;
}

bool adopt_meets(const adopt_t *a, const addr_t *addr)
{
	for (size_t i = 0; i < a->count; i++) {
		const adopted_t *s = &a->list[i];

		if (!s->gone && s->type == SOCK_DGRAM &&
		    s->addr.sa.sa_family == addr->sa.sa_family &&
		    addr_port(&s->addr) == addr_port(addr) &&
		    (addr_is_any(&s->addr) || addr_is_any(addr) || addr_same_host(&s->addr, addr)))
			return true;
	}
	return false;
}

/* -1: there is none any more. */
static int next_of(adopt_t *a, const addr_t *addr, int type)
{
	for (size_t i = 0; i < a->count; i++) {
		adopted_t *s = &a->list[i];
		const int fd = s->fd;

		if (fd >= 0 && s->type == type && addr_same(&s->addr, addr)) {
			s->fd = -1; /* the worker's now */
			return fd;
		}
	}
	return -1;
}

status_t adopt_bind(adopt_t *a, const addr_t *addr, worker_pair_t *out)
{
	status_t st = ST_OK;

	*out = (worker_pair_t){ .udp = next_of(a, addr, SOCK_DGRAM),
		                .tcp = next_of(a, addr, SOCK_STREAM),
		                .local = *addr };
	out->lent = out->udp >= 0;
	if (out->udp < 0)
		st = sock_udp(addr, &out->udp);
	if (st == ST_OK && out->tcp < 0)
		st = sock_tcp(addr, &out->tcp);
	if (st == ST_OK)
		return ST_OK;
	const int err = errno;

	if (out->udp >= 0)
		close(out->udp);
	if (out->tcp >= 0)
		close(out->tcp);
	out->udp = out->tcp = -1;
	errno = err;
	return st;
}

void adopt_why(const adopt_t *a, const addr_t *addr, unsigned workers, int err, char why[256])
{
	const unsigned udp = count_of(a, addr, SOCK_DGRAM), tcp = count_of(a, addr, SOCK_STREAM);
	char text[ADDR_TEXT_MAX];

	addr_text(addr, text);
	if (err == EADDRINUSE && (udp > 0 || tcp > 0))
		snprintf(why, 256,
		         "listen %s: %u UDP and %u TCP sockets were passed for %u workers, and no "
		         "more can "
		         "be bound beside them: pass one of each for each worker, with "
		         "ReusePort=yes; or "
		         "write workers = %u",
		         text, udp, tcp, workers, udp > tcp ? udp : tcp);
	else if (err == EADDRINUSE && adopt_lost(a, addr))
		snprintf(why, 256,
		         "listen %s: its sockets were passed at the start, and closed when the "
		         "settings "
		         "lost it: restart secd",
		         text);
	else if (err == EADDRINUSE && adopt_meets(a, addr))
		snprintf(why, 256,
		         "listen %s: sockets that were passed overlap it, and another user has "
		         "bound "
		         "them: pass some for it as well, one of each kind for each worker",
		         text);
	else
		sock_why(addr, err, why);
}

/* --- other settings --------------------------------------------------------------------------- */

unsigned adopt_least(const adopt_t *a, const addr_t *listen, size_t listens, const addr_t **addr)
{
	unsigned least = 0;

	for (size_t i = 0; i < a->count; i++) {
		const adopted_t *s = &a->list[i];
		const unsigned n = s->gone || !is_listened(listen, listens, &s->addr)
		                           ? 0
		                           : count_of(a, &s->addr, s->type);

		if (n > least) {
			least = n;
			*addr = &s->addr;
		}
	}
	return least;
}

void adopt_keep(adopt_t *a, const addr_t *listen, size_t listens)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < a->count; i++) {
		adopted_t *s = &a->list[i];

		if (s->gone || is_listened(listen, listens, &s->addr))
			continue;
		s->gone = true;
		log_warn(
			"socket given-up addr=%s kind=%s why=\"no listen in the settings names its "
			"address any more; as long as who passed it holds it, what comes there is "
			"lost\"",
			addr_text(&s->addr, text), kind_text(s->type));
	}
}

void adopt_close(adopt_t *a)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->list[i].fd >= 0)
			close(a->list[i].fd);
	}
	free(a->list);
	*a = (adopt_t){ 0 };
}
