/* ctl/offline.c - look, load, write; and look again. */
#include "ctl/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/grow.h"
#include "common/random.h"
#include "ctl/print.h"
#include "dns/text.h"

enum {
	LOOKS_MOST = 12, /* through a state whose files go away meanwhile */
	PAUSE_MS = 10,   /* before the second, doubled each time ... */
	PAUSE_MOST_MS = 500,
	ROUNDS_MOST = 6,   /* for a zone whose file has gone */
	ROUNDS_BEHIND = 2, /* ... and for one that is not the newest */
	DIR_MODE = 0750,
	FILE_MODE = 0640,
};

/* A state, looked through. */
typedef struct look {
	const char *dir;
	state_t *state;
	state_scan_t scan;
	siphash_key_t key;
} look_t;

static void look_end(look_t *l)
{
	state_free(l->state);
	l->state = NULL;
}

/* Once. ST_STALE: somebody cleans up in it. */
static status_t look_once(look_t *l)
{
	state_conf_t conf = { 0 };
	char why[256] = "";
	const int err = state_disk_open_reader(l->dir, &conf.disk);

	if (err < 0) {
		fprintf(stderr, "secd: state-dir %s: %s\n", l->dir, strerror(-err));
		return ST_SYSTEM;
	}
	l->state = state_new(&conf);
	const status_t st = l->state ? state_scan(l->state, &l->scan, why) : ST_NOMEM;
	if (st == ST_OK && l->scan.gone > 0)
		return ST_STALE;
	if (st != ST_OK)
		fprintf(stderr, "secd: state-dir %s: %s\n", l->dir,
		        st == ST_NOMEM ? status_text(st) : why);
	return st;
}

static void pause_before(unsigned again)
{
	const unsigned ms = again < 6 ? PAUSE_MS << again : PAUSE_MOST_MS;

	usleep((ms < PAUSE_MOST_MS ? ms : PAUSE_MOST_MS) * 1000);
}

/* Until nothing went away under it: ST_OK. Else it has been said why not. */
static status_t look(look_t *l, const conf_t *conf)
{
	status_t st = ST_STALE;

	*l = (look_t){ .dir = conf->state_dir };
	if (*l->dir == '\0') {
		fputs("secd: by the settings nothing is kept on disk: state-dir is empty\n",
		      stderr);
		return ST_NOENT;
	}
	random_bytes(&l->key, sizeof l->key);
	for (unsigned i = 0; i < LOOKS_MOST && st == ST_STALE; i++) {
		if (i > 0)
			pause_before(i - 1);
		look_end(l);
		st = look_once(l);
	}
	if (st == ST_STALE)
		fprintf(stderr,
		        "secd: state-dir %s: its files change too fast to be read together\n",
		        l->dir);
	if (st != ST_OK)
		look_end(l);
	return st;
}

void ctl_offline_load(const state_t *state, const state_zone_t *z, const siphash_key_t *key,
                      xfr_kept_t *out)
{
	const zone_gates_t open = { .max_iterations = UINT32_MAX };
	const xfr_keep_spec_t spec = {
		.state = state,
		.zone = z,
		.key = key,
		.apex = state_zone_apex(z),
		.limits = { UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX },
		.gates = open,
		.accepted = open,
		.now = clock_wall_coarse(),
	};

	xfr_keep_load(&spec, out);
}

/* A zone's copy: ST_OK with kept->version; ST_STALE: look again; ST_NOENT: there is none; ST_MALFORMED:
 * kept->why. */
static status_t fetch(const look_t *l, const state_zone_t *z, unsigned round, xfr_kept_t *kept)
{
	const bool behind = z && state_zone_is_behind(z);

	*kept = (xfr_kept_t){ 0 };
	if (behind && round < ROUNDS_BEHIND)
		return ST_STALE;
	if (!z || !state_zone_has(z))
		return behind ? ST_MALFORMED : ST_NOENT;
	ctl_offline_load(l->state, z, &l->key, kept);
	free(kept->clocks);
	if (kept->version)
		return ST_OK;
	return kept->why.code == XFR_WHY_ERRNO && kept->why.a == ENOENT && round < ROUNDS_MOST
	               ? ST_STALE
	               : ST_MALFORMED;
}

