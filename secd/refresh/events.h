/* refresh/events.h - what happened last, to all zones, in one ring of fixed size.
 *
 *     note --> [ oldest ... newest ] --> walk: newest first, of one zone or of all
 *                  ^ gives way
 *
 * An entry takes what it holds, some 40 to 120 octets; the oldest give way to new ones, whatever zone
 * they are of. A zone costs nothing here, and its entries stay when it is removed: they carry its
 * name. A walk over one zone looks at every entry, some microseconds for each hundred.
 *
 * Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"

typedef enum refresh_event_code {
	REFRESH_EVENT_DUE,            /* REFRESH or RETRY has passed */
	REFRESH_EVENT_NOTIFY,         /* accepted: addr; serial is its hint */
	REFRESH_EVENT_NOTIFY_REFUSED, /* addr; as far as the log tells of it */
	REFRESH_EVENT_COMMAND,        /* of the operator: text is the verb */
	REFRESH_EVENT_CURRENT,        /* an answer to a SOA query: serial, that is held, too */
	REFRESH_EVENT_NEWER,          /* ... serial is newer than held */
	REFRESH_EVENT_GRANTED,        /* ... serial is not, but a command lets it in */
	REFRESH_EVENT_REFUSED,        /* ... or of a transfer: serial is not, and not taken: text */
	REFRESH_EVENT_POLL_FAILED,    /* no answer of use: text */
	REFRESH_EVENT_BEGUN,          /* a transfer: text is its kind */
	REFRESH_EVENT_INSTALLED,      /* serial, records, octets, ms */
	REFRESH_EVENT_FALLBACK,       /* IXFR came to nothing, AXFR follows: text */
	REFRESH_EVENT_FAILED,         /* a transfer: text */
	REFRESH_EVENT_EXPIRED,        /* serial is answered with SERVFAIL from now on */
	REFRESH_EVENT_REVIVED,        /* serial is answered again */
	REFRESH_EVENT_PINNED,         /* an operator holds it at serial; held: what was before */
	REFRESH_EVENT_UNPINNED,       /* ... or not any more */
	REFRESH_EVENT_CODES,
} refresh_event_code_t;

typedef struct refresh_event {
	refresh_event_code_t code;
	mono_t at;
	const uint8_t *apex; /* wire, folded */
	const char *primary; /* its name; NULL: none */
	addr_t addr;         /* of the primary, or whoever it was */
	bool has_addr, has_serial, has_held;
	uint32_t serial, held;
	uint64_t records, octets; /* of a transfer; 0 elsewhere */
	uint32_t ms;              /* that it took */
	const char *text;         /* NULL: none */
} refresh_event_t;

typedef struct refresh_events refresh_events_t;

/* A ring of this many octets, at least REFRESH_EVENTS_MIN. NULL: no memory. */
enum { REFRESH_EVENTS_MIN = 4096 };
refresh_events_t *refresh_events_new(size_t octets);
void refresh_events_free(refresh_events_t *ring); /* NULL is fine */

/* Note what is copied out of e: names and texts longer than 200 octets are cut. O(1), but for the
 * entries that give way. */
void refresh_events_note(refresh_events_t *ring, const refresh_event_t *e);

/* Entries in the ring. */
size_t refresh_events_count(const refresh_events_t *ring);

/* A walk from the newest entry to the oldest: of the zone of apex (wire, folded; borrowed), or of all
 * with NULL. It ends, and what it gave is void, with the next note. */
typedef struct refresh_events_walk {
	const refresh_events_t *ring;
	const uint8_t *apex;
	uint64_t at; /* the entry to look at next */
	size_t left;
} refresh_events_walk_t;

refresh_events_walk_t refresh_events_walk(const refresh_events_t *ring, const uint8_t *apex);
/* The next entry, its pointers into the ring; false: there is none. */
bool refresh_events_next(refresh_events_walk_t *walk, refresh_event_t *out);

/* One word or two: "due", "notify", "transfer failed" ... */
const char *refresh_event_text(refresh_event_code_t code);
