/* ctl/metrics.c - the table of families, and what each has to say. */
#include "ctl/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

enum { PIECE = 64 * 1024 };

/* Where a family's lines come from: one call for all, or one for each row of the findings. */
typedef struct family {
	const char *name, *type, *help;
	void (*once)(FILE *to, const char *name, const ctl_gathered_t *g);
	/* False: this one has no such series. */
	bool (*zone)(const refresh_row_t *row, double *out);
	bool (*place)(const refresh_place_t *place, double *out);
	bool with_state; /* the series of a zone have its state as a label */
} family_t;

/* --- values ----------------------------------------------------------------------------------- */

/* All 53 bits of what is a whole number, milliseconds of what is a time. */
static void put_value(FILE *to, double v)
{
	if (isinf(v))
		fputs(v < 0 ? "-Inf\n" : "+Inf\n", to);
	else if (v == floor(v))
		fprintf(to, "%.0f\n", v);
	else
		fprintf(to, "%.3f\n", v);
}

static void put_plain(FILE *to, const char *name, double v)
{
	fprintf(to, "%s ", name);
	put_value(to, v);
}

/* One with a label of ours, which needs no escape. */
static void put_labelled(FILE *to, const char *name, const char *key, const char *word, double v)
{
	fprintf(to, "%s{%s=\"%s\"} ", name, key, word);
	put_value(to, v);
}

/* A label's value: backslash, quote and line feed are escaped; what else is not printed in ASCII was
 * escaped before, or is UTF-8 of the settings. */
static void put_escaped(FILE *to, const char *text, size_t len)
{
	size_t plain = 0; /* where what needs no escape begins */

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\\' && text[i] != '"' && text[i] != '\n')
			continue;
		fwrite(text + plain, 1, i - plain, to);
		fputs(text[i] == '\n' ? "\\n" : text[i] == '"' ? "\\\"" : "\\\\", to);
		plain = i + 1;
	}
	fwrite(text + plain, 1, len - plain, to);
}

/* --- queries ---------------------------------------------------------------------------------- */

static void queries(FILE *to, const char *name, const ctl_gathered_t *g)
{
	static const char *const transports[] = { [NET_UDP] = "udp", [NET_TCP] = "tcp" };
	static const char *const families[] = { [NET_IPV4] = "ipv4", [NET_IPV6] = "ipv6" };

	for (size_t t = 0; t < NET_TRANSPORTS; t++) {
		for (size_t f = 0; f < NET_FAMILIES; f++)
			fprintf(to, "%s{transport=\"%s\",family=\"%s\"} %" PRIu64 "\n", name,
			        transports[t], families[f], g->net.received[t][f]);
	}
}

static void questions(FILE *to, const char *name, const ctl_gathered_t *g)
{
	for (unsigned i = 0; i < ANSWER_TYPES; i++)
		put_labelled(to, name, "type", answer_type_text(i), (double)g->net.type[i]);
}

/* Is it an RCODE that answers may have? */
static bool is_given(unsigned rcode)
{
	return rcode <= DNS_RCODE_YXDOMAIN || rcode == DNS_RCODE_NOTAUTH ||
	       rcode == DNS_RCODE_BADVERS || rcode == DNS_RCODE_BADCOOKIE;
}

/* Those that are never given have no series; those that may be have one from the start, so that the
 * first of them is a step. */
static void responses(FILE *to, const char *name, const ctl_gathered_t *g)
{
	for (unsigned i = 0; i < ANSWER_RCODES; i++) {
		char text[DNS_RCODE_TEXT_MAX];

		if (g->net.rcode[i] > 0 || is_given(i))
			put_labelled(to, name, "rcode", dns_rcode_text(i, text),
			             (double)g->net.rcode[i]);
	}
}

static void notifies(FILE *to, const char *name, const ctl_gathered_t *g)
{
	put_labelled(to, name, "result", "accepted", (double)g->net.notifies);
	put_labelled(to, name, "result", "refused", (double)g->net.notifies_refused);
}

/* --- zones ------------------------------------------------------------------------------------ */

