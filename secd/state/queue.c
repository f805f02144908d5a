/* state/queue.c - a list, a mutex, a condition. */
#include <errno.h>
#include <time.h>

#include "state/inner.h"

void state_queue_open(state_queue_t *q)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->ready, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&q->mutex, NULL);
	q->last = &q->first;
}

void state_queue_close(state_queue_t *q)
{
	pthread_cond_destroy(&q->ready);
	pthread_mutex_destroy(&q->mutex);
}

void state_queue_push(state_queue_t *q, state_save_t *save)
{
	save->next = NULL;
	pthread_mutex_lock(&q->mutex);
	*q->last = save;
	q->last = &save->next;
	pthread_cond_signal(&q->ready);
	pthread_mutex_unlock(&q->mutex);
}

/* ms from now. */
static struct timespec in_ms(int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000L;
	at.tv_sec += at.tv_nsec / 1000000000L;
	at.tv_nsec %= 1000000000L;
	return at;
}

state_save_t *state_queue_take(state_queue_t *q, int ms, bool *stop)
{
	const struct timespec until = in_ms(ms > 0 ? ms : 0);
	int err = 0;

	pthread_mutex_lock(&q->mutex);
	while (!q->first && !q->stop && !q->woken && err != ETIMEDOUT)
		err = ms < 0 ? pthread_cond_wait(&q->ready, &q->mutex)
		             : pthread_cond_timedwait(&q->ready, &q->mutex, &until);
	state_save_t *all = q->first;
	q->first = NULL;
	q->last = &q->first;
	q->woken = false;
	*stop = q->stop;
	pthread_mutex_unlock(&q->mutex);
	return all;
}

void state_queue_stop(state_queue_t *q)
{
	pthread_mutex_lock(&q->mutex);
	q->stop = true;
	pthread_cond_signal(&q->ready);
	pthread_mutex_unlock(&q->mutex);
}

void state_queue_wake(state_queue_t *q)
{
	pthread_mutex_lock(&q->mutex);
	q->woken = true;
	pthread_cond_signal(&q->ready);
	pthread_mutex_unlock(&q->mutex);
}
