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
	const dns_request_t r = {
		.apex = (const uint8_t *)"\2Ex", .type = DNS_TYPE_SOA, .id = 0x1234, .payload = 1232
	};
	size_t len = dns_request(&r, out);

	cr_assert(eq(sz, len, sizeof want));
	cr_expect(memcmp(out, want, len) == 0);
}

Test(dns_request, asks_for_signatures_with_do)
{
	uint8_t out[DNS_REQUEST_MAX];
	const dns_request_t r = { .apex = (const uint8_t *)"\2Ex",
		                  .type = DNS_TYPE_SOA,
		                  .payload = 1232,
		                  .dnssec = true };
	size_t len = dns_request(&r, out);

	cr_expect(eq(u8, out[len - 4], 0x80), "DO, in front of the options' length");
	cr_expect(eq(u8, out[len - 3], 0));
}

Test(dns_request, leaves_opt_out_when_asked_to)
{
	static const uint8_t want[] = {
		0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 252, 0, 1, /* . AXFR IN */
	};
	uint8_t out[DNS_REQUEST_MAX];
	const dns_request_t r = {
		.apex = (const uint8_t *)"", .type = DNS_TYPE_AXFR, .id = 0xffff, .expire = true
	};
	size_t len = dns_request(&r, out);

	cr_assert(eq(sz, len, sizeof want));
	cr_expect(memcmp(out, want, len) == 0);
}

Test(dns_request, tells_ixfr_what_is_held_and_asks_for_expire)
{
	static const uint8_t soa[] = { 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0,
		                       0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4 };
	static const uint8_t want[] = {
		0,    1,   0,  0,    0,    1, 0, 0, 0, 1, 0, 1,              /* counts */
		1,    'x', 0,  0,    251,  0, 1,                             /* x. IXFR IN */
		0xc0, 12,  0,  6,    0,    1, 0, 0, 0, 0, 0, 22,             /* x. SOA IN */
		0,    0,   0,  0,    0,    7, 0, 0, 0, 1, 0, 0,  0, 2, 0, 0, /* . . 7 1 2 */
		0,    3,   0,  0,    0,    4,                                /* 3 4 */
		0,    0,   41, 0x04, 0xd0, 0, 0, 0, 0, 0, 4, 0,  9, 0, 0,    /* OPT, EXPIRE */
	};
	uint8_t out[DNS_REQUEST_MAX];
	const dns_request_t r = { .apex = (const uint8_t *)"\1x",
		                  .type = DNS_TYPE_IXFR,
		                  .id = 1,
		                  .payload = 1232,
		                  .expire = true,
		                  .soa = soa,
		                  .soa_len = sizeof soa };
	size_t len = dns_request(&r, out);

	cr_assert(eq(sz, len, sizeof want));
	cr_expect(memcmp(out, want, len) == 0);
}

Test(dns_request, has_room_for_the_longest_of_all)
{
	char text[256];
	dns_name_t apex;
	uint8_t out[DNS_REQUEST_MAX], soa[2 * 255 + 20] = { 0 };

	memset(text, 'x', sizeof text);
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	cr_assert(eq(int, dns_name_from_text(text, &apex), ST_OK));
	cr_assert(eq(int, apex.len, 255));
	const dns_request_t r = { .apex = apex.wire,
		                  .type = DNS_TYPE_IXFR,
		                  .payload = 1232,
		                  .expire = true,
		                  .soa = soa,
		                  .soa_len = sizeof soa };
	cr_expect(eq(sz, dns_request(&r, out), 12 + 255 + 4 + 12 + sizeof soa + 11 + 4));
	cr_expect(memcmp(out + 12, apex.wire, 255) == 0);
}
