/* ctl/import.c - read, judge, compare, save; and wait for the disk. */
#include "ctl/import.h"

#include <errno.h>
#include <ev.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mailbox.h"
#include "common/random.h"
#include "ctl/offline.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "dns/zonefile.h"
#include "refresh/clock.h"
#include "refresh/terms.h"
#include "state/clocks.h"
#include "xfr/refusal.h"

enum { SAVES_MOST = 32 }; /* on their way to the disk */

typedef struct import {
	const ctl_import_order_t *order;
	const conf_zone_t **by_apex; /* all zones, sorted */
	bool *taken; /* zones that a file has been saved for, by their place in conf */
	struct ev_loop *loop;
	mailbox_t done;
	state_t *state;
	siphash_key_t key;
	uint64_t boot;
	size_t saves; /* under way */
	size_t imported, left_alone, failed;
	uint64_t records;
} import_t;

/* One file. */
typedef struct piece {
	import_t *im;
	const char *path;
	const conf_zone_t *zone; /* NULL: not known yet */
	char name[DNS_NAME_TEXT_MAX];
	dns_zonefile_t *file;
	zone_build_t *build;
	dns_rr_t rr;
	unsigned outside_line; /* of the first record out of the zone */
} piece_t;

/* A save, until it comes back. */
typedef struct note {
	char *path, *name;
	uint32_t serial;
	uint64_t records;
} note_t;

/* --- messages ---------------------------------------------------------------------------------- */

static status_t refuse(const piece_t *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static status_t refuse(const piece_t *p, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "secd: %s: ", p->path);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return ST_REFUSED;
}

static status_t refuse_line(const piece_t *p, const char *what)
{
	fprintf(stderr, "secd: %s:%u: %s\n", p->path, dns_zonefile_line(p->file), what);
	return ST_REFUSED;
}

static status_t no_memory(const piece_t *p)
{
	return refuse(p, "%s", status_text(ST_NOMEM));
}

/* What is served as it is. */
static void tell_faults(const piece_t *p, const zone_verdict_t *v)
{
	static const char *const names[ZONE_FAULT_KINDS] = {
		[ZONE_FAULT_NO_NS] = "no-ns",
		[ZONE_FAULT_SINGLE_NS] = "single-ns",
		[ZONE_FAULT_CNAME_BESIDE] = "cname-beside",
		[ZONE_FAULT_MANY_CNAMES] = "many-cnames",
		[ZONE_FAULT_BELOW_DNAME] = "below-dname",
		[ZONE_FAULT_MISSING_GLUE] = "missing-glue",
		[ZONE_FAULT_CHAIN_GAPS] = "chain-gaps",
		[ZONE_FAULT_ITERATIONS] = "nsec3-iterations",
	};

	for (unsigned i = 0; i < ZONE_FAULT_KINDS; i++) {
		if (v->count[i] > 0)
			fprintf(stderr, "secd: %s: zone %s: %s: %u\n", p->path, p->name, names[i],
			        v->count[i]);
	}
	if (v->ends_soon)
		fprintf(stderr, "secd: %s: zone %s: a signature %s %lld s\n", p->path, p->name,
		        v->left < 0 ? "has ended for" : "ends in",
		        (long long)(v->left < 0 ? -v->left : v->left));
}

static void tell_records(const piece_t *p)
{
	const zone_build_stats_t *s = zone_build_stats(p->build);

	if (s->outside > 0)
		fprintf(stderr,
		        "secd: %s:%u: zone %s: records out of the zone are left out: %llu, this is "
		        "the first\n",
		        p->path, p->outside_line, p->name, (unsigned long long)s->outside);
	if (s->ttl_mixed > 0)
		fprintf(stderr,
		        "secd: %s: zone %s: RRsets of several TTLs: %llu, the lowest counts\n",
		        p->path, p->name, (unsigned long long)s->ttl_mixed);
}

/* --- which zone -------------------------------------------------------------------------------- */

static int compare_apexes(const uint8_t *a, const uint8_t *b)
{
	const size_t x = dns_wire_len(a), y = dns_wire_len(b);

	return x != y ? (x > y) - (x < y) : memcmp(a, b, x);
}

