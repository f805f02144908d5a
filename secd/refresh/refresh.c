/* refresh/refresh.c - rounds: a zone's way through its primaries, within the budget. */
#include "refresh/refresh.h"

#include <errno.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/siphash.h"
#include "refresh/clock.h"
#include "refresh/queue.h"
#include "refresh/strangers.h"
#include "xfr/poll.h"

/* How often retired versions are looked at while some wait for their readers. */
#define RECLAIM_SECONDS 0.02

typedef enum stage {
	STAGE_IDLE,
	STAGE_QUEUED,       /* waits for its turn to poll */
	STAGE_POLL,         /* a SOA query is under way */
	STAGE_FETCH_QUEUED, /* waits for its turn to transfer */
	STAGE_FETCH,        /* a transfer is under way */
} stage_t;

typedef struct zone {
	refresh_t *r;
	zone_slot_t *slot;
	const conf_zone_t *conf;
	refresh_clock_t clock;
	refresh_timer_t timer; /* the earlier of due (when idle) and EXPIRE */
	refresh_link_t link;   /* in a lane while queued */
	stage_t stage;
	bool again;                            /* a NOTIFY came during the round */
	bool urgent;                           /* NOTIFY made it due */
	bool any_current;                      /* in this round, some primary had our serial */
	bool any_newer;                        /* ... had a newer one that could not be fetched */
	uint16_t primary, address;             /* what is asked now, in the order of the round */
	uint16_t first_primary, first_address; /* where the round began: the notifier, or 0 and 0 */
	uint16_t next_primary, next_address;   /* where the next one begins */
	uint16_t source;                       /* the primary that our version came from */
	bool asked_ixfr, whole;                /* IXFR is under way; it failed: AXFR now */
	uint32_t rounds;                       /* so far: spreads the timers */
	union {
		xfr_poll_t *poll;
		xfr_fetch_t *fetch;
	};
} zone_t;

struct refresh {
	struct ev_loop *loop;
	const conf_t *conf;
	zone_set_t *set;
	epoch_t *epoch;
	xfr_env_t *env;
	xfr_deadlines_t deadlines;
	zone_t *zones;
	size_t zone_count;
	refresh_heap_t timers;
	refresh_lane_t urgent, due, fetches;
	unsigned polling, fetching;
	unsigned turn; /* of the lanes */
	strangers_t strangers;
	ev_timer wake, reclaim;
	ev_prepare pump;
};

static zone_t *of_timer(refresh_timer_t *t)
{
	return (zone_t *)(void *)((char *)t - offsetof(zone_t, timer));
}

static zone_t *of_link(refresh_link_t *l)
{
	return (zone_t *)(void *)((char *)l - offsetof(zone_t, link));
}

static const char *zone_text(const zone_t *z, char out[DNS_NAME_TEXT_MAX])
{
	return dns_name_text(z->conf->apex, out);
}

/* Deterministic, different for each zone and round: 0..999. */
static unsigned spread(zone_t *z)
{
	return (unsigned)(siphash13_chain(zone_set_key(z->r->set), z->rounds++, z->conf->apex,
	                                  dns_wire_len(z->conf->apex)) %
	                  1000);
}

/* --- whom to ask --------------------------------------------------------------------------- */

/* The round goes once around the primaries, beginning with first_primary. */
static uint16_t primary_index(const zone_t *z)
{
	return (uint16_t)(((size_t)z->first_primary + z->primary) % z->conf->group->primary_count);
}

static const conf_primary_t *current_primary(const zone_t *z)
{
	return z->conf->group->primaries[primary_index(z)];
}

static const addr_t *current_address(const zone_t *z)
{
	const conf_primary_t *p = current_primary(z);
	size_t first = z->primary == 0 ? z->first_address : 0;

	return &p->addresses[(first + z->address) % p->address_count];
}

