/* answer/denial.c - which records prove it, for either kind of chain. */
#include "answer/denial.h"

#include "dns/wire.h"

/* --- what is owed -------------------------------------------------------------------------------- */

/* How many labels, from the right, a name of the zone shares with n, and where that begins in it. */
static size_t own_octets(const uint8_t *rel, unsigned rel_labels, const dns_name_t *name,
                         unsigned apex_at, unsigned *label)
{
	uint8_t off[DNS_LABELS_MAX + 1];
	unsigned pos = 0, left = rel_labels;

	for (unsigned i = 0; i < rel_labels; i++) {
		off[i] = (uint8_t)pos;
		pos += rel[pos] + 1u;
	}
	off[rel_labels] = (uint8_t)pos;
	for (*label = apex_at; left > 0 && *label > 0; left--, --*label) {
		const uint8_t *x = rel + off[left - 1], *y = name->wire + name->off[*label - 1];

		if (*x != *y || memcmp(x + 1, y + 1, *x) != 0)
			break;
	}
	return off[left];
}

/* The NSEC or NSEC3 of this node, if it is not owed yet. */
static void owe(denial_t *d, const compose_t *c, const denial_name_t *n, const zone_node_t *node,
                uint16_t type)
{
	unsigned apex_at = (unsigned)(n->name->labels - zone_version_apex_labels(n->version));
	unsigned rel_labels, label = apex_at;

	if (!node || d->count == DENIAL_MAX)
		return;
	for (unsigned i = 0; i < d->count; i++) {
		if (d->owed[i].node == node)
			return;
	}
	const uint8_t *rel = zone_node_rel(node, &rel_labels);
	size_t own = own_octets(rel, rel_labels, n->name, apex_at, &label);
	d->owed[d->count++] = (denial_proof_t){
		.version = n->version,
		.node = node,
		.type = type,
		.own_len = (uint8_t)own,
		.rest = compose_suffix(c, n->place, n->name->off[label]),
	};
}

status_t denial_write(const denial_t *d, compose_t *c)
{
	status_t st = ST_OK;

	for (unsigned i = 0; i < d->count && st == ST_OK; i++) {
		const denial_proof_t *p = &d->owed[i];
		unsigned labels;
		zone_rrset_t set;

		if (zone_node_rrset(p->version, p->node, p->type, &set))
			st = compose_rrset_below(c, COMPOSE_AUTHORITY, &set,
			                         zone_node_rel(p->node, &labels), p->own_len,
			                         p->rest);
	}
	return st;
}

/* *.name for the ancestor of n that begins at label: its child n has room for two octets more. */
static void asterisk(const denial_name_t *n, unsigned label, dns_name_t *out)
{
	uint8_t wire[2 + DNS_NAME_MAX] = { 1, '*' };
	unsigned off = n->name->off[label];

	memcpy(wire + 2, n->name->wire + off, n->name->len - off);
	dns_name_from_wire(wire, out);
}

/* --- NSEC ---------------------------------------------------------------------------------------- */

static void owe_nsec(denial_t *d, const compose_t *c, const denial_name_t *n,
                     const dns_name_t *denied)
{
	owe(d, c, n, zone_version_nsec(n->version, denied), DNS_TYPE_NSEC);
}

/* The node's own NSEC, or the one that covers its name: it is empty, or the chain has a gap. */
static void owe_nsec_of(denial_t *d, const compose_t *c, const denial_name_t *n,
                        const zone_node_t *node)
{
	dns_name_t name;
	zone_rrset_t set;

	if (zone_node_rrset(n->version, node, DNS_TYPE_NSEC, &set)) {
		owe(d, c, n, node, DNS_TYPE_NSEC);
		return;
	}
	zone_node_name(n->version, node, &name);
	owe_nsec(d, c, n, &name);
}

static void owe_nsec_wild(denial_t *d, const compose_t *c, const denial_name_t *n, unsigned label)
{
	dns_name_t wild;

	asterisk(n, label, &wild);
	owe_nsec(d, c, n, &wild);
}

/* --- NSEC3 --------------------------------------------------------------------------------------- */

static void owe_nsec3(denial_t *d, const compose_t *c, const denial_name_t *n,
                      const uint8_t hash[DNS_NSEC3_HASH_LEN])
{
	bool matches;

	owe(d, c, n, zone_version_nsec3(n->version, hash, &matches), DNS_TYPE_NSEC3);
}

/* The NSEC3 of the ancestor of n that begins at label, which exists; NULL: it has none, as an
 * opt-out leaves delegations, and empty names above nothing else, without. */
static const zone_node_t *own_nsec3(const denial_name_t *n, unsigned label, unsigned apex_at,
                                    const zone_node_t **node)
{
	const dns_name_t *name = n->name;
	unsigned off = name->off[label];
	bool matches;

	if (label == apex_at) {
		*node = zone_version_apex(n->version);
		return zone_version_nsec3_apex(n->version);
	}
	*node = zone_version_inside(n->version, name->wire + off, name->off[apex_at] - (size_t)off,
	                            n->hashes->h[label]);
	if (!*node)
		return NULL;
	const zone_node_t *nsec3 = zone_version_nsec3(n->version, zone_node_hash(*node), &matches);
	return matches ? nsec3 : NULL;
}

