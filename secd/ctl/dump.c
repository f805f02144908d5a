/* ctl/dump.c - frames and deadlines; and who frees what when one side is in a hurry. */
#include "ctl/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "ctl/print.h"
#include "ctl/request.h"

enum {
	NICE = 10,
	FRAME_MAX = 32, /* "data N\n" */
};

/* Who comes second frees all. */
typedef enum stage { DUMP_RUNS, DUMP_SENT, DUMP_ABANDONED } stage_t;

struct ctl_dump {
	mail_t mail; /* first: the mailbox hands out this pointer */
	ctl_dump_order_t order;
	pthread_t thread;
	bool joined;
	_Atomic int stage;

	/* The thread's. */
	const zone_version_t *v;
	mono_t began, progress;
	status_t status; /* of what is written; sticks: what follows does nothing */
	ctl_printed_t printed;
};

/* --- octets to the client --------------------------------------------------------------------- */

/* Wait until the client takes more, or the time is up. */
static status_t wait_writable(ctl_dump_t *d)
{
	struct pollfd p = { .fd = d->order.fd, .events = POLLOUT };
	mono_t now = clock_mono();
	double left = d->order.idle - mono_diff(d->progress, now);
	double all_left = d->order.total - mono_diff(d->began, now);

	if (all_left < left)
		left = all_left;
	if (left <= 0)
		return ST_TIMEOUT;
	return poll(&p, 1, (int)(left * 1000) + 1) < 0 && errno != EINTR ? ST_SYSTEM : ST_OK;
}

static void write_all(ctl_dump_t *d, const char *at, size_t len)
{
	while (d->status == ST_OK && len > 0) {
		ssize_t n = send(d->order.fd, at, len, MSG_NOSIGNAL);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
			d->progress = clock_mono();
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			d->status = wait_writable(d);
		} else if (errno != EINTR) {
			d->status = ST_SYSTEM;
		}
	}
	if (mono_diff(d->began, d->progress) > d->order.total && d->status == ST_OK)
		d->status = ST_TIMEOUT;
}

static void write_text(ctl_dump_t *d, const char *text)
{
	write_all(d, text, strlen(text));
}

/* For print: a piece, behind its frame. */
static status_t put(void *arg, const char *text, size_t len)
{
	ctl_dump_t *d = arg;
	char frame[FRAME_MAX];

	snprintf(frame, sizeof frame, "data %zu\n", len);
	write_text(d, frame);
	write_all(d, text, len);
	return d->status;
}

/* What comes of it. */
static status_t put_all(ctl_dump_t *d)
{
	const ctl_print_order_t order = {
		.version = d->v,
		.form = d->order.form,
		.holder = "secd",
		.wall_ms = d->order.wall_ms,
		.sink = { put, d },
	};

	write_text(d, CTL_PROTOCOL "\n");
	if (d->status != ST_OK)
		return d->status;
	const status_t st = ctl_print(&order, &d->printed);
	if (st == ST_OK)
		write_text(d, "done\n");
	else if (st == ST_NOMEM) /* between two frames: there is a client to tell */
		write_text(d, "no out of memory\n");
	return st == ST_OK ? d->status : st;
}

/* A report, which may take a while to make. */
static status_t put_look(ctl_dump_t *d)
{
	report_t *report = report_new(clock_mono(), d->order.wall_ms);
	char why[256], *text = NULL;
	size_t len = 0;
	status_t st = report ? d->order.look.run(d->order.look.what, report, why) : ST_NOMEM;

	if (st == ST_OK)
		st = report_render(report, d->order.form, &text, &len);
	report_free(report);
	d->progress = clock_mono();
	write_text(d, CTL_PROTOCOL "\n");
	if (st != ST_OK) {
		write_text(d, "no out of memory\n");
		return st;
	}
	if (d->status == ST_OK)
		(void)put(d, text, len);
	free(text);
	if (why[0] == '\0') {
		write_text(d, "done\n");
	} else {
		write_text(d, "no ");
		write_text(d, why);
		write_text(d, "\n");
	}
	return d->status;
}

