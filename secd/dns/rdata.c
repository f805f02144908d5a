/* dns/rdata.c - the fields of each type, read off the wire by a bounded cursor.
 *
 * Which fields a type has is said by ldns's descriptors; a short table here overrides those
 * that ldns leaves open or has wrong. A field is copied to the output as it is checked; a
 * name is decompressed on the way. */
#include "dns/rdata.h"

#include <ldns/ldns.h>

#include "dns/name.h"
#include "dns/rr.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

/* The layout of one type: fields in order; repeat: the last one until the end, zero times at
 * least when optional. */
typedef struct layout {
	const ldns_rdf_type *field;
	unsigned count;
	unsigned needed; /* fields that must be there */
	ldns_rdf_type repeat;
} layout_t;

static const ldns_rdf_type fields_name[] = { LDNS_RDF_TYPE_DNAME };
static const ldns_rdf_type fields_nxt[] = { LDNS_RDF_TYPE_DNAME, LDNS_RDF_TYPE_UNKNOWN };

static layout_t layout_of(uint16_t type)
{
	const ldns_rr_descriptor *d = ldns_rr_descript(type);

	if (type == LDNS_RR_TYPE_NSAP_PTR) /* RFC 1348: a name; ldns says a string */
		return (layout_t){ fields_name, 1, 1, LDNS_RDF_TYPE_NONE };
	if (type == LDNS_RR_TYPE_NXT)
		return (layout_t){ fields_nxt, 2, 2, LDNS_RDF_TYPE_NONE };
	/* SINK was never laid down; ldns has one octet of the draft's three fields and more. */
	if (!d || d->_type != type || !d->_name || type == LDNS_RR_TYPE_SINK)
		return (layout_t){ NULL, 0, 0, LDNS_RDF_TYPE_UNKNOWN }; /* opaque (RFC 3597) */
	return (layout_t){ d->_wireformat, d->_maximum, d->_minimum, d->_variable };
}

/* May names in this type's RDATA come compressed? RFC 1035 types, and those that RFC 3597
 * section 4 tells a receiver to accept. */
static bool compressed_in(uint16_t type)
{
	switch (type) {
	case LDNS_RR_TYPE_RP:
	case LDNS_RR_TYPE_AFSDB:
	case LDNS_RR_TYPE_RT:
	case LDNS_RR_TYPE_SIG:
	case LDNS_RR_TYPE_PX:
	case LDNS_RR_TYPE_NXT:
	case LDNS_RR_TYPE_NAPTR:
	case LDNS_RR_TYPE_SRV:
		return true;
	default:
		return dns_type_may_compress(type);
	}
}

static void copy(buf_t *in, bufw_t *out, size_t n)
{
	const uint8_t *p = buf_take(in, n);

	if (p)
		bufw_bytes(out, p, n);
}

static status_t read_name(buf_t *in, bufw_t *out, bool plain)
{
	dns_name_t name;
	status_t st = plain ? dns_name_read_plain(in, &name) : dns_name_read(in, &name);

	if (st == ST_OK)
		bufw_bytes(out, name.wire, name.len);
	return st;
}

/* A length octet and that many octets. */
static status_t read_counted(buf_t *in, bufw_t *out, size_t at_least)
{
	uint8_t n = buf_u8(in);

	if (n < at_least)
		return ST_MALFORMED;
	bufw_u8(out, n);
	copy(in, out, n);
	return ST_OK;
}

/* RFC 4034 4.1.2: windows in ascending order, 1 to 32 octets each, the last one not zero. */
static status_t read_bitmap(buf_t *in, bufw_t *out)
{
	int last = -1;

	while (buf_left(in) > 0) {
		uint8_t window = buf_u8(in), n = buf_u8(in);
		const uint8_t *bits = buf_take(in, n);

		if (!bits || window <= last || n < 1 || n > 32 || bits[n - 1] == 0)
			return ST_MALFORMED;
		last = window;
		bufw_u8(out, window);
		bufw_u8(out, n);
		bufw_bytes(out, bits, n);
	}
	return ST_OK;
}

