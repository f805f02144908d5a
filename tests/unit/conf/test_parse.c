/* tests/unit/conf/test_parse.c - secd.ini: what it means, and every way to get it wrong.
 *
 * Each row of the tables is a few small files and the exact lines that secd -t prints. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/build.h"
#include "dns/name.h"
#include "files.h"

TestSuite(conf_parse, .timeout = 30);

/* For texts that hold a NUL. */
/* clang-format off */
#define INI_LEN(text) { { "secd.ini", text, sizeof(text) - 1 } }
/* clang-format on */
#define TEN   "0123456789"
#define FORTY TEN TEN TEN TEN

static const row_t lines[] = {
	{ "nothing at all", INI("\n"), "" },
	{ "a byte order mark, CR LF, no line end at the end",
	  INI("\xef\xbb\xbf[log]\r\nlevel = warn\r\n\r\ntarget=syslog"), "" },
	{ "comments of every kind", INI("; a\n# b\n  ; c\n[log] ; d\nlevel = warn ; e\n"), "" },
	{ "a '#' is no comment behind a value", INI("[log]\nlevel = warn # e\n"),
	  "secd.ini:2: level is 'warn # e'; write error, warn, notice, info or debug\n" },
	{ "indented keys are keys", INI("[log]\n  level = warn\n  target = syslog\n"), "" },
	{ "199 characters",
	  INI("[server]\nversion = " FORTY FORTY FORTY FORTY TEN TEN "012345678\n"), "" },
	{ "200 characters, and the line behind is read",
	  INI("[server]\nversion = " FORTY FORTY FORTY FORTY TEN TEN "0123456789\nworkers=x\n"),
	  "secd.ini:2: the line has 200 characters; write at most 199: repeat the key, shorten the "
	  "comment, or use a zone-list\n"
	  "secd.ini:3: workers is 'x', which is no number; write one from 0 to 256\n" },
	{ "a comment may be longer, blanks at the end don't count",
	  INI("; " FORTY FORTY FORTY FORTY FORTY FORTY "\n[log]\nlevel = warn"
	      "                    "
	      "                                                                                    "
	      "                                                                                    "
	      "                                                                            \n"),
	  "" },
	{ "200 characters of an indented line that goes on",
	  INI("[primary p]\naddress = 192.0.2.1\n " FORTY FORTY FORTY FORTY TEN TEN TEN
	      "012345678\n"),
	  "secd.ini:3: the line has 199 characters; write at most 198: repeat the key, shorten the "
	  "comment, or use a zone-list\n" },
	{ "a title of 48 characters", INI("[primary " FORTY "]\naddress=::1\n"), "" },
	{ "a title of 49 characters, and its keys are passed over",
	  INI("[primary " FORTY "1]\naddress=x\n[log]\nlevel=x\n"),
	  "secd.ini:1: the section's title has 49 characters; write at most 48\n"
	  "secd.ini:4: level is 'x'; write error, warn, notice, info or debug\n" },
	{ "a NUL in a value", INI_LEN("[server]\nversion = a\0b\nidentity = c\n"),
	  "secd.ini:2: the line has a control character or a NUL (0x00, character 12); write plain "
	  "text\n" },
	{ "a NUL in a title", INI_LEN("[ser\0ver]\nworkers = x\n"),
	  "secd.ini:1: the line has a control character or a NUL (0x00, character 5); write plain "
	  "text\n" },
	{ "a CR within a line", INI("[server]\rworkers = 1\n"),
	  "secd.ini:1: the line has a control character or a NUL (0x0d, character 9); write plain "
	  "text\n" },
	{ "no '='", INI("[server]\nworkers\n"),
	  "secd.ini:2: the line has no '='; write key = value\n" },
	{ "'=' in a comment only", INI("[server]\nworkers ; = 2\n"),
	  "secd.ini:2: the line has no '='; write key = value\n" },
	{ "':' for '='", INI("[server]\nworkers: 2\nlisten: ::1 = x\n"),
	  "secd.ini:2: the line has no '='; write key = value\n"
	  "secd.ini:3: a ':' stands before the '='; write key = value, and the ':' of a zone's "
	  "name "
	  "as \\058\n" },
	{ "no key", INI("[server]\n= 2\n"),
	  "secd.ini:2: nothing stands before the '='; write key = value\n" },
	{ "no section", INI("workers = 2\n[server]\n"),
	  "secd.ini:1: the line stands before any section; write [section] above it\n" },
	{ "a title that does not end", INI("[server\nworkers = x\n[log ;]\nlevel=x\n"),
	  "secd.ini:1: the section has no ']'; write [section]\n"
	  "secd.ini:3: the section has no ']'; write [section]\n" },
	{ "something behind a title", INI("[server] workers = 2\n"),
	  "secd.ini:1: something stands behind the section's ']'; write keys into the lines below "
	  "it\n" },
};

