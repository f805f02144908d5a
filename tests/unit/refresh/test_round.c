/* tests/unit/refresh/test_round.c - whom to ask and whom to fetch from, as a table.
 *
 * A script is a line of words. What the policy is to say next: "ask1", "delta0", "whole0", "wait",
 * "wait+" (until some time), and, last, "updated", "same", "behind" or "failed". What happens:
 *   1=7   primary 1 shows serial 7        1=7s  ... signed anew
 *   1-    no answer from this address     1!    it says no
 *   1:ok=7  served                        1:none=5  IXFR says that 5 is all there is
 *   1:nodelta, 1:bad, 1:noway             1:refused=7
 *   @500  so many milliseconds pass
 * The zone holds serial 5 from primary 0, unless a case says otherwise. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"
#include "refresh/round.h"

TestSuite(refresh_round, .timeout = 5);

enum { PRIMARIES_MAX = 4, ADDRESSES = 2 };
#define NONE ROUND_NO_SOURCE

static const round_zone_t held5 = { .loaded = true, .serial = 5, .source = 0 };
static const round_zone_t expired5 = { .loaded = true, .expired = true, .serial = 5 };
static const round_zone_t empty = { .source = NONE };
static const round_zone_t unknown_source = { .loaded = true, .serial = 5, .source = NONE };
static const round_zone_t pinned5 = { .loaded = true, .pinned = true, .serial = 5, .source = 0 };
static const round_zone_t near_wrap = { .loaded = true, .serial = 0xfffffffe };

typedef struct play {
	round_t *r;
	round_peer_t peers[PRIMARIES_MAX];
	mono_t now;
} play_t;

static const char *step_text(play_t *p, char out[32])
{
	static const char *const ends[] = { "updated", "same", "behind", "failed" };
	round_step_t s = round_next(p->r, p->now);

	switch (s.what) {
	case ROUND_ASK:
		snprintf(out, 32, "ask%u", s.primary);
		break;
	case ROUND_FETCH:
		snprintf(out, 32, "%s%u", s.delta ? "delta" : "whole", s.primary);
		break;
	case ROUND_WAIT:
		snprintf(out, 32, "wait%s", s.until.ns != 0 ? "+" : "");
		break;
	case ROUND_END:
		snprintf(out, 32, "%s", ends[round_end(p->r)]);
		break;
	}
	return out;
}

static void happen_fetched(play_t *p, unsigned primary, const char *word)
{
	static const struct {
		const char *word;
		round_fetched_t got;
	} words[] = {
		{ "ok=", ROUND_GOT },          { "none=", ROUND_GOT_NOTHING },
		{ "bad", ROUND_GOT_FAILURE },  { "nodelta", ROUND_GOT_NO_DELTA },
		{ "noway", ROUND_GOT_NO_WAY }, { "refused=", ROUND_GOT_REFUSED },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i].word);

		if (strncmp(word, words[i].word, len) != 0)
			continue;
		round_fetched(p->r, primary, words[i].got, (uint32_t)strtoul(word + len, NULL, 10),
		              ADDRESSES, p->now);
		return;
	}
	cr_fatal("no such word: %s", word);
}

/* True if word is something that happens. */
static bool happen(play_t *p, const char *word)
{
	char *rest;

	if (*word == '@') {
		p->now = mono_add_ms(p->now, atoi(word + 1));
		return true;
	}
	unsigned primary = (unsigned)strtoul(word, &rest, 10);
	if (rest == word)
		return false;
	if (*rest == '=') {
		uint32_t serial = (uint32_t)strtoul(rest + 1, &rest, 10);

		(void)round_shown(p->r, primary, serial, *rest == 's', p->now);
	} else if (*rest == ':') {
		happen_fetched(p, primary, rest + 1);
	} else {
		round_unreached(p->r, primary, *rest == '-', ADDRESSES);
	}
	return true;
}

