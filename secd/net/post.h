/* net/post.h - NOTIFYs on their way from a worker to the main loop.
 *
 * A worker's fixed array of messages. It outlives its worker while messages are under way: the
 * main loop closes its mailbox after the workers are gone, and finds them there. */
#pragma once

#include "answer/answer.h"
#include "net/net.h"

enum { POST_MAX = 256 };

typedef struct post post_t;

/* NULL: no memory. box is borrowed. */
post_t *post_new(mailbox_t *box);

/* The worker is gone: free now, or by the net_notify_done() of the last message under way.
 * NULL is fine. */
void post_free(post_t *p);

/* Send on the NOTIFY that req is (req->notify is set). One that says nothing beyond another
 * which is still under way, and one for which no message is left, end here. Worker's thread. */
void post_notify(post_t *p, const answer_req_t *req);
