/* ctl/live_ask.c - places, their lanes, and who of them may ask next. */
#include "ctl/live_ask.h"

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/grow.h"
#include "xfr/first.h"
#include "xfr/poll.h"

enum {
	SCOUTS = 5,    /* questions until one is answered: none is, and it is dead */
	AGAIN_MAX = 2, /* connections that ended behind another answer */
};

/* Seconds. */
#define UDP_TRY     1.
#define FIRST_MOST  10. /* until a transfer begins: a large zone takes a primary a moment */
#define LINGER      1.
#define TOLD_EVERY  .2
#define RATED_EVERY .02

typedef struct place place_t;

/* Questions of one kind at an address. */
typedef struct kind {
	bool heard, dead;
	unsigned failed; /* before anything was heard */
	xfr_why_t why;   /* dead: of what */
} kind_t;

/* A check whose turn it is. */
typedef struct seat {
	place_t *place;
	live_check_t *check;
	xfr_poll_t *poll;
	xfr_first_t *first;
	xfr_link_t *link; /* NULL: none stands */
	unsigned again;
} seat_t;

/* Its checks stand in a row; UDP and TCP go through them one beside the other. */
typedef struct lane {
	seat_t *seats; /* NULL check: free */
	unsigned count, going;
	size_t next;
} lane_t;

typedef struct run run_t;

struct place {
	run_t *run;
	xfr_peer_t peer;
	const conf_primary_t *primary;
	const addr_t *addr;
	const dns_tsig_key_t *key;
	live_check_t **checks;
	size_t count, room;
	kind_t kinds[LIVE_QUESTIONS];
	lane_t udp, tcp;
	double tokens; /* of max-rate */
	mono_t refilled;
};

struct run {
	const conf_t *conf;
	struct ev_loop *loop;
	ev_timer told, rated;
	xfr_deadlines_t deadlines;
	place_t **places;
	size_t count, room;
	size_t first;            /* who goes first the next time */
	unsigned polls, streams; /* under way, of all */
	bool starved;            /* somebody waits for those, not for a budget of his own */
	size_t total, open;      /* checks by UDP, and by TCP */
};

static void pump(run_t *r);
static void pump_place(place_t *p);

/* --- findings ---------------------------------------------------------------------------------- */

/* Is this what a dead address looks like? */
static bool is_nobody(const xfr_why_t *why)
{
	if (why->code == XFR_WHY_NO_CONNECTION || why->code == XFR_WHY_NO_ANSWER)
		return true;
	if (why->code != XFR_WHY_ERRNO)
		return false;
	return why->a == ECONNREFUSED || why->a == EHOSTUNREACH || why->a == ENETUNREACH ||
	       why->a == ETIMEDOUT || why->a == EADDRNOTAVAIL || why->a == EAFNOSUPPORT;
}

/* Silence may be meant for one zone alone; a port that is closed, or a host that is not there, is so for
 * all. */
static void learn(kind_t *k, const xfr_why_t *why, size_t checks)
{
	const unsigned most = why->code == XFR_WHY_NO_ANSWER ? SCOUTS : 1;

	if (!is_nobody(why)) {
		k->heard = true;
	} else if (!k->heard && !k->dead && (++k->failed >= most || k->failed >= checks)) {
		k->dead = true;
		k->why = *why;
	}
}

static void note(seat_t *s, live_question_t q, const live_finding_t *finding)
{
	s->check->found[q] = *finding;
	learn(&s->place->kinds[q], &finding->why, s->place->count);
}

/* It was not asked for, and would have found the same. */
static void note_same(live_check_t *c, live_question_t q, const xfr_why_t *why)
{
	c->found[q] = (live_finding_t){ .why = *why };
}

static xfr_why_t no_start(void)
{
	return errno ? xfr_why(XFR_WHY_ERRNO, (uint32_t)errno, 0)
	             : xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
}

static void free_seat(seat_t *s, lane_t *l, unsigned *all)
{
	run_t *r = s->place->run;

	s->check = NULL;
	l->going--;
	(*all)--;
	r->open--;
	if (r->starved)
		pump(r);
	else
		pump_place(s->place);
}

static void take_skew(live_check_t *c, bool has_skew, int32_t skew)
{
	if (!has_skew)
		return;
	c->has_skew = true;
	c->skew = skew;
}

