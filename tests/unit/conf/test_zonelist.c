/* tests/unit/conf/test_zonelist.c - plain lists of zones, and very many zones. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "dns/name.h"
#include "files.h"

TestSuite(conf_zonelist, .timeout = 60);

#define MAIN                                                                                       \
	"[primary a]\naddress=192.0.2.1\n[primary b]\naddress=192.0.2.2\n[group g]\nprimaries=b\n" \
	"[include]\nzone-list=list\n"
/* 63 octets, then 62: four of these labels are the longest name there is. */
#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X61 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static bool is(const conf_zone_t *zone, const char *text)
{
	dns_name_t name;

	cr_assert(eq(int, dns_name_from_text(text, &name), ST_OK), "%s", text);
	dns_name_fold(&name);
	return dns_wire_len(zone->apex) == name.len && memcmp(zone->apex, name.wire, name.len) == 0;
}

static const conf_zone_t *find(const conf_t *conf, const char *text)
{
	for (size_t i = 0; i < conf->zone_count; i++) {
		if (is(&conf->zones[i], text))
			return &conf->zones[i];
	}
	return NULL;
}

Test(conf_zonelist, takes_names_that_no_ini_file_can_hold)
{
	static const char *const names[] = {
		"plain.example",     "a=b.example",
		"a:b.example",       "a\\;b.example",
		"\\035hash.example", "sp\\032ace.x",
		"sp\\032ace2.x",     "dot\\.dot.x",
		"\\000.x",           ".",
		"[x].example",       X63 "." X63 "." X63 "." X61,
		"tab.example",       "UPPER.example",
	};
	conf_t *conf;
	char *faults;

	files_enter();
	files_write("secd.ini", MAIN, 0);
	files_write("list",
	            "# a comment\n"
	            " ; another, and a line of nothing\n"
	            "   \t\n"
	            "plain.example a\n"
	            "a=b.example a,b\n"
	            "a:b.example a b\r\n"
	            "a\\;b.example a , b ; why not\n"
	            "\\035hash.example g # all of it\n"
	            "sp\\032ace.x a\n"
	            "sp\\ ace2.x a\n"
	            "dot\\.dot.x a\n"
	            "\\000.x a\n"
	            ". a\n"
	            "[x].example a\n" X63 "." X63 "." X63 "." X61 " a\n"
	            "\ttab.example\ta\n"
	            "upper.EXAMPLE a",
	            0);
	faults = files_faults("secd.ini", &conf);
	cr_assert(eq(str, faults, (char *)""));
	cr_expect(eq(sz, conf->zone_count, ARRAY_LEN(names)));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cr_expect(find(conf, names[i]) != NULL, "%s", names[i]);
	cr_expect(find(conf, "nosuch.example") == NULL);
	/* One wording, one group; a comma is as good as a blank. */
	cr_expect(find(conf, "a=b.example")->group == find(conf, "a:b.example")->group);
	cr_expect(find(conf, "a=b.example")->group == find(conf, "a\\;b.example")->group);
	cr_expect(find(conf, "a=b.example")->group != find(conf, "plain.example")->group);
	cr_expect(eq(sz, find(conf, "a=b.example")->group->primary_count, 2));
	cr_expect(eq(str, (char *)find(conf, "\\035hash.example")->group->name, (char *)"g"));
	cr_expect(eq(str, (char *)find(conf, "upper.example")->file, (char *)"list"));
	cr_expect(eq(uint, find(conf, "upper.example")->line, 17));
	conf_free(conf);
	free(faults);
	files_leave();
}

static const struct {
	const char *why, *list, *want;
} wrong[] = {
	{ "a name alone", "x.example\n",
	  "list:1: zone x.example names no primary; write primaries or a group behind it\n" },
	{ "only a comment behind it", "x.example ; a\n",
	  "list:1: zone x.example names no primary; write primaries or a group behind it\n" },
	{ "an ini line", "x.example = a\n",
	  "list:1: a zone list takes no '='; write the name, a blank, then primaries or a "
	  "group\n" },
	{ "an unknown primary", "\nx.example c\n",
	  "list:2: zone x.example. names 'c', which is no primary and no group; write a [primary "
	  "c] "
	  "section or correct the name\n" },
	{ "a group beside others", "x.example g, a\n",
	  "list:1: zone x.example. names the group g among primaries; write primaries alone, or "
	  "one "
	  "group alone\n" },
	{ "a primary twice", "x.example a,b a\n",
	  "list:1: zone x.example. names a twice; remove one\n" },
	{ "a name twice, in another case", "x.example a\nX.EXAMPLE. b\n",
	  "list:2: zone X.EXAMPLE. stands here and at list:1; remove one\n" },
	{ "256 octets", X63 "." X63 "." X63 "." X61 "x a\n",
	  "list:1: zone name '" X63 "." X63
	  "' is too long; write labels of at most 63 and a name of at most 255 octets\n" },
	{ "a label of 64", "x" X63 ".example a\n",
	  "list:1: zone name 'x" X63
	  ".example' is too long; write labels of at most 63 and a name of at most 255 octets\n" },
	{ "an empty label", "a..b a\n",
	  "list:1: zone name 'a..b' has an empty label or a bad escape; write labels divided by "
	  "single "
	  "dots, odd octets as \\DDD\n" },
	{ "a control character", "x\001y.example a\nok.example a\n",
	  "list:1: the line has a control character or a NUL; write plain text, octets of a name "
	  "as "
	  "\\DDD\n" },
};