static int by_apex(const void *a, const void *b)
{
	return compare_apexes((*(const conf_zone_t *const *)a)->apex,
	                      (*(const conf_zone_t *const *)b)->apex);
}

static const conf_zone_t *find_zone(const import_t *im, const dns_name_t *name)
{
	const conf_zone_t key = { .apex = name->wire }, *wanted = &key;
	const conf_zone_t **found =
		bsearch(&wanted, im->by_apex, im->order->conf->zone_count, sizeof *found, by_apex);

	return found ? *found : NULL;
}

static status_t take_zone(piece_t *p, const dns_name_t *apex)
{
	dns_name_text(apex->wire, p->name);
	p->zone = find_zone(p->im, apex);
	return p->zone ? ST_OK
	               : refuse(p, "the settings %s have no zone %s", p->im->order->settings,
	                        p->name);
}

/* [ZONE=]FILE. */
static status_t split(piece_t *p, const char *arg)
{
	const char *equals = strchr(arg, '=');
	char text[DNS_NAME_TEXT_MAX];
	dns_name_t apex;

	p->path = arg;
	if (!equals || equals == arg || (size_t)(equals - arg) >= sizeof text)
		return ST_OK;
	memcpy(text, arg, (size_t)(equals - arg));
	text[equals - arg] = '\0';
	if (dns_name_from_text(text, &apex) != ST_OK)
		return ST_OK;
	dns_name_fold(&apex);
	if (!find_zone(p->im, &apex) && access(arg, F_OK) == 0)
		return ST_OK; /* a file whose name has an = in it */
	p->path = equals + 1;
	return take_zone(p, &apex);
}

/* --- records ----------------------------------------------------------------------------------- */

static status_t open_build(piece_t *p)
{
	const conf_policy_t *policy = &p->zone->group->policy;
	const zone_limits_t limits = { policy->max_records, policy->max_size, policy->max_rrset,
		                       policy->max_rrsets };
	dns_name_t apex;

	dns_name_from_wire(p->zone->apex, &apex);
	p->build = zone_build_new(&p->im->key, &apex, &limits);
	return p->build ? ST_OK : no_memory(p);
}

/* Its SOA says which zone it is. */
static status_t first_record(piece_t *p)
{
	status_t st = ST_OK;

	if (!p->zone && p->rr.type != DNS_TYPE_SOA)
		return refuse_line(p, "the first record is no SOA: write ZONE=FILE to say which "
		                      "zone it is");
	if (!p->zone)
		st = take_zone(p, &p->rr.owner);
	return st == ST_OK ? open_build(p) : st;
}

static status_t over_limit(const piece_t *p)
{
	const zone_excess_t *x = zone_build_excess(p->build);
	const xfr_why_t why = xfr_excess(x);
	char text[XFR_WHY_TEXT_MAX];

	return refuse(p, "zone %s: %s", p->name, xfr_why_text(&why, text));
}

static status_t add_record(piece_t *p)
{
	char what[64], type[DNS_TYPE_TEXT_MAX];
	status_t st = p->build ? ST_OK : first_record(p);

	if (st != ST_OK)
		return st;
	st = zone_build_add(p->build, &p->rr);
	if (st == ST_OUTSIDE && p->outside_line == 0)
		p->outside_line = dns_zonefile_line(p->file);
	if (st == ST_OK || st == ST_OUTSIDE)
		return ST_OK;
	if (st == ST_LIMIT)
		return over_limit(p);
	if (st == ST_NOMEM)
		return no_memory(p);
	snprintf(what, sizeof what, "no zone can hold this %s record here",
	         dns_type_text(p->rr.type, type));
	return refuse_line(p, what);
}

