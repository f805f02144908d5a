/* answer/types.h - the types of questions that are counted each on its own; all others are one.
 *
 * So that counting is one look at a small table, and what is told of it stays bounded whatever
 * strangers ask for. Tables alone: any thread. */
#pragma once

#include <stdint.h>

#include "dns/wire.h"

/* In the order of their numbers. */
#define ANSWER_TYPES_EACH(X)                                                                       \
	X(A)                                                                                       \
	X(NS)                                                                                      \
	X(CNAME)                                                                                   \
	X(SOA)                                                                                     \
	X(PTR)                                                                                     \
	X(MX)                                                                                      \
	X(TXT)                                                                                     \
	X(AAAA)                                                                                    \
	X(SRV)                                                                                     \
	X(NAPTR)                                                                                   \
	X(DNAME)                                                                                   \
	X(DS)                                                                                      \
	X(RRSIG)                                                                                   \
	X(NSEC)                                                                                    \
	X(DNSKEY)                                                                                  \
	X(NSEC3PARAM)                                                                              \
	X(TLSA)                                                                                    \
	X(CDS)                                                                                     \
	X(CDNSKEY)                                                                                 \
	X(SVCB)                                                                                    \
	X(HTTPS)                                                                                   \
	X(IXFR)                                                                                    \
	X(AXFR)                                                                                    \
	X(ANY)                                                                                     \
	X(CAA)

#define ANSWER_TYPE_NUMBER(type) ANSWER_TYPE_##type,
typedef enum answer_type {
	ANSWER_TYPES_EACH(ANSWER_TYPE_NUMBER) ANSWER_TYPE_OTHER,
	ANSWER_TYPES,
} answer_type_t;
#undef ANSWER_TYPE_NUMBER

enum { ANSWER_TYPE_MAP = DNS_TYPE_CAA + 1 };

/* By QTYPE: an answer_type_t and one more; 0 for those that are not told apart. */
extern const uint8_t answer_type_map[ANSWER_TYPE_MAP];

static inline answer_type_t answer_type_of(uint16_t qtype)
{
	const unsigned at = qtype < ANSWER_TYPE_MAP ? answer_type_map[qtype] : 0;

	return at > 0 ? (answer_type_t)(at - 1) : ANSWER_TYPE_OTHER;
}

/* "A", "NS" ... "other". */
const char *answer_type_text(answer_type_t type);
