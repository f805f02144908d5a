/* tests/unit/state/keeper.h - a state on a disk in memory, with a loop and a mailbox, and zones whose
 * content can be told apart.
 *
 * A zone's content is a number. A whole version is chunks that carry it and octets that follow from it;
 * a difference carries another, and makes a new one of both. Clocks carry a number, and are otherwise
 * real. What is read back is checked octet by octet. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/mailbox.h"
#include "state/state.h"
#include "tests/unit/state/disk_double.h"

enum { KEEPER_ZONES = 40 };

typedef struct keeper keeper_t;

/* A save, as it comes back. */
typedef struct keeper_back {
	unsigned zone;
	status_t status;
	int error;
	bool is_long;
	uint32_t version;
	uint64_t tag; /* of who saved */
} keeper_back_t;

struct keeper {
	disk_double_t *disk;
	struct ev_loop *loop;
	mailbox_t box;
	state_t *state;
	state_zone_t *zones[KEEPER_ZONES];
	uint32_t saved[KEEPER_ZONES]; /* the version of each that came back well last */
	state_scan_t scan;
	char why[256];
	unsigned queued, back;
	unsigned failed; /* of those */
	keeper_back_t last;
	status_t listed; /* of the last question */
	void (*on_back)(void *arg, const keeper_back_t *b);
	void *arg;
};

typedef struct keeper_conf {
	bool relaxed;
	uint64_t segment;
	unsigned zones; /* that are added; 0: all */
	bool no_start;  /* only looked at */
	unsigned past_share;
} keeper_conf_t;

/* Scan what is there; the status of that. Not ST_OK: only keeper_close() may follow. */
status_t keeper_open(keeper_t *k, disk_double_t *disk, const keeper_conf_t *conf);
void keeper_close(keeper_t *k);

/* "z7.test." in wire form. */
const uint8_t *keeper_apex(unsigned zone);

/* --- saving -------------------------------------------------------------------------------------- */

typedef struct keeper_put {
	unsigned zone;
	uint64_t content, clocks;
	bool delta; /* content is what differs */
	bool clocks_only;
	size_t octets;   /* of each chunk, or of the difference: about so many */
	unsigned chunks; /* 0: 1 */
	bool again;      /* the version that came back last, whole this time */
	uint64_t tag;
} keeper_put_t;

void keeper_save(keeper_t *k, const keeper_put_t *put);
/* Until so many, or all that were queued, are back. */
void keeper_wait(keeper_t *k, unsigned back);
void keeper_wait_all(keeper_t *k);
/* Save one thing and wait: its status. */
status_t keeper_save_now(keeper_t *k, const keeper_put_t *put);

/* What a difference makes of a content. */
uint64_t keeper_next(uint64_t content, uint64_t difference);

/* --- reading ------------------------------------------------------------------------------------- */

/* The content of a zone: the status of state_read(), but ST_REFUSED where it is not what anybody could
 * have saved. */
status_t keeper_read(const keeper_t *k, unsigned zone, uint64_t *content);
status_t keeper_read_clocks(const keeper_t *k, unsigned zone, uint64_t *clocks);

/* Ask which versions there are, in a state that is started or is not. list is filled in as that of
 * state_ask(); keeper_list_free() frees what came. */
status_t keeper_list(keeper_t *k, unsigned zone, state_list_t *list);
void keeper_list_free(state_list_t *list);
/* The content of an old one, and its clocks, as keeper_read() tells them. */
status_t keeper_read_route(const state_route_t *route, uint64_t *content, uint64_t *clocks);

/* Of a zone there is this, and these clocks. 0, 0: nothing. */
void keeper_expect(const keeper_t *k, unsigned zone, uint64_t content, uint64_t clocks);
