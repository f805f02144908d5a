/* tests/unit/ctl/test_sock.c - the socket's place: a dead daemon's is taken, a living one's is not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/sock.h"

TestSuite(ctl_sock, .timeout = 10);

/* The call that is to fail; 0: none. */
static unsigned failing;

int __real_lstat(const char *name, struct stat *out);
int __wrap_lstat(const char *name, struct stat *out);
int __wrap_lstat(const char *name, struct stat *out)
{
	if (failing == 0 || --failing > 0)
		return __real_lstat(name, out);
	errno = EIO;
	return -1;
}

static char dir[] = "/tmp/test-ctl-sock-XXXXXX";
static char path[100], why[256];

static void enter(void)
{
	cr_assert(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/run/s", dir);
}

static void leave(void)
{
	char sub[100];

	unlink(path);
	snprintf(sub, sizeof sub, "%s/run", dir);
	rmdir(sub);
	cr_expect(eq(int, rmdir(dir), 0), "nothing else is left");
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0 ? st.st_mode & 07777u : 0;
}

Test(ctl_sock, has_its_mode_whatever_the_umask, .init = enter, .fini = leave)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };

	char sub[100];

	snprintf(sub, sizeof sub, "%s/run", dir);
	cr_assert(eq(int, mkdir(sub, 0755), 0));
	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		mode_t before = umask(masks[i]);
		ctl_sock_t s;
		status_t st = ctl_sock_open(path, &s, why);

		umask(before);
		cr_assert(eq(int, st, ST_OK), "%s", why);
		cr_expect(eq(uint, mode_of(path), 0660));
		ctl_sock_close(&s, path);
		cr_expect(eq(int, access(path, F_OK), -1), "it is gone");
	}
}

Test(ctl_sock, of_a_dead_daemon_is_replaced, .init = enter, .fini = leave)
{
	ctl_sock_t dead, s;

	cr_assert(eq(int, ctl_sock_open(path, &dead, why), ST_OK), "%s", why);
	close(dead.fd); /* and the socket stays, as after a kill */
	cr_assert(eq(int, ctl_sock_open(path, &s, why), ST_OK), "%s", why);
	ctl_sock_close(&s, path);
}

Test(ctl_sock, of_a_living_daemon_is_left_alone, .init = enter, .fini = leave)
{
	ctl_sock_t living, s;

	cr_assert(eq(int, ctl_sock_open(path, &living, why), ST_OK), "%s", why);
	cr_assert(eq(int, ctl_sock_open(path, &s, why), ST_EXIST));
	cr_expect(strstr(why, path) != NULL, "%s", why);
	cr_expect(eq(uint, mode_of(path), 0660));
	ctl_sock_close(&living, path);
}

Test(ctl_sock, is_not_put_where_something_else_is, .init = enter, .fini = leave)
{
	ctl_sock_t s;
	char sub[100];
	int fd;

	snprintf(sub, sizeof sub, "%s/run", dir);
	cr_assert(eq(int, mkdir(sub, 0755), 0));
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	cr_assert(ge(int, fd, 0));
	close(fd);
	cr_expect(eq(int, ctl_sock_open(path, &s, why), ST_SYSTEM));
	cr_expect(strstr(why, "is no socket") != NULL, "%s", why);
	cr_expect(eq(int, access(path, F_OK), 0));
	cr_expect(eq(int, ctl_sock_open("/nowhere/at/all", &s, why), ST_SYSTEM));
}

Test(ctl_sock, that_cannot_be_told_from_others_is_not_left, .init = enter, .fini = leave)
{
	ctl_sock_t s;

	failing = 2; /* what stands there comes first, and what was bound second */
	cr_expect(eq(int, ctl_sock_open(path, &s, why), ST_SYSTEM));
	cr_expect(eq(uint, failing, 0));
	cr_expect(strstr(why, path) && strstr(why, strerror(EIO)), "%s", why);
	cr_expect(eq(int, access(path, F_OK), -1), "it is gone");
}

Test(ctl_sock, of_another_by_now_is_not_removed, .init = enter, .fini = leave)
{
	ctl_sock_t first, second;

	cr_assert(eq(int, ctl_sock_open(path, &first, why), ST_OK), "%s", why);
	unlink(path);
	cr_assert(eq(int, ctl_sock_open(path, &second, why), ST_OK), "%s", why);
	ctl_sock_close(&first, path);
	cr_expect(eq(int, access(path, F_OK), 0));
	ctl_sock_close(&second, path);
	cr_expect(eq(int, access(path, F_OK), -1));
}
