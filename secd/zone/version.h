/* zone/version.h - one immutable version of a zone, and how to look into it.
 *
 * A version is sealed by zone/build.h, served by zone/set.h and never changes. Any number of
 * threads may read it at once, as long as something keeps it alive: the set's grace period for
 * workers, ownership for a builder. Nothing here allocates, locks or waits.
 *
 * How a version is laid out is known to zone/ alone. What others may hold are borrowed
 * pointers to nodes and RRsets, valid as long as the version.
 *
 * An RRset is stored as the wire that will be sent: each record begins with a compression
 * pointer to its owner at offset 12. Names in its RDATA that end like the owner point there too, and
 * those that end like a name before them in the RRset point to that, as if the RRset began at
 * offset ZONE_WIRE_AT. answer/compose turns the pointers to where these places are in a message;
 * zone_rrset_t lists all of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/status.h"
#include "dns/name.h"
#include "dns/nsec3.h"
#include "dns/soa.h"
#include "zone/hash.h"

typedef struct zone_version zone_version_t;
typedef struct zone_node zone_node_t;

/* Where a pointer in RDATA takes the wire of its RRset to begin. The owner is always before it. */
enum { ZONE_WIRE_AT = 0x2000 };

/* One RRset of a node, as a view into the version. */
typedef struct zone_rrset {
	uint16_t type;
	uint16_t count;      /* records; 0 when only signatures of an absent RRset are held */
	uint16_t sig_count;  /* RRSIGs that cover it */
	uint16_t fixes;      /* pointers in RDATA (those of the owners are not counted) */
	uint32_t wire_len;   /* of the records */
	uint32_t sig_len;    /* of the RRSIGs behind them */
	const uint8_t *wire; /* records, then RRSIGs: all with the RRset's one TTL */
	const uint8_t *fix;  /* fixes x 2 octets, native order: where in wire the pointers stand */
	uint16_t left;       /* RRsets of the node behind this one */
	uint16_t owner_len;  /* of the owner's whole name: the offset 12 + owner_len ends it */
} zone_rrset_t;

/* What a node is, from its own name and RRsets alone. */
enum {
	ZONE_NODE_APEX = 1,
	ZONE_NODE_CUT = 2, /* NS below the apex: a delegation */
	ZONE_NODE_DNAME = 4,
	ZONE_NODE_EMPTY = 8,       /* an empty non-terminal (RFC 4592 2.2.2) */
	ZONE_NODE_WILD_CHILD = 16, /* *.node exists */
	ZONE_NODE_WILD = 32,       /* its leftmost label is an asterisk */
	ZONE_NODE_CNAME = 64,
};

/* What a name is to a zone, RFC 1034 4.3.2 step 3 and RFC 4592 as one outcome. */
typedef enum zone_found {
	ZONE_FOUND,    /* node is the name's own (maybe an empty non-terminal) */
	ZONE_CUT,      /* node is the topmost delegation at or above the name */
	ZONE_DNAME,    /* node owns a DNAME above the name (RFC 6672 3.2) */
	ZONE_WILDCARD, /* node is the *.encloser that the name is synthesised from */
	ZONE_NONE,     /* the name does not exist; node is its closest encloser */
} zone_found_t;

typedef struct zone_lookup {
	zone_found_t found;
	const zone_node_t *node;
	/* Label of the qname at which the closest encloser (for ZONE_CUT and ZONE_DNAME: node)
	 * begins: 0 for an exact match, 1 when it is the parent, ... */
	uint8_t encloser_label;
} zone_lookup_t;

/* Look qname up.
 *   qname       folded, at or below the apex of v; hashes are those of qname under v's key.
 *   at_parent   QTYPE=DS: a cut at qname itself is not a referral (RFC 4035 3.1.4.1). */
void zone_version_lookup(const zone_version_t *v, const dns_name_t *qname,
                         const zone_hashes_t *hashes, bool at_parent, zone_lookup_t *out);

/* Ask for the memory that zone_version_lookup() of this hash will read, which hangs together in a
 * chain: step 0 for each query of a batch, then step 1 for each, and so on. *at is kept by the
 * caller from step to step. Hints without effect.
 *
 * What is asked for stands in passes of its own, apart from what is worked out: a core has but a few
 * hundred instructions under way, and one that waits for an address to be translated stops all
 * behind it. So only short loops keep many lines on their way at once. */
