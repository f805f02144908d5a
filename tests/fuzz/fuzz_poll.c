/* tests/fuzz/fuzz_poll.c - any octets as the answer to a SOA question for example. */
#include <stdlib.h>

#include "common/buf.h"
#include "dns/name.h"
#include "xfr/soa_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	xfr_soa_answer_t out;
	dns_name_t apex;

	if (dns_name_from_text("example.", &apex) != ST_OK)
		abort();
	/* The right id, whatever it is: a foreign answer is not read any further. */
	uint16_t id = size >= 2 ? get_u16(data) : 0;
	xfr_soa_finding_t found = xfr_soa_answer_read(data, size, false, id, &apex, &out);

	if ((found == XFR_SOA_RCODE) != (out.rcode != 0))
		abort();
	return 0;
}
