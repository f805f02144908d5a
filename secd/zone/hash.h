/* zone/hash.h - the keyed hashes of a name and of all its ancestors, in one pass.
 *
 * The hash of a name is a SipHash-1-3 of its parent's hash and its leftmost label, so walking
 * the labels from the right yields those of every ancestor. The key is random per process:
 * owner names chosen by a hostile customer of the primary don't pile up in one place. */
#pragma once

#include <stdint.h>

#include "common/siphash.h"
#include "dns/name.h"

typedef struct zone_hashes {
	/* h[i] is that of the suffix that begins at label i: h[0] the whole name's,
	 * h[name->labels] the root's. */
	uint64_t h[DNS_LABELS_MAX + 1];
} zone_hashes_t;

static inline uint64_t zone_hash_root(const siphash_key_t *key)
{
	return key->k0 ^ key->k1;
}

/* One step down: the hash of the name made of label (its length octet first) and parent. */
static inline uint64_t zone_hash_child(const siphash_key_t *key, uint64_t parent,
                                       const uint8_t *label)
{
	return siphash13_chain(key, parent, label, (size_t)label[0] + 1);
}

/* All hashes of name, which is folded. */
static inline void zone_hash_name(const siphash_key_t *key, const dns_name_t *name,
                                  zone_hashes_t *out)
{
	out->h[name->labels] = zone_hash_root(key);
	for (unsigned i = name->labels; i-- > 0;)
		out->h[i] = zone_hash_child(key, out->h[i + 1], name->wire + name->off[i]);
}
