/* tests/unit/zone/test_set.c - the zone of a name, and the swap under readers. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/addr.h"
#include "dns/wire.h"
#include "support/zones.h"
#include "zone/set.h"

TestSuite(zone_set, .timeout = 60);

static zone_slot_t *add(zone_set_t *set, const char *apex)
{
	dns_name_t n = zones_name(apex);
	zone_slot_t *slot = NULL;

	cr_assert(eq(int, zone_set_add(set, &n, NULL, NULL, &slot), ST_OK), "%s", apex);
	cr_assert(eq(int, zone_set_commit(set), ST_OK));
	return slot;
}

static const zone_slot_t *find(const zone_set_t *set, const char *name, bool for_ds)
{
	dns_name_t n = zones_name(name);
	zone_hashes_t h;

	zone_hash_name(zone_set_key(set), &n, &h);
	return zone_set_find(set, &n, &h, for_ds);
}

Test(zone_set, finds_the_closest_enclosing_zone)
{
	epoch_t *e = epoch_new(0);
	zone_set_t *set = zone_set_new(e);
	zone_slot_t *com = add(set, "com."), *a = add(set, "a.com."),
		    *deep = add(set, "x.y.a.com.");
	dns_name_t again = zones_name("a.com.");
	zone_slot_t *none = NULL;

	cr_expect(find(set, "a.com.", false) == a);
	cr_expect(find(set, "www.a.com.", false) == a);
	cr_expect(find(set, "y.a.com.", false) == a);
	cr_expect(find(set, "x.y.a.com.", false) == deep);
	cr_expect(find(set, "b.com.", false) == com);
	cr_expect(find(set, "com.", false) == com);
	cr_expect(find(set, "net.", false) == NULL);
	cr_expect(find(set, ".", false) == NULL);
	cr_expect(find(set, "a.com.", true) == com, "DS belongs to the parent");
	cr_expect(find(set, "www.a.com.", true) == a);
	cr_expect(find(set, "com.", true) == com, "no parent here: its own");
	cr_expect(eq(int, zone_set_add(set, &again, NULL, NULL, &none), ST_EXIST));
	zone_slot_t *root = add(set, ".");
	cr_expect(find(set, "net.", false) == root);
	cr_expect(find(set, "com.", true) == root);
	cr_expect(eq(sz, zone_set_count(set), 4));
	zone_set_free(set);
	epoch_free(e);
}

Test(zone_set, finds_each_of_ten_thousand_zones)
{
	epoch_t *e = epoch_new(0);
	zone_set_t *set = zone_set_new(e);
	static zone_slot_t *slot[10000];
	char name[64];

	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "z%d.example.", i);
		slot[i] = add(set, name);
	}
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "www.z%d.example.", i);
		cr_assert(find(set, name, false) == slot[i], "%s", name);
	}
	cr_expect(find(set, "z10000.example.", false) == NULL);
	zone_set_free(set);
	epoch_free(e);
}

Test(zone_set, serves_a_version_until_it_expires_and_again_after)
{
	epoch_t *e = epoch_new(0);
	zone_set_t *set = zone_set_new(e);
	zone_slot_t *slot = add(set, "z.");
	const zone_version_t *v;
	zone_version_t *one = zones_version(zone_set_key(set), "z.", "@ SOA a b 1 2 3 4 5\n");
	zone_version_t *two = zones_version(zone_set_key(set), "z.", "@ SOA a b 2 2 3 4 5\n");

	cr_expect(eq(int, zone_slot_read(slot, &v), ZONE_STATE_EMPTY));
	cr_expect(v == NULL);
	cr_expect(eq(int, zone_set_publish(set, slot, one, NULL), ST_OK));
	cr_expect(eq(int, zone_slot_read(slot, &v), ZONE_STATE_SERVED));
	cr_expect(v == one);
	zone_set_expire(slot, true);
	cr_expect(eq(int, zone_slot_read(slot, &v), ZONE_STATE_EXPIRED));
	cr_expect(v == NULL);
	cr_expect(zone_slot_version(slot) == one, "the data is kept");
	cr_expect(eq(int, zone_set_publish(set, slot, two, two), ST_STALE));
	cr_expect(eq(int, zone_set_publish(set, slot, two, one), ST_OK));
	cr_expect(eq(int, zone_slot_read(slot, &v), ZONE_STATE_SERVED));
	cr_expect(v == two);
	zone_set_free(set);
	epoch_free(e);
}

/* --- zones that come and go --------------------------------------------------------------------- */

enum { NAMES = 600 };

static void zone_name(unsigned i, char out[64])
{
	static const char *const tops[] = { "", "org.", "a.org.", "b.a.org." };

	if (i < 4)
		snprintf(out, 64, "%s", i == 0 ? "." : tops[i]);
	else
		snprintf(out, 64, "z%u.%s", i / 4, tops[i % 4]);
}

