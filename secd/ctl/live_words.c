/* ctl/live_words.c - a sentence for each way to fail. */
#include "ctl/live_words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/status.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

bool live_is_good(const live_finding_t *f, live_question_t q)
{
	return f->why.code == XFR_WHY_NONE || (q == LIVE_UDP && f->more_by_tcp);
}

/* --- rcodes ------------------------------------------------------------------------------------ */

static const char *soa_rcode(unsigned rcode)
{
	switch (rcode) {
	case DNS_RCODE_REFUSED:
		return "it does not answer this address, or has no such zone";
	case DNS_RCODE_NOTAUTH:
	case DNS_RCODE_NXDOMAIN:
		return "lame, it has no such zone";
	case DNS_RCODE_SERVFAIL:
		return "its copy of the zone is not loaded, or has expired";
	default:
		return NULL;
	}
}

static const char *transfer_rcode(unsigned rcode, bool has_zone)
{
	switch (rcode) {
	case DNS_RCODE_REFUSED:
		return "its ACL does not let this address transfer";
	case DNS_RCODE_NOTAUTH:
		return has_zone ? "its ACL does not let this address transfer"
		                : "it has no such zone, or its ACL does not let this address "
		                  "transfer";
	case DNS_RCODE_SERVFAIL:
		return "its copy of the zone is not loaded, or has expired";
	case DNS_RCODE_NOTIMP:
		return "it does not do AXFR";
	default:
		return NULL;
	}
}

static void put_rcode(unsigned rcode, live_question_t q, const conf_key_t *key, bool has_zone,
                      char *out)
{
	const char *words = q == LIVE_TRANSFER ? transfer_rcode(rcode, has_zone) : soa_rcode(rcode);
	char text[DNS_RCODE_TEXT_MAX];
	const bool of_key = q == LIVE_TRANSFER && key && words &&
	                    (rcode == DNS_RCODE_REFUSED || rcode == DNS_RCODE_NOTAUTH);

	(void)dns_rcode_text(rcode, text);
	if (!words)
		snprintf(out, LIVE_WORDS_MAX, "answers %s", text);
	else if (of_key)
		snprintf(out, LIVE_WORDS_MAX, "%s: %s with key \"%s\"", text, words, key->name);
	else
		snprintf(out, LIVE_WORDS_MAX, "%s: %s", text, words);
}

/* --- TSIG -------------------------------------------------------------------------------------- */

static void put_clock(int64_t ahead, char *out)
{
	if (ahead == 0)
		snprintf(out, LIVE_WORDS_MAX, "BADTIME: its clock differs from ours");
	else
		snprintf(out, LIVE_WORDS_MAX, "BADTIME: its clock is %" PRId64 " s %s",
		         ahead < 0 ? -ahead : ahead, ahead < 0 ? "behind" : "ahead");
}

static void put_unsigned(unsigned rcode, const char *key, char *out)
{
	char text[DNS_RCODE_TEXT_MAX];

	if (rcode == DNS_RCODE_NOERROR)
		snprintf(out, LIVE_WORDS_MAX,
		         "its answer is not signed with key \"%s\": does it know TSIG?", key);
	else
		snprintf(out, LIVE_WORDS_MAX,
		         "%s, not signed: it does not answer this address, or not with key \"%s\"",
		         dns_rcode_text(rcode, text), key);
}

