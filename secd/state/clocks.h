/* state/clocks.h - what is known of a zone beside its records, and how long ago that was.
 *
 * All times in it are those of clock_mono() of the boot in which it was written. What they are in this
 * boot follows from when that boot was seen last:
 *
 *     same boot      CLOCK_BOOTTIME runs on: exact, whatever the wall clock does
 *     another boot   the wall clock tells how long the machine was down, if it was known to be right
 *                    then and is now; if not, nothing counts as elapsed until it is
 *
 * Nothing here reads a clock. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/status.h"

/* A moment, by all clocks that there are. */
typedef struct state_instant {
	uint64_t boot; /* a number that no other boot has; 0: nobody knows */
	mono_t mono;
	int64_t wall_ms; /* since 1970 */
	bool synced;     /* the wall clock was known to be right */
} state_instant_t;

/* --- what is known of a zone ----------------------------------------------------------------- */

enum { STATE_TEXT_MAX = 63 };
typedef struct state_text {
	uint8_t len;
	char text[STATE_TEXT_MAX + 1];
} state_text_t;

/* A primary, as refresh/round.h remembers it. Times of zeros: never. */
typedef struct state_peer {
	state_text_t name;
	uint32_t serial, refused; /* if shown, has_refused */
	bool shown, has_refused;
	uint8_t delta_failures, address;
	mono_t seen, failed_at, no_delta_until, plain_until;
	state_text_t why; /* the name of a code of xfr/why.h; empty: nothing has failed */
	uint16_t why_type;
	uint32_t why_a, why_b;
} state_peer_t;

typedef struct state_clocks {
	state_instant_t at; /* when all of this was true */
	uint32_t serial;
	bool expired;
	bool accepted;      /* an operator let it past the gates */
	bool pinned;        /* ... holds the zone at this version ... */
	bool unexpiring;    /* ... whatever EXPIRE says ... */
	bool copy;          /* ... which is another one, copied */
	uint32_t pinned_at; /* ... since then: seconds since 1970; if pinned */
	uint16_t failures;
	mono_t checked, expires, outrun, loaded_at;
	uint64_t octets; /* of the last transfer ... */
	uint32_t ms;
	state_text_t how;    /* ... "axfr", "ixfr" ... */
	state_text_t source; /* a primary's name; empty: none */
	uint16_t peer_count;
	state_peer_t *peers; /* borrowed */
} state_clocks_t;

/* Octets that it takes at most. */
size_t state_clocks_room(const state_clocks_t *c);
/* Write it: its length. out has that room. */
size_t state_clocks_put(const state_clocks_t *c, uint8_t *out);

/* Read it.
 *   peers   room for most of them; those beyond are left out.
 * Returns   ST_OK; ST_MALFORMED. */
status_t state_clocks_get(const uint8_t *in, size_t len, state_clocks_t *c, state_peer_t *peers,
                          size_t most);
/* Only when it was true; only whether the version was accepted, or is pinned. */
status_t state_clocks_instant(const uint8_t *in, size_t len, state_instant_t *out);
bool state_clocks_accepted(const uint8_t *in, size_t len);
bool state_clocks_pinned(const uint8_t *in, size_t len);
bool state_clocks_copy(const uint8_t *in, size_t len);
/* When the version came with which they were written, by the wall clock: seconds since 1970. */
uint32_t state_clocks_arrived(const uint8_t *in, size_t len);

/* --- how long ago ------------------------------------------------------------------------------ */

/* The last that is known of each boot. Starts with zeros. */
enum { STATE_BOOTS_MAX = 14 };
typedef struct state_boot {
	uint64_t boot;
	mono_t last;   /* of any moment */
	mono_t synced; /* of one at which the wall clock was right: wall_ms; 0: there was none */
	int64_t wall_ms;
} state_boot_t;
typedef struct state_times {
	unsigned count;
	state_boot_t boots[STATE_BOOTS_MAX];
} state_times_t;

/* One more moment; not of a boot that nobody knows. Of too many boots, the first is forgotten. */
void state_times_note(state_times_t *t, const state_instant_t *at);

/* The boot's place in the list, from 1 on; 0: it is not known. */
unsigned state_times_boot(const state_times_t *t, uint64_t boot);

/* A boot of which this moment alone is known, also if its number is not. */
state_boot_t state_boot_at(const state_instant_t *at);

/* How much later it is now than the last moment known of a boot: ns >= 0.
 * False: nobody can tell, and *ns is 0. */
bool state_boot_gap(const state_boot_t *b, const state_instant_t *now, int64_t *ns);

/* What a time of that boot is on the clock of now, given the gap. */
mono_t state_times_now(const state_boot_t *boot, int64_t gap_ns, mono_t then, mono_t now);
