/* answer/answer.c - the batch: read all, prefetch all, answer each. */
#include "answer/answer.h"

#include <assert.h>
#include <stdlib.h>

#include "answer/compose.h"
#include "answer/edns.h"
#include "answer/resolve.h"
#include "common/buf.h"
#include "dns/tsig_query.h"
#include "dns/wire.h"

typedef struct signature {
	dns_tsig_query_t tsig;
	size_t room; /* that the answer's TSIG takes; 0: it has none */
} signature_t;

struct answer {
	const zone_set_t *zones;
	const answer_conf_t *conf;
	answer_counters_t *counters;
	unsigned turn;         /* of the answer at hand, where the order of records rotates */
	signature_t signature; /* of the query at hand, if it has one */
};

answer_t *answer_new(const zone_set_t *zones, const answer_conf_t *conf,
                     answer_counters_t *counters)
{
	answer_t *a = malloc(sizeof *a);

	if (a)
		*a = (answer_t){ .zones = zones, .conf = conf, .counters = counters };
	return a;
}

void answer_free(answer_t *a)
{
	free(a);
}

void answer_set_conf(answer_t *a, const answer_conf_t *conf)
{
	a->conf = conf;
}

/* One writer each: a load and a store, no locked instruction. */
static void count(_Atomic uint64_t *counter)
{
	uint64_t n = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, n + 1, memory_order_relaxed);
}

/* How long the answer may be. */
static size_t most(const answer_t *a, const answer_req_t *req)
{
	const dns_query_t *q = &req->query;
	size_t limit = req->out_room;

	if (req->via == ANSWER_UDP) {
		size_t agreed = q->payload < a->conf->udp_payload ? q->payload
		                                                  : a->conf->udp_payload;

		limit = agreed < limit ? agreed : limit;
	}
	return limit > DNS_MSG_MAX ? DNS_MSG_MAX : limit;
}

/* An answer of at most limit octets, of which the OPT's are taken off. */
static compose_t begin(const answer_t *a, answer_req_t *req, size_t limit)
{
	const dns_query_t *q = &req->query;

	limit -= edns_room(a->conf, req);
	memcpy(req->out + DNS_HEADER_LEN, req->in + DNS_HEADER_LEN,
	       q->question_end - (size_t)DNS_HEADER_LEN);
	return (compose_t){
		.out = req->out,
		.pos = q->question_end,
		.limit = limit,
		.turn = a->turn,
		.with_sigs = q->dnssec_ok,
	};
}

/* RD and CD as they came (RFC 4035 3.1.6), RA and AD never. */
static void finish(const answer_t *a, const answer_time_t *now, answer_req_t *req,
                   const edns_outcome_t *o, compose_t *c)
{
	const dns_query_t *q = &req->query;
	unsigned flags = DNS_QR | (q->flags & (DNS_OPCODE_MASK | DNS_RD | DNS_CD));

	if (o->aa)
		flags |= DNS_AA;
	if (c->truncated) {
		flags |= DNS_TC;
		count(&a->counters->truncated);
	}
	if (q->has_opt) /* RFC 6891 6.1.1: in errors too */
		edns_put(a->conf, now, req, o, c);
	put_u16(c->out, q->id);
	put_u16(c->out + 2, flags | (o->rcode & DNS_RCODE_MASK));
	put_u16(c->out + 4, q->question_end > DNS_HEADER_LEN);
	put_u16(c->out + 6, c->count[COMPOSE_ANSWER]);
	put_u16(c->out + 8, c->count[COMPOSE_AUTHORITY]);
	put_u16(c->out + 10, c->count[COMPOSE_ADDITIONAL]);
	req->out_len = c->pos;
	assert(o->rcode < ANSWER_RCODES);
	count(&a->counters->rcode[o->rcode]);
}

static edns_outcome_t error(unsigned rcode)
{
	return (edns_outcome_t){ .rcode = rcode };
}

