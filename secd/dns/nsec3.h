/* dns/nsec3.h - hashed names (RFC 5155 5): parameters, the hash, its presentation in labels.
 *
 * Only SHA-1 is defined (RFC 5155 11). Nothing here allocates; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DNS_NSEC3_SHA1 = 1,
	DNS_NSEC3_HASH_LEN = 20,
	DNS_NSEC3_LABEL_LEN = 32, /* of the hash in base32hex */
	DNS_NSEC3_OPT_OUT = 1,    /* a flag of NSEC3 records */
	/* RFC 5155 10.3: what no key of any size makes legal. */
	DNS_NSEC3_ITERATIONS_MAX = 2500,
};

/* How names are hashed. salt is borrowed. */
typedef struct dns_nsec3_params {
	uint16_t iterations;
	uint8_t salt_len;
	const uint8_t *salt;
} dns_nsec3_params_t;

/* Read the RDATA of an NSEC3PARAM record, or the beginning of an NSEC3's, which is alike.
 * False: it ends early, or uses another algorithm than SHA-1. */
bool dns_nsec3_read(const uint8_t *rdata, size_t rdlen, dns_nsec3_params_t *out);

/* Rounds of SHA-1 that a hash takes, for a name of usual length. */
unsigned dns_nsec3_cost(const dns_nsec3_params_t *p);

/* Does a hash cost more than what RFC 5155 10.3 had in mind for any key, with a salt of usual length?
 * A long one makes each iteration several times as costly. */
bool dns_nsec3_costly(const dns_nsec3_params_t *p);

bool dns_nsec3_same(const dns_nsec3_params_t *a, const dns_nsec3_params_t *b);

/* IH(salt, name, iterations) of RFC 5155 5.
 *   name    folded, uncompressed wire form of len octets. */
void dns_nsec3_hash(const dns_nsec3_params_t *params, const uint8_t *name, size_t len,
                    uint8_t out[DNS_NSEC3_HASH_LEN]);

/* The label that a hash stands as in an owner name: its length octet, then base32hex in small
 * letters (RFC 4648 7), as folded names have it. */
void dns_nsec3_label(const uint8_t hash[DNS_NSEC3_HASH_LEN], uint8_t out[1 + DNS_NSEC3_LABEL_LEN]);
