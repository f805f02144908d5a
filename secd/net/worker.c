/* net/worker.c - the thread, and its being an epoch reader while it is awake. */
#include "net/worker.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "net/sock.h"
#include "net/tcp.h"
#include "net/udp.h"

/* No coarse clock counts the time that a machine sleeps, so the exact one is asked, but only when a
 * second has passed: nothing that is said in an answer is finer than that. */
const answer_time_t *worker_now(worker_t *w)
{
	wall_t wall = clock_wall_coarse();

	if (wall.s != w->now.wall.s)
		w->now = (answer_time_t){ wall, clock_mono() };
	return &w->now;
}

static void before_block(struct ev_loop *loop, ev_prepare *watcher, int revents)
{
	worker_t *w = watcher->data;

	(void)loop;
	(void)revents;
	epoch_offline(w->reader);
}

static void after_block(struct ev_loop *loop, ev_check *watcher, int revents)
{
	worker_t *w = watcher->data;

	(void)loop;
	(void)revents;
	epoch_online(w->reader);
}

static void on_stop(struct ev_loop *loop, ev_async *watcher, int revents)
{
	(void)watcher;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void on_beat(struct ev_loop *loop, ev_async *watcher, int revents)
{
	worker_t *w = watcher->data;

	(void)loop;
	(void)revents;
	atomic_store_explicit(&w->turned, atomic_load_explicit(&w->asked, memory_order_relaxed),
	                      memory_order_relaxed);
}

/* Online comes before every other watcher of a turn, offline behind them all. */
static void watch_turns(worker_t *w)
{
	ev_prepare_init(&w->before, before_block);
	ev_check_init(&w->after, after_block);
	ev_async_init(&w->stop, on_stop);
	ev_async_init(&w->beat, on_beat);
	ev_set_priority(&w->before, EV_MINPRI);
	ev_set_priority(&w->after, EV_MAXPRI);
	w->before.data = w;
	w->after.data = w;
	w->beat.data = w;
	ev_prepare_start(w->loop, &w->before);
	ev_check_start(w->loop, &w->after);
	ev_async_start(w->loop, &w->stop);
	ev_async_start(w->loop, &w->beat);
}

/* --- other settings --------------------------------------------------------------------------- */

enum { LEAVE_STEPS = 3 };

/* Until each step: what was on its way to the sockets has come; who shook hands has been let in; whoever is
 * still connected has had his time. */
static const ev_tstamp leave_after_s[LEAVE_STEPS] = { 0.1, 1., 60. };

static void end(worker_t *w)
{
	ev_timer_stop(w->loop, &w->leaving);
	ev_break(w->loop, EVBREAK_ALL);
	mailbox_send(w->back, &w->ended);
}

/* The kernel sends it nothing new by now. */
static void on_leaving(struct ev_loop *loop, ev_timer *timer, int revents)
{
	worker_t *w = timer->data;

	(void)revents;
	switch (w->left++) {
	case 0:
		udp_drop(w->udp, NULL);
		break;
	case 1:
		tcp_drop(w->tcp, NULL);
		if (!tcp_drain(w->tcp, end)) {
			end(w);
			return;
		}
		break;
	default:
		(void)tcp_drain(w->tcp, NULL);
		end(w);
		return;
	}
	ev_timer_set(timer, leave_after_s[w->left], 0.);
	ev_timer_start(loop, timer);
}

/* Nothing of the batch before is under way. */
static void on_change(void *arg, mail_t *mail)
{
	worker_change_t *c = (worker_change_t *)(void *)mail;
	worker_t *w = arg;

	answer_set_conf(w->answer, c->answer);
	tcp_set_idle(w->tcp, c->tcp_idle);
	for (size_t i = 0; i < c->pair_count; i++)
		(void)worker_listen(w, &c->pairs[i]);
	for (size_t i = 0; i < c->drop_count; i++) {
		udp_drop(w->udp, &c->drops[i]);
		tcp_drop(w->tcp, &c->drops[i]);
	}
	if (c->leave) {
		ev_timer_set(&w->leaving, leave_after_s[0], 0.);
		ev_timer_start(w->loop, &w->leaving);
	}
	mailbox_send(w->back, mail);
}

void worker_change(worker_t *w, worker_change_t *change)
{
	change->worker = w;
	mailbox_send(&w->changes, &change->mail);
}

worker_t *worker_ended(mail_t *mail)
{
	return (worker_t *)(void *)((char *)mail - offsetof(worker_t, ended));
}

void worker_ask(worker_t *w, unsigned ticket)
{
	atomic_store_explicit(&w->asked, ticket, memory_order_relaxed);
	ev_async_send(w->loop, &w->beat);
}

/* Several that wait are answered by one turn. */
bool worker_answered(const worker_t *w, unsigned ticket)
{
	return (int)(atomic_load_explicit(&w->turned, memory_order_relaxed) - ticket) >= 0;
}

status_t worker_open(worker_t *w, const worker_env_t *env, const answer_conf_t *answer,
                     double tcp_idle, epoch_reader_t *reader)
{
	w->reader = reader;
	w->back = env->back;
	w->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK);
	if (!w->loop)
		return ST_SYSTEM;
	watch_turns(w);
	mailbox_open(&w->changes, w->loop, on_change, w);
	ev_init(&w->leaving, on_leaving);
	w->leaving.data = w;
	w->answer = answer_new(env->zones, answer, &w->answered);
	post_init(&w->post, env->notify);
	w->udp = udp_new(w);
	w->tcp = tcp_new(w, env->clients, tcp_idle);
	return w->answer && w->udp && w->tcp ? ST_OK : ST_NOMEM;
}

status_t worker_bind(const addr_t *addr, worker_pair_t *out)
{
	*out = (worker_pair_t){ .udp = -1, .tcp = -1, .local = *addr };
	if (sock_udp(addr, &out->udp) != ST_OK)
		return ST_SYSTEM;
	if (sock_tcp(addr, &out->tcp) == ST_OK)
		return ST_OK;
	const int err = errno;

	close(out->udp);
	out->udp = -1;
	errno = err;
	return ST_SYSTEM;
}

status_t worker_listen(worker_t *w, const worker_pair_t *pair)
{
	const status_t udp = udp_listen(w->udp, pair->udp, &pair->local, pair->lent);
	const status_t tcp = tcp_listen(w->tcp, pair->tcp, &pair->local);

	return udp == ST_OK ? tcp : udp;
}

static void *run(void *arg)
{
	worker_t *w = arg;

	ev_run(w->loop, 0);
	epoch_offline(w->reader);
	return NULL;
}

status_t worker_start(worker_t *w)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err != 0) {
		errno = err;
		return ST_SYSTEM;
	}
	w->running = true;
	pthread_setname_np(w->thread, "secd-worker");
	return ST_OK;
}

void worker_stop(worker_t *w)
{
	if (w->running)
		ev_async_send(w->loop, &w->stop);
}

void worker_join(worker_t *w)
{
	if (w->running)
		pthread_join(w->thread, NULL);
	w->running = false;
}

void worker_close(worker_t *w)
{
	if (w->loop) {
		ev_timer_stop(w->loop, &w->leaving);
		mailbox_close(&w->changes); /* what was not done any more goes back all the same */
	}
	tcp_free(w->tcp);
	udp_free(w->udp);
	if (w->answer)
		answer_free(w->answer);
	if (w->loop)
		ev_loop_destroy(w->loop);
}
