/* ctl/healthy.h - the verb healthy: it waits until every worker's loop has turned, and judges then. For ctl/ctl
 * alone. Main thread. */
#pragma once

#include "ctl/verbs.h"

/* Seconds that a worker has for a turn. */
#define CTL_TURN_TIME 2.0

/* Somebody who waits for it. */
typedef struct ctl_healthy ctl_healthy_t;

/* Ask the workers. done(arg, turned) is called once, from the loop, when all have turned, or when their time is
 * over; the answer frees the ctl_healthy_t. NULL: no memory. */
ctl_healthy_t *ctl_healthy_ask(const ctl_env_t *env, void (*done)(void *arg, bool turned),
                               void *arg);

/* Nobody waits any more. NULL is fine. */
void ctl_healthy_forget(ctl_healthy_t *h);

/* Fills the call's report: CTL_DONE, or CTL_NO with why. Its request is sound. */
ctl_outcome_t ctl_healthy_judge(ctl_call_t *call, bool turned);
