/* ctl/table.c - the table of verbs. */
#include "ctl/table.h"

#include <stdint.h>
#include <string.h>

#include "common/status.h"

static const ctl_verb_t verbs[] = {
	{ CTL_VERB_STATUS, "status", "", 0, 0, false,
	  "all zones at a glance, and the ten that lag most" },
	{ CTL_VERB_STATS, "stats", "", 0, 0, false,
	  "what has happened since the start: queries, answers, polls, transfers" },
	{ CTL_VERB_TOP, "top", "[-n FRAMES]", 0, 2, false,
	  "what happens now, each second; q ends it" },
	{ CTL_VERB_METRICS, "metrics", "", 0, 0, false,
	  "everything that is measured, as Prometheus reads it" },
	{ CTL_VERB_ZONES, "zones", "[--KIND ...] [--match GLOB] [--sort lag] [--all]", 0, 16, false,
	  "a line for each zone that is behind, expired, pinned ..." },
	{ CTL_VERB_ZONE, "zone", "NAME", 1, 1, false,
	  "everything about a zone: serials, timers, primaries, last events" },
	{ CTL_VERB_EXPLAIN, "explain", "NAME", 1, 1, false,
	  "what has happened to a zone: questions, answers, transfers, in order" },
	{ CTL_VERB_HEALTHY, "healthy", "[--max-expired N] [--max-empty N] [--zone NAME ...]", 0,
	  SIZE_MAX, false, "should this server get queries? For who announces its address" },
	{ CTL_VERB_LINT, "lint", "NAME [--resolver ADDRESS [-P PORT]] | GLOB [--all]", 1, SIZE_MAX,
	  false, "what zones could do better, each with its RFC" },
	{ CTL_VERB_SKEW, "skew", "NAME [--ask] [-w LAG] [-c LAG] [-P PORT]", 1, 8, false,
	  "serials here, at the primaries and at the name servers that the zone names" },
	{ CTL_VERB_REFRESH, "refresh", "NAME...", 1, SIZE_MAX, true,
	  "ask the primaries of these zones now" },
	{ CTL_VERB_RETRANSFER, "retransfer", "NAME...", 1, SIZE_MAX, true,
	  "transfer these zones whole, also if the serial is the one held" },
	{ CTL_VERB_ACCEPT, "accept", "NAME", 1, 1, true,
	  "take what was refused, by its serial or by a gate: for once, no option refuses it" },
	{ CTL_VERB_VERSIONS, "versions", "NAME", 1, 1, false,
	  "the version that is served, and older ones that are kept" },
	{ CTL_VERB_PIN, "pin", "NAME [SERIAL | vNUMBER] [--no-expire]", 1, 3, true,
	  "hold the zone at what is served, or at an older version" },
	{ CTL_VERB_UNPIN, "unpin", "NAME...", 1, SIZE_MAX, true,
	  "let these zones follow their primaries again" },
	{ CTL_VERB_DUMP, "dump", "NAME", 1, 1, false, "the zone as it is held, as a zone file" },
	{ CTL_VERB_RELOAD, "reload", "[--force]", 0, 1, true,
	  "read the settings again, and put them in force if they are sound" },
	{ CTL_VERB_LOG, "log", "LEVEL", 1, 1, true,
	  "log error, warn, notice, info or debug and what is graver, until the next start" },
	{ CTL_VERB_STOP, "stop", "", 0, 0, true, "end the daemon" },
};

size_t ctl_verb_count(void)
{
	return ARRAY_LEN(verbs);
}

const ctl_verb_t *ctl_verb_at(size_t i)
{
	return &verbs[i];
}

const ctl_verb_t *ctl_verb_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].word, word) == 0)
			return &verbs[i];
	}
	return NULL;
}
