/* xfr/refusal.c - one gate, one code. */
#include "xfr/refusal.h"

#include "dns/nsec3.h"

static uint32_t in_32_bits(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* Why a digest is refused. Where an RRset came with several TTLs, of which one was kept, that is what
 * to look at first. */
static xfr_why_code_t digest_code(zone_zonemd_t zonemd, uint64_t ttl_mixed)
{
	switch (zonemd) {
	case ZONE_ZONEMD_ABSENT:
		return XFR_WHY_ZONEMD_ABSENT;
	case ZONE_ZONEMD_UNKNOWN:
		return XFR_WHY_ZONEMD_UNKNOWN;
	case ZONE_ZONEMD_TWICE:
		return XFR_WHY_ZONEMD_TWICE;
	case ZONE_ZONEMD_SERIAL:
		return XFR_WHY_ZONEMD_SERIAL;
	case ZONE_ZONEMD_DIFFERS:
	case ZONE_ZONEMD_VALID: /* which is not refused */
		break;
	}
	return ttl_mixed > 0 ? XFR_WHY_ZONEMD_TTLS : XFR_WHY_ZONEMD_DIFFERS;
}

/* What the gate says, with its figures. */
xfr_why_t xfr_refusal(const zone_verdict_t *v, uint64_t ttl_mixed)
{
	const uint32_t *n = v->count;
	const bool over = v->left < 0;

	switch (v->refused) {
	case ZONE_GATE_NONE:
	case ZONE_GATES:
		break;
	case ZONE_GATE_NO_NS:
		return xfr_why(XFR_WHY_NO_NS, 0, 0);
	case ZONE_GATE_SINGLE_NS:
		return xfr_why(XFR_WHY_SINGLE_NS, 0, 0);
	case ZONE_GATE_CNAME:
		return xfr_why(XFR_WHY_CNAME_BESIDE, n[ZONE_FAULT_CNAME_BESIDE],
		               n[ZONE_FAULT_MANY_CNAMES]);
	case ZONE_GATE_DNAME:
		return xfr_why(XFR_WHY_BELOW_DNAME, n[ZONE_FAULT_BELOW_DNAME], 0);
	case ZONE_GATE_GLUE:
		return xfr_why(XFR_WHY_MISSING_GLUE, n[ZONE_FAULT_MISSING_GLUE], 0);
	case ZONE_GATE_ITERATIONS:
		return v->costly ? xfr_why(XFR_WHY_ITERATIONS, v->iterations,
		                           DNS_NSEC3_ITERATIONS_MAX)
		                 : xfr_why(XFR_WHY_MAX_ITERATIONS, v->iterations, v->limit);
	case ZONE_GATE_SHRINK:
		return xfr_why(XFR_WHY_SHRANK, in_32_bits(v->held), in_32_bits(v->records));
	case ZONE_GATE_SIGNATURES:
		return xfr_why(over ? XFR_WHY_SIGNATURE_OVER : XFR_WHY_SIGNATURE_ENDS,
		               in_32_bits((uint64_t)(over ? -v->left : v->left)), v->limit);
	case ZONE_GATE_ZONEMD:
		return xfr_why(digest_code(v->zonemd, ttl_mixed), in_32_bits(ttl_mixed), 0);
	}
	return xfr_why(XFR_WHY_NONE, 0, 0);
}

xfr_why_t xfr_excess(const zone_excess_t *x)
{
	const uint32_t most = in_32_bits(x->most);

	switch (x->limit) {
	case ZONE_LIMIT_RECORDS:
		return xfr_why(XFR_WHY_MAX_RECORDS, most, 0);
	case ZONE_LIMIT_BYTES:
		return xfr_why(XFR_WHY_MAX_SIZE, xfr_why_size(x->most), 0);
	case ZONE_LIMIT_RRSET:
		return xfr_why(XFR_WHY_MAX_RRSET, most, 0);
	case ZONE_LIMIT_RRSETS:
		return xfr_why(XFR_WHY_MAX_RRSETS, most, 0);
	case ZONE_LIMIT_HASHES:
		return xfr_why(XFR_WHY_HASHES, most, 0);
	case ZONE_LIMIT_NONE:
		break;
	}
	return xfr_why(XFR_WHY_NO_MEMORY, 0, 0); /* cannot be: the limit was noted */
}
