/* refresh/zone.h - a zone as refresh/ follows it, and the rooms that do so. For refresh/ alone.
 *
 *     refresh.c   when: timers, NOTIFY, operators; lanes; the loop
 *     follow.c    a round: from whom, by refresh/round.h, through refresh/way.h
 *     publish.c   what came of a transfer
 *     pin.c       what an operator puts in its place
 *     keep.c      ... and its way to the state
 *     wake.c      ... and back, at a start, with restore.c for what is beside the records
 *     plan.c      from the settings to all of these
 *     told.c      every line of the log */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/epoch.h"
#include "conf/conf.h"
#include "refresh/clock.h"
#include "refresh/counts.h"
#include "refresh/events.h"
#include "refresh/keep.h"
#include "refresh/queue.h"
#include "refresh/refresh.h"
#include "refresh/report.h"
#include "refresh/round.h"
#include "refresh/strangers.h"
#include "refresh/way.h"
#include "xfr/fetch.h"
#include "xfr/poll.h"

typedef struct zone zone_t;
typedef struct follow follow_t;
typedef struct group group_t;
typedef struct publish_saving publish_saving_t;
typedef struct pin pin_t;

typedef enum zone_stage {
	STAGE_IDLE,
	STAGE_LOADING, /* the state may have it: nobody is asked before */
	STAGE_QUEUED,  /* waits until its primaries are not crowded */
	STAGE_ROUND,
} zone_stage_t;

/* A primary of a round: the question or the transfer that is under way there. */
typedef struct seat {
	follow_t *follow;
	way_turn_t turn;
	xfr_poll_t *poll; /* one of them at most */
	xfr_fetch_t *fetch;
	uint8_t again; /* how often the step was begun anew, since its connection ended */
	bool stream;   /* the question goes by TCP */
	bool deaf;     /* ... since UDP brought no answer */
	bool delta;    /* the transfer is by IXFR */
	mono_t begun;  /* the transfer */
	uint16_t index;
} seat_t;

/* A round under way. Lives as long as it. */
struct follow {
	zone_t *zone;
	round_t *round;           /* behind the seats */
	refresh_check_t check;    /* what those said that hold our serial */
	mono_t until;             /* when to look again; 0: when something happens */
	uint32_t notified;        /* the NOTIFY that it answers came: ms since boot; 0: none did */
	publish_saving_t *saving; /* a version that is on its way to the disk; NULL: none */
	seat_t seats[];
};

/* A zone, with the memory of each of its primaries. */
struct zone {
	zone_slot_t *slot;
	const conf_zone_t *conf;
	group_t *group;
	follow_t *follow; /* NULL between rounds */
	refresh_clock_t clock;
	/* The earliest of what happens by itself. Its extra: when the first NOTIFY came that nobody has
	 * looked into yet (ms since boot); 0: none. */
	refresh_timer_t timer;
	refresh_link_t link;  /* in a lane while queued */
	uint32_t notified;    /* when NOTIFY began a round last: ms since boot */
	uint32_t hint;        /* a serial that NOTIFY promised */
	uint32_t loaded_at;   /* of the last transfer: when (seconds since boot) ... */
	uint32_t pinned_at;   /* seconds since 1970, if pinned */
	uint64_t octets : 40; /* ... what it brought ... */
	uint64_t ms : 24;     /* ... and how long it took: zone_note_transfer() */
	state_zone_t *kept;   /* NULL: there is no state */
	uint16_t room;        /* peers that there is memory for: those of a group before, perhaps */
	uint16_t edition;     /* counts the versions that were served */
	uint16_t source;      /* primary that the version came from, or ROUND_NO_SOURCE */
	uint16_t first_primary, first_address; /* where the next round begins */
	uint8_t rounds;                        /* so far: spreads the timers */
	uint8_t why : 4;                       /* of the next round, or of this one: round_why_t */
	uint8_t again_why : 4;
	uint8_t how : 3;   /* xfr_outcome_t of the last transfer */
	uint8_t stage : 4; /* zone_stage_t */
	bool again : 1;    /* something came during the round that asks for another */
	bool urgent : 1;
	bool has_hint : 1;
	bool hint_tried : 1; /* ... and a round more was made for it */
	bool held_up : 1;    /* its last round found no way to an address */
	bool accepted : 1;   /* what is held was let past the gates by an operator */
	bool unsaved : 1;    /* what is held is not in the state, since the disk did not take it */
	bool dirty : 1;      /* keep_touch() */
	bool doubtful : 1;   /* something newer may have been lost with the state: no check since */
	bool anew : 1;       /* it is being packed for the state once more */
	bool pinned : 1;     /* an operator holds it at what is held ... */
	bool unexpiring : 1; /* ... whatever EXPIRE says */
	bool pinning : 1;    /* pin.c is about to */
	bool back : 1;       /* left.c looks for it in the state */
	bool seen : 1; /* plan.c's: the settings still have it, it is new, others are to be asked */
	bool fresh : 1;
	bool touched : 1;
	uint8_t unsure : 4; /* its times are those of this boot of the state (state_times()), and
	                      * nobody knows yet how long that is ago; 0: they are sure */
	uint8_t warned : 2; /* how much of EXPIRE has passed was told so often */
	round_peer_t peers[];
};
_Static_assert(sizeof(struct zone) <= 160, "one for each zone");

