/* conf/objects.c - the sections of one title add up to one object; names are told apart here. */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

typedef struct title {
	conf_section_t space;
	const char *name;
	size_t len;
} title_t;

/* Primaries and groups share their names, since a zone may name either. */
static conf_section_t space_of(conf_section_t section)
{
	return section == CONF_GROUP ? CONF_PRIMARY : section;
}

static bool same_title(const void *list, uint32_t place, const void *key)
{
	const conf_object_t *object = ((conf_object_t *const *)list)[place];
	const title_t *title = key;

	return space_of(object->section) == title->space &&
	       strncmp(object->name, title->name, title->len) == 0 &&
	       object->name[title->len] == '\0';
}

static uint64_t title_hash(const conf_build_t *b, const title_t *title)
{
	return siphash13_chain(&b->conf->own->key, title->space, title->name, title->len);
}

static conf_object_t *find(const conf_build_t *b, const title_t *title)
{
	uint32_t i = conf_table_find(&b->object_table, title_hash(b, title), same_title, b->objects,
	                             title);

	return i == CONF_NONE ? NULL : b->objects[i];
}

conf_object_t *conf_object_find(const conf_build_t *b, const char *name, size_t len)
{
	const title_t title = { CONF_PRIMARY, name, len };

	return find(b, &title);
}

/* The configuration knows each key, primary and group from here on, and frees it. */
static void *target_new(conf_build_t *b, conf_section_t section, const char *name)
{
	conf_t *conf = b->conf;

	if (section == CONF_SERVER || section == CONF_LOG)
		return conf;
	if (section == CONF_PRIMARY) {
		conf_primary_t *primary = conf_arena_take(&conf->own->arena, sizeof *primary);
		const conf_primary_t **list =
			conf_list_grow(conf->primaries, conf->primary_count, sizeof *list);

		conf->primaries = list ? list : conf->primaries;
		if (!list || !primary)
			return NULL;
		primary->name = name;
		primary->index = conf->primary_count;
		list[conf->primary_count++] = primary;
		return primary;
	}
	if (section == CONF_GROUP) {
		conf_group_t *group = conf_arena_take(&conf->own->arena, sizeof *group);
		const conf_group_t **list =
			conf_list_grow(conf->groups, conf->group_count, sizeof *list);

		conf->groups = list ? list : conf->groups;
		if (!list || !group)
			return NULL;
		group->name = name;
		group->index = conf->group_count;
		list[conf->group_count++] = group;
		return group;
	}
	if (section == CONF_KEY) {
		conf_key_t *key = conf_arena_take(&conf->own->arena, sizeof *key);
		conf_key_t **list = conf_list_grow(conf->keys, conf->key_count, sizeof *list);

		conf->keys = list ? list : conf->keys;
		if (!list || !key)
			return NULL;
		key->name = name;
		list[conf->key_count++] = key;
		return key;
	}
	return b; /* zones and includes keep nothing of their own */
}

static conf_object_t *object_new(conf_build_t *b, conf_section_t section, const title_t *title,
                                 const conf_where_t *where)
{
	conf_object_t *object = conf_arena_take(&b->arena, sizeof *object), **list;
	char *name = conf_arena_text(&b->conf->own->arena, title->name, title->len);
	size_t options;

	conf_options_of(section, &options);
	list = conf_list_grow(b->objects, b->object_count, sizeof *list);
	b->objects = list ? list : b->objects;
	if (!object || !name || !list)
		goto nomem;
	object->section = section;
	object->name = name;
	object->first = *where;
	object->seen = conf_arena_take(&b->arena, options * sizeof *object->seen);
	object->target = target_new(b, section, name);
	if (!object->seen || !object->target ||
	    conf_table_add(&b->object_table, title_hash(b, title), (uint32_t)b->object_count) !=
	            ST_OK)
		goto nomem;
	list[b->object_count++] = object;
	return object;
nomem:
	b->status = ST_NOMEM;
	return NULL;
}

conf_object_t *conf_object_open(conf_build_t *b, conf_section_t section, const char *name,
                                const conf_where_t *where)
{
	const title_t title = { space_of(section), name, strlen(name) };
	conf_object_t *object = find(b, &title);
	char place[CONF_PLACE_MAX];

	if (object && object->section != section) {
		conf_fault(b, where, "a %s is named %s already at %s; give this %s another name",
		           conf_section_text(object->section), name,
		           conf_place(&object->first, place), conf_section_text(section));
		return NULL;
	}
	if (object)
		return object;
	if (section == CONF_KEY && b->conf->key_count == CONF_KEYS_MAX) {
		conf_fault(b, where, "this key is one too many; write at most %d", CONF_KEYS_MAX);
		return NULL;
	}
	return object_new(b, section, &title, where);
}
