/* answer/resolve.c - from a name to sections: answer, chase, refer, deny.
 *
 *     lookup --> FOUND, WILDCARD   the RRset, or its CNAME and on to the target, or no data
 *            --> DNAME             the DNAME, a CNAME made from it, and on to the target
 *            --> CUT               a referral
 *            --> NONE              NXDOMAIN
 *
 * A chain goes on through every zone that is served here (RFC 1034 4.3.2 step 3a: back to step
 * 1), until it leaves them, meets a name again or grows too long; what is there is the answer,
 * and the rcode is that of the last name (RFC 6604 3).
 *
 * The answer section grows along the chain and the authority section where it ends; proofs and
 * addresses are noted on the way, and come behind. */
#include "answer/resolve.h"

#include "answer/denial.h"
#include "answer/glue.h"
#include "dns/wire.h"

enum { CHAIN_MAX = 16 };

/* What goes into the additional section. */
typedef enum extra { EXTRA_NONE, EXTRA_TARGETS, EXTRA_REFERRAL } extra_t;

/* The name that is being resolved, the zone that it lies in, and what has come of it. */
typedef struct walk {
	const zone_set_t *zones;
	const answer_req_t *req;
	compose_t *c;
	resolve_result_t result;
	denial_name_t at;
	denial_t denial;  /* with DO: the proofs that the answer owes */
	extra_t extra;    /* whose addresses it wants */
	size_t from, to;  /* the records that name them */
	zone_rrset_t cut; /* EXTRA_REFERRAL: its NS */

	bool own; /* the name is the node's own, not made from a wildcard */
	unsigned steps;
	uint64_t met[CHAIN_MAX + 1];              /* hashes of the names so far */
	const zone_node_t *dnames[CHAIN_MAX + 1]; /* already in the answer, and where their */
	uint32_t dname_at[CHAIN_MAX + 1];         /* RDATA stands there */
	dns_name_t target;                        /* what name points to after the first step */
	zone_hashes_t target_hashes;
} walk_t;

/* What one step settles. */
typedef enum step { STEP_DONE, STEP_CHASE } step_t;

/* The place of the suffix of the current name that is left when all but len octets are cut. */
static compose_place_t suffix_place(const walk_t *w, size_t len)
{
	return compose_suffix(w->c, w->at.place, w->at.name->len - len);
}

static void put_needed(walk_t *w, compose_section_t section, const zone_rrset_t *set,
                       compose_place_t owner)
{
	if (!w->c->truncated && compose_rrset(w->c, section, set, owner) != ST_OK)
		w->c->truncated = true;
}

/* The SOA that makes an answer negative, with the lower of its own TTL and MINIMUM (RFC 2308 3
 * and 5). */
static void deny(walk_t *w)
{
	size_t from = w->c->pos, apex_len = dns_wire_len(zone_version_apex_name(w->at.version));
	zone_rrset_t soa;

	if (!zone_node_rrset(w->at.version, zone_version_apex(w->at.version), DNS_TYPE_SOA, &soa))
		return;
	put_needed(w, COMPOSE_AUTHORITY, &soa, suffix_place(w, apex_len));
	compose_cap_ttl(w->c, from, zone_version_soa(w->at.version)->minimum);
}

/* The cut's NS, its DS (or that there is none) for those who validate, and glue. Not authoritative
 * unless a CNAME before it was (RFC 1034 4.3.2 step 3b). A DS that nobody signed helps nobody: RFC
 * 4035 3.1.4 speaks of signed zones. */
