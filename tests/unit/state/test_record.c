/* tests/unit/state/test_record.c - heads and checks: what comes back is what was put, and one octet
 * that differs is seen. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/buf.h"
#include "state/record.h"

TestSuite(state_record, .timeout = 30);

static const state_record_t sample = {
	.kind = STATE_DELTA,
	.len = 11,
	.version = 0x01020304,
	.from = 0x05060708,
	.serial = 0xfffffffe,
	.stamp = 77,
};

static void seal(uint64_t number, uint8_t head[STATE_RECORD_HEAD])
{
	state_sealer_t *s = state_sealer_new();

	state_seal_begin(s, number, &sample, head);
	state_seal_add(s, "hello", 5);
	state_seal_add(s, "", 0);
	state_seal_add(s, " world", 6);
	state_seal_end(s, head);
	state_sealer_free(s);
}

Test(state_record, comes_back_as_it_was)
{
	uint8_t head[STATE_RECORD_HEAD];
	state_record_t r;

	seal(42, head);
	cr_assert(eq(int, state_record_get(head, 42, &r), ST_OK));
	cr_expect(r.kind == sample.kind && r.len == sample.len);
	cr_expect(r.version == sample.version && r.from == sample.from);
	cr_expect(r.serial == sample.serial && r.stamp == sample.stamp);
	cr_expect(state_record_sound(head, 42, (const uint8_t *)"hello world", 11));
}

Test(state_record, belongs_to_its_file_alone)
{
	uint8_t head[STATE_RECORD_HEAD];
	state_record_t r;

	seal(42, head);
	cr_expect(eq(int, state_record_get(head, 43, &r), ST_MALFORMED));
	cr_expect(not(state_record_sound(head, 43, (const uint8_t *)"hello world", 11)));
}

Test(state_record, each_bit_of_the_head_matters)
{
	uint8_t head[STATE_RECORD_HEAD];
	state_record_t r;

	for (unsigned bit = 0; bit < 8 * STATE_RECORD_HEAD; bit++) {
		seal(42, head);
		head[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_expect(state_record_get(head, 42, &r) == ST_MALFORMED ||
		                  !state_record_sound(head, 42, (const uint8_t *)"hello world", 11),
		          "bit %u", bit);
	}
}

Test(state_record, each_bit_of_the_body_matters)
{
	uint8_t head[STATE_RECORD_HEAD], body[11];

	seal(42, head);
	for (unsigned bit = 0; bit < 8 * sizeof body; bit++) {
		memcpy(body, "hello world", sizeof body);
		body[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_expect(not(state_record_sound(head, 42, body, sizeof body)), "bit %u", bit);
	}
}

/* A body that was sealed behind another head. */
Test(state_record, a_body_belongs_to_its_head)
{
	uint8_t mine[STATE_RECORD_HEAD], other[STATE_RECORD_HEAD];
	state_record_t r = sample;
	state_sealer_t *s = state_sealer_new();

	seal(42, mine);
	r.version++;
	state_seal_begin(s, 42, &r, other);
	state_seal_add(s, "hello world", 11);
	state_seal_end(s, other);
	state_sealer_free(s);
	memcpy(mine + 32, other + 32, 8);
	cr_expect(not(state_record_sound(mine, 42, (const uint8_t *)"hello world", 11)));
}

Test(state_record, takes_a_multiple_of_8)
{
	cr_expect(eq(u64, state_record_size(0), 40));
	cr_expect(eq(u64, state_record_size(1), 48));
	cr_expect(eq(u64, state_record_size(8), 48));
	cr_expect(eq(u64, state_record_size(9), 56));
	cr_expect(eq(u64, state_record_size(UINT32_MAX), UINT64_C(0x100000028)));
}

Test(state_record, one_that_is_too_long_is_refused)
{
	uint8_t head[STATE_RECORD_HEAD];
	state_sealer_t *s = state_sealer_new();
	state_record_t r = sample;

	r.len = STATE_BODY_MAX;
	state_seal_begin(s, 42, &r, head);
	cr_expect(eq(int, state_record_get(head, 42, &r), ST_OK));
	r.len = STATE_BODY_MAX + 1u;
	state_seal_begin(s, 42, &r, head);
	cr_expect(eq(int, state_record_get(head, 42, &r), ST_MALFORMED));
	state_sealer_free(s);
}

/* --- files --------------------------------------------------------------------------------------- */

Test(state_record, a_files_head_comes_back_and_each_bit_matters)
{
	const state_file_head_t in = { STATE_FORMAT, STATE_FILE_ZONE, 0x123456789 };
	uint8_t head[STATE_FILE_HEAD];
	state_file_head_t out;

	state_file_head_put(head, &in);
	cr_assert(eq(int, state_file_head_get(head, &out), ST_OK));
	cr_expect(out.format == in.format && out.kind == in.kind && out.number == in.number);
	for (unsigned bit = 0; bit < 8 * STATE_FILE_HEAD; bit++) {
		head[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_expect(eq(int, state_file_head_get(head, &out), ST_MALFORMED), "bit %u", bit);
		head[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

Test(state_record, a_newer_format_is_told_from_damage)
{
	const state_file_head_t in = { STATE_FORMAT + 1, STATE_FILE_LOG, 1 };
	uint8_t head[STATE_FILE_HEAD];
	state_file_head_t out;

	state_file_head_put(head, &in);
	cr_expect(eq(int, state_file_head_get(head, &out), ST_REFUSED));
	cr_expect(eq(u32, out.format, STATE_FORMAT + 1));
}
