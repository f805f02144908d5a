/* ctl/top.c - the feed of secdctl top: a frame each second, for as long as somebody looks. */
#include <stdlib.h>

#include "ctl/feed.h"
#include "ctl/stats.h"

/* The first comes sooner: somebody waits for it. */
#define FIRST_SECONDS 0.5
#define SECONDS       1.

typedef struct top {
	ctl_feed_t feed; /* first */
	const ctl_env_t *env;
	report_form_t form;
	bool endless;
	unsigned left; /* frames, unless it is endless */
	bool due;      /* a second has passed */
	ctl_sample_t before;
	ev_timer timer;
} top_t;
_Static_assert(offsetof(top_t, feed) == 0, "a feed is turned into its top");

static void on_second(struct ev_loop *loop, ev_timer *w, int revents)
{
	top_t *t = w->data;

	(void)loop;
	(void)revents;
	t->due = true;
	t->feed.wake(t->feed.arg);
}

/* A client that is slow gets fewer frames, of a longer time each. */
static status_t next(ctl_feed_t *feed, char **out, size_t *len)
{
	top_t *t = (top_t *)feed;

	*out = NULL;
	if (!t->endless && t->left == 0)
		return ST_NOENT;
	if (!t->due)
		return ST_STALE;
	const ctl_sample_t now = ctl_sample(t->env);
	report_t *report = report_new(now.at, clock_wall_ms());
	status_t st = ST_NOMEM;

	if (report) {
		ctl_stats_frame(t->env, &t->before, &now, report);
		st = report_render(report, t->form, out, len);
	}
	report_free(report);
	t->before = now;
	t->due = false;
	t->left -= !t->endless;
	return st;
}

static void end(ctl_feed_t *feed)
{
	top_t *t = (top_t *)feed;

	ev_timer_stop(t->env->loop, &t->timer);
	free(t);
}

ctl_feed_t *ctl_feed_top(const ctl_env_t *env, report_form_t form, unsigned frames)
{
	top_t *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->feed.next = next;
	t->feed.free = end;
	t->env = env;
	t->form = form;
	t->endless = frames == 0;
	t->left = frames;
	t->before = ctl_sample(env);
	ev_timer_init(&t->timer, on_second, FIRST_SECONDS, SECONDS);
	t->timer.data = t;
	ev_now_update(env->loop);
	ev_timer_start(env->loop, &t->timer);
	return &t->feed;
}