static edns_outcome_t error_because(unsigned rcode, edns_why_t why)
{
	return (edns_outcome_t){ .rcode = rcode, .why = why };
}

static const edns_outcome_t done = { .rcode = DNS_RCODE_NOERROR, .aa = true };

/* version.bind and its relatives, CLASS CHAOS (RFC 4892 for id.server). */
static edns_outcome_t answer_chaos(const answer_t *a, const dns_query_t *q, compose_t *c)
{
	static const struct {
		uint8_t name[16];
		bool identity;
	} names[] = {
		{ "\7version\4bind", false },
		{ "\7version\6server", false },
		{ "\2id\6server", true },
		{ "\10hostname\4bind", true },
	};
	const compose_place_t owner = { DNS_HEADER_LEN, q->qname.len, true };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *text = names[i].identity ? a->conf->identity : a->conf->version;
		uint8_t rdata[256];

		if (!text || !*text || q->qname.len != dns_wire_len(names[i].name) ||
		    memcmp(q->qname.wire, names[i].name, q->qname.len) != 0)
			continue;
		size_t len = strnlen(text, 255);
		rdata[0] = (uint8_t)len;
		memcpy(rdata + 1, text, len);
		if (q->qtype != DNS_TYPE_TXT && q->qtype != DNS_TYPE_ANY)
			return done;
		if (compose_record(c, COMPOSE_ANSWER, owner, DNS_TYPE_TXT, DNS_CLASS_CH, 0, rdata,
		                   len + 1) != ST_OK)
			c->truncated = true;
		return done;
	}
	return error(DNS_RCODE_REFUSED);
}

/* A QTYPE that is no data type: what it gets instead of an answer, or NOERROR to go on. */
static unsigned refuse_type(const answer_req_t *req)
{
	const dns_query_t *q = &req->query;
	bool apex = req->slot && q->qname.len == dns_wire_len(zone_slot_apex(req->slot));

	switch (q->qtype) {
	case DNS_TYPE_AXFR:
		if (req->via == ANSWER_UDP)
			return DNS_RCODE_FORMERR; /* RFC 5936 4.2: not defined over UDP */
		return apex ? DNS_RCODE_REFUSED : DNS_RCODE_NOTAUTH;
	case DNS_TYPE_IXFR:
		return apex ? DNS_RCODE_REFUSED : DNS_RCODE_NOTAUTH;
	case DNS_TYPE_OPT:
	case DNS_TYPE_TSIG:
	case 0:
		return DNS_RCODE_FORMERR;
	case DNS_TYPE_TKEY:
	case DNS_TYPE_MAILA:
	case DNS_TYPE_MAILB:
		return DNS_RCODE_NOTIMP;
	default:
		return DNS_RCODE_NOERROR;
	}
}

static edns_outcome_t answer_ask(const answer_t *a, const answer_req_t *req, compose_t *c)
{
	const dns_query_t *q = &req->query;
	unsigned refused = refuse_type(req);

	count(&a->counters->type[answer_type_of(q->qtype)]);
	if (q->qclass == DNS_CLASS_CH)
		return answer_chaos(a, q, c);
	if (q->qclass != DNS_CLASS_IN && q->qclass != DNS_CLASS_ANY)
		return error(DNS_RCODE_REFUSED);
	if (refused == DNS_RCODE_REFUSED)
		return error_because(refused, EDNS_WHY_NO_TRANSFER);
	if (refused != DNS_RCODE_NOERROR)
		return error(refused);
	if (!req->slot)
		return error_because(DNS_RCODE_REFUSED, EDNS_WHY_NOT_OURS);
	switch (req->state) {
	case ZONE_STATE_EMPTY:
		return error_because(DNS_RCODE_SERVFAIL, EDNS_WHY_NOT_READY);
	case ZONE_STATE_EXPIRED:
		return error_because(DNS_RCODE_SERVFAIL, EDNS_WHY_EXPIRED);
	case ZONE_STATE_SERVED:
		break;
	}
	resolve_result_t r = resolve(a->zones, req, c);
	return (edns_outcome_t){
		.rcode = r.rcode,
		.aa = r.aa && q->qclass == DNS_CLASS_IN, /* RFC 1035 6.2: ANY saw no other class */
		.from_zone = true,
	};
}