static void log_end(const ctl_dump_t *d, status_t st)
{
	double seconds = mono_diff(d->began, clock_mono());
	char name[DNS_NAME_TEXT_MAX];

	dns_name_text(zone_version_apex_name(d->v), name);
	if (st == ST_OK)
		log_info("control dumped zone=%s serial=%u records=%llu bytes=%llu seconds=%.3f",
		         name, zone_version_soa(d->v)->serial,
		         (unsigned long long)d->printed.records,
		         (unsigned long long)d->printed.octets, seconds);
	else
		log_info("control dump-ended zone=%s bytes=%llu seconds=%.3f why=\"%s\"", name,
		         (unsigned long long)d->printed.octets, seconds,
		         st == ST_SYSTEM ? "the client is gone" : status_text(st));
}

/* --- life ------------------------------------------------------------------------------------- */

/* All but the struct, which is the last to go. */
static void let_go(ctl_dump_t *d)
{
	zone_hold_free(d->order.hold);
	if (d->order.look.what)
		d->order.look.release(d->order.look.what);
	close(d->order.fd);
	d->order.hold = NULL;
	d->order.look.what = NULL;
}

static void *run(void *arg)
{
	ctl_dump_t *d = arg;

	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
	d->began = d->progress = clock_mono();
	if (d->order.look.what) {
		(void)put_look(d);
	} else {
		d->v = zone_hold_version(d->order.hold);
		log_end(d, put_all(d));
	}
	let_go(d);
	/* The mail first: whoever abandons it after that finds it sent, and joins. */
	if (atomic_exchange(&d->stage, DUMP_SENT) == DUMP_ABANDONED)
		free(d);
	else
		mailbox_send(d->order.ended, &d->mail);
	return NULL;
}

ctl_dump_t *ctl_dump_start(const ctl_dump_order_t *order)
{
	ctl_dump_t *d = calloc(1, sizeof *d);
	sigset_t all, before;

	if (!d) {
		zone_hold_free(order->hold);
		if (order->look.what)
			order->look.release(order->look.what);
		return NULL;
	}
	d->order = *order;
	/* Of its own: an abandoned one must not write to whoever gets the number next. */
	d->order.fd = fcntl(order->fd, F_DUPFD_CLOEXEC, 0);
	atomic_init(&d->stage, DUMP_RUNS);
	sigfillset(&all); /* signals belong to the main thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = d->order.fd < 0 ? errno : pthread_create(&d->thread, NULL, run, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err == 0) {
		pthread_setname_np(d->thread, "secd-dump");
		return d;
	}
	let_go(d);
	free(d);
	return NULL;
}

void *ctl_dump_of(mail_t *mail, ctl_dump_t **dump)
{
	*dump = (ctl_dump_t *)(void *)mail;
	return (*dump)->order.arg;
}

void ctl_dump_end(ctl_dump_t *d)
{
	if (!d->joined)
		pthread_join(d->thread, NULL);
	free(d);
}

void ctl_dump_abandon(ctl_dump_t *d, int fd)
{
	struct timespec until;

	/* Not the thread's, which may be closed, and its number another's. */
	shutdown(fd, SHUT_RDWR);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 250 * NS_PER_MS;
	until.tv_sec += until.tv_nsec / NS_PER_S;
	until.tv_nsec %= NS_PER_S;
	d->joined = pthread_timedjoin_np(d->thread, NULL, &until) == 0;
	if (d->joined)
		return;
	/* It sorts a large zone. From here on d may be gone, unless its mail is on the way. */
	pthread_t thread = d->thread;
	if (atomic_exchange(&d->stage, DUMP_ABANDONED) == DUMP_RUNS)
		pthread_detach(thread);
	else
		d->joined = pthread_join(thread, NULL) == 0;
}
