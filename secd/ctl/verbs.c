/* ctl/verbs.c - the verbs: each fills the report, or says why not. */
#include "ctl/verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "refresh/report.h"

enum { EVENTS_SHOWN = 20 };

static const char nobody[] = "this server has no such zone";

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

/* Resident octets of the process. */
static uint64_t memory(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
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
	report_number(out, "dropped", t.dropped);
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
	report_size(out, "octets", k.stats.octets);
	report_size(out, "needed", k.stats.live);
	report_number(out, "files", k.stats.files);
	report_close(out);
}

static void status_worst(report_t *out, const refresh_t *r)
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

static ctl_outcome_t run_status(ctl_call_t *call)
{
	const ctl_env_t *env = call->env;
	refresh_totals_t totals;

	refresh_totals(env->refresh, &totals);
	report_word(call->report, "version", SECD_VERSION);
	report_number(call->report, "pid", (uint64_t)getpid());
	report_time(call->report, "started", env->started);
	report_size(call->report, "memory", memory());
	status_zones(call->report, &totals);
	status_queries(call->report, env->net);
	status_state(call->report, env->refresh);
	status_worst(call->report, env->refresh);
	return CTL_DONE;
}

/* --- zone ------------------------------------------------------------------------------------- */

/* The zone that a word means; false: why says what is wrong with it. */
static bool read_name(const char *word, dns_name_t *out, char why[256])
{
	if (dns_name_from_text(word, out) != ST_OK) {
		snprintf(why, 256, "this is no domain name: %.200s", word);
		return false;
	}
	dns_name_fold(out);
	return true;
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
	report_seconds(out, "refresh", z->refresh);
	report_seconds(out, "retry", z->retry);
	report_seconds(out, "expire", z->expire);
	report_number(out, "records", z->records);
	report_size(out, "memory", z->memory);
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

/* A moment by the wall clock. */
static mono_t of_wall(uint32_t seconds)
{
	return mono_add_ms(clock_mono(), (int64_t)seconds * 1000 - clock_wall_ms());
}

static void zone_pin(report_t *out, const refresh_zone_report_t *z)
{
	if (!z->pinned) {
		report_none(out, "pinned");
		return;
	}
	report_open(out, "pinned");
	report_time(out, "since", of_wall(z->pinned_at));
	report_flag(out, "expires", !z->unexpiring);
	report_close(out);
}

static ctl_outcome_t run_zone(ctl_call_t *call)
{
	report_t *out = call->report;
	char name[DNS_NAME_TEXT_MAX];
	refresh_zone_report_t z;
	dns_name_t apex;

	if (!read_name(call->request->args, &apex, call->why))
		return CTL_NO;
	if (!refresh_zone_report(call->env->refresh, &apex, &z)) {
		snprintf(call->why, sizeof call->why, "%s", nobody);
		return CTL_NO;
	}
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
		zone_version_fields(out, &z);
	} else {
		report_none(out, "held");
		report_none(out, "transfer");
	}
	zone_primaries(out, call->env->refresh, &apex, z.primaries);
	zone_events(out, call->env->refresh, &apex);
	return CTL_DONE;
}

/* --- commands --------------------------------------------------------------------------------- */

static const char *refusal(status_t st)
{
	return st == ST_NOENT     ? nobody
	       : st == ST_STALE   ? "no primary of it has a serial that was refused"
	       : st == ST_REFUSED ? "it is pinned: secdctl unpin first"
	                          : status_text(st);
}

static void unpin(const ctl_call_t *call, const dns_name_t *apex, char why[256])
{
	const status_t st = refresh_unpin(call->env->refresh, apex);

	if (st != ST_OK)
		snprintf(why, 256, "%s", st == ST_STALE ? "it is not pinned" : refusal(st));
}

static void hasten(const ctl_call_t *call, const dns_name_t *apex, ctl_verb_id_t verb,
                   char why[256])
{
	const refresh_verb_t what = verb == CTL_VERB_ACCEPT       ? REFRESH_ACCEPT
	                            : verb == CTL_VERB_RETRANSFER ? REFRESH_RETRANSFER
	                                                          : REFRESH_NOW;
	const status_t st = refresh_command(call->env->refresh, apex, what);

	if (st != ST_OK)
		snprintf(why, 256, "%s", refusal(st));
}

/* One zone of a command; why is empty when it will be done. */
static void command(const ctl_call_t *call, const char *word, ctl_verb_id_t verb, char why[256])
{
	char text[DNS_NAME_TEXT_MAX];
	dns_name_t apex;

	why[0] = '\0';
	if (read_name(word, &apex, why)) {
		if (verb == CTL_VERB_UNPIN)
			unpin(call, &apex, why);
		else
			hasten(call, &apex, verb, why);
		word = dns_name_text(apex.wire, text);
	}
	report_item(call->report);
	report_word(call->report, "zone", word);
	report_flag(call->report, "done", why[0] == '\0');
	report_word(call->report, "why", why[0] != '\0' ? why : NULL);
	report_close(call->report);
}

static ctl_outcome_t run_command(ctl_call_t *call, ctl_verb_id_t verb)
{
	const char *word = call->request->args;
	size_t count = call->zones = call->request->arg_count;
	char why[256];

	report_list(call->report, "zones");
	for (size_t i = 0; i < count; i++, word = ctl_request_next(word)) {
		command(call, word, verb, why);
		if (why[0] == '\0')
			continue;
		call->failed++;
		memcpy(call->why, why, sizeof why);
	}
	report_close(call->report);
	if (call->failed > 0 && count > 1)
		snprintf(call->why, sizeof call->why, "not done for %zu of %zu zones", call->failed,
		         count);
	return call->failed > 0 ? CTL_NO : CTL_DONE;
}

