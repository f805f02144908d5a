/* tests/unit/common/test_privileges.c - what is left of root, in a process of its own for each test. Only root can lose
 * anything: the others skip what needs it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/privileges.h"

TestSuite(privileges, .timeout = 10);

static const char user[] = "nobody"; /* on every Debian */

/* A line of /proc/self/status, without its name and blanks in front; "": there is none. */
static const char *status_line(const char *name, char out[512])
{
	FILE *f = fopen("/proc/thread-self/status", "re");
	char line[512];

	out[0] = '\0';
	cr_assert(f != NULL);
	while (fgets(line, sizeof line, f)) {
		if (strncmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':')
			continue;
		const char *value = line + strlen(name) + 1;

		strcpy(out, value + strspn(value, " \t"));
		out[strcspn(out, "\n")] = '\0';
	}
	fclose(f);
	return out;
}

static unsigned long long mask(const char *name)
{
	char text[512];

	return strtoull(status_line(name, text), NULL, 16);
}

static bool is_root(void)
{
	if (geteuid() != 0)
		cr_skip_test("only root can become another");
	return geteuid() == 0;
}

Test(privileges, finds_users_and_groups)
{
	char why[PRIVILEGES_WHY_MAX];
	privileges_t who;

	cr_assert(eq(int, privileges_find("root", &who, why), ST_OK));
	cr_expect(who.uid == 0 && who.gid == 0 && !who.named_group);
	cr_expect(eq(str, who.group, (char *)"root"));
	cr_assert(eq(int, privileges_find("root:daemon", &who, why), ST_OK));
	cr_expect(who.uid == 0 && who.gid != 0 && who.named_group);
	cr_expect(eq(str, who.group, (char *)"daemon"));
	cr_expect(eq(str, who.user, (char *)"root"));
}

Test(privileges, says_what_there_is_not)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "no-such-user", "there is no user no-such-user (getent passwd no-such-user " },
		{ "no-such-user:root", "there is no user no-such-user (" },
		{ "root:no-such-group", "there is no group no-such-group (getent group no-such" },
		{ "root:", "there is no group " },
		{ "", "there is no user " },
		{ "12345678901234567890123456789012345678901234567890123456789012345",
		  "there is no user 1234567890" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char why[PRIVILEGES_WHY_MAX];
		privileges_t who;

		cr_expect(eq(int, privileges_find(rows[i].text, &who, why), ST_NOENT), "%s",
		          rows[i].text);
		cr_expect(strncmp(why, rows[i].want, strlen(rows[i].want)) == 0, "%s", why);
	}
}

Test(privileges, leaves_one_capability_and_no_way_back)
{
	char why[PRIVILEGES_WHY_MAX] = "", text[512], want[512];
	privileges_t who;
	uid_t ids[3];

	if (!is_root())
		return;
	const unsigned long long bit = 1ULL << CAP_NET_BIND_SERVICE, had = mask("CapPrm") & bit;

	cr_assert(eq(int, privileges_find(user, &who, why), ST_OK));
	cr_assert(eq(int, privileges_take(&who, CAP_NET_BIND_SERVICE, why), ST_OK), "%s", why);
	cr_assert(getresuid(&ids[0], &ids[1], &ids[2]) == 0);
	cr_expect(ids[0] == who.uid && ids[1] == who.uid && ids[2] == who.uid);
	cr_assert(getresgid(&ids[0], &ids[1], &ids[2]) == 0);
	cr_expect(ids[0] == who.gid && ids[1] == who.gid && ids[2] == who.gid);
	snprintf(want, sizeof want, "%u ", (unsigned)who.gid);
	cr_expect(eq(str, (char *)status_line("Groups", text), want), "root's groups are gone");
	cr_expect(eq(u64, mask("CapEff"), had));
	cr_expect(eq(u64, mask("CapPrm"), had));
	cr_expect(eq(u64, mask("CapInh"), 0));
	cr_expect(eq(u64, mask("CapBnd"), 0));
	cr_expect(eq(u64, mask("CapAmb"), 0));
	cr_expect(eq(u64, mask("NoNewPrivs"), 1));
	cr_expect(ne(int, setuid(0), 0));
	cr_expect(ne(int, setgid(0), 0));
}

/* Whose groups root's process had are no business of who takes its place; and the named group is the first of his. */
Test(privileges, takes_the_group_that_is_named)
{
	char why[PRIVILEGES_WHY_MAX] = "", text[512];
	const gid_t roots[] = { 0, 4, 6 };
	privileges_t who;

	if (!is_root())
		return;
	snprintf(text, sizeof text, "%s:daemon", user);
	cr_assert(eq(int, privileges_find(text, &who, why), ST_OK));
	cr_assert(eq(int, setgroups(ARRAY_LEN(roots), roots), 0));
	cr_assert(eq(int, privileges_take(&who, CAP_NET_BIND_SERVICE, why), ST_OK), "%s", why);
	cr_expect(getgid() == who.gid && getegid() == who.gid);
	snprintf(text, sizeof text, "%u ", (unsigned)who.gid);
	cr_expect(eq(str, (char *)status_line("Groups", (char[512]){ 0 }), text));
}

Test(privileges, is_for_root_alone)
{
	char why[PRIVILEGES_WHY_MAX] = "";
	privileges_t root, who;

	cr_assert(eq(int, privileges_find("root", &root, why), ST_OK));
	cr_assert(eq(int, privileges_find(user, &who, why), ST_OK));
	if (geteuid() == 0)
		cr_assert(eq(int, privileges_take(&who, CAP_NET_BIND_SERVICE, why), ST_OK));
	cr_expect(eq(int, privileges_take(&root, CAP_NET_BIND_SERVICE, why), ST_SYSTEM));
	cr_expect(strstr(why, "can't be had") != NULL, "%s", why);
}

/* What CAP_NET_BIND_SERVICE is kept for. A port that is taken is a port that may be bound. */
Test(privileges, may_bind_what_others_may_not)
{
	char why[PRIVILEGES_WHY_MAX];
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(53) };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	privileges_t who;

	if (!is_root())
		return;
	at.sin_addr.s_addr = htonl(0x7f4d0101);
	cr_assert(eq(int, privileges_find(user, &who, why), ST_OK));
	cr_assert(eq(int, privileges_take(&who, CAP_NET_BIND_SERVICE, why), ST_OK));
	cr_expect(bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 || errno == EADDRINUSE);
	close(fd);
	const int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	cr_expect(raw < 0 && errno == EPERM);
}
