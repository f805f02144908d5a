/* ctl/health.c - the rules of secdctl healthy, and its arguments. */
#include "ctl/health.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_count(const char *word, uint64_t *out)
{
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	*out = strtoull(word, &end, 10);
	return *end == '\0' && errno == 0;
}

bool ctl_health_read(const ctl_request_t *request, ctl_health_order_t *out, char why[256])
{
	const char *word = request->args;

	*out = (ctl_health_order_t){ .max_empty = UINT64_MAX };
	for (size_t i = 0; i < request->arg_count; i += 2) {
		const char *value = i + 1 < request->arg_count ? ctl_request_next(word) : "";
		uint64_t *count = strcmp(word, "--max-expired") == 0 ? &out->max_expired
		                  : strcmp(word, "--max-empty") == 0 ? &out->max_empty
		                                                     : NULL;

		if (count ? !read_count(value, count)
		          : strcmp(word, "--zone") != 0 || *value == '\0') {
			snprintf(why, 256,
			         "healthy [--max-expired N] [--max-empty N] [--zone NAME ...], not "
			         "'%.60s%s%.60s'",
			         word, *value ? " " : "", value);
			return false;
		}
		word = ctl_request_next(value);
	}
	return true;
}

const char *ctl_health_zone(const char **at, size_t *left)
{
	while (*left >= 2) {
		const char *word = *at, *value = ctl_request_next(word);

		*at = ctl_request_next(value);
		*left -= 2;
		if (strcmp(word, "--zone") == 0)
			return value;
	}
	return NULL;
}

/* "a.example. is expired", or how many are. */
static void name_some(const char *first, size_t count, const char *state, uint64_t most,
                      char why[256])
{
	char others[64] = "", limit[64] = "";

	if (count > 1)
		snprintf(others, sizeof others, " and %zu more", count - 1);
	if (most > 0)
		snprintf(limit, sizeof limit, ", %" PRIu64 " may be", most);
	snprintf(why, 256, "%.120s%s %s %s%s", first ? first : "a zone", others,
	         count > 1 ? "are" : "is", state, limit);
}

bool ctl_health_ails(const ctl_health_facts_t *facts, const ctl_health_order_t *order,
                     char why[256])
{
	const refresh_totals_t *t = &facts->totals;

	if (!facts->turning)
		snprintf(why, 256, "a worker does not answer any more");
	else if (facts->loading)
		snprintf(why, 256, "zones of the state are still to be loaded: %zu of %zu are",
		         t->loaded, t->zones);
	else if (t->expired > order->max_expired)
		name_some(facts->first, t->expired, "expired", order->max_expired, why);
	else if (t->zones > 0 && t->fresh + t->behind == 0)
		snprintf(why, 256, "no zone is served: %zu are empty, %zu expired", t->empty,
		         t->expired);
	else if (t->empty > order->max_empty)
		name_some(t->expired == 0 ? facts->first : NULL, t->empty, "empty",
		          order->max_empty, why);
	else
		return false;
	return true;
}
