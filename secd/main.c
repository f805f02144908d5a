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
#include "common/pool.h"
#include "common/random.h"
#include "conf/conf.h"
#include "ctl/ctl.h"
#include "ctl/import.h"
#include "ctl/live.h"
#include "ctl/offline.h"
#include "ctl/service.h"
#include "dns/tsig.h"
#include "net/net.h"
#include "refresh/keep.h"
#include "refresh/refresh.h"
#include "xfr/fetch.h"
#include "zone/set.h"

#define DEFAULT_CONFIG "/etc/secd/secd.ini"

static const char usage_text[] =
	"usage: secd [-t] [-c FILE]\n"
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
	"  -f, --force        also where the state has something as new, or newer\n"
	"  -V, --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"SIGTERM and SIGINT end it. See secd(8).\n";

/* Everything that lives from start to stop, in the order in which it is made. */
typedef struct daemon {
	conf_t *conf;
	struct ev_loop *loop;
	unsigned workers;
	epoch_t *epoch;
	zone_set_t *zones;
	pool_t *builders;
	bool env_open;
	xfr_env_t env;
	keep_t *keep;
	refresh_t *refresh;
	bool notify_open;
	mailbox_t notify;
	siphash_key_t cookie_secret; /* when the settings have none */
	dns_tsig_keys_t keys; /* in the order of the settings: a key's number counts there too */
	net_t *net;
	ctl_t *ctl;
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
	(void)loop;
	(void)w;
	(void)revents;
	log_notice("secd reload-ignored why=\"settings are read at the start alone; restart to "
	           "apply\"");
}

static void watch_signals(daemon_t *d)
{
	ev_signal_init(&d->on_term, on_stop_signal, SIGTERM);
	ev_signal_init(&d->on_int, on_stop_signal, SIGINT);
	ev_signal_init(&d->on_hup, on_hup_signal, SIGHUP);
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

/* A secret of our own does for one server; several that answer for one address need to share. */
static dns_cookie_secrets_t cookie_secrets(daemon_t *d)
{
	const conf_t *c = d->conf;

	if (!c->cookies)
		return (dns_cookie_secrets_t){ NULL, 0 };
	if (c->cookie_secret_count > 0)
		return (dns_cookie_secrets_t){ c->cookie_secrets, c->cookie_secret_count };
	random_bytes(&d->cookie_secret, sizeof d->cookie_secret);
	return (dns_cookie_secrets_t){ &d->cookie_secret, 1 };
}

static status_t make_keys(daemon_t *d)
{
	const conf_t *c = d->conf;
	status_t st = dns_tsig_keys_make(&d->keys, c->key_count);

	for (size_t i = 0; i < c->key_count && st == ST_OK; i++) {
		const conf_key_t *key = c->keys[i];
		dns_name_t name;

		dns_name_from_wire(key->wire, &name);
		st = dns_tsig_key_make(&d->keys.list[i], &name, key->algorithm, key->secret,
		                       key->secret_len);
	}
	if (st == ST_OK)
		dns_tsig_keys_sort(&d->keys);
	return st;
}

static answer_conf_t answer_conf(daemon_t *d)
{
	const conf_t *c = d->conf;

	return (answer_conf_t){
		.version = c->version,
		.identity = c->identity,
		.udp_payload = (uint16_t)c->udp_payload,
		.keepalive = (uint16_t)(c->tcp_idle * 10),
		.nsid = c->nsid,
		.nsid_len = c->nsid_len,
		.cookies = cookie_secrets(d),
		.rotate = c->rotate,
		.keys = &d->keys,
	};
}

static status_t start_net(daemon_t *d)
{
	const conf_t *c = d->conf;
	const net_conf_t net = {
		.listen = c->listen,
		.listens = c->listen_count,
		.workers = d->workers,
		.tcp_clients = c->tcp_clients,
		.tcp_per_client = c->tcp_per_client,
		.tcp_idle = c->tcp_idle,
		.answer = answer_conf(d),
	};
	char why[256];
	status_t st = net_open(&net, d->zones, d->epoch, &d->notify, &d->net, why);

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

	if (d->conf->control[0] == '\0')
		return ST_OK;
	status_t st = ctl_open(d->conf->control, &d->ctl, why);
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
		.started = clock_mono(),
		.stop = on_stop,
		.arg = d,
	};

	if (!d->ctl)
		return;
	ctl_start(d->ctl, &env);
	log_info("control listening path=%s", d->conf->control);
}

/* The state. That another secd has it, or a newer one, is a fault; that the disk fails is not worth
 * leaving the zones unserved. */
