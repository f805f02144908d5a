/* dns/rrtype.c - type numbers and rcodes in words; the names of types come from ldns. */
#include "dns/rrtype.h"

#include <ldns/ldns.h>
#include <stdio.h>

#include "dns/wire.h"

const char *dns_type_text(uint16_t type, char out[DNS_TYPE_TEXT_MAX])
{
	const ldns_rr_descriptor *d = ldns_rr_descript(type);

	/* For a type that it doesn't know, ldns hands out a row of another number. */
	if (d && d->_type == type && d->_name)
		snprintf(out, DNS_TYPE_TEXT_MAX, "%s", d->_name);
	else
		snprintf(out, DNS_TYPE_TEXT_MAX, "TYPE%u", type);
	return out;
}

bool dns_type_is_meta(uint16_t type)
{
	return type == 0 || type == DNS_TYPE_OPT || (type >= 128 && type <= 255);
}

bool dns_type_may_compress(uint16_t type)
{
	switch (type) {
	case LDNS_RR_TYPE_NS:
	case LDNS_RR_TYPE_MD:
	case LDNS_RR_TYPE_MF:
	case LDNS_RR_TYPE_CNAME:
	case LDNS_RR_TYPE_SOA:
	case LDNS_RR_TYPE_MB:
	case LDNS_RR_TYPE_MG:
	case LDNS_RR_TYPE_MR:
	case LDNS_RR_TYPE_PTR:
	case LDNS_RR_TYPE_MINFO:
	case LDNS_RR_TYPE_MX:
		return true;
	default:
		return false;
	}
}

bool dns_type_folds(uint16_t type)
{
	switch (type) {
	case LDNS_RR_TYPE_RP:
	case LDNS_RR_TYPE_AFSDB:
	case LDNS_RR_TYPE_RT:
	case LDNS_RR_TYPE_SIG:
	case LDNS_RR_TYPE_PX:
	case LDNS_RR_TYPE_NXT:
	case LDNS_RR_TYPE_NAPTR:
	case LDNS_RR_TYPE_KX:
	case LDNS_RR_TYPE_SRV:
	case LDNS_RR_TYPE_DNAME:
	case LDNS_RR_TYPE_RRSIG:
		return true;
	default:
		return dns_type_may_compress(type);
	}
}

const char *dns_rcode_text(unsigned rcode, char out[DNS_RCODE_TEXT_MAX])
{
	static const char *const words[] = {
		"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
		"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
	};

	if (rcode < sizeof words / sizeof words[0])
		snprintf(out, DNS_RCODE_TEXT_MAX, "%s", words[rcode]);
	else if (rcode == DNS_RCODE_BADVERS)
		snprintf(out, DNS_RCODE_TEXT_MAX, "BADVERS");
	else if (rcode == DNS_RCODE_BADCOOKIE)
		snprintf(out, DNS_RCODE_TEXT_MAX, "BADCOOKIE");
	else
		snprintf(out, DNS_RCODE_TEXT_MAX, "RCODE%u", rcode);
	return out;
}
