/* refresh/report.h - what the operator may ask of the side that follows the primaries, and tell it.
 *
 * Main thread only, between two turns of its loop; nothing here waits. Times are those of
 * clock_mono(). All texts and names are borrowed from the settings or lie in what the caller gave. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/status.h"
#include "dns/name.h"
#include "refresh/counts.h"
#include "refresh/events.h"
#include "refresh/keep.h"
#include "refresh/refresh.h"
#include "zone/set.h"

size_t refresh_zones(const refresh_t *r);

/* --- commands ----------------------------------------------------------------------------- */

typedef enum refresh_verb {
	REFRESH_NOW,        /* a round now, as after a NOTIFY */
	REFRESH_RETRANSFER, /* ... that transfers the whole zone even if the serial is the one held */
	/* ... that may take any serial, and whatever the gates say but for max-iterations: what was
	 * refused for going back, or by a gate. */
	REFRESH_ACCEPT,
} refresh_verb_t;

/* Put the zone into the lane of what is urgent; during a round it means one more round after it.
 * Returns   ST_OK; ST_NOENT: no such zone; ST_STALE: REFRESH_ACCEPT, and nothing is refused now;
 *           ST_REFUSED: it is pinned, and may be asked about (REFRESH_NOW) alone. */
status_t refresh_command(refresh_t *r, const dns_name_t *apex, refresh_verb_t verb);

/* --- one zone ----------------------------------------------------------------------------- */

typedef enum refresh_state {
	REFRESH_STATE_FRESH, /* served, and as new as any primary has shown */
	REFRESH_STATE_BEHIND, /* served, but a primary has shown a newer serial, or the last round failed */
	REFRESH_STATE_EMPTY,   /* never transferred */
	REFRESH_STATE_EXPIRED, /* no good check for EXPIRE: answered with SERVFAIL */
} refresh_state_t;
const char *refresh_state_text(refresh_state_t state); /* "fresh" ... */

/* What is under way for a zone. */
typedef enum refresh_work {
	REFRESH_WORK_NONE,
	REFRESH_WORK_QUEUED,
	REFRESH_WORK_POLL,
	REFRESH_WORK_TRANSFER_QUEUED,
	REFRESH_WORK_TRANSFER,
} refresh_work_t;
const char *refresh_work_text(refresh_work_t work); /* "none", "queued" ... */

enum { REFRESH_WHY_MAX = 256 };

typedef struct refresh_zone_report {
	const zone_slot_t *slot;
	refresh_state_t state;
	bool refused;            /* a serial of some primary is not taken: see its report */
	bool pinned, unexpiring; /* refresh/pin.h */
	uint32_t pinned_at;      /* seconds since 1970, if pinned */
	refresh_work_t work;
	bool resting;      /* no round is under way, nor about to begin */
	bool again;        /* one more round will follow */
	uint32_t failures; /* rounds in a row without a good check */
	mono_t due;        /* the next round, unless one is under way */
	size_t primaries;
	const char *group;        /* NULL: it has none of its own name */
	uint32_t warn_signatures; /* seconds; 0: off */

	/* Once a version was transferred; all of it stays while it is expired. */
	bool loaded;
	zone_state_t served; /* as the query path has it ... */
	uint32_t serial; /* ... and of the version there; while it is expired, of the one kept */
	mono_t loaded_at, checked_at, expires;
	unsigned used;   /* percent of EXPIRE */
	bool has_newest; /* some primary has shown a newer serial: */
	uint32_t newest;
	mono_t behind_since; /* ... or nobody confirms it */
	bool has_signatures;
	wall_t signatures;               /* when the first of them ends */
	uint32_t refresh, retry, expire; /* seconds, within the group's limits */
	uint64_t records;
	size_t memory; /* octets */
	const char
		*source;  /* primary that it came from; NULL: one that is not configured any more */
	bool kept;        /* there is a state that is to have it ... */
	bool unsaved;     /* ... and it does not, since the disk did not take it */
	const char *kind; /* of the last transfer: "axfr", "ixfr", "axfr-in-ixfr" */
	uint64_t octets;  /* that it brought */
	uint32_t ms;      /* that it took */
} refresh_zone_report_t;

