/* state/record.h - files of the state, and the records in them.
 *
 *     file     magic "secdstat", u32 format, u32 kind, u64 number, u64 check
 *     record   u32 magic, u16 kind, u16 zero, u32 length of the body, u32 version, u32 from,
 *              u32 serial, u32 stamp, u32 check of these, u64 check of the body;
 *              then the body: an apex in wire form, and the content;
 *              then zeros up to a multiple of 8
 *     content  of a version: u32 length and the zone's clocks as it came, then the version
 *
 * All numbers are big-endian. Checks are XXH3, and go from the file's number over the head on to the
 * body: a record of another file, or a head that is not the body's, does not count. A head has a check
 * of its own, so that one can go on behind a body that is damaged; and the number stands in the file's
 * name as well, so that a damaged beginning costs nothing but itself.
 *
 * Nothing here touches a disk. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

enum {
	STATE_FORMAT = 1, /* older ones are read, newer ones left alone */
	STATE_FILE_HEAD = 32,
	STATE_RECORD_HEAD = 40,
	STATE_ALIGN = 8,
	STATE_BODY_MAX = 1 << 30,
	/* Of files, versions, stamps. Each goes on behind the highest, and must not wrap: what is above is
	 * none of ours. */
	STATE_NUMBER_MAX = INT32_MAX,
};

typedef enum state_file_kind {
	STATE_FILE_LOG = 1,  /* records of all zones */
	STATE_FILE_ZONE = 2, /* STATE_PART of one zone, in order */
} state_file_kind_t;

typedef enum state_kind {
	STATE_WHOLE = 1,  /* all of a zone: chunks, each behind a u32 with its length */
	STATE_DELTA = 2,  /* a difference, from version from */
	STATE_CLOCKS = 3, /* of the zone, since: state/clocks.h */
	STATE_OWN = 4,  /* all of a zone in a file of its own: u64 number, u64 length, u32 parts */
	STATE_PART = 5, /* in such a file: a chunk, without an apex; from is its place, from 0 */
	STATE_GONE =
		6, /* of no zone: behind the root's name the zones that nobody follows any more (state/gone.h) */
} state_kind_t;

typedef struct state_file_head {
	uint32_t format, kind;
	uint64_t number;
} state_file_head_t;

typedef struct state_record {
	state_kind_t kind;
	uint32_t len; /* of the body */
	/* Versions of a zone count up, each time that one is saved. from: what a difference begins
	 * with. */
	uint32_t version, from;
	uint32_t serial;
	uint32_t stamp; /* of the clocks: the highest is the newest */
} state_record_t;

void state_file_head_put(uint8_t out[STATE_FILE_HEAD], const state_file_head_t *head);

/* ST_OK; ST_MALFORMED: this is none of ours, or damaged; ST_REFUSED: a newer format, head->format. */
status_t state_file_head_get(const uint8_t in[STATE_FILE_HEAD], state_file_head_t *head);

/* The body comes in pieces, as it will be written; state_record_seal() is the last call. */
typedef struct state_sealer state_sealer_t;
state_sealer_t *state_sealer_new(void); /* NULL: no memory */
void state_sealer_free(state_sealer_t *s);
void state_seal_begin(state_sealer_t *s, uint64_t number, const state_record_t *r,
                      uint8_t out[STATE_RECORD_HEAD]);
void state_seal_add(state_sealer_t *s, const void *piece, size_t len);
void state_seal_end(state_sealer_t *s, uint8_t out[STATE_RECORD_HEAD]);

/* A head alone: ST_OK; ST_MALFORMED. */
status_t state_record_get(const uint8_t in[STATE_RECORD_HEAD], uint64_t number,
                          state_record_t *out);

/* Is this body of r->len octets the head's? */
bool state_record_sound(const uint8_t in[STATE_RECORD_HEAD], uint64_t number, const uint8_t *body,
                        size_t len);

/* What a record with a body of so many octets takes in a file. */
static inline uint64_t state_record_size(uint64_t len)
{
	return (STATE_RECORD_HEAD + len + STATE_ALIGN - 1) & ~(uint64_t)(STATE_ALIGN - 1);
}