static status_t read_records(piece_t *p)
{
	status_t st = ST_OK;

	while (st == ST_OK) {
		st = dns_zonefile_next(p->file, &p->rr);
		if (st == ST_OK)
			st = add_record(p);
		else if (st == ST_MALFORMED)
			st = refuse_line(p, dns_zonefile_why(p->file));
		else if (st == ST_SYSTEM)
			st = refuse(p, "%s", strerror(errno));
		else if (st == ST_NOMEM)
			st = no_memory(p);
	}
	if (st != ST_NOENT)
		return st;
	return p->build ? ST_OK : refuse(p, "there is no record in it");
}

static status_t read_file(piece_t *p)
{
	FILE *in = fopen(p->path, "re");
	dns_name_t apex;
	status_t st;

	if (!in)
		return refuse(p, "%s", strerror(errno));
	if (p->zone)
		dns_name_from_wire(p->zone->apex, &apex);
	p->file = dns_zonefile_new(in, p->zone ? &apex : NULL);
	st = p->file ? read_records(p) : no_memory(p);
	fclose(in);
	return st;
}

/* --- a version --------------------------------------------------------------------------------- */

static status_t seal(piece_t *p, zone_version_t **out)
{
	status_t st = zone_build_seal(p->build, out);

	if (st == ST_NOENT)
		return refuse(p, "zone %s: there is no SOA", p->name);
	if (st == ST_EXIST)
		return refuse(p, "zone %s: there are several SOAs that differ", p->name);
	if (st == ST_LIMIT)
		return over_limit(p);
	return st == ST_OK ? ST_OK : no_memory(p);
}

/* By the gates of its group, beside what the state has. */
static status_t judge(const piece_t *p, const zone_version_t *v, uint64_t held)
{
	const zone_gates_t gates = terms_gates(&p->zone->group->policy.gates);
	const uint64_t ttl_mixed = zone_build_stats(p->build)->ttl_mixed;
	char text[XFR_WHY_TEXT_MAX];
	zone_verdict_t verdict;
	zone_faults_t faults;

	if (zone_build_check(p->build, v, &faults) != ST_OK ||
	    zone_gates_judge(&gates, v, &faults, held, clock_wall_coarse(), &verdict) != ST_OK)
		return no_memory(p);
	if (verdict.refused != ZONE_GATE_NONE) {
		const xfr_why_t why = xfr_refusal(&verdict, ttl_mixed);
		const bool named = zone_gate_has_name(verdict.refused) && verdict.first[0] != '\0';

		return refuse(p, "zone %s: %s%s%s", p->name, xfr_why_text(&why, text),
		              named ? ": " : "", named ? verdict.first : "");
	}
	tell_records(p);
	tell_faults(p, &verdict);
	return ST_OK;
}

/* Of what the state has, if it is sound: ST_EXIST if it stays; *held: its records. */
static status_t compare(const piece_t *p, state_zone_t *z, const zone_version_t *v, uint64_t *held)
{
	const uint32_t serial = zone_version_soa(v)->serial;
	xfr_kept_t kept = { 0 };

	*held = 0;
	if (state_zone_has(z))
		ctl_offline_load(p->im->state, z, &p->im->key, &kept);
	free(kept.clocks);
	if (!kept.version)
		return ST_OK;
	const uint32_t there = zone_version_soa(kept.version)->serial;
	const bool newer = dns_serial_compare(serial, there) == DNS_SERIAL_NEWER;

	*held = zone_version_records(kept.version);
	zone_version_free(kept.version);
	if (newer || p->im->order->force)
		return ST_OK;
	fprintf(stderr,
	        "secd: %s: zone %s: serial %u is left alone, the state has %u: --force takes it\n",
	        p->path, p->name, serial, there);
	return ST_EXIST;
}

/* --- saving ------------------------------------------------------------------------------------ */

/* Loaded and good now; but no primary has said so: as after a round that failed, the next one is due
 * when secd runs. */
