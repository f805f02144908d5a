/* tests/unit/zone/test_expiry.c - when the first signature runs out: counted when a zone is built, kept
 * up by deltas, and what a look at every signature says. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/wire.h"
#include "support/zones.h"
#include "zone/delta.h"
#include "zone/expiry.h"

TestSuite(zone_expiry, .timeout = 120);

static const wall_t NOW = { INT64_C(1800000000) };

/* A signature over A at name i; i - 1 of them is that of an NSEC3. */
static void sig(unsigned i, uint32_t expiration, dns_rr_t *rr)
{
	char text[64];

	sprintf(text, i % 7 == 0 ? "%032u.z." : "n%u.z.", i);
	*rr = (dns_rr_t){ .type = DNS_TYPE_RRSIG, .class = DNS_CLASS_IN, .ttl = 300, .rdlen = 24 };
	rr->owner = zones_name(text);
	memcpy(rr->rdata, "\0\1\10\1\0\0\1\x2c\0\0\0\0\0\0\0\0\0\1\1z\0sig", 24);
	put_u16(rr->rdata, i % 7 == 0 ? DNS_TYPE_NSEC3 : DNS_TYPE_A);
	put_u32(rr->rdata + 8, expiration);
}

static void soa(uint32_t serial, dns_rr_t *rr)
{
	char text[64];

	sprintf(text, "@ SOA a b %u 1 1 1 1", serial);
	zones_record("z.", text, rr);
}

/* --- the model: signature i runs out at expires[i]; 0: it isn't there ------------------------------- */

enum { SIGS = 6000, PADS = 20 };

static uint32_t expires[SIGS];
static unsigned present;

/* How expirations spread. */
typedef enum spread {
	SPREAD_ONE,   /* all at once */
	SPREAD_MONTH, /* as a zone that is signed bit by bit */
	SPREAD_ALL,   /* any time within 60 years: more units than a table has */
	SPREAD_WRAP,  /* a month around the wrap of 2106 */
	SPREADS,
} spread_t;

static uint32_t draw(spread_t spread)
{
	uint32_t now = (uint32_t)NOW.s, month = 30 * 86400;
	uint32_t random = (uint32_t)rand();

	switch (spread) {
	case SPREAD_ONE:
		return now + 1000;
	case SPREAD_MONTH:
		return now + random % month;
	case SPREAD_ALL:
		return now - 30 * 12 * month + random % (60 * 12 * month);
	case SPREAD_WRAP:
		return 0 - month / 2 + random % month;
	case SPREADS:
		break;
	}
	return 0;
}

static wall_t now_of(spread_t spread)
{
	return spread == SPREAD_WRAP ? (wall_t){ INT64_C(4294900000) } : NOW;
}

/* By a look at all: seconds from now; INT64_MAX: there is none. */
static int64_t first_of_all(wall_t now)
{
	int64_t first = INT64_MAX;

	for (unsigned i = 0; i < SIGS; i++) {
		uint32_t unit = expires[i] & ~UINT32_C(1023);

		if (expires[i] != 0 && (int32_t)(unit - (uint32_t)now.s) < first)
			first = (int32_t)(unit - (uint32_t)now.s);
	}
	return first;
}

static void expect_first(const zone_version_t *v, wall_t now, unsigned seed)
{
	int64_t want = first_of_all(now);
	wall_t got;

	cr_assert(eq(int, zone_version_expiry(v, now, &got), want != INT64_MAX), "seed %u", seed);
	if (want != INT64_MAX)
		cr_assert(eq(i64, got.s - now.s, want), "seed %u, %u signatures", seed, present);
}

static zone_version_t *fresh(bool large, dns_rr_t *rr)
{
	dns_name_t apex = zones_name("z.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	zone_version_t *v = NULL;

	soa(1, rr);
	cr_assert(zone_build_add(b, rr) == ST_OK);
	for (unsigned i = 0; i < SIGS; i++) {
		sig(i, expires[i], rr);
		if (expires[i] != 0)
			cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	sig(1, 1, rr);
	rr->type = 65280;
	rr->rdlen = 60000;
	for (unsigned i = 0; large && i < PADS; i++) {
		rr->rdata[0] = (uint8_t)i;
		cr_assert(zone_build_add(b, rr) == ST_OK);
	}
	cr_assert(zone_build_seal(b, &v) == ST_OK);
	zone_build_free(b);
	return v;
}

/* Flip signatures, those first that run out next: as a signer does. */
static void change(zone_delta_t *d, unsigned changes, spread_t spread, dns_rr_t *rr)
{
	for (unsigned n = 0; n < changes; n++) {
		unsigned i = (unsigned)rand() % SIGS;

		sig(i, expires[i], rr);
		if (expires[i] != 0)
			cr_assert(zone_delta_remove(d, rr) == ST_OK);
		present -= expires[i] != 0;
		expires[i] = expires[i] != 0 && rand() % 3 == 0 ? 0 : draw(spread);
		sig(i, expires[i], rr);
		if (expires[i] != 0)
			cr_assert(zone_delta_add(d, rr) == ST_OK);
		present += expires[i] != 0;
	}
}

/* All that have run out. */
static void sweep(zone_delta_t *d, wall_t now, dns_rr_t *rr)
{
	for (unsigned i = 0; i < SIGS; i++) {
		if (expires[i] == 0 || (int32_t)(expires[i] - (uint32_t)now.s) > 0)
			continue;
		sig(i, expires[i], rr);
		cr_assert(zone_delta_remove(d, rr) == ST_OK);
		expires[i] = 0;
		present--;
	}
}

static zone_version_t *next_of(zone_version_t *v, unsigned round, spread_t spread, dns_rr_t *rr)
{
	zone_delta_t *d = zone_delta_new(v, &zones_limits);
	zone_version_t *next = NULL;

	soa(round, rr);
	cr_assert(zone_delta_remove(d, rr) == ST_OK);
	soa(round + 1, rr);
	cr_assert(zone_delta_add(d, rr) == ST_OK);
	if (round % 8 == 5)
		sweep(d, now_of(spread), rr);
	else
		change(d, (unsigned)rand() % 300, spread, rr);
	cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK));
	zone_delta_free(d);
	zone_version_succeed(v, next);
	zone_version_free(v);
	return next;
}

