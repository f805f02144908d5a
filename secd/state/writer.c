/* state/writer.c - what has come in is appended, synced once, and given back.
 *
 * A save that fails leaves the log as it was before it; a sync that fails costs all that was appended
 * since the last one, and the file is not written to any more: nobody knows what of it is on the disk
 * (the kernel forgets what it could not write, and says so once). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/grow.h"
#include "dns/name.h"
#include "state/inner.h"

enum {
	PIECES = 6,
	OWN_CONTENT = 20,
	IDLE_SYNC_MS = 1000, /* relaxed: what was written is synced after so long */
	STEPS_LONG = 256,
};

/* Differences up to this are never too long for their zone. */
static const uint64_t LONG_ABOVE = 16 * 1024;

/* --- the log ----------------------------------------------------------------------------------- */

/* The next record goes to a new file; the index has the descriptor of this one, for reading. */
static void leave_log(state_t *s, int error)
{
	s->log = (state_log_t){ .fd = -1, .error = error };
}

static int open_log(state_t *s)
{
	const uint32_t number = atomic_fetch_add(&s->last_number, 1) + 1;
	int fd = state_file_create(s->disk, STATE_FILE_LOG, number);
	int err;

	if (fd < 0)
		return fd;
	if ((err = s->disk->calls->sync_names(s->disk)) < 0 ||
	    !state_index_add_file(&s->index, number, fd, STATE_FILE_HEAD)) {
		s->disk->calls->close(s->disk, fd);
		state_file_unlink(s->disk, STATE_FILE_LOG, number);
		return err < 0 ? err : -ENOMEM;
	}
	s->log = (state_log_t){
		.number = number, .fd = fd, .size = STATE_FILE_HEAD, .error = s->log.error
	};
	return 0;
}

static void unlink_unneeded(state_t *s)
{
	for (uint32_t own; (own = state_index_unneeded(&s->index)) != 0;)
		state_file_unlink(s->disk, STATE_FILE_ZONE, own);
}

/* It is on the disk: the index says so, and what it superseded may go. A negated errno: it can't be found
 * there, nor can what goes on from it. */
static int believe(state_t *s, const state_pending_t *p)
{
	const state_record_t *r = &p->found.record;
	state_zone_t *z = p->save->zone;
	status_t st = ST_NOENT;

	if (r->kind == STATE_GONE) {
		state_index_take_left(&s->index, r, p->found.place);
		return 0;
	}

	if (r->kind != STATE_DELTA || r->from == z->version)
		st = state_index_take(&s->index, z, &p->found);
	unlink_unneeded(s);
	if (z->written < z->version) /* one before it was not believed */
		z->written = z->version;
	return st == ST_OK ? 0 : st == ST_NOMEM ? -ENOMEM : -ESTALE;
}

static void disbelieve(state_t *s, const state_pending_t *p)
{
	if (!p->save->zone)
		return;
	p->save->zone->written = p->save->zone->version;
	if (p->found.own != 0)
		state_file_unlink(s->disk, STATE_FILE_ZONE, p->found.own);
}

static bool is_long(const state_zone_t *z)
{
	uint64_t octets = 0;

	for (size_t i = 0; i < z->step_count; i++)
		octets += (uint64_t)z->steps[i].place.size * STATE_ALIGN;
	return z->step_count > STEPS_LONG ||
	       (octets > LONG_ABOVE && octets > (uint64_t)z->octets * STATE_ALIGN / 2);
}

static void give_back(state_t *s, state_save_t *save, int err)
{
	save->status = err == 0 ? ST_OK : err == -ENOMEM ? ST_NOMEM : ST_SYSTEM;
	save->error = -err;
	save->is_long = err == 0 && save->draft && save->draft->delta && is_long(save->zone);
	state_draft_free(save->draft);
	save->draft = NULL;
	mailbox_send(s->conf.done, &save->mail);
}

static int sync_log(state_t *s)
{
	const int before = s->log.error;
	int err;

	s->log.error = 0;
	if (s->log.number == 0 || s->log.synced == s->log.size)
		return before;
	err = s->disk->calls->sync(s->disk, s->log.fd);
	if (err < 0)
		leave_log(s, 0);
	else
		s->log.synced = s->log.size;
	return before < 0 ? before : err;
}

int state_log_sync(state_t *s)
{
	const int err = sync_log(s);
	const size_t count = s->pending_count;

	s->synced_at = clock_mono().ns;
	s->losses += err < 0;
	s->pending_count = 0;
	for (size_t i = 0; i < count; i++) {
		const state_pending_t *p = &s->pending[i];
		int failed = p->error;

		if (failed == 0) {
			failed = err < 0 ? err : believe(s, p);
			if (failed < 0)
				disbelieve(s, p);
		}
		give_back(s, p->save, failed);
	}
	return err;
}

/* A write came to nothing: what was before it stays, in this file or, if that can't be cut to it, as
 * far as it can be synced. */