Test(conf_parse, reads_lines_whole_or_says_why_not)
{
	files_expect(lines, ARRAY_LEN(lines));
}

static const row_t goes_on[] = {
	{ "lists go on in indented lines, also IPv6",
	  INI("[server]\nlisten = 127.0.0.1@5300,\n\t::1@5300 ; both\n  2001:db8::1\n" P
	      "  192.0.2.2@54\n"),
	  "" },
	{ "each with its own line in faults", INI("[server]\nlisten = ::1,\n  ::1,\n\n  x\n"),
	  "secd.ini:3: listen ::1 stands twice; remove one\n"
	  "secd.ini:5: listen 'x' is no address; write one like 192.0.2.1@53 or 2001:db8::1@53\n" },
	{ "a number does not", INI("[server]\nworkers = 1\n  2\n"),
	  "secd.ini:3: the line goes on with a key that takes one line; write key = value, or all "
	  "of "
	  "it on one line\n" },
	{ "nor do a zone's primaries", INI(P "[zones]\nx.example = p,\n  p\n"),
	  "secd.ini:5: the line goes on with a key that takes one line; write key = value, or all "
	  "of "
	  "it on one line\n" },
	{ "nothing goes on with a section", INI("[server]\n  ::1\n"),
	  "secd.ini:2: the line has no '='; write key = value\n" },
	{ "what goes on with a fault is part of it",
	  INI("[server]\nlissten = ::1,\n  ::1\n  ::2\nworkers=1\n"),
	  "secd.ini:2: unknown key 'lissten' in [server]; it takes listen, workers, user, "
	  "state-dir, "
	  "durability, old-versions, "
	  "max-removed, keep-removed, control, metrics-listen, metrics-zones, version, identity, "
	  "nsid, cookies, "
	  "cookie-secret, rotate, udp-payload, "
	  "tcp-clients, tcp-per-client, tcp-idle, builders, transfers, polls, transfer-idle, "
	  "transfer-time, transfer-min-rate, transfer-memory and connect-time\n" },
};

Test(conf_parse, takes_a_list_over_several_lines_and_nothing_else)
{
	files_expect(goes_on, ARRAY_LEN(goes_on));
}

static const row_t sections[] = {
	{ "unknown", INI("[servers]\nx = y\n"),
	  "secd.ini:1: unknown section [servers]; the sections are server, log, primary NAME, "
	  "group "
	  "NAME, key NAME, zones and include\n" },
	{ "empty", INI("[]\n"),
	  "secd.ini:1: unknown section []; the sections are server, log, primary NAME, group NAME, "
	  "key "
	  "NAME, zones and include\n" },
	{ "without a name", INI("[primary]\nx = y\n"),
	  "secd.ini:1: section [primary] has no name, or one of other characters; write [primary "
	  "NAME] with a name of letters, digits, '.', '-' and '_'\n" },
	{ "with two words", INI("[group a b]\n"),
	  "secd.ini:1: section [group] has no name, or one of other characters; write [group NAME] "
	  "with a name of letters, digits, '.', '-' and '_'\n" },
	{ "with a name too many", INI("[server x]\n"),
	  "secd.ini:1: section [server] takes no name; write [server]\n" },
	{ "blanks in titles", INI("[ primary   p ]\naddress = ::1\n[ zones ]\nx = p\n"), "" },
	{ "a primary and a group of one name", INI(P "[group p]\nprimaries = p\n"),
	  "secd.ini:3: a primary is named p already at secd.ini:1; give this group another "
	  "name\n" },
	{ "a group and a primary of one name", INI("[group g]\nprimaries = p\n[primary g]\n" P),
	  "secd.ini:3: a group is named g already at secd.ini:1; give this primary another "
	  "name\n" },
	{ "a primary without an address", INI("[primary p]\nnotify-from = ::1\n"),
	  "secd.ini:1: [primary p] has no address; write one\n" },
	{ "a group without primaries", INI("[group g]\nmin-retry = 5\n"),
	  "secd.ini:1: [group g] has no primaries; write one\n" },
	{ "unknown keys",
	  INI("[log]\nfile = x\n" P
	      "adress = ::1\n[include]\nfile = x\n[group g]\nprimaries=p\nprimary=p\n"),
	  "secd.ini:2: unknown key 'file' in [log]; it takes target, facility and level\n"
	  "secd.ini:5: unknown key 'adress' in [primary]; it takes address, notify-from, source, "
	  "key, max-queries, max-transfers, max-connections, max-rate and tsig-strict\n"
	  "secd.ini:7: unknown key 'file' in [include]; it takes path and zone-list\n"
	  "secd.ini:10: unknown key 'primary' in [group]; it takes primaries, min-refresh, "
	  "max-refresh, min-retry, max-retry, min-expire, max-expire, max-records, max-size, "
	  "max-rrset, max-rrsets, no-ns, single-ns, cname-beside, below-dname, missing-glue, "
	  "zonemd, max-shrink, warn-signatures, refuse-signatures, max-iterations, "
	  "stale-grace and signature-check\n" },
	{ "a key twice, in sections of one title",
	  INI("[server]\nworkers = 1\n[log]\n[server]\nworkers = 1\n"),
	  "secd.ini:5: workers stands here and at secd.ini:2; remove one\n" },
	{ "a key twice, in two files",
	  { { "secd.ini", "[log]\nlevel = info\n[include]\npath = b.ini\n", 0 },
	    { "b.ini", "[log]\ntarget = syslog\nlevel = info\n", 0 } },
	  "b.ini:3: level stands here and at secd.ini:2; remove one\n" },
	{ "options of two groups are two",
	  INI(P "[group a]\nprimaries=p\nmin-retry=5\n[group b]\nprimaries=p\nmin-retry=6\n"), "" },
};

