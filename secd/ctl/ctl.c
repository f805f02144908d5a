/* ctl/ctl.c - clients: a line in, an answer out, none of them waited for. */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mailbox.h"
#include "ctl/dump.h"
#include "ctl/feed.h"
#include "ctl/healthy.h"
#include "ctl/lint.h"
#include "ctl/out.h"
#include "ctl/sock.h"
#include "ctl/verbs.h"

enum {
	ACCEPTS_PER_TURN = 64,
	READ_MAX = 16 * 1024, /* octets that one client may bring in one turn */
	FRAME_MAX = 400,      /* around the content: a line before, one behind */
};

/* Out of descriptors: accepting would fail at once, again and again. */
static const ev_tstamp back_off_s = 0.1;

typedef enum stage {
	STAGE_READ,  /* its request */
	STAGE_WRITE, /* its answer */
	STAGE_FEED,  /* the same, as it comes to be */
	STAGE_DUMP,  /* a thread writes to it */
	STAGE_LATER, /* what it asked for is under way */
} stage_t;

/* What a client waits for. It outlives the client. */
typedef struct later {
	struct ctl *ctl;       /* there as long as the client is */
	struct client *client; /* NULL: it is gone */
	ctl_later_t what;
	report_form_t form;
} later_t;

typedef struct client {
	ev_io io; /* first: data is ctl */
	struct client *older, *newer;
	stage_t stage;
	mono_t since; /* it came, or took some of its answer */
	struct ucred who;
	char *in;
	size_t in_len, in_room;
	ctl_out_t out;
	ctl_dump_t *dump;
	ctl_feed_t *feed;
	later_t *later;
	ctl_fed_t fed; /* what is in out, if there is a feed */
	ctl_healthy_t *healthy;
	ctl_request_t request; /* that it asks with; lies in in */
	bool stops;            /* the daemon, once it has its answer */
} client_t;
_Static_assert(offsetof(client_t, io) == 0, "on_event() turns its watcher into a client");

struct ctl {
	ctl_env_t env;
	ctl_sock_t sock;
	char *path;
	ev_io listener;
	ev_timer resume; /* accepting, after a back-off */
	ev_timer expiry; /* of the oldest, or earlier */
	client_t *oldest, *newest;
	unsigned clients, dumps, feeds;
	bool started, closing;
	mailbox_t ended; /* dumps */
};

/* --- the list, by age ------------------------------------------------------------------------- */

static void unlink_client(ctl_t *ctl, client_t *c)
{
	*(c->older ? &c->older->newer : &ctl->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &ctl->newest) = c->older;
}

static void link_newest(ctl_t *ctl, client_t *c)
{
	c->since = clock_mono();
	c->older = ctl->newest;
	c->newer = NULL;
	*(c->older ? &c->older->newer : &ctl->oldest) = c;
	ctl->newest = c;
}

static void touch(ctl_t *ctl, client_t *c)
{
	unlink_client(ctl, c);
	link_newest(ctl, c);
}

static void close_client(ctl_t *ctl, client_t *c)
{
	bool stops = c->stops;

	unlink_client(ctl, c);
	if (c->later)
		c->later->client = NULL;
	if (c->feed) {
		c->feed->free(c->feed);
		ctl->feeds--;
	}
	ctl_healthy_forget(c->healthy);
	ev_io_stop(ctl->env.loop, &c->io);
	close(c->io.fd);
	free(c->in);
	ctl_out_free(&c->out);
	free(c);
	ctl->clients--;
	if (stops)
		ctl->env.stop(ctl->env.arg);
}

/* When its time is over, unless it does something. */
static mono_t end_of(const client_t *c)
{
	double s = c->stage == STAGE_READ ? CTL_REQUEST_TIME : CTL_ANSWER_TIME;

	return mono_add_ms(c->since, (int64_t)(s * 1000));
}

static void set_expiry(ctl_t *ctl)
{
	double in = ctl->oldest ? mono_diff(clock_mono(), end_of(ctl->oldest)) : 0;

	ev_timer_stop(ctl->env.loop, &ctl->expiry);
	if (!ctl->oldest)
		return;
	ev_timer_set(&ctl->expiry, in > 0.01 ? in : 0.01, 0.);
	ev_timer_start(ctl->env.loop, &ctl->expiry);
}

