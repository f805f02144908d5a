/* tests/unit/state/test_compact.c - files of which little is needed go away, and what is needed does not. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/unit/state/keeper.h"

TestSuite(state_compact, .timeout = 60);

enum { LARGE = 1 << 20, WAIT_S = 8 };

static const keeper_conf_t small = { .segment = 4096 }, large = { .segment = LARGE };

static void save(keeper_t *k, unsigned zone, uint64_t content, size_t octets)
{
	const keeper_put_t put = {
		.zone = zone, .content = content, .clocks = content + 1, .octets = octets
	};

	cr_expect(eq(int, keeper_save_now(k, &put), ST_OK));
}

/* Files get as few as that. */
static void wait_files(keeper_t *k, unsigned most)
{
	const mono_t until = mono_add_s(clock_mono(), WAIT_S);
	state_stats_t stats;

	for (state_stats(k->state, &stats); stats.files > most; state_stats(k->state, &stats)) {
		cr_assert(mono_before(clock_mono(), until), "there are still %u", stats.files);
		poll(NULL, 0, 1);
	}
}

/* In each file of `segment` octets one zone that is needed, near its beginning: `files` of them. The others are
 * versions of one, of `hot` octets. */
static void sparse_by(keeper_t *k, const keeper_conf_t *conf, unsigned files, uint64_t seed,
                      size_t hot)
{
	cr_assert(eq(int, keeper_open(k, disk_double_new(seed), conf), ST_OK));
	for (unsigned i = 1; i <= files; i++) {
		save(k, i, 100 + i, 50);
		for (size_t n = 0; n < conf->segment; n += hot)
			save(k, 0, 1000 * i + n, hot);
	}
}

static void sparse(keeper_t *k, const keeper_conf_t *conf, unsigned files, uint64_t seed)
{
	sparse_by(k, conf, files, seed, conf->segment / 8);
}

static void expect_all(const keeper_t *k, unsigned files)
{
	for (unsigned i = 1; i <= files; i++)
		keeper_expect(k, i, 100 + i, 101 + i);
}

static void look(disk_double_t *disk, unsigned files)
{
	const keeper_conf_t only = { .no_start = true };
	keeper_t k;

	cr_assert(eq(int, keeper_open(&k, disk, &only), ST_OK));
	expect_all(&k, files);
	keeper_close(&k);
}

enum { FILES = 39 };

Test(state_compact, begins_when_nobody_reads_any_more)
{
	keeper_t k;
	state_stats_t stats;

	sparse(&k, &small, FILES, 1);
	state_stats(k.state, &stats);
	cr_expect(ge(u32, stats.files, FILES));
	cr_expect(gt(u64, stats.octets, 4 * stats.live));
	state_settled(k.state);
	wait_files(&k, 22);
	state_stats(k.state, &stats);
	cr_expect(eq(sz, disk_double_files(k.disk), stats.files));
	cr_expect(eq(u64, disk_double_octets(k.disk), stats.octets));
	keeper_close(&k);
	look(k.disk, FILES);
	disk_double_free(k.disk);
}

/* Files of which all is needed may be the smallest: the copy of one would be the next to be copied, for ever. */
Test(state_compact, comes_to_an_end_where_the_smallest_files_are_full)
{
	enum { SPARSE = 29, FULL = 10, STEPS = 200 };
	keeper_t k;

	sparse_by(&k, &small, SPARSE, 1, 3000);
	for (unsigned i = SPARSE + 1; i <= SPARSE + FULL;
	     i++) /* two files, the second is the log's last */
		save(&k, i, 100 + i, small.segment / 5 - 100);
	state_settled(k.state);
	wait_files(&k, 26);
	cr_expect(lt(u32, disk_double_count(k.disk, DISK_CREATE), STEPS));
	keeper_close(&k);
	look(k.disk, SPARSE + FULL);
	disk_double_free(k.disk);
}

/* What a start has found stays until it is known that nothing was lost: it may tell the next start. What comes
 * meanwhile is cleaned up. */
