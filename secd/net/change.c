/* net/change.c - other listeners, other workers, other answers, while queries come. */
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/inner.h"
#include "net/sock.h"

/* A listener as it will be. */
typedef struct planned {
	net_listener_t listener;
	bool is_new;
	worker_pair_t *pairs; /* of those that stay, if it is new */
} planned_t;

struct net_change {
	net_t *net;
	const net_conf_t *next;
	planned_t *planned;
	size_t count;
	net_listener_t *listeners; /* room for them */
	unsigned stay;             /* workers */
	worker_change_t *
		*changes; /* for each that is there now, and behind them those that leave already */
	unsigned change_count;
};

/* --- what can fail ------------------------------------------------------------------------------ */

static void close_pair(worker_pair_t *p)
{
	if (p->udp >= 0)
		close(p->udp);
	if (p->tcp >= 0)
		close(p->tcp);
	p->udp = p->tcp = -1;
}

static void free_plan(net_change_t *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->planned[i].pairs);
	free(c->planned);
	free(c->listeners);
	free(c->changes);
	free(c);
}

void net_drop(net_change_t *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++) {
		for (unsigned w = 0; c->planned[i].pairs && w < c->stay; w++)
			close_pair(&c->planned[i].pairs[w]);
	}
	for (unsigned i = 0; i < c->change_count; i++) {
		free(c->changes[i]->pairs);
		free(c->changes[i]->drops);
		free(c->changes[i]);
	}
	free_plan(c);
}

static const net_listener_t *listener_now(const net_t *net, const addr_t *asked)
{
	for (size_t i = 0; i < net->listener_count; i++) {
		if (addr_same(&net->listeners[i].asked, asked))
			return &net->listeners[i];
	}
	return NULL;
}

/* Would a probe meet ourselves? */
static bool overlaps_ours(const net_t *net, const addr_t *addr)
{
	for (size_t i = 0; i < net->listener_count; i++) {
		const addr_t *ours = &net->listeners[i].addr;

		if (ours->sa.sa_family == addr->sa.sa_family &&
		    addr_port(ours) == addr_port(addr) && (addr_is_any(ours) || addr_is_any(addr)))
			return true;
	}
	return false;
}

static status_t bind_new(const net_change_t *c, planned_t *p, char why[256])
{
	addr_t *addr = &p->listener.addr;
	status_t st = ST_OK;

	p->is_new = true;
	p->pairs = calloc(c->stay + 1, sizeof *p->pairs);
	if (!p->pairs) {
		snprintf(why, 256, "%s", status_text(ST_NOMEM));
		return ST_NOMEM;
	}
	for (unsigned w = 0; w < c->stay; w++)
		p->pairs[w].udp = p->pairs[w].tcp = -1;
	if (adopt_lost(&c->net->adopted, addr)) {
		errno = EADDRINUSE;
		st = ST_SYSTEM;
	} else if (addr_port(addr) != 0 && !overlaps_ours(c->net, addr)) {
		addr_t probed = *addr;

		st = sock_probe(&probed);
	}
	for (unsigned w = 0; w < c->stay && st == ST_OK; w++)
		st = net_bind(addr, &p->pairs[w]);
	if (st != ST_OK)
		adopt_why(&c->net->adopted, addr, c->next->workers, errno, why);
	p->listener.udp = p->pairs[0].udp;
	p->listener.tcp = p->pairs[0].tcp;
	return st;
}

static status_t plan_listeners(net_change_t *c, char why[256])
{
	const net_conf_t *next = c->next;
	status_t st = ST_OK;

	c->planned = calloc(next->listens + 1, sizeof *c->planned);
	c->listeners = calloc(next->listens + 1, sizeof *c->listeners);
	if (!c->planned || !c->listeners) {
		snprintf(why, 256, "%s", status_text(ST_NOMEM));
		return ST_NOMEM;
	}
	for (size_t i = 0; i < next->listens && st == ST_OK; i++) {
		planned_t *p = &c->planned[c->count++];
		const net_listener_t *now = listener_now(c->net, &next->listen[i]);

		p->listener.asked = p->listener.addr = next->listen[i];
		if (now)
			p->listener = *now;
		else
			st = bind_new(c, p, why);
	}
	return st;
}

