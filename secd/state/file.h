/* state/file.h - files of the state by kind and number: made, opened, walked through. For state/
 * alone. Any thread, but a walk belongs to one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "state/disk.h"
#include "state/record.h"
#include "state/state.h"

enum { STATE_NAME_MAX = 32 };
/* "log-0000002a", "zone-0000002b"; returns out. */
const char *state_file_name(state_file_kind_t kind, uint32_t number, char out[STATE_NAME_MAX]);

/* Is it such a name? */
bool state_file_parse(const char *name, state_file_kind_t *kind, uint32_t *number);

/* A new file with its head written: a descriptor, or a negated errno; -EOVERFLOW: no such number. */
int state_file_create(state_disk_t *d, state_file_kind_t kind, uint32_t number);
void state_file_unlink(state_disk_t *d, state_file_kind_t kind, uint32_t number);

/* From record to record, over what is damaged. */
typedef struct state_walk {
	state_disk_t *disk;
	int fd;
	uint32_t number;
	uint64_t size;
	uint64_t at;  /* the next record */
	uint8_t *buf; /* have octets of the file from base on */
	uint64_t base;
	size_t have, room;
	/* Octets that belong to no sound record, where the first of them are, and where the last run of
	 * them began, if it goes on up to here: at the end, that is a write that was cut off. */
	uint64_t damaged;
	unsigned places;
	uint64_t first, run;
	bool open;
} state_walk_t;

void state_walk_begin(state_walk_t *w, state_disk_t *d, int fd, uint32_t number, uint64_t size);
void state_walk_end(state_walk_t *w);

/* The next sound record: its head, where it stands, its body, which lives until the next call.
 * Returns   ST_OK; ST_NOENT: there is no more; ST_SYSTEM: errno; ST_NOMEM. */
status_t state_walk_next(state_walk_t *w, state_record_t *r, uint64_t *at, const uint8_t **body);

/* Pieces of files in memory, for who reads records of which many lie near to others: the versions of zones in
 * their order here, their clocks in the order in which these were saved there. A piece that is read on from is
 * larger each time: who reads in order reads much at once, who doesn't little. */
enum { STATE_PANES = 8, STATE_PANE_LEAST = 4 * 1024, STATE_PANE_MOST = 256 * 1024 };
typedef struct state_pane {
	int fd; /* -1: nothing is in it */
	uint64_t at;
	size_t have, room, next; /* next: octets to be read when it is read on from */
	uint8_t *buf;
	uint64_t used; /* when: the least is the first to be given up */
} state_pane_t;
struct state_window {
	state_pane_t panes[STATE_PANES];
	uint64_t uses;
};

/* The one record of this size that stands at this place, checked: *out begins with its head, and lives
 * until the window is used again. ST_MALFORMED: it is damaged; ST_SYSTEM: errno; ST_NOMEM. */
status_t state_window_record(state_window_t *w, state_disk_t *d, int fd, uint32_t number,
                             uint64_t at, uint64_t size, state_record_t *r, const uint8_t **out);
