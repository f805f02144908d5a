/* ctl/dump.h - a whole zone as text, or a look at zones, to one client, by a thread of its own. For ctl/ctl
 * alone.
 *
 *     main loop                               the dump's thread
 *     ctl_dump_start(fd, hold)  --->          sorts, writes "data" and the end line to fd
 *     ended(mail)  <--- mailbox               ...
 *     ctl_dump_end
 *
 * What is written is ctl/print.h's, or a report that takes a look at many names. It holds a version (zone/hold.h) and what printing takes, for as long
 * as the client takes what comes, within limits. It runs at nice 10. */
#pragma once

#include <stdint.h>

#include "common/mailbox.h"
#include "common/status.h"
#include "ctl/report.h"
#include "zone/hold.h"

typedef struct ctl_dump ctl_dump_t;

/* What fills a report: ST_OK, with why empty or what its last line says no for; ST_NOMEM. Both are called
 * by the dump's thread, release also by who starts it. */
typedef struct ctl_look {
	status_t (*run)(void *what, report_t *out, char why[256]);
	void (*release)(void *what);
	void *what; /* NULL: there is none */
} ctl_look_t;

typedef struct ctl_dump_order {
	int fd; /* of the client, not blocking; the dump has its own duplicate */
	report_form_t form;
	zone_hold_t *hold; /* the dump's from here on; or ... */
	ctl_look_t look;   /* ... this is, instead */
	int64_t wall_ms;
	double idle, total; /* seconds without progress, and in all, until it is given up */
	mailbox_t *ended;   /* gets ctl_dump_mail() when the thread has nothing more to do */
	void *arg;
} ctl_dump_order_t;

/* NULL: no memory or no thread; hold or look are released. Main thread. */
ctl_dump_t *ctl_dump_start(const ctl_dump_order_t *order);

/* Of a mail that came: the arg of its order, and the dump. */
void *ctl_dump_of(mail_t *mail, ctl_dump_t **dump);

/* Its mail has come: join the thread. */
void ctl_dump_end(ctl_dump_t *dump);

/* Its mail has not come, and is not waited for: the client, whose fd is that of the order and still
 * open, is cut off, and the thread waited for up to
 * a quarter of a second; if it sorts a large zone it ends by itself after that, and touches nothing
 * but what it holds. What mail still comes, when the mailbox is closed, is for ctl_dump_end(). */
void ctl_dump_abandon(ctl_dump_t *dump, int fd);
