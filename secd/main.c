/* main.c - start order, stop order, who gets which handle. */
#include <errno.h>
#include <ev.h>
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/epoch.h"
#include "common/log.h"
#include "common/mailbox.h"
#include "common/passed.h"
#include "common/pool.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "ctl/gather.h"
#include "ctl/http.h"
#include "ctl/import.h"
#include "ctl/live.h"
#include "ctl/offline.h"
#include "ctl/service.h"
#include "live/reload.h"
#include "live/settings.h"
#include "live/user.h"
#include "net/net.h"
#include "refresh/keep.h"
#include "refresh/refresh.h"
#include "xfr/fetch.h"
#include "zone/set.h"

#define DEFAULT_CONFIG "/etc/secd/secd.ini"

static const char usage_text[] =
	"usage: secd [-f] [-c FILE]\n"
	"       secd -t [-c FILE]\n"
	"       secd -t --live [-j] [-z GLOB ...] [-c FILE]\n"
	"       secd [-j] [-c FILE] --dump ZONE\n"
	"       secd [-c FILE] --dump-all DIR\n"
	"       secd [-f] [-c FILE] --import [ZONE=]FILE...\n"
	"       secd -V | -h\n"
	"\n"
	"Follows the zones of hidden primaries and answers for them, in the foreground.\n"
	"\n"
	"  -c, --config FILE  the settings, see secd.ini(5); default " DEFAULT_CONFIG "\n"
	"  -t, --check        check the settings, print every fault, exit 1 if there is one\n"
	"  -l, --live         then ask every primary for every zone, as the daemon would\n"
	"  -z, --zone GLOB    ask for these zones alone; may be repeated\n"
	"  -d, --dump ZONE    print a zone of the state as a zone file, whether a daemon runs or "
	"not\n"
	"  -D, --dump-all DIR write all zones of the state to DIR\n"
	"  -j, --json         print the zone, or what --live has found, in JSON\n"
	"  -i, --import       put zone files into the state, while no daemon runs\n"
	"  -f, --force        --import also where the state has something as new, or newer; else, "
	"start also\n"
	"                     when the settings have lost many zones\n"
	"  -V, --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"SIGTERM and SIGINT end it, SIGHUP reads the settings again. See secd(8).\n";

/* What is to be done. */
typedef enum verb { CALL_RUN, CALL_CHECK, CALL_DUMP, CALL_DUMP_ALL, CALL_IMPORT } verb_t;
typedef struct call {
	const char *path;
	verb_t verb;
	const char *what; /* zone, or directory */
	bool json, force, live;
	const char **globs; /* of zones; room for each argument */
	size_t glob_count;
	char *const *files;
	size_t file_count;
} call_t;

/* Everything that lives from start to stop, in the order in which it is made. */
typedef struct daemon {
	const char *path; /* of the settings */
	bool force;       /* however many zones they have lost */
	settings_t *settings;
	struct ev_loop *loop;
	epoch_t *epoch;
	slab_t *slab; /* versions of small zones, and what refresh/ knows of each zone */
	zone_set_t *zones;
	pool_t *builders;
	bool env_open;
	xfr_env_t env;
	keep_t *keep;
	refresh_t *refresh;
	bool notify_open;
	mailbox_t notify;
	passed_t passed;
	net_t *net;
	reload_t *reload;
	ctl_gather_t *gather;
	ctl_t *ctl;
	ctl_http_t *http;
	ctl_service_t *service;
	ev_signal on_term, on_int, on_hup;
} daemon_t;

static void on_notify(void *arg, mail_t *mail)
{
	net_notify_t *n = (net_notify_t *)(void *)mail;
	const net_notify_t said = *n;
	daemon_t *d = arg;

	/* Given back first: a NOTIFY that comes from now on is news again. */
	net_notify_done(n);
	if (!d->refresh)
		return;
	if (said.refused)
		refresh_notify_refused(d->refresh, said.slot, &said.from, said.why);
	else
		refresh_notify(d->refresh, said.slot, &said.from,
		               said.has_hint ? &said.hint : NULL);
}

