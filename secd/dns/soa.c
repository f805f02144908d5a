/* dns/soa.c - the five numbers behind a SOA's two names. */
#include "dns/soa.h"

#include "common/buf.h"
#include "dns/name.h"

status_t dns_soa_read(const uint8_t *rdata, size_t rdlen, dns_soa_t *out)
{
	buf_t b = buf_over(rdata, rdlen);
	dns_name_t name;

	if (dns_name_read_plain(&b, &name) != ST_OK || dns_name_read_plain(&b, &name) != ST_OK)
		return ST_MALFORMED;
	out->serial = buf_u32(&b);
	out->refresh = buf_u32(&b);
	out->retry = buf_u32(&b);
	out->expire = buf_u32(&b);
	out->minimum = buf_u32(&b);
	return buf_ok(&b) && buf_left(&b) == 0 ? ST_OK : ST_MALFORMED;
}
