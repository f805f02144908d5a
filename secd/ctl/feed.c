/* ctl/feed.c - pieces in their frames; and the metrics: gathered first, then page by page. */
#include "ctl/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctl/gather.h"
#include "ctl/metrics.h"

ctl_fed_t ctl_feed_fill(ctl_feed_t *f, ctl_out_t *out)
{
	char head[64] = "", foot[128] = "";
	char *content = NULL;
	size_t len = 0;
	const status_t st = f->next(f, &content, &len);

	if (st == ST_STALE)
		return CTL_FED_LATER;
	if (st == ST_OK)
		snprintf(head, sizeof head, "data %zu\n", len);
	else if (st == ST_NOENT)
		snprintf(foot, sizeof foot, "done\n");
	else
		snprintf(foot, sizeof foot, "no %s\n", status_text(st));
	const bool set = ctl_out_set(out, head, content, len, foot);
	return set && st == ST_OK ? CTL_FED_PIECE : CTL_FED_LAST;
}

/* --- metrics ---------------------------------------------------------------------------------- */

typedef struct metrics {
	ctl_feed_t feed; /* first */
	ctl_gather_t *gather;
	ctl_ask_t ask;
	bool asked, failed;
	ctl_gathered_t *found;
	ctl_metrics_page_t page;
} metrics_t;
_Static_assert(offsetof(metrics_t, feed) == 0, "a feed is turned into its metrics");

static void on_gathered(ctl_ask_t *ask, ctl_gathered_t *found)
{
	metrics_t *m = (metrics_t *)(void *)((char *)ask - offsetof(metrics_t, ask));

	m->asked = false;
	m->found = found;
	m->failed = !found;
	m->page.found = found;
	m->feed.wake(m->feed.arg);
}

static status_t next(ctl_feed_t *feed, char **out, size_t *len)
{
	metrics_t *m = (metrics_t *)feed;

	if (m->failed)
		return ST_NOMEM;
	if (m->found)
		return ctl_metrics_next(&m->page, out, len);
	if (!m->asked)
		ctl_gather_ask(m->gather, &m->ask);
	m->asked = true;
	return ST_STALE;
}

static void end(ctl_feed_t *feed)
{
	metrics_t *m = (metrics_t *)feed;

	if (m->asked)
		ctl_gather_leave(m->gather, &m->ask);
	ctl_gathered_free(m->found);
	free(m);
}

ctl_feed_t *ctl_feed_metrics(const ctl_env_t *env)
{
	metrics_t *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->feed.next = next;
	m->feed.free = end;
	m->gather = env->gather;
	m->ask.done = on_gathered;
	return &m->feed;
}
