/* refresh/clock.c - SOA timers within their limits. */
#include "refresh/clock.h"

enum { FIRST_RETRY_LAST_SHIFT = 8 };

void refresh_clock_init(refresh_clock_t *c, mono_t now)
{
	*c = (refresh_clock_t){ .due = now };
}

static uint32_t clamp(uint32_t v, uint32_t min, uint32_t max)
{
	return v < min ? min : v > max ? max : v;
}

/* seconds from now, less up to a tenth. */
static mono_t later(mono_t now, uint32_t seconds, unsigned spread)
{
	int64_t ms = (int64_t)seconds * 1000;

	return mono_add_ms(now, ms - ms * spread / 10000);
}

/* A good check. The next one comes when REFRESH says, or earlier where EXPIRE would not leave time for
 * a second try: by half of what is left. */
static void checked(refresh_clock_t *c, mono_t at, const conf_policy_t *policy, mono_t now,
                    unsigned spread)
{
	int64_t left = (c->expires.ns - now.ns) / NS_PER_S;
	int64_t next = left - c->retry > left / 2 ? left - c->retry : left / 2;

	if (next < policy->min_retry)
		next = policy->min_retry;
	c->failures = 0;
	c->checked = (uint32_t)(at.ns / NS_PER_S);
	c->due = later(now, next < c->refresh ? (uint32_t)next : c->refresh, spread);
}

/* The timers of a SOA, within their limits. */
static void take_timers(refresh_clock_t *c, const dns_soa_t *soa, const conf_policy_t *policy)
{
	c->loaded = true;
	c->serial = soa->serial;
	c->refresh = clamp(soa->refresh, policy->min_refresh, policy->max_refresh);
	c->retry = clamp(soa->retry, policy->min_retry, policy->max_retry);
	c->expire = clamp(soa->expire, policy->min_expire, policy->max_expire);
	/* A zone that expires before it can be asked twice would flap: EXPIRE 0 among others. */
	uint64_t least = (uint64_t)c->refresh + c->retry;
	if (c->expire < least)
		c->expire = least > UINT32_MAX ? UINT32_MAX : (uint32_t)least;
}

void refresh_clock_loaded(refresh_clock_t *c, const dns_soa_t *soa, const conf_policy_t *policy,
                          const uint32_t *left, mono_t now, unsigned spread)
{
	take_timers(c, soa, policy);
	c->expired = false;
	c->outrun = (mono_t){ 0 };
	c->expires = mono_add_s(now, left && *left < c->expire ? *left : c->expire);
	checked(c, now, policy, now, spread);
}

void refresh_clock_restored(refresh_clock_t *c, const dns_soa_t *soa, const refresh_kept_t *kept,
                            const conf_policy_t *policy, mono_t now, unsigned spread,
                            uint32_t overdue_ms)
{
	take_timers(c, soa, policy);
	c->expired = kept->expired;
	c->failures = kept->failures;
	c->outrun = kept->outrun;
	c->expires = mono_min(kept->expires, mono_add_s(now, c->expire));
	c->checked = kept->checked.ns > 0 ? (uint32_t)(kept->checked.ns / NS_PER_S) : 0;
	c->due = later(kept->checked, c->refresh, spread);
	if (c->failures > 0 || c->expired || mono_before(c->due, now))
		c->due = mono_add_ms(now, (int64_t)overdue_ms * spread / 1000);
	else
		c->due = mono_min(c->due, later(now, c->refresh, spread));
}

void refresh_clock_replaced(refresh_clock_t *c, const dns_soa_t *soa, const conf_policy_t *policy,
                            mono_t now, unsigned spread)
{
	const refresh_kept_t kept = {
		.expired = c->expired,
		.failures = c->failures,
		.checked = { (int64_t)c->checked * NS_PER_S },
		.expires = c->expires,
	};

	refresh_clock_restored(c, soa, &kept, policy, now, spread, 0);
}

/* Does what we hold live on by this check, or was it known for too long that there is more? */
static bool renews(refresh_clock_t *c, bool outrun, uint32_t stale_grace, mono_t now)
{
	if (!outrun) {
		c->outrun = (mono_t){ 0 };
		return true;
	}
	if (c->outrun.ns == 0) {
		c->outrun = now;
		return true;
	}
	return mono_before(now, mono_add_s(c->outrun, stale_grace));
}

bool refresh_clock_current(refresh_clock_t *c, const refresh_check_t *check,
                           const conf_policy_t *policy, mono_t now, unsigned spread)
{
	if (!renews(c, check->outrun, policy->stale_grace, now)) {
		c->failures = 0;
		c->due = later(now, c->refresh, spread);
		return false;
	}
	if (check->has_expire)
		c->expires = mono_max(c->expires, mono_add_s(check->at, check->expire < c->expire
		                                                                ? check->expire
		                                                                : c->expire));
	else
		c->expires = mono_add_s(check->at, c->expire);
	if (mono_before(now, c->expires))
		c->expired = false;
	checked(c, check->at, policy, now, spread);
	return true;
}

void refresh_clock_failed(refresh_clock_t *c, mono_t now, unsigned spread)
{
	unsigned shift = c->failures < FIRST_RETRY_LAST_SHIFT ? c->failures
	                                                      : FIRST_RETRY_LAST_SHIFT;

	c->due = later(now, c->loaded ? c->retry : UINT32_C(1) << shift, spread);
	if (c->failures < UINT16_MAX)
		c->failures++;
}

void refresh_clock_missed(refresh_clock_t *c, const conf_policy_t *policy, mono_t now,
                          unsigned spread)
{
	unsigned shift = c->failures < FIRST_RETRY_LAST_SHIFT ? c->failures
	                                                      : FIRST_RETRY_LAST_SHIFT;

	refresh_clock_failed(c, now, spread);
	if (c->loaded)
		c->due = later(now, clamp(UINT32_C(1) << shift, policy->min_retry, c->retry),
		               spread);
}

void refresh_clock_hurry(refresh_clock_t *c, mono_t now, unsigned spread)
{
	c->due = mono_min(c->due, later(now, c->retry, spread));
}

void refresh_clock_notified(refresh_clock_t *c, mono_t at)
{
	c->due = at;
	c->failures = 0;
}

bool refresh_clock_tick(refresh_clock_t *c, mono_t now)
{
	if (!c->loaded || c->expired || mono_before(now, c->expires))
		return false;
	c->expired = true;
	return true;
}

/* What EXPIRE leaves may be less than EXPIRE from the start (RFC 7314), or more in what is to come. */
unsigned refresh_clock_used(const refresh_clock_t *c, mono_t now)
{
	const int64_t all = (int64_t)c->expire * NS_PER_S, left = c->expires.ns - now.ns;

	if (!c->loaded || all == 0 || left >= all)
		return 0;
	return left <= 0 ? 100 : (unsigned)(100 - (left + all / 100 - 1) / (all / 100));
}

mono_t refresh_clock_used_at(const refresh_clock_t *c, unsigned percent)
{
	return mono_add_ms(c->expires, -(int64_t)c->expire * (100 - percent) * 10);
}
