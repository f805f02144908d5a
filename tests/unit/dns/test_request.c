/* tests/unit/dns/test_request.c - the octets of the questions that we ask. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "dns/name.h"
#include "dns/request.h"
#include "dns/wire.h"

TestSuite(dns_request, .timeout = 10);

Test(dns_request, asks_for_a_soa_with_opt)
{
	static const uint8_t want[] = {
		0x12, 0x34, 0,   0,    0,    1, 0, 0, 0, 0, 0, 1, /* id, no flags, counts */
		2,    'E',  'x', 0,    0,    6, 0, 1,             /* Ex. SOA IN */
		0,    0,    41,  0x04, 0xd0, 0, 0, 0, 0, 0, 0,    /* OPT, 1232, DO clear */
	};
	uint8_t out[DNS_REQUEST_MAX];
	size_t len = 0;

	cr_assert(eq(int,
	             dns_request((const uint8_t *)"\2Ex", DNS_TYPE_SOA, 0x1234, 1232, out, &len),
	             ST_OK));
	cr_assert(eq(sz, len, sizeof want));
	cr_expect(memcmp(out, want, len) == 0);
}

Test(dns_request, leaves_opt_out_when_asked_to)
{
	static const uint8_t want[] = {
		0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 252, 0, 1, /* . AXFR IN */
	};
	uint8_t out[DNS_REQUEST_MAX];
	size_t len = 0;

	cr_assert(eq(int, dns_request((const uint8_t *)"", DNS_TYPE_AXFR, 0xffff, 0, out, &len),
	             ST_OK));
	cr_assert(eq(sz, len, sizeof want));
	cr_expect(memcmp(out, want, len) == 0);
}

Test(dns_request, has_room_for_the_longest_name)
{
	char text[256];
	dns_name_t apex;
	uint8_t out[DNS_REQUEST_MAX];
	size_t len = 0;

	memset(text, 'x', sizeof text);
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	cr_assert(eq(int, dns_name_from_text(text, &apex), ST_OK));
	cr_assert(eq(int, apex.len, 255));
	cr_assert(eq(int, dns_request(apex.wire, DNS_TYPE_SOA, 1, 1232, out, &len), ST_OK));
	cr_expect(eq(sz, len, 12 + 255 + 4 + 11));
	cr_expect(memcmp(out + 12, apex.wire, 255) == 0);
}
