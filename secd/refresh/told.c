/* refresh/told.c - every line of the log that following zones makes. */
#include <string.h>

#include "common/log.h"
#include "refresh/zone.h"
#include "zone/advice.h"

/* One line about a seat begins so. */
typedef struct names {
	char zone[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];
	const char *primary;
} names_t;

static names_t names_of(const seat_t *s)
{
	names_t n = { .primary = seat_primary(s)->name };

	dns_name_text(s->follow->zone->conf->apex, n.zone);
	addr_text(&way_peer(seat_way(s))->addr, n.addr);
	return n;
}

/* An event of a zone. */
static refresh_event_t of_zone(const zone_t *z, refresh_event_code_t code)
{
	return (refresh_event_t){
		.code = code,
		.at = clock_mono(),
		.apex = z->conf->apex,
		.has_serial = z->clock.loaded,
		.serial = z->clock.serial,
	};
}

/* An event between a zone and a primary. */
static refresh_event_t of_seat(const seat_t *s, refresh_event_code_t code, const char *text)
{
	return (refresh_event_t){
		.code = code,
		.at = clock_mono(),
		.apex = s->follow->zone->conf->apex,
		.primary = seat_primary(s)->name,
		.addr = way_peer(seat_way(s))->addr,
		.has_addr = true,
		.text = text,
	};
}

static void note(const zone_t *z, const refresh_event_t *e)
{
	refresh_events_note(z->group->r->events, e);
}

static void note_zone(const zone_t *z, refresh_event_code_t code)
{
	const refresh_event_t e = of_zone(z, code);

	note(z, &e);
}

static void note_seat(const seat_t *s, refresh_event_code_t code, const char *text)
{
	const refresh_event_t e = of_seat(s, code, text);

	note(s->follow->zone, &e);
}

static const char *zone_text(const zone_t *z, char out[DNS_NAME_TEXT_MAX])
{
	return dns_name_text(z->conf->apex, out);
}

void told_due(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	note_zone(z, REFRESH_EVENT_DUE);
	if (log_wanted(LOG_LEVEL_DEBUG))
		log_debug("zone due zone=%s why=%s", zone_text(z, name),
		          z->why == ROUND_TIMER ? "timer" : "notify");
}

void told_notify(const zone_t *z, const addr_t *from, const uint32_t *hint)
{
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];
	refresh_event_t e = of_zone(z, REFRESH_EVENT_NOTIFY);

	e.addr = *from;
	e.has_addr = true;
	e.has_serial = hint != NULL;
	e.serial = hint ? *hint : 0;
	note(z, &e);
	if (log_wanted(LOG_LEVEL_DEBUG))
		log_debug("notify accepted zone=%s from=%s", zone_text(z, name),
		          addr_text(from, addr));
}

void told_command(const zone_t *z, const char *verb)
{
	refresh_event_t e = of_zone(z, REFRESH_EVENT_COMMAND);

	e.text = verb;
	note(z, &e);
}

/* --- questions ----------------------------------------------------------------------------- */

static log_level_t level_of(round_verdict_t verdict)
{
	switch (verdict) {
	case ROUND_SAME:
	case ROUND_NEWER:
	case ROUND_REFUSED: /* told when it was */
		return LOG_LEVEL_DEBUG;
	case ROUND_RESIGNED:
		return LOG_LEVEL_INFO;
	case ROUND_OLDER:
	case ROUND_UNDEFINED:
		break;
	}
	return LOG_LEVEL_WARN;
}

/* Would it not be taken, but for what an operator said? */
static bool is_granted(const seat_t *s, round_verdict_t verdict)
{
	switch (verdict) {
	case ROUND_SAME:
		return s->follow->round->why == ROUND_RETRANSFER;
	case ROUND_OLDER:
	case ROUND_UNDEFINED:
	case ROUND_REFUSED:
		return s->follow->round->why == ROUND_ACCEPT;
	case ROUND_NEWER:
	case ROUND_RESIGNED:
		break;
	}
	return false;
}

static refresh_event_code_t code_of(const seat_t *s, round_verdict_t verdict)
{
	if (is_granted(s, verdict))
		return REFRESH_EVENT_GRANTED;
	switch (verdict) {
	case ROUND_SAME:
		return REFRESH_EVENT_CURRENT;
	case ROUND_NEWER:
	case ROUND_RESIGNED:
		return REFRESH_EVENT_NEWER;
	case ROUND_OLDER:
	case ROUND_UNDEFINED:
	case ROUND_REFUSED:
		break;
	}
	return REFRESH_EVENT_REFUSED;
}

