/* dns/cookie.h - server cookies: made and judged (RFC 7873, RFC 9018). Allocates nothing.
 *
 *     client cookie | version | reserved | timestamp | hash
 *           8       |    1    |    3     |     4     |   8      octets of the option
 *
 * The hash is SipHash-2-4 over all that stands before it and the client's address, under a
 * secret. Servers that share their secrets take each other's cookies (RFC 9018 3). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/siphash.h"

enum {
	DNS_COOKIE_CLIENT_LEN = 8,
	DNS_COOKIE_LEN = 24,      /* with the server's, as it is made here */
	DNS_COOKIE_MIN_FULL = 16, /* with a server's of any kind (RFC 7873 4) */
	DNS_COOKIE_MAX = 40,
	DNS_COOKIE_SECRETS_MAX = 8,
};

/* The first one makes cookies, any of them verifies: to change secrets, a new one is put behind
 * the old ones on all servers, then in front, and when an hour has passed the old one goes
 * (RFC 9018 5). No secret: cookies are off. Borrowed. */
typedef struct dns_cookie_secrets {
	const siphash_key_t *list;
	size_t count;
} dns_cookie_secrets_t;

/* The client's address as octets: 4 or 16. */
typedef struct dns_cookie_peer {
	const uint8_t *octets;
	size_t len;
} dns_cookie_peer_t;

typedef enum dns_cookie_verdict {
	DNS_COOKIE_CLIENT, /* no server's cookie in it */
	DNS_COOKIE_BAD,    /* not made by us for this client, or out of date */
	DNS_COOKIE_RENEW,  /* ours, but older than half an hour or of an older secret */
	DNS_COOKIE_GOOD,   /* ours, to be sent back as it is */
} dns_cookie_verdict_t;

/* May an option have this length? (RFC 7873 5.2.2) */
static inline bool dns_cookie_len_ok(size_t len)
{
	return len == DNS_COOKIE_CLIENT_LEN ||
	       (len >= DNS_COOKIE_MIN_FULL && len <= DNS_COOKIE_MAX);
}

/* Judge an option's data, of a length that may be.
 *   now      seconds since 1970, the lower 32 bits: times are compared by RFC 1982.
 * An hour of age is taken, and five minutes of the future, for clocks that differ. */
dns_cookie_verdict_t dns_cookie_check(const dns_cookie_secrets_t *secrets, const uint8_t *cookie,
                                      size_t len, dns_cookie_peer_t peer, uint32_t now);

/* The whole option's data for a client: its own cookie, then a fresh one of the server's, made
 * with the first secret. There must be one. */
void dns_cookie_make(const dns_cookie_secrets_t *secrets,
                     const uint8_t client[DNS_COOKIE_CLIENT_LEN], dns_cookie_peer_t peer,
                     uint32_t now, uint8_t out[DNS_COOKIE_LEN]);
