/* state/state.h - what survives a restart: a log of segments in one directory.
 *
 *     builder                 main thread                  writer                    disk
 *     state_draft_add ...  -> state_save -- queue -->  one write, one sync for   log-00000007
 *                             done(save) <-- mail ---  all that has come in      log-00000008
 *     (a big zone is written by the builder, and synced beside the queue)        zone-00000009
 *
 * Of each zone the log holds one whole version, the differences since, and its clocks: what was learnt
 * of it and of its primaries. All of it is portable octets that others make and read: whole zones
 * and differences zone/pack.h, clocks state/clocks.h; here they have a kind, a version and a checksum
 * (state/record.h). Files are only appended to; what is superseded stays until most of its file is,
 * and then the rest is copied and the file goes. Some older versions are kept (state/past.h).
 *
 * At a start, all files are looked through (state_scan), then any number of threads read zones
 * (state_read) until state_start(). After a crash each zone is what was saved last, or what was being
 * saved, whole; what is damaged costs its own zone, which falls back or is missing, and nothing else.
 *
 * A failed write or sync fails the saves that were in it and nothing else: they may be tried again,
 * with what is served by then. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mailbox.h"
#include "common/status.h"
#include "state/clocks.h"
#include "state/disk.h"

typedef struct state state_t;
typedef struct state_zone
	state_zone_t; /* a zone's place in the index; lives as long as the state */
typedef struct state_draft state_draft_t;
typedef struct state_window state_window_t; /* what a reader has in memory */

typedef struct state_conf {
	state_disk_t *disk; /* owned from here on, also if it fails */
	mailbox_t *done;    /* borrowed: where saves come back to */
	bool relaxed;       /* sync once a second instead of before each answer */
	uint64_t segment;   /* octets after which a new file is begun; 0: 64 MiB */
	/* Percent of a zone that its old versions may take (64 KiB at least); 0: none are kept. */
	unsigned past_share;
} state_conf_t;

/* NULL: no memory. Main thread. */
state_t *state_new(const state_conf_t *conf);

/* Write what is queued, mail it back, join: nothing comes to conf.done any more. What lies there needs
 * its zones, which live until state_free(). NULL is fine. Main thread. */
void state_stop(state_t *s);

/* The same, and close. NULL is fine. Main thread. */
void state_free(state_t *s);

/* The place of a zone, made if it is new. apex: wire, folded, borrowed as long as the state. NULL: no
 * memory. Main thread; not during state_scan(). */
state_zone_t *state_zone_add(state_t *s, const uint8_t *apex);

/* Nobody follows the zone any more: what there is of it stays, and the apex that it was added with may go
 * when this returns. ST_NOMEM: it is as before. Main thread. */
status_t state_zone_leave(state_t *s, state_zone_t *z);

/* --- at the start ------------------------------------------------------------------------------ */

typedef struct state_scan {
	unsigned files;
	uint64_t octets, records;
	uint64_t zones;   /* that have a whole version */
	uint64_t orphans; /* ... and that nobody has added */
	uint64_t damaged; /* octets that belong to no sound record ... */
	unsigned damaged_places;
	char first_damage[64]; /* ... "log-00000007 at 4096" */
	uint64_t torn;         /* octets of last writes that were cut off */
	unsigned gone; /* logs that somebody removed meanwhile, of a directory that is not ours */
} state_scan_t;

/* Is any of it of a newer format? ST_OK; ST_REFUSED: why names it. Any one thread, before the scan. */
status_t state_check(state_t *s, char why[256]);

/* Look through all that is there, once, before state_start().
 * Returns   ST_OK; ST_REFUSED: a file of a newer format, named in why; nothing was changed;
 *           ST_SYSTEM: the directory can't be read; ST_NOMEM. Any one thread; may take long. */
status_t state_scan(state_t *s, state_scan_t *out, char why[256]);

/* When the boots were seen last in which what was scanned was written. */
const state_times_t *state_times(const state_t *s);

/* The list of zones that nobody follows any more, as it was scanned (state/gone.h). */
const uint8_t *state_left(const state_t *s, size_t *len);

/* After a scan: the place of a zone, whoever has added it; NULL: there is none. And of all. */
state_zone_t *state_zone_find(state_t *s, const uint8_t *apex);
void state_zones_each(state_t *s, void (*each)(void *arg, state_zone_t *z), void *arg);
const uint8_t *state_zone_apex(const state_zone_t *z); /* wire, folded */

/* Nobody has added it, or whoever did has left it. Main thread. */
bool state_zone_is_left(const state_zone_t *z);

/* What there is of a zone after a scan. */
bool state_zone_has(const state_zone_t *z);        /* a whole version */
uint64_t state_zone_octets(const state_zone_t *z); /* about what it takes on the disk */
/* There are traces of a newer version than what there is. Main thread, before the zone is saved. */
bool state_zone_is_behind(const state_zone_t *z);

/* One for each thread that reads; it goes faster from zone to zone in the order of state_zone_place(). */
state_window_t *state_window_new(void);    /* NULL: no memory */
void state_window_free(state_window_t *w); /* NULL is fine */
uint64_t state_zone_place(const state_zone_t *z);

typedef struct state_reader {
	void *arg;
	state_window_t *window;
	/* First: its clocks (state/clocks.h). */
	status_t (*clocks)(void *arg, const uint8_t *octets, size_t len);
	/* A chunk of the whole version, then the differences in order. Not ST_OK ends the reading. */
	status_t (*chunk)(void *arg, const uint8_t *octets, size_t len);
	status_t (*delta)(void *arg, const uint8_t *octets, size_t len);
} state_reader_t;

