/* tests/unit/state/history.h - saves by chance, over some zones, and what may be left of them after a cut
 * of the power at any call of the disk. */
#pragma once

#include <pthread.h>

#include "tests/unit/state/dice.h"
#include "tests/unit/state/keeper.h"

enum { HISTORY_ZONES = 24, HISTORY_ENTRIES = 600, HISTORY_CUTS = 64 };

/* One save of a zone. */
typedef struct entry {
	unsigned
		version; /* the place among the zone's versions that it is, or that its clocks are of */
	bool is_version, failed;
	uint64_t content, clocks;
} entry_t;

typedef struct course {
	entry_t entries[HISTORY_ENTRIES]; /* the first: what was there in the beginning */
	unsigned count, versions;
	uint64_t content; /* of the newest version */
	int acked;        /* the newest entry that came back well; -1: none */
	int acked_version;
	bool hurt; /* a save has failed: the next is whole */
} course_t;

typedef struct moment {
	disk_double_t *disk;
	int acked[HISTORY_ZONES];
} moment_t;

typedef struct history {
	keeper_t keeper;
	keeper_conf_t conf;
	dice_t dice;
	course_t zones[HISTORY_ZONES];
	unsigned cut_one_in; /* calls of the disk; 0: never */
	pthread_mutex_t mutex;
	dice_t cut_dice;
	moment_t cuts[HISTORY_CUTS];
	unsigned cut_count;
	unsigned checked;
	unsigned old; /* versions that were found and read by checks, beside the newest */
} history_t;

/* A disk is new: what was saved on others is not found on it. */
void history_forget(void);
/* Over what is on this disk. */
history_t *history_begin(disk_double_t *disk, uint64_t seed, const keeper_conf_t *conf,
                         unsigned cut_one_in);
/* So many saves, in bursts, of which each comes back before the next. */
void history_run(history_t *h, unsigned saves);
/* Until there is nothing to clean up. */
void history_rest(history_t *h);
/* Close the state. Its disk is the caller's. */
void history_close(history_t *h);
/* What a moment left is sound. */
void history_check(history_t *h, const moment_t *m, const char *what);
/* All moments, and the disk as it is; returns how many. */
unsigned history_check_all(history_t *h, const char *what);
/* Frees the moments but for one, if there is any: a disk to go on with, or NULL. */
disk_double_t *history_end(history_t *h);
