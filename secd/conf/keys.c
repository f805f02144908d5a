/* conf/keys.c - keys of TSIG: what their options say, and whose they are. No fault repeats a value:
 * a slip puts the secret anywhere. */
#include "conf/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

void conf_key_algorithm(conf_build_t *b, conf_key_t *key, const char *value,
                        const conf_where_t *where)
{
	static const char *const known[] = { "hmac-md5",    "hmac-sha1",   "hmac-sha224",
		                             "hmac-sha256", "hmac-sha384", "hmac-sha512" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(value, known[i]) == 0) {
			key->algorithm = known[i];
			return;
		}
	}
	conf_fault(b, where,
	           "the algorithm is not known; write hmac-sha256, hmac-sha384, hmac-sha512, "
	           "hmac-sha224, hmac-sha1 or hmac-md5");
}

/* --- secrets ---------------------------------------------------------------------------------- */

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 4: groups of four, padding at the end only. ST_MALFORMED; ST_LIMIT: over room octets. */
static status_t decode(const char *text, size_t len, uint8_t *out, size_t room, size_t *out_len)
{
	size_t digits = len;
	uint32_t bits = 0;

	*out_len = 0;
	while (digits > 0 && len - digits < 2 && text[digits - 1] == '=')
		digits--;
	if (digits == 0 || len % 4 != 0)
		return ST_MALFORMED;
	for (size_t i = 0; i < digits; i++) {
		int d = digit(text[i]);

		if (d < 0)
			return ST_MALFORMED;
		bits = bits << 6 | (uint32_t)d;
		if (i % 4 == 0)
			continue;
		if (*out_len == room)
			return ST_LIMIT;
		out[(*out_len)++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	return ST_OK;
}

static void take_secret(conf_build_t *b, conf_key_t *key, const char *text, size_t len,
                        const conf_where_t *where)
{
	uint8_t octets[CONF_SECRET_MAX];
	status_t st = decode(text, len, octets, sizeof octets, &key->secret_len);

	if (st == ST_LIMIT) {
		conf_fault(b, where, "the secret is too long; write one of at most %d octets",
		           CONF_SECRET_MAX);
	} else if (st != ST_OK) {
		conf_fault(b, where,
		           "the secret is no base64; write it as the primary has it, complete and "
		           "on one line");
	} else {
		key->secret = conf_arena_copy(&b->conf->own->arena, octets, key->secret_len);
		if (!key->secret)
			b->status = ST_NOMEM;
	}
	explicit_bzero(octets, sizeof octets);
}

void conf_key_secret(conf_build_t *b, conf_key_t *key, const char *value, const conf_where_t *where)
{
	take_secret(b, key, value, strlen(value), where);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The only line of the source that is not empty, without the blanks around it. ST_NOENT: there is
 * none; ST_EXIST: more. */
static status_t only_line(conf_source_t *src, const char **text, size_t *len)
{
	status_t st = ST_NOENT;
	const char *line;
	size_t n;

	while (conf_source_line(src, &line, &n)) {
		while (n > 0 && is_blank(line[n - 1]))
			n--;
		for (; n > 0 && is_blank(*line); n--)
			line++;
		if (n == 0)
			continue;
		if (st == ST_OK)
			return ST_EXIST;
		*text = line;
		*len = n;
		st = ST_OK;
	}
	return st;
}

void conf_key_secret_file(conf_build_t *b, conf_key_t *key, const char *value,
                          const conf_where_t *where)
{
	const char *path = conf_path_join(&b->arena, where->file, value), *text;
	conf_source_t src;
	status_t st;
	size_t len;

	if (b->memory_only) {
		conf_fault(b, where, "no secret-file can be read from here; write secret");
		return;
	}
	st = path ? conf_source_open(&src, path) : ST_NOMEM;
	if (st == ST_NOMEM) {
		b->status = ST_NOMEM;
		return;
	}
	if (st != ST_OK) {
		conf_fault(b, where,
		           "the secret-file can't be read: %s; correct the path or the file",
		           st == ST_LIMIT ? "too big" : strerror(errno));
		return;
	}
	conf_path_keep(b, CONF_USE_FILE, path, where);
	if (src.others_read)
		conf_warning(b, where,
		             "the secret-file can be read by everybody; take that away with chmod "
		             "o-r");
	if (only_line(&src, &text, &len) == ST_OK)
		take_secret(b, key, text, len, where);
	else
		conf_fault(b, where,
		           "the secret-file does not hold one line; write the secret into "
		           "it, in base64, and nothing else");
	conf_source_close(&src);
}

/* --- names ------------------------------------------------------------------------------------ */

/* Any order does that is one. */
static int by_wire(const void *a, const void *b)
{
	const conf_key_t *const *x = a, *const *y = b;
	size_t m = dns_wire_len((*x)->wire), n = dns_wire_len((*y)->wire);

	if (m != n)
		return m < n ? -1 : 1;
	return memcmp((*x)->wire, (*y)->wire, m);
}

/* TSIG writes names as domain names, and knows no case. */
static const uint8_t *wire_of(conf_arena_t *arena, const char *text)
{
	dns_name_t name;

	if (dns_name_from_text(text, &name) != ST_OK)
		return NULL;
	dns_name_fold(&name);
	return conf_arena_copy(arena, name.wire, name.len);
}

static void check_key(conf_build_t *b, const conf_object_t *object)
{
	conf_key_t *key = object->target;
	const conf_where_t *secret = conf_where_set(object, "secret"),
			   *file = conf_where_set(object, "secret-file");
	char place[CONF_PLACE_MAX];

	key->wire = wire_of(&b->conf->own->arena, key->name);
	if (!key->wire)
		conf_fault(b, &object->first,
		           "the key's name is no domain name; write [key NAME] as the primary has "
		           "it");
	if (secret && file)
		conf_fault(b, file,
		           "[key %s] has a secret and a secret-file, the former at %s; "
		           "remove one",
		           key->name, conf_place(secret, place));
	else if (!secret && !file)
		conf_fault(b, &object->first, "[key %s] has no secret; write secret or secret-file",
		           key->name);
}

/* Where the section of this key begins. */
static const conf_where_t *first_of(const conf_build_t *b, const conf_key_t *key)
{
	for (size_t i = 0; i < b->object_count; i++) {
		if (b->objects[i]->target == key)
			return &b->objects[i]->first;
	}
	return NULL;
}

static void tell_twice(conf_build_t *b, const conf_key_t *one, const conf_key_t *other)
{
	char place[CONF_PLACE_MAX];

	conf_fault(b, first_of(b, other),
	           "[key %s] is the key of [key %s] at %s: case and a final dot are no difference; "
	           "give it another name",
	           other->name, one->name, conf_place(first_of(b, one), place));
}

/* The keys that have a name, sorted by it. */
static size_t sort_keys(conf_build_t *b, const conf_key_t **sorted)
{
	conf_t *conf = b->conf;
	size_t count = 0;

	for (size_t i = 0; i < conf->key_count; i++) {
		conf->keys[i]->index = i;
		conf->keys[i]->number = (uint16_t)(i + 1);
		if (conf->keys[i]->wire)
			sorted[count++] = conf->keys[i];
	}
	if (count > 0)
		qsort(sorted, count, sizeof *sorted, by_wire);
	for (size_t i = 1; i < count; i++) {
		if (by_wire(&sorted[i - 1], &sorted[i]) == 0)
			tell_twice(b, sorted[i - 1], sorted[i]);
	}
	return count;
}

static void name_key(conf_build_t *b, const conf_object_t *object, const conf_key_t **sorted,
                     size_t count)
{
	conf_primary_t *primary = object->target;
	const conf_named_t *named = object->names;
	const conf_key_t want = { .wire = wire_of(&b->arena, named->name) }, *wanted = &want,
			 **found = NULL;

	if (want.wire && count > 0)
		found = bsearch(&wanted, sorted, count, sizeof *sorted, by_wire);
	if (found)
		primary->key = *found;
	else
		conf_fault(
			b, &named->where,
			"key names none of the keys; write a [key NAME] section of that name, or "
			"correct it");
}

void conf_resolve_keys(conf_build_t *b)
{
	const conf_key_t **sorted =
		conf_arena_take(&b->arena, (b->conf->key_count + 1) * sizeof *sorted);
	size_t count;

	if (!sorted) {
		b->status = ST_NOMEM;
		return;
	}
	for (size_t i = 0; i < b->object_count; i++) {
		if (b->objects[i]->section == CONF_KEY)
			check_key(b, b->objects[i]);
	}
	count = sort_keys(b, sorted);
	for (size_t i = 0; i < b->object_count; i++) {
		if (b->objects[i]->section == CONF_PRIMARY && b->objects[i]->name_count > 0)
			name_key(b, b->objects[i], sorted, count);
	}
}
