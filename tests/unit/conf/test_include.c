/* tests/unit/conf/test_include.c - files that include files. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"

TestSuite(conf_include, .timeout = 30);

static const row_t includes[] = {
	{ "relative to the file that names them",
	  { { "secd.ini", "[include]\npath = d/a.ini\n[zones]\nx.example = p\n", 0 },
	    { "d/a.ini", "[include]\npath = b.ini\nzone-list = list\n", 0 },
	    { "d/b.ini", P, 0 },
	    { "d/list", "y.example p\nz.example q\n", 0 } },
	  "d/list:2: zone z.example. names 'q', which is no primary and no group; write a [primary "
	  "q] "
	  "section or correct the name\n" },
	{ "the section is still open behind one",
	  { { "secd.ini", "[include]\npath = a.ini\npath = b.ini\n", 0 },
	    { "a.ini", "[log]\nlevel = info\n", 0 },
	    { "b.ini", "target = syslog\n", 0 } },
	  "b.ini:1: the line stands before any section; write [section] above it\n" },
	{ "a pattern, in the order of names",
	  { { "secd.ini", "[include]\npath = d/*.ini\n", 0 },
	    { "d/b.ini", "[log]\nlevel = info\n", 0 },
	    { "d/a.ini", "[log]\nlevel = info\n", 0 },
	    { "d/c.txt", "x\n", 0 } },
	  "d/b.ini:2: level stands here and at d/a.ini:2; remove one\n" },
	{ "a pattern without a match, nor a directory",
	  INI("[include]\npath = *.none\npath = none/*.ini\n"),
	  "secd.ini:2: warning: no file matches *.none; correct the pattern, or remove it\n"
	  "secd.ini:3: warning: no file matches none/*.ini; correct the pattern, or remove it\n" },
	{ "a file that is not there", INI("[include]\npath = a.ini\nzone-list = none/list\n"),
	  "secd.ini:2: a.ini can't be read: No such file or directory; correct the path or the "
	  "file\n"
	  "secd.ini:3: none/list can't be read: No such file or directory; correct the path or the "
	  "file\n" },
	{ "a directory",
	  { { "secd.ini", "[include]\npath = d\n", 0 }, { "d/a.ini", "[log]\n", 0 } },
	  "secd.ini:2: d can't be read: Is a directory; correct the path or the file\n" },
	{ "itself", INI("[include]\npath = ./secd.ini\n"),
	  "secd.ini:2: secd.ini includes secd.ini again, which is still being read: a circle; "
	  "remove "
	  "this include\n" },
	{ "a circle of three",
	  { { "secd.ini", "[include]\npath = d/a.ini\n", 0 },
	    { "d/a.ini", "[include]\npath = b.ini\n", 0 },
	    { "d/b.ini", "[log]\nlevel = info\n[include]\npath = ../secd.ini\n", 0 } },
	  "d/b.ini:4: d/b.ini includes secd.ini again, which is still being read: a circle; remove "
	  "this include\n" },
	{ "a file twice",
	  { { "secd.ini", "[include]\npath = a.ini\npath = b.ini\n", 0 },
	    { "a.ini", "[include]\nzone-list = list\n", 0 },
	    { "b.ini", "[include]\nzone-list = list\n", 0 },
	    { "list", "# none\n", 0 } },
	  "b.ini:2: list was read already, by way of a.ini:2; remove one of the two\n" },
	{ "faults in the order of files",
	  { { "secd.ini", "[include]\npath = a.ini\n[zones]\nx = q\n[log]\nlevel = x\n", 0 },
	    { "a.ini", "[zones]\ny = q\n[log]\ntarget = x\n", 0 } },
	  "secd.ini:4: zone x. names 'q', which is no primary and no group; write a [primary q] "
	  "section or correct the name\n"
	  "secd.ini:6: level is 'x'; write error, warn, notice, info or debug\n"
	  "a.ini:2: zone y. names 'q', which is no primary and no group; write a [primary q] "
	  "section "
	  "or correct the name\n"
	  "a.ini:4: target is 'x'; write syslog, journal or stderr\n" },
};

Test(conf_include, follows_includes_once_each)
{
	files_expect(includes, ARRAY_LEN(includes));
}

Test(conf_include, follows_includes_eight_files_deep)
{
	char *faults;

	files_enter();
	files_write("secd.ini", "[include]\npath = 2.ini\n", 0);
	for (int i = 2; i < 9; i++) {
		char name[16], text[64];

		snprintf(name, sizeof name, "%d.ini", i);
		snprintf(text, sizeof text, "[include]\npath = %d.ini\n", i + 1);
		files_write(name, text, 0);
	}
	files_write("9.ini", "[log]\nlevel = x\n", 0);
	faults = files_faults("secd.ini", NULL);
	cr_expect(eq(str, faults,
	             (char *)"8.ini:2: 8.ini includes 9.ini, which would be more than 8 files "
	                     "deep; include it "
	                     "further up\n"));
	free(faults);
	files_leave();
}

Test(conf_include, takes_a_directory_whose_name_looks_like_a_pattern)
{
	conf_t *conf;
	char *faults;

	files_enter();
	files_write("[a]*/secd.ini", "[include]\npath = z*.ini\n[server]\nstate-dir = state\n", 0);
	files_write("[a]*/z1.ini", P "[zones]\nx = p\n", 0);
	faults = files_faults("[a]*/secd.ini", &conf);
	cr_assert(eq(str, faults, (char *)""));
	cr_expect(eq(sz, conf->zone_count, 1));
	cr_expect(eq(str, (char *)conf->zones[0].file, (char *)"[a]*/z1.ini"));
	cr_expect(eq(str, (char *)conf->state_dir, (char *)"[a]*/state"));
	conf_free(conf);
	free(faults);
	files_leave();
}

Test(conf_include, has_the_control_socket_beside_the_file_or_nowhere)
{
	char text[300] = "[server]\ncontrol = ", *faults;
	conf_t *conf;

	files_enter();
	files_write("d/s.ini", "[server]\ncontrol = secd.sock\n", 0);
	free(files_faults("d/s.ini", &conf));
	cr_expect(eq(str, (char *)conf->control, (char *)"d/secd.sock"));
	conf_free(conf);
	files_write("d/s.ini", "[server]\ncontrol =\n", 0);
	faults = files_faults("d/s.ini", &conf);
	cr_expect(eq(str, faults, (char *)""));
	cr_expect(eq(str, (char *)conf->control, (char *)""));
	conf_free(conf);
	free(faults);
	memset(text + strlen(text), 'x', 106);
	files_write("d/s.ini", text, 0);
	faults = files_faults("d/s.ini", NULL);
	cr_expect(eq(str, faults,
	             (char *)"d/s.ini:2: control is a path of 108 octets; a socket's may have 107 "
	                     "at most\n"));
	free(faults);
	files_leave();
}

Test(conf_include, says_why_the_main_file_can_not_be_read)
{
	char *faults;

	files_enter();
	faults = files_faults("none.ini", NULL);
	cr_expect(eq(str, faults, (char *)"none.ini: can't be read: No such file or directory\n"));
	free(faults);
	faults = files_faults(".", NULL);
	cr_expect(eq(str, faults, (char *)".: can't be read: Is a directory\n"));
	free(faults);
	files_leave();
}