static void take_back(state_t *s)
{
	if (s->disk->calls->truncate(s->disk, s->log.fd, s->log.size) == 0)
		return;
	const int err = sync_log(s);
	leave_log(s, err);
}

int state_log_append(state_t *s, state_record_t *r, const struct iovec *pieces, int count,
                     state_place_t *out)
{
	static const uint8_t zeros[STATE_ALIGN];
	struct iovec all[PIECES];
	uint8_t head[STATE_RECORD_HEAD];
	uint64_t len = 0, size;
	int err;

	for (int i = 0; i < count; i++)
		len += pieces[i].iov_len;
	if (len > STATE_BODY_MAX)
		return -EFBIG;
	r->len = (uint32_t)len;
	size = state_record_size(len);
	if (s->log.size >= s->conf.segment && s->log.synced == s->log.size)
		leave_log(s, s->log.error); /* it is full */
	if (s->log.number == 0 && (err = open_log(s)) < 0)
		return err;
	state_seal_begin(s->sealer, s->log.number, r, head);
	all[0] = (struct iovec){ head, sizeof head };
	for (int i = 0; i < count; i++) {
		state_seal_add(s->sealer, pieces[i].iov_base, pieces[i].iov_len);
		all[1 + i] = pieces[i];
	}
	state_seal_end(s->sealer, head);
	all[1 + count] = (struct iovec){ (void *)(uintptr_t)zeros,
		                         (size_t)(size - STATE_RECORD_HEAD - r->len) };
	err = s->disk->calls->write(s->disk, s->log.fd, all, count + 2, s->log.size);
	if (err < 0) {
		take_back(s);
		return err;
	}
	*out = (state_place_t){ s->log.number, (uint32_t)(s->log.size / STATE_ALIGN),
		                (uint32_t)(size / STATE_ALIGN) };
	s->log.size += size;
	state_index_file(&s->index, s->log.number)->size = s->log.size;
	return 0;
}

/* --- saves ------------------------------------------------------------------------------------- */

static state_record_t record_of(const state_save_t *save)
{
	const state_draft_t *d = save->draft;

	return (state_record_t){
		.kind = !d           ? STATE_CLOCKS
		        : d->delta   ? STATE_DELTA
		        : d->fd >= 0 ? STATE_OWN
		                     : STATE_WHOLE,
		.version = save->version,
		.from = save->from,
		.serial = save->serial,
		.stamp = save->stamp,
	};
}

/* A difference is made over what is there; clocks are those of what is there. */
static bool is_based(const state_save_t *save)
{
	const state_draft_t *d = save->draft;

	if (d && !d->delta)
		return true;
	return (d ? save->from : save->version) == save->zone->written;
}

static int write_left(state_t *s, const state_save_t *save, state_pending_t *p)
{
	static const uint8_t root[1];
	const struct iovec pieces[] = { { (void *)(uintptr_t)root, sizeof root },
		                        { (void *)(uintptr_t)save->clocks, save->clocks_len } };

	p->found.record = (state_record_t){ .kind = STATE_GONE, .stamp = save->stamp };
	return save->stamp > STATE_NUMBER_MAX
	               ? -EOVERFLOW
	               : state_log_append(s, &p->found.record, pieces, 2, &p->found.place);
}

/* The record of a save: the apex, the clocks, and of a version their length before and its octets
 * behind. */
static int write_record(state_t *s, state_save_t *save, state_pending_t *p)
{
	state_draft_t *d = save->draft;
	uint8_t own[OWN_CONTENT], len[4];
	struct iovec pieces[4];
	dns_name_t apex;
	int count = 0, err;

	if (d && d->error != 0)
		return -d->error;
	if (!is_based(save))
		return -ESTALE;
	if (save->version > STATE_NUMBER_MAX || save->stamp > STATE_NUMBER_MAX)
		return -EOVERFLOW;
	state_index_name(&s->index, save->zone, &apex);
	pieces[count++] = (struct iovec){ apex.wire, apex.len };
	put_u32(len, save->clocks_len);
	if (d)
		pieces[count++] = (struct iovec){ len, sizeof len };
	pieces[count++] = (struct iovec){ save->clocks, save->clocks_len };
	if (d && d->fd >= 0) {
		put_u64(own, d->number);
		put_u64(own + 8, d->size);
		put_u32(own + 16, d->parts);
		pieces[count++] = (struct iovec){ own, sizeof own };
	} else if (d) {
		pieces[count++] = (struct iovec){ d->octets, d->len };
	}
	p->found.record = record_of(save);
	err = state_log_append(s, &p->found.record, pieces, count, &p->found.place);
	if (err < 0)
		return err;
	p->found.octets = p->found.record.len;
	p->found.arrived = state_clocks_arrived(save->clocks, save->clocks_len);
	p->found.pinned = state_clocks_pinned(save->clocks, save->clocks_len);
	p->found.copy = state_clocks_copy(save->clocks, save->clocks_len);
	if (d && d->fd >= 0) {
		p->found.own = d->number;
		p->found.octets = d->size;
		d->number = 0; /* its file is the record's now */
	}
	if (d && save->version > save->zone->written)
		save->zone->written = save->version;
	return 0;
}