static xfr_peer_t current_peer(const zone_t *z)
{
	const conf_primary_t *p = current_primary(z);
	xfr_peer_t peer = { .addr = *current_address(z) };
	bool v4 = peer.addr.sa.sa_family == AF_INET;

	peer.has_source = v4 ? p->has_source4 : p->has_source6;
	if (peer.has_source)
		peer.source = v4 ? p->source4 : p->source6;
	return peer;
}

/* The primary and the way to it that a NOTIFY came from, to be asked first. */
static void prefer(zone_t *z, const addr_t *from)
{
	const conf_group_t *g = z->conf->group;

	for (size_t i = 0; i < g->primary_count; i++) {
		for (size_t j = 0; j < g->primaries[i]->address_count; j++) {
			if (addr_same_host(&g->primaries[i]->addresses[j], from)) {
				z->next_primary = (uint16_t)i;
				z->next_address = (uint16_t)j;
				return;
			}
		}
	}
}

/* --- the end of a round -------------------------------------------------------------------- */

static void arm(refresh_t *r)
{
	refresh_timer_t *first = refresh_heap_first(&r->timers);

	ev_timer_stop(r->loop, &r->wake);
	if (!first)
		return;
	double in = mono_diff(clock_mono(), first->at);
	ev_timer_set(&r->wake, in > 0 ? in : 0, 0);
	ev_timer_start(r->loop, &r->wake);
}

/* The next time at which something happens to the zone by itself. */
static void set_timer(zone_t *z)
{
	bool expires = z->clock.loaded && !z->clock.expired;

	if (z->stage == STAGE_IDLE)
		refresh_heap_set(&z->r->timers, &z->timer,
		                 expires ? mono_min(z->clock.due, z->clock.expires) : z->clock.due);
	else if (expires)
		refresh_heap_set(&z->r->timers, &z->timer, z->clock.expires);
	else
		refresh_heap_remove(&z->r->timers, &z->timer);
}

static void enqueue(zone_t *z)
{
	z->stage = STAGE_QUEUED;
	z->primary = z->address = 0;
	z->first_primary = z->next_primary;
	z->first_address = z->next_address;
	z->next_primary = z->next_address = 0;
	z->any_current = z->any_newer = false;
	refresh_lane_push(z->urgent ? &z->r->urgent : &z->r->due, &z->link);
	set_timer(z);
}

static void rest(zone_t *z)
{
	z->stage = STAGE_IDLE;
	z->urgent = false;
	if (z->again) {
		z->again = false;
		z->urgent = true;
		refresh_clock_notified(&z->clock, clock_mono());
		enqueue(z);
	}
	set_timer(z);
}

static void revive(zone_t *z, bool was_expired)
{
	char name[DNS_NAME_TEXT_MAX];

	if (!was_expired)
		return;
	zone_set_expire(z->slot, false);
	log_notice("zone fresh zone=%s serial=%u why=\"a primary confirmed it after EXPIRE\"",
	           zone_text(z, name), z->clock.serial);
}

/* Every primary was asked, and none had anything newer that could be fetched. */
static void end_round(zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];
	mono_t now = clock_mono();

	if (z->any_current) {
		bool was_expired = z->clock.expired;

		refresh_clock_current(&z->clock, now, spread(z));
		zone_set_expires(z->slot, z->clock.expires);
		if (z->any_newer) /* alive, but behind: don't wait for REFRESH */
			refresh_clock_failed(&z->clock, now, spread(z));
		revive(z, was_expired);
		log_debug("zone current zone=%s serial=%u", zone_text(z, name), z->clock.serial);
	} else {
		refresh_clock_failed(&z->clock, now, spread(z));
		log_write(z->clock.failures == 1 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
		          "zone unrefreshed zone=%s failures=%u retry=%.0f state=%s",
		          zone_text(z, name), z->clock.failures, mono_diff(now, z->clock.due),
		          !z->clock.loaded   ? "empty"
		          : z->clock.expired ? "expired"
		                             : "served");
	}
	rest(z);
}

/* --- transfers ----------------------------------------------------------------------------- */

static void next_primary(zone_t *z);
static void start_poll(zone_t *z);

