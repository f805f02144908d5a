/* tests/unit/state/test_damage.c - what is damaged costs its own zone, also when it comes back later. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state/record.h"
#include "tests/unit/state/dice.h"
#include "tests/unit/state/keeper.h"

TestSuite(state_damage, .timeout = 60);

static const keeper_conf_t plain = { 0 }, look = { .no_start = true };
static const keeper_conf_t one_each = { .segment = 64 }; /* a file for each save */

static void save(keeper_t *k, keeper_put_t put)
{
	cr_expect(eq(int, keeper_save_now(k, &put), ST_OK));
}

static keeper_put_t whole(unsigned zone, uint64_t content)
{
	return (keeper_put_t){ .zone = zone, .content = content, .clocks = content, .octets = 60 };
}

static keeper_put_t delta(unsigned zone, uint64_t difference)
{
	return (keeper_put_t){ .zone = zone,
		               .content = difference,
		               .clocks = difference,
		               .octets = 20,
		               .delta = true };
}

static keeper_put_t big(unsigned zone, uint64_t content)
{
	return (keeper_put_t){ .zone = zone,
		               .content = content,
		               .clocks = content,
		               .octets = STATE_OWN_ABOVE / 4,
		               .chunks = 5 };
}

static void again(keeper_t *k, const keeper_conf_t *conf)
{
	disk_double_t *disk = k->disk;

	keeper_close(k);
	cr_assert(eq(int, keeper_open(k, disk, conf), ST_OK));
}

static void end(keeper_t *k)
{
	keeper_close(k);
	disk_double_free(k->disk);
}

/* --- octets that flip ---------------------------------------------------------------------------- */

enum { ZONES = 8, FLIPS = 3000 };

/* Each zone has a whole version, two differences, and clocks. */
static disk_double_t *eight_zones(void)
{
	keeper_t k;

	cr_assert(eq(int, keeper_open(&k, disk_double_new(1), &plain), ST_OK));
	for (unsigned z = 0; z < ZONES; z++) {
		const keeper_put_t c = { .zone = z, .clocks = 90 + z, .clocks_only = true };

		save(&k, whole(z, 10 + z));
		save(&k, delta(z, 30 + z));
		save(&k, delta(z, 50 + z));
		save(&k, c);
	}
	keeper_close(&k);
	return k.disk;
}

/* The zone is one of its versions; *hurt counts if it is not the last, or has not the last clocks. */
static void expect_some(const keeper_t *k, unsigned z, unsigned *hurt)
{
	const uint64_t first = 10 + z, second = keeper_next(first, 30 + z),
		       last = keeper_next(second, 50 + z);
	uint64_t content, clocks;
	const status_t st = keeper_read(k, z, &content);

	if (st == ST_NOENT) {
		++*hurt;
		return;
	}
	cr_assert(eq(int, st, ST_OK));
	cr_assert(eq(int, keeper_read_clocks(k, z, &clocks), ST_OK));
	cr_expect(content == first || content == second || content == last);
	*hurt += content != last || clocks != 90 + z;
}

Test(state_damage, a_bit_that_flips_costs_one_zone_at_most)
{
	disk_double_t *disk = eight_zones();
	const char *name = disk_double_name(disk, 0);
	const uint64_t size = disk_double_size(disk, name);
	dice_t dice = { 5 };
	unsigned costs = 0;

	for (unsigned i = 0; i < FLIPS; i++) {
		const uint64_t octet = dice_below(&dice, (uint32_t)size);
		const unsigned bit = dice_below(&dice, 8);
		unsigned hurt = 0;
		keeper_t k;

		disk_double_flip(disk, name, octet, bit);
		cr_assert(eq(int, keeper_open(&k, disk, &look), ST_OK));
		for (unsigned z = 0; z < ZONES; z++)
			expect_some(&k, z, &hurt);
		cr_expect(hurt <= 1, "octet %u, bit %u", (unsigned)octet, bit);
		cr_expect(hurt == 0 || k.scan.damaged + k.scan.torn > 0);
		costs += hurt;
		keeper_close(&k);
		disk_double_flip(disk, name, octet, bit);
	}
	cr_expect(gt(u32, costs, FLIPS / 2));
	disk_double_free(disk);
}

