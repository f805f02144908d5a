/* tests/unit/refresh/test_way.c - budgets, lanes and a dead address, without a packet. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "refresh/way.h"

TestSuite(refresh_way, .timeout = 10);

enum { TURNS = 300 };

/* Who got its turn, in which order. */
typedef struct lab {
	struct ev_loop *loop;
	way_limits_t limits;
	way_t *way;
	mono_t now;
	struct one {
		way_turn_t turn;
		struct lab *lab;
		int order; /* from 1; negative: turned away; 0: waits */
	} ones[TURNS];
	int given;
} lab_t;

static void take(way_turn_t *turn, way_verdict_t verdict)
{
	struct one *one = (struct one *)(void *)((char *)turn - offsetof(struct one, turn));

	cr_assert(eq(int, one->order, 0), "once");
	one->order = ++one->lab->given;
	if (verdict == WAY_DOWN)
		one->order = -one->order;
}

static void begin(lab_t *lab, way_conf_t conf)
{
	memset(lab, 0, sizeof *lab);
	lab->loop = ev_loop_new(0);
	lab->limits = (way_limits_t){ .max_queries = 1000, .max_transfers = 1000 };
	lab->now = (mono_t){ 1000 * NS_PER_S };
	if (conf.max_queries == 0)
		conf.max_queries = 100;
	if (conf.max_transfers == 0)
		conf.max_transfers = 10;
	if (conf.max_connections == 0)
		conf.max_connections = 2;
	lab->way = way_new(lab->loop, &conf, &lab->limits);
	cr_assert(lab->way != NULL);
	for (int i = 0; i < TURNS; i++) {
		lab->ones[i].lab = lab;
		lab->ones[i].turn.take = take;
	}
}

static void finish(lab_t *lab)
{
	for (int i = 0; i < TURNS; i++)
		way_leave(&lab->ones[i].turn);
	way_free(lab->way);
	ev_loop_destroy(lab->loop);
}

static void wait_for(lab_t *lab, int from, int to, way_kind_t kind, bool urgent)
{
	for (int i = from; i < to; i++)
		way_wait(lab->way, &lab->ones[i].turn, kind, urgent);
}

static int going(const lab_t *lab)
{
	int n = 0;

	for (int i = 0; i < TURNS; i++)
		n += lab->ones[i].turn.going;
	return n;
}

Test(refresh_way, gives_no_more_turns_than_the_budget_has)
{
	lab_t lab;

	begin(&lab, (way_conf_t){ .max_queries = 7 });
	wait_for(&lab, 0, 20, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 7));
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 7));
	cr_expect(way_crowded(lab.way), "13 wait for 7");
	way_done(&lab.ones[3].turn, true, lab.now);
	way_leave(&lab.ones[4].turn);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 9));
	cr_expect(eq(int, going(&lab), 7));
	cr_expect(eq(uint, lab.limits.queries, 7));
	finish(&lab);
	cr_expect(eq(uint, lab.limits.queries, 0), "all of it was given back");
}

Test(refresh_way, keeps_to_the_daemon_s_limits_too)
{
	lab_t lab;

	begin(&lab, (way_conf_t){ 0 });
	lab.limits.max_queries = 3;
	lab.limits.queries = 1;
	wait_for(&lab, 0, 20, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 2));
	finish(&lab);
}

Test(refresh_way, has_one_of_its_own_when_others_have_used_up_the_daemon_s)
{
	lab_t lab;

	begin(&lab, (way_conf_t){ 0 });
	lab.limits.queries = lab.limits.max_queries;
	lab.limits.transfers = lab.limits.max_transfers;
	wait_for(&lab, 0, 5, WAY_QUERY, false);
	wait_for(&lab, 5, 10, WAY_TRANSFER, false);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 2), "a query and a transfer");
	way_leave(&lab.ones[0].turn);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 3), "one after the other");
	finish(&lab);
}

