/* tests/unit/ctl/test_metrics.c - whatever was found reads back as Prometheus text. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/metrics.h"

TestSuite(ctl_metrics, .timeout = 10);

/* All pages, one behind the other; *pages: how many. */
static char *all_of(const ctl_gathered_t *g, unsigned *pages)
{
	ctl_metrics_page_t page = { .found = g };
	char *text = calloc(1, 1), *piece;
	size_t len, had = 0;
	status_t st;

	for (*pages = 0; (st = ctl_metrics_next(&page, &piece, &len)) == ST_OK; ++*pages) {
		cr_assert(len > 0 && piece[len - 1] == '\n', "whole lines");
		cr_expect(lt(sz, len, 80 * 1024));
		text = realloc(text, had + len + 1);
		memcpy(text + had, piece, len + 1);
		had += len;
		free(piece);
	}
	cr_expect(eq(int, st, ST_NOENT));
	cr_expect(eq(int, ctl_metrics_next(&page, &piece, &len), ST_NOENT));
	return text;
}

static void has(const char *text, const char *line)
{
	char want[512];

	snprintf(want, sizeof want, "\n%s\n", line);
	cr_expect(strstr(text, want) != NULL, "no line %s", line);
}

static void has_not(const char *text, const char *start)
{
	char want[512];

	snprintf(want, sizeof want, "\n%s", start);
	cr_expect(strstr(text, want) == NULL, "a line %s", start);
}

static const uint8_t root[] = "", plain[] = "\7example\3com", odd[] = "\4a\"\\\n\2\x80.";

Test(ctl_metrics, writes_what_was_found)
{
	refresh_row_t rows[] = {
		{ .apex = root, .state = REFRESH_STATE_EMPTY, .lag = 12.5 },
		{ .apex = plain,
		  .state = REFRESH_STATE_FRESH,
		  .serial = UINT32_MAX,
		  .expire = 1000,
		  .records = 7,
		  .memory = 4096,
		  .checked = 1.25,
		  .expires = 998.75,
		  .has_signatures = true,
		  .signatures = -60 },
		{ .apex = odd,
		  .state = REFRESH_STATE_BEHIND,
		  .pinned = true,
		  .serial = 5,
		  .has_newest = true,
		  .newest = 6,
		  .has_refused = true,
		  .refused = 4 },
	};
	char name[] = "hid\"den\\";
	refresh_place_t places[] = { { .primary = name, .down = true, .since = 3 } };
	refresh_findings_t zones = { .rows = rows,
		                     .row_count = 3,
		                     .places = places,
		                     .place_count = 1,
		                     .expires = (double)INFINITY,
		                     .signatures = -60 };
	ctl_gathered_t g = { .zones = &zones, .cpu = 1.5 };
	unsigned pages;

	cr_assert(eq(int, addr_parse("2001:db8::1@53", 53, &places[0].addr), ST_OK));
	zones.totals.behind = 1;
	zones.counts.transfers[REFRESH_KIND_IXFR][REFRESH_END_FALLBACK] = 2;
	refresh_delays_note(&zones.counts.served, 3);
	refresh_delays_note(&zones.counts.served, 100000);
	g.net.received[NET_TCP][NET_IPV6] = UINT64_C(1) << 52;
	g.net.type[ANSWER_TYPE_CAA] = 9;
	g.net.rcode[DNS_RCODE_BADCOOKIE] = 1;
	g.net.rcode[13] = 4;
	char *text = all_of(&g, &pages);

	cr_expect(eq(uint, pages, 1));
	cr_expect(strncmp(text, "# HELP secd_build_info ", 23) == 0);
	has(text, "# TYPE secd_queries_total counter");
	has(text, "secd_queries_total{transport=\"tcp\",family=\"ipv6\"} 4503599627370496");
	has(text, "secd_questions_total{type=\"CAA\"} 9");
	has(text, "secd_responses_total{rcode=\"BADCOOKIE\"} 1");
	has(text, "secd_responses_total{rcode=\"NXDOMAIN\"} 0");
	has(text, "secd_responses_total{rcode=\"RCODE13\"} 4");
	has_not(text, "secd_responses_total{rcode=\"RCODE12\"}");
	has(text, "secd_zones{state=\"behind\"} 1");
	has(text, "secd_zones_min_expiry_seconds +Inf");
	has(text, "secd_zones_min_signature_expiry_seconds -60");
	has(text, "secd_transfers_total{kind=\"ixfr\",result=\"fallback\"} 2");
	has_not(text, "secd_transfers_total{kind=\"axfr\",result=\"fallback\"}");
	has(text, "secd_notify_to_served_seconds_bucket{le=\"0.002\"} 0");
	has(text, "secd_notify_to_served_seconds_bucket{le=\"0.005\"} 1");
	has(text, "secd_notify_to_served_seconds_bucket{le=\"60\"} 1");
	has(text, "secd_notify_to_served_seconds_bucket{le=\"+Inf\"} 2");
	has(text, "secd_notify_to_served_seconds_sum 100.003");
	has(text, "process_cpu_seconds_total 1.500");
	has_not(text, "secd_state_up ");
	has(text, "secd_primary_up{primary=\"hid\\\"den\\\\\",address=\"2001:db8::1@53\"} 0");
	/* Zones: no dot at the end, but for the root. */
	has(text, "secd_zone_state{zone=\".\",state=\"empty\"} 1");
	has(text, "secd_zone_lag_seconds{zone=\".\"} 12.500");
	has_not(text, "secd_zone_serial{zone=\".\"}");
	has(text, "secd_zone_serial{zone=\"example.com\"} 4294967295");
	has(text, "secd_zone_newest_serial{zone=\"example.com\"} 4294967295");
	has(text, "secd_zone_expiry_ratio{zone=\"example.com\"} 0.999");
	has(text, "secd_zone_signature_expiry_seconds{zone=\"example.com\"} -60");
	has_not(text, "secd_zone_refused_serial{zone=\"example.com\"}");
	has(text, "secd_zone_newest_serial{zone=\"a\\\\\\\"\\\\\\\\\\\\010.\\\\128\\\\.\"} 6");
	has(text, "secd_zone_refused_serial{zone=\"a\\\\\\\"\\\\\\\\\\\\010.\\\\128\\\\.\"} 4");
	has(text, "secd_zone_pinned{zone=\"a\\\\\\\"\\\\\\\\\\\\010.\\\\128\\\\.\"} 1");
	free(text);
}