static void zones(FILE *to, const char *name, const ctl_gathered_t *g)
{
	const refresh_totals_t *t = &g->zones->totals;

	put_labelled(to, name, "state", refresh_state_text(REFRESH_STATE_FRESH), (double)t->fresh);
	put_labelled(to, name, "state", refresh_state_text(REFRESH_STATE_BEHIND),
	             (double)t->behind);
	put_labelled(to, name, "state", refresh_state_text(REFRESH_STATE_EMPTY), (double)t->empty);
	put_labelled(to, name, "state", refresh_state_text(REFRESH_STATE_EXPIRED),
	             (double)t->expired);
}

/* --- following them --------------------------------------------------------------------------- */

static void polls(FILE *to, const char *name, const ctl_gathered_t *g)
{
	for (unsigned i = 0; i < REFRESH_POLLS; i++)
		put_labelled(to, name, "result", refresh_poll_text(i),
		             (double)g->zones->counts.polls[i]);
}

/* Can a transfer of this kind come to this end? */
static bool is_possible(refresh_kind_t kind, refresh_end_t end)
{
	switch (kind) {
	case REFRESH_KIND_AXFR:
		return end != REFRESH_END_CURRENT && end != REFRESH_END_FALLBACK;
	case REFRESH_KIND_WHOLE:
		return end == REFRESH_END_INSTALLED;
	case REFRESH_KIND_IXFR:
	case REFRESH_KINDS:
		break;
	}
	return true;
}

static void transfers(FILE *to, const char *name, const ctl_gathered_t *g)
{
	for (unsigned k = 0; k < REFRESH_KINDS; k++) {
		for (unsigned e = 0; e < REFRESH_ENDS; e++) {
			const uint64_t n = g->zones->counts.transfers[k][e];

			if (n > 0 || is_possible(k, e))
				fprintf(to, "%s{kind=\"%s\",result=\"%s\"} %" PRIu64 "\n", name,
				        refresh_kind_text(k), refresh_end_text(e), n);
		}
	}
}

static void transfer_octets(FILE *to, const char *name, const ctl_gathered_t *g)
{
	for (unsigned k = 0; k < REFRESH_KINDS; k++)
		put_labelled(to, name, "kind", refresh_kind_text(k),
		             (double)g->zones->counts.octets[k]);
}

static void delays(FILE *to, const char *name, const ctl_gathered_t *g)
{
	const refresh_delays_t *d = &g->zones->counts.served;
	uint64_t sum = 0;

	for (unsigned i = 0; i < REFRESH_DELAYS; i++) {
		sum += d->within[i];
		fprintf(to, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
		        (double)refresh_delay_ms[i] / 1000, sum);
	}
	fprintf(to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.3f\n%s_count %" PRIu64 "\n", name,
	        d->count, name, (double)d->sum_ms / 1000, name, d->count);
}

/* --- the state -------------------------------------------------------------------------------- */

#define STATE_VALUE(function, value)                                                               \
	static void function(FILE *to, const char *name, const ctl_gathered_t *g)                  \
	{                                                                                          \
		if (g->has_state)                                                                  \
			put_plain(to, name, (double)(value));                                      \
	}
STATE_VALUE(state_works, g->state_works)
STATE_VALUE(state_loading, g->state_loading)
STATE_VALUE(state_unsaved, g->unsaved)
STATE_VALUE(state_octets, g->state.octets)
STATE_VALUE(state_needed, g->state.live)
STATE_VALUE(state_files, g->state.files)

/* --- numbers that stand alone ----------------------------------------------------------------- */

#define ONE_VALUE(function, value)                                                                 \
	static void function(FILE *to, const char *name, const ctl_gathered_t *g)                  \
	{                                                                                          \
		put_plain(to, name, (double)(value));                                              \
	}
