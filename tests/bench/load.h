/* tests/bench/load.h - the two ways to put load on a server, and what they find.
 *
 * closed: a fixed number of queries in flight, as fast as the server takes them: what does one
 *         answer cost? Never sleeps, so that the server never pays for waking it.
 * paced:  a fixed rate, whatever the server does: what is lost, how long does an answer take? */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/queries.h"

enum { LOAD_BATCH = 64, LOAD_PIDS = 64, LOAD_WINDOW_MAX = 16384 };

typedef struct load_conf {
	int fd; /* a connected UDP socket, non-blocking */
	queries_t queries;
	size_t first;         /* the query to begin with */
	uint64_t count;       /* closed: answers to measure over */
	uint64_t warm_up;     /* closed: answers before that */
	unsigned window;      /* closed: queries in flight */
	double rate;          /* paced: a second; 0: closed */
	double seconds;       /* paced: how long */
	pid_t pid[LOAD_PIDS]; /* of the server, for its CPU time */
	size_t pids;
} load_conf_t;

typedef struct load_result {
	uint64_t sent, answered, lost;
	uint64_t bytes;     /* of the answers */
	uint64_t rcode[16]; /* of the answers */
	uint64_t truncated;
	double seconds;
	uint64_t cpu_ns;                          /* of the server */
	uint64_t p50_ns, p99_ns, p999_ns, max_ns; /* paced only */
} load_result_t;

/* Both measure from an idle socket. False: the server is gone, or never answers. */
bool load_closed(const load_conf_t *conf, load_result_t *out);
bool load_paced(const load_conf_t *conf, load_result_t *out);

/* CPU time of these processes, all of their threads, ever; those that are gone count nothing. */
uint64_t load_cpu_ns(const load_conf_t *conf);
uint64_t load_now_ns(void); /* CLOCK_MONOTONIC */
