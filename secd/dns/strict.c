/* dns/strict.c - a word for each field, as far as they go together. */
#include "dns/strict.h"

#include <ldns/ldns.h>
#include <string.h>
#include <strings.h>

/* A number up to most? */
static bool is_number(const char *text, uint64_t most)
{
	uint64_t n = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (unsigned)(*text - '0');
		if (n > most)
			return false;
	}
	return true;
}

/* For names of numbers, which ldns looks up, and refuses where it finds none. */
static bool is_number_or_name(const char *text, uint64_t most)
{
	return (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z') ||
	       is_number(text, most);
}

/* Seconds, or parts like 1h30m. */
static bool is_period(const char *text)
{
	char digits[16];
	uint64_t sum = 0;

	do {
		const size_t n = strspn(text, "0123456789");
		uint64_t part = 0, unit = 1;

		if (n == 0 || n >= sizeof digits)
			return false;
		memcpy(digits, text, n);
		digits[n] = '\0';
		if (!is_number(digits, UINT32_MAX))
			return false;
		for (size_t i = 0; i < n; i++)
			part = part * 10 + (unsigned)(digits[i] - '0');
		text += n;
		switch (*text | 0x20) {
		case 'w':
			unit = 604800;
			break;
		case 'd':
			unit = 86400;
			break;
		case 'h':
			unit = 3600;
			break;
		case 'm':
			unit = 60;
			break;
		case 's':
			break;
		default:
			if (*text != '\0')
				return false;
		}
		sum += part * unit;
		text += *text != '\0';
	} while (*text != '\0');
	return sum <= UINT32_MAX;
}

static bool is_type(const char *text)
{
	if ((text[0] | 0x20) == 't' && strncasecmp(text, "TYPE", 4) == 0 && text[4] >= '0' &&
	    text[4] <= '9')
		return is_number(text + 4, UINT16_MAX) && strspn(text + 4, "0") != strlen(text + 4);
	return ldns_get_rr_type_by_name(text) != 0;
}

/* YYYYMMDDHHMMSS (ldns looks into it), or seconds (RFC 4034 3.2). */
static bool is_time(const char *text)
{
	return is_number(text, strlen(text) == 14 ? UINT64_MAX / 16 : UINT32_MAX);
}

static const char *fault_of_word(ldns_rdf_type field, const char *text, bool quoted)
{
	switch ((unsigned)field) { /* of the others ldns takes nothing else than they say */
	case LDNS_RDF_TYPE_DNAME:
		return quoted ? "a name" : NULL;
	case LDNS_RDF_TYPE_INT8:
		return is_number(text, UINT8_MAX) ? NULL : "a number up to 255";
	case LDNS_RDF_TYPE_INT16:
		return is_number(text, UINT16_MAX) ? NULL : "a number up to 65535";
	case LDNS_RDF_TYPE_INT32:
		return is_number(text, UINT32_MAX) ? NULL : "a number up to 4294967295";
	case LDNS_RDF_TYPE_PERIOD:
		return is_period(text) ? NULL : "a time in seconds";
	case LDNS_RDF_TYPE_TIME:
		return is_time(text) ? NULL : "a time";
	case LDNS_RDF_TYPE_ALG:
	case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
	case LDNS_RDF_TYPE_SELECTOR:
	case LDNS_RDF_TYPE_MATCHING_TYPE:
		return is_number_or_name(text, UINT8_MAX) ? NULL : "a number up to 255";
	case LDNS_RDF_TYPE_CERT_ALG:
		return is_number_or_name(text, UINT16_MAX) ? NULL : "a number up to 65535";
	case LDNS_RDF_TYPE_TYPE:
	case LDNS_RDF_TYPE_NSEC:
		return is_type(text) ? NULL : "a type";
	default:
		return NULL;
	}
}

/* To the end of the record: digits, two for an octet. */
static bool is_hex(const dns_entry_t *e, size_t i)
{
	size_t digits = 0;

	for (; i < e->count; i++)
		digits += e->words[i].len;
	return digits % 2 == 0;
}

const char *dns_strict_fault(const dns_entry_t *e, size_t i, uint16_t type, size_t *bad)
{
	const ldns_rr_descriptor *d = ldns_rr_descript(type);
	const size_t fields = ldns_rr_descriptor_maximum(d);

	for (size_t field = 0; field < fields && i < e->count; i++) {
		const ldns_rdf_type is = ldns_rr_descriptor_field_type(d, field);
		const char *should = fault_of_word(is, dns_entry_word(e, i), e->words[i].quoted);

		*bad = i;
		if (is == LDNS_RDF_TYPE_HEX && !is_hex(e, i))
			should = "two digits for each octet";
		if (should)
			return should;
		/* Types of a bitmap go on to the end; other fields that do have no faults to find. */
		if (is == LDNS_RDF_TYPE_HEX || is == LDNS_RDF_TYPE_LOC || is == LDNS_RDF_TYPE_WKS)
			break;
		if (is != LDNS_RDF_TYPE_NSEC)
			field++;
	}
	return NULL;
}
