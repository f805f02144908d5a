/* net/net.c - all workers together: open, start, stop, sum up. */
#include "net/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/inner.h"
#include "net/sock.h"

/* Ports to try when we may choose: one that is free for UDP may be taken for TCP. */
enum { PORT_TRIES = 16 };

static status_t out_of_memory(char why[256])
{
	snprintf(why, 256, "%s", status_text(ST_NOMEM));
	return ST_NOMEM;
}

/* --- addresses -------------------------------------------------------------------------------- */

/* All addresses before any is opened: one of ours may well contain another (0.0.0.0). Where one was passed to us, it is
 * not another server that has it. */
static status_t probe_fixed(const net_t *net, char why[256])
{
	for (size_t i = 0; i < net->listener_count; i++) {
		addr_t addr = net->listeners[i].addr;

		if (addr_port(&addr) != 0 && !adopt_meets(&net->adopted, &addr) &&
		    sock_probe(&addr) != ST_OK) {
			sock_why(&addr, errno, why);
			return ST_SYSTEM;
		}
	}
	return ST_OK;
}

/* The first worker's sockets settle whether TCP joins UDP on a port that we chose. */
status_t net_bind(addr_t *addr, worker_pair_t *out)
{
	const bool choose = addr_port(addr) == 0;
	status_t st = ST_SYSTEM;

	for (int i = 0; i < (choose ? PORT_TRIES : 1) && st != ST_OK; i++) {
		addr_t tried = *addr;

		if (choose && sock_probe(&tried) != ST_OK)
			return ST_SYSTEM;
		st = worker_bind(&tried, out);
		if (st == ST_OK)
			*addr = tried;
		else if (errno != EADDRINUSE)
			return st;
	}
	return st;
}

static status_t listen_one(net_t *net, net_listener_t *l, worker_t *w, char why[256])
{
	worker_pair_t pair;
	const status_t st = adopt_has(&net->adopted, &l->addr)
	                            ? adopt_bind(&net->adopted, &l->addr, &pair)
	                            : net_bind(&l->addr, &pair);

	if (st != ST_OK) {
		adopt_why(&net->adopted, &l->addr, net->conf.workers, errno, why);
		return ST_SYSTEM;
	}
	if (w == net->workers[0]) {
		l->udp = pair.udp;
		l->tcp = pair.tcp;
	}
	return worker_listen(w, &pair) == ST_OK ? ST_OK : out_of_memory(why);
}

static status_t listen_all(net_t *net, char why[256])
{
	status_t st = ST_OK;

	for (size_t i = 0; i < net->listener_count; i++) {
		for (unsigned w = 0; w < net->count && st == ST_OK; w++)
			st = listen_one(net, &net->listeners[i], net->workers[w], why);
	}
	return st;
}

/* --- workers ---------------------------------------------------------------------------------- */

static unsigned free_slot(const net_t *net)
{
	unsigned slot = 0;

	while (net->used[slot]) /* there are more than workers can be */
		slot++;
	return slot;
}

worker_t *net_new_worker(net_t *net, const net_conf_t *conf, char why[256])
{
	worker_t *w = aligned_alloc(_Alignof(worker_t), sizeof *w);

	if (!w) {
		out_of_memory(why);
		return NULL;
	}
	memset(w, 0, sizeof *w);
	w->slot = free_slot(net);
	atomic_init(&w->turned, net->asked); /* what was asked before was not asked of it */
	net->used[w->slot] = true;
	const status_t st = worker_open(w, &net->env, &conf->answer, conf->tcp_idle,
	                                epoch_reader(net->epoch, w->slot));
	if (st == ST_OK)
		return w;
	if (st == ST_NOMEM)
		out_of_memory(why);
	else
		snprintf(why, 256, "a worker has no event loop (raise LimitNOFILE?)");
	net_free_worker(net, w);
	return NULL;
}

