/* ctl/show.h - the verbs that change nothing, each in one go, and what others need of them. For ctl/verbs
 * alone. */
#pragma once

#include "ctl/verbs.h"
#include "refresh/report.h"

ctl_outcome_t ctl_show_status(ctl_call_t *call);
ctl_outcome_t ctl_show_zones(ctl_call_t *call);
ctl_outcome_t ctl_show_zone(ctl_call_t *call);
ctl_outcome_t ctl_show_explain(ctl_call_t *call);

/* The list "worst": the ten that lag most. */
void ctl_show_worst(report_t *out, const refresh_t *r);
/* A glob of names, folded, and with the final dot unless it ends with what may match one: for fnmatch()
 * with FNM_NOESCAPE. False: it is empty, or too long. */
bool ctl_read_pattern(const char *word, char out[CTL_PATTERN_MAX]);

/* "this server has no such zone" */
extern const char ctl_nobody[];

/* The name that a word means, folded; false: why says what is wrong with it. */
bool ctl_read_name(const char *word, dns_name_t *out, char why[256]);

/* The zone that the first argument names; false: call->why says why there is none. */
bool ctl_find_zone(ctl_call_t *call, dns_name_t *apex, refresh_zone_report_t *out);

/* A pattern of names: folded, with the final dot, unless it ends with what may match one. False: too long. */
bool ctl_read_pattern(const char *word, char out[CTL_PATTERN_MAX]);
