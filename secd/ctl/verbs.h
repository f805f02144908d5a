/* ctl/verbs.h - what each verb does, in one go of the main loop. For ctl/ctl alone. */
#pragma once

#include "ctl/ctl.h"
#include "ctl/report.h"
#include "ctl/request.h"
#include "ctl/table.h"
#include "zone/hold.h"

typedef enum ctl_outcome {
	CTL_DONE,  /* the report is the answer */
	CTL_NO,    /* ... as far as there is one; why says what could not be done */
	CTL_USAGE, /* why says what would be a request */
	CTL_STOP,  /* done, and the daemon is to end when that is said */
	CTL_DUMP,  /* hold is the caller's, whose content is the answer */
} ctl_outcome_t;

typedef struct ctl_call {
	const ctl_env_t *env;
	const ctl_request_t *request;
	report_t *report; /* to be filled */
	char why[256];
	zone_hold_t *hold;
	size_t failed; /* of several zones */
} ctl_call_t;

/* Run the verb that the request names. *verb is what that is, or NULL. */
ctl_outcome_t ctl_verbs_run(ctl_call_t *call, const ctl_verb_t **verb);