/* Told so by secdctl. */
static void on_stop(void *arg)
{
	daemon_t *d = arg;

	log_notice("secd stopping by=secdctl");
	ev_break(d->loop, EVBREAK_ALL);
}

static void on_stop_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)revents;
	log_notice("secd stopping signal=%s", w->signum == SIGTERM ? "TERM" : "INT");
	ev_break(loop, EVBREAK_ALL);
}

static void on_hup_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	daemon_t *d = w->data;

	(void)loop;
	(void)revents;
	reload_ask(d->reload, false, NULL, NULL);
}

/* Told so by secdctl. */
static void on_reload(void *arg, bool force, ctl_reload_cb done, void *done_arg)
{
	daemon_t *d = arg;

	reload_ask(d->reload, force, done, done_arg);
}

static void on_reload_begins(void *arg)
{
	daemon_t *d = arg;

	ctl_service_reloading(d->service);
}

static void on_reload_ends(void *arg)
{
	daemon_t *d = arg;

	malloc_trim(0);
	ctl_service_reloaded(d->service);
}

/* What workers have sent of zones that are about to be freed. */
static void on_reclaim(void *arg)
{
	daemon_t *d = arg;

	mailbox_deliver(&d->notify);
}

static void watch_signals(daemon_t *d)
{
	ev_signal_init(&d->on_term, on_stop_signal, SIGTERM);
	ev_signal_init(&d->on_int, on_stop_signal, SIGINT);
	ev_signal_init(&d->on_hup, on_hup_signal, SIGHUP);
	d->on_hup.data = d;
	ev_signal_start(d->loop, &d->on_term);
	ev_signal_start(d->loop, &d->on_int);
	ev_signal_start(d->loop, &d->on_hup);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of a write */
}

/* Polls take a socket each and clients one each: as many as the system lets us have. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static status_t start_net(daemon_t *d)
{
	const conf_t *c = d->settings->conf;
	char why[256];

	d->settings->net.passed = &d->passed;
	status_t st = net_open(&d->settings->net, d->zones, d->epoch, &d->notify, &d->net, why);

	if (st != ST_OK) {
		log_error("secd failed why=\"%s\"", why);
		return st;
	}
	for (size_t i = 0; i < c->listen_count; i++) {
		char text[ADDR_TEXT_MAX];
		addr_t a = c->listen[i];

		a.in.sin_port = htons(net_port(d->net, i));
		log_info("listening addr=%s", addr_text(&a, text));
	}
	st = net_start(d->net);
	if (st != ST_OK)
		log_error("secd failed why=\"no worker thread could be started\"");
	return st;
}

/* That another daemon has the socket is a fault: there would be two of them. Any other reason why
 * there can be none is not worth leaving the zones unserved. */
static status_t open_control(daemon_t *d)
{
	char why[256];

	if (d->settings->conf->control[0] == '\0')
		return ST_OK;
	status_t st = ctl_open(d->settings->conf->control, &d->ctl, why);
	if (st == ST_EXIST) {
		log_error("secd failed why=\"%s\"", why);
		return st;
	}
	if (st != ST_OK)
		log_warn("control failed why=\"%s\"", why);
	return ST_OK;
}

static void start_control(daemon_t *d)
{
	const ctl_env_t env = {
		.loop = d->loop,
		.refresh = d->refresh,
		.net = d->net,
		.gather = d->gather,
		.started = clock_mono(),
		.stop = on_stop,
		.reload = on_reload,
		.arg = d,
	};

	d->http = ctl_http_start(&env, d->settings->conf->metrics_listen,
	                         d->settings->conf->metrics_listen_count);
	if (!d->ctl)
		return;
	ctl_start(d->ctl, &env);
	log_info("control listening path=%s", d->settings->conf->control);
}

/* The files have lost too many zones: those that the state has are followed on. */
static status_t on_adopt(void *arg, const keep_stray_t *strays, size_t count)
{
	daemon_t *d = arg;
	const status_t st = settings_adopt(d->settings, strays, count);

	return refresh_extend(d->refresh) == ST_OK ? st : ST_NOMEM;
}

