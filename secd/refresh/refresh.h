/* refresh/refresh.h - when to fetch, from whom: the side that follows the primaries.
 *
 *     timer --+                     +-- same serial everywhere: done until REFRESH
 *     NOTIFY -+--> lane --> polls --+-- newer somewhere: AXFR from there --> publish
 *                                   +-- nobody answers well: RETRY
 *
 * A round asks the primaries of a zone one after the other, the sender of a NOTIFY first, then in
 * configured order, each by its addresses in order until one answers. The first that has a newer
 * serial is fetched from at once; a transfer that fails passes the round on to the next primary.
 * Only budgeted numbers of polls and transfers are under way at a time; what NOTIFY made due goes
 * before what a timer did.
 *
 * Main thread only. Everything that it decides is one log line. */
#pragma once

#include <ev.h>
#include <stddef.h>

#include "common/addr.h"
#include "common/status.h"
#include "conf/conf.h"
#include "xfr/fetch.h"
#include "zone/set.h"

typedef struct refresh refresh_t;

/* Follow every zone of conf, each of which gets a slot in set. conf, set and env are borrowed.
 * Nothing is asked before refresh_start(). NULL: out of memory. */
refresh_t *refresh_new(struct ev_loop *loop, const conf_t *conf, zone_set_t *set, epoch_t *epoch,
                       xfr_env_t *env);

void refresh_start(refresh_t *r);

/* A NOTIFY that was accepted for the zone of slot came from this address. During a round it
 * means one more round after it (RFC 1996 4.3). */
void refresh_notify(refresh_t *r, const zone_slot_t *slot, const addr_t *from);

/* One from an address that is on none of the zone's lists was refused: a log line for each
 * sender and minute, as far as a small table remembers. */
void refresh_notify_refused(refresh_t *r, const zone_slot_t *slot, const addr_t *from);

/* Stop all polls and transfers. NULL is fine. */
void refresh_free(refresh_t *r);
