/* conf/resolve.c - when all is read: defaults, what is missing, and names become pointers. */
#include "conf/build.h"

#include "dns/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_defaults(conf_build_t *b, conf_object_t *object)
{
	size_t count;
	const conf_option_t *option = conf_options_of(object->section, &count);

	for (size_t i = 0; i < count; i++, option++) {
		if (object->seen[i].line == 0 && option->fallback)
			conf_value_set(b, object, option, option->fallback, &object->first);
	}
}

static void tell_missing(conf_build_t *b, const conf_object_t *object)
{
	size_t count;
	const conf_option_t *option = conf_options_of(object->section, &count);

	for (size_t i = 0; i < count; i++, option++) {
		if (object->seen[i].line == 0 && option->required)
			conf_fault(b, &object->first, "[%s %s] has no %s; write one",
			           conf_section_text(object->section), object->name, option->key);
	}
}

const conf_where_t *conf_where_set(const conf_object_t *object, const char *key)
{
	size_t count;
	const conf_option_t *first = conf_options_of(object->section, &count);
	const conf_where_t *where = &object->seen[conf_option_find(object->section, key) - first];

	return where->line == 0 ? NULL : where;
}

static void check_range(conf_build_t *b, const conf_object_t *object, const char *what,
                        uint32_t min, uint32_t max)
{
	char low[32], high[32];
	const conf_where_t *at;

	if (min <= max)
		return;
	snprintf(low, sizeof low, "min-%s", what);
	snprintf(high, sizeof high, "max-%s", what);
	at = conf_where_set(object, high);
	if (!at)
		at = conf_where_set(object, low);
	conf_fault(b, at ? at : &object->first,
	           "[group %s] has %s of %u s above %s of %u s; raise the one or lower the other",
	           object->name, low, min, high, max);
}

/* Who may send NOTIFY, ready for matching. */
void conf_group_notify(conf_build_t *b, conf_group_t *group)
{
	size_t count = 0;
	addr_rule_t *list;

	for (size_t i = 0; i < group->primary_count; i++)
		count += group->primaries[i]->address_count +
		         group->primaries[i]->notify_from_count;
	list = conf_arena_take(&b->conf->own->arena, (count + 1) * sizeof *list);
	if (!list) {
		b->status = ST_NOMEM;
		return;
	}
	group->notify = (addr_acl_t){ list, count };
	for (size_t i = 0; i < group->primary_count; i++) {
		const conf_primary_t *primary = group->primaries[i];

		uint16_t key = primary->key ? primary->key->number : 0;

		for (size_t j = 0; j < primary->address_count; j++)
			*list++ = (addr_rule_t){ addr_prefix_of(&primary->addresses[j]), key };
		for (size_t j = 0; j < primary->notify_from_count; j++)
			*list++ = (addr_rule_t){ primary->notify_from[j], key };
	}
}

static bool has_primary(const conf_group_t *group, const conf_primary_t *primary)
{
	for (size_t i = 0; i < group->primary_count; i++) {
		if (group->primaries[i] == primary)
			return true;
	}
	return false;
}

/* Take the primary of this name into the group; NULL when that's done, otherwise why not. The
 * group has room. */
static const char *add_primary(conf_build_t *b, conf_group_t *group, const char *name, size_t len)
{
	const conf_object_t *object = conf_object_find(b, name, len);
	int shown = len < 80 ? (int)len : 80;
	char why[256];
	const char *kept;

	if (!object)
		snprintf(why, sizeof why,
		         "names '%.*s', which is no primary and no group; write a [primary %.*s] "
		         "section or correct the name",
		         shown, name, shown, name);
	else if (object->section == CONF_GROUP)
		snprintf(
			why, sizeof why,
			"names the group %.*s among primaries; write primaries alone, or one group "
			"alone",
			shown, name);
	else if (has_primary(group, object->target))
		snprintf(why, sizeof why, "names %.*s twice; remove one", shown, name);
	else if (group->primary_count == CONF_PRIMARIES_MOST)
		snprintf(why, sizeof why, "names %.*s behind %d others; remove some", shown, name,
		         CONF_PRIMARIES_MOST);
	else {
		group->primaries[group->primary_count++] = object->target;
		return NULL;
	}
	kept = conf_arena_text(&b->arena, why, strlen(why));
	if (!kept)
		b->status = ST_NOMEM;
	return kept ? kept : "is too much for the memory";
}

