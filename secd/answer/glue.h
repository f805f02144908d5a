/* answer/glue.h - addresses in the additional section. For answer/ alone. */
#pragma once

#include <stdbool.h>

#include "answer/compose.h"
#include "common/siphash.h"
#include "zone/hash.h"
#include "zone/version.h"

/* Does an answer of this type name hosts whose addresses help (NS, MX, SRV, SVCB, HTTPS)? */
bool glue_wanted(uint16_t type);

/* Addresses of the hosts that the records in out[from..to) of this type name, from the same
 * zone and as far as they fit: never a reason to truncate. */
void glue_targets(compose_t *c, const siphash_key_t *key, const zone_version_t *v, uint16_t type,
                  size_t from, size_t to);

/* A referral as it stands in the message. */
typedef struct glue_cut {
	const zone_rrset_t *ns;      /* as it is stored */
	const uint8_t *out;          /* the message, */
	size_t at;                   /* and where its records begin in it */
	const dns_name_t *name;      /* the name that is referred, at or below the cut */
	const zone_hashes_t *hashes; /* of that name */
} glue_cut_t;

/* The same for the NS records of a referral: those of name servers at or below the cut are
 * needed, or the answer is truncated (RFC 9471 3); others come after, as far as they fit. */
void glue_referral(compose_t *c, const siphash_key_t *key, const zone_version_t *v,
                   const glue_cut_t *cut);
