/* tests/unit/xfr/test_why.c - codes and their words. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <string.h>

#include "common/status.h"
#include "dns/tsig.h"
#include "dns/wire.h"
#include "xfr/why.h"

TestSuite(xfr_why, .timeout = 10);

static const struct {
	xfr_why_t why;
	const char *words;
	xfr_why_kind_t kind;
} said[] = {
	{ { 0 }, "", XFR_WHY_OF_NOBODY },
	{ { .code = XFR_WHY_ERRNO, .a = ECONNREFUSED }, "Connection refused", XFR_WHY_OF_WAY },
	{ { .code = XFR_WHY_ERRNO, .a = 99999 }, "unknown network error", XFR_WHY_OF_WAY },
	{ { .code = XFR_WHY_TOO_LATE, .a = 300 },
	  "transfer not complete after 0.3 s",
	  XFR_WHY_OF_WAY },
	{ { .code = XFR_WHY_TOO_LATE, .a = 3600000 },
	  "transfer not complete after 3600 s",
	  XFR_WHY_OF_WAY },
	{ { .code = XFR_WHY_TOO_SLOW, .a = 7, .b = 100 },
	  "7 octets a second, transfer-min-rate = 100",
	  XFR_WHY_OF_WAY },
	{ { .code = XFR_WHY_RCODE, .a = DNS_RCODE_REFUSED },
	  "answered REFUSED",
	  XFR_WHY_OF_ANSWER },
	{ { .code = XFR_WHY_RCODE, .a = 4000 }, "answered RCODE4000", XFR_WHY_OF_ANSWER },
	{ { .code = XFR_WHY_MALFORMED, .type = DNS_TYPE_A },
	  "malformed: A record",
	  XFR_WHY_OF_DATA },
	{ { .code = XFR_WHY_UNFIT, .type = 65280 },
	  "no zone can hold it: TYPE65280 record",
	  XFR_WHY_OF_DATA },
	{ { .code = XFR_WHY_GAP, .a = 4294967295, .b = 1 },
	  "a difference starts from serial 4294967295, the one before led to 1",
	  XFR_WHY_OF_DELTA },
	{ { .code = XFR_WHY_MAX_SIZE, .a = 16 << 20 }, "over max-size = 16G", XFR_WHY_OF_LIMIT },
	{ { .code = XFR_WHY_MAX_SIZE, .a = 1000 }, "over max-size = 1000K", XFR_WHY_OF_LIMIT },
	{ { .code = XFR_WHY_MAX_SIZE, .a = 0 }, "over max-size = 0K", XFR_WHY_OF_LIMIT },
	{ { .code = XFR_WHY_TSIG, .a = DNS_TSIG_WRONG_TIME, .b = (uint32_t)-4000 },
	  "signed at another time: the primary's clock is 4000 s behind ours",
	  XFR_WHY_OF_KEY },
	{ { .code = 60000 }, "unknown failure", XFR_WHY_OF_NOBODY },
};

Test(xfr_why, says_each_argument_in_its_own_way)
{
	char out[XFR_WHY_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		cr_expect(eq(str, (char *)xfr_why_text(&said[i].why, out), (char *)said[i].words));
		cr_expect(eq(int, xfr_why_kind(&said[i].why), said[i].kind), "%s", said[i].words);
	}
}

Test(xfr_why, has_words_of_its_own_for_every_code)
{
	enum { CODES = XFR_WHY_NO_MEMORY + 1 };
	const uint32_t most = UINT32_MAX;
	char out[CODES][XFR_WHY_TEXT_MAX];

	for (unsigned code = 1; code < CODES; code++) {
		const xfr_why_t why = { (uint16_t)code, 65280, most, most };

		xfr_why_text(&why, out[code]);
		cr_expect(strlen(out[code]) > 3 && strlen(out[code]) < XFR_WHY_TEXT_MAX - 1, "%s",
		          out[code]);
		cr_expect(strpbrk(out[code], "{}\"") == NULL, "%s", out[code]);
		cr_expect(ne(int, xfr_why_kind(&why), XFR_WHY_OF_NOBODY), "%s", out[code]);
		for (unsigned other = 1; other < code; other++)
			cr_expect(strcmp(out[code], out[other]) != 0, "%s", out[code]);
	}
}

Test(xfr_why, counts_sizes_in_whole_kib)
{
	cr_expect(eq(u32, xfr_why_size(0), 0));
	cr_expect(eq(u32, xfr_why_size(1), 1));
	cr_expect(eq(u32, xfr_why_size(1024), 1));
	cr_expect(eq(u32, xfr_why_size(1025), 2));
	cr_expect(eq(u32, xfr_why_size(UINT64_MAX), UINT32_MAX));
}
