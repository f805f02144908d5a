/* zone/gates.h - may a version take the place of the one that is served (DESIGN.md, gates)?
 *
 *     zone_build_check, or zone_delta_check -> zone_gates_judge -> a verdict: served, or which gate says no
 *
 * The verdict is codes and numbers, and one name; xfr/why.h has the words.
 * Whoever is refused keeps the version that is served. Pure but for the digest, which takes a pass
 * over all records. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/status.h"
#include "zone/check.h"
#include "zone/version.h"
#include "zone/zonemd.h"

typedef enum zone_choice {
	ZONE_CHOICE_OFF, /* neither counted nor told */
	ZONE_CHOICE_WARN,
	ZONE_CHOICE_REFUSE,
} zone_choice_t;

typedef enum zone_digest_rule {
	ZONE_DIGEST_OFF,
	ZONE_DIGEST_IF_PRESENT, /* no digest passes, one of an unknown kind is told */
	ZONE_DIGEST_REQUIRED,   /* one must be right */
} zone_digest_rule_t;

/* What the operator has chosen. Each has the name of its option. */
typedef struct zone_gates {
	zone_choice_t no_ns, single_ns;
	zone_choice_t cname_beside; /* and several CNAMEs */
	zone_choice_t below_dname, missing_glue;
	zone_digest_rule_t zonemd;
	uint32_t max_shrink;        /* percent of the records of the version before; 0: off */
	uint32_t warn_signatures;   /* s that the first signature must still last; 0: off */
	uint32_t refuse_signatures; /* the same */
	uint32_t
		max_iterations; /* of NSEC3PARAM; more than RFC 5155 10.3 allows is always refused */
} zone_gates_t;

/* In the order in which they are looked at. */
typedef enum zone_gate {
	ZONE_GATE_NONE, /* it may be served */
	ZONE_GATE_NO_NS,
	ZONE_GATE_SINGLE_NS,
	ZONE_GATE_CNAME,
	ZONE_GATE_DNAME,
	ZONE_GATE_GLUE,
	ZONE_GATE_ITERATIONS,
	ZONE_GATE_SHRINK,
	ZONE_GATE_SIGNATURES,
	ZONE_GATE_ZONEMD,
	ZONE_GATES,
} zone_gate_t;

enum { ZONE_VERDICT_NAME_MAX = 256 };

typedef struct zone_verdict {
	zone_gate_t refused;              /* by the first gate that says no */
	uint32_t count[ZONE_FAULT_KINDS]; /* what is told; 0 where the choice is off */
	unsigned iterations;              /* the most of an NSEC3PARAM */
	bool costly;                      /* for iterations: over what any key allows */
	bool ends_soon;                   /* signatures: within warn_signatures */
	int64_t left;           /* s until the first one runs out, < 0: it has; 0: there is none */
	zone_zonemd_t zonemd;   /* ZONE_ZONEMD_ABSENT while it is off or was not reached */
	uint64_t records, held; /* of this version and of the one before */
	uint32_t limit;         /* that the gate that refused has: percent, s, iterations; else 0 */
	/* Presentation form, cut to fit: a name for what refused, or else for what is told. */
	char first[ZONE_VERDICT_NAME_MAX];
} zone_verdict_t;

/* Judge v.
 *   faults    of v: what zone_build_check() or zone_delta_check() found.
 *   held      records of the version that is served; 0 for a first copy, and where what is held has
 *             expired: then there is nothing to lose.
 *   now       for signatures.
 * Returns     ST_OK with *out; ST_NOMEM. Threads: whoever owns v. */
status_t zone_gates_judge(const zone_gates_t *gates, const zone_version_t *v,
                          const zone_faults_t *faults, uint64_t held, wall_t now,
                          zone_verdict_t *out);

/* Is anything but a refusal to be told? */
bool zone_verdict_has_faults(const zone_verdict_t *verdict);

/* Is verdict.first a name that this gate refuses for? */
bool zone_gate_has_name(zone_gate_t gate);
