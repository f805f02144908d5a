/* refresh/pin.h - older versions of a zone, and zones that an operator holds at one of them.
 *
 *     pin ---> the state: is it there? ---> a builder loads it ---> saved, as a new version ---> served
 *         \--> of what is served: at once                                  (state/state.h)
 *
 * A zone that is pinned stays as it is: its primaries are asked as ever, and any answer with authority
 * counts as a good check, so that it expires when they are gone; but nothing is taken from them
 * until it is unpinned, and then it is asked for at once. That it is pinned outlives a restart, as far
 * as the disk takes it. What was served before is an older version from then on.
 *
 * Main thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mailbox.h"
#include "common/status.h"
#include "dns/name.h"
#include "refresh/refresh.h"
#include "state/state.h"

typedef struct refresh_pin_order {
	bool by_version, by_serial; /* neither: what is served; of several of a serial the newest */
	uint32_t wanted;
	bool unexpiring; /* EXPIRE does not count while it is pinned */
} refresh_pin_order_t;

typedef struct refresh_pin_result {
	const char *why; /* it was not done; NULL: it was */
	uint32_t serial, was;
	bool saved;
	const state_listed_t *all; /* of refresh_versions(): the newest first, borrowed */
	size_t count;
} refresh_pin_result_t;

typedef void (*refresh_pin_cb)(void *arg, const refresh_pin_result_t *result);

/* What is kept of the zone on the disk; pin it. done(arg, ...) is called once: before this returns, or
 * later, or from refresh_free(). */
void refresh_versions(refresh_t *r, const dns_name_t *apex, refresh_pin_cb done, void *arg);
void refresh_pin(refresh_t *r, const dns_name_t *apex, const refresh_pin_order_t *order,
                 refresh_pin_cb done, void *arg);

/* ST_NOENT: no such zone; ST_STALE: it is not pinned; ST_EXIST: a pin is under way. */
status_t refresh_unpin(refresh_t *r, const dns_name_t *apex);

/* --- for refresh/ -------------------------------------------------------------------------------- */

struct zone;

/* EXPIRE has passed for a zone that is not to expire: it has as much time again. */
void pin_outlive(struct zone *z, mono_t now);
/* Nothing is waited for any more. */
void pin_stop(refresh_t *r);
/* ... of this zone; what is chosen and being saved is served, if it stays. */
void pin_end(struct zone *z, bool stays, const char *why);

/* What came of keep_ask() and of keep_pinned(); and of a builder: a mailbox_cb. */
void pin_listed(void *pin, status_t status, int error);
void pin_saved(void *pin, bool ok);
void pin_on_loaded(void *keep, mail_t *mail);
