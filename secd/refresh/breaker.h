/* refresh/breaker.h - is there a way to this address? Policy alone: no loop, no socket, no clock.
 *
 *     closed --BREAKER_FAILURES in a row--> open --next--> one try --good--> closed
 *                                            ^                |
 *                                            +----- bad ------+   next is twice as far off
 *
 * Shared by all zones that are asked for at the address, so that a dead one costs each of them
 * nothing but a look at this. Only what tells of the way counts: no answer, no connection. An
 * answer of whatever kind is good. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

enum {
	BREAKER_FAILURES = 5,
	BREAKER_FIRST_S = 1,
	BREAKER_LAST_S = 30,
};

/* Starts with zeros. */
typedef struct breaker {
	uint32_t failures; /* in a row */
	bool open;
	bool trying;    /* the one try is under way */
	uint32_t pause; /* seconds until the next try */
	mono_t since;   /* when it opened */
	mono_t next;    /* when to try */
	mono_t sent;    /* when somebody was sent to try; 0: nobody yet */
} breaker_t;

typedef enum breaker_turn {
	BREAKER_STAYS,
	BREAKER_OPENS,
	BREAKER_CLOSES,
} breaker_turn_t;

/* May something be asked now? When it is open, yes once for each pause; whoever got that yes owes
 * breaker_good(), breaker_bad() or breaker_unsaid(). */
bool breaker_allows(breaker_t *b, mono_t now);

/* Would it say yes to the one try, without taking it? */
bool breaker_due(const breaker_t *b, mono_t now);

/* When to send somebody to make the try, while nobody comes by himself: not before it is due, and no
 * sooner than a pause after the last one, who may have found something else to do on his way. */
mono_t breaker_send_at(const breaker_t *b);
void breaker_sent(breaker_t *b, mono_t now);

breaker_turn_t breaker_good(breaker_t *b);
breaker_turn_t breaker_bad(breaker_t *b, mono_t now);

/* The try was given up without a finding. */
void breaker_unsaid(breaker_t *b);
