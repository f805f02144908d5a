/* tests/bench/primary.c - see primary.h: start, commands, NOTIFY.
 *
 *     primary ADDR@PORT PACK
 *
 * Takes commands on standard input and answers each with one line of JSON; ends with it:
 *     serial N            versions up to N are current from now on
 *     release APEX        all versions of this zone are
 *     notify ADDR@PORT APEX   send NOTIFY until it is acknowledged
 *     stats               what was asked for since the last time */
#include "tests/bench/primary.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "common/addr.h"
#include "dns/name.h"
#include "dns/wire.h"

enum { SOCKET_BUFFER = 8 << 20, NOTIFY_TRIES = 100, NOTIFY_WAIT_MS = 50 };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool open_sockets(primary_t *p, const char *text)
{
	const int size = SOCKET_BUFFER, on = 1;
	addr_t addr;

	if (addr_parse(text, 53, &addr) != ST_OK)
		return false;
	p->udp = socket(addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	p->tcp = socket(addr.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->udp < 0 || p->tcp < 0)
		return false;
	if (setsockopt(p->udp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		setsockopt(p->udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	setsockopt(p->tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	return bind(p->udp, &addr.sa, addr_len(&addr)) == 0 &&
	       bind(p->tcp, &addr.sa, addr_len(&addr)) == 0 && listen(p->tcp, 4096) == 0;
}

/* NOTIFY of RFC 1996 without the SOA hint, again and again until it is acknowledged. */
static void notify(primary_t *p, const char *to, const char *apex_text)
{
	uint8_t msg[DNS_HEADER_LEN + DNS_NAME_MAX + 4];
	bufw_t out = bufw_over(msg, sizeof msg);
	uint16_t id = (uint16_t)(atomic_load(&p->awaited) + 1);
	int tries = 0;
	dns_name_t apex;
	addr_t addr;

	if (addr_parse(to, 53, &addr) != ST_OK || dns_name_from_text(apex_text, &apex) != ST_OK) {
		printf("{\"error\": \"notify ADDR@PORT APEX\"}\n");
		return;
	}
	id = id == 0 ? 1 : id;
	atomic_store(&p->awaited, id);
	bufw_u16(&out, id);
	bufw_u16(&out, DNS_OP_NOTIFY << DNS_OPCODE_SHIFT | DNS_AA);
	bufw_u16(&out, 1);
	bufw_bytes(&out, "\0\0\0\0\0\0", 6);
	bufw_bytes(&out, apex.wire, apex.len);
	bufw_u16(&out, DNS_TYPE_SOA);
	bufw_u16(&out, DNS_CLASS_IN);
	uint64_t at = now_ns();
	while (atomic_load(&p->answered) != id && tries < NOTIFY_TRIES) {
		if (sendto(p->udp, msg, out.pos, 0, &addr.sa, addr_len(&addr)) < 0)
			break;
		tries++;
		for (int ms = 0; ms < NOTIFY_WAIT_MS && atomic_load(&p->answered) != id; ms++)
			usleep(1000);
	}
	printf("{\"at_ns\": %" PRIu64 ", \"tries\": %d, \"acknowledged\": %s}\n", at, tries,
	       atomic_load(&p->answered) == id ? "true" : "false");
}

static void stats(primary_t *p)
{
	printf("{\"soas\": %" PRIu64 ", \"axfrs\": %" PRIu64 ", \"ixfrs\": %" PRIu64
	       ", \"first_ns\": %" PRIu64 ", \"last_ns\": %" PRIu64 "}\n",
	       atomic_exchange(&p->soas, 0), atomic_exchange(&p->axfrs, 0),
	       atomic_exchange(&p->ixfrs, 0), atomic_exchange(&p->first_ns, 0),
	       atomic_exchange(&p->last_ns, 0));
}

static void obey(primary_t *p, char *line)
{
	const char *word = strtok(line, " \n");
	const char *first = strtok(NULL, " \n");
	const char *second = strtok(NULL, " \n");

	if (word && strcmp(word, "serial") == 0 && first) {
		atomic_store(&p->limit, (uint32_t)strtoul(first, NULL, 10));
		printf("{\"serial\": %" PRIu32 "}\n", atomic_load(&p->limit));
	} else if (word && strcmp(word, "release") == 0 && first) {
		printf("{\"released\": %s}\n", primary_release(p, first) ? "true" : "false");
	} else if (word && strcmp(word, "notify") == 0 && second) {
		notify(p, first, second);
	} else if (word && strcmp(word, "stats") == 0) {
		stats(p);
	} else {
		printf("{\"error\": \"serial N, release APEX, notify ADDR@PORT APEX, stats\"}\n");
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static primary_t p; /* lives as long as the threads, which are never joined */
	pthread_t thread;
	char line[1024];

	if (argc != 3) {
		fprintf(stderr, "usage: primary ADDR@PORT PACK\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	if (!open_sockets(&p, argv[1])) {
		perror("primary: socket");
		return 1;
	}
	atomic_store(&p.limit, 1);
	if (!primary_load(&p, argv[2]))
		return 1;
	if (pthread_create(&thread, NULL, primary_udp, &p) != 0 ||
	    pthread_create(&thread, NULL, primary_tcp, &p) != 0)
		return 1;
	printf("{\"ready\": %zu}\n", p.count);
	fflush(stdout);
	while (fgets(line, sizeof line, stdin))
		obey(&p, line);
	return 0;
}