/* The name one label below the closest encloser: kept with its node, if it is one (RFC 5155 1.3). */
static void owe_next_closer(denial_t *d, const compose_t *c, const denial_name_t *n, unsigned label,
                            const zone_node_t *node)
{
	uint8_t hash[DNS_NSEC3_HASH_LEN];
	unsigned off = n->name->off[label];

	if (node) {
		owe_nsec3(d, c, n, zone_node_hash(node));
		return;
	}
	zone_version_hash(n->version, n->name->wire + off, n->name->len - (size_t)off, hash);
	owe_nsec3(d, c, n, hash);
}

/* The closest encloser that the chain knows, from label upwards, and the next closer name below it
 * (RFC 5155 7.2.1); of a name that is there itself (exact) and has its NSEC3, that alone. Returns
 * where the encloser begins, and it. */
static unsigned owe_encloser(denial_t *d, const compose_t *c, const denial_name_t *n,
                             unsigned label, bool exact, const zone_node_t **encloser)
{
	unsigned apex_at = (unsigned)(n->name->labels - zone_version_apex_labels(n->version));
	const zone_node_t *below = NULL, *nsec3 = NULL;
	unsigned first = label;

	for (; label <= apex_at; label++) {
		nsec3 = own_nsec3(n, label, apex_at, encloser);
		if (nsec3)
			break;
		below = *encloser;
	}
	owe(d, c, n, nsec3, DNS_TYPE_NSEC3);
	if (nsec3 && label > 0 && !(exact && label == first))
		owe_next_closer(d, c, n, label - 1, below);
	return label;
}

static void owe_nsec3_wild(denial_t *d, const compose_t *c, const denial_name_t *n, unsigned label,
                           const zone_node_t *encloser)
{
	const uint8_t *kept = zone_node_hash_wild(encloser);
	uint8_t hash[DNS_NSEC3_HASH_LEN];
	dns_name_t wild;

	if (encloser == zone_version_apex(n->version)) {
		owe(d, c, n, zone_version_nsec3_wild(n->version), DNS_TYPE_NSEC3);
		return;
	}
	if (!kept) {
		asterisk(n, label, &wild);
		zone_version_hash(n->version, wild.wire, wild.len, hash);
		kept = hash;
	}
	owe_nsec3(d, c, n, kept);
}

/* --- what is denied ------------------------------------------------------------------------------ */

void denial_no_name(denial_t *d, const compose_t *c, const denial_name_t *n, const zone_lookup_t *l)
{
	const zone_node_t *encloser;
	unsigned label;

	switch (zone_version_denial(n->version)) {
	case ZONE_DENIAL_NONE:
		return;
	case ZONE_DENIAL_NSEC:
		owe_nsec(d, c, n, n->name);
		owe_nsec_wild(d, c, n, l->encloser_label);
		return;
	case ZONE_DENIAL_NSEC3:
		label = owe_encloser(d, c, n, l->encloser_label, false, &encloser);
		owe_nsec3_wild(d, c, n, label, encloser);
		return;
	}
}

void denial_no_type(denial_t *d, const compose_t *c, const denial_name_t *n, const zone_lookup_t *l)
{
	bool wild = l->found == ZONE_WILDCARD;
	const zone_node_t *encloser;

	switch (zone_version_denial(n->version)) {
	case ZONE_DENIAL_NONE:
		return;
	case ZONE_DENIAL_NSEC:
		if (wild)
			owe_nsec(d, c, n, n->name);
		owe_nsec_of(d, c, n, l->node);
		return;
	case ZONE_DENIAL_NSEC3:
		owe_encloser(d, c, n, l->encloser_label, !wild, &encloser);
		if (wild)
			owe_nsec3(d, c, n, zone_node_hash(l->node));
		return;
	}
}

void denial_wildcard(denial_t *d, const compose_t *c, const denial_name_t *n,
                     const zone_lookup_t *l)
{
	switch (zone_version_denial(n->version)) {
	case ZONE_DENIAL_NONE:
		return;
	case ZONE_DENIAL_NSEC:
		owe_nsec(d, c, n, n->name);
		return;
	case ZONE_DENIAL_NSEC3:
		owe_next_closer(d, c, n, l->encloser_label - 1u, NULL);
		return;
	}
}

void denial_no_ds(denial_t *d, const compose_t *c, const denial_name_t *n, const zone_lookup_t *l)
{
	const zone_node_t *encloser;

	switch (zone_version_denial(n->version)) {
	case ZONE_DENIAL_NONE:
		return;
	case ZONE_DENIAL_NSEC:
		owe_nsec_of(d, c, n, l->node);
		return;
	case ZONE_DENIAL_NSEC3:
		owe_encloser(d, c, n, l->encloser_label, true, &encloser);
		return;
	}
}