/* RFC 1996 3: answered at once; what follows from it is the main loop's. */
static edns_outcome_t answer_notify(const answer_t *a, answer_req_t *req)
{
	const dns_query_t *q = &req->query;
	const zone_slot_t *slot = NULL;

	if (q->qclass == DNS_CLASS_IN)
		slot = zone_set_exact(a->zones, &q->qname, req->hashes.h[0]);
	if (!slot)
		return error(DNS_RCODE_NOTAUTH);
	if (!addr_acl_match(zone_slot_notify(slot), req->peer, req->signed_by)) {
		req->notify_refused = slot;
		req->notify_why = addr_acl_knows(zone_slot_notify(slot), req->peer)
		                          ? "not signed with the key of its primary"
		                          : "neither a primary of the zone nor in its notify-from";
		count(&a->counters->notifies_refused);
		return error_because(DNS_RCODE_REFUSED, EDNS_WHY_NO_NOTIFY);
	}
	req->notify = slot;
	count(&a->counters->notifies);
	return done;
}

/* RFC 7873 5.4: no question, so the cookie is the answer. */
static edns_outcome_t answer_cookie(const answer_t *a, const answer_time_t *now,
                                    const answer_req_t *req)
{
	if (a->conf->cookies.count == 0)
		return error(DNS_RCODE_FORMERR);
	if (edns_cookie_bad(a->conf, now, req))
		return error(DNS_RCODE_BADCOOKIE);
	return error(DNS_RCODE_NOERROR);
}

/* --- signed queries --------------------------------------------------------------------------- */

static const char *const bad_signature[] = {
	[DNS_TSIG_QUERY_FORMERR] = "its TSIG is malformed",
	[DNS_TSIG_QUERY_BADKEY] = "signed with a key, or by an algorithm, that is not configured",
	[DNS_TSIG_QUERY_BADSIG] = "its MAC is wrong: changed on the way, or another secret",
	[DNS_TSIG_QUERY_BADTIME] = "signed at a time too far from ours",
	[DNS_TSIG_QUERY_BADTRUNC] = "its MAC is cut short",
};

/* Of a NOTIFY from a zone's primary whose key, secret or clock is wrong the operator should know. */
static void tell_bad_notify(const answer_t *a, answer_req_t *req, dns_tsig_verdict_t verdict)
{
	const dns_query_t *q = &req->query;

	if (q->kind != DNS_QUERY_NOTIFY || q->qclass != DNS_CLASS_IN)
		return;
	req->notify_refused = zone_set_exact(a->zones, &q->qname, req->hashes.h[0]);
	req->notify_why = bad_signature[verdict];
	if (req->notify_refused)
		count(&a->counters->notifies_refused);
}

/* What is left of limit for an answer beside its TSIG. The smallest of messages takes no option
 * beside a long question and a TSIG of ours; and where the TSIG is to repeat the names of a key
 * that we don't know, which may be of any length, the question goes, too, or the TSIG itself. */
static size_t leave_room(const answer_t *a, answer_req_t *req, size_t limit, size_t *tsig)
{
	dns_query_t *q = &req->query;

	if (q->question_end + edns_room(a->conf, req) + *tsig > limit)
		q->wants = 0;
	if (q->question_end + edns_room(a->conf, req) + *tsig <= limit)
		return limit - *tsig;
	assert(q->kind == DNS_QUERY_NOTAUTH); /* or records would point to the question */
	q->question_end = DNS_HEADER_LEN;
	if (q->question_end + edns_room(a->conf, req) + *tsig > limit)
		*tsig = 0;
	return limit - *tsig;
}

/* What a signature means for the query, before anything else is made of it. Returns what is left of
 * limit for the answer. Few queries have one: the others pay for no call. */
