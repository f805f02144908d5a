/* common/clock.c - the one reader of the system's clocks. */
#include "common/clock.h"

#include <fcntl.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

mono_t clock_mono(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (mono_t){ (CLOCK_BOOTS_AT + (int64_t)ts.tv_sec) * NS_PER_S + ts.tv_nsec };
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

bool clock_is_synced(void)
{
	struct timex t = { 0 };

	return adjtimex(&t) != TIME_ERROR && !(t.status & STA_UNSYNC);
}

uint64_t clock_boot(void)
{
	uint64_t boot = 0;
	char id[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, id, sizeof id) : -1;

	if (fd >= 0)
		close(fd);
	/* It is random; each digit counts, rotated to where others don't cover it. */
	for (ssize_t i = 0; i < n && id[i] != '\n'; i++)
		boot = (boot << 5 | boot >> 59) ^ (uint8_t)id[i];
	return boot;
}

int64_t clock_monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