ONE_VALUE(net_dropped, g->net.dropped)
ONE_VALUE(net_truncated, g->net.truncated)
ONE_VALUE(net_unsent, g->net.unsent)
ONE_VALUE(tcp_open, g->net.tcp_open)
ONE_VALUE(tcp_accepted, g->net.tcp_accepted)
ONE_VALUE(tcp_refused, g->net.tcp_refused)
ONE_VALUE(zones_refused, g->zones->totals.refused)
ONE_VALUE(zones_pinned, g->zones->totals.pinned)
ONE_VALUE(zones_signed, g->zones->signed_zones)
ONE_VALUE(zones_unlisted, g->zones->unlisted)
ONE_VALUE(zones_records, g->zones->records)
ONE_VALUE(zones_memory, g->zones->memory)
ONE_VALUE(zones_lag, g->zones->lag)
ONE_VALUE(zones_expires, g->zones->expires)
ONE_VALUE(zones_signatures, g->zones->signatures)
ONE_VALUE(expirations, g->zones->counts.expired)
ONE_VALUE(polling, g->zones->totals.polls)
ONE_VALUE(max_polls, g->zones->max_polls)
ONE_VALUE(transferring, g->zones->totals.transfers)
ONE_VALUE(max_transfers, g->zones->max_transfers)
ONE_VALUE(queued, g->zones->totals.queued)
ONE_VALUE(process_memory, g->memory)
ONE_VALUE(process_cpu, g->cpu)
ONE_VALUE(process_start, g->started)

static void build(FILE *to, const char *name, const ctl_gathered_t *g)
{
	(void)g;
	put_labelled(to, name, "version", SECD_VERSION, 1);
}

/* --- a primary's address ---------------------------------------------------------------------- */

#define PLACE_VALUE(function, value)                                                               \
	static bool function(const refresh_place_t *p, double *out)                                \
	{                                                                                          \
		*out = (double)(value);                                                            \
		return true;                                                                       \
	}
PLACE_VALUE(place_up, !p->down)
PLACE_VALUE(place_since, p->since)
PLACE_VALUE(place_queries, p->load.queries)
PLACE_VALUE(place_max_queries, p->max_queries)
PLACE_VALUE(place_streams, p->load.streams)
PLACE_VALUE(place_max_transfers, p->max_transfers)
PLACE_VALUE(place_connections, p->load.connections)
PLACE_VALUE(place_max_connections, p->max_connections)
PLACE_VALUE(place_waiting, p->load.waiting)

/* --- a zone ----------------------------------------------------------------------------------- */

#define ZONE_VALUE(function, condition, value)                                                     \
	static bool function(const refresh_row_t *z, double *out)                                  \
	{                                                                                          \
		*out = (double)(value);                                                            \
		return condition;                                                                  \
	}
ZONE_VALUE(zone_state, z, 1)
ZONE_VALUE(zone_serial, z->state != REFRESH_STATE_EMPTY, z->serial)
ZONE_VALUE(zone_newest, z->has_newest || z->state != REFRESH_STATE_EMPTY,
           z->has_newest ? z->newest : z->serial)
ZONE_VALUE(zone_refused, z->has_refused, z->refused)
ZONE_VALUE(zone_lag, z, z->lag)
ZONE_VALUE(zone_checked, z->state != REFRESH_STATE_EMPTY, z->checked)
ZONE_VALUE(zone_expires, z->state != REFRESH_STATE_EMPTY, z->expires)
ZONE_VALUE(zone_expires_ratio, z->state != REFRESH_STATE_EMPTY && z->expire > 0,
           z->expire > 0 ? z->expires / z->expire : 0)
ZONE_VALUE(zone_signatures, z->has_signatures, z->signatures)
ZONE_VALUE(zone_pinned, z->pinned, 1)
ZONE_VALUE(zone_records, z->state != REFRESH_STATE_EMPTY, z->records)
ZONE_VALUE(zone_memory, z->state != REFRESH_STATE_EMPTY, z->memory)

/* --- the table -------------------------------------------------------------------------------- */

static const char counter[] = "counter", gauge[] = "gauge", histogram[] = "histogram";