/* RFC 3123 4: family, prefix, N and length, address; repeated. */
static status_t read_apl_item(buf_t *in, bufw_t *out)
{
	uint16_t family = buf_u16(in);
	uint8_t prefix = buf_u8(in), n = buf_u8(in);
	unsigned len = n & 0x7f;
	unsigned most = family == 1 ? 4 : family == 2 ? 16 : 127;

	if (!buf_ok(in) || len > most || (family <= 2 && prefix > most * 8))
		return ST_MALFORMED;
	bufw_u16(out, family);
	bufw_u8(out, prefix);
	bufw_u8(out, n);
	copy(in, out, len);
	return ST_OK;
}

/* RFC 1876 2: version 0 has 16 octets, sizes are two decimal digits. */
static status_t read_loc(buf_t *in, bufw_t *out)
{
	const uint8_t *p = in->base + in->pos;

	if (buf_left(in) < 1)
		return ST_MALFORMED;
	if (p[0] == 0) {
		if (buf_left(in) != 16)
			return ST_MALFORMED;
		for (int i = 1; i <= 3; i++) {
			if (p[i] >> 4 > 9 || (p[i] & 15) > 9)
				return ST_MALFORMED;
		}
	}
	copy(in, out, buf_left(in));
	return ST_OK;
}

/* RFC 4025 2.1: precedence, gateway type, algorithm, gateway, key. */
static status_t read_ipseckey(buf_t *in, bufw_t *out)
{
	const uint8_t *head = buf_take(in, 3);
	status_t st = ST_OK;

	if (!head)
		return ST_MALFORMED;
	bufw_bytes(out, head, 3);
	switch (head[1]) {
	case 0:
		break;
	case 1:
		copy(in, out, 4);
		break;
	case 2:
		copy(in, out, 16);
		break;
	case 3:
		st = read_name(in, out, true);
		break;
	default:
		return ST_MALFORMED;
	}
	if (st == ST_OK)
		copy(in, out, buf_left(in));
	return st;
}

/* RFC 8005 5: two lengths, HIT, public key, then rendezvous servers until the end. */
static status_t read_hip(buf_t *in, bufw_t *out)
{
	const uint8_t *head = buf_take(in, 4);
	status_t st = ST_OK;

	if (!head || head[0] == 0)
		return ST_MALFORMED;
	bufw_bytes(out, head, 4);
	copy(in, out, (size_t)head[0] + get_u16(head + 2));
	while (st == ST_OK && buf_ok(in) && buf_left(in) > 0)
		st = read_name(in, out, true);
	return st;
}

/* The value of a service parameter whose form RFC 9460 7 and 8 lay down. */
static bool svc_value_sound(uint16_t key, const uint8_t *v, size_t n)
{
	switch (key) {
	case 0: /* mandatory: keys in ascending order, itself not among them */
		if (n == 0 || n % 2)
			return false;
		for (size_t i = 0; i < n; i += 2) {
			if (get_u16(v + i) == 0 || (i > 0 && get_u16(v + i) <= get_u16(v + i - 2)))
				return false;
		}
		return true;
	case 1: /* alpn: one or more counted ids */
		for (size_t i = 0; i < n; i += (size_t)v[i] + 1) {
			if (v[i] == 0 || v[i] > n - i - 1)
				return false;
		}
		return n > 0;
	case 2: /* no-default-alpn */
		return n == 0;
	case 3: /* port */
		return n == 2;
	case 4: /* ipv4hint */
		return n > 0 && n % 4 == 0;
	case 6: /* ipv6hint */
		return n > 0 && n % 16 == 0;
	default:
		return true;
	}
}

