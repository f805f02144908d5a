/* answer/edns.c - which options an answer gets, and their octets. */
#include "answer/edns.h"

#include <assert.h>

#include "common/buf.h"
#include "dns/cookie.h"
#include "dns/wire.h"

enum {
	OPTION_HEAD = 4, /* code and length */
	EXPIRE_LEN = 4,
	KEEPALIVE_LEN = 2,
	ZONEVERSION_LEN = 6,
	ZONEVERSION_SOA_SERIAL = 0, /* RFC 9660: the type of version */
	EDE_CODE_LEN = 2,
};

static const struct {
	uint16_t code;
	const char *text;
} whys[] = {
	[EDNS_WHY_NOT_OURS] = { DNS_EDE_NOT_AUTHORITATIVE, "no such zone here" },
	[EDNS_WHY_NOT_READY] = { DNS_EDE_NOT_READY, "zone not transferred yet" },
	[EDNS_WHY_EXPIRED] = { DNS_EDE_INVALID_DATA, "zone expired" },
	[EDNS_WHY_NO_TRANSFER] = { DNS_EDE_PROHIBITED, "transfer not allowed" },
	[EDNS_WHY_NO_NOTIFY] = { DNS_EDE_PROHIBITED, "notify not allowed" },
};

/* --- which ------------------------------------------------------------------------------------ */

/* RFC 7314: SOA alone, as long as nobody may transfer from us. */
static bool asks_soa(const answer_req_t *req)
{
	const dns_query_t *q = &req->query;

	return q->kind == DNS_QUERY_ASK && q->qtype == DNS_TYPE_SOA && q->qclass == DNS_CLASS_IN &&
	       req->slot && req->state != ZONE_STATE_EMPTY &&
	       q->qname.len == dns_wire_len(zone_slot_apex(req->slot)) &&
	       zone_slot_expires(req->slot).ns != 0;
}

/* Of what is asked for, what may stand in the answer: DNS_WANTS_... */
static unsigned offered(const answer_conf_t *conf, const answer_req_t *req)
{
	unsigned may = req->query.wants;

	if (conf->nsid_len == 0)
		may &= ~(unsigned)DNS_WANTS_NSID;
	if (conf->cookies.count == 0)
		may &= ~(unsigned)DNS_WANTS_COOKIE;
	if ((may & DNS_WANTS_EXPIRE) && !asks_soa(req))
		may &= ~(unsigned)DNS_WANTS_EXPIRE;
	if (!req->version)
		may &= ~(unsigned)DNS_WANTS_ZONEVERSION;
	return may;
}

static size_t options_room(const answer_conf_t *conf, unsigned may)
{
	size_t room = 0;

	if (may & DNS_WANTS_NSID)
		room += OPTION_HEAD + conf->nsid_len;
	if (may & DNS_WANTS_EXPIRE)
		room += OPTION_HEAD + EXPIRE_LEN;
	if (may & DNS_WANTS_COOKIE)
		room += OPTION_HEAD + DNS_COOKIE_LEN;
	if (may & DNS_WANTS_KEEPALIVE)
		room += OPTION_HEAD + KEEPALIVE_LEN;
	if (may & DNS_WANTS_ZONEVERSION)
		room += OPTION_HEAD + ZONEVERSION_LEN;
	return room;
}

size_t edns_offer(const answer_conf_t *conf, answer_req_t *req)
{
	req->offers = offered(conf, req);
	return options_room(conf, req->offers);
}

/* --- each ------------------------------------------------------------------------------------- */

static void put_head(bufw_t *w, unsigned code, size_t len)
{
	bufw_u16(w, code);
	bufw_u16(w, (unsigned)len);
}

static void put_nsid(bufw_t *w, const answer_conf_t *conf)
{
	put_head(w, DNS_OPTION_NSID, conf->nsid_len);
	bufw_bytes(w, conf->nsid, conf->nsid_len);
}

/* Whole seconds until the zone expires, rounded down so that who copies from us never keeps it for
 * longer; but 0 is for one that has expired. */
static void put_expire(bufw_t *w, const answer_time_t *now, const answer_req_t *req)
{
	int64_t left = (zone_slot_expires(req->slot).ns - now->mono.ns) / NS_PER_S;

	if (req->state == ZONE_STATE_EXPIRED)
		left = 0;
	else if (left < 1)
		left = 1;
	else if (left > UINT32_MAX)
		left = UINT32_MAX;
	put_head(w, DNS_OPTION_EXPIRE, EXPIRE_LEN);
	bufw_u32(w, (uint32_t)left);
}

static dns_cookie_peer_t peer_octets(const addr_t *peer)
{
	if (peer->sa.sa_family == AF_INET6)
		return (dns_cookie_peer_t){ (const uint8_t *)&peer->in6.sin6_addr, 16 };
	return (dns_cookie_peer_t){ (const uint8_t *)&peer->in.sin_addr, 4 };
}

static const uint8_t *their_cookie(const answer_req_t *req)
{
	return req->in + req->query.cookie_at;
}

