/* tests/unit/zone/test_flood.c - names that all have the same hash (flat_hash.c): found all the
 * same, and a change among them writes no more than a path. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/wire.h"
#include "support/zones.h"
#include "zone/delta.h"
#include "zone/layout.h"
#include "zone/set.h"

enum { NAMES = 20000 };

TestSuite(zone_flood, .timeout = 120);

static void soa(uint32_t serial, dns_rr_t *rr)
{
	char line[64];

	sprintf(line, "@ SOA a b %u 1 1 1 1", serial);
	zones_record("z.", line, rr);
}

static void host(unsigned n, dns_rr_t *rr)
{
	char line[64];

	sprintf(line, "h%u A 192.0.2.1", n * 7919 % NAMES);
	zones_record("z.", line, rr);
}

static zone_version_t *flooded(dns_rr_t *rr)
{
	dns_name_t apex = zones_name("z.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	zone_version_t *v = NULL;

	soa(1, rr);
	cr_assert(zone_build_add(b, rr) == ST_OK);
	for (unsigned i = 0; i < NAMES; i++) {
		host(i, rr);
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	cr_assert(zone_build_seal(b, &v) == ST_OK);
	zone_build_free(b);
	return v;
}

static size_t octets(const zone_blocks_t *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		n += (size_t)list->block[i].units * ZONE_UNIT;
	return n;
}

Test(zone_flood, names_of_equal_hash_are_found_and_changed_by_a_path)
{
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_version_t *v = flooded(rr);

	cr_assert(zone_hash_child(&zones_key, 1, (const uint8_t *)"\1a") ==
	                  zone_hash_child(&zones_key, 2, (const uint8_t *)"\1b"),
	          "the hash is flat");
	for (unsigned i = 0; i < NAMES; i++) {
		char name[40];

		sprintf(name, "h%u.z.", i);
		cr_assert(eq(int, zones_lookup(v, name, false).found, ZONE_FOUND), "%s", name);
		sprintf(name, "x%u.z.", i);
		cr_assert(eq(int, zones_lookup(v, name, false).found, ZONE_NONE), "%s", name);
	}
	for (uint32_t serial = 1; serial < 500; serial++) {
		zone_delta_t *d = zone_delta_new(v, &zones_limits);
		zone_version_t *next = NULL;

		soa(serial, rr);
		cr_assert(zone_delta_remove(d, rr) == ST_OK);
		soa(serial + 1, rr);
		cr_assert(zone_delta_add(d, rr) == ST_OK);
		host(serial, rr);
		cr_assert(zone_delta_remove(d, rr) == ST_OK);
		cr_assert(zone_delta_seal(d, &next) == ST_OK);
		zone_delta_free(d);
		/* A path down to the apex's page and one down to the host's: some thousand octets,
		 * and not the 20,000 names. */
		cr_assert(lt(sz, octets(&next->debts->taken), 12000), "%zu",
		          octets(&next->debts->taken));
		zone_version_succeed(v, next);
		zone_version_free(v);
		v = next;
	}
	char name[40];
	sprintf(name, "h%u.z.", 7919 % NAMES);
	cr_expect(eq(int, zones_lookup(v, name, false).found, ZONE_NONE), "it was removed");
	zone_version_free(v);
	free(rr);
}

/* The zones of a set lie in the same kind of table. */
Test(zone_flood, finds_zones_of_equal_hash)
{
	enum { ZONES = 5000 };
	static zone_slot_t *slot[ZONES];
	epoch_t *e = epoch_new(0);
	zone_set_t *set = zone_set_new(e);
	zone_hashes_t h;
	char name[40];

	for (unsigned i = 0; i < ZONES; i++) {
		sprintf(name, "h%u.z.", i);
		dns_name_t apex = zones_name(name);
		cr_assert(zone_set_add(set, &apex, NULL, NULL, &slot[i]) == ST_OK);
	}
	cr_assert(zone_set_commit(set) == ST_OK);
	for (unsigned i = 0; i < ZONES; i += 2)
		cr_assert(zone_set_remove(set, slot[i]) == ST_OK);
	cr_assert(zone_set_commit(set) == ST_OK);
	for (unsigned i = 0; i < ZONES; i++) {
		sprintf(name, "www.h%u.z.", i);
		dns_name_t q = zones_name(name);
		zone_hash_name(zone_set_key(set), &q, &h);
		cr_assert(zone_set_find(set, &q, &h, false) == (i % 2 ? slot[i] : NULL), "%s",
		          name);
	}
	zone_set_free(set);
	epoch_free(e);
}
