/* refresh/plan.h - from the settings to what follows them: planned whole, then put in force. For refresh/
 * alone.
 *
 *     plan_make     ways, groups, zones as they will be; what stays the same is the same object
 *     plan_apply    nothing in it can fail: what is gone ends, what moved begins anew, the rest goes on
 *     plan_drop     ... or nothing has happened
 *
 * A start is the same from nothing. A way stays if its primary's name, its address and its source do; a group
 * if its name and all of its ways do; a zone if its name does, and what is under way for it goes on if its
 * group stays. Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "refresh/zone.h"

typedef struct plan {
	refresh_t *r;
	const conf_t *next;
	way_t ***ways;    /* [primary][address] */
	group_t **groups; /* by their index in next */
	zone_t **zones;   /* in the order of next */
	size_t zone_count;
	zone_t **gone; /* of r */
	size_t gone_count;
	zone_t **
		heirs; /* what is to take the place of those that move to more primaries, in their order */
	size_t heir_count;
	size_t added, moved;
	bool in_set; /* the zone set has an open change of ours */
} plan_t;

/* ST_NOMEM: nothing has changed, nothing is to be dropped. */
status_t plan_make(plan_t *p, refresh_t *r, const conf_t *next);
void plan_drop(plan_t *p);
/* Readers see the new zones, and no others: ST_NOMEM: they don't, and the plan was dropped; else
 * plan_apply() comes next. */
status_t plan_commit(plan_t *p);
void plan_apply(plan_t *p);

/* All of it, at the end. */
void plan_free_zone(refresh_t *r, zone_t *z); /* NULL is fine */
void plan_free_ways(way_t ***ways, const conf_t *conf);
