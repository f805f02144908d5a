/* zone/doubts.h - names that may have a fault, noted as they are written. For zone/ alone.
 *
 * zone_check() would walk all nodes of a new version, and for a million that is a cache miss each. The
 * writer has each in its hands once, and notes the few that are worth a look. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/status.h"
#include "zone/arena.h"
#include "zone/check.h"
#include "zone/log.h"

typedef struct zone_doubts {
	zone_ref_t *ref; /* nodes, in the order in which they were written */
	size_t count, room;
} zone_doubts_t;

/* Could zone_check() find a fault at a node with these flags? inside: a name in its RDATA may be at or
 * below its own. */
bool zone_doubtful(unsigned flags, bool inside);

status_t zone_doubts_add(zone_doubts_t *d, zone_ref_t ref);
void zone_doubts_again(zone_doubts_t *d); /* empty; the memory of a few stays */
void zone_doubts_free(zone_doubts_t *d);

/* What zone_check() would say, if all that is doubtful in v is in d. */
status_t zone_doubts_check(const zone_doubts_t *d, const zone_version_t *v, zone_faults_t *out);

/* What it would say of the names in log, whose lists are sorted, and of what hangs on them: the
 * contract is that of zone_delta_check(). base is the version before. */
status_t zone_check_changed(const zone_version_t *v, const zone_version_t *base,
                            const zone_log_t *log, zone_faults_t *out);
