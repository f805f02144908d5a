/* common/pool.c - a queue, a mutex, a condition. */
#include "common/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define BUILDER_NICE 10

struct pool {
	pthread_mutex_t mutex;
	pthread_cond_t ready;
	pool_job_t *first;
	pool_job_t **last;
	bool stop;
	size_t threads;
	pthread_t thread[];
};

static pool_job_t *next_job(pool_t *pool)
{
	pthread_mutex_lock(&pool->mutex);
	while (!pool->first && !pool->stop)
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
	pool_t *pool = arg;
	pool_job_t *job;

	/* Linux keeps a nice value per thread. Being refused it only costs politeness. */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), BUILDER_NICE);
	while ((job = next_job(pool)))
		job->run(job);
	return NULL;
}

pool_t *pool_new(const char *name, size_t threads)
{
	pool_t *pool = calloc(1, sizeof *pool + threads * sizeof pool->thread[0]);
	sigset_t all, before;

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->ready, NULL);
	pool->last = &pool->first;

	sigfillset(&all); /* signals belong to the main thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (pool->threads < threads &&
	       pthread_create(&pool->thread[pool->threads], NULL, work, pool) == 0)
		pthread_setname_np(pool->thread[pool->threads++], name);
	pthread_sigmask(SIG_SETMASK, &before, NULL);

	if (pool->threads > 0)
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
	for (size_t i = 0; i < pool->threads; i++)
		pthread_join(pool->thread[i], NULL);
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
	pthread_cond_signal(&pool->ready);
	pthread_mutex_unlock(&pool->mutex);
}
