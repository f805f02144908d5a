/* tests/bench/reflector.c - the floor of any socket server: datagrams back to where they came from.
 *
 *     reflector ADDR@PORT
 *
 * recvmmsg of up to 64, QR set, the same bytes out by sendmmsg. What it costs is what the kernel
 * asks for receiving and sending; a name server can't be cheaper on the same system calls. Runs
 * until it is killed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/addr.h"

enum { BATCH = 64, ROOM = 4096, SOCKET_BUFFER = 8 << 20 };

typedef struct batch {
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_storage from[BATCH];
	uint8_t data[BATCH][ROOM];
} batch_t;

static int open_socket(const char *text)
{
	const int size = SOCKET_BUFFER;
	addr_t addr;

	if (addr_parse(text, 53, &addr) != ST_OK) {
		fprintf(stderr, "reflector: %s is no address\n", text);
		return -1;
	}
	int fd = socket(addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, &addr.sa, addr_len(&addr)) != 0) {
		perror("reflector: bind");
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return fd;
}

/* Receive what is there and send it back; false when the socket has failed. */
static bool turn(int fd, batch_t *b)
{
	for (size_t i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){ b->data[i], ROOM };
		b->msg[i].msg_hdr = (struct msghdr){ .msg_name = &b->from[i],
			                             .msg_namelen = sizeof b->from[i],
			                             .msg_iov = &b->iov[i],
			                             .msg_iovlen = 1 };
	}
	int n = recvmmsg(fd, b->msg, BATCH, MSG_WAITFORONE, NULL);
	if (n < 0)
		return errno == EINTR || errno == ECONNREFUSED;
	for (int i = 0; i < n; i++) {
		b->iov[i].iov_len = b->msg[i].msg_len;
		if (b->msg[i].msg_len > 2)
			b->data[i][2] |= 0x80;
	}
	for (int sent = 0; sent < n;) {
		int r = sendmmsg(fd, b->msg + sent, (unsigned)(n - sent), 0);

		if (r < 0 && errno != EINTR && errno != ECONNREFUSED)
			return false;
		sent += r > 0 ? r : errno == EINTR ? 0 : 1;
	}
	return true;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open_socket(argv[1]) : -1;
	batch_t *b = calloc(1, sizeof *b);

	if (fd < 0 || !b) {
		fprintf(stderr, "usage: reflector ADDR@PORT\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* nothing outlives the run that started it */
	while (turn(fd, b))
		;
	perror("reflector");
	return 1;
}
