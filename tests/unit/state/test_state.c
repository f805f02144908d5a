/* tests/unit/state/test_state.c - what was saved is there after a restart, and what could not be saved
 * is told. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/index.h"
#include "state/record.h"
#include "tests/unit/state/keeper.h"

TestSuite(state, .timeout = 60);

static const keeper_conf_t plain = { 0 };

static keeper_put_t whole(unsigned zone, uint64_t content, uint64_t clocks)
{
	return (keeper_put_t){ .zone = zone, .content = content, .clocks = clocks, .octets = 100 };
}

static keeper_put_t delta(unsigned zone, uint64_t difference, uint64_t clocks)
{
	return (keeper_put_t){
		.zone = zone, .content = difference, .clocks = clocks, .octets = 30, .delta = true
	};
}

static keeper_put_t clocks(unsigned zone, uint64_t number)
{
	return (keeper_put_t){ .zone = zone, .clocks = number, .clocks_only = true };
}

/* A zone in a file of its own. */
static keeper_put_t big(unsigned zone, uint64_t content, uint64_t number)
{
	return (keeper_put_t){ .zone = zone,
		               .content = content,
		               .clocks = number,
		               .octets = STATE_OWN_ABOVE / 4,
		               .chunks = 5 };
}

static void save(keeper_t *k, keeper_put_t put)
{
	cr_expect(eq(int, keeper_save_now(k, &put), ST_OK));
}

static void fails(keeper_t *k, keeper_put_t put, int err)
{
	cr_expect(eq(int, keeper_save_now(k, &put), ST_SYSTEM));
	cr_expect(eq(int, k->last.error, err));
}

static void end(keeper_t *k)
{
	keeper_close(k);
	disk_double_free(k->disk);
}

static void again(keeper_t *k)
{
	disk_double_t *disk = k->disk;

	keeper_close(k);
	cr_assert(eq(int, keeper_open(k, disk, &plain), ST_OK));
}

/* A start at this moment finds this of a zone. */
static void look(keeper_t *k, unsigned zone, uint64_t content, uint64_t number)
{
	const keeper_conf_t conf = { .no_start = true };
	keeper_t other;

	cr_assert(eq(int, keeper_open(&other, disk_double_copy(k->disk), &conf), ST_OK));
	keeper_expect(&other, zone, content, number);
	end(&other);
}

static void open_new(keeper_t *k)
{
	cr_assert(eq(int, keeper_open(k, disk_double_new(1), &plain), ST_OK));
}

/* --- what comes back ----------------------------------------------------------------------------- */

Test(state, of_an_empty_disk_there_is_nothing)
{
	keeper_t k;

	open_new(&k);
	keeper_expect(&k, 0, 0, 0);
	cr_expect(eq(u32, state_zone_queued(k.zones[0]), 0));
	again(&k);
	cr_expect(k.scan.files == 0 && k.scan.zones == 0);
	end(&k);
}

Test(state, whole_zones_differences_and_clocks_come_back)
{
	keeper_t k;

	open_new(&k);
	save(&k, whole(0, 10, 1));
	save(&k, whole(1, 20, 2));
	save(&k, delta(1, 21, 3));
	save(&k, delta(1, 22, 4));
	save(&k, whole(2, 30, 5));
	save(&k, clocks(2, 6));
	save(&k, whole(3, 40, 7));
	save(&k, whole(3, 41, 8));
	save(&k, clocks(4, 9)); /* of no version */
	for (int i = 0; i < 2; i++) {
		again(&k);
		keeper_expect(&k, 0, 10, 1);
		keeper_expect(&k, 1, keeper_next(keeper_next(20, 21), 22), 4);
		keeper_expect(&k, 2, 30, 6);
		keeper_expect(&k, 3, 41, 8);
		keeper_expect(&k, 4, 0, 0);
		cr_expect(eq(u64, k.scan.zones, 4));
		cr_expect(eq(u64, k.scan.orphans, 0));
		cr_expect(eq(u64, k.scan.damaged + k.scan.torn, 0));
	}
	end(&k);
}

