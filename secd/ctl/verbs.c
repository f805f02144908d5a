/* ctl/verbs.c - the verbs: what changes something, and what takes longer; the rest is in ctl/show.c. */
#include "ctl/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ctl/health.h"
#include "ctl/lint.h"
#include "ctl/show.h"
#include "ctl/skew.h"
#include "ctl/stats.h"
#include "refresh/report.h"

/* --- commands --------------------------------------------------------------------------------- */

static const char *refusal(status_t st)
{
	return st == ST_NOENT     ? ctl_nobody
	       : st == ST_STALE   ? "no primary of it has a serial that was refused"
	       : st == ST_REFUSED ? "it is pinned: secdctl unpin first"
	                          : status_text(st);
}

static void unpin(const ctl_call_t *call, const dns_name_t *apex, char why[256])
{
	const status_t st = refresh_unpin(call->env->refresh, apex);

	if (st != ST_OK)
		snprintf(why, 256, "%s",
		         st == ST_STALE   ? "it is not pinned"
		         : st == ST_EXIST ? "it is being pinned now: unpin it when that is done"
		                          : refusal(st));
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

/* Names that a pattern stands for. */
typedef struct matched {
	const ctl_call_t *call;
	size_t count;
} matched_t;

static void refresh_one(void *arg, const refresh_laggard_t *zone)
{
	matched_t *m = arg;
	dns_name_t apex;

	dns_name_from_wire(zone->apex, &apex);
	m->count += refresh_command(m->call->env->refresh, &apex, REFRESH_NOW) == ST_OK;
}

static bool is_pattern(const char *word)
{
	return strpbrk(word, "*?[") != NULL;
}

/* Asking is safe for any number of zones: they wait for their turns like all that are due. */
static size_t refresh_matching(const ctl_call_t *call, const char *pattern, char why[256])
{
	char folded[CTL_PATTERN_MAX];
	matched_t m = { .call = call };
	const refresh_filter_t filter = { .match = folded, .most = SIZE_MAX };
	size_t all;

	if (!ctl_read_pattern(pattern, folded))
		snprintf(why, 256, "the pattern is too long");
	else if (refresh_list(call->env->refresh, &filter, refresh_one, &m, &all) != ST_OK)
		snprintf(why, 256, "%s", status_text(ST_NOMEM));
	else if (all == 0)
		snprintf(why, 256, "no zone of this server is named so");
	return m.count;
}

/* One word of a command: a zone, or for refresh many; why is empty when it will be done. */
static void command(const ctl_call_t *call, const char *word, ctl_verb_id_t verb, char why[256])
{
	char text[DNS_NAME_TEXT_MAX];
	dns_name_t apex;
	size_t zones = 1;

	why[0] = '\0';
	if (verb == CTL_VERB_REFRESH && is_pattern(word)) {
		zones = refresh_matching(call, word, why);
	} else if (ctl_read_name(word, &apex, why)) {
		if (verb == CTL_VERB_UNPIN)
			unpin(call, &apex, why);
		else
			hasten(call, &apex, verb, why);
		word = dns_name_text(apex.wire, text);
	}
	report_item(call->report);
	report_word(call->report, "zone", word);
	report_flag(call->report, "done", why[0] == '\0');
	report_number(call->report, "zones", why[0] == '\0' ? zones : 0);
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

	if (!ctl_find_zone(call, &apex, &z))
		return CTL_NO;
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

	if (strcmp(word, "--no-expire") == 0 && !order->unexpiring) {
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

	call->later.what = pins ? CTL_LATER_PIN : CTL_LATER_VERSIONS;
	call->zones = 1;
	if (!ctl_read_name(word, &call->later.apex, call->why))
		return CTL_NO;
	for (size_t i = 1; i < call->request->arg_count; i++) {
		word = ctl_request_next(word);
		if (read_order(word, &call->later.order))
			continue;
		snprintf(call->why, sizeof call->why,
		         "pin NAME [SERIAL | vNUMBER] [--no-expire], not '%.100s'", word);
		return CTL_USAGE;
	}
	return CTL_LATER;
}

void ctl_verbs_later(const ctl_env_t *env, const ctl_later_t *later, refresh_pin_cb done, void *arg)
{
	if (later->what == CTL_LATER_PIN)
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
			report_wall(out, "came", v->arrived);
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
	if (later->what == CTL_LATER_VERSIONS) {
		version_list(out, result);
		return CTL_DONE;
	}
	report_number(out, "was", result->was);
	report_flag(out, "pinned", true);
	report_flag(out, "expires", !later->order.unexpiring);
	report_flag(out, "saved", result->saved);
	return CTL_DONE;
}

/* --- the settings ----------------------------------------------------------------------------- */

static ctl_outcome_t run_reload(ctl_call_t *call)
{
	const bool force = call->request->arg_count == 1;

	if (force && strcmp(call->request->args, "--force") != 0) {
		snprintf(call->why, sizeof call->why, "reload [--force], not '%.100s'",
		         call->request->args);
		return CTL_USAGE;
	}
	call->later.what = CTL_LATER_RELOAD;
	call->later.force = force;
	return CTL_LATER;
}

static void fault_list(report_t *out, const conf_faults_t *faults)
{
	char text[600];

	if (!faults || faults->count == 0)
		return;
	report_list(out, "faults");
	for (size_t i = 0; i < faults->count; i++) {
		report_item(out);
		report_word(out, "kind", faults->list[i].is_warning ? "warning" : "error");
		report_word(out, "text", conf_fault_text(&faults->list[i], text, sizeof text));
		report_close(out);
	}
	report_close(out);
}

ctl_outcome_t ctl_verbs_reloaded(const ctl_reload_result_t *result, report_t *out, char why[256])
{
	report_flag(out, "loaded", !result->why);
	if (!result->why) {
		report_number(out, "zones", result->zones);
		report_number(out, "added", result->added);
		report_number(out, "removed", result->removed);
		report_number(out, "moved", result->moved);
		report_word(out, "restart", result->restart);
		report_word(out, "short_of", result->short_of);
	}
	fault_list(out, result->faults);
	if (result->why)
		snprintf(why, 256, "%s", result->why);
	return result->why ? CTL_NO : CTL_DONE;
}

/* --- what comes in pieces --------------------------------------------------------------------- */

static ctl_outcome_t feed(ctl_call_t *call, ctl_feed_t *made)
{
	call->feed = made;
	if (made)
		return CTL_FEED;
	snprintf(call->why, sizeof call->why, "%s", status_text(ST_NOMEM));
	return CTL_NO;
}

static ctl_outcome_t run_metrics(ctl_call_t *call)
{
	if (call->request->form != REPORT_JSON)
		return feed(call, ctl_feed_metrics(call->env));
	snprintf(call->why, sizeof call->why,
	         "metrics has one form, that of Prometheus; stats has its numbers in JSON");
	return CTL_USAGE;
}

static ctl_outcome_t run_top(ctl_call_t *call)
{
	const char *word = call->request->args;
	uint32_t frames = 0;

	if (call->request->arg_count > 0 &&
	    (call->request->arg_count != 2 || strcmp(word, "-n") != 0 ||
	     !read_number(ctl_request_next(word), &frames) || frames == 0)) {
		snprintf(call->why, sizeof call->why,
		         "top [-n FRAMES], of which there is at least one");
		return CTL_USAGE;
	}
	return feed(call, ctl_feed_top(call->env, call->request->form, frames));
}

/* --- the log ---------------------------------------------------------------------------------- */

static ctl_outcome_t run_log(ctl_call_t *call)
{
	log_level_t level;

	if (log_level_parse(call->request->args, &level) != ST_OK) {
		snprintf(call->why, sizeof call->why,
		         "log error, warn, notice, info or debug, not '%.60s'",
		         call->request->args);
		return CTL_USAGE;
	}
	log_set_level(level);
	report_word(call->report, "level", call->request->args);
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
		return ctl_show_status(call);
	case CTL_VERB_STATS:
		return ctl_stats(call);
	case CTL_VERB_TOP:
		return run_top(call);
	case CTL_VERB_METRICS:
		return run_metrics(call);
	case CTL_VERB_ZONES:
		return ctl_show_zones(call);
	case CTL_VERB_ZONE:
		return ctl_show_zone(call);
	case CTL_VERB_EXPLAIN:
		return ctl_show_explain(call);
	case CTL_VERB_HEALTHY:
		return ctl_health_read(call->request, &(ctl_health_order_t){ 0 }, call->why)
		               ? CTL_TURNS
		               : CTL_USAGE;
	case CTL_VERB_LINT:
		return ctl_lint_new(call, &call->lint);
	case CTL_VERB_SKEW:
		return ctl_skew(call);
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
	case CTL_VERB_RELOAD:
		return run_reload(call);
	case CTL_VERB_LOG:
		return run_log(call);
	case CTL_VERB_STOP:
		report_flag(call->report, "stopping", true);
		return CTL_STOP;
	}
	return CTL_USAGE;
}

void ctl_verbs_log(const ctl_call_t *call, const ctl_verb_t *verb, uid_t uid, pid_t pid)
{
	char name[DNS_NAME_TEXT_MAX], zone[sizeof name + sizeof "zone= "] = "";
	dns_name_t first;

	if (call->request->arg_count == 0 || verb->id == CTL_VERB_RELOAD) {
		log_notice("control command verb=%s uid=%u pid=%d", verb->word, uid, pid);
		return;
	}
	if (dns_name_from_text(call->request->args, &first) == ST_OK) {
		dns_name_fold(&first);
		snprintf(zone, sizeof zone, "zone=%s ", dns_name_text(first.wire, name));
	}
	log_notice("control command verb=%s %szones=%zu failed=%zu uid=%u pid=%d", verb->word, zone,
	           call->zones, call->failed, uid, pid);
}