static ctl_outcome_t run_dump(ctl_call_t *call)
{
	const zone_version_t *v;
	refresh_zone_report_t z;
	dns_name_t apex;

	if (!read_name(call->request->args, &apex, call->why))
		return CTL_NO;
	if (!refresh_zone_report(call->env->refresh, &apex, &z)) {
		snprintf(call->why, sizeof call->why, "%s", nobody);
		return CTL_NO;
	}
	v = zone_slot_version(z.slot);
	if (!v) {
		snprintf(call->why, sizeof call->why, "nothing is held of it yet");
		return CTL_NO;
	}
	call->hold = zone_hold_new(v);
	if (!call->hold) {
		snprintf(call->why, sizeof call->why, "%s", status_text(ST_NOMEM));
		return CTL_NO;
	}
	return CTL_DUMP;
}

/* --- older versions --------------------------------------------------------------------------- */

static bool read_number(const char *word, uint32_t *out)
{
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	const unsigned long n = strtoul(word, &end, 10);
	*out = (uint32_t)n;
	return *end == '\0' && errno == 0 && n <= UINT32_MAX;
}

/* A word behind the name: which version, or that it is not to expire. */
static bool read_order(const char *word, refresh_pin_order_t *order)
{
	const bool chosen = order->by_serial || order->by_version;

	if (strcmp(word, "no-expire") == 0 && !order->unexpiring) {
		order->unexpiring = true;
		return true;
	}
	if (chosen)
		return false;
	if (read_number(word, &order->wanted)) {
		order->by_serial = true;
		return true;
	}
	order->by_version = *word == 'v' && read_number(word + 1, &order->wanted);
	return order->by_version;
}

static ctl_outcome_t run_later(ctl_call_t *call, bool pins)
{
	const char *word = call->request->args;

	call->later.pins = pins;
	call->zones = 1;
	if (!read_name(word, &call->later.apex, call->why))
		return CTL_NO;
	for (size_t i = 1; i < call->request->arg_count; i++) {
		word = ctl_request_next(word);
		if (read_order(word, &call->later.order))
			continue;
		snprintf(call->why, sizeof call->why,
		         "pin NAME [SERIAL | vNUMBER] [no-expire], not '%.100s'", word);
		return CTL_USAGE;
	}
	return CTL_LATER;
}

void ctl_verbs_later(const ctl_env_t *env, const ctl_later_t *later, refresh_pin_cb done, void *arg)
{
	if (later->pins)
		refresh_pin(env->refresh, &later->apex, &later->order, done, arg);
	else
		refresh_versions(env->refresh, &later->apex, done, arg);
}

static void version_list(report_t *out, const refresh_pin_result_t *result)
{
	char number[16];

	report_list(out, "versions");
	for (size_t i = 0; i < result->count; i++) {
		const state_listed_t *v = &result->all[i];

		report_item(out);
		snprintf(number, sizeof number, "v%u", v->version);
		report_word(out, "version", number);
		report_number(out, "serial", v->serial);
		if (v->arrived > 0)
			report_time(out, "came", of_wall(v->arrived));
		else
			report_none(out, "came");
		report_word(out, "kept", v->whole ? "whole" : "difference");
		report_size(out, "octets", v->octets);
		report_flag(out, "served", i == 0 && result->saved);
		report_close(out);
	}
	report_close(out);
}

ctl_outcome_t ctl_verbs_came(const ctl_later_t *later, const refresh_pin_result_t *result,
                             report_t *out, char why[256])
{
	char name[DNS_NAME_TEXT_MAX];

	if (result->why) {
		snprintf(why, 256, "%s", result->why);
		return CTL_NO;
	}
	report_word(out, "zone", dns_name_text(later->apex.wire, name));
	report_number(out, "serial", result->serial);
	if (!later->pins) {
		version_list(out, result);
		return CTL_DONE;
	}
	report_number(out, "was", result->was);
	report_flag(out, "pinned", true);
	report_flag(out, "expires", !later->order.unexpiring);
	report_flag(out, "saved", result->saved);
	return CTL_DONE;
}

/* --- all -------------------------------------------------------------------------------------- */

ctl_outcome_t ctl_verbs_run(ctl_call_t *call, const ctl_verb_t **verb)
{
	size_t args = call->request->arg_count;
	const ctl_verb_t *v = *verb = ctl_verb_find(call->request->verb);

	if (!v) {
		snprintf(call->why, sizeof call->why, "there is no verb %.100s",
		         call->request->verb);
		return CTL_USAGE;
	}
	if (args < v->least || args > v->most) {
		snprintf(call->why, sizeof call->why, "%s %s", v->word,
		         v->most == 0 ? "takes no arguments" : v->args);
		return CTL_USAGE;
	}
	switch (v->id) {
	case CTL_VERB_STATUS:
		return run_status(call);
	case CTL_VERB_ZONE:
		return run_zone(call);
	case CTL_VERB_REFRESH:
	case CTL_VERB_RETRANSFER:
	case CTL_VERB_ACCEPT:
	case CTL_VERB_UNPIN:
		return run_command(call, v->id);
	case CTL_VERB_VERSIONS:
	case CTL_VERB_PIN:
		return run_later(call, v->id == CTL_VERB_PIN);
	case CTL_VERB_DUMP:
		return run_dump(call);
	case CTL_VERB_STOP:
		report_flag(call->report, "stopping", true);
		return CTL_STOP;
	}
	return CTL_USAGE;
}
