/* tests/unit/common/test_threads.c - epoch, mailbox and pool, by one thread and by many. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ev.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/epoch.h"
#include "common/mailbox.h"
#include "common/pool.h"
#include "common/status.h"

TestSuite(threads, .timeout = 30);

/* --- epoch --------------------------------------------------------------------------------- */

typedef struct item {
	epoch_node_t node;
	bool gone;
} item_t;

static void let_go(epoch_node_t *node)
{
	((item_t *)(void *)node)->gone = true;
}

Test(threads, what_is_retired_waits_for_every_reader_that_is_online)
{
	epoch_t *e = epoch_new(3);
	epoch_reader_t *a = epoch_reader(e, 0), *b = epoch_reader(e, 1);
	item_t one = { .gone = false }, two = { .gone = false };

	epoch_online(a);
	epoch_online(b);
	epoch_retire(e, &one.node, let_go);
	cr_expect(eq(sz, epoch_reclaim(e), 1));
	epoch_quiescent(a);
	cr_expect(eq(sz, epoch_reclaim(e), 1), "b may still look");
	epoch_retire(e, &two.node, let_go);
	epoch_quiescent(b);
	cr_expect(eq(sz, epoch_reclaim(e), 1));
	cr_expect(one.gone && !two.gone, "a has not been quiescent since the second");
	epoch_offline(a);
	cr_expect(eq(sz, epoch_reclaim(e), 0));
	cr_expect(two.gone);
	epoch_free(e);
}

Test(threads, a_reader_that_comes_later_holds_nothing_back)
{
	epoch_t *e = epoch_new(1);
	item_t one = { .gone = false };

	epoch_retire(e, &one.node, let_go);
	epoch_online(epoch_reader(e, 0));
	cr_expect(eq(sz, epoch_reclaim(e), 0));
	cr_expect(one.gone);
	epoch_free(e);
}

Test(threads, the_end_of_an_epoch_lets_everything_go)
{
	epoch_t *e = epoch_new(1);
	item_t one = { .gone = false };

	epoch_online(epoch_reader(e, 0));
	epoch_retire(e, &one.node, let_go);
	epoch_free(e);
	cr_expect(one.gone);
}

/* --- mailbox ------------------------------------------------------------------------------- */

enum { SENDERS = 4, LETTERS = 5000 };

typedef struct letter {
	mail_t mail;
	int sender, number;
} letter_t;

typedef struct post {
	mailbox_t box;
	struct ev_loop *loop;
	int last[SENDERS], got;
	letter_t letter[SENDERS][LETTERS];
} post_t;

typedef struct sender {
	post_t *post;
	int id;
} sender_t;

static void receive(void *arg, mail_t *mail)
{
	post_t *post = arg;
	letter_t *l = (letter_t *)(void *)mail;

	cr_assert(eq(int, l->number, post->last[l->sender] + 1), "in order from each sender");
	post->last[l->sender] = l->number;
	if (++post->got == SENDERS * LETTERS)
		ev_break(post->loop, EVBREAK_ALL);
}

static void *send_all(void *arg)
{
	sender_t *s = arg;

	for (int i = 0; i < LETTERS; i++) {
		letter_t *l = &s->post->letter[s->id][i];

		l->sender = s->id;
		l->number = i + 1;
		mailbox_send(&s->post->box, &l->mail);
	}
	return NULL;
}

Test(threads, every_letter_arrives_once_and_in_its_senders_order)
{
	post_t *post = calloc(1, sizeof *post);
	sender_t sender[SENDERS];
	pthread_t thread[SENDERS];

	post->loop = ev_loop_new(EVFLAG_AUTO);
	mailbox_open(&post->box, post->loop, receive, post);
	for (int i = 0; i < SENDERS; i++) {
		sender[i] = (sender_t){ post, i };
		pthread_create(&thread[i], NULL, send_all, &sender[i]);
	}
	ev_run(post->loop, 0);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(thread[i], NULL);
	mailbox_close(&post->box);
	cr_expect(eq(int, post->got, SENDERS *LETTERS));
	ev_loop_destroy(post->loop);
	free(post);
}

Test(threads, closing_a_mailbox_delivers_what_is_in_it)
{
	post_t *post = calloc(1, sizeof *post);

	post->loop = ev_loop_new(EVFLAG_AUTO);
	mailbox_open(&post->box, post->loop, receive, post);
	post->letter[0][0].number = 1;
	mailbox_send(&post->box, &post->letter[0][0].mail);
	mailbox_close(&post->box);
	cr_expect(eq(int, post->got, 1));
	ev_loop_destroy(post->loop);
	free(post);
}

