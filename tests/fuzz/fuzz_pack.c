/* tests/fuzz/fuzz_pack.c - the zone example. off any octets, as they might stand on a disk.
 *
 * The first octet says what follows. Even: the chunks of a zone, two octets of length before each.
 * Odd: a difference, made over a small zone. What comes of it is looked over, packed and read back:
 * it must be the same again. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "zone/check.h"
#include "zone/pack.h"
#include "zone/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const siphash_key_t key = { 1, 2 };
static const zone_limits_t limits = {
	.max_records = 1000, .max_bytes = 1000000, .max_rrset = 100, .max_rrsets = 100
};
static const zone_limits_t none = { UINT64_MAX, UINT64_MAX, 65535, 65535 };

/* A zone of a SOA, a name and an owner of NSEC3, for differences. */
static const uint8_t base_names[] = "\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0"
				    "\0\0\1\0\6\0\1\0\0\0\0\0\x3c\0\x16\0\0\0\0\0\1\0\0\0\1\0\0\0\1"
				    "\0\0\0\1\0\0\0\1"
				    "\2\1a\0\1\0\1\0\1\0\0\0\0\0\x3c\0\4\xc0\0\2\1";
static const uint8_t base_denial[] = "\2\2\1a\0\1\0\x32\0\1\0\0\0\0\0\x3c\0\7\2\0\0\0\0\1x";

static dns_name_t apex(void)
{
	dns_name_t name;

	if (dns_name_from_text("example.", &name) != ST_OK)
		abort();
	return name;
}

static zone_unpack_t *begin(const zone_limits_t *most)
{
	dns_name_t name = apex();
	zone_unpack_t *u = zone_unpack_new(&key, &name, most);

	if (!u)
		abort();
	return u;
}

/* Packed and read back, is it the same? */
static void go_round(const zone_version_t *v)
{
	zone_unpack_t *u = begin(&none);
	zone_version_t *again = NULL;
	zone_pack_t *p = zone_pack_new(v), *q;
	const uint8_t *octets, *same;
	size_t len, same_len;

	while (zone_pack_next(p, &octets, &len) == ST_OK) {
		if (zone_unpack_feed(u, octets, len) != ST_OK)
			abort();
	}
	zone_pack_free(p);
	if (zone_unpack_seal(u, &again) != ST_OK)
		abort();
	p = zone_pack_new(v);
	q = zone_pack_new(again);
	while (zone_pack_next(p, &octets, &len) == ST_OK) {
		if (zone_pack_next(q, &same, &same_len) != ST_OK || len != same_len ||
		    memcmp(octets, same, len) != 0)
			abort();
	}
	zone_pack_free(p);
	zone_pack_free(q);
	zone_version_free(again);
	zone_unpack_free(u);
}

static void fuzz_zone(const uint8_t *data, size_t size)
{
	buf_t in = buf_over(data, size);
	zone_unpack_t *u = begin(&limits);
	zone_version_t *v = NULL;
	zone_faults_t all, noted;

	while (buf_left(&in) > 0) {
		size_t len = buf_u16(&in);
		const uint8_t *octets = buf_take(&in, len);

		if (!octets)
			break;
		uint8_t *chunk = malloc(len ? len : 1); /* so that ASan sees a read behind it */
		memcpy(chunk, octets, len);
		zone_unpack_feed(u, chunk, len);
		free(chunk);
	}
	if (zone_unpack_seal(u, &v) == ST_OK) {
		zone_check(v, &all);
		zone_unpack_check(u, v, &noted);
		if (memcmp(&all, &noted, offsetof(zone_faults_t, first)) != 0)
			abort(); /* a fault was not noted as its name was written */
		go_round(v);
	}
	zone_version_free(v);
	zone_unpack_free(u);
}

static void fuzz_difference(const uint8_t *data, size_t size)
{
	zone_unpack_t *u = begin(&none);
	zone_version_t *base, *next = NULL;

	if (zone_unpack_feed(u, base_names, sizeof base_names - 1) != ST_OK ||
	    zone_unpack_feed(u, base_denial, sizeof base_denial - 1) != ST_OK ||
	    zone_unpack_seal(u, &base) != ST_OK)
		abort();
	zone_delta_t *d = zone_delta_new(base, &limits);
	if (zone_unpack_delta(d, data, size) == ST_OK && zone_delta_seal(d, &next) == ST_OK)
		go_round(next);
	zone_version_free(next);
	zone_delta_free(d);
	zone_version_free(base);
	zone_unpack_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] % 2 == 0)
		fuzz_zone(data + 1, size - 1);
	else if (size > 0)
		fuzz_difference(data + 1, size - 1);
	return 0;
}