static step_t refer(walk_t *w, const zone_lookup_t *l)
{
	bool sigs = w->c->with_sigs;
	zone_rrset_t ds;

	w->from = w->c->pos;
	if (!zone_node_rrset(w->at.version, l->node, DNS_TYPE_NS, &w->cut))
		return STEP_DONE;
	compose_place_t owner = suffix_place(w, w->cut.owner_len);
	w->c->with_sigs = false; /* the parent doesn't sign what it delegates */
	put_needed(w, COMPOSE_AUTHORITY, &w->cut, owner);
	w->c->with_sigs = sigs;
	w->extra = EXTRA_REFERRAL;
	if (!sigs)
		return STEP_DONE;
	if (!zone_node_rrset(w->at.version, l->node, DNS_TYPE_DS, &ds))
		denial_no_ds(&w->denial, w->c, &w->at, l);
	else if (ds.sig_count > 0 || zone_version_denial(w->at.version) != ZONE_DENIAL_NONE)
		put_needed(w, COMPOSE_AUTHORITY, &ds, owner);
	return STEP_DONE;
}

/* Make target the name to go on with. False: the chain ends here, with what is written. */
static bool go_on(walk_t *w, compose_place_t place)
{
	const zone_version_t *version;
	buf_t msg = buf_over(w->c->out, w->c->pos);

	msg.pos = place.pos;
	if (w->steps++ == CHAIN_MAX || dns_name_read(&msg, &w->target) != ST_OK)
		return false;
	dns_name_fold(&w->target);
	zone_hash_name(zone_set_key(w->zones), &w->target, &w->target_hashes);
	for (unsigned i = 0; i < w->steps; i++) {
		if (w->met[i] == w->target_hashes.h[0])
			return false;
	}
	w->met[w->steps] = w->target_hashes.h[0];

	const zone_slot_t *slot = zone_set_find(w->zones, &w->target, &w->target_hashes,
	                                        w->req->query.qtype == DNS_TYPE_DS);
	if (!slot || zone_slot_read(slot, &version) != ZONE_STATE_SERVED)
		return false;
	place.len = w->target.len;
	w->at = (denial_name_t){ version, &w->target, &w->target_hashes, place, NULL };
	return true;
}

/* The RDATA of the last record written is one name: chase it. */
static step_t chase(walk_t *w, size_t record_at)
{
	compose_place_t place = { .pos = (uint32_t)(record_at + 2 + DNS_RR_FIXED) };

	return go_on(w, place) ? STEP_CHASE : STEP_DONE;
}

/* The name left of the DNAME's owner put before its target, which stands at target_at in the
 * message (RFC 6672 2.2): *len octets. ST_LIMIT: the name would have over 255. */
static status_t redirect(const walk_t *w, const zone_rrset_t *dname, uint32_t target_at,
                         uint8_t out[DNS_NAME_MAX], size_t *len)
{
	const uint8_t *rdata = dname->wire + 2 + DNS_RR_FIXED; /* never stored compressed */
	size_t keep = w->at.name->len - dname->owner_len, rest = dns_wire_len(rdata);

	if (keep + rest > DNS_NAME_MAX)
		return ST_LIMIT;
	memcpy(out, w->at.name->wire, keep);
	memcpy(out + keep, rdata, rest);
	if (target_at <= DNS_PTR_MAX && rest > 2) {
		put_u16(out + keep, 0xc000u | target_at);
		rest = 2;
	}
	*len = keep + rest;
	return ST_OK;
}

/* Is the node's DNAME in the answer already? Asked for by its own type, too, where it leads back to
 * itself: no record stands twice (RFC 2181 5). */
static bool has_dname(const walk_t *w, const zone_node_t *node, uint32_t *target_at)
{
	for (unsigned i = 0; i <= w->steps; i++) {
		if (w->dnames[i] == node) {
			*target_at = w->dname_at[i];
			return true;
		}
	}
	return false;
}

/* Returns where its target stands in the message; 0: it does not fit. */
static uint32_t put_dname_once(walk_t *w, const zone_node_t *node, const zone_rrset_t *dname)
{
	uint32_t target_at;

	if (has_dname(w, node, &target_at))
		return target_at;
	w->dnames[w->steps] = node;
	w->dname_at[w->steps] = (uint32_t)w->c->pos + 2 + DNS_RR_FIXED;
	put_needed(w, COMPOSE_ANSWER, dname, suffix_place(w, dname->owner_len));
	return w->c->truncated ? 0 : w->dname_at[w->steps];
}

