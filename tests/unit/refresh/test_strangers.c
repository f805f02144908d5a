/* tests/unit/refresh/test_strangers.c - one line for each stranger and minute. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "refresh/strangers.h"

static addr_t stranger(unsigned n)
{
	char text[32];
	addr_t a;

	snprintf(text, sizeof text, "192.0.2.%u", n);
	cr_assert(addr_parse(text, 53, &a) == ST_OK);
	return a;
}

Test(strangers, each_is_told_once_a_minute)
{
	strangers_t s = { 0 };
	addr_t a = stranger(1), b = stranger(2);
	mono_t t = { 5 * NS_PER_S };

	cr_expect(strangers_tell(&s, &a, t));
	cr_expect(not(strangers_tell(&s, &a, t)));
	cr_expect(strangers_tell(&s, &b, t), "another one");
	a.in.sin_port = htons(1234);
	cr_expect(not(strangers_tell(&s, &a, mono_add_s(t, 59))), "the port is not the sender");
	cr_expect(strangers_tell(&s, &a, mono_add_s(t, 60)));
	cr_expect(not(strangers_tell(&s, &a, mono_add_s(t, 61))));
}

Test(strangers, a_flood_of_them_goes_unsaid_when_the_table_is_full)
{
	strangers_t s = { 0 };
	mono_t t = { NS_PER_S };

	for (unsigned i = 0; i < 200; i++) {
		addr_t a = stranger(i);

		cr_expect(eq(int, strangers_tell(&s, &a, t), i < STRANGERS_MAX), "%u", i);
	}
	addr_t late = stranger(199);
	cr_expect(strangers_tell(&s, &late, mono_add_s(t, 60)), "a minute later there is room");
}