static void on_expiry(struct ev_loop *loop, ev_timer *timer, int revents)
{
	ctl_t *ctl = timer->data;
	const mono_t now = clock_mono();
	client_t *c;

	(void)loop;
	(void)revents;
	while ((c = ctl->oldest) && !mono_before(now, end_of(c))) {
		if (c->stage == STAGE_DUMP || c->stage == STAGE_LATER)
			touch(ctl, c); /* which keeps its own time */
		else
			close_client(ctl, c);
	}
	set_expiry(ctl);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Write what the client takes. */
static ctl_out_state_t write_out(ctl_t *ctl, client_t *c)
{
	bool moved = false;
	const ctl_out_state_t state = ctl_out_write(&c->out, c->io.fd, &moved);

	if (moved)
		touch(ctl, c);
	return state;
}

static void write_some(ctl_t *ctl, client_t *c)
{
	if (write_out(ctl, c) != CTL_OUT_SOME)
		close_client(ctl, c);
}

static void set_events(ctl_t *ctl, client_t *c, int events)
{
	ev_io_stop(ctl->env.loop, &c->io);
	ev_io_set(&c->io, c->io.fd, events);
	if (events != 0)
		ev_io_start(ctl->env.loop, &c->io);
}

/* The answer begins to be written. content is taken over; NULL: there is none. */
static void answer(ctl_t *ctl, client_t *c, char *content, size_t len, const char *verdict)
{
	char head[64] = CTL_PROTOCOL "\n";
	const size_t head_len = strlen(head);

	if (content)
		snprintf(head + head_len, sizeof head - head_len, "data %zu\n", len);
	(void)ctl_out_set(&c->out, head, content, len,
	                  verdict); /* without memory it is cut short */
	c->stage = STAGE_WRITE;
	set_events(ctl, c, EV_WRITE);
	write_some(ctl, c);
}

static void refuse(ctl_t *ctl, client_t *c, const char *word, const char *why)
{
	char verdict[FRAME_MAX];

	snprintf(verdict, sizeof verdict, "%s %s\n", word, why);
	answer(ctl, c, NULL, 0, verdict);
}

/* Write what the client takes of what its feed has. */
static void feed_some(ctl_t *ctl, client_t *c)
{
	ctl_out_state_t state;

	while ((state = write_out(ctl, c)) == CTL_OUT_ALL && c->fed != CTL_FED_LAST) {
		c->fed = ctl_feed_fill(c->feed, &c->out);
		if (c->fed == CTL_FED_LATER) {
			set_events(ctl, c, 0);
			return;
		}
	}
	if (state == CTL_OUT_SOME)
		set_events(ctl, c, EV_WRITE);
	else
		close_client(ctl, c);
}

static void on_fed(void *arg)
{
	client_t *c = arg;

	if (!ev_is_active(&c->io)) /* else the client has yet to take what there was */
		feed_some(c->io.data, c);
}

/* feed is taken over. */
static void begin_feed(ctl_t *ctl, client_t *c, ctl_feed_t *feed)
{
	if (ctl->feeds >= CTL_FEEDS || !ctl_out_set(&c->out, CTL_PROTOCOL "\n", NULL, 0, "")) {
		feed->free(feed);
		refuse(ctl, c, "no", "as many of these as there may be are under way");
		return;
	}
	ctl->feeds++;
	feed->wake = on_fed;
	feed->arg = c;
	c->feed = feed;
	c->stage = STAGE_FEED;
	feed_some(ctl, c);
}

static status_t run_lint(void *what, report_t *out, char why[256])
{
	return ctl_lint_run(what, out, why);
}

static void free_lint(void *what)
{
	ctl_lint_free(what);
}

/* Of hold, or of lint. */
static void begin_dump(ctl_t *ctl, client_t *c, report_form_t form, zone_hold_t *hold,
                       ctl_lint_t *lint)
{
	if (ctl->dumps >= CTL_DUMPS) {
		zone_hold_free(hold);
		ctl_lint_free(lint);
		refuse(ctl, c, "no", "as many dumps or lints as there may be are under way");
		return;
	}
	const ctl_dump_order_t order = {
		.fd = c->io.fd,
		.form = form,
		.hold = hold,
		.look = { run_lint, free_lint, lint },
		.wall_ms = clock_wall_ms(),
		.idle = CTL_ANSWER_TIME,
		.total = CTL_DUMP_TIME,
		.ended = &ctl->ended,
		.arg = c,
	};
	c->dump = ctl_dump_start(&order);
	if (!c->dump) {
		refuse(ctl, c, "no", "no thread could be started");
		return;
	}
	c->stage = STAGE_DUMP;
	ctl->dumps++;
	ev_io_stop(ctl->env.loop, &c->io);
}

static void on_dumped(void *arg, mail_t *mail)
{
	ctl_dump_t *dump;
	client_t *c = ctl_dump_of(mail, &dump);
	ctl_t *ctl = arg;

	ctl_dump_end(dump);
	if (ctl->closing) /* and so are all clients */
		return;
	ctl->dumps--;
	close_client(ctl, c);
}

/* --- requests --------------------------------------------------------------------------------- */

/* Answer with the report, as far as there is one. */
static void answer_report(ctl_t *ctl, client_t *c, const report_t *report, report_form_t form,
                          const char *verdict)
{
	char *content = NULL;
	size_t len = 0;

	if (report_render(report, form, &content, &len) != ST_OK)
		refuse(ctl, c, "no", status_text(ST_NOMEM));
	else
		answer(ctl, c, content, len, verdict);
}

/* One of them has come. */
static void came(later_t *l, const refresh_pin_result_t *pin, const ctl_reload_result_t *reload)
{
	client_t *c = l->client;
	char why[256] = "", verdict[FRAME_MAX] = "done\n";
	report_t *report = c ? report_new(clock_mono(), clock_wall_ms()) : NULL;

	if (c)
		c->later = NULL;
	if (report) {
		const ctl_outcome_t outcome = pin ? ctl_verbs_came(&l->what, pin, report, why)
		                                  : ctl_verbs_reloaded(reload, report, why);

		if (outcome != CTL_DONE)
			snprintf(verdict, sizeof verdict, "no %s\n", why);
		answer_report(l->ctl, c, report, l->form, verdict);
	} else if (c) {
		refuse(l->ctl, c, "no", status_text(ST_NOMEM));
	}
	report_free(report);
	free(l);
}

static void on_later(void *arg, const refresh_pin_result_t *result)
{
	came(arg, result, NULL);
}

static void on_reloaded(void *arg, const ctl_reload_result_t *result)
{
	came(arg, NULL, result);
}

static void begin_later(ctl_t *ctl, client_t *c, const ctl_call_t *call)
{
	later_t *l = malloc(sizeof *l);

	if (!l) {
		refuse(ctl, c, "no", status_text(ST_NOMEM));
		return;
	}
	*l = (later_t){ .ctl = ctl, .client = c, .what = call->later, .form = call->request->form };
	c->later = l;
	c->stage = STAGE_LATER;
	ev_io_stop(ctl->env.loop, &c->io);
	if (call->later.what == CTL_LATER_RELOAD)
		ctl->env.reload(ctl->env.arg, call->later.force, on_reloaded, l);
	else
		ctl_verbs_later(&ctl->env, &call->later, on_later, l);
}

static void finish(ctl_t *ctl, client_t *c, ctl_call_t *call, ctl_outcome_t outcome);

static void on_turned(void *arg, bool turned)
{
	client_t *c = arg;
	ctl_t *ctl = c->io.data;
	ctl_call_t call = { .env = &ctl->env, .request = &c->request };

	c->healthy = NULL;
	call.report = report_new(clock_mono(), clock_wall_ms());
	if (call.report)
		finish(ctl, c, &call, ctl_healthy_judge(&call, turned));
	else
		refuse(ctl, c, "no", status_text(ST_NOMEM));
	report_free(call.report);
}

static void begin_healthy(ctl_t *ctl, client_t *c, const ctl_call_t *call)
{
	c->request = *call->request;
	c->healthy = ctl_healthy_ask(&ctl->env, on_turned, c);
	if (!c->healthy) {
		refuse(ctl, c, "no", status_text(ST_NOMEM));
		return;
	}
	c->stage = STAGE_LATER;
	ev_io_stop(ctl->env.loop, &c->io);
}

static void finish(ctl_t *ctl, client_t *c, ctl_call_t *call, ctl_outcome_t outcome)
{
	char verdict[FRAME_MAX];

	switch (outcome) {
	case CTL_STOP:
		c->stops = true;
		/* fall through */
	case CTL_DONE:
		answer_report(ctl, c, call->report, call->request->form, "done\n");
		break;
	case CTL_NO:
		snprintf(verdict, sizeof verdict, "no %s\n", call->why);
		answer_report(ctl, c, call->report, call->request->form, verdict);
		break;
	case CTL_USAGE:
		refuse(ctl, c, "usage", call->why);
		break;
	case CTL_DUMP:
		begin_dump(ctl, c, call->request->form, call->hold, NULL);
		break;
	case CTL_LINT:
		begin_dump(ctl, c, call->request->form, NULL, call->lint);
		break;
	case CTL_TEXT:
		answer(ctl, c, call->text, call->text_len, "done\n");
		break;
	case CTL_FEED:
		begin_feed(ctl, c, call->feed);
		break;
	case CTL_TURNS:
		begin_healthy(ctl, c, call);
		break;
	case CTL_LATER:
		begin_later(ctl, c, call);
		break;
	}
}

static void run_request(ctl_t *ctl, client_t *c, size_t len)
{
	ctl_request_t request;
	const char *wrong = ctl_request_read(c->in, len, &request);
	ctl_call_t call = { .env = &ctl->env, .request = &request };
	const ctl_verb_t *verb;

	if (wrong) {
		refuse(ctl, c, "usage", wrong);
		return;
	}
	call.report = report_new(clock_mono(), clock_wall_ms());
	if (!call.report) {
		refuse(ctl, c, "no", status_text(ST_NOMEM));
		return;
	}
	ctl_outcome_t outcome = ctl_verbs_run(&call, &verb);
	if (verb && verb->changes && outcome != CTL_USAGE)
		ctl_verbs_log(&call, verb, c->who.uid, c->who.pid);
	finish(ctl, c, &call, outcome);
	report_free(call.report);
}

/* Room for what one turn may bring, and an octet behind it. */
static status_t make_room(client_t *c)
{
	size_t room = c->in_len + READ_MAX + 1;
	char *grown;

	if (room <= c->in_room)
		return ST_OK;
	grown = realloc(c->in, room);
	if (!grown)
		return ST_NOMEM;
	c->in = grown;
	c->in_room = room;
	return ST_OK;
}

static void read_some(ctl_t *ctl, client_t *c)
{
	char *end;
	ssize_t n;

	if (make_room(c) != ST_OK) {
		close_client(ctl, c);
		return;
	}
	n = recv(c->io.fd, c->in + c->in_len, READ_MAX, 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0) { /* gone without a whole request */
		close_client(ctl, c);
		return;
	}
	end = memchr(c->in + c->in_len, '\n', (size_t)n);
	c->in_len += (size_t)n;
	if (end)
		run_request(ctl, c, (size_t)(end - c->in));
	else if (c->in_len > CTL_REQUEST_MAX)
		refuse(ctl, c, "usage", "the request is too long");
}

static void on_event(struct ev_loop *loop, ev_io *io, int revents)
{
	client_t *c = (client_t *)io;
	ctl_t *ctl = io->data;

	(void)loop;
	(void)revents;
	switch (c->stage) {
	case STAGE_READ:
		read_some(ctl, c);
		break;
	case STAGE_WRITE:
		write_some(ctl, c);
		break;
	case STAGE_FEED:
		feed_some(ctl, c);
		break;
	case STAGE_DUMP:
	case STAGE_LATER:
		break;
	}
}

/* --- letting in ------------------------------------------------------------------------------- */

/* When all places are taken, who doesn't take its answer for so long may wait for the next one. */
enum { PATIENCE_MS = 1000 };

/* All places are taken: the one goes that has waited longest without having asked anything, or else
 * one that leaves its answer lying. */
static bool make_place(ctl_t *ctl)
{
	const mono_t late = mono_add_ms(clock_mono(), -PATIENCE_MS);

	for (client_t *c = ctl->oldest; c; c = c->newer) {
		if (c->stage == STAGE_READ) {
			close_client(ctl, c);
			return true;
		}
	}
	for (client_t *c = ctl->oldest; c && mono_before(c->since, late); c = c->newer) {
		if (c->stage == STAGE_WRITE) {
			close_client(ctl, c);
			return true;
		}
	}
	return false;
}

static void admit(ctl_t *ctl, int fd)
{
	client_t *c = ctl->clients < CTL_CLIENTS || make_place(ctl) ? calloc(1, sizeof *c) : NULL;
	socklen_t len = sizeof c->who;

	if (!c) {
		close(fd);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &len) != 0)
		c->who = (struct ucred){ 0, (uid_t)-1, (gid_t)-1 };
	ev_io_init(&c->io, on_event, fd, EV_READ);
	c->io.data = ctl;
	ev_io_start(ctl->env.loop, &c->io);
	link_newest(ctl, c);
	ctl->clients++;
	if (!ev_is_active(&ctl->expiry))
		set_expiry(ctl);
}

