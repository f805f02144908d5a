/* dns/query.h - what a client asks: header, question, OPT, where its TSIG is. Allocates nothing.
 *
 * Everything that decides the answer's header and OPT is settled here; what it says about the
 * zone is answer/'s business. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"

/* What to do with the message. Each is an outcome of its own in answer/'s switch. */
typedef enum dns_query_kind {
	DNS_QUERY_DROP,    /* shorter than a header, or QR set: no answer at all */
	DNS_QUERY_FORMERR, /* question unreadable, QDCOUNT not 1, OPT twice or malformed, an option
	                    * against its RFC, a TSIG that is not the last record, junk */
	DNS_QUERY_NOTIMP,  /* an opcode that we don't know: only the header goes back */
	DNS_QUERY_NOTAUTH, /* not rightly signed; dns_query_read() can't tell (dns/tsig_query.h) */
	DNS_QUERY_BADVERS, /* EDNS version above 0 (RFC 6891 6.1.3) */
	DNS_QUERY_NOTIFY,  /* opcode NOTIFY with one SOA question (RFC 1996) */
	DNS_QUERY_COOKIE, /* no question, but a COOKIE option: what is the server's? (RFC 7873 5.4) */
	DNS_QUERY_ASK,    /* a question to answer */
} dns_query_kind_t;

/* What the options of the OPT ask for. */
enum {
	DNS_WANTS_NSID = 1,
	DNS_WANTS_EXPIRE = 2,
	DNS_WANTS_COOKIE = 4, /* cookie_at and cookie_len are valid */
	DNS_WANTS_KEEPALIVE = 8,
	DNS_WANTS_ZONEVERSION = 16,
};

typedef struct dns_query {
	dns_query_kind_t kind;
	uint16_t id;
	uint16_t flags;    /* the header's second word as it came */
	bool has_question; /* qname..qclass are valid, and question_end */
	bool has_opt;
	bool dnssec_ok;
	bool has_hint;      /* NOTIFY: a SOA for the name stood in the answer section */
	uint8_t wants;      /* DNS_WANTS_..., none unless the message is sound */
	uint8_t cookie_len; /* 8, or 16 to 40 with a server's cookie */
	uint16_t cookie_at; /* offset of the COOKIE option's data in the message */
	uint16_t tsig_at;   /* offset of the TSIG, the last record (RFC 8945); 0 without one */
	uint16_t payload;   /* the peer's UDP size, at least 512; 512 without OPT */
	uint16_t qtype, qclass;
	uint16_t question_end; /* offset behind the question: 12..end is echoed as it came */
	uint32_t hint_serial;
	dns_name_t qname; /* folded */
} dns_query_t;

/* Read msg, whatever it holds. Names in the question may not be compressed. Records in the
 * answer and authority sections of a query are stepped over (RFC 1996 3.9 for NOTIFY), but
 * must be well framed. Options that we don't know are passed over, those of an EDNS version that
 * we don't know are not even looked at.
 *   stream   it came over TCP or TLS: there alone keepalive means anything (RFC 7828 3.3.1). */
void dns_query_read(const uint8_t *msg, size_t len, bool stream, dns_query_t *out);
