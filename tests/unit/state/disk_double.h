/* tests/unit/state/disk_double.h - a disk in memory that forgets, tears, refuses and waits.
 *
 * What a cut of the power leaves: of each file what was synced; of what was written since, any of its
 * blocks of 512 octets, in any order, and a length between the two; names that were made or removed
 * since names were synced are there or are not. A sync that fails leaves some of the blocks, and none
 * of the others is ever written by a later one, as with Linux.
 *
 * All calls: any thread. Misuse, such as a call with a file that was closed, aborts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "state/disk.h"

typedef struct disk_double disk_double_t;

typedef enum disk_call {
	DISK_LIST,
	DISK_CREATE,
	DISK_OPEN,
	DISK_READ,
	DISK_WRITE,
	DISK_TRUNCATE,
	DISK_SYNC,
	DISK_SYNC_NAMES,
	DISK_UNLINK,
	DISK_CALLS,
} disk_call_t;

disk_double_t *disk_double_new(uint64_t seed);
void disk_double_free(disk_double_t *d);

/* For state_conf_t, which frees it: then all files must have been closed. One at a time. */
state_disk_t *disk_double_disk(disk_double_t *d);

/* --- what is on it ------------------------------------------------------------------------------- */

/* Another with the same files, all of them safe. */
disk_double_t *disk_double_copy(disk_double_t *d);
/* ... with what a cut at this moment leaves. */
disk_double_t *disk_double_cut(disk_double_t *d, uint64_t seed);

size_t disk_double_files(disk_double_t *d);
/* The name of the i-th file, by name; NULL: there are not so many. Lives as long as the file. */
const char *disk_double_name(disk_double_t *d, size_t i);
uint64_t disk_double_size(disk_double_t *d, const char *name); /* 0: there is none */
uint64_t disk_double_octets(disk_double_t *d);                 /* of all files */
/* A hash of all names and octets. */
uint64_t disk_double_digest(disk_double_t *d);

void disk_double_flip(disk_double_t *d, const char *name, uint64_t octet, unsigned bit);
void disk_double_shorten(disk_double_t *d, const char *name, uint64_t size);
/* A file that holds this. */
void disk_double_put(disk_double_t *d, const char *name, const void *octets, size_t len);
/* The octets of a file; dies with the next call. */
const uint8_t *disk_double_content(disk_double_t *d, const char *name);

/* --- what goes wrong ----------------------------------------------------------------------------- */

/* From the n-th call (1: the next) of this kind on, so many are refused with err. A write leaves some
 * of its octets then. */
void disk_double_refuse(disk_double_t *d, disk_call_t call, unsigned n, unsigned count, int err);
void disk_double_relent(disk_double_t *d); /* nothing is refused any more */

/* How many calls there were. */
unsigned disk_double_count(disk_double_t *d, disk_call_t call);

/* Calls of this kind wait, on files whose names begin so, until they are let go. */
void disk_double_block(disk_double_t *d, disk_call_t call, const char *prefix);
void disk_double_wait_blocked(disk_double_t *d); /* until one does */
void disk_double_unblock(disk_double_t *d);

/* --- what it looks like in between --------------------------------------------------------------- */

/* Before each call that changes something: called with nothing locked that disk_double_cut() needs. */
void disk_double_watch(disk_double_t *d, void (*before)(void *arg, disk_double_t *d), void *arg);