static void on_connect(struct ev_loop *loop, ev_io *io, int revents)
{
	ctl_t *ctl = io->data;

	(void)revents;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			admit(ctl, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			ev_io_stop(loop, io);
			ev_timer_set(&ctl->resume, back_off_s, 0.);
			ev_timer_start(loop, &ctl->resume);
			return;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		/* Anything else is an error of that one connection (accept(2)). */
	}
}

static void on_resume(struct ev_loop *loop, ev_timer *timer, int revents)
{
	ctl_t *ctl = timer->data;

	(void)revents;
	ev_io_start(loop, &ctl->listener);
}

/* --- life ------------------------------------------------------------------------------------- */

status_t ctl_open(const char *path, ctl_t **out, char why[256])
{
	ctl_t *ctl = calloc(1, sizeof *ctl);
	status_t st = ST_NOMEM;

	*out = NULL;
	snprintf(why, 256, "%s", status_text(ST_NOMEM));
	if (!ctl)
		return ST_NOMEM;
	ctl->path = strdup(path);
	if (ctl->path)
		st = ctl_sock_open(path, &ctl->sock, why);
	if (st != ST_OK) {
		free(ctl->path);
		free(ctl);
		return st;
	}
	*out = ctl;
	return ST_OK;
}

void ctl_start(ctl_t *ctl, const ctl_env_t *env)
{
	ctl->env = *env;
	mailbox_open(&ctl->ended, env->loop, on_dumped, ctl);
	ev_timer_init(&ctl->resume, on_resume, 0., 0.);
	ev_timer_init(&ctl->expiry, on_expiry, 0., 0.);
	ev_io_init(&ctl->listener, on_connect, ctl->sock.fd, EV_READ);
	ctl->resume.data = ctl->expiry.data = ctl->listener.data = ctl;
	ev_io_start(env->loop, &ctl->listener);
	ctl->started = true;
}

static void stop(ctl_t *ctl)
{
	client_t *c;

	ctl->closing = true;
	ev_io_stop(ctl->env.loop, &ctl->listener);
	ev_timer_stop(ctl->env.loop, &ctl->resume);
	while ((c = ctl->oldest)) {
		c->stops = false;
		if (c->stage == STAGE_DUMP)
			ctl_dump_abandon(c->dump, c->io.fd);
		close_client(ctl, c);
	}
	ev_timer_stop(ctl->env.loop, &ctl->expiry);
	mailbox_close(&ctl->ended);
}

void ctl_free(ctl_t *ctl)
{
	if (!ctl)
		return;
	if (ctl->started)
		stop(ctl);
	ctl_sock_close(&ctl->sock, ctl->path);
	free(ctl->path);
	free(ctl);
}