static void log_faults(const zone_t *z, const xfr_result_t *res)
{
	const zone_build_stats_t *s = &res->stats;
	const zone_faults_t *f = &res->faults;
	char name[DNS_NAME_TEXT_MAX];

	if (s->outside + s->ttl_mixed > 0)
		log_warn("zone records zone=%s serial=%u outside=%lu ttl-mixed=%lu "
		         "why=\"records out of the zone are dropped, of several TTLs the lowest "
		         "counts\"",
		         zone_text(z, name), res->soa.serial, (unsigned long)s->outside,
		         (unsigned long)s->ttl_mixed);
	if (f->first[0])
		log_warn("zone faults zone=%s serial=%u no-ns=%u single-ns=%u cname-beside=%u "
		         "many-cnames=%u below-dname=%u missing-glue=%u chain-gaps=%u "
		         "nsec3-iterations=%u first=%s",
		         zone_text(z, name), res->soa.serial, f->no_ns, f->single_ns,
		         f->cname_beside, f->many_cnames, f->below_dname, f->missing_glue,
		         f->chain_gaps, f->iterations, f->first);
}

static const char *how_text(xfr_outcome_t outcome)
{
	switch (outcome) {
	case XFR_AXFR:
		return "axfr";
	case XFR_WHOLE:
		return "axfr-in-ixfr";
	case XFR_DIFFERENCE:
		return "ixfr";
	case XFR_CURRENT:
	case XFR_FAILED:
		break;
	}
	return "nothing";
}

static void publish(zone_t *z, xfr_result_t *res)
{
	const zone_version_t *before = res->outcome == XFR_DIFFERENCE ? zone_slot_version(z->slot)
	                                                              : NULL;
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];
	bool was_expired = z->clock.expired;
	refresh_t *r = z->r;

	refresh_clock_loaded(&z->clock, &res->soa, &z->conf->group->policy, clock_mono(),
	                     spread(z));
	zone_set_expires(z->slot, z->clock.expires); /* who sees the version sees its time */
	/* Cannot be stale: nobody but this round publishes the zone. */
	if (zone_set_publish(r->set, z->slot, res->version, before) != ST_OK) {
		zone_version_free(res->version);
		return;
	}
	z->source = primary_index(z);
	log_info("xfr installed zone=%s serial=%u primary=%s addr=%s how=%s diffs=%u removed=%u "
	         "added=%u records=%lu bytes=%lu messages=%lu memory=%zu seconds=%.3f",
	         zone_text(z, name), res->soa.serial, current_primary(z)->name,
	         addr_text(current_address(z), addr), how_text(res->outcome), res->counts.diffs,
	         res->counts.removed, res->counts.added,
	         (unsigned long)zone_version_records(res->version), (unsigned long)res->bytes,
	         (unsigned long)res->messages, zone_version_bytes(res->version), res->seconds);
	log_faults(z, res);
	revive(z, was_expired);
	if (!ev_is_active(&r->reclaim))
		ev_timer_again(r->loop, &r->reclaim);
}

/* The SOA that came with the transfer may be other than the one that the poll showed. */
static bool moves_forward(zone_t *z, xfr_result_t *res)
{
	refresh_verdict_t v = refresh_clock_judge(&z->clock, res->soa.serial);

	if (v == REFRESH_FETCH || (v == REFRESH_CURRENT && z->clock.expired))
		return true;
	res->why = xfr_why(v == REFRESH_OLDER       ? XFR_WHY_SERIAL_OLDER
	                   : v == REFRESH_UNDEFINED ? XFR_WHY_SERIAL_UNDEFINED
	                                            : XFR_WHY_SERIAL_SAME,
	                   res->soa.serial, z->clock.serial);
	zone_version_free(res->version);
	res->version = NULL;
	return false;
}

