/* state/inner.h - what the pieces of state/ share. For state/ alone.
 *
 *     state.c    life, the queue's near end         scan.c     the look through all files
 *     draft.c    versions on their way              read.c     one zone
 *     route.c    old versions, and ways to them
 *     writer.c   the queue's far end, the log       compact.c  what is left of old files */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "state/clocks.h"
#include "state/file.h"
#include "state/index.h"
#include "state/record.h"
#include "state/state.h"

enum { STATE_SEGMENT = 64 << 20 };

/* Saves that wait for a thread. */
typedef struct state_queue {
	pthread_mutex_t mutex;
	pthread_cond_t ready;
	state_save_t *first, **last;
	bool stop, woken;
	pthread_t thread;
	bool running;
} state_queue_t;

/* The file that is written to: the writer's. */
typedef struct state_log {
	uint32_t number; /* 0: none is open */
	int fd;
	uint64_t size;
	uint64_t synced; /* octets that are surely on the disk */
	int error; /* negated errno: what was appended to the file before could not be synced */
} state_log_t;

typedef struct state_compact state_compact_t;

/* A record that was appended, and is believed once it is synced: the index knows nothing of it yet. */
typedef struct state_pending {
	state_save_t *save;  /* to be given back then, in order */
	int error;           /* it was not: a negated errno */
	state_found_t found; /* with a file that it names: ours until then */
} state_pending_t;

struct state {
	state_conf_t conf;
	state_disk_t *disk;
	state_index_t index;
	_Atomic uint32_t last_number; /* of a file */
	state_queue_t saves;          /* the writer's */
	state_queue_t files;          /* zones in files of their own, and what follows them */
	_Atomic bool settled, healed;
	uint8_t *left; /* what was scanned of the list of zones that nobody follows */
	size_t left_len;
	uint32_t
		last_left; /* stamp of the list of zones that nobody follows: the main thread's, after the scan */
	state_times_t times; /* of what was scanned */

	/* The writer's. */
	state_log_t log;
	state_sealer_t *sealer;
	state_compact_t *compact; /* NULL: nothing is being cleaned up */
	int64_t synced_at;        /* ns */
	state_pending_t *pending;
	size_t pending_count, pending_room;
	unsigned losses; /* syncs that failed */

	/* For operators. */
	_Atomic uint64_t octets, live;
	_Atomic unsigned file_count;
};

struct state_draft {
	state_t *state;
	int error; /* an errno, which sticks */
	bool delta;
	uint8_t *octets; /* in memory: chunks behind their lengths, or a difference */
	size_t len, room;
	/* In a file of its own. */
	int fd; /* -1: it is not */
	uint32_t number, parts;
	uint64_t size;
	state_sealer_t *sealer;
};

/* A record of a version: the whole one, or a difference. */
typedef struct state_hop {
	state_place_t place;
	uint32_t own, own_units; /* of a whole one: its file, or 0, and what is in it */
	uint32_t version, arrived;
	bool whole;
} state_hop_t;

/* A file that is open for it. */
typedef struct state_opened {
	state_file_kind_t kind;
	uint32_t number;
	int fd;
} state_opened_t;

struct state_route {
	state_disk_t *disk;
	uint8_t *apex;
	state_opened_t *files;
	size_t file_count, file_room;
	state_place_t clocks; /* since the last of them was saved; file 0: there are none */
	size_t count;
	state_hop_t hops[];
};

/* --- queue.c */

void state_queue_open(state_queue_t *q);
void state_queue_close(state_queue_t *q);
void state_queue_push(state_queue_t *q, state_save_t *save);
/* All that waits, oldest first; NULL: nothing does. Waits up to ms for some (-1: for ever), and for
 * less when the queue is to stop: *stop. */
state_save_t *state_queue_take(state_queue_t *q, int ms, bool *stop);
void state_queue_stop(state_queue_t *q);
/* There is something to be done beside saves: whoever waits looks. */
void state_queue_wake(state_queue_t *q);

/* --- writer.c */

void *state_writer_run(void *state);
void *state_files_run(void *state);
/* Append a record to the log, not synced yet: its place, and its length in r. A negated errno: it is not there. */
int state_log_append(state_t *s, state_record_t *r, const struct iovec *pieces, int count,
                     state_place_t *out);
/* What was appended is on the disk, and believed. A negated errno: what was appended since the last time
 * is lost, and counted in losses. */
int state_log_sync(state_t *s);

/* --- route.c */

/* By the writer, when all that was appended is believed or not: into save->list. */
status_t state_list_answer(state_t *s, state_save_t *save);
/* -1: it is not among those. */
int state_route_fd(const state_route_t *r, state_file_kind_t kind, uint32_t number);

/* --- compact.c */

/* Do a little of what there is to clean up, and tell in how many ms to go on: -1: when something has
 * changed. */
int state_compact_step(state_t *s);
void state_compact_free(state_compact_t *c);
