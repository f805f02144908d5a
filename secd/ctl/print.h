/* ctl/print.h - a whole zone as text, in pieces, to whoever takes them. For ctl/ alone.
 *
 * As a zone file (RFC 1035 5.1), absolute names, the SOA first, then owners in canonical order (RFC 4034
 * 6.1) and their types ascending; or as JSON, a record a line. It takes some 64 KiB for the text, and
 * room to sort in, four octets a name. */
#pragma once

#include <stdint.h>

#include "common/status.h"
#include "ctl/report.h"
#include "zone/version.h"

/* Takes len octets, at least one, that are gone afterwards; anything but ST_OK ends the printing. */
typedef struct ctl_sink {
	status_t (*put)(void *arg, const char *text, size_t len);
	void *arg;
} ctl_sink_t;

typedef struct ctl_print_order {
	const zone_version_t *version; /* stays alive meanwhile */
	report_form_t form;
	const char *holder; /* for the line of comment in front: "as held by ..." */
	int64_t wall_ms;    /* for JSON's "now" */
	ctl_sink_t sink;
} ctl_print_order_t;

typedef struct ctl_printed {
	uint64_t records, octets; /* octets: that the sink was given */
} ctl_printed_t;

/* ST_OK; ST_NOMEM: it ended between two records; or what the sink said. Any thread. */
status_t ctl_print(const ctl_print_order_t *order, ctl_printed_t *out);
