/* zone/set.h - the zones we serve: one writer swaps versions, many readers look up.
 *
 *     main thread                             any worker thread
 *     zone_set_publish(next)  --- swap --->   z = zone_set_find(qname)  ...  quiescent
 *
 * A version found by a worker stays valid until that worker's next quiescent state
 * (common/epoch.h); workers neither lock nor count references. This is the only door between
 * the side that fetches and the side that answers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/epoch.h"
#include "common/siphash.h"
#include "common/status.h"
#include "dns/name.h"
#include "zone/hash.h"
#include "zone/version.h"

typedef struct zone_set zone_set_t;
typedef struct zone_slot zone_slot_t; /* a configured zone, served or not */

/* An empty set with a fresh random key. versions retire into epoch, which is borrowed. NULL: no
 * memory. Main thread. */
zone_set_t *zone_set_new(epoch_t *epoch);

/* No reader is left. Frees every version still served. NULL is fine. */
void zone_set_free(zone_set_t *set);

/* Configure a zone: readers see it after zone_set_commit(). O(log n), but for a table that grows or
 * shrinks now and then.
 *   apex      folded.
 *   notify    who may send NOTIFY for it; borrowed until others may, or the slot is freed.
 *   user      the caller's own handle, given back by zone_slot_user().
 * Returns     ST_OK; ST_EXIST; ST_NOMEM. Main thread. */
status_t zone_set_add(zone_set_t *set, const dns_name_t *apex, const addr_acl_t *notify, void *user,
                      zone_slot_t **out);

/* Take a zone that was committed out of the set: readers miss it after zone_set_commit(). The slot is
 * freed when none of them can hold it any more; what they have sent about it until then (NOTIFY) is
 * the caller's to receive before the next epoch_reclaim(). ST_NOMEM: it may be tried again. Main
 * thread. */
status_t zone_set_remove(zone_set_t *set, zone_slot_t *slot);

/* Let readers see all that was added and removed, at once. ST_NOMEM: not yet. Main thread. */
status_t zone_set_commit(zone_set_t *set);

/* Forget all that was added and removed since the last commit: slots that were added are gone. Main thread. */
void zone_set_undo(zone_set_t *set);

const siphash_key_t *zone_set_key(const zone_set_t *set);
size_t zone_set_count(const zone_set_t *set);

/* Find the zone that is the closest enclosing one for qname (RFC 1034 4.3.2 step 2).
 *   qname     folded; hashes its hashes under zone_set_key().
 *   for_ds    true for QTYPE=DS: an apex match yields to an enclosing zone that is configured
 *             here too (RFC 4035 3.1.4.1); to itself when there is none.
 * Returns     the slot, or NULL when no configured zone encloses qname. A child that has no
 *             data or is expired still owns its names: it never yields to its parent.
 * Threads     any reader that is online. Wait-free, never allocates. */
const zone_slot_t *zone_set_find(const zone_set_t *set, const dns_name_t *qname,
                                 const zone_hashes_t *hashes, bool for_ds);

/* Ask for the memory that zone_set_find() will read: step 0 for each query of a batch, then step
 * 1 for each, and so on; ahead is kept by the caller from step to step. Hints without effect. */
enum { ZONE_SET_PREFETCH_STEPS = 4 };
typedef struct zone_set_ahead {
	const void *view; /* of step 0: another may have come by step 1 */
	unsigned count;
	uint64_t hash[3]; /* zones above one name whose apexes differ in depth; more are rare */
	const void *at[3];
} zone_set_ahead_t;
void zone_set_prefetch(const zone_set_t *set, const dns_name_t *qname, const zone_hashes_t *hashes,
                       unsigned step, zone_set_ahead_t *ahead);

/* The slot of exactly this apex, or NULL. */
zone_slot_t *zone_set_exact(const zone_set_t *set, const dns_name_t *apex, uint64_t hash);

/* What a slot serves now. */
typedef enum zone_state {
	ZONE_STATE_EMPTY, /* configured, no data yet */
	ZONE_STATE_SERVED,
	ZONE_STATE_EXPIRED, /* EXPIRE has passed (RFC 1035 3.3.13): answers SERVFAIL */
} zone_state_t;

/* The version to answer from and the state; *v is NULL unless ZONE_STATE_SERVED. Readers: online. */
zone_state_t zone_slot_read(const zone_slot_t *slot, const zone_version_t **v);

/* The version held, expired or not; main thread only. */
const zone_version_t *zone_slot_version(const zone_slot_t *slot);

const addr_acl_t *zone_slot_notify(const zone_slot_t *slot);
/* Others may. Readers may look at those before until they were quiescent. Main thread. */
void zone_slot_set_notify(zone_slot_t *slot, const addr_acl_t *notify);
const uint8_t *zone_slot_apex(const zone_slot_t *slot); /* wire, folded */
void *zone_slot_user(const zone_slot_t *slot);          /* NULL once it was removed. Main thread */
void zone_slot_set_user(zone_slot_t *slot, void *user);

/* A NOTIFY for the zone is on its way to the main loop: mark it before sending, so that a storm
 * for one zone is one message. True: marked now, send it; false: one is under way already and
 * speaks for this one too. The receiver clears the mark before it acts. Any thread. */
bool zone_slot_mark_notified(const zone_slot_t *slot);
void zone_slot_clear_notified(const zone_slot_t *slot);

/* Make next the served version of its zone and retire the version it replaces.
 *   next      sealed; the set owns it on ST_OK, else the caller still does.
 *   before    the version that next was built over, or NULL for a first or a full one.
 * Returns     ST_OK; ST_STALE if before is given and is no longer what is served, or if next was
 *             made over a version and before is not given. Which serials
 *             may follow which is the caller's policy, not the set's. Served data is untouched
 *             unless ST_OK. An expired zone is served again.
 * Threads     main thread only. Never waits: the old version is freed after a grace period, when
 *             no reader can hold it (epoch_reclaim). */
status_t zone_set_publish(zone_set_t *set, zone_slot_t *slot, zone_version_t *next,
                          const zone_version_t *before);

/* Make next, which was made over nothing, the version of a zone: expired, nobody ever sees it otherwise.
 * The set owns it. Main thread. */
void zone_set_restore(zone_set_t *set, zone_slot_t *slot, zone_version_t *next, bool expired);

/* Stop serving the zone's data, or serve it again; the version is kept. Main thread. */
void zone_set_expire(zone_slot_t *slot, bool expired);

/* Until when the zone's data count, unless they are confirmed again: for those who follow us
 * (RFC 7314). It expires nothing by itself. Main thread. */
void zone_set_expires(zone_slot_t *slot, mono_t at);

/* What was told last; 0 before the first time. Any thread. */
mono_t zone_slot_expires(const zone_slot_t *slot);
