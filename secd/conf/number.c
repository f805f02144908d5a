/* conf/number.c - the numbers of keys, from one configuration to the next. */
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

static int by_wire(const void *a, const void *b)
{
	const conf_key_t *const *x = a, *const *y = b;
	const size_t n = dns_wire_len((*x)->wire), m = dns_wire_len((*y)->wire);

	return n != m ? (n < m ? -1 : 1) : memcmp((*x)->wire, (*y)->wire, n);
}

static bool is_same(const conf_key_t *a, const conf_key_t *b)
{
	return strcmp(a->algorithm, b->algorithm) == 0 && a->secret_len == b->secret_len &&
	       memcmp(a->secret, b->secret, a->secret_len) == 0;
}

/* The number of the same key in now; 0: it has none. */
static uint16_t number_in(const conf_key_t **sorted, size_t count, const conf_key_t *key)
{
	const conf_key_t **found = count > 0 ? bsearch(&key, sorted, count, sizeof *sorted, by_wire)
	                                     : NULL;

	return found && is_same(*found, key) ? (*found)->number : 0;
}

/* By the numbers that they had when they were read: their places from 1 on. */
static void renumber_lists(conf_t *next, const uint16_t *number)
{
	for (size_t i = 0; i < next->group_count; i++) {
		const addr_acl_t *acl = &next->groups[i]->notify;
		addr_rule_t *rules =
			(addr_rule_t *)(uintptr_t)acl->list; /* its own, not shared yet */

		for (size_t k = 0; k < acl->count; k++)
			rules[k].key = rules[k].key != 0 ? number[rules[k].key] : 0;
	}
}

/* used: numbers of now, and those given. */
static status_t give_numbers(conf_t *next, const conf_key_t **sorted, size_t count, bool *used,
                             uint16_t *number)
{
	size_t free_one = 1;

	for (size_t i = 0; i < next->key_count; i++) {
		uint16_t n = number_in(sorted, count, next->keys[i]);

		while (n == 0 && free_one <= CONF_KEYS_MAX && used[free_one])
			free_one++;
		if (n == 0 && free_one > CONF_KEYS_MAX)
			return ST_LIMIT;
		n = n != 0 ? n : (uint16_t)free_one;
		used[n] = true;
		number[i + 1] = n;
	}
	return ST_OK;
}

status_t conf_number_keys(conf_t *next, const conf_t *now)
{
	const size_t count = now->key_count;
	const conf_key_t **sorted = malloc((count + 1) * sizeof *sorted);
	bool *used = calloc(CONF_KEYS_MAX + 1, sizeof *used);
	uint16_t *number = calloc(next->key_count + 1, sizeof *number);
	status_t st = sorted && used && number ? ST_OK : ST_NOMEM;

	for (size_t i = 0; st == ST_OK && i < count; i++) {
		sorted[i] = now->keys[i];
		used[now->keys[i]->number] = true;
	}
	if (st == ST_OK && count > 0)
		qsort(sorted, count, sizeof *sorted, by_wire);
	if (st == ST_OK)
		st = give_numbers(next, sorted, count, used, number);
	if (st == ST_OK) {
		renumber_lists(next, number);
		for (size_t i = 0; i < next->key_count; i++)
			next->keys[i]->number = number[i + 1];
	}
	free(sorted);
	free(used);
	free(number);
	return st;
}
