/* xfr/link.c - ids to asks, and who is told what when the stream ends. */
#include "xfr/link.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/random.h"

enum {
	STRAYS_MAX = 16, /* messages that nobody asked for, until the peer counts as mad */
	ID_LEN = 2,
};

/* The connection's own idle deadline is not what ends a link: its asks have theirs. */
#define CONN_IDLE_S 86400.

struct xfr_ask {
	xfr_link_t *link; /* NULL: it has ended */
	xfr_ask_t *next, *prev;
	const xfr_ask_calls_t *calls;
	void *arg;
	uint16_t id;
	bool fresh; /* the first on its link */
	bool paused;
	bool touched;
	bool gulped; /* messages came since on_gulp */
	uint64_t bytes;
	double most; /* seconds; 0: any number */
	mono_t asked;
	mono_t active; /* when it was asked, or heard of last */
};

/* Times are those of the connection's clock. */
struct xfr_link {
	struct ev_loop *loop;
	xfr_conn_t *conn;
	xfr_link_cb on_end;
	void *arg;
	double idle, linger;
	xfr_ask_t *asks;
	xfr_ask_t *telling; /* the next one to be looked at, while callbacks run */
	unsigned count, served, strays, paused;
	bool used;    /* some question was asked */
	bool spoiled; /* an answer may come that nobody waits for */
	bool ended;
	unsigned in_call; /* callbacks on the stack: the memory must outlive them */
	bool closed;
	mono_t rested;   /* since when it has had no ask */
	mono_t progress; /* when one was completed, or the first one asked */
	ev_timer tick;
};

/* After the end no time passes. */
static mono_t link_now(const xfr_link_t *l)
{
	return l->conn ? xfr_conn_now(l->conn) : (mono_t){ 0 };
}

static void release(xfr_link_t *l)
{
	ev_timer_stop(l->loop, &l->tick);
	xfr_conn_close(l->conn);
	free(l);
}

static void enter(xfr_link_t *l)
{
	l->in_call++;
}

/* Behind callbacks: false: l is gone. */
static bool leave(xfr_link_t *l)
{
	if (--l->in_call > 0 || !l->closed)
		return true;
	release(l);
	return false;
}

/* --- the list of asks ---------------------------------------------------------------------- */

static void link_in(xfr_link_t *l, xfr_ask_t *a)
{
	a->asked = a->active = link_now(l);
	a->link = l;
	a->next = l->asks;
	if (!a->next)
		l->progress = a->active;
	if (a->next)
		a->next->prev = a;
	l->asks = a;
	l->count++;
}

static void unlink_ask(xfr_ask_t *a)
{
	xfr_link_t *l = a->link;

	if (l->telling == a)
		l->telling = a->next;
	if (a->prev)
		a->prev->next = a->next;
	else
		l->asks = a->next;
	if (a->next)
		a->next->prev = a->prev;
	a->next = a->prev = NULL;
	a->link = NULL;
	if (--l->count == 0)
		l->rested = link_now(l);
}

static xfr_ask_t *find(const xfr_link_t *l, uint16_t id)
{
	for (xfr_ask_t *a = l->asks; a; a = a->next) {
		if (a->id == id)
			return a;
	}
	return NULL;
}

/* --- ends ---------------------------------------------------------------------------------- */

bool xfr_ask_end_is_unclear(const xfr_ask_end_t *end)
{
	if (end->stray)
		return true;
	switch (end->how) {
	case XFR_CONN_CLOSED:
	case XFR_CONN_CUT:
	case XFR_CONN_IDLE:
		return end->untouched && (!end->fresh || end->others > 0);
	case XFR_CONN_ERROR:
		return end->established && (end->others > 0 || (end->untouched && !end->fresh));
	case XFR_CONN_NO_CONNECT:
	case XFR_CONN_NOMEM:
		break;
	}
	return false;
}

/* Tell one whose link has ended (end), or that it has to leave it. */
static void tell_ask(xfr_ask_t *a, const xfr_ask_end_t *of_link)
{
	const xfr_ask_calls_t *calls = a->calls;
	xfr_ask_end_t end = *of_link;
	void *arg = a->arg;

	end.untouched = !a->touched;
	end.fresh = a->fresh;
	unlink_ask(a); /* it is the callee's alone from here on */
	calls->on_end(arg, &end);
}

/* The one way down. l may be gone afterwards. */
static void end(xfr_link_t *l, xfr_conn_end_t how, int sys_errno)
{
	xfr_ask_end_t told = {
		.how = how,
		.sys_errno = sys_errno,
		.established = l->conn && xfr_conn_established(l->conn),
		.first = true,
		.answered = l->served,
		.others = l->count > 0 ? l->count - 1 : 0,
	};

	for (const xfr_ask_t *a = l->asks; a; a = a->next)
		told.answered += a->touched;

	if (l->ended)
		return;
	l->ended = true;
	ev_timer_stop(l->loop, &l->tick);
	xfr_conn_close(l->conn);
	l->conn = NULL;
	enter(l);
	for (; l->asks && !l->closed; told.first = false)
		tell_ask(l->asks, &told);
	if (!l->closed)
		l->on_end(l->arg, l);
	(void)leave(l);
}

