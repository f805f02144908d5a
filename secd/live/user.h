/* live/user.h - as whom secd goes on: [server] user.
 *
 *     started as        user = (nothing)   user = root       user = somebody
 *     root              refused            it stays root     it becomes that user
 *     that somebody     it stays           refused           it stays, if it is that one; else refused
 *
 * Who becomes another keeps CAP_NET_BIND_SERVICE alone: what is bound later, by a reload, is bound by that user, and the
 * kernel lets sockets of one user alone share an address. What root could read is of no use then, so what the settings
 * name is tried as that user (conf_reach()). */
#pragma once

#include "common/status.h"
#include "conf/conf.h"

enum { USER_WHY_MAX = 512 };

/* Become it, before there is any thread, or any file or socket that is kept. The state-dir and the directory of the control
 * socket are made before, and that user's, where they are missing and their parents are there.
 *   faults   takes what is closed to that user.
 *   why      of a refusal, and what to do.
 * ST_OK; ST_REFUSED, ST_NOMEM: why. */
status_t user_become(const conf_t *conf, conf_faults_t *faults, char why[USER_WHY_MAX]);

/* What user_become() would say, without making anything; but who has called it as root is that user then, and may only
 * tell and end.
 *   why   with ST_OK: a remark, or empty. */
status_t user_try(const conf_t *conf, conf_faults_t *faults, char why[USER_WHY_MAX]);