static void put_tsig(const live_finding_t *f, const conf_key_t *key, char *out)
{
	const int64_t detail = (int32_t)f->why.b;
	const char *name = key ? key->name : "";
	char text[XFR_WHY_TEXT_MAX];

	switch (f->why.a) {
	case DNS_TSIG_PEER_BADKEY:
		snprintf(out, LIVE_WORDS_MAX,
		         "NOTAUTH BADKEY: it does not know key \"%s\", or not as %s", name,
		         key ? key->algorithm : "");
		break;
	case DNS_TSIG_PEER_BADSIG:
		snprintf(out, LIVE_WORDS_MAX,
		         "NOTAUTH BADSIG: it has another secret for key \"%s\"", name);
		break;
	case DNS_TSIG_PEER_BADTIME:
	case DNS_TSIG_WRONG_TIME:
		put_clock(detail, out);
		break;
	case DNS_TSIG_FIRST_UNSIGNED:
		put_unsigned(f->rcode, name, out);
		break;
	case DNS_TSIG_WRONG_MAC:
		snprintf(out, LIVE_WORDS_MAX,
		         "its TSIG is wrong: another secret for key \"%s\", or changed on the way",
		         name);
		break;
	default:
		snprintf(out, LIVE_WORDS_MAX, "TSIG: %s", xfr_why_text(&f->why, text));
		break;
	}
}

static const char *tsig_code(unsigned outcome)
{
	switch (outcome) {
	case DNS_TSIG_PEER_BADKEY:
		return "BADKEY";
	case DNS_TSIG_PEER_BADSIG:
		return "BADSIG";
	case DNS_TSIG_PEER_BADTIME:
	case DNS_TSIG_WRONG_TIME:
		return "BADTIME";
	case DNS_TSIG_PEER_BADTRUNC:
		return "BADTRUNC";
	case DNS_TSIG_FIRST_UNSIGNED:
		return "UNSIGNED";
	default:
		return "TSIG";
	}
}

/* --- the rest ---------------------------------------------------------------------------------- */

static void put_why(const live_finding_t *f, char *out)
{
	char text[XFR_WHY_TEXT_MAX];

	snprintf(out, LIVE_WORDS_MAX, "%s%s%s", xfr_why_text(&f->why, text), f->detail ? ": " : "",
	         f->detail ? f->detail : "");
	if (f->why.code == XFR_WHY_ERRNO)
		out[0] = (char)tolower((unsigned char)out[0]);
}

const char *live_words(const live_finding_t *f, live_question_t q, const conf_key_t *key,
                       bool has_zone, char out[LIVE_WORDS_MAX])
{
	switch (f->why.code) {
	case XFR_WHY_NONE:
		snprintf(out, LIVE_WORDS_MAX, "serial %u", f->serial);
		break;
	case XFR_WHY_NO_CONNECTION:
		snprintf(out, LIVE_WORDS_MAX, "no answer: no connection in time");
		break;
	case XFR_WHY_RCODE:
		put_rcode(f->why.a, q, key, has_zone, out);
		break;
	case XFR_WHY_LAME:
		snprintf(out, LIVE_WORDS_MAX, "lame: not authoritative (AA clear)");
		break;
	case XFR_WHY_NO_SOA:
		snprintf(out, LIVE_WORDS_MAX, "lame: its answer is without the SOA of the zone");
		break;
	case XFR_WHY_TC:
		snprintf(out, LIVE_WORDS_MAX,
		         q == LIVE_UDP ? "truncated: asks for TCP"
		                       : "truncated (TC set), though this is TCP");
		break;
	case XFR_WHY_TSIG:
		put_tsig(f, key, out);
		break;
	default:
		put_why(f, out);
		break;
	}
	return out;
}

const char *live_code(const live_finding_t *f, live_question_t q, char out[LIVE_CODE_MAX])
{
	char rcode[DNS_RCODE_TEXT_MAX];
	const char *name;

	if (live_is_good(f, q))
		return NULL;
	switch (f->why.code) {
	case XFR_WHY_RCODE:
		name = dns_rcode_text(f->why.a, rcode);
		break;
	case XFR_WHY_TSIG:
		name = tsig_code(f->why.a);
		break;
	case XFR_WHY_ERRNO:
		name = strerrorname_np((int)f->why.a);
		break;
	default:
		name = xfr_why_name(f->why.code);
		break;
	}
	snprintf(out, LIVE_CODE_MAX, "%s", name ? name : "ERRNO");
	return out;
}
