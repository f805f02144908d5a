/* common/mailbox.h - messages from any thread to the loop of one.
 *
 * libev's ev_async_send() is its only call that another thread may make, and it carries no
 * data; the data waits here, on a lock-free list of messages that the sender owns until it is
 * sent and the receiver owns from then on. Messages of one sender arrive in order. */
#pragma once

#include <ev.h>
#include <stdatomic.h>

typedef struct mail {
	struct mail *next;
} mail_t;

typedef struct mailbox mailbox_t;
typedef void (*mailbox_cb)(void *arg, mail_t *mail);

struct mailbox {
	_Atomic(mail_t *) top; /* newest first; the receiver turns the list around */
	ev_async wake;
	struct ev_loop *loop;
	mailbox_cb receive;
	void *arg;
};

/* Receiver's thread: receive(arg, mail) is called from its loop for each message. */
void mailbox_open(mailbox_t *box, struct ev_loop *loop, mailbox_cb receive, void *arg);

/* Receiver's thread: deliver what is there and stop. No sender may be left. */
void mailbox_close(mailbox_t *box);

/* Receiver's thread: deliver what is there now. */
void mailbox_deliver(mailbox_t *box);

/* Any thread. Never fails, never waits. */
void mailbox_send(mailbox_t *box, mail_t *mail);