Test(conf_parse, knows_sections_and_their_keys)
{
	files_expect(sections, ARRAY_LEN(sections));
}

static const row_t values[] = {
	{ "no value", INI("[server]\nworkers =\nlisten = ; none\nversion =\n[include]\npath =\n"),
	  "secd.ini:2: workers has no value; write one or remove the line\n"
	  "secd.ini:3: listen has no value; write one or remove the line\n"
	  "secd.ini:6: path has no value; write one or remove the line\n" },
	{ "numbers",
	  INI("[server]\nworkers = -1\nudp-payload = 511\ntcp-clients = 100001\npolls = "
	      "99999999999999999999999\ntransfers = 0x10\nbuilders = 2k\n"),
	  "secd.ini:2: workers is '-1', which is no number; write one from 0 to 256\n"
	  "secd.ini:3: udp-payload is '511', out of range; write a number from 512 to 4096\n"
	  "secd.ini:4: tcp-clients is '100001', out of range; write a number from 1 to 100000\n"
	  "secd.ini:5: polls is '99999999999999999999999', out of range; write a number from 1 to "
	  "10000\n"
	  "secd.ini:6: transfers is '0x10', which is no number; write one from 1 to 1000\n"
	  "secd.ini:7: builders is '2k', which is no number; write one from 1 to 64\n" },
	{ "the ends of their ranges",
	  INI("[server]\nworkers = 256\nudp-payload = 512\ntcp-clients = 100000\npolls = 10000\n"),
	  "" },
	{ "times",
	  INI("[server]\ntcp-idle = 2h\ntransfer-idle = 1y\nconnect-time = 2m\ntransfer-time = "
	      "18446744073709551615w\n"),
	  "secd.ini:2: tcp-idle is '2h', out of range; write a time from 1 to 3600 seconds; s, m, "
	  "h, "
	  "d or w may stand behind the number\n"
	  "secd.ini:3: transfer-idle is '1y', which is no time; write one from 1 to 3600 seconds; "
	  "s, "
	  "m, h, d or w may stand behind the number\n"
	  "secd.ini:5: transfer-time is '18446744073709551615w', out of range; write a time from "
	  "10 "
	  "to 86400 seconds; s, m, h, d or w may stand behind the number\n" },
	{ "sizes", INI(P "[group g]\nprimaries = p\nmax-size = 1T\n"),
	  "secd.ini:5: max-size is '1T', which is no size; write one from 1 to 1099511627776 "
	  "octets; "
	  "k, M or G may stand behind the number\n" },
	{ "gates",
	  INI(P "[group g]\nprimaries = p\nno-ns = on\nzonemd = warn\nmax-shrink = 100%\n"
	        "warn-signatures = never\nrefuse-signatures = 0\nmax-iterations = off\n"),
	  "secd.ini:5: no-ns is 'on'; write off, warn or refuse\n"
	  "secd.ini:6: zonemd is 'warn'; write off, if-present or required\n"
	  "secd.ini:7: max-shrink is '100%', out of range; write a share from 1 to 99 percent, or "
	  "off\n"
	  "secd.ini:8: warn-signatures is 'never', which is no time; write one from 1 to "
	  "315360000 seconds; s, m, h, d or w may stand behind the number, or off\n"
	  "secd.ini:9: refuse-signatures is '0', out of range; write a time from 1 to 315360000 "
	  "seconds; s, m, h, d or w may stand behind the number, or off\n"
	  "secd.ini:10: max-iterations is 'off', which is no number; write one from 0 to 2500\n" },
	{ "gates that are sound",
	  INI(P "[group g]\nprimaries = p\nno-ns = refuse\nsingle-ns = off\nzonemd = required\n"
	        "max-shrink = 50%\nwarn-signatures = off\nrefuse-signatures = 1d\n"),
	  "" },
	{ "users", INI("[server]\nuser = a b\n"),
	  "secd.ini:2: user is 'a b'; write NAME or NAME:GROUP\n" },
	{ "a user without a name", INI("[server]\nuser = :g\n"),
	  "secd.ini:2: user is ':g'; write NAME or NAME:GROUP\n" },
	{ "a user without a group", INI("[server]\nuser = a:\n"),
	  "secd.ini:2: user is 'a:'; write NAME or NAME:GROUP\n" },
	{ "a user with two groups", INI("[server]\nuser = a:b:c\n"),
	  "secd.ini:2: user is 'a:b:c'; write NAME or NAME:GROUP\n" },
	{ "a user and a group that nobody has to know", INI("[server]\nuser = a:b\n"), "" },
	{ "log words", INI("[log]\ntarget = file\nlevel = WARN\n"),
	  "secd.ini:2: target is 'file'; write syslog, journal or stderr\n"
	  "secd.ini:3: level is 'WARN'; write error, warn, notice, info or debug\n" },
	{ "addresses",
	  INI("[server]\nlisten = 192.0.2.256 ::1@0, ::1@65536, host.example\n[primary p]\naddress "
	      "= 0.0.0.0, 192.0.2.1:53\n"),
	  "secd.ini:2: listen '192.0.2.256' is no address; write one like 192.0.2.1@53 or "
	  "2001:db8::1@53\n"
	  "secd.ini:2: listen '::1@0' is no address; write one like 192.0.2.1@53 or "
	  "2001:db8::1@53\n"
	  "secd.ini:2: listen '::1@65536' is no address; write one like 192.0.2.1@53 or "
	  "2001:db8::1@53\n"
	  "secd.ini:2: listen 'host.example' is no address; write one like 192.0.2.1@53 or "
	  "2001:db8::1@53\n"
	  "secd.ini:4: address '0.0.0.0' is no host; write the address of the primary\n"
	  "secd.ini:4: address '192.0.2.1:53' is no address; write one like 192.0.2.1@53 or "
	  "2001:db8::1@53\n" },
	{ "an address twice, once with the default port", INI(P "address = 192.0.2.1@53\n"),
	  "secd.ini:3: address 192.0.2.1@53 stands twice; remove one\n" },
	{ "networks", INI(P "notify-from = 192.0.2.1/28, 192.0.2.0/33, x\n"),
	  "secd.ini:3: notify-from '192.0.2.0/33' is no network; write one like 192.0.2.0/28 or "
	  "2001:db8::/32, with no bits set behind the prefix\n"
	  "secd.ini:3: notify-from '192.0.2.1/28' is no network; write one like 192.0.2.0/28 or "
	  "2001:db8::/32, with no bits set behind the prefix\n"
	  "secd.ini:3: notify-from 'x' is no network; write one like 192.0.2.0/28 or "
	  "2001:db8::/32, "
	  "with no bits set behind the prefix\n" },
	{ "sources", INI(P "source = 192.0.2.53@5, ::1, 192.0.2.53\nsource = ::2\n"),
	  "secd.ini:3: source '192.0.2.53@5' is no local address; write one like 192.0.2.53 or "
	  "2001:db8::53, without a port\n"
	  "secd.ini:4: source ::2 is the second IPv6 address; write one of each family\n" },
	{ "bounds that cross",
	  INI(P "[group g]\nprimaries=p\nmin-refresh = 5w\nmax-retry = 9\nmin-retry = "
	        "10\nmin-expire=2d\nmax-expire=1d\n"),
	  "secd.ini:5: [group g] has min-refresh of 3024000 s above max-refresh of 2419200 s; "
	  "raise "
	  "the one or lower the other\n"
	  "secd.ini:6: [group g] has min-retry of 10 s above max-retry of 9 s; raise the one or "
	  "lower "
	  "the other\n"
	  "secd.ini:9: [group g] has min-expire of 172800 s above max-expire of 86400 s; raise the "
	  "one "
	  "or lower the other\n" },
};

