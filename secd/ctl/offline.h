/* ctl/offline.h - the state (state/state.h) as zone files, without a daemon or beside one.
 *
 *     secd --dump ZONE                     secd --dump-all DIR
 *
 * Settings only say where the state is: it has zones that they don't name, and these come out, too; and
 * whatever gates and limits say today. It is only read, without its lock: a daemon may append, clean up
 * and remove files meanwhile. What then goes away under the reading is looked for again, where it went.
 *
 * Each says on standard error what it could not do, and returns an exit status. They block. */
#pragma once

#include "conf/conf.h"
#include "ctl/report.h"
#include "state/state.h"
#include "xfr/keep.h"

/* One zone to standard output: octet for octet what secdctl's dump of the same version is, but for the
 * comment. */
int ctl_offline_dump(const conf_t *conf, const char *zone, report_form_t form);

/* All of them, each to DIR/NAME.zone: ctl_offline_file(). A file appears when it is complete, and takes
 * the place of one that was there. dir is made if it is not there. */
int ctl_offline_dump_all(const conf_t *conf, const char *dir);

/* The file of a zone: its name without the final dot, octets that are special to somebody as \DDD, and
 * ".zone"; "@.zone" for the root; what would be too long for a file is cut, and has a hash instead. No
 * two zones have the same. Returns out. */
enum { CTL_OFFLINE_FILE_MAX = 256 };
const char *ctl_offline_file(const uint8_t *apex, char out[CTL_OFFLINE_FILE_MAX]);

/* What the state has of a zone, past all gates and limits: xfr_keep_load(). For ctl/ alone. */
void ctl_offline_load(const state_t *state, const state_zone_t *z, const siphash_key_t *key,
                      xfr_kept_t *out);
