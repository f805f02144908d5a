/* dns/tsig_rr.h - the TSIG record: found, read, digested, written (RFC 8945 4.2, 4.3). For the
 * rooms of TSIG alone; what is right to do with one is theirs. Allocates nothing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/status.h"
#include "dns/hmac.h"
#include "dns/name.h"

enum {
	DNS_TSIG_BADSIG = 16,
	DNS_TSIG_BADKEY = 17,
	DNS_TSIG_BADTIME = 18,
	DNS_TSIG_BADTRUNC = 22,
	DNS_TSIG_FUDGE = 300,  /* seconds, as RFC 8945 10 recommends */
	DNS_TSIG_TIME_LEN = 6, /* octets of a time on the wire */
};

typedef struct dns_tsig_rr {
	dns_name_t owner; /* the key's name, folded */
	dns_name_t alg;   /* folded */
	uint64_t time;    /* seconds since 1970, 48 bits */
	uint16_t fudge, original_id, error;
	uint16_t mac_len, other_len;
	const uint8_t *mac, *other; /* borrowed from the message, or from who signs */
} dns_tsig_rr_t;

/* Walk a message that may be signed, its records' frames alone.
 *   at      where the TSIG begins, 0: there is none.
 * Returns   ST_OK; ST_MALFORMED: not a whole message, octets behind it, or a TSIG elsewhere than
 *           as the last additional record (RFC 8945 5.1). */
status_t dns_tsig_rr_find(const uint8_t *msg, size_t len, size_t *at);

/* Read the TSIG that begins at at and ends the message. ST_MALFORMED: not of class ANY, not of TTL
 * 0, or RDATA that is shorter or longer than it says. */
status_t dns_tsig_rr_read(const uint8_t *msg, size_t len, size_t at, dns_tsig_rr_t *out);

/* A 48-bit time, at p. */
uint64_t dns_tsig_rr_time(const uint8_t p[DNS_TSIG_TIME_LEN]);
void dns_tsig_rr_put_time(uint8_t p[DNS_TSIG_TIME_LEN], uint64_t time);

/* What a MAC is made over, in this order (RFC 8945 4.3): a MAC from before; the message, as it was
 * before the TSIG came to it: len octets, arcount records, its own id; then all fields of the
 * record, or only the two of time. */
void dns_tsig_rr_digest_mac(dns_hmac_t *h, const uint8_t *mac, size_t len);
void dns_tsig_rr_digest_message(dns_hmac_t *h, const uint8_t *msg, size_t len, unsigned arcount,
                                unsigned id);
void dns_tsig_rr_digest_all(dns_hmac_t *h, const dns_tsig_rr_t *rr);
void dns_tsig_rr_digest_timers(dns_hmac_t *h, const dns_tsig_rr_t *rr);

/* Octets of the record on the wire: its names are written out. */
size_t dns_tsig_rr_len(const dns_tsig_rr_t *rr);

/* Append the record, and count it. ST_LIMIT: room octets don't take it; msg is as it was. */
status_t dns_tsig_rr_put(const dns_tsig_rr_t *rr, uint8_t *msg, size_t *len, size_t room);
