/* ctl/service.h - what the supervisor that started the daemon is told (common/supervisor.h).
 *
 *     READY       every zone of the state is loaded; no primary is waited for
 *     STATUS      how the zones stand, every ten seconds; while they are loaded, how many are
 *     EXTEND_...  while they are loaded: it is not stuck
 *     WATCHDOG    the main loop turns, and every worker has since the last time
 *     RELOADING   the settings are being loaded, until READY
 *     STOPPING    it ends
 *
 * Without a supervisor nothing happens. Main thread. */
#pragma once

#include <ev.h>

#include "net/net.h"
#include "refresh/refresh.h"

typedef struct ctl_service ctl_service_t;

/* All borrowed. NULL: there is no supervisor, or no memory. */
ctl_service_t *ctl_service_start(struct ev_loop *loop, const refresh_t *refresh, net_t *net);

/* The settings are being loaded anew; and they were, or were refused. NULL is fine. */
void ctl_service_reloading(ctl_service_t *s);
void ctl_service_reloaded(ctl_service_t *s);

/* It ends: told at once. NULL is fine. */
void ctl_service_stop(ctl_service_t *s);
