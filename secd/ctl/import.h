/* ctl/import.h - zone files into the state (state/state.h), for a primary that is down on the first day.
 *
 *     secd --import [ZONE=]FILE ...        then secd: the zones are served at once
 *
 * A file goes the way of a transfer: its records (dns/zonefile.h) into a build, through the gates of the
 * zone's group, and to the disk, all of it or nothing. The zone has no source, so the first primary with
 * a newer serial transfers it whole; EXPIRE begins now; and since no primary has confirmed it, they are
 * asked as soon as secd runs.
 *
 * What the state has is left alone if it is as new, or newer (RFC 1982), unless force says so. ZONE is
 * needed where the file begins with something else than its SOA, or names are relative to nothing; it is
 * what stands before the first =, if the settings have a zone of that name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

typedef struct ctl_import_order {
	const conf_t *conf;
	const char *settings; /* what they were read from, for messages */
	char *const *files;
	size_t count;
	bool force;
} ctl_import_order_t;

/* Takes the state's lock. A line on standard error for each file, and one for all; the exit status, which
 * is a failure if one file could not be imported. Blocks. Main thread, without a loop. */
int ctl_import(const ctl_import_order_t *order);
