/* ctl/skew.h - what this daemon knows of a zone's serials, for secdctl, which asks the rest of the world.
 *
 * The content of the answer is lines of words between blanks, whatever form was asked for; blanks in a word
 * are \032, a dash stands for what there is not, and a client passes over lines that it does not know:
 *
 *     zone NAME
 *     held SERIAL LOADED CHECKED        seconds ago: when it came, when a primary confirmed it last
 *     served yes | empty | expired
 *     round over | under-way            are primaries being asked?
 *     primary NAME ADDRESS SERIAL SHOWN WHY ...
 *                                       seconds ago: when it showed that; WHY: it failed since
 *     server NAME ADDRESS               of the NS at the apex: a line for each address, or one
 *
 * For ctl/ alone. */
#pragma once

#include "ctl/verbs.h"

/* CTL_TEXT with call->text, malloc()ed, or CTL_NO. Main thread. */
ctl_outcome_t ctl_skew(ctl_call_t *call);
