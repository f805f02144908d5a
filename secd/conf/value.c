/* conf/value.c - from the text behind a key to the setting it stands for. */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

/* One value on its way to its target. */
typedef struct setting {
	conf_build_t *b;
	conf_object_t *object;
	const conf_option_t *option;
	const char *value;
	const conf_where_t *where;
} setting_t;

typedef struct suffix {
	char letter;
	uint64_t factor;
} suffix_t;

static const suffix_t no_suffixes[] = { { 0, 0 } };
static const suffix_t time_suffixes[] = { { 's', 1 },     { 'm', 60 },     { 'h', 3600 },
	                                  { 'd', 86400 }, { 'w', 604800 }, { 0, 0 } };
static const suffix_t size_suffixes[] = { { 'k', 1024 },
	                                  { 'K', 1024 },
	                                  { 'M', 1024 * 1024 },
	                                  { 'm', 1024 * 1024 },
	                                  { 'G', 1024 * 1048576 },
	                                  { 'g', 1024 * 1048576 },
	                                  { 0, 0 } };

static const suffix_t share_suffixes[] = { { '%', 1 }, { 0, 0 } };

static void *target_of(const setting_t *s)
{
	return (char *)s->object->target + s->option->offset;
}

static size_t *count_of(const setting_t *s)
{
	return (size_t *)(void *)((char *)s->object->target + s->option->count_offset);
}

/* Digits, then at most one letter. ST_MALFORMED; ST_LIMIT: more than 64 bits. */
static status_t parse_amount(const char *text, const suffix_t *suffixes, uint64_t *out)
{
	uint64_t n = 0;

	if (*text < '0' || *text > '9')
		return ST_MALFORMED;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return ST_LIMIT;
	}
	*out = n;
	if (*text == '\0')
		return ST_OK;
	for (; suffixes->letter; suffixes++) {
		if (*text == suffixes->letter && text[1] == '\0')
			return __builtin_mul_overflow(n, suffixes->factor, out) ? ST_LIMIT : ST_OK;
	}
	return ST_MALFORMED;
}

static bool take_amount(const setting_t *s, const suffix_t *suffixes, const char *kind,
                        const char *unit, uint64_t *out)
{
	const conf_option_t *o = s->option;
	const char *or_off = o->may_be_off ? ", or off" : "";

	*out = 0;
	if (o->may_be_off && strcmp(s->value, "off") == 0)
		return true;
	status_t st = parse_amount(s->value, suffixes, out);
	if (st == ST_OK && *out >= o->min && *out <= o->max)
		return true;
	if (st == ST_MALFORMED)
		conf_fault(s->b, s->where,
		           "%s is '%.60s', which is no %s; write one from %llu to %llu%s%s", o->key,
		           s->value, kind, (unsigned long long)o->min, (unsigned long long)o->max,
		           unit, or_off);
	else
		conf_fault(s->b, s->where,
		           "%s is '%.60s', out of range; write a %s from %llu to %llu%s%s", o->key,
		           s->value, kind, (unsigned long long)o->min, (unsigned long long)o->max,
		           unit, or_off);
	return false;
}

static void set_number(const setting_t *s, const suffix_t *suffixes, const char *kind,
                       const char *unit)
{
	uint64_t n;

	if (take_amount(s, suffixes, kind, unit, &n))
		*(uint32_t *)target_of(s) = (uint32_t)n; /* no row allows more than 32 bits */
}

static void set_count(const setting_t *s, const suffix_t *suffixes, const char *kind,
                      const char *unit)
{
	uint64_t n;

	if (take_amount(s, suffixes, kind, unit, &n))
		*(uint64_t *)target_of(s) = n;
}

static void set_text(const setting_t *s, const char *text)
{
	if (!text)
		s->b->status = ST_NOMEM;
	else
		*(const char **)target_of(s) = text;
}

/* A path, or nothing. */
static const char *path_of(const setting_t *s)
{
	return *s->value == '\0'
	               ? ""
	               : conf_path_join(&s->b->conf->own->arena, s->where->file, s->value);
}

static void set_socket(const setting_t *s)
{
	const char *path = path_of(s);

	if (path && strlen(path) > CONF_SOCKET_MAX)
		conf_fault(s->b, s->where,
		           "%s is a path of %zu octets; a socket's may have %d at most",
		           s->option->key, strlen(path), CONF_SOCKET_MAX);
	set_text(s, path);
	if (path && *path != '\0')
		conf_path_keep(s->b, CONF_USE_SOCKET, path, s->where);
}

static void set_dir(const setting_t *s)
{
	const char *path = path_of(s);

	set_text(s, path);
	if (path && *path != '\0')
		conf_path_keep(s->b, CONF_USE_STATE, path, s->where);
}