Test(state, it_goes_on_after_a_restart)
{
	keeper_t k;
	uint64_t content = 10;

	open_new(&k);
	save(&k, whole(0, content, 1));
	for (unsigned i = 0; i < 5; i++) {
		again(&k);
		cr_expect(eq(u32, state_zone_queued(k.zones[0]), 1 + i));
		save(&k, delta(0, 100 + i, 2 + i));
		content = keeper_next(content, 100 + i);
	}
	save(&k, clocks(0, 99));
	again(&k);
	keeper_expect(&k, 0, content, 99);
	end(&k);
}

Test(state, a_version_is_saved_whole_again_under_its_differences)
{
	keeper_t k;
	keeper_put_t w;

	open_new(&k);
	save(&k, whole(0, 10, 1));
	save(&k, delta(0, 11, 2));
	w = whole(0, keeper_next(10, 11), 3);
	w.again = true;
	keeper_save(&k, &w);
	const keeper_put_t d = delta(0, 12, 4);
	keeper_save(&k, &d);
	keeper_wait_all(&k);
	cr_expect(eq(u32, k.failed, 0));
	again(&k);
	keeper_expect(&k, 0, keeper_next(keeper_next(10, 11), 12), 4);
	end(&k);
}

/* While it was packed, the zone went on. */
Test(state, an_older_version_whole_again_takes_nothing_from_the_newer)
{
	keeper_t k;
	keeper_put_t w = whole(0, 10, 9);
	const keeper_put_t d = delta(0, 11, 2), c = clocks(0, 3);

	open_new(&k);
	save(&k, whole(0, 10, 1));
	w.again = true;
	keeper_save(&k, &d);
	keeper_save(&k, &c);
	keeper_save(&k, &w);
	keeper_wait_all(&k);
	cr_expect(eq(u32, k.failed, 0));
	again(&k);
	keeper_expect(&k, 0, keeper_next(10, 11), 3);
	end(&k);
}

/* --- zones in files of their own ----------------------------------------------------------------- */

Test(state, a_big_zone_has_a_file_of_its_own)
{
	keeper_t k;

	open_new(&k);
	save(&k, whole(0, 10, 1));
	save(&k, big(1, 20, 2));
	cr_expect(eq(sz, disk_double_files(k.disk), 2));
	again(&k);
	keeper_expect(&k, 1, 20, 2);
	cr_expect(ge(u64, state_zone_octets(k.zones[1]), STATE_OWN_ABOVE));
	save(&k, delta(1, 21, 3));
	save(&k, clocks(1, 4));
	again(&k);
	keeper_expect(&k, 0, 10, 1);
	keeper_expect(&k, 1, keeper_next(20, 21), 4);
	save(&k, big(1, 22, 5));
	again(&k);
	keeper_expect(&k, 1, 22, 5);
	cr_expect(lt(u64, disk_double_octets(k.disk), 2 * STATE_OWN_ABOVE), "the old file is gone");
	save(&k, whole(1, 23, 6));
	cr_expect(lt(u64, disk_double_octets(k.disk), STATE_OWN_ABOVE));
	again(&k);
	keeper_expect(&k, 1, 23, 6);
	end(&k);
}

/* It is synced beside the queue, but its zone's saves are in order. */
Test(state, what_is_saved_behind_a_big_version_follows_it)
{
	keeper_t k;
	const keeper_put_t b = big(0, 10, 1),
			   behind[] = { delta(0, 11, 2), clocks(0, 3), whole(0, 12, 4),
		                        delta(0, 13, 5), clocks(0, 6) };
	uint64_t content = 10;

	open_new(&k);
	for (unsigned n = 1; n <= ARRAY_LEN(behind); n++) {
		disk_double_block(k.disk, DISK_SYNC, "zone-");
		keeper_save(&k, &b);
		disk_double_wait_blocked(k.disk);
		content = 10;
		for (unsigned i = 0; i < n; i++) {
			keeper_save(&k, &behind[i]);
			content = behind[i].delta         ? keeper_next(content, behind[i].content)
			          : behind[i].clocks_only ? content
			                                  : behind[i].content;
		}
		const keeper_put_t other = whole(1, 20, 1); /* what could overtake has done so */
		keeper_save(&k, &other);
		keeper_wait(&k, 1);
		disk_double_unblock(k.disk);
		keeper_wait_all(&k);
		cr_expect(eq(u32, k.failed, 0));
		again(&k);
		keeper_expect(&k, 0, content, behind[n - 1].clocks);
	}
	end(&k);
}

