/* tests/unit/net/test_clients.c - who may have how many connections. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "net/clients.h"

TestSuite(net_clients, .timeout = 10);

static clients_verdict_t enter(clients_t *c, const char *text)
{
	addr_t a;

	cr_assert(eq(int, addr_parse(text, 53, &a), ST_OK));
	return clients_enter(c, &a);
}

static void leave(clients_t *c, const char *text)
{
	addr_t a;

	cr_assert(eq(int, addr_parse(text, 4711, &a), ST_OK));
	clients_leave(c, &a);
}

Test(net_clients, each_has_its_share_and_a_place_left_is_free_again)
{
	clients_t *c = clients_new(100, 2);

	cr_expect(eq(int, enter(c, "192.0.2.1"), CLIENTS_ADMITTED));
	cr_expect(eq(int, enter(c, "192.0.2.1"), CLIENTS_ADMITTED));
	cr_expect(eq(int, enter(c, "192.0.2.1"), CLIENTS_GREEDY));
	cr_expect(eq(int, enter(c, "192.0.2.1"), CLIENTS_GREEDY));
	cr_expect(eq(int, enter(c, "192.0.2.2"), CLIENTS_ADMITTED));
	leave(c, "192.0.2.1");
	cr_expect(eq(int, enter(c, "192.0.2.1"), CLIENTS_ADMITTED), "a refusal leaves no trace");
	clients_free(c);
}

Test(net_clients, all_addresses_of_a_64_are_one_client)
{
	clients_t *c = clients_new(100, 1);

	cr_expect(eq(int, enter(c, "2001:db8:0:1::1"), CLIENTS_ADMITTED));
	cr_expect(eq(int, enter(c, "2001:db8:0:1:ffff::2"), CLIENTS_GREEDY));
	cr_expect(eq(int, enter(c, "2001:db8:0:2::1"), CLIENTS_ADMITTED));
	leave(c, "2001:db8:0:1::3");
	cr_expect(eq(int, enter(c, "2001:db8:0:1::4"), CLIENTS_ADMITTED));
	clients_free(c);
}

Test(net_clients, the_total_is_over_all)
{
	clients_t *c = clients_new(2, 1);

	cr_expect(eq(int, enter(c, "192.0.2.1"), CLIENTS_ADMITTED));
	cr_expect(eq(int, enter(c, "192.0.2.2"), CLIENTS_ADMITTED));
	cr_expect(eq(int, enter(c, "192.0.2.3"), CLIENTS_FULL));
	cr_expect(eq(int, enter(c, "192.0.2.1"), CLIENTS_GREEDY), "its own limit is asked first");
	leave(c, "192.0.2.2");
	cr_expect(eq(int, enter(c, "192.0.2.3"), CLIENTS_ADMITTED));
	clients_free(c);
}

Test(net_clients, a_limit_of_none_admits_nobody)
{
	clients_t *nobody = clients_new(0, 1), *none_each = clients_new(1, 0);

	cr_expect(eq(int, enter(nobody, "192.0.2.1"), CLIENTS_FULL));
	cr_expect(eq(int, enter(none_each, "192.0.2.1"), CLIENTS_GREEDY));
	clients_free(nobody);
	clients_free(none_each);
}

Test(net_clients, a_thousand_strangers_hardly_ever_meet)
{
	clients_t *c = clients_new(10000, 1);
	unsigned refused = 0;

	for (unsigned i = 0; i < 1000; i++) {
		addr_t a = { .in = { .sin_family = AF_INET, .sin_addr = { htonl(i << 8) } } };

		refused += clients_enter(c, &a) != CLIENTS_ADMITTED;
	}
	/* Both of its counts taken: about (1000 / 16384)^2 / 3 of 1000, 1.2 on average. */
	cr_expect(lt(uint, refused, 15));
	clients_free(c);
}