enum { ZONE_PREFETCH_STEPS = 4 };
void zone_version_prefetch(const zone_version_t *v, uint64_t hash, unsigned step, const void **at);

/* Behind the last step: may names below what was found matter? Not where nothing was, nor below a cut
 * or a DNAME. Another hint, that reads what the last step has asked for. */
bool zone_version_ahead_leads_on(const void *at);

/* And before step 0: the version itself, which is not looked into. */
void zone_version_prefetch_self(const zone_version_t *v);

/* The node of exactly this folded name, or NULL. No regard to cuts: for glue. */
const zone_node_t *zone_version_exact(const zone_version_t *v, const dns_name_t *name,
                                      uint64_t hash);

/* The same for a name of the zone given by the rel_len octets that stand left of the apex. */
const zone_node_t *zone_version_inside(const zone_version_t *v, const uint8_t *rel, size_t rel_len,
                                       uint64_t hash);

/* By what the zone proves that something is not there. */
typedef enum zone_denial {
	ZONE_DENIAL_NONE,  /* it is not signed, or its chain has no beginning at the apex */
	ZONE_DENIAL_NSEC,  /* the apex has NSEC */
	ZONE_DENIAL_NSEC3, /* the apex has NSEC3PARAM, and the NSEC3 of its chain */
} zone_denial_t;
zone_denial_t zone_version_denial(const zone_version_t *v);

/* ZONE_DENIAL_NSEC: the last owner of NSEC at or before the folded name in canonical order (RFC 4034
 * 6.1), the apex at least: its NSEC matches or covers the name. */
const zone_node_t *zone_version_nsec(const zone_version_t *v, const dns_name_t *name);

/* ZONE_DENIAL_NSEC3: the owner, in the chain that counts, of the NSEC3 that matches or covers a
 * hash (RFC 5155 7.2); NULL: the chain has a gap there. *matches: it is the hash's own. */
const zone_node_t *zone_version_nsec3(const zone_version_t *v,
                                      const uint8_t hash[DNS_NSEC3_HASH_LEN], bool *matches);

/* The same for many at a time, so that none waits for memory: begin each, step each until it says
 * that it has ended, ask for what each has found, then take what zone_version_nsec3() would give.
 * Of a version with ZONE_DENIAL_NSEC3; belongs to one caller. */
typedef struct zone_seek {
	uint8_t hash[DNS_NSEC3_HASH_LEN]; /* the caller's; the rest is zone/'s */
	uint32_t at;
	bool ended;
	uint8_t label[1 + DNS_NSEC3_LABEL_LEN];
} zone_seek_t;
void zone_seek_begin(const zone_version_t *v, zone_seek_t *seek); /* of seek->hash */
void zone_seek_step(const zone_version_t *v, zone_seek_t *seek);
void zone_seek_prefetch(const zone_version_t *v, const zone_seek_t *seek); /* a hint */
const zone_node_t *zone_seek_end(const zone_version_t *v, const zone_seek_t *seek, bool *matches);

/* What that is for the apex, and for the name *.apex, without a search. */
const zone_node_t *zone_version_nsec3_apex(const zone_version_t *v);
const zone_node_t *zone_version_nsec3_wild(const zone_version_t *v);

/* The hash of a folded name of len octets, as the chain that counts has it. */
void zone_version_hash(const zone_version_t *v, const uint8_t *name, size_t len,
                       uint8_t out[DNS_NSEC3_HASH_LEN]);

/* The same, kept with the node of the name; and that of the name *.node, NULL where it is not
 * kept. Of nodes of the index, not of owners of NSEC3. */
const uint8_t *zone_node_hash(const zone_node_t *node);
const uint8_t *zone_node_hash_wild(const zone_node_t *node);

/* A walk over every node in canonical order; or, with denial true, over the owners of NSEC3
 * records, which are no names of the zone (RFC 5155 7.2.8). Allocates, and sorts: the names by
 * where they lie, which is their order but for what deltas have changed. NULL: no memory. */
