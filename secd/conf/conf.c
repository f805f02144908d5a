/* conf/conf.c - from first to last: read, resolve, tell, free. */
#include "conf/build.h"

#include "common/random.h"

#include <stdlib.h>
#include <string.h>

static conf_t *conf_new(void)
{
	conf_t *conf = calloc(1, sizeof *conf);
	conf_own_t *own = calloc(1, sizeof *own);

	if (!conf || !own) {
		free(conf);
		free(own);
		return NULL;
	}
	random_bytes(&own->key, sizeof own->key);
	conf->own = own;
	return conf;
}

void conf_free(conf_t *conf)
{
	if (!conf)
		return;
	for (size_t i = 0; i < conf->primary_count; i++) {
		free(conf->primaries[i]->addresses);
		free(conf->primaries[i]->notify_from);
	}
	for (size_t i = 0; i < conf->key_count; i++) {
		if (conf->keys[i]->secret)
			explicit_bzero(conf->keys[i]->secret, conf->keys[i]->secret_len);
	}
	if (conf->cookie_secrets)
		explicit_bzero(conf->cookie_secrets,
		               conf->cookie_secret_count * sizeof *conf->cookie_secrets);
	free(conf->keys);
	free(conf->listen);
	free(conf->metrics_listen);
	free(conf->cookie_secrets);
	free(conf->primaries);
	free(conf->groups);
	free(conf->zones);
	free(conf->own->paths);
	conf_arena_free(&conf->own->arena);
	free(conf->own);
	free(conf);
}

static void build_free(conf_build_t *b)
{
	for (size_t i = 0; i < b->object_count; i++)
		free(b->objects[i]->names);
	free(b->objects);
	free(b->refs);
	free(b->origins);
	free(b->files);
	conf_table_free(&b->zone_table);
	conf_table_free(&b->object_table);
	conf_table_free(&b->ref_table);
	conf_table_free(&b->file_table);
	conf_arena_free(&b->arena);
}

/* Doubling left up to half of the list unused, which stays for as long as secd runs. */
static void trim(conf_t *conf)
{
	conf_zone_t *zones = NULL;

	if (conf->zone_count > 0)
		zones = reallocarray(conf->zones, conf->zone_count, sizeof *zones);
	if (zones)
		conf->zones = zones;
}

/* All there is, from either path, or src with its name. */
static void build(conf_build_t *b, const char *path, conf_source_t *src)
{
	const char *name = src ? src->path : path;
	const conf_where_t start = { .file = name };

	/* There to take the defaults, also when the file has no such section. */
	conf_object_open(b, CONF_SERVER, "", &start);
	conf_object_open(b, CONF_LOG, "", &start);
	if (b->status == ST_OK && src)
		conf_parse(b, src);
	else if (b->status == ST_OK)
		conf_include_main(b, path);
	if (b->status == ST_OK)
		conf_resolve(b);
	conf_faults_finish(b->faults, name);
}

static status_t read_from(const char *path, conf_source_t *src, conf_t **out, conf_faults_t *faults)
{
	conf_build_t b = { .conf = conf_new(), .faults = faults, .memory_only = src != NULL };

	*out = NULL;
	if (!b.conf)
		return ST_NOMEM;
	build(&b, path, src);
	if (b.status == ST_OK && faults->errors > 0)
		b.status = ST_MALFORMED;
	if (b.status == ST_OK) {
		trim(b.conf);
		*out = b.conf;
	} else {
		conf_free(b.conf);
	}
	build_free(&b);
	return b.status;
}

char *conf_read_control(const char *path, conf_faults_t *faults)
{
	conf_build_t b = { .conf = conf_new(), .faults = faults };
	char *control = NULL;

	if (!b.conf)
		return NULL;
	build(&b, path, NULL);
	if (b.status == ST_OK && b.file_count > 0)
		control = strdup(b.conf->control ? b.conf->control : "");
	conf_free(b.conf);
	build_free(&b);
	return control;
}

status_t conf_read(const char *path, conf_t **out, conf_faults_t *faults)
{
	return read_from(path, NULL, out, faults);
}

status_t conf_read_memory(const char *name, const char *text, size_t len, conf_t **out,
                          conf_faults_t *faults)
{
	conf_source_t src;

	conf_source_over(&src, name, text, len);
	return read_from(name, &src, out, faults);
}