/* Whether they exist is asked where somebody becomes them: this is read by secdctl as well. */
static void set_user(const setting_t *s)
{
	const char *colon = strchr(s->value, ':');

	if (*s->value != '\0' && (strpbrk(s->value, " \t,") || colon == s->value ||
	                          (colon && (colon[1] == '\0' || strchr(colon + 1, ':')))))
		conf_fault(s->b, s->where, "%s is '%.60s'; write NAME or NAME:GROUP",
		           s->option->key, s->value);
	set_text(s, conf_arena_text(&s->b->conf->own->arena, s->value, strlen(s->value)));
}

/* Not repeated: it may be a secret that stands in the wrong line. */
static void set_switch(const setting_t *s)
{
	bool on = strcmp(s->value, "on") == 0;

	if (on || strcmp(s->value, "off") == 0)
		*(bool *)target_of(s) = on;
	else
		conf_fault(s->b, s->where, "%s is neither on nor off; write one of the two",
		           s->option->key);
}

static void set_durability(const setting_t *s)
{
	const bool relaxed = strcmp(s->value, "relaxed") == 0;

	if (relaxed || strcmp(s->value, "commit") == 0)
		*(bool *)target_of(s) = relaxed;
	else
		conf_fault(s->b, s->where, "%s is '%.60s'; write commit or relaxed", s->option->key,
		           s->value);
}

/* One of three words, whose place is the setting. */
static void set_word(const setting_t *s, const char *const words[3], unsigned *out)
{
	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(s->value, words[i]) == 0) {
			*out = i;
			return;
		}
	}
	conf_fault(s->b, s->where, "%s is '%.60s'; write %s, %s or %s", s->option->key, s->value,
	           words[0], words[1], words[2]);
}

static void set_choice(const setting_t *s)
{
	static const char *const words[] = {
		[CONF_CHOICE_OFF] = "off",
		[CONF_CHOICE_WARN] = "warn",
		[CONF_CHOICE_REFUSE] = "refuse",
	};
	conf_choice_t *choice = target_of(s);
	unsigned at = *choice;

	set_word(s, words, &at);
	*choice = (conf_choice_t)at;
}

static void set_zonemd(const setting_t *s)
{
	static const char *const words[] = {
		[CONF_ZONEMD_OFF] = "off",
		[CONF_ZONEMD_IF_PRESENT] = "if-present",
		[CONF_ZONEMD_REQUIRED] = "required",
	};
	conf_zonemd_t *rule = target_of(s);
	unsigned at = *rule;

	set_word(s, words, &at);
	*rule = (conf_zonemd_t)at;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Pairs of hex digits to the end of text. ST_MALFORMED; ST_LIMIT: more than room octets. */
static status_t parse_hex(const char *text, uint8_t *out, size_t room, size_t *len)
{
	for (*len = 0; *text; text += 2) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return ST_MALFORMED;
		if (*len == room)
			return ST_LIMIT;
		out[(*len)++] = (uint8_t)(high << 4 | low);
	}
	return ST_OK;
}

static void set_octets(const setting_t *s)
{
	uint8_t octets[CONF_NSID_MAX];
	status_t st = ST_OK;
	size_t len;

	if (strncmp(s->value, "0x", 2) == 0) {
		st = parse_hex(s->value + 2, octets, sizeof octets, &len);
		if (st == ST_OK && len == 0)
			st = ST_MALFORMED;
	} else {
		len = strlen(s->value);
		if (len > sizeof octets)
			st = ST_LIMIT;
		else
			memcpy(octets, s->value, len);
	}
	if (st == ST_MALFORMED)
		conf_fault(
			s->b, s->where,
			"%s begins with 0x, but pairs of hex digits don't follow; write them, or "
			"a text",
			s->option->key);
	else if (st == ST_LIMIT)
		conf_fault(s->b, s->where, "%s is too long; write at most %d octets",
		           s->option->key, CONF_NSID_MAX);
	if (st != ST_OK)
		return;
	set_text(s, conf_arena_text(&s->b->conf->own->arena, (const char *)octets, len));
	*count_of(s) = len;
}

static void set_log_target(const setting_t *s)
{
	log_target_t *target = target_of(s);

	if (strcmp(s->value, "stderr") == 0)
		*target = LOG_TARGET_STDERR;
	else if (strcmp(s->value, "syslog") == 0)
		*target = LOG_TARGET_SYSLOG;
	else if (strcmp(s->value, "journal") == 0)
		*target = LOG_TARGET_JOURNAL;
	else
		conf_fault(s->b, s->where, "%s is '%.60s'; write syslog, journal or stderr",
		           s->option->key, s->value);
}

