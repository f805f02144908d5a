/* tests/unit/conf/test_keys.c - keys of TSIG: their secrets, their names, whose they are. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dns/name.h"
#include "dns/tsig.h"
#include "files.h"

TestSuite(conf_keys, .timeout = 10);

#define KEY "[key t]\nalgorithm = hmac-sha256\n"

static const row_t rows[] = {
	{ "a sound key, and whose it is", INI(KEY "secret = bWFkZS11cA==\n" P "key = t\n"), "" },
	{ "one that nobody has", INI(KEY "secret = bWFkZS11cA==\n"), "" },
	{ "before it is known, in another case, with a final dot",
	  INI(P "key = T.\n" KEY "secret = bWFkZS11cA==\n"), "" },
	{ "an algorithm and a secret that are none",
	  INI("[key t]\nalgorithm = hmac-sha3\nsecret = bWFkZS11cA=\n"),
	  "secd.ini:2: the algorithm is not known; write hmac-sha256, hmac-sha384, hmac-sha512, "
	  "hmac-sha224, hmac-sha1 or hmac-md5\n"
	  "secd.ini:3: the secret is no base64; write it as the primary has it, complete and on "
	  "one line\n" },
	{ "what is missing", INI("[key t]\n"),
	  "secd.ini:1: [key t] has no algorithm; write one\n"
	  "secd.ini:1: [key t] has no secret; write secret or secret-file\n" },
	{ "a key that there is not", INI(P "key = u\n" KEY "secret = AAAA\n"),
	  "secd.ini:3: key names none of the keys; write a [key NAME] section of that name, or "
	  "correct it\n" },
	{ "two keys of one primary", INI(KEY "secret = AAAA\n" P "key = t, t\n"),
	  "secd.ini:6: key names none of the keys; write a [key NAME] section of that name, or "
	  "correct it\n" },
	{ "again", INI(KEY "secret = AAAA\n" P "key = t\nkey = t\n"),
	  "secd.ini:7: key stands here and at secd.ini:6; remove one\n" },
	{ "two of one name",
	  INI(KEY "secret = AAAA\n[key T]\nalgorithm = hmac-md5\nsecret = AAAA\n"),
	  "secd.ini:4: [key T] is the key of [key t] at secd.ini:1: case and a final dot are no "
	  "difference; give it another name\n" },
	{ "a name that is none", INI("[key t..u]\nalgorithm = hmac-md5\nsecret = AAAA\n"),
	  "secd.ini:1: the key's name is no domain name; write [key NAME] as the primary has "
	  "it\n" },
	{ "a secret in a file beside",
	  { { "sub/x.ini", KEY "secret-file = t.key\n", 0 },
	    { "secd.ini", "[include]\npath = sub/x.ini\n", 0 },
	    { "sub/t.key", "\n  bWFkZS11cA==  \r\n\n", 0 } },
	  "" },
	{ "a file that is not there", INI(KEY "secret-file = t.key\n"),
	  "secd.ini:3: the secret-file can't be read: No such file or directory; correct the path "
	  "or the file\n" },
	{ "an empty file",
	  { { "secd.ini", KEY "secret-file = t.key\n", 0 }, { "t.key", "\n", 0 } },
	  "secd.ini:3: the secret-file does not hold one line; write the secret into it, in "
	  "base64, "
	  "and nothing else\n" },
	{ "two lines",
	  { { "secd.ini", KEY "secret-file = t.key\n", 0 }, { "t.key", "AAAA\nAAAA\n", 0 } },
	  "secd.ini:3: the secret-file does not hold one line; write the secret into it, in "
	  "base64, "
	  "and nothing else\n" },
	{ "no base64 in it",
	  { { "secd.ini", KEY "secret-file = t.key\n", 0 }, { "t.key", "secret: AAAA\n", 0 } },
	  "secd.ini:3: the secret is no base64; write it as the primary has it, complete and on "
	  "one line\n" },
	{ "both",
	  { { "secd.ini", KEY "secret = AAAA\nsecret-file = t.key\n", 0 },
	    { "t.key", "AAAA\n", 0 } },
	  "secd.ini:4: [key t] has a secret and a secret-file, the former at secd.ini:3; remove "
	  "one\n" },
};

Test(conf_keys, are_sound_or_told_what_is_wrong)
{
	files_expect(rows, ARRAY_LEN(rows));
}

static conf_t *read_ini(const char *text)
{
	conf_t *conf;
	char *faults;

	files_write("secd.ini", text, 0);
	faults = files_faults("secd.ini", &conf);
	cr_assert(conf != NULL, "%s", faults);
	free(faults);
	return conf;
}

static const struct {
	const char *text, *octets;
	size_t len;
} secrets[] = {
	{ "Zg==", "f", 1 },
	{ "Zm8=", "fo", 2 },
	{ "Zm9v", "foo", 3 },
	{ "Zm9vYg==", "foob", 4 },
	{ "Zm9vYmE=", "fooba", 5 },
	{ "Zm9vYmFy", "foobar", 6 },
	{ "AP+/+w==", "\0\xff\xbf\xfb", 4 },
	{ "////", "\xff\xff\xff", 3 },
};

Test(conf_keys, have_the_octets_that_base64_stands_for)
{
	files_enter();
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		char text[128];
		conf_t *conf;

		snprintf(text, sizeof text, KEY "secret = %s\n", secrets[i].text);
		conf = read_ini(text);
		cr_assert(eq(sz, conf->key_count, 1));
		cr_expect(eq(sz, conf->keys[0]->secret_len, secrets[i].len), "%s", secrets[i].text);
		cr_expect(memcmp(conf->keys[0]->secret, secrets[i].octets, secrets[i].len) == 0,
		          "%s", secrets[i].text);
		conf_free(conf);
	}
	files_leave();
}

static const char *const broken[] = { "=",    "====",   "A===",   "AA=",   "AAA",
	                              "AA=A", "AAAAA=", "AA==AA", "AAA=A", "AAAA====",
	                              "AA A", "AAA-",   "AA\\/",  "AAAAA" };

Test(conf_keys, take_no_base64_that_is_not_whole)
{
	files_enter();
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		char text[128], *faults;
		conf_t *conf;

		snprintf(text, sizeof text, KEY "secret = %s\n", broken[i]);
		files_write("secd.ini", text, 0);
		faults = files_faults("secd.ini", &conf);
		cr_expect(conf == NULL, "%s", broken[i]);
		cr_expect(strstr(faults, "no base64") != NULL, "%s: %s", broken[i], faults);
		free(faults);
		conf_free(conf);
	}
	files_leave();
}

/* A secret of so many octets, in a file. */
static conf_t *with_secret_of(size_t octets)
{
	size_t digits = (octets + 2) / 3 * 4;
	char *text = malloc(digits + 1), *faults;
	conf_t *conf;

	memset(text, 'A', digits);
	for (size_t i = octets; i % 3 != 0; i++)
		text[digits - 1 - (i - octets)] = '=';
	text[digits] = '\0';
	files_write("secd.ini", KEY "secret-file = t.key\n", 0);
	files_write("t.key", text, digits);
	faults = files_faults("secd.ini", &conf);
	free(faults);
	free(text);
	return conf;
}

