/* refresh/strangers.c - a short list, searched in full: it is asked ten times a second at most. */
#include "refresh/strangers.h"

bool strangers_tell(strangers_t *s, const addr_t *from, mono_t now)
{
	int place = -1;

	for (int i = 0; i < STRANGERS_MAX; i++) {
		bool quiet = s->row[i].told.ns != 0 &&
		             mono_before(now, mono_add_s(s->row[i].told, STRANGERS_QUIET_S));

		if (quiet && addr_same_host(&s->row[i].addr, from))
			return false;
		if (!quiet && place < 0)
			place = i;
	}
	if (place < 0)
		return false;
	s->row[place].addr = *from;
	s->row[place].told = now;
	return true;
}
