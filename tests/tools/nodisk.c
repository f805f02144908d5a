/* tests/tools/nodisk.c - a file system that refuses what a file says: to be preloaded.
 *
 * The file that NODISK in the environment names is read at each call. It has lines "CALL ERRNO": from
 * then on CALL (openat, when it makes a file; pwritev, fdatasync, fsync, ftruncate) fails with that
 * error. "half ERRNO": pwritev writes half of what it is given, and fails. "drop ERRNO": fdatasync
 * fails, and what was written since the last one is zeros. "hang 0": pwritev waits until the line is
 * gone, "hangsync 0": fdatasync does, "hangread N": pread of 4096 to N octets, "hangbig N": of N or
 * more. A file that is missing or empty refuses nothing. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The error that the call is to fail with; 0: it is not; -1: the line says 0. */
static int refused(const char *call)
{
	const char *path = getenv("NODISK");
	char text[512], name[32];
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1, error;
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (sscanf(at, "%31s %d", name, &error) == 2 && strcmp(name, call) == 0)
			return error != 0 ? error : -1;
	}
	return 0;
}

enum { FILES = 4096 };
static off_t synced[FILES]; /* by descriptor; each is one thread's at a time */

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

int openat(int dir, const char *name, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
		errno = refused("openat");
		if (errno != 0)
			return -1;
	}
	int fd = REAL(openat)(dir, name, flags, mode);

	if (fd >= 0 && fd < FILES)
		synced[fd] = 0;
	return fd;
}

ssize_t pwritev(int fd, const struct iovec *from, int count, off_t at)
{
	while (refused("hang") != 0)
		usleep(1000);
	const int half = refused("half"); /* once: it may be gone in a moment */

	if (half != 0) {
		ssize_t n = REAL(pwritev)(fd, from, (count + 1) / 2, at);

		errno = half;
		return n < 0 ? n : -1;
	}
	errno = refused("pwritev");
	return errno != 0 ? -1 : REAL(pwritev)(fd, from, count, at);
}

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
	for (int most; len >= 4096 && (most = refused("hangread")) > 0 && len <= (size_t)most;)
		usleep(1000);
	for (int least; len >= 4096 && (least = refused("hangbig")) > 0 && len >= (size_t)least;)
		usleep(1000);
	return REAL(pread)(fd, to, len, at);
}

int fdatasync(int fd)
{
	struct stat st;

	if (fd >= FILES || fstat(fd, &st) < 0)
		return -1;
	while (refused("hangsync") != 0)
		usleep(1000);
	const int drop = refused("drop");
	if (drop != 0) {
		if (REAL(ftruncate)(fd, synced[fd]) == 0 && REAL(ftruncate)(fd, st.st_size) == 0)
			errno = drop;
		return -1;
	}
	errno = refused("fdatasync");
	if (errno != 0 || REAL(fdatasync)(fd) < 0)
		return -1;
	synced[fd] = st.st_size;
	return 0;
}

int fsync(int fd)
{
	errno = refused("fsync");
	return errno != 0 ? -1 : REAL(fsync)(fd);
}

int ftruncate(int fd, off_t len)
{
	errno = refused("ftruncate");
	return errno != 0 ? -1 : REAL(ftruncate)(fd, len);
}