Test(state_compact, a_start_alone_is_enough_for_it)
{
	keeper_t k;
	size_t found;

	sparse(&k, &small, FILES, 1);
	keeper_close(&k);
	cr_assert(eq(int, keeper_open(&k, k.disk, &small), ST_OK));
	found = disk_double_files(k.disk);
	state_settled(k.state);
	for (unsigned i = 0; i < 100; i++)
		save(&k, 0, 5000 + i, 1000);
	wait_files(&k, (unsigned)found + 3);
	for (unsigned i = 1; i <= found; i++) {
		char name[32];

		snprintf(name, sizeof name, "log-%08x", i);
		cr_expect(gt(u64, disk_double_size(k.disk, name), 0), "%s", name);
	}
	state_healed(k.state);
	wait_files(&k, 22);
	keeper_close(&k);
	look(k.disk, FILES);
	disk_double_free(k.disk);
}

/* Of a large file, a part is copied when a save comes in between, and its sync fails. */
Test(state_compact, what_was_copied_and_then_lost_is_not_removed)
{
	enum { MANY = 20 };

	for (uint64_t seed = 0; seed < 5; seed++) {
		keeper_t k;

		sparse(&k, &large, MANY, seed);
		disk_double_refuse(k.disk, DISK_SYNC, 1, 1, EIO);
		disk_double_block(k.disk, DISK_WRITE, "log-");
		state_settled(k.state);
		disk_double_wait_blocked(k.disk);
		const keeper_put_t put = { .zone = 0, .content = 7, .clocks = 7, .octets = 10 };
		keeper_save(&k, &put);
		disk_double_unblock(k.disk);
		keeper_wait_all(&k);
		cr_expect(eq(int, k.last.error, EIO));
		for (unsigned i = 0; i < 50; i++) {
			poll(NULL, 0, 1);
			save(&k, 0, 2000 + i, 10);
		}
		disk_double_t *left = disk_double_cut(k.disk, seed);
		look(left, MANY);
		disk_double_free(left);
		keeper_close(&k);
		disk_double_free(k.disk);
	}
}

/* A disk that is full takes no copies; when it is not any more, files go away. */
Test(state_compact, goes_on_when_the_disk_takes_writes_again)
{
	keeper_t k;

	sparse(&k, &small, FILES, 1);
	disk_double_refuse(k.disk, DISK_WRITE, 2, UINT32_MAX, ENOSPC);
	state_settled(k.state);
	while (disk_double_count(k.disk, DISK_TRUNCATE) == 0)
		poll(NULL, 0, 1);
	disk_double_relent(k.disk);
	save(&k, 0, 5, 10);
	wait_files(&k, 22);
	keeper_close(&k);
	look(k.disk, FILES);
	disk_double_free(k.disk);
}

/* One file can't be read where something is needed: it stays, and the others don't wait for it. */
Test(state_compact, a_file_that_is_damaged_stays_and_the_others_go)
{
	for (int unreadable = 0; unreadable < 2; unreadable++) {
		keeper_t k;

		sparse(&k, &small, FILES, 1);
		if (unreadable)
			disk_double_refuse(k.disk, DISK_READ, 1, 1, EIO);
		else
			disk_double_flip(k.disk, "log-00000001", 100, 3); /* of zone 1 */
		state_settled(k.state);
		wait_files(&k, 23);
		cr_expect(unreadable || disk_double_size(k.disk, "log-00000001") > 0);
		keeper_close(&k);
		if (unreadable)
			look(k.disk, FILES);
		disk_double_free(k.disk);
	}
}

/* Files of which nothing is needed go without a copy. */
Test(state_compact, superseded_files_are_removed)
{
	keeper_t k;

	cr_assert(eq(int, keeper_open(&k, disk_double_new(1), &small), ST_OK));
	state_settled(k.state);
	for (unsigned i = 0; i < 200; i++)
		save(&k, i % 3, 10 + i, 1000);
	wait_files(&k, 3);
	keeper_close(&k);
	cr_assert(eq(int, keeper_open(&k, k.disk, &small), ST_OK));
	for (unsigned i = 197; i < 200; i++)
		keeper_expect(&k, i % 3, 10 + i, 11 + i);
	keeper_close(&k);
	disk_double_free(k.disk);
}