static bool is_planned(const net_change_t *c, const net_listener_t *l)
{
	for (size_t i = 0; i < c->count; i++) {
		if (!c->planned[i].is_new && addr_same(&c->planned[i].listener.addr, &l->addr))
			return true;
	}
	return false;
}

/* What worker w is to be told. */
static status_t plan_change(net_change_t *c, unsigned w)
{
	worker_change_t *out = c->changes[w];
	const net_t *net = c->net;

	*out = (worker_change_t){ .answer = &c->next->answer,
		                  .tcp_idle = c->next->tcp_idle,
		                  .leave = w >= c->stay && w < net->count };
	out->pairs = calloc(c->count + 1, sizeof *out->pairs);
	out->drops = calloc(net->listener_count + 1, sizeof *out->drops);
	if (!out->pairs || !out->drops)
		return ST_NOMEM;
	for (size_t i = 0; i < c->count; i++) {
		if (c->planned[i].is_new && w < c->stay)
			out->pairs[out->pair_count++] = c->planned[i].pairs[w];
	}
	for (size_t i = 0; i < net->listener_count; i++) {
		if (!is_planned(c, &net->listeners[i]))
			out->drops[out->drop_count++] = net->listeners[i].addr;
	}
	return ST_OK;
}

static status_t plan_changes(net_change_t *c)
{
	status_t st = ST_OK;

	const unsigned all = c->net->count + c->net->leaving_count;

	c->changes = calloc(all + 1, sizeof(worker_change_t *));
	if (!c->changes)
		return ST_NOMEM;
	for (unsigned w = 0; w < all && st == ST_OK; w++) {
		c->changes[w] = calloc(1, sizeof **c->changes);
		if (!c->changes[w])
			return ST_NOMEM;
		c->change_count++;
		st = plan_change(c, w);
	}
	return st;
}

/* Queries come to sockets that were passed as long as somebody has them open. */
static bool leaves_passed(const net_t *net, const net_conf_t *next, char why[256])
{
	const addr_t *addr = NULL;
	const unsigned least = adopt_least(&net->adopted, next->listen, next->listens, &addr);
	char text[ADDR_TEXT_MAX];

	if (next->workers >= least)
		return false;
	snprintf(why, 256,
	         "workers: %u sockets were passed for %s, one for each: with fewer, pass fewer and "
	         "restart "
	         "secd",
	         least, addr_text(addr, text));
	return true;
}

net_change_t *net_prepare(net_t *net, const net_conf_t *next, char why[256])
{
	net_change_t *c = calloc(1, sizeof *c);
	status_t st = ST_NOMEM;

	snprintf(why, 256, "%s", status_text(ST_NOMEM));
	if (!c)
		return NULL;
	if (net->leaving_count > 0 && next->workers != net->count) {
		snprintf(why, 256, "workers: some are still leaving; again in a minute");
		free(c);
		return NULL;
	}
	if (leaves_passed(net, next, why)) {
		free(c);
		return NULL;
	}
	c->net = net;
	c->next = next;
	c->stay = next->workers < net->count ? next->workers : net->count;
	st = plan_listeners(c, why);
	if (st == ST_OK && (st = plan_changes(c)) != ST_OK)
		snprintf(why, 256, "%s", status_text(st));
	if (st == ST_OK) {
		why[0] = '\0';
		return c;
	}
	net_drop(c);
	return NULL;
}

/* --- in force ----------------------------------------------------------------------------------- */

/* Of a group's sockets the kernel chooses among the first so many, in the order in which they were bound: those of
 * the workers that stay. 0: among all. A kernel that can't loses what is on its way to those that leave. */
