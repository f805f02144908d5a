/* conf/include.c - which files are read: paths, patterns, circles, depth. */
#include "conf/build.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

typedef struct identity {
	dev_t dev;
	ino_t ino;
} identity_t;

static bool same_file(const void *list, uint32_t place, const void *key)
{
	const conf_file_t *file = &((const conf_file_t *)list)[place];
	const identity_t *id = key;

	return file->dev == id->dev && file->ino == id->ino;
}

static uint64_t file_hash(const conf_build_t *b, const identity_t *id)
{
	return siphash13_chain(&b->conf->own->key, id->dev, &id->ino, sizeof id->ino);
}

/* A file that was read already, or is being read: told, and true. */
static bool is_known(conf_build_t *b, const conf_source_t *src, const conf_where_t *by)
{
	const identity_t id = { src->dev, src->ino };
	uint32_t i = conf_table_find(&b->file_table, file_hash(b, &id), same_file, b->files, &id);
	char place[CONF_PLACE_MAX];

	if (i == CONF_NONE)
		return false;
	if (b->files[i].open)
		conf_fault(b, by,
		           "%s includes %s again, which is still being read: a circle; remove "
		           "this include",
		           by->file, b->files[i].path);
	else
		conf_fault(b, by, "%s was read already, by way of %s; remove one of the two",
		           b->files[i].path, conf_place(&b->files[i].by, place));
	return true;
}

/* Give the file its place among those read. Pipes and the like are not told apart. */
static status_t remember(conf_build_t *b, conf_source_t *src, const conf_where_t *by)
{
	const identity_t id = { src->dev, src->ino };
	conf_file_t *list = conf_list_grow(b->files, b->file_count, sizeof *list);

	if (!list)
		return ST_NOMEM;
	b->files = list;
	if (src->is_regular &&
	    conf_table_add(&b->file_table, file_hash(b, &id), (uint32_t)b->file_count) != ST_OK)
		return ST_NOMEM;
	src->order = (unsigned)b->file_count;
	if (src->is_regular)
		conf_path_keep(b, CONF_USE_FILE, src->path, by);
	list[b->file_count++] = (conf_file_t){
		.path = src->path, .by = *by, .dev = src->dev, .ino = src->ino, .open = true
	};
	return ST_OK;
}

static void tell_unreadable(conf_build_t *b, const conf_where_t *by, const char *path, status_t st)
{
	if (st == ST_NOMEM)
		b->status = ST_NOMEM;
	else if (by->line == 0)
		conf_fault(b, by, "can't be read: %s",
		           st == ST_LIMIT ? "too big" : strerror(errno));
	else
		conf_fault(b, by, "%s can't be read: %s; correct the path or the file", path,
		           st == ST_LIMIT ? "too big" : strerror(errno));
}

/* path lives as long as the configuration: zones and faults point to it. */
static void read_file(conf_build_t *b, conf_type_t type, const char *path, const conf_where_t *by)
{
	conf_source_t src;
	status_t st = conf_source_open(&src, path);

	if (st != ST_OK) {
		tell_unreadable(b, by, path, st);
		return;
	}
	if (src.is_regular && is_known(b, &src, by))
		goto out;
	if (remember(b, &src, by) != ST_OK) {
		b->status = ST_NOMEM;
		goto out;
	}
	b->depth++;
	if (type == CONF_LISTS)
		conf_zonelist(b, &src);
	else
		conf_parse(b, &src);
	b->depth--;
	b->files[src.order].open = false;
out:
	conf_source_close(&src);
}

/* file's directory with each character that glob() would take for a pattern kept as it is. */
static const char *pattern_from(conf_build_t *b, const char *file, const char *path)
{
	size_t n = 0;
	char *quoted = conf_arena_take(&b->arena, 2 * strlen(file) + 1);

	if (!quoted)
		return NULL;
	for (const char *p = file; *p; p++) {
		if (strchr("*?[]\\", *p))
			quoted[n++] = '\\';
		quoted[n++] = *p;
	}
	return conf_path_join(&b->arena, quoted, path);
}

int conf_glob_error(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static void read_matches(conf_build_t *b, conf_type_t type, const char *value,
                         const conf_where_t *by)
{
	const char *pattern = pattern_from(b, by->file, value);
	glob_t found = { 0 };
	int rc = pattern ? glob(pattern, 0, conf_glob_error, &found) : GLOB_NOSPACE;

	if (pattern)
		conf_path_keep(b, CONF_USE_PATTERN, pattern, by);
	if (rc == GLOB_NOMATCH)
		conf_warning(b, by, "no file matches %.150s; correct the pattern, or remove it",
		             value);
	else if (rc == GLOB_ABORTED)
		conf_fault(b, by,
		           "a directory of %.150s can't be read: %s; correct its permissions",
		           value, strerror(errno));
	else if (rc != 0)
		b->status = ST_NOMEM;
	for (size_t i = 0; rc == 0 && b->status == ST_OK && i < found.gl_pathc; i++) {
		const char *path = conf_arena_text(&b->conf->own->arena, found.gl_pathv[i],
		                                   strlen(found.gl_pathv[i]));

		if (path)
			read_file(b, type, path, by);
		else
			b->status = ST_NOMEM;
	}
	globfree(&found);
}

void conf_include(conf_build_t *b, conf_type_t type, const char *value, const conf_where_t *by)
{
	const char *path;

	if (b->memory_only) {
		conf_fault(b, by, "nothing can be included from here; remove [include]");
		return;
	}
	if (b->depth >= CONF_DEPTH_MAX) {
		conf_fault(b, by,
		           "%s includes %.150s, which would be more than %d files deep; include "
		           "it further up",
		           by->file, value, CONF_DEPTH_MAX);
		return;
	}
	if (strpbrk(value, "*?[")) {
		read_matches(b, type, value, by);
		return;
	}
	path = conf_path_join(&b->conf->own->arena, by->file, value);
	if (path)
		read_file(b, type, path, by);
	else
		b->status = ST_NOMEM;
}

void conf_include_main(conf_build_t *b, const char *path)
{
	const char *kept = conf_arena_text(&b->conf->own->arena, path, strlen(path));
	const conf_where_t by = { .file = kept };

	if (kept)
		read_file(b, CONF_FILES, kept, &by);
	else
		b->status = ST_NOMEM;
}