/* Let an ask go whose answer may still come: it was silent for too long, stands behind another
 * (others), or got what belongs to nobody (stray). */
static void give_up(xfr_link_t *l, xfr_ask_t *a, unsigned others, bool stray)
{
	const xfr_ask_end_t told = {
		.how = XFR_CONN_IDLE,
		.stray = stray,
		.established = true,
		.others = others,
	};

	l->spoiled = true;
	tell_ask(a, &told);
}

/* --- what comes ---------------------------------------------------------------------------- */

/* Without an id a message can only be for one who is alone; and only that one can say what it is
 * worth. */
static xfr_ask_t *addressee(const xfr_link_t *l, const uint8_t *msg, size_t len)
{
	if (len >= ID_LEN) {
		xfr_ask_t *a = find(l, (uint16_t)get_u16(msg));

		if (a)
			return a;
	}
	return l->count == 1 && !l->spoiled ? l->asks : NULL;
}

/* A message of nobody. Most primaries answer in turn, so it was meant for the oldest: that one asks
 * again, alone. On a spoiled link it is late for one that has given up. */
static void take_stray(xfr_link_t *l)
{
	xfr_ask_t *oldest = l->asks;

	if (l->spoiled)
		return;
	while (oldest && oldest->next)
		oldest = oldest->next;
	if (++l->strays > STRAYS_MAX) {
		end(l, XFR_CONN_CUT, 0);
	} else if (oldest) {
		enter(l);
		give_up(l, oldest, 0, true);
		(void)leave(l);
	}
}

static void on_message(void *arg, const uint8_t *msg, size_t len)
{
	xfr_link_t *l = arg;
	xfr_ask_t *a = addressee(l, msg, len);

	if (!a) {
		take_stray(l);
		return;
	}
	a->touched = a->gulped = true;
	a->bytes += len;
	a->active = link_now(l);
	enter(l);
	a->calls->on_message(a->arg, msg, len);
	(void)leave(l);
}

static void on_gulp(void *arg)
{
	xfr_link_t *l = arg;

	enter(l);
	for (xfr_ask_t *a = l->asks; a && !l->ended && !l->closed; a = l->telling) {
		l->telling = a->next;
		if (!a->gulped)
			continue;
		a->gulped = false;
		if (a->calls->on_gulp)
			a->calls->on_gulp(a->arg);
	}
	l->telling = NULL;
	if (leave(l) && l->spoiled && l->count == 0)
		end(l, XFR_CONN_CLOSED, 0);
}

static void on_conn_end(void *arg, xfr_conn_end_t how, int sys_errno)
{
	end(arg, how, sys_errno);
}

static const xfr_conn_calls_t conn_calls = {
	.on_message = on_message,
	.on_gulp = on_gulp,
	.on_end = on_conn_end,
};

/* --- deadlines ----------------------------------------------------------------------------- */

/* Asks for which nothing came for too long, or not all of it in time, end alone: their neighbours may
 * be well. Of a message that is not whole yet nobody knows whose it is: while it grows, none is idle. */
static void end_idle(xfr_link_t *l, mono_t now)
{
	const double growing = mono_diff(xfr_conn_growing(l->conn), now);

	for (xfr_ask_t *a = l->asks; a && !l->ended && !l->closed; a = l->telling) {
		l->telling = a->next;
		const bool late = a->most > 0 && mono_diff(a->asked, now) >= a->most;
		const bool idle = mono_diff(a->active, now) >= l->idle && growing >= l->idle;

		if (late || idle)
			give_up(l, a, 0, false);
	}
	l->telling = NULL;
}

/* Those behind one that does not come to its end find another way; the newest stand first. On a spoiled
 * link even the oldest may have been passed over: what came for it was taken for somebody else's. */
static void end_stuck(xfr_link_t *l, mono_t now)
{
	const double growing = mono_diff(xfr_conn_growing(l->conn), now);
	const bool spoiled = l->spoiled;

	if (mono_diff(l->progress, now) < XFR_LINK_STUCK || growing < XFR_LINK_STUCK)
		return;
	for (xfr_ask_t *a = l->asks; a && !l->ended && !l->closed; a = l->telling) {
		l->telling = a->next;
		if (spoiled && mono_diff(a->active, now) >= XFR_LINK_STUCK)
			give_up(l, a, 0, true);
		else if (a->next && !a->touched)
			give_up(l, a, 1, false);
	}
	l->telling = NULL;
}

static void on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	xfr_link_t *l = w->data;
	mono_t now = link_now(l);

	(void)loop;
	(void)revents;
	if (l->paused > 0)
		return; /* what there is to hear may lie unread */
	enter(l);
	end_idle(l, now);
	if (!l->ended && !l->closed)
		end_stuck(l, now);
	if (leave(l) && !l->ended && l->count == 0 &&
	    (l->spoiled || mono_diff(l->rested, now) >= l->linger))
		end(l, XFR_CONN_CLOSED, 0);
}

