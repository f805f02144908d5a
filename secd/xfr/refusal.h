/* xfr/refusal.h - what a gate (zone/gates.h) or a limit (zone/excess.h) says, as a code with its figures. */
#pragma once

#include <stdint.h>

#include "xfr/why.h"
#include "zone/excess.h"
#include "zone/gates.h"

/* verdict->refused is set, or all of it is zeros.
 *   ttl_mixed   RRsets that came with several TTLs: where a digest differs, the first thing to look
 *               at. */
xfr_why_t xfr_refusal(const zone_verdict_t *verdict, uint64_t ttl_mixed);

/* The limit that was passed; of an RRset without its type. */
xfr_why_t xfr_excess(const zone_excess_t *x);
