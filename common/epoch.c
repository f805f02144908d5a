/* common/epoch.c - retired objects in order of their epoch, freed from the front. */
#include "common/epoch.h"

#include <stdlib.h>

struct epoch {
	_Atomic uint64_t now;
	size_t readers;
	epoch_reader_t *reader;
	epoch_node_t *first;
	epoch_node_t **last;
	size_t waiting;
};

epoch_t *epoch_new(size_t readers)
{
	epoch_t *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	e->reader = aligned_alloc(64, sizeof *e->reader * (readers ? readers : 1));
	if (!e->reader) {
		free(e);
		return NULL;
	}
	atomic_init(&e->now, 1);
	e->readers = readers;
	e->last = &e->first;
	for (size_t i = 0; i < readers; i++) {
		atomic_init(&e->reader[i].seen, 0);
		e->reader[i].now = &e->now;
	}
	return e;
}

void epoch_free(epoch_t *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->readers; i++)
		atomic_store(&e->reader[i].seen, 0);
	epoch_reclaim(e);
	free(e->reader);
	free(e);
}

epoch_reader_t *epoch_reader(epoch_t *e, size_t i)
{
	return &e->reader[i];
}

void epoch_retire(epoch_t *e, epoch_node_t *node, void (*release)(epoch_node_t *node))
{
	/* The swap came before this increment: a reader that has seen the new value has seen
	 * the swap as well, and one that comes online later reads the new pointer. */
	node->born = atomic_fetch_add(&e->now, 1) + 1;
	node->next = NULL;
	node->release = release;
	*e->last = node;
	e->last = &node->next;
	e->waiting++;
}

/* The oldest epoch that a reader may still be in. */
static uint64_t oldest(epoch_t *e)
{
	uint64_t min = UINT64_MAX;

	for (size_t i = 0; i < e->readers; i++) {
		uint64_t seen = atomic_load(&e->reader[i].seen);

		if (seen != 0 && seen < min)
			min = seen;
	}
	return min;
}

size_t epoch_reclaim(epoch_t *e)
{
	return epoch_reclaim_after(e, NULL, NULL);
}

size_t epoch_reclaim_after(epoch_t *e, void (*first)(void *arg), void *arg)
{
	if (!e->first)
		return 0;

	uint64_t min = oldest(e);
	if (first && e->first->born <= min)
		first(arg);
	while (e->first && e->first->born <= min) {
		epoch_node_t *node = e->first;

		e->first = node->next;
		if (!e->first)
			e->last = &e->first;
		e->waiting--;
		node->release(node);
	}
	return e->waiting;
}
