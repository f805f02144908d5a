/* tests/unit/net/echo.h - stands in for answer/: an answer that says what net/ brought.
 *
 * The opcode of a message says what is done with it. It also aborts when net/ breaks its side of
 * answer_batch()'s contract. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "zone/set.h"

typedef enum echo_op {
	ECHO_PLAIN = 0, /* the message back, with QR set */
	ECHO_NOTIFY =
		4, /* the same, for slot [12]; [13]: has a hint, or is refused; [14..17]: the hint */
	ECHO_SILENT = 14,
	ECHO_BIG = 15, /* the header, then echo_byte()s up to the size in [12..13] */
} echo_op_t;

enum { ECHO_REFUSED = 2 }; /* in [13] */
enum { ECHO_HEADER = 12, ECHO_QUERY = 18 };

/* A query of ECHO_QUERY octets. */
void echo_query(uint8_t out[ECHO_QUERY], unsigned id, echo_op_t op, unsigned arg);

static inline uint8_t echo_byte(unsigned id, size_t at)
{
	return (uint8_t)(id * 31 + at);
}

const zone_slot_t *echo_slot(unsigned i);

/* The largest batch since the process began. */
size_t echo_largest_batch(void);
