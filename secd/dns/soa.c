/* dns/soa.c - the five numbers behind a SOA's two names. */
#include "dns/soa.h"

#include "common/buf.h"
#include "dns/name.h"

status_t dns_soa_read(const uint8_t *rdata, size_t rdlen, dns_soa_t *out)
{
	const size_t primary = dns_wire_plain(rdata, rdlen);
	const size_t mailbox = primary > 0 ? dns_wire_plain(rdata + primary, rdlen - primary) : 0;

	if (mailbox == 0)
		return ST_MALFORMED;
	buf_t b = buf_over(rdata + primary + mailbox, rdlen - primary - mailbox);
	out->serial = buf_u32(&b);
	out->refresh = buf_u32(&b);
	out->retry = buf_u32(&b);
	out->expire = buf_u32(&b);
	out->minimum = buf_u32(&b);
	return buf_ok(&b) && buf_left(&b) == 0 ? ST_OK : ST_MALFORMED;
}