static const family_t families[] = {
	{ "secd_build_info", gauge, "Always 1; the label has the version.", .once = build },
	{ "process_start_time_seconds", gauge, "When secd started, in seconds since 1970.",
	  .once = process_start },
	{ "process_resident_memory_bytes", gauge, "Resident memory.", .once = process_memory },
	{ "process_cpu_seconds_total", counter, "Processor time of all threads.",
	  .once = process_cpu },

	{ "secd_queries_total", counter, "DNS messages received.", .once = queries },
	{ "secd_questions_total", counter, "Questions answered, whatever with, by type.",
	  .once = questions },
	{ "secd_responses_total", counter, "Answers by RCODE, those to NOTIFY among them.",
	  .once = responses },
	{ "secd_responses_truncated_total", counter, "Answers with TC.", .once = net_truncated },
	{ "secd_responses_unsent_total", counter, "UDP answers that the kernel would not take.",
	  .once = net_unsent },
	{ "secd_queries_dropped_total", counter, "Messages that deserve no answer.",
	  .once = net_dropped },
	{ "secd_tcp_connections", gauge, "TCP connections of clients that are open.",
	  .once = tcp_open },
	{ "secd_tcp_connections_accepted_total", counter, "TCP connections let in.",
	  .once = tcp_accepted },
	{ "secd_tcp_connections_refused_total", counter, "TCP connections over a limit.",
	  .once = tcp_refused },
	{ "secd_notifies_total", counter, "NOTIFYs of configured zones.", .once = notifies },

	{ "secd_zones", gauge, "Zones by state.", .once = zones },
	{ "secd_zones_refused", gauge,
	  "Zones of which a primary offers a serial that is not taken.", .once = zones_refused },
	{ "secd_zones_pinned", gauge, "Zones that an operator holds.", .once = zones_pinned },
	{ "secd_zones_signed", gauge, "Zones held that have signatures.", .once = zones_signed },
	{ "secd_zones_unlisted", gauge,
	  "Zones with something to tell that have no series here: over metrics-zones.",
	  .once = zones_unlisted },
	{ "secd_zones_records", gauge, "Records of all zones held.", .once = zones_records },
	{ "secd_zones_memory_bytes", gauge, "Memory of all zones held.", .once = zones_memory },
	{ "secd_zones_max_lag_seconds", gauge, "The largest lag of all zones.", .once = zones_lag },
	{ "secd_zones_min_expiry_seconds", gauge,
	  "Until the first zone expires, of those that have not; +Inf: there is none.",
	  .once = zones_expires },
	{ "secd_zones_min_signature_expiry_seconds", gauge,
	  "Until the first signature of all zones ends; +Inf: there is none.",
	  .once = zones_signatures },
	{ "secd_zones_expired_total", counter, "Times that a zone has expired.",
	  .once = expirations },

	{ "secd_polls_total", counter, "SOA queries to primaries.", .once = polls },
	{ "secd_transfers_total", counter, "Transfers from primaries.", .once = transfers },
	{ "secd_transfer_bytes_total", counter, "What transfers brought, whatever came of them.",
	  .once = transfer_octets },
	{ "secd_notify_to_served_seconds", histogram,
	  "From the first NOTIFY of a change until the change was served.", .once = delays },
	{ "secd_zones_polling", gauge, "Zones whose primaries are being asked.", .once = polling },
	{ "secd_zones_transferring", gauge, "Zones under transfer.", .once = transferring },
	{ "secd_zones_queued", gauge, "Zones that wait for a turn to ask or to transfer.",
	  .once = queued },
	{ "secd_polls_limit", gauge, "SOA queries that may be under way: polls.",
	  .once = max_polls },
	{ "secd_transfers_limit", gauge, "Transfers that may be under way: transfers.",
	  .once = max_transfers },

	{ "secd_state_up", gauge, "1: the disk takes what is saved.", .once = state_works },
	{ "secd_state_loading", gauge, "1: zones of the state are still being loaded.",
	  .once = state_loading },
	{ "secd_state_unsaved_zones", gauge, "Zones served from memory alone.",
	  .once = state_unsaved },
	{ "secd_state_bytes", gauge, "Octets of the state on disk.", .once = state_octets },
	{ "secd_state_needed_bytes", gauge, "Of these, not superseded.", .once = state_needed },
	{ "secd_state_files", gauge, "Files of the state.", .once = state_files },

	{ "secd_primary_up", gauge, "0: this address answers nobody.", .place = place_up },
	{ "secd_primary_down_seconds", gauge, "For how long it has not.", .place = place_since },
	{ "secd_primary_queries", gauge, "SOA queries by UDP under way there.",
	  .place = place_queries },
	{ "secd_primary_queries_limit", gauge, "As many as may be: max-queries.",
	  .place = place_max_queries },
	{ "secd_primary_streams", gauge, "Transfers and SOA queries by TCP under way there.",
	  .place = place_streams },
	{ "secd_primary_streams_limit", gauge, "As many as may be: max-transfers.",
	  .place = place_max_transfers },
	{ "secd_primary_connections", gauge, "Connections to it.", .place = place_connections },
	{ "secd_primary_connections_limit", gauge, "As many as may be: max-connections.",
	  .place = place_max_connections },
	{ "secd_primary_waiting", gauge, "Who waits for a turn there.", .place = place_waiting },

	{ "secd_zone_state", gauge, "1 for the state that the zone is in.", .zone = zone_state,
	  .with_state = true },
	{ "secd_zone_serial", gauge, "Serial that is held.", .zone = zone_serial },
	{ "secd_zone_newest_serial", gauge, "The newest serial known: held, or shown by a primary.",
	  .zone = zone_newest },
	{ "secd_zone_refused_serial", gauge, "Serial that a primary offers and that is not taken.",
	  .zone = zone_refused },
	{ "secd_zone_lag_seconds", gauge,
	  "For how long it has not been, or may not have been, as its primaries have it.",
	  .zone = zone_lag },
	{ "secd_zone_check_age_seconds", gauge, "Since a primary has confirmed what is held.",
	  .zone = zone_checked },
	{ "secd_zone_expiry_seconds", gauge, "Until it expires; negative: since it did.",
	  .zone = zone_expires },
	{ "secd_zone_expiry_ratio", gauge, "The same as a share of its EXPIRE.",
	  .zone = zone_expires_ratio },
	{ "secd_zone_signature_expiry_seconds", gauge,
	  "Until its first signature ends; negative: since it did.", .zone = zone_signatures },
	{ "secd_zone_pinned", gauge, "1: an operator holds it.", .zone = zone_pinned },
	{ "secd_zone_records", gauge, "Records that are held.", .zone = zone_records },
	{ "secd_zone_memory_bytes", gauge, "Memory that they take.", .zone = zone_memory },
};

