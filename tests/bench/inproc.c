/* tests/bench/inproc.c - the query path and the build without sockets, in one process.
 *
 *     inproc PACK QUERIES COUNT
 *
 * Takes the first zone of a pack through the transfer's verdict machine into the store, publishes
 * it, answers COUNT queries in batches as a worker does, and applies the differences that the pack
 * has of that zone. Prints a line of JSON: what a record costs on its way in and in memory, what a
 * query costs beside the kernel, what each difference costs from its messages until it is
 * published. Under callgrind, with collection toggled at answer_batch, it counts the instructions
 * of the query path. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer/answer.h"
#include "dns/wire.h"
#include "tests/bench/pack.h"
#include "tests/bench/queries.h"
#include "xfr/axfr.h"
#include "zone/build.h"
#include "zone/check.h"
#include "zone/delta.h"
#include "zone/pack.h"
#include "zone/unpack.h"

enum { BATCH = 64, ROOM = 1280, DELTAS = 8 };

static const zone_limits_t limits = { UINT64_MAX, UINT64_MAX, 65535, 65535 };

typedef struct bench {
	epoch_t *epoch;
	zone_set_t *set;
	zone_slot_t *slot;
	answer_t *answer;
	answer_counters_t counters;
	answer_req_t req[BATCH];
	uint8_t out[BATCH][ROOM];
	double feed_ns, seal_ns, check_ns, query_ns; /* in all */
	double pack_ns, unpack_ns;
	uint64_t records, octets, answers;
	size_t bytes;
	struct {
		uint32_t records; /* removed and added, SOAs apart */
		double ns;
	} delta[DELTAS];
	unsigned deltas;
} bench_t;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Every message of the entry through the verdict machine. */
static bool feed(const pack_entry_t *e, const dns_name_t *apex, zone_build_t *build)
{
	xfr_stream_t *stream = xfr_stream_new(apex, DNS_TYPE_AXFR, 0);
	xfr_axfr_t *axfr = stream ? xfr_axfr_new(stream, build, &limits) : NULL;
	xfr_verdict_t verdict = XFR_MORE;
	const uint8_t *msg;
	size_t pos = 0, len;
	char why[XFR_WHY_TEXT_MAX];

	while (axfr && verdict == XFR_MORE && (msg = pack_message(e, &pos, &len)))
		verdict = xfr_axfr_feed(axfr, msg, len);
	if (verdict != XFR_DONE)
		fprintf(stderr, "inproc: %s\n",
		        axfr ? xfr_why_text(&stream->why, why) : "no memory");
	xfr_axfr_free(axfr);
	xfr_stream_free(stream);
	return verdict == XFR_DONE;
}

/* Chunks as the state on disk would keep them. */
typedef struct chunk {
	struct chunk *next;
	size_t len;
	uint8_t octets[];
} chunk_t;

static bool pack(bench_t *b, const zone_version_t *v, chunk_t **chunks)
{
	double start = now_ns();
	zone_pack_t *p = zone_pack_new(v);
	status_t st = p ? ST_OK : ST_NOMEM;
	const uint8_t *octets;
	size_t len;

	while (st == ST_OK && (st = zone_pack_next(p, &octets, &len)) == ST_OK) {
		double copying = now_ns();
		chunk_t *c = *chunks = malloc(sizeof *c + len);

		if (!c)
			break;
		c->next = NULL;
		c->len = len;
		memcpy(c->octets, octets, len);
		chunks = &c->next;
		start += now_ns() - copying;
	}
	zone_pack_free(p);
	b->pack_ns = now_ns() - start;
	return st == ST_NOENT;
}

/* Read back, and looked over. */
static bool unpack(bench_t *b, const dns_name_t *apex, const chunk_t *chunks)
{
	double start = now_ns();
	zone_unpack_t *u = zone_unpack_new(zone_set_key(b->set), apex, &limits);
	status_t st = u ? ST_OK : ST_NOMEM;
	zone_version_t *v = NULL;
	zone_faults_t faults;

	for (; chunks && st == ST_OK; chunks = chunks->next)
		st = zone_unpack_feed(u, chunks->octets, chunks->len);
	if (st == ST_OK)
		st = zone_unpack_seal(u, &v);
	if (st == ST_OK)
		st = zone_unpack_check(u, v, &faults);
	zone_unpack_free(u);
	b->unpack_ns = now_ns() - start;
	zone_version_free(v);
	return st == ST_OK;
}

