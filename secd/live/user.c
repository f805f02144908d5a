/* live/user.c - who may become whom, what is made for him, and may he use what the settings name. */
#include "live/user.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/privileges.h"

_Static_assert((int)USER_WHY_MAX >= (int)PRIVILEGES_WHY_MAX, "what privileges_find() says fits");

typedef enum verdict { USER_STAYS, USER_CHANGES, USER_UNSAID, USER_OTHER, USER_BAD } verdict_t;

/* why: but for the first two. */
static verdict_t judge_root(const privileges_t *who, char why[USER_WHY_MAX])
{
	if (who->uid != 0)
		return USER_CHANGES;
	if (!who->named_group)
		return USER_STAYS;
	snprintf(why, USER_WHY_MAX,
	         "user: root stays as it is, and takes no group: write user = root");
	return USER_BAD;
}

static verdict_t judge_other(const privileges_t *who, char why[USER_WHY_MAX])
{
	char name[PRIVILEGES_NAME_MAX];

	if (who->uid == geteuid() && (!who->named_group || who->gid == getegid()))
		return USER_STAYS;
	snprintf(why, USER_WHY_MAX,
	         "user is %.64s, group %.64s, but this is %s, group %u, who can't become another: "
	         "start it "
	         "as root or as that user, or remove user",
	         who->user, who->group, privileges_name(geteuid(), name), (unsigned)getegid());
	return USER_OTHER;
}

static verdict_t judge(const conf_t *conf, privileges_t *who, char why[USER_WHY_MAX])
{
	const bool root = geteuid() == 0;

	why[0] = '\0';
	if (conf->user[0] == '\0' && !root)
		return USER_STAYS;
	if (conf->user[0] == '\0') {
		snprintf(why, USER_WHY_MAX,
		         "started as root, and not told as whom to go on: write user = secd in "
		         "[server], or "
		         "another user who is for it alone; or user = root, to stay root");
		return USER_UNSAID;
	}
	if (privileges_find(conf->user, who, why) != ST_OK)
		return USER_BAD;
	return root ? judge_root(who, why) : judge_other(who, why);
}

/* --- directories ------------------------------------------------------------------------------ */

/* A directory that was just made is handed over; nothing that was there, or was put in its place, is. */
static void make_for(const char *path, mode_t mode, const privileges_t *who)
{
	struct stat info;
	int fd;

	if (mkdir(path, mode) != 0)
		return; /* it is there, or whoever opens it will tell */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	/* If it can't be given away, it is told as closed to that user. */
	if (fstat(fd, &info) == 0 && info.st_uid == geteuid())
		(void)!fchown(fd, who->uid, who->gid);
	close(fd);
}

static void make_directories(const conf_t *conf, const privileges_t *who)
{
	const char *slash = strrchr(conf->control, '/');
	char dir[CONF_SOCKET_MAX + 1];

	if (conf->state_dir[0] != '\0')
		make_for(conf->state_dir, 0750, who);
	if (!slash || slash == conf->control)
		return;
	snprintf(dir, sizeof dir, "%.*s", (int)(slash - conf->control), conf->control);
	make_for(dir, 0755, who);
}

/* --- becoming it ------------------------------------------------------------------------------ */

/* From here on nothing is root's any more. */
static status_t change(const conf_t *conf, const privileges_t *who, conf_faults_t *faults,
                       char why[USER_WHY_MAX])
{
	char reason[PRIVILEGES_WHY_MAX];

	if (privileges_take(who, CAP_NET_BIND_SERVICE, reason) != ST_OK) {
		snprintf(why, USER_WHY_MAX, "user %s can't be had: %s", who->user, reason);
		return ST_REFUSED;
	}
	const size_t before = faults->errors;
	const status_t st = conf_reach(conf, who->user, who->group, faults);

	if (st != ST_OK) {
		snprintf(why, USER_WHY_MAX, "%s", status_text(st));
		return st;
	}
	if (faults->errors == before)
		return ST_OK;
	snprintf(why, USER_WHY_MAX,
	         "closed to user %s: %zu of the files and directories that the settings name, as "
	         "told "
	         "before",
	         who->user, faults->errors - before);
	return ST_REFUSED;
}

status_t user_become(const conf_t *conf, conf_faults_t *faults, char why[USER_WHY_MAX])
{
	privileges_t who;
	status_t st = ST_OK;

	switch (judge(conf, &who, why)) {
	case USER_STAYS:
		return ST_OK;
	case USER_CHANGES:
		break;
	case USER_UNSAID:
	case USER_OTHER:
	case USER_BAD:
		return ST_REFUSED;
	}
	make_directories(conf, &who);
	st = change(conf, &who, faults, why);
	if (st == ST_OK)
		log_info("privileges dropped user=%s group=%s uid=%u gid=%u", who.user, who.group,
		         (unsigned)who.uid, (unsigned)who.gid);
	return st;
}

status_t user_try(const conf_t *conf, conf_faults_t *faults, char why[USER_WHY_MAX])
{
	privileges_t who;

	switch (judge(conf, &who, why)) {
	case USER_STAYS:
	case USER_UNSAID: /* it may be meant for a unit that says so */
	case USER_OTHER:
		return ST_OK;
	case USER_CHANGES:
		break;
	case USER_BAD:
		return ST_REFUSED;
	}
	return change(conf, &who, faults, why);
}