static void note_poll(const seat_t *s, round_verdict_t verdict, uint32_t serial)
{
	refresh_event_t e = of_seat(s, code_of(s, verdict), NULL);

	if (e.code == REFRESH_EVENT_REFUSED)
		e.text = round_verdict_text(verdict);
	e.has_serial = true;
	e.serial = serial;
	e.has_held = s->follow->zone->clock.loaded;
	e.held = s->follow->zone->clock.serial;
	note(s->follow->zone, &e);
}

void told_poll(const seat_t *s, round_verdict_t verdict, uint32_t serial)
{
	const char *why = "";
	const bool granted = is_granted(s, verdict), pinned = s->follow->round->zone.pinned;
	log_level_t level = granted                           ? LOG_LEVEL_NOTICE
	                    : pinned && verdict != ROUND_SAME ? LOG_LEVEL_INFO
	                                                      : level_of(verdict);

	note_poll(s, verdict, serial);
	if (!log_wanted(level))
		return;
	if (pinned && verdict != ROUND_SAME)
		why = " why=\"the zone is pinned: it is not taken before secdctl unpin\"";
	else if (granted)
		why = " why=\"the operator told to take it\"";
	else if (verdict == ROUND_OLDER)
		why = " why=\"its serial went back; our version stays, but for secdctl accept\"";
	else if (verdict == ROUND_UNDEFINED)
		why = " why=\"2^31 apart: neither newer nor older\"";
	names_t n = names_of(s);
	log_write(level, "poll %s zone=%s primary=%s addr=%s serial=%u held=%u%s",
	          granted ? "granted" : round_verdict_text(verdict), n.zone, n.primary, n.addr,
	          serial, s->follow->zone->clock.serial, why);
}

void told_poll_failed(const seat_t *s, const xfr_why_t *why)
{
	char words[XFR_WHY_TEXT_MAX];
	bool news = s->follow->zone->clock.failures == 0 && why->code != XFR_WHY_DOWN;
	log_level_t level = news ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;

	if (why->code != XFR_WHY_DOWN) /* that is one event of many zones */
		note_seat(s, REFRESH_EVENT_POLL_FAILED, xfr_why_text(why, words));
	if (!log_wanted(level))
		return;
	names_t n = names_of(s);
	log_write(level, "poll failed zone=%s primary=%s addr=%s why=\"%s\"", n.zone, n.primary,
	          n.addr, xfr_why_text(why, words));
}

void told_down(const seat_t *s, const xfr_why_t *why)
{
	char words[XFR_WHY_TEXT_MAX];
	names_t n = names_of(s);

	log_warn("primary down primary=%s addr=%s why=\"%s, several times in a row\"", n.primary,
	         n.addr, xfr_why_text(why, words));
}

void told_up(const seat_t *s, mono_t since, mono_t now)
{
	names_t n = names_of(s);

	log_notice("primary up primary=%s addr=%s down=%.0f", n.primary, n.addr,
	           mono_diff(since, now));
}

/* --- transfers ----------------------------------------------------------------------------- */

void told_begun(const seat_t *s)
{
	note_seat(s, REFRESH_EVENT_BEGUN, s->delta ? "ixfr" : "axfr");
}

/* Why it failed, and the record that is to blame. */
static void note_failed(const seat_t *s, refresh_event_code_t code, const xfr_result_t *res)
{
	char words[XFR_WHY_TEXT_MAX], text[XFR_WHY_TEXT_MAX + XFR_DETAIL_MAX + 2];

	if (res->why.code == XFR_WHY_DOWN)
		return;
	snprintf(text, sizeof text, "%s%s%s", xfr_why_text(&res->why, words),
	         res->detail[0] ? ": " : "", res->detail);
	note_seat(s, code, text);
}

static void log_failed(const seat_t *s, log_level_t level, const char *event,
                       const xfr_result_t *res)
{
	char words[XFR_WHY_TEXT_MAX];

	if (!log_wanted(level))
		return;
	names_t n = names_of(s);
	log_write(level, "xfr %s zone=%s primary=%s addr=%s seconds=%.3f why=\"%s\"%s%s%s", event,
	          n.zone, n.primary, n.addr, res->seconds, xfr_why_text(&res->why, words),
	          res->detail[0] ? " record=\"" : "", res->detail, res->detail[0] ? "\"" : "");
}

