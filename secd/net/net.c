/* net/net.c - all workers together: open, start, stop, sum up. */
#include "net/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/sock.h"
#include "net/worker.h"

/* Ports to try when we may choose: one that is free for UDP may be taken for TCP. */
enum { PORT_TRIES = 16 };

struct net {
	net_conf_t conf; /* our copy: its listen is ours below */
	addr_t *listen;  /* with the ports that we have */
	size_t listens;
	worker_t *worker;
	unsigned workers;
	clients_t *clients;
};

static status_t out_of_memory(char why[256])
{
	snprintf(why, 256, "%s", status_text(ST_NOMEM));
	return ST_NOMEM;
}

/* --- addresses -------------------------------------------------------------------------------- */

/* All addresses before any is opened: one of ours may well contain another (0.0.0.0). */
static status_t probe_fixed(const net_t *net, char why[256])
{
	for (size_t i = 0; i < net->listens; i++) {
		addr_t addr = net->listen[i];

		if (addr_port(&addr) != 0 && sock_probe(&addr) != ST_OK) {
			sock_why(&addr, errno, why);
			return ST_SYSTEM;
		}
	}
	return ST_OK;
}

/* The first worker's sockets settle whether TCP joins UDP on a port that we chose. */
static status_t listen_first(net_t *net, addr_t *addr)
{
	bool choose = addr_port(addr) == 0;
	status_t st = ST_SYSTEM;

	for (int i = 0; i < (choose ? PORT_TRIES : 1) && st != ST_OK; i++) {
		addr_t tried = *addr;

		if (choose && sock_probe(&tried) != ST_OK)
			return ST_SYSTEM;
		st = worker_listen(&net->worker[0], &tried);
		if (st == ST_OK)
			*addr = tried;
		else if (errno != EADDRINUSE)
			return st;
	}
	return st;
}

static status_t listen_all(net_t *net, char why[256])
{
	for (size_t i = 0; i < net->listens; i++) {
		addr_t *addr = &net->listen[i];
		status_t st = listen_first(net, addr);

		for (unsigned w = 1; w < net->workers && st == ST_OK; w++)
			st = worker_listen(&net->worker[w], addr);
		if (st != ST_OK) {
			sock_why(addr, errno, why);
			return st;
		}
	}
	return ST_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

static net_t *new_net(const net_conf_t *conf)
{
	net_t *net = calloc(1, sizeof *net);
	size_t size = sizeof *net->worker * conf->workers;

	if (!net)
		return NULL;
	net->conf = *conf;
	net->listens = conf->listens;
	net->listen = calloc(conf->listens ? conf->listens : 1, sizeof *net->listen);
	net->worker = aligned_alloc(_Alignof(worker_t), size);
	net->clients = clients_new(conf->tcp_clients, conf->tcp_per_client);
	if (!net->listen || !net->worker || !net->clients) {
		free(net->listen);
		free(net->worker);
		clients_free(net->clients);
		free(net);
		return NULL;
	}
	memset(net->worker, 0, size);
	for (size_t i = 0; i < conf->listens; i++)
		net->listen[i] = conf->listen[i];
	net->conf.listen = net->listen;
	return net;
}

static status_t open_workers(net_t *net, const zone_set_t *zones, epoch_t *epoch, mailbox_t *notify,
                             char why[256])
{
	for (unsigned i = 0; i < net->conf.workers; i++) {
		net->workers++; /* closed by net_free() even if it opens by half */
		status_t st = worker_open(&net->worker[i], &net->conf, zones,
		                          epoch_reader(epoch, i), notify, net->clients);

		if (st == ST_NOMEM)
			return out_of_memory(why);
		if (st != ST_OK) {
			snprintf(why, 256, "worker %u: no event loop (raise LimitNOFILE?)", i);
			return st;
		}
	}
	return ST_OK;
}

status_t net_open(const net_conf_t *conf, const zone_set_t *zones, epoch_t *epoch,
                  mailbox_t *notify, net_t **out, char why[256])
{
	net_t *net = new_net(conf);

	why[0] = '\0';
	if (!net)
		return out_of_memory(why);
	status_t st = open_workers(net, zones, epoch, notify, why);

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
	for (unsigned i = 0; i < net->workers; i++)
		worker_stop(&net->worker[i]);
	for (unsigned i = 0; i < net->workers; i++)
		worker_join(&net->worker[i]);
}

status_t net_start(net_t *net)
{
	for (unsigned i = 0; i < net->workers; i++) {
		status_t st = worker_start(&net->worker[i]);

		if (st != ST_OK) {
			int err = errno;

			stop(net);
			errno = err;
			return st;
		}
	}
	return ST_OK;
}

bool net_beat(net_t *net)
{
	bool all = true;

	for (unsigned i = 0; i < net->workers; i++)
		all = worker_beat(&net->worker[i]) && all;
	return all;
}

uint16_t net_port(const net_t *net, size_t i)
{
	return addr_port(&net->listen[i]);
}

const addr_t *net_listens_at(const net_t *net, size_t i)
{
	return i < net->listens ? &net->listen[i] : NULL;
}

void net_free(net_t *net)
{
	if (!net)
		return;
	stop(net);
	for (unsigned i = 0; i < net->workers; i++)
		worker_close(&net->worker[i]);
	clients_free(net->clients);
	free(net->worker);
	free(net->listen);
	free(net);
}

/* --- totals ----------------------------------------------------------------------------------- */

static uint64_t look(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void net_totals(const net_t *net, net_totals_t *out)
{
	*out = (net_totals_t){ 0 };
	for (unsigned i = 0; i < net->workers; i++) {
		const answer_counters_t *a = &net->worker[i].answered;
		const worker_counters_t *c = &net->worker[i].counters;

		out->queries += look(&a->queries);
		out->dropped += look(&a->dropped) + look(&c->unsent);
		out->truncated += look(&a->truncated);
		out->notifies += look(&a->notifies);
		for (size_t r = 0; r < ARRAY_LEN(out->rcode); r++)
			out->rcode[r] += look(&a->rcode[r]);
		out->tcp_accepted += look(&c->tcp_accepted);
		out->tcp_refused += look(&c->tcp_refused);
		out->tcp_open += look(&c->tcp_open);
	}
}