/* False: no such zone. */
bool refresh_zone_report(const refresh_t *r, const dns_name_t *apex, refresh_zone_report_t *out);

/* What a primary had to say about a zone. */
typedef struct refresh_primary_report {
	const char *name;
	addr_t addr; /* last used, or the first */
	bool has_serial;
	uint32_t serial; /* last shown */
	mono_t shown_at;
	bool failing; /* the last that came of it was a failure */
	mono_t failed_at;
	char why[REFRESH_WHY_MAX];
	bool has_refused;
	uint32_t refused; /* serial that was not taken */
} refresh_primary_report_t;

/* Primary i (0..primaries-1) of a zone, in configured order. False: there is none. */
bool refresh_primary_report(const refresh_t *r, const dns_name_t *apex, size_t i,
                            refresh_primary_report_t *out);

/* The state on disk. False: there is none to be. */
bool refresh_keep_report(const refresh_t *r, keep_report_t *out);

/* The last events of all zones. */
const refresh_events_t *refresh_events(const refresh_t *r);

/* --- all of them -------------------------------------------------------------------------- */

typedef struct refresh_totals {
	size_t zones;
	size_t fresh, behind, empty, expired; /* sum up to zones */
	size_t loaded;                        /* fresh, behind and expired */
	size_t refused;                       /* of all of them, those with a refused serial */
	size_t pinned;                        /* ... and those that are pinned */
	size_t polls, transfers;              /* under way */
	size_t queued;                        /* wait for their turn to poll or to transfer */
} refresh_totals_t;

/* One pass, some milliseconds for 100,000 zones. */
void refresh_totals(const refresh_t *r, refresh_totals_t *out);

/* What has happened since the start. */
const refresh_counts_t *refresh_counts(const refresh_t *r);

typedef struct refresh_transfer {
	const uint8_t *apex;
	const char *primary;
	bool delta; /* IXFR was asked for */
	mono_t begun;
	uint64_t octets; /* so far */
} refresh_transfer_t;

/* Up to most of the transfers under way. One pass. Returns how many. */
size_t refresh_transfers(const refresh_t *r, refresh_transfer_t *out, size_t most);

typedef struct refresh_laggard {
	const uint8_t *apex;
	refresh_state_t state;
	bool refused, pinned, unsaved;
	uint32_t serial; /* 0 while it is empty */
	bool has_newest; /* some primary has shown a newer one: */
	uint32_t newest;
	mono_t expires;      /* unless it is empty */
	mono_t since;        /* the last good check, or when secd began to ask */
	const char *primary; /* whom to look at; NULL: none in particular */
	char why[REFRESH_WHY_MAX];
} refresh_laggard_t;

/* Those that lag most: expired ones first, then empty ones, then those behind, then those with a
 * refused serial; of each kind those first that have waited longest. One pass. Returns how many. */
enum { REFRESH_WORST_MAX = 10 };
size_t refresh_worst(const refresh_t *r, refresh_laggard_t out[REFRESH_WORST_MAX]);

/* Which zones: those of any of these kinds, or all if none is named, whose name the pattern matches
 * (fnmatch(3), folded, with the final dot). */
typedef struct refresh_filter {
	bool fresh, behind, empty, expired, refused, pinned, unsaved;
	const char *match; /* NULL: any */
	bool by_lag;       /* those first that lag most; else in the order of the settings */
	size_t most;
} refresh_filter_t;

/* Call each(arg, ...) for them, but for no more than most; *matched is how many there are. With 100,000 zones
 * some 20 ms, and 2 us for each that is handed out. ST_NOMEM: for none. */
status_t refresh_list(const refresh_t *r, const refresh_filter_t *filter,
                      void (*each)(void *arg, const refresh_laggard_t *zone), void *arg,
                      size_t *matched);
