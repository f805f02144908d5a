/* tests/unit/state/keeper.c - see keeper.h. */
#include "tests/unit/state/keeper.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "state/inner.h"
#include "tests/unit/state/dice.h"

enum { CHUNK_HEAD = 16, DELTA_HEAD = 8 };

const uint8_t *keeper_apex(unsigned zone)
{
	static uint8_t apex[KEEPER_ZONES][16];
	uint8_t *a = apex[zone];

	memcpy(a, "\3z00\4test", 10);
	a[2] = (uint8_t)('0' + zone / 10);
	a[3] = (uint8_t)('0' + zone % 10);
	return a;
}

/* --- life ---------------------------------------------------------------------------------------- */

static void receive(void *arg, mail_t *mail)
{
	keeper_t *k = arg;
	state_save_t *save = state_save_of(mail);

	if (save->list) {
		k->listed = save->status;
		k->back++;
		free(save);
		return;
	}
	k->last = (keeper_back_t){ .status = save->status,
		                   .error = save->error,
		                   .is_long = save->is_long,
		                   .version = save->version,
		                   .tag = (uint64_t)(uintptr_t)save->arg };
	while (save->zone && k->zones[k->last.zone] != save->zone)
		k->last.zone++;
	cr_assert(eq(int, save->status == ST_OK, save->error == 0));
	if (save->status == ST_OK && save->zone && save->version > k->saved[k->last.zone])
		k->saved[k->last.zone] = save->version;
	k->back++;
	k->failed += save->status != ST_OK;
	free(save);
	if (k->on_back)
		k->on_back(k->arg, &k->last);
}

status_t keeper_open(keeper_t *k, disk_double_t *disk, const keeper_conf_t *conf)
{
	*k = (keeper_t){ .disk = disk, .loop = ev_loop_new(EVFLAG_AUTO) };
	mailbox_open(&k->box, k->loop, receive, k);
	const state_conf_t mine = { .disk = disk_double_disk(disk),
		                    .done = &k->box,
		                    .relaxed = conf->relaxed,
		                    .segment = conf->segment,
		                    .past_share = conf->past_share };
	k->state = state_new(&mine);
	cr_assert(k->state != NULL);
	for (unsigned i = 0; i < (conf->zones ? conf->zones : KEEPER_ZONES); i++)
		k->zones[i] = state_zone_add(k->state, keeper_apex(i));
	const status_t st = state_scan(k->state, &k->scan, k->why);
	for (unsigned i = 0; i < KEEPER_ZONES && k->zones[i]; i++)
		k->saved[i] = state_zone_queued(k->zones[i]);
	if (st == ST_OK && !conf->no_start)
		cr_assert(eq(int, state_start(k->state), ST_OK));
	return st;
}

void keeper_close(keeper_t *k)
{
	state_stop(k->state); /* what is mailed back looks at its zone */
	mailbox_close(&k->box);
	state_free(k->state);
	ev_loop_destroy(k->loop);
	cr_expect(eq(u32, k->back, k->queued), "what was queued comes back");
}

/* --- saving -------------------------------------------------------------------------------------- */

uint64_t keeper_next(uint64_t content, uint64_t difference)
{
	return dice_mix(content * 3 + difference);
}

/* Octets that follow from a number. */
static void fill(uint8_t *out, size_t len, uint64_t from)
{
	dice_t d = { from };

	for (; len >= 8; len -= 8, out += 8)
		put_u64(out, dice_next(&d));
	for (; len > 0; len--)
		*out++ = (uint8_t)dice_next(&d);
}

static bool is_filled(const uint8_t *octets, size_t len, uint64_t from)
{
	uint8_t *want = malloc(len ? len : 1);

	fill(want, len, from);
	const bool same = memcmp(want, octets, len) == 0;
	free(want);
	return same;
}

static state_draft_t *draft_of(const keeper_t *k, const keeper_put_t *put)
{
	state_draft_t *d = state_draft_new(k->state);
	const unsigned chunks = put->chunks ? put->chunks : 1;
	const size_t len = (put->delta ? DELTA_HEAD : CHUNK_HEAD) + put->octets;

	for (unsigned i = 0; i < (put->delta ? 1 : chunks); i++) {
		uint8_t *octets = malloc(len);

		put_u64(octets, put->content);
		if (put->delta) {
			fill(octets + DELTA_HEAD, put->octets, put->content);
			state_draft_delta(d, octets, len);
			break;
		}
		put_u32(octets + 8, i);
		put_u32(octets + 12, chunks);
		fill(octets + CHUNK_HEAD, put->octets, put->content + i);
		state_draft_add(d, octets, len);
		free(octets);
	}
	cr_assert(eq(int, state_draft_is_delta(d), put->delta));
	return d;
}

void keeper_save(keeper_t *k, const keeper_put_t *put)
{
	/* Ten minutes apart. */
	state_clocks_t c = { .at = { 1, { (int64_t)k->queued + 1 }, k->queued * 600000, false },
		             .octets = put->clocks };
	state_save_t *save = calloc(1, sizeof *save + state_clocks_room(&c));

	save->zone = k->zones[put->zone];
	save->draft = put->clocks_only ? NULL : draft_of(k, put);
	save->serial = (uint32_t)put->content;
	save->version = put->again ? k->saved[put->zone] : 0;
	save->arg = (void *)(uintptr_t)put->tag;
	save->clocks_len = (uint32_t)state_clocks_put(&c, save->clocks);
	k->queued++;
	state_save(k->state, save);
}