typedef struct zone_walk zone_walk_t;
zone_walk_t *zone_walk_new(const zone_version_t *v, bool denial);
const zone_node_t *zone_walk_next(zone_walk_t *w); /* NULL after the last */
void zone_walk_free(zone_walk_t *w);               /* NULL is fine */

/* The same in no order, as fast as memory allows. */
zone_walk_t *zone_walk_any(const zone_version_t *v);

const zone_node_t *zone_version_apex(const zone_version_t *v);
const uint8_t *zone_version_apex_name(const zone_version_t *v); /* wire, folded */
uint8_t zone_version_apex_labels(const zone_version_t *v);
const siphash_key_t *zone_version_key(const zone_version_t *v); /* its names are hashed with it */
const dns_soa_t *zone_version_soa(const zone_version_t *v);
uint64_t zone_version_records(const zone_version_t *v); /* all of them, SOA once */

/* When the first of its signatures runs out, in the order of RFC 1982 around now (RFC 4034 3.1.5): at
 * most 1,023 s too early. False: it has none. */
bool zone_version_expiry(const zone_version_t *v, wall_t now, wall_t *out);

size_t zone_version_bytes(const zone_version_t *v); /* memory that it holds */

/* Reading a node. */
unsigned zone_node_flags(const zone_node_t *node);
unsigned zone_node_rrsets(const zone_node_t *node); /* types held, in ascending order */
/* The first RRset of a node, and the one behind a set that came from here: false when there is
 * none. Those that hold signatures only are among them. */
bool zone_node_first(const zone_version_t *v, const zone_node_t *node, zone_rrset_t *out);
bool zone_node_next(const zone_version_t *v, const zone_node_t *node, zone_rrset_t *set);
/* The RRset of a type: false when it is not there, or holds signatures only. */
bool zone_node_rrset(const zone_version_t *v, const zone_node_t *node, uint16_t type,
                     zone_rrset_t *out);
/* What stands left of the apex in the node's name, in wire form, and its number of labels: empty
 * for the apex. */
const uint8_t *zone_node_rel(const zone_node_t *node, unsigned *labels);
/* The node's whole name. */
void zone_node_name(const zone_version_t *v, const zone_node_t *node, dns_name_t *out);

/* Record i of a stored RRset with its RDATA decompressed into out, for those who read rather
 * than send: returns its length. */
size_t zone_rrset_rdata(const zone_version_t *v, const zone_node_t *node, const zone_rrset_t *set,
                        unsigned i, uint8_t out[65535]);

/* The record of set that begins at *at, first set->wire: its RDATA, decompressed, its type (RRSIG
 * behind the set's own) and TTL. *at moves on to the next. There are count + sig_count of them. */
size_t zone_rrset_take(const zone_version_t *v, const zone_node_t *node, const zone_rrset_t *set,
                       const uint8_t **at, uint16_t *type, uint32_t *ttl, uint8_t out[65535]);

/* A name in the RDATA of a stored record, put together: own gets, folded, what stands left of the
 * end that it shares with the owner of the RRset. Returns the octets of that end: 1 if it is the
 * root's zero alone. */
/* The same octets alone, without a look at each of the others. */
size_t zone_rrset_name_end(const zone_rrset_t *set, const uint8_t *name);
size_t zone_rrset_name(const zone_rrset_t *set, const uint8_t *name, uint8_t own[DNS_NAME_MAX],
                       size_t *own_len);

/* Reserve v as the base of a difference: until it is let go nobody else may make one over it (they
 * would share an arena), and zone_version_free() waits with its work. False: it is taken. Any thread
 * that may read v. */
bool zone_version_claim(const zone_version_t *v);

/* Let go of v, after what was made over it was published or freed. If it was freed meanwhile it goes
 * now. Any thread. */
void zone_version_unclaim(const zone_version_t *v);

/* next, made over before, is what is served from now on: before keeps what it alone holds until it
 * is freed. For zone/set. */
void zone_version_succeed(zone_version_t *before, zone_version_t *next);

/* Free a version that was never published, or whose grace period is over, and no newer one that
 * was made over it is under way. NULL is fine. */
void zone_version_free(zone_version_t *v);
