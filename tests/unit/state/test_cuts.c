/* tests/unit/state/test_cuts.c - whatever the moment at which the power goes, and whichever call the disk
 * refuses: each zone is a version that was saved, whole, and none older than one that was told to be. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "tests/unit/state/history.h"

TestSuite(state_cuts, .timeout = 120);

/* Files are full soon, so that there are many and they are cleaned up. */
static const keeper_conf_t small = { .segment = 2048 };
static const keeper_conf_t with_past = { .segment = 2048, .past_share = 300 };

enum { RUNS = 40, AGES = 3, SAVES = 500 };

Test(state_cuts, after_a_cut_each_zone_is_whole_and_not_older_than_what_was_told)
{
	unsigned checked = 0, old = 0;

	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		disk_double_t *disk = disk_double_new(seed);
		const keeper_conf_t *conf = seed % 2 ? &small : &with_past;

		history_forget();
		for (unsigned age = 0; disk && age < AGES; age++) {
			history_t *h = history_begin(disk, 100 * seed + age, conf, 16);
			char what[64];

			snprintf(what, sizeof what, "seed %u, age %u", (unsigned)seed, age);
			history_run(h, SAVES / 2);
			history_rest(h);
			history_run(h, SAVES / 2);
			history_close(h);
			cr_expect(eq(u32, h->keeper.failed, 0));
			checked += history_check_all(h, what);
			old += h->old;
			disk_double_free(disk);
			disk = history_end(h);
		}
		if (disk)
			disk_double_free(disk);
	}
	cr_expect(checked > RUNS * AGES * 20, "only %u cuts", checked);
	cr_expect(old > checked * HISTORY_ZONES / 4, "only %u old versions", old);
}

/* --- refused calls ------------------------------------------------------------------------------- */

static const struct {
	disk_call_t call;
	const char *name;
	int err;
} refused[] = {
	{ DISK_WRITE, "write", ENOSPC },   { DISK_SYNC, "sync", EIO },
	{ DISK_CREATE, "create", ENOSPC }, { DISK_TRUNCATE, "truncate", EIO },
	{ DISK_UNLINK, "unlink", EROFS },  { DISK_SYNC_NAMES, "sync_names", EIO },
	{ DISK_READ, "read", EIO },
};

/* Later saves work. */
static void heal(history_t *h, const char *what)
{
	disk_double_relent(h->keeper.disk);
	for (unsigned z = 0; z < HISTORY_ZONES; z++)
		h->zones[z].hurt = true;
	const unsigned failed = h->keeper.failed;
	history_run(h, 40);
	cr_expect(eq(u32, h->keeper.failed, failed), "%s", what);
}

static void refuse_one(size_t i, unsigned n, unsigned count)
{
	disk_double_t *disk = disk_double_new(n);
	history_t *h = history_begin(disk, n, n % 2 ? &small : &with_past, 25);
	char what[80];

	history_forget();

	snprintf(what, sizeof what, "%s %u refused, and %u in all", refused[i].name, n, count);
	disk_double_refuse(disk, refused[i].call, n, count, refused[i].err);
	if (refused[i].call == DISK_TRUNCATE) /* there is one when a write has failed */
		disk_double_refuse(disk, DISK_WRITE, 3 * n, 3, ENOSPC);
	history_run(h, SAVES / 2);
	history_rest(h);
	heal(h, what);
	history_close(h);
	history_check_all(h, what);
	disk = history_end(h);
	if (disk)
		disk_double_free(disk);
}

Test(state_cuts, whichever_call_is_refused_nothing_is_believed_that_is_not_there)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		for (unsigned n = 1; n <= 24; n++)
			refuse_one(i, n, n % 3 == 0 ? 5 : 1);
	}
}
