/* tests/tools/reboot.c - another boot of the machine, for one process: to be preloaded.
 *
 * In the environment: REBOOT_ID is a file that stands for /proc/sys/kernel/random/boot_id; REBOOT_UP
 * and REBOOT_WALL are seconds to be added to the time since boot and to the time of day; REBOOT_SYNCED
 * is a file: while it is there, the kernel takes the time of day for right. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

static long seconds(const char *name)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	static __typeof__(&clock_gettime) real;
	static long up, wall;

	if (!real) {
		up = seconds("REBOOT_UP");
		wall = seconds("REBOOT_WALL");
		real = REAL(clock_gettime);
	}
	int result = real(clock, out);

	if (clock == CLOCK_BOOTTIME)
		out->tv_sec += up;
	else if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		out->tv_sec += wall;
	return result;
}

int adjtimex(struct timex *t)
{
	const char *synced = getenv("REBOOT_SYNCED");
	const int good = synced && access(synced, F_OK) == 0;

	t->status = good ? 0 : STA_UNSYNC;
	return good ? TIME_OK : TIME_ERROR;
}

int open(const char *path, int flags, ...)
{
	const char *id = getenv("REBOOT_ID");
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return REAL(open)(id && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0 ? id : path,
	                  flags, mode);
}
