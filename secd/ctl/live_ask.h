/* ctl/live_ask.h - zones at the addresses of their primaries: what each says when it is asked. For
 * ctl/live alone.
 *
 *     each address --+-- SOA by UDP:            max-queries of them at once
 *                    +-- SOA by TCP, then AXFR
 *                        as far as its first message: max-connections of them at once
 *
 * These are the questions of the daemon itself (xfr/poll.h, xfr/first.h), within the same budgets: those
 * of the primary, max-rate among them, and polls and transfers for all together. Until an address has
 * answered one question of a kind, few of that kind are under way; when nobody answers these, it is dead
 * for that kind, and the zones behind them are told so without being asked for: it costs its time-out once.
 *
 * One thread, which is blocked meanwhile. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "dns/tsig.h"
#include "xfr/why.h"

typedef enum live_question { LIVE_UDP, LIVE_TCP, LIVE_TRANSFER, LIVE_QUESTIONS } live_question_t;

typedef struct live_finding {
	xfr_why_t why; /* XFR_WHY_NONE: serial is what it shows */
	uint32_t serial;
	uint8_t rcode;    /* of an answer whose TSIG does not count */
	bool more_by_tcp; /* by UDP: it is cut short (TC), which says that the way is there */
	char *detail;     /* the record at fault; NULL: there is none. live_checks_free() */
} live_finding_t;

/* A zone at one address. */
typedef struct live_check {
	const conf_zone_t *zone;
	const conf_primary_t *primary;
	const addr_t *addr;
	live_finding_t found[LIVE_QUESTIONS];
	bool has_skew; /* something was signed, and by that ... */
	int32_t skew;  /* ... its clock is so many seconds ahead of ours */
	bool plain;    /* it would not hear of OPT */
} live_check_t;

/* Fill in what is found.
 *   checks    their zone, primary and address are set, the rest zeros; of several with the same
 *             primary, addr is the same pointer into it.
 *   keys      of the settings, in their order.
 *   progress  lines on standard error: how far it is.
 * Returns     ST_OK; ST_NOMEM; ST_SYSTEM: no loop could be made. */
status_t live_ask(const conf_t *conf, const dns_tsig_keys_t *keys, live_check_t *checks,
                  size_t count, bool progress);

void live_checks_free(live_check_t *checks, size_t count);
