/* tests/bench/primary.h - a primary that is never what a transfer waits for.
 *
 * It serves what a pack (pack.h) holds and nothing else: SOA by UDP and TCP, AXFR, and IXFR
 * where the pack has the difference. Which serials are current is one number for all zones:
 * each serves its newest version not above it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/pack.h"

typedef struct primary {
	pack_entry_t *entries;
	size_t count;
	uint32_t *table; /* open addressing by apex: first entry of a zone + 1, 0 for none */
	size_t mask;
	_Atomic uint32_t limit; /* the newest serial that is served ... */
	_Atomic bool *released; /* ... but for zones of which all are: by first entry */

	int udp, tcp;
	_Atomic uint16_t awaited, answered; /* ids of NOTIFY: the one sent, the last answered */

	/* Since they were last asked for. */
	_Atomic uint64_t soas, axfrs, ixfrs;
	_Atomic uint64_t first_ns, last_ns; /* a transfer was asked for; the last one was sent */
} primary_t;

/* What was asked, and by whom. */
typedef struct primary_query {
	uint16_t id, flags, type;
	uint32_t serial; /* IXFR: what the client holds */
	size_t question_end;
	const pack_entry_t *versions; /* of the zone, up to the last one below */
	size_t count;
} primary_query_t;

enum { PRIMARY_SMALL_MAX = 1024 };

/* Load a pack. False with a line on standard error. */
bool primary_load(primary_t *p, const char *path);

/* Read a query; false: no sound query for a zone of the pack. */
bool primary_read(const primary_t *p, const uint8_t *msg, size_t len, primary_query_t *out);

/* All versions of a zone (text) are current from now on. False: there is no such zone. */
bool primary_release(primary_t *p, const char *apex);

/* The version that is current, NULL before the first; with a kind 'I' the difference to it from
 * what the client holds, NULL if there is none. */
const pack_entry_t *primary_current(const primary_t *p, const primary_query_t *q, char kind);

/* The answer to a SOA query: its length. room is at least PRIMARY_SMALL_MAX. */
size_t primary_soa(const primary_query_t *q, const pack_entry_t *e, const uint8_t *msg,
                   uint8_t *room);

/* Threads: one takes datagrams, one takes connections and makes one for each. */
void *primary_udp(void *primary);
void *primary_tcp(void *primary);
