/* common/pool.h - a small pool of threads for work that must not hold up a loop.
 *
 * Jobs are taken in the order in which they came. They run at nice 10 (never SCHED_IDLE:
 * on a busy machine a change must still get through within a second). */
#pragma once

#include <stddef.h>

#include "common/status.h"

typedef struct pool pool_t;

typedef struct pool_job {
	struct pool_job *next;
	void (*run)(struct pool_job *job); /* owns the job from here on */
} pool_job_t;

/* Start threads named name. NULL: no thread could be started. Main thread. */
pool_t *pool_new(const char *name, size_t threads);

/* So many threads take jobs from now on, at least 1; those that are too many sleep, and where more can't be
 * started, there are as many as can. Main thread. */
void pool_resize(pool_t *pool, size_t threads);

/* Run what is queued, then join. Main thread. NULL is fine. */
void pool_free(pool_t *pool);

/* Any thread. Never fails, never waits for a job. */
void pool_push(pool_t *pool, pool_job_t *job);
