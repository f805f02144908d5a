/* tests/unit/zone/test_unpack.c - whatever is read back is refused with its reason, or sound: what
 * is wrong, limits, faults, noise. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dns/wire.h"
#include "support/packs.h"
#include "zone/check.h"

TestSuite(zone_unpack, .timeout = 120);

#define SOA "@ SOA ns hm 7 3600 600 86400 60\n"

/* --- what is refused ---------------------------------------------------------------------------- */

/* Octets of a chunk, from string literals. */
#define HEAD(records)                                                                              \
	"\0"                                                                                       \
	"\0\0\0\0\0\0\0" records "\0\0\0\0\0\0\0\0"
#define APEX                                                                                       \
	"\0\0\1"                                                                                   \
	"\0\6\0\1\0\0"                                                                             \
	"\0\0\0\74"                                                                                \
	"\0\26" SOA_DATA
#define SOA_DATA "\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"
#define SET(type, n)                                                                               \
	"\0" type "\0" n "\0\0"                                                                    \
	"\0\0\0\74"
#define SIGS(type, n) "\0" type "\0\0\0" n "\0\0\0\74"
#define A_DATA(n)                                                                                  \
	"\0\4"                                                                                     \
	"\300\0\2" n
#define ONE_A "\0\1" SET("\1", "\1") A_DATA("\1")
#define NSEC3_DATA                                                                                 \
	"\0\7"                                                                                     \
	"\2\0\0\0\0\1x"
#define SIG_DATA(type)                                                                             \
	"\0\24"                                                                                    \
	"\0" type "\10\1\0\0\0\74"                                                                 \
	"\0\0\0\0\0\0\0\0"                                                                         \
	"\0\0"                                                                                     \
	"\0"                                                                                       \
	"s"
