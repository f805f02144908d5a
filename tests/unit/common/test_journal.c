/* tests/unit/common/test_journal.c - which fields a line has, octet by octet. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/journal.h"
#include "common/status.h"

TestSuite(journal, .timeout = 10);

#define HEAD "PRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=secd\nSYSLOG_PID=7\n"

static const struct {
	const char *line, *fields; /* behind MESSAGE */
} rows[] = {
	{ "secd stopped", "SECD_EVENT=secd stopped\n" },
	{ "xfr installed zone=example.com. serial=7 primary=hidden addr=192.0.2.10@53",
	  "SECD_EVENT=xfr installed\nSECD_ZONE=example.com.\nSECD_SERIAL=7\nSECD_PRIMARY=hidden\n"
	  "SECD_ADDR=192.0.2.10@53\n" },
	{ "zone expired why=\"no primary has = confirmed it\" expire=9",
	  "SECD_EVENT=zone expired\nSECD_WHY=no primary has = confirmed it\nSECD_EXPIRE=9\n" },
	{ "a why=\"say \\\"no\\\" \\\\\" b=1",
	  "SECD_EVENT=a\nSECD_WHY=say \\\"no\\\" \\\\\nSECD_B=1\n" },
	{ "a why=\"cut of", "SECD_EVENT=a\nSECD_WHY=cut of\n" },
	{ "a why=\"cut of\\", "SECD_EVENT=a\nSECD_WHY=cut of\\\n" },
	{ "a why=\"\" b= c=\"x\"d=y e=z",
	  "SECD_EVENT=a\nSECD_WHY=\nSECD_B=\nSECD_C=x\nSECD_E=z\n" },
	{ "a zone=x\\\"y\\032z.test. odd-key=1 Under_score=2",
	  "SECD_EVENT=a\nSECD_ZONE=x\\\"y\\032z.test.\nSECD_ODD_KEY=1\nSECD_UNDER_SCORE=2\n" },
	{ "word a=1 stray =2 9x=3 -y=4 b=5", "SECD_EVENT=word\nSECD_A=1\nSECD_B=5\n" },
	{ "=x", "SECD_EVENT==x\n" },
	{ "  a   b=1  ", "SECD_EVENT=  a\nSECD_B=1\n" },
	{ "b=1", "SECD_EVENT=\nSECD_B=1\n" },
	{ "", "SECD_EVENT=\n" },
};

Test(journal, has_a_field_for_each_pair)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char got[JOURNAL_MAX + 1], want[JOURNAL_MAX];

		snprintf(want, sizeof want, HEAD "MESSAGE=%s\n%s", rows[i].line, rows[i].fields);
		got[journal_entry(rows[i].line, LOG_INFO, LOG_DAEMON, 7, got, JOURNAL_MAX)] = '\0';
		cr_expect(strcmp(got, want) == 0, "%s:\n%s", rows[i].line, got);
	}
}

Test(journal, has_the_numbers_of_syslog)
{
	char got[JOURNAL_MAX + 1];

	got[journal_entry("a", LOG_ERR, LOG_LOCAL7, 4711, got, JOURNAL_MAX)] = '\0';
	cr_expect(strcmp(got, "PRIORITY=3\nSYSLOG_FACILITY=23\nSYSLOG_IDENTIFIER=secd\n"
	                      "SYSLOG_PID=4711\nMESSAGE=a\nSECD_EVENT=a\n") == 0,
	          "%s", got);
}

/* Line breaks would end a field: such a value comes with its length before it. */
Test(journal, has_values_with_line_breaks_in_the_safe_form)
{
	static const char line[] = "a b=\"x\ny\"";
	static const char want[] = HEAD "MESSAGE\n\x09\0\0\0\0\0\0\0a b=\"x\ny\"\n"
					"SECD_EVENT=a\nSECD_B\n\x03\0\0\0\0\0\0\0x\ny\n";
	char got[JOURNAL_MAX];
	const size_t len = journal_entry(line, LOG_INFO, LOG_DAEMON, 7, got, sizeof got);

	cr_assert(eq(sz, len, sizeof want - 1));
	cr_expect(memcmp(got, want, len) == 0);
}

Test(journal, leaves_out_a_name_that_the_journal_would_refuse)
{
	char line[200] = "a ", got[JOURNAL_MAX + 1], *key = line + 2;

	memset(key, 'k', 59); /* with SECD_ 64 */
	strcpy(key + 59, "=fits b=1");
	got[journal_entry(line, LOG_INFO, LOG_DAEMON, 7, got, JOURNAL_MAX)] = '\0';
	cr_expect(strstr(got, "KKK=fits\nSECD_B=1\n") != NULL);
	memset(key, 'k', 60);
	strcpy(key + 60, "=does not b=1");
	got[journal_entry(line, LOG_INFO, LOG_DAEMON, 7, got, JOURNAL_MAX)] = '\0';
	cr_expect(strstr(got, "=does\n") == NULL && strstr(got, "SECD_B=1\n"));
}

/* However small it is, it holds whole fields, and nothing is written outside. */
Test(journal, takes_no_more_than_its_room)
{
	static const char line[] = "xfr installed zone=example.com. why=\"it is\nnew\" serial=7";
	char whole[JOURNAL_MAX];
	const size_t len = journal_entry(line, LOG_INFO, LOG_DAEMON, 7, whole, sizeof whole);

	for (size_t room = 0; room <= len; room++) {
		char *some = malloc(room + 1);
		const size_t got = journal_entry(line, LOG_INFO, LOG_DAEMON, 7, some, room);

		cr_assert(le(sz, got, room));
		cr_expect(got == 0 || some[got - 1] == '\n');
		cr_expect(room < len || memcmp(some, whole, len) == 0);
		free(some);
	}
}

Test(journal, has_room_for_the_worst_of_lines)
{
	char line[1280], got[JOURNAL_MAX];

	for (size_t i = 0; i < sizeof line - 1; i++)
		line[i] = "a= "[i % 3];
	line[sizeof line - 1] = '\0';
	const size_t len = journal_entry(line, LOG_INFO, LOG_DAEMON, 7, got, sizeof got);
	cr_expect(len < sizeof got - 64);
	cr_expect(memcmp(got + len - 8, "SECD_A=\n", 8) == 0);
}
