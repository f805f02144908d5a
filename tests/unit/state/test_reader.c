/* tests/unit/state/test_reader.c - a state that is somebody else's is looked at, and nothing in it changed. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/file.h"
#include "state/state.h"

TestSuite(state_reader, .timeout = 20);

static char dir[] = "/tmp/secd-state-reader-XXXXXX";

static void make_dir(void)
{
	cr_assert(mkdtemp(dir) != NULL);
}

static void remove_dir(void)
{
	char command[sizeof dir + 16];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	cr_expect(eq(int, system(command), 0));
}

static bool is_there(const char *name)
{
	char path[sizeof dir + 64];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

/* A file of the state with its head alone. */
static void make_file(state_file_kind_t kind, uint32_t number)
{
	state_disk_t *disk;

	cr_assert(eq(int, state_disk_open(dir, &disk), 0));
	const int fd = state_file_create(disk, kind, number);
	cr_assert(ge(int, fd, 0));
	disk->calls->close(disk, fd);
	disk->calls->free(disk);
}

Test(state_reader, changes_nothing, .init = make_dir, .fini = remove_dir)
{
	struct iovec some = { (void *)"x", 1 };
	char name[STATE_NAME_MAX];
	state_disk_t *disk;

	make_file(STATE_FILE_LOG, 1);
	cr_assert(eq(int, state_disk_open_reader(dir, &disk), 0));
	const state_disk_calls_t *c = disk->calls;
	state_file_name(STATE_FILE_LOG, 1, name);
	cr_expect(eq(int, c->create(disk, "log-00000009"), -EROFS));
	cr_expect(eq(int, c->unlink(disk, name), -EROFS));
	cr_expect(eq(int, c->sync_names(disk), -EROFS));
	const int fd = c->open(disk, name);
	cr_assert(ge(int, fd, 0));
	cr_expect(eq(int, c->write(disk, fd, &some, 1, 0), -EROFS));
	cr_expect(eq(int, c->truncate(disk, fd, 0), -EROFS));
	cr_expect(eq(int, c->sync(disk, fd), -EROFS));
	cr_expect(eq(i64, c->size(disk, fd), STATE_FILE_HEAD));
	c->close(disk, fd);
	c->free(disk);
	cr_expect(is_there(name) && !is_there("log-00000009"));
}

Test(state_reader, needs_no_lock_and_takes_none, .init = make_dir, .fini = remove_dir)
{
	state_disk_t *owner, *reader, *second;

	cr_assert(eq(int, state_disk_open(dir, &owner), 0));
	cr_assert(eq(int, state_disk_open_reader(dir, &reader), 0));
	owner->calls->free(owner);
	cr_assert(eq(int, state_disk_open(dir, &second), 0), "a reader keeps no owner out");
	second->calls->free(second);
	reader->calls->free(reader);
}

Test(state_reader, makes_no_directory, .init = make_dir, .fini = remove_dir)
{
	char path[sizeof dir + 16];
	state_disk_t *disk;

	snprintf(path, sizeof path, "%s/none", dir);
	cr_expect(eq(int, state_disk_open_reader(path, &disk), -ENOENT));
	cr_expect(disk == NULL);
	cr_expect(not(is_there("none")));
}

/* A zone's file that no record names goes when its owner looks through, and stays for others. */
Test(state_reader, removes_no_file_that_nothing_names, .init = make_dir, .fini = remove_dir)
{
	state_conf_t conf = { 0 };
	char name[STATE_NAME_MAX], why[256];
	state_scan_t scan;

	make_file(STATE_FILE_ZONE, 2);
	state_file_name(STATE_FILE_ZONE, 2, name);
	cr_assert(eq(int, state_disk_open_reader(dir, &conf.disk), 0));
	state_t *s = state_new(&conf);
	cr_assert(eq(int, state_scan(s, &scan, why), ST_OK));
	state_free(s);
	cr_expect(is_there(name));
	cr_expect(eq(uint, scan.gone, 0));

	cr_assert(eq(int, state_disk_open(dir, &conf.disk), 0));
	s = state_new(&conf);
	cr_assert(eq(int, state_scan(s, &scan, why), ST_OK));
	state_free(s);
	cr_expect(not(is_there(name)));
}

/* A directory in which a log goes away right behind the list. */
static state_disk_t *real;

static int list(state_disk_t *d, void (*each)(void *arg, const char *name), void *arg)
{
	const int err = real->calls->list(real, each, arg);
	char path[sizeof dir + 16];

	(void)d;
	snprintf(path, sizeof path, "%s/log-00000001", dir);
	unlink(path);
	return err;
}

static int open_real(state_disk_t *d, const char *name)
{
	(void)d;
	return real->calls->open(real, name);
}

static void free_real(state_disk_t *d)
{
	(void)d;
	real->calls->free(real);
}

Test(state_reader, tells_of_a_log_that_went_away, .init = make_dir, .fini = remove_dir)
{
	state_scan_t scan;
	char why[256];

	make_file(STATE_FILE_LOG, 1);
	make_file(STATE_FILE_LOG, 2);
	cr_assert(eq(int, state_disk_open_reader(dir, &real), 0));
	state_disk_calls_t calls = *real->calls;
	calls.list = list;
	calls.open = open_real;
	calls.free = free_real;
	state_disk_t disk = { .calls = &calls };
	const state_conf_t conf = { .disk = &disk };
	state_t *s = state_new(&conf);
	cr_assert(eq(int, state_scan(s, &scan, why), ST_OK));
	cr_expect(eq(uint, scan.gone, 1));
	cr_expect(eq(uint, scan.files, 1));
	state_free(s);
}