Test(conf_parse, checks_every_value)
{
	files_expect(values, ARRAY_LEN(values));
}

#define SECRET "c2VjcmV0c2VjcmV0c2VjcmV0"
#define HEX    "5ec4e75ec4e75ec4e75ec4e75ec4e75e" /* 128 bits */

Test(conf_parse, repeats_no_secret_wherever_a_slip_puts_it)
{
	static const char *const slips[] = {
		"[key t]\nsecret = " SECRET "x\n",
		"[key t]\nsecret " SECRET "==\n",
		"[key t]\nsecret: " SECRET "==\n",
		"[key t]\n" SECRET "==\n",
		"[key t]\n" SECRET "\n",
		"[key t]\nsecret = AAAA\n  " SECRET "\n",
		"[key t]\nsecret = AAAA\n  " SECRET "==\n",
		"[key t]\nsecret = AAAA\nsecret = " SECRET "\n",
		"[key t]\nalgorithm = " SECRET "\n",
		"[key t]\nalgorithm = hmac-sha256 " SECRET "\n",
		"[key t " SECRET "]\n",
		"[key t]\nsecret-file = " SECRET "\n",
		"[key t]\nsecret-file = /" SECRET "==\n",
		"[key t]\nsecret-file: " SECRET "==\n",
		"[key t]\nsecret = AAAA\nsecret-file = " SECRET "\n",
		"[primary p]\naddress = ::1\nkey = " SECRET "\n",
		"[primary p]\naddress = ::1\nsecret = " SECRET "\n",
		"[key t]\nsecret = \001" SECRET "\n",
		"[kei t]\nsecret = " SECRET "\n",
		"[server]\ncookie-secret = " HEX "x\n",
		"[server]\ncookie-secret = " HEX "," HEX "\n",
		"[server]\ncookie-secret = " HEX "00\n",
		"[server]\ncookie-secret " HEX "\n",
		"[server]\ncookie-secret: " HEX "\n",
		"[server]\n" HEX "\n",
		"[server]\ncookies = " HEX "\n",
		"[server]\ncookies = on\n  " HEX "\n",
		"[server]\ncookie-secrets = " HEX "\n",
		"[server]\ncookie-secret = " HEX "\n" HEX "\n",
		"[server]\nnsid = 0x" HEX "5\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		char *faults;

		files_enter();
		files_write("secd.ini", slips[i], 0);
		faults = files_faults("secd.ini", NULL);
		cr_expect(strlen(faults) > 0, "%s", slips[i]);
		cr_expect(strstr(faults, "c2Vj") == NULL, "%s", faults);
		cr_expect(strstr(faults, "5ec4e7") == NULL, "%s", faults);
		free(faults);
		files_leave();
	}
}

