/* ctl/feed.h - an answer that comes in pieces, as its client takes them, and as they come to be.
 *
 *     client: next() -> a piece | nothing yet ... wake(arg) | it is over
 *
 * So a large answer costs its client's pace no more than a piece, and one that goes on, as that of
 * secdctl top, nothing but its timer. Main thread. */
#pragma once

#include <stddef.h>

#include "common/status.h"
#include "ctl/ctl.h"
#include "ctl/out.h"
#include "ctl/report.h"

typedef struct ctl_feed ctl_feed_t;
struct ctl_feed {
	/* ST_OK: *out is the caller's to free(); ST_STALE: nothing yet: wake is called when there is;
	 * ST_NOENT: all has come; else it failed. */
	status_t (*next)(ctl_feed_t *f, char **out, size_t *len);
	void (*free)(ctl_feed_t *f);
	/* The client's own. Never called from within next. May free the feed: nothing comes behind it. */
	void (*wake)(void *arg);
	void *arg;
};

typedef enum ctl_fed {
	CTL_FED_PIECE, /* a piece is in out, as ctl/ctl.h frames it */
	CTL_FED_LATER, /* nothing yet */
	CTL_FED_LAST,  /* what ends the answer; nothing, if there was no memory: it is cut short */
} ctl_fed_t;

/* What comes next, into out, in place of what was there. */
ctl_fed_t ctl_feed_fill(ctl_feed_t *f, ctl_out_t *out);

/* The metrics, in Prometheus text. NULL: no memory. */
ctl_feed_t *ctl_feed_metrics(const ctl_env_t *env);

/* What happens, each second; frames: so many of them, or without end with 0. NULL: no memory. */
ctl_feed_t *ctl_feed_top(const ctl_env_t *env, report_form_t form, unsigned frames);
