/* ctl/skew_udp.h - one SOA question to each of many name servers, all at once. For ctl/skew_client alone.
 *
 * By UDP, without recursion and without EDNS, as check_secd(8) asks; by TCP where that is truncated. An
 * answer counts as xfr/soa_answer.h has it, from the address that was asked. Blocks, with poll(2), no
 * longer than the tries take (and a try more for each by TCP). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "dns/name.h"

#define SKEW_TRY_MS 1000

enum { SKEW_TRIES = 3 };

typedef struct skew_ask {
	addr_t to;

	/* What comes of it. */
	bool answered;
	uint32_t serial; /* if it has */
	uint32_t ms;     /* that it took */
	char why[96];    /* if it has not: "does not answer", "answers REFUSED" ... */
} skew_ask_t;

void skew_udp_ask(const dns_name_t *apex, skew_ask_t *asks, size_t count);
