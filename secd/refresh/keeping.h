/* refresh/keeping.h - what the rooms behind keep.h share, and pin.c and plan.c with them. For these alone. */
#pragma once

#include "refresh/keep.h"
#include "xfr/keep.h"
#include "zone/version.h"

typedef enum keep_kind {
	KEEP_VERSION, /* that is to be served when it is on the disk */
	KEEP_ANEW,    /* that is served */
	KEEP_PINNED,  /* ... and that an operator has chosen */
	KEEP_CLOCKS,
	KEEP_ASK,  /* which versions there are */
	KEEP_BACK, /* ... and a way to the newest, of a zone that is back */
	KEEP_LEFT, /* the list of those that nobody follows */
	KEEP_DROP, /* one of them */
} keep_kind_t;

typedef struct keep_anew keep_anew_t;
typedef struct keep_back keep_back_t;
typedef struct keep_left {
	state_zone_t *zone;
	uint32_t since; /* seconds since 1970 */
} keep_left_t;

/* A save under way. */
struct keep_note {
	struct keep_note *next, **before;
	keep_kind_t kind;
	uint16_t edition;  /* of the zone, when it was begun */
	struct zone *zone; /* NULL: nobody waits for it any more */
	void *arg;
};

struct keep {
	struct ev_loop *loop;
	struct refresh *r; /* NULL: not yet, or not any more */
	char *dir;         /* owned: settings come and go */
	bool relaxed;
	unsigned old_versions; /* percent of a zone */
	unsigned share_most;
	status_t (*adopt)(void *arg, const keep_stray_t *strays, size_t count);
	void *adopt_arg;
	pool_t *builders;
	state_t *state; /* NULL: the directory can't be had */
	bool writes;    /* the state takes saves: it was looked through */
	uint64_t boot;
	mailbox_t done, packed, pins, backs;
	keep_note_t *notes;
	keep_anew_t *packing;
	ev_timer flush, retry;

	struct zone **dirty;
	size_t dirty_count, dirty_room;

	size_t unsaved, next_unsaved, anew;
	unsigned backoff;  /* s */
	mono_t backed_off; /* when it was set */
	bool slow; /* a save is overdue: nothing is added to what waits until it comes back */
	bool failing;
	char why[256]; /* ... for operators */

	wake_t *wake; /* while zones are loaded */
	bool hangs; /* ... from a disk that does not come back: others are transferred, and wait to be saved */
	ev_timer bury; /* it, when its mailbox has had its say */
	mono_t woke;   /* when times of the state were made times of this boot */
	ev_timer settle;
	size_t unsure;   /* zones whose times are not known yet */
	bool loaded;     /* all zones of the state are, or were given up */
	size_t doubtful; /* ... of which something newer may have been lost */

	/* left.c's: zones of the state that nobody follows any more. */
	keep_left_t *left;
	size_t left_count, left_room;
	bool left_changed; /* what is on the disk is out of date */
	unsigned patience; /* s that they stay */
	ev_timer sweep;
	keep_back_t *backs_under_way;
};

/* --- keep.c */

/* It does again, unless something else is wrong with it. */
void keep_works(keep_t *k);

void keep_retry_in(keep_t *k, unsigned seconds);

/* Another version is on its way to the disk than what is served: one that came, or one that is pinned. */
bool keep_is_saving(const struct zone *z);
/* The clocks of a zone that stand on their own. */
void keep_save_clocks(keep_t *k, struct zone *z);
/* A save of no zone that is followed. False: no memory; it is freed. */
bool keep_submit(keep_t *k, keep_kind_t kind, state_save_t *save);
/* How the zone is read from the state, but for where: by the settings of its group. */
xfr_keep_spec_t keep_spec(const struct zone *z);

/* --- restore.c */

/* How long it was, at a start, since each boot of the state was seen last (state_times()). */
typedef struct keep_times {
	state_instant_t now;
	int64_t gap[STATE_BOOTS_MAX + 1]; /* by place, from 1 on; if sure */
	bool sure[STATE_BOOTS_MAX + 1];
} keep_times_t;

/* The zone's primary of this name; ROUND_NO_SOURCE: it has none. */
unsigned keep_primary_named(const struct zone *z, const char *name);
void keep_times_look(keep_t *k, keep_times_t *out);
void keep_times_now(const keep_t *k, keep_times_t *out); /* the same, later */
/* All of it that is beside the records of v, before it is published. */
void keep_restore(keep_t *k, const keep_times_t *t, struct zone *z, const state_clocks_t *c,
                  const zone_version_t *v, uint32_t overdue_ms);
/* All zones are restored: tell of how many nobody knows how old they are, until somebody does. */
void keep_settle(keep_t *k);
void keep_settle_init(keep_t *k);

/* --- left.c */

void keep_left_init(keep_t *k);
/* Those that are not forgotten. */
size_t keep_left_count(const keep_t *k);
void keep_left_rebind(keep_t *k);
/* What the state has beside the zones that are followed: found by the thread that looks through it. */
typedef struct keep_look {
	keep_left_t *left; /* of which it says since when */
	size_t left_count, left_room;
	bool outdated;        /* it says so of others, too */
	keep_stray_t *strays; /* of which it doesn't; with names, if they are too many */
	size_t stray_count, stray_room;
	size_t followed; /* zones, strays among them */
	bool too_many;
} keep_look_t;
void keep_look(keep_t *k, keep_look_t *out);
void keep_look_free(keep_look_t *l);
/* Strays that are too many are followed on; else they stay for a while, like those that were left. */
void keep_look_adopt(keep_t *k, keep_look_t *l);
void keep_look_take(keep_t *k, keep_look_t *l);
/* Came back: the list, a question about a zone that is back. */
void keep_left_saved(keep_t *k, bool ok);
void keep_back_listed(keep_t *k, void *back, status_t status);
/* What changed in the last moment is saved; nothing is waited for any more. */
void keep_left_detach(keep_t *k);
void keep_left_free(keep_t *k);

/* --- wake.c */

void keep_wake_init(keep_t *k);
void keep_wake_up(keep_t *k); /* zones that nobody has transferred wait for the state */
/* Give up loading. */
void keep_wake_stop(keep_t *k);

/* --- dir.c */

/* The disk does not do what it should, and what is served how: told once, and when the reason is another one. */
void keep_failing(keep_t *k, const char *why, const char *served);

/* The directory could not be had: once more. */
void keep_reopen(keep_t *k);
