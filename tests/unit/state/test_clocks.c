/* tests/unit/state/test_clocks.c - what is known of a zone comes back; and how long ago it was, by
 * which clock. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "state/clocks.h"
#include "tests/unit/state/dice.h"

TestSuite(state_clocks, .timeout = 30);

static mono_t some_time(dice_t *d)
{
	return (mono_t){ dice_below(d, 4) ? (int64_t)(dice_next(d) >> 4) : 0 };
}

static state_text_t some_text(dice_t *d)
{
	state_text_t t = { .len = (uint8_t)dice_below(d, STATE_TEXT_MAX + 1) };

	for (size_t i = 0; i < t.len; i++)
		t.text[i] = (char)('a' + dice_below(d, 26));
	return t;
}

static state_peer_t some_peer(dice_t *d)
{
	return (state_peer_t){
		.name = some_text(d),
		.serial = (uint32_t)dice_next(d),
		.refused = (uint32_t)dice_next(d),
		.shown = dice_below(d, 2),
		.has_refused = dice_below(d, 2),
		.delta_failures = (uint8_t)dice_next(d),
		.address = (uint8_t)dice_next(d),
		.seen = some_time(d),
		.failed_at = some_time(d),
		.no_delta_until = some_time(d),
		.plain_until = some_time(d),
		.why = some_text(d),
		.why_type = (uint16_t)dice_next(d),
		.why_a = (uint32_t)dice_next(d),
		.why_b = (uint32_t)dice_next(d),
	};
}

enum { PEERS = 5 };

static state_clocks_t some_clocks(dice_t *d, state_peer_t peers[PEERS])
{
	state_clocks_t c = {
		.at = { dice_next(d), some_time(d), (int64_t)dice_next(d), dice_below(d, 2) },
		.serial = (uint32_t)dice_next(d),
		.expired = dice_below(d, 2),
		.accepted = dice_below(d, 2),
		.failures = (uint16_t)dice_next(d),
		.checked = some_time(d),
		.expires = some_time(d),
		.outrun = some_time(d),
		.loaded_at = some_time(d),
		.octets = dice_next(d),
		.ms = (uint32_t)dice_next(d),
		.how = some_text(d),
		.source = some_text(d),
		.peer_count = (uint16_t)dice_below(d, PEERS + 1),
		.peers = peers,
	};

	if (dice_below(d, 2)) {
		c.pinned = true;
		c.unexpiring = dice_below(d, 2);
		c.copy = dice_below(d, 2);
		c.pinned_at = (uint32_t)dice_next(d);
	}
	for (size_t i = 0; i < c.peer_count; i++)
		peers[i] = some_peer(d);
	return c;
}

static void same_text(const state_text_t *a, const state_text_t *b)
{
	cr_expect(a->len == b->len && memcmp(a->text, b->text, sizeof a->text) == 0);
}

static void same_peer(const state_peer_t *a, const state_peer_t *b)
{
	same_text(&a->name, &b->name);
	same_text(&a->why, &b->why);
	cr_expect(a->serial == b->serial && a->refused == b->refused && a->shown == b->shown);
	cr_expect(a->has_refused == b->has_refused && a->delta_failures == b->delta_failures);
	cr_expect(a->address == b->address && a->seen.ns == b->seen.ns);
	cr_expect(a->failed_at.ns == b->failed_at.ns && a->plain_until.ns == b->plain_until.ns);
	cr_expect(a->no_delta_until.ns == b->no_delta_until.ns && a->why_type == b->why_type);
	cr_expect(a->why_a == b->why_a && a->why_b == b->why_b);
}

static void same(const state_clocks_t *a, const state_clocks_t *b)
{
	cr_expect(a->at.boot == b->at.boot && a->at.mono.ns == b->at.mono.ns);
	cr_expect(a->at.wall_ms == b->at.wall_ms && a->at.synced == b->at.synced);
	cr_expect(a->serial == b->serial && a->expired == b->expired && a->accepted == b->accepted);
	cr_expect(a->pinned == b->pinned && a->unexpiring == b->unexpiring && a->copy == b->copy);
	cr_expect(a->pinned_at == b->pinned_at);
	cr_expect(a->failures == b->failures && a->checked.ns == b->checked.ns);
	cr_expect(a->expires.ns == b->expires.ns && a->outrun.ns == b->outrun.ns);
	cr_expect(a->loaded_at.ns == b->loaded_at.ns && a->octets == b->octets && a->ms == b->ms);
	same_text(&a->how, &b->how);
	same_text(&a->source, &b->source);
	cr_assert(a->peer_count == b->peer_count);
	for (size_t i = 0; i < a->peer_count; i++)
		same_peer(&a->peers[i], &b->peers[i]);
}

Test(state_clocks, come_back_as_they_were)
{
	dice_t dice = { 1 };

	for (int i = 0; i < 2000; i++) {
		state_peer_t peers[PEERS], got_peers[PEERS];
		const state_clocks_t c = some_clocks(&dice, peers);
		state_clocks_t got;
		state_instant_t at;
		uint8_t *octets = malloc(state_clocks_room(&c));
		const size_t len = state_clocks_put(&c, octets);

		cr_expect(eq(sz, len, state_clocks_room(&c)));
		cr_assert(eq(int, state_clocks_get(octets, len, &got, got_peers, PEERS), ST_OK));
		same(&c, &got);
		cr_assert(eq(int, state_clocks_instant(octets, len, &at), ST_OK));
		cr_expect(at.boot == c.at.boot && at.mono.ns == c.at.mono.ns &&
		          at.wall_ms == c.at.wall_ms && at.synced == c.at.synced);
		cr_expect(eq(int, state_clocks_accepted(octets, len), c.accepted));
		cr_expect(eq(int, state_clocks_pinned(octets, len), c.pinned));
		cr_expect(eq(int, state_clocks_copy(octets, len), c.copy));
		free(octets);
	}
}

Test(state_clocks, tell_when_a_version_came)
{
	static const struct {
		const char *why;
		int64_t wall_ms, mono_s, loaded_s;
		uint32_t arrived;
	} came[] = {
		{ "now", 1700000000999, 500, 500, 1700000000 },
		{ "earlier in this boot", 1700000000000, 500, 100, 1699999600 },
		{ "in another boot: when it was saved", 1700000000000, 500, 0, 1700000000 },
		{ "in what is to come: when it was saved", 1700000000000, 500, 700, 1700000000 },
		{ "before 1970", 100000, 500, 100, 0 },
		{ "never: the wall clock is wrong", -5000, 500, 500, 0 },
		{ "after 2106", INT64_C(99999999999999), 500, 500, UINT32_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(came); i++) {
		const state_clocks_t c = {
			.at = { 7, { came[i].mono_s * NS_PER_S }, came[i].wall_ms, true },
			.loaded_at = { came[i].loaded_s * NS_PER_S },
		};
		uint8_t octets[200];
		const size_t len = state_clocks_put(&c, octets);

		cr_expect(eq(u32, state_clocks_arrived(octets, len), came[i].arrived), "%s",
		          came[i].why);
		for (size_t cut = 0; cut < 8 + 8 + 8 + 1 + 7 + 4 * 8; cut++)
			cr_expect(eq(u32, state_clocks_arrived(octets, cut), 0), "cut at %zu", cut);
	}
}

Test(state_clocks, of_more_peers_than_there_is_room_for_the_first_are_kept)
{
	dice_t dice = { 2 };
	state_peer_t peers[PEERS], got_peers[2];
	state_clocks_t c = some_clocks(&dice, peers), got;

	c.peer_count = PEERS;
	for (size_t i = 0; i < PEERS; i++)
		peers[i] = some_peer(&dice);
	uint8_t *octets = malloc(state_clocks_room(&c));
	const size_t len = state_clocks_put(&c, octets);
	cr_assert(eq(int, state_clocks_get(octets, len, &got, got_peers, 2), ST_OK));
	cr_assert(eq(int, got.peer_count, 2));
	same_peer(&peers[0], &got_peers[0]);
	same_peer(&peers[1], &got_peers[1]);
	cr_assert(eq(int, state_clocks_get(octets, len, &got, NULL, 0), ST_OK));
	cr_expect(eq(int, got.peer_count, 0));
	free(octets);
}

Test(state_clocks, cut_off_anywhere_or_with_more_behind_they_are_refused)
{
	dice_t dice = { 3 };
	state_peer_t peers[PEERS], got_peers[PEERS];
	const state_clocks_t c = some_clocks(&dice, peers);
	const size_t len = state_clocks_room(&c);
	uint8_t *octets = calloc(1, len + 1);
	state_clocks_t got;

	state_clocks_put(&c, octets);
	for (size_t n = 0; n <= len + 1; n++) {
		uint8_t *exact = malloc(n ? n : 1); /* so that a read behind it is seen */

		memcpy(exact, octets, n);
		cr_expect(eq(int, state_clocks_get(exact, n, &got, got_peers, PEERS),
		             n == len ? ST_OK : ST_MALFORMED));
		free(exact);
	}
	free(octets);
}

