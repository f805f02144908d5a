/* common/clock.h - time is a type and an argument; only this room reads a clock.
 *
 * mono_t counts nanoseconds by a clock that runs from boot to boot, suspension included
 * (CLOCK_BOOTTIME), so that an EXPIRE of a week is a week also on a machine that slept. It does not
 * begin at the boot with 0, but with CLOCK_BOOTS_AT: what was before has a time as well. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct mono {
	int64_t ns;
} mono_t;

/* Seconds since 1970, for what other machines have to agree with. It may jump. */
typedef struct wall {
	int64_t s;
} wall_t;

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

#define CLOCK_BOOTS_AT INT64_C(630720000) /* 20 years, in seconds */

/* Any thread. A system call at worst: never per query by UDP. */
mono_t clock_mono(void);

/* Any thread. Never a system call: it is as old as the kernel's last tick. */
wall_t clock_wall_coarse(void);

/* Milliseconds since 1970, for people and scripts. Any thread; a system call at worst. */
int64_t clock_wall_ms(void);

/* Microseconds of CLOCK_MONOTONIC, which a supervisor wants to hear. */
int64_t clock_monotonic_us(void);

/* Does the kernel take the wall clock for right, since something keeps it so? A system call. */
bool clock_is_synced(void);

/* A number of this boot: two boots have different ones. 0: the system doesn't say. Reads a file. */
uint64_t clock_boot(void);

static inline mono_t mono_add_s(mono_t t, int64_t s)
{
	return (mono_t){ t.ns + s * NS_PER_S };
}

static inline mono_t mono_add_ms(mono_t t, int64_t ms)
{
	return (mono_t){ t.ns + ms * NS_PER_MS };
}

static inline bool mono_before(mono_t a, mono_t b)
{
	return a.ns < b.ns;
}

static inline mono_t mono_min(mono_t a, mono_t b)
{
	return a.ns < b.ns ? a : b;
}

static inline mono_t mono_max(mono_t a, mono_t b)
{
	return a.ns < b.ns ? b : a;
}

/* b - a in seconds, for libev and for people. */
static inline double mono_diff(mono_t a, mono_t b)
{
	return (double)(b.ns - a.ns) / (double)NS_PER_S;
}
