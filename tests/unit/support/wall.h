/* tests/unit/support/wall.h - a wall clock that can be stepped, for all of a test's process.
 *
 * It stands before the C library's, so that libev and common/clock.c see the step, too. Clocks that
 * nobody can set are left alone. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* Seconds that the wall clock is ahead of the system's. */
extern _Atomic int64_t wall_ahead;