static void run(play_t *p, const char *why, const char *script)
{
	char words[256], got[32], *at = words;
	const char *word;

	cr_assert(lt(sz, strlen(script), sizeof words));
	strcpy(words, script);
	while ((word = strsep(&at, " "))) {
		if (happen(p, word))
			continue;
		step_text(p, got);
		cr_assert(eq(str, (char *)got, (char *)word), "%s: in \"%s\"", why, script);
	}
}

static void begin(play_t *p, round_why_t why, const round_zone_t *zone, unsigned count,
                  unsigned first)
{
	free(p->r);
	p->r = malloc(round_size(count));
	cr_assert(p->r != NULL);
	round_begin(p->r, why, zone, p->peers, count, first, 0);
}

static const struct {
	const char *why;
	round_why_t round;
	const round_zone_t *zone;
	unsigned count, first;
	const char *script;
} cases[] = {
	/* Pinned: whoever answers confirms, and nothing is fetched. */
	{ "pinned, newer", ROUND_TIMER, &pinned5, 1, NONE, "ask0 wait 0=6 same" },
	{ "pinned, older", ROUND_TIMER, &pinned5, 1, NONE, "ask0 wait 0=4 same" },
	{ "pinned, no order", ROUND_TIMER, &pinned5, 1, NONE, "ask0 wait 0=2147483653 same" },
	{ "pinned, resigned", ROUND_TIMER, &pinned5, 1, NONE, "ask0 wait 0=5s same" },
	{ "pinned, silent", ROUND_TIMER, &pinned5, 1, NONE, "ask0 wait 0- ask0 wait 0- failed" },
	{ "pinned, accept", ROUND_ACCEPT, &pinned5, 1, NONE, "ask0 wait 0=4 same" },
	{ "pinned, retransfer", ROUND_RETRANSFER, &pinned5, 1, NONE, "ask0 wait 0=5 same" },
	{ "pinned, one of two", ROUND_TIMER, &pinned5, 2, NONE, "ask0 ask1 wait 0=9 wait 1! same" },
	{ "pinned, the sender of a NOTIFY has more", ROUND_NOTIFY, &pinned5, 2, 1,
	  "ask1 wait+ 1=9 same" },

	/* One primary. */
	{ "equal", ROUND_TIMER, &held5, 1, NONE, "ask0 wait 0=5 same" },
	{ "newer", ROUND_TIMER, &held5, 1, NONE, "ask0 wait 0=6 delta0 wait 0:ok=6 updated" },
	{ "older", ROUND_TIMER, &held5, 1, NONE, "ask0 0=4 failed" },
	{ "no order", ROUND_TIMER, &held5, 1, NONE, "ask0 0=2147483653 failed" },
	{ "over the wrap", ROUND_TIMER, &near_wrap, 1, NONE, "ask0 0=1 delta0 0:ok=1 updated" },
	{ "another way", ROUND_TIMER, &held5, 1, NONE, "ask0 0- ask0 0- failed" },
	{ "a no is a no by any way", ROUND_TIMER, &held5, 1, NONE, "ask0 0! failed" },
	{ "no difference, so all of it", ROUND_TIMER, &held5, 1, NONE,
	  "ask0 0=6 delta0 0:nodelta whole0 0:ok=6 updated" },
	{ "... which fails too", ROUND_TIMER, &held5, 1, NONE,
	  "ask0 0=6 delta0 0:nodelta whole0 0:bad failed" },
	{ "... for want of a way", ROUND_TIMER, &held5, 1, NONE,
	  "ask0 0=6 delta0 0:noway delta0 0:noway failed" },
	{ "nothing newer after all", ROUND_TIMER, &held5, 1, NONE,
	  "ask0 0=6 delta0 0:none=5 same" },
	{ "... but older", ROUND_TIMER, &held5, 1, NONE, "ask0 0=6 delta0 0:none=4 failed" },
	{ "refused", ROUND_TIMER, &held5, 1, NONE, "ask0 0=6 delta0 0:refused=6 failed" },
	{ "signed anew", ROUND_TIMER, &held5, 1, NONE, "ask0 0=5s whole0 0:ok=5 updated" },
	{ "signed anew, not to be had: ours is confirmed", ROUND_TIMER, &held5, 1, NONE,
	  "ask0 0=5s whole0 0:bad same" },

	/* Nothing is held. */
	{ "first one", ROUND_TIMER, &empty, 1, NONE, "whole0 wait 0:ok=0 updated" },
	{ "first one by another way", ROUND_TIMER, &empty, 1, NONE,
	  "whole0 0:noway whole0 0:ok=7 updated" },
	{ "first one from the next", ROUND_TIMER, &empty, 2, NONE,
	  "whole0 0:bad whole1 1:ok=7 updated" },
	{ "first one from nobody", ROUND_TIMER, &empty, 2, NONE,
	  "whole0 0:bad whole1 1:noway whole1 1:noway failed" },
	{ "first one from who has spoken", ROUND_NOTIFY, &empty, 3, 2,
	  "whole2 2:bad whole0 0:ok=1 updated" },

	/* Several. */
	{ "all are asked", ROUND_TIMER, &held5, 3, NONE,
	  "ask0 ask1 ask2 wait 0=5 wait 2=5 wait 1=4 same" },
	{ "the newest", ROUND_TIMER, &held5, 3, NONE,
	  "ask0 ask1 ask2 0=6 wait+ 1=8 wait+ 2=7 whole1 1:ok=8 updated" },
	{ "of equals the first", ROUND_TIMER, &held5, 3, NONE,
	  "ask0 ask1 ask2 2=6 1=6 0=5 whole1 1:ok=6 updated" },
	{ "of equals where ours is from", ROUND_TIMER, &held5, 2, NONE,
	  "ask0 ask1 1=6 0=6 delta0" },
	{ "no difference from elsewhere", ROUND_TIMER, &held5, 2, NONE,
	  "ask0 ask1 0=5 1=6 whole1" },
	{ "nor when the source is unknown", ROUND_TIMER, &unknown_source, 1, NONE,
	  "ask0 0=6 whole0" },
	{ "the next newest", ROUND_TIMER, &held5, 3, NONE,
	  "ask0 ask1 ask2 0=6 1=8 2=7 whole1 1:bad whole2 2:refused=7 delta0 0:ok=6 updated" },
	{ "some are silent", ROUND_TIMER, &held5, 2, NONE,
	  "ask0 ask1 1=6 wait+ @499 wait+ @1 whole1 1:ok=6 updated" },
	{ "an answer may come during a transfer", ROUND_TIMER, &held5, 2, NONE,
	  "ask0 ask1 1=6 @500 whole1 0=7 wait 1:bad delta0 0:ok=7 updated" },
	{ "one is the same, the newer can't be had", ROUND_TIMER, &held5, 2, NONE,
	  "ask0 ask1 0=5 1=6 whole1 1:bad behind" },
	{ "one is the same, one is older", ROUND_TIMER, &held5, 2, NONE, "ask0 ask1 0=4 1=5 same" },
	{ "one is the same, one is dead", ROUND_TIMER, &held5, 2, NONE,
	  "ask0 ask1 0- ask0 0- wait 1=5 same" },

	/* NOTIFY. */
	{ "who has spoken is asked alone", ROUND_NOTIFY, &held5, 3, 1,
	  "ask1 wait+ 1=6 whole1 wait 1:ok=6 updated" },
	{ "... the others when it has nothing", ROUND_NOTIFY, &held5, 2, 1,
	  "ask1 wait+ 1=5 ask0 wait 0=6 delta0" },
	{ "... or is silent", ROUND_NOTIFY, &held5, 2, 1,
	  "ask1 1- ask1 wait+ 1- ask0 wait 0=5 same" },
	{ "... or can't give it", ROUND_NOTIFY, &held5, 2, 1,
	  "ask1 1=6 whole1 1:bad ask0 0=6 delta0 0:ok=6 updated" },
	{ "... difference first", ROUND_NOTIFY, &held5, 2, 0,
	  "ask0 0=6 delta0 0:nodelta whole0 0:ok=6 updated" },
	{ "... soon, or they are asked, too", ROUND_NOTIFY, &held5, 3, 1,
	  "ask1 wait+ @499 wait+ @1 ask0 ask2 wait 0=5 2=5 wait 1=6 whole1 1:ok=6 updated" },
	{ "... and what they have is taken", ROUND_NOTIFY, &held5, 2, 1,
	  "ask1 @500 ask0 wait 0=6 wait+ @500 delta0 0:ok=6 updated" },
	{ "who is alone is waited for", ROUND_NOTIFY, &held5, 1, 0,
	  "ask0 wait @1000 wait 0=5 same" },
	{ "a stranger has spoken", ROUND_NOTIFY, &held5, 2, NONE, "ask0 ask1 wait 0=5 1=5 same" },

	/* Expired: any serial, but what is confirmed or newer first. */
	{ "any serial", ROUND_TIMER, &expired5, 1, NONE, "ask0 0=4 whole0 0:ok=4 updated" },
	{ "no order", ROUND_TIMER, &expired5, 1, NONE, "ask0 0=2147483653 whole0 0:ok=1 updated" },
	{ "alive again without a transfer", ROUND_TIMER, &expired5, 2, NONE,
	  "ask0 ask1 0=4 1=5 same" },
	{ "newer is better", ROUND_TIMER, &expired5, 2, NONE, "ask0 ask1 0=4 1=6 whole1" },
	{ "older is waited with", ROUND_TIMER, &expired5, 2, NONE,
	  "ask0 ask1 0=4 wait @600 wait 1! whole0" },

	/* Operators. */
	{ "whole though equal", ROUND_RETRANSFER, &held5, 1, NONE,
	  "ask0 0=5 whole0 0:ok=5 updated" },
	{ "whole though newer", ROUND_RETRANSFER, &held5, 1, NONE,
	  "ask0 0=6 whole0 0:ok=6 updated" },
	{ "never back by that", ROUND_RETRANSFER, &held5, 1, NONE, "ask0 0=4 failed" },
	{ "newest though equal", ROUND_RETRANSFER, &held5, 2, NONE,
	  "ask0 ask1 0=5 wait+ 1=6 whole1" },
	{ "back by command", ROUND_ACCEPT, &held5, 1, NONE, "ask0 0=4 whole0 0:ok=4 updated" },
	{ "no order, by command", ROUND_ACCEPT, &held5, 1, NONE, "ask0 0=2147483653 whole0" },
	{ "back to the first that is", ROUND_ACCEPT, &held5, 2, NONE, "ask0 ask1 0=5 1=4 whole1" },
};

