/* ctl/live_words.h - what a primary was found to do, in words that an operator can act on. For ctl/live
 * alone. No memory, no clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ctl/live_ask.h"

enum { LIVE_WORDS_MAX = 320, LIVE_CODE_MAX = 32 };

/* Of one finding: "serial 7", "no answer", "BADTIME: its clock is 412 s ahead" ...
 *   key        as the settings name it; NULL: nothing was signed.
 *   has_zone   it has shown the zone's SOA, so a transfer that it denies is a matter of its ACL.
 * Returns out. */
const char *live_words(const live_finding_t *f, live_question_t q, const conf_key_t *key,
                       bool has_zone, char out[LIVE_WORDS_MAX]);

/* The same for a script: "REFUSED" and other rcodes, "BADKEY" and other errors of TSIG, "ECONNREFUSED"
 * and other errnos, "NO_ANSWER" and other names of xfr/why.h; NULL: nothing is wrong. */
const char *live_code(const live_finding_t *f, live_question_t q, char out[LIVE_CODE_MAX]);

/* Is it as it should be? An answer by UDP that is cut short is: the question goes on by TCP. */
bool live_is_good(const live_finding_t *f, live_question_t q);
