/* refresh/ways.c - turns on all ways, and the zones that try one that is down. */
#include "refresh/zone.h"

/* Is it a way of the zone? Its next round begins there, if it is to. */
static bool find_way(zone_t *z, const way_t *way, bool prefer)
{
	const group_t *g = z->group;

	for (size_t i = 0; i < g->conf->primary_count; i++) {
		for (size_t j = 0; j < g->conf->primaries[i]->address_count; j++) {
			if (g->ways[i][j] != way)
				continue;
			if (prefer) {
				z->first_primary = (uint16_t)i;
				z->first_address = (uint16_t)j;
			}
			return true;
		}
	}
	return false;
}

/* The zone whose turn it was last when the way went down is what the way is tried with. Tells when
 * that is to be; 0: not by time alone, since the zone is busy, and comes back when it is not. */
static mono_t try_way(way_t *w, mono_t now)
{
	const breaker_t *b = way_breaker(w);
	zone_t *z = way_probe(w);

	if (!z || !b->open || b->trying || z->stage != STAGE_IDLE)
		return (mono_t){ 0 };
	if (mono_before(now, breaker_send_at(b)))
		return breaker_send_at(b);
	way_probe_sent(w, now);
	(void)find_way(z, w, true);
	z->clock.due = now;
	refresh_enqueue(z);
	return now;
}

void ways_up(refresh_t *r, const way_t *way)
{
	const mono_t now = clock_mono();

	for (size_t i = 0; i < r->zone_count; i++) {
		zone_t *z = r->zones[i];

		if (!z->held_up || z->stage != STAGE_IDLE || !find_way(z, way, false))
			continue;
		z->held_up = false;
		z->clock.due = now;
		refresh_enqueue(z);
	}
}

static mono_t sooner(mono_t a, mono_t b)
{
	return a.ns == 0 ? b : b.ns == 0 ? a : mono_min(a, b);
}

mono_t ways_pump(refresh_t *r, mono_t now)
{
	mono_t next = { 0 };

	/* Each time another goes first: what they share is not always the same one's. */
	for (size_t n = 0; n < r->conf->primary_count; n++) {
		size_t i = (r->first_way + n) % r->conf->primary_count;

		for (size_t j = 0; j < r->conf->primaries[i]->address_count; j++) {
			way_t *w = r->ways[i][j];

			next = sooner(next, try_way(w, now));
			way_pump(w, now);
			next = sooner(next, way_next(w));
		}
	}
	r->first_way++;
	return next;
}