#define LABEL63     "\77aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define CHUNK(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
	const char *why;
	status_t feed, seal;
	struct {
		const uint8_t *octets;
		size_t len;
	} chunk[3];
} broken[] = {
	{ "the SOA", ST_OK, ST_OK, { { CHUNK(HEAD("\1") APEX) } } },
	{ "and a name", ST_OK, ST_OK, { { CHUNK(HEAD("\2") APEX "\2\1a" ONE_A) } } },
	{ "and another chunk",
	  ST_OK,
	  ST_OK,
	  { { CHUNK(HEAD("\2") APEX) }, { CHUNK("\1\2\1a" ONE_A) } } },
	{ "and owners of NSEC3",
	  ST_OK,
	  ST_OK,
	  { { CHUNK(HEAD("\3") APEX "\2\1a" ONE_A) },
	    { CHUNK("\2\2\1a\0\1" SET("\62", "\1") NSEC3_DATA) } } },
	{ "nothing", ST_OK, ST_NOENT, { { NULL, 0 } } },
	{ "a chunk without a kind", ST_SHORT, ST_SHORT, { { CHUNK("") } } },
	{ "of another kind",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\1") APEX) }, { CHUNK("\3") } } },
	{ "more names first", ST_MALFORMED, ST_MALFORMED, { { CHUNK("\1" APEX) } } },
	{ "a second beginning",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\1") APEX) }, { CHUNK(HEAD("\1")) } } },
	{ "names behind owners of NSEC3",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX) },
	    { CHUNK("\2\2\1a\0\1" SET("\62", "\1") NSEC3_DATA) },
	    { CHUNK("\1\2\1b" ONE_A) } } },
	{ "and even if there are none",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX) },
	    { CHUNK("\2\2\1a\0\1" SET("\62", "\1") NSEC3_DATA) },
	    { CHUNK("\1") } } },
	{ "owners of NSEC3 without an apex",
	  ST_NOENT,
	  ST_NOENT,
	  { { CHUNK(HEAD("\1")) }, { CHUNK("\2\2\1a\0\1" SET("\62", "\1") NSEC3_DATA) } } },
	{ "no apex", ST_OK, ST_NOENT, { { CHUNK(HEAD("\1") "\2\1a" ONE_A) } } },
	{ "no SOA", ST_OK, ST_NOENT, { { CHUNK(HEAD("\1") "\0" ONE_A) } } },
	{ "two SOAs",
	  ST_OK,
	  ST_EXIST,
	  { { CHUNK(HEAD("\2") "\0\0\1" SET(
		  "\6", "\2") "\0\26" SOA_DATA
	                      "\0\26\0\0\0\0\0\2\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1") } } },
	{ "a record less than there should be",
	  ST_OK,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX "\2\1a" ONE_A) } } },
	{ "a record more", ST_OK, ST_MALFORMED, { { CHUNK(HEAD("\1") APEX "\2\1a" ONE_A) } } },
	{ "an owner twice",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX "\2\1a" ONE_A "\2\1a" ONE_A) } } },
	{ "the apex twice", ST_MALFORMED, ST_MALFORMED, { { CHUNK(HEAD("\2") APEX APEX) } } },
	{ "owners out of order",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX "\2\1b" ONE_A "\2\1a" ONE_A) } } },
	{ "a parent behind its child",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX "\4\1a\1b" ONE_A) }, { CHUNK("\1\2\1b" ONE_A) } } },
	{ "owners of NSEC3 out of order",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX) },
	    { CHUNK("\2\2\1b\0\1" SET("\62", "\1") NSEC3_DATA "\2\1a\0\1" SET("\62", "\1")
	                    NSEC3_DATA) } } },
	{ "a capital letter",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1A" ONE_A) } } },
	{ "a capital letter in a long label",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\16\15abcdefghijklZ" ONE_A) } } },
	{ "what stands beside the letters, and has the top bit, is none",
	  ST_OK,
	  ST_OK,
	  { { CHUNK(HEAD("\2") APEX "\15\14@[`{\301\332\300\333az\177\200" ONE_A) } } },
	{ "an empty label",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\3\1a\0" ONE_A) } } },
	{ "a label longer than the name",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\2a" ONE_A) } } },
	{ "a label of 64 octets",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\101\100" LABEL63 "a" ONE_A) } } },
	{ "a name of 255 octets",
	  ST_OK,
	  ST_OK,
	  { { CHUNK(HEAD("\2") APEX
	            "\366" LABEL63 LABEL63 LABEL63
	            "\65aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" ONE_A) } } },
	{ "a name of 256 octets",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX
	            "\367" LABEL63 LABEL63 LABEL63
	            "\66aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" ONE_A) } } },
	{ "an owner without records",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\1") APEX "\2\1a\0\0") } } },
	{ "an RRset without records",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\1") APEX "\2\1a\0\1" SET("\1", "\0")) } } },
	{ "a type twice",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX "\2\1a\0\2" SET("\1", "\1") A_DATA("\1") SET("\1", "\1")
	                    A_DATA("\2")) } } },
	{ "types out of order",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX "\2\1a\0\2" SET("\20", "\1") "\0\2\1x" SET("\1", "\1")
	                    A_DATA("\2")) } } },
	{ "a record twice",
	  ST_OK,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX "\2\1a\0\1" SET("\1", "\2") A_DATA("\1") A_DATA("\1")) } } },
	{ "a record twice, in another case",
	  ST_OK,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX "\2\1a\0\1" SET("\2", "\2") "\0\3\1x\0"
	                                                        "\0\3\1X\0") } } },
	{ "a signature twice",
	  ST_OK,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX "\2\1a\0\1" SIGS("\1", "\2") SIG_DATA("\1")
	                    SIG_DATA("\1")) } } },
	{ "a NSEC3 twice",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\3") APEX) },
	    { CHUNK("\2\2\1a\0\1" SET("\62", "\2") NSEC3_DATA NSEC3_DATA) } } },
	{ "a TTL with its top bit",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1"
	                            "\0\1\0\1\0\0\200\0\0\0" A_DATA("\1")) } } },
	{ "type 0",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SET("\0", "\1") A_DATA("\1")) } } },
	{ "a meta type",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SET("\377", "\1") A_DATA("\1")) } } },
	{ "a signature of a meta type", /* which nobody asks for, but a build takes it */
	  ST_OK,
	  ST_OK,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SIGS("\377", "\1") SIG_DATA("\377")) } } },
	{ "signatures as records",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SET("\56", "\1") SIG_DATA("\56")) } } },
	{ "a signature of another type",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SIGS("\1", "\1") SIG_DATA("\2")) } } },
	{ "a SOA below the apex",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SET("\6", "\1") "\0\26" SOA_DATA) } } },
	{ "NSEC3 among the names",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SET("\62", "\1") NSEC3_DATA) } } },
	{ "a signature of NSEC3 among the names, at a hash",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SIGS("\62", "\1") SIG_DATA("\62")) } } },
	{ "the same where no hash can be",
	  ST_OK,
	  ST_OK,
	  { { CHUNK(HEAD("\2") APEX "\2\1z\0\1" SIGS("\62", "\1") SIG_DATA("\62")) } } },
	{ "NSEC3 where no hash can be",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX) }, { CHUNK("\2\2\1z\0\1" SET("\62", "\1") NSEC3_DATA) } } },
	{ "NSEC3 of SHA-1 at a label that is too short for it",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX) },
	    { CHUNK("\2\2\1a\0\1" SET("\62", "\1") "\0\7"
	                                           "\1\0\0\0\0\1x") } } },
	{ "NSEC3 two labels down",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX) }, { CHUNK("\2\4\1a\1a\0\1" SET("\62", "\1") NSEC3_DATA) } } },
	{ "another type among the owners of NSEC3",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX) }, { CHUNK("\2\2\1a" ONE_A) } } },
	{ "an A of five octets",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SET("\1", "\1") "\0\5\1\2\3\4\5") } } },
	{ "a pointer to what stands before the RDATA",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SET("\2", "\1") "\0\2\300\0") } } },
	{ "a pointer within the RDATA of a SOA",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\1") "\0\0\1" SET("\6",
	                                    "\1") "\0\31"
	                                          "\1a\0\300\0"
	                                          "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1") } } },
	{ "one to a root",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\1") "\0\0\1" SET("\6",
	                                    "\1") "\0\27"
	                                          "\0\300\0"
	                                          "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1") } } },
	{ "a pointer of MX into its preference",
	  ST_MALFORMED,
	  ST_MALFORMED,
	  { { CHUNK(HEAD("\2") APEX "\2\1a\0\1" SET("\17", "\1") "\0\4\0\1\300\0") } } },
	{ "the records of an RRset out of order are put in order",
	  ST_OK,
	  ST_OK,
	  { { CHUNK(HEAD("\3") APEX "\2\1a\0\1" SET("\1", "\2") A_DATA("\2") A_DATA("\1")) } } },
};

