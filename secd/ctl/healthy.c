/* ctl/healthy.c - what there is to find out for ctl/health.h, and how it is shown. */
#include "ctl/healthy.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctl/health.h"
#include "ctl/show.h"

struct ctl_healthy {
	struct ev_loop *loop;
	const net_t *net;
	ev_timer look;
	unsigned ticket;
	mono_t end;
	void (*done)(void *arg, bool turned);
	void *arg;
};

/* A worker that is not behind turns within a fraction of the first. */
static const ev_tstamp first_look_s = 0.001, looks_s = 0.01;

static void on_look(struct ev_loop *loop, ev_timer *timer, int revents)
{
	ctl_healthy_t *h = timer->data;
	const bool turned = net_answered(h->net, h->ticket);

	(void)loop;
	(void)revents;
	if (!turned && mono_before(clock_mono(), h->end))
		return;
	void (*done)(void *arg, bool turned) = h->done;
	void *arg = h->arg;
	ctl_healthy_forget(h);
	done(arg, turned);
}

ctl_healthy_t *ctl_healthy_ask(const ctl_env_t *env, void (*done)(void *arg, bool turned),
                               void *arg)
{
	ctl_healthy_t *h = malloc(sizeof *h);

	if (!h)
		return NULL;
	*h = (ctl_healthy_t){ .loop = env->loop,
		              .net = env->net,
		              .ticket = net_ask(env->net),
		              .end = mono_add_ms(clock_mono(), (int64_t)(CTL_TURN_TIME * 1000)),
		              .done = done,
		              .arg = arg };
	ev_timer_init(&h->look, on_look, first_look_s, looks_s);
	h->look.data = h;
	ev_timer_start(h->loop, &h->look);
	return h;
}

void ctl_healthy_forget(ctl_healthy_t *h)
{
	if (!h)
		return;
	ev_timer_stop(h->loop, &h->look);
	free(h);
}

/* --- the judgement ---------------------------------------------------------------------------- */

/* A zone that was named. */
typedef struct named {
	char name[DNS_NAME_TEXT_MAX]; /* or the word that is none */
	const char *state;            /* NULL: there is none */
	bool served;
	char why[256]; /* ... if it is not */
} named_t;

static void look_up(const refresh_t *r, const char *word, named_t *out)
{
	refresh_zone_report_t z;
	dns_name_t apex;

	*out = (named_t){ 0 };
	snprintf(out->name, sizeof out->name, "%s", word);
	if (!ctl_read_name(word, &apex, out->why))
		return;
	dns_name_text(apex.wire, out->name);
	if (refresh_zone_report(r, &apex, &z)) {
		out->state = refresh_state_text(z.state);
		out->served = z.served == ZONE_STATE_SERVED;
		snprintf(out->why, sizeof out->why, "%.150s is %s", out->name, out->state);
	} else {
		snprintf(out->why, sizeof out->why, "%.150s: %s", out->name, ctl_nobody);
	}
}

/* Is one of those that were named not served? Then why says so. */
static bool named_ail(const ctl_call_t *call, char why[256])
{
	const char *at = call->request->args, *word;
	size_t left = call->request->arg_count;
	named_t one;

	while ((word = ctl_health_zone(&at, &left))) {
		look_up(call->env->refresh, word, &one);
		if (one.served)
			continue;
		snprintf(why, 256, "%s", one.why);
		return true;
	}
	return false;
}

static void find_facts(const ctl_env_t *env, ctl_health_facts_t *out, char name[DNS_NAME_TEXT_MAX])
{
	refresh_laggard_t worst[REFRESH_WORST_MAX];
	keep_report_t k;

	refresh_totals(env->refresh, &out->totals);
	out->loading = refresh_keep_report(env->refresh, &k) && k.loading;
	if (out->totals.expired + out->totals.empty > 0 && refresh_worst(env->refresh, worst) > 0)
		out->first = dns_name_text(worst[0].apex, name);
}

static void show(ctl_call_t *call, const ctl_health_facts_t *facts, bool ails)
{
	const refresh_totals_t *t = &facts->totals;
	const char *at = call->request->args, *word;
	size_t left = call->request->arg_count;
	report_t *out = call->report;
	named_t one;

	report_flag(out, "healthy", !ails);
	report_word(out, "why", ails ? call->why : NULL);
	report_flag(out, "turning", facts->turning);
	report_flag(out, "loading", facts->loading);
	report_open(out, "zones");
	report_number(out, "total", t->zones);
	report_number(out, "served", t->fresh + t->behind);
	report_number(out, "empty", t->empty);
	report_number(out, "expired", t->expired);
	report_close(out);
	report_list(out, "named");
	while ((word = ctl_health_zone(&at, &left))) {
		look_up(call->env->refresh, word, &one);
		report_item(out);
		report_word(out, "zone", one.name);
		report_word(out, "state", one.state);
		report_flag(out, "served", one.served);
		report_close(out);
	}
	report_close(out);
}

ctl_outcome_t ctl_healthy_judge(ctl_call_t *call, bool turned)
{
	ctl_health_facts_t facts = { .turning = turned };
	char name[DNS_NAME_TEXT_MAX];
	ctl_health_order_t order;

	if (!ctl_health_read(call->request, &order, call->why))
		return CTL_USAGE;
	find_facts(call->env, &facts, name);
	const bool ails = ctl_health_ails(&facts, &order, call->why) || named_ail(call, call->why);

	/* For people, and for what a health command keeps of its output, one line is all. */
	if (call->request->form == REPORT_JSON)
		show(call, &facts, ails);
	else if (!ails)
		report_flag(call->report, "healthy", true);
	return ails ? CTL_NO : CTL_DONE;
}
