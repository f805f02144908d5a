/* ctl/lint.h - the advice that there is for some zones (zone/advice.h), as an answer. For ctl/ alone.
 *
 *     main loop                                        the thread of a dump (ctl/dump.h)
 *     ctl_lint_new: which zones, held; what other
 *     zones know of their name servers        --->     ctl_lint_run: looks them over, makes the report
 *
 * --parent says which NS the parent has, in place of whoever asked it (ctl/parent.h).
 *
 * JSON: {"now":S,"advice":[{"zone":W,"what":W,"rfc":W,"words":W}, ...],"zones":N,"advised":N,
 * "empty":N,"matched":N}; zones: looked at; empty: those of which nothing is held; matched: all that match. */
#pragma once

#include "ctl/report.h"
#include "ctl/verbs.h"
#include "zone/advice.h"

typedef struct ctl_lint ctl_lint_t;

/* Of the call's arguments. CTL_LINT with *out, to be freed; else what came of it, with call->why. Main
 * thread. */
ctl_outcome_t ctl_lint_new(ctl_call_t *call, ctl_lint_t **out);
void ctl_lint_free(ctl_lint_t *l); /* any thread; NULL is fine */

/* What the closest of our zones around a name server's name says of it. Main thread. */
void ctl_lint_ask_neighbour(const refresh_t *refresh, zone_ns_t *ns);

/* Fills out. ST_OK, and why is empty if there is nothing to be advised; ST_NOMEM. Any thread, once. */
status_t ctl_lint_run(ctl_lint_t *l, report_t *out, char why[256]);
