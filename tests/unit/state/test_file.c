/* tests/unit/state/test_file.c - names of files, and the walk over records: damage costs the record
 * that it is in, and nothing else. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "state/file.h"
#include "tests/unit/state/disk_double.h"

TestSuite(state_file, .timeout = 60);

Test(state_file, names_come_back)
{
	static const char *const strange[] = { "",
		                               "log-",
		                               "log-1",
		                               "log-00000000",
		                               "log-0000000g",
		                               "log-0000000A",
		                               "log-000000001",
		                               " log-00000001",
		                               "log-+0000001",
		                               "log-0x000001",
		                               "zone-0000001 ",
		                               "lock",
		                               "zon-00000001",
		                               "log-00000001.tmp" };
	state_file_kind_t kind;
	uint32_t number;
	char name[STATE_NAME_MAX];

	cr_expect(eq(int, strcmp(state_file_name(STATE_FILE_LOG, 42, name), "log-0000002a"), 0));
	cr_expect(state_file_parse(name, &kind, &number));
	cr_expect(kind == STATE_FILE_LOG && number == 42);
	state_file_name(STATE_FILE_ZONE, STATE_NUMBER_MAX, name);
	cr_expect(state_file_parse(name, &kind, &number));
	cr_expect(kind == STATE_FILE_ZONE && number == STATE_NUMBER_MAX);
	for (size_t i = 0; i < ARRAY_LEN(strange); i++)
		cr_expect(not(state_file_parse(strange[i], &kind, &number)), "%s", strange[i]);
}

Test(state_file, one_whose_head_can_not_be_written_is_not_there)
{
	disk_double_t *d = disk_double_new(1);
	state_disk_t *disk = disk_double_disk(d);

	disk_double_refuse(d, DISK_WRITE, 1, 1, ENOSPC);
	cr_expect(eq(int, state_file_create(disk, STATE_FILE_LOG, 1), -ENOSPC));
	cr_expect(eq(sz, disk_double_files(d), 0));
	const int fd = state_file_create(disk, STATE_FILE_LOG, 1);
	cr_expect(fd >= 0);
	cr_expect(eq(u64, disk_double_size(d, "log-00000001"), STATE_FILE_HEAD));
	cr_expect(eq(int, state_file_create(disk, STATE_FILE_LOG, 1), -EEXIST));
	disk->calls->close(disk, fd);
	disk->calls->free(disk);
	disk_double_free(d);
}

/* --- walks --------------------------------------------------------------------------------------- */

enum { RECORDS = 6, NUMBER = 7 };

static const uint32_t lengths[RECORDS] = { 0, 1, 40, 7, 100, 16 };

typedef struct sample {
	uint8_t octets[1024];
	size_t len, at[RECORDS + 1];
} sample_t;

/* A record whose body begins with its place in the file. */
static size_t put_record(uint8_t *out, uint32_t version, uint32_t len)
{
	const state_record_t r = { .kind = STATE_CLOCKS, .len = len, .version = version };
	state_sealer_t *s = state_sealer_new();
	uint8_t *body = out + STATE_RECORD_HEAD;

	memset(out, 0, state_record_size(len));
	memset(body, (int)(0x40 + version), len);
	state_seal_begin(s, NUMBER, &r, out);
	state_seal_add(s, body, len);
	state_seal_end(s, out);
	state_sealer_free(s);
	return state_record_size(len);
}

static void make_sample(sample_t *f)
{
	const state_file_head_t head = { STATE_FORMAT, STATE_FILE_LOG, NUMBER };

	state_file_head_put(f->octets, &head);
	f->len = STATE_FILE_HEAD;
	for (uint32_t i = 0; i < RECORDS; i++) {
		f->at[i] = f->len;
		f->len += put_record(f->octets + f->len, i, lengths[i]);
	}
	f->at[RECORDS] = f->len;
}

typedef struct seen {
	unsigned records; /* a bit for each that was found */
	uint64_t damaged;
	unsigned places;
	uint64_t first, torn;
	status_t status;
} seen_t;

