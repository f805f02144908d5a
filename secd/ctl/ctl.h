/* ctl/ctl.h - what an operator may ask: a UNIX socket, and the protocol on it.
 *
 * A connection is one request and its answer, in octets of which all but the content are ASCII:
 *
 *     secdctl                                         secd
 *     secd/1 text zone example.com.\n        -->
 *                                            <--      secd/1\n
 *                                            <--      data 312\n and 312 octets
 *                                            <--      data ...             as often as need be
 *                                            <--      done\n, or no WORDS\n, or usage WORDS\n
 *
 * A request is a line of words between blanks: the protocol and its version; the form of the answer,
 * text, colour (text with colours) or json; a verb of ctl/table.c; its arguments. Names of zones are
 * in presentation form, so blanks in them are \032. The answer begins with the version that the
 * daemon speaks. Its last line says how it went: done; no: the daemon could not do it (all of it);
 * usage: there is no such request. An answer without a last line is cut short.
 *
 * Who may write to the socket may use it: it belongs to the daemon's user and group, mode 0660. A
 * client costs its connection, its request and its answer, and no more: requests are limited in length
 * and in time, answers in the time that they may wait. What an answer repeats of its request makes
 * no other line of it longer, so the longest, a line for each of 32,000 names, has less than 4 MiB; but
 * zones --all has 200 octets for each zone. What the state has to be asked for is waited for 5 seconds,
 * a version that is loaded from it 60; a worker, of which is asked whether it turns, has 2. A reload takes as long
 * as the files take to be read. Metrics, and the frames of top, come in pieces as the client takes them.
 * When all places are taken, the one goes that has waited longest without asking anything. Only a dump
 * has a thread, and those have a limit of their own. */
#pragma once

#include <ev.h>

#include "common/clock.h"
#include "common/status.h"
#include "conf/conf.h"
#include "ctl/gather.h"
#include "net/net.h"
#include "refresh/refresh.h"
#include "zone/set.h"

enum {
	CTL_CLIENTS = 64,
	CTL_REQUEST_MAX = 64 * 1024, /* octets of a request */
	CTL_DUMPS = 2,               /* under way at once */
	CTL_FEEDS = 8,               /* the same: metrics, top */
};

/* Seconds: for a whole request; without progress of its answer; for the whole answer of a dump. */
#define CTL_REQUEST_TIME 10.0
#define CTL_ANSWER_TIME  10.0
#define CTL_DUMP_TIME    600.0

/* What came of a reload; all borrowed. */
typedef struct ctl_reload_result {
	const char *why; /* it was refused, and nothing has changed; NULL: it is in force */
	size_t zones, added, removed, moved;
	const char *restart;         /* options that take one, and are as they were; NULL: none */
	const char *short_of;        /* what could not be had; NULL: nothing */
	const conf_faults_t *faults; /* NULL: the files were not read */
} ctl_reload_result_t;
typedef void (*ctl_reload_cb)(void *arg, const ctl_reload_result_t *result);

/* What verbs look at and act on; all borrowed. */
typedef struct ctl_env {
	struct ev_loop *loop;
	refresh_t *refresh;
	net_t *net;
	ctl_gather_t *gather; /* for metrics */
	mono_t started;
	void (*stop)(void *arg); /* end the daemon, soon */
	/* Read the settings anew; done is called once, maybe before this returns. */
	void (*reload)(void *arg, bool force, ctl_reload_cb done, void *done_arg);
	void *arg;
} ctl_env_t;

typedef struct ctl ctl_t;

/* Listen on path. A socket there on which nobody listens is replaced; its directory is made if it is
 * missing (one level, mode 0755).
 *   why     room for the reason.
 * Returns   ST_OK; ST_EXIST: a daemon listens there already; ST_SYSTEM; ST_NOMEM. Main thread. */
status_t ctl_open(const char *path, ctl_t **out, char why[256]);

/* Begin to answer: who connected before has waited. Main thread. */
void ctl_start(ctl_t *ctl, const ctl_env_t *env);

/* Close everything, and remove the socket if it is still ours. Within a fraction of a second,
 * whatever a dump is doing. NULL is fine. */
void ctl_free(ctl_t *ctl);