Test(conf_keys, have_secrets_up_to_a_limit)
{
	files_enter();
	for (size_t len = CONF_SECRET_MAX - 3; len <= CONF_SECRET_MAX + 3; len++) {
		conf_t *conf = with_secret_of(len);

		cr_expect(eq(int, conf != NULL, len <= CONF_SECRET_MAX), "%zu", len);
		if (conf)
			cr_expect(eq(sz, conf->keys[0]->secret_len, len));
		conf_free(conf);
	}
	files_leave();
}

static bool may_notify(const conf_group_t *group, const char *from, unsigned key)
{
	addr_t a;

	cr_assert(eq(int, addr_parse(from, 53, &a), ST_OK));
	return addr_acl_match(&group->notify, &a, key);
}

Test(conf_keys, are_resolved_and_numbered_and_stand_in_the_access_list)
{
	conf_t *conf;

	files_enter();
	conf = read_ini("[primary one]\naddress = 192.0.2.1\nnotify-from = 198.51.100.0/24\n"
	                "key = B.Example\n"
	                "[primary two]\naddress = 192.0.2.2\n"
	                "[key a]\nalgorithm = hmac-md5\nsecret = AAAA\n"
	                "[key b.example.]\nalgorithm = hmac-sha512\nsecret = AAAA\n"
	                "[zones]\nx. = one\ny. = one, two\n");
	cr_assert(eq(sz, conf->key_count, 2));
	for (unsigned i = 0; i < 2; i++)
		cr_expect(eq(int, conf->keys[i]->number, i + 1));
	cr_expect(conf->primaries[0]->key == conf->keys[1]);
	cr_expect(conf->primaries[1]->key == NULL);
	cr_expect(memcmp(conf->keys[1]->wire, "\1b\7example", 11) == 0);
	cr_expect(strcmp(conf->keys[1]->algorithm, "hmac-sha512") == 0);

	const conf_group_t *x = conf->zones[0].group, *y = conf->zones[1].group;
	cr_expect(may_notify(x, "192.0.2.1", 2));
	cr_expect(may_notify(x, "203.0.113.1", 2));
	cr_expect(not(may_notify(x, "192.0.2.1", 0)));
	cr_expect(not(may_notify(x, "198.51.100.9", 0)));
	cr_expect(not(may_notify(x, "192.0.2.1", 1)));
	cr_expect(not(may_notify(x, "192.0.2.2", 0)));
	cr_expect(may_notify(y, "192.0.2.2", 0));
	cr_expect(not(may_notify(y, "192.0.2.1", 0)));
	conf_free(conf);
	files_leave();
}