Test(state, a_draft_that_is_given_up_leaves_no_file)
{
	keeper_t k;
	uint8_t *octets = calloc(1, 1 << 20);

	open_new(&k);
	state_draft_t *d = state_draft_new(k.state);
	for (int i = 0; i < 6; i++)
		state_draft_add(d, octets, 1 << 20);
	cr_expect(eq(sz, disk_double_files(k.disk), 1));
	state_draft_free(d);
	cr_expect(eq(sz, disk_double_files(k.disk), 0));
	free(octets);
	end(&k);
}

Test(state, a_file_that_no_record_names_is_removed_at_the_next_start)
{
	keeper_t k;

	open_new(&k);
	save(&k, big(0, 10, 1));
	save(&k, whole(1, 11, 2));
	keeper_close(&k);
	disk_double_put(k.disk, "zone-00000077", "what", 4);
	cr_assert(eq(int, keeper_open(&k, k.disk, &plain), ST_OK));
	cr_expect(eq(sz, disk_double_files(k.disk), 2));
	keeper_expect(&k, 0, 10, 1);
	end(&k);
}

/* --- together ------------------------------------------------------------------------------------ */

Test(state, what_comes_while_a_sync_is_under_way_shares_the_next)
{
	keeper_t k;
	keeper_put_t put = whole(0, 10, 1);

	open_new(&k);
	save(&k, put);
	const unsigned before = disk_double_count(k.disk, DISK_SYNC);
	disk_double_block(k.disk, DISK_SYNC, "log-");
	put = whole(1, 11, 1);
	keeper_save(&k, &put);
	disk_double_wait_blocked(k.disk);
	for (unsigned i = 2; i < 32; i++) {
		put = whole(i, 10 + i, 1);
		keeper_save(&k, &put);
	}
	disk_double_unblock(k.disk);
	keeper_wait_all(&k);
	cr_expect(eq(u32, disk_double_count(k.disk, DISK_SYNC) - before, 2));
	again(&k);
	for (unsigned i = 0; i < 32; i++)
		keeper_expect(&k, i, 10 + i, 1);
	end(&k);
}

Test(state, a_big_zone_does_not_hold_up_a_small_one)
{
	keeper_t k;
	const keeper_put_t b = big(0, 10, 1), behind = clocks(0, 2);

	open_new(&k);
	disk_double_block(k.disk, DISK_SYNC, "zone-");
	keeper_save(&k, &b);
	keeper_save(&k, &behind);
	disk_double_wait_blocked(k.disk);
	for (unsigned i = 1; i < 20; i++) {
		const keeper_put_t put = whole(i, 10 + i, 1);

		keeper_save(&k, &put);
		keeper_wait(&k, i);
	}
	cr_expect(eq(u32, k.back, 19));
	disk_double_unblock(k.disk);
	keeper_wait_all(&k);
	cr_expect(eq(u32, k.failed, 0));
	again(&k);
	keeper_expect(&k, 0, 10, 2);
	end(&k);
}

Test(state, the_end_writes_what_is_queued)
{
	keeper_t k;
	const keeper_put_t b = big(0, 10, 1);

	open_new(&k);
	keeper_save(&k, &b);
	for (unsigned i = 1; i < KEEPER_ZONES; i++) {
		const keeper_put_t put = whole(i, 10 + i, i);

		keeper_save(&k, &put);
	}
	again(&k);
	for (unsigned i = 1; i < KEEPER_ZONES; i++)
		keeper_expect(&k, i, 10 + i, i);
	keeper_expect(&k, 0, 10, 1);
	end(&k);
}

