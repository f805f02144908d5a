/* refresh/counts.c - sums, and their words. */
#include "refresh/counts.h"

const uint32_t refresh_delay_ms[REFRESH_DELAYS] = { 1,   2,    5,    10,   20,    50,    100,  200,
	                                            500, 1000, 2000, 5000, 10000, 30000, 60000 };

void refresh_delays_note(refresh_delays_t *d, uint32_t ms)
{
	unsigned i = 0;

	while (i < REFRESH_DELAYS && ms > refresh_delay_ms[i])
		i++;
	d->within[i]++;
	d->count++;
	d->sum_ms += ms;
}

uint32_t refresh_delays_bound(const refresh_delays_t *d, unsigned percent)
{
	uint64_t below = 0;

	if (d->count == 0)
		return 0;
	for (unsigned i = 0; i < REFRESH_DELAYS; i++) {
		below += d->within[i];
		if (below * 100 >= d->count * percent)
			return refresh_delay_ms[i];
	}
	return UINT32_MAX;
}

const char *refresh_poll_text(refresh_poll_t poll)
{
	switch (poll) {
	case REFRESH_POLL_CURRENT:
		return "current";
	case REFRESH_POLL_NEWER:
		return "newer";
	case REFRESH_POLL_REFUSED:
		return "refused";
	case REFRESH_POLL_FAILED:
		return "failed";
	case REFRESH_POLLS:
		break;
	}
	return "?";
}

const char *refresh_kind_text(refresh_kind_t kind)
{
	switch (kind) {
	case REFRESH_KIND_AXFR:
		return "axfr";
	case REFRESH_KIND_IXFR:
		return "ixfr";
	case REFRESH_KIND_WHOLE:
		return "axfr-in-ixfr";
	case REFRESH_KINDS:
		break;
	}
	return "?";
}

const char *refresh_end_text(refresh_end_t end)
{
	switch (end) {
	case REFRESH_END_INSTALLED:
		return "installed";
	case REFRESH_END_CURRENT:
		return "current";
	case REFRESH_END_FALLBACK:
		return "fallback";
	case REFRESH_END_REFUSED:
		return "refused";
	case REFRESH_END_FAILED:
		return "failed";
	case REFRESH_ENDS:
		break;
	}
	return "?";
}