static inline void zone_note_transfer(zone_t *z, uint64_t octets, uint32_t ms)
{
	const uint64_t octets_most = (UINT64_C(1) << 40) - 1, ms_most = (1 << 24) - 1;

	z->octets = (octets < octets_most ? octets : octets_most) & octets_most;
	z->ms = (ms < ms_most ? ms : ms_most) & ms_most;
}

/* Zones of the same primaries wait together. */
struct group {
	refresh_t *r;
	const conf_group_t *conf, *next_conf; /* the latter is plan.c's */
	way_t ***ways, ***next_ways;          /* [primary][address] */
	bool rekeyed;                         /* in the settings at hand, by a key of a primary */
	refresh_lane_t urgent, due;
	refresh_link_t link; /* among those with somebody in their lanes */
	unsigned turn;       /* of the lanes */
};

struct refresh {
	struct ev_loop *loop;
	const conf_t *conf; /* in force; NULL: none yet */
	zone_set_t *set;
	epoch_t *epoch;
	xfr_env_t *env;
	const dns_tsig_keys_t *keys;
	keep_t *keep; /* NULL: nothing outlives the process */
	way_limits_t limits;
	way_t ***ways;    /* [primary][address] */
	group_t **groups; /* by their index in conf */
	size_t group_count;
	refresh_lane_t busy; /* groups with zones in their lanes */
	size_t first_way;    /* the next to be given turns */
	zone_t **zones;
	size_t zone_count;
	unsigned generation; /* of them: other settings, other zones */
	refresh_heap_t timers;
	refresh_events_t *events;
	refresh_counts_t counts;
	pin_t *pins; /* under way */
	mono_t began;
	bool started;
	void (*receive)(void *arg); /* refresh_on_reclaim() */
	void *receive_arg;
	strangers_t strangers;
	ev_timer wake, reclaim;
	ev_prepare pump;
};

enum { REFRESH_EVENTS_OCTETS = 1 << 19 };

/* --- refresh.c */

/* Deterministic, different for each zone and round: 0..999. */
unsigned refresh_spread(zone_t *z);
/* Set the zone's timer to what comes first. */
void refresh_set_timer(zone_t *z);
/* The round is over: rest, or begin the next one. */
void refresh_rested(zone_t *z);
/* Whatever is under way for it ends, and nobody is asked until refresh_woken(). */
void refresh_lift(zone_t *z);
/* It is in from the state, or is not there: it may be asked for. */
void refresh_woken(zone_t *z);
/* Into the lane of its group. */
void refresh_enqueue(zone_t *z);
/* Versions were retired. */
void refresh_retired(refresh_t *r);

/* --- ways.c */

/* Give turns on all ways; when there may be more to give though nothing happens. */
mono_t ways_pump(refresh_t *r, mono_t now);
/* An address that was down is up: its zones need not wait for RETRY. */
void ways_up(refresh_t *r, const way_t *way);

/* --- follow.c */

/* Begin a round, for z->why. ST_NOMEM. */
status_t follow_begin(zone_t *z);
/* Go on with it as far as it goes by itself. */
void follow_step(follow_t *f);
/* Give it up. NULL is fine. */
void follow_stop(follow_t *f);

const conf_primary_t *seat_primary(const seat_t *s);
const dns_tsig_key_t *seat_key(const seat_t *s); /* NULL: none */
/* The way that the seat is on. */
way_t *seat_way(const seat_t *s);
/* What came of asking the primary, for operators; a why of zeros: something did. */
void seat_remember(seat_t *s, const xfr_why_t *why);
/* The primary holds what we hold, for so many seconds yet, as it says (RFC 7314 4). Of several the one
 * that does longest counts; who does not say, does as long as the SOA says. */
void seat_vouch(seat_t *s, bool has_expire, uint32_t expire);
/* What a question's end says of the address: one who closes, resets or falls silent is somebody, and a
 * failure of our own says nothing. */
