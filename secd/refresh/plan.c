/* refresh/plan.c - what of the settings is new, what stays, what is gone. */
#include "refresh/plan.h"

#include <stdlib.h>
#include <string.h>

#include "refresh/keeping.h"
#include "refresh/pin.h"
#include "refresh/report.h"

/* --- ways ------------------------------------------------------------------------------------------ */

static way_conf_t way_conf_of(const conf_t *c, const conf_primary_t *p, const addr_t *addr)
{
	const bool v4 = addr->sa.sa_family == AF_INET;
	way_conf_t conf = {
		.peer = { .addr = *addr, .has_source = v4 ? p->has_source4 : p->has_source6 },
		.deadlines = {
			.udp_try = 1.5,
			.udp_tries = 3,
			.connect = c->connect_time,
			.idle = c->transfer_idle,
			.total = c->transfer_time,
			.min_rate = c->transfer_min_rate,
			.rate_window = 30,
		},
		.max_queries = p->max_queries,
		.max_transfers = p->max_transfers,
		.max_connections = p->max_connections,
		.max_rate = p->max_rate,
	};

	if (conf.peer.has_source)
		conf.peer.source = v4 ? p->source4 : p->source6;
	return conf;
}

static bool same_peer(const xfr_peer_t *a, const xfr_peer_t *b)
{
	return addr_same(&a->addr, &b->addr) && a->has_source == b->has_source &&
	       (!a->has_source || addr_same(&a->source, &b->source));
}

/* The way of the primary to that peer, as long as it was. NULL: there was none. */
static way_t *way_before(const refresh_t *r, const conf_primary_t *was, const xfr_peer_t *peer)
{
	for (size_t j = 0; was && j < was->address_count; j++) {
		way_t *w = r->ways[was->index][j];

		if (same_peer(way_peer(w), peer))
			return w;
	}
	return NULL;
}

static status_t plan_primary(plan_t *p, const conf_primary_t *next, const conf_primary_t *was)
{
	refresh_t *r = p->r;
	way_t **ways = p->ways[next->index] = calloc(next->address_count + 1, sizeof(way_t *));

	for (size_t j = 0; ways && j < next->address_count; j++) {
		const way_conf_t conf = way_conf_of(p->next, next, &next->addresses[j]);
		way_t *w = way_before(r, was, &conf.peer);

		if (w && way_reserve(w, conf.max_connections) != ST_OK)
			return ST_NOMEM;
		if (w)
			way_set_kept(w, true);
		else
			w = way_new(r->loop, &conf, &r->limits);
		if (!w)
			return ST_NOMEM;
		ways[j] = w;
	}
	return ways ? ST_OK : ST_NOMEM;
}