Test(refresh_round, asks_and_fetches_by_the_rules)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		play_t p = { .now = { 1000 * NS_PER_S } };

		begin(&p, cases[i].round, cases[i].zone, cases[i].count, cases[i].first);
		run(&p, cases[i].why, cases[i].script);
		free(p.r);
	}
}

Test(refresh_round, begins_by_the_way_on_which_notify_came_and_goes_once_around)
{
	play_t p = { .now = { 1000 * NS_PER_S } };

	p.r = malloc(round_size(2));
	round_begin(p.r, ROUND_NOTIFY, &held5, p.peers, 2, 1, 1);
	cr_expect(eq(u16, p.r->seats[1].from, 1));
	cr_expect(eq(u16, p.r->seats[0].from, 0), "of others by the first");
	run(&p, "there are two addresses", "ask1 1- ask1 1- ask0");
	cr_expect(eq(u16, p.r->seats[1].tried, 2));
	free(p.r);
}

Test(refresh_round, does_not_pull_what_was_refused_until_it_changes)
{
	play_t p = { .now = { 1000 * NS_PER_S } };

	begin(&p, ROUND_TIMER, &held5, 2, NONE);
	run(&p, "refused", "ask0 ask1 0=6 1=5 delta0 0:refused=6 behind");
	begin(&p, ROUND_TIMER, &held5, 2, NONE);
	run(&p, "not again", "ask0 ask1 0=6 1=5 behind");
	begin(&p, ROUND_TIMER, &held5, 2, NONE);
	run(&p, "another may have a better one of that serial",
	    "ask0 ask1 0=6 1=6 whole1 1:bad failed");
	begin(&p, ROUND_COMMAND, &held5, 1, NONE);
	run(&p, "not by a mere look", "ask0 0=6 failed");
	begin(&p, ROUND_ACCEPT, &held5, 1, NONE);
	run(&p, "by command", "ask0 0=6 whole0 0:ok=6 updated");
	begin(&p, ROUND_TIMER, &held5, 1, NONE);
	run(&p, "forgotten since", "ask0 0=6 delta0 0:refused=6 failed");
	begin(&p, ROUND_TIMER, &held5, 1, NONE);
	run(&p, "it moved on", "ask0 0=7 delta0 0:bad failed");
	begin(&p, ROUND_TIMER, &held5, 1, NONE);
	run(&p, "and back", "ask0 0=6 delta0");
	free(p.r);
}