Test(refresh_way, shares_its_rate_between_questions_and_transfers)
{
	lab_t lab;
	int transfers = 0;

	begin(&lab, (way_conf_t){ .max_rate = 10, .max_queries = 1000 });
	wait_for(&lab, 0, 200, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	wait_for(&lab, 200, 205, WAY_TRANSFER, true);
	for (int i = 0; i < 10; i++) {
		lab.now = way_next(lab.way);
		way_pump(lab.way, lab.now);
	}
	for (int i = 200; i < 205; i++)
		transfers += lab.ones[i].order > 0;
	cr_expect(gt(int, transfers, 1), "though questions wait all the time");
	cr_expect(eq(int, lab.given, 20));
	finish(&lab);
}

Test(refresh_way, lets_wait_who_comes_when_the_try_is_due_and_there_is_no_budget_for_it)
{
	lab_t lab;

	begin(&lab, (way_conf_t){ 0 });
	wait_for(&lab, 0, BREAKER_FAILURES + 1, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	for (int i = 0; i < BREAKER_FAILURES; i++)
		way_done(&lab.ones[i].turn, false, lab.now);
	cr_assert(way_breaker(lab.way)->open, "and one is still under way");
	lab.limits.max_queries = 1;
	lab.now = mono_add_s(lab.now, BREAKER_FIRST_S);
	lab.given = 0;
	wait_for(&lab, 10, 20, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 0), "none goes, and none is turned away");
	lab.limits.max_queries = 2;
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 10));
	cr_expect(eq(int, lab.ones[10].order, 1), "the one try");
	for (int i = 11; i < 20; i++)
		cr_expect(lt(int, lab.ones[i].order, 0), "the others");
	finish(&lab);
}

Test(refresh_way, may_be_tried_again_when_the_one_that_tried_left)
{
	lab_t lab;

	begin(&lab, (way_conf_t){ 0 });
	wait_for(&lab, 0, BREAKER_FAILURES, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	for (int i = 0; i < BREAKER_FAILURES; i++)
		way_done(&lab.ones[i].turn, false, lab.now);
	lab.now = mono_add_s(lab.now, BREAKER_FIRST_S);
	for (int i = 10; i < 12; i++) {
		wait_for(&lab, i, i + 1, WAY_QUERY, false);
		way_pump(lab.way, lab.now);
		cr_expect(gt(int, lab.ones[i].order, 0));
		way_leave(&lab.ones[i].turn);
	}
	finish(&lab);
}

Test(refresh_way, counts_transfers_apart)
{
	lab_t lab;

	begin(&lab, (way_conf_t){ .max_queries = 5, .max_transfers = 3 });
	wait_for(&lab, 0, 20, WAY_QUERY, false);
	wait_for(&lab, 20, 40, WAY_TRANSFER, false);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 8));
	cr_expect(eq(uint, lab.limits.transfers, 3));
	finish(&lab);
}

Test(refresh_way, lets_the_urgent_ones_go_first_but_not_alone)
{
	lab_t lab;
	int sweep = 0;

	begin(&lab, (way_conf_t){ .max_queries = 40 });
	wait_for(&lab, 0, 100, WAY_QUERY, false);
	wait_for(&lab, 100, 200, WAY_QUERY, true);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.ones[100].order, 1), "though it came last");
	for (int i = 0; i < 100; i++)
		sweep += lab.ones[i].order != 0;
	cr_expect(eq(int, sweep, 10), "every fourth");
	finish(&lab);
}

Test(refresh_way, begins_no_more_in_a_second_than_it_may)
{
	lab_t lab;

	begin(&lab, (way_conf_t){ .max_rate = 10 });
	wait_for(&lab, 0, 100, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 10), "a second's worth at once");
	for (int i = 1; i <= 20; i++) {
		mono_t next = way_next(lab.way);

		cr_assert(ne(i64, next.ns, 0));
		cr_expect(ge(dbl, mono_diff(lab.now, next), 0.09), "not before");
		lab.now = next;
		way_pump(lab.way, lab.now);
		cr_expect(eq(int, lab.given, 10 + i));
	}
	finish(&lab);
}

