/* answer/resolve.h - RFC 1034 4.3.2 over the zones that we hold. For answer/ alone. */
#pragma once

#include "answer/answer.h"
#include "answer/compose.h"

/* What the header says beyond the sections. */
typedef struct resolve_result {
	unsigned rcode;
	bool aa;
} resolve_result_t;

/* Write answer, authority and additional sections of a question of class IN into c, whose
 * question is already written. req->slot and req->version are those of the question's zone, and
 * req->found what the name is to it.
 * c->truncated says that something needed did not fit (RFC 2181 9, RFC 9471 3). */
resolve_result_t resolve(const zone_set_t *zones, const answer_req_t *req, compose_t *c);
