/* tests/unit/ctl/test_health.c - which servers should get queries, and what may be asked of them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"
#include "ctl/health.h"

TestSuite(ctl_health, .timeout = 10);

/* How many zones are in which state; x.example. is the one that is named. */
static const struct {
	const char *what;
	size_t fresh, behind, empty, expired;
	bool loading, stuck;
	uint64_t max_expired, max_empty;
	const char *why; /* NULL: nothing ails it */
} rows[] = {
	{ "all is well", 5, 0, 0, 0, false, false, 0, UINT64_MAX, NULL },
	{ "there is nothing to serve", 0, 0, 0, 0, false, false, 0, UINT64_MAX, NULL },
	{ "behind is served", 0, 5, 0, 0, false, false, 0, UINT64_MAX, NULL },
	{ "one is expired", 4, 0, 0, 1, false, false, 0, UINT64_MAX, "x.example. is expired" },
	{ "one is, and may be", 4, 0, 0, 1, false, false, 1, UINT64_MAX, NULL },
	{ "more are than may be", 4, 0, 0, 3, false, false, 2, UINT64_MAX,
	  "x.example. and 2 more are expired, 2 may be" },
	{ "a new one among others", 4, 0, 1, 0, false, false, 0, UINT64_MAX, NULL },
	{ "a new one where none may be", 4, 0, 1, 0, false, false, 0, 0, "x.example. is empty" },
	{ "new ones beside one that is expired", 4, 0, 2, 1, false, false, 1, 1,
	  "a zone and 1 more are empty, 1 may be" },
	{ "a new server", 0, 0, 5, 0, false, false, 0, UINT64_MAX,
	  "no zone is served: 5 are empty, 0 expired" },
	{ "nothing is left", 0, 0, 1, 2, false, false, 9, UINT64_MAX,
	  "no zone is served: 1 are empty, 2 expired" },
	{ "it loads", 4, 0, 1, 0, true, false, 0, UINT64_MAX,
	  "zones of the state are still to be loaded: 4 of 5 are" },
	{ "a worker hangs", 5, 0, 0, 0, false, true, 9, UINT64_MAX,
	  "a worker does not answer any more" },
	{ "the gravest goes first", 0, 0, 5, 5, true, true, 0, 0,
	  "a worker does not answer any more" },
};

Test(ctl_health, has_a_reason_for_each_ailment)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const ctl_health_order_t order = { rows[i].max_expired, rows[i].max_empty };
		ctl_health_facts_t facts = {
			.totals = { .fresh = rows[i].fresh,
			            .behind = rows[i].behind,
			            .empty = rows[i].empty,
			            .expired = rows[i].expired },
			.loading = rows[i].loading,
			.turning = !rows[i].stuck,
			.first = "x.example.",
		};
		char why[256] = "";

		facts.totals.loaded = rows[i].fresh + rows[i].behind + rows[i].expired;
		facts.totals.zones = facts.totals.loaded + rows[i].empty;
		const bool ails = ctl_health_ails(&facts, &order, why);
		cr_expect(eq(int, ails, rows[i].why != NULL), "%s", rows[i].what);
		cr_expect(strcmp(why, rows[i].why ? rows[i].why : "") == 0, "%s: %s", rows[i].what,
		          why);
	}
}

Test(ctl_health, tells_of_long_names_within_its_room)
{
	char name[DNS_NAME_TEXT_MAX], why[256];
	const ctl_health_order_t order = { 1, 0 };
	ctl_health_facts_t facts = { .turning = true, .first = name };

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	facts.totals.zones = facts.totals.expired = SIZE_MAX;
	cr_assert(ctl_health_ails(&facts, &order, why));
	cr_expect(strlen(why) < sizeof why - 1 && strstr(why, "are expired, 1 may be"), "%s", why);
}

/* The words in memory of exactly their size. */
static char *request_of(const char *line, ctl_request_t *out)
{
	const size_t len = strlen(line);
	char *mem = malloc(len + 1);

	memcpy(mem, line, len);
	mem[len] = '\n';
	cr_assert(ctl_request_read(mem, len, out) == NULL, "%s", line);
	return mem;
}

static const struct {
	const char *args;
	bool sound;
	uint64_t max_expired, max_empty;
	const char *zones;
} calls[] = {
	{ "", true, 0, UINT64_MAX, "" },
	{ " --max-expired 3", true, 3, UINT64_MAX, "" },
	{ " --max-empty 0", true, 0, 0, "" },
	{ " --zone a. --max-expired 2 --zone b. --max-empty 7 --zone a.", true, 2, 7, "a. b. a. " },
	{ " --zone --zone", true, 0, UINT64_MAX, "--zone " },
	{ " --max-expired 18446744073709551615", true, UINT64_MAX, UINT64_MAX, "" },
	{ " --max-expired 18446744073709551616", false, 0, 0, "" },
	{ " --max-expired -1", false, 0, 0, "" },
	{ " --max-expired 1x", false, 0, 0, "" },
	{ " --max-expired", false, 0, 0, "" },
	{ " --zone", false, 0, 0, "" },
	{ " --zone a. --zone", false, 0, 0, "" },
	{ " a.", false, 0, 0, "" },
	{ " a. b.", false, 0, 0, "" },
};

Test(ctl_health, reads_its_arguments)
{
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		char line[200], zones[200] = "", why[256] = "";
		ctl_health_order_t order;
		ctl_request_t request;

		snprintf(line, sizeof line, "secd/1 text healthy%s", calls[i].args);
		char *mem = request_of(line, &request);
		cr_assert(eq(int, ctl_health_read(&request, &order, why), calls[i].sound), "%s",
		          line);
		cr_expect(eq(int, why[0] == '\0', calls[i].sound), "%s", why);
		const char *at = request.args, *word;
		size_t left = request.arg_count;
		while (calls[i].sound && (word = ctl_health_zone(&at, &left)))
			strcat(strcat(zones, word), " ");
		if (calls[i].sound) {
			cr_expect(eq(u64, order.max_expired, calls[i].max_expired), "%s", line);
			cr_expect(eq(u64, order.max_empty, calls[i].max_empty), "%s", line);
		}
		cr_expect(strcmp(zones, calls[i].zones) == 0, "%s: %s", line, zones);
		free(mem);
	}
}
