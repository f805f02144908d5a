/* conf/store.c - an arena of chunks and an open hash table of places. */
#include "conf/store.h"

#include <stdlib.h>
#include <string.h>

#include "common/huge.h"

enum { CHUNK_SIZE = 65536, ALIGN = 16, TABLE_FIRST = 16 };

typedef struct conf_chunk {
	struct conf_chunk *next;
	size_t used, size;
	_Alignas(ALIGN) uint8_t bytes[];
} conf_chunk_t;

static conf_chunk_t *chunk_for(conf_arena_t *arena, size_t size)
{
	size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	conf_chunk_t *chunk = arena->chunks;

	if (chunk && chunk->size - chunk->used >= size)
		return chunk;
	if (room > SIZE_MAX - sizeof *chunk)
		return NULL;
	chunk = malloc(sizeof *chunk + room);
	if (!chunk)
		return NULL;
	*chunk = (conf_chunk_t){ .next = arena->chunks, .size = room };
	arena->chunks = chunk;
	return chunk;
}

void *conf_arena_take(conf_arena_t *arena, size_t size)
{
	conf_chunk_t *chunk = chunk_for(arena, size + ALIGN);
	uint8_t *p;

	if (!chunk)
		return NULL;
	chunk->used = (chunk->used + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	p = chunk->bytes + chunk->used;
	chunk->used += size;
	return memset(p, 0, size);
}

void *conf_arena_copy(conf_arena_t *arena, const void *bytes, size_t len)
{
	conf_chunk_t *chunk = chunk_for(arena, len);
	uint8_t *p;

	if (!chunk)
		return NULL;
	p = chunk->bytes + chunk->used;
	chunk->used += len;
	return memcpy(p, bytes, len);
}

char *conf_arena_text(conf_arena_t *arena, const char *text, size_t len)
{
	conf_chunk_t *chunk = chunk_for(arena, len + 1);
	char *p;

	if (!chunk)
		return NULL;
	p = (char *)chunk->bytes + chunk->used;
	chunk->used += len + 1;
	memcpy(p, text, len);
	p[len] = '\0';
	return p;
}

void conf_arena_free(conf_arena_t *arena)
{
	while (arena->chunks) {
		conf_chunk_t *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
}

void *conf_list_grow(void *list, size_t count, size_t element)
{
	if ((count & (count - 1)) != 0)
		return list;
	return reallocarray(list, count ? 2 * count : 1, element);
}

typedef struct conf_slot {
	uint32_t hash;
	uint32_t place; /* plus one; 0: free */
} conf_slot_t;

uint32_t conf_table_find(const conf_table_t *table, uint64_t hash, conf_same_fn same,
                         const void *list, const void *key)
{
	if (table->size == 0)
		return CONF_NONE;
	for (size_t i = hash & (table->size - 1);; i = (i + 1) & (table->size - 1)) {
		const conf_slot_t *slot = &table->slots[i];

		if (slot->place == 0)
			return CONF_NONE;
		if (slot->hash == (uint32_t)hash && same(list, slot->place - 1, key))
			return slot->place - 1;
	}
}

static void put(conf_slot_t *slots, size_t size, conf_slot_t slot)
{
	size_t i = slot.hash & (size - 1);

	while (slots[i].place != 0)
		i = (i + 1) & (size - 1);
	slots[i] = slot;
}

/* A table over 2^32 slots would need more of the hash than a slot keeps. */
static status_t grow(conf_table_t *table)
{
	size_t size = table->size ? 2 * table->size : TABLE_FIRST;
	conf_slot_t *slots = size <= UINT32_MAX ? huge_take(size * sizeof *slots) : NULL;

	if (!slots)
		return ST_NOMEM;
	memset(slots, 0, size * sizeof *slots);
	for (size_t i = 0; i < table->size; i++) {
		if (table->slots[i].place != 0)
			put(slots, size, table->slots[i]);
	}
	huge_give(table->slots, table->size * sizeof *slots);
	table->slots = slots;
	table->size = size;
	return ST_OK;
}

status_t conf_table_add(conf_table_t *table, uint64_t hash, uint32_t place)
{
	if (2 * (table->count + 1) > table->size && grow(table) != ST_OK)
		return ST_NOMEM;
	put(table->slots, table->size, (conf_slot_t){ (uint32_t)hash, place + 1 });
	table->count++;
	return ST_OK;
}

void conf_table_free(conf_table_t *table)
{
	huge_give(table->slots, table->size * sizeof(conf_slot_t));
	*table = (conf_table_t){ 0 };
}