static void log_fetch_failed(const zone_t *z, const char *event, const xfr_result_t *res)
{
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX], why[XFR_WHY_TEXT_MAX];

	log_warn("xfr %s zone=%s primary=%s addr=%s seconds=%.3f why=\"%s\"%s%s%s", event,
	         zone_text(z, name), current_primary(z)->name, addr_text(current_address(z), addr),
	         res->seconds, xfr_why_text(&res->why, why), res->detail[0] ? " record=\"" : "",
	         res->detail, res->detail[0] ? "\"" : "");
}

static void on_fetched(void *arg, xfr_result_t *res)
{
	zone_t *z = arg;

	z->fetch = NULL;
	z->r->fetching--;
	if (res->outcome != XFR_FAILED && moves_forward(z, res) && res->version) {
		publish(z, res);
		rest(z);
		return;
	}
	if (z->asked_ixfr) { /* whatever it was, the whole zone may do: at once */
		log_fetch_failed(z, "fallback", res);
		z->whole = true;
		z->stage = STAGE_FETCH_QUEUED;
		refresh_lane_push(&z->r->fetches, &z->link);
		return;
	}
	log_fetch_failed(z, "failed", res);
	z->any_newer = true;
	if (xfr_why_kind(&res->why) == XFR_WHY_OF_WAY &&
	    ++z->address < current_primary(z)->address_count)
		start_poll(z); /* another way to the same primary */
	else
		next_primary(z);
}

/* IXFR only from where our version came, once in a round and primary. */
static const zone_version_t *base_of(const zone_t *z)
{
	const bool ours = z->clock.loaded && !z->clock.expired && z->source == primary_index(z);

	return ours && !z->whole ? zone_slot_version(z->slot) : NULL;
}

static void start_fetch(zone_t *z)
{
	const conf_policy_t *p = &z->conf->group->policy;
	xfr_fetch_spec_t spec = {
		.peer = current_peer(z),
		.deadlines = z->r->deadlines,
		.limits = { p->max_records, p->max_size, p->max_rrset },
		.base = base_of(z),
	};
	char name[DNS_NAME_TEXT_MAX];
	dns_name_t apex;

	dns_name_from_wire(z->conf->apex, &apex);
	spec.apex = &apex;
	z->stage = STAGE_FETCH;
	z->asked_ixfr = spec.base != NULL;
	z->whole = false;
	z->fetch = xfr_fetch_start(z->r->env, &spec, on_fetched, z);
	if (z->fetch) {
		z->r->fetching++;
		return;
	}
	log_warn("xfr failed zone=%s primary=%s why=\"out of memory\"", zone_text(z, name),
	         current_primary(z)->name);
	z->any_newer = true;
	next_primary(z);
}

/* --- polls --------------------------------------------------------------------------------- */

/* Go on with the next primary, behind those that wait; or end the round. */
static void next_primary(zone_t *z)
{
	z->address = 0;
	if (++z->primary < z->conf->group->primary_count)
		start_poll(z);
	else
		end_round(z);
}

static void poll_failed(zone_t *z, const xfr_poll_result_t *res)
{
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX], why[XFR_WHY_TEXT_MAX];

	log_write(z->clock.failures == 0 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	          "poll failed zone=%s primary=%s addr=%s why=\"%s\"", zone_text(z, name),
	          current_primary(z)->name, addr_text(current_address(z), addr),
	          xfr_why_text(&res->why, why));
	if (++z->address < current_primary(z)->address_count)
		start_poll(z); /* another way to the same primary */
	else
		next_primary(z);
}

static void log_poll(const zone_t *z, refresh_verdict_t v, uint32_t serial)
{
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];
	bool bad = v == REFRESH_OLDER || v == REFRESH_UNDEFINED;
	log_level_t level = bad ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;

	if (!log_wanted(level))
		return;
	log_write(level, "poll %s zone=%s primary=%s addr=%s serial=%u held=%u%s",
	          refresh_verdict_text(v), zone_text(z, name), current_primary(z)->name,
	          addr_text(current_address(z), addr), serial, z->clock.serial,
	          v == REFRESH_OLDER       ? " why=\"its serial went back; our version stays\""
	          : v == REFRESH_UNDEFINED ? " why=\"2^31 apart: neither newer nor older\""
	                                   : "");
}