/* What an answer to a SOA question comes to. */
static live_finding_t of_poll(live_check_t *c, const xfr_poll_result_t *res)
{
	live_finding_t f = {
		.why = res->why,
		.serial = res->answer.soa.serial,
		.rcode = (uint8_t)(res->answer.rcode & 0xff),
		.more_by_tcp = res->next == XFR_POLL_STREAM && res->why.code == XFR_WHY_TC,
	};

	c->plain = c->plain || res->plain;
	take_skew(c, res->has_skew, res->skew);
	if (res->why.code == XFR_WHY_NONE && res->answer.has_expire && res->answer.expire <= 1)
		f.why = xfr_why(XFR_WHY_EXPIRED, res->answer.expire, 0); /* RFC 7314 4 */
	return f;
}

/* --- UDP --------------------------------------------------------------------------------------- */

static void on_udp(void *arg, const xfr_poll_result_t *res)
{
	seat_t *s = arg;
	lane_t *l = &s->place->udp;
	const live_finding_t found = of_poll(s->check, res);

	s->poll = NULL;
	note(s, LIVE_UDP, &found);
	free_seat(s, l, &s->place->run->polls);
}

static xfr_poll_t *ask_soa(seat_t *s, xfr_link_t *link, xfr_poll_cb done)
{
	const place_t *p = s->place;
	dns_name_t apex;
	const xfr_poll_spec_t spec = {
		.peer = &p->peer,
		.deadlines = &p->run->deadlines,
		.apex = &apex,
		.link = link,
		.key = p->key,
	};

	dns_name_from_wire(s->check->zone->apex, &apex);
	errno = 0;
	return xfr_poll_start(p->run->loop, &spec, done, s);
}

/* False: it has come to its end already. */
static bool begin_udp(seat_t *s)
{
	s->poll = ask_soa(s, NULL, on_udp);
	if (s->poll)
		return true;
	note(s, LIVE_UDP, &(live_finding_t){ .why = no_start() });
	return false;
}

/* --- TCP --------------------------------------------------------------------------------------- */

static void begin_transfer(seat_t *s);

static void on_link_end(void *arg, xfr_link_t *link)
{
	seat_t *s = arg;

	if (s->link == link)
		s->link = NULL;
	xfr_link_close(link);
}

static void hang_up(seat_t *s)
{
	xfr_link_close(s->link);
	s->link = NULL;
}

/* One that stands, or a new one; NULL: no memory. */
static xfr_link_t *link_of(seat_t *s)
{
	const run_t *r = s->place->run;

	if (s->link && !xfr_link_usable(s->link))
		hang_up(s);
	if (!s->link)
		s->link = xfr_link_open(r->loop, &s->place->peer, &r->deadlines, LINGER,
		                        on_link_end, s);
	return s->link;
}

/* May it ask once more, where the connection had ended for another question? */
static bool once_more(seat_t *s)
{
	hang_up(s);
	return s->again++ < AGAIN_MAX;
}

static void end_tcp(seat_t *s)
{
	free_seat(s, &s->place->tcp, &s->place->run->streams);
}

static void on_first(void *arg, const xfr_first_result_t *res)
{
	seat_t *s = arg;
	const live_finding_t found = {
		.why = res->why,
		.serial = res->soa.serial,
		.rcode = (uint8_t)res->rcode,
		.detail = res->detail[0] != '\0' ? strdup(res->detail) : NULL,
	};

	s->first = NULL;
	if (res->again && once_more(s)) {
		free(found.detail);
		begin_transfer(s);
		return;
	}
	if (!res->whole)
		hang_up(s);
	take_skew(s->check, res->has_skew, res->skew);
	note(s, LIVE_TRANSFER, &found);
	end_tcp(s);
}

static void begin_transfer(seat_t *s)
{
	const kind_t *k = &s->place->kinds[LIVE_TRANSFER];
	const double idle = s->place->run->deadlines.idle;
	dns_name_t apex;
	xfr_first_spec_t spec = {
		.apex = &apex,
		.most = idle < FIRST_MOST ? idle : FIRST_MOST,
		.plain = s->check->plain,
		.key = s->place->key,
	};

	if (k->dead) {
		note_same(s->check, LIVE_TRANSFER, &k->why);
		end_tcp(s);
		return;
	}
	dns_name_from_wire(s->check->zone->apex, &apex);
	spec.link = link_of(s);
	s->first = spec.link ? xfr_first_start(&spec, on_first, s) : NULL;
	if (s->first)
		return;
	const xfr_why_t why = xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
	note_same(s->check, LIVE_TRANSFER, &why);
	end_tcp(s);
}

static bool begin_tcp(seat_t *s);

