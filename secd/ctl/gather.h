/* ctl/gather.h - all that is measured, at one moment, for whoever asks: secdctl, a client by HTTP.
 *
 *     ask, ask ... --> a survey of the zones, in slices of the main loop --> done(gathered), done ...
 *
 * One survey is under way at a time, and who asks meanwhile shares what it finds: so however many ask,
 * the loop gives them a millisecond a turn, and there is one copy for those that came together.
 *
 * Main thread. */
#pragma once

#include <ev.h>
#include <stddef.h>

#include "common/clock.h"
#include "net/net.h"
#include "refresh/refresh.h"
#include "refresh/survey.h"

/* Nothing in it is borrowed. */
typedef struct ctl_gathered {
	refresh_findings_t *zones;
	net_totals_t net;
	uint64_t memory; /* resident octets of the process */
	double cpu;      /* s */
	double started;  /* s since 1970 */
	bool has_state;  /* there is one to be: */
	bool state_works, state_loading;
	size_t unsaved; /* zones */
	state_stats_t state;
	unsigned readers;
} ctl_gathered_t;

typedef struct ctl_gather ctl_gather_t;

/* One who asks; embedded, and left alone until it is done or has left. */
typedef struct ctl_ask {
	struct ctl_ask *next;
	/* found is the callee's, for ctl_gathered_free(); NULL: no memory. Never from within
	 * ctl_gather_ask(). */
	void (*done)(struct ctl_ask *ask, ctl_gathered_t *found);
} ctl_ask_t;

/* All is borrowed. most: zones that get a row of their own. NULL: no memory. */
ctl_gather_t *ctl_gather_new(struct ev_loop *loop, const refresh_t *refresh, const net_t *net,
                             mono_t started, size_t most);
void ctl_gather_free(ctl_gather_t *g); /* nobody asks. NULL is fine */

/* ask->done() is called once, unless ctl_gather_leave() comes before. */
void ctl_gather_ask(ctl_gather_t *g, ctl_ask_t *ask);
void ctl_gather_leave(ctl_gather_t *g, ctl_ask_t *ask);

/* For one of its readers. NULL is fine. */
void ctl_gathered_free(ctl_gathered_t *found);