/* Well or not, it is given back in its turn. */
static void append_save(state_t *s, state_save_t *save)
{
	state_pending_t p = { .save = save };
	state_pending_t *grown =
		grow(s->pending, s->pending_count, &s->pending_room, sizeof *grown);

	if (!grown) {
		give_back(s, save, -ENOMEM);
		return;
	}
	s->pending = grown;
	p.error = save->what == STATE_SAVE_LEFT ? write_left(s, save, &p)
	                                        : write_record(s, save, &p);
	s->pending[s->pending_count++] = p;
}

static void tell_sums(state_t *s)
{
	uint64_t size = 0, live = 0;

	for (size_t i = 0; i < s->index.file_count; i++) {
		size += s->index.files[i].size;
		live += s->index.files[i].live;
	}
	atomic_store(&s->octets, size);
	atomic_store(&s->live, live);
	atomic_store(&s->file_count, (unsigned)s->index.file_count);
}

/* Is it time to sync? */
static bool is_due(const state_t *s)
{
	return !s->conf.relaxed || clock_mono().ns - s->synced_at >= IDLE_SYNC_MS * NS_PER_MS;
}

/* Saves that wait together share a sync. But of clocks that are on the disk when their version is not,
 * nobody has any use, and they would hide those of the version before: they wait for the next one. */
static bool goes_along(const state_t *s, size_t first, const state_save_t *save)
{
	for (size_t i = s->pending_count; !save->draft && i-- > first;) {
		if (s->pending[i].save->zone == save->zone && s->pending[i].save->draft)
			return false;
	}
	return true;
}

static void drop(state_t *s, state_zone_t *z)
{
	(void)state_index_drop(&s->index, z);
	unlink_unneeded(s);
}

/* Does it append nothing? */
static bool is_question(const state_save_t *save)
{
	return save->list || save->what == STATE_SAVE_DROP;
}

/* Nothing was appended that is not known. Returns what comes behind it. */
static state_save_t *answer(state_t *s, state_save_t *save)
{
	state_save_t *next = save->next;

	errno = 0;
	if (save->what == STATE_SAVE_DROP)
		drop(s, save->zone);
	else
		save->status = state_list_answer(s, save);
	save->error = errno;
	mailbox_send(s->conf.done, &save->mail);
	return next;
}

enum { BATCH = 64 };

/* Up to BATCH of them, with one sync: what is left. */
static state_save_t *write_batch(state_t *s, state_save_t *saves)
{
	const size_t first = s->pending_count;

	while (saves && is_question(saves) && s->pending_count == 0)
		saves = answer(s, saves);
	for (size_t n = 0; saves && !is_question(saves) && n < BATCH && goes_along(s, first, saves);
	     n++) {
		state_save_t *save = saves;

		saves = saves->next; /* before it may be given back */
		append_save(s, save);
	}
	if (is_due(s) || s->log.size >= s->conf.segment || s->log.error != 0 ||
	    (saves && is_question(saves))) /* which is to know of all that was appended */
		(void)state_log_sync(s);
	return saves;
}

void *state_writer_run(void *state)
{
	state_t *s = state;
	int wait = -1;
	bool stop = false;

	tell_sums(s);
	while (!stop) {
		state_save_t *saves = state_queue_take(&s->saves, wait, &stop);

		stop = stop && !saves;
		while (saves)
			saves = write_batch(s, saves);
		wait = state_compact_step(s);
		if (s->conf.relaxed && s->pending_count > 0) {
			if (is_due(s)) {
				(void)state_log_sync(s);
			} else if (wait < 0 || wait > IDLE_SYNC_MS) {
				wait = IDLE_SYNC_MS;
			}
		}
		tell_sums(s);
	}
	(void)state_log_sync(s);
	return NULL;
}

/* --- files of their own -------------------------------------------------------------------------- */

/* Synced here, so that others need not wait for it; then it is a save like any other. */
static void sync_file(state_t *s, state_draft_t *d)
{
	if (d->error == 0)
		d->error = -s->disk->calls->sync(s->disk, d->fd);
	if (d->error == 0)
		d->error = -s->disk->calls->sync_names(s->disk);
}

void *state_files_run(void *state)
{
	state_t *s = state;
	bool stop = false;

	while (!stop) {
		state_save_t *saves = state_queue_take(&s->files, -1, &stop);

		stop = stop && !saves;
		while (saves) {
			state_save_t *save = saves;

			saves = saves->next;
			if (save->draft && save->draft->fd >= 0)
				sync_file(s, save->draft);
			state_queue_push(&s->saves, save);
		}
	}
	return NULL;
}
