/* net/clients.c - a total and two tables of counts under a keyed hash. */
#include "net/clients.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/random.h"
#include "common/siphash.h"

enum { ROWS = 2, CELLS = 1 << 14 };

struct clients {
	siphash_key_t key;
	_Atomic unsigned total_max, each_max;
	_Atomic unsigned total;
	_Atomic unsigned cell[ROWS][CELLS];
};

clients_t *clients_new(unsigned total, unsigned each)
{
	clients_t *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	random_bytes(&c->key, sizeof c->key);
	clients_set_limits(c, total, each);
	return c;
}

void clients_free(clients_t *c)
{
	free(c);
}

void clients_set_limits(clients_t *c, unsigned total, unsigned each)
{
	atomic_store_explicit(&c->total_max, total, memory_order_relaxed);
	atomic_store_explicit(&c->each_max, each, memory_order_relaxed);
}

/* The two cells of peer. An IPv6 host is its /64: it may have as many addresses as it likes. */
static void find_cells(clients_t *c, const addr_t *peer, _Atomic unsigned *cell[ROWS])
{
	uint64_t hash = peer->sa.sa_family == AF_INET ? siphash13(&c->key, &peer->in.sin_addr, 4)
	                                              : siphash13(&c->key, &peer->in6.sin6_addr, 8);

	for (int row = 0; row < ROWS; row++)
		cell[row] = &c->cell[row][(hash >> (32 * row)) % CELLS];
}

/* Counting first and taking it back when that was too much keeps two workers that come at once
 * from both taking the last place. */
static bool take(_Atomic unsigned *count, unsigned max)
{
	return atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < max;
}

static void give_back(_Atomic unsigned *count)
{
	atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
}

clients_verdict_t clients_enter(clients_t *c, const addr_t *peer)
{
	_Atomic unsigned *cell[ROWS];
	clients_verdict_t verdict = CLIENTS_GREEDY;

	find_cells(c, peer, cell);
	for (int row = 0; row < ROWS; row++) {
		if (take(cell[row], atomic_load_explicit(&c->each_max, memory_order_relaxed)))
			verdict = CLIENTS_ADMITTED; /* one table that says yes is enough */
	}
	const unsigned most = atomic_load_explicit(&c->total_max, memory_order_relaxed);

	if (verdict == CLIENTS_ADMITTED && !take(&c->total, most)) {
		give_back(&c->total);
		verdict = CLIENTS_FULL;
	}
	if (verdict != CLIENTS_ADMITTED) {
		for (int row = 0; row < ROWS; row++)
			give_back(cell[row]);
	}
	return verdict;
}

void clients_leave(clients_t *c, const addr_t *peer)
{
	_Atomic unsigned *cell[ROWS];

	find_cells(c, peer, cell);
	for (int row = 0; row < ROWS; row++)
		give_back(cell[row]);
	give_back(&c->total);
}
