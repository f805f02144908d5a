/* net/post.c - a fixed array of messages, each busy until the main loop gives it back. */
#include "net/post.h"

#include <stdlib.h>

struct post {
	mailbox_t *box;
	_Atomic unsigned holders; /* the worker, and each message under way */
	net_notify_t slot[POST_MAX];
};

post_t *post_new(mailbox_t *box)
{
	post_t *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->box = box;
	atomic_init(&p->holders, 1);
	for (size_t i = 0; i < POST_MAX; i++)
		p->slot[i].home = p;
	return p;
}

static void let_go(post_t *p)
{
	if (atomic_fetch_sub(&p->holders, 1) == 1)
		free(p);
}

void post_free(post_t *p)
{
	if (p)
		let_go(p);
}

void net_notify_done(net_notify_t *n)
{
	post_t *home = n->home;

	atomic_store_explicit(&n->busy, false, memory_order_release);
	let_go(home);
}

/* Does n tell the main loop all that req does? A newer hint must not be swallowed: the main
 * loop may find that the older one is what it holds, and leave it at that. */
static bool says_it(const net_notify_t *n, const answer_req_t *req)
{
	return n->slot == req->notify && n->has_hint == req->query.has_hint &&
	       (!n->has_hint || n->hint == req->query.hint_serial) &&
	       addr_same_host(&n->from, req->peer);
}

void post_notify(post_t *p, const answer_req_t *req)
{
	net_notify_t *n = NULL;

	for (size_t i = 0; i < POST_MAX; i++) {
		net_notify_t *at = &p->slot[i];

		if (!atomic_load_explicit(&at->busy, memory_order_acquire))
			n = n ? n : at;
		else if (says_it(at, req))
			return;
	}
	if (!n)
		return;
	n->slot = req->notify;
	n->from = *req->peer;
	n->has_hint = req->query.has_hint;
	n->hint = req->query.hint_serial;
	atomic_store_explicit(&n->busy, true, memory_order_relaxed);
	atomic_fetch_add(&p->holders, 1);
	mailbox_send(p->box, &n->mail);
}
