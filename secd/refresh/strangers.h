/* refresh/strangers.h - who was refused lately, so that each is logged once a minute.
 *
 * A fixed table: when it is full of the last minute's strangers, further ones go unsaid, since a
 * flood of forged senders must not become a flood of lines. */
#pragma once

#include <stdbool.h>

#include "common/addr.h"
#include "common/clock.h"

enum { STRANGERS_MAX = 64, STRANGERS_QUIET_S = 60 };

typedef struct strangers {
	struct {
		addr_t addr;
		mono_t told; /* 0: free */
	} row[STRANGERS_MAX];
} strangers_t;

/* Is this one worth a line now? Remembers that it had one. Starts with zeros. */
bool strangers_tell(strangers_t *s, const addr_t *from, mono_t now);