static step_t substitute(walk_t *w, const zone_node_t *node)
{
	uint8_t target[DNS_NAME_MAX];
	zone_rrset_t dname;
	uint32_t target_at = 0;
	size_t len;

	w->result.aa |= w->steps == 0;
	if (zone_node_rrset(w->at.version, node, DNS_TYPE_DNAME, &dname))
		target_at = put_dname_once(w, node, &dname);
	if (target_at == 0)
		return STEP_DONE;
	if (redirect(w, &dname, target_at, target, &len) != ST_OK) {
		w->result.rcode = DNS_RCODE_YXDOMAIN;
		return STEP_DONE;
	}
	size_t at = w->c->pos;
	if (compose_record(w->c, COMPOSE_ANSWER, w->at.place, DNS_TYPE_CNAME, DNS_CLASS_IN,
	                   get_u32(dname.wire + 6), target, len) != ST_OK) {
		w->c->truncated = true;
		return STEP_DONE;
	}
	if (w->req->query.qtype == DNS_TYPE_CNAME)
		return STEP_DONE;
	return chase(w, at);
}

/* QTYPE=RRSIG: every signature at the name (as far as they fit, else TC). */
static bool answer_sigs(walk_t *w, const zone_node_t *node)
{
	unsigned found = 0;
	zone_rrset_t set;
	uint32_t at;

	for (bool more = zone_node_first(w->at.version, node, &set); more && !w->c->truncated;
	     more = zone_node_next(w->at.version, node, &set)) {
		if (set.sig_count == 0)
			continue;
		found++;
		if (set.type == DNS_TYPE_DNAME && w->c->with_sigs && w->own &&
		    has_dname(w, node, &at))
			continue;
		if (compose_sigs(w->c, COMPOSE_ANSWER, &set, w->at.place) != ST_OK)
			w->c->truncated = true;
	}
	return found > 0;
}

/* QTYPE=ANY: one RRset stands for all (RFC 8482 4.1). */
static bool answer_any(walk_t *w, const zone_node_t *node)
{
	bool found = false;
	zone_rrset_t set;
	uint32_t at;

	for (bool more = zone_node_first(w->at.version, node, &set); more;
	     more = zone_node_next(w->at.version, node, &set)) {
		if (set.count == 0)
			continue;
		found = true;
		if (set.type == DNS_TYPE_DNAME && w->own && has_dname(w, node, &at))
			continue;
		put_needed(w, COMPOSE_ANSWER, &set, w->at.place);
		break;
	}
	return found;
}

static bool answer_type(walk_t *w, const zone_node_t *node, uint16_t qtype)
{
	size_t from = w->c->pos;
	zone_rrset_t set;
	uint32_t at;

	if (qtype == DNS_TYPE_RRSIG)
		return answer_sigs(w, node);
	if (qtype == DNS_TYPE_ANY)
		return answer_any(w, node);
	if (!zone_node_rrset(w->at.version, node, qtype, &set))
		return false;
	if (qtype == DNS_TYPE_DNAME && w->own && has_dname(w, node, &at))
		return true;
	put_needed(w, COMPOSE_ANSWER, &set, w->at.place);
	if (glue_wanted(qtype)) {
		w->extra = EXTRA_TARGETS;
		w->from = from;
		w->to = w->c->pos;
	}
	return true;
}

/* These types stand beside a CNAME, or ask for it (RFC 4035 2.5, RFC 2136 aside). */
static bool follows_cname(uint16_t qtype)
{
	return qtype != DNS_TYPE_CNAME && qtype != DNS_TYPE_ANY && qtype != DNS_TYPE_RRSIG &&
	       qtype != DNS_TYPE_NSEC;
}