static void on_tcp(void *arg, const xfr_poll_result_t *res)
{
	seat_t *s = arg;

	s->poll = NULL;
	if (res->next == XFR_POLL_AGAIN && once_more(s)) {
		if (!begin_tcp(s))
			end_tcp(s);
		return;
	}
	const live_finding_t found = of_poll(s->check, res);
	note(s, LIVE_TCP, &found);
	if (xfr_why_kind(&found.why) == XFR_WHY_OF_WAY) {
		/* Where this finds no answer, a transfer does not either. */
		hang_up(s);
		note_same(s->check, LIVE_TRANSFER, &found.why);
		end_tcp(s);
		return;
	}
	s->again = 0;
	begin_transfer(s);
}

/* False: it has come to its end already. */
static bool begin_tcp(seat_t *s)
{
	s->poll = link_of(s) ? ask_soa(s, s->link, on_tcp) : NULL;
	if (s->poll)
		return true;
	const xfr_why_t why = xfr_why(XFR_WHY_NO_MEMORY, 0, 0);
	note(s, LIVE_TCP, &(live_finding_t){ .why = why });
	note_same(s->check, LIVE_TRANSFER, &why);
	return false;
}

/* --- turns ------------------------------------------------------------------------------------- */

static void refill(place_t *p)
{
	const double most = p->primary->max_rate;
	const mono_t now = clock_mono();

	p->tokens += most * mono_diff(p->refilled, now);
	if (p->tokens > most)
		p->tokens = most;
	p->refilled = now;
}

/* A free one of the lane; NULL: it has to wait. */
static seat_t *free_of(const place_t *p, const lane_t *l, const kind_t *k)
{
	if (l->next == p->count || l->going == l->count || (!k->heard && l->next >= SCOUTS) ||
	    (p->primary->max_rate > 0 && p->tokens < 1))
		return NULL;
	for (unsigned i = 0; i < l->count; i++) {
		if (!l->seats[i].check)
			return &l->seats[i];
	}
	return NULL;
}

/* What is left of a kind that is dead. */
static void tell_rest(place_t *p, lane_t *l, live_question_t q)
{
	const kind_t *k = &p->kinds[q];

	for (; k->dead && l->next < p->count; l->next++) {
		note_same(p->checks[l->next], q, &k->why);
		if (q == LIVE_TCP)
			note_same(p->checks[l->next], LIVE_TRANSFER, &k->why);
		p->run->open--;
	}
}

/* cost: questions that begin with it. */
static void pump_lane(place_t *p, lane_t *l, live_question_t q, unsigned *all, unsigned all_most,
                      double cost)
{
	seat_t *s;

	tell_rest(p, l, q);
	while ((s = free_of(p, l, &p->kinds[q]))) {
		if (*all >= all_most) {
			p->run->starved = true;
			return;
		}
		s->check = p->checks[l->next++];
		s->again = 0;
		p->tokens -= cost;
		if (q == LIVE_UDP ? begin_udp(s) : begin_tcp(s)) {
			l->going++;
			(*all)++;
			continue;
		}
		s->check = NULL;
		p->run->open--;
		tell_rest(p, l, q);
	}
}

/* All that the budgets allow. Nothing that it begins comes to its end within it. */
static void pump_place(place_t *p)
{
	run_t *r = p->run;

	if (p->primary->max_rate > 0)
		refill(p);
	pump_lane(p, &p->udp, LIVE_UDP, &r->polls, r->conf->polls, 1);
	pump_lane(p, &p->tcp, LIVE_TCP, &r->streams, r->conf->transfers, 2);
	if (r->open == 0)
		ev_break(r->loop, EVBREAK_ALL);
}

/* Each time another goes first: what they share is not always the same one's. */
static void pump(run_t *r)
{
	r->starved = false;
	r->first++;
	for (size_t n = 0; n < r->count; n++)
		pump_place(r->places[(r->first + n) % r->count]);
}

static void on_rated(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	pump(w->data);
}

static void on_told(struct ev_loop *loop, ev_timer *w, int revents)
{
	const run_t *r = w->data;

	(void)loop;
	(void)revents;
	fprintf(stderr, "\r\033[Ksecd: %zu of %zu questions answered", r->total - r->open,
	        r->total);
}

/* --- places ------------------------------------------------------------------------------------ */

static status_t open_lane(place_t *p, lane_t *l, unsigned count)
{
	l->count = p->count < count ? (unsigned)p->count : count;
	l->seats = calloc(l->count, sizeof *l->seats);
	for (unsigned i = 0; l->seats && i < l->count; i++)
		l->seats[i].place = p;
	return l->seats ? ST_OK : ST_NOMEM;
}

static status_t open_lanes(place_t *p)
{
	const conf_primary_t *c = p->primary;
	const unsigned streams = c->max_connections < c->max_transfers ? c->max_connections
	                                                               : c->max_transfers;
	const status_t st = open_lane(p, &p->udp, c->max_queries);

	return st == ST_OK ? open_lane(p, &p->tcp, streams) : st;
}

