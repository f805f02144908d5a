/* dns/rdata.h - RDATA field by field: the part of dns/rr.h that knows the types.
 *
 * For dns/ alone; others read records through dns/rr.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/status.h"

/* Validate and decompress the RDATA of rdlen octets at the cursor into out.
 *   msg     over the whole message, for pointers; moves past the RDATA.
 * Returns   ST_OK and *out_len; ST_SHORT; ST_MALFORMED; ST_LIMIT: over 65,535 octets. */
status_t dns_rdata_read(buf_t *msg, uint16_t type, size_t rdlen, uint8_t out[65535],
                        size_t *out_len);

/* The same without the short cuts that the former has for types of which zones are full. For tests
 * of these. */
status_t dns_rdata_read_by_fields(buf_t *msg, uint16_t type, size_t rdlen, uint8_t out[65535],
                                  size_t *out_len);
