/* tests/unit/zone/test_faults.c - each allocation of a build, of a delta, of packing and reading
 * back refused in turn: the failure is told, nothing leaks, and what is served stays as it is.
 *
 * The linker turns malloc and its relatives into the functions below. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "support/zones.h"
#include "zone/delta.h"
#include "zone/gates.h"
#include "zone/layout.h"
#include "zone/pack.h"
#include "zone/unpack.h"

TestSuite(zone_faults, .timeout = 120);

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off);
int __real_mprotect(void *at, size_t len, int prot);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off);
int __wrap_mprotect(void *at, size_t len, int prot);

static long countdown = -1; /* until one is refused; -1: none will be */
static bool stay;           /* and all after it as well */
static bool refused;        /* one was, since it was cleared */

static bool refuse(void)
{
	if (countdown < 0)
		return false;
	if (countdown > 0)
		return countdown-- == 0;
	if (!stay)
		countdown = -1;
	refused = true;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return refuse() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuse() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return refuse() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return refuse() ? NULL : __real_reallocarray(p, n, size);
}

void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	return refuse() ? MAP_FAILED : __real_mmap(at, len, prot, flags, fd, off);
}

int __wrap_mprotect(void *at, size_t len, int prot)
{
	return refuse() ? -1 : __real_mprotect(at, len, prot);
}

/* Records made beforehand, so that only zone/ allocates while refusals are on. */
enum { HOSTS = 200, BIG = 25 };

static dns_rr_t *records[HOSTS + BIG + 2];
static size_t record_count;

static void make_records(bool large)
{
	char line[80];

	record_count = 0;
	for (int i = 0; i < HOSTS; i++) {
		dns_rr_t *rr = malloc(sizeof *rr);

		snprintf(line, sizeof line,
		         i % 3 == 0 ? "a.b.h%d MX 1 h%d"
		         : i % 3 == 1
		                 ? "h%d A 192.0.2.1"
		                 : "h%d RRSIG A 8 2 300 20300101000000 20200101000000 1 z. AA==",
		         i, i);
		zones_record("z.", i == 0 ? "@ SOA a b 1 1 1 1 1" : line, rr);
		records[record_count++] = rr;
	}
	for (int i = 0; large && i < BIG; i++) {
		dns_rr_t *rr = malloc(sizeof *rr);

		*rr = *records[1];
		rr->type = 65280;
		rr->rdlen = 50000;
		rr->rdata[0] = (uint8_t)i;
		records[record_count++] = rr;
	}
}

static void drop_records(void)
{
	while (record_count > 0)
		free(records[--record_count]);
}

static status_t build(zone_version_t **out)
{
	dns_name_t apex;
	status_t st = dns_name_from_text("z", &apex);
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);

	*out = NULL;
	if (!b)
		return ST_NOMEM;
	for (size_t i = 0; i < record_count && st == ST_OK; i++)
		st = zone_build_add(b, records[i]);
	if (st == ST_OK)
		st = zone_build_seal(b, out);
	zone_build_free(b);
	return st;
}

/* Half of the hosts go, and the SOA is another. */
static status_t change(const zone_version_t *base, const dns_rr_t *soa, zone_version_t **out)
{
	zone_delta_t *d = zone_delta_new(base, &zones_limits);
	status_t st = d ? zone_delta_remove(d, records[0]) : ST_NOMEM;

	*out = NULL;
	if (st == ST_OK)
		st = zone_delta_add(d, soa);
	for (size_t i = 1; i < HOSTS && st == ST_OK; i += 2)
		st = zone_delta_remove(d, records[i]);
	if (st == ST_OK)
		st = zone_delta_seal(d, out);
	zone_delta_free(d);
	return st;
}

static unsigned refused_builds(bool forever)
{
	for (long n = 0;; n++) {
		zone_version_t *v;

		stay = forever;
		refused = false;
		countdown = n;
		status_t st = build(&v);
		bool over = !refused;
		countdown = -1;
		if (over) {
			cr_assert(eq(int, st, ST_OK));
			zone_version_free(v);
			return (unsigned)n;
		}
		/* One refusal may be got over by another try; a standing one may not. */
		cr_assert(st == ST_NOMEM || (!forever && st == ST_OK), "%ld: %s", n,
		          status_text(st));
		cr_assert(eq(int, v != NULL, st == ST_OK), "%ld", n);
		zone_version_free(v);
	}
}

Test(zone_faults, a_build_that_is_refused_memory_says_so)
{
	for (int large = 0; large < 2; large++) {
		make_records(large);
		cr_expect(gt(int, (int)refused_builds(true), 15));
		cr_expect(gt(int, (int)refused_builds(false), 15));
		drop_records();
	}
}

/* Pack v, and read each chunk back at once; begin says that there is room for nothing, if it is to
 * lie. */
static status_t read_by(zone_unpack_t *u, const zone_version_t *v, bool lie, zone_version_t **out)
{
	static uint8_t chunk[2000000];
	zone_pack_t *p = zone_pack_new(v);
	status_t st = u && p ? ST_OK : ST_NOMEM;
	const uint8_t *octets;
	size_t len;

	*out = NULL;
	while (st == ST_OK && (st = zone_pack_next(p, &octets, &len)) == ST_OK) {
		memcpy(chunk, octets, len);
		if (lie && chunk[0] == ZONE_PACK_BEGIN)
			memset(chunk + 9, 0, 8);
		st = zone_unpack_feed(u, chunk, len);
	}
	if (st == ST_NOENT)
		st = zone_unpack_seal(u, out);
	zone_pack_free(p);
	return st;
}

