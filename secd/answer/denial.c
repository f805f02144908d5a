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

static unsigned apex_label(const denial_name_t *n)
{
	return (unsigned)(n->name->labels - zone_version_apex_labels(n->version));
}

/* The NSEC or NSEC3 of this node, if it is not owed yet. */
static void owe(denial_t *d, const compose_t *c, const denial_name_t *n, const zone_node_t *node,
                uint16_t type)
{
	unsigned rel_labels, label = apex_label(n);

	if (!node || d->count == DENIAL_MAX)
		return;
	for (unsigned i = 0; i < d->count; i++) {
		if (d->owed[i].node == node)
			return;
	}
	const uint8_t *rel = zone_node_rel(node, &rel_labels);
	size_t own = type == DNS_TYPE_NSEC3 ? *rel + 1u /* a hash is no label of another name */
	                                    : own_octets(rel, rel_labels, n->name, label, &label);
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

static const zone_node_t *find(const denial_name_t *n, const uint8_t hash[DNS_NSEC3_HASH_LEN],
                               bool *matches)
{
	if (n->seek && n->seek->wanted && memcmp(n->seek->seek.hash, hash, DNS_NSEC3_HASH_LEN) == 0)
		return zone_seek_end(n->version, &n->seek->seek, matches);
	return zone_version_nsec3(n->version, hash, matches);
}

static void owe_nsec3(denial_t *d, const compose_t *c, const denial_name_t *n,
                      const uint8_t hash[DNS_NSEC3_HASH_LEN])
{
	bool matches;

	owe(d, c, n, find(n, hash, &matches), DNS_TYPE_NSEC3);
}

/* The node of the ancestor of n that begins at label, which exists. */
static const zone_node_t *ancestor(const denial_name_t *n, unsigned label, unsigned apex_at)
{
	unsigned off = n->name->off[label];

	return zone_version_inside(n->version, n->name->wire + off,
	                           n->name->off[apex_at] - (size_t)off, n->hashes->h[label]);
}

/* What covers the name one label below the closest encloser, which does not exist. */
static void owe_next_closer(denial_t *d, const compose_t *c, const denial_name_t *n, unsigned label)
{
	uint8_t hash[DNS_NSEC3_HASH_LEN];
	unsigned off = n->name->off[label];

	if (n->seek && n->seek->wanted && n->seek->label == label) {
		owe_nsec3(d, c, n, n->seek->seek.hash);
		return;
	}
	zone_version_hash(n->version, n->name->wire + off, n->name->len - (size_t)off, hash);
	owe_nsec3(d, c, n, hash);
}

/* The closest encloser that the chain knows, from that of the lookup upwards, and what covers the
 * next closer name below it (RFC 5155 7.2.1); of a name that is there itself (exact) and has its
 * NSEC3, that alone. An opt-out leaves delegations, and empty names above nothing else, without:
 * then the search for their NSEC3 has found what covers them. Returns where the encloser begins,
 * and it. */
static unsigned owe_encloser(denial_t *d, const compose_t *c, const denial_name_t *n,
                             const zone_lookup_t *l, bool exact, const zone_node_t **encloser)
{
	unsigned label = l->encloser_label, apex_at = apex_label(n);
	const zone_node_t *cover = NULL, *nsec3 = NULL;
	unsigned first = label;
	bool matches = false;

	for (; label < apex_at; label++, cover = nsec3) {
		*encloser = label == first && l->found != ZONE_WILDCARD
		                    ? l->node
		                    : ancestor(n, label, apex_at);
		nsec3 = find(n, zone_node_hash(*encloser), &matches);
		if (matches)
			break;
	}
	if (!matches) {
		*encloser = zone_version_apex(n->version);
		nsec3 = zone_version_nsec3_apex(n->version);
	}
	owe(d, c, n, nsec3, DNS_TYPE_NSEC3);
	if (label > first)
		owe(d, c, n, cover, DNS_TYPE_NSEC3);
	else if (!exact)
		owe_next_closer(d, c, n, label - 1);
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
		label = owe_encloser(d, c, n, l, false, &encloser);
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
		owe_encloser(d, c, n, l, !wild, &encloser);
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
		owe_next_closer(d, c, n, l->encloser_label - 1u);
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
		owe_encloser(d, c, n, l, true, &encloser);
		return;
	}
}

/* --- ahead --------------------------------------------------------------------------------------- */

/* Which hash the answer will want: the kept one of a name that is there, the next closer name's. */
void denial_seek_plan(denial_seek_t *s, const zone_version_t *v, const dns_name_t *name,
                      uint16_t qtype, const zone_lookup_t *l)
{
	unsigned label = l->encloser_label;
	zone_rrset_t set;

	s->wanted = false;
	switch (l->found) {
	case ZONE_FOUND:
		if (zone_node_rrset(v, l->node, qtype, &set) ||
		    (zone_node_flags(l->node) & (ZONE_NODE_APEX | ZONE_NODE_CNAME)))
			return;
		break;
	case ZONE_CUT:
		if (zone_node_rrset(v, l->node, DNS_TYPE_DS, &set))
			return;
		break;
	case ZONE_DNAME:
		return;
	case ZONE_WILDCARD:
	case ZONE_NONE:
		label--;
		break;
	}
	s->wanted = true;
	s->label = (uint8_t)label;
	if (label == l->encloser_label)
		memcpy(s->seek.hash, zone_node_hash(l->node), sizeof s->seek.hash);
	else
		zone_version_hash(v, name->wire + name->off[label],
		                  name->len - (size_t)name->off[label], s->seek.hash);
	zone_seek_begin(v, &s->seek);
}
