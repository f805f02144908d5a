/* refresh/list.c - all zones: those that lag most, and those that an operator wants to see. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "refresh/report.h"
#include "refresh/zone.h"

static mono_t time_of(uint32_t seconds)
{
	return (mono_t){ (int64_t)seconds * NS_PER_S };
}

unsigned list_badness(const zone_t *z)
{
	switch (report_state(z)) {
	case REFRESH_STATE_FRESH:
		return report_has_refused(z) ? 1 : 0;
	case REFRESH_STATE_BEHIND:
		return 2;
	case REFRESH_STATE_EMPTY:
		return 3;
	case REFRESH_STATE_EXPIRED:
		return 4;
	}
	return 0;
}

mono_t list_since(const zone_t *z)
{
	return z->clock.loaded ? time_of(z->clock.checked) : z->group->r->began;
}

typedef struct rank {
	const zone_t *zone;
	unsigned badness;
	mono_t since;
} rank_t;

static bool is_worse(const rank_t *a, const rank_t *b)
{
	return a->badness != b->badness ? a->badness > b->badness : mono_before(a->since, b->since);
}

/* What a zone is up to that nobody is to blame for. */
static const char *waiting(const zone_t *z)
{
	switch (report_work(z)) {
	case REFRESH_WORK_NONE:
		break;
	case REFRESH_WORK_QUEUED:
		return "waits for its turn to ask";
	case REFRESH_WORK_POLL:
		return "its primaries are being asked";
	case REFRESH_WORK_TRANSFER_QUEUED:
		return "waits for its turn to transfer";
	case REFRESH_WORK_TRANSFER:
		return "a transfer is under way";
	}
	return "waits for its time";
}

/* Why the zone lags, and which of its primaries has to do with it. */
static void blame(const zone_t *z, refresh_laggard_t *out)
{
	const conf_group_t *g = z->group->conf;

	if (z->pinned && !z->clock.expired && z->clock.failures == 0) {
		snprintf(out->why, sizeof out->why, "is pinned by an operator");
		return;
	}
	for (size_t i = 0; i < g->primary_count; i++) {
		const round_peer_t *p = &z->peers[i];

		if (p->why.code == XFR_WHY_NONE && !report_is_refused(z, p))
			continue;
		out->primary = g->primaries[i]->name;
		if (p->why.code != XFR_WHY_NONE)
			report_why(z, i, out->why);
		else
			snprintf(out->why, sizeof out->why, "offers serial %u, which %s", p->serial,
			         p->has_refused ? "was refused" : "is not newer");
		return;
	}
	snprintf(out->why, sizeof out->why, "%s", waiting(z));
}

bool list_newest(const zone_t *z, uint32_t *out)
{
	bool has = false;

	*out = z->clock.serial;
	for (size_t i = 0; i < z->group->conf->primary_count; i++) {
		const round_peer_t *p = &z->peers[i];

		if (!p->shown || ((has || z->clock.loaded) &&
		                  dns_serial_compare(p->serial, *out) != DNS_SERIAL_NEWER))
			continue;
		*out = p->serial;
		has = true;
	}
	return has;
}

/* When some primary showed a newer serial than is held last. */
static mono_t shown(const zone_t *z)
{
	mono_t at = list_since(z);

	for (size_t i = 0; i < z->group->conf->primary_count; i++) {
		const round_peer_t *p = &z->peers[i];

		if (p->shown && dns_serial_compare(p->serial, z->clock.serial) == DNS_SERIAL_NEWER)
			at = mono_max(at, (mono_t){ (int64_t)p->seen * NS_PER_S });
	}
	return at;
}

mono_t list_behind_since(const zone_t *z)
{
	if (z->clock.loaded && !z->clock.expired) {
		if (z->clock.outrun.ns != 0)
			return z->clock.outrun;
		if (z->clock.failures == 0)
			return shown(z);
	}
	return list_since(z);
}

static refresh_laggard_t laggard(const zone_t *z)
{
	refresh_laggard_t l = {
		.apex = z->conf->apex,
		.state = report_state(z),
		.refused = report_has_refused(z),
		.pinned = z->pinned,
		.unsaved = z->unsaved,
		.serial = z->clock.serial,
		.since = list_since(z),
		.expires = z->clock.expires,
	};

	l.has_newest = list_newest(z, &l.newest);
	blame(z, &l);
	return l;
}

size_t refresh_worst(const refresh_t *r, refresh_laggard_t out[REFRESH_WORST_MAX])
{
	rank_t worst[REFRESH_WORST_MAX];
	size_t count = 0;

	for (size_t i = 0; i < r->zone_count; i++) {
		const zone_t *z = r->zones[i];
		const rank_t rank = { z, list_badness(z), list_since(z) };
		size_t at = count;

		if (rank.badness == 0)
			continue;
		while (at > 0 && is_worse(&rank, &worst[at - 1]))
			at--;
		if (at == REFRESH_WORST_MAX)
			continue;
		count += count < REFRESH_WORST_MAX;
		memmove(&worst[at + 1], &worst[at], (count - at - 1) * sizeof worst[0]);
		worst[at] = rank;
	}
	for (size_t i = 0; i < count; i++) {
		const zone_t *z = worst[i].zone;

		out[i] = laggard(z);
	}
	return count;
}

/* --- those that are wanted ------------------------------------------------------------------------ */

static bool is_of_kind(const zone_t *z, const refresh_filter_t *f)
{
	const bool any = f->fresh || f->behind || f->empty || f->expired || f->refused ||
	                 f->pinned || f->unsaved;

	if (!any || (f->pinned && z->pinned) || (f->unsaved && z->unsaved) ||
	    (f->refused && report_has_refused(z)))
		return true;
	switch (report_state(z)) {
	case REFRESH_STATE_FRESH:
		return f->fresh;
	case REFRESH_STATE_BEHIND:
		return f->behind;
	case REFRESH_STATE_EMPTY:
		return f->empty;
	case REFRESH_STATE_EXPIRED:
		return f->expired;
	}
	return false;
}

static bool is_wanted(const zone_t *z, const refresh_filter_t *f)
{
	char name[DNS_NAME_TEXT_MAX];

	if (f->match && fnmatch(f->match, dns_name_text(z->conf->apex, name), FNM_NOESCAPE) != 0)
		return false;
	return is_of_kind(z, f);
}

static int by_lag(const void *a, const void *b)
{
	const rank_t *x = a, *y = b;

	return is_worse(x, y) ? -1 : is_worse(y, x);
}

status_t refresh_list(const refresh_t *r, const refresh_filter_t *filter,
                      void (*each)(void *arg, const refresh_laggard_t *zone), void *arg,
                      size_t *matched)
{
	rank_t *ranks = malloc((r->zone_count + 1) * sizeof *ranks);
	size_t count = 0;

	*matched = 0;
	if (!ranks)
		return ST_NOMEM;
	for (size_t i = 0; i < r->zone_count; i++) {
		const zone_t *z = r->zones[i];

		if (is_wanted(z, filter))
			ranks[count++] = (rank_t){ z, list_badness(z), list_since(z) };
	}
	if (count > 1 && filter->by_lag)
		qsort(ranks, count, sizeof *ranks, by_lag);
	for (size_t i = 0; i < count && i < filter->most; i++) {
		const refresh_laggard_t l = laggard(ranks[i].zone);

		each(arg, &l);
	}
	free(ranks);
	*matched = count;
	return ST_OK;
}
