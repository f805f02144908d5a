/* state/disk.h - what the state asks of a file system, as a table of functions: the real one is
 * below, tests have one that refuses, tears and forgets.
 *
 * Files lie in one directory and are named by a plain name. All calls return a negated errno on
 * failure, and may block. Any thread, but one file is written by one thread at a time. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef struct state_disk state_disk_t;

typedef struct state_disk_calls {
	/* Call each(arg, name) for each file. each must not make or remove one. */
	int (*list)(state_disk_t *d, void (*each)(void *arg, const char *name), void *arg);
	int (*create)(state_disk_t *d, const char *name); /* that is not there yet: a file */
	int (*open)(state_disk_t *d, const char *name);   /* to be read: a file */
	void (*close)(state_disk_t *d, int file);
	int64_t (*size)(state_disk_t *d, int file);
	/* Fewer octets than asked for: the file ends there. */
	ssize_t (*read)(state_disk_t *d, int file, void *to, size_t len, uint64_t at);
	/* All of it, or an error; some may be there then. */
	int (*write)(state_disk_t *d, int file, struct iovec *from, int count, uint64_t at);
	int (*truncate)(state_disk_t *d, int file, uint64_t size);
	/* What was written before this begins is on the disk when it returns 0. */
	int (*sync)(state_disk_t *d, int file);
	/* ... and which files there are. */
	int (*sync_names)(state_disk_t *d);
	/* Begin to write this much of it back, without waiting: a hint. */
	void (*hurry)(state_disk_t *d, int file, uint64_t at, uint64_t len);
	int (*unlink)(state_disk_t *d, const char *name);
	void (*free)(state_disk_t *d);
} state_disk_calls_t;

struct state_disk {
	const state_disk_calls_t *calls;
	/* Calls of state_disk_read(): a disk that hangs is seen by them. */
	_Atomic uint64_t begun, ended;
};

static inline ssize_t state_disk_read(state_disk_t *d, int file, void *to, size_t len, uint64_t at)
{
	atomic_fetch_add(&d->begun, 1);
	const ssize_t n = d->calls->read(d, file, to, len, at);
	atomic_fetch_add(&d->ended, 1);
	return n;
}

/* The directory at path, which is made (mode 0750) if its parent is there; locked against another
 * process until it is freed.
 * Returns   0; -EWOULDBLOCK: another process has it; another negated errno. */
int state_disk_open(const char *path, state_disk_t **out);

/* The same to look at alone, whoever has it locked: nothing is made, changed or removed in it; what would
 * be is refused with -EROFS. Files may come and go meanwhile.
 * Returns   0; -ENOENT: it is not there; another negated errno. */
int state_disk_open_reader(const char *path, state_disk_t **out);