static dns_cookie_verdict_t judge(const answer_conf_t *conf, const answer_time_t *now,
                                  const answer_req_t *req)
{
	return dns_cookie_check(&conf->cookies, their_cookie(req), req->query.cookie_len,
	                        peer_octets(req->peer), (uint32_t)now->wall.s);
}

bool edns_cookie_bad(const answer_conf_t *conf, const answer_time_t *now, const answer_req_t *req)
{
	return judge(conf, now, req) == DNS_COOKIE_BAD;
}

/* RFC 9018 4.3: one that is good goes back, so that the client need not learn another. */
static void put_cookie(bufw_t *w, const answer_conf_t *conf, const answer_time_t *now,
                       const answer_req_t *req)
{
	uint8_t fresh[DNS_COOKIE_LEN];
	const uint8_t *cookie = fresh;

	switch (judge(conf, now, req)) {
	case DNS_COOKIE_GOOD:
		cookie = their_cookie(req);
		break;
	case DNS_COOKIE_CLIENT:
	case DNS_COOKIE_BAD:
	case DNS_COOKIE_RENEW:
		dns_cookie_make(&conf->cookies, their_cookie(req), peer_octets(req->peer),
		                (uint32_t)now->wall.s, fresh);
		break;
	}
	put_head(w, DNS_OPTION_COOKIE, DNS_COOKIE_LEN);
	bufw_bytes(w, cookie, DNS_COOKIE_LEN);
}

static void put_keepalive(bufw_t *w, const answer_conf_t *conf)
{
	put_head(w, DNS_OPTION_KEEPALIVE, KEEPALIVE_LEN);
	bufw_u16(w, conf->keepalive);
}

/* RFC 9660 3: of the zone that the question lies in, wherever a chain went from there. */
static void put_zoneversion(bufw_t *w, const answer_req_t *req)
{
	put_head(w, DNS_OPTION_ZONEVERSION, ZONEVERSION_LEN);
	bufw_u8(w, (unsigned)zone_version_apex_labels(req->version));
	bufw_u8(w, ZONEVERSION_SOA_SERIAL);
	bufw_u32(w, zone_version_soa(req->version)->serial);
}

/* RFC 8914 2: the code counts, the text is for people and the first to go. */
static void put_why(bufw_t *w, edns_why_t why)
{
	size_t text_len = strlen(whys[why].text), room = w->room - w->pos;

	if (room < OPTION_HEAD + EDE_CODE_LEN)
		return;
	if (room < OPTION_HEAD + EDE_CODE_LEN + text_len)
		text_len = 0;
	put_head(w, DNS_OPTION_EDE, EDE_CODE_LEN + text_len);
	bufw_u16(w, whys[why].code);
	bufw_bytes(w, whys[why].text, text_len);
}

/* --- all -------------------------------------------------------------------------------------- */

/* Behind the fixed part, in what the message may have: their octets. Apart from edns_put(), which
 * most queries leave at once. */
static __attribute__((noinline)) size_t
put_options(uint8_t *at, size_t room, const answer_conf_t *conf, const answer_time_t *now,
            const answer_req_t *req, const edns_outcome_t *outcome)
{
	unsigned may = req->offers;
	bufw_t w = bufw_over(at, room);

	if (may & DNS_WANTS_NSID)
		put_nsid(&w, conf);
	if (may & DNS_WANTS_EXPIRE)
		put_expire(&w, now, req);
	if (may & DNS_WANTS_COOKIE)
		put_cookie(&w, conf, now, req);
	if (may & DNS_WANTS_KEEPALIVE)
		put_keepalive(&w, conf);
	if ((may & DNS_WANTS_ZONEVERSION) && outcome->from_zone)
		put_zoneversion(&w, req);
	if (outcome->why != EDNS_WHY_NONE)
		put_why(&w, outcome->why);
	assert(bufw_ok(&w));
	return w.pos;
}

void edns_put(const answer_conf_t *conf, const answer_time_t *now, const answer_req_t *req,
              const edns_outcome_t *outcome, compose_t *c)
{
	const dns_query_t *q = &req->query;
	uint8_t *opt = c->out + c->pos;
	size_t len = 0;

	if (q->wants || outcome->why != EDNS_WHY_NONE) {
		size_t end = c->limit + EDNS_OPT_LEN + options_room(conf, req->offers);

		len = put_options(opt + EDNS_OPT_LEN, end - c->pos - EDNS_OPT_LEN, conf, now, req,
		                  outcome);
	}
	opt[0] = 0; /* the root */
	put_u16(opt + 1, DNS_TYPE_OPT);
	put_u16(opt + 3, conf->udp_payload);
	opt[5] = (uint8_t)(outcome->rcode >> 4);
	opt[6] = 0; /* our version */
	put_u16(opt + 7, q->dnssec_ok ? DNS_OPT_DO : 0);
	put_u16(opt + 9, (unsigned)len);
	c->pos += EDNS_OPT_LEN + len;
	c->count[COMPOSE_ADDITIONAL]++;
}
