/* ctl/metrics.h - what was gathered, as Prometheus reads it: text, in pieces.
 *
 *     # HELP secd_zones Zones by state.
 *     # TYPE secd_zones gauge
 *     secd_zones{state="fresh"} 12
 *
 * All series of a family stand together, as the format (0.0.4) wants it. Names are in base units;
 * counters end in _total. A zone's label is its name without the last dot, as master files write
 * names; what labels need is escaped. secdctl(8) has every family. One thread at a time. */
#pragma once

#include <stddef.h>

#include "common/status.h"
#include "ctl/gather.h"

/* How far the reading has come. Starts with zeros but for found, which is borrowed. */
typedef struct ctl_metrics_page {
	const ctl_gathered_t *found;
	size_t family; /* the next to be written, or the one that is */
	size_t at;     /* its next row */
} ctl_metrics_page_t;

/* The next piece, some 64 KiB of whole lines. ST_OK: *out is the caller's to free(); ST_NOENT: there is
 * no more; ST_NOMEM. */
status_t ctl_metrics_next(ctl_metrics_page_t *page, char **out, size_t *len);

size_t ctl_metrics_families(void);
const char *ctl_metrics_name(size_t i); /* for the test that holds secdctl(8) against them */