Test(state, differences_that_outgrow_their_zone_are_told)
{
	keeper_t k;
	keeper_put_t put = whole(0, 10, 1);
	unsigned count = 0;

	open_new(&k);
	put.octets = 40000;
	save(&k, put);
	for (put = delta(0, 11, 2), put.octets = 1000; !k.last.is_long && count < 100; count++)
		save(&k, put);
	cr_expect(count >= 17 && count <= 20, "half of it, not %u", count);
	put = whole(0, 12, 3);
	save(&k, put);
	cr_expect(not(k.last.is_long));
	save(&k, delta(0, 13, 4));
	cr_expect(not(k.last.is_long));
	end(&k);
}

/* --- what fails ---------------------------------------------------------------------------------- */

Test(state, a_difference_from_what_is_not_there_is_refused)
{
	keeper_t k;

	open_new(&k);
	save(&k, whole(0, 10, 1));
	disk_double_refuse(k.disk, DISK_WRITE, 1, 1, ENOSPC);
	fails(&k, delta(0, 11, 2), ENOSPC);
	fails(&k, delta(0, 12, 3), ESTALE);
	look(&k, 0, 10, 1);
	save(&k, whole(0, 13, 4));
	save(&k, delta(0, 14, 5));
	again(&k);
	keeper_expect(&k, 0, keeper_next(13, 14), 5);
	end(&k);
}

/* What is on the disk, but can't be found there, is not saved; nor is what goes on from it. */
static _Atomic bool no_steps;
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	if (size == sizeof(state_step_t) && atomic_load(&no_steps)) {
		atomic_store(&no_steps, false);
		return NULL;
	}
	return __real_reallocarray(p, n, size);
}

static void on_back(void *arg, const keeper_back_t *b)
{
	char *all = arg;

	snprintf(all + strlen(all), 100 - strlen(all), "%llu:%s ", (unsigned long long)b->tag,
	         b->status == ST_OK      ? "ok"
	         : b->status == ST_NOMEM ? "no-memory"
	         : b->error == ESTALE    ? "stale"
	                                 : "?");
}

Test(state, a_difference_that_there_is_no_memory_for_is_not_saved)
{
	keeper_t k;
	char all[100] = "";

	open_new(&k);
	save(&k, whole(0, 10, 1));
	k.on_back = on_back;
	k.arg = all;
	disk_double_block(k.disk, DISK_SYNC, "log-");
	keeper_save(&k, &(keeper_put_t){ .zone = 1, .content = 20, .octets = 100, .tag = 1 });
	disk_double_wait_blocked(k.disk);
	for (uint64_t i = 2; i < 7; i++)
		keeper_save(&k, &(keeper_put_t){ .zone = 0,
		                                 .content = 10 * i,
		                                 .clocks = i,
		                                 .octets = 30,
		                                 .delta = i != 5,
		                                 .tag = i });
	atomic_store(&no_steps, true);
	disk_double_unblock(k.disk);
	keeper_wait_all(&k);
	cr_expect(eq(str, all, (char *)"1:ok 2:no-memory 3:stale 4:stale 5:ok 6:ok "));
	k.on_back = NULL;
	save(&k, delta(0, 70, 7));
	again(&k);
	keeper_expect(&k, 0, keeper_next(keeper_next(50, 60), 70), 7);
	end(&k);
}

/* They would take the place of those of the version that is there. */
Test(state, clocks_of_a_version_that_failed_are_refused)
{
	keeper_t k;
	const keeper_put_t d = delta(0, 11, 3), c = clocks(0, 4);

	open_new(&k);
	save(&k, whole(0, 10, 1));
	save(&k, clocks(0, 2));
	disk_double_refuse(k.disk, DISK_WRITE, 1, 1, ENOSPC);
	keeper_save(&k, &d);
	keeper_save(&k, &c);
	keeper_wait_all(&k);
	cr_expect(eq(u32, k.failed, 2));
	again(&k);
	keeper_expect(&k, 0, 10, 2);
	end(&k);
}