static void take_broken(packs_chunks_t *c, size_t i)
{
	*c = (packs_chunks_t){ 0 };
	for (size_t n = 0; n < ARRAY_LEN(broken[i].chunk) && broken[i].chunk[n].octets; n++) {
		c->len[n] = broken[i].chunk[n].len;
		c->octets[n] = malloc(c->len[n] ? c->len[n] : 1);
		memcpy(c->octets[n], broken[i].chunk[n].octets, c->len[n]);
		c->count++;
	}
}

Test(zone_unpack, says_what_is_wrong)
{
	dns_name_t apex = zones_name("example.");

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		zone_unpack_t *u = zone_unpack_new(&zones_key, &apex, &zones_limits);
		zone_version_t *v = NULL;
		packs_chunks_t c;

		take_broken(&c, i);
		cr_expect(eq(int, packs_feed(u, &c), broken[i].feed), "%s", broken[i].why);
		cr_expect(eq(int, zone_unpack_seal(u, &v), broken[i].seal), "%s", broken[i].why);
		cr_expect(eq(int, v != NULL, broken[i].seal == ST_OK), "%s", broken[i].why);
		if (v)
			zone_version_free(packs_round_trip("example.", v, broken[i].why));
		zone_version_free(v);
		zone_unpack_free(u);
		packs_drop(&c);
	}
}

