/* live/reload.c - read, checked, prepared, in force, and the old ones gone. */
#include "live/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mailbox.h"

/* Zones of the state are being loaded: until it is tried again, and until that is told. */
#define LATER_SECONDS 0.05
#define QUIET_SECONDS 1.

/* Who has asked. */
typedef struct asker {
	struct asker *next;
	ctl_reload_cb done;
	void *arg;
} asker_t;

struct reload {
	reload_env_t env;
	asker_t *askers;  /* of the one under way */
	asker_t *waiting; /* for the next */
	bool running, again, force, force_again, stopped;
	bool waits; /* which was told */
	mono_t began;

	/* The thread's, until its mail has come. */
	pool_t *reader;
	pool_job_t job;
	mailbox_t box;
	mail_t mail;
	status_t status;
	conf_t *conf;
	conf_faults_t faults;

	settings_t *next;   /* prepared */
	settings_t *before; /* workers may still know of it */
	ev_timer later;
	ctl_reload_result_t result;
	char why[1024], restart[SETTINGS_RESTART_MAX], short_of[256];
};

/* --- the end ----------------------------------------------------------------------------------- */

static void tell(reload_t *r)
{
	const ctl_reload_result_t *res = &r->result;

	if (res->why)
		log_error(
			"settings refused file=%s faults=%zu why=\"%s\" next=\"those before stay\"",
			r->env.path, r->faults.errors, res->why);
	else
		log_notice("settings loaded file=%s zones=%zu added=%zu removed=%zu moved=%zu "
		           "seconds=%.3f",
		           r->env.path, res->zones, res->added, res->removed, res->moved,
		           mono_diff(r->began, clock_mono()));
	if (!res->why && res->restart)
		log_warn("settings partly file=%s restart=\"%s\" why=\"these change at a start "
		         "alone\"",
		         r->env.path, res->restart);
	if (res->short_of)
		log_warn("settings partly file=%s why=\"%s\"", r->env.path, res->short_of);
}

static void answer(asker_t **list, const ctl_reload_result_t *result)
{
	asker_t *a;

	while ((a = *list)) {
		*list = a->next;
		if (a->done)
			a->done(a->arg, result);
		free(a);
	}
}

static void begin(reload_t *r);

static void end(reload_t *r)
{
	r->result.faults = &r->faults;
	settings_tell_faults(&r->faults);
	tell(r);
	answer(&r->askers, &r->result);
	conf_faults_free(&r->faults);
	r->running = false;
	if (r->env.ends)
		r->env.ends(r->env.arg);
	if (!r->again || r->stopped)
		return;
	r->askers = r->waiting;
	r->waiting = NULL;
	r->force = r->force_again;
	r->again = r->force_again = false;
	begin(r);
}

static void refuse(reload_t *r, const char *why)
{
	snprintf(r->why, sizeof r->why, "%s", why);
	r->result.why = r->why;
	settings_free(r->next);
	r->next = NULL;
	end(r);
}

/* --- in force ---------------------------------------------------------------------------------- */

/* No worker knows those before any more. */
static void on_changed(void *arg)
{
	reload_t *r = arg;

	settings_free(r->before);
	r->before = NULL;
	end(r);
}

static void apply_limits(const reload_t *r)
{
	const conf_t *now = (*r->env.settings)->conf, *before = r->before->conf;

	xfr_env_set_memory(r->env.xfr, now->transfer_memory);
	pool_resize(r->env.builders, now->builders);
	if (now->log_level != before->log_level)
		log_set_level(now->log_level);
}

static void apply(reload_t *r, net_change_t *change)
{
	settings_t *now = *r->env.settings;

	r->before = now;
	*r->env.settings = r->next;
	r->next = NULL;
	apply_limits(r);
	settings_restart(r->before->conf, (*r->env.settings)->conf, r->restart);
	r->result.restart = r->restart[0] != '\0' ? r->restart : NULL;
	net_change(change, on_changed, r, r->short_of);
	r->result.short_of = r->short_of[0] != '\0' ? r->short_of : NULL;
}

/* Zones of the state come first: they belong to the settings before. */
static void wait_for_state(reload_t *r)
{
	if (!r->waits && mono_diff(r->began, clock_mono()) > QUIET_SECONDS) {
		r->waits = true;
		log_notice("settings waiting file=%s why=\"zones of the state are being loaded\"",
		           r->env.path);
	}
	ev_timer_set(&r->later, LATER_SECONDS, 0.);
	ev_timer_start(r->env.loop, &r->later);
}