/* What went before there was a rate is not held against it. */
Test(refresh_way, keeps_to_a_rate_from_when_it_has_one)
{
	lab_t lab;
	const way_conf_t slow = {
		.max_queries = 100, .max_transfers = 10, .max_connections = 2, .max_rate = 10
	};

	begin(&lab, (way_conf_t){ .max_queries = 100 });
	wait_for(&lab, 0, 100, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	for (int i = 0; i < 100; i++)
		way_done(&lab.ones[i].turn, true, lab.now);
	cr_assert(eq(int, lab.given, 100));
	way_set_conf(lab.way, &slow);
	wait_for(&lab, 100, 130, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 110), "a second's worth at once");
	lab.now = mono_add_s(lab.now, 1);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 120));
	finish(&lab);
}

static void fail_five(lab_t *lab)
{
	wait_for(lab, 0, 20, WAY_QUERY, false);
	way_pump(lab->way, lab->now);
	for (int i = 0; i < BREAKER_FAILURES - 1; i++)
		cr_assert(eq(int, way_done(&lab->ones[i].turn, false, lab->now), BREAKER_STAYS));
	cr_assert(eq(int, way_done(&lab->ones[4].turn, false, lab->now), BREAKER_OPENS));
}

Test(refresh_way, turns_all_away_at_once_when_the_address_is_dead)
{
	lab_t lab;

	begin(&lab, (way_conf_t){ 0 });
	fail_five(&lab);
	wait_for(&lab, 100, 300, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	for (int i = 100; i < 300; i++)
		cr_assert(lt(int, lab.ones[i].order, 0), "%d", i);
	cr_expect(not(way_waiting(lab.way)));
	finish(&lab);
}

Test(refresh_way, tries_a_dead_address_with_one_query)
{
	lab_t lab;
	int probe;

	begin(&lab, (way_conf_t){ 0 });
	fail_five(&lab);
	for (int i = 5; i < 20; i++)
		way_leave(&lab.ones[i].turn);
	cr_expect(eq(ptr, way_probe(lab.way), NULL), "there is nobody to try it with");
	way_set_probe(lab.way, &probe);
	cr_expect(eq(ptr, way_probe(lab.way), (void *)&probe));
	cr_expect(eq(i64, way_breaker(lab.way)->next.ns, mono_add_s(lab.now, 1).ns));
	lab.now = way_breaker(lab.way)->next;
	wait_for(&lab, 100, 102, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	cr_expect(gt(int, lab.ones[100].order, 0));
	cr_expect(lt(int, lab.ones[101].order, 0));
	cr_expect(eq(int, way_done(&lab.ones[100].turn, true, lab.now), BREAKER_CLOSES));
	wait_for(&lab, 110, 120, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	for (int i = 110; i < 120; i++)
		cr_assert(gt(int, lab.ones[i].order, 0));
	finish(&lab);
}

Test(refresh_way, lets_a_query_that_needs_a_connection_wait_for_one)
{
	lab_t lab;

	begin(&lab, (way_conf_t){ .max_queries = 10, .max_transfers = 1 });
	for (int i = 0; i < 4; i++)
		lab.ones[i].turn.stream = i % 2 == 0;
	wait_for(&lab, 0, 4, WAY_QUERY, false);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.given, 3), "one of two that need a connection");
	cr_expect(eq(int, lab.ones[2].order, 0));
	cr_expect(eq(uint, lab.limits.queries, 2));
	cr_expect(eq(uint, lab.limits.transfers, 1));
	cr_expect(eq(ptr, way_link(&lab.ones[1].turn), NULL), "by UDP");
	way_leave(&lab.ones[0].turn);
	way_pump(lab.way, lab.now);
	cr_expect(eq(int, lab.ones[2].order, 4));
	finish(&lab);
	cr_expect(eq(uint, lab.limits.queries + lab.limits.transfers, 0));
}
