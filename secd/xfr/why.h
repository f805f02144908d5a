/* xfr/why.h - why something with a primary came to nothing: a code and its arguments.
 *
 * Twelve octets, so that a zone can keep one for each of its primaries and a ring of events many;
 * the words are made when somebody wants to read them. What no number can say (the owner of a
 * record) goes beside it, into a line of the log, and is not kept. */
#pragma once

#include <stdint.h>

/* Whose fault it is, and so what is worth trying next. */
typedef enum xfr_why_kind {
	XFR_WHY_OF_NOBODY, /* nothing has failed */
	XFR_WHY_OF_WAY,    /* no connection, no answer, too late: another address may do */
	XFR_WHY_OF_ANSWER, /* a sound answer that says no */
	XFR_WHY_OF_DATA,   /* what was sent breaks its format, or contradicts itself */
	XFR_WHY_OF_DELTA,  /* a difference that doesn't fit what we hold: the whole zone may do */
	XFR_WHY_OF_LIMIT,  /* more than our settings allow */
	XFR_WHY_OF_GATE,   /* sound, but we will not serve it */
	XFR_WHY_OF_KEY,    /* TSIG */
	XFR_WHY_OF_US,     /* we lack something */
} xfr_why_kind_t;

/* Each code: its name, its kind, its words. In these stand for the arguments:
 *
 *     {a} {b}   a number         {type}   the type of a record
 *     {size}    a, in KiB        {rcode}  a, an RCODE (RFC 6895 2.3)
 *     {s}       a, in ms         {errno}  a, an errno
 *     {tsig}    a, a dns_tsig_outcome_t, and b, its detail
 */
#define XFR_WHY_CODES(X)                                                                           \
	X(NONE, NOBODY, "")                                                                        \
	/* The way there. */                                                                       \
	X(ERRNO, WAY, "{errno}")                                                                   \
	X(NO_CONNECTION, WAY, "no connection in time")                                             \
	X(NO_ANSWER, WAY, "no answer")                                                             \
	X(SILENT, WAY, "primary fell silent")                                                      \
	X(TOO_LATE, WAY, "transfer not complete after {s} s")                                      \
	X(TOO_SLOW, WAY, "{a} octets a second, transfer-min-rate = {b}")                           \
	X(CLOSED, WAY, "closed the connection without an answer")                                  \
	X(CLOSED_EARLY, WAY, "closed the connection before the closing SOA")                       \
	X(CLOSED_INSIDE, WAY, "closed the connection inside a message")                            \
	X(DOWN, WAY, "its address does not answer anybody")                                        \
	/* An answer that is none of what was asked for. */                                        \
	X(RCODE, ANSWER, "answered {rcode}")                                                       \
	X(LAME, ANSWER, "answered without authority (AA clear)")                                   \
	X(NO_SOA, ANSWER, "answered without the SOA of the zone")                                  \
	X(EMPTY, ANSWER, "empty answer")                                                           \
	X(EXPIRED, ANSWER, "its own copy has expired, or does within {a} s")                       \
	/* Messages. */                                                                            \
	X(UNREADABLE, DATA, "unreadable answer")                                                   \
	X(SHORT_MESSAGE, DATA, "message of {a} octets is shorter than a header")                   \
	X(QR, DATA, "message is a query (QR clear)")                                               \
	X(ID, DATA, "message has id {a}, the query {b}")                                           \
	X(OPCODE, DATA, "message has opcode {a}")                                                  \
	X(TC, DATA, "message is truncated (TC set)")                                               \
	X(QUESTIONS, DATA, "message has {a} questions")                                            \
	X(QUESTION, DATA, "unreadable question")                                                   \
	X(OTHER_QUESTION, DATA, "message answers another question")                                \
	X(NO_RECORDS, DATA, "{a} messages in a row without a record")                              \
	X(RECORD, DATA, "unreadable record {a} in message {b}")                                    \
	X(MALFORMED, DATA, "malformed: {type} record")                                             \
	X(UNFIT, DATA, "no zone can hold it: {type} record")                                       \
	X(BEHIND, DATA, "unreadable record behind the answers")                                    \
	X(OCTETS_BEHIND, DATA, "{a} octets behind the last record")                                \
	/* The shape of a zone. */                                                                 \
	X(NO_OPENING, DATA, "begins with something other than the SOA: {type} record")             \
	X(CLOSING_SERIAL, DATA, "closing SOA has serial {a}, opening one {b}")                     \
	X(CLOSING_DIFFERS, DATA, "closing SOA differs from the opening one")                       \
	X(AFTER_CLOSING, DATA, "records after the closing SOA")                                    \
	X(SOAS, DATA, "not exactly one SOA")                                                       \
	/* The shape of differences (RFC 1995 4). */                                               \
	X(SINGLE_SOA, DELTA, "a single SOA with serial {a}, newer than {b}, and nothing behind")   \
	X(FOREIGN_START, DELTA, "differences start from serial {a}, we hold {b}")                  \
	X(GAP, DELTA, "a difference starts from serial {a}, the one before led to {b}")            \
	X(BACKWARDS, DELTA, "a difference leads from serial {a} back to {b}")                      \
	X(WRONG_END, DELTA, "differences end with serial {a}, announced was {b}")                  \
	X(OTHER_END, DELTA, "the SOA that the last difference adds is not the closing one")        \
	X(REMOVES_MISSING, DELTA, "removes what is not there: {type} record")                      \
	X(ADDS_PRESENT, DELTA, "adds what is there already: {type} record")                        \
	X(OUTGROWS, DELTA, "differences are larger than the zone: over {size}")                    \
	/* Serials (RFC 1982 3.2). */                                                              \
	X(SERIAL_OLDER, ANSWER, "serial {a} is older, we hold {b}")                                \
	X(SERIAL_UNDEFINED, ANSWER, "serial {a} is undefined, 2^31 apart: we hold {b}")            \
	X(SERIAL_SAME, ANSWER, "serial {a} is current, we hold it already")                        \
	/* Limits, by the option to raise. */                                                      \
	X(MAX_RECORDS, LIMIT, "over max-records = {a}")                                            \
	X(MAX_SIZE, LIMIT, "over max-size = {size}")                                               \
	X(MAX_RRSET, LIMIT, "an RRset is over max-rrset = {a}")                                    \
	X(MAX_RRSETS, LIMIT, "a name has more RRsets than max-rrsets = {a}")                       \
	X(HASHES, LIMIT,                                                                           \
	  "hashing its names takes over {a} rounds of SHA-1: too many iterations of NSEC3")        \
	X(MEMORY, LIMIT, "transfers under way are over transfer-memory = {size}")                  \
	/* Gates. */                                                                               \
	X(ITERATIONS, GATE,                                                                        \
	  "NSEC3PARAM has {a} iterations or too long a salt: no key allows the cost of over {b}")  \
	X(MAX_ITERATIONS, GATE, "NSEC3PARAM has {a} iterations, over max-iterations = {b}")        \
	X(NO_NS, GATE, "no NS at the apex, and no-ns = refuse")                                    \
	X(SINGLE_NS, GATE, "one NS at the apex, and single-ns = refuse")                           \
	X(CNAME_BESIDE, GATE,                                                                      \
	  "names with CNAME and other data: {a}, with several: {b}, and cname-beside = refuse")    \
	X(BELOW_DNAME, GATE, "names below a DNAME: {a}, and below-dname = refuse")                 \
	X(MISSING_GLUE, GATE, "delegations without glue: {a}, and missing-glue = refuse")          \
	X(SHRANK, GATE, "shrank from {a} records to {b}, which is over max-shrink")                \
	X(SIGNATURE_ENDS, GATE, "a signature ends in {a} seconds, refuse-signatures = {b}")        \
	X(SIGNATURE_OVER, GATE, "a signature ended {a} seconds ago, refuse-signatures = {b}")      \
	X(ZONEMD_ABSENT, GATE, "no ZONEMD, and zonemd = required")                                 \
	X(ZONEMD_UNKNOWN, GATE, "no ZONEMD of a known scheme and algorithm: zonemd = required")    \
	X(ZONEMD_TWICE, GATE, "two ZONEMD of one scheme and algorithm, and zonemd is not off")     \
	X(ZONEMD_SERIAL, GATE, "ZONEMD is that of another serial, and zonemd is not off")          \
	X(ZONEMD_DIFFERS, GATE, "ZONEMD: the digest differs, and zonemd is not off")               \
	X(ZONEMD_TTLS, GATE,                                                                       \
	  "ZONEMD: the digest differs, as it does for RRsets of several TTLs: {a}; zonemd is not " \
	  "off")                                                                                   \
	/* TSIG (RFC 8945). */                                                                     \
	X(TSIG, KEY, "{tsig}")                                                                     \
	/* Ours. */                                                                                \
	X(NO_MEMORY, US, "out of memory")                                                          \
	X(STATE_DAMAGED, US, "its copy in state-dir is damaged")