static void on_polled(void *arg, const xfr_poll_result_t *res)
{
	zone_t *z = arg;

	z->poll = NULL;
	z->r->polling--;
	if (res->why.code != XFR_WHY_NONE) {
		poll_failed(z, res);
		return;
	}
	refresh_verdict_t v = refresh_clock_judge(&z->clock, res->soa.serial);
	log_poll(z, v, res->soa.serial);
	switch (v) {
	case REFRESH_FETCH:
		z->stage = STAGE_FETCH_QUEUED;
		refresh_lane_push(&z->r->fetches, &z->link);
		return;
	case REFRESH_CURRENT:
		z->any_current = true;
		break;
	case REFRESH_OLDER:
	case REFRESH_UNDEFINED:
		break;
	}
	next_primary(z);
}

static void start_poll(zone_t *z)
{
	xfr_peer_t peer = current_peer(z);
	dns_name_t apex;

	dns_name_from_wire(z->conf->apex, &apex);
	z->stage = STAGE_POLL;
	errno = 0;
	z->poll = xfr_poll_start(z->r->loop, &peer, &z->r->deadlines, &apex, on_polled, z);
	if (z->poll) {
		z->r->polling++;
		return;
	}
	/* No socket of this family, or none at all: another way may do. */
	poll_failed(z, &(xfr_poll_result_t){ .why = xfr_why(XFR_WHY_ERRNO, (uint32_t)errno, 0) });
}

/* --- the loop's side ----------------------------------------------------------------------- */

static void wake_zone(zone_t *z, mono_t now)
{
	char name[DNS_NAME_TEXT_MAX];

	if (refresh_clock_tick(&z->clock, now)) {
		zone_set_expire(z->slot, true);
		log_warn("zone expired zone=%s serial=%u expire=%u "
		         "why=\"no primary has confirmed it for EXPIRE seconds\"",
		         zone_text(z, name), z->clock.serial, z->clock.expire);
	}
	if (z->stage == STAGE_IDLE && !mono_before(now, z->clock.due)) {
		log_debug("zone due zone=%s why=timer", zone_text(z, name));
		enqueue(z);
	} else {
		set_timer(z);
	}
}

static void on_wake(struct ev_loop *loop, ev_timer *w, int revents)
{
	refresh_t *r = w->data;
	mono_t now = clock_mono();
	refresh_timer_t *first;

	(void)loop;
	(void)revents;
	while ((first = refresh_heap_first(&r->timers)) && !mono_before(now, first->at))
		wake_zone(of_timer(first), now);
}

/* What NOTIFY made due goes first, but every fourth time: a storm of them must not keep the timers
 * of all other zones from ever coming to their turn. */
static refresh_link_t *next_due(refresh_t *r)
{
	bool timers_first = r->turn++ % 4 == 3;
	refresh_link_t *link = refresh_lane_pop(timers_first ? &r->due : &r->urgent);

	return link ? link : refresh_lane_pop(timers_first ? &r->urgent : &r->due);
}

/* Before the loop blocks: start what the budget allows, and set the alarm. */
static void on_pump(struct ev_loop *loop, ev_prepare *w, int revents)
{
	refresh_t *r = w->data;
	refresh_link_t *link;

	(void)loop;
	(void)revents;
	while (r->polling < r->conf->polls && (link = next_due(r)))
		start_poll(of_link(link));
	while (r->fetching < r->conf->transfers && (link = refresh_lane_pop(&r->fetches)))
		start_fetch(of_link(link));
	arm(r);
}

static void on_reclaim(struct ev_loop *loop, ev_timer *w, int revents)
{
	refresh_t *r = w->data;

	(void)revents;
	if (epoch_reclaim(r->epoch) == 0)
		ev_timer_stop(loop, w);
}

