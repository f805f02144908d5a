/* ctl/http.c - libmicrohttpd in the main loop. */
#include "ctl/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "ctl/gather.h"
#include "ctl/metrics.h"
#include "refresh/report.h"

enum {
	BACKLOG = 64,
	ACCEPTS_PER_TURN = 16,
	SEND_BUFFER = 128 * 1024, /* that the kernel holds for one who does not read */
	MEMORY = 32 * 1024, /* octets of a connection: its request, and a piece of its answer */
	BLOCK = 16 * 1024,  /* octets of the answer at a time */
	PATIENCE_MS = 1000, /* that a connection may take though others wait */
	MOST = 4 * CTL_HTTP_CLIENTS, /* while none is as old as that */
};

/* How often connections are looked at that take too long. */
#define LOOK_SECONDS 1.

/* Out of descriptors: accepting would fail at once, again and again. */
static const ev_tstamp back_off_s = 0.1;

/* A connection: from when it is accepted until it is closed. */
typedef struct client {
	struct client *older, *newer;
	ctl_http_t *http;
	struct MHD_Connection *connection;
	mono_t since;
	bool shut; /* its socket: libmicrohttpd will see that it is over */
	/* Its request for metrics. */
	ctl_ask_t ask;
	bool asked; /* and suspended, until it is answered */
	bool answered;
	ctl_gathered_t *found;
	ctl_metrics_page_t page;
	char *piece; /* of the answer, that is being taken */
	size_t at, len;
} client_t;

struct ctl_http {
	ctl_env_t env;
	struct MHD_Daemon *daemon;
	ev_io io;       /* of its epoll descriptor */
	ev_timer timer; /* for what it wants to do without an event */
	ev_io *listeners;
	size_t count;
	ev_timer resume; /* accepting, after a back-off */
	client_t *oldest, *newest;
	unsigned clients;
	ev_timer look;
	bool stopping;
};

/* --- the loop's side -------------------------------------------------------------------------- */

/* Go on with whatever can; then it says when it wants to be called though nothing happens. */
static void turn(ctl_http_t *h)
{
	struct ev_loop *loop = h->env.loop;
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(h->daemon);
	ev_timer_stop(loop, &h->timer);
	if (MHD_get_timeout(h->daemon, &ms) != MHD_YES)
		return;
	ev_timer_set(&h->timer, (double)ms / 1000, 0.);
	ev_timer_start(loop, &h->timer);
}

static void on_event(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)loop;
	(void)revents;
	turn(io->data);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)revents;
	turn(timer->data);
}

/* --- connections ------------------------------------------------------------------------------ */

/* libmicrohttpd closes it when it sees that nothing more goes through. */
static void shut(client_t *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	c->shut = true;
	if (info)
		(void)shutdown(info->connect_fd, SHUT_RDWR);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int revents)
{
	ctl_http_t *h = timer->data;
	const mono_t late = mono_add_ms(clock_mono(), -CTL_HTTP_TIME * 1000);

	(void)revents;
	for (client_t *c = h->oldest; c && mono_before(c->since, late); c = c->newer) {
		if (!c->shut)
			shut(c);
	}
	if (!h->oldest)
		ev_timer_stop(loop, timer);
}

/* There are more than there may be: the one goes that has been here longest, unless that is not long. */
static void make_place(ctl_http_t *h)
{
	const mono_t late = mono_add_ms(clock_mono(), -PATIENCE_MS);
	client_t *c = h->oldest;

	while (c && c->shut)
		c = c->newer;
	if (c && mono_before(c->since, late))
		shut(c);
}

static void enter(ctl_http_t *h, struct MHD_Connection *connection, void **context)
{
	client_t *c = calloc(1, sizeof *c);

	*context = c;
	if (!c)
		return; /* it will have no answer */
	c->http = h;
	c->connection = connection;
	c->since = clock_mono();
	c->older = h->newest;
	*(c->older ? &c->older->newer : &h->oldest) = c;
	h->newest = c;
	if (++h->clients > CTL_HTTP_CLIENTS)
		make_place(h);
	if (!ev_is_active(&h->look))
		ev_timer_again(h->env.loop, &h->look);
}

