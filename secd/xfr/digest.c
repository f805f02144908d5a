/* xfr/digest.c - a queue of chunks with a lid, the one job that works it off, and mail.
 *
 * Between loop and builder lie a mutex, the queue and three kinds of mail. Whoever may still touch the
 * digest holds a reference: the loop, a job that is queued or runs, a mail under way. */
#include "xfr/digest.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/wire.h"

enum {
	PREFIX = 2,             /* the length before each message */
	CHUNK_ROOM = 96 * 1024, /* one message of any length fits */
	/* Octets that may wait for the builder. A primary that can't write for a while gives up (Knot
	 * DNS after half a second), so a pause is rare, and over when a chunk or two are worked off. */
	PAUSE_ABOVE = 4 * 1024 * 1024,
	RESUME_BELOW = PAUSE_ABOVE - 2 * CHUNK_ROOM,
	CHUNKS_PER_JOB = 32,    /* then other zones' jobs have their turn */
	MEMORY_SMALL = 1 << 20, /* a transfer up to this is not refused for what others take */
};

_Static_assert(CHUNK_ROOM >= PREFIX + DNS_MSG_MAX, "a message must fit into an empty chunk");

typedef struct chunk {
	struct chunk *next;
	size_t used, room;
	wall_t came;     /* the first of them; the others in the same turn of the loop */
	uint8_t bytes[]; /* messages, each behind its length */
} chunk_t;

typedef enum news {
	NEWS_VERDICT,
	NEWS_ROOM,   /* the queue is below RESUME_BELOW: read on */
	NEWS_SINGLE, /* a newer SOA alone */
	NEWS_COUNT,
} news_t;

typedef struct digest_mail {
	mail_t mail;
	xfr_digest_t *digest;
	news_t news;
} digest_mail_t;

struct xfr_digest {
	/* The loop's. */
	const xfr_digest_calls_t *calls;
	void *arg;
	chunk_t *filling;
	bool let_go; /* mail is for nobody */

	/* Set before the first job, then read only. */
	xfr_builders_t *builders;
	xfr_work_spec_t spec;

	/* Between the two, under the mutex. */
	pthread_mutex_t mutex;
	chunk_t *first, **last;
	chunk_t *spare; /* used ones of CHUNK_ROOM, to be filled again */
	size_t queued;  /* octets in the queue */
	bool scheduled; /* a job is in the pool or runs: never two */
	bool paused;    /* the loop waits for room; that mail is sent below RESUME_BELOW */
	bool resuming;  /* it is under way */
	bool ended;     /* no more chunks will come, as end_why tells */
	bool judged;    /* the verdict is mailed */
	bool abandoned; /* the loop has no use for it any more: free all */
	xfr_why_t end_why;

	/* The builder's: whoever runs the one job. */
	pool_job_t job;
	xfr_work_t *work;
	size_t memory; /* of it, as the sum has it; written under the builders' mutex */
	bool told_single;
	bool claimed; /* spec.base */

	/* The builder's until judged, then the loop's, until abandoned. */
	xfr_result_t result;
	digest_mail_t mail[NEWS_COUNT];

	_Atomic unsigned refs;
};

/* --- references and the queue ----------------------------------------------------------------- */

static void hold(xfr_digest_t *d)
{
	atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
}

