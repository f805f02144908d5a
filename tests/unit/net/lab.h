/* tests/unit/net/lab.h - a net/ on loopback with an echo behind it, and clients for it.
 *
 * Each helper asserts that it worked. Waiting is polling with a deadline of DEADLINE_S. */
#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/epoch.h"
#include "common/mailbox.h"
#include "net/net.h"
#include "tests/unit/net/echo.h"

enum { DEADLINE_S = 20, LAB_MAILS = 2048 };

typedef struct lab_mail {
	const zone_slot_t *slot;
	addr_t from;
	bool has_hint;
	uint32_t hint;
	bool refused;
} lab_mail_t;

typedef struct lab {
	net_t *net;
	epoch_t *epoch;
	struct ev_loop *loop;
	mailbox_t box;
	bool hold; /* keep messages instead of giving them back */
	net_notify_t *held[LAB_MAILS];
	lab_mail_t mail[LAB_MAILS];
	size_t helds, mails;
} lab_t;

/* Two workers, limits that don't matter, 10 s of idle time. */
net_conf_t lab_conf(void);

/* listen: addresses with blanks between them, "ADDRESS" for a port of the kernel's choice. */
void lab_open(lab_t *lab, const net_conf_t *conf, const char *listen);
void lab_close(lab_t *lab);

/* Deliver mail and let a moment pass. */
void lab_turn(lab_t *lab);
net_totals_t lab_totals(const lab_t *lab);

#define EVENTUALLY(lab, condition)                                                                 \
	do {                                                                                       \
		mono_t end = mono_add_s(clock_mono(), DEADLINE_S);                                 \
		while (!(condition)) {                                                             \
			cr_assert(mono_before(clock_mono(), end), "never: %s", #condition);        \
			lab_turn(lab);                                                             \
		}                                                                                  \
	} while (0)

/* Connected to port of listen address 0, at host; from: the client's own address or NULL. */
int lab_udp(const lab_t *lab, const char *host);
int lab_udp_to(const char *host, uint16_t port);
int lab_tcp(const lab_t *lab, const char *host, const char *from);

void send_bytes(int fd, const void *bytes, size_t n);
void receive_bytes(int fd, void *bytes, size_t n);

/* Over TCP a length goes before it. */
void ask_udp(int fd, unsigned id, echo_op_t op, unsigned arg);
void ask_tcp(int fd, unsigned id, echo_op_t op, unsigned arg);

/* One datagram; its octets. */
size_t answer_udp(int fd, uint8_t *out, size_t room);
/* One message behind its length; its octets. */
size_t answer_tcp(int fd, uint8_t out[65535]);

/* Is there an answer of this id? */
bool answered_udp(int fd, unsigned id);
bool answered_tcp(int fd, unsigned id);

/* The other side has closed; false when bytes come first. */
bool closed(int fd);
/* Nothing comes for ms. */
bool quiet(int fd, int ms);
