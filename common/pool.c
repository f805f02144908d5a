/* common/pool.c - a queue, a mutex, a condition. */
#include "common/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define BUILDER_NICE 10

typedef struct pool_thread {
	pool_t *pool;
	size_t number;
	pthread_t thread;
} pool_thread_t;

struct pool {
	pthread_mutex_t mutex;
	pthread_cond_t ready;
	pool_job_t *first;
	pool_job_t **last;
	bool stop;
	size_t awake; /* threads with a lower number take jobs */
	char name[16];
	pool_thread_t **threads;
	size_t count;
};

/* Once it is to stop, all of them help. */
static bool may_take(const pool_t *pool, size_t number)
{
	return pool->stop || (pool->first && number < pool->awake);
}

static pool_job_t *next_job(pool_t *pool, size_t number)
{
	pthread_mutex_lock(&pool->mutex);
	while (!may_take(pool, number))
		pthread_cond_wait(&pool->ready, &pool->mutex);
	pool_job_t *job = pool->first;
	if (job) {
		pool->first = job->next;
		if (!pool->first)
			pool->last = &pool->first;
	}
	pthread_mutex_unlock(&pool->mutex);
	return job;
}

static void *work(void *arg)
{
	const pool_thread_t *self = arg;
	pool_job_t *job;

	/* Linux keeps a nice value per thread. Being refused it only costs politeness. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), BUILDER_NICE);
	while ((job = next_job(self->pool, self->number)))
		job->run(job);
	return NULL;
}

static status_t start_thread(pool_t *pool)
{
	pool_thread_t **grown =
		reallocarray(pool->threads, pool->count + 1, sizeof(pool_thread_t *));
	pool_thread_t *t = calloc(1, sizeof *t);

	if (grown)
		pool->threads = grown;
	if (!grown || !t) {
		free(t);
		return ST_NOMEM;
	}
	t->pool = pool;
	t->number = pool->count;
	if (pthread_create(&t->thread, NULL, work, t) != 0) {
		free(t);
		return ST_SYSTEM;
	}
	pthread_setname_np(t->thread, pool->name);
	pthread_mutex_lock(&pool->mutex); /* a job may push itself again meanwhile */
	pool->threads[pool->count++] = t;
	pthread_mutex_unlock(&pool->mutex);
	return ST_OK;
}

void pool_resize(pool_t *pool, size_t threads)
{
	sigset_t all, before;

	sigfillset(&all); /* signals belong to the main thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (pool->count < threads && start_thread(pool) == ST_OK)
		;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_mutex_lock(&pool->mutex);
	pool->awake = threads;
	pthread_cond_broadcast(&pool->ready);
	pthread_mutex_unlock(&pool->mutex);
}

pool_t *pool_new(const char *name, size_t threads)
{
	pool_t *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->ready, NULL);
	pool->last = &pool->first;
	snprintf(pool->name, sizeof pool->name, "%s", name);
	pool_resize(pool, threads);
	if (pool->count > 0)
		return pool;
	pool_free(pool);
	return NULL;
}

void pool_free(pool_t *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	pool->stop = true;
	pthread_cond_broadcast(&pool->ready);
	pthread_mutex_unlock(&pool->mutex);
	for (size_t i = 0; i < pool->count; i++) {
		pthread_join(pool->threads[i]->thread, NULL);
		free(pool->threads[i]);
	}
	free(pool->threads);
	pthread_cond_destroy(&pool->ready);
	pthread_mutex_destroy(&pool->mutex);
	free(pool);
}

void pool_push(pool_t *pool, pool_job_t *job)
{
	job->next = NULL;
	pthread_mutex_lock(&pool->mutex);
	*pool->last = job;
	pool->last = &job->next;
	if (pool->awake < pool->count)
		pthread_cond_broadcast(&pool->ready); /* one that sleeps would not pass it on */
	else
		pthread_cond_signal(&pool->ready);
	pthread_mutex_unlock(&pool->mutex);
}
