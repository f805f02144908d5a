/* tests/bench/load.c - the load generator: arguments, the file of queries, the line of JSON.
 *
 *     load -s ADDR@PORT -q FILE -n COUNT [-w WINDOW] [-k WARM-UP] [-o FIRST] [-p PID,PID...]
 *     load -s ADDR@PORT -q FILE -r RATE -t SECONDS [-o FIRST] [-p PID,PID...] */
#include "tests/bench/load.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "common/addr.h"

enum { SOCKET_BUFFER = 16 << 20 };

uint64_t load_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t load_cpu_ns(const load_conf_t *conf)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < conf->pids; i++) {
		struct timespec t;
		clockid_t clock;

		if (clock_getcpuclockid(conf->pid[i], &clock) == 0 && clock_gettime(clock, &t) == 0)
			sum += (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
	return sum;
}

static int open_socket(const char *text)
{
	const int size = SOCKET_BUFFER;
	addr_t addr;

	if (addr_parse(text, 53, &addr) != ST_OK) {
		fprintf(stderr, "load: %s is no address\n", text);
		return -1;
	}
	int fd = socket(addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, &addr.sa, addr_len(&addr)) != 0) {
		perror("load: connect");
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return fd;
}

static bool parse_pids(char *text, load_conf_t *conf)
{
	for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
		long pid = strtol(word, NULL, 10);

		if (pid <= 0 || conf->pids == LOAD_PIDS)
			return false;
		conf->pid[conf->pids++] = (pid_t)pid;
	}
	return true;
}

static bool parse(int argc, char **argv, load_conf_t *conf)
{
	int c;

	*conf = (load_conf_t){ .fd = -1, .window = 256 };
	while ((c = getopt(argc, argv, "s:q:n:w:k:o:p:r:t:")) != -1) {
		if (c == 's' && (conf->fd = open_socket(optarg)) < 0)
			return false;
		else if (c == 'q' && !queries_open(optarg, &conf->queries))
			return false;
		else if (c == 'n')
			conf->count = strtoull(optarg, NULL, 10);
		else if (c == 'w')
			conf->window = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'k')
			conf->warm_up = strtoull(optarg, NULL, 10);
		else if (c == 'o')
			conf->first = strtoull(optarg, NULL, 10);
		else if (c == 'r')
			conf->rate = strtod(optarg, NULL);
		else if (c == 't')
			conf->seconds = strtod(optarg, NULL);
		else if ((c == 'p' && !parse_pids(optarg, conf)) || c == '?')
			return false;
	}
	if (conf->fd < 0 || conf->queries.count == 0)
		return false;
	if (conf->rate > 0)
		return conf->seconds > 0;
	return conf->count > 0 && conf->window > 0 && conf->window <= LOAD_WINDOW_MAX;
}

static void print(const load_conf_t *conf, const load_result_t *r)
{
	printf("{\"sent\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"truncated\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"seconds\": %.6f"
	       ", \"cpu_ns\": %" PRIu64,
	       r->sent, r->answered, r->lost, r->truncated, r->bytes, r->seconds, r->cpu_ns);
	if (r->answered > 0)
		printf(", \"cpu_ns_per_answer\": %.1f", (double)r->cpu_ns / (double)r->answered);
	if (conf->rate > 0)
		printf(", \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f",
		       (double)r->p50_ns / 1e3, (double)r->p99_ns / 1e3, (double)r->p999_ns / 1e3,
		       (double)r->max_ns / 1e3);
	else
		printf(", \"window\": %u", conf->window);
	printf(", \"rcode\": {");
	const char *comma = "";
	for (int i = 0; i < 16; i++) {
		if (r->rcode[i] > 0) {
			printf("%s\"%d\": %" PRIu64, comma, i, r->rcode[i]);
			comma = ", ";
		}
	}
	printf("}}\n");
}

int main(int argc, char **argv)
{
	load_result_t result = { 0 };
	load_conf_t conf;
	int status = 2;

	prctl(PR_SET_PDEATHSIG, SIGTERM); /* nothing outlives the run that started it */
	if (!parse(argc, argv, &conf)) {
		fprintf(stderr, "usage: load -s ADDR@PORT -q FILE (-n COUNT | -r RATE -t SECONDS)"
		                " [-w WINDOW] [-k WARM-UP] [-o FIRST] [-p PID,PID...]\n");
		goto out;
	}
	status = 1;
	if (conf.rate > 0 ? load_paced(&conf, &result) : load_closed(&conf, &result)) {
		print(&conf, &result);
		status = 0;
	} else {
		fprintf(stderr, "load: no answers\n");
	}
out:
	queries_close(&conf.queries);
	if (conf.fd >= 0)
		close(conf.fd);
	return status;
}
