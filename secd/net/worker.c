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

status_t worker_open(worker_t *w, const net_conf_t *conf, const zone_set_t *zones,
                     epoch_reader_t *reader, mailbox_t *notify, clients_t *clients)
{
	w->reader = reader;
	w->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK);
	if (!w->loop)
		return ST_SYSTEM;
	watch_turns(w);
	w->answer = answer_new(zones, &conf->answer, &w->answered);
	post_init(&w->post, notify);
	w->udp = udp_new(w, conf->listens, conf->answer.udp_payload);
	w->tcp = tcp_new(w, conf->listens, clients, conf->tcp_idle);
	return w->answer && w->udp && w->tcp ? ST_OK : ST_NOMEM;
}

status_t worker_listen(worker_t *w, const addr_t *addr)
{
	int udp, tcp;

	if (sock_udp(addr, &udp) != ST_OK)
		return ST_SYSTEM;
	if (sock_tcp(addr, &tcp) != ST_OK) {
		int err = errno;

		close(udp);
		errno = err;
		return ST_SYSTEM;
	}
	udp_listen(w->udp, udp, addr);
	tcp_listen(w->tcp, tcp);
	return ST_OK;
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
	tcp_free(w->tcp);
	udp_free(w->udp);
	if (w->answer)
		answer_free(w->answer);
	if (w->loop)
		ev_loop_destroy(w->loop);
}