Test(zone_unpack, a_zone_that_is_cut_anywhere_is_refused)
{
	for (size_t i = 0; i < PACKS_ZONES; i++) {
		zone_version_t *v = zones_version(&zones_key, "example.", packs_zones[i].lines),
			       *got;
		packs_chunks_t c = packs_of(v), cut;

		for (size_t n = 0; n < c.count; n++) {
			for (size_t len = 0; len < c.len[n]; len++) {
				cut = c;
				cut.count = n + 1;
				cut.len[n] = len;
				cut.octets[n] = memcpy(malloc(len ? len : 1), c.octets[n], len);
				status_t st = packs_read("example.", &cut, &got);
				cr_expect(st == ST_SHORT || st == ST_MALFORMED || st == ST_NOENT,
				          "%s: %zu octets of chunk %zu: %s", packs_zones[i].why,
				          len, n, status_text(st));
				zone_version_free(got);
				free(cut.octets[n]);
			}
		}
		packs_drop(&c);
		zone_version_free(v);
	}
}

static const struct {
	const char *why;
	status_t want;
	const uint8_t *octets;
	size_t len;
} operations[] = {
	{ "nothing", ST_OK, CHUNK("") },
	{ "an addition", ST_OK,
	  CHUNK("\0\2\1a"
	        "\0\1"
	        "\0\0\0\1" A_DATA("\1")) },
	{ "a removal", ST_OK,
	  CHUNK("\1\2\1a"
	        "\0\1"
	        "\0\0\0\1" A_DATA("\1")) },
	{ "another flag", ST_MALFORMED,
	  CHUNK("\2\2\1a"
	        "\0\1"
	        "\0\0\0\1" A_DATA("\1")) },
	{ "no RDATA", ST_SHORT,
	  CHUNK("\0\2\1a"
	        "\0\1"
	        "\0\0\0\1"
	        "\0\4\1\2\3") },
	{ "a TTL with its top bit", ST_MALFORMED, CHUNK("\0\2\1a\0\1\200\0\0\1" A_DATA("\1")) },
	{ "a capital letter", ST_MALFORMED,
	  CHUNK("\0\2\1A"
	        "\0\1"
	        "\0\0\0\1" A_DATA("\1")) },
	{ "half a label", ST_MALFORMED,
	  CHUNK("\0\2\2a"
	        "\0\1"
	        "\0\0\0\1" A_DATA("\1")) },
	{ "an A of three octets", ST_MALFORMED,
	  CHUNK("\0\2\1a"
	        "\0\1"
	        "\0\0\0\1"
	        "\0\3\1\2\3") },
	{ "a meta type", ST_MALFORMED,
	  CHUNK("\0\2\1a"
	        "\0\377"
	        "\0\0\0\1" A_DATA("\1")) },
	{ "a SOA below the apex", ST_MALFORMED, CHUNK("\0\2\1a\0\6\0\0\0\1\0\26" SOA_DATA) },
	{ "a pointer", ST_MALFORMED, CHUNK("\0\2\1a\0\2\0\0\0\1\0\2\300\0") },
	{ "RDATA of no octets, of a type that has some", ST_MALFORMED,
	  CHUNK("\0\2\1a\0\56\0\0\0\1\0\0") },
	{ "a name of 256 octets", ST_MALFORMED,
	  CHUNK("\0\367" LABEL63 LABEL63 LABEL63
	        "\66aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0\1\0\0\0\1" A_DATA(
			"\1")) },
};

Test(zone_unpack, says_what_is_wrong_with_a_difference)
{
	zone_version_t *v = zones_version(&zones_key, "example.", SOA);

	for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
		size_t len = operations[i].len;
		uint8_t *octets = memcpy(malloc(len ? len : 1), operations[i].octets, len);
		zone_delta_t *d = zone_delta_new(v, &zones_limits);

		cr_expect(eq(int, zone_unpack_delta(d, octets, len), operations[i].want), "%s",
		          operations[i].why);
		zone_delta_free(d);
		free(octets);
	}
	zone_version_free(v);
}

/* --- limits and faults -------------------------------------------------------------------------- */

