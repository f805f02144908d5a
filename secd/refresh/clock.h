/* refresh/clock.h - when a zone is due and when it expires: policy alone, no loop, no socket.
 *
 *     never loaded --loaded--> fresh --due--> asked --+-- same serial: REFRESH and EXPIRE restart
 *          ^                                          +-- newer: fetched, and loaded anew
 *          |                                          +-- failed, older: RETRY; EXPIRE runs on
 *          +-- (data kept) expired <---- EXPIRE passed without a good check
 *
 * RFC 1034 4.3.5, RFC 1035 3.3.13, RFC 1912 2.2; serials by RFC 1982. The time is an argument
 * everywhere. A clock belongs to the main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "conf/conf.h"
#include "dns/soa.h"

typedef struct refresh_clock {
	bool loaded;  /* some version was served once; serial and timers are its own */
	bool expired; /* ... and no good check came for EXPIRE seconds */
	uint32_t serial;
	uint32_t refresh, retry, expire; /* seconds, within the group's limits */
	uint32_t failures;               /* rounds in a row that ended without a good check */
	mono_t due;                      /* of the next round */
	mono_t expires;                  /* once loaded */
} refresh_clock_t;

/* What an offered serial means for us. */
typedef enum refresh_verdict {
	REFRESH_CURRENT,   /* the one we hold */
	REFRESH_FETCH,     /* newer, or any at all for a zone that has nothing to lose */
	REFRESH_OLDER,     /* a failed check: the primary went back */
	REFRESH_UNDEFINED, /* 2^31 apart: no order (RFC 1982 3.2); a failed check too */
} refresh_verdict_t;

/* A zone that was never loaded is due at once. */
void refresh_clock_init(refresh_clock_t *c, mono_t now);

refresh_verdict_t refresh_clock_judge(const refresh_clock_t *c, uint32_t offered);

/* A version with this SOA is served from now on. spread is in 0..999: how far the timers are
 * pulled forward, by up to a tenth, so that many zones of one primary drift apart. Never
 * backwards, so nothing is asked later than its primary wished. */
void refresh_clock_loaded(refresh_clock_t *c, const dns_soa_t *soa, const conf_policy_t *policy,
                          mono_t now, unsigned spread);

/* A primary holds the serial that we hold: REFRESH and EXPIRE start again, an expired zone
 * lives again. */
void refresh_clock_current(refresh_clock_t *c, mono_t now, unsigned spread);

/* The round ended without a good check: RETRY. A zone that was never loaded is retried after
 * 1, 2, 4 ... 256 seconds. */
void refresh_clock_failed(refresh_clock_t *c, mono_t now, unsigned spread);

/* NOTIFY: due now, and no failure counts any more. */
void refresh_clock_notified(refresh_clock_t *c, mono_t now);

/* True once when EXPIRE has passed: the zone has expired now. */
bool refresh_clock_tick(refresh_clock_t *c, mono_t now);

/* Text for log lines: "current", "newer", "older", "undefined". */
const char *refresh_verdict_text(refresh_verdict_t v);