Test(state, a_failed_write_leaves_the_others_alone)
{
	keeper_t k;

	open_new(&k);
	save(&k, whole(0, 10, 1));
	for (unsigned i = 1; i < 20; i++) {
		disk_double_refuse(k.disk, DISK_WRITE, 1, 1, i % 2 ? ENOSPC : EIO);
		if (i % 3 == 0) /* nor can what it left be cut off */
			disk_double_refuse(k.disk, DISK_TRUNCATE, 1, 1, EIO);
		fails(&k, whole(i, 10 + i, 1), i % 2 ? ENOSPC : EIO);
		save(&k, whole(i, 20 + i, 2));
	}
	again(&k);
	keeper_expect(&k, 0, 10, 1);
	for (unsigned i = 1; i < 20; i++)
		keeper_expect(&k, i, 20 + i, 2);
	end(&k);
}

Test(state, a_failed_sync_fails_what_was_in_it)
{
	keeper_t k;

	open_new(&k);
	save(&k, whole(0, 10, 1));
	disk_double_refuse(k.disk, DISK_SYNC, 1, 1, EIO);
	fails(&k, whole(0, 11, 2), EIO);
	save(&k, whole(1, 20, 3));
	save(&k, whole(0, 12, 4));
	again(&k);
	keeper_expect(&k, 0, 12, 4);
	keeper_expect(&k, 1, 20, 3);
	end(&k);
}

/* The first of a batch is written, the second is not and can't be taken back, and the sync of the first
 * fails; then a third goes to a new file, whose sync is well. */
Test(state, a_sync_that_failed_is_not_made_good_by_that_of_the_next_file)
{
	keeper_t k;
	keeper_put_t put;
	disk_double_t *left;

	open_new(&k);
	save(&k, whole(0, 10, 1));
	disk_double_block(k.disk, DISK_SYNC, "log-");
	put = whole(5, 1, 1);
	keeper_save(&k, &put);
	disk_double_wait_blocked(k.disk);
	for (unsigned i = 0; i < 3; i++) {
		put = whole(i, 20 + i, 2);
		keeper_save(&k, &put);
	}
	disk_double_refuse(k.disk, DISK_WRITE, 2, 1, EIO);
	disk_double_refuse(k.disk, DISK_TRUNCATE, 1, 1, EIO);
	disk_double_refuse(k.disk, DISK_SYNC, 2, 1, EIO); /* behind the one that waits */
	disk_double_unblock(k.disk);
	keeper_wait_all(&k);
	cr_expect(eq(u32, k.failed, 3));
	for (uint64_t seed = 0; seed < 20; seed++) {
		keeper_t l;
		uint64_t got;

		left = disk_double_cut(k.disk, seed);
		cr_assert(eq(int, keeper_open(&l, left, &plain), ST_OK));
		cr_expect(eq(int, keeper_read(&l, 0, &got), ST_OK));
		cr_expect(got == 10 || got == 20);
		end(&l);
	}
	end(&k);
}

Test(state, a_disk_that_can_not_be_written_to_fails_all_and_is_used_again)
{
	static const disk_call_t calls[] = { DISK_CREATE, DISK_WRITE, DISK_SYNC, DISK_SYNC_NAMES };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		keeper_t k;

		open_new(&k);
		disk_double_refuse(k.disk, calls[i], 1, UINT32_MAX, EROFS);
		for (unsigned z = 0; z < 5; z++)
			fails(&k, whole(z, 10 + z, 1), EROFS);
		fails(&k, big(5, 15, 1), EROFS);
		disk_double_relent(k.disk);
		cr_expect(le(sz, disk_double_files(k.disk), calls[i] == DISK_SYNC ? 5 : 0));
		for (unsigned z = 0; z < 5; z++)
			save(&k, whole(z, 20 + z, 2));
		save(&k, big(5, 25, 2));
		again(&k);
		for (unsigned z = 0; z < 6; z++)
			keeper_expect(&k, z, 20 + z, 2);
		end(&k);
	}
}

