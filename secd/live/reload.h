/* live/reload.h - other settings take the place of those in force, and no query is lost by it.
 *
 *     SIGHUP    \                                          / refuse: nothing has changed, and it says where and why
 *     secdctl ---+--> a thread reads and checks the files -+
 *                                                           \ net_prepare, refresh_reload, net_change
 *                                                                --> when no worker knows the old ones: gone
 *
 * All is checked before anything changes. While one is under way, whoever asks waits for the next. Main thread. */
#pragma once

#include <ev.h>

#include "common/pool.h"
#include "common/status.h"
#include "ctl/ctl.h"
#include "live/settings.h"
#include "net/net.h"
#include "refresh/refresh.h"
#include "xfr/fetch.h"

typedef struct reload reload_t;

/* All borrowed; *settings are those in force, and change. */
typedef struct reload_env {
	struct ev_loop *loop;
	const char *path; /* of the main file */
	settings_t **settings;
	refresh_t *refresh;
	net_t *net;
	xfr_env_t *xfr;
	pool_t *builders;
	/* It begins, and what came of it is in force or was refused: for a supervisor. */
	void (*begins)(void *arg);
	void (*ends)(void *arg);
	void *arg;
} reload_env_t;

/* NULL: no memory. */
reload_t *reload_new(const reload_env_t *env);
/* Before net_free() and refresh_free(): who waits is told. NULL is fine. */
void reload_stop(reload_t *r);
/* After these: what was in force before is freed. NULL is fine. */
void reload_free(reload_t *r);

/* done may be NULL; else it is called once. */
void reload_ask(reload_t *r, bool force, ctl_reload_cb done, void *arg);
