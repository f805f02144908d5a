/* common/privileges.h - from root to a user of its own, for good.
 *
 *     privileges_find("secd", ...)    who that is, and in which groups
 *     privileges_take(...)            all ids are that user's, one capability at most is left, and no way leads back
 *
 * A capability is a thread's: take before there is another one, and each that is started later has the same. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/status.h"

enum { PRIVILEGES_NAME_MAX = 64, PRIVILEGES_WHY_MAX = 256 };

typedef struct privileges {
	char user[PRIVILEGES_NAME_MAX], group[PRIVILEGES_NAME_MAX];
	uid_t uid;
	gid_t gid;        /* of the group, or the user's own */
	bool named_group; /* it was named */
} privileges_t;

/* Who "NAME" or "NAME:GROUP" is, as the system knows them. ST_OK; ST_NOENT, ST_SYSTEM: why. Reads files, and may ask
 * the network. */
status_t privileges_find(const char *text, privileges_t *out, char why[PRIVILEGES_WHY_MAX]);

/* The name of a user, or its number; returns out. */
const char *privileges_name(uid_t uid, char out[PRIVILEGES_NAME_MAX]);

/* Become that user: real, effective and saved ids, and the groups that it is in; capability (of linux/capability.h)
 * stays permitted and in effect, if it was permitted before, and no other; the bounding set is empty, and nothing that
 * is executed gets more (no_new_privs). Only as root, and before any thread. ST_SYSTEM: why; the process may be
 * somewhere between, and has to end. */
status_t privileges_take(const privileges_t *who, int capability, char why[PRIVILEGES_WHY_MAX]);
