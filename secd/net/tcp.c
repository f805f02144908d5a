/* net/tcp.c - accepting, limits, and the list of connections by age. */
#include "net/tcp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "net/conn.h"

enum {
	ACCEPTS_PER_TURN = 64,
	/* How far we look for a connection at rest before we take the oldest one. */
	LOOK_AT = 64,
};

/* Out of descriptors or memory: accepting would fail at once, again and again. */
static const ev_tstamp back_off_s = 0.1;

/* When all places are taken, a query that is still unfinished after this is no query. */
static const ev_tstamp patience_s = 1.0;

typedef struct tcp_listener {
	ev_io io; /* first */
	addr_t local;
} tcp_listener_t;

struct tcp {
	worker_t *w;
	clients_t *clients;
	ev_tstamp idle;
	tcp_listener_t **listeners;
	size_t count;
	ev_timer resume; /* accepting, after a back-off */
	ev_timer expiry; /* of the oldest, or earlier: it is not moved for each query */
	conn_t *oldest, *newest;
	conn_desk_t desk;
	void (*empty)(worker_t *w); /* the last connection has gone; NULL: nobody waits for it */
};

/* --- the list --------------------------------------------------------------------------------- */

static void unlink_conn(tcp_t *tcp, conn_t *c)
{
	*(c->older ? &c->older->newer : &tcp->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &tcp->newest) = c->older;
}

static void link_newest(tcp_t *tcp, conn_t *c)
{
	c->active = clock_mono();
	c->older = tcp->newest;
	c->newer = NULL;
	*(c->older ? &c->older->newer : &tcp->oldest) = c;
	tcp->newest = c;
}

static void touch(tcp_t *tcp, conn_t *c)
{
	unlink_conn(tcp, c);
	link_newest(tcp, c);
}

static void close_conn(tcp_t *tcp, conn_t *c)
{
	unlink_conn(tcp, c);
	ev_io_stop(tcp->w->loop, &c->io);
	close(c->io.fd);
	clients_leave(tcp->clients, &c->peer);
	worker_count(&tcp->w->counters.tcp_open, (uint64_t)-1);
	conn_clear(c);
	free(c);
	if (!tcp->oldest && tcp->empty)
		tcp->empty(tcp->w);
}

static void on_expiry(struct ev_loop *loop, ev_timer *timer, int revents)
{
	tcp_t *tcp = timer->data;
	mono_t now = clock_mono();

	(void)revents;
	while (tcp->oldest && mono_diff(tcp->oldest->active, now) >= tcp->idle)
		close_conn(tcp, tcp->oldest);
	ev_timer_stop(loop, timer);
	if (tcp->oldest) {
		ev_timer_set(timer, tcp->idle - mono_diff(tcp->oldest->active, now), 0.);
		ev_timer_start(loop, timer);
	}
}

/* --- one connection --------------------------------------------------------------------------- */

static void on_event(struct ev_loop *loop, ev_io *io, int revents)
{
	/* io is the connection's first member. */
	conn_t *c = (conn_t *)io;
	tcp_t *tcp = io->data;

	(void)revents;
	switch (conn_event(c, &tcp->desk)) {
	case CONN_OVER:
		close_conn(tcp, c);
		return;
	case CONN_ACTIVE:
		touch(tcp, c);
		break;
	case CONN_RESTS:
		break;
	}
	int wants = conn_wants(c);
	if (!(io->events & wants)) {
		ev_io_stop(loop, io);
		ev_io_set(io, io->fd, wants);
		ev_io_start(loop, io);
	}
}
_Static_assert(offsetof(conn_t, io) == 0, "on_event() turns its watcher into a connection");

static status_t open_conn(tcp_t *tcp, int fd, const addr_t *peer)
{
	conn_t *c = calloc(1, sizeof *c);

	if (!c)
		return ST_NOMEM;
	c->peer = *peer;
	ev_io_init(&c->io, on_event, fd, EV_READ);
	c->io.data = tcp;
	ev_io_start(tcp->w->loop, &c->io);
	link_newest(tcp, c);
	worker_count(&tcp->w->counters.tcp_open, 1);
	if (!ev_is_active(&tcp->expiry)) {
		ev_timer_set(&tcp->expiry, tcp->idle, 0.);
		ev_timer_start(tcp->w->loop, &tcp->expiry);
	}
	return ST_OK;
}

/* --- letting in ------------------------------------------------------------------------------- */

/* All places are taken: the connection that has rested longest goes (RFC 7766 6.2.3), or, when
 * none of the old ones rests, the one whose query has dripped longest. */
static bool make_place(tcp_t *tcp)
{
	conn_t *c = tcp->oldest;

	for (int i = 0; c && i < LOOK_AT; i++, c = c->newer) {
		if (conn_idle(c)) {
			close_conn(tcp, c);
			return true;
		}
	}
	c = tcp->oldest;
	if (!c || mono_diff(c->active, clock_mono()) < patience_s)
		return false;
	close_conn(tcp, c);
	return true;
}

