/* ctl/lint.c - hold the zones, ask the neighbours, look; and a line for each thing to say. */
#include "ctl/lint.h"

#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/grow.h"
#include "ctl/show.h"
#include "refresh/report.h"

enum { ZONES_MOST = 1000 };

/* A zone that is to be looked at. */
typedef struct subject {
	zone_hold_t *hold;
	zone_ns_t *ns;
	size_t ns_count;
	uint32_t warn_signatures;
} subject_t;

struct ctl_lint {
	const refresh_t *refresh; /* the main loop's */
	subject_t *subjects;
	size_t count, room, matched, empty, advised;
	zone_parent_t *parent; /* of the one zone; NULL: not known */
	addr_prefix_t *own;    /* addresses of this server */
	size_t own_count, own_room;
	bool nomem;
};

/* --- this server ------------------------------------------------------------------------------- */

static void add_own(ctl_lint_t *l, const addr_t *a)
{
	addr_prefix_t *own = grow(l->own, l->own_count, &l->own_room, sizeof *own);

	if (!own) {
		l->nomem = true;
		return;
	}
	l->own = own;
	l->own[l->own_count++] = addr_prefix_of(a);
}

/* Those of this host, of one family. */
static void add_interfaces(ctl_lint_t *l, sa_family_t family)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct sockaddr_storage ss = { 0 };

		if (!i->ifa_addr || i->ifa_addr->sa_family != family)
			continue;
		memcpy(&ss, i->ifa_addr,
		       family == AF_INET ? sizeof(struct sockaddr_in)
		                         : sizeof(struct sockaddr_in6));
		const addr_t a = addr_from_sockaddr(&ss);
		add_own(l, &a);
	}
	freeifaddrs(all);
}

/* Where it listens; for any address, all of the host. */
static void find_own(ctl_lint_t *l, const net_t *net)
{
	const addr_t *a;

	for (size_t i = 0; (a = net_listens_at(net, i)); i++) {
		if (addr_is_any(a))
			add_interfaces(l, a->sa.sa_family);
		else
			add_own(l, a);
	}
}

/* --- which zones ------------------------------------------------------------------------------- */

void ctl_lint_ask_neighbour(const refresh_t *refresh, zone_ns_t *ns)
{
	dns_name_t name, at;

	dns_name_from_wire(ns->name, &name);
	for (unsigned i = 0; i <= name.labels; i++) {
		refresh_zone_report_t z;

		dns_name_from_wire(name.wire + name.off[i], &at);
		if (!refresh_zone_report(refresh, &at, &z))
			continue;
		if (zone_slot_version(z.slot))
			zone_ns_look(zone_slot_version(z.slot), ns);
		return;
	}
}

static bool read_servers(const ctl_lint_t *l, const zone_version_t *v, subject_t *s)
{
	zone_ns_t ns[ZONE_NS_MOST];

	s->ns_count = zone_ns_list(v, ns);
	for (size_t i = 0; i < s->ns_count; i++) {
		if (!ns[i].seen)
			ctl_lint_ask_neighbour(l->refresh, &ns[i]);
	}
	s->ns = calloc(s->ns_count + 1, sizeof *ns);
	if (s->ns)
		memcpy(s->ns, ns, s->ns_count * sizeof *ns);
	return s->ns;
}

static void take_zone(void *arg, const refresh_laggard_t *zone)
{
	ctl_lint_t *l = arg;
	refresh_zone_report_t z;
	dns_name_t apex;
	subject_t *subjects;

	dns_name_from_wire(zone->apex, &apex);
	const zone_version_t *v =
		refresh_zone_report(l->refresh, &apex, &z) ? zone_slot_version(z.slot) : NULL;
	if (!v) {
		l->empty++;
		return;
	}
	subjects = grow(l->subjects, l->count, &l->room, sizeof *subjects);
	if (!subjects) {
		l->nomem = true;
		return;
	}
	l->subjects = subjects;
	subject_t *s = &l->subjects[l->count++];
	*s = (subject_t){ .warn_signatures = z.warn_signatures };
	s->hold = zone_hold_new(v);
	if (!s->hold || !read_servers(l, v, s))
		l->nomem = true;
}

/* The words behind --parent: count of them. */
static bool read_parent(ctl_lint_t *l, const char *word, size_t count)
{
	char why[256];
	dns_name_t name;

	if (count > ZONE_NS_MOST)
		return false;
	l->parent = calloc(1, sizeof *l->parent);
	if (!l->parent) {
		l->nomem = true;
		return true;
	}
	for (; l->parent->count < count; word = ctl_request_next(word)) {
		if (!ctl_read_name(word, &name, why))
			return false;
		memcpy(l->parent->name[l->parent->count++], name.wire, name.len);
	}
	return true;
}