/* The name is there, by itself or by a wildcard. */
static step_t answer_node(walk_t *w, const zone_lookup_t *l)
{
	bool proves_wild = w->c->with_sigs && l->found == ZONE_WILDCARD;
	uint16_t qtype = w->req->query.qtype;
	size_t at = w->c->pos;
	zone_rrset_t cname;

	w->own = l->found == ZONE_FOUND;
	w->result.aa |= w->steps == 0;
	if ((zone_node_flags(l->node) & ZONE_NODE_CNAME) && follows_cname(qtype) &&
	    zone_node_rrset(w->at.version, l->node, DNS_TYPE_CNAME, &cname)) {
		put_needed(w, COMPOSE_ANSWER, &cname, w->at.place);
		if (proves_wild)
			denial_wildcard(&w->denial, w->c, &w->at, l);
		return w->c->truncated ? STEP_DONE : chase(w, at);
	}
	if (answer_type(w, l->node, qtype)) {
		if (proves_wild)
			denial_wildcard(&w->denial, w->c, &w->at, l);
		return STEP_DONE;
	}
	deny(w);
	if (w->c->with_sigs)
		denial_no_type(&w->denial, w->c, &w->at, l);
	return STEP_DONE;
}

static step_t step(walk_t *w)
{
	bool at_parent = w->req->query.qtype == DNS_TYPE_DS;
	zone_lookup_t found;

	if (w->steps == 0)
		found = w->req->found;
	else
		zone_version_lookup(w->at.version, w->at.name, w->at.hashes, at_parent, &found);
	switch (found.found) {
	case ZONE_FOUND:
	case ZONE_WILDCARD:
		return answer_node(w, &found);
	case ZONE_DNAME:
		return substitute(w, found.node);
	case ZONE_CUT:
		return refer(w, &found);
	case ZONE_NONE:
		w->result.aa |= w->steps == 0;
		w->result.rcode = DNS_RCODE_NXDOMAIN;
		deny(w);
		if (w->c->with_sigs)
			denial_no_name(&w->denial, w->c, &w->at, &found);
		return STEP_DONE;
	}
	return STEP_DONE;
}

/* What stands behind the answer and the end of its chain: proofs, then addresses. */
static void put_rest(walk_t *w)
{
	if (!w->c->truncated && denial_write(&w->denial, w->c) != ST_OK)
		w->c->truncated = true;
	if (w->c->truncated)
		return;
	switch (w->extra) {
	case EXTRA_NONE:
		return;
	case EXTRA_TARGETS:
		glue_targets(w->c, zone_set_key(w->zones), w->at.version, w->req->query.qtype,
		             w->from, w->to);
		return;
	case EXTRA_REFERRAL:
		glue_referral(
			w->c, zone_set_key(w->zones), w->at.version,
			&(glue_cut_t){ &w->cut, w->c->out, w->from, w->at.name, w->at.hashes });
		return;
	}
}

resolve_result_t resolve(const zone_set_t *zones, const answer_req_t *req, compose_t *c)
{
	walk_t w;

	/* Field by field: the two names at its end are big, and most queries don't chase. */
	w.zones = zones;
	w.req = req;
	w.c = c;
	w.result = (resolve_result_t){ DNS_RCODE_NOERROR, false };
	w.at = (denial_name_t){
		.version = req->version,
		.name = &req->query.qname,
		.hashes = &req->hashes,
		.place = { DNS_HEADER_LEN, req->query.qname.len, true },
		.seek = &req->seek,
	};
	w.denial.count = 0;
	w.extra = EXTRA_NONE;
	w.steps = 0;
	w.met[0] = req->hashes.h[0];
	memset(w.dnames, 0, sizeof w.dnames);
	while (step(&w) == STEP_CHASE)
		;
	put_rest(&w);
	return w.result;
}