static void admit(tcp_t *tcp, int fd, const addr_t *peer)
{
	clients_verdict_t verdict = clients_enter(tcp->clients, peer);

	/* More than one are too many when there may be fewer than before. */
	while (verdict == CLIENTS_FULL && make_place(tcp))
		verdict = clients_enter(tcp->clients, peer);
	if (verdict == CLIENTS_ADMITTED) {
		if (open_conn(tcp, fd, peer) == ST_OK) {
			worker_count(&tcp->w->counters.tcp_accepted, 1);
			return;
		}
		clients_leave(tcp->clients, peer);
	}
	worker_count(&tcp->w->counters.tcp_refused, 1);
	close(fd);
}

static void back_off(tcp_t *tcp)
{
	for (size_t i = 0; i < tcp->count; i++)
		ev_io_stop(tcp->w->loop, &tcp->listeners[i]->io);
	ev_timer_set(&tcp->resume, back_off_s, 0.);
	ev_timer_start(tcp->w->loop, &tcp->resume);
}

static void on_resume(struct ev_loop *loop, ev_timer *timer, int revents)
{
	tcp_t *tcp = timer->data;

	(void)revents;
	for (size_t i = 0; i < tcp->count; i++)
		ev_io_start(loop, &tcp->listeners[i]->io);
}

/* Is errno one of those that the next accept would meet as well? */
static bool exhausted(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
}

static void on_connect(struct ev_loop *loop, ev_io *io, int revents)
{
	tcp_t *tcp = io->data;

	(void)loop;
	(void)revents;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		addr_t peer = { 0 };
		socklen_t len = sizeof peer;
		int fd = accept4(io->fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			admit(tcp, fd, &peer);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (exhausted()) {
			/* accept() wants a descriptor before it looks for a connection, so only
			 * the first of a turn, for which there was an event, means anything. */
			if (i > 0)
				return;
			if (errno != EMFILE || !make_place(tcp)) {
				back_off(tcp);
				return;
			}
		}
		/* Anything else is an error of that one connection (accept(2)). */
	}
}

/* --- life ------------------------------------------------------------------------------------- */

tcp_t *tcp_new(worker_t *w, clients_t *clients, double idle)
{
	tcp_t *tcp = calloc(1, sizeof *tcp);

	if (!tcp)
		return NULL;
	tcp->w = w;
	tcp->clients = clients;
	tcp->idle = idle;
	ev_timer_init(&tcp->resume, on_resume, 0., 0.);
	ev_timer_init(&tcp->expiry, on_expiry, 0., 0.);
	tcp->resume.data = tcp;
	tcp->expiry.data = tcp;
	if (conn_desk_open(&tcp->desk, w) != ST_OK) {
		tcp_free(tcp);
		return NULL;
	}
	return tcp;
}

status_t tcp_listen(tcp_t *tcp, int fd, const addr_t *local)
{
	tcp_listener_t **grown =
		reallocarray(tcp->listeners, tcp->count + 1, sizeof(tcp_listener_t *));
	tcp_listener_t *l = calloc(1, sizeof *l);

	if (grown)
		tcp->listeners = grown;
	if (!grown || !l) {
		free(l);
		close(fd);
		return ST_NOMEM;
	}
	l->local = *local;
	ev_io_init(&l->io, on_connect, fd, EV_READ);
	l->io.data = tcp;
	ev_io_start(tcp->w->loop, &l->io);
	tcp->listeners[tcp->count++] = l;
	return ST_OK;
}

static void close_listener(tcp_t *tcp, tcp_listener_t *l)
{
	ev_io_stop(tcp->w->loop, &l->io);
	close(l->io.fd);
	free(l);
}

void tcp_drop(tcp_t *tcp, const addr_t *local)
{
	for (size_t i = 0; i < tcp->count;) {
		tcp_listener_t *l = tcp->listeners[i];

		if (local && !addr_same(&l->local, local)) {
			i++;
			continue;
		}
		/* Out of the list first: where letting in backs off, it stops all that are in it. */
		tcp->listeners[i] = tcp->listeners[--tcp->count];
		on_connect(tcp->w->loop, &l->io, EV_READ); /* who stands there is let in */
		close_listener(tcp, l);
	}
}

void tcp_set_idle(tcp_t *tcp, double idle)
{
	if (idle == tcp->idle)
		return;
	tcp->idle = idle;
	on_expiry(tcp->w->loop, &tcp->expiry, 0);
}

bool tcp_drain(tcp_t *tcp, void (*empty)(worker_t *w))
{
	tcp->empty = tcp->oldest ? empty : NULL;
	return tcp->oldest != NULL;
}

void tcp_free(tcp_t *tcp)
{
	if (!tcp)
		return;
	tcp->empty = NULL;
	while (tcp->oldest)
		close_conn(tcp, tcp->oldest);
	for (size_t i = 0; i < tcp->count; i++)
		close_listener(tcp, tcp->listeners[i]);
	ev_timer_stop(tcp->w->loop, &tcp->resume);
	ev_timer_stop(tcp->w->loop, &tcp->expiry);
	conn_desk_close(&tcp->desk);
	free(tcp->listeners);
	free(tcp);
}
