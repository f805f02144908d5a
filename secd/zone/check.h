/* zone/check.h - the gates that a version passes before it may be served (DESIGN.md, gates).
 *
 * What the build itself refuses (no SOA, limits, malformed) never gets here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "zone/version.h"

/* Faults that are served, but told: one counter each. */
typedef struct zone_faults {
	uint32_t no_ns;        /* 1: the apex has no NS */
	uint32_t single_ns;    /* 1: it has but one */
	uint32_t cname_beside; /* names with CNAME and other data (RFC 1034 3.6.2, RFC 4035 2.5) */
	uint32_t many_cnames;  /* names with several CNAMEs */
	uint32_t below_dname;  /* names below a DNAME (RFC 6672 2.4) */
	uint32_t missing_glue; /* in-domain name servers without an address (RFC 9471) */
	uint32_t chain_gaps; /* links of NSEC or NSEC3 that don't lead to the next (zone/chain.h) */
	/* Of NSEC3PARAM, if they are more than RFC 9276 3.1 would have anybody bear: over 150. */
	uint32_t iterations;
	bool costly;     /* some NSEC3PARAM may not be served: dns_nsec3_costly() */
	char first[256]; /* presentation form of the first such name, cut to fit; "" if none */
} zone_faults_t;

/* Look a sealed version over. Threads: whoever owns it. Costs one pass over the nodes; two, if there
 * is a DNAME. ST_OK, or ST_NOMEM with what was found until then. */
status_t zone_check(const zone_version_t *v, zone_faults_t *out);

/* The part of it that the apex alone tells: name servers, and what NSEC3 costs. */
void zone_check_apex(const zone_version_t *v, zone_faults_t *out);

/* Is it one that may not be served? */
bool zone_faults_refuse(const zone_faults_t *f);
