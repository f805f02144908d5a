/* ctl/table.h - the verbs there are: one row each, for the daemon, for secdctl's usage, and for the
 * test that holds secdctl(8) against them. What they do is in ctl/verbs.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum ctl_verb_id {
	CTL_VERB_STATUS,
	CTL_VERB_STATS,
	CTL_VERB_TOP,
	CTL_VERB_METRICS,
	CTL_VERB_ZONES,
	CTL_VERB_ZONE,
	CTL_VERB_EXPLAIN,
	CTL_VERB_HEALTHY,
	CTL_VERB_LINT,
	CTL_VERB_SKEW,
	CTL_VERB_REFRESH,
	CTL_VERB_RETRANSFER,
	CTL_VERB_ACCEPT,
	CTL_VERB_VERSIONS,
	CTL_VERB_PIN,
	CTL_VERB_UNPIN,
	CTL_VERB_DUMP,
	CTL_VERB_RELOAD,
	CTL_VERB_LOG,
	CTL_VERB_STOP,
} ctl_verb_id_t;

typedef struct ctl_verb {
	ctl_verb_id_t id;
	const char *word;
	const char *args; /* as the usage has them */
	size_t least, most;
	bool changes; /* something: it is logged, with who asked for it */
	const char *help;
} ctl_verb_t;

size_t ctl_verb_count(void);
const ctl_verb_t *ctl_verb_at(size_t i);
const ctl_verb_t *ctl_verb_find(const char *word); /* NULL: there is no such verb */
