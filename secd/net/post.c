/* net/post.c - one message per zone and a trickle of what was refused. */
#include "net/post.h"

#include <stdlib.h>

void post_init(post_t *p, mailbox_t *box)
{
	*p = (post_t){ box, POST_REFUSED_BURST, clock_mono() };
}

static bool may_tell_refused(post_t *p)
{
	mono_t now = clock_mono();

	p->tokens += mono_diff(p->at, now) * POST_REFUSED_PER_S;
	p->at = now;
	if (p->tokens > POST_REFUSED_BURST)
		p->tokens = POST_REFUSED_BURST;
	if (p->tokens < 1)
		return false;
	p->tokens--;
	return true;
}

status_t post_notify(post_t *p, const answer_req_t *req)
{
	bool refused = !req->notify;
	const zone_slot_t *slot = refused ? req->notify_refused : req->notify;

	if (refused ? !may_tell_refused(p) : !zone_slot_mark_notified(slot))
		return ST_OK;
	net_notify_t *n = malloc(sizeof *n);
	if (!n) {
		if (!refused)
			zone_slot_clear_notified(slot);
		return refused ? ST_OK : ST_NOMEM;
	}
	*n = (net_notify_t){
		.slot = slot,
		.from = *req->peer,
		.has_hint = req->query.has_hint,
		.hint = req->query.hint_serial,
		.refused = refused,
		.why = req->notify_why,
	};
	mailbox_send(p->box, &n->mail);
	return ST_OK;
}

void net_notify_done(net_notify_t *n)
{
	if (!n->refused)
		zone_slot_clear_notified(n->slot);
	free(n);
}
