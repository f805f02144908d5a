/* tests/tools/norm.h - one answer as text that can be compared with another server's.
 *
 * Names are decompressed; owners are folded, and names in RDATA of the types that RFC 4034 6.2
 * (as RFC 6840 5.1 corrects it) folds. The records of a section are sorted, since their order
 * means nothing (RFC 1034 3.6); a record that stands twice stays twice. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { NORM_ANSWER, NORM_AUTHORITY, NORM_ADDITIONAL, NORM_GLUE, NORM_PROOF, NORM_LISTS };

enum { NORM_NAME_MAX = 255 };

/* A growable list of lines; zeroed is empty. */
typedef struct lines {
	char **line;
	size_t count, room;
} lines_t;

typedef struct norm {
	const char *error; /* why there is nothing to compare; NULL: the rest is valid */
	unsigned rcode;
	bool aa, tc;
	unsigned bits; /* the other bits of the header: RD, RA, Z, AD, CD */
	int opt;       /* the OPT record: -1 none, else its DO bit */
	size_t size;   /* of the message */
	bool cut; /* by UDP it was truncated, and this is what came by TCP (the asker's to set) */
	/* Lines "owner ttl class type rdata". The additional section is without OPT; glue is the
	 * part of it that a referral requires: addresses of servers at or below the cut. Where DO
	 * was set, proof has what DNSSEC adds, and answer and authority are without it: signatures
	 * that nobody asked for, NSEC, NSEC3 and DS of the authority section. */
	lines_t list[NORM_LISTS];
} norm_t;

/* Names of the zones that are served (folded wire forms): NS of such a name beside an answer is
 * a courtesy that some servers extend, and is left out. */
typedef struct norm_zones {
	uint8_t (*name)[NORM_NAME_MAX];
	size_t count;
} norm_zones_t;

/* Read msg, the answer to a query whose question section was question and whose DO bit was
 * dnssec. *out is the caller's to free with norm_free(), whatever came of it. */
void norm_message(const uint8_t *msg, size_t len, const uint8_t *question, size_t question_len,
                  bool dnssec, const norm_zones_t *zones, norm_t *out);
void norm_free(norm_t *n);

/* Do two answers say the same? Truncated ones are compared by their header alone. */
bool norm_same(const norm_t *a, const norm_t *b);

/* As a JSON object. */
void norm_print(FILE *to, const norm_t *n);

/* Each record of the answer section of one message of a transfer, one line each. Returns how
 * many SOAs were among them, or -1 when the message is broken or holds no record. */
int norm_dump(FILE *to, const uint8_t *msg, size_t len, unsigned *rcode);

/* Presentation form to uncompressed wire; returns its length, 0 when it is no name. */
size_t norm_name_from_text(const char *text, uint8_t out[NORM_NAME_MAX]);
void norm_name_fold(uint8_t *name);
