/* ctl/sock.c - bind without a moment in which the mode is wider than it will be. */
#include "ctl/sock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/conf.h"

enum { BACKLOG = 128 };

static status_t fail(char why[256], const char *what, const char *path)
{
	snprintf(why, 256, "%s %s: %s", what, path, strerror(errno));
	return ST_SYSTEM;
}

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	_Static_assert(CONF_SOCKET_MAX < sizeof sun.sun_path, "the settings know the limit");
	memcpy(sun.sun_path, path, strlen(path)); /* at most CONF_SOCKET_MAX */
	return sun;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* What stands at path is in the way: remove what a dead daemon left. */
static status_t clear_place(const char *path, char why[256])
{
	struct sockaddr_un sun = address(path);
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? ST_OK : fail(why, "can't look at", path);
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, 256, "%s is there already, and is no socket", path);
		return ST_SYSTEM;
	}
	fd = new_socket();
	if (fd < 0)
		return fail(why, "no socket for", path);
	/* Not blocking: a daemon whose queue is full says EAGAIN, and lives. */
	int connected = connect(fd, (struct sockaddr *)&sun, sizeof sun), err = errno;
	close(fd);
	if (connected == 0 || err == EAGAIN || err == EINPROGRESS) {
		snprintf(why, 256, "another daemon listens on %s", path);
		return ST_EXIST;
	}
	if (err != ECONNREFUSED) {
		errno = err;
		return fail(why, "can't tell who listens on", path);
	}
	return unlink(path) == 0 || errno == ENOENT ? ST_OK : fail(why, "can't remove", path);
}

/* The directory that path is in, one level of it. */
static void make_directory(const char *path)
{
	char dir[CONF_SOCKET_MAX + 1];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return;
	snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
	(void)mkdir(dir, 0755); /* bind() will tell what is wrong */
}

/* The mode of the unbound socket is what bind() starts from, less the umask; only then is it widened. */
static status_t bind_at(int fd, const char *path, struct stat *at, char why[256])
{
	struct sockaddr_un sun = address(path);

	if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&sun, sizeof sun) != 0)
		return fail(why, "can't bind", path);
	if (chmod(path, 0660) == 0 && listen(fd, BACKLOG) == 0 && lstat(path, at) == 0)
		return ST_OK;
	fail(why, "can't listen on", path);
	(void)unlink(path);
	return ST_SYSTEM;
}

status_t ctl_sock_open(const char *path, ctl_sock_t *out, char why[256])
{
	struct stat at;
	status_t st;

	out->fd = -1;
	make_directory(path);
	st = clear_place(path, why);
	if (st != ST_OK)
		return st;
	out->fd = new_socket();
	if (out->fd < 0)
		return fail(why, "no socket for", path);
	st = bind_at(out->fd, path, &at, why);
	if (st == ST_OK) {
		out->dev = at.st_dev;
		out->ino = at.st_ino;
		return ST_OK;
	}
	close(out->fd);
	out->fd = -1;
	return st;
}

void ctl_sock_close(ctl_sock_t *s, const char *path)
{
	struct stat at;

	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	if (lstat(path, &at) == 0 && at.st_dev == s->dev && at.st_ino == s->ino)
		(void)unlink(path);
}