size_t ctl_metrics_families(void)
{
	return ARRAY_LEN(families);
}

const char *ctl_metrics_name(size_t i)
{
	return families[i].name;
}

/* --- pages ------------------------------------------------------------------------------------ */

/* Without the last dot, but for the root. */
static void put_zone(FILE *to, const family_t *f, const refresh_row_t *row)
{
	char name[DNS_NAME_TEXT_MAX];
	double v;

	if (!f->zone(row, &v))
		return;
	const size_t len = strlen(dns_name_text(row->apex, name));
	fprintf(to, "%s{zone=\"", f->name);
	put_escaped(to, name, len > 1 ? len - 1 : len);
	if (f->with_state)
		fprintf(to, "\",state=\"%s", refresh_state_text(row->state));
	fputs("\"} ", to);
	put_value(to, v);
}

static void put_place(FILE *to, const family_t *f, const refresh_place_t *place)
{
	char addr[ADDR_TEXT_MAX];
	double v;

	if (!f->place(place, &v))
		return;
	fprintf(to, "%s{primary=\"", f->name);
	put_escaped(to, place->primary, strlen(place->primary));
	fprintf(to, "\",address=\"%s\"} ", addr_text(&place->addr, addr));
	put_value(to, v);
}

/* Some lines of the family, and whether there are more. */
static bool put_some(FILE *to, ctl_metrics_page_t *page, const family_t *f)
{
	const refresh_findings_t *zones = page->found->zones;
	const size_t rows = f->zone ? zones->row_count : f->place ? zones->place_count : 0;

	if (page->at == 0)
		fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
	if (f->once)
		f->once(to, f->name, page->found);
	while (page->at < rows && ftell(to) < PIECE) {
		if (f->zone)
			put_zone(to, f, &zones->rows[page->at++]);
		else
			put_place(to, f, &zones->places[page->at++]);
	}
	return page->at < rows;
}

status_t ctl_metrics_next(ctl_metrics_page_t *page, char **out, size_t *len)
{
	FILE *to;

	*out = NULL;
	if (page->family == ARRAY_LEN(families))
		return ST_NOENT;
	to = open_memstream(out, len);
	if (!to)
		return ST_NOMEM;
	while (page->family < ARRAY_LEN(families) && ftell(to) < PIECE) {
		if (put_some(to, page, &families[page->family]))
			break;
		page->family++;
		page->at = 0;
	}
	const bool bad = ferror(to);
	if (fclose(to) == 0 && !bad)
		return ST_OK;
	free(*out);
	*out = NULL;
	return ST_NOMEM;
}