static void choose_among(const net_t *net, unsigned first)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM) },
		{ BPF_ALU | BPF_MOD | BPF_K, 0, 0, first },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	const struct sock_fprog prog = { ARRAY_LEN(code), code };
	const int none = 0;

	for (size_t i = 0; i < net->listener_count; i++) {
		const int fds[] = { net->listeners[i].udp, net->listeners[i].tcp };

		for (size_t k = 0; k < ARRAY_LEN(fds); k++) {
			if (first > 0)
				(void)setsockopt(fds[k], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
				                 &prog, sizeof prog);
			else
				(void)setsockopt(fds[k], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none,
				                 sizeof none);
		}
	}
}

static void take_listeners(net_change_t *c)
{
	net_t *net = c->net;

	free(net->listeners);
	net->listeners = c->listeners;
	net->listener_count = c->count;
	c->listeners = NULL;
	for (size_t i = 0; i < c->count; i++)
		net->listeners[i] = c->planned[i].listener;
}

/* One that is to come: with sockets of its own, running. */
static status_t add_worker(net_change_t *c, char why[256])
{
	net_t *net = c->net;
	worker_t *w = net_new_worker(net, c->next, why);
	status_t st = w ? ST_OK : ST_SYSTEM;

	for (size_t i = 0; i < net->listener_count && st == ST_OK; i++) {
		addr_t addr = net->listeners[i].addr;
		worker_pair_t pair;

		st = worker_bind(&addr, &pair);
		if (st != ST_OK)
			adopt_why(&net->adopted, &addr, c->next->workers, errno, why);
		else
			st = worker_listen(w, &pair);
	}
	if (st == ST_OK && (st = worker_start(w)) != ST_OK)
		snprintf(why, 256, "workers: no thread could be started");
	if (st == ST_OK)
		net->workers[net->count++] = w;
	else if (w)
		net_free_worker(net, w);
	return st;
}

static void send_changes(net_change_t *c)
{
	net_t *net = c->net;

	net->awaited = net->count + net->leaving_count;
	for (unsigned w = 0; w < net->count; w++)
		worker_change(net->workers[w], c->changes[w]);
	for (unsigned w = 0; w < net->leaving_count; w++)
		worker_change(net->leaving[w], c->changes[net->count + w]);
	while (net->count > c->stay)
		net->leaving[net->leaving_count++] = net->workers[--net->count];
}

void net_change(net_change_t *c, void (*done)(void *arg), void *arg, char why[256])
{
	net_t *net = c->net;

	why[0] = '\0';
	net->done = done;
	net->done_arg = arg;
	net->now = c->next;
	clients_set_limits(net->env.clients, c->next->tcp_clients, c->next->tcp_per_client);
	if (c->stay < net->count)
		choose_among(net, c->stay);
	send_changes(c);
	take_listeners(c);
	adopt_keep(&net->adopted, c->next->listen, c->next->listens);
	while (net->count < c->next->workers && add_worker(c, why) == ST_OK)
		;
	free_plan(c);
}

static void has_left(net_t *net, worker_t *w)
{
	for (unsigned i = 0; i < net->leaving_count; i++) {
		if (net->leaving[i] != w)
			continue;
		net->leaving[i] = net->leaving[--net->leaving_count];
		worker_join(w);
		net_free_worker(net, w);
		break;
	}
	if (net->leaving_count == 0)
		choose_among(net, 0);
}

static bool is_change(const net_t *net, const mail_t *mail)
{
	for (unsigned i = 0; i < net->leaving_count; i++) {
		if (mail == &net->leaving[i]->ended)
			return false;
	}
	return true;
}

void net_came_back(void *arg, mail_t *mail)
{
	worker_change_t *c = (worker_change_t *)(void *)mail;
	net_t *net = arg;

	if (!is_change(net, mail)) {
		if (!net->closing)
			has_left(net, worker_ended(mail));
		return;
	}
	free(c->pairs);
	free(c->drops);
	free(c);
	if (--net->awaited == 0 && net->done)
		net->done(net->done_arg);
}