/* --- the owner's side ---------------------------------------------------------------------- */

xfr_link_t *xfr_link_open(struct ev_loop *loop, const xfr_peer_t *peer,
                          const xfr_deadlines_t *deadlines, double linger, xfr_link_cb on_end,
                          void *arg)
{
	const double shortest = linger < deadlines->idle ? linger : deadlines->idle;
	xfr_deadlines_t own = *deadlines;
	xfr_link_t *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	own.idle = CONN_IDLE_S;
	l->loop = loop;
	l->on_end = on_end;
	l->arg = arg;
	l->idle = deadlines->idle;
	l->linger = linger;
	l->conn = xfr_conn_open(loop, peer, &own, &conn_calls, l);
	if (!l->conn) {
		free(l);
		return NULL;
	}
	ev_timer_init(&l->tick, on_tick, shortest / 4, shortest / 4);
	l->tick.data = l;
	ev_timer_start(loop, &l->tick);
	return l;
}

void xfr_link_close(xfr_link_t *link)
{
	if (!link)
		return;
	while (link->asks)
		unlink_ask(link->asks);
	link->ended = link->closed = true;
	ev_timer_stop(link->loop, &link->tick);
	xfr_conn_close(link->conn);
	link->conn = NULL;
	if (link->in_call == 0)
		release(link);
}

/* Does nothing forbid a further question? */
static bool has_room(const xfr_link_t *l)
{
	return !l->ended && !l->spoiled && l->count < XFR_LINK_ASKS_MAX;
}

bool xfr_link_usable(const xfr_link_t *link)
{
	return has_room(link) &&
	       (link->count == 0 || mono_diff(link->progress, link_now(link)) < XFR_LINK_STUCK / 2);
}

bool xfr_link_fresh(const xfr_link_t *link)
{
	return !link->used;
}

unsigned xfr_link_asks(const xfr_link_t *link)
{
	return link->count;
}

uint64_t xfr_link_burden(const xfr_link_t *link)
{
	uint64_t most = 0;

	for (const xfr_ask_t *a = link->asks; a; a = a->next) {
		if (a->bytes > most)
			most = a->bytes;
	}
	return most;
}

void xfr_link_press(xfr_link_t *link, double idle)
{
	if (link->idle > idle)
		link->idle = idle;
}

uint16_t xfr_link_id(const xfr_link_t *link)
{
	uint16_t id;

	do
		id = random_u16();
	while (find(link, id));
	return id;
}

/* --- asks ---------------------------------------------------------------------------------- */

xfr_ask_t *xfr_ask_open(xfr_link_t *link, uint16_t id, const uint8_t *msg, size_t len, double most,
                        const xfr_ask_calls_t *calls, void *arg)
{
	xfr_ask_t *a;

	/* Whether it makes progress the caller has judged, maybe a while ago. */
	if (!has_room(link) || !(a = calloc(1, sizeof *a)))
		return NULL;
	if (xfr_conn_send(link->conn, msg, len) != ST_OK) {
		free(a);
		return NULL;
	}
	a->most = most;
	a->calls = calls;
	a->arg = arg;
	a->id = id;
	a->fresh = !link->used;
	link->used = true;
	link_in(link, a);
	return a;
}

status_t xfr_ask_again(xfr_ask_t *ask, const uint8_t *msg, size_t len)
{
	if (!ask->link)
		return ST_SHORT;
	ask->active = link_now(ask->link);
	return xfr_conn_send(ask->link->conn, msg, len);
}

void xfr_ask_pause(xfr_ask_t *ask, bool paused)
{
	xfr_link_t *l = ask->link;

	if (!l || ask->paused == paused)
		return;
	ask->paused = paused;
	l->paused += paused ? 1 : -1u;
	if (l->conn)
		xfr_conn_pause(l->conn, l->paused > 0);
}

xfr_pace_t xfr_ask_pace(const xfr_ask_t *ask)
{
	const xfr_link_t *l = ask->link;

	if (!l || !l->conn)
		return (xfr_pace_t){ 0 };
	size_t len;
	const uint8_t *begun = xfr_conn_begun(l->conn, &len);
	const bool its = begun && len >= ID_LEN && addressee(l, begun, len) == ask;
	return (xfr_pace_t){ ask->bytes + (its ? len : 0), mono_diff(ask->asked, link_now(l)) };
}

/* What comes for who has left would be read for nothing. */
static void spoil(xfr_link_t *l)
{
	l->spoiled = true;
	if (l->count > 0 || l->ended)
		return;
	ev_timer_stop(l->loop, &l->tick);
	ev_timer_set(&l->tick, 0., l->tick.repeat);
	ev_timer_start(l->loop, &l->tick);
}

void xfr_ask_close(xfr_ask_t *ask, bool complete)
{
	xfr_link_t *l;

	if (!ask)
		return;
	xfr_ask_pause(ask, false);
	l = ask->link;
	if (l) {
		unlink_ask(ask);
		if (complete) {
			l->served++;
			l->progress = link_now(l);
		} else {
			spoil(l);
		}
	}
	free(ask);
}