/* Against a plain list, which names the longest apex that the name ends with. */
Test(zone_set, follows_zones_that_come_and_go)
{
	static zone_slot_t *slot[NAMES];
	static const zone_slot_t *seen[NAMES]; /* as of the last commit */
	char name[64], asked[80];

	for (unsigned seed = 1; seed <= 10; seed++) {
		epoch_t *e = epoch_new(0);
		zone_set_t *set = zone_set_new(e);

		srand(seed);
		memset(slot, 0, sizeof slot);
		for (unsigned round = 0; round < 60; round++) {
			unsigned changes = (unsigned)rand() % 200;

			for (unsigned i = 0; i < changes; i++) {
				unsigned n = (unsigned)rand() % NAMES;

				zone_name(n, name);
				dns_name_t apex = zones_name(name);
				if (!slot[n])
					cr_assert(zone_set_add(set, &apex, NULL, NULL, &slot[n]) ==
					          ST_OK);
				else if (seen[n] == slot[n] && round % 3 > 0) {
					cr_assert(zone_set_remove(set, slot[n]) == ST_OK);
					slot[n] = NULL;
					seen[n] = NULL;
					i = changes; /* one removal of a name in a commit */
				}
			}
			cr_assert(zone_set_commit(set) == ST_OK);
			epoch_reclaim(e);
			memcpy(seen, slot, sizeof seen);
			size_t count = 0;
			for (unsigned n = 0; n < NAMES; n++) {
				unsigned top = n >= 4 && !slot[n] ? n % 4 : n;

				count += slot[n] != NULL;
				zone_name(n, name);
				snprintf(asked, sizeof asked, "www.%s", n == 0 ? "" : name);
				while (top > 0 && !slot[top])
					top--;
				cr_assert(find(set, asked, false) == slot[top], "seed %u: %s", seed,
				          asked);
			}
			cr_assert(eq(sz, zone_set_count(set), count));
		}
		zone_set_free(set);
		epoch_free(e);
	}
}

/* A commit may come between two steps of a batch, and change the size of the table, and the depths. */
Test(zone_set, is_asked_ahead_while_zones_come)
{
	epoch_t *e = epoch_new(0);
	zone_set_t *set = zone_set_new(e);
	dns_name_t q = zones_name("www.z1.org.");
	zone_set_ahead_t ahead;
	zone_hashes_t h;
	char name[64];

	memset(&ahead, 0xff, sizeof ahead);
	zone_hash_name(zone_set_key(set), &q, &h);
	add(set, "org.");
	for (unsigned round = 0; round < 6; round++) {
		zone_set_prefetch(set, &q, &h, 0, &ahead);
		for (unsigned i = 0; i < 40; i++) {
			snprintf(name, sizeof name, "z%u.%sorg.", round * 40 + i,
			         round % 2 ? "b." : "");
			add(set, name);
		}
		for (unsigned step = 1; step < ZONE_SET_PREFETCH_STEPS; step++)
			zone_set_prefetch(set, &q, &h, step, &ahead);
	}
	cr_expect(find(set, "www.z1.org.", false) != NULL);
	zone_set_free(set);
	epoch_free(e);
}

Test(zone_set, shows_nothing_before_the_commit)
{
	epoch_t *e = epoch_new(0);
	zone_set_t *set = zone_set_new(e);
	zone_slot_t *org = add(set, "org."), *a = NULL;
	dns_name_t apex = zones_name("a.org.");
	const zone_version_t *v;

	cr_assert(
		zone_set_publish(set, org,
	                         zones_version(zone_set_key(set), "org.", "@ SOA a b 1 2 3 4 5\n"),
	                         NULL) == ST_OK);
	cr_assert(zone_set_add(set, &apex, NULL, NULL, &a) == ST_OK);
	cr_assert(zone_set_remove(set, org) == ST_OK);
	cr_expect(find(set, "www.a.org.", false) == org);
	cr_expect(eq(int, zone_slot_read(org, &v), ZONE_STATE_SERVED), "as long as it is seen");
	cr_assert(zone_set_commit(set) == ST_OK);
	cr_expect(find(set, "www.a.org.", false) == a);
	cr_expect(find(set, "www.org.", false) == NULL);
	epoch_reclaim(e);
	cr_assert(zone_set_remove(set, a) == ST_OK);
	zone_set_free(set);
	epoch_free(e);
}

/* --- the swap: readers look while the writer replaces; run under TSan ------------------------ */

enum { READERS = 3, SWAPS = 3000 };

static zone_set_t *shared;
static zone_slot_t *shared_slot;
static _Atomic bool stop;
static _Atomic unsigned readers_awake; /* that have looked once */