Test(conf_zonelist, tells_each_fault_with_its_line)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char *faults, *cut, *end;

		files_enter();
		files_write("secd.ini", MAIN, 0);
		files_write("list", wrong[i].list, 0);
		faults = files_faults("secd.ini", NULL);
		if (i == 7) { /* names are shown cut to 80 characters: compare around them */
			cut = strchr(faults, '\'');
			end = strrchr(faults, '\'');
			cr_assert(cut != NULL && end - cut == 81, "%s", faults);
			cr_expect(strncmp(end, strrchr(wrong[i].want, '\''), 20) == 0);
		} else {
			cr_expect(eq(str, faults, (char *)wrong[i].want), "%s", wrong[i].why);
		}
		free(faults);
		files_leave();
	}
}

Test(conf_zonelist, takes_lines_of_2048_characters_and_not_one_more)
{
	char list[8192], *faults;

	snprintf(list, sizeof list, "%-2047sa\n%-2048sa\nz.example a\n", "x.example", "y.example");
	files_enter();
	files_write("secd.ini", MAIN, 0);
	files_write("list", list, 0);
	faults = files_faults("secd.ini", NULL);
	cr_expect(eq(str, faults,
	             (char *)"list:2: the line has 2049 characters; write at most 2048\n"));
	free(faults);
	files_leave();
}

Test(conf_zonelist, refuses_a_nul_inside_a_line)
{
	static const char list[] = "x.exa\0mple a\nb.example a\n";
	char *faults;

	files_enter();
	files_write("secd.ini", MAIN, 0);
	files_write("list", list, sizeof list - 1);
	faults = files_faults("secd.ini", NULL);
	cr_expect(eq(str, faults,
	             (char *)"list:1: the line has a control character or a NUL; write plain text, "
	                     "octets of "
	                     "a name as \\DDD\n"));
	free(faults);
	files_leave();
}

enum { MANY = 100000 };

/* Every zone of 0..MANY-1 is there, and says where it stands. */
static void expect_many(const char *main, const char *list, const char *file, unsigned first)
{
	struct mallinfo2 before;
	conf_t *conf;
	char *faults, name[64];
	mono_t start;
	double seconds;

	files_enter();
	files_write("secd.ini", main, 0);
	if (list)
		files_write("list", list, 0);
	before = mallinfo2();
	start = clock_mono();
	faults = files_faults("secd.ini", &conf);
	seconds = mono_diff(start, clock_mono());
	cr_assert(eq(str, faults, (char *)""));
	cr_log_info("%d zones from %s: %.3f s, %zu octets each", MANY, file, seconds,
	            (mallinfo2().uordblks + mallinfo2().hblkhd - before.uordblks - before.hblkhd) /
	                    MANY);
	cr_expect(eq(sz, conf->zone_count, MANY));
	for (unsigned i = 0; i < MANY; i++) {
		const conf_zone_t *zone = &conf->zones[i];

		snprintf(name, sizeof name, "Zone-%u.customers.example", i);
		cr_assert(is(zone, name), "%s", name);
		cr_assert(eq(uint, zone->line, first + i));
		cr_assert(zone->group == conf->zones[i % 2].group);
	}
	cr_expect(eq(str, (char *)conf->zones[MANY / 2].file, (char *)file));
	conf_free(conf);
	free(faults);
	files_leave();
}

Test(conf_zonelist, takes_a_hundred_thousand_zones)
{
	char *list = NULL;
	size_t len;
	FILE *f = open_memstream(&list, &len);

	for (unsigned i = 0; i < MANY; i++)
		fprintf(f, "zone-%u.customers.example %s\n", i, i % 2 ? "g" : "a, b");
	fclose(f);
	expect_many(MAIN, list, "list", 1);
	free(list);
}

Test(conf_zonelist, takes_as_many_from_the_zones_section)
{
	char *main = NULL;
	size_t len;
	FILE *f = open_memstream(&main, &len);

	fputs("[primary a]\naddress=192.0.2.1\n[primary b]\naddress=192.0.2.2\n[group g]\n"
	      "primaries=b\n[zones]\n",
	      f);
	for (unsigned i = 0; i < MANY; i++)
		fprintf(f, "zone-%u.customers.example = %s\n", i, i % 2 ? "g" : "a, b");
	fclose(f);
	expect_many(main, NULL, "secd.ini", 8);
	free(main);
}