static seen_t walk(const uint8_t *octets, size_t len)
{
	disk_double_t *d = disk_double_new(1);
	state_disk_t *disk = disk_double_disk(d);
	seen_t out = { 0 };
	state_walk_t w;
	state_record_t r;
	const uint8_t *body;
	uint64_t at;

	disk_double_put(d, "log-00000007", octets, len);
	const int fd = disk->calls->open(disk, "log-00000007");
	state_walk_begin(&w, disk, fd, NUMBER, len);
	while ((out.status = state_walk_next(&w, &r, &at, &body)) == ST_OK) {
		cr_assert(r.version < RECORDS && r.len == lengths[r.version]);
		for (uint32_t i = 0; i < r.len; i++)
			cr_assert(eq(u8, body[i], 0x40 + r.version));
		cr_expect(out.records >> r.version == 0, "in order, and once");
		out.records |= 1u << r.version;
	}
	out.damaged = w.damaged;
	out.places = w.places;
	out.first = w.first;
	out.torn = w.open ? w.at - w.run : 0;
	state_walk_end(&w);
	disk->calls->close(disk, fd);
	disk->calls->free(disk);
	disk_double_free(d);
	return out;
}

enum { ALL = (1u << RECORDS) - 1 };

Test(state_file, a_walk_finds_all_records)
{
	sample_t f;

	make_sample(&f);
	const seen_t seen = walk(f.octets, f.len);
	cr_expect(eq(int, seen.status, ST_NOENT));
	cr_expect(seen.records == ALL && seen.damaged == 0 && seen.places == 0);
}

/* Octets behind the body, up to a multiple of 8, are no part of the record. */
static bool is_padding(const sample_t *f, unsigned record, size_t at)
{
	return at >= f->at[record] + STATE_RECORD_HEAD + lengths[record];
}

Test(state_file, each_octet_that_is_damaged_costs_its_record_alone)
{
	sample_t f;

	make_sample(&f);
	for (unsigned i = 0; i < RECORDS; i++) {
		for (size_t at = f.at[i]; at < f.at[i + 1]; at++) {
			f.octets[at] ^= 0x10;
			const seen_t seen = walk(f.octets, f.len);
			const bool costs = !is_padding(&f, i, at);
			const uint64_t size = f.at[i + 1] - f.at[i];

			f.octets[at] ^= 0x10;
			cr_expect(eq(u32, seen.records, costs ? ALL & ~(1u << i) : ALL), "at %zu",
			          at);
			cr_expect(eq(u64, seen.damaged, costs ? size : 0), "at %zu", at);
			cr_expect(eq(u32, seen.places, costs ? 1 : 0), "at %zu", at);
			cr_expect(eq(u64, seen.first, costs ? f.at[i] : 0), "at %zu", at);
			cr_expect(eq(u64, seen.torn, costs && i == RECORDS - 1 ? size : 0),
			          "at %zu", at);
		}
	}
}

Test(state_file, a_head_of_the_file_that_is_damaged_costs_nothing)
{
	sample_t f;

	make_sample(&f);
	memset(f.octets, 0xff, STATE_FILE_HEAD);
	cr_expect(eq(u32, walk(f.octets, f.len).records, ALL));
}

Test(state_file, cut_off_at_any_length_what_is_whole_is_found)
{
	sample_t f;

	make_sample(&f);
	for (size_t len = 0; len <= f.len; len++) {
		const seen_t seen = walk(f.octets, len);
		unsigned want = 0;
		size_t end = STATE_FILE_HEAD;

		for (unsigned i = 0; i < RECORDS && f.at[i + 1] <= len; i++) {
			want |= 1u << i;
			end = f.at[i + 1];
		}
		cr_expect(eq(int, seen.status, ST_NOENT));
		cr_expect(eq(u32, seen.records, want), "of %zu octets", len);
		cr_expect(eq(u64, seen.torn, len > end ? len - end : 0), "of %zu octets", len);
		cr_expect(eq(u64, seen.damaged, seen.torn), "of %zu octets", len);
	}
}

/* What a zone holds is a stranger's: if it looks like a record, it must not become one when the rest of
 * the real one was not written. */
Test(state_file, octets_in_a_record_that_was_cut_off_are_no_record)
{
	uint8_t octets[1024] = { 0 }, inner[128];
	const size_t inner_len = put_record(inner, 2, 40);
	const state_record_t r = { .kind = STATE_WHOLE, .len = 400 };
	state_sealer_t *s = state_sealer_new();
	uint8_t *at = octets + STATE_FILE_HEAD;

	memcpy(at + STATE_RECORD_HEAD + 8, inner, inner_len);
	state_seal_begin(s, NUMBER, &r, at);
	state_seal_add(s, at + STATE_RECORD_HEAD, 400);
	state_seal_end(s, at);
	state_sealer_free(s);
	const seen_t seen = walk(octets, STATE_FILE_HEAD + 300);
	cr_expect(eq(u32, seen.records, 0));
	cr_expect(eq(u64, seen.torn, 300));
}