void told_fallback(const seat_t *s, const xfr_result_t *res)
{
	note_failed(s, REFRESH_EVENT_FALLBACK, res);
	log_failed(s, LOG_LEVEL_WARN, "fallback", res);
}

void told_fetch_failed(const seat_t *s, const xfr_result_t *res)
{
	note_failed(s,
	            xfr_why_kind(&res->why) == XFR_WHY_OF_GATE ? REFRESH_EVENT_REFUSED
	                                                       : REFRESH_EVENT_FAILED,
	            res);
	log_failed(s, res->why.code == XFR_WHY_DOWN ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "failed",
	           res);
}

const char *told_how(xfr_outcome_t outcome)
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

xfr_outcome_t told_named(const char *name)
{
	for (xfr_outcome_t how = XFR_AXFR; how < XFR_CURRENT; how++) {
		if (strcmp(told_how(how), name) == 0)
			return how;
	}
	return XFR_AXFR;
}

void told_installed(const seat_t *s, const xfr_result_t *res)
{
	const zone_version_t *v = res->version;
	refresh_event_t e = of_seat(s, REFRESH_EVENT_INSTALLED, NULL);
	names_t n = names_of(s);

	e.has_serial = true;
	e.serial = res->soa.serial;
	e.records = zone_version_records(v);
	e.octets = res->bytes;
	e.ms = (uint32_t)(res->seconds * 1000);
	note(s->follow->zone, &e);

	log_info("xfr installed zone=%s serial=%u primary=%s addr=%s how=%s diffs=%u removed=%u "
	         "added=%u records=%lu bytes=%lu messages=%lu memory=%zu seconds=%.3f",
	         n.zone, res->soa.serial, n.primary, n.addr, told_how(res->outcome),
	         res->counts.diffs, res->counts.removed, res->counts.added,
	         (unsigned long)zone_version_records(v), (unsigned long)res->bytes,
	         (unsigned long)res->messages, zone_version_bytes(v), res->seconds);
}

void told_advice(const zone_t *z, uint8_t before, uint8_t advice)
{
	char name[DNS_NAME_TEXT_MAX], what[256] = "";
	size_t n = 0;

	if (before == advice)
		return;
	for (zone_advice_t i = 0; i < ZONE_ADVICE_OF_APEX && n < sizeof what; i++) {
		if (advice & 1u << i)
			n += (size_t)snprintf(what + n, sizeof what - n, "%s%s", n > 0 ? "," : "",
			                      zone_advice_name(i));
	}
	log_info("zone advice zone=%s what=%s", zone_text(z, name), n > 0 ? what : "none");
}

void told_faults(const zone_t *z, const xfr_result_t *res)
{
	const zone_build_stats_t *st = &res->stats;
	const zone_verdict_t *v = &res->verdict;
	const uint32_t *n = v->count;
	char name[DNS_NAME_TEXT_MAX];

	if (st->outside + st->ttl_mixed > 0)
		log_warn("zone records zone=%s serial=%u outside=%lu ttl-mixed=%lu "
		         "why=\"records out of the zone are dropped, of several TTLs the lowest "
		         "counts\"",
		         zone_text(z, name), res->soa.serial, (unsigned long)st->outside,
		         (unsigned long)st->ttl_mixed);
	if (zone_verdict_has_faults(v))
		log_warn("zone faults zone=%s serial=%u no-ns=%u single-ns=%u cname-beside=%u "
		         "many-cnames=%u below-dname=%u missing-glue=%u chain-gaps=%u "
		         "nsec3-iterations=%u first=%s",
		         zone_text(z, name), res->soa.serial, n[ZONE_FAULT_NO_NS],
		         n[ZONE_FAULT_SINGLE_NS], n[ZONE_FAULT_CNAME_BESIDE],
		         n[ZONE_FAULT_MANY_CNAMES], n[ZONE_FAULT_BELOW_DNAME],
		         n[ZONE_FAULT_MISSING_GLUE], n[ZONE_FAULT_CHAIN_GAPS],
		         n[ZONE_FAULT_ITERATIONS] ? v->iterations : 0, v->first);
	if (v->ends_soon)
		log_warn("zone signatures zone=%s serial=%u left=%ld why=\"the first signature "
		         "runs out sooner than warn-signatures\"",
		         zone_text(z, name), res->soa.serial, (long)v->left);
	if (v->zonemd == ZONE_ZONEMD_UNKNOWN)
		log_warn("zone unverified zone=%s serial=%u why=\"%s\"", zone_text(z, name),
		         res->soa.serial, zone_zonemd_text(v->zonemd));
}

