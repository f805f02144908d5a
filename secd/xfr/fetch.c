/* xfr/fetch.c - frames from the loop to a builder and its verdict back, with a lid on the queue.
 *
 * A fetch has two sides. The loop's owns the connection, the deadline and the promise to call
 * done; the builder's owns the verdict machine, the build and what comes of it. Between them lie
 * a mutex, a queue of chunks and two kinds of mail. Whoever may still touch the fetch holds a
 * reference: the loop's side, a job that is queued or runs, a mail under way. */
#include "xfr/fetch.h"

#include "common/buf.h"
#include "common/random.h"
#include "dns/request.h"
#include "dns/wire.h"
#include "xfr/axfr.h"
#include "xfr/conn.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PREFIX = 2,             /* the length before each frame */
	CHUNK_ROOM = 96 * 1024, /* one frame of any length fits */
	/* Octets that may wait for the builder. A primary that can't write for a while gives up (Knot
	 * DNS after half a second), so a pause is rare, and over when a chunk or two are worked off. */
	PAUSE_ABOVE = 4 * 1024 * 1024,
	RESUME_BELOW = PAUSE_ABOVE - 2 * CHUNK_ROOM,
	CHUNKS_PER_JOB = 32, /* then other zones' jobs have their turn */
};

_Static_assert(CHUNK_ROOM >= PREFIX + DNS_MSG_MAX, "a frame must fit into an empty chunk");

typedef struct chunk {
	struct chunk *next;
	size_t used, room;
	uint8_t bytes[]; /* frames, each behind its length */
} chunk_t;

/* What came of a transfer, for the loop. */
typedef struct fetch_mail {
	mail_t mail;
	xfr_fetch_t *fetch;
	bool verdict; /* else: the queue has run dry, read on */
} fetch_mail_t;

struct xfr_fetch {
	/* The loop's side. */
	xfr_env_t *env;
	xfr_fetch_cb done;
	void *arg;
	xfr_conn_t *conn;
	ev_timer deadline;
	double total;
	chunk_t *filling;
	mono_t began;
	uint64_t bytes, messages;
	bool detached; /* stopped, or done was called: mail is for nobody */

	/* Set before the first job, then read only. */
	dns_name_t apex;
	zone_limits_t limits;
	siphash_key_t key;
	uint16_t id;

	/* Between the two, under the mutex. */
	pthread_mutex_t mutex;
	chunk_t *first, **last;
	chunk_t *spare; /* used ones of CHUNK_ROOM, to be filled again */
	size_t queued;  /* octets in the queue */
	bool scheduled; /* a job is in the pool or runs: never two */
	bool paused;    /* the connection; resume is mailed when the queue has run dry */
	bool resuming;  /* that mail is under way */
	bool ended;     /* no more chunks will come; end_status and end_why say why */
	bool judged;    /* the verdict is mailed */
	bool abandoned; /* the loop has no use for it any more: free all */
	status_t end_status;
	char end_why[256];

	/* The builder's side: whoever runs the one job. */
	pool_job_t job;
	zone_build_t *build;
	xfr_axfr_t *axfr;

	/* The builder's until judged, then the loop's, until abandoned. */
	xfr_fetch_result_t result;
	fetch_mail_t verdict_mail, resume_mail;

	_Atomic unsigned refs;
};

/* --- references and the queue ----------------------------------------------------------------- */

static void hold(xfr_fetch_t *f)
{
	atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
}

