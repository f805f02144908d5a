/* refresh/way.c - lanes, budgets, connections. */
#include "refresh/way.h"

#include <stdlib.h>
#include <string.h>

enum {
	LANES = 2,       /* the sweep's, and the urgent ones' */
	SWEEP_EVERY = 4, /* so often the sweep goes first */
	PER_LINK = 64,   /* questions on one connection */
	BURDEN_MAX = 256 *
	             1024, /* octets of one transfer, from which on it has a link for itself */
	SINGLE_S = 3600,
	STRIKES = 2,    /* connections that were closed behind one answer */
	STREAM_S = 600, /* UDP is tried again */
};

/* How long a connection is kept without a question: longer than a primary's changes are apart when
 * they come close together, shorter than it would keep it itself. */
#define LINGER_S 5.

/* How long a primary may be silent while others wait for the connection. */
#define PRESSED_S 5.

/* Who waits: for a datagram, for a connection, for one of its own. */
enum { DATAGRAM, SHARED, ALONE, QUEUES };

struct way {
	struct ev_loop *loop;
	way_conf_t conf;
	way_limits_t *limits;
	breaker_t breaker;
	refresh_lane_t lanes[QUEUES][LANES]; /* the second: urgent */
	unsigned waiting[QUEUES], going[QUEUES];
	unsigned turn;  /* of the lanes */
	unsigned first; /* of the queues: rate is not always the same one's */
	double tokens;
	mono_t refilled;
	struct way_place {
		xfr_link_t *link; /* NULL: free */
		bool sole;        /* while it has a question, it takes no other */
	} * places;
	unsigned room; /* of them; those from max_connections on take nothing new */
	unsigned strikes;
	mono_t struck; /* the last of them */
	void *probe;
	bool kept;
	mono_t single_until, stream_until;
};

way_t *way_new(struct ev_loop *loop, const way_conf_t *conf, way_limits_t *limits)
{
	way_t *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->places = calloc(conf->max_connections, sizeof *w->places);
	if (!w->places) {
		free(w);
		return NULL;
	}
	w->loop = loop;
	w->conf = *conf;
	w->room = conf->max_connections;
	w->limits = limits;
	w->tokens = conf->max_rate;
	for (int queue = 0; queue < QUEUES; queue++) {
		for (int lane = 0; lane < LANES; lane++)
			refresh_lane_init(&w->lanes[queue][lane]);
	}
	return w;
}

void way_free(way_t *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->room; i++)
		xfr_link_close(w->places[i].link);
	free(w->places);
	free(w);
}

status_t way_reserve(way_t *w, unsigned max_connections)
{
	struct way_place *grown;

	if (max_connections <= w->room)
		return ST_OK;
	grown = reallocarray(w->places, max_connections, sizeof *grown);
	if (!grown)
		return ST_NOMEM;
	memset(grown + w->room, 0, (max_connections - w->room) * sizeof *grown);
	w->places = grown;
	w->room = max_connections;
	return ST_OK;
}

void way_set_conf(way_t *w, const way_conf_t *conf)
{
	/* Turns were taken, and nothing counted them against a rate. */
	if (w->conf.max_rate == 0 || w->tokens > conf->max_rate)
		w->tokens = conf->max_rate;
	w->conf = *conf;
}

void way_set_kept(way_t *w, bool kept)
{
	w->kept = kept;
}

bool way_is_kept(const way_t *w)
{
	return w->kept;
}

const xfr_peer_t *way_peer(const way_t *w)
{
	return &w->conf.peer;
}

const xfr_deadlines_t *way_deadlines(const way_t *w)
{
	return &w->conf.deadlines;
}

const breaker_t *way_breaker(const way_t *w)
{
	return &w->breaker;
}

void way_set_probe(way_t *w, void *probe)
{
	w->probe = probe;
}

void *way_probe(const way_t *w)
{
	return w->probe;
}

void way_probe_sent(way_t *w, mono_t now)
{
	breaker_sent(&w->breaker, now);
}

/* --- turns --------------------------------------------------------------------------------- */

static uint8_t queue_of(const way_turn_t *turn)
{
	if (turn->kind == WAY_QUERY && !turn->stream)
		return DATAGRAM;
	return turn->alone ? ALONE : SHARED;
}

void way_wait(way_t *w, way_turn_t *turn, way_kind_t kind, bool urgent)
{
	turn->way = w;
	turn->kind = kind;
	turn->urgent = urgent;
	turn->going = false;
	turn->queue = queue_of(turn);
	refresh_lane_push(&w->lanes[turn->queue][urgent], &turn->link);
	w->waiting[turn->queue]++;
}

