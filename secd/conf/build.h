/* conf/build.h - a configuration while it is read; for the files of conf/ alone.
 *
 *     parse.c     secd.ini(5) files: inih's door, sections, keys  -+
 *     zonelist.c  plain lists of zones                            -+-> what they say, with places
 *     include.c   which files are read, and in which order        -+
 *     options.c   the table    value.c  text to settings
 *     objects.c   sections of one title         zones.c  zones, no name twice
 *     keys.c      keys of TSIG
 *     resolve.c   when all is read: who names whom, defaults
 *     reach.c     which paths there are, and may they be used
 *     conf.c      from first to last: conf_read()
 *     faults.c    what was wrong
 *
 * Nothing stops at the first fault: a function that meets one tells it and goes on. Only
 * want of memory ends the work: it sticks in status. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/siphash.h"
#include "common/status.h"
#include "conf/conf.h"
#include "conf/source.h"
#include "conf/store.h"

typedef struct conf_where {
	const char *file;
	unsigned line;  /* 0: not in a file, or no line of it */
	unsigned order; /* of the file */
} conf_where_t;

typedef struct conf_named {
	const char *name;
	conf_where_t where;
} conf_named_t;

/* What a section sets: all sections of one title add up to one object. */
typedef struct conf_object {
	conf_section_t section;
	const char *name; /* "" where the section has none */
	conf_where_t first;
	void *target; /* conf_t, conf_key_t, conf_primary_t, conf_group_t; NULL for the others */
	conf_where_t *seen;  /* where each option of the section was set first, by its index */
	conf_named_t *names; /* primaries of a group, the key of a primary */
	size_t name_count;
} conf_object_t;

/* One wording of a zone's primaries: 100,000 zones of one customer share it. */
typedef struct conf_ref {
	const char *text; /* items joined by commas */
	size_t len;
	const conf_group_t *group; /* once it is resolved */
	const char *why;           /* or the reason why it can't be */
} conf_ref_t;

typedef struct conf_file {
	const char *path;
	conf_where_t by; /* who asked for it */
	dev_t dev;
	ino_t ino;
	bool open; /* it is being read: an include of it is a circle */
} conf_file_t;

typedef struct conf_origin {
	uint32_t ref;
	unsigned order;
} conf_origin_t;

/* A path that the settings name, and what has to be possible with it. */
typedef enum conf_use {
	CONF_USE_FILE,
	CONF_USE_PATTERN,
	CONF_USE_STATE,
	CONF_USE_SOCKET
} conf_use_t;
typedef struct conf_path {
	conf_use_t use;
	const char *path;
	conf_where_t where;
} conf_path_t;

struct conf_own {
	conf_arena_t arena;
	siphash_key_t key;
	conf_path_t *paths;
	size_t path_count;
};

typedef struct conf_build {
	conf_t *conf;
	conf_faults_t *faults;
	status_t status;    /* ST_OK or ST_NOMEM, which stops all */
	bool memory_only;   /* other files must not be opened */
	conf_arena_t arena; /* of what is forgotten when all is read */
	unsigned depth;

	conf_object_t **objects;
	size_t object_count;
	conf_table_t object_table;
	conf_ref_t *refs;
	size_t ref_count;
	conf_table_t ref_table;
	conf_origin_t *origins; /* one for each zone of conf->zones */
	conf_table_t zone_table;
	conf_file_t *files;
	size_t file_count;
	conf_table_t file_table;
} conf_build_t;

/* --- faults.c */
void conf_fault(conf_build_t *b, const conf_where_t *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void conf_warning(conf_build_t *b, const conf_where_t *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Sort, and tell how many were left out; main is the file that the count is blamed on. */
void conf_faults_finish(conf_faults_t *faults, const char *main);
#define CONF_PLACE_MAX 300
/* "file:line", for texts that name a second place; returns out. */
const char *conf_place(const conf_where_t *where, char out[CONF_PLACE_MAX]);

/* --- options.c */
const conf_option_t *conf_option_find(conf_section_t section, const char *key);
/* The first option of the section, and how many follow one another. */
const conf_option_t *conf_options_of(conf_section_t section, size_t *count);
/* "listen, workers, ..."; returns out. */
const char *conf_options_text(conf_section_t section, char *out, size_t room);

/* --- value.c */
/* Set an option of an object that is not set yet, or add to a list. */
void conf_value_set(conf_build_t *b, conf_object_t *object, const conf_option_t *option,
                    const char *value, const conf_where_t *where);
/* The next item of a list divided by commas and blanks; false at its end. */
bool conf_item_next(const char **at, const char **item, size_t *len);
/* path as seen from the place of file; NULL: no memory. In arena. */
const char *conf_path_join(conf_arena_t *arena, const char *file, const char *path);

/* --- objects.c */
/* The object of a section's title; made when it is the first. NULL after a fault. */
conf_object_t *conf_object_open(conf_build_t *b, conf_section_t section, const char *name,
                                const conf_where_t *where);
/* The primary or group of this name, or NULL. */
conf_object_t *conf_object_find(const conf_build_t *b, const char *name, size_t len);

/* --- zones.c */
void conf_zone_add(conf_build_t *b, const char *name, const char *primaries,
                   const conf_where_t *where);

/* --- parse.c, zonelist.c, include.c */
void conf_parse(conf_build_t *b, conf_source_t *src);
void conf_zonelist(conf_build_t *b, conf_source_t *src);
/* Read what an option of [include] names: a path or a pattern, from the file of where. */
void conf_include(conf_build_t *b, conf_type_t type, const char *value, const conf_where_t *where);
/* The main file. */
void conf_include_main(conf_build_t *b, const char *path);

/* glob()'s error function: a directory that is not there matches nothing; one that can't be read is a fault. */
int conf_glob_error(const char *path, int error);

/* --- reach.c */
/* For conf_reach(): path is copied. */
void conf_path_keep(conf_build_t *b, conf_use_t use, const char *path, const conf_where_t *where);

/* --- keys.c */
void conf_key_algorithm(conf_build_t *b, conf_key_t *key, const char *value,
                        const conf_where_t *where);
void conf_key_secret(conf_build_t *b, conf_key_t *key, const char *value,
                     const conf_where_t *where);
/* value is the path of a file that holds the secret, from the file of where. */
void conf_key_secret_file(conf_build_t *b, conf_key_t *key, const char *value,
                          const conf_where_t *where);
/* All is read: names, what is missing, whose they are. */
void conf_resolve_keys(conf_build_t *b);

/* --- adopt.c, resolve.c */
/* What a group has that sets nothing. */
conf_policy_t conf_default_policy(conf_build_t *b);
/* A group without a name, of so many primaries at most, which are to be filled in; and who may send NOTIFY then. NULL:
 * no memory. */
conf_group_t *conf_group_nameless(conf_build_t *b, const conf_policy_t *policy, size_t primaries);
void conf_group_notify(conf_build_t *b, conf_group_t *group);

/* --- resolve.c */
/* Where an option was set, or NULL for a default. */
const conf_where_t *conf_where_set(const conf_object_t *object, const char *key);
/* All is read: defaults, what is required, who names whom. */
void conf_resolve(conf_build_t *b);
