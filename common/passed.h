/* common/passed.h - sockets that whoever started us has opened for us: systemd's protocol (sd_listen_fds(3)), which others
 * speak as well.
 *
 *     LISTEN_PID=4711 LISTEN_FDS=2 LISTEN_FDNAMES=dns:dns     descriptors 3 and 4 of process 4711 */
#pragma once

#include <stddef.h>

enum {
	PASSED_FIRST = 3,   /* the first descriptor */
	PASSED_MAX = 16384, /* nobody means more of them */
	PASSED_NAME_MAX = 64,
	PASSED_WHY_MAX = 160,
};

typedef struct passed {
	int *fds; /* those that are open; what they are is for the caller to find out */
	size_t count;
	char *names;              /* as they came; NULL: none */
	char why[PASSED_WHY_MAX]; /* what could not be understood, and was passed over; else empty */
} passed_t;

/* By what the environment says, if that is meant for this process; it is removed from it. All are closed on exec.
 * Before anything else opens a descriptor; passed_close() is due. Main thread. */
void passed_open(passed_t *out);

/* The name of this one, cut to fit; "" if it has none. Returns out. */
const char *passed_name(const passed_t *p, int fd, char out[PASSED_NAME_MAX]);

/* The descriptors stay. */
void passed_close(passed_t *p);
