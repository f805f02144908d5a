/* ctl/gather.c - a slice each turn of the loop, then all who asked are told. */
#include "ctl/gather.h"

#include <stdlib.h>

#include "ctl/process.h"
#include "refresh/report.h"

struct ctl_gather {
	struct ev_loop *loop;
	const refresh_t *refresh;
	const net_t *net;
	mono_t started;
	size_t most;
	ev_timer turn; /* active while a survey is under way */
	refresh_survey_t *survey;
	ctl_ask_t *asks; /* for the survey that is under way, or the next one */
	ctl_ask_t *told; /* of the one that is over: yet to be told */
};

static void look_at_state(const ctl_gather_t *g, ctl_gathered_t *out)
{
	keep_report_t k;

	out->has_state = refresh_keep_report(g->refresh, &k);
	if (!out->has_state)
		return;
	out->state_works = !k.why;
	out->state_loading = k.loading;
	out->unsaved = k.unsaved;
	out->state = k.stats;
}

/* Of the survey, which is over. */
static ctl_gathered_t *finish(ctl_gather_t *g)
{
	refresh_findings_t *zones = refresh_survey_take(g->survey);
	ctl_gathered_t *out = zones ? calloc(1, sizeof *out) : NULL;

	g->survey = NULL;
	if (!out) {
		refresh_findings_free(zones);
		return NULL;
	}
	out->zones = zones;
	out->readers = 1;
	net_totals(g->net, &out->net);
	out->memory = ctl_process_memory();
	out->cpu = ctl_process_cpu();
	out->started = (double)clock_wall_ms() / 1000 - mono_diff(g->started, clock_mono());
	look_at_state(g, out);
	return out;
}

static void on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	ctl_gather_t *g = w->data;
	ctl_gathered_t *found = NULL;
	ctl_ask_t *ask;

	(void)revents;
	if (!g->survey)
		g->survey = refresh_survey_new(g->refresh, g->most);
	if (g->survey) {
		if (!refresh_survey_step(g->survey))
			return;
		found = finish(g);
	}
	ev_timer_stop(loop, w);
	g->told = g->asks;
	g->asks = NULL;
	while ((ask = g->told)) { /* who may ask again, or make others leave */
		g->told = ask->next;
		if (found)
			found->readers++;
		ask->done(ask, found);
	}
	ctl_gathered_free(found); /* our own hold on it */
}

ctl_gather_t *ctl_gather_new(struct ev_loop *loop, const refresh_t *refresh, const net_t *net,
                             mono_t started, size_t most)
{
	ctl_gather_t *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	*g = (ctl_gather_t){
		.loop = loop, .refresh = refresh, .net = net, .started = started, .most = most
	};
	ev_timer_init(&g->turn, on_turn, 0., 0.);
	g->turn.repeat = 1e-6; /* each turn of the loop */
	g->turn.data = g;
	return g;
}

void ctl_gather_free(ctl_gather_t *g)
{
	if (!g)
		return;
	ev_timer_stop(g->loop, &g->turn);
	refresh_survey_free(g->survey);
	free(g);
}

void ctl_gather_ask(ctl_gather_t *g, ctl_ask_t *ask)
{
	ask->next = g->asks;
	g->asks = ask;
	if (!ev_is_active(&g->turn))
		ev_timer_again(g->loop, &g->turn);
}

static void take_out(ctl_ask_t **at, const ctl_ask_t *ask)
{
	for (; *at; at = &(*at)->next) {
		if (*at == ask) {
			*at = ask->next;
			return;
		}
	}
}

/* With nobody left the survey goes on to its end: that is rare, and short. */
void ctl_gather_leave(ctl_gather_t *g, ctl_ask_t *ask)
{
	take_out(&g->asks, ask);
	take_out(&g->told, ask);
}

void ctl_gathered_free(ctl_gathered_t *found)
{
	if (!found || --found->readers > 0)
		return;
	refresh_findings_free(found->zones);
	free(found);
}
