/* refresh/clock.h - when a zone is due and when it expires: policy alone, no loop, no socket.
 *
 *     never loaded --loaded--> fresh --due--> asked --+-- same serial: REFRESH and EXPIRE restart
 *          ^                                          +-- newer: fetched, and loaded anew
 *          |                                          +-- failed, older: RETRY; EXPIRE runs on
 *          +-- (data kept) expired <---- EXPIRE passed without a good check
 *
 * RFC 1034 4.3.5, RFC 1035 3.3.13, RFC 1912 2.2, RFC 7314. The time is an argument everywhere. A
 * clock belongs to the main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "conf/conf.h"
#include "dns/soa.h"

typedef struct refresh_clock {
	bool loaded;  /* some version was served once; serial and timers are its own */
	bool expired; /* ... and no good check came for EXPIRE seconds */
	uint16_t
		failures; /* rounds in a row that ended without a good check, as far as they are counted */
	uint32_t serial;
	uint32_t refresh, retry, expire; /* seconds, within the group's limits */
	uint32_t checked;                /* the last good check: seconds since boot */
	mono_t due;                      /* of the next round */
	mono_t expires;                  /* once loaded */
	mono_t outrun; /* since when we know of a newer serial that we can't have; 0: we don't */
} refresh_clock_t;

/* What the primaries said of the serial that we hold. */
typedef struct refresh_check {
	mono_t at;       /* when: of several the one whose word lasts longest */
	bool outrun;     /* some primary has shown a newer one, lately or not */
	bool has_expire; /* it told for how long yet (RFC 7314) ... */
	uint32_t expire; /* ... seconds, from then on */
} refresh_check_t;

/* A zone that was never loaded is due at once. */
void refresh_clock_init(refresh_clock_t *c, mono_t now);

/* A version with this SOA is served from now on. spread is in 0..999: how far the timers are
 * pulled forward, by up to a tenth, so that many zones of one primary drift apart. Never
 * backwards, so nothing is asked later than its primary wished.
 *   left   seconds until the primary's own copy expires (RFC 7314 4): ours does not outlive it.
 *          NULL: it did not say. */
void refresh_clock_loaded(refresh_clock_t *c, const dns_soa_t *soa, const conf_policy_t *policy,
                          const uint32_t *left, mono_t now, unsigned spread);

/* What a clock was when it was saved, in times of now. */
typedef struct refresh_kept {
	bool expired;
	uint16_t failures;
	mono_t checked, expires, outrun;
} refresh_kept_t;

/* A version with this SOA is there again after a restart, with the time that it had left: EXPIRE has
 * run on. It is due when it was; what was due meanwhile is so within overdue_ms, by spread. */
void refresh_clock_restored(refresh_clock_t *c, const dns_soa_t *soa, const refresh_kept_t *kept,
                            const conf_policy_t *policy, mono_t now, unsigned spread,
                            uint32_t overdue_ms);

/* A version with this SOA takes the place of what is held, though no primary has said anything: EXPIRE
 * runs on from the last good check, and so does REFRESH. */
void refresh_clock_replaced(refresh_clock_t *c, const dns_soa_t *soa, const conf_policy_t *policy,
                            mono_t now, unsigned spread);

/* A primary holds the serial that we hold: REFRESH starts again, and EXPIRE does from when it said so;
 * an expired zone lives again. Where the primary tells when its own copy expires, the later of that and of
 * ours counts, so that a chain of secondaries never outlives its head (RFC 7314 4); one that has
 * little left is asked again before it is over, whatever REFRESH says. While a newer
 * serial is known, EXPIRE starts again the first time only, and for stale_grace seconds after it:
 * false: it did not. */
bool refresh_clock_current(refresh_clock_t *c, const refresh_check_t *check,
                           const conf_policy_t *policy, mono_t now, unsigned spread);

/* The round ended without a good check: RETRY. A zone that was never loaded is retried after
 * 1, 2, 4 ... 256 seconds. */
void refresh_clock_failed(refresh_clock_t *c, mono_t now, unsigned spread);

/* The same, but some primary has shown a newer serial that could not be had: it is tried again after
 * 1, 2, 4 ... seconds, within min-retry and RETRY. */
void refresh_clock_missed(refresh_clock_t *c, const conf_policy_t *policy, mono_t now,
                          unsigned spread);

/* The zone is served, but some primary is known to have more: don't wait for REFRESH. */
void refresh_clock_hurry(refresh_clock_t *c, mono_t now, unsigned spread);

/* NOTIFY: due at this time, and no failure counts any more. */
void refresh_clock_notified(refresh_clock_t *c, mono_t at);

/* True once when EXPIRE has passed: the zone has expired now. */
bool refresh_clock_tick(refresh_clock_t *c, mono_t now);

/* How much of EXPIRE has passed, in percent: 0..100; 0 where nothing is held. And when so much will have. */
unsigned refresh_clock_used(const refresh_clock_t *c, mono_t now);
mono_t refresh_clock_used_at(const refresh_clock_t *c, unsigned percent);