static __attribute__((noinline)) size_t take_signature(answer_t *a, const answer_time_t *now,
                                                       answer_req_t *req, size_t limit)
{
	signature_t *s = &a->signature;
	dns_query_t *q = &req->query;
	dns_tsig_verdict_t verdict = dns_tsig_query_check(a->conf->keys, req->in, req->in_len,
	                                                  q->tsig_at, now->wall, &s->tsig);

	s->room = dns_tsig_query_room(&s->tsig);
	if (verdict == DNS_TSIG_QUERY_OK) {
		req->signed_by = s->tsig.key->number;
	} else {
		tell_bad_notify(a, req, verdict);
		q->kind = verdict == DNS_TSIG_QUERY_FORMERR ? DNS_QUERY_FORMERR : DNS_QUERY_NOTAUTH;
	}
	return leave_room(a, req, limit, &s->room);
}

/* RFC 8945 5.3: an answer that doesn't fit is the question and TC, with NOERROR. The OPT stays, as
 * it must (RFC 6891 6.1.1). */
static void leave_question(const answer_req_t *req, edns_outcome_t *o, compose_t *c)
{
	c->pos = req->query.question_end;
	memset(c->count, 0, sizeof c->count);
	*o = done;
}

static __attribute__((noinline)) void sign(const signature_t *s, const answer_time_t *now,
                                           answer_req_t *req)
{
	if (s->room > 0)
		dns_tsig_query_sign(&s->tsig, now->wall, req->out, &req->out_len);
}

/* --- all -------------------------------------------------------------------------------------- */

static void answer_one(answer_t *a, const answer_time_t *now, answer_req_t *req)
{
	dns_query_t *q = &req->query;
	edns_outcome_t o = { 0 };
	compose_t c;

	if (q->kind == DNS_QUERY_DROP) {
		count(&a->counters->dropped);
		return;
	}
	size_t limit = most(a, req);
	if (q->tsig_at != 0)
		limit = take_signature(a, now, req, limit);
	if (q->kind == DNS_QUERY_FORMERR || q->kind == DNS_QUERY_NOTIMP)
		q->question_end = DNS_HEADER_LEN; /* nothing but the header goes back */
	c = begin(a, req, limit);
	switch (q->kind) {
	case DNS_QUERY_DROP:
		return;
	case DNS_QUERY_FORMERR:
		o = error(DNS_RCODE_FORMERR);
		break;
	case DNS_QUERY_NOTIMP:
		o = error(DNS_RCODE_NOTIMP);
		break;
	case DNS_QUERY_NOTAUTH:
		o = error(DNS_RCODE_NOTAUTH);
		break;
	case DNS_QUERY_BADVERS:
		o = error(DNS_RCODE_BADVERS);
		break;
	case DNS_QUERY_NOTIFY:
		o = answer_notify(a, req);
		break;
	case DNS_QUERY_COOKIE:
		o = answer_cookie(a, now, req);
		break;
	case DNS_QUERY_ASK:
		o = answer_ask(a, req, &c);
		break;
	}
	if (q->tsig_at != 0 && c.truncated)
		leave_question(req, &o, &c);
	finish(a, now, req, &o, &c);
	if (q->tsig_at != 0)
		sign(&a->signature, now, req);
}

/* The name right below the apex (or the apex): in a zone of delegations that is the cut. */
static void prefetch_top(answer_req_t *req, unsigned step)
{
	unsigned apex = req->query.qname.labels - (unsigned)zone_version_apex_labels(req->version);

	zone_version_prefetch(req->version, req->hashes.h[apex > 0 ? apex - 1 : 0], step,
	                      &req->ahead);
	req->deeper = apex > 1;
}

/* The name itself, where it lies deeper, but for one below a cut: nobody looks at that. */
static void prefetch_own(answer_req_t *req, unsigned step)
{
	if (step == 0 && req->deeper)
		req->deeper = zone_version_ahead_leads_on(req->ahead);
	if (req->deeper)
		zone_version_prefetch(req->version, req->hashes.h[0], step, &req->ahead);
}

