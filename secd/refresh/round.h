/* refresh/round.h - one look around a zone's primaries: whom to ask, whom to fetch from, when it
 * is over. Policy alone: no loop, no socket, no clock.
 *
 *     begin --+-- loaded: ask all, or first the sender of a NOTIFY --> the newest: fetch --+-- end
 *             |                                ^                                           |
 *             +-- nothing held: fetch at once, in configured order                failed --+
 *                                              |      difference: whole, from the same one
 *                                              +----- whole: the next newest
 *
 * The newest is the one with the largest (serial - ours) mod 2^32 in 1..2^31-1, ties in configured
 * order (RFC 1982 3.2). Differences are taken only from where our version came from: another
 * primary may have condensed other steps (RFC 1995 6). What the caller is to do next, round_next()
 * says; what came of it, the caller says with one of round_shown(), round_unreached(),
 * round_fetched(). A round and the memory of its primaries belong to the main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "dns/soa.h"
#include "xfr/why.h"

/* What is remembered of a primary, for one zone, from round to round. Starts with zeros. */
typedef struct round_peer {
	uint32_t serial;  /* that it showed last, if shown */
	uint32_t refused; /* whose content a gate refused, if has_refused */
	uint32_t seen;    /* when it last answered for the zone: seconds since boot; 0: never */
	uint32_t no_delta_until; /* seconds since boot */
	uint8_t delta_failures;  /* in a row */
	uint8_t address;         /* by which it was asked last; for operators, as what follows */
	bool shown : 1;
	bool has_refused : 1;
	uint32_t plain_until; /* it did not know EDNS (RFC 6891 7): seconds since boot */
	uint32_t failed_at;   /* when something came to nothing last: seconds since boot */
	xfr_why_t why;        /* ... what for, if nothing has come of it since */
} round_peer_t;
_Static_assert(sizeof(round_peer_t) == 40, "one for each zone and primary");

/* What made the round. Later ones say more, and win when two come together. */
typedef enum round_why {
	ROUND_TIMER,
	ROUND_NOTIFY,
	ROUND_COMMAND,    /* an operator's "refresh" */
	ROUND_RETRANSFER, /* ... whole, also what is not newer */
	ROUND_ACCEPT,     /* ... also what is older, and what was refused */
} round_why_t;

/* How a primary stands in a round. */
typedef enum round_seat_state {
	SEAT_TODO,   /* to be asked */
	SEAT_ASKED,  /* an answer is awaited */
	SEAT_SHOWN,  /* it answered: verdict and serial are set */
	SEAT_FETCH,  /* a transfer is under way */
	SEAT_FAILED, /* nothing more is to be had from it in this round */
} round_seat_state_t;

/* What an offered serial means for us. */
typedef enum round_verdict {
	ROUND_SAME,      /* the one we hold: a good check */
	ROUND_NEWER,     /* to be fetched */
	ROUND_RESIGNED,  /* the same serial, other signatures: to be fetched whole */
	ROUND_OLDER,     /* a failed check: the primary went back */
	ROUND_UNDEFINED, /* 2^31 apart: no order (RFC 1982 3.2); a failed check too */
	ROUND_REFUSED,   /* newer, but we have looked at it and refused it */
} round_verdict_t;

typedef struct round_seat {
	round_seat_state_t state;
	round_verdict_t verdict;
	uint16_t from;     /* the way to it that is taken first */
	uint16_t tried;    /* ways that led nowhere, from there on around */
	bool delta_failed; /* in this round */
} round_seat_t;

/* What the zone is as the round begins. */
typedef struct round_zone {
	bool loaded;  /* something is held */
	bool expired; /* ... but has expired: any serial is better than none */
	bool pinned;  /* ... and is held whatever they have: to be asked is all */
	uint32_t serial;
	unsigned source; /* primary that it came from; ROUND_NO_SOURCE: unknown */
} round_zone_t;

#define ROUND_NO_SOURCE UINT16_MAX

