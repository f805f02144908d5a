/* dns/tsig_query.h - queries that others sign, and the answers that we sign for them (RFC 8945
 * 5.2, 5.3). Allocates nothing, reads no clock; any thread, since keys are read-only.
 *
 *     dns_tsig_query_check()   before anything else is made of the query
 *     dns_tsig_query_room()    before composing: what is taken off the answer's limit
 *     dns_tsig_query_sign()    behind everything else, when the header is complete */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/status.h"
#include "dns/tsig.h"
#include "dns/tsig_rr.h"

/* Beside OK and FORMERR, each is a TSIG error under RCODE NOTAUTH. */
typedef enum dns_tsig_verdict {
	DNS_TSIG_QUERY_OK,
	DNS_TSIG_QUERY_FORMERR, /* a record that can't be read, or a MAC of a length that can't be:
	                         * the answer has no TSIG */
	DNS_TSIG_QUERY_BADKEY,  /* no key of ours by this name and algorithm */
	DNS_TSIG_QUERY_BADSIG,
	DNS_TSIG_QUERY_BADTIME,  /* right, but of another time: the answer tells ours, signed */
	DNS_TSIG_QUERY_BADTRUNC, /* right, but not all of the MAC: the answer is signed */
} dns_tsig_verdict_t;

typedef struct dns_tsig_query {
	dns_tsig_verdict_t verdict;
	const dns_tsig_key_t *key; /* which the query is signed by, and the answer; else NULL */
	dns_tsig_rr_t rr;          /* borrows from the query */
} dns_tsig_query_t;

/* Judge a sound query.
 *   keys    NULL: there is none.
 *   at      where its TSIG begins, which is its last record.
 *   out     borrows from msg and keys. */
dns_tsig_verdict_t dns_tsig_query_check(const dns_tsig_keys_t *keys, const uint8_t *msg, size_t len,
                                        size_t at, wall_t now, dns_tsig_query_t *out);

/* Octets of the answer's TSIG; 0: it gets none. */
size_t dns_tsig_query_room(const dns_tsig_query_t *q);

/* Append it to the answer, which has the id of the query, and count it. There must be room. */
void dns_tsig_query_sign(const dns_tsig_query_t *q, wall_t now, uint8_t *msg, size_t *len);
