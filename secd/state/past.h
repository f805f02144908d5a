/* state/past.h - old versions of a zone: which are kept, and what of the log they need. For state/ alone.
 *
 * Nothing is written for them: what was superseded stays needed. To each belong a whole version, its own
 * or one before it, and the differences in between, which many of them share. Kept are
 *
 *     the one before that which is served
 *     what was served an hour ago, and a day ago     as far as this is another one
 *     the oldest of the last hour, and of the last   which become those in time
 *     day
 *
 * as of when the newest came: nothing changes until the next one does. While an operator chooses among them,
 * all are kept: what he pins is newest then, and must not cost him the others. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

/* A place in a file, in units of STATE_ALIGN octets. */
typedef struct state_place {
	uint32_t file; /* its number; 0: none */
	uint32_t at, size;
} state_place_t;

/* A record that was superseded. */
typedef struct state_old {
	state_place_t place;
	uint32_t version;
	uint32_t from;        /* what a difference begins with; 0: it is a whole version ... */
	uint32_t own, octets; /* ... in this file of its own, of so many units */
	uint32_t stamp;
	uint32_t arrived; /* when the version came: seconds since 1970 */
	bool copy;        /* of an older one, that an operator has chosen: the first to go */
} state_old_t;

/* By version; a difference stands before the whole version to which it leads. */
typedef struct state_past {
	uint32_t count, room;
	state_old_t old[];
} state_past_t;

/* One more; it takes the place of another record of the same, which is then in *displaced (place.file 0:
 * there was none). ST_NOMEM: *displaced is as it was. */
status_t state_past_put(state_past_t **past, const state_old_t *old, state_old_t *displaced);

/* What the largest whole version takes, in units. NULL is fine. */
uint32_t state_past_largest(const state_past_t *past);

/* Is there a whole version in this file of its own? NULL is fine. */
bool state_past_has_own(const state_past_t *past, uint32_t own);

/* The record at this place, or NULL. NULL is fine. */
state_old_t *state_past_at(state_past_t *past, state_place_t place, bool whole);

/* Does the entry go on from version before, to which those in front of it lead? 0: they lead nowhere. */
bool state_past_follows(const state_old_t *old, uint32_t before);

/* Can the version be had of what is there? The entries that it takes are from *first to *last; NULL is fine. */
bool state_past_way(const state_past_t *past, uint32_t version, size_t *first, size_t *last);

/* Of versions, the newest first, that came at these times: keep[i]. */
void state_past_choose(const uint32_t *arrived, size_t count, bool *keep);

/* A version that is there anyway. */
typedef struct state_present {
	uint32_t version, arrived;
} state_present_t;

/* Leave out what none of the chosen versions needs, and, copies first and then from the oldest on, so many of
 * these that the rest takes no more than so many units; but never the one before that which is served.
 * Returns how many entries it left out, which lie behind the others until
 * the next call; where there is no memory, none.
 *   present   at least that which is served; the newest first.
 *   all       are chosen, whatever their age. */
size_t state_past_prune(state_past_t *past, const state_present_t *present, size_t count,
                        uint64_t most, bool all);
