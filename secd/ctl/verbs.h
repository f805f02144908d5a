/* ctl/verbs.h - what each verb does, in one go of the main loop. For ctl/ctl alone. */
#pragma once

#include <sys/types.h>

#include "ctl/ctl.h"
#include "ctl/feed.h"
#include "ctl/report.h"
#include "ctl/request.h"
#include "ctl/table.h"
#include "refresh/pin.h"
#include "zone/hold.h"

typedef enum ctl_outcome {
	CTL_DONE,  /* the report is the answer */
	CTL_NO,    /* ... as far as there is one; why says what could not be done */
	CTL_USAGE, /* why says what would be a request */
	CTL_STOP,  /* done, and the daemon is to end when that is said */
	CTL_DUMP,  /* hold is the caller's, whose content is the answer */
	CTL_FEED,  /* feed is the caller's, and gives the answer */
	CTL_TURNS, /* ctl_healthy_ask() is to be called, and ctl_healthy_judge() when it says so */
	CTL_LINT,  /* lint is the caller's, and makes the answer (ctl/lint.h) */
	CTL_TEXT,  /* text is the answer, which is malloc()ed */
	CTL_LATER, /* ctl_verbs_later() is to be called, and tells what the answer is */
} ctl_outcome_t;

enum { CTL_PATTERN_MAX = 1100 }; /* of names */

/* What is to be asked, of which zone. */
typedef enum ctl_later_what {
	CTL_LATER_VERSIONS,
	CTL_LATER_PIN,
	CTL_LATER_RELOAD
} ctl_later_what_t;
typedef struct ctl_later {
	ctl_later_what_t what;
	bool force; /* the reload, which is of no zone */
	dns_name_t apex;
	refresh_pin_order_t order;
} ctl_later_t;

typedef struct ctl_call {
	const ctl_env_t *env;
	const ctl_request_t *request;
	report_t *report; /* to be filled */
	char why[256];
	zone_hold_t *hold;
	ctl_feed_t *feed;
	struct ctl_lint *lint;
	char *text;
	size_t text_len;
	ctl_later_t later;
	size_t zones, failed; /* that it is about */
} ctl_call_t;

/* Run the verb that the request names. *verb is what that is, or NULL. */
ctl_outcome_t ctl_verbs_run(ctl_call_t *call, const ctl_verb_t **verb);

/* A line of the log: who wanted what to be changed. */
void ctl_verbs_log(const ctl_call_t *call, const ctl_verb_t *verb, uid_t uid, pid_t pid);

/* Ask about a zone; done(arg, ...) is called once, maybe before this returns. */
void ctl_verbs_later(const ctl_env_t *env, const ctl_later_t *later, refresh_pin_cb done,
                     void *arg);
/* What came of it: fills the report; CTL_DONE, or CTL_NO with why. */
ctl_outcome_t ctl_verbs_came(const ctl_later_t *later, const refresh_pin_result_t *result,
                             report_t *out, char why[256]);
/* ... of a reload. */
ctl_outcome_t ctl_verbs_reloaded(const ctl_reload_result_t *result, report_t *out, char why[256]);