static way_turn_t *of_link(refresh_link_t *l)
{
	return (way_turn_t *)(void *)((char *)l - offsetof(way_turn_t, link));
}

/* What NOTIFY made due goes first, but every fourth time: a storm of them must not keep the sweep
 * from ever coming to its turn. */
static way_turn_t *pop(way_t *w, int queue)
{
	bool first = w->turn++ % SWEEP_EVERY != SWEEP_EVERY - 1;
	refresh_link_t *l = refresh_lane_pop(&w->lanes[queue][first]);

	if (!l)
		l = refresh_lane_pop(&w->lanes[queue][!first]);
	if (!l)
		return NULL;
	w->waiting[queue]--;
	return of_link(l);
}

/* The daemon's own count that a turn of this queue is in. */
static unsigned *under_way(way_t *w, int queue)
{
	return queue == DATAGRAM ? &w->limits->queries : &w->limits->transfers;
}

static void give_back(way_turn_t *turn)
{
	way_t *w = turn->way;

	w->going[turn->queue]--;
	(*under_way(w, turn->queue))--;
	turn->going = false;
	turn->way = NULL;
}

breaker_turn_t way_done(way_turn_t *turn, bool good, mono_t now)
{
	way_t *w = turn->way;

	give_back(turn);
	return good ? breaker_good(&w->breaker) : breaker_bad(&w->breaker, now);
}

void way_leave(way_turn_t *turn)
{
	way_t *w = turn->way;

	if (!w)
		return;
	if (turn->going) {
		breaker_unsaid(&w->breaker);
		give_back(turn);
		return;
	}
	refresh_lane_remove(&turn->link);
	w->waiting[turn->queue]--;
	turn->way = NULL;
}

/* --- budgets ------------------------------------------------------------------------------- */

static void refill(way_t *w, mono_t now)
{
	double most = w->conf.max_rate;

	if (w->refilled.ns != 0)
		w->tokens += most * mono_diff(w->refilled, now);
	if (w->tokens > most)
		w->tokens = most;
	w->refilled = now;
}

static unsigned per_link(const way_t *w, mono_t now)
{
	return mono_before(now, w->single_until) ? 1 : PER_LINK;
}

/* May a question go there, beside those that it has? Who wants to be alone wants it fresh: one that
 * is about to be closed by the other end can't be told from one that is not. */
static bool takes(const way_t *w, const struct way_place *p, bool alone, mono_t now)
{
	if (!p->link || !xfr_link_usable(p->link))
		return false;
	unsigned asks = xfr_link_asks(p->link);

	if (asks == 0)
		return !alone || xfr_link_fresh(p->link);
	return !alone && !p->sole && asks < per_link(w, now) &&
	       xfr_link_burden(p->link) <= BURDEN_MAX;
}

/* The standing connection that takes one more question and has the fewest; NULL: none does. */
static struct way_place *standing(const way_t *w, bool alone, mono_t now)
{
	struct way_place *best = NULL;

	for (unsigned i = 0; i < w->conf.max_connections; i++) {
		struct way_place *p = &w->places[i];

		if (takes(w, p, alone, now) &&
		    (!best || xfr_link_asks(p->link) < xfr_link_asks(best->link)))
			best = p;
	}
	return best;
}

/* A place for a new connection: a free one, or one that has no question. */
static struct way_place *free_place(const way_t *w)
{
	struct way_place *idle = NULL;

	for (unsigned i = 0; i < w->conf.max_connections; i++) {
		struct way_place *p = &w->places[i];

		if (!p->link)
			return p;
		if (xfr_link_asks(p->link) == 0)
			idle = p;
	}
	return idle;
}

static unsigned max_alone(const way_t *w)
{
	return w->conf.max_connections > 1 ? w->conf.max_connections / 2 : 1;
}

static bool has_budget(const way_t *w, int queue, mono_t now)
{
	const way_limits_t *all = w->limits;
	unsigned streams = w->going[SHARED] + w->going[ALONE];

	if (w->conf.max_rate != 0 && w->tokens < 1)
		return false;
	if (queue == DATAGRAM)
		return w->going[DATAGRAM] < w->conf.max_queries &&
		       (w->going[DATAGRAM] == 0 || all->queries < all->max_queries);
	if (streams >= w->conf.max_transfers ||
	    (streams > 0 && all->transfers >= all->max_transfers) ||
	    (queue == ALONE && w->going[ALONE] >= max_alone(w)))
		return false;
	return free_place(w) || standing(w, queue == ALONE, now);
}

