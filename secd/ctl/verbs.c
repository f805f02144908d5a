/* ctl/verbs.c - the verbs: what changes something, and what takes longer; the rest is in ctl/show.c. */
#include "ctl/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ctl/lint.h"
#include "ctl/show.h"
#include "ctl/skew.h"
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

/* One zone of a command; why is empty when it will be done. */
static void command(const ctl_call_t *call, const char *word, ctl_verb_id_t verb, char why[256])
{
	char text[DNS_NAME_TEXT_MAX];
	dns_name_t apex;

	why[0] = '\0';
	if (ctl_read_name(word, &apex, why)) {
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

	call->later.pins = pins;
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
			report_time(out, "came", ctl_of_wall(v->arrived));
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
	case CTL_VERB_ZONES:
		return ctl_show_zones(call);
	case CTL_VERB_ZONE:
		return ctl_show_zone(call);
	case CTL_VERB_EXPLAIN:
		return ctl_show_explain(call);
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
	case CTL_VERB_LOG:
		return run_log(call);
	case CTL_VERB_STOP:
		report_flag(call->report, "stopping", true);
		return CTL_STOP;
	}
	return CTL_USAGE;
}
