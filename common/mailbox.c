/* common/mailbox.c - a lock-free stack behind an ev_async. */
#include "common/mailbox.h"

#include <stddef.h>

void mailbox_deliver(mailbox_t *box)
{
	mail_t *mail = atomic_exchange_explicit(&box->top, NULL, memory_order_acquire);
	mail_t *ordered = NULL;

	while (mail) { /* newest first as it hangs there: turn it around */
		mail_t *next = mail->next;

		mail->next = ordered;
		ordered = mail;
		mail = next;
	}
	while (ordered) {
		mail_t *next = ordered->next; /* receive() may free or resend it */

		box->receive(box->arg, ordered);
		ordered = next;
	}
}

static void on_wake(struct ev_loop *loop, ev_async *w, int revents)
{
	(void)loop;
	(void)revents;
	mailbox_deliver(w->data);
}

void mailbox_open(mailbox_t *box, struct ev_loop *loop, mailbox_cb receive, void *arg)
{
	atomic_init(&box->top, NULL);
	box->loop = loop;
	box->receive = receive;
	box->arg = arg;
	ev_async_init(&box->wake, on_wake);
	box->wake.data = box;
	ev_async_start(loop, &box->wake);
}

void mailbox_close(mailbox_t *box)
{
	ev_async_stop(box->loop, &box->wake);
	mailbox_deliver(box);
}

void mailbox_send(mailbox_t *box, mail_t *mail)
{
	mail_t *top = atomic_load_explicit(&box->top, memory_order_relaxed);

	do {
		mail->next = top;
	} while (!atomic_compare_exchange_weak_explicit(&box->top, &top, mail, memory_order_release,
	                                                memory_order_relaxed));
	ev_async_send(box->loop, &box->wake);
}