/* Larger than the window, beside small ones. */
/* In memory of its own. */
static status_t record_at(state_disk_t *disk, int fd, uint64_t at, uint64_t size, state_record_t *r,
                          uint8_t **out)
{
	state_window_t *window = state_window_new();
	const uint8_t *octets;
	status_t st = state_window_record(window, disk, fd, NUMBER, at, size, r, &octets);

	*out = NULL;
	if (st == ST_OK && (*out = malloc((size_t)size)))
		memcpy(*out, octets, (size_t)size);
	state_window_free(window);
	return st;
}

Test(state_file, a_walk_takes_records_of_any_length)
{
	static const uint32_t sizes[] = { 100, 3 << 20, 0, 1 << 20, (1 << 20) - 40, 5 };
	disk_double_t *d = disk_double_new(1);
	state_disk_t *disk = disk_double_disk(d);
	uint8_t *octets = calloc(1, 8 << 20);
	size_t len = STATE_FILE_HEAD;
	state_walk_t w;
	state_record_t r;
	const uint8_t *body;
	uint64_t at, want = STATE_FILE_HEAD;

	for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++)
		len += put_record(octets + len, i, sizes[i]);
	disk_double_put(d, "log-00000007", octets, len);
	const int fd = disk->calls->open(disk, "log-00000007");
	state_walk_begin(&w, disk, fd, NUMBER, len);
	for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint8_t *one;
		state_record_t again;

		cr_assert(eq(int, state_walk_next(&w, &r, &at, &body), ST_OK));
		cr_expect(r.version == i && r.len == sizes[i] && at == want);
		want += state_record_size(r.len);
		cr_assert(eq(int, record_at(disk, fd, at, want - at, &again, &one), ST_OK));
		cr_expect(again.version == i);
		cr_expect(eq(int, memcmp(one + STATE_RECORD_HEAD, body, r.len), 0));
		free(one);
	}
	cr_expect(eq(int, state_walk_next(&w, &r, &at, &body), ST_NOENT));
	state_walk_end(&w);
	disk->calls->close(disk, fd);
	disk->calls->free(disk);
	disk_double_free(d);
	free(octets);
}

Test(state_file, a_read_that_fails_is_told)
{
	disk_double_t *d = disk_double_new(1);
	state_disk_t *disk = disk_double_disk(d);
	sample_t f;
	state_walk_t w;
	state_record_t r;
	const uint8_t *body;
	uint8_t *one;
	uint64_t at;

	make_sample(&f);
	disk_double_put(d, "log-00000007", f.octets, f.len);
	const int fd = disk->calls->open(disk, "log-00000007");
	disk_double_refuse(d, DISK_READ, 1, 2, EIO);
	state_walk_begin(&w, disk, fd, NUMBER, f.len);
	cr_expect(eq(int, state_walk_next(&w, &r, &at, &body), ST_SYSTEM));
	cr_expect(eq(int, errno, EIO));
	cr_expect(eq(int, record_at(disk, fd, f.at[1], 48, &r, &one), ST_SYSTEM));
	cr_expect(eq(ptr, one, NULL));
	cr_expect(eq(int, state_walk_next(&w, &r, &at, &body), ST_OK), "it may be tried again");
	state_walk_end(&w);
	disk->calls->close(disk, fd);
	disk->calls->free(disk);
	disk_double_free(d);
}

Test(state_file, a_record_at_another_place_or_of_another_size_is_damaged)
{
	disk_double_t *d = disk_double_new(1);
	state_disk_t *disk = disk_double_disk(d);
	sample_t f;
	state_record_t r;
	uint8_t *one;

	make_sample(&f);
	disk_double_put(d, "log-00000007", f.octets, f.len);
	const int fd = disk->calls->open(disk, "log-00000007");
	for (uint64_t size = 0; size < 200; size += 8) {
		const status_t want = size == state_record_size(lengths[2]) ? ST_OK : ST_MALFORMED;

		cr_expect(eq(int, record_at(disk, fd, f.at[2], size, &r, &one), want));
		free(one);
		cr_expect(eq(int, record_at(disk, fd, f.at[2] + 8, size, &r, &one), ST_MALFORMED));
	}
	cr_expect(eq(int, record_at(disk, fd, f.len, 48, &r, &one), ST_MALFORMED));
	disk->calls->close(disk, fd);
	disk->calls->free(disk);
	disk_double_free(d);
}
