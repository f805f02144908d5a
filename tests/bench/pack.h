/* tests/bench/pack.h - a file of transfers, ready to be sent.
 *
 * Entry after entry, all numbers big-endian:
 *
 *     kind 'A' or 'I' | apex_len 1 | soa_len 2 | from 4 | serial 4 | records 4 | len 8
 *     apex, wire form | SOA record with the owner C00C | messages, len octets
 *
 * A message is framed by two octets of length as on a stream, has id 0 and the question of the
 * transfer, and only pointers to offset 12. An 'A' is a whole zone; an 'I' the difference from
 * the serial "from". Entries of one zone stand together, serials ascending. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

typedef struct pack {
	const uint8_t *base; /* mapped; everything below points into it */
	size_t len;
} pack_t;

typedef struct pack_entry {
	char kind;
	uint8_t apex_len;
	uint16_t soa_len;
	uint32_t from, serial, records;
	const uint8_t *apex, *soa, *messages;
	size_t len; /* of messages */
} pack_entry_t;

/* Map a file. False with a line on standard error. */
bool pack_open(const char *path, pack_t *out);

/* The next entry at in, which starts as buf_over(base, len). False at the end, and when the file
 * is broken: then buf_ok(in) is false. */
bool pack_next(buf_t *in, pack_entry_t *out);

/* The next message of an entry without its frame; *pos starts at 0. NULL behind the last. */
const uint8_t *pack_message(const pack_entry_t *e, size_t *pos, size_t *len);