static void set_log_facility(const setting_t *s)
{
	if (log_facility_parse(s->value, target_of(s)) != ST_OK)
		conf_fault(s->b, s->where, "%s is '%.60s'; write daemon, user or local0 to local7",
		           s->option->key, s->value);
}

static void set_log_level(const setting_t *s)
{
	if (log_level_parse(s->value, target_of(s)) != ST_OK)
		conf_fault(s->b, s->where,
		           "%s is '%.60s'; write error, warn, notice, info or debug",
		           s->option->key, s->value);
}

static bool is_divider(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

bool conf_item_next(const char **at, const char **item, size_t *len)
{
	const char *p = *at;

	while (is_divider(*p))
		p++;
	*item = p;
	while (*p && !is_divider(*p))
		p++;
	*len = (size_t)(p - *item);
	*at = p;
	return *len > 0;
}

/* The next item of the value as a text of its own; one that is too long for any address comes
 * out cut, which no address parser takes. */
static bool next_text(const char **at, char *out, size_t room)
{
	const char *item;
	size_t len;

	if (!conf_item_next(at, &item, &len))
		return false;
	if (len >= room)
		len = room - 1;
	memcpy(out, item, len);
	out[len] = '\0';
	return true;
}

enum { ITEM_MAX = 256 };

static void add_address(const setting_t *s, const char *text)
{
	addr_t **list = target_of(s), *more, a;
	size_t *count = count_of(s);

	const uint16_t port = s->option->port ? s->option->port : 53;

	if (addr_parse(text, port, &a) != ST_OK) {
		conf_fault(
			s->b, s->where,
			"%s '%.80s' is no address; write one like 192.0.2.1@%u or 2001:db8::1@%u",
			s->option->key, text, port, port);
		return;
	}
	if (s->option->section == CONF_PRIMARY && addr_is_any(&a)) {
		conf_fault(s->b, s->where,
		           "%s '%.80s' is no host; write the address of the primary",
		           s->option->key, text);
		return;
	}
	for (size_t i = 0; i < *count; i++) {
		if (addr_same(&(*list)[i], &a)) {
			conf_fault(s->b, s->where, "%s %.80s stands twice; remove one",
			           s->option->key, text);
			return;
		}
	}
	more = conf_list_grow(*list, *count, sizeof **list);
	if (!more) {
		s->b->status = ST_NOMEM;
		return;
	}
	*list = more;
	more[(*count)++] = a;
}

static void add_prefix(const setting_t *s, const char *text)
{
	addr_prefix_t **list = target_of(s), *more, p;
	size_t *count = count_of(s);

	if (addr_prefix_parse(text, &p) != ST_OK) {
		conf_fault(
			s->b, s->where,
			"%s '%.80s' is no network; write one like 192.0.2.0/28 or 2001:db8::/32, "
			"with no bits set behind the prefix",
			s->option->key, text);
		return;
	}
	more = conf_list_grow(*list, *count, sizeof **list);
	if (!more) {
		s->b->status = ST_NOMEM;
		return;
	}
	*list = more;
	more[(*count)++] = p;
}

static void add_source(const setting_t *s, const char *text)
{
	conf_primary_t *primary = s->object->target;
	bool is4;
	addr_t a;

	if (strchr(text, '@') || addr_parse(text, 0, &a) != ST_OK) {
		conf_fault(s->b, s->where,
		           "%s '%.80s' is no local address; write one like 192.0.2.53 or "
		           "2001:db8::53, without a port",
		           s->option->key, text);
		return;
	}
	is4 = a.sa.sa_family == AF_INET;
	if (is4 ? primary->has_source4 : primary->has_source6) {
		conf_fault(s->b, s->where,
		           "%s %.80s is the second IPv%d address; write one of each family",
		           s->option->key, text, is4 ? 4 : 6);
		return;
	}
	*(is4 ? &primary->source4 : &primary->source6) = a;
	*(is4 ? &primary->has_source4 : &primary->has_source6) = true;
}

static void add_name(const setting_t *s, const char *text)
{
	conf_object_t *object = s->object;
	conf_named_t *more = conf_list_grow(object->names, object->name_count, sizeof *more);

	if (!more) {
		s->b->status = ST_NOMEM;
		return;
	}
	object->names = more;
	more[object->name_count].where = *s->where;
	more[object->name_count].name = conf_arena_text(&s->b->arena, text, strlen(text));
	if (!more[object->name_count].name)
		s->b->status = ST_NOMEM;
	else
		object->name_count++;
}

/* SipHash takes its key as two numbers in little-endian order, which is ours. Never repeated in a
 * fault: it is a secret. */
static void add_cookie_secret(const setting_t *s, const char *text)
{
	siphash_key_t **list = target_of(s), *more, key;
	size_t *count = count_of(s), len;

	if (parse_hex(text, (uint8_t *)&key, sizeof key, &len) != ST_OK || len != sizeof key) {
		conf_fault(s->b, s->where,
		           "a %s is not of 128 bits; write 32 hex digits, and a comma between two",
		           s->option->key);
		return;
	}
	for (size_t i = 0; i < *count; i++) {
		if (memcmp(&(*list)[i], &key, sizeof key) == 0) {
			conf_fault(s->b, s->where, "a %s stands twice; remove one", s->option->key);
			return;
		}
	}
	if (*count == CONF_COOKIE_SECRETS_MAX) {
		conf_fault(s->b, s->where, "this %s is one too many; write at most %d",
		           s->option->key, CONF_COOKIE_SECRETS_MAX);
		return;
	}
	more = conf_list_grow(*list, *count, sizeof **list);
	if (!more) {
		s->b->status = ST_NOMEM;
		return;
	}
	*list = more;
	more[(*count)++] = key;
}

static void add_items(const setting_t *s, void (*add)(const setting_t *, const char *))
{
	const char *at = s->value;
	char text[ITEM_MAX];

	while (s->b->status == ST_OK && next_text(&at, text, sizeof text))
		add(s, text);
}

const char *conf_path_join(conf_arena_t *arena, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	size_t front = slash && *path != '/' ? (size_t)(slash - file) + 1 : 0, len = strlen(path);
	char *joined = conf_arena_take(arena, front + len + 1);

	if (joined) {
		memcpy(joined, file, front);
		memcpy(joined + front, path, len);
	}
	return joined;
}

void conf_value_set(conf_build_t *b, conf_object_t *object, const conf_option_t *option,
                    const char *value, const conf_where_t *where)
{
	const setting_t s = { b, object, option, value, where };
	const char *at = value, *item;
	size_t len;

	if (option->type != CONF_TEXT && option->type != CONF_OCTETS &&
	    option->type != CONF_SOCKET && option->type != CONF_DIR && option->type != CONF_USER &&
	    !conf_item_next(&at, &item, &len)) {
		conf_fault(b, where, "%s has no value; write one or remove the line", option->key);
		return;
	}
	switch (option->type) {
	case CONF_NUMBER:
		set_number(&s, no_suffixes, "number", "");
		break;
	case CONF_COUNT:
		set_count(&s, no_suffixes, "number", "");
		break;
	case CONF_SECONDS:
		set_number(&s, time_suffixes, "time",
		           " seconds; s, m, h, d or w may stand behind the number");
		break;
	case CONF_SIZE:
		set_count(&s, size_suffixes, "size",
		          " octets; k, M or G may stand behind the number");
		break;
	case CONF_SHARE:
		set_number(&s, share_suffixes, "share", " percent");
		break;
	case CONF_CHOICE:
		set_choice(&s);
		break;
	case CONF_ZONEMD:
		set_zonemd(&s);
		break;
	case CONF_TEXT:
		set_text(&s, conf_arena_text(&b->conf->own->arena, value, strlen(value)));
		break;
	case CONF_OCTETS:
		set_octets(&s);
		break;
	case CONF_SWITCH:
		set_switch(&s);
		break;
	case CONF_DURABILITY:
		set_durability(&s);
		break;
	case CONF_DIR:
		set_dir(&s);
		break;
	case CONF_USER:
		set_user(&s);
		break;
	case CONF_PATH:
		set_text(&s, conf_path_join(&b->conf->own->arena, where->file, value));
		break;
	case CONF_SOCKET:
		set_socket(&s);
		break;
	case CONF_LOG_TARGET:
		set_log_target(&s);
		break;
	case CONF_LOG_LEVEL:
		set_log_level(&s);
		break;
	case CONF_LOG_FACILITY:
		set_log_facility(&s);
		break;
	case CONF_ADDRESSES:
		add_items(&s, add_address);
		break;
	case CONF_PREFIXES:
		add_items(&s, add_prefix);
		break;
	case CONF_SOURCES:
		add_items(&s, add_source);
		break;
	case CONF_NAMES:
		add_items(&s, add_name);
		break;
	case CONF_KEY_NAME:
		add_name(&s, value);
		break;
	case CONF_ALGORITHM:
		conf_key_algorithm(b, object->target, value, where);
		break;
	case CONF_SECRET:
		conf_key_secret(b, object->target, value, where);
		break;
	case CONF_SECRET_FILE:
		conf_key_secret_file(b, object->target, value, where);
		break;
	case CONF_COOKIE_SECRETS:
		add_items(&s, add_cookie_secret);
		break;
	case CONF_FILES:
	case CONF_LISTS:
		conf_include(b, option->type, value, where);
		break;
	}
}