#define HEX_31        "0123456789abcdef0123456789abcde"
#define ONE_OF(digit) digit HEX_31
#define ZEROS         "00000000000000000000000000000000"

static const row_t
	edns[] = {
		{ "the longest NSID", INI("[server]\nnsid = " FORTY FORTY FORTY "12345678\n"), "" },
		{ "an NSID too long", INI("[server]\nnsid = " FORTY FORTY FORTY "123456789\n"),
	          "secd.ini:2: nsid is too long; write at most 128 octets\n" },
		{ "an NSID in hex", INI("[server]\nnsid = 0x00ffAb\n"), "" },
		{ "an odd digit", INI("[server]\nnsid = 0x00f\n"),
	          "secd.ini:2: nsid begins with 0x, but pairs of hex digits don't follow; "
	          "write them, or a "
	          "text\n" },
		{ "0x and nothing", INI("[server]\nnsid = 0x\n"),
	          "secd.ini:2: nsid begins with 0x, but pairs of hex digits don't follow; "
	          "write them, or a "
	          "text\n" },
		{ "an NSID of nothing is none", INI("[server]\nnsid =\n"), "" },
		{ "cookies on and off", INI("[server]\ncookies = off\ncookies = on\n"),
	          "secd.ini:3: cookies stands here and at secd.ini:2; remove one\n" },
		{ "a switch knows two words", INI("[server]\ncookies = yes\n"),
	          "secd.ini:2: cookies is neither on nor off; write one of the two\n" },
		{ "secrets add up",
	          INI("[server]\ncookie-secret = " HEX ", " ZEROS "\ncookie-secret = 0" HEX_31
	              "\n"),
	          "" },
		{ "secrets stand once, whatever the case of their digits",
	          INI("[server]\ncookie-secret = " HEX ",\n  5EC4E75ec4e75ec4e75ec4e75ec4e75e\n"),
	          "secd.ini:3: a cookie-secret stands twice; remove one\n" },
		{ "a secret has 128 bits", INI("[server]\ncookie-secret = " HEX_31 "\n"),
	          "secd.ini:2: a cookie-secret is not of 128 bits; write 32 hex digits, "
	          "and a comma between "
	          "two\n" },
		{ "eight secrets and no more",
	          INI(
			  "[server]\ncookie-secret = " ONE_OF("0") "," ONE_OF("1") "," ONE_OF("2") "\ncookie-secret = " ONE_OF(
				  "3") "," ONE_OF("4") "," ONE_OF("5") "\ncookie-secret "
								       "= " ONE_OF("6") "," ONE_OF(
									       "7") "," ONE_OF("8") "\n"),
	          "secd.ini:4: this cookie-secret is one too many; write at most 8\n" },
	};

Test(conf_parse, takes_what_the_options_of_edns_need)
{
	files_expect(edns, ARRAY_LEN(edns));
}