/* The memory that lookups will read: a step of each at a time. */
static void look_ahead(answer_req_t *reqs, size_t n)
{
	for (unsigned step = 0; step < ZONE_PREFETCH_STEPS; step++) {
		for (size_t i = 0; i < n; i++) {
			if (reqs[i].version)
				prefetch_top(&reqs[i], step);
		}
	}
	for (unsigned step = 0; step < ZONE_PREFETCH_STEPS; step++) {
		for (size_t i = 0; i < n; i++) {
			if (reqs[i].version)
				prefetch_own(&reqs[i], step);
		}
	}
}

/* Does the message ask about a name of class IN or nearly, so that a zone is looked for? */
static bool wants_zone(const answer_req_t *req)
{
	return req->query.kind == DNS_QUERY_ASK || req->query.kind == DNS_QUERY_NOTIFY;
}

/* Read the message, and ask for the memory that finding its zone begins with. */
static void look_at(const answer_t *a, answer_req_t *req)
{
	req->out_len = 0;
	req->notify = req->notify_refused = NULL;
	req->slot = NULL;
	req->signed_by = 0;
	req->version = NULL;
	req->state = ZONE_STATE_EMPTY;
	dns_query_read(req->in, req->in_len, req->via == ANSWER_TCP, &req->query);
	if (!wants_zone(req))
		return;
	zone_hash_name(zone_set_key(a->zones), &req->query.qname, &req->hashes);
	zone_set_prefetch(a->zones, &req->query.qname, &req->hashes, 0, &req->zone_ahead);
}

static void find_zone(const answer_t *a, answer_req_t *req)
{
	const dns_query_t *q = &req->query;

	req->slot = zone_set_find(a->zones, &q->qname, &req->hashes, q->qtype == DNS_TYPE_DS);
	if (req->slot)
		req->state = zone_slot_read(req->slot, &req->version);
	if (req->version)
		zone_version_prefetch_self(req->version);
}

/* What the name is to its zone; and where a proof by NSEC3 will be wanted, which. */
static void look_up(answer_req_t *req)
{
	const dns_query_t *q = &req->query;

	zone_version_lookup(req->version, &q->qname, &req->hashes, q->qtype == DNS_TYPE_DS,
	                    &req->found);
	req->seek.wanted = false;
	if (q->dnssec_ok && zone_version_denial(req->version) == ZONE_DENIAL_NSEC3)
		denial_seek_plan(&req->seek, req->version, &q->qname, q->qtype, &req->found);
}

/* The searches that are wanted, a step of each at a time. */
static void seek(answer_req_t *reqs, size_t n)
{
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < n; i++) {
			if (!reqs[i].version || !reqs[i].seek.wanted || reqs[i].seek.seek.ended)
				continue;
			zone_seek_step(reqs[i].version, &reqs[i].seek.seek);
			more = true;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (reqs[i].version && reqs[i].seek.wanted)
			zone_seek_prefetch(reqs[i].version, &reqs[i].seek.seek);
	}
}

void answer_batch(answer_t *a, const answer_time_t *now, answer_req_t *reqs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		look_at(a, &reqs[i]);
	for (unsigned step = 1; step < ZONE_SET_PREFETCH_STEPS; step++) {
		for (size_t i = 0; i < n; i++) {
			if (wants_zone(&reqs[i]))
				zone_set_prefetch(a->zones, &reqs[i].query.qname, &reqs[i].hashes,
				                  step, &reqs[i].zone_ahead);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (wants_zone(&reqs[i]))
			find_zone(a, &reqs[i]);
	}
	look_ahead(reqs, n);
	for (size_t i = 0; i < n; i++) {
		if (reqs[i].version)
			look_up(&reqs[i]);
	}
	seek(reqs, n);
	for (size_t i = 0; i < n; i++) {
		a->turn += a->conf->rotate;
		answer_one(a, now, &reqs[i]);
	}
}
