/* tests/unit/state/history.c - see history.h. */
#include "tests/unit/state/history.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { BURST = 12, OCTETS = 80, HOT_OCTETS = 1000 };

/* All versions of a disk, over several histories: older ones may be found as long as they like. */
enum { KNOWN = 4096 };
static struct {
	unsigned zone;
	uint64_t content;
} known[KNOWN];
static unsigned known_count;

void history_forget(void)
{
	known_count = 0;
}

static void know(unsigned zone, uint64_t content)
{
	cr_assert(known_count < KNOWN);
	known[known_count].zone = zone;
	known[known_count++].content = content;
}

/* When it was saved, from 1 on; 0: never. */
static unsigned is_known(unsigned zone, uint64_t content)
{
	for (unsigned i = 0; i < known_count; i++) {
		if (known[i].zone == zone && known[i].content == content)
			return i + 1;
	}
	return 0;
}

/* --- cuts ---------------------------------------------------------------------------------------- */

static void before_call(void *arg, disk_double_t *d)
{
	history_t *h = arg;

	pthread_mutex_lock(&h->mutex);
	if (h->cut_count < HISTORY_CUTS && dice_below(&h->cut_dice, h->cut_one_in) == 0) {
		moment_t *m = &h->cuts[h->cut_count++];

		for (unsigned z = 0; z < HISTORY_ZONES; z++)
			m->acked[z] = h->zones[z].acked;
		m->disk = disk_double_cut(d, dice_next(&h->cut_dice));
	}
	pthread_mutex_unlock(&h->mutex);
}

/* --- saves --------------------------------------------------------------------------------------- */

static void on_back(void *arg, const keeper_back_t *b)
{
	history_t *h = arg;
	course_t *c = &h->zones[b->zone];
	const int place = (int)b->tag;

	pthread_mutex_lock(&h->mutex);
	if (b->status == ST_OK) {
		c->acked = place > c->acked ? place : c->acked;
		if ((int)c->entries[place].version > c->acked_version)
			c->acked_version = (int)c->entries[place].version;
	} else {
		c->hurt = c->entries[place].failed = true;
	}
	pthread_mutex_unlock(&h->mutex);
}

static entry_t *add_entry(course_t *c)
{
	cr_assert(c->count < HISTORY_ENTRIES);
	return &c->entries[c->count++];
}

static uint64_t content_of(const course_t *c, unsigned version)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (c->entries[i].is_version && c->entries[i].version == version)
			return c->entries[i].content;
	}
	return 0;
}

static void save_some(history_t *h, unsigned zone)
{
	course_t *c = &h->zones[zone];
	const unsigned roll = dice_below(&h->dice, 10);
	keeper_put_t put = { .zone = zone,
		             .content = dice_next(&h->dice) | 1,
		             .clocks = dice_next(&h->dice) | 1,
		             .octets = dice_below(&h->dice, zone == 0 ? HOT_OCTETS : OCTETS),
		             .chunks = 1 + dice_below(&h->dice, 3) };
	entry_t e = { .clocks = put.clocks, .is_version = true };

	if (c->versions > 0 && !c->hurt && roll < 4) {
		put.delta = true;
		put.octets /= 4;
		e.content = keeper_next(c->content, put.content);
	} else if (c->versions > 0 && !c->hurt && roll < 7) {
		put.clocks_only = true;
		e.is_version = false;
	} else if (c->acked_version >= 0 && !c->hurt && roll == 7) {
		put.again = true;
		put.content = content_of(c, (unsigned)c->acked_version);
		e.is_version = false;
	} else {
		e.content = put.content;
		c->hurt = false;
	}
	if (e.is_version) {
		know(zone, e.content);
		c->content = e.content;
		c->versions++;
	}
	e.version = put.again ? (unsigned)c->acked_version : c->versions - 1;
	put.tag = c->count;
	*add_entry(c) = e;
	keeper_save(&h->keeper, &put);
}

/* One zone changes more often than all others: what is needed of them lies far between. */
static unsigned some_zone(history_t *h)
{
	return dice_below(&h->dice, 3) ? 0 : dice_below(&h->dice, HISTORY_ZONES);
}

void history_run(history_t *h, unsigned saves)
{
	while (saves > 0) {
		unsigned n = 1 + dice_below(&h->dice, BURST);

		for (n = n < saves ? n : saves; n > 0; n--, saves--)
			save_some(h, some_zone(h));
		keeper_wait_all(&h->keeper);
	}
}

void history_rest(history_t *h)
{
	unsigned before = 0, still = 0;

	while (still < 4) {
		const unsigned now = disk_double_count(h->keeper.disk, DISK_UNLINK) +
		                     disk_double_count(h->keeper.disk, DISK_WRITE);

		still = now == before ? still + 1 : 0;
		before = now;
		poll(NULL, 0, 1);
	}
}

/* --- life ---------------------------------------------------------------------------------------- */