static uint64_t look(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void sum_received(const worker_counters_t *c, net_totals_t *out)
{
	for (size_t t = 0; t < NET_TRANSPORTS; t++) {
		for (size_t f = 0; f < NET_FAMILIES; f++) {
			const uint64_t n = look(&c->received[t][f]);

			out->received[t][f] += n;
			out->queries += n;
		}
	}
}

static void add_totals(const worker_t *w, net_totals_t *out)
{
	const answer_counters_t *a = &w->answered;
	const worker_counters_t *c = &w->counters;

	sum_received(c, out);
	out->dropped += look(&a->dropped);
	out->unsent += look(&c->unsent);
	out->truncated += look(&a->truncated);
	out->notifies += look(&a->notifies);
	out->notifies_refused += look(&a->notifies_refused);
	for (size_t r = 0; r < ARRAY_LEN(out->rcode); r++)
		out->rcode[r] += look(&a->rcode[r]);
	for (size_t t = 0; t < ARRAY_LEN(out->type); t++)
		out->type[t] += look(&a->type[t]);
	out->tcp_accepted += look(&c->tcp_accepted);
	out->tcp_refused += look(&c->tcp_refused);
	out->tcp_open += look(&c->tcp_open);
}

void net_free_worker(net_t *net, worker_t *w)
{
	worker_close(w);
	add_totals(w, &net->past);
	net->used[w->slot] = false;
	free(w);
}

static status_t open_workers(net_t *net, char why[256])
{
	while (net->count < net->conf.workers) {
		worker_t *w = net_new_worker(net, &net->conf, why);

		if (!w)
			return ST_SYSTEM;
		net->workers[net->count++] = w;
	}
	return ST_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

static net_t *new_net(const net_conf_t *conf, const zone_set_t *zones, epoch_t *epoch,
                      mailbox_t *notify)
{
	net_t *net = calloc(1, sizeof *net);

	if (!net)
		return NULL;
	net->conf = *conf;
	net->now = &net->conf;
	net->epoch = epoch;
	net->listener_count = conf->listens;
	net->listeners = calloc(conf->listens + 1, sizeof *net->listeners);
	net->env =
		(worker_env_t){ .zones = zones,
		                .notify = notify,
		                .back = &net->back,
		                .clients = clients_new(conf->tcp_clients, conf->tcp_per_client) };
	if (!net->listeners || !net->env.clients) {
		net_free(net);
		return NULL;
	}
	for (size_t i = 0; i < conf->listens; i++)
		net->listeners[i].asked = net->listeners[i].addr = conf->listen[i];
	mailbox_open(&net->back, notify->loop, net_came_back, net);
	net->back_open = true;
	return net;
}

status_t net_open(const net_conf_t *conf, const zone_set_t *zones, epoch_t *epoch,
                  mailbox_t *notify, net_t **out, char why[256])
{
	net_t *net = new_net(conf, zones, epoch, notify);

	why[0] = '\0';
	if (!net)
		return out_of_memory(why);
	status_t st = open_workers(net, why);

	if (st == ST_OK)
		st = adopt_open(&net->adopted, conf->passed, conf->listen, conf->listens,
		                net->count, why);
	if (st == ST_OK)
		st = probe_fixed(net, why);
	if (st == ST_OK)
		st = listen_all(net, why);
	if (st != ST_OK) {
		net_free(net);
		return st;
	}
	*out = net;
	return ST_OK;
}

/* All are asked before any is waited for. */
static void stop(net_t *net)
{
	for (unsigned i = 0; i < net->count; i++)
		worker_stop(net->workers[i]);
	for (unsigned i = 0; i < net->leaving_count; i++)
		worker_stop(net->leaving[i]);
	for (unsigned i = 0; i < net->count; i++)
		worker_join(net->workers[i]);
	for (unsigned i = 0; i < net->leaving_count; i++)
		worker_join(net->leaving[i]);
}

status_t net_start(net_t *net)
{
	for (unsigned i = 0; i < net->count; i++) {
		status_t st = worker_start(net->workers[i]);

		if (st != ST_OK) {
			int err = errno;

			stop(net);
			errno = err;
			return st;
		}
	}
	return ST_OK;
}

unsigned net_ask(net_t *net)
{
	net->asked++;
	for (unsigned i = 0; i < net->count; i++)
		worker_ask(net->workers[i], net->asked);
	return net->asked;
}

bool net_answered(const net_t *net, unsigned ticket)
{
	bool all = true;

	for (unsigned i = 0; i < net->count; i++)
		all = all && worker_answered(net->workers[i], ticket);
	return all;
}

uint16_t net_port(const net_t *net, size_t i)
{
	return addr_port(&net->listeners[i].addr);
}

unsigned net_workers(const net_t *net)
{
	return net->count;
}

const addr_t *net_listens_at(const net_t *net, size_t i)
{
	return i < net->listener_count ? &net->listeners[i].addr : NULL;
}

void net_free(net_t *net)
{
	if (!net)
		return;
	net->done = NULL;
	stop(net);
	for (unsigned i = 0; i < net->count; i++)
		worker_close(net->workers[i]);
	for (unsigned i = 0; i < net->leaving_count; i++)
		worker_close(net->leaving[i]);
	net->closing = true;
	if (net->back_open)
		mailbox_close(&net->back); /* what came back meanwhile */
	for (unsigned i = 0; i < net->count; i++)
		free(net->workers[i]);
	for (unsigned i = 0; i < net->leaving_count; i++)
		free(net->leaving[i]);
	clients_free(net->env.clients);
	adopt_close(&net->adopted);
	free(net->listeners);
	free(net);
}

/* --- totals ----------------------------------------------------------------------------------- */

void net_totals(const net_t *net, net_totals_t *out)
{
	*out = net->past;
	for (unsigned i = 0; i < net->count; i++)
		add_totals(net->workers[i], out);
	for (unsigned i = 0; i < net->leaving_count; i++)
		add_totals(net->leaving[i], out);
}
