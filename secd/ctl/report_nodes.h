/* ctl/report_nodes.h - a report between its filling and its rendering. For ctl/report alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/report.h"

typedef enum node_kind {
	NODE_WORD,
	NODE_NUMBER,
	NODE_SIGNED, /* n as int64_t */
	NODE_SIZE,
	NODE_MS,
	NODE_RATE, /* thousandths */
	NODE_TIME,
	NODE_FLAG,
	NODE_NONE,
	NODE_OBJECT, /* up to its NODE_CLOSE */
	NODE_ROW,    /* the same, in one line */
	NODE_LIST,   /* ... of NODE_ITEMs */
	NODE_ITEM,
	NODE_CLOSE,
} node_kind_t;

typedef struct node {
	node_kind_t kind;
	report_tone_t tone;
	const char *key;
	union {
		uint64_t n;
		mono_t at;
		size_t word; /* offset in words */
	};
} node_t;

struct report {
	node_t *nodes;
	size_t count, room;
	char *words;
	size_t words_len, words_room;
	mono_t now;
	int64_t wall_ms;
	bool bad; /* there was no memory */
};

static inline bool node_is_scalar(const node_t *n)
{
	return n->kind < NODE_OBJECT;
}

/* Behind node i and all that is in it. */
size_t report_behind(const report_t *r, size_t i);

void report_write_text(const report_t *r, bool colour, FILE *to);
void report_write_json(const report_t *r, FILE *to);
