/* zone/hold.h - one version, kept as it is for as long as somebody reads it at leisure.
 *
 *     main thread                                 any thread
 *     h = zone_hold_new(zone_slot_version(slot))
 *     ... publishes over it, again and again      reads zone_hold_version(h), for minutes
 *                                                 zone_hold_free(h)
 *
 * A reader of the epoch (common/epoch.h) holds back what is retired of every zone while it reads:
 * right for the microseconds of an answer, wrong for a dump whose client is slow. A hold costs
 * nothing but its own zone's memory: what changes replace there meanwhile isn't used again.
 *
 * That is not the version alone. Versions of one arena share blocks, and what the version after
 * next gives up may still be part of the one that is held; so the whole arena gives nothing out
 * again until then (zone_arena_pin). */
#pragma once

#include "zone/version.h"

typedef struct zone_hold zone_hold_t;

/* Hold v, which is what its slot holds now. A small zone is copied, which takes some microseconds.
 * Outlives slot, set and epoch. NULL: no memory. Main thread. */
zone_hold_t *zone_hold_new(const zone_version_t *v);

const zone_version_t *zone_hold_version(const zone_hold_t *h);

/* Any thread. NULL is fine. */
void zone_hold_free(zone_hold_t *h);
