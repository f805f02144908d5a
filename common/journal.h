/* common/journal.h - a log line as systemd's journal takes it: its native protocol, of which a datagram is one
 * entry (systemd.io/JOURNAL_NATIVE_PROTOCOL).
 *
 *     xfr installed zone=example.com. serial=7 why="it is new"
 *
 *     PRIORITY=6\n SYSLOG_FACILITY=3\n SYSLOG_IDENTIFIER=secd\n SYSLOG_PID=4711\n MESSAGE=xfr installed ...\n
 *     SECD_EVENT=xfr installed\n SECD_ZONE=example.com.\n SECD_SERIAL=7\n SECD_WHY=it is new\n
 *
 * A key becomes SECD_ and the key in capitals, with '_' for '-'. A value is what stands in the line, without the
 * quotes around it. Knows no socket, allocates nothing. */
#pragma once

#include <stddef.h>

enum {
	JOURNAL_MAX =
		8192 /* octets of a datagram: a line of 1,280 with its fields never has as many */
};

/* The datagram for a line.
 *   text       of the form of common/log.h.
 *   priority   of syslog(3), LOG_ERR ...; facility: LOG_DAEMON ...
 *   pid        whose line it is.
 *   out        room octets.
 * Returns      its length. A field for which there is no room is left out. */
size_t journal_entry(const char *text, int priority, int facility, int pid, char *out, size_t room);