/* NAME | GLOB [--all], or NAME --parent [NS ...]. */
static bool read_args(ctl_lint_t *l, const ctl_request_t *request, refresh_filter_t *f,
                      char pattern[CTL_PATTERN_MAX])
{
	const char *word = request->args;

	*f = (refresh_filter_t){ .most = ZONES_MOST };
	for (size_t i = 0; i < request->arg_count; i++, word = ctl_request_next(word)) {
		if (strcmp(word, "--parent") == 0)
			return f->match && f->most == ZONES_MOST && !strpbrk(pattern, "*?[") &&
			       read_parent(l, ctl_request_next(word), request->arg_count - i - 1);
		if (strcmp(word, "--all") == 0)
			f->most = SIZE_MAX;
		else if (!f->match && ctl_read_pattern(word, pattern))
			f->match = pattern;
		else
			return false;
	}
	return f->match;
}

ctl_outcome_t ctl_lint_new(ctl_call_t *call, ctl_lint_t **out)
{
	ctl_lint_t *l = calloc(1, sizeof *l);
	char pattern[CTL_PATTERN_MAX];
	refresh_filter_t filter;

	if (l && !read_args(l, call->request, &filter, pattern)) {
		snprintf(call->why, sizeof call->why,
		         "lint NAME | GLOB [--all], or lint NAME --parent [NS ...] with up to %d",
		         ZONE_NS_MOST);
		ctl_lint_free(l);
		return CTL_USAGE;
	}
	if (l) {
		l->refresh = call->env->refresh;
		find_own(l, call->env->net);
	}
	if (!l || l->nomem ||
	    refresh_list(l->refresh, &filter, take_zone, l, &l->matched) != ST_OK || l->nomem)
		snprintf(call->why, sizeof call->why, "%s", status_text(ST_NOMEM));
	else if (l->matched == 0)
		snprintf(call->why, sizeof call->why, "%s", ctl_nobody);
	else if (l->count == 0)
		snprintf(call->why, sizeof call->why, "nothing is held of it yet");
	else {
		*out = l;
		return CTL_LINT;
	}
	ctl_lint_free(l);
	return CTL_NO;
}

void ctl_lint_free(ctl_lint_t *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++) {
		zone_hold_free(l->subjects[i].hold);
		free(l->subjects[i].ns);
	}
	free(l->subjects);
	free(l->parent);
	free(l->own);
	free(l);
}

/* --- looking ----------------------------------------------------------------------------------- */

static report_tone_t tone_of(zone_advice_t kind)
{
	return kind == ZONE_ADVICE_NO_NS || kind == ZONE_ADVICE_SIGNATURES ? REPORT_BAD
	                                                                   : REPORT_WARN;
}

static void put_advice(report_t *out, const zone_version_t *v, const zone_advice_list_t *list)
{
	char zone[DNS_NAME_TEXT_MAX], text[ZONE_ADVICE_TEXT_MAX];

	dns_name_text(zone_version_apex_name(v), zone);
	for (size_t i = 0; i < list->count; i++) {
		const zone_advice_item_t *item = &list->item[i];

		report_item(out);
		report_word(out, "zone", zone);
		report_toned(out, "what", zone_advice_name(item->kind), tone_of(item->kind));
		report_word(out, "rfc", zone_advice_rfc(item->kind));
		report_word(out, "words", zone_advice_text(item, text));
		report_close(out);
	}
}

static status_t look(ctl_lint_t *l, const subject_t *s, report_t *out)
{
	zone_advice_list_t list = { .count = 0 };
	const zone_advice_order_t order = {
		.v = zone_hold_version(s->hold),
		.ns = s->ns,
		.ns_count = s->ns_count,
		.own = l->own,
		.own_count = l->own_count,
		.now = clock_wall_coarse(),
		.warn_signatures = s->warn_signatures,
		.parent = l->parent,
	};

	zone_advice_apex(&order, &list);
	const status_t st = zone_advice_glue(order.v, &list);
	if (st == ST_OK) {
		l->advised += list.count > 0;
		put_advice(out, order.v, &list);
	}
	return st;
}

status_t ctl_lint_run(ctl_lint_t *l, report_t *out, char why[256])
{
	status_t st = ST_OK;

	why[0] = '\0';
	report_list(out, "advice");
	for (size_t i = 0; i < l->count && st == ST_OK; i++)
		st = look(l, &l->subjects[i], out);
	report_close(out);
	report_number(out, "zones", l->count);
	report_number(out, "advised", l->advised);
	report_number(out, "empty", l->empty);
	report_number(out, "matched", l->matched);
	if (st == ST_OK && l->advised > 0)
		snprintf(why, 256, "there is advice for %zu of %zu zone%s", l->advised, l->count,
		         l->count == 1 ? "" : "s");
	return st;
}
