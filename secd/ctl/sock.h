/* ctl/sock.h - the socket's place in the file system. For ctl/ alone. */
#pragma once

#include <sys/types.h>

#include "common/status.h"

typedef struct ctl_sock {
	int fd;
	dev_t dev; /* what was bound, to know it again */
	ino_t ino;
} ctl_sock_t;

/* As ctl_open(). On ST_OK out->fd listens, does not block, and is closed on exec. */
status_t ctl_sock_open(const char *path, ctl_sock_t *out, char why[256]);

/* Close it, and remove path unless it is another's by now. */
void ctl_sock_close(ctl_sock_t *s, const char *path);