Test(state_damage, cut_off_anywhere_what_was_before_is_there)
{
	disk_double_t *disk = eight_zones();
	const char *name = disk_double_name(disk, 0);

	for (uint64_t size = disk_double_size(disk, name); size-- > 0;) {
		unsigned hurt = 0;
		keeper_t k;

		disk_double_shorten(disk, name, size);
		cr_assert(eq(int, keeper_open(&k, disk, &look), ST_OK));
		for (unsigned z = 0; z < ZONES; z++)
			expect_some(&k, z, &hurt);
		cr_expect(eq(u64, k.scan.damaged, 0));
		keeper_close(&k);
	}
	disk_double_free(disk);
}

Test(state_damage, in_the_file_of_a_big_zone_it_costs_that_zone)
{
	keeper_t k;
	uint64_t content;
	dice_t dice = { 6 };

	cr_assert(eq(int, keeper_open(&k, disk_double_new(1), &plain), ST_OK));
	save(&k, big(0, 10));
	save(&k, whole(1, 11));
	const char *name = disk_double_name(k.disk, 1);
	for (unsigned i = 0; i < 20; i++) {
		const uint64_t octet = STATE_FILE_HEAD +
		                       dice_below(&dice, (uint32_t)disk_double_size(k.disk, name) -
		                                                 STATE_FILE_HEAD);

		disk_double_flip(k.disk, name, octet, 1);
		again(&k, &plain);
		cr_expect(eq(int, keeper_read(&k, 0, &content), ST_MALFORMED), "at %u",
		          (unsigned)octet);
		keeper_expect(&k, 1, 11, 11);
		disk_double_flip(k.disk, name, octet, 1);
	}
	disk_double_shorten(k.disk, name, disk_double_size(k.disk, name) - 8);
	again(&k, &plain);
	keeper_expect(&k, 0, 0, 0);
	keeper_expect(&k, 1, 11, 11);
	save(&k, big(0, 12));
	again(&k, &plain);
	keeper_expect(&k, 0, 12, 12);
	end(&k);
}

/* --- what comes back later ------------------------------------------------------------------------ */

/* Files that could not be opened at one start can be at the next; meanwhile the zone went on from what
 * was before them, and its versions must not be taken for those in them. */
Test(state_damage, versions_that_were_lost_and_come_back_are_not_mixed_with_new_ones)
{
	keeper_t k;

	cr_assert(eq(int, keeper_open(&k, disk_double_new(1), &one_each), ST_OK));
	save(&k, whole(0, 10));
	save(&k, delta(0, 11));
	save(&k, delta(0, 12));
	save(&k, delta(0, 13));
	save(&k, whole(1, 20));
	keeper_close(&k);
	/* All but the first, when heads are looked at and again when they are scanned. */
	disk_double_refuse(k.disk, DISK_OPEN, 2, 4 + 4, EIO);
	cr_assert(eq(int, keeper_open(&k, k.disk, &one_each), ST_OK));
	keeper_expect(&k, 0, 10, 10);
	keeper_expect(&k, 1, 0, 0);
	save(&k, delta(0, 99));
	save(&k, whole(1, 21));
	again(&k, &one_each);
	keeper_expect(&k, 0, keeper_next(10, 99), 99);
	keeper_expect(&k, 1, 21, 21);
	end(&k);
}

/* The record of a big version is on the disk, but its save failed and its file was removed. The next
 * start must not give that file's number to another zone's. */
Test(state_damage, the_number_of_a_file_that_a_record_names_is_not_given_again)
{
	keeper_t k;
	const keeper_put_t b = big(1, 20);

	cr_assert(eq(int, keeper_open(&k, disk_double_new(1), &plain), ST_OK));
	save(&k, whole(0, 10));
	save(&k, whole(1, 11));
	disk_double_block(k.disk, DISK_SYNC, "zone-");
	keeper_save(&k, &b);
	disk_double_wait_blocked(k.disk);
	disk_double_refuse(k.disk, DISK_SYNC, 2, 1, EIO); /* that of the record */
	disk_double_unblock(k.disk);
	keeper_wait_all(&k);
	cr_expect(eq(int, k.last.error, EIO));
	again(&k, &plain);
	keeper_expect(&k, 1, 11, 11);
	save(&k, big(2, 30));
	again(&k, &plain);
	keeper_expect(&k, 0, 10, 10);
	keeper_expect(&k, 1, 11, 11);
	keeper_expect(&k, 2, 30, 30);
	end(&k);
}

