/* ctl/stats.c - sums and rates, field by field. */
#include "ctl/stats.h"

#include "ctl/process.h"
#include "ctl/show.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "refresh/report.h"

/* --- sums ------------------------------------------------------------------------------------- */

static void sum_queries(report_t *out, const net_totals_t *t)
{
	report_row(out, "queries");
	report_number(out, "received", t->queries);
	report_number(out, "udp", t->received[NET_UDP][NET_IPV4] + t->received[NET_UDP][NET_IPV6]);
	report_number(out, "tcp", t->received[NET_TCP][NET_IPV4] + t->received[NET_TCP][NET_IPV6]);
	report_number(out, "ipv4", t->received[NET_UDP][NET_IPV4] + t->received[NET_TCP][NET_IPV4]);
	report_number(out, "ipv6", t->received[NET_UDP][NET_IPV6] + t->received[NET_TCP][NET_IPV6]);
	report_number(out, "dropped", t->dropped);
	report_number(out, "truncated", t->truncated);
	report_number(out, "unsent", t->unsent);
	report_close(out);
	report_row(out, "tcp");
	report_number(out, "open", t->tcp_open);
	report_number(out, "accepted", t->tcp_accepted);
	report_number(out, "refused", t->tcp_refused);
	report_close(out);
}

/* Those that there were. */
static void sum_answers(report_t *out, const net_totals_t *t)
{
	char text[DNS_RCODE_TEXT_MAX];

	report_list(out, "types");
	for (unsigned i = 0; i < ANSWER_TYPES; i++) {
		if (t->type[i] == 0)
			continue;
		report_item(out);
		report_word(out, "type", answer_type_text(i));
		report_number(out, "questions", t->type[i]);
		report_close(out);
	}
	report_close(out);
	report_list(out, "rcodes");
	for (unsigned i = 0; i < ANSWER_RCODES; i++) {
		if (t->rcode[i] == 0)
			continue;
		report_item(out);
		report_word(out, "rcode", dns_rcode_text(i, text));
		report_number(out, "answers", t->rcode[i]);
		report_close(out);
	}
	report_close(out);
}

static void sum_transfers(report_t *out, const refresh_counts_t *c)
{
	report_list(out, "transfers");
	for (unsigned k = 0; k < REFRESH_KINDS; k++) {
		report_item(out);
		report_word(out, "kind", refresh_kind_text(k));
		for (unsigned e = 0; e < REFRESH_ENDS; e++)
			report_number(out, refresh_end_text(e), c->transfers[k][e]);
		report_size(out, "octets", c->octets[k]);
		report_close(out);
	}
	report_close(out);
}

static void put_bound(report_t *out, const char *key, const refresh_delays_t *d, unsigned percent)
{
	const uint32_t ms = refresh_delays_bound(d, percent);

	if (ms == 0 || ms == UINT32_MAX)
		report_none(out, key);
	else
		report_ms(out, key, ms);
}

static void sum_delays(report_t *out, const refresh_delays_t *d)
{
	report_row(out, "notify_to_served");
	report_number(out, "changes", d->count);
	if (d->count > 0)
		report_ms(out, "mean", d->sum_ms / d->count);
	else
		report_none(out, "mean");
	put_bound(out, "p50", d, 50);
	put_bound(out, "p90", d, 90);
	put_bound(out, "p99", d, 99);
	report_close(out);
}

static void sum_rest(report_t *out, const net_totals_t *t, const refresh_counts_t *c)
{
	report_row(out, "notifies");
	report_number(out, "accepted", t->notifies);
	report_number(out, "refused", t->notifies_refused);
	report_close(out);
	report_row(out, "polls");
	for (unsigned i = 0; i < REFRESH_POLLS; i++)
		report_number(out, refresh_poll_text(i), c->polls[i]);
	report_close(out);
	sum_transfers(out, c);
	sum_delays(out, &c->served);
}

static void put_zones(report_t *out, const refresh_totals_t *t)
{
	report_row(out, "zones");
	report_number(out, "total", t->zones);
	report_number(out, "fresh", t->fresh);
	report_number(out, "behind", t->behind);
	report_number(out, "empty", t->empty);
	report_number(out, "expired", t->expired);
	report_number(out, "refused", t->refused);
	report_number(out, "pinned", t->pinned);
	report_close(out);
}

ctl_outcome_t ctl_stats(ctl_call_t *call)
{
	const ctl_env_t *env = call->env;
	const refresh_counts_t *counts = refresh_counts(env->refresh);
	report_t *out = call->report;
	refresh_totals_t totals;
	net_totals_t net;

	net_totals(env->net, &net);
	refresh_totals(env->refresh, &totals);
	report_time(out, "started", env->started);
	report_size(out, "memory", ctl_process_memory());
	report_ms(out, "cpu", (uint64_t)(ctl_process_cpu() * 1000));
	put_zones(out, &totals);
	report_number(out, "expired", counts->expired);
	sum_queries(out, &net);
	sum_answers(out, &net);
	sum_rest(out, &net, counts);
	return CTL_DONE;
}

/* --- rates ------------------------------------------------------------------------------------ */

ctl_sample_t ctl_sample(const ctl_env_t *env)
{
	ctl_sample_t s = { .at = clock_mono(), .counts = *refresh_counts(env->refresh) };

	net_totals(env->net, &s.net);
	return s;
}

/* Of a frame: where its rates go, and of how long. */
typedef struct frame {
	report_t *out;
	double seconds;
} frame_t;

