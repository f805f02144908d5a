/* dns/wire.h - the numbers of DNS (RFC 1035, 6891, 8914, ...), no code. */
#pragma once

enum {
	DNS_HEADER_LEN = 12,
	DNS_ARCOUNT_AT = 10, /* in the header: how many additional records there are */
	DNS_PORT = 53,
	DNS_MSG_MAX = 65535,
	DNS_UDP_MIN = 512,
	DNS_PTR_MAX = 0x3fff, /* the furthest offset that a compression pointer can name */
	DNS_RR_FIXED = 10,    /* type, class, TTL, RDLENGTH */
	DNS_TTL_MAX = 0x7fffffff,
};

/* Header flags, as the 16-bit word at offset 2. */
enum {
	DNS_QR = 0x8000,
	DNS_OPCODE_MASK = 0x7800,
	DNS_OPCODE_SHIFT = 11,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_Z = 0x0040,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010,
	DNS_RCODE_MASK = 0x000f,
};

enum { DNS_OP_QUERY = 0, DNS_OP_NOTIFY = 4, DNS_OP_UPDATE = 5 };

enum {
	DNS_RCODE_NOERROR = 0,
	DNS_RCODE_FORMERR = 1,
	DNS_RCODE_SERVFAIL = 2,
	DNS_RCODE_NXDOMAIN = 3,
	DNS_RCODE_NOTIMP = 4,
	DNS_RCODE_REFUSED = 5,
	DNS_RCODE_YXDOMAIN = 6,
	DNS_RCODE_NOTAUTH = 9,
	DNS_RCODE_BADVERS = 16,
	DNS_RCODE_BADCOOKIE = 23,
};

enum { DNS_CLASS_IN = 1, DNS_CLASS_CH = 3, DNS_CLASS_NONE = 254, DNS_CLASS_ANY = 255 };

/* Types that the code names; all others are opaque numbers here. */
enum {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_NAPTR = 35,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_DS = 43,
	DNS_TYPE_RRSIG = 46,
	DNS_TYPE_NSEC = 47,
	DNS_TYPE_DNSKEY = 48,
	DNS_TYPE_NSEC3 = 50,
	DNS_TYPE_NSEC3PARAM = 51,
	DNS_TYPE_TLSA = 52,
	DNS_TYPE_CDS = 59,
	DNS_TYPE_CDNSKEY = 60,
	DNS_TYPE_ZONEMD = 63,
	DNS_TYPE_SVCB = 64,
	DNS_TYPE_HTTPS = 65,
	DNS_TYPE_TKEY = 249,
	DNS_TYPE_TSIG = 250,
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_MAILB = 253,
	DNS_TYPE_MAILA = 254,
	DNS_TYPE_ANY = 255,
	DNS_TYPE_CAA = 257,
};

enum { DNS_OPT_DO = 0x8000 }; /* in the low half of OPT's TTL field */

/* EDNS options that the code names; all others are passed over (RFC 6891 6.1.2). */
enum {
	DNS_OPTION_NSID = 3,         /* RFC 5001 */
	DNS_OPTION_EXPIRE = 9,       /* RFC 7314 */
	DNS_OPTION_COOKIE = 10,      /* RFC 7873 */
	DNS_OPTION_KEEPALIVE = 11,   /* RFC 7828 */
	DNS_OPTION_EDE = 15,         /* RFC 8914 */
	DNS_OPTION_ZONEVERSION = 19, /* RFC 9660 */
};

/* INFO-CODEs of RFC 8914. */
enum {
	DNS_EDE_NOT_READY = 14,
	DNS_EDE_PROHIBITED = 18,
	DNS_EDE_NOT_AUTHORITATIVE = 20,
	DNS_EDE_INVALID_DATA = 24,
};
