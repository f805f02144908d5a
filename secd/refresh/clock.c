/* refresh/clock.c - SOA timers within their limits. */
#include "refresh/clock.h"

enum { FIRST_RETRY_LAST_SHIFT = 8 };

void refresh_clock_init(refresh_clock_t *c, mono_t now)
{
	*c = (refresh_clock_t){ .due = now };
}

refresh_verdict_t refresh_clock_judge(const refresh_clock_t *c, uint32_t offered)
{
	if (!c->loaded)
		return REFRESH_FETCH;
	switch (dns_serial_compare(offered, c->serial)) {
	case DNS_SERIAL_EQUAL:
		return REFRESH_CURRENT;
	case DNS_SERIAL_NEWER:
		return REFRESH_FETCH;
	case DNS_SERIAL_OLDER:
		return c->expired ? REFRESH_FETCH : REFRESH_OLDER;
	case DNS_SERIAL_UNDEFINED:
		return c->expired ? REFRESH_FETCH : REFRESH_UNDEFINED;
	}
	return REFRESH_UNDEFINED;
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

void refresh_clock_loaded(refresh_clock_t *c, const dns_soa_t *soa, const conf_policy_t *policy,
                          mono_t now, unsigned spread)
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
	refresh_clock_current(c, now, spread);
}

void refresh_clock_current(refresh_clock_t *c, mono_t now, unsigned spread)
{
	c->expired = false;
	c->failures = 0;
	c->due = later(now, c->refresh, spread);
	c->expires = mono_add_s(now, c->expire);
}

void refresh_clock_failed(refresh_clock_t *c, mono_t now, unsigned spread)
{
	unsigned shift = c->failures < FIRST_RETRY_LAST_SHIFT ? c->failures
	                                                      : FIRST_RETRY_LAST_SHIFT;

	c->due = later(now, c->loaded ? c->retry : UINT32_C(1) << shift, spread);
	if (c->failures < UINT32_MAX)
		c->failures++;
}

void refresh_clock_notified(refresh_clock_t *c, mono_t now)
{
	c->due = now;
	c->failures = 0;
}

bool refresh_clock_tick(refresh_clock_t *c, mono_t now)
{
	if (!c->loaded || c->expired || mono_before(now, c->expires))
		return false;
	c->expired = true;
	return true;
}

const char *refresh_verdict_text(refresh_verdict_t v)
{
	switch (v) {
	case REFRESH_CURRENT:
		return "current";
	case REFRESH_FETCH:
		return "newer";
	case REFRESH_OLDER:
		return "older";
	case REFRESH_UNDEFINED:
		return "undefined";
	}
	return "undefined";
}
