/* state/route.c - which versions of a zone are on the disk, and a way to read one of them while others are
 * written and cleaned up: its files are open, so they may go. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "dns/name.h"
#include "state/inner.h"

/* --- all of them ------------------------------------------------------------------------------- */

/* Records of all versions that can be had, by version: older ones, then the whole one, and what came
 * since. */
typedef struct hops {
	state_hop_t *all;
	size_t count;
} hops_t;

static void add_past(hops_t *h, const state_past_t *p)
{
	uint32_t before = 0;

	for (uint32_t i = 0; p && i < p->count; i++) {
		const state_old_t *o = &p->old[i];

		if (!state_past_follows(o, before))
			continue;
		h->all[h->count++] = (state_hop_t){ o->place,   o->own,     o->octets,
			                            o->version, o->arrived, o->from == 0 };
		before = o->version;
	}
}

static status_t gather(const state_zone_t *z, hops_t *h)
{
	const size_t past = z->past ? z->past->count : 0;

	*h = (hops_t){ .all = malloc((past + z->step_count + 1) * sizeof *h->all) };
	if (!h->all)
		return ST_NOMEM;
	if (z->whole.file == 0)
		return ST_OK;
	add_past(h, z->past);
	h->all[h->count++] = (state_hop_t){ z->whole,         z->own,           z->octets,
		                            z->whole_version, z->whole_arrived, true };
	for (size_t i = 0; i < z->step_count; i++)
		h->all[h->count++] =
			(state_hop_t){ z->steps[i].place,   0,    0, z->steps[i].version,
			               z->steps[i].arrived, false };
	return ST_OK;
}

/* What its record says. A negated errno. */
static int look(const state_t *s, const state_hop_t *hop, state_listed_t *out)
{
	const state_file_t *f = state_index_file(&s->index, hop->place.file);
	uint8_t head[STATE_RECORD_HEAD];
	state_record_t r;
	ssize_t n;

	if (!f)
		return -ENOENT;
	n = state_disk_read(s->disk, f->fd, head, sizeof head,
	                    (uint64_t)hop->place.at * STATE_ALIGN);
	if (n < 0)
		return (int)n;
	if (n < (ssize_t)sizeof head || state_record_get(head, f->number, &r) != ST_OK)
		return -EIO;
	*out = (state_listed_t){
		.version = hop->version,
		.serial = r.serial,
		.arrived = hop->arrived,
		.octets = ((uint64_t)hop->place.size + (hop->own != 0 ? hop->own_units : 0)) *
		          STATE_ALIGN,
		.whole = hop->whole,
	};
	return 0;
}

/* Of two records for one version the whole one counts, which stands behind the other. One that can't be
 * read is left out. */
static status_t list(const state_t *s, const hops_t *h, state_list_t *out)
{
	out->all = malloc((h->count + 1) * sizeof *out->all);
	if (!out->all)
		return ST_NOMEM;
	for (size_t i = h->count; i-- > 0;) {
		const bool twice = i + 1 < h->count && h->all[i + 1].version == h->all[i].version;

		if (!twice && look(s, &h->all[i], &out->all[out->count]) == 0)
			out->count++;
	}
	return ST_OK;
}

/* --- one of them ------------------------------------------------------------------------------- */

void state_route_free(state_route_t *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->file_count; i++)
		r->disk->calls->close(r->disk, r->files[i].fd);
	free(r->files);
	free(r->apex);
	free(r);
}

int state_route_fd(const state_route_t *r, state_file_kind_t kind, uint32_t number)
{
	for (size_t i = 0; i < r->file_count; i++) {
		if (r->files[i].kind == kind && r->files[i].number == number)
			return r->files[i].fd;
	}
	return -1;
}

static int open_file(state_route_t *r, state_file_kind_t kind, uint32_t number)
{
	char name[STATE_NAME_MAX];
	state_opened_t *grown;
	int fd;

	if (state_route_fd(r, kind, number) >= 0)
		return 0;
	grown = grow(r->files, r->file_count, &r->file_room, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	r->files = grown;
	fd = r->disk->calls->open(r->disk, state_file_name(kind, number, name));
	if (fd < 0)
		return fd;
	r->files[r->file_count++] = (state_opened_t){ kind, number, fd };
	return 0;
}

/* Over so many records. A negated errno: *out is NULL. */
static int open_route(state_t *s, const state_zone_t *z, const state_hop_t *hops, size_t count,
                      state_route_t **out)
{
	state_route_t *r = calloc(1, sizeof *r + count * sizeof r->hops[0]);
	dns_name_t apex;
	int err = 0;

	*out = NULL;
	state_index_name(&s->index, z, &apex);
	if (!r || !(r->apex = malloc(apex.len))) {
		free(r);
		return -ENOMEM;
	}
	memcpy(r->apex, apex.wire, apex.len);
	memcpy(r->hops, hops, count * sizeof *hops);
	r->disk = s->disk;
	r->count = count;
	if (hops[count - 1].version == z->version && z->clocks_version == z->version)
		r->clocks = z->clocks;
	if (r->clocks.file != 0)
		err = open_file(r, STATE_FILE_LOG, r->clocks.file);
	for (size_t i = 0; i < count && err == 0; i++) {
		err = open_file(r, STATE_FILE_LOG, hops[i].place.file);
		if (err == 0 && hops[i].own != 0)
			err = open_file(r, STATE_FILE_ZONE, hops[i].own);
	}
	if (err < 0)
		state_route_free(r);
	else
		*out = r;
	return err;
}

/* The wanted among those that are listed, or NULL. */
static const state_listed_t *wanted(const state_list_t *l)
{
	for (size_t i = 0; i < l->count; i++) {
		const state_listed_t *v = &l->all[i];

		if (l->newest || (l->by_version && v->version == l->wanted) ||
		    (l->by_serial && v->serial == l->wanted))
			return v;
	}
	return NULL;
}

static status_t find(state_t *s, const state_zone_t *z, const hops_t *h, state_list_t *l)
{
	const state_listed_t *v = wanted(l);
	size_t first, last = h->count;
	int err;

	if (!v)
		return ST_NOENT;
	while (last > 0 && h->all[last - 1].version != v->version)
		last--;
	for (first = last - 1; first > 0 && !h->all[first].whole; first--)
		;
	l->found = *v;
	err = open_route(s, z, h->all + first, last - first, &l->route);
	errno = -err;
	return err == 0 ? ST_OK : err == -ENOMEM ? ST_NOMEM : ST_SYSTEM;
}

status_t state_list_answer(state_t *s, state_save_t *save)
{
	state_list_t *l = save->list;
	hops_t h;
	status_t st = gather(save->zone, &h);

	if (st == ST_OK)
		st = list(s, &h, l);
	if (st == ST_OK && (l->newest || l->by_version || l->by_serial))
		st = find(s, save->zone, &h, l);
	free(h.all);
	return st;
}
