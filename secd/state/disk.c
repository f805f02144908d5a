/* state/disk.c - a directory of the real file system. */
#include "state/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct dir {
	state_disk_t disk;
	int fd;
	pthread_mutex_t mutex;
	int lock; /* -1: there is none yet, since nothing could be written */
} dir_t;

enum { DIR_MODE = 0750, FILE_MODE = 0640 };

static dir_t *dir_of(state_disk_t *d)
{
	return (dir_t *)d;
}

static int or_errno(int result)
{
	return result < 0 ? -errno : result;
}

static int list(state_disk_t *d, void (*each)(void *arg, const char *name), void *arg)
{
	int fd = openat(dir_of(d)->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int err;

	if (!stream) {
		err = errno;
		if (fd >= 0)
			close(fd);
		return -err;
	}
	for (errno = 0; (entry = readdir(stream)); errno = 0)
		each(arg, entry->d_name);
	err = errno;
	closedir(stream);
	return -err;
}

/* It is ours: 0, also if there can be none now; a negated errno. */
static int lock_dir(dir_t *dir)
{
	int err = 0,
	    fd = openat(dir->fd, "lock", O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	/* A directory that can't be written to can't be locked; nobody else writes there. */
	if (fd < 0 && (errno == EROFS || errno == EACCES)) {
		fd = openat(dir->fd, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return 0;
	}
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		err = -errno;
	if (err == 0)
		dir->lock = fd;
	else if (fd >= 0)
		close(fd);
	return err;
}

/* Before anything is written: it may not have been possible when the directory was opened. */
static int lock_late(dir_t *dir)
{
	pthread_mutex_lock(&dir->mutex);
	const int err = dir->lock < 0 ? lock_dir(dir) : 0;
	pthread_mutex_unlock(&dir->mutex);
	return err;
}

static int create(state_disk_t *d, const char *name)
{
	const int err = lock_late(dir_of(d));

	if (err < 0)
		return err;
	return or_errno(openat(dir_of(d)->fd, name,
	                       O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, FILE_MODE));
}

static int open_file(state_disk_t *d, const char *name)
{
	return or_errno(
		openat(dir_of(d)->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

static void close_file(state_disk_t *d, int file)
{
	(void)d;
	close(file);
}

static int64_t size(state_disk_t *d, int file)
{
	struct stat st;

	(void)d;
	if (fstat(file, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? st.st_size : -EINVAL;
}

static ssize_t read_file(state_disk_t *d, int file, void *to, size_t len, uint64_t at)
{
	size_t got = 0;

	(void)d;
	while (got < len) {
		ssize_t n = pread(file, (char *)to + got, len - got, (off_t)(at + got));

		if (n == 0)
			break;
		if (n > 0)
			got += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return (ssize_t)got;
}

/* n octets are written: go on behind them. */
static void move_on(struct iovec **from, int *count, size_t n)
{
	while (*count > 0 && n >= (*from)->iov_len) {
		n -= (*from)->iov_len;
		(*from)++;
		(*count)--;
	}
	if (*count > 0) {
		(*from)->iov_base = (char *)(*from)->iov_base + n;
		(*from)->iov_len -= n;
	}
}

static int write_file(state_disk_t *d, int file, struct iovec *from, int count, uint64_t at)
{
	(void)d;
	move_on(&from, &count, 0); /* empty ones */
	while (count > 0) {
		ssize_t n = pwritev(file, from, count < IOV_MAX ? count : IOV_MAX, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
		if (n > 0) {
			at += (uint64_t)n;
			move_on(&from, &count, (size_t)n);
		}
	}
	return 0;
}

static int truncate_file(state_disk_t *d, int file, uint64_t to)
{
	(void)d;
	return or_errno(ftruncate(file, (off_t)to));
}

static int sync_file(state_disk_t *d, int file)
{
	(void)d;
	return or_errno(fdatasync(file));
}

static int sync_names(state_disk_t *d)
{
	return or_errno(fsync(dir_of(d)->fd));
}

static void hurry(state_disk_t *d, int file, uint64_t at, uint64_t len)
{
	(void)d;
	(void)sync_file_range(file, (off_t)at, (off_t)len, SYNC_FILE_RANGE_WRITE);
}

static int unlink_file(state_disk_t *d, const char *name)
{
	return or_errno(unlinkat(dir_of(d)->fd, name, 0));
}

static void free_dir(state_disk_t *d)
{
	dir_t *dir = dir_of(d);

	if (dir->lock >= 0)
		close(dir->lock);
	if (dir->fd >= 0)
		close(dir->fd);
	pthread_mutex_destroy(&dir->mutex);
	free(dir);
}

static const state_disk_calls_t calls = {
	.list = list,
	.create = create,
	.open = open_file,
	.close = close_file,
	.size = size,
	.read = read_file,
	.write = write_file,
	.truncate = truncate_file,
	.sync = sync_file,
	.sync_names = sync_names,
	.hurry = hurry,
	.unlink = unlink_file,
	.free = free_dir,
};

/* --- to look at alone -------------------------------------------------------------------------- */

static int refuse_name(state_disk_t *d, const char *name)
{
	(void)d;
	(void)name;
	return -EROFS;
}

static int refuse_write(state_disk_t *d, int file, struct iovec *from, int count, uint64_t at)
{
	(void)d;
	(void)file;
	(void)from;
	(void)count;
	(void)at;
	return -EROFS;
}

static int refuse_truncate(state_disk_t *d, int file, uint64_t to)
{
	(void)d;
	(void)file;
	(void)to;
	return -EROFS;
}

static int refuse_sync(state_disk_t *d, int file)
{
	(void)d;
	(void)file;
	return -EROFS;
}

static int refuse_sync_names(state_disk_t *d)
{
	(void)d;
	return -EROFS;
}

static const state_disk_calls_t reader_calls = {
	.list = list,
	.create = refuse_name,
	.open = open_file,
	.close = close_file,
	.size = size,
	.read = read_file,
	.write = refuse_write,
	.truncate = refuse_truncate,
	.sync = refuse_sync,
	.sync_names = refuse_sync_names,
	.hurry = hurry,
	.unlink = refuse_name,
	.free = free_dir,
};

/* A directory with nothing open yet; NULL: no memory. */
static dir_t *new_dir(const state_disk_calls_t *of)
{
	dir_t *dir = calloc(1, sizeof *dir);

	if (!dir)
		return NULL;
	dir->disk.calls = of;
	dir->fd = dir->lock = -1;
	pthread_mutex_init(&dir->mutex, NULL);
	return dir;
}

/* 0, or a negated errno. */
static int open_dir(dir_t *dir, const char *path)
{
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return or_errno(dir->fd < 0 ? -1 : 0);
}

/* The directory if it could be opened; or else it goes, and why is told. */
static int give_dir(dir_t *dir, int err, state_disk_t **out)
{
	if (err == 0)
		*out = &dir->disk;
	else
		free_dir(&dir->disk);
	return err;
}

int state_disk_open_reader(const char *path, state_disk_t **out)
{
	dir_t *dir = new_dir(&reader_calls);

	*out = NULL;
	return dir ? give_dir(dir, open_dir(dir, path), out) : -ENOMEM;
}

/* --- to be one's own ---------------------------------------------------------------------------- */

/* The name of a directory that was just made is on the disk. */
static int sync_parent(int fd)
{
	const int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (parent < 0) /* it may be searched only: then it is synced when the system does */
		return errno == EACCES ? 0 : -errno;
	err = or_errno(fsync(parent));
	close(parent);
	return err;
}

int state_disk_open(const char *path, state_disk_t **out)
{
	dir_t *dir = new_dir(&calls);
	int made, err;

	*out = NULL;
	if (!dir)
		return -ENOMEM;
	made = or_errno(mkdir(path, DIR_MODE));
	err = open_dir(dir, path);
	if (err < 0 && made < 0 && made != -EEXIST)
		err = made; /* why it could not be made says more */
	if (err == 0)
		err = lock_dir(dir);
	if (err == 0 && made == 0)
		err = sync_parent(dir->fd);
	return give_dir(dir, err, out);
}