static void leave(client_t *c)
{
	ctl_http_t *h = c->http;

	*(c->older ? &c->older->newer : &h->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &h->newest) = c->older;
	h->clients--;
	if (c->asked)
		ctl_gather_leave(h->env.gather, &c->ask);
	ctl_gathered_free(c->found);
	free(c->piece);
	free(c);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
	switch (what) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		enter(arg, connection, context);
		break;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		if (*context)
			leave(*context);
		*context = NULL;
		break;
	}
}

/* --- answers ---------------------------------------------------------------------------------- */

/* response is taken over. One request is all that a connection has. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              struct MHD_Response *response, const char *type)
{
	if (!response)
		return MHD_NO;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	const enum MHD_Result result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response); /* our hold on it */
	return result;
}

/* A few words. */
static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *words)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(words), (void *)(uintptr_t)words, MHD_RESPMEM_MUST_COPY);

	return answer(connection, status, response, "text/plain; charset=utf-8");
}

static enum MHD_Result say_health(ctl_http_t *h, struct MHD_Connection *connection)
{
	char words[200];
	refresh_totals_t t;
	keep_report_t k;

	if (refresh_keep_report(h->env.refresh, &k) && k.loading)
		return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
		           "zones of the state are still being loaded\n");
	refresh_totals(h->env.refresh, &t);
	if (t.expired == 0)
		return say(connection, MHD_HTTP_OK, "ok\n");
	snprintf(words, sizeof words, "%zu of %zu zones %s expired\n", t.expired, t.zones,
	         t.expired == 1 ? "has" : "have");
	return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, words);
}

/* The next octets of the metrics. */
static ssize_t read_metrics(void *arg, uint64_t at, char *out, size_t room)
{
	client_t *c = arg;

	(void)at;
	if (c->at == c->len) {
		free(c->piece);
		c->piece = NULL;
		c->at = c->len = 0;
		const status_t st = c->found ? ctl_metrics_next(&c->page, &c->piece, &c->len)
		                             : ST_NOENT; /* after HEAD nobody asks */

		if (st != ST_OK)
			return st == ST_NOENT ? MHD_CONTENT_READER_END_OF_STREAM
			                      : MHD_CONTENT_READER_END_WITH_ERROR;
	}
	const size_t n = c->len - c->at < room ? c->len - c->at : room;
	memcpy(out, c->piece + c->at, n);
	c->at += n;
	return (ssize_t)n;
}

static enum MHD_Result send_metrics(client_t *c)
{
	struct MHD_Response *response;

	if (!c->found)
		return say(c->connection, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
	response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_metrics, c, NULL);
	return answer(c->connection, MHD_HTTP_OK, response,
	              "text/plain; version=0.0.4; charset=utf-8");
}

static void on_gathered(ctl_ask_t *ask, ctl_gathered_t *found)
{
	client_t *c = (client_t *)(void *)((char *)ask - offsetof(client_t, ask));
	ctl_http_t *h = c->http;

	c->asked = false;
	c->answered = true;
	c->found = found;
	c->page.found = found;
	MHD_resume_connection(c->connection);
	turn(h);
}

/* --- requests --------------------------------------------------------------------------------- */

static client_t *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static enum MHD_Result want_metrics(client_t *c, bool head)
{
	if (head)
		return answer(c->connection, MHD_HTTP_OK,
		              MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
		                                                read_metrics, c, NULL),
		              "text/plain; version=0.0.4; charset=utf-8");
	if (c->answered)
		return send_metrics(c);
	c->asked = true;
	c->ask.done = on_gathered;
	MHD_suspend_connection(c->connection);
	ctl_gather_ask(c->http->env.gather, &c->ask);
	return MHD_YES;
}

/* Called when the header is in, and once more after each time that it was suspended. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
	ctl_http_t *h = arg;
	client_t *c = client_of(connection);
	const bool head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;

	(void)version;
	(void)upload;
	(void)upload_len;
	(void)context;
	if (!c || h->stopping)
		return MHD_NO;
	if (!head && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET or HEAD\n");
	if (strcmp(url, "/metrics") == 0)
		return want_metrics(c, head);
	if (strcmp(url, "/healthy") == 0)
		return say_health(h, connection);
	return say(connection, MHD_HTTP_NOT_FOUND, "here are /metrics and /healthy\n");
}

/* --- life ------------------------------------------------------------------------------------- */

static int fail(int fd)
{
	const int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return -1;
}