typedef enum xfr_why_code {
#define XFR_WHY_CODE(name, kind, words) XFR_WHY_##name,
	XFR_WHY_CODES(XFR_WHY_CODE)
#undef XFR_WHY_CODE
} xfr_why_code_t;

typedef struct xfr_why {
	uint16_t code; /* xfr_why_code_t; all zeros: nothing has failed */
	uint16_t type; /* of the record at fault */
	uint32_t a, b;
} xfr_why_t;

_Static_assert(sizeof(xfr_why_t) == 12, "kept for each zone and primary");

/* A failure without a record. */
static inline xfr_why_t xfr_why(xfr_why_code_t code, uint32_t a, uint32_t b)
{
	return (xfr_why_t){ .code = (uint16_t)code, .a = a, .b = b };
}

/* What TSIG said of an answer (dns/tsig.h), and what more there is to say. */
xfr_why_t xfr_why_tsig(unsigned outcome, int64_t detail);

/* Octets as the argument of {size}: whole KiB, upwards; what is beyond 4 TiB is 4 TiB. */
uint32_t xfr_why_size(uint64_t octets);

xfr_why_kind_t xfr_why_kind(const xfr_why_t *why);

/* Its name, "NO_ANSWER", for what outlives this program; "" for XFR_WHY_NONE. And back: the code, or
 * XFR_WHY_NONE. */
const char *xfr_why_name(xfr_why_code_t code);
xfr_why_code_t xfr_why_named(const char *name);

/* In words, for a line's why=""; "" for XFR_WHY_NONE. Returns out. Any thread. */
#define XFR_WHY_TEXT_MAX 128
const char *xfr_why_text(const xfr_why_t *why, char out[XFR_WHY_TEXT_MAX]);

/* Room for the record that a failure is about, beside its why: owner and type in presentation
 * form, cut to fit; of an RRSIG also the type that it covers. */
#define XFR_DETAIL_MAX 160
