/* tests/unit/ctl/test_report.c - one report, two forms; whatever the strings are. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/report.h"

TestSuite(report, .timeout = 10);

static const mono_t now = { 1000 * NS_PER_S };

static void expect(report_t *r, report_form_t form, const char *want)
{
	char *got;
	size_t len;

	cr_assert(eq(int, report_render(r, form, &got, &len), ST_OK));
	cr_expect(strcmp(got, want) == 0, "got:\n%s\nnot:\n%s", got, want);
	cr_expect(eq(sz, len, strlen(got)));
	free(got);
}

static report_t *some(void)
{
	report_t *r = report_new(now, 1763800000123);

	report_word(r, "zone", "example.");
	report_toned(r, "state", "behind", REPORT_WARN);
	report_number(r, "serial", UINT64_MAX);
	report_signed(r, "clock", -412);
	report_size(r, "memory", 1536);
	report_seconds(r, "refresh", 7200);
	report_ms(r, "took", 1204);
	report_time(r, "last_check", mono_add_s(now, -185));
	report_time(r, "expires", mono_add_ms(now, 172800500));
	report_flag(r, "refused", true);
	report_none(r, "source");
	report_open(r, "queries");
	report_number(r, "udp", 5);
	report_close(r);
	report_list(r, "primaries");
	for (unsigned i = 0; i < 2; i++) {
		report_item(r);
		report_word(r, "name", i == 0 ? "hidden" : "b");
		report_number(r, "last_serial", 10 * i);
		report_toned(r, "why", i == 0 ? "no answer" : NULL, REPORT_BAD);
		report_close(r);
	}
	report_close(r);
	report_list(r, "events");
	report_close(r);
	return r;
}

Test(report, is_aligned_for_people)
{
	report_t *r = some();

	expect(r, REPORT_TEXT,
	       "zone        example.\n"
	       "state       behind\n"
	       "serial      18446744073709551615\n"
	       "clock       -412\n"
	       "memory      1.5 KiB\n"
	       "refresh     2 h\n"
	       "took        1.204 s\n"
	       "last check  3 min ago\n"
	       "expires     in 2 d\n"
	       "refused     yes\n"
	       "source      -\n"
	       "queries\n"
	       "  udp  5\n"
	       "primaries\n"
	       "  name    last serial  why\n"
	       "  hidden  0            no answer\n"
	       "  b       10           -\n"
	       "events: none\n");
	report_free(r);
}

Test(report, has_colours_that_change_no_column)
{
	report_t *r = some();
	char *plain, *coloured, *p, *q;
	size_t len;

	cr_assert(eq(int, report_render(r, REPORT_TEXT, &plain, &len), ST_OK));
	cr_assert(eq(int, report_render(r, REPORT_COLOUR, &coloured, &len), ST_OK));
	cr_expect(strstr(coloured, "\033[33mbehind\033[0m") != NULL);
	for (p = q = coloured; *p; p++) { /* the same but for the sequences */
		if (*p == '\033')
			p = strchr(p, 'm');
		else
			*q++ = *p;
	}
	*q = '\0';
	cr_expect(eq(str, coloured, plain));
	free(plain);
	free(coloured);
	report_free(r);
}

Test(report, is_one_line_of_exact_numbers_for_scripts)
{
	report_t *r = some();

	expect(r, REPORT_JSON,
	       "{\"now\":1763800000.123,\"zone\":\"example.\",\"state\":\"behind\",\"serial\":"
	       "18446744073709551615,"
	       "\"clock\":-412,\"memory\":1536,\"refresh\":7200.000,\"took\":1.204,"
	       "\"last_check\":1763799815.123,\"expires\":1763972800.623,\"refused\":true,"
	       "\"source\":null,\"queries\":{\"udp\":5},\"primaries\":["
	       "{\"name\":\"hidden\",\"last_serial\":0,\"why\":\"no answer\"},"
	       "{\"name\":\"b\",\"last_serial\":10,\"why\":null}],\"events\":[]}\n");
	report_free(r);
}

Test(report, may_be_empty)
{
	report_t *r = report_new(now, 0);

	expect(r, REPORT_TEXT, "");
	expect(r, REPORT_JSON, "{\"now\":0.000}\n");
	report_free(r);
	report_free(NULL);
}

static const struct {
	const char *text, *json, *shown;
} strings[] = {
	{ "plain", "\"plain\"", "plain" },
	{ "", "\"\"", "-" },
	{ "a\"b\\c", "\"a\\\"b\\\\c\"", "a\"b\\c" },
	{ "\\000\\\".example.", "\"\\\\000\\\\\\\".example.\"", "\\000\\\".example." },
	{ "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"", "????????" },
	{ "\033[31mred", "\"\\u001b[31mred\"", "?[31mred" },
	{ "z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80",
	  "\"z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80\"",
	  "z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xff", "\"\xef\xbf\xbd\"", "\xff" },
	{ "\xc3", "\"\xef\xbf\xbd\"", "\xc3" },
	{ "\xc3(", "\"\xef\xbf\xbd(\"", "\xc3(" },
	{ "\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\xc0\x80" },
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", "\xed\xa0\x80" },
	{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
	  "\xf4\x90\x80\x80" },
};

Test(report, escapes_whatever_a_string_holds)
{
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		report_t *r = report_new(now, 0);
		char want[200], bare[200];

		report_word(r, "s", strings[i].text);
		snprintf(want, sizeof want, "{\"now\":0.000,\"s\":%s}\n", strings[i].json);
		expect(r, REPORT_JSON, want);
		snprintf(want, sizeof want, "s  %s\n", strings[i].shown);
		expect(r, REPORT_TEXT, want);
		cr_expect(eq(sz, report_json_string(strings[i].text, bare), strlen(bare)));
		cr_expect(eq(str, bare, (char *)(uintptr_t)strings[i].json));
		report_free(r);
	}
}

