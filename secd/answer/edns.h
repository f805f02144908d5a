/* answer/edns.h - the OPT of an answer and its options. For answer/ alone.
 *
 *     edns_room()  before composing: what is taken off the message's limit
 *     edns_put()   behind everything else: the OPT, and an extended error if there is room
 *
 * RFC 6891 with 5001 (NSID), 7314 (EXPIRE), 7828 (keepalive), 7873 and 9018 (COOKIE), 8914
 * (extended errors) and 9660 (ZONEVERSION). An option stands in the answer only if it stood in
 * the query, but for extended errors. Nothing is padded (RFC 7830): that is for TLS. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "answer/answer.h"
#include "answer/compose.h"

/* Why there is no answer, for those who read extended errors. */
typedef enum edns_why {
	EDNS_WHY_NONE,
	EDNS_WHY_NOT_OURS,    /* no zone of ours encloses the name */
	EDNS_WHY_NOT_READY,   /* configured, never transferred */
	EDNS_WHY_EXPIRED,     /* EXPIRE has passed */
	EDNS_WHY_NO_TRANSFER, /* AXFR or IXFR of a zone of ours */
	EDNS_WHY_NO_NOTIFY,   /* from somebody who may not send it */
} edns_why_t;

/* What an answer turned out to be. */
typedef struct edns_outcome {
	unsigned rcode; /* all twelve bits */
	bool aa;
	bool from_zone; /* made from req->version, a referral included */
	edns_why_t why;
} edns_outcome_t;

enum { EDNS_OPT_LEN = 11 }; /* an OPT without options */

/* Decide which options there will be, extended error apart: req->offers. Once, since what it depends
 * on may change meanwhile; returns the most octets that they will take. */
size_t edns_offer(const answer_conf_t *conf, answer_req_t *req);

/* The most octets that the OPT will take; 0 when the query has none. At least 300 octets of the
 * smallest message are left. Most queries have no option: they pay for no call. */
static inline size_t edns_room(const answer_conf_t *conf, answer_req_t *req)
{
	req->offers = 0;
	if (!req->query.has_opt)
		return 0;
	return EDNS_OPT_LEN + (req->query.wants ? edns_offer(conf, req) : 0);
}

/* Append the OPT. The query has one, and c->limit is less by edns_room() than what the message
 * may have. */
void edns_put(const answer_conf_t *conf, const answer_time_t *now, const answer_req_t *req,
              const edns_outcome_t *outcome, compose_t *c);

/* Does the query carry a server's cookie that is not ours, or out of date? */
bool edns_cookie_bad(const answer_conf_t *conf, const answer_time_t *now, const answer_req_t *req);
