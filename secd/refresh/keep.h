/* refresh/keep.h - what is followed outlives the process: zones to the state, and back at a start.
 *
 *     a transfer --> keep_version --> state/ --> publish_saved: on the disk, then served
 *     a check, a failure --> keep_touch --> within half a second, clocks alone
 *     a start --> keep_open --> wake.c: every zone of the state, in parallel --> served
 *
 * A disk that takes no writes keeps nothing from being served: what could not be saved is marked, and
 * saved whole when the disk takes it. All is the main thread's, but for what loaders and builders do. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/mailbox.h"
#include "common/pool.h"
#include "common/status.h"
#include "refresh/clock.h"
#include "state/state.h"

typedef struct keep keep_t;
typedef struct wake wake_t;
struct zone;
struct refresh;

/* --- for main.c -------------------------------------------------------------------------------- */

/* A zone of the state that the settings don't name. */
typedef struct keep_stray {
	const uint8_t *apex; /* wire, folded; of the state */
	char *names; /* of its primaries, as it was followed last: so many texts, one behind the other */
	size_t count;
} keep_stray_t;

typedef struct keep_conf {
	const char *dir;       /* copied */
	bool relaxed;          /* serve before it is on the disk */
	unsigned old_versions; /* percent of a zone that they may take; 0: none are kept */
	unsigned keep_removed; /* seconds: as keep_set_patience() has it */
	/* If the settings lack more than this share (percent) of the zones that the state has, and more than
	 * REFRESH_REMOVED_LEAST, they are taken to be broken, and adopt(arg, ...) is called in keep_start()'s wake: it is to
	 * make them zones of the settings, and then call refresh_extend(). 100: never. */
	unsigned share_most;
	status_t (*adopt)(void *arg, const keep_stray_t *strays, size_t count);
	void *arg;
} keep_conf_t;

/* builders pack what is saved anew. NULL: no memory. */
keep_t *keep_new(struct ev_loop *loop, const keep_conf_t *conf, pool_t *builders);

/* Try to have the directory.
 * Returns   ST_OK, also if it can't be had now: that is logged, and tried again; ST_EXIST: another
 *           secd has it; ST_REFUSED: it is a newer secd's; why says so. */
status_t keep_open(keep_t *k, char why[256]);

/* Finish what is being written. After refresh_free() and when no builder runs any more. NULL is fine. */
void keep_free(keep_t *k);

/* --- for refresh/ -------------------------------------------------------------------------------- */

/* What a version's save has to remember of the zone beside its clock. */
typedef struct keep_facts {
	const refresh_clock_t *clock;
	unsigned source; /* primary, or ROUND_NO_SOURCE */
	bool accepted;
	bool pinned, unexpiring, copy;
	uint32_t pinned_at;
	const char *how; /* "axfr" ... */
	uint64_t octets;
	uint32_t ms, loaded_at;
} keep_facts_t;

/* Begin: load what there is, of all zones of r. Zones that are not to be loaded are enqueued. */
void keep_start(keep_t *k, struct refresh *r);
/* No zone of r is there any more. */
void keep_detach(keep_t *k);

/* Where versions are to be drafted for; NULL: nowhere, now: a disk that hangs would hold the builder. */
state_t *keep_state(const keep_t *k);

/* What comes of a version's save is told to publish_saved(arg, ...), once; or to nobody, if
 * keep_forget() comes first. False: it can't be saved now; draft is freed. NULL draft: no memory. */
typedef struct keep_note keep_note_t;
keep_note_t *keep_version(keep_t *k, struct zone *z, state_draft_t *draft, uint32_t serial,
                          const keep_facts_t *facts, void *arg);
/* The same for one that an operator has chosen: whole; pin_saved(arg, ...). */
keep_note_t *keep_pinned(keep_t *k, struct zone *z, state_draft_t *draft, uint32_t serial,
                         const keep_facts_t *facts, void *arg);
/* Clocks alone, of what is served and saved; the same. */
keep_note_t *keep_mark(keep_t *k, struct zone *z, void *arg);
/* Ask the state for the zone's versions: pin_listed(arg, ...), also if r is gone. False: it can't be
 * asked now. */
bool keep_ask(keep_t *k, struct zone *z, state_list_t *list, void *arg);
void keep_forget(keep_note_t *note);
bool keep_is_relaxed(const keep_t *k);

/* A version is served that is not on the disk, or one that is. */
void keep_unsaved(keep_t *k, struct zone *z);
void keep_saved(keep_t *k, struct zone *z);

/* A save takes longer than this: until it comes back, nothing is saved and nothing waits for it. */
void keep_slow(keep_t *k, unsigned seconds);

/* What is known of the zone has changed: save it soon. */
void keep_touch(keep_t *k, struct zone *z);

/* A check has told how the zone stands: how long it was before does not matter any more, nor what the
 * state may have lost of it. */
void keep_sure(keep_t *k, struct zone *z);

/* The moment, by all clocks. */
state_instant_t keep_now(const keep_t *k);

/* --- zones that come and go ---------------------------------------------------------------------- */

/* The zone is to be taken out of the settings: its name in the state is not the slot's any more. ST_NOMEM. And it
 * is not, after all. */
status_t keep_leaves(keep_t *k, struct zone *z);
void keep_stays(keep_t *k, struct zone *z);
/* It is out: what is known of it is saved, and stays for as long as keep_set_patience() said (seconds; a week).
 * saving: a version of it is on its way to the disk, with its clocks. NULL is fine. */
void keep_gone(keep_t *k, struct zone *z, bool saving);
void keep_set_patience(keep_t *k, unsigned seconds);
/* A zone that is new may be one that was there before: true, if it is looked for in the state, and it is in
 * STAGE_LOADING until refresh_woken(). */
bool keep_takes_back(keep_t *k, struct zone *z);
/* Some zones are gone, others lie elsewhere now: whoever waits for one finds it by its slot. NULL is fine. */
void keep_rebind(keep_t *k);
/* What the save is for has happened already. */
void keep_early(keep_note_t *note);
/* Zones of the state are still to come. */
bool keep_is_loading(const keep_t *k);

typedef struct keep_report {
	const char *dir;
	bool open;       /* the directory could be had */
	bool loading;    /* zones of the state are still to come ... */
	bool hangs;      /* ... of a disk that does not come back: nobody waits for them */
	size_t unsaved;  /* zones served from memory alone */
	size_t left;     /* zones of it that nobody follows any more */
	const char *why; /* the disk takes no writes; NULL: it does */
	state_stats_t stats;
} keep_report_t;
void keep_report(const keep_t *k, keep_report_t *out);