/* What is known here must be known there. */
Test(conf_keys, have_the_algorithms_of_dns)
{
	static const char *const algs[] = { "hmac-md5",    "hmac-sha1",   "hmac-sha224",
		                            "hmac-sha256", "hmac-sha384", "hmac-sha512" };

	files_enter();
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		char text[128];
		dns_tsig_key_t key;
		dns_name_t name;

		snprintf(text, sizeof text, "[key t]\nalgorithm = %s\nsecret = AAAA\n", algs[i]);
		conf_t *conf = read_ini(text);
		const conf_key_t *k = conf->keys[0];
		dns_name_from_wire(k->wire, &name);
		cr_expect(eq(int,
		             dns_tsig_key_make(&key, &name, k->algorithm, k->secret, k->secret_len),
		             ST_OK),
		          "%s", algs[i]);
		conf_free(conf);
	}
	files_leave();
}

Test(conf_keys, are_warned_of_when_everybody_can_read_them)
{
	static const char ini[] = "[server]\ncookie-secret = 5ec4e75ec4e75ec4e75ec4e75ec4e75e\n" KEY
				  "secret = AAAA\n[key u]\nalgorithm = hmac-md5\n"
				  "secret-file = u.key\n";
	static const char *const want[] = {
		"",
		"secd.ini:2: warning: a secret stands in a file that can be read by everybody; "
		"take that away with chmod o-r\n",
		"secd.ini:8: warning: the secret-file can be read by everybody; take that away "
		"with chmod o-r\n",
	};

	files_enter();
	files_write("secd.ini", ini, 0);
	files_write("u.key", "AAAA\n", 0);
	for (int i = 0; i < 3; i++) {
		conf_t *conf;
		char *faults;

		cr_assert(eq(int, chmod("secd.ini", i == 1 ? 0644 : 0640), 0));
		cr_assert(eq(int, chmod("u.key", i == 2 ? 0604 : 0600), 0));
		faults = files_faults("secd.ini", &conf);
		cr_expect(conf != NULL);
		cr_expect(strcmp(faults, want[i]) == 0, "%s", faults);
		free(faults);
		conf_free(conf);
	}
	files_leave();
}

Test(conf_keys, can_have_no_file_in_memory)
{
	static const char text[] = KEY "secret-file = /etc/hostname\n";
	conf_faults_t faults = { 0 };
	conf_t *conf;

	cr_expect(eq(int, conf_read_memory("x", text, sizeof text - 1, &conf, &faults),
	             ST_MALFORMED));
	cr_expect(strstr(faults.list[0].text, "no secret-file can be read") != NULL);
	conf_faults_free(&faults);
}

/* --- numbers --------------------------------------------------------------------------------- */

static conf_t *read_text(const char *text)
{
	conf_faults_t faults = { 0 };
	conf_t *conf = NULL;

	cr_assert(eq(int, conf_read_memory("t", text, strlen(text), &conf, &faults), ST_OK));
	conf_faults_free(&faults);
	return conf;
}

#define NUMBERED(name, secret)                                                                     \
	"[key " name "]\nalgorithm = hmac-sha256\nsecret = " secret "\n[primary " name             \
	"]\naddress = 192.0.2.1\nkey = " name "\n[group g" name "]\nprimaries = " name "\n"

static unsigned number_of(const conf_t *conf, const char *name)
{
	for (size_t i = 0; i < conf->key_count; i++) {
		if (strcmp(conf->keys[i]->name, name) != 0)
			continue;
		/* Whoever has signed with it may notify its group, and nobody else's. */
		for (size_t g = 0; g < conf->group_count; g++)
			cr_expect(eq(int,
			             conf->groups[g]->notify.list[0].key == conf->keys[i]->number,
			             strcmp(conf->groups[g]->name + 1, name) == 0));
		return conf->keys[i]->number;
	}
	return 0;
}

/* The same key keeps its number, wherever it stands; one that is new, or has another secret, gets one that none
 * has had. */
Test(conf_keys, keep_their_numbers_from_one_configuration_to_the_next)
{
	conf_t *a = read_text(NUMBERED("x", "AAAA") NUMBERED("y", "BBBB") NUMBERED("z", "CCCC"));
	conf_t *b = read_text(NUMBERED("new", "DDDD") NUMBERED("z", "CCCC") NUMBERED("x", "AAAB"));

	cr_expect(number_of(a, "x") == 1 && number_of(a, "y") == 2 && number_of(a, "z") == 3);
	cr_assert(eq(int, conf_number_keys(b, a), ST_OK));
	cr_expect(eq(u32, number_of(b, "z"), 3));
	cr_expect(eq(u32, number_of(b, "new"), 4));
	cr_expect(eq(u32, number_of(b, "x"), 5), "it has another secret");
	conf_free(a);
	a = read_text(NUMBERED("X", "AAAB") NUMBERED("one", "EEEE") NUMBERED("two", "FFFF"));
	cr_assert(eq(int, conf_number_keys(a, b), ST_OK));
	cr_expect(eq(u32, number_of(a, "X"), 5), "case is no difference");
	cr_expect(number_of(a, "one") == 1 && number_of(a, "two") == 2);
	conf_free(a);
	conf_free(b);
}
