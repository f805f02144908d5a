/* refresh/told.c - every line of the log that following zones makes. */
#include "common/log.h"
#include "refresh/zone.h"

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

static const char *zone_text(const zone_t *z, char out[DNS_NAME_TEXT_MAX])
{
	return dns_name_text(z->conf->apex, out);
}

void told_due(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	if (log_wanted(LOG_LEVEL_DEBUG))
		log_debug("zone due zone=%s why=timer", zone_text(z, name));
}

void told_notify(const zone_t *z, const addr_t *from)
{
	char name[DNS_NAME_TEXT_MAX], addr[ADDR_TEXT_MAX];

	if (log_wanted(LOG_LEVEL_DEBUG))
		log_debug("notify accepted zone=%s from=%s", zone_text(z, name),
		          addr_text(from, addr));
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

void told_poll(const seat_t *s, round_verdict_t verdict, uint32_t serial)
{
	const char *why = "";

	if (!log_wanted(level_of(verdict)))
		return;
	if (verdict == ROUND_OLDER)
		why = " why=\"its serial went back; our version stays, unless that is accepted\"";
	else if (verdict == ROUND_UNDEFINED)
		why = " why=\"2^31 apart: neither newer nor older\"";
	names_t n = names_of(s);
	log_write(level_of(verdict), "poll %s zone=%s primary=%s addr=%s serial=%u held=%u%s",
	          round_verdict_text(verdict), n.zone, n.primary, n.addr, serial,
	          s->follow->zone->clock.serial, why);
}

void told_poll_failed(const seat_t *s, const xfr_why_t *why)
{
	char words[XFR_WHY_TEXT_MAX];
	bool news = s->follow->zone->clock.failures == 0 && why->code != XFR_WHY_DOWN;
	log_level_t level = news ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;

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
	log_failed(s, LOG_LEVEL_WARN, "fallback", res);
}

void told_fetch_failed(const seat_t *s, const xfr_result_t *res)
{
	log_failed(s, res->why.code == XFR_WHY_DOWN ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "failed",
	           res);
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

void told_installed(const seat_t *s, const xfr_result_t *res)
{
	const zone_version_t *v = res->version;
	names_t n = names_of(s);

	log_info("xfr installed zone=%s serial=%u primary=%s addr=%s how=%s diffs=%u removed=%u "
	         "added=%u records=%lu bytes=%lu messages=%lu memory=%zu seconds=%.3f",
	         n.zone, res->soa.serial, n.primary, n.addr, how_text(res->outcome),
	         res->counts.diffs, res->counts.removed, res->counts.added,
	         (unsigned long)zone_version_records(v), (unsigned long)res->bytes,
	         (unsigned long)res->messages, zone_version_bytes(v), res->seconds);
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

void told_fresh(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	log_notice("zone fresh zone=%s serial=%u why=\"a primary confirmed it after EXPIRE\"",
	           zone_text(z, name), z->clock.serial);
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

void told_expired(const zone_t *z)
{
	char name[DNS_NAME_TEXT_MAX];

	log_warn("zone expired zone=%s serial=%u expire=%u "
	         "why=\"no primary has confirmed it for EXPIRE seconds\"",
	         zone_text(z, name), z->clock.serial, z->clock.expire);
}
