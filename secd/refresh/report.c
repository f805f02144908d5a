/* refresh/report.c - what is remembered, put together for the operator. */
#include "refresh/report.h"

#include <stdio.h>
#include <string.h>

#include "refresh/zone.h"

size_t refresh_zones(const refresh_t *r)
{
	return r->zone_count;
}

const refresh_events_t *refresh_events(const refresh_t *r)
{
	return r->events;
}

zone_t *report_find(const refresh_t *r, const dns_name_t *apex)
{
	zone_hashes_t hashes;

	zone_hash_name(zone_set_key(r->set), apex, &hashes);
	const zone_slot_t *slot = zone_set_exact(r->set, apex, hashes.h[0]);
	return slot ? zone_slot_user(slot) : NULL;
}

static unsigned primaries(const zone_t *z)
{
	return (unsigned)z->group->conf->primary_count;
}

/* Was what it showed last looked at and refused, or does it go back? */
bool report_is_refused(const zone_t *z, const round_peer_t *p)
{
	if (p->has_refused)
		return true;
	if (!p->shown || !z->clock.loaded || z->clock.expired)
		return false;
	switch (dns_serial_compare(p->serial, z->clock.serial)) {
	case DNS_SERIAL_OLDER:
	case DNS_SERIAL_UNDEFINED:
		return true;
	case DNS_SERIAL_EQUAL:
	case DNS_SERIAL_NEWER:
		break;
	}
	return false;
}

bool report_has_refused(const zone_t *z)
{
	for (unsigned i = 0; i < primaries(z); i++) {
		if (report_is_refused(z, &z->peers[i]))
			return true;
	}
	return false;
}

static mono_t time_of(uint32_t seconds)
{
	return (mono_t){ (int64_t)seconds * NS_PER_S };
}

/* --- one zone ----------------------------------------------------------------------------- */

refresh_state_t report_state(const zone_t *z)
{
	if (!z->clock.loaded)
		return REFRESH_STATE_EMPTY;
	if (z->clock.expired)
		return REFRESH_STATE_EXPIRED;
	return z->clock.failures > 0 || round_outrun(z->peers, primaries(z), z->clock.serial)
	               ? REFRESH_STATE_BEHIND
	               : REFRESH_STATE_FRESH;
}

/* What a seat is at: the more, the later in a round it is. */
static refresh_work_t work_of_seat(const seat_t *s)
{
	if (s->fetch)
		return REFRESH_WORK_TRANSFER;
	if (s->poll)
		return REFRESH_WORK_POLL;
	if (!s->turn.way)
		return REFRESH_WORK_NONE;
	return s->turn.kind == WAY_TRANSFER ? REFRESH_WORK_TRANSFER_QUEUED : REFRESH_WORK_QUEUED;
}

refresh_work_t report_work(const zone_t *z)
{
	refresh_work_t most = z->stage == STAGE_QUEUED ? REFRESH_WORK_QUEUED : REFRESH_WORK_NONE;

	for (unsigned i = 0; z->follow && i < primaries(z); i++) {
		refresh_work_t work = work_of_seat(&z->follow->seats[i]);

		if (work > most)
			most = work;
	}
	return most;
}

static void report_version(const zone_t *z, refresh_zone_report_t *out)
{
	const zone_version_t *v;

	out->served = zone_slot_read(z->slot, &v);
	if (!v)
		v = zone_slot_version(z->slot);
	if (!v)
		return;
	out->loaded = true;
	out->serial = zone_version_soa(v)->serial;
	out->records = zone_version_records(v);
	out->memory = zone_version_bytes(v);
	out->loaded_at = time_of(z->loaded_at);
	out->checked_at = time_of(z->clock.checked);
	out->expires = z->clock.expires;
	out->used = refresh_clock_used(&z->clock, clock_mono());
	out->has_newest = list_newest(z, &out->newest);
	out->behind_since = list_behind_since(z);
	out->has_signatures = zone_version_expiry(v, clock_wall_coarse(), &out->signatures);
	out->refresh = z->clock.refresh;
	out->retry = z->clock.retry;
	out->expire = z->clock.expire;
	if (z->source != ROUND_NO_SOURCE) /* not one that the settings have no more */
		out->source = z->group->conf->primaries[z->source]->name;
	out->kept = z->group->r->keep != NULL;
	out->unsaved = z->unsaved;
	out->kind = told_how((xfr_outcome_t)z->how);
	out->octets = z->octets;
	out->ms = z->ms;
}