Test(state, a_big_zone_that_can_not_be_written_leaves_no_file)
{
	static const disk_call_t calls[] = { DISK_CREATE, DISK_WRITE, DISK_SYNC, DISK_SYNC_NAMES };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		keeper_t k;

		open_new(&k);
		save(&k, whole(0, 10, 1));
		disk_double_refuse(k.disk, calls[i], calls[i] == DISK_WRITE ? 4 : 1, 1, ENOSPC);
		fails(&k, big(1, 20, 2), ENOSPC);
		cr_expect(eq(sz, disk_double_files(k.disk), 1));
		again(&k);
		keeper_expect(&k, 0, 10, 1);
		keeper_expect(&k, 1, 0, 0);
		end(&k);
	}
}

/* --- others' files ------------------------------------------------------------------------------- */

Test(state, a_newer_format_is_refused_and_no_file_touched)
{
	const state_file_head_t head = { 2, STATE_FILE_LOG, 3 };
	uint8_t octets[STATE_FILE_HEAD];
	keeper_t k;
	char why[256] = "";

	open_new(&k);
	save(&k, whole(0, 10, 1));
	keeper_close(&k);
	state_file_head_put(octets, &head);
	disk_double_put(k.disk, "log-00000003", octets, sizeof octets);
	disk_double_put(k.disk, "zone-00000002", "unnamed", 7);
	const uint64_t digest = disk_double_digest(k.disk);
	cr_expect(eq(int, keeper_open(&k, k.disk, &plain), ST_REFUSED));
	cr_expect(strstr(k.why, "log-00000003 is of format 2") != NULL, "%s", k.why);
	cr_expect(eq(int, state_check(k.state, why), ST_REFUSED));
	cr_expect(strstr(why, "log-00000003 is of format 2") != NULL, "%s", why);
	keeper_close(&k);
	cr_expect(eq(u64, disk_double_digest(k.disk), digest));
	disk_double_free(k.disk);
}

Test(state, zones_that_nobody_added_are_kept_and_can_be_added)
{
	const keeper_conf_t two = { .zones = 2 };
	keeper_t k;

	open_new(&k);
	for (unsigned i = 0; i < 4; i++)
		save(&k, whole(i, 10 + i, i + 1));
	keeper_close(&k);
	cr_assert(eq(int, keeper_open(&k, k.disk, &two), ST_OK));
	cr_expect(k.scan.zones == 4 && k.scan.orphans == 2);
	k.zones[2] = state_zone_add(k.state, keeper_apex(2));
	keeper_expect(&k, 2, 12, 3);
	cr_expect(state_zone_add(k.state, keeper_apex(2)) == k.zones[2]);
	save(&k, delta(2, 22, 9));
	again(&k);
	keeper_expect(&k, 2, keeper_next(12, 22), 9);
	keeper_expect(&k, 3, 13, 4);
	end(&k);
}

Test(state, a_directory_that_can_not_be_read_is_told)
{
	keeper_t k;
	state_scan_t scan;
	char why[256];

	open_new(&k);
	save(&k, whole(0, 10, 1));
	keeper_close(&k);
	disk_double_refuse(k.disk, DISK_LIST, 1, 1, EIO);
	cr_expect(eq(int, keeper_open(&k, k.disk, &plain), ST_SYSTEM));
	cr_expect(eq(int, state_scan(k.state, &scan, why), ST_OK));
	keeper_expect(&k, 0, 10, 1);
	end(&k);
}

/* --- zones that nobody follows any more ---------------------------------------------------------- */

/* Such a save, and wait for it. */
static void tell_state(keeper_t *k, state_what_t what, unsigned zone, const uint8_t *octets,
                       size_t len)
{
	state_save_t *save = calloc(1, sizeof *save + len);

	save->what = what;
	save->zone = what == STATE_SAVE_DROP ? k->zones[zone] : NULL;
	save->clocks_len = (uint32_t)len;
	if (len > 0)
		memcpy(save->clocks, octets, len);
	k->queued++;
	state_save(k->state, save);
	keeper_wait_all(k);
	cr_expect(eq(int, k->last.status, ST_OK));
}