static state_save_t *new_save(const piece_t *p, const zone_version_t *v)
{
	const conf_policy_t *policy = &p->zone->group->policy;
	const mono_t now = clock_mono();
	refresh_clock_t clock;

	refresh_clock_init(&clock, now);
	refresh_clock_loaded(&clock, zone_version_soa(v), policy, NULL, now, 0);
	const mono_t checked = { (int64_t)clock.checked * NS_PER_S };
	const state_clocks_t clocks = {
		.at = { .boot = p->im->boot,
		        .mono = now,
		        .wall_ms = clock_wall_ms(),
		        .synced = clock_is_synced() },
		.serial = clock.serial,
		.failures = 1,
		.checked = checked,
		.expires = clock.expires,
		.loaded_at = checked,
	};
	state_save_t *save = calloc(1, sizeof *save + state_clocks_room(&clocks));
	if (save) {
		save->serial = clock.serial;
		save->clocks_len = (uint32_t)state_clocks_put(&clocks, save->clocks);
	}
	return save;
}

static void free_note(note_t *n)
{
	if (!n)
		return;
	free(n->path);
	free(n->name);
	free(n);
}

static note_t *new_note(const piece_t *p, const zone_version_t *v)
{
	note_t *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->path = strdup(p->path);
	n->name = strdup(p->name);
	n->serial = zone_version_soa(v)->serial;
	n->records = zone_version_records(v);
	if (n->path && n->name)
		return n;
	free_note(n);
	return NULL;
}

static void on_done(void *arg, mail_t *mail)
{
	import_t *im = arg;
	state_save_t *save = state_save_of(mail);
	note_t *n = save->arg;

	im->saves--;
	if (save->status == ST_OK) {
		im->imported++;
		im->records += n->records;
		fprintf(stderr, "secd: %s: zone %s: serial %u, %llu records\n", n->path, n->name,
		        n->serial, (unsigned long long)n->records);
	} else {
		im->failed++;
		fprintf(stderr, "secd: %s: zone %s: it could not be saved: %s\n", n->path, n->name,
		        save->status == ST_SYSTEM ? strerror(save->error)
		                                  : status_text(save->status));
	}
	free_note(n);
	free(save);
}

static void wait_for_saves(import_t *im, size_t most)
{
	while (im->saves > most)
		ev_run(im->loop, EVRUN_ONCE);
}

static status_t save(piece_t *p, state_zone_t *z, const zone_version_t *v)
{
	state_draft_t *draft = xfr_keep_whole(p->im->state, v);
	state_save_t *s = draft ? new_save(p, v) : NULL;
	note_t *n = s ? new_note(p, v) : NULL;

	if (!n) {
		free(s);
		state_draft_free(draft);
		return no_memory(p);
	}
	s->zone = z;
	s->draft = draft;
	s->arg = n;
	p->im->taken[p->zone - p->im->order->conf->zones] = true;
	p->im->saves++;
	state_save(p->im->state, s);
	return ST_OK;
}

/* --- one file ---------------------------------------------------------------------------------- */

static status_t import_version(piece_t *p, zone_version_t *v)
{
	state_zone_t *z = state_zone_add(p->im->state, p->zone->apex);
	uint64_t held;
	status_t st = z ? ST_OK : no_memory(p);

	/* What has been saved is not to be read any more (state_read). */
	if (st == ST_OK && p->im->taken[p->zone - p->im->order->conf->zones])
		st = refuse(p, "zone %s: it has been imported from another file already", p->name);
	if (st == ST_OK)
		st = compare(p, z, v, &held);
	if (st == ST_OK)
		st = judge(p, v, held);
	return st == ST_OK ? save(p, z, v) : st;
}

static void import_file(import_t *im, const char *arg)
{
	piece_t *p = calloc(1, sizeof *p);
	zone_version_t *v = NULL;
	status_t st;

	if (!p) {
		fprintf(stderr, "secd: %s: %s\n", arg, status_text(ST_NOMEM));
		im->failed++;
		return;
	}
	p->im = im;
	st = split(p, arg);
	if (st == ST_OK)
		st = read_file(p);
	if (st == ST_OK)
		st = seal(p, &v);
	if (st == ST_OK)
		st = import_version(p, v);
	im->left_alone += st == ST_EXIST;
	im->failed += st != ST_OK && st != ST_EXIST;
	zone_version_free(v);
	zone_build_free(p->build);
	dns_zonefile_free(p->file);
	free(p);
	wait_for_saves(im, SAVES_MOST);
}

