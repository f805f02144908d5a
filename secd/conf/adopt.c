/* conf/adopt.c - zones that the files have lost. */
#include "conf/build.h"

#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

static const conf_primary_t *find_primary(const conf_t *conf, const char *name)
{
	for (size_t i = 0; i < conf->primary_count; i++) {
		if (strcmp(conf->primaries[i]->name, name) == 0)
			return conf->primaries[i];
	}
	return NULL;
}

static bool is_of(const conf_group_t *g, const conf_primary_t **list, size_t count)
{
	return g->primary_count == count &&
	       (count == 0 || memcmp(g->primaries, list, count * sizeof(void *)) == 0);
}

/* Those with a name come first. */
static const conf_group_t *find_group(const conf_t *conf, const conf_primary_t **list, size_t count)
{
	for (size_t i = 0; i < conf->group_count; i++) {
		if (is_of(conf->groups[i], list, count))
			return conf->groups[i];
	}
	return NULL;
}

static const conf_group_t *new_group(conf_t *conf, const conf_primary_t **list, size_t count)
{
	conf_faults_t faults = { 0 };
	conf_build_t b = { .conf = conf, .faults = &faults };
	const conf_policy_t policy = conf_default_policy(&b);
	conf_group_t *g = b.status == ST_OK ? conf_group_nameless(&b, &policy, count) : NULL;

	if (g) {
		for (size_t i = 0; i < count; i++)
			g->primaries[i] = list[i];
		g->primary_count = count;
		conf_group_notify(&b, g);
	}
	conf_faults_free(&faults);
	conf_arena_free(&b.arena);
	return b.status == ST_OK ? g : NULL;
}

status_t conf_adopt(conf_t *conf, const uint8_t *apex, const char *const *primaries, size_t count,
                    const char *from)
{
	const conf_primary_t **list = calloc(count + 1, sizeof *list);
	const uint8_t *copy = conf_arena_copy(&conf->own->arena, apex, dns_wire_len(apex));
	const char *file = conf_arena_text(&conf->own->arena, from, strlen(from));
	conf_zone_t *zones = reallocarray(conf->zones, conf->zone_count + 1, sizeof *zones);
	const conf_group_t *g = NULL;
	size_t found = 0;

	conf->zones = zones ? zones : conf->zones;
	if (!list || !copy || !file || !zones) {
		free(list);
		return ST_NOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		list[found] = find_primary(conf, primaries[i]);
		found += list[found] != NULL;
	}
	g = find_group(conf, list, found);
	if (!g)
		g = new_group(conf, list, found);
	free(list);
	if (!g)
		return ST_NOMEM;
	zones[conf->zone_count++] = (conf_zone_t){ .apex = copy, .group = g, .file = file };
	return ST_OK;
}
