/* dns/request.c - header, question and OPT by ldns's packet builder. */
#include "dns/request.h"

#include "dns/name.h"

#include <ldns/ldns.h>

/* A packet of one question, or NULL: out of memory. */
static ldns_pkt *query_packet(const uint8_t *apex, uint16_t type)
{
	ldns_rdf *name = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, dns_wire_len(apex), apex);
	ldns_pkt *pkt;

	if (!name)
		return NULL;
	pkt = ldns_pkt_query_new(name, (ldns_rr_type)type, LDNS_RR_CLASS_IN, 0);
	if (!pkt)
		ldns_rdf_deep_free(name);
	return pkt; /* which owns the name now */
}

status_t dns_request(const uint8_t *apex, uint16_t type, uint16_t id, uint16_t payload,
                     uint8_t out[DNS_REQUEST_MAX], size_t *len)
{
	ldns_pkt *pkt = query_packet(apex, type);
	uint8_t *wire = NULL;
	size_t wire_len = 0;
	status_t st = ST_NOMEM;

	if (!pkt)
		return ST_NOMEM;
	ldns_pkt_set_id(pkt, id);
	ldns_pkt_set_edns_udp_size(pkt, payload); /* 0 leaves OPT out */
	if (ldns_pkt2wire(&wire, pkt, &wire_len) != LDNS_STATUS_OK || wire_len > DNS_REQUEST_MAX)
		goto out;
	memcpy(out, wire, wire_len);
	*len = wire_len;
	st = ST_OK;
out:
	LDNS_FREE(wire);
	ldns_pkt_free(pkt);
	return st;
}