Test(refresh_round, what_is_held_is_confirmed_though_another_copy_of_it_was_refused)
{
	play_t p = { .now = { 1000 * NS_PER_S } };

	begin(&p, ROUND_RETRANSFER, &held5, 1, NONE);
	run(&p, "refused", "ask0 0=5 whole0 0:refused=5 same");
	begin(&p, ROUND_TIMER, &held5, 1, NONE);
	run(&p, "it has what we have", "ask0 0=5 same");
	begin(&p, ROUND_TIMER, &held5, 1, NONE);
	run(&p, "signed anew, or not", "ask0 0=5s same");
	begin(&p, ROUND_RETRANSFER, &held5, 1, NONE);
	run(&p, "by command", "ask0 0=5 whole0 0:ok=5 updated");
	free(p.r);
}

Test(refresh_round, asks_before_it_pulls_a_first_copy_that_was_refused)
{
	play_t p = { .now = { 1000 * NS_PER_S } };

	begin(&p, ROUND_TIMER, &empty, 2, NONE);
	run(&p, "refused", "whole0 0:refused=6 whole1 1:bad failed");
	begin(&p, ROUND_TIMER, &empty, 2, NONE);
	run(&p, "asked for it", "ask0 whole1 wait 0=6 wait 1:bad failed");
	begin(&p, ROUND_TIMER, &empty, 2, NONE);
	run(&p, "mended", "ask0 whole1 1:bad wait 0=7 whole0 0:ok=7 updated");
	free(p.r);
}

