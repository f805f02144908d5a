/* tests/fuzz/fuzz_axfr.c - a transfer of example. made of any octets.
 *
 * The input is frames as on a stream: two octets of length, then the message. The header of each
 * is made sound as far as id and QR go, or little would get past it. What is DONE is sealed and
 * looked over, as in the daemon. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "dns/wire.h"
#include "xfr/axfr.h"
#include "zone/build.h"
#include "zone/gates.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ID = 0x4242 };

/* Feed a frame from an allocation of its own size, so that ASan sees a read behind its end. */
static xfr_verdict_t feed(xfr_axfr_t *axfr, const xfr_stream_t *stream, const uint8_t *frame,
                          size_t len)
{
	uint8_t *msg = malloc(len ? len : 1);

	memcpy(msg, frame, len);
	if (len >= 4) {
		put_u16(msg, ID);
		msg[2] |= DNS_QR >> 8;
	}
	xfr_verdict_t verdict = xfr_axfr_feed(axfr, msg, len);
	if ((verdict == XFR_BAD) != (stream->why.code != XFR_WHY_NONE))
		abort();
	free(msg);
	return verdict;
}

/* With a digest required, so that every record is looked at if there is one. */
static void judge(const zone_version_t *v, const zone_faults_t *faults)
{
	static const zone_gates_t gates = {
		.no_ns = ZONE_CHOICE_WARN,
		.cname_beside = ZONE_CHOICE_WARN,
		.zonemd = ZONE_DIGEST_REQUIRED,
		.warn_signatures = 1000,
		.max_iterations = 2500,
	};
	zone_verdict_t verdict;

	if (zone_gates_judge(&gates, v, faults, 10, (wall_t){ 1800000000 }, &verdict) != ST_OK)
		abort();
	if (verdict.refused == ZONE_GATES)
		abort();
}

static void seal(zone_build_t *build)
{
	zone_version_t *v = NULL;
	zone_faults_t all, noted;

	if (zone_build_seal(build, &v) != ST_OK)
		return;
	zone_check(v, &all);
	zone_build_check(build, v, &noted);
	if (memcmp(&all, &noted, offsetof(zone_faults_t, first)) != 0)
		abort(); /* a fault was not noted as its name was written */
	judge(v, &all);
	zone_version_free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const siphash_key_t key = { 1, 2 };
	static const zone_limits_t limits = {
		.max_records = 1000, .max_bytes = 1000000, .max_rrset = 100, .max_rrsets = 100
	};
	buf_t in = buf_over(data, size);
	xfr_verdict_t verdict = XFR_MORE;
	dns_name_t apex;

	if (dns_name_from_text("example.", &apex) != ST_OK)
		abort();
	zone_build_t *build = zone_build_new(&key, &apex, &limits);
	xfr_stream_t *stream = xfr_stream_new(&apex, DNS_TYPE_AXFR, ID);
	xfr_axfr_t *axfr = xfr_axfr_new(stream, build, &limits);

	while (verdict == XFR_MORE && buf_left(&in) > 0) {
		size_t len = buf_u16(&in);
		const uint8_t *frame = buf_take(&in, len);

		if (!frame)
			break;
		verdict = feed(axfr, stream, frame, len);
	}
	if (verdict == XFR_DONE)
		seal(build);
	xfr_axfr_free(axfr);
	xfr_stream_free(stream);
	zone_build_free(build);
	return 0;
}