typedef struct round {
	round_why_t why;
	round_zone_t zone;
	unsigned count;      /* primaries */
	unsigned first;      /* to be asked before the others; ROUND_NO_SOURCE: none */
	round_peer_t *peers; /* borrowed */
	mono_t gather;       /* by when to fetch, though some have not answered; 0: not set */
	mono_t ahead;        /* until when first is asked alone; 0: not asked yet */
	bool confirmed;      /* some primary has our serial, or, where it is pinned, any */
	bool updated;
	round_seat_t seats[];
} round_t;

typedef enum round_do {
	ROUND_ASK,   /* this primary for its SOA */
	ROUND_FETCH, /* the zone from this primary */
	ROUND_WAIT,  /* for what is under way; until a time, if it is set */
	ROUND_END,   /* round_end() says how */
} round_do_t;

typedef struct round_step {
	round_do_t what;
	unsigned primary;
	bool delta;   /* ROUND_FETCH: by IXFR */
	mono_t until; /* ROUND_WAIT: call round_next() again at that time; 0: no need */
} round_step_t;

/* How long a newer serial waits for the answers of other primaries, and these for the sender of a
 * NOTIFY. */
enum { ROUND_GATHER_MS = 500 };

size_t round_size(unsigned primaries);

/* Begin in memory of round_size() octets.
 *   peers   one for each primary, in configured order; borrowed for the round.
 *   first   the primary that sent NOTIFY, or ROUND_NO_SOURCE; address: by which way. */
void round_begin(round_t *r, round_why_t why, const round_zone_t *zone, round_peer_t *peers,
                 unsigned count, unsigned first, unsigned address);

/* What to do now. ROUND_ASK and ROUND_FETCH count as done: call again until ROUND_WAIT or
 * ROUND_END. */
round_step_t round_next(round_t *r, mono_t now);

/* A primary that was asked has shown its serial; resigned: it has signed the SOA anew since we took
 * the zone from it. Returns what that means. */
round_verdict_t round_shown(round_t *r, unsigned primary, uint32_t serial, bool resigned,
                            mono_t now);

/* One that was asked has not: of_the_way, so that another address may do, of so many. */
void round_unreached(round_t *r, unsigned primary, bool of_the_way, unsigned addresses);

typedef enum round_fetched {
	ROUND_GOT,          /* and it is served: the round is over */
	ROUND_GOT_NOTHING,  /* there is nothing newer: serial is the primary's */
	ROUND_GOT_NO_DELTA, /* IXFR failed: the whole zone from the same one, at once */
	ROUND_GOT_FAILURE,  /* the whole zone failed */
	ROUND_GOT_NO_WAY,   /* ... since there was no way to the primary */
	ROUND_GOT_REFUSED,  /* ... since a gate refused this serial */
} round_fetched_t;
void round_fetched(round_t *r, unsigned primary, round_fetched_t got, uint32_t serial,
                   unsigned addresses, mono_t now);

/* "No differences from here", with an end: for a minute, then two, four ... a day; at once a day
 * if it does not know IXFR at all. */
void round_forgo_delta(round_peer_t *p, bool unknown, mono_t now);

/* A version came from it that will be served: round_fetched() with ROUND_GOT is going to say so. */
void round_gave(round_peer_t *p, uint32_t serial, bool delta, mono_t now);

typedef enum round_end {
	ROUND_ENDS_UPDATED,
	ROUND_ENDS_SAME,   /* some primary holds what we hold, and none has shown more */
	ROUND_ENDS_BEHIND, /* ... but another has shown more, and it could not be had */
	ROUND_ENDS_FAILED, /* nobody confirmed what we hold */
} round_end_t;
round_end_t round_end(const round_t *r);

/* Has any primary shown, lately or not, a newer serial than this one? Then an equal one elsewhere
 * says only that there are two who are behind. */
bool round_outrun(const round_peer_t *peers, unsigned count, uint32_t serial);

/* "current", "newer", "resigned", "older", "undefined", "refused". */
const char *round_verdict_text(round_verdict_t v);
