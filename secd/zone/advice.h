/* zone/advice.h - what a zone could do better: nothing that keeps it from being served (zone/check.h has
 * that), but what the RFCs advise, and what makes it vulnerable.
 *
 *     zone_ns_list -> zone_ns_look, also in other zones -> zone_advice_apex --+--> a list
 *                                                          zone_advice_glue --+
 *
 * Pure: it sees versions, and what it is told of the world beside. Any thread that may read them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/status.h"
#include "zone/version.h"

typedef enum zone_advice {
	/* What the apex alone is the reason of, and no fault of zone/check.h tells: zone_advice_of(). */
	ZONE_ADVICE_NS_ALIAS,     /* a name server's name is a CNAME (RFC 2181 10.3) */
	ZONE_ADVICE_NS_ADDRESS,   /* ... or has no address (the same) */
	ZONE_ADVICE_ONE_NETWORK,  /* all NS in one /24 and one /48 (RFC 2182 3.1) */
	ZONE_ADVICE_NS_TTL,       /* of the NS at the apex, under a day (RFC 1912 2.2) */
	ZONE_ADVICE_EXPIRE_WEEK,  /* EXPIRE under a week (RFC 1912 2.2) */
	ZONE_ADVICE_EXPIRE_RETRY, /* EXPIRE under REFRESH and RETRY (RFC 1912 2.2) */
	ZONE_ADVICE_OF_APEX,      /* how many these are */

	ZONE_ADVICE_NO_NS = ZONE_ADVICE_OF_APEX, /* RFC 1034 4.2.1 */
	ZONE_ADVICE_ONE_NS,                      /* RFC 1034 4.1, RFC 2182 5 */
	ZONE_ADVICE_NOT_LISTED,   /* no NS is this server (RFC 1996 2.1: it is a stealth one) */
	ZONE_ADVICE_SIGNATURES,   /* the first signature runs out soon, or has (RFC 6781 4.4.2) */
	ZONE_ADVICE_MISSING_GLUE, /* RFC 9471 2 */
	ZONE_ADVICE_NEEDLESS_GLUE, /* addresses below a delegation, of no name server (RFC 1912 2.3) */
	/* Both sides of a cut have the same NS (RFC 1034 4.2.2), but: */
	ZONE_ADVICE_UNDELEGATED,  /* the parent has none */
	ZONE_ADVICE_PARENT_ONLY,  /* it has some that the zone has not */
	ZONE_ADVICE_PARENT_LACKS, /* the zone has some that it has not */
	ZONE_ADVICE_KINDS,
} zone_advice_t;

typedef struct zone_advice_item {
	zone_advice_t kind;
	uint32_t count;             /* names with it; of those that have one */
	int64_t value;              /* seconds, where it is about time; < 0: they have passed */
	uint8_t name[DNS_NAME_MAX]; /* wire form: the first of the names */
	bool has_name;
} zone_advice_item_t;

/* Each kind at most once. Starts with zeros. */
typedef struct zone_advice_list {
	size_t count;
	zone_advice_item_t item[ZONE_ADVICE_KINDS];
} zone_advice_list_t;

/* --- name servers ------------------------------------------------------------------------------ */

enum { ZONE_NS_MOST = 32, ZONE_NS_ADDRESSES = 8 }; /* what is beyond is not looked at */

/* A name server of the apex, and what zones that can be seen say of it. */
typedef struct zone_ns {
	uint8_t name[DNS_NAME_MAX]; /* wire form, folded */
	bool seen;                  /* a zone with authority says so, or glue does: */
	bool alias;                 /* it is a CNAME */
	unsigned addresses;
	addr_prefix_t address[ZONE_NS_ADDRESSES]; /* of full length */
} zone_ns_t;

/* Those of the apex, and what v itself says of them. Returns how many. */
size_t zone_ns_list(const zone_version_t *v, zone_ns_t out[ZONE_NS_MOST]);

/* What v, of the zone that is the closest around its name, says of ns. */
void zone_ns_look(const zone_version_t *v, zone_ns_t *ns);

/* --- advice ------------------------------------------------------------------------------------ */

/* The NS that the zone's parent has for it. */
typedef struct zone_parent {
	size_t count;                             /* 0: it does not delegate the zone */
	uint8_t name[ZONE_NS_MOST][DNS_NAME_MAX]; /* wire form, folded */
} zone_parent_t;

typedef struct zone_advice_order {
	const zone_version_t *v;
	const zone_ns_t *ns; /* of its apex */
	size_t ns_count;
	const addr_prefix_t *own; /* addresses of this server */
	size_t own_count;         /* 0: not known */
	wall_t now;
	uint32_t warn_signatures; /* seconds that the first one must still last; 0: any will do */
	const zone_parent_t *parent; /* NULL: not known */
} zone_advice_order_t;

/* What follows from apex, name servers and parent, whatever the size of the zone. Adds to out. */
void zone_advice_apex(const zone_advice_order_t *order, zone_advice_list_t *out);

/* What takes a look at every delegation, and at every address if there are any. Adds to out, behind the apex's.
 * ST_OK; ST_NOMEM. */
status_t zone_advice_glue(const zone_version_t *v, zone_advice_list_t *out);

/* For a line of the log: a bit (1 << kind) for each below ZONE_ADVICE_OF_APEX that v itself gives reason
 * for. Costs a lookup or two for each name server, whatever the size of the zone. */
uint8_t zone_advice_of(const zone_version_t *v);

/* "ns-ttl"; "RFC 1912 2.2". Never NULL. */
const char *zone_advice_name(zone_advice_t kind);
const char *zone_advice_rfc(zone_advice_t kind);

/* A sentence; returns out. */
enum { ZONE_ADVICE_TEXT_MAX = DNS_NAME_TEXT_MAX + 128 };
const char *zone_advice_text(const zone_advice_item_t *item, char out[ZONE_ADVICE_TEXT_MAX]);