Test(refresh_round, forgoes_differences_for_a_while)
{
	play_t p = { .now = { 1000 * NS_PER_S } };
	static const unsigned blocks[] = { 60,   120,  240,   480,   960,   1920,
		                           3840, 7680, 15360, 30720, 61440, 61440 };

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		round_forgo_delta(&p.peers[0], false, p.now);
		p.now = mono_add_s(p.now, blocks[i] - 1);
		begin(&p, ROUND_TIMER, &held5, 1, NONE);
		run(&p, "not yet", "ask0 0=6 whole0 0:bad failed");
		p.now = mono_add_s(p.now, 1);
		begin(&p, ROUND_TIMER, &held5, 1, NONE);
		run(&p, "again", "ask0 0=6 delta0 0:bad failed");
	}
	round_forgo_delta(&p.peers[0], true, p.now);
	p.now = mono_add_s(p.now, 86399);
	begin(&p, ROUND_TIMER, &held5, 1, NONE);
	run(&p, "it does not know them", "ask0 0=6 whole0 0:bad failed");
	free(p.r);
}

Test(refresh_round, knows_when_somebody_is_ahead)
{
	round_peer_t peers[3] = { { .serial = 5, .shown = true }, { .serial = 9 }, { 0 } };

	cr_expect(not(round_outrun(peers, 3, 5)), "a serial that was not shown does not count");
	peers[1].shown = true;
	cr_expect(round_outrun(peers, 3, 5));
	cr_expect(not(round_outrun(peers, 3, 9)));
	cr_expect(round_outrun(peers, 3, 0xffffffff), "over the wrap");
}
