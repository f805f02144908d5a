/* zone/change.c - two lists of blocks. */
#include "zone/change.h"

void zone_change_begin(zone_change_t *c, zone_arena_t *arena, bool bulk)
{
	zone_arena_collect(arena);
	*c = (zone_change_t){
		.arena = arena,
		.base = zone_arena_base(arena),
		.number = zone_arena_next_change(arena),
		.bulk = bulk,
	};
}

zone_ref_t zone_change_take(zone_change_t *c, size_t octets)
{
	zone_ref_t ref = zone_arena_take(c->arena, octets);

	if (ref == 0 && c->bulk && zone_arena_widen(c->arena, octets)) {
		c->base = zone_arena_base(c->arena);
		ref = zone_arena_take(c->arena, octets);
	}
	if (ref == 0 || c->bulk || zone_blocks_add(&c->taken, ref, octets) == ST_OK)
		return ref;
	zone_arena_give(c->arena, ref, octets);
	return 0;
}

status_t zone_change_replace(zone_change_t *c, zone_ref_t ref, size_t octets, bool own)
{
	if (!c->bulk)
		return zone_blocks_add(own ? &c->spare : &c->replaced, ref, octets);
	zone_arena_give(c->arena, ref, octets);
	return ST_OK;
}

static void give_all(zone_change_t *c, zone_blocks_t *list)
{
	for (size_t i = 0; i < list->count; i++)
		zone_arena_give(c->arena, list->block[i].ref,
		                (size_t)list->block[i].units * ZONE_UNIT);
	zone_blocks_free(list);
}

void zone_change_abort(zone_change_t *c)
{
	give_all(c, &c->taken);
	zone_blocks_free(&c->spare);
	zone_blocks_free(&c->replaced);
}

status_t zone_change_commit(zone_change_t *c, zone_blocks_t *taken, zone_blocks_t *replaced)
{
	for (; c->spare.count > 0; c->spare.count--) { /* it may be called again */
		const zone_block_t *b = &c->spare.block[c->spare.count - 1];

		if (zone_blocks_add(&c->replaced, b->ref, (size_t)b->units * ZONE_UNIT) != ST_OK)
			return ST_NOMEM;
	}
	zone_blocks_free(&c->spare);
	*taken = c->taken;
	*replaced = c->replaced;
	c->taken = c->replaced = (zone_blocks_t){ 0 };
	return ST_OK;
}