/* log-00000002 with one sound record of a zone, whatever its head says: no clocks, and content. */
static void put_record(disk_double_t *disk, state_record_t r, const uint8_t content[30])
{
	uint8_t octets[STATE_FILE_HEAD + 128] = { 0 }, *head = octets + STATE_FILE_HEAD;
	const state_file_head_t file = { STATE_FORMAT, STATE_FILE_LOG, 2 };
	state_sealer_t *s = state_sealer_new();

	r.len = 10 + 4 + 30;
	state_file_head_put(octets, &file);
	memcpy(head + STATE_RECORD_HEAD, keeper_apex(0), 10);
	memcpy(head + STATE_RECORD_HEAD + 14, content, 30);
	state_seal_begin(s, 2, &r, head);
	state_seal_add(s, head + STATE_RECORD_HEAD, r.len);
	state_seal_end(s, head);
	state_sealer_free(s);
	disk_double_put(disk, "log-00000002", octets, STATE_FILE_HEAD + state_record_size(r.len));
}

/* A sound record of a kind that this secd does not write. */
Test(state_damage, a_record_of_another_kind_takes_nothing_away)
{
	static const uint8_t content[30];
	keeper_t k;

	cr_assert(eq(int, keeper_open(&k, disk_double_new(1), &plain), ST_OK));
	save(&k, whole(0, 10));
	const keeper_put_t c = { .zone = 0, .clocks = 77, .clocks_only = true };
	save(&k, c);
	keeper_close(&k);
	for (unsigned kind = 0; kind < 9; kind++) {
		const state_record_t r = { .kind = kind == 0 || kind >= STATE_PART ? kind
			                                                           : STATE_PART,
			                   .version = 9,
			                   .stamp = 9 };

		put_record(k.disk, r, content);
		cr_assert(eq(int, keeper_open(&k, k.disk, &look), ST_OK));
		keeper_expect(&k, 0, 10, 77);
		cr_expect(eq(u32, state_zone_queued(k.zones[0]), 1));
		cr_expect(not(state_zone_is_behind(k.zones[0])));
		keeper_close(&k);
	}
	disk_double_free(k.disk);
}

/* Numbers go on behind the highest, so that one at the end would leave none for what comes. */
Test(state_damage, a_number_at_the_end_stops_nothing)
{
	static const state_record_t records[] = {
		{ .kind = STATE_WHOLE, .version = UINT32_MAX, .stamp = 2 },
		{ .kind = STATE_WHOLE, .version = 2, .stamp = UINT32_MAX },
		{ .kind = STATE_CLOCKS, .version = 1, .stamp = UINT32_MAX },
		{ .kind = STATE_OWN, .version = 1, .stamp = 1 }, /* of a file UINT32_MAX */
	};
	static const uint8_t content[30] = { 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0,
		                             0, 0, 0, 0, 0,    1,    0,    0,    0, 1 };

	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		keeper_t k;

		cr_assert(eq(int, keeper_open(&k, disk_double_new(1), &plain), ST_OK));
		save(&k, whole(0, 10));
		keeper_close(&k);
		put_record(k.disk, records[i], content);
		cr_assert(eq(int, keeper_open(&k, k.disk, &plain), ST_OK));
		keeper_expect(&k, 0, 10, 10);
		save(&k, whole(0, 20));
		save(&k, delta(0, 30));
		save(&k, big(1, 40));
		again(&k, &plain);
		keeper_expect(&k, 0, keeper_next(20, 30), 30);
		keeper_expect(&k, 1, 40, 40);
		end(&k);
	}
}

/* A foreign file has the last number: there is none for another, and that is told. */
Test(state_damage, a_file_at_the_end_is_told)
{
	keeper_t k;
	const keeper_put_t put = whole(0, 10);

	cr_assert(eq(int, keeper_open(&k, disk_double_new(1), &plain), ST_OK));
	keeper_close(&k);
	disk_double_put(k.disk, "log-7fffffff", "", 0);
	cr_assert(eq(int, keeper_open(&k, k.disk, &plain), ST_OK));
	for (int i = 0; i < 2; i++) {
		cr_expect(eq(int, keeper_save_now(&k, &put), ST_SYSTEM));
		cr_expect(eq(int, k.last.error, EOVERFLOW));
	}
	cr_expect(eq(sz, disk_double_files(k.disk), 1));
	end(&k);
}
