/* refresh/words.c - words for how a zone stands. */
#include "refresh/report.h"

const char *refresh_state_text(refresh_state_t state)
{
	switch (state) {
	case REFRESH_STATE_FRESH:
		return "fresh";
	case REFRESH_STATE_BEHIND:
		return "behind";
	case REFRESH_STATE_EMPTY:
		return "empty";
	case REFRESH_STATE_EXPIRED:
		return "expired";
	}
	return "?";
}

const char *refresh_work_text(refresh_work_t work)
{
	switch (work) {
	case REFRESH_WORK_NONE:
		return "none";
	case REFRESH_WORK_QUEUED:
		return "queued";
	case REFRESH_WORK_POLL:
		return "poll";
	case REFRESH_WORK_TRANSFER_QUEUED:
		return "transfer queued";
	case REFRESH_WORK_TRANSFER:
		return "transfer";
	}
	return "?";
}