bool refresh_zone_report(const refresh_t *r, const dns_name_t *apex, refresh_zone_report_t *out)
{
	const zone_t *z = report_find(r, apex);

	if (!z)
		return false;
	*out = (refresh_zone_report_t){
		.slot = z->slot,
		.state = report_state(z),
		.refused = report_has_refused(z),
		.pinned = z->pinned,
		.unexpiring = z->unexpiring,
		.pinned_at = z->pinned_at,
		.work = report_work(z),
		.resting = z->stage == STAGE_IDLE && !z->again,
		.again = z->again,
		.failures = z->clock.failures,
		.due = z->clock.due,
		.primaries = z->group->conf->primary_count,
		.group = z->group->conf->name,
		.warn_signatures = z->group->conf->policy.gates.warn_signatures,
	};
	report_version(z, out);
	return true;
}

void report_why(const zone_t *z, size_t i, char out[REFRESH_WHY_MAX])
{
	char text[XFR_WHY_TEXT_MAX];

	snprintf(out, REFRESH_WHY_MAX, "%s", xfr_why_text(&z->peers[i].why, text));
}

bool refresh_primary_report(const refresh_t *r, const dns_name_t *apex, size_t i,
                            refresh_primary_report_t *out)
{
	const zone_t *z = report_find(r, apex);

	if (!z || i >= z->group->conf->primary_count)
		return false;
	const conf_primary_t *primary = z->group->conf->primaries[i];
	const round_peer_t *p = &z->peers[i];
	const size_t last = primary->address_count - 1;

	*out = (refresh_primary_report_t){
		.name = primary->name,
		.addr = primary->addresses[p->address < last ? p->address : last],
		.has_serial = p->shown,
		.serial = p->serial,
		.shown_at = time_of(p->seen),
		.failing = p->why.code != XFR_WHY_NONE,
		.failed_at = time_of(p->failed_at),
		.has_refused = report_is_refused(z, p),
		.refused = p->has_refused ? p->refused : p->serial,
	};
	report_why(z, i, out->why);
	return true;
}

/* --- all of them -------------------------------------------------------------------------- */

static void count_work(const zone_t *z, refresh_totals_t *out)
{
	switch (report_work(z)) {
	case REFRESH_WORK_NONE:
		break;
	case REFRESH_WORK_QUEUED:
	case REFRESH_WORK_TRANSFER_QUEUED:
		out->queued++;
		break;
	case REFRESH_WORK_POLL:
		out->polls++;
		break;
	case REFRESH_WORK_TRANSFER:
		out->transfers++;
		break;
	}
}

static void count_state(const zone_t *z, refresh_totals_t *out)
{
	switch (report_state(z)) {
	case REFRESH_STATE_FRESH:
		out->fresh++;
		break;
	case REFRESH_STATE_BEHIND:
		out->behind++;
		break;
	case REFRESH_STATE_EMPTY:
		out->empty++;
		break;
	case REFRESH_STATE_EXPIRED:
		out->expired++;
		break;
	}
}

void report_count(const zone_t *z, refresh_totals_t *out)
{
	count_state(z, out);
	count_work(z, out);
	out->refused += report_has_refused(z);
	out->pinned += z->pinned;
}

void refresh_totals(const refresh_t *r, refresh_totals_t *out)
{
	*out = (refresh_totals_t){ .zones = r->zone_count };
	for (size_t i = 0; i < r->zone_count; i++)
		report_count(r->zones[i], out);
	out->loaded = out->fresh + out->behind + out->expired;
}

const refresh_counts_t *refresh_counts(const refresh_t *r)
{
	return &r->counts;
}

size_t refresh_transfers(const refresh_t *r, refresh_transfer_t *out, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < r->zone_count; i++) {
		const follow_t *f = r->zones[i]->follow;

		for (unsigned j = 0; f && j < primaries(r->zones[i]) && count < most; j++) {
			const seat_t *s = &f->seats[j];

			if (!s->fetch)
				continue;
			out[count++] = (refresh_transfer_t){
				.apex = r->zones[i]->conf->apex,
				.primary = seat_primary(s)->name,
				.delta = s->delta,
				.begun = s->begun,
				.octets = xfr_fetch_octets(s->fetch),
			};
		}
	}
	return count;
}

bool refresh_keep_report(const refresh_t *r, keep_report_t *out)
{
	if (!r->keep)
		return false;
	keep_report(r->keep, out);
	return true;
}
