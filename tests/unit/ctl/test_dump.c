/* tests/unit/ctl/test_dump.c - what a dump does when the daemon does not wait for it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ev.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/dump.h"
#include "support/zones.h"

TestSuite(ctl_dump, .timeout = 20);

static unsigned ended;

static void on_ended(void *arg, mail_t *mail)
{
	ctl_dump_t *dump;

	cr_expect(ctl_dump_of(mail, &dump) == arg);
	ctl_dump_end(dump);
	ended++;
}

/* All that comes, up to the end of an answer. */
static void read_answer(int fd)
{
	static const char end[] = "\ndone\n";
	char all[4096];
	size_t len = 0;

	while (len < strlen(end) || memcmp(all + len - strlen(end), end, strlen(end)) != 0) {
		ssize_t n = read(fd, all + len, sizeof all - len);

		cr_assert(n > 0);
		len += (size_t)n;
	}
}

/* The thread closes its descriptor before its mail comes, and the number may be another client's
 * by then. */
Test(ctl_dump, that_has_ended_is_abandoned_without_harm_to_others)
{
	zone_version_t *v = zones_version(&zones_key, "z.", "@ SOA a b 1 1 1 1 1\n");
	mailbox_t box;
	int client[2], other[2];
	char octet;

	cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM, 0, client), 0));
	cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, other), 0));
	mailbox_open(&box, ev_default_loop(0), on_ended, &box);
	int number = dup(0); /* the lowest that is free: the dump's */
	close(number);
	const ctl_dump_order_t order = {
		.fd = client[0],
		.form = REPORT_TEXT,
		.hold = zone_hold_new(v),
		.idle = 10,
		.total = 10,
		.ended = &box,
		.arg = &box,
	};
	ctl_dump_t *dump = ctl_dump_start(&order);
	cr_assert(dump != NULL);
	read_answer(client[1]);
	while (fcntl(number, F_GETFD) != -1)
		usleep(1000);
	cr_assert(eq(int, dup2(other[0], number), number));
	ctl_dump_abandon(dump, client[0]);
	cr_expect(eq(int, (int)read(client[1], &octet, 1), 0), "the client is cut off");
	cr_expect(eq(int, (int)write(number, "x", 1), 1), "and nobody else");
	cr_expect(eq(int, (int)read(other[1], &octet, 1), 1));
	mailbox_close(&box);
	cr_expect(eq(uint, ended, 1));
	for (unsigned i = 0; i < 2; i++) {
		close(client[i]);
		close(other[i]);
	}
	close(number);
	zone_version_free(v);
}
