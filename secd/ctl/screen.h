/* ctl/screen.h - frames on a terminal, each in place of the one before. For secdctl alone.
 *
 *     screen_open --> screen_wait -- there is something to read --> screen_show ... --> screen_close
 *                          +-- q, Ctrl-C, SIGTERM: over
 *
 * One at a time, in one thread: the terminal, and signals, are the process's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Is there a terminal at both ends? */
bool screen_fits(void);

/* Take the terminal. False, with errno: it can't be had. */
bool screen_open(void);
/* Give it back as it was. Does nothing when it is not taken. */
void screen_close(void);

/* Until fd can be read. False: who looks on has had enough. */
bool screen_wait(int fd);
/* Has he? */
bool screen_is_over(void);

/* Show lines of text with colours (ECMA-48) below a line of our own, as far as they fit, and again when
 * the size changes. False: no memory. */
bool screen_show(const char *text, size_t len);

/* What that writes for a terminal of so many rows and columns: what is too long is cut, and colours take
 * no room. */
void screen_write(FILE *to, const char *text, size_t len, unsigned rows, unsigned columns);
