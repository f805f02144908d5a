/* tests/unit/support/wall.c - the clocks of the C library, a step ahead or behind. */
#include "tests/unit/support/wall.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

_Atomic int64_t wall_ahead;

int clock_gettime(clockid_t id, struct timespec *ts)
{
	const int failed = (int)syscall(SYS_clock_gettime, id, ts);

	if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += wall_ahead;
	return failed;
}

/* Whom libev asks. */
int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	const int failed = clock_gettime(CLOCK_REALTIME, &ts);
	*tv = (struct timeval){ ts.tv_sec, ts.tv_nsec / 1000 };
	return failed;
}
