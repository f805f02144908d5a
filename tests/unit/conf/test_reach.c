/* tests/unit/conf/test_reach.c - what the settings name, tried by a user who may, and by one who may not. Only root can be
 * somebody else: who is not skips that. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

TestSuite(conf_reach, .timeout = 10);

enum { SOMEBODY = 65534 };

static const char ini[] = "[server]\nstate-dir = state\ncontrol = run/sock\n"
			  "[key k]\nalgorithm = hmac-sha256\nsecret-file = keys/k\n" P
			  "[include]\npath = more.d/*.ini\nzone-list = list\n";

static conf_t *read_all(void)
{
	conf_t *conf = NULL;
	char *faults;

	files_write("secd.ini", ini, 0);
	files_write("keys/k", "c2VjcmV0\n", 0);
	files_write("more.d/a.ini", "[zones]\na.example = p\n", 0);
	files_write("list", "b.example p\n", 0);
	files_write("state/log-1", "x", 0);
	files_write("run/nothing", "x", 0);
	files_write("run/sock", "x", 0);
	faults = files_faults("secd.ini", &conf);
	cr_assert(eq(str, faults, (char *)""));
	free(faults);
	return conf;
}

/* Faults as secd -t prints them, for free(). */
static char *reach(const conf_t *conf)
{
	conf_faults_t faults = { 0 };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	cr_expect(eq(int, conf_reach(conf, "u", "g", &faults), ST_OK));
	conf_faults_print(&faults, f);
	cr_assert(eq(int, fclose(f), 0));
	conf_faults_free(&faults);
	return text;
}

static void set_mode(const char *path, mode_t mode)
{
	cr_assert(eq(int, chmod(path, mode), 0), "%s", path);
}

Test(conf_reach, finds_nothing_where_all_is_open)
{
	conf_t *conf;

	files_enter();
	conf = read_all();
	char *text = reach(conf);

	cr_expect(eq(str, text, (char *)""));
	free(text);
	conf_free(conf);
	files_leave();
}

/* What is not there is made by who starts, or told by who needs it; but a file that was read must be there. */
Test(conf_reach, tells_of_what_is_gone_what_a_reload_would)
{
	conf_t *conf;

	files_enter();
	conf = read_all();
	cr_assert(unlink("state/log-1") == 0 && rmdir("state") == 0);
	cr_assert(unlink("run/nothing") == 0 && unlink("run/sock") == 0 && rmdir("run") == 0);
	cr_assert(eq(int, unlink("keys/k"), 0));
	char *text = reach(conf);

	cr_expect(
		eq(str, text,
	           (char *)"secd.ini:6: keys/k can't be read by user u: No such file or directory; "
	                   "let it, as a reload has to: chgrp g keys/k, and chmod g+r\n"));
	free(text);
	conf_free(conf);
	files_leave();
}

static const struct {
	const char *path;
	mode_t mode;
	const char *want;
} closed[] = {
	{ "secd.ini", 0600,
	  "secd.ini: secd.ini can't be read by user u: Permission denied; let it, as a reload has "
	  "to: "
	  "chgrp g secd.ini, and chmod g+r\n" },
	{ "list", 0600,
	  "secd.ini:11: list can't be read by user u: Permission denied; let it, as a reload has "
	  "to: "
	  "chgrp g list, and chmod g+r\n" },
	{ "more.d/a.ini", 0600,
	  "secd.ini:10: more.d/a.ini can't be read by user u: Permission denied; let it, as a "
	  "reload "
	  "has to: chgrp g more.d/a.ini, and chmod g+r\n" },
	{ "more.d", 0711,
	  "secd.ini:10: a directory of more.d/*.ini can't be read by user u: Permission denied; "
	  "let it, "
	  "as a reload has to: give it the group g by chgrp, and chmod g+rx\n" },
	{ "keys/k", 0600,
	  "secd.ini:6: keys/k can't be read by user u: Permission denied; let it, as a reload has "
	  "to: "
	  "chgrp g keys/k, and chmod g+r\n" },
	{ "keys", 0700,
	  "secd.ini:6: user u can't reach keys/k, as keys is closed to it; open that to it: chgrp "
	  "g "
	  "keys, and chmod g+rx\n" },
	{ "state", 0755,
	  "secd.ini:2: state-dir state is not for user u; give it to that user with all that is in "
	  "it: "
	  "chown -R u:g state\n" },
	{ "state/log-1", 0644,
	  "secd.ini:2: state-dir state is not for user u, by its file log-1; give it to that user "
	  "with "
	  "all that is in it: chown -R u:g state\n" },
	{ "run", 0755,
	  "secd.ini:3: user u can't make the control socket in run; give it that directory (chown "
	  "u:g "
	  "run), or name one of its own in control\n" },
	{ "run/sock", 0644,
	  "secd.ini:3: user u can't tell who listens on run/sock, which somebody else has left "
	  "there: remove it, unless a "
	  "daemon runs on it\n" },
};

Test(conf_reach, tells_what_is_closed_and_how_to_open_it)
{
	static const char *const dirs[] = { ".", "keys", "more.d", "state", "run" };
	static const char *const files[] = { "secd.ini", "keys/k",      "more.d/a.ini",
		                             "list",     "state/log-1", "run/sock" };
	conf_t *conf;

	if (geteuid() != 0) {
		cr_skip_test("only root can be somebody else");
		return;
	}
	files_enter();
	conf = read_all();
	for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
		for (size_t j = 0; j < ARRAY_LEN(dirs); j++)
			set_mode(dirs[j], 0777);
		for (size_t j = 0; j < ARRAY_LEN(files); j++)
			set_mode(files[j], 0666);
		set_mode(closed[i].path, closed[i].mode);
		cr_assert(eq(int, setresuid(SOMEBODY, SOMEBODY, 0), 0));
		char *text = reach(conf);

		cr_expect(eq(str, text, (char *)closed[i].want), "%s", closed[i].path);
		free(text);
		cr_assert(eq(int, setresuid(0, 0, 0), 0));
	}
	conf_free(conf);
	files_leave();
}

Test(conf_reach, tries_nothing_that_is_left_empty)
{
	static const char text[] = "[server]\nstate-dir =\ncontrol =\nuser = somebody:else\n";
	conf_faults_t faults = { 0 };
	conf_t *conf = NULL;

	cr_assert(eq(int, conf_read_memory("text", text, strlen(text), &conf, &faults), ST_OK));
	cr_expect(eq(str, (char *)conf->user, (char *)"somebody:else"));
	char *told = reach(conf);

	cr_expect(eq(str, told, (char *)""));
	free(told);
	conf_faults_free(&faults);
	conf_free(conf);
}