Test(zone_unpack, keeps_to_the_limits_of_a_build)
{
	static const zone_limits_t limits[] = {
		{ 4, 1000, 2, 2 },   { 3, 1000, 2, 2 },   { 100, 130, 2, 2 },
		{ 100, 1000, 1, 2 }, { 100, 1000, 2, 1 }, { 100, 1000, 2, 2 },
	};
	static const char lines[] = SOA "a A 192.0.2.1\na A 192.0.2.2\na TXT x\n";
	zone_version_t *v = zones_version(&zones_key, "example.", lines);
	dns_name_t apex = zones_name("example.");
	packs_chunks_t c = packs_of(v);
	unsigned refused = 0;

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		zone_build_t *b = zone_build_new(&zones_key, &apex, &limits[i]);
		zone_version_t *built = NULL, *got;
		zone_excess_t excess;
		status_t want = zones_feed(b, "example.", lines);

		if (want == ST_OK)
			want = zone_build_seal(b, &built);
		cr_expect(
			eq(int, packs_read_within("example.", &c, &limits[i], &excess, &got), want),
			"%zu", i);
		cr_expect(eq(int, memcmp(&excess, zone_build_excess(b), sizeof excess), 0), "%zu",
		          i);
		refused += want == ST_LIMIT;
		zone_version_free(built);
		zone_version_free(got);
		zone_build_free(b);
	}
	cr_expect(eq(uint, refused, 4));
	packs_drop(&c);
	zone_version_free(v);
}

/* Two thousand hashes of names and as many of what may be below them, of 2,501 rounds each, are
 * more than anyone may have them made, but for the records behind: a build knows these when it
 * begins to hash, and the first chunk says how many they are. */
Test(zone_unpack, hashes_as_much_as_a_build_and_no_more)
{
	enum { DEEP = 110, LABELS = 18, TXTS = 2000, IN_HEAD = 7 };
	char *lines = malloc(200000), *p = lines;
	zone_version_t *v, *got;
	zone_excess_t excess;

	p += sprintf(p, SOA "@ NSEC3PARAM 1 0 2500 -\n");
	for (int i = 0; i < DEEP; i++) {
		p += sprintf(p, "x");
		for (int j = 0; j < LABELS; j++)
			p += sprintf(p, ".%c%d", 'a' + j, i);
		p += sprintf(p, " A 192.0.2.1\n");
	}
	for (int i = 0; i < TXTS; i++)
		p += sprintf(p, "z TXT %d\n", i);
	v = zones_version(&zones_key, "example.", lines);
	packs_chunks_t c = packs_of(v);
	cr_expect(eq(int, packs_read("example.", &c, &got), ST_OK));
	cr_expect(eq(u64, zone_version_records(v), zone_version_records(got)));
	zone_version_free(got);
	c.octets[0][IN_HEAD] = 0; /* 64 records instead of 2,112 */
	cr_expect(
		eq(int, packs_read_within("example.", &c, &zones_limits, &excess, &got), ST_LIMIT));
	cr_expect(eq(int, excess.limit, ZONE_LIMIT_HASHES));
	packs_drop(&c);
	zone_version_free(v);
	free(lines);
}

Test(zone_unpack, tells_the_faults_that_there_are)
{
	dns_name_t apex = zones_name("example.");
	unsigned seen = 0;

	for (size_t i = 0; i < PACKS_ZONES; i++) {
		zone_version_t *v = zones_version(&zones_key, "example.", packs_zones[i].lines),
			       *got;
		zone_unpack_t *u = zone_unpack_new(&zones_key, &apex, &zones_limits);
		zone_faults_t all, told;
		packs_chunks_t c = packs_of(v);

		cr_assert(eq(int, packs_feed(u, &c), ST_OK));
		cr_assert(eq(int, zone_unpack_seal(u, &got), ST_OK));
		cr_assert(eq(int, zone_check(v, &all), ST_OK));
		cr_assert(eq(int, zone_unpack_check(u, got, &told), ST_OK));
		cr_expect(eq(int, memcmp(all.count, told.count, sizeof all.count), 0), "%s",
		          packs_zones[i].why);
		cr_expect(eq(u64, zone_unpack_stats(u)->added, zone_version_records(v)));
		for (unsigned k = 0; k < ZONE_FAULT_KINDS; k++)
			seen |= (unsigned)(told.count[k] > 0) << k;
		zone_unpack_free(u);
		packs_drop(&c);
		zone_version_free(got);
		zone_version_free(v);
	}
	cr_expect(eq(uint, seen, 0x77), "of all but several CNAMEs, and iterations: %#x", seen);
}

/* --- noise -------------------------------------------------------------------------------------- */