/* --- pool ---------------------------------------------------------------------------------- */

typedef struct job {
	pool_job_t job;
	_Atomic int *sum;
} job_t;

static void run_job(pool_job_t *job)
{
	atomic_fetch_add(((job_t *)(void *)job)->sum, 1);
}

Test(threads, a_pool_runs_each_job_once_also_those_left_when_it_ends)
{
	static job_t jobs[2000];
	static _Atomic int sum;
	pool_t *pool = pool_new("test", 3);

	cr_assert(pool != NULL);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i] = (job_t){ { NULL, run_job }, &sum };
		pool_push(pool, &jobs[i].job);
	}
	pool_free(pool);
	cr_expect(eq(int, atomic_load(&sum), (int)ARRAY_LEN(jobs)));
}

/* --- more of it ---------------------------------------------------------------------------- */

static void see(void *arg)
{
	unsigned *seen = arg;

	(*seen)++;
}

Test(threads, what_readers_sent_is_received_before_it_is_released)
{
	epoch_t *e = epoch_new(1);
	epoch_reader_t *r = epoch_reader(e, 0);
	item_t one = { .gone = false };
	unsigned seen = 0;

	cr_expect(eq(sz, epoch_reclaim_after(e, see, &seen), 0));
	epoch_online(r);
	epoch_retire(e, &one.node, let_go);
	cr_expect(eq(sz, epoch_reclaim_after(e, see, &seen), 1));
	cr_expect(seen == 0, "nothing is released yet");
	epoch_offline(r);
	cr_expect(eq(sz, epoch_reclaim_after(e, see, &seen), 0));
	cr_expect(seen == 1 && one.gone);
	epoch_free(e);
}

typedef struct nap {
	pool_job_t job;
	pthread_barrier_t *all;
	_Atomic unsigned *done;
} nap_t;

static void meet(pool_job_t *job)
{
	nap_t *n = (nap_t *)(void *)job;

	if (n->all)
		pthread_barrier_wait(n->all);
	atomic_fetch_add(n->done, 1);
}

/* So many jobs run at once that each waits for all others. */
static void meet_all(pool_t *pool, unsigned count, _Atomic unsigned *done)
{
	pthread_barrier_t all;
	nap_t naps[8];
	const unsigned until = atomic_load(done) + count;

	pthread_barrier_init(&all, NULL, count);
	for (unsigned i = 0; i < count; i++) {
		naps[i] = (nap_t){ { .run = meet }, &all, done };
		pool_push(pool, &naps[i].job);
	}
	while (atomic_load(done) < until)
		usleep(100);
	pthread_barrier_destroy(&all);
}

/* A job that is not done pushes itself, as one does that gives way to others. */
typedef struct again {
	pool_job_t job;
	pool_t *pool;
	_Atomic unsigned left;
} again_t;

static void go_again(pool_job_t *job)
{
	again_t *a = (again_t *)(void *)job;

	if (atomic_fetch_sub(&a->left, 1) > 1)
		pool_push(a->pool, job);
}

Test(threads, a_job_may_push_itself_while_the_pool_gets_more_threads)
{
	pool_t *pool = pool_new("test", 1);
	again_t a = { .job = { .run = go_again }, .pool = pool, .left = 2000 };

	pool_push(pool, &a.job);
	for (unsigned threads = 2; threads <= 16; threads++)
		pool_resize(pool, threads);
	while (atomic_load(&a.left) > 0)
		usleep(100);
	pool_free(pool);
}

Test(threads, a_pool_has_as_many_threads_as_it_is_told_to)
{
	pool_t *pool = pool_new("test", 1);
	_Atomic unsigned done = 0;
	nap_t naps[100];

	for (unsigned threads = 8; threads > 0; threads /= 2) {
		pool_resize(pool, threads);
		meet_all(pool, threads, &done);
	}
	/* One takes them all, in order, and the others sleep: none is left lying. */
	const unsigned until = atomic_load(&done) + 100;
	for (unsigned i = 0; i < 100; i++) {
		naps[i] = (nap_t){ { .run = meet }, NULL, &done };
		pool_push(pool, &naps[i].job);
	}
	while (atomic_load(&done) < until)
		usleep(100);
	pool_resize(pool, 3);
	meet_all(pool, 3, &done);
	pool_free(pool);
}
