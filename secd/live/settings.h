/* live/settings.h - settings in force, and what is made of them: keys, and what workers need.
 *
 * One at a time, but for the moment in which another takes its place (live/reload.h). Read-only once made. */
#pragma once

#include "common/siphash.h"
#include "common/status.h"
#include "conf/conf.h"
#include "dns/tsig.h"
#include "net/net.h"
#include "refresh/keep.h"

typedef struct settings {
	conf_t *conf;
	dns_tsig_keys_t keys;        /* in the order of conf's */
	siphash_key_t cookie_secret; /* when conf has none: the same from one to the next */
	net_conf_t net;              /* borrows from all of these */
} settings_t;

/* Make them; conf is theirs in any case. before: those that are in force; NULL at the start.
 * ST_OK; ST_NOMEM, ST_LIMIT: too many keys have come and gone. Main thread. */
status_t settings_make(conf_t *conf, const settings_t *before, settings_t **out);
void settings_free(settings_t *s); /* NULL is fine */

/* Zones of the state that the files have lost: refresh/keep.h. Main thread, between two turns of its loop; then
 * refresh_extend(). ST_NOMEM. */
status_t settings_adopt(settings_t *s, const keep_stray_t *strays, size_t count);

/* A line in the log for each fault. */
void settings_tell_faults(const conf_faults_t *faults);

/* What has another value in b, and takes a restart: words with commas between, for operators; "": nothing. */
enum { SETTINGS_RESTART_MAX = 160 };
const char *settings_restart(const conf_t *a, const conf_t *b, char out[SETTINGS_RESTART_MAX]);
