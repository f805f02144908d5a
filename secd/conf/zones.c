/* conf/zones.c - zones as they are read: each name once, each wording of primaries kept once. */
#include "conf/build.h"

#include "dns/name.h"

#include <stdlib.h>
#include <string.h>

typedef struct span {
	const char *text;
	size_t len;
} span_t;

static bool same_zone(const void *list, uint32_t place, const void *key)
{
	const uint8_t *apex = ((const conf_zone_t *)list)[place].apex;
	size_t len = dns_wire_len(key);

	/* The first octets say how long a name is, so equal ones can't end apart. */
	return dns_wire_len(apex) == len && memcmp(apex, key, len) == 0;
}

static bool same_ref(const void *list, uint32_t place, const void *key)
{
	const conf_ref_t *ref = &((const conf_ref_t *)list)[place];
	const span_t *span = key;

	return ref->len == span->len && memcmp(ref->text, span->text, span->len) == 0;
}

/* "hidden ,  backup" and "hidden,backup" are one wording. out is as big as text. */
static size_t join_items(const char *text, char *out)
{
	const char *item;
	size_t len, used = 0;

	while (conf_item_next(&text, &item, &len)) {
		if (used > 0)
			out[used++] = ',';
		memmove(out + used, item, len);
		used += len;
	}
	return used;
}

/* The place of a wording among refs; CONF_NONE: no memory, which is noted. */
static uint32_t ref_intern(conf_build_t *b, const span_t *span)
{
	uint64_t hash = siphash13(&b->conf->own->key, span->text, span->len);
	uint32_t i = conf_table_find(&b->ref_table, hash, same_ref, b->refs, span);
	conf_ref_t *list, ref = { .len = span->len };

	if (i != CONF_NONE)
		return i;
	list = conf_list_grow(b->refs, b->ref_count, sizeof *list);
	b->refs = list ? list : b->refs;
	ref.text = conf_arena_text(&b->arena, span->text, span->len);
	if (!list || !ref.text ||
	    conf_table_add(&b->ref_table, hash, (uint32_t)b->ref_count) != ST_OK) {
		b->status = ST_NOMEM;
		return CONF_NONE;
	}
	list[b->ref_count] = ref;
	return (uint32_t)b->ref_count++;
}

static void append(conf_build_t *b, const dns_name_t *name, uint64_t hash, uint32_t ref,
                   const conf_where_t *where)
{
	conf_t *conf = b->conf;
	const uint8_t *apex = conf_arena_copy(&conf->own->arena, name->wire, name->len);
	conf_zone_t *zones = conf_list_grow(conf->zones, conf->zone_count, sizeof *zones);
	conf_origin_t *origins = conf_list_grow(b->origins, conf->zone_count, sizeof *origins);

	conf->zones = zones ? zones : conf->zones;
	b->origins = origins ? origins : b->origins;
	if (!apex || !zones || !origins || conf->zone_count >= CONF_NONE - 1 ||
	    conf_table_add(&b->zone_table, hash, (uint32_t)conf->zone_count) != ST_OK) {
		b->status = ST_NOMEM;
		return;
	}
	origins[conf->zone_count] = (conf_origin_t){ ref, where->order };
	zones[conf->zone_count++] =
		(conf_zone_t){ .apex = apex, .file = where->file, .line = where->line };
}

static bool parse_name(conf_build_t *b, const char *text, dns_name_t *out,
                       const conf_where_t *where)
{
	status_t st = dns_name_from_text(text, out);

	if (st == ST_OK) {
		dns_name_fold(out);
		return true;
	}
	if (st == ST_LIMIT)
		conf_fault(
			b, where,
			"zone name '%.80s' is too long; write labels of at most 63 and a name of "
			"at most 255 octets",
			text);
	else
		conf_fault(b, where,
		           "zone name '%.80s' has an empty label or a bad escape; write labels "
		           "divided by single dots, odd octets as \\DDD",
		           text);
	return false;
}

void conf_zone_add(conf_build_t *b, const char *name, const char *primaries,
                   const conf_where_t *where)
{
	char joined[4096], place[CONF_PLACE_MAX];
	span_t span = { .text = joined };
	dns_name_t apex;
	uint64_t hash;
	uint32_t i;

	if (!parse_name(b, name, &apex, where))
		return;
	hash = siphash13(&b->conf->own->key, apex.wire, apex.len);
	i = conf_table_find(&b->zone_table, hash, same_zone, b->conf->zones, apex.wire);
	if (i != CONF_NONE) {
		const conf_zone_t *first = &b->conf->zones[i];
		const conf_where_t at = { .file = first->file, .line = first->line };

		conf_fault(b, where, "zone %.80s stands here and at %s; remove one", name,
		           conf_place(&at, place));
		return;
	}
	if (strlen(primaries) < sizeof joined) /* as every line is */
		span.len = join_items(primaries, joined);
	if (span.len == 0) {
		conf_fault(b, where,
		           "zone %.80s names no primary; write primaries or a group behind it",
		           name);
		return;
	}
	i = ref_intern(b, &span);
	if (i != CONF_NONE)
		append(b, &apex, hash, i, where);
}