Test(state_clocks, any_octets_are_refused_or_within_bounds)
{
	dice_t dice = { 4 };

	for (int i = 0; i < 20000; i++) {
		state_peer_t peers[PEERS], got_peers[PEERS];
		const state_clocks_t c = some_clocks(&dice, peers);
		const size_t len = state_clocks_room(&c);
		uint8_t *octets = malloc(len);
		state_clocks_t got;

		state_clocks_put(&c, octets);
		for (uint32_t n = 1 + dice_below(&dice, 3); n > 0; n--)
			octets[dice_below(&dice, (uint32_t)len)] = (uint8_t)dice_next(&dice);
		if (state_clocks_get(octets, len, &got, got_peers, PEERS) == ST_OK) {
			cr_assert(got.peer_count <= PEERS);
			cr_assert(got.how.len <= STATE_TEXT_MAX &&
			          got.how.text[got.how.len] == '\0');
			cr_assert(got.at.mono.ns >= 0 && got.at.mono.ns <= INT64_MAX / 4 + 1);
			cr_assert(got.expires.ns >= 0 && got.expires.ns <= INT64_MAX / 4 + 1);
		}
		free(octets);
	}
}

/* --- how long ago -------------------------------------------------------------------------------- */

/* Hours of clock_mono, which begin at some number, and of the wall. */
#define HOUR (3600 * NS_PER_S)
static state_instant_t at(uint64_t boot, int mono_h, int wall_h, bool synced)
{
	return (state_instant_t){
		boot, { (1000 + mono_h) * HOUR }, (400000 + wall_h) * INT64_C(3600000), synced
	};
}

