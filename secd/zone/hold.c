/* zone/hold.c - a copy of the version's head, and its arena pinned; or a copy of all of it. */
#include "zone/hold.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "zone/layout.h"

/* It is a version: of one that is never published nor retired. */
struct zone_hold {
	zone_version_t v;
};

zone_hold_t *zone_hold_new(const zone_version_t *v)
{
	size_t head = offsetof(zone_version_t, apex);
	size_t size = v->arena ? head + v->apex_len : v->bytes;
	zone_version_t *copy = malloc(size > sizeof *copy ? size : sizeof *copy);

	if (!copy)
		return NULL;
	/* Not its claims, which are a builder's to change, nor what it is to give back. */
	*copy = (zone_version_t){
		.key = v->key,
		.base = v->base,
		.arena = v->arena,
		.bytes = v->bytes,
		.root = v->root,
		.apex_len = v->apex_len,
		.apex_labels = v->apex_labels,
	};
	memcpy(copy->apex, v->apex, size - head);
	if (copy->arena)
		zone_arena_pin(copy->arena);
	else
		copy->base = (const uint8_t *)copy + (v->base - (const uint8_t *)v);
	return (zone_hold_t *)(void *)copy;
}

const zone_version_t *zone_hold_version(const zone_hold_t *h)
{
	return &h->v;
}

void zone_hold_free(zone_hold_t *h)
{
	if (!h)
		return;
	if (h->v.arena)
		zone_arena_unpin(h->v.arena);
	free(h);
}
