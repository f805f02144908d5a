/* ctl/show.c - verbs that look: at all zones, at some, at one, and at what has happened to it. */
#include "ctl/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/process.h"
#include "refresh/report.h"

enum { EVENTS_SHOWN = 20, EVENTS_EXPLAINED = 500 };

const char ctl_nobody[] = "this server has no such zone";

/* --- status ----------------------------------------------------------------------------------- */

static report_tone_t tone_of(refresh_state_t state)
{
	switch (state) {
	case REFRESH_STATE_FRESH:
		return REPORT_GOOD;
	case REFRESH_STATE_BEHIND:
		return REPORT_WARN;
	case REFRESH_STATE_EMPTY:
	case REFRESH_STATE_EXPIRED:
		return REPORT_BAD;
	}
	return REPORT_PLAIN;
}

static void status_zones(report_t *out, const refresh_totals_t *t)
{
	report_open(out, "zones");
	report_number(out, "total", t->zones);
	report_number(out, "fresh", t->fresh);
	report_number(out, "behind", t->behind);
	report_number(out, "empty", t->empty);
	report_number(out, "expired", t->expired);
	report_number(out, "refused", t->refused);
	report_number(out, "pinned", t->pinned);
	report_close(out);
	report_open(out, "work");
	report_number(out, "polls", t->polls);
	report_number(out, "transfers", t->transfers);
	report_number(out, "queued", t->queued);
	report_close(out);
}

static void status_queries(report_t *out, const net_t *net)
{
	net_totals_t t;

	net_totals(net, &t);
	report_open(out, "queries");
	report_number(out, "received", t.queries);
	report_number(out, "dropped", t.dropped + t.unsent);
	report_number(out, "truncated", t.truncated);
	report_number(out, "notifies", t.notifies);
	report_number(out, "tcp_open", t.tcp_open);
	report_number(out, "tcp_accepted", t.tcp_accepted);
	report_number(out, "tcp_refused", t.tcp_refused);
	report_close(out);
}

/* Where zones outlive a restart, and whether they do. */
static void status_state(report_t *out, const refresh_t *r)
{
	keep_report_t k;

	if (!refresh_keep_report(r, &k)) {
		report_none(out, "state");
		return;
	}
	report_open(out, "state");
	report_word(out, "dir", k.dir);
	report_toned(out, "standing",
	             k.why       ? "failing"
	             : k.loading ? "loading"
	                         : "saved",
	             k.why       ? REPORT_BAD
	             : k.loading ? REPORT_WARN
	                         : REPORT_GOOD);
	report_word(out, "why", k.why);
	report_number(out, "unsaved", k.unsaved);
	report_number(out, "left", k.left);
	report_size(out, "octets", k.stats.octets);
	report_size(out, "needed", k.stats.live);
	report_number(out, "files", k.stats.files);
	report_close(out);
}

void ctl_show_worst(report_t *out, const refresh_t *r)
{
	refresh_laggard_t worst[REFRESH_WORST_MAX];
	size_t count = refresh_worst(r, worst);
	char name[DNS_NAME_TEXT_MAX];

	report_list(out, "worst");
	for (size_t i = 0; i < count; i++) {
		const refresh_laggard_t *w = &worst[i];

		report_item(out);
		report_word(out, "zone", dns_name_text(w->apex, name));
		report_toned(out, "state", refresh_state_text(w->state), tone_of(w->state));
		if (w->state == REFRESH_STATE_EMPTY)
			report_none(out, "serial");
		else
			report_number(out, "serial", w->serial);
		report_time(out, "since", w->since);
		report_word(out, "primary", w->primary);
		report_word(out, "why", w->why);
		report_close(out);
	}
	report_close(out);
}

ctl_outcome_t ctl_show_status(ctl_call_t *call)
{
	const ctl_env_t *env = call->env;
	refresh_totals_t totals;

	refresh_totals(env->refresh, &totals);
	report_word(call->report, "version", SECD_VERSION);
	report_number(call->report, "pid", (uint64_t)getpid());
	report_time(call->report, "started", env->started);
	report_size(call->report, "memory", ctl_process_memory());
	status_zones(call->report, &totals);
	status_queries(call->report, env->net);
	status_state(call->report, env->refresh);
	ctl_show_worst(call->report, env->refresh);
	return CTL_DONE;
}

