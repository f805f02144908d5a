/* refresh/dir.c - the directory of the state: there at a start, or had later. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "refresh/keeping.h"
#include "refresh/zone.h"

enum { REOPEN_S = 5 }; /* until a directory that can't be had is tried again */

void keep_failing(keep_t *k, const char *why, const char *served)
{
	if (k->failing && strcmp(k->why, why) == 0)
		return;
	k->failing = true;
	snprintf(k->why, sizeof k->why, "%s", why);
	log_error("state failing dir=%s why=\"%s\" served=\"%s\"", k->dir, why, served);
}

static void without(keep_t *k, const char *why)
{
	keep_failing(k, why, "from memory, and nothing is saved until the directory can be had");
}

status_t keep_open(keep_t *k, char why[256])
{
	state_disk_t *disk;
	const int err = -state_disk_open(k->dir, &disk);

	if (err == EWOULDBLOCK) {
		snprintf(why, 256, "another secd has the state-dir %.200s", k->dir);
		return ST_EXIST;
	}
	if (err != 0) {
		without(k, strerror(err));
		return ST_OK;
	}
	const state_conf_t conf = {
		.disk = disk, .done = &k->done, .relaxed = k->relaxed, .past_share = k->old_versions
	};
	k->state = state_new(&conf);
	if (!k->state)
		without(k, strerror(ENOMEM));
	if (k->state && state_check(k->state, why) == ST_REFUSED)
		return ST_REFUSED;
	return ST_OK;
}

void keep_reopen(keep_t *k)
{
	char why[256];
	status_t st = keep_open(k, why);

	if (st == ST_OK && k->state) {
		keep_works(k);
		keep_wake_up(k);
		return;
	}
	if (st != ST_OK) /* it is there, and not ours */
		without(k, why);
	state_free(k->state);
	k->state = NULL;
	keep_retry_in(k, REOPEN_S);
}

void keep_start(keep_t *k, refresh_t *r)
{
	k->r = r;
	keep_wake_up(k);
	if (!k->state)
		keep_retry_in(k, REOPEN_S);
}
