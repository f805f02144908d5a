/* tests/unit/support/zones.h - zones from text, for the tests of what lies above the wire. */
#pragma once

#include "dns/name.h"
#include "dns/rr.h"
#include "zone/build.h"
#include "zone/version.h"

extern const siphash_key_t zones_key;
extern const zone_limits_t zones_limits; /* generous */

dns_name_t zones_name(const char *text); /* folded; asserts */

/* One record in presentation form, relative names below origin. */
void zones_record(const char *origin, const char *text, dns_rr_t *out);

/* Feed lines ("www A 192.0.2.1", TTL 300 unless said) into a build; stops at the first status
 * other than ST_OK and ST_OUTSIDE. */
status_t zones_feed(zone_build_t *b, const char *origin, const char *lines);

/* A sealed version of the lines, under this key; asserts. */
zone_version_t *zones_version(const siphash_key_t *key, const char *origin, const char *lines);

/* Look text up in v; at_parent as in zone_version_lookup(). */
zone_lookup_t zones_lookup(const zone_version_t *v, const char *text, bool at_parent);

/* Of everything that a walk sees: names, flags, children, hashes, wire. */
uint64_t zones_digest(const zone_version_t *v);
/* The same name, in two versions; or none in both. */
bool zones_same_node(const zone_node_t *a, const zone_node_t *b);