/* --- zones ------------------------------------------------------------------------------------ */

enum { ZONES_MOST = 1000 };

/* A word of the filter; *word may move on to its value. */
static bool read_kind(const char *word, refresh_filter_t *f)
{
	const struct {
		const char *word;
		bool *flag;
	} kinds[] = {
		{ "--fresh", &f->fresh },     { "--behind", &f->behind },
		{ "--empty", &f->empty },     { "--expired", &f->expired },
		{ "--refused", &f->refused }, { "--pinned", &f->pinned },
		{ "--unsaved", &f->unsaved },
	};

	if (strcmp(word, "--all") == 0) {
		f->most = SIZE_MAX;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(word, kinds[i].word) == 0)
			return *kinds[i].flag = true;
	}
	return false;
}

bool ctl_read_pattern(const char *word, char out[CTL_PATTERN_MAX])
{
	const size_t len = strlen(word);

	if (len == 0 || len + 2 > CTL_PATTERN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = word[i] >= 'A' && word[i] <= 'Z' ? (char)(word[i] - 'A' + 'a') : word[i];
	out[len] = '\0';
	if (!strchr("*.?]", word[len - 1]))
		memcpy(out + len, ".", 2);
	return true;
}

/* False: why says what is wrong. */
static bool read_filter(const ctl_call_t *call, refresh_filter_t *f, char pattern[CTL_PATTERN_MAX],
                        char why[256])
{
	const char *word = call->request->args;
	const size_t count = call->request->arg_count;

	*f = (refresh_filter_t){ .most = ZONES_MOST };
	for (size_t i = 0; i < count; i++, word = ctl_request_next(word)) {
		const char *value = i + 1 < count ? ctl_request_next(word) : "";

		if (read_kind(word, f))
			continue;
		if (strcmp(word, "--match") == 0 && ctl_read_pattern(value, pattern)) {
			f->match = pattern;
		} else if (strcmp(word, "--sort") == 0 && strcmp(value, "lag") == 0) {
			f->by_lag = true;
		} else {
			snprintf(why, 256,
			         "zones [--fresh --behind --empty --expired --refused --pinned "
			         "--unsaved] [--match GLOB] [--sort lag] [--all], not '%.60s'",
			         word);
			return false;
		}
		word = value;
		i++;
	}
	return true;
}

static void list_zone(void *arg, const refresh_laggard_t *z)
{
	report_t *out = arg;
	const bool held = z->state != REFRESH_STATE_EMPTY;
	char name[DNS_NAME_TEXT_MAX];

	report_item(out);
	report_word(out, "zone", dns_name_text(z->apex, name));
	report_toned(out, "state", refresh_state_text(z->state), tone_of(z->state));
	if (held)
		report_number(out, "serial", z->serial);
	else
		report_none(out, "serial");
	if (z->has_newest)
		report_number(out, "newest", z->newest);
	else
		report_none(out, "newest");
	report_time(out, "since", z->since);
	if (held)
		report_time(out, "expires", z->expires);
	else
		report_none(out, "expires");
	report_flag(out, "refused", z->refused);
	report_flag(out, "pinned", z->pinned);
	report_flag(out, "saved", held && !z->unsaved);
	report_word(out, "primary", z->primary);
	report_word(out, "why",
	            z->state == REFRESH_STATE_FRESH && !z->refused && !z->pinned ? NULL : z->why);
	report_close(out);
}

ctl_outcome_t ctl_show_zones(ctl_call_t *call)
{
	char pattern[CTL_PATTERN_MAX];
	refresh_filter_t filter;
	size_t count;

	if (!read_filter(call, &filter, pattern, call->why))
		return CTL_USAGE;
	report_list(call->report, "zones");
	const status_t st =
		refresh_list(call->env->refresh, &filter, list_zone, call->report, &count);
	report_close(call->report);
	if (st != ST_OK) {
		snprintf(call->why, sizeof call->why, "%s", status_text(st));
		return CTL_NO;
	}
	report_number(call->report, "matched", count);
	report_number(call->report, "shown", count < filter.most ? count : filter.most);
	return CTL_DONE;
}

/* --- zone ------------------------------------------------------------------------------------- */

bool ctl_read_name(const char *word, dns_name_t *out, char why[256])
{
	if (dns_name_from_text(word, out) != ST_OK) {
		snprintf(why, 256, "this is no domain name: %.200s", word);
		return false;
	}
	dns_name_fold(out);
	return true;
}

bool ctl_find_zone(ctl_call_t *call, dns_name_t *apex, refresh_zone_report_t *out)
{
	if (!ctl_read_name(call->request->args, apex, call->why))
		return false;
	if (refresh_zone_report(call->env->refresh, apex, out))
		return true;
	snprintf(call->why, sizeof call->why, "%s", ctl_nobody);
	return false;
}

static const char *served_text(zone_state_t served)
{
	switch (served) {
	case ZONE_STATE_EMPTY:
	case ZONE_STATE_EXPIRED:
		return "SERVFAIL";
	case ZONE_STATE_SERVED:
		return "yes";
	}
	return NULL;
}

static void zone_version_fields(report_t *out, const refresh_zone_report_t *z)
{
	report_open(out, "held");
	report_number(out, "serial", z->serial);
	report_time(out, "loaded", z->loaded_at);
	report_time(out, "checked", z->checked_at);
	report_time(out, "expires", z->expires);
	report_number(out, "used", z->used);
	report_seconds(out, "refresh", z->refresh);
	report_seconds(out, "retry", z->retry);
	report_seconds(out, "expire", z->expire);
	report_number(out, "records", z->records);
	report_size(out, "memory", z->memory);
	if (z->has_signatures)
		report_wall(out, "signatures", z->signatures.s);
	else
		report_none(out, "signatures");
	if (z->kept)
		report_flag(out, "saved", !z->unsaved);
	else
		report_none(out, "saved");
	report_close(out);
	report_open(out, "transfer");
	report_word(out, "primary", z->source);
	report_word(out, "kind", z->kind);
	report_size(out, "octets", z->octets);
	report_ms(out, "took", z->ms);
	report_close(out);
}

/* How far it is behind: in serials, if somebody has shown a newer one, and in time. */
static void zone_lag(report_t *out, const refresh_zone_report_t *z)
{
	if (z->state != REFRESH_STATE_BEHIND && z->state != REFRESH_STATE_EXPIRED) {
		report_none(out, "lag");
		return;
	}
	report_open(out, "lag");
	if (z->has_newest) {
		report_number(out, "newest", z->newest);
		report_number(out, "serials", z->newest - z->serial);
	} else {
		report_none(out, "newest");
		report_none(out, "serials");
	}
	report_time(out, "since", z->behind_since);
	report_close(out);
}

static void zone_primaries(report_t *out, const refresh_t *r, const dns_name_t *apex, size_t count)
{
	char addr[ADDR_TEXT_MAX];
	refresh_primary_report_t p;

	report_list(out, "primaries");
	for (size_t i = 0; i < count && refresh_primary_report(r, apex, i, &p); i++) {
		report_item(out);
		report_word(out, "name", p.name);
		report_word(out, "address", addr_text(&p.addr, addr));
		if (p.has_serial) {
			report_number(out, "serial", p.serial);
			report_time(out, "shown", p.shown_at);
		} else {
			report_none(out, "serial");
			report_none(out, "shown");
		}
		if (p.has_refused)
			report_number(out, "refused", p.refused);
		else
			report_none(out, "refused");
		if (p.failing)
			report_time(out, "failed", p.failed_at);
		else
			report_none(out, "failed");
		report_toned(out, "why", p.failing ? p.why : NULL, REPORT_BAD);
		report_close(out);
	}
	report_close(out);
}

static void event_serials(report_t *out, const refresh_event_t *e)
{
	if (e->has_serial)
		report_number(out, "serial", e->serial);
	else
		report_none(out, "serial");
	if (e->has_held)
		report_number(out, "held", e->held);
	else
		report_none(out, "held");
	if (e->octets)
		report_size(out, "octets", e->octets);
	else
		report_none(out, "octets");
}

static void zone_events(report_t *out, const refresh_t *r, const dns_name_t *apex)
{
	refresh_events_walk_t walk = refresh_events_walk(refresh_events(r), apex->wire);
	char addr[ADDR_TEXT_MAX];
	refresh_event_t e;

	report_list(out, "events");
	for (unsigned i = 0; i < EVENTS_SHOWN && refresh_events_next(&walk, &e); i++) {
		report_item(out);
		report_time(out, "at", e.at);
		report_word(out, "event", refresh_event_text(e.code));
		report_word(out, "primary", e.primary);
		report_word(out, "address", e.has_addr ? addr_text(&e.addr, addr) : NULL);
		event_serials(out, &e);
		report_word(out, "why", e.text);
		report_close(out);
	}
	report_close(out);
}

static void zone_pin(report_t *out, const refresh_zone_report_t *z)
{
	if (!z->pinned) {
		report_none(out, "pinned");
		return;
	}
	report_open(out, "pinned");
	report_wall(out, "since", z->pinned_at);
	report_flag(out, "expires", !z->unexpiring);
	report_close(out);
}

ctl_outcome_t ctl_show_zone(ctl_call_t *call)
{
	report_t *out = call->report;
	char name[DNS_NAME_TEXT_MAX];
	refresh_zone_report_t z;
	dns_name_t apex;

	if (!ctl_find_zone(call, &apex, &z))
		return CTL_NO;
	report_word(out, "zone", dns_name_text(apex.wire, name));
	report_toned(out, "state", refresh_state_text(z.state), tone_of(z.state));
	report_word(out, "answered", served_text(z.served));
	zone_pin(out, &z);
	report_word(out, "work", refresh_work_text(z.work));
	report_flag(out, "again", z.again);
	report_number(out, "failures", z.failures);
	if (z.work == REFRESH_WORK_NONE)
		report_time(out, "due", z.due);
	else
		report_none(out, "due");
	report_word(out, "group", z.group);
	if (z.loaded) {
		zone_lag(out, &z);
		zone_version_fields(out, &z);
	} else {
		report_none(out, "lag");
		report_none(out, "held");
		report_none(out, "transfer");
	}
	zone_primaries(out, call->env->refresh, &apex, z.primaries);
	zone_events(out, call->env->refresh, &apex);
	return CTL_DONE;
}

/* --- explain ---------------------------------------------------------------------------------- */

static void explain_event(report_t *out, const refresh_event_t *e)
{
	char addr[ADDR_TEXT_MAX];

	report_item(out);
	report_time(out, "at", e->at);
	report_word(out, "event", refresh_event_text(e->code));
	report_word(out, "primary", e->primary);
	report_word(out, "address", e->has_addr ? addr_text(&e->addr, addr) : NULL);
	event_serials(out, e);
	if (e->code == REFRESH_EVENT_INSTALLED) {
		report_number(out, "records", e->records);
		report_ms(out, "took", e->ms);
	} else {
		report_none(out, "records");
		report_none(out, "took");
	}
	report_word(out, "why", e->text);
	report_close(out);
}

/* The oldest first, as one reads what has happened. */
ctl_outcome_t ctl_show_explain(ctl_call_t *call)
{
	const refresh_t *r = call->env->refresh;
	refresh_event_t *last;
	refresh_zone_report_t z;
	char name[DNS_NAME_TEXT_MAX];
	dns_name_t apex;
	size_t count = 0;

	if (!ctl_find_zone(call, &apex, &z))
		return CTL_NO;
	last = malloc(EVENTS_EXPLAINED * sizeof *last);
	if (!last) {
		snprintf(call->why, sizeof call->why, "%s", status_text(ST_NOMEM));
		return CTL_NO;
	}
	refresh_events_walk_t walk = refresh_events_walk(refresh_events(r), apex.wire);
	while (count < EVENTS_EXPLAINED && refresh_events_next(&walk, &last[count]))
		count++;
	report_word(call->report, "zone", dns_name_text(apex.wire, name));
	report_toned(call->report, "state", refresh_state_text(z.state), tone_of(z.state));
	report_list(call->report, "events");
	while (count > 0)
		explain_event(call->report, &last[--count]);
	report_close(call->report);
	free(last);
	return CTL_DONE;
}