static bool pack_and_unpack(bench_t *b, const dns_name_t *apex, const zone_version_t *v)
{
	chunk_t *chunks = NULL, *next;
	bool ok = pack(b, v, &chunks) && unpack(b, apex, chunks);

	for (; chunks; chunks = next) {
		next = chunks->next;
		free(chunks);
	}
	return ok;
}

static bool load(bench_t *b, const pack_entry_t *e)
{
	buf_t wire = buf_over(e->apex, e->apex_len);
	zone_build_t *build = NULL;
	zone_version_t *v = NULL;
	zone_faults_t faults;
	static const addr_acl_t nobody = { NULL, 0 };
	dns_name_t apex;
	bool ok = false;

	if (dns_name_read_plain(&wire, &apex) != ST_OK ||
	    !(build = zone_build_new(zone_set_key(b->set), &apex, &limits)))
		return false;
	double start = now_ns();
	if (!feed(e, &apex, build))
		goto out;
	double fed = now_ns();
	if (zone_build_seal(build, &v) != ST_OK)
		goto out;
	double sealed = now_ns();
	zone_build_check(build, v, &faults);
	b->feed_ns = fed - start;
	b->seal_ns = sealed - fed;
	b->check_ns = now_ns() - sealed;
	b->records = zone_version_records(v);
	b->bytes = zone_version_bytes(v);
	b->octets = e->len;
	zone_build_free(build); /* its memory is what a daemon that starts would not have in use */
	build = NULL;
	ok = pack_and_unpack(b, &apex, v) &&
	     zone_set_add(b->set, &apex, &nobody, NULL, &b->slot) == ST_OK &&
	     zone_set_commit(b->set) == ST_OK &&
	     zone_set_publish(b->set, b->slot, v, NULL) == ST_OK;
out:
	zone_build_free(build);
	if (!ok)
		zone_version_free(v);
	return ok;
}

static void ask(bench_t *b, const queries_t *q, size_t count)
{
	static const addr_t peer = { .in = { .sin_family = AF_INET } };
	static const answer_time_t now = { { 1700000000 }, { 0 } };
	double start = now_ns();

	for (size_t done = 0; done < count;) {
		size_t n = count - done < BATCH ? count - done : BATCH;

		for (size_t i = 0; i < n; i++) {
			const uint8_t *msg = q->at[(done + i) % q->count];

			b->req[i] = (answer_req_t){ .in = msg,
				                    .in_len = queries_len(msg),
				                    .out = b->out[i],
				                    .out_room = ROOM,
				                    .via = ANSWER_UDP,
				                    .peer = &peer };
		}
		answer_batch(b->answer, &now, b->req, n);
		for (size_t i = 0; i < n; i++)
			b->answers += b->req[i].out_len > 0;
		done += n;
	}
	b->query_ns = now_ns() - start;
}

/* --- differences --------------------------------------------------------------------------------- */

/* The records of one message; soas counts those of the whole difference: new, old, removals, new,
 * additions, new (RFC 1995 4). */
static bool read_changes(const uint8_t *msg, size_t len, zone_delta_t *d, dns_rr_t *rr,
                         unsigned *soas)
{
	buf_t in = buf_over(msg, len);
	dns_name_t question;

	in.pos = DNS_HEADER_LEN;
	if (get_u16(msg + 4) > 0 && (dns_name_read(&in, &question) != ST_OK || !buf_take(&in, 4)))
		return false;
	for (unsigned left = get_u16(msg + 6); left > 0; left--) {
		if (dns_rr_read(&in, rr) != ST_OK)
			return false;
		*soas += rr->type == DNS_TYPE_SOA;
		if (*soas == 1 || *soas == 4)
			continue;
		if ((*soas == 2 ? zone_delta_remove(d, rr) : zone_delta_add(d, rr)) != ST_OK)
			return false;
	}
	return true;
}

