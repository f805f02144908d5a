/* tests/unit/refresh/test_events.c - the ring gives back what was noted, newest first, as far back as
 * its size allows. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"
#include "dns/name.h"
#include "refresh/events.h"

TestSuite(refresh_events, .timeout = 30);

enum { ZONES = 12, NOTED = 40000 };

static dns_name_t apexes[ZONES];
static char texts[2][300];

/* The root, a name of 255 octets, and others between. */
static void make_zones(void)
{
	char text[DNS_NAME_TEXT_MAX] = "";

	for (unsigned n = 0; n < 127; n++)
		strcat(text, "a.");
	for (unsigned i = 0; i < ZONES; i++)
		cr_assert(dns_name_from_text(i == 0 ? "." : text + 2 * (i - 1) * (i - 1),
		                             &apexes[i]) == ST_OK);
	memset(texts[0], 'p', sizeof texts[0] - 1);
	memset(texts[1], 't', sizeof texts[1] - 1);
}

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
	return *state;
}

/* Event number n, always the same. Texts longer than what is kept are among them. */
static refresh_event_t event(unsigned n)
{
	uint64_t s = 0x9e3779b97f4a7c15u * (n + 1);
	refresh_event_t e = { .code = draw(&s) % REFRESH_EVENT_CODES,
		              .at = { (int64_t)n * 1000 - 7 },
		              .apex = apexes[draw(&s) % ZONES].wire };
	uint64_t parts = draw(&s) >> 20;

	if (parts & 1)
		e.primary = texts[0] + draw(&s) % sizeof texts[0];
	if (parts & 2)
		e.text = texts[1] + draw(&s) % sizeof texts[1];
	e.has_serial = parts & 4;
	e.serial = e.has_serial ? (uint32_t)draw(&s) : 0;
	e.has_held = parts & 8;
	e.held = e.has_held ? (uint32_t)draw(&s) : 0;
	if (parts & 16) {
		e.records = draw(&s);
		e.octets = draw(&s);
		e.ms = (uint32_t)draw(&s);
	}
	e.has_addr = parts & 32;
	if (e.has_addr)
		addr_parse(parts & 64 ? "2001:db8::7" : "192.0.2.7", (uint16_t)n, &e.addr);
	return e;
}

static void expect_text(const char *got, const char *want, unsigned n)
{
	cr_assert(eq(int, got == NULL, want == NULL), "%u", n);
	if (got) {
		cr_assert(eq(sz, strlen(got), strnlen(want, 200)), "%u", n);
		cr_assert(strncmp(got, want, strlen(got)) == 0, "%u", n);
	}
}

static void expect_event(const refresh_event_t *got, unsigned n)
{
	refresh_event_t want = event(n);

	cr_assert(eq(int, got->code, want.code), "%u", n);
	cr_assert(eq(i64, got->at.ns, want.at.ns), "%u", n);
	cr_assert(eq(sz, dns_wire_len(got->apex), dns_wire_len(want.apex)), "%u", n);
	cr_assert(memcmp(got->apex, want.apex, dns_wire_len(want.apex)) == 0, "%u", n);
	expect_text(got->primary, want.primary, n);
	expect_text(got->text, want.text, n);
	cr_assert(got->has_serial == want.has_serial && got->serial == want.serial, "%u", n);
	cr_assert(got->has_held == want.has_held && got->held == want.held, "%u", n);
	cr_assert(got->records == want.records && got->octets == want.octets && got->ms == want.ms,
	          "%u", n);
	cr_assert(got->has_addr == want.has_addr, "%u", n);
	if (want.has_addr)
		cr_assert(addr_same(&got->addr, &want.addr), "%u", n);
}

/* After noted events: a walk over all gives them from the last one back, and so does each zone's,
 * as far as the walk over all reaches. */
static void expect_walks(const refresh_events_t *ring, unsigned noted, bool zones)
{
	refresh_events_walk_t walk = refresh_events_walk(ring, NULL);
	refresh_event_t e;
	unsigned n = noted, oldest;

	while (refresh_events_next(&walk, &e))
		expect_event(&e, --n);
	oldest = n;
	cr_assert(eq(sz, refresh_events_count(ring), noted - oldest));
	for (unsigned z = 0; zones && z < ZONES; z++) {
		walk = refresh_events_walk(ring, apexes[z].wire);
		for (n = noted; n-- > oldest;) {
			if (event(n).apex != apexes[z].wire)
				continue;
			cr_assert(refresh_events_next(&walk, &e));
			expect_event(&e, n);
		}
		cr_assert(not(refresh_events_next(&walk, &e)));
	}
}

Test(refresh_events, an_empty_ring_has_none)
{
	refresh_events_t *ring = refresh_events_new(0);
	refresh_event_t e;
	refresh_events_walk_t walk = refresh_events_walk(ring, NULL);

	cr_expect(not(refresh_events_next(&walk, &e)));
	cr_expect(eq(sz, refresh_events_count(ring), 0));
	refresh_events_free(ring);
	refresh_events_free(NULL);
}

Test(refresh_events, come_back_newest_first_whatever_the_size_of_the_ring)
{
	make_zones();
	/* Sizes that are and aren't multiples of anything, so that every way to meet the end occurs. */
	for (size_t size = REFRESH_EVENTS_MIN; size < REFRESH_EVENTS_MIN + 700; size += 37) {
		refresh_events_t *ring = refresh_events_new(size);

		for (unsigned n = 0; n < 1500; n++) {
			refresh_event_t e = event(n);

			refresh_events_note(ring, &e);
			expect_walks(ring, n + 1, n % 97 == 0);
		}
		refresh_events_free(ring);
	}
}

Test(refresh_events, fill_the_ring_before_any_gives_way)
{
	refresh_events_t *ring = refresh_events_new(1 << 20);
	size_t count = 0, least = SIZE_MAX;

	make_zones();
	for (unsigned n = 0; n < NOTED; n++) {
		refresh_event_t e = event(n);
		size_t before = refresh_events_count(ring);

		refresh_events_note(ring, &e);
		count = refresh_events_count(ring);
		if (count <= before && count < least)
			least = count;
	}
	/* The largest entry takes some 750 octets, a mean one less than half of that. */
	cr_expect(gt(sz, least, (1u << 20) / 400), "%zu", least);
	expect_walks(ring, NOTED, true);
	refresh_events_free(ring);
}

Test(refresh_events, of_a_small_kind_are_small)
{
	refresh_events_t *ring = refresh_events_new(1 << 20);
	dns_name_t apex;

	cr_assert(dns_name_from_text("z12345.example.", &apex) == ST_OK);
	for (unsigned n = 0; n < NOTED; n++)
		refresh_events_note(ring, &(refresh_event_t){ .code = REFRESH_EVENT_CURRENT,
		                                              .apex = apex.wire,
		                                              .has_serial = true,
		                                              .primary = "hidden" });
	cr_expect(gt(sz, refresh_events_count(ring), (1u << 20) / 64));
	refresh_events_free(ring);
}

Test(refresh_events, each_has_words)
{
	for (unsigned code = 0; code < REFRESH_EVENT_CODES; code++) {
		const char *text = refresh_event_text((refresh_event_code_t)code);

		cr_expect(text[0] != '?' && text[0] != '\0', "%u", code);
		for (unsigned other = 0; other < code; other++)
			cr_expect(strcmp(text, refresh_event_text((refresh_event_code_t)other)) !=
			          0);
	}
}
