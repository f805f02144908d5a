/* conf/reach.c - what the settings name, tried by whoever has to work with it. */
#include "conf/build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void conf_path_keep(conf_build_t *b, conf_use_t use, const char *path, const conf_where_t *where)
{
	conf_own_t *own = b->conf->own;
	conf_path_t *list = conf_list_grow(own->paths, own->path_count, sizeof *list);
	const char *copy = conf_arena_text(&own->arena, path, strlen(path));

	own->paths = list ? list : own->paths;
	if (list && copy)
		list[own->path_count++] = (conf_path_t){ use, copy, *where };
	else
		b->status = ST_NOMEM;
}

/* Who tries, and where he tells. */
typedef struct attempt {
	conf_build_t *b;
	const conf_path_t *at;
	const char *user, *group;
} attempt_t;

/* The first directory on the way to path that can't be entered, in the arena; NULL: there is none. */
static const char *closed_on_the_way(const attempt_t *a, const char *path)
{
	char *way = conf_arena_text(&a->b->arena, path, strlen(path));

	if (!way) {
		a->b->status = ST_NOMEM;
		return NULL;
	}
	if (*path != '/' && access(".", X_OK) != 0 && errno == EACCES)
		return ".";
	for (char *slash = strchr(way + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (access(way, X_OK) != 0 && errno == EACCES)
			return way;
		*slash = '/';
	}
	return NULL;
}

/* True: told. */
static bool tell_closed(const attempt_t *a, const char *path)
{
	const char *closed = closed_on_the_way(a, path);

	if (closed)
		conf_fault(a->b, &a->at->where,
		           "user %s can't reach %s, as %s is closed to it; open that to it: chgrp "
		           "%s %s, and chmod g+rx",
		           a->user, path, closed, a->group, closed);
	return closed != NULL;
}

/* A reload reads it as that user. */
static void try_file(const attempt_t *a)
{
	const int fd = open(a->at->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), err = errno;

	if (fd >= 0) {
		close(fd);
		return;
	}
	if (err == EACCES && tell_closed(a, a->at->path))
		return;
	conf_fault(a->b, &a->at->where,
	           "%s can't be read by user %s: %s; let it, as a reload has to: chgrp %s %s, and "
	           "chmod g+r",
	           a->at->path, a->user, strerror(err), a->group, a->at->path);
}

static void try_pattern(const attempt_t *a)
{
	glob_t found = { 0 };
	const int rc = glob(a->at->path, 0, conf_glob_error, &found), err = errno;

	if (rc == GLOB_ABORTED && !tell_closed(a, a->at->path))
		conf_fault(
			a->b, &a->at->where,
			"a directory of %s can't be read by user %s: %s; let it, as a reload has "
			"to: give it the group %s by chgrp, and chmod g+rx",
			a->at->path, a->user, strerror(err), a->group);
	else if (rc == GLOB_NOSPACE)
		a->b->status = ST_NOMEM;
	globfree(&found);
}

/* The first file in the directory that can't be used, in the arena; NULL: there is none. */
static const char *closed_file_in(const attempt_t *a, const char *dir)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;
	const char *found = NULL;
	struct stat info;

	while (stream && !found && (entry = readdir(stream))) {
		const int fd = dirfd(stream);

		if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(info.st_mode) && faccessat(fd, entry->d_name, R_OK | W_OK, 0) != 0 &&
		    errno == EACCES)
			found = conf_arena_text(&a->b->arena, entry->d_name, strlen(entry->d_name));
	}
	if (stream)
		closedir(stream);
	return found;
}

static void try_state(const attempt_t *a)
{
	const char *dir = a->at->path, *file = NULL;

	if (access(dir, R_OK | W_OK | X_OK) != 0) {
		if (errno != EACCES || tell_closed(a, dir))
			return;
	} else if (!(file = closed_file_in(a, dir))) {
		return;
	}
	conf_fault(
		a->b, &a->at->where,
		"state-dir %s is not for user %s%s%s; give it to that user with all that is in it: "
		"chown -R %s:%s %s",
		dir, a->user, file ? ", by its file " : "", file ? file : "", a->user, a->group,
		dir);
}

static void try_socket(const attempt_t *a)
{
	const char *slash = strrchr(a->at->path, '/');
	const size_t len = slash ? (size_t)(slash - a->at->path) : 0;
	const char *dir = !slash    ? "."
	                  : len > 0 ? conf_arena_text(&a->b->arena, a->at->path, len)
	                            : "/";

	if (!dir)
		a->b->status = ST_NOMEM;
	else if (access(a->at->path, W_OK) != 0 && errno == EACCES && access(dir, W_OK | X_OK) == 0)
		conf_fault(
			a->b, &a->at->where,
			"user %s can't tell who listens on %s, which somebody else has left there: "
			"remove it, unless a daemon runs on it",
			a->user, a->at->path);
	else if (access(dir, W_OK | X_OK) != 0 && errno == EACCES && !tell_closed(a, dir))
		conf_fault(a->b, &a->at->where,
		           "user %s can't make the control socket in %s; give it that directory "
		           "(chown "
		           "%s:%s %s), or name one of its own in control",
		           a->user, dir, a->user, a->group, dir);
}

static void try_path(const attempt_t *a)
{
	switch (a->at->use) {
	case CONF_USE_FILE:
		try_file(a);
		break;
	case CONF_USE_PATTERN:
		try_pattern(a);
		break;
	case CONF_USE_STATE:
		try_state(a);
		break;
	case CONF_USE_SOCKET:
		try_socket(a);
		break;
	}
}

status_t conf_reach(const conf_t *conf, const char *user, const char *group, conf_faults_t *faults)
{
	const conf_own_t *own = conf->own;
	conf_build_t b = { .faults = faults };

	for (size_t i = 0; b.status == ST_OK && i < own->path_count; i++)
		try_path(&(attempt_t){ &b, &own->paths[i], user, group });
	conf_faults_finish(faults, own->path_count > 0 ? own->paths[0].where.file : "");
	conf_arena_free(&b.arena);
	return b.status;
}
