/* zone/check.h - what is wrong with a version that can be served all the same. zone/gates.h decides
 * which of it is too wrong.
 *
 * What the build itself refuses (no SOA, limits, malformed) never gets here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"
#include "zone/version.h"

typedef enum zone_fault {
	ZONE_FAULT_NO_NS,        /* the apex has no NS */
	ZONE_FAULT_SINGLE_NS,    /* it has but one */
	ZONE_FAULT_CNAME_BESIDE, /* names with CNAME and other data (RFC 1034 3.6.2, RFC 4035 2.5) */
	ZONE_FAULT_MANY_CNAMES,  /* names with several CNAMEs */
	ZONE_FAULT_BELOW_DNAME,  /* names below a DNAME (RFC 6672 2.4) */
	ZONE_FAULT_MISSING_GLUE, /* delegations to a server below them without an address (RFC 9471) */
	ZONE_FAULT_CHAIN_GAPS, /* links of NSEC or NSEC3 that don't lead to the next (zone/chain.h) */
	ZONE_FAULT_ITERATIONS, /* more of NSEC3 than RFC 9276 3.1 would have anybody bear: over 150 */
	ZONE_FAULT_KINDS,
} zone_fault_t;

typedef struct zone_faults {
	uint32_t count[ZONE_FAULT_KINDS];           /* names with it */
	const zone_node_t *first[ZONE_FAULT_KINDS]; /* one of them, of the version; NULL: none */
	unsigned iterations;                        /* the most that an NSEC3PARAM has */
	bool costly;                                /* one may not be served: dns_nsec3_costly() */
} zone_faults_t;

/* Look a sealed version over. Threads: whoever owns it. Costs one pass over the nodes; two, if there
 * is a DNAME. ST_OK, or ST_NOMEM with what was found until then. */
status_t zone_check(const zone_version_t *v, zone_faults_t *out);
