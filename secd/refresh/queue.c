/* refresh/queue.c - a binary heap and circles of links. */
#include "refresh/queue.h"

#include <stdlib.h>

status_t refresh_heap_reserve(refresh_heap_t *h, size_t timers)
{
	if (timers + 1 <= h->room)
		return ST_OK;
	refresh_timer_t **grown = reallocarray(h->slot, timers + 1, sizeof(refresh_timer_t *));
	if (!grown)
		return ST_NOMEM;
	h->slot = grown;
	h->room = timers + 1;
	return ST_OK;
}

void refresh_heap_free(refresh_heap_t *h)
{
	free(h->slot);
	*h = (refresh_heap_t){ 0 };
}

static void put(refresh_heap_t *h, size_t place, refresh_timer_t *t)
{
	h->slot[place] = t;
	t->place = (uint32_t)place;
}

static void rise(refresh_heap_t *h, size_t place, refresh_timer_t *t)
{
	for (; place > 1 && mono_before(t->at, h->slot[place / 2]->at); place /= 2)
		put(h, place, h->slot[place / 2]);
	put(h, place, t);
}

static void sink(refresh_heap_t *h, size_t place, refresh_timer_t *t)
{
	for (;;) {
		size_t child = place * 2;

		if (child > h->count)
			break;
		if (child < h->count && mono_before(h->slot[child + 1]->at, h->slot[child]->at))
			child++;
		if (!mono_before(h->slot[child]->at, t->at))
			break;
		put(h, place, h->slot[child]);
		place = child;
	}
	put(h, place, t);
}

/* t's place is right but for its time, which has changed. */
static void settle(refresh_heap_t *h, size_t place, refresh_timer_t *t)
{
	if (place > 1 && mono_before(t->at, h->slot[place / 2]->at))
		rise(h, place, t);
	else
		sink(h, place, t);
}

void refresh_heap_set(refresh_heap_t *h, refresh_timer_t *t, mono_t at)
{
	t->at = at;
	settle(h, t->place ? t->place : ++h->count, t);
}

void refresh_heap_remove(refresh_heap_t *h, refresh_timer_t *t)
{
	size_t place = t->place;

	if (place == 0)
		return;
	refresh_timer_t *last = h->slot[h->count--];
	t->place = 0;
	if (last != t)
		settle(h, place, last);
}

refresh_timer_t *refresh_heap_first(const refresh_heap_t *h)
{
	return h->count > 0 ? h->slot[1] : NULL;
}

void refresh_lane_init(refresh_lane_t *lane)
{
	lane->head.next = lane->head.prev = &lane->head;
}

void refresh_lane_push(refresh_lane_t *lane, refresh_link_t *link)
{
	link->prev = lane->head.prev;
	link->next = &lane->head;
	link->prev->next = link;
	lane->head.prev = link;
}

void refresh_lane_remove(refresh_link_t *link)
{
	if (!link->next)
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->next = link->prev = NULL;
}

refresh_link_t *refresh_lane_pop(refresh_lane_t *lane)
{
	refresh_link_t *link = lane->head.next;

	if (link == &lane->head)
		return NULL;
	refresh_lane_remove(link);
	return link;
}

refresh_link_t *refresh_lane_last(const refresh_lane_t *lane)
{
	return lane->head.prev == &lane->head ? NULL : lane->head.prev;
}
