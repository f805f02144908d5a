/* dns/request.h - what we ask primaries: SOA, AXFR queries, built with ldns. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

/* Header, question and OPT: bounded by 12 + 255 + 4 + 11, with room to spare. */
#define DNS_REQUEST_MAX 512

/* A query of opcode QUERY, RD clear, EDNS with DO clear.
 *   apex       uncompressed wire name.
 *   type       SOA or AXFR.
 *   payload    the UDP size that we take in answer; 0: no OPT, for a primary that doesn't know
 *              EDNS (RFC 6891 7) and for streams, where a size says nothing.
 * Returns      ST_OK with out[0..*len); ST_NOMEM. */
status_t dns_request(const uint8_t *apex, uint16_t type, uint16_t id, uint16_t payload,
                     uint8_t out[DNS_REQUEST_MAX], size_t *len);
