/* xfr/peer.h - one way to a primary, as polls and transfers need it. Plain data. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"

typedef struct xfr_peer {
	addr_t addr; /* where to, with the port */
	bool has_source;
	addr_t source; /* local address to come from, port 0; same family as addr */
} xfr_peer_t;

/* Deadlines in seconds, and the pace of a transfer. */
typedef struct xfr_deadlines {
	double udp_try; /* until a UDP query is sent again */
	unsigned udp_tries;
	double connect; /* until a TCP connection stands */
	double idle;    /* without a byte from the primary */
	double total;   /* for one transfer, first byte to last */
	/* Octets a second that a primary has to send in each window, from its first octet on and
	 * while we don't make it wait. 0: any pace will do. */
	uint32_t min_rate;
	double rate_window;
} xfr_deadlines_t;
