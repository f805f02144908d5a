/* ctl/stats.h - what has happened since the start, in short, and what happens just now. For ctl/ alone. */
#pragma once

#include "ctl/verbs.h"
#include "net/net.h"
#include "refresh/counts.h"

ctl_outcome_t ctl_stats(ctl_call_t *call);

/* What a second is measured by: two of them. */
typedef struct ctl_sample {
	mono_t at;
	net_totals_t net;
	refresh_counts_t counts;
} ctl_sample_t;

ctl_sample_t ctl_sample(const ctl_env_t *env);

/* A frame of secdctl top: what came between the two, and what is under way. */
void ctl_stats_frame(const ctl_env_t *env, const ctl_sample_t *before, const ctl_sample_t *now,
                     report_t *out);
