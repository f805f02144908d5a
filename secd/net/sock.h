/* net/sock.h - listening sockets: made, bound, set up, and the words for why one can't be.
 *
 * All are non-blocking, close-on-exec, IPv6 ones for IPv6 alone, and shared by SO_REUSEPORT
 * with the sockets of the other workers. */
#pragma once

#include "common/addr.h"
#include "common/status.h"

/* Is the address free? SO_REUSEPORT would let two servers of one user share it and each lose
 * half of the queries, so this binds (UDP, without SO_REUSEPORT) and closes again. A port of 0
 * is replaced by one that is free. ST_SYSTEM with errno. */
status_t sock_probe(addr_t *addr);

/* A bound UDP socket. For an any-address it reports with each datagram which address was
 * asked (IP_PKTINFO, IPV6_PKTINFO). ST_SYSTEM with errno; *fd is the caller's on ST_OK. */
status_t sock_udp(const addr_t *addr, int *fd);

/* A listening TCP socket; what it accepts inherits TCP_NODELAY and bounded buffers. */
status_t sock_tcp(const addr_t *addr, int *fd);

/* A socket that somebody else has bound to addr: not blocking, with the options above as far as they can be had now, its
 * buffers no smaller than they are. ST_REFUSED: it is one of :: that takes IPv4 as well; ST_SYSTEM with errno. */
status_t sock_adopt_udp(int fd, const addr_t *addr);
status_t sock_adopt_tcp(int fd, const addr_t *addr);

/* From now on the kernel finds another UDP socket of the address for whatever comes; what has come can still be
 * read, but nothing can be sent. To be called before close() wherever another is to have it: a socket that is being
 * closed is out of its group before it is out of the kernel's table, and who finds it in between gives it a datagram
 * that nobody reads. Where the kernel refuses (before 5.7, without CAP_NET_RAW), all stays as it was. */
void sock_hide(int fd);

/* "listen ADDRESS: reason (what to do)". */
void sock_why(const addr_t *addr, int err, char why[256]);
