/* tests/unit/xfr/support/signer.h - a primary's side of TSIG: sign answers as the test wants it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/tsig.h"

/* The key "key." of hmac-sha256 with this secret. */
dns_tsig_key_t signer_key(const char *secret);

typedef struct signer {
	const dns_tsig_key_t *key;
	dns_hmac_t hmac;
	uint16_t id;
	bool first;
} signer_t;

/* Answers to this signed query. */
void signer_start(signer_t *s, const dns_tsig_key_t *key, const uint8_t *query, size_t len);

/* The next message, which has room for a TSIG behind it: signed as of at, or left as it is. */
size_t signer_next(signer_t *s, uint8_t *msg, size_t len, bool sign, wall_t at);
