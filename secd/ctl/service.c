/* ctl/service.c - a timer that tells, and looks whether the workers work. */
#include "ctl/service.h"

#include <stdlib.h>

#include "common/log.h"
#include "common/supervisor.h"
#include "refresh/report.h"

/* While zones are loaded: between two looks; for how long that may go on unheard. */
#define LOADING_SECONDS 0.1
#define STATUS_SECONDS  10.0
enum { EXTEND_S = 30, TELLS_PER_S = 10, MISSED_TOLD = 2 };

struct ctl_service {
	struct ev_loop *loop;
	const refresh_t *refresh;
	net_t *net;
	supervisor_t to;
	ev_timer loading, status, watchdog;
	unsigned looks;
	unsigned ticket; /* of what the workers were asked last */
	unsigned missed; /* so often in a row a worker had not turned */
};

static void tell_zones(const ctl_service_t *s)
{
	refresh_totals_t t;

	refresh_totals(s->refresh, &t);
	supervisor_tell(
		&s->to,
		"STATUS=%zu zones: %zu fresh, %zu behind, %zu empty, %zu expired, %zu pinned",
		t.zones, t.fresh, t.behind, t.empty, t.expired, t.pinned);
}

static void on_status(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	tell_zones(w->data);
}

static bool is_loading(const ctl_service_t *s)
{
	keep_report_t k;

	return refresh_keep_report(s->refresh, &k) && k.loading && !k.hangs;
}

static void on_loading(struct ev_loop *loop, ev_timer *w, int revents)
{
	ctl_service_t *s = w->data;
	refresh_totals_t t;

	(void)revents;
	if (!is_loading(s)) {
		ev_timer_stop(loop, w);
		supervisor_tell(&s->to, "READY=1");
		tell_zones(s);
		ev_timer_start(loop, &s->status);
		return;
	}
	if (s->looks++ % TELLS_PER_S != 0)
		return;
	refresh_totals(s->refresh, &t);
	supervisor_tell(&s->to, "EXTEND_TIMEOUT_USEC=%d000000\nSTATUS=loading: %zu of %zu zones",
	                EXTEND_S, t.loaded, t.zones);
}

/* Withheld, systemd ends us and starts another. */
static void on_watchdog(struct ev_loop *loop, ev_timer *w, int revents)
{
	ctl_service_t *s = w->data;
	const bool works = net_answered(s->net, s->ticket);

	(void)loop;
	(void)revents;
	s->ticket = net_ask(s->net);
	if (works)
		supervisor_tell(&s->to, "WATCHDOG=1");
	s->missed = works ? 0 : s->missed + 1;
	if (s->missed == MISSED_TOLD) /* once may be a machine that was asleep */
		log_error("watchdog withheld why=\"a worker does not answer any more\"");
}

static void watch(ev_timer *w, void (*cb)(struct ev_loop *, ev_timer *, int), double after,
                  double every, ctl_service_t *s)
{
	ev_timer_init(w, cb, after, every);
	w->data = s;
}

ctl_service_t *ctl_service_start(struct ev_loop *loop, const refresh_t *refresh, net_t *net)
{
	ctl_service_t *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	supervisor_open(&s->to);
	if (s->to.fd < 0) {
		free(s);
		return NULL;
	}
	s->loop = loop;
	s->refresh = refresh;
	s->net = net;
	const double half = (double)s->to.watchdog_ms / 2000;
	watch(&s->loading, on_loading, 0, LOADING_SECONDS, s);
	watch(&s->status, on_status, STATUS_SECONDS, STATUS_SECONDS, s);
	watch(&s->watchdog, on_watchdog, 0, half, s);
	ev_timer_start(loop, &s->loading);
	if (s->to.watchdog_ms > 0)
		ev_timer_start(loop, &s->watchdog);
	return s;
}

void ctl_service_reloading(ctl_service_t *s)
{
	if (!s)
		return;
	supervisor_tell(&s->to, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=loading the settings",
	                (long long)clock_monotonic_us());
}

/* Ready again, if it was: zones of the state may still be coming. */
void ctl_service_reloaded(ctl_service_t *s)
{
	if (!s)
		return;
	if (!ev_is_active(&s->loading))
		supervisor_tell(&s->to, "READY=1");
	tell_zones(s);
}

void ctl_service_stop(ctl_service_t *s)
{
	if (!s)
		return;
	ev_timer_stop(s->loop, &s->loading);
	ev_timer_stop(s->loop, &s->status);
	ev_timer_stop(s->loop, &s->watchdog);
	supervisor_tell(&s->to, "STOPPING=1\nSTATUS=stopping");
	supervisor_close(&s->to);
	free(s);
}