/* Read a zone.
 * Returns   ST_OK; ST_NOENT: there is none; ST_MALFORMED: it is damaged; ST_SYSTEM: errno;
 *           ST_NOMEM; what the reader said. Threads: any, until the zone is saved or state_settled(). */
status_t state_read(const state_t *s, const state_zone_t *z, const state_reader_t *reader);

/* How many reads of files have come back; *waiting: one is under way. A disk that hangs is known by its being the
 * same for long. Any thread. */
uint64_t state_reads(const state_t *s, bool *waiting);

/* Begin to write. ST_SYSTEM: no thread. Main thread, after the scan. */
status_t state_start(state_t *s);

/* Nobody reads any more: files may be cleaned up. Main thread. */
void state_settled(state_t *s);

/* What may have been lost is made good as far as it can be: files that were there at the start may be
 * cleaned up, too. Until then the next start shall see them again. Main thread. */
void state_healed(state_t *s);

/* --- saving ------------------------------------------------------------------------------------ */

enum { STATE_OWN_ABOVE = 4 << 20 }; /* octets of a whole zone that go to a file of its own */

/* A version on its way to the disk. NULL: no memory. Any thread, one at a time. */
state_draft_t *state_draft_new(state_t *s);
/* One more chunk of a whole version, which is copied or written. What fails is told by the save. */
void state_draft_add(state_draft_t *d, const uint8_t *chunk, size_t len);
/* All of a difference: malloc'd octets, which are the draft's from here on. */
void state_draft_delta(state_draft_t *d, uint8_t *octets, size_t len);
bool state_draft_is_delta(const state_draft_t *d);
/* Given up: with its file. NULL is fine. Any thread. */
void state_draft_free(state_draft_t *d);

typedef enum state_what {
	STATE_SAVE_ZONE, /* a version, clocks; or a question */
	STATE_SAVE_LEFT, /* the list of zones that nobody follows (state/gone.h): in clocks; of no zone */
	STATE_SAVE_DROP, /* all that there is of such a zone may go, unless somebody has added it since */
} state_what_t;

typedef struct state_save {
	mail_t mail; /* first: what the mailbox hands back */
	struct state_save *next;
	state_zone_t *zone;
	state_draft_t *draft; /* owned; NULL: clocks alone */
	uint32_t serial;      /* of the draft */
	uint32_t
		version; /* 0: a new one; else the number of a version: that one, whole this time */
	status_t status; /* when it is back: ST_OK; ST_SYSTEM, error; ST_NOMEM */
	int error; /* an errno; ESTALE: what the difference begins with, or the clocks are of, is not there;
	              EOVERFLOW: numbers have come to their end, which takes a foreign file, or decades */
	bool is_long; /* ... the zone's differences have outgrown a share of it: save it whole */
	void *arg;    /* the caller's */
	state_what_t what;
	struct state_list
		*list; /* borrowed; not NULL: a question, of which all else but zone is unused */
	uint32_t from, stamp; /* state/'s own */
	bool beside;          /* ... it takes the way of the files of big zones */
	uint32_t clocks_len;
	uint8_t clocks[]; /* the zone's clocks, valid from this version on */
} state_save_t;

/* The number of the version that was queued last, whether it has come back or not; 0: none. Main thread. */
uint32_t state_zone_queued(const state_zone_t *z);

/* Queue a save, in order with others of its zone; it comes back to conf.done when it is on the disk
 * (relaxed: in a second or two), or has failed. Main thread. */
void state_save(state_t *s, state_save_t *save);

/* The state_save_t that a mail of conf.done is. */
state_save_t *state_save_of(mail_t *mail);

/* --- old versions ------------------------------------------------------------------------------ */

/* A version that is on the disk: what is served, or an older one that is kept. */
typedef struct state_listed {
	uint32_t version, serial;
	uint32_t arrived; /* seconds since 1970, by the wall clock of then */
	uint64_t octets;  /* that it takes: of a whole version, or of a difference */
	bool whole;
} state_listed_t;

typedef struct state_route
	state_route_t; /* a way to read one of them, whatever is cleaned up meanwhile */

typedef struct state_list {
	bool by_version, by_serial; /* which is wanted; of several of a serial the newest */
	bool newest; /* ... or that, when all that was queued before has come to its end */
	uint32_t wanted;
	state_listed_t *all; /* the newest first; the caller's, to be freed */
	size_t count;
	state_route_t *route; /* to what was wanted; the caller's; NULL: status, or nothing was */
	state_listed_t found; /* ... and what it is */
} state_list_t;

/* What is kept of save->zone? Comes back to conf.done like a save, with save->list filled in and a status:
 * ST_OK; ST_NOENT: what is wanted is not there; ST_SYSTEM, error; ST_NOMEM. Main thread. */
void state_ask(state_t *s, state_save_t *save);

/* Read it, as state_read() does; the newest with the clocks that were saved since. Any one thread, before
 * state_free(). */
status_t state_route_read(const state_route_t *route, const state_reader_t *reader);
void state_route_free(state_route_t *route); /* NULL is fine; the same */

/* --- for operators ----------------------------------------------------------------------------- */

typedef struct state_stats {
	uint64_t octets, live; /* of all files, and of these, still needed */
	unsigned files;
} state_stats_t;

/* Any thread. */
void state_stats(const state_t *s, state_stats_t *out);
