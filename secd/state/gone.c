/* state/gone.c - entries of the list. */
#include "state/gone.h"

#include <string.h>

size_t state_gone_put(uint8_t *out, const uint8_t *apex, uint32_t since)
{
	const size_t len = dns_wire_len(apex);

	memcpy(out, apex, len);
	put_u32(out + len, since);
	return len + 4;
}

bool state_gone_next(buf_t *list, dns_name_t *apex, uint32_t *since)
{
	if (buf_left(list) == 0 || dns_name_read_plain(list, apex) != ST_OK)
		return false;
	*since = buf_u32(list);
	return buf_ok(list);
}
