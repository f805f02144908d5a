/* common/supervisor.h - a word to the process that started us: systemd's protocol of datagrams
 * (sd_notify(3)), which others speak as well. Main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct supervisor {
	int fd;              /* -1: nobody wants to know */
	int64_t watchdog_ms; /* it wants to hear "WATCHDOG=1" so often; 0: it does not */
} supervisor_t;

/* By what the environment says (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID), which is then removed from it. */
void supervisor_open(supervisor_t *s);

/* Lines "KEY=VALUE", at most 500 octets. What can't be sent is lost. */
void supervisor_tell(const supervisor_t *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void supervisor_close(supervisor_t *s);