/* Long strings are written in pieces: each way that one may fall. */
Test(report, splits_no_character_of_a_long_string)
{
	for (size_t shift = 0; shift < 70; shift++) {
		char text[400] = "", want[500];
		report_t *r = report_new(now, 0);

		memset(text, 'x', shift);
		for (unsigned n = 0; n < 40; n++)
			strcat(text, n % 2 ? "\xe2\x82\xac" : "\xf0\x9f\x98\x80");
		report_word(r, "s", text);
		snprintf(want, sizeof want, "{\"now\":0.000,\"s\":\"%s\"}\n", text);
		expect(r, REPORT_JSON, want);
		report_free(r);
	}
}

Test(report, has_room_for_many)
{
	report_t *r = report_new(now, 0);
	char *got;
	size_t len;

	report_list(r, "l");
	for (unsigned i = 0; i < 10000; i++) {
		report_item(r);
		report_word(r, "w", "some words that take room");
		report_close(r);
	}
	report_close(r);
	cr_assert(eq(int, report_render(r, REPORT_JSON, &got, &len), ST_OK));
	cr_expect(eq(sz, len,
	             10000 * strlen(",{\"w\":\"some words that take room\"}") - 1 +
	                     strlen("{\"now\":0.000,\"l\":[]}\n")));
	free(got);
	report_free(r);
}

/* Or the length of a table were that of its longest word, times its rows. */
Test(report, lets_a_long_word_stand_over)
{
	char word[1000] = "", want[2000];
	report_t *r = report_new(now, 0);

	memset(word, 'x', sizeof word - 1);
	report_list(r, "l");
	for (unsigned i = 0; i < 2; i++) {
		report_item(r);
		report_word(r, "w", i == 0 ? word : "a");
		report_flag(r, "done", i == 0);
		report_close(r);
	}
	report_close(r);
	snprintf(want, sizeof want, "l\n  %-64s  done\n  %s  yes\n  %-64s  no\n", "w", word, "a");
	expect(r, REPORT_TEXT, want);
	report_free(r);
}

static const struct {
	int64_t in_ms;
	const char *text;
} ages[] = {
	{ 0, "now" },
	{ 999, "now" },
	{ -999, "now" },
	{ 1000, "in 1 s" },
	{ -119999, "119 s ago" },
	{ -120000, "2 min ago" },
	{ 7199999, "in 119 min" },
	{ 7200000, "in 2 h" },
	{ -172800000, "2 d ago" },
	{ -172799999, "47 h ago" },
	{ INT64_C(31536000000), "in 365 d" },
};

Test(report, tells_times_in_words)
{
	char out[REPORT_SHORT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(ages); i++)
		cr_expect(eq(str,
		             (char *)(uintptr_t)report_age_text(
				     now, mono_add_ms(now, ages[i].in_ms), out),
		             (char *)(uintptr_t)ages[i].text));
	cr_expect(eq(str, (char *)(uintptr_t)report_duration_text(0, out), (char *)"0 s"));
	cr_expect(eq(str, (char *)(uintptr_t)report_duration_text(7, out), (char *)"0.007 s"));
	cr_expect(eq(str, (char *)(uintptr_t)report_duration_text(86400000, out), (char *)"24 h"));
	cr_expect(eq(str, (char *)(uintptr_t)report_size_text(1023, out), (char *)"1023"));
	cr_expect(eq(str, (char *)(uintptr_t)report_size_text(UINT64_C(5) << 40, out),
	             (char *)"5.0 TiB"));
}

static report_t *rates(void)
{
	static const double values[] = { 0, 0.004, 1.234, 12.34, 123.4, 123456.7 };
	static const char *const keys[] = { "none", "rare", "NOERROR", "d", "e", "f" };
	report_t *r = report_new(now, 1763800000123);

	report_row(r, "per_second");
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		report_rate(r, keys[i], values[i]);
	report_close(r);
	report_number(r, "behind", 1);
	return r;
}

Test(report, has_rows_of_numbers_below_their_names)
{
	report_t *r = rates();

	expect(r, REPORT_TEXT,
	       "per second\n"
	       "  none  rare  NOERROR  d     e    f\n"
	       "  0     0.00  1.23     12.3  123  123457\n"
	       "behind  1\n");
	expect(r, REPORT_JSON,
	       "{\"now\":1763800000.123,\"per_second\":{\"none\":0.000,\"rare\":0.004,"
	       "\"NOERROR\":1.234,\"d\":12.340,\"e\":123.400,\"f\":123456.700},\"behind\":1}\n");
	report_free(r);
}