static void go(way_t *w, way_turn_t *turn)
{
	turn->going = true;
	w->going[turn->queue]++;
	(*under_way(w, turn->queue))++;
	w->tokens--;
	turn->take(turn, WAY_GO);
}

static void turn_away(way_t *w, int queue)
{
	way_turn_t *turn;

	/* Those who come back while this runs have to wait for the next time. */
	for (unsigned left = w->waiting[queue]; left > 0 && (turn = pop(w, queue)); left--) {
		turn->way = NULL;
		turn->take(turn, WAY_DOWN);
	}
}

/* All connections are taken, and others wait: those on which nothing happens get little time. */
static void press(way_t *w)
{
	if (w->waiting[SHARED] + w->waiting[ALONE] == 0 || free_place(w))
		return;
	for (unsigned i = 0; i < w->room; i++) {
		if (w->places[i].link)
			xfr_link_press(w->places[i].link, PRESSED_S);
	}
}

void way_pump(way_t *w, mono_t now)
{
	refill(w, now);
	w->first++;
	for (unsigned i = 0; i < QUEUES; i++) {
		int queue = (int)((w->first + i) % QUEUES);

		for (unsigned left = w->waiting[queue]; left > 0 && has_budget(w, queue, now);
		     left--) {
			if (!breaker_allows(&w->breaker, now))
				break;
			go(w, pop(w, queue));
		}
		/* Those who come when the one try is due, but for the budget, wait for that. */
		if (w->breaker.open && !breaker_due(&w->breaker, now))
			turn_away(w, queue);
	}
	press(w);
}

bool way_waiting(const way_t *w)
{
	return w->waiting[DATAGRAM] + w->waiting[SHARED] + w->waiting[ALONE] > 0;
}

mono_t way_next(const way_t *w)
{
	if (!way_waiting(w) || w->conf.max_rate == 0 || w->tokens >= 1)
		return (mono_t){ 0 };
	return mono_add_ms(w->refilled, (int64_t)((1 - w->tokens) * 1000 / w->conf.max_rate) + 1);
}

way_load_t way_load(const way_t *w)
{
	way_load_t load = {
		.queries = w->going[DATAGRAM],
		.streams = w->going[SHARED] + w->going[ALONE],
		.waiting = w->waiting[DATAGRAM] + w->waiting[SHARED] + w->waiting[ALONE],
	};

	for (unsigned i = 0; i < w->room; i++)
		load.connections += w->places[i].link != NULL;
	return load;
}

bool way_crowded(const way_t *w)
{
	return w->waiting[DATAGRAM] >= w->conf.max_queries ||
	       w->waiting[SHARED] >= w->conf.max_transfers;
}

/* --- connections --------------------------------------------------------------------------- */

static void on_link_end(void *arg, xfr_link_t *link)
{
	way_t *w = arg;

	for (unsigned i = 0; i < w->room; i++) {
		if (w->places[i].link == link)
			w->places[i].link = NULL;
	}
	xfr_link_close(link);
}

xfr_link_t *way_link(const way_turn_t *turn)
{
	way_t *w = turn->way;
	struct way_place *p = standing(w, turn->alone, clock_mono());

	if (!p && turn->queue == DATAGRAM)
		return NULL;
	if (!p && (p = free_place(w))) {
		xfr_link_close(p->link);
		p->link = xfr_link_open(w->loop, &w->conf.peer, &w->conf.deadlines, LINGER_S,
		                        on_link_end, w);
	}
	if (!p)
		return NULL;
	p->sole = turn->alone;
	return p->link;
}

void way_ended(way_t *w, const xfr_ask_end_t *end, mono_t now)
{
	/* One that closes after many has a limit, and is welcome to it; one that closes before any
	 * means what it was asked. */
	if (!end->first || end->answered != 1 || end->how == XFR_CONN_IDLE)
		return;
	if (mono_before(mono_add_s(w->struck, SINGLE_S), now))
		w->strikes = 0; /* long ago: a restart, not a habit */
	w->struck = now;
	if (++w->strikes < STRIKES)
		return;
	w->strikes = 0;
	w->single_until = mono_add_s(now, SINGLE_S);
}

void way_udp_is_dead(way_t *w, mono_t now)
{
	w->stream_until = mono_add_s(now, STREAM_S);
}

bool way_wants_stream(const way_t *w, mono_t now)
{
	return mono_before(now, w->stream_until);
}
