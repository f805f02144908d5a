/* tests/unit/dns/tsig_ends.h - both ends of TSIG for its tests: who asks, who answers, who spoils. */
#pragma once

#include <stdbool.h>

#include "dns/tsig.h"
#include "dns/tsig_query.h"

enum { ENDS_ROOM = 2048, ENDS_ALGS = 6 };

extern const char *const ends_algs[ENDS_ALGS];
extern const wall_t ends_now;

typedef struct ends_message {
	size_t len;
	uint8_t octets[ENDS_ROOM];
} ends_message_t;

dns_name_t ends_name(const char *text); /* folded; asserts */
dns_tsig_key_t ends_key(const char *name, const char *alg, const char *secret);
/* "key-hmac-sha256" and its like, for each algorithm. */
void ends_keys(dns_tsig_keys_t *keys, const char *secret);

/* A message of one question and one record, or of the record alone; without flags, of the question. */
ends_message_t ends_plain(unsigned id, unsigned flags, bool question);
ends_message_t ends_unhex(const char *text);
ends_message_t ends_request(const dns_tsig_key_t *key, wall_t at, dns_tsig_mac_t *mac);

/* Judged, or fed, from memory of exactly its length, so that ASan sees a read behind it. */
dns_tsig_verdict_t ends_check(const dns_tsig_keys_t *keys, const ends_message_t *m, wall_t at,
                              dns_tsig_query_t *q);
dns_tsig_outcome_t ends_feed(dns_tsig_stream_t *s, const ends_message_t *m, wall_t at,
                             dns_tsig_bare_t *bare);

/* A server that signs when it is told to. */
typedef struct ends_server {
	const dns_tsig_key_t *key;
	dns_hmac_t hmac;
	bool first;
	uint8_t sent; /* messages, no two of which are alike */
} ends_server_t;

ends_server_t ends_server(const dns_tsig_key_t *key, const dns_tsig_mac_t *request);
ends_message_t ends_answer(ends_server_t *s, bool sign, wall_t at);

/* The record at the end of a signed message, and places in it. */
typedef enum ends_spoil {
	ENDS_CLASS,
	ENDS_TTL,
	ENDS_TWICE,
	ENDS_NOT_LAST,
	ENDS_ANSWER,
	ENDS_RDLENGTH,
	ENDS_MAC_CUT,
	ENDS_MAC_LONG,
	ENDS_NO_MAC,
} ends_spoil_t;

void ends_spoil(ends_message_t *m, ends_spoil_t how);

/* What tampering does to an octet, and whether it must be noticed. */
static const uint8_t ends_flips[] = { 0x01, 0x20, 0x80, 0xff };
bool ends_counts(const ends_message_t *m, size_t i, uint8_t flip);
