/* tests/unit/xfr/support/signer.c - MACs in a row. */
#include "tests/unit/xfr/support/signer.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/tsig_rr.h"

enum { ROOM = 65535 };

static void must(status_t st)
{
	if (st != ST_OK)
		abort();
}

dns_tsig_key_t signer_key(const char *secret)
{
	dns_name_t name;
	dns_tsig_key_t key;

	must(dns_name_from_text("key.", &name));
	must(dns_tsig_key_make(&key, &name, "hmac-sha256", (const uint8_t *)secret,
	                       strlen(secret)));
	return key;
}

void signer_start(signer_t *s, const dns_tsig_key_t *key, const uint8_t *query, size_t len)
{
	dns_tsig_rr_t rr;
	size_t at = 0;

	must(dns_tsig_rr_find(query, len, &at));
	must(dns_tsig_rr_read(query, len, at, &rr));
	*s = (signer_t){ .key = key, .id = get_u16(query), .first = true };
	dns_hmac_start(&s->hmac, &key->hmac);
	dns_tsig_rr_digest_mac(&s->hmac, rr.mac, rr.mac_len);
}

size_t signer_next(signer_t *s, uint8_t *msg, size_t len, bool sign, wall_t at)
{
	uint8_t mac[DNS_HMAC_MAX];
	dns_tsig_rr_t rr = {
		.owner = s->key->name,
		.time = (uint64_t)at.s,
		.fudge = DNS_TSIG_FUDGE,
		.original_id = s->id,
		.mac = mac,
		.mac_len = (uint16_t)dns_hmac_len(s->key->hmac.alg),
	};

	dns_name_from_wire(dns_tsig_alg_wire(s->key->hmac.alg), &rr.alg);
	dns_tsig_rr_digest_message(&s->hmac, msg, len, get_u16(msg + 10), s->id);
	if (!sign)
		return len;
	if (s->first)
		dns_tsig_rr_digest_all(&s->hmac, &rr);
	else
		dns_tsig_rr_digest_timers(&s->hmac, &rr);
	s->first = false;
	dns_hmac_finish(&s->hmac, mac);
	dns_hmac_start(&s->hmac, &s->key->hmac);
	dns_tsig_rr_digest_mac(&s->hmac, mac, rr.mac_len);
	must(dns_tsig_rr_put(&rr, msg, &len, ROOM));
	return len;
}
