/* dns/tsig.h - TSIG (RFC 8945): keys, requests that we sign, answers that we verify.
 *
 *     dns_tsig_sign()           a request, whose MAC is kept          ---->  primary
 *     dns_tsig_stream_start()   from that MAC
 *     dns_tsig_stream_feed()    each message of the answer, whole and in order  <----
 *     dns_tsig_stream_finish()  the last one was signed: now all of it counts
 *
 * Requests that others sign are judged in dns/tsig_query.h. A key is made at load and read-only
 * then: any thread. Only dns_tsig_keys_make() allocates. MACs are compared in constant time, and
 * only whole ones are made and taken. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/status.h"
#include "dns/hmac.h"
#include "dns/name.h"

/* --- keys ------------------------------------------------------------------------------------- */

typedef struct dns_tsig_key {
	dns_name_t name;     /* folded */
	dns_hmac_key_t hmac; /* as good as the secret */
	uint16_t number;     /* what access lists know it by; its maker's */
} dns_tsig_key_t;

/* So that, whatever the question, an answer of 512 octets has room for OPT and TSIG beside it. */
enum { DNS_TSIG_KEY_NAME_MAX = 120 };

/* Make a key.
 *   name    folded.
 *   alg     "hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384" or "hmac-sha512".
 *   secret  octets, not kept.
 * Returns   ST_OK; ST_NOENT: no such algorithm; ST_LIMIT: a name over DNS_TSIG_KEY_NAME_MAX octets. */
status_t dns_tsig_key_make(dns_tsig_key_t *key, const dns_name_t *name, const char *alg,
                           const uint8_t *secret, size_t secret_len);

/* A copy that is not needed any more. */
void dns_tsig_key_wipe(dns_tsig_key_t *key);

/* All keys of a server, found by name. Two of one name are not possible: TSIG could not tell them
 * apart. */
typedef struct dns_tsig_keys {
	dns_tsig_key_t *list;
	const dns_tsig_key_t **by_name; /* sorted */
	size_t count;
} dns_tsig_keys_t;

/* Zeroed room for count keys, up to 65,535: make and number each of the list, then sort once. ST_NOMEM;
 * dns_tsig_keys_free() is due in any case. */
status_t dns_tsig_keys_make(dns_tsig_keys_t *keys, size_t count);
void dns_tsig_keys_sort(dns_tsig_keys_t *keys);
void dns_tsig_keys_free(dns_tsig_keys_t *keys); /* wipes them */

/* The key of this name (folded), or NULL. */
const dns_tsig_key_t *dns_tsig_keys_find(const dns_tsig_keys_t *keys, const dns_name_t *name);

/* Is it a key of the algorithm with this name (folded)? */
bool dns_tsig_key_is_of(const dns_tsig_key_t *key, const dns_name_t *alg);

/* The algorithm's name on the wire. */
const uint8_t *dns_tsig_alg_wire(dns_hmac_alg_t alg);

/* --- a request of ours ------------------------------------------------------------------------ */

typedef struct dns_tsig_mac {
	uint8_t len;
	uint8_t octets[DNS_HMAC_MAX];
} dns_tsig_mac_t;

/* Append a TSIG to a whole message, with its id as the original one. When the id changes, so does
 * the MAC: sign again.
 *   len     of msg; grows.
 *   room    of msg in all.
 *   now     goes into the TSIG, with a fudge of 300 s.
 *   mac     what the answer will be verified with.
 * Returns   ST_OK; ST_LIMIT: no room, and msg is as it was. */
status_t dns_tsig_sign(const dns_tsig_key_t *key, wall_t now, uint8_t *msg, size_t *len,
                       size_t room, dns_tsig_mac_t *mac);

/* --- its answer ------------------------------------------------------------------------------- */

typedef enum dns_tsig_outcome {
	DNS_TSIG_OK,       /* signed, and so is everything before it; detail: as WRONG_TIME's */
	DNS_TSIG_UNSIGNED, /* to be covered by a message to come: use nothing of it before finish */

	/* The end of the stream. */
	DNS_TSIG_FIRST_UNSIGNED,
	DNS_TSIG_TOO_MANY_UNSIGNED, /* more than 99 in a row, or one where all must be signed */
	DNS_TSIG_LAST_UNSIGNED,
	DNS_TSIG_MALFORMED, /* no whole message, a TSIG that is not the last record, or a broken one */
	DNS_TSIG_OTHER_KEY, /* another name than the configured one */
	DNS_TSIG_OTHER_ALG,
	DNS_TSIG_TRUNCATED, /* a MAC that is not whole */
	DNS_TSIG_WRONG_MAC,
	DNS_TSIG_WRONG_TIME, /* detail: how many seconds the peer's clock is ahead of ours */

	/* What the peer thinks of our request. The first two can't be signed: anybody may have sent
	 * them (RFC 8945 5.4.1). */
	DNS_TSIG_PEER_BADKEY,
	DNS_TSIG_PEER_BADSIG,
	DNS_TSIG_PEER_BADTIME, /* detail: how many seconds the peer's clock is ahead of ours */
	DNS_TSIG_PEER_BADTRUNC,
	DNS_TSIG_PEER_ERROR, /* detail: its number */
} dns_tsig_outcome_t;

enum {
	DNS_TSIG_UNSIGNED_MAX = 99, /* between two signed messages (RFC 8945 5.3.1) */
	DNS_TSIG_TEXT_MAX = 128,
};

/* Where an answer stands. A plain value: copies go on on their own, and none needs freeing. */
typedef struct dns_tsig_stream {
	const dns_tsig_key_t *key; /* borrowed */
	dns_hmac_t hmac;           /* over the last MAC and all messages since */
	dns_tsig_outcome_t last;
	int64_t detail;       /* of the last outcome */
	uint8_t unsigned_run; /* messages since the last signed one */
	bool begun;           /* the first message has come */
	bool strict;          /* every message must be signed */
} dns_tsig_stream_t;

/* A message without its TSIG: what it is to be read as. Of one that is not signed, all. */
typedef struct dns_tsig_bare {
	size_t len;
	uint16_t arcount; /* the header still counts the TSIG */
} dns_tsig_bare_t;

/* Where UDP brings answers that anybody may have sent, keep this state and feed a copy to each. */
void dns_tsig_stream_start(dns_tsig_stream_t *s, const dns_tsig_key_t *key,
                           const dns_tsig_mac_t *request, bool strict);

/* The same key lies elsewhere from now on. */
void dns_tsig_stream_rekey(dns_tsig_stream_t *s, const dns_tsig_key_t *key);

/* Take the next message, whatever it holds; its id and question are the caller's to check.
 *   now     when it came: the time of a signed one must be within its fudge. It need not grow.
 * Returns   DNS_TSIG_OK, DNS_TSIG_UNSIGNED, or how the stream ended, which later calls repeat. */
dns_tsig_outcome_t dns_tsig_stream_feed(dns_tsig_stream_t *s, const uint8_t *msg, size_t len,
                                        wall_t now, dns_tsig_bare_t *bare);

/* No message follows. DNS_TSIG_OK: all that came is the key holder's. */
dns_tsig_outcome_t dns_tsig_stream_finish(const dns_tsig_stream_t *s);

/* Words for a log line's why="": of an outcome and its detail; returns out. */
const char *dns_tsig_text(dns_tsig_outcome_t outcome, int64_t detail, char out[DNS_TSIG_TEXT_MAX]);