static void free_chunks(chunk_t *chunk)
{
	while (chunk) {
		chunk_t *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

/* The last one out frees the shell; what is big went before, in a builder. */
static void let_go(xfr_fetch_t *f)
{
	if (atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
		return;
	free_chunks(f->first);
	free_chunks(f->spare);
	free(f->filling);
	pthread_mutex_destroy(&f->mutex);
	free(f);
}

/* Under the mutex: see to it that a builder looks at f. */
static void schedule(xfr_fetch_t *f)
{
	if (f->scheduled)
		return;
	f->scheduled = true;
	hold(f);
	pool_push(f->env->builders, &f->job);
}

/* Mail to the loop; the mail holds a reference. */
static void post(xfr_fetch_t *f, fetch_mail_t *mail)
{
	hold(f);
	mailbox_send(&f->env->verdicts, &mail->mail);
}

/* --- the builder's side ----------------------------------------------------------------------- */

/* What the job is to do next, decided under the mutex. */
typedef enum job_step {
	STEP_FEED,  /* a chunk was taken */
	STEP_END,   /* nothing is left, and nothing will come */
	STEP_DROP,  /* abandoned, or judged already: free what is there */
	STEP_SLEEP, /* nothing to do; the job is no longer scheduled */
} job_step_t;

static void ask_to_resume(xfr_fetch_t *f)
{
	if (!f->paused || f->resuming || f->queued >= RESUME_BELOW)
		return;
	f->resuming = true;
	post(f, &f->resume_mail);
}

/* Under the mutex. A chunk that went back to malloc each time would go on to the system and come
 * from there again, page by page: memory that is always the same is in the cache as well. */
static void keep_spare(xfr_fetch_t *f, chunk_t *chunk)
{
	if (chunk && chunk->room == CHUNK_ROOM && !f->ended) {
		chunk->next = f->spare;
		f->spare = chunk;
	} else {
		free(chunk);
	}
}

/* used: the chunk that is done, or NULL. */
static job_step_t next_step(xfr_fetch_t *f, chunk_t *used, chunk_t **chunk)
{
	job_step_t step = STEP_SLEEP;

	pthread_mutex_lock(&f->mutex);
	keep_spare(f, used);
	if ((f->abandoned || f->judged) &&
	    (f->first || f->build || (f->abandoned && f->result.version))) {
		*chunk = f->first; /* all of them */
		f->first = NULL;
		f->last = &f->first;
		f->queued = 0;
		step = STEP_DROP;
	} else if (f->first) {
		*chunk = f->first;
		f->first = f->first->next;
		if (!f->first)
			f->last = &f->first;
		f->queued -= (*chunk)->used;
		ask_to_resume(f);
		step = STEP_FEED;
	} else if (f->ended && !f->judged && !f->abandoned) {
		step = STEP_END;
	} else {
		f->scheduled = false;
	}
	pthread_mutex_unlock(&f->mutex);
	return step;
}

static void free_build(xfr_fetch_t *f)
{
	xfr_axfr_free(f->axfr);
	zone_build_free(f->build);
	f->axfr = NULL;
	f->build = NULL;
}

static void judge(xfr_fetch_t *f, status_t st, const char *why)
{
	f->result.status = st;
	snprintf(f->result.why, sizeof f->result.why, "%s", why);
	if (f->build)
		f->result.stats = *zone_build_stats(f->build);
	free_build(f);
	pthread_mutex_lock(&f->mutex);
	f->judged = true;
	pthread_mutex_unlock(&f->mutex);
	post(f, &f->verdict_mail);
}

static const char *seal_words(status_t st)
{
	switch (st) {
	case ST_OK:
		return "";
	case ST_NOENT:
		return "no SOA";
	case ST_EXIST:
		return "two SOA records that differ";
	case ST_LIMIT:
		return "an RRset is over max-rrset";
	case ST_NOMEM:
	case ST_STALE:
	case ST_MALFORMED:
	case ST_SHORT:
	case ST_OUTSIDE:
	case ST_REFUSED:
	case ST_TIMEOUT:
	case ST_SYSTEM:
	case ST_COUNT:
		break;
	}
	return status_text(st);
}

/* The closing SOA is in: freeze the zone and look it over. */
static void seal(xfr_fetch_t *f)
{
	status_t st = zone_build_seal(f->build, &f->result.version);

	if (st == ST_OK) {
		f->result.soa = *zone_version_soa(f->result.version);
		/* Without memory for the look, fewer faults are told; the version is sound. */
		(void)zone_build_check(f->build, f->result.version, &f->result.faults);
	}
	if (st == ST_OK && zone_faults_refuse(&f->result.faults)) {
		char why[128];

		snprintf(why, sizeof why,
		         "NSEC3PARAM has %u iterations or too long a salt: no key allows the "
		         "cost of over %d",
		         f->result.faults.iterations, DNS_NSEC3_ITERATIONS_MAX);
		zone_version_free(f->result.version);
		f->result.version = NULL;
		judge(f, ST_LIMIT, why);
		return;
	}
	judge(f, st, seal_words(st));
}

/* The machine is made with the first frame: a fetch that never connects costs no build. */
static bool have_machine(xfr_fetch_t *f)
{
	if (!f->build)
		f->build = zone_build_new(&f->key, &f->apex, &f->limits);
	if (f->build && !f->axfr)
		f->axfr = xfr_axfr_new(&f->apex, f->id, f->build);
	return f->axfr;
}

static void feed_chunk(xfr_fetch_t *f, const chunk_t *chunk)
{
	buf_t frames = buf_over(chunk->bytes, chunk->used);

	if (!have_machine(f)) {
		judge(f, ST_NOMEM, status_text(ST_NOMEM));
		return;
	}
	while (buf_left(&frames) > 0) {
		size_t len = buf_u16(&frames);

		switch (xfr_axfr_feed(f->axfr, buf_take(&frames, len), len)) {
		case XFR_MORE:
			break;
		case XFR_DONE:
			seal(f);
			return;
		case XFR_BAD:
			judge(f, xfr_axfr_status(f->axfr), xfr_axfr_why(f->axfr));
			return;
		}
	}
}

static void drop(xfr_fetch_t *f, chunk_t *chunks)
{
	free_chunks(chunks);
	free_build(f);
	pthread_mutex_lock(&f->mutex);
	zone_version_t *unwanted = f->abandoned ? f->result.version : NULL;
	if (unwanted)
		f->result.version = NULL;
	pthread_mutex_unlock(&f->mutex);
	zone_version_free(unwanted);
}

static void run_job(pool_job_t *job)
{
	xfr_fetch_t *f = (xfr_fetch_t *)((char *)job - offsetof(xfr_fetch_t, job));

	chunk_t *used = NULL;

	for (int i = 0; i < CHUNKS_PER_JOB; i++) {
		chunk_t *chunk = NULL;
		job_step_t step = next_step(f, used, &chunk);

		used = NULL;
		switch (step) {
		case STEP_FEED:
			feed_chunk(f, chunk);
			used = chunk;
			break;
		case STEP_END:
			judge(f, f->end_status, f->end_why);
			break;
		case STEP_DROP:
			drop(f, chunk);
			break;
		case STEP_SLEEP:
			let_go(f);
			return;
		}
	}
	free(used);
	pool_push(f->env->builders, &f->job); /* still scheduled, and still holds its reference */
}

/* --- the loop's side -------------------------------------------------------------------------- */

/* The loop lets go: nothing of it is left in the fetch. A builder frees what was built. */
static void detach(xfr_fetch_t *f)
{
	xfr_conn_close(f->conn);
	f->conn = NULL;
	ev_timer_stop(f->env->loop, &f->deadline);
	f->detached = true;
	pthread_mutex_lock(&f->mutex);
	f->abandoned = true;
	schedule(f);
	pthread_mutex_unlock(&f->mutex);
}

/* Tell result, which may be of the fetch or not, and let go. */
static void tell(xfr_fetch_t *f, xfr_fetch_result_t *result)
{
	result->bytes = f->bytes;
	result->messages = f->messages;
	result->seconds = mono_diff(f->began, clock_mono());
	f->done(f->arg, result);
	let_go(f);
}

/* Hand what was gathered to the builder. False: it is behind, stop reading. */
static bool push_filling(xfr_fetch_t *f)
{
	chunk_t *chunk = f->filling, *fitted;
	bool full;

	if (!chunk)
		return true;
	f->filling = NULL;
	if (chunk->used < CHUNK_ROOM / 2 &&
	    (fitted = realloc(chunk, sizeof *chunk + chunk->used))) {
		chunk = fitted; /* so that many small chunks weigh what they hold */
		chunk->room = chunk->used;
	}
	chunk->next = NULL;
	pthread_mutex_lock(&f->mutex);
	*f->last = chunk;
	f->last = &chunk->next;
	f->queued += chunk->used;
	full = f->queued > PAUSE_ABOVE;
	f->paused = f->paused || full;
	schedule(f);
	pthread_mutex_unlock(&f->mutex);
	return !full;
}

static void on_gulp(void *arg)
{
	xfr_fetch_t *f = arg;

	if (!push_filling(f))
		xfr_conn_pause(f->conn, true);
}

/* No more frames will come. If the builder has judged all there was, the story is over: tell it.
 * Else it judges the rest first. */
static void end(xfr_fetch_t *f, status_t st, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void end(xfr_fetch_t *f, status_t st, const char *fmt, ...)
{
	xfr_fetch_result_t result = { .status = st };
	bool waits;
	va_list args;

	va_start(args, fmt);
	vsnprintf(result.why, sizeof result.why, fmt, args);
	va_end(args);
	xfr_conn_close(f->conn);
	f->conn = NULL;
	ev_timer_stop(f->env->loop, &f->deadline);
	(void)push_filling(f);

	pthread_mutex_lock(&f->mutex);
	waits = f->scheduled || f->judged;
	f->ended = true;
	f->end_status = st;
	snprintf(f->end_why, sizeof f->end_why, "%s", result.why);
	pthread_mutex_unlock(&f->mutex);
	if (waits)
		return;
	detach(f);
	tell(f, &result);
}

/* An empty chunk to fill: one that was used, or a new one. */
static chunk_t *empty_chunk(xfr_fetch_t *f)
{
	pthread_mutex_lock(&f->mutex);
	chunk_t *chunk = f->spare;
	if (chunk)
		f->spare = chunk->next;
	pthread_mutex_unlock(&f->mutex);
	if (!chunk && (chunk = malloc(sizeof *chunk + CHUNK_ROOM)))
		chunk->room = CHUNK_ROOM;
	if (chunk)
		chunk->used = 0;
	return chunk;
}

static void on_message(void *arg, const uint8_t *msg, size_t len)
{
	xfr_fetch_t *f = arg;

	f->messages++;
	f->bytes += PREFIX + len;
	if (f->filling && CHUNK_ROOM - f->filling->used < PREFIX + len && !push_filling(f))
		xfr_conn_pause(f->conn, true);
	if (!f->filling && !(f->filling = empty_chunk(f))) {
		end(f, ST_NOMEM, "%s", status_text(ST_NOMEM));
		return;
	}
	put_u16(f->filling->bytes + f->filling->used, (unsigned)len);
	memcpy(f->filling->bytes + f->filling->used + PREFIX, msg, len);
	f->filling->used += PREFIX + len;
}

static void on_conn_end(void *arg, xfr_conn_end_t how, int sys_errno)
{
	xfr_fetch_t *f = arg;
	const char *words;

	switch (how) {
	case XFR_CONN_CLOSED:
		end(f, ST_SHORT, "connection closed %s",
		    f->messages ? "before the closing SOA" : "without an answer");
		return;
	case XFR_CONN_CUT:
		end(f, ST_SHORT, "connection closed inside a message");
		return;
	case XFR_CONN_ERROR:
		words = strerrordesc_np(sys_errno);
		end(f, ST_SYSTEM, "%s", words ? words : "unknown network error");
		return;
	case XFR_CONN_NO_CONNECT:
		end(f, ST_TIMEOUT, "no connection in time");
		return;
	case XFR_CONN_IDLE:
		end(f, ST_TIMEOUT, "primary fell silent");
		return;
	case XFR_CONN_NOMEM:
		end(f, ST_NOMEM, "%s", status_text(ST_NOMEM));
		return;
	}
}

static const xfr_conn_calls_t conn_calls = {
	.on_message = on_message,
	.on_gulp = on_gulp,
	.on_end = on_conn_end,
};

static void on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	xfr_fetch_t *f = w->data;

	(void)loop;
	(void)revents;
	end(f, ST_TIMEOUT, "transfer not complete after %.3g s", f->total);
}

/* The queue has run dry. */
static void resume(xfr_fetch_t *f)
{
	pthread_mutex_lock(&f->mutex);
	f->paused = false;
	f->resuming = false;
	pthread_mutex_unlock(&f->mutex);
	if (f->conn)
		xfr_conn_pause(f->conn, false);
}

/* The verdict is in; the result is ours from here on. */
static void finish(xfr_fetch_t *f)
{
	xfr_fetch_result_t result = f->result;

	f->result.version = NULL; /* the callee owns it now */
	detach(f);
	tell(f, &result);
}

static void on_mail(void *arg, mail_t *mail)
{
	fetch_mail_t *m = (fetch_mail_t *)((char *)mail - offsetof(fetch_mail_t, mail));
	xfr_fetch_t *f = m->fetch;

	(void)arg;
	if (!f->detached && m->verdict)
		finish(f);
	else if (!f->detached)
		resume(f);
	let_go(f);
}

void xfr_env_open(xfr_env_t *env, struct ev_loop *loop, pool_t *builders, const siphash_key_t *key)
{
	env->loop = loop;
	env->builders = builders;
	env->key = *key;
	mailbox_open(&env->verdicts, loop, on_mail, env);
}

void xfr_env_close(xfr_env_t *env)
{
	mailbox_close(&env->verdicts);
}

/* Connect and queue the question. */
static status_t ask(xfr_fetch_t *f, const xfr_peer_t *peer, const xfr_deadlines_t *deadlines)
{
	uint8_t request[DNS_REQUEST_MAX];
	size_t len;
	status_t st = dns_request(f->apex.wire, DNS_TYPE_AXFR, f->id, 0, request, &len);

	if (st != ST_OK)
		return st;
	f->conn = xfr_conn_open(f->env->loop, peer, deadlines, &conn_calls, f);
	return f->conn ? xfr_conn_send(f->conn, request, len) : ST_NOMEM;
}

xfr_fetch_t *xfr_fetch_start(xfr_env_t *env, const xfr_peer_t *peer,
                             const xfr_deadlines_t *deadlines, const dns_name_t *apex,
                             const zone_limits_t *limits, xfr_fetch_cb done, void *arg)
{
	xfr_fetch_t *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->env = env;
	f->done = done;
	f->arg = arg;
	f->total = deadlines->total;
	f->began = clock_mono();
	f->apex = *apex;
	dns_name_fold(&f->apex);
	f->limits = *limits;
	f->key = env->key;
	f->id = random_u16();
	pthread_mutex_init(&f->mutex, NULL);
	f->last = &f->first;
	f->job.run = run_job;
	f->verdict_mail = (fetch_mail_t){ .fetch = f, .verdict = true };
	f->resume_mail = (fetch_mail_t){ .fetch = f };
	atomic_init(&f->refs, 1);
	if (ask(f, peer, deadlines) != ST_OK) {
		xfr_conn_close(f->conn);
		let_go(f);
		return NULL;
	}
	ev_timer_init(&f->deadline, on_deadline, f->total, 0.);
	f->deadline.data = f;
	ev_timer_start(env->loop, &f->deadline);
	return f;
}

void xfr_fetch_stop(xfr_fetch_t *f)
{
	detach(f);
	let_go(f);
}
