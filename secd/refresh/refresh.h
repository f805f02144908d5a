/* refresh/refresh.h - when to fetch, from whom: the side that follows the primaries.
 *
 *     timer ---+            +-- each address of a primary: budget, breaker, connections (way.h)
 *     NOTIFY --+--> lanes --+
 *     operator +            +-- a round: ask all, fetch the newest (round.h) --> publish
 *
 * A zone that is due waits in a lane until its primaries have room; what NOTIFY or an operator made
 * due goes first. A round asks the primaries, the sender of a NOTIFY before the others, fetches
 * from the one with the newest serial, by IXFR where the version came from there, and goes on to the
 * next when that fails. When it is over, clock.h says when the next one is due and until when what
 * is held counts.
 *
 * Main thread only. Everything that it decides is one log line. */
#pragma once

#include <ev.h>
#include <stddef.h>

#include "common/addr.h"
#include "common/status.h"
#include "conf/conf.h"
#include "dns/tsig.h"
#include "refresh/keep.h"
#include "xfr/fetch.h"
#include "zone/set.h"

typedef struct refresh refresh_t;

/* Follow every zone of conf, each of which gets a slot in set. conf, set, env and keys, which are those
 * of conf in its order, are borrowed.
 * Nothing is asked before refresh_start().
 *   keep   where zones are kept from one start to the next; borrowed; NULL: nowhere.
 * NULL: out of memory. */
refresh_t *refresh_new(struct ev_loop *loop, const conf_t *conf, zone_set_t *set, epoch_t *epoch,
                       xfr_env_t *env, const dns_tsig_keys_t *keys, keep_t *keep);

void refresh_start(refresh_t *r);

/* A NOTIFY that was accepted for the zone of slot came from this address. During a round it
 * means one more round after it (RFC 1996 4.3); rounds that NOTIFY begins are 0.2 s apart.
 *   hint   the serial that it mentions, or NULL. Never trusted (RFC 1996 3.8): but if nobody shows
 *          it, they are asked once more a second later. */
void refresh_notify(refresh_t *r, const zone_slot_t *slot, const addr_t *from,
                    const uint32_t *hint);

/* One was refused, and why: a log line for each sender and minute, as far as a small table
 * remembers. */
void refresh_notify_refused(refresh_t *r, const zone_slot_t *slot, const addr_t *from,
                            const char *why);

/* NOTIFYs about zones that are gone may be under way until no worker knows them: receive(arg) takes in what has
 * come, before they are freed. */
void refresh_on_reclaim(refresh_t *r, void (*receive)(void *arg), void *arg);

/* --- other settings ------------------------------------------------------------------------------ */

typedef struct refresh_reload {
	bool force;            /* however many zones are gone */
	unsigned share_most;   /* percent of the zones that may be, and some always may */
	unsigned keep_removed; /* seconds that what is kept of those stays */
	/* What came of it. */
	size_t zones, added, removed, moved;
	char why[256];
} refresh_reload_t;

enum { REFRESH_REMOVED_LEAST = 10 };
/* Are so many zones of so many more than may be gone at once? */
bool refresh_is_too_much(size_t gone, size_t of, unsigned share_most);

/* The settings in force have got more zones, and maybe groups; those before are as they were, but may lie elsewhere.
 * ST_NOMEM: they are not followed. */
status_t refresh_extend(refresh_t *r);

/* Zones of the state are being loaded: other settings have to wait. */
bool refresh_is_loading(const refresh_t *r);

/* Follow what next says, and nothing else: what stays goes on with whatever it is at. next and keys take the
 * place of those before, which nobody here knows any more then; but workers may, of their access lists
 * (zone_slot_set_notify).
 * Returns   ST_OK; ST_REFUSED: too many zones would be gone: why; ST_NOMEM. Unless it is ST_OK, nothing has
 *           changed. Not while refresh_is_loading(). */
status_t refresh_reload(refresh_t *r, const conf_t *next, const dns_tsig_keys_t *keys,
                        refresh_reload_t *order);

/* Stop all polls and transfers. NULL is fine. */
void refresh_free(refresh_t *r);