static place_t *new_place(run_t *r, const live_check_t *c, const dns_tsig_keys_t *keys)
{
	const conf_primary_t *primary = c->primary;
	const bool v4 = c->addr->sa.sa_family == AF_INET;
	place_t **places = grow(r->places, r->count, &r->room, sizeof *places), *p;

	if (!places)
		return NULL;
	r->places = places;
	p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->run = r;
	p->primary = primary;
	p->addr = c->addr;
	p->peer.addr = *c->addr;
	p->peer.has_source = v4 ? primary->has_source4 : primary->has_source6;
	if (p->peer.has_source)
		p->peer.source = v4 ? primary->source4 : primary->source6;
	p->key = primary->key ? &keys->list[primary->key->number - 1] : NULL;
	p->tokens = primary->max_rate;
	p->refilled = clock_mono();
	r->places[r->count++] = p;
	return p;
}

/* by_primary: the first place of each primary, whose addresses follow one another. */
static status_t add_check(run_t *r, live_check_t *c, const dns_tsig_keys_t *keys,
                          place_t ***by_primary)
{
	place_t ***of = &by_primary[c->primary->index];
	const size_t address = (size_t)(c->addr - c->primary->addresses);
	live_check_t **checks;

	if (!*of && !(*of = calloc(c->primary->address_count, sizeof **of)))
		return ST_NOMEM;
	if (!(*of)[address] && !((*of)[address] = new_place(r, c, keys)))
		return ST_NOMEM;
	place_t *p = (*of)[address];
	checks = grow(p->checks, p->count, &p->room, sizeof *checks);
	if (!checks)
		return ST_NOMEM;
	p->checks = checks;
	p->checks[p->count++] = c;
	return ST_OK;
}

static status_t add_places(run_t *r, const dns_tsig_keys_t *keys, live_check_t *checks,
                           size_t count)
{
	place_t ***by_primary = calloc(r->conf->primary_count + 1, sizeof *by_primary);
	status_t st = by_primary ? ST_OK : ST_NOMEM;

	for (size_t i = 0; i < count && st == ST_OK; i++)
		st = add_check(r, &checks[i], keys, by_primary);
	for (size_t i = 0; i < r->count && st == ST_OK; i++)
		st = open_lanes(r->places[i]);
	for (size_t i = 0; by_primary && i < r->conf->primary_count; i++)
		free(by_primary[i]);
	free(by_primary);
	return st;
}

static void close_places(run_t *r)
{
	for (size_t i = 0; i < r->count; i++) {
		place_t *p = r->places[i];

		for (unsigned j = 0; p->tcp.seats && j < p->tcp.count; j++)
			hang_up(&p->tcp.seats[j]);
		free(p->udp.seats);
		free(p->tcp.seats);
		free(p->checks);
		free(p);
	}
	free(r->places);
}

static void run_loop(run_t *r, bool progress)
{
	bool rated = false;

	for (size_t i = 0; i < r->count; i++)
		rated = rated || r->places[i]->primary->max_rate > 0;
	ev_timer_init(&r->told, on_told, TOLD_EVERY, TOLD_EVERY);
	ev_timer_init(&r->rated, on_rated, RATED_EVERY, RATED_EVERY);
	r->told.data = r->rated.data = r;
	if (progress)
		ev_timer_start(r->loop, &r->told);
	if (rated)
		ev_timer_start(r->loop, &r->rated);
	pump(r);
	if (r->open > 0)
		ev_run(r->loop, 0);
	ev_timer_stop(r->loop, &r->told);
	ev_timer_stop(r->loop, &r->rated);
	if (progress)
		fputs("\r\033[K", stderr);
}

status_t live_ask(const conf_t *conf, const dns_tsig_keys_t *keys, live_check_t *checks,
                  size_t count, bool progress)
{
	run_t r = {
		.conf = conf,
		.loop = ev_loop_new(EVFLAG_AUTO),
		.deadlines = { .udp_try = UDP_TRY,
		               .udp_tries = 3,
		               .connect = conf->connect_time,
		               .idle = conf->transfer_idle },
		.total = 2 * count,
		.open = 2 * count,
	};
	status_t st;

	if (!r.loop)
		return ST_SYSTEM;
	st = add_places(&r, keys, checks, count);
	if (st == ST_OK)
		run_loop(&r, progress);
	close_places(&r);
	ev_loop_destroy(r.loop);
	return st;
}

void live_checks_free(live_check_t *checks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(checks[i].found[LIVE_TRANSFER].detail);
	free(checks);
}