/* A socket that listens; -1 with errno. */
static int listen_at(const addr_t *addr)
{
	const int on = 1, buffer = SEND_BUFFER;
	const int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) != 0 ||
	    (addr->sa.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
	    bind(fd, &addr->sa, addr_len(addr)) != 0 || listen(fd, BACKLOG) != 0)
		return fail(fd);
	return fd;
}

/* Is errno one of those that the next accept would meet as well? */
static bool exhausted(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
}

static void back_off(ctl_http_t *h)
{
	for (size_t i = 0; i < h->count; i++)
		ev_io_stop(h->env.loop, &h->listeners[i]);
	ev_timer_set(&h->resume, back_off_s, 0.);
	ev_timer_start(h->env.loop, &h->resume);
}

static void on_resume(struct ev_loop *loop, ev_timer *timer, int revents)
{
	ctl_http_t *h = timer->data;

	(void)revents;
	for (size_t i = 0; i < h->count; i++)
		ev_io_start(loop, &h->listeners[i]);
}

static void on_connect(struct ev_loop *loop, ev_io *io, int revents)
{
	ctl_http_t *h = io->data;

	(void)loop;
	(void)revents;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		addr_t peer = { 0 };
		socklen_t len = sizeof peer;
		const int fd = accept4(io->fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			(void)MHD_add_connection(h->daemon, fd, &peer.sa, len); /* or closes it */
		else if (exhausted())
			back_off(h);
		if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
			break;
	}
	turn(h);
}

static void listen_on(ctl_http_t *h, const addr_t *addr)
{
	ev_io *io = &h->listeners[h->count];
	char text[ADDR_TEXT_MAX];
	addr_t bound = *addr;
	socklen_t len = sizeof bound;
	const int fd = listen_at(addr);

	if (fd < 0) {
		log_warn("metrics failed addr=%s why=\"%s\"", addr_text(addr, text),
		         strerror(errno));
		return;
	}
	(void)getsockname(fd, &bound.sa, &len);
	ev_io_init(io, on_connect, fd, EV_READ);
	io->data = h;
	ev_io_start(h->env.loop, io);
	h->count++;
	log_info("metrics listening addr=%s", addr_text(&bound, text));
}

static bool start_daemon(ctl_http_t *h)
{
	const union MHD_DaemonInfo *info = NULL;

	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, h, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CTL_HTTP_IDLE,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, h, MHD_OPTION_END);
	if (h->daemon)
		info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || info->listen_fd < 0)
		return false;
	ev_io_init(&h->io, on_event, info->listen_fd, EV_READ);
	ev_io_start(h->env.loop, &h->io);
	return true;
}

ctl_http_t *ctl_http_start(const ctl_env_t *env, const addr_t *listen, size_t count)
{
	ctl_http_t *h = count > 0 ? calloc(1, sizeof *h) : NULL;

	if (!h)
		return NULL;
	h->env = *env;
	ev_init(&h->io, on_event);
	ev_init(&h->timer, on_timer);
	ev_init(&h->resume, on_resume);
	ev_timer_init(&h->look, on_look, LOOK_SECONDS, LOOK_SECONDS);
	h->io.data = h->timer.data = h->resume.data = h->look.data = h;
	h->listeners = calloc(count, sizeof *h->listeners);
	if (!h->listeners || !start_daemon(h))
		log_warn("metrics failed why=\"%s\"", status_text(ST_NOMEM));
	else
		for (size_t i = 0; i < count; i++)
			listen_on(h, &listen[i]);
	if (h->count > 0)
		return h;
	ctl_http_stop(h);
	return NULL;
}

static void stop_watching(ctl_http_t *h)
{
	for (size_t i = 0; i < h->count; i++) {
		ev_io_stop(h->env.loop, &h->listeners[i]);
		close(h->listeners[i].fd);
	}
	ev_io_stop(h->env.loop, &h->io);
	ev_timer_stop(h->env.loop, &h->timer);
	ev_timer_stop(h->env.loop, &h->resume);
	ev_timer_stop(h->env.loop, &h->look);
}

/* No connection may be suspended when its daemon ends. */
void ctl_http_stop(ctl_http_t *h)
{
	if (!h)
		return;
	h->stopping = true;
	for (client_t *c = h->oldest; c; c = c->newer) {
		if (!c->asked)
			continue;
		ctl_gather_leave(h->env.gather, &c->ask);
		c->asked = false;
		MHD_resume_connection(c->connection);
	}
	stop_watching(h);
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	free(h->listeners);
	free(h);
}
