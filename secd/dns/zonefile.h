/* dns/zonefile.h - a zone file (RFC 1035 5, RFC 2308 4, RFC 3597 5), record by record.
 *
 *     dns_zonefile_new -> dns_zonefile_next ... until it does not say ST_OK -> dns_zonefile_free
 *
 * Entries, names and TTLs are taken apart here, and so is what has no limit in ldns; what is left of the
 * RDATA is ldns's to read, and dns/rr.h looks each record over as if it had come off the wire.
 *
 * Stricter than others where a mistake would go unseen: there is no TTL but one that the file states, no
 * origin but one that is given, and no string over the end of a line. $INCLUDE and $GENERATE are
 * refused. One belongs to one thread; it keeps no more than the entry that it reads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/status.h"
#include "dns/name.h"
#include "dns/rr.h"

enum {
	DNS_ZONEFILE_ENTRY_MAX = 1 << 20, /* octets of text of one record */
	DNS_ZONEFILE_WHY_MAX = 256,
};

typedef struct dns_zonefile dns_zonefile_t;

/* in is borrowed, and read from where it stands. origin is copied; NULL: none, until the file says one.
 * NULL: no memory. */
dns_zonefile_t *dns_zonefile_new(FILE *in, const dns_name_t *origin);
void dns_zonefile_free(dns_zonefile_t *z); /* NULL is fine */

/* The next record, of class IN.
 * Returns   ST_OK; ST_NOENT: that was all; ST_MALFORMED: dns_zonefile_why(), and nothing more comes;
 *           ST_SYSTEM: errno; ST_NOMEM. */
status_t dns_zonefile_next(dns_zonefile_t *z, dns_rr_t *rr);

/* The line, from 1, on which the record begins, or the fault is. */
unsigned dns_zonefile_line(const dns_zonefile_t *z);

/* After ST_MALFORMED, in printable ASCII. */
const char *dns_zonefile_why(const dns_zonefile_t *z);