typedef enum seat_found { SEAT_FOUND_SOMEBODY, SEAT_FOUND_NOBODY, SEAT_FOUND_NOTHING } seat_found_t;
seat_found_t seat_found(const xfr_why_t *why);

/* --- publish.c */

/* What came of the seat's transfer: serve it, when it is on the disk, or say why not; tells the round,
 * and goes on with it. */
void publish_fetched(seat_t *s, xfr_result_t *result);
/* What came of its save. edition: of the zone, when the save was begun. */
void publish_saved(publish_saving_t *saving, zone_t *z, bool saved, uint16_t edition);
/* By when it is to be on the disk; and later: it is served from memory, and saved when that can be. */
mono_t publish_deadline(const publish_saving_t *saving);
void publish_overdue(publish_saving_t *saving);
/* It is served now, and its save goes on: the round has to end. */
void publish_early(publish_saving_t *saving);
/* The round is given up. NULL is fine. */
void publish_give_up(publish_saving_t *saving);
/* A number that tells the signatures of the SOA that we hold from others (xfr_soa_mark); 0: none. */
uint64_t publish_mark(const zone_t *z);
/* A primary has confirmed a zone that has expired, or is about to: it lives at once, whatever others
 * say yet. */
void publish_revived(follow_t *f);
/* The round has ended without anything new. */
void publish_round_end(follow_t *f);
/* EXPIRE has passed, or has not; or so much of it that it is told. And when there is more to be told. */
void publish_tick(zone_t *z, mono_t now);
mono_t publish_next_warning(zone_t *z);

/* --- report.c */

/* The zone of this name, or NULL. */
zone_t *report_find(const refresh_t *r, const dns_name_t *apex);
/* Does some primary, or this one, offer a serial that is not taken? */
bool report_has_refused(const zone_t *z);
bool report_is_refused(const zone_t *z, const round_peer_t *p);
refresh_state_t report_state(const zone_t *z);
refresh_work_t report_work(const zone_t *z);
/* Add it to the totals, but for zones and loaded. */
void report_count(const zone_t *z, refresh_totals_t *out);
/* What failed last with primary i, in words. */
void report_why(const zone_t *z, size_t i, char out[REFRESH_WHY_MAX]);

/* --- list.c */

/* How bad it is: 0 is nothing to tell. */
unsigned list_badness(const zone_t *z);
/* Its last good check, or when secd began to ask. */
mono_t list_since(const zone_t *z);
/* Since when a zone is behind: since it was known, or else since the last good check. While the round is
 * under way that has found something newer, nothing has gone wrong yet. */
mono_t list_behind_since(const zone_t *z);
/* The newest serial that any of its primaries has shown, if it is newer than what is held. */
bool list_newest(const zone_t *z, uint32_t *out);

/* --- told.c */

/* "axfr", "ixfr" ...; and back: XFR_AXFR, if there is no such. */
const char *told_how(xfr_outcome_t outcome);
xfr_outcome_t told_named(const char *how);

/* Each is an event, too (refresh/events.h). */
void told_due(const zone_t *z);
void told_notify(const zone_t *z, const addr_t *from, const uint32_t *hint);
void told_command(const zone_t *z, const char *verb);
void told_begun(const seat_t *s);
void told_poll(const seat_t *s, round_verdict_t verdict, uint32_t serial);
void told_poll_failed(const seat_t *s, const xfr_why_t *why);
void told_fallback(const seat_t *s, const xfr_result_t *result);
void told_fetch_failed(const seat_t *s, const xfr_result_t *result);
void told_installed(const seat_t *s, const xfr_result_t *result);
void told_faults(const zone_t *z, const xfr_result_t *result);
void told_advice(const zone_t *z, uint8_t before,
                 uint8_t advice);                  /* zone_advice_of(): unless it is the same */
void told_fresh(const zone_t *z, const char *why); /* "a primary confirmed it" */
void told_current(const zone_t *z);
void told_stale(const zone_t *z);
void told_unrefreshed(const zone_t *z);
void told_expiring(const zone_t *z, unsigned percent);
void told_expired(const zone_t *z);
void told_pinned(const zone_t *z, uint32_t was, const char *why); /* "an operator said so" */
void told_unpinned(const zone_t *z);
void told_outlived(const zone_t *z);
void told_added(const zone_t *z); /* to the settings */
void told_moved(const zone_t *z); /* ... to other primaries */
void told_removed(const zone_t *z);
void told_back(const zone_t *z); /* with what was kept of it */
void told_down(const seat_t *s, const xfr_why_t *why);
void told_up(const seat_t *s, mono_t since, mono_t now);
