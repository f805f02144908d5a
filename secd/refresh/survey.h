/* refresh/survey.h - a look at all zones, in slices, for what watches the daemon from outside.
 *
 *     survey_new --> step, step ... step: true --> survey_take --> findings
 *                    a millisecond each, the loop turning in between
 *
 * Of all zones there are sums, and a row for each; with more zones than rows are wanted, a row for
 * those alone of which there is something to tell: that are not fresh, or have a refused serial, or
 * signatures that end within warn-signatures; of these the worst. What is found borrows nothing, so
 * that it may be read for as long as a slow client takes, whatever becomes of the zones. Each zone is as
 * it was when its turn came; the sums of what happened are of the last step.
 *
 * Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"
#include "refresh/counts.h"
#include "refresh/report.h"
#include "refresh/way.h"

typedef struct refresh_row {
	const uint8_t *apex; /* wire, folded; in the findings' names */
	refresh_state_t state;
	bool pinned;
	bool has_newest;     /* some primary has shown a newer serial */
	bool has_refused;    /* ... or one that is not taken */
	bool has_signatures; /* what is held is signed */
	uint32_t newest, refused;
	/* Of what is held; 0 while it is empty. */
	uint32_t serial;
	uint32_t expire; /* s, within the group's limits */
	uint64_t records;
	size_t memory;     /* octets */
	double checked;    /* s since the last good check */
	double expires;    /* s until it expires, < 0: since it did */
	double signatures; /* s until the first signature ends, < 0: since it did */

	double lag; /* s for which it has not been, or may not have been, as its primaries; 0: fresh */
	unsigned badness; /* the more, the worse */
} refresh_row_t;

/* An address of a primary. */
typedef struct refresh_place {
	char *primary; /* its name */
	addr_t addr;
	bool down;
	double since; /* s that it has been */
	way_load_t load;
	unsigned max_queries, max_transfers, max_connections;
} refresh_place_t;

struct refresh_names;

typedef struct refresh_findings {
	refresh_row_t *rows;
	size_t row_count;
	struct refresh_names *names; /* of the rows, and of some that gave way to worse ones */
	size_t unlisted;             /* zones with something to tell that have no row */
	refresh_place_t *places;
	size_t place_count;

	refresh_totals_t totals;
	refresh_counts_t counts;
	uint64_t records, memory; /* of all that is held */
	size_t signed_zones;      /* that are held */
	double lag;               /* s, the most of all zones */
	/* s until the first zone expires, of those that have not, and until the first signature ends;
	 * INFINITY: there is none. */
	double expires, signatures;
	unsigned max_polls, max_transfers; /* that the daemon may have under way */
} refresh_findings_t;

typedef struct refresh_survey refresh_survey_t;

/* most: rows. r is borrowed until the survey is freed or taken. NULL: no memory. */
refresh_survey_t *refresh_survey_new(const refresh_t *r, size_t most);
void refresh_survey_free(refresh_survey_t *s); /* NULL is fine */

/* Go on for about a millisecond. True: all was looked at, or there is no memory. */
bool refresh_survey_step(refresh_survey_t *s);

/* What was found, once all was looked at; frees s. NULL: no memory. The caller's. */
refresh_findings_t *refresh_survey_take(refresh_survey_t *s);
void refresh_findings_free(refresh_findings_t *f); /* NULL is fine */