static int by_primary_name(const void *a, const void *b)
{
	const conf_primary_t *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static const conf_primary_t *primary_before(const conf_primary_t **sorted, size_t count,
                                            const conf_primary_t *next)
{
	const conf_primary_t **found =
		count > 0 ? bsearch(&next, sorted, count, sizeof *sorted, by_primary_name) : NULL;

	return found ? *found : NULL;
}

static status_t plan_ways(plan_t *p)
{
	const conf_t *now = p->r->conf;
	const size_t count = now ? now->primary_count : 0;
	const conf_primary_t **sorted = malloc((count + 1) * sizeof *sorted);
	status_t st = sorted ? ST_OK : ST_NOMEM;

	p->ways = calloc(p->next->primary_count + 1, sizeof(way_t **));
	if (!p->ways)
		st = ST_NOMEM;
	if (st == ST_OK && count > 0) {
		memcpy(sorted, now->primaries, count * sizeof *sorted);
		qsort(sorted, count, sizeof *sorted, by_primary_name);
	}
	for (size_t i = 0; st == ST_OK && i < p->next->primary_count; i++)
		st = plan_primary(p, p->next->primaries[i],
		                  primary_before(sorted, count, p->next->primaries[i]));
	free(sorted);
	return st;
}

/* Of a plan that was dropped, those that are new; of settings that are not in force any more, those that did
 * not stay. */
static void free_unkept(way_t ***ways, const conf_t *conf)
{
	for (size_t i = 0; ways && i < conf->primary_count; i++) {
		for (size_t j = 0; ways[i] && j < conf->primaries[i]->address_count; j++) {
			if (ways[i][j] && !way_is_kept(ways[i][j]))
				way_free(ways[i][j]);
		}
		free(ways[i]);
	}
	free(ways);
}

static void unkeep(way_t ***ways, const conf_t *conf)
{
	for (size_t i = 0; ways && i < conf->primary_count; i++) {
		for (size_t j = 0; ways[i] && j < conf->primaries[i]->address_count; j++) {
			if (ways[i][j])
				way_set_kept(ways[i][j], false);
		}
	}
}

void plan_free_ways(way_t ***ways, const conf_t *conf)
{
	free_unkept(ways, conf);
}

/* --- groups ---------------------------------------------------------------------------------------- */

static int compare_primaries(const conf_group_t *a, const conf_group_t *b)
{
	if (a->primary_count != b->primary_count)
		return a->primary_count < b->primary_count ? -1 : 1;
	for (size_t i = 0; i < a->primary_count; i++) {
		const int cmp = strcmp(a->primaries[i]->name, b->primaries[i]->name);

		if (cmp != 0)
			return cmp;
	}
	return 0;
}

/* Those without a name are what their primaries are. */
static int compare_groups(const conf_group_t *a, const conf_group_t *b)
{
	if (a->name && b->name)
		return strcmp(a->name, b->name);
	if (a->name || b->name)
		return a->name ? -1 : 1;
	return compare_primaries(a, b);
}

static int by_identity(const void *a, const void *b)
{
	const group_t *const *x = a, *const *y = b;

	return compare_groups((*x)->conf, (*y)->conf);
}

/* Are the seats of a round the same, with the ways that they are on? */
static bool is_same(const plan_t *p, const group_t *g, const conf_group_t *next)
{
	if (compare_primaries(g->conf, next) != 0)
		return false;
	for (size_t i = 0; i < next->primary_count; i++) {
		const size_t count = next->primaries[i]->address_count;
		way_t **ways = p->ways[next->primaries[i]->index];

		if (g->conf->primaries[i]->address_count != count)
			return false;
		for (size_t j = 0; j < count; j++) {
			if (g->ways[i][j] != ways[j])
				return false;
		}
	}
	return true;
}

/* A key with another secret has another number. */
static bool has_other_key(const conf_group_t *now, const conf_group_t *next)
{
	for (size_t i = 0; i < next->primary_count; i++) {
		const conf_key_t *a = now->primaries[i]->key, *b = next->primaries[i]->key;

		if ((a ? a->number : 0) != (b ? b->number : 0))
			return true;
	}
	return false;
}

static group_t *group_before(group_t **sorted, size_t count, const conf_group_t *next)
{
	const group_t key = { .conf = next }, *wanted = &key;
	group_t **found = count > 0 ? bsearch(&wanted, sorted, count, sizeof *sorted, by_identity)
	                            : NULL;

	return found ? *found : NULL;
}

static group_t *new_group(refresh_t *r, const conf_group_t *conf)
{
	group_t *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	g->r = r;
	g->conf = conf;
	refresh_lane_init(&g->urgent);
	refresh_lane_init(&g->due);
	return g;
}

static status_t plan_groups(plan_t *p)
{
	const size_t count = p->r->group_count;
	group_t **sorted = malloc((count + 1) * sizeof(group_t *));
	status_t st = ST_OK;

	p->groups = calloc(p->next->group_count + 1, sizeof(group_t *));
	if (!sorted || !p->groups)
		st = ST_NOMEM;
	if (st == ST_OK && count > 0) {
		memcpy(sorted, p->r->groups, count * sizeof *sorted);
		qsort(sorted, count, sizeof(group_t *), by_identity);
	}
	for (size_t i = 0; st == ST_OK && i < p->next->group_count; i++) {
		const conf_group_t *next = p->next->groups[i];
		group_t *g = group_before(sorted, count, next);

		if (g && !is_same(p, g, next))
			g = NULL;
		if (g) {
			g->next_conf = next;
			g->rekeyed = has_other_key(g->conf, next);
		} else {
			g = new_group(p->r, next);
		}
		/* Its ways lie in the plan: room is taken now, so that nothing fails later. */
		way_t ***ways = g ? calloc(next->primary_count + 1, sizeof(way_t **)) : NULL;
		for (size_t k = 0; ways && k < next->primary_count; k++)
			ways[k] = p->ways[next->primaries[k]->index];
		p->groups[i] = g;
		if (ways)
			g->next_ways = ways;
		else
			st = ST_NOMEM;
	}
	free(sorted);
	return st;
}

static void drop_groups(plan_t *p)
{
	for (size_t i = 0; p->groups && i < p->next->group_count; i++) {
		group_t *g = p->groups[i];

		if (!g)
			continue;
		free(g->next_ways);
		g->next_ways = NULL;
		if (g->next_conf)
			g->next_conf = NULL;
		else
			free(g);
	}
	free(p->groups);
}

/* --- zones ----------------------------------------------------------------------------------------- */

static size_t zone_size(size_t peers)
{
	return sizeof(zone_t) + peers * sizeof(round_peer_t);
}

static zone_t *new_zone(refresh_t *r, group_t *g, size_t peers)
{
	zone_t *z = slab_take(r->env->builders.slab, zone_size(peers));

	if (!z)
		return NULL;
	memset(z, 0, zone_size(peers));
	z->group = g;
	z->room = (uint16_t)peers;
	z->source = z->first_primary = ROUND_NO_SOURCE;
	return z;
}

void plan_free_zone(refresh_t *r, zone_t *z)
{
	if (z)
		slab_give(r->env->builders.slab, z, zone_size(z->room));
}

static status_t add_zone(plan_t *p, const conf_zone_t *conf, const dns_name_t *apex)
{
	group_t *g = p->groups[conf->group->index];
	zone_t *z = new_zone(p->r, g, conf->group->primary_count);

	if (!z)
		return ST_NOMEM;
	z->conf = conf;
	refresh_clock_init(&z->clock, clock_mono());
	status_t st = zone_set_add(p->r->set, apex, &conf->group->notify, z, &z->slot);
	if (st != ST_OK) {
		plan_free_zone(p->r, z);
		return st;
	}
	z->fresh = true;
	p->added++;
	p->zones[p->zone_count++] = z;
	return ST_OK;
}

/* It stays; if it moves to more primaries than it has room for, another is to take its place. */
static status_t keep_zone(plan_t *p, const conf_zone_t *conf, zone_t *z)
{
	const size_t peers = conf->group->primary_count;

	z->seen = true;
	p->zones[p->zone_count++] = z;
	if (z->group == p->groups[conf->group->index])
		return ST_OK;
	p->moved++;
	if (peers <= z->room)
		return ST_OK;
	p->heirs[p->heir_count] = new_zone(p->r, NULL, peers);
	return p->heirs[p->heir_count++] ? ST_OK : ST_NOMEM;
}

static status_t plan_zone(plan_t *p, const conf_zone_t *conf)
{
	zone_hashes_t hashes;
	dns_name_t apex;
	zone_slot_t *slot = NULL;

	dns_name_from_wire(conf->apex, &apex);
	if (p->r->zone_count > 0) {
		zone_hash_name(zone_set_key(p->r->set), &apex, &hashes);
		slot = zone_set_exact(p->r->set, &apex, hashes.h[0]);
	}
	return slot ? keep_zone(p, conf, zone_slot_user(slot)) : add_zone(p, conf, &apex);
}

/* Those that nobody has named. Their places in the state are their own from here on. */
static status_t plan_gone(plan_t *p)
{
	refresh_t *r = p->r;
	status_t st = ST_OK;

	for (size_t i = 0; st == ST_OK && i < r->zone_count; i++) {
		zone_t *z = r->zones[i];

		if (z->seen)
			continue;
		p->gone[p->gone_count++] = z;
		st = zone_set_remove(r->set, z->slot);
		if (st == ST_OK && r->keep)
			st = keep_leaves(r->keep, z);
	}
	return st;
}

static status_t plan_zones(plan_t *p)
{
	refresh_t *r = p->r;
	const size_t count = p->next->zone_count;
	status_t st = refresh_heap_reserve(&r->timers, count + r->zone_count);

	p->zones = calloc(count + 1, sizeof(zone_t *));
	p->gone = calloc(r->zone_count + 1, sizeof(zone_t *));
	p->heirs = calloc((r->zone_count < count ? r->zone_count : count) + 1, sizeof(zone_t *));
	if (!p->zones || !p->gone || !p->heirs)
		st = ST_NOMEM;
	p->in_set = true;
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = plan_zone(p, &p->next->zones[i]);
	return st == ST_OK ? plan_gone(p) : st;
}

static void drop_zones(plan_t *p)
{
	for (size_t i = 0; i < p->gone_count && p->r->keep; i++)
		keep_stays(p->r->keep, p->gone[i]);
	if (p->in_set)
		zone_set_undo(p->r->set);
	for (size_t i = 0; i < p->zone_count; i++) {
		p->zones[i]->seen = false;
		if (p->zones[i]->fresh)
			plan_free_zone(p->r, p->zones[i]);
	}
	for (size_t i = 0; i < p->heir_count; i++)
		plan_free_zone(p->r, p->heirs[i]);
	free(p->zones);
	free(p->gone);
	free(p->heirs);
}

/* --- all of it ------------------------------------------------------------------------------------- */

status_t plan_make(plan_t *p, refresh_t *r, const conf_t *next)
{
	status_t st;

	*p = (plan_t){ .r = r, .next = next };
	st = plan_ways(p);
	if (st == ST_OK)
		st = plan_groups(p);
	if (st == ST_OK)
		st = plan_zones(p);
	if (st != ST_OK)
		plan_drop(p);
	return st;
}

void plan_drop(plan_t *p)
{
	drop_zones(p);
	drop_groups(p);
	free_unkept(p->ways, p->next);
	if (p->r->conf)
		unkeep(p->r->ways, p->r->conf);
	*p = (plan_t){ .r = p->r };
}

status_t plan_commit(plan_t *p)
{
	const status_t st = zone_set_commit(p->r->set);

	if (st == ST_OK)
		p->in_set = false;
	else
		plan_drop(p);
	return st;
}

/* --- in force -------------------------------------------------------------------------------------- */

static void apply_ways(plan_t *p)
{
	refresh_t *r = p->r;

	if (r->conf)
		free_unkept(r->ways, r->conf);
	r->ways = p->ways;
	for (size_t i = 0; i < p->next->primary_count; i++) {
		const conf_primary_t *primary = p->next->primaries[i];

		for (size_t j = 0; j < primary->address_count; j++) {
			const way_conf_t conf =
				way_conf_of(p->next, primary, &primary->addresses[j]);

			way_set_conf(r->ways[i][j], &conf);
		}
	}
	unkeep(r->ways, p->next);
}

static void free_group(group_t *g)
{
	refresh_lane_remove(&g->link);
	free(g->ways);
	free(g);
}

static void apply_groups(plan_t *p)
{
	refresh_t *r = p->r;

	for (size_t i = 0; i < r->group_count; i++) {
		if (!r->groups[i]->next_conf)
			free_group(r->groups[i]);
	}
	free(r->groups);
	r->groups = p->groups;
	r->group_count = p->next->group_count;
	for (size_t i = 0; i < r->group_count; i++) {
		group_t *g = r->groups[i];

		free(g->ways);
		g->ways = g->next_ways;
		g->next_ways = NULL;
		if (g->next_conf)
			g->conf = g->next_conf;
		g->next_conf = NULL;
	}
}

/* What is remembered of its primaries goes by their names. */
static void move_peers(const zone_t *from, const conf_group_t *was, zone_t *to,
                       const conf_group_t *next)
{
	round_peer_t *peers = calloc(was->primary_count + 1, sizeof *peers);
	const uint16_t source = from->source;

	if (peers) /* else what was learnt of them is learnt again */
		memcpy(peers, from->peers, was->primary_count * sizeof *peers);
	memset(to->peers, 0, next->primary_count * sizeof *peers);
	to->source = to->first_primary = ROUND_NO_SOURCE;
	to->first_address = 0;
	for (size_t i = 0; i < next->primary_count; i++) {
		for (size_t j = 0; j < was->primary_count; j++) {
			if (strcmp(next->primaries[i]->name, was->primaries[j]->name) != 0)
				continue;
			if (peers)
				to->peers[i] = peers[j];
			if (to->peers[i].address >= next->primaries[i]->address_count)
				to->peers[i].address = 0;
			if (source == j)
				to->source = (uint16_t)i;
		}
	}
	free(peers);
}

/* Nothing is under way for it when this returns. */
static void end_work(zone_t *z)
{
	refresh_lift(z);
	refresh_heap_remove(&z->group->r->timers, &z->timer);
	for (size_t i = 0; i < z->group->conf->primary_count; i++) {
		for (size_t j = 0; j < z->group->conf->primaries[i]->address_count; j++) {
			if (way_probe(z->group->ways[i][j]) == z)
				way_set_probe(z->group->ways[i][j], NULL);
		}
	}
}

/* To other primaries, in a place with room for them if need be. */
static zone_t *move_zone(zone_t *z, group_t *to, const conf_group_t *next, zone_t *heir)
{
	zone_t *at = heir ? heir : z;
	const conf_group_t *was = z->group->conf;

	pin_end(z, true, "the settings have changed meanwhile: pin it once more");
	if (z->follow && z->follow->saving)
		publish_early(z->follow->saving);
	end_work(z);
	if (heir) {
		const uint16_t room = heir->room;

		*heir = *z;
		heir->room = room;
	}
	move_peers(z, was, at, next);
	at->group = to;
	at->held_up = false;
	zone_slot_set_user(at->slot, at);
	return at;
}

static void apply_zone(plan_t *p, size_t i, size_t *heirs)
{
	const conf_zone_t *conf = &p->next->zones[i];
	group_t *g = p->groups[conf->group->index];
	zone_t *z = p->zones[i];

	z->seen = false;
	z->conf = conf;
	if (z->fresh)
		return;
	if (z->group != g) {
		const bool grows = conf->group->primary_count > z->room;
		zone_t *heir = grows ? p->heirs[*heirs] : NULL;

		p->zones[i] = move_zone(z, g, conf->group, heir);
		p->zones[i]->touched = true;
		if (heir)
			p->heirs[(*heirs)++] = z; /* to be freed, when nobody knows it any more */
	}
	zone_slot_set_notify(z->slot, &conf->group->notify);
}

/* All of it ends; what is kept of it stays for a while. Readers don't see its slot any more, so a version that is on
 * its way to the disk arrives there, and nowhere else. */
static void end_zone(zone_t *z)
{
	const bool saving = keep_is_saving(z);

	pin_end(z, false, "the zone was taken out of the settings");
	told_removed(z);
	end_work(z);
	keep_gone(z->group->r->keep, z, saving);
}

/* Those that are new, or have others to ask now, begin. */
static void begin_zone(refresh_t *r, zone_t *z)
{
	if (z->fresh) {
		z->fresh = false;
		if (!r->started)
			return;
		told_added(z);
		if (r->keep && keep_takes_back(r->keep, z))
			return;
		refresh_enqueue(z);
	} else if (z->touched) {
		z->touched = false;
		told_moved(z);
		z->clock.due = clock_mono();
		if (!z->back) /* else it is asked for when the state has said what it has of it */
			refresh_woken(z);
		keep_touch(r->keep, z);
	} else if (z->group->rekeyed && z->stage == STAGE_ROUND) {
		z->again = true; /* it was begun with the other key */
	} else if (z->group->rekeyed && z->clock.failures > 0 && z->stage == STAGE_IDLE) {
		z->clock.due = clock_mono(); /* the key may have been why */
		refresh_woken(z);
	}
}

void plan_apply(plan_t *p)
{
	refresh_t *r = p->r;
	size_t heirs = 0;

	for (size_t i = 0; i < p->gone_count; i++)
		end_zone(p->gone[i]);
	for (size_t i = 0; i < p->zone_count; i++)
		apply_zone(p, i, &heirs);
	keep_rebind(r->keep);
	free(r->zones);
	r->zones = p->zones;
	r->zone_count = p->zone_count;
	r->generation++;
	apply_groups(p);
	apply_ways(p);
	r->conf = p->next;
	r->limits.max_queries = p->next->polls;
	r->limits.max_transfers = p->next->transfers;
	for (size_t i = 0; i < p->gone_count; i++)
		plan_free_zone(r, p->gone[i]);
	for (size_t i = 0; i < p->heir_count; i++)
		plan_free_zone(r, p->heirs[i]);
	free(p->gone);
	free(p->heirs);
	for (size_t i = 0; i < r->zone_count; i++)
		begin_zone(r, r->zones[i]);
	refresh_retired(r);
	*p = (plan_t){ .r = r };
}
