/* conf/store.h - memory for many small things that die together, and an index over them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/status.h"

/* An arena: chunks that are freed in one go. Starts with zeros. */
typedef struct conf_arena {
	struct conf_chunk *chunks;
} conf_arena_t;

/* Zeroed octets, aligned for any type; NULL: no memory. */
void *conf_arena_take(conf_arena_t *arena, size_t size);

/* A copy of len octets, unaligned; conf_arena_text adds the NUL. NULL: no memory. */
void *conf_arena_copy(conf_arena_t *arena, const void *bytes, size_t len);
char *conf_arena_text(conf_arena_t *arena, const char *text, size_t len);
void conf_arena_free(conf_arena_t *arena);

/* Room for one element more of a list of count: it doubles at powers of two, so that list and
 * count are all there is to keep. Returns the list, which may have moved; NULL: no memory, the
 * old one stands. free() frees it. */
void *conf_list_grow(void *list, size_t count, size_t element);

enum { CONF_NONE = UINT32_MAX };

/* An index from keys to places in some list. Keeps hashes, not keys: same() looks at those. */
typedef struct conf_table {
	struct conf_slot *slots;
	size_t size; /* a power of two, or 0 */
	size_t count;
} conf_table_t;

typedef bool (*conf_same_fn)(const void *list, uint32_t place, const void *key);

/* The place of key, or CONF_NONE. */
uint32_t conf_table_find(const conf_table_t *table, uint64_t hash, conf_same_fn same,
                         const void *list, const void *key);

/* The key is not there yet. ST_NOMEM: nothing changed. */
status_t conf_table_add(conf_table_t *table, uint64_t hash, uint32_t place);
void conf_table_free(conf_table_t *table);