/* Who was refused memory can have the next zone, if there is some again: one that needs all its lists. */
static void once_more(zone_unpack_t *u)
{
	const dns_name_t apex = zones_name("z.");
	const long left = countdown;
	zone_version_t *got, *v;

	countdown = -1;
	v = zones_version(&zones_key, "z.",
	                  "@ SOA ns host 1 2 3 4 5\n@ NSEC3PARAM 1 0 0 -\na A 192.0.2.1\n"
	                  "2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 0 0 - "
	                  "2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n");
	zone_unpack_next(u, &apex, &zones_limits);
	cr_assert(eq(int, read_by(u, v, false, &got), ST_OK));
	cr_expect(eq(u64, zones_digest(got), zones_digest(v)));
	zone_version_free(got);
	zone_version_free(v);
	countdown = left;
}

static status_t go_round(const zone_version_t *v, bool lie, zone_version_t **out)
{
	const dns_name_t apex = zones_name("z.");
	zone_unpack_t *u = zone_unpack_new(&zones_key, &apex, &zones_limits);
	const status_t st = read_by(u, v, lie, out);

	if (u && st != ST_OK)
		once_more(u);
	zone_unpack_free(u);
	return st;
}

Test(zone_faults, a_round_trip_that_is_refused_memory_says_so)
{
	for (int large = 0; large < 2; large++) {
		zone_version_t *v, *got;
		bool over = false;
		long n;

		make_records(large);
		cr_assert(build(&v) == ST_OK);
		for (n = 0; !over; n++) {
			stay = n % 2;
			refused = false;
			countdown = n / 2;
			status_t st = go_round(v, large, &got);
			over = !refused;
			countdown = -1;
			cr_assert(st == ST_NOMEM || (st == ST_OK && (over || !stay)), "%ld: %s", n,
			          status_text(st));
			cr_assert(eq(int, got != NULL, st == ST_OK));
			if (got)
				cr_assert(eq(u64, zone_version_records(got),
				             zone_version_records(v)));
			zone_version_free(got);
		}
		cr_expect(gt(long, n, 30));
		zone_version_free(v);
		drop_records();
	}
}

static uint64_t look_at(const zone_version_t *v)
{
	uint64_t sum = v->root.records * 1000003 + v->root.soa.serial;

	for (int i = 1; i < HOSTS; i++) {
		char name[40];

		snprintf(name, sizeof name, i % 3 ? "h%d.z." : "a.b.h%d.z.", i);
		sum = sum * 31 + (unsigned)zones_lookup(v, name, false).found;
	}
	return sum;
}

Test(zone_faults, a_delta_that_is_refused_memory_leaves_its_base_whole)
{
	dns_rr_t *soa = malloc(sizeof *soa);

	zones_record("z.", "@ SOA a b 2 1 1 1 1", soa);
	for (int large = 0; large < 2; large++) {
		zone_version_t *v, *next;
		bool over = false;

		make_records(large);
		cr_assert(build(&v) == ST_OK);
		uint64_t before = look_at(v);
		for (long n = 0; !over; n++) {
			stay = n % 2;
			refused = false;
			countdown = n / 2;
			status_t st = change(v, soa, &next);
			over = !refused;
			countdown = -1;
			cr_assert(st == ST_NOMEM || st == ST_OK, "%ld: %s", n, status_text(st));
			cr_assert(eq(int, next != NULL, st == ST_OK));
			cr_assert(eq(u64, look_at(v), before), "%ld", n);
			if (next)
				cr_assert(ne(u64, look_at(next), before), "%ld", n);
			zone_version_free(next);
			cr_assert(eq(u64, look_at(v), before), "%ld", n);
		}
		zone_version_free(v);
		drop_records();
	}
	free(soa);
}

/* Look a version over that has a DNAME, a chain and a digest, which all want memory. */
static status_t look_over(const zone_build_t *b, const zone_version_t *v)
{
	static const zone_gates_t gates = { .zonemd = ZONE_DIGEST_REQUIRED,
		                            .max_iterations = 2500 };
	zone_faults_t faults;
	zone_verdict_t verdict;
	status_t st = zone_build_check(b, v, &faults);

	if (st == ST_OK)
		st = zone_gates_judge(&gates, v, &faults, 0, (wall_t){ 0 }, &verdict);
	if (st == ST_OK)
		cr_expect(eq(int, verdict.refused, ZONE_GATE_ZONEMD));
	return st;
}

Test(zone_faults, gates_that_are_refused_memory_say_so)
{
	const char *lines =
		"@ SOA a b 7 1 1 1 1\n@ NSEC d NS\nd NSEC z. A\nd DNAME t.\nx.d A 192.0.2.1\n"
		"@ ZONEMD 7 1 1 00000000000000000000000000000000000000000000000000000000"
		"0000000000000000000000000000000000000000\n";
	dns_name_t apex = zones_name("z.");
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	zone_version_t *v = NULL;
	unsigned failed = 0;

	cr_assert(eq(int, zones_feed(b, "z.", lines), ST_OK));
	cr_assert(eq(int, zone_build_seal(b, &v), ST_OK));
	stay = true;
	for (long n = 0;; n++) {
		refused = false;
		countdown = n;
		status_t st = look_over(b, v);
		countdown = -1;
		if (!refused) {
			cr_expect(eq(int, st, ST_OK));
			break;
		}
		cr_expect(st == ST_NOMEM || st == ST_OK, "%ld", n);
		failed += st == ST_NOMEM;
	}
	cr_expect(gt(uint, failed, 4));
	zone_version_free(v);
	zone_build_free(b);
}
