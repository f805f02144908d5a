/* ctl/live.h - would every primary give us our zones? For an operator before the first start, and for CI.
 *
 *     secd --check --live [--zone GLOB ...] [-j]
 *
 * Each zone is asked for at each address of each of its primaries, as the daemon would (ctl/live_ask.h).
 * A daemon may run or not. A check is good when SOA is answered with authority by UDP and by TCP, when a
 * transfer begins, all signed by the key if there is one, and when no other primary of the zone shows a newer serial
 * (RFC 1982).
 *
 * JSON, keys in this order:
 *
 *     {"now":S,"settings":W,"zones":N,"checks":N,"failed":N,"took":S,"results":[
 *      {"zone":W,"primary":W,"address":W,"key":W|null,"clock":N|null,"good":B,"serial":N|null,
 *       "udp":F,"tcp":F,"transfer":F}, ...]}
 *     F: {"good":B,"serial":N|null,"code":W|null,"words":W}
 *
 * S seconds, N number, B true or false, W word. clock: seconds that the primary's is ahead of ours. code:
 * live_code(), or OLDER, or UNDEFINED where a serial is 2^31 apart. More keys may come behind these. */
#pragma once

#include <stddef.h>

#include "conf/conf.h"
#include "ctl/report.h"
#include "dns/tsig.h"

typedef struct ctl_live_order {
	const conf_t *conf;
	const char *settings;        /* what they were read from */
	const dns_tsig_keys_t *keys; /* of the settings, in their order */
	report_form_t form;
	const char *const *globs; /* of zones, any of which may match; none: all */
	size_t glob_count;
} ctl_live_order_t;

/* The table to standard output, how far it is to standard error if that is a terminal. The exit status: 0
 * all is good, 1 something is not, or could not be asked. Blocks. Main thread, without a loop. */
int ctl_live(const ctl_live_order_t *order);
