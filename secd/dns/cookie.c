/* dns/cookie.c - RFC 9018 section 4. */
#include "dns/cookie.h"

#include <assert.h>
#include <string.h>

#include "common/buf.h"

enum {
	VERSION = 1,
	VERSION_AT = DNS_COOKIE_CLIENT_LEN,
	STAMP_AT = VERSION_AT + 4,
	HASH_AT = STAMP_AT + 4,
	PEER_MAX = 16,
};

/* RFC 9018 4.3, in seconds. */
enum { OLDEST = 3600, YOUNGEST = -300, RENEW_AFTER = 1800 };

/* Of what stands before the hash, as it stands there: what is reserved counts as it came. */
static uint64_t hash(const siphash_key_t *secret, const uint8_t *cookie, dns_cookie_peer_t peer)
{
	uint8_t data[HASH_AT + PEER_MAX];

	assert(peer.len <= PEER_MAX);
	memcpy(data, cookie, HASH_AT);
	memcpy(data + HASH_AT, peer.octets, peer.len);
	return siphash24(secret, data, HASH_AT + peer.len);
}

dns_cookie_verdict_t dns_cookie_check(const dns_cookie_secrets_t *secrets, const uint8_t *cookie,
                                      size_t len, dns_cookie_peer_t peer, uint32_t now)
{
	uint64_t theirs;

	if (len == DNS_COOKIE_CLIENT_LEN)
		return DNS_COOKIE_CLIENT;
	if (len != DNS_COOKIE_LEN || cookie[VERSION_AT] != VERSION)
		return DNS_COOKIE_BAD;

	int32_t age = (int32_t)(now - get_u32(cookie + STAMP_AT));
	if (age > OLDEST || age < YOUNGEST)
		return DNS_COOKIE_BAD;

	/* The eight octets are the hash in little-endian order, as is this machine. */
	memcpy(&theirs, cookie + HASH_AT, sizeof theirs);
	for (size_t i = 0; i < secrets->count; i++) {
		if (hash(&secrets->list[i], cookie, peer) == theirs)
			return i > 0 || age > RENEW_AFTER ? DNS_COOKIE_RENEW : DNS_COOKIE_GOOD;
	}
	return DNS_COOKIE_BAD;
}

void dns_cookie_make(const dns_cookie_secrets_t *secrets,
                     const uint8_t client[DNS_COOKIE_CLIENT_LEN], dns_cookie_peer_t peer,
                     uint32_t now, uint8_t out[DNS_COOKIE_LEN])
{
	assert(secrets->count > 0);
	memcpy(out, client, DNS_COOKIE_CLIENT_LEN);
	put_u32(out + VERSION_AT, (uint32_t)VERSION << 24);
	put_u32(out + STAMP_AT, now);

	uint64_t h = hash(&secrets->list[0], out, peer);
	memcpy(out + HASH_AT, &h, sizeof h);
}
