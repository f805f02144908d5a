/* tests/unit/zone/test_zonemd.c - digests of zones that others have made: the examples of RFC 8976
 * and a zone signed with NSEC3. Each stops matching with any of its records.
 *
 * Run from the root of the source, or with SECD_SOURCE naming it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "support/zones.h"
#include "zone/delta.h"
#include "zone/zonemd.h"

TestSuite(zone_zonemd, .timeout = 60);

static const struct {
	const char *file, *origin;
	unsigned records; /* that the digest is over, and the ZONEMD */
} vectors[] = {
	{ "rfc8976-a1", "example.", 6 },           { "rfc8976-a2", "example.", 19 },
	{ "rfc8976-a3", "example.", 10 },          { "rfc8976-a4", "uri.arpa.", 34 },
	{ "rfc8976-a5", "root-servers.net.", 43 }, { "ldns-nsec3", "digest.test.", 94 },
};

enum { LINES_MAX = 128 };

typedef struct lines {
	char *line[LINES_MAX];
	size_t count;
} lines_t;

static void read_lines(const char *name, lines_t *out)
{
	const char *root = getenv("SECD_SOURCE");
	char path[512];
	size_t room = 0;

	snprintf(path, sizeof path, "%s/tests/unit/zone/vectors/%s.zone", root ? root : ".", name);
	FILE *f = fopen(path, "r");
	cr_assert(f != NULL, "%s", path);
	out->count = 0;
	for (char *line = NULL; getline(&line, &room, f) > 0; line = NULL, room = 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == ';' || out->count == LINES_MAX)
			free(line);
		else
			out->line[out->count++] = line;
	}
	fclose(f);
}

static void free_lines(lines_t *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->line[i]);
}

/* Of all lines but one, in an order of its own. */
static zone_version_t *version_of(const char *origin, const lines_t *l, size_t without)
{
	dns_name_t apex = zones_name(origin);
	zone_build_t *b = zone_build_new(&zones_key, &apex, &zones_limits);
	dns_rr_t *rr = malloc(sizeof *rr);
	zone_version_t *v = NULL;

	for (size_t i = 0; i < l->count; i++) {
		size_t n = (i * 37 + 11) % l->count;

		if (l->count % 37 == 0)
			n = i;
		if (n == without)
			continue;
		zones_record(origin, l->line[n], rr);
		status_t st = zone_build_add(b, rr);
		cr_assert(st == ST_OK || st == ST_OUTSIDE, "%s", l->line[n]);
	}
	zone_build_seal(b, &v);
	zone_build_free(b);
	free(rr);
	return v;
}

static zone_zonemd_t verdict_of(const zone_version_t *v)
{
	zone_zonemd_t out;

	cr_assert(eq(int, zone_zonemd_verify(v, &out), ST_OK));
	return out;
}

Test(zone_zonemd, of_others_zones_is_right)
{
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		lines_t l;

		read_lines(vectors[i].file, &l);
		zone_version_t *v = version_of(vectors[i].origin, &l, SIZE_MAX);
		cr_expect(eq(u64, zone_version_records(v), vectors[i].records), "%s",
		          vectors[i].file);
		cr_expect(eq(int, verdict_of(v), ZONE_ZONEMD_VALID), "%s", vectors[i].file);
		zone_version_free(v);
		free_lines(&l);
	}
}

/* Is the line one that the digest is not over? */
static bool is_apart(const lines_t *l, size_t at, const char *origin)
{
	const char *line = l->line[at];

	if (strstr(line, " ZONEMD ") && strncmp(line, origin, strlen(origin)) == 0)
		return true;
	for (size_t i = 0; i < l->count; i++) {
		if (i != at && strcmp(l->line[i], line) == 0)
			return true; /* it stands twice */
	}
	return strncmp(line, "foo.test.", 9) == 0 || strstr(line, " SOA ");
}

Test(zone_zonemd, differs_without_any_of_the_records)
{
	unsigned tried = 0;

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		lines_t l;

		read_lines(vectors[i].file, &l);
		for (size_t n = 0; n < l.count; n++) {
			if (is_apart(&l, n, vectors[i].origin))
				continue;
			zone_version_t *v = version_of(vectors[i].origin, &l, n);
			cr_expect(eq(int, verdict_of(v), ZONE_ZONEMD_DIFFERS), "%s without %s",
			          vectors[i].file, l.line[n]);
			zone_version_free(v);
			tried++;
		}
		free_lines(&l);
	}
	cr_expect(gt(uint, tried, 170));
}