static status_t open_keep(daemon_t *d)
{
	char why[256] = "";

	if (d->conf->state_dir[0] == '\0')
		return ST_OK;
	d->keep = keep_new(d->loop,
	                   &(keep_conf_t){ .dir = d->conf->state_dir,
	                                   .relaxed = d->conf->relaxed,
	                                   .old_versions = d->conf->old_versions },
	                   d->builders);
	if (!d->keep)
		return ST_NOMEM;
	status_t st = keep_open(d->keep, why);
	if (st != ST_OK)
		log_error("secd failed why=\"%s\"", why);
	return st;
}

static status_t start(daemon_t *d)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	d->workers = d->conf->workers ? d->conf->workers : cores > 0 ? (unsigned)cores : 1;
	raise_file_limit();
	if (open_control(d) != ST_OK)
		return ST_EXIST;
	/* Signals come as reads of a descriptor: no handler runs in the middle of anything. */
	d->loop = ev_default_loop(EVFLAG_AUTO | EVFLAG_SIGNALFD);
	d->epoch = epoch_new(d->workers);
	d->zones = d->epoch ? zone_set_new(d->epoch) : NULL;
	d->builders = pool_new("secd-build", d->conf->builders);
	if (!d->loop || !d->zones || !d->builders || make_keys(d) != ST_OK)
		goto nomem;
	watch_signals(d);
	xfr_env_open(&d->env, d->loop, d->builders, zone_set_key(d->zones),
	             d->conf->transfer_memory);
	d->env_open = true;
	status_t st = open_keep(d);
	if (st == ST_NOMEM)
		goto nomem;
	if (st != ST_OK)
		return st;
	d->refresh = refresh_new(d->loop, d->conf, d->zones, d->epoch, &d->env, &d->keys, d->keep);
	if (!d->refresh)
		goto nomem;
	mailbox_open(&d->notify, d->loop, on_notify, d);
	d->notify_open = true;
	if (start_net(d) != ST_OK)
		return ST_SYSTEM;
	start_control(d);
	refresh_start(d->refresh);
	d->service = ctl_service_start(d->loop, d->refresh, d->net);
	malloc_trim(0); /* reading the settings of many zones takes more than they do afterwards */
	log_notice("secd started version=%s pid=%d zones=%zu workers=%u", SECD_VERSION, getpid(),
	           zone_set_count(d->zones), d->workers);
	return ST_OK;
nomem:
	log_error("secd failed why=\"out of memory, or no thread could be started\"");
	return ST_NOMEM;
}

/* Against the order of start; each step leaves nobody who could use what the next one frees. */
static void stop(daemon_t *d)
{
	ctl_service_stop(d->service);
	ctl_free(d->ctl);
	refresh_free(d->refresh);
	d->refresh = NULL;
	net_free(d->net);
	if (d->notify_open)
		mailbox_close(&d->notify);
	pool_free(d->builders);
	if (d->env_open)
		xfr_env_close(&d->env);
	keep_free(d->keep);
	zone_set_free(d->zones);
	epoch_free(d->epoch);
	dns_tsig_keys_free(&d->keys);
	if (d->loop)
		ev_loop_destroy(d->loop);
}

static int run(conf_t *conf)
{
	daemon_t d = { .conf = conf };
	status_t st;

	log_open(conf->log_target, conf->log_level);
	st = start(&d);
	if (st == ST_OK)
		ev_run(d.loop, 0);
	stop(&d);
	if (st == ST_OK)
		log_notice("secd stopped");
	log_close();
	return st == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

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
	       (call->verb == CALL_IMPORT || !call->force);
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

/* As the daemon would: with its keys, and as many sockets. */
static int check_live(const call_t *call, conf_t *conf)
{
	daemon_t d = { .conf = conf };
	const ctl_live_order_t order = {
		.conf = conf,
		.settings = call->path,
		.keys = &d.keys,
		.form = report_form_for(call->json),
		.globs = call->globs,
		.glob_count = call->glob_count,
	};
	int exit_code = EXIT_FAILURE;

	raise_file_limit();
	if (make_keys(&d) == ST_OK)
		exit_code = ctl_live(&order);
	else
		fputs("secd: out of memory\n", stderr);
	dns_tsig_keys_free(&d.keys);
	return exit_code;
}

static int act(const call_t *call, conf_t *conf)
{
	switch (call->verb) {
	case CALL_CHECK:
		if (call->live)
			return check_live(call, conf);
		printf("%s: sound, %zu zone%s\n", call->path, conf->zone_count,
		       conf->zone_count == 1 ? "" : "s");
		return EXIT_SUCCESS;
	case CALL_DUMP:
		return ctl_offline_dump(conf, call->what, call->json ? REPORT_JSON : REPORT_TEXT);
	case CALL_DUMP_ALL:
		return ctl_offline_dump_all(conf, call->what);
	case CALL_IMPORT:
		return ctl_import(&(ctl_import_order_t){ conf, call->path, call->files,
		                                         call->file_count, call->force });
	case CALL_RUN:
		break;
	}
	return run(conf);
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
	conf_free(conf);
	free(call.globs);
	return exit_code;
}
