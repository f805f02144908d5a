/* state/index.h - where on the disk each zone lies, and how much of each file is still needed. For
 * state/ alone.
 *
 * Written by the scan, and then by the writer alone; places of zones are made by the main thread under
 * the mutex, which whoever looks for one by name holds as well. There may be a hundred thousand of them,
 * so they lie in slabs, and the table has four octets of the hash and of the number of each. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/siphash.h"
#include "common/status.h"
#include "dns/name.h"
#include "state/past.h"
#include "state/record.h"
#include "state/state.h"

typedef struct state_step {
	uint32_t version, from, stamp, arrived;
	state_place_t place;
} state_step_t;

struct state_zone {
	const uint8_t *apex;
	state_step_t *steps; /* differences since whole, by version */
	state_past_t *past;  /* older versions; NULL: there are none */
	state_place_t whole; /* the record that is it, or that names its own file */
	state_place_t clocks;
	uint32_t own;    /* number of the file with the whole zone; 0: it is in the record */
	uint32_t octets; /* of the whole zone, in units of STATE_ALIGN */
	uint32_t whole_version;
	uint32_t version; /* of the newest that was saved */
	uint32_t
		written; /* ... and of the newest that is in the log, synced or not: the writer's */
	uint32_t whole_stamp, whole_arrived;
	/* Of the newest clocks in a record of their own. clocks.file 0: those in the version's record are
	 * newer, or there are none. */
	uint32_t stamp, clocks_version;
	uint16_t step_count;
	/* The whole version is one that an operator holds the zone at; and one that was copied for that. */
	bool pinned : 1, copy : 1;

	/* The main thread's, once the scan is over. */
	uint16_t beside; /* saves that are on the way of the files, and have not come back */
	bool orphan; /* nobody has added it; apex is ours. Under the mutex; in no word of the writer's */
	uint32_t queued;     /* the version of the last save that was queued */
	uint32_t last;       /* the highest that was ever seen or given */
	uint32_t last_stamp; /* the same for stamps */
};
_Static_assert(sizeof(struct state_zone) <= 104, "one for each zone");

/* A file of records. */
typedef struct state_file {
	uint32_t number;
	int fd;
	uint64_t size, live; /* octets */
	bool stuck;          /* something in it is needed, and can't be read */
	bool damaged; /* there are octets in it that are no record: what is needed moves away */
} state_file_t;

enum { STATE_SLABS = 26 }; /* of twice as many zones each: more than numbers are for */

typedef struct state_index {
	pthread_mutex_t mutex;
	siphash_key_t key;
	struct state_entry *table; /* by apex */
	state_zone_t *slabs[STATE_SLABS];
	size_t count, room;
	state_file_t *files; /* by number; the last one may still grow */
	size_t file_count, file_room;
	state_file_t *scanned; /* those of the scan, for its readers, as they were */
	size_t scanned_count;
	uint32_t *unneeded; /* files of zones that nothing names any more */
	size_t unneeded_count, unneeded_room;
	unsigned
		past_share; /* percent of a zone that its old versions may take; 0: none are kept */
	bool settled;       /* what is taken is newer than what was */
	uint32_t skipped;   /* versions and stamps: zones begin behind them */
	state_place_t left; /* the list of zones that nobody follows; file 0: there is none */
	uint32_t left_stamp;
} state_index_t;

status_t state_index_open(state_index_t *x);
void state_index_close(state_index_t *x); /* files are the caller's to close */

/* The zone of this apex, made if create says so. NULL: there is none, or no memory. */
state_zone_t *state_index_zone(state_index_t *x, const uint8_t *apex, bool create, bool orphan);

/* Its name, which another thread may be about to lay elsewhere. */
void state_index_name(state_index_t *x, const state_zone_t *z, dns_name_t *out);
/* Nobody follows it: its name is the index's own. ST_NOMEM. */
status_t state_index_leave(state_index_t *x, state_zone_t *z);

/* Nothing of it is needed any more; it is as one that was never saved. False: somebody follows it. */
bool state_index_drop(state_index_t *x, state_zone_t *z);

/* The list of zones that nobody follows lies there now: with a stamp, the newest counts. */
void state_index_take_left(state_index_t *x, const state_record_t *r, state_place_t place);
/* ... or is the same elsewhere. */
void state_index_left_moved(state_index_t *x, state_place_t from, state_place_t to);

/* Call each(arg, zone) for all. */
void state_index_each(state_index_t *x, void (*each)(void *arg, state_zone_t *z), void *arg);

/* A file more, whose number is higher than all. NULL: no memory. Pointers to others die. */
state_file_t *state_index_add_file(state_index_t *x, uint32_t number, int fd, uint64_t size);
state_file_t *state_index_file(const state_index_t *x, uint32_t number); /* NULL: none */

/* The scan is over; what readers are to find of it stays as it is. ST_NOMEM. */
status_t state_index_scanned(state_index_t *x);
/* The descriptor of a file of the scan; -1: there is none. Any thread, until files may go. */
int state_index_fd(const state_index_t *x, uint32_t number);
void state_index_forget_file(state_index_t *x, uint32_t number);

/* A record that was found or written. */
typedef struct state_found {
	state_record_t record;
	state_place_t place;
	uint32_t own;     /* of STATE_OWN: the number of its file; else 0 */
	uint64_t octets;  /* of a whole version */
	uint32_t arrived; /* of a version: when it came: seconds since 1970 */
	bool pinned;      /* ... and whether an operator held the zone at it, ... */
	bool copy;        /* ... with a copy of an older version */
} state_found_t;

/* It is the zone's from now on. What it supersedes is an old version's, or not needed any more; files of
 * their own that are not are in x->unneeded, until the caller takes them.
 * Returns   ST_OK; ST_NOMEM, ST_LIMIT (too many differences): it is not, and all is as before. */
status_t state_index_take(state_index_t *x, state_zone_t *z, const state_found_t *f);
/* One of x->unneeded, which is taken; 0: there is none. */
uint32_t state_index_unneeded(state_index_t *x);

/* Is the record that stands at place still needed? */
bool state_index_needs(const state_zone_t *z, const state_record_t *r, state_place_t place);

/* It stands elsewhere, too: there from now on. */
void state_index_moved(state_index_t *x, state_zone_t *z, const state_record_t *r,
                       state_place_t from, state_place_t to);

/* After a scan: differences that don't hang together with the whole version are forgotten, and so are
 * clocks that are not those of the newest version then, and old versions that are not kept. */
void state_index_settle(state_index_t *x, state_zone_t *z);
