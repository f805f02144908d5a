/* tests/fuzz/fuzz_ixfr.c - an answer to IXFR for example., of any octets, over a version that is held.
 *
 * The input is frames as on a stream: two octets of length, then the message. The header of each
 * is made sound as far as id and QR go, or little would get past it. What is DONE is sealed and
 * looked over; the base must be as it was. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/wire.h"
#include "xfr/work.h"
#include "zone/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ID = 0x4242 };

static const siphash_key_t key = { 1, 2 };
static const zone_limits_t limits = {
	.max_records = 1000, .max_bytes = 1000000, .max_rrset = 100, .max_rrsets = 100
};

/* SOA 3, two NS, some hosts, one with an MX: as one message of AXFR. */
static const uint8_t base_message[] = "\x42\x42\x84\x00\0\1\0\7\0\0\0\0\7example\0\0\374\0\1"
				      "\300\14\0\6\0\1\0\0\16\20\0\40\2ns\300\14\4host\300\14"
				      "\0\0\0\3\0\0\0\144\0\0\0\310\0\0\1\54\0\0\1\220"
				      "\300\14\0\2\0\1\0\0\16\20\0\5\2ns\300\14"
				      "\1a\300\14\0\1\0\1\0\0\16\20\0\4\300\0\2\1"
				      "\1b\300\14\0\1\0\1\0\0\16\20\0\4\300\0\2\1"
				      "\1b\300\14\0\17\0\1\0\0\16\20\0\11\0\12\4mail\300\14"
				      "\1x\1y\300\14\0\1\0\1\0\0\16\20\0\4\300\0\2\1"
				      "\300\14\0\6\0\1\0\0\16\20\0\40\2ns\300\14\4host\300\14"
				      "\0\0\0\3\0\0\0\144\0\0\0\310\0\0\1\54\0\0\1\220";

static const zone_gates_t gates = {
	.no_ns = ZONE_CHOICE_WARN,
	.single_ns = ZONE_CHOICE_WARN,
	.cname_beside = ZONE_CHOICE_WARN,
	.below_dname = ZONE_CHOICE_WARN,
	.missing_glue = ZONE_CHOICE_WARN,
	.zonemd = ZONE_DIGEST_IF_PRESENT,
	.warn_signatures = 1000,
	.max_iterations = 2500,
};

static zone_version_t *make_base(const xfr_work_spec_t *spec)
{
	xfr_work_t *work = xfr_work_new(spec);
	xfr_result_t result = { 0 };
	uint8_t msg[sizeof base_message];
	size_t len = sizeof base_message - 1;

	memcpy(msg, base_message, len);
	if (xfr_work_feed(work, msg, len, (wall_t){ 0 }) != XFR_DONE)
		abort();
	xfr_work_finish(work, (wall_t){ 0 }, &result);
	xfr_work_free(work);
	if (result.outcome != XFR_AXFR)
		abort();
	return result.version;
}

/* What a version says, in a number: names, types and octets in canonical order. */
static uint64_t digest(const zone_version_t *v)
{
	zone_walk_t *walk = zone_walk_new(v, false);
	uint64_t sum = zone_version_records(v);
	const zone_node_t *node;
	zone_rrset_t set;

	while ((node = zone_walk_next(walk))) {
		for (bool more = zone_node_first(v, node, &set); more;
		     more = zone_node_next(v, node, &set)) {
			for (size_t i = 0; i < set.wire_len; i++)
				sum = sum * 1099511628211u + set.wire[i];
		}
	}
	zone_walk_free(walk);
	return sum;
}

/* Feed a frame from an allocation of its own size, so that ASan sees a read behind its end. */
static xfr_verdict_t feed(xfr_work_t *work, const uint8_t *frame, size_t len)
{
	uint8_t *msg = malloc(len ? len : 1);

	memcpy(msg, frame, len);
	if (len >= 4) {
		put_u16(msg, ID);
		msg[2] |= DNS_QR >> 8;
	}
	xfr_verdict_t verdict = xfr_work_feed(work, msg, len, (wall_t){ 0 });
	free(msg);
	return verdict;
}

static void look_at(const xfr_result_t *r, xfr_verdict_t verdict)
{
	const bool made = r->outcome == XFR_WHOLE || r->outcome == XFR_DIFFERENCE;
	zone_faults_t faults;

	if ((r->outcome == XFR_FAILED) != (r->why.code != XFR_WHY_NONE) || made != !!r->version ||
	    (verdict == XFR_BAD && r->outcome != XFR_FAILED) || r->outcome == XFR_AXFR)
		abort();
	if (r->version && zone_version_soa(r->version)->serial != r->soa.serial)
		abort();
	if (r->version && zone_check(r->version, &faults) != ST_OK)
		abort();
	/* The base has no faults but at its apex: what a difference finds is all there is. */
	for (zone_fault_t i = 0; r->version && i < ZONE_FAULT_KINDS; i++) {
		if (i != ZONE_FAULT_BELOW_DNAME && r->verdict.count[i] != faults.count[i])
			abort();
	}
	if (r->outcome == XFR_DIFFERENCE &&
	    dns_serial_compare(r->soa.serial, 3) != DNS_SERIAL_NEWER)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	xfr_work_spec_t spec = { .key = &key, .id = ID, .limits = limits, .gates = gates };
	buf_t in = buf_over(data, size);
	xfr_verdict_t verdict = XFR_MORE;
	xfr_result_t result = { 0 };

	if (dns_name_from_text("example.", &spec.apex) != ST_OK)
		abort();
	static zone_version_t *base; /* the same for every input: each must leave it as it was */
	static uint64_t before;

	if (!base) {
		base = make_base(&spec);
		before = digest(base);
	}
	spec.base = base;
	xfr_work_t *work = xfr_work_new(&spec);

	while (verdict == XFR_MORE && buf_left(&in) > 0) {
		size_t len = buf_u16(&in);
		const uint8_t *frame = buf_take(&in, len);

		if (!frame)
			break;
		verdict = feed(work, frame, len);
	}
	if (verdict != XFR_MORE) {
		xfr_work_finish(work, (wall_t){ 0 }, &result);
		look_at(&result, verdict);
	}
	xfr_work_free(work);
	zone_version_free(result.version);
	if (digest(base) != before)
		abort();
	return 0;
}
