/* xfr/why.c - the table of codes, and its words with the arguments put in. */
#include "xfr/why.h"

#include "common/status.h"
#include "dns/rrtype.h"
#include "dns/tsig.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	xfr_why_kind_t kind;
	const char *words, *name;
} rows[] = {
#define ROW(name, of, text) [XFR_WHY_##name] = { XFR_WHY_OF_##of, text, #name },
	XFR_WHY_CODES(ROW)
#undef ROW
};

uint32_t xfr_why_size(uint64_t octets)
{
	uint64_t kib = octets / 1024 + (octets % 1024 != 0);

	return kib < UINT32_MAX ? (uint32_t)kib : UINT32_MAX;
}

xfr_why_t xfr_why_tsig(unsigned outcome, int64_t detail)
{
	/* A clock that is off by more than that is off by enough. */
	const int64_t d = detail < INT32_MIN ? INT32_MIN : detail > INT32_MAX ? INT32_MAX : detail;

	return xfr_why(XFR_WHY_TSIG, outcome, (uint32_t)(int32_t)d);
}

xfr_why_kind_t xfr_why_kind(const xfr_why_t *why)
{
	return why->code < ARRAY_LEN(rows) ? rows[why->code].kind : XFR_WHY_OF_NOBODY;
}

const char *xfr_why_name(xfr_why_code_t code)
{
	return code != XFR_WHY_NONE && code < ARRAY_LEN(rows) ? rows[code].name : "";
}

xfr_why_code_t xfr_why_named(const char *name)
{
	if (*name == '\0') /* as with most primaries */
		return XFR_WHY_NONE;
	for (xfr_why_code_t code = XFR_WHY_NONE + 1; code < ARRAY_LEN(rows); code++) {
		if (rows[code].name[0] == name[0] && strcmp(rows[code].name, name) == 0)
			return code;
	}
	return XFR_WHY_NONE;
}

/* As the settings have it: 4G, 64K; the largest unit that says it exactly. */
static void put_size(uint32_t kib, char *out, size_t room)
{
	static const char units[] = "KMGT";
	size_t unit = 0;

	while (kib != 0 && kib % 1024 == 0 && unit + 2 < sizeof units) {
		kib /= 1024;
		unit++;
	}
	snprintf(out, room, "%u%c", kib, units[unit]);
}

static void put_tsig(const xfr_why_t *why, char *out, size_t room)
{
	const bool known = why->a <= DNS_TSIG_PEER_ERROR;
	char text[DNS_TSIG_TEXT_MAX];

	snprintf(out, room, "%s",
	         dns_tsig_text(known ? why->a : DNS_TSIG_PEER_ERROR, (int32_t)why->b, text));
}

static void put_errno(uint32_t number, char *out, size_t room)
{
	const char *words = strerrordesc_np((int)number);

	snprintf(out, room, "%s", words ? words : "unknown network error");
}

/* What stands for the argument that is named at the beginning of at, without its braces. */
static void put_argument(const xfr_why_t *why, const char *at, char *out, size_t room)
{
	char text[DNS_TYPE_TEXT_MAX > DNS_RCODE_TEXT_MAX ? DNS_TYPE_TEXT_MAX : DNS_RCODE_TEXT_MAX];

	switch (*at) {
	case 'a':
		snprintf(out, room, "%u", why->a);
		break;
	case 'b':
		snprintf(out, room, "%u", why->b);
		break;
	case 't':
		if (at[1] == 's')
			put_tsig(why, out, room);
		else
			snprintf(out, room, "%s", dns_type_text(why->type, text));
		break;
	case 'r':
		snprintf(out, room, "%s", dns_rcode_text(why->a, text));
		break;
	case 'e':
		put_errno(why->a, out, room);
		break;
	default: /* {s}, {size} */
		if (at[1] == '}')
			snprintf(out, room, why->a < 100000 ? "%.3g" : "%.0f", why->a / 1000.);
		else
			put_size(why->a, out, room);
		break;
	}
}

const char *xfr_why_text(const xfr_why_t *why, char out[XFR_WHY_TEXT_MAX])
{
	const char *at = why->code < ARRAY_LEN(rows) ? rows[why->code].words : "unknown failure";
	size_t used = 0;

	while (*at && used < XFR_WHY_TEXT_MAX - 1) {
		if (*at != '{') {
			out[used++] = *at++;
			continue;
		}
		out[used] = '\0';
		put_argument(why, at + 1, out + used, XFR_WHY_TEXT_MAX - used);
		used += strlen(out + used);
		at = strchr(at, '}') + 1;
	}
	out[used] = '\0';
	return out;
}
