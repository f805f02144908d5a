/* ctl/http.h - metrics by HTTP, for Prometheus, and whether all is well, for whoever balances load: the
 * door of libmicrohttpd.
 *
 *     GET /metrics  --> gathered in slices of the main loop (ctl/gather.h) --> pages, as they are taken
 *     GET /healthy  --> 200, or 503 and what is wrong
 *
 * It is part of the main loop, which never waits for a client: libmicrohttpd has no thread, and is
 * called when its own epoll descriptor is readable, a step for each connection that can go on.
 * What a client can take is bounded: CTL_HTTP_CLIENTS connections, of one request each, of which the
 * oldest gives way to the next after a second; CTL_HTTP_IDLE seconds without an octet,
 * CTL_HTTP_TIME in all. Whoever reaches the address may ask: it has no users and no TLS. */
#pragma once

#include <stddef.h>

#include "common/addr.h"
#include "ctl/ctl.h"

enum {
	CTL_HTTP_CLIENTS = 16,
	CTL_HTTP_IDLE = 10,
	CTL_HTTP_TIME = 60,
};

typedef struct ctl_http ctl_http_t;

/* Listen on these addresses; the log tells on which it does, and on which it can't. env is copied.
 * NULL: on none of them. Main thread. */
ctl_http_t *ctl_http_start(const ctl_env_t *env, const addr_t *listen, size_t count);

/* Close everything, at once. NULL is fine. */
void ctl_http_stop(ctl_http_t *h);