static void tell_behind(const look_t *l, const char *zone, const zone_version_t *v)
{
	fprintf(stderr,
	        "secd: zone %s: state-dir %s had something newer than serial %u, which can't be "
	        "read\n",
	        zone, l->dir, zone_version_soa(v)->serial);
}

static void tell_missing(const look_t *l, const char *zone, const xfr_why_t *why, status_t st)
{
	char text[XFR_WHY_TEXT_MAX];
	const char *damage = l->scan.damaged_places > 0 ? l->scan.first_damage : NULL;

	if (st == ST_NOENT && !damage)
		fprintf(stderr, "secd: zone %s is not in state-dir %s\n", zone, l->dir);
	else if (st == ST_NOENT)
		fprintf(stderr,
		        "secd: zone %s is not in state-dir %s, or where it is damaged: %s\n", zone,
		        l->dir, damage);
	else
		fprintf(stderr, "secd: zone %s in state-dir %s: %s%s%s\n", zone, l->dir,
		        why->code == XFR_WHY_NONE ? "its copy in state-dir is damaged"
		                                  : xfr_why_text(why, text),
		        damage ? "; damage begins in " : "", damage ? damage : "");
}

/* --- text to a file ---------------------------------------------------------------------------- */

static status_t write_all(void *arg, const char *text, size_t len)
{
	const int fd = *(const int *)arg;

	while (len > 0) {
		const ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return ST_SYSTEM;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return ST_OK;
}

static status_t print_to(int fd, const zone_version_t *v, report_form_t form,
                         ctl_printed_t *printed)
{
	const ctl_print_order_t order = {
		.version = v,
		.form = form,
		.holder = "secd's state",
		.wall_ms = clock_wall_ms(),
		.sink = { write_all, &fd },
	};

	return ctl_print(&order, printed);
}

/* --- one zone ---------------------------------------------------------------------------------- */

static status_t dump_one(const look_t *l, const dns_name_t *apex, const char *name,
                         report_form_t form, unsigned round)
{
	state_zone_t *z = state_zone_find(l->state, apex->wire);
	ctl_printed_t printed;
	xfr_kept_t kept;
	status_t st = fetch(l, z, round, &kept);

	if (st == ST_NOENT || st == ST_MALFORMED)
		tell_missing(l, name, &kept.why, st);
	if (st != ST_OK)
		return st;
	if (state_zone_is_behind(z))
		tell_behind(l, name, kept.version);
	st = print_to(STDOUT_FILENO, kept.version, form, &printed);
	if (st != ST_OK)
		fprintf(stderr, "secd: zone %s: %s\n", name,
		        st == ST_SYSTEM ? strerror(errno) : status_text(st));
	zone_version_free(kept.version);
	return st == ST_STALE ? ST_SYSTEM : st;
}

int ctl_offline_dump(const conf_t *conf, const char *zone, report_form_t form)
{
	char name[DNS_NAME_TEXT_MAX];
	dns_name_t apex;
	status_t st = ST_STALE;

	if (dns_name_from_text(zone, &apex) != ST_OK) {
		fprintf(stderr, "secd: %s is no name of a zone\n", zone);
		return EXIT_FAILURE;
	}
	dns_name_fold(&apex);
	dns_name_text(apex.wire, name);
	for (unsigned round = 0; st == ST_STALE; round++) {
		look_t l;

		if (round > 0)
			pause_before(round - 1);
		st = look(&l, conf);
		if (st == ST_OK)
			st = dump_one(&l, &apex, name, form, round);
		else if (st == ST_STALE)
			st = ST_SYSTEM;
		look_end(&l);
	}
	return st == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- all zones --------------------------------------------------------------------------------- */

const char *ctl_offline_file(const uint8_t *apex, char out[CTL_OFFLINE_FILE_MAX])
{
	static const siphash_key_t key = { 0, 0 }; /* the same file each time */
	enum { KEEP = 220 };                       /* octets of a name that is too long */
	char text[DNS_NAME_TEXT_MAX], safe[4 * DNS_NAME_TEXT_MAX];
	size_t n = 0;

	dns_text_name(apex, text);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '/')
			n += (size_t)sprintf(safe + n, "\\047");
		else
			safe[n++] = *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;
	}
	n -= n > 0; /* the final dot */
	if (n == 0)
		snprintf(out, CTL_OFFLINE_FILE_MAX, "@.zone");
	else if (n + sizeof ".zone" <= CTL_OFFLINE_FILE_MAX)
		snprintf(out, CTL_OFFLINE_FILE_MAX, "%.*s.zone", (int)n, safe);
	else
		snprintf(out, CTL_OFFLINE_FILE_MAX, "%.*s~%016llx.zone", (int)KEEP, safe,
		         (unsigned long long)siphash13(&key, apex, dns_wire_len(apex)));
	return out;
}

