/* net/post.h - NOTIFYs on their way from a worker to the main loop. */
#pragma once

#include "answer/answer.h"
#include "common/clock.h"
#include "net/net.h"

enum { POST_REFUSED_BURST = 16, POST_REFUSED_PER_S = 10 };

typedef struct post {
	mailbox_t *box;
	double tokens; /* refused ones that may still be passed on */
	mono_t at;     /* of the last refill */
} post_t;

/* box is borrowed. */
void post_init(post_t *p, mailbox_t *box);

/* Pass on the NOTIFY that req is (notify or notify_refused is set). Allocates: at most once for
 * each zone that the main loop has not yet heard of. Worker's thread.
 * Returns   ST_OK: it is on its way, part of another or not worth telling; ST_NOMEM: it was
 *           lost, and should not be answered, so that its sender tries again. */
status_t post_notify(post_t *p, const answer_req_t *req);
