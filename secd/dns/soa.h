/* dns/soa.h - the fields of a SOA that replication runs on, and serial arithmetic. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

typedef struct dns_soa {
	uint32_t serial, refresh, retry, expire, minimum;
} dns_soa_t;

/* From uncompressed SOA RDATA. ST_MALFORMED when it is not one. */
status_t dns_soa_read(const uint8_t *rdata, size_t rdlen, dns_soa_t *out);

/* Circular comparison (RFC 1982 3.2): how does the offered serial stand to ours? */
typedef enum dns_serial_order {
	DNS_SERIAL_EQUAL,
	DNS_SERIAL_NEWER, /* offered - ours in 1..2^31-1 */
	DNS_SERIAL_OLDER,
	DNS_SERIAL_UNDEFINED, /* exactly 2^31 apart */
} dns_serial_order_t;

static inline dns_serial_order_t dns_serial_compare(uint32_t offered, uint32_t ours)
{
	uint32_t ahead = offered - ours;

	if (ahead == 0)
		return DNS_SERIAL_EQUAL;
	if (ahead == UINT32_C(0x80000000))
		return DNS_SERIAL_UNDEFINED;
	return ahead < UINT32_C(0x80000000) ? DNS_SERIAL_NEWER : DNS_SERIAL_OLDER;
}
