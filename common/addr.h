/* common/addr.h - socket addresses, prefixes and lists of who may do something.
 *
 * An IPv4-mapped IPv6 address (::ffff:192.0.2.1) is turned into plain IPv4 wherever one
 * comes in, so that one rule matches a peer whichever socket it arrived at. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/status.h"

typedef struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
} addr_t;

typedef struct addr_prefix {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t bits;   /* of the address that count, 0..32 or 0..128 */
	uint8_t bytes[16];
} addr_prefix_t;

/* Who may do something: who comes from there; where a key is asked for, who has signed with it, from
 * wherever he comes. */
typedef struct addr_rule {
	addr_prefix_t from;
	uint16_t key; /* a number that the list's maker gives to keys; 0: none is asked for */
} addr_rule_t;

/* A list of rules, one of which must be met; borrowed by whoever matches against it. */
typedef struct addr_acl {
	const addr_rule_t *list;
	size_t count;
} addr_acl_t;

/* "192.0.2.1@5300", "::1@53", "fe80::1%eth0", port optional (default_port is taken then).
 * ST_MALFORMED when it is none of these. */
status_t addr_parse(const char *text, uint16_t default_port, addr_t *out);

/* "53", 1 to 65535; else ST_MALFORMED. */
status_t addr_parse_port(const char *text, uint16_t *out);

/* "192.0.2.0/28", "2001:db8::/32" or a bare address (all bits). ST_MALFORMED also when bits
 * beyond the length are set: 192.0.2.1/28 is more likely a slip than a wish. */
status_t addr_prefix_parse(const char *text, addr_prefix_t *out);

/* The address of a as a prefix of full length. */
addr_prefix_t addr_prefix_of(const addr_t *a);

socklen_t addr_len(const addr_t *a);
uint16_t addr_port(const addr_t *a);
bool addr_is_any(const addr_t *a); /* 0.0.0.0 or :: */

/* From what the kernel filled in; mapped addresses become IPv4. */
addr_t addr_from_sockaddr(const struct sockaddr_storage *ss);
void addr_unmap(addr_t *a);

/* Same family and address (the port is not compared; an IPv6 scope is). */
bool addr_same_host(const addr_t *a, const addr_t *b);
bool addr_same(const addr_t *a, const addr_t *b); /* and the same port */
bool addr_prefix_match(const addr_prefix_t *p, const addr_t *a);

/* May a, who has signed with that key (0: with none)? */
bool addr_acl_match(const addr_acl_t *acl, const addr_t *a, unsigned key);
/* Is a on the list at all, though maybe with a key that it has not signed with? */
bool addr_acl_knows(const addr_acl_t *acl, const addr_t *a);

#define ADDR_TEXT_MAX 80
/* "192.0.2.1@53"; returns out. */
const char *addr_text(const addr_t *a, char out[ADDR_TEXT_MAX]);