void keeper_wait(keeper_t *k, unsigned back)
{
	while (k->back < back)
		ev_run(k->loop, EVRUN_ONCE);
}

void keeper_wait_all(keeper_t *k)
{
	keeper_wait(k, k->queued);
}

status_t keeper_save_now(keeper_t *k, const keeper_put_t *put)
{
	keeper_save(k, put);
	keeper_wait_all(k);
	return k->last.status;
}

/* --- reading ------------------------------------------------------------------------------------- */

typedef struct reading {
	uint64_t clocks;
	uint64_t content;
	unsigned chunks, of;
} reading_t;

static status_t on_chunk(void *arg, const uint8_t *octets, size_t len)
{
	reading_t *r = arg;
	buf_t b = buf_over(octets, len);
	const uint64_t content = buf_u64(&b);
	const uint32_t i = buf_u32(&b), of = buf_u32(&b);

	if (!buf_ok(&b) || i != r->chunks || (i > 0 && (of != r->of || content != r->content)) ||
	    !is_filled(octets + CHUNK_HEAD, len - CHUNK_HEAD, content + i))
		return ST_REFUSED;
	r->content = content;
	r->chunks++;
	r->of = of;
	return ST_OK;
}

static status_t on_delta(void *arg, const uint8_t *octets, size_t len)
{
	reading_t *r = arg;
	buf_t b = buf_over(octets, len);
	const uint64_t content = buf_u64(&b);

	if (!buf_ok(&b) || r->chunks != r->of ||
	    !is_filled(octets + DELTA_HEAD, len - DELTA_HEAD, content))
		return ST_REFUSED;
	r->content = keeper_next(r->content, content);
	return ST_OK;
}

static status_t on_clocks(void *arg, const uint8_t *octets, size_t len)
{
	reading_t *r = arg;
	state_clocks_t c;

	if (state_clocks_get(octets, len, &c, NULL, 0) != ST_OK)
		return ST_REFUSED;
	r->clocks = c.octets;
	return ST_OK;
}

static status_t read_zone(const keeper_t *k, unsigned zone, reading_t *r)
{
	state_window_t *window = state_window_new();
	const state_reader_t reader = { .arg = r,
		                        .window = window,
		                        .clocks = on_clocks,
		                        .chunk = on_chunk,
		                        .delta = on_delta };
	const status_t st = state_read(k->state, k->zones[zone], &reader);

	state_window_free(window);
	return st == ST_OK && (r->chunks == 0 || r->chunks != r->of) ? ST_REFUSED : st;
}

status_t keeper_list(keeper_t *k, unsigned zone, state_list_t *list)
{
	state_save_t *save = calloc(1, sizeof *save);

	save->zone = k->zones[zone];
	save->list = list;
	if (!k->state->saves.running) {
		k->listed = state_list_answer(k->state, save);
		free(save);
		return k->listed;
	}
	k->queued++;
	state_ask(k->state, save);
	keeper_wait_all(k);
	return k->listed;
}

void keeper_list_free(state_list_t *list)
{
	free(list->all);
	state_route_free(list->route);
	*list = (state_list_t){ 0 };
}

status_t keeper_read_route(const state_route_t *route, uint64_t *content, uint64_t *clocks)
{
	state_window_t *window = state_window_new();
	reading_t r = { 0 };
	const state_reader_t reader = { .arg = &r,
		                        .window = window,
		                        .clocks = on_clocks,
		                        .chunk = on_chunk,
		                        .delta = on_delta };
	const status_t st = state_route_read(route, &reader);

	state_window_free(window);
	*content = r.content;
	*clocks = r.clocks;
	return st == ST_OK && (r.chunks == 0 || r.chunks != r.of) ? ST_REFUSED : st;
}

status_t keeper_read(const keeper_t *k, unsigned zone, uint64_t *content)
{
	reading_t r = { 0 };
	const status_t st = read_zone(k, zone, &r);

	*content = r.content;
	return st;
}

status_t keeper_read_clocks(const keeper_t *k, unsigned zone, uint64_t *clocks)
{
	reading_t r = { 0 };
	const status_t st = read_zone(k, zone, &r);

	*clocks = st == ST_OK ? r.clocks : 0;
	return st;
}

void keeper_expect(const keeper_t *k, unsigned zone, uint64_t content, uint64_t clocks)
{
	const status_t want = content ? ST_OK : ST_NOENT;
	uint64_t got = 0;

	cr_expect(eq(int, state_zone_has(k->zones[zone]), content != 0), "zone %u", zone);
	cr_expect(eq(int, keeper_read(k, zone, &got), want), "zone %u", zone);
	cr_expect(content == 0 || got == content, "zone %u: another content", zone);
	cr_expect(eq(int, keeper_read_clocks(k, zone, &got), want), "zone %u", zone);
	cr_expect(eq(u64, got, clocks), "zone %u", zone);
}