static void run(unsigned seed, spread_t spread, bool large)
{
	dns_rr_t *rr = malloc(sizeof *rr);

	srand(seed);
	present = 0;
	for (unsigned i = 0; i < SIGS; i++) {
		expires[i] = rand() % 3 ? draw(spread) : 0;
		present += expires[i] != 0;
	}
	zone_version_t *v = fresh(large, rr);
	expect_first(v, now_of(spread), seed);
	for (unsigned round = 1; round < 20; round++) {
		v = next_of(v, round, spread, rr);
		expect_first(v, now_of(spread), seed);
		if (round % 6 == 0) {
			zone_version_t *same = fresh(large, rr);

			expect_first(same, now_of(spread), seed);
			zone_version_free(same);
		}
	}
	zone_version_free(v);
	free(rr);
}

Test(zone_expiry, of_builds_and_deltas_is_what_a_look_at_all_says)
{
	for (unsigned seed = 1; seed <= 3; seed++) {
		for (spread_t spread = 0; spread < SPREADS; spread++) {
			run(seed, spread, false);
			run(seed, spread, true);
		}
	}
}

/* A signer that replaces what runs out next: sooner or later, all but the cut end of a table. */
Test(zone_expiry, of_a_table_that_is_used_up_is_counted_anew)
{
	dns_rr_t *rr = malloc(sizeof *rr);
	uint32_t step = 2048;

	for (unsigned i = 0; i < SIGS; i++)
		expires[i] = (uint32_t)NOW.s + i * step;
	zone_version_t *v = fresh(true, rr);
	for (unsigned first = 0, round = 1; first + 500 < SIGS; first += 500, round++) {
		zone_delta_t *d = zone_delta_new(v, &zones_limits);
		zone_version_t *next = NULL;

		for (unsigned i = first; i < first + 500; i++) {
			sig(i, expires[i], rr);
			cr_assert(zone_delta_remove(d, rr) == ST_OK);
			expires[i] = 0;
		}
		cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK));
		zone_delta_free(d);
		zone_version_succeed(v, next);
		zone_version_free(v);
		v = next;
		expect_first(v, NOW, round);
	}
	zone_version_free(v);
	free(rr);
}

/* All that a cut table had goes, and one comes after that: names are worked through before the owners
 * of NSEC3. */
Test(zone_expiry, of_a_cut_table_that_is_emptied_begins_anew)
{
	dns_rr_t *rr = malloc(sizeof *rr);
	wall_t out;

	for (unsigned i = 0; i < SIGS; i++)
		expires[i] = i % 7 ? (uint32_t)NOW.s + i * 2048 : 0;
	for (int large = 0; large < 2; large++) {
		zone_version_t *v = fresh(large, rr), *next;
		zone_delta_t *d = zone_delta_new(v, &zones_limits);

		for (unsigned i = 0; i < SIGS; i++) {
			sig(i, expires[i], rr);
			if (expires[i] != 0)
				cr_assert(zone_delta_remove(d, rr) == ST_OK);
		}
		sig(7, (uint32_t)NOW.s + 5000, rr);
		cr_assert(zone_delta_add(d, rr) == ST_OK);
		cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK));
		cr_assert(zone_version_expiry(next, NOW, &out));
		cr_expect(eq(i64, out.s, (NOW.s + 5000) & ~INT64_C(1023)));
		zone_delta_free(d);
		zone_version_free(next);
		zone_version_free(v);
	}
	free(rr);
}

/* --- what it takes ------------------------------------------------------------------------------- */

#define PLAIN "@ SOA a b 1 2 3 4 5\n@ NS ns.\nwww A 192.0.2.1\n"

Test(zone_expiry, takes_nothing_unsigned_and_a_few_octets_signed)
{
	static const char *const signatures = PLAIN
		"www RRSIG A 8 2 300 20300101000000 20200101000000 1 z. AAAA\n"
		"@ RRSIG SOA 8 1 300 20300101000000 20200101000000 1 z. AAAA\n";
	zone_version_t *plain = zones_version(&zones_key, "z.", PLAIN);
	zone_version_t *with = zones_version(&zones_key, "z.", signatures);
	wall_t out;

	cr_expect(not(zone_version_expiry(plain, NOW, &out)));
	cr_expect(eq(int, (int)plain->root.expiry, 0));
	cr_expect(zone_version_expiry(with, NOW, &out));
	cr_expect(eq(i64, out.s, INT64_C(1893456000) & ~INT64_C(1023)));
	const zone_expiry_table_t *table =
		(const void *)(with->base + (size_t)with->root.expiry * ZONE_UNIT);
	cr_expect(eq(int, table->count, 1));
	cr_expect(eq(u32, table->unit[0].count, 2));
	cr_expect(eq(sz, sizeof *table + sizeof table->unit[0], 16));
	zone_version_free(plain);
	zone_version_free(with);
}