Test(state, a_zone_that_is_left_stays_as_it_was_until_it_is_dropped)
{
	keeper_t k;
	state_list_t newest;
	uint64_t content, number;

	open_new(&k);
	save(&k, whole(0, 10, 1));
	save(&k, whole(1, 20, 2));
	save(&k, delta(1, 21, 3));
	cr_assert(eq(int, state_zone_leave(k.state, k.zones[1]), ST_OK));
	cr_expect(state_zone_is_left(k.zones[1]) && !state_zone_is_left(k.zones[0]));
	cr_expect(state_zone_find(k.state, keeper_apex(1)) == k.zones[1]);
	save(&k, clocks(1, 4)); /* what was still to be said of it */
	again(&k);
	keeper_expect(&k, 1, keeper_next(20, 21), 4);

	/* One that is back is read by a route. */
	cr_assert(eq(int, state_zone_leave(k.state, k.zones[1]), ST_OK));
	tell_state(&k, STATE_SAVE_LEFT, 0, (const uint8_t *)"x", 1);
	cr_expect(state_zone_add(k.state, keeper_apex(1)) == k.zones[1]);
	newest = (state_list_t){ .newest = true };
	cr_assert(eq(int, keeper_list(&k, 1, &newest), ST_OK));
	cr_assert(eq(int, keeper_read_route(newest.route, &content, &number), ST_OK));
	cr_expect(content == keeper_next(20, 21) && number == 4);
	keeper_list_free(&newest);
	tell_state(&k, STATE_SAVE_DROP, 1, NULL, 0); /* somebody follows it: it stays */
	newest = (state_list_t){ .newest = true };
	cr_assert(eq(int, keeper_list(&k, 1, &newest), ST_OK));
	keeper_list_free(&newest);

	cr_assert(eq(int, state_zone_leave(k.state, k.zones[1]), ST_OK));
	tell_state(&k, STATE_SAVE_DROP, 1, NULL, 0);
	newest = (state_list_t){ .newest = true };
	cr_expect(eq(int, keeper_list(&k, 1, &newest), ST_NOENT));
	keeper_list_free(&newest);
	state_zone_add(k.state, keeper_apex(1));
	save(&k, whole(1, 30, 5));
	save(&k, delta(1, 31, 6));
	again(&k);
	keeper_expect(&k, 0, 10, 1);
	keeper_expect(&k, 1, keeper_next(30, 31), 6);
	end(&k);
}

static void expect_list(keeper_t *k, const char *want)
{
	size_t len;
	const uint8_t *list = state_left(k->state, &len);

	cr_expect(len == strlen(want) && (len == 0 || memcmp(list, want, len) == 0), "not %s",
	          want);
}

/* The newest list counts, and outlives the file that it was written to. */
Test(state, the_list_of_zones_that_are_left_is_the_newest)
{
	const keeper_conf_t small = { .segment = 2048 };
	keeper_t k;

	cr_assert(eq(int, keeper_open(&k, disk_double_new(1), &small), ST_OK));
	expect_list(&k, "");
	tell_state(&k, STATE_SAVE_LEFT, 0, (const uint8_t *)"first", 5);
	tell_state(&k, STATE_SAVE_LEFT, 0, (const uint8_t *)"second one", 10);
	for (int round = 0; round < 2; round++) {
		disk_double_t *disk = k.disk;

		keeper_close(&k);
		cr_assert(eq(int, keeper_open(&k, disk, &small), ST_OK));
		expect_list(&k, "second one");
		state_settled(k.state);
		state_healed(k.state);
		/* Files fill up, each with something that is needed, until there are too many. */
		for (unsigned i = 0;
		     i < 10 || (round == 0 && disk_double_size(k.disk, "log-00000001") > 0); i++) {
			save(&k, whole(i % (KEEPER_ZONES - 1), 1000 + i, i + 1));
			for (unsigned n = 0; n < 12; n++)
				save(&k, whole(KEEPER_ZONES - 1, n, i + 1));
		}
	}
	tell_state(&k, STATE_SAVE_LEFT, 0, NULL, 0);
	again(&k);
	expect_list(&k, "");
	end(&k);
}
