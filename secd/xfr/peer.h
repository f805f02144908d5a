/* xfr/peer.h - one way to a primary, as polls and transfers need it. Plain data. */
#pragma once

#include <stdbool.h>

#include "common/addr.h"

typedef struct xfr_peer {
	addr_t addr; /* where to, with the port */
	bool has_source;
	addr_t source; /* local address to come from, port 0; same family as addr */
} xfr_peer_t;

/* Deadlines in seconds. */
typedef struct xfr_deadlines {
	double udp_try; /* until a UDP query is sent again */
	unsigned udp_tries;
	double connect; /* until a TCP connection stands */
	double idle;    /* without a byte from the primary */
	double total;   /* for one transfer, first byte to last */
} xfr_deadlines_t;