/* --- which records count ------------------------------------------------------------------------ */

#define ZONE                                                                                       \
	"@ 86400 SOA ns1 admin 2018031900 1800 900 604800 86400\n"                                 \
	"@ 86400 NS ns1\n@ 86400 NS ns2\nns1 3600 A 203.0.113.63\nns2 3600 AAAA 2001:db8::63\n"
#define RIGHT                                                                                      \
	"c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9"                         \
	"a9713b3c9ae5cc27777f98b8e730044c\n"
#define WRONG                                                                                      \
	"c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9"                         \
	"a9713b3c9ae5cc27777f98b8e730044d\n"
#define WRONG_512                                                                                  \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"                         \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define MD "@ 86400 ZONEMD 2018031900 "

static const struct {
	const char *why, *lines;
	zone_zonemd_t want;
} records[] = {
	{ "none", ZONE, ZONE_ZONEMD_ABSENT },
	{ "right", ZONE MD "1 1 " RIGHT, ZONE_ZONEMD_VALID },
	{ "wrong", ZONE MD "1 1 " WRONG, ZONE_ZONEMD_DIFFERS },
	{ "another serial", ZONE "@ 86400 ZONEMD 2018031901 1 1 " RIGHT, ZONE_ZONEMD_SERIAL },
	{ "another scheme", ZONE MD "2 1 " RIGHT, ZONE_ZONEMD_UNKNOWN },
	{ "another algorithm", ZONE MD "1 3 " RIGHT, ZONE_ZONEMD_UNKNOWN },
	{ "both", ZONE MD "2 1 " RIGHT MD "1 3 " RIGHT, ZONE_ZONEMD_UNKNOWN },
	{ "an unknown one and a right one", ZONE MD "1 240 " RIGHT MD "1 1 " RIGHT,
	  ZONE_ZONEMD_VALID },
	{ "an unknown one and a wrong one", ZONE MD "1 240 " RIGHT MD "1 1 " WRONG,
	  ZONE_ZONEMD_DIFFERS },
	{ "a right one and a wrong one of the other algorithm",
	  ZONE MD "1 1 " RIGHT MD "1 2 " WRONG_512, ZONE_ZONEMD_VALID },
	{ "a right one and a wrong one of its kind", ZONE MD "1 1 " RIGHT MD "1 1 " WRONG,
	  ZONE_ZONEMD_TWICE },
	{ "the same right one twice", ZONE MD "1 1 " RIGHT MD "1 1 " RIGHT, ZONE_ZONEMD_VALID },
	{ "a digest that is too short", ZONE MD "1 1 c68090d90a7aed716bc459f9340e3d7c\n",
	  ZONE_ZONEMD_DIFFERS },
	{ "one of another name", ZONE "ns1 86400 ZONEMD 2018031900 1 1 " RIGHT,
	  ZONE_ZONEMD_ABSENT },
};

Test(zone_zonemd, counts_as_rfc_8976_4_has_it)
{
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		zone_version_t *v = zones_version(&zones_key, "example.", records[i].lines);

		cr_expect(eq(int, verdict_of(v), records[i].want), "%s", records[i].why);
		zone_version_free(v);
	}
}

/* --- after differences --------------------------------------------------------------------------- */

/* Names that come late lie behind all others, and are digested in their places. */
Test(zone_zonemd, of_a_version_made_by_deltas_is_that_of_a_fresh_one)
{
	dns_rr_t *rr = malloc(sizeof *rr);
	lines_t l;

	srand(5);
	read_lines("ldns-nsec3", &l);
	for (unsigned round = 0; round < 20; round++) {
		size_t without = (size_t)rand() % l.count;
		zone_version_t *v, *next = NULL;

		if (strstr(l.line[without], " SOA "))
			continue;
		v = version_of("digest.test.", &l, without);
		zone_delta_t *d = zone_delta_new(v, &zones_limits);
		zones_record("digest.test.", l.line[without], rr);
		cr_assert(eq(int, zone_delta_add(d, rr), ST_OK));
		cr_assert(eq(int, zone_delta_seal(d, &next), ST_OK));
		cr_expect(eq(int, verdict_of(next), ZONE_ZONEMD_VALID), "%s", l.line[without]);
		zone_delta_free(d);
		zone_version_free(next);
		zone_version_free(v);
	}
	free_lines(&l);
	free(rr);
}
