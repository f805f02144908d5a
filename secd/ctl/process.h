/* ctl/process.h - what this process takes of the machine. Any thread; system calls. */
#pragma once

#include <stdint.h>

/* Resident octets; 0: the system doesn't say. Reads a file. */
uint64_t ctl_process_memory(void);

/* Seconds on a processor since the start, in all threads. */
double ctl_process_cpu(void);
