/* common/privileges.c - in the one order in which each step is still allowed. */
#include "common/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- who that is ------------------------------------------------------------------------------ */

static status_t unknown(const char *kind, const char *name, int err, char why[PRIVILEGES_WHY_MAX])
{
	if (err == 0) {
		snprintf(why, PRIVILEGES_WHY_MAX,
		         "there is no %s %.60s (getent %s %.60s finds none): make it, or name "
		         "another one",
		         kind, name, strcmp(kind, "user") == 0 ? "passwd" : kind, name);
		return ST_NOENT;
	}
	snprintf(why, PRIVILEGES_WHY_MAX, "the %s %.60s can't be looked up: %s", kind, name,
	         strerror(err));
	return ST_SYSTEM;
}

/* A name of the system's that would not fit is none that a file of settings means. */
static void keep_name(char out[PRIVILEGES_NAME_MAX], const char *name)
{
	snprintf(out, PRIVILEGES_NAME_MAX, "%s", name);
}

static status_t find_group(const char *name, privileges_t *out, char why[PRIVILEGES_WHY_MAX])
{
	errno = 0;
	const struct group *g = getgrnam(name);

	if (!g)
		return unknown("group", name, errno, why);
	out->gid = g->gr_gid;
	out->named_group = true;
	keep_name(out->group, g->gr_name);
	return ST_OK;
}

status_t privileges_find(const char *text, privileges_t *out, char why[PRIVILEGES_WHY_MAX])
{
	const char *colon = strchr(text, ':');
	const size_t len = colon ? (size_t)(colon - text) : strlen(text);
	char name[PRIVILEGES_NAME_MAX];

	*out = (privileges_t){ 0 };
	if (len >= sizeof name)
		return unknown("user", text, 0, why);
	memcpy(name, text, len);
	name[len] = '\0';
	errno = 0;
	const struct passwd *p = getpwnam(name);

	if (!p)
		return unknown("user", name, errno, why);
	out->uid = p->pw_uid;
	out->gid = p->pw_gid;
	keep_name(out->user,
	          name); /* as it was written: whatever else it is called, it was found by that */
	if (colon)
		return find_group(colon + 1, out, why);
	const struct group *g = getgrgid(out->gid);

	if (g)
		keep_name(out->group, g->gr_name);
	else
		snprintf(out->group, sizeof out->group, "%u", (unsigned)out->gid);
	return ST_OK;
}

const char *privileges_name(uid_t uid, char out[PRIVILEGES_NAME_MAX])
{
	const struct passwd *p = getpwuid(uid);

	if (p)
		keep_name(out, p->pw_name);
	else
		snprintf(out, PRIVILEGES_NAME_MAX, "uid %u", (unsigned)uid);
	return out;
}

/* --- becoming it ------------------------------------------------------------------------------ */

/* Two words of 32 capabilities each. */
typedef struct capabilities {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
} capabilities_t;

static status_t fail(const char *what, char why[PRIVILEGES_WHY_MAX])
{
	snprintf(why, PRIVILEGES_WHY_MAX, "%s: %s", what, strerror(errno));
	return ST_SYSTEM;
}

/* Some roots of containers may not; then no_new_privs alone keeps what is executed from getting more. */
static status_t empty_bounding_set(char why[PRIVILEGES_WHY_MAX])
{
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++) {
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) != 0 && errno != EPERM)
			return fail("the bounding set of capabilities can't be emptied", why);
	}
	return ST_OK;
}

static status_t take_ids(const privileges_t *who, char why[PRIVILEGES_WHY_MAX])
{
	if (initgroups(who->user, who->gid) != 0 || setresgid(who->gid, who->gid, who->gid) != 0)
		return fail("the groups of the user can't be had", why);
	/* What is permitted stays over the change of ids, until it is cut down. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return fail("capabilities can't be kept", why);
	if (setresuid(who->uid, who->uid, who->uid) != 0)
		return fail("the user can't be changed", why);
	return ST_OK;
}

static status_t keep_one(int capability, char why[PRIVILEGES_WHY_MAX])
{
	const uint32_t bit = CAP_TO_MASK((unsigned)capability);
	capabilities_t c = { .head = { .version = _LINUX_CAPABILITY_VERSION_3 } };

	if (syscall(SYS_capget, &c.head, c.data) != 0)
		return fail("capabilities can't be read", why);
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		c.data[i].permitted &= i == CAP_TO_INDEX((unsigned)capability) ? bit : 0;
		c.data[i].effective = c.data[i].permitted;
		c.data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &c.head, c.data) != 0 || prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
		return fail("capabilities can't be given up", why);
	return ST_OK;
}

status_t privileges_take(const privileges_t *who, int capability, char why[PRIVILEGES_WHY_MAX])
{
	status_t st = empty_bounding_set(why);

	if (st == ST_OK)
		st = take_ids(who, why);
	if (st == ST_OK)
		st = keep_one(capability, why);
	if (st == ST_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		st = fail("no_new_privs can't be set", why);
	if (st == ST_OK && who->uid != 0 && setuid(0) == 0) {
		snprintf(why, PRIVILEGES_WHY_MAX, "root could be had back");
		st = ST_SYSTEM;
	}
	return st;
}
