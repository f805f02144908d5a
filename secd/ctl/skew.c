/* ctl/skew.c - a line for each thing that is known. */
#include "ctl/skew.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/lint.h"
#include "ctl/show.h"
#include "refresh/report.h"
#include "zone/advice.h"

static void put_word(FILE *to, const char *word)
{
	for (; *word != '\0'; word++) {
		if (*word <= 0x20 || *word == 0x7f)
			fprintf(to, "\\%03u", (unsigned char)*word);
		else
			putc(*word, to);
	}
}

static uint64_t ago(mono_t at)
{
	const double s = mono_diff(at, clock_mono());

	return s > 0 ? (uint64_t)s : 0;
}

static const char *served_text(zone_state_t served)
{
	switch (served) {
	case ZONE_STATE_EMPTY:
		return "empty";
	case ZONE_STATE_EXPIRED:
		return "expired";
	case ZONE_STATE_SERVED:
		break;
	}
	return "yes";
}

static void put_primary(FILE *to, const refresh_primary_report_t *p)
{
	char text[ADDR_TEXT_MAX];

	fputs("primary ", to);
	put_word(to, p->name);
	fprintf(to, " %s ", addr_text(&p->addr, text));
	if (p->has_serial)
		fprintf(to, "%u %" PRIu64, p->serial, ago(p->shown_at));
	else
		fputs("- -", to);
	fprintf(to, " %s\n", p->failing ? p->why : "-");
}

static void put_server(FILE *to, const zone_ns_t *ns)
{
	char name[DNS_NAME_TEXT_MAX], text[INET6_ADDRSTRLEN];

	dns_name_text(ns->name, name);
	if (ns->addresses == 0)
		fprintf(to, "server %s -\n", name);
	for (unsigned i = 0; i < ns->addresses; i++)
		fprintf(to, "server %s %s\n", name,
		        inet_ntop(ns->address[i].family, ns->address[i].bytes, text, sizeof text));
}

static void put_servers(FILE *to, const refresh_t *r, const zone_version_t *v)
{
	zone_ns_t ns[ZONE_NS_MOST];
	const size_t count = zone_ns_list(v, ns);

	for (size_t i = 0; i < count; i++) {
		if (!ns[i].seen)
			ctl_lint_ask_neighbour(r, &ns[i]);
		put_server(to, &ns[i]);
	}
}

static void put_all(FILE *to, const refresh_t *r, const dns_name_t *apex,
                    const refresh_zone_report_t *z)
{
	const zone_version_t *v = zone_slot_version(z->slot);
	refresh_primary_report_t p;
	char name[DNS_NAME_TEXT_MAX];

	fprintf(to, "zone %s\n", dns_name_text(apex->wire, name));
	if (z->loaded)
		fprintf(to, "held %u %" PRIu64 " %" PRIu64 "\n", z->serial, ago(z->loaded_at),
		        ago(z->checked_at));
	fprintf(to, "served %s\nround %s\n", z->loaded ? served_text(z->served) : "empty",
	        z->resting ? "over" : "under-way");
	for (size_t i = 0; refresh_primary_report(r, apex, i, &p); i++)
		put_primary(to, &p);
	if (v)
		put_servers(to, r, v);
}

ctl_outcome_t ctl_skew(ctl_call_t *call)
{
	refresh_zone_report_t z;
	dns_name_t apex;
	FILE *to;

	if (!ctl_find_zone(call, &apex, &z))
		return CTL_NO;
	to = open_memstream(&call->text, &call->text_len);
	if (to) {
		put_all(to, call->env->refresh, &apex, &z);
		if (fclose(to) == 0)
			return CTL_TEXT;
		free(call->text);
	}
	snprintf(call->why, sizeof call->why, "%s", status_text(ST_NOMEM));
	return CTL_NO;
}