static void *reader(void *arg)
{
	epoch_reader_t *r = arg;
	dns_name_t n = zones_name("www.z.");
	uint32_t last = 0;
	zone_hashes_t h;
	bool looked = false;

	zone_hash_name(zone_set_key(shared), &n, &h);
	while (!atomic_load(&stop)) {
		const zone_version_t *v;
		zone_lookup_t l;
		zone_rrset_t set;

		epoch_online(r);
		for (int i = 0; i < 20; i++) {
			cr_assert(zone_slot_read(shared_slot, &v) == ZONE_STATE_SERVED);
			zone_version_lookup(v, &n, &h, false, &l);
			cr_assert(l.found == ZONE_FOUND);
			cr_assert(zone_node_rrset(v, l.node, DNS_TYPE_A, &set));
			/* The address is the serial: SOA and data are of one version. */
			uint32_t serial = get_u32(set.wire + 12);
			cr_assert(serial == zone_version_soa(v)->serial);
			cr_assert(serial >= last);
			last = serial;
			if (!looked)
				atomic_fetch_add(&readers_awake, 1);
			looked = true;
			epoch_quiescent(r);
		}
		epoch_offline(r);
	}
	return NULL;
}

static zone_version_t *numbered(uint32_t serial)
{
	char text[120];

	snprintf(text, sizeof text, "@ SOA a b %u 2 3 4 5\nwww A %u.%u.%u.%u\n", serial,
	         serial >> 24, serial >> 16 & 255, serial >> 8 & 255, serial & 255);
	return zones_version(zone_set_key(shared), "z.", text);
}

Test(zone_set, swaps_under_readers_who_see_one_version_whole)
{
	epoch_t *e = epoch_new(READERS);
	pthread_t thread[READERS];

	shared = zone_set_new(e);
	shared_slot = add(shared, "z.");
	cr_assert(zone_set_publish(shared, shared_slot, numbered(1), NULL) == ST_OK);
	for (size_t i = 0; i < READERS; i++)
		pthread_create(&thread[i], NULL, reader, epoch_reader(e, i));
	/* On to the end of the swaps, and until the last reader was given a processor. */
	for (uint32_t serial = 2; serial < SWAPS || atomic_load(&readers_awake) < READERS;
	     serial++) {
		cr_assert(zone_set_publish(shared, shared_slot, numbered(serial), NULL) == ST_OK);
		epoch_reclaim(e);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	cr_expect(eq(sz, epoch_reclaim(e), 0), "everyone is offline: nothing may wait");
	zone_set_free(shared);
	epoch_free(e);
}

/* What was not committed can be taken back, whatever it was, and then be done. */
Test(zone_set, takes_back_what_was_not_committed)
{
	epoch_t *e = epoch_new(0);
	zone_set_t *set = zone_set_new(e);
	zone_slot_t *slot[300], *more;
	char name[64];

	zone_set_undo(set);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "z%d.example.", i);
		slot[i] = add(set, name);
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 300; i++) {
			dns_name_t n;

			snprintf(name, sizeof name, "new%d.test.", i);
			n = zones_name(name);
			cr_assert(eq(int, zone_set_add(set, &n, NULL, NULL, &more), ST_OK));
			if (i % 3 == 0)
				cr_assert(zone_set_remove(set, slot[i]) == ST_OK);
		}
		if (round == 0)
			zone_set_undo(set);
		else
			cr_assert(zone_set_commit(set) == ST_OK);
		cr_expect(eq(sz, zone_set_count(set), round == 0 ? 300 : 500));
		for (int i = 0; i < 300; i++) {
			snprintf(name, sizeof name, "z%d.example.", i);
			cr_expect(
				eq(int, find(set, name, false) != NULL, round == 0 || i % 3 != 0));
			snprintf(name, sizeof name, "www.new%d.test.", i);
			cr_expect(eq(int, find(set, name, false) != NULL, round == 1));
		}
	}
	cr_expect(zone_slot_user(slot[0]) == NULL, "it was removed");
	zone_set_free(set);
	epoch_free(e);
}

Test(zone_set, has_who_may_notify_replaced)
{
	static const addr_acl_t before = { NULL, 0 }, after = { NULL, 0 };
	epoch_t *e = epoch_new(0);
	zone_set_t *set = zone_set_new(e);
	dns_name_t n = zones_name("a.test.");
	zone_slot_t *slot;
	int user = 0;

	cr_assert(eq(int, zone_set_add(set, &n, &before, &user, &slot), ST_OK));
	cr_assert(eq(int, zone_set_commit(set), ST_OK));
	cr_expect(zone_slot_notify(slot) == &before && zone_slot_user(slot) == &user);
	zone_slot_set_notify(slot, &after);
	zone_slot_set_user(slot, NULL);
	cr_expect(zone_slot_notify(slot) == &after && zone_slot_user(slot) == NULL);
	zone_set_free(set);
	epoch_free(e);
}