typedef struct row {
	const char *why;
	state_instant_t seen[4]; /* boot 0: the end */
	uint64_t boot;           /* what is asked for ... */
	int then_h;              /* ... a time of it, in the hours of its clock */
	state_instant_t now;
	bool known;
	int gap_h, age_h; /* since the last that was seen; since then */
} row_t;

#define SEEN(...)                                                                                  \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

Test(state_clocks, how_long_ago)
{
	const row_t rows[] = {
		{ "the same boot", SEEN(at(1, 10, 50, true)), 1, 8, at(1, 13, 53, true), true, 3,
		  5 },
		{ "... whatever the wall says", SEEN(at(1, 10, 50, true)), 1, 8,
		  at(1, 13, 9999, true), true, 3, 5 },
		{ "... or does not say", SEEN(at(1, 10, 50, false)), 1, 8, at(1, 13, 53, false),
		  true, 3, 5 },
		{ "the same moment", SEEN(at(1, 10, 50, true)), 1, 10, at(1, 10, 50, true), true, 0,
		  0 },
		{ "... or a little before it", SEEN(at(1, 10, 50, true)), 1, 10, at(1, 9, 49, true),
		  true, 0, 0 },
		{ "a time to come", SEEN(at(1, 10, 50, true)), 1, 30, at(1, 13, 53, true), true, 3,
		  -17 },
		{ "another boot, down for 4 hours", SEEN(at(1, 10, 50, true)), 1, 8,
		  at(2, 1, 54, true), true, 4, 6 },
		{ "another boot whose clock is ahead", SEEN(at(1, 10, 50, true)), 1, 8,
		  at(2, 5000, 54, true), true, 4, 6 },
		{ "the wall went backwards", SEEN(at(1, 10, 50, true)), 1, 8, at(2, 1, 49, true),
		  false, 0, 2 },
		{ "the wall is not right now", SEEN(at(1, 10, 50, true)), 1, 8, at(2, 1, 54, false),
		  false, 0, 2 },
		{ "the wall was not right then", SEEN(at(1, 10, 50, false)), 1, 8,
		  at(2, 1, 54, true), false, 0, 2 },
		{ "set right before the last moment",
		  SEEN(at(1, 10, 9, false), at(1, 11, 51, true), at(1, 14, 777, false)), 1, 8,
		  at(2, 1, 57, true), true, 3, 9 },
		{ "set right, in another order",
		  SEEN(at(1, 14, 777, false), at(1, 11, 51, true), at(1, 10, 9, false)), 1, 8,
		  at(2, 1, 57, true), true, 3, 9 },
		{ "set right twice: the later counts",
		  SEEN(at(1, 11, 60, true), at(1, 13, 53, true)), 1, 13, at(2, 1, 57, true), true,
		  4, 4 },
		{ "less than what the boot ran on after its wall was seen",
		  SEEN(at(1, 10, 50, true), at(1, 20, 0, false)), 1, 20, at(2, 1, 55, true), true,
		  0, 0 },
		{ "two boots back", SEEN(at(1, 10, 50, true), at(2, 5, 60, true)), 1, 10,
		  at(3, 1, 70, true), true, 20, 20 },
		{ "nobody knows which boot that was", SEEN(at(0, 10, 50, true)), 0, 8,
		  at(2, 1, 54, true), true, 4, 6 },
		{ "... nor which this is", SEEN(at(0, 10, 50, true)), 0, 8, at(0, 13, 53, true),
		  true, 3, 5 },
		{ "... and the wall was not right then", SEEN(at(0, 10, 50, false)), 0, 8,
		  at(0, 13, 53, true), false, 0, 2 },
		{ "... or is not right now", SEEN(at(0, 10, 50, true)), 0, 8, at(0, 13, 53, false),
		  false, 0, 2 },
		{ "this boot is not known, but the wall is", SEEN(at(1, 10, 50, true)), 1, 8,
		  at(0, 13, 54, true), true, 4, 6 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const row_t *row = &rows[i];
		state_times_t t = { 0 };
		int64_t ns;

		for (size_t j = 0; j < ARRAY_LEN(row->seen) && row->seen[j].mono.ns != 0; j++)
			state_times_note(&t, &row->seen[j]);
		const unsigned place = state_times_boot(&t, row->boot);
		cr_expect(eq(int, place == 0, row->boot == 0), "%s", row->why);
		const state_boot_t boot = place ? t.boots[place - 1] : state_boot_at(&row->seen[0]);
		cr_expect(eq(int, state_boot_gap(&boot, &row->now, &ns), row->known), "%s",
		          row->why);
		cr_expect(eq(i64, ns, row->gap_h * HOUR), "%s", row->why);
		const mono_t then = { (1000 + row->then_h) * HOUR };
		const mono_t got = state_times_now(&boot, ns, then, row->now.mono);
		cr_expect(eq(i64, row->now.mono.ns - got.ns, row->age_h * HOUR), "%s", row->why);
		const mono_t never = state_times_now(&boot, ns, (mono_t){ 0 }, row->now.mono);
		cr_expect(eq(i64, never.ns, 0), "%s", row->why);
	}
}

Test(state_clocks, of_too_many_boots_the_first_is_forgotten)
{
	state_times_t t = { 0 };
	int64_t ns;

	for (uint64_t boot = 1; boot <= STATE_BOOTS_MAX + 3; boot++) {
		const state_instant_t seen = at(boot, 10, (int)boot * 100, true);

		state_times_note(&t, &seen);
	}
	const state_instant_t now = at(99, 1, 100 * (STATE_BOOTS_MAX + 4), true);
	for (uint64_t boot = 1; boot <= STATE_BOOTS_MAX + 3; boot++) {
		const unsigned place = state_times_boot(&t, boot);

		cr_expect(eq(int, place != 0, boot > 3));
		if (place == 0)
			continue;
		cr_expect(state_boot_gap(&t.boots[place - 1], &now, &ns));
		cr_expect(ns == (STATE_BOOTS_MAX + 4 - (int64_t)boot) * 100 * HOUR);
	}
}

/* The wall of a machine can say anything. */
Test(state_clocks, no_wall_is_too_far_off_for_the_arithmetic)
{
	static const int64_t walls[] = { INT64_MIN, INT64_MIN + 1, -1,       0,
		                         1,         INT64_MAX - 1, INT64_MAX };
	static const int64_t monos[] = { 1, HOUR, INT64_MAX / 4 };

	for (size_t i = 0; i < ARRAY_LEN(walls) * ARRAY_LEN(walls); i++) {
		for (size_t j = 0; j < ARRAY_LEN(monos) * ARRAY_LEN(monos); j++) {
			const mono_t m = { monos[j % ARRAY_LEN(monos)] };
			const mono_t n = { monos[j / ARRAY_LEN(monos)] };
			const state_instant_t seen = { 1, m, walls[i % ARRAY_LEN(walls)], true };
			const state_instant_t late = { 1, { INT64_MAX / 4 }, 0, false };
			const state_instant_t now = { 2, n, walls[i / ARRAY_LEN(walls)], true };
			state_times_t t = { 0 };
			int64_t ns;

			state_times_note(&t, &seen);
			state_times_note(&t, &late);
			(void)state_boot_gap(&t.boots[0], &now, &ns);
			cr_expect(ge(i64, ns, 0));
			(void)state_times_now(&t.boots[0], ns, (mono_t){ 1 }, n);
		}
	}
}