/* A few octets changed, taken out, put in twice. */
static void disturb(uint8_t **octets, size_t *len)
{
	uint8_t *p = *octets;

	for (unsigned n = 1 + (unsigned)rand() % 3; n > 0 && *len > 0; n--) {
		size_t at = (size_t)rand() % *len;

		switch (rand() % 5) {
		case 0:
			p[at] = (uint8_t)rand();
			break;
		case 1:
			p[at] ^= (uint8_t)(1 << rand() % 8);
			break;
		case 2:
			p[at] = (uint8_t)(rand() % 4);
			break;
		case 3:
			*len = at;
			break;
		default:
			memmove(p + at, p + at + 1, *len - at - 1);
			--*len;
		}
	}
	*octets = realloc(p, *len ? *len : 1);
}

/* What was made of noise is sound all the same: every test that a version has to bear. */
static void look_over(zone_unpack_t *u, const zone_version_t *v, unsigned seed)
{
	zone_faults_t all, told;

	cr_assert(eq(int, zone_check(v, &all), ST_OK));
	cr_assert(eq(int, zone_unpack_check(u, v, &told), ST_OK));
	cr_assert(eq(int, memcmp(all.count, told.count, sizeof all.count), 0), "seed %u", seed);
	zone_version_free(packs_round_trip("example.", v, "noise"));
}

static bool noise(const packs_chunks_t *clean, unsigned seed)
{
	dns_name_t apex = zones_name("example.");
	zone_unpack_t *u = zone_unpack_new(&zones_key, &apex, &zones_limits);
	zone_version_t *v = NULL;
	packs_chunks_t c = *clean;
	bool whole;

	srand(seed);
	for (size_t i = 0; i < c.count; i++)
		c.octets[i] = memcpy(malloc(c.len[i]), clean->octets[i], c.len[i]);
	size_t which = (size_t)rand() % c.count;
	disturb(&c.octets[which], &c.len[which]);
	(void)packs_feed(u, &c);
	whole = zone_unpack_seal(u, &v) == ST_OK;
	if (whole)
		look_over(u, v, seed);
	zone_version_free(v);
	zone_unpack_free(u);
	packs_drop(&c);
	return whole;
}

Test(zone_unpack, noise_is_refused_or_sound)
{
	enum { ROUNDS = 3000 };
	unsigned whole = 0;

	for (unsigned i = 0; i < PACKS_ZONES; i++) {
		zone_version_t *v = zones_version(&zones_key, "example.", packs_zones[i].lines);
		packs_chunks_t c = packs_of(v);

		for (unsigned seed = 0; seed < ROUNDS; seed++)
			whole += noise(&c, i * ROUNDS + seed);
		packs_drop(&c);
		zone_version_free(v);
	}
	cr_expect(gt(uint, whole, 1000), "%u of them were a zone", whole);
}

Test(zone_unpack, noise_in_a_difference_is_refused_or_applied)
{
	enum { ROUNDS = 3000 };
	unsigned sealed = 0;

	for (unsigned i = 0; i < PACKS_CHANGES; i++) {
		zone_version_t *v = zones_version(&zones_key, "example.", packs_changes[i].base);
		zone_delta_t *d = packs_delta(v, packs_changes[i].changes);
		uint8_t *clean;
		size_t clean_len;

		cr_assert(eq(int, zone_pack_delta(d, &clean, &clean_len), ST_OK));
		zone_delta_free(d);
		for (unsigned seed = 0; seed < ROUNDS; seed++) {
			uint8_t *octets = memcpy(malloc(clean_len), clean, clean_len);
			zone_version_t *next = NULL;
			size_t len = clean_len;

			srand(i * ROUNDS + seed);
			disturb(&octets, &len);
			d = zone_delta_new(v, &zones_limits);
			if (zone_unpack_delta(d, octets, len) == ST_OK &&
			    zone_delta_seal(d, &next) == ST_OK) {
				zone_version_free(packs_round_trip("example.", next, "noise"));
				sealed++;
			}
			zone_version_free(next);
			zone_delta_free(d);
			free(octets);
		}
		free(clean);
		zone_version_free(v);
	}
	cr_expect(gt(uint, sealed, 100), "%u of them made a version", sealed);
}
