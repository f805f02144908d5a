/* xfr/soa_answer.h - what an answer to a SOA question says. Bytes in, a finding out: no sockets,
 * no memory, any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"
#include "dns/soa.h"

typedef enum xfr_soa_finding {
	XFR_SOA_HERE,      /* soa is set */
	XFR_SOA_FOREIGN,   /* no answer to this question: shorter than a header, QR clear, another
	                    * id, opcode or question */
	XFR_SOA_RCODE,     /* rcode (with OPT's upper bits) other than NOERROR */
	XFR_SOA_TRUNCATED, /* TC: ask over TCP */
	XFR_SOA_LAME,      /* AA clear */
	XFR_SOA_NONE,      /* no SOA of the zone in the answer section */
	XFR_SOA_BROKEN,    /* it is ours, but its sections are not framed soundly, bytes follow the
	                    * last of them, or the SOA is malformed */
} xfr_soa_finding_t;

typedef struct xfr_soa_answer {
	dns_soa_t soa;   /* XFR_SOA_HERE */
	unsigned rcode;  /* XFR_SOA_RCODE */
	bool has_expire; /* OPT had EXPIRE (RFC 7314) ... */
	uint32_t expire; /* ... of so many seconds */
	uint64_t mark;   /* of the signatures that came with the SOA; 0: none came */
} xfr_soa_answer_t;

/* What tells the signatures of one signing from those of another: the sum, over the RRSIGs of the
 * SOA, of this number, in whatever order they stand.
 *   rdata   of an RRSIG, of at least XFR_RRSIG_FIXED octets: what stands before the signer's name. */
enum { XFR_RRSIG_FIXED = 18 };
uint64_t xfr_soa_mark(const uint8_t *rdata);

/* Read msg as the answer to the question "apex SOA IN" asked with id.
 *   tsig    the header counts a TSIG behind len, which was verified (dns_tsig_bare_t).
 *   apex    folded.
 * An answer must repeat the question. Only with an rcode in the header may it be missing: old
 * servers that don't know EDNS send their FORMERR without. */
xfr_soa_finding_t xfr_soa_answer_read(const uint8_t *msg, size_t len, bool tsig, uint16_t id,
                                      const dns_name_t *apex, xfr_soa_answer_t *out);
