/* ctl/out.h - octets on their way to a client that takes them when it likes. For ctl/ctl alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Starts with zeros. */
typedef struct ctl_out {
	char *octets;
	size_t at, len;
} ctl_out_t;

typedef enum ctl_out_state {
	CTL_OUT_ALL,  /* it has taken all that there is */
	CTL_OUT_SOME, /* it will take more when its socket says so */
	CTL_OUT_GONE, /* it takes nothing any more */
} ctl_out_state_t;

/* In place of what there was: head, len octets of content, foot. content is taken over; NULL: there is
 * none. False: no memory, and nothing is to be written. */
bool ctl_out_set(ctl_out_t *out, const char *head, char *content, size_t len, const char *foot);

/* Write what the client takes now; *moved is set when it took something. */
ctl_out_state_t ctl_out_write(ctl_out_t *out, int fd, bool *moved);

void ctl_out_free(ctl_out_t *out);
