/* refresh/breaker.c - failures in a row, and pauses. */
#include "refresh/breaker.h"

bool breaker_due(const breaker_t *b, mono_t now)
{
	return b->open && !b->trying && !mono_before(now, b->next);
}

mono_t breaker_send_at(const breaker_t *b)
{
	return b->sent.ns == 0 ? b->next : mono_max(b->next, mono_add_s(b->sent, b->pause));
}

void breaker_sent(breaker_t *b, mono_t now)
{
	b->sent = now;
}

bool breaker_allows(breaker_t *b, mono_t now)
{
	if (!b->open)
		return true;
	if (!breaker_due(b, now))
		return false;
	b->trying = true;
	return true;
}

breaker_turn_t breaker_good(breaker_t *b)
{
	const breaker_turn_t turn = b->open ? BREAKER_CLOSES : BREAKER_STAYS;

	*b = (breaker_t){ 0 };
	return turn;
}

breaker_turn_t breaker_bad(breaker_t *b, mono_t now)
{
	if (b->failures < UINT32_MAX)
		b->failures++;
	if (b->open && !b->trying)
		return BREAKER_STAYS; /* one that was under way when it opened */
	if (b->open) {
		b->trying = false;
		b->pause = b->pause * 2 < BREAKER_LAST_S ? b->pause * 2 : BREAKER_LAST_S;
		b->next = mono_add_s(now, b->pause);
		return BREAKER_STAYS;
	}
	if (b->failures < BREAKER_FAILURES)
		return BREAKER_STAYS;
	b->open = true;
	b->since = now;
	b->pause = BREAKER_FIRST_S;
	b->next = mono_add_s(now, b->pause);
	return BREAKER_OPENS;
}

void breaker_unsaid(breaker_t *b)
{
	b->trying = false;
}