typedef struct all {
	look_t look;
	const char *path;
	int dir;
	bool tty;
	mono_t began, told;
	state_zone_t **zones; /* to be written in this round */
	size_t zone_count, zone_room;
	uint8_t **again; /* apexes for the next one */
	size_t again_count, again_room;
	size_t total, written, failed;
	uint64_t records;
	bool damaged;
	status_t status; /* not ST_OK: no use in going on */
} all_t;

static void add_zone(void *arg, state_zone_t *z)
{
	all_t *a = arg;
	state_zone_t **list = a->status == ST_OK
	                              ? grow(a->zones, a->zone_count, &a->zone_room, sizeof *list)
	                              : NULL;

	if (!list) {
		a->status = ST_NOMEM;
		return;
	}
	a->zones = list;
	if (state_zone_has(z) || state_zone_is_behind(z))
		a->zones[a->zone_count++] = z;
}

static void add_again(all_t *a, const uint8_t *apex)
{
	const size_t len = dns_wire_len(apex);
	uint8_t *copy = malloc(len),
		**list = grow(a->again, a->again_count, &a->again_room, sizeof *list);

	if (list)
		a->again = list;
	if (!list || !copy) {
		free(copy);
		a->status = ST_NOMEM;
		return;
	}
	memcpy(copy, apex, len);
	a->again[a->again_count++] = copy;
}

static void tell_progress(all_t *a)
{
	const mono_t now = clock_mono();

	if (mono_diff(a->told, now) < (a->tty ? 0.2 : 5.))
		return;
	a->told = now;
	fprintf(stderr, a->tty ? "\r\033[Ksecd: %zu of %zu zones" : "secd: %zu of %zu zones\n",
	        a->written + a->failed, a->total);
}

/* Lines of their own. */
static void clear_progress(const all_t *a)
{
	if (a->tty)
		fputs("\r\033[K", stderr);
}