history_t *history_begin(disk_double_t *disk, uint64_t seed, const keeper_conf_t *conf,
                         unsigned cut_one_in)
{
	history_t *h = calloc(1, sizeof *h);

	h->conf = *conf;
	h->dice = (dice_t){ seed };
	h->cut_dice = (dice_t){ ~seed };
	h->cut_one_in = cut_one_in;
	pthread_mutex_init(&h->mutex, NULL);
	cr_assert(eq(int, keeper_open(&h->keeper, disk, conf), ST_OK));
	for (unsigned z = 0; z < HISTORY_ZONES; z++) {
		course_t *c = &h->zones[z];
		entry_t e = { .is_version = true };

		c->acked = c->acked_version = -1;
		if (keeper_read(&h->keeper, z, &e.content) != ST_OK)
			continue;
		cr_assert(eq(int, keeper_read_clocks(&h->keeper, z, &e.clocks), ST_OK));
		c->content = e.content;
		c->versions = 1;
		c->acked = c->acked_version = 0;
		*add_entry(c) = e;
	}
	h->keeper.on_back = on_back;
	h->keeper.arg = h;
	if (cut_one_in)
		disk_double_watch(disk, before_call, h);
	state_settled(h->keeper.state);
	state_healed(h->keeper.state); /* as when all primaries have said how the zones stand */
	return h;
}

void history_close(history_t *h)
{
	keeper_close(&h->keeper);
	disk_double_watch(h->keeper.disk, NULL, NULL);
}

/* --- what is left -------------------------------------------------------------------------------- */

/* The zone's content is that of a version which was queued, not older than the last that came back; its
 * clocks are of that version, and not older than the last that came back either. */
static void check_zone(const course_t *c, int acked, const keeper_t *k, unsigned zone,
                       const char *what)
{
	uint64_t content, clocks;
	const status_t st = keeper_read(k, zone, &content);
	int version = -1, found = -1, least = -1;

	if (st == ST_NOENT) {
		cr_expect(eq(int, acked, -1), "%s: zone %u is gone", what, zone);
		return;
	}
	cr_expect(eq(int, st, ST_OK), "%s: zone %u", what, zone);
	cr_expect(eq(int, keeper_read_clocks(k, zone, &clocks), ST_OK), "%s: zone %u", what, zone);
	for (unsigned i = 0; i < c->count; i++) {
		if (c->entries[i].is_version && c->entries[i].content == content)
			version = (int)c->entries[i].version;
		if (c->entries[i].clocks == clocks)
			found = (int)i;
		if ((int)i <= acked && !c->entries[i].failed && (int)c->entries[i].version > least)
			least = (int)c->entries[i].version;
	}
	cr_expect(version >= 0, "%s: zone %u is nothing that was saved", what, zone);
	cr_expect(version >= least, "%s: zone %u is version %d, and %d was told to be saved", what,
	          zone, version, least);
	cr_assert(found >= 0, "%s: clocks of zone %u that nobody has saved", what, zone);
	cr_expect(eq(int, (int)c->entries[found].version, version), "%s: clocks of zone %u", what,
	          zone);
	for (int i = found + 1; i <= acked; i++)
		cr_expect(c->entries[i].failed || (int)c->entries[i].version != version,
		          "%s: clocks of zone %u are of save %d, and %d was told to be saved", what,
		          zone, found, i);
}

/* Each older version that is told of can be read, and is one that was saved, before the one in front. */
static unsigned check_old(keeper_t *k, unsigned zone, const char *what)
{
	state_list_t all = { 0 };
	uint64_t content, clocks;
	unsigned newer = known_count + 1;

	cr_expect(eq(int, keeper_list(k, zone, &all), ST_OK), "%s", what);
	for (size_t i = 0; i < all.count; i++) {
		state_list_t one = { .by_version = true, .wanted = all.all[i].version };

		cr_expect(eq(int, keeper_list(k, zone, &one), ST_OK), "%s: zone %u", what, zone);
		cr_assert(one.route != NULL);
		cr_expect(eq(int, keeper_read_route(one.route, &content, &clocks), ST_OK),
		          "%s: zone %u, version %u", what, zone, all.all[i].version);
		const unsigned place = is_known(zone, content);
		cr_expect(place > 0 && place < newer, "%s: zone %u, version %u is %u, before %u",
		          what, zone, all.all[i].version, place, newer);
		newer = place;
		keeper_list_free(&one);
	}
	const unsigned old = all.count > 0 ? (unsigned)all.count - 1 : 0;
	keeper_list_free(&all);
	return old;
}

void history_check(history_t *h, const moment_t *m, const char *what)
{
	keeper_t k;
	keeper_conf_t look = h->conf;

	look.no_start = true;
	cr_assert(eq(int, keeper_open(&k, m->disk, &look), ST_OK));
	for (unsigned z = 0; z < HISTORY_ZONES; z++) {
		check_zone(&h->zones[z], m->acked[z], &k, z, what);
		if (z % 4 ==
		    h->checked % 4) /* some at each moment: they take longer than the rest */
			h->old += check_old(&k, z, what);
	}
	h->checked++;
	keeper_close(&k);
}

unsigned history_check_all(history_t *h, const char *what)
{
	moment_t last = { .disk = h->keeper.disk };

	for (unsigned i = 0; i < h->cut_count; i++)
		history_check(h, &h->cuts[i], what);
	for (unsigned z = 0; z < HISTORY_ZONES; z++)
		last.acked[z] = h->zones[z].acked;
	history_check(h, &last, what);
	return h->cut_count + 1;
}

disk_double_t *history_end(history_t *h)
{
	disk_double_t *one = NULL;
	const unsigned keep = dice_below(&h->dice, h->cut_count);

	for (unsigned i = 0; i < h->cut_count; i++) {
		if (i == keep)
			one = h->cuts[i].disk;
		else
			disk_double_free(h->cuts[i].disk);
	}
	pthread_mutex_destroy(&h->mutex);
	free(h);
	return one;
}
