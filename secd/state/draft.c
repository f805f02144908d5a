/* state/draft.c - a version in memory, or, when it is big, in a file that nothing names yet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "state/inner.h"

enum { LENGTH = 4 };

state_draft_t *state_draft_new(state_t *s)
{
	state_draft_t *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->state = s;
	d->fd = -1;
	return d;
}

void state_draft_free(state_draft_t *d)
{
	if (!d)
		return;
	if (d->fd >= 0) {
		state_disk_t *disk = d->state->disk;

		disk->calls->close(disk, d->fd);
		if (d->number != 0)
			state_file_unlink(disk, STATE_FILE_ZONE, d->number);
	}
	state_sealer_free(d->sealer);
	free(d->octets);
	free(d);
}

bool state_draft_is_delta(const state_draft_t *d)
{
	return d->delta;
}

void state_draft_delta(state_draft_t *d, uint8_t *octets, size_t len)
{
	d->delta = true;
	d->octets = octets;
	d->len = d->room = len;
}

/* --- in a file --------------------------------------------------------------------------------- */

static void add_part(state_draft_t *d, const uint8_t *chunk, size_t len)
{
	static const uint8_t zeros[STATE_ALIGN];
	state_disk_t *disk = d->state->disk;
	uint8_t head[STATE_RECORD_HEAD];
	const state_record_t r = { .kind = STATE_PART, .len = (uint32_t)len, .from = d->parts++ };
	const uint64_t size = state_record_size(len);
	struct iovec pieces[] = {
		{ head, sizeof head },
		{ (void *)(uintptr_t)chunk, len },
		{ (void *)(uintptr_t)zeros, (size_t)(size - STATE_RECORD_HEAD - len) },
	};

	if (d->error != 0)
		return;
	state_seal_begin(d->sealer, d->number, &r, head);
	state_seal_add(d->sealer, chunk, len);
	state_seal_end(d->sealer, head);
	d->error = -disk->calls->write(disk, d->fd, pieces, (int)ARRAY_LEN(pieces), d->size);
	disk->calls->hurry(disk, d->fd, d->size, size);
	d->size += size;
}

/* What is in memory goes to a file, and so does what comes. */
static void move_to_file(state_draft_t *d)
{
	buf_t chunks = buf_over(d->octets, d->len);
	int fd;

	d->number = atomic_fetch_add(&d->state->last_number, 1) + 1;
	d->sealer = state_sealer_new();
	fd = d->sealer ? state_file_create(d->state->disk, STATE_FILE_ZONE, d->number) : -ENOMEM;
	if (fd < 0) {
		d->error = -fd;
		return;
	}
	d->fd = fd;
	d->size = STATE_FILE_HEAD;
	while (buf_left(&chunks) > 0) {
		const size_t len = buf_u32(&chunks);

		add_part(d, buf_take(&chunks, len), len);
	}
	free(d->octets);
	d->octets = NULL;
	d->len = d->room = 0;
}

static void add_to_memory(state_draft_t *d, const uint8_t *chunk, size_t len)
{
	const size_t need = d->len + LENGTH + len;

	if (need > d->room) {
		/* The only chunk of a small zone takes what it needs. */
		const size_t room = d->room == 0 ? need : need > 2 * d->room ? need : 2 * d->room;
		uint8_t *grown = realloc(d->octets, room);

		if (!grown) {
			d->error = ENOMEM;
			return;
		}
		d->octets = grown;
		d->room = room;
	}
	put_u32(d->octets + d->len, (uint32_t)len);
	memcpy(d->octets + d->len + LENGTH, chunk, len);
	d->len = need;
}

void state_draft_add(state_draft_t *d, const uint8_t *chunk, size_t len)
{
	if (d->error == 0 && len > STATE_BODY_MAX)
		d->error = EFBIG;
	if (d->error == 0 && d->fd < 0 && d->len + LENGTH + len > STATE_OWN_ABOVE)
		move_to_file(d);
	if (d->error != 0)
		return;
	if (d->fd >= 0)
		add_part(d, chunk, len);
	else
		add_to_memory(d, chunk, len);
}
