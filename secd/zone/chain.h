/* zone/chain.h - the chain by which a zone denies: which one it is, where it begins, how it is
 * searched. For zone/ alone.
 *
 * A zone may hold several chains of NSEC3, and NSEC beside them, while it changes from one to the
 * other. The one that counts is that of the apex's NSEC3PARAM with flags 0 (RFC 5155 4, 7.2), the
 * first in canonical order if there are several; NSEC counts in a zone without. */
#pragma once

#include <stdbool.h>

#include "dns/name.h"
#include "dns/nsec3.h"
#include "zone/change.h"
#include "zone/layout.h"
#include "zone/log.h"
#include "zone/tree.h"

/* How the names of a zone are hashed, by its apex or by the apex's records, in any order. False:
 * they are not. The salt is borrowed from there. */
bool zone_chain_params(const zone_node_t *apex, dns_nsec3_params_t *out);
bool zone_chain_params_of(const zone_rec_t **recs, size_t count, dns_nsec3_params_t *out);

/* Let root know its chain of NSEC3: everything else in it is final. */
void zone_chain_settle(const uint8_t *base, const dns_name_t *apex, zone_root_t *root);

/* The owner of an NSEC3 of the chain at or before hash, or else the last of them; matches says
 * whether it is the hash's own. NULL: there is none near.
 * Owners of other chains are stepped over, but not without end: two chains that are complete lie
 * among each other like heads and tails. */
const zone_node_t *zone_chain_find(const uint8_t *base, const zone_root_t *root,
                                   const dns_nsec3_params_t *params,
                                   const uint8_t hash[DNS_NSEC3_HASH_LEN], bool *matches);

/* The end of that search when the tree has been searched already: at is the last node at or before
 * the hash whose label this is (dns_nsec3_label), or 0. */
const zone_node_t *zone_chain_found(const uint8_t *base, const zone_root_t *root,
                                    const dns_nsec3_params_t *params, const uint8_t *label,
                                    zone_ref_t at, bool *matches);

/* The key of such a label in the tree of owners of NSEC3. */
void zone_chain_key(const uint8_t *label, zone_key_t *out);

/* Links of the chain that counts that don't lead to the owner behind: its count, and the first
 * such owner, or NULL. A zone without a chain has none. ST_NOMEM. */
status_t zone_chain_gaps(const zone_version_t *v, uint32_t *gaps, const zone_node_t **first);

/* The same of the links at and before the owners in log, whose lists are sorted: all that a
 * difference over base can break. Of all links, if the chain is another one than that of base. */
status_t zone_chain_gaps_near(const zone_version_t *v, const zone_version_t *base,
                              const zone_log_t *log, uint32_t *gaps, const zone_node_t **first);

/* Build the tree of owners of NSEC, or give it back, if the apex has come by an NSEC or lost it.
 * ST_NOMEM. */
status_t zone_chain_keep_order(zone_change_t *c, zone_root_t *root);

/* Sort nodes by name; refs are from base. Fast where they were written in that order. */
void zone_chain_sort(const uint8_t *base, zone_ref_t *refs, size_t count);
