/* state/record.c - numbers into octets, and XXH3 over them. */
#include "state/record.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/buf.h"

static const uint8_t file_magic[8] = "secdstat";
static const uint32_t record_magic = 0xd15ec0de;

enum { FILE_CHECKED = 24, HEAD_CHECKED = 28, HEAD_CHECK_AT = 28, BODY_CHECK_AT = 32 };

void state_file_head_put(uint8_t out[STATE_FILE_HEAD], const state_file_head_t *head)
{
	memcpy(out, file_magic, sizeof file_magic);
	put_u32(out + 8, head->format);
	put_u32(out + 12, head->kind);
	put_u64(out + 16, head->number);
	put_u64(out + FILE_CHECKED, XXH3_64bits(out, FILE_CHECKED));
}

status_t state_file_head_get(const uint8_t in[STATE_FILE_HEAD], state_file_head_t *head)
{
	if (memcmp(in, file_magic, sizeof file_magic) != 0 ||
	    get_u64(in + FILE_CHECKED) != XXH3_64bits(in, FILE_CHECKED))
		return ST_MALFORMED;
	*head = (state_file_head_t){
		.format = get_u32(in + 8),
		.kind = get_u32(in + 12),
		.number = get_u64(in + 16),
	};
	return head->format <= STATE_FORMAT ? ST_OK : ST_REFUSED;
}

/* --- records ----------------------------------------------------------------------------------- */

struct state_sealer {
	XXH3_state_t *xxh;
};

state_sealer_t *state_sealer_new(void)
{
	state_sealer_t *s = malloc(sizeof *s);

	if (s && !(s->xxh = XXH3_createState())) {
		free(s);
		return NULL;
	}
	return s;
}

void state_sealer_free(state_sealer_t *s)
{
	if (!s)
		return;
	XXH3_freeState(s->xxh);
	free(s);
}

static uint64_t check_head(const uint8_t *head, uint64_t number)
{
	return XXH3_64bits_withSeed(head, HEAD_CHECKED, number);
}

void state_seal_begin(state_sealer_t *s, uint64_t number, const state_record_t *r,
                      uint8_t out[STATE_RECORD_HEAD])
{
	memset(out, 0, STATE_RECORD_HEAD);
	put_u32(out, record_magic);
	put_u16(out + 4, r->kind);
	put_u32(out + 8, r->len);
	put_u32(out + 12, r->version);
	put_u32(out + 16, r->from);
	put_u32(out + 20, r->serial);
	put_u32(out + 24, r->stamp);
	const uint64_t check = check_head(out, number);
	put_u32(out + HEAD_CHECK_AT, (uint32_t)check);
	XXH3_64bits_reset_withSeed(s->xxh, check);
}

void state_seal_add(state_sealer_t *s, const void *piece, size_t len)
{
	XXH3_64bits_update(s->xxh, piece, len);
}

void state_seal_end(state_sealer_t *s, uint8_t out[STATE_RECORD_HEAD])
{
	put_u64(out + BODY_CHECK_AT, XXH3_64bits_digest(s->xxh));
}

status_t state_record_get(const uint8_t in[STATE_RECORD_HEAD], uint64_t number, state_record_t *out)
{
	if (get_u32(in) != record_magic ||
	    get_u32(in + HEAD_CHECK_AT) != (uint32_t)check_head(in, number))
		return ST_MALFORMED;
	*out = (state_record_t){
		.kind = get_u16(in + 4),
		.len = get_u32(in + 8),
		.version = get_u32(in + 12),
		.from = get_u32(in + 16),
		.serial = get_u32(in + 20),
		.stamp = get_u32(in + 24),
	};
	return out->len <= STATE_BODY_MAX ? ST_OK : ST_MALFORMED;
}

bool state_record_sound(const uint8_t in[STATE_RECORD_HEAD], uint64_t number, const uint8_t *body,
                        size_t len)
{
	return get_u64(in + BODY_CHECK_AT) ==
	       XXH3_64bits_withSeed(body, len, check_head(in, number));
}
