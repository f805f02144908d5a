/* ctl/request.h - one line of words from a client that may be anybody: ctl/ctl.h has the protocol. */
#pragma once

#include <stddef.h>

#include "ctl/report.h"

#define CTL_PROTOCOL "secd/1"

typedef struct ctl_request {
	report_form_t form;
	const char *verb;
	const char *args; /* words one behind the other, each with its NUL */
	size_t arg_count;
} ctl_request_t;

/* Read the len octets of a line, without its line end. They are changed, and what out points to
 * lies in them; line[len] must be the caller's to write. Returns NULL, or what is wrong with it. */
const char *ctl_request_read(char *line, size_t len, ctl_request_t *out);

/* The word behind another one of args. */
const char *ctl_request_next(const char *arg);
