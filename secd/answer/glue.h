/* answer/glue.h - addresses in the additional section. For answer/ alone. */
#pragma once

#include <stdbool.h>

#include "answer/compose.h"
#include "common/siphash.h"
#include "zone/version.h"

/* Does an answer of this type name hosts whose addresses help (NS, MX, SRV)? */
bool glue_wanted(uint16_t type);

/* Addresses of the hosts that the records in out[from..to) of this type name, from the same
 * zone and as far as they fit: never a reason to truncate. */
void glue_targets(compose_t *c, const siphash_key_t *key, const zone_version_t *v, uint16_t type,
                  size_t from, size_t to);

/* The same for the NS records of a referral: those of name servers at or below the cut are
 * needed, or the answer is truncated (RFC 9471 3); others come after, as far as they fit.
 *   cut   where the delegation's owner stands. */
void glue_referral(compose_t *c, const siphash_key_t *key, const zone_version_t *v,
                   compose_place_t cut, size_t from, size_t to);