/* Nothing is bound before it can be put in force: what is bound takes queries from whoever has the address. */
static void try_it(reload_t *r)
{
	const conf_t *c = r->next->conf;
	refresh_reload_t order = { .force = r->force,
		                   .share_most = c->max_removed,
		                   .keep_removed = c->keep_removed };
	net_change_t *change;
	char why[256];

	if (refresh_is_loading(r->env.refresh)) {
		wait_for_state(r);
		return;
	}
	change = net_prepare(r->env.net, &r->next->net, why);
	if (!change) {
		refuse(r, why);
		return;
	}
	const status_t st = refresh_reload(r->env.refresh, c, &r->next->keys, &order);
	if (st != ST_OK) {
		net_drop(change);
		refuse(r, st == ST_REFUSED ? order.why : status_text(st));
	} else {
		r->result.zones = order.zones;
		r->result.added = order.added;
		r->result.removed = order.removed;
		r->result.moved = order.moved;
		apply(r, change);
	}
}

static void on_later(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	try_it(w->data);
}

/* --- read -------------------------------------------------------------------------------------- */

/* The first of them, for who sees one line alone. */
static void refuse_faults(reload_t *r)
{
	char text[sizeof r->why - 32] = "";

	for (size_t i = 0; i < r->faults.count; i++) {
		if (!r->faults.list[i].is_warning) {
			conf_fault_text(&r->faults.list[i], text, sizeof text);
			break;
		}
	}
	refuse(r, text[0] != '\0' ? text : status_text(r->status));
}

static void on_read(void *arg, mail_t *mail)
{
	reload_t *r = arg;
	status_t st;

	(void)mail;
	pool_free(r->reader);
	r->reader = NULL;
	if (r->stopped) {
		conf_free(r->conf);
		r->conf = NULL;
		return;
	}
	if (r->status != ST_OK) {
		refuse_faults(r);
		return;
	}
	st = settings_make(r->conf, *r->env.settings, &r->next);
	r->conf = NULL;
	if (st == ST_LIMIT)
		refuse(r, "too many keys have come and gone: restart secd");
	else if (st != ST_OK)
		refuse(r, status_text(st));
	else
		try_it(r);
}

static void run_reader(pool_job_t *job)
{
	reload_t *r = (reload_t *)(void *)((char *)job - offsetof(reload_t, job));

	r->status = conf_read(r->env.path, &r->conf, &r->faults);
	mailbox_send(&r->box, &r->mail);
}

static void begin(reload_t *r)
{
	r->running = true;
	r->waits = false;
	r->began = clock_mono();
	r->result = (ctl_reload_result_t){ 0 };
	r->faults = (conf_faults_t){ 0 };
	log_notice("settings loading file=%s", r->env.path);
	if (r->env.begins)
		r->env.begins(r->env.arg);
	r->reader = pool_new("secd-conf", 1);
	if (!r->reader) {
		refuse(r, "no thread could be started");
		return;
	}
	r->job.run = run_reader;
	pool_push(r->reader, &r->job);
}

void reload_ask(reload_t *r, bool force, ctl_reload_cb done, void *arg)
{
	static const ctl_reload_result_t no_memory = { .why = "out of memory" };
	asker_t *a = malloc(sizeof *a);

	if (!a) {
		if (done)
			done(arg, &no_memory);
		return;
	}
	*a = (asker_t){ .done = done, .arg = arg };
	if (r->running) { /* the files may have changed since they were read */
		a->next = r->waiting;
		r->waiting = a;
		r->again = true;
		r->force_again |= force;
		return;
	}
	a->next = r->askers;
	r->askers = a;
	r->force = force;
	begin(r);
}

/* --- life -------------------------------------------------------------------------------------- */

reload_t *reload_new(const reload_env_t *env)
{
	reload_t *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->env = *env;
	ev_init(&r->later, on_later);
	r->later.data = r;
	mailbox_open(&r->box, env->loop, on_read, r);
	return r;
}

void reload_stop(reload_t *r)
{
	static const ctl_reload_result_t ends = { .why = "secd ends" };

	if (!r)
		return;
	r->stopped = true;
	ev_timer_stop(r->env.loop, &r->later);
	pool_free(r->reader);
	r->reader = NULL;
	mailbox_close(&r->box);
	answer(&r->askers, &ends);
	answer(&r->waiting, &ends);
}

void reload_free(reload_t *r)
{
	if (!r)
		return;
	settings_free(r->next);
	settings_free(r->before);
	conf_faults_free(&r->faults);
	free(r);
}
