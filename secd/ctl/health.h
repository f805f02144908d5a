/* ctl/health.h - should this server get queries? The rules alone, of what others have found out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/request.h"
#include "refresh/report.h"

/* What the operator asks for. */
typedef struct ctl_health_order {
	uint64_t max_expired; /* zones that may be; 0 by default */
	uint64_t max_empty;   /* ... never transferred; any number by default */
} ctl_health_order_t;

/* What there is. */
typedef struct ctl_health_facts {
	refresh_totals_t totals;
	bool loading; /* zones of the state are still to come */
	bool turning; /* every worker's loop */
	const char
		*first; /* name of a zone that is expired, if one is, else of one that is empty */
} ctl_health_facts_t;

/* The arguments of the verb. False: why says what is wrong. */
bool ctl_health_read(const ctl_request_t *request, ctl_health_order_t *out, char why[256]);

/* The value of the next --zone; *at begins as request->args, *left as its count. NULL: no more. */
const char *ctl_health_zone(const char **at, size_t *left);

/* Is there a reason to send queries elsewhere? The gravest, in words; zones that were named are not looked at.
 * False: there is none. */
bool ctl_health_ails(const ctl_health_facts_t *facts, const ctl_health_order_t *order,
                     char why[256]);