static void rate(const frame_t *f, const char *key, uint64_t before, uint64_t now)
{
	report_rate(f->out, key, (double)(now - before) / f->seconds);
}

static uint64_t transport(const net_totals_t *t, net_transport_t by)
{
	return t->received[by][NET_IPV4] + t->received[by][NET_IPV6];
}

static void rate_queries(const frame_t *f, const net_totals_t *a, const net_totals_t *b)
{
	report_row(f->out, "queries");
	rate(f, "received", a->queries, b->queries);
	rate(f, "udp", transport(a, NET_UDP), transport(b, NET_UDP));
	rate(f, "tcp", transport(a, NET_TCP), transport(b, NET_TCP));
	rate(f, "dropped", a->dropped, b->dropped);
	rate(f, "truncated", a->truncated, b->truncated);
	rate(f, "unsent", a->unsent, b->unsent);
	report_close(f->out);
}

static void rate_rcodes(const frame_t *f, const net_totals_t *a, const net_totals_t *b)
{
	static const struct {
		unsigned rcode;
		const char *text;
	} shown[] = {
		{ DNS_RCODE_NOERROR, "NOERROR" },   { DNS_RCODE_NXDOMAIN, "NXDOMAIN" },
		{ DNS_RCODE_SERVFAIL, "SERVFAIL" }, { DNS_RCODE_REFUSED, "REFUSED" },
		{ DNS_RCODE_FORMERR, "FORMERR" },
	};
	uint64_t before = 0, now = 0;

	for (unsigned i = 0; i < ANSWER_RCODES; i++) {
		before += a->rcode[i];
		now += b->rcode[i];
	}
	report_row(f->out, "rcodes");
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		const unsigned rcode = shown[i].rcode;

		rate(f, shown[i].text, a->rcode[rcode], b->rcode[rcode]);
		before -= a->rcode[rcode];
		now -= b->rcode[rcode];
	}
	rate(f, "other", before, now);
	report_close(f->out);
}

static void rate_types(const frame_t *f, const net_totals_t *a, const net_totals_t *b)
{
	static const answer_type_t shown[] = {
		ANSWER_TYPE_A,   ANSWER_TYPE_AAAA, ANSWER_TYPE_HTTPS, ANSWER_TYPE_MX,
		ANSWER_TYPE_TXT, ANSWER_TYPE_NS,   ANSWER_TYPE_SOA,   ANSWER_TYPE_PTR,
		ANSWER_TYPE_SRV, ANSWER_TYPE_DS,   ANSWER_TYPE_ANY,
	};
	uint64_t before = 0, now = 0;

	for (unsigned i = 0; i < ANSWER_TYPES; i++) {
		before += a->type[i];
		now += b->type[i];
	}
	report_row(f->out, "types");
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		rate(f, answer_type_text(shown[i]), a->type[shown[i]], b->type[shown[i]]);
		before -= a->type[shown[i]];
		now -= b->type[shown[i]];
	}
	rate(f, answer_type_text(ANSWER_TYPE_OTHER), before, now);
	report_close(f->out);
}

static uint64_t polls(const refresh_counts_t *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < REFRESH_POLLS; i++)
		n += c->polls[i];
	return n;
}

static uint64_t installed(const refresh_counts_t *c)
{
	uint64_t n = 0;

	for (unsigned k = 0; k < REFRESH_KINDS; k++)
		n += c->transfers[k][REFRESH_END_INSTALLED];
	return n;
}

/* What comes in a second, and behind it how many zones are at it. */
static void rate_following(const frame_t *f, const ctl_sample_t *a, const ctl_sample_t *b,
                           const refresh_totals_t *t)
{
	report_row(f->out, "following");
	rate(f, "notifies", a->net.notifies, b->net.notifies);
	rate(f, "polls", polls(&a->counts), polls(&b->counts));
	rate(f, "installed", installed(&a->counts), installed(&b->counts));
	report_number(f->out, "polling", t->polls);
	report_number(f->out, "transferring", t->transfers);
	report_number(f->out, "queued", t->queued);
	report_close(f->out);
}

/* --- what is under way ------------------------------------------------------------------------ */

enum { TRANSFERS_SHOWN = 5 };

static void put_transfers(report_t *out, const refresh_t *r)
{
	refresh_transfer_t all[TRANSFERS_SHOWN];
	const size_t count = refresh_transfers(r, all, ARRAY_LEN(all));
	char name[DNS_NAME_TEXT_MAX];

	report_list(out, "transfers");
	for (size_t i = 0; i < count; i++) {
		report_item(out);
		report_word(out, "zone", dns_name_text(all[i].apex, name));
		report_word(out, "primary", all[i].primary);
		report_word(
			out, "kind",
			refresh_kind_text(all[i].delta ? REFRESH_KIND_IXFR : REFRESH_KIND_AXFR));
		report_time(out, "begun", all[i].begun);
		report_size(out, "octets", all[i].octets);
		report_close(out);
	}
	report_close(out);
}

void ctl_stats_frame(const ctl_env_t *env, const ctl_sample_t *before, const ctl_sample_t *now,
                     report_t *out)
{
	const frame_t f = { out, mono_diff(before->at, now->at) };
	refresh_totals_t totals;

	refresh_totals(env->refresh, &totals);
	put_zones(out, &totals);
	rate_queries(&f, &before->net, &now->net);
	rate_rcodes(&f, &before->net, &now->net);
	rate_types(&f, &before->net, &now->net);
	rate_following(&f, before, now, &totals);
	put_transfers(out, env->refresh);
	ctl_show_worst(out, env->refresh);
}
