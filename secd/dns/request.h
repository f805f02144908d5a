/* dns/request.h - what we ask primaries: SOA, AXFR and IXFR queries. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/tsig.h"

/* Header, question, the SOA of IXFR and OPT with EXPIRE: at most 12 + 259 + 12 + 530 + 15. */
#define DNS_REQUEST_MAX 1024
/* ... and room for a TSIG behind it. */
#define DNS_REQUEST_SIGNED_MAX (DNS_REQUEST_MAX + 512)

typedef struct dns_request {
	const uint8_t *apex; /* uncompressed wire name */
	uint16_t type, id;   /* SOA, AXFR or IXFR */
	/* The UDP size that we take in answer, in streams as well; 0: no OPT, for a primary that
	 * doesn't know EDNS (RFC 6891 7). */
	uint16_t payload;
	bool dnssec; /* DO: signatures with the answer (RFC 4035 3.2.1), if there is OPT */
	bool expire; /* ask for EXPIRE (RFC 7314 4.2), if there is OPT */
	/* IXFR: RDATA of the SOA of the version that is held (RFC 1995 3), uncompressed; at most 530
	 * octets. */
	const uint8_t *soa;
	size_t soa_len;
} dns_request_t;

/* A query of opcode QUERY, RD clear. Returns its length. */
size_t dns_request(const dns_request_t *r, uint8_t out[DNS_REQUEST_MAX]);

/* The same, signed with a key (RFC 8945): mac is what the answer is verified with. */
size_t dns_request_signed(const dns_request_t *r, const dns_tsig_key_t *key, wall_t now,
                          uint8_t out[DNS_REQUEST_SIGNED_MAX], dns_tsig_mac_t *mac);