/* --- the state --------------------------------------------------------------------------------- */

/* What root makes is not for the user that secd runs as: it could not read it. */
static status_t check_owner(const char *dir)
{
	struct stat st;
	char lock[4096];

	snprintf(lock, sizeof lock, "%s/lock", dir);
	if (geteuid() != 0 || (stat(lock, &st) < 0 && stat(dir, &st) < 0) || st.st_uid == 0)
		return ST_OK;
	fprintf(stderr,
	        "secd: state-dir %s is that of user %u, who could not read what root puts there: "
	        "do this as that user\n",
	        dir, (unsigned)st.st_uid);
	return ST_REFUSED;
}

static status_t open_disk(import_t *im)
{
	const char *dir = im->order->conf->state_dir;
	state_conf_t conf = { .done = &im->done, .past_share = im->order->conf->old_versions };

	if (*dir == '\0') {
		fputs("secd: by the settings nothing is kept on disk: state-dir is empty\n",
		      stderr);
		return ST_NOENT;
	}
	if (check_owner(dir) != ST_OK)
		return ST_REFUSED;
	const int err = -state_disk_open(dir, &conf.disk);
	if (err == EWOULDBLOCK)
		fprintf(stderr,
		        "secd: a secd that runs has the state-dir %s: stop it first, or let it "
		        "transfer its zones\n",
		        dir);
	else if (err != 0)
		fprintf(stderr, "secd: state-dir %s: %s\n", dir, strerror(err));
	if (err != 0)
		return ST_SYSTEM;
	im->state = state_new(&conf);
	return im->state ? ST_OK : ST_NOMEM;
}

static status_t open_state(import_t *im)
{
	char why[256] = "";
	state_scan_t scan;
	status_t st = open_disk(im);

	if (st != ST_OK)
		return st;
	st = state_scan(im->state, &scan, why);
	if (st != ST_OK && why[0] != '\0')
		fprintf(stderr, "secd: state-dir %s: %s\n", im->order->conf->state_dir, why);
	return st == ST_OK ? state_start(im->state) : st;
}

static status_t open_import(import_t *im)
{
	const conf_t *conf = im->order->conf;

	random_bytes(&im->key, sizeof im->key);
	im->boot = clock_boot();
	im->by_apex = calloc(conf->zone_count + 1, sizeof *im->by_apex);
	im->taken = calloc(conf->zone_count + 1, sizeof *im->taken);
	if (!im->by_apex || !im->taken)
		return ST_NOMEM;
	for (size_t i = 0; i < conf->zone_count; i++)
		im->by_apex[i] = &conf->zones[i];
	qsort(im->by_apex, conf->zone_count, sizeof *im->by_apex, by_apex);
	return open_state(im);
}

static void import_all(import_t *im)
{
	const mono_t began = clock_mono();

	for (size_t i = 0; i < im->order->count; i++)
		import_file(im, im->order->files[i]);
	wait_for_saves(im, 0);
	fprintf(stderr,
	        "secd: %zu of %zu zones imported, %zu left alone, %llu records, in %.3f s\n",
	        im->imported, im->order->count, im->left_alone, (unsigned long long)im->records,
	        mono_diff(began, clock_mono()));
}

int ctl_import(const ctl_import_order_t *order)
{
	import_t im = { .order = order };
	status_t st;

	im.loop = ev_loop_new(EVFLAG_AUTO);
	if (!im.loop) {
		fputs("secd: no event loop could be made\n", stderr);
		return EXIT_FAILURE;
	}
	mailbox_open(&im.done, im.loop, on_done, &im);
	st = open_import(&im);
	if (st == ST_OK)
		import_all(&im);
	else if (st == ST_NOMEM)
		fprintf(stderr, "secd: %s\n", status_text(st));
	state_stop(im.state);
	mailbox_close(&im.done);
	state_free(im.state);
	free(im.by_apex);
	free(im.taken);
	ev_loop_destroy(im.loop);
	return st == ST_OK && im.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