static bool make_room(conf_build_t *b, conf_group_t *group, size_t count)
{
	group->primaries = conf_arena_take(&b->conf->own->arena, (count + 1) * sizeof(void *));
	if (!group->primaries)
		b->status = ST_NOMEM;
	return group->primaries != NULL;
}

static void resolve_group(conf_build_t *b, const conf_object_t *object)
{
	conf_group_t *group = object->target;
	const conf_policy_t *policy = &group->policy;

	check_range(b, object, "refresh", policy->min_refresh, policy->max_refresh);
	check_range(b, object, "retry", policy->min_retry, policy->max_retry);
	check_range(b, object, "expire", policy->min_expire, policy->max_expire);
	if (!make_room(b, group, object->name_count))
		return;
	for (size_t i = 0; i < object->name_count; i++) {
		const conf_named_t *named = &object->names[i];
		const char *why = add_primary(b, group, named->name, strlen(named->name));

		if (why)
			conf_fault(b, &named->where, "group %s %s", object->name, why);
	}
	conf_group_notify(b, group);
}

/* For zones that name their primaries; the configuration has it. */
conf_group_t *conf_group_nameless(conf_build_t *b, const conf_policy_t *policy, size_t primaries)
{
	conf_t *conf = b->conf;
	conf_group_t *group = conf_arena_take(&conf->own->arena, sizeof *group);
	const conf_group_t **list = conf_list_grow(conf->groups, conf->group_count, sizeof *list);

	conf->groups = list ? list : conf->groups;
	if (!group || !list) {
		b->status = ST_NOMEM;
		return NULL;
	}
	group->policy = *policy;
	group->index = conf->group_count;
	list[conf->group_count++] = group;
	return make_room(b, group, primaries) ? group : NULL;
}

static size_t count_items(const char *text)
{
	const char *item;
	size_t len, count = 0;

	while (conf_item_next(&text, &item, &len))
		count++;
	return count;
}

static void resolve_ref(conf_build_t *b, conf_ref_t *ref, const conf_policy_t *policy)
{
	const conf_object_t *object = conf_object_find(b, ref->text, ref->len);
	const char *at = ref->text, *item;
	conf_group_t *group;
	size_t len;

	if (object && object->section == CONF_GROUP) {
		ref->group = object->target;
		return;
	}
	group = conf_group_nameless(b, policy, count_items(ref->text));
	if (!group)
		return;
	while (!ref->why && conf_item_next(&at, &item, &len))
		ref->why = add_primary(b, group, item, len);
	conf_group_notify(b, group);
	ref->group = group;
}

conf_policy_t conf_default_policy(conf_build_t *b)
{
	conf_group_t group = { 0 };
	conf_object_t object = { .section = CONF_GROUP, .name = "", .target = &group };
	size_t count;

	conf_options_of(CONF_GROUP, &count);
	object.seen = conf_arena_take(&b->arena, count * sizeof *object.seen);
	object.first.file = "";
	if (object.seen)
		fill_defaults(b, &object);
	else
		b->status = ST_NOMEM;
	return group.policy;
}

static void resolve_zones(conf_build_t *b)
{
	conf_t *conf = b->conf;
	conf_policy_t policy = conf_default_policy(b);
	char name[DNS_NAME_TEXT_MAX];

	for (size_t i = 0; b->status == ST_OK && i < b->ref_count; i++)
		resolve_ref(b, &b->refs[i], &policy);
	for (size_t i = 0; b->status == ST_OK && i < conf->zone_count; i++) {
		conf_zone_t *zone = &conf->zones[i];
		const conf_ref_t *ref = &b->refs[b->origins[i].ref];
		const conf_where_t where = { zone->file, zone->line, b->origins[i].order };

		zone->group = ref->group;
		if (ref->why)
			conf_fault(b, &where, "zone %.80s %s", dns_name_text(zone->apex, name),
			           ref->why);
	}
}

void conf_resolve(conf_build_t *b)
{
	for (size_t i = 0; b->status == ST_OK && i < b->object_count; i++) {
		fill_defaults(b, b->objects[i]);
		tell_missing(b, b->objects[i]);
	}
	if (b->status == ST_OK)
		conf_resolve_keys(b);
	/* Only now does every primary have all of its addresses, and its key. */
	for (size_t i = 0; b->status == ST_OK && i < b->object_count; i++) {
		if (b->objects[i]->section == CONF_GROUP)
			resolve_group(b, b->objects[i]);
	}
	if (b->status == ST_OK)
		resolve_zones(b);
}