/* RFC 9460 2.2: keys in strictly ascending order. */
static status_t read_svc_params(buf_t *in, bufw_t *out)
{
	long last = -1;

	while (buf_left(in) > 0) {
		uint16_t key = buf_u16(in), n = buf_u16(in);
		const uint8_t *v = buf_take(in, n);

		if (!v || key <= last || !svc_value_sound(key, v, n))
			return ST_MALFORMED;
		last = key;
		bufw_u16(out, key);
		bufw_u16(out, n);
		bufw_bytes(out, v, n);
	}
	return ST_OK;
}

/* RFC 8659 4.1: a tag of letters and digits. */
static status_t read_tag(buf_t *in, bufw_t *out)
{
	size_t at = out->pos;
	status_t st = read_counted(in, out, 1);

	if (st != ST_OK || !buf_ok(in) || !bufw_ok(out))
		return st;
	for (size_t i = at + 1; i < out->pos; i++) {
		uint8_t c = dns_fold(out->base[i]);

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')))
			return ST_MALFORMED;
	}
	return ST_OK;
}

/* One field. in ends where the RDATA ends. */
static status_t read_field(buf_t *in, bufw_t *out, uint16_t type, ldns_rdf_type field)
{
	switch ((int)field) {
	case LDNS_RDF_TYPE_DNAME:
		return read_name(in, out, !compressed_in(type));
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_ALG:
	case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
	case LDNS_RDF_TYPE_SELECTOR:
	case LDNS_RDF_TYPE_MATCHING_TYPE:
		copy(in, out, 1);
		return ST_OK;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_TYPE:
	case LDNS_RDF_TYPE_CLASS:
	case LDNS_RDF_TYPE_CERT_ALG:
		copy(in, out, 2);
		return ST_OK;
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_A:
	case LDNS_RDF_TYPE_TIME:
	case LDNS_RDF_TYPE_PERIOD:
		copy(in, out, 4);
		return ST_OK;
	case LDNS_RDF_TYPE_EUI48:
		copy(in, out, 6);
		return ST_OK;
	case LDNS_RDF_TYPE_EUI64:
	case LDNS_RDF_TYPE_ILNP64:
		copy(in, out, 8);
		return ST_OK;
	case LDNS_RDF_TYPE_AAAA:
		copy(in, out, 16);
		return ST_OK;
	case LDNS_RDF_TYPE_STR:
	case LDNS_RDF_TYPE_NSEC3_SALT:
		return read_counted(in, out, 0);
	case LDNS_RDF_TYPE_NSEC3_NEXT_OWNER:
		return read_counted(in, out, 1);
	case LDNS_RDF_TYPE_TAG:
		return read_tag(in, out);
	case LDNS_RDF_TYPE_NSEC:
		return read_bitmap(in, out);
	case LDNS_RDF_TYPE_APL:
		return read_apl_item(in, out);
	case LDNS_RDF_TYPE_LOC:
		return read_loc(in, out);
	case LDNS_RDF_TYPE_IPSECKEY:
		return read_ipseckey(in, out);
	case LDNS_RDF_TYPE_HIP:
		return read_hip(in, out);
	case LDNS_RDF_TYPE_SVCPARAMS:
		return read_svc_params(in, out);
	case LDNS_RDF_TYPE_WKS: /* protocol, then a bitmap of ports: RFC 1035 3.4.2 */
		if (buf_left(in) > 1 + 8192)
			return ST_MALFORMED;
		copy(in, out, 1);
		copy(in, out, buf_left(in));
		return ST_OK;
	default: /* what takes the rest: key material, digests, opaque data */
		copy(in, out, buf_left(in));
		return ST_OK;
	}
}