Test(conf_parse, keeps_octets_and_secrets_as_they_are_meant)
{
	static const char text[] = "[server]\nnsid = 0x00ffAb\ncookies = off\nrotate = on\n"
				   "cookie-secret = 000102030405060708090a0b0c0d0e0F " ZEROS "\n";
	conf_faults_t faults = { 0 };
	conf_t *c = NULL;

	cr_assert(eq(int, conf_read_memory("t", text, strlen(text), &c, &faults), ST_OK));
	cr_expect(eq(sz, c->nsid_len, 3));
	cr_expect(memcmp(c->nsid, "\0\xff\xab", 3) == 0);
	cr_expect(not(c->cookies));
	cr_expect(c->rotate);
	cr_assert(eq(sz, c->cookie_secret_count, 2));
	cr_expect(eq(u64, c->cookie_secrets[0].k0, 0x0706050403020100));
	cr_expect(eq(u64, c->cookie_secrets[0].k1, 0x0f0e0d0c0b0a0908));
	cr_expect(eq(u64, c->cookie_secrets[1].k0, 0));
	conf_free(c);
	conf_faults_free(&faults);
}

static const row_t zones[] = {
	{ "of every kind",
	  INI(P "[primary q]\naddress=::1\n[group g]\nprimaries=q, p\n[zones]\n. = p\nx.example. = "
	        "q p\nY.example=g ; c\n64-27.2.0.192.in-addr.arpa = "
	        "g\na\\.b.x=p\nsp\\032ace.x=p\na\\061b\\058c\\059d.x = p\na;b#c.x = p\n"),
	  "" },
	{ "twice", INI(P "[zones]\nx.example = p\n[zones]\nX.Example. = p\n"),
	  "secd.ini:6: zone X.Example. stands here and at secd.ini:4; remove one\n" },
	{ "twice by an escape", INI(P "[zones]\nx.example = p\n\\120.example = p\n"),
	  "secd.ini:5: zone \\120.example stands here and at secd.ini:4; remove one\n" },
	{ "twice in two files",
	  { { "secd.ini", P "[include]\npath = b.ini\nzone-list = list\n[zones]\nx.example = p\n",
	      0 },
	    { "b.ini", "[zones]\nx.example = p\n", 0 },
	    { "list", "y.example p\nx.example p\n", 0 } },
	  "secd.ini:7: zone x.example stands here and at b.ini:2; remove one\n"
	  "list:2: zone x.example stands here and at b.ini:2; remove one\n" },
	{ "the root twice", INI(P "[zones]\n. = p\n. = p\n"),
	  "secd.ini:5: zone . stands here and at secd.ini:4; remove one\n" },
	{ "of unknown primaries, each told",
	  INI(P "[zones]\nx.example = p, q\ny.example = q\nz.example = P\n"),
	  "secd.ini:4: zone x.example. names 'q', which is no primary and no group; write a "
	  "[primary "
	  "q] section or correct the name\n"
	  "secd.ini:5: zone y.example. names 'q', which is no primary and no group; write a "
	  "[primary "
	  "q] section or correct the name\n"
	  "secd.ini:6: zone z.example. names 'P', which is no primary and no group; write a "
	  "[primary "
	  "P] section or correct the name\n" },
	{ "of a group and a primary", INI(P "[group g]\nprimaries=p\n[zones]\nx.example = p, g\n"),
	  "secd.ini:6: zone x.example. names the group g among primaries; write primaries alone, "
	  "or "
	  "one group alone\n" },
	{ "of a primary twice", INI(P "[zones]\nx.example = p, p\n"),
	  "secd.ini:4: zone x.example. names p twice; remove one\n" },
	{ "of nobody", INI("[zones]\nx.example =\ny.example = ,\n"),
	  "secd.ini:2: zone x.example names no primary; write primaries or a group behind it\n"
	  "secd.ini:3: zone y.example names no primary; write primaries or a group behind it\n" },
	{ "of no name", INI(P "[zones]\nx..example = p\n.x = p\nx\\256 = p\nx\\ = p\n"),
	  "secd.ini:4: zone name 'x..example' has an empty label or a bad escape; write labels "
	  "divided by single dots, odd octets as \\DDD\n"
	  "secd.ini:5: zone name '.x' has an empty label or a bad escape; write labels divided by "
	  "single dots, odd octets as \\DDD\n"
	  "secd.ini:6: zone name 'x\\256' has an empty label or a bad escape; write labels divided "
	  "by "
	  "single dots, odd octets as \\DDD\n"
	  "secd.ini:7: zone name 'x\\' has an empty label or a bad escape; write labels divided by "
	  "single dots, odd octets as \\DDD\n" },
	{ "of a label too long", INI(P "[zones]\n" TEN TEN TEN TEN TEN TEN "0123.x = p\n"),
	  "secd.ini:4: zone name '" TEN TEN TEN TEN TEN TEN
	  "0123.x' is too long; write labels of at most 63 and a name of at most 255 octets\n" },
	{ "a group of unknown, doubled and nested names",
	  INI(P "[group g]\nprimaries = p, q, p\n[group h]\nprimaries = g\n"),
	  "secd.ini:4: group g names 'q', which is no primary and no group; write a [primary q] "
	  "section or correct the name\n"
	  "secd.ini:4: group g names p twice; remove one\n"
	  "secd.ini:6: group h names the group g among primaries; write primaries alone, or one "
	  "group "
	  "alone\n" },
};