/* The state. That another secd has it, or a newer one, is a fault; that the disk fails is not worth
 * leaving the zones unserved. */
static status_t open_keep(daemon_t *d)
{
	char why[256] = "";

	if (d->settings->conf->state_dir[0] == '\0')
		return ST_OK;
	d->keep = keep_new(
		d->loop,
		&(keep_conf_t){ .dir = d->settings->conf->state_dir,
	                        .relaxed = d->settings->conf->relaxed,
	                        .old_versions = d->settings->conf->old_versions,
	                        .keep_removed = d->settings->conf->keep_removed,
	                        .share_most = d->force ? 100 : d->settings->conf->max_removed,
	                        .adopt = on_adopt,
	                        .arg = d },
		d->builders);
	if (!d->keep)
		return ST_NOMEM;
	status_t st = keep_open(d->keep, why);
	if (st != ST_OK)
		log_error("secd failed why=\"%s\"", why);
	return st;
}

static status_t start_reload(daemon_t *d)
{
	d->reload = reload_new(&(reload_env_t){ .loop = d->loop,
	                                        .path = d->path,
	                                        .settings = &d->settings,
	                                        .refresh = d->refresh,
	                                        .net = d->net,
	                                        .xfr = &d->env,
	                                        .builders = d->builders,
	                                        .begins = on_reload_begins,
	                                        .ends = on_reload_ends,
	                                        .arg = d });
	return d->reload ? ST_OK : ST_NOMEM;
}

/* All that needs nobody: loop, epoch, zones, builders. */
static status_t make_floor(daemon_t *d)
{
	const conf_t *c = d->settings->conf;

	/* Signals come as reads of a descriptor: no handler runs in the middle of anything. */
	d->loop = ev_default_loop(EVFLAG_AUTO | EVFLAG_SIGNALFD);
	d->epoch = epoch_new(NET_READERS);
	d->slab = slab_new();
	d->zones = d->epoch && d->slab ? zone_set_new(d->epoch) : NULL;
	d->builders = pool_new("secd-build", c->builders);
	if (!d->loop || !d->zones || !d->builders)
		return ST_NOMEM;
	watch_signals(d);
	xfr_env_open(&d->env, d->loop, d->builders, zone_set_key(d->zones), d->slab,
	             c->transfer_memory);
	d->env_open = true;
	return ST_OK;
}

static status_t start(daemon_t *d)
{
	raise_file_limit();
	if (open_control(d) != ST_OK)
		return ST_EXIST;
	if (make_floor(d) != ST_OK)
		goto nomem;
	status_t st = open_keep(d);
	if (st == ST_NOMEM)
		goto nomem;
	if (st != ST_OK)
		return st;
	d->refresh = refresh_new(d->loop, d->settings->conf, d->zones, d->epoch, &d->env,
	                         &d->settings->keys, d->keep);
	if (!d->refresh)
		goto nomem;
	mailbox_open(&d->notify, d->loop, on_notify, d);
	d->notify_open = true;
	refresh_on_reclaim(d->refresh, on_reclaim, d);
	if (start_net(d) != ST_OK)
		return ST_SYSTEM;
	d->gather = ctl_gather_new(d->loop, d->refresh, d->net, clock_mono(),
	                           d->settings->conf->metrics_zones);
	if (!d->gather || start_reload(d) != ST_OK)
		goto nomem;
	start_control(d);
	refresh_start(d->refresh);
	d->service = ctl_service_start(d->loop, d->refresh, d->net);
	malloc_trim(0); /* reading the settings of many zones takes more than they do afterwards */
	log_notice("secd started version=%s pid=%d zones=%zu workers=%u", SECD_VERSION, getpid(),
	           zone_set_count(d->zones), net_workers(d->net));
	return ST_OK;
nomem:
	log_error("secd failed why=\"out of memory, or no thread could be started\"");
	return ST_NOMEM;
}

