/* refresh/queue.h - what is due when: a heap of times, and lanes of what waits for its turn.
 *
 * Intrusive: an entry is embedded in what it stands for, so nothing here allocates but the
 * heap's one array. Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/status.h"

typedef struct refresh_timer {
	mono_t at;
	uint32_t place; /* in the heap, from 1; 0: not in it */
	uint32_t extra; /* the owner's own, in what would be padding */
} refresh_timer_t;

typedef struct refresh_heap {
	refresh_timer_t **slot; /* slot[1..count], earliest first */
	size_t count, room;
} refresh_heap_t;

/* Room for this many timers in all, less than 2^32, so that setting one cannot fail later. */
status_t refresh_heap_reserve(refresh_heap_t *h, size_t timers);
void refresh_heap_free(refresh_heap_t *h);

/* Put t at this time, or move it there. */
void refresh_heap_set(refresh_heap_t *h, refresh_timer_t *t, mono_t at);
void refresh_heap_remove(refresh_heap_t *h, refresh_timer_t *t); /* not there: fine */
refresh_timer_t *refresh_heap_first(const refresh_heap_t *h);    /* NULL when empty */

/* First in, first out, with removal from the middle. */
typedef struct refresh_link {
	struct refresh_link *next, *prev; /* next NULL: in no lane */
} refresh_link_t;

typedef struct refresh_lane {
	refresh_link_t head; /* of a circle */
} refresh_lane_t;

void refresh_lane_init(refresh_lane_t *lane);
void refresh_lane_push(refresh_lane_t *lane, refresh_link_t *link);
void refresh_lane_remove(refresh_link_t *link);                /* in no lane: fine */
refresh_link_t *refresh_lane_pop(refresh_lane_t *lane);        /* NULL when empty */
refresh_link_t *refresh_lane_last(const refresh_lane_t *lane); /* NULL when empty */