static status_t read_fields(buf_t *in, bufw_t *out, uint16_t type, const layout_t *l)
{
	status_t st = ST_OK;
	unsigned n = 0;

	for (; st == ST_OK && n < l->count; n++) {
		if (n >= l->needed && buf_left(in) == 0)
			return ST_OK;
		st = read_field(in, out, type, l->field[n]);
		if (!buf_ok(in))
			return ST_MALFORMED; /* the field runs past the RDATA */
	}
	for (; st == ST_OK && l->repeat != LDNS_RDF_TYPE_NONE && buf_left(in) > 0; n++) {
		st = read_field(in, out, type, l->repeat);
		if (!buf_ok(in))
			return ST_MALFORMED;
	}
	return st == ST_OK && n < l->needed ? ST_MALFORMED : st;
}

status_t dns_rdata_read_by_fields(buf_t *msg, uint16_t type, size_t rdlen, uint8_t out[65535],
                                  size_t *out_len)
{
	buf_t in = *msg;
	bufw_t w = bufw_over(out, 65535);
	layout_t layout = layout_of(type);

	if (!buf_take(msg, rdlen))
		return ST_SHORT;
	in.len = msg->pos; /* pointers still reach all that came before */
	status_t st = read_fields(&in, &w, type, &layout);
	if (st == ST_OK && buf_left(&in) > 0)
		st = ST_MALFORMED; /* octets behind the last field */
	if (st == ST_OK && !bufw_ok(&w))
		st = ST_LIMIT;
	if (st == ST_SHORT)
		st = ST_MALFORMED; /* the RDATA ends early, not the message */
	*out_len = w.pos;
	if (st != ST_OK)
		msg->bad = true;
	return st;
}

/* --- short cuts --------------------------------------------------------------------------------- */

/* Fields of so many octets, and a name. */
static bool plain_to_name(const uint8_t *p, size_t n, size_t before)
{
	return n > before && dns_wire_plain(p + before, n - before) == n - before;
}

/* RFC 1035 3.3.13: two names and five numbers. */
static bool plain_soa(const uint8_t *p, size_t n)
{
	enum { NUMBERS = 20 };
	const size_t primary = dns_wire_plain(p, n);
	const size_t mailbox = primary > 0 ? dns_wire_plain(p + primary, n - primary) : 0;

	return mailbox > 0 && n - primary - mailbox == NUMBERS;
}

/* RFC 1035 3.3.14: counted strings, one at least. */
static bool plain_txt(const uint8_t *p, size_t n)
{
	size_t at = 0;

	while (at < n)
		at += (size_t)p[at] + 1;
	return n > 0 && at == n;
}

/* RFC 4034 4.1: one window of types, which is what there is without rare ones. */
static bool plain_types(const uint8_t *p, size_t n)
{
	return n > 2 && p[1] == n - 2 && n - 2 <= 32 && p[n - 1] != 0;
}

static bool plain_nsec(const uint8_t *p, size_t n)
{
	const size_t next = dns_wire_plain(p, n);

	return next > 0 && plain_types(p + next, n - next);
}

/* RFC 5155 3.2: salt and next owner are counted, the latter is not empty. */
static bool plain_nsec3(const uint8_t *p, size_t n)
{
	size_t salt = 4, next, types;

	if (n <= salt || (next = salt + 1 + p[salt]) >= n)
		return false;
	types = next + 1 + p[next];
	if (p[next] == 0 || types > n)
		return false;
	return types == n || plain_types(p + types, n - types);
}

/* Is this RDATA, of a type that most records of a zone have, sound and free of compression, so that
 * it can be taken as it is? If not, the reader of fields says what it is. */
static bool is_plain(uint16_t type, const uint8_t *p, size_t n)
{
	enum { BEFORE_SIGNER = 18 };

	switch (type) {
	case DNS_TYPE_A:
		return n == 4;
	case DNS_TYPE_AAAA:
		return n == 16;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
		return plain_to_name(p, n, 0);
	case DNS_TYPE_MX:
		return plain_to_name(p, n, 2);
	case DNS_TYPE_SRV:
		return plain_to_name(p, n, 6);
	case DNS_TYPE_SOA:
		return plain_soa(p, n);
	case DNS_TYPE_TXT:
		return plain_txt(p, n);
	case DNS_TYPE_DS:
	case DNS_TYPE_DNSKEY:
		return n >= 4;
	case DNS_TYPE_RRSIG:
		return n > BEFORE_SIGNER &&
		       dns_wire_plain(p + BEFORE_SIGNER, n - BEFORE_SIGNER) > 0;
	case DNS_TYPE_NSEC:
		return plain_nsec(p, n);
	case DNS_TYPE_NSEC3:
		return plain_nsec3(p, n);
	default:
		return false;
	}
}

