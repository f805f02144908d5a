/* tests/unit/conf/test_store.c - the arena and the index behind a configuration. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "conf/store.h"

TestSuite(conf_store, .timeout = 10);

Test(conf_store, takes_aligned_zeroed_memory_between_texts_of_any_length)
{
	conf_arena_t arena = { 0 };

	for (size_t i = 0; i < 20000; i++) {
		const char *text = conf_arena_text(&arena, "abcdefgh", i % 9);
		uint8_t *p = conf_arena_take(&arena, 24);

		cr_assert(text != NULL && p != NULL);
		cr_assert(eq(sz, strlen(text), i % 9));
		cr_assert(eq(sz, (size_t)(uintptr_t)p % 16, 0));
		for (size_t j = 0; j < 24; j++)
			cr_assert(eq(int, p[j], 0));
		memset(p, 0xff, 24);
	}
	cr_assert(conf_arena_take(&arena, 1000000) != NULL, "more than a chunk holds");
	conf_arena_free(&arena);
	cr_expect(arena.chunks == NULL);
}

static bool same_number(const void *list, uint32_t place, const void *key)
{
	return ((const uint32_t *)list)[place] == *(const uint32_t *)key;
}

Test(conf_store, finds_each_key_and_no_other_also_when_all_hashes_collide)
{
	for (int colliding = 0; colliding < 2; colliding++) {
		size_t most = colliding ? 300 : 5000;
		conf_table_t table = { 0 };
		uint32_t *list = NULL;

		for (uint32_t i = 0; i < most; i++) {
			uint64_t hash = colliding ? 7 : (uint64_t)i * 0x9e3779b97f4a7c15u;

			list = conf_list_grow(list, i, sizeof *list);
			cr_assert(list != NULL);
			list[i] = i * 3;
			cr_assert(eq(u32,
			             conf_table_find(&table, hash, same_number, list, &list[i]),
			             CONF_NONE));
			cr_assert(eq(int, conf_table_add(&table, hash, i), ST_OK));
		}
		for (uint32_t i = 0; i < most; i++) {
			uint64_t hash = colliding ? 7 : (uint64_t)i * 0x9e3779b97f4a7c15u;
			uint32_t other = i * 3 + 1;

			cr_assert(eq(u32,
			             conf_table_find(&table, hash, same_number, list, &list[i]),
			             i));
			cr_assert(eq(u32, conf_table_find(&table, hash, same_number, list, &other),
			             CONF_NONE));
		}
		conf_table_free(&table);
		free(list);
	}
}
