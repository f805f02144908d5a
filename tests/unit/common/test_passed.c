/* tests/unit/common/test_passed.c - what the environment may say, in a process of its own for each test. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/passed.h"
#include "common/status.h"

TestSuite(passed, .timeout = 10);

/* Descriptors far above Criterion's own can't be said to be there: so those from 3 on are saved and put back. */
enum { PLACES = 4 };
static int saved[PLACES];

static void lay(void)
{
	for (int i = 0; i < PLACES; i++) {
		saved[i] = fcntl(PASSED_FIRST + i, F_DUPFD_CLOEXEC, 100);
		close(PASSED_FIRST + i);
	}
}

static void put(int place)
{
	int fd = open("/dev/null", O_RDONLY);

	if (fd == PASSED_FIRST + place)
		return;
	cr_assert(eq(int, dup2(fd, PASSED_FIRST + place), PASSED_FIRST + place));
	close(fd);
}

static void put_back(void)
{
	for (int i = 0; i < PLACES; i++) {
		close(PASSED_FIRST + i);
		if (saved[i] >= 0)
			dup2(saved[i], PASSED_FIRST + i);
	}
}

static void say(const char *pid, const char *fds, const char *names)
{
	char mine[20];

	snprintf(mine, sizeof mine, "%d", (int)getpid());
	if (pid)
		setenv("LISTEN_PID", strcmp(pid, "mine") == 0 ? mine : pid, 1);
	if (fds)
		setenv("LISTEN_FDS", fds, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
}

static bool clean(void)
{
	return !getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES");
}

Test(passed, takes_what_is_open_with_its_name)
{
	char name[PASSED_NAME_MAX];
	passed_t p;
	int flags[2];

	lay();
	put(0);
	put(2);
	say("mine", "3", "udp::tcp");
	passed_open(&p);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		flags[i] = fcntl(PASSED_FIRST + 2 * (int)i, F_GETFD);
	put_back();
	cr_assert(eq(sz, p.count, 2));
	cr_expect(p.fds[0] == 3 && p.fds[1] == 5);
	cr_expect(flags[0] == FD_CLOEXEC && flags[1] == FD_CLOEXEC);
	cr_expect(eq(str, (char *)passed_name(&p, 3, name), (char *)"udp"));
	cr_expect(eq(str, (char *)passed_name(&p, 4, name), (char *)""));
	cr_expect(eq(str, (char *)passed_name(&p, 5, name), (char *)"tcp"));
	cr_expect(eq(str, (char *)passed_name(&p, 6, name), (char *)""));
	cr_expect(eq(str, p.why,
	             (char *)"LISTEN_FDS is 3, but so many of these descriptors are not open: 1"));
	cr_expect(clean());
	passed_close(&p);
	passed_close(&p);
}

Test(passed, cuts_names_and_does_without)
{
	char name[PASSED_NAME_MAX], longer[200];
	passed_t p;

	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	lay();
	put(0);
	say("mine", "1", longer);
	passed_open(&p);
	put_back();
	cr_expect(eq(sz, strlen(passed_name(&p, 3, name)), PASSED_NAME_MAX - 1));
	passed_close(&p);
	lay();
	put(0);
	say("mine", "1", NULL);
	passed_open(&p);
	put_back();
	cr_assert(eq(sz, p.count, 1));
	cr_expect(eq(str, (char *)passed_name(&p, 3, name), (char *)""));
	cr_expect(eq(str, p.why, (char *)""));
	passed_close(&p);
}

Test(passed, is_for_one_process_and_says_what_it_can_not_read)
{
	static const struct {
		const char *pid, *fds, *why;
	} rows[] = {
		{ NULL, NULL, "" },
		{ NULL, "1", "" },
		{ "mine", NULL, "" },
		{ "mine", "0", "" },
		{ "1", "1", "" },
		{ "1", "garbage", "" },
		{ "", "1", "LISTEN_PID is '', which is no process" },
		{ "me", "1", "LISTEN_PID is 'me', which is no process" },
		{ "-5", "1", "LISTEN_PID is '-5', which is no process" },
		{ "99999999999999999999", "1",
		  "LISTEN_PID is '99999999999999999999', which is no process" },
		{ "mine", "", "LISTEN_FDS is '', which is no number of sockets from 0 to 16384" },
		{ "mine", "2 ",
		  "LISTEN_FDS is '2 ', which is no number of sockets from 0 to 16384" },
		{ "mine", "-1",
		  "LISTEN_FDS is '-1', which is no number of sockets from 0 to 16384" },
		{ "mine", "0x1",
		  "LISTEN_FDS is '0x1', which is no number of sockets from 0 to 16384" },
		{ "mine", "16385",
		  "LISTEN_FDS is '16385', which is no number of sockets from 0 to 16384" },
		{ "mine", "18446744073709551617",
		  "LISTEN_FDS is '18446744073709551617', which is no number of sockets from 0 to "
		  "16384" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		passed_t p;

		say(rows[i].pid, rows[i].fds, "a:b");
		passed_open(&p);
		cr_expect(eq(sz, p.count, 0), "%zu", i);
		cr_expect(eq(str, p.why, (char *)rows[i].why));
		cr_expect(clean());
		passed_close(&p);
	}
}