/* To a file beside its place first, so that what is there is complete. */
static status_t write_file(all_t *a, const zone_version_t *v)
{
	char name[CTL_OFFLINE_FILE_MAX], temporary[64];
	ctl_printed_t printed;

	ctl_offline_file(zone_version_apex_name(v), name);
	snprintf(temporary, sizeof temporary, ".secd-dump-%d", (int)getpid());
	(void)unlinkat(a->dir, temporary, 0);
	const int fd = openat(a->dir, temporary,
	                      O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	status_t st = fd < 0 ? ST_SYSTEM : print_to(fd, v, REPORT_TEXT, &printed);
	if (fd >= 0 && close(fd) < 0 && st == ST_OK)
		st = ST_SYSTEM;
	if (st == ST_OK && renameat(a->dir, temporary, a->dir, name) < 0)
		st = ST_SYSTEM;
	if (st == ST_OK) {
		a->records += printed.records;
		return st;
	}
	clear_progress(a);
	fprintf(stderr, "secd: %s/%s: %s\n", a->path, name,
	        st == ST_SYSTEM ? strerror(errno) : status_text(st));
	(void)unlinkat(a->dir, temporary, 0);
	return st;
}

static void dump_to_file(all_t *a, state_zone_t *z, const uint8_t *apex, unsigned round)
{
	char name[DNS_NAME_TEXT_MAX];
	xfr_kept_t kept;
	status_t st = fetch(&a->look, z, round, &kept);

	dns_name_text(apex, name);
	if (st == ST_STALE) {
		add_again(a, apex);
		return;
	}
	if (st != ST_OK) {
		clear_progress(a);
		tell_missing(&a->look, name, &kept.why, st);
		a->failed++;
		return;
	}
	if (state_zone_is_behind(z)) {
		clear_progress(a);
		tell_behind(&a->look, name, kept.version);
	}
	/* What one file is refused, the next will be. */
	a->status = write_file(a, kept.version);
	a->written += a->status == ST_OK;
	a->failed += a->status != ST_OK;
	zone_version_free(kept.version);
}

/* Which zones lay there nobody knows. */
static void tell_damage(all_t *a)
{
	const state_scan_t *s = &a->look.scan;

	if (s->damaged_places == 0)
		return;
	a->damaged = true;
	fprintf(stderr,
	        "secd: state-dir %s is damaged in %u place%s, first in %s: zones may be missing, "
	        "or older than they were\n",
	        a->look.dir, s->damaged_places, s->damaged_places == 1 ? "" : "s", s->first_damage);
}

static void first_round(all_t *a)
{
	tell_damage(a);
	state_zones_each(a->look.state, add_zone, a);
	a->total = a->zone_count;
	for (size_t i = 0; i < a->zone_count && a->status == ST_OK; i++) {
		dump_to_file(a, a->zones[i], state_zone_apex(a->zones[i]), 0);
		tell_progress(a);
	}
}

/* Those that the round before could not have. */
static void next_round(all_t *a, unsigned round)
{
	uint8_t **again = a->again;
	const size_t count = a->again_count;

	a->again = NULL;
	a->again_count = a->again_room = 0;
	for (size_t i = 0; i < count; i++) {
		if (a->status == ST_OK)
			dump_to_file(a, state_zone_find(a->look.state, again[i]), again[i], round);
		free(again[i]);
		tell_progress(a);
	}
	free(again);
}

static status_t open_dir(all_t *a)
{
	if (mkdir(a->path, DIR_MODE) == 0 || errno == EEXIST)
		a->dir = open(a->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->dir >= 0)
		return ST_OK;
	fprintf(stderr, "secd: %s: %s\n", a->path, strerror(errno));
	return ST_SYSTEM;
}

static void dump_rounds(all_t *a, const conf_t *conf)
{
	for (unsigned round = 0; round == 0 || a->again_count > 0; round++) {
		if (round > 0)
			pause_before(round - 1);
		a->status = look(&a->look, conf);
		if (a->status == ST_OK && round == 0)
			first_round(a);
		else if (a->status == ST_OK)
			next_round(a, round);
		look_end(&a->look);
		if (a->status != ST_OK)
			break;
	}
	if (a->status != ST_OK && a->total == 0)
		return; /* there was nothing to look at */
	if (a->status == ST_OK && syncfs(a->dir) < 0) {
		fprintf(stderr, "secd: %s: %s\n", a->path, strerror(errno));
		a->status = ST_SYSTEM;
	}
	clear_progress(a);
	fprintf(stderr, "secd: %zu of %zu zones to %s, %llu records, in %.3f s\n", a->written,
	        a->total, a->path, (unsigned long long)a->records,
	        mono_diff(a->began, clock_mono()));
}

int ctl_offline_dump_all(const conf_t *conf, const char *dir)
{
	all_t a = { .path = dir, .dir = -1, .tty = isatty(STDERR_FILENO) };

	a.began = a.told = clock_mono();
	a.status = open_dir(&a);
	if (a.status == ST_OK)
		dump_rounds(&a, conf);
	for (size_t i = 0; i < a.again_count; i++)
		free(a.again[i]);
	free(a.again);
	free(a.zones);
	if (a.dir >= 0)
		close(a.dir);
	return a.status == ST_OK && a.failed == 0 && !a.damaged ? EXIT_SUCCESS : EXIT_FAILURE;
}