status_t dns_rdata_read(buf_t *msg, uint16_t type, size_t rdlen, uint8_t out[65535],
                        size_t *out_len)
{
	buf_t at = *msg;
	const uint8_t *p = buf_take(&at, rdlen);

	if (p && rdlen <= 65535 && is_plain(type, p, rdlen)) {
		memcpy(out, p, rdlen);
		*out_len = rdlen;
		*msg = at;
		return ST_OK;
	}
	return dns_rdata_read_by_fields(msg, type, rdlen, out, out_len);
}

/* Apart: it needs much of the stack. */
static __attribute__((noinline)) bool sound_by_fields(uint16_t type, const uint8_t *rdata,
                                                      size_t rdlen)
{
	buf_t in = buf_over(rdata, rdlen);
	uint8_t out[65535];
	size_t len;

	/* Where the first pointer stands, what it stands for begins with another octet. */
	return dns_rdata_read_by_fields(&in, type, rdlen, out, &len) == ST_OK && len == rdlen &&
	       memcmp(out, rdata, len) == 0;
}

bool dns_rdata_sound(uint16_t type, const uint8_t *rdata, size_t rdlen)
{
	return rdlen <= 65535 &&
	       (is_plain(type, rdata, rdlen) || sound_by_fields(type, rdata, rdlen));
}

/* Octets that a field takes in sound, uncompressed RDATA with left octets to go. */
static size_t field_len(const uint8_t *p, size_t left, ldns_rdf_type field)
{
	switch ((int)field) {
	case LDNS_RDF_TYPE_DNAME:
		return dns_wire_len(p);
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_ALG:
		return 1;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_TYPE:
		return 2;
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_TIME:
	case LDNS_RDF_TYPE_PERIOD:
		return 4;
	case LDNS_RDF_TYPE_STR:
		return (size_t)*p + 1;
	default: /* no name follows any other field */
		return left;
	}
}

/* HIP and IPSECKEY keep names inside one field of ldns's; no rule of ours needs them there:
 * they are neither compressed nor folded (RFC 4034 6.2). */
void dns_rdata_names(uint16_t type, const uint8_t *rdata, size_t rdlen, dns_rdata_name_cb visit,
                     void *arg)
{
	size_t at = 0;

	if (type == DNS_TYPE_MX) { /* the most common ones, without a look at their fields */
		visit(arg, 2, rdlen - 2);
		return;
	}
	if (type == DNS_TYPE_SOA) {
		at = dns_wire_len(rdata);
		visit(arg, 0, at);
		visit(arg, at, dns_wire_len(rdata + at));
		return;
	}
	const layout_t l = layout_of(type);
	for (unsigned n = 0; n < l.count && at < rdlen; n++) {
		size_t len = field_len(rdata + at, rdlen - at, l.field[n]);

		if (l.field[n] == LDNS_RDF_TYPE_DNAME)
			visit(arg, at, len);
		at += len;
	}
}

static void fold_name(void *arg, size_t off, size_t len)
{
	uint8_t *p = (uint8_t *)arg + off;

	for (size_t i = 0; i < len; i++)
		p[i] = dns_fold(p[i]);
}

void dns_rdata_canonical(uint16_t type, uint8_t *rdata, size_t rdlen)
{
	if (dns_type_folds(type))
		dns_rdata_names(type, rdata, rdlen, fold_name, rdata);
}