Test(conf_parse, checks_every_zone)
{
	files_expect(zones, ARRAY_LEN(zones));
}

Test(conf_parse, keeps_a_thousand_faults_and_counts_the_rest)
{
	conf_faults_t faults = { 0 };
	char *text = NULL, line[256];
	conf_t *conf;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("[server]\n", f);
	for (int i = 0; i < 1234; i++)
		fputs("workers = x\n", f);
	fclose(f);
	cr_expect(eq(int, conf_read_memory("m", text, len, &conf, &faults), ST_MALFORMED));
	cr_expect(conf == NULL);
	cr_assert(eq(sz, faults.count, CONF_FAULTS_MAX + 1));
	cr_expect(eq(sz, faults.errors, 1234));
	cr_expect(eq(sz, faults.more, 234));
	cr_expect(eq(str, (char *)conf_fault_text(&faults.list[1000], line, sizeof line),
	             (char *)"m: and 234 more; mend the first ones and check again"));
	conf_faults_free(&faults);
	free(text);
}

Test(conf_parse, takes_a_thousand_primaries_of_a_group)
{
	for (int more = 0; more < 2; more++) {
		conf_faults_t faults = { 0 };
		char *text = NULL, line[256];
		conf_t *conf;
		size_t len;
		FILE *f = open_memstream(&text, &len);

		for (int i = 0; i < 1000 + more; i++)
			fprintf(f, "[primary p%d]\naddress = 192.0.2.1@%d\n", i, i + 1);
		fputs("[group g]\n", f);
		for (int i = 0; i < 1000 + more; i++)
			fprintf(f, "primaries = p%d\n", i);
		fclose(f);
		cr_expect(eq(int, conf_read_memory("m", text, len, &conf, &faults),
		             more ? ST_MALFORMED : ST_OK));
		cr_assert(eq(sz, faults.errors, more));
		if (more)
			cr_expect(eq(str,
			             (char *)conf_fault_text(&faults.list[0], line, sizeof line),
			             (char *)"m:3004: group g names p1000 behind 1000 others; "
			                     "remove some"));
		else
			conf_free(conf);
		conf_faults_free(&faults);
		free(text);
	}
}

/* As many keys in files that everybody can read as there is room, and then what is really wrong. */
Test(conf_parse, lets_no_warnings_crowd_out_errors)
{
	const conf_where_t where = { .file = "m", .line = 1 };
	conf_faults_t faults = { 0 };
	conf_build_t b = { .faults = &faults };
	size_t errors = 0;

	for (unsigned i = 0; i < CONF_FAULTS_MAX + 100; i++)
		conf_warning(&b, &where, "warning %u", i);
	for (unsigned i = 0; i < 3; i++)
		conf_fault(&b, &where, "error %u", i);
	cr_expect(eq(sz, faults.count, CONF_FAULTS_MAX));
	cr_expect(eq(sz, faults.more, 103));
	for (size_t i = 0; i < faults.count; i++)
		errors += !faults.list[i].is_warning;
	cr_expect(eq(sz, errors, 3));
	for (unsigned i = 3; i < CONF_FAULTS_MAX + 100; i++)
		conf_fault(&b, &where, "error %u", i);
	conf_warning(&b, &where, "one more");
	cr_assert(eq(sz, faults.count, CONF_FAULTS_MAX));
	for (size_t i = 0; i < faults.count; i++)
		cr_expect(not(faults.list[i].is_warning), "%s", faults.list[i].text);
	cr_expect(eq(sz, faults.errors, CONF_FAULTS_MAX + 100));
	cr_expect(eq(sz, faults.more, CONF_FAULTS_MAX + 201));
	conf_faults_free(&faults);
}

Test(conf_parse, opens_no_file_for_a_text_in_memory)
{
	static const char text[] = "[include]\npath = secd.ini\nzone-list = *\n";
	conf_faults_t faults = { 0 };
	conf_t *conf;

	cr_expect(eq(int, conf_read_memory("m", text, sizeof text - 1, &conf, &faults),
	             ST_MALFORMED));
	cr_assert(eq(sz, faults.count, 2));
	cr_expect(eq(str, faults.list[0].text,
	             (char *)"nothing can be included from here; remove [include]"));
	cr_expect(eq(uint, faults.list[1].line, 3));
	conf_faults_free(&faults);
}