void refresh_notify(refresh_t *r, const zone_slot_t *slot, const addr_t *from)
{
	zone_t *z = zone_slot_user(slot);
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];

	(void)r;
	log_debug("notify accepted zone=%s from=%s", zone_text(z, name), addr_text(from, addr));
	prefer(z, from);
	switch (z->stage) {
	case STAGE_QUEUED:
		if (z->urgent)
			break; /* it keeps its place: a busy zone must not wait for ever */
		refresh_lane_remove(&z->link);
		/* fall through */
	case STAGE_IDLE:
		z->urgent = true;
		refresh_clock_notified(&z->clock, clock_mono());
		enqueue(z);
		break;
	case STAGE_POLL:
	case STAGE_FETCH_QUEUED:
	case STAGE_FETCH:
		z->again = true;
		break;
	}
}

void refresh_notify_refused(refresh_t *r, const zone_slot_t *slot, const addr_t *from)
{
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];

	if (strangers_tell(&r->strangers, from, clock_mono()))
		log_warn("notify refused zone=%s from=%s "
		         "why=\"neither a primary of the zone nor in its notify-from\"",
		         dns_name_text(zone_slot_apex(slot), name), addr_text(from, addr));
}

static status_t add_zone(refresh_t *r, const conf_zone_t *conf, zone_t *z, mono_t now)
{
	dns_name_t apex;

	*z = (zone_t){ .r = r, .conf = conf };
	refresh_clock_init(&z->clock, now);
	dns_name_from_wire(conf->apex, &apex);
	return zone_set_add(r->set, &apex, &conf->group->notify, z, &z->slot);
}

refresh_t *refresh_new(struct ev_loop *loop, const conf_t *conf, zone_set_t *set, epoch_t *epoch,
                       xfr_env_t *env)
{
	refresh_t *r = calloc(1, sizeof *r);
	mono_t now = clock_mono();

	if (!r)
		return NULL;
	r->loop = loop;
	r->conf = conf;
	r->set = set;
	r->epoch = epoch;
	r->env = env;
	r->deadlines = (xfr_deadlines_t){
		.udp_try = 1.5,
		.udp_tries = 3,
		.connect = conf->connect_time,
		.idle = conf->transfer_idle,
		.total = conf->transfer_time,
		.min_rate = conf->transfer_min_rate,
		.rate_window = 30,
	};
	refresh_lane_init(&r->urgent);
	refresh_lane_init(&r->due);
	refresh_lane_init(&r->fetches);
	ev_init(&r->wake, on_wake);
	ev_timer_init(&r->reclaim, on_reclaim, 0, RECLAIM_SECONDS);
	ev_prepare_init(&r->pump, on_pump);
	r->wake.data = r->reclaim.data = r->pump.data = r;
	r->zones = calloc(conf->zone_count ? conf->zone_count : 1, sizeof *r->zones);
	if (!r->zones || refresh_heap_reserve(&r->timers, conf->zone_count) != ST_OK) {
		refresh_free(r);
		return NULL;
	}
	for (; r->zone_count < conf->zone_count; r->zone_count++) {
		const conf_zone_t *z = &conf->zones[r->zone_count];

		if (add_zone(r, z, &r->zones[r->zone_count], now) != ST_OK) {
			refresh_free(r);
			return NULL;
		}
	}
	if (zone_set_commit(set) != ST_OK) {
		refresh_free(r);
		return NULL;
	}
	return r;
}

void refresh_start(refresh_t *r)
{
	for (size_t i = 0; i < r->zone_count; i++)
		enqueue(&r->zones[i]);
	ev_prepare_start(r->loop, &r->pump);
}

void refresh_free(refresh_t *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->zone_count; i++) {
		zone_t *z = &r->zones[i];

		if (z->stage == STAGE_POLL)
			xfr_poll_stop(z->poll);
		else if (z->stage == STAGE_FETCH)
			xfr_fetch_stop(z->fetch);
	}
	ev_prepare_stop(r->loop, &r->pump);
	ev_timer_stop(r->loop, &r->wake);
	ev_timer_stop(r->loop, &r->reclaim);
	refresh_heap_free(&r->timers);
	free(r->zones);
	free(r);
}