static void free_chunks(chunk_t *chunk)
{
	while (chunk) {
		chunk_t *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

static void unclaim(xfr_digest_t *d)
{
	if (d->claimed)
		zone_version_unclaim(d->spec.base);
	d->claimed = false;
}

/* The last one out frees the shell; what is big went before, in a builder. */
static void let_go(xfr_digest_t *d)
{
	if (atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1)
		return;
	unclaim(d);
	free_chunks(d->first);
	free_chunks(d->spare);
	free(d->filling);
	pthread_mutex_destroy(&d->mutex);
	dns_tsig_key_wipe(&d->spec.tsig_key);
	free(d);
}

/* Under the mutex: see to it that a builder looks at d. */
static void schedule(xfr_digest_t *d)
{
	if (d->scheduled)
		return;
	d->scheduled = true;
	hold(d);
	pool_push(d->builders->pool, &d->job);
}

/* Mail to the loop; the mail holds a reference. */
static void post(xfr_digest_t *d, news_t news)
{
	hold(d);
	mailbox_send(&d->builders->mail, &d->mail[news].mail);
}

/* --- the builder's side ----------------------------------------------------------------------- */

/* What the job is to do next, decided under the mutex. */
typedef enum job_step {
	STEP_FEED,  /* a chunk was taken */
	STEP_END,   /* nothing is left, and nothing will come */
	STEP_FREE,  /* abandoned, or judged already: free what is there */
	STEP_SLEEP, /* nothing to do; the job is no longer scheduled */
} job_step_t;

static void ask_to_resume(xfr_digest_t *d)
{
	if (!d->paused || d->resuming || d->queued >= RESUME_BELOW)
		return;
	d->resuming = true;
	post(d, NEWS_ROOM);
}

/* Under the mutex. A chunk that went back to malloc each time would go on to the system and come
 * from there again, page by page: memory that is always the same is in the cache as well. */
static void keep_spare(xfr_digest_t *d, chunk_t *chunk)
{
	if (chunk && chunk->room == CHUNK_ROOM && !d->ended) {
		chunk->next = d->spare;
		d->spare = chunk;
	} else {
		free(chunk);
	}
}

/* used: the chunk that is done, or NULL. */
static job_step_t next_step(xfr_digest_t *d, chunk_t *used, chunk_t **chunk)
{
	job_step_t step = STEP_SLEEP;

	pthread_mutex_lock(&d->mutex);
	keep_spare(d, used);
	if ((d->abandoned || d->judged) &&
	    (d->first || d->work || (d->abandoned && d->result.version))) {
		*chunk = d->first; /* all of them */
		d->first = NULL;
		d->last = &d->first;
		d->queued = 0;
		step = STEP_FREE;
	} else if (d->first) {
		*chunk = d->first;
		d->first = d->first->next;
		if (!d->first)
			d->last = &d->first;
		d->queued -= (*chunk)->used;
		ask_to_resume(d);
		step = STEP_FEED;
	} else if (d->ended && !d->judged && !d->abandoned) {
		step = STEP_END;
	} else {
		d->scheduled = false;
	}
	pthread_mutex_unlock(&d->mutex);
	return step;
}

/* What the work takes now, for the sum of all. False: it grew beyond what all may take, and is not
 * counted any more. The largest may go on, so that one always comes to its end, and what it has
 * brought in so far is not lost to a newcomer. */
static bool count_memory(xfr_digest_t *d, size_t now)
{
	xfr_builders_t *b = d->builders;

	pthread_mutex_lock(&b->mutex);
	const bool grew = now > d->memory;
	b->memory += (uint64_t)now - d->memory;
	d->memory = now;
	if (grew && (!b->largest || now > b->largest->memory))
		b->largest = d;
	const bool fits = !grew || b->memory <= b->memory_most || b->largest == d ||
	                  now <= MEMORY_SMALL;
	if (!fits) {
		b->memory -= now;
		d->memory = 0;
	}
	if (d->memory == 0 && b->largest == d)
		b->largest = NULL;
	pthread_mutex_unlock(&b->mutex);
	return fits;
}

static void free_work(xfr_digest_t *d)
{
	xfr_work_free(d->work);
	d->work = NULL;
	(void)count_memory(d, 0);
}

/* The result is complete. Only a version that was made over the base needs it any longer. */
static void judge(xfr_digest_t *d)
{
	free_work(d);
	if (d->result.outcome != XFR_DIFFERENCE)
		unclaim(d);
	pthread_mutex_lock(&d->mutex);
	d->judged = true;
	pthread_mutex_unlock(&d->mutex);
	post(d, NEWS_VERDICT);
}

static void judge_failed(xfr_digest_t *d, xfr_why_t why)
{
	d->result.outcome = XFR_FAILED;
	d->result.why = why;
	judge(d);
}

/* The connection is gone, and what came before was not enough. */
static void judge_end(xfr_digest_t *d)
{
	xfr_why_t why = d->end_why;

	if (d->work)
		xfr_work_end(d->work, &why);
	judge_failed(d, why);
}

static void tell_single(xfr_digest_t *d)
{
	if (d->told_single || !xfr_work_undetermined(d->work))
		return;
	d->told_single = true;
	post(d, NEWS_SINGLE);
}

/* The work begins with the first message: a fetch that never connects costs none. */
static void feed_chunk(xfr_digest_t *d, const chunk_t *chunk)
{
	buf_t frames = buf_over(chunk->bytes, chunk->used);

	if (!d->work && !(d->work = xfr_work_new(&d->spec))) {
		judge_failed(d, xfr_why(XFR_WHY_NO_MEMORY, 0, 0));
		return;
	}
	while (buf_left(&frames) > 0) {
		size_t len = buf_u16(&frames);

		if (xfr_work_feed(d->work, buf_take(&frames, len), len, chunk->came) == XFR_MORE)
			continue;
		xfr_work_finish(d->work, clock_wall_coarse(), &d->result);
		judge(d);
		return;
	}
	if (count_memory(d, xfr_work_memory(d->work)))
		tell_single(d);
	else
		judge_failed(d, xfr_why(XFR_WHY_MEMORY, xfr_why_size(d->builders->memory_most), 0));
}

static void free_all(xfr_digest_t *d, chunk_t *chunks)
{
	free_chunks(chunks);
	free_work(d);
	pthread_mutex_lock(&d->mutex);
	zone_version_t *unwanted = d->abandoned ? d->result.version : NULL;
	state_draft_t *draft = d->abandoned ? d->result.draft : NULL;
	if (unwanted)
		d->result.version = NULL;
	if (draft)
		d->result.draft = NULL;
	pthread_mutex_unlock(&d->mutex);
	zone_version_free(unwanted);
	state_draft_free(draft);
}

static void run_job(pool_job_t *job)
{
	xfr_digest_t *d = (xfr_digest_t *)((char *)job - offsetof(xfr_digest_t, job));
	chunk_t *used = NULL;

	for (int i = 0; i < CHUNKS_PER_JOB; i++) {
		chunk_t *chunk = NULL;
		job_step_t step = next_step(d, used, &chunk);

		used = NULL;
		switch (step) {
		case STEP_FEED:
			feed_chunk(d, chunk);
			used = chunk;
			break;
		case STEP_END:
			judge_end(d);
			break;
		case STEP_FREE:
			free_all(d, chunk);
			break;
		case STEP_SLEEP:
			let_go(d);
			return;
		}
	}
	free(used);
	pool_push(d->builders->pool, &d->job); /* still scheduled, and still holds its reference */
}

/* --- the loop's side -------------------------------------------------------------------------- */

xfr_digest_t *xfr_digest_new(xfr_builders_t *b, const xfr_work_spec_t *spec,
                             const xfr_digest_calls_t *calls, void *arg)
{
	xfr_digest_t *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->builders = b;
	d->spec = *spec;
	d->spec.key = &b->key;
	d->spec.slab = b->slab;
	d->claimed = spec->base != NULL;
	d->calls = calls;
	d->arg = arg;
	pthread_mutex_init(&d->mutex, NULL);
	d->last = &d->first;
	d->job.run = run_job;
	for (news_t news = 0; news < NEWS_COUNT; news++)
		d->mail[news] = (digest_mail_t){ .digest = d, .news = news };
	atomic_init(&d->refs, 1);
	return d;
}

bool xfr_digest_push(xfr_digest_t *d)
{
	chunk_t *chunk = d->filling, *fitted;
	bool full;

	if (!chunk)
		return false;
	d->filling = NULL;
	if (chunk->used < CHUNK_ROOM / 2 &&
	    (fitted = realloc(chunk, sizeof *chunk + chunk->used))) {
		chunk = fitted; /* so that many small chunks weigh what they hold */
		chunk->room = chunk->used;
	}
	chunk->next = NULL;
	pthread_mutex_lock(&d->mutex);
	*d->last = chunk;
	d->last = &chunk->next;
	d->queued += chunk->used;
	full = d->queued > PAUSE_ABOVE;
	d->paused = d->paused || full;
	schedule(d);
	pthread_mutex_unlock(&d->mutex);
	return full;
}

/* An empty chunk to fill: one that was used, or a new one. */
static chunk_t *empty_chunk(xfr_digest_t *d)
{
	pthread_mutex_lock(&d->mutex);
	chunk_t *chunk = d->spare;
	if (chunk)
		d->spare = chunk->next;
	pthread_mutex_unlock(&d->mutex);
	if (!chunk && (chunk = malloc(sizeof *chunk + CHUNK_ROOM)))
		chunk->room = CHUNK_ROOM;
	if (chunk) {
		chunk->used = 0;
		chunk->came = clock_wall_coarse();
	}
	return chunk;
}

status_t xfr_digest_take(xfr_digest_t *d, const uint8_t *msg, size_t len, bool *full)
{
	*full = d->filling && CHUNK_ROOM - d->filling->used < PREFIX + len && xfr_digest_push(d);
	if (!d->filling && !(d->filling = empty_chunk(d)))
		return ST_NOMEM;
	put_u16(d->filling->bytes + d->filling->used, (unsigned)len);
	memcpy(d->filling->bytes + d->filling->used + PREFIX, msg, len);
	d->filling->used += PREFIX + len;
	return ST_OK;
}

bool xfr_digest_end(xfr_digest_t *d, xfr_why_t *why)
{
	bool waits;

	(void)xfr_digest_push(d);
	pthread_mutex_lock(&d->mutex);
	waits = d->scheduled || d->judged;
	d->ended = true;
	d->end_why = *why;
	/* No builder looks at it, nor will before it is dropped. */
	if (!waits && d->work)
		xfr_work_end(d->work, why);
	pthread_mutex_unlock(&d->mutex);
	return waits;
}

void xfr_digest_drop(xfr_digest_t *d)
{
	if (!d)
		return;
	d->let_go = true;
	pthread_mutex_lock(&d->mutex);
	d->abandoned = true;
	if (!d->scheduled && (d->work || d->first || d->result.version))
		schedule(d);
	pthread_mutex_unlock(&d->mutex);
	let_go(d);
}

static void room(xfr_digest_t *d)
{
	pthread_mutex_lock(&d->mutex);
	d->paused = false;
	d->resuming = false;
	pthread_mutex_unlock(&d->mutex);
	d->calls->on_room(d->arg);
}

/* The result is the loop's from here on, and its version the callee's. */
static void verdict(xfr_digest_t *d)
{
	xfr_result_t result = d->result;

	d->result.version = NULL;
	d->result.draft = NULL;
	if (result.outcome == XFR_DIFFERENCE) {
		result.base = d->spec.base;
		d->claimed = false;
	}
	d->calls->on_verdict(d->arg, &result);
}

static void on_mail(void *arg, mail_t *mail)
{
	digest_mail_t *m = (digest_mail_t *)((char *)mail - offsetof(digest_mail_t, mail));
	xfr_digest_t *d = m->digest;

	(void)arg;
	if (!d->let_go) {
		switch (m->news) {
		case NEWS_VERDICT:
			verdict(d);
			break;
		case NEWS_ROOM:
			room(d);
			break;
		case NEWS_SINGLE:
			d->calls->on_single(d->arg);
			break;
		case NEWS_COUNT:
			break;
		}
	}
	let_go(d);
}

void xfr_builders_open(xfr_builders_t *b, struct ev_loop *loop, pool_t *pool,
                       const siphash_key_t *key, slab_t *slab, uint64_t memory_most)
{
	b->pool = pool;
	b->key = *key;
	b->slab = slab;
	b->memory_most = memory_most;
	pthread_mutex_init(&b->mutex, NULL);
	b->memory = 0;
	b->largest = NULL;
	mailbox_open(&b->mail, loop, on_mail, b);
}

void xfr_builders_close(xfr_builders_t *b)
{
	mailbox_close(&b->mail);
	pthread_mutex_destroy(&b->mutex);
}
