/* state/table.c - the zones of the index by their names: a table of numbers, and slabs that never move. */
#include <stdlib.h>
#include <string.h>

#include "common/huge.h"
#include "common/random.h"
#include "dns/name.h"
#include "state/index.h"

enum { ROOM_FIRST = 64 };

/* The first slab has so many zones, each twice as many as the one before: a few zones take little, and many lie in huge
 * pages. */
static const size_t SLAB_FIRST = 64;

typedef struct state_entry {
	uint32_t hash;
	uint32_t number; /* of the zone, from 1 on; 0: nobody */
} entry_t;

status_t state_index_open(state_index_t *x)
{
	*x = (state_index_t){ 0 };
	random_bytes(&x->key, sizeof x->key);
	x->table = calloc(ROOM_FIRST, sizeof *x->table);
	if (!x->table)
		return ST_NOMEM;
	x->room = ROOM_FIRST;
	pthread_mutex_init(&x->mutex, NULL);
	return ST_OK;
}

/* The number of the slab's first zone. */
static size_t first_of(unsigned k)
{
	return ((size_t)1 << k) - 1;
}

static unsigned slab_of(size_t i)
{
	return 31 - (unsigned)__builtin_clz((unsigned)(i / SLAB_FIRST + 1));
}

static size_t slab_size(unsigned k)
{
	return (SLAB_FIRST << k) * sizeof(state_zone_t);
}

static state_zone_t *zone_at(const state_index_t *x, size_t i)
{
	const unsigned k = slab_of(i);

	return &x->slabs[k][i - SLAB_FIRST * first_of(k)];
}

void state_index_close(state_index_t *x)
{
	if (!x->table)
		return;
	for (size_t i = 0; i < x->count; i++) {
		state_zone_t *z = zone_at(x, i);

		if (z->orphan)
			free((void *)(uintptr_t)z->apex);
		free(z->steps);
		free(z->past);
	}
	for (unsigned k = 0; k < STATE_SLABS; k++)
		huge_give(x->slabs[k], slab_size(k));
	free(x->table);
	free(x->files);
	free(x->scanned);
	free(x->unneeded);
	pthread_mutex_destroy(&x->mutex);
}

/* --- zones ------------------------------------------------------------------------------------- */

/* Where the zone is, or would be. */
static entry_t *entry_of(const state_index_t *x, const uint8_t *apex, size_t len, uint32_t hash)
{
	size_t i = hash & (x->room - 1);

	for (; x->table[i].number != 0; i = (i + 1) & (x->room - 1)) {
		const uint8_t *there = zone_at(x, x->table[i].number - 1)->apex;

		if (x->table[i].hash == hash && dns_wire_len(there) == len &&
		    memcmp(there, apex, len) == 0)
			break;
	}
	return &x->table[i];
}

/* Room for one more: in the table, which is never full, and in a slab. */
static status_t grow_table(state_index_t *x)
{
	const size_t room = x->room * 2;
	entry_t *table;

	if (x->count + 1 < x->room - x->room / 8)
		return ST_OK;
	if (room > (size_t)1 << 31 || !(table = calloc(room, sizeof *table)))
		return ST_NOMEM;
	for (size_t i = 0; i < x->room; i++) {
		size_t to = x->table[i].hash & (room - 1);

		if (x->table[i].number == 0)
			continue;
		while (table[to].number != 0)
			to = (to + 1) & (room - 1);
		table[to] = x->table[i];
	}
	free(x->table);
	x->table = table;
	x->room = room;
	return ST_OK;
}

/* There is a slab for the next zone. */
static status_t grow_slabs(state_index_t *x)
{
	const unsigned k = slab_of(x->count);

	if (k == STATE_SLABS)
		return ST_NOMEM;
	if (!x->slabs[k])
		x->slabs[k] = huge_take(slab_size(k));
	return x->slabs[k] ? ST_OK : ST_NOMEM;
}

/* Who adds a zone that only the disk knew so far takes it over. */
static void adopt(state_zone_t *z, const uint8_t *apex)
{
	free((void *)(uintptr_t)z->apex);
	z->apex = apex;
	z->orphan = false;
}

static state_zone_t *new_zone(state_index_t *x, const uint8_t *apex, size_t len, bool orphan)
{
	uint8_t *copy = orphan ? malloc(len) : NULL;

	if ((orphan && !copy) || grow_slabs(x) != ST_OK) {
		free(copy);
		return NULL;
	}
	if (orphan)
		memcpy(copy, apex, len);
	state_zone_t *z = zone_at(x, x->count++);
	*z = (state_zone_t){
		.apex = orphan ? copy : apex,
		.orphan = orphan,
		.last = x->skipped,
		.last_stamp = x->skipped,
	};
	return z;
}

static state_zone_t *find_or_add(state_index_t *x, const uint8_t *apex, bool create, bool orphan)
{
	const size_t len = dns_wire_len(apex);
	const uint32_t hash = (uint32_t)siphash13(&x->key, apex, len);
	state_zone_t *z;

	if (create && grow_table(x) != ST_OK)
		return NULL;
	entry_t *e = entry_of(x, apex, len, hash);
	if (e->number == 0) {
		z = create ? new_zone(x, apex, len, orphan) : NULL;
		if (z)
			*e = (entry_t){ hash, (uint32_t)x->count };
		return z;
	}
	z = zone_at(x, e->number - 1);
	if (create && z->orphan && !orphan)
		adopt(z, apex);
	return z;
}

state_zone_t *state_index_zone(state_index_t *x, const uint8_t *apex, bool create, bool orphan)
{
	pthread_mutex_lock(&x->mutex);
	state_zone_t *z = find_or_add(x, apex, create, orphan);
	pthread_mutex_unlock(&x->mutex);
	return z;
}

void state_index_name(state_index_t *x, const state_zone_t *z, dns_name_t *out)
{
	pthread_mutex_lock(&x->mutex);
	dns_name_from_wire(z->apex, out);
	pthread_mutex_unlock(&x->mutex);
}

status_t state_index_leave(state_index_t *x, state_zone_t *z)
{
	const size_t len = dns_wire_len(z->apex);
	uint8_t *copy = malloc(len);

	if (!copy)
		return ST_NOMEM;
	memcpy(copy, z->apex, len);
	pthread_mutex_lock(&x->mutex);
	z->apex = copy;
	z->orphan = true;
	pthread_mutex_unlock(&x->mutex);
	return ST_OK;
}

void state_index_each(state_index_t *x, void (*each)(void *arg, state_zone_t *z), void *arg)
{
	for (size_t i = 0; i < x->count; i++)
		each(arg, zone_at(x, i));
}
