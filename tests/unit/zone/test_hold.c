/* tests/unit/zone/test_hold.c - what is held stays as it was, whatever is published over it; and
 * afterwards its memory is used again. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/siphash.h"
#include "dns/wire.h"
#include "support/zones.h"
#include "zone/delta.h"
#include "zone/hold.h"
#include "zone/layout.h"

TestSuite(zone_hold, .timeout = 60);

enum { MANY = 30000 }; /* names: too many for one piece */

static zone_version_t *zone_of(unsigned names)
{
	char *lines = malloc((size_t)names * 40 + 200), *p = lines;
	zone_version_t *v;

	p += sprintf(p, "@ SOA ns1 h 1 3600 600 86400 300\n@ NS ns1\nns1 A 192.0.2.1\n");
	for (unsigned i = 0; i < names; i++)
		p += sprintf(p, "h%u A 10.%u.%u.1\n", i, i >> 8, i & 255);
	v = zones_version(&zones_key, "example.", lines);
	free(lines);
	return v;
}

/* A digest of every name, RRset and RDATA, in order. */
static uint64_t digest(const zone_version_t *v)
{
	const siphash_key_t key = { 1, 2 };
	zone_walk_t *w = zone_walk_new(v, false);
	const zone_node_t *node;
	uint8_t rdata[65535];
	uint64_t h = 0;

	cr_assert(w != NULL);
	while ((node = zone_walk_next(w))) {
		zone_rrset_t set;
		dns_name_t name;

		zone_node_name(v, node, &name);
		h = siphash13_chain(&key, h, name.wire, name.len);
		for (bool more = zone_node_first(v, node, &set); more;
		     more = zone_node_next(v, node, &set)) {
			const uint8_t *at = set.wire;

			for (unsigned i = 0; i < (unsigned)set.count + set.sig_count; i++) {
				uint16_t type;
				uint32_t ttl;
				size_t len =
					zone_rrset_take(v, node, &set, &at, &type, &ttl, rdata);

				h = siphash13_chain(&key, h ^ type ^ ttl, rdata, len);
			}
		}
	}
	zone_walk_free(w);
	return h;
}

/* The version after v: another SOA, and so many names with another address. */
static zone_version_t *changed(const zone_version_t *v, uint32_t serial, unsigned names)
{
	zone_delta_t *d = zone_delta_new(v, &zones_limits);
	static dns_rr_t rr;
	zone_version_t *next;
	char line[100];

	for (unsigned step = 0; step < 2; step++) {
		status_t (*put)(zone_delta_t *, const dns_rr_t *) = step == 0 ? zone_delta_remove
		                                                              : zone_delta_add;

		snprintf(line, sizeof line, "@ SOA ns1 h %u 3600 600 86400 300", serial + step - 1);
		zones_record("example.", line, &rr);
		cr_assert(eq(int, put(d, &rr), ST_OK));
		for (unsigned i = 0; i < names; i++) {
			unsigned low = serial + step - 1;

			snprintf(line, sizeof line, "h%u A 10.%u.%u.%u", i, i >> 8, i & 255, low);
			zones_record("example.", line, &rr);
			cr_assert(eq(int, put(d, &rr), ST_OK));
		}
	}
	cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK));
	zone_delta_free(d);
	return next;
}

/* Publish next over v, with nobody left who reads v. */
static zone_version_t *succeed(zone_version_t *v, zone_version_t *next)
{
	zone_version_succeed(v, next);
	zone_version_free(v);
	return next;
}

Test(zone_hold, of_a_small_zone_is_a_copy)
{
	zone_version_t *v = zone_of(5);
	uint64_t was = digest(v);
	zone_hold_t *h = zone_hold_new(v);

	cr_assert(v->arena == NULL);
	v = succeed(v, changed(v, 2, 5));
	zone_version_free(v);
	cr_expect(eq(u64, digest(zone_hold_version(h)), was));
	zone_hold_free(h);
	zone_hold_free(NULL);
}

Test(zone_hold, stays_as_it_was_through_versions_that_share_its_arena)
{
	zone_version_t *v = zone_of(MANY);
	uint64_t was = digest(v);
	zone_arena_t *arena = v->arena;
	zone_hold_t *h = zone_hold_new(v);

	cr_assert(arena != NULL);
	for (uint32_t serial = 2; serial < 40; serial++) {
		v = succeed(v, changed(v, serial, 300));
		cr_assert(v->arena == arena, "they share it");
		cr_assert(eq(u64, digest(zone_hold_version(h)), was), "serial %u", serial);
	}
	zone_version_free(v);
	cr_expect(eq(u64, digest(zone_hold_version(h)), was), "and beyond the zone's end");
	zone_hold_free(h);
}

Test(zone_hold, costs_memory_only_as_long_as_it_lasts)
{
	zone_version_t *v = zone_of(MANY);
	zone_hold_t *h = zone_hold_new(v);
	zone_arena_t *arena = v->arena;
	uint32_t serial = 2;

	size_t before = zone_arena_used(arena);
	for (unsigned n = 0; n < 10; n++, serial++)
		v = succeed(v, changed(v, serial, 300));
	size_t held = zone_arena_used(arena);
	cr_expect(gt(sz, held, before), "nothing was used again");
	zone_hold_free(h);
	v = succeed(v, changed(v, serial++, 300)); /* takes back all of it */
	held = zone_arena_used(arena);
	for (unsigned n = 0; n < 10; n++, serial++)
		v = succeed(v, changed(v, serial, 300));
	cr_expect(v->arena == arena);
	cr_expect(eq(sz, zone_arena_used(arena), held), "what was held back is used now");
	zone_version_free(v);
}

/* A hold may take all the room there is in an arena, as no other test does. */
Test(zone_hold, may_fill_the_arena_and_the_zone_goes_on_in_another)
{
	zone_version_t *v = zone_of(MANY);
	uint64_t was = digest(v);
	zone_hold_t *h = zone_hold_new(v);
	zone_arena_t *arena = v->arena;
	uint32_t serial = 2;

	for (; serial < 250 && v->arena == arena; serial++)
		v = succeed(v, changed(v, serial, 3000));
	cr_assert(v->arena != arena, "the old one is full");
	v = succeed(v, changed(v, serial, 3000));
	cr_expect(eq(u32, zone_version_soa(v)->serial, serial));
	cr_expect(eq(u64, zone_version_records(v), MANY + 3));
	cr_expect(eq(u64, digest(zone_hold_version(h)), was));
	zone_version_free(v);
	zone_hold_free(h);
}

/* --- what others may ask meanwhile --------------------------------------------------------------- */

typedef struct asker {
	const zone_version_t *v;
	_Atomic bool ends;
	_Atomic unsigned asked;
} asker_t;

static void *ask(void *arg)
{
	asker_t *a = arg;

	while (!atomic_load(&a->ends)) {
		if (zone_version_bytes(a->v) > 0)
			atomic_fetch_add(&a->asked, 1);
	}
	return NULL;
}

/* As the main thread does of a zone that a builder is at; ThreadSanitizer would tell. */
Test(zone_hold, size_of_a_version_may_be_asked_while_the_next_one_is_made)
{
	zone_version_t *v = zone_of(MANY);
	asker_t a = { .v = v };
	pthread_t thread;

	cr_assert(eq(int, pthread_create(&thread, NULL, ask, &a), 0));
	while (atomic_load(&a.asked) < 1000)
		zone_version_free(changed(v, 2, 300));
	atomic_store(&a.ends, true);
	pthread_join(thread, NULL);
	zone_version_free(v);
}
