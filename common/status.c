/* common/status.c - words for each status. */
#include "common/status.h"

const char *status_text(status_t st)
{
	switch (st) {
	case ST_OK:
		return "ok";
	case ST_NOMEM:
		return "out of memory";
	case ST_NOENT:
		return "does not exist";
	case ST_EXIST:
		return "exists already";
	case ST_STALE:
		return "overtaken by another change";
	case ST_MALFORMED:
		return "malformed";
	case ST_SHORT:
		return "cut short";
	case ST_LIMIT:
		return "over a limit";
	case ST_OUTSIDE:
		return "outside the zone";
	case ST_REFUSED:
		return "refused";
	case ST_TIMEOUT:
		return "timed out";
	case ST_SYSTEM:
		return "system error";
	case ST_COUNT:
		break;
	}
	return "unknown status";
}
