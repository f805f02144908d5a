/* zone/decode.c - from the octets of a node back to records: what a delta changes and encodes anew. */
#include <stdlib.h>

#include "dns/wire.h"
#include "zone/node.h"

enum { RR_HEAD = 2 + DNS_RR_FIXED };

static zone_rec_t *decode_record(const zone_version_t *v, const zone_node_t *node,
                                 const zone_rrset_t *set, const uint8_t *p, bool is_sig,
                                 zone_log_t *log, uint8_t *scratch)
{
	size_t rdlen = zone_wire_rdata(v, node, set, p, scratch);
	zone_rec_t *rec = zone_log_take(log, sizeof *rec + node->rel_len + rdlen);

	if (!rec)
		return NULL;
	*rec = (zone_rec_t){
		.ttl = get_u32(p + 6),
		.type = set->type,
		.rdlen = (uint16_t)rdlen,
		.is_sig = is_sig,
		.rel_len = node->rel_len,
		.rel_labels = node->rel_labels,
	};
	memcpy(rec->bytes, node->name, node->rel_len);
	memcpy(rec->bytes + node->rel_len, scratch, rdlen);
	return rec;
}

status_t zone_decode(const zone_version_t *v, const zone_node_t *node, zone_log_t *log,
                     size_t extra, const zone_rec_t ***recs, size_t *count)
{
	uint8_t scratch[65535];
	size_t room = (node ? zone_node_records(node) : 0) + extra;

	*count = 0;
	*recs = malloc((room ? room : 1) * sizeof **recs);
	if (!*recs)
		return ST_NOMEM;
	zone_rrset_t set;
	for (bool more = node && zone_node_first(v, node, &set); more;
	     more = zone_node_next(v, node, &set)) {
		const uint8_t *p = set.wire;
		for (unsigned j = 0; j < (unsigned)set.count + set.sig_count; j++) {
			zone_rec_t *rec =
				decode_record(v, node, &set, p, j >= set.count, log, scratch);

			if (!rec) {
				free(*recs);
				*recs = NULL;
				return ST_NOMEM;
			}
			(*recs)[(*count)++] = rec;
			p += RR_HEAD + get_u16(p + 10);
		}
	}
	return ST_OK;
}