static const char example[] =
	"; secd.ini\n"
	"[server]\n"
	"listen = 127.0.0.1@5300, ::1@5300      ; address@port, port 53 by default\n"
	"workers = 2                            ; default: one per core\n"
	"state-dir = /var/lib/secd\n"
	"[log]\n"
	"target = syslog                        ; or stderr\n"
	"level = info\n"
	"[primary hidden]\n"
	"address = 192.0.2.10@53                ; several addresses: one primary with several "
	"ways to it\n"
	"notify-from = 192.0.2.0/28             ; who else may send NOTIFY for its zones\n"
	"source = 192.0.2.53, 2001:db8::53      ; local address, one per family\n"
	"[primary backup]\n"
	"address = 2001:db8::7, 198.51.100.7@5300\n"
	"[zones]\n"
	"example.com = hidden\n"
	"example.org = hidden, backup           ; primaries, in order of preference\n"
	"64-27.2.0.192.in-addr.arpa = strict    ; or the name of a group\n"
	"[group strict]                         ; options shared by zones\n"
	"primaries = hidden, backup\n"
	"min-refresh = 60\n"
	"[include]\n"
	"path = zones.d/*.ini                   ; relative to this file\n"
	"zone-list = customers.zones            ; plain list for the thousands\n";

static bool allowed(const conf_zone_t *zone, const char *text)
{
	addr_t a;

	cr_assert(eq(int, addr_parse(text, 4711, &a), ST_OK));
	return addr_acl_match(&zone->group->notify, &a, 0);
}

static void expect_example(const conf_t *conf)
{
	const conf_zone_t *z = conf->zones;
	const conf_primary_t *hidden = z[0].group->primaries[0];
	char text[ADDR_TEXT_MAX], name[DNS_NAME_TEXT_MAX];

	cr_expect(eq(str, (char *)addr_text(&conf->listen[1], text), (char *)"::1@5300"));
	cr_expect(eq(u32, conf->workers, 2));
	cr_expect(eq(int, conf->log_target, LOG_TARGET_SYSLOG));
	cr_expect(eq(sz, conf->primary_count, 2));
	cr_expect(eq(str, (char *)dns_name_text(z[2].apex, name),
	             (char *)"64-27.2.0.192.in-addr.arpa."));

	cr_expect(eq(str, (char *)hidden->name, (char *)"hidden"));
	cr_expect(eq(str, (char *)addr_text(&hidden->addresses[0], text), (char *)"192.0.2.10@53"));
	cr_expect(hidden->has_source4 && hidden->has_source6);
	cr_expect(eq(str, (char *)addr_text(&hidden->source6, text), (char *)"2001:db8::53@0"));

	cr_expect(z[0].group->name == NULL);
	cr_expect(eq(sz, z[0].group->primary_count, 1));
	cr_expect(z[1].group->name == NULL);
	cr_expect(eq(sz, z[1].group->primary_count, 2));
	cr_expect(eq(str, (char *)z[1].group->primaries[1]->name, (char *)"backup"));
	cr_expect(eq(str, (char *)z[2].group->name, (char *)"strict"));
	cr_expect(eq(u32, z[2].group->policy.min_refresh, 60));
	cr_expect(eq(u32, z[1].group->policy.min_refresh, 1));

	cr_expect(allowed(&z[0], "192.0.2.10") && allowed(&z[0], "192.0.2.15"));
	cr_expect(not(allowed(&z[0], "192.0.2.16")));
	cr_expect(not(allowed(&z[0], "198.51.100.7")));
	cr_expect(allowed(&z[1], "198.51.100.7") && allowed(&z[2], "2001:db8::7"));
}

Test(conf_parse, understands_the_whole_example)
{
	conf_t *conf;
	char *faults;

	files_enter();
	files_write("secd.ini", example, 0);
	files_write("zones.d/a.ini",
	            "[zones]\ninc.example = strict\n[primary backup]\naddress = ::9\n", 0);
	files_write("customers.zones", "one.example hidden\ntwo.example strict\n", 0);
	faults = files_faults("secd.ini", &conf);
	cr_assert(eq(str, faults, (char *)""));
	cr_assert(eq(sz, conf->zone_count, 6));
	expect_example(conf);
	/* Sections add up across files; zones of one wording share their group. */
	cr_expect(eq(sz, conf->zones[1].group->primaries[1]->address_count, 3));
	cr_expect(conf->zones[3].group == conf->zones[2].group);
	cr_expect(conf->zones[4].group == conf->zones[0].group);
	cr_expect(eq(str, (char *)conf->zones[3].file, (char *)"zones.d/a.ini"));
	cr_expect(eq(uint, conf->zones[5].line, 2));
	conf_free(conf);
	free(faults);
	files_leave();
}
