/* tests/bench/queries.h - a file of queries: two octets of length, then the message, repeated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct queries {
	uint8_t *base; /* a private map, read in at once: ids may be written into it */
	size_t len;
	uint8_t **at; /* count messages of 12 to 512 octets */
	size_t count;
} queries_t;

/* False with a line on standard error: no file, nothing in it, or broken framing. */
bool queries_open(const char *path, queries_t *out);

void queries_close(queries_t *q); /* also after a failed open */

/* The length of a message of at. */
size_t queries_len(const uint8_t *msg);