/* Each family once, and all of its series right behind its type, however many pages that takes. */
Test(ctl_metrics, keeps_families_together_over_pages)
{
	enum { ROWS = 3000 };
	refresh_row_t *rows = calloc(ROWS, sizeof *rows);
	refresh_findings_t zones = { .rows = rows, .row_count = ROWS };
	const ctl_gathered_t g = { .zones = &zones };
	char family[100] = "";
	unsigned pages, series = 0, families = 0;

	for (unsigned i = 0; i < ROWS; i++) {
		rows[i] = (refresh_row_t){ .apex = plain, .state = REFRESH_STATE_FRESH };
	}
	char *text = all_of(&g, &pages);

	cr_expect(gt(uint, pages, 10));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "# TYPE %99s", family) == 1)
			families++;
		else if (line[0] != '#')
			cr_assert(strncmp(line, family, strlen(family)) == 0, "%s in %s", line,
			          family);
		series += strncmp(line, "secd_zone_", 10) == 0;
	}
	cr_expect(eq(sz, families, ctl_metrics_families()));
	cr_expect(eq(uint, series, 8 * ROWS));
	free(text);
	free(rows);
}

/* Run from the root of the source. */
Test(ctl_metrics, stand_in_the_manual)
{
	const char *source = getenv("SECD_SOURCE");
	char path[512], want[200], *text = NULL;
	size_t room = 0;

	snprintf(path, sizeof path, "%s/secd/ctl/secdctl.8", source ? source : ".");
	FILE *f = fopen(path, "r");
	cr_assert(f != NULL, "%s", path);
	cr_assert(gt(long, (long)getdelim(&text, &room, '\0', f), 0));
	fclose(f);
	for (size_t i = 0; i < ctl_metrics_families(); i++) {
		snprintf(want, sizeof want, "\n.It Li %s", ctl_metrics_name(i));
		const char *at = strstr(text, want);
		cr_expect(at && strchr(" \n", at[strlen(want)]), "no '%s'", want);
	}
	free(text);
}