/* Against the order of start; each step leaves nobody who could use what the next one frees. */
static void stop(daemon_t *d)
{
	ctl_service_stop(d->service);
	reload_stop(d->reload);
	ctl_http_stop(d->http);
	ctl_free(d->ctl);
	ctl_gather_free(d->gather);
	refresh_free(d->refresh);
	d->refresh = NULL;
	net_free(d->net);
	passed_close(&d->passed);
	if (d->notify_open)
		mailbox_close(&d->notify);
	pool_free(d->builders);
	if (d->env_open)
		xfr_env_close(&d->env);
	keep_free(d->keep);
	zone_set_free(d->zones);
	epoch_free(d->epoch);
	slab_free(d->slab);
	reload_free(d->reload);
	settings_free(d->settings);
	if (d->loop)
		ev_loop_destroy(d->loop);
}

/* Before there is anything that would be root's. */
static status_t become(const conf_t *conf)
{
	conf_faults_t faults = { 0 };
	char why[USER_WHY_MAX];
	const status_t st = user_become(conf, &faults, why);

	settings_tell_faults(&faults);
	conf_faults_free(&faults);
	if (st != ST_OK)
		log_error("secd failed why=\"%s\"", why);
	return st;
}

/* conf is its from here on. */
static int run(conf_t *conf, const call_t *call)
{
	daemon_t d = { .path = call->path, .force = call->force };
	status_t st;

	passed_open(&d.passed); /* before any descriptor is ours */
	log_set_facility(conf->log_facility);
	log_open(conf->log_target, conf->log_level);
	st = settings_make(conf, NULL, &d.settings);
	if (st != ST_OK)
		log_error("secd failed why=\"%s\"", status_text(st));
	else if ((st = become(conf)) == ST_OK)
		st = start(&d);
	if (st == ST_OK)
		ev_run(d.loop, 0);
	stop(&d);
	if (st == ST_OK)
		log_notice("secd stopped");
	log_close();
	return st == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A second verb is one too many. */
static bool set_verb(call_t *call, verb_t verb, const char *what)
{
	if (call->verb != CALL_RUN)
		return false;
	call->verb = verb;
	call->what = what;
	return true;
}

static bool fits_together(const call_t *call)
{
	return (call->verb == CALL_IMPORT) == (call->file_count > 0) &&
	       (call->verb == CALL_DUMP || call->live || !call->json) &&
	       (call->verb == CALL_CHECK || !call->live) && (call->live || call->glob_count == 0) &&
	       (call->verb == CALL_IMPORT || call->verb == CALL_RUN || !call->force);
}

/* True: go on; false: the exit status is *status. */
static bool read_options(int argc, char **argv, call_t *call, int *status)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 't' },
		{ "live", no_argument, NULL, 'l' },
		{ "zone", required_argument, NULL, 'z' },
		{ "dump", required_argument, NULL, 'd' },
		{ "dump-all", required_argument, NULL, 'D' },
		{ "json", no_argument, NULL, 'j' },
		{ "import", no_argument, NULL, 'i' },
		{ "force", no_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool good = true;
	int opt;

	*status = EXIT_SUCCESS;
	while (good && (opt = getopt_long(argc, argv, "c:tlz:d:D:jifVh", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			call->path = optarg;
			break;
		case 't':
			good = set_verb(call, CALL_CHECK, NULL);
			break;
		case 'l':
			call->live = true;
			break;
		case 'z':
			call->globs[call->glob_count++] = optarg;
			break;
		case 'd':
			good = set_verb(call, CALL_DUMP, optarg);
			break;
		case 'D':
			good = set_verb(call, CALL_DUMP_ALL, optarg);
			break;
		case 'j':
			call->json = true;
			break;
		case 'i':
			good = set_verb(call, CALL_IMPORT, NULL);
			break;
		case 'f':
			call->force = true;
			break;
		case 'V':
			puts("secd " SECD_VERSION);
			return false;
		case 'h':
			fputs(usage_text, stdout);
			return false;
		default:
			good = false;
		}
	}
	call->files = argv + optind;
	call->file_count = (size_t)(argc - optind);
	if (!good || !fits_together(call)) {
		fputs(usage_text, stderr);
		*status = 2;
		return false;
	}
	return true;
}

/* As whom it is to go on is part of it: all is tried as that user. */
static status_t try_user(const call_t *call, const conf_t *conf)
{
	conf_faults_t faults = { 0 };
	char why[USER_WHY_MAX];
	const status_t st = user_try(conf, &faults, why);

	conf_faults_print(&faults, stderr);
	conf_faults_free(&faults);
	if (why[0] != '\0')
		fprintf(stderr, "%s: %s%s\n", call->path, st == ST_OK ? "warning: " : "", why);
	return st;
}

static int check(const call_t *call, const conf_t *conf)
{
	if (try_user(call, conf) != ST_OK)
		return EXIT_FAILURE;
	printf("%s: sound, %zu zone%s\n", call->path, conf->zone_count,
	       conf->zone_count == 1 ? "" : "s");
	return EXIT_SUCCESS;
}

/* As the daemon would: as its user, with its keys, and as many sockets. conf is freed. */
static int check_live(const call_t *call, conf_t *conf)
{
	settings_t *settings;
	int exit_code = EXIT_FAILURE;

	raise_file_limit();
	if (try_user(call, conf) != ST_OK) {
		conf_free(conf);
		return EXIT_FAILURE;
	}
	if (settings_make(conf, NULL, &settings) == ST_OK)
		exit_code = ctl_live(&(ctl_live_order_t){ .conf = conf,
		                                          .settings = call->path,
		                                          .keys = &settings->keys,
		                                          .form = report_form_for(call->json),
		                                          .globs = call->globs,
		                                          .glob_count = call->glob_count });
	else
		fputs("secd: out of memory\n", stderr);
	settings_free(settings);
	return exit_code;
}

/* What root would put into the state, its user could not read. */
static int import(const call_t *call, const conf_t *conf)
{
	conf_faults_t faults = { 0 };
	char why[USER_WHY_MAX];
	const status_t st = user_become(conf, &faults, why);

	conf_faults_print(&faults, stderr);
	conf_faults_free(&faults);
	if (st != ST_OK) {
		fprintf(stderr, "secd: %s\n", why);
		return EXIT_FAILURE;
	}
	return ctl_import(&(ctl_import_order_t){ conf, call->path, call->files, call->file_count,
	                                         call->force });
}

/* The settings are freed. */
static int act(const call_t *call, conf_t *conf)
{
	int status = EXIT_SUCCESS;

	switch (call->verb) {
	case CALL_CHECK:
		if (call->live)
			return check_live(call, conf);
		status = check(call, conf);
		break;
	case CALL_DUMP:
		status = ctl_offline_dump(conf, call->what, call->json ? REPORT_JSON : REPORT_TEXT);
		break;
	case CALL_DUMP_ALL:
		status = ctl_offline_dump_all(conf, call->what);
		break;
	case CALL_IMPORT:
		status = import(call, conf);
		break;
	case CALL_RUN:
		return run(conf, call);
	}
	conf_free(conf);
	return status;
}

int main(int argc, char **argv)
{
	call_t call = { .path = DEFAULT_CONFIG };
	conf_faults_t faults = { 0 };
	conf_t *conf = NULL;
	int exit_code = EXIT_FAILURE;

	call.globs = calloc((size_t)argc, sizeof *call.globs);
	if (!call.globs || !read_options(argc, argv, &call, &exit_code)) {
		free(call.globs);
		return exit_code;
	}
	status_t st = conf_read(call.path, &conf, &faults);

	conf_faults_print(&faults, stderr);
	conf_faults_free(&faults);
	if (st == ST_NOMEM)
		fputs("secd: out of memory while reading the settings\n", stderr);
	exit_code = st == ST_OK ? act(&call, conf) : EXIT_FAILURE;
	free(call.globs);
	return exit_code;
}
