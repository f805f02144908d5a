/* refresh/way.h - one address of a primary, and the budget that all zones share there.
 *
 *     way_wait(turn) --> lanes: NOTIFY and operators | the sweep --budget--> turn->take(WAY_GO)
 *                                        |                                     ... way_done(good)
 *                                        +-- the address is dead --> turn->take(WAY_DOWN)
 *
 * Budgeted are SOA queries and transfers under way, TCP connections, and how many may begin in a
 * second. A few failures in a row open a breaker (refresh/breaker.h): from then on who waits here
 * is told at once that the way is down, and one try at a time looks whether it is up again.
 *
 * It also keeps the connections: one that carries many questions where the primary lets it, and
 * one for each where it does not, which is remembered for an hour.
 *
 * Main thread. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/status.h"
#include "refresh/breaker.h"
#include "refresh/queue.h"
#include "xfr/link.h"
#include "xfr/peer.h"

typedef struct way way_t;

/* What all ways share: the daemon's own limits. Beyond them each way has one of its own, so that no
 * primary, however slow, keeps the others from being asked. */
typedef struct way_limits {
	unsigned max_queries, max_transfers;
	unsigned queries, transfers; /* under way */
} way_limits_t;

typedef struct way_conf {
	xfr_peer_t peer;
	xfr_deadlines_t deadlines;
	unsigned max_queries, max_transfers, max_connections;
	unsigned max_rate; /* a second; 0: any number */
} way_conf_t;

typedef enum way_verdict {
	WAY_GO,   /* begin; way_done() or way_leave() is owed */
	WAY_DOWN, /* the address is dead; the turn is over */
} way_verdict_t;

typedef enum way_kind { WAY_QUERY, WAY_TRANSFER } way_kind_t;

/* One who waits for a turn, embedded in what it is for. Starts with zeros. */
typedef struct way_turn {
	refresh_link_t link;
	way_t *way; /* NULL: it neither waits nor has its turn */
	way_kind_t kind;
	uint8_t queue; /* the way's own */
	bool urgent;
	bool stream; /* a query that needs a connection: set before it waits */
	/* It wants a connection that it shares with nobody: set before it waits. Such turns have half of
	 * the connections at most. */
	bool alone;
	bool going;                                                 /* it has its turn */
	void (*take)(struct way_turn *turn, way_verdict_t verdict); /* from way_pump() alone */
} way_turn_t;

/* limits is borrowed. NULL: out of memory. */
way_t *way_new(struct ev_loop *loop, const way_conf_t *conf, way_limits_t *limits);
void way_free(way_t *w); /* no turn is left. NULL is fine */

/* The settings have changed, but not the peer: what is under way goes on. Room for so many connections comes
 * first: ST_NOMEM, and nothing has changed. */
status_t way_reserve(way_t *w, unsigned max_connections);
void way_set_conf(way_t *w, const way_conf_t *conf);

/* A mark of the caller's. */
void way_set_kept(way_t *w, bool kept);
bool way_is_kept(const way_t *w);

const xfr_peer_t *way_peer(const way_t *w);
const xfr_deadlines_t *way_deadlines(const way_t *w);

/* Stand in the lane. */
void way_wait(way_t *w, way_turn_t *turn, way_kind_t kind, bool urgent);

/* Give all turns that the budget has to give. */
void way_pump(way_t *w, mono_t now);

/* Is there anything that way_pump() might do? */
bool way_waiting(const way_t *w);
/* When it might, though nothing else happens; 0: not by time alone. */
mono_t way_next(const way_t *w);
/* Would one more have to wait for long? */
bool way_crowded(const way_t *w);

/* The turn is over. good: there was an answer, whatever it said; else there was no way. Tells
 * whether the breaker turned. */
breaker_turn_t way_done(way_turn_t *turn, bool good, mono_t now);
/* ... without a finding about the way, or before it came; with neither, nothing happens. */
void way_leave(way_turn_t *turn);

const breaker_t *way_breaker(const way_t *w);

/* How the budget is used, for operators. */
typedef struct way_load {
	unsigned queries, streams; /* under way: by UDP; by TCP, transfers among them */
	unsigned waiting;          /* for a turn */
	unsigned connections;      /* open */
} way_load_t;
way_load_t way_load(const way_t *w);
/* Whoever is to try whether it is up again, when the breaker says so; the caller's own. */
void way_set_probe(way_t *w, void *probe);
void *way_probe(const way_t *w);
/* He is on his way there. */
void way_probe_sent(way_t *w, mono_t now);

/* A connection for a turn that is going: one that stands or, for a transfer or a query that needs one
 * (stream), a new one. NULL: a query goes by UDP; else out of memory. The link is the way's. */
xfr_link_t *way_link(const way_turn_t *turn);

/* How an ask ended of which nothing is known (xfr_ask_end_is_unclear): a primary that closes behind
 * one answer will get no more than one question on a connection. */
void way_ended(way_t *w, const xfr_ask_end_t *end, mono_t now);

/* UDP brought no answer where TCP did: queries go by TCP for a while. */
void way_udp_is_dead(way_t *w, mono_t now);
bool way_wants_stream(const way_t *w, mono_t now);
