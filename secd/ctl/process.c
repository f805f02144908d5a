/* ctl/process.c - as the kernel has it. */
#include "ctl/process.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

uint64_t ctl_process_memory(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

double ctl_process_cpu(void)
{
	struct rusage use;

	return getrusage(RUSAGE_SELF, &use) == 0 ? seconds(use.ru_utime) + seconds(use.ru_stime)
	                                         : 0;
}