/* --- zones --------------------------------------------------------------------------------- */

void told_fresh(const zone_t *z, const char *why)
{
	char name[DNS_NAME_TEXT_MAX];

	note_zone(z, REFRESH_EVENT_REVIVED);
	log_notice("zone fresh zone=%s serial=%u why=\"%s after EXPIRE\"", zone_text(z, name),
	           z->clock.serial, why);
}

void told_current(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	if (log_wanted(LOG_LEVEL_DEBUG))
		log_debug("zone current zone=%s serial=%u", zone_text(z, name), z->clock.serial);
}

void told_stale(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];
	const mono_t now = clock_mono();

	log_warn("zone stale zone=%s serial=%u since=%.0f expires=%.0f "
	         "why=\"a primary has shown a newer serial that can't be had: what others confirm "
	         "no longer renews EXPIRE\"",
	         zone_text(z, name), z->clock.serial, mono_diff(z->clock.outrun, now),
	         mono_diff(now, z->clock.expires));
}

void told_unrefreshed(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	log_write(z->clock.failures == 1 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	          "zone unrefreshed zone=%s failures=%u retry=%.0f state=%s", zone_text(z, name),
	          z->clock.failures, mono_diff(clock_mono(), z->clock.due),
	          !z->clock.loaded   ? "empty"
	          : z->clock.expired ? "expired"
	                             : "served");
}

void told_expiring(const zone_t *z, unsigned percent)
{
	char name[DNS_NAME_TEXT_MAX];
	const mono_t now = clock_mono();

	log_warn("zone expiring zone=%s serial=%u percent=%u left=%.0f failures=%u "
	         "why=\"no primary has confirmed it since %u s ago\"",
	         zone_text(z, name), z->clock.serial, percent, mono_diff(now, z->clock.expires),
	         z->clock.failures, (uint32_t)(now.ns / NS_PER_S) - z->clock.checked);
}

void told_expired(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	note_zone(z, REFRESH_EVENT_EXPIRED);
	log_warn("zone expired zone=%s serial=%u checked=%u "
	         "why=\"no primary has confirmed it before EXPIRE was over\"",
	         zone_text(z, name), z->clock.serial,
	         (uint32_t)(clock_mono().ns / NS_PER_S) - z->clock.checked);
}

/* --- pins ---------------------------------------------------------------------------------- */

void told_pinned(const zone_t *z, uint32_t was, const char *why)
{
	char name[DNS_NAME_TEXT_MAX];
	refresh_event_t e = of_zone(z, REFRESH_EVENT_PINNED);

	e.has_held = was != z->clock.serial;
	e.held = was;
	note(z, &e);
	log_notice("zone pinned zone=%s serial=%u was=%u expires=%s why=\"%s\" "
	           "next=\"no primary changes it before secdctl unpin\"",
	           zone_text(z, name), z->clock.serial, was, z->unexpiring ? "never" : "yes", why);
}

void told_unpinned(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	note_zone(z, REFRESH_EVENT_UNPINNED);
	log_notice("zone unpinned zone=%s serial=%u next=\"its primaries are asked\"",
	           zone_text(z, name), z->clock.serial);
}

void told_outlived(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	log_warn("zone outlived zone=%s serial=%u checked=%u "
	         "why=\"no primary has confirmed it before EXPIRE was over, but it is pinned so "
	         "that "
	         "it does not expire\"",
	         zone_text(z, name), z->clock.serial,
	         (uint32_t)(clock_mono().ns / NS_PER_S) - z->clock.checked);
}

void told_added(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	log_info("zone added zone=%s", zone_text(z, name));
}

void told_moved(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	log_info("zone moved zone=%s primaries=%zu first=%s", zone_text(z, name),
	         z->group->conf->primary_count, z->group->conf->primaries[0]->name);
}

void told_removed(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	log_info("zone removed zone=%s serial=%u", zone_text(z, name), z->clock.serial);
}

void told_back(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	log_info("zone back zone=%s serial=%u why=\"what was kept of it counts again\"",
	         zone_text(z, name), z->clock.serial);
}
