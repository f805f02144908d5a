/* answer/answer.h - bytes in, bytes out: every answer that secd gives.
 *
 * Takes a batch of messages and writes an answer for each, from the zones of a set. It knows no
 * socket, reads no clock, allocates nothing, keeps no state beyond the counters that it is
 * handed. RFC 1034 4.3.2 with 2181, 2308, 4343, 4592, 6604, 6672, 6891, 8482, 8906, 9471; the
 * options of EDNS are in answer/edns.h. A query that is signed gets a signed answer (RFC 8945). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer/denial.h"
#include "answer/types.h"
#include "common/addr.h"
#include "common/clock.h"
#include "dns/cookie.h"
#include "dns/query.h"
#include "dns/tsig.h"
#include "zone/hash.h"
#include "zone/set.h"

typedef enum answer_via { ANSWER_UDP, ANSWER_TCP } answer_via_t;

enum { ANSWER_NSID_MAX = 128 };

/* Borrowed, with all that it points to. */
typedef struct answer_conf {
	/* Texts of the CHAOS class; an empty or NULL text is REFUSED. */
	const char *version;  /* version.bind, version.server */
	const char *identity; /* id.server, hostname.bind */
	uint16_t udp_payload; /* the largest UDP answer that we send, and what our OPT says */
	uint16_t keepalive;   /* how long TCP may rest, in units of 100 ms (RFC 7828) */
	const uint8_t *nsid;  /* our name for RFC 5001 */
	size_t nsid_len;      /* up to ANSWER_NSID_MAX; 0: NSID is ignored */
	dns_cookie_secrets_t cookies; /* none: cookies are ignored */
	bool rotate;                  /* each answer begins with another record of its set */
	const dns_tsig_keys_t *keys;  /* NULL: none */
} answer_conf_t;

/* When a batch is answered. The wall clock is what cookies are made by, the other one what is left
 * until a zone expires is counted by. Both may be a second old. */
typedef struct answer_time {
	wall_t wall;
	mono_t mono;
} answer_time_t;

/* RCODEs with the high bits of an OPT: BADCOOKIE is the largest that is ever answered. */
enum { ANSWER_RCODES = DNS_RCODE_BADCOOKIE + 1 };

/* What happened, summed by one writer (a worker); readers take relaxed loads. How many messages came,
 * and by which way, is known to the caller. */
typedef struct answer_counters {
	_Atomic uint64_t dropped; /* messages that deserve no answer */
	_Atomic uint64_t truncated;
	_Atomic uint64_t notifies, notifies_refused;
	_Atomic uint64_t rcode[ANSWER_RCODES]; /* of answers, those to NOTIFY among them */
	_Atomic uint64_t type[ANSWER_TYPES];   /* of questions that were answered, whatever with */
} answer_counters_t;

typedef struct answer answer_t;

/* One message and its answer. The first group is set by the caller. */
typedef struct answer_req {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out; /* at least 65,535 octets for TCP; at least udp_payload and 512 for UDP */
	size_t out_room;
	answer_via_t via;
	const addr_t *peer; /* mapped addresses unmapped */

	size_t out_len; /* of the answer; 0: send nothing */
	/* A NOTIFY that was accepted for this zone: its refresh is due (RFC 1996). The answer is
	 * in out all the same. NULL for everything else. */
	const zone_slot_t *notify;
	/* One that was refused, and why, in words that live for ever: for the log. */
	const zone_slot_t *notify_refused;
	const char *notify_why;

	/* Scratch of answer/; query may be read by the caller afterwards. */
	dns_query_t query;
	zone_hashes_t hashes;
	const zone_slot_t *slot;
	const zone_version_t *version;
	zone_state_t state;
	unsigned signed_by; /* the number of the key that it is rightly signed with; 0: none */
	unsigned offers;    /* options that the answer has room for: DNS_WANTS_... */
	zone_set_ahead_t zone_ahead;
	const void *ahead;   /* of a search for the name right below the apex, then for qname */
	bool deeper;         /* the latter is wanted */
	zone_lookup_t found; /* with a version: what qname is to it */
	denial_seek_t seek;
} answer_req_t;

/* A context for one worker. NULL: out of memory. All is borrowed for its life. */
answer_t *answer_new(const zone_set_t *zones, const answer_conf_t *conf,
                     answer_counters_t *counters);
void answer_free(answer_t *a);

/* Other settings, from the next batch on. The worker's thread. */
void answer_set_conf(answer_t *a, const answer_conf_t *conf);

/* Answer reqs[0..n): parse and hash all, prefetch what they will touch, then answer each. The
 * calling thread must be an online reader of the set. */
void answer_batch(answer_t *a, const answer_time_t *now, answer_req_t *reqs, size_t n);
