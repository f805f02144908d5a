/* common/clock.c - the one reader of the system's clocks. */
#include "common/clock.h"

#include <time.h>

mono_t clock_mono(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (mono_t){ (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec };
}

wall_t clock_wall_coarse(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return (wall_t){ ts.tv_sec };
}

int64_t clock_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / NS_PER_MS;
}
