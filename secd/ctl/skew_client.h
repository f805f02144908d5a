/* ctl/skew_client.h - secdctl skew: the serials of a zone here, at its primaries and at its name servers.
 *
 *     daemon (ctl/skew.h) --> what is held, what primaries showed, which name servers there are
 *     name servers        --> asked by this process (ctl/skew_udp.h), all at once
 *
 * The newest of what is held and what primaries showed is what all are measured by, with the words, limits
 * and exit status of check_secd(8). JSON:
 *
 *     {"now":S,"zone":W,"status":W,"serial":N|null,"servers":[{"role":W,"name":W|null,"address":W|null,
 *      "serial":N|null,"lag":N|null,"took":S|null,"status":W,"why":W|null}, ...]}
 *
 * role: here, primary or server; status: OK, WARNING, CRITICAL or UNKNOWN; lag: serials. Client only. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Put a request to the daemon, words up to a NULL; the content of its answer goes to the file. 0: it was
 * done; else the exit status, and what is wrong was said. */
typedef struct ctl_asker {
	int (*ask)(const void *arg, char **words, FILE *to);
	const void *arg;
} ctl_asker_t;

/* words: skew and its arguments, up to a NULL. The exit status: 0 ok, 1 warning, 2 critical; and 3 where
 * nothing is known, as when it is called wrongly. Blocks. */
enum { CTL_SKEW_UNKNOWN = 3 };
int ctl_skew_client(const ctl_asker_t *asker, char **words, bool json);