/* A version from base and the entry, looked over; NULL: it can't be made. */
static zone_version_t *changed(const zone_version_t *base, const pack_entry_t *e, dns_rr_t *rr)
{
	zone_delta_t *d = zone_delta_new(base, &limits);
	zone_version_t *next = NULL;
	size_t pos = 0, len;
	const uint8_t *msg;
	unsigned soas = 0;
	bool ok = d;

	while (ok && (msg = pack_message(e, &pos, &len)))
		ok = read_changes(msg, len, d, rr, &soas);
	if (ok && zone_delta_seal(d, &next) == ST_OK) {
		zone_faults_t faults;

		(void)zone_delta_check(d, next, &faults);
	}
	zone_delta_free(d);
	return next;
}

/* Made once and dropped before it counts: a daemon does this all day, so its code and stack are in
 * memory. */
static bool apply(bench_t *b, const pack_entry_t *e)
{
	const zone_version_t *base = zone_slot_version(b->slot);
	dns_rr_t *rr = malloc(sizeof *rr);

	if (!rr)
		return false;
	zone_version_free(changed(base, e, rr));
	double start = now_ns();
	zone_version_t *next = changed(base, e, rr);
	bool ok = next && zone_set_publish(b->set, b->slot, next, base) == ST_OK;
	b->delta[b->deltas].ns = now_ns() - start;
	b->delta[b->deltas++].records = e->records - 4;
	if (!ok)
		zone_version_free(next);
	epoch_reclaim(b->epoch);
	free(rr);
	return ok;
}

/* Those that follow the first version, one on the other. */
static bool apply_all(bench_t *b, buf_t *in)
{
	pack_entry_t e;

	while (b->deltas < DELTAS && pack_next(in, &e)) {
		if (e.kind == 'I' && !apply(b, &e)) {
			fprintf(stderr, "inproc: the difference to %u can't be applied\n",
			        e.serial);
			return false;
		}
	}
	return true;
}

static void print(const bench_t *b, size_t count)
{
	double records = (double)b->records;

	printf("{\"records\": %" PRIu64 ", \"wire_per_record\": %.1f, \"feed_ns\": %.1f"
	       ", \"seal_ns\": %.1f, \"check_ns\": %.1f, \"pack_ns\": %.1f, \"unpack_ns\": %.1f"
	       ", \"bytes_per_record\": %.1f"
	       ", \"queries\": %zu, \"answers\": %" PRIu64 ", \"query_ns\": %.1f, \"rcode\": {",
	       b->records, (double)b->octets / records, b->feed_ns / records, b->seal_ns / records,
	       b->check_ns / records, b->pack_ns / records, b->unpack_ns / records,
	       (double)b->bytes / records, count, b->answers, b->query_ns / (double)count);
	const char *comma = "";
	for (int i = 0; i < ANSWER_RCODES; i++) {
		uint64_t n = atomic_load(&b->counters.rcode[i]);

		if (n > 0) {
			printf("%s\"%d\": %" PRIu64, comma, i, n);
			comma = ", ";
		}
	}
	printf("}, \"deltas\": {");
	for (unsigned i = 0; i < b->deltas; i++)
		printf("%s\"%u\": %.1f", i ? ", " : "", b->delta[i].records, b->delta[i].ns / 1e3);
	printf("}}\n");
}

int main(int argc, char **argv)
{
	static const answer_conf_t conf = { .udp_payload = 1232 };
	size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	bench_t *b = calloc(1, sizeof *b);
	pack_entry_t entry;
	queries_t queries = { 0 };
	pack_t pack;
	int status = 1;

	if (count == 0 || !b) {
		fprintf(stderr, "usage: inproc PACK QUERIES COUNT\n");
		free(b);
		return 2;
	}
	b->epoch = epoch_new(0);
	b->set = b->epoch ? zone_set_new(b->epoch) : NULL;
	b->answer = b->set ? answer_new(b->set, &conf, &b->counters) : NULL;
	if (!b->answer || !pack_open(argv[1], &pack) || !queries_open(argv[2], &queries))
		goto out;
	buf_t in = buf_over(pack.base, pack.len);
	if (!pack_next(&in, &entry) || !load(b, &entry)) {
		fprintf(stderr, "inproc: %s can't be loaded\n", argv[1]);
		goto out;
	}
	ask(b, &queries, count);
	if (!apply_all(b, &in))
		goto out;
	print(b, count);
	status = b->answers == count ? 0 : 1;
out:
	queries_close(&queries);
	answer_free(b->answer);
	zone_set_free(b->set);
	epoch_free(b->epoch);
	free(b);
	return status;
}
